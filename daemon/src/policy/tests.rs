use super::terms::{Approvals, ReasonRule, Scope, Terms, USUAL_WINDOW};
use super::testing::{HERE, at, chain, noon, profile, rules};
use super::*;
use std::num::NonZeroU32;

const ADMIN_THERE: &str = "arn:aws:iam::222222222222:role/team/OrgAdmin";
const DEPLOY_THERE: &str = "arn:aws:iam::222222222222:role/Deploy";

fn policy(text: &str) -> Policy {
    Policy::new(rules(text), Vec::new())
}

fn decide(policy: &Policy, chain: &Chain) -> Decision {
    policy.decide(&profile("p"), chain, true, noon())
}

fn terms(text: &str, chain: &Chain) -> Terms {
    match decide(&policy(text), chain) {
        Decision::Gated(terms) => terms,
        other => panic!("{other:?}"),
    }
}

fn denied(text: &str, chain: &Chain, now: SystemTime) -> String {
    match policy(text).decide(&profile("p"), chain, true, now) {
        Decision::Denied(denial) => denial.to_string(),
        other => panic!("{other:?}"),
    }
}

fn is_gated(text: &str, chain: &Chain) -> bool {
    match decide(&policy(text), chain) {
        Decision::Open => false,
        Decision::Gated(_) => true,
        Decision::Denied(denial) => panic!("{denial}"),
    }
}

#[test]
fn what_no_rule_matches_is_open() {
    assert_eq!(decide(&Policy::default(), &chain("ReadOnly", &[])), Decision::Open);
    assert_eq!(
        decide(&policy("[[rule]]\nrole = 'Deploy'\nscope = 'request'\n"), &chain("ReadOnly", &[])),
        Decision::Open
    );
}

#[test]
fn a_rule_with_a_passkey_gates_on_the_usual_terms() {
    let terms = terms("[[rule]]\nname = 'x'\nrole = 'Deploy'\ngate = 'passkey'\n", &chain("Deploy", &[]));
    assert_eq!((terms.window, terms.uses, terms.scope), (USUAL_WINDOW, None, Scope::Terminal));
    assert_eq!((terms.reason, terms.approvals, terms.session_policy), (None, Approvals::One, None));
    assert!(!terms.device_bound && !terms.alert && !terms.review);
    assert_eq!(terms.rules, ["x"]);
}

#[test]
fn every_term_reaches_the_grant() {
    let terms = terms(
        "[[rule]]\nname = 'x'\nrole = 'Deploy'\nwindow = '1h'\nuses = 3\nscope = 'user'\napprovals = 2\n\
         reason = { pattern = ['INC', '[0-9]'] }\ndevice_bound = true\nalert = true\nreview = true\n\
         session_policy = '{\"Statement\":[]}'\n",
        &chain("ReadOnly", &[DEPLOY_THERE]),
    );
    assert_eq!(terms.window, Duration::from_secs(3_600));
    assert_eq!((terms.uses, terms.scope, terms.approvals), (NonZeroU32::new(3), Scope::User, Approvals::Two));
    assert_eq!(terms.reason, Some(ReasonRule { patterns: vec!["INC".to_owned(), "[0-9]".to_owned()] }));
    assert_eq!(terms.session_policy.as_deref(), Some("{\"Statement\":[]}"));
    assert!(terms.device_bound && terms.alert && terms.review);
}

#[test]
fn a_rule_of_its_own_holds_without_a_passkey_and_the_built_in_one_does_not() {
    let rule = policy("[[rule]]\nrole = 'Admin'\ngate = 'passkey'\n");
    assert!(matches!(rule.decide(&profile("p"), &chain("Admin", &[]), false, noon()), Decision::Gated(_)));
    let (bare, admin) = (Policy::default(), chain("Admin", &[]));
    assert_eq!(bare.decide(&profile("p"), &admin, false, noon()), Decision::Open);
    assert!(bare.is_proposed(&profile("p"), &admin, false) && !bare.is_proposed(&profile("p"), &admin, true));
    let Decision::Gated(terms) = decide(&bare, &admin) else { panic!("open") };
    assert_eq!((terms.rules, terms.window), (vec![BUILT_IN.to_owned()], USUAL_WINDOW));
    assert!(!bare.is_proposed(&profile("p"), &chain("ReadOnly", &[]), false));
    assert!(!rule.is_proposed(&profile("p"), &admin, false), "it is gated already");
}

#[test]
fn names_that_look_like_administration() {
    for name in [
        "AdministratorAccess",
        "PowerUserAccess",
        "OrganizationFullAccess",
        "AWSOrganizationsFullAccess",
        "IAMFullAccess",
        "admin",
        "team-ADMIN-eu",
        "break-glass",
        "BreakGlass",
        "break_glass",
        "prod.break.glass",
    ] {
        assert!(looks_like_administration(&chain(name, &[])), "{name}");
        let role = format!("arn:aws:iam::{HERE}:role/x/{name}");
        assert!(looks_like_administration(&chain("ReadOnly", &[&role])), "{name}");
        assert!(looks_like_administration(&chain("ReadOnly", &[&role, DEPLOY_THERE])), "{name} on the way");
    }
    for name in ["ReadOnly", "ViewOnlyAccess", "Deploy", "S3FullAccess", "Organizer", "PowerReader", "glass"] {
        assert!(!looks_like_administration(&chain(name, &[])), "{name}");
    }
    assert!(!looks_like_administration(&chain("ReadOnly", &["arn:aws:iam::111111111111:role/admin/Deploy"])));
}

#[test]
fn every_station_counts_and_the_strictest_holds() {
    let text = "[[rule]]\nname = 'source'\nrole = 'Dev'\nwindow = '30m'\nscope = 'user'\n\
                [[rule]]\nname = 'target'\naccount = '222222222222'\nwindow = '1h'\nuses = 2\n";
    let joined = terms(text, &chain("Dev", &[DEPLOY_THERE]));
    assert_eq!((joined.window.as_secs(), joined.scope), (1_800, Scope::Terminal));
    assert_eq!((joined.uses, joined.rules), (NonZeroU32::new(2), vec!["source".to_owned(), "target".to_owned()]));
    assert_eq!(terms(text, &chain("Dev", &[])).rules, ["source"]);
    assert_eq!(terms(text, &chain("ReadOnly", &[DEPLOY_THERE, "arn:aws:iam::333333333333:role/x"])).rules, ["target"]);
}

#[test]
fn account_and_role_have_to_match_at_the_same_station() {
    let text = format!("[[rule]]\naccount = '{HERE}'\nrole = 'Deploy'\ngate = 'passkey'\n");
    assert!(!is_gated(&text, &chain("Dev", &[DEPLOY_THERE])), "Dev here, Deploy there");
    assert!(is_gated(&text, &chain("Deploy", &[])));
}

#[test]
fn each_matcher_matches_what_it_names() {
    let roles = &[DEPLOY_THERE][..];
    for (matcher, gated) in [
        ("account = '222222222222'", true),
        ("account = ['000000000000', '2222*']", true),
        ("account = '333333333333'", false),
        ("role = 'Deploy'", true),
        ("role = 'deploy'", false),
        ("role = 'Dep*'", true),
        ("role = 'arn:aws:iam::*:role/Deploy'", true),
        ("role = 'arn:aws:iam::*:role/Dep'", false),
        ("role = 'arn:*'", true),
        ("session = 'corp'", true),
        ("session = 'co'", false),
        ("source = 'sign-in'", true),
        ("profile = 'p'", true),
        ("profile = 'P'", false),
        ("profile = 'p'\nsession = 'other'", false),
        ("source = 'sign-in'\nrole = 'Other'", false),
        ("session = 'corp'\naccount = '222222222222'\nrole = 'Deploy'\nprofile = '?'", true),
    ] {
        assert_eq!(
            is_gated(&format!("[[rule]]\n{matcher}\ngate = 'passkey'\n"), &chain("Dev", roles)),
            gated,
            "{matcher}"
        );
    }
    assert!(
        !is_gated("[[rule]]\nrole = 'arn:*'\ngate = 'passkey'\n", &chain("Dev", &[])),
        "a permission set has no ARN here"
    );
}

#[test]
fn gate_none_takes_its_own_station_out_of_the_built_in_rule_and_nothing_else() {
    let none = "[[rule]]\nrole = 'SandboxAdmin'\ngate = 'none'\n";
    assert!(!is_gated(none, &chain("SandboxAdmin", &[])));
    assert!(is_gated(none, &chain("SandboxAdmin", &[ADMIN_THERE])), "the other station is none of its business");
    assert!(is_gated(none, &chain("ProdAdmin", &[])));
    let other = format!("{none}[[rule]]\nname = 'all'\nsource = 'sign-in'\nuses = 1\n");
    assert_eq!(terms(&other, &chain("SandboxAdmin", &[])).rules, ["all"]);
}

#[test]
fn a_rule_for_administration_means_what_it_says() {
    let wide = "[[rule]]\nname = 'wide'\nrole = 'AdministratorAccess'\nwindow = '30m'\n";
    let alone = terms(wide, &chain("AdministratorAccess", &[]));
    assert_eq!((alone.window.as_secs(), alone.rules), (1_800, vec!["wide".to_owned()]));
    let both = format!("{wide}[[rule]]\nname = 'out'\nrole = 'Administrator*'\ngate = 'none'\n");
    assert_eq!(terms(&both, &chain("AdministratorAccess", &[])).window.as_secs(), 1_800);
    let two = format!("{wide}[[rule]]\nname = 'short'\naccount = '{HERE}'\nwindow = '5m'\n");
    assert_eq!(terms(&two, &chain("AdministratorAccess", &[])).window.as_secs(), 300, "rules are joined as ever");
}

#[test]
fn the_built_in_rule_speaks_at_each_station_that_no_rule_names() {
    let wide = "[[rule]]\nname = 'wide'\nrole = 'SandboxAdmin'\nwindow = '1h'\n";
    let both = terms(wide, &chain("SandboxAdmin", &[ADMIN_THERE]));
    assert_eq!((both.window, both.rules), (USUAL_WINDOW, vec![BUILT_IN.to_owned(), "wide".to_owned()]));
    assert_eq!(terms(wide, &chain("SandboxAdmin", &[DEPLOY_THERE])).rules, ["wide"]);
    let organisation = rules("[[rule]]\nname = 'org'\nrole = 'OrgAdmin'\nwindow = '30m'\n");
    let policy = Policy::new(rules(wide), organisation);
    let Decision::Gated(terms) = decide(&policy, &chain("SandboxAdmin", &[ADMIN_THERE])) else { panic!("open") };
    assert_eq!((terms.window.as_secs(), terms.rules), (1_800, vec!["org".to_owned(), "wide".to_owned()]));
}

#[test]
fn h10_no_name_in_aws_config_lowers_a_gate() {
    let text = "[[rule]]\nrole = 'SandboxAdmin'\ngate = 'none'\n[[rule]]\nrole = 'Deploy'\ngate = 'passkey'\n";
    for name in ["SandboxAdmin", "none", "dev", "*"] {
        for (chain, enrolled) in
            [(chain("Admin", &[]), true), (chain("Deploy", &[]), true), (chain("Deploy", &[]), false)]
        {
            let decision = policy(text).decide(&profile(name), &chain, enrolled, noon());
            assert!(matches!(decision, Decision::Gated(_)), "{name}");
        }
    }
    for text in ["profile = '*'", "session = 'corp'", "source = 'sign-in'"] {
        let terms =
            terms(&format!("[[rule]]\nname = 'named'\n{text}\nwindow = '12h'\nscope = 'user'\n"), &chain("Admin", &[]));
        assert_eq!((terms.window, terms.scope), (USUAL_WINDOW, Scope::Terminal), "{text}");
        assert_eq!(terms.rules, [BUILT_IN, "named"], "by a name, nothing leaves the built-in rule");
    }
    for text in ["profile = 'dev'", "session = 'corp'", "source = 'sign-in'"] {
        let refused = crate::settings::Settings::parse(&format!("[[rule]]\n{text}\ngate = 'none'\n")).unwrap_err();
        assert!(refused.to_string().contains("needs account or role"), "{refused}");
    }
}

#[test]
fn h10_twin_what_is_not_gated_is_served_under_every_name() {
    for name in ["prod-admin", "dev"] {
        assert_eq!(Policy::default().decide(&profile(name), &chain("ReadOnly", &[]), true, noon()), Decision::Open);
    }
}

#[test]
fn outside_its_hours_nothing_helps() {
    let text = "[[rule]]\nname = 'office'\nrole = 'Deploy'\nhours = '09:00-18:00'\ndays = 'Mon-Fri'\ntime_zone = 'Asia/Tokyo'\n\
                [[rule]]\nname = 'also'\nrole = 'Dep*'\nwindow = '1h'\n";
    assert!(is_gated(text, &chain("Deploy", &[])));
    assert_eq!(
        denied(text, &chain("Deploy", &[]), at("2026-11-20T09:00:00Z")),
        "rule office allows this Mon-Fri 09:00-18:00 Asia/Tokyo only"
    );
    assert_eq!(decide(&policy(text), &chain("ReadOnly", &[])), Decision::Open);
}

#[test]
fn several_hours_intersect() {
    let text = "[[rule]]\nname = 'a'\nrole = 'Deploy'\nhours = '09:00-18:00'\ntime_zone = 'UTC'\n\
                [[rule]]\nname = 'b'\nrole = 'Deploy'\nhours = '12:00-20:00'\ntime_zone = 'UTC'\n";
    let deploy = chain("Deploy", &[]);
    assert!(denied(text, &deploy, at("2026-11-20T10:00:00Z")).starts_with("rule b allows"));
    assert!(denied(text, &deploy, at("2026-11-20T19:00:00Z")).starts_with("rule a allows"));
    let inside = policy(text).decide(&profile("p"), &deploy, true, at("2026-11-20T13:00:00Z"));
    assert!(matches!(inside, Decision::Gated(_)));
}

#[test]
fn a_grant_does_not_outlive_the_hours() {
    let text = "[[rule]]\nrole = 'Deploy'\nhours = '09:00-18:00'\ntime_zone = 'UTC'\n\
                [[rule]]\nrole = 'Deploy'\nhours = '12:00-17:58'\ntime_zone = 'UTC'\n";
    let window = |utc: &str| match policy(text).decide(&profile("p"), &chain("Deploy", &[]), true, at(utc)) {
        Decision::Gated(terms) => terms.window.as_secs(),
        other => panic!("{other:?}"),
    };
    assert_eq!(window("2026-11-20T13:00:00Z"), 900);
    assert_eq!(window("2026-11-20T17:50:00Z"), 480);
    assert_eq!(window("2026-11-20T17:57:59Z"), 1);
}

#[test]
fn a_role_for_a_token_takes_a_session_policy_though_no_role_comes_after_it() {
    let text = "[profile ci]\nregion = us-east-1\nrole_arn = arn:aws:iam::210987654321:role/Deploy\n\
                web_identity_token_file = /run/token\n";
    let config = crate::profile::Config::parse("/home/u/.aws/config", text.as_bytes()).unwrap();
    let chain = (*config.resolve(&profile("ci")).unwrap().chain).clone();
    assert!(chain.roles.is_empty());
    let rule = "[[rule]]\nrole = 'Deploy'\nsession_policy = '{\"Statement\":[]}'\n";
    assert!(terms(rule, &chain).session_policy.is_some());
}

#[test]
fn a_session_policy_that_aws_cannot_take_is_a_denial_that_names_the_way_out() {
    let one = "[[rule]]\nname = 'narrow'\nrole = 'De*'\nsession_policy = '{\"Statement\":[]}'\n";
    let said = denied(one, &chain("Deploy", &[]), noon());
    assert!(
        said.starts_with("rule narrow allows this through a role only") && said.contains("tegata_role_arn"),
        "{said}"
    );
    let with_role = chain("Dev", &[DEPLOY_THERE]);
    assert!(terms(one, &with_role).session_policy.is_some());
    let same = format!("{one}[[rule]]\nname = 'same'\nrole = 'Deploy'\nsession_policy = '{{ \"Statement\": [] }}'\n");
    assert!(terms(&same, &with_role).session_policy.is_some());
    let two = format!("{one}[[rule]]\nname = 'other'\nrole = 'Deploy'\nsession_policy = '{{\"Statement\":{{}}}}'\n");
    assert!(
        denied(&two, &with_role, noon()).starts_with("rule narrow and other allows this with a session policy each")
    );
}

#[test]
fn the_organisations_rules_only_tighten() {
    let organisation = rules("[[rule]]\nname = 'org'\nrole = '*Admin'\nuses = 1\nwindow = '12h'\n");
    let own =
        rules("[[rule]]\nrole = '*Admin'\ngate = 'none'\n[[rule]]\nname = 'own'\nrole = 'OrgAdmin'\nwindow = '5m'\n");
    let policy = Policy::new(own, organisation);
    assert_eq!(policy.count(), 3);
    let Decision::Gated(terms) = decide(&policy, &chain("OrgAdmin", &[])) else { panic!("open") };
    assert_eq!((terms.window.as_secs(), terms.uses), (300, NonZeroU32::new(1)));
    assert_eq!(terms.rules, ["org", "own"]);
}

#[test]
fn the_tier_is_what_the_code_can_keep_today() {
    assert_eq!(tier(&chain("Admin", &[ADMIN_THERE])), Tier::Prompt);
}

#[test]
fn a_rule_that_no_settings_could_have_made_is_not_sound() {
    let good = r#"{"name":"x","match":{"role":["r"]},"gate":{"passkey":{"window_seconds":60,"uses":null,"scope":"terminal","reason":["INC"],
        "approvals":"one","hours":[],"device_bound":false,"session_policies":[],"alert":false,"review":false}}}"#;
    let is_sound = |text: &str| serde_json::from_str::<Rule>(text).unwrap().is_sound();
    assert!(is_sound(good) && is_sound(&good.replace(":60,", ":43200,")));
    for (from, to) in
        [(":60,", ":59,"), (":60,", ":43201,"), ("[\"INC\"]", "[\"INC\",\"(\"]"), ("{\"role\":[\"r\"]}", "{}")]
    {
        assert!(!is_sound(&good.replace(from, to)), "{to}");
    }
    let none = |matchers: &str| is_sound(&format!(r#"{{"name":"x","match":{matchers},"gate":"none"}}"#));
    assert!(none(r#"{"role":["r"]}"#) && none(r#"{"account":["*"]}"#));
    assert!(!none(r#"{"profile":["*"]}"#) && !none("{}"));
}

#[test]
fn matchers_that_say_nothing_match_nothing() {
    let rule = Rule { name: "x".to_owned(), matchers: Matchers::default(), gate: Gate::Passkey(Demands::default()) };
    assert_eq!(decide(&Policy::new(vec![rule.clone()], Vec::new()), &chain("Deploy", &[])), Decision::Open);
    let all = rules("[[rule]]\nname = 'all'\nrole = '*'\ngate = 'passkey'\n");
    assert_eq!(is_weaker(&all, &[rule]), ["rule all is gone, or matches less than it did"]);
}
