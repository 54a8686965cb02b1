//! AWS's credential helper for IAM Roles Anywhere, `aws_signing_helper credential-process …`: its options are Tegata's keys. It is not run.

use super::from::{option, words};
use crate::aws_config::Entry;
use tegata_protocol::text::one_line;

/// The program, and its options (github.com/aws/rolesanywhere-credential-helper, `cmd/credentials.go`).
const NAME: &str = "aws_signing_helper";
/// Its options that are a key each, and whether it needs them.
const OPTIONS: [(&str, &str, bool); 7] = [
    ("--trust-anchor-arn", "trust_anchor_arn", true),
    ("--profile-arn", "roles_anywhere_profile_arn", true),
    ("--role-arn", "role_arn", true),
    ("--certificate", "certificate", true),
    ("--private-key", "private_key", false),
    ("--session-duration", "duration_seconds", false),
    ("--role-session-name", "role_session_name", false),
];
/// Those that need nothing in their place: the region is the trust anchor's.
const LEFT_OUT: [&str; 2] = ["--region", "--debug"];

/// Returns the keys, by the names that Tegata has behind its prefix, for a command line of the helper; nothing for another program's.
///
/// # Errors
/// Which option keeps it from being served.
pub(super) fn keys_of(process: &str) -> Option<Result<Vec<Entry>, String>> {
    let words = words(process);
    let (program, options) = words.split_first()?;
    if program != NAME {
        return None;
    }
    match options.split_first() {
        Some((command, options)) if command == "credential-process" => Some(read(options)),
        _ => Some(Err(format!("credential_process runs {NAME} without credential-process"))),
    }
}

fn read(options: &[String]) -> Result<Vec<Entry>, String> {
    let named = |word: &String| word.split('=').next().unwrap_or_default().to_owned();
    let unknown = options
        .iter()
        .filter(|word| word.starts_with("--"))
        .map(named)
        .find(|name| !OPTIONS.iter().any(|(known, ..)| known == name) && !LEFT_OUT.contains(&name.as_str()));
    if let Some(name) = unknown {
        return Err(refused(&name));
    }
    let mut entries = Vec::new();
    for (name, key, needed) in OPTIONS {
        match option(options, name, name) {
            Some(value) => entries.push((key.to_owned(), checked(name, value)?)),
            None if needed => return Err(format!("{NAME} has no {name}")),
            None => {}
        }
    }
    with_its_key(&mut entries)?;
    region_fits(options)?;
    Ok(entries)
}

fn refused(name: &str) -> String {
    let why = match name {
        "--intermediates" => "; put the intermediates behind the certificate, in its file",
        "--pkcs11-lib" => "; [pkcs11] module of config.toml names it",
        "--endpoint" => "; [endpoints] rolesanywhere of config.toml says it",
        "--with-proxy" | "--no-verify-ssl" => "; [http] of config.toml says what is trusted on the way",
        _ => ", which Tegata has nothing for",
    };
    format!("{NAME} is given {}{why}", one_line(name))
}

fn checked(name: &str, value: &str) -> Result<String, String> {
    let shown = one_line(value);
    let is_place = ["--certificate", "--private-key"].contains(&name);
    if is_place && value.starts_with("pkcs11:") {
        let hostile = ["pin-", "module-", "slot-"].iter().find(|attribute| value.contains(*attribute));
        return match hostile {
            // A PIN is not shown.
            Some(attribute) => Err(format!(
                "{name} has a URI with {attribute}…: Tegata asks for PINs, and takes the module from config.toml"
            )),
            None => Ok(value.to_owned()),
        };
    }
    if is_place && !value.starts_with('/') {
        return Err(format!("{name} {shown} is no absolute path"));
    }
    let is_life = |value: &str| value.parse().is_ok_and(|seconds: u32| (900..=43_200).contains(&seconds));
    if name == "--session-duration" && !is_life(value) {
        return Err(format!("{name} {shown}: AWS allows 900 to 43200"));
    }
    if value.contains(['\n', '#', ';']) || value.trim() != value || value.is_empty() {
        return Err(format!("{name} {shown} cannot be a value in AWS config"));
    }
    Ok(value.to_owned())
}

/// With a certificate on a token, the helper finds the key beside it.
fn with_its_key(entries: &mut Vec<Entry>) -> Result<(), String> {
    if entries.iter().any(|(key, _)| key == "private_key") {
        return Ok(());
    }
    let certificate = entries.iter().find(|(key, value)| key == "certificate" && value.starts_with("pkcs11:"));
    let uri = certificate.map(|(_, uri)| uri.clone()).ok_or_else(|| format!("{NAME} has no --private-key"))?;
    entries.push(("private_key".to_owned(), uri.replace(";type=cert", "")));
    Ok(())
}

fn region_fits(options: &[String]) -> Result<(), String> {
    let own = option(options, "--trust-anchor-arn", "--trust-anchor-arn").and_then(|arn| arn.split(':').nth(3));
    match option(options, "--region", "--region") {
        Some(asked) if Some(asked) != own => {
            Err(format!("--region {} is not the trust anchor's, which is the one that is asked", one_line(asked)))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
#[path = "signing_helper_tests.rs"]
mod tests;
