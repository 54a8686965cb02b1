//! The way it is meant to go.

use super::stage::Stage;

#[tokio::test]
async fn an_enrolled_passkey_approves_in_this_life_of_the_daemon_and_the_next() {
    let mut stage = Stage::with_alice().await;
    let first = stage.approve().await.unwrap();
    assert_eq!(first.person.as_str(), "alice");
    stage.restart();
    assert_eq!(stage.approve().await.unwrap(), first);
}
