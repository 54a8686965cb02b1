use super::super::{ConfigFile, Section, SectionKind};
use super::*;
use crate::aws_config::odd::Dice;
use std::os::unix::fs::symlink;

struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn config(&self) -> PathBuf {
        self.0.path().join("aws/config")
    }

    fn with(bytes: &[u8]) -> Self {
        let home = Self::new();
        fs::create_dir(home.0.path().join("aws")).unwrap();
        fs::write(home.config(), bytes).unwrap();
        home
    }

    fn backups(&self) -> Backups {
        Backups::below(self.0.path())
    }

    fn write(&self, name: &str) {
        let section = Section::new(SectionKind::Profile, name).with("region", "us-east-1");
        let change = ConfigFile::read(&self.config()).unwrap().with_generated(&[section]).unwrap();
        change.write(&self.backups()).unwrap();
    }

    fn undo(&self) -> Result<Option<PathBuf>, Failure> {
        let backups = self.backups();
        backups.undo(&self.config(), false)?.write(&backups)
    }

    fn bytes(&self) -> Vec<u8> {
        fs::read(self.config()).unwrap()
    }

    fn kept(&self) -> usize {
        let entries = fs::read_dir(self.0.path().join("state/tegata/backups")).unwrap().flatten();
        entries.filter(|entry| entry.file_name() != "lock").count()
    }
}

fn refusal<T>(result: Result<T, Failure>) -> String {
    let Err(failure) = result else { panic!("it was not refused") };
    failure.line().unwrap()
}

#[test]
fn undo_restores_byte_for_byte() {
    let odd = (0..100).map(|seed| Dice(seed).odd_file());
    for before in odd.chain([Vec::new(), b"\n\n\n".to_vec(), b"# \xff\xfe no end".to_vec()]) {
        let home = Home::with(&before);
        home.write("dev");
        assert_ne!(home.bytes(), before);
        assert_eq!(home.undo().unwrap(), None);
        assert_eq!(home.bytes(), before);
    }
}

#[test]
fn undo_of_the_first_write_takes_the_file_away_and_the_directory_made_for_it() {
    let home = Home::new();
    home.write("dev");
    home.undo().unwrap();
    assert!(!home.config().exists() && !home.config().parent().unwrap().exists());
    let home = Home::new();
    home.write("dev");
    fs::write(home.0.path().join("aws/credentials"), "").unwrap();
    home.undo().unwrap();
    assert!(!home.config().exists() && home.0.path().join("aws/credentials").exists());
}

#[test]
fn undo_goes_back_step_by_step_newest_first() {
    let home = Home::with(b"[default]\n");
    home.write("one");
    let one = home.bytes();
    home.write("two");
    home.undo().unwrap();
    assert_eq!(home.bytes(), one);
    home.undo().unwrap();
    assert_eq!(home.bytes(), b"[default]\n");
    assert!(refusal(home.undo()).contains("there is nothing to undo"));
}

#[test]
fn an_edited_file_is_not_undone_unless_its_edits_are_given_up() {
    let home = Home::with(b"[default]\n");
    home.write("dev");
    let edited = [home.bytes().as_slice(), b"[profile mine]\n"].concat();
    fs::write(home.config(), &edited).unwrap();
    let refused = refusal(home.undo());
    assert!(refused.contains("was edited since") && refused.ends_with("run: tegata setup --undo --force"), "{refused}");
    assert_eq!(home.bytes(), edited);
    let backups = home.backups();
    let undo = backups.undo(&home.config(), true).unwrap();
    assert!(undo.diff().contains("-[profile mine]"), "{}", undo.diff());
    let kept = undo.write(&backups).unwrap().expect("the edits are kept");
    assert_eq!((home.bytes().as_slice(), fs::read(kept).unwrap()), (&b"[default]\n"[..], edited));
}

#[test]
fn a_file_that_was_deleted_since_counts_as_edited() {
    let home = Home::with(b"[default]\n");
    home.write("dev");
    fs::remove_file(home.config()).unwrap();
    assert!(refusal(home.undo()).contains("was edited since"));
    let backups = home.backups();
    backups.undo(&home.config(), true).unwrap().write(&backups).unwrap();
    assert_eq!(home.bytes(), b"[default]\n");
}

#[test]
fn each_file_is_undone_by_itself_however_it_is_named() {
    let home = Home::with(b"[default]\n");
    home.write("dev");
    let other = home.0.path().join("other");
    fs::write(&other, "[profile o]\n").unwrap();
    let section = Section::new(SectionKind::Profile, "p");
    ConfigFile::read(&other).unwrap().with_generated(&[section]).unwrap().write(&home.backups()).unwrap();
    symlink("aws/config", home.0.path().join("link")).unwrap();
    let backups = home.backups();
    backups.undo(&home.0.path().join("link"), false).unwrap().write(&backups).unwrap();
    assert_eq!(home.bytes(), b"[default]\n");
    assert!(fs::read_to_string(&other).unwrap().contains("[profile p]"));
    assert!(home.0.path().join("link").is_symlink());
}

#[test]
fn a_backup_of_a_write_that_never_came_about_is_passed_over() {
    let home = Home::with(b"[default]\n");
    home.write("one");
    let one = home.bytes();
    home.write("two");
    // As if the machine had stopped between the backup and the write.
    fs::write(home.config(), &one).unwrap();
    home.undo().unwrap();
    assert_eq!(home.bytes(), b"[default]\n");
}

#[test]
fn a_backup_that_is_not_whole_is_none() {
    let home = Home::with(b"[default]\n");
    home.write("dev");
    let backup = home.0.path().join("state/tegata/backups/000001.backup");
    let whole = fs::read(&backup).unwrap();
    for broken in [&whole[..whole.len() - 1], &whole[..10], b"", b"{}\n"] {
        fs::write(&backup, broken).unwrap();
        assert!(refusal(home.undo()).contains("there is nothing to undo"));
    }
}

#[test]
fn backups_are_private_and_their_number_is_bounded() {
    let home = Home::with(b"[default]\naws_secret_access_key = canary\n");
    for number in 0..KEPT + 5 {
        home.write(&format!("p{number}"));
    }
    assert_eq!(home.kept(), KEPT);
    let directory = home.0.path().join("state/tegata/backups");
    assert_eq!(directory.metadata().unwrap().mode() & 0o777, 0o700);
    for entry in fs::read_dir(directory).unwrap().flatten() {
        assert_eq!(entry.metadata().unwrap().mode() & 0o777, 0o600, "{entry:?}");
    }
    for _ in 0..KEPT {
        home.undo().unwrap();
    }
    assert!(String::from_utf8(home.bytes()).unwrap().contains("[profile p4]"), "the oldest are forgotten");
}

#[test]
fn a12_a_directory_that_others_may_look_into_is_refused() {
    let home = Home::with(b"");
    home.write("dev");
    let directory = home.0.path().join("state/tegata/backups");
    fs::set_permissions(&directory, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let refused = refusal(Backups::at(directory.clone()));
    assert!(refused.ends_with(&format!("run: chmod 700 {}", directory.display())), "{refused}");
    let link = home.0.path().join("link");
    symlink(&directory, &link).unwrap();
    assert!(refusal(Backups::at(link)).contains("is not a directory of yours alone"));
}
