//! `tegata approve`: gives a hand to what waits for one, or says no.

use crate::client::{BRIEFLY, Client, below};
use crate::environment::Environment;
use crate::failure::{Failure, Kind};
use crate::hand::{Hand, Owner, PageOptions, text};
use crate::output::{self, Progress};
use crate::question;
use crate::signals::Signals;
use clap::Args;
use tegata_protocol::gate::{HandRequest, HandRequests};
use tegata_protocol::{paths, text::one_line};

/// Approve or refuse what waits for a passkey gesture.
///
/// A tool that asks for a gated profile waits a while; this opens the page for it. Compare the two words.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tegata approve                        what waits; asks which where several do
  tegata approve k3v9 --reason INC-42
  tegata approve k3v9 --refuse")]
pub(crate) struct Approve {
    /// The request [default: the only one that waits]
    id: Option<String>,
    /// Why, where the request has no reason yet
    #[arg(long, value_name = "TEXT", conflicts_with = "refuse")]
    reason: Option<String>,
    /// Say no; whoever asks is refused for a while
    #[arg(long, group = "showing")]
    refuse: bool,
    #[command(flatten)]
    page: PageOptions,
}

impl Approve {
    pub(crate) fn run(self, environment: &Environment) -> Result<(), Failure> {
        // Whether a page can be shown is known before anybody is asked which one.
        let showing = if self.refuse { None } else { Some(self.page.showing(environment)?) };
        let signals = Signals::catch()?;
        let client = Client::new(environment)?.ended_by(&signals);
        let request = match self.id {
            Some(id) => client.get(&below(paths::REQUESTS, &id), BRIEFLY)?,
            None => choose(waiting(&client)?, &signals)?,
        };
        let Some(showing) = showing else {
            client.forget(&below(paths::REQUESTS, &request.id))?;
            return output::say(&format!("Refused: {}.", text::what(&request)));
        };
        let client = client.without_starting();
        let again = text::command("tegata approve", &request.id);
        let hand = Hand { client: &client, signals: &signals, environment, showing, owner: Owner::Another, again };
        let approved = hand.give(&request, self.reason)?;
        output::tell(&format!("Approved: {}.", text::what(&approved)));
        Ok(())
    }
}

fn waiting(client: &Client<'_>) -> Result<Vec<HandRequest>, Failure> {
    let _progress = Progress::begin("asking what waits");
    client.get::<HandRequests>(paths::REQUESTS, BRIEFLY).map(|waiting| waiting.requests)
}

/// Takes the only request there is, or has the person choose.
fn choose(mut waiting: Vec<HandRequest>, signals: &Signals) -> Result<HandRequest, Failure> {
    match waiting.len() {
        0 => Err(Failure::new(Kind::Failed, "nothing waits for a hand").mend("tegata status")),
        1 => Ok(waiting.remove(0)),
        _ if !question::somebody_is_there() => Err(which(&waiting)),
        _ => {
            output::tell(&numbered(&waiting));
            let answer = question::line(&format!("Which one? [1-{}] ", waiting.len()), signals)?;
            match answer.parse::<usize>().ok().and_then(|number| number.checked_sub(1)) {
                Some(index) if index < waiting.len() => Ok(waiting.remove(index)),
                _ => Err(which(&waiting)),
            }
        }
    }
}

fn numbered(waiting: &[HandRequest]) -> String {
    let line = |(index, request): (usize, &HandRequest)| {
        let asked_by =
            if request.requester.is_empty() { String::new() } else { format!(", by {}", text::requester(request)) };
        format!("{:>3}  {}{asked_by} ({})", index + 1, text::what(request), one_line(&request.code))
    };
    waiting.iter().enumerate().map(line).collect::<Vec<_>>().join("\n")
}

fn which(waiting: &[HandRequest]) -> Failure {
    let ids: Vec<_> = waiting.iter().map(|request| request.id.as_str()).collect();
    let first = ids.first().copied().unwrap_or_default();
    let message = format!("several requests wait, and none was named: {}", ids.join(", "));
    Failure::new(Kind::Usage, message).mend(text::command("tegata approve", first))
}
