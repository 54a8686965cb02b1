mod import;
mod report;
mod rotate;

use super::*;
use crate::aws::scripted::ScriptedAws;
use crate::aws::scripted_iam::ScriptedIam;
use crate::aws::{AwsError, CallerIdentity};
use crate::clock::from_unix_seconds;
use crate::clock::manual::ManualClock;
use crate::iam_users::record::KeyState;
use crate::names::Region;
use crate::store::memory::Memory;
use crate::store::testing::{Faults, Faulty};
use tegata_protocol::Secret;
use tempfile::TempDir;

const NOW: i64 = 1_795_338_478;
const ALICE: &str = "arn:aws:iam::123456789012:user/team/alice";
const OLD: &str = "AKIAOLDOLDOLDOLDOLD1";
const SECRET: &str = "CANARY-secret-of-the-first-key-of-alice";
const HOUR: Duration = Duration::from_secs(3600);

fn alice() -> UserArn {
    UserArn::new(ALICE).unwrap()
}

fn region() -> Region {
    Region::new("eu-west-1").unwrap()
}

/// A keeper over scripted AWS and a store that fails as it is told.
struct World {
    clock: Arc<ManualClock>,
    aws: Arc<ScriptedAws>,
    memory: Memory,
    faults: Faults,
    directory: TempDir,
    keeper: Arc<KeyKeeper>,
}

impl World {
    fn new() -> Self {
        let clock = Arc::new(ManualClock::at(from_unix_seconds(NOW)));
        let aws = ScriptedAws::new(clock.clone());
        let (memory, directory) = (Memory::default(), tempfile::tempdir().unwrap());
        let (keeper, faults) = keeper(&clock, &aws, &memory, &directory);
        let world = Self { clock, aws, memory, faults, directory, keeper };
        let made = from_unix_seconds(NOW - 100 * 86_400);
        world.aws.iam.lock().unwrap().keys.push(ScriptedIam::key(OLD, made));
        world
    }

    /// A world where Alice's key is in the store.
    async fn imported() -> Self {
        let world = Self::new();
        world.knows(1);
        world.import().await.unwrap();
        world
    }

    /// The daemon ends, and another one starts over what it left.
    fn restart(&mut self) {
        (self.keeper, self.faults) = keeper(&self.clock, &self.aws, &self.memory, &self.directory);
    }

    async fn import(&self) -> Result<Imported, Problem> {
        self.aws.next_role(Ok(HOUR));
        self.keeper.import(OLD, Secret::new(SECRET.to_owned()), Some(region())).await
    }

    /// AWS says so often that it is Alice.
    fn knows(&self, times: usize) {
        (0..times).for_each(|_| self.says(Ok(ALICE)));
    }

    fn says(&self, who: Result<&str, AwsError>) {
        let identity =
            who.map(|arn| CallerIdentity { arn: arn.to_owned(), account: AccountId::new("123456789012").unwrap() });
        self.aws.identities.lock().unwrap().push_back(identity);
    }

    async fn rotate(&self, wanted: Wanted) -> Result<Rotated, Problem> {
        self.keeper.rotate(&alice(), &region(), wanted).await
    }

    /// What the store has: the end of each id and its state.
    async fn kept(&self) -> Vec<(String, KeyState)> {
        let record = self.keeper.users.keys(&alice()).await.unwrap();
        let keys = record.map(|record| record.keys).unwrap_or_default();
        keys.into_iter().map(|key| (key.id.last_four().to_owned(), key.state)).collect()
    }

    /// What IAM has: the end of each id and whether it is active.
    fn at_iam(&self) -> Vec<(String, bool)> {
        let iam = self.aws.iam.lock().unwrap();
        iam.keys.iter().map(|key| (key.id[16..].to_owned(), key.is_active)).collect()
    }

    fn records(&self) -> String {
        let files = std::fs::read_dir(self.directory.path().join("audit")).unwrap();
        files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap_or_default()).collect()
    }
}

fn keeper(
    clock: &Arc<ManualClock>,
    aws: &Arc<ScriptedAws>,
    memory: &Memory,
    directory: &TempDir,
) -> (Arc<KeyKeeper>, Faults) {
    let (faulty, faults) = Faulty::over(memory.clone());
    let store = Store::spawn(Box::new(faulty)).unwrap();
    let users = Arc::new(IamUsers::new(aws.clone(), clock.clone(), store.clone(), crate::helper::Commands::none()));
    let audit = Arc::new(Audit::open(&directory.path().join("audit"), clock.clone()).unwrap());
    let marks = Arc::new(Marks::at(directory.path().join("key-rotations.json")));
    let keeper = KeyKeeper::new(aws.clone(), clock.clone(), users, store, audit, marks, Switched(Box::new(|_| {})));
    // The store is a thread of its own, so that time cannot stand still.
    (Arc::new(KeyKeeper { pauses: [1; 10], ..keeper }), faults)
}

fn unknown() -> AwsError {
    ScriptedIam::refused("GetCallerIdentity", "InvalidClientTokenId")
}
