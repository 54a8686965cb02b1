//! What belongs together: the id of an access key and its secret, a password and its user name.

use super::key_id::KeyKind;
use super::sighting::{Hint, Sighting, What};

/// How far an id and its secret may be from each other, in bytes and in lines.
const FAR: usize = 600;
const FAR_LINES: usize = 6;
/// The same for a secret that nothing calls one.
const CLOSE: usize = 200;
const CLOSE_LINES: usize = 2;
/// How much farther away it seems what another section of a file, or a blank line, lies between.
const BORDER: usize = 400;

/// Who is with whom. An id may have a secret and a password for SES, made of that secret.
#[derive(Debug, Default)]
pub(super) struct Pairs {
    /// By the index of a secret, the index of its id.
    ids: Vec<Option<usize>>,
    /// By the index of an id, whether something secret is beside it.
    taken: Vec<bool>,
}

/// A possible pair; the best comes first.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    hint: Hint,
    distance: usize,
    id: usize,
    secret: usize,
}

impl Pairs {
    /// Decides for everything in a text. An id takes the nearest secret, and of several rather one that is called one.
    pub(super) fn of(text: &[u8], all: &[Sighting<'_>]) -> Self {
        let mut pairs = Self { ids: vec![None; all.len()], taken: vec![false; all.len()] };
        let mut candidates: Vec<Candidate> = (0..all.len()).flat_map(|id| near(text, all, id)).collect();
        candidates.sort_unstable();
        let mut with_secret = vec![false; all.len()];
        for Candidate { id, secret, .. } in candidates {
            let is_key = matches!(all.get(secret).map(|sighting| sighting.what), Some(What::Secret(_)));
            let (Some(of_secret), Some(of_id)) = (pairs.ids.get_mut(secret), with_secret.get_mut(id)) else { continue };
            if of_secret.is_some() || (is_key && *of_id) {
                continue;
            }
            *of_secret = Some(id);
            *of_id |= is_key;
            pairs.taken.get_mut(id).into_iter().for_each(|taken| *taken = true);
        }
        pairs
    }

    /// Returns the id that belongs to a secret.
    pub(super) fn id_of(&self, secret: usize) -> Option<usize> {
        self.ids.get(secret).copied().flatten()
    }

    /// Whether an id has something secret.
    pub(super) fn is_taken(&self, id: usize) -> bool {
        self.taken.get(id).copied().unwrap_or_default()
    }
}

/// Returns what may belong to an id.
fn near(text: &[u8], all: &[Sighting<'_>], id: usize) -> Vec<Candidate> {
    let Some(of_id) = all.get(id).filter(|sighting| is_key(sighting.what)) else { return Vec::new() };
    let before = (0..id).rev().take_while(|at| all.get(*at).is_some_and(|other| other.end + FAR > of_id.start));
    let after = (id + 1..all.len()).take_while(|at| all.get(*at).is_some_and(|other| other.start < of_id.end + FAR));
    before.chain(after).filter_map(|secret| candidate(text, all, id, secret)).collect()
}

fn is_key(what: What) -> bool {
    matches!(what, What::Id(KeyKind::LongLived | KeyKind::Temporary))
}

fn candidate(text: &[u8], all: &[Sighting<'_>], id: usize, secret: usize) -> Option<Candidate> {
    let (of_id, of_secret) = (all.get(id)?, all.get(secret)?);
    let hint = match of_secret.what {
        What::Secret(hint) => hint,
        What::SmtpPassword { .. } if matches!(of_id.what, What::Id(KeyKind::LongLived)) => Hint::Some,
        _ => return None,
    };
    let (from, to) =
        if of_id.start < of_secret.start { (of_id.end, of_secret.start) } else { (of_secret.end, of_id.start) };
    let between = text.get(from..to.max(from)).unwrap_or_default();
    let lines = between.iter().filter(|byte| **byte == b'\n').count();
    let (far, far_lines) = if hint == Hint::None { (CLOSE, CLOSE_LINES) } else { (FAR, FAR_LINES) };
    let borders = between.windows(2).filter(|pair| matches!(pair, [b'\n', b'[' | b'\n'])).count();
    (between.len() <= far && lines <= far_lines).then(|| Candidate {
        hint,
        distance: between.len() + borders * BORDER,
        id,
        secret,
    })
}

#[cfg(test)]
mod tests {
    use super::super::sighting::{MOST, gather};
    use super::*;

    const IDS: [&str; 2] = ["AKIAY34FZKBOKMUTVV7A", "AKIAQNZGKIQY56JQ7WML"];
    const SECRETS: [&str; 2] = ["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", "Zk+v4GQpWy/LtN8dRjXs0hFbMcU6aE2oVnKiTq7r"];

    /// The pairs of a text in which `I`, `J` stand for ids and `S`, `T` for secrets.
    fn pairs(shape: &str) -> Vec<(String, String)> {
        let mut text = shape.to_owned();
        for (mark, value) in ["I!", "J!", "S!", "T!"].into_iter().zip(IDS.into_iter().chain(SECRETS)) {
            text = text.replace(mark, value);
        }
        let all = gather(text.as_bytes(), MOST);
        let pairs = Pairs::of(text.as_bytes(), &all);
        let name = |at: usize| {
            let text = String::from_utf8(all[at].plain.bytes().to_vec()).unwrap();
            let at = IDS.into_iter().chain(SECRETS).position(|value| value == text).unwrap();
            ["I", "J", "S", "T"][at].to_owned()
        };
        (0..all.len()).filter_map(|secret| Some((name(pairs.id_of(secret)?), name(secret)))).collect()
    }

    #[test]
    fn an_id_takes_its_secret_in_every_shape() {
        for shape in [
            "aws_access_key_id = I!\naws_secret_access_key = S!\n",
            "secret_key: S!\naccess_key: I!\n",
            "I!:S!",
            "I!/S!",
            "I!,S!",
            "Access key ID,Secret access key\r\nI!,S!\r\n",
            "client('s3', 'I!', 'S!')",
            "<AccessKeyId>I!</AccessKeyId>\n  <SecretAccessKey>S!</SecretAccessKey>",
            "I!\nS!\n",
            "{\"AccessKeyId\":\"I!\",\"Status\":\"Active\",\"CreateDate\":\"2026-11-30T00:00:00+00:00\",\"SecretAccessKey\":\"S!\"}",
        ] {
            assert_eq!(pairs(shape), [("I".to_owned(), "S".to_owned())], "{shape}");
        }
    }

    #[test]
    fn of_two_each_takes_its_own() {
        let own = [("I".to_owned(), "S".to_owned()), ("J".to_owned(), "T".to_owned())];
        for shape in [
            "[a]\naws_access_key_id = I!\naws_secret_access_key = S!\n[b]\naws_access_key_id = J!\naws_secret_access_key = T!\n",
            "[a]\naws_secret_access_key = S!\naws_access_key_id = I!\n[b]\naws_secret_access_key = T!\naws_access_key_id = J!\n",
            "I!:S!\nJ!:T!\n",
        ] {
            assert_eq!(pairs(shape), own, "{shape}");
        }
    }

    #[test]
    fn what_is_called_a_secret_is_preferred_and_what_is_far_is_left() {
        assert_eq!(pairs("id I! T! secret = S!"), [("I".to_owned(), "S".to_owned())]);
        assert_eq!(pairs("I!\n\n\n\nS!"), [], "four lines, and nothing says so");
        assert_eq!(pairs(&format!("I!{}secret = S!", "\n#".repeat(7))), []);
        assert_eq!(pairs(&format!("I! {} secret = S!", "x ".repeat(400))), []);
    }
}
