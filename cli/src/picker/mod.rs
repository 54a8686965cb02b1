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
    let mut terminal = Terminal::open(&signals)?;
    let style = Style::when(environment.colour(true));
    let mut list = List::new(rows, typed);
    loop {
        let size = terminal.size();
        terminal.draw(&screen::frame(&mut list, size, style))?;
        match terminal.wait()? {
            Event::Resized => {}
            Event::Key(Key::Enter) => {
                if let Some(row) = list.chosen() {
                    return Ok(row.name.clone());
                }
            }
            Event::Key(Key::Leave) => return Err(Failure::new(Kind::Left, "")),
            Event::Key(key) => list.take(key),
        }
    }
}
