//! The .rpm, on a Debian that has rpm: what is in it, installed, used and removed. Its dependencies name what a Fedora has, so they
//! are compared with the programs instead of being resolved.
#![cfg(feature = "packages")]
#![allow(clippy::unwrap_used, reason = "this is a test")]

use std::collections::BTreeSet;
use std::process::Command;
use tegata_tests::machine::Machine;
use tegata_tests::packages::package;
use tegata_tests::product::{Product, run, wait_until};

const DAEMON: &str = "/usr/lib/tegata/tegatad";

fn asked(question: &[&str]) -> String {
    let ended = run(Command::new("rpm").arg("--query").args(question).arg("--package").arg(package("rpm")));
    assert_eq!(ended.code, 0, "{ended:?}");
    ended.stdout
}

fn with_package() -> Machine {
    let machine = Machine::start();
    let rpm = machine.brought(&package("rpm"));
    machine.done(&["rpm", "--install", "--nodeps", &rpm]);
    machine
}

#[test]
fn it_has_what_the_deb_has_and_nothing_to_configure() {
    let files = |text: String, own: &[&str]| -> BTreeSet<String> {
        let names = text.lines().map(|line| line.trim_start_matches('.').to_owned());
        names.filter(|name| !name.ends_with('/') && !own.iter().any(|own| name.contains(own))).collect()
    };
    let mut list = Command::new("sh");
    let script = "dpkg-deb --fsys-tarfile \"$1\" | tar --list";
    let deb = run(list.args(["-c", script, "sh"]).arg(package("deb"))).stdout;
    let deb = files(deb, &["lintian", "changelog.Debian", "zsh"]);
    let rpm = files(asked(&["--list"]), &["zsh"]);
    assert_eq!(deb, rpm);
    assert!(deb.contains(DAEMON) && deb.contains("/usr/bin/tegata"), "{deb:?}");
    assert_eq!(asked(&["--configfiles"]), "");
    assert!(asked(&["--scripts"]).contains("end_daemons"));
}

#[test]
fn it_asks_for_the_libraries_that_the_daemon_links() {
    let requires = asked(&["--requires"]);
    let needed = run(Command::new("objdump").arg("-p").arg(tegata_tests::packages::released("tegatad"))).stdout;
    let libraries = needed.lines().filter_map(|line| line.trim().strip_prefix("NEEDED").map(str::trim));
    for library in libraries.filter(|library| !library.starts_with("ld-linux")) {
        assert!(requires.contains(library), "{library} is not asked for: {requires}");
    }
    let newest = needed.lines().filter_map(|line| line.split("GLIBC_").nth(1));
    let newest = newest.max_by_key(|version| version.split('.').nth(1).and_then(|minor| minor.parse::<u32>().ok()));
    let newest = format!("libc.so.6(GLIBC_{})(64bit)", newest.unwrap().trim());
    assert!(requires.contains(&newest), "{newest} is not asked for: {requires}");
}

#[test]
fn it_serves_and_its_removal_ends_the_daemon_and_says_what_to_run() {
    let machine = with_package();
    let mut product = Product::new();
    machine.runs(&mut product, 4243);
    product.sign_in();
    assert_eq!(product.credentials("dev").code, 0);
    assert_eq!(machine.processes(DAEMON).len(), 1);
    let said = machine.done(&["rpm", "--erase", "tegata"]);
    assert_eq!(said.lines().filter(|line| line.contains("tegata setup --undo")).count(), 1, "{said}");
    wait_until("the daemon has ended", || machine.processes(DAEMON).is_empty());
    let left =
        machine.done(&["find", "/usr/bin", "/usr/lib", "/usr/share", "-xdev", "-name", "*tegata*", "-type", "f"]);
    assert_eq!(left, "");
}

#[test]
fn an_upgrade_leaves_the_daemon_to_make_way_by_itself() {
    let machine = with_package();
    let mut product = Product::new();
    machine.runs(&mut product, 4244);
    product.sign_in();
    let rpm = machine.brought(&package("rpm"));
    let said = machine.done(&["rpm", "--upgrade", "--force", "--nodeps", &rpm]);
    assert!(!said.contains("credential_process"), "{said}");
    assert_eq!(product.credentials("dev").code, 0);
    assert_eq!(machine.processes(DAEMON).len() + machine.processes(&format!("{DAEMON} (deleted)")).len(), 1);
}
