//! A role for a certificate: from files, which a CA agent replaces; from the keyring, where one is kept once it is proven. What the
//! person is told when it cannot be used, and that its key is found nowhere else.
#![allow(clippy::unwrap_used, clippy::panic, reason = "this is a test")]

use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;
use tegata_sandbox::{CertificateAuthority, Effect, Fault, IamRole, KeyKind, Operation, Subject};
use tegata_tests::canaries;
use tegata_tests::certified::{ADMIN, ANCHOR, Certified, PROFILE, ROLE, lines_of};
use tegata_tests::gated::records;
use tegata_tests::product::{Ended, Product};
use tegata_tests::terminal::Terminal;

fn started() -> Certified {
    let mut certified = Certified::new();
    certified.product.start_daemon();
    certified
}

fn served(ended: &Ended) -> Value {
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{ended:?}");
    serde_json::from_str(&ended.stdout).unwrap()
}

/// The session name, which is the serial number, of the CreateSession that succeeded last.
fn last_serial(product: &Product) -> String {
    product.sandbox().certificate_sessions().pop().unwrap().session_name
}

/// Drops what is in memory, so that the next request is made anew.
fn forget(product: &Product) {
    assert_eq!(product.run(&["lock"]).code, 0);
    assert_eq!(product.run(&["unlock"]).code, 0);
}

/// Looks for a private key in everything that outlives a request.
fn assert_no_key(certified: &Certified, key: &str) {
    let looked_for = lines_of(key).iter().fold(certified.product.canaries(), |canaries, line| canaries.and(line));
    canaries::assert_none(&looked_for.find_under(&certified.product.path("")));
    certified.product.assert_no_canaries();
}

#[test]
fn a_certificate_in_files_is_served_from_memory_and_shown_with_its_end() {
    let certified = started();
    let product = &certified.product;
    let credentials = served(&product.credentials("dev"));
    assert_eq!(credentials["AccountId"], "123456789012");
    let _ = served(&product.credentials("dev"));
    assert_eq!(product.sandbox().calls(Operation::CreateSession), 1, "one session for both");
    let issued = product.sandbox().issued_credentials().pop().unwrap();
    assert_eq!(credentials["AccessKeyId"], issued.access_key_id.as_str());
    assert_eq!(issued.principal.arn, "arn:aws:sts::123456789012:assumed-role/Runner/5a11c307");
    for command in [&["status"][..], &["certificate", "list"]] {
        let page = product.run(command).stdout;
        assert!(page.contains("runner-7") && page.contains("(in 30 d "), "{page}");
    }
    let list = product.run(&["list"]).stdout;
    assert!(list.contains("roles-anywhere (certificate: 30 d "), "{list}");
    let released = records(product, "released").pop().unwrap();
    assert_eq!((&released["account"], &released["role"]), (&json!("123456789012"), &json!(ROLE)), "{released}");
    assert_no_key(&certified, &fs::read_to_string(certified.key()).unwrap());
}

#[test]
fn a_renewed_certificate_is_used_from_the_next_request_on() {
    let certified = started();
    let _ = served(&certified.product.credentials("dev"));
    let mut subject = Subject::new("runner-7").with_key(KeyKind::P384);
    subject.serial = vec![0x77, 0x01];
    let devices = certified.authority.intermediate("Acme devices").unwrap();
    certified.put(&devices.issue(&subject).unwrap());
    forget(&certified.product);
    let _ = served(&certified.product.credentials("dev"));
    assert_eq!(last_serial(&certified.product), "7701");
}

#[test]
fn a_key_that_others_can_read_is_refused_with_the_command_that_mends_it() {
    let certified = started();
    fs::set_permissions(certified.key(), fs::Permissions::from_mode(0o640)).unwrap();
    let refused = certified.product.credentials("dev");
    let key = certified.key().display().to_string();
    let line = format!("tegata: {key}: the private key can be read by others (mode 0640); run: chmod 600 {key}\n");
    assert_eq!((refused.code, refused.stdout.as_str(), refused.stderr.as_str()), (13, "", line.as_str()));
    assert_eq!(certified.product.sandbox().calls(Operation::CreateSession), 0);
    let doctor = certified.product.run(&["doctor"]);
    assert!(doctor.code == 1 && doctor.stdout.contains(&format!("chmod 600 {key}")), "{doctor:?}");
    fs::set_permissions(certified.key(), fs::Permissions::from_mode(0o600)).unwrap();
    let _ = served(&certified.product.credentials("dev"));
}

#[test]
fn a_certificate_that_has_ended_or_ends_soon_is_said_before_aws_says_it() {
    let certified = started();
    let product = &certified.product;
    certified.put(&certified.issue(&Subject::new("runner-7").for_only(Duration::from_secs(60))));
    let refused = product.credentials("dev");
    assert_eq!(refused.code, 13, "{refused:?}");
    assert!(refused.stderr.contains("the certificate of runner-7 ended on 20"), "{refused:?}");
    assert_eq!(product.sandbox().calls(Operation::CreateSession), 0);
    assert!(product.run(&["doctor"]).stdout.contains("error     certificates"), "{}", product.run(&["doctor"]).stdout);

    certified.put(&certified.issue(&Subject::new("runner-7").for_only(Duration::from_secs(4000))));
    let _ = served(&product.credentials("dev"));
    let status = product.run(&["status"]).stdout;
    assert!(status.contains("ends soon") && status.contains("put a new one in its place"), "{status}");
    assert!(product.run(&["doctor"]).stdout.contains("the certificate of dev ends on 20"));
}

#[test]
fn what_aws_says_of_a_certificate_is_one_printable_line() {
    let certified = started();
    let product = &certified.product;
    let foreign = CertificateAuthority::root("Acme root").unwrap().issue(&Subject::new("runner-7")).unwrap();
    certified.put(&foreign);
    let refused = product.credentials("dev");
    assert_eq!(refused.code, 14);
    let words =
        "tegata: AWS refused CreateSession (AccessDeniedException): Untrusted signing certificate; no chain leads";
    assert!(refused.stderr.starts_with(words), "{refused:?}");

    certified.put(&certified.issue(&Subject::new("runner-7")));
    let hostile = Effect::Error {
        status: 403,
        code: "AccessDeniedException".to_owned(),
        message: format!("\u{1b}]52;c;x\u{7}\r\nrun: rm -rf ~ \u{202e}{}", "x".repeat(100_000)),
        retry_after: None,
    };
    product.sandbox().fault(Fault::on(Operation::CreateSession, hostile).times(1));
    forget(product);
    let refused = product.credentials("dev");
    assert_eq!((refused.code, refused.stderr.lines().count()), (14, 1), "{refused:?}");
    assert!(!refused.stderr.trim_end().contains(|c: char| c.is_control() || c == '\u{202e}'));
    assert!(refused.stderr.chars().count() < 1000, "{}", refused.stderr.chars().count());
}

#[test]
fn the_gate_stands_in_front_of_it() {
    let certified = started();
    let product = &certified.product;
    product.sign_in();
    let mut hand = product.enrol("alice", None);
    let refused = product.run(&["credential-process", "--profile", "admin", "--wait", "0"]);
    assert_eq!((refused.code, refused.stdout.as_str()), (11, ""), "{refused:?}");
    assert_eq!(product.sandbox().calls(Operation::CreateSession), 0, "AWS is not asked before the hand");
    product.elevate(&mut hand, &json!({ "profile": "admin", "seconds": 600, "reason": "INC-42" }));
    let _ = served(&product.credentials("admin"));
    assert_eq!(product.sandbox().issued_credentials().pop().unwrap().principal.role_arn, ADMIN);
    let _ = served(&product.credentials("dev"));
}

#[test]
fn a_role_behind_it_is_chained() {
    let certified = started();
    let product = &certified.product;
    let deploy = "arn:aws:iam::210987654321:role/Deploy";
    product.sandbox().configure(|settings| {
        settings.iam_roles.push(IamRole::new(deploy, &["arn:aws:iam::123456789012:root"]));
    });
    let config = fs::read_to_string(product.path(".aws/config")).unwrap();
    let behind = |seconds: u32| {
        format!(
            "{config}[profile deploy]\ntegata_role_arn = {deploy}\ntegata_source_profile = dev\n\
             tegata_duration_seconds = {seconds}\n"
        )
    };
    product.write_aws_config(&behind(7200));
    let refused = product.credentials("deploy");
    assert!(refused.code == 13 && refused.stderr.contains("role chaining"), "{refused:?}");
    product.write_aws_config(&behind(3600));
    let _ = served(&product.credentials("deploy"));
    let assumed = product.sandbox().assumed_roles().pop().unwrap();
    assert_eq!(assumed.source_identity.as_deref(), Some("CN=runner-7"));
    assert!(assumed.caller.ends_with("assumed-role/Runner/5a11c307"));
}

#[test]
fn a_profile_of_awss_own_helper_is_adopted_and_served() {
    let certified = started();
    let product = &certified.product;
    let config = product.default_aws_config();
    let options = format!(
        "--certificate {} --private-key {} --trust-anchor-arn {ANCHOR} --profile-arn {PROFILE} --role-arn {ROLE} \
         --session-duration 900 --region us-east-1",
        certified.certificate().display(),
        certified.key().display()
    );
    let helper = format!("[profile ci]\ncredential_process = /opt/aws_signing_helper credential-process {options}\n");
    product.write_aws_config(&format!("{config}{helper}"));
    let refused = product.credentials("ci");
    assert!(refused.code == 13 && refused.stderr.contains("runs another program"), "{refused:?}");
    let adopted = product.run(&["setup", "--adopt", "ci", "--yes"]);
    assert_eq!(adopted.code, 0, "{adopted:?}");
    let _ = served(&product.credentials("ci"));
    let made = product.sandbox().certificate_sessions().pop().unwrap();
    assert_eq!(made.duration_seconds, Some(900), "{made:?}");
    assert_eq!(product.run(&["setup", "--undo", "--yes"]).code, 0);
    assert_eq!(fs::read_to_string(product.path(".aws/config")).unwrap(), format!("{config}{helper}"));
}

/// Runs the import of the files as they are.
fn import(certified: &Certified) -> Ended {
    let (certificate, key) = (certified.certificate().display().to_string(), certified.key().display().to_string());
    certified.product.run(&["certificate", "import", "dev", "--certificate", &certificate, "--key", &key])
}

#[test]
fn a_certificate_is_kept_once_aws_has_given_a_session_for_it() {
    let mut certified = Certified::new();
    certified.product.store_in_files();
    certified.product.start_daemon();
    let key = fs::read_to_string(certified.key()).unwrap();
    certified.write_config("keyring", "keyring");
    let refused = certified.product.credentials("dev");
    let line = "tegata: no certificate is kept for it in the keyring; run: tegata certificate import dev --certificate FILE --key FILE\n";
    assert_eq!((refused.code, refused.stderr.as_str()), (13, line));

    let foreign = CertificateAuthority::root("Acme root").unwrap().issue(&Subject::new("runner-7")).unwrap();
    let own = fs::read_to_string(certified.certificate()).unwrap();
    certified.put(&foreign);
    let refused = import(&certified);
    assert!(refused.code == 14 && refused.stderr.contains("Untrusted signing certificate"), "{refused:?}");
    assert_eq!(certified.product.credentials("dev").code, 13, "what is not proven is not kept");

    fs::write(certified.certificate(), own).unwrap();
    fs::write(certified.key(), &key).unwrap();
    let kept = import(&certified);
    assert_eq!(kept.code, 0, "{kept:?}");
    let path = certified.key().display().to_string();
    assert!(kept.stdout.starts_with("Kept in the keyring: the certificate of runner-7, good until 20"), "{kept:?}");
    assert!(kept.stdout.trim_end().ends_with(&format!("rm -- {path}")), "{kept:?}");
    fs::remove_file(certified.key()).unwrap();
    fs::remove_file(certified.certificate()).unwrap();
    let _ = served(&certified.product.credentials("dev"));

    certified.product.kill_daemon();
    certified.product.start_daemon();
    let unread = certified.product.run(&["status"]).stdout;
    assert!(unread.contains("not read"), "status asks no keyring: {unread}");
    let _ = served(&certified.product.credentials("dev"));
    assert!(certified.product.run(&["status"]).stdout.contains("(in 30 d "));
    for event in ["certificate_imported", "certificate_not_imported"] {
        assert_eq!(records(&certified.product, event).len(), 1, "{event}");
    }
    assert_no_key(&certified, &key);

    let removed = certified.product.run(&["certificate", "remove", "dev"]);
    assert!(removed.stdout.starts_with("Forgot the certificate"), "{removed:?}");
    assert_eq!(certified.product.credentials("dev").code, 13, "what was had with it is dropped as well");
    let nothing = certified.product.run(&["certificate", "remove", "dev"]);
    assert_eq!(nothing.stdout, "No certificate was kept for dev.\n");
}

#[test]
fn a_certificate_in_files_is_told_how_it_is_used_from_the_keyring() {
    let certified = started();
    let kept = import(&certified);
    let settings =
        "[profile dev] of the AWS config says:\n  tegata_certificate = keyring\n  tegata_private_key = keyring\n";
    assert!(kept.stdout.contains(settings), "{kept:?}");
    certified.write_config("keyring", "keyring");
    fs::remove_file(certified.key()).unwrap();
    let _ = served(&certified.product.credentials("dev"));
}

#[test]
fn an_encrypted_key_is_opened_once_and_its_passphrase_is_seen_nowhere() {
    let certified = started();
    let encrypted = include_str!("../../daemon/src/roles_anywhere/vectors/p256.encrypted.pem");
    let public = include_str!("../../daemon/src/roles_anywhere/vectors/p256.public.pem");
    let certificate = certified.authority.certify(&Subject::new("runner-7"), public).unwrap();
    fs::write(certified.certificate(), certificate).unwrap();
    fs::write(certified.key(), encrypted).unwrap();
    let (key, file) = (certified.key().display().to_string(), certified.certificate().display().to_string());
    let refused = certified.product.credentials("dev");
    let mend = format!("run: tegata certificate import dev --certificate {file} --key {key}\n");
    assert!(refused.code == 13 && refused.stderr.ends_with(&mend), "{refused:?}");
    assert_eq!(import(&certified).code, 2, "without a terminal there is nobody to ask");

    let arguments = format!("certificate import dev --certificate {file} --key {key}");
    let mut wrong = Terminal::tegata(&certified.product, &arguments);
    wrong.shows("Passphrase of");
    wrong.types("wrong-horse\r");
    let (code, drawn) = wrong.ends(&certified.product);
    assert!(code == 13 && drawn.contains("not opened by this passphrase"), "{code} {drawn}");
    assert_eq!(certified.product.sandbox().calls(Operation::CreateSession), 0);

    let mut terminal = Terminal::tegata(&certified.product, &arguments);
    terminal.shows("Passphrase of");
    terminal.types("correct-horse\r");
    let (code, drawn) = terminal.ends(&certified.product);
    assert!(code == 0 && drawn.contains("Kept in the keyring"), "{code} {drawn}");
    assert!(!drawn.contains("horse"), "{drawn}");
    certified.write_config("keyring", "keyring");
    let _ = served(&certified.product.credentials("dev"));
    let passphrases = certified.product.canaries().and("correct-horse").and("wrong-horse");
    canaries::assert_none(&passphrases.find_under(&certified.product.path("")));
}

#[test]
fn while_locked_nothing_is_read_and_nothing_is_kept() {
    let certified = started();
    assert_eq!(certified.product.run(&["lock"]).code, 0);
    assert_eq!(certified.product.credentials("dev").code, 12);
    assert_eq!(import(&certified).code, 12);
    assert_eq!(certified.product.sandbox().calls(Operation::CreateSession), 0);
}
