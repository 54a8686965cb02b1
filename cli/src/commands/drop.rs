//! `tegata drop`: ends grants early, and says what that does not end.

use crate::client::{BRIEFLY, Client, Target, below};
use crate::environment::{self, Environment};
use crate::failure::{Failure, Kind};
use crate::hand::text;
use crate::moment;
use crate::output::{self, Progress};
use clap::Args;
use tegata_protocol::gate::{Dropped, Grant, Grants};
use tegata_protocol::{paths, text::one_line};

/// End the grants of a profile, or all of them.
///
/// Tegata hands out nothing more under them. AWS accepts what tools already hold until it expires.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tegata drop                 where there is only one grant
  tegata drop prod-admin
  tegata drop --all")]
pub(crate) struct Drop {
    /// The profile [default: that of the only grant there is]
    #[arg(conflicts_with = "all")]
    profile: Option<String>,
    /// End every grant
    #[arg(long)]
    all: bool,
}

impl Drop {
    pub(crate) fn run(self, environment: &Environment) -> Result<(), Failure> {
        let client = Client::new(environment)?;
        let progress = Progress::begin("ending grants");
        let mut live = client.get::<Grants>(paths::GRANTS, BRIEFLY)?.grants;
        if let Some(profile) = &self.profile {
            live.retain(|grant| grant.profile == *profile);
        }
        let target = match (&self.profile, self.all) {
            (Some(profile), _) => Target::new(paths::GRANTS).with(paths::QUERY_PROFILE, Some(profile)),
            (None, true) => Target::new(paths::GRANTS),
            (None, false) => match the_only(&live)? {
                Some(grant) => Target::new(below(paths::GRANTS, &grant.id)),
                None => return output::say("No grant is live."),
            },
        };
        let Dropped { dropped } = client.delete(target.as_str())?;
        drop(progress);
        output::say(&outcome(dropped, &live, environment::now()))
    }
}

fn the_only(live: &[Grant]) -> Result<Option<&Grant>, Failure> {
    match live {
        [] => Ok(None),
        [grant] => Ok(Some(grant)),
        [first, ..] => {
            let profiles: Vec<_> = live.iter().map(|grant| grant.profile.as_str()).collect();
            let message = format!("several grants are live, and none was named: {}", profiles.join(", "));
            Err(Failure::new(Kind::Usage, message).mend(text::command("tegata drop", &first.profile)))
        }
    }
}

fn outcome(dropped: usize, live: &[Grant], now: i64) -> String {
    let ended = match dropped {
        0 => return "No grant is live.".to_owned(),
        1 => "1 grant ended.".to_owned(),
        count => format!("{count} grants ended."),
    };
    // RFC 3339 in UTC with whole seconds: the order of the texts is that of the times.
    match live.iter().filter_map(|grant| grant.aws_accepts_until.as_deref()).max() {
        Some(until) => {
            let until = one_line(&moment::shown(until, now));
            format!("{ended} AWS accepts what was handed out until {until}; nothing can take it back.")
        }
        None => format!("{ended} Nothing had been handed out."),
    }
}

#[cfg(test)]
mod tests {
    use super::outcome;

    #[test]
    fn what_was_not_there_is_not_said_to_have_ended() {
        assert_eq!(outcome(0, &[], 0), "No grant is live.");
        assert_eq!(outcome(1, &[], 0), "1 grant ended. Nothing had been handed out.");
    }
}
