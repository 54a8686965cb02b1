//! The approval page in a real Chromium, with real ceremonies against a virtual authenticator: what tests/browser/page.test.mjs says.

#![cfg(feature = "system")]

mod control;
mod desk;

use desk::Desk;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use tegata_daemon::serve::page::PageDoor;
use tegata_tests::client;

/// For all of them in one Chromium, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(240);

#[tokio::test(flavor = "multi_thread")]
async fn the_page_keeps_its_promises_in_a_real_browser() {
    let scratch = tempfile::tempdir().expect("no scratch directory");
    let desk = Arc::new(Desk::default());
    let door = Arc::new(PageDoor::new(Arc::clone(&desk) as _));
    let control = control::listen(desk, door).await;
    let report = scratch.path().join("report");
    let mut node = tokio::process::Command::from(node(scratch.path(), control, &report));
    let mut node = node.kill_on_drop(true).spawn().expect("node does not run");
    let ended = tokio::time::timeout(PATIENCE, node.wait()).await;
    let report = std::fs::read_to_string(report).unwrap_or_default();
    assert!(matches!(ended, Ok(Ok(status)) if status.success()), "{ended:?}\n{report}");
    println!("{report}");
}

fn node(scratch: &Path, control: u16, report: &Path) -> Command {
    let report = File::create(report).expect("no place for the report");
    let mut node = Command::new("node");
    node.args(["--test-reporter=spec"]).arg(browser_tests().join("page.test.mjs"));
    node.args(["--control", &control.to_string(), "--scratch"]).arg(scratch);
    node.arg("--modules").arg(client("browser/node_modules"));
    if let Some(pictures) = std::env::var_os("TEGATA_PICTURES") {
        node.arg("--pictures").arg(pictures);
    }
    node.stdin(Stdio::null()).stderr(report.try_clone().expect("no second handle")).stdout(report);
    node
}

fn browser_tests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("browser")
}

/// Whoever keeps the secrets of pages compares them in constant time.
#[test]
fn c10_secrets_of_pages_are_compared_in_constant_time() {
    let mut desks = 0;
    for room in [concat!(env!("CARGO_MANIFEST_DIR"), "/../daemon/src"), concat!(env!("CARGO_MANIFEST_DIR"), "/tests")] {
        for file in sources(Path::new(room)) {
            let text = std::fs::read_to_string(&file).expect("a source is not readable");
            if text.contains(concat!("PageDesk ", "for ")) {
                desks += 1;
                let beside = sources(room_of(&file));
                let compares = beside
                    .iter()
                    .any(|file| std::fs::read_to_string(file).is_ok_and(|text| text.contains(concat!(".ct_", "eq("))));
                assert!(compares, "{} and its neighbours never use `subtle`", file.display());
            }
        }
    }
    assert!(desks >= 2, "no desk was found");
}

/// A search that finds nothing proves nothing.
#[test]
fn c10_twin_the_search_finds_what_compares_and_what_does_not() {
    let desk = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/page");
    let found = sources(&desk);
    let compares =
        |name: &str| std::fs::read_to_string(desk.join(name)).is_ok_and(|text| text.contains(concat!(".ct_", "eq(")));
    assert!(found.contains(&desk.join("desk.rs")) && compares("desk.rs") && !compares("control.rs"));
}

/// The directory of a source; of a module's part, `desk/page.rs` of `desk.rs`, the module's.
fn room_of(file: &Path) -> &Path {
    let directory = file.parent().expect("a source lies somewhere");
    if directory.with_extension("rs").exists() { directory.parent().expect("a room") } else { directory }
}

fn sources(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).expect("a source directory is not readable").flatten();
    let paths = entries.map(|entry| entry.path());
    paths
        .flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}
