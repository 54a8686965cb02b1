use super::*;
use crate::caller::{LoginSession, Process};
use crate::clock::from_unix_seconds;
use crate::clock::manual::ManualClock;
use crate::credentials::Parts;
use crate::policy::terms::Scope;
use crate::requests::testing::{chain, terms};
use std::num::NonZeroU32;
use tegata_protocol::Secret;

const MINUTE: Duration = Duration::from_secs(60);

fn caller(leader: u32) -> Caller {
    let start = Duration::from_secs(u64::from(leader));
    let process = Process { pid: 99, started: Duration::from_secs(99), name: "tegata".to_owned() };
    let login_session = Some(LoginSession { leader, leader_started: start, terminal: Some(1) });
    Caller { uid: 1, gid: 1, process, login_session, ancestry: vec![] }
}

fn add(grants: &Grants, approved: Approved) -> Arc<Grant> {
    let grant = grants.prepare(approved);
    grants.add(Arc::clone(&grant));
    grant
}

fn approved(role: &str, leader: u32, window: Duration) -> Approved {
    Approved {
        profile: ProfileName::new("admin").unwrap(),
        chain: chain(role),
        holder: Holder::of(&caller(leader), Scope::Terminal, |_| false),
        terms: terms(),
        window,
        reason: None,
        approved_by: vec!["alice".to_owned()],
    }
}

fn credentials() -> Arc<Credentials> {
    Arc::new(Credentials::from(Parts {
        access_key_id: "ASIATEST".into(),
        secret_access_key: Secret::new("s".into()),
        session_token: Secret::new("t".into()),
        expires_at: from_unix_seconds(4_000_000_000),
        issued_at: from_unix_seconds(0),
        account_id: None,
    }))
}

fn table() -> (Arc<ManualClock>, Grants) {
    let clock = Arc::new(ManualClock::at(from_unix_seconds(1_795_000_000)));
    (Arc::clone(&clock), Grants::new(clock))
}

#[test]
fn b28_a_grant_ends_with_its_last_second() {
    let (clock, grants) = table();
    add(&grants, approved("Admin", 20, 15 * MINUTE));
    clock.advance(15 * MINUTE);
    assert!(grants.find(&chain("Admin"), &caller(20)).is_none());
    assert_eq!(grants.sweep().len(), 1);
}

#[test]
fn b28_twin_a_grant_lives_until_its_last_second() {
    let (clock, grants) = table();
    add(&grants, approved("Admin", 20, 15 * MINUTE));
    clock.advance(15 * MINUTE - Duration::from_secs(1));
    assert!(grants.find(&chain("Admin"), &caller(20)).is_some());
    assert!(grants.sweep().is_empty());
}

#[test]
fn j1_no_wall_clock_revives_or_prolongs_a_grant() {
    for wall in [0, 86_400, 1_795_000_000 - 86_400, 1_795_000_000 + 86_400, 4_294_967_295] {
        let (clock, grants) = table();
        let grant = add(&grants, approved("Admin", 20, 15 * MINUTE));
        clock.jump_to(from_unix_seconds(wall));
        assert!(grants.find(&chain("Admin"), &caller(20)).is_some(), "ended at {wall}");
        clock.advance(15 * MINUTE);
        clock.jump_to(from_unix_seconds(wall));
        assert!(grants.find(&chain("Admin"), &caller(20)).is_none(), "lives at {wall}");
        assert!(!grant.is_live(&clock.uptime()));
    }
}

#[test]
fn j1_twin_a_grant_lives_by_the_boot_clock() {
    let (clock, grants) = table();
    add(&grants, approved("Admin", 20, 15 * MINUTE));
    clock.advance(14 * MINUTE);
    assert!(grants.find(&chain("Admin"), &caller(20)).is_some());
}

#[test]
fn j2_a_grant_does_not_outlive_a_sleep() {
    for slept in [Duration::from_secs(1), MINUTE, 15 * MINUTE, 600 * MINUTE] {
        let (clock, grants) = table();
        let (now, grant) = (from_unix_seconds(1_795_000_000), add(&grants, approved("Admin", 20, 15 * MINUTE)));
        assert!(grant.keep(credentials()));
        clock.suspend(slept);
        assert!(!grant.is_live(&clock.uptime()) && grants.live().is_empty(), "slept {slept:?}");
        assert!(grants.find(&chain("Admin"), &caller(20)).is_none(), "slept {slept:?}");
        let ended = grants.end_slept_through().len();
        assert_eq!((ended, grants.sweep().len()), if slept < 15 * MINUTE { (1, 0) } else { (0, 1) }, "slept {slept:?}");
        assert!(grant.credentials(now).is_none());
    }
}

#[test]
fn j2_what_was_approved_before_a_sleep_is_worth_nothing_after_it() {
    let (clock, grants) = table();
    let prepared = grants.prepare(approved("Admin", 20, 15 * MINUTE));
    clock.suspend(MINUTE);
    grants.add(prepared);
    assert!(grants.find(&chain("Admin"), &caller(20)).is_none());
}

#[test]
fn j2_twin_a_grant_made_after_a_sleep_lives() {
    let (clock, grants) = table();
    clock.suspend(600 * MINUTE);
    add(&grants, approved("Admin", 20, 15 * MINUTE));
    clock.advance(15 * MINUTE - Duration::from_secs(1));
    assert!(grants.end_slept_through().is_empty());
    assert!(grants.find(&chain("Admin"), &caller(20)).is_some());
}

#[test]
fn j6_no_window_is_longer_than_the_rules_allow() {
    let (clock, grants) = table();
    add(&grants, approved("Admin", 20, Duration::from_secs(u64::MAX / 4)));
    clock.advance(15 * MINUTE);
    assert!(grants.find(&chain("Admin"), &caller(20)).is_none());
    let none = add(&grants, approved("Admin", 20, Duration::ZERO));
    assert!(!none.is_live(&clock.uptime()), "a window of nothing is over at once");
}

#[test]
fn j6_twin_a_shorter_window_is_kept() {
    let (clock, grants) = table();
    add(&grants, approved("Admin", 20, MINUTE));
    clock.advance(MINUTE - Duration::from_secs(1));
    assert!(grants.find(&chain("Admin"), &caller(20)).is_some());
    clock.advance(Duration::from_secs(1));
    assert!(grants.find(&chain("Admin"), &caller(20)).is_none());
}

#[test]
fn k5_a_grant_is_for_its_holder_and_its_target_alone() {
    let (_clock, grants) = table();
    add(&grants, approved("Admin", 20, MINUTE));
    assert!(grants.find(&chain("Admin"), &caller(21)).is_none());
    assert!(grants.find(&chain("admin"), &caller(20)).is_none());
}

#[test]
fn k5_twin_the_holder_finds_the_grant_of_the_target() {
    let (_clock, grants) = table();
    let grant = add(&grants, approved("Admin", 20, MINUTE));
    assert_eq!(grants.find(&chain("Admin"), &caller(20)).unwrap().id, grant.id);
}

#[test]
fn an_ended_grant_takes_its_credentials_along_and_keeps_no_new_ones() {
    let (_clock, grants) = table();
    let grant = add(&grants, approved("Admin", 20, MINUTE));
    let now = from_unix_seconds(1_795_000_000);
    assert!(grant.keep(credentials()) && grant.credentials(now).is_some());
    assert_eq!(grants.end(&|_| true).len(), 1);
    assert!(grant.credentials(now).is_none());
    assert!(!grant.keep(credentials()) && !grant.take_use());
    assert!(grant.credentials(now).is_none() && grants.live().is_empty());
}

#[test]
fn uses_are_counted_and_given_back() {
    let (_clock, grants) = table();
    let mut twice = approved("Admin", 20, MINUTE);
    twice.terms.uses = NonZeroU32::new(2);
    let grant = add(&grants, twice);
    assert!(grant.take_use() && grant.take_use() && !grant.take_use());
    grant.give_back_use();
    assert_eq!(grant.uses_left(), Some(1));
    assert!(grant.take_use() && !grant.take_use());
}

#[test]
fn a_new_grant_takes_the_place_of_the_one_before() {
    let (clock, grants) = table();
    let first = add(&grants, approved("Admin", 20, MINUTE));
    let second = add(&grants, approved("Admin", 20, 2 * MINUTE));
    assert_eq!(grants.live().iter().map(|grant| &grant.id).collect::<Vec<_>>(), [&second.id]);
    assert!(!first.is_live(&clock.uptime()));
    add(&grants, approved("Admin", 21, MINUTE));
    assert_eq!(grants.live().len(), 2);
}

#[test]
fn signing_out_ends_the_grants_of_the_session() {
    let (_clock, grants) = table();
    add(&grants, approved("Admin", 20, MINUTE));
    assert!(grants.end_of_session(&SessionName::new("other").unwrap()).is_empty());
    assert_eq!(grants.end_of_session(&SessionName::new("corp").unwrap()).len(), 1);
}

#[test]
fn what_is_over_is_swept_and_not_told_of_as_ended() {
    let (clock, grants) = table();
    add(&grants, approved("Admin", 20, MINUTE));
    add(&grants, approved("Admin", 21, 2 * MINUTE));
    clock.advance(MINUTE);
    assert_eq!(grants.end(&|_| true).len(), 1, "the other was over");
    assert!(grants.sweep().is_empty() && grants.live().is_empty());
}

#[test]
fn the_soonest_end_is_known_and_every_new_grant_is_told_of() {
    let (_clock, grants) = table();
    let changes = grants.changes();
    assert!(grants.next_end().is_none() && !changes.has_changed().unwrap());
    let longer = add(&grants, approved("Admin", 20, 2 * MINUTE));
    let sooner = add(&grants, approved("Admin", 21, MINUTE));
    assert!(sooner.until < longer.until && changes.has_changed().unwrap());
    assert_eq!(grants.next_end(), Some(sooner.until));
}

#[test]
fn ids_fit_a_role_session_name() {
    let id = GrantId::random();
    assert_eq!(id.to_string(), id.as_str());
    assert_eq!(id.as_str().len(), 8);
    assert!(id.as_str().bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()));
}
