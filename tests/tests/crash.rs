//! The daemon ends at every fail point of its sources, at each time it comes by, while a person signs in, is served, locks
//! and signs out; then it is started again. Nothing that was kept is lost by that, and at most one `tegata login` mends it.
#![cfg(feature = "system")]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{DirBuilder, Permissions};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::time::{Duration, SystemTime};
use tegata_daemon::sign_in_sessions::record::{RolesRecord, SignInRecord};
use tegata_daemon::store::file::FileKey;
use tegata_daemon::store::{Choice, Key, Store, StoreError};
use tegata_sandbox::{Effect, Fault, Operation, RefreshReuse};
use tegata_tests::keyring::{Around, PrivateKeyring};
use tegata_tests::product::{Ended, Product, run, wait_until};
use tegata_tests::{failpoints, program};

/// How many daemons die at the same time.
const WORKERS: usize = 4;

/// The life of the first access token: short, so that the story meets a renewal.
const SHORT: Duration = Duration::from_secs(1);

#[test]
fn a_crash_anywhere_over_files_loses_nothing_where_aws_forgives_a_spent_token() {
    crash_everywhere(Place::Files, RefreshReuse::TolerantFor(Duration::from_secs(3600)));
}

#[test]
fn a_crash_anywhere_over_files_costs_at_most_a_sign_in_where_aws_does_not() {
    crash_everywhere(Place::Files, RefreshReuse::Strict);
}

#[test]
fn a_crash_anywhere_over_a_keyring_loses_nothing_where_aws_forgives_a_spent_token() {
    crash_everywhere(Place::Keyring, RefreshReuse::TolerantFor(Duration::from_secs(3600)));
}

#[test]
fn a_crash_anywhere_over_a_keyring_costs_at_most_a_sign_in_where_aws_does_not() {
    crash_everywhere(Place::Keyring, RefreshReuse::Strict);
}

#[test]
fn an_answer_lost_on_its_way_costs_a_sign_in_only_where_aws_forgives_nothing() {
    for (reuse, code) in [(RefreshReuse::Strict, 10), (RefreshReuse::TolerantFor(Duration::from_secs(3600)), 0)] {
        let mut world = World::over(Place::Files);
        let sandbox = world.product.sandbox();
        sandbox.configure(|settings| {
            settings.refresh_reuse = reuse;
            settings.lifetimes.access_token = SHORT;
        });
        sandbox.fault(Fault::on(Operation::CreateTokenRefreshToken, Effect::HangAfterwards).times(1));
        world.product.start_daemon();
        world.product.sign_in();
        let token_ends = world.product.sandbox().now_ms() + i64::try_from(SHORT.as_millis()).unwrap();
        assert_eq!(world.product.credentials("dev").code, 0);
        wait_until("AWS has rotated the token", || {
            world.product.sandbox().calls(Operation::CreateTokenRefreshToken) > 0 && world.at_rest().roles
        });
        world.product.kill_daemon();
        // Renewal comes ahead: until the old access token has ended, it is as good as a new one.
        wait_until("the access token has ended", || world.product.sandbox().now_ms() >= token_ends);
        world.product.start_daemon();
        assert_eq!(world.product.credentials("dev").code, 0, "live credentials go on");
        let admin = world.product.credentials("admin");
        assert_good_or_asks_for_a_sign_in(&admin, "the answer was lost");
        assert_eq!(admin.code, code, "{reuse:?}: {admin:?}");
        world.product.sign_in();
        assert_eq!(world.product.credentials("admin").code, 0);
    }
}

/// Which store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Files,
    Keyring,
}

/// Crashes at every fail point, each time that one life of the daemon comes by.
fn crash_everywhere(place: Place, reuse: RefreshReuse) {
    let met = comes_by(place, reuse);
    let times = met.iter().flat_map(|(name, times)| (1..=*times).map(move |time| format!("{name}@{time}")));
    let (crashes, died) = (Mutex::new(times.collect::<Vec<_>>()), Mutex::new(BTreeSet::new()));
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                loop {
                    let Some(failpoint) = crashes.lock().unwrap().pop() else { return };
                    // What happens in the background comes by once more or less.
                    if crash(&failpoint, place, reuse) {
                        died.lock().unwrap().insert(failpoint);
                    }
                }
            });
        }
    });
    let died = died.into_inner().unwrap();
    eprintln!("{place:?}, {reuse:?}: {} crashes of {met:?}", died.len());
    let names = failpoints::names().into_iter().filter(|name| place.has(name));
    let missed: Vec<_> = names.filter(|name| !died.contains(&format!("{name}@1"))).collect();
    assert_eq!(missed, [] as [String; 0], "the story does not come by");
}

/// Plays the story once to see how often it comes by which fail point.
fn comes_by(place: Place, reuse: RefreshReuse) -> BTreeMap<String, u64> {
    let mut world = World::armed(place, reuse, "trace");
    let lived = world.live(&mut Reached::default()).is_some();
    assert!(lived && world.product.daemon_ends() == 0, "{}", world.product.daemon_log());
    let mut met = failpoints::reached(&world.product.daemon_log());
    met.retain(|name, _| place.has(name));
    met
}

/// Plays the story, armed, and what comes after. Returns whether the daemon died.
fn crash(failpoint: &str, place: Place, reuse: RefreshReuse) -> bool {
    let mut world = World::armed(place, reuse, failpoint);
    let mut reached = Reached::default();
    let survived = world.live(&mut reached).is_some();
    match (world.product.daemon_ends(), survived) {
        (0, true) => false,
        (137, _) => {
            world.product.environment.retain(|(name, _)| name != "TEGATA_FAILPOINT");
            world.recover(&reached, reuse != RefreshReuse::Strict, failpoint);
            true
        }
        ended => panic!("{failpoint}: {ended:?}: {}", world.product.daemon_log()),
    }
}

impl Place {
    /// Whether a daemon over this store can come by a fail point. Those of the gate take a passkey: `gate_time.rs`; those of
    /// adoption a sign-in of another tool: `adopt_session.rs`; those of access keys and codes an IAM user: `keys_crash.rs`; those of a sign-in
    /// to the console: `console_login/system.rs`.
    fn has(self, failpoint: &str) -> bool {
        let elsewhere = match self {
            Self::Files => "store.item.",
            Self::Keyring => "store.file.",
        };
        let others = ["gate.", "reviews.", "adopt.", "keys.", "codes.", "login."];
        !failpoint.starts_with(elsewhere) && !others.iter().any(|other| failpoint.starts_with(other))
    }
}

/// A product whose store outlives its daemon.
struct World {
    product: Product,
    keyring: Option<PrivateKeyring>,
}

/// How far the story went before the daemon died.
#[derive(Debug, Default)]
struct Reached {
    signed_in: bool,
    lock_asked: bool,
    locked: bool,
    unlock_asked: bool,
    sign_out_asked: bool,
}

/// What lies in the store while nobody changes it.
#[derive(Debug)]
struct AtRest {
    renewed: bool,
    roles: bool,
}

impl World {
    fn over(place: Place) -> Self {
        let mut product = Product::new();
        let keyring = (place == Place::Keyring).then(|| PrivateKeyring::start(Around::Nothing));
        if let Some(keyring) = &keyring {
            product.write_settings("store = \"secret-service\"\n");
            product.environment.push((String::from("DBUS_SESSION_BUS_ADDRESS"), keyring.address()));
        } else {
            product.store_in_files();
        }
        // After a crash the test starts the daemon, nobody else.
        product.never_start_a_daemon();
        Self { product, keyring }
    }

    /// One whose daemon has been started and is to die there.
    fn armed(place: Place, reuse: RefreshReuse, failpoint: &str) -> Self {
        let mut world = Self::over(place);
        world.product.sandbox().configure(|settings| {
            settings.refresh_reuse = reuse;
            settings.lifetimes.access_token = SHORT;
        });
        world.tear_the_audit_log();
        world.product.daemon_binary = program("tegatad-failpoints");
        world.product.environment.push((String::from("TEGATA_FAILPOINT"), failpoint.to_owned()));
        world.product.spawn_daemon();
        world
    }

    /// The story; `None` where the daemon died.
    fn live(&mut self, reached: &mut Reached) -> Option<()> {
        self.until("the daemon listens", |world| UnixStream::connect(world.product.socket()).is_ok())?;
        let login = self.product.sign_in_with(&["login", "corp", "--print"]);
        self.went_on(&login)?;
        reached.signed_in = true;
        self.damage(&RolesRecord::key("corp"));
        let hour = Duration::from_secs(3600);
        self.product.sandbox().configure(|settings| settings.lifetimes.access_token = hour);
        self.run(&["credential-process", "--profile", "dev"])?;
        self.until("the tokens are renewed and all is kept", |world| {
            let at_rest = world.at_rest();
            at_rest.renewed && at_rest.roles
        })?;
        self.run(&["credential-process", "--profile", "admin"])?;
        reached.lock_asked = true;
        self.run(&["lock"])?;
        reached.locked = true;
        reached.unlock_asked = true;
        self.run(&["unlock"])?;
        self.run(&["credential-process", "--profile", "dev"])?;
        reached.sign_out_asked = true;
        self.run(&["logout", "corp"])?;
        self.run(&["daemon", "stop"])
    }

    fn run(&mut self, arguments: &[&str]) -> Option<()> {
        let ended = self.product.run(arguments);
        self.went_on(&ended)
    }

    /// Everything in the story works while the daemon lives.
    fn went_on(&mut self, ended: &Ended) -> Option<()> {
        if ended.code == 0 {
            return Some(());
        }
        wait_until(&format!("the daemon is gone after {ended:?}"), || self.product.daemon_is_gone());
        None
    }

    fn until(&mut self, what: &str, holds: impl Fn(&Self) -> bool) -> Option<()> {
        wait_until(what, || self.product.daemon_is_gone() || holds(self));
        (!self.product.daemon_is_gone()).then_some(())
    }

    /// Starts an unarmed daemon over what the dead one left, and holds it to what it owes.
    fn recover(&mut self, reached: &Reached, tolerant: bool, failpoint: &str) {
        let at_rest = self.at_rest();
        let product = &mut self.product;
        let spent = product.sandbox().calls(Operation::CreateTokenRefreshToken) > 0;
        let issued = product.sandbox().calls(Operation::GetRoleCredentials);
        let context = format!("{failpoint}, tolerant: {tolerant}, spent: {spent}, {reached:?}, {at_rest:?}");
        product.daemon_binary = program("tegatad");
        product.start_daemon();

        let mut dev = product.credentials("dev");
        assert!(!product.audit().is_empty(), "{context}");
        let lock_must_hold = reached.locked && !reached.unlock_asked;
        assert!(dev.code == 12 || !lock_must_hold, "unlocked by a restart: {dev:?}; {context}");
        assert!(dev.code != 12 || reached.lock_asked, "locked by nobody: {dev:?}; {context}");
        if dev.code == 12 {
            assert_eq!(product.run(&["unlock"]).code, 0, "{context}");
            dev = product.credentials("dev");
        }
        assert_good_or_asks_for_a_sign_in(&dev, &context);
        if at_rest.roles && !reached.lock_asked {
            let used = product.sandbox().calls(Operation::GetRoleCredentials) == issued;
            assert!(dev.code == 0 && used, "live credentials were lost: {dev:?}; {context}");
        }
        let admin = product.credentials("admin");
        assert_good_or_asks_for_a_sign_in(&admin, &context);
        if reached.signed_in && !reached.sign_out_asked && (tolerant || !spent || at_rest.renewed) {
            assert_eq!((dev.code, admin.code), (0, 0), "the sign-in was lost: {admin:?}; {context}");
        }
        if admin.code != 0 {
            product.sign_in();
        }
        for profile in ["dev", "admin"] {
            let served = product.credentials(profile);
            assert_eq!(served.code, 0, "{served:?}; {context}");
        }
    }

    fn at_rest(&self) -> AtRest {
        let sign_in = self.record(&SignInRecord::key("corp"));
        let sign_in = sign_in.and_then(|bytes| SignInRecord::from_bytes("corp", &bytes).ok());
        let soon = SystemTime::now() + Duration::from_secs(600);
        let renewed = sign_in.and_then(|record| record.tokens).is_some_and(|tokens| tokens.expires_at > soon);
        AtRest { renewed, roles: self.record(&RolesRecord::key("corp")).is_some() }
    }

    /// Reads a record without touching it: the store would set a damaged one aside.
    fn record(&self, key: &Key) -> Option<Vec<u8>> {
        match &self.keyring {
            Some(keyring) => {
                let mut look = keyring.command("secret-tool");
                let item = run(look.args(["lookup", "service", "tegata", "username", key.as_str()])).stdout;
                let (_head, record) = item.strip_prefix("tegata:1:")?.rsplit_once(':')?;
                Some(STANDARD_NO_PAD.decode(record).unwrap())
            }
            None => self.record_in_files(key),
        }
    }

    fn record_in_files(&self, key: &Key) -> Option<Vec<u8>> {
        let copy = tempfile::Builder::new().permissions(Permissions::from_mode(0o700)).tempdir().unwrap();
        for name in [String::from("parameters.json"), format!("{}.sealed", key.as_str())] {
            let _ = std::fs::copy(self.secrets().join(&name), copy.path().join(&name));
        }
        let key_file = FileKey::KeyFile(self.product.path("credentials/key"));
        let store = Store::open(Choice::File { directory: copy.path().to_owned(), key: key_file }, false).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        match runtime.block_on(store.read(key)) {
            Ok(found) => found.map(|bytes| bytes.to_vec()),
            Err(StoreError::Damaged { .. }) => None,
            Err(error) => panic!("{error}"),
        }
    }

    fn secrets(&self) -> std::path::PathBuf {
        self.product.state_dir().join("secrets")
    }

    /// Puts something in the record's place that is none.
    fn damage(&self, key: &Key) {
        let Some(keyring) = &self.keyring else { return self.damage_file(key) };
        let mut plant = Command::new("sh");
        let script = "printf garbage | secret-tool store --label=garbage service tegata username \"$1\"";
        plant.args(["-c", script, "plant", key.as_str()]).envs(keyring.environment());
        assert_eq!(run(&mut plant).code, 0);
    }

    fn damage_file(&self, key: &Key) {
        write_private(&self.secrets(), &format!("{}.sealed", key.as_str()), "garbage");
    }

    /// Leaves half a line at the end of this month's records, as a power cut does.
    fn tear_the_audit_log(&self) {
        let month = run(self.product.command("date").args(["-u", "+%Y-%m"]));
        write_private(&self.product.state_dir(), &format!("audit-{}.jsonl", month.stdout.trim()), r#"{"seq":1,"ti"#);
    }
}

fn assert_good_or_asks_for_a_sign_in(ended: &Ended, context: &str) {
    let asks = ["has ended", "has not been signed in to"]
        .map(|why| format!("tegata: sign-in session corp {why}; run: tegata login corp\n"));
    let fine = match ended.code {
        0 => ended.stderr.is_empty() && serde_json::from_str::<serde_json::Value>(&ended.stdout).is_ok(),
        10 => ended.stdout.is_empty() && asks.contains(&ended.stderr),
        _ => false,
    };
    assert!(fine, "{ended:?}; {context}");
}

fn write_private(directory: &Path, name: &str, text: &str) {
    DirBuilder::new().recursive(true).mode(0o700).create(directory).unwrap();
    std::fs::write(directory.join(name), text).unwrap();
    std::fs::set_permissions(directory.join(name), Permissions::from_mode(0o600)).unwrap();
}
