//! A hand made of software: opens the page of a request as its script does, and answers with a software passkey.

use crate::local_api;
use serde_json::{Value, json};
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;
use tegata_authenticator::Authenticator;

/// How long the page may take to answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// A person's hand with one passkey.
#[derive(Debug)]
pub struct Hand {
    /// The passkey.
    pub device: Authenticator,
}

/// Why the page gave nothing: its status and what it said.
pub type Refused = (u16, Value);

impl Hand {
    /// Makes a hand with an empty device, one that no passkey leaves.
    #[must_use]
    pub fn new() -> Self {
        Self { device: Authenticator::new() }
    }

    /// Opens the page at `url` and does what it asks for: makes a passkey, or approves with it. A page that asks for one after
    /// the other gets both. Returns how the request stands then.
    ///
    /// # Errors
    /// What the page said.
    ///
    /// # Panics
    /// When the device does not do it.
    pub fn approve(&mut self, url: &str) -> Result<Value, Refused> {
        let mut page = OpenPage::open(url)?;
        for _ in 0..2 {
            if !page.waits() {
                break;
            }
            let enrols = page.view["state"] == "awaits_enrolment";
            let options = page.begin()?;
            let answer = if enrols {
                self.device.create(&options, &page.origin)
            } else {
                self.device.get(&options, &page.origin)
            };
            let needed = page.view["approvals_needed"].as_u64();
            page.finish(&answer.unwrap_or_else(|refusal| panic!("the device refused: {refusal:?}")))?;
            if needed == Some(2) {
                break;
            }
        }
        Ok(page.view)
    }

    /// Approves at `url` that `other` makes a passkey there.
    ///
    /// # Errors
    /// What the page said.
    ///
    /// # Panics
    /// When a device does not do it.
    pub fn vouch_for(&mut self, other: &mut Self, url: &str) -> Result<Value, Refused> {
        let mut page = OpenPage::open(url)?;
        let approved = self.device.get(&page.begin()?, &page.origin).expect("the device approves");
        page.finish(&approved)?;
        let made = other.device.create(&page.begin()?, &page.origin).expect("the device makes a passkey");
        page.finish(&made)?;
        Ok(page.view)
    }

    /// Opens the page at `url` and says no.
    ///
    /// # Errors
    /// What the page said.
    pub fn refuse(&self, url: &str) -> Result<Value, Refused> {
        OpenPage::open(url)?.act("refuse", &json!({}))
    }
}

impl Default for Hand {
    fn default() -> Self {
        Self::new()
    }
}

/// A page that was opened.
#[derive(Debug)]
pub struct OpenPage {
    /// Where it is.
    pub origin: String,
    /// How its request stood last.
    pub view: Value,
    token: String,
}

impl OpenPage {
    /// Opens a URL as a browser does: the document, then the script's first call with the secret behind `#`.
    ///
    /// # Errors
    /// What the page said.
    ///
    /// # Panics
    /// When the URL is none, or nobody listens.
    pub fn open(url: &str) -> Result<Self, Refused> {
        let (page, secret) = url.split_once("/#").unwrap_or_else(|| panic!("no page: {url}"));
        let mut opened = Self { origin: page.to_owned(), view: Value::Null, token: secret.to_owned() };
        let answer = opened.act("open", &json!({}))?;
        opened.token = answer["token"].as_str().unwrap_or_default().to_owned();
        opened.view = answer["view"].clone();
        Ok(opened)
    }

    /// Returns what the page shows with every call. Nobody else may ever see it.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Begins a ceremony and returns its options.
    ///
    /// # Errors
    /// What the page said.
    pub fn begin(&self) -> Result<Value, Refused> {
        self.act("begin", &json!({}))
    }

    /// Ends a ceremony with what the authenticator answered.
    ///
    /// # Errors
    /// What the page said.
    pub fn finish(&mut self, answer: &Value) -> Result<(), Refused> {
        self.view = self.act("finish", answer)?;
        Ok(())
    }

    /// Whether the request waits for a hand.
    #[must_use]
    pub fn waits(&self) -> bool {
        self.view["state"].as_str().is_some_and(|state| state.starts_with("awaits_"))
    }

    fn act(&self, act: &str, body: &Value) -> Result<Value, Refused> {
        let (status, json) =
            self.post(act, body).unwrap_or_else(|error| panic!("the page at {}: {error}", self.origin));
        if status == 200 { Ok(json) } else { Err((status, json)) }
    }

    /// The C library does not know `tegata.localhost`, browsers do: it is the loopback address.
    fn post(&self, act: &str, body: &Value) -> io::Result<(u16, Value)> {
        let host = self.origin.strip_prefix("http://").unwrap_or(&self.origin);
        let port = host.rsplit(':').next().and_then(|port| port.parse::<u16>().ok()).unwrap_or_default();
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let body = body.to_string();
        let head = [
            format!("POST /api/{act} HTTP/1.1"),
            format!("Host: {host}"),
            format!("Origin: {}", self.origin),
            "Sec-Fetch-Site: same-origin".to_owned(),
            "Content-Type: application/json".to_owned(),
            format!("Tegata-Page: {}", self.token),
            format!("Content-Length: {}", body.len()),
            "Connection: close".to_owned(),
        ];
        write!(stream, "{}\r\n\r\n{body}", head.join("\r\n"))?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        local_api::parse(&answer)
    }
}
