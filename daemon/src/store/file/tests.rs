use super::key::{Cost, FileKey};
use super::{Bytes, Files, Key, NONCE_BYTES, Records, StoreError};
use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use tegata_protocol::Secret;
use tempfile::TempDir;

const PASSPHRASE: &str = "correct horse battery staple";

fn key() -> Key {
    Key::new("sign-in", "corp")
}

fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned())
}

struct Home(TempDir);

impl Home {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn directory(&self) -> PathBuf {
        self.0.path().join("records")
    }

    fn record(&self) -> PathBuf {
        self.directory().join(format!("{}.sealed", key().as_str()))
    }

    fn key_file(&self) -> FileKey {
        let path = self.0.path().join("key");
        if !path.exists() {
            fs::write(&path, [7; 32]).unwrap();
            set_mode(&path, 0o600);
        }
        FileKey::KeyFile(path)
    }

    fn with_key_file(&self) -> Files {
        Files::new(self.directory(), self.key_file())
    }

    fn with_passphrase(&self) -> Files {
        Files::with_cost(self.directory(), FileKey::Passphrase, Cost::LEAST)
    }

    /// Holds one record, sealed with the key file.
    fn holding(bytes: &[u8]) -> (Self, Files) {
        let home = Self::new();
        let mut files = home.with_key_file();
        files.write(&key(), bytes).unwrap();
        (home, files)
    }
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn denial(result: Result<Option<Bytes>, StoreError>) -> String {
    match result {
        Err(error @ StoreError::Denied { .. }) => error.to_string(),
        other => panic!("{other:?} is no denial"),
    }
}

#[test]
fn reads_back_what_was_written_in_another_life() {
    let (home, mut files) = Home::holding(b"tokens");
    assert_eq!(files.read(&key()), Ok(Some(Bytes::new(b"tokens".to_vec()))));
    assert_eq!(home.with_key_file().read(&key()), Ok(Some(Bytes::new(b"tokens".to_vec()))));
    files.delete(&key()).unwrap();
    files.delete(&key()).unwrap();
    assert_eq!(home.with_key_file().read(&key()), Ok(None));
}

#[test]
fn i9_files_are_the_users_alone_and_hold_no_plaintext() {
    let (home, _) = Home::holding(b"CANARY-REFRESH-TOKEN");
    assert_eq!(mode(&home.directory()), 0o700);
    for file in fs::read_dir(home.directory()).unwrap() {
        let path = file.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{path:?}");
        let content = fs::read(&path).unwrap();
        assert!(!content.windows(6).any(|window| window == b"CANARY"), "{path:?}");
    }
}

#[test]
fn i9_no_nonce_comes_twice() {
    let (_home, mut files) = Home::holding(b"tokens");
    let (_, cipher) = files.unsealed().unwrap();
    let nonces = (0..20_000).map(|_| cipher.seal("x", b"").unwrap()[super::MAGIC.len() + 1..][..NONCE_BYTES].to_vec());
    assert_eq!(nonces.collect::<HashSet<_>>().len(), 20_000);
}

#[test]
fn i9_links_are_not_followed() {
    let (home, mut files) = Home::holding(b"tokens");
    let elsewhere = home.0.path().join("elsewhere");
    fs::rename(home.record(), &elsewhere).unwrap();
    symlink(&elsewhere, home.record()).unwrap();
    denial(files.read(&key()));
    let directory = home.directory();
    fs::rename(&directory, home.0.path().join("moved")).unwrap();
    symlink(home.0.path().join("moved"), &directory).unwrap();
    denial(home.with_key_file().read(&key()));
}

#[test]
fn i9_a_writing_replaces_a_link_and_leaves_its_target_alone() {
    let (home, mut files) = Home::holding(b"tokens");
    let victim = home.0.path().join("victim");
    fs::write(&victim, "untouched").unwrap();
    for link in [home.record(), home.directory().join(format!(".{}.sealed.tmp", key().as_str()))] {
        let _ = fs::remove_file(&link);
        symlink(&victim, &link).unwrap();
    }
    files.write(&key(), b"new").unwrap();
    assert_eq!(fs::read(&victim).unwrap(), b"untouched");
    assert_eq!(files.read(&key()), Ok(Some(Bytes::new(b"new".to_vec()))));
}

#[test]
fn i9_what_others_may_reach_is_refused_with_the_command_that_mends_it() {
    let (home, mut files) = Home::holding(b"tokens");
    set_mode(&home.record(), 0o640);
    assert!(denial(files.read(&key())).contains("chmod go= "));
    set_mode(&home.record(), 0o600);
    set_mode(&home.directory(), 0o750);
    assert!(denial(files.read(&key())).contains("chmod go= "));
    set_mode(&home.directory(), 0o700);
    let FileKey::KeyFile(key_file) = home.key_file() else { unreachable!() };
    set_mode(&key_file, 0o644);
    assert!(denial(home.with_key_file().read(&key())).contains("chmod go= "));
}

#[test]
fn i9_twin_mended_it_is_served_again() {
    let (home, mut files) = Home::holding(b"tokens");
    set_mode(&home.directory(), 0o750);
    denial(files.read(&key()));
    set_mode(&home.directory(), 0o700);
    assert!(files.read(&key()).unwrap().is_some());
}

#[test]
fn a_fifo_in_the_place_of_a_record_blocks_nobody() {
    let (home, mut files) = Home::holding(b"tokens");
    fs::remove_file(home.record()).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        home.record(),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
        0,
    )
    .unwrap();
    assert!(denial(files.read(&key())).contains("is not a file"));
}

#[test]
fn i6_a_damaged_file_is_set_aside_and_a_new_one_can_be_written() {
    let damages: [fn(Vec<u8>) -> Vec<u8>; 5] = [
        |file| [&file[..file.len() - 1], &[!file[file.len() - 1]]].concat(),
        |file| file[..file.len() / 2].to_vec(),
        |_| Vec::new(),
        |mut file| {
            file[super::MAGIC.len()] = 9;
            file
        },
        |file| [file, vec![0; 2 * super::MAX_RECORD_BYTES]].concat(),
    ];
    for (number, damage) in damages.into_iter().enumerate() {
        let (home, mut files) = Home::holding(b"tokens");
        let damaged = damage(fs::read(home.record()).unwrap());
        fs::write(home.record(), &damaged).unwrap();
        assert!(matches!(files.read(&key()), Err(StoreError::Damaged { .. })), "damage {number}");
        let kept = home.directory().join(format!("{}.damaged", key().as_str()));
        assert_eq!(fs::read(&kept).unwrap(), damaged);
        assert_eq!(files.read(&key()), Ok(None));
        files.write(&key(), b"fresh").unwrap();
        assert_eq!(files.read(&key()), Ok(Some(Bytes::new(b"fresh".to_vec()))));
        files.delete(&key()).unwrap();
        assert!(!kept.exists());
    }
}

#[test]
fn i6_a_record_under_another_records_name_is_damage() {
    let (home, mut files) = Home::holding(b"tokens");
    let other = Key::new("sign-in", "other");
    fs::copy(home.record(), home.directory().join(format!("{}.sealed", other.as_str()))).unwrap();
    assert!(matches!(files.read(&other), Err(StoreError::Damaged { .. })));
    assert!(files.read(&key()).unwrap().is_some());
}

#[test]
fn i3_before_the_passphrase_came_it_is_locked_and_nothing_is_written() {
    let home = Home::new();
    let mut files = home.with_passphrase();
    assert_eq!(files.write(&key(), b"tokens"), Err(StoreError::Locked));
    assert_eq!(files.probe(), Err(StoreError::Locked));
    assert_eq!(fs::read_dir(home.directory()).unwrap().count(), 0);
}

#[test]
fn i3_twin_with_the_passphrase_it_is_unlocked_until_it_is_locked() {
    let home = Home::new();
    let mut files = home.with_passphrase();
    files.unlock(Some(&secret(PASSPHRASE))).unwrap();
    files.write(&key(), b"tokens").unwrap();
    let mut restarted = home.with_passphrase();
    assert_eq!(restarted.read(&key()), Err(StoreError::Locked));
    restarted.unlock(Some(&secret(PASSPHRASE))).unwrap();
    assert_eq!(restarted.read(&key()), Ok(Some(Bytes::new(b"tokens".to_vec()))));
    restarted.lock();
    assert_eq!(restarted.read(&key()), Err(StoreError::Locked));
}

#[test]
fn i4_a_wrong_passphrase_is_denied_and_overwrites_nothing() {
    let home = Home::new();
    let mut files = home.with_passphrase();
    files.unlock(Some(&secret(PASSPHRASE))).unwrap();
    files.write(&key(), b"tokens").unwrap();
    let before: Vec<_> = ["parameters.json", home.record().file_name().unwrap().to_str().unwrap()]
        .map(|name| (home.directory().join(name), fs::read(home.directory().join(name)).unwrap()))
        .into();
    let mut restarted = home.with_passphrase();
    let denied = StoreError::Denied { detail: String::from("the passphrase is wrong") };
    assert_eq!(restarted.unlock(Some(&secret("another passphrase"))), Err(denied));
    assert_eq!(restarted.write(&key(), b"overwritten"), Err(StoreError::Locked));
    for (path, content) in before {
        assert_eq!(fs::read(path).unwrap(), content);
    }
    restarted.unlock(Some(&secret(PASSPHRASE))).unwrap();
    assert_eq!(restarted.read(&key()), Ok(Some(Bytes::new(b"tokens".to_vec()))));
}

#[test]
fn i4_another_key_file_or_kind_of_key_is_denied() {
    let (home, _) = Home::holding(b"tokens");
    assert!(matches!(home.with_passphrase().unlock(Some(&secret(PASSPHRASE))), Err(StoreError::Denied { .. })));
    let FileKey::KeyFile(path) = home.key_file() else { unreachable!() };
    fs::write(&path, [8; 32]).unwrap();
    assert!(denial(home.with_key_file().read(&key())).contains("not the one"));
    fs::write(&path, [7; 31]).unwrap();
    assert!(denial(home.with_key_file().read(&key())).contains("32"));
}

#[test]
fn parameters_are_never_made_anew_beside_records() {
    let (home, _) = Home::holding(b"tokens");
    for damage in
        [None, Some("{}"), Some(r#"{"version":1,"key":"argon2id","memory_kib":4294967295,"passes":1,"lanes":1}"#)]
    {
        let parameters = home.directory().join("parameters.json");
        match damage {
            Some(text) => fs::write(&parameters, text).unwrap(),
            None => fs::remove_file(&parameters).unwrap(),
        }
        set_mode(&home.record(), 0o600);
        if parameters.exists() {
            set_mode(&parameters, 0o600);
        }
        let error = home.with_key_file().write(&key(), b"overwritten").unwrap_err();
        assert!(error.to_string().contains("restore it"), "{error}");
    }
    assert!(home.record().exists());
}

#[test]
fn a_cost_that_would_use_up_the_machine_is_not_paid() {
    let home = Home::new();
    let mut files = home.with_passphrase();
    files.unlock(Some(&secret(PASSPHRASE))).unwrap();
    let parameters = home.directory().join("parameters.json");
    let text = fs::read_to_string(&parameters).unwrap();
    assert!(text.contains(r#""memory_kib":8"#), "{text}");
    fs::write(&parameters, text.replace(r#""memory_kib":8"#, r#""memory_kib":4000000000"#)).unwrap();
    assert!(matches!(home.with_passphrase().unlock(Some(&secret(PASSPHRASE))), Err(StoreError::Denied { .. })));
}

#[test]
fn the_cost_is_the_recommended_one() {
    let text = serde_json::to_string(&Cost::default()).unwrap();
    assert_eq!(text, r#"{"memory_kib":65536,"passes":3,"lanes":1}"#);
}

#[test]
fn i2_a_writing_that_fails_leaves_the_old_record() {
    let (home, mut files) = Home::holding(b"old");
    // A temporary file that cannot be made: a directory of its name is in the way, not empty, so it cannot be removed either.
    let blocker = home.directory().join(format!(".{}.sealed.tmp", key().as_str()));
    fs::create_dir_all(blocker.join("inside")).unwrap();
    assert!(files.write(&key(), b"new").is_err());
    assert_eq!(files.read(&key()), Ok(Some(Bytes::new(b"old".to_vec()))));
}

#[test]
fn debug_shows_no_key() {
    let (_home, mut files) = Home::holding(b"CANARY");
    files.read(&key()).unwrap();
    let shown = format!("{files:?}");
    assert!(shown.contains("[redacted]") && !shown.contains("CANARY"), "{shown}");
}
