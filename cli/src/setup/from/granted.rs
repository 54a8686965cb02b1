//! granted: profiles in AWS config with `granted_sso_*` keys and `credential_process = granted credential-process`, and profiles it
//! has generated with AWS's own keys (`common_fate_generated_from`). Of `~/.granted/config` only whether profile registries are
//! in use.

use super::{Found, places, settings, words};
use crate::aws_config::{ConfigFile, Section, SectionKind};
use crate::environment::Environment;
use crate::failure::Failure;
use crate::setup::recast::Candidate;

pub(super) fn find(config: &ConfigFile, environment: &Environment) -> Result<Found, Failure> {
    let sections = config.sections().iter().enumerate();
    let candidates =
        sections.filter(|(_, section)| is_its(section)).map(|(at, _)| Candidate::new(config, at)).collect();
    let mut notes = Vec::new();
    if let Some((_, text)) = settings(&places(environment, "granted/config", ".granted/config"))?
        && has_registry(&text)
    {
        notes.push(
            "granted keeps profiles in step with a profile registry and would write these again; \
             leave it with: granted registry remove"
                .to_owned(),
        );
    }
    Ok(Found { candidates, notes, ..Found::default() })
}

fn is_its(section: &Section) -> bool {
    if !matches!(section.kind, SectionKind::Default | SectionKind::Profile) {
        return false;
    }
    let process = words(section.get("credential_process").unwrap_or_default());
    let process = process.iter().map(String::as_str).collect::<Vec<_>>();
    match process.as_slice() {
        ["granted" | "dgranted", "credential-process", ..] => true,
        [] => section.keys.iter().any(|(key, _)| {
            key.starts_with("granted_sso_") || key == "common_fate_generated_from" || key == "granted_generated_from"
        }),
        _ => false,
    }
}

/// Its settings are TOML; a registry is a table of `[[ProfileRegistry…]]`, or a list of addresses in older versions.
fn has_registry(settings: &str) -> bool {
    settings.lines().map(str::trim).any(|line| {
        line.starts_with("[[ProfileRegistry")
            || line.strip_prefix("ProfileRegistryURLS").is_some_and(|rest| rest.contains('"') || rest.contains('\''))
    })
}
