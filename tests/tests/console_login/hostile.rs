//! Hostile values for every key of a console login, in who AWS says has signed in, and in what its token endpoint answers: one line,
//! nothing kept, and everybody else is served on.

use super::{ALICE, LOG_IN, assert_refused, kept_in_files, key, machine, process_of, somebody_else_is_at_the_browser};
use serde_json::{Value, json};
use std::fs;
use tegata_sandbox::{Effect, Fault, Operation};
use tegata_tests::iam_user::section;
use tegata_tests::product::Product;

/// What no ARN and no region may be. The first is what runs where somebody gives it to a shell.
fn hostile(witness: &str) -> Vec<String> {
    let program = format!("$(touch {witness})`touch {witness}`;touch {witness}|touch {witness}&");
    let values = [
        &program,
        "",
        " ",
        "a\u{0}b",
        "\u{1b}]52;c;x\u{7}",
        "\u{202e}arn:aws:iam::123456789012:user/a",
        "us-east-1\u{200b}",
        "us-еast-1",
        "us-east-1.evil.example",
        "us-east-1/../..",
        "evil.example#",
        "user@evil.example",
        "../../../../etc/shadow",
        "arn:evil:iam::123456789012:user/a",
        "arn:aws-cn:iam::123456789012:user/a",
        "аrn:aws:iam::123456789012:user/a",
        "arn:aws:iam::12345678901２:user/a",
        "arn:aws:iam::123456789012:root",
        "arn:aws:iam::123456789012:role/Admin",
        "arn:aws:sts::123456789012:assumed-role/Admin/a/../b",
        "arn:aws:sts::123456789012:assumed-role/Admin/a b",
        "arn:aws:iam::123456789012:user/a;b",
        "arn:aws:iam::123456789012:user/%2e%2e",
        &"x".repeat(1 << 20),
    ];
    values.map(str::to_owned).to_vec()
}

#[test]
fn h4_no_value_of_a_key_is_a_program_a_second_line_or_another_host() {
    let product = machine();
    product.sign_in();
    let witness = product.path("witness");
    process_of(&product, "dev");
    let asked = product.sandbox().requests().len();
    for value in hostile(&witness.display().to_string()) {
        for key in ["tegata_login_session", "login_session", "region"] {
            let keys = match key {
                "region" => format!("region = {value}\ntegata_login_session = {ALICE}"),
                key => format!("region = us-east-1\n{key} = {value}"),
            };
            // Beside it `dev` stays, before and after.
            product.write_aws_config(&format!("{}[profile me]\n{keys}\n", product.default_aws_config()));
            let ended = product.credentials("me");
            assert_refused(&ended, 13, &[]);
            assert_eq!((ended.stdout.as_str(), ended.stderr.lines().count()), ("", 1), "{key} = {value:.60}");
            // A NUL and a line longer than 64 KiB cost the file; everything else costs its profile alone.
            let is_text = !value.contains('\0') && value.len() < 1 << 16;
            assert_eq!(product.credentials("dev").code, if is_text { 0 } else { 13 }, "{value:.60}");
        }
    }
    assert_eq!(product.sandbox().requests().len(), asked, "{:?}", product.sandbox().requests());
    assert!(!witness.exists());
    product.write_aws_config(&product.default_aws_config());
    process_of(&product, "dev");
}

#[test]
fn h4_no_such_value_begins_a_sign_in() {
    let product = machine();
    let witness = product.path("witness").display().to_string();
    let begin = |region: &str| product.run(&["login", "--console", "me", "--region", region, "--print", "--yes"]);
    assert_refused(&begin("us-east-1\n[profile admin]"), 2, &[]);
    for value in hostile(&witness).into_iter().filter(|value| value.len() < 1 << 16 && !value.contains('\0')) {
        assert_refused(&begin(&value), 2, &[]);
        let keys = format!("region = us-east-1\ntegata_login_session = {value}");
        product.write_aws_config(&format!("[profile me]\n{keys}\n"));
        for arguments in [&["login", "--console", "me", "--print", "--yes"][..], &["login", "me", "--print"][..]] {
            let ended = product.run(arguments);
            assert_refused(&ended, 13, &[]);
        }
        product.write_aws_config("");
    }
    assert!(product.sandbox().requests().is_empty(), "{:?}", product.sandbox().requests());
    assert!(!fs::exists(witness).unwrap());
}

/// A JWT that says this of who signed in.
fn id_token(claims: &str) -> String {
    use base64::Engine as _;
    let part = |text: &str| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text);
    format!("{}.{}.{}", part("{\"alg\":\"none\"}"), part(claims), part("CANARY"))
}

fn answer(change: impl Fn(&mut Value)) -> Effect {
    let mut body = json!({
        "accessToken": { "accessKeyId": "ASIAEXAMPLE", "secretAccessKey": "CANARY-secret", "sessionToken": "CANARY-token" },
        "tokenType": "aws_sigv4",
        "expiresIn": 900,
        "refreshToken": "CANARY-refresh",
        "idToken": id_token(&format!("{{\"sub\":\"{ALICE}\"}}")),
    });
    change(&mut body);
    Effect::Answer { status: 200, content_type: "application/json".to_owned(), body: body.to_string() }
}

/// Nobody is signed in, nothing is written, and no word of what AWS sent has come through.
fn nothing_is_left(product: &Product, what: &str) {
    let config = fs::read_to_string(product.path(".aws/config")).unwrap();
    assert!(!config.contains("[profile me]"), "{what}: {config}");
    let status = product.api("GET", "/v1/status", None).1;
    assert_eq!(status.get("identities").and_then(Value::as_array).map_or(0, Vec::len), 0, "{what}: {status}");
    assert!(!product.daemon_log().contains("CANARY"), "{what}: {}", product.daemon_log());
}

#[test]
fn whoever_aws_names_is_an_identity_of_this_partition_or_nobody() {
    let product = machine();
    let long = format!("arn:aws:iam::123456789012:user/{}", "a".repeat(1 << 20));
    for sub in [
        "arn:aws:iam::123456789012:root",
        "arn:aws-cn:iam::123456789012:user/a",
        "arn:evil:iam::123456789012:user/a",
        "arn:aws:iam::123456789012:user/a\n[profile admin]",
        "arn:aws:iam::123456789012:user/a\u{0}",
        "arn:aws:iam::123456789012:user/\u{202e}a",
        "аrn:aws:iam::123456789012:user/a",
        "arn:aws:iam::123456789012:user/../../etc/passwd",
        "arn:aws:iam::123456789012:user/$(id)",
        "arn:aws:iam::123456789012:role/Admin",
        "",
        &long,
    ] {
        let token = id_token(&json!({ "sub": sub }).to_string());
        let effect = answer(|body| body["idToken"] = token.clone().into());
        product.sandbox().fault(Fault::on(Operation::CreateOAuth2TokenAuthorizationCode, effect).times(1));
        let ended = product.sign_in_with(&LOG_IN);
        assert!([10, 14].contains(&ended.code) && !ended.stderr.contains("CANARY"), "{sub:.60}: {ended:?}");
        assert_refused(&ended, ended.code, &[]);
        nothing_is_left(&product, sub);
    }
    for token in ["", "a", "a.b.c", "..", &id_token("{}"), &id_token("[]"), &id_token("{\"sub\":7}")] {
        let effect = answer(|body| body["idToken"] = token.into());
        product.sandbox().fault(Fault::on(Operation::CreateOAuth2TokenAuthorizationCode, effect).times(1));
        let ended = product.sign_in_with(&LOG_IN);
        assert_refused(&ended, 10, &["AWS did not say who signed in", "run: tegata login --console me"]);
        nothing_is_left(&product, token);
    }
    // Twin: who is somebody in this partition is signed in.
    somebody_else_is_at_the_browser(&product, "arn:aws:iam::123456789012:user/team/bob");
    super::log_in(&product);
    key(&product);
}

#[test]
fn d9_a_renewal_whose_answer_cannot_be_right_costs_nothing_but_that_answer() {
    let mut product = kept_in_files();
    let refused = |code: &str| Effect::Error {
        status: 403,
        code: code.to_owned(),
        message: "\u{1b}]52;c;AAAA\u{7}\r\nwords".to_owned(),
        retry_after: None,
    };
    let effects = [
        ("no life", answer(|body| body["expiresIn"] = 0.into())),
        ("a day", answer(|body| body["expiresIn"] = 86_400.into())),
        ("another type", answer(|body| body["tokenType"] = "Bearer".into())),
        ("no next token", answer(|body| drop(body.as_object_mut().unwrap().remove("refreshToken")))),
        ("a key of two lines", answer(|body| body["accessToken"]["accessKeyId"] = "A\nB".into())),
        ("an empty secret", answer(|body| body["accessToken"]["secretAccessKey"] = "".into())),
        ("no JSON", Effect::Garbage),
        ("ten megabytes", Effect::Huge { bytes: 10_000_000 }),
        ("elsewhere", Effect::Redirect { location: "http://127.0.0.1:9/".to_owned() }),
        ("no permission", refused("INSUFFICIENT_PERMISSIONS")),
        ("another word", refused("INVALID_REQUEST")),
    ];
    for (what, effect) in effects {
        // A daemon that has just begun has nothing in memory, and remembers no failure.
        product.kill_daemon();
        product.start_daemon();
        product.sandbox().fault(Fault::on(Operation::CreateOAuth2TokenRefreshToken, effect).times(1));
        let ended = product.credentials("me");
        assert_refused(&ended, 14, &[]);
        assert_eq!((ended.stdout.as_str(), ended.stderr.lines().count()), ("", 1), "{what}: {ended:?}");
        if what == "no permission" {
            assert_refused(&ended, 14, &["it takes the managed policy SignInLocalDevelopmentAccess"]);
        }
        product.kill_daemon();
        product.start_daemon();
        key(&product);
    }
    assert_eq!(product.sandbox().logins().len(), 1, "nobody signed in again");
    product.assert_no_canaries();
}

/// A profile of somebody else's config file, which a caller may name, has no more than its own ARN.
#[test]
fn another_config_file_reaches_no_login_but_the_one_it_names() {
    let product = super::signed_in();
    let other = product.path("other");
    fs::write(&other, section("me", "tegata_login_session = arn:aws:iam::123456789012:user/bob")).unwrap();
    let mut command = product.tegata(&["credential-process", "--profile", "me"]);
    let ended = tegata_tests::product::run(command.env("AWS_CONFIG_FILE", &other));
    assert_refused(&ended, 10, &["arn:aws:iam::123456789012:user/bob has not signed in to the console here"]);
    // The region of the file is where the next sign-in is made, and leads no token of this one elsewhere.
    fs::write(&other, section("me", &format!("tegata_login_session = {ALICE}")).replace("us-east-1", "eu-west-1"))
        .unwrap();
    assert!(product.run(&["lock"]).code == 0 && product.run(&["unlock"]).code == 0);
    let mut command = product.tegata(&["credential-process", "--profile", "me"]);
    let ended = tegata_tests::product::run(command.env("AWS_CONFIG_FILE", &other));
    assert_eq!(ended.code, 0, "{ended:?}");
    let status = product.api("GET", "/v1/status", None).1;
    assert_eq!(status["identities"][0]["region"], "us-east-1", "{status}");
}
