//! `make demo`: the main job from beginning to end, on this machine alone.
//!
//! A sandbox stands for AWS, a private home for the user's. With `STAY=1` everything keeps running for a person to try, with
//! `STAY=1 BROWSER=chromium` a real browser shows the pages.

mod person;
mod show;
mod stay;

use person::Person;
use serde_json::Value;
use show::{indented, masked, note, step};
use std::error::Error;
use tegata_sandbox::Consent;
use tegata_tests::product::Product;
use tegata_tests::signed_call::caller_identity;

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let stays = std::env::var_os("STAY").is_some_and(|stay| !stay.is_empty() && stay != "0");
    let mut person = Person::wanted(stays)?;
    let mut product = Product::new();
    begin(&mut product, &mut person)?;
    read_only(&product)?;
    elevate(&product, &mut person)?;
    drop_it(&product)?;
    records(&product);
    if stays { stay::stay(&product, &mut person) } else { Ok(()) }
}

fn begin(product: &mut Product, person: &mut Person) -> Outcome<()> {
    println!("The whole of Tegata on this machine alone. AWS is played by a sandbox; nothing leaves the machine.");
    step("Start: the sandbox and the daemon");
    note(&format!("AWS sandbox at {}", product.sandbox().url()));
    let pid = product.start_daemon();
    note(&format!("tegatad, pid {pid}, in a private home at {}", product.path("").display()));
    note("store: memory, set in its config.toml: everything is forgotten when the daemon ends");
    step("Sign in, once");
    note("The organisation's page is answered by this program, as a person would.");
    if matches!(person, Person::Browser(..)) {
        product.sandbox().configure(|settings| settings.authorize = Consent::Page);
    }
    show::with_page(product, &["login", "corp", "--print"], |url| person.sign_in(url))?;
    show::run(product, &["list"])?;
    Ok(())
}

fn read_only(product: &Product) -> Outcome<()> {
    step("Read-only work: no gate, no question");
    note("What every AWS tool runs by itself; secrets are masked here:");
    let line = ["credential-process", "--profile", "dev"];
    let credentials: Value = serde_json::from_str(&show::quietly(product, &line)?)?;
    println!("{}", indented(&serde_json::to_string_pretty(&masked(&credentials))?));
    note("sts get-caller-identity, signed with them by aws-sigv4, the signature checked by the sandbox:");
    println!("{}", indented(&caller_identity(&product.sandbox().url(), &credentials)?));
    Ok(())
}

fn elevate(product: &Product, person: &mut Person) -> Outcome<()> {
    step("The first passkey puts a gate before administration");
    note(&person.introduction());
    let add = ["passkey", "add", "--person", "you", "--name", "first key", "--print"];
    show::with_page(product, &add, |url| person.approve(url))?;
    step("A tool without a grant gets nothing");
    note("--wait 0, so that it does not wait for a hand");
    show::refused(product)?;
    step("Administration, for 15 minutes, by a passkey gesture");
    let elevate = ["elevate", "admin", "--for", "15m", "--reason", "INC-42: stuck deployment", "--print"];
    show::with_page(product, &elevate, |url| person.approve(url))?;
    let credentials = show::quietly(product, &["credential-process", "--profile", "admin"])?;
    note("sts get-caller-identity, signed with what it printed:");
    println!("{}", indented(&caller_identity(&product.sandbox().url(), &serde_json::from_str(&credentials)?)?));
    Ok(())
}

fn drop_it(product: &Product) -> Outcome<()> {
    step("And the gate closes again");
    show::run(product, &["drop", "admin"])?;
    show::refused(product)
}

fn records(product: &Product) {
    step("The records: who had what, why, and who approved");
    note("From the audit log, shortened here: each line also has the program that asked and those that started it.");
    product.audit().iter().for_each(show::record);
}
