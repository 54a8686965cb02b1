//! The gate, called directly: no page and no request in front of it.

mod ceremonies;
mod stage;
