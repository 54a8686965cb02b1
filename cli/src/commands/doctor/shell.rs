//! Whether the person's shell knows `tg`, completion and the prompt segment.

use super::facts::{Facts, Shell};
use super::finding::{Finding, Severity};

pub(super) fn findings(facts: &Facts) -> Vec<Finding> {
    let Shell { name, file, integrated } = &facts.shell;
    if name.is_empty() || *integrated {
        return Vec::new();
    }
    let line = match name.as_str() {
        "fish" => "tegata shell-init fish | source".to_owned(),
        name => format!("eval \"$(tegata shell-init {name})\""),
    };
    let text = format!("{name} has no `tg` and no completion: {file} does not load them");
    let mend = format!("echo '{line}' >> {}", super::finding::quoted(file));
    vec![Finding::new("shell", Severity::Note, text).mend(mend)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: &str, integrated: bool) -> Vec<Finding> {
        let shell = Shell { name: name.to_owned(), file: "/home/a/.rc".to_owned(), integrated };
        findings(&Facts { shell, ..Facts::clean() })
    }

    #[test]
    fn a_shell_without_it_is_a_note_that_does_not_count() {
        let found = with("zsh", false);
        assert_eq!(found[0].mend.as_deref(), Some("echo 'eval \"$(tegata shell-init zsh)\"' >> /home/a/.rc"));
        assert!(!found[0].counts());
        assert!(with("fish", false)[0].mend.as_deref().unwrap().starts_with("echo 'tegata shell-init fish | source'"));
    }

    #[test]
    fn twin_a_shell_with_it_or_one_that_is_not_known_is_no_finding() {
        assert_eq!((with("bash", true), with("", false)), (vec![], vec![]));
    }
}
