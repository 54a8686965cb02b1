//! Fail points: named seams where a test ends the process, to see what a crash there leaves behind.
//!
//! Only a build with the feature `failpoints` has them. In every other build [`failpoint!`](crate::failpoint) is nothing at
//! all: no branch, no name in the binary. The end is SIGKILL, so that no destructor tidies up what a power cut would not.

/// Marks a seam: `failpoint!("store.write.before")`. Names are `room.action.place`.
#[macro_export]
macro_rules! failpoint {
    ($name:literal) => {
        #[cfg(feature = "failpoints")]
        $crate::failpoint::reach($name);
    };
}

/// Arms one fail point for this process: `name`, or `name@n` for the n-th time it is reached (from 1); `trace` ends nothing and logs each
/// that is reached. The first call counts, `None` disarms; without the feature `failpoints` it does nothing.
pub fn arm(name: Option<String>) {
    #[cfg(feature = "failpoints")]
    armed::arm(name);
    #[cfg(not(feature = "failpoints"))]
    drop(name);
}

#[cfg(feature = "failpoints")]
pub use armed::reach;

#[cfg(feature = "failpoints")]
mod armed {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    /// What is no name of a fail point.
    const TRACE: &str = "trace";

    /// What [`super::arm`] was told: the name and how many times it may still be passed.
    static ARMED: OnceLock<Option<(String, AtomicU64)>> = OnceLock::new();

    pub(super) fn arm(name: Option<String>) {
        let armed = name.map(|name| {
            let (name, nth) = parse(&name);
            (name.to_owned(), AtomicU64::new(nth))
        });
        let _ = ARMED.set(armed);
    }

    /// Ends the process if this is the armed seam and its turn has come.
    #[doc(hidden)]
    pub fn reach(name: &str) {
        let Some(Some((armed, left))) = ARMED.get() else { return };
        if armed == TRACE {
            // At a level that is always shown.
            tracing::warn!("fail point {name}");
        }
        if armed == name && left.fetch_sub(1, Ordering::SeqCst) == 1 {
            let me = rustix::process::getpid();
            let _ = rustix::process::kill_process(me, rustix::process::Signal::KILL);
        }
    }

    fn parse(name: &str) -> (&str, u64) {
        match name.split_once('@').map(|(name, nth)| (name, nth.parse())) {
            Some((name, Ok(nth))) => (name, nth),
            _ => (name, 1),
        }
    }

    #[cfg(test)]
    mod tests {
        use super::parse;

        #[test]
        fn a_name_alone_means_its_first_time() {
            assert_eq!(parse("store.write.before"), ("store.write.before", 1));
            assert_eq!(parse("store.write.before@3"), ("store.write.before", 3));
        }
    }
}
