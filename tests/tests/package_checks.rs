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
    let needed = |name| tool("readelf", &["--dynamic", "--wide"], &released(name)).stdout.matches("(NEEDED)").count();
    let interpreter =
        |name| tool("readelf", &["--program-headers", "--wide"], &released(name)).stdout.contains("INTERP");
    assert_eq!((needed("tegata"), interpreter("tegata")), (0, false), "it is started anew for every call");
    assert!(needed("tegatad") > 0 && interpreter("tegatad"), "it resolves names, as the system is set up to");
    assert_eq!(tool("ldd", &[], &released("tegata")).stdout.trim(), "statically linked");
    for name in ["tegata", "tegatad"] {
        let header = tool("readelf", &["--file-header"], &released(name)).stdout;
        assert!(header.contains("DYN"), "{name} is position-independent");
    }
}

#[test]
fn the_command_line_runs_where_there_is_nothing_else() {
    let empty = tempfile::tempdir().unwrap();
    for name in ["tegata", "tegatad"] {
        std::fs::copy(released(name), empty.path().join(name)).unwrap();
    }
    let alone = |name: &str| run(Command::new("chroot").arg(empty.path()).arg(format!("/{name}")).arg("--version"));
    let ended = alone("tegata");
    assert_eq!((ended.code, ended.stdout.starts_with("tegata ")), (0, true), "{ended:?}");
    assert_eq!(alone("tegatad").code, 127, "the other one needs a C library");
}

#[test]
fn every_package_holds_the_same_two_programs() {
    let sum = |file: &Path| tool("sha256sum", &[], file).stdout[..64].to_owned();
    let digests = tool("rpm", &["--query", "--dump", "--package"], &package("rpm")).stdout;
    for (name, place, beside) in [("tegata", "usr/bin", "bin"), ("tegatad", "usr/lib/tegata", "bin")] {
        let wanted = sum(&released(name));
        let held = |script: String, file: &Path| run(Command::new("sh").args(["-c", &script, "sh"]).arg(file)).stdout;
        let deb = format!("dpkg-deb --fsys-tarfile \"$1\" | tar --extract --to-stdout ./{place}/{name} | sha256sum");
        assert!(held(deb, &package("deb")).starts_with(&wanted), "{name} of the .deb");
        let archive = format!("tar --extract --to-stdout --wildcards --file \"$1\" '*/{beside}/{name}' | sha256sum");
        assert!(held(archive, &package("tar.gz")).starts_with(&wanted), "{name} of the archive");
        let file = format!("/{place}/{name} ");
        assert!(digests.lines().any(|line| line.starts_with(&file) && line.contains(&wanted)), "{name}: {digests}");
    }
}

/// What is not asked of these packages, and why, is in `packaging/rpmlint.toml`.
#[test]
fn rpmlint_finds_nothing() {
    let mut rpmlint = Command::new("rpmlint");
    rpmlint
        .env("LC_ALL", "C.UTF-8")
        .arg("--strict")
        .arg("--config")
        .arg(tegata_tests::packages::source("rpmlint.toml"));
    let ended = run(rpmlint.arg(package("rpm")));
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.stdout.contains(" 0 errors, 0 warnings"), "{ended:?}");
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
