//! IAM users whose access keys are in the store.

pub mod record;
