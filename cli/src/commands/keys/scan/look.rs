//! Looks into one file or into the variables, and keeps what was found and what could not be looked at.

use super::exclude::Exclusions;
use super::git::{Git, Indexes};
use super::reach::Reach;
use super::read::{Buffer, Content, LARGEST};
use crate::failure::Failure;
use crate::scan::{self, Found};
use crate::signals::Signals;
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use zeroize::Zeroizing;

/// The most findings that are kept.
const MOST_HITS: usize = 10_000;

/// Where a finding is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In variables of these names.
    Variables(Vec<String>),
    File(PathBuf),
}

/// A credential and where it lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hit {
    pub(super) place: Place,
    pub(super) found: Found,
    /// The profile it is in, where the file is one of AWS's two.
    pub(super) profile: Option<String>,
    pub(super) reach: Option<Reach>,
    pub(super) git: Option<Git>,
}

/// Something that should have been looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NotLookedAt {
    pub(super) path: PathBuf,
    pub(super) why: String,
}

/// What was looked at, and what came of it.
#[derive(Debug, Default)]
pub(super) struct Looked {
    pub(super) files: u64,
    pub(super) bytes: u64,
    pub(super) variables: usize,
    pub(super) hits: Vec<Hit>,
    /// How many findings there were beyond those that are kept.
    pub(super) more_hits: usize,
    pub(super) not_looked_at: Vec<NotLookedAt>,
    /// How many links, pipes and devices were passed by, files without text, and what is left out.
    pub(super) passed_by: u64,
}

/// A walk that goes on.
pub(super) struct Looking<'a> {
    pub(super) exclusions: Exclusions,
    signals: &'a Signals,
    counter: Arc<AtomicU64>,
    buffer: Buffer,
    indexes: Indexes,
    /// AWS's two files, in which sections are profiles.
    aws_files: Vec<PathBuf>,
    /// Where this walk has been: a file may be both usual and below a directory that is looked at.
    seen: HashSet<PathBuf>,
    looked: Looked,
}

impl<'a> Looking<'a> {
    pub(super) fn new(
        exclusions: Exclusions,
        aws_files: Vec<PathBuf>,
        signals: &'a Signals,
        counter: Arc<AtomicU64>,
    ) -> Self {
        let (buffer, indexes, looked) = (Buffer::default(), Indexes::default(), Looked::default());
        Self { exclusions, signals, counter, buffer, indexes, aws_files, seen: HashSet::new(), looked }
    }

    /// Looks into a file that is no link, by its absolute path.
    pub(super) fn file(&mut self, path: &Path) -> Result<(), Failure> {
        self.goes_on()?;
        if !self.seen.insert(path.to_owned()) {
            return Ok(());
        }
        if self.exclusions.fits(path) {
            self.pass_by();
            return Ok(());
        }
        let text = match self.buffer.read(path) {
            Ok(Content::Text(text)) => text,
            Ok(Content::NoText | Content::NoFile) => {
                self.pass_by();
                return Ok(());
            }
            Ok(Content::TooLarge) => {
                self.cannot(path, format!("is larger than {} MiB", LARGEST / 1024 / 1024));
                return Ok(());
            }
            Err(error) => {
                self.cannot(path, format!("cannot be read: {error}"));
                return Ok(());
            }
        };
        self.looked.files += 1;
        self.looked.bytes += text.len() as u64;
        self.counter.store(self.looked.files, Ordering::Relaxed);
        let scan::Examined { found, is_cut_short } = scan::examine(text);
        if found.is_empty() {
            return Ok(());
        }
        let is_of_aws = self.aws_files.iter().any(|file| file == path);
        let profile = |found: &Found| if is_of_aws { scan::profile(text, found.offset) } else { None };
        let profiles: Vec<_> = found.iter().map(profile).collect();
        let (reach, git) = (Reach::of(path), self.indexes.of(path));
        for (found, profile) in found.into_iter().zip(profiles) {
            self.keep(Hit { place: Place::File(path.to_owned()), profile, reach, git, found });
        }
        if is_cut_short {
            self.cannot(path, "holds so much that its end was not looked at");
        }
        Ok(())
    }

    /// Looks at variables. They stand one to a line in front of the detectors, those of AWS's together.
    pub(super) fn variables(&mut self, mut variables: Vec<(String, Zeroizing<String>)>) {
        variables.sort_by_key(|(name, _)| (!name.starts_with("AWS_"), name.clone()));
        let mut text = Zeroizing::new(String::with_capacity(
            variables.iter().map(|(name, value)| name.len() + value.len() + 2).sum(),
        ));
        let mut ends = Vec::new();
        for (name, value) in &variables {
            text.push_str(name);
            text.push('=');
            text.push_str(value);
            text.push('\n');
            ends.push(text.bytes().filter(|byte| *byte == b'\n').count());
        }
        self.looked.variables = variables.len();
        for found in scan::examine(text.as_bytes()).found {
            let of_line = |line: usize| ends.iter().position(|end| line <= *end).and_then(|at| variables.get(at));
            let mut names: Vec<_> =
                found.places.iter().filter_map(|place| Some(of_line(place.line)?.0.clone())).collect();
            names.dedup();
            self.keep(Hit { place: Place::Variables(names), found, profile: None, reach: None, git: None });
        }
    }

    fn keep(&mut self, hit: Hit) {
        if self.looked.hits.len() < MOST_HITS { self.looked.hits.push(hit) } else { self.looked.more_hits += 1 }
    }

    /// Notes what was passed by on purpose.
    pub(super) fn pass_by(&mut self) {
        self.looked.passed_by += 1;
    }

    /// Notes what should have been looked at and was not.
    pub(super) fn cannot(&mut self, path: &Path, why: impl Into<String>) {
        self.looked.not_looked_at.push(NotLookedAt { path: path.to_owned(), why: why.into() });
    }

    /// Ends the walk when the person wants that.
    pub(super) fn goes_on(&self) -> Result<(), Failure> {
        self.signals.failure().map_or(Ok(()), Err)
    }

    /// Returns what came of it, the worst first.
    pub(super) fn done(mut self) -> Looked {
        self.looked.hits.sort_by_key(|hit| hit.found.kind.severity());
        self.looked
    }
}
