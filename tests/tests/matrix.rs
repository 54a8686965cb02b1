//! Every client on every route: served, after a restart of the daemon, across five expiries, and with an ended sign-in. The
//! sandbox verifies every signature. All clients of a route are at work at the same time, each in a home of its own.
#![cfg(feature = "system")]

use std::time::Duration;
use tegata_sandbox::Operation;
use tegata_tests::product::{Product, wait_until};
use tegata_tests::sdk::{Called, Client, Kind, Route, key_of, outlive_the_last_key};

/// A life of role credentials that is outlasted five times; a third of it is left whenever they are handed out.
const LIFE: Duration = Duration::from_secs(9);

/// What our one line is when the sign-in has ended.
const MENDS: &str = "tegata: sign-in session corp has ended; run: tegata login corp";

const ALL: [Kind; 7] =
    [Kind::AwsCliV2, Kind::AwsCliV1, Kind::Boto3, Kind::JsDefaultChain, Kind::RustSdk, Kind::GoSdk, Kind::JavaSdk];

/// A life that two calls and a restart of the daemon fit into, since nothing renews variables.
const LAST: Duration = Duration::from_secs(25);

fn signed_in(life: Duration) -> Product {
    let mut product = Product::new();
    product.sandbox().configure(|settings| settings.lifetimes.role_credentials = Some(life));
    product.store_in_files();
    product.start_daemon();
    product.sign_in();
    product
}

/// Lets clients go through a story, all at the same time, and says which did not come through.
fn each_of(kinds: impl IntoIterator<Item = Kind>, story: fn(Kind)) {
    let lost: Vec<_> = std::thread::scope(|scope| {
        let told: Vec<_> = kinds.into_iter().map(|kind| (kind, scope.spawn(move || story(kind)))).collect();
        told.into_iter().filter_map(|(kind, told)| told.join().is_err().then_some(kind)).collect()
    });
    assert!(lost.is_empty(), "{lost:?}");
}

/// Goes through the four with one client.
fn goes_through_the_four(kind: Kind, route: Route, shows: fn(Kind, &str)) -> Product {
    let mut product = signed_in(LIFE);
    let mut client = Client::start(kind, route, &product);
    client.succeeds();
    product.kill_daemon();
    product.start_daemon();
    client.succeeds();
    for _ in 0..5 {
        outlive_the_last_key(&product);
        client.succeeds();
    }
    let calls = product.sandbox().requests_of(Operation::GetCallerIdentity);
    assert!(calls.iter().all(|call| call.status == Some(200)), "{kind:?}: {calls:?}");
    let mut keys: Vec<String> = calls.iter().map(key_of).collect();
    keys.dedup();
    assert!(keys.len() >= 6, "{kind:?}: five expiries need six keys, not {keys:?}");
    is_told_of_an_ended_sign_in(kind, &product, &mut client, shows);
    product.assert_no_canaries();
    product
}

fn is_told_of_an_ended_sign_in(kind: Kind, product: &Product, client: &mut Client, shows: fn(Kind, &str)) {
    let sandbox = product.sandbox();
    sandbox.end_sign_in_sessions();
    wait_until("all credentials have ended", || {
        sandbox.issued_credentials().iter().all(|issued| sandbox.now_ms() >= issued.expires_ms)
    });
    match client.call() {
        Called::Error(error) => shows(kind, &error),
        Called::Arn(arn) => panic!("{kind:?} is served as {arn}"),
    }
    product.sign_in();
    client.succeeds();
}

#[test]
fn credential_process() {
    let kinds = ALL.into_iter().chain([Kind::JsFromProcess]);
    each_of(kinds, |kind| {
        let product = goes_through_the_four(kind, Route::CredentialProcess, shown_of_the_process);
        let refused = product.audit().iter().filter(|record| record["event"] == "refused").count();
        assert_eq!(refused, attempts_at_a_call(kind), "{kind:?}");
    });
}

#[test]
fn the_endpoint_of_exec() {
    each_of(ALL, |kind| drop(goes_through_the_four(kind, Route::Exec, shown_of_the_endpoint)));
}

/// Variables are what they are: they outlive the daemon and end with their credentials, and none are had without a sign-in.
#[test]
fn the_variables_of_exec() {
    each_of(ALL, |kind| {
        let mut product = signed_in(LAST);
        let mut client = Client::start(kind, Route::ExecEnv, &product);
        client.succeeds();
        product.kill_daemon();
        client.succeeds();
        product.start_daemon();
        client.succeeds();
        outlive_the_last_key(&product);
        match client.call() {
            Called::Error(error) => assert!(error.to_lowercase().contains("expired"), "{kind:?}: {error}"),
            Called::Arn(arn) => panic!("{kind:?} is served as {arn}"),
        }
        product.sandbox().end_sign_in_sessions();
        let ended = product.run(&["exec", "dev", "--env", "--", "touch", "started"]);
        assert_eq!((ended.code, ended.stderr.trim()), (10, MENDS), "{ended:?}");
    });
}

/// How often a client runs the program before it gives a call up.
fn attempts_at_a_call(kind: Kind) -> usize {
    match kind {
        // Once for the profile's turn in the chain, once for the turn of processes.
        Kind::JsDefaultChain => 2,
        _ => 1,
    }
}

/// What a client's user sees of our line when it ran the program itself.
fn shown_of_the_process(kind: Kind, error: &str) {
    match kind {
        // It leaves our line on the terminal and says itself only how the program ended.
        Kind::GoSdk => assert!(error.ends_with("error in credential_process: exit status 10"), "{error}"),
        // It tries the next source of its chain and forgets what this one said.
        Kind::JsDefaultChain => assert!(error.contains("Could not load credentials from any providers"), "{error}"),
        _ => assert!(error.contains(MENDS), "{kind:?}: {error}"),
    }
}

/// What a client's user sees of our line when the endpoint said it.
fn shown_of_the_endpoint(kind: Kind, error: &str) {
    match kind {
        Kind::JsDefaultChain => assert!(error.contains("Could not load credentials from any providers"), "{error}"),
        // It drops the body of an answer that is no success.
        Kind::RustSdk => assert!(error.contains("StatusCode(403)"), "{error}"),
        _ => assert!(error.contains(MENDS), "{kind:?}: {error}"),
    }
}
