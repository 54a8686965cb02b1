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

/// Which targets are had only by passkey, and on which terms. Every rule that matches applies, and the strictest of what they
/// demand holds; the order of rules says nothing.
///
/// Of what a rule matches (`account`, `role`, `session`, `source`, `profile`) each key that is there has to match, and of a list one
/// entry; at least one key has to be there. In patterns `*` is any characters, `?` one; upper and lower case are different, as at AWS.
/// The other keys say what the rule does: `gate`, or terms.
// Each value is checked where it is read; what they say together, in `RuleKeys::rule`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(extend("anyOf" = super::schema::a_matcher())))]
pub(super) struct RuleKeys {
    /// What you see; each name once. `rule N` where nothing is said.
    name: Option<RuleName>,
    /// The account of a station of the chain, in quotes.
    #[serde(default)]
    account: OneOrMore<AccountPattern>,
    /// The permission set's or role's name at the same station; the whole ARN of a role where it begins with `arn:`.
    #[serde(default)]
    role: OneOrMore<RolePattern>,
    /// The sign-in session's name.
    #[serde(default)]
    session: OneOrMore<Pattern>,
    /// What the chain starts with.
    #[serde(default)]
    source: OneOrMore<SourceKind>,
    /// The profile's name. AWS config may call anything by any name, so prefer `account` and `role`.
    #[serde(default)]
    profile: OneOrMore<Pattern>,
    /// Whether a passkey is needed. As soon as a term is set it is; otherwise it has to be said.
    gate: Option<GateWord>,
    /// Terms under one name. Other keys of the rule can only tighten them.
    template: Option<Template>,
    /// The longest a grant lives.
    #[cfg_attr(test, schemars(extend("default" = super::schema::usual("window"))))]
    window: Option<Window>,
    /// How often AWS is asked under one grant. No limit where nothing is said.
    uses: Option<Within<1, 10_000, 1>>,
    /// Who a grant may be for.
    #[cfg_attr(test, schemars(extend("default" = super::schema::usual("scope"))))]
    scope: Option<Scope>,
    /// Whether a reason has to be given, and how it looks. Patterns are regular expressions looked for anywhere in the reason; `^`
    /// and `$` anchor them; of a list all have to be found.
    reason: Option<Reason>,
    /// How many different people have to approve.
    #[cfg_attr(test, schemars(extend("default" = super::schema::usual("approvals"))))]
    approvals: Option<Within<1, 2, 1>>,
    /// When it is to be had at all, such as `"09:00-18:00"`; always where nothing is said. `"22:00-06:00"` ends on the next day and
    /// belongs to the day it begins on. A grant ends when the hours do.
    hours: Option<String>,
    /// On which days, such as `["Mon-Fri", "Sun"]`; on all where nothing is said.
    #[serde(default)]
    days: OneOrMore<String>,
    /// The IANA name of the time zone of `hours` and `days`, such as `"Asia/Tokyo"`, needed with either. The time zones are built in:
    /// `TZ` and files on disk change nothing.
    time_zone: Option<String>,
    /// Whether only passkeys count that never leave their device.
    #[cfg_attr(test, schemars(extend("default" = super::schema::usual("device_bound"))))]
    device_bound: Option<bool>,
    /// In force while elevated, on the last role of the chain. At most 2,048 characters; AWS also packs policies and tags together
    /// and may refuse one that fits. A permission set takes none: there the rule denies.
    session_policy: Option<SessionPolicy>,
    /// Whether a desktop notification is shown at each grant.
    #[cfg_attr(test, schemars(extend("default" = super::schema::usual("alert"))))]
    alert: Option<bool>,
    /// Whether each grant leaves an item that `tegata review` shows until it is closed.
    #[cfg_attr(test, schemars(extend("default" = super::schema::usual("review"))))]
    review: Option<bool>,
}

/// Whether a passkey is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
enum GateWord {
    /// What it matches is let out of the built-in rule, and nothing else is done. It needs `account` or `role` and has no terms.
    None,
    /// A passkey gesture is needed.
    Passkey,
}

/// Terms under one name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
enum Template {
    /// Two approvals, 15 minutes, a reason, `alert` and `review`.
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
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(with = "String", inline, title = "up to 64 characters", extend("maxLength" = MAX_NAME)))]
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
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(with = "String", inline, title = "pattern of twelve digits", extend("pattern" = r"^[0-9*?]+$")))]
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
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(with = "String", inline, title = "pattern of a name or ARN"))]
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
#[cfg_attr(
    test,
    derive(schemars::JsonSchema),
    schemars(with = "String", inline, title = "such as `15m` or `1h 30m`, from `1m` to `12h`")
)]
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
pub(super) struct Reason(BTreeSet<String>);

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
pub(super) struct OneOrMore<T>(Vec<T>);

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
