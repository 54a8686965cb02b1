//! `docs/settings.md` against the types: every key they know is there, and no other.

use super::*;
use serde::de::value::Error;
use serde::de::{DeserializeOwned, Error as _, Visitor};
use std::cell::RefCell;
use std::collections::BTreeSet;

/// Hears which keys a table has, and reads nothing.
struct Keys<'a>(&'a RefCell<Vec<&'static str>>);

impl<'de> serde::Deserializer<'de> for Keys<'_> {
    type Error = Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        keys: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Error> {
        self.0.borrow_mut().extend(keys);
        Err(Error::custom("that is all"))
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        Err(Error::custom("not a table"))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// Returns the keys of a table.
fn keys<T: DeserializeOwned>() -> BTreeSet<&'static str> {
    let heard = RefCell::default();
    assert!(T::deserialize(Keys(&heard)).is_err());
    heard.into_inner().into_iter().collect()
}

const DOCUMENT: &str = include_str!("../../../docs/settings.md");

/// The keys in the first column of the tables of a chapter, each behind its `[table]` if it is in one.
fn documented(chapter: &str) -> BTreeSet<&'static str> {
    let (_, text) = DOCUMENT.split_once(chapter).unwrap();
    let text = text.split_once("\n## ").map_or(text, |(text, _)| text);
    let cells = text.lines().filter_map(|line| line.strip_prefix("| `")?.split_once(" |").map(|(cell, _)| cell));
    cells.flat_map(|cell| cell.split('`').filter(|word| !word.trim().is_empty() && *word != ", ")).collect()
}

#[test]
fn every_rule_key_is_documented() {
    assert_eq!(documented("## Rules: `[[rule]]`"), keys::<RuleKeys>());
}

#[test]
fn every_key_of_a_profile_is_documented() {
    assert_eq!(documented("## Extras: `[profile.NAME]`"), keys::<extras::Keys>());
}

#[test]
fn every_other_key_is_documented() {
    let mut table = "";
    let mut named = BTreeSet::new();
    let mut lines: Vec<_> = documented("# Settings").into_iter().collect();
    lines.sort_by_key(|word| DOCUMENT.find(&format!("`{word}`")));
    for word in lines {
        let (of, key) = word.split_once("] ").map_or((table, word), |(of, key)| (of.trim_start_matches('['), key));
        table = of;
        named.insert(if of.is_empty() { key.to_owned() } else { format!("{of}.{key}") });
    }
    let mut known: BTreeSet<_> = ["store".to_owned()].into();
    let mut add = |table: &str, keys: BTreeSet<&str>| known.extend(keys.iter().map(|key| format!("{table}.{key}")));
    add("file_store", keys::<FileStoreKeys>());
    add("http", keys::<Http>());
    add("endpoints", keys::<Endpoints>());
    add("limits", keys::<Limits>());
    add("notifications", keys::<Notifications>());
    assert_eq!(named, known);
}

#[test]
fn there_are_no_tables_beside_these() {
    let all = ["store", "file_store", "http", "endpoints", "limits", "notifications", "profile", "rule"];
    assert_eq!(keys::<Settings>(), all.into());
}

#[test]
fn a_range_is_documented_as_it_is() {
    for (key, range) in [
        ("connections", "16 to 4,096"),
        ("wait_seconds", "1 to 600"),
        ("audit_days", "1 to 3,650"),
        ("command_seconds", "1 to 300"),
    ] {
        assert!(DOCUMENT.contains(&format!("| `[limits] {key}` | {range} |")), "{key}");
    }
}
