//! The daemon ends at every fail point of access keys, at each time it comes by, and around every write of the store, while a key is
//! imported, an answer of IAM is lost, the key is turned over, and the old one is deleted. A key works at any moment; who comes next ends
//! with exactly one. The same around the codes of MFA devices: what is lost is a code, and never a seed.
#![cfg(feature = "system")]
#![allow(clippy::unwrap_used, reason = "this is a test")]

use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::process::Stdio;
use std::sync::Mutex;
use tegata_daemon::iam_users::record::{AccessKey, IamUserRecord};
use tegata_daemon::store::Records;
use tegata_daemon::store::file::{FileKey, Files};
use tegata_sandbox::{Effect, Fault, Operation};
use tegata_tests::iam_user::{PHONE, prepared};
use tegata_tests::plaintext_key::{ALICE, alice, credentials_file, with_plaintext_key};
use tegata_tests::product::{Ended, Product, wait_until};
use tegata_tests::signed_call::caller_identity;
use tegata_tests::{failpoints, program};

/// How many daemons die at the same time.
const WORKERS: usize = 4;

#[test]
fn a_crash_anywhere_leaves_a_key_that_works_and_resuming_ends_with_exactly_one() {
    let story = Story {
        rooms: &["keys.", "store.write."],
        begin: || {
            let mut product = Product::new();
            product.store_in_files();
            let _ = with_plaintext_key(&product);
            product
        },
        live: turn_over,
        recover: ends_with_one_key,
    };
    story.dies_everywhere();
}

#[test]
fn a_crash_around_a_code_costs_a_code_and_never_a_seed() {
    let story = Story { rooms: &["codes."], begin: || prepared(""), live: give_codes, recover: takes_the_next_code };
    story.dies_everywhere();
}

/// What is played until the daemon dies, and what it is held to afterwards.
#[derive(Clone, Copy)]
struct Story {
    /// How the names of the fail points begin that it has to come by.
    rooms: &'static [&'static str],
    begin: fn() -> Product,
    /// `None` where the daemon died.
    live: fn(&mut Product) -> Option<()>,
    recover: fn(&mut Product, &str),
}

impl Story {
    /// Plays it once to see what it comes by, then once for each of these.
    fn dies_everywhere(self) {
        let met = self.comes_by();
        let known: BTreeSet<_> = failpoints::names().into_iter().filter(|name| self.is_its(name)).collect();
        let missed: Vec<_> = known.iter().filter(|name| !met.contains_key(*name)).collect();
        assert_eq!(missed, [] as [&String; 0], "the story does not come by");
        let times = met.iter().flat_map(|(name, times)| (1..=*times).map(move |time| format!("{name}@{time}")));
        let crashes: Mutex<Vec<String>> = Mutex::new(times.collect());
        std::thread::scope(|scope| {
            for _ in 0..WORKERS {
                scope.spawn(|| {
                    loop {
                        let Some(failpoint) = crashes.lock().unwrap().pop() else { return };
                        self.dies_at(&failpoint);
                    }
                });
            }
        });
        eprintln!("{} crashes: {met:?}", met.values().sum::<u64>());
    }

    fn is_its(self, name: &str) -> bool {
        self.rooms.iter().any(|room| name.starts_with(room))
    }

    fn comes_by(self) -> BTreeMap<String, u64> {
        let mut product = self.armed("trace");
        assert!((self.live)(&mut product).is_some(), "{}", product.daemon_log());
        assert_eq!(product.daemon_ends(), 0);
        let mut met = failpoints::reached(&product.daemon_log());
        met.retain(|name, _| self.is_its(name));
        met
    }

    fn dies_at(self, failpoint: &str) {
        let mut product = self.armed(failpoint);
        assert!((self.live)(&mut product).is_none(), "{failpoint}: nothing died");
        assert_eq!(product.daemon_ends(), 137, "{failpoint}: {}", product.daemon_log());
        product.environment.retain(|(name, _)| name != "TEGATA_FAILPOINT");
        product.daemon_binary = program("tegatad");
        (self.recover)(&mut product, failpoint);
        // A copied program has symbols of that name.
        let canaries = product.canaries();
        let places = [".aws", ".local/state"].map(|place| canaries.find_under(&product.path(place))).concat();
        let log = canaries.find_in("the log", product.daemon_log().as_bytes());
        tegata_tests::canaries::assert_none(&[places, log].concat());
    }

    fn armed(self, failpoint: &str) -> Product {
        let mut product = (self.begin)();
        product.never_start_a_daemon();
        product.daemon_binary = program("tegatad-failpoints");
        product.environment.push((String::from("TEGATA_FAILPOINT"), failpoint.to_owned()));
        product.spawn_daemon();
        wait_until("the daemon listens", || product.daemon_is_gone() || UnixStream::connect(product.socket()).is_ok());
        product
    }
}

/// A key is imported, IAM makes another and nobody hears of it, the key is turned over, the old one deleted.
fn turn_over(product: &mut Product) -> Option<()> {
    went_on(product, &["keys", "import", "--yes", "dev"])?;
    product.sandbox().fault(Fault::on(Operation::CreateAccessKey, Effect::LoseAnswer).times(1));
    let lost = product.run(&["keys", "rotate", "dev"]);
    if product.daemon_is_gone() || lost.code == 16 {
        wait_until("the daemon is gone", || product.daemon_is_gone());
        return None;
    }
    assert_eq!(lost.code, 14, "{lost:?}");
    went_on(product, &["keys", "rotate", "dev"])?;
    went_on(product, &["keys", "rotate", "--finish", "dev"])?;
    went_on(product, &["daemon", "stop"])
}

fn went_on(product: &mut Product, arguments: &[&str]) -> Option<()> {
    let ended = product.run(arguments);
    is_alive_after(product, &ended)
}

fn is_alive_after(product: &mut Product, ended: &Ended) -> Option<()> {
    if ended.code == 0 {
        return Some(());
    }
    wait_until(&format!("the daemon is gone after {ended:?}"), || product.daemon_is_gone());
    None
}

/// Holds an unarmed daemon to what it owes over what the dead one left.
fn ends_with_one_key(product: &mut Product, failpoint: &str) {
    let plaintext = fs::read_to_string(credentials_file(product)).unwrap();
    let secret_in_file = plaintext.lines().find_map(|line| line.strip_prefix("aws_secret_access_key = "));
    let id_in_file = plaintext.lines().find_map(|line| line.strip_prefix("aws_access_key_id = "));
    let kept = key_in_store(product);
    let context =
        format!("{failpoint}, in the file: {id_in_file:?}, in the store: {kept:?}, at IAM: {:?}", alice(product).keys);
    // Whoever has the store, or the file as long as the key is there, can sign: before anybody resumes.
    match (&kept, id_in_file.zip(secret_in_file)) {
        (Some(key), in_file) => {
            assert!(works(product, key.id.as_str(), key.secret.expose_secret()), "the key in the store: {context}");
            assert!(in_file.is_none_or(|(id, secret)| works(product, id, secret)), "the plaintext: {context}");
        }
        (None, Some((id, secret))) => assert!(works(product, id, secret), "the plaintext: {context}"),
        (None, None) => panic!("no key: {context}"),
    }
    product.start_daemon();
    let resumes = |arguments: &[&str]| {
        let ended = product.run(arguments);
        assert_eq!(ended.code, 0, "{ended:?}; {context}\n{}", product.daemon_log());
        ended
    };
    if id_in_file.is_some() {
        let _ = resumes(&["keys", "import", "--yes", "dev"]);
    }
    assert_eq!(product.credentials("dev").code, 0, "{context}");
    // The answer that was to be lost before the crash is lost now, where nobody had asked yet: asking again goes on.
    let first = product.run(&["keys", "rotate", "dev"]);
    assert!(first.code == 0 || first.code == 14, "{first:?}; {context}\n{}", product.daemon_log());
    if first.code == 14 {
        assert!(first.stderr.contains("AWS did not answer CreateAccessKey"), "{first:?}; {context}");
        let _ = resumes(&["keys", "rotate", "dev"]);
    }
    let _ = resumes(&["keys", "rotate", "--finish", "dev"]);
    let at_iam = alice(product).keys;
    assert!(at_iam.len() == 1 && at_iam[0].active, "exactly one: {at_iam:?}; {context}");
    let report = resumes(&["keys", "report"]).stdout;
    assert!(report.contains("in the keyring"), "the one is ours: {report}; {context}");
    product.kill_daemon();
    let key = key_in_store(product).expect("there is a key");
    assert!(
        key.id.as_str() == at_iam[0].id && works(product, key.id.as_str(), key.secret.expose_secret()),
        "{context}"
    );
}

/// The key in use, as the files of the store have it while no daemon runs.
fn key_in_store(product: &Product) -> Option<AccessKey> {
    let key = FileKey::KeyFile(product.path("credentials/key"));
    let found = Files::new(product.state_dir().join("secrets"), key).read(&IamUserRecord::key(ALICE)).unwrap()?;
    IamUserRecord::from_bytes(ALICE, &found).unwrap().in_use().cloned()
}

fn works(product: &Product, id: &str, secret: &str) -> bool {
    let key = json!({ "AccessKeyId": id, "SecretAccessKey": secret });
    caller_identity(&product.sandbox().url(), &key).is_ok_and(|arn| arn == ALICE)
}

/// A seed is kept and its code buys a session; then both are forgotten, and a person's code buys another.
fn give_codes(product: &mut Product) -> Option<()> {
    let seed = product.sandbox().iam_users()[0].devices[0].seed.clone();
    let added = typed(product, &["totp", "add", "mfa"], &seed);
    is_alive_after(product, &added)?;
    let served = product.credentials("mfa");
    is_alive_after(product, &served)?;
    went_on(product, &["logout", "mfa"])?;
    went_on(product, &["totp", "remove", "mfa"])?;
    let given = log_in_with_the_next_code(product);
    is_alive_after(product, &given)?;
    went_on(product, &["daemon", "stop"])
}

fn takes_the_next_code(product: &mut Product, failpoint: &str) {
    product.start_daemon();
    let listed = product.run(&["totp", "list"]);
    assert_eq!(listed.code, 0, "{failpoint}: {listed:?}");
    if failpoint == "codes.seed-kept@1" {
        assert!(listed.stdout.contains("seed in the keyring"), "{failpoint}: {listed:?}");
        assert_eq!(product.credentials("mfa").code, 0, "{failpoint}: none of its codes was sent");
    }
    if listed.stdout.contains("seed in the keyring") {
        assert_eq!(product.run(&["totp", "remove", "mfa"]).code, 0, "{failpoint}");
    }
    assert_eq!(product.run(&["logout", "mfa"]).code, 0, "{failpoint}");
    assert_eq!(product.credentials("mfa").code, 10, "{failpoint}");
    let given = log_in_with_the_next_code(product);
    assert_eq!(given.code, 0, "{failpoint}: {given:?}\n{}", product.daemon_log());
    assert_eq!(product.credentials("mfa").code, 0, "{failpoint}");
}

/// Half a minute later at AWS, where the device shows a code that was not sent yet.
fn log_in_with_the_next_code(product: &Product) -> Ended {
    product.sandbox().move_clock(30_000);
    let code = product.sandbox().mfa_code(PHONE).unwrap();
    typed(product, &["login", "mfa"], &code)
}

fn typed(product: &Product, arguments: &[&str], line: &str) -> Ended {
    let mut command = product.tegata(arguments);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // The daemon may be gone before it is read.
    let _ = child.stdin.take().unwrap().write_all(format!("{line}\n").as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let code = output.status.code().unwrap();
    let ended = Ended { code, stdout: text(&output.stdout), stderr: text(&output.stderr) };
    product.heard(arguments, &ended);
    ended
}
