//! What the daemon and its helper say to each other. Both are the same program, so there are no versions.

use super::{CommandLine, Fault};
use crate::pkcs11::ObjectUri;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::time::Duration;

/// How long a token may take: cards are slow, and the first thing asked of one loads its module.
const TOKEN_LIMIT: Duration = Duration::from_secs(20);

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// Runs a program to its end and returns what it printed. It gets no input.
    Run {
        /// The program.
        command: CommandLine,
        /// Seconds after which it is killed.
        seconds: u64,
    },
    /// Returns a certificate of a PKCS#11 token in DER, and behind it others that may lead from it to a trust anchor.
    TokenCertificates {
        /// The module.
        module: PathBuf,
        /// The certificate.
        object: ObjectUri,
    },
    /// Signs the input under SHA-256 with a key of a PKCS#11 token: RSASSA-PKCS1-v1_5, or ECDSA in DER.
    TokenSign {
        /// The module.
        module: PathBuf,
        /// The private key.
        object: ObjectUri,
    },
    /// Opens a PKCS#11 token; the input is its PIN, which is tried once.
    TokenOpen {
        /// The module.
        module: PathBuf,
        /// An object in it.
        object: ObjectUri,
    },
    /// Closes every PKCS#11 token.
    TokensClose,
}

impl Operation {
    /// Returns how long the operation may take.
    #[must_use]
    pub fn limit(&self) -> Duration {
        match self {
            Self::Run { seconds, .. } => Duration::from_secs(*seconds),
            Self::TokenCertificates { .. } | Self::TokenSign { .. } | Self::TokenOpen { .. } | Self::TokensClose => {
                TOKEN_LIMIT
            }
        }
    }
}

/// The head of a request; the payload is the operation's input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Request {
    pub(super) id: u64,
    pub(super) operation: Operation,
}

/// The head of an answer; the payload is the operation's output, if it was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Answer {
    pub(super) id: u64,
    pub(super) fault: Option<Fault>,
}
