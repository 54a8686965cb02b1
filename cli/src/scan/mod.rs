//! Long-lived AWS credentials in a text: the bytes of a file in, findings out. Nothing is read or written here, and nothing secret leaves:
//! a finding holds the last four characters.
//!
//! `runs` finds what may be part of a credential, `sighting` says what stands there by itself, `pairs` what belongs together, and this
//! file makes one finding of each credential, wherever and however often it stands.

mod found;
mod key_id;
mod label;
mod pairs;
mod placeholder;
mod runs;
mod secret;
mod service;
mod sighting;
mod token;

use found::Positions;
pub(crate) use found::{Found, Kind, Severity};
use key_id::KeyKind;
use pairs::Pairs;
use sighting::{Hint, Sighting, What};
use std::collections::HashMap;

/// A credential, with all that is known of it while the text is at hand.
struct Credential<'a> {
    kind: Kind,
    id: Option<&'a [u8]>,
    secret: Option<&'a [u8]>,
    user: Option<service::User>,
    offsets: Vec<usize>,
}

/// What came of a text.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Examined {
    /// In the order in which it stands there.
    pub(crate) found: Vec<Found>,
    /// Whether the text holds so much that its end was not looked at.
    pub(crate) is_cut_short: bool,
}

/// Finds what a text holds.
pub(crate) fn examine(text: &[u8]) -> Examined {
    examine_within(text, sighting::MOST)
}

fn examine_within(text: &[u8], most: usize) -> Examined {
    let all = sighting::gather(text, most);
    if all.is_empty() {
        return Examined::default();
    }
    let pairs = Pairs::of(text, &all);
    let credentials = merged((0..all.len()).filter_map(|at| credential(text, &all, &pairs, at)));
    let positions = Positions::of(text, credentials.iter().flat_map(|credential| credential.offsets.clone()).collect());
    let mut found: Vec<_> = credentials.into_iter().map(|credential| credential.found(&positions)).collect();
    found.sort_by_key(|found| found.offset);
    Examined { found, is_cut_short: all.len() >= most }
}

/// Returns what a sighting is with what belongs to it; nothing where it is part of another, or alone no evidence.
fn credential<'a>(text: &[u8], all: &'a [Sighting<'a>], pairs: &Pairs, at: usize) -> Option<Credential<'a>> {
    let sighting = all.get(at)?;
    let bytes = sighting.plain.bytes();
    let with = pairs.id_of(at).and_then(|id| all.get(id));
    let alone = |kind, id, secret| Some(Credential { kind, id, secret, user: None, offsets: vec![sighting.start] });
    match (sighting.what, with) {
        (What::Id(kind), _) if !pairs.is_taken(at) && !belongs_to_service(all, at, kind) => {
            alone(of_id(kind), Some(bytes), None)
        }
        (What::Secret(_), Some(id)) => Some(pair(secret_kind(id.what), id, sighting)),
        (What::Secret(Hint::Enough), None) => alone(Kind::SecretAccessKey, None, Some(bytes)),
        (What::SmtpPassword { .. }, Some(id)) => Some(pair(Kind::SmtpPassword, id, sighting)),
        (What::SmtpPassword { named: true }, None) => alone(Kind::SmtpPassword, None, Some(bytes)),
        (What::ServicePassword { named }, _) => with_user(text, sighting, named),
        (What::Whole(kind), _) => {
            let user = service::user_of_bedrock_key(bytes).filter(|_| kind == Kind::BedrockApiKey);
            Some(Credential { kind, id: None, secret: Some(bytes), user, offsets: vec![sighting.start] })
        }
        _ => None,
    }
}

fn pair<'a>(kind: Kind, id: &'a Sighting<'a>, secret: &'a Sighting<'a>) -> Credential<'a> {
    let offsets = vec![id.start.min(secret.start), id.start.max(secret.start)];
    Credential { kind, id: Some(id.plain.bytes()), secret: Some(secret.plain.bytes()), user: None, offsets }
}

/// A password of a service, if it is called one or its user name is near.
fn with_user<'a>(text: &[u8], sighting: &'a Sighting<'a>, named: bool) -> Option<Credential<'a>> {
    let user = service::user_near(text, sighting.start, sighting.end);
    let (secret, offsets) = (Some(sighting.plain.bytes()), vec![sighting.start]);
    (named || user.is_some()).then_some(Credential { kind: Kind::ServicePassword, id: None, secret, user, offsets })
}

/// Whether an id is that of a password that stands beside it, as the AWS CLI prints both.
fn belongs_to_service(all: &[Sighting<'_>], at: usize, kind: KeyKind) -> bool {
    let is_password = |at: usize| {
        all.get(at)
            .is_some_and(|other| matches!(other.what, What::ServicePassword { .. } | What::Whole(Kind::BedrockApiKey)))
    };
    kind == KeyKind::ServiceSpecific && (at.checked_sub(1).is_some_and(is_password) || is_password(at + 1))
}

fn of_id(kind: KeyKind) -> Kind {
    match kind {
        KeyKind::LongLived => Kind::AccessKeyId,
        KeyKind::Temporary | KeyKind::Bearer | KeyKind::ServiceSpecific => Kind::OtherId,
    }
}

fn secret_kind(id: What) -> Kind {
    match id {
        What::Id(KeyKind::Temporary) => Kind::TemporaryCredentials,
        _ => Kind::AccessKey,
    }
}

/// Makes one credential of all that have the same secret, or the same id and no other secret.
fn merged<'a>(all: impl Iterator<Item = Credential<'a>>) -> Vec<Credential<'a>> {
    let mut merged: Vec<Credential<'_>> = Vec::new();
    let mut by_text: HashMap<(bool, &[u8]), usize> = HashMap::new();
    // Those with a secret first, so that an id that stands alone elsewhere finds them.
    let (with_secret, without): (Vec<_>, Vec<_>) = all.partition(|credential| credential.secret.is_some());
    for credential in with_secret.into_iter().chain(without) {
        let key = (credential.secret.is_some(), credential.secret.or(credential.id).unwrap_or_default());
        match by_text.get(&key).and_then(|at| merged.get_mut(*at)) {
            Some(known) => known.take(credential),
            None => {
                by_text.insert(key, merged.len());
                if let Some(id) = credential.id {
                    by_text.entry((false, id)).or_insert(merged.len());
                }
                merged.push(credential);
            }
        }
    }
    merged
}

impl Credential<'_> {
    /// Takes over what is known of the same one elsewhere.
    fn take(&mut self, other: Self) {
        self.kind = self.kind.min(other.kind);
        self.id = self.id.or(other.id);
        self.user = self.user.take().or(other.user);
        self.offsets.extend(other.offsets);
    }

    fn found(mut self, positions: &Positions) -> Found {
        self.offsets.sort_unstable();
        self.offsets.dedup();
        let account = self.id.and_then(key_id::account).or_else(|| self.user.as_ref().map(|user| user.account.clone()));
        let found = Found {
            kind: self.kind,
            key_id: self.id.map(key_id::shown),
            secret: self.secret.map(secret::tail),
            account,
            user: self.user.map(|user| user.name),
            places: Vec::new(),
            more: 0,
            offset: 0,
        };
        found.at(&self.offsets, positions)
    }
}

/// Returns the profile that a place in AWS config or in a credentials file belongs to: that of the last header before it.
pub(crate) fn profile(text: &[u8], at: usize) -> Option<String> {
    let before = text.get(..at)?;
    let header = before.rsplit(|byte| *byte == b'\n').find_map(|line| {
        let inner = line.trim_ascii().strip_prefix(b"[")?;
        inner.get(..inner.iter().position(|byte| *byte == b']')?)
    })?;
    let header = String::from_utf8_lossy(header.trim_ascii());
    Some(header.strip_prefix("profile ").map_or(&*header, str::trim).to_owned())
}

#[cfg(test)]
mod tests;
