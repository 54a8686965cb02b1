//! An event and who asked → the line that is written. Pure.

use super::event::Event;
use crate::arns::{IdentityArn, UserArn};
use crate::caller::{Caller, Process};
use crate::clock::rfc3339;
use crate::names::{AccountId, ProfileName, RoleArn, RoleName, SessionName};
use serde::{Serialize, Serializer};
use std::borrow::Cow;
use std::fmt::Display;
use std::time::{Duration, SystemTime};
use tegata_protocol::text::{MAX_SHOWN, is_hostile, one_line};

/// The version of the records' form.
const VERSION: u8 = 1;

/// Everything of a record after its version and number.
#[derive(Serialize)]
struct Rest<'a> {
    #[serde(serialize_with = "time")]
    at: SystemTime,
    boot_ms: u64,
    #[serde(flatten)]
    event: &'a Event<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    requester: Option<Requester<'a>>,
}

#[derive(Serialize)]
struct Requester<'a> {
    uid: u32,
    gid: u32,
    pid: u32,
    started_ms: u64,
    #[serde(serialize_with = "text")]
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    terminal: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_leader: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_leader_started_ms: Option<u64>,
    #[serde(serialize_with = "process_names")]
    ancestry: &'a [Process],
}

impl<'a> From<&'a Caller> for Requester<'a> {
    fn from(caller: &'a Caller) -> Self {
        let Caller { uid, gid, process, login_session, ancestry } = caller;
        let session = login_session.as_ref();
        Self {
            uid: *uid,
            gid: *gid,
            pid: process.pid,
            started_ms: milliseconds(process.started),
            name: &process.name,
            terminal: session.and_then(|session| session.terminal),
            session_leader: session.map(|session| session.leader),
            session_leader_started_ms: session.map(|session| milliseconds(session.leader_started)),
            ancestry,
        }
    }
}

/// Returns the part of a record that does not depend on its place in the log: from the first member after `seq` on.
pub(super) fn rest(
    now: SystemTime,
    since_boot: Duration,
    caller: Option<&Caller>,
    event: &Event<'_>,
) -> Result<Vec<u8>, serde_json::Error> {
    let mut json = Vec::with_capacity(640);
    let requester = caller.map(Requester::from);
    serde_json::to_writer(&mut json, &Rest { at: now, boot_ms: milliseconds(since_boot), event, requester })?;
    json.push(b'\n');
    Ok(json)
}

/// Writes the whole line into `line`: version, number, and the rest.
pub(super) fn line(line: &mut Vec<u8>, seq: u64, rest: &[u8]) {
    line.clear();
    line.extend_from_slice(format!("{{\"v\":{VERSION},\"seq\":{seq},").as_bytes());
    line.extend_from_slice(rest.strip_prefix(b"{").unwrap_or(rest));
}

/// Returns the number of the record on a line; `None` if it is no record.
pub(super) fn seq_of(line: &[u8]) -> Option<u64> {
    #[derive(serde::Deserialize)]
    struct Numbered {
        seq: u64,
    }
    serde_json::from_slice::<Numbered>(line).ok().map(|record| record.seq)
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// A name as the other rooms check them.
pub(super) trait Name {
    fn text(&self) -> &str;
}

macro_rules! names {
    ($($type:ty),+) => {
        $(impl Name for $type {
            fn text(&self) -> &str {
                self.as_str()
            }
        })+
    };
}
names!(AccountId, IdentityArn, ProfileName, RoleArn, RoleName, SessionName, UserArn);

pub(super) fn name<N: Name, S: Serializer>(name: &&N, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&printable(name.text()))
}

pub(super) fn names<N: Name, S: Serializer>(name: &Option<&N>, serializer: S) -> Result<S::Ok, S::Error> {
    match name {
        Some(name) => serializer.serialize_str(&printable(name.text())),
        None => serializer.serialize_none(),
    }
}

pub(super) fn shown<T: Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

pub(super) fn shown_if<T: Display, S: Serializer>(value: &Option<&T>, serializer: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => serializer.collect_str(value),
        None => serializer.serialize_none(),
    }
}

pub(super) fn time<S: Serializer>(time: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&rfc3339(*time))
}

pub(super) fn text<S: Serializer>(text: &&str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&printable(text))
}

pub(super) fn texts<S: Serializer>(text: &Option<&str>, serializer: S) -> Result<S::Ok, S::Error> {
    match text {
        Some(text) => serializer.serialize_str(&printable(text)),
        None => serializer.serialize_none(),
    }
}

fn process_names<S: Serializer>(processes: &[Process], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(processes.iter().map(|process| printable(&process.name)))
}

/// As [`one_line`], without a copy where the text is one printable line already.
fn printable(text: &str) -> Cow<'_, str> {
    if text.len() <= MAX_SHOWN && !text.chars().any(is_hostile) { Cow::Borrowed(text) } else { one_line(text).into() }
}
