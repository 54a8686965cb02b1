use super::*;
use crate::aws::scripted::ScriptedAws;
use crate::certificates::MachineCertificates;
use crate::clock::from_unix_seconds;
use crate::clock::manual::ManualClock;
use crate::console_logins::ConsoleLogins;
use crate::helper::scripted::ScriptedHelper;
use crate::helper::{Commands, Fault};
use crate::iam_users::IamUsers;
use crate::local_user::LocalUser;
use crate::names::RoleArn;
use crate::sign_in_sessions::SignInSessions;
use crate::store::Store;
use crate::store::memory::Memory;
use std::sync::Arc;
use std::time::Duration;
use tegata_protocol::ErrorBody;

struct World {
    aws: Arc<ScriptedAws>,
    providers: Providers,
}

fn world(prints: impl IntoIterator<Item = Result<Vec<u8>, Fault>>) -> World {
    let clock = Arc::new(ManualClock::at(from_unix_seconds(1_795_338_478)));
    let (aws, store) = (ScriptedAws::new(clock.clone()), Store::spawn(Box::new(Memory::default())).unwrap());
    let sign_in_sessions = Arc::new(SignInSessions::new(aws.clone(), clock.clone(), store.clone()));
    let commands = Arc::new(Commands::new(ScriptedHelper::new(prints), 30));
    let logins = ConsoleLogins::new(aws.clone(), clock.clone(), store.clone(), sign_in_sessions.clone());
    let providers = Providers {
        aws: aws.clone(),
        sign_in_sessions,
        console_logins: Arc::new(logins),
        iam_users: Arc::new(IamUsers::new(aws.clone(), clock.clone(), store.clone(), commands.clone())),
        certificates: Arc::new(MachineCertificates::new(store, clock)),
        commands,
        github_job: Arc::default(),
        task: Arc::default(),
        user: Arc::new(LocalUser { name: "alice".to_owned(), host: "laptop".to_owned() }),
    };
    World { aws, providers }
}

impl World {
    async fn ask(&self, token: &WebIdentityToken) -> Result<(), ErrorBody> {
        let role = RoleToAssume::new(RoleArn::new("arn:aws:iam::123456789012:role/Deploy").unwrap());
        let asked =
            self.providers.web_identity_credentials(token, &role, &Region::new("eu-west-1").unwrap(), None).await;
        asked.map(drop).map_err(ErrorBody::from)
    }

    async fn said(&self, token: &WebIdentityToken) -> String {
        self.ask(token).await.unwrap_err().message
    }
}

fn printed() -> WebIdentityToken {
    WebIdentityToken::Command(vec!["/usr/bin/token".to_owned(), "--secret-flag".to_owned()])
}

fn of_job() -> WebIdentityToken {
    WebIdentityToken::GithubActions { audience: "sts.amazonaws.com".to_owned() }
}

#[tokio::test]
async fn what_a_command_prints_is_the_token_and_the_session_is_named_after_the_user() {
    let world = world([Ok(b"e30.e30.CANARY".to_vec())]);
    world.aws.next_role(Ok(Duration::from_secs(3600)));
    world.ask(&printed()).await.unwrap();
    let call = "assume arn:aws:iam::123456789012:role/Deploy for e30.e30.CANARY";
    assert_eq!(world.aws.calls.lock().unwrap().last().unwrap(), call);
    let asked = world.aws.assumed.lock().unwrap().pop().unwrap();
    assert_eq!(asked.role_session_name.as_deref(), Some("alice@laptop"));
}

#[tokio::test]
async fn what_is_no_token_never_reaches_aws_and_is_not_quoted() {
    for (text, what) in [
        ("abc", "AWS takes tokens of 4 to 20,000 characters"),
        (&*"x".repeat(20_001), "AWS takes tokens of 4 to 20,000 characters"),
        ("CANARY\ne30.e30.x", "more than one line"),
        ("CANARY x.y", "characters that no token has"),
        ("CANARY\0.x.y", "characters that no token has"),
        ("CANARY\u{202e}.x.y", "characters that no token has"),
    ] {
        let world = world([Ok(text.as_bytes().to_vec())]);
        assert_eq!(world.said(&printed()).await, format!("/usr/bin/token gave no token: {what}"));
        assert!(world.aws.calls.lock().unwrap().is_empty());
    }
    let file = tempfile::NamedTempFile::new().unwrap();
    let said = world([]).said(&WebIdentityToken::File(file.path().to_owned())).await;
    assert_eq!(said, format!("{} gave no token: nothing is in it", file.path().display()));
}

#[tokio::test]
async fn a_command_that_fails_is_said_with_its_name_and_not_its_arguments() {
    let failed = Fault::Failed { program: "/usr/bin/token".to_owned(), status: "exit status 3".to_owned(), said: None };
    let world = world([Err(failed)]);
    assert_eq!(world.said(&printed()).await, "/usr/bin/token ended with exit status 3");
}

#[tokio::test]
async fn a_job_that_was_not_handed_over_is_asked_for_by_name() {
    let body = world([]).ask(&of_job()).await.unwrap_err();
    assert_eq!(body.code, tegata_protocol::ErrorCode::JobRequired);
    assert_eq!(body.message, "the credentials start from a job of GitHub Actions, and no job was handed over");
}

#[tokio::test]
async fn githubs_words_are_githubs() {
    let world = world([]);
    let url = "https://x.actions.githubusercontent.com/idtoken?api-version=2.0";
    world.providers.github_job.serve(world.providers.github_job.read(url, Secret::new("CANARY".to_owned())).unwrap());
    let (code, message) = ("HTTP 401".to_owned(), "no".to_owned());
    let refused = AwsError::Refused { operation: "x", code, message };
    let silent = AwsError::Unavailable { operation: "x", detail: "no answer in time".to_owned() };
    world.aws.github.lock().unwrap().extend([Err(refused), Err(silent), Ok(Secret::new("e30.e30.x".to_owned()))]);
    let said = world.said(&of_job()).await;
    assert!(said.starts_with("GitHub Actions did not take the job that was handed over: no (HTTP 401)"), "{said}");
    let said = world.said(&of_job()).await;
    assert_eq!(said, "the token service of GitHub Actions did not answer: no answer in time");
    world.aws.next_role(Ok(Duration::from_secs(3600)));
    world.ask(&of_job()).await.unwrap();
    assert_eq!(world.aws.calls.lock().unwrap()[2], "github CANARY for sts.amazonaws.com");
}
