//! The sandbox from outside: each refusal rule beside the request that is accepted.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test's helpers may end the test")]

mod certificate_client;
mod client;

mod authorization;
mod control;
mod device;
mod faults;
mod federation;
mod iam;
mod listeners;
mod login;
mod metadata;
mod portal;
mod program;
mod registration;
mod roles_anywhere;
mod sts;
mod tokens;
mod users;
mod web_identity;
