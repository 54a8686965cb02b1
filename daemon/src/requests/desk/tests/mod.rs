//! The desk with the real gate, a software passkey and nobody else.

mod failures;
mod gestures;
mod pages;
mod passkeys;

use super::super::testing::{elevation, program};
use super::super::view::{PageRefusal, State};
use super::super::{Afterwards, PageDesk};
use super::*;
use crate::aws::BoxFuture;
use crate::caller::Process;
use crate::clock::from_unix_seconds;
use crate::clock::manual::ManualClock;
use crate::grant::Grant;
use crate::human::Notice;
use crate::names::{PasskeyName, Person};
use crate::store::Store;
use crate::store::memory::Memory;
use serde_json::Value;
use tegata_authenticator::{Authenticator, Faults};
use tegata_protocol::gate::Purpose;
use url::Url;

pub(super) const ORIGIN: &str = "http://tegata.localhost:7101";
pub(super) const MINUTE: Duration = Duration::from_secs(60);

pub(super) fn origin() -> Url {
    Url::parse(ORIGIN).unwrap()
}

/// Waits for what comes to pass unless something is broken.
pub(super) async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), what).await.expect("it did not come to pass")
}

/// Keeps what the human was told.
#[derive(Debug, Default)]
pub(super) struct Told(Mutex<Vec<Notice>>);

impl Human for Told {
    fn notify(&self, notice: Notice) {
        self.0.lock().unwrap().push(notice);
    }
}

/// Keeps what was to be done, and does not do it where it was told to fail.
#[derive(Debug, Default)]
pub(super) struct Followed {
    tasks: Mutex<Vec<Purpose>>,
    grants: Mutex<Vec<String>>,
    fails: Mutex<Option<String>>,
    ends_all: Mutex<Option<(Arc<Desk>, GrantEnd)>>,
}

impl Followed {
    /// Between the record of the next grant and that grant, `desk` ends everything.
    pub(super) fn end_all_meanwhile(&self, desk: &Arc<Desk>, why: GrantEnd) {
        *self.ends_all.lock().unwrap() = Some((desk.clone(), why));
    }

    fn answer(&self) -> Result<(), String> {
        self.fails.lock().unwrap().clone().map_or(Ok(()), Err)
    }
}

impl Afterwards for Followed {
    fn granted(&self, grant: &Grant) -> Result<(), String> {
        self.grants.lock().unwrap().push(grant.id.to_string());
        if let Some((desk, why)) = self.ends_all.lock().unwrap().take() {
            desk.end_all(why);
        }
        self.answer()
    }

    fn approved<'a>(&'a self, task: &'a Task) -> BoxFuture<'a, Result<(), String>> {
        self.tasks.lock().unwrap().push(task.purpose());
        Box::pin(async { self.answer() })
    }
}

pub(super) struct Stage {
    clock: Arc<ManualClock>,
    gate: Arc<Gate>,
    grants: Arc<Grants>,
    told: Arc<Told>,
    followed: Arc<Followed>,
    desk: Arc<Desk>,
    dir: tempfile::TempDir,
}

impl Stage {
    /// A desk of a daemon without passkeys.
    pub(super) fn empty() -> Self {
        let clock = Arc::new(ManualClock::at(from_unix_seconds(1_795_338_000)));
        let store = Store::spawn(Box::new(Memory::default())).unwrap();
        let gate = Arc::new(Gate::new(store, clock.clone()));
        let grants = Arc::new(Grants::new(clock.clone()));
        let (told, followed) = (Arc::<Told>::default(), Arc::<Followed>::default());
        let dir = tempfile::tempdir().unwrap();
        let audit = Arc::new(Audit::open(&dir.path().join("audit"), clock.clone()).unwrap());
        let rooms = Rooms {
            clock: clock.clone(),
            gate: gate.clone(),
            grants: grants.clone(),
            audit,
            human: told.clone(),
            afterwards: followed.clone(),
            waits_for: Duration::from_secs(300),
        };
        Self { clock, gate, grants, told, followed, desk: Arc::new(Desk::new(rooms)), dir }
    }

    /// A desk of a daemon that knows a passkey of alice's, and that passkey.
    pub(super) async fn with_alice() -> (Self, Authenticator) {
        let stage = Self::empty();
        let alice = stage.enrol(Authenticator::new(), "alice", "key").await;
        stage.followed.tasks.lock().unwrap().clear();
        (stage, alice)
    }

    /// Enrols a device, as if nobody had one yet.
    pub(super) async fn enrol(&self, mut device: Authenticator, person: &str, name: &str) -> Authenticator {
        let token = self.page(&self.ask(adding(person, name, false)));
        let options = self.begin(&token).await.unwrap();
        let answer = device.create(&options, ORIGIN).unwrap();
        assert_eq!(self.finish(&token, &answer).await.unwrap().state, State::Approved);
        device
    }

    pub(super) fn ask(&self, task: Task) -> String {
        self.desk.ask(&caller(1), task).unwrap()
    }

    pub(super) fn park(&self, pid: u32) -> String {
        self.desk.park(&caller(pid), elevation("Admin", program(pid))).unwrap()
    }

    /// Opens a page for a request and returns its token.
    pub(super) fn page(&self, id: &str) -> String {
        let secret = self.desk.make_page(id).unwrap();
        self.desk.open(secret.expose_secret()).unwrap().0.expose_secret().to_owned()
    }

    pub(super) async fn begin(&self, token: &str) -> Result<Value, PageRefusal> {
        self.desk.begin(token, &origin()).await
    }

    pub(super) async fn finish(&self, token: &str, answer: &Value) -> Result<View, PageRefusal> {
        self.desk.finish(token, &origin(), answer.to_string().as_bytes()).await
    }

    /// A whole gesture on a page.
    pub(super) async fn gesture(&self, token: &str, hand: &mut Authenticator) -> Result<View, PageRefusal> {
        self.gesture_badly(token, hand, &Faults::default()).await
    }

    pub(super) async fn gesture_badly(
        &self,
        token: &str,
        hand: &mut Authenticator,
        faults: &Faults,
    ) -> Result<View, PageRefusal> {
        let options = self.begin(token).await?;
        self.finish(token, &hand.get_with(&options, ORIGIN, faults).unwrap()).await
    }

    pub(super) fn state(&self, id: &str) -> State {
        self.desk.entry(id).unwrap().state
    }

    pub(super) fn summaries(&self) -> Vec<String> {
        self.told.0.lock().unwrap().iter().map(|notice| notice.summary.clone()).collect()
    }

    pub(super) fn tasks(&self) -> Vec<Purpose> {
        self.followed.tasks.lock().unwrap().clone()
    }

    /// What is in the audit log.
    pub(super) fn records(&self) -> String {
        let files = std::fs::read_dir(self.dir.path().join("audit")).unwrap();
        files.filter_map(|file| std::fs::read_to_string(file.unwrap().path()).ok()).collect()
    }

    /// From here on no record can be written: the file of the month is a directory.
    pub(super) fn break_audit(&self) {
        std::fs::create_dir(self.dir.path().join("audit/audit-2030-01.jsonl")).unwrap();
        self.clock.jump_to(from_unix_seconds(1_893_456_000));
    }
}

pub(super) fn caller(pid: u32) -> Caller {
    let named = |pid, name: &str| Process { pid, started: Duration::from_secs(1), name: name.to_owned() };
    let ancestry = (0..9).map(|above| named(pid + above, "aws")).collect();
    Caller { uid: 1, gid: 1, process: named(99, "tegata"), login_session: None, ancestry }
}

pub(super) fn adding(person: &str, name: &str, gesture_first: bool) -> Task {
    let (person, name) = (Person::new(person).unwrap(), PasskeyName::new(name).unwrap());
    Task::AddPasskey { person, name, gesture_first }
}

/// Asserts that the page was told that this ceremony came to nothing.
#[track_caller]
pub(super) fn refused(answer: Result<View, PageRefusal>, why: &str) {
    match answer {
        Err(PageRefusal::Ceremony(said)) => assert!(said.contains(why), "{said}"),
        other => panic!("{other:?}"),
    }
}
