//! No secret lies anywhere but in the store and in the answers to who asked (security.md E1, E4 to E8).
//!
//! First canaries are planted in every place and form, to show that the search finds them; then a whole run is searched.
#![allow(clippy::unwrap_used, reason = "this is a test")]

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Stdio};
use std::time::Duration;
use tegata_sandbox::{CANARY, Effect, Fault, HoldUntil, Operation};
use tegata_tests::browser;
use tegata_tests::product::{Ended, PATIENCE, Product, run, wait_until};

/// A product that logs all it can, with its secrets in an encrypted file.
fn talkative() -> Product {
    let mut product = Product::new();
    for name in ["TEGATA_LOG", "RUST_LOG"] {
        product.environment.push((name.to_owned(), "trace".to_owned()));
    }
    product.environment.push(("RUST_BACKTRACE".to_owned(), "full".to_owned()));
    let key = product.path("key");
    fs::write(&key, [7; 32]).unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    product.environment.push(("CREDENTIALS_DIRECTORY".to_owned(), product.path("").display().to_string()));
    product.write_settings("store = \"file\"\n[file_store]\nsystemd_credential = \"key\"\n");
    product
}

/// Makes every token and every set of credentials due at once.
fn short_lives(product: &Product) {
    product.sandbox().configure(|settings| {
        settings.lifetimes.access_token = Duration::from_secs(3);
        settings.lifetimes.role_credentials = Some(Duration::from_secs(3));
    });
}

/// A program for `--browser` that notes what it and its parent show to everybody, and then opens nothing.
fn noting_browser(product: &Product) -> String {
    let notes = product.path("notes");
    fs::create_dir(&notes).unwrap();
    let program = product.path("surf");
    let script = "#!/bin/sh\n\
        cd \"${0%/*}/notes\" || exit 1\n\
        cat /proc/$$/cmdline >opener.cmdline\n\
        cat /proc/$$/environ >opener.environ\n\
        cat /proc/$PPID/cmdline >cli.cmdline\n\
        cat /proc/$PPID/environ >cli.environ\n\
        for fd in /proc/$$/fd/*; do echo \"${fd##*/} $(readlink \"$fd\")\"; done >opener.descriptors\n\
        printf %s \"$1\" >page.part && mv page.part page\n";
    // By a program of its own: a child of another test that holds the script open for writing keeps it from running.
    fs::write(product.path("surf.text"), script).unwrap();
    assert_eq!(run(product.command("cp").arg(product.path("surf.text")).arg(&program)).code, 0);
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    program.display().to_string()
}

/// Signs in through a browser that `tegata` starts itself.
fn sign_in_with_opener(product: &Product) -> Ended {
    let surf = noting_browser(product);
    let arguments = ["login", "corp", "--browser", &surf];
    let mut command = product.tegata(&arguments);
    let login = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let page = product.path("notes/page");
    wait_until("the opener has the page", || page.exists());
    let _ = browser::visit(&fs::read_to_string(page).unwrap());
    let ended = ended(login);
    product.heard(&arguments, &ended);
    ended
}

fn ended(child: Child) -> Ended {
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ended { code: output.status.code().unwrap_or(-1), stdout: text(output.stdout), stderr: text(output.stderr) }
}

fn sign_in_with_code(product: &Product) {
    let ended = product.run(&["login", "corp", "--device-code"]);
    assert_eq!(ended.code, 0, "{ended:?}");
}

/// Looks at a `credential-process` while it waits for AWS, and lets it end.
fn looked_at_while_waiting(product: &Product, look: impl FnOnce(u32)) -> Ended {
    product.sandbox().hold(Operation::GetRoleCredentials, HoldUntil::Released);
    let arguments = ["credential-process", "--profile", "dev"];
    let mut command = product.tegata(&arguments);
    let tool = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    assert!(product.sandbox().wait_for_waiting(Operation::GetRoleCredentials, 1, PATIENCE));
    look(tool.id());
    product.sandbox().release(Operation::GetRoleCredentials);
    let ended = ended(tool);
    product.heard(&arguments, &ended);
    ended
}

#[test]
fn e1_twin_a_canary_in_any_place_and_form_is_found() {
    let mut product = talkative();
    product.start_daemon();
    product.sign_in();
    assert_eq!(product.credentials("dev").code, 0);
    product.assert_no_canaries();
    let secrets = product.sandbox().minted_secrets();
    assert!(secrets.len() >= 4, "{}", secrets.len());
    for secret in secrets {
        let value = secret.value;
        assert!(value.contains(CANARY));
        for planted in [
            value.clone(),
            STANDARD.encode(&value),
            STANDARD.encode(format!("a{value}")),
            URL_SAFE_NO_PAD.encode(format!("ab{value}")),
            value.bytes().map(|byte| format!("%{byte:02X}")).collect(),
            value.bytes().map(|byte| format!("\\u{byte:04x}")).collect(),
            value.bytes().map(|byte| format!("{byte:02X}")).collect(),
            value[..40].to_owned(),
        ] {
            for place in [".local/state/tegata/planted", ".aws/planted", ".config/tegata/planted", "run/tegata/planted"]
            {
                let place = product.path(place);
                fs::write(&place, format!("text before {planted} text behind")).unwrap();
                let found = product.find_canaries();
                assert!(found.iter().any(|found| found.place == place.display().to_string()), "{planted} in {place:?}");
                fs::remove_file(place).unwrap();
            }
        }
    }
    product.assert_no_canaries();
}

#[test]
fn e1_twin_a_canary_in_the_log_an_output_or_a_name_is_found() {
    for plant in [
        |product: &Product| {
            let log =
                product.daemon_log() + "TRACE aws_smithy: CreateTokenOutput { refresh_token: \"aorAAAAACANARY\" }\n";
            fs::write(product.path("daemon.log"), log).unwrap();
        },
        |product: &Product| {
            let ended = Ended { code: 1, stdout: String::new(), stderr: "tegata: aoaAAAAACANARY".to_owned() };
            product.heard(&["credential-process", "--profile", "dev"], &ended);
        },
        |product: &Product| {
            let ended = Ended { code: 0, stdout: "{\"SecretAccessKey\":\"CANARY\"}".to_owned(), stderr: String::new() };
            product.heard(&["status", "--json"], &ended);
        },
        |product: &Product| fs::write(product.state_dir().join("token-CANARY"), "").unwrap(),
        |product: &Product| std::os::unix::fs::symlink("/CANARY", product.state_dir().join("link")).unwrap(),
    ] {
        let mut product = Product::new();
        product.start_daemon();
        product.assert_no_canaries();
        plant(&product);
        assert_eq!(product.find_canaries().len(), 1);
    }
}

#[test]
fn e4_twin_a_canary_in_arguments_or_environment_is_found() {
    let product = Product::new();
    let canaries = product.canaries();
    for (argument, variable) in [("CANARY0123", "no"), ("no", "CANARY0123")] {
        let mut command = product.command("/bin/sh");
        command.args(["-c", "echo; read -r wait", "sh", argument]).env("TOKEN", variable);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(canaries.find_in_process(child.id()).len(), 1);
        drop(child.stdin.take());
        child.wait().unwrap();
    }
}

#[test]
fn e1_a_whole_run_with_every_log_on_leaves_no_canary() {
    let mut product = talkative();
    product.start_daemon();
    assert_eq!(sign_in_with_opener(&product).code, 0, "{}", product.daemon_log());
    for profile in ["dev", "admin", "dev"] {
        assert_eq!(product.credentials(profile).code, 0);
    }
    for arguments in [&["status"][..], &["status", "--json"], &["list"], &["list", "--json"], &["daemon", "status"]] {
        let _ = product.run(arguments);
    }
    product.assert_no_canaries();
    sign_in_with_code(&product);
    product.kill_daemon();
    product.start_daemon();
    assert_eq!(product.credentials("dev").code, 0, "{}", product.daemon_log());
    assert_eq!(product.run(&["lock"]).code, 0);
    assert_eq!(product.credentials("dev").code, 12);
    assert_eq!(product.run(&["unlock"]).code, 0);
    assert_eq!(product.credentials("dev").code, 0);
    assert_eq!(product.run(&["logout", "corp"]).code, 0);
    assert_eq!(product.credentials("dev").code, 10);
    assert_eq!(product.run(&["daemon", "stop"]).code, 0);
    assert!(product.daemon_log().contains("tegata"), "nothing was logged, so nothing was searched");
    product.assert_no_canaries();
}

#[test]
fn e1_renewal_at_trace_leaves_no_canary() {
    let mut product = talkative();
    short_lives(&product);
    product.start_daemon();
    product.sign_in();
    assert_eq!(product.credentials("dev").code, 0);
    let sandbox = product.sandbox();
    wait_until("the token is renewed", || {
        assert_eq!(product.credentials("admin").code, 0);
        sandbox.calls(Operation::CreateTokenRefreshToken) > 0
    });
    product.assert_no_canaries();
}

/// What AWS may answer with in place of what was asked for, holding what it was asked with.
fn hostile_answers(secret: &str) -> Vec<Effect> {
    let error = |status, code: &str| Effect::Error {
        status,
        code: code.to_owned(),
        message: format!("\u{1b}]52;c;x\u{7}the token {secret} is not good\r\n\u{202e}"),
        retry_after: None,
    };
    let answer = |status, content_type: &str, body: String| Effect::Answer {
        status,
        content_type: content_type.to_owned(),
        body,
    };
    vec![
        error(400, "InvalidRequestException"),
        error(401, "UnauthorizedException"),
        error(403, "ForbiddenException"),
        error(500, &format!("Internal{secret}")),
        answer(502, "text/html", format!("<html>{secret}</html>")),
        answer(200, "application/json", format!("{{\"roleCredentials\":{{\"accessKeyId\":\"{secret}\"}}}}")),
        answer(200, "application/json", format!("{{\"accessToken\":\"{secret}\",\"expiresIn\":\"{secret}\"}}")),
        answer(200, "application/json", format!("{secret}{{")),
        Effect::Garbage,
        Effect::Huge { bytes: 10_000_000 },
        Effect::CutBody,
        Effect::LoseAnswer,
        Effect::Redirect { location: format!("http://127.0.0.1:9/{secret}") },
    ]
}

#[test]
fn e7_errors_of_aws_that_repeat_a_secret_do_not_spread_it() {
    let mut product = talkative();
    product.start_daemon();
    product.sign_in();
    for which in 0..hostile_answers("").len() {
        let tokens = product.sandbox().minted_secrets().into_iter().rev();
        let token = tokens.map(|secret| secret.value).find(|value| value.starts_with("aoa")).unwrap();
        let effect = hostile_answers(&token).swap_remove(which);
        let shown = format!("{effect:?}");
        product.sandbox().fault(Fault::on(Operation::GetRoleCredentials, effect));
        let ended = product.run(&["credential-process", "--profile", "dev", "--wait", "3"]);
        assert!(ended.code != 0 && ended.stdout.is_empty(), "{shown}: {ended:?}");
        assert_eq!(ended.stderr.lines().count(), 1, "{shown}: {ended:?}");
        product.sandbox().clear_faults();
        product.assert_no_canaries();
        // What failed is remembered for a moment and what came since is kept; this forgets both.
        product.sign_in();
        assert_eq!((product.run(&["lock"]).code, product.run(&["unlock"]).code), (0, 0));
    }
}

#[test]
fn e7_a_sign_in_that_fails_tells_no_secret() {
    let mut product = talkative();
    product.start_daemon();
    product.sign_in();
    let secrets = product.sandbox().minted_secrets();
    let secret = &secrets.iter().find(|s| s.value.starts_with("eyJ")).unwrap().value;
    for effect in hostile_answers(secret).into_iter().take(5) {
        for (operation, arguments) in [
            (Operation::CreateTokenAuthorizationCode, &["login", "corp", "--print"][..]),
            (Operation::StartDeviceAuthorization, &["login", "corp", "--device-code"]),
        ] {
            let shown = format!("{effect:?} to {operation}");
            product.sandbox().fault(Fault::on(operation, effect.clone()));
            let ended = product.sign_in_with(arguments);
            assert_ne!(ended.code, 0, "{shown}: {ended:?}");
            product.sandbox().clear_faults();
            product.assert_no_canaries();
        }
    }
}

#[test]
fn e7_twin_credentials_go_to_stdout_and_nothing_goes_to_stderr() {
    let mut product = Product::new();
    product.start_daemon();
    product.sign_in();
    let ended = product.credentials("dev");
    assert!(ended.stdout.contains(CANARY) && ended.stderr.is_empty(), "{ended:?}");
}

#[test]
fn e4_no_process_shows_a_secret_while_it_runs() {
    let mut product = Product::new();
    let daemon = product.start_daemon();
    assert_eq!(sign_in_with_opener(&product).code, 0, "{}", product.daemon_log());
    let mut looked = Vec::new();
    let ended = looked_at_while_waiting(&product, |tool| {
        let canaries = product.canaries();
        looked = [canaries.find_in_process(tool), canaries.find_in_process(daemon)].concat();
        let arguments = fs::read_to_string(format!("/proc/{tool}/cmdline")).unwrap();
        assert!(arguments.contains("credential-process"), "{arguments}");
    });
    assert!(ended.code == 0 && ended.stdout.contains(CANARY), "{ended:?}");
    tegata_tests::canaries::assert_none(&looked);
    // The notes of the opener, about itself and about the `tegata login` that started it, are files of the home.
    assert!(fs::read_to_string(product.path("notes/cli.cmdline")).unwrap().contains("login"));
    assert!(!fs::read(product.path("notes/opener.environ")).unwrap().is_empty());
    product.assert_no_canaries();
}

fn variables(environ: &[u8]) -> Vec<String> {
    let mut all: Vec<String> = String::from_utf8_lossy(environ).split('\0').map(str::to_owned).collect();
    all.retain(|variable| !variable.is_empty());
    all.sort_unstable();
    all
}

#[test]
fn e5_a_child_gets_the_users_variables_and_none_of_ours() {
    let mut product = Product::new();
    product.start_daemon();
    assert_eq!(sign_in_with_opener(&product).code, 0);
    let read = |name: &str| variables(&fs::read(product.path("notes").join(name)).unwrap());
    let (opener, own) = (read("opener.environ"), read("cli.environ"));
    assert_eq!(opener, own, "the browser's variables are those of the person's terminal");
    assert!(
        !opener.iter().any(|variable| variable.starts_with("AWS_") || variable.starts_with("TEGATA_")),
        "{opener:?}"
    );
}

#[test]
fn e5_twin_a_variable_of_the_person_reaches_the_browser() {
    let mut product = Product::new();
    product.environment.push(("MOZ_ENABLE_WAYLAND".to_owned(), "1".to_owned()));
    product.start_daemon();
    assert_eq!(sign_in_with_opener(&product).code, 0);
    let opener = variables(&fs::read(product.path("notes/opener.environ")).unwrap());
    assert!(opener.contains(&"MOZ_ENABLE_WAYLAND=1".to_owned()), "{opener:?}");
}

/// The descriptors a program has that `surf` noted: number and target, without what the shell that notes opens itself.
fn descriptors(product: &Product) -> Vec<String> {
    let notes = fs::read_to_string(product.path("notes/opener.descriptors")).unwrap();
    let foreign = |line: &&str| !line.contains("/surf") && !line.contains("/notes/") && !line.starts_with("1");
    // Pipes have other numbers in each process.
    let target = |line: &str| line.split(":[").next().unwrap_or_default().to_owned();
    notes.lines().filter(foreign).map(target).collect()
}

#[test]
fn e6_a_child_gets_three_descriptors_that_lead_nowhere_and_none_of_ours() {
    let mut product = Product::new();
    product.start_daemon();
    assert_eq!(sign_in_with_opener(&product).code, 0);
    let opener = descriptors(&product);
    // What the person's own shell leaves open is open in every program; here it is what cargo leaves open.
    let mut directly = product.command(product.path("surf"));
    assert_eq!(run(directly.arg("http://127.0.0.1/").stderr(Stdio::null())).code, 0);
    assert_eq!(opener, descriptors(&product));
    assert!(opener.contains(&"0 /dev/null".to_owned()) && opener.contains(&"2 /dev/null".to_owned()), "{opener:?}");
}

#[test]
fn e6_twin_a_descriptor_that_is_passed_on_is_seen() {
    let product = Product::new();
    noting_browser(&product);
    let file = fs::File::create(product.path("passed-on")).unwrap();
    let mut command = product.command(product.path("surf"));
    command.arg("http://127.0.0.1/").stdin(file);
    assert_eq!(run(&mut command).code, 0);
    let notes = fs::read_to_string(product.path("notes/opener.descriptors")).unwrap();
    assert!(notes.lines().any(|line| line.starts_with("0 ") && line.ends_with("/passed-on")), "{notes}");
}

#[test]
fn e8_only_credential_process_prints_secrets() {
    let mut product = Product::new();
    product.start_daemon();
    product.sign_in();
    assert_eq!(product.credentials("dev").code, 0);
    for arguments in [&["status", "--json"][..], &["list", "--json"], &["daemon", "status"], &["lock"], &["unlock"]] {
        let _ = product.run(arguments);
    }
    product.assert_no_canaries();
}

#[test]
fn e9_the_output_is_one_object_of_version_one_and_a_line_end_or_nothing() {
    let mut product = Product::new();
    product.start_daemon();
    let nothing = product.credentials("dev");
    assert!(nothing.stdout.is_empty() && nothing.code != 0, "{nothing:?}");
}

#[test]
fn e9_twin_with_a_sign_in_it_is_one_object_on_one_line() {
    let mut product = Product::new();
    product.start_daemon();
    product.sign_in();
    let ended = product.credentials("dev");
    assert!(ended.stdout.ends_with("}\n") && ended.stdout.lines().count() == 1, "{ended:?}");
    let json: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(json["Version"], 1);
}
