//! Variables that SDKs prefer to a profile: with one of them a tool is somebody else, whatever profile it is told.

use super::facts::Facts;
use super::finding::{Finding, Severity};

/// In the order in which SDKs look (AWS SDKs and Tools Reference Guide, "Standardized credential providers").
pub(super) const OUTRANKING: [&str; 9] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_ROLE_ARN",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_SHARED_CREDENTIALS_FILE",
];

pub(super) fn findings(facts: &Facts) -> Vec<Finding> {
    let set: Vec<&str> = OUTRANKING.into_iter().filter(|name| facts.variables.iter().any(|set| set == name)).collect();
    if set.is_empty() {
        return Vec::new();
    }
    let names = set.join(", ");
    let verb = if set.len() == 1 { "is" } else { "are" };
    let text = format!("{names} {verb} set in this shell: tools may use that in place of a profile");
    vec![Finding::new("variables", Severity::Warning, text).mend(format!("unset {}", set.join(" ")))]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_in_the_environment_are_one_finding_with_one_command() {
        let variables = ["AWS_PROFILE", "AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID"].map(str::to_owned).to_vec();
        let found = findings(&Facts { variables, ..Facts::clean() });
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].mend.as_deref(), Some("unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY"));
    }

    #[test]
    fn twin_a_named_profile_is_no_finding() {
        assert_eq!(findings(&Facts { variables: vec!["AWS_PROFILE".to_owned()], ..Facts::clean() }), []);
    }
}
