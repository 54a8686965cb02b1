//! What the stories from outside share: the product in a private home, a browser's least, other people's programs.

#![allow(clippy::panic, clippy::expect_used, reason = "a story that cannot go on ends there, saying why")]

pub mod acme;
pub mod bounded;
pub mod browser;
pub mod bus_monitor;
pub mod canaries;
pub mod certified;
pub mod chromium;
pub mod corpus;
pub mod crowd;
pub mod desktop;
pub mod exec;
pub mod failpoints;
pub mod federated;
pub mod gated;
pub mod hand;
pub mod helper;
pub mod hijacker;
pub mod iam_user;
pub mod keyring;
pub mod local_api;
pub mod login_manager;
pub mod machine;
pub mod machine_in_aws;
pub mod moto;
pub mod packages;
pub mod picture;
pub mod plaintext_key;
pub mod product;
pub mod prompter;
pub mod screen;
pub mod sdk;
pub mod shell;
pub mod signed_call;
pub mod sources;
pub mod store_process;
pub mod terminal;
pub mod token;
pub mod typist;
pub mod unlocker;

use std::path::{Path, PathBuf};

/// A program of this workspace, built into the same profile directory as the running program.
///
/// # Panics
/// When it was not built.
#[must_use]
pub fn program(name: &str) -> PathBuf {
    present(profile_directory().join(name), "cargo build --workspace")
}

/// A file of a third-party client, by its path under `target/clients`: `awscli-v2/dist/aws`, `python/bin/aws`, `node`.
///
/// # Panics
/// When `tests/clients/install` has not put it there.
#[must_use]
pub fn client(path: &str) -> PathBuf {
    present(target_directory().join("clients").join(path), "tests/clients/install")
}

/// The directory of the build profile that is running, `target/debug` for instance; tests lie in its `deps`.
fn profile_directory() -> PathBuf {
    let executable = test_executable();
    let directory = executable.parent().unwrap_or(&executable);
    let is_deps = directory.file_name().is_some_and(|name| name == "deps");
    directory.parent().filter(|_| is_deps).unwrap_or(directory).to_owned()
}

/// Cargo's target directory: the one that carries its cache tag.
fn target_directory() -> PathBuf {
    let executable = test_executable();
    let tagged = executable.ancestors().find(|directory| directory.join("CACHEDIR.TAG").is_file());
    tagged.map_or_else(|| panic!("{} is in no cargo target directory", executable.display()), Path::to_owned)
}

fn test_executable() -> PathBuf {
    std::env::current_exe().unwrap_or_else(|error| panic!("the test does not know its own path: {error}"))
}

fn present(path: PathBuf, mend: &str) -> PathBuf {
    if path.exists() {
        return path;
    }
    panic!("{} is missing; run: {mend}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_target_directory_holds_the_profile_directory() {
        assert!(profile_directory().starts_with(target_directory()));
        assert!(profile_directory().join("deps").is_dir());
    }

    #[test]
    #[should_panic(expected = "no-such-client is missing; run: tests/clients/install")]
    fn a_missing_client_names_the_command_that_installs_it() {
        let _ = client("no-such-client");
    }

    #[test]
    #[should_panic(expected = "no-such-program is missing; run: cargo build --workspace")]
    fn a_missing_program_names_the_command_that_builds_it() {
        let _ = program("no-such-program");
    }
}
