//! What the demo prints: steps, commands with what they say, and no secret.

use crate::Outcome;
use serde_json::Value;
use std::io::{BufRead, BufReader, Read};
use std::sync::atomic::{AtomicUsize, Ordering};
use tegata_tests::product::{Ended, Product};

static STEP: AtomicUsize = AtomicUsize::new(1);

/// Begins the next step.
pub(crate) fn step(what: &str) {
    println!("\n[{}] {what}", STEP.fetch_add(1, Ordering::Relaxed));
}

/// Says something about what is to come.
pub(crate) fn note(text: &str) {
    text.lines().for_each(|line| println!("    {line}"));
}

pub(crate) fn indented(text: &str) -> String {
    text.lines().map(|line| format!("      {line}").trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

/// Runs a command and shows what it says. It has to end well.
pub(crate) fn run(product: &Product, arguments: &[&str]) -> Outcome<()> {
    println!("{}", line(arguments));
    let ended = product.run(arguments);
    println!("{}", indented(&format!("{}{}", ended.stderr, ended.stdout)));
    well(&ended).map(drop)
}

/// Runs a command and returns what it printed, which is not shown.
pub(crate) fn quietly(product: &Product, arguments: &[&str]) -> Outcome<String> {
    println!("{}", line(arguments));
    well(&product.run(arguments)).map(|ended| ended.stdout.clone())
}

/// Shows that the tool of a gated profile is refused.
pub(crate) fn refused(product: &Product) -> Outcome<()> {
    let arguments = ["credential-process", "--profile", "admin", "--wait", "0"];
    println!("{}", line(&arguments));
    let ended = product.run(&arguments);
    println!("{}\n      (exit code {})", indented(&ended.stderr), ended.code);
    if ended.code == 11 && ended.stdout.is_empty() { Ok(()) } else { Err(format!("not refused: {ended:?}").into()) }
}

/// Runs a command that prints a page, has `open` go there, and shows what the command says, in the order it does.
pub(crate) fn with_page(
    product: &Product,
    arguments: &[&str],
    mut open: impl FnMut(&str) -> Result<(), String>,
) -> Outcome<()> {
    println!("{}", line(arguments));
    let (output, end) = std::io::pipe()?;
    let mut command = product.tegata(arguments);
    let mut running = command.stdout(end.try_clone()?).stderr(end).spawn()?;
    // The command holds ends of the pipe as well, and nobody would ever see its last line.
    drop(command);
    let mut output = BufReader::new(output);
    let mut said = String::new();
    while output.read_line(&mut said)? > 0 {
        println!("{}", indented(&said));
        if let Some(url) = said.split_whitespace().find(|word| word.starts_with("http")) {
            println!("      … the page is opened and answered …");
            open(url)?;
            break;
        }
        said.clear();
    }
    let mut rest = String::new();
    output.read_to_string(&mut rest)?;
    println!("{}", indented(&rest));
    if running.wait()?.success() { Ok(()) } else { Err(format!("tegata {} failed", arguments.join(" ")).into()) }
}

/// Shows what is no secret, and of secrets their first four characters.
pub(crate) fn masked(credentials: &Value) -> Value {
    let mut shown = credentials.clone();
    for key in ["SecretAccessKey", "SessionToken"] {
        let secret = credentials[key].as_str().unwrap_or_default();
        let head: String = secret.chars().take(4).collect();
        shown[key] = format!("{head}… ({} characters)", secret.len()).into();
    }
    shown
}

/// Shows a record without what only a machine reads: pids, start times, the version of the format.
pub(crate) fn record(record: &Value) {
    let mut shown = record.clone();
    if let Some(fields) = shown.as_object_mut() {
        fields.retain(|name, _| !["v", "at", "seq", "boot_ms", "requester", "event"].contains(&name.as_str()));
    }
    let text = |name: &str| record[name].as_str().unwrap_or_default();
    println!("    {} {:<17} {shown}", text("at"), text("event"));
}

fn well(ended: &Ended) -> Outcome<&Ended> {
    if ended.code == 0 { Ok(ended) } else { Err(format!("it failed: {ended:?}").into()) }
}

/// A command as a person would type it.
fn line(arguments: &[&str]) -> String {
    let quoted = arguments.iter().map(|word| if word.contains(' ') { format!("'{word}'") } else { (*word).to_owned() });
    format!("    $ tegata {}", quoted.collect::<Vec<_>>().join(" "))
}
