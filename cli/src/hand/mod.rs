//! A person's hand: the page of a request is opened, the two words are shown, the end is awaited.
//!
//! What a request is for, and who may approve it, is the daemon's; nothing here decides anything.

mod page;
pub(crate) mod text;

pub(crate) use page::{PageOptions, Showing};

use crate::browser;
use crate::client::{Client, Target, below};
use crate::environment::{Deadline, Environment};
use crate::failure::{Failure, Kind};
use crate::output::{self, Progress, Style};
use crate::signals::Signals;
use std::io::IsTerminal;
use std::process::Child;
use std::time::Duration;
use tegata_protocol::gate::{HandRequest, OpenPage, Page, RequestState};
use tegata_protocol::{ErrorCode, paths};

/// How long one request waits for the hand.
const ONE_WAIT: Duration = Duration::from_secs(5);
/// Between two of them, so that a daemon that does not wait is not asked without end.
const BETWEEN_WAITS: Duration = Duration::from_millis(50);
/// How long after its own end a request that is still said to wait is given up.
const GRACE: Duration = Duration::from_secs(30);

/// What becomes of a request when the person goes away from the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// This command made it: it ends with the command, and its page is dead.
    ThisCommand,
    /// Another program waits for it: it stays.
    Another,
}

/// How a command gets a hand.
pub(crate) struct Hand<'a> {
    pub(crate) client: &'a Client<'a>,
    pub(crate) signals: &'a Signals,
    pub(crate) environment: &'a Environment,
    pub(crate) showing: Showing,
    pub(crate) owner: Owner,
    /// The command to run when it came to nothing.
    pub(crate) again: String,
}

impl Hand<'_> {
    /// Shows the page of a request and returns how it ended: approved, or a failure that says why not.
    pub(crate) fn give(&self, request: &HandRequest, reason: Option<String>) -> Result<HandRequest, Failure> {
        let ended = if request.state.is_pending() { self.wait_at_page(request, reason) } else { Ok(request.clone()) };
        if ended.is_err() && self.owner == Owner::ThisCommand {
            withdraw(self.environment, request);
        }
        self.judge(ended?)
    }

    fn wait_at_page(&self, request: &HandRequest, reason: Option<String>) -> Result<HandRequest, Failure> {
        let shown = HandRequest { reason: request.reason.clone().or_else(|| reason.clone()), ..request.clone() };
        output::tell(&text::introduction(&shown, Style::for_stderr(self.environment)));
        let pages = format!("{}/{}", below(paths::REQUESTS, &request.id), paths::PAGES);
        let page: Page = self.client.post(&pages, &OpenPage { reason })?;
        let browser = self.showing.show(&page.url, self.environment)?;
        self.wait(request, browser)
    }

    fn wait(&self, request: &HandRequest, mut browser: Option<Child>) -> Result<HandRequest, Failure> {
        let what = text::waiting(request);
        if !std::io::stderr().is_terminal() {
            output::tell(&what);
        }
        let _progress = Progress::begin(&what);
        let (mut given, mut end) = (request.approvals_given.len(), end_of(request));
        loop {
            let now = self.ask(&request.id)?;
            if !now.state.is_pending() {
                return Ok(now);
            }
            if now.approvals_given.len() > given {
                (given, end) = (now.approvals_given.len(), end_of(&now));
                output::tell(&text::still_needed(&now));
            }
            if browser::has_failed(&mut browser) {
                output::tell("The browser could not be opened: open the page yourself.");
            }
            end.left().ok_or_else(|| self.came_to_nothing("nobody approved in time"))?;
            std::thread::sleep(BETWEEN_WAITS);
        }
    }

    fn ask(&self, id: &str) -> Result<HandRequest, Failure> {
        if let Some(failure) = self.signals.failure() {
            return Err(failure);
        }
        let wait = Some(ONE_WAIT.as_secs().to_string());
        let target = Target::new(below(paths::REQUESTS, id)).with(paths::QUERY_WAIT, wait);
        self.client.get(target.as_str(), ONE_WAIT).map_err(|failure| match failure.kind {
            Kind::Reported(ErrorCode::NotFound) => {
                self.came_to_nothing("tegatad no longer knows this request: it was restarted meanwhile")
            }
            _ => failure,
        })
    }

    fn judge(&self, ended: HandRequest) -> Result<HandRequest, Failure> {
        match ended.state {
            RequestState::Approved => Ok(ended),
            RequestState::Refused => Err(Failure::new(Kind::RefusedByPerson, "refused by hand")),
            _ => Err(self.came_to_nothing("nobody approved in time")),
        }
    }

    fn came_to_nothing(&self, message: &str) -> Failure {
        Failure::new(Kind::Reported(ErrorCode::ElevationRequired), message).mend(&self.again)
    }
}

fn end_of(request: &HandRequest) -> Deadline {
    Deadline::after(Duration::from_secs(request.expires_in_seconds.min(3_600)) + GRACE)
}

/// Ends a request that this process made, if it is still there: its page is dead from then on.
pub(crate) fn withdraw(environment: &Environment, request: &HandRequest) {
    // Asked anew: the signal that ended the other client must not end this one.
    if let Ok(client) = Client::new(environment) {
        let _ = client.without_starting().forget(&below(paths::REQUESTS, &request.id));
    }
}
