//! The gate, called directly: no page and no request in front of it, so every refusal here is the gate's own.

mod approvals;
mod ceremonies;
mod counters;
mod enrolments;
mod failures;
mod passkeys;
mod records;
mod stage;
