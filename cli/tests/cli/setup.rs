//! `tegata setup` where it works on files alone: adopting, taking over, undoing.

use crate::support::{Home, Run};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::PathBuf;
use std::process::Command;

const CONFIG: &str = "\
[sso-session corp]
sso_start_url = https://d-1234567890.awsapps.com/start
sso_region = us-east-1

[profile dev]
# mine
sso_session = corp
sso_account_id = 123456789012
sso_role_name = ReadOnly
";

fn home() -> Home {
    let home = Home::new();
    fs::create_dir(home.path().join(".aws")).unwrap();
    fs::write(config(&home), CONFIG).unwrap();
    home
}

fn config(home: &Home) -> PathBuf {
    home.path().join(".aws/config")
}

fn text(home: &Home) -> String {
    fs::read_to_string(config(home)).unwrap()
}

#[test]
fn a_profile_is_adopted_and_given_back() {
    let home = home();
    let adopted = home.run("setup --adopt dev --yes");
    let stdout = adopted.is_quiet_success();
    assert!(stdout.contains("+tegata_sso_session = corp\n"), "{stdout}");
    assert!(stdout.ends_with("Tegata serves dev now.\nTake it back with: tegata setup --undo\n"), "{stdout}");
    let program = env!("CARGO_BIN_EXE_tegata");
    assert!(text(&home).contains(&format!("\ncredential_process = {program} credential-process --profile dev\n")));
    assert_eq!(home.run("setup --adopt dev --yes").is_quiet_success(), "There is nothing to change.\n");
    let undone = home.run("setup --undo --yes");
    assert!(undone.is_quiet_success().ends_with(".aws/config is as it was.\n"), "{undone:?}");
    assert_eq!(text(&home), CONFIG);
    assert!(home.run("setup --undo --yes").is_one_line(1).contains("there is nothing to undo"));
}

#[test]
fn a_dry_run_shows_and_writes_nothing() {
    let home = home();
    let run = home.run("setup --adopt dev --dry-run");
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), "Nothing is written: --dry-run.\n"));
    assert!(run.stdout.contains("+credential_process = "));
    assert_eq!(text(&home), CONFIG);
    assert!(!home.path().join(".local").exists(), "no place for backups is made either");
}

#[test]
fn without_anybody_to_ask_nothing_is_written() {
    let home = home();
    let run = home.run("setup --adopt dev");
    assert_eq!(run.code, Some(2), "{run:?}");
    assert!(run.stderr.contains("--yes writes it"), "{run:?}");
    assert_eq!(text(&home), CONFIG);
}

#[test]
fn only_a_yes_writes() {
    let home = home();
    let no = home.run_on_terminal("setup --adopt dev", "n\n");
    assert!(no.stdout.contains("[y/N]") && no.stdout.contains("Nothing is written."), "{no:?}");
    assert_eq!((no.code, text(&home).as_str()), (Some(0), CONFIG));
    let yes = home.run_on_terminal("setup --adopt dev", "y\n");
    assert!(yes.stdout.contains("Tegata serves dev now."), "{yes:?}");
    assert_ne!(text(&home), CONFIG);
}

#[test]
fn undo_gives_up_no_edit_unasked() {
    let home = home();
    home.run("setup --adopt dev --yes").is_quiet_success();
    let edited = text(&home) + "[profile mine]\n";
    fs::write(config(&home), &edited).unwrap();
    let refused = home.run("setup --undo --yes");
    assert!(refused.is_one_line(1).ends_with("run: tegata setup --undo --force"), "{refused:?}");
    assert_eq!(text(&home), edited);
    let forced = home.run("setup --undo --force --yes");
    let kept = forced.stderr.trim().strip_prefix("What was edited since is kept in ").unwrap();
    assert_eq!((text(&home).as_str(), fs::read_to_string(kept).unwrap()), (CONFIG, edited));
}

#[test]
fn what_is_odd_about_the_file_is_said() {
    let home = home();
    fs::write(config(&home), format!("{CONFIG}[profile x]\n[profile x]\n")).unwrap();
    let run = home.run("setup --adopt dev --yes");
    assert!(run.stderr.ends_with("[profile x] again (first on line 10); the AWS CLI refuses the file\n"), "{run:?}");
}

#[test]
fn what_cannot_be_adopted_is_one_line() {
    let home = home();
    let run = home.run("setup --adopt nobody --yes");
    assert!(run.is_one_line(13).ends_with("is not adopted: there is no such profile"), "{run:?}");
    fs::write(home.path().join(".aws/credentials"), "[dev]\naws_access_key_id = AKIA\n").unwrap();
    let run = home.run("setup --adopt dev --yes");
    assert!(run.is_one_line(13).contains(".aws/credentials has aws_access_key_id for it"), "{run:?}");
    assert_eq!(text(&home), CONFIG);
}

#[test]
fn the_files_are_those_aws_clients_are_told_of() {
    let home = home();
    fs::rename(config(&home), home.path().join("elsewhere")).unwrap();
    let mut command = home.tegata(["setup", "--adopt", "dev", "--yes"]);
    Run::of(command.env("AWS_CONFIG_FILE", "~/elsewhere")).is_quiet_success();
    assert!(fs::read_to_string(home.path().join("elsewhere")).unwrap().contains("credential_process"));
    assert!(!config(&home).exists());
}

#[test]
fn another_tool_s_profiles_are_taken_over() {
    let home = home();
    let granted = "[profile g]\ngranted_sso_start_url = https://d-1.awsapps.com/start\ngranted_sso_region = us-east-1\n\
                   granted_sso_account_id = 123456789012\ngranted_sso_role_name = A\ncredential_process = granted credential-process --profile g\n\
                   [profile half]\ncredential_process = granted credential-process --profile half\n";
    fs::write(config(&home), granted).unwrap();
    let run = home.run("setup --from granted --yes");
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(run.stderr.starts_with("Left as it is: half: it names nothing to get credentials from"), "{run:?}");
    assert!(run.stdout.contains("Tegata serves g now."), "{run:?}");
    assert!(text(&home).contains("tegata_sso_role_name = A\n") && text(&home).ends_with("--profile half\n"));
    assert!(home.run("setup --from aws-sso-cli --yes").is_one_line(13).ends_with("has no profile of aws-sso-cli"));
    assert_eq!(home.run("setup --from leapp").code, Some(2));
}

#[test]
fn a_full_disk_leaves_the_file_whole() {
    let home = home();
    let bulk = format!("{CONFIG}{}", "# filler\n".repeat(1_000));
    fs::write(config(&home), &bulk).unwrap();
    let tegata = env!("CARGO_BIN_EXE_tegata");
    let mut shell = Command::new("sh");
    // No file of this process may grow beyond a few blocks: EFBIG in the place of ENOSPC.
    shell.args(["-c", &format!("trap '' XFSZ; ulimit -f 4; exec {tegata} setup --adopt dev --yes >/dev/null")]);
    let run = Run::of(shell.env_clear().env("HOME", home.path()).env("PATH", "/usr/bin:/bin"));
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(run.stderr.contains("so nothing is written"), "{run:?}");
    assert_eq!(text(&home), bulk);
    assert_eq!(fs::read_dir(home.path().join(".aws")).unwrap().count(), 1, "nothing half written is left");
}

#[test]
fn mode_and_link_are_kept() {
    let home = home();
    let real = home.path().join("dotfiles-config");
    fs::rename(config(&home), &real).unwrap();
    fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
    std::os::unix::fs::symlink("../dotfiles-config", config(&home)).unwrap();
    home.run("setup --adopt dev --yes").is_quiet_success();
    assert!(config(&home).is_symlink());
    assert_eq!(real.metadata().unwrap().mode() & 0o7777, 0o640);
    home.run("setup --undo --yes").is_quiet_success();
    assert!(config(&home).is_symlink());
    assert_eq!((text(&home).as_str(), real.metadata().unwrap().mode() & 0o7777), (CONFIG, 0o640));
}
