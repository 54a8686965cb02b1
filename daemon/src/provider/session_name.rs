//! The name of a role session, which CloudTrail shows beside every call: user, host, and the grant it was issued under. Pure.

use crate::local_user::LocalUser;

/// STS API reference, `RoleSessionName`: 2 to 64 characters of `[\w+=,.@-]`, ASCII.
const MOST: usize = 64;
const LEAST: usize = 2;

/// Returns `alice@laptop-k3f9x2ab`: the configured name, else user and host, then the grant's id. What is too long loses its
/// end in favour of the id, by which a record in CloudTrail is found again here; what STS does not take becomes `-`.
#[must_use]
pub fn role_session_name(user: &LocalUser, configured: Option<&str>, grant_id: Option<&str>) -> String {
    let stem = configured.map_or_else(|| format!("{}@{}", user.name, user.host), str::to_owned);
    let id = grant_id.map(|id| cut(id, MOST - LEAST)).filter(|id| !id.is_empty());
    let name = match id {
        Some(id) => format!("{}-{id}", cut(&stem, MOST - 1 - id.len())),
        None => cut(&stem, MOST),
    };
    if name.len() < LEAST { format!("{name}--") } else { name }
}

/// Returns the first `most` characters in the alphabet of STS, of which each is one byte.
fn cut(text: &str, most: usize) -> String {
    let fits = |c: &char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(*c);
    text.chars().map(|c| if fits(&c) { c } else { '-' }).take(most).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRANT: &str = "k3f9x2ab";

    fn name(user: &str, host: &str, configured: Option<&str>, grant_id: Option<&str>) -> String {
        let user = LocalUser { name: user.to_owned(), host: host.to_owned() };
        role_session_name(&user, configured, grant_id)
    }

    fn is_taken_by_sts(name: &str) -> bool {
        (2..=64).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_+=,.@-".contains(&b))
    }

    #[test]
    fn it_joins_user_host_and_grant() {
        assert_eq!(name("alice", "laptop", None, Some(GRANT)), "alice@laptop-k3f9x2ab");
        assert_eq!(name("alice", "laptop", None, None), "alice@laptop");
    }

    #[test]
    fn a_configured_name_stands_in_for_user_and_host() {
        assert_eq!(name("alice", "laptop", Some("deploy-bot"), Some(GRANT)), "deploy-bot-k3f9x2ab");
        assert_eq!(name("alice", "laptop", Some("deploy-bot"), None), "deploy-bot");
    }

    #[test]
    fn the_grant_survives_a_stem_of_any_length() {
        for stem in ["x".repeat(64), "長".repeat(500), "a@b".repeat(40)] {
            for configured in [None, Some(stem.as_str())] {
                let name = name(&stem, &stem, configured, Some(GRANT));
                assert!(name.ends_with("-k3f9x2ab") && name.len() == 64 && is_taken_by_sts(&name), "{name}");
            }
        }
        let name = name("alice", "laptop", None, Some(&"g".repeat(100)));
        assert!(name.contains(&"g".repeat(62)) && is_taken_by_sts(&name), "{name}");
    }

    #[test]
    fn what_sts_does_not_take_becomes_a_dash() {
        assert_eq!(name("CORP\\josé", "開発 1", None, Some(GRANT)), "CORP-jos-@---1-k3f9x2ab");
        for odd in ["", "a", "\n", "é", "\u{202e}"] {
            for grant in [None, Some(""), Some("\r\n")] {
                let made = name(odd, odd, Some(odd), grant);
                assert!(is_taken_by_sts(&made), "{odd:?} {grant:?} {made:?}");
            }
        }
    }
}
