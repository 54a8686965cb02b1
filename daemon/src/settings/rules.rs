//! `[[rule]]` as it is written → [`Rule`].

use super::{SessionPolicy, Within};
use crate::policy::terms::{Approvals, Scope};
use crate::policy::{BUILT_IN, Days, Demands, Gate, Hours, Matchers, Pattern, Rule, WINDOWS, compile_reason};
use crate::profile::SourceKind;
use serde::de::value::StrDeserializer;
use serde::de::{Error, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::collections::BTreeSet;
use std::fmt;
use std::marker::PhantomData;
use std::num::NonZeroU32;
use std::path::Path;
use std::time::Duration;
use tegata_protocol::text::is_hostile;

/// The most rules of one file.
pub(super) const MAX_RULES: usize = 256;
/// The most characters of a rule's name.
const MAX_NAME: usize = 64;

/// A rule as it is written. Each value is checked where it is read; what they say together, in [`RuleKeys::rule`].
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RuleKeys {
    name: Option<RuleName>,
    #[serde(default)]
    account: OneOrMore<AccountPattern>,
    #[serde(default)]
    role: OneOrMore<RolePattern>,
    #[serde(default)]
    session: OneOrMore<Pattern>,
    #[serde(default)]
    source: OneOrMore<SourceKind>,
    #[serde(default)]
    profile: OneOrMore<Pattern>,
    gate: Option<GateWord>,
    template: Option<Template>,
    window: Option<Window>,
    uses: Option<Within<1, 10_000, 1>>,
    scope: Option<Scope>,
    reason: Option<Reason>,
    approvals: Option<Within<1, 2, 1>>,
    hours: Option<String>,
    #[serde(default)]
    days: OneOrMore<String>,
    time_zone: Option<String>,
    device_bound: Option<bool>,
    session_policy: Option<SessionPolicy>,
    alert: Option<bool>,
    review: Option<bool>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum GateWord {
    None,
    Passkey,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Template {
    BreakGlass,
}

impl Template {
    fn demands(self) -> Demands {
        match self {
            Self::BreakGlass => Demands {
                reason: Some(BTreeSet::new()),
                approvals: Approvals::Two,
                alert: true,
                review: true,
                ..Demands::default()
            },
        }
    }
}

impl RuleKeys {
    /// Makes the rule; `number` counts from 1, for one without a name.
    pub(super) fn rule(
        mut self,
        number: usize,
        read: &dyn Fn(&Path) -> Result<String, String>,
    ) -> Result<Rule, String> {
        let name = self.name.take().map_or_else(|| format!("rule {number}"), |name| name.0);
        let at = |error: String| format!("rule {name:?}: {error}");
        self.session_policy.as_mut().map_or(Ok(()), |policy| policy.read_file(read)).map_err(at)?;
        let matchers = self.matchers();
        if matchers.is_empty() {
            return Err(at("matches nothing; name account, role, session, source or profile".to_owned()));
        }
        let gate = self.gate().map_err(at)?;
        if gate == Gate::None && !matchers.names_what_is_reached() {
            return Err(at(
                "gate = \"none\" needs account or role: AWS config may call anything by any name".to_owned()
            ));
        }
        Ok(Rule { name, matchers, gate })
    }

    fn matchers(&mut self) -> Matchers {
        Matchers {
            account: std::mem::take(&mut self.account).0.into_iter().map(|pattern| pattern.0).collect(),
            role: std::mem::take(&mut self.role).0.into_iter().map(|pattern| pattern.0).collect(),
            session: std::mem::take(&mut self.session).0.into_iter().collect(),
            source: std::mem::take(&mut self.source).0.into_iter().collect(),
            profile: std::mem::take(&mut self.profile).0.into_iter().collect(),
        }
    }

    fn gate(self) -> Result<Gate, String> {
        match (self.gate, self.says_terms()) {
            (Some(GateWord::None), true) => {
                Err("gate = \"none\" has no terms; write a rule of its own for them".to_owned())
            }
            (Some(GateWord::None), false) => Ok(Gate::None),
            (None, false) => Err("says nothing; gate = \"passkey\" puts it behind a passkey".to_owned()),
            (_, _) => self.demands().map(Gate::Passkey),
        }
    }

    fn says_terms(&self) -> bool {
        self.template.is_some()
            || self.window.is_some()
            || self.uses.is_some()
            || self.scope.is_some()
            || self.reason.is_some()
            || self.approvals.is_some()
            || self.hours.is_some()
            || !self.days.0.is_empty()
            || self.time_zone.is_some()
            || self.device_bound.is_some()
            || self.session_policy.is_some()
            || self.alert.is_some()
            || self.review.is_some()
    }

    fn demands(self) -> Result<Demands, String> {
        let template = self.template.map_or_else(Demands::default, Template::demands);
        let hours = self.when()?;
        let demands = Demands {
            window: self.window.map_or(template.window, |window| window.0),
            uses: self.uses.and_then(|uses| u32::try_from(uses.get()).ok()).and_then(NonZeroU32::new),
            scope: self.scope.unwrap_or(template.scope),
            reason: self.reason.map(|reason| reason.0).or(template.reason.clone()),
            approvals: match self.approvals.map(Within::get) {
                None => template.approvals,
                Some(1) => Approvals::One,
                Some(_) => Approvals::Two,
            },
            hours: hours.into_iter().collect(),
            device_bound: self.device_bound.unwrap_or(template.device_bound),
            session_policies: self.session_policy.iter().map(|policy| policy.as_str().to_owned()).collect(),
            alert: self.alert.unwrap_or(template.alert),
            review: self.review.unwrap_or(template.review),
        };
        match self.template.map(|_| demands.weaker_than(&template)).as_deref() {
            None | Some([]) => Ok(demands),
            Some(weaker) => Err(format!("a template can only be tightened: {}", weaker.join(", "))),
        }
    }

    fn when(&self) -> Result<Option<Hours>, String> {
        let days = &self.days.0;
        match (&self.time_zone, &self.hours, days.is_empty()) {
            (None, None, true) => Ok(None),
            (None, _, _) => Err("hours and days need a time zone, such as time_zone = \"Asia/Tokyo\"".to_owned()),
            (Some(_), None, true) => Err("time_zone is read with hours or days only".to_owned()),
            (Some(zone), hours, all) => {
                let days = if all { Days::ALL } else { Days::read(days.iter().map(String::as_str))? };
                Hours::new(hours.as_deref(), days, zone).map(Some)
            }
        }
    }
}

/// What a person calls a rule.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
struct RuleName(String);

impl TryFrom<String> for RuleName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text.trim().is_empty() || text.chars().count() > MAX_NAME || text.contains(is_hostile) {
            return Err(format!("a rule's name is one printable line of at most {MAX_NAME} characters"));
        }
        if text == BUILT_IN {
            return Err(format!("{BUILT_IN} is the name of the rule that is there without being written"));
        }
        Ok(Self(text))
    }
}

/// An account: twelve digits, some of which a pattern may leave open. A name would never match anything.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
struct AccountPattern(Pattern);

impl TryFrom<String> for AccountPattern {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let fits = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'*' || byte == b'?');
        let named = text.bytes().filter(|byte| *byte != b'*').count();
        if !fits || named > 12 || (named < 12 && !text.contains('*')) {
            return Err("an account is twelve digits, in quotes; * and ? leave some open");
        }
        Pattern::try_from(text).map(Self)
    }
}

/// A permission set or role by its name, or a role by its ARN.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
struct RolePattern(Pattern);

impl TryFrom<String> for RolePattern {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let is_arn = text.starts_with("arn:") && text.bytes().all(|byte| byte.is_ascii_graphic());
        if !is_arn && !text.chars().all(|c| c.is_alphanumeric() || "_+=,.@-*?".contains(c)) {
            return Err("a role is its name without path, or its whole ARN; * and ? leave parts open");
        }
        Pattern::try_from(text).map(Self)
    }
}

/// A window such as `15m` or `1h 30m`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
struct Window(Duration);

impl TryFrom<String> for Window {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let span = text.parse::<jiff::SignedDuration>().ok().and_then(|span| Duration::try_from(span).ok());
        let window = span.filter(|window| window.subsec_nanos() == 0 && WINDOWS.contains(window));
        window.map(Self).ok_or("a window is from 1m to 12h, such as 15m")
    }
}

/// `"required"`, or `{ pattern = "INC-[0-9]+" }`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Reason(BTreeSet<String>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReasonKeys {
    pattern: OneOrMore<String>,
}

impl<'de> Deserialize<'de> for Reason {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Form;
        impl<'de> Visitor<'de> for Form {
            type Value = Reason;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"required\" or { pattern = \"INC-[0-9]+\" }")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Reason, E> {
                if text == "required" {
                    Ok(Reason(BTreeSet::new()))
                } else {
                    Err(E::invalid_value(serde::de::Unexpected::Str(text), &self))
                }
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Reason, A::Error> {
                let keys = ReasonKeys::deserialize(serde::de::value::MapAccessDeserializer::new(map))?;
                for pattern in &keys.pattern.0 {
                    compile_reason(pattern).map_err(A::Error::custom)?;
                }
                Ok(Reason(keys.pattern.0.into_iter().collect()))
            }
        }
        from.deserialize_any(Form)
    }
}

/// One value, or a list of some. Empty only where nothing is said: an empty list would match nothing, or anything.
#[derive(Clone, Debug, PartialEq, Eq)]
struct OneOrMore<T>(Vec<T>);

impl<T> Default for OneOrMore<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMore<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(OneOrMoreVisitor(PhantomData))
    }
}

struct OneOrMoreVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for OneOrMoreVisitor<T> {
    type Value = OneOrMore<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or a list of strings")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        let one: StrDeserializer<'_, E> = text.into_deserializer();
        T::deserialize(one).map(|one| OneOrMore(vec![one]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut all = Vec::new();
        while let Some(one) = list.next_element()? {
            all.push(one);
        }
        if all.is_empty() {
            Err(A::Error::custom("an empty list says nothing; leave it out"))
        } else {
            Ok(OneOrMore(all))
        }
    }
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;
