//! Signing in and out through the real commands: by page and by code, to several organisations, as several people.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use tegata_sandbox::{
    Account, Consent, Decision, DeviceApproval, Effect, Fault, Operation, Organization, SecretKind, User,
};
use tegata_tests::browser;
use tegata_tests::product::{Ended, PATIENCE, Product, run, wait_until};

const ACME_URL: &str = "https://d-0987654321.awsapps.com/start";

fn started() -> Product {
    let mut product = Product::new();
    product.start_daemon();
    product
}

fn section(name: &str, start_url: &str) -> String {
    format!("[sso-session {name}]\nsso_start_url = {start_url}\nsso_region = us-east-1\n\n")
}

fn profile(name: &str, session: &str, account: &str) -> String {
    format!(
        "[profile {name}]\ntegata_sso_session = {session}\ntegata_sso_account_id = {account}\ntegata_sso_role_name = ReadOnly\n\n"
    )
}

/// Signs in by page and returns what the person was told.
fn sign_in_to(product: &Product, session: &str) -> String {
    let ended = product.sign_in_with(&["login", session, "--print"]);
    assert_eq!(ended.code, 0, "{ended:?}\n{}", product.daemon_log());
    ended.stderr
}

/// Who a profile's credentials speak for.
fn arn(product: &Product, profile: &str) -> String {
    let ended = product.credentials(profile);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{profile}");
    let json: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    let key = json["AccessKeyId"].as_str().unwrap();
    let issued = product.sandbox().issued_credentials();
    issued.into_iter().find(|issued| issued.access_key_id == key).unwrap().principal.arn
}

fn needs_a_sign_in_to(session: &str, ended: &Ended) {
    assert_eq!((ended.code, ended.stdout.as_str()), (10, ""), "{ended:?}");
    assert!(ended.stderr.ends_with(&format!("run: tegata login {session}\n")), "{ended:?}");
}

fn last_secret(product: &Product, kind: SecretKind) -> String {
    product.sandbox().minted_secrets().into_iter().rfind(|secret| secret.kind == kind).unwrap().value
}

/// The status with which the portal answers whoever has this access token.
fn portal_answers(product: &Product, access_token: &str) -> String {
    let address = product.sandbox().url().replace("http://", "");
    let mut stream = TcpStream::connect(&address).unwrap();
    let target = "/federation/credentials?account_id=123456789012&role_name=ReadOnly";
    let head = format!("Host: {address}\r\nx-amz-sso_bearer_token: {access_token}\r\nConnection: close");
    write!(stream, "GET {target} HTTP/1.1\r\n{head}\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split_whitespace().nth(1).unwrap().to_owned()
}

#[test]
fn a_page_signs_in_and_says_until_when() {
    let product = started();
    let ended = product.sign_in_with(&["login", "corp", "--print"]);
    assert!(ended.stdout.starts_with(&format!("{}/authorize?", product.sandbox().url())), "{ended:?}");
    assert_eq!(ended.stdout.lines().count(), 1, "the address alone is on standard output");
    assert!(ended.stderr.contains("Signed in to corp (https://d-1234567890.awsapps.com/start) until "), "{ended:?}");
    assert_eq!(product.sandbox().calls(Operation::CreateTokenAuthorizationCode), 1);
    assert!(arn(&product, "dev").contains(":assumed-role/AWSReservedSSO_ReadOnly_"));
}

#[test]
fn a_page_that_says_no_ends_the_sign_in_and_keeps_nothing() {
    let product = started();
    let (error, description) = ("access_denied".to_owned(), "no".to_owned());
    product.sandbox().configure(|settings| settings.authorize = Consent::Refuse { error, description });
    let ended = product.sign_in_with(&["login", "corp", "--print"]);
    assert_ne!(ended.code, 0, "{ended:?}");
    assert!(ended.stderr.contains("tegata: ") && !ended.stderr.contains("Signed in"), "{ended:?}");
    needs_a_sign_in_to("corp", &product.credentials("dev"));
}

#[test]
fn two_who_sign_in_at_once_share_one_page() {
    let product = started();
    let begin = || {
        let mut login = product.tegata(&["login", "corp", "--print"]);
        let mut login = login.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let page = first_line(&mut login);
        (login, page)
    };
    let ((mut first, page), (mut second, same)) = (begin(), begin());
    assert_eq!(page, same);
    assert_eq!(browser::visit(&page).status, 200);
    assert!(first.wait().unwrap().success() && second.wait().unwrap().success());
    assert_eq!(product.sandbox().calls(Operation::CreateTokenAuthorizationCode), 1);
}

fn first_line(process: &mut Child) -> String {
    let mut line = String::new();
    BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
    line.trim().to_owned()
}

#[test]
fn a_device_code_signs_in_on_any_machine() {
    let product = started();
    let ended = product.run(&["login", "corp", "--device-code"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let code = product.sandbox().device_authorizations()[0].user_code.clone();
    assert!(ended.stderr.contains(&code) && ended.stderr.contains("Signed in to corp"), "{ended:?}");
    assert_eq!(product.sandbox().calls(Operation::CreateTokenDeviceCode), 3, "two pending polls, then the tokens");
    assert_eq!(product.sandbox().calls(Operation::Authorize), 0);
    assert!(arn(&product, "dev").ends_with("/alice"));
}

#[test]
fn a_device_code_waits_for_the_person_who_enters_it() {
    let product = started();
    product.sandbox().configure(|settings| settings.device.approval = DeviceApproval::Page);
    let mut login = product.tegata(&["login", "corp", "--device-code"]);
    let mut login = login.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    assert!(product.sandbox().wait_for_calls(Operation::CreateTokenDeviceCode, 1, PATIENCE));
    let code = product.sandbox().device_authorizations()[0].user_code.clone();
    assert!(product.sandbox().decide_device(&code, &Decision::Allow(Some("bob".to_owned()))));
    assert!(login.wait().unwrap().success());
    assert!(arn(&product, "dev").ends_with("/bob"));
}

#[test]
fn a_denied_device_code_is_one_line() {
    let product = started();
    product.sandbox().configure(|settings| settings.device.approval = DeviceApproval::Denied);
    let ended = product.run(&["login", "corp", "--device-code"]);
    assert_ne!(ended.code, 0, "{ended:?}");
    assert_eq!(ended.stderr.lines().filter(|line| line.starts_with("tegata: ")).count(), 1, "{ended:?}");
    needs_a_sign_in_to("corp", &product.credentials("dev"));
}

#[test]
fn a_device_code_outlasts_faults_of_the_token_endpoint() {
    let product = started();
    product.sandbox().configure(|settings| settings.device.approval = DeviceApproval::AfterPolls(0));
    let (code, message) = ("InternalServerException".to_owned(), "oops".to_owned());
    let (content_type, body) = ("text/html".to_owned(), "<html>bad gateway</html>".to_owned());
    let faults = [
        Effect::Error { status: 500, code, message, retry_after: None },
        Effect::Answer { status: 502, content_type, body },
    ];
    for (call, effect) in (0..).zip(faults) {
        product.sandbox().fault(Fault::on(Operation::CreateTokenDeviceCode, effect).skip(call).times(1));
    }
    let ended = product.run(&["login", "corp", "--device-code"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(product.sandbox().calls(Operation::CreateTokenDeviceCode), 3, "two faults, then the tokens");
    assert!(arn(&product, "dev").ends_with("/alice"));
}

#[test]
fn a_device_code_that_aws_refuses_ends_at_once_with_one_line() {
    let product = started();
    let (code, message) = ("UnauthorizedClientException".to_owned(), "not for you".to_owned());
    let refusal = Effect::Error { status: 400, code, message, retry_after: None };
    product.sandbox().fault(Fault::on(Operation::CreateTokenDeviceCode, refusal));
    let ended = product.run(&["login", "corp", "--device-code"]);
    assert_eq!(ended.code, 10, "{ended:?}");
    let said: Vec<_> = ended.stderr.lines().filter(|line| line.starts_with("tegata: ")).collect();
    assert_eq!(
        said,
        ["tegata: signing in to corp failed: AWS refused CreateToken (UnauthorizedClientException): not for you"]
    );
    assert_eq!(product.sandbox().calls(Operation::CreateTokenDeviceCode), 1);
}

#[test]
fn a_second_sign_in_uses_the_registration_of_the_first_even_by_code() {
    let product = started();
    sign_in_to(&product, "corp");
    sign_in_to(&product, "corp");
    assert_eq!(product.run(&["login", "corp", "--device-code"]).code, 0);
    assert_eq!(product.sandbox().calls(Operation::RegisterClient), 1);
    assert_eq!(product.sandbox().calls(Operation::CreateTokenAuthorizationCode), 2);
}

#[test]
fn a_registration_that_aws_has_forgotten_is_made_anew() {
    let product = started();
    sign_in_to(&product, "corp");
    product.sandbox().forget_registrations();
    let ended = product.run(&["login", "corp", "--device-code"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(product.sandbox().calls(Operation::RegisterClient), 2);
}

#[test]
fn a_legacy_profile_signs_in_by_page_and_is_renewable() {
    let product = started();
    product.write_aws_config(
        "[profile legacy]\nsso_start_url = https://d-1234567890.awsapps.com/start\nsso_region = us-east-1\n\
         sso_account_id = 123456789012\nsso_role_name = ReadOnly\n",
    );
    let told = sign_in_to(&product, "legacy");
    assert!(told.contains("renewed by itself"), "{told}");
    assert!(arn(&product, "legacy").contains(":123456789012:assumed-role/AWSReservedSSO_ReadOnly_"));
    assert_eq!(product.sandbox().calls(Operation::CreateTokenAuthorizationCode), 1);
}

#[test]
fn several_organisations_are_signed_in_at_once_and_out_one_by_one() {
    let product = started();
    let acme = Organization {
        start_url: ACME_URL.to_owned(),
        signed_in: "carol".to_owned(),
        users: vec![User::new("carol")],
        accounts: vec![Account::new("555555555555", "acme", &["ReadOnly"])],
        ..Organization::default()
    };
    product.sandbox().configure(|settings| settings.organizations.push(acme));
    let more = section("acme", ACME_URL) + &profile("acme-dev", "acme", "555555555555");
    product.write_aws_config(&(product.default_aws_config() + &more));
    sign_in_to(&product, "corp");
    needs_a_sign_in_to("acme", &product.credentials("acme-dev"));
    sign_in_to(&product, ACME_URL);
    let (corp, acme) = (arn(&product, "dev"), arn(&product, "acme-dev"));
    assert!(corp.contains(":123456789012:") && corp.ends_with("/alice"), "{corp}");
    assert!(acme.contains(":555555555555:") && acme.ends_with("/carol"), "{acme}");
    let unclear = product.run(&["logout"]);
    assert_eq!(unclear.code, 2, "{unclear:?}");
    assert!(unclear.stderr.contains("several sign-in sessions are signed in: corp, acme"), "{unclear:?}");
    assert_eq!(product.run(&["logout", "acme"]).code, 0);
    needs_a_sign_in_to("acme", &product.credentials("acme-dev"));
    assert_eq!(arn(&product, "dev"), corp);
}

#[test]
fn two_people_on_one_start_url_keep_their_own_credentials() {
    let product = started();
    let url = "https://d-1234567890.awsapps.com/start";
    let people = ["alice", "bob"];
    let config: String =
        people.iter().map(|who| section(who, url) + &profile(&format!("dev-{who}"), who, "123456789012")).collect();
    product.write_aws_config(&config);
    for who in people {
        product.sandbox().configure(|settings| settings.organizations[0].signed_in = who.to_owned());
        sign_in_to(&product, who);
    }
    for who in people {
        assert!(arn(&product, &format!("dev-{who}")).ends_with(&format!("/{who}")));
    }
    let unclear = product.run(&["login", url, "--print"]);
    assert_eq!((unclear.code, unclear.stdout.as_str()), (13, ""), "{unclear:?}");
    assert!(unclear.stderr.contains("alice, bob"), "{unclear:?}");
}

#[test]
fn signing_out_kills_the_tokens_at_aws_and_forgets_them_here() {
    let product = started();
    sign_in_to(&product, "corp");
    arn(&product, "dev");
    let token = last_secret(&product, SecretKind::AccessToken);
    assert_eq!(portal_answers(&product, &token), "200");
    let ended = product.run(&["logout"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    assert!(ended.stdout.starts_with("Signed out of corp: AWS ended the sign-in"), "{ended:?}");
    assert_eq!(portal_answers(&product, &token), "401");
    needs_a_sign_in_to("corp", &product.credentials("dev"));
    sign_in_to(&product, "corp");
    arn(&product, "dev");
}

#[test]
fn signing_out_while_aws_is_down_forgets_here_and_says_so() {
    let product = started();
    sign_in_to(&product, "corp");
    let (code, message) = ("InternalServerException".to_owned(), "oops".to_owned());
    product
        .sandbox()
        .fault(Fault::on(Operation::Logout, Effect::Error { status: 500, code, message, retry_after: None }));
    let ended = product.run(&["logout", "corp"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.stdout.starts_with("Signed out of corp here only: AWS did not confirm it"), "{ended:?}");
    needs_a_sign_in_to("corp", &product.credentials("dev"));
}

#[test]
fn an_access_token_is_renewed_ahead_without_anybody_asking() {
    let product = started();
    product.sandbox().configure(|settings| settings.lifetimes.access_token = std::time::Duration::from_secs(6));
    sign_in_to(&product, "corp");
    let sandbox = product.sandbox();
    assert!(sandbox.wait_for_calls(Operation::CreateTokenRefreshToken, 2, PATIENCE), "{:?}", sandbox.counters());
    assert!(arn(&product, "dev").ends_with("/alice"));
    let refused = sandbox.requests().into_iter().find(|request| request.status.is_some_and(|status| status >= 400));
    assert_eq!(refused, None);
    let status = run(&mut product.tegata(&["status", "--json"]));
    let status: serde_json::Value = serde_json::from_str(&status.stdout).unwrap();
    assert_eq!(status["sessions"][0]["state"], "signed_in", "{status}");
}

#[test]
fn an_interrupted_sign_in_is_cancelled_and_its_page_is_dead() {
    let product = started();
    let mut login = product.tegata(&["login", "corp", "--print"]);
    let mut login = login.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let page = first_line(&mut login);
    let callback = page.split('&').find_map(|pair| pair.strip_prefix("redirect_uri=")).unwrap();
    let port = callback.split("%3A").nth(2).and_then(|rest| rest.split("%2F").next()).unwrap().to_owned();
    rustix::process::kill_process(rustix::process::Pid::from_child(&login), rustix::process::Signal::INT).unwrap();
    assert!(!login.wait().unwrap().success());
    wait_until("the callback is closed", || TcpStream::connect(format!("127.0.0.1:{port}")).is_err());
}
