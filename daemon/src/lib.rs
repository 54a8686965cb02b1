//! `tegatad`: obtains short-lived AWS credentials, keeps what it needs for that in the OS keyring, and serves them to
//! every tool of one user.
//!
//! `serve → broker → {policy, cache, provider, signin, store, audit}`; `profile` and `settings` know nobody.
//! The outside comes in as four traits, built once in `main`: [`clock::Clock`], [`store::Records`], [`aws::Aws`], [`human::Human`].

pub mod aws;
pub mod caller;
pub mod clock;
pub mod credentials;
pub mod human;
pub mod names;
pub mod profile;
pub mod signin;
pub mod store;
