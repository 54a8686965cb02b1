//! An access key is moved out of the AWS files: proven, kept, served, and on no disk in plaintext any more. Whatever is wrong with it, the
//! files stay as they were.
#![cfg(feature = "system")]
#![allow(clippy::unwrap_used, reason = "this is a test")]

use serde_json::Value;
use std::fs;
use tegata_sandbox::Operation;
use tegata_tests::gated::records;
use tegata_tests::plaintext_key::{ALICE, alice, aws, credentials_file, is_alice, with_plaintext_key, write_plaintext};
use tegata_tests::product::{Ended, Product};

fn product() -> Product {
    let mut product = Product::new();
    product.store_in_files();
    product
}

fn import(product: &Product, more: &[&str]) -> Ended {
    product.run(&[&["keys", "import", "--yes", "dev"], more].concat())
}

fn config(product: &Product) -> String {
    fs::read_to_string(product.path(".aws/config")).unwrap()
}

#[test]
fn a_key_is_moved_and_aws_cli_goes_on() {
    let mut product = product();
    let key = with_plaintext_key(&product);
    assert!(is_alice(&product), "by the plaintext");
    product.start_daemon();
    let ended = import(&product, &[]);
    assert_eq!(ended.code, 0, "{ended:?}\n{}", product.daemon_log());
    assert!(
        ended.stdout.contains("Tegata serves dev now") && ended.stdout.contains("tegata keys rotate dev"),
        "{ended:?}"
    );
    assert_eq!(fs::read_to_string(credentials_file(&product)).unwrap(), "[dev]\n");
    let config = config(&product);
    assert!(config.contains(&format!("region = eu-west-1\noutput = json\ntegata_iam_user = {ALICE}\n")), "{config}");
    assert!(config.contains("credential-process --profile dev"), "{config}");
    assert!(is_alice(&product), "{:?}", aws(&product, &["sts", "get-caller-identity"]));
    let served: Value = serde_json::from_str(&product.credentials("dev").stdout).unwrap();
    assert!(served["AccessKeyId"].as_str().unwrap().starts_with("ASIA"), "a session, not the key");
    let imported = records(&product, "key_imported");
    assert_eq!((imported.len(), imported[0]["access_key"].as_str()), (1, key.id.get(16..)));
    product.assert_no_canaries();
    assert!(!product.daemon_log().contains(&key.id));
}

#[test]
fn a_trial_puts_the_plaintext_aside_until_it_is_finished() {
    let mut product = product();
    let key = with_plaintext_key(&product);
    product.start_daemon();
    assert_eq!(import(&product, &["--trial", "7d"]).code, 0);
    let text = fs::read_to_string(credentials_file(&product)).unwrap();
    assert!(text.contains(&format!("tegata_trial_aws_secret_access_key = {}", key.secret)), "{text}");
    assert!(is_alice(&product), "served by Tegata, for no client reads the rest");
    assert!(product.sandbox().calls(Operation::GetSessionToken) > 0);
    let status = product.run(&["status"]);
    assert!(status.stdout.contains("tegata keys import --finish dev"), "{status:?}");
    assert!(product.run(&["doctor"]).stdout.contains("tegata keys import --finish dev"));
    let finished = product.run(&["keys", "import", "--yes", "--finish", "dev"]);
    assert_eq!(finished.code, 0, "{finished:?}");
    assert_eq!(fs::read_to_string(credentials_file(&product)).unwrap(), "[dev]\n");
    assert!(is_alice(&product) && !product.run(&["status"]).stdout.contains("--finish"));
    product.assert_no_canaries();
}

#[test]
fn a_trial_is_not_finished_while_the_profile_is_not_served() {
    let mut product = product();
    let key = with_plaintext_key(&product);
    product.start_daemon();
    assert_eq!(import(&product, &["--trial", "7d"]).code, 0);
    product.kill_daemon();
    product.start_daemon();
    assert_eq!(product.run(&["lock"]).code, 0);
    let refused = product.run(&["keys", "import", "--yes", "--finish", "dev"]);
    assert_eq!(refused.code, 12, "{refused:?}");
    assert!(fs::read_to_string(credentials_file(&product)).unwrap().contains(&key.secret));
}

#[test]
fn the_plaintext_in_an_earlier_backup_goes_with_it() {
    let mut product = product();
    let key = with_plaintext_key(&product);
    fs::write(credentials_file(&product), "").unwrap();
    let bob = "arn:aws:iam::123456789012:user/bob";
    product.sandbox().add_iam_user(bob).unwrap();
    let of_bob = product.sandbox().create_access_key(bob).unwrap();
    let section = |name: &str, id: &str, secret: &str| {
        format!("[profile {name}]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n")
    };
    let of_alice = section("dev", &key.id, &key.secret);
    product.write_aws_config(&format!("{of_alice}{}", section("bob", &of_bob.id, &of_bob.secret)));
    product.start_daemon();
    // The file is written while Alice's key is in it, and is backed up.
    assert_eq!(product.run(&["keys", "import", "--yes", "bob"]).code, 0);
    let backups = product.path(".local/state/tegata/backups");
    let of_backups = |secret: &str| {
        let files = fs::read_dir(&backups).unwrap().map(|file| fs::read_to_string(file.unwrap().path()).unwrap());
        files.filter(|text| text.contains(secret)).count()
    };
    assert_eq!((of_backups(&of_bob.secret), of_backups(&key.secret)), (0, 1));
    let ended = import(&product, &[]);
    assert_eq!(ended.code, 0, "{ended:?}");
    product.assert_no_canaries();
}

/// One line, and the file as it was.
fn is_refused(product: &Product, says: &str) {
    let before = fs::read(credentials_file(product)).unwrap();
    let ended = import(product, &[]);
    assert!(ended.code != 0 && ended.stdout.is_empty(), "{says}: {ended:?}");
    assert!(ended.stderr.contains(says) && !ended.stderr.contains(tegata_sandbox::CANARY), "{says}: {ended:?}");
    assert_eq!(fs::read(credentials_file(product)).unwrap(), before, "{says}");
    assert!(!config(product).contains("tegata_iam_user"), "{says}");
}

#[test]
fn root_a_session_and_a_dead_key_are_refused_and_left_where_they_are() {
    let mut product = product();
    let key = with_plaintext_key(&product);
    product.start_daemon();
    let root = "arn:aws:iam::123456789012:root";
    product.sandbox().add_iam_user(root).unwrap();
    let of_root = product.sandbox().create_access_key(root).unwrap();
    write_plaintext(&product, &of_root.id, &of_root.secret);
    is_refused(&product, "delete the key in the console");

    write_plaintext(&product, "ASIAIOSFODNN7EXAMPLE", &key.secret);
    is_refused(&product, "temporary session (ASIA");
    write_plaintext(&product, &key.id, &format!("{}\naws_session_token = x", key.secret));
    is_refused(&product, "it is temporary and ends by itself");
    write_plaintext(&product, &key.id, "another-secret-that-is-not-hers-at-all-x");
    is_refused(&product, "the secret access key is another one's");
    product.sandbox().set_access_key_active(ALICE, &key.id, false).unwrap();
    write_plaintext(&product, &key.id, &key.secret);
    is_refused(&product, "it was deactivated or deleted");
    assert_eq!(records(&product, "key_not_imported").len(), 4);

    product.sandbox().set_access_key_active(ALICE, &key.id, true).unwrap();
    assert_eq!(import(&product, &[]).code, 0, "the same key, alive");
}

#[test]
fn h1_hostile_values_are_no_keys() {
    let mut product = product();
    let key = with_plaintext_key(&product);
    product.start_daemon();
    let long = "A".repeat(1 << 20);
    for (id, secret) in [
        ("AKIA$(reboot)AAAAAAAA", key.secret.as_str()),
        ("AKIA../../../etc/passwd", &key.secret),
        ("AKIAIOSFODNN7EXAMPL\u{415}", &key.secret),
        (&key.id, "has a blank in the middle of it, which none"),
        (&key.id, "\u{202e}secretsecretsecretsecret"),
        (&long, &key.secret),
        (&key.id, &long),
    ] {
        write_plaintext(&product, id, secret);
        let ended = import(&product, &[]);
        assert!(ended.code != 0 && !ended.stderr.contains('\u{202e}'), "{id:.40?} {ended:?}");
    }
    fs::write(credentials_file(&product), b"[dev]\naws_access_key_id = AKIA\0\n").unwrap();
    assert_eq!(import(&product, &[]).code, 13);
    assert_eq!(alice(&product).keys.len(), 1);
}

#[test]
fn nobody_there_means_nothing_is_written() {
    let mut product = product();
    let key = with_plaintext_key(&product);
    product.start_daemon();
    let ended = product.run(&["keys", "import", "dev"]);
    assert!(ended.code == 2 && ended.stderr.contains("--yes"), "{ended:?}");
    assert!(fs::read_to_string(credentials_file(&product)).unwrap().contains(&key.secret));
}
