//! What the process was started with: variables, time, and where a person sits. The only file that asks for them.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

/// The variables the daemon is started with, and `LC_*`. Everything else stays behind: an `AWS_*`, proxy, certificate or
/// `TEGATA_*` variable of whoever happens to start the daemon would redirect the sign-ins of everybody after it.
const PASSED_TO_DAEMON: [&str; 15] = [
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "DBUS_SESSION_BUS_ADDRESS",
    "DISPLAY",
    "HOME",
    "LANG",
    "LOGNAME",
    "TEGATA_SOCKET",
    "TZ",
    "USER",
    "WAYLAND_DISPLAY",
    "XAUTHORITY",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_RUNTIME_DIR",
    "XDG_STATE_HOME",
];

/// The variables of a process. An empty one counts as absent, as the XDG base directory specification says, except where
/// [`Environment::as_set`] is asked.
pub(crate) struct Environment {
    variable: Box<Lookup>,
    names: Box<Names>,
}

type Lookup = dyn Fn(&str) -> Option<OsString>;
type Names = dyn Fn() -> Vec<OsString>;

impl Environment {
    /// Returns the environment of this process.
    #[allow(clippy::disallowed_methods, reason = "this is the file that owns the environment")]
    pub(crate) fn of_this_process() -> Self {
        let names = || std::env::vars_os().map(|(name, _)| name).collect();
        Self { variable: Box::new(|name| std::env::var_os(name)), names: Box::new(names) }
    }

    /// Returns the names of the variables that are set and begin so, in order.
    pub(crate) fn names_beginning_with(&self, start: &str) -> Vec<String> {
        let names = (self.names)().into_iter().filter_map(|name| name.into_string().ok());
        let mut names: Vec<String> = names.filter(|name| name.starts_with(start) && self.get(name).is_some()).collect();
        names.sort_unstable();
        names
    }

    /// Returns a variable that is set and not empty.
    pub(crate) fn get(&self, name: &str) -> Option<OsString> {
        self.as_set(name).filter(|value| !value.is_empty())
    }

    /// Returns a variable as it is set, empty or not.
    pub(crate) fn as_set(&self, name: &str) -> Option<OsString> {
        (self.variable)(name)
    }

    /// Returns the AWS config file of the caller, absolute, when `AWS_CONFIG_FILE` names one. A leading `~/` is the home
    /// directory, as in botocore and the Rust SDK. A relative name is taken from the working directory.
    pub(crate) fn aws_config_file(&self) -> Option<PathBuf> {
        self.file("AWS_CONFIG_FILE")
    }

    /// The same for the credentials file and `AWS_SHARED_CREDENTIALS_FILE`.
    pub(crate) fn aws_credentials_file(&self) -> Option<PathBuf> {
        self.file("AWS_SHARED_CREDENTIALS_FILE")
    }

    fn file(&self, variable: &str) -> Option<PathBuf> {
        let file = PathBuf::from(self.get(variable)?);
        let file = match (file.strip_prefix("~"), self.get("HOME")) {
            (Ok(below), Some(home)) => Path::new(&home).join(below),
            _ => file,
        };
        Some(std::path::absolute(&file).unwrap_or(file))
    }

    /// Returns whether text for `terminal` may be coloured: `NO_COLOR` forbids it, `CLICOLOR_FORCE` demands it.
    pub(crate) fn colour(&self, terminal: bool) -> bool {
        if self.get("NO_COLOR").is_some() {
            return false;
        }
        let forced = self.get("CLICOLOR_FORCE").is_some_and(|value| value != "0");
        forced || (terminal && self.get("TERM").is_none_or(|terminal| terminal != "dumb"))
    }

    /// Returns why a page on this machine may be hard to reach for the person, if it may.
    pub(crate) fn distance(&self) -> Option<Distance> {
        if self.get("SSH_CONNECTION").is_some() || self.get("SSH_TTY").is_some() {
            return Some(Distance::Ssh);
        }
        if [OsStr::new("/.dockerenv"), OsStr::new("/run/.containerenv")].iter().any(|mark| Path::new(mark).exists()) {
            return Some(Distance::Container);
        }
        if self.get("WSL_DISTRO_NAME").is_some() {
            return Some(Distance::Wsl);
        }
        (!self.has_display()).then_some(Distance::NoDisplay)
    }

    /// Returns whether a browser has somewhere to appear. WSL opens pages on the Windows side.
    pub(crate) fn has_display(&self) -> bool {
        cfg!(target_os = "macos")
            || ["DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME"].iter().any(|name| self.get(name).is_some())
    }
}

/// What stands between the person's browser and a page on this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Distance {
    /// An SSH connection.
    Ssh,
    /// A container.
    Container,
    /// The border between WSL and Windows.
    Wsl,
    /// No display at all.
    NoDisplay,
}

/// Returns the short list of variables the daemon is started with.
#[allow(clippy::disallowed_methods, reason = "this is the file that owns the environment")]
pub(crate) fn for_daemon() -> impl Iterator<Item = (OsString, OsString)> {
    std::env::vars_os().filter(|(name, _)| is_passed_to_daemon(name))
}

fn is_passed_to_daemon(name: &OsStr) -> bool {
    name.to_str().is_some_and(|name| PASSED_TO_DAEMON.contains(&name) || name.starts_with("LC_"))
}

/// Returns the wall time in whole seconds since 1970.
#[allow(clippy::disallowed_methods, reason = "this is the file that owns the clock")]
pub(crate) fn now() -> i64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs().cast_signed())
}

/// An end of patience. Time in suspend does not count: nobody was waiting.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline(Instant);

impl Deadline {
    /// Returns the deadline that far from now.
    #[allow(clippy::disallowed_methods, reason = "this is the file that owns the clock")]
    pub(crate) fn after(patience: Duration) -> Self {
        Self(Instant::now() + patience)
    }

    /// Returns the time left, nothing once it is over.
    #[allow(clippy::disallowed_methods, reason = "this is the file that owns the clock")]
    pub(crate) fn left(self) -> Option<Duration> {
        self.0.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())
    }
}

#[cfg(test)]
impl Environment {
    /// Makes an environment of just these variables.
    pub(crate) fn of(variables: &[(&str, &str)]) -> Self {
        let variables: std::collections::HashMap<String, OsString> =
            variables.iter().map(|(name, value)| ((*name).to_owned(), OsString::from(value))).collect();
        let names: Vec<OsString> = variables.keys().map(OsString::from).collect();
        Self { variable: Box::new(move |name| variables.get(name).cloned()), names: Box::new(move || names.clone()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d13_variables_that_redirect_are_not_passed_on() {
        for name in [
            "AWS_ENDPOINT_URL",
            "AWS_ENDPOINT_URL_SSO",
            "AWS_PROFILE",
            "AWS_CONFIG_FILE",
            "AWS_CA_BUNDLE",
            "HTTPS_PROXY",
            "https_proxy",
            "ALL_PROXY",
            "NO_PROXY",
            "SSL_CERT_FILE",
            "SSL_CERT_DIR",
            "TEGATA_CONFIG",
            "TEGATA_LOG",
            "RUST_LOG",
            "LD_PRELOAD",
            "PATH",
            "TMPDIR",
            "lc_all",
            "XLC_ALL",
        ] {
            assert!(!is_passed_to_daemon(OsStr::new(name)), "{name} would reach the daemon");
        }
    }

    #[test]
    fn d13_twin_what_the_daemon_needs_is_passed_on() {
        for name in ["HOME", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS", "TEGATA_SOCKET", "LC_ALL", "LC_TIME"] {
            assert!(is_passed_to_daemon(OsStr::new(name)), "{name} would not reach the daemon");
        }
    }

    #[test]
    fn the_config_file_is_made_absolute_and_its_tilde_expanded() {
        let file = |value| Environment::of(&[("AWS_CONFIG_FILE", value), ("HOME", "/home/a")]).aws_config_file();
        assert_eq!(file("/etc/aws"), Some(PathBuf::from("/etc/aws")));
        assert_eq!(file("~/aws"), Some(PathBuf::from("/home/a/aws")));
        assert!(file("aws").unwrap().is_absolute());
        assert_eq!(file(""), None);
    }

    #[test]
    fn colour_follows_the_terminal_unless_told_otherwise() {
        assert!(Environment::of(&[]).colour(true));
        assert!(!Environment::of(&[]).colour(false));
        assert!(!Environment::of(&[("TERM", "dumb")]).colour(true));
        assert!(!Environment::of(&[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")]).colour(true));
        assert!(Environment::of(&[("NO_COLOR", ""), ("CLICOLOR_FORCE", "1")]).colour(false));
    }

    #[test]
    fn ssh_counts_before_the_display_it_forwards() {
        let ssh = Environment::of(&[("SSH_CONNECTION", "::1 1 ::1 22"), ("DISPLAY", "localhost:10")]);
        assert_eq!(ssh.distance(), Some(Distance::Ssh));
    }

    #[test]
    fn names_are_found_by_how_they_begin_unless_empty() {
        let environment = Environment::of(&[("AWS_B", "1"), ("AWS_A", "1"), ("AWS_C", ""), ("XAWS_A", "1")]);
        assert_eq!(environment.names_beginning_with("AWS_"), ["AWS_A", "AWS_B"]);
    }

    #[test]
    fn a_deadline_runs_out() {
        assert!(Deadline::after(Duration::ZERO).left().is_none());
        assert!(Deadline::after(Duration::from_secs(60)).left().is_some());
    }
}
