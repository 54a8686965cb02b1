use super::*;
use crate::clock::manual::ManualClock;
use crate::names::ProfileName;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::time::SystemTime;

struct Home {
    dir: tempfile::TempDir,
    clock: Arc<ManualClock>,
    files: ConfigFiles,
}

impl Home {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::at(SystemTime::UNIX_EPOCH));
        let files = ConfigFiles::new(dir.path().join("config"), clock.clone());
        Self { dir, clock, files }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path
    }

    fn settle(&self) {
        self.clock.advance(SETTLES_AFTER);
        self.files.load(None).unwrap();
    }

    fn load(&self) -> Result<Vec<String>, String> {
        let config = self.files.load(None).map_err(|error| error.to_string())?;
        Ok(config.profiles().map(|name| name.as_str().to_owned()).collect())
    }

    fn refusal(&self, path: &Path) -> String {
        self.files.load(Some(path)).unwrap_err().to_string()
    }
}

#[test]
fn a_file_that_did_not_change_is_read_once() {
    let home = Home::new();
    home.write("config", "[profile a]\n");
    home.load().unwrap();
    home.settle();
    let (first, second) = (home.files.load(None).unwrap(), home.files.load(None).unwrap());
    assert!(Arc::ptr_eq(&first, &second));
}

#[test]
fn what_the_settings_say_of_a_profile_holds_for_every_file() {
    let mut home = Home::new();
    let settings = crate::settings::Settings::parse("[profile.p]\nsource_identity = 'alice'\n").unwrap();
    home.files = home.files.with_extras(settings.extras_by_profile().clone());
    let text = "[sso-session corp]\nsso_start_url = https://d-1.awsapps.com/start\nsso_region = us-east-1\n\
                [profile p]\nsource_profile = p\nrole_arn = arn:aws:iam::123456789012:role/r\nsso_session = corp\n\
                sso_account_id = 123456789012\nsso_role_name = Dev\n";
    home.write("config", text);
    let other = home.write("other", text);
    for path in [None, Some(other.as_path())] {
        let profile = home.files.load(path).unwrap().resolve(&ProfileName::new("p").unwrap()).unwrap();
        assert_eq!(profile.chain.roles[0].source_identity.as_deref(), Some("alice"), "{path:?}");
    }
}

#[test]
fn a_file_is_read_again_until_its_times_can_tell_a_change() {
    let home = Home::new();
    home.write("config", "[profile a]\n");
    let first = home.files.load(None).unwrap();
    home.clock.advance(SETTLES_AFTER - Duration::from_millis(1));
    let second = home.files.load(None).unwrap();
    home.clock.advance(Duration::from_millis(1));
    let third = home.files.load(None).unwrap();
    assert!(!Arc::ptr_eq(&first, &second) && !Arc::ptr_eq(&second, &third));
    assert!(Arc::ptr_eq(&third, &home.files.load(None).unwrap()));
}

#[test]
fn a_change_is_followed_even_one_of_the_same_size_at_the_same_instant() {
    let home = Home::new();
    for name in ["a", "b", "c", "d", "e"] {
        home.write("config", &format!("[profile {name}]\n"));
        assert_eq!(home.load().unwrap(), [name]);
    }
}

#[test]
fn a_file_replaced_by_renaming_is_followed() {
    let home = Home::new();
    home.write("config", "[profile a]\n");
    home.load().unwrap();
    home.settle();
    let new = home.write("new", "[profile b]\n");
    fs::rename(new, home.path("config")).unwrap();
    assert_eq!(home.load().unwrap(), ["b"]);
}

#[test]
fn a_file_that_breaks_is_an_error_until_it_is_mended_and_nothing_stale_is_served() {
    let home = Home::new();
    home.write("config", "[profile a]\n");
    home.load().unwrap();
    home.settle();
    let path = home.write("config", "[profile a]\nx = \0\n");
    let error = home.load().unwrap_err();
    assert!(error.starts_with(&format!("{}: line 2: ", path.display())), "{error}");
    assert_eq!(home.load().unwrap_err(), error);
    let other = home.write("other", "[profile o]\n");
    assert!(home.files.load(Some(&other)).is_ok(), "another file is not affected");
    home.write("config", "[profile mended]\n");
    assert_eq!(home.load().unwrap(), ["mended"]);
    fs::remove_file(path).unwrap();
    assert!(home.load().unwrap_err().contains("no AWS config there"));
}

#[test]
fn a_missing_default_file_says_what_writes_one() {
    let home = Home::new();
    let path = home.path("config");
    let expected = format!(
        "{}: no AWS config there; `aws configure sso` writes one, AWS_CONFIG_FILE names another",
        path.display()
    );
    assert_eq!(home.load().unwrap_err(), expected);
    assert!(home.refusal(&home.path("none")).ends_with("none: no such file"));
}

#[test]
fn only_so_many_files_are_kept_and_the_one_unused_for_longest_is_forgotten() {
    let home = Home::new();
    let paths: Vec<_> = (0..=KEPT).map(|number| home.write(&format!("c{number}"), "[profile a]\n")).collect();
    for path in &paths {
        home.files.load(Some(path)).unwrap();
        home.files.load(Some(&paths[0])).unwrap();
    }
    let kept: Vec<_> = home.files.followed.lock().unwrap().iter().map(|file| file.path.clone()).collect();
    assert_eq!(kept.len(), KEPT);
    assert!(kept.contains(&paths[0]) && !kept.contains(&paths[1]));
}

#[test]
fn a_path_is_absolute_and_bounded() {
    let home = Home::new();
    assert!(home.refusal(Path::new("config")).contains("absolute"));
    assert!(home.refusal(Path::new(&format!("/{}", "x".repeat(MAX_PATH)))).contains("this long"));
    assert!(home.refusal(Path::new("/a\0b")).contains("NUL"));
    assert!(!home.refusal(&home.path("a\u{1b}[2J\n")).chars().any(char::is_control));
}

#[test]
fn h6_what_is_no_file_or_too_large_is_refused_in_one_line_at_once() {
    let home = Home::new();
    let (fifo, large) = (home.path("fifo"), home.path("large"));
    rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR, 0).unwrap();
    fs::File::create(&large).unwrap().set_len(50 * 1024 * 1024).unwrap();
    symlink("/dev/zero", home.path("zero")).unwrap();
    assert!(home.refusal(&fifo).ends_with("is a pipe, not a file"));
    assert!(home.refusal(&large).ends_with("larger than the 16384 KiB that are read"));
    assert!(home.refusal(&home.path("zero")).ends_with("is a device, not a file"));
    assert!(home.refusal(home.dir.path()).ends_with("is a directory, not a file"));
}

#[test]
fn h6_twin_a_linked_file_is_served_beside_them() {
    let home = Home::new();
    home.write("real", "[profile a]\n");
    symlink("real", home.path("config")).unwrap();
    assert_eq!(home.load().unwrap(), ["a"]);
}

#[test]
fn h7_a_file_that_others_can_write_is_warned_of() {
    let home = Home::new();
    let path = home.write("config", "[profile a]\n");
    for (mode, who) in [(0o620, "its group"), (0o602, "every user"), (0o666, "every user")] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let config = home.files.load(None).unwrap();
        assert!(config.warnings()[0].starts_with(&format!("the file can be written by {who}; chmod go-w")), "{mode:o}");
    }
}

#[test]
fn h7_a_link_to_a_file_of_another_user_is_warned_of() {
    let home = Home::new();
    let path = home.write("real", "[profile a]\n");
    symlink(&path, home.path("config")).unwrap();
    let mut stat = regular_file::stat(&path).unwrap();
    stat.st_uid = rustix::process::getuid().as_raw().wrapping_add(1);
    let expected = format!(
        "the file is a link to one that belongs to another user (uid {}), who decides what is in it",
        stat.st_uid
    );
    assert_eq!(oddities(&home.path("config"), &stat), [expected]);
}

#[test]
fn h7_twin_a_file_of_one_s_own_is_not_warned_of() {
    let home = Home::new();
    home.write("config", "[profile a]\n");
    assert!(home.files.load(None).unwrap().warnings().is_empty());
}

#[test]
fn many_callers_read_a_file_and_all_are_answered() {
    let home = Home::new();
    home.write("config", "[profile a]\n");
    let name = ProfileName::new("a").unwrap();
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| assert!(home.files.load(None).unwrap().resolve(&name).is_err()));
        }
    });
}
