//! The way in when everything burns: two people, a reason, an alert on the desktop, and a review that stays open.
#![cfg(feature = "system")]

use serde_json::json;
use tegata_authenticator::Faults;
use tegata_tests::desktop::Desktop;
use tegata_tests::hand::{Hand, OpenPage};
use tegata_tests::product::{Ended, Product, wait_until};

/// The rule of docs/break-glass.md, for the role that this home has.
fn rule() -> String {
    let (_, rule) = include_str!("../../docs/break-glass.md").split_once("```toml\n").expect("the page has a rule");
    let (rule, _) = rule.split_once("```").expect("the rule ends");
    rule.replace("\"BreakGlass\"", "\"Admin\"")
}

struct Burning {
    product: Product,
    desktop: Desktop,
    alice: Hand,
    ben: Hand,
}

fn burning() -> Burning {
    let mut product = Product::new();
    let desktop = Desktop::of(&mut product);
    product.store_in_files();
    product.write_settings(&format!("store = \"file\"\n[file_store]\nsystemd_credential = \"key\"\n{}", rule()));
    product.start_daemon();
    product.sign_in();
    let mut alice = product.enrol("alice", None);
    let ben = product.enrol("ben", Some(&mut alice));
    Burning { product, desktop, alice, ben }
}

impl Burning {
    /// `tegata elevate admin` with both hands, each on a page of its own.
    fn break_glass(&mut self) -> Ended {
        let Self { product, alice, ben, .. } = self;
        let line = ["elevate", "admin", "--for", "4h", "--reason", "INC-42: 障害対応", "--print"];
        product.run_with_page(&line, |url| {
            alice.approve(url).map_err(|refused| format!("{refused:?}"))?;
            let request = product.parked();
            assert_eq!((&request["approvals_given"], &request["window_seconds"]), (&json!(["alice"]), &json!(900)));
            let one = product.run(&["credential-process", "--profile", "admin", "--wait", "0"]);
            assert_eq!((one.code, one.stdout.as_str()), (11, ""), "one hand opens nothing: {one:?}");
            ben.approve(&product.page(request["id"].as_str().unwrap()))
                .map(drop)
                .map_err(|refused| format!("{refused:?}"))
        })
    }

    fn review(&self) -> String {
        let (_, reviews) = self.product.api("GET", "/v1/reviews", None);
        reviews["reviews"][0]["id"].as_str().unwrap_or_else(|| panic!("no review is open: {reviews}")).to_owned()
    }

    fn alerts(&self) -> usize {
        self.desktop.shown().iter().filter(|shown| shown.contains("admin is open (123456789012 Admin)")).count()
    }
}

#[test]
fn two_people_open_it_for_a_quarter_of_an_hour_and_the_desktop_says_so() {
    let mut burning = burning();
    let ended = burning.break_glass();
    assert_eq!(ended.code, 0, "{ended:?}\n{}", burning.product.daemon_log());
    assert_eq!(burning.product.credentials("admin").code, 0);
    let (_, grants) = burning.product.api("GET", "/v1/grants", None);
    let grant = &grants["grants"][0];
    assert_eq!(grant["approved_by"], json!(["alice", "ben"]));
    assert!(grant["seconds_left"].as_u64().is_some_and(|left| left <= 900), "{grant}");
    wait_until("the desktop shows the alert", || burning.alerts() == 1);
    let alert = burning.desktop.shown().into_iter().find(|shown| shown.contains("admin is open")).unwrap();
    assert!(alert.contains("Approved by alice and ben; reason: INC-42"), "{alert}");
    burning.product.assert_no_canaries();
}

#[test]
fn without_a_reason_nobody_is_even_asked() {
    let burning = burning();
    for reason in [&[][..], &["--reason", ""], &["--reason", "it burns"]] {
        let line = [&["elevate", "admin", "--print"][..], reason].concat();
        let ended = burning.product.run(&line);
        assert!(ended.code != 0 && !ended.stdout.contains("http"), "{ended:?}");
    }
    assert!(burning.product.waiting().is_empty());
    assert_eq!(burning.alerts(), 0);
}

#[test]
fn one_person_twice_is_not_two_people() {
    let mut burning = burning();
    let Burning { product, alice, .. } = &mut burning;
    let body = json!({ "profile": "admin", "reason": "INC-42" });
    let (_, request) = product.api("POST", "/v1/grants", Some(&body));
    let id = request["id"].as_str().unwrap();
    alice.approve(&product.page(id)).unwrap();
    let mut page = OpenPage::open(&product.page(id)).unwrap();
    let options = page.begin().unwrap();
    let allowed = options["publicKey"]["allowCredentials"].as_array().unwrap();
    assert_eq!(allowed.len(), 1, "only ben's passkey is asked for: {options}");
    let hers = Faults { uses: alice.device.credential_ids().pop(), ..Faults::default() };
    let answer = alice.device.get_with(&options, &page.origin, &hers).unwrap();
    page.finish(&answer).unwrap_err();
    assert_eq!(product.parked()["approvals_given"], json!(["alice"]));
    let (_, grants) = product.api("GET", "/v1/grants", None);
    assert_eq!(grants["grants"], json!([]));
}

#[test]
fn the_review_stays_open_through_a_restart_until_somebody_says_what_was_found() {
    let mut burning = burning();
    assert_eq!(burning.break_glass().code, 0);
    let id = burning.review();
    let close = format!("tegata review close {id} --note …");
    assert!(burning.product.run(&["status"]).stdout.contains(&close));
    burning.product.kill_daemon();
    burning.product.start_daemon();
    assert_eq!(burning.review(), id);
    assert_eq!(burning.product.api("GET", "/v1/grants", None).1["grants"], json!([]), "the grant does not");
    let listed = burning.product.run(&["review", "list"]).stdout;
    assert!(listed.contains("alice, ben") && listed.contains("INC-42: 障害対応"), "{listed}");
    let silent = burning.product.run(&["review", "close", &id, "--note", " "]);
    assert_ne!(silent.code, 0, "{silent:?}");
    assert_eq!(burning.review(), id, "a review that says nothing closes nothing");
    let closed = burning.product.run(&["review", "close", &id, "--note", "INC-42: rotated the key"]);
    assert_eq!(closed.code, 0, "{closed:?}");
    assert!(!burning.product.run(&["status"]).stdout.contains("TO BE REVIEWED"));
    let records = burning.product.audit();
    let closed = records.iter().find(|record| record["event"] == "review_closed").unwrap();
    assert_eq!((&closed["review"], &closed["note"]), (&json!(id), &json!("INC-42: rotated the key")));
}

#[test]
fn a_grant_that_is_not_broken_glass_leaves_no_review() {
    let mut product = Product::new();
    product.start_daemon();
    product.sign_in();
    let mut hand = product.enrol("alice", None);
    let (_, request) = product.api("POST", "/v1/grants", Some(&json!({ "profile": "admin" })));
    hand.approve(&product.page(request["id"].as_str().unwrap())).unwrap();
    assert_eq!(product.api("GET", "/v1/reviews", None).1, json!({ "reviews": [] }));
}
