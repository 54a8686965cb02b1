//! A real Chromium with virtual authenticators, told what to do by the line (tests/browser/walk.mjs).

use crate::client;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, PoisonError};

/// One Chromium. It ends when this is dropped, or the test's process.
#[derive(Debug)]
pub struct Chromium {
    node: Child,
    talk: Mutex<(Option<ChildStdin>, BufReader<ChildStdout>)>,
}

/// A tab, with authenticators of its own.
#[derive(Clone, Copy, Debug)]
pub struct Tab<'a> {
    chromium: &'a Chromium,
    name: &'a str,
}

impl Chromium {
    /// Starts one that nobody sees.
    ///
    /// # Panics
    /// When `tests/clients/install` was not run.
    #[must_use]
    pub fn start() -> Self {
        Self::start_as(Path::new("/usr/bin/chromium"), false)
    }

    /// Starts this program, in a window if it is to be seen.
    ///
    /// # Panics
    /// As [`Chromium::start`].
    #[must_use]
    pub fn start_as(executable: &Path, headed: bool) -> Self {
        // Removed by the script, which outlives a process that leaves this in a static.
        let scratch = tempfile::tempdir().expect("a scratch directory").keep();
        let mut node = Command::new("node");
        node.arg(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("browser/walk.mjs"));
        node.arg("--modules").arg(client("browser/node_modules")).arg("--scratch").arg(scratch);
        node.arg("--executable").arg(executable).args(headed.then_some("--headed"));
        let mut node = node.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("node runs");
        let orders = node.stdin.take();
        let answers = BufReader::new(node.stdout.take().expect("stdout is piped"));
        Self { node, talk: Mutex::new((orders, answers)) }
    }

    /// Returns the tab of this name; it is opened at its first use.
    #[must_use]
    pub fn tab<'a>(&'a self, name: &'a str) -> Tab<'a> {
        Tab { chromium: self, name }
    }

    /// Gives an order and returns what came of it. Orders take half a minute at most, then they fail.
    fn order(&self, order: &Value) -> Value {
        let mut talk = self.talk.lock().unwrap_or_else(PoisonError::into_inner);
        let (orders, answers) = &mut *talk;
        writeln!(orders.as_ref().expect("stdin is piped"), "{order}").expect("the browser listens");
        let mut answer = String::new();
        answers.read_line(&mut answer).expect("the browser answers");
        let answer: Value = serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{order}: {error}: {answer}"));
        assert!(answer.get("failed").is_none(), "{order}: {answer}");
        answer["done"].clone()
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        // Who gives no orders any more is done; a kill would leave the browser behind.
        drop(self.talk.get_mut().unwrap_or_else(PoisonError::into_inner).0.take());
        let _ = self.node.wait();
    }
}

impl Tab<'_> {
    /// Opens an address.
    pub fn open(&self, url: &str) {
        self.order(json!({ "do": "open", "url": url }));
    }

    /// Opens the page of a request and waits until its buttons work.
    pub fn visit(&self, url: &str) {
        self.open(url);
        self.buttons_work();
    }

    /// Waits until the buttons of the page work.
    pub fn buttons_work(&self) {
        self.order(json!({ "do": "wait", "selector": "#approve[aria-disabled=false]" }));
    }

    /// Clicks what a selector finds.
    pub fn click(&self, selector: &str) {
        self.order(json!({ "do": "click", "selector": selector }));
    }

    /// Waits until what a selector finds is there and contains a text; returns all of its text.
    #[must_use]
    pub fn text(&self, selector: &str, contains: &str) -> String {
        let found = self.order(json!({ "do": "wait", "selector": selector, "text": contains }));
        found.as_str().unwrap_or_default().to_owned()
    }

    /// Waits until the card of the page shows a state; returns all that it says.
    pub fn shows(&self, state: &str) -> String {
        self.text(&format!("#card[data-state={state}]"), "")
    }

    /// Opens the page of a request, approves with a passkey of this tab, and returns what the page says then.
    pub fn approve(&self, url: &str) -> String {
        self.visit(url);
        self.click("#approve");
        self.shows("approved")
    }

    /// Adds one more authenticator, of a transport such as `usb`; returns its number.
    #[must_use]
    pub fn add_authenticator(&self, transport: &str) -> u64 {
        self.order(json!({ "do": "key", "transport": transport })).as_u64().unwrap_or_default()
    }

    /// Takes an authenticator with its passkeys to another tab, as a person takes a key to another computer.
    pub fn carry(&self, authenticator: u64, to: Tab<'_>) {
        self.order(json!({ "do": "carry", "key": authenticator, "to": to.name }));
    }

    /// Lets an authenticator confirm by itself, or wait for a touch that nobody gives.
    pub fn touch(&self, authenticator: u64, enabled: bool) {
        self.order(json!({ "do": "touch", "key": authenticator, "enabled": enabled }));
    }

    /// Returns how many passkeys each authenticator of the tab holds.
    #[must_use]
    pub fn passkeys(&self) -> Value {
        self.order(json!({ "do": "passkeys" }))
    }

    /// Returns the address that the tab is at.
    #[must_use]
    pub fn address(&self) -> String {
        self.order(json!({ "do": "address" })).as_str().unwrap_or_default().to_owned()
    }

    /// Runs a script in the page, as the page's own would run, and returns what its promise came to.
    #[must_use]
    pub fn run(&self, script: &str) -> Value {
        self.order(json!({ "do": "run", "script": script }))
    }

    fn order(&self, mut order: Value) -> Value {
        order["tab"] = self.name.into();
        self.chromium.order(&order)
    }
}
