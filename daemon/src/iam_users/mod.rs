//! IAM users whose access keys are in the store.

mod json;
pub mod record;
pub mod seeds_record;
pub mod sessions_record;
