use super::*;
use crate::aws::AwsError;
use crate::aws::LoginClient;
use crate::aws::scripted::{ALICE, ScriptedAws};
use crate::aws::{LoginCall, LoginGrant};
use crate::clock::from_unix_seconds;
use crate::clock::manual::ManualClock;
use crate::names::Region;
use crate::signin::dpop::ProofKey;
use crate::store::memory::Memory;
use crate::store::testing::{Call, Faults, Faulty};
use tegata_protocol::Secret;

const LIFE: Duration = Duration::from_secs(15 * 60);
const MINUTE: Duration = Duration::from_secs(60);

/// A table over a scripted AWS and a store that fails when told; `restart` makes a new table over the same store.
struct World {
    clock: Arc<ManualClock>,
    aws: Arc<ScriptedAws>,
    memory: Memory,
    faults: Faults,
    table: Arc<ConsoleLogins>,
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

    /// Logs alice in with credentials of the usual life.
    async fn log_in(&self) {
        self.aws.next_login(Ok(LIFE));
        let (region, key) = (Region::new("us-east-1").unwrap(), ProofKey::fresh().unwrap());
        let client = LoginClient::SameDevice;
        let call = LoginCall { region: &region, client, key: &key };
        let code = Secret::new("code".to_owned());
        let grant = LoginGrant::Code { code: &code, verifier: &code, redirect_uri: "" };
        let tokens = self.aws.login_tokens(&call, grant).await.unwrap();
        let endpoint = self.aws.login_endpoint(&region).unwrap();
        self.table.logged_in(&alice(), LoggedIn { region, endpoint, client, key, tokens }).await;
    }

    async fn key(&self) -> Result<String, Problem> {
        let credentials = self.table.credentials(&alice()).await?;
        assert_eq!(credentials.account_id().unwrap().as_str(), "123456789012");
        Ok(credentials.access_key_id().to_owned())
    }

    fn renewals(&self) -> usize {
        self.aws.calls().iter().filter(|call| call.starts_with("renew")).count()
    }

    fn stored(&self) -> Option<LoginRecord> {
        let bytes = crate::store::Records::read(&mut self.memory.clone(), &LoginRecord::key(&alice())).unwrap()?;
        Some(LoginRecord::from_bytes(&alice(), &bytes).unwrap())
    }

    fn stored_token(&self) -> String {
        self.stored().unwrap().renewal.unwrap().refresh_token.expose_secret().to_owned()
    }
}

fn table(clock: &Arc<ManualClock>, aws: &Arc<ScriptedAws>, memory: &Memory) -> (Arc<ConsoleLogins>, Faults) {
    let (records, faults) = Faulty::over(memory.clone());
    let store = Store::spawn(Box::new(records)).unwrap();
    let sessions = Arc::new(SignInSessions::new(aws.clone(), clock.clone(), store.clone()));
    (Arc::new(ConsoleLogins::new(aws.clone(), clock.clone(), store, sessions)), faults)
}

fn alice() -> IdentityArn {
    IdentityArn::new(ALICE).unwrap()
}

fn down() -> AwsError {
    AwsError::Unavailable { operation: "CreateOAuth2Token", detail: "no route".to_owned() }
}

fn over() -> AwsError {
    AwsError::SignInOver { message: "The session has expired".to_owned() }
}

#[tokio::test]
async fn whoever_never_signed_in_needs_a_person_and_no_call() {
    let world = World::new();
    let problem = world.key().await.unwrap_err();
    assert_eq!(problem.to_string(), format!("{ALICE} has not signed in to the console here"));
    assert!(problem.needs_person() && world.aws.calls().is_empty());
}

#[tokio::test]
async fn fresh_credentials_are_served_from_memory_and_renewed_at_half_their_life() {
    let world = World::new();
    world.log_in().await;
    let first = world.key().await.unwrap();
    world.clock.advance(7 * MINUTE);
    assert_eq!((world.key().await.unwrap(), world.renewals()), (first.clone(), 0));
    world.clock.advance(MINUTE);
    world.aws.next_login(Ok(LIFE));
    let second = world.key().await.unwrap();
    assert_ne!(second, first);
    assert_eq!((world.key().await.unwrap(), world.renewals()), (second, 1));
}

#[tokio::test]
async fn half_a_day_is_one_person_and_a_renewal_in_the_eighth_minute_of_each_life() {
    let world = World::new();
    world.log_in().await;
    (0..89).for_each(|_| world.aws.next_login(Ok(LIFE)));
    for minute in 1..12 * 60 {
        world.clock.advance(MINUTE);
        let served = world.table.credentials(&alice()).await.unwrap();
        assert!(served.remaining(world.clock.now()) > 7 * MINUTE, "minute {minute}");
        assert_eq!(world.renewals(), minute / 8, "minute {minute}");
    }
    world.aws.next_login(Err(over()));
    world.clock.advance(LIFE);
    assert!(world.key().await.unwrap_err().needs_person());
    assert_eq!(world.renewals(), 90);
}

#[tokio::test]
async fn a_restart_renews_with_what_the_store_kept_and_the_same_key() {
    let mut world = World::new();
    world.log_in().await;
    let kept = world.stored().unwrap().renewal.unwrap();
    world.restart();
    world.aws.next_login(Ok(LIFE));
    world.key().await.unwrap();
    let call = format!("renew {} in us-east-1", kept.refresh_token.expose_secret());
    assert_eq!(world.aws.calls().last(), Some(&call));
    let renewed = world.stored().unwrap().renewal.unwrap();
    assert_eq!(renewed.key.to_secret().expose_secret(), kept.key.to_secret().expose_secret());
    assert_ne!(renewed.refresh_token.expose_secret(), kept.refresh_token.expose_secret());
    assert_eq!(world.stored().unwrap().spending_since, None);
}

#[tokio::test]
async fn d3_a_hundred_callers_spend_one_refresh_token() {
    let mut world = World::new();
    world.log_in().await;
    world.restart();
    world.aws.next_login(Ok(LIFE));
    let asked: Vec<_> = (0..100)
        .map(|_| {
            let table = Arc::clone(&world.table);
            tokio::spawn(async move { table.credentials(&alice()).await.map(|found| found.access_key_id().to_owned()) })
        })
        .collect();
    let mut keys = std::collections::HashSet::new();
    for answer in asked {
        keys.insert(answer.await.unwrap().unwrap());
    }
    assert_eq!((keys.len(), world.renewals()), (1, 1));
}

#[tokio::test]
async fn what_lives_is_served_when_a_renewal_fails_and_the_failure_is_not_repeated_at_once() {
    let world = World::new();
    world.log_in().await;
    let first = world.key().await.unwrap();
    world.clock.advance(10 * MINUTE);
    world.aws.next_login(Err(down()));
    assert_eq!((world.key().await.unwrap(), world.renewals()), (first.clone(), 1));
    assert_eq!((world.key().await.unwrap(), world.renewals()), (first.clone(), 1));
    let view = world.table.view(&alice()).await;
    assert!(view.last_error.unwrap().contains("no route") && view.state == SessionState::SignedIn);
    world.clock.advance(MINUTE);
    world.aws.next_login(Ok(LIFE));
    assert_ne!(world.key().await.unwrap(), first);
    assert_eq!(world.table.view(&alice()).await.last_error, None);
}

#[tokio::test]
async fn nothing_live_and_no_renewal_is_the_problem_and_not_a_sign_in() {
    let world = World::new();
    world.log_in().await;
    world.clock.advance(LIFE);
    world.aws.next_login(Err(down()));
    assert_eq!(world.key().await.unwrap_err(), Problem::Aws(down()));
    assert_eq!(world.key().await.unwrap_err(), Problem::Aws(down()));
    assert_eq!(world.renewals(), 1);
}

#[tokio::test]
async fn an_ended_login_serves_what_lives_and_then_asks_for_a_person() {
    let mut world = World::new();
    world.log_in().await;
    let last = world.key().await.unwrap();
    world.clock.advance(10 * MINUTE);
    world.aws.next_login(Err(over()));
    assert_eq!(world.key().await.unwrap(), last);
    assert!(world.stored().unwrap().renewal.is_none(), "a refused refresh token is kept nowhere");
    assert!(!world.table.has_ended(ALICE));
    world.clock.advance(5 * MINUTE);
    let problem = world.key().await.unwrap_err();
    assert_eq!(problem.to_string(), format!("{ALICE} has to sign in to the console again (The session has expired)"));
    assert!(world.table.has_ended(ALICE) && world.renewals() == 1);
    world.restart();
    assert!(world.key().await.unwrap_err().needs_person());
    assert_eq!(world.table.view(&alice()).await.state, SessionState::Ended);
}

#[tokio::test]
async fn i4_a_store_that_fails_keeps_the_refresh_token_from_being_spent() {
    let world = World::new();
    world.log_in().await;
    world.clock.advance(LIFE);
    world.faults.always(Some(StoreError::Locked));
    assert_eq!(world.key().await.unwrap_err(), Problem::Store(StoreError::Locked));
    assert_eq!(world.renewals(), 0);
}

#[tokio::test]
async fn i4_twin_a_store_that_works_again_lets_it_be_spent() {
    let world = World::new();
    world.log_in().await;
    world.clock.advance(LIFE);
    world.faults.always(Some(StoreError::Locked));
    world.key().await.unwrap_err();
    world.faults.always(None);
    world.clock.advance(MINUTE);
    world.aws.next_login(Ok(LIFE));
    assert!(world.key().await.is_ok());
}

#[tokio::test]
async fn a_write_that_fails_after_spending_is_shown_and_repeated() {
    let world = World::new();
    world.log_in().await;
    world.clock.advance(LIFE);
    world.faults.fail(Call::Write, 2, StoreError::Locked);
    world.aws.next_login(Ok(LIFE));
    let key = world.key().await.unwrap();
    assert!(world.table.view(&alice()).await.last_error.unwrap().starts_with("not kept"));
    assert!(world.table.is_unsaved());
    world.table.look_after().await;
    assert!(!world.table.is_unsaved() && world.stored().unwrap().spending_since.is_none());
    assert_eq!(world.key().await.unwrap(), key);
}

#[tokio::test]
async fn a_crash_after_spending_tries_the_old_token_once_and_then_asks_for_a_person() {
    let mut world = World::new();
    world.log_in().await;
    let mut crashed = world.stored().unwrap();
    crashed.spending_since = Some(world.clock.now());
    crate::store::Records::write(&mut world.memory.clone(), &LoginRecord::key(&alice()), &crashed.to_bytes()).unwrap();
    world.restart();
    world.aws.next_login(Err(over()));
    assert!(world.key().await.unwrap_err().needs_person());
    assert!(world.key().await.unwrap_err().needs_person());
    assert_eq!(world.renewals(), 1);
}

#[tokio::test]
async fn another_endpoint_than_the_one_signed_in_at_gets_nothing() {
    let world = World::new();
    world.log_in().await;
    world.clock.advance(LIFE);
    *world.aws.host.lock().unwrap() = "evil.test".to_owned();
    let problem = world.key().await.unwrap_err();
    assert!(
        matches!(&problem, Problem::LoginChanged { difference, .. } if difference.contains("evil.test")),
        "{problem}"
    );
    assert_eq!(world.renewals(), 0);
}

#[tokio::test]
async fn another_endpoint_twin_the_same_one_gets_the_token() {
    let world = World::new();
    world.log_in().await;
    world.clock.advance(LIFE);
    world.aws.next_login(Ok(LIFE));
    assert!(world.key().await.is_ok());
}

#[tokio::test]
async fn forgotten_is_forgotten_in_memory_and_in_the_store() {
    let mut world = World::new();
    world.log_in().await;
    assert!(world.table.forget(&alice()).await.unwrap());
    assert!(world.stored().is_none() && world.key().await.unwrap_err().needs_person());
    assert!(!world.table.forget(&alice()).await.unwrap(), "there was none any more");
    world.restart();
    assert!(world.key().await.unwrap_err().needs_person());
}

#[tokio::test]
async fn a_renewal_under_way_does_not_bring_back_what_is_forgotten() {
    let mut world = World::new();
    world.log_in().await;
    world.restart();
    world.aws.next_login(Ok(LIFE));
    let table = Arc::clone(&world.table);
    let renewing = tokio::spawn(async move { table.credentials(&alice()).await });
    while world.renewals() == 0 {
        tokio::task::yield_now().await;
    }
    world.table.forget(&alice()).await.unwrap();
    let _ = renewing.await.unwrap();
    assert!(world.stored().is_none());
    assert!(world.key().await.unwrap_err().needs_person());
}

#[tokio::test]
async fn a_lock_while_a_renewal_is_under_way_costs_no_login() {
    let mut world = World::new();
    world.log_in().await;
    let spent = world.stored_token();
    world.restart();
    world.aws.next_login(Ok(LIFE));
    let table = Arc::clone(&world.table);
    let renewing = tokio::spawn(async move { table.credentials(&alice()).await });
    while world.renewals() == 0 {
        tokio::task::yield_now().await;
    }
    world.table.forget_all();
    let _ = renewing.await.unwrap();
    assert_ne!(world.stored_token(), spent, "the store has what AWS gave");
    world.aws.next_login(Ok(LIFE));
    assert!(world.key().await.is_ok());
}

#[tokio::test]
async fn another_login_meanwhile_is_not_undone_by_an_older_renewal() {
    let mut world = World::new();
    world.log_in().await;
    world.restart();
    world.aws.next_login(Err(over()));
    let table = Arc::clone(&world.table);
    let renewing = tokio::spawn(async move { table.credentials(&alice()).await });
    while world.renewals() == 0 {
        tokio::task::yield_now().await;
    }
    let first = world.stored_token();
    world.log_in_over(first).await;
    let _ = renewing.await.unwrap();
    assert!(world.key().await.is_ok());
    assert!(world.stored().unwrap().renewal.is_some());
}

impl World {
    /// Puts a new login in the place of the one with this refresh token.
    async fn log_in_over(&self, token: String) {
        let (region, key) = (Region::new("us-east-1").unwrap(), ProofKey::fresh().unwrap());
        let endpoint = self.aws.login_endpoint(&region).unwrap();
        let tokens = self.aws.mint_login(LIFE);
        assert_ne!(tokens.refresh_token.expose_secret(), token);
        let client = LoginClient::SameDevice;
        self.table.logged_in(&alice(), LoggedIn { region, endpoint, client, key, tokens }).await;
    }
}

#[tokio::test]
async fn credentials_dropped_from_memory_come_by_a_renewal() {
    let world = World::new();
    world.log_in().await;
    let first = world.key().await.unwrap();
    world.table.forget_credentials(|_| true);
    world.aws.next_login(Ok(LIFE));
    assert_ne!(world.key().await.unwrap(), first);
    assert_eq!(world.renewals(), 1);
}

#[tokio::test]
async fn the_view_says_who_and_until_when() {
    let world = World::new();
    assert_eq!(world.table.view(&alice()).await.state, SessionState::SignedOut);
    world.log_in().await;
    let view = world.table.view(&alice()).await;
    assert_eq!((view.arn.as_str(), view.region.as_deref()), (ALICE, Some("us-east-1")));
    assert_eq!(view.expires_at, Some(rfc3339(world.clock.now() + LONGEST)));
    world.faults.always(Some(StoreError::Locked));
    world.table.forget_all();
    assert_eq!(world.table.view(&alice()).await.state, SessionState::Unknown);
}
