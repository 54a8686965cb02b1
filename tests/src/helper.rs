//! The helper process of a daemon, as the kernel tells of it.

use crate::product::wait_until;
use std::fs;

/// The helper of a daemon, if it has one now.
///
/// # Panics
/// When `/proc` cannot be read.
#[must_use]
pub fn helper_of(daemon: u32) -> Option<u32> {
    let is_its_child = |pid: &u32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(1)) == Some(&daemon.to_string())
    };
    let pids = fs::read_dir("/proc").expect("processes are listed").flatten();
    pids.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).find(is_its_child)
}

/// The helper of a daemon that has one: it is started once the socket is there, which may have been connected to by then.
///
/// # Panics
/// When there is none after all.
#[must_use]
pub fn awaited_helper_of(daemon: u32) -> u32 {
    let mut helper = None;
    wait_until("the helper is there", || {
        helper = helper_of(daemon);
        helper.is_some()
    });
    helper.expect("it is there")
}
