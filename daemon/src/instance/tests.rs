use super::*;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::net::UnixStream;

fn own_uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// A home of its own for one test.
struct Home {
    root: tempfile::TempDir,
    places: Places,
}

impl Home {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        std::fs::create_dir(at("runtime")).unwrap();
        let places = Places {
            home: at("home"),
            runtime_dir: Some(at("runtime")),
            socket: at("runtime/tegata/tegata.sock"),
            state_dir: at("state/tegata"),
            config_toml: at("config.toml"),
            aws_config: at("home/.aws/config"),
        };
        Self { root, places }
    }

    /// Makes the socket's directory as an earlier run would have.
    fn with_socket_directory(self) -> Self {
        directory::for_socket(&self.places, own_uid()).unwrap();
        self
    }

    fn start(&self) -> Result<Start, InstanceError> {
        Instance::start(&self.places, None, own_uid())
    }

    fn first(&self) -> Instance {
        match self.start().unwrap() {
            Start::First(instance) => instance,
            Start::AlreadyRunning => panic!("somebody else runs in a home of this test's own"),
        }
    }

    /// The daemon, once callers can connect.
    fn serving(&self) -> (Instance, UnixListener) {
        let mut instance = self.first();
        let listener = instance.listen().unwrap().unwrap();
        (instance, listener)
    }
}

fn mode(path: &Path) -> u32 {
    std::fs::symlink_metadata(path).unwrap().mode() & 0o7777
}

fn chmod(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// Leaves a socket file nobody listens on, as a killed daemon does.
fn leave_stale_socket(path: &Path) {
    drop(UnixListener::bind(path).unwrap());
}

#[test]
fn a1_everything_made_here_is_private() {
    let home = Home::new();
    let _instance = home.first();
    assert_eq!(mode(&home.places.socket), 0o600);
    assert_eq!(mode(home.places.socket.parent().unwrap()), 0o700);
    assert_eq!(mode(&home.places.state_dir), 0o700);
    assert_eq!(mode(&home.places.state_dir.join(LOCK_FILE)), 0o600);
}

#[test]
fn a1_twin_the_user_can_connect() {
    let home = Home::new();
    let (mut instance, listener) = home.serving();
    UnixStream::connect(&home.places.socket).unwrap();
    listener.accept().unwrap();
    assert!(instance.listen().unwrap().is_none());
}

#[test]
fn a4_a_directory_of_somebody_else_is_refused() {
    let home = Home::new().with_socket_directory();
    let error = Instance::start(&home.places, None, own_uid() + 1).unwrap_err();
    assert!(matches!(error, InstanceError::Directory(DirectoryError::Foreign { .. })), "{error}");
    let parent = home.places.socket.parent().unwrap();
    assert!(matches!(directory::private(parent, own_uid() + 1), Err(DirectoryError::Foreign { .. })));
}

#[test]
fn a4_twin_a_directory_of_ones_own_is_used() {
    let home = Home::new().with_socket_directory();
    drop(home.first());
}

#[test]
fn a5_a_link_in_place_of_the_directory_is_refused() {
    let home = Home::new();
    let elsewhere = home.root.path().join("elsewhere");
    std::fs::create_dir(&elsewhere).unwrap();
    for target in [elsewhere.clone(), home.root.path().join("nowhere")] {
        let link = home.places.socket.parent().unwrap();
        symlink(&target, link).unwrap();
        let error = home.start().unwrap_err();
        assert!(matches!(error, InstanceError::Directory(DirectoryError::NotADirectory { .. })), "{error}");
        std::fs::remove_file(link).unwrap();
    }
    assert_eq!(std::fs::read_dir(&elsewhere).unwrap().count(), 0);
}

#[test]
fn a5_twin_a_directory_that_is_one_is_used() {
    let home = Home::new();
    std::fs::create_dir(home.places.socket.parent().unwrap()).unwrap();
    chmod(home.places.socket.parent().unwrap(), 0o700);
    drop(home.first());
}

#[test]
fn a6_a_directory_others_may_write_into_is_refused_and_left_as_it_is() {
    for loose in [0o770, 0o702, 0o777, 0o1777] {
        let home = Home::new().with_socket_directory();
        let directory = home.places.socket.parent().unwrap();
        chmod(directory, loose);
        let error = home.start().unwrap_err();
        assert!(matches!(error, InstanceError::Directory(DirectoryError::Shared { .. })), "{error}");
        assert!(error.to_string().contains("chmod 700"), "{error}");
        assert_eq!(mode(directory), loose);
    }
}

#[test]
fn a6_twin_a_directory_others_may_only_read_is_used() {
    let home = Home::new().with_socket_directory();
    chmod(home.places.socket.parent().unwrap(), 0o755);
    drop(home.first());
}

#[test]
fn a7_what_is_no_socket_is_refused_and_stays() {
    type Make = fn(&Path);
    let makers: [(&str, Make); 5] = [
        ("a symbolic link", |path| symlink("/tmp", path).unwrap()),
        ("a symbolic link", |path| symlink("/nowhere", path).unwrap()),
        ("a directory", |path| std::fs::create_dir(path).unwrap()),
        ("a file", |path| std::fs::write(path, "mine").unwrap()),
        ("a named pipe", |path| {
            rustix::fs::mknodat(rustix::fs::CWD, path, rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR, 0).unwrap();
        }),
    ];
    for (kind, make) in makers {
        let home = Home::new().with_socket_directory();
        make(&home.places.socket);
        let before = std::fs::symlink_metadata(&home.places.socket).unwrap().ino();
        let error = home.start().unwrap_err();
        assert!(
            matches!(&error, InstanceError::Socket(SocketError::NotASocket { found, .. }) if *found == kind),
            "{error}"
        );
        assert_eq!(std::fs::symlink_metadata(&home.places.socket).unwrap().ino(), before, "{kind}");
    }
}

#[test]
fn a7_twin_a_free_place_is_taken_and_given_back() {
    let home = Home::new().with_socket_directory();
    drop(home.first());
    assert!(!home.places.socket.exists());
    drop(home.first());
}

#[test]
fn a7_a_link_to_a_socket_is_not_followed() {
    let home = Home::new().with_socket_directory();
    let real = home.root.path().join("real.sock");
    leave_stale_socket(&real);
    symlink(&real, &home.places.socket).unwrap();
    assert!(home.start().is_err());
    assert!(real.exists());
}

#[test]
fn a8_a_socket_of_somebody_else_is_refused_and_stays() {
    let home = Home::new().with_socket_directory();
    leave_stale_socket(&home.places.socket);
    let error = socket::bind(&home.places.socket, own_uid() + 1).unwrap_err();
    assert!(matches!(error, SocketError::Foreign { .. }), "{error}");
    assert!(home.places.socket.exists());
}

#[test]
fn a9_a_stale_socket_is_replaced() {
    let home = Home::new().with_socket_directory();
    leave_stale_socket(&home.places.socket);
    let _serving = home.serving();
    UnixStream::connect(&home.places.socket).unwrap();
}

#[test]
fn nobody_can_connect_before_the_daemon_listens() {
    let home = Home::new();
    let _instance = home.first();
    assert_eq!(UnixStream::connect(&home.places.socket).unwrap_err().kind(), std::io::ErrorKind::ConnectionRefused);
}

#[test]
fn a9_twin_a_socket_somebody_of_the_same_user_listens_on_is_left_alone() {
    let home = Home::new().with_socket_directory();
    let other = UnixListener::bind(&home.places.socket).unwrap();
    assert!(matches!(home.start().unwrap(), Start::AlreadyRunning));
    drop(other);
}

#[test]
fn a10_of_daemons_that_start_together_exactly_one_serves_and_the_others_end_when_it_does() {
    for _ in 0..100 {
        let home = Home::new();
        let together = std::sync::Barrier::new(4);
        let starts: Vec<(Start, Option<UnixListener>)> = std::thread::scope(|scope| {
            let one = || {
                together.wait();
                let mut start = home.start().unwrap();
                let listener = match &mut start {
                    Start::First(instance) => instance.listen().unwrap(),
                    Start::AlreadyRunning => None,
                };
                UnixStream::connect(&home.places.socket).expect("whoever has started or yielded finds a daemon");
                (start, listener)
            };
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(one)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(starts.iter().filter(|(start, _)| matches!(start, Start::First(_))).count(), 1);
    }
}

#[test]
fn a10_twin_the_next_daemon_takes_over_once_the_first_has_ended() {
    let home = Home::new();
    let first = home.serving();
    assert!(matches!(home.start().unwrap(), Start::AlreadyRunning));
    drop(first);
    assert!(!home.places.socket.exists());
    drop(home.first());
}

#[test]
fn a10_a_second_daemon_waits_for_one_that_has_lost_its_socket_and_is_ending() {
    let home = Home::new();
    let first = home.first();
    std::fs::remove_file(&home.places.socket).unwrap();
    std::thread::scope(|scope| {
        let second = scope.spawn(|| home.start().unwrap());
        drop(first);
        assert!(matches!(second.join().unwrap(), Start::First(_)));
    });
}

#[tokio::test(start_paused = true)]
async fn a11_a_daemon_notices_that_its_socket_was_removed() {
    let home = Home::new();
    let instance = home.first();
    let watched = instance.socket().clone();
    let watch = tokio::spawn(async move { watched.lost().await });
    std::fs::remove_file(&home.places.socket).unwrap();
    watch.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a11_a_daemon_notices_that_its_socket_was_replaced_and_leaves_the_other_alone() {
    let home = Home::new();
    let instance = home.first();
    std::fs::rename(&home.places.socket, home.root.path().join("moved")).unwrap();
    let other = UnixListener::bind(&home.places.socket).unwrap();
    instance.socket().lost().await;
    drop(instance);
    assert!(home.places.socket.exists());
    drop(other);
}

#[tokio::test(start_paused = true)]
async fn a11_twin_a_socket_that_is_there_is_not_lost() {
    let home = Home::new();
    let instance = home.first();
    let waiting = tokio::time::timeout(Duration::from_secs(3600), instance.socket().lost());
    assert!(waiting.await.is_err());
}

#[test]
fn a12_a_runtime_directory_of_somebody_else_or_of_nobody_is_refused() {
    let home = Home::new();
    assert!(matches!(directory::for_socket(&home.places, own_uid() + 1), Err(DirectoryError::Foreign { .. })));
    std::fs::remove_dir(home.places.runtime_dir.as_ref().unwrap()).unwrap();
    let error = home.start().unwrap_err();
    assert!(matches!(error, InstanceError::Directory(DirectoryError::RuntimeMissing { .. })), "{error}");
}

#[test]
fn a12_twin_without_a_runtime_directory_the_missing_parents_are_made_private() {
    let mut home = Home::new();
    home.places.runtime_dir = None;
    home.places.socket = home.places.state_dir.join("run/tegata.sock");
    let _instance = home.first();
    assert_eq!(mode(&home.places.state_dir.join("run")), 0o700);
    assert_eq!(mode(&home.root.path().join("state")), 0o700);
}

#[test]
fn a13_the_socket_has_a_path_and_no_abstract_name() {
    let home = Home::new();
    let (_instance, listener) = home.serving();
    let address = listener.local_addr().unwrap();
    assert_eq!(address.as_pathname(), Some(home.places.socket.as_path()));
}

#[test]
fn a_passed_socket_is_used_where_it_is_and_left_there_at_the_end() {
    let home = Home::new().with_socket_directory();
    let passed = UnixListener::bind(&home.places.socket).unwrap();
    chmod(&home.places.socket, 0o600);
    let Start::First(instance) = Instance::start(&home.places, Some(passed), own_uid()).unwrap() else {
        panic!("the passed socket was taken for another daemon's");
    };
    assert!(instance.socket().is_there());
    drop(instance);
    assert!(home.places.socket.exists());
}

#[test]
fn a13_twin_a_passed_socket_with_a_path_is_used() {
    let home = Home::new().with_socket_directory();
    let passed = UnixListener::bind(&home.places.socket).unwrap();
    chmod(&home.places.socket, 0o600);
    assert!(matches!(Instance::start(&home.places, Some(passed), own_uid()), Ok(Start::First(_))));
}

#[test]
fn a_passed_socket_others_may_connect_to_is_refused() {
    let home = Home::new().with_socket_directory();
    let passed = UnixListener::bind(&home.places.socket).unwrap();
    chmod(&home.places.socket, 0o666);
    let error = Instance::start(&home.places, Some(passed), own_uid()).unwrap_err();
    assert!(error.to_string().contains("SocketMode=0600"), "{error}");
}

#[test]
fn a13_a_passed_abstract_socket_is_refused() {
    use std::os::linux::net::SocketAddrExt;
    let name = format!("tegata-test-{}", std::process::id());
    let address = std::os::unix::net::SocketAddr::from_abstract_name(name).unwrap();
    let passed = UnixListener::bind_addr(&address).unwrap();
    let error = Instance::start(&Home::new().places, Some(passed), own_uid()).unwrap_err();
    assert!(matches!(error, InstanceError::Socket(SocketError::NoPath)), "{error}");
}

#[test]
fn the_lock_file_is_no_link_and_tells_who_holds_it() {
    let home = Home::new();
    let instance = home.first();
    let lock = home.places.state_dir.join(LOCK_FILE);
    assert_eq!(read_holder(&lock), std::process::id().to_string());
    drop(instance);
    std::fs::remove_file(&lock).unwrap();
    symlink(home.root.path().join("victim"), &lock).unwrap();
    assert!(matches!(home.start(), Err(InstanceError::Lock { .. })));
    assert!(!home.root.path().join("victim").exists());
}
