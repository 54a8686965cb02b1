//! What is drawn: lines that fit the terminal, wide characters counted as wide. Pure.

use super::list::List;
use crate::output::Style;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The most rows of the list that are shown; what was on the terminal stays in sight.
const MOST_ROWS: usize = 15;
/// The widest a column gets while another one needs the room.
const WIDEST: usize = 40;
const GAP: usize = 2;

/// What is drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    /// The lines, first to last.
    pub(super) lines: Vec<String>,
    /// The column of the cursor in the first line.
    pub(super) cursor: usize,
}

/// What stands before what is typed, and what the keys do.
struct Words {
    prompt: &'static str,
    keys: &'static str,
}

const ONE: Words = Words { prompt: "Profile: ", keys: "Enter chooses, Esc leaves" };
const MANY: Words =
    Words { prompt: "Find: ", keys: "Tab ticks, → ticks all of these, ← none of these, Enter goes on, Esc leaves" };

/// Draws the list for a terminal of so many columns and rows.
pub(super) fn frame(list: &mut List, (columns, rows): (usize, usize), style: Style) -> Frame {
    let ticked = list.ticked().map(|ticked| ticked.len());
    let Words { prompt, keys } = if ticked.is_some() { MANY } else { ONE };
    // The last column is left free: what is written there makes some terminals begin a new line.
    let width = columns.saturating_sub(1).max(1);
    let typed = end_of(list.typed(), width.saturating_sub(prompt.len() + 1));
    let cursor = (prompt.len() + typed.width()).min(width);
    let (matching, all) = list.counts();
    let mut lines = vec![fit(&format!("{prompt}{typed}"), width)];
    let chosen = ticked.map(|ticked| format!(", {ticked} ticked")).unwrap_or_default();
    let hint = format!("  {matching}/{all}{chosen}  {keys}");
    lines.push(style.faint(&fit(&hint, width)));
    let widths = widths(list.all_cells());
    let fit_rows = rows.saturating_sub(lines.len() + 1).clamp(1, MOST_ROWS);
    for (cells, marked, at) in list.seen(fit_rows) {
        let mark = match (ticked.is_some(), marked, at) {
            (true, true, true) => "> [x] ",
            (true, false, true) => "> [ ] ",
            (true, true, false) => "  [x] ",
            (true, false, false) => "  [ ] ",
            (false, _, true) => "> ",
            (false, true, false) => "* ",
            (false, false, false) => "  ",
        };
        let line = fit(&format!("{mark}{}", columns_of(cells, &widths)), width);
        lines.push(if at { style.chosen(&line) } else { line });
    }
    Frame { lines, cursor }
}

fn widths(cells: &[Vec<String>]) -> Vec<usize> {
    let columns = cells.iter().map(Vec::len).max().unwrap_or_default();
    let widest = |column| cells.iter().filter_map(|row| row.get(column)).map(|cell: &String| cell.width()).max();
    (0..columns).map(|column| widest(column).unwrap_or_default().min(WIDEST)).collect()
}

fn columns_of(cells: &[String], widths: &[usize]) -> String {
    let mut line = String::new();
    for (cell, width) in cells.iter().zip(widths) {
        let cell = fit(cell, *width);
        let blanks = width - cell.width() + GAP;
        line.push_str(&cell);
        line.extend(std::iter::repeat_n(' ', blanks));
    }
    line.trim_end().to_owned()
}

/// Returns as much of a text as fits; an ellipsis says that there is more.
fn fit(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut fitting = String::new();
    let mut left = width.saturating_sub(1);
    for c in text.chars() {
        let Some(rest) = left.checked_sub(c.width().unwrap_or_default()) else { break };
        left = rest;
        fitting.push(c);
    }
    fitting.push('…');
    fitting
}

/// Returns the end of what is typed that fits.
fn end_of(text: &str, width: usize) -> &str {
    let mut rest = text;
    while rest.width() > width {
        let mut chars = rest.chars();
        chars.next();
        rest = chars.as_str();
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::super::keys::Key;
    use super::super::list::Row;
    use super::*;

    fn list() -> List {
        let row = |name: &str, beside: [&str; 2], recent| Row {
            name: name.to_owned(),
            beside: beside.map(str::to_owned).to_vec(),
            recent,
        };
        List::new(
            vec![
                row("prod-admin", ["AdministratorAccess", "123456789012"], true),
                row("開発", ["閲覧のみ", "210987654321"], false),
                row("dev", ["ReadOnly", "210987654321"], false),
            ],
            "",
        )
    }

    #[test]
    fn columns_align_with_wide_characters() {
        insta::assert_snapshot!(frame(&mut list(), (80, 24), Style::PLAIN).lines.join("\n"), @"
        Profile: 
          3/3  Enter chooses, Esc leaves
        > prod-admin  AdministratorAccess  123456789012
          開発        閲覧のみ             210987654321
          dev         ReadOnly             210987654321
        ");
    }

    #[test]
    fn where_many_may_be_chosen_each_has_its_box() {
        let row = |name: &str| Row { name: name.to_owned(), ..Row::default() };
        let mut list = List::of_many(vec![row("dev"), row("開発"), row("prod")], [1]);
        insta::assert_snapshot!(frame(&mut list, (100, 24), Style::PLAIN).lines.join("\n"), @"
        Find: 
          3/3, 1 ticked  Tab ticks, → ticks all of these, ← none of these, Enter goes on, Esc leaves
        > [ ] dev
          [x] 開発
          [ ] prod
        ");
    }

    #[test]
    fn no_line_is_wider_than_the_terminal_and_no_frame_higher() {
        let mut list = list();
        "開発開発開発".chars().for_each(|c| list.take(Key::Char(c)));
        for typed in [true, false] {
            for columns in 1..100 {
                for rows in 1..6 {
                    let frame = frame(&mut list, (columns, rows), Style::PLAIN);
                    assert!(frame.lines.iter().all(|line| line.width() <= columns.max(2)), "{columns} {frame:?}");
                    assert!(frame.cursor <= columns.max(2) && frame.lines.len() <= rows.max(4), "{columns} {rows}");
                }
            }
            assert!(typed || list.counts().0 == 3);
            list.take(Key::Clear);
        }
    }

    #[test]
    fn what_is_chosen_is_marked_with_and_without_colour() {
        let mut list = list();
        list.take(Key::Down);
        assert!(frame(&mut list, (80, 24), Style::PLAIN).lines[3].starts_with("> 開発"));
        assert!(frame(&mut list, (80, 24), Style::when(true)).lines[3].starts_with("\u{1b}[7m> 開発"));
    }
}
