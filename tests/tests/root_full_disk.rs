//! A disk that is really full: what cannot be written down is not released (security.md L11), and what is there stays whole.
#![cfg(feature = "root")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "this is a test")]

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use tegata_tests::product::{Ended, Product, run, wait_until};

/// A product that was served, whose records are on a small disk of their own.
struct SmallDisk {
    product: Product,
    disk: PathBuf,
}

impl SmallDisk {
    fn served() -> Self {
        let mut product = Product::new();
        let disk = product.state_dir();
        fs::create_dir_all(&disk).unwrap();
        let mounted =
            run(product.command("mount").args(["-t", "tmpfs", "-o", "size=64k,mode=0700", "tmpfs"]).arg(&disk));
        assert_eq!(mounted.code, 0, "{mounted:?}");
        product.start_daemon();
        product.sign_in();
        assert_eq!(product.credentials("dev").code, 0);
        Self { product, disk }
    }

    /// Leaves no room but what is left of the blocks that are in use.
    fn fill(&self) {
        let mut filler = File::create(self.disk.join("filler")).unwrap();
        while filler.write(&[0; 512]).is_ok_and(|written| written > 0) {}
    }

    fn make_room(&self) {
        fs::remove_file(self.disk.join("filler")).unwrap();
    }

    /// Asks until no record fits any more, and returns how often it was served before.
    fn served_until_full(&self) -> (usize, Ended) {
        for served in 0..100 {
            let ended = self.product.credentials("dev");
            if ended.code != 0 {
                return (served, ended);
            }
        }
        panic!("the disk is not full")
    }

    /// Starts a daemon, which may still find room for the short record of that, and kills it. Returns whether it served.
    fn starts(&mut self) -> bool {
        self.product.spawn_daemon();
        let (socket, mut serves) = (self.product.socket(), false);
        wait_until("the daemon serves or ends", || {
            serves = UnixStream::connect(&socket).is_ok();
            serves || self.product.daemon_is_gone()
        });
        if serves {
            self.product.kill_daemon();
        }
        serves
    }

    fn released(&self) -> usize {
        self.product.audit().iter().filter(|record| record["event"] == "released").count()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: the daemon has a file open on it until the product ends.
        let _ = run(self.product.command("umount").arg("--lazy").arg(&self.disk));
    }
}

#[test]
fn l11_on_a_full_disk_nothing_is_released_and_no_record_is_cut_short() {
    let home = SmallDisk::served();
    home.fill();
    let before = home.released();
    let (served, refused) = home.served_until_full();
    for refused in [refused, home.product.credentials("dev"), home.product.credentials("admin")] {
        assert_eq!((refused.code, refused.stdout.as_str(), refused.stderr.lines().count()), (1, "", 1), "{refused:?}");
        assert!(refused.stderr.contains("the audit log"), "{refused:?}");
    }
    assert_eq!(home.released(), before + served, "each release has a record, and each record is whole");
    assert_eq!(home.product.run(&["status"]).code, 0, "what releases nothing goes on");
}

#[test]
fn l11_twin_with_room_again_it_is_released_and_the_numbers_go_on() {
    let home = SmallDisk::served();
    home.fill();
    assert_eq!(home.served_until_full().1.code, 1);
    home.make_room();
    assert_eq!(home.product.credentials("dev").code, 0);
    let numbers: Vec<_> = home.product.audit().iter().map(|record| record["seq"].as_u64().unwrap()).collect();
    assert!(numbers.iter().copied().eq(1..=numbers.len() as u64), "{numbers:?}");
}

#[test]
fn l11_on_a_full_disk_no_daemon_starts() {
    let mut home = SmallDisk::served();
    home.fill();
    assert_eq!(home.served_until_full().1.code, 1);
    home.product.kill_daemon();
    assert!((0..40).any(|_| !home.starts()), "a start is a record, too, and at last there is no room for one");
    assert_eq!(home.product.daemon_ends(), 1);
    let log = home.product.daemon_log();
    assert!(log.ends_with(".jsonl\n") && log.contains("tegatad: no room for a record in the audit log "), "{log}");
    let refused = home.product.credentials("dev");
    assert_eq!((refused.code, refused.stdout.as_str(), refused.stderr.lines().count()), (16, "", 1), "{refused:?}");
    let mend = format!("; run: {}\n", home.product.daemon_binary.display());
    assert!(refused.stderr.ends_with(&mend), "the line names what says why: {refused:?}");
}
