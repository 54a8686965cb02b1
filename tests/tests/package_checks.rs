//! What the tools of each packaging say about the packages, and what is in them.
#![cfg(feature = "packages")]
#![allow(clippy::unwrap_used, reason = "this is a test")]

use std::path::Path;
use std::process::Command;
use tegata_tests::packages::{beside, package, released};
use tegata_tests::product::{Ended, run};

fn tool(program: &str, arguments: &[&str], file: &Path) -> Ended {
    run(Command::new(program).env("LC_ALL", "C.UTF-8").args(arguments).arg(file))
}

#[test]
fn lintian_finds_nothing() {
    let ended = tool("lintian", &["--allow-root", "--fail-on=error,warning"], &package("deb"));
    assert_eq!((ended.code, ended.stdout.as_str()), (0, ""), "{ended:?}");
}

#[test]
fn the_command_line_is_static_and_the_daemon_is_not() {
    let interpreter =
        |name| tool("readelf", &["--program-headers", "--wide"], &released(name)).stdout.contains("INTERP");
    assert!(!interpreter("tegata"), "it is started anew for every call");
    assert!(interpreter("tegatad"), "it resolves names, as the system is set up to");
    for name in ["tegata", "tegatad"] {
        let header = tool("readelf", &["--file-header"], &released(name)).stdout;
        assert!(header.contains("DYN"), "{name} is position-independent");
    }
}

#[test]
fn nothing_says_where_it_was_built() {
    let home = std::env::var("HOME").unwrap();
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    for name in ["tegata", "tegatad"] {
        for place in [here.to_str().unwrap(), &format!("{home}/.cargo")] {
            let ended = tool("grep", &["--count", "--text", "--fixed-strings", place], &released(name));
            assert_eq!(ended.stdout.trim(), "0", "{name} names {place}");
        }
    }
}

#[test]
fn the_checksums_are_those_of_every_file() {
    let sums = beside("SHA256SUMS");
    let directory = sums.parent().unwrap();
    let ended = run(Command::new("sha256sum").args(["--check", "--strict", "SHA256SUMS"]).current_dir(directory));
    assert_eq!(ended.code, 0, "{ended:?}");
    for kind in [".deb", ".rpm", ".tar.gz", "install.sh", "manifests/homebrew/tegata.rb"] {
        assert!(ended.stdout.contains(&format!("{kind}: OK")), "{kind}: {ended:?}");
    }
}

#[test]
fn the_formula_and_the_flake_are_ruby_and_nix() {
    let formula = beside("manifests/homebrew/tegata.rb");
    assert_eq!(tool("ruby", &["-c"], &formula).stdout.trim(), "Syntax OK");
    assert!(!std::fs::read_to_string(formula).unwrap().contains('@'), "nothing is left to fill");
    let flake = tegata_tests::packages::source("nix/flake.nix");
    let ended = tool("nix-instantiate", &["--parse"], &flake);
    assert_eq!(ended.code, 0, "{ended:?}");
}

#[test]
fn what_has_no_artefact_yet_is_not_handed_out() {
    let manifests = beside("manifests");
    let names: Vec<_> = std::fs::read_dir(manifests).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["homebrew"]);
}

#[test]
fn every_licence_text_is_carried() {
    let text = tool(
        "tar",
        &["--extract", "--gzip", "--to-stdout", "--wildcards", "*/THIRD-PARTY.txt", "--file"],
        &package("tar.gz"),
    );
    for part in ["webauthn-rs 0.6.2: MPL-2.0", "Mozilla Public License", "GNU LESSER GENERAL PUBLIC LICENSE", "Amazon"]
    {
        assert!(text.stdout.contains(part), "{part}");
    }
}
