//! The command that mends a finding, and what to use instead.

use super::git::Git;
use super::look::{Hit, Looked, Place};
use crate::scan::{Kind, Severity};
use std::path::Path;
use tegata_protocol::text::is_hostile;

/// Returns the command for one finding.
pub(super) fn command(hit: &Hit) -> String {
    match &hit.place {
        Place::Variables(names) => format!("unset {}", names.join(" ")),
        Place::File(path) => in_file(path, hit),
    }
}

fn in_file(path: &Path, hit: &Hit) -> String {
    let file = quoted(&path.to_string_lossy());
    let edit = || format!("\"${{EDITOR:-vi}}\" +{} {file}", hit.found.places.first().map_or(1, |place| place.line));
    match hit.found.kind {
        Kind::AccessKey if hit.profile.is_some() => {
            format!("tegata keys import {}", quoted(hit.profile.as_deref().unwrap_or_default()))
        }
        Kind::SignInToken if path.parent().is_some_and(|cache| cache.ends_with("sso/cache")) => {
            "tegata adopt-session".to_owned()
        }
        Kind::SignInToken | Kind::TemporaryCredentials if is_cache(path) => format!("rm {file}"),
        _ => edit(),
    }
}

/// Whether tools write this file anew when they need it.
fn is_cache(path: &Path) -> bool {
    path.parent().is_some_and(|directory| directory.ends_with("cache"))
}

/// Returns a word as a POSIX shell reads it as one: what is offered for copying means what it says, and shows no character that a terminal obeys.
fn quoted(word: &str) -> String {
    if word.chars().any(is_hostile) {
        return escaped(word);
    }
    shlex::try_quote(word).map_or_else(|_| word.to_owned(), std::borrow::Cow::into_owned)
}

/// A word in the quotes that POSIX has had since 2024, and bash, zsh and ksh for long: `$'a\x0ab'`.
fn escaped(word: &str) -> String {
    let one = |byte: u8| match byte {
        b'\'' | b'\\' => format!("\\{}", char::from(byte)),
        b' '..=b'~' => char::from(byte).to_string(),
        _ => format!("\\x{byte:02x}"),
    };
    format!("$'{}'", word.bytes().map(one).collect::<String>())
}

/// Returns what to do about all of them, one line each.
pub(super) fn advice(looked: &Looked) -> Vec<&'static str> {
    let any = |is: &dyn Fn(&Hit) -> bool| looked.hits.iter().any(is);
    let of = |kind: Kind| any(&move |hit: &Hit| hit.found.kind == kind);
    let mut lines = Vec::new();
    if any(&|hit| hit.found.kind.severity() == Severity::Error) {
        lines.push("Whoever could read a key may have copied it: make a new one in IAM, and delete the old one.");
    }
    if any(&|hit| matches!(hit.git, Some(Git::Tracked)) && hit.found.kind.severity() != Severity::Note) {
        lines.push("What git tracks stays in its history, whatever becomes of the file: delete that key in IAM.");
    }
    if of(Kind::AccessKey) || of(Kind::SecretAccessKey) {
        lines.push("Instead of a key: tegata exec PROFILE -- COMMAND, or a profile with credential_process.");
    }
    if of(Kind::ServicePassword) {
        lines.push("Instead of a password for CodeCommit: git-remote-codecommit, which signs with a profile.");
    }
    if of(Kind::BedrockApiKey) {
        lines.push("Instead of an API key for Bedrock: a profile, which every AWS SDK signs with.");
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_name_is_one_word_of_a_shell_and_plain_to_see() {
        assert_eq!(quoted("/a/b.env"), "/a/b.env");
        assert_eq!(quoted("/a b/it's"), "\"/a b/it's\"");
        assert_eq!(quoted("/a\n\u{1b}[31m'\\\u{202e}x"), "$'/a\\x0a\\x1b[31m\\'\\\\\\xe2\\x80\\xaex'");
    }
}
