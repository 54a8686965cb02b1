use super::super::testing::rules;
use super::{is_weaker, until_accepted};

const OLD: &str = "[[rule]]\nname = 'r'\nrole = ['a', 'b']\naccount = '*'\nwindow = '10m'\nuses = 3\nscope = 'terminal'\n\
    reason = { pattern = 'INC' }\napprovals = 2\nhours = '09:00-18:00'\ndays = 'Mon-Fri'\ntime_zone = 'Asia/Tokyo'\n\
    device_bound = true\nsession_policy = '{\"Statement\":[]}'\nalert = true\nreview = true\n";

fn weaker(accepted: &str, new: &str) -> Vec<String> {
    is_weaker(&rules(accepted), &rules(new))
}

/// What is weaker after one replacement in [`OLD`].
fn after(from: &str, to: &str) -> Vec<String> {
    assert!(OLD.contains(from), "{from}");
    weaker(OLD, &OLD.replace(from, to))
}

#[test]
fn the_same_rules_and_more_of_them_are_not_weaker() {
    assert!(weaker(OLD, OLD).is_empty() && weaker("", OLD).is_empty() && weaker("", "").is_empty());
    assert!(weaker(OLD, &format!("[[rule]]\nrole = '*'\nwindow = '15m'\nalert = true\n{OLD}")).is_empty());
    assert!(after("name = 'r'", "name = 'another'").is_empty(), "a name decides nothing");
}

#[test]
fn each_term_that_is_looser_is_told_in_a_line() {
    for (from, to, said) in [
        ("'10m'", "'11m'", "rule r: the window is 11m in place of 10m"),
        ("window = '10m'\n", "", "rule r: the window is 15m in place of 10m"),
        ("'10m'", "'1h 30m'", "rule r: the window is 1h 30m in place of 10m"),
        ("uses = 3", "uses = 4", "rule r: 4 uses in place of 3"),
        ("uses = 3\n", "", "rule r: any number uses in place of 3"),
        ("'terminal'", "'user'", "rule r: the scope is user in place of terminal"),
        ("reason = { pattern = 'INC' }\n", "", "rule r: less is asked of the reason"),
        ("{ pattern = 'INC' }", "'required'", "rule r: less is asked of the reason"),
        ("'INC'", "'INC?'", "rule r: less is asked of the reason"),
        ("approvals = 2", "approvals = 1", "rule r: one approval is enough"),
        ("18:00", "18:01", "rule r: it is no longer limited to Mon-Fri 09:00-18:00 Asia/Tokyo"),
        ("Asia/Tokyo", "Asia/Seoul", "rule r: it is no longer limited to Mon-Fri 09:00-18:00 Asia/Tokyo"),
        ("device_bound = true\n", "", "rule r: passkeys that are copied between devices count"),
        ("{\"Statement\":[]}", "{\"Statement\":{}}", "rule r: the session policy is another"),
        ("alert = true", "alert = false", "rule r: the desktop is not told"),
        ("review = true", "review = false", "rule r: no review is asked for"),
    ] {
        assert_eq!(after(from, to), [said], "{to}");
    }
}

#[test]
fn each_term_that_is_tighter_is_no_matter() {
    for (from, to) in [
        ("'10m'", "'9m'"),
        ("uses = 3", "uses = 2"),
        ("'terminal'", "'request'"),
        ("'INC'", "['INC', 'x']"),
        ("18:00", "17:00"),
        ("Mon-Fri", "Tue"),
    ] {
        assert!(after(from, to).is_empty(), "{to}");
    }
    let least = "[[rule]]\nrole = 'a'\ngate = 'passkey'\n";
    for more in [
        "uses = 9",
        "reason = 'required'",
        "approvals = 2",
        "days = 'Mon'\ntime_zone = 'UTC'",
        "device_bound = true",
        "session_policy = '{\"Statement\":[]}'",
        "alert = true",
        "review = true",
    ] {
        assert!(weaker(least, &format!("{least}{more}\n")).is_empty(), "{more}");
    }
}

#[test]
fn a_rule_that_matches_less_is_as_good_as_gone() {
    let gone = ["rule r is gone, or matches less than it did"];
    for (from, to) in [
        ("['a', 'b']", "'a'"),
        ("['a', 'b']", "['a', 'B']"),
        ("account = '*'", "account = '1*'"),
        ("account = '*'", "account = '*'\nprofile = '*'"),
        ("account = '*'", "account = '*'\nsession = '*'"),
        ("account = '*'", "account = '*'\nsource = 'sign-in'"),
        ("role = ['a', 'b']", "profile = 'a'"),
    ] {
        assert_eq!(after(from, to), gone, "{to}");
    }
    assert_eq!(weaker(OLD, ""), gone);
    assert_eq!(weaker(OLD, "[[rule]]\nname = 'r'\nrole = ['a', 'b']\ngate = 'none'\n").len(), 2);
}

#[test]
fn a_rule_that_matches_more_is_no_matter() {
    for (from, to) in [("['a', 'b']", "['a', 'b', 'c']"), ("account = '*'\n", ""), ("role = ['a', 'b']\n", "")] {
        assert!(after(from, to).is_empty(), "{to}");
    }
}

#[test]
fn several_rules_together_may_take_the_place_of_one() {
    let (one, two) = ("[[rule]]\nname = 'r'\nrole = 'a'\nuses = 1\nalert = true\n", "[[rule]]\nrole = 'a'\n");
    assert!(weaker(one, &format!("{two}uses = 1\n{two}alert = true\n")).is_empty());
    assert_eq!(weaker(one, &format!("{two}uses = 1\n{two}review = true\n")), ["rule r: the desktop is not told"]);
}

#[test]
fn gate_none_that_was_not_there_is_weaker() {
    let none = "[[rule]]\nname = 'n'\nrole = ['a', 'b']\ngate = 'none'\n";
    let said = ["rule n: gate = \"none\" takes what it matches out of the built-in rule"];
    assert_eq!(weaker("", none), said);
    assert!(weaker(none, none).is_empty() && weaker(none, "").is_empty());
    assert!(weaker(none, &none.replace("['a', 'b']", "'a'")).is_empty(), "it takes out less");
    assert!(weaker(none, &none.replace("role", "account = '1*'\nrole")).is_empty(), "it takes out less");
    assert_eq!(weaker(none, &none.replace("'b'", "'*'")), said);
    let passkey = none.replace("gate = 'none'", "gate = 'passkey'");
    let gone = ["rule n is gone, or matches less than it did"];
    assert_eq!(weaker(&passkey, none), gone, "it was the passkey rule's before");
    assert!(weaker(&passkey, &format!("{passkey}{}", none.replace("'n'", "'m'"))).is_empty());
}

#[test]
fn a_new_rule_that_is_milder_than_the_built_in_one_is_weaker() {
    let rule = |terms: &str| format!("[[rule]]\nname = 'w'\nrole = 'a'\n{terms}\n");
    for (terms, milder) in [
        ("window = '15m 1s'", "the window is 15m 1s in place of 15m"),
        ("scope = 'user'", "the scope is user in place of terminal"),
        (
            "window = '1h'\nscope = 'user'\napprovals = 2",
            "the window is 1h in place of 15m, the scope is user in place of terminal",
        ),
    ] {
        let said = [format!("rule w: it may take the place of the built-in rule, and {milder}")];
        assert_eq!(weaker("", &rule(terms)), said);
        assert_eq!(
            weaker(
                "[[rule]]\nrole = 'b'\nwindow = '12h'\n",
                &format!("[[rule]]\nrole = 'b'\nwindow = '12h'\n{}", rule(terms))
            ),
            said
        );
        assert!(weaker(&rule(terms), &rule(terms)).is_empty(), "it was accepted");
        assert!(
            weaker("[[rule]]\nname = 'w'\nrole = ['a', 'b']\ngate = 'none'\n", &rule(terms)).is_empty(),
            "it was out"
        );
        assert_eq!(weaker(&rule(terms), &rule(terms).replace("'a'", "['a', 'b']")), said, "it matches more now");
    }
    for terms in ["window = '15m'", "uses = 9", "scope = 'request'\nwindow = '1m'"] {
        assert!(weaker("", &rule(terms)).is_empty(), "{terms}");
    }
}

#[test]
fn a_rule_without_account_and_role_takes_the_place_of_nothing() {
    let named = "[[rule]]\nname = 'w'\nprofile = 'p'\nwindow = '12h'\n";
    assert!(weaker("", named).is_empty());
    let narrower = format!("{named}[[rule]]\nname = 'v'\nprofile = 'p'\nrole = 'a'\nwindow = '12h'\n");
    assert_eq!(weaker(named, &narrower).len(), 1, "nor was it out by that");
}

#[test]
fn before_it_is_accepted_a_milder_rule_gates_on_the_usual_terms() {
    let [wide] = &rules("[[rule]]\nname = 'w'\nrole = 'a'\nwindow = '1h'\nscope = 'user'\nuses = 3\n")[..] else {
        panic!("one rule")
    };
    let [strict] = &rules("[[rule]]\nname = 'w (until accepted)'\nrole = 'a'\nuses = 3\n")[..] else {
        panic!("one rule")
    };
    assert_eq!(until_accepted(wide).as_ref(), Some(strict));
    assert_eq!(until_accepted(&rules("[[rule]]\nrole = 'a'\ngate = 'none'\n")[0]), None);
}
