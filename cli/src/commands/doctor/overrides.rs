//! Settings of AWS's that lead tools to other endpoints, in the environment and in AWS config. Tegata reads none of them.

use super::facts::Facts;
use super::finding::{Finding, Severity};

/// An endpoint key in AWS config.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Override {
    pub(super) section: String,
    pub(super) line: usize,
}

pub(super) fn findings(facts: &Facts) -> Vec<Finding> {
    let in_environment = facts.variables.iter().filter(|name| name.starts_with("AWS_ENDPOINT_URL")).map(|name| {
        let text = format!("{name} is set: every AWS tool of this shell talks to another endpoint; Tegata ignores it");
        Finding::new("endpoints", Severity::Warning, text).mend(format!("unset {name}"))
    });
    let in_config = facts.overrides.iter().map(|Override { section, line }| {
        let file = &facts.config_file;
        let text = format!("{file} line {line}: [{section}] leads AWS tools to another endpoint; Tegata ignores it");
        Finding::new("endpoints", Severity::Warning, text)
            .mend(format!("\"${{EDITOR:-vi}}\" +{line} {}", super::finding::quoted(file)))
    });
    in_environment.chain(in_config).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_variable_and_an_endpoint_key_are_named() {
        let facts = Facts {
            variables: vec!["AWS_ENDPOINT_URL_STS".to_owned(), "AWS_PROFILE".to_owned()],
            overrides: vec![Override { section: "services local".to_owned(), line: 7 }],
            ..Facts::clean()
        };
        let found = findings(&facts);
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].mend.as_deref(), Some("unset AWS_ENDPOINT_URL_STS"));
        assert!(found[1].line.contains("line 7: [services local]"), "{found:?}");
    }

    #[test]
    fn twin_aws_s_own_endpoints_are_no_finding() {
        let facts = Facts { variables: vec!["AWS_PROFILE".to_owned()], ..Facts::clean() };
        assert_eq!(findings(&facts), []);
    }
}
