//! What the log shows of all this: nothing secret.

use crate::roles::{assume, deploy};
use crate::world::{World, region};
use std::io::Write;
use std::sync::{Arc, Mutex};
use tegata_daemon::aws::Aws as _;
use tegata_protocol::body::SignInFlow;
use tegata_sandbox::{DeviceApproval, Effect, Fault, Operation};
use tracing_subscriber::filter::FilterFn;
use tracing_subscriber::prelude::*;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Everything of ours and the warnings of everybody else: the most the daemon ever logs.
#[tokio::test]
async fn e1_the_most_talkative_log_holds_no_secret() {
    let log = Log::default();
    let writer = log.clone();
    let ours = FilterFn::new(|meta| meta.target().starts_with("tegata") || *meta.level() <= tracing::Level::WARN);
    let layer = tracing_subscriber::fmt::layer().with_writer(move || writer.clone()).with_filter(ours);
    // For the whole binary: what the other tests log is held to the same.
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer)).unwrap();

    let world = World::with(|settings| settings.device.approval = DeviceApproval::AfterPolls(0));
    let (client, tokens) = world.signed_in().await;
    let device = world.begin(SignInFlow::DeviceCode, &client).await.unwrap();
    device.outcome.await.unwrap();
    let credentials = world.role(&tokens, "Admin").await.unwrap();
    assume(&world, &credentials, deploy()).await.unwrap();
    for effect in [Effect::CutBody, Effect::ContentType(String::from("text/html")), Effect::Garbage] {
        for operation in [
            Operation::GetRoleCredentials,
            Operation::CreateTokenRefreshToken,
            Operation::AssumeRole,
            Operation::Logout,
        ] {
            world.sandbox.fault(Fault::on(operation, effect.clone()).times(1));
        }
        let _ = world.role(&tokens, "Admin").await;
        let _ = world.refresh(&client, tokens.refresh_token.as_ref().unwrap()).await;
        let _ = assume(&world, &credentials, deploy()).await;
        let _ = world.aws.logout(&region("us-east-1"), &tokens.access_token).await;
        world.sandbox.clear_faults();
    }

    let shown = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(shown.contains("trying AWS again"), "the log was read at all: {shown}");
    for secret in world.sandbox.minted_secrets() {
        assert!(!shown.contains(&secret.canary), "{:?}: {shown}", secret.kind);
    }
}
