//! What AWS config and a caller's environment may say of a console login, and what they may not.

use super::{ALICE, LOG_IN, assert_refused, config, exchanges, key, log_in, machine, process_of};
use std::net::TcpListener;
use tegata_tests::product::Product;

fn of_aws_login(names: &[&str]) -> String {
    names.iter().map(|name| format!("[profile {name}]\nlogin_session = {ALICE}\nregion = us-east-1\n\n")).collect()
}

#[test]
fn a_profile_of_aws_login_is_adopted_once_its_identity_has_signed_in_here() {
    let product = machine();
    let before = format!("{}{}", product.default_aws_config(), of_aws_login(&["first", "second", "third"]));
    product.write_aws_config(&before);
    let refused = product.run(&["setup", "--adopt", "second", "--yes"]);
    let said = format!("{ALICE} of profile second has not signed in to the console here");
    assert_refused(&refused, 10, &[&said, "a sign-in of aws login stays its own; run: tegata login --console second"]);
    assert_eq!((refused.stdout.as_str(), config(&product)), ("", before.clone()));

    // By the profile's name alone nothing is written without the person's word.
    let ended = product.sign_in_with(&["login", "first", "--print"]);
    let hint = "AWS clients do not ask Tegata for first yet; run: tegata setup --adopt first";
    assert!(ended.code == 0 && ended.stderr.contains(hint), "{ended:?}");
    assert_eq!(config(&product), before);
    // It is served for those who ask by name.
    process_of(&product, "first");

    let adopted = product.run(&["setup", "--adopt", "second", "--yes"]);
    assert_eq!(adopted.code, 0, "{adopted:?}");
    let written = config(&product);
    let (_, second) = written.split_once("[profile second]\n").unwrap();
    assert!(second.starts_with(&format!("tegata_login_session = {ALICE}\ncredential_process = ")), "{written}");
    let console = product.sign_in_with(&["login", "--console", "third", "--print", "--yes"]);
    assert_eq!(console.code, 0, "{console:?}");
    assert_eq!(config(&product).matches("\nlogin_session").count(), 1, "first is as it was: {}", config(&product));
    for profile in ["first", "second", "third"] {
        process_of(&product, profile);
    }
    let undone = product.run(&["setup", "--undo", "--yes"]);
    assert!(undone.code == 0 && config(&product) == written, "{undone:?}");
}

#[test]
fn d13_no_endpoint_of_the_environment_or_of_aws_config_gets_a_code_or_a_token() {
    let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    let url = format!("http://{}", elsewhere.local_addr().unwrap());
    let mut product = Product::new();
    for name in ["AWS_ENDPOINT_URL_SIGNIN", "AWS_ENDPOINT_URL"] {
        product.environment.push((name.to_owned(), url.clone()));
    }
    let services = format!(
        "[profile me]\nregion = us-east-1\nendpoint_url = {url}\nservices = own\n\n[services own]\nsignin =\n  endpoint_url = {url}\n\n"
    );
    product.write_aws_config(&format!("{services}{}", product.default_aws_config()));
    product.start_daemon();
    log_in(&product);
    let first = key(&product);
    assert!(product.run(&["lock"]).code == 0 && product.run(&["unlock"]).code == 0);
    assert_ne!(key(&product), first, "renewed");
    // What the settings say holds, and got both.
    assert_eq!(exchanges(&product), 2);
    assert!(elsewhere.accept().is_err(), "somebody has been there");
    let doctor = product.run(&["doctor"]).stdout;
    assert!(doctor.contains("AWS_ENDPOINT_URL_SIGNIN"), "it is reported: {doctor}");
    product.assert_no_canaries();
}

#[test]
fn a_profile_that_is_served_otherwise_is_refused_before_the_page() {
    let product = machine();
    let ended = product.run(&["login", "--console", "dev", "--print", "--yes"]);
    assert_refused(&ended, 13, &["profile \"dev\"", "another way (sign-in)"]);
    let missing = product.run(&["login", "--console", "me", "--print", "--yes"]);
    assert_refused(&missing, 2, &["the profile names no region; --region names one"]);
    let nobody = product.run(&LOG_IN[..LOG_IN.len() - 1]);
    assert_refused(&nobody, 2, &["nobody is there to agree", "--yes writes it"]);
    assert!(product.sandbox().requests().is_empty(), "{:?}", product.sandbox().requests());
}
