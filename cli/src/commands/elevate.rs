//! `tegata elevate`: asks for a gated profile, has a hand approve it, and runs a command under it if one is named.

use crate::child::Task;
use crate::client::{BRIEFLY, Client, below};
use crate::environment::{self, Environment};
use crate::failure::{Failure, Kind};
use crate::hand::{Hand, Owner, PageOptions, text};
use crate::moment;
use crate::output::{self, Progress};
use crate::signals::Signals;
use clap::Args;
use std::ffi::OsString;
use tegata_protocol::gate::{BeginElevation, Dropped, Grant, Grants, HandRequest, HolderWanted};
use tegata_protocol::{paths, text::one_line};

/// Let a gated profile be used for a while, by a passkey gesture.
///
/// Opens a page in your browser and waits for the gesture. The grant is for the programs of this terminal; with a command it
/// is for that command and what it starts, and ends with it.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tegata elevate prod-admin --for 30m --reason 'INC-42: stuck deployment'
  tegata elevate prod-admin -- terraform apply
  tegata drop prod-admin                           end it early")]
pub(crate) struct Elevate {
    /// The profile
    profile: String,
    /// How long, as 90s, 30m or 1h; the rules may shorten it [default: as long as the rules allow]
    #[arg(long = "for", value_name = "DURATION", value_parser = duration)]
    duration: Option<u64>,
    /// Why; it goes into the records, and to CloudTrail where AWS has a place for it
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Let every program of yours use it, where the rules allow that
    #[arg(long, conflicts_with = "command")]
    everywhere: bool,
    #[command(flatten)]
    page: PageOptions,
    /// A command to run under the grant, with AWS_PROFILE set to the profile
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

fn duration(text: &str) -> Result<u64, &'static str> {
    moment::seconds_of(text).ok_or("a duration is written 90s, 30m or 1h, and is a day at most")
}

impl Elevate {
    pub(crate) fn run(self, environment: &Environment) -> Result<(), Failure> {
        let showing = self.page.showing(environment)?;
        let begin = self.begin(environment)?;
        let signals = Signals::catch()?;
        let client = Client::new(environment)?.ended_by(&signals);
        let progress = Progress::begin("asking for the page");
        let request: HandRequest = client.post(paths::GRANTS, &begin)?;
        drop(progress);
        let client = client.without_starting();
        let again = text::command("tegata elevate", &self.profile);
        let hand = Hand { client: &client, signals: &signals, environment, showing, owner: Owner::ThisCommand, again };
        let approved = hand.give(&request, None)?;
        output::tell(&granted(&self.profile, &approved, &client));
        if self.command.is_empty() {
            return Ok(());
        }
        let ended = match signals.failure() {
            None => Task::of_named_profile(&self.command, &self.profile).run(),
            Some(failure) => Err(failure),
        };
        self.drop_grant(&approved, environment);
        ended
    }

    fn begin(&self, environment: &Environment) -> Result<BeginElevation, Failure> {
        let holder = match (self.everywhere, self.command.is_empty()) {
            (true, _) => HolderWanted::User,
            (false, false) => HolderWanted::Caller,
            (false, true) => HolderWanted::Terminal,
        };
        Ok(BeginElevation {
            profile: self.profile.clone(),
            config: super::config_file(environment)?,
            seconds: self.duration,
            reason: self.reason.clone(),
            holder,
        })
    }

    /// Ends the grant of the command that has ended. Asked anew: a signal that came meanwhile must not end this, too.
    fn drop_grant(&self, approved: &HandRequest, environment: &Environment) {
        let Some(grant) = &approved.grant else { return };
        let dropped = Client::new(environment)
            .and_then(|client| client.without_starting().delete::<Dropped>(&below(paths::GRANTS, grant)));
        match dropped {
            Ok(_) => {}
            // The daemon is gone, and the grant with it.
            Err(failure) if failure.kind == Kind::Unreachable => {}
            Err(failure) => {
                let why = failure.line().unwrap_or_default();
                let drop = text::command("tegata drop", &self.profile);
                output::tell(&format!("tegata: the grant did not end with the command ({why}); run: {drop}"));
            }
        }
    }
}

/// Says until when, if the daemon can tell.
fn granted(profile: &str, approved: &HandRequest, client: &Client<'_>) -> String {
    let grants = client.get::<Grants>(paths::GRANTS, BRIEFLY).map(|grants| grants.grants).unwrap_or_default();
    let grant = grants.iter().find(|grant| approved.grant.as_ref() == Some(&grant.id));
    granted_text(profile, grant, environment::now())
}

fn granted_text(profile: &str, grant: Option<&Grant>, now: i64) -> String {
    let profile = one_line(profile);
    let Some(grant) = grant else { return format!("Approved: {profile} may be used.") };
    let uses = match grant.uses_left {
        None => String::new(),
        Some(1) => ", once".to_owned(),
        Some(uses) => format!(", {uses} times at most"),
    };
    let until = one_line(&moment::shown(&grant.until, now));
    format!("Approved: {profile} may be used by {} until {until}{uses}.", one_line(&grant.holder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_is_said_with_its_end_its_holder_and_its_uses() {
        let now = moment::parse("2026-11-22T09:00:00Z").unwrap();
        let mut grant = Grant {
            id: "abcd2345".to_owned(),
            profile: "prod-admin".to_owned(),
            account: "123456789012".to_owned(),
            role: "AdministratorAccess".to_owned(),
            tier: "prompt".to_owned(),
            holder: "the terminal of pid 4242".to_owned(),
            yours: true,
            until: "2026-11-22T09:30:00Z".to_owned(),
            seconds_left: 1_800,
            uses_left: None,
            reason: None,
            approved_by: vec!["ann".to_owned()],
            aws_accepts_until: None,
        };
        let start =
            "Approved: prod-admin may be used by the terminal of pid 4242 until 2026-11-22 09:30 UTC (in 30 min)";
        assert_eq!(granted_text("prod-admin", Some(&grant), now), format!("{start}."));
        grant.uses_left = Some(1);
        assert_eq!(granted_text("prod-admin", Some(&grant), now), format!("{start}, once."));
        assert_eq!(granted_text("prod-admin", None, now), "Approved: prod-admin may be used.");
    }
}
