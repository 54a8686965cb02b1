//! `tegata keys rotate`: a new access key in IAM, and the old one's end.

use crate::client::Client;
use crate::commands::config_file;
use crate::environment::{self, Environment};
use crate::failure::{Failure, Kind};
use crate::moment;
use crate::output::{self, Progress};
use clap::Args;
use std::time::Duration;
use tegata_protocol::keys::{MAX_GRACE_SECONDS, ReplacedKey, ReplacedState, RotateKey, RotatedKey};
use tegata_protocol::{ErrorCode, paths, text::one_line};

/// How long a rotation may take: IAM is eventually consistent, so a new key is tried for a minute at each of two services.
const ROTATING: Duration = Duration::from_secs(240);

/// Turn the access key behind a profile over: a new one is made and proven, the old one deactivated and later deleted.
///
/// Everything happens in the daemon. Whatever interrupts it, one key works, and running this again goes on. The old key is deactivated at
/// once and deleted after the grace time, by the daemon or by --finish; until then it can be made active again in IAM.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tegata keys rotate dev
  tegata keys rotate --grace 0s dev        delete the old key at once
  tegata keys rotate --finish dev          delete what the last rotation has replaced")]
pub(crate) struct Rotate {
    /// A profile whose credentials start from the access keys of an IAM user
    profile: String,
    /// How long the old key is kept, deactivated: 90 days at most [default: 24h]
    #[arg(long, value_name = "DURATION", value_parser = grace, conflicts_with = "finish")]
    grace: Option<u64>,
    /// Make no key; delete what was replaced, whatever is left of the grace time
    #[arg(long)]
    finish: bool,
    /// Print what the daemon says, as JSON
    #[arg(long)]
    json: bool,
}

fn grace(text: &str) -> Result<u64, &'static str> {
    let wrong = "a grace time is written 0s, 30m, 24h or 7d, and is 90 days at most";
    let (digits, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or(wrong)?;
    let unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return Err(wrong),
    };
    let digits = Some(digits).filter(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()));
    let seconds = digits.and_then(|digits| digits.parse::<u64>().ok()?.checked_mul(unit));
    seconds.filter(|seconds| *seconds <= MAX_GRACE_SECONDS).ok_or(wrong)
}

impl Rotate {
    pub(crate) fn run(self, environment: &Environment) -> Result<(), Failure> {
        let client = Client::new(environment)?;
        let profile = self.profile.clone();
        let wanted =
            RotateKey { profile, config: config_file(environment)?, grace_seconds: self.grace, finish: self.finish };
        let progress = Progress::begin("turning the access key over");
        if self.json {
            let rotated: serde_json::Value = client.post_within(paths::ROTATIONS, &wanted, ROTATING)?;
            drop(progress);
            return output::say(&output::pretty(&rotated));
        }
        let rotated: RotatedKey = client.post_within(paths::ROTATIONS, &wanted, ROTATING)?;
        drop(progress);
        output::say(&told(&rotated, &self.profile, environment::now()))?;
        match rotated.old.iter().find(|old| old.state == ReplacedState::Left) {
            Some(left) => Err(not_let_go(&rotated, left)),
            None => Ok(()),
        }
    }
}

fn told(rotated: &RotatedKey, profile: &str, now: i64) -> String {
    let name = shlex::try_quote(profile).map_or_else(|_| profile.to_owned(), std::borrow::Cow::into_owned);
    let (user, in_use) = (one_line(&rotated.user), last_four(&rotated.in_use));
    let first = match (rotated.began, rotated.old.is_empty()) {
        (true, _) => format!("A new access key of {user} is in use: …{in_use}."),
        (false, true) => format!("There is nothing to finish: access key …{in_use} of {user} is in use."),
        (false, false) => {
            format!("Access key …{in_use} of {user} is in use; no new one was made, an earlier rotation went on.")
        }
    };
    let old = rotated.old.iter().filter_map(|old| {
        let id = last_four(&old.access_key_id);
        match old.state {
            ReplacedState::Deleted => Some(format!("The old one, …{id}, is deleted.")),
            ReplacedState::Deactivated => {
                let when = old.delete_after.as_deref().map(|at| one_line(&moment::shown(at, now))).unwrap_or_default();
                Some(format!(
                    "The old one, …{id}, is deactivated and will be deleted {when}; at once with: tegata keys rotate --finish {name}"
                ))
            }
            ReplacedState::Left => None,
        }
    });
    std::iter::once(first).chain(old).collect::<Vec<_>>().join("\n")
}

/// The new key works; that the old one does as well is for somebody with more permissions.
fn not_let_go(rotated: &RotatedKey, left: &ReplacedKey) -> Failure {
    let id = one_line(&left.access_key_id);
    let user = one_line(rotated.user.rsplit('/').next().unwrap_or_default());
    let why = left.detail.as_deref().map(one_line).unwrap_or_default();
    let message = format!("the old access key …{} is still active: {why}", last_four(&id));
    let mend = format!("aws iam update-access-key --user-name {user} --access-key-id {id} --status Inactive");
    Failure::new(Kind::Reported(ErrorCode::UpstreamRefused), message).mend(mend)
}

pub(super) fn last_four(id: &str) -> String {
    let tail: Vec<char> = id.chars().rev().take(4).collect();
    one_line(&tail.into_iter().rev().collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rotated(began: bool, state: Option<ReplacedState>) -> RotatedKey {
        let old = state.map(|state| ReplacedKey {
            access_key_id: "AKIAOLDOLDOLDOLDOLD1".to_owned(),
            state,
            delete_after: Some("2026-11-23T09:00:00Z".to_owned()),
            detail: Some("AWS refused \u{1b}[2J".to_owned()),
        });
        RotatedKey {
            user: "arn:aws:iam::123456789012:user/team/alice".to_owned(),
            began,
            in_use: "AKIANEWNEWNEWNEWNEW2".to_owned(),
            created_at: None,
            old: old.into_iter().collect(),
        }
    }

    #[test]
    fn what_became_of_both_keys_is_said() {
        let now = moment::parse("2026-11-22T09:00:00Z").unwrap();
        let said = told(&rotated(true, Some(ReplacedState::Deactivated)), "my dev", now);
        assert!(
            said.contains("…NEW2") && said.contains("…OLD1, is deactivated") && said.contains("--finish 'my dev'"),
            "{said}"
        );
        assert!(told(&rotated(false, None), "dev", now).starts_with("There is nothing to finish"));
        let left = rotated(true, Some(ReplacedState::Left));
        let failure = not_let_go(&left, &left.old[0]);
        assert!(failure.mending().unwrap().contains("--user-name alice --access-key-id AKIAOLDOLDOLDOLDOLD1"));
        assert!(!failure.message().contains('\u{1b}'));
    }

    #[test]
    fn a_grace_time_is_nothing_to_ninety_days() {
        for (text, seconds) in [("0s", 0), ("30m", 1_800), ("24h", 86_400), ("90d", MAX_GRACE_SECONDS)] {
            assert_eq!(grace(text), Ok(seconds));
        }
        for text in ["", "d", "7", "-1d", "91d", "1w", "1 d", "９d", "99999999999999999999d"] {
            assert!(grace(text).is_err(), "{text}");
        }
    }
}
