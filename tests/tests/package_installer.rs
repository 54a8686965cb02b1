//! The released installer with the released archive: installed, used, put over itself, taken out.
#![cfg(feature = "packages")]
#![allow(clippy::unwrap_used, reason = "this is a test")]

use std::path::Path;
use std::process::Command;
use tegata_tests::packages::{beside, package};
use tegata_tests::product::{Ended, Product, run};

fn install(product: &Product, url: &str, arguments: &[&str]) -> Ended {
    let mut command = product.command("sh");
    command.arg(beside("install.sh")).args(arguments).env("TEGATA_URL", url);
    run(&mut command)
}

fn files_below(directory: &Path) -> String {
    run(Command::new("find").arg(directory).args(["-not", "-type", "d"])).stdout
}

#[test]
fn a_person_without_root_installs_uses_and_removes_it() {
    let mut product = Product::new();
    let url = format!("file://{}", package("tar.gz").parent().unwrap().display());
    let ended = install(&product, &url, &[]);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{ended:?}");
    assert!(ended.stdout.contains("tegata setup"), "{ended:?}");
    product.cli_binary = product.path(".local/bin/tegata");
    product.daemon_binary = product.path(".local/bin/tegatad");
    product.sign_in();
    assert_eq!(product.credentials("dev").code, 0, "the daemon beside it is started");
    let before = files_below(&product.path(".local/bin"));
    assert_eq!(install(&product, &url, &[]).code, 0);
    assert_eq!(files_below(&product.path(".local/bin")), before);
    let unit = product.path(".local/share/systemd/user/tegatad.service");
    let unit = std::fs::read_to_string(unit).unwrap();
    assert!(unit.contains(&format!("ExecStart={}\n", product.daemon_binary.display())), "{unit}");
    let ended = install(&product, &url, &["--uninstall"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{ended:?}");
    assert!(ended.stdout.contains("tegata setup --undo"), "{ended:?}");
    assert_eq!(files_below(&product.path(".local/bin")) + &files_below(&product.path(".local/share")), "");
    assert!(!product.socket().exists(), "its daemon was stopped");
    assert!(product.path(".local/state/tegata").exists(), "what is not the installer's stays");
}
