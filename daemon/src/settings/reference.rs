//! `docs/settings-reference.md`, made of the schema: each table with its keys, in the order in which the daemon itself names them.

use super::{Settings, organisation, schema};
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// `make pages` sets it: what differs is written instead of refused.
const WRITE: &str = "TEGATA_PAGES";

const HEAD: &str = "# Every setting

What `config.toml` can say, made from the program's own types by `make pages`. [Settings](settings.md) explains it, and says where the file is.
For editors that read JSON Schema (taplo, Even Better TOML and others) there is [one](api/settings.schema.json).

";

/// A table of the settings: `[http]`, `[[rule]]`, `[profile.NAME]`; the top of the file has no header.
struct Table<'a> {
    header: String,
    text: String,
    keys: &'a Map<String, Value>,
}

/// The schema, and how its parts refer to each other.
struct Reference<'a>(&'a Value);

impl<'a> Reference<'a> {
    /// Follows a schema to where it is written.
    fn resolved(&self, schema: &'a Value) -> &'a Value {
        let only = |key: &str| schema[key].as_array().filter(|all| all.len() == 1).map(|all| &all[0]);
        let definition = |path: &str| self.0.pointer(path.trim_start_matches('#'));
        match schema["$ref"].as_str().and_then(definition).or_else(|| only("allOf")) {
            Some(further) => self.resolved(further),
            None => schema,
        }
    }

    /// Returns the table that a value of this schema is written as, below this header.
    fn table(&self, header: &str, schema: &'a Value) -> Option<Table<'a>> {
        let written = self.resolved(schema);
        let table = |header: String, of: &'a Value| {
            let of = self.resolved(of);
            let text = text(of).or_else(|| text(schema)).unwrap_or_default();
            of["properties"].as_object().map(|keys| Table { header, text, keys })
        };
        let is_table = |of: &Value| self.resolved(of)["properties"].is_object();
        if is_table(&written["items"]) {
            return table(format!("[[{header}]]"), &written["items"]);
        }
        if is_table(&written["additionalProperties"]) {
            return table(format!("[{header}.NAME]"), &written["additionalProperties"]);
        }
        table(format!("[{header}]"), written)
    }

    /// Returns a table and all below it.
    fn tables(&self, top: Table<'a>) -> Vec<Table<'a>> {
        let path = top.header.trim_matches(['[', ']']);
        let below: Vec<_> = words(&top.header)
            .into_iter()
            .filter_map(|key| {
                let header = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                self.table(&header, top.keys.get(&key)?)
            })
            .collect();
        std::iter::once(top).chain(below.into_iter().flat_map(|table| self.tables(table))).collect()
    }

    fn all(&self) -> Vec<Table<'a>> {
        let keys = self.0["properties"].as_object().expect("the file is a table");
        self.tables(Table { header: String::new(), text: String::new(), keys })
    }

    fn page(&self) -> String {
        HEAD.to_owned() + &self.all().iter().map(|table| self.chapter(table)).collect::<Vec<_>>().join("\n")
    }

    fn chapter(&self, table: &Table<'_>) -> String {
        let title = if table.header.is_empty() { "Top of the file".to_owned() } else { format!("`{}`", table.header) };
        let text = if table.text.is_empty() { String::new() } else { format!("\n{}\n", table.text) };
        let rows: String = words(&table.header).iter().filter_map(|key| self.row(key, table.keys.get(key)?)).collect();
        format!("## {title}\n{text}\n| key | value | default | meaning |\n|---|---|---|---|\n{rows}")
    }

    /// Returns the row of a key that is no table.
    fn row(&self, key: &str, schema: &Value) -> Option<String> {
        if self.table(key, schema).is_some() {
            return None;
        }
        let default = match &schema["default"] {
            Value::Null => String::new(),
            Value::Array(empty) if empty.is_empty() => String::new(),
            Value::Object(empty) if empty.is_empty() => String::new(),
            default => format!("`{default}`"),
        };
        let meaning = text(schema).unwrap_or_default().replace("\n\n", " ");
        let words = self.words_explained(schema);
        Some(format!("| `{key}` | {} | {default} | {meaning}{words} |\n", self.kind(schema)).replace("|  |", "| |"))
    }

    /// Says what a value looks like.
    fn kind(&self, schema: &Value) -> String {
        let schema = if schema["title"].is_string() { schema } else { self.resolved(schema) };
        if let Some(title) = schema["title"].as_str() {
            return title.to_owned();
        }
        let one_of = ["oneOf", "enum", "anyOf"].into_iter().find_map(|key| schema[key].as_array());
        if let Some(all) = one_of {
            return alternatives(all.iter().map(|one| self.kind(one)).collect());
        }
        if schema.is_string() || !schema["const"].is_null() {
            return format!("`{}`", if schema.is_string() { schema } else { &schema["const"] });
        }
        match schema["type"].as_str() {
            Some("boolean") => "`true`, `false`".to_owned(),
            Some("integer") => range(schema),
            Some("array") => format!("list: {}", self.kind(&schema["items"])),
            Some("object") => format!("table: {}", self.kind(&schema["additionalProperties"])),
            _ => "text".to_owned(),
        }
    }

    /// What each of the words means that a value may be.
    fn words_explained(&self, schema: &Value) -> String {
        let schema = self.resolved(schema);
        let schema = schema["anyOf"].as_array().map_or(schema, |all| self.resolved(&all[0]));
        let explained = |one: &Value| Some(format!("<br>`{}`: {}", one.get("const")?, text(one)?));
        schema["oneOf"].as_array().into_iter().flatten().filter_map(explained).collect()
    }
}

/// What is written about a key or a table.
fn text(schema: &Value) -> Option<String> {
    schema["description"].as_str().map(|text| text.replace('|', "\\|"))
}

/// One thing, or a list of it, is said so; words are listed.
fn alternatives(kinds: Vec<String>) -> String {
    match &kinds[..] {
        [one, list] if *list == format!("list: {one}") => format!("{one}; or a list"),
        _ => kinds.join(", "),
    }
}

/// `16 to 4,096`
fn range(schema: &Value) -> String {
    let bound = |key: &str| schema[key].as_u64().map(grouped).unwrap_or_default();
    format!("{} to {}", bound("minimum"), bound("maximum"))
}

/// A number with commas between its thousands.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups = digits.as_bytes().rchunks(3).rev().map(|group| String::from_utf8_lossy(group).into_owned());
    groups.collect::<Vec<_>>().join(",")
}

/// The keys of a table, as the daemon names them to somebody who wrote another.
fn words(header: &str) -> Vec<String> {
    let message = Settings::parse(&format!("{header}\nxxxxxxxx = 1\n")).expect_err("nobody calls a key so").to_string();
    let (_, known) = message.split_once("; it reads ").unwrap_or_else(|| panic!("[{header}]: {message}"));
    known.split(", ").map(str::to_owned).collect()
}

fn settings() -> Value {
    schema::of::<Settings>("Tegata's settings, config.toml")
}

/// What is kept, by its path below `docs`.
fn files() -> [(&'static str, String); 3] {
    let schema = settings();
    let policy = schema::of::<organisation::Written>("The organisation's rules for Tegata, /etc/tegata/policy.toml");
    let json = |schema: &Value| format!("{schema:#}\n");
    [
        ("settings-reference.md", Reference(&schema).page()),
        ("api/settings.schema.json", json(&schema)),
        ("api/policy.schema.json", json(&policy)),
    ]
}

#[test]
#[allow(clippy::disallowed_methods, reason = "`make pages` tells a test so")]
fn what_is_kept_of_the_settings_is_what_the_types_say() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    for (name, wanted) in files() {
        let path = docs.join(name);
        if std::env::var_os(WRITE).is_some() {
            fs::write(&path, &wanted).unwrap();
        }
        let found = fs::read_to_string(&path).unwrap_or_default();
        assert!(found == wanted, "docs/{name} is stale; run: make pages");
    }
}

#[test]
fn every_table_has_the_keys_that_the_daemon_reads() {
    let schema = settings();
    let tables = Reference(&schema).all();
    assert!(tables.len() >= 8, "{:?}", tables.iter().map(|table| &table.header).collect::<Vec<_>>());
    for table in tables {
        let known: BTreeSet<_> = words(&table.header).into_iter().collect();
        assert_eq!(known, table.keys.keys().cloned().collect(), "[{}]", table.header);
    }
}

#[test]
fn everything_is_explained_to_somebody_who_knows_no_rust() {
    let schema = settings();
    for table in Reference(&schema).all() {
        assert_eq!(table.text.is_empty(), table.header.is_empty(), "{}", table.header);
        for (key, schema) in table.keys {
            let text = text(schema).unwrap_or_else(|| panic!("{} {key} has no doc comment", table.header));
            assert!(!text.contains("::") && !text.contains("[`"), "{} {key}: {text}", table.header);
        }
    }
}

#[test]
fn what_the_types_say_is_on_the_page() {
    let schema = settings();
    let page = Reference(&schema).page();
    for row in [
        "| `connections` | 16 to 4,096 | `1024` | Connections that",
        "| `store` | `\"auto\"`, `\"secret-service\"`,",
        "<br>`\"keyutils\"`: The kernel's keyring: empty after a reboot.",
        "| `enabled` | `true`, `false` | `true` | ",
        "## `[[rule]]`\n\nWhich targets are had only by passkey",
        "## `[profile.NAME]`\n",
        "| `account` | pattern of twelve digits; or a list | | ",
        "| `reason_tag` | text | `\"Reason\"` | ",
        "| `window` | such as `15m` or `1h 30m`, from `1m` to `12h` | `\"15m\"` | ",
        "| `approvals` | 1 to 2 | `1` | ",
        "| `alert` | `true`, `false` | `false` | ",
    ] {
        assert!(page.contains(row), "{row:?} is not in\n{page}");
    }
}
