//! `docs/api/openapi.json` says what the router does: every resource, its methods, the parameters of each.

use super::*;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

fn file() -> Value {
    serde_json::from_str(include_str!("../../../../docs/api/openapi.json")).unwrap()
}

fn paths(file: &Value) -> &Map<String, Value> {
    file["paths"].as_object().unwrap()
}

/// A path of the file with something in every named place.
fn filled(path: &str) -> String {
    path.split('/').map(|segment| if segment.starts_with('{') { "x" } else { segment }).collect::<Vec<_>>().join("/")
}

fn operations(item: &Value) -> impl Iterator<Item = (String, &Value)> {
    let entries = item.as_object().unwrap().iter().filter(|(key, _)| *key != "parameters");
    entries.map(|(method, operation)| (method.to_uppercase(), operation))
}

/// The names of an operation's query parameters: all of them, and those that have to be there.
fn parameters(file: &Value, operation: &Value) -> (BTreeSet<String>, BTreeSet<String>) {
    let listed = operation.get("parameters").and_then(Value::as_array).into_iter().flatten();
    let listed: Vec<_> = listed
        .map(|parameter| match parameter["$ref"].as_str() {
            Some(reference) => file.pointer(reference.trim_start_matches('#')).unwrap(),
            None => parameter,
        })
        .filter(|parameter| parameter["in"] == "query")
        .collect();
    let name = |parameter: &&Value| parameter["name"].as_str().unwrap().to_owned();
    let required = listed.iter().filter(|parameter| parameter["required"] == true).map(name);
    (listed.iter().map(name).collect(), required.collect())
}

fn query<'a>(names: impl IntoIterator<Item = &'a String>) -> String {
    let value = |name: &str| match name {
        paths::QUERY_CONFIG => "/c",
        paths::QUERY_FROM => FROM_MEMORY,
        paths::QUERY_FORM => FORM_CONTAINER,
        _ => "1",
    };
    names.into_iter().map(|name| format!("{name}={}", value(name))).collect::<Vec<_>>().join("&")
}

/// Whether a request with these parameters is a call. Its body is an example of the file.
fn is_call<'a>(method: &str, path: &str, operation: &Value, names: impl IntoIterator<Item = &'a String>) -> bool {
    let examples = operation.pointer("/requestBody/content/application~1json/examples").and_then(Value::as_object);
    let body = examples.and_then(|examples| examples.values().next()).map(|example| example["value"].to_string());
    let uri = format!("{}?{}", filled(path), query(names));
    Call::read(&Request::builder().method(method).uri(uri).body(body.unwrap_or_default()).unwrap()).is_ok()
}

#[test]
fn each_resource_has_the_methods_that_are_described() {
    let file = file();
    for (path, item) in paths(&file) {
        let described: BTreeSet<_> = operations(item).map(|(method, _)| method).collect();
        let resource = Resource::find(&filled(path)).unwrap_or_else(|_| panic!("there is no {path}"));
        let methods = resource.methods().split(", ").map(str::to_owned).collect();
        assert_eq!(described, methods, "{path}");
    }
}

/// The item of the file that is about a path: the one that names it, or else one with named places (OpenAPI 3.1, "Path Templating
/// Matching").
fn item<'a>(file: &'a Value, path: &str) -> Option<&'a Value> {
    let mut templates = paths(file).iter().filter(|(template, _)| {
        let (template, path) = (template.split('/'), path.split('/'));
        template.clone().count() == path.clone().count()
            && template.zip(path).all(|(wanted, found)| wanted.starts_with('{') || wanted == found)
    });
    paths(file).get(path).or_else(|| templates.next().map(|(_, item)| item))
}

#[test]
fn below_each_resource_there_is_what_is_described_and_nothing_else() {
    let file = file();
    let segments = ["x", paths::ADOPT, paths::CODE, paths::TEXT, paths::PAGES, paths::TEST];
    for resource in paths(&file).keys().filter(|path| !path.contains('{')) {
        let one = segments.iter().map(|one| format!("{resource}/{one}"));
        let two = one.clone().flat_map(|one| segments.map(|two| format!("{one}/{two}")));
        for path in one.chain(two) {
            let described: Option<BTreeSet<_>> =
                item(&file, &path).map(|item| operations(item).map(|(method, _)| method).collect());
            let found = Resource::find(&path).ok();
            let methods = found.map(|found| found.methods().split(", ").map(str::to_owned).collect());
            assert_eq!(methods, described, "{path}");
        }
    }
}

#[test]
fn each_operation_takes_the_parameters_that_are_described_and_no_other() {
    let file = file();
    let all: Vec<_> = paths(&file).values().flat_map(operations).collect();
    let known: BTreeSet<_> = all.iter().flat_map(|(_, operation)| parameters(&file, operation).0).collect();
    for (path, item) in paths(&file) {
        for (method, operation) in operations(item) {
            let (described, required) = parameters(&file, operation);
            assert!(is_call(&method, path, operation, &required), "{method} {path} takes {required:?}");
            for name in &required {
                let rest: BTreeSet<_> = required.iter().filter(|other| *other != name).cloned().collect();
                assert!(!is_call(&method, path, operation, &rest), "{method} {path} goes without {name}");
            }
            for name in &known {
                let with: BTreeSet<_> = required.iter().chain([name]).cloned().collect();
                assert_eq!(
                    is_call(&method, path, operation, &with),
                    described.contains(name),
                    "{method} {path} {name}"
                );
            }
        }
    }
}
