use super::*;
use crate::aws::AwsError;
use crate::aws::scripted::ScriptedAws;
use crate::certificates::MachineCertificates;
use crate::clock::from_unix_seconds;
use crate::clock::manual::ManualClock;
use crate::console_logins::ConsoleLogins;
use crate::names::{AccountId, Region, RoleArn, RoleName, SessionName, StartUrl};
use crate::profile::SignInSession;
use crate::profile::Source;
use crate::sign_in_sessions::SignInSessions;
use crate::store::Store;
use crate::store::memory::Memory;

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

struct World {
    clock: Arc<ManualClock>,
    aws: Arc<ScriptedAws>,
    memory: Memory,
    sessions: Arc<SignInSessions>,
    obtainer: Arc<Obtainer>,
}

impl World {
    async fn signed_in() -> Self {
        let clock = Arc::new(ManualClock::at(from_unix_seconds(1_795_338_478)));
        let (aws, memory) = (ScriptedAws::new(clock.clone()), Memory::default());
        let (sessions, obtainer) = wire(&clock, &aws, &memory);
        let world = Self { clock, aws, memory, sessions, obtainer };
        world.sessions.signed_in(&corp(), world.aws.mint(30 * DAY)).await.unwrap();
        world
    }

    /// Another daemon over the same store.
    fn restart(&mut self) {
        (self.sessions, self.obtainer) = wire(&self.clock, &self.aws, &self.memory);
    }

    async fn key(&self, chain: &Arc<Chain>) -> Result<String, Problem> {
        self.obtainer.obtain(chain).await.map(|credentials| credentials.access_key_id().to_owned())
    }

    fn fetches(&self) -> usize {
        self.aws.calls().iter().filter(|call| call.starts_with("role")).count()
    }

    /// Waits until the stored role credentials are in the store.
    async fn stored(&self) {
        let key = crate::sign_in_sessions::record::RolesRecord::key("corp");
        while crate::store::Records::read(&mut self.memory.clone(), &key).unwrap().is_none() {
            tokio::task::yield_now().await;
        }
    }
}

fn wire(clock: &Arc<ManualClock>, aws: &Arc<ScriptedAws>, memory: &Memory) -> (Arc<SignInSessions>, Arc<Obtainer>) {
    let store = Store::spawn(Box::new(memory.clone())).unwrap();
    let cache = Arc::new(Cache::default());
    let sessions = Arc::new(SignInSessions::new(aws.clone(), clock.clone(), store.clone()));
    let console_logins = ConsoleLogins::new(aws.clone(), clock.clone(), store.clone(), Arc::clone(&sessions));
    let commands = crate::helper::Commands::none();
    let users = crate::iam_users::IamUsers::new(aws.clone(), clock.clone(), store.clone(), commands.clone());
    let stored = Arc::new(StoredRoles::new(store.clone(), clock.clone(), Arc::clone(&cache)));
    let providers = Providers {
        iam_users: Arc::new(users),
        aws: aws.clone(),
        sign_in_sessions: Arc::clone(&sessions),
        console_logins: Arc::new(console_logins),
        certificates: Arc::new(MachineCertificates::new(store.clone(), clock.clone())),
        user: crate::local_user::LocalUser { name: "alice".into(), host: "laptop".into() }.into(),
        commands,
        github_job: Arc::default(),
        task: Arc::default(),
    };
    (sessions, Arc::new(Obtainer::new(clock.clone(), cache, providers, stored)))
}

fn corp() -> SignInSession {
    SignInSession {
        name: SessionName::new("corp").unwrap(),
        start_url: StartUrl::new("https://d-1.awsapps.com/start").unwrap(),
        region: Region::new("us-east-1").unwrap(),
        scopes: vec![],
    }
}

fn chain(role: &str) -> Arc<Chain> {
    let (account, role) = (AccountId::new("123456789012").unwrap(), RoleName::new(role).unwrap());
    let source = Source::SignIn { session: corp(), account, role };
    Arc::new(Chain { source, roles: vec![], region: Region::new("us-east-1").unwrap() })
}

fn down() -> AwsError {
    AwsError::Unavailable { operation: "GetRoleCredentials", detail: "no route".to_owned() }
}

#[tokio::test]
async fn d3_five_hundred_cold_callers_make_one_call() {
    let world = World::signed_in().await;
    world.aws.next_role(Ok(HOUR));
    let asked: Vec<_> = (0..500)
        .map(|_| {
            let obtainer = Arc::clone(&world.obtainer);
            tokio::spawn(async move { obtainer.obtain(&chain("Dev")).await.map(|_| ()) })
        })
        .collect();
    for answer in asked {
        answer.await.unwrap().unwrap();
    }
    assert_eq!(world.fetches(), 1);
}

#[tokio::test]
async fn d3_twin_another_role_is_another_call() {
    let world = World::signed_in().await;
    world.aws.next_role(Ok(HOUR));
    world.aws.next_role(Ok(HOUR));
    assert_ne!(world.key(&chain("Dev")).await.unwrap(), world.key(&chain("Ops")).await.unwrap());
    assert_eq!(world.fetches(), 2);
}

#[tokio::test]
async fn d3_who_takes_off_when_the_last_flight_has_just_landed_makes_no_call() {
    let world = World::signed_in().await;
    world.aws.next_role(Ok(HOUR));
    let key = world.key(&chain("Dev")).await.unwrap();
    let late = landed(world.obtainer.fetch(&chain("Dev")).landed().await).unwrap();
    assert_eq!((late.access_key_id(), world.fetches()), (key.as_str(), 1));
}

#[tokio::test]
async fn fresh_credentials_cost_no_call() {
    let world = World::signed_in().await;
    world.aws.next_role(Ok(HOUR));
    let first = world.key(&chain("Dev")).await.unwrap();
    world.clock.advance(Duration::from_secs(44 * 60));
    assert_eq!(world.key(&chain("Dev")).await.unwrap(), first);
    assert_eq!(world.fetches(), 1);
}

#[tokio::test]
async fn usable_credentials_are_replaced_by_newer_ones() {
    let world = World::signed_in().await;
    world.aws.next_role(Ok(HOUR));
    let first = world.key(&chain("Dev")).await.unwrap();
    world.clock.advance(Duration::from_secs(46 * 60));
    world.aws.next_role(Ok(HOUR));
    assert_ne!(world.key(&chain("Dev")).await.unwrap(), first);
}

#[tokio::test]
async fn a_failed_renewal_serves_what_lives_and_is_not_repeated_by_each_caller() {
    let world = World::signed_in().await;
    world.aws.next_role(Ok(HOUR));
    let first = world.key(&chain("Dev")).await.unwrap();
    world.clock.advance(Duration::from_secs(50 * 60));
    world.aws.next_role(Err(down()));
    for _ in 0..10 {
        assert_eq!(world.key(&chain("Dev")).await.unwrap(), first);
    }
    assert_eq!(world.fetches(), 2);
}

#[tokio::test]
async fn d16_nothing_is_served_past_its_end() {
    let world = World::signed_in().await;
    world.aws.next_role(Ok(HOUR));
    world.key(&chain("Dev")).await.unwrap();
    world.clock.advance(HOUR);
    world.aws.next_role(Err(down()));
    assert_eq!(world.key(&chain("Dev")).await.unwrap_err(), Problem::Aws(down()));
}

#[tokio::test]
async fn d16_twin_it_is_served_until_a_second_before() {
    let world = World::signed_in().await;
    world.aws.next_role(Ok(HOUR));
    let first = world.key(&chain("Dev")).await.unwrap();
    world.clock.advance(HOUR - Duration::from_secs(1));
    world.aws.next_role(Err(down()));
    assert_eq!(world.key(&chain("Dev")).await.unwrap(), first);
}

#[tokio::test]
async fn a_failure_is_remembered_briefly() {
    let world = World::signed_in().await;
    world.aws.next_role(Err(down()));
    for _ in 0..100 {
        assert_eq!(world.key(&chain("Dev")).await.unwrap_err(), Problem::Aws(down()));
    }
    assert_eq!(world.fetches(), 1);
    world.clock.advance(Duration::from_secs(6));
    world.aws.next_role(Ok(HOUR));
    assert!(world.key(&chain("Dev")).await.is_ok());
}

#[tokio::test]
async fn what_a_person_mends_works_at_once() {
    let world = World::signed_in().await;
    world.clock.advance(31 * DAY);
    world.aws.next_tokens(Err(AwsError::SignInOver { message: "over".to_owned() }));
    assert!(matches!(world.key(&chain("Dev")).await, Err(Problem::SignInRequired { .. })));
    world.sessions.registration(&corp(), false).await.unwrap();
    world.sessions.signed_in(&corp(), world.aws.mint(HOUR)).await.unwrap();
    world.aws.next_role(Ok(HOUR));
    assert!(world.key(&chain("Dev")).await.is_ok());
}

#[tokio::test]
async fn a_refused_token_is_renewed_once_and_the_role_fetched_again() {
    let world = World::signed_in().await;
    world.sessions.registration(&corp(), false).await.unwrap();
    world.aws.next_role(Err(AwsError::SignInOver { message: "Session token not found or invalid".to_owned() }));
    world.aws.next_tokens(Ok(HOUR));
    world.aws.next_role(Ok(HOUR));
    assert!(world.key(&chain("Dev")).await.is_ok());
    let calls = world.aws.calls();
    assert_eq!(calls[1..], ["role Dev by access-0", "refresh refresh-0", "role Dev by access-1"]);
}

#[tokio::test]
async fn a_restart_serves_from_the_store_without_a_call() {
    let mut world = World::signed_in().await;
    world.aws.next_role(Ok(HOUR));
    let first = world.key(&chain("Dev")).await.unwrap();
    world.stored().await;
    world.restart();
    assert_eq!(world.key(&chain("Dev")).await.unwrap(), first);
    assert_eq!(world.fetches(), 1);
}

#[tokio::test]
async fn what_is_in_use_is_renewed_ahead_and_what_is_not_is_left() {
    let world = World::signed_in().await;
    world.aws.next_role(Ok(HOUR));
    let first = world.key(&chain("Dev")).await.unwrap();
    world.clock.advance(Duration::from_secs(41 * 60));
    world.aws.next_role(Ok(HOUR));
    world.obtainer.renew_ahead();
    while world.key(&chain("Dev")).await.unwrap() == first {
        tokio::task::yield_now().await;
    }
    assert_eq!(world.fetches(), 2);
}

#[tokio::test]
async fn forgetting_drops_what_is_being_fetched_too() {
    let world = World::signed_in().await;
    world.aws.next_role(Ok(HOUR));
    let asked = chain("Dev");
    let flight = world.obtainer.fetch(&asked);
    world.obtainer.forget_all();
    flight.landed().await.unwrap().unwrap();
    assert!(matches!(world.obtainer.cache.peek(&asked, world.clock.now()), Found::Nothing));
}

#[tokio::test]
async fn roles_are_assumed_one_from_the_other() {
    let world = World::signed_in().await;
    let role = |name: &str| {
        crate::aws::RoleToAssume::new(RoleArn::new(&format!("arn:aws:iam::123456789012:role/{name}")).unwrap())
    };
    let base = chain("Dev");
    let behind = Arc::new(Chain { roles: vec![role("First"), role("Second")], ..(*base).clone() });
    for _ in 0..3 {
        world.aws.next_role(Ok(HOUR));
    }
    world.key(&behind).await.unwrap();
    let calls = world.aws.calls();
    assert!(calls[1].starts_with("assume arn:aws:iam::123456789012:role/First by ASIA"), "{calls:?}");
    assert!(calls[2].starts_with("assume arn:aws:iam::123456789012:role/Second by ASIA"), "{calls:?}");
}
