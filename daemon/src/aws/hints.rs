//! What a person can do about a refused `AssumeRole`, put behind AWS's own words. Pure.

use super::{AwsError, RoleToAssume};

/// Adds the way out, where there is one that AWS's words do not name.
pub(super) fn explained(error: AwsError, asked: &RoleToAssume) -> AwsError {
    match error {
        AwsError::Refused { operation, code, message } => {
            let hint = hint(&code, &message, asked).map(|hint| format!("; {hint}")).unwrap_or_default();
            AwsError::Refused { operation, code, message: format!("{message}{hint}") }
        }
        other => other,
    }
}

fn hint(code: &str, message: &str, asked: &RoleToAssume) -> Option<String> {
    match code {
        "AccessDenied" if message.contains("sts:TagSession") => {
            let reason = |(key, _): &(String, String)| asked.reason_tag.as_ref() == Some(key);
            let instead = if !asked.session_tags.is_empty() && asked.session_tags.iter().all(reason) {
                "set reason_tag = \"\""
            } else {
                "take session_tags out and set reason_tag = \"\""
            };
            Some(both_sides("sts:TagSession", instead))
        }
        "AccessDenied" if message.contains("sts:SetSourceIdentity") => {
            Some(both_sides("sts:SetSourceIdentity", "take source_identity out"))
        }
        "PackedPolicyTooLarge" => Some(
            "AWS packs session_policy, policy_arns and session tags together: shorten them, or move the session_policy into a \
             managed policy of its own"
                .to_owned(),
        ),
        _ => None,
    }
}

/// IAM User Guide, "Pass session tags in AWS STS" and "Monitor and control actions taken with assumed roles": the caller's
/// permissions and the role's trust policy both have to allow the action.
fn both_sides(action: &str, instead: &str) -> String {
    format!(
        "the role's trust policy and the permissions of who assumes it have to allow {action}; or {instead} under \
         [profile.NAME] in config.toml"
    )
}

/// Adds what a person can do about a refused `CreateSession`, where AWS's words do not say it.
pub(super) fn of_certificate(error: AwsError) -> AwsError {
    match error {
        AwsError::Refused { operation, code, message } => {
            let hint = certificate_hint(&message).map(|hint| format!("; {hint}")).unwrap_or_default();
            AwsError::Refused { operation, code, message: format!("{message}{hint}") }
        }
        other => other,
    }
}

/// Adds what a person can do about a refused `AssumeRoleWithWebIdentity`, where AWS's words do not say it.
pub(super) fn of_token(error: AwsError) -> AwsError {
    match error {
        AwsError::Refused { operation, code, message } => {
            let hint = token_hint(&code, &message).map(|hint| format!("; {hint}")).unwrap_or_default();
            AwsError::Refused { operation, code, message: format!("{message}{hint}") }
        }
        other => other,
    }
}

/// IAM User Guide, "Create a role for OpenID Connect federation".
fn token_hint(code: &str, message: &str) -> Option<&'static str> {
    match code {
        "AccessDenied" => Some(
            "the role's trust policy has to name the identity provider as Federated, allow sts:AssumeRoleWithWebIdentity, and its \
             conditions have to fit the token's aud and sub",
        ),
        "InvalidIdentityToken" if message.contains("No OpenIDConnect provider") => {
            Some("create the identity provider in IAM of the role's account, with the issuer's URL")
        }
        "InvalidIdentityToken" if message.contains("audience") => Some(
            "add the token's aud to the identity provider's audiences in IAM, or ask for a token with one of those",
        ),
        "ExpiredTokenException" => Some("whoever makes the token has to make a new one"),
        _ => None,
    }
}

/// The words users of AWS's own helper were shown, and what they had to do.
fn certificate_hint(message: &str) -> Option<&'static str> {
    let said = |words: &str| message.to_ascii_lowercase().contains(words);
    if said("untrusted signing certificate") {
        return Some(
            "no chain leads from the certificate to the trust anchor: put the intermediates behind it in its file, and see \
             whether the anchor has the authority that issued it",
        );
    }
    if said("unable to assume role") {
        return Some(
            "the role's trust policy has to allow rolesanywhere.amazonaws.com sts:AssumeRole, sts:TagSession and \
             sts:SetSourceIdentity, and the Roles Anywhere profile has to have the role",
        );
    }
    said("not authorized to set rolesessionname")
        .then_some("set acceptRoleSessionName in the Roles Anywhere profile, or take role_session_name out")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::RoleArn;

    fn asked(tags: &[&str]) -> RoleToAssume {
        let role_arn = RoleArn::new("arn:aws:iam::123456789012:role/Admin").unwrap();
        let session_tags = tags.iter().map(|&key| (key.to_owned(), "x".to_owned())).collect();
        RoleToAssume { session_tags, reason_tag: Some("Reason".to_owned()), ..RoleToAssume::new(role_arn) }
    }

    fn said(code: &str, message: &str, tags: &[&str]) -> String {
        let (code, message) = (code.to_owned(), message.to_owned());
        explained(AwsError::Refused { operation: "AssumeRole", code, message }, &asked(tags)).to_string()
    }

    const NO_TAGS: &str = "User: arn:u is not authorized to perform: sts:TagSession on resource: arn:r";

    #[test]
    fn a_refused_reason_names_the_trust_policy_and_the_switch() {
        assert_eq!(
            said("AccessDenied", NO_TAGS, &["Reason"]),
            "AWS refused AssumeRole (AccessDenied): User: arn:u is not authorized to perform: sts:TagSession on resource: \
             arn:r; the role's trust policy and the permissions of who assumes it have to allow sts:TagSession; or set \
             reason_tag = \"\" under [profile.NAME] in config.toml"
        );
    }

    #[test]
    fn refused_tags_of_the_settings_are_named() {
        for tags in [&["team", "Reason"][..], &["team"], &[]] {
            assert!(said("AccessDenied", NO_TAGS, tags).contains("or take session_tags out and set reason_tag"));
        }
    }

    #[test]
    fn a_refused_source_identity_names_its_action() {
        let said = said("AccessDenied", "not authorized to perform: sts:SetSourceIdentity on resource: arn:r", &[]);
        assert!(said.contains("have to allow sts:SetSourceIdentity; or take source_identity out"), "{said}");
    }

    #[test]
    fn what_is_packed_too_large_is_named() {
        assert!(
            said("PackedPolicyTooLarge", "Packed policy consumes 130%", &[]).contains("130%; AWS packs session_policy")
        );
    }

    #[test]
    fn a_refused_certificate_says_what_to_look_at() {
        let said = |message: &str| {
            let (code, message) = ("AccessDeniedException".to_owned(), message.to_owned());
            of_certificate(AwsError::Refused { operation: "CreateSession", code, message }).to_string()
        };
        for (message, hint) in [
            ("Untrusted signing certificate", "certificate; no chain leads from"),
            ("Untrusted Signing Certificate", "put the intermediates behind it"),
            ("Unable to assume role for arn:aws:iam::1:role/R", "R; the role's trust policy"),
            ("Not authorized to set roleSessionName.", "take role_session_name out"),
        ] {
            assert!(said(message).contains(hint), "{}", said(message));
        }
        assert!(said("Rate exceeded").ends_with("): Rate exceeded"));
    }

    #[test]
    fn a_refused_token_says_what_to_look_at() {
        let said = |code: &str, message: &str| {
            let (code, message) = (code.to_owned(), message.to_owned());
            of_token(AwsError::Refused { operation: "AssumeRoleWithWebIdentity", code, message }).to_string()
        };
        for (code, message, hint) in [
            ("AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity", "; the role's trust policy"),
            (
                "InvalidIdentityToken",
                "No OpenIDConnect provider found in your account for https://x",
                "; create the identity",
            ),
            ("InvalidIdentityToken", "Incorrect token audience", "; add the token's aud"),
            ("ExpiredTokenException", "Token expired", "Token expired; whoever makes the token"),
        ] {
            assert!(said(code, message).contains(hint), "{}", said(code, message));
        }
        assert!(said("InvalidIdentityToken", "no JWT").ends_with("): no JWT"));
    }

    #[test]
    fn other_refusals_stay_as_aws_said_them() {
        for (code, message) in [("AccessDenied", "sts:AssumeRole"), ("ValidationError", "sts:TagSession")] {
            assert!(said(code, message, &["Reason"]).ends_with(message));
        }
        assert_eq!(explained(AwsError::Pending, &asked(&[])), AwsError::Pending);
    }
}
