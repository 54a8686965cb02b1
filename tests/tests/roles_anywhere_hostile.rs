//! Hostile things in the places that the keys of a profile with a certificate name: one line, exit code 13, nothing asked of AWS, and the
//! profiles beside it are served. Hostile values of the keys are in `bad_input`, and all of them in the daemon's
//! `profile/hostile_tests.rs`.
#![allow(clippy::unwrap_used, clippy::panic, reason = "this is a test")]

use serde_json::json;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use tegata_sandbox::Operation;
use tegata_tests::certified::{Certified, ROLE, keys};
use tegata_tests::product::{Ended, Product, run};

const CERTIFICATE: &str = "tegata_certificate";
const KEY: &str = "tegata_private_key";

fn started() -> Certified {
    let mut certified = Certified::new();
    certified.product.start_daemon();
    certified
}

/// Asserts one printable line, the exit code of a profile that is wrong, and that AWS was not asked.
fn refused(product: &Product, ended: &Ended, what: &str) {
    let sessions = product.sandbox().calls(Operation::CreateSession);
    assert_eq!((ended.code, ended.stdout.as_str(), sessions), (13, "", 0), "{what:?}: {ended:?}");
    let line = ended.stderr.trim_end_matches('\n');
    assert!(line.starts_with("tegata: ") && line.lines().count() == 1, "{what:?}: {line:?}");
    assert!(!line.contains(|c: char| c.is_control() || "\u{202e}\u{200b}".contains(c)), "{what:?}: {line:?}");
    assert!(line.chars().count() < 1500, "{what:?}: {}", line.chars().count());
}

/// Writes a profile `bad` with one key of this value, beside `dev`.
fn with(certified: &Certified, key: &str, value: &str) -> Ended {
    let good = keys(ROLE, &certified.certificate().display().to_string(), &certified.key().display().to_string());
    let lines = good.lines().map(|line| match line.split_once(" = ") {
        Some((name, _)) if name == key => format!("{name} = {value}\n"),
        _ => format!("{line}\n"),
    });
    let config = fs::read_to_string(certified.product.path(".aws/config")).unwrap();
    let own = config.split("[profile bad]").next().unwrap().to_owned();
    certified
        .product
        .write_aws_config(&format!("{own}[profile bad]\nregion = us-east-1\n{}", lines.collect::<String>()));
    certified.product.credentials("bad")
}

#[test]
fn what_is_no_certificate_or_key_in_a_file_is_told_in_one_line() {
    let certified = started();
    let product = &certified.product;
    let directory = product.path("places");
    fs::create_dir(&directory).unwrap();
    let place = |name: &str| directory.join(name);
    let put = |name: &str, bytes: &[u8]| {
        fs::write(place(name), bytes).unwrap();
        fs::set_permissions(place(name), fs::Permissions::from_mode(0o600)).unwrap();
    };
    put("empty", b"");
    put("binary", b"\xff\xfe\x00\x1b]52;c;x\x07");
    put("hostile", "-----BEGIN CERTIFICATE-----\n\u{1b}[2J\u{202e}\n-----END CERTIFICATE-----\n".as_bytes());
    put("large", &vec![b'A'; 1 << 20]);
    put("many", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".repeat(700).as_bytes());
    put("unended", b"-----BEGIN PRIVATE KEY-----\nAAAA");
    put("text", b"root:x:0:0:root:/root:/bin/bash\n");
    fs::create_dir(place("directory")).unwrap();
    symlink("loop", place("loop")).unwrap();
    symlink("/dev/zero", place("zero")).unwrap();
    let mut mkfifo = product.command("mkfifo");
    assert_eq!(run(mkfifo.arg(place("fifo"))).code, 0);
    for key in [CERTIFICATE, KEY] {
        for name in [
            "none",
            "empty",
            "binary",
            "hostile",
            "large",
            "many",
            "unended",
            "text",
            "directory",
            "loop",
            "zero",
            "fifo",
        ] {
            let ended = with(&certified, key, &place(name).display().to_string());
            refused(product, &ended, &format!("{key} = {name}"));
            // The name of a user is what a key file that is none could give away.
            assert!(!ended.stderr.contains("root:x"), "{ended:?}");
        }
    }
    assert_eq!(product.credentials("dev").code, 0);
}

#[test]
fn a_link_is_followed_to_a_file_of_this_user_alone() {
    let certified = started();
    let link = certified.product.path("link.key");
    symlink(certified.key(), &link).unwrap();
    assert_eq!(with(&certified, KEY, &link.display().to_string()).code, 0, "a link is what a CA agent makes");
    fs::set_permissions(certified.key(), fs::Permissions::from_mode(0o644)).unwrap();
    let open = with(&certified, KEY, &link.display().to_string());
    // In memory from before: what is served was issued to the key as it was.
    assert_eq!(open.code, 0);
    assert_eq!(certified.product.run(&["lock"]).code, 0);
    assert_eq!(certified.product.run(&["unlock"]).code, 0);
    let ended = certified.product.credentials("bad");
    assert!(ended.code == 13 && ended.stderr.contains("can be read by others (mode 0644)"), "{ended:?}");
}

#[test]
fn what_is_sent_to_be_kept_is_never_quoted() {
    let certified = started();
    for body in [
        json!({"profile": "dev", "certificate": "CANARY", "private_key": "CANARY"}),
        json!({"profile": "dev", "certificate": 7, "private_key": "CANARY"}),
        json!({"profile": "dev", "certificate": "", "private_key": "", "passphrase": "CANARY", "x": 1}),
        json!({"profile": "dev", "certificate": "", "private_key": "CANARY".repeat(5_000)}),
    ] {
        let (status, said) = certified.product.api("POST", "/v1/certificates", Some(&body));
        assert!((400..500).contains(&status) && !said.to_string().contains("CANARY"), "{status} {said}");
    }
    certified.product.assert_no_canaries();
}
