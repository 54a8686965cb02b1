//! The sandbox from outside: each refusal rule beside the request that is accepted.

mod client;

mod authorization;
mod control;
mod device;
mod faults;
mod listeners;
mod portal;
mod program;
mod registration;
mod sts;
mod tokens;
