use super::*;
use crate::arns::UserArn;
use crate::aws::AwsError;
use crate::aws::scripted::ScriptedAws;
use crate::clock::from_unix_seconds;
use crate::clock::manual::ManualClock;
use crate::iam_users::record::{AccessKey, IamUserRecord, KeyState};
use crate::names::Region;
use crate::settings::HandOut;
use crate::store::Store;
use crate::store::memory::Memory;
use crate::totp::Seed;

const SEED: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
const HOUR: Duration = Duration::from_secs(3600);
const PATIENT: Duration = Duration::from_secs(60);

struct World {
    clock: Arc<ManualClock>,
    aws: Arc<ScriptedAws>,
    users: Arc<IamUsers>,
    logins: Logins,
    profile: Profile,
    directory: tempfile::TempDir,
}

fn user() -> UserArn {
    UserArn::new("arn:aws:iam::123456789012:user/alice").unwrap()
}

fn phone() -> MfaSerial {
    MfaSerial::new("arn:aws:iam::123456789012:mfa/alice").unwrap()
}

fn source() -> IamUser {
    let region = Region::new("us-east-1").unwrap();
    IamUser { user: user(), mfa: Some(phone()), duration: None, hand_out: HandOut::Session, totp_command: None, region }
}

fn profile_of(source: IamUser) -> Profile {
    let region = source.region.clone();
    let chain = Chain { source: Source::IamUser(Box::new(source)), roles: Vec::new(), region };
    Profile { name: ProfileName::new("dev").unwrap(), chain: Arc::new(chain) }
}

impl World {
    async fn new() -> Self {
        let world = Self::without_key();
        let now = world.logins.shared.clock.now();
        let secret = Secret::new("CANARY-secret-access-key".to_owned());
        let key = AccessKey::new("AKIAFIRSTFIRSTFIRST1", secret, now, KeyState::InUse).unwrap();
        let put = |held: &mut Option<IamUserRecord>| {
            *held = Some(IamUserRecord::new(user().as_str(), now, key));
            Ok(())
        };
        world.users.change_keys(&user(), put).await.unwrap();
        world
    }

    fn without_key() -> Self {
        let clock: Arc<ManualClock> = Arc::new(ManualClock::at(from_unix_seconds(1_795_338_480)));
        let aws = ScriptedAws::new(clock.clone());
        let store = Store::spawn(Box::new(Memory::default())).unwrap();
        let commands = crate::helper::Commands::none();
        let users = Arc::new(IamUsers::new(aws.clone(), clock.clone(), store.clone(), commands));
        let sessions = Arc::new(SignInSessions::new(aws.clone(), clock.clone(), store));
        let directory = tempfile::tempdir().unwrap();
        let audit = Arc::new(Audit::open(&directory.path().join("audit"), clock.clone()).unwrap());
        let logins = Logins::new(users.clone(), clock.clone(), sessions, audit);
        Self { clock, aws, users, logins, profile: profile_of(source()), directory }
    }

    async fn begin(&self) -> SignIn {
        let begun = self.logins.begin(&self.profile, &source());
        self.stands(&begun.id).await
    }

    async fn stands(&self, id: &str) -> SignIn {
        self.logins.stands(id, PATIENT).await.unwrap()
    }

    async fn give(&self, id: &str, code: &str) -> SignIn {
        self.logins.give(id, Secret::new(code.to_owned())).unwrap();
        self.stands(id).await
    }

    fn wrong_code(&self) {
        let message = "MultiFactorAuthentication failed with invalid MFA one time pass code.".to_owned();
        let code = "AccessDenied".to_owned();
        self.aws.next_role(Err(AwsError::Refused { operation: "GetSessionToken", code, message }));
    }

    /// What was written down, whole.
    fn records(&self) -> String {
        let files = std::fs::read_dir(self.directory.path().join("audit")).unwrap();
        files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap_or_default()).collect()
    }
}

fn failure(stands: &SignIn) -> String {
    match &stands.state {
        SignInState::Failed { error } => format!("{} ({:?})", error.message, error.mend),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_code_is_asked_for_and_buys_the_session() {
    let world = World::new().await;
    let begun = world.begin().await;
    assert_eq!((begun.flow, begun.session.as_str(), begun.state), (SignInFlow::MfaCode, "dev", SignInState::Pending));
    assert_eq!((begun.device.as_deref(), begun.said), (Some(phone().as_str()), None));
    assert!(world.logins.is_under_way(&world.profile.chain) && world.logins.any_under_way());
    world.aws.next_role(Ok(12 * HOUR));
    let done = world.give(&begun.id, "123456").await;
    assert_eq!((done.state, done.device), (SignInState::Done { identity: None }, None));
    assert!(!world.logins.any_under_way());
    assert!(world.users.session(&source()).await.is_ok());
    let records = world.records();
    assert!(records.contains("user_session_made") && !records.contains("123456\""), "{records}");
}

#[tokio::test]
async fn a_wrong_code_is_said_and_asked_for_again_and_the_third_one_ends_it() {
    let world = World::new().await;
    let id = world.begin().await.id;
    (0..3).for_each(|_| world.wrong_code());
    for code in ["000001", "000002"] {
        let again = world.give(&id, code).await;
        assert!(again.state == SignInState::Pending && again.device.is_some());
        assert!(again.said.unwrap().contains("failed with invalid MFA one time pass code"));
    }
    let over = world.give(&id, "000003").await;
    assert!(failure(&over).contains("is not good"), "{over:?}");
    assert!(world.logins.give(&id, Secret::new("000004".to_owned())).is_err());
    assert_eq!((world.aws.calls().len(), world.records().matches("code_refused").count()), (3, 2));
}

#[tokio::test]
async fn a_code_that_got_no_answer_may_be_spent() {
    let world = World::new().await;
    let id = world.begin().await.id;
    let operation = "GetSessionToken";
    world.aws.next_role(Err(AwsError::Unavailable { operation, detail: "no answer in time".to_owned() }));
    let again = world.give(&id, "000001").await;
    assert!(again.said.unwrap().contains("no answer in time; the code may be spent, so give the next one"));
    world.aws.next_role(Ok(HOUR));
    assert_eq!(world.give(&id, "000002").await.state, SignInState::Done { identity: None });
}

#[tokio::test]
async fn with_a_seed_nobody_is_asked_until_aws_does_not_take_its_code() {
    let world = World::new().await;
    world.users.add_seed(&user(), &phone(), Seed::new(SEED).unwrap()).await.unwrap();
    world.wrong_code();
    let asked = world.begin().await;
    assert!(asked.said.unwrap().contains("the device wants a code by hand: AWS did not take the code of the seed"));
    world.aws.next_role(Ok(HOUR));
    assert_eq!(world.give(&asked.id, "000001").await.state, SignInState::Done { identity: None });
    world.users.sign_out(&user()).await.unwrap();
    world.clock.advance(crate::totp::STEP);
    world.aws.next_role(Ok(HOUR));
    assert_eq!(
        world.begin().await.state,
        SignInState::Done { identity: None },
        "a code that was taken gives the seed another chance"
    );
}

#[tokio::test]
async fn without_a_device_a_session_is_made_at_once() {
    let world = World::new().await;
    world.aws.next_role(Ok(HOUR));
    let plain = IamUser { mfa: None, ..source() };
    let begun = world.logins.begin(&profile_of(plain.clone()), &plain);
    assert_eq!(world.stands(&begun.id).await.state, SignInState::Done { identity: None });
}

#[tokio::test]
async fn without_a_key_no_code_is_asked_for() {
    let world = World::without_key();
    let over = world.begin().await;
    let said = failure(&over);
    assert!(said.contains("no access key of") && said.contains("tegata keys import dev"), "{said}");
}

#[tokio::test]
async fn whoever_begins_a_second_time_joins_the_first_and_nobody_waits_for_ever() {
    let world = World::new().await;
    let (first, second) = (world.begin().await, world.begin().await);
    assert_eq!(first.id, second.id);
    world.clock.advance(PATIENCE);
    assert!(!world.logins.any_under_way());
    assert!(failure(&world.stands(&first.id).await).contains("no code was given in time"));
    let third = world.begin().await;
    assert!(third.id != first.id && world.logins.cancel(&third.id) && !world.logins.cancel("nobody"));
    assert!(failure(&world.stands(&third.id).await).contains("cancelled"));
}

#[tokio::test]
async fn a_code_that_nobody_wants_is_refused() {
    let world = World::new().await;
    let give = |id: &str| world.logins.give(id, Secret::new("000001".to_owned())).unwrap_err().code;
    assert_eq!(give("nobody"), ErrorCode::NotFound);
    let begun = world.logins.begin(&world.profile, &source());
    assert_eq!(give(&begun.id), ErrorCode::BadRequest, "it is not known yet whether one is wanted");
}
