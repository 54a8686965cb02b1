//! Bodies of what waits for a hand: requests, grants, passkeys, policy, reviews. Times and durations as in [`crate::body`].

use serde::{Deserialize, Serialize};

/// `POST /v1/grants`: asks for a gated target, to be approved by hand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BeginElevation {
    /// The profile.
    pub profile: String,
    /// The AWS config file of the caller, absolute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<String>,
    /// How long the grant is to live; absent, or longer than the rules allow: as long as they do.
    #[serde(default, deserialize_with = "whole", skip_serializing_if = "Option::is_none")]
    pub seconds: Option<u64>,
    /// Why, in the person's own words; it travels to CloudTrail where AWS has a place for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Who the grant is for.
    #[serde(default)]
    pub holder: HolderWanted,
}

/// Reads a whole number, also where it is written as `900.0`: to JSON Schema that is an integer, too (draft 2020-12, 6.1.1).
pub(crate) fn whole<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    struct Whole;

    impl serde::de::Visitor<'_> for Whole {
        type Value = Option<u64>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a whole number of seconds")
        }

        fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
            Ok(Some(number))
        }

        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "checked in the line above each cast"
        )]
        fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Self::Value, E> {
            // Up to 2^53 a whole f64 is the number that was written.
            let is_whole = number.fract() == 0.0 && (0.0..9_007_199_254_740_992.0).contains(&number);
            if is_whole {
                Ok(Some(number as u64))
            } else {
                Err(E::invalid_value(serde::de::Unexpected::Float(number), &self))
            }
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(None)
        }
    }

    deserializer.deserialize_any(Whole)
}

/// Who a grant is to be for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HolderWanted {
    /// The programs of the caller's terminal; without a terminal: the program that called.
    #[default]
    Terminal,
    /// The caller and what it starts: `tegata elevate PROFILE -- CMD`.
    Caller,
    /// Every program of the user, where the rules allow it.
    User,
}

/// `GET /v1/requests/{id}`: something that waits for a hand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandRequest {
    /// Names it in later requests.
    pub id: String,
    /// Two words that the page shows as well.
    pub code: String,
    /// What the hand is asked for.
    pub purpose: Purpose,
    /// How it stands.
    pub state: RequestState,
    /// The profile that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// The account that is reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The role that is reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// `prompt`, `sealed` or `enforced`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<String>,
    /// Why it is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How long the grant will live.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window_seconds: Option<u64>,
    /// Who asks, nearest program first.
    #[serde(default)]
    pub requester: Vec<String>,
    /// What would change, one line each.
    #[serde(default)]
    pub changes: Vec<String>,
    /// Whose passkey it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
    /// How many different people have to approve.
    pub approvals_needed: u8,
    /// Who has.
    #[serde(default)]
    pub approvals_given: Vec<String>,
    /// The grant that came of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<String>,
    /// Seconds until nobody waits any more.
    pub expires_in_seconds: u64,
}

/// What a hand is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// To let a gated target be used.
    Elevate,
    /// To enrol a passkey.
    AddPasskey,
    /// To remove a passkey.
    RemovePasskey,
    /// To try a passkey; nothing follows from it.
    TestPasskey,
    /// To accept weaker rules or other endpoints than those in force.
    AcceptPolicy,
    /// To unlock.
    Unlock,
}

/// How a request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestState {
    /// Waits for the gesture of an enrolled passkey.
    AwaitsGesture,
    /// Waits for a new passkey to be made.
    AwaitsEnrolment,
    /// Every approval was given.
    Approved,
    /// The person said no.
    Refused,
    /// Nobody came in time, or whoever asked has gone.
    Expired,
}

impl RequestState {
    /// Whether a hand is still waited for.
    #[must_use]
    pub fn is_pending(self) -> bool {
        matches!(self, Self::AwaitsGesture | Self::AwaitsEnrolment)
    }
}

/// `GET /v1/requests`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandRequests {
    /// What waits, oldest first.
    pub requests: Vec<HandRequest>,
}

/// `POST /v1/requests/{id}/pages`: asks for a page.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenPage {
    /// The reason that a parked request lacks; one that is there stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A page for one request.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Page {
    /// What to open in a browser on this machine. The secret behind `#` is good once and never leaves the browser in a URL.
    pub url: String,
}

/// One grant in `GET /v1/grants`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// Names it; it is part of the role session name at AWS.
    pub id: String,
    /// The profile it was asked for with.
    pub profile: String,
    /// The account it reaches.
    pub account: String,
    /// The role it reaches.
    pub role: String,
    /// `prompt`, `sealed` or `enforced`.
    pub tier: String,
    /// Who it is for, such as `the terminal of pid 4242`.
    pub holder: String,
    /// Whether it is for the caller that asks.
    pub yours: bool,
    /// When it ends.
    pub until: String,
    /// Seconds until it ends.
    pub seconds_left: u64,
    /// How many more times AWS may be asked; absent: as often as fits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uses_left: Option<u32>,
    /// Why it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Who approved.
    pub approved_by: Vec<String>,
    /// When AWS stops accepting what was handed out under it: ending a grant does not end these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aws_accepts_until: Option<String>,
}

/// `GET /v1/grants`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grants {
    /// The live ones, oldest first.
    pub grants: Vec<Grant>,
}

/// `DELETE /v1/grants[/{id}][?profile=P]`: how many ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dropped {
    /// How many.
    pub dropped: usize,
}

/// `POST /v1/passkeys`: enrols one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddPasskey {
    /// Whose it is.
    pub person: String,
    /// What it is called, such as `yubikey 5c`.
    pub name: String,
}

/// `PUT /v1/passkeys/{id}`: renames one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RenamePasskey {
    /// The new name.
    pub name: String,
}

/// One passkey in `GET /v1/passkeys`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passkey {
    /// Names it in commands.
    pub id: String,
    /// Whose it is.
    pub person: String,
    /// What it is called.
    pub name: String,
    /// When it was enrolled.
    pub created_at: String,
    /// When it last approved something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<String>,
    /// Whether it never leaves its device (its backup eligibility flag is unset).
    pub device_bound: bool,
    /// Whether it counts no more because its counter went back: perhaps there is a copy of it.
    pub suspended: bool,
}

/// `GET /v1/passkeys`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passkeys {
    /// Those enrolled, oldest first.
    pub passkeys: Vec<Passkey>,
}

/// `GET /v1/policy?profile=P`: what decides about a profile, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explanation {
    /// The profile.
    pub profile: String,
    /// What it reaches, hop by hop.
    pub target: Vec<String>,
    /// `open`, `gated`, `proposed` (gated as soon as a passkey is enrolled) or `denied` (not at this time).
    pub gate: String,
    /// `prompt`, `sealed` or `enforced`; absent where there is no gate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<String>,
    /// The rules that match: their name and by what they match, one line each.
    pub rules: Vec<String>,
    /// The terms that follow, one line each.
    pub terms: Vec<String>,
}

/// `GET /v1/policy`: what is in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyState {
    /// How many rules are in force.
    pub rules: usize,
    /// What the settings say that is weaker than what was accepted, one line each; not in force until accepted by hand.
    pub weaker: Vec<String>,
}

/// One review item in `GET /v1/reviews`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    /// Names it: the grant's id.
    pub id: String,
    /// The profile that was used.
    pub profile: String,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Who approved.
    pub approved_by: Vec<String>,
    /// When the grant was made.
    pub granted_at: String,
}

/// `GET /v1/reviews`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reviews {
    /// Those still open, oldest first.
    pub reviews: Vec<Review>,
}

/// `POST /v1/reviews/{id}`: closes one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CloseReview {
    /// What the review found.
    pub note: String,
}

#[cfg(test)]
mod tests {
    use super::BeginElevation;

    fn seconds(text: &str) -> Option<Option<u64>> {
        let json = format!(r#"{{"profile":"p","seconds":{text}}}"#);
        serde_json::from_str::<BeginElevation>(&json).ok().map(|wanted| wanted.seconds)
    }

    #[test]
    fn seconds_are_whole_however_they_are_written() {
        assert_eq!(seconds("900"), Some(Some(900)));
        assert_eq!(seconds("900.0"), Some(Some(900)));
        assert_eq!(seconds("null"), Some(None));
        assert_eq!(serde_json::from_str::<BeginElevation>(r#"{"profile":"p"}"#).unwrap().seconds, None);
        for refused in ["-1", "-1.0", "0.5", "1e400", "\"900\"", "[900]", "true", "1e300"] {
            assert_eq!(seconds(refused), None, "{refused}");
        }
    }
}
