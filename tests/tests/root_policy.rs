//! The organisation's rules at their real place. Each product lives in a mount namespace of its own with its own `/etc/tegata`.
#![cfg(all(feature = "system", feature = "root"))]
#![allow(clippy::unwrap_used, reason = "this is a test")]

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::PathBuf;
use tegata_tests::gated::gated;
use tegata_tests::product::{Product, run};

const RULES: &str = "[[rule]]\nname = \"org\"\nrole = \"ReadOnly\"\nwindow = \"5m\"\n";

/// A product whose daemon sees this directory as `/etc/tegata`.
struct Machine {
    product: Product,
    etc: PathBuf,
}

impl Machine {
    fn with(rules: &str) -> Self {
        let mut product = Product::new();
        let etc = product.path("etc/tegata");
        fs::create_dir_all(&etc).unwrap();
        fs::write(etc.join("policy.toml"), rules).unwrap();
        for (path, mode) in [(etc.clone(), 0o755), (etc.join("policy.toml"), 0o644)] {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        }
        let (script, wrapper) = (product.path("in-its-namespace.text"), product.path("in-its-namespace"));
        // Of the machine's own /etc everything is there but /etc/tegata, and nothing is made on the machine itself.
        let own = product.path("etc/machine");
        fs::create_dir(&own).unwrap();
        let steps = [
            format!("mount --rbind /etc {}", own.display()),
            "mount -t tmpfs none /etc".to_owned(),
            format!("ln -s {}/* /etc/", own.display()),
            "rm -f /etc/tegata".to_owned(),
            "mkdir /etc/tegata".to_owned(),
            format!("mount --bind {} /etc/tegata", etc.display()),
            "exec \"$0\" \"$@\"".to_owned(),
        ];
        let lines = [
            "#!/bin/sh".to_owned(),
            format!("exec unshare --mount --propagation private sh -c '{}' \\", steps.join(" && ")),
            format!("{} \"$@\"", product.daemon_binary.display()),
        ];
        fs::write(&script, lines.join("\n")).unwrap();
        // By a program of its own: a sibling's fork that holds the script open for writing would keep it from running.
        assert_eq!(run(product.command("cp").arg(&script).arg(&wrapper)).code, 0);
        fs::set_permissions(&wrapper, fs::Permissions::from_mode(0o755)).unwrap();
        product.daemon_binary = wrapper;
        Self { product, etc }
    }

    fn policy(&self) -> PathBuf {
        self.etc.join("policy.toml")
    }

    /// Starts a daemon that has to refuse. Returns its one line.
    fn refuses_to_start(&mut self) -> String {
        self.product.spawn_daemon();
        assert_eq!(self.product.daemon_ends(), 13, "{}", self.product.daemon_log());
        let log = self.product.daemon_log();
        assert_eq!(log.lines().count(), 1, "{log}");
        assert!(log.starts_with("tegatad: /etc/tegata/policy.toml: "), "{log}");
        assert!(!self.product.socket().exists() || self.product.run(&["daemon", "status"]).code != 0);
        log
    }
}

fn asks_for(product: &Product, profile: &str) -> i32 {
    product.run(&["credential-process", "--profile", profile, "--wait", "0"]).code
}

#[test]
fn the_organisation_s_rules_hold_and_no_setting_of_the_user_s_takes_them_back() {
    let machine = Machine::with(RULES);
    let open = "[[rule]]\nname = \"open\"\nrole = \"ReadOnly\"\ngate = \"none\"\n";
    machine.product.write_settings(&format!("store = \"memory\"\n{open}"));
    let (product, mut hand) = gated(machine.product);
    assert_eq!(asks_for(&product, "dev"), 11);
    let (_, explained) = product.api("GET", "/v1/policy?profile=dev", None);
    assert!(explained["rules"].to_string().contains("org"), "{explained}");
    product.elevate(&mut hand, &serde_json::json!({ "profile": "dev" }));
    assert_eq!(product.credentials("dev").code, 0);
}

#[test]
fn a_rule_of_the_organisation_s_holds_before_any_passkey_and_names_the_mend() {
    let mut machine = Machine::with(RULES);
    machine.product.start_daemon();
    machine.product.sign_in();
    let ended = machine.product.credentials("dev");
    assert_eq!((ended.code, ended.stdout.as_str()), (11, ""), "{ended:?}");
    assert!(ended.stderr.ends_with("; run: tegata passkey add\n"), "{ended:?}");
}

#[test]
fn without_the_file_nothing_of_it_holds() {
    let mut machine = Machine::with(RULES);
    fs::remove_file(machine.policy()).unwrap();
    machine.product.start_daemon();
    machine.product.sign_in();
    assert_eq!(machine.product.credentials("dev").code, 0);
}

#[test]
fn a_file_that_cannot_be_understood_keeps_the_daemon_from_starting() {
    for rules in
        ["[[rule]]\nname = \n", "[[rule]]\nname = \"org\"\nrole = \"*\"\ngate = \"none\"\n", "[[rul]]\n", "\u{0}"]
    {
        Machine::with(rules).refuses_to_start();
    }
}

#[test]
fn a_file_that_others_could_have_written_keeps_the_daemon_from_starting() {
    let mut machine = Machine::with(RULES);
    fs::set_permissions(machine.policy(), fs::Permissions::from_mode(0o666)).unwrap();
    assert!(machine.refuses_to_start().contains("can be written by others; chmod go-w"));
    let mut machine = Machine::with(RULES);
    fs::set_permissions(&machine.etc, fs::Permissions::from_mode(0o777)).unwrap();
    assert!(machine.refuses_to_start().contains("its directory can be written by others"));
    let mut machine = Machine::with(RULES);
    chown(machine.policy(), Some(65534), None).unwrap();
    assert!(machine.refuses_to_start().contains("belongs to uid 65534 and has to belong to uid 0"));
}
