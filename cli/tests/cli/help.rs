//! The help of every command, as a person sees it. A changed option shows in review.

use crate::support::Home;

fn help(line: &str) -> String {
    Home::new().run(line).is_quiet_success().to_owned()
}

#[test]
fn the_help_of_every_command_is_as_reviewed() {
    for line in [
        "--help",
        "login --help",
        "logout --help",
        "credential-process --help",
        "status --help",
        "list --help",
        "console --help",
        "certificate --help",
        "certificate list --help",
        "certificate import --help",
        "certificate remove --help",
        "elevate --help",
        "approve --help",
        "doctor --help",
        "keys --help",
        "keys scan --help",
        "keys import --help",
        "keys rotate --help",
        "keys report --help",
        "drop --help",
        "exec --help",
        "shell --help",
        "env --help",
        "passkey --help",
        "passkey add --help",
        "passkey list --help",
        "passkey rename --help",
        "passkey remove --help",
        "passkey test --help",
        "passkey reset --help",
        "policy --help",
        "policy explain --help",
        "policy check --help",
        "policy accept --help",
        "review --help",
        "review list --help",
        "review close --help",
        "setup --help",
        "lock --help",
        "unlock --help",
        "daemon --help",
        "daemon start --help",
        "daemon stop --help",
        "daemon status --help",
        "pick --help",
        "shell-init --help",
        "trust --help",
        "prompt --help",
    ] {
        let name = line.trim_end_matches("--help").trim().replace(' ', "-");
        insta::assert_snapshot!(format!("help-{}", if name.is_empty() { "tegata" } else { &name }), help(line));
    }
}

#[test]
fn help_is_the_same_however_it_is_asked_for() {
    assert_eq!(help("help credential-process"), help("credential-process --profile dev --help"));
    assert_eq!(help("help login"), help("login --help"));
}

#[test]
fn no_command_at_all_is_wrong_usage_with_the_help() {
    let run = Home::new().run("");
    assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""));
    assert!(run.stderr.contains("Usage: tegata"));
}

#[test]
fn the_version_names_the_protocol() {
    let expected = format!("tegata {} (protocol {})\n", env!("CARGO_PKG_VERSION"), tegata_protocol::PROTOCOL_VERSION);
    assert_eq!(help("--version"), expected);
    assert_eq!(help("-V"), expected);
}
