//! `tegata`: the command line of the Tegata credential broker.
//!
//! It is synchronous, keeps no state, holds no secret longer than it takes to copy one answer to standard output, and
//! knows AWS only by name: everything about credentials is the daemon's.

mod aws_config;
mod browser;
mod child;
mod client;
mod clipboard;
mod commands;
mod connection;
mod credentials;
mod endpoint;
mod environment;
mod failure;
mod hand;
mod hidden;
mod http;
mod key_files;
mod moment;
mod one_shot;
mod output;
mod picker;
mod places;
mod profile_files;
mod profiles;
mod question;
mod random;
mod scan;
mod setup;
mod shell_init;
mod signals;
mod sso_cache;
mod start;
mod state;

fn main() -> std::process::ExitCode {
    commands::run(&std::env::args_os().collect::<Vec<_>>())
}
