//! `tegatad`: obtains short-lived AWS credentials, keeps what it needs for that in the OS keyring, and serves them to
//! every tool of one user.
//!
//! `serve → broker → {policy, cache, provider, signin, store, audit}`; `settings` knows nobody, and
//! `profile` knows `settings` alone.
//! The outside comes in as four traits, built once in `main`: [`clock::Clock`], [`store::Records`], [`aws::Aws`], [`human::Human`].

pub mod accepted_policy;
pub mod afterwards;
pub mod app;
pub mod arguments;
pub mod arns;
pub mod attempts;
pub mod audit;
pub mod aws;
pub mod broker;
pub mod cache;
pub mod caller;
pub mod certificates;
pub mod clock;
pub mod console;
pub mod console_logins;
pub mod credentials;
pub mod environment;
pub mod failpoint;
pub mod flight;
pub mod gate;
pub mod gated;
pub mod github_job;
pub mod grant;
pub mod hands;
pub mod harden;
pub mod helper;
pub mod human;
pub mod iam_keys;
pub mod iam_users;
pub mod instance;
pub mod inventory;
pub mod jitter;
pub mod local_user;
pub mod lock;
pub mod names;
mod nearest;
pub mod notify;
pub mod obtain;
pub mod partition;
pub mod pkcs11;
pub mod policy;
pub mod problem;
pub mod profile;
pub mod provider;
pub mod qr;
pub mod random;
mod record;
mod refused_peers;
mod regular_file;
pub mod renewal;
pub mod report;
pub mod requests;
pub mod reviews;
pub mod roles_anywhere;
pub mod serve;
pub mod settings;
pub mod sign_in_sessions;
pub mod signin;
pub mod store;
pub mod totp;
pub mod upgrade;
pub mod watch;
