use super::*;
use crate::aws::scripted::{Listing, ScriptedAws};
use crate::aws::{AwsError, ListedAccount};
use crate::clock::from_unix_seconds;
use crate::clock::manual::ManualClock;
use crate::clock::paused::PausedClock;
use crate::names::{AccountId, Region, RoleName, SessionName, StartUrl};
use crate::store::Store;
use crate::store::memory::Memory;
use tegata_protocol::ErrorCode;
use tokio::time::Instant;

const NOW: i64 = 1_795_338_478;
const HOUR: Duration = Duration::from_secs(3600);
const RATE: Rate = Rate { per_second: 10, burst: 10 };

/// Inventories over a scripted AWS with `accounts` accounts of two roles each; `restart` makes others over the same files.
struct World {
    clock: Arc<dyn Clock>,
    rate: Rate,
    aws: Arc<ScriptedAws>,
    sessions: Arc<SignInSessions>,
    home: tempfile::TempDir,
    inventories: Inventories,
}

impl World {
    /// A world in paused time.
    async fn of(accounts: usize) -> Self {
        let clock = Arc::new(PausedClock::at(from_unix_seconds(NOW)));
        let world = Self::with(accounts, clock, RATE);
        // The store answers from another thread: time that is paused would run on to the end of everybody's patience.
        let (done, waits) = std::sync::mpsc::channel::<()>();
        let time_stands = tokio::task::spawn_blocking(move || waits.recv().is_ok());
        world.sign_in().await;
        drop(done);
        time_stands.await.unwrap();
        world
    }

    /// A world in which the store is needed on the way: no time passes, and the burst is enough for all.
    async fn at_once(accounts: usize) -> Self {
        let clock = Arc::new(ManualClock::at(from_unix_seconds(NOW)));
        let world = Self::with(accounts, clock, Rate { per_second: 1_000, burst: 1_000 });
        world.sign_in().await;
        world
    }

    fn with(accounts: usize, clock: Arc<dyn Clock>, rate: Rate) -> Self {
        let aws = ScriptedAws::new(clock.clone());
        let listed = (0..accounts).map(|number| {
            let name = if number % 3 == 0 { format!("本番環境-{number}") } else { format!("dev-{number}") };
            let roles = ["ReadOnly", "Admin"].map(|name| RoleName::new(name).unwrap()).to_vec();
            (ListedAccount { id: id(number), name, email: String::new() }, roles)
        });
        *aws.listing.lock().unwrap() = Listing { accounts: listed.collect(), page_size: 20, ..Listing::default() };
        let store = Store::spawn(Box::new(Memory::default())).unwrap();
        let sessions = Arc::new(SignInSessions::new(aws.clone(), clock.clone(), store));
        let home = tempfile::tempdir().unwrap();
        let options = Options { directory: home.path().join("inventories"), rate };
        let inventories = Inventories::new(aws.clone(), clock.clone(), sessions.clone(), options);
        Self { clock, rate, aws, sessions, home, inventories }
    }

    /// Kills what is under way where it stands, and makes a new daemon's table over the same files.
    fn restart(&mut self) {
        self.inventories.lock().iter().flat_map(|entry| &entry.task).for_each(JoinHandle::abort);
        let options = Options { directory: self.home.path().join("inventories"), rate: self.rate };
        self.inventories = Inventories::new(self.aws.clone(), self.clock.clone(), self.sessions.clone(), options);
    }

    async fn sign_in(&self) {
        self.sessions.registration(&corp(), false).await.unwrap();
        self.sessions.signed_in(&corp(), self.aws.mint(HOUR)).await.unwrap();
    }

    fn fail_next(&self, failures: impl IntoIterator<Item = AwsError>) {
        self.aws.listing.lock().unwrap().failures.extend(failures.into_iter().map(Some));
    }

    /// The next so many listings are answered, whatever fails after them.
    fn answer_next(&self, calls: usize) {
        self.aws.listing.lock().unwrap().failures.extend(std::iter::repeat_n(None, calls));
    }

    /// No listing is answered from the `nth` of all on.
    fn silent_from(&self, nth: Option<usize>) {
        self.aws.listing.lock().unwrap().silent_from = nth;
    }

    /// Returns how it ended.
    async fn ended(&self, id: &str) -> Inventory {
        loop {
            let inventory = self.inventories.stands(id, HOUR, 0).await.unwrap();
            if inventory.state != InventoryState::Running {
                return inventory;
            }
        }
    }

    /// Waits until so many accounts are done.
    async fn reaches(&self, id: &str, done: u32) {
        while self.inventories.stands(id, HOUR, 0).await.unwrap().accounts_done < done {}
    }

    fn listings(&self) -> Vec<String> {
        let calls = self.aws.calls().into_iter();
        calls.filter(|call| call.starts_with("accounts ") || call.starts_with("roles ")).collect()
    }

    /// The calls that were made twice, whatever the token.
    fn repeated(&self) -> usize {
        let mut calls: Vec<_> =
            self.listings().iter().map(|call| call.split(" by ").next().unwrap().to_owned()).collect();
        let all = calls.len();
        calls.sort();
        calls.dedup();
        all - calls.len()
    }
}

fn id(number: usize) -> AccountId {
    AccountId::new(&format!("{:012}", 100_000_000_000_usize + number)).unwrap()
}

fn corp() -> SignInSession {
    SignInSession {
        name: SessionName::new("corp").unwrap(),
        start_url: StartUrl::new("https://d-1.awsapps.com/start").unwrap(),
        region: Region::new("us-east-1").unwrap(),
        scopes: vec![],
    }
}

fn throttled(seconds: Option<u64>) -> AwsError {
    AwsError::Throttled { operation: "ListAccountRoles", retry_after: seconds.map(Duration::from_secs) }
}

fn unavailable() -> AwsError {
    AwsError::Unavailable { operation: "ListAccountRoles", detail: "down".into() }
}

fn over() -> AwsError {
    AwsError::SignInOver { message: "Session token not found or invalid".into() }
}

#[tokio::test(start_paused = true)]
async fn everything_is_asked_for_once_within_the_bucket() {
    let world = World::of(100).await;
    let begin = Instant::now();
    let begun = world.inventories.begin(&corp()).await;
    assert_eq!((begun.state, begun.resumed_from), (InventoryState::Running, 0));
    let done = world.ended(&begun.id).await;
    assert_eq!((done.state, done.accounts_found, done.accounts_done), (InventoryState::Done, 100, 100));
    assert_eq!((world.listings().len(), world.repeated()), (105, 0));
    // 105 calls: 10 at once, then 10 a second.
    let took = begin.elapsed();
    assert!((Duration::from_millis(9_500)..Duration::from_secs(10)).contains(&took), "{took:?}");
    assert_eq!((done.accounts.len(), done.accounts[0].name.as_str()), (100, "本番環境-0"));
    assert_eq!(done.accounts[99].roles, ["Admin", "ReadOnly"]);
    assert_eq!(world.home.path().join("inventories").read_dir().unwrap().count(), 0, "nothing is left to go on with");
}

#[tokio::test(start_paused = true)]
async fn whoever_begins_a_second_one_joins_the_first() {
    let world = World::of(30).await;
    let first = world.inventories.begin(&corp()).await;
    world.reaches(&first.id, 5).await;
    let second = world.inventories.begin(&corp()).await;
    assert_eq!(second.id, first.id);
    world.ended(&first.id).await;
    assert_eq!(world.repeated(), 0);
    let third = world.inventories.begin(&corp()).await;
    assert!(third.id != first.id && third.resumed_from == 0, "one that is done is not gone on with");
}

#[tokio::test(start_paused = true)]
async fn progress_is_told_step_by_step_and_a_wait_without_one_ends() {
    let world = World::of(30).await;
    let begun = world.inventories.begin(&corp()).await;
    let (mut seen, mut last) = (0, begun);
    while last.state == InventoryState::Running {
        let next = world.inventories.stands(&last.id, HOUR, 0).await.unwrap();
        assert!(next.accounts_done >= last.accounts_done && next.accounts_found >= last.accounts_found);
        (seen, last) = (seen + 1, next);
    }
    assert!(seen >= 10, "{seen} steps");
    world.silent_from(Some(0));
    let silent = world.inventories.begin(&corp()).await;
    let begin = Instant::now();
    world.inventories.stands(&silent.id, Duration::from_secs(5), 0).await.unwrap();
    assert_eq!(begin.elapsed(), Duration::from_secs(5));
    assert!(world.inventories.stands("other", HOUR, 0).await.is_none());
}

#[tokio::test(start_paused = true)]
async fn after_a_stop_only_what_is_missing_is_asked_for() {
    let world = World::of(60).await;
    let begun = world.inventories.begin(&corp()).await;
    world.reaches(&begun.id, 25).await;
    assert!(world.inventories.stop(&begun.id).await && !world.inventories.stop(&begun.id).await);
    assert!(world.inventories.stands(&begun.id, HOUR, 0).await.is_none());
    let resumed = world.inventories.begin(&corp()).await;
    assert!((25..60).contains(&resumed.resumed_from) && resumed.accounts_found == 60, "{resumed:?}");
    let done = world.ended(&resumed.id).await;
    assert_eq!((done.accounts_done, done.accounts.len()), (60, 60));
    // At most what was on its way when it was stopped: one call of each of the four.
    assert!(world.repeated() <= 4 && world.listings().len() <= 63 + 4, "{:?}", world.listings());
}

#[tokio::test(start_paused = true)]
async fn after_a_kill_only_what_is_missing_is_asked_for() {
    let mut world = World::of(60).await;
    let begun = world.inventories.begin(&corp()).await;
    world.reaches(&begun.id, 30).await;
    world.restart();
    let resumed = world.inventories.begin(&corp()).await;
    assert!(resumed.resumed_from >= 30, "{resumed:?}");
    assert_eq!(world.ended(&resumed.id).await.accounts.len(), 60);
    assert!(world.repeated() <= 4, "{:?}", world.listings());
}

#[tokio::test(start_paused = true)]
async fn d3_retry_after_holds_everybody_and_nothing_is_lost() {
    let world = World::of(8).await;
    let begun = world.inventories.begin(&corp()).await;
    world.fail_next([throttled(Some(30)), throttled(Some(30)), throttled(None)]);
    let begin = Instant::now();
    let done = world.ended(&begun.id).await;
    assert_eq!((done.state, done.accounts_done), (InventoryState::Done, 8));
    assert!(begin.elapsed() >= Duration::from_secs(30), "{:?}", begin.elapsed());
    assert_eq!(world.repeated(), 3);
}

#[tokio::test(start_paused = true)]
async fn d3_asking_for_fewer_without_end_ends_it_and_keeps_what_was_found() {
    let world = World::of(8).await;
    let begun = world.inventories.begin(&corp()).await;
    world.reaches(&begun.id, 2).await;
    world.fail_next(std::iter::repeat_n(throttled(Some(1)), 100));
    let failed = world.ended(&begun.id).await;
    assert_eq!(failed.error.unwrap().code, ErrorCode::UpstreamUnavailable);
    assert!(world.listings().len() < 60, "{}", world.listings().len());
    world.aws.listing.lock().unwrap().failures.clear();
    let resumed = world.inventories.begin(&corp()).await;
    assert!(resumed.resumed_from >= 2);
    assert_eq!(world.ended(&resumed.id).await.state, InventoryState::Done);
    world.fail_next([throttled(Some(301))]);
    let begun = world.inventories.begin(&corp()).await;
    assert_eq!(world.ended(&begun.id).await.state, InventoryState::Failed, "a longer pause is told");
}

#[tokio::test(start_paused = true)]
async fn d4_faults_of_aws_are_tried_again_a_few_times() {
    let world = World::of(4).await;
    world.fail_next([unavailable(), unavailable(), unavailable()]);
    let begun = world.inventories.begin(&corp()).await;
    assert_eq!(world.ended(&begun.id).await.state, InventoryState::Done);
    world.fail_next(std::iter::repeat_n(unavailable(), 4));
    let begun = world.inventories.begin(&corp()).await;
    let failed = world.ended(&begun.id).await;
    assert_eq!((failed.error.unwrap().code, failed.accounts_done), (ErrorCode::UpstreamUnavailable, 0));
}

#[tokio::test]
async fn a_token_is_renewed_in_the_middle() {
    let world = World::at_once(100).await;
    world.answer_next(40);
    world.fail_next([over()]);
    world.aws.next_tokens(Ok(HOUR));
    let begun = world.inventories.begin(&corp()).await;
    let done = world.ended(&begun.id).await;
    assert_eq!((done.state, done.accounts_done), (InventoryState::Done, 100));
    assert_eq!(world.aws.calls().iter().filter(|call| call.starts_with("refresh ")).count(), 1);
    assert_eq!(world.repeated(), 1, "the one that was refused");
}

#[tokio::test]
async fn d1_a_sign_in_that_ends_fails_it_with_the_mend_and_the_next_goes_on() {
    let world = World::at_once(40).await;
    world.answer_next(20);
    world.fail_next(std::iter::repeat_n(over(), 10));
    world.aws.next_tokens(Err(over()));
    let begun = world.inventories.begin(&corp()).await;
    let failed = world.ended(&begun.id).await;
    let error = failed.error.unwrap();
    assert_eq!((error.code, error.mend.as_deref()), (ErrorCode::SignInRequired, Some("tegata login corp")));
    assert!(failed.state == InventoryState::Failed && failed.accounts.is_empty());
    world.aws.listing.lock().unwrap().failures.clear();
    world.sign_in().await;
    let resumed = world.inventories.begin(&corp()).await;
    assert_eq!(resumed.resumed_from, 18, "20 calls, two of them for the accounts");
    assert_eq!(world.ended(&resumed.id).await.accounts.len(), 40);
}

#[tokio::test(start_paused = true)]
async fn signing_out_stops_it_and_leaves_nothing_for_whoever_signs_in_next() {
    let world = World::of(40).await;
    let begun = world.inventories.begin(&corp()).await;
    world.reaches(&begun.id, 10).await;
    world.inventories.forget(&corp()).await;
    assert_eq!(world.ended(&begun.id).await.error.unwrap().code, ErrorCode::SignInRequired);
    assert_eq!(world.inventories.begin(&corp()).await.resumed_from, 0);
}

#[tokio::test(start_paused = true)]
async fn locking_stops_it() {
    let world = World::of(40).await;
    let begun = world.inventories.begin(&corp()).await;
    world.reaches(&begun.id, 10).await;
    assert!(world.inventories.any_under_way());
    world.inventories.stop_all(&Problem::Locked).await;
    assert!(!world.inventories.any_under_way());
    let calls = world.listings().len();
    assert_eq!(world.ended(&begun.id).await.error.unwrap().code, ErrorCode::Locked);
    tokio::time::sleep(HOUR).await;
    assert_eq!(world.listings().len(), calls, "nobody is asked any more");
}

#[tokio::test(start_paused = true)]
async fn a_listing_without_end_is_given_up() {
    let world = World::of(30).await;
    {
        let mut listing = world.aws.listing.lock().unwrap();
        let (account, roles) = listing.accounts[0].clone();
        listing.accounts = vec![(account, vec![roles[0].clone(); 1_400])];
        listing.page_size = 100;
    }
    let begun = world.inventories.begin(&corp()).await;
    let failed = world.ended(&begun.id).await;
    assert!(failed.error.unwrap().message.contains("more than 1000 entries"));
}

#[tokio::test(start_paused = true)]
async fn only_the_last_few_that_are_done_can_still_be_read() {
    let world = World::of(1).await;
    let mut ids = Vec::new();
    for _ in 0..=KEPT {
        let begun = world.inventories.begin(&corp()).await;
        world.ended(&begun.id).await;
        ids.push(begun.id);
    }
    let mut there = Vec::new();
    for id in &ids {
        there.push(world.inventories.stands(id, Duration::ZERO, 0).await.is_some());
    }
    assert_eq!(there, [false, true, true, true, true]);
}
