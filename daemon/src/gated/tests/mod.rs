//! Gated targets with a scripted AWS and a store in memory.

mod deciding;
mod issuing;
mod parking;

use super::*;
use crate::audit::Audit;
use crate::aws::AwsError;
use crate::aws::BoxFuture;
use crate::aws::scripted::ScriptedAws;
use crate::cache::Cache;
use crate::caller::Process;
use crate::certificates::MachineCertificates;
use crate::clock::from_unix_seconds;
use crate::clock::manual::ManualClock;
use crate::console_logins::ConsoleLogins;
use crate::grant::Approved;
use crate::human::{Human, Notice};
use crate::names::ProfileName;
use crate::profile::Config;
use crate::requests::{Afterwards, PageDesk, desk};
use crate::settings::Settings;
use crate::sign_in_sessions::SignInSessions;
use crate::sign_in_sessions::roles::StoredRoles;
use crate::store::memory::Memory;
use crate::store::testing::{Faults, Faulty};
use crate::store::{Key, Records, Store};
use std::num::NonZeroU32;
use tegata_authenticator::Authenticator;

pub(super) const MINUTE: Duration = Duration::from_secs(60);
pub(super) const HOUR: Duration = Duration::from_secs(3600);
/// For what does not come to pass where something is broken.
const DEADLINE: Duration = Duration::from_secs(20);
pub(super) const ORIGIN: &str = "http://tegata.localhost:7101";

/// A permission set, a role behind it, and one behind that.
const CONFIG: &str = "[sso-session corp]\nsso_start_url = https://d-1.awsapps.com/start\nsso_region = us-east-1\n\
    [profile dev]\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = Dev\n\
    [profile admin]\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = Admin\n\
    [profile mid]\nrole_arn = arn:aws:iam::222222222222:role/Mid\nsource_profile = dev\n\
    [profile deploy]\nrole_arn = arn:aws:iam::222222222222:role/Deploy\nsource_profile = mid\n";

pub(super) const DEV: &str = "[[rule]]\nname = 'dev'\nrole = 'Dev'\ngate = 'passkey'\n";
pub(super) const DEPLOY: &str = "[[rule]]\nname = 'deploy'\nrole = 'Deploy'\ngate = 'passkey'\n";

#[derive(Debug)]
struct Nobody;

impl Human for Nobody {
    fn notify(&self, _: Notice) {}
}

impl Afterwards for Nobody {
    fn granted(&self, _: &Grant) -> Result<(), String> {
        Ok(())
    }

    fn approved<'a>(&'a self, _: &'a Task) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(async { Ok(()) })
    }
}

pub(super) struct World {
    clock: Arc<ManualClock>,
    aws: Arc<ScriptedAws>,
    memory: Memory,
    store: Faults,
    grants: Arc<Grants>,
    desk: Arc<Desk>,
    obtainer: Arc<Obtainer>,
    gated: Arc<Gated>,
    _dir: tempfile::TempDir,
}

impl World {
    /// A daemon with these settings, signed in, over an empty store.
    pub(super) async fn new(settings: &str) -> Self {
        Self::over(Memory::default(), settings).await
    }

    pub(super) async fn over(memory: Memory, settings: &str) -> Self {
        let clock = Arc::new(ManualClock::at(from_unix_seconds(1_795_338_478)));
        let aws = ScriptedAws::new(clock.clone());
        let (records, faults) = Faulty::over(memory.clone());
        let store = Store::spawn(Box::new(records)).unwrap();
        let sign_in_sessions = Arc::new(SignInSessions::new(aws.clone(), clock.clone(), store.clone()));
        let cache = Arc::new(Cache::default());
        let stored = Arc::new(StoredRoles::new(store.clone(), clock.clone(), Arc::clone(&cache)));
        let user = crate::local_user::LocalUser { name: "alice".into(), host: "laptop".into() }.into();
        let console_logins =
            Arc::new(ConsoleLogins::new(aws.clone(), clock.clone(), store.clone(), sign_in_sessions.clone()));
        let certificates = Arc::new(MachineCertificates::new(store.clone(), clock.clone()));
        let commands = crate::helper::Commands::none();
        let users = crate::iam_users::IamUsers::new(aws.clone(), clock.clone(), store.clone(), commands.clone());
        let (sessions, iam_users) = (sign_in_sessions.clone(), Arc::new(users));
        let aws_room = aws.clone();
        let providers = Providers {
            aws: aws_room,
            sign_in_sessions: sessions,
            console_logins,
            iam_users,
            certificates,
            commands,
            github_job: Arc::default(),
            task: Arc::default(),
            user,
        };
        let obtainer = Arc::new(Obtainer::new(clock.clone(), cache, providers.clone(), stored));
        let gate = Arc::new(Gate::new(store.clone(), clock.clone()));
        let grants = Arc::new(Grants::new(clock.clone()));
        let dir = tempfile::tempdir().unwrap();
        let desk = Arc::new(Desk::new(desk::Rooms {
            clock: clock.clone(),
            gate: gate.clone(),
            grants: grants.clone(),
            audit: Arc::new(Audit::open(&dir.path().join("audit"), clock.clone()).unwrap()),
            human: Arc::new(Nobody),
            afterwards: Arc::new(Nobody),
            waits_for: Duration::from_secs(300),
        }));
        let rooms = Rooms {
            clock: clock.clone(),
            gate,
            grants: grants.clone(),
            desk: desk.clone(),
            accepted: AcceptedPolicy::new(store),
            wanted: Wanted::of(&Settings::parse(settings).unwrap()),
            organisation: Vec::new(),
        };
        let gated = Arc::new(Gated::new(rooms, providers, obtainer.clone()));
        sign_in_sessions.signed_in(profile("dev").chain.session().unwrap(), aws.mint(24 * HOUR)).await.unwrap();
        Self { clock, aws, memory, store: faults, grants, desk, obtainer, gated, _dir: dir }
    }

    /// Enrols a device of alice's through the desk.
    pub(super) async fn enrol(&self) -> Authenticator {
        let mut device = Authenticator::new();
        let (person, name) = (crate::names::Person::new("alice"), crate::names::PasskeyName::new("key"));
        let task = Task::AddPasskey { person: person.unwrap(), name: name.unwrap(), gesture_first: false };
        let token = self.page(&self.desk.ask(&caller(1), task).unwrap());
        let answer = device.create(&self.desk.begin(&token, &origin()).await.unwrap(), ORIGIN).unwrap();
        self.desk.finish(&token, &origin(), answer.to_string().as_bytes()).await.unwrap();
        self.gated.reconsider().await;
        device
    }

    fn page(&self, id: &str) -> String {
        let secret = self.desk.make_page(id).unwrap();
        self.desk.open(secret.expose_secret()).unwrap().0.expose_secret().to_owned()
    }

    /// Waits for the one request and approves it.
    pub(super) async fn approve_the_one_that_waits(&self, hand: &mut Authenticator) {
        let id = self.the_one_that_waits().await;
        let token = self.page(&id);
        let answer = hand.get(&self.desk.begin(&token, &origin()).await.unwrap(), ORIGIN).unwrap();
        self.desk.finish(&token, &origin(), answer.to_string().as_bytes()).await.unwrap();
    }

    pub(super) async fn the_one_that_waits(&self) -> String {
        until(|| self.desk.waiting().len() == 1).await;
        self.desk.waiting()[0].id.clone()
    }

    /// A grant of a quarter of an hour for every program, with so many uses.
    pub(super) async fn grant(&self, name: &str, uses: Option<u32>) -> Arc<Grant> {
        let (profile, mut terms) = (profile(name), self.terms(name).await);
        terms.uses = uses.and_then(NonZeroU32::new);
        let grant = self.grants.prepare(Approved {
            profile: profile.name,
            chain: profile.chain,
            holder: Holder::User,
            window: terms.window,
            terms,
            reason: Some("INC-42".to_owned()),
            approved_by: vec!["alice".to_owned()],
        });
        self.grants.add(Arc::clone(&grant));
        grant
    }

    pub(super) async fn terms(&self, name: &str) -> Terms {
        match self.gated.decide(&profile(name)).await.unwrap() {
            Decision::Gated(terms) => terms,
            other => panic!("{other:?}"),
        }
    }

    pub(super) async fn serve(&self, name: &str) -> Result<Elevated, Problem> {
        self.serve_within(name, DEADLINE).await
    }

    pub(super) async fn serve_within(&self, name: &str, patience: Duration) -> Result<Elevated, Problem> {
        let terms = self.terms(name).await;
        let patience = Patience { work: patience, hand: true };
        self.gated.serve(&caller(1), &profile(name), terms, patience).await
    }

    /// As an HTTP door asks.
    pub(super) async fn serve_without_a_hand(&self, name: &str) -> Result<Elevated, Problem> {
        let (terms, patience) = (self.terms(name).await, Patience { work: HOUR, hand: false });
        self.gated.serve(&caller(1), &profile(name), terms, patience).await
    }

    /// What was asked of AWS, sign-ins not counted.
    pub(super) fn asked(&self) -> Vec<String> {
        self.aws.calls().into_iter().filter(|call| call.starts_with("role") || call.starts_with("assume")).collect()
    }
}

/// Waits for what another task does.
pub(super) async fn until(condition: impl Fn() -> bool) {
    let becomes_so = async {
        while !condition() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(DEADLINE, becomes_so).await.expect("it never became so");
}

pub(super) fn profile(name: &str) -> Profile {
    let config = Config::parse("/home/u/.aws/config", CONFIG.as_bytes()).unwrap();
    let resolved = config.resolve(&ProfileName::new(name).unwrap()).unwrap();
    Profile { name: resolved.name.clone(), chain: Arc::clone(&resolved.chain) }
}

pub(super) fn caller(pid: u32) -> Caller {
    let process = Process { pid, started: Duration::from_secs(1), name: "aws".to_owned() };
    Caller { uid: 1, gid: 1, process, login_session: None, ancestry: vec![] }
}

pub(super) fn origin() -> url::Url {
    url::Url::parse(ORIGIN).unwrap()
}

pub(super) fn down() -> AwsError {
    AwsError::Unavailable { operation: "GetRoleCredentials", detail: "no route".to_owned() }
}

pub(super) fn key(elevated: &Elevated) -> String {
    elevated.credentials.access_key_id().to_owned()
}
