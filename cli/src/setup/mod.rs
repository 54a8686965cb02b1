//! What `tegata setup` does, step by step.

mod adopt;
mod fitness;
mod from;
mod keys;
mod recast;
mod take_over;

pub(crate) use take_over::{Agreement, TakeOver};
