//! `tegata doctor` in a home where much is wrong, in one where nothing is, and without a daemon.

use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use tegata_tests::product::Product;

fn findings(product: &Product) -> (i32, Vec<Value>) {
    let ended = product.run(&["doctor", "--json"]);
    let json: Value = serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error}: {ended:?}"));
    assert_eq!(json["clean"], ended.code == 0, "{ended:?}");
    (ended.code, json["findings"].as_array().unwrap().clone())
}

fn of<'a>(findings: &'a [Value], check: &str) -> Vec<&'a Value> {
    findings.iter().filter(|finding| finding["check"] == check).collect()
}

/// A home in which nothing is wrong: a store that lasts, a sign-in, two passkeys.
fn well() -> Product {
    let mut product = Product::new();
    product.store_in_files();
    product.start_daemon();
    product.sign_in();
    let mut first = product.enrol("alice", None);
    let _second = product.enrol("bob", Some(&mut first));
    own(&product);
    product
}

/// Whatever umask the tests run with, these are the user's own.
fn own(product: &Product) {
    for (path, mode) in [(".aws", 0o700), (".aws/config", 0o600), (".config/tegata/config.toml", 0o600)] {
        fs::set_permissions(product.path(path), fs::Permissions::from_mode(mode)).unwrap();
    }
}

#[test]
fn a_home_in_which_nothing_is_wrong_is_clean() {
    let product = well();
    let ended = product.run(&["doctor"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{ended:?}");
    assert!(ended.stdout.contains("store       file, ready\n"), "{ended:?}");
    assert!(ended.stdout.contains("tiers       none: 1, prompt: 1\n"), "{ended:?}");
    assert!(ended.stdout.ends_with("\nNothing was found.\n"), "{ended:?}");
    assert_eq!(findings(&product), (0, vec![]));
    product.assert_no_canaries();
}

#[test]
fn without_a_daemon_it_looks_at_the_rest_and_starts_none() {
    let product = Product::new();
    own(&product);
    let (code, found) = findings(&product);
    assert_eq!(code, 0, "{found:?}");
    assert_eq!((found.len(), &found[0]["severity"]), (1, &Value::from("note")), "{found:?}");
    assert!(!product.socket().exists(), "no daemon was started");
}

#[test]
fn a_home_in_which_much_is_wrong_names_each_with_its_command() {
    let mut product = Product::new();
    let home = |path: &str| product.path(path);
    for directory in [".aws/sso/cache", ".aws/cli/cache", ".aws/login/cache"] {
        fs::create_dir_all(home(directory)).unwrap();
    }
    own(&product);
    fs::set_permissions(home(".aws/sso/cache"), fs::Permissions::from_mode(0o700)).unwrap();
    let key = "[default]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = wJalrCANARYCANARYCANARY\n";
    fs::write(home(".aws/credentials"), key).unwrap();
    fs::set_permissions(home(".aws/credentials"), fs::Permissions::from_mode(0o644)).unwrap();
    let token = r#"{"startUrl":"https://acme.awsapps.com/start","accessToken":"CANARYCANARYabcd","refreshToken":"CANARYCANARYwxyz"}"#;
    fs::write(home(".aws/sso/cache/ee0b.json"), token).unwrap();
    fs::write(home(".aws/sso/cache/reg.json"), r#"{"clientId":"x","clientSecret":"CANARYCANARYreg1"}"#).unwrap();
    let role = r#"{"Credentials":{"AccessKeyId":"ASIAIOSFODNN7EXAMROL","SecretAccessKey":"CANARYCANARYrole"}}"#;
    fs::write(home(".aws/cli/cache/8457.json"), role).unwrap();
    fs::write(home(".aws/login/cache/68af.json"), r#"{"refreshToken":"CANARYCANARYlgin","dpopKey":"CANARY"}"#).unwrap();
    let config = product.default_aws_config();
    let stale = config.replacen(
        &format!("credential_process = {}", product.cli_binary.display()),
        "credential_process = /gone/tegata",
        1,
    );
    let services = "[services local]\nsts =\n  endpoint_url = http://127.0.0.1:4566\n";
    product.write_aws_config(&format!("{stale}{services}"));
    for (name, value) in
        [("AWS_ENDPOINT_URL", "http://127.0.0.1:4566"), ("AWS_ACCESS_KEY_ID", "AKIAX"), ("SHELL", "/bin/zsh")]
    {
        product.environment.push((name.to_owned(), value.to_owned()));
    }
    product.start_daemon();
    product.sign_in();
    let _only = product.enrol("alice", None);

    let (code, found) = findings(&product);
    assert_eq!(code, 1);
    let mends =
        |check: &str| of(&found, check).iter().map(|f| f["mend"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    let path = |path: &str| product.path(path).display().to_string();
    assert_eq!(mends("credential_process"), ["tegata doctor --fix"]);
    assert_eq!(mends("permissions"), [format!("chmod go= {}", path(".aws/credentials"))]);
    assert_eq!(mends("variables"), ["unset AWS_ACCESS_KEY_ID"]);
    assert_eq!(mends("passkeys"), ["tegata passkey add"]);
    assert_eq!(of(&found, "endpoints").len(), 2, "{found:?}");
    assert_eq!(of(&found, "shell")[0]["severity"], "note");
    assert_eq!(of(&found, "store")[0]["severity"], "warning", "the memory forgets");
    assert_eq!(
        mends("secrets on disk"),
        [
            format!("\"${{EDITOR:-vi}}\" {}", path(".aws/credentials")),
            "tegata adopt-session".to_owned(),
            format!("rm {}", path(".aws/cli/cache/8457.json")),
            format!("rm {}", path(".aws/login/cache/68af.json")),
        ]
    );
    let lines: Vec<_> = of(&found, "secrets on disk").iter().map(|f| f["line"].as_str().unwrap().to_owned()).collect();
    for (line, tail) in lines.iter().zip(["…MPLE", "…wxyz", "…MROL", "…lgin"]) {
        assert!(line.contains(tail), "{line}");
    }
    assert!(of(&found, "daemon").iter().any(|f| f["line"].as_str().unwrap().contains("AWS_ENDPOINT_URL")), "{found:?}");
    let ended = product.run(&["doctor"]);
    assert!(ended.code == 1 && ended.stdout.contains("SEVERITY  CHECK"), "{ended:?}");
    for said in [&ended.stdout, &Value::from(found).to_string()] {
        assert!(!said.contains("CANARY"), "{said}");
    }
}

#[test]
fn a_stale_path_is_mended_and_nothing_else_changes_and_it_can_be_undone() {
    let product = well();
    let good = product.default_aws_config();
    let own = product.cli_binary.display().to_string();
    let stale = format!(
        "# mine\n{}# end",
        good.replace(&format!("credential_process = {own}"), "credential_process = /gone/tegata")
    );
    product.write_aws_config(&stale);
    assert_eq!(findings(&product).0, 1);
    let ended = product.run(&["doctor", "--fix"]);
    assert!(ended.code == 0 && ended.stderr.starts_with("Mended 2 lines of "), "{ended:?}");
    assert_eq!(fs::read_to_string(product.path(".aws/config")).unwrap(), format!("# mine\n{good}# end"));
    assert_eq!(product.credentials("dev").code, 0);
    assert_eq!(product.run(&["doctor", "--fix"]).stderr, "", "nothing is left to mend");
    assert_eq!(product.run(&["setup", "--undo", "--yes"]).code, 0);
    assert_eq!(fs::read_to_string(product.path(".aws/config")).unwrap(), stale, "and it can be taken back");
}

#[test]
fn what_stands_still_is_said_with_its_command() {
    let mut product = well();
    assert_eq!(product.run(&["lock"]).code, 0);
    let (code, found) = findings(&product);
    assert_eq!((code, found[0]["mend"].as_str()), (1, Some("tegata unlock")), "{found:?}");
    product.kill_daemon();
    product.write_aws_config("[profile broken]\ntegata_sso_session = nowhere\n");
    product.start_daemon();
    let (code, found) = findings(&product);
    assert_eq!(code, 1);
    assert!(of(&found, "profiles")[0]["line"].as_str().unwrap().starts_with("broken cannot be served: "), "{found:?}");
}
