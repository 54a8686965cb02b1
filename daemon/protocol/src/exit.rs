//! The exit codes of the command line, documented and stable.

/// How a `tegata` command ends. Scripts rely on the numbers; they never change meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// Failed in a way no other code names.
    Failed = 1,
    /// The command line itself is wrong.
    Usage = 2,
    /// A person has to sign in.
    SignInNeeded = 10,
    /// A passkey gesture is needed, or waiting for it ran out.
    ElevationNeeded = 11,
    /// Denied by policy, or refused by the human.
    Denied = 12,
    /// The profile is unknown or its configuration is wrong.
    ProfileWrong = 13,
    /// AWS refused or cannot be reached, and nothing valid is left to serve.
    UpstreamFailed = 14,
    /// The keyring is locked, denied or unavailable.
    KeyringUnavailable = 15,
    /// The daemon cannot be reached, or speaks another protocol version.
    DaemonUnreachable = 16,
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
