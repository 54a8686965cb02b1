//! Hostile values for every key of a profile that starts from a certificate, and hostile things in the places its keys name: one line,
//! exit code 13, nothing asked of AWS, and the profiles beside it are served.
#![allow(clippy::unwrap_used, clippy::panic, reason = "this is a test")]

use serde_json::json;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use tegata_sandbox::Operation;
use tegata_tests::certified::{ANCHOR, Certified, PROFILE, ROLE, keys};
use tegata_tests::product::{Ended, Product, run};

const KEYS: [&str; 5] = [
    "tegata_trust_anchor_arn",
    "tegata_roles_anywhere_profile_arn",
    "tegata_role_arn",
    "tegata_certificate",
    "tegata_private_key",
];

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
fn h4_no_value_of_a_key_is_a_program_a_second_line_or_another_place() {
    let certified = started();
    let witness = certified.product.path("witness");
    let program = format!("$(touch {0})`touch {0}`;touch {0}|touch {0}&", witness.display());
    let megabyte = "x".repeat(1 << 20);
    let values = [
        "",
        " ",
        "a\u{0}b",
        "\u{1b}]52;c;x\u{7}",
        "\u{202e}",
        program.as_str(),
        "../../../../etc/shadow",
        "/etc/../etc/shadow\u{0}.pem",
        megabyte.as_str(),
        // Look-alikes: another partition's name, a full-width digit, a Cyrillic letter, a zero-width space.
        "arn:aws-evil:rolesanywhere:us-east-1:123456789012:trust-anchor/1",
        "arn:aws:rolesanywhere:us-east-1:12345678901２:profile/1",
        "аrn:aws:iam::123456789012:role/Runner",
        "arn:aws:rolesanywhere:us-east-1:123456789012:trust-anchor/1\u{200b}",
        "arn:aws:rolesanywhere:us-east-1.evil.example:123456789012:trust-anchor/1",
        "arn:aws:iam::123456789012:root",
        "https://evil.example/key.pem",
        "file:///etc/shadow",
        "pkcs11:module-path=/tmp/evil.so;object=key",
        "pkcs11:object=key;pin-value=1234",
        "pkcs11:object=key?pin-source=|cat%20/etc/shadow",
    ];
    for key in KEYS {
        for value in values {
            refused(&certified.product, &with(&certified, key, value), &format!("{key} = {}", value.escape_debug()));
        }
    }
    assert!(!witness.exists(), "nothing of a value is run");
    assert_eq!(certified.product.credentials("dev").code, 0);
}

#[test]
fn h4_twin_the_values_as_they_should_be_are_served() {
    let certified = started();
    for (key, value) in [(KEYS[0], ANCHOR), (KEYS[1], PROFILE), (KEYS[2], ROLE)] {
        let ended = with(&certified, key, value);
        assert_eq!(ended.code, 0, "{ended:?}");
    }
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
    for key in &KEYS[3..] {
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
    assert_eq!(with(&certified, KEYS[4], &link.display().to_string()).code, 0, "a link is what a CA agent makes");
    fs::set_permissions(certified.key(), fs::Permissions::from_mode(0o644)).unwrap();
    let open = with(&certified, KEYS[4], &link.display().to_string());
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
