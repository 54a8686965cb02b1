//! aws-vault: it has no settings of its own but keys in AWS config. Profiles whose `credential_process` is `aws-vault exec --json` or
//! `aws-vault export --format=json`, and those with a source that it reads itself; `include_profile` (older: `parent_profile`) is resolved.
//! Long-lived keys in its keyring stay there.

use super::{Found, words};
use crate::aws_config::{ConfigFile, Entry, Program, SectionKind};
use crate::hand::text::command;
use crate::setup::fitness::find as find_profile;
use crate::setup::keys::source_key;
use crate::setup::recast::Candidate;

/// How far `include_profile` is followed.
const MAX_INCLUDES: usize = 8;
/// The keys that make a profile one that has, or assumes, a role.
const SOURCES: [&str; 4] = ["role_arn", "sso_session", "sso_start_url", "sso_account_id"];

pub(super) fn find(config: &ConfigFile) -> Found {
    let mut found = Found::default();
    for (at, section) in config.sections().iter().enumerate() {
        if !matches!(section.kind, SectionKind::Default | SectionKind::Profile) {
            continue;
        }
        let process = section.get("credential_process");
        let words = words(process.unwrap_or_default());
        let serves_another = match (process, words.first().map(String::as_str)) {
            (Some(process), _) if Program::serves(process, &section.name) => continue,
            (Some(_), Some("aws-vault")) => asked_for(config, &words),
            (Some(_), _) => continue,
            (None, _) => None,
        };
        let candidate = candidate(config, at, serves_another);
        let sourced = has_source(config, at) || candidate.added.iter().any(|(key, _)| SOURCES.contains(&key.as_str()));
        if sourced {
            found.candidates.push(candidate);
        } else if process.is_some() || section.get("mfa_serial").is_some() {
            found.left.push((section.name.clone(), key_in_its_keyring(&section.name)));
        }
    }
    found
}

/// Its keyring is asked by it alone: what it prints goes into the credentials file, and from there into ours.
fn key_in_its_keyring(profile: &str) -> String {
    let (export, import) =
        (command("aws-vault export --no-session --format=ini", profile), command("tegata keys import", profile));
    format!(
        "its access key is in aws-vault's keyring; put into ~/.aws/credentials what this prints: {export}; then run: {import}"
    )
}

/// The profile that a command line of aws-vault asks for: the first of its words that is one.
fn asked_for(config: &ConfigFile, words: &[String]) -> Option<usize> {
    let names = words.iter().skip(2).filter(|word| !word.starts_with('-'));
    names.filter_map(|name| find_profile(config, name).ok()).next()
}

fn candidate(config: &ConfigFile, section: usize, serves_another: Option<usize>) -> Candidate {
    let mut candidate = Candidate::new(config, section);
    let mut ancestors = includes(config, section);
    if let Some(other) = serves_another.filter(|other| *other != section && !has_source(config, section)) {
        ancestors.push(other);
        ancestors.extend(includes(config, other));
    }
    let own = |key: &str| config.sections()[section].get(key).is_some();
    for (ancestor, (key, value)) in
        ancestors.iter().flat_map(|at| config.sections()[*at].keys.iter().map(move |entry| (at, entry)))
    {
        let into = match source_key(key) {
            Some(("", _)) => &mut candidate.added,
            // The region and the device belong to what includes them, not to what runs another profile's command.
            _ if matches!(key.as_str(), "region" | "mfa_serial") && Some(*ancestor) != serves_another => {
                &mut candidate.plain
            }
            _ => continue,
        };
        if !own(key) && !into.iter().any(|(known, _): &Entry| known == key) {
            into.push((key.clone(), value.clone()));
        }
    }
    candidate
}

fn has_source(config: &ConfigFile, section: usize) -> bool {
    let keys = config.sections().get(section).map(|section| section.keys.as_slice()).unwrap_or_default();
    keys.iter().any(|(key, _)| source_key(key).is_some_and(|(_, bare)| SOURCES.contains(&bare)))
}

/// The profiles that one includes, nearest first.
fn includes(config: &ConfigFile, section: usize) -> Vec<usize> {
    let (mut found, mut at) = (Vec::new(), section);
    while found.len() < MAX_INCLUDES {
        let section = &config.sections()[at];
        let name = section.get("include_profile").or_else(|| section.get("parent_profile"));
        match name.and_then(|name| find_profile(config, name).ok()).filter(|next| !found.contains(next)) {
            Some(next) => (found.push(next), at = next),
            None => break,
        };
    }
    found
}
