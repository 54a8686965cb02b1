use super::super::adopt::{NoAdoption, Offered, TakenOver};
use super::*;
use tegata_protocol::adoption::{AdoptRenewal, AdoptSession, AdoptionProof};

const NOW: i64 = 1_795_338_478;
const URL: &str = "https://d-1.awsapps.com/start";

/// What AWS CLI keeps: an access token of an hour, and what renews it.
fn sent() -> AdoptSession {
    AdoptSession {
        config: None,
        start_url: URL.into(),
        region: "us-east-1".into(),
        access_token: Secret::new("file-access".into()),
        expires_at: rfc3339(from_unix_seconds(NOW) + HOUR),
        renewal: Some(AdoptRenewal {
            refresh_token: Secret::new("file-refresh".into()),
            client_id: "file-client".into(),
            client_secret: Secret::new("file-client-secret".into()),
            registration_expires_at: rfc3339(from_unix_seconds(NOW) + 48 * HOUR),
        }),
    }
}

fn without_renewal() -> AdoptSession {
    AdoptSession { renewal: None, ..sent() }
}

impl World {
    async fn adopt(&self, sent: &AdoptSession) -> Result<TakenOver, Problem> {
        let offered = Offered::read(sent, self.clock.now());
        let offered = offered.map_err(|why| Problem::NotAdopted { session: SessionName::new("corp").unwrap(), why })?;
        self.table.adopt(&corp(URL), offered).await
    }

    async fn refused(&self, sent: &AdoptSession) -> NoAdoption {
        match self.adopt(sent).await {
            Err(Problem::NotAdopted { why, .. }) => why,
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_sign_in_is_taken_over_by_spending_its_refresh_token() {
    let mut world = World::new();
    world.aws.next_tokens(Ok(2 * HOUR));
    let taken = world.adopt(&sent()).await.unwrap();
    assert_eq!(taken.proof, AdoptionProof::Renewed);
    assert_eq!(taken.expires_at, world.clock.now() + 2 * HOUR);
    assert_eq!(world.aws.calls(), ["refresh file-refresh"]);
    assert_eq!(world.token().await.unwrap(), "access-0");
    world.restart();
    assert_eq!(world.token().await.unwrap(), "access-0", "it is kept");
    world.clock.advance(3 * HOUR);
    world.aws.next_tokens(Ok(HOUR));
    assert_eq!(world.token().await.unwrap(), "access-1");
    assert_eq!(world.aws.calls(), ["refresh file-refresh", "refresh refresh-0"], "with the client that came along");
}

#[tokio::test]
async fn a_sign_in_whose_access_token_is_over_is_taken_over_all_the_same() {
    let world = World::new();
    world.clock.advance(2 * HOUR);
    world.aws.next_tokens(Ok(HOUR));
    assert!(world.adopt(&sent()).await.is_ok());
}

#[tokio::test]
async fn whoever_comes_twice_with_one_sign_in_spends_it_once() {
    let mut world = World::new();
    world.aws.next_tokens(Ok(HOUR));
    let first = world.adopt(&sent()).await.unwrap();
    assert_eq!(world.adopt(&sent()).await.unwrap(), first);
    world.restart();
    assert_eq!(world.adopt(&sent()).await.unwrap().proof, AdoptionProof::Renewed);
    assert_eq!(world.refreshes(), 1);
}

#[tokio::test]
async fn a_sign_in_that_nothing_renews_is_shown_to_the_portal() {
    let mut world = World::new();
    let taken = world.adopt(&without_renewal()).await.unwrap();
    assert_eq!(taken, TakenOver { proof: AdoptionProof::Portal, expires_at: world.clock.now() + HOUR });
    assert_eq!(world.aws.calls(), ["accounts first by file-access"]);
    world.restart();
    assert_eq!(world.token().await.unwrap(), "file-access");
    world.clock.advance(HOUR);
    assert!(matches!(world.token().await, Err(Problem::SignInRequired { .. })));
}

#[tokio::test]
async fn d10_a_sign_in_of_elsewhere_is_not_taken_over_and_not_sent_anywhere() {
    let world = World::new();
    for (start_url, region) in [("https://d-2.awsapps.com/start", "us-east-1"), (URL, "eu-west-1")] {
        let elsewhere = AdoptSession { start_url: start_url.into(), region: region.into(), ..sent() };
        assert!(matches!(world.refused(&elsewhere).await, NoAdoption::Elsewhere { .. }), "{start_url} {region}");
    }
    for (start_url, region) in [("http://evil.test/start", "us-east-1"), (URL, "us-east-1.evil.test"), ("", "")] {
        let elsewhere = AdoptSession { start_url: start_url.into(), region: region.into(), ..sent() };
        assert!(matches!(world.refused(&elsewhere).await, NoAdoption::Name(_)), "{start_url} {region}");
    }
    assert!(world.aws.calls().is_empty());
}

#[tokio::test]
async fn d10_twin_a_start_url_may_be_written_as_people_write_it() {
    let world = World::new();
    world.aws.next_tokens(Ok(HOUR));
    assert!(world.adopt(&AdoptSession { start_url: format!("{URL}/#/"), ..sent() }).await.is_ok());
}

#[tokio::test]
async fn what_cannot_work_is_refused_before_anything_is_sent() {
    let world = World::new();
    let with = |change: &dyn Fn(&mut AdoptRenewal)| {
        let mut renewal = sent().renewal.unwrap();
        change(&mut renewal);
        AdoptSession { renewal: Some(renewal), ..sent() }
    };
    let ended = rfc3339(from_unix_seconds(NOW));
    let cases = [
        AdoptSession { expires_at: ended.clone(), ..without_renewal() },
        AdoptSession { expires_at: "9999-12-31T23:59:59Z".into(), ..sent() },
        AdoptSession { expires_at: "soon".into(), ..sent() },
        AdoptSession { access_token: Secret::new(String::new()), ..sent() },
        AdoptSession { access_token: Secret::new("a\r\nb".into()), ..sent() },
        with(&|renewal| renewal.refresh_token = Secret::new("a b".into())),
        with(&|renewal| renewal.client_secret = Secret::new(String::new())),
        with(&|renewal| renewal.client_id = "\u{1b}[2J".into()),
        with(&|renewal| renewal.registration_expires_at.clone_from(&ended)),
    ];
    for case in cases {
        let why = world.refused(&case).await;
        assert!(matches!(why, NoAdoption::Unusable { .. } | NoAdoption::Ended { .. }), "{why}");
    }
    assert!(world.aws.calls().is_empty());
    assert_eq!(world.faults.count(Call::Write), 0);
}

#[tokio::test]
async fn d1_a_sign_in_that_aws_does_not_take_changes_nothing_here() {
    let mut world = World::new();
    world.aws.next_tokens(Err(over()));
    assert!(matches!(world.refused(&sent()).await, NoAdoption::Over { .. }));
    world.aws.next_tokens(Err(down()));
    assert_eq!(world.adopt(&sent()).await.unwrap_err(), Problem::Aws(down()));
    world.aws.listing.lock().unwrap().failures.push_back(Some(over()));
    assert!(matches!(world.refused(&without_renewal()).await, NoAdoption::Over { .. }));
    for _ in 0..2 {
        assert!(matches!(world.token().await, Err(Problem::SignInRequired { .. })));
        world.restart();
    }
}

#[tokio::test]
async fn a_store_that_fails_spends_nothing() {
    let world = World::new();
    let denied = StoreError::Denied { detail: "no".into() };
    world.faults.fail(Call::Write, 1, denied.clone());
    assert_eq!(world.adopt(&sent()).await.unwrap_err(), Problem::Store(denied.clone()));
    assert_eq!(world.refreshes(), 0);
    world.faults.fail(Call::Write, 1, denied.clone());
    assert_eq!(world.adopt(&without_renewal()).await.unwrap_err(), Problem::Store(denied));
    assert!(matches!(world.token().await, Err(Problem::SignInRequired { .. })), "the file goes on, and nothing here");
}

#[tokio::test]
async fn a_sign_in_that_works_here_is_not_replaced() {
    let world = World::new();
    world.sign_in().await;
    assert_eq!(world.refused(&sent()).await, NoAdoption::SignedInHere);
    assert_eq!(world.token().await.unwrap(), "access-0");
    assert_eq!(world.refreshes(), 0);
}

#[tokio::test]
async fn a_sign_in_that_has_ended_here_is() {
    let world = World::new();
    world.sign_in().await;
    world.clock.advance(2 * HOUR);
    world.aws.next_tokens(Err(over()));
    assert!(world.token().await.is_err());
    world.aws.next_tokens(Ok(HOUR));
    assert!(world.adopt(&sent()).await.is_ok());
    assert!(world.token().await.is_ok());
}

#[tokio::test]
async fn the_client_that_came_along_is_not_used_for_another_sign_in() {
    let world = World::new();
    world.aws.next_tokens(Ok(HOUR));
    world.adopt(&sent()).await.unwrap();
    let session = corp(URL);
    let client = world.table.registration(&session, false).await.unwrap();
    assert_eq!(client.client_id, "file-client", "while it renews what was taken over it has to stay");
    world.clock.advance(2 * HOUR);
    world.aws.next_tokens(Err(over()));
    assert!(world.token().await.is_err());
    assert_eq!(world.table.registration(&session, false).await.unwrap().client_id, "client");
}
