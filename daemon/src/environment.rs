//! The daemon's environment, read once at start: where things are, and what is ignored.
//!
//! The daemon serves every tool of its user, so whatever shell happened to start it must not bend it: proxies,
//! certificates, endpoints and AWS variables of that shell are ignored, removed and reported; they belong in
//! `config.toml`. For the same reason the AWS config file is `~/.aws/config` whatever `AWS_CONFIG_FILE` said here: the
//! command line sends the path its own caller uses with each request.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use tegata_protocol::text::one_line;

/// The longest path of a socket in bytes: `sun_path` has 108, one of them for the final NUL (unix(7)).
pub const MAX_SOCKET_PATH: usize = 107;

/// Where things are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    /// The user's home.
    pub home: PathBuf,
    /// `$XDG_RUNTIME_DIR`, where there is one. Not checked yet: that takes a look at the file system.
    pub runtime_dir: Option<PathBuf>,
    /// The local API's socket.
    pub socket: PathBuf,
    /// Records and the lock file; nothing secret.
    pub state_dir: PathBuf,
    /// Tegata's settings.
    pub config_toml: PathBuf,
    /// The AWS config file of requests that name no other.
    pub aws_config: PathBuf,
}

/// What the daemon takes from its environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Environment {
    /// Where things are.
    pub places: Places,
    /// Whether a D-Bus session bus is named; there may be one at its default place all the same.
    pub session_bus: bool,
    /// Whether a service manager passed sockets to this very process (sd_listen_fds(3)).
    pub activated: bool,
    /// Where systemd puts a service's credentials (systemd.exec(5)).
    pub credentials_directory: Option<PathBuf>,
    /// Where an ECS task finds its credentials.
    pub task: TaskPath,
    /// The variables, and no others, that commands of the settings are run with.
    pub for_commands: Vec<(OsString, OsString)>,
    /// What to log: `TEGATA_LOG`, else `RUST_LOG`.
    pub log: Option<String>,
    /// Where a test wants the process to end.
    #[cfg(feature = "failpoints")]
    pub failpoint: Option<String>,
    /// The variables that were set and are not used, by name.
    pub ignored: Vec<OsString>,
}

/// The user's base directories. [`dirs`] decides them; `None` where the platform or the machine has none.
#[derive(Clone, Debug, Default)]
pub struct Directories {
    /// `$HOME`, else as the user database says.
    pub home: Option<PathBuf>,
    /// `$XDG_CONFIG_HOME`, else `~/.config`.
    pub config: Option<PathBuf>,
    /// `$XDG_STATE_HOME`, else `~/.local/state`.
    pub state: Option<PathBuf>,
    /// `$XDG_RUNTIME_DIR`.
    pub runtime: Option<PathBuf>,
}

/// Why the daemon cannot tell where its things are.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnvironmentError {
    /// A directory that has to be known is not.
    #[error("cannot tell where {what} is; set {variable}")]
    Unknown {
        /// What it is for.
        what: &'static str,
        /// What names it.
        variable: &'static str,
    },
    /// A relative path, which would mean another place in every working directory.
    #[error("{variable} is {value:?}, which is not absolute; set it to a path that begins with /, or unset it")]
    Relative {
        /// The variable.
        variable: &'static str,
        /// Its value, made printable.
        value: String,
    },
    /// A socket path the kernel has no room for.
    #[error(
        "the socket path {path:?} has {length} bytes and a socket's path has at most {MAX_SOCKET_PATH}; set TEGATA_SOCKET to a shorter one"
    )]
    SocketPathTooLong {
        /// The path, made printable.
        path: String,
        /// Its length in bytes.
        length: usize,
    },
    /// A socket path that names no file in a directory.
    #[error(
        "TEGATA_SOCKET is {path:?}, which names no file; set it to a path such as /run/user/1000/tegata/tegata.sock"
    )]
    SocketPathNamesNoFile {
        /// The path, made printable.
        path: String,
    },
}

impl Environment {
    /// Reads the environment of this process.
    ///
    /// # Errors
    /// [`EnvironmentError`].
    #[allow(clippy::disallowed_methods, reason = "this is the file that reads the environment")]
    pub fn read() -> Result<Self, EnvironmentError> {
        let directories = Directories {
            home: dirs::home_dir(),
            config: dirs::config_dir(),
            state: dirs::state_dir().or_else(dirs::data_local_dir),
            runtime: dirs::runtime_dir(),
        };
        let names: Vec<OsString> = std::env::vars_os().map(|(name, _)| name).collect();
        Self::decide(&|name| std::env::var_os(name), &names, &directories, std::process::id())
    }

    /// Decides from a lookup of variables, the names of all variables, the base directories and the own pid.
    ///
    /// # Errors
    /// [`EnvironmentError`].
    pub fn decide(
        lookup: &impl Fn(&str) -> Option<OsString>,
        names: &[OsString],
        directories: &Directories,
        pid: u32,
    ) -> Result<Self, EnvironmentError> {
        let text = |name| set(lookup, name).and_then(|value| value.into_string().ok());
        let places = Places::decide(lookup, directories)?;
        Ok(Self {
            task: TaskPath::decide(lookup),
            for_commands: for_commands(lookup, &places.home),
            places,
            session_bus: set(lookup, "DBUS_SESSION_BUS_ADDRESS").is_some(),
            activated: text("LISTEN_PID").is_some_and(|listener| listener == pid.to_string()),
            credentials_directory: set(lookup, "CREDENTIALS_DIRECTORY")
                .map(PathBuf::from)
                .filter(|path| path.is_absolute()),
            log: text("TEGATA_LOG").or_else(|| text("RUST_LOG")),
            #[cfg(feature = "failpoints")]
            failpoint: text("TEGATA_FAILPOINT"),
            ignored: names.iter().filter(|name| is_ignored(name)).cloned().collect(),
        })
    }

    /// Returns what a person should know about the environment, one line each; `status` shows it.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        if self.ignored.is_empty() {
            return Vec::new();
        }
        let mut names: Vec<String> = self.ignored.iter().map(|name| one_line(&name.to_string_lossy())).collect();
        names.sort_unstable();
        let (names, config) = (names.join(", "), self.places.config_toml.display());
        vec![format!(
            "ignored from the daemon's environment: {names}; proxy, certificates and endpoints belong in {config}"
        )]
    }
}

impl Places {
    fn decide(lookup: &impl Fn(&str) -> Option<OsString>, directories: &Directories) -> Result<Self, EnvironmentError> {
        // `dirs` passes over relative XDG paths in silence and takes the default; two programs that disagree about the
        // socket's place in silence are worse than an error.
        for variable in ["XDG_RUNTIME_DIR", "XDG_STATE_HOME", "XDG_CONFIG_HOME"] {
            set(lookup, variable).map_or(Ok(PathBuf::new()), |value| absolute(variable, value))?;
        }
        let home = known(directories.home.clone(), "the home directory", "HOME")?;
        let state_dir = known(directories.state.clone(), "the state directory", "XDG_STATE_HOME")?.join("tegata");
        let config = known(directories.config.clone(), "the configuration directory", "XDG_CONFIG_HOME")?;
        let config_toml = match set(lookup, "TEGATA_CONFIG") {
            Some(path) => absolute("TEGATA_CONFIG", path)?,
            None => config.join("tegata/config.toml"),
        };
        let runtime_dir = directories.runtime.clone();
        let socket = match (set(lookup, "TEGATA_SOCKET"), &runtime_dir) {
            (Some(path), _) => absolute("TEGATA_SOCKET", path)?,
            (None, Some(runtime)) => runtime.join("tegata/tegata.sock"),
            (None, None) => state_dir.join("run/tegata.sock"),
        };
        Ok(Self {
            aws_config: home.join(".aws/config"),
            socket: usable_socket_path(socket)?,
            home,
            runtime_dir,
            state_dir,
            config_toml,
        })
    }
}

/// Returns a variable that is set and not empty (XDG Base Directory Specification: empty means unset).
fn set(lookup: &impl Fn(&str) -> Option<OsString>, name: &str) -> Option<OsString> {
    lookup(name).filter(|value| !value.is_empty())
}

fn absolute(variable: &'static str, value: OsString) -> Result<PathBuf, EnvironmentError> {
    let path = PathBuf::from(value);
    if path.is_absolute() { Ok(path) } else { Err(EnvironmentError::Relative { variable, value: shown(&path) }) }
}

fn known(path: Option<PathBuf>, what: &'static str, variable: &'static str) -> Result<PathBuf, EnvironmentError> {
    let path = path.ok_or(EnvironmentError::Unknown { what, variable })?;
    absolute(variable, path.into_os_string())
}

fn usable_socket_path(path: PathBuf) -> Result<PathBuf, EnvironmentError> {
    let bytes = path.as_os_str().as_bytes();
    if bytes.len() > MAX_SOCKET_PATH {
        return Err(EnvironmentError::SocketPathTooLong { length: bytes.len(), path: shown(&path) });
    }
    let names_a_file = path.file_name().is_some() && !bytes.ends_with(b"/") && !bytes.contains(&0);
    if names_a_file { Ok(path) } else { Err(EnvironmentError::SocketPathNamesNoFile { path: shown(&path) }) }
}

fn shown(path: &Path) -> String {
    one_line(&path.to_string_lossy())
}

/// Where an ECS task finds its credentials: a path at ECS's own fixed address, and never an address (ECS Developer Guide, "Task IAM role").
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum TaskPath {
    /// This is no ECS task.
    #[default]
    None,
    /// `AWS_CONTAINER_CREDENTIALS_RELATIVE_URI`.
    At(String),
    /// That variable says something else than a path.
    Wrong,
    /// `AWS_CONTAINER_CREDENTIALS_FULL_URI` alone is set, which could name any host, and is not obeyed.
    FullUri,
}

/// The variable with the path.
const TASK: &str = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";

impl TaskPath {
    fn decide(lookup: &impl Fn(&str) -> Option<OsString>) -> Self {
        let Some(path) = set(lookup, TASK) else {
            let full = set(lookup, "AWS_CONTAINER_CREDENTIALS_FULL_URI").is_some();
            return if full { Self::FullUri } else { Self::None };
        };
        // What could end the path or lead out of it is no path: `//host`, `/../`, `?`, `#`, a space.
        let plain = |c: char| c.is_ascii_alphanumeric() || "/-_.~".contains(c);
        let is_path = |path: &str| path.starts_with('/') && path.len() <= 1024 && path.chars().all(plain);
        let leads_out = |path: &str| path.split('/').skip(1).any(|segment| matches!(segment, "" | "." | ".."));
        match path.into_string() {
            Ok(path) if is_path(&path) && !leads_out(&path) => Self::At(path),
            Ok(_) | Err(_) => Self::Wrong,
        }
    }
}

/// What a command finds in its environment, beside `HOME` and `PATH`. A command runs unasked, in the background, for whoever
/// asks: no display and no terminal to ask a person on, no agent of the shell that happened to start the daemon, and nothing
/// that redirects a program (`AWS_*`, proxies, `LD_*`).
const FOR_COMMANDS: [&str; 12] = [
    "DBUS_SESSION_BUS_ADDRESS",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "LC_MESSAGES",
    "LOGNAME",
    "TZ",
    "USER",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_RUNTIME_DIR",
    "XDG_STATE_HOME",
];

/// Where the programs are looked for that a command's own program calls by name.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

fn for_commands(lookup: &impl Fn(&str) -> Option<OsString>, home: &Path) -> Vec<(OsString, OsString)> {
    let own = [("HOME", home.as_os_str().to_owned()), ("PATH", PATH.into())];
    let taken = FOR_COMMANDS.iter().filter_map(|name| Some((*name, set(lookup, name)?)));
    own.into_iter().chain(taken).map(|(name, value)| (name.into(), value)).collect()
}

/// Whether a variable is one that other programs would obey and the daemon does not.
fn is_ignored(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    let obeyed = matches!(name.as_ref(), "TEGATA_SOCKET" | "TEGATA_CONFIG" | "TEGATA_LOG")
        || (cfg!(feature = "failpoints") && name == "TEGATA_FAILPOINT");
    let unknown_own = name.starts_with("TEGATA_") && !obeyed;
    let proxy = name.to_ascii_lowercase().ends_with("_proxy");
    unknown_own || proxy || (name.starts_with("AWS_") && name != TASK) || name.starts_with("SSL_CERT_")
}

#[cfg(test)]
mod tests;
