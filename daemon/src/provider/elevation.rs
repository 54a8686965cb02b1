//! What a grant adds to the roles that are assumed under it: its id in the session name, the reason in a tag, the rule's
//! session policy, the shorter life. Pure.

use super::session_name::role_session_name;
use crate::aws::RoleToAssume;
use crate::local_user::LocalUser;
use crate::profile::Chain;
use crate::settings::is_tag_character;
use std::time::Duration;

/// STS API reference, `DurationSeconds`: the least there is.
const SHORTEST: Duration = Duration::from_secs(900);
/// What STS grants who asks for nothing, and the most that credentials of a role may ask for ("role chaining").
const LONGEST: Duration = Duration::from_secs(3600);
/// The most characters of a tag's value (STS API reference, `Tag`).
const TAG_VALUE: usize = 256;

/// The terms under which an elevated target is issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Elevation<'a> {
    /// The grant, at the end of every session name.
    pub grant_id: &'a str,
    /// Why, in the person's own words and script.
    pub reason: Option<&'a str>,
    /// The inline session policy of the rules that matched.
    pub session_policy: Option<&'a str>,
    /// How long the credentials are wanted: what is left of the grant.
    pub longest: Duration,
}

/// Why AWS has no way to issue a target on these terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ElevationError {
    /// `AssumeRole` takes one inline policy, and two of them cannot be joined without changing what they mean.
    #[error(
        "the profile has a session_policy and so has the rule that gates it, but AWS takes one; remove one of them"
    )]
    TwoSessionPolicies,
    /// `GetRoleCredentials` takes an account and a role, and nothing else.
    #[error(
        "a session_policy needs a role to assume, and this is a bare permission set; reach it through a role \
         (role_arn with source_profile)"
    )]
    NoRole,
}

/// Says whether a target can be issued under a rule's session policy; known before anybody is asked for a gesture.
///
/// # Errors
/// [`ElevationError`] says why not.
pub fn can_honour(chain: &Chain, session_policy: Option<&str>) -> Result<(), ElevationError> {
    match (session_policy, chain.narrowed()) {
        (Some(_), None) => Err(ElevationError::NoRole),
        (Some(_), Some(role)) if role.session_policy.is_some() => Err(ElevationError::TwoSessionPolicies),
        _ => Ok(()),
    }
}

/// Returns a role as it is asked for without a grant.
pub(super) fn plain(role: &RoleToAssume, user: &LocalUser) -> RoleToAssume {
    let name = role_session_name(user, role.role_session_name.as_deref(), None);
    with_tags_that_are_there(RoleToAssume { role_session_name: Some(name), ..role.clone() })
}

/// The reason's tag may be transitive, and is not always there: STS refuses a transitive key without its tag.
fn with_tags_that_are_there(mut role: RoleToAssume) -> RoleToAssume {
    let tags = &role.session_tags;
    role.transitive_tag_keys.retain(|key| tags.iter().any(|(tag, _)| tag == key));
    role
}

/// Returns a role as it is asked for on the way to an elevated target.
pub(super) fn on_the_way(role: &RoleToAssume, user: &LocalUser, elevation: &Elevation<'_>) -> RoleToAssume {
    let name = role_session_name(user, role.role_session_name.as_deref(), Some(elevation.grant_id));
    // A chained role's own duration is an hour at most; one that is assumed by a user may be configured to last longer.
    let duration = own_duration(role, elevation);
    with_tags_that_are_there(RoleToAssume { role_session_name: Some(name), duration: Some(duration), ..role.clone() })
}

/// Returns the role that is the elevated target: it alone carries the reason and the rule's policy. A policy on a role before
/// it would have to allow the next step, and a tag there would need leave of one more trust policy.
pub(super) fn target(role: &RoleToAssume, user: &LocalUser, elevation: &Elevation<'_>) -> RoleToAssume {
    let mut asked = on_the_way(role, user, elevation);
    if let (Some(key), Some(reason)) = (&role.reason_tag, elevation.reason.and_then(tag_value)) {
        // Tag keys are compared without regard to case (IAM User Guide, "Passing session tags").
        asked.session_tags.retain(|(tag, _)| !tag.eq_ignore_ascii_case(key));
        asked.session_tags.push((key.clone(), reason));
        asked.transitive_tag_keys.clone_from(&role.transitive_tag_keys);
        asked = with_tags_that_are_there(asked);
    }
    if let Some(policy) = elevation.session_policy {
        asked.session_policy = Some(policy.to_owned());
    }
    asked
}

/// Returns a role that is itself a source, as it is asked for: without a grant, or under one, where it may be the elevated target.
/// It carries no tags, which come in the token alone, so no reason either (STS API reference, `AssumeRoleWithWebIdentity`).
pub(super) fn own_role(role: &RoleToAssume, user: &LocalUser, under: Option<(&Elevation<'_>, bool)>) -> RoleToAssume {
    let Some((elevation, is_target)) = under else { return plain(role, user) };
    let name = role_session_name(user, role.role_session_name.as_deref(), Some(elevation.grant_id));
    let duration = Some(own_duration(role, elevation));
    let mut asked = RoleToAssume { role_session_name: Some(name), duration, ..role.clone() };
    if let Some(policy) = elevation.session_policy.filter(|_| is_target) {
        asked.session_policy = Some(policy.to_owned());
    }
    asked
}

/// Returns how long a role is asked for under a grant: what is left of it, as far as the configuration goes. For a role that is itself a
/// source or is assumed by a user the configuration may say more than the hour that AWS gives who asks for nothing; for every other one
/// it cannot (role chaining).
pub(super) fn own_duration(role: &RoleToAssume, elevation: &Elevation<'_>) -> Duration {
    let wanted = Duration::from_secs(elevation.longest.as_secs()).max(SHORTEST);
    wanted.min(role.duration.unwrap_or(LONGEST))
}

/// Returns a text as a session tag's value; absent if nothing is left of it.
#[must_use]
pub fn tag_value(text: &str) -> Option<String> {
    let shown: String =
        text.trim().chars().map(|c| if is_tag_character(c) { c } else { '_' }).take(TAG_VALUE).collect();
    let shown = shown.trim_end();
    (!shown.is_empty()).then(|| shown.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::RoleArn;

    const POLICY: &str = r#"{"Version":"2012-10-17","Statement":[]}"#;

    fn role() -> RoleToAssume {
        let role_arn = RoleArn::new("arn:aws:iam::123456789012:role/Admin").unwrap();
        RoleToAssume { reason_tag: Some("Reason".to_owned()), ..RoleToAssume::new(role_arn) }
    }

    fn user() -> LocalUser {
        LocalUser { name: "alice".to_owned(), host: "laptop".to_owned() }
    }

    fn elevation() -> Elevation<'static> {
        let longest = Duration::from_secs(1800);
        Elevation { grant_id: "k3f9x2ab", reason: Some("障害対応 INC-42"), session_policy: None, longest }
    }

    #[test]
    fn the_target_carries_grant_reason_policy_and_life() {
        let asked = target(&role(), &user(), &Elevation { session_policy: Some(POLICY), ..elevation() });
        assert_eq!(asked.role_session_name.as_deref(), Some("alice@laptop-k3f9x2ab"));
        assert_eq!(asked.session_tags, [("Reason".to_owned(), "障害対応 INC-42".to_owned())]);
        assert_eq!(asked.session_policy.as_deref(), Some(POLICY));
        assert_eq!(asked.duration, Some(Duration::from_secs(1800)));
    }

    #[test]
    fn a_role_on_the_way_carries_the_grant_and_no_tag_and_no_policy() {
        let asked = on_the_way(&role(), &user(), &Elevation { session_policy: Some(POLICY), ..elevation() });
        assert_eq!(asked.role_session_name.as_deref(), Some("alice@laptop-k3f9x2ab"));
        assert!(asked.session_tags.is_empty() && asked.session_policy.is_none());
    }

    #[test]
    fn without_a_grant_nothing_but_the_name_is_added() {
        let asked = plain(&role(), &user());
        assert_eq!(asked, RoleToAssume { role_session_name: Some("alice@laptop".to_owned()), ..role() });
    }

    #[test]
    fn the_life_is_what_sts_can_grant_and_never_longer_than_configured() {
        let asked = |configured: Option<u64>, longest: u64| {
            let role = RoleToAssume { duration: configured.map(Duration::from_secs), ..role() };
            let elevation = Elevation { longest: Duration::from_millis(longest * 1000 + 999), ..elevation() };
            target(&role, &user(), &elevation).duration.unwrap().as_secs_f64()
        };
        assert_eq!(asked(None, 60).to_string(), "900");
        assert_eq!(asked(None, 1801).to_string(), "1801");
        assert_eq!(asked(None, 8 * 3600).to_string(), "3600");
        assert_eq!(asked(Some(1200), 1800).to_string(), "1200");
        assert_eq!(asked(Some(3600), 1800).to_string(), "1800");
        assert_eq!(asked(Some(4 * 3600), 8 * 3600).to_string(), "14400", "a role behind a user is not chained");
        assert_eq!(asked(Some(4 * 3600), 2 * 3600).to_string(), "7200");
    }

    #[test]
    fn a_role_that_is_the_source_carries_the_grant_and_as_target_the_policy() {
        let configured = RoleToAssume { reason_tag: None, duration: Some(Duration::from_secs(4 * 3600)), ..role() };
        let elevation =
            Elevation { session_policy: Some(POLICY), longest: Duration::from_secs(2 * 3600), ..elevation() };
        let asked = own_role(&configured, &user(), Some((&elevation, true)));
        assert_eq!(asked.role_session_name.as_deref(), Some("alice@laptop-k3f9x2ab"));
        assert_eq!(asked.session_policy.as_deref(), Some(POLICY));
        assert_eq!(asked.duration, Some(Duration::from_secs(2 * 3600)), "it is not chained");
        assert!(asked.session_tags.is_empty());
        assert_eq!(own_role(&configured, &user(), Some((&elevation, false))).session_policy, None);
        let unsaid = RoleToAssume { duration: None, ..configured.clone() };
        assert_eq!(own_role(&unsaid, &user(), Some((&elevation, true))).duration, Some(LONGEST));
        let named = RoleToAssume { role_session_name: Some("alice@laptop".to_owned()), ..configured.clone() };
        assert_eq!(own_role(&configured, &user(), None), named);
    }

    #[test]
    fn a_role_whose_tag_is_switched_off_gets_none() {
        let asked = target(&RoleToAssume { reason_tag: None, ..role() }, &user(), &elevation());
        assert!(asked.session_tags.is_empty());
        let asked = target(&role(), &user(), &Elevation { reason: None, ..elevation() });
        assert!(asked.session_tags.is_empty());
    }

    #[test]
    fn the_reason_takes_the_place_of_a_tag_of_its_key_in_any_case() {
        let tags = vec![("team".to_owned(), "a".to_owned()), ("REASON".to_owned(), "configured".to_owned())];
        let asked = target(&RoleToAssume { session_tags: tags, ..role() }, &user(), &elevation());
        let keys: Vec<_> = asked.session_tags.iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!(keys, ["team", "Reason"]);
    }

    #[test]
    fn a_transitive_key_goes_with_its_tag_only() {
        let keys = vec!["team".to_owned(), "Reason".to_owned()];
        let tags = vec![("team".to_owned(), "a".to_owned())];
        let role = RoleToAssume { session_tags: tags, transitive_tag_keys: keys, ..role() };
        assert_eq!(plain(&role, &user()).transitive_tag_keys, ["team"]);
        assert_eq!(on_the_way(&role, &user(), &elevation()).transitive_tag_keys, ["team"]);
        assert_eq!(target(&role, &user(), &elevation()).transitive_tag_keys, ["team", "Reason"]);
    }

    #[test]
    fn a_reason_keeps_its_script_and_loses_what_sts_does_not_take() {
        for (reason, value) in [
            ("障害対応 INC-42", "障害対応 INC-42"),
            ("fix: déploiement #7 (prod)!", "fix: déploiement _7 _prod__"),
            ("  a\tb\nc\u{0}d\u{202e}e\u{200b}f  ", "a_b_c_d_e_f"),
            ("half\u{3000}width ٣ ½", "half\u{3000}width ٣ ½"),
            ("か\u{3099} Ⓐ 🔥", "か_ _ _"),
        ] {
            assert_eq!(tag_value(reason).as_deref(), Some(value), "{reason:?}");
        }
        assert_eq!(tag_value(" \n "), None);
        assert_eq!(tag_value(""), None);
    }

    #[test]
    fn a_reason_is_cut_to_what_a_tag_holds() {
        assert_eq!(tag_value(&"長".repeat(1000)).unwrap().chars().count(), 256);
        let cut_at_a_space = format!("{} b", "a".repeat(255));
        assert_eq!(tag_value(&cut_at_a_space).unwrap(), "a".repeat(255));
    }
}
