//! `tegata login --console`: signs in to the AWS console, and makes the profile one that is served with it.

use super::{HowToSignIn, UnderWay};
use crate::client::{BRIEFLY, Client, Target, below};
use crate::environment::{self, Environment};
use crate::failure::{Failure, Kind};
use crate::hand::text::command;
use crate::http::Method;
use crate::setup::{self, ConsoleProfile};
use crate::signals::Signals;
use crate::{hidden, moment, output, question};
use clap::Args;
use tegata_protocol::body::{BeginSignIn, CarriedCode, SignInFlow, Status};
use tegata_protocol::text::one_line;
use tegata_protocol::{ErrorCode, MAX_CARRIED_CODE, paths};

/// How often a text that is not the page's may be pasted.
const TRIES: u32 = 5;

/// A sign-in to the console.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct ConsoleLogin {
    /// Sign in to the AWS console for this profile, which is written if it is not there
    #[arg(long = "console", value_name = "PROFILE", conflicts_with_all = ["session", "device_code"])]
    profile: Option<String>,
    /// The region to sign in to [default: the profile's]
    #[arg(long, requires = "profile")]
    region: Option<String>,
    /// Sign in with a browser on another machine, and paste what its page shows
    #[arg(long, requires = "profile")]
    remote: bool,
    /// Write the profile without asking
    #[arg(long, requires = "profile")]
    yes: bool,
}

impl ConsoleLogin {
    pub(super) fn profile(&self) -> Option<&str> {
        self.profile.as_deref()
    }

    pub(super) fn run(
        &self,
        name: &str,
        how: &HowToSignIn,
        config: Option<String>,
        environment: &Environment,
        signals: &Signals,
    ) -> Result<(), Failure> {
        let profile = ConsoleProfile::read(name, environment)?;
        if !self.yes && !profile.is_complete() && !question::somebody_is_there() {
            let message = "nobody is there to agree to what is written to the AWS config file; --yes writes it";
            return Err(Failure::new(Kind::Usage, message));
        }
        let region = self.region(&profile, signals)?;
        let begin =
            BeginSignIn { session: Some(name.to_owned()), config, flow: self.flow(), region: Some(region.clone()) };
        let again = command("tegata login --console", name);
        let gone = how.go_through(&begin, Some(&again), environment, signals)?;
        let identity = gone.and_then(|(_, identity)| identity).ok_or_else(|| {
            Failure::new(Kind::Unreachable, "tegatad does not say who signed in").mend("tegata daemon stop")
        })?;
        output::tell(&success(&identity, begin.config.as_deref(), environment));
        // Read anew: the person was away for minutes.
        let profile = ConsoleProfile::read(name, environment)?;
        let change = profile.plan(&identity, &region)?;
        if change.is_empty() { Ok(()) } else { profile.write(change, self.yes, environment) }
    }

    fn flow(&self) -> SignInFlow {
        if self.remote { SignInFlow::ConsoleRemote } else { SignInFlow::Console }
    }

    /// The region asked for, the profile's, or the person's answer.
    fn region(&self, profile: &ConsoleProfile, signals: &Signals) -> Result<String, Failure> {
        let invalid = |why: String| Failure::new(Kind::Usage, why);
        if let Some(region) = self.region.as_deref().or_else(|| profile.region()) {
            return setup::region(region).map_err(invalid);
        }
        if !question::somebody_is_there() {
            return Err(Failure::new(Kind::Usage, "the profile names no region; --region names one"));
        }
        loop {
            match setup::region(&question::line("Region to sign in to (such as us-east-1): ", signals)?) {
                Ok(region) => return Ok(region),
                Err(why) => output::tell(&why),
            }
        }
    }
}

/// Says how a sign-in to the console went that was asked for by the profile's name alone, and offers to serve that profile where AWS
/// clients do not ask Tegata yet. It is as good without that.
pub(super) fn signed_in(
    name: &str,
    identity: &str,
    config: Option<&str>,
    environment: &Environment,
) -> Result<(), Failure> {
    output::tell(&success(identity, config, environment));
    let Ok(profile) = ConsoleProfile::read(name, environment) else { return Ok(()) };
    let Some(region) = profile.region() else { return Ok(()) };
    let Ok(change) = profile.plan(identity, region) else { return Ok(()) };
    if change.is_empty() {
        return Ok(());
    }
    if question::somebody_is_there() {
        return profile.write(change, false, environment);
    }
    let adopt = command("tegata setup --adopt", name);
    output::tell(&format!("AWS clients do not ask Tegata for {} yet; run: {adopt}", one_line(name)));
    Ok(())
}

/// Has the person paste the text that the page of another machine shows, where the sign-in is one of that kind.
///
/// # Errors
/// No text, a signal, or one refused too often.
pub(super) fn carry_over(under_way: &UnderWay<'_>) -> Result<(), Failure> {
    if under_way.sign_in.flow != SignInFlow::ConsoleRemote {
        return Ok(());
    }
    let target = format!("{}/{}", below(paths::SIGN_INS, &under_way.sign_in.id), paths::TEXT);
    let mut left = TRIES;
    loop {
        let text = hidden::line("Text that the page shows (it stays unseen): ", MAX_CARRIED_CODE, under_way.signals)?;
        match under_way.client.change(Method::Put, &target, &CarriedCode { text }) {
            Err(failure) if left > 1 && failure.kind == Kind::Reported(ErrorCode::BadRequest) => {
                left -= 1;
                output::tell(failure.message());
            }
            done => return done,
        }
    }
}

/// Says who signed in and how long it lasts, if the daemon can tell.
fn success(identity: &str, config: Option<&str>, environment: &Environment) -> String {
    let who = one_line(identity);
    let target = Target::new(paths::STATUS).with(paths::QUERY_CONFIG, config);
    let client = Client::new(environment).map(Client::without_starting);
    let status = client.and_then(|client| client.get::<Status>(target.as_str(), BRIEFLY)).ok();
    let known = status.iter().flat_map(|status| &status.identities).find(|known| known.arn == identity);
    match known.and_then(|known| known.expires_at.as_deref()) {
        Some(at) => {
            format!(
                "Signed in to the console as {who} until {}, renewed by itself.",
                one_line(&moment::shown(at, environment::now()))
            )
        }
        None => format!("Signed in to the console as {who}."),
    }
}
