//! What a person or a script sees: standard output, standard error, tables, colour, progress.
//!
//! Standard output carries what was asked for, standard error everything else. Foreign text goes through `one_line` before
//! it gets here.

use crate::environment::Environment;
use crate::failure::{Failure, Kind};
use comfy_table::{ContentArrangement, Table, presets};
use indicatif::{ProgressBar, ProgressStyle};
use rustix::io::Errno;
use rustix::termios::tcgetwinsize;
use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;
use tegata_protocol::text::is_hostile;
use unicode_width::UnicodeWidthStr;

/// What needs no word while it takes no longer than this.
const SILENT_FOR: Duration = Duration::from_secs(1);
const TICK: Duration = Duration::from_millis(120);

/// Writes to standard output at once, past every buffer: a buffer would keep a copy of what may be credentials, and
/// `std::io::stdout` makes one at its first use.
pub(crate) fn write_stdout(mut bytes: &[u8]) -> Result<(), Failure> {
    while !bytes.is_empty() {
        match rustix::io::write(rustix::stdio::stdout(), bytes) {
            Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
            Err(Errno::INTR) => {}
            Err(Errno::PIPE) => return Err(Failure::new(Kind::OutputClosed, "")),
            Err(errno) => {
                let error = std::io::Error::from(errno);
                return Err(Failure::new(Kind::Failed, format!("cannot write to standard output: {error}")));
            }
        }
    }
    Ok(())
}

/// Writes one line to standard output.
pub(crate) fn say(line: &str) -> Result<(), Failure> {
    write_stdout(format!("{line}\n").as_bytes())
}

/// Writes one line to standard error. If nobody reads it, nothing is lost.
pub(crate) fn tell(line: &str) {
    let _ = std::io::stderr().write_all(format!("{line}\n").as_bytes());
}

/// Writes to standard error without a line end.
pub(crate) fn ask(question: &str) {
    let _ = std::io::stderr().write_all(question.as_bytes());
}

/// Returns JSON indented for reading. Invisible and controlling characters are escaped, which leaves the value the same.
pub(crate) fn pretty(value: &serde_json::Value) -> String {
    let mut text = String::new();
    for c in format!("{value:#}").chars() {
        if c == '\n' || !is_hostile(c) {
            text.push(c);
        } else {
            c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| text.push_str(&format!("\\u{unit:04x}")));
        }
    }
    text
}

/// Returns an aligned table without lines, wide characters counted as wide, without blanks at the line ends.
pub(crate) fn table<const N: usize>(header: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled).set_header(header);
    for row in rows {
        table.add_row(row);
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

/// How text looks where it goes: whether it is coloured, and how wide the terminal is, if it is one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style {
    coloured: bool,
    width: Option<usize>,
}

impl Style {
    /// Decides by the terminal and the environment.
    pub(crate) fn for_stderr(environment: &Environment) -> Self {
        Self::when(environment.colour(std::io::stderr().is_terminal()))
    }

    /// Decides by the terminal and the environment.
    pub(crate) fn for_stdout(environment: &Environment) -> Self {
        let columns = tcgetwinsize(rustix::stdio::stdout()).map(|size| usize::from(size.ws_col));
        let width = columns.ok().filter(|columns| *columns > 0);
        Self { width, ..Self::when(environment.colour(std::io::stdout().is_terminal())) }
    }

    /// Decides by what is known already.
    pub(crate) fn when(coloured: bool) -> Self {
        Self { coloured, width: None }
    }

    /// Returns a table as [`table`] does; where a row would not fit on a line, each row is lines of its own, with names.
    pub(crate) fn table<const N: usize>(
        self,
        header: [&str; N],
        rows: impl IntoIterator<Item = [String; N]>,
    ) -> String {
        let rows: Vec<_> = rows.into_iter().collect();
        let whole = table(header, rows.clone());
        if self.width.is_none_or(|width| whole.lines().all(|line| line.width() <= width)) {
            return whole;
        }
        let names = header.iter().map(|name| name.len()).max().unwrap_or_default();
        let line = |(name, value): (&str, &String)| format!("{name:names$}  {value}").trim_end().to_owned();
        let blocks = rows.iter().map(|row| header.into_iter().zip(row).map(line).collect::<Vec<_>>().join("\n"));
        blocks.collect::<Vec<_>>().join("\n\n")
    }

    /// What is there to be glanced at.
    pub(crate) fn faint(self, text: &str) -> String {
        self.wrap("2", text)
    }

    /// What is chosen at the moment.
    pub(crate) fn chosen(self, text: &str) -> String {
        self.wrap("7", text)
    }

    /// What matters most.
    pub(crate) fn strong(self, text: &str) -> String {
        self.wrap("1", text)
    }

    /// What needs attention.
    pub(crate) fn warning(self, text: &str) -> String {
        self.wrap("33", text)
    }

    /// What has to be done something about.
    pub(crate) fn alarm(self, text: &str) -> String {
        self.wrap("1;31", text)
    }

    /// Black on white, whatever the terminal's own colours are.
    pub(crate) fn on_paper(self, text: &str) -> String {
        self.wrap("30;107", text)
    }

    fn wrap(self, code: &str, text: &str) -> String {
        if self.coloured { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// Shows on a terminal that something is under way, once it has taken a second. Ends when dropped.
pub(crate) struct Progress {
    ended: Arc<AtomicBool>,
    shown: Option<JoinHandle<()>>,
    counter: Arc<AtomicU64>,
}

impl Progress {
    /// Begins to wait for `what`. Nothing is shown where standard error is not a terminal.
    pub(crate) fn begin(what: &str) -> Self {
        Self::showing(what, "")
    }

    /// The same for something whose end nobody knows: how many `things` are done is shown beside it, as the counter says.
    pub(crate) fn counting(what: &str, things: &str) -> Self {
        Self::showing(what, things)
    }

    /// Returns what says how many are done.
    pub(crate) fn counter(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.counter)
    }

    fn showing(what: &str, things: &str) -> Self {
        let (ended, counter) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        if !std::io::stderr().is_terminal() {
            return Self { ended, shown: None, counter };
        }
        let (what, things, over, count) =
            (what.to_owned(), things.to_owned(), Arc::clone(&ended), Arc::clone(&counter));
        let shown = std::thread::spawn(move || {
            if goes_on_after(SILENT_FOR, &over) {
                let spinner = spinner(&what);
                while goes_on_after(TICK, &over) {
                    if !things.is_empty() {
                        spinner.set_message(format!("{what}, {} {things}", count.load(Ordering::Relaxed)));
                    }
                }
                spinner.finish_and_clear();
            }
        });
        Self { ended, shown: Some(shown), counter }
    }
}

/// Waits this long, or until the thread is woken because it is over.
fn goes_on_after(time: Duration, ended: &AtomicBool) -> bool {
    std::thread::park_timeout(time);
    !ended.load(Ordering::SeqCst)
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        if let Some(shown) = self.shown.take() {
            shown.thread().unpark();
            let _ = shown.join();
        }
    }
}

fn spinner(what: &str) -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {msg} ({elapsed})");
    let spinner = ProgressBar::new_spinner().with_message(what.to_owned());
    let spinner = style.map(|style| spinner.clone().with_style(style)).unwrap_or(spinner);
    spinner.enable_steady_tick(TICK);
    spinner
}

/// Shows on a terminal how much of something is done; elsewhere nothing. Ends when dropped.
pub(crate) struct Count(ProgressBar);

impl Count {
    /// Begins to count `what`, in the plural.
    pub(crate) fn begin(what: &str) -> Self {
        let bar = if std::io::stderr().is_terminal() { ProgressBar::no_length() } else { ProgressBar::hidden() };
        let bar = styled(bar, "{spinner} listing {msg} ({elapsed})").with_message(what.to_owned());
        bar.enable_steady_tick(TICK);
        Self(bar)
    }

    /// Says how far it is.
    pub(crate) fn is_at(&mut self, done: u32, of: u32) {
        if self.0.length().is_none() && of > 0 {
            self.0 = styled(self.0.clone(), "{spinner} {pos}/{len} {msg} {wide_bar} {eta} left");
        }
        if of > 0 {
            self.0.set_length(of.into());
            self.0.set_position(done.into());
        }
    }
}

fn styled(bar: ProgressBar, template: &str) -> ProgressBar {
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

impl Drop for Count {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

#[cfg(test)]
impl Style {
    /// No colour at all.
    pub(crate) const PLAIN: Self = Self { coloured: false, width: None };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_align_with_wide_characters() {
        let rows = [["開発".to_owned(), "1".to_owned()], ["dev".to_owned(), "2".to_owned()]];
        assert_eq!(table(["NAME", "N"], rows), "NAME  N\n開発  1\ndev   2");
    }

    #[test]
    fn a_table_wider_than_the_terminal_is_lines_with_names() {
        let rows = || [["開発".to_owned(), "tegata drop dev".to_owned()], ["ops".to_owned(), "-".to_owned()]];
        let at = |width| Style { coloured: false, width }.table(["NAME", "END IT WITH"], rows());
        assert_eq!(at(Some(21)), "NAME  END IT WITH\n開発  tegata drop dev\nops   -");
        assert_eq!(at(None), at(Some(21)));
        let blocks = "NAME         開発\nEND IT WITH  tegata drop dev\n\nNAME         ops\nEND IT WITH  -";
        assert_eq!(at(Some(20)), blocks);
    }

    #[test]
    fn hostile_characters_in_json_are_escaped_and_mean_the_same() {
        let value = serde_json::json!({"a": "\u{9b}2J\u{202e}\u{7f}\u{e0041}\n\u{1b}障害"});
        let text = pretty(&value);
        assert!(!text.chars().any(|c| c != '\n' && is_hostile(c)), "{text:?}");
        assert!(text.contains("障害"));
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
    }

    #[test]
    fn style_without_colour_changes_nothing() {
        assert_eq!(Style::PLAIN.strong("x"), "x");
        assert_eq!(Style::when(true).strong("x"), "\u{1b}[1mx\u{1b}[0m");
    }
}
