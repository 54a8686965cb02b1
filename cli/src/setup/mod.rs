//! `tegata setup`: from a start URL to profiles that every AWS tool can use. [`flow`] is the story; the rest of it decides, and
//! does nothing but decide.

mod choose;
mod flow;
mod inventory;
mod names;
mod plan;
mod private;
mod session;
mod start_url;
mod texts;

pub(crate) use choose::Filter;
pub(crate) use flow::{Choice, Request};
pub(crate) use names::DEFAULT as DEFAULT_TEMPLATE;
pub(crate) use session::Wanted;
pub(crate) use start_url::region;
