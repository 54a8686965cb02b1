//! Why the helper did not do what it was asked for: one line each.

use super::run::{MAX_OUTPUT, MAX_STDERR};
use serde::{Deserialize, Serialize};

/// What the helper says of an operation it did not do. Texts of programs are already one printable line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// Somebody else could have put something else in the program's place.
    #[error("{program} is not run: {why}")]
    NotTrusted {
        /// The program.
        program: String,
        /// Why.
        why: String,
        /// The command that mends it, where one does.
        mend: Option<String>,
    },
    /// The system did not start it.
    #[error("{program} cannot be run: {why}")]
    NotStarted {
        /// The program.
        program: String,
        /// What the system said.
        why: String,
    },
    /// It took too long and was killed.
    #[error("{program} did not end within {seconds} s and was killed{}", also(said))]
    Overtime {
        /// The program.
        program: String,
        /// How long it had.
        seconds: u64,
        /// The last line it wrote to stderr.
        said: Option<String>,
    },
    /// It wrote too much and was killed.
    #[error("{program} was killed: it writes more than {} KiB to stdout, or {} KiB to stderr", MAX_OUTPUT / 1024, MAX_STDERR / 1024)]
    TooMuch {
        /// The program.
        program: String,
    },
    /// It ended badly.
    #[error("{program} ended with {status}{}", also(said))]
    Failed {
        /// The program.
        program: String,
        /// `exit status N` or `signal N`.
        status: String,
        /// The last line it wrote to stderr.
        said: Option<String>,
    },
    /// A PKCS#11 module was not loaded.
    #[error("the PKCS#11 module {module} is not loaded: {why}")]
    NotLoaded {
        /// The module.
        module: String,
        /// Why.
        why: String,
        /// The command that mends it, where one does.
        mend: Option<String>,
    },
    /// A PKCS#11 token did not do it.
    #[error("{object}: {why}")]
    Token {
        /// The object that was asked for.
        object: String,
        /// Why.
        why: String,
    },
    /// A PKCS#11 token has to be opened by a person first.
    #[error("token {token} wants its PIN")]
    PinNeeded {
        /// The token's label.
        token: String,
    },
    /// A PIN did not open a token.
    #[error("token {token} was not opened: {why}")]
    PinRefused {
        /// The token's label.
        token: String,
        /// Why.
        why: String,
    },
    /// The helper does too much at the same time.
    #[error("the helper process has too much to do")]
    Busy,
    /// The helper is ending.
    #[error("the helper process is ending")]
    Ending,
}

fn also(said: &Option<String>) -> String {
    said.as_ref().map(|said| format!(": {said}")).unwrap_or_default()
}

/// Why there is no output.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HelperError {
    /// The helper was reached and did not do it.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// The program printed nothing that could be used.
    #[error("{program} printed {what}")]
    Unusable {
        /// The program.
        program: String,
        /// What it printed.
        what: &'static str,
    },
    /// The helper process is gone, and is not started again.
    #[error("the helper process, which runs what the settings name, has ended ({how})")]
    Ended {
        /// How it ended.
        how: String,
    },
    /// The helper process is there and says nothing.
    #[error("the helper process, which runs what the settings name, does not answer")]
    Silent,
    /// The settings the daemon was started with name nothing to run, so it has no helper.
    #[error("this daemon was started with settings that name nothing to run")]
    NothingToRun,
}

impl HelperError {
    /// Whether the configuration has to change before it can be better.
    #[must_use]
    pub fn is_configuration(&self) -> bool {
        matches!(
            self,
            Self::Fault(
                Fault::NotTrusted { .. } | Fault::NotStarted { .. } | Fault::NotLoaded { .. } | Fault::Token { .. }
            )
        )
    }

    /// Returns the command that mends it, if there is one.
    #[must_use]
    pub fn mend(&self) -> Option<String> {
        match self {
            Self::Fault(Fault::NotTrusted { mend, .. } | Fault::NotLoaded { mend, .. }) => mend.clone(),
            // The next request starts a daemon, and that one its helper.
            Self::Ended { .. } | Self::Silent | Self::NothingToRun => Some("tegata daemon stop".to_owned()),
            Self::Fault(_) | Self::Unusable { .. } => None,
        }
    }
}
