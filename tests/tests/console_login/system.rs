//! With what `make test` installs: a daemon that dies at every fail point of a console login, and clients that nobody here wrote across
//! several lives of its credentials.

use super::{ALICE, LOG_IN, exchanges, log_in, machine, signed_in};
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::net::UnixStream;
use std::sync::Mutex;
use std::time::Duration;
use tegata_sandbox::Operation;
use tegata_tests::iam_user::section;
use tegata_tests::keyring::{Around, PrivateKeyring};
use tegata_tests::product::{Ended, Product, wait_until};
use tegata_tests::sdk::{Called, Client, Kind, key_of, outlive_the_last_key};
use tegata_tests::{failpoints, program};

/// How many daemons die at the same time.
const WORKERS: usize = 4;
/// A life of credentials that a test can outlast. The daemon hands out at least a third of it.
const SHORT: Duration = Duration::from_secs(9);

#[test]
fn a_crash_anywhere_leaves_a_login_that_works_or_one_command() {
    let wanted = |name: &String| name.starts_with("login.") || name.starts_with("store.write.");
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
    assert!(reached.len() >= 7 && missed.is_empty(), "the story does not come by: {reached:?}");
}

/// Plays the story, armed, and what comes after. Returns whether the daemon died.
fn crash(failpoint: &str) -> bool {
    let mut product = Product::new();
    product.store_in_files();
    product.never_start_a_daemon();
    product.write_aws_config(&section("me", &format!("tegata_login_session = {ALICE}")));
    product.daemon_binary = program("tegatad-failpoints");
    product.environment.push((String::from("TEGATA_FAILPOINT"), failpoint.to_owned()));
    product.spawn_daemon();
    let survived = live(&mut product).is_some();
    match (product.daemon_ends(), survived) {
        (0, true) => false,
        (137, _) => {
            product.environment.retain(|(name, _)| name != "TEGATA_FAILPOINT");
            product.daemon_binary = program("tegatad");
            recover(&mut product, failpoint);
            true
        }
        ended => panic!("{failpoint}: {ended:?}: {}", product.daemon_log()),
    }
}

/// The story; `None` where the daemon died.
fn live(product: &mut Product) -> Option<()> {
    wait_until("the daemon listens", || product.daemon_is_gone() || UnixStream::connect(product.socket()).is_ok());
    let ended = product.sign_in_with(&LOG_IN);
    went_on(product, &ended)?;
    for arguments in [
        &["credential-process", "--profile", "me"][..],
        &["lock"],
        &["unlock"],
        &["credential-process", "--profile", "me"],
        &["daemon", "stop"],
    ] {
        let ended = product.run(arguments);
        went_on(product, &ended)?;
    }
    Some(())
}

fn went_on(product: &mut Product, ended: &Ended) -> Option<()> {
    if ended.code == 0 {
        return Some(());
    }
    wait_until(&format!("the daemon is gone after {ended:?}"), || product.daemon_is_gone());
    None
}

/// Holds an unarmed daemon to what it owes over what the dead one left.
fn recover(product: &mut Product, failpoint: &str) {
    let spent = product.sandbox().calls(Operation::CreateOAuth2TokenRefreshToken) > 0;
    let signed_in = product.audit().iter().any(|record| record["event"] == "console_login_finished");
    let context = format!("{failpoint}, spent: {spent}, signed in: {signed_in}");
    product.start_daemon();
    let mut ended = product.credentials("me");
    if ended.code == 12 {
        assert_eq!(product.run(&["unlock"]).code, 0, "{context}");
        ended = product.credentials("me");
    }
    let asks = ended.code == 10
        && ended.stdout.is_empty()
        && ended.stderr.starts_with(&format!("tegata: {ALICE} has "))
        && ended.stderr.ends_with("; run: tegata login --console me\n")
        && ended.stderr.lines().count() == 1;
    assert!(ended.code == 0 || asks, "{ended:?}; {context}");
    if signed_in && !spent {
        assert_eq!(ended.code, 0, "the login was lost: {ended:?}; {context}");
    }
    // Asking again costs AWS nothing that is known to be dead.
    let tried = product.sandbox().calls(Operation::CreateOAuth2TokenRefreshToken);
    assert_eq!(product.credentials("me").code, ended.code, "{context}");
    assert_eq!(product.sandbox().calls(Operation::CreateOAuth2TokenRefreshToken), tried, "{context}");
    if asks {
        log_in(product);
        assert_eq!(product.credentials("me").code, 0, "{context}");
    }
}

#[test]
fn a_keyring_that_is_locked_spends_no_token_and_goes_on_once_it_is_open() {
    let keyring = PrivateKeyring::start(Around::Nothing);
    let mut product = Product::new();
    product.write_settings("store = \"secret-service\"\n");
    product.environment.push((String::from("DBUS_SESSION_BUS_ADDRESS"), keyring.address()));
    product.start_daemon();
    log_in(&product);
    product.kill_daemon();
    keyring.lock();
    product.start_daemon();
    let ended = product.credentials("me");
    assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.lines().count()), (15, "", 1), "{ended:?}");
    assert_eq!(product.sandbox().calls(Operation::CreateOAuth2TokenRefreshToken), 0);
    keyring.unlock();
    wait_until("it is served", || product.credentials("me").code == 0);
    assert_eq!(product.sandbox().logins()[0].renewals, 1);
    product.assert_no_canaries();
}

const CLIENTS: [Kind; 3] = [Kind::AwsCliV2, Kind::Boto3, Kind::JsFromProcess];

/// Has every client make a call, which has to be alice's.
fn all_call(clients: &mut [Client]) {
    for client in clients {
        assert_eq!(client.call(), Called::Arn(ALICE.to_owned()));
    }
}

fn keys_signed_with(product: &Product) -> BTreeSet<String> {
    let calls = product.sandbox().requests_of(Operation::GetCallerIdentity);
    assert!(calls.iter().all(|call| call.status == Some(200)), "{calls:?}");
    calls.iter().map(key_of).collect()
}

/// Fifteen minutes are within the window in which botocore asks before every call.
#[test]
fn clients_that_ask_before_every_call_cost_aws_nothing() {
    let product = signed_in();
    let mut clients = CLIENTS.map(|kind| Client::as_profile(kind, "me", &product));
    for _ in 0..3 {
        all_call(&mut clients);
    }
    assert_eq!((keys_signed_with(&product).len(), exchanges(&product)), (1, 1));
    let released = product.audit().into_iter().filter(|record| record["event"] == "released").count();
    assert!(released >= 6, "the AWS CLI and boto3 ask each time: {released}");
    product.assert_no_canaries();
}

#[test]
fn clients_live_on_over_renewals_and_their_users_read_the_command_once_it_is_over() {
    let product = machine();
    product.sandbox().configure(|settings| settings.console_login.credentials = SHORT);
    log_in(&product);
    let mut clients = CLIENTS.map(|kind| Client::as_profile(kind, "me", &product));
    all_call(&mut clients);
    outlive_the_last_key(&product);
    all_call(&mut clients);
    let keys = keys_signed_with(&product);
    assert!(keys.len() >= 2, "an expiry needs two keys: {keys:?}");
    assert_eq!(product.sandbox().logins().len(), 1, "one person, once");
    product.sandbox().end_logins();
    let line = "has to sign in to the console again (the password was changed (The credentials of the user have changed)); \
                run: tegata login --console me";
    let sandbox = product.sandbox();
    wait_until("the last credentials have ended", || {
        sandbox.issued_credentials().iter().all(|issued| sandbox.now_ms() >= issued.expires_ms)
    });
    for (kind, client) in CLIENTS.into_iter().zip(&mut clients) {
        match client.call() {
            Called::Error(said) => assert!(said.contains(line), "{kind:?}: {said}"),
            Called::Arn(arn) => panic!("{kind:?} is served as {arn}"),
        }
    }
    product.assert_no_canaries();
}
