use super::*;
use crate::store::memory::Memory;
use crate::store::testing::{Call, Faulty};

const PROD: &str = "[[rule]]\nname = 'prod'\nrole = 'Prod*'\nwindow = '10m'\napprovals = 2\n";

fn wanted(text: &str) -> Wanted {
    Wanted::of(&Settings::parse(text).unwrap())
}

fn accepted_policy() -> AcceptedPolicy {
    AcceptedPolicy::new(Store::spawn(Box::new(Memory::default())).unwrap())
}

async fn settle(accepted: &AcceptedPolicy, text: &str) -> InForce {
    accepted.settle(&wanted(text), true).await.unwrap()
}

/// What is in force with a passkey enrolled, after `before` was accepted.
async fn after(before: &str, now: &str) -> InForce {
    let accepted = accepted_policy();
    accepted.accept(&wanted(before)).await.unwrap();
    settle(&accepted, now).await
}

fn names(in_force: &InForce) -> Vec<&str> {
    in_force.rules.iter().map(|rule| rule.name.as_str()).collect()
}

#[tokio::test]
async fn without_a_passkey_everything_is_accepted_as_it_is() {
    let accepted = accepted_policy();
    for text in [PROD, "", "[endpoints]\nsts = 'https://sts.example'\n"] {
        let in_force = accepted.settle(&wanted(text), false).await.unwrap();
        assert_eq!((in_force.rules, in_force.endpoints), (wanted(text).rules, wanted(text).endpoints));
        assert!(in_force.pending.is_empty());
    }
    let in_force = settle(&accepted, "[endpoints]\nsts = 'https://sts.example'\n").await;
    assert!(in_force.pending.is_empty(), "the last of them was accepted");
    assert!(!settle(&accepted, "").await.pending.is_empty());
}

#[tokio::test]
async fn what_is_as_strict_or_stricter_is_accepted_silently_and_then_holds() {
    let accepted = accepted_policy();
    accepted.accept(&wanted(PROD)).await.unwrap();
    let tighter = PROD.replace("10m", "5m");
    for text in [PROD, &tighter] {
        let in_force = settle(&accepted, text).await;
        assert_eq!((in_force.rules, in_force.pending), (wanted(text).rules, vec![]));
    }
    let back = settle(&accepted, PROD).await;
    assert_eq!(back.pending, ["rule prod: the window is 10m in place of 5m"]);
}

#[tokio::test]
async fn h11_an_older_looser_policy_is_not_in_force_until_it_is_accepted() {
    let accepted = accepted_policy();
    accepted.accept(&wanted(PROD)).await.unwrap();
    let looser = PROD.replace("10m", "1h").replace("approvals = 2", "approvals = 1");
    for _start in 0..2 {
        let in_force = settle(&accepted, &looser).await;
        assert_eq!(names(&in_force), ["prod (as accepted)", "prod"]);
        assert_eq!(in_force.rules[0].gate, wanted(PROD).rules[0].gate);
        assert_eq!(
            in_force.pending,
            ["rule prod: the window is 1h in place of 10m", "rule prod: one approval is enough"]
        );
    }
    accepted.accept(&wanted(&looser)).await.unwrap();
    let in_force = settle(&accepted, &looser).await;
    assert_eq!((in_force.rules, in_force.pending), (wanted(&looser).rules, vec![]));
}

#[tokio::test]
async fn h11_twin_the_same_policy_is_in_force_after_a_restart() {
    let in_force = after(PROD, PROD).await;
    assert_eq!((names(&in_force), in_force.pending.len()), (vec!["prod"], 0));
}

#[tokio::test]
async fn a_rule_that_is_gone_stays_in_force_beside_the_new_ones() {
    let in_force = after(PROD, "[[rule]]\nname = 'new'\nrole = 'Deploy'\ngate = 'passkey'\n").await;
    assert_eq!(names(&in_force), ["prod (as accepted)", "new"]);
    assert_eq!(in_force.pending, ["rule prod is gone, or matches less than it did"]);
}

#[tokio::test]
async fn what_a_new_rule_takes_out_of_the_built_in_one_waits() {
    let none = "[[rule]]\nname = 'none'\nrole = 'SandboxAdmin'\ngate = 'none'\n";
    let in_force = after(PROD, &format!("{PROD}{none}")).await;
    assert_eq!(names(&in_force), ["prod"]);
    assert_eq!(in_force.pending.len(), 1);
    let in_force = after(&format!("{PROD}{none}"), none).await;
    assert_eq!(names(&in_force), ["prod (as accepted)", "none"], "what was out before stays out");
    assert_eq!(names(&after(none, "").await), Vec::<&str>::new());
}

#[tokio::test]
async fn a_new_rule_that_is_milder_than_the_built_in_one_gates_as_strictly_until_it_is_accepted() {
    let accepted = accepted_policy();
    accepted.accept(&wanted(PROD)).await.unwrap();
    let text = format!("{PROD}[[rule]]\nname = 'wide'\nrole = 'AdministratorAccess'\nwindow = '30m'\nuses = 2\n");
    let usual = wanted("[[rule]]\nrole = 'AdministratorAccess'\nuses = 2\n").rules.remove(0);
    for _start in 0..2 {
        let in_force = settle(&accepted, &text).await;
        assert_eq!(names(&in_force), ["prod", "wide (until accepted)"]);
        assert_eq!(in_force.rules[1].gate, usual.gate);
        let said = "rule wide: it may take the place of the built-in rule, and the window is 30m in place of 15m";
        assert_eq!(in_force.pending, [said]);
    }
    accepted.accept(&wanted(&text)).await.unwrap();
    let in_force = settle(&accepted, &text).await;
    assert_eq!((in_force.rules, in_force.pending), (wanted(&text).rules, vec![]));
    let other = text.replace("'AdministratorAccess'", "'*'");
    assert_eq!(names(&settle(&accepted, &other).await), ["wide (as accepted)", "prod", "wide (until accepted)"]);
}

#[tokio::test]
async fn other_endpoints_wait_and_the_accepted_ones_are_used() {
    let before = "[http]\nproxy = 'http://u:secret@proxy.example:3128'\nno_proxy = ['.b', '.a']\nca_bundle = '/etc/ca.pem'\n\
                  [endpoints]\nsso_oidc = 'https://oidc.example'\nsso = 'https://portal.example'\nsts = 'https://sts.example'\n";
    for (from, to, said) in [
        (
            "https://oidc.example",
            "https://evil.example",
            "the sign-in endpoint was https://oidc.example and is now https://evil.example",
        ),
        (
            "https://portal.example",
            "https://evil.example",
            "the portal endpoint was https://portal.example and is now https://evil.example",
        ),
        ("sts = 'https://sts.example'\n", "", "the STS endpoint was https://sts.example and is now the usual one"),
        (
            "sts =",
            "federation = 'https://evil.example'\nsts =",
            "the federation endpoint was the usual one and is now https://evil.example",
        ),
        ("sts =", "use_fips = true\nsts =", "use_fips was off and is now on"),
        ("sts =", "use_dual_stack = true\nsts =", "use_dual_stack was off and is now on"),
        (
            "proxy.example:3128",
            "evil.example:1",
            "the proxy was http://proxy.example:3128 and is now http://evil.example:1",
        ),
        ("'.b', '.a'", "'.a'", "no_proxy was .a, .b and is now .a"),
        ("/etc/ca.pem", "/tmp/ca.pem", "the CA bundle was /etc/ca.pem and is now /tmp/ca.pem"),
    ] {
        let now = format!("{}{PROD}", before.replacen(from, to, 1));
        let in_force = after(before, &now).await;
        assert_eq!(in_force.pending, [said]);
        assert_eq!((&in_force.endpoints, &in_force.http), (&wanted(before).endpoints, &wanted(before).http), "{said}");
        assert_eq!(names(&in_force), ["prod"], "rules that tighten do not wait for it");
    }
    let in_force = after(before, &before.replace("u:secret", "u:other").replace("'.b', '.a'", "'.a', '.b'")).await;
    assert!(in_force.pending.is_empty(), "a password and an order send nothing elsewhere");
    assert_eq!(in_force.http.proxy.unwrap().expose_secret(), "http://u:other@proxy.example:3128");
}

#[tokio::test]
async fn tighter_rules_are_accepted_while_endpoints_wait() {
    let accepted = accepted_policy();
    accepted.accept(&wanted("")).await.unwrap();
    let elsewhere = format!("[endpoints]\nsts = 'https://evil.example'\n{PROD}");
    assert_eq!(settle(&accepted, &elsewhere).await.pending.len(), 1);
    assert_eq!(settle(&accepted, "").await.pending, ["rule prod is gone, or matches less than it did"]);
}

#[tokio::test]
async fn a_record_that_is_missing_or_damaged_takes_nothing_out_of_the_built_in_rule() {
    let text = format!(
        "{PROD}[[rule]]\nname = 'wide'\nrole = 'Admin'\nwindow = '1h'\n[[rule]]\nname = 'none'\nrole = 'SandboxAdmin'\ngate = 'none'\n"
    );
    let accepted = accepted_policy();
    let good = String::from_utf8(written(&wanted(&text)).unwrap().to_vec()).unwrap();
    let damaged = [
        None,
        Some(String::from("{}")),
        Some(good.replace("\"version\":1", "\"version\":2")),
        Some(good.replace("{\"version\"", "{\"more\":1,\"version\"")),
        Some(good.replace("\"window_seconds\":600", "\"window_seconds\":0")),
        Some(good.replace("\"window_seconds\":600", "\"window_seconds\":18446744073709551615")),
        Some(good.replace("\"sts\":null", "\"sts\":\"http://evil.example\"")),
        Some(good.replace("\"sso\":null", "\"sso\":\"http://evil.example\"")),
        Some(good.replace("\"sso_oidc\":null", "\"sso_oidc\":\"http://evil.example\"")),
        Some(good.replace("\"proxy\":null", "\"proxy\":\"ftp://evil.example\"")),
        Some(good.replace("\"no_proxy\":[]", "\"no_proxy\":[\"\"]")),
        Some(good.replace("\"ca_bundle\":null", "\"ca_bundle\":\"ca.pem\"")),
        Some(good.replace("\"Prod*\"", "\"\"")),
    ];
    for record in damaged {
        assert_ne!(record.as_ref(), Some(&good));
        if let Some(record) = &record {
            accepted.store.write(&key(), Zeroizing::new(record.clone().into_bytes())).await.unwrap();
        }
        let in_force = settle(&accepted, &text).await;
        assert_eq!(names(&in_force), ["prod", "wide (until accepted)"], "{record:?}");
        assert!(in_force.pending[0].starts_with("what was accepted before is not known"));
    }
    accepted.accept(&wanted(&text)).await.unwrap();
    assert_eq!(names(&settle(&accepted, &text).await), ["prod", "wide", "none"]);
}

#[tokio::test]
async fn everything_accepted_is_read_back() {
    let text = "[http]\nproxy = 'http://u:p@proxy.example:3128'\nno_proxy = ['.a']\nca_bundle = '/etc/ca.pem'\n\
                [endpoints]\nsso_oidc = 'https://a.example'\nsso = 'https://b.example'\nsts = 'https://c.example'\n\
                federation = 'https://d.example'\nuse_fips = true\n\
                [[rule]]\nname = 'all'\naccount = '1*'\nrole = ['a', 'arn:aws:iam::*']\nsession = 's'\nsource = 'sign-in'\nprofile = 'p'\n\
                window = '1h'\nuses = 2\nscope = 'request'\nreason = { pattern = 'INC' }\napprovals = 2\nhours = '09:00-18:00'\n\
                days = 'Mon-Fri'\ntime_zone = 'Asia/Tokyo'\ndevice_bound = true\nsession_policy = '{\"Statement\":[]}'\nalert = true\n\
                review = true\n[[rule]]\nrole = 'b'\ngate = 'none'\n";
    let wanted = wanted(text);
    let read = read(&written(&wanted).unwrap()).unwrap();
    assert_eq!(read, wanted);
    assert_eq!(read.http.proxy.unwrap().expose_secret(), "http://u:p@proxy.example:3128");
}

#[tokio::test]
async fn a_store_that_does_not_answer_accepts_nothing() {
    let (records, faults) = Faulty::over(Memory::default());
    let accepted = AcceptedPolicy::new(Store::spawn(Box::new(records)).unwrap());
    accepted.accept(&wanted(PROD)).await.unwrap();
    faults.always(Some(StoreError::Locked));
    assert_eq!(accepted.settle(&wanted(""), true).await, Err(StoreError::Locked));
    assert_eq!(accepted.settle(&wanted(""), false).await, Err(StoreError::Locked));
    assert_eq!(accepted.accept(&wanted("")).await, Err(StoreError::Locked));
    faults.always(None);
    assert_eq!(names(&settle(&accepted, "").await), ["prod (as accepted)"]);
}

#[tokio::test]
async fn a_write_that_fails_leaves_the_older_record_and_what_is_tighter_in_force() {
    let (records, faults) = Faulty::over(Memory::default());
    let accepted = AcceptedPolicy::new(Store::spawn(Box::new(records)).unwrap());
    accepted.accept(&wanted("")).await.unwrap();
    faults.fail(Call::Write, 1, StoreError::Locked);
    assert_eq!(names(&settle(&accepted, PROD).await), ["prod"]);
    assert!(settle(&accepted, "").await.pending.is_empty(), "it was never written down");
}
