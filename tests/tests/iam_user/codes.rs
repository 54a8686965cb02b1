//! Where codes come from: a picture, a command, a person at a terminal. And where they never are.

use super::{code, json, log_in, uri};
use std::fs;
use tegata_sandbox::{HoldUntil, Operation};
use tegata_tests::canaries::{self, Canaries, Found};
use tegata_tests::iam_user::{PHONE, prepared, product};
use tegata_tests::product::{PATIENCE, Product, run};
use tegata_tests::terminal::Terminal;

#[test]
fn a_picture_of_the_seed_is_as_good_as_its_text_and_is_named_to_be_removed() {
    let product = product("");
    let picture = product.path("code.png");
    let drawn = run(product.command("qrencode").args(["--output"]).arg(&picture).arg(uri(&product)));
    assert_eq!(drawn.code, 0, "{drawn:?}");
    let picture = picture.display().to_string();
    let added = product.run(&["totp", "add", "mfa", "--qr", &picture]);
    assert_eq!(added.code, 0, "{added:?}\n{}", product.daemon_log());
    assert!(added.stderr.contains(&format!("The picture still holds the seed: rm {picture}")), "{added:?}");
    fs::remove_file(&picture).unwrap();
    json(&product.credentials("deploy"));
    assert_eq!(product.sandbox().user_sessions()[0].serial_number.as_deref(), Some(PHONE));
    product.assert_no_canaries();
}

#[test]
fn a_picture_without_a_seed_is_refused_without_being_quoted() {
    let product = product("");
    let picture = product.path("code.png");
    for (text, why) in [("https://evil.example/?secret=CANARYCANARYCANA", "otpauth"), ("", "QR")] {
        if text.is_empty() {
            fs::write(&picture, b"\x89PNG\r\n\x1a\nCANARY").unwrap();
        } else {
            assert_eq!(run(product.command("qrencode").args(["--output"]).arg(&picture).arg(text)).code, 0);
        }
        let refused = product.run(&["totp", "add", "mfa", "--qr", &picture.display().to_string()]);
        assert!(
            refused.code != 0 && refused.stdout.is_empty() && !refused.stderr.contains("CANARY"),
            "{why}: {refused:?}"
        );
        assert_eq!(refused.stderr.lines().count(), 1, "{why}: {refused:?}");
    }
    assert!(product.run(&["totp", "list"]).stdout.contains("codes by hand"));
}

/// What a command of the settings prints lies in this file.
fn by_command(settings: &str) -> Product {
    let mut product = prepared("");
    let file = product.path("code");
    let extras = format!(
        "[profile.mfa]\ntotp_command = [\"/bin/cat\", \"{0}\"]\n[profile.keys]\ntotp_command = [\"/bin/cat\", \"{0}\"]\n",
        file.display()
    );
    product
        .write_settings(&format!("store = \"file\"\n[file_store]\nsystemd_credential = \"key\"\n{settings}{extras}"));
    product.start_daemon();
    product
}

#[test]
fn a_command_gives_the_code_when_somebody_needs_a_session_and_a_wrong_one_is_sent_once() {
    let product = by_command("");
    fs::write(product.path("code"), "no code\n").unwrap();
    let useless = product.credentials("mfa");
    assert!(useless.code != 0 && useless.stderr.contains("/bin/cat"), "{useless:?}");
    assert_eq!(product.sandbox().calls(Operation::GetSessionToken), 0, "what is no code is not sent");
    // What failed is remembered for a moment.
    assert_eq!(product.run(&["logout", "mfa"]).code, 0);
    fs::write(product.path("code"), format!("{}\n", code(&product))).unwrap();
    json(&product.credentials("mfa"));
    assert_eq!(product.sandbox().user_sessions()[0].serial_number.as_deref(), Some(PHONE));
    json(&product.credentials("deploy"));
    assert_eq!(product.sandbox().calls(Operation::GetSessionToken), 1);
    assert!(product.run(&["totp", "list"]).stdout.contains("codes from /bin/cat"));

    assert_eq!(product.run(&["logout", "mfa"]).code, 0);
    let wrong = if code(&product) == "000000" { "000001" } else { "000000" };
    fs::write(product.path("code"), wrong).unwrap();
    for _ in 0..3 {
        let ended = product.credentials("mfa");
        assert!(ended.code == 10 && ended.stderr.contains("AWS did not take"), "{ended:?}");
    }
    assert_eq!(product.sandbox().calls(Operation::GetSessionToken), 2);
    fs::remove_file(product.path("code")).unwrap();
    product.assert_no_canaries();
}

#[test]
fn a_code_is_typed_in_a_terminal_where_nobody_sees_it() {
    let product = product("");
    let mut terminal = Terminal::tegata(&product, "login deploy");
    terminal.shows(&format!("Code of MFA device {PHONE}"));
    let wrong = if code(&product) == "000000" { "000001" } else { "000000" };
    terminal.types(&format!("{wrong}\r"));
    terminal.shows("invalid MFA one time pass code");
    terminal.shows("Code of MFA device");
    let code = code(&product);
    terminal.types(&format!("{} {}\r", &code[..3], &code[3..]));
    let (status, drawn) = terminal.ends(&product);
    assert!(status == 0 && drawn.contains("Signed in to deploy."), "{drawn}");
    assert!(!drawn.contains(&code[..3]) && !drawn.contains(wrong), "{drawn}");
    json(&product.credentials("deploy"));
}

#[test]
fn a_seed_is_typed_in_a_terminal_where_nobody_sees_it() {
    let product = product("");
    let mut terminal = Terminal::tegata(&product, "totp add mfa");
    terminal.shows("or the secret key (it stays unseen): ");
    terminal.types(&format!("{}\r", uri(&product)));
    let (status, drawn) = terminal.ends(&product);
    assert!(status == 0 && drawn.contains("is in the keyring"), "{drawn}");
    // The sandbox's seeds are marked.
    product.assert_no_canaries();
    json(&product.credentials("mfa"));
}

/// A code as it is and as a file of numbers would have it: not within a longer number or word.
fn holds_code(place: &str, text: &str, code: &str) -> Option<Found> {
    let is_part = |c: char| c.is_ascii_alphanumeric();
    let alone = |at: usize| !text[..at].ends_with(is_part) && !text[at + code.len()..].starts_with(is_part);
    let at = text.match_indices(code).map(|(at, _)| at).find(|at| alone(*at))?;
    let around = text[text.floor_char_boundary(at.saturating_sub(40))..].chars().take(80).collect();
    Some(Found { place: place.to_owned(), form: "a code", around })
}

/// What every process of the machine shows of itself, and what the home holds.
fn find_code(product: &Product, code: &str) -> Vec<Found> {
    let mut found = Vec::new();
    for process in fs::read_dir("/proc").unwrap().flatten() {
        for name in ["cmdline", "environ"] {
            let bytes = fs::read(process.path().join(name)).unwrap_or_default();
            let text = String::from_utf8_lossy(&bytes).replace('\0', " ");
            found.extend(holds_code(&process.path().join(name).display().to_string(), &text, code));
        }
    }
    let mut directories = vec![product.path("")];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).unwrap().flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => directories.push(entry.path()),
                Ok(kind) if kind.is_file() => {
                    let bytes = fs::read(entry.path()).unwrap_or_default();
                    found.extend(holds_code(
                        &entry.path().display().to_string(),
                        &String::from_utf8_lossy(&bytes),
                        code,
                    ));
                }
                _ => {}
            }
        }
    }
    found
}

#[test]
fn e3_a_code_is_in_no_argument_no_log_no_record_and_no_output() {
    let mut product = prepared("");
    product.environment.push(("TEGATA_LOG".to_owned(), "debug".to_owned()));
    product.start_daemon();
    let code = code(&product);
    product.sandbox().hold(Operation::GetSessionToken, HoldUntil::Released);
    let ended = std::thread::scope(|scope| {
        let logging_in = scope.spawn(|| log_in(&product, "deploy", &code));
        // On its way to AWS: the command line and the daemon both have it.
        assert!(product.sandbox().wait_for_waiting(Operation::GetSessionToken, 1, PATIENCE));
        canaries::assert_none(&find_code(&product, &code));
        product.sandbox().release(Operation::GetSessionToken);
        logging_in.join().unwrap()
    });
    assert_eq!(ended.code, 0, "{ended:?}");
    json(&product.credentials("deploy"));
    canaries::assert_none(&find_code(&product, &code));
    let said = format!("{}{}{}", ended.stdout, ended.stderr, product.run(&["status"]).stdout);
    assert_eq!(holds_code("the output", &said, &code), None);
    let asked = product.sandbox().requests_of(Operation::GetSessionToken).remove(0);
    assert!(asked.body.contains(&code) && !asked.target.contains(&code), "in the body alone: {asked:?}");
    assert!(!product.audit().is_empty());
}

#[test]
fn e3_twin_a_code_that_lies_about_is_found() {
    let product = product("");
    fs::write(product.path("history"), "login deploy 123987\n").unwrap();
    assert_eq!(find_code(&product, "123987").len(), 1);
    assert_eq!(holds_code("a hash", "9f123987aa 1123987 123987.", "123987").map(|found| found.form), Some("a code"));
    assert_eq!(holds_code("a hash", "9f123987aa 1123987", "123987"), None);
    assert!(Canaries::default().find_in("x", b"123987").is_empty(), "the usual search knows no codes");
}
