use super::*;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use tempfile::TempDir;

const RULE: &str = "[[rule]]\nname = 'org'\nrole = '*Admin*'\napprovals = 2\n";

/// A directory as `/etc/tegata` is, owned by whoever runs the test in root's place.
struct Place {
    root: TempDir,
}

impl Place {
    fn new() -> Self {
        let place = Self { root: tempfile::tempdir().unwrap() };
        fs::create_dir(place.directory()).unwrap();
        set_mode(&place.directory(), 0o755);
        place
    }

    fn with(text: &str) -> Self {
        let place = Self::new();
        fs::write(place.file(), text).unwrap();
        set_mode(&place.file(), 0o644);
        place
    }

    fn directory(&self) -> PathBuf {
        self.root.path().join("tegata")
    }

    fn file(&self) -> PathBuf {
        self.directory().join("policy.toml")
    }

    fn load(&self) -> Result<Vec<Rule>, String> {
        load_of(&self.file(), owner()).map_err(|error| error.to_string())
    }

    /// Returns what is wrong, which is told in one line that names the file.
    fn refused(&self) -> String {
        let message = self.load().unwrap_err();
        assert_eq!(message.lines().count(), 1, "{message}");
        let detail = message.strip_prefix(&format!("{}: ", self.file().display()));
        detail.unwrap_or_else(|| panic!("{message}")).to_owned()
    }
}

fn owner() -> u32 {
    rustix::process::getuid().as_raw()
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn its_rules_are_read_and_where_there_is_none_there_are_none() {
    let rules = Place::with(RULE).load().unwrap();
    assert_eq!(rules.iter().map(|rule| rule.name.as_str()).collect::<Vec<_>>(), ["org"]);
    assert_eq!(Place::with("").load(), Ok(Vec::new()));
    assert_eq!(Place::new().load(), Ok(Vec::new()));
    let nothing = tempfile::tempdir().unwrap();
    assert_eq!(load_of(&nothing.path().join("tegata/policy.toml"), owner()).unwrap(), []);
}

#[test]
fn h7_a_policy_that_others_can_write_stops_the_daemon() {
    for mode in [0o664, 0o646, 0o666] {
        let place = Place::with(RULE);
        set_mode(&place.file(), mode);
        assert_eq!(place.refused(), "can be written by others; chmod go-w");
    }
    for (text, mode) in [(Some(RULE), 0o775), (Some(RULE), 0o757), (None, 0o777)] {
        let place = text.map_or_else(Place::new, Place::with);
        set_mode(&place.directory(), mode);
        assert_eq!(place.refused(), "its directory can be written by others; chmod go-w");
    }
}

#[test]
fn h7_a_policy_of_another_user_stops_the_daemon() {
    let other = owner() + 1;
    for place in [Place::with(RULE), Place::new()] {
        let refused = load_of(&place.file(), other).unwrap_err().to_string();
        assert!(
            refused.ends_with(&format!("its directory belongs to uid {} and has to belong to uid {other}", owner())),
            "{refused}"
        );
    }
    let place = Place::with(RULE);
    let stat = rustix::fs::lstat(place.file()).unwrap();
    assert!(believe(&stat, other, FileType::RegularFile).unwrap_err().starts_with("belongs to uid"));
}

#[test]
fn h7_twin_a_policy_of_the_owner_that_only_he_can_write_is_read() {
    for mode in [0o600, 0o644, 0o444, 0o755] {
        let place = Place::with(RULE);
        set_mode(&place.file(), mode);
        assert_eq!(place.load().unwrap().len(), 1, "{mode:o}");
    }
}

#[test]
fn what_is_no_regular_file_in_a_real_directory_stops_the_daemon() {
    let place = Place::new();
    symlink("/dev/null", place.file()).unwrap();
    assert_eq!(place.refused(), "is no regular file");
    let place = Place::new();
    fs::create_dir(place.file()).unwrap();
    assert_eq!(place.refused(), "is no regular file");
    let place = Place::with(RULE);
    fs::rename(place.directory(), place.root.path().join("real")).unwrap();
    symlink("real", place.directory()).unwrap();
    assert_eq!(place.refused(), "its directory is no directory");
}

#[test]
fn what_cannot_be_understood_stops_the_daemon() {
    for (text, said) in [
        ("[[rule]]\nrole = 'x'\nwindow = '1d'\n", "line 3: window: a window is from 1m to 12h, such as 15m"),
        ("[[rules]]\n", "line 1: Tegata does not know \"rules\"; nearest: rule"),
        ("store = 'memory'\n", "line 1: Tegata does not know \"store\"; it reads rule"),
        (
            "[[rule]]\nname = 'x'\n",
            "line 1: rule \"x\": matches nothing; name account, role, session, source or profile",
        ),
    ] {
        assert_eq!(Place::with(text).refused(), said);
    }
    let place = Place::new();
    fs::write(place.file(), [0xff]).unwrap();
    assert_eq!(place.refused(), "is not UTF-8");
    fs::File::create(place.file()).unwrap().set_len(2 * 1024 * 1024).unwrap();
    assert_eq!(place.refused(), "larger than the 1024 KiB that are read");
}

#[test]
fn it_can_only_tighten() {
    let place = Place::with("[[rule]]\nname = 'x'\nrole = 'SandboxAdmin'\ngate = 'none'\n");
    assert_eq!(
        place.refused(),
        "rule \"x\": gate = \"none\" has no place here; the organisation's rules can only tighten"
    );
}

#[test]
fn a_file_that_it_names_is_held_against_the_same() {
    let place = Place::new();
    let policy = place.directory().join("read-only.json");
    fs::write(&policy, "{\"Statement\":[]}").unwrap();
    fs::write(place.file(), format!("[[rule]]\nrole = 'x'\nsession_policy = '{}'\n", policy.display())).unwrap();
    assert_eq!(place.load().unwrap().len(), 1);
    set_mode(&policy, 0o666);
    assert!(place.refused().ends_with("can be written by others; chmod go-w"));
    fs::remove_file(&policy).unwrap();
    assert!(place.refused().ends_with("no such file"));
}

#[test]
fn the_machine_s_own_place_is_root_s() {
    assert_eq!(POLICY_FILE, "/etc/tegata/policy.toml");
    let place = Place::with(RULE);
    let read = load_organisation(&place.file()).ok().map(|rules| rules.len());
    assert_eq!(read, (owner() == 0).then_some(1));
}
