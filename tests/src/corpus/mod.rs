//! Files as people leave them, made by chance that is the same in every run: some with AWS credentials at known lines, among more that only look like
//! it. No value here was ever anybody's.
//!
//! Shapes come from what tools write and read, and from what other scanners test themselves with; values are made here.

mod chance;
mod credentials;
mod decoys;

use chance::Chance;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// How often each shape is made.
const ROUNDS: usize = 8;

/// Files, and where their credentials stand.
#[derive(Debug)]
pub struct Corpus {
    /// All of them.
    pub files: Vec<File>,
}

/// A file.
#[derive(Debug)]
pub struct File {
    /// Its path below the corpus.
    pub path: String,
    /// What is in it.
    pub text: String,
    /// The lines, from 1, that hold an access key's id or something secret of AWS's, with the credential each belongs to.
    pub truth: Vec<Truth>,
}

/// A credential.
#[derive(Debug)]
pub struct Truth {
    /// The lines it stands on.
    pub lines: BTreeSet<usize>,
    /// What must not be shown of it: the secret as a whole, where there is one.
    pub secret: Option<String>,
}

impl Corpus {
    /// Makes it.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut chance = Chance::new(seed);
        let mut files = Vec::new();
        for round in 0..ROUNDS {
            for (part, of_part) in [("a", credentials::files(&mut chance)), ("b", decoys::files(&mut chance))] {
                let placed = |file: File| File { path: format!("{round}/{part}/{}", file.path), ..file };
                files.extend(of_part.into_iter().map(placed));
            }
        }
        Self { files }
    }

    /// Writes it below a directory.
    ///
    /// # Panics
    /// When it cannot.
    pub fn write(&self, directory: &Path) {
        for file in &self.files {
            let path = directory.join(&file.path);
            fs::create_dir_all(path.parent().expect("below the directory")).expect("a directory");
            fs::write(path, &file.text).expect("a file");
        }
    }

    /// Every line with something of a credential on it.
    #[must_use]
    pub fn true_lines(&self) -> BTreeSet<(String, usize)> {
        let of = |file: &File| {
            file.truth
                .iter()
                .flat_map(|truth| truth.lines.clone())
                .map(|line| (file.path.clone(), line))
                .collect::<Vec<_>>()
        };
        self.files.iter().flat_map(of).collect()
    }
}

/// Makes a file of a shape. What is made by chance is written `‹kind›`, or `‹kind.NAME›` when the file has several of that kind; the parts of one
/// name are one credential.
struct Shape<'a> {
    chance: &'a mut Chance,
    values: Vec<(String, String)>,
}

impl<'a> Shape<'a> {
    fn file(chance: &'a mut Chance, path: &str, shape: &str) -> File {
        let mut this = Self { chance, values: Vec::new() };
        let mut text = String::new();
        let mut truth: Vec<(String, Truth)> = Vec::new();
        for (at, line) in shape.split_inclusive('\n').enumerate() {
            let mut rest = line;
            while let Some((before, (mark, after))) =
                rest.split_once('‹').and_then(|(before, rest)| Some((before, rest.split_once('›')?)))
            {
                let (kind, name) = mark.split_once('.').unwrap_or((mark, ""));
                let value = this.value(kind, name);
                text.push_str(before);
                text.push_str(&value);
                if is_of_credential(kind) {
                    note(&mut truth, name, at + 1, is_secret(kind).then(|| value.clone()));
                }
                rest = after;
            }
            text.push_str(rest);
        }
        File { path: path.to_owned(), text, truth: truth.into_iter().map(|(_, truth)| truth).collect() }
    }

    /// Returns the value of a mark; the same mark is the same value, but for what is no part of a credential.
    fn value(&mut self, kind: &str, name: &str) -> String {
        let mark = format!("{kind}.{name}");
        if let Some((_, value)) = self.values.iter().find(|(known, _)| *known == mark && is_of_credential(kind)) {
            return value.clone();
        }
        let value = self.make(kind, name);
        self.values.push((mark, value.clone()));
        value
    }

    fn make(&mut self, kind: &str, name: &str) -> String {
        use base64::Engine as _;
        use base64::engine::general_purpose::STANDARD;
        let chance = &mut *self.chance;
        match kind {
            "akia" => chance.key_id("AKIA"),
            "asia" => chance.key_id("ASIA"),
            "secret" => chance.secret(),
            "secret_json" => self.value("secret", name).replace('/', "\\/"),
            "secret_url" | "password_url" => {
                let plain = self.value(kind.trim_end_matches("_url"), name);
                plain.replace('/', "%2F").replace('+', "%2B").replace('=', "%3D")
            }
            "secret_base64" => STANDARD.encode(self.value("secret", name)),
            "akia_base64" => STANDARD.encode(self.value("akia", name)),
            "password" => chance.password(),
            "bedrock" => {
                let (user, account, password) = (chance.hex(4), chance.account(), chance.password());
                format!("ABSK{}", STANDARD.encode(format!("BedrockAPIKey-{user}-at-{account}:{password}")))
            }
            "smtp" => {
                format!("B{}{}", char::from(b'A' + u8::try_from(chance.below(16)).expect("small")), chance.base64(42))
            }
            "account" => chance.account(),
            "word" => chance.word(),
            "Word" => chance.capitalised(),
            "uuid" => chance.uuid(),
            "digits12" => chance.digits(12),
            other => {
                let (alphabet, count) = other.split_once(':').unwrap_or_else(|| panic!("what is {other}?"));
                let count = count.parse().expect("a count");
                match alphabet {
                    "hex" => chance.hex(count),
                    "HEX" => chance.hex(count).to_uppercase(),
                    "base64" => chance.base64(count),
                    "base64url" => chance.base64url(count),
                    "base32" => chance.base32(count),
                    "alnum" => chance.alphanumeric(count),
                    "digits" => chance.digits(count),
                    _ => panic!("what is {other}?"),
                }
            }
        }
    }
}

fn note(truth: &mut Vec<(String, Truth)>, name: &str, line: usize, secret: Option<String>) {
    match truth.iter_mut().find(|(known, _)| known == name) {
        Some((_, truth)) => {
            truth.lines.insert(line);
            truth.secret = truth.secret.take().or(secret);
        }
        None => truth.push((name.to_owned(), Truth { lines: [line].into(), secret })),
    }
}

fn is_of_credential(kind: &str) -> bool {
    is_secret(kind) || kind.starts_with("akia") || kind == "asia"
}

fn is_secret(kind: &str) -> bool {
    ["secret", "password", "bedrock", "smtp"].iter().any(|start| kind.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_same_every_time_and_knows_its_lines() {
        let (one, other) = (Corpus::new(1), Corpus::new(1));
        assert!(one.files.iter().zip(&other.files).all(|(a, b)| a.text == b.text && a.path == b.path));
        for file in &one.files {
            let lines: Vec<&str> = file.text.split('\n').collect();
            for truth in &file.truth {
                let text: String = truth.lines.iter().map(|line| lines[line - 1]).collect();
                assert!(truth.secret.as_ref().is_none_or(|secret| text.contains(secret)), "{}", file.path);
            }
        }
        let with = one.files.iter().filter(|file| !file.truth.is_empty()).count();
        assert!(with > 300 && one.files.len() - with > 200, "{with} of {}", one.files.len());
    }
}
