//! A stand-in with the broker's surface, so that the local API can be built; the broker takes its place.
#![allow(clippy::unused_async, reason = "the surface is the broker's")]

use crate::caller::Caller;
use crate::store::Bytes;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tegata_protocol::body::{self, BeginSignIn};
use tegata_protocol::{ErrorBody, ErrorCode};

/// What a caller asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// The profile.
    pub profile: String,
    /// Its AWS config file.
    pub config: Option<PathBuf>,
    /// How long the caller waits.
    pub wait: Option<Duration>,
}

/// The broker's surface.
#[derive(Debug, Default)]
pub struct Broker {}

fn absent<T>() -> Result<T, ErrorBody> {
    Err(ErrorBody::new(ErrorCode::Internal, "there is no broker yet"))
}

impl Broker {
    pub async fn credentials(&self, _caller: &Caller, _ask: &Ask) -> Result<Bytes, ErrorBody> {
        absent()
    }
    pub async fn begin_sign_in(&self, _caller: &Caller, _request: BeginSignIn) -> Result<body::SignIn, ErrorBody> {
        absent()
    }
    pub async fn sign_in(&self, _id: &str, _wait: Duration) -> Result<body::SignIn, ErrorBody> {
        absent()
    }
    pub async fn cancel_sign_in(&self, _id: &str) -> Result<(), ErrorBody> {
        absent()
    }
    pub async fn sessions(&self, _config: Option<&Path>) -> Result<Vec<body::Session>, ErrorBody> {
        absent()
    }
    pub async fn sign_out(
        &self,
        _caller: &Caller,
        _name: &str,
        _config: Option<&Path>,
    ) -> Result<body::SignedOut, ErrorBody> {
        absent()
    }
    pub async fn profiles(&self, _config: Option<&Path>, _page: Option<&str>) -> Result<body::Profiles, ErrorBody> {
        absent()
    }
    pub async fn status(&self, _config: Option<&Path>) -> body::Status {
        let store = body::Store { kind: "memory".into(), state: body::StoreState::Ready, detail: None };
        body::Status {
            version: String::new(),
            pid: 0,
            started_at: String::new(),
            locked: false,
            store,
            sessions: Vec::new(),
            cached_credentials: 0,
            clock_skew_seconds: None,
            warnings: Vec::new(),
        }
    }
    pub async fn lock(&self, _caller: &Caller) -> Result<body::Lock, ErrorBody> {
        absent()
    }
    pub async fn unlock(&self, _caller: &Caller) -> Result<body::Lock, ErrorBody> {
        absent()
    }
    pub fn locked(&self) -> body::Lock {
        body::Lock { locked: false }
    }
    pub fn end(&self) {}
}
