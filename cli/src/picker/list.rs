//! The rows, what is typed, what matches it, and where the person is in it. Pure.

use super::keys::Key;
use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};
use std::cmp::Reverse;
use std::collections::BTreeSet;
use tegata_protocol::text::{is_hostile, one_line};

/// The most characters that may be typed.
const MAX_TYPED: usize = 100;

/// One thing to choose.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Row {
    /// What is returned.
    pub(crate) name: String,
    /// What is shown beside it, column by column; part of what is searched.
    pub(crate) beside: Vec<String>,
    /// Whether it was used lately.
    pub(crate) recent: bool,
}

/// The rows, narrowed down.
pub(crate) struct List {
    rows: Vec<Row>,
    /// Each row as it is shown: its columns, printable.
    cells: Vec<Vec<String>>,
    typed: String,
    matching: Vec<usize>,
    at: usize,
    /// Which rows are ticked, where many may be chosen.
    ticked: Option<BTreeSet<usize>>,
    /// How many rows are seen at once.
    page: usize,
    matcher: Matcher,
}

impl List {
    /// Begins with all rows, in their order, and what has been typed already.
    pub(crate) fn new(rows: Vec<Row>, typed: &str) -> Self {
        let cell = |text: &String| one_line(text);
        let cells = rows.iter().map(|row| std::iter::once(&row.name).chain(&row.beside).map(cell).collect()).collect();
        let matcher = Matcher::new(Config::DEFAULT);
        let (typed_so_far, matching) = (String::new(), Vec::new());
        let mut list = Self { rows, cells, typed: typed_so_far, matching, at: 0, ticked: None, page: 1, matcher };
        typed.chars().filter(|c| !is_hostile(*c)).take(MAX_TYPED).for_each(|c| list.typed.push(c));
        list.narrow();
        list
    }

    /// Begins with all rows, of which many may be chosen and these are ticked.
    pub(crate) fn of_many(rows: Vec<Row>, ticked: impl IntoIterator<Item = usize>) -> Self {
        let count = rows.len();
        let ticked = ticked.into_iter().filter(|index| *index < count).collect();
        Self { ticked: Some(ticked), ..Self::new(rows, "") }
    }

    /// Does what a key says.
    pub(crate) fn take(&mut self, key: Key) {
        let last = self.matching.len().saturating_sub(1);
        match key {
            Key::Up => self.at = self.at.saturating_sub(1),
            Key::Down => self.at = (self.at + 1).min(last),
            Key::PageUp => self.at = self.at.saturating_sub(self.page),
            Key::PageDown => self.at = (self.at + self.page).min(last),
            Key::Home => self.at = 0,
            Key::End => self.at = last,
            Key::Tab => {
                self.tick();
                self.at = (self.at + 1).min(last);
            }
            Key::Right => self.ticked.iter_mut().for_each(|ticked| ticked.extend(&self.matching)),
            Key::Left => {
                self.ticked.iter_mut().for_each(|ticked| ticked.retain(|index| !self.matching.contains(index)))
            }
            key => {
                self.edit(key);
                self.narrow();
            }
        }
    }

    /// Ticks the row the person is at, or takes its tick off.
    fn tick(&mut self) {
        if let (Some(ticked), Some(index)) = (&mut self.ticked, self.matching.get(self.at))
            && !ticked.remove(index)
        {
            ticked.insert(*index);
        }
    }

    fn edit(&mut self, key: Key) {
        match key {
            Key::Char(c) if !is_hostile(c) && self.typed.chars().count() < MAX_TYPED => self.typed.push(c),
            Key::Backspace => drop(self.typed.pop()),
            Key::Clear => self.typed.clear(),
            Key::DeleteWord => {
                let kept = self.typed.trim_end();
                let kept = kept.rfind(' ').map_or(0, |space| space + 1);
                self.typed.truncate(kept);
            }
            _ => {}
        }
    }

    /// Finds what matches, best first; of equals the one that came first, which is the one used last.
    fn narrow(&mut self) {
        let pattern = Pattern::parse(&self.typed, CaseMatching::Smart, Normalization::Smart);
        let mut buffer = Vec::new();
        let mut scored: Vec<(u32, usize)> = Vec::new();
        for (index, cells) in self.cells.iter().enumerate() {
            let text = cells.join(" ");
            let score = pattern.score(Utf32Str::new(&text, &mut buffer), &mut self.matcher);
            scored.extend(score.map(|score| (score, index)));
        }
        scored.sort_by_key(|(score, index)| (Reverse(*score), *index));
        self.matching = scored.into_iter().map(|(_, index)| index).collect();
        self.at = 0;
    }

    /// Returns the row the person is at.
    pub(crate) fn chosen(&self) -> Option<&Row> {
        self.rows.get(*self.matching.get(self.at)?)
    }

    /// Returns the places of the rows that are ticked, where many may be chosen.
    pub(crate) fn ticked(&self) -> Option<&BTreeSet<usize>> {
        self.ticked.as_ref()
    }

    /// Returns what is typed.
    pub(crate) fn typed(&self) -> &str {
        &self.typed
    }

    /// Returns how many match, and how many there are.
    pub(crate) fn counts(&self) -> (usize, usize) {
        (self.matching.len(), self.rows.len())
    }

    /// Returns all cells, for the widths of the columns.
    pub(crate) fn all_cells(&self) -> &[Vec<String>] {
        &self.cells
    }

    /// Returns what is seen of the list when so many rows fit: the cells of each, whether it was used lately or is ticked, whether
    /// the person is at it.
    pub(crate) fn seen(&mut self, fit: usize) -> impl Iterator<Item = (&[String], bool, bool)> {
        self.page = fit.max(1);
        let first = self.at / self.page * self.page;
        let (at, rows, cells, ticked) = (self.at, &self.rows, &self.cells, &self.ticked);
        let marked = move |index: usize| match ticked {
            Some(ticked) => ticked.contains(&index),
            None => rows.get(index).is_some_and(|row| row.recent),
        };
        let shown = self.matching.iter().enumerate().skip(first).take(self.page);
        shown.filter_map(move |(place, index)| Some((cells.get(*index)?.as_slice(), marked(*index), place == at)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, beside: &[&str]) -> Row {
        Row { name: name.to_owned(), beside: beside.iter().map(|text| (*text).to_owned()).collect(), recent: false }
    }

    fn list() -> List {
        let rows = vec![
            row("dev", &["ReadOnly", "111111111111"]),
            row("prod-admin", &["AdministratorAccess", "222222222222"]),
            row("prod-read", &["ReadOnly", "222222222222"]),
            row("開発-管理", &["Admin", "333333333333"]),
        ];
        List::new(rows, "")
    }

    fn names(list: &List) -> Vec<&str> {
        list.matching.iter().map(|index| list.rows[*index].name.as_str()).collect()
    }

    fn typing(text: &str) -> List {
        let mut list = list();
        text.chars().for_each(|c| list.take(Key::Char(c)));
        list
    }

    #[test]
    fn everything_is_there_in_its_order_before_anything_is_typed() {
        assert_eq!(names(&list()), ["dev", "prod-admin", "prod-read", "開発-管理"]);
        assert_eq!(list().chosen().unwrap().name, "dev");
    }

    #[test]
    fn name_role_and_account_are_searched_together_and_fuzzily() {
        assert_eq!(names(&typing("prd adm")), ["prod-admin"]);
        assert_eq!(names(&typing("2222 read")), ["prod-read"]);
        assert_eq!(names(&typing("管理")), ["開発-管理"]);
        assert!(names(&typing("zzz")).is_empty() && typing("zzz").chosen().is_none());
    }

    #[test]
    fn small_letters_find_capitals_and_capitals_only_capitals() {
        assert_eq!(names(&typing("readonly")).len(), 2);
        assert!(names(&typing("READ")).is_empty());
    }

    #[test]
    fn moving_stays_within_what_matches() {
        let mut list = typing("prod");
        for (key, name) in [
            (Key::Up, "prod-admin"),
            (Key::Down, "prod-read"),
            (Key::Down, "prod-read"),
            (Key::Home, "prod-admin"),
            (Key::End, "prod-read"),
        ] {
            list.take(key);
            assert_eq!(list.chosen().unwrap().name, name, "{key:?}");
        }
        list.take(Key::Clear);
        assert_eq!((list.typed(), list.chosen().unwrap().name.as_str()), ("", "dev"));
    }

    #[test]
    fn many_are_ticked_one_by_one_or_all_that_match() {
        let mut list = List::of_many(list().rows, [0, 99]);
        let ticked = |list: &List| list.ticked().unwrap().iter().copied().collect::<Vec<_>>();
        assert_eq!(ticked(&list), [0], "what is not there is not ticked");
        list.take(Key::Tab);
        list.take(Key::Tab);
        assert_eq!(ticked(&list), [1], "one tick off, the next one on");
        "read".chars().for_each(|c| list.take(Key::Char(c)));
        list.take(Key::Right);
        assert_eq!(ticked(&list), [0, 1, 2], "what does not match keeps its tick");
        list.take(Key::Left);
        list.take(Key::Clear);
        assert_eq!(ticked(&list), [1]);
        "zzz".chars().for_each(|c| list.take(Key::Char(c)));
        list.take(Key::Tab);
        assert_eq!(ticked(&list), [1], "nothing is there to be ticked");
    }

    #[test]
    fn where_one_is_chosen_nothing_is_ticked() {
        let mut list = list();
        [Key::Tab, Key::Right, Key::Left].into_iter().for_each(|key| list.take(key));
        assert_eq!((list.ticked(), list.chosen().unwrap().name.as_str()), (None, "prod-admin"));
    }

    #[test]
    fn what_is_typed_can_be_taken_back() {
        let mut list = typing("prod adm");
        list.take(Key::DeleteWord);
        assert_eq!(list.typed(), "prod ");
        list.take(Key::Backspace);
        assert_eq!(list.typed(), "prod");
        list.take(Key::DeleteWord);
        assert_eq!((list.typed(), list.counts()), ("", (4, 4)));
    }

    #[test]
    fn e11_hostile_text_is_neither_typed_nor_shown() {
        let mut list = List::new(vec![row("a\u{1b}[2Jb", &["x\ny"])], "\u{1b}[2J\u{202e}");
        assert_eq!(list.typed(), "[2J");
        list.take(Key::Clear);
        list.take(Key::Char('\u{9b}'));
        assert_eq!(list.typed(), "");
        let cells = list.all_cells().concat();
        assert!(!cells.iter().any(|cell| cell.chars().any(is_hostile)), "{cells:?}");
        assert_eq!(list.chosen().unwrap().name, "a\u{1b}[2Jb", "what is chosen is the name itself");
    }

    #[test]
    fn a_page_turns_as_a_whole() {
        let mut list = List::new((0..10).map(|number| row(&format!("p{number}"), &[])).collect(), "");
        let seen = |list: &mut List| list.seen(4).map(|(cells, _, at)| (cells[0].clone(), at)).collect::<Vec<_>>();
        assert_eq!(seen(&mut list)[0], (String::from("p0"), true));
        list.take(Key::PageDown);
        assert_eq!(seen(&mut list)[0], (String::from("p4"), true));
        list.take(Key::End);
        assert_eq!(seen(&mut list), [(String::from("p8"), false), (String::from("p9"), true)]);
    }
}
