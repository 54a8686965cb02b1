//! Somebody who types one line after the other into a shell on a [`Screen`], and what can be kept of that screen.

use crate::picture::Same;
use crate::product::{PATIENCE, wait_until};
use crate::screen::{Screen, Size};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// As wide as documentation can show.
pub const SIZE: Size = Size { columns: 110, rows: 48 };
/// Where homes are in pictures: as long as the path of a temporary home in /tmp, so that nothing is laid out otherwise.
pub const HOME: &str = "/home/yoshiko";
const PROMPT: &str = "\\[\\e[1;32m\\]$\\[\\e[0m\\] ";

/// Somebody at a shell.
#[derive(Debug)]
pub struct Typist {
    /// The screen.
    pub screen: Screen,
    /// What is the same in every picture.
    pub same: Same,
}

impl Typist {
    /// Sits down at bash in `home`, with the environment of the command `tmux`. What the terminal needs lies in `place`.
    ///
    /// # Panics
    /// When the home's path is not as long as [`HOME`], because `TMPDIR` is set.
    #[must_use]
    pub fn sit_down(mut tmux: Command, home: &Path, place: &Path) -> Self {
        let path = home.display().to_string();
        assert_eq!(path.trim_end_matches('/').len(), HOME.len(), "pictures are drawn in a home of /tmp; unset TMPDIR");
        tmux.env("PS1", PROMPT);
        let screen = Screen::start(tmux, place, SIZE, &["bash", "--noprofile", "--norc", "-i"]);
        let same = Same::everywhere()
            .and(r"http://127\.0\.0\.1:40123/authorize\S*", "https://oidc.us-east-1.amazonaws.com/authorize?…")
            .and(r"http://127\.0\.0\.1:40123/federation\S*", "https://signin.aws.amazon.com/federation?Action=login&…")
            .path(home, HOME);
        let typist = Self { screen, same };
        typist.at_prompt();
        typist
    }

    /// Adds to what is the same in every picture.
    pub fn also_same(&mut self, differs: &str, same: &str) {
        self.same = std::mem::take(&mut self.same).and(differs, same);
    }

    /// Waits until the shell wants the next line.
    pub fn at_prompt(&self) {
        self.at_prompt_within(PATIENCE);
    }

    /// As [`Typist::at_prompt`], where something takes long.
    ///
    /// # Panics
    /// When it takes longer.
    pub fn at_prompt_within(&self, patience: Duration) {
        let deadline = Instant::now() + patience;
        let mut pause = Duration::from_millis(5);
        while self.screen.shown().trim_end().lines().last() != Some("$") {
            assert!(Instant::now() < deadline, "the shell does not prompt:\n{}", self.screen.shown());
            std::thread::park_timeout(pause);
            pause = (pause * 2).min(Duration::from_secs(1));
        }
    }

    /// Types a line on an empty screen.
    pub fn begins(&self, line: &str) {
        self.screen.enters("clear && tmux -S \"${TMUX%%,*}\" clear-history");
        wait_until("the screen is empty", || self.screen.shown().trim() == "$");
        self.types(line);
    }

    /// Types a line, and waits until it is taken.
    pub fn types(&self, line: &str) {
        self.screen.types(line);
        wait_until("the line is typed", || self.screen.shown().contains(line));
        self.screen.presses(&["Enter"]);
        wait_until("the line is taken", || !self.screen.shown().trim_end().ends_with(line));
    }

    /// Types a line and waits until it has run.
    pub fn runs(&self, line: &str) {
        self.types(line);
        self.at_prompt();
    }

    /// Returns what is on the screen, from the first line that holds `from`, without the prompt that waits; as in every run.
    ///
    /// # Panics
    /// When there is no such line.
    #[must_use]
    pub fn drawn(&self, from: &str) -> String {
        let drawn = self.same.of(&self.screen.drawn());
        let lines: Vec<_> = drawn.lines().map(str::trim_end).skip_while(|line| !plain(line).contains(from)).collect();
        let end = lines.iter().rposition(|line| !["", "$"].contains(&plain(line).trim())).map_or(0, |last| last + 1);
        assert!(end > 0, "{from:?} is not in\n{drawn}");
        wrapped(&lines[..end].join("\n"), SIZE.columns)
    }

    /// Returns the first address on the screen that begins so.
    ///
    /// # Panics
    /// When none comes.
    #[must_use]
    pub fn address(&self, begin: &str) -> String {
        let shown = self.screen.shows(begin);
        let rest = shown.split_once(begin).map_or("", |(_, rest)| rest);
        format!("{begin}{}", rest.split_whitespace().next().unwrap_or_default())
    }
}

/// A line without the sequences that colour it.
#[must_use]
pub fn plain(line: &str) -> String {
    let parts = line.split('\u{1b}').enumerate();
    parts.map(|(at, part)| if at == 0 { part } else { part.split_once('m').map_or("", |(_, rest)| rest) }).collect()
}

/// Breaks lines where a terminal does, without counting what only colours.
fn wrapped(drawn: &str, columns: usize) -> String {
    let (mut out, mut column, mut in_sequence) = (String::new(), 0, false);
    for c in drawn.chars() {
        match c {
            '\n' => column = 0,
            '\u{1b}' => in_sequence = true,
            _ if in_sequence => in_sequence = !c.is_ascii_alphabetic(),
            _ if column == columns => {
                out.push('\n');
                column = 1;
            }
            _ => column += 1,
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_at_the_edge_and_colours_take_no_place() {
        assert_eq!(wrapped("\u{1b}[1mabc\u{1b}[0mde\nfgh", 3), "\u{1b}[1mabc\u{1b}[0m\nde\nfgh");
        assert_eq!(plain("\u{1b}[1m\u{1b}[32m$\u{1b}[0m x"), "$ x");
    }
}
