//! AWS clients which nobody here wrote, fed by `credential_process` with the roles of machines and of tokens: who they are by a signed
//! call, that they live on across the end of their credentials, and what their user sees when it is refused.
#![cfg(feature = "system")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "this is a test")]

use serde_json::json;
use std::time::Duration;
use tegata_sandbox::{Operation, SignedBy, TokenOrder};
use tegata_tests::federated::Federated;
use tegata_tests::machine_in_aws::InAws;
use tegata_tests::product::{Product, wait_until};
use tegata_tests::sdk::{Called, Client, Kind, key_of, outlive_the_last_key};

/// A life of credentials that a test can outlast. The daemon hands out at least a third of it.
const SHORT: Duration = Duration::from_secs(9);

/// Where the credentials of `ci` come from.
#[derive(Clone, Copy, Debug)]
enum Source {
    TokenFile,
    Command,
    Job,
    Instance,
    Task,
}

/// What keeps the files of a source.
enum Held {
    Federated(Federated),
    InAws(InAws),
}

impl Held {
    fn start(source: Source) -> Self {
        let mut held = match source {
            Source::TokenFile => Self::Federated(Federated::by_file()),
            Source::Command => Self::Federated(Federated::by_command("cat \"${0%token}token.jwt\"")),
            Source::Job => Self::Federated(Federated::by_github()),
            Source::Instance => Self::InAws(InAws::instance()),
            Source::Task => Self::InAws(InAws::task()),
        };
        match &mut held {
            Self::Federated(federated) => federated.product.start_daemon(),
            Self::InAws(machine) => machine.product.start_daemon(),
        };
        if matches!(source, Source::Job) {
            let job = held.product().sandbox().begin_github_job();
            let body = json!({ "profile": "ci", "request_url": job.request_url, "request_token": job.request_token });
            assert_eq!(held.product().api("POST", "/v1/github-job", Some(&body)).0, 200);
        }
        held
    }

    fn product(&self) -> &Product {
        match self {
            Self::Federated(federated) => &federated.product,
            Self::InAws(machine) => &machine.product,
        }
    }

    fn is_refused_by_aws(&self) {
        match self {
            Self::Federated(federated) => {
                let forged = TokenOrder { signed_by: SignedBy::Forger, ..TokenOrder::default() };
                federated.write_token(&forged);
                federated.product.sandbox().configure(|settings| settings.github_token = forged);
            }
            Self::InAws(machine) => machine.product.sandbox().configure(|settings| settings.iam_roles.clear()),
        }
    }
}

impl Source {
    fn arn(self) -> &'static str {
        match self {
            Self::TokenFile | Self::Command | Self::Job => "arn:aws:sts::210987654321:assumed-role/Deploy/",
            Self::Instance | Self::Task => "arn:aws:sts::210987654321:assumed-role/Release/",
        }
    }

    fn refusal(self) -> &'static str {
        match self {
            Self::TokenFile | Self::Command | Self::Job => {
                "AWS refused AssumeRoleWithWebIdentity (InvalidIdentityToken): "
            }
            Self::Instance | Self::Task => "AWS refused AssumeRole (AccessDenied): ",
        }
    }
}

fn is_who_the_source_says(kind: Kind, source: Source) {
    let held = Held::start(source);
    let mut client = Client::as_profile(kind, "ci", held.product());
    for _ in 0..2 {
        let called = client.call();
        assert!(
            matches!(&called, Called::Arn(arn) if arn.starts_with(source.arn())),
            "{kind:?} {source:?}: {called:?}"
        );
    }
    held.product().assert_no_canaries();
}

fn lives_on_across_the_end_of_its_credentials(kind: Kind, source: Source) {
    let held = Held::start(source);
    let product = held.product();
    product.sandbox().configure(|settings| settings.lifetimes.assumed_role = Some(SHORT));
    let mut client = Client::as_profile(kind, "ci", product);
    let is_served = |called: Called| matches!(called, Called::Arn(arn) if arn.starts_with(source.arn()));
    assert!(is_served(client.call()), "{kind:?} {source:?}");
    outlive_the_last_key(product);
    assert!(is_served(client.call()), "{kind:?} {source:?}");
    let calls = product.sandbox().requests_of(Operation::GetCallerIdentity);
    assert!(calls.iter().all(|call| call.status == Some(200)), "{kind:?}: {calls:?}");
    let mut keys: Vec<String> = calls.iter().map(key_of).collect();
    keys.dedup();
    assert!(keys.len() >= 2, "{kind:?}: an expiry needs two keys, not {keys:?}");
}

fn tells_its_user_what_aws_refused(kind: Kind, source: Source) {
    let held = Held::start(source);
    held.is_refused_by_aws();
    let mut client = Client::as_profile(kind, "ci", held.product());
    match client.call() {
        Called::Error(error) => assert!(error.contains(source.refusal()), "{kind:?} {source:?}: {error}"),
        Called::Arn(arn) => panic!("{kind:?} is served as {arn}"),
    }
    wait_until("the refusal is written down", || {
        let refused = |record: &serde_json::Value| record["event"] == "refused" && record["code"] == "upstream_refused";
        held.product().audit().iter().any(refused)
    });
}

macro_rules! stories_of {
    ($($module:ident: $kind:expr, $source:expr;)*) => {$(
        mod $module {
            use super::*;

            #[test]
            fn is_who_the_source_says() {
                super::is_who_the_source_says($kind, $source);
            }

            #[test]
            fn lives_on_across_the_end_of_its_credentials() {
                super::lives_on_across_the_end_of_its_credentials($kind, $source);
            }

            #[test]
            fn tells_its_user_what_aws_refused() {
                super::tells_its_user_what_aws_refused($kind, $source);
            }
        }
    )*};
}

stories_of! {
    token_file_aws_cli_v2: Kind::AwsCliV2, Source::TokenFile;
    token_file_boto3: Kind::Boto3, Source::TokenFile;
    token_file_js: Kind::JsFromProcess, Source::TokenFile;
    command_aws_cli_v2: Kind::AwsCliV2, Source::Command;
    command_boto3: Kind::Boto3, Source::Command;
    command_js: Kind::JsFromProcess, Source::Command;
    job_aws_cli_v2: Kind::AwsCliV2, Source::Job;
    job_boto3: Kind::Boto3, Source::Job;
    job_js: Kind::JsFromProcess, Source::Job;
    instance_aws_cli_v2: Kind::AwsCliV2, Source::Instance;
    instance_boto3: Kind::Boto3, Source::Instance;
    instance_js: Kind::JsFromProcess, Source::Instance;
    task_aws_cli_v2: Kind::AwsCliV2, Source::Task;
    task_boto3: Kind::Boto3, Source::Task;
    task_js: Kind::JsFromProcess, Source::Task;
}
