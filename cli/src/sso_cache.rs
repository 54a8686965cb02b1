//! What AWS CLI and the SDKs keep of sign-ins in `~/.aws/sso/cache`: found by their names, read with care, removed when they
//! have been taken over. Knows no daemon.
//!
//! Everything in there can be somebody else's doing: only a regular file of this user is read, through no link, and only so
//! much of it.

use crate::environment::Environment;
use crate::failure::{Failure, Kind};
use crate::moment;
use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;
use serde::Deserialize;
use sha1::{Digest, Sha1};
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use tegata_protocol::Secret;
use tegata_protocol::adoption::{AdoptRenewal, AdoptSession};
use zeroize::Zeroizing;

/// The most bytes of a file that are read. AWS's tokens have a few kilobytes; this and what JSON adds fits into a request.
const MAX_BYTES: usize = 32 * 1024;

/// The most files of the directory that are looked at for a client registration.
const MAX_FILES: usize = 1_000;

/// The scopes that a registration is kept under, as nearly every configuration has them.
const USUAL_SCOPE: &str = "sso:account:access";

/// The directory.
#[derive(Debug)]
pub(crate) struct Cache {
    directory: PathBuf,
}

/// A sign-in that lies there.
#[derive(Debug)]
pub(crate) struct CachedSignIn {
    path: PathBuf,
    bytes: Zeroizing<Vec<u8>>,
    token: TokenFile,
}

/// A token file (botocore `SSOTokenFetcher`; the JS and Rust SDKs write the same).
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct TokenFile {
    start_url: String,
    region: String,
    access_token: Secret,
    expires_at: String,
    refresh_token: Option<Secret>,
    client_id: Option<String>,
    client_secret: Option<Secret>,
    registration_expires_at: Option<String>,
}

/// A registration file. A token file is none: it has an access token.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RegistrationFile {
    client_id: String,
    client_secret: Secret,
    expires_at: String,
    access_token: Option<Secret>,
}

impl Cache {
    /// Finds the directory; botocore has it below the home directory, whatever the config file is.
    pub(crate) fn of(environment: &Environment) -> Result<Self, Failure> {
        let home = environment.get("HOME").ok_or_else(|| Failure::new(Kind::Failed, "HOME is not set"))?;
        Ok(Self { directory: Path::new(&home).join(".aws/sso/cache") })
    }

    /// Returns the directory, for a person.
    pub(crate) fn shown(&self) -> String {
        self.directory.display().to_string()
    }

    /// Reads the sign-in that lies there for a sign-in session: under its name, or under the start URL where a profile
    /// describes the session itself.
    pub(crate) fn find(&self, session: &str, start_url: &str) -> Result<Option<CachedSignIn>, Failure> {
        // AWS's tools take the start URL as it is written, and people write it in these ways.
        let urls = ["", "/", "#", "#/", "/#", "/#/"].map(|end| format!("{start_url}{end}"));
        for name in std::iter::once(session).chain(urls.iter().map(String::as_str)) {
            let path = self.directory.join(format!("{}.json", sha1_hex(name)));
            if let Some(bytes) = read(&path)? {
                let token = serde_json::from_slice(&bytes).map_err(|error| no_sign_in(&path, &error))?;
                return Ok(Some(CachedSignIn { path, bytes, token }));
            }
        }
        Ok(None)
    }

    /// Returns what renews a sign-in whose file does not say with which client it was made.
    fn registration(&self, session: &str, token: &TokenFile) -> Option<RegistrationFile> {
        let name = sha1_hex(&registration_key(&token.start_url, &token.region, session));
        let bytes = read(&self.directory.join(format!("{name}.json"))).ok().flatten()?;
        serde_json::from_slice(&bytes).ok()
    }

    /// Removes the registrations of a client: its secret belongs to what was taken over. What cannot be read is not touched.
    pub(crate) fn forget_client(&self, client_id: &str) {
        let Ok(entries) = fs::read_dir(&self.directory) else { return };
        for path in entries.take(MAX_FILES).flatten().map(|entry| entry.path()) {
            let bytes = read(&path).ok().flatten();
            let found = bytes.and_then(|bytes| serde_json::from_slice::<RegistrationFile>(&bytes).ok());
            if found.is_some_and(|found| found.client_id == client_id && found.access_token.is_none()) {
                // AWS CLI registers anew: one that stays is no harm.
                let _ = fs::remove_file(&path);
            }
        }
    }
}

impl CachedSignIn {
    /// Returns the file, for a person.
    pub(crate) fn shown(&self) -> String {
        self.path.display().to_string()
    }

    /// Returns what the daemon is asked to take over.
    pub(crate) fn offer(&self, cache: &Cache, session: &str, config: Option<String>) -> Result<AdoptSession, Failure> {
        let token = &self.token;
        Ok(AdoptSession {
            config,
            start_url: token.start_url.clone(),
            region: token.region.clone(),
            access_token: token.access_token.clone(),
            expires_at: self.time("expiresAt", &token.expires_at)?,
            renewal: self.renewal(cache, session)?,
        })
    }

    fn renewal(&self, cache: &Cache, session: &str) -> Result<Option<AdoptRenewal>, Failure> {
        let token = &self.token;
        let Some(refresh_token) = token.refresh_token.clone() else { return Ok(None) };
        let inside = (token.client_id.clone(), token.client_secret.clone(), token.registration_expires_at.clone());
        let (client_id, client_secret, expires_at) = match inside {
            (Some(id), Some(secret), Some(expires_at)) => (id, secret, expires_at),
            _ => match cache.registration(session, token) {
                Some(found) => (found.client_id, found.client_secret, found.expires_at),
                None => return Err(self.wrong("has a refresh token, and no client that it belongs to")),
            },
        };
        let registration_expires_at = self.time("registrationExpiresAt", &expires_at)?;
        Ok(Some(AdoptRenewal { refresh_token, client_id, client_secret, registration_expires_at }))
    }

    /// Removes the file, unless another sign-in has been put there meanwhile. It is unlinked whole and not written over: whoever
    /// reads it at the same time finds it as it was or not at all. Returns whether it is gone.
    pub(crate) fn remove(&self) -> Result<bool, Failure> {
        match read(&self.path)? {
            Some(now) if *now != *self.bytes => return Ok(false),
            None => return Ok(true),
            Some(_) => {}
        }
        fs::remove_file(&self.path).map_err(|error| self.wrong(&format!("cannot be removed: {error}")))?;
        Ok(true)
    }

    fn time(&self, what: &str, text: &str) -> Result<String, Failure> {
        utc(text).ok_or_else(|| self.wrong(&format!("has a time in {what} that is none")))
    }

    fn wrong(&self, what: &str) -> Failure {
        wrong(&self.path, what)
    }
}

/// Reads a file that is this user's own; nothing where there is none.
fn read(path: &Path) -> Result<Option<Zeroizing<Vec<u8>>>, Failure> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(file) => file,
        Err(Errno::NOENT | Errno::NOTDIR) => return Ok(None),
        Err(Errno::LOOP) => return Err(wrong(path, "is a symbolic link, and is not followed")),
        Err(errno) => return Err(wrong(path, &format!("cannot be opened: {errno}"))),
    };
    let stat = rustix::fs::fstat(&file).map_err(|errno| wrong(path, &format!("cannot be looked at: {errno}")))?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(wrong(path, "is no file"));
    }
    if stat.st_uid != rustix::process::geteuid().as_raw() {
        return Err(wrong(path, &format!("belongs to user {}, not to you", stat.st_uid)));
    }
    // With room to spare, so that reading never moves it and leaves an unwiped copy behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_BYTES + 64));
    let limit = u64::try_from(MAX_BYTES + 1).unwrap_or(u64::MAX);
    let read = File::from(file).take(limit).read_to_end(&mut bytes);
    read.map_err(|error| wrong(path, &format!("cannot be read: {error}")))?;
    if bytes.len() > MAX_BYTES {
        return Err(wrong(path, &format!("is larger than the {} KiB that are read", MAX_BYTES / 1024)));
    }
    Ok(Some(bytes))
}

/// The parser's own words may quote a token.
fn no_sign_in(path: &Path, error: &serde_json::Error) -> Failure {
    let (line, column) = (error.line(), error.column());
    wrong(path, &format!("is no sign-in of AWS CLI (line {line}, column {column})"))
}

fn wrong(path: &Path, what: &str) -> Failure {
    Failure::new(Kind::Failed, format!("{} {what}; it is left as it is", path.display()))
}

fn sha1_hex(text: &str) -> String {
    Sha1::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Returns the text whose digest botocore names a registration's file by: JSON as Python writes it, keys sorted.
fn registration_key(start_url: &str, region: &str, session: &str) -> String {
    format!(
        "{{\"region\": {}, \"scopes\": [\"{USUAL_SCOPE}\"], \"session_name\": {}, \"startUrl\": {}, \"tool\": \"botocore\"}}",
        python_json(region),
        python_json(session),
        python_json(start_url)
    )
}

/// Returns a text as Python's `json.dumps` writes it: in ASCII.
fn python_json(text: &str) -> String {
    let mut json = String::new();
    for c in serde_json::Value::from(text).to_string().chars() {
        if c.is_ascii() {
            json.push(c);
        } else {
            c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| json.push_str(&format!("\\u{unit:04x}")));
        }
    }
    json
}

/// Returns a time of one of the forms that AWS's tools write, in the one of the local API: fractions of a second and `UTC` in
/// place of `Z` (AWS CLI before 2.9) are taken, nothing else.
fn utc(text: &str) -> Option<String> {
    let bare = text.strip_suffix('Z').or_else(|| text.strip_suffix("UTC"))?;
    let (seconds, fraction) = bare.split_once('.').unwrap_or((bare, "0"));
    let whole = format!("{seconds}Z");
    let fits = !fraction.is_empty() && fraction.bytes().all(|byte| byte.is_ascii_digit());
    (fits && moment::parse(&whole).is_some()).then_some(whole)
}

#[cfg(test)]
mod tests;
