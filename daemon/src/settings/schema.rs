//! The JSON Schema of the settings, for editors. Most of it is derived from the types; here is what they read by hand.
//!
//! Draft 7, the newest that taplo knows, which "Even Better TOML" and others are made of.

use super::Within;
use super::rules::{OneOrMore, Reason, RuleKeys};
use crate::policy::Demands;
use crate::policy::terms::Approvals;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};
use std::borrow::Cow;

/// Returns the schema of a file.
pub(super) fn of<T: JsonSchema>(title: &str) -> Value {
    let mut schema = SchemaSettings::draft07().into_generator().into_root_schema_for::<T>().to_value();
    tidy(&mut schema);
    schema["title"] = title.into();
    schema
}

/// Takes `null` out, which TOML has not, the width of Rust's numbers, and the line ends of comments.
fn tidy(schema: &mut Value) {
    match schema {
        Value::Array(all) => all.iter_mut().for_each(tidy),
        Value::Object(keys) => {
            keys.retain(|key, value| key != "format" && !(key == "default" && value.is_null()));
            if let Some(Value::Array(types)) = keys.get_mut("type") {
                types.retain(|name| name != "null");
                if let [only] = &types[..] {
                    keys["type"] = only.clone();
                }
            }
            if let Some(Value::Array(all)) = keys.get_mut("enum") {
                all.retain(|value| !value.is_null());
            }
            if let Some(Value::Array(all)) = keys.get_mut("anyOf") {
                all.retain(|one| one != &json!({ "type": "null" }));
                if all.len() == 1 {
                    let only = keys.remove("anyOf");
                    keys.insert("allOf".to_owned(), only.unwrap_or_default());
                }
            }
            if let Some(Value::String(text)) = keys.get_mut("description") {
                let paragraphs = text.split("\n\n").map(|paragraph| paragraph.replace('\n', " "));
                *text = paragraphs.collect::<Vec<_>>().join("\n\n");
            }
            keys.values_mut().for_each(tidy);
        }
        _ => {}
    }
}

/// What a rule has to have one of.
pub(super) fn a_matcher() -> Value {
    let needs = |key: &str| json!({ "required": [key] });
    ["account", "role", "session", "source", "profile"].map(needs).into()
}

/// What a rule demands where it does not say this key.
pub(super) fn usual(key: &str) -> Value {
    let usual = Demands::default();
    match (key, usual.approvals) {
        ("window", _) => format!("{}m", usual.window.as_secs() / 60).into(),
        ("approvals", Approvals::One) => 1.into(),
        ("approvals", Approvals::Two) => 2.into(),
        _ => json!(usual)[key].take(),
    }
}

/// A rule of the organisation's.
pub(super) struct Tightening;

impl JsonSchema for Tightening {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Tightening".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let rule = generator.subschema_for::<RuleKeys>();
        json_schema!({ "allOf": [rule, { "properties": { "gate": { "const": "passkey" } } }] })
    }
}

impl<const LEAST: u64, const MOST: u64, const USUAL: u64> JsonSchema for Within<LEAST, MOST, USUAL> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("From{LEAST}To{MOST}").into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": LEAST, "maximum": MOST })
    }
}

/// Its default is in the schema.
impl<const LEAST: u64, const MOST: u64, const USUAL: u64> serde::Serialize for Within<LEAST, MOST, USUAL> {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(self.get())
    }
}

impl<T: JsonSchema> JsonSchema for OneOrMore<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("OneOrMore{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let one = generator.subschema_for::<T>();
        json_schema!({ "anyOf": [one, { "type": "array", "items": one, "minItems": 1 }] })
    }
}

impl JsonSchema for Reason {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Reason".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "title": "`\"required\"`, `{ pattern = \"INC-[0-9]+\" }`",
            "anyOf": [{ "type": "string", "const": "required" }, {
                "type": "object",
                "properties": { "pattern": OneOrMore::<String>::json_schema(generator) },
                "required": ["pattern"],
                "additionalProperties": false,
            }],
        })
    }
}
