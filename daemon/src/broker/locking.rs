//! Locked means locked: memory dropped, stored role credentials deleted, nothing served until unlocked.

use super::Broker;
use crate::audit::{Event, GrantEnd};
use crate::caller::Caller;
use crate::problem::Problem;
use crate::requests::Task;
use crate::requests::view::View;
use tegata_protocol::body;
use tegata_protocol::{ErrorBody, ErrorCode};

/// What became of unlocking.
#[derive(Debug)]
pub enum Unlocking {
    /// It is done.
    Done(body::Lock),
    /// A hand has to do it.
    AwaitsHand(Box<View>),
}

impl Broker {
    /// Locks: memory dropped, stored role credentials deleted, nothing served until unlocked, also not after a restart.
    ///
    /// # Errors
    /// What the store said; everything is locked all the same.
    pub async fn lock(&self, caller: &Caller) -> Result<body::Lock, ErrorBody> {
        self.lock.lock().map_err(|error| ErrorBody::new(ErrorCode::Internal, error.to_string()))?;
        self.attempts.cancel_all();
        self.logins.cancel_all();
        self.inventories.stop_all(&Problem::Locked).await;
        self.obtainer.forget_all();
        // In this order, so that no grant comes in between.
        self.desk.end_all(GrantEnd::Locked);
        self.end_grants(GrantEnd::Locked, &|_| true);
        let deleted = self.consequences.delete_stored_roles().await;
        self.sign_in_sessions.forget_all();
        self.console_logins.forget_all();
        self.iam_users.forget_all();
        self.providers.certificates.forget_all().await;
        self.providers.github_job.forget();
        self.note(Some(caller), &Event::Locked);
        match deleted {
            Ok(()) => Ok(body::Lock { locked: true }),
            Err(error) => Err(ErrorBody {
                message: format!("locked, but stored role credentials remain: {error}"),
                ..Problem::from(error).into()
            }),
        }
    }

    /// Deletes what a lock that was cut short by a crash left in the store. Everything is locked, whatever the store says.
    pub async fn finish_locking(&self) {
        if !self.lock.is_locked() {
            return;
        }
        if let Err(error) = self.consequences.delete_stored_roles().await {
            tracing::warn!("locked, but stored role credentials remain: {error}");
        }
    }

    /// Unlocks, or asks for the hand that it takes where a passkey is enrolled.
    ///
    /// # Errors
    /// When the mark of the lock cannot be removed, or the store cannot say whether there is a passkey.
    pub async fn unlock(&self, caller: &Caller) -> Result<Unlocking, ErrorBody> {
        if self.lock.is_locked() && self.gated.standing().await.map_err(Problem::from)?.has_passkey() {
            return self.ask(caller, Task::Unlock).await.map(|view| Unlocking::AwaitsHand(Box::new(view)));
        }
        self.lock.unlock().map_err(|error| ErrorBody::new(ErrorCode::Internal, error.to_string()))?;
        self.note(Some(caller), &Event::Unlocked);
        Ok(Unlocking::Done(self.locked()))
    }

    /// Says whether everything is locked.
    #[must_use]
    pub fn locked(&self) -> body::Lock {
        body::Lock { locked: self.lock.is_locked() }
    }

    pub(crate) fn unlocked(&self) -> Result<(), Problem> {
        if self.lock.is_locked() { Err(Problem::Locked) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Rooms;
    use super::*;
    use crate::accepted_policy::Wanted;
    use crate::audit::Audit;
    use crate::aws::scripted::ScriptedAws;
    use crate::caller::Process;
    use crate::clock::from_unix_seconds;
    use crate::clock::manual::ManualClock;
    use crate::human::{Human, Notice};
    use crate::iam_keys::Marks;
    use crate::inventory;
    use crate::local_user::LocalUser;
    use crate::lock::LockState;
    use crate::profile::ConfigFiles;
    use crate::reviews::Reviews;
    use crate::settings::Settings;
    use crate::sign_in_sessions::record::RolesRecord;
    use crate::store::memory::Memory;
    use crate::store::{Records, Store};
    use std::path::Path;
    use std::sync::Arc;
    use std::time::Duration;

    const CONFIG: &str = "[sso-session corp]\nsso_start_url = https://d-1.awsapps.com/start\nsso_region = us-east-1\n";

    #[derive(Debug)]
    struct Nobody;

    impl Human for Nobody {
        fn notify(&self, _: Notice) {}
    }

    /// A broker that has met no sign-in session yet, over what an earlier life of the daemon stored.
    fn broker(directory: &Path) -> (Broker, Memory) {
        let mut memory = Memory::default();
        memory.write(&RolesRecord::key("corp"), b"of an earlier life").unwrap();
        std::fs::write(directory.join("config"), CONFIG).unwrap();
        let clock = Arc::new(ManualClock::at(from_unix_seconds(1_795_338_478)));
        let rate = inventory::Rate { per_second: 1, burst: 1 };
        let broker = Broker::new(Rooms {
            clock: clock.clone(),
            aws: ScriptedAws::new(clock.clone()),
            helper: Arc::new(crate::helper::NoHelper),
            pkcs11_module: None,
            command_seconds: 30,
            github_actions: None,
            task: crate::environment::TaskPath::None,
            human: Arc::new(Nobody),
            store: Store::spawn(Box::new(memory.clone())).unwrap(),
            files: Arc::new(ConfigFiles::new(directory.join("config"), clock.clone())),
            audit: Arc::new(Audit::open(&directory.join("audit"), clock).unwrap()),
            lock: LockState::at(directory.join("locked")),
            longest_wait: Duration::from_secs(60),
            hand_wait: Duration::from_secs(60),
            user: LocalUser { name: "alice".into(), host: "laptop".into() },
            warnings: Vec::new(),
            wanted: Wanted::of(&Settings::parse("").unwrap()),
            organisation: Vec::new(),
            reviews: Reviews::at(directory.join("reviews.json")),
            key_rotations: Arc::new(Marks::at(directory.join("key-rotations.json"))),
            inventories: inventory::Options { directory: directory.join("inventories"), rate },
        });
        (broker, memory)
    }

    fn is_stored(memory: &Memory) -> bool {
        memory.clone().read(&RolesRecord::key("corp")).unwrap().is_some()
    }

    #[tokio::test]
    async fn a_lock_deletes_what_an_earlier_life_stored() {
        let directory = tempfile::tempdir().unwrap();
        let (broker, memory) = broker(directory.path());
        let process = Process { pid: 1, started: Duration::ZERO, name: "tegata".to_owned() };
        let caller = Caller { uid: 1, gid: 1, process, login_session: None, ancestry: vec![] };
        assert!(is_stored(&memory));
        assert!(broker.lock(&caller).await.unwrap().locked && !is_stored(&memory));
    }

    #[tokio::test]
    async fn a_passkey_or_rule_that_comes_or_goes_deletes_what_an_earlier_life_stored() {
        let directory = tempfile::tempdir().unwrap();
        let (broker, memory) = broker(directory.path());
        broker.consequences.reconsider().await;
        assert!(!is_stored(&memory));
    }
}
