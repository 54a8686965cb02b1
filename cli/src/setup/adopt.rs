//! `tegata setup --adopt`: profiles that AWS clients served themselves are served by Tegata, under the same names, where they
//! stand.

use super::fitness::{Files, find};
use super::keys::Keys;
use super::recast::{Candidate, recast};
use super::signing_helper;
use crate::aws_config::{Change, ConfigFile, Program};
use crate::failure::{Failure, Kind};
use std::path::Path;
use tegata_protocol::{ErrorCode, text::one_line};

/// What adopting would do.
#[derive(Debug)]
pub(crate) struct Adoption {
    pub(crate) change: Change,
    /// The profiles adopted, those named first.
    pub(crate) profiles: Vec<String>,
    /// Of these, the ones adopted because one of the others stands on them.
    pub(crate) sources: Vec<String>,
    /// Of these, the ones whose credentials come from a sign-in to the console.
    pub(crate) logins: Vec<Login>,
}

/// A profile and who signs in to the console for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Login {
    pub(crate) profile: String,
    pub(crate) identity: String,
}

/// Plans to have these profiles, and those they get credentials from, served by `program`.
///
/// # Errors
/// One line when one of them cannot be; the others are then left, too.
pub(crate) fn plan(
    config: &ConfigFile,
    credentials: &ConfigFile,
    names: &[String],
    program: &Program,
) -> Result<Adoption, Failure> {
    let mut candidates: Vec<Candidate> = Vec::new();
    for name in names {
        let section = find(config, name).map_err(|why| cannot(config.path(), name, &why))?;
        add(config, section, &mut candidates)?;
    }
    let named = candidates.len();
    for section in sources(config, &candidates) {
        add(config, section, &mut candidates)?;
    }
    let change = recast(config, &candidates, program, Vec::new())?;
    let after = change.file()?;
    for name in names.iter().chain(candidates.iter().map(|candidate| &candidate.name)) {
        Files { config: &after, credentials }.serve(name).map_err(|why| cannot(config.path(), name, &why))?;
    }
    let profiles: Vec<_> = candidates.into_iter().map(|candidate| candidate.name).collect();
    let sources = profiles.get(named..).unwrap_or_default().to_vec();
    let login = |name: &String| {
        let section = find(&after, name).ok().and_then(|at| after.sections().get(at))?;
        let identity = Keys::of(section).get("login_session")?.to_owned();
        Some(Login { profile: name.clone(), identity })
    };
    let logins = profiles.iter().filter_map(login).collect();
    Ok(Adoption { change, profiles, sources, logins })
}

/// Adds a profile unless it is one of ours already.
fn add(config: &ConfigFile, section: usize, candidates: &mut Vec<Candidate>) -> Result<(), Failure> {
    let mut candidate = Candidate::new(config, section);
    if candidates.iter().any(|known| known.section == section) {
        return Ok(());
    }
    let Some(found) = config.sections().get(section) else { return Ok(()) };
    match found.get("credential_process") {
        Some(process) if Program::serves(process, &found.name) && !has_native_source(config, section) => Ok(()),
        Some(process) if !Program::serves(process, &found.name) => match signing_helper::keys_of(process) {
            Some(Ok(keys)) => {
                candidate.added = keys;
                candidates.push(candidate);
                Ok(())
            }
            Some(Err(why)) => Err(cannot(config.path(), &found.name, &why)),
            None => Err(cannot(config.path(), &found.name, &other_program(process))),
        },
        _ => {
            candidates.push(candidate);
            Ok(())
        }
    }
}

fn has_native_source(config: &ConfigFile, section: usize) -> bool {
    let keys = config.sections().get(section).map(|section| section.keys.as_slice()).unwrap_or_default();
    keys.iter().any(|(key, _)| super::keys::source_key(key).is_some_and(|(prefix, _)| prefix.is_empty()))
}

/// The profiles that these stand on, as far as they can be found; what cannot is found out afterwards.
fn sources(config: &ConfigFile, candidates: &[Candidate]) -> Vec<usize> {
    let mut known: Vec<usize> = candidates.iter().map(|candidate| candidate.section).collect();
    let (mut found, mut at) = (Vec::new(), 0);
    while let Some(section) = known.get(at).and_then(|at| config.sections().get(*at)) {
        at += 1;
        let source = Keys::of(section).get("source_profile").and_then(|source| find(config, source).ok());
        if let Some(source) = source.filter(|source| !known.contains(source)) {
            known.push(source);
            found.push(source);
        }
    }
    found
}

fn other_program(process: &str) -> String {
    let words = shlex::split(process).unwrap_or_default();
    let program =
        words.first().map(|word| Path::new(word).file_name().unwrap_or_default().to_string_lossy().into_owned());
    let program = one_line(&program.unwrap_or_default());
    let hint = match program.as_str() {
        "granted" | "dgranted" => "; tegata setup --from granted takes it over",
        "aws-sso" => "; tegata setup --from aws-sso-cli takes it over",
        "aws-vault" => "; tegata setup --from aws-vault takes it over",
        _ => ", and Tegata runs no programs from AWS config",
    };
    format!("credential_process runs {program}{hint}")
}

fn cannot(path: &Path, name: &str, why: &str) -> Failure {
    let name = one_line(name);
    let message = format!("profile {name} in {} is not adopted: {why}", path.display());
    Failure::new(Kind::Reported(ErrorCode::ProfileInvalid), message)
}

#[cfg(test)]
#[path = "adopt_tests.rs"]
mod tests;
