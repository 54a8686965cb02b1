//! Starting the daemon when nobody listens: one at a time, from a known place, with a clean environment.
//!
//! It knows nothing of requests. The daemon itself leaves the terminal (`--detach`): a new session cannot be made here
//! without unsafe code.

use crate::connection::{Connection, NoConnection};
use crate::environment::{self, Deadline};
use crate::failure::{Failure, Kind};
use crate::places::Place;
use crate::signals::Signals;
use std::fs::{DirBuilder, File, Metadata, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;
use tegata_protocol::{ErrorCode, Secret};

/// Where packages put the daemon when it is not beside `tegata`.
const INSTALLED: &str = match option_env!("TEGATA_LIBEXEC") {
    Some(path) => path,
    None => "/usr/lib/tegata/tegatad",
};

/// Held while a daemon is being started; beside the socket, left in place for the next one.
const START_LOCK: &str = "start.lock";
/// How long a daemon may take to listen.
const START_PATIENCE: Duration = Duration::from_secs(10);
/// How long to wait for the other daemon after ours gave way to it.
const OTHER_PATIENCE: Duration = Duration::from_secs(3);
const FIRST_WAIT: Duration = Duration::from_millis(1);
const LONGEST_WAIT: Duration = Duration::from_millis(20);

/// Connects to the daemon, and starts it if nobody listens. However many come at once, one of them starts it.
pub(crate) fn connect_or_start<'a>(
    place: &'a Place,
    patience: Duration,
    signals: Option<&'a Signals>,
) -> Result<Connection<'a>, Failure> {
    let dial = Dial { place, patience, signals };
    if let Some(connection) = dial.connect()? {
        return Ok(connection);
    }
    prepare(place)?;
    let _starting = match wait_for_turn(&dial)? {
        Turn::Connected(connection) => return Ok(connection),
        Turn::Ours(lock) => lock,
    };
    wait_until_it_listens(&dial, Daemon::spawn()?)
}

/// Connects to the daemon; nothing if nobody listens.
pub(crate) fn connect<'a>(
    place: &'a Place,
    patience: Duration,
    signals: Option<&'a Signals>,
) -> Result<Option<Connection<'a>>, Failure> {
    Dial { place, patience, signals }.connect()
}

/// How to connect, once or again.
struct Dial<'a> {
    place: &'a Place,
    patience: Duration,
    signals: Option<&'a Signals>,
}

impl<'a> Dial<'a> {
    fn connect(&self) -> Result<Option<Connection<'a>>, Failure> {
        match Connection::open(&self.place.socket, self.patience, self.signals) {
            Ok(connection) => Ok(Some(connection)),
            Err(NoConnection::NobodyListens) => Ok(None),
            Err(NoConnection::Failed(failure)) => Err(failure),
        }
    }
}

/// What waiting for the start lock came to.
enum Turn<'a> {
    /// Another process has started the daemon meanwhile.
    Connected(Connection<'a>),
    /// Nobody else is starting it. Dropping the file gives the turn away.
    Ours(File),
}

fn wait_for_turn<'a>(dial: &Dial<'a>) -> Result<Turn<'a>, Failure> {
    let path = dial.place.directory.join(START_LOCK);
    let lock = open_lock(&path).map_err(|error| cannot("open", &path, &error))?;
    let mut waits = Waits::new(START_PATIENCE);
    loop {
        let taken = match lock.try_lock() {
            Ok(()) => true,
            Err(TryLockError::WouldBlock) => false,
            Err(TryLockError::Error(error)) => return Err(cannot("lock", &path, &error)),
        };
        // Also with the lock: whoever held it before may have started the daemon.
        if let Some(connection) = dial.connect()? {
            return Ok(Turn::Connected(connection));
        }
        if taken {
            return Ok(Turn::Ours(lock));
        }
        waits.pause().ok_or_else(|| never_listened(dial.place))?;
    }
}

fn open_lock(path: &Path) -> io::Result<File> {
    let no_follow = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
    OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).custom_flags(no_follow).open(path)
}

fn wait_until_it_listens<'a>(dial: &Dial<'a>, mut daemon: Daemon) -> Result<Connection<'a>, Failure> {
    let mut waits = Waits::new(START_PATIENCE);
    let mut gave_way = false;
    loop {
        if let Some(connection) = dial.connect()? {
            return Ok(connection);
        }
        if !gave_way && daemon.gave_way()? {
            gave_way = true;
            waits = Waits::new(OTHER_PATIENCE);
        }
        waits.pause().ok_or_else(|| if gave_way { socket_gone(dial.place) } else { never_listened(dial.place) })?;
    }
}

/// A daemon on its way up.
struct Daemon {
    program: PathBuf,
    process: Child,
}

impl Daemon {
    /// Starts it. Nothing of this process goes along but the short list of variables: not the terminal, not the working
    /// directory, no open file.
    fn spawn() -> Result<Self, Failure> {
        let program = program()?;
        let process = Command::new(&program)
            .arg("--detach")
            .env_clear()
            .envs(environment::for_daemon())
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| cannot("start", &program, &error))?;
        Ok(Self { program, process })
    }

    /// Returns whether it has ended well, which it does when another one runs already; an error if it has failed.
    fn gave_way(&mut self) -> Result<bool, Failure> {
        match self.process.try_wait() {
            Ok(None) => Ok(false),
            Ok(Some(status)) if status.success() => Ok(true),
            Ok(Some(status)) => Err(self.failed(status)),
            Err(error) => Err(cannot("watch", &self.program, &error)),
        }
    }

    /// Its output went to /dev/null: run by hand, it says why.
    fn failed(&self, status: ExitStatus) -> Failure {
        let message = format!("tegatad ended while starting ({status})");
        Failure::new(Kind::Unreachable, message).mend(self.program.display().to_string())
    }
}

/// Has the daemon's program read the settings as they are written, or one file, and returns what it finds wrong.
pub(crate) fn check_settings(file: Option<&Path>) -> Result<(), Failure> {
    let program = program()?;
    let mut command = Command::new(&program);
    command.arg("--check-settings").args(file).env_clear().envs(environment::for_daemon()).stdin(Stdio::null());
    let checked = command.output().map_err(|error| cannot("start", &program, &error))?;
    if checked.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&checked.stderr);
    let mut faults = said.lines().map(|line| line.strip_prefix("tegatad: ").unwrap_or(line));
    let first = faults.next().unwrap_or("tegatad could not read the settings and did not say why");
    let more = match faults.count() {
        0 => String::new(),
        count => format!(" (and {count} more)"),
    };
    Err(Failure::new(Kind::Reported(ErrorCode::SettingsInvalid), format!("{first}{more}")))
}

/// Has the daemon's program read a QR code in a process that holds nothing and ends with it.
pub(crate) fn read_qr(picture: &[u8]) -> Result<Secret, Failure> {
    let program = program()?;
    let mut command = Command::new(&program);
    command.arg("--read-qr").env_clear().current_dir("/");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = command.spawn().map_err(|error| cannot("start", &program, &error))?;
    if let Some(mut input) = process.stdin.take() {
        // It reads all of it before it writes anything; one that has ended says why.
        let _ = input.write_all(picture);
    }
    let read = process.wait_with_output().map_err(|error| cannot("watch", &program, &error))?;
    if read.status.success() {
        let text = String::from_utf8(read.stdout);
        return text.map(Secret::new).map_err(|_| Failure::new(Kind::Failed, "the QR code is no text"));
    }
    let said = String::from_utf8_lossy(&read.stderr);
    let said = said.trim().strip_prefix("tegatad: ").unwrap_or("the picture could not be read").to_owned();
    Err(Failure::new(Kind::Failed, said))
}

/// Returns the daemon's program: beside this one, else where packages put it. Never by `PATH`, which belongs to whoever set
/// it last.
fn program() -> Result<PathBuf, Failure> {
    let own = std::env::current_exe()
        .map_err(|error| Failure::new(Kind::Unreachable, format!("cannot tell where tegata itself is: {error}")))?;
    let beside = own.with_file_name("tegatad");
    for program in [&beside, Path::new(INSTALLED)] {
        if program.is_file() {
            return Ok(program.to_owned());
        }
    }
    let message = format!("the daemon is not installed: neither {} nor {INSTALLED} is there", beside.display());
    Err(Failure::new(Kind::Unreachable, message))
}

/// Makes the socket's directory and checks that it, and what is at the socket's place, can be trusted.
fn prepare(place: &Place) -> Result<(), Failure> {
    let own = rustix::process::geteuid().as_raw();
    if let Some(base) = &place.must_exist {
        let metadata = base.metadata().map_err(|error| cannot("use", base, &error))?;
        // Its mode is the system's choice (WSL's is open to all): the private directory below is what counts.
        check_owner(base, &metadata, own)?;
    }
    let directory = &place.directory;
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
        .map_err(|error| cannot("make the directory", directory, &error))?;
    // Not followed: a symbolic link could lead into a directory of somebody else.
    let metadata = directory.symlink_metadata().map_err(|error| cannot("use", directory, &error))?;
    check_private(directory, &metadata, own)?;
    match place.socket.symlink_metadata() {
        Ok(metadata) if !metadata.file_type().is_socket() => Err(in_the_way(place)),
        _ => Ok(()),
    }
}

/// Refuses a directory that is none, that is another user's, or into which others may write.
fn check_private(path: &Path, metadata: &Metadata, own: u32) -> Result<(), Failure> {
    check_owner(path, metadata, own)?;
    if metadata.mode() & 0o022 == 0 {
        return Ok(());
    }
    let failure = refused(path, "can be written to by other users");
    // With the sticky bit it is meant to be shared: another place is the mend, not another mode.
    let shared = metadata.mode() & 0o1000 != 0;
    Err(if shared { failure } else { failure.mend(format!("chmod go-w {}", path.display())) })
}

fn check_owner(path: &Path, metadata: &Metadata, own: u32) -> Result<(), Failure> {
    if !metadata.is_dir() {
        return Err(refused(path, "is not a directory"));
    }
    if metadata.uid() != own {
        return Err(refused(path, &format!("belongs to uid {}, you are uid {own}", metadata.uid())));
    }
    Ok(())
}

fn refused(path: &Path, why: &str) -> Failure {
    Failure::new(Kind::Unreachable, format!("{} {why}", path.display()))
}

fn cannot(act: &str, path: &Path, error: &io::Error) -> Failure {
    Failure::new(Kind::Unreachable, format!("cannot {act} {}: {error}", path.display()))
}

fn in_the_way(place: &Place) -> Failure {
    let message = format!("{} is in the way: it is not a socket", place.socket.display());
    Failure::new(Kind::Unreachable, message).mend(format!("rm {}", place.socket.display()))
}

fn never_listened(place: &Place) -> Failure {
    let seconds = START_PATIENCE.as_secs();
    let message = format!("no tegatad listened at {} within {seconds} s", place.socket.display());
    Failure::new(Kind::Unreachable, message).mend("pkill -x tegatad")
}

fn socket_gone(place: &Place) -> Failure {
    let message = format!("a tegatad runs, but nothing listens at {}", place.socket.display());
    Failure::new(Kind::Unreachable, message).mend("pkill -x tegatad")
}

/// Growing pauses up to a deadline.
pub(crate) struct Waits {
    deadline: Deadline,
    next: Duration,
}

impl Waits {
    pub(crate) fn new(patience: Duration) -> Self {
        Self { deadline: Deadline::after(patience), next: FIRST_WAIT }
    }

    /// Pauses once; nothing once the deadline is over.
    pub(crate) fn pause(&mut self) -> Option<()> {
        let left = self.deadline.left()?;
        std::thread::sleep(self.next.min(left));
        self.next = (self.next * 2).min(LONGEST_WAIT);
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn directory(mode: u32) -> (tempfile::TempDir, Metadata) {
        let directory = tempfile::tempdir().unwrap();
        std::fs::set_permissions(directory.path(), PermissionsExt::from_mode(mode)).unwrap();
        let metadata = directory.path().metadata().unwrap();
        (directory, metadata)
    }

    fn place_in(directory: &Path) -> Place {
        Place { socket: directory.join("t.sock"), directory: directory.to_owned(), must_exist: None }
    }

    #[test]
    fn a12_a_directory_of_another_user_is_refused() {
        let (directory, metadata) = directory(0o700);
        let failure = check_owner(directory.path(), &metadata, metadata.uid() + 1).unwrap_err();
        assert!(failure.line().unwrap().contains("belongs to uid"));
        assert_eq!(failure.exit_code(), 16);
    }

    #[test]
    fn a12_a_directory_others_write_to_is_refused_and_not_changed() {
        for mode in [0o770, 0o707, 0o777, 0o1777] {
            let (directory, _) = directory(mode);
            let failure = prepare(&place_in(directory.path())).unwrap_err();
            assert!(failure.line().unwrap().contains("can be written to by other users"), "{mode:o}");
            assert_eq!(directory.path().metadata().unwrap().mode() & 0o7777, mode);
        }
    }

    #[test]
    fn a12_a_symbolic_link_in_place_of_the_directory_is_refused() {
        let (real, _) = directory(0o700);
        let (parent, _) = directory(0o700);
        symlink(real.path(), parent.path().join("link")).unwrap();
        let failure = prepare(&place_in(&parent.path().join("link"))).unwrap_err();
        assert!(failure.line().unwrap().contains("is not a directory"));
    }

    #[test]
    fn a12_a_runtime_directory_that_is_not_there_is_not_made() {
        let (parent, _) = directory(0o700);
        let missing = parent.path().join("run");
        let place = Place { must_exist: Some(missing.clone()), ..place_in(&missing.join("tegata")) };
        assert!(prepare(&place).unwrap_err().line().unwrap().contains("cannot use"));
        assert!(!missing.exists());
    }

    #[test]
    fn a12_twin_a_runtime_directory_open_to_all_is_used_for_the_private_one_in_it() {
        let (runtime, _) = directory(0o777);
        let wanted = runtime.path().join("tegata");
        let place = Place { must_exist: Some(runtime.path().to_owned()), ..place_in(&wanted) };
        prepare(&place).unwrap();
        assert_eq!(wanted.metadata().unwrap().mode() & 0o777, 0o700);
    }

    #[test]
    fn a12_twin_missing_directories_are_made_for_the_user_alone() {
        let (parent, _) = directory(0o700);
        let wanted = parent.path().join("state/tegata/run");
        prepare(&place_in(&wanted)).unwrap();
        for made in [wanted.as_path(), wanted.parent().unwrap()] {
            assert_eq!(made.metadata().unwrap().mode() & 0o777, 0o700);
        }
    }

    #[test]
    fn what_is_not_a_socket_is_named_and_left_alone() {
        let (directory, _) = directory(0o700);
        let place = place_in(directory.path());
        std::fs::write(&place.socket, "precious").unwrap();
        assert!(prepare(&place).unwrap_err().line().unwrap().contains("is in the way"));
        assert_eq!(std::fs::read(&place.socket).unwrap(), b"precious");
    }

    #[test]
    fn one_holds_the_start_lock_at_a_time() {
        let (directory, _) = directory(0o700);
        let path = directory.path().join(START_LOCK);
        let (first, second) = (open_lock(&path).unwrap(), open_lock(&path).unwrap());
        assert!(first.try_lock().is_ok());
        assert!(matches!(second.try_lock(), Err(TryLockError::WouldBlock)));
        drop(first);
        assert!(second.try_lock().is_ok());
    }
}
