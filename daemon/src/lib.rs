//! `tegatad`: obtains short-lived AWS credentials, keeps what it needs for that in the OS keyring, and serves them to
//! every tool of one user.
//!
//! `serve → broker → {policy, cache, provider, signin, store, audit}`; `profile` and `settings` know nobody.
//! The outside comes in as four traits, built once in `main`: [`clock::Clock`], [`store::Records`], [`aws::Aws`], [`human::Human`].

pub mod arguments;
pub mod audit;
pub mod aws;
pub mod broker;
pub mod caller;
pub mod clock;
pub mod credentials;
pub mod environment;
pub mod harden;
pub mod human;
pub mod instance;
pub mod names;
mod nearest;
pub mod profile;
mod regular_file;
pub mod serve;
pub mod settings;
pub mod store;
