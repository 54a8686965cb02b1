//! `SdkAws` and the sign-in flows against the sandbox, an AWS double that checks what AWS checks.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

mod faults;
mod login;
mod logs;
mod network;
mod roles;
mod sign_in;
mod users;
mod world;
