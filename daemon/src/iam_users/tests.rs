use super::*;
use crate::aws::scripted::ScriptedAws;
use crate::clock::from_unix_seconds;
use crate::clock::manual::ManualClock;
use crate::helper::scripted::ScriptedHelper;
use crate::names::Region;
use crate::settings::HandOut;
use crate::store::memory::Memory;
use record::KeyState;

const HOUR: Duration = Duration::from_secs(3600);
const START: i64 = 1_795_338_480;
const SEED: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
const ID: &str = "AKIAFIRSTFIRSTFIRST1";
const OTHER_ID: &str = "AKIAOTHEROTHEROTHER2";

fn user() -> UserArn {
    UserArn::new("arn:aws:iam::123456789012:user/alice").unwrap()
}

fn phone() -> MfaSerial {
    MfaSerial::new("arn:aws:iam::123456789012:mfa/alice").unwrap()
}

fn plain() -> IamUser {
    let region = Region::new("us-east-1").unwrap();
    IamUser { user: user(), mfa: None, duration: None, hand_out: HandOut::Session, totp_command: None, region }
}

fn with_phone() -> IamUser {
    IamUser { mfa: Some(phone()), ..plain() }
}

fn key(id: &str, state: KeyState) -> AccessKey {
    let secret = Secret::new("CANARY-secret-access-key".to_owned());
    AccessKey::new(id, secret, from_unix_seconds(START), state).unwrap()
}

fn wrong_code() -> AwsError {
    let message = "MultiFactorAuthentication failed with invalid MFA one time pass code. ".to_owned();
    AwsError::Refused { operation: "GetSessionToken", code: "AccessDenied".to_owned(), message }
}

fn unknown_key() -> AwsError {
    let code = "InvalidClientTokenId".to_owned();
    AwsError::Refused { operation: "GetSessionToken", code, message: "The security token is invalid.".to_owned() }
}

struct World {
    clock: Arc<ManualClock>,
    aws: Arc<ScriptedAws>,
    memory: Memory,
    users: Arc<IamUsers>,
}

impl World {
    fn over(clock: Arc<ManualClock>, memory: Memory) -> Self {
        Self::running(clock, memory, Commands::none())
    }

    fn running(clock: Arc<ManualClock>, memory: Memory, commands: Arc<Commands>) -> Self {
        let aws = ScriptedAws::new(clock.clone());
        let store = Store::spawn(Box::new(memory.clone())).unwrap();
        let users = Arc::new(IamUsers::new(aws.clone(), clock.clone(), store, commands));
        Self { clock, aws, memory, users }
    }

    /// Alice with a key in the store.
    async fn with_key() -> Self {
        let clock = Arc::new(ManualClock::at(from_unix_seconds(START + 10)));
        let world = Self::over(clock, Memory::default());
        world.use_key(key(ID, KeyState::InUse)).await;
        world
    }

    /// Alice with a key and the seed of her phone.
    async fn with_seed() -> Self {
        let world = Self::with_key().await;
        world.users.add_seed(&user(), &phone(), Seed::new(SEED).unwrap()).await.unwrap();
        world
    }

    async fn use_key(&self, key: AccessKey) {
        let record = IamUserRecord::new(user().as_str(), self.clock.now(), key);
        let put = |held: &mut Option<IamUserRecord>| {
            *held = Some(record);
            Ok(())
        };
        self.users.change_keys(&user(), put).await.unwrap();
    }

    /// The same store under a new daemon.
    fn restarted(&self) -> Self {
        Self::over(Arc::clone(&self.clock), self.memory.clone())
    }

    /// Keeps the next session back.
    fn hold(&self) -> Arc<tokio::sync::Notify> {
        let held = Arc::new(tokio::sync::Notify::new());
        *self.aws.held.lock().unwrap() = Some(Arc::clone(&held));
        held
    }

    async fn until_asked(&self) {
        while self.aws.calls().is_empty() {
            tokio::task::yield_now().await;
        }
    }

    fn shown(&self) -> Secret {
        Seed::new(SEED).unwrap().code(totp::step(self.clock.now()))
    }
}

#[tokio::test]
async fn a_session_lasts_half_a_day_and_serves_everybody_from_memory() {
    let world = World::with_key().await;
    world.aws.next_role(Ok(12 * HOUR));
    let made = world.users.session(&plain()).await.unwrap();
    let again = world.users.session(&plain()).await.unwrap();
    assert_eq!(made.access_key_id(), again.access_key_id());
    assert_eq!(world.aws.calls(), [format!("session of {ID} for 43200")]);
}

#[tokio::test]
async fn a_thousand_callers_make_one_session() {
    let world = World::with_seed().await;
    world.aws.next_role(Ok(12 * HOUR));
    let asking: Vec<_> = (0..1000)
        .map(|_| {
            let users = Arc::clone(&world.users);
            tokio::spawn(async move { users.session(&with_phone()).await.unwrap().access_key_id().to_owned() })
        })
        .collect();
    let mut ids = HashSet::new();
    for asked in asking {
        ids.insert(asked.await.unwrap());
    }
    assert_eq!((ids.len(), world.aws.calls().len()), (1, 1));
}

#[tokio::test]
async fn roles_in_two_regions_share_a_session_and_another_device_or_duration_has_its_own() {
    let world = World::with_key().await;
    (0..3).for_each(|_| world.aws.next_role(Ok(12 * HOUR)));
    let elsewhere = IamUser { region: Region::new("eu-west-1").unwrap(), ..plain() };
    let brief = IamUser { duration: Some(Duration::from_secs(900)), ..plain() };
    world.users.add_seed(&user(), &phone(), Seed::new(SEED).unwrap()).await.unwrap();
    for source in [plain(), elsewhere, brief.clone(), with_phone(), plain(), brief] {
        world.users.session(&source).await.unwrap();
    }
    let code = Seed::new(SEED).unwrap().code(totp::step(world.clock.now()));
    let with_code = format!("session of {ID} for 43200 with {} of {}", code.expose_secret(), phone());
    let calls = [format!("session of {ID} for 43200"), format!("session of {ID} for 900"), with_code];
    assert_eq!(world.aws.calls(), calls);
}

#[tokio::test]
async fn without_a_code_a_session_is_renewed_ahead_and_with_one_it_lasts() {
    let world = World::with_key().await;
    (0..2).for_each(|_| world.aws.next_role(Ok(12 * HOUR)));
    let first = world.users.session(&plain()).await.unwrap();
    let with_code = world.users.session_by(&with_phone(), &world.shown()).await.unwrap();
    world.clock.advance(12 * HOUR - Duration::from_secs(600));
    world.aws.next_role(Ok(12 * HOUR));
    assert_ne!(world.users.session(&plain()).await.unwrap().access_key_id(), first.access_key_id());
    let still = world.users.session(&with_phone()).await.unwrap();
    assert_eq!((still.access_key_id(), world.aws.calls().len()), (with_code.access_key_id(), 3));
    world.clock.advance(Duration::from_secs(601));
    assert!(matches!(world.users.session(&with_phone()).await, Err(Problem::PersonNeeded { .. })));
}

#[tokio::test]
async fn a_seed_renews_ahead_as_well() {
    let world = World::with_seed().await;
    (0..2).for_each(|_| world.aws.next_role(Ok(12 * HOUR)));
    let first = world.users.session(&with_phone()).await.unwrap();
    world.clock.advance(12 * HOUR - Duration::from_secs(600));
    assert_ne!(world.users.session(&with_phone()).await.unwrap().access_key_id(), first.access_key_id());
}

#[tokio::test]
async fn a_renewal_that_fails_leaves_the_live_session_and_rests() {
    let world = World::with_key().await;
    world.aws.next_role(Ok(12 * HOUR));
    let first = world.users.session(&plain()).await.unwrap();
    world.clock.advance(12 * HOUR - Duration::from_secs(600));
    world.aws.next_role(Err(AwsError::Throttled { operation: "GetSessionToken", retry_after: None }));
    for _ in 0..50 {
        assert_eq!(world.users.session(&plain()).await.unwrap().access_key_id(), first.access_key_id());
    }
    assert_eq!(world.aws.calls().len(), 2);
}

#[tokio::test]
async fn a_session_that_a_code_bought_survives_a_restart_and_another_one_is_not_stored() {
    let world = World::with_key().await;
    (0..2).for_each(|_| world.aws.next_role(Ok(12 * HOUR)));
    world.users.session(&plain()).await.unwrap();
    let bought = world.users.session_by(&with_phone(), &world.shown()).await.unwrap();
    let next = world.restarted();
    let found = next.users.session(&with_phone()).await.unwrap();
    assert_eq!((found.access_key_id(), next.aws.calls().len()), (bought.access_key_id(), 0));
    assert_eq!(found.account_id().unwrap().as_str(), "123456789012");
    next.aws.next_role(Ok(12 * HOUR));
    next.users.session(&plain()).await.unwrap();
    assert_eq!(next.aws.calls().len(), 1);
    let brief = IamUser { duration: Some(HOUR), ..with_phone() };
    assert!(matches!(next.users.session(&brief).await, Err(Problem::PersonNeeded { .. })), "it asked for less");
}

#[tokio::test]
async fn a_wrong_seed_is_tried_once_however_many_ask() {
    let world = World::with_seed().await;
    world.aws.next_role(Err(wrong_code()));
    for _ in 0..20 {
        let Err(Problem::PersonNeeded { what, why, .. }) = world.users.session(&with_phone()).await else {
            panic!("no code is good")
        };
        assert!(what.ends_with(phone().as_str()) && why.contains("by hand: AWS did not take"), "{what} {why}");
        world.clock.advance(HOUR);
    }
    assert_eq!(world.aws.calls().len(), 1);
    assert!(world.users.needs_person(&with_phone()).await.unwrap());
    world.aws.next_role(Ok(12 * HOUR));
    world.users.session_by(&with_phone(), &Secret::new("000000".to_owned())).await.unwrap();
    assert!(!world.users.needs_person(&with_phone()).await.unwrap());
}

#[tokio::test]
async fn a_person_who_gives_a_wrong_code_hears_awss_words_and_the_same_code_is_not_sent_again() {
    let world = World::with_key().await;
    world.aws.next_role(Err(wrong_code()));
    let code = Secret::new("123456".to_owned());
    let said = |outcome: Made| outcome.unwrap_err().to_string();
    let first = said(world.users.session_by(&with_phone(), &code).await);
    assert!(first.ends_with("MultiFactorAuthentication failed with invalid MFA one time pass code"), "{first}");
    let second = said(world.users.session_by(&with_phone(), &code).await);
    assert!(second.contains("sent already, and the device shows the next one in 21 s"), "{second}");
    for bad in ["", "12345", "1234567", "12345a", "１２３４５６", "12 456"] {
        let said = said(world.users.session_by(&with_phone(), &Secret::new(bad.to_owned())).await);
        assert!(said.contains("it has six digits"), "{said}");
    }
    assert_eq!(world.aws.calls().len(), 1);
}

#[tokio::test]
async fn without_a_key_no_code_is_spent() {
    let clock = Arc::new(ManualClock::at(from_unix_seconds(START)));
    let world = World::over(clock, Memory::default());
    world.users.add_seed(&user(), &phone(), Seed::new(SEED).unwrap()).await.unwrap();
    for source in [plain(), with_phone()] {
        assert!(matches!(world.users.session(&source).await, Err(Problem::NoAccessKey { .. })));
    }
    assert!(matches!(world.users.access_key(&user()).await, Err(Problem::NoAccessKey { .. })));
    world.use_key(key(ID, KeyState::ComingIn)).await;
    assert!(matches!(world.users.session(&plain()).await, Err(Problem::NoAccessKey { .. })), "not proven yet");
    assert_eq!(world.aws.calls(), [""; 0]);
    world.use_key(key(ID, KeyState::InUse)).await;
    world.aws.next_role(Ok(HOUR));
    world.users.session(&with_phone()).await.unwrap();
}

#[tokio::test]
async fn a_key_that_aws_does_not_know_is_named_by_its_end() {
    let world = World::with_key().await;
    world.aws.next_role(Err(unknown_key()));
    let problem =
        world.users.session(&plain()).await.unwrap_err().asked_for(&crate::names::ProfileName::new("dev").unwrap());
    let body = tegata_protocol::ErrorBody::from(problem);
    let line =
        "AWS does not know access key …RST1 of arn:aws:iam::123456789012:user/alice: it was deactivated or deleted";
    assert_eq!((body.message.as_str(), body.mend.as_deref()), (line, Some("tegata keys import dev")));
}

#[tokio::test]
async fn a_key_that_was_replaced_while_it_was_asked_is_not_the_end_of_it() {
    let world = World::with_key().await;
    world.aws.next_role(Err(unknown_key()));
    world.aws.next_role(Ok(HOUR));
    let on_its_way = world.hold();
    let users = Arc::clone(&world.users);
    let asking = tokio::spawn(async move { users.session(&plain()).await });
    world.until_asked().await;
    world.use_key(key(OTHER_ID, KeyState::InUse)).await;
    on_its_way.notify_one();
    assert!(asking.await.unwrap().is_ok());
    assert_eq!(world.aws.calls(), [format!("session of {ID} for 43200"), format!("session of {OTHER_ID} for 43200")]);
}

#[tokio::test]
async fn a_code_is_not_sent_again_with_the_key_that_came_meanwhile() {
    let world = World::with_key().await;
    world.aws.next_role(Err(unknown_key()));
    let (on_its_way, users, code) = (world.hold(), Arc::clone(&world.users), world.shown());
    let asking = tokio::spawn(async move { users.session_by(&with_phone(), &code).await });
    world.until_asked().await;
    world.use_key(key(OTHER_ID, KeyState::InUse)).await;
    on_its_way.notify_one();
    assert!(matches!(asking.await.unwrap(), Err(Problem::PersonNeeded { .. })));
    assert_eq!(world.aws.calls().len(), 1);
}

#[tokio::test]
async fn keys_are_handed_out_for_an_hour_without_asking_aws() {
    let world = World::with_key().await;
    let key = world.users.access_key(&user()).await.unwrap();
    assert_eq!((key.access_key_id(), key.lifetime()), (ID, HOUR));
    assert!(key.session_token().is_none() && world.aws.calls().is_empty());
    assert_eq!(key.secret_access_key().expose_secret(), "CANARY-secret-access-key");
}

#[tokio::test]
async fn signing_out_forgets_sessions_in_memory_and_in_the_store() {
    let world = World::with_key().await;
    world.aws.next_role(Ok(12 * HOUR));
    world.users.session_by(&with_phone(), &world.shown()).await.unwrap();
    assert!(world.users.sign_out(&user()).await.unwrap());
    assert!(!world.users.sign_out(&user()).await.unwrap(), "there is nothing left");
    for users in [&world.users, &world.restarted().users] {
        assert!(matches!(users.session(&with_phone()).await, Err(Problem::PersonNeeded { .. })));
    }
    assert!(world.users.keys(&user()).await.unwrap().is_some(), "the keys stay");
}

#[tokio::test]
async fn what_was_asked_for_before_a_lock_is_not_kept_after_it() {
    let world = World::with_key().await;
    world.aws.next_role(Ok(12 * HOUR));
    let (on_its_way, users, code) = (world.hold(), Arc::clone(&world.users), world.shown());
    let asking = tokio::spawn(async move { users.session_by(&with_phone(), &code).await });
    world.until_asked().await;
    world.users.forget_all();
    world.users.delete_sessions(HashSet::from([user()])).await.unwrap();
    on_its_way.notify_one();
    asking.await.unwrap().unwrap();
    assert!(matches!(world.users.session(&with_phone()).await, Err(Problem::PersonNeeded { .. })));
    assert!(matches!(world.restarted().users.session(&with_phone()).await, Err(Problem::PersonNeeded { .. })));
}

#[tokio::test]
async fn keys_that_do_not_go_together_are_not_written() {
    let world = World::with_key().await;
    let two = |held: &mut Option<IamUserRecord>| {
        held.as_mut().unwrap().keys.push(key(OTHER_ID, KeyState::InUse));
        Ok(())
    };
    assert!(world.users.change_keys(&user(), two).await.is_err());
    assert_eq!(world.users.keys(&user()).await.unwrap().unwrap().keys.len(), 1);
    assert_eq!(world.restarted().users.keys(&user()).await.unwrap().unwrap().keys.len(), 1);
}

/// Alice with a key and a command whose output is `printed`, one after the other.
async fn with_command(printed: &[&str]) -> (World, IamUser) {
    let helper = ScriptedHelper::new(printed.iter().map(|text| Ok(text.as_bytes().to_vec())));
    let clock = Arc::new(ManualClock::at(from_unix_seconds(START + 10)));
    let world = World::running(clock, Memory::default(), Arc::new(Commands::new(helper, 30)));
    world.use_key(key(ID, KeyState::InUse)).await;
    let command = vec!["/usr/bin/ykman".to_owned(), "oath".to_owned()];
    (world, IamUser { totp_command: Some(command), ..with_phone() })
}

#[tokio::test]
async fn a_command_gives_the_code_when_somebody_asks_and_not_ahead() {
    let (world, source) = with_command(&["123456"]).await;
    world.aws.next_role(Ok(12 * HOUR));
    let made = world.users.session(&source).await.unwrap();
    assert!(world.aws.calls()[0].contains("with 123456 of"), "{:?}", world.aws.calls());
    world.clock.advance(12 * HOUR - Duration::from_secs(600));
    let still = world.users.session(&source).await.unwrap();
    assert_eq!((still.access_key_id(), world.aws.calls().len()), (made.access_key_id(), 1));
}

#[tokio::test]
async fn a_command_that_prints_no_code_is_an_error_that_does_not_show_it() {
    let (world, source) = with_command(&["CANARY", "12345", "1234567"]).await;
    for _ in 0..3 {
        let said = world.users.session(&source).await.unwrap_err().to_string();
        assert_eq!(said, "/usr/bin/ykman printed something that is no code of six digits");
    }
    assert!(world.aws.calls().is_empty());
}

#[tokio::test]
async fn a_commands_code_that_aws_does_not_take_is_the_last() {
    let (world, source) = with_command(&["123456", "654321"]).await;
    world.aws.next_role(Err(wrong_code()));
    for _ in 0..10 {
        let said = world.users.session(&source).await.unwrap_err().to_string();
        assert!(said.contains("by hand: AWS did not take") && said.contains("totp_command"), "{said}");
        world.clock.advance(HOUR);
    }
    assert_eq!(world.aws.calls().len(), 1);
}
