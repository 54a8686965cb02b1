//! Finds secrets where none belong, in whatever form they got there.
//!
//! Every secret of the sandbox holds one marker text, so one search finds all of them, also those cut short. A secret from
//! elsewhere (a PKCE verifier, a passphrase) is added by its value. The search must be shown to find what is planted before
//! a clean result means anything: `tests/leaks.rs` does.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use std::fmt;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

/// What to look for.
#[derive(Debug)]
pub struct Canaries {
    needles: Vec<Needle>,
}

#[derive(Debug)]
struct Needle {
    form: &'static str,
    text: String,
}

/// A secret where none belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Where: a file, a command's output, a process.
    pub place: String,
    /// In which form.
    pub form: &'static str,
    /// What stands around it. All secrets here are made up, so it may be shown.
    pub around: String,
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} holds a secret ({}): {:?}", self.place, self.form, self.around)
    }
}

impl Default for Canaries {
    fn default() -> Self {
        Self { needles: needles(tegata_sandbox::CANARY) }
    }
}

impl Canaries {
    /// Looks for one more secret, of at least six bytes: shorter ones are found by chance.
    ///
    /// # Panics
    /// When it is shorter.
    #[must_use]
    pub fn and(mut self, secret: &str) -> Self {
        assert!(secret.len() >= 6, "{secret:?} is found by chance");
        self.needles.extend(needles(secret));
        self
    }

    /// Looks in bytes, as they are and as each reader of them may decode them.
    #[must_use]
    pub fn find_in(&self, place: &str, bytes: &[u8]) -> Vec<Found> {
        let views = [
            bytes.to_vec(),
            bytes.to_ascii_lowercase(),
            percent_decoded(bytes),
            json_unescaped(bytes),
            bytes.iter().copied().filter(|byte| *byte != 0 && !byte.is_ascii_whitespace()).collect(),
        ];
        let mut found: Vec<Found> = Vec::new();
        for text in views.iter().map(|view| String::from_utf8_lossy(view)) {
            for Needle { form, text: needle } in &self.needles {
                if let Some(at) = text.find(needle)
                    && !found.iter().any(|found| found.form == *form)
                {
                    let around = around(&text, at, needle.len());
                    found.push(Found { place: place.to_owned(), form, around });
                }
            }
        }
        found
    }

    /// Looks in every file under a directory and in the files' names. Links are not followed, and what is no file is not read.
    ///
    /// # Panics
    /// When the directory cannot be read.
    #[must_use]
    pub fn find_under(&self, directory: &Path) -> Vec<Found> {
        let mut found = Vec::new();
        let entries = fs::read_dir(directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
        for entry in entries.flatten() {
            let (path, name) = (entry.path(), entry.file_name());
            let place = path.display().to_string();
            found.extend(self.find_in(&format!("the name of {place}"), name.as_bytes()));
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => found.extend(self.find_under(&path)),
                // A file may be replaced while the daemon runs: what is gone is not there.
                Ok(kind) if kind.is_file() => found.extend(self.find_in(&place, &fs::read(&path).unwrap_or_default())),
                Ok(kind) if kind.is_symlink() => {
                    let target = fs::read_link(&path).unwrap_or_default();
                    found.extend(self.find_in(&place, target.as_os_str().as_bytes()));
                }
                _ => {}
            }
        }
        found
    }

    /// Looks in what every process of the user can read of a process: its arguments and, where the kernel lets it, its environment.
    #[must_use]
    pub fn find_in_process(&self, pid: u32) -> Vec<Found> {
        let read = |name| (name, fs::read(format!("/proc/{pid}/{name}")).unwrap_or_default());
        let parts = [read("cmdline"), read("environ"), read("comm")];
        parts.iter().flat_map(|(name, bytes)| self.find_in(&format!("{name} of process {pid}"), bytes)).collect()
    }
}

/// Fails the test with every place named.
///
/// # Panics
/// When anything was found.
pub fn assert_none(found: &[Found]) {
    let lines: Vec<String> = found.iter().map(Found::to_string).collect();
    assert!(found.is_empty(), "{}", lines.join("\n"));
}

/// A secret in the forms that a search of decoded text does not find. Base64 looks different at each of the three places a
/// byte may have in its group of three; what depends on the neighbours is left out.
fn needles(secret: &str) -> Vec<Needle> {
    let bytes = secret.as_bytes();
    let mut needles = vec![
        Needle { form: "as it is", text: secret.to_owned() },
        Needle { form: "in hexadecimal", text: bytes.iter().map(|byte| format!("{byte:02x}")).collect() },
    ];
    for (form, alphabet) in [("in base64", &STANDARD), ("in base64url", &URL_SAFE)] {
        for before in 0..3 {
            let encoded = alphabet.encode([vec![0; before], bytes.to_vec()].concat());
            let whole = (before + bytes.len()) * 8 / 6;
            let text = encoded[(before * 8).div_ceil(6)..whole].to_owned();
            if !needles.iter().any(|needle| needle.text == text) {
                needles.push(Needle { form, text });
            }
        }
    }
    needles
}

fn percent_decoded(bytes: &[u8]) -> Vec<u8> {
    replaced(bytes, b"%", 2)
}

fn json_unescaped(bytes: &[u8]) -> Vec<u8> {
    let slashes = String::from_utf8_lossy(bytes).replace("\\/", "/");
    replaced(slashes.as_bytes(), b"\\u00", 2)
}

/// Replaces each `mark` and the hexadecimal digits behind it by the byte they stand for.
fn replaced(bytes: &[u8], mark: &[u8], digits: usize) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((first, behind)) = rest.split_first() {
        let code = rest.strip_prefix(mark).and_then(|behind| behind.split_at_checked(digits));
        let byte = code.and_then(|(code, behind)| Some((std::str::from_utf8(code).ok()?, behind)));
        match byte.and_then(|(code, behind)| Some((u8::from_str_radix(code, 16).ok()?, behind))) {
            Some((byte, behind)) => {
                decoded.push(byte);
                rest = behind;
            }
            None => {
                decoded.push(*first);
                rest = behind;
            }
        }
    }
    decoded
}

fn around(text: &str, at: usize, length: usize) -> String {
    let from = text.floor_char_boundary(at.saturating_sub(60));
    let to = text.ceil_char_boundary((at + length + 30).min(text.len()));
    text[from..to].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forms(text: &str) -> Vec<&'static str> {
        Canaries::default().and("s3cret/+value").find_in("here", text.as_bytes()).iter().map(|f| f.form).collect()
    }

    #[test]
    fn each_form_of_a_secret_is_found() {
        for (text, form) in [
            ("xx CANARY0123 xx", "as it is"),
            ("%43ANAR%59", "as it is"),
            ("\\u0043ANAR\\u0059", "as it is"),
            ("C\0A\0N\0A\0R\0Y\0", "as it is"),
            ("s3cret\\/+value", "as it is"),
            ("s3cret%2F%2bvalue", "as it is"),
            ("43414E415259", "in hexadecimal"),
            ("43414e415259", "in hexadecimal"),
        ] {
            assert_eq!(forms(text), [form], "{text:?}");
        }
    }

    #[test]
    fn base64_is_found_wherever_the_secret_begins() {
        for before in 0..6 {
            let plain = format!("{}CANARY0123{}", "a".repeat(before), "b".repeat(9));
            assert_eq!(forms(&STANDARD.encode(&plain)), ["in base64"], "{plain}");
            let odd = format!("{}s3cret/+value?>?>", "~".repeat(before));
            assert!(!forms(&URL_SAFE.encode(odd)).is_empty(), "{before}");
        }
        let wrapped: Vec<char> = STANDARD.encode("aCANARY0123").chars().collect();
        let wrapped: Vec<String> = wrapped.chunks(5).map(|line| line.iter().collect()).collect();
        assert_eq!(forms(&wrapped.join("\n")), ["in base64"]);
    }

    #[test]
    fn what_holds_no_secret_is_clean() {
        assert!(forms("canary CANAR-Y%%4 \\u00zz 100% \\ s3cret").is_empty());
    }
}
