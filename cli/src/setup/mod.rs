//! What `tegata setup` does, step by step.

mod adopt;
mod fitness;
mod from;
mod keys;
mod recast;
mod take_over;
#[cfg(test)]
mod testing;

pub(crate) use take_over::{Agreement, TakeOver};
