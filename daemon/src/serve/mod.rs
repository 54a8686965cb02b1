//! The daemon's doors: hyper on the local socket, and what the local API says over it.
//!
//! [`door`] knows connections, limits and the rules every request must keep; it knows no resource. [`api`] knows the resources and
//! hands each call to the broker; it knows no connection. Neither decides who gets what.

mod answer;
pub mod api;
mod call;
mod connection;
pub mod door;
pub mod page;
mod rules;
mod stream;

pub use answer::Answer;
