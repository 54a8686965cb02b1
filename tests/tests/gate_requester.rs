//! Who asks, and for whom a gesture was: another terminal, another program, traffic that was written down (security.md K5, K6).
#![allow(clippy::unwrap_used, reason = "this is a test")]

use serde_json::{Value, json};
use std::fs;
use tegata_sandbox::Operation;
use tegata_tests::gated::{gated, id};
use tegata_tests::hand::{Hand, OpenPage};
use tegata_tests::product::{Ended, Product};
use tegata_tests::shell::Shell;

/// A tool in this shell waits for a hand, which comes. Returns what the tool got.
fn served_by_hand(product: &Product, shell: &mut Shell, hand: &mut Hand) -> Ended {
    let tool = shell.types_tegata("credential-process --profile admin --wait 60");
    let request = product.parked();
    hand.approve(&product.page(id(&request))).unwrap();
    tool.ends()
}

fn is_served(ended: &Ended) {
    let key: Value = serde_json::from_str(&ended.stdout).unwrap_or_default();
    assert!(ended.code == 0 && key["AccessKeyId"].is_string(), "{ended:?}");
}

fn waits_for_a_hand_of_its_own(ended: &Ended) {
    assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.lines().count()), (11, "", 1), "{ended:?}");
}

#[test]
fn k5_an_open_grant_of_a_terminal_serves_no_other_terminal_and_nobody_without_one() {
    let (product, mut hand) = gated(Product::new());
    let mut mine = Shell::in_a_terminal(&product);
    is_served(&served_by_hand(&product, &mut mine, &mut hand));
    assert_eq!(product.sandbox().calls(Operation::GetRoleCredentials), 1);
    for mut other in [Shell::in_a_terminal(&product), Shell::without_a_terminal(&product)] {
        waits_for_a_hand_of_its_own(&other.credentials("admin"));
    }
    assert_eq!(product.sandbox().calls(Operation::GetRoleCredentials), 1);
    assert_eq!((product.grants().len(), product.waiting().len()), (1, 2));
    assert_eq!(product.grants()[0]["yours"], false, "nor does it serve the one who asks here");
}

#[test]
fn k5_twin_every_program_of_the_terminal_is_served_and_costs_no_call() {
    let (product, mut hand) = gated(Product::new());
    let mut mine = Shell::in_a_terminal(&product);
    is_served(&served_by_hand(&product, &mut mine, &mut hand));
    is_served(&mine.credentials("admin"));
    let (child, tegata) = (product.path("child.sh"), product.cli_binary.display().to_string());
    fs::write(&child, format!("{tegata} credential-process --profile admin --wait 0\nexit $?\n")).unwrap();
    is_served(&mine.types(&format!("sh {}", child.display())).ends());
    assert_eq!(product.sandbox().calls(Operation::GetRoleCredentials), 1);
    assert!(product.grants()[0]["holder"].as_str().unwrap().starts_with("the terminal of pid "));
}

#[test]
fn k5_a_grant_of_one_program_serves_no_other_program_of_the_same_user() {
    let (product, mut hand) = gated(Product::new());
    let mut mine = Shell::without_a_terminal(&product);
    is_served(&served_by_hand(&product, &mut mine, &mut hand));
    is_served(&mine.credentials("admin"));
    waits_for_a_hand_of_its_own(&Shell::without_a_terminal(&product).credentials("admin"));
    waits_for_a_hand_of_its_own(&Shell::in_a_terminal(&product).credentials("admin"));
    drop(mine);
    waits_for_a_hand_of_its_own(&Shell::without_a_terminal(&product).credentials("admin"));
    assert_eq!(product.sandbox().calls(Operation::GetRoleCredentials), 1);
}

#[test]
fn k5_twin_a_grant_for_the_user_serves_every_terminal_where_the_rule_says_so() {
    let product = Product::new();
    let rules = "[[rule]]\nname = \"out\"\nrole = \"Admin\"\ngate = \"none\"\n\
                 [[rule]]\nname = \"wide\"\nrole = \"Admin\"\nscope = \"user\"\n";
    product.write_settings(&format!("store = \"memory\"\n{rules}"));
    let (product, mut hand) = gated(product);
    product.elevate(&mut hand, &json!({ "profile": "admin", "holder": "user" }));
    assert_eq!(product.credentials("admin").code, 0);
    for mut shell in [Shell::in_a_terminal(&product), Shell::without_a_terminal(&product)] {
        is_served(&shell.credentials("admin"));
    }
}

#[test]
fn k5_who_asks_for_more_than_the_rule_allows_is_told_and_nobody_is_asked() {
    let (product, _hand) = gated(Product::new());
    let (status, told) = product.api("POST", "/v1/grants", Some(&json!({ "profile": "admin", "holder": "user" })));
    assert_eq!((status, &told["code"]), (403, &json!("denied")), "{told}");
    assert!(product.waiting().is_empty());
}

/// A program that sends bytes to the socket as they are, and writes down what comes back.
#[cfg(feature = "system")]
fn replayed(product: &Product, shell: &mut Shell, traffic: &str) -> (u16, Value) {
    let (captured, replay) = (product.path("captured"), product.path("replay.py"));
    fs::write(&captured, traffic).unwrap();
    let program = "import socket, sys\n\
                   s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); s.sendall(open(sys.argv[2], 'rb').read())\n\
                   while part := s.recv(65536): sys.stdout.buffer.write(part)\n";
    fs::write(&replay, program).unwrap();
    let python = tegata_tests::client("python/bin/python");
    let line = [python, replay, product.socket(), captured].map(|word| word.display().to_string()).join(" ");
    let ended = shell.types(&line).ends();
    let (head, body) = ended.stdout.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{ended:?}"));
    (head.split(' ').nth(1).unwrap().parse().unwrap(), serde_json::from_str(body).unwrap())
}

#[cfg(feature = "system")]
fn request(method: &str, path: &str, body: &str) -> String {
    let length = if body.is_empty() { String::new() } else { format!("content-length: {}\r\n", body.len()) };
    format!("{method} {path} HTTP/1.1\r\nconnection: close\r\n{length}\r\n{body}")
}

#[cfg(feature = "system")]
const ASKED: &str = "/v1/credentials?profile=admin";

#[cfg(feature = "system")]
#[test]
fn k6_traffic_of_the_socket_brings_another_process_nothing() {
    let (product, mut hand) = gated(Product::new());
    let mut mine = Shell::without_a_terminal(&product);
    let (status, asked) = replayed(&product, &mut mine, &request("POST", "/v1/grants", "{\"profile\":\"admin\"}"));
    assert_eq!(status, 201, "{asked}");
    hand.approve(&product.page(id(&asked))).unwrap();
    let mut thief = Shell::without_a_terminal(&product);
    let (status, refused) = replayed(&product, &mut thief, &request("GET", &format!("{ASKED}&wait=0"), ""));
    assert_eq!((status, &refused["code"]), (403, &json!("elevation_required")), "{refused}");
    let (status, again) = replayed(&product, &mut thief, &request("POST", "/v1/grants", "{\"profile\":\"admin\"}"));
    assert_eq!((status, &again["state"]), (201, &json!("awaits_gesture")), "asking is not having: {again}");
    let pages = format!("/v1/requests/{}/pages", id(&asked));
    assert_eq!(replayed(&product, &mut thief, &request("POST", &pages, "{}")).0, 404, "that page was the person's");
    assert_eq!((product.grants().len(), product.sandbox().calls(Operation::GetRoleCredentials)), (1, 0));
}

#[cfg(feature = "system")]
#[test]
fn k6_twin_the_same_bytes_serve_the_process_they_are_from() {
    let (product, mut hand) = gated(Product::new());
    let mut mine = Shell::without_a_terminal(&product);
    let (_, asked) = replayed(&product, &mut mine, &request("POST", "/v1/grants", "{\"profile\":\"admin\"}"));
    hand.approve(&product.page(id(&asked))).unwrap();
    let (status, served) = replayed(&product, &mut mine, &request("GET", ASKED, ""));
    assert!(status == 200 && served["AccessKeyId"].is_string(), "{status}");
}

#[test]
fn k6_what_went_to_a_page_opens_nothing_a_second_time() {
    let (product, mut hand) = gated(Product::new());
    let asked = |()| product.api("POST", "/v1/grants", Some(&json!({ "profile": "admin" }))).1;
    let url = product.page(id(&asked(())));
    let mut page = OpenPage::open(&url).unwrap();
    let answer = hand.device.get(&page.begin().unwrap(), &page.origin).unwrap();
    page.finish(&answer).unwrap();
    assert_eq!(product.api("DELETE", "/v1/grants", None), (200, json!({ "dropped": 1 })));
    // Another request keeps the page's listener there.
    let next = asked(());
    let other = product.page(id(&next));
    assert_eq!(OpenPage::open(&url).unwrap_err().0, 403, "the address");
    assert_eq!(page.begin().unwrap_err().0, 403, "the page's token");
    assert_eq!(page.finish(&answer).unwrap_err().0, 403, "the answer");
    let mut other = OpenPage::open(&other).unwrap();
    other.begin().unwrap();
    assert!(other.finish(&answer).is_err(), "the answer of one request in the page of another");
    assert!(product.grants().is_empty());
}

#[test]
fn k6_twin_a_page_of_its_own_is_approved() {
    let (product, mut hand) = gated(Product::new());
    product.elevate(&mut hand, &json!({ "profile": "admin" }));
    product.elevate(&mut hand, &json!({ "profile": "admin" }));
    assert_eq!(product.grants().len(), 1, "the second takes the place of the first");
}
