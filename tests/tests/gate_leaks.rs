//! A whole life of a gate with every log on: what opens a page, what a passkey answered and what AWS issued lies nowhere
//! (security.md E1, E4).
#![allow(clippy::unwrap_used, reason = "this is a test")]

use serde_json::{Value, json};
use std::fs;
use std::process::Stdio;
use tegata_tests::canaries::{self, Canaries};
use tegata_tests::gated::{IN_FILES, id, records};
use tegata_tests::hand::{Hand, OpenPage};
use tegata_tests::product::Product;

/// A run, and every secret of its pages.
struct Watched {
    product: Product,
    hand: Hand,
    secrets: Vec<String>,
}

impl Watched {
    fn new() -> Self {
        let mut product = Product::new();
        for (name, value) in [("TEGATA_LOG", "trace"), ("RUST_LOG", "trace"), ("RUST_BACKTRACE", "full")] {
            product.environment.push((name.to_owned(), value.to_owned()));
        }
        product.store_in_files();
        product.write_settings(IN_FILES);
        product.start_daemon();
        product.sign_in();
        Self { product, hand: Hand::new(), secrets: Vec::new() }
    }

    fn asks(&self, method: &str, path: &str, body: Option<&Value>) -> Value {
        let (status, request) = self.product.api(method, path, body);
        assert!(status == 201 || status == 202, "{status}: {request}");
        request
    }

    fn opens(&mut self, request: &Value) -> OpenPage {
        let url = self.product.page(id(request));
        let page = OpenPage::open(&url).unwrap();
        self.secrets.push(url.split_once("/#").unwrap().1.to_owned());
        self.secrets.push(page.token().to_owned());
        page
    }

    /// Does what a page asks for, and remembers all that went over it.
    fn approves(&mut self, request: &Value) {
        let mut page = self.opens(request);
        while page.waits() {
            let options = page.begin().unwrap();
            self.remember(&options["publicKey"]["challenge"]);
            let enrols = page.view["state"] == "awaits_enrolment";
            let origin = page.origin.clone();
            let device = &mut self.hand.device;
            let answer = if enrols { device.create(&options, &origin) } else { device.get(&options, &origin) }.unwrap();
            for field in ["clientDataJSON", "authenticatorData", "attestationObject", "signature"] {
                self.remember(&answer["response"][field]);
            }
            page.finish(&answer).unwrap();
        }
        assert_eq!(page.view["state"], "approved", "{}", page.view);
    }

    /// A gesture that fails and a page that is refused.
    fn fails_and_refuses(&mut self, request: &Value) {
        let mut page = self.opens(request);
        let mut answer = self.hand.device.get(&page.begin().unwrap(), &page.origin).unwrap();
        self.remember(&answer["response"]["signature"]);
        answer["response"]["signature"] = json!("AAAA");
        assert!(page.finish(&answer).is_err());
        let url = self.product.page(id(request));
        self.secrets.push(url.split_once("/#").unwrap().1.to_owned());
        self.hand.refuse(&url).unwrap();
    }

    fn remember(&mut self, secret: &Value) {
        self.secrets.extend(secret.as_str().map(str::to_owned));
    }

    fn canaries(&self) -> Canaries {
        self.secrets.iter().fold(self.product.canaries(), |canaries, secret| canaries.and(secret))
    }

    fn leaves_nothing(&self) {
        assert!(
            self.secrets.len() >= 10 && self.secrets.iter().all(|secret| secret.len() >= 20),
            "{}",
            self.secrets.len()
        );
        canaries::assert_none(&self.canaries().find_under(&self.product.path("")));
        self.product.assert_no_canaries();
    }
}

fn admin() -> Value {
    json!({ "profile": "admin", "reason": "障害対応 INC-42" })
}

#[test]
fn e1_a_whole_life_of_a_gate_leaves_no_secret_of_a_page_a_passkey_or_aws() {
    let mut watched = Watched::new();
    let first = watched.asks("POST", "/v1/passkeys", Some(&json!({ "person": "alice", "name": "key" })));
    watched.approves(&first);
    let grant = watched.asks("POST", "/v1/grants", Some(&admin()));
    watched.approves(&grant);
    assert_eq!(watched.product.credentials("admin").code, 0);
    for arguments in
        [&["status"][..], &["status", "--json"], &["policy", "explain", "admin"], &["passkey", "list"], &["drop"]]
    {
        assert_eq!(watched.product.run(arguments).code, 0, "{arguments:?}");
    }
    let refused = watched.asks("POST", "/v1/grants", Some(&admin()));
    watched.fails_and_refuses(&refused);
    watched.leaves_nothing();
    watched.product.kill_daemon();
    let open = "[[rule]]\nname = \"open\"\nrole = \"Admin\"\ngate = \"none\"\n";
    watched.product.write_settings(&format!("{IN_FILES}{open}"));
    watched.product.start_daemon();
    let accepts = watched.asks("POST", "/v1/policy", None);
    watched.approves(&accepts);
    assert_eq!(watched.product.run(&["lock"]).code, 0);
    let unlocks = watched.asks("DELETE", "/v1/lock", None);
    watched.approves(&unlocks);
    assert_eq!(watched.product.credentials("admin").code, 0);
    for event in ["hand_failed", "hand_refused", "granted", "policy_accepted", "unlocked", "released"] {
        assert!(!records(&watched.product, event).is_empty(), "{event} was part of it");
    }
    watched.leaves_nothing();
}

#[test]
fn e1_twin_a_secret_of_a_page_in_the_log_or_a_record_is_found() {
    let mut watched = Watched::new();
    let first = watched.asks("POST", "/v1/passkeys", Some(&json!({ "person": "alice", "name": "key" })));
    watched.approves(&first);
    for secret in watched.secrets.clone() {
        let place = watched.product.state_dir().join("planted");
        fs::write(&place, format!("TRACE page: {secret}\n")).unwrap();
        assert!(!watched.canaries().find_under(&watched.product.path("")).is_empty(), "{secret}");
        fs::remove_file(place).unwrap();
    }
}

#[test]
fn e4_nothing_of_a_gate_is_in_arguments_or_environment_of_who_waits_or_serves() {
    let mut watched = Watched::new();
    let first = watched.asks("POST", "/v1/passkeys", Some(&json!({ "person": "alice", "name": "key" })));
    watched.approves(&first);
    let arguments = ["credential-process", "--profile", "admin", "--wait", "60"];
    let mut tool = watched.product.tegata(&arguments);
    let tool = tool.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let parked = watched.product.parked();
    let (_, status) = watched.product.api("GET", "/v1/status", None);
    let daemon = u32::try_from(status["pid"].as_u64().unwrap()).unwrap();
    watched.approves(&parked);
    let canaries = watched.canaries();
    let looked = [canaries.find_in_process(tool.id()), canaries.find_in_process(daemon)].concat();
    let output = tool.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    canaries::assert_none(&looked);
    assert_eq!(watched.product.grants().len(), 1);
    watched.leaves_nothing();
}
