use super::*;
use crate::clock::manual::ManualClock;
use crate::clock::{Clock as _, from_unix_seconds};
use crate::store::memory::Memory;
use std::sync::Arc;

/// The start of a step.
const START: i64 = 1_795_338_480;
const SEED: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

fn device() -> Device {
    Device {
        user: UserArn::new("arn:aws:iam::123456789012:user/alice").unwrap(),
        serial: MfaSerial::new("arn:aws:iam::123456789012:mfa/alice").unwrap(),
    }
}

struct World {
    clock: Arc<ManualClock>,
    memory: Memory,
    codes: Codes,
}

impl World {
    async fn with_seed() -> Self {
        let (clock, memory) = (Arc::new(ManualClock::at(from_unix_seconds(START + 10))), Memory::default());
        let world = Self { codes: over(&memory), clock, memory };
        world.codes.add_seed(&device(), Seed::new(SEED).unwrap(), world.clock.now()).await.unwrap();
        world
    }

    async fn of_seed(&self) -> Result<String, Problem> {
        let code = self.codes.of_seed(&device(), || self.clock.now()).await?;
        self.codes.sending(&device(), &code, self.clock.now());
        Ok(code.expose_secret().to_owned())
    }

    fn shown(&self, steps_on: u64) -> Secret {
        Seed::new(SEED).unwrap().code(totp::step(self.clock.now()) + steps_on)
    }
}

fn over(memory: &Memory) -> Codes {
    Codes::new(Store::spawn(Box::new(memory.clone())).unwrap())
}

fn why(problem: Problem) -> String {
    match problem {
        Problem::PersonNeeded { why, .. } => why,
        other => panic!("{other:?}"),
    }
}

/// Lets time pass for somebody who waits for the next step.
async fn meanwhile<T>(world: &World, waits: impl Future<Output = T>) -> T {
    let mut waits = std::pin::pin!(waits);
    let early = tokio::time::timeout(2 * LOOK_AGAIN, &mut waits).await;
    assert!(early.is_err(), "it waits for the next step");
    world.clock.advance(Duration::from_secs(20));
    waits.await
}

#[tokio::test]
async fn a_code_is_of_its_step_and_the_next_one_waits_for_the_next_step() {
    let world = World::with_seed().await;
    let (now, next) = (world.shown(0), world.shown(1));
    assert_eq!(world.of_seed().await.unwrap(), now.expose_secret());
    assert_eq!(meanwhile(&world, world.of_seed()).await.unwrap(), next.expose_secret());
}

#[tokio::test]
async fn a_restart_does_not_send_a_code_a_second_time() {
    let world = World::with_seed().await;
    let (now, next) = (world.of_seed().await.unwrap(), world.shown(1));
    let restarted = World { codes: over(&world.memory), ..world };
    let then = meanwhile(&restarted, restarted.of_seed()).await.unwrap();
    assert!(then != now && then == next.expose_secret());
}

#[tokio::test]
async fn of_two_who_want_a_code_at_once_each_gets_another() {
    let world = World::with_seed().await;
    let both = async { tokio::join!(world.of_seed(), world.of_seed()) };
    let (one, other) = meanwhile(&world, both).await;
    assert_ne!(one.unwrap(), other.unwrap());
}

#[tokio::test]
async fn a_code_that_a_person_gave_is_not_sent_again_by_the_seed() {
    let world = World::with_seed().await;
    let (now, next) = (world.shown(0), world.shown(1));
    world.codes.sending(&device(), &now, world.clock.now());
    assert_eq!(meanwhile(&world, world.of_seed()).await.unwrap(), next.expose_secret());
}

#[tokio::test]
async fn a_person_is_told_how_long_it_is_until_the_next_code() {
    let world = World::with_seed().await;
    let wait = |code: &Secret| world.codes.seconds_to_wait(&device(), code, world.clock.now());
    let now = world.shown(0);
    assert_eq!(wait(&now), None);
    world.codes.sending(&device(), &now, world.clock.now());
    assert_eq!(wait(&now), Some(Duration::from_secs(20)));
    assert_eq!(wait(&world.shown(1)), None);
    world.clock.advance(Duration::from_secs(120));
    assert_eq!(wait(&now), None, "by then it is another code that looks the same");
}

#[tokio::test]
async fn a_code_that_aws_did_not_take_is_the_last_until_something_changes() {
    let world = World::with_seed().await;
    world.codes.was_refused(&device(), "the seed in the store");
    for _ in 0..100 {
        assert!(why(world.of_seed().await.unwrap_err()).contains("AWS did not take that of the seed in the store"));
    }
    assert!(!world.codes.are_automatic(&device()).await.unwrap());
    world.codes.was_taken(&device());
    assert!(world.of_seed().await.is_ok() && world.codes.are_automatic(&device()).await.unwrap());
    world.codes.was_refused(&device(), "the seed in the store");
    assert!(world.codes.remove_seed(&device()).await.unwrap());
    world.codes.add_seed(&device(), Seed::new(SEED).unwrap(), world.clock.now()).await.unwrap();
    assert!(world.codes.are_automatic(&device()).await.unwrap(), "a seed that came anew");
}

#[tokio::test]
async fn without_a_seed_a_person_is_wanted() {
    let memory = Memory::default();
    let world = World { clock: Arc::new(ManualClock::at(from_unix_seconds(START))), codes: over(&memory), memory };
    assert_eq!(why(world.of_seed().await.unwrap_err()), "wants a code");
    assert!(!world.codes.has_seed(&device()).await.unwrap() && !world.codes.remove_seed(&device()).await.unwrap());
}

#[tokio::test]
async fn a_seed_is_not_replaced_by_another_and_there_are_as_many_as_aws_has() {
    let world = World::with_seed().await;
    let again = world.codes.add_seed(&device(), Seed::new(SEED).unwrap(), world.clock.now()).await;
    assert!(matches!(again, Err(Problem::SeedThere { .. })));
    for n in 1..MOST_DEVICES {
        let serial = MfaSerial::new(&format!("arn:aws:iam::123456789012:mfa/{n}")).unwrap();
        let device = Device { serial, ..device() };
        world.codes.add_seed(&device, Seed::new(SEED).unwrap(), world.clock.now()).await.unwrap();
    }
    let one_more = Device { serial: MfaSerial::new("GAHT12345678").unwrap(), ..device() };
    let full = world.codes.add_seed(&one_more, Seed::new(SEED).unwrap(), world.clock.now()).await;
    assert_eq!(full.unwrap_err(), Problem::TooManyDevices { most: MOST_DEVICES });
}

#[tokio::test]
async fn a_step_that_a_wrong_clock_wrote_does_not_stop_codes_for_good() {
    let world = World::with_seed().await;
    let ahead = || world.clock.now() + Duration::from_secs(86_400);
    world.codes.of_seed(&device(), ahead).await.unwrap();
    let now = world.shown(0);
    assert_eq!(world.of_seed().await.unwrap(), now.expose_secret());
}
