//! Which variables of a shell change when it is switched to a profile. Pure.

use super::Statement;
use crate::child::IN_THE_WAY;
use crate::environment::Environment;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde::{Deserialize, Serialize};

/// The last one says that the region came with a profile, to `tegata exec` as well.
const REGIONS: [&str; 3] = ["AWS_REGION", "AWS_DEFAULT_REGION", OWN_REGION];
const OWN_REGION: &str = "TEGATA_REGION";
const PROFILES: [&str; 2] = ["AWS_PROFILE", "TEGATA_PROFILE"];

/// What a shell keeps for us between two switches. It forgets it when it ends, and programs do not inherit it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct State {
    /// The profile before the last switch by hand; empty: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) previous: Option<String>,
    /// The directory default in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    applied: Option<Applied>,
}

/// A directory default in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Applied {
    /// The profile.
    profile: String,
    /// The profile outside of the directory.
    #[serde(skip_serializing_if = "Option::is_none")]
    outside: Option<String>,
}

/// The variables of the shell that matter, as it has them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Now {
    /// The profile that tools use.
    pub(crate) profile: Option<String>,
    region: Option<String>,
    /// The region that came with a profile.
    own_region: Option<String>,
    /// The profile of the `tegata exec` or `tegata shell` that this shell runs in, with its endpoint.
    pub(crate) served: Option<String>,
    /// What outranks a profile.
    pub(crate) in_the_way: Vec<&'static str>,
}

/// A profile to switch to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// Its name.
    pub(crate) profile: String,
    /// The region it names, if it names one.
    pub(crate) region: Option<String>,
}

impl Now {
    /// Reads them. What is no text is no profile.
    pub(crate) fn of(environment: &Environment) -> Self {
        let text = |name: &str| environment.get(name).and_then(|value| value.into_string().ok());
        Self {
            profile: text("AWS_PROFILE"),
            region: text("AWS_REGION"),
            own_region: text(OWN_REGION),
            served: text("TEGATA_PROFILE").filter(|_| environment.get("AWS_CONTAINER_CREDENTIALS_FULL_URI").is_some()),
            in_the_way: IN_THE_WAY
                .into_iter()
                .filter(|name| environment.as_set(name).is_some() && !is_set(name))
                .collect(),
        }
    }
}

/// Whether a switch sets it anyway.
fn is_set(name: &str) -> bool {
    PROFILES.contains(&name) || name == OWN_REGION
}

impl State {
    /// Reads what the shell kept. What cannot be read counts as nothing.
    pub(crate) fn read(text: &str) -> Self {
        let decoded = percent_decode_str(text).decode_utf8().unwrap_or_default();
        serde_json::from_str(&decoded).unwrap_or_default()
    }

    /// Writes it in letters, digits and `%` alone, which every shell passes on unharmed.
    fn written(&self) -> String {
        let json = serde_json::to_string(self).unwrap_or_default();
        utf8_percent_encode(&json, NON_ALPHANUMERIC).to_string()
    }

    /// Switches by hand: it stays when the directory is left.
    pub(crate) fn by_hand(mut self, now: &Now, to: Option<&Target>) -> Vec<Statement> {
        if now.profile.as_deref() != to.map(|to| to.profile.as_str()) {
            self.previous = Some(now.profile.clone().unwrap_or_default());
        }
        self.applied = None;
        self.switch(now, to)
    }

    /// Enters a directory with this default.
    pub(crate) fn enter(mut self, now: &Now, to: &Target) -> Vec<Statement> {
        let outside = self.outside(now);
        self.applied = Some(Applied { profile: to.profile.clone(), outside });
        self.switch(now, Some(to))
    }

    /// Leaves the directory whose default is in force: back to what was outside, unless somebody switched by hand.
    pub(crate) fn leave(mut self, now: &Now, region_of: impl FnOnce(&str) -> Option<String>) -> Vec<Statement> {
        let (in_charge, outside) = (self.is_in_charge(now), self.outside(now));
        self.applied = None;
        if !in_charge {
            return vec![Statement::Remember(self.written())];
        }
        let to = outside.map(|profile| Target { region: region_of(&profile), profile });
        self.switch(now, to.as_ref())
    }

    /// Whether a directory's default is in force and nobody has switched since.
    pub(crate) fn is_in_charge(&self, now: &Now) -> bool {
        self.applied.as_ref().is_some_and(|applied| now.profile.as_ref() == Some(&applied.profile))
    }

    fn outside(&self, now: &Now) -> Option<String> {
        match &self.applied {
            Some(applied) if self.is_in_charge(now) => applied.outside.clone(),
            _ => now.profile.clone(),
        }
    }

    fn switch(self, now: &Now, to: Option<&Target>) -> Vec<Statement> {
        let mut statements = match to {
            Some(to) => PROFILES.map(|name| Statement::Export(name, to.profile.clone())).to_vec(),
            None => PROFILES.map(Statement::Unset).to_vec(),
        };
        statements.extend(switch_region(now, to.and_then(|to| to.region.as_deref())));
        if to.is_some() {
            statements.extend(now.in_the_way.iter().map(|name| Statement::Unset(name)));
        }
        statements.push(Statement::Remember(self.written()));
        statements
    }
}

/// A region that somebody else set is replaced by a profile's, and never just removed.
fn switch_region(now: &Now, region: Option<&str>) -> Vec<Statement> {
    match (region, &now.own_region) {
        (Some(region), _) => REGIONS.map(|name| Statement::Export(name, region.to_owned())).to_vec(),
        (None, Some(own)) if now.region.as_ref() == Some(own) => REGIONS.map(Statement::Unset).to_vec(),
        (None, Some(_)) => vec![Statement::Unset(OWN_REGION)],
        (None, None) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A shell with a profile, and its region if it brought one.
    fn now(profile: Option<&str>, region: Option<&str>) -> Now {
        let [profile, region] = [profile, region].map(|text| text.map(str::to_owned));
        Now { profile, own_region: region.clone(), region, ..Now::default() }
    }

    fn target(profile: &str, region: Option<&str>) -> Target {
        Target { profile: profile.to_owned(), region: region.map(str::to_owned) }
    }

    /// Reads the state that statements make a shell keep.
    fn kept(statements: &[Statement]) -> State {
        match statements.last() {
            Some(Statement::Remember(text)) => State::read(text),
            other => panic!("{other:?}"),
        }
    }

    fn exported(statements: &[Statement]) -> Option<&str> {
        statements.iter().find_map(|statement| match statement {
            Statement::Export("AWS_PROFILE", value) => Some(value.as_str()),
            _ => None,
        })
    }

    fn no_region(_: &str) -> Option<String> {
        None
    }

    #[test]
    fn a_switch_sets_profile_and_region_and_removes_what_outranks_them() {
        let environment = Environment::of(&[("AWS_ACCESS_KEY_ID", "AKIA"), ("AWS_SESSION_TOKEN", "")]);
        let statements = State::default().by_hand(&Now::of(&environment), Some(&target("dev", Some("eu-west-1"))));
        let expected = [
            Statement::Export("AWS_PROFILE", "dev".to_owned()),
            Statement::Export("TEGATA_PROFILE", "dev".to_owned()),
            Statement::Export("AWS_REGION", "eu-west-1".to_owned()),
            Statement::Export("AWS_DEFAULT_REGION", "eu-west-1".to_owned()),
            Statement::Export("TEGATA_REGION", "eu-west-1".to_owned()),
            Statement::Unset("AWS_ACCESS_KEY_ID"),
            Statement::Unset("AWS_SESSION_TOKEN"),
        ];
        assert_eq!(&statements[..7], &expected);
    }

    #[test]
    fn clearing_removes_the_profile_and_a_region_of_ours_and_nothing_else() {
        let mut with_keys = now(Some("dev"), Some("eu-west-1"));
        with_keys.in_the_way = vec!["AWS_ACCESS_KEY_ID"];
        let removed = ["AWS_PROFILE", "TEGATA_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "TEGATA_REGION"];
        let statements = State::default().by_hand(&with_keys, None);
        assert_eq!(statements[..5], removed.map(Statement::Unset));
        assert!(matches!(statements[5..], [Statement::Remember(_)]), "{statements:?}");
        let own = Now { region: Some("us-east-1".to_owned()), ..with_keys };
        let elsewhere = State::default().by_hand(&own, None);
        assert!(!elsewhere.contains(&Statement::Unset("AWS_REGION")), "the region was set by somebody else");
    }

    #[test]
    fn what_a_switch_sets_itself_is_not_in_the_way() {
        let environment = Environment::of(&[("AWS_PROFILE", "a"), ("TEGATA_PROFILE", "a"), ("TEGATA_REGION", "x-1")]);
        assert!(Now::of(&environment).in_the_way.is_empty());
    }

    #[test]
    fn the_previous_profile_is_the_one_before_the_last_change() {
        let state = kept(&State::default().by_hand(&now(Some("a"), None), Some(&target("b", None))));
        assert_eq!(state.previous.as_deref(), Some("a"));
        let state = kept(&state.by_hand(&now(Some("b"), None), Some(&target("b", None))));
        assert_eq!(state.previous.as_deref(), Some("a"), "switching to where one is changes nothing");
        let state = kept(&State::default().by_hand(&now(None, None), Some(&target("b", None))));
        assert_eq!(state.previous.as_deref(), Some(""), "none at all is something to go back to");
    }

    #[test]
    fn leaving_a_directory_restores_what_was_outside() {
        let inside = State::default().enter(&now(Some("prod"), None), &target("dev", None));
        assert_eq!(exported(&inside), Some("dev"));
        let state = kept(&inside);
        let deeper = state.enter(&now(Some("dev"), None), &target("stage", None));
        let state = kept(&deeper);
        let outside = state.leave(&now(Some("stage"), None), no_region);
        assert_eq!(exported(&outside), Some("prod"));
        assert_eq!(kept(&outside), State::default());
    }

    #[test]
    fn leaving_to_nothing_clears() {
        let state = kept(&State::default().enter(&now(None, None), &target("dev", Some("x-1"))));
        let outside = state.leave(&now(Some("dev"), Some("x-1")), no_region);
        assert!(
            outside.contains(&Statement::Unset("AWS_PROFILE")) && outside.contains(&Statement::Unset("AWS_REGION"))
        );
    }

    #[test]
    fn a_switch_by_hand_outlives_the_directory() {
        let state = kept(&State::default().enter(&now(Some("prod"), None), &target("dev", None)));
        let state = kept(&state.by_hand(&now(Some("dev"), None), Some(&target("other", None))));
        let outside = state.leave(&now(Some("other"), None), no_region);
        assert!(matches!(&outside[..], [Statement::Remember(_)]), "{outside:?}");
        let state = kept(&State::default().enter(&now(Some("prod"), None), &target("dev", None)));
        let outside = state.leave(&now(Some("set by export"), None), no_region);
        assert!(matches!(&outside[..], [Statement::Remember(_)]), "{outside:?}");
    }

    #[test]
    fn what_a_shell_keeps_needs_no_quotes_and_comes_back_the_same() {
        let state = kept(&State::default().enter(&now(Some("it's \"$(x)\" 開発"), None), &target("a b", None)));
        assert!(state.written().chars().all(|c| c.is_ascii_alphanumeric() || c == '%'));
        assert_eq!(State::read(&state.written()), state);
        assert!(state.written().contains("applied"), "the shells look for this word");
        for broken in ["", "%", "%ff", "x", "%7B%22previous%22%3A7%7D"] {
            assert_eq!(State::read(broken), State::default(), "{broken}");
        }
    }
}
