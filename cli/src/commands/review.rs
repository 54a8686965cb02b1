//! `tegata review`: what was used in an emergency and is still to be looked at.

use crate::client::{BRIEFLY, Client, below};
use crate::environment::{self, Environment};
use crate::failure::Failure;
use crate::http::Method;
use crate::moment;
use crate::output;
use clap::{Args, Subcommand};
use tegata_protocol::gate::{self, CloseReview, Reviews};
use tegata_protocol::{paths, text::one_line};

/// List and close reviews of what was used in an emergency.
#[derive(Subcommand)]
pub(crate) enum Review {
    List(List),
    Close(Close),
}

/// List the reviews that are open.
#[derive(Args)]
#[command(after_help = "\
Example:
  tegata review list")]
pub(crate) struct List {}

/// Close a review with what was found.
#[derive(Args)]
#[command(after_help = "\
Example:
  tegata review close abcd2345 --note 'INC-42: rotated the key, nothing else was changed'")]
pub(crate) struct Close {
    /// The review, as `tegata review list` names it
    id: String,
    /// What the review found; it goes into the records
    #[arg(long, value_name = "TEXT")]
    note: String,
}

impl Review {
    pub(crate) fn run(self, environment: &Environment) -> Result<(), Failure> {
        match self {
            Self::List(_) => list(environment),
            Self::Close(command) => command.run(environment),
        }
    }
}

fn list(environment: &Environment) -> Result<(), Failure> {
    let all: Reviews = Client::new(environment)?.get(paths::REVIEWS, BRIEFLY)?;
    output::say(&page(&all.reviews, environment::now()))
}

fn page(reviews: &[gate::Review], now: i64) -> String {
    if reviews.is_empty() {
        return "No review is open.".to_owned();
    }
    let rows = reviews.iter().map(|review| {
        [
            one_line(&review.id),
            one_line(&review.profile),
            one_line(&moment::shown(&review.granted_at, now)),
            review.approved_by.iter().map(|person| one_line(person)).collect::<Vec<_>>().join(", "),
            review.reason.as_deref().map_or_else(|| "-".to_owned(), one_line),
        ]
    });
    output::table(["ID", "PROFILE", "GRANTED", "APPROVED BY", "REASON"], rows)
}

impl Close {
    fn run(&self, environment: &Environment) -> Result<(), Failure> {
        let target = below(paths::REVIEWS, &self.id);
        Client::new(environment)?.change(Method::Post, &target, &CloseReview { note: self.note.clone() })?;
        output::say(&format!("The review {} is closed.", one_line(&self.id)))
    }
}
