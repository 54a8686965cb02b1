use super::*;
use crate::aws_config::{Change, Program};
use std::path::Path;
use tempfile::TempDir;

const USER: &str = "arn:aws:iam::123456789012:user/alice";
const KEY: &str = "AKIAIOSFODNN7EXAMPLE";
const PLAIN: &str = "CANARY/wJalrXUtnFEMI+K7MDENGbPxRfiCYEXAMPLE";

struct Home(#[expect(dead_code, reason = "it is removed when dropped")] TempDir, ConfigFile, ConfigFile);

impl Home {
    fn new(config: &str, credentials: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            std::fs::write(home.path().join(name), text).unwrap();
            ConfigFile::read(&home.path().join(name)).unwrap()
        };
        let (config, credentials) = (file("config", config), file("credentials", credentials));
        Self(home, config, credentials)
    }

    fn files(&self) -> Files<'_> {
        Files { config: &self.1, credentials: &self.2 }
    }

    fn moved(&self, profile: &str, removal: &Removal) -> (String, String) {
        let program = Program::at(Path::new("/usr/bin/tegata")).unwrap();
        let moved = moved(self.files(), profile, USER, &program, removal).unwrap();
        (text(&moved.config), text(&moved.credentials))
    }

    fn refused(&self, profile: &str) -> String {
        match self.files().find(profile) {
            Err(failure) => failure.message().to_owned(),
            Ok(_) => panic!("it is found"),
        }
    }
}

fn text(change: &Change) -> String {
    change.file().unwrap().text().to_owned()
}

fn keys() -> String {
    format!("aws_access_key_id = {KEY}\naws_secret_access_key = {PLAIN}\n")
}

#[test]
fn a_key_in_the_credentials_file_goes_and_the_config_file_has_tegata_in_its_place() {
    let home =
        Home::new("[profile dev]\nregion = eu-west-1\noutput = json\n", &format!("[dev]\n{}[other]\nx = 1\n", keys()));
    let found = home.files().find("dev").unwrap();
    assert_eq!(
        (found.id.as_str(), found.secret.expose_secret(), found.region.as_deref()),
        (KEY, PLAIN, Some("eu-west-1"))
    );
    let (config, credentials) = home.moved("dev", &Removal::Now);
    let served =
        format!("tegata_iam_user = {USER}\ncredential_process = /usr/bin/tegata credential-process --profile dev\n");
    assert_eq!(config, format!("[profile dev]\nregion = eu-west-1\noutput = json\n{served}"));
    assert_eq!(credentials, "[dev]\n[other]\nx = 1\n");
}

#[test]
fn a_profile_that_only_the_credentials_file_has_gets_a_section() {
    for (name, header) in [("dev", "[profile dev]"), ("default", "[default]")] {
        let home = Home::new("[profile a]\nregion = x\n", &format!("[{name}]\n{}", keys()));
        let (config, _) = home.moved(name, &Removal::Now);
        assert!(config.starts_with(&format!("[profile a]\nregion = x\n\n{header}\ntegata_iam_user = ")), "{config}");
    }
}

#[test]
fn a_section_that_no_client_reads_is_not_written_to() {
    let home = Home::new("[dev]\nregion = x\n", &format!("[dev]\n{}", keys()));
    let (config, _) = home.moved("dev", &Removal::Now);
    assert!(config.starts_with("[dev]\nregion = x\n\n[profile dev]\ntegata_iam_user = "), "{config}");
}

#[test]
fn a_key_in_the_config_file_goes_and_what_it_meant_beside_it_is_kept() {
    let home = Home::new(
        &format!("[profile dev]\n{}mfa_serial = arn:aws:iam::123456789012:mfa/alice\nregion = x\n", keys()),
        "",
    );
    let (config, _) = home.moved("dev", &Removal::Now);
    assert!(!config.contains("CANARY") && !config.contains(KEY), "{config}");
    assert!(config.contains("\ntegata_mfa_serial = arn:aws:iam::123456789012:mfa/alice\nregion = x\n"), "{config}");
}

#[test]
fn doing_it_again_after_a_crash_between_the_files_gives_the_same() {
    let home = Home::new("", &format!("[dev]\n{}", keys()));
    let (config, credentials) = home.moved("dev", &Removal::Now);
    let again = Home::new(&config, &format!("[dev]\n{}", keys()));
    assert!(again.files().find("dev").is_ok());
    assert_eq!(again.moved("dev", &Removal::Now), (config, credentials));
}

#[test]
fn a_trial_puts_the_lines_aside_and_its_end_removes_them() {
    let until = "2026-11-29".to_owned();
    let home = Home::new("", &format!("[dev]\n{}region = x\n", keys()));
    let (config, credentials) = home.moved("dev", &Removal::Trial { until });
    assert_eq!(
        credentials,
        format!(
            "[dev]\ntegata_trial_aws_access_key_id = {KEY}\ntegata_trial_aws_secret_access_key = {PLAIN}\n\
             tegata_trial_until = 2026-11-29\nregion = x\n"
        )
    );
    let home = Home::new(&config, &credentials);
    assert!(home.refused("dev").contains("serves it from the keyring already"));
    assert_eq!(home.files().put_aside("dev").unwrap().expose_secret(), PLAIN);
    let day = |text: &str| crate::moment::parse(text).unwrap();
    let running = trials(home.files(), day("2026-11-29T23:59:59Z"));
    assert!(running.len() == 1 && !running[0].is_over && running[0].profile == "dev");
    assert!(running[0].reminder().ends_with("tegata keys import --finish dev"), "{}", running[0].reminder());
    assert!(trials(home.files(), day("2026-11-30T00:00:00Z"))[0].is_over);
    assert_eq!(text(&finished(home.files(), "dev").unwrap().credentials), "[dev]\nregion = x\n");
    assert!(Home::new(&config, "[dev]\n").files().put_aside("dev").is_err());
}

#[test]
fn what_is_no_key_to_move_is_refused_with_the_reason() {
    let file = |more: &str| format!("[dev]\n{}{more}", keys());
    assert!(Home::new("", &file("aws_session_token = CANARY\n")).refused("dev").contains("temporary"));
    assert!(Home::new("", &file("role_arn = x\n")).refused("dev").contains("role_arn beside the key"));
    assert!(Home::new("", "[dev]\nregion = x\n").refused("dev").contains("has no access key in"));
    assert!(
        Home::new("", &format!("[dev]\naws_access_key_id = {KEY}\n"))
            .refused("dev")
            .contains("no aws_secret_access_key")
    );
    let two = Home::new(
        "[profile dev]\naws_access_key_id = AKIAANOTHERANOTHER12\naws_secret_access_key = CANARY\n",
        &file(""),
    );
    assert!(two.refused("dev").contains("another access key in"));
    let hostile = Home::new("", "[de\u{1b}v]\nx = 1\n").refused("de\u{1b}v");
    assert!(!hostile.contains('\u{1b}'));
    for profile in ["dev", "nobody"] {
        assert!(!Home::new("", &file("aws_session_token = CANARY\n")).refused(profile).contains("CANARY"));
    }
}

#[test]
fn sections_with_the_same_key_are_named() {
    let home = Home::new(&format!("[profile twin]\n{}", keys()), &format!("[dev]\n{}[default]\n{}", keys(), keys()));
    let also = home.files().find("dev").unwrap().also_in;
    assert!(
        also.len() == 2 && also[0].starts_with("[default] of ") && also[1].starts_with("[profile twin] of "),
        "{also:?}"
    );
}
