//! A daemon of somebody else's at another socket, and a shell whose variables lead there (security.md K9, and A8 from the other side).
//!
//! A fake daemon of the same user is beyond tier prompt: whoever can start it can read the keyring.
#![cfg(feature = "root")]
#![allow(clippy::unwrap_used, reason = "this is a test")]

use rustix::process::Uid;
use std::fs;
use std::io::Read;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::net::UnixListener;
use std::sync::{Arc, Mutex};
use tegata_tests::gated::gated;
use tegata_tests::product::{Ended, Product, run};
use tempfile::TempDir;

const NOBODY: u32 = 65534;

/// Somebody else's listener, and what it was told.
struct Fake {
    place: TempDir,
    heard: Arc<Mutex<Vec<u8>>>,
}

impl Fake {
    /// Listens as `uid` at the socket of another runtime directory, which looks as if it were the user's own.
    fn of(uid: u32) -> Self {
        let place = tempfile::tempdir().unwrap();
        let (runtime, directory) = (place.path().join("run"), place.path().join("run/tegata"));
        fs::create_dir_all(&directory).unwrap();
        for (path, mode) in [(place.path(), 0o755), (&runtime, 0o755), (&directory, 0o1777)] {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        }
        let socket = directory.join("tegata.sock");
        // Who listens is who called listen(2) (unix(7), SO_PEERCRED): a thread with that user's credentials.
        let listener = std::thread::scope(|scope| {
            let listen = || {
                let user = Uid::from_raw(uid);
                rustix::thread::set_thread_res_uid(user, user, user).unwrap();
                UnixListener::bind(&socket).unwrap()
            };
            scope.spawn(listen).join().unwrap()
        });
        chown(&socket, Some(0), Some(0)).unwrap();
        for (path, mode) in [(&runtime, 0o700), (&directory, 0o700), (&socket, 0o600)] {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        }
        let heard = Arc::<Mutex<Vec<u8>>>::default();
        let hears = Arc::clone(&heard);
        std::thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                let mut bytes = [0; 4096];
                if let Ok(read) = stream.read(&mut bytes) {
                    hears.lock().unwrap().extend_from_slice(&bytes[..read]);
                }
            }
        });
        Self { place, heard }
    }

    fn lures(&self, product: &Product, arguments: &[&str]) -> Ended {
        run(product.tegata(arguments).env("XDG_RUNTIME_DIR", self.place.path().join("run")))
    }
}

#[test]
fn k9_a_daemon_of_another_user_s_is_told_nothing_wherever_the_variables_lead() {
    let (product, _hand) = gated(Product::new());
    let fake = Fake::of(NOBODY);
    for arguments in [
        &["credential-process", "--profile", "admin"][..],
        &["elevate", "admin", "--reason", "INC-42", "--print"],
        &["login", "corp", "--print"],
        &["status"],
    ] {
        let ended = fake.lures(&product, arguments);
        assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.lines().count()), (16, "", 1), "{ended:?}");
        assert!(ended.stderr.contains("runs as uid 65534, you are uid 0"), "{ended:?}");
    }
    assert!(fake.heard.lock().unwrap().is_empty());
}

#[test]
fn k9_twin_a_daemon_of_one_s_own_is_asked_and_one_of_the_same_user_is_believed() {
    let (product, _hand) = gated(Product::new());
    assert_eq!(product.run(&["status"]).code, 0);
    let fake = Fake::of(0);
    assert_ne!(fake.lures(&product, &["credential-process", "--profile", "admin"]).code, 0);
    assert!(
        String::from_utf8_lossy(&fake.heard.lock().unwrap()).contains("profile=admin"),
        "what tier prompt does not stop"
    );
}
