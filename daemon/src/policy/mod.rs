//! Who may have what, and on which terms. Pure: rules in, decision out.

pub mod terms;
