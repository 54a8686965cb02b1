//! What is to stand between the markers: the sections of every other sign-in session as they are, and those of this one as they
//! were, less what is gone, plus what was chosen. Pure.

use super::choose::Target;
use super::names::{self, Clash, Template, Values};
use super::session::Session;
use crate::aws_config::{Section, SectionKind};
use crate::failure::Failure;
use std::collections::{BTreeMap, HashMap, HashSet};

/// The key that says which sign-in session a profile starts from.
pub(crate) const SESSION: &str = "tegata_sso_session";
const ACCOUNT: &str = "tegata_sso_account_id";
const ROLE: &str = "tegata_sso_role_name";
const READ_ONLY: &str = "tegata_read_only";
const REGION: &str = "region";
const PROCESS: &str = "credential_process";

/// Permission sets that only read, by their letters: AWS's own, Control Tower's, and what people call theirs. The first of them
/// that an account has is its narrower sibling.
const READING: [&str; 6] =
    ["readonlyaccess", "awsreadonlyaccess", "readonly", "viewonlyaccess", "awsviewonlyaccess", "viewonly"];

/// What a plan is made from.
pub(crate) struct Wish<'a> {
    pub(crate) session: &'a Session,
    /// The sections between the markers.
    pub(crate) generated: &'a [Section],
    /// The names of the profiles outside the markers.
    pub(crate) outside: &'a [String],
    /// Everything the person has at AWS.
    pub(crate) offered: &'a [Target],
    pub(crate) chosen: &'a [Target],
    pub(crate) template: &'a Template,
    /// The `region` of new profiles.
    pub(crate) region: &'a str,
    /// Whether what was not chosen goes, too: the person saw it and took the tick away.
    pub(crate) only_chosen: bool,
    /// Whether what AWS no longer has goes.
    pub(crate) prune: bool,
}

/// A profile of the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Planned {
    pub(crate) name: String,
    pub(crate) target: Target,
    pub(crate) new: bool,
    /// The profile of the same account that only reads.
    pub(crate) read_only: Option<String>,
    region: String,
    /// Keys that somebody added between the markers.
    more: Vec<(String, String)>,
}

/// What is to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// The profiles of this sign-in session, as they will be.
    pub(crate) profiles: Vec<Planned>,
    /// Those AWS no longer has.
    pub(crate) gone: Vec<String>,
    /// Whether these go.
    pub(crate) pruned: bool,
    /// Those that go because the tick was taken away.
    pub(crate) unticked: Vec<String>,
    pub(crate) clashes: Vec<Clash>,
}

/// Plans.
pub(crate) fn plan(wish: &Wish<'_>) -> Plan {
    let offered: HashMap<(&str, &str), &Target> = wish.offered.iter().map(|target| (target.key(), target)).collect();
    let chosen: HashSet<(&str, &str)> = wish.chosen.iter().map(Target::key).collect();
    let mut plan = Plan { profiles: vec![], gone: vec![], pruned: wish.prune, unticked: vec![], clashes: vec![] };
    for section in of_session(wish.generated, &wish.session.name) {
        let key = reached(section);
        match offered.get(&key) {
            None => {
                plan.gone.push(section.name.clone());
                if !wish.prune {
                    plan.profiles.push(kept(section, &nameless(key), wish.region));
                }
            }
            Some(_) if wish.only_chosen && !chosen.contains(&key) => plan.unticked.push(section.name.clone()),
            Some(target) => plan.profiles.push(kept(section, target, wish.region)),
        }
    }
    add_new(&mut plan, wish);
    name_siblings(&mut plan.profiles);
    plan
}

/// Returns the generated profiles of a sign-in session.
pub(crate) fn of_session<'a>(generated: &'a [Section], session: &'a str) -> impl Iterator<Item = &'a Section> {
    generated.iter().filter(move |section| is_profile(section) && section.get(SESSION) == Some(session))
}

/// Returns the account and the role that a generated profile reaches.
pub(crate) fn reached(section: &Section) -> (&str, &str) {
    (section.get(ACCOUNT).unwrap_or_default(), section.get(ROLE).unwrap_or_default())
}

fn is_profile(section: &Section) -> bool {
    matches!(section.kind, SectionKind::Profile | SectionKind::Default)
}

fn kept(section: &Section, target: &Target, region: &str) -> Planned {
    let ours = [REGION, SESSION, ACCOUNT, ROLE, READ_ONLY, PROCESS];
    let more = section.keys.iter().filter(|(key, _)| !ours.contains(&key.as_str()));
    Planned {
        name: section.name.clone(),
        target: target.clone(),
        new: false,
        read_only: section.get(READ_ONLY).map(str::to_owned),
        region: section.get(REGION).unwrap_or(region).to_owned(),
        more: more.cloned().collect(),
    }
}

/// What AWS no longer tells about is known by its id alone.
fn nameless((account_id, role): (&str, &str)) -> Target {
    Target { account_id: account_id.into(), account: String::new(), email: String::new(), role: role.into() }
}

/// Names what was chosen and is not there yet. What has a name keeps it, whatever the template would say today.
fn add_new(plan: &mut Plan, wish: &Wish<'_>) {
    let there: HashSet<(&str, &str)> = plan.profiles.iter().map(|planned| planned.target.key()).collect();
    let mut new: Vec<&Target> = wish.chosen.iter().filter(|target| !there.contains(&target.key())).collect();
    new.sort_by_key(|target| target.key());
    new.dedup_by_key(|target| target.key());
    let values: Vec<Values<'_>> = new
        .iter()
        .map(|target| Values {
            account: &target.account,
            account_id: &target.account_id,
            role: &target.role,
            email: &target.email,
            session: &wish.session.name,
        })
        .collect();
    let others = wish.generated.iter().filter(|section| section.get(SESSION) != Some(&wish.session.name));
    let others = others.filter(|section| is_profile(section)).map(|section| section.name.clone());
    let kept = plan.profiles.iter().map(|planned| planned.name.clone());
    let taken: Vec<String> = others.chain(kept).chain(wish.outside.iter().cloned()).collect();
    let named = names::names(wish.template, &values, taken);
    plan.clashes = named.clashes;
    plan.profiles.extend(named.names.into_iter().zip(new).map(|(name, target)| Planned {
        name,
        target: target.clone(),
        new: true,
        read_only: None,
        region: wish.region.to_owned(),
        more: vec![],
    }));
}

/// Names the profile that only reads beside every other of its account. One that the person named and that is there stays.
fn name_siblings(profiles: &mut [Planned]) {
    let mut reading: BTreeMap<String, (usize, String)> = BTreeMap::new();
    for planned in profiles.iter() {
        let Some(rank) = reading_rank(&planned.target.role) else { continue };
        let best = reading.entry(planned.target.account_id.clone()).or_insert_with(|| (rank, planned.name.clone()));
        if rank < best.0 {
            *best = (rank, planned.name.clone());
        }
    }
    let names: HashSet<String> = profiles.iter().map(|planned| planned.name.clone()).collect();
    for planned in profiles {
        let is_there = planned.read_only.as_ref().is_some_and(|name| names.contains(name));
        if !is_there {
            let reads = reading_rank(&planned.target.role).is_some();
            let sibling = reading.get(&planned.target.account_id).filter(|_| !reads);
            planned.read_only = sibling.map(|(_, name)| name.clone());
        }
    }
}

fn reading_rank(role: &str) -> Option<usize> {
    let letters: String = role.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect();
    READING.iter().position(|reading| *reading == letters)
}

impl Plan {
    /// Returns everything that is to stand between the markers. `process` makes the `credential_process` of a profile.
    ///
    /// # Errors
    /// What `process` says.
    pub(crate) fn sections(
        &self,
        session: &Session,
        generated: &[Section],
        process: impl Fn(&str) -> Result<String, Failure>,
    ) -> Result<Vec<Section>, Failure> {
        let is_this = |section: &Section| {
            section.is(SectionKind::SsoSession, &session.name) || section.get(SESSION) == Some(&session.name)
        };
        let place = generated.iter().position(is_this).unwrap_or(generated.len());
        let (before, after) = generated.split_at(place);
        let mut sections = before.to_vec();
        if !session.own && !self.profiles.is_empty() {
            sections.push(session.section.clone());
        }
        for planned in &self.profiles {
            sections.push(planned.section(session, process(&planned.name)?));
        }
        sections.extend(after.iter().filter(|section| !is_this(section)).cloned());
        Ok(sections)
    }

    /// Returns the names of the profiles that go.
    pub(crate) fn removed(&self) -> impl Iterator<Item = &str> {
        let gone = self.gone.iter().filter(|_| self.pruned);
        gone.chain(&self.unticked).map(String::as_str)
    }

    /// Returns how many profiles are new.
    pub(crate) fn count_new(&self) -> usize {
        self.profiles.iter().filter(|planned| planned.new).count()
    }
}

impl Planned {
    fn section(&self, session: &Session, process: String) -> Section {
        let kind = if self.name == "default" { SectionKind::Default } else { SectionKind::Profile };
        let mut section = Section::new(kind, self.name.clone())
            .with(REGION, self.region.clone())
            .with(SESSION, session.name.clone())
            .with(ACCOUNT, self.target.account_id.clone())
            .with(ROLE, self.target.role.clone());
        if let Some(sibling) = &self.read_only {
            section = section.with(READ_ONLY, sibling.clone());
        }
        section = section.with(PROCESS, process);
        section.keys.extend(self.more.iter().cloned());
        section
    }
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
