//! aws-sso-cli: the profiles it has written into AWS config (`credential_process = aws-sso … process … --arn ARN`), and of its
//! `config.yaml` each sign-in session's `StartUrl` and `SSORegion`, `DefaultSSO`, and which roles go `Via` another.

use super::{Found, option, places, settings, words, yaml};
use crate::aws_config::{ConfigFile, SectionKind};
use crate::environment::Environment;
use crate::failure::{Failure, Kind};
use crate::setup::fitness::same_address;
use crate::setup::recast::Candidate;
use std::collections::BTreeMap;
use std::path::PathBuf;
use tegata_protocol::{ErrorCode, text::one_line};

/// The comment above the profiles it has written.
const BEGIN: &str = "# BEGIN_AWS_SSO_CLI";

pub(super) fn find(config: &ConfigFile, environment: &Environment) -> Result<Found, Failure> {
    let mut found = Found::default();
    let mut sessions = None;
    let mut first = None;
    for (at, section) in config.sections().iter().enumerate() {
        let words = words(section.get("credential_process").unwrap_or_default());
        let its = words.first().is_some_and(|word| word == "aws-sso") && words.iter().any(|word| word == "process");
        if section.kind != SectionKind::Profile || !its {
            continue;
        }
        let sessions = match &mut sessions {
            Some(sessions) => sessions,
            none => none.insert(Sessions::read(config, environment)?),
        };
        match sessions.reached(&words) {
            Ok(added) => {
                first.get_or_insert(at);
                let mut candidate = Candidate::new(config, at);
                candidate.added = added;
                found.candidates.push(candidate);
            }
            Err(why) => found.left.push((section.name.clone(), why)),
        }
    }
    if let (Some(sessions), Some(first)) = (sessions, first) {
        found.edits.extend(config.before_section(first, BEGIN, &sessions.written()));
        found.notes.push(
            "`aws-sso setup profiles`, or AutoConfigCheck in its settings, would write these profiles its own way again"
                .to_owned(),
        );
    }
    Ok(found)
}

/// What its settings say, as far as it matters.
struct Sessions {
    settings: BTreeMap<Vec<String>, String>,
    default: String,
    /// Its name for each session, ours, and whether that has to be written.
    known: BTreeMap<String, Session>,
}

struct Session {
    name: String,
    start_url: String,
    region: String,
    is_new: bool,
    used: bool,
}

impl Sessions {
    fn read(config: &ConfigFile, environment: &Environment) -> Result<Self, Failure> {
        let named = environment.get("AWS_SSO_CONFIG").map(PathBuf::from);
        let paths = places(environment, "aws-sso/config.yaml", ".aws-sso/config.yaml");
        let paths: Vec<_> = named.into_iter().chain(paths).collect();
        let Some((path, text)) = settings(&paths)? else {
            let looked = paths.last().map(|path| path.display().to_string()).unwrap_or_default();
            let message = format!("aws-sso's settings are not there ({looked}); AWS_SSO_CONFIG names another file");
            return Err(Failure::new(Kind::Reported(ErrorCode::ProfileInvalid), message));
        };
        let settings = yaml::scalars(&text).map_err(|fault| {
            Failure::new(Kind::Reported(ErrorCode::ProfileInvalid), format!("{}: {fault}", path.display()))
        })?;
        let default = settings.get(&["DefaultSSO".to_owned()][..]).cloned();
        let mut sessions =
            Self { settings, default: default.unwrap_or_else(|| "Default".to_owned()), known: BTreeMap::new() };
        let names: Vec<String> = sessions
            .settings
            .keys()
            .filter_map(|path| match path.as_slice() {
                [top, name, key] if top == "SSOConfig" && key == "StartUrl" => Some(name.clone()),
                _ => None,
            })
            .collect();
        for name in names {
            if let Some(session) = sessions.session(config, &name) {
                sessions.known.insert(name, session);
            }
        }
        Ok(sessions)
    }

    fn session(&self, config: &ConfigFile, name: &str) -> Option<Session> {
        let get = |key: &str| self.settings.get(&["SSOConfig", name, key].map(str::to_owned)[..]).cloned();
        let (start_url, region) = (get("StartUrl")?, get("SSORegion")?);
        // A start URL may be given as the part of awsapps.com that differs.
        let start_url =
            if start_url.contains("://") { start_url } else { format!("https://{start_url}.awsapps.com/start") };
        let same = config.sections().iter().find(|section| {
            section.kind == SectionKind::SsoSession
                && section.get("sso_start_url").is_some_and(|url| same_address(url) == same_address(&start_url))
                && section.get("sso_region") == Some(&region)
        });
        let is_new = same.is_none();
        let name = same.map_or_else(|| free_name(config, name, &self.known), |section| section.name.clone());
        Some(Session { name, start_url, region, is_new, used: false })
    }

    /// Returns the keys that reach what a command line asks for.
    fn reached(&mut self, words: &[String]) -> Result<Vec<(String, String)>, String> {
        let (account, role) = role(words).ok_or("its credential_process names no role that is understood here")?;
        let sso = option(words, "--sso", "-S").unwrap_or(&self.default).to_owned();
        if let Some(via) =
            self.settings.get(&["SSOConfig", &sso, "Accounts", &account, "Roles", &role, "Via"].map(str::to_owned)[..])
        {
            return Err(format!(
                "it goes through {}, which has to be written as role_arn with source_profile",
                one_line(via)
            ));
        }
        let session = self.known.get_mut(&sso);
        let session = session.ok_or_else(|| format!("aws-sso's settings do not describe {}", one_line(&sso)))?;
        session.used = true;
        let keys = [("sso_session", session.name.clone()), ("sso_account_id", account), ("sso_role_name", role)];
        Ok(keys.map(|(key, value)| (key.to_owned(), value)).to_vec())
    }

    /// Returns the sections of sessions that are not in the file yet.
    fn written(&self) -> String {
        let new = self.known.values().filter(|session| session.is_new && session.used);
        new.map(|session| {
            let Session { name, start_url, region, .. } = session;
            format!(
                "[sso-session {name}]\nsso_start_url = {start_url}\nsso_region = {region}\n\
                 sso_registration_scopes = sso:account:access\n\n"
            )
        })
        .collect()
    }
}

/// The account and the role that a command line asks for.
fn role(words: &[String]) -> Option<(String, String)> {
    if let Some(arn) = option(words, "--arn", "-a") {
        let mut parts = arn.splitn(6, ':').skip(4);
        let (account, role) = (parts.next()?, parts.next()?.strip_prefix("role/")?);
        return Some((account.to_owned(), role.rsplit('/').next()?.to_owned()));
    }
    let (account, role) = (option(words, "--account", "-A")?, option(words, "--role", "-R")?);
    Some((account.to_owned(), role.to_owned()))
}

/// A name for a session that every AWS client reads and nobody has yet.
fn free_name(config: &ConfigFile, name: &str, known: &BTreeMap<String, Session>) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() || "_.@/+-".contains(c) { c } else { '-' };
    let name: String = name.chars().map(safe).take(64).collect();
    let name = if name.trim_matches('-').is_empty() { "aws-sso".to_owned() } else { name };
    let taken = |name: &str| {
        config.sections().iter().any(|section| section.is(SectionKind::SsoSession, name))
            || known.values().any(|session| session.name == name)
    };
    let numbered = (2..).map(|number| format!("{name}-{number}"));
    std::iter::once(name.clone()).chain(numbered).find(|name| !taken(name)).unwrap_or(name)
}
