//! Variables in the words of a shell. Pure. Every value is quoted so that whoever reads it gets it back, whatever is in it: a region
//! comes from a file, and a file comes from anywhere.

use crate::child::Changes;
use crate::shell_init::Shell;
use serde_json::{Map, Value};

/// The variables, and what is to be unset.
#[derive(Debug)]
pub(super) struct Variables<'a> {
    set: Vec<(&'static str, &'a str)>,
    gone: &'a [&'static str],
}

/// The variable whose value a format has no words for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CannotWrite(pub(super) &'static str);

impl<'a> Variables<'a> {
    pub(super) fn of(changes: &'a Changes) -> Result<Self, CannotWrite> {
        let set = changes.variables().map(|(name, value)| match value.to_str() {
            Some(value) if !value.contains('\0') => Ok((name, value)),
            _ => Err(CannotWrite(name)),
        });
        Ok(Self { set: set.collect::<Result<_, _>>()?, gone: changes.gone() })
    }
}

pub(super) fn bash(variables: &Variables<'_>) -> String {
    let mut text = format!("unset {}\n", variables.gone.join(" "));
    text.extend(variables.set.iter().map(|(name, value)| format!("export {name}={}\n", Shell::Bash.quoted(value))));
    text
}

pub(super) fn fish(variables: &Variables<'_>) -> String {
    let mut text = format!("set -e {}\n", variables.gone.join(" "));
    text.extend(variables.set.iter().map(|(name, value)| format!("set -gx {name} {}\n", Shell::Fish.quoted(value))));
    text
}

pub(super) fn powershell(variables: &Variables<'_>) -> String {
    let gone = variables.gone.iter().map(|name| format!("Env:{name}")).collect::<Vec<_>>().join(",");
    let mut text = format!("Remove-Item -ErrorAction SilentlyContinue {gone}\n");
    text.extend(
        variables.set.iter().map(|(name, value)| format!("$Env:{name} = {}\n", Shell::Powershell.quoted(value))),
    );
    text
}

/// There is no one format of this name: readers agree on plain values, and some know quotes. What would not be the same to all is
/// refused.
pub(super) fn dotenv(variables: &Variables<'_>) -> Result<String, CannotWrite> {
    let plain = |value: &str| value.chars().all(|c| c.is_ascii_alphanumeric() || "_-./+=:@,%".contains(c));
    let lines = variables.set.iter().map(|(name, value)| match plain(value) {
        true => Ok(format!("{name}={value}\n")),
        false => Err(CannotWrite(name)),
    });
    lines.collect()
}

pub(super) fn json(variables: &Variables<'_>) -> String {
    let object: Map<String, Value> =
        variables.set.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))).collect();
    format!("{}\n", Value::Object(object))
}

/// Has the log show `***` for each value that is a secret (GitHub Actions, "Workflow commands", add-mask).
pub(super) fn github_masks(variables: &Variables<'_>) -> String {
    let secret = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];
    let escaped = |value: &str| value.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    let masked = variables.set.iter().filter(|(name, _)| secret.contains(name));
    masked.map(|(_, value)| format!("::add-mask::{}\n", escaped(value))).collect()
}

/// What later steps get (GitHub Actions, "Setting an environment variable", multiline strings): `end` is a word that nobody can know
/// before, so that no value ends early.
pub(super) fn github_variables(variables: &Variables<'_>, end: &str) -> String {
    variables.set.iter().map(|(name, value)| format!("{name}<<{end}\n{value}\n{end}\n")).collect()
}

#[cfg(test)]
#[path = "format_tests.rs"]
mod tests;
