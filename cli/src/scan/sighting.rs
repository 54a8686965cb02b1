//! What stands in a text by itself: ids, and what may be secret. What belongs together is for `pairs` to say.

use super::found::Kind;
use super::key_id::{self, KeyKind};
use super::label::{self, Called, Label};
use super::runs::{self, Plain, Run, Runs};
use super::secret::{self, Evidence};
use super::{service, token};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

/// The most that is kept of a text.
pub(super) const MOST: usize = 100_000;

/// What it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Id(KeyKind),
    /// What looks like a secret access key.
    Secret(Hint),
    /// What looks like a password of a service-specific credential; whether it is called one.
    ServicePassword {
        named: bool,
    },
    /// What looks like a password for SES; whether it is called one.
    SmtpPassword {
        named: bool,
    },
    /// What needs nothing beside it to be known.
    Whole(Kind),
}

/// What its surroundings say of a secret access key. The best comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Hint {
    /// It is called one, or something of AWS's that is secret: good enough alone.
    Enough,
    /// It is called something secret.
    Some,
    None,
}

/// Something in a text.
pub(super) struct Sighting<'a> {
    pub(super) what: What,
    pub(super) start: usize,
    pub(super) end: usize,
    /// The id or the secret itself.
    pub(super) plain: Plain<'a>,
}

/// Returns what stands in a text, in order, and not much more than the given number.
pub(super) fn gather(text: &[u8], most: usize) -> Vec<Sighting<'_>> {
    let mut all = Vec::new();
    for run in Runs::of(text) {
        add_ids(&run, most, &mut all);
        if let Some((what, plain)) = secret_of(text, &run) {
            all.push(Sighting { what, start: run.start, end: run.end, plain });
        }
        if all.len() >= most {
            break;
        }
    }
    all
}

fn add_ids<'a>(run: &Run<'a>, most: usize, all: &mut Vec<Sighting<'a>>) {
    let mut from = 0;
    while let Some((kind, at)) = key_id::find(run.plain.bytes(), from) {
        from = at + key_id::LENGTH;
        let start = (run.start + at).min(run.end);
        let part = |from, to| part(&run.plain, from, to);
        all.push(Sighting { what: What::Id(kind), start, end: start + key_id::LENGTH, plain: part(at, from) });
        // `ID/SECRET`, as some tools take both in one.
        let rest = run.plain.bytes().get(from + 1..).unwrap_or_default();
        if run.length == from + 1 + secret::LENGTH && secret::looks_like_one(rest, Evidence::Near) {
            let plain = part(from + 1, run.length);
            all.push(Sighting { what: What::Secret(Hint::Some), start: start + from + 1 - at, end: run.end, plain });
        }
        if all.len() >= most {
            break;
        }
    }
}

fn part<'a>(plain: &Plain<'a>, from: usize, to: usize) -> Plain<'a> {
    match plain {
        Plain::There(bytes) => Plain::There(bytes.get(from..to).unwrap_or_default()),
        Plain::Copied(bytes) => Plain::Copied(Zeroizing::new(bytes.get(from..to).unwrap_or_default().to_vec())),
    }
}

/// Returns what secret a run is, if it is one, and the secret itself.
fn secret_of<'a>(text: &'a [u8], run: &Run<'a>) -> Option<(What, Plain<'a>)> {
    let bytes = run.plain.bytes();
    let (padding, end) = runs::padding(text, run.end);
    let all = || part(&run.plain, 0, bytes.len());
    let of_token = || {
        let whole = text.get(run.start..token::end(text, run)).unwrap_or_default();
        token::kind(text, run).map(|kind| (What::Whole(kind), Plain::There(whole)))
    };
    if !is_alone(text, run.start, end) {
        return of_token();
    }
    match (run.length, padding) {
        (secret::LENGTH, 0) => hint(text, run.start, bytes).map(|hint| (What::Secret(hint), all())),
        (43, 1) => service::password(text, run, end),
        (44, 0) => service::smtp_password(text, run),
        (27, 1) => encoded_id(bytes),
        (54, 2) => encoded_secret(text, run),
        _ if service::is_bedrock_key(bytes, run.length) => Some((What::Whole(Kind::BedrockApiKey), all())),
        _ => of_token(),
    }
}

/// Whether what stands between is a word of its own, and not part of one that is written in the alphabet of base64url, or with points.
fn is_alone(text: &[u8], start: usize, end: usize) -> bool {
    let before = start.checked_sub(1).and_then(|before| text.get(before)).copied().unwrap_or_default();
    let (after, next) = (byte(text, end), byte(text, end + 1));
    let goes_on = matches!(after, b'-' | b'_' | b'=') || (after == b'.' && next.is_ascii_alphanumeric());
    !matches!(before, b'-' | b'_' | b'.') && !goes_on
}

fn byte(text: &[u8], at: usize) -> u8 {
    text.get(at).copied().unwrap_or_default()
}

/// Returns what the surroundings say of something that has the length of a secret access key; none where it is not one.
fn hint(text: &[u8], start: usize, bytes: &[u8]) -> Option<Hint> {
    if !secret::looks_like_one(bytes, Evidence::Named) {
        return None;
    }
    let label = Label::before(text, start);
    let called = label.called();
    if called == Called::SecretAccessKey {
        return Some(Hint::Enough);
    }
    if !secret::looks_like_one(bytes, Evidence::Near) {
        return None;
    }
    match called {
        Called::SecretAccessKey | Called::SecretOfAws => Some(Hint::Enough),
        Called::Secret if label.holds("secret") && label::is_about_aws(text, start) => Some(Hint::Enough),
        Called::Secret => Some(Hint::Some),
        Called::Nothing => Some(Hint::None),
        Called::Other => None,
    }
}

/// An id in base64, as Kubernetes keeps it.
fn encoded_id<'a>(run: &[u8]) -> Option<(What, Plain<'a>)> {
    let plain = decoded(run, "=")?;
    let (kind, at) = key_id::find(&plain, 0).filter(|_| plain.len() == key_id::LENGTH)?;
    (at == 0).then_some((What::Id(kind), Plain::Copied(plain)))
}

/// A secret access key in base64, as Kubernetes keeps it.
fn encoded_secret<'a>(text: &[u8], run: &Run<'_>) -> Option<(What, Plain<'a>)> {
    let plain = decoded(run.plain.bytes(), "==")?;
    let of_alphabet = plain.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'));
    let hint = hint(text, run.start, &plain).filter(|_| of_alphabet)?;
    Some((What::Secret(hint), Plain::Copied(plain)))
}

/// Decodes base64 with this padding behind it.
pub(super) fn decoded(run: &[u8], padding: &str) -> Option<Zeroizing<Vec<u8>>> {
    let padded = Zeroizing::new([run, padding.as_bytes()].concat());
    let mut plain = Zeroizing::new(vec![0; padded.len()]);
    let length = STANDARD.decode_slice(&*padded, &mut plain).ok()?;
    plain.truncate(length);
    Some(plain)
}
