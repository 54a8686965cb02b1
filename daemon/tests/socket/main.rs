//! The local socket from outside: who is let in, what is too much, what is malformed, and how it shuts. One binary, because every
//! test binary links the whole daemon.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "this is a test")]

mod common;
mod connector;
mod daemon;
mod door;
mod panics;
mod requests;
