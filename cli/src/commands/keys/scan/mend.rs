//! The command that mends a finding, and what to use instead.

use super::git::Git;
use super::look::{Hit, Looked, Place};
use crate::scan::{Kind, Severity};
use std::path::Path;

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

/// Returns a word as a POSIX shell reads it as one: what is offered for copying means what it says.
fn quoted(word: &str) -> String {
    shlex::try_quote(word).map_or_else(|_| word.to_owned(), std::borrow::Cow::into_owned)
}

/// Returns what to do about all of them, one line each.
pub(super) fn advice(looked: &Looked) -> Vec<&'static str> {
    let any = |is: &dyn Fn(&Hit) -> bool| looked.hits.iter().any(is);
    let of = |kind: Kind| any(&move |hit: &Hit| hit.found.kind == kind);
    let mut lines = Vec::new();
    if any(&|hit| hit.found.kind.severity() == Severity::Error) {
        lines.push("Whoever could read a key may have copied it: make a new one in IAM and delete this one, wherever else it is kept.");
    }
    if any(&|hit| matches!(hit.git, Some(Git::Tracked)) && hit.found.kind.severity() != Severity::Note) {
        lines.push("What git tracks stays in its history when the file is mended: delete that key in IAM.");
    }
    if of(Kind::AccessKey) || of(Kind::SecretAccessKey) {
        lines.push("Instead of a key in a file or variable: tegata exec PROFILE -- COMMAND, or credential_process in ~/.aws/config.");
    }
    if of(Kind::ServicePassword) {
        lines.push("Instead of a password for CodeCommit: git-remote-codecommit, which signs with a profile.");
    }
    if of(Kind::BedrockApiKey) {
        lines.push("Instead of an API key for Bedrock: a profile, which every AWS SDK signs with.");
    }
    lines
}
