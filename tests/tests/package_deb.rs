//! The .deb on a machine of its own: installed, used by an ordinary user, upgraded and taken back while a daemon runs, removed.
#![cfg(feature = "packages")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "this is a test")]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tegata_daemon::sign_in_sessions::record::RolesRecord;
use tegata_sandbox::Operation;
use tegata_tests::keyring::{Around, PrivateKeyring};
use tegata_tests::machine::Machine;
use tegata_tests::packages::{package, previous};
use tegata_tests::product::{Product, run, wait_until};

const USER: u32 = 4242;
const DAEMON: &str = "/usr/lib/tegata/tegatad";
/// The daemon looks every half minute whether its program was replaced.
const UNTIL_REPLACED: Duration = Duration::from_secs(90);

fn install(machine: &Machine, deb: &Path) -> String {
    machine.done(&["dpkg", "--install", &machine.brought(deb)])
}

fn with_package() -> Machine {
    let machine = Machine::start();
    install(&machine, &package("deb"));
    machine
}

/// A home on the machine whose secrets outlive a daemon: in files, with a passphrase.
fn home(machine: &Machine, uid: u32) -> Product {
    let mut product = Product::new();
    let passphrase = product.path("passphrase");
    fs::write(&passphrase, "correct-horse-battery\n").unwrap();
    fs::set_permissions(&passphrase, fs::Permissions::from_mode(0o600)).unwrap();
    product
        .write_settings(&format!("store = \"file\"\n[file_store]\npassphrase_file = \"{}\"\n", passphrase.display()));
    machine.runs(&mut product, uid);
    product
}

/// What the running daemon says its version is.
fn daemon_version(product: &Product) -> String {
    let status: serde_json::Value = serde_json::from_str(&product.run(&["status", "--json"]).stdout).unwrap();
    status["version"].as_str().unwrap().to_owned()
}

/// Installs another version under a running daemon and serves a tool until the daemon is of that version too.
fn replaced_under_way(machine: &Machine, product: &Product, deb: &Path, version: &str) {
    install(machine, deb);
    assert!(product.run(&["--version"]).stdout.starts_with(&format!("tegata {version} ")));
    let deadline = Instant::now() + UNTIL_REPLACED;
    while daemon_version(product) != version {
        let served = product.credentials("dev");
        assert_eq!((served.code, served.stderr.as_str()), (0, ""));
        assert!(Instant::now() < deadline, "the daemon of the other version goes on");
        std::thread::park_timeout(Duration::from_millis(250));
    }
    assert_eq!(machine.processes(DAEMON).len(), 1, "one daemon, the new one");
}

fn sign_ins(product: &Product) -> u64 {
    product.sandbox().calls(Operation::RegisterClient)
}

#[test]
fn an_ordinary_user_signs_in_and_is_served_by_what_the_package_installed() {
    let machine = with_package();
    let product = home(&machine, USER);
    product.sign_in();
    let served = product.credentials("dev");
    assert_eq!((served.code, served.stderr.as_str()), (0, ""));
    assert!(served.stdout.contains("AccessKeyId"));
    assert_eq!(machine.processes(DAEMON).len(), 1, "`tegata` starts the packaged daemon");
    assert_eq!(product.run(&["policy", "check"]).code, 0);
}

#[test]
fn a_user_s_line_in_aws_config_is_run_by_the_aws_cli() {
    let machine = with_package();
    let product = home(&machine, USER);
    product.sign_in();
    let line = "credential_process = /usr/bin/tegata credential-process --profile dev";
    assert!(fs::read_to_string(product.path(".aws/config")).unwrap().contains(line));
    // The AWS CLI of the test's own machine, run where the package is: the overlay shows both.
    let aws = tegata_tests::client("awscli-v2/dist/aws").display().to_string();
    let (home, sandbox) = (product.path("").display().to_string(), product.sandbox().url());
    let variables = [
        format!("HOME={home}"),
        format!("XDG_RUNTIME_DIR={home}/run"),
        format!("XDG_CONFIG_HOME={home}/.config"),
        format!("XDG_STATE_HOME={home}/.local/state"),
        format!("AWS_ENDPOINT_URL_STS={sandbox}"),
        String::from("AWS_PROFILE=dev"),
    ];
    let mut words = vec!["setpriv", "--reuid=4242", "--regid=4242", "--clear-groups", "env"];
    words.extend(variables.iter().map(String::as_str));
    words.extend([aws.as_str(), "sts", "get-caller-identity"]);
    assert!(machine.done(&words).contains("AWSReservedSSO_ReadOnly_"));
}

#[test]
fn an_upgrade_and_the_way_back_keep_the_sign_in_and_never_stop_serving() {
    let (old, new) = (version_of(&previous("deb")), version_of(&package("deb")));
    assert_ne!(old, new);
    let machine = Machine::start();
    install(&machine, &previous("deb"));
    let keyring = PrivateKeyring::start(Around::Nothing);
    let mut product = Product::new();
    product.write_settings("store = \"secret-service\"\n");
    product.environment.push((String::from("DBUS_SESSION_BUS_ADDRESS"), keyring.address()));
    machine.runs(&mut product, 0);
    product.sign_in();
    assert_eq!(product.credentials("dev").code, 0);
    wait_until("the role's credentials are in the keyring", || roles(&keyring) > 0);
    assert_eq!(daemon_version(&product), old);
    let calls: u64 = product.sandbox().counters().values().sum();
    replaced_under_way(&machine, &product, &package("deb"), &new);
    replaced_under_way(&machine, &product, &previous("deb"), &old);
    assert_eq!(sign_ins(&product), 1, "nobody signed in again");
    assert_eq!(product.sandbox().counters().values().sum::<u64>(), calls, "both read what the other had kept");
    let records = product.audit();
    let started: Vec<_> = records.iter().filter(|record| record["event"] == "daemon_started").collect();
    let versions: Vec<_> = started.iter().map(|record| record["version"].as_str().unwrap()).collect();
    assert_eq!(versions, [old.as_str(), new.as_str(), old.as_str()], "one log, written by both");
    // Signing out with the older one leaves nothing the newer one would still serve.
    assert_eq!(product.run(&["logout", "corp"]).code, 0);
    install(&machine, &package("deb"));
    let _ = product.run(&["daemon", "stop"]);
    assert_eq!(product.credentials("dev").code, 10);
}

#[test]
fn encrypted_files_are_read_by_the_newer_version_and_by_the_older_one_again() {
    let machine = Machine::start();
    install(&machine, &previous("deb"));
    let product = home(&machine, USER);
    product.sign_in();
    assert_eq!(product.credentials("dev").code, 0);
    for deb in [package("deb"), previous("deb"), package("deb")] {
        assert_eq!(product.run(&["daemon", "stop"]).code, 0);
        install(&machine, &deb);
        assert_eq!(product.credentials("dev").code, 0, "{}", deb.display());
        assert_eq!(daemon_version(&product), version_of(&deb));
    }
    assert_eq!(sign_ins(&product), 1);
}

#[test]
fn removal_ends_the_daemons_says_what_to_run_and_touches_no_home() {
    let machine = with_package();
    let product = home(&machine, USER);
    product.sign_in();
    assert_eq!(product.credentials("dev").code, 0);
    let roles = RolesRecord::key("corp");
    let kept = product.state_dir().join(format!("secrets/{}.sealed", roles.as_str()));
    wait_until("the role's credentials are kept", || kept.exists());
    let before = files_of(&product);
    let said = machine.done(&["dpkg", "--remove", "tegata"]);
    let lines: Vec<_> = said.lines().filter(|line| line.starts_with("tegata: ")).collect();
    assert!(lines.len() == 1 && lines[0].contains("credential_process"), "{said}");
    assert!(lines[0].contains("tegata setup --undo"), "{said}");
    wait_until("the daemon has ended", || machine.processes(DAEMON).is_empty());
    assert!(machine.processes(&format!("{DAEMON} (deleted)")).is_empty());
    // The socket goes with its daemon; the log of what it did stays, and may have grown by its end.
    let after = files_of(&product);
    for (path, text) in before.iter().filter(|(path, _)| !path.to_string_lossy().contains("/run/")) {
        let kept = after.get(path).unwrap_or_else(|| panic!("{} is gone", path.display()));
        assert!(kept.starts_with(text), "{} was changed", path.display());
    }
    machine.done(&["dpkg", "--purge", "tegata"]);
    assert_eq!(machine.run(&["dpkg", "--status", "tegata"]).code, 1);
    let left = machine.done(&[
        "find",
        "/usr",
        "/etc",
        "/var/lib/dpkg/info",
        "-xdev",
        "-name",
        "*tegata*",
        "-not",
        "-path",
        "*/src/*",
    ]);
    assert_eq!(left, "");
    // And back: the sign-in is still there.
    install(&machine, &package("deb"));
    assert_eq!(product.credentials("dev").code, 0);
    assert_eq!(sign_ins(&product), 1);
}

#[test]
fn an_upgrade_says_nothing_about_removal() {
    let machine = Machine::start();
    install(&machine, &previous("deb"));
    let said = install(&machine, &package("deb"));
    assert!(!said.contains("credential_process"), "{said}");
}

#[test]
fn man_pages_units_and_completions_are_where_they_are_looked_for() {
    let machine = with_package();
    assert!(machine.done(&["man", "--where", "1", "tegata-elevate"]).contains("tegata-elevate.1"));
    assert!(machine.done(&["man", "--pager=cat", "tegata"]).contains("EXIT CODES"));
    let verify = ["systemd-analyze", "--user", "verify", "/usr/lib/systemd/user/tegatad.socket"];
    assert_eq!(machine.done(&[["env", "XDG_RUNTIME_DIR=/tmp"].as_slice(), &verify].concat()), "");
    let complete = "source /usr/share/bash-completion/completions/tegata; COMP_WORDS=(tegata logo); COMP_CWORD=1; \
                    _tegata tegata logo tegata; echo \"${COMPREPLY[@]}\"";
    assert_eq!(machine.done(&["bash", "-c", complete]), "logout\n");
    machine.done(&["zsh", "-n", "/usr/share/zsh/vendor-completions/_tegata"]);
    machine.done(&["fish", "--no-execute", "/usr/share/fish/vendor_completions.d/tegata.fish"]);
    let fish = "complete --do-complete 'tegata logo'";
    assert!(machine.done(&["fish", "--command", fish]).starts_with("logout\t"));
}

/// The upstream version that a package says it has.
fn version_of(deb: &Path) -> String {
    let mut ask = std::process::Command::new("dpkg-deb");
    let ended = run(ask.args(["--field"]).arg(deb).arg("Version"));
    ended.stdout.trim().split('-').next().unwrap().to_owned()
}

fn roles(keyring: &PrivateKeyring) -> usize {
    keyring.visible(RolesRecord::key("corp").as_str()).len()
}

/// Every file of a home and what is in it.
fn files_of(product: &Product) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut directories = vec![product.path("")];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).unwrap().flatten() {
            let kind = entry.file_type().unwrap();
            if kind.is_dir() {
                directories.push(entry.path());
            } else if kind.is_file() {
                found.insert(entry.path(), fs::read(entry.path()).unwrap());
            }
        }
    }
    found
}
