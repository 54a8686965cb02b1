//! `tegata login`: begins a sign-in, shows the person the page, waits for the end of it, and cancels it when the person
//! goes away. The sign-in itself is the daemon's.

mod code;
mod console;
mod job;
mod page;
mod pin;

use crate::browser::{self, Browser};
use crate::client::{BRIEFLY, Client, Target, below};
use crate::environment::{self, Environment};
use crate::failure::{Failure, Kind};
use crate::hand::text::command;
use crate::moment;
use crate::output::{self, Progress, Style};
use crate::question;
use crate::signals::Signals;
use clap::Args;
use console::ConsoleLogin;
use page::{Page, Showing};
use std::io::IsTerminal;
use std::process::Child;
use std::time::Duration;
use tegata_protocol::body::{BeginSignIn, SignIn, SignInFlow, SignInState, Status};
use tegata_protocol::{ErrorCode, paths};

/// How long one request waits for the sign-in to end.
const ONE_WAIT: Duration = Duration::from_secs(5);
/// Between two of them, so that a daemon that does not wait is not asked without end.
const BETWEEN_WAITS: Duration = Duration::from_millis(50);
/// How long after its own end a sign-in that is still said to be under way is given up.
const GRACE_SECONDS: i64 = 30;

/// Sign in to an organisation or the console, by MFA code or PIN, or in a CI job.
///
/// Opens the organisation's page in your browser and waits until you are done there. Over SSH, in a container or without a
/// display use --device-code: any browser will do, on any machine. For a profile that starts from an IAM user it asks for a code of the
/// user's MFA device in the terminal; without one the code is the first line of standard input. For a profile whose key is in a
/// PKCS#11 token it asks for the token's PIN, likewise. For a profile that starts from a job of GitHub Actions it hands over the job
/// it runs in.
///
/// With --console you sign in to the AWS console, as aws login does, and the profile is served with what you may do there; for a
/// profile that is served so already its name alone does. With a browser on another machine use --remote.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tegata login                                     where there is only one sign-in session
  tegata login corp                                [sso-session corp] of ~/.aws/config
  tegata login https://acme.awsapps.com/start
  tegata login corp --device-code --qr             sign in with a telephone
  tegata login deploy                              a code of the MFA device of an IAM user
  tegata login ci                                  the PIN of the PKCS#11 token that its key is in
  tegata login corp --browser 'firefox -P work'
  tegata login --console dev                       the AWS console, for [profile dev]
  tegata login --console dev --remote              with a browser on another machine")]
pub(crate) struct Login {
    /// A sign-in session, a profile that uses one, an IAM user, a token or a job of GitHub Actions, or a start URL [default: the only
    /// one there is]
    session: Option<String>,
    #[command(flatten)]
    how: HowToSignIn,
    #[command(flatten)]
    console: ConsoleLogin,
}

/// How the person gets to the page.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct HowToSignIn {
    /// Show a code to be entered on a page in any browser
    #[arg(long)]
    device_code: bool,
    /// Open no page; print its address alone to standard output
    #[arg(long, group = "showing")]
    print: bool,
    /// Open no page; print its address as a QR code
    #[arg(long, group = "showing")]
    qr: bool,
    /// Open the page with this command; %s stands for the address, which comes last without it
    #[arg(long, group = "showing", value_name = "COMMAND")]
    browser: Option<String>,
}

impl Login {
    pub(crate) fn run(self, environment: &Environment) -> Result<(), Failure> {
        let Self { session, how, console } = self;
        let config = super::config_file(environment)?;
        let signals = Signals::catch()?;
        if let Some(profile) = console.profile() {
            return console.run(profile, &how, config, environment, &signals);
        }
        let signed_in = how.sign_in(session.clone(), config.clone(), None, environment, &signals);
        match (signed_in, session) {
            // A profile that nobody signs in for may want a PIN.
            (Err(failure), Some(name)) if failure.kind == Kind::Reported(ErrorCode::ProfileInvalid) => {
                let client = Client::new(environment)?.ended_by(&signals);
                match pin::token_of(&name, &client, environment)? {
                    Some(token) => pin::enter(&name, &token, config, &client, &signals),
                    None => Err(failure),
                }
            }
            (signed_in, _) => signed_in,
        }
    }
}

impl HowToSignIn {
    /// Signs in to `session` as `config` describes it, and says so. `again` is the command that does it once more, where that is
    /// not `tegata login`.
    pub(crate) fn sign_in(
        &self,
        session: Option<String>,
        config: Option<String>,
        again: Option<&str>,
        environment: &Environment,
        signals: &Signals,
    ) -> Result<(), Failure> {
        let flow = if self.device_code { SignInFlow::DeviceCode } else { SignInFlow::Pkce };
        let begin = BeginSignIn { session, config, flow, region: None };
        if let Some((sign_in, identity)) = self.go_through(&begin, again, environment, signals)? {
            if let Some(identity) = identity.filter(|_| sign_in.flow.is_console()) {
                return console::signed_in(&sign_in.session, &identity, begin.config.as_deref(), environment);
            }
            let client = Client::new(environment)?.without_starting();
            output::tell(&success(&sign_in, begin.config.as_deref(), &client));
        }
        Ok(())
    }

    /// Begins a sign-in, goes through it with the person, and returns it with who signed in, where AWS says so. Nothing for one by a
    /// code, which has said how it went.
    fn go_through(
        &self,
        begin: &BeginSignIn,
        again: Option<&str>,
        environment: &Environment,
        signals: &Signals,
    ) -> Result<Option<(SignIn, Option<String>)>, Failure> {
        let showing = self.showing(begin.flow, environment)?;
        let client = Client::new(environment)?.ended_by(signals);
        let progress = Progress::begin("asking for the page");
        let begun = client.post(paths::SIGN_INS, begin);
        drop(progress);
        let sign_in: SignIn = match (begun, &begin.session) {
            (Err(failure), Some(profile)) if failure.kind == Kind::Reported(ErrorCode::JobRequired) => {
                return job::hand_over(profile, begin.config.as_deref(), &client, environment).map(|()| None);
            }
            (begun, _) => begun?,
        };

        let client = client.without_starting();
        if sign_in.flow == SignInFlow::MfaCode {
            return code::Asking { client: &client, signals, environment }.sign_in(sign_in).map(|()| None);
        }
        let start = if sign_in.flow.is_console() { "tegata login --console" } else { "tegata login" };
        let again = again.map_or_else(|| command(start, &sign_in.session), str::to_owned);
        let under_way = UnderWay { client: &client, signals, sign_in: &sign_in, again: &again };
        let done = show(&sign_in, &showing, &again, environment)
            .and_then(|browser| under_way.confirm_code().map(|()| browser))
            .and_then(|browser| console::carry_over(&under_way).map(|()| browser))
            .and_then(|browser| under_way.wait(browser));
        match done {
            Ok(identity) => Ok(Some((sign_in, identity))),
            Err(failure) => {
                under_way.cancel(environment);
                Err(failure)
            }
        }
    }

    fn showing(&self, flow: SignInFlow, environment: &Environment) -> Result<Showing, Failure> {
        Ok(match &self.browser {
            Some(command) => Showing::Open(Browser::given(command, environment)?),
            None if self.print => Showing::Print,
            None if self.qr => Showing::Qr,
            // A code is for another machine, most often; and a page must not open by itself with a code (RFC 8628 5.4).
            None if matches!(flow, SignInFlow::DeviceCode | SignInFlow::ConsoleRemote) => Showing::Tell,
            None => Browser::usual(environment).map_or(Showing::Tell, Showing::Open),
        })
    }
}

/// Shows the page and returns the browser that opens it, if one does.
fn show(sign_in: &SignIn, showing: &Showing, again: &str, environment: &Environment) -> Result<Option<Child>, Failure> {
    let style = Style::for_stderr(environment);
    let page = Page::new(sign_in)?;
    output::tell(&page.introduction());
    let browser = match showing {
        Showing::Open(browser) => browser.open(page.url(), environment),
        _ => None,
    };
    match showing {
        Showing::Print => output::say(page.url())?,
        Showing::Qr => output::say(&page.qr(Style::for_stdout(environment))?)?,
        _ => {}
    }
    output::tell(&page.instruction(showing, browser.is_some(), style));
    if let Some(distance) = environment.distance()
        && let Some(hint) = page.hint(distance, again)
    {
        output::tell(&hint);
    }
    Ok(browser)
}

/// A sign-in the person is at work on.
struct UnderWay<'a> {
    client: &'a Client<'a>,
    signals: &'a Signals,
    sign_in: &'a SignIn,
    again: &'a str,
}

impl UnderWay<'_> {
    /// Has the person compare the code. Whoever gets another person to enter a code signs in as that person; comparing is
    /// what stands against it (RFC 8628 section 5.4). Without a terminal there is nobody to ask.
    fn confirm_code(&self) -> Result<(), Failure> {
        let Some(code) = &self.sign_in.user_code else { return Ok(()) };
        if !question::somebody_is_there() {
            return Ok(());
        }
        if question::yes(&page::question(code), self.signals)? {
            return Ok(());
        }
        Err(Failure::new(Kind::RefusedByPerson, "cancelled: the page did not show the code; close it")
            .mend(format!("{} --device-code", self.again)))
    }

    /// Waits until the sign-in has ended, and returns who signed in, where AWS says so.
    fn wait(&self, mut browser: Option<Child>) -> Result<Option<String>, Failure> {
        let what = page::waiting(self.sign_in, environment::now());
        if !std::io::stderr().is_terminal() {
            output::tell(&what);
        }
        let _progress = Progress::begin(&what);
        loop {
            match self.ask()? {
                SignInState::Done { identity } => return Ok(identity),
                SignInState::Failed { error } => return Err(Failure::reported(&error)),
                SignInState::Pending => {}
            }
            if browser::has_failed(&mut browser) {
                output::tell("The browser could not be opened: open the page yourself.");
            }
            self.give_up_at_the_end()?;
            std::thread::sleep(BETWEEN_WAITS);
        }
    }

    fn ask(&self) -> Result<SignInState, Failure> {
        if let Some(failure) = self.signals.failure() {
            return Err(failure);
        }
        let target = Target::new(below(paths::SIGN_INS, &self.sign_in.id))
            .with(paths::QUERY_WAIT, Some(ONE_WAIT.as_secs().to_string()));
        match self.client.get::<SignIn>(target.as_str(), ONE_WAIT) {
            Ok(sign_in) => Ok(sign_in.state),
            Err(failure) if failure.kind == Kind::Reported(ErrorCode::NotFound) => {
                Err(self.unfinished("tegatad no longer knows this sign-in: it was restarted meanwhile"))
            }
            Err(failure) => Err(failure),
        }
    }

    fn give_up_at_the_end(&self) -> Result<(), Failure> {
        match moment::parse(&self.sign_in.expires_at) {
            Some(end) if environment::now() > end + GRACE_SECONDS => {
                Err(self.unfinished("the page was not finished in time"))
            }
            _ => Ok(()),
        }
    }

    fn unfinished(&self, message: &str) -> Failure {
        Failure::new(Kind::Reported(ErrorCode::SignInFailed), message).mend(self.again)
    }

    /// Ends the sign-in at the daemon, if it is still there: its page and its code are dead from then on.
    fn cancel(&self, environment: &Environment) {
        // Asked anew: the signal that ended the other client must not end this one.
        if let Ok(client) = Client::new(environment) {
            let _ = client.without_starting().forget(&below(paths::SIGN_INS, &self.sign_in.id));
        }
    }
}

/// Says how long the sign-in lasts, if the daemon can tell.
fn success(sign_in: &SignIn, config: Option<&str>, client: &Client<'_>) -> String {
    let target = Target::new(paths::STATUS).with(paths::QUERY_CONFIG, config);
    let status = client.get::<Status>(target.as_str(), BRIEFLY).ok();
    let session = status.iter().flat_map(|status| &status.sessions).find(|session| session.name == sign_in.session);
    page::success(sign_in, session, environment::now())
}
