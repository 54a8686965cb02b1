//! After an update the old program should not go on for weeks: when its file is replaced and nobody waits for it, it ends, and
//! the next request (or the service manager) starts the new one.

use crate::broker::Broker;
use crate::store::Kind;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

/// How often the program's file is looked at.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// What tells one file from another that was put in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    place: (u64, u64),
    size: u64,
    changed: (i64, i64),
}

/// Returns once the daemon should make way for the program that has replaced it. Never with secrets in memory only: they
/// would be lost.
pub async fn replaced(broker: &Broker) {
    let program = std::env::current_exe().ok().filter(|_| broker.store_kind() != Kind::Memory);
    let Some((program, own)) = program.and_then(|path| stamp(&path).map(|stamp| (path, stamp))) else {
        return std::future::pending().await;
    };
    loop {
        tokio::time::sleep(LOOK_AGAIN).await;
        if is_replaced(&program, own) && !broker.is_waited_for() {
            return;
        }
    }
}

/// Whether another program lies there now. A file that is gone replaces nothing: an update may be half done.
fn is_replaced(program: &Path, own: Stamp) -> bool {
    stamp(program).is_some_and(|found| found != own)
}

fn stamp(path: &Path) -> Option<Stamp> {
    let found = std::fs::metadata(path).ok()?;
    Some(Stamp { place: (found.dev(), found.ino()), size: found.size(), changed: (found.mtime(), found.mtime_nsec()) })
}

#[cfg(test)]
mod tests {
    use super::{is_replaced, stamp};
    use std::fs;

    #[test]
    fn another_file_in_its_place_is_a_replacement_and_none_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let (program, update) = (dir.path().join("tegatad"), dir.path().join("update"));
        fs::write(&program, "one").unwrap();
        let own = stamp(&program).unwrap();
        assert!(!is_replaced(&program, own));
        fs::write(&update, "two").unwrap();
        fs::rename(&update, &program).unwrap();
        assert!(is_replaced(&program, own));
        fs::remove_file(&program).unwrap();
        assert!(!is_replaced(&program, own));
    }
}
