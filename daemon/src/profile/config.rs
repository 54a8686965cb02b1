//! A whole AWS config file: its profiles and its sign-in sessions, found by name, each resolved once when first asked for.

use super::keys::Keys;
use super::text::{self, Kind, Section};
use super::{Profile, ProfileError, SignInSession, Source, resolve};
use crate::names::{ProfileName, Region, SessionName, StartUrl};
use crate::nearest::nearest;
use crate::settings::{Extras, ExtrasByProfile};
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tegata_protocol::text::one_line;

/// The most sign-in sessions that a message lists.
const MAX_LISTED: usize = 8;

/// A config file as it was when it was read.
#[derive(Debug)]
pub struct Config {
    file: String,
    slots: Vec<Slot>,
    by_name: HashMap<ProfileName, usize>,
    sessions: Vec<Section>,
    by_session: HashMap<String, usize>,
    /// Headers no client reads as a profile, for the message to whoever asks for one of them.
    others: HashMap<String, u32>,
    warnings: Vec<String>,
    extras: Arc<ExtrasByProfile>,
    sign_ins: OnceLock<Vec<SignInSession>>,
    readers: OnceLock<Readers>,
}

/// For a sign-in session and an account: the profile for reading, with its rank.
type Readers = HashMap<(SessionName, String), (usize, ProfileName)>;

/// Permission sets for reading as AWS names them, the widest first: job function policies and what Control Tower makes of them.
const READERS: [&str; 4] = ["ReadOnlyAccess", "AWSReadOnlyAccess", "ReadOnly", "ViewOnlyAccess"];

/// A profile's section, and what it comes to once somebody asked.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) name: ProfileName,
    pub(super) section: Section,
    resolved: OnceLock<Result<Arc<Profile>, ProfileError>>,
}

impl Config {
    /// Reads the text of a config file; `file` is its name in messages.
    ///
    /// # Errors
    /// [`ProfileError::File`] when it is no text in UTF-8 or larger than is read. A profile that is wrong in itself is
    /// an error of its own, when it is resolved.
    pub fn parse(file: &str, text: &[u8]) -> Result<Self, ProfileError> {
        let file = one_line(file);
        let document =
            text::read(text).map_err(|fault| ProfileError::File { file: file.clone(), detail: fault.to_string() })?;
        let mut config = Self {
            file,
            slots: Vec::new(),
            by_name: HashMap::new(),
            sessions: Vec::new(),
            by_session: HashMap::new(),
            others: HashMap::new(),
            warnings: document.warnings,
            extras: Arc::default(),
            sign_ins: OnceLock::new(),
            readers: OnceLock::new(),
        };
        for section in document.sections {
            config.add(section);
        }
        Ok(config)
    }

    /// Adds what the settings say of profiles, whichever file these are in.
    #[must_use]
    pub fn with_extras(self, extras: Arc<ExtrasByProfile>) -> Self {
        Self { extras, ..self }
    }

    pub(super) fn extras(&self, profile: &ProfileName) -> Option<&Extras> {
        self.extras.get(profile)
    }

    fn add(&mut self, section: Section) {
        match section.kind {
            Kind::Profile => match ProfileName::new(&section.name) {
                Ok(name) => {
                    self.by_name.insert(name.clone(), self.slots.len());
                    self.slots.push(Slot { name, section, resolved: OnceLock::new() });
                }
                Err(error) => self.warn(format!("line {}: {error}; the section is not read", section.line)),
            },
            Kind::SsoSession => match SessionName::new(&section.name) {
                Ok(_) => {
                    self.by_session.insert(section.name.clone(), self.sessions.len());
                    self.sessions.push(section);
                }
                Err(error) => self.warn(format!("line {}: {error}; the section is not read", section.line)),
            },
            Kind::Other => drop(self.others.insert(section.name, section.line)),
        }
    }

    /// Adds a warning that only the reader of the file can know, such as its mode.
    pub(super) fn warn(&mut self, warning: String) {
        self.warnings.push(warning);
    }

    /// Resolves a profile. The work is done once for each profile of a file.
    ///
    /// # Errors
    /// [`ProfileError::Unknown`] with the nearest names, or [`ProfileError::Invalid`].
    pub fn resolve(&self, name: &ProfileName) -> Result<Arc<Profile>, ProfileError> {
        let slot = self.slot(name).ok_or_else(|| self.unknown(name))?;
        slot.resolved.get_or_init(|| resolve::resolve(self, slot).map(Arc::new)).clone()
    }

    /// Returns the region that a profile's section names, if it is one.
    pub fn region(&self, name: &ProfileName) -> Option<Region> {
        let keys = Keys::of(&self.slot(name)?.section).ok()?;
        Region::new(keys.get("region")?.value).ok()
    }

    /// Returns how old the access key behind a profile may be, as the settings say of it.
    #[must_use]
    pub fn key_max_age(&self, name: &ProfileName) -> Option<Duration> {
        self.extras(name)?.key_max_age
    }

    /// Returns the profile that reads what `profile` reaches and changes nothing: the one its `tegata_read_only` names, as it is
    /// written, else the one for the same sign-in session and account whose permission set is for reading.
    pub fn read_only(&self, profile: &Profile) -> Option<String> {
        let slot = self.slot(&profile.name)?;
        let named = Keys::of(&slot.section).ok()?.own("read_only").map(|found| found.value.to_owned());
        named.or_else(|| {
            let place = (profile.chain.session()?.name.clone(), profile.chain.reached().0.to_owned());
            self.readers().get(&place).map(|(_, name)| name.to_string())
        })
    }

    fn readers(&self) -> &Readers {
        self.readers.get_or_init(|| {
            let mut readers = Readers::new();
            for name in self.profiles() {
                let Some((rank, place)) = self.resolve(name).ok().and_then(|profile| reads(&profile)) else { continue };
                let better = readers.get(&place).is_none_or(|(held, _)| rank < *held);
                if better {
                    readers.insert(place, (rank, name.clone()));
                }
            }
            readers
        })
    }

    /// Returns the names of the profiles in the order of the file.
    pub fn profiles(&self) -> impl ExactSizeIterator<Item = &ProfileName> {
        self.slots.iter().map(|slot| &slot.name)
    }

    /// Returns the sign-in sessions in the order of the file: `[sso-session]` sections, then those that profiles describe
    /// themselves. A section that cannot be used is left out; whoever asks for it by name is told why.
    pub fn sign_in_sessions(&self) -> &[SignInSession] {
        self.sign_ins.get_or_init(|| {
            let mut sessions: Vec<_> =
                self.sessions.iter().filter_map(|section| resolve::section_session(section).ok()).collect();
            for slot in &self.slots {
                let Some(session) = own_session(slot) else { continue };
                if !sessions.contains(&session) {
                    sessions.push(session);
                }
            }
            sessions
        })
    }

    /// Finds the sign-in session a person means: by its name, by a profile that starts from it, or by its start URL.
    /// With nothing said it is the only one there is.
    ///
    /// # Errors
    /// [`ProfileError::Unknown`] with the nearest names, [`ProfileError::Invalid`] for a profile that starts from no
    /// sign-in session, and [`ProfileError::File`] where there is none, more than one fits, or its section is wrong.
    pub fn find_sign_in(&self, what: Option<&str>) -> Result<SignInSession, ProfileError> {
        let Some(what) = what else { return self.only_sign_in() };
        if let Some(section) = self.by_session.get(what).and_then(|at| self.sessions.get(*at)) {
            return self.usable(section);
        }
        let named: Vec<_> = self.sign_in_sessions().iter().filter(|session| session.name.as_str() == what).collect();
        if !named.is_empty() {
            return self.one_of(&named);
        }
        let name = ProfileName::new(what)?;
        if let Some(slot) = self.slot(&name) {
            return resolve::sign_in_session(self, slot);
        }
        let start_url = StartUrl::new(what).ok();
        let behind: Vec<_> =
            self.sign_in_sessions().iter().filter(|session| Some(&session.start_url) == start_url.as_ref()).collect();
        if behind.is_empty() { Err(self.unknown_sign_in(&name)) } else { self.one_of(&behind) }
    }

    /// Returns what is odd about the file, one line each.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Returns the file's name for messages.
    pub fn file(&self) -> &str {
        &self.file
    }

    pub(super) fn slot(&self, name: &ProfileName) -> Option<&Slot> {
        self.by_name.get(name).and_then(|at| self.slots.get(*at))
    }

    pub(super) fn session_section(&self, name: &SessionName) -> Option<&Section> {
        self.by_session.get(name.as_str()).and_then(|at| self.sessions.get(*at))
    }

    pub(super) fn session_names(&self) -> impl Iterator<Item = &str> {
        self.sessions.iter().map(|section| section.name.as_str())
    }

    fn only_sign_in(&self) -> Result<SignInSession, ProfileError> {
        if let ([section], true) = (&*self.sessions, self.sign_in_sessions().len() <= 1) {
            return self.usable(section);
        }
        self.one_of(&self.sign_in_sessions().iter().collect::<Vec<_>>())
    }

    fn one_of(&self, sessions: &[&SignInSession]) -> Result<SignInSession, ProfileError> {
        match sessions {
            [] if !self.sessions.is_empty() => self.usable(&self.sessions[0]),
            [] => Err(self.of_file("has no [sso-session] section; `aws configure sso-session` writes one".to_owned())),
            [session] => Ok((*session).clone()),
            [first, ..] => {
                let mut names: Vec<&str> = sessions.iter().map(|session| session.name.as_str()).collect();
                names.dedup();
                let more = if names.len() > MAX_LISTED { ", …" } else { "" };
                names.truncate(MAX_LISTED);
                let names = names.join(", ");
                let detail = format!(
                    "{} sign-in sessions fit ({names}{more}); say which: tegata login {}",
                    sessions.len(),
                    first.name
                );
                Err(self.of_file(detail))
            }
        }
    }

    fn unknown(&self, name: &ProfileName) -> ProfileError {
        if let Some(line) = self.others.get(name.as_str()) {
            let detail = format!("line {line} says [{name}], which no AWS client reads; write [profile {name}]");
            return ProfileError::Invalid { profile: one_line(name.as_str()), detail };
        }
        let nearest = nearest(name.as_str(), self.profiles().map(ProfileName::as_str));
        ProfileError::Unknown { name: one_line(name.as_str()), file: self.file.clone(), nearest }
    }

    fn unknown_sign_in(&self, name: &ProfileName) -> ProfileError {
        let sessions = self.sign_in_sessions().iter().map(|session| session.name.as_str());
        let names = sessions.chain(self.profiles().map(ProfileName::as_str));
        let nearest = nearest(name.as_str(), names);
        ProfileError::Unknown { name: one_line(name.as_str()), file: self.file.clone(), nearest }
    }

    fn usable(&self, section: &Section) -> Result<SignInSession, ProfileError> {
        resolve::section_session(section).map_err(|fault| self.of_file(fault.to_string()))
    }

    fn of_file(&self, detail: String) -> ProfileError {
        ProfileError::File { file: self.file.clone(), detail }
    }
}

/// Says for which session and account a profile is for reading, and how well it serves: the lower, the better.
fn reads(profile: &Profile) -> Option<(usize, (SessionName, String))> {
    let (Source::SignIn { session, account, role }, true) = (&profile.chain.source, profile.chain.roles.is_empty())
    else {
        return None;
    };
    let rank = READERS.iter().position(|name| name.eq_ignore_ascii_case(role.as_str()))?;
    Some((rank, (session.name.clone(), account.as_str().to_owned())))
}

fn own_session(slot: &Slot) -> Option<SignInSession> {
    let keys = Keys::of(&slot.section).ok()?;
    let described = keys.get("sso_session").is_none() && keys.get("sso_start_url").is_some();
    if described { resolve::legacy_session(&keys).ok() } else { None }
}

#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;
