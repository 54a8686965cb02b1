//! The helper process of a daemon, as the kernel tells of it.

use std::fs;

/// The helper of a daemon, if it has one: its only child. A daemon that lets connect has started it already.
///
/// # Panics
/// When `/proc` cannot be read, or there are several.
#[must_use]
pub fn helper_of(daemon: u32) -> Option<u32> {
    let is_its_child = |pid: &u32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(1)) == Some(&daemon.to_string())
    };
    let pids = fs::read_dir("/proc").expect("processes are listed").flatten();
    let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let helpers: Vec<u32> = pids.filter(is_its_child).collect();
    assert!(helpers.len() <= 1, "{helpers:?}");
    helpers.first().copied()
}
