//! Where the socket is. Decided from the environment alone; the file system is asked only when the daemon must be started.

use crate::environment::Environment;
use crate::failure::{Failure, Kind};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// The longest path of a Unix socket: `sun_path` has 108 bytes and ends with a NUL (unix(7)).
const MAX_SOCKET_PATH: usize = 107;

/// Where the socket is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The socket.
    pub(crate) socket: PathBuf,
    /// The directory that holds the socket.
    pub(crate) directory: PathBuf,
    /// A directory that must be there already: the login manager makes `$XDG_RUNTIME_DIR`, nobody else.
    pub(crate) must_exist: Option<PathBuf>,
}

/// Returns where the socket is: `TEGATA_SOCKET`, else below `XDG_RUNTIME_DIR`, else below `XDG_STATE_HOME`. A directory
/// other users may write to is never a choice.
pub(crate) fn place(environment: &Environment) -> Result<Place, Failure> {
    if let Some(socket) = environment.as_set("TEGATA_SOCKET") {
        return Place::at(absolute("TEGATA_SOCKET", socket.into())?, None);
    }
    if let Some(runtime) = environment.get("XDG_RUNTIME_DIR") {
        let runtime = absolute("XDG_RUNTIME_DIR", runtime.into())?;
        return Place::at(runtime.join("tegata/tegata.sock"), Some(runtime));
    }
    Place::at(state_directory(environment)?.join("run/tegata.sock"), None)
}

/// Returns the directory of what outlives the process and is no secret.
pub(crate) fn state_directory(environment: &Environment) -> Result<PathBuf, Failure> {
    Ok(state_home(environment)?.join("tegata"))
}

impl Place {
    fn at(socket: PathBuf, must_exist: Option<PathBuf>) -> Result<Self, Failure> {
        let length = socket.as_os_str().as_bytes().len();
        if length > MAX_SOCKET_PATH {
            let message = format!("the socket path has {length} bytes, a socket takes {MAX_SOCKET_PATH}: {socket:?}");
            return Err(wrong(message));
        }
        match socket.parent().filter(|_| socket.file_name().is_some()) {
            Some(directory) => Ok(Self { directory: directory.to_owned(), must_exist, socket }),
            None => Err(wrong(format!("the socket path names no file: {socket:?}"))),
        }
    }
}

/// Returns the directory that state of programs is kept below.
pub(crate) fn state_home(environment: &Environment) -> Result<PathBuf, Failure> {
    if let Some(state) = environment.get("XDG_STATE_HOME") {
        return absolute("XDG_STATE_HOME", state.into());
    }
    match environment.get("HOME") {
        Some(home) => Ok(absolute("HOME", home.into())?.join(".local/state")),
        None => Err(wrong("none of XDG_RUNTIME_DIR, XDG_STATE_HOME and HOME is set")),
    }
}

fn absolute(variable: &str, path: PathBuf) -> Result<PathBuf, Failure> {
    if path.as_os_str().is_empty() {
        return Err(wrong(format!("{variable} is set but empty")).mend(format!("unset {variable}")));
    }
    if !Path::is_absolute(&path) {
        return Err(wrong(format!("{variable} is not an absolute path: {path:?}")).mend(format!("unset {variable}")));
    }
    Ok(path)
}

fn wrong(message: impl AsRef<str>) -> Failure {
    Failure::new(Kind::Unreachable, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn socket(variables: &[(&str, &str)]) -> Result<String, String> {
        let place = place(&Environment::of(variables)).map_err(|failure| failure.line().unwrap())?;
        Ok(place.socket.to_str().unwrap().to_owned())
    }

    #[test]
    fn a12_twin_each_variable_gives_way_to_the_one_before() {
        let all = [
            ("TEGATA_SOCKET", "/own/here.sock"),
            ("XDG_RUNTIME_DIR", "/run/user/7"),
            ("XDG_STATE_HOME", "/home/a/state"),
            ("HOME", "/home/a"),
        ];
        assert_eq!(socket(&all).unwrap(), "/own/here.sock");
        assert_eq!(socket(&all[1..]).unwrap(), "/run/user/7/tegata/tegata.sock");
        assert_eq!(socket(&all[2..]).unwrap(), "/home/a/state/tegata/run/tegata.sock");
        assert_eq!(socket(&all[3..]).unwrap(), "/home/a/.local/state/tegata/run/tegata.sock");
    }

    #[test]
    fn a12_relative_empty_and_missing_places_are_clean_errors() {
        assert!(
            socket(&[("TEGATA_SOCKET", "run/t.sock")]).unwrap_err().contains("TEGATA_SOCKET is not an absolute path")
        );
        assert!(
            socket(&[("TEGATA_SOCKET", ""), ("HOME", "/home/a")])
                .unwrap_err()
                .contains("TEGATA_SOCKET is set but empty")
        );
        assert!(socket(&[("XDG_RUNTIME_DIR", "run")]).unwrap_err().contains("XDG_RUNTIME_DIR is not an absolute path"));
        assert!(socket(&[("XDG_STATE_HOME", "state")]).unwrap_err().contains("XDG_STATE_HOME is not an absolute path"));
        assert!(socket(&[("HOME", "home")]).unwrap_err().contains("HOME is not an absolute path"));
        assert!(socket(&[]).unwrap_err().contains("none of XDG_RUNTIME_DIR"));
        assert!(socket(&[("TEGATA_SOCKET", "/")]).unwrap_err().contains("names no file"));
    }

    #[test]
    fn a12_a_path_longer_than_a_socket_takes_is_a_clean_error() {
        let of_length = |length: usize| format!("/{}", "x".repeat(length - 1));
        assert!(socket(&[("TEGATA_SOCKET", &of_length(108))]).unwrap_err().contains("108 bytes"));
        assert!(socket(&[("TEGATA_SOCKET", &of_length(107))]).is_ok());
    }

    #[test]
    fn an_empty_xdg_variable_counts_as_unset() {
        assert_eq!(socket(&[("XDG_RUNTIME_DIR", ""), ("XDG_STATE_HOME", "/s")]).unwrap(), "/s/tegata/run/tegata.sock");
    }
}
