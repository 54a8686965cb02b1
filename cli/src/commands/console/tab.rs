//! Which browser, which of its profiles, which container the console opens in.

use crate::browser::Browser;
use crate::environment::{Distance, Environment};
use crate::failure::{Failure, Kind};
use clap::{Args, ValueEnum};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::ffi::OsString;
use tegata_protocol::text::is_hostile;

/// What needs no escape in a value (RFC 3986, "unreserved").
const VALUE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// The longest name of a container or of a browser's profile, in bytes.
const LONGEST_NAME: usize = 255;

const FIREFOX: [&str; 6] =
    ["firefox", "firefox-esr", "firefox-developer-edition", "librewolf", "zen-browser", "waterfox"];
const CHROMIUM: [&str; 7] = [
    "google-chrome",
    "google-chrome-stable",
    "chromium",
    "chromium-browser",
    "microsoft-edge",
    "brave-browser",
    "vivaldi",
];
/// Colours that containers have.
const COLOURS: [&str; 8] = ["blue", "turquoise", "green", "yellow", "orange", "red", "pink", "purple"];

/// Where the console opens.
#[derive(Args)]
pub(crate) struct TabOptions {
    /// Open the page with this command; %s stands for the address, which comes last without it
    #[arg(long, group = "showing", value_name = "COMMAND")]
    browser: Option<String>,
    /// Open it in this profile of the browser
    #[arg(long, value_name = "NAME", conflicts_with_all = ["print", "copy"])]
    browser_profile: Option<String>,
    /// Open it in a Firefox container, by default one named after the profile; needs an extension
    #[arg(long, value_name = "NAME", num_args = 0..=1, require_equals = true, default_missing_value = "",
          conflicts_with_all = ["print", "copy"])]
    container: Option<String>,
    /// The extension that opens containers
    #[arg(long, value_name = "WHICH", default_value = "open-url-in-container", requires = "container")]
    container_extension: Extension,
}

/// An extension of Firefox that opens an address in a container, by a scheme of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Extension {
    /// Open external links in a container, and its successors
    OpenUrlInContainer,
    /// Granted Containers
    Granted,
}

/// A browser, and what is around the address it is told.
pub(super) struct Tab {
    pub(super) browser: Browser,
    container: Option<(Extension, String)>,
}

/// Which arguments a browser understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    Firefox,
    Chromium,
}

impl TabOptions {
    /// Finds the browser. Nothing has been asked for yet: what cannot be opened costs no link.
    pub(super) fn find(&self, environment: &Environment, profile: &str) -> Result<Tab, Failure> {
        let browser = match &self.browser {
            Some(command) => Browser::given(command, environment)?,
            None => self.usual(environment)?,
        };
        let browser = match &self.browser_profile {
            Some(name) => browser.clone().with(profile_arguments(&browser, name)?),
            None => browser,
        };
        let name = self.container.as_ref().map(|name| if name.is_empty() { profile } else { name });
        let container = name.map(|name| named("container", name).map(|()| name.to_owned())).transpose()?;
        Ok(Tab { browser, container: container.map(|name| (self.container_extension, name)) })
    }

    /// A container, or a profile, is for a browser that is known; the desktop's own opens whatever it likes.
    fn usual(&self, environment: &Environment) -> Result<Browser, Failure> {
        let usual = Browser::usual(environment).ok_or_else(|| no_browser(environment.distance()))?;
        let fits = |browser: &Browser| match (family(browser), self.container.is_some(), &self.browser_profile) {
            (family, true, _) => family == Some(Family::Firefox),
            (family, false, Some(_)) => family.is_some(),
            (_, false, None) => true,
        };
        if fits(&usual) {
            return Ok(usual);
        }
        let known: Vec<&str> =
            if self.container.is_some() { FIREFOX.to_vec() } else { [&FIREFOX[..], &CHROMIUM].concat() };
        Browser::first_of(&known, environment).ok_or_else(|| {
            let what = if self.container.is_some() { "Firefox" } else { "browser with profiles" };
            Failure::new(Kind::Usage, format!("no {what} was found: name one by --browser"))
        })
    }
}

impl Tab {
    /// Returns what the browser is told: the address, in the container's clothes where there is one.
    pub(super) fn page(&self, address: &str) -> String {
        let Some((extension, name)) = &self.container else { return address.to_owned() };
        let value = |text: &str| utf8_percent_encode(text, VALUE).to_string();
        let scheme = match extension {
            Extension::OpenUrlInContainer => "ext+container",
            Extension::Granted => "ext+granted-containers",
        };
        let (name, colour) = (value(name), colour(name));
        format!("{scheme}:name={name}&color={colour}&icon=fingerprint&url={}", value(address))
    }
}

/// The same name has the same colour every time.
fn colour(name: &str) -> &'static str {
    let sum = name.bytes().fold(0_usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(usize::from(byte)));
    COLOURS.get(sum % COLOURS.len()).copied().unwrap_or("blue")
}

fn profile_arguments(browser: &Browser, name: &str) -> Result<Vec<OsString>, Failure> {
    named("browser profile", name)?;
    match family(browser) {
        Some(Family::Firefox) => Ok(vec!["-P".into(), name.into()]),
        Some(Family::Chromium) => Ok(vec![format!("--profile-directory={name}").into()]),
        None => {
            let program = browser.program().unwrap_or("the desktop's browser");
            let message = format!("it is not known how {program} is told a profile: put it into --browser");
            Err(Failure::new(Kind::Usage, message))
        }
    }
}

fn family(browser: &Browser) -> Option<Family> {
    let program = browser.program()?.to_ascii_lowercase();
    let is_of = |words: &[&str]| words.iter().any(|word| program.contains(word));
    if is_of(&["firefox", "librewolf", "zen", "waterfox", "floorp"]) {
        return Some(Family::Firefox);
    }
    is_of(&["chrome", "chromium", "edge", "brave", "vivaldi", "opera"]).then_some(Family::Chromium)
}

/// A name becomes part of an argument and of an address: one line, and no option.
fn named(what: &str, name: &str) -> Result<(), Failure> {
    let fits = !name.trim().is_empty()
        && name.len() <= LONGEST_NAME
        && !name.starts_with('-')
        && !name.chars().any(is_hostile);
    if fits { Ok(()) } else { Err(Failure::new(Kind::Usage, format!("{name:?} is no name of a {what}"))) }
}

fn no_browser(distance: Option<Distance>) -> Failure {
    let place = match distance {
        Some(Distance::Ssh) => "this is an SSH session",
        Some(Distance::Container) => "this is a container",
        Some(Distance::Wsl) => "this is WSL and no browser can be opened from it",
        Some(Distance::NoDisplay) | None => "this machine has no display to open a browser on",
    };
    let message = format!("{place}: use --copy, or --print and open the link on your own machine within 15 minutes");
    Failure::new(Kind::Failed, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    const ADDRESS: &str = "http://127.0.0.1:40000/0a1b";

    fn options() -> TabOptions {
        TabOptions {
            browser: None,
            browser_profile: None,
            container: None,
            container_extension: Extension::OpenUrlInContainer,
        }
    }

    /// A directory with these programs, on a desktop.
    fn with(programs: &[&str]) -> (tempfile::TempDir, Environment) {
        let directory = tempfile::tempdir().unwrap();
        for name in programs {
            let program = directory.path().join(name);
            std::fs::write(&program, "#!/bin/sh\n").unwrap();
            std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
        }
        let path = directory.path().display().to_string();
        (directory, Environment::of(&[("PATH", &path), ("DISPLAY", ":0")]))
    }

    fn words(tab: &Tab) -> Vec<String> {
        match &tab.browser {
            Browser::Given(words) => words.iter().skip(1).map(|word| word.to_str().unwrap().to_owned()).collect(),
            Browser::Desktop => panic!("the desktop's"),
        }
    }

    #[test]
    fn a_container_is_firefoxs_and_named_after_the_profile() {
        let (_directory, environment) = with(&["chromium", "firefox"]);
        let container = TabOptions { container: Some(String::new()), ..options() };
        let tab = container.find(&environment, "prod & co").unwrap();
        assert_eq!(tab.browser.program(), Some("firefox"));
        let page = tab.page(ADDRESS);
        assert!(page.starts_with("ext+container:name=prod%20%26%20co&color="), "{page}");
        assert!(page.ends_with("&icon=fingerprint&url=http%3A%2F%2F127.0.0.1%3A40000%2F0a1b"), "{page}");
        let granted =
            TabOptions { container: Some("Work".to_owned()), container_extension: Extension::Granted, ..options() };
        assert!(
            granted.find(&environment, "dev").unwrap().page(ADDRESS).starts_with("ext+granted-containers:name=Work&")
        );
        assert_eq!(colour("dev"), colour("dev"));
    }

    #[test]
    fn a_container_without_a_firefox_costs_no_link() {
        let (_directory, environment) = with(&["chromium"]);
        let container = TabOptions { container: Some(String::new()), ..options() };
        assert_eq!(container.find(&environment, "dev").err().unwrap().exit_code(), 2);
    }

    #[test]
    fn each_family_is_told_its_profile_in_its_own_way() {
        let (directory, environment) = with(&["google-chrome", "surf"]);
        let profile = |browser: Option<&str>| TabOptions {
            browser: browser.map(str::to_owned),
            browser_profile: Some("Profile 1".to_owned()),
            ..options()
        };
        assert_eq!(words(&profile(None).find(&environment, "dev").unwrap()), ["--profile-directory=Profile 1"]);
        assert_eq!(profile(Some("surf")).find(&environment, "dev").err().unwrap().exit_code(), 2);
        std::fs::copy(directory.path().join("surf"), directory.path().join("firefox-esr")).unwrap();
        let firefox = profile(Some("firefox-esr --new-tab %s")).find(&environment, "dev").unwrap();
        assert_eq!(words(&firefox), ["-P", "Profile 1", "--new-tab", "%s"]);
    }

    #[test]
    fn h1_a_name_is_one_line_and_no_option() {
        let (_directory, environment) = with(&["firefox"]);
        for name in ["-P", "--headless", "a\nb", " ", "\u{202e}x"] {
            let container = TabOptions { container: Some(name.to_owned()), ..options() };
            assert_eq!(container.find(&environment, "dev").err().unwrap().exit_code(), 2, "{name:?}");
            let profile = TabOptions { browser_profile: Some(name.to_owned()), ..options() };
            assert_eq!(profile.find(&environment, "dev").err().unwrap().exit_code(), 2, "{name:?}");
        }
    }

    #[test]
    fn where_no_browser_can_be_had_the_other_ways_are_named() {
        let failure = options().find(&Environment::of(&[]), "dev").err().unwrap();
        let line = failure.line().unwrap();
        assert!(failure.exit_code() == 1 && line.contains("--copy") && line.contains("--print"), "{line}");
    }
}
