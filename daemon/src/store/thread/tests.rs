use super::{QUEUE, Store};
use crate::store::memory::Memory;
use crate::store::testing::{Call, Faults, Faulty};
use crate::store::{Bytes, Key, Kind, Records, StoreError};
use tegata_protocol::body::StoreState;

fn faulty() -> (Store, Faults, Memory) {
    let memory = Memory::default();
    let (records, faults) = Faulty::over(memory.clone());
    (Store::spawn(Box::new(records)).unwrap(), faults, memory)
}

fn key() -> Key {
    Key::new("sign-in", "corp")
}

fn bytes(text: &str) -> Bytes {
    Bytes::new(text.as_bytes().to_vec())
}

/// Waits on another thread, which keeps a paused clock from moving on meanwhile.
async fn until_held(faults: &Faults) {
    let faults = faults.clone();
    tokio::task::spawn_blocking(move || faults.until_held(1)).await.unwrap();
}

/// Awaits a request that has begun and is held, so that its caller gives up. Needs a paused clock.
async fn given_up<T>(faults: &Faults, request: impl Future<Output = T>) -> T {
    faults.hold();
    tokio::join!(biased; until_held(faults), request).1
}

/// Lets held requests go on and the clock run as usual, so that what follows is served in time.
fn let_go(faults: &Faults) {
    tokio::time::resume();
    faults.release();
}

#[tokio::test]
async fn reads_back_what_was_written_until_it_is_deleted() {
    let (store, _, _) = faulty();
    assert_eq!(store.kind(), Kind::Memory);
    assert_eq!(store.read(&key()).await, Ok(None));
    store.write(&key(), bytes("tokens")).await.unwrap();
    assert_eq!(store.clone().read(&key()).await, Ok(Some(bytes("tokens"))));
    store.delete(&key()).await.unwrap();
    assert_eq!(store.read(&key()).await, Ok(None));
}

#[tokio::test]
async fn requests_are_done_in_the_order_in_which_they_were_made() {
    let (store, faults, _) = faulty();
    faults.hold();
    let all = async {
        let writes = (0..20).map(|n| {
            let store = store.clone();
            async move { store.write(&key(), bytes(&n.to_string())).await }
        });
        for write in writes.map(tokio::spawn).collect::<Vec<_>>() {
            write.await.unwrap().unwrap();
        }
    };
    let release = async {
        until_held(&faults).await;
        faults.release();
    };
    tokio::join!(all, release);
    assert_eq!(store.read(&key()).await, Ok(Some(bytes("19"))));
}

#[tokio::test(start_paused = true)]
async fn i3_a_locked_keyring_keeps_no_caller_longer_than_its_patience() {
    let (store, faults, _) = faulty();
    assert_eq!(given_up(&faults, store.read(&key())).await, Err(StoreError::Waiting));
    assert_eq!(store.standing().unwrap().state, StoreState::Locked);
    let before = tokio::time::Instant::now();
    assert_eq!(store.read(&key()).await, Err(StoreError::Waiting));
    assert!(before.elapsed() < super::PATIENCE / 10, "the second caller had to wait as long as the first");
    faults.release();
}

#[tokio::test(start_paused = true)]
async fn i3_twin_an_unlocked_keyring_answers_again() {
    let (store, faults, _) = faulty();
    assert_eq!(given_up(&faults, store.read(&key())).await, Err(StoreError::Waiting));
    let_go(&faults);
    store.settled().await;
    assert_eq!(store.read(&key()).await, Ok(None));
    assert_eq!(store.standing().unwrap().state, StoreState::Ready);
}

#[tokio::test(start_paused = true)]
async fn a_write_that_had_begun_lands_when_the_person_answers() {
    let (store, faults, _) = faulty();
    assert_eq!(given_up(&faults, store.write(&key(), bytes("late"))).await, Err(StoreError::Waiting));
    let_go(&faults);
    store.settled().await;
    assert_eq!(store.read(&key()).await, Ok(Some(bytes("late"))));
}

#[tokio::test(start_paused = true)]
async fn a_write_that_had_not_begun_never_happens() {
    let (store, faults, _) = faulty();
    assert_eq!(given_up(&faults, store.read(&key())).await, Err(StoreError::Waiting));
    assert_eq!(store.write(&key(), bytes("never")).await, Err(StoreError::Waiting));
    let_go(&faults);
    store.settled().await;
    assert_eq!(store.read(&key()).await, Ok(None));
    assert_eq!(faults.count(Call::Write), 0);
}

#[tokio::test(start_paused = true)]
async fn more_callers_than_the_queue_holds_are_told_at_once() {
    let (store, faults, _) = faulty();
    assert_eq!(given_up(&faults, store.read(&key())).await, Err(StoreError::Waiting));
    let ask = || {
        let store = store.clone();
        tokio::spawn(async move { store.read(&key()).await })
    };
    for caller in (0..QUEUE * 3).map(|_| ask()).collect::<Vec<_>>() {
        assert_eq!(caller.await.unwrap(), Err(StoreError::Waiting));
    }
    assert_eq!(faults.count(Call::Read), 1);
    faults.release();
}

#[tokio::test]
async fn a_record_over_the_limit_is_refused_before_the_keyring_sees_it() {
    let (store, faults, _) = faulty();
    let large = Bytes::new(vec![b'x'; store.max_record_size() + 1]);
    assert!(matches!(store.write(&key(), large).await, Err(StoreError::NoRoom { .. })));
    assert_eq!(faults.count(Call::Write), 0);
    let fits = Bytes::new(vec![b'x'; store.max_record_size()]);
    assert_eq!(store.write(&key(), fits).await, Ok(()));
}

#[tokio::test]
async fn i4_denied_is_told_and_shown_and_nothing_is_lost() {
    let (store, faults, _) = faulty();
    store.write(&key(), bytes("old")).await.unwrap();
    let denied = StoreError::Denied { detail: String::from("no") };
    faults.fail(Call::Write, 1, denied.clone());
    assert_eq!(store.write(&key(), bytes("new")).await, Err(denied.clone()));
    assert_eq!(store.standing().unwrap().error, Some(denied));
    assert_eq!(store.read(&key()).await, Ok(Some(bytes("old"))));
}

#[tokio::test]
async fn i4_twin_allowed_again_it_is_ready_again() {
    let (store, faults, _) = faulty();
    faults.always(Some(StoreError::Denied { detail: String::from("no") }));
    let shown = store.describe().await;
    assert_eq!((shown.kind.as_str(), shown.state), ("memory", StoreState::Unavailable));
    assert_eq!(shown.detail.as_deref(), Some("the keyring denied access: no"));
    faults.always(None);
    let shown = store.describe().await;
    assert_eq!((shown.state, shown.detail), (StoreState::Ready, None));
}

#[tokio::test]
async fn i1_a_crash_leaves_the_old_or_the_new_record() {
    for (after, expected) in [(false, "old"), (true, "new")] {
        let (store, faults, memory) = faulty();
        store.write(&key(), bytes("old")).await.unwrap();
        if after {
            faults.crash_after(Call::Write, 1)
        } else {
            faults.crash_before(Call::Write, 1)
        }
        assert!(store.write(&key(), bytes("new")).await.is_err());
        assert!(store.read(&key()).await.is_err(), "a dead daemon answered");
        let restarted = Store::spawn(Box::new(memory)).unwrap();
        assert_eq!(restarted.read(&key()).await, Ok(Some(bytes(expected))));
    }
}

#[tokio::test]
async fn i6_a_damaged_record_is_said_once_and_a_new_one_can_be_written() {
    let (store, faults, _) = faulty();
    store.write(&key(), bytes("tokens")).await.unwrap();
    faults.damage(&key());
    assert!(matches!(store.read(&key()).await, Err(StoreError::Damaged { .. })));
    assert_eq!(store.standing().unwrap().state, StoreState::Ready);
    assert_eq!(store.read(&key()).await, Ok(None));
    store.write(&key(), bytes("fresh")).await.unwrap();
    assert_eq!(store.read(&key()).await, Ok(Some(bytes("fresh"))));
}

/// Says when it is dropped.
#[derive(Debug)]
struct Dropping(Memory, std::sync::mpsc::Sender<()>);

impl Drop for Dropping {
    fn drop(&mut self) {
        let _ = self.1.send(());
    }
}

impl Records for Dropping {
    fn kind(&self) -> Kind {
        self.0.kind()
    }
    fn read(&mut self, key: &Key) -> Result<Option<Bytes>, StoreError> {
        self.0.read(key)
    }
    fn write(&mut self, key: &Key, bytes: &[u8]) -> Result<(), StoreError> {
        self.0.write(key, bytes)
    }
    fn delete(&mut self, key: &Key) -> Result<(), StoreError> {
        self.0.delete(key)
    }
}

#[tokio::test]
async fn the_thread_ends_with_its_last_handle() {
    let (dropped, ended) = std::sync::mpsc::channel();
    let store = Store::spawn(Box::new(Dropping(Memory::default(), dropped))).unwrap();
    drop(store.clone());
    store.write(&key(), bytes("still served")).await.unwrap();
    drop(store);
    ended.recv_timeout(std::time::Duration::from_secs(30)).unwrap();
}
