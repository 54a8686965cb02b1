//! How old a key may be, and what is said when it is older. Pure.

use crate::iam_users::record::{AccessKey, IamUserRecord, KeyState};
use crate::problem::quoted;
use std::time::{Duration, SystemTime};

/// Returns since when a key has been there, as far as it is known.
#[must_use]
pub fn since(key: &AccessKey) -> SystemTime {
    key.created_at.unwrap_or(key.kept_since)
}

/// Says in one line what a person should do about the key of a user, whom `profile` uses; nothing while all is well. `most` is the age
/// the settings allow.
#[must_use]
pub fn reminder(profile: &str, record: &IamUserRecord, most: Option<Duration>, now: SystemTime) -> Option<String> {
    let name = quoted(profile);
    let waits = record.making_since.is_some() || record.keys.iter().any(|key| key.state == KeyState::ComingIn);
    if waits {
        return Some(format!(
            "the rotation of the access key behind {name} is not at its end; run: tegata keys rotate {name}"
        ));
    }
    let key = record.in_use()?;
    let age = now.duration_since(since(key)).unwrap_or_default();
    let most = most.filter(|most| age > *most)?;
    let days = |time: Duration| time.as_secs() / 86_400;
    let known = if key.created_at.is_some() { "is" } else { "is at least" };
    Some(format!(
        "access key …{} behind {name} {known} {} days old, and {} are allowed; run: tegata keys rotate {name}",
        key.id.last_four(),
        days(age),
        days(most)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::from_unix_seconds;
    use tegata_protocol::Secret;

    const DAY: i64 = 86_400;

    fn record(created: Option<i64>, state: KeyState) -> IamUserRecord {
        let secret = Secret::new("s".repeat(40));
        let key = AccessKey::new("AKIAIOSFODNN7EXAMPLE", secret, from_unix_seconds(50 * DAY), state).unwrap();
        let key = AccessKey { created_at: created.map(from_unix_seconds), ..key };
        IamUserRecord::new("arn:aws:iam::123456789012:user/alice", from_unix_seconds(0), key)
    }

    fn said(record: &IamUserRecord, most: Option<u64>, day: i64) -> Option<String> {
        let most = most.map(|days| Duration::from_secs(days * 86_400));
        reminder("my dev", record, most, from_unix_seconds(day * DAY))
    }

    #[test]
    fn a_key_that_is_too_old_is_named_with_the_command() {
        let old = record(Some(0), KeyState::InUse);
        assert_eq!(said(&old, Some(90), 90), None);
        assert_eq!(said(&old, None, 900), None);
        let line = said(&old, Some(90), 91).unwrap();
        assert_eq!(
            line,
            "access key …MPLE behind 'my dev' is 91 days old, and 90 are allowed; run: tegata keys rotate 'my dev'"
        );
        let unknown = said(&record(None, KeyState::InUse), Some(90), 141).unwrap();
        assert!(unknown.contains("is at least 91 days old"), "{unknown}");
    }

    #[test]
    fn a_rotation_that_is_not_at_its_end_is_named() {
        let line = said(&record(Some(0), KeyState::ComingIn), None, 1).unwrap();
        assert!(line.ends_with("is not at its end; run: tegata keys rotate 'my dev'"), "{line}");
    }
}
