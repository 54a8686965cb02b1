//! What a tool gets while it cannot be given anything new: a person is signing in, the sign-in is over, AWS is down.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::time::Duration;
use tegata_sandbox::{Effect, Fault, Operation};
use tegata_tests::browser;
use tegata_tests::crowd::Crowd;
use tegata_tests::product::{Ended, Product, run, wait_until};

const DEV: [&str; 3] = ["credential-process", "--profile", "dev"];

/// A life of role credentials that a test can outlast.
const SHORT: Duration = Duration::from_secs(9);

/// The daemon holds what has less than a third of its life left for aging, and asks AWS for newer.
const AGING_MS: i64 = 2_500;

fn started() -> Product {
    let mut product = Product::new();
    product.start_daemon();
    product
}

fn with_short_credentials() -> (Product, String) {
    let product = started();
    product.sandbox().configure(|settings| settings.lifetimes.role_credentials = Some(SHORT));
    product.sign_in();
    let key = key_of(&product.credentials("dev"));
    (product, key)
}

fn key_of(ended: &Ended) -> String {
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{ended:?}");
    let json: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    json["AccessKeyId"].as_str().unwrap().to_owned()
}

fn expiry_of(product: &Product, key: &str) -> i64 {
    let issued = product.sandbox().issued_credentials();
    issued.iter().find(|issued| issued.access_key_id == key).unwrap().expires_ms
}

/// A person who has begun to sign in and has not opened the page yet.
fn begin_sign_in(product: &Product) -> (Child, String) {
    let mut login = product.tegata(&["login", "corp", "--print"]);
    let mut login = login.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut page = String::new();
    BufReader::new(login.stdout.take().unwrap()).read_line(&mut page).unwrap();
    (login, page.trim().to_owned())
}

/// The person presses Ctrl-C.
fn interrupt(login: &mut Child) {
    let pid = rustix::process::Pid::from_child(login);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    assert!(!login.wait().unwrap().success());
}

#[test]
fn tools_that_come_while_a_person_signs_in_wait_and_are_served() {
    let product = started();
    let (mut login, page) = begin_sign_in(&product);
    let crowd = Crowd::gather(&product, 20, &DEV);
    crowd.is_connected(&product);
    assert_eq!(browser::visit(&page).status, 200);
    let keys: Vec<String> = crowd.ends().iter().map(key_of).collect();
    assert!(keys.len() == 20 && keys.iter().all(|key| *key == keys[0]), "{keys:?}");
    assert!(login.wait().unwrap().success());
    assert_eq!(product.sandbox().calls(Operation::Authorize), 1);
    assert_eq!(product.sandbox().calls(Operation::GetRoleCredentials), 1);
}

#[test]
fn a_tool_that_says_so_waits_for_a_person_and_one_that_does_not_is_told_at_once() {
    let product = started();
    let patient = Crowd::gather(&product, 1, &["credential-process", "--profile", "dev", "--wait", "120"]);
    patient.is_connected(&product);
    assert_eq!(product.credentials("dev").code, 10);
    product.sign_in();
    key_of(&patient.ends()[0]);
}

#[test]
fn a_tool_whose_wait_is_over_is_told_what_it_waited_for() {
    let product = started();
    let ended = product.run(&["credential-process", "--profile", "dev", "--wait", "1"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (10, ""));
    assert_eq!(ended.stderr, "tegata: sign-in session corp has not been signed in to; run: tegata login corp\n");
}

#[test]
fn a_cancelled_sign_in_leaves_the_next_tool_nothing_to_wait_for() {
    let product = started();
    let (mut login, _) = begin_sign_in(&product);
    interrupt(&mut login);
    assert_eq!(product.credentials("dev").code, 10);
    assert_eq!(product.sandbox().calls(Operation::Authorize), 0);
}

#[test]
fn tools_that_wait_for_a_person_are_told_when_that_person_cancels() {
    let product = started();
    let patient = [&DEV[..], &["--wait", "600"]].concat();
    for arguments in [&DEV[..], &patient] {
        let (mut login, _) = begin_sign_in(&product);
        let mut crowd = Crowd::gather(&product, 3, arguments);
        crowd.is_connected(&product);
        interrupt(&mut login);
        wait_until("everybody is told", || {
            // One whose request came in only after that person had gone waits for the next.
            crowd.is_over() || {
                interrupt(&mut begin_sign_in(&product).0);
                false
            }
        });
        for ended in crowd.ends() {
            assert_eq!((ended.code, ended.stdout.as_str()), (10, ""), "{ended:?}");
            let said = "tegata: sign-in session corp has not been signed in to; run: tegata login corp\n";
            assert_eq!(ended.stderr, said);
        }
    }
}

/// Lets something happen to AWS, and asserts that live credentials are served to their end, and that then the tool is
/// told why in one line.
fn live_credentials_are_served_to_their_end(happens: impl Fn(&Product), code: i32, said: &str) -> Product {
    let (product, key) = with_short_credentials();
    happens(&product);
    let (sandbox, ends) = (product.sandbox(), expiry_of(&product, &key));
    assert_eq!(key_of(&product.credentials("dev")), key);
    wait_until("the credentials are aging", || sandbox.now_ms() >= ends - AGING_MS);
    assert_eq!(key_of(&product.credentials("dev")), key);
    wait_until("the credentials have ended", || sandbox.now_ms() >= ends);
    let ended = product.credentials("dev");
    assert_eq!((ended.code, ended.stdout.as_str()), (code, ""), "{ended:?}");
    assert!(ended.stderr.starts_with("tegata: ") && ended.stderr.contains(said), "{ended:?}");
    assert_eq!(ended.stderr.lines().count(), 1, "{ended:?}");
    product
}

fn is_served_again_when_aws_is_back(product: &Product) {
    product.sandbox().clear_faults();
    wait_until("AWS is asked again", || product.credentials("dev").code == 0);
}

fn spoil(product: &Product, effect: Effect) {
    product.sandbox().fault(Fault::on(Operation::GetRoleCredentials, effect));
}

#[test]
fn live_credentials_are_served_though_the_sign_in_has_ended() {
    let ended = |product: &Product| product.sandbox().end_sign_in_sessions();
    live_credentials_are_served_to_their_end(ended, 10, "corp has ended; run: tegata login corp\n");
}

#[test]
fn live_credentials_are_served_though_aws_answers_500() {
    let broken = |product: &Product| {
        let (code, message) = ("InternalServerException".to_owned(), "oops".to_owned());
        spoil(product, Effect::Error { status: 500, code, message, retry_after: None });
    };
    let product = live_credentials_are_served_to_their_end(
        broken,
        14,
        "AWS did not answer GetRoleCredentials: a fault of its own (HTTP 500)\n",
    );
    is_served_again_when_aws_is_back(&product);
}

#[test]
fn live_credentials_are_served_though_aws_hangs() {
    let product = live_credentials_are_served_to_their_end(
        |product| spoil(product, Effect::Hang),
        14,
        "nothing usable within 12 s\n",
    );
    is_served_again_when_aws_is_back(&product);
}

#[test]
fn live_credentials_are_served_though_aws_sends_garbage() {
    let product = live_credentials_are_served_to_their_end(
        |product| spoil(product, Effect::Garbage),
        14,
        "an answer that cannot be read (HTTP 200)\n",
    );
    is_served_again_when_aws_is_back(&product);
}

#[test]
fn a_tool_may_not_wait_longer_than_ten_minutes() {
    let ended = run(&mut started().tegata(&["credential-process", "--profile", "dev", "--wait", "601"]));
    assert_eq!((ended.code, ended.stdout.as_str()), (2, ""));
}
