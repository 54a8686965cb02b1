//! Who sits in front of the pages: software that stands in for a person, or a Chromium in which a person's clicks are made.

use crate::Outcome;
use std::path::PathBuf;
use tegata_tests::browser;
use tegata_tests::chromium::Chromium;
use tegata_tests::hand::Hand;

/// Whoever signs in and approves.
pub(crate) enum Person {
    /// Software in this program.
    Software(Box<Hand>),
    /// A real browser with a virtual authenticator.
    Browser(Chromium, &'static str),
}

impl Person {
    /// Returns who it is to be: a Chromium where `STAY=1 BROWSER=chromium` asks for one, else software.
    pub(crate) fn wanted(stays: bool) -> Outcome<Self> {
        let browser = std::env::var("BROWSER").unwrap_or_default();
        if !stays || !browser.contains("chrom") {
            return Ok(Self::Software(Box::default()));
        }
        let found = find(&browser).ok_or_else(|| format!("BROWSER={browser}: there is no such program"))?;
        let seen = ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| std::env::var_os(name).is_some());
        let how = if seen { "in its window" } else { "unseen, because there is no display" };
        Ok(Self::Browser(Chromium::start_as(&found, seen), how))
    }

    /// Says who gives the hand.
    pub(crate) fn introduction(&self) -> String {
        match self {
            Self::Software(_) => {
                "There is no hand and no browser here: a SOFTWARE authenticator in this program stands in for both.\n\
                                  Its WebAuthn signatures are real, and tegatad verifies them."
                    .to_owned()
            }
            Self::Browser(_, how) => format!(
                "A real Chromium runs {how}, with a VIRTUAL authenticator:\nthis program clicks, and nobody touches a key."
            ),
        }
    }

    /// Allows a sign-in at the page of the organisation.
    pub(crate) fn sign_in(&mut self, url: &str) -> Result<(), String> {
        match self {
            Self::Software(_) => browser::try_visit(url).map(drop).map_err(|error| error.to_string()),
            Self::Browser(chromium, _) => {
                let tab = chromium.tab("sign-in");
                tab.open(url);
                tab.click("button.allow");
                let _ = tab.text("body", "Back to the terminal");
                Ok(())
            }
        }
    }

    /// Does what the page of a request asks for, with the passkey.
    pub(crate) fn approve(&mut self, url: &str) -> Result<(), String> {
        match self {
            Self::Software(hand) => hand.approve(url).map(drop).map_err(|(status, said)| format!("{status}: {said}")),
            Self::Browser(chromium, _) => {
                let _ = chromium.tab("you").approve(url);
                Ok(())
            }
        }
    }
}

/// Finds a program by its path, or by its name as a shell would.
fn find(program: &str) -> Option<PathBuf> {
    let named = PathBuf::from(program);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|directory| directory.join(&named));
    std::iter::once(named.clone()).filter(|path| path.is_absolute()).chain(found).find(|path| path.is_file())
}
