//! What an interrupted inventory leaves for the next one: a file per sign-in session in the state directory, nothing secret
//! in it. Whoever cannot read or write it asks AWS again and no more.
//!
//! The first line is the list of accounts, put there whole; every further line has the roles of one account and is appended
//! by one write, so that a daemon that is killed loses at most what was on its way.

use super::found::Found;
use crate::aws::ListedAccount;
use crate::clock::{from_unix_seconds, unix_seconds};
use crate::names::{AccountId, RoleName};
use crate::profile::SignInSession;
use crate::regular_file::{self, ReadError};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use tegata_protocol::inventory::shown_name;

/// The version of the file. Another one is not guessed at.
const VERSION: u32 = 1;

/// How long it is worth going on from: accounts come and go, and people are given roles.
const KEPT_FOR: Duration = Duration::from_secs(24 * 3600);

/// The most bytes that are read: more than the bounds of an inventory let it grow to.
const MAX_BYTES: usize = 64 * 1024 * 1024;

/// Whose inventory it is: the organisation, and which of a person's identities there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Whose {
    start_url: String,
    region: String,
    session: String,
}

/// The first line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    version: u32,
    whose: Whose,
    begun_at: i64,
    accounts: Vec<AccountLine>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AccountLine {
    id: String,
    name: String,
    email: String,
}

/// Every further line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RolesLine {
    account: String,
    roles: Vec<String>,
}

/// The place of one sign-in session's inventory.
#[derive(Clone, Debug)]
pub(super) struct Shelf {
    path: PathBuf,
    whose: Whose,
}

/// What was found, and the file that learns of it.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) found: Found,
    file: Option<File>,
}

impl Shelf {
    pub(super) fn of(directory: &Path, session: &SignInSession) -> Self {
        let whose = Whose {
            start_url: session.start_url.as_str().to_owned(),
            region: session.region.as_str().to_owned(),
            session: session.name.as_str().to_owned(),
        };
        // None of the three can hold a NUL.
        let digest = Sha256::digest([&*whose.start_url, &*whose.region, &*whose.session].join("\0"));
        let name: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        Self { path: directory.join(name).with_extension("jsonl"), whose }
    }

    /// Returns what an earlier inventory left, if it is not too old. A file that cannot be used is left out with a line in
    /// the log, and overwritten by the next.
    pub(super) fn load(&self, now: SystemTime) -> Option<Kept> {
        self.sweep(now);
        let bytes = match regular_file::read(&self.path, MAX_BYTES) {
            Ok(found) => found.bytes,
            Err(ReadError::Missing) => return None,
            Err(error) => return self.ignored(&error),
        };
        let (found, whole) = match self.read(&bytes) {
            Ok(read) => read,
            Err(damage) => return self.ignored(&damage),
        };
        // One that begins in the future was written before the clock was set back: nobody knows its age.
        if now.duration_since(found.begun_at).is_ok_and(|age| age < KEPT_FOR) {
            let file = self.reopen(whole).inspect_err(|error| self.not_kept(error)).ok();
            return Some(Kept { found, file });
        }
        None
    }

    /// Begins a new file with the list of accounts, in place of an older one.
    pub(super) fn begin(&self, found: Found) -> Kept {
        let file = self.write_head(&found).inspect_err(|error| self.not_kept(error)).ok();
        Kept { found, file }
    }

    /// Deletes the file.
    pub(super) fn forget(&self) {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!("{}: cannot be deleted: {error}", self.path.display());
            }
            _ => {}
        }
    }

    /// Returns what the file says, and how many of its bytes are whole lines.
    fn read(&self, bytes: &[u8]) -> Result<(Found, usize), String> {
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let mut lines = bytes.get(..whole).unwrap_or_default().split(|byte| *byte == b'\n');
        let head: Head = parsed(lines.next().unwrap_or_default())?;
        if head.version != VERSION {
            return Err(format!("is of version {}, this Tegata reads version {VERSION}", head.version));
        }
        if head.whose != self.whose {
            return Err(String::from("belongs to another sign-in session"));
        }
        let accounts: Result<_, String> = head.accounts.iter().map(AccountLine::account).collect();
        let mut found = Found::listed(accounts?, from_unix_seconds(head.begun_at));
        for line in lines.filter(|line| !line.is_empty()) {
            let line: RolesLine = parsed(line)?;
            let account = AccountId::new(&line.account).map_err(|error| error.to_string())?;
            let roles: Result<_, _> = line.roles.iter().map(|role| RoleName::new(role)).collect();
            if !found.learn(&account, roles.map_err(|error| error.to_string())?) {
                return Err(format!("has roles of {account} that fit nothing"));
            }
        }
        Ok((found, whole))
    }

    fn write_head(&self, found: &Found) -> io::Result<File> {
        let account = |(id, name, email): (&AccountId, &str, &str)| AccountLine {
            id: id.to_string(),
            name: name.to_owned(),
            email: email.to_owned(),
        };
        let head = Head {
            version: VERSION,
            whose: self.whose.clone(),
            begun_at: unix_seconds(found.begun_at),
            accounts: found.listing().map(account).collect(),
        };
        if let Some(directory) = self.path.parent() {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
        }
        let new = self.path.with_extension("new");
        match fs::remove_file(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().append(true).create_new(true).mode(0o600).open(&new)?;
        file.write_all(&line(&head)?)?;
        // A power cut may leave it empty: then it is damaged, and AWS is asked again. Not worth waiting for the disk.
        fs::rename(&new, &self.path)?;
        Ok(file)
    }

    /// Opens the file for more lines; a last line that is not whole is taken off.
    fn reopen(&self, whole: usize) -> io::Result<File> {
        let file = OpenOptions::new().append(true).open(&self.path)?;
        file.set_len(u64::try_from(whole).unwrap_or(u64::MAX))?;
        Ok(file)
    }

    /// Deletes what nobody will go on from.
    fn sweep(&self, now: SystemTime) {
        let Some(entries) = self.path.parent().and_then(|directory| fs::read_dir(directory).ok()) else { return };
        for entry in entries.flatten().filter(|entry| entry.path() != self.path) {
            let written = entry.metadata().and_then(|file| file.modified());
            let old = written.is_ok_and(|at| now.duration_since(at).is_ok_and(|age| age >= KEPT_FOR));
            if old && let Err(error) = fs::remove_file(entry.path()) {
                tracing::warn!("{}: cannot be deleted: {error}", entry.path().display());
            }
        }
    }

    fn ignored<T>(&self, why: &dyn std::fmt::Display) -> Option<T> {
        tracing::warn!("{}: {why}; what an earlier inventory found is asked for again", self.path.display());
        None
    }

    fn not_kept(&self, error: &io::Error) {
        tracing::warn!("{}: {error}; an inventory that is interrupted begins anew", self.path.display());
    }
}

impl Kept {
    /// Takes the roles of an account, and writes them down as far as that is possible.
    pub(super) fn learn(&mut self, account: &AccountId, roles: Vec<RoleName>) {
        let entry = RolesLine { account: account.to_string(), roles: roles.iter().map(RoleName::to_string).collect() };
        if !self.found.learn(account, roles) {
            return;
        }
        let Some(file) = &mut self.file else { return };
        // One write: a line is there whole or, at the very end, in part.
        if let Err(error) = line(&entry).and_then(|bytes| file.write_all(&bytes)) {
            tracing::warn!("an inventory can no longer be kept: {error}");
            self.file = None;
        }
    }
}

impl AccountLine {
    fn account(&self) -> Result<ListedAccount, String> {
        let id = AccountId::new(&self.id).map_err(|error| error.to_string())?;
        Ok(ListedAccount { id, name: shown_name(&self.name), email: shown_name(&self.email) })
    }
}

fn line(of: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec(of)?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn parsed<T: serde::de::DeserializeOwned>(line: &[u8]) -> Result<T, String> {
    serde_json::from_slice(line).map_err(|error| format!("is damaged (column {})", error.column()))
}

#[cfg(test)]
mod tests;
