//! Inventories of a large organisation, from outside: within the token bucket, with progress, resumed after every kind of
//! interruption, and with names that somebody chose to do harm.

use serde_json::{Value, json};
use std::collections::HashMap;
use tegata_protocol::inventory::MAX_NAME_CHARS;
use tegata_protocol::text::is_hostile;
use tegata_sandbox::{Account, HoldUntil, Operation, Organization, TokenBucket};
use tegata_tests::product::{PATIENCE, Product};

/// The pace that these daemons are told to keep. The sandbox's bucket runs on real time, so the pace is high enough for
/// 2,000 accounts to take seconds; the usual one is 10 a second.
const PER_SECOND: u32 = 500;
const BURST: u32 = 20;

/// Calls that may be on their way together: what left in time may arrive together.
const AT_ONCE: u32 = 4;

const LISTINGS: [Operation; 2] = [Operation::ListAccounts, Operation::ListAccountRoles];

/// A product whose daemon keeps that pace, signed in to an organisation that allows no more.
fn product(accounts: usize, roles: usize) -> Product {
    let mut product = Product::new();
    product.sandbox().configure(|settings| {
        settings.organizations = vec![Organization::generated(accounts, roles)];
        let bucket = TokenBucket { capacity: f64::from(BURST + AT_ONCE), refill_per_second: f64::from(PER_SECOND) };
        settings.throttle = LISTINGS.map(|listing| (listing, bucket)).into();
    });
    product.store_in_files();
    product.write_settings(&format!(
        "store = \"file\"\n[file_store]\nsystemd_credential = \"key\"\n\
         [limits]\ninventory_rate = {PER_SECOND}\ninventory_burst = {BURST}\n"
    ));
    product.start_daemon();
    product.sign_in();
    product
}

fn begin(product: &Product) -> Value {
    let (status, begun) = product.api("POST", "/v1/inventories", Some(&json!({"session": "corp"})));
    assert_eq!(status, 201, "{begun}");
    begun
}

fn id(inventory: &Value) -> &str {
    inventory["id"].as_str().unwrap()
}

fn done(inventory: &Value) -> u64 {
    inventory["accounts_done"].as_u64().unwrap()
}

/// How it stands at its next step.
fn step(product: &Product, inventory: &Value) -> Value {
    let (status, next) = product.api("GET", &format!("/v1/inventories/{}?wait=20", id(inventory)), None);
    assert_eq!(status, 200, "{next}");
    next
}

/// Follows it until `enough`, and returns every step.
fn follow(product: &Product, begun: Value, enough: impl Fn(&Value) -> bool) -> Vec<Value> {
    let mut steps = vec![begun];
    while steps.last().is_some_and(|last| !enough(last)) {
        let next = step(product, &steps[steps.len() - 1]);
        steps.push(next);
    }
    steps
}

fn has_ended(inventory: &Value) -> bool {
    inventory["state"] != "running"
}

fn finish(product: &Product, begun: Value) -> Value {
    let ended = follow(product, begun, has_ended).pop().unwrap();
    assert_eq!(ended["state"], "done", "{ended}\n{}", product.daemon_log());
    ended
}

/// Every account of an inventory that is done, page by page.
fn accounts(product: &Product, inventory: &Value) -> Vec<Value> {
    let (mut accounts, mut page) = (inventory["accounts"].as_array().unwrap().clone(), inventory["next_page"].clone());
    while let Some(token) = page.as_str() {
        let (status, next) = product.api("GET", &format!("/v1/inventories/{}?page={token}", id(inventory)), None);
        assert_eq!(status, 200, "{next}");
        accounts.extend(next["accounts"].as_array().unwrap().iter().cloned());
        page = next["next_page"].clone();
    }
    accounts
}

/// The listings that were asked for, each with how often.
fn asked(product: &Product) -> HashMap<String, u32> {
    let mut asked = HashMap::new();
    for request in LISTINGS.iter().flat_map(|listing| product.sandbox().requests_of(*listing)) {
        *asked.entry(request.target).or_default() += 1;
    }
    asked
}

fn calls(product: &Product) -> u64 {
    LISTINGS.map(|listing| product.sandbox().calls(listing)).iter().sum()
}

/// How often one listing was asked for again.
fn repeated(product: &Product) -> u32 {
    asked(product).values().map(|times| times - 1).sum()
}

fn refused(product: &Product) -> usize {
    let requests = product.sandbox().requests();
    requests.iter().filter(|request| request.status == Some(429)).count()
}

/// No second may see more calls than the burst and what the bucket gains in it.
fn assert_within_the_bucket(product: &Product) {
    let mut times: Vec<i64> = LISTINGS
        .iter()
        .flat_map(|listing| product.sandbox().requests_of(*listing))
        .map(|request| request.at_ms)
        .collect();
    times.sort_unstable();
    let most = i64::from(PER_SECOND + BURST + AT_ONCE);
    for (at, first) in times.iter().enumerate() {
        let in_a_second = times[at..].iter().take_while(|time| *time - first <= 1_000).count();
        assert!(in_a_second as i64 <= most + 1, "{in_a_second} calls in a second");
    }
}

#[test]
fn two_thousand_accounts_are_listed_within_the_bucket_with_progress() {
    let product = product(2_000, 5);
    let steps = follow(&product, begin(&product), has_ended);
    let last = steps.last().unwrap();
    assert_eq!((&last["state"], done(last)), (&json!("done"), 2_000), "{}", product.daemon_log());
    let progress: Vec<u64> = steps.iter().map(done).collect();
    assert!(progress.is_sorted() && steps.len() > 20, "{progress:?}");
    // 20 pages of 100 accounts, and one call for the roles of each.
    assert_eq!((calls(&product), repeated(&product), refused(&product)), (2_020, 0, 0));
    assert_within_the_bucket(&product);
    let accounts = accounts(&product, last);
    assert_eq!(accounts.len(), 2_000);
    assert!(accounts.is_sorted_by_key(|account| account["id"].as_str().unwrap().to_owned()));
    assert!(accounts.iter().all(|account| account["roles"].as_array().unwrap().len() == 5));
    let japanese = accounts.iter().filter(|account| account["name"].as_str().unwrap().starts_with("本番環境")).count();
    assert_eq!(japanese, 667);
    assert!(accounts[0]["roles"].as_array().unwrap().contains(&json!("Audit+Log")));
    assert_eq!(product.state_dir().join("inventories").read_dir().unwrap().count(), 0);
    product.assert_no_canaries();
}

#[test]
fn an_inventory_that_was_stopped_half_way_asks_only_for_what_is_missing() {
    let product = product(600, 2);
    let half = follow(&product, begin(&product), |inventory| done(inventory) >= 300).pop().unwrap();
    let path = format!("/v1/inventories/{}", id(&half));
    assert_eq!(product.api("DELETE", &path, None).0, 200);
    assert_eq!(product.api("GET", &path, None).0, 404);
    let before = calls(&product);
    let resumed = begin(&product);
    assert!(resumed["resumed_from"].as_u64().unwrap() >= 300 && resumed["accounts_found"] == 600, "{resumed}");
    let ended = finish(&product, resumed);
    assert_eq!(accounts(&product, &ended).len(), 600);
    assert!(repeated(&product) <= AT_ONCE, "{before} calls before, {} after", calls(&product));
    assert_eq!(calls(&product), 606 + u64::from(repeated(&product)));
}

#[test]
fn an_inventory_survives_its_daemon_being_killed() {
    let mut product = product(600, 2);
    follow(&product, begin(&product), |inventory| done(inventory) >= 300);
    product.kill_daemon();
    product.assert_no_canaries();
    product.start_daemon();
    let resumed = begin(&product);
    assert!(resumed["resumed_from"].as_u64().unwrap() >= 300, "{resumed}");
    let ended = finish(&product, resumed);
    assert_eq!(accounts(&product, &ended).len(), 600);
    assert!(repeated(&product) <= AT_ONCE, "{} repeated", repeated(&product));
    assert_eq!(calls(&product), 606 + u64::from(repeated(&product)));
    assert_eq!(refused(&product), 0);
}

#[test]
fn a_sign_in_that_ends_half_way_says_what_mends_it_and_the_next_one_goes_on() {
    let product = product(300, 1);
    let half = follow(&product, begin(&product), |inventory| done(inventory) >= 100).pop().unwrap();
    product.sandbox().end_sign_in_sessions();
    let ended = follow(&product, half, has_ended).pop().unwrap();
    assert_eq!((&ended["state"], &ended["error"]["code"]), (&json!("failed"), &json!("sign_in_required")), "{ended}");
    assert_eq!(ended["error"]["mend"], "tegata login corp");
    product.sign_in();
    let resumed = begin(&product);
    assert!(resumed["resumed_from"].as_u64().unwrap() >= 100, "{resumed}");
    let ended = finish(&product, resumed);
    assert_eq!(accounts(&product, &ended).len(), 300);
    // Four may have been refused for want of a sign-in, each once more after an attempt to renew.
    assert!(repeated(&product) <= 2 * AT_ONCE, "{} repeated", repeated(&product));
}

#[test]
fn an_access_token_that_dies_half_way_is_renewed() {
    let product = product(300, 1);
    let half = follow(&product, begin(&product), |inventory| done(inventory) >= 100).pop().unwrap();
    product.sandbox().forget_access_tokens();
    let ended = follow(&product, half, has_ended).pop().unwrap();
    assert_eq!((&ended["state"], done(&ended)), (&json!("done"), 300), "{ended}");
    assert_eq!(product.sandbox().calls(Operation::CreateTokenRefreshToken), 1);
}

#[test]
fn d3_a_bucket_smaller_than_ours_is_obeyed() {
    let product = product(30, 1);
    let bucket = TokenBucket { capacity: 5.0, refill_per_second: 40.0 };
    product.sandbox().configure(|settings| settings.throttle = [(Operation::ListAccountRoles, bucket)].into());
    let ended = finish(&product, begin(&product));
    assert_eq!(done(&ended), 30);
    // Each 429 empties our bucket for a second and halves its pace; only what was on its way is refused with it.
    assert!(refused(&product) <= 5 * AT_ONCE as usize, "{} refused", refused(&product));
}

#[test]
fn names_that_were_chosen_to_do_harm_are_harmless() {
    let product = product(1, 1);
    let hostile = format!("\u{1b}]52;c;AAAA\u{7}\r\n\u{202e}{}", "x".repeat(10_000));
    product.sandbox().configure(|settings| {
        settings.organizations[0].accounts = vec![
            Account::new("100000000001", &hostile, &["Admin", "\u{1b}[2J", "a b", "../../etc"]),
            Account { email: hostile.clone(), ..Account::new("100000000002", "", &["Audit+Log"]) },
        ];
    });
    let ended = finish(&product, begin(&product));
    let accounts = accounts(&product, &ended);
    assert_eq!((&accounts[0]["roles"], &accounts[1]["roles"]), (&json!(["Admin"]), &json!(["Audit+Log"])));
    for text in accounts.iter().flat_map(|account| [&account["name"], &account["email"]]) {
        let text = text.as_str().unwrap();
        assert!(text.chars().count() <= MAX_NAME_CHARS && !text.chars().any(is_hostile), "{text}");
    }
    // The log has colours of its own.
    let log = product.daemon_log();
    assert!(!["\u{1b}[2J", "\u{1b}]52", "\u{202e}", "\u{7}"].iter().any(|hostile| log.contains(hostile)), "{log}");
}

#[test]
fn whoever_begins_a_second_one_joins_the_first_and_waiting_ends_with_the_next_step() {
    let product = product(20, 1);
    product.sandbox().hold(Operation::ListAccountRoles, HoldUntil::Released);
    let first = begin(&product);
    assert!(product.sandbox().wait_for_waiting(Operation::ListAccountRoles, AT_ONCE as usize, PATIENCE));
    assert_eq!(id(&begin(&product)), id(&first));
    let (status, standing) = product.api("GET", &format!("/v1/inventories/{}?wait=0", id(&first)), None);
    assert_eq!((status, done(&standing), &standing["accounts_found"]), (200, 0, &json!(20)));
    let follower = std::thread::scope(|scope| {
        let waits = scope.spawn(|| step(&product, &first));
        product.sandbox().release(Operation::ListAccountRoles);
        waits.join().unwrap()
    });
    assert!(done(&follower) > 0 || has_ended(&follower), "{follower}");
    assert_eq!(done(&finish(&product, first)), 20);
    assert_eq!(repeated(&product), 0);
}

#[test]
fn locked_means_that_nobody_is_asked_any_more() {
    let product = product(40, 1);
    product.sandbox().hold(Operation::ListAccountRoles, HoldUntil::Released);
    let begun = begin(&product);
    assert!(product.sandbox().wait_for_waiting(Operation::ListAccountRoles, AT_ONCE as usize, PATIENCE));
    assert_eq!(product.run(&["lock"]).code, 0);
    assert!(product.sandbox().wait_until_nobody_waits(Operation::ListAccountRoles, PATIENCE));
    assert_eq!(step(&product, &begun)["error"]["code"], "locked");
    assert_eq!(product.api("POST", "/v1/inventories", Some(&json!({}))).0, 423);
    assert_eq!(product.sandbox().calls(Operation::ListAccountRoles), u64::from(AT_ONCE));
}

#[test]
fn a_damaged_file_costs_the_calls_and_no_more() {
    let product = product(40, 1);
    let half = follow(&product, begin(&product), |inventory| done(inventory) >= 10).pop().unwrap();
    assert_eq!(product.api("DELETE", &format!("/v1/inventories/{}", id(&half)), None).0, 200);
    let files: Vec<_> = product.state_dir().join("inventories").read_dir().unwrap().flatten().collect();
    assert_eq!(files.len(), 1);
    std::fs::write(files[0].path(), "{\"version\":1,\u{1b}[2J").unwrap();
    let again = begin(&product);
    assert_eq!(again["resumed_from"], 0);
    assert_eq!(done(&finish(&product, again)), 40);
    assert!(product.daemon_log().contains("is asked for again"), "{}", product.daemon_log());
}
