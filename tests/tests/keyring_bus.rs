//! What every program of the user can see and hear on the session bus: no secret, not even on its way to the keyring
//! (security.md E12, I8). First secrets are planted, to show that they would be found.
#![cfg(feature = "system")]

use std::collections::HashMap;
use tegata_daemon::sign_in_sessions::record::{RolesRecord, SignInRecord};
use tegata_tests::bus_monitor::{BusMonitor, contains};
use tegata_tests::canaries::{Found, assert_none};
use tegata_tests::desktop::Desktop;
use tegata_tests::keyring::{Around, PrivateKeyring};
use tegata_tests::product::{Product, wait_until};

/// How secrets go to and from the keyring (Secret Service API draft 0.2, "Transfer of Secrets").
const ENCRYPTED: &str = "dh-ietf1024-sha256-aes128-cbc-pkcs7";

/// A desktop with a keyring, somebody who listens, and a product that was signed in to there.
struct Overheard {
    desktop: Desktop,
    monitor: BusMonitor,
    product: Product,
    keyring: PrivateKeyring,
}

impl Overheard {
    fn signed_in() -> Self {
        let keyring = PrivateKeyring::start(Around::Nothing);
        let monitor = BusMonitor::on(&keyring);
        let mut product = Product::new();
        product.write_settings("store = \"secret-service\"\n");
        product.environment.push((String::from("DBUS_SESSION_BUS_ADDRESS"), keyring.address()));
        let desktop = Desktop::on(&product, keyring.address());
        product.start_daemon();
        product.sign_in();
        Self { desktop, monitor, product, keyring }
    }

    fn is_kept(&self) -> bool {
        !self.keyring.visible(RolesRecord::key("corp").as_str()).is_empty()
    }

    /// Looks in every message, and in what a keyring shows of its items.
    fn found(&self) -> Vec<Found> {
        let canaries = self.product.canaries();
        let heard = self.monitor.heard();
        let mut found: Vec<_> = heard
            .iter()
            .flat_map(|(member, bytes)| canaries.find_in(&format!("D-Bus message {member}"), bytes))
            .collect();
        for key in [RolesRecord::key("corp"), SignInRecord::key("corp")] {
            let visible = format!("{:?}", self.keyring.visible(key.as_str()));
            found.extend(canaries.find_in("labels and attributes", visible.as_bytes()));
        }
        found.extend(canaries.find_in("notifications", self.desktop.shown().join("\n").as_bytes()));
        found
    }
}

#[test]
fn e12_a_whole_run_says_no_secret_on_the_bus() {
    let mut run = Overheard::signed_in();
    for profile in ["dev", "admin"] {
        assert_eq!(run.product.credentials(profile).code, 0);
    }
    wait_until("the role's credentials are in the keyring", || run.is_kept());
    run.product.kill_daemon();
    run.product.start_daemon();
    assert_eq!(run.product.credentials("dev").code, 0, "read back from the keyring");
    assert_eq!((run.product.run(&["lock"]).code, run.product.run(&["unlock"]).code), (0, 0));
    run.product.sandbox().end_sign_in_sessions();
    assert_eq!(run.product.credentials("dev").code, 10);
    run.desktop.shows(1);
    run.product.sign_in();
    assert_eq!(run.product.credentials("dev").code, 0);
    assert_eq!(run.product.run(&["logout", "corp"]).code, 0);
    assert_none(&run.found());
    let heard = run.monitor.heard();
    for kind in ["OpenSession", "CreateItem", "GetSecret", "Notify"] {
        assert!(heard.iter().any(|(member, _)| member == kind), "{kind} was not heard, so nothing was searched");
    }
    let mut sessions = heard.iter().filter(|(member, _)| member == "OpenSession");
    assert!(sessions.all(|(_, bytes)| contains(bytes, ENCRYPTED)), "secrets go over the bus as they are");
}

#[test]
fn e12_twin_a_secret_that_goes_over_the_bus_as_it_is_would_be_heard() {
    let run = Overheard::signed_in();
    assert_none(&run.found());
    let secret = run.product.sandbox().minted_secrets().swap_remove(0).value;
    run.keyring.store_unencrypted("a program", &secret);
    let found = run.found();
    assert!(found.iter().any(|found| found.place == "D-Bus message CreateItem"), "{found:?}");
}

#[test]
fn e12_twin_a_secret_in_a_notification_or_an_attribute_would_be_seen() {
    let run = Overheard::signed_in();
    let secret = run.product.sandbox().minted_secrets().swap_remove(0).value;
    let bus = run.keyring.connect();
    let nothing = HashMap::<&str, zbus::zvariant::Value<'_>>::new();
    let notice = ("a program", 0_u32, "", secret.as_str(), "", Vec::<&str>::new(), nothing, -1_i32);
    let name = "org.freedesktop.Notifications";
    bus.call_method(Some(name), "/org/freedesktop/Notifications", Some(name), "Notify", &notice).unwrap();
    run.desktop.shows(1);
    run.keyring.store_unencrypted(SignInRecord::key("corp").as_str(), "nothing");
    run.keyring.label(SignInRecord::key("corp").as_str(), &secret);
    let places: Vec<_> = run.found().into_iter().map(|found| found.place).collect();
    for place in ["notifications", "labels and attributes", "D-Bus message Notify"] {
        assert!(places.iter().any(|found| found == place), "{place} is missing in {places:?}");
    }
}
