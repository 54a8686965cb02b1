//! Roles for tokens of an identity provider: from a file that is replaced at any time, from a command, from a job of GitHub Actions.
#![allow(clippy::unwrap_used, clippy::panic, reason = "this is a test")]

use serde_json::{Value, json};
use std::time::Duration;
use tegata_sandbox::{Effect, Fault, GithubJob, Operation, SecretKind, SignedBy, TokenOrder};
use tegata_tests::federated::{Federated, NEXT, ROLE};
use tegata_tests::gated::records;
use tegata_tests::product::{Ended, Product};

/// Everything that may be logged is: a token in there would be found.
fn started(mut federated: Federated) -> Federated {
    federated.product.environment.push(("TEGATA_LOG".to_owned(), "trace".to_owned()));
    federated.product.start_daemon();
    federated
}

fn served(ended: &Ended) -> Value {
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{ended:?}");
    serde_json::from_str(&ended.stdout).unwrap()
}

/// One line, this exit code, nothing on stdout.
fn refused(product: &Product, code: i32) -> String {
    let ended = product.credentials("ci");
    assert_eq!((ended.code, ended.stdout.as_str()), (code, ""), "{ended:?}\n{}", product.daemon_log());
    let line = ended.stderr.trim_end().to_owned();
    assert_eq!(line.lines().count(), 1, "{line}");
    line
}

fn tokens_sent(product: &Product) -> Vec<String> {
    let requests = product.sandbox().requests_of(Operation::AssumeRoleWithWebIdentity);
    let token = |body: &str| {
        let mut fields = url::form_urlencoded::parse(body.as_bytes());
        fields.find(|(name, _)| name == "WebIdentityToken").map(|(_, token)| token.into_owned()).unwrap()
    };
    requests.iter().map(|request| token(&request.body)).collect()
}

fn minted(product: &Product) -> Vec<String> {
    let secrets = product.sandbox().minted_secrets().into_iter();
    secrets.filter(|secret| secret.kind == SecretKind::WebIdentityToken).map(|secret| secret.value).collect()
}

#[test]
fn a_token_in_a_file_is_a_role_and_aws_is_asked_once() {
    let federated = started(Federated::by_file());
    let product = &federated.product;
    for _ in 0..3 {
        let credentials = served(&product.credentials("ci"));
        assert_eq!(credentials["AccountId"], "210987654321");
    }
    let asked = product.sandbox().requests_of(Operation::AssumeRoleWithWebIdentity);
    assert_eq!(asked.len(), 1);
    assert!(!asked[0].headers.contains_key("authorization") && !asked[0].headers.contains_key("x-amz-security-token"));
    assert_eq!(tokens_sent(product), minted(product));
    let role = product.sandbox().roles_for_tokens().pop().unwrap();
    assert!(role.role_arn == ROLE && role.session_name.contains('@'), "{role:?}");
    assert_eq!(records(product, "released")[0]["profile"], "ci");
    product.assert_no_canaries();
}

#[test]
fn the_file_is_read_anew_each_time() {
    let federated = started(Federated::by_file());
    let product = &federated.product;
    product.sandbox().configure(|settings| settings.lifetimes.assumed_role = Some(Duration::from_secs(1)));
    served(&product.credentials("ci"));
    federated.write_token(&TokenOrder::default());
    let ends = product.sandbox().issued_credentials()[0].expires_ms;
    tegata_tests::product::wait_until("the credentials end", || product.sandbox().now_ms() >= ends);
    served(&product.credentials("ci"));
    // What is soon to end is renewed in between, as often as it likes.
    let mut sent = tokens_sent(product);
    sent.dedup();
    assert_eq!(sent, minted(product));
    product.assert_no_canaries();
}

#[test]
fn a_role_behind_it_is_chained_and_the_role_itself_may_last_longer() {
    let federated = started(Federated::by_file());
    let product = &federated.product;
    let file = federated.token_file();
    federated.write_profiles(&format!(
        "tegata_web_identity_token_file = {}\ntegata_duration_seconds = 14400\ntegata_role_session_name = job-7",
        file.display()
    ));
    served(&product.credentials("next"));
    let role = product.sandbox().roles_for_tokens().pop().unwrap();
    assert_eq!((role.duration_seconds, role.session_name.as_str()), (14_400, "job-7"));
    let assumed = product.sandbox().assumed_roles().pop().unwrap();
    assert_eq!(
        (assumed.role_arn.as_str(), assumed.caller.as_str()),
        (NEXT, "arn:aws:sts::210987654321:assumed-role/Deploy/job-7")
    );
}

#[test]
fn session_policies_of_the_settings_narrow_it() {
    let source =
        |federated: &Federated| format!("tegata_web_identity_token_file = {}", federated.token_file().display());
    let settings = "[profile.ci]\nsession_policy = '{\"Statement\": []}'\n\
                    policy_arns = [\"arn:aws:iam::aws:policy/ReadOnlyAccess\"]\n";
    let federated = started(Federated::new(source, |_| settings.to_owned()));
    served(&federated.product.credentials("ci"));
    let role = federated.product.sandbox().roles_for_tokens().pop().unwrap();
    assert_eq!(role.policy.as_deref(), Some(r#"{"Statement":[]}"#));
    assert_eq!(role.policy_arns, ["arn:aws:iam::aws:policy/ReadOnlyAccess"]);
}

#[test]
fn what_aws_says_of_a_token_comes_with_the_way_out() {
    let federated = started(Federated::by_file());
    let product = &federated.product;
    let good = TokenOrder::default();
    for (order, code, hint) in [
        (TokenOrder { signed_by: SignedBy::Forger, ..good.clone() }, "InvalidIdentityToken", "verification key"),
        (TokenOrder { life: -60, ..good.clone() }, "ExpiredTokenException", "whoever makes the token"),
        (TokenOrder { audience: "sigstore".to_owned(), ..good.clone() }, "InvalidIdentityToken", "add the token's aud"),
        (
            TokenOrder { issuer: "https://evil.example".to_owned(), ..good.clone() },
            "InvalidIdentityToken",
            "create the identity provider",
        ),
        (TokenOrder { subject: "repo:evil/x".to_owned(), ..good.clone() }, "AccessDenied", "the role's trust policy"),
    ] {
        federated.write_token(&order);
        // A refusal is remembered for a moment, by chain: another session name is another chain.
        federated.write_profiles(&format!(
            "tegata_web_identity_token_file = {}\ntegata_role_session_name = {}",
            federated.token_file().display(),
            hint.replace([' ', '\''], "-")
        ));
        let line = refused(product, 14);
        let start = format!("tegata: AWS refused AssumeRoleWithWebIdentity ({code}): ");
        assert!(line.starts_with(&start) && line.contains(hint), "{line}");
    }
    product.assert_no_canaries();
}

#[test]
fn a_provider_that_aws_cannot_reach_is_tried_again_and_then_said() {
    let federated = started(Federated::by_file());
    let product = &federated.product;
    let (code, message) = ("IDPCommunicationError".to_owned(), "no answer".to_owned());
    let unreached = Effect::Error { status: 400, code, message, retry_after: None };
    product.sandbox().fault(Fault::on(Operation::AssumeRoleWithWebIdentity, unreached.clone()).times(1));
    served(&product.credentials("ci"));
    assert_eq!(product.sandbox().calls(Operation::AssumeRoleWithWebIdentity), 2);
    product.sandbox().fault(Fault::on(Operation::AssumeRoleWithWebIdentity, unreached));
    federated.write_profiles(&format!(
        "tegata_web_identity_token_file = {}\ntegata_role_session_name = other",
        federated.token_file().display()
    ));
    let line = refused(product, 14);
    assert!(
        line.contains("AWS did not answer AssumeRoleWithWebIdentity: it could not reach the identity provider"),
        "{line}"
    );
}

#[test]
fn a_command_prints_the_token_and_its_arguments_arrive() {
    let federated = Federated::by_command("test \"$1\" = 'a b' && cat \"${0%token}token.jwt\"");
    let federated = started(federated);
    let product = &federated.product;
    served(&product.credentials("ci"));
    assert_eq!(tokens_sent(product), minted(product));
    product.assert_no_canaries();
}

#[test]
fn a_command_that_fails_is_said_in_its_own_words() {
    let federated = started(Federated::by_command("echo 'not logged in: run idp login' >&2; exit 7"));
    let line = refused(&federated.product, 14);
    assert!(line.ends_with("/token ended with exit status 7: not logged in: run idp login"), "{line}");
    assert_eq!(federated.product.sandbox().calls(Operation::AssumeRoleWithWebIdentity), 0);
}

/// Runs `tegata login ci` within a job.
fn login(product: &Product, job: &GithubJob) -> Ended {
    let mut command = product.tegata(&["login", "ci"]);
    command.env("ACTIONS_ID_TOKEN_REQUEST_URL", &job.request_url);
    command.env("ACTIONS_ID_TOKEN_REQUEST_TOKEN", &job.request_token);
    let ended = tegata_tests::product::run(&mut command);
    product.heard(&["login", "ci"], &ended);
    ended
}

#[test]
fn a_job_of_github_is_handed_over_once_and_asked_each_time() {
    let federated = started(Federated::by_github());
    let product = &federated.product;
    let line = refused(product, 10);
    let said =
        "tegata: the credentials start from a job of GitHub Actions, and no job was handed over; run: tegata login ci";
    assert_eq!(line, said);
    let job = product.sandbox().begin_github_job();
    let ended = login(product, &job);
    assert_eq!((ended.code, ended.stdout.as_str()), (0, ""), "{ended:?}");
    assert_eq!(ended.stderr, "Signed in to ci: GitHub gives this job tokens for sts.amazonaws.com.\n");
    served(&product.credentials("ci"));
    served(&product.credentials("next"));
    let asked = product.sandbox().requests_of(Operation::GithubIdToken);
    assert!(
        asked.iter().all(|request| request.target.ends_with("/idtoken?api-version=2.0&audience=sts.amazonaws.com"))
    );
    assert_eq!(records(product, "job_handed_over")[0]["profile"], "ci");
    product.assert_no_canaries();
}

#[test]
fn a_job_that_has_ended_is_asked_for_anew() {
    let federated = started(Federated::by_github());
    let product = &federated.product;
    let job = product.sandbox().begin_github_job();
    assert_eq!(login(product, &job).code, 0);
    product.sandbox().end_github_jobs();
    let line = refused(product, 10);
    assert!(line.starts_with("tegata: GitHub Actions did not take the job that was handed over: "), "{line}");
    let ended = login(product, &job);
    assert_eq!(ended.code, 10, "{ended:?}");
    assert_eq!(login(product, &product.sandbox().begin_github_job()).code, 0);
    served(&product.credentials("ci"));
    product.assert_no_canaries();
}

#[test]
fn h8_a_job_is_sent_to_nobody_but_github() {
    let federated = started(Federated::by_github());
    let product = &federated.product;
    let other = tegata_sandbox::Sandbox::start().unwrap();
    let job = other.begin_github_job();
    let ended = login(product, &job);
    assert_eq!(ended.code, 2, "{ended:?}");
    assert!(ended.stderr.contains("nothing is sent there"), "{ended:?}");
    assert!(other.requests().is_empty());
    assert!(refused(product, 10).contains("no job was handed over"));
    tegata_tests::canaries::assert_none(&tegata_tests::canaries::Canaries::default().find_under(&product.path("")));
}

#[test]
fn outside_of_a_job_login_says_what_the_workflow_needs() {
    let federated = started(Federated::by_github());
    let ended = federated.product.run(&["login", "ci"]);
    assert_eq!(ended.code, 10, "{ended:?}");
    assert!(ended.stderr.contains("`permissions: id-token: write`"), "{ended:?}");
}

#[test]
fn nobody_signs_in_to_what_knows_no_person() {
    let federated = started(Federated::by_file());
    let ended = federated.product.run(&["login", "ci"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{ended:?}");
    let said = "tegata: ci needs no sign-in: what it starts from (web-identity) knows no person";
    assert_eq!(ended.stderr.trim_end(), said);
}

#[test]
fn lock_forgets_the_job() {
    let federated = started(Federated::by_github());
    let product = &federated.product;
    assert_eq!(login(product, &product.sandbox().begin_github_job()).code, 0);
    assert_eq!(product.run(&["lock"]).code, 0);
    assert_eq!(product.run(&["unlock"]).code, 0);
    assert!(refused(product, 10).contains("no job was handed over"));
}

#[test]
fn a_profile_that_starts_from_no_job_takes_none() {
    let federated = started(Federated::by_file());
    let body = json!({ "profile": "ci", "request_url": "https://x", "request_token": "x" });
    let (status, told) = federated.product.api("POST", "/v1/github-job", Some(&body));
    assert_eq!((status, told["message"].as_str()), (400, Some("ci does not start from a job of GitHub Actions")));
}

#[test]
fn fifty_who_ask_at_once_have_one_token_made() {
    let federated = started(Federated::by_command("echo x >>\"$0.runs\"; cat \"${0%token}token.jwt\""));
    let product = &federated.product;
    product.sandbox().hold(Operation::AssumeRoleWithWebIdentity, tegata_sandbox::HoldUntil::Released);
    std::thread::scope(|scope| {
        let asking: Vec<_> = (0..50).map(|_| scope.spawn(|| product.credentials("ci").code)).collect();
        assert!(product.sandbox().wait_for_waiting(
            Operation::AssumeRoleWithWebIdentity,
            1,
            tegata_tests::product::PATIENCE
        ));
        product.sandbox().release(Operation::AssumeRoleWithWebIdentity);
        assert!(asking.into_iter().all(|asked| asked.join().unwrap() == 0));
    });
    assert_eq!(std::fs::read_to_string(federated.at("token.runs")).unwrap(), "x\n");
    assert_eq!(product.sandbox().calls(Operation::AssumeRoleWithWebIdentity), 1);
}
