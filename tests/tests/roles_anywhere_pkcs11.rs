//! A role for a certificate whose key nobody can read: SoftHSM's tokens, through the helper process. The daemon loads no module; a PIN
//! opens a token until everything is locked, and is found nowhere.
#![cfg(feature = "system")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "this is a test")]

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;
use std::time::Duration;
use tegata_sandbox::{KeyKind, Operation, Subject};
use tegata_tests::canaries;
use tegata_tests::certified::{Certified, lines_of};
use tegata_tests::helper::helper_of;
use tegata_tests::product::{Ended, wait_until};
use tegata_tests::terminal::Terminal;
use tegata_tests::token::{self, MODULE, PIN};

const URI: &str = "pkcs11:token=laptop;object=tegata;id=%01";

/// `dev` and `admin` by a certificate and a key in the token `laptop`; the daemon's pid.
fn started(kind: KeyKind) -> (Certified, u32) {
    let certified = Certified::new();
    token::make(&certified.product, "laptop");
    let issued = certified.issue(&Subject::new("runner-7").with_key(kind));
    token::fill(&certified.product, "laptop", "tegata", "01", &issued);
    certified.write_config(URI, URI);
    started_with(certified, MODULE)
}

fn started_with(mut certified: Certified, module: &str) -> (Certified, u32) {
    certified.product.write_settings(&format!("store = \"memory\"\n[pkcs11]\nmodule = \"{module}\"\n"));
    let pid = certified.product.start_daemon();
    (certified, pid)
}

/// Gives the PIN by a pipe, as a script does.
fn give(certified: &Certified, pin: &str) -> Ended {
    let mut command = certified.product.tegata(&["login", "dev"]);
    let mut running = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    running.stdin.take().unwrap().write_all(format!("{pin}\n").as_bytes()).unwrap();
    let output = running.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let ended = Ended { code: output.status.code().unwrap(), stdout: text(output.stdout), stderr: text(output.stderr) };
    certified.product.heard(&["login", "dev"], &ended);
    ended
}

fn served(ended: &Ended) {
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{ended:?}");
}

/// Asserts that a PIN is wanted, and said how to give it.
fn wants_its_pin(ended: &Ended) {
    let line = "tegata: token laptop wants its PIN; run: tegata login dev\n";
    assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.as_str()), (10, "", line));
}

fn forget(certified: &Certified) {
    assert_eq!(certified.product.run(&["lock"]).code, 0);
    assert_eq!(certified.product.run(&["unlock"]).code, 0);
}

#[test]
fn a_token_is_opened_by_its_pin_until_everything_is_locked() {
    for kind in [KeyKind::P256, KeyKind::P384, KeyKind::Rsa] {
        let (certified, _) = started(kind);
        wants_its_pin(&certified.product.credentials("dev"));
        let mut terminal = Terminal::tegata(&certified.product, "login dev");
        terminal.shows("PIN of token laptop:");
        terminal.types(&format!("{PIN}\r"));
        let (code, drawn) = terminal.ends(&certified.product);
        assert!(code == 0 && drawn.contains("Token laptop is open") && !drawn.contains(PIN), "{code} {drawn}");
        served(&certified.product.credentials("dev"));
        let issued = certified.product.sandbox().issued_credentials().pop().unwrap();
        assert_eq!(issued.principal.arn, "arn:aws:sts::123456789012:assumed-role/Runner/5a11c307", "{kind:?}");
        forget(&certified);
        wants_its_pin(&certified.product.credentials("dev"));
        assert_eq!(certified.product.sandbox().calls(Operation::CreateSession), 1, "{kind:?}");
        canaries::assert_none(&certified.product.canaries().and(PIN).find_under(&certified.product.path("")));
    }
}

#[test]
fn a_wrong_pin_is_tried_once_and_another_one_is_asked_for() {
    let (certified, _) = started(KeyKind::P256);
    let wrong = give(&certified, "PIN-00000000");
    let line = "tegata: token laptop was not opened: it is wrong; run: tegata login dev\n";
    assert_eq!((wrong.code, wrong.stderr.as_str()), (10, line));
    wants_its_pin(&certified.product.credentials("dev"));
    let right = give(&certified, PIN);
    assert_eq!(
        (right.code, right.stderr.as_str()),
        (0, "Token laptop is open, until everything is locked or it is taken out.\n")
    );
    served(&certified.product.credentials("dev"));
    // One that was open and is opened with another PIN is not open any more.
    assert_eq!(give(&certified, "PIN-00000000").code, 10);
    assert_eq!(certified.product.run(&["lock"]).code, 0);
    assert_eq!(give(&certified, PIN).code, 12, "while locked nothing is opened");
    let events = |name: &str| certified.product.audit().iter().filter(|record| record["event"] == name).count();
    assert_eq!((events("token_opened"), events("token_not_opened")), (1, 2));
}

/// Whether a process has loaded the module.
fn has_loaded_it(pid: u32) -> bool {
    token::libraries_of(pid).iter().any(|path| path.ends_with("libsofthsm2.so"))
}

#[test]
fn a_tool_that_waits_is_served_when_the_pin_comes() {
    let (certified, pid) = started(KeyKind::P256);
    std::thread::scope(|scope| {
        let tool = scope.spawn(|| certified.product.run(&["credential-process", "--profile", "dev", "--wait", "60"]));
        wait_until("the token is asked for the tool", || has_loaded_it(helper_of(pid).unwrap()));
        assert_eq!(give(&certified, PIN).code, 0);
        served(&tool.join().unwrap());
    });
}

#[test]
fn the_helper_alone_loads_the_module_and_the_daemon_does_not() {
    let (certified, pid) = started(KeyKind::P256);
    assert_eq!(give(&certified, PIN).code, 0);
    served(&certified.product.credentials("dev"));
    assert!(has_loaded_it(helper_of(pid).unwrap()) && !has_loaded_it(pid));
}

#[test]
fn the_certificates_of_a_token_lead_to_the_anchor() {
    let certified = Certified::new();
    token::make(&certified.product, "laptop");
    let devices = certified.authority.intermediate("Acme devices").unwrap();
    let issued = devices.issue(&Subject::new("runner-7")).unwrap();
    token::fill(&certified.product, "laptop", "tegata", "01", &issued);
    token::put_certificate(&certified.product, "laptop", "devices", "02", devices.pem());
    certified.write_config(URI, URI);
    let (certified, _) = started_with(certified, MODULE);
    assert_eq!(give(&certified, PIN).code, 0);
    served(&certified.product.credentials("dev"));
    assert_eq!(certified.product.sandbox().certificate_sessions()[0].intermediates, 1);
    let listed = certified.product.run(&["certificate", "list"]).stdout;
    assert!(listed.contains("runner-7") && listed.contains(URI), "{listed}");
    assert!(certified.product.run(&["status"]).stdout.contains("not read"), "status asks no token");
}

#[test]
fn a_certificate_in_a_file_may_have_its_key_in_a_token_and_another_key_is_told_apart() {
    let (certified, _) = started(KeyKind::P256);
    let file = certified.certificate().display().to_string();
    certified.write_config(&file, URI);
    assert_eq!(give(&certified, PIN).code, 0);
    let refused = certified.product.credentials("dev");
    let line = format!("tegata: {URI}: is not the key of this certificate\n");
    assert_eq!((refused.code, refused.stderr.as_str()), (13, line.as_str()));
    assert_eq!(certified.product.sandbox().calls(Operation::CreateSession), 0);

    let issued = certified.issue(&Subject::new("runner-7").for_only(Duration::from_secs(40_000)));
    token::fill(&certified.product, "laptop", "second", "07", &issued);
    fs::write(certified.certificate(), &issued.certificate).unwrap();
    certified.write_config(&file, "pkcs11:token=laptop;id=%07");
    served(&certified.product.credentials("dev"));
    let looked_for = lines_of(&issued.private_key).iter().fold(certified.product.canaries(), |c, line| c.and(line));
    canaries::assert_none(&looked_for.find_under(&certified.product.path("")));
}

#[test]
fn what_is_wrong_with_module_token_or_object_is_one_line() {
    let (certified, _) = started(KeyKind::P256);
    assert_eq!(give(&certified, PIN).code, 0);
    let said = |uri: &str| {
        certified.write_config(URI, uri);
        let ended = certified.product.credentials("dev");
        assert_eq!((ended.code, ended.stderr.lines().count()), (13, 1), "{ended:?}");
        ended.stderr
    };
    assert!(said("pkcs11:token=other;object=tegata").contains("no such token is plugged in"));
    assert!(said("pkcs11:token=laptop;object=none").contains("the token has no such private key"));
    assert!(said("pkcs11:token=laptop;object=tegata;type=cert").contains("is no private"));
    token::make(&certified.product, "second");
    let twins = certified.issue(&Subject::new("runner-8"));
    token::fill(&certified.product, "laptop", "tegata", "09", &twins);
    assert!(said("pkcs11:token=laptop;object=tegata").contains("the token has 2 such private keys; name one by id="));
}

#[test]
fn a_module_is_loaded_only_where_nobody_else_could_have_put_it() {
    let certified = Certified::new();
    token::make(&certified.product, "laptop");
    certified.write_config(URI, URI);
    let copy = certified.product.path("module.so");
    fs::copy(MODULE, &copy).unwrap();
    fs::set_permissions(&copy, fs::Permissions::from_mode(0o777)).unwrap();
    let (mut certified, _) = started_with(certified, copy.to_str().unwrap());
    let refused = certified.product.credentials("dev");
    assert_eq!(refused.code, 13, "{refused:?}");
    let copy = copy.display();
    assert!(
        refused.stderr.contains(&format!("{copy} can be written by others; run: chmod go-w {copy}")),
        "{refused:?}"
    );
    for (module, why) in [("/proc/none/module.so", "is not there"), ("/etc/passwd", "is not loaded")] {
        certified.product.kill_daemon();
        let (again, _) = started_with(certified, module);
        certified = again;
        let refused = certified.product.credentials("dev");
        assert!(refused.code == 13 && refused.stderr.contains(why), "{refused:?}");
        assert_eq!(refused.stderr.lines().count(), 1, "{refused:?}");
    }
    certified.product.kill_daemon();
    certified.product.write_settings("store = \"memory\"\n");
    certified.product.start_daemon();
    let refused = certified.product.credentials("dev");
    assert!(
        refused.code == 13 && refused.stderr.contains("config.toml names no module: [pkcs11] module ="),
        "{refused:?}"
    );
}
