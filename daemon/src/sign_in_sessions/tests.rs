mod adopt;

use super::*;
use crate::aws::AwsError;
use crate::aws::scripted::ScriptedAws;
use crate::clock::from_unix_seconds;
use crate::clock::manual::ManualClock;
use crate::names::{Region, StartUrl};
use crate::store::memory::Memory;
use crate::store::testing::{Call, Faults, Faulty};

const HOUR: Duration = Duration::from_secs(3600);

/// A table over a scripted AWS and a store that fails when told; `restart` makes a new table over the same store.
struct World {
    clock: Arc<ManualClock>,
    aws: Arc<ScriptedAws>,
    memory: Memory,
    faults: Faults,
    table: Arc<SignInSessions>,
}

impl World {
    fn new() -> Self {
        let clock = Arc::new(ManualClock::at(from_unix_seconds(1_795_338_478)));
        let aws = ScriptedAws::new(clock.clone());
        let memory = Memory::default();
        let (table, faults) = table(&clock, &aws, &memory);
        Self { clock, aws, memory, faults, table }
    }

    fn restart(&mut self) {
        (self.table, self.faults) = table(&self.clock, &self.aws, &self.memory);
    }

    async fn sign_in(&self) {
        let session = corp("https://d-1.awsapps.com/start");
        self.table.registration(&session, false).await.unwrap();
        self.table.signed_in(&session, self.aws.mint(HOUR)).await.unwrap();
    }

    async fn token(&self) -> Result<String, Problem> {
        let session = corp("https://d-1.awsapps.com/start");
        self.table.access_token(&session).await.map(|token| token.expose_secret().to_owned())
    }

    fn refreshes(&self) -> usize {
        self.aws.calls().iter().filter(|call| call.starts_with("refresh")).count()
    }
}

fn table(clock: &Arc<ManualClock>, aws: &Arc<ScriptedAws>, memory: &Memory) -> (Arc<SignInSessions>, Faults) {
    let (records, faults) = Faulty::over(memory.clone());
    let store = Store::spawn(Box::new(records)).unwrap();
    (Arc::new(SignInSessions::new(aws.clone(), clock.clone(), store)), faults)
}

fn corp(start_url: &str) -> SignInSession {
    SignInSession {
        name: SessionName::new("corp").unwrap(),
        start_url: StartUrl::new(start_url).unwrap(),
        region: Region::new("us-east-1").unwrap(),
        scopes: vec!["sso:account:access".to_owned()],
    }
}

fn over() -> AwsError {
    AwsError::SignInOver { message: "Invalid refresh token provided".to_owned() }
}

fn down() -> AwsError {
    AwsError::Unavailable { operation: "CreateToken", detail: "no route".to_owned() }
}

#[tokio::test]
async fn a_session_nobody_signed_in_to_needs_a_person_and_no_call() {
    let world = World::new();
    let problem = world.token().await.unwrap_err();
    assert_eq!(problem.to_string(), r#"sign-in session corp has not been signed in to"#);
    assert!(world.aws.calls().is_empty());
}

#[tokio::test]
async fn a_restart_reads_the_tokens_back_without_a_call() {
    let mut world = World::new();
    world.sign_in().await;
    let before = world.token().await.unwrap();
    world.restart();
    assert_eq!(world.token().await.unwrap(), before);
    assert_eq!(world.aws.calls(), ["register"]);
}

#[tokio::test]
async fn an_expired_access_token_is_renewed_once_for_everybody() {
    let world = World::new();
    world.sign_in().await;
    world.clock.advance(2 * HOUR);
    world.aws.next_tokens(Ok(HOUR));
    let asked: Vec<_> = (0..100)
        .map(|_| {
            let table = Arc::clone(&world.table);
            tokio::spawn(async move { table.access_token(&corp("https://d-1.awsapps.com/start")).await.map(|_| ()) })
        })
        .collect();
    for answer in asked {
        answer.await.unwrap().unwrap();
    }
    assert_eq!(world.refreshes(), 1);
}

#[tokio::test]
async fn a_renewal_keeps_the_new_refresh_token() {
    let mut world = World::new();
    world.sign_in().await;
    for _ in 0..3 {
        world.clock.advance(2 * HOUR);
        world.aws.next_tokens(Ok(HOUR));
        world.token().await.unwrap();
        world.restart();
    }
    assert_eq!(world.aws.calls(), ["register", "refresh refresh-0", "refresh refresh-1", "refresh refresh-2"]);
}

#[tokio::test]
async fn a_token_near_its_end_is_served_while_it_is_renewed() {
    let world = World::new();
    world.sign_in().await;
    let first = world.token().await.unwrap();
    world.clock.advance(HOUR - Duration::from_secs(60));
    world.aws.next_tokens(Ok(HOUR));
    let mut changes = world.table.changes();
    changes.mark_unchanged();
    assert_eq!(world.token().await.unwrap(), first);
    changes.changed().await.unwrap();
    assert_ne!(world.token().await.unwrap(), first);
}

#[tokio::test]
async fn a_failed_renewal_leaves_the_live_token_and_is_not_repeated_at_once() {
    let world = World::new();
    world.sign_in().await;
    let first = world.token().await.unwrap();
    world.clock.advance(HOUR - Duration::from_secs(60));
    world.aws.next_tokens(Err(down()));
    assert_eq!(world.token().await.unwrap(), first);
    while world.table.view(&corp("https://d-1.awsapps.com/start")).await.last_error.is_none() {
        tokio::task::yield_now().await;
    }
    for _ in 0..10 {
        assert_eq!(world.token().await.unwrap(), first);
    }
    assert_eq!(world.refreshes(), 1);
    world.clock.advance(Duration::from_secs(45));
    world.aws.next_tokens(Ok(HOUR));
    world.token().await.unwrap();
    let mut changes = world.table.changes();
    changes.changed().await.unwrap();
    assert_eq!(world.refreshes(), 2);
}

#[tokio::test]
async fn d1_a_refused_refresh_token_is_dropped_and_not_tried_again() {
    let mut world = World::new();
    world.sign_in().await;
    world.clock.advance(2 * HOUR);
    world.aws.next_tokens(Err(over()));
    for _ in 0..5 {
        assert!(matches!(world.token().await, Err(Problem::SignInRequired { .. })));
    }
    world.restart();
    assert_eq!(world.token().await.unwrap_err().to_string(), r#"sign-in session corp has ended"#);
    assert_eq!(world.refreshes(), 1);
}

#[tokio::test]
async fn d1_twin_signing_in_again_revives_it() {
    let world = World::new();
    world.sign_in().await;
    world.clock.advance(2 * HOUR);
    world.aws.next_tokens(Err(over()));
    assert!(world.token().await.is_err());
    world.sign_in().await;
    assert!(world.token().await.is_ok());
}

#[tokio::test]
async fn an_access_token_that_lives_outlives_its_refresh_token() {
    let world = World::new();
    world.sign_in().await;
    let first = world.token().await.unwrap();
    world.clock.advance(HOUR - Duration::from_secs(60));
    world.aws.next_tokens(Err(over()));
    world.token().await.unwrap();
    let mut changes = world.table.changes();
    changes.changed().await.unwrap();
    assert_eq!(world.token().await.unwrap(), first);
    world.clock.advance(Duration::from_secs(61));
    assert!(matches!(world.token().await, Err(Problem::SignInRequired { .. })));
    assert_eq!(world.refreshes(), 1);
}

#[tokio::test]
async fn a_refresh_token_is_not_spent_when_the_store_cannot_keep_the_next_one() {
    let world = World::new();
    world.sign_in().await;
    world.clock.advance(2 * HOUR);
    world.faults.always(Some(StoreError::Locked));
    assert_eq!(world.token().await.unwrap_err(), Problem::Store(StoreError::Locked));
    assert_eq!(world.refreshes(), 0);
    world.faults.always(None);
    world.clock.advance(Duration::from_secs(60));
    world.aws.next_tokens(Ok(HOUR));
    assert!(world.token().await.is_ok());
}

#[tokio::test]
async fn a_rotated_token_that_could_not_be_kept_is_written_again() {
    let mut world = World::new();
    world.sign_in().await;
    world.clock.advance(2 * HOUR);
    world.aws.next_tokens(Ok(HOUR));
    // The probe is the first write from here, the new token the second.
    world.faults.fail(Call::Write, 2, StoreError::Locked);
    let renewed = world.token().await.unwrap();
    let session = corp("https://d-1.awsapps.com/start");
    let said = world.table.view(&session).await.last_error;
    assert_eq!(said.as_deref(), Some("not kept: the keyring is locked"));
    world.table.look_after().await;
    assert_eq!(world.table.view(&session).await.last_error, None);
    world.restart();
    assert_eq!(world.token().await.unwrap(), renewed);
}

#[tokio::test]
async fn a_crash_between_spending_and_keeping_costs_a_sign_in_at_most() {
    let mut world = World::new();
    world.sign_in().await;
    world.clock.advance(2 * HOUR);
    world.aws.next_tokens(Ok(HOUR));
    world.faults.fail(Call::Write, 2, StoreError::Locked);
    world.token().await.unwrap();
    world.restart();
    world.aws.next_tokens(Err(over()));
    assert!(matches!(world.token().await, Err(Problem::SignInRequired { .. })));
    assert_eq!(world.aws.calls(), ["register", "refresh refresh-0", "refresh refresh-0"]);
}

#[tokio::test]
async fn a_portal_that_refuses_the_token_makes_it_be_renewed() {
    let world = World::new();
    world.sign_in().await;
    let name = SessionName::new("corp").unwrap();
    let first = world.token().await.unwrap();
    world.table.refused(&name, &Secret::new(first.clone()), "Session token not found or invalid").await;
    world.aws.next_tokens(Ok(HOUR));
    let second = world.token().await.unwrap();
    assert_ne!(second, first);
    world.table.refused(&name, &Secret::new(first), "late").await;
    assert_eq!(world.token().await.unwrap(), second);
}

#[tokio::test]
async fn h8_a_start_url_that_changed_gets_no_token() {
    let mut world = World::new();
    world.sign_in().await;
    for _ in 0..2 {
        let problem = world.table.access_token(&corp("https://evil.awsapps.com/start")).await.unwrap_err();
        assert!(matches!(problem, Problem::SignInChanged { .. }), "{problem:?}");
        assert!(problem.to_string().contains("https://evil.awsapps.com/start"));
        world.restart();
    }
}

#[tokio::test]
async fn h8_an_endpoint_that_changed_gets_no_token_and_no_logout() {
    let world = World::new();
    world.sign_in().await;
    *world.aws.host.lock().unwrap() = "evil.test".to_owned();
    assert!(matches!(world.token().await, Err(Problem::SignInChanged { .. })));
    let said = world.table.sign_out(&corp("https://d-1.awsapps.com/start")).await.unwrap();
    assert!(said.is_err());
    assert_eq!(world.aws.calls(), ["register"]);
}

#[tokio::test]
async fn h8_a_record_of_another_endpoint_is_not_renewed_in_the_background() {
    let mut world = World::new();
    world.sign_in().await;
    world.clock.advance(2 * HOUR);
    world.restart();
    *world.aws.host.lock().unwrap() = "evil.test".to_owned();
    assert!(matches!(world.token().await, Err(Problem::SignInChanged { .. })));
    world.table.look_after().await;
    let problem = world.table.renew(&SessionName::new("corp").unwrap()).await.unwrap_err();
    assert!(matches!(problem, Problem::SignInChanged { .. }), "{problem:?}");
    assert_eq!(world.refreshes(), 0);
}

#[tokio::test]
async fn h8_twin_signing_out_and_in_again_accepts_the_change() {
    let world = World::new();
    world.sign_in().await;
    let moved = corp("https://new.awsapps.com/start");
    world.table.sign_out(&moved).await.unwrap().unwrap();
    world.table.registration(&moved, false).await.unwrap();
    world.table.signed_in(&moved, world.aws.mint(HOUR)).await.unwrap();
    assert!(world.table.access_token(&moved).await.is_ok());
    assert!(
        world
            .aws
            .calls()
            .iter()
            .any(|call| call.starts_with("logout access-0 at https://portal.sso.us-east-1.amazonaws.com"))
    );
}

#[tokio::test]
async fn signing_out_forgets_and_revokes() {
    let mut world = World::new();
    world.sign_in().await;
    assert_eq!(world.table.sign_out(&corp("https://d-1.awsapps.com/start")).await.unwrap(), Ok(()));
    world.restart();
    assert_eq!(world.token().await.unwrap_err().to_string(), r#"sign-in session corp has not been signed in to"#);
}

#[tokio::test]
async fn g14_a_client_is_registered_once_and_again_before_it_expires() {
    let mut world = World::new();
    world.sign_in().await;
    world.restart();
    world.sign_in().await;
    assert_eq!(world.aws.calls(), ["register"]);
    world.clock.advance(Duration::from_secs(90 * 24 * 3600 - 3600));
    world.sign_in().await;
    assert_eq!(world.aws.calls(), ["register", "register"]);
}

#[tokio::test]
async fn i6_a_damaged_record_ends_in_a_new_sign_in() {
    let mut world = World::new();
    world.sign_in().await;
    world.faults.damage(&SignInRecord::key("corp"));
    world.restart();
    world.faults.damage(&SignInRecord::key("corp"));
    assert!(matches!(world.token().await, Err(Problem::SignInRequired { .. })));
    world.sign_in().await;
    assert!(world.token().await.is_ok());
}

#[tokio::test]
async fn i3_a_locked_store_is_said_and_heals() {
    let mut world = World::new();
    world.sign_in().await;
    world.restart();
    world.faults.always(Some(StoreError::Locked));
    assert_eq!(world.token().await.unwrap_err(), Problem::Store(StoreError::Locked));
    world.faults.always(None);
    assert!(world.token().await.is_ok());
}
