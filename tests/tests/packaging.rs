//! What packages are made from: the man pages against the program, units and manifests as their readers read them, the installer over
//! HTTP on loopback. Nothing is built here; what is built is looked at by `make packages-test`.
#![allow(clippy::unwrap_used, clippy::panic, reason = "this is a test")]

#[path = "packaging/installer.rs"]
mod installer;
#[path = "packaging/pages.rs"]
mod pages;
#[path = "packaging/texts.rs"]
mod texts;
