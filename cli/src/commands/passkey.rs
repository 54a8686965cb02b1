//! `tegata passkey`: enrols, lists, renames, removes and tries passkeys, and forgets all of them.

use crate::client::{BRIEFLY, Client, below};
use crate::environment::{self, Environment};
use crate::failure::{Failure, Kind};
use crate::hand::{Hand, Owner, PageOptions, Showing, text};
use crate::http::Method;
use crate::moment;
use crate::output::{self, Progress};
use crate::question;
use crate::signals::Signals;
use clap::{Args, Subcommand};
use serde_json::Value;
use tegata_protocol::gate::{self, AddPasskey, HandRequest, Passkeys, RenamePasskey};
use tegata_protocol::{paths, text::one_line};

/// What the person types to forget all passkeys.
const CONFIRMATION: &str = "forget all passkeys";

/// Enrol passkeys, which approve the use of gated profiles, and manage them.
#[derive(Subcommand)]
pub(crate) enum Passkey {
    Add(Add),
    List(List),
    Rename(Rename),
    Remove(Remove),
    Test(Test),
    Reset(Reset),
}

/// Enrol a passkey.
///
/// The first one needs a fresh sign-in, every other one the gesture of one that is enrolled. From the first on, profiles that look
/// like administration are gated. Enrol two, on different devices: a lost one can then be removed.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tegata passkey add --name 'yubikey 5c'
  tegata passkey add --person ben --name phone        a second person, for rules that need two")]
pub(crate) struct Add {
    /// Whose it is [default: your user name]
    #[arg(long, value_name = "NAME")]
    person: Option<String>,
    /// What it is to be called [default: asks]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    #[command(flatten)]
    page: PageOptions,
}

/// List the passkeys.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tegata passkey list
  tegata passkey list --json | jq -r '.passkeys[].name'")]
pub(crate) struct List {
    /// Print what the daemon says, as JSON
    #[arg(long)]
    json: bool,
}

/// Give a passkey another name.
#[derive(Args)]
#[command(after_help = "\
Example:
  tegata passkey rename p7q2 'blue yubikey'")]
pub(crate) struct Rename {
    /// The passkey, as `tegata passkey list` names it
    id: String,
    /// The new name
    name: String,
}

/// Remove a passkey, by the gesture of one that is enrolled.
#[derive(Args)]
#[command(after_help = "\
Example:
  tegata passkey remove p7q2")]
pub(crate) struct Remove {
    /// The passkey, as `tegata passkey list` names it
    id: String,
    #[command(flatten)]
    page: PageOptions,
}

/// Try a passkey. Nothing follows from it.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tegata passkey test             any of them
  tegata passkey test p7q2        this one")]
pub(crate) struct Test {
    /// The passkey [default: any]
    id: Option<String>,
    #[command(flatten)]
    page: PageOptions,
}

/// Forget all passkeys, for when every one of them is lost. Needs a fresh sign-in.
///
/// Every grant ends, and the rules that need a passkey let nobody through until one is enrolled again. Profiles that only look
/// like administration are served without a gate until then.
#[derive(Args)]
#[command(after_help = "\
Example:
  tegata login corp && tegata passkey reset && tegata passkey add")]
pub(crate) struct Reset {
    /// Do not ask whether it is meant
    #[arg(long)]
    yes: bool,
}

impl Passkey {
    pub(crate) fn run(self, environment: &Environment) -> Result<(), Failure> {
        match self {
            Self::Add(command) => command.run(environment),
            Self::List(command) => command.run(environment),
            Self::Rename(command) => command.run(environment),
            Self::Remove(command) => command.run(environment),
            Self::Test(command) => command.run(environment),
            Self::Reset(command) => command.run(environment),
        }
    }
}

impl Add {
    fn run(self, environment: &Environment) -> Result<(), Failure> {
        let showing = self.page.showing(environment)?;
        let signals = Signals::catch()?;
        let user = ["USER", "LOGNAME"].iter().find_map(|name| environment.get(name)?.into_string().ok());
        let person = given_or_asked(self.person.or(user), "Whose passkey is it? ", "--person NAME", &signals)?;
        let name = given_or_asked(self.name, "What is it to be called? ", "--name NAME", &signals)?;
        let client = Client::new(environment)?.ended_by(&signals);
        let progress = Progress::begin("asking for the page");
        let request: HandRequest = client.post(paths::PASSKEYS, &AddPasskey { person, name })?;
        drop(progress);
        let done =
            approved(&request, "tegata passkey add", showing, &client.without_starting(), &signals, environment)?;
        let count = Client::new(environment)?.get::<Passkeys>(paths::PASSKEYS, BRIEFLY).map(|all| all.passkeys.len());
        output::say(&enrolled(&done, count.ok()))
    }
}

fn given_or_asked(given: Option<String>, ask: &str, option: &str, signals: &Signals) -> Result<String, Failure> {
    let answer = match given {
        Some(given) => given,
        None if question::somebody_is_there() => question::line(ask, signals)?,
        None => String::new(),
    };
    if answer.trim().is_empty() {
        return Err(Failure::new(Kind::Usage, format!("a passkey needs a name and a person: pass {option}")));
    }
    Ok(answer)
}

fn enrolled(request: &HandRequest, count: Option<usize>) -> String {
    let name = request.changes.first().map_or_else(|| "The passkey".to_owned(), |name| one_line(name));
    let next = match count {
        Some(1) => {
            "\nIt is the only one: whoever loses it needs a sign-in to start again. Add a second: tegata passkey add"
        }
        _ => "",
    };
    format!("{name} is enrolled.{next}")
}

/// Has a hand approve what this command asked for.
fn approved(
    request: &HandRequest,
    again: &str,
    showing: Showing,
    client: &Client<'_>,
    signals: &Signals,
    environment: &Environment,
) -> Result<HandRequest, Failure> {
    let again = again.to_owned();
    Hand { client, signals, environment, showing, owner: Owner::ThisCommand, again }.give(request, None)
}

impl List {
    fn run(&self, environment: &Environment) -> Result<(), Failure> {
        let client = Client::new(environment)?;
        let progress = Progress::begin("reading the passkeys");
        if self.json {
            let all: Value = client.get(paths::PASSKEYS, BRIEFLY)?;
            drop(progress);
            return output::say(&output::pretty(&all));
        }
        let all: Passkeys = client.get(paths::PASSKEYS, BRIEFLY)?;
        drop(progress);
        output::say(&page(&all.passkeys, environment::now()))
    }
}

fn page(passkeys: &[gate::Passkey], now: i64) -> String {
    if passkeys.is_empty() {
        return "No passkey is enrolled. Enrol one with: tegata passkey add".to_owned();
    }
    let rows = passkeys.iter().map(|passkey| {
        [
            one_line(&passkey.id),
            one_line(&passkey.name),
            one_line(&passkey.person),
            if passkey.device_bound { "this device only" } else { "may be synced" }.to_owned(),
            one_line(&moment::from_now(&passkey.created_at, now)),
            passkey
                .last_used_at
                .as_deref()
                .map_or_else(|| "never".to_owned(), |at| one_line(&moment::from_now(at, now))),
        ]
    });
    let table = output::table(["ID", "NAME", "PERSON", "KEPT", "ENROLLED", "LAST USED"], rows);
    std::iter::once(table).chain(passkeys.iter().filter_map(trouble)).collect::<Vec<_>>().join("\n")
}

fn trouble(passkey: &gate::Passkey) -> Option<String> {
    let (id, name) = (one_line(&passkey.id), one_line(&passkey.name));
    passkey.suspended.then(|| {
        format!("{name} counts no more: its counter went back, perhaps there is a copy of it; run: tegata passkey remove {id}")
    })
}

impl Rename {
    fn run(&self, environment: &Environment) -> Result<(), Failure> {
        let client = Client::new(environment)?;
        let target = below(paths::PASSKEYS, &self.id);
        client.change(Method::Put, &target, &RenamePasskey { name: self.name.clone() })?;
        output::say(&format!("{} is now called {}.", one_line(&self.id), one_line(&self.name)))
    }
}

impl Remove {
    fn run(self, environment: &Environment) -> Result<(), Failure> {
        let showing = self.page.showing(environment)?;
        let signals = Signals::catch()?;
        let client = Client::new(environment)?.ended_by(&signals);
        let again = text::command("tegata passkey remove", &self.id);
        let request: HandRequest = client.delete(&below(paths::PASSKEYS, &self.id))?;
        approved(&request, &again, showing, &client.without_starting(), &signals, environment)?;
        output::say(&format!("{} is removed.", one_line(&self.id)))
    }
}

impl Test {
    fn run(self, environment: &Environment) -> Result<(), Failure> {
        let showing = self.page.showing(environment)?;
        let signals = Signals::catch()?;
        let client = Client::new(environment)?.ended_by(&signals);
        let of = self.id.as_deref().map_or_else(|| paths::PASSKEYS.to_owned(), |id| below(paths::PASSKEYS, id));
        let request: HandRequest = client.post_nothing(&format!("{of}/{}", paths::TEST))?;
        let done =
            approved(&request, "tegata passkey test", showing, &client.without_starting(), &signals, environment)?;
        output::say(&match done.approvals_given.first() {
            Some(person) => format!("The passkey of {} works.", one_line(person)),
            None => "The passkey works.".to_owned(),
        })
    }
}

impl Reset {
    fn run(&self, environment: &Environment) -> Result<(), Failure> {
        let client = Client::new(environment)?;
        if !self.yes {
            let signals = Signals::catch()?;
            output::tell(
                "This forgets every passkey and ends every grant. What rules gate is closed until a passkey is enrolled \
                 again; what only looks like administration is open until then.",
            );
            confirm(&signals)?;
        }
        client.forget(paths::PASSKEYS)?;
        output::say("All passkeys are forgotten. Enrol one with: tegata passkey add")
    }
}

fn confirm(signals: &Signals) -> Result<(), Failure> {
    if !question::somebody_is_there() {
        return Err(Failure::new(Kind::Usage, "there is nobody to ask whether all passkeys are to be forgotten")
            .mend("tegata passkey reset --yes"));
    }
    if question::line(&format!("Type \"{CONFIRMATION}\": "), signals)? == CONFIRMATION {
        return Ok(());
    }
    Err(Failure::new(Kind::RefusedByPerson, "nothing was forgotten"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passkey(id: &str, suspended: bool) -> gate::Passkey {
        gate::Passkey {
            id: id.to_owned(),
            person: "ann".to_owned(),
            name: "yubikey 5c".to_owned(),
            created_at: "2026-11-20T09:00:00Z".to_owned(),
            last_used_at: suspended.then(|| "2026-11-22T08:00:00Z".to_owned()),
            device_bound: !suspended,
            suspended,
        }
    }

    #[test]
    fn the_list_names_whose_and_how_they_are_kept_and_what_is_wrong() {
        let now = moment::parse("2026-11-22T09:00:00Z").unwrap();
        insta::assert_snapshot!(page(&[passkey("p7q2", false), passkey("x3z4", true)], now), @"
        ID    NAME        PERSON  KEPT              ENROLLED  LAST USED
        p7q2  yubikey 5c  ann     this device only  2 d ago   never
        x3z4  yubikey 5c  ann     may be synced     2 d ago   1 h ago
        yubikey 5c counts no more: its counter went back, perhaps there is a copy of it; run: tegata passkey remove x3z4
        ");
    }

    #[test]
    fn hostile_names_are_shown_escaped() {
        let hostile = "\u{1b}[2J\u{202e}\n";
        let mut passkey = passkey(hostile, true);
        for text in [&mut passkey.person, &mut passkey.name, &mut passkey.created_at] {
            *text = hostile.to_owned();
        }
        let shown = page(&[passkey], 0);
        assert!(!shown.chars().any(|c| c != '\n' && tegata_protocol::text::is_hostile(c)), "{shown:?}");
    }
}
