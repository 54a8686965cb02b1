//! The formula and the flake that `make packages` hands out, read by Ruby and by Nix and carried out with stand-ins for the few words of
//! Homebrew and nixpkgs that they use. Neither Homebrew nor nixpkgs is in a registry that tests install from.
#![cfg(feature = "packages")]
#![allow(clippy::unwrap_used, reason = "this is a test")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tegata_tests::packages::{beside, package, released, source};
use tegata_tests::product::{Product, run};

const VERSION: &str = env!("CARGO_PKG_VERSION");

fn stand_in(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/packaging").join(name)
}

/// What a command that has to end well printed.
fn done(command: &mut Command) -> String {
    let ended = run(command);
    assert_eq!(ended.code, 0, "{ended:?}");
    ended.stdout
}

/// The archive, opened where a product's home is, without its outermost folder.
fn unpacked(product: &Product) -> PathBuf {
    let tree = product.path("unpacked");
    fs::create_dir(&tree).unwrap();
    done(
        Command::new("tar")
            .args(["--extract", "--strip-components=1", "--directory"])
            .arg(&tree)
            .arg("--file")
            .arg(package("tar.gz")),
    );
    tree
}

fn files_below(directory: &Path) -> Vec<String> {
    let found = done(Command::new("find").args([".", "-not", "-type", "d"]).current_dir(directory));
    let mut names: Vec<_> = found.lines().map(|name| name.trim_start_matches("./").to_owned()).collect();
    names.sort_unstable();
    names
}

#[test]
fn what_the_formula_installs_signs_in_and_serves_and_its_own_test_passes() {
    let formula = beside("manifests/homebrew/tegata.rb");
    assert_eq!(done(Command::new("ruby").arg("-c").arg(&formula)).trim(), "Syntax OK");
    assert!(!fs::read_to_string(&formula).unwrap().contains('@'), "nothing is left to fill");
    let mut product = Product::new();
    let (tree, prefix) = (unpacked(&product), product.path("cellar"));
    let mut ruby = product.command("ruby");
    let said = done(ruby.arg(stand_in("formula.rb")).arg(formula).arg(&tree).arg(&prefix));
    let sum = done(Command::new("sha256sum").arg(package("tar.gz")));
    assert!(said.contains(&format!("{VERSION}\n")) && said.contains(&sum[..64]), "{said}");
    assert!(said.contains("tegata setup --undo") && said.contains("libexec/tegatad"), "{said}");
    let left: Vec<_> = files_below(&tree);
    assert_eq!(
        left,
        ["share/systemd/user/tegatad.service", "share/systemd/user/tegatad.socket", "share/tegata/tegata.ps1"]
    );
    product.cli_binary = prefix.join("bin/tegata");
    product.daemon_binary = prefix.join("libexec/tegatad");
    product.sign_in();
    assert_eq!(product.credentials("dev").code, 0, "the daemon beside it is started");
}

#[test]
fn the_flake_describes_a_package_of_this_source_that_puts_everything_in_its_place() {
    let flake = source("nix/flake.nix").canonicalize().unwrap();
    done(Command::new("nix-instantiate").arg("--parse").arg(&flake));
    let directory = tempfile::tempdir().unwrap();
    let out = directory.path().join("out");
    let mut nix = Command::new("nix-instantiate");
    nix.args(["--eval", "--strict", "--json", "--store", "dummy://", "--argstr", "file"]).arg(&flake);
    nix.arg(stand_in("flake.nix")).env("HOME", directory.path());
    let described: serde_json::Value = serde_json::from_str(&done(&mut nix)).unwrap();
    assert_eq!((&described["pname"], &described["version"]), (&"tegata".into(), &VERSION.into()));
    let root = source("..").canonicalize().unwrap();
    assert_eq!(described["source"], root.to_str().unwrap());
    assert_eq!(described["lock"], root.join("Cargo.lock").to_str().unwrap());
    let placeholder = described["out"].as_str().unwrap();
    assert_eq!(described["daemon"], format!("{placeholder}/lib/tegata/tegatad"), "where `tegata` looks for it");
    install_for_nix(described["postInstall"].as_str().unwrap(), &root, &out);
    let names = files_below(&out);
    for name in [
        "bin/tegata",
        "lib/tegata/tegatad",
        "man/tegata-elevate.1",
        "bash/tegata.bash",
        "zsh/_tegata",
        "fish/tegata.fish",
    ] {
        assert!(names.iter().any(|found| found == name), "{name}: {names:?}");
    }
    assert!(!names.iter().any(|found| found == "bin/tegatad"), "{names:?}");
    let unit = fs::read_to_string(out.join("share/systemd/user/tegatad.service")).unwrap();
    assert!(unit.contains(&format!("ExecStart={}/lib/tegata/tegatad\n", out.display())), "{unit}");
}

/// Carries out the flake's last phase as nixpkgs does, which copies the programs before and has the functions below.
fn install_for_nix(phase: &str, root: &Path, out: &Path) {
    fs::create_dir_all(out.join("bin")).unwrap();
    for name in ["tegata", "tegatad"] {
        fs::copy(released(name), out.join("bin").join(name)).unwrap();
    }
    let functions = r#"
installManPage() { install -D -m 644 -t "$out/man" "$@"; }
installShellCompletion() {
    local kind
    while [ $# -gt 0 ]; do
        case $1 in
        --name) shift ;;
        --*) kind=${1#--} ;;
        *) install -D -m 644 -t "$out/${kind:-${1##*.}}" "$1" ;;
        esac
        shift
    done
}
substituteInPlace() {
    grep -qF "$3" "$1" || { echo "no $3 in $1" >&2; return 1; }
    sed -i "s|$3|$4|g" "$1"
}
"#;
    let script = format!("set -euo pipefail\n{functions}\n{phase}");
    done(Command::new("bash").args(["-c", &script]).current_dir(root).env("out", out));
}
