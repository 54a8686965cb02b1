//! The daemon ends at every fail point of access keys, at each time it comes by, and around every write of the store, while a key is
//! imported, an answer of IAM is lost, and the key is turned over. A key works at any moment; who comes next ends with exactly one.
#![cfg(feature = "system")]
#![allow(clippy::unwrap_used, reason = "this is a test")]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::net::UnixStream;
use std::sync::Mutex;
use tegata_sandbox::{Effect, Fault, Operation};
use tegata_tests::plaintext_key::{alice, credentials_file, with_plaintext_key};
use tegata_tests::product::{Product, wait_until};
use tegata_tests::{failpoints, program};

/// How many daemons die at the same time.
const WORKERS: usize = 4;

#[test]
#[ignore = "issue 6: after some fail points the rotation that resumes leaves a second key"]
fn a_crash_anywhere_leaves_a_key_that_works_and_resuming_ends_with_exactly_one() {
    let wanted = |name: &String| name.starts_with("keys.") || name.starts_with("store.write.");
    let names: Mutex<Vec<String>> = Mutex::new(failpoints::names().into_iter().filter(wanted).collect());
    let reached = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                loop {
                    let Some(name) = names.lock().unwrap().pop() else { return };
                    let times = (1..).take_while(|time| crash(&format!("{name}@{time}"))).count();
                    reached.lock().unwrap().insert(name, times);
                }
            });
        }
    });
    let reached = reached.into_inner().unwrap();
    eprintln!("{} crashes: {reached:?}", reached.values().sum::<usize>());
    let missed: Vec<_> = reached.iter().filter(|(_, times)| **times == 0).collect();
    assert_eq!(missed, [], "the story does not come by");
}

/// Plays the story, armed, and what comes after. Returns whether the daemon died.
fn crash(failpoint: &str) -> bool {
    let mut product = Product::new();
    product.store_in_files();
    product.never_start_a_daemon();
    let plaintext = with_plaintext_key(&product);
    product.daemon_binary = program("tegatad-failpoints");
    product.environment.push((String::from("TEGATA_FAILPOINT"), failpoint.to_owned()));
    product.spawn_daemon();
    let survived = live(&mut product).is_some();
    match (product.daemon_ends(), survived) {
        (0, true) => false,
        (137, _) => {
            product.environment.retain(|(name, _)| name != "TEGATA_FAILPOINT");
            product.daemon_binary = program("tegatad");
            recover(&mut product, &plaintext.secret, failpoint);
            true
        }
        ended => panic!("{failpoint}: {ended:?}: {}", product.daemon_log()),
    }
}

/// The story; `None` where the daemon died.
fn live(product: &mut Product) -> Option<()> {
    wait_until("the daemon listens", || product.daemon_is_gone() || UnixStream::connect(product.socket()).is_ok());
    went_on(product, &["keys", "import", "--yes", "dev"])?;
    product.sandbox().fault(Fault::on(Operation::CreateAccessKey, Effect::LoseAnswer).times(1));
    // IAM makes a key, and nobody hears of it.
    let lost = product.run(&["keys", "rotate", "--grace", "0s", "dev"]);
    if product.daemon_is_gone() || lost.code == 16 {
        wait_until("the daemon is gone", || product.daemon_is_gone());
        return None;
    }
    assert_eq!(lost.code, 14, "{lost:?}");
    went_on(product, &["keys", "rotate", "--grace", "0s", "dev"])?;
    went_on(product, &["daemon", "stop"])
}

fn went_on(product: &mut Product, arguments: &[&str]) -> Option<()> {
    let ended = product.run(arguments);
    if ended.code == 0 {
        return Some(());
    }
    wait_until(&format!("the daemon is gone after {ended:?}"), || product.daemon_is_gone());
    None
}

/// Holds an unarmed daemon to what it owes over what the dead one left.
fn recover(product: &mut Product, plaintext: &str, failpoint: &str) {
    let in_file = fs::read_to_string(credentials_file(product)).unwrap().contains(plaintext);
    let left = alice(product).keys;
    assert!(left.iter().any(|key| key.active), "{failpoint}: {left:?}");
    let context = format!("{failpoint}, plaintext there: {in_file}, left: {:?}", left.len());
    if in_file {
        assert!(left.iter().any(|key| key.active && key.secret == plaintext), "the plaintext works: {context}");
    }
    product.start_daemon();
    if in_file {
        let imported = product.run(&["keys", "import", "--yes", "dev"]);
        assert_eq!(imported.code, 0, "{imported:?}; {context}\n{}", product.daemon_log());
    }
    let served = product.credentials("dev");
    assert_eq!(served.code, 0, "a key works: {served:?}; {context}\n{}", product.daemon_log());
    let rotated = product.run(&["keys", "rotate", "--grace", "0s", "dev"]);
    assert_eq!(rotated.code, 0, "{rotated:?}; {context}\n{}", product.daemon_log());
    let keys = alice(product).keys;
    assert!(keys.len() == 1 && keys[0].active, "exactly one: {keys:?}; {context}");
    assert_eq!(product.credentials("dev").code, 0, "{context}");
    let report = product.run(&["keys", "report"]);
    assert!(report.stdout.contains("in the keyring"), "the one is ours: {report:?}; {context}");
    // The copied program has a symbol of that name.
    let canaries = product.canaries();
    let places = [".aws", ".local/state"].map(|place| canaries.find_under(&product.path(place))).concat();
    let log = canaries.find_in("the log", product.daemon_log().as_bytes());
    tegata_tests::canaries::assert_none(&[places, log].concat());
}
