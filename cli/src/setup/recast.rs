//! Existing profiles made such that Tegata serves them: source keys get their prefix, `credential_process` is put beside them.
//! Everything else of a profile stays where and as it is.

use super::keys::{PREFIX, source_key};
use crate::aws_config::{Change, ConfigFile, Edit, Entry, Program};
use crate::failure::Failure;

/// A profile that is to be served, by its place among the sections, and what of its source is to be added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) section: usize,
    pub(super) name: String,
    /// Source keys by AWS's names that it does not have itself.
    pub(super) added: Vec<Entry>,
    /// Keys to be added as they are.
    pub(super) plain: Vec<Entry>,
}

impl Candidate {
    /// A profile that has everything.
    pub(super) fn new(file: &ConfigFile, section: usize) -> Self {
        let name = file.sections().get(section).map(|section| section.name.clone()).unwrap_or_default();
        Self { section, name, added: Vec::new(), plain: Vec::new() }
    }
}

/// Makes the edits of these profiles, and others.
pub(super) fn recast(
    file: &ConfigFile,
    candidates: &[Candidate],
    program: &Program,
    mut others: Vec<Edit>,
) -> Result<Change, Failure> {
    for candidate in candidates {
        others.extend(edits(file, candidate, program)?);
    }
    file.edited(others)
}

fn edits(file: &ConfigFile, candidate: &Candidate, program: &Program) -> Result<Vec<Edit>, Failure> {
    let (Some(section), Some(mut edits)) = (file.sections().get(candidate.section), file.edits_of(candidate.section))
    else {
        return Ok(Vec::new());
    };
    let (mut process, mut last_source) = (None, None);
    for (at, (key, _)) in section.keys.iter().enumerate() {
        match source_key(key) {
            Some((prefix, _)) => {
                if prefix != PREFIX {
                    edits.begin_key(at, prefix, PREFIX);
                }
                last_source = Some(at);
            }
            None if key == "credential_process" => process = Some(at),
            None => {}
        }
    }
    let mut entries: Vec<Entry> =
        candidate.added.iter().map(|(key, value)| (format!("{PREFIX}{key}"), value.clone())).collect();
    entries.splice(0..0, candidate.plain.iter().cloned());
    let served =
        process.and_then(|at| section.keys.get(at)).is_some_and(|(_, value)| Program::serves(value, &section.name));
    if !served {
        entries.push(("credential_process".to_owned(), program.for_profile(&section.name)?));
    }
    match process {
        Some(at) if !served => edits.replace_key(at, &entries),
        _ if !entries.is_empty() => edits.insert_behind(last_source.or(section.keys.len().checked_sub(1)), &entries),
        _ => {}
    }
    Ok(edits.done())
}
