//! Starting the helper process: by the daemon, while it has one thread and before it answers anybody.

use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// The argument that makes `tegatad` a helper.
pub const ARGUMENT: &str = "--helper";

/// The file this process runs from, also where another one has taken its name since.
const OWN_PROGRAM: &str = "/proc/self/exe";

/// The helper process could not be started.
#[derive(Debug, thiserror::Error)]
#[error("cannot start the helper process, which runs what the settings name: {0}")]
pub struct StartError(#[from] io::Error);

/// A helper process that was started, and the daemon's end of the socket to it. Dropped, the helper ends.
#[derive(Debug)]
pub struct Started {
    pub(super) process: Child,
    pub(super) socket: UnixStream,
}

impl Started {
    /// Returns the helper's pid.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.id()
    }
}

/// Starts the helper of this very program with these variables and no other; what it runs inherits them.
///
/// # Errors
/// [`StartError`].
pub fn start(variables: &[(OsString, OsString)]) -> Result<Started, StartError> {
    start_program(Path::new(OWN_PROGRAM), variables)
}

/// The same for a program that is known to be `tegatad`. For tests, which are not.
///
/// # Errors
/// [`StartError`].
pub fn start_program(program: &Path, variables: &[(OsString, OsString)]) -> Result<Started, StartError> {
    // Both ends close on exec: the helper has its own as stdin, and nothing it runs inherits either.
    let (socket, theirs) = UnixStream::pair()?;
    let process = Command::new(program)
        .arg0("tegatad")
        .arg(ARGUMENT)
        .env_clear()
        .envs(variables.iter().map(|(name, value)| (name, value)))
        .current_dir("/")
        .stdin(OwnedFd::from(theirs))
        .stdout(Stdio::null())
        .spawn()?;
    Ok(Started { process, socket })
}
