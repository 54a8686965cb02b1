//! What a profile says of a sign-in to the console before it can be served: signing in is what makes the rest.

use super::config::Config;
use super::keys::Keys;
use super::resolve::named;
use super::text::Fault;
use super::{ProfileError, Source};
use crate::arns::IdentityArn;
use crate::names::{ProfileName, Region};
use tegata_protocol::aws_config::{OWN_KEYS, SERVED_KEYS};
use tegata_protocol::text::one_line;

const OWN: &str = "login_session";

/// What is known of a sign-in to the console beforehand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConsoleWish {
    /// Who is to sign in.
    pub identity: Option<IdentityArn>,
    /// The region to sign in to.
    pub region: Option<Region>,
}

impl Config {
    /// Says what a profile, which need not be there yet, wants of a sign-in to the console.
    ///
    /// # Errors
    /// [`ProfileError::Invalid`] for a profile that gets its credentials in another way, or whose keys for this one are wrong.
    pub fn console_wish(&self, name: &ProfileName) -> Result<ConsoleWish, ProfileError> {
        let Some(slot) = self.slot(name) else { return Ok(ConsoleWish::default()) };
        let invalid = |detail: String| ProfileError::Invalid { profile: one_line(name.as_str()), detail };
        let unserved = match self.resolve(name).map(|profile| profile.chain.source.clone()) {
            Ok(Source::Console { identity, region }) => {
                return Ok(ConsoleWish { identity: Some(identity), region: Some(region) });
            }
            Ok(other) => {
                let detail = format!("gets its credentials in another way ({}); name another one", other.kind().word());
                return Err(invalid(detail));
            }
            Err(error) => error,
        };
        let at = |fault: Fault| invalid(fault.to_string());
        let keys = Keys::of(&slot.section).map_err(at)?;
        let identity = keys.get(OWN).map(|found| named(&found, IdentityArn::new)).transpose().map_err(at)?;
        if identity.is_none() && has_another_source(&keys) {
            return Err(unserved);
        }
        let region = keys.get("region").map(|found| named(&found, Region::new)).transpose().map_err(at)?;
        // Nothing is missing, and it is not served all the same: signing in would not change that.
        if identity.is_some() && region.is_some() {
            return Err(unserved);
        }
        Ok(ConsoleWish { identity, region })
    }

    /// Whether a profile starts from a console login, or would if nothing were wrong with it.
    pub fn is_of_console_login(&self, name: &ProfileName) -> bool {
        match self.resolve(name) {
            Ok(profile) => matches!(profile.chain.source, Source::Console { .. }),
            Err(_) => {
                let keys = self.slot(name).and_then(|slot| Keys::of(&slot.section).ok());
                keys.is_some_and(|keys| keys.get(OWN).is_some())
            }
        }
    }

    /// Returns who profiles start from, by a sign-in to the console, each with the first of these profiles. Roles behind somebody come
    /// after those who are somebody.
    pub fn console_identities(&self) -> Vec<(IdentityArn, ProfileName)> {
        let mut profiles: Vec<_> = self.profiles().filter_map(|name| self.resolve(name).ok()).collect();
        profiles.sort_by_key(|profile| !profile.chain.roles.is_empty());
        let mut identities: Vec<(IdentityArn, ProfileName)> = Vec::new();
        for profile in profiles {
            if let Source::Console { identity, .. } = &profile.chain.source
                && !identities.iter().any(|(known, _)| known == identity)
            {
                identities.push((identity.clone(), profile.name.clone()));
            }
        }
        identities
    }
}

fn has_another_source(keys: &Keys<'_>) -> bool {
    let of_others = SERVED_KEYS.iter().chain(&OWN_KEYS).filter(|key| **key != OWN).copied();
    let natives = ["credential_process", "aws_access_key_id", "aws_secret_access_key"];
    of_others.into_iter().any(|key| keys.get(key).is_some()) || natives.iter().any(|key| keys.native(key).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALICE: &str = "arn:aws:sts::123456789012:assumed-role/Admin/alice";

    fn wish(text: &str) -> Result<ConsoleWish, String> {
        let config = Config::parse("config", text.as_bytes()).unwrap();
        config.console_wish(&ProfileName::new("p").unwrap()).map_err(|error| error.to_string())
    }

    fn wanted(text: &str) -> (Option<String>, Option<String>) {
        let ConsoleWish { identity, region } = wish(text).unwrap();
        (identity.map(|identity| identity.to_string()), region.map(|region| region.to_string()))
    }

    #[test]
    fn a_profile_that_is_not_there_wants_nothing_yet() {
        assert_eq!(wanted(""), (None, None));
        assert_eq!(wanted("[profile p]\n"), (None, None));
        assert_eq!(wanted("[profile p]\nregion = eu-west-1\noutput = json\n"), (None, Some("eu-west-1".to_owned())));
    }

    #[test]
    fn a_profile_of_an_identity_wants_that_one() {
        for prefix in ["", "tegata_"] {
            let login = format!("{prefix}login_session = {ALICE}\n");
            assert_eq!(wanted(&format!("[profile p]\n{login}")), (Some(ALICE.to_owned()), None));
            let whole = format!("[profile p]\n{login}region = eu-west-1\n");
            assert_eq!(wanted(&whole), (Some(ALICE.to_owned()), Some("eu-west-1".to_owned())));
        }
        let role = "[profile p]\nrole_arn = arn:aws:iam::210987654321:role/r\nsource_profile = base\n";
        let base = format!("[profile base]\nlogin_session = {ALICE}\nregion = us-east-2\n");
        assert_eq!(wanted(&format!("{role}{base}")), (Some(ALICE.to_owned()), Some("us-east-2".to_owned())));
    }

    #[test]
    fn a_profile_of_a_login_is_told_apart_also_when_it_is_not_served() {
        let is = |text: &str| {
            let config = Config::parse("config", text.as_bytes()).unwrap();
            config.is_of_console_login(&ProfileName::new("p").unwrap())
        };
        for keys in ["login_session = x", "tegata_login_session = arn:aws:iam::123456789012:root\nregion = us-east-1"] {
            assert!(is(&format!("[profile p]\n{keys}\n")), "{keys}");
        }
        assert!(is(&format!("[profile p]\nlogin_session = {ALICE}\nregion = us-east-1\n")));
        for text in ["", "[profile p]\nregion = us-east-1\n", "[profile p]\nsso_session = nowhere\n"] {
            assert!(!is(text), "{text}");
        }
    }

    #[test]
    fn who_signs_in_is_named_with_the_profile_that_is_nobody_else() {
        let bob = "arn:aws:iam::123456789012:user/bob";
        let text = format!(
            "[profile role]\nrole_arn = arn:aws:iam::210987654321:role/r\nsource_profile = own\n\
             [profile own]\nlogin_session = {ALICE}\nregion = us-east-1\n\
             [profile second]\nlogin_session = {ALICE}\nregion = us-east-1\n\
             [profile bob]\nlogin_session = {bob}\nregion = us-east-1\n\
             [profile broken]\nlogin_session = nobody\nregion = us-east-1\n"
        );
        let config = Config::parse("config", text.as_bytes()).unwrap();
        let found = config.console_identities();
        let found: Vec<_> = found.iter().map(|(who, profile)| (who.as_str(), profile.as_str())).collect();
        assert_eq!(found, [(ALICE, "own"), (bob, "bob")]);
    }

    #[test]
    fn a_profile_of_another_source_is_refused_by_its_kind() {
        let session = "[sso-session corp]\nsso_start_url = https://d-1.awsapps.com/start\nsso_region = eu-west-1\n";
        let base = "[profile p]\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = Dev\n";
        let refused = wish(&format!("{session}{base}")).unwrap_err();
        assert!(refused.contains("gets its credentials in another way (sign-in)"), "{refused}");
        for keys in [
            "credential_process = /bin/other",
            "aws_access_key_id = AKIA",
            "sso_session = nowhere",
            "role_arn = x",
            "tegata_iam_user = arn:aws:iam::123456789012:root",
            "login_session = arn:aws:iam::123456789012:root",
            "login_session = alice",
            "login_session = arn:aws-cn:iam::123456789012:user/a\nregion = us-east-1",
            "tegata_login_sesion = x",
        ] {
            assert!(wish(&format!("[profile p]\n{keys}\n")).is_err(), "{keys}");
        }
    }
}
