//! What `tegata status` shows of the gate. Texts only.

use crate::hand::text;
use crate::moment;
use crate::output::Style;
use tegata_protocol::body::Status;
use tegata_protocol::gate::{Grant, HandRequest, Review};
use tegata_protocol::text::one_line;

/// Returns the lines about passkeys, and once what a gate is worth; nothing where the store cannot say.
pub(super) fn passkeys(status: &Status) -> String {
    let passkeys = match status.passkeys {
        None => return String::new(),
        Some(0) => {
            return "passkeys     none: what looks like administration is gated once one is enrolled (tegata passkey add)\n"
                .to_owned();
        }
        Some(1) => "1 enrolled".to_owned(),
        Some(count) => format!("{count} enrolled"),
    };
    // Of today's build all gates are of one tier, and a live grant or a request names it.
    let named = status.grants.iter().map(|grant| grant.tier.as_str()).chain(tiers(&status.requests)).next();
    let tier = named.and_then(text::tier).or_else(|| text::tier("prompt")).unwrap_or_default();
    format!("passkeys     {passkeys}\ntier         {tier}\n")
}

fn tiers(requests: &[HandRequest]) -> impl Iterator<Item = &str> {
    requests.iter().filter_map(|request| request.tier.as_deref())
}

/// Returns the grants, the requests and the reviews, each with the command that deals with it.
pub(super) fn page(status: &Status, now: i64, style: Style) -> String {
    [grants(&status.grants, now, style), requests(&status.requests, style), reviews(&status.reviews, now, style)]
        .into_iter()
        .flatten()
        .map(|part| format!("\n\n{part}"))
        .collect()
}

fn grants(grants: &[Grant], now: i64, style: Style) -> Option<String> {
    let rows = grants.iter().map(|grant| {
        [
            one_line(&grant.profile),
            format!("{} in {}", one_line(&grant.role), one_line(&grant.account)),
            one_line(&moment::shown(&grant.until, now)),
            grant.uses_left.map_or_else(|| "-".to_owned(), |uses| uses.to_string()),
            one_line(&grant.holder),
            text::command("tegata drop", &one_line(&grant.profile)),
        ]
    });
    let header = ["ELEVATED", "ROLE", "UNTIL", "USES LEFT", "FOR", "END IT WITH"];
    (!grants.is_empty()).then(|| style.table(header, rows))
}

fn requests(requests: &[HandRequest], style: Style) -> Option<String> {
    let rows = requests.iter().map(|request| {
        [
            text::what(request),
            one_line(&request.code),
            text::requester(request),
            format!("{} left", text::seconds_shown(request.expires_in_seconds)),
            text::command("tegata approve", &one_line(&request.id)),
        ]
    });
    let header = ["WAITS FOR A PASSKEY", "CODE", "ASKED BY", "WAITS", "APPROVE IT WITH"];
    (!requests.is_empty()).then(|| style.table(header, rows))
}

fn reviews(reviews: &[Review], now: i64, style: Style) -> Option<String> {
    let rows = reviews.iter().map(|review| {
        [
            one_line(&review.profile),
            one_line(&moment::shown(&review.granted_at, now)),
            review.approved_by.iter().map(|person| one_line(person)).collect::<Vec<_>>().join(", "),
            format!("{} --note …", text::command("tegata review close", &one_line(&review.id))),
        ]
    });
    let header = ["TO BE REVIEWED", "GRANTED", "APPROVED BY", "CLOSE IT WITH"];
    (!reviews.is_empty()).then(|| style.table(header, rows))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn status(gate: &serde_json::Value) -> Status {
        let mut status = json!({
            "version": "1", "pid": 1, "started_at": "2026-11-22T06:00:00Z", "locked": false,
            "store": {"kind": "memory", "state": "ready"}, "sessions": [], "cached_credentials": 0,
        });
        status.as_object_mut().unwrap().extend(gate.as_object().unwrap().clone());
        serde_json::from_value(status).unwrap()
    }

    fn full(text: &str) -> Status {
        status(&json!({
            "passkeys": 2,
            "grants": [{"id": text, "profile": text, "account": "123456789012", "role": text, "tier": "prompt",
                "holder": text, "yours": true, "until": "2026-11-22T09:30:00Z", "seconds_left": 1800, "uses_left": 3,
                "approved_by": [text]}],
            "requests": [{"id": text, "code": text, "purpose": "elevate", "state": "awaits_gesture", "profile": text,
                "account": "123456789012", "role": text, "tier": "prompt", "window_seconds": 900, "requester": [text],
                "approvals_needed": 1, "expires_in_seconds": 240}],
            "reviews": [{"id": text, "profile": text, "approved_by": [text], "granted_at": "2026-11-22T08:30:00Z"}],
        }))
    }

    #[test]
    fn what_is_elevated_waits_and_is_open_comes_with_its_command() {
        let now = moment::parse("2026-11-22T09:00:00Z").unwrap();
        let status = full("name");
        insta::assert_snapshot!(format!("{}{}", passkeys(&status), page(&status, now, Style::PLAIN)), @"
        passkeys     2 enrolled
        tier         prompt: this asks before Tegata answers; a program running as you could still take the sign-in token from the keyring


        ELEVATED  ROLE                  UNTIL                             USES LEFT  FOR   END IT WITH
        name      name in 123456789012  2026-11-22 09:30 UTC (in 30 min)  3          name  tegata drop name

        WAITS FOR A PASSKEY                             CODE  ASKED BY  WAITS       APPROVE IT WITH
        Elevate name (name in 123456789012) for 15 min  name  name      4 min left  tegata approve name

        TO BE REVIEWED  GRANTED                            APPROVED BY  CLOSE IT WITH
        name            2026-11-22 08:30 UTC (30 min ago)  name         tegata review close name --note …
        ");
    }

    #[test]
    fn where_nothing_is_gated_there_is_nothing_to_show() {
        let status = status(&json!({}));
        assert_eq!((passkeys(&status), page(&status, 0, Style::PLAIN)), (String::new(), String::new()));
    }

    #[test]
    fn without_a_passkey_the_way_to_a_gate_is_named_and_no_tier_is_claimed() {
        let shown = passkeys(&status(&json!({"passkeys": 0})));
        assert!(shown.contains("tegata passkey add") && !shown.contains("prompt"), "{shown}");
    }

    #[test]
    fn e10_hostile_names_are_shown_escaped() {
        let shown = page(&full("\u{1b}]52;c;x\u{7}\u{202e}\r\n\u{9b}2J"), 0, Style::PLAIN);
        assert!(!shown.chars().any(|c| c != '\n' && tegata_protocol::text::is_hostile(c)), "{shown:?}");
    }
}
