//! The first call after boot: no daemon runs, the keyring is unlocked, the credentials are in it.

use crate::report::{Bound, Report};
use crate::samples::Samples;
use std::process::Stdio;
use std::time::Instant;
use tegata_sandbox::Operation;
use tegata_tests::keyring::{Around, PrivateKeyring};
use tegata_tests::product::{Product, wait_until};

const CALLS: usize = 30;

/// Measures a call that starts the daemon, which reads the credentials from the keyring and asks AWS nothing.
pub(crate) fn measure(report: &mut Report) {
    let keyring = PrivateKeyring::start(Around::Nothing);
    let mut product = Product::new();
    product.environment.push((String::from("DBUS_SESSION_BUS_ADDRESS"), keyring.address()));
    product.write_settings("store = \"secret-service\"\n");
    product.sign_in();
    wait_until("the role's credentials are in the keyring", || {
        let asked = product.sandbox().calls(Operation::GetRoleCredentials);
        assert_eq!(product.credentials("dev").code, 0);
        end_daemon(&product);
        asked > 0 && product.sandbox().calls(Operation::GetRoleCredentials) == asked
    });
    let before = product.sandbox().requests().len();
    let mut samples = Samples::default();
    for _ in 0..CALLS {
        let mut call = product.tegata(&["credential-process", "--profile", "dev"]);
        call.stdout(Stdio::null());
        let begun = Instant::now();
        let status = call.status();
        samples.add(begun.elapsed());
        assert!(status.is_ok_and(|status| status.success()), "the first call failed");
        end_daemon(&product);
    }
    assert_eq!(product.sandbox().requests().len(), before, "a first call asked AWS");
    report.time("first call: daemon started, keyring read", &samples);
    let milliseconds = samples.median().as_secs_f64() * 1000.0;
    report.promise("first call, no daemon, keyring unlocked, median", Bound::AtMost(60.0), milliseconds, " ms");
}

/// Ends the daemon and waits until nothing is left of it.
fn end_daemon(product: &Product) {
    let ended = product.run(&["daemon", "stop"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    wait_until("the daemon has ended", || product.run(&["daemon", "status"]).code == 16 && !product.socket().exists());
}
