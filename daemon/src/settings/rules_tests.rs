use crate::policy::terms::{Approvals, Scope};
use crate::policy::{Demands, Gate, Rule};
use crate::settings::Settings;

fn parse(lines: &str) -> Result<Rule, String> {
    let settings = Settings::parse(&format!("[[rule]]\n{lines}\n")).map_err(|error| error.to_string())?;
    Ok(settings.rules()[0].clone())
}

fn refused(lines: &str) -> String {
    parse(lines).unwrap_err()
}

/// What a rule on one role demands.
fn demands(lines: &str) -> Demands {
    match parse(&format!("role = 'r'\n{lines}")).unwrap().gate {
        Gate::Passkey(demands) => demands,
        Gate::None => panic!("gate none"),
    }
}

#[test]
fn every_matcher_is_one_pattern_or_a_list() {
    let rule = parse(
        "name = 'x'\naccount = ['123456789012', '1?*']\nrole = 'Prod*'\nsession = ['a', 'b']\nsource = 'sign-in'\n\
         profile = 'p?'\ngate = 'passkey'",
    )
    .unwrap();
    let shown = serde_json::to_value(&rule.matchers).unwrap();
    assert_eq!(
        shown,
        serde_json::json!({"account": ["123456789012", "1?*"], "role": ["Prod*"], "session": ["a", "b"],
            "source": ["sign-in"], "profile": ["p?"]})
    );
    assert_eq!((rule.name.as_str(), rule.gate), ("x", Gate::Passkey(Demands::default())));
}

#[test]
fn a_rule_that_matches_nothing_or_says_nothing_is_an_error() {
    assert!(refused("gate = 'passkey'").contains("rule \"rule 1\": matches nothing; name account, role"));
    assert!(refused("name = 'x'\nwindow = '5m'").contains("rule \"x\": matches nothing"));
    assert!(refused("role = 'x'").contains("says nothing; gate = \"passkey\""));
}

#[test]
fn h2_a_blank_matcher_never_means_any() {
    for matcher in ["account", "role", "session", "source", "profile"] {
        for blank in ["''", "' '", "[]", "['']", "['x', '']"] {
            let message = refused(&format!("{matcher} = {blank}\ngate = 'passkey'"));
            assert!(message.starts_with("line 2: "), "{matcher} = {blank}: {message}");
        }
    }
}

#[test]
fn h2_twin_a_star_is_written_out_by_who_means_any() {
    for matcher in ["account", "role", "session", "profile"] {
        assert!(parse(&format!("{matcher} = '*'\ngate = 'passkey'")).is_ok(), "{matcher}");
    }
}

#[test]
fn a_pattern_that_could_match_nothing_is_refused() {
    for bad in ["prod", "12345678901", "1234567890123", "?", "1234567890123*", "12345678901x"] {
        assert!(
            refused(&format!("account = '{bad}'\ngate = 'passkey'")).contains("an account is twelve digits"),
            "{bad}"
        );
    }
    for good in ["123456789012", "*", "1*2", "????????????", "123456789012*", "00000000000?"] {
        assert!(parse(&format!("account = '{good}'\ngate = 'passkey'")).is_ok(), "{good}");
    }
    assert!(refused("account = 123456789012\ngate = 'passkey'").contains("expected a string or a list of strings"));
    for bad in ["team/Deploy", "a b", "a:b", "arn:aws:iam::1:role/a b", "arn:aws:iam::1:role/é"] {
        assert!(
            refused(&format!("role = '{bad}'\ngate = 'passkey'")).contains("a role is its name without path"),
            "{bad}"
        );
    }
    for good in ["a_+=,.@-Z9*?", "管理", "arn:aws:iam::*:role/team/*", "*"] {
        assert!(parse(&format!("role = '{good}'\ngate = 'passkey'")).is_ok(), "{good}");
    }
}

#[test]
fn unknown_words_are_errors_with_the_nearest() {
    assert_eq!(refused("rol = 'x'"), "line 2: Tegata does not know \"rol\"; nearest: role");
    assert_eq!(refused("role = 'x'\ngate = 'passkeys'"), "line 3: Tegata does not know \"passkeys\"; nearest: passkey");
    assert_eq!(
        refused("role = 'x'\nscope = 'terminals'"),
        "line 3: Tegata does not know \"terminals\"; nearest: terminal"
    );
    assert!(refused("source = 'key'\ngate = 'passkey'").contains("does not know \"key\"; it reads sign-in"));
    assert!(refused("role = 'x'\ntemplate = 'breakglass'").ends_with("nearest: break-glass"));
    assert!(refused("role = 'x'\nreason = { patern = 'x' }").contains("nearest: pattern"));
}

#[test]
fn gate_none_has_neither_terms_nor_names_from_aws_config() {
    assert_eq!(parse("role = 'x'\ngate = 'none'").unwrap().gate, Gate::None);
    assert_eq!(parse("account = '*'\nprofile = 'x'\ngate = 'none'").unwrap().gate, Gate::None);
    assert!(refused("profile = 'x'\ngate = 'none'").contains("needs account or role"));
    for term in [
        "window = '15m'",
        "uses = 1",
        "scope = 'user'",
        "reason = 'required'",
        "approvals = 1",
        "hours = '09:00-18:00'",
        "days = 'Mon'",
        "time_zone = 'UTC'",
        "device_bound = false",
        "session_policy = '{\"Statement\":[]}'",
        "alert = false",
        "review = false",
        "template = 'break-glass'",
    ] {
        assert!(refused(&format!("role = 'x'\ngate = 'none'\n{term}")).contains("has no terms"), "{term}");
    }
}

#[test]
fn j6_a_window_is_from_one_minute_to_twelve_hours() {
    for bad in [
        "",
        "0",
        "0m",
        "0s",
        "59s",
        "-15m",
        "15m ago",
        "12h 1s",
        "13h",
        "18446744073709551615m",
        "18446744073709551615s",
        "15",
        "1d",
        "1 fortnight",
        "60.5s",
        "1e3s",
        "P1D",
    ] {
        assert!(refused(&format!("role = 'x'\nwindow = '{bad}'")).contains("a window is from 1m to 12h"), "{bad}");
    }
    assert!(refused("role = 'x'\nwindow = 15").starts_with("line 3: window: "));
    assert!(refused("role = 'x'\nwindow = -1").starts_with("line 3: window: "));
}

#[test]
fn j6_twin_windows_are_written_as_people_write_them() {
    for (text, seconds) in
        [("1m", 60), ("15m", 900), ("1h 30m", 5_400), ("90m", 5_400), ("12h", 43_200), ("60s", 60), ("15 minutes", 900)]
    {
        assert_eq!(demands(&format!("window = '{text}'")).window.as_secs(), seconds, "{text}");
    }
    assert_eq!(demands("gate = 'passkey'").window.as_secs(), 900);
}

#[test]
fn each_term_is_read() {
    assert_eq!(demands("uses = 10000").uses.unwrap().get(), 10_000);
    for (bad, range) in [
        ("uses = 0", "1 to 10000"),
        ("uses = 10001", "1 to 10000"),
        ("approvals = 3", "1 to 2"),
        ("approvals = 0", "1 to 2"),
    ] {
        assert!(refused(&format!("role = 'x'\n{bad}")).contains(range), "{bad}");
    }
    for (word, scope) in [("user", Scope::User), ("terminal", Scope::Terminal), ("request", Scope::Request)] {
        assert_eq!(demands(&format!("scope = '{word}'")).scope, scope);
    }
    assert_eq!(
        (demands("approvals = 1").approvals, demands("approvals = 2").approvals),
        (Approvals::One, Approvals::Two)
    );
    for term in ["device_bound", "alert", "review"] {
        let (on, off) = (demands(&format!("{term} = true")), demands(&format!("{term} = false")));
        let said = |demands: &Demands| (demands.device_bound, demands.alert, demands.review);
        assert_eq!(said(&on), (term == "device_bound", term == "alert", term == "review"));
        assert_eq!(off, Demands::default());
    }
}

#[test]
fn a_reason_is_required_or_has_a_pattern() {
    assert_eq!(demands("uses = 1").reason, None);
    assert!(demands("reason = 'required'").reason.unwrap().is_empty());
    let patterns = demands("reason = { pattern = ['INC-[0-9]+', '^x'] }").reason.unwrap();
    assert_eq!(patterns.into_iter().collect::<Vec<_>>(), ["INC-[0-9]+", "^x"]);
    assert!(refused("role = 'x'\nreason = 'optional'").contains("expected \"required\" or { pattern"));
    assert!(refused("role = 'x'\nreason = { pattern = 'INC-[' }").contains("no regular expression"));
    assert!(refused("role = 'x'\nreason = { pattern = '' }").contains("a pattern is a regular expression"));
    assert!(refused("role = 'x'\nreason = {}").contains("pattern"));
    assert!(refused("role = 'x'\nreason = true").contains("expected \"required\" or"));
}

#[test]
fn hours_and_days_need_a_time_zone() {
    let shown = |lines: &str| demands(lines).hours.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(
        shown("hours = '22:00-06:00'\ndays = ['Mon-Thu', 'Sat']\ntime_zone = 'Asia/Tokyo'"),
        ["Mon-Thu, Sat 22:00-06:00 Asia/Tokyo"]
    );
    assert_eq!(shown("hours = '09:00-18:00'\ntime_zone = 'UTC'"), ["Mon-Sun 09:00-18:00 UTC"]);
    assert_eq!(shown("days = 'Mon'\ntime_zone = 'UTC'"), ["Mon 00:00-24:00 UTC"]);
    assert!(shown("uses = 1").is_empty());
    for lines in ["hours = '09:00-18:00'", "days = 'Mon'", "hours = '09:00-18:00'\ndays = 'Mon'"] {
        assert!(refused(&format!("role = 'x'\n{lines}")).contains("need a time zone"), "{lines}");
    }
    assert!(refused("role = 'x'\ntime_zone = 'UTC'").contains("with hours or days only"));
    assert!(refused("role = 'x'\ntime_zone = 'JST'\ndays = 'Mon'").contains("no time zone \"JST\""));
    assert!(refused("role = 'x'\ntime_zone = 'UTC'\ndays = 'Monday'").contains("\"Monday\" is no day"));
    assert!(refused("role = 'x'\ntime_zone = 'UTC'\nhours = '9-5'").contains("no span such as 09:00-18:00"));
}

#[test]
fn a_session_policy_is_json_or_a_file() {
    let policies = demands("session_policy = '{ \"Statement\": [] }'").session_policies;
    assert_eq!(policies.into_iter().collect::<Vec<_>>(), ["{\"Statement\":[]}"]);
    assert!(refused("role = 'x'\nsession_policy = '{'").contains("no JSON"));
    assert!(refused("role = 'x'\nsession_policy = 'policy.json'").contains("absolute path"));
    let text = "[[rule]]\nrole = 'x'\nsession_policy = '/p.json'\n";
    let read =
        Settings::parse_with(text, &|path| Ok(format!("{{\"Statement\":[],\"Id\":\"{}\"}}", path.display()))).unwrap();
    let Gate::Passkey(demands) = &read.rules()[0].gate else { panic!("gate none") };
    assert!(demands.session_policies.iter().next().unwrap().contains("/p.json"));
    assert!(Settings::parse(text).unwrap_err().to_string().contains("session_policy /p.json: "));
}

#[test]
fn break_glass_is_a_template_that_can_only_be_tightened() {
    let break_glass = demands("template = 'break-glass'");
    assert_eq!((break_glass.window.as_secs(), break_glass.approvals), (900, Approvals::Two));
    assert!(break_glass.alert && break_glass.review && break_glass.reason.as_ref().unwrap().is_empty());
    assert!(!break_glass.device_bound && break_glass.uses.is_none() && break_glass.scope == Scope::Terminal);
    let tighter = demands(
        "template = 'break-glass'\nwindow = '5m'\nuses = 1\nscope = 'request'\nreason = { pattern = 'INC' }\ndevice_bound = true",
    );
    assert!(tighter.weaker_than(&break_glass).is_empty());
    assert_eq!((tighter.window.as_secs(), tighter.uses.unwrap().get(), tighter.scope), (300, 1, Scope::Request));
    for (looser, said) in [
        ("window = '16m'", "the window is 16m in place of 15m"),
        ("approvals = 1", "one approval is enough"),
        ("alert = false", "the desktop is not told"),
        ("review = false", "no review is asked for"),
        ("scope = 'user'", "the scope is user in place of terminal"),
    ] {
        let message = refused(&format!("role = 'x'\ntemplate = 'break-glass'\n{looser}"));
        assert!(message.ends_with(&format!("a template can only be tightened: {said}")), "{message}");
    }
}

#[test]
fn names_are_printable_and_each_is_there_once() {
    for bad in ["", " ", "built-in", &"n".repeat(65)] {
        assert!(refused(&format!("name = '{bad}'\nrole = 'x'\ngate = 'passkey'")).starts_with("line 2: "), "{bad}");
    }
    assert!(refused("name = \"a\\u001bb\"\nrole = 'x'\ngate = 'passkey'").starts_with("line 2: "));
    assert!(parse(&format!("name = '{}'\nrole = 'x'\ngate = 'passkey'", "名".repeat(64))).is_ok());
    let one = "[[rule]]\nname = 'a'\nrole = 'x'\ngate = 'passkey'\n";
    let refused = Settings::parse(&format!("{one}{one}")).unwrap_err().to_string();
    assert_eq!(refused, "line 5: there are two rules \"a\"");
    let two =
        Settings::parse("[[rule]]\nrole = 'x'\ngate = 'passkey'\n[[rule]]\nrole = 'y'\ngate = 'passkey'\n").unwrap();
    assert_eq!(two.rules().iter().map(|rule| rule.name.as_str()).collect::<Vec<_>>(), ["rule 1", "rule 2"]);
}

#[test]
fn there_are_only_so_many_rules() {
    let of = |count: usize| Settings::parse(&"[[rule]]\nrole = 'x'\ngate = 'passkey'\n".repeat(count));
    assert_eq!(of(256).unwrap().rules().len(), 256);
    assert_eq!(of(257).unwrap_err().to_string(), "there are more than 256 rules");
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    let text =
        "store = 'memory'\n\n[[rule]]\nrole = 'x'\ngate = 'passkey'\n\n[[rule]]\nname = 'second'\nwindow = '5m'\n";
    let refused = Settings::parse(text).unwrap_err().to_string();
    assert!(refused.starts_with("line 7: rule \"second\": matches nothing"), "{refused}");
}

#[test]
fn the_example_in_the_documentation_is_read() {
    let settings = Settings::parse(include_str!("../../../docs/policy-example.toml")).unwrap();
    assert_eq!(settings.rules().len(), 5);
}
