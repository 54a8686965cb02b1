//! `tegata console`: has the daemon make a link that signs in to AWS's web console, and opens, prints or copies it.
//!
//! The link is a secret: it is never an argument of another program. A browser is told an address of this machine that leads to it
//! once.

mod tab;

use crate::browser;
use crate::client::{BRIEFLY, Client, Target};
use crate::clipboard;
use crate::credentials;
use crate::environment::{self, Environment};
use crate::failure::{Failure, Kind};
use crate::moment;
use crate::one_shot::OneShot;
use crate::output::{self, Progress};
use crate::signals::Signals;
use clap::Args;
use std::time::Duration;
use tab::{Tab, TabOptions};
use tegata_protocol::console::{ConsoleLink, OpenConsole};
use tegata_protocol::{DEFAULT_WAIT_SECONDS, MAX_WAIT_SECONDS, paths, text::one_line};

/// Open AWS's web console in your browser, signed in as a profile.
///
/// The link that does it signs in whoever has it for 15 minutes, so it is given to no program as an argument: your browser is told
/// an address of this machine that leads to it once. A gated profile needs its grant, as for every other tool. Nothing but AWS ends
/// a console session that has begun.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tegata console dev                               the first page, in the profile's region
  tegata console dev --service s3 --region eu-west-1
  tegata console dev --path /ec2/home#Instances:
  tegata console dev --container                   in a Firefox container named after the profile
  tegata console dev --browser-profile Work        in a profile of Chromium, Chrome or Firefox
  tegata console prod --logout-first               instead of the account you are signed in to
  tegata console dev --copy")]
pub(crate) struct Console {
    /// The profile [default: the value of AWS_PROFILE, else `default`]
    profile: Option<String>,
    /// Show a service, such as s3, ec2 or logs
    #[arg(long, short, conflicts_with = "path")]
    service: Option<String>,
    /// Show this region [default: the profile's]
    #[arg(long, short)]
    region: Option<String>,
    /// Show this page: a path such as /s3/home, or an address copied from the console
    #[arg(long)]
    path: Option<String>,
    /// How long the console session is to last, as 30m or 1h, 15m to 12h [default: as long as the credentials]
    #[arg(long = "for", value_name = "DURATION", value_parser = duration)]
    duration: Option<u64>,
    /// Sign out of the console first
    #[arg(long)]
    logout_first: bool,
    /// Sign in as the profile's read-only sibling
    #[arg(long)]
    read_only: bool,
    /// Open no page; print the link alone to standard output. Whoever has it signs in
    #[arg(long, group = "showing")]
    print: bool,
    /// Open no page; copy the link to the clipboard
    #[arg(long, group = "showing")]
    copy: bool,
    #[command(flatten)]
    tab: TabOptions,
    /// Wait so many seconds for a hand or a sign-in [default: 15]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(..=MAX_WAIT_SECONDS))]
    wait: Option<u64>,
}

fn duration(text: &str) -> Result<u64, &'static str> {
    moment::seconds_of(text).ok_or("a duration is written 900s, 30m or 1h")
}

/// How the link gets to the person.
enum Showing {
    Print,
    Copy,
    Open(Tab),
}

impl Console {
    pub(crate) fn run(self, environment: &Environment) -> Result<(), Failure> {
        let profile = self.profile(environment)?;
        let showing = self.showing(environment, &profile)?;
        let signals = Signals::catch()?;
        let client = Client::new(environment)?.ended_by(&signals);
        let profile = match self.read_only {
            true => credentials::read_only(&client, environment, &profile)?,
            false => profile,
        };
        let link = self.link(&client, environment, &profile)?;
        check(&link)?;
        show(link, &showing, &profile, environment, &signals)
    }

    fn profile(&self, environment: &Environment) -> Result<String, Failure> {
        let named = self.profile.clone().map(Into::into).or_else(|| environment.get("AWS_PROFILE"));
        let named = named.unwrap_or_else(|| "default".into());
        named.into_string().map_err(|_| Failure::new(Kind::Usage, "AWS_PROFILE is not UTF-8"))
    }

    /// Decides before anything is asked for: where no browser can be had, no link is made.
    fn showing(&self, environment: &Environment, profile: &str) -> Result<Showing, Failure> {
        match (self.print, self.copy) {
            (true, _) => Ok(Showing::Print),
            (_, true) => Ok(Showing::Copy),
            _ => self.tab.find(environment, profile).map(Showing::Open),
        }
    }

    fn link(&self, client: &Client<'_>, environment: &Environment, profile: &str) -> Result<ConsoleLink, Failure> {
        let wanted = OpenConsole {
            profile: profile.to_owned(),
            config: super::config_file(environment)?,
            region: self.region.clone(),
            service: self.service.clone(),
            path: self.path.clone(),
            seconds: self.duration,
            sign_out_first: self.logout_first,
        };
        let _progress = Progress::begin("asking AWS for a link");
        let target = Target::new(paths::CONSOLE_LINKS).with(paths::QUERY_WAIT, self.wait.map(|wait| wait.to_string()));
        // The daemon waits for a hand first, and for AWS then.
        let patience = Duration::from_secs(self.wait.unwrap_or(DEFAULT_WAIT_SECONDS)) + BRIEFLY;
        client.post_within(target.as_str(), &wanted, patience)
    }
}

/// Takes an address of the web, or of this machine for a double of AWS, and nothing else.
fn check(link: &ConsoleLink) -> Result<(), Failure> {
    let url = link.url.expose_secret();
    let is_host = |rest: &str| rest.starts_with(|first: char| first.is_ascii_alphanumeric());
    let web = url.strip_prefix("https://").is_some_and(is_host) || url.starts_with("http://127.0.0.1:");
    if web && url.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(());
    }
    // Not quoted: it may hold a secret all the same.
    Err(Failure::new(Kind::Unreachable, "tegatad named a link that is no web page").mend("tegata daemon stop"))
}

fn show(
    link: ConsoleLink,
    showing: &Showing,
    profile: &str,
    environment: &Environment,
    signals: &Signals,
) -> Result<(), Failure> {
    let now = environment::now();
    match showing {
        Showing::Print => {
            output::tell(&warning(&link, profile, now));
            output::write_stdout(link.url.expose_secret().as_bytes())?;
            output::say("")
        }
        Showing::Copy => {
            let with = clipboard::copy(&link.url, environment)?;
            output::tell(&format!("Copied with {with}. {}", warning(&link, profile, now)));
            Ok(())
        }
        Showing::Open(tab) => {
            let done = signed_in(&link, profile, now);
            open(link, tab, environment, signals)?;
            output::tell(&done);
            Ok(())
        }
    }
}

fn open(link: ConsoleLink, tab: &Tab, environment: &Environment, signals: &Signals) -> Result<(), Failure> {
    let page = OneShot::leading_to(link.url)?;
    let address = page.address();
    let opened = tab.browser.open(&tab.page(&address), environment);
    let mut browser = Some(opened.ok_or_else(|| Failure::new(Kind::Failed, "the browser could not be started"))?);
    output::tell(&format!("If no page opens: {address}"));
    let _progress = Progress::begin("waiting for your browser");
    let meanwhile = || {
        if browser::has_failed(&mut browser) {
            output::tell("The browser could not be opened: open the page yourself, on this machine.");
        }
        Ok(())
    };
    page.serve(signals, meanwhile).map_err(|failure| match failure.kind {
        Kind::Failed => failure.mend("tegata console --print"),
        _ => failure,
    })
}

fn who(link: &ConsoleLink, profile: &str) -> String {
    format!("{} ({} in {})", one_line(profile), one_line(&link.role), one_line(&link.account))
}

fn warning(link: &ConsoleLink, profile: &str, now: i64) -> String {
    let until = one_line(&moment::shown(&link.expires_at, now));
    format!("Whoever has this link signs in as {} until {until}.", who(link, profile))
}

fn signed_in(link: &ConsoleLink, profile: &str, now: i64) -> String {
    let until = one_line(&moment::shown(&link.console_until, now));
    format!("The console is open as {}. AWS ends it {until}; nothing ends it before.", who(link, profile))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tegata_protocol::Secret;

    fn link(url: &str) -> ConsoleLink {
        ConsoleLink {
            url: Secret::new(url.to_owned()),
            expires_at: "2026-11-22T09:15:00Z".to_owned(),
            destination: "https://console.aws.amazon.com/".to_owned(),
            account: "123456789012".to_owned(),
            role: "ReadOnly\u{1b}[2J".to_owned(),
            console_until: "2026-11-22T10:00:00Z".to_owned(),
            grant: None,
        }
    }

    #[test]
    fn only_a_web_page_is_opened_and_what_is_not_is_not_quoted() {
        for url in ["https://signin.aws.amazon.com/federation?x", "http://127.0.0.1:7000/federation?x"] {
            assert!(check(&link(url)).is_ok(), "{url}");
        }
        for url in [
            "",
            "javascript:CANARY",
            "file:///CANARY",
            "http://evil.example/CANARY",
            "https://-CANARY",
            "https://a/CANARY b",
        ] {
            let failure = check(&link(url)).unwrap_err();
            assert_eq!((failure.exit_code(), failure.line().unwrap().contains("CANARY")), (16, false), "{url}");
        }
    }

    #[test]
    fn e11_what_a_person_reads_is_escaped_and_holds_no_link() {
        let now = moment::parse("2026-11-22T09:00:00Z").unwrap();
        let link = link("https://signin.aws.amazon.com/CANARY");
        for text in [warning(&link, "dev\u{202e}", now), signed_in(&link, "dev", now)] {
            assert!(!text.contains("CANARY") && !text.chars().any(tegata_protocol::text::is_hostile), "{text:?}");
        }
        assert!(warning(&link, "dev", now).ends_with("until 2026-11-22 09:15 UTC (in 15 min)."));
    }
}
