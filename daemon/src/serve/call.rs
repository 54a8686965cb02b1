//! A request → a [`Call`]: which resource, which method, which parameters. Pure; everything from outside is checked here.

mod carried;
mod certificates;
mod codes;
mod console;
mod hands;
mod jobs;
mod keys;

pub(super) use certificates::CertificateCall;
pub(super) use hands::HandCall;
pub(super) use keys::OfferedKey;

use crate::broker::{Ask, Form};
use carried::Carried;
use certificates::CertificateResource;
use hands::HandResource;
use http::{Method, Request};
use percent_encoding::percent_decode_str;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tegata_protocol::adoption::AdoptSession;
use tegata_protocol::body::BeginSignIn;
use tegata_protocol::console::OpenConsole;
use tegata_protocol::inventory::BeginInventory;
use tegata_protocol::jobs::HandOverJob;
use tegata_protocol::keys::RotateKey;
use tegata_protocol::text::{is_hostile, one_line};
use tegata_protocol::totp::{AddSeed, GiveCode};
use tegata_protocol::{ErrorBody, ErrorCode, FORM_CONTAINER, FORM_PROCESS, FROM_MEMORY, MAX_WAIT_SECONDS, paths};

/// What is asked of the broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Call {
    /// `GET /v1/credentials`
    Credentials(Ask),
    /// `POST /v1/sign-ins`
    BeginSignIn(BeginSignIn),
    /// `GET /v1/sign-ins/{id}`
    SignIn { id: String, wait: Duration },
    /// `DELETE /v1/sign-ins/{id}`
    CancelSignIn { id: String },
    /// `PUT /v1/sign-ins/{id}/code`
    CarryCode { id: String, code: Carried },
    /// `POST /v1/console-links`
    OpenConsole { wanted: OpenConsole, wait: Option<Duration> },
    /// `GET /v1/access-keys`
    KeysReport { config: Option<PathBuf> },
    /// `POST /v1/access-keys`
    ImportKey(OfferedKey),
    /// `POST /v1/access-keys/rotations`
    RotateKey { wanted: RotateKey, wait: Option<Duration> },
    /// `GET /v1/sessions`
    Sessions { config: Option<PathBuf> },
    /// `DELETE /v1/sessions/{name}`
    SignOut { name: String, config: Option<PathBuf> },
    /// `POST /v1/sessions/{name}/adopt`
    Adopt { name: String, offer: Sent<AdoptSession> },
    /// `POST /v1/sign-ins/{id}/code`
    GiveCode { id: String, given: Sent<GiveCode> },
    /// `POST /v1/github-job`
    HandOverJob(Sent<HandOverJob>),
    /// `GET /v1/totp-seeds`
    Seeds { config: Option<PathBuf> },
    /// `POST /v1/totp-seeds`
    AddSeed(Sent<AddSeed>),
    /// `DELETE /v1/totp-seeds`
    RemoveSeed { profile: String, config: Option<PathBuf> },
    /// `POST /v1/inventories`
    BeginInventory(BeginInventory),
    /// `GET /v1/inventories/{id}`
    Inventory { id: String, wait: Duration, page: Option<String> },
    /// `DELETE /v1/inventories/{id}`
    StopInventory { id: String },
    /// `GET /v1/profiles`
    Profiles { config: Option<PathBuf>, page: Option<String>, from_memory: bool },
    /// `GET /v1/profiles/{name}`
    ProfileState { name: String, config: Option<PathBuf> },
    /// `GET /v1/start-url`
    StartUrl { address: String },
    /// `GET /v1/status`
    Status { config: Option<PathBuf> },
    /// `GET /v1/lock`
    Locked,
    /// `PUT /v1/lock`
    Lock,
    /// `DELETE /v1/lock`
    Unlock,
    /// `DELETE /v1/daemon`
    End,
    /// About certificates.
    Certificate(CertificateCall),
    /// About hands.
    Hand(HandCall),
}

/// A body with secrets in it. These are not compared: it is equal to itself.
#[derive(Debug)]
pub(super) struct Sent<T>(Arc<T>);

impl<T> Clone for Sent<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> std::ops::Deref for Sent<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> PartialEq for Sent<T> {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl<T> Eq for Sent<T> {}

/// Why a request is no call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NoCall {
    /// What the error says.
    Refused(ErrorBody),
    /// The resource is there and has other methods.
    Method { allowed: &'static str },
}

impl From<ErrorBody> for NoCall {
    fn from(error: ErrorBody) -> Self {
        Self::Refused(error)
    }
}

/// A resource, by its path.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Resource {
    Credentials,
    ConsoleLinks,
    AccessKeys,
    Rotations,
    SignIns,
    SignIn(String),
    SignInCode(String),
    CodeOf(String),
    TotpSeeds,
    GithubJob,
    Sessions,
    Session(String),
    Adoption(String),
    Inventories,
    Inventory(String),
    Profiles,
    Profile(String),
    StartUrl,
    Status,
    Lock,
    Daemon,
    Certificate(CertificateResource),
    Hand(HandResource),
}

impl Call {
    /// Reads a request.
    pub(super) fn read(request: &Request<impl AsRef<[u8]>>) -> Result<Self, NoCall> {
        let resource = Resource::find(request.uri().path())?;
        let query = Query::parse(request.uri().query().unwrap_or_default())?;
        let body = request.body().as_ref();
        let call = match (request.method(), resource) {
            (&Method::POST, Resource::SignIns) => {
                query.nothing_more()?;
                return Ok(Self::BeginSignIn(sign_in(body)?));
            }
            (&Method::PUT, Resource::SignInCode(id)) => {
                return Ok(Self::CarryCode { id, code: carried::read(query, body)? });
            }
            (&Method::POST, Resource::ConsoleLinks) => return Ok(console::open(query, body)?),
            (&Method::POST, Resource::AccessKeys) => return Ok(keys::import(&query, body)?),
            (&Method::POST, Resource::Rotations) => return Ok(keys::rotate(query, body)?),
            (&Method::POST, Resource::Inventories) => {
                query.nothing_more()?;
                return Ok(Self::BeginInventory(inventory(body)?));
            }
            (&Method::POST, Resource::Adoption(name)) => {
                query.nothing_more()?;
                return Ok(Self::Adopt { name, offer: offer(body)? });
            }
            (method, Resource::Certificate(resource)) => {
                return resource.call(method, query, body).map(Self::Certificate);
            }
            (&Method::POST, Resource::CodeOf(id)) => return Ok(codes::give(id, query, body)?),
            (&Method::POST, Resource::GithubJob) => return Ok(jobs::hand_over(query, body)?),
            (&Method::POST, Resource::TotpSeeds) => return Ok(codes::add(query, body)?),
            (method, Resource::Hand(resource)) => return resource.call(method, query, body).map(Self::Hand),
            (&Method::GET, Resource::Credentials) => Self::credentials(query)?,
            (&Method::GET, Resource::SignIn(id)) => Self::sign_in(id, query)?,
            (&Method::DELETE, Resource::SignIn(id)) => query.nothing_more().map(|()| Self::CancelSignIn { id })?,
            (&Method::GET, Resource::TotpSeeds) => Self::Seeds { config: query.only_config()? },
            (&Method::DELETE, Resource::TotpSeeds) => codes::remove(query)?,
            (&Method::GET, Resource::Sessions) => Self::Sessions { config: query.only_config()? },
            (&Method::DELETE, Resource::Session(name)) => Self::SignOut { name, config: query.only_config()? },
            (&Method::GET, Resource::AccessKeys) => Self::KeysReport { config: query.only_config()? },
            (&Method::GET, Resource::Inventory(id)) => Self::inventory(id, query)?,
            (&Method::DELETE, Resource::Inventory(id)) => query.nothing_more().map(|()| Self::StopInventory { id })?,
            (&Method::GET, Resource::Profiles) => Self::profiles(query)?,
            (&Method::GET, Resource::Profile(name)) => Self::ProfileState { name, config: query.only_config()? },
            (&Method::GET, Resource::StartUrl) => Self::start_url(query)?,
            (&Method::GET, Resource::Status) => Self::Status { config: query.only_config()? },
            (&Method::GET, Resource::Lock) => query.nothing_more().map(|()| Self::Locked)?,
            (&Method::PUT, Resource::Lock) => query.nothing_more().map(|()| Self::Lock)?,
            (&Method::DELETE, Resource::Lock) => query.nothing_more().map(|()| Self::Unlock)?,
            (&Method::DELETE, Resource::Daemon) => query.nothing_more().map(|()| Self::End)?,
            (_, resource) => return Err(NoCall::Method { allowed: resource.methods() }),
        };
        if body.is_empty() { Ok(call) } else { Err(bad("this request has no body").into()) }
    }

    fn credentials(mut query: Query) -> Result<Self, ErrorBody> {
        let profile = query.take(paths::QUERY_PROFILE).ok_or_else(|| bad("the parameter profile is missing"))?;
        let (config, wait, form) = (query.config()?, query.wait()?, query.form()?);
        query.nothing_more().map(|()| Self::Credentials(Ask { profile, config, wait, form }))
    }

    fn sign_in(id: String, mut query: Query) -> Result<Self, ErrorBody> {
        let wait = query.wait()?.unwrap_or_default();
        query.nothing_more().map(|()| Self::SignIn { id, wait })
    }

    fn inventory(id: String, mut query: Query) -> Result<Self, ErrorBody> {
        let (wait, page) = (query.wait()?.unwrap_or_default(), query.take(paths::QUERY_PAGE));
        query.nothing_more().map(|()| Self::Inventory { id, wait, page })
    }

    fn start_url(mut query: Query) -> Result<Self, ErrorBody> {
        let address = query.take(paths::QUERY_ADDRESS).ok_or_else(|| bad("the parameter address is missing"))?;
        query.nothing_more().map(|()| Self::StartUrl { address })
    }

    fn profiles(mut query: Query) -> Result<Self, ErrorBody> {
        let (config, page, from_memory) = (query.config()?, query.take(paths::QUERY_PAGE), query.memory_alone()?);
        query.nothing_more().map(|()| Self::Profiles { config, page, from_memory })
    }
}

impl Resource {
    fn find(path: &str) -> Result<Self, ErrorBody> {
        match path {
            paths::CREDENTIALS => Ok(Self::Credentials),
            paths::CONSOLE_LINKS => Ok(Self::ConsoleLinks),
            paths::ACCESS_KEYS => Ok(Self::AccessKeys),
            paths::ROTATIONS => Ok(Self::Rotations),
            paths::SIGN_INS => Ok(Self::SignIns),
            paths::GITHUB_JOB => Ok(Self::GithubJob),
            paths::TOTP_SEEDS => Ok(Self::TotpSeeds),
            paths::SESSIONS => Ok(Self::Sessions),
            paths::INVENTORIES => Ok(Self::Inventories),
            paths::PROFILES => Ok(Self::Profiles),
            paths::START_URL => Ok(Self::StartUrl),
            paths::STATUS => Ok(Self::Status),
            paths::LOCK => Ok(Self::Lock),
            paths::DAEMON => Ok(Self::Daemon),
            _ => HandResource::find(path).map_or_else(|| Self::find_named(path), |found| found.map(Self::Hand)),
        }
    }

    fn find_named(path: &str) -> Result<Self, ErrorBody> {
        if let Some(found) = CertificateResource::find(path) {
            return found.map(Self::Certificate);
        }
        let under = |collection| path.strip_prefix(collection).and_then(|rest| rest.strip_prefix('/'));
        if let Some(named) = under(paths::SIGN_INS) {
            return match named.split_once('/') {
                Some((id, paths::CODE)) => segment(id).map(Self::CodeOf),
                Some((id, paths::TEXT)) => segment(id).map(Self::SignInCode),
                _ => segment(named).map(Self::SignIn),
            };
        }
        if let Some(id) = under(paths::INVENTORIES) {
            return segment(id).map(Self::Inventory);
        }
        if let Some(name) = under(paths::PROFILES) {
            return segment(name).map(Self::Profile);
        }
        match under(paths::SESSIONS).map(|named| named.split_once('/').unwrap_or((named, ""))) {
            Some((name, "")) if !path.ends_with('/') => segment(name).map(Self::Session),
            Some((name, paths::ADOPT)) => segment(name).map(Self::Adoption),
            Some(_) => Err(ErrorBody::new(ErrorCode::NotFound, "there is no such resource")),
            None => Err(ErrorBody::new(ErrorCode::NotFound, format!("there is no {path}"))),
        }
    }

    fn methods(&self) -> &'static str {
        match self {
            Self::SignIns
            | Self::CodeOf(_)
            | Self::GithubJob
            | Self::Inventories
            | Self::Adoption(_)
            | Self::ConsoleLinks
            | Self::Rotations => "POST",
            Self::AccessKeys => "GET, POST",
            Self::TotpSeeds => "GET, POST, DELETE",
            Self::SignIn(_) | Self::Inventory(_) => "GET, DELETE",
            Self::SignInCode(_) => "PUT",
            Self::Credentials | Self::Sessions | Self::Profiles | Self::Profile(_) | Self::StartUrl | Self::Status => {
                "GET"
            }
            Self::Session(_) | Self::Daemon => "DELETE",
            Self::Lock => "GET, PUT, DELETE",
            Self::Certificate(resource) => resource.methods(),
            Self::Hand(resource) => resource.methods(),
        }
    }
}

/// The parameters of a request, each at most once, with no key or value that could be read as two lines.
struct Query(Vec<(String, String)>);

impl Query {
    fn parse(query: &str) -> Result<Self, ErrorBody> {
        // Undecodable bytes would become U+FFFD below, and two different paths the same one.
        if percent_decode_str(query).decode_utf8().is_err() {
            return Err(bad("the parameters are not UTF-8"));
        }
        let mut parameters: Vec<(String, String)> = Vec::new();
        for (key, value) in form_urlencoded::parse(query.as_bytes()) {
            if parameters.iter().any(|(other, _)| *other == key) {
                return Err(bad(&format!("the parameter {key} is there twice")));
            }
            parameters.push((key.into_owned(), plain(value.into_owned())?));
        }
        Ok(Self(parameters))
    }

    fn take(&mut self, key: &str) -> Option<String> {
        let index = self.0.iter().position(|(other, _)| other == key)?;
        Some(self.0.swap_remove(index).1)
    }

    fn config(&mut self) -> Result<Option<PathBuf>, ErrorBody> {
        self.take(paths::QUERY_CONFIG).map(|path| absolute(&path)).transpose()
    }

    fn wait(&mut self) -> Result<Option<Duration>, ErrorBody> {
        let Some(text) = self.take(paths::QUERY_WAIT) else { return Ok(None) };
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        match text.parse() {
            Ok(seconds) if digits && seconds <= MAX_WAIT_SECONDS => Ok(Some(Duration::from_secs(seconds))),
            _ => Err(bad(&format!("wait is {text:?}, and must be whole seconds from 0 to {MAX_WAIT_SECONDS}"))),
        }
    }

    fn memory_alone(&mut self) -> Result<bool, ErrorBody> {
        match self.take(paths::QUERY_FROM).as_deref() {
            None => Ok(false),
            Some(FROM_MEMORY) => Ok(true),
            Some(other) => Err(bad(&format!("from is {other:?}, and can only be {FROM_MEMORY:?}"))),
        }
    }

    fn form(&mut self) -> Result<Form, ErrorBody> {
        match self.take(paths::QUERY_FORM).as_deref() {
            None | Some(FORM_PROCESS) => Ok(Form::Process),
            Some(FORM_CONTAINER) => Ok(Form::Container),
            Some(other) => Err(bad(&format!("form is {other:?}, and must be {FORM_PROCESS} or {FORM_CONTAINER}"))),
        }
    }

    fn only_config(mut self) -> Result<Option<PathBuf>, ErrorBody> {
        let config = self.config()?;
        self.nothing_more().map(|()| config)
    }

    fn empty(&self) -> Result<(), ErrorBody> {
        match self.0.first() {
            None => Ok(()),
            Some((key, _)) => Err(bad(&format!("there is no parameter {key} here"))),
        }
    }

    fn nothing_more(self) -> Result<(), ErrorBody> {
        self.empty()
    }
}

fn bad(message: &str) -> ErrorBody {
    ErrorBody::new(ErrorCode::BadRequest, message)
}

/// Reads the last segment of a path.
fn segment(text: &str) -> Result<String, ErrorBody> {
    if text.is_empty() || text.contains('/') {
        return Err(ErrorBody::new(ErrorCode::NotFound, "there is no such resource"));
    }
    let decoded = percent_decode_str(text).decode_utf8().map_err(|_| bad("the path is not UTF-8"))?;
    plain(decoded.into_owned())
}

/// Refuses what could become a second line of a file, a log or a protocol (CVE-2020-5260, CVE-2024-50338).
fn plain(text: String) -> Result<String, ErrorBody> {
    match text.chars().find(|c| is_hostile(*c)) {
        Some(c) => {
            Err(bad(&format!("{} holds the character {c:?}, which no name or path here may hold", one_line(&text))))
        }
        None => Ok(text),
    }
}

fn absolute(path: &str) -> Result<PathBuf, ErrorBody> {
    let path = Path::new(path);
    if path.is_absolute() { Ok(path.to_owned()) } else { Err(bad("config must be an absolute path")) }
}

/// Reads a body that is one JSON object of known fields.
fn object<T: serde::de::DeserializeOwned>(body: &[u8], what: &str) -> Result<T, ErrorBody> {
    // serde would read an array as the fields in their order.
    if !body.trim_ascii_start().starts_with(b"{") {
        return Err(bad("the body is not a JSON object"));
    }
    // serde_json stops at 128 levels, refuses NaN, and with derived types refuses keys that are there twice.
    serde_json::from_slice(body).map_err(|error| bad(&format!("the body is not a {what}: {error}")))
}

fn inventory(body: &[u8]) -> Result<BeginInventory, ErrorBody> {
    let inventory: BeginInventory = object(body, "request for an inventory")?;
    checked(inventory.session.as_deref(), inventory.config.as_deref())?;
    Ok(inventory)
}

/// Reads a body with secrets in it: what is wrong with it is not quoted.
fn secret_object<T: serde::de::DeserializeOwned>(body: &[u8], what: &str) -> Result<Sent<T>, ErrorBody> {
    if !body.trim_ascii_start().starts_with(b"{") {
        return Err(bad("the body is not a JSON object"));
    }
    let read = serde_json::from_slice(body).map_err(|error| {
        bad(&format!("the body is not a {what} (line {}, column {})", error.line(), error.column()))
    })?;
    Ok(Sent(Arc::new(read)))
}

fn offer(body: &[u8]) -> Result<Sent<AdoptSession>, ErrorBody> {
    let offer: Sent<AdoptSession> = secret_object(body, "sign-in to take over")?;
    checked(None, offer.config.as_deref())?;
    Ok(offer)
}

fn sign_in(body: &[u8]) -> Result<BeginSignIn, ErrorBody> {
    let sign_in: BeginSignIn = object(body, "sign-in request")?;
    checked(sign_in.session.as_deref(), sign_in.config.as_deref())?;
    match &sign_in.region {
        Some(_) if !sign_in.flow.is_console() => {
            Err(ErrorBody::new(ErrorCode::ProfileInvalid, "region is for a sign-in to the console"))
        }
        region => {
            region.clone().map(plain).transpose()?;
            Ok(sign_in)
        }
    }
}

/// Checks what a body says of a sign-in session and the file it is described in.
fn checked(session: Option<&str>, config: Option<&str>) -> Result<(), ErrorBody> {
    if let Some(session) = session {
        plain(session.to_owned())?;
    }
    if let Some(config) = config {
        absolute(&plain(config.to_owned())?)?;
    }
    Ok(())
}

#[cfg(test)]
mod openapi_tests;
#[cfg(test)]
mod tests;
