//! Choosing a profile on a terminal: what is typed narrows the list down, as fuzzily as the person types.
//!
//! It draws on the terminal itself and never on standard output, which carries the choice. What it draws is foreign text made
//! printable; it leaves the terminal as it found it.

mod keys;
mod list;
pub(crate) mod recents;
mod screen;
mod terminal;

pub(crate) use list::Row;

use crate::environment::Environment;
use crate::failure::{Failure, Kind};
use crate::output::Style;
use crate::signals::Signals;
use keys::Key;
use list::List;
use terminal::{Event, Terminal};

/// Lets the person choose one of the rows and returns its name.
pub(crate) fn pick(environment: &Environment, rows: Vec<Row>, typed: &str) -> Result<String, Failure> {
    let signals = Signals::catch()?;
    let list = chosen_from(environment, List::new(rows, typed), &signals)?;
    list.chosen().map(|row| row.name.clone()).ok_or_else(left)
}

/// Lets the person choose many of the rows, and returns the places of those that are ticked at the end, in their order.
pub(crate) fn pick_many(
    environment: &Environment,
    rows: Vec<Row>,
    ticked: impl IntoIterator<Item = usize>,
    signals: &Signals,
) -> Result<Vec<usize>, Failure> {
    let list = chosen_from(environment, List::of_many(rows, ticked), signals)?;
    Ok(list.ticked().into_iter().flatten().copied().collect())
}

/// Has the person go about in the list until Enter takes something.
fn chosen_from(environment: &Environment, mut list: List, signals: &Signals) -> Result<List, Failure> {
    let mut terminal = Terminal::open(signals)?;
    let style = Style::when(environment.colour(true));
    loop {
        let size = terminal.size();
        terminal.draw(&screen::frame(&mut list, size, style))?;
        match terminal.wait()? {
            Event::Resized => {}
            Event::Key(Key::Enter) if list.chosen().is_some() || list.ticked().is_some() => return Ok(list),
            Event::Key(Key::Enter) => {}
            Event::Key(Key::Leave) => return Err(left()),
            Event::Key(key) => list.take(key),
        }
    }
}

fn left() -> Failure {
    Failure::new(Kind::Left, "")
}
