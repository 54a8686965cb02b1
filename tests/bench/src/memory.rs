//! What a daemon keeps of the requests it has answered: nothing.

use crate::load::{self, CLIENTS, Work};
use crate::report::{Bound, Report};
use std::fs;
use tegata_tests::product::Product;

const FIRST: u64 = 100_000;
const IN_ALL: u64 = 1_000_000;

/// Measures how much anonymous memory a daemon gains from request number 100,000 to request number 1,000,000.
pub(crate) fn measure(report: &mut Report) {
    let mut product = Product::new();
    let daemon = product.start_daemon();
    product.sign_in();
    assert_eq!(product.credentials("dev").code, 0);
    let mut answered = 0;
    let mut anonymous_after = |requests: u64| {
        answered += load::ask(&product.socket(), Work::Requests((requests - answered).div_ceil(CLIENTS as u64)));
        anonymous(daemon)
    };
    let (first, last) = (anonymous_after(FIRST), anonymous_after(IN_ALL));
    let mib = |kib: u64| kib as f64 / 1024.0;
    let what = "anonymous memory gained from 100,000 to 1,000,000 requests";
    report.promise(what, Bound::AtMost(1.0), mib(last) - mib(first), " MiB");
    report.note(format!(
        "Anonymous memory of tegatad: {:.2} MiB after {FIRST} requests, {:.2} MiB after {answered}.",
        mib(first),
        mib(last)
    ));
}

/// Returns a process's anonymous memory in KiB. The sum over its mappings is root's to read, the daemon being closed to
/// everybody else; the kernel's own count is open to all.
fn anonymous(pid: u32) -> u64 {
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).map(|text| field(&text, "Anonymous:"));
    let counted = || field(&fs::read_to_string(format!("/proc/{pid}/status")).ok()?, "RssAnon:");
    rollup.ok().flatten().or_else(counted).expect("the kernel tells how much memory the daemon has")
}

fn field(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_memory_of_this_process_is_some() {
        assert!(anonymous(std::process::id()) > 0);
        assert_eq!(field("Rss:   12 kB\nAnonymous:   345 kB\n", "Anonymous:"), Some(345));
    }
}
