//! `tegata prompt` and completion: what a shell asks before every prompt and at every Tab wakes nobody, and nobody waits for it.

use std::fs;
use std::os::unix::net::UnixListener;
use tegata_tests::product::{Ended, Product, run};

fn prompt_of(product: &Product, profile: &str) -> Ended {
    let ended = run(product.tegata(&["prompt"]).env("AWS_PROFILE", profile));
    product.heard(&["prompt"], &ended);
    ended
}

fn completed(product: &Product, words: &[&str]) -> String {
    let ended = product.run(&[&["shell-hook", "complete", "--shell", "fish", "--"], words].concat());
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{ended:?}");
    ended.stdout
}

#[test]
fn the_prompt_shows_what_is_left_and_asks_aws_nothing() {
    let mut product = Product::new();
    product.start_daemon();
    assert_eq!(prompt_of(&product, "dev").stdout, "dev\n");
    product.sign_in();
    assert_eq!(product.credentials("dev").code, 0);
    let before = product.sandbox().requests().len();
    let shown = prompt_of(&product, "dev");
    assert!(shown.stdout.starts_with("dev ") && shown.stdout.ends_with("m\n"), "{shown:?}");
    assert_eq!(prompt_of(&product, "admin").stdout, "admin\n", "nothing of it is in memory");
    assert_eq!(
        completed(&product, &["tegata", "elevate", ""]),
        "dev\tReadOnly in 123456789012\nadmin\tAdmin in 123456789012\n"
    );
    assert_eq!(product.sandbox().requests().len(), before, "AWS was asked");
    assert_eq!(product.run(&["lock"]).code, 0);
    assert_eq!(prompt_of(&product, "dev").stdout, "dev locked\n");
    product.assert_no_canaries();
}

#[test]
fn the_prompt_shows_a_gate_and_a_grant() {
    let mut product = Product::new();
    product.write_settings("store = \"memory\"\n[[rule]]\nrole = \"Admin\"\ngate = \"passkey\"\nscope = \"user\"\n");
    product.start_daemon();
    product.sign_in();
    let mut hand = product.enrol("ann", None);
    assert_eq!(product.credentials("dev").code, 0, "what decides has been read");
    assert_eq!(prompt_of(&product, "admin").stdout, "admin gated\n");
    product.elevate(&mut hand, &serde_json::json!({"profile": "admin", "holder": "user", "seconds": 600}));
    let shown = prompt_of(&product, "admin").stdout;
    assert!(["admin elevated 10m\n", "admin elevated 9m\n"].contains(&shown.as_str()), "{shown}");
    assert_eq!(product.run(&["drop", "admin"]).code, 0);
    assert_eq!(prompt_of(&product, "admin").stdout, "admin gated\n");
    let records = product.audit();
    assert!(!records.iter().any(|record| record["event"] == "refused"), "a prompt was taken for a tool: {records:?}");
}

#[test]
fn without_a_daemon_the_name_has_to_do_and_none_is_started() {
    let product = Product::new();
    let ended = prompt_of(&product, "dev");
    assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.as_str()), (0, "dev\n", ""));
    assert!(!product.socket().exists(), "a daemon was started");
    let none = product.run(&["prompt"]);
    assert_eq!((none.code, none.stdout.as_str(), none.stderr.as_str()), (0, "", ""));
}

#[test]
fn a_daemon_that_does_not_answer_and_one_of_another_kind_cost_the_time_and_nothing_else() {
    let product = Product::new();
    fs::create_dir_all(product.socket().parent().unwrap()).unwrap();
    let listener = UnixListener::bind(product.socket()).unwrap();
    let ended = prompt_of(&product, "dev");
    assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.as_str()), (0, "dev\n", ""));
    drop(listener);
    let unknown = prompt_of(&product, "nobody\u{1b}[2J");
    assert_eq!(unknown.stdout, "nobody\\u{1b}[2J\n");
}

#[test]
fn completion_says_nothing_where_nothing_can_be_known() {
    let mut product = Product::new();
    product.never_start_a_daemon();
    assert_eq!(completed(&product, &["tg", ""]), "");
    assert_eq!(
        completed(&product, &["tegata", "stat"]),
        "status\tShow the sign-in sessions, the store and the daemon, the grants and what waits for a hand\n"
    );
    product.write_aws_config("[profile \n\u{1b}[2J");
    product.start_daemon();
    assert_eq!(completed(&product, &["tg", ""]), "");
}

/// The store is asked once somebody wants credentials, and may then ask its person to unlock it. A prompt and a Tab do not.
#[cfg(feature = "system")]
#[test]
fn neither_prompt_nor_completion_nor_a_directory_says_a_word_to_the_keyring() {
    use tegata_tests::bus_monitor::{BusMonitor, contains};
    use tegata_tests::keyring::{Around, PrivateKeyring};

    let keyring = PrivateKeyring::start(Around::Nothing);
    let mut product = Product::new();
    product.environment.push((String::from("DBUS_SESSION_BUS_ADDRESS"), keyring.address()));
    product.write_settings("store = \"secret-service\"\n");
    product.start_daemon();
    product.sign_in();
    product.kill_daemon();
    fs::write(product.path(".tegata"), "dev\n").unwrap();
    assert_eq!(product.run(&["trust"]).code, 0);
    product.start_daemon();
    let monitor = BusMonitor::on(&keyring);
    // What the daemon listens for as it starts, such as a locked screen, is another matter.
    let said = || monitor.heard().iter().filter(|(_, bytes)| contains(bytes, "org.freedesktop.Secret")).count();
    assert_eq!(prompt_of(&product, "dev").stdout, "dev\n");
    assert!(completed(&product, &["tg", "d"]).starts_with("dev\t"));
    assert!(completed(&product, &["tegata", "login", ""]).starts_with("corp\t"));
    let entered =
        product.run(&["shell-hook", "directory", "--shell", "bash", product.path(".tegata").to_str().unwrap()]);
    assert!(
        entered.stdout.contains("export AWS_PROFILE='dev'\n") && entered.stdout.contains("us-east-1"),
        "{entered:?}"
    );
    assert_eq!(said(), 0, "something was said to the keyring");
    assert_eq!(product.credentials("dev").code, 0);
    assert!(said() > 0, "the monitor hears nothing");
}
