//! `tegata setup`: from a start URL to profiles that every AWS tool can use ([`flow`] is the story, the rest of it decides), and
//! what is there already, served by Tegata and taken back ([`take_over`]).

mod adopt;
mod choose;
mod console_login;
mod fitness;
mod flow;
mod from;
mod inventory;
mod keys;
mod names;
mod plan;
mod private;
mod recast;
mod session;
mod signing_helper;
mod source;
mod start_url;
mod take_over;
#[cfg(test)]
mod testing;
mod texts;

pub(crate) use choose::Filter;
pub(crate) use console_login::ConsoleProfile;
pub(crate) use flow::{Choice, Request};
pub(crate) use names::DEFAULT as DEFAULT_TEMPLATE;
pub(crate) use session::Wanted;
pub(crate) use start_url::region;
pub(crate) use take_over::{Agreement, TakeOver};
