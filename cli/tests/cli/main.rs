//! The `tegata` binary from outside, against small servers of the tests' own. The real daemon takes no part.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "all of this is tests")]

mod credential_process;
mod daemon;
mod env;
mod exec;
mod hand;
mod help;
mod listings;
mod login;
mod passkey;
mod setup;
mod start;
mod support;
mod terminal;
