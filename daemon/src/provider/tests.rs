use super::*;
use crate::aws::scripted::ScriptedAws;
use crate::aws::{AwsError, RoleToAssume};
use crate::clock::from_unix_seconds;
use crate::clock::manual::ManualClock;
use crate::console_logins::ConsoleLogins;
use crate::names::{AccountId, Region, RoleArn, RoleName, SessionName, StartUrl};
use crate::profile::SignInSession;
use crate::store::Store;
use crate::store::memory::Memory;
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);
const POLICY: &str = r#"{"Version":"2012-10-17","Statement":[]}"#;

struct World {
    aws: Arc<ScriptedAws>,
    providers: Providers,
}

impl World {
    async fn signed_in() -> Self {
        let clock = Arc::new(ManualClock::at(from_unix_seconds(1_795_338_478)));
        let aws = ScriptedAws::new(clock.clone());
        let store = Store::spawn(Box::new(Memory::default())).unwrap();
        let sign_in_sessions = Arc::new(SignInSessions::new(aws.clone(), clock.clone(), store.clone()));
        let console_logins =
            Arc::new(ConsoleLogins::new(aws.clone(), clock.clone(), store.clone(), sign_in_sessions.clone()));
        sign_in_sessions.signed_in(&corp(), aws.mint(8 * HOUR)).await.unwrap();
        let user = Arc::new(LocalUser { name: "alice".to_owned(), host: "laptop".to_owned() });
        let commands = Commands::none();
        let iam_users = Arc::new(IamUsers::new(aws.clone(), clock.clone(), store.clone(), commands.clone()));
        let certificates = Arc::new(MachineCertificates::new(store, clock));
        let aws_room = aws.clone();
        let providers = Providers {
            aws: aws_room,
            sign_in_sessions,
            console_logins,
            iam_users,
            certificates,
            commands,
            github_job: Arc::default(),
            task: Arc::default(),
            user,
        };
        Self { aws, providers }
    }

    /// Obtains the source, then the roles from `first` on under a grant.
    async fn elevated(&self, chain: &Chain, first: usize, elevation: &Elevation<'_>) -> Result<Credentials, Problem> {
        let from = self.providers.provide(&chain.before(first)).await?;
        self.aws.assumed.lock().unwrap().clear();
        self.providers.provide_from(chain, first, from, elevation).await
    }

    fn answers(&self, count: usize) {
        for _ in 0..count {
            self.aws.next_role(Ok(HOUR));
        }
    }

    fn session_names(&self) -> Vec<String> {
        let assumed = self.aws.assumed.lock().unwrap();
        assumed.iter().map(|role| role.role_session_name.clone().unwrap()).collect()
    }
}

fn corp() -> SignInSession {
    SignInSession {
        name: SessionName::new("corp").unwrap(),
        start_url: StartUrl::new("https://d-1.awsapps.com/start").unwrap(),
        region: Region::new("us-east-1").unwrap(),
        scopes: vec![],
    }
}

fn chain(roles: &[&str]) -> Chain {
    let (account, role) = (AccountId::new("123456789012").unwrap(), RoleName::new("Dev").unwrap());
    let arn = |name: &&str| RoleArn::new(&format!("arn:aws:iam::123456789012:role/{name}")).unwrap();
    let asked = |name| RoleToAssume { reason_tag: Some("Reason".to_owned()), ..RoleToAssume::new(arn(name)) };
    Chain {
        source: Source::SignIn { session: corp(), account, role },
        roles: roles.iter().map(asked).collect(),
        region: Region::new("eu-central-1").unwrap(),
    }
}

fn elevation() -> Elevation<'static> {
    let longest = Duration::from_secs(900);
    Elevation { grant_id: "k3f9x2ab", reason: Some("INC-42"), session_policy: Some(POLICY), longest }
}

#[tokio::test]
async fn without_a_grant_every_role_is_named_after_user_and_host() {
    let world = World::signed_in().await;
    world.answers(3);
    world.providers.provide(&chain(&["First", "Second"])).await.unwrap();
    assert_eq!(world.session_names(), ["alice@laptop", "alice@laptop"]);
    assert!(world.aws.assumed.lock().unwrap().iter().all(|role| role.session_tags.is_empty()));
}

#[tokio::test]
async fn under_a_grant_the_roles_that_are_left_carry_it_and_the_last_one_the_rest() {
    let world = World::signed_in().await;
    world.answers(4);
    world.elevated(&chain(&["First", "Second", "Third"]), 1, &elevation()).await.unwrap();
    assert_eq!(world.session_names(), ["alice@laptop-k3f9x2ab", "alice@laptop-k3f9x2ab"]);
    let assumed = world.aws.assumed.lock().unwrap();
    let [second, third] = &assumed[..] else { panic!("{assumed:?}") };
    assert!(second.session_tags.is_empty() && second.session_policy.is_none());
    assert_eq!(third.session_tags, [("Reason".to_owned(), "INC-42".to_owned())]);
    assert_eq!(third.session_policy.as_deref(), Some(POLICY));
    assert!(assumed.iter().all(|role| role.duration == Some(Duration::from_secs(900))));
}

#[tokio::test]
async fn each_role_is_assumed_with_the_credentials_of_the_one_before() {
    let world = World::signed_in().await;
    world.answers(3);
    world.elevated(&chain(&["First", "Second"]), 0, &elevation()).await.unwrap();
    let calls = world.aws.calls();
    let calls: Vec<_> = calls.iter().filter(|call| call.starts_with("assume")).collect();
    assert!(calls[0].contains("role/First by ASIA0000000000000001"), "{calls:?}");
    assert!(calls[1].contains("role/Second by ASIA0000000000000002"), "{calls:?}");
}

#[tokio::test]
async fn a_bare_permission_set_is_issued_as_it_is() {
    let world = World::signed_in().await;
    world.answers(1);
    let elevation = Elevation { session_policy: None, ..elevation() };
    world.elevated(&chain(&[]), 0, &elevation).await.unwrap();
    assert!(world.session_names().is_empty());
}

#[tokio::test]
async fn terms_that_aws_cannot_keep_are_refused_before_it_is_asked() {
    let world = World::signed_in().await;
    world.answers(2);
    let refused = world.elevated(&chain(&[]), 0, &elevation()).await.unwrap_err();
    assert_eq!(refused, Problem::Elevation(ElevationError::NoRole));
    let mut narrowed = chain(&["Admin"]);
    narrowed.roles[0].session_policy = Some(POLICY.to_owned());
    let refused = world.elevated(&narrowed, 0, &elevation()).await.unwrap_err();
    assert_eq!(refused, Problem::Elevation(ElevationError::TwoSessionPolicies));
    assert!(world.session_names().is_empty());
}

#[tokio::test]
async fn a_policy_on_the_way_and_one_of_the_rule_do_not_meet() {
    let world = World::signed_in().await;
    world.answers(3);
    let mut chain = chain(&["First", "Second"]);
    chain.roles[0].session_policy = Some("{}".to_owned());
    world.elevated(&chain, 0, &elevation()).await.unwrap();
    let assumed = world.aws.assumed.lock().unwrap();
    assert_eq!(assumed[0].session_policy.as_deref(), Some("{}"));
    assert_eq!(assumed[1].session_policy.as_deref(), Some(POLICY));
}

#[tokio::test]
async fn a_step_that_fails_ends_the_way() {
    let world = World::signed_in().await;
    world.answers(1);
    let refused = AwsError::Refused { operation: "AssumeRole", code: "AccessDenied".into(), message: "no".into() };
    world.aws.next_role(Err(refused.clone()));
    let problem = world.elevated(&chain(&["First", "Second"]), 0, &elevation()).await.unwrap_err();
    assert_eq!(problem, Problem::Aws(refused));
    assert_eq!(world.session_names().len(), 1);
}

#[test]
fn the_part_before_a_role_is_what_other_profiles_reach_too() {
    let whole = chain(&["First", "Second"]);
    assert_eq!(whole.before(1).roles, whole.roles[..1]);
    assert_eq!(whole.before(1).region.as_str(), "eu-central-1");
    assert_eq!(whole.before(0).region.as_str(), "us-east-1", "a bare source has the sign-in session's region");
    assert_eq!(whole.before(2), whole);
}
