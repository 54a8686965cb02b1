//! The AWS config file and the clock, as they change under a running daemon.

use std::fs;
use tegata_sandbox::Operation;
use tegata_tests::product::{Ended, Product, run};

fn signed_in() -> Product {
    let mut product = Product::new();
    product.start_daemon();
    product.sign_in();
    product
}

fn profile(name: &str, account: &str, role: &str) -> String {
    format!(
        "[profile {name}]\ntegata_sso_session = corp\ntegata_sso_account_id = {account}\ntegata_sso_role_name = {role}\n\n"
    )
}

fn is_served(ended: &Ended) {
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{ended:?}");
}

fn is_refused(ended: &Ended, code: i32, said: &str) {
    assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.lines().count()), (code, "", 1), "{ended:?}");
    assert!(ended.stderr.starts_with("tegata: ") && ended.stderr.contains(said), "{ended:?}");
}

/// What the last request for credentials asked for.
fn last_asked(product: &Product) -> String {
    product.sandbox().requests_of(Operation::GetRoleCredentials).last().unwrap().target.clone()
}

#[test]
fn a_new_profile_is_served_without_a_restart() {
    let product = signed_in();
    is_refused(&product.credentials("later"), 13, "later");
    product.write_aws_config(&(product.default_aws_config() + &profile("later", "210987654321", "ReadOnly")));
    is_served(&product.credentials("later"));
    assert!(last_asked(&product).contains("account_id=210987654321"));
}

#[test]
fn a_profile_that_reaches_something_else_now_gets_something_else() {
    let product = signed_in();
    is_served(&product.credentials("dev"));
    let changed =
        product.default_aws_config().replace("tegata_sso_role_name = ReadOnly", "tegata_sso_role_name = Admin");
    product.write_aws_config(&changed);
    is_served(&product.credentials("dev"));
    assert!(last_asked(&product).contains("role_name=Admin"));
    product.write_aws_config(&product.default_aws_config());
    is_served(&product.credentials("dev"));
    assert_eq!(product.sandbox().calls(Operation::GetRoleCredentials), 2, "what is still alive is not asked for again");
}

#[test]
fn a_profile_that_is_gone_is_refused_and_the_nearest_is_named() {
    let product = signed_in();
    is_served(&product.credentials("dev"));
    product.write_aws_config(&product.default_aws_config().replace("[profile dev]", "[profile develop]"));
    is_refused(&product.credentials("dev"), 13, "develop");
    is_served(&product.credentials("admin"));
}

#[test]
fn a_file_that_cannot_be_read_is_one_line_and_all_is_well_when_it_is_mended() {
    let product = signed_in();
    let config = product.default_aws_config();
    for broken in
        ["[profile dev\nregion", "[sso-session corp]\nsso_start_url = x\n[profile dev]\ntegata_sso_session = corp\n"]
    {
        product.write_aws_config(broken);
        is_refused(&product.credentials("dev"), 13, "");
    }
    product.write_aws_config(&config);
    is_served(&product.credentials("dev"));
}

#[test]
fn a_session_that_moved_to_another_start_url_gets_no_tokens_of_the_old_one() {
    let product = signed_in();
    is_served(&product.credentials("dev"));
    let moved = product.default_aws_config().replace("d-1234567890", "d-6666666666");
    product.write_aws_config(&moved);
    product.sandbox().forget_traffic();
    is_refused(&product.credentials("admin"), 13, "run: tegata logout corp && tegata login corp");
    assert_eq!(product.sandbox().requests(), []);
    product.write_aws_config(&product.default_aws_config());
    is_served(&product.credentials("admin"));
}

#[test]
fn each_request_brings_its_own_config_file() {
    let product = signed_in();
    let session = product.default_aws_config().split("[profile").next().unwrap().to_owned();
    for (name, account) in [("one", "123456789012"), ("two", "210987654321")] {
        fs::write(product.path(name), session.clone() + &profile("work", account, "ReadOnly")).unwrap();
    }
    let ask = |config: &str, profile: &str| {
        let mut command = product.tegata(&["credential-process", "--profile", profile]);
        run(command.env("AWS_CONFIG_FILE", config))
    };
    let absolute = product.path("one").display().to_string();
    for (config, account) in [(absolute.as_str(), "123456789012"), ("two", "210987654321"), ("~/one", "123456789012")] {
        let ended = ask(config, "work");
        is_served(&ended);
        assert!(ended.stdout.contains(account), "{config}");
    }
    is_refused(&ask("one", "dev"), 13, "dev");
    is_refused(&product.credentials("work"), 13, "work");
    is_refused(&ask("nowhere", "work"), 13, "nowhere");
    is_served(&product.credentials("dev"));
    assert_eq!(product.sandbox().calls(Operation::GetRoleCredentials), 2, "one role, however it is reached");
}

#[test]
fn d18_a_clock_that_is_wrong_is_said_once() {
    for (offset_ms, way) in [(120_000, "2 min behind AWS"), (-120_000, "2 min ahead of AWS")] {
        let mut product = Product::new();
        product.sandbox().configure(|settings| settings.date_header_offset_ms = offset_ms);
        product.start_daemon();
        product.sign_in();
        let status = product.run(&["status"]).stdout;
        let told: Vec<_> = status.lines().filter(|line| line.contains("clock")).collect();
        assert!(matches!(told[..], [line] if line.contains(way)), "{status}");
        let json: serde_json::Value = serde_json::from_str(&product.run(&["status", "--json"]).stdout).unwrap();
        let skew = json["clock_skew_seconds"].as_i64().unwrap();
        assert!((skew * 1000 + offset_ms).abs() <= 5_000, "{skew}");
        is_served(&product.credentials("dev"));
    }
}

#[test]
fn d18_twin_a_clock_that_is_right_is_not_worth_a_word() {
    let product = signed_in();
    assert!(!product.run(&["status"]).stdout.contains("clock"));
}
