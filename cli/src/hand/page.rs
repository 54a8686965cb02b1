//! How the page of a request gets to the person: opened here, or its address printed.

use crate::browser::Browser;
use crate::environment::{Distance, Environment};
use crate::failure::{Failure, Kind};
use crate::output;
use clap::Args;
use std::process::Child;
use tegata_protocol::ErrorCode;

/// The options of every command that shows such a page.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct PageOptions {
    /// Open no page; print its address alone to standard output. It is good once
    #[arg(long, group = "showing")]
    print: bool,
    /// Open the page with this command; %s stands for the address, which comes last without it
    #[arg(long, group = "showing", value_name = "COMMAND")]
    browser: Option<String>,
}

/// How the page is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Showing {
    /// A browser opens it.
    Open(Browser),
    /// Its address alone goes to standard output.
    Print,
}

impl PageOptions {
    /// Decides before anything is asked for: where no browser can be had, no request is left behind.
    pub(crate) fn showing(&self, environment: &Environment) -> Result<Showing, Failure> {
        match &self.browser {
            Some(command) => Browser::given(command, environment).map(Showing::Open),
            None if self.print => Ok(Showing::Print),
            None => Browser::usual(environment).map(Showing::Open).ok_or_else(|| no_browser(environment.distance())),
        }
    }
}

impl Showing {
    /// Shows the page and returns the browser that opens it, if one does.
    pub(crate) fn show(&self, url: &str, environment: &Environment) -> Result<Option<Child>, Failure> {
        check(url)?;
        match self {
            Self::Print => {
                output::tell("Open the page in a browser on this machine; its address is good once.");
                output::say(url).map(|()| None)
            }
            Self::Open(browser) => {
                let opened = browser.open(url, environment).ok_or_else(|| no_browser(environment.distance()))?;
                output::tell(&format!("If no page opens: {url}"));
                Ok(Some(opened))
            }
        }
    }
}

/// A gesture is made at this machine, so a code for another machine is no way out (unlike signing in).
fn no_browser(distance: Option<Distance>) -> Failure {
    let place = match distance {
        Some(Distance::Ssh) => "this is an SSH session and no browser of this machine can be opened from it",
        Some(Distance::Container) => "this is a container and it has no browser",
        Some(Distance::Wsl) => "this is WSL and no browser can be opened from it",
        Some(Distance::NoDisplay) | None => "this machine has no display to open a browser on",
    };
    let message = format!(
        "a passkey needs a browser, and {place}: add --print and open the address yourself, on this machine or \
         through a forwarded port (ssh -L PORT:127.0.0.1:PORT)"
    );
    Failure::new(Kind::Reported(ErrorCode::ElevationRequired), message)
}

/// Takes the daemon's own page and nothing else: `http://tegata.localhost:PORT/#SECRET`.
fn check(url: &str) -> Result<(), Failure> {
    let parts = url.strip_prefix("http://tegata.localhost:").and_then(|rest| rest.split_once("/#"));
    let is_page = parts.is_some_and(|(port, secret)| {
        port.parse::<u16>().is_ok_and(|port| port != 0)
            && !secret.is_empty()
            && secret.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    });
    if is_page {
        return Ok(());
    }
    // The address is not quoted: it may hold a secret all the same.
    Err(Failure::new(Kind::Unreachable, "tegatad named a page that is not its own").mend("tegata daemon stop"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_daemons_own_page_is_shown_and_opened() {
        assert!(check("http://tegata.localhost:40123/#Ab-_9").is_ok());
        for url in [
            "",
            "https://tegata.localhost:40123/#a",
            "http://tegata.localhost/#a",
            "http://tegata.localhost:0/#a",
            "http://tegata.localhost:70000/#a",
            "http://tegata.localhost:40123/",
            "http://tegata.localhost:40123/#",
            "http://tegata.localhost:1@evil.example/#a",
            "http://tegata.localhost.evil.example:1/#a",
            "http://127.0.0.1:40123/#a",
            "http://tegata.localhost:40123/x#a",
            "http://tegata.localhost:40123/#a b",
            "http://tegata.localhost:40123/#a\u{1b}[2J",
            "file:///etc/passwd#a",
        ] {
            let failure = check(url).unwrap_err();
            assert_eq!(failure.exit_code(), 16, "{url:?}");
        }
    }

    #[test]
    fn where_no_browser_can_be_had_the_refusal_says_where_and_what_to_do() {
        let ssh = Environment::of(&[("SSH_CONNECTION", "::1 1 ::1 22")]);
        let failure = PageOptions::default().showing(&ssh).unwrap_err();
        assert_eq!(failure.exit_code(), 11);
        let line = failure.line().unwrap();
        assert!(line.contains("an SSH session") && line.contains("--print"), "{line}");
        for distance in [Some(Distance::Container), Some(Distance::Wsl), Some(Distance::NoDisplay), None] {
            assert!(no_browser(distance).line().unwrap().contains("--print"));
        }
    }

    #[test]
    fn the_address_is_printed_wherever_it_is_asked_for() {
        let options = PageOptions { print: true, browser: None };
        assert_eq!(options.showing(&Environment::of(&[])).unwrap(), Showing::Print);
    }
}
