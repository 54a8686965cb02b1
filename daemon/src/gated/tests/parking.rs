//! A gated call without a grant: parked, approved, refused, given up.

use super::*;
use crate::audit::GrantEnd;

#[tokio::test]
async fn without_a_passkey_the_way_out_is_to_enrol_one() {
    let world = World::new(DEV).await;
    let refused = world.serve("dev").await.unwrap_err();
    assert_eq!(refused, Problem::NoPasskey);
    assert_eq!(tegata_protocol::ErrorBody::from(refused).mend.as_deref(), Some("tegata passkey add"));
    assert!(world.desk.waiting().is_empty(), "nobody could answer it");
    assert_eq!(world.gated.ask(&caller(1), &profile("dev"), &wanted()).await, Err(Problem::NoPasskey));
}

#[tokio::test]
async fn a_parked_call_is_served_when_a_hand_approves() {
    let world = World::new(DEV).await;
    let mut hand = world.enrol().await;
    world.aws.next_role(Ok(HOUR));
    let (served, ()) = tokio::join!(world.serve("dev"), world.approve_the_one_that_waits(&mut hand));
    let elevated = served.unwrap();
    assert_eq!(elevated.grant.approved.approved_by, ["alice"]);
    assert!(elevated.grant.approved.holder.covers(&caller(1)) && !elevated.grant.approved.holder.covers(&caller(2)));
    assert_eq!((key(&world.serve("dev").await.unwrap()), world.asked().len()), (key(&elevated), 1));
}

#[tokio::test]
async fn a_call_that_loses_patience_says_what_waits() {
    let world = World::new(DEV).await;
    world.enrol().await;
    let (one, two) = tokio::join!(world.serve_within("dev", Duration::ZERO), world.serve_within("dev", Duration::ZERO));
    let waiting = world.the_one_that_waits().await;
    for answer in [one, two] {
        assert_eq!(
            answer.unwrap_err(),
            Problem::ElevationRequired { profile: profile("dev").name, request: waiting.clone() }
        );
    }
    assert!(world.asked().is_empty());
}

#[tokio::test]
async fn k10_a_refusal_answers_the_one_who_waits_and_who_asks_next() {
    let world = World::new(DEV).await;
    world.enrol().await;
    let refuse = async { assert!(world.desk.say_no(&world.the_one_that_waits().await)) };
    let (served, ()) = tokio::join!(world.serve("dev"), refuse);
    let no = Problem::RefusedByHand { profile: profile("dev").name };
    let next = world.serve_within("dev", Duration::ZERO).await;
    assert_eq!((served.unwrap_err(), next.unwrap_err()), (no.clone(), no));
    assert!(world.desk.waiting().is_empty() && world.asked().is_empty());
}

#[tokio::test]
async fn k10_twin_a_person_may_ask_after_a_refusal() {
    let world = World::new(DEV).await;
    let mut hand = world.enrol().await;
    let refuse = async { assert!(world.desk.say_no(&world.the_one_that_waits().await)) };
    let (served, ()) = tokio::join!(world.serve("dev"), refuse);
    assert!(served.is_err());
    world.gated.ask(&caller(1), &profile("dev"), &wanted()).await.unwrap();
    world.approve_the_one_that_waits(&mut hand).await;
    world.aws.next_role(Ok(HOUR));
    world.serve("dev").await.unwrap();
}

#[tokio::test]
async fn a_request_that_ends_without_a_hand_was_approved_by_nobody() {
    let world = World::new(DEV).await;
    world.enrol().await;
    let end = async {
        world.the_one_that_waits().await;
        world.desk.end_all(GrantEnd::Locked);
    };
    let (served, ()) = tokio::join!(world.serve("dev"), end);
    assert_eq!(served.unwrap_err(), Problem::NobodyApproved { profile: profile("dev").name });
}

fn wanted() -> ElevationWanted<'static> {
    ElevationWanted { window: None, reason: None, holder: HolderWanted::Caller }
}

#[tokio::test]
async fn a_person_asks_within_what_the_rules_allow() {
    let world = World::new(&format!("{DEV}window = '10m'\nreason = {{ pattern = 'INC' }}\n")).await;
    world.enrol().await;
    let ask =
        async |name: &str, wanted: ElevationWanted<'static>| world.gated.ask(&caller(1), &profile(name), &wanted).await;
    let with_reason = || ElevationWanted { reason: Some("INC-42"), ..wanted() };
    assert!(ask("admin", with_reason()).await.is_ok(), "the built-in rule gates it");
    assert!(matches!(ask("dev", wanted()).await, Err(Problem::Reason(_))));
    let everybody = ElevationWanted { holder: HolderWanted::User, ..with_reason() };
    assert_eq!(ask("dev", everybody).await, Err(Problem::TooWide { rule: "dev".to_owned() }));
    for (asked, given) in [(None, 10), (Some(5), 5), (Some(60), 10)] {
        let window = asked.map(|minutes| minutes * MINUTE);
        let id = ask("dev", ElevationWanted { window, ..with_reason() }).await.unwrap();
        let Task::Elevate(elevation) = world.desk.entry(&id).unwrap().task else { panic!("no elevation") };
        assert_eq!((elevation.window, elevation.reason.as_deref()), (given * MINUTE, Some("INC-42")));
    }
}

#[tokio::test]
async fn what_is_open_or_denied_takes_no_hand() {
    let world = World::new(&format!("{DEV}days = 'Mon-Sat'\ntime_zone = 'UTC'\n")).await;
    world.enrol().await;
    let denied = world.gated.ask(&caller(1), &profile("dev"), &wanted()).await.unwrap_err();
    assert!(matches!(denied, Problem::DeniedByRule(_)), "it is Sunday: {denied}");
    let open = World::new(DEPLOY).await;
    open.enrol().await;
    let not_gated = open.gated.ask(&caller(1), &profile("dev"), &wanted()).await;
    assert_eq!(not_gated, Err(Problem::NotGated { profile: profile("dev").name }));
}

#[tokio::test]
async fn what_aws_could_not_issue_is_not_asked_of_a_hand() {
    let world = World::new(DEV).await;
    world.enrol().await;
    let mut terms = world.terms("dev").await;
    terms.session_policy = Some("{}".to_owned());
    let served = world.gated.serve(&caller(1), &profile("dev"), terms, Patience { work: HOUR, hand: true }).await;
    assert!(matches!(served, Err(Problem::Elevation(_))));
    assert!(world.desk.waiting().is_empty());
}

#[tokio::test]
async fn an_http_door_is_refused_at_once_and_the_hand_is_asked_for_once() {
    let world = World::new(DEV).await;
    world.enrol().await;
    let mut asked = Vec::new();
    for _ in 0..4 {
        match world.serve_without_a_hand("dev").await {
            Err(Problem::ElevationRequired { request, .. }) => asked.push(request),
            other => panic!("{other:?}"),
        }
    }
    asked.dedup();
    assert_eq!(asked.len(), 1, "an SDK tries several times for one call: {asked:?}");
}
