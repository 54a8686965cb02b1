use super::super::testing::{HERE, at, chain, noon, profile, rules};
use super::super::{Policy, Tier};
use super::word;
use tegata_protocol::gate::Explanation;

const RULES: &str = "[[rule]]\nname = 'prod'\naccount = '2*'\nrole = ['x', 'Deploy']\nwindow = '90m'\nuses = 2\nreason = { pattern = 'INC-[0-9]+' }\n\
    [[rule]]\nname = 'strict'\nprofile = 'p*'\nsession = 'corp'\nsource = 'sign-in'\nwindow = '5m'\nscope = 'request'\napprovals = 2\n\
    device_bound = true\nalert = true\nreview = true\nhours = '09:00-18:00'\ndays = 'Mon-Fri'\ntime_zone = 'Asia/Tokyo'\nsession_policy = '{\"Statement\":[]}'\n";
const DEPLOY_THERE: &str = "arn:aws:iam::222222222222:role/Deploy";

fn explain(own: &str, organisation: &str, chain: &super::Chain, enrolled: bool) -> Explanation {
    Policy::new(rules(own), rules(organisation)).explain(&profile("prod"), chain, enrolled, noon())
}

#[test]
fn what_is_open_says_what_it_reaches() {
    let open = explain("", "", &chain("ReadOnly", &[]), true);
    assert_eq!((open.profile.as_str(), open.gate.as_str(), open.tier), ("prod", "open", None));
    assert_eq!(open.target, [format!("permission set ReadOnly in account {HERE} (sign-in session corp)")]);
    assert!(open.rules.is_empty() && open.terms.is_empty());
}

#[test]
fn each_rule_says_by_what_it_matches_and_each_term_who_demands_it() {
    let gated = explain(
        RULES,
        "[[rule]]\nname = 'org'\nrole = 'Deploy'\nreason = 'required'\nwindow = '1h'\n",
        &chain("Dev", &[DEPLOY_THERE]),
        true,
    );
    assert_eq!((gated.gate.as_str(), gated.tier.as_deref()), ("gated", Some("prompt")));
    assert_eq!(
        gated.rules,
        [
            "prod (yours): matches account 222222222222, role Deploy",
            "strict (yours): matches sign-in session corp, source sign-in, profile prod; names neither account nor role, so a profile of another name may go round it",
            "org (your organisation's): matches role Deploy",
        ]
    );
    assert_eq!(
        gated.terms,
        [
            "for at most 5m (strict)",
            "2 times at most (prod)",
            "for one program (strict)",
            "with a reason that contains INC-[0-9]+ (prod)",
            "two different people approve (strict)",
            "Mon-Fri 09:00-18:00 Asia/Tokyo only (strict)",
            "passkeys only that never leave their device (strict)",
            "under a session policy (strict)",
            "the desktop is told (strict)",
            "a review stays open (strict)",
        ]
    );
}

#[test]
fn terms_that_nobody_demands_are_not_told() {
    let gated = explain(
        "[[rule]]\nname = 'a'\nrole = 'Deploy'\nwindow = '1h 1m'\nscope = 'user'\n",
        "",
        &chain("Deploy", &[]),
        true,
    );
    assert_eq!(gated.terms, ["for at most 1h 1m (a)", "for every program of the user, where asked for (a)"]);
    let two = "[[rule]]\nname = 'a'\nrole = 'Deploy'\nreason = 'required'\n[[rule]]\nname = 'b'\nrole = 'Deploy'\ngate = 'passkey'\n";
    let gated = explain(two, "", &chain("Deploy", &[]), true);
    assert_eq!(gated.terms, ["for at most 15m (a, b)", "for the programs of one terminal (a, b)", "with a reason (a)"]);
}

#[test]
fn administration_is_proposed_before_the_first_passkey_and_gated_after_it() {
    let admin = chain("Admin", &[]);
    let proposed = explain("", "", &admin, false);
    assert_eq!((proposed.gate.as_str(), proposed.tier.as_deref()), ("proposed", Some("prompt")));
    assert_eq!(proposed.rules, ["built-in: Admin looks like administration, as soon as a passkey is enrolled"]);
    assert_eq!(proposed.terms, ["for at most 15m (built-in)", "for the programs of one terminal (built-in)"]);
    let gated = explain("", "", &admin, true);
    assert_eq!(
        (gated.gate.as_str(), gated.rules.as_slice()),
        ("gated", &["built-in: Admin looks like administration".to_owned()][..])
    );
    assert_eq!(gated.terms, proposed.terms);
    let open = explain("[[rule]]\nname = 'out'\nrole = 'Admin'\ngate = 'none'\n", "", &admin, true);
    assert_eq!(open.gate, "open");
    assert_eq!(open.rules, ["out (yours): matches role Admin; takes it out of the built-in rule"]);
}

#[test]
fn a_rule_that_stands_in_the_built_in_ones_place_says_so() {
    let wide = "[[rule]]\nname = 'wide'\nrole = ['Admin', 'Dev']\nwindow = '30m'\n";
    let gated = explain(wide, "", &chain("Admin", &[]), true);
    assert_eq!(gated.rules, ["wide (yours): matches role Admin; in place of the built-in rule"]);
    assert_eq!(gated.terms[0], "for at most 30m (wide)");
    let both = explain(wide, "", &chain("Dev", &["arn:aws:iam::222222222222:role/Admin"]), true);
    assert_eq!(both.rules, ["wide (yours): matches role Dev; in place of the built-in rule"]);
    let dev = explain(wide, "", &chain("Dev", &["arn:aws:iam::222222222222:role/OrgAdmin"]), true);
    assert_eq!(dev.rules, ["wide (yours): matches role Dev", "built-in: OrgAdmin looks like administration"]);
}

#[test]
fn what_is_denied_says_why_first() {
    let policy = Policy::new(rules(RULES), Vec::new());
    let denied = policy.explain(&profile("prod"), &chain("Dev", &[DEPLOY_THERE]), true, at("2026-11-21T03:00:00Z"));
    assert_eq!((denied.gate.as_str(), denied.tier.as_deref()), ("denied", Some("prompt")));
    assert_eq!(denied.terms[0], "rule strict allows this Mon-Fri 09:00-18:00 Asia/Tokyo only");
}

#[test]
fn h12_a_role_in_another_account_is_shown() {
    let crossing = explain("", "", &chain("Dev", &[DEPLOY_THERE, "arn:aws:iam::222222222222:role/Next"]), true);
    assert_eq!(
        crossing.target[1..],
        [
            format!("role {DEPLOY_THERE}, in another account (222222222222) than the one before ({HERE})"),
            "role arn:aws:iam::222222222222:role/Next".to_owned(),
        ]
    );
}

#[test]
fn h12_twin_a_role_in_the_same_account_is_nothing_special() {
    let role = format!("arn:aws:iam::{HERE}:role/Deploy");
    assert_eq!(explain("", "", &chain("Dev", &[&role]), true).target[1], format!("role {role}"));
}

#[test]
fn each_tier_has_its_word() {
    assert_eq!([Tier::Prompt, Tier::Sealed, Tier::Enforced].map(word), ["prompt", "sealed", "enforced"]);
}
