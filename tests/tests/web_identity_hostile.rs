//! Hostile things in the place of a token, and in the settings that say where it comes from: one line, exit code 13, and nothing asked of
//! AWS. Hostile values of the keys in AWS config are in `bad_input`, and all of them in the daemon's `profile/hostile_tests.rs`.
#![allow(clippy::unwrap_used, clippy::panic, reason = "this is a test")]

use std::fs;
use std::os::unix::fs::symlink;
use tegata_sandbox::Operation;
use tegata_tests::federated::Federated;
use tegata_tests::product::{Ended, Product, run};

/// Asserts one printable line, an exit code, and that AWS was not asked.
fn refused(product: &Product, code: i32, ended: &Ended, what: &str) -> String {
    let asked = product.sandbox().requests().len();
    assert_eq!((ended.code, ended.stdout.as_str(), asked), (code, "", 0), "{what:.60?}: {ended:?}");
    let line = ended.stderr.trim_end_matches('\n');
    assert!(line.starts_with("tegata: ") && line.lines().count() == 1, "{what:.60?}: {line:?}");
    assert!(!line.contains(|c: char| c.is_control() || "\u{202e}\u{200b}".contains(c)), "{what:.60?}: {line:?}");
    assert!(line.chars().count() < 1500, "{what:.60?}: {}", line.chars().count());
    line.to_owned()
}

#[test]
fn h4_no_value_of_the_settings_is_a_program_of_somebody_else() {
    let federated = Federated::by_file();
    let product = &federated.product;
    let megabyte = "x".repeat(1 << 20);
    let values = [
        "{ command = [] }",
        "{ command = [\"token\"] }",
        "{ command = [\"./token\"] }",
        "{ command = [\"~/token\"] }",
        "{ command = \"/bin/sh -c id\" }",
        "{ command = [\"/bin/sh\\u0000x\"] }",
        "{ command = [\"/bin/a\\nb\"] }",
        "{ command = [\"/bin/\\u202eb\"] }",
        "{ command = [\"/bin/a\"], github_actions = {} }",
        "{ github_actions = { audience = \"\" } }",
        "{ github_actions = { audience = \"a b\" } }",
        "{ github_actions = { audience = \"a\\nb\" } }",
        "{ github_actions = { url = \"https://evil.example\" } }",
        "{ file = \"/etc/shadow\" }",
        "[]",
        "true",
        &format!("{{ command = [\"/bin/{megabyte}\"] }}"),
    ];
    for value in values {
        product.write_settings(&format!("store = \"memory\"\n[profile.ci]\nweb_identity = {value}\n"));
        let mut check = product.command(&product.daemon_binary);
        let ended = run(check.arg("--check-settings"));
        assert_eq!((ended.code, ended.stdout.as_str()), (13, ""), "{value:.60}: {ended:?}");
        let line = ended.stderr.trim_end_matches('\n');
        assert!(line.lines().count() == 1 && !line.contains(char::is_control), "{value:.60}: {line:?}");
        assert!(line.chars().count() < 1500, "{value:.60}");
    }
}

#[test]
fn what_lies_in_the_place_of_a_token_is_neither_waited_for_nor_sent() {
    let mut federated = Federated::by_file();
    federated.product.start_daemon();
    let product = &federated.product;
    let at = |name: &str| federated.at(name);
    assert_eq!(run(product.command("mkfifo").arg(at("fifo"))).code, 0);
    fs::create_dir(at("directory")).unwrap();
    symlink("/dev/zero", at("zero")).unwrap();
    symlink("loop", at("loop")).unwrap();
    symlink("nowhere", at("dangling")).unwrap();
    for (name, content) in [
        ("empty", Vec::new()),
        ("short", b"abc".to_vec()),
        ("newline", b"CANARY.e30\ne30.x".to_vec()),
        ("carriage", b"CANARY.e30\re30.x".to_vec()),
        ("nul", b"CANARY\0.e30.x".to_vec()),
        ("space", b"CANARY .e30.x".to_vec()),
        ("escape", b"\x1b]52;c;CANARY\x07".to_vec()),
        ("bytes", b"CANARY\xff\xfe".to_vec()),
        ("bidi", "CANARY\u{202e}.e30.x".as_bytes().to_vec()),
        ("long", vec![b'a'; 20_001]),
        ("megabyte", vec![b'a'; 1 << 20]),
    ] {
        fs::write(at(name), content).unwrap();
    }
    let names = [
        "none",
        "fifo",
        "directory",
        "zero",
        "loop",
        "dangling",
        "empty",
        "short",
        "newline",
        "carriage",
        "nul",
        "space",
        "escape",
        "bytes",
        "bidi",
        "long",
        "megabyte",
    ];
    for name in names {
        federated.write_profiles(&format!("tegata_web_identity_token_file = {}", at(name).display()));
        let ended = product.credentials("ci");
        let line = refused(product, 13, &ended, name);
        assert!(line.contains(&at(name).display().to_string()), "{line}");
    }
    product.assert_no_canaries();
    federated.write_profiles(&format!("tegata_web_identity_token_file = {}", federated.token_file().display()));
    assert_eq!(product.credentials("ci").code, 0);
}

#[test]
fn what_a_command_prints_that_is_no_token_is_not_sent() {
    for text in [
        "printf 'CANARY.e30\\ne30.x'",
        "printf 'CANARY\\0.e30.x'",
        "printf 'CANARY \\377'",
        "printf abc",
        "true",
        "head -c 20001 /dev/zero | tr '\\0' a",
    ] {
        let mut federated = Federated::by_command(text);
        federated.product.start_daemon();
        let ended = federated.product.credentials("ci");
        let product = &federated.product;
        assert_eq!(
            (ended.stdout.as_str(), product.sandbox().calls(Operation::AssumeRoleWithWebIdentity)),
            ("", 0),
            "{text}"
        );
        assert!([13, 14].contains(&ended.code) && ended.stderr.lines().count() == 1, "{text}: {ended:?}");
        product.assert_no_canaries();
    }
}
