//! Profiles whose `credential_process` runs a tegata that is not there any more, or that is found by PATH.

use super::config_text::Entry;
use super::facts::Facts;
use super::finding::{Finding, Severity};
use std::path::Path;

/// A line of AWS config that runs tegata.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) profile: String,
    pub(super) line: usize,
    pub(super) program: String,
    /// Whether that program can be run.
    pub(super) is_there: bool,
}

/// Takes the tegata out of a `credential_process`; nothing where it is another program's.
pub(super) fn program(entry: &Entry) -> Option<String> {
    if entry.key == "credential_process" { tegata_of(&entry.value) } else { None }
}

/// Returns the program of a command line where that is a tegata.
pub(super) fn tegata_of(command: &str) -> Option<String> {
    let words = shlex::split(command).unwrap_or_default();
    let is_tegata = |program: &&String| Path::new(program).file_name().is_some_and(|name| name == "tegata");
    words.first().filter(is_tegata).cloned()
}

/// Whether a tool may look for it in vain: it is gone, or it is found by PATH.
pub(super) fn is_stale(program: &str, is_there: bool) -> bool {
    !is_there || !Path::new(program).is_absolute()
}

pub(super) fn findings(facts: &Facts) -> Vec<Finding> {
    facts.calls.iter().filter_map(|call| judge(call, &facts.config_file)).collect()
}

fn judge(call: &Call, file: &str) -> Option<Finding> {
    let Call { profile, line, program, is_there } = call;
    let finding =
        |severity, text: String| Finding::new("credential_process", severity, text).mend("tegata doctor --fix");
    if !Path::new(program).is_absolute() {
        let text = format!(
            "{file} line {line}: profile {profile} runs {program} by PATH, which tools of a desktop do not have"
        );
        return Some(finding(Severity::Warning, text));
    }
    let text = || format!("{file} line {line}: profile {profile} runs {program}, which is not there");
    (!is_there).then(|| finding(Severity::Error, text()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::doctor::config_text::entries;

    fn with(program: &str, is_there: bool) -> Vec<Finding> {
        let call = Call { profile: "dev".to_owned(), line: 4, program: program.to_owned(), is_there };
        findings(&Facts { calls: vec![call], ..Facts::clean() })
    }

    #[test]
    fn a_path_that_leads_nowhere_is_an_error_with_its_mend() {
        let found = with("/old/tegata", false);
        assert_eq!(found[0].severity, Severity::Error);
        assert!(found[0].line.ends_with("line 4: profile dev runs /old/tegata, which is not there"), "{found:?}");
        assert_eq!(found[0].mend.as_deref(), Some("tegata doctor --fix"));
        assert_eq!(with("tegata", true)[0].severity, Severity::Warning);
    }

    #[test]
    fn twin_a_path_that_is_there_is_no_finding() {
        assert_eq!(with("/usr/bin/tegata", true), []);
    }

    #[test]
    fn only_tegatas_own_lines_are_read() {
        let of = |value: &str| program(&entries(&format!("[profile a]\ncredential_process = {value}\n"))[0]);
        assert_eq!(of("/usr/bin/tegata credential-process --profile a").as_deref(), Some("/usr/bin/tegata"));
        assert_eq!(of("'/a b/tegata' credential-process").as_deref(), Some("/a b/tegata"));
        for other in ["/usr/bin/granted x", "/usr/bin/tegata-old", "'", ""] {
            assert_eq!(of(other), None, "{other}");
        }
        assert_eq!(program(&entries("[a]\nregion = tegata\n")[0]), None);
    }
}
