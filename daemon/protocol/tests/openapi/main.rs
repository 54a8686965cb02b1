//! `docs/api/openapi.json` says what this crate says: every path, every error code, every field of every body.
//!
//! A new path, error code or body fails here until the file has it; a new body needs a sample as well. What the daemon
//! makes of methods and parameters is compared beside its router, and real answers by the story `api_schema`.
#![allow(clippy::unwrap_used, clippy::panic, reason = "this is a test")]

mod samples;

use samples::{owned, requests, samples};
use serde::de::value::{Error, StrDeserializer};
use serde::de::{DeserializeOwned, Deserializer, Visitor};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use tegata_protocol::adoption::{AdoptSession, AdoptionProof};
use tegata_protocol::body::{BeginSignIn, SessionState, SignInFlow, SignInState, StoreState};
use tegata_protocol::certificates::{CertificateState, EnterPin, ImportCertificate};
use tegata_protocol::console::OpenConsole;
use tegata_protocol::gate::{BeginElevation, HolderWanted, OpenPage, Purpose, RequestState};
use tegata_protocol::inventory::{BeginInventory, InventoryState};
use tegata_protocol::jobs::HandOverJob;
use tegata_protocol::keys::{ImportKey, KeptState, ReplacedState, RotateKey};
use tegata_protocol::{ErrorBody, ErrorCode, MAX_WAIT_SECONDS, PROTOCOL_HEADER, PROTOCOL_VERSION};

/// Types that have no schema of their own: their fields are among those of the type they are flattened into.
const FLATTENED: [&str; 1] = ["SignInState"];

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn openapi() -> Value {
    let text = fs::read_to_string(source().join("../../../docs/api/openapi.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn object(value: &Value) -> &Map<String, Value> {
    value.as_object().unwrap_or_else(|| panic!("{value} is no object"))
}

fn keys(value: &Value) -> BTreeSet<String> {
    value.as_object().into_iter().flat_map(Map::keys).cloned().collect()
}

fn texts(value: &Value) -> BTreeSet<String> {
    value.as_array().into_iter().flatten().map(|text| text.as_str().unwrap().to_owned()).collect()
}

fn schema<'a>(file: &'a Value, name: &str) -> &'a Value {
    file.pointer(&format!("/components/schemas/{name}")).unwrap_or_else(|| panic!("components/schemas has no {name}"))
}

/// Follows a `$ref` to what it names.
fn resolved<'a>(file: &'a Value, found: &'a Value) -> &'a Value {
    match found.get("$ref").and_then(Value::as_str) {
        None => found,
        Some(reference) => {
            let target = file.pointer(reference.trim_start_matches('#'));
            resolved(file, target.unwrap_or_else(|| panic!("{reference} leads nowhere")))
        }
    }
}

/// Catches the variants that a derived `Deserialize` of an enum asks for.
struct Variants<'a>(&'a mut BTreeSet<String>);

impl<'de> Deserializer<'de> for Variants<'_> {
    type Error = Error;

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.0.extend(variants.iter().map(|variant| (*variant).to_owned()));
        visitor.visit_enum(StrDeserializer::new(variants[0]))
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        panic!("not an enum that is written as a text")
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

fn variants<T: DeserializeOwned>() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    T::deserialize(Variants(&mut found)).unwrap_or_else(|error| panic!("{error}"));
    found
}

/// Whether a schema lets a value of this JSON type through.
fn has_type_of(file: &Value, schema: &Value, value: &Value) -> bool {
    let schema = resolved(file, schema);
    if let Some(choices) = schema.get("oneOf").and_then(Value::as_array) {
        return choices.iter().any(|choice| has_type_of(file, choice, value));
    }
    let name = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    schema["type"] == name
}

/// The text of every source file that declares bodies or errors.
fn declarations() -> String {
    let files = [
        "adoption.rs",
        "body.rs",
        "certificates.rs",
        "console.rs",
        "error.rs",
        "gate.rs",
        "inventory.rs",
        "jobs.rs",
        "keys.rs",
        "totp.rs",
    ];
    files.map(|file| fs::read_to_string(source().join(file)).unwrap()).concat()
}

/// What `paths.rs` declares: the resources, and the literal segments that may follow a named one.
fn resources_and_segments() -> (Vec<String>, Vec<String>) {
    let text = fs::read_to_string(source().join("paths.rs")).unwrap();
    let constants = text.lines().filter(|line| line.starts_with("pub const ") && !line.starts_with("pub const QUERY_"));
    constants.map(|line| line.split('"').nth(1).unwrap().to_owned()).partition(|value| value.starts_with("/v1/"))
}

/// The names behind `pub struct` or `pub enum`.
fn declared(kind: &str) -> BTreeSet<String> {
    let text = declarations();
    let named = text.lines().filter_map(|line| line.strip_prefix(&format!("pub {kind} ")));
    named.map(|rest| rest.split(|c: char| !c.is_alphanumeric()).next().unwrap().to_owned()).collect()
}

#[test]
fn every_path_is_described() {
    let (file, (resources, segments)) = (openapi(), resources_and_segments());
    let described = keys(&file["paths"]);
    for resource in &resources {
        let found = described.iter().any(|path| path == resource || path.starts_with(&format!("{resource}/{{")));
        assert!(found, "paths has no {resource}");
    }
    for segment in &segments {
        assert!(described.iter().any(|path| path.ends_with(&format!("}}/{segment}"))), "paths has no …/{segment}");
    }
    let is_known = |segment: &str| segment.starts_with('{') || segments.iter().any(|known| known == segment);
    for path in &described {
        let rests = resources.iter().filter_map(|resource| path.strip_prefix(resource));
        let known =
            rests.map(|rest| rest.strip_prefix('/').unwrap_or(rest).split('/').all(is_known) || rest.is_empty());
        assert!(known.into_iter().any(|known| known), "no resource of this crate is at {path}");
    }
}

#[test]
fn every_query_parameter_is_described() {
    let paths = fs::read_to_string(source().join("paths.rs")).unwrap();
    let declared = paths.lines().filter(|line| line.starts_with("pub const QUERY_"));
    let declared: BTreeSet<_> = declared.map(|line| line.split('"').nth(1).unwrap().to_owned()).collect();
    let file = openapi();
    let mut described = BTreeSet::new();
    for item in object(&file["paths"]).values().flat_map(|operations| object(operations).values()) {
        let parameters = item.get("parameters").and_then(Value::as_array).into_iter().flatten();
        let parameters = parameters.map(|parameter| resolved(&file, parameter)).filter(|found| found["in"] == "query");
        described.extend(parameters.map(|found| found["name"].as_str().unwrap().to_owned()));
    }
    assert_eq!(declared, described);
}

#[test]
fn every_body_is_described_field_by_field() {
    let (file, samples) = (openapi(), samples());
    let sampled: BTreeSet<String> = samples.keys().map(|name| (*name).to_owned()).collect();
    assert_eq!(declared("struct"), sampled, "every body needs a sample in this file");
    for (name, [full, least]) in &samples {
        let mut schema = schema(&file, name).clone();
        if *name == "SignIn" {
            // What only a finished one has: the full sample is of one that failed.
            schema["properties"].as_object_mut().unwrap().remove("identity").unwrap();
        }
        assert_eq!(keys(full), keys(&schema["properties"]), "the properties of {name}");
        assert_eq!(keys(least), texts(&schema["required"]), "what is required of {name}");
        for (field, value) in object(full) {
            assert!(has_type_of(&file, &schema["properties"][field], value), "{name}.{field} is {value}");
        }
    }
}

#[test]
fn every_choice_is_described_value_by_value() {
    let file = openapi();
    let choices = BTreeMap::from([
        ("ErrorCode", variants::<ErrorCode>()),
        ("SignInFlow", variants::<SignInFlow>()),
        ("SessionState", variants::<SessionState>()),
        ("StoreState", variants::<StoreState>()),
        ("HolderWanted", variants::<HolderWanted>()),
        ("Purpose", variants::<Purpose>()),
        ("RequestState", variants::<RequestState>()),
        ("AdoptionProof", variants::<AdoptionProof>()),
        ("ReplacedState", variants::<ReplacedState>()),
        ("KeptState", variants::<KeptState>()),
        ("CertificateState", variants::<CertificateState>()),
        ("InventoryState", variants::<InventoryState>()),
    ]);
    let compared: BTreeSet<String> = choices.keys().chain(&FLATTENED).map(|name| (*name).to_owned()).collect();
    assert_eq!(declared("enum"), compared, "every choice has to be compared here");
    for (name, values) in choices {
        assert_eq!(texts(&schema(&file, name)["enum"]), values, "{name}");
    }
}

#[test]
fn the_states_of_a_sign_in_are_described_and_only_a_failed_one_has_an_error() {
    let error = ErrorBody::new(ErrorCode::SignInFailed, "x");
    let states =
        [SignInState::Pending, SignInState::Done { identity: Some("arn".to_owned()) }, SignInState::Failed { error }]
            .map(|state| {
                // A new state does not compile until it is here and above.
                match &state {
                    SignInState::Pending | SignInState::Done { .. } | SignInState::Failed { .. } => {
                        serde_json::to_value(state).unwrap()
                    }
                }
            });
    let file = openapi();
    let named = states.iter().map(|state| state["state"].as_str().unwrap().to_owned()).collect();
    assert_eq!(texts(&schema(&file, "SignInState")["enum"]), named);
    let with_error: Vec<_> = states.iter().filter(|state| state.get("error").is_some()).map(|s| &s["state"]).collect();
    let sign_in = schema(&file, "SignIn");
    assert_eq!(with_error, [&sign_in["if"]["properties"]["state"]["const"]]);
    assert_eq!(sign_in["then"]["required"], json!(["error"]));
}

#[test]
fn what_is_read_has_no_other_fields_and_what_is_written_may_gain_some() {
    let (file, read) = (openapi(), requests());
    for name in samples().keys() {
        let closed = schema(&file, name).get("additionalProperties") == Some(&json!(false));
        assert_eq!(closed, read.contains_key(name), "{name}");
    }
}

#[test]
fn what_may_be_left_out_of_a_request_may_be_null_unless_it_has_a_default() {
    let file = openapi();
    for (name, [full, least]) in requests() {
        for field in keys(&full).difference(&keys(&least)) {
            let property = &schema(&file, name)["properties"][field];
            let nullable = has_type_of(&file, property, &Value::Null);
            assert_ne!(nullable, property.get("default").is_some(), "{name}.{field}");
            let body = full.as_object().unwrap().iter().map(owned).chain([(field.clone(), Value::Null)]).collect();
            assert_eq!(is_read(name, &Value::Object(body)), nullable, "{name}.{field}");
        }
    }
}

/// Whether a body is one that the crate reads.
fn is_read(name: &str, body: &Value) -> bool {
    let body = body.clone();
    match name {
        "BeginSignIn" => serde_json::from_value::<BeginSignIn>(body).is_ok(),
        "HandOverJob" => serde_json::from_value::<HandOverJob>(body).is_ok(),
        "ImportKey" => serde_json::from_value::<ImportKey>(body).is_ok(),
        "RotateKey" => serde_json::from_value::<RotateKey>(body).is_ok(),
        "AdoptSession" => serde_json::from_value::<AdoptSession>(body).is_ok(),
        "ImportCertificate" => serde_json::from_value::<ImportCertificate>(body).is_ok(),
        "EnterPin" => serde_json::from_value::<EnterPin>(body).is_ok(),
        "AddSeed" => serde_json::from_value::<tegata_protocol::totp::AddSeed>(body).is_ok(),
        "BeginInventory" => serde_json::from_value::<BeginInventory>(body).is_ok(),
        "BeginElevation" => serde_json::from_value::<BeginElevation>(body).is_ok(),
        "OpenConsole" => serde_json::from_value::<OpenConsole>(body).is_ok(),
        "OpenPage" => serde_json::from_value::<OpenPage>(body).is_ok(),
        _ => panic!("{name} has fields that may be left out"),
    }
}

/// The codes a response of the file may carry.
fn codes(file: &Value, response: &Value) -> BTreeSet<String> {
    let schema = &resolved(file, response)["content"]["application/json"]["schema"];
    assert_eq!(schema["allOf"][0]["$ref"], "#/components/schemas/ErrorBody");
    texts(&schema["allOf"][1]["properties"]["code"]["enum"])
}

#[test]
fn every_error_code_has_the_status_it_is_sent_with() {
    let file = openapi();
    let mut sent: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for code in variants::<ErrorCode>() {
        let status = serde_json::from_value::<ErrorCode>(json!(code)).unwrap().http_status().to_string();
        sent.entry(status).or_default().insert(code);
    }
    // Of the same kind: the target, the head.
    for status in ["414", "431"] {
        sent.insert(status.to_owned(), sent["413"].clone());
    }
    let mut described = BTreeSet::new();
    for (path, operations) in object(&file["paths"]) {
        for operation in object(operations).values().filter_map(|operation| operation.get("responses")) {
            for (status, response) in object(operation).iter().filter(|(status, _)| !status.starts_with('2')) {
                assert_eq!(sent.get(status), Some(&codes(&file, response)), "{path} {status}");
                described.insert(status.clone());
            }
        }
    }
    assert_eq!(described, sent.into_keys().collect(), "the statuses that operations name");
}

#[test]
fn every_answer_names_the_protocol() {
    let file = openapi();
    let version = json!(PROTOCOL_VERSION.to_string());
    assert_eq!(file["info"]["version"], version);
    assert_eq!(file["components"]["headers"]["Protocol"]["schema"]["const"], version);
    let mut answers = Vec::new();
    for operations in object(&file["paths"]).values() {
        let parameters = operations["parameters"].as_array().unwrap();
        let names =
            |parameter| resolved(&file, parameter)["name"].as_str().unwrap().eq_ignore_ascii_case(PROTOCOL_HEADER);
        assert!(parameters.iter().any(names));
        let described = object(operations).values().filter_map(|operation| operation.get("responses"));
        answers.extend(described.flat_map(|responses| object(responses).values()));
    }
    for answer in answers {
        let answer = resolved(&file, answer);
        let header = keys(&answer["headers"]).into_iter().find(|name| name.eq_ignore_ascii_case(PROTOCOL_HEADER));
        assert!(header.is_some(), "{answer}");
        assert_eq!(keys(&answer["content"]), BTreeSet::from([String::from("application/json")]));
    }
}

#[test]
fn the_longest_wait_is_the_one_that_is_accepted() {
    assert_eq!(openapi()["components"]["parameters"]["Wait"]["schema"]["maximum"], json!(MAX_WAIT_SECONDS));
}
