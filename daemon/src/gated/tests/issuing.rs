//! What is issued under a grant: once, as often as it allows, and no longer than it lives.

use super::*;
use crate::aws::RoleToAssume;

/// Whether the role session at AWS is named after the grant.
fn names(role: &RoleToAssume, grant: &Grant) -> bool {
    role.role_session_name.as_ref().is_some_and(|name| name.contains(grant.id.as_str()))
}

#[tokio::test]
async fn two_hundred_callers_under_a_grant_make_one_call() {
    let world = Arc::new(World::new(DEV).await);
    world.grant("dev", None).await;
    world.aws.next_role(Ok(HOUR));
    let asked: Vec<_> = (0..200)
        .map(|_| {
            let world = Arc::clone(&world);
            tokio::spawn(async move { world.serve("dev").await.map(|elevated| key(&elevated)).unwrap() })
        })
        .collect();
    let mut keys = std::collections::BTreeSet::new();
    for answer in asked {
        keys.insert(answer.await.unwrap());
    }
    assert_eq!((keys.len(), world.asked().len()), (1, 1));
}

#[tokio::test]
async fn who_takes_off_under_a_grant_when_the_last_flight_has_just_landed_makes_no_call_and_takes_no_use() {
    for uses in [1, 2] {
        let world = World::new(DEV).await;
        let grant = world.grant("dev", Some(uses)).await;
        world.aws.next_role(Ok(HOUR));
        let first = key(&world.serve("dev").await.unwrap());
        let late = world.gated.issuer.issue(&grant, None).await.unwrap();
        assert_eq!((late.access_key_id(), world.asked().len()), (first.as_str(), 1));
        assert_eq!(grant.uses_left(), Some(uses - 1));
    }
}

#[tokio::test]
async fn a_use_is_one_request_to_aws() {
    let world = World::new(DEV).await;
    let grant = world.grant("dev", Some(1)).await;
    world.aws.next_role(Ok(5 * MINUTE));
    let first = key(&world.serve("dev").await.unwrap());
    assert_eq!(grant.uses_left(), Some(0));
    world.clock.advance(4 * MINUTE);
    assert_eq!(key(&world.serve("dev").await.unwrap()), first, "what it gave is served while it lives");
    world.clock.advance(MINUTE);
    let used_up = world.serve("dev").await.unwrap_err();
    assert_eq!(used_up, Problem::GrantUsedUp { profile: profile("dev").name });
    assert_eq!(world.asked().len(), 1);
}

#[tokio::test]
async fn with_another_use_left_credentials_are_renewed_in_time() {
    let world = World::new(DEV).await;
    let grant = world.grant("dev", Some(2)).await;
    world.aws.next_role(Ok(5 * MINUTE));
    let first = key(&world.serve("dev").await.unwrap());
    world.clock.advance(3 * MINUTE);
    assert_eq!(key(&world.serve("dev").await.unwrap()), first, "not yet");
    world.clock.advance(MINUTE);
    world.aws.next_role(Err(down()));
    assert_eq!(key(&world.serve("dev").await.unwrap()), first, "a renewal that fails takes nothing away");
    assert_eq!(grant.uses_left(), Some(1));
    world.aws.next_role(Ok(5 * MINUTE));
    assert_ne!(key(&world.serve("dev").await.unwrap()), first);
    assert_eq!(grant.uses_left(), Some(0));
}

#[tokio::test]
async fn what_would_outlive_the_grant_anyway_is_not_renewed() {
    for sooner in [0, 30] {
        let world = World::new(DEV).await;
        let grant = world.grant("dev", Some(2)).await;
        world.aws.next_role(Ok(15 * MINUTE - Duration::from_secs(sooner)));
        world.serve("dev").await.unwrap();
        world.clock.advance(14 * MINUTE);
        world.serve("dev").await.unwrap();
        assert_eq!((world.asked().len(), grant.uses_left()), (1, Some(1)), "{sooner} s before the grant");
    }
}

#[tokio::test]
async fn a_failure_gives_the_use_back() {
    let world = World::new(DEV).await;
    let grant = world.grant("dev", Some(1)).await;
    world.aws.next_role(Err(down()));
    assert_eq!(world.serve("dev").await.unwrap_err(), Problem::Aws(down()));
    assert_eq!(grant.uses_left(), Some(1));
    world.aws.next_role(Ok(HOUR));
    world.serve("dev").await.unwrap();
    assert_eq!(grant.uses_left(), Some(0));
}

#[tokio::test]
async fn k14_a_grant_that_ends_while_aws_is_asked_releases_nothing() {
    let world = World::new(DEV).await;
    let grant = world.grant("dev", None).await;
    world.aws.next_role(Ok(HOUR));
    let drop_it = async {
        until(|| !world.asked().is_empty()).await;
        assert_eq!(world.grants.end(&|_| true).len(), 1);
    };
    let (served, ()) = tokio::join!(world.serve("dev"), drop_it);
    assert_eq!(served.unwrap_err(), Problem::GrantEnded { profile: profile("dev").name });
    assert!(grant.credentials(world.clock.now()).is_none());
}

#[tokio::test]
async fn k14_a_renewal_that_fails_after_the_grant_has_ended_leaves_nothing_to_serve() {
    let world = World::new(DEV).await;
    let grant = world.grant("dev", None).await;
    world.aws.next_role(Ok(5 * MINUTE));
    world.serve("dev").await.unwrap();
    world.clock.advance(4 * MINUTE);
    world.aws.next_role(Err(down()));
    let end_it = async {
        until(|| world.asked().len() == 2).await;
        world.grants.end(&|_| true);
    };
    let (renewed, ()) = tokio::join!(world.gated.issuer.credentials(&grant, None), end_it);
    assert_eq!(renewed.unwrap_err(), Problem::Aws(down()));
}

#[tokio::test]
async fn k14_twin_a_grant_that_lives_on_releases_what_aws_issued() {
    let world = World::new(DEV).await;
    let grant = world.grant("dev", None).await;
    world.aws.next_role(Ok(HOUR));
    let elevated = world.serve("dev").await.unwrap();
    assert_eq!((&elevated.grant.id, key(&elevated)), (&grant.id, "ASIA0000000000000001".to_owned()));
    assert!(grant.credentials(world.clock.now()).is_some());
}

#[tokio::test]
async fn credentials_end_with_whichever_ends_first() {
    for (aws_gives, ends_after) in [(HOUR, 15 * MINUTE), (5 * MINUTE, 5 * MINUTE)] {
        let world = World::new(DEV).await;
        world.grant("dev", None).await;
        world.aws.next_role(Ok(aws_gives));
        let until = world.serve("dev").await.unwrap().credentials.expires_at();
        assert_eq!(until, world.clock.now() + ends_after);
    }
}

#[tokio::test]
async fn a_wall_clock_that_jumps_prolongs_nothing() {
    let world = World::new(DEV).await;
    let grant = world.grant("dev", None).await;
    world.aws.next_role(Ok(HOUR));
    world.clock.advance(5 * MINUTE);
    let until = world.serve("dev").await.unwrap().credentials.expires_at();
    assert_eq!(until, world.clock.now() + 10 * MINUTE);
    world.clock.advance(10 * MINUTE);
    assert!(!grant.is_live(&crate::clock::Clock::uptime(&*world.clock)));
    let over = world.serve_within("dev", Duration::ZERO).await;
    assert_eq!(over.unwrap_err(), Problem::NoPasskey, "a new hand would be needed");
}

#[tokio::test]
async fn the_part_before_the_gate_comes_from_where_everybody_gets_it() {
    let world = World::new(DEPLOY).await;
    world.aws.next_role(Ok(HOUR));
    world.aws.next_role(Ok(HOUR));
    world.obtainer.obtain(&profile("mid").chain).await.unwrap();
    let grant = world.grant("deploy", None).await;
    world.aws.next_role(Ok(HOUR));
    world.serve("deploy").await.unwrap();
    let asked = world.asked();
    assert_eq!(asked.len(), 3, "{asked:?}");
    assert!(asked[2].starts_with("assume arn:aws:iam::222222222222:role/Deploy by ASIA0000000000000002"), "{asked:?}");
    let assumed = world.aws.assumed.lock().unwrap().clone();
    assert!(!names(&assumed[0], &grant), "the open part knows no grant");
    assert!(names(&assumed[1], &grant));
}

#[tokio::test]
async fn a_gated_source_is_asked_for_under_the_grant_and_shared_with_nobody() {
    let world = World::new(DEV).await;
    let grant = world.grant("deploy", None).await;
    (0..3).for_each(|_| world.aws.next_role(Ok(HOUR)));
    world.serve("deploy").await.unwrap();
    assert_eq!(world.asked().len(), 3);
    let assumed = world.aws.assumed.lock().unwrap().clone();
    assert!(assumed.iter().all(|role| names(role, &grant)), "{assumed:?}");
    for chain in [profile("dev").chain, profile("mid").chain, profile("deploy").chain] {
        assert!(world.obtainer.next_due().is_none(), "nothing is kept for renewal");
        world.aws.next_role(Err(down()));
        assert!(world.obtainer.obtain(&chain).await.is_err(), "nor for anybody else");
    }
    assert!(
        !format!("{:?}", world.memory.clone().read(&crate::sign_in_sessions::record::RolesRecord::key("corp")))
            .contains("Some")
    );
}
