use super::super::{ConfigFile, Section, SectionKind};
use super::*;
use crate::failure::Failure;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;

/// A home with a place for backups.
struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn config(&self) -> PathBuf {
        self.0.path().join(".aws/config")
    }

    fn with(text: &str) -> Self {
        let home = Self::new();
        fs::create_dir(home.0.path().join(".aws")).unwrap();
        fs::write(home.config(), text).unwrap();
        home
    }

    fn backups(&self) -> Backups {
        Backups::below(self.0.path())
    }

    fn change(&self) -> Change {
        let section = Section::new(SectionKind::Profile, "dev").with("region", "us-east-1");
        ConfigFile::read(&self.config()).unwrap().with_generated(&[section]).unwrap()
    }

    fn text(&self) -> String {
        fs::read_to_string(self.config()).unwrap()
    }

    fn entries(&self) -> Vec<String> {
        let entries = fs::read_dir(self.0.path().join(".aws")).unwrap().flatten();
        entries.map(|entry| entry.file_name().into_string().unwrap()).collect()
    }
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().mode() & 0o7777
}

fn refusal<T>(result: Result<T, Failure>) -> String {
    let Err(failure) = result else { panic!("it was not refused") };
    failure.line().unwrap()
}

#[test]
fn a_file_that_was_not_there_is_made_for_its_person_alone() {
    let home = Home::new();
    let written = home.change().write(&home.backups()).unwrap();
    assert!(home.text().contains("[profile dev]"));
    assert_eq!((mode(&home.config()), mode(home.config().parent().unwrap())), (0o600, 0o700));
    assert_eq!(mode(&written.backup.unwrap()), 0o600);
    assert_eq!(home.entries(), ["config"]);
}

#[test]
fn a_file_keeps_its_mode() {
    let home = Home::with("[default]\n");
    for kept in [0o600, 0o640, 0o644, 0o660] {
        set_mode(&home.config(), kept);
        let change = ConfigFile::read(&home.config()).unwrap();
        let section = Section::new(SectionKind::Profile, format!("p{kept}"));
        change.with_generated(&[section]).unwrap().write(&home.backups()).unwrap();
        assert_eq!(mode(&home.config()), kept);
    }
}

#[test]
fn a_link_stays_a_link_and_what_it_leads_to_is_written() {
    let home = Home::with("[default]\n");
    let dotfiles = home.0.path().join("dotfiles");
    fs::create_dir(&dotfiles).unwrap();
    fs::rename(home.config(), dotfiles.join("aws-config")).unwrap();
    symlink("../dotfiles/link", home.config()).unwrap();
    symlink("aws-config", dotfiles.join("link")).unwrap();
    home.change().write(&home.backups()).unwrap();
    assert!(home.config().is_symlink() && dotfiles.join("link").is_symlink());
    assert!(fs::read_to_string(dotfiles.join("aws-config")).unwrap().contains("[profile dev]"));
}

#[test]
fn a_link_to_a_file_that_is_not_there_yet_is_followed_too() {
    let home = Home::with("");
    fs::remove_file(home.config()).unwrap();
    symlink("../dotfiles/config", home.config()).unwrap();
    home.change().write(&home.backups()).unwrap();
    assert!(home.config().is_symlink() && home.text().contains("[profile dev]"));
}

#[test]
fn a_link_that_leads_nowhere_is_one_line() {
    let home = Home::with("");
    fs::remove_file(home.config()).unwrap();
    symlink("config", home.config()).unwrap();
    assert!(refusal(ConfigFile::read(&home.config())).starts_with("tegata: cannot read "));
}

#[test]
fn a_file_that_changed_since_it_was_read_is_left_as_it_is() {
    let home = Home::with("[default]\n");
    let change = home.change();
    fs::write(home.config(), "[default]\nregion = mine\n").unwrap();
    assert!(refusal(change.write(&home.backups())).contains("was changed by somebody else meanwhile"));
    assert_eq!(home.text(), "[default]\nregion = mine\n");
    let home = Home::new();
    let change = home.change();
    fs::create_dir(home.config().parent().unwrap()).unwrap();
    fs::write(home.config(), "").unwrap();
    assert!(refusal(change.write(&home.backups())).contains("was changed"), "also where there was no file");
    assert_eq!(home.text(), "");
}

#[test]
fn a_read_only_file_is_left_as_it_is_with_what_mends_it() {
    let home = Home::with("[default]\n");
    set_mode(&home.config(), 0o444);
    let refused = refusal(home.change().write(&home.backups()));
    let config = home.config();
    assert_eq!(
        refused,
        format!("tegata: {0}: is read-only, so it is left as it is; run: chmod u+w {0}", config.display())
    );
    assert_eq!((home.text().as_str(), home.entries().len()), ("[default]\n", 1));
}

#[test]
fn h7_what_is_no_file_or_somebody_else_s_is_never_written() {
    let home = Home::with("");
    fs::remove_file(home.config()).unwrap();
    fs::create_dir(home.config()).unwrap();
    assert!(refusal(ConfigFile::read(&home.config())).contains("is not a file"));
    let fifo = home.0.path().join("fifo");
    let fifo_type = rustix::fs::FileType::Fifo;
    rustix::fs::mknodat(rustix::fs::CWD, &fifo, fifo_type, rustix::fs::Mode::RUSR, 0).unwrap();
    assert!(refusal(ConfigFile::read(&fifo)).contains("is not a file"));
    if rustix::process::geteuid().is_root() {
        let home = Home::with("[default]\n");
        std::os::unix::fs::chown(home.config(), Some(65_534), None).unwrap();
        assert!(refusal(home.change().write(&home.backups())).contains("belongs to uid 65534"));
        assert_eq!(home.text(), "[default]\n");
    }
}

#[test]
fn a_directory_that_cannot_be_written_to_leaves_file_and_directory_as_they_are() {
    let home = Home::with("[default]\n");
    // A directory in place of the file beside it makes the write fail for everybody, root included.
    fs::create_dir(home.0.path().join(format!(".aws/.config.tegata-{}", std::process::id()))).unwrap();
    let refused = refusal(home.change().write(&home.backups()));
    assert!(refused.contains("cannot write") && refused.contains("which is unchanged"), "{refused}");
    assert_eq!(home.text(), "[default]\n");
    let backups = fs::read_dir(home.0.path().join("state/tegata/backups")).unwrap().flatten();
    assert_eq!(backups.filter(|entry| entry.file_name() != "lock").count(), 0, "no backup of what never happened");
}

#[test]
fn nothing_to_change_writes_nothing() {
    let home = Home::with("[default]\n");
    home.change().write(&home.backups()).unwrap();
    let (before, again) = (home.config().metadata().unwrap().ino(), home.change());
    assert!(again.is_empty() && again.diff().is_empty());
    assert_eq!(again.write(&home.backups()).unwrap().backup, None);
    assert_eq!(home.config().metadata().unwrap().ino(), before);
}

#[test]
fn two_at_once_cannot_both_write() {
    let home = Home::new();
    let held = home.backups();
    let environment =
        crate::environment::Environment::of(&[("XDG_STATE_HOME", home.0.path().join("state").to_str().unwrap())]);
    assert!(refusal(Backups::hold(&environment)).contains("another tegata setup is under way"));
    drop(held);
    assert!(Backups::hold(&environment).is_ok());
}
