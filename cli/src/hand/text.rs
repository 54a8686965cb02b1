//! What a person reads about a request. Texts only.

use crate::moment;
use crate::output::Style;
use tegata_protocol::gate::{HandRequest, Purpose};
use tegata_protocol::text::one_line;

/// What a tier stands for, without a promise it does not keep. Nothing for a word of a later version.
pub(crate) fn tier(name: &str) -> Option<&'static str> {
    match name {
        "prompt" => Some(
            "prompt: this asks before Tegata answers; a program running as you could still take the sign-in token from \
             the keyring",
        ),
        "sealed" => Some("sealed: the sign-in is stored as ciphertext that only a passkey gesture opens"),
        "enforced" => Some("enforced: AWS itself refuses without the sealed key"),
        _ => None,
    }
}

/// Says what the hand is asked for, and shows the two words.
pub(crate) fn introduction(request: &HandRequest, style: Style) -> String {
    let mut lines = vec![format!("{}.", what(request))];
    if let Some(reason) = &request.reason {
        lines.push(format!("Reason: {}", one_line(reason)));
    }
    if request.purpose == Purpose::Elevate && !request.requester.is_empty() {
        lines.push(format!("Asked for by {}.", requester(request)));
    }
    if request.purpose == Purpose::AcceptPolicy {
        lines.extend(request.changes.iter().map(|change| format!("  weaker: {}", one_line(change))));
    }
    if let Some(tier) = request.tier.as_deref() {
        lines.push(format!("Tier {}.", self::tier(tier).map_or_else(|| one_line(tier), str::to_owned)));
    }
    if request.approvals_needed > 1 {
        lines.push(still_needed(request));
    }
    let code = style.strong(&one_line(&request.code));
    lines.push(format!("\n    {code}\n\nThe page must show these two words; if it shows others, close it."));
    lines.join("\n")
}

/// Says in a few words what is asked for, such as `Elevate prod-admin (AdministratorAccess in 123456789012) for 30 min`.
pub(crate) fn what(request: &HandRequest) -> String {
    let changes = || request.changes.iter().map(|change| one_line(change)).collect::<Vec<_>>().join(", ");
    let of = request.person.as_deref().map(|person| format!(" of {}", one_line(person))).unwrap_or_default();
    match request.purpose {
        Purpose::Elevate => elevation(request),
        Purpose::AddPasskey => format!("Enrol the passkey {}{of}", changes()),
        Purpose::RemovePasskey => format!("Remove the passkey {}{of}", changes()),
        Purpose::TestPasskey => "Try a passkey; nothing follows from it".to_owned(),
        Purpose::AcceptPolicy => "Accept settings that are weaker than those in force".to_owned(),
        Purpose::Unlock => "Unlock".to_owned(),
    }
}

fn elevation(request: &HandRequest) -> String {
    let text = |text: &Option<String>| text.as_deref().map_or_else(|| "?".to_owned(), one_line);
    let window = request.window_seconds.map(|seconds| format!(" for {}", seconds_shown(seconds))).unwrap_or_default();
    format!("Elevate {} ({} in {}){window}", text(&request.profile), text(&request.role), text(&request.account))
}

/// Names who asks, nearest program first.
pub(crate) fn requester(request: &HandRequest) -> String {
    request.requester.iter().map(|program| one_line(program)).collect::<Vec<_>>().join(", started by ")
}

/// Says who has approved, and how many more people have to.
pub(crate) fn still_needed(request: &HandRequest) -> String {
    let given: Vec<_> = request.approvals_given.iter().map(|person| one_line(person)).collect();
    let missing = usize::from(request.approvals_needed).saturating_sub(given.len());
    match given.as_slice() {
        [] => format!("{} different people have to approve.", request.approvals_needed),
        given => format!("{} approved; {missing} more has to, who is somebody else.", given.join(" and ")),
    }
}

/// Says what is waited for and how long.
pub(crate) fn waiting(request: &HandRequest) -> String {
    format!("Waiting for a passkey on the page; it ends in {}.", seconds_shown(request.expires_in_seconds))
}

/// Returns a number of seconds as a person reads it.
pub(crate) fn seconds_shown(seconds: u64) -> String {
    moment::duration(i64::try_from(seconds).unwrap_or(i64::MAX))
}

/// Returns a command with an argument, quoted for a shell where that is needed.
pub(crate) fn command(start: &str, argument: &str) -> String {
    let quoted = shlex::try_quote(argument).map_or_else(|_| argument.to_owned(), std::borrow::Cow::into_owned);
    format!("{start} {quoted}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use tegata_protocol::gate::RequestState;

    fn request(purpose: Purpose) -> HandRequest {
        HandRequest {
            id: "r1".to_owned(),
            code: "brave otter".to_owned(),
            purpose,
            state: RequestState::AwaitsGesture,
            profile: Some("prod-admin".to_owned()),
            account: Some("123456789012".to_owned()),
            role: Some("AdministratorAccess".to_owned()),
            tier: Some("prompt".to_owned()),
            reason: Some("INC-42".to_owned()),
            window_seconds: Some(1_800),
            requester: vec!["terraform (pid 7)".to_owned(), "bash (pid 5)".to_owned()],
            changes: vec!["yubikey 5c".to_owned()],
            person: Some("ann".to_owned()),
            approvals_needed: 2,
            approvals_given: vec![],
            grant: None,
            expires_in_seconds: 300,
        }
    }

    #[test]
    fn an_elevation_names_everything_the_page_shows() {
        insta::assert_snapshot!(introduction(&request(Purpose::Elevate), Style::PLAIN), @"
        Elevate prod-admin (AdministratorAccess in 123456789012) for 30 min.
        Reason: INC-42
        Asked for by terraform (pid 7), started by bash (pid 5).
        Tier prompt: this asks before Tegata answers; a program running as you could still take the sign-in token from the keyring.
        2 different people have to approve.

            brave otter

        The page must show these two words; if it shows others, close it.
        ");
    }

    #[test]
    fn every_purpose_is_said_in_a_few_words() {
        let said =
            [Purpose::AddPasskey, Purpose::RemovePasskey, Purpose::TestPasskey, Purpose::AcceptPolicy, Purpose::Unlock]
                .map(|purpose| what(&request(purpose)));
        assert_eq!(
            said,
            [
                "Enrol the passkey yubikey 5c of ann",
                "Remove the passkey yubikey 5c of ann",
                "Try a passkey; nothing follows from it",
                "Accept settings that are weaker than those in force",
                "Unlock",
            ]
        );
    }

    #[test]
    fn the_second_person_is_asked_for_by_name_of_the_first() {
        let request = HandRequest { approvals_given: vec!["ann".to_owned()], ..request(Purpose::Elevate) };
        assert_eq!(still_needed(&request), "ann approved; 1 more has to, who is somebody else.");
    }

    #[test]
    fn the_tier_promises_no_more_than_it_keeps() {
        assert!(tier("prompt").unwrap().contains("could still take the sign-in token"));
        assert_eq!(tier("of tomorrow"), None);
    }

    #[test]
    fn e11_hostile_words_are_shown_escaped() {
        let hostile = "\u{1b}]52;c;x\u{7}\u{202e}\r\u{9b}2J".to_owned();
        for purpose in [Purpose::Elevate, Purpose::AddPasskey, Purpose::AcceptPolicy] {
            let mut request = request(purpose);
            for text in [&mut request.profile, &mut request.account, &mut request.role, &mut request.tier] {
                *text = Some(hostile.clone());
            }
            (request.reason, request.person) = (Some(hostile.clone()), Some(hostile.clone()));
            (request.requester, request.changes) = (vec![hostile.clone()], vec![hostile.clone()]);
            (request.approvals_given, request.code) = (vec![hostile.clone()], hostile.clone());
            let shown = introduction(&request, Style::PLAIN);
            assert!(!shown.chars().any(|c| c != '\n' && tegata_protocol::text::is_hostile(c)), "{shown:?}");
        }
    }

    #[test]
    fn an_argument_of_a_suggested_command_is_quoted() {
        assert_eq!(command("tegata elevate", "a b;c"), "tegata elevate 'a b;c'");
        assert_eq!(command("tegata elevate", "prod-admin"), "tegata elevate prod-admin");
    }
}
