//! `tegata login --qr`: what a telephone would read off the terminal is the page.
#![cfg(feature = "system")]

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};
use tegata_tests::browser;
use tegata_tests::product::{Product, run};

/// Pixels of one module.
const MODULE: usize = 4;

/// Reads the QR code off lines of half blocks, each two rows of modules.
fn decoded(lines: &[String], scratch: &Path) -> String {
    let rows = lines.iter().flat_map(|line| [['█', '▀'], ['█', '▄']].map(|dark| row(line, dark)));
    let rows: Vec<Vec<u8>> = rows.flat_map(|row| std::iter::repeat_n(row, MODULE)).collect();
    let mut picture = format!("P5 {} {} 255\n", rows[0].len(), rows.len()).into_bytes();
    picture.extend(rows.concat());
    let file = scratch.join("code.pgm");
    fs::write(&file, picture).unwrap();
    let read = run(Command::new("zbarimg").args(["--quiet", "--raw"]).arg(file));
    assert_eq!(read.code, 0, "there is no QR code: {read:?}\n{}", lines.join("\n"));
    read.stdout.trim_end().to_owned()
}

/// Grey values of one row of modules.
fn row(line: &str, dark: [char; 2]) -> Vec<u8> {
    let shade = |block| if dark.contains(&block) { 0 } else { 255 };
    line.chars().flat_map(|block| std::iter::repeat_n(shade(block), MODULE)).collect()
}

/// The lines of a code: it is as high as it is wide, and a line is two rows.
fn code_lines(output: &mut impl BufRead) -> Vec<String> {
    let mut lines = output.lines().map(|line| line.expect("the output is text"));
    let first = lines.next().expect("there is a code");
    let more = first.chars().count().div_ceil(2) - 1;
    std::iter::once(first).chain(lines.take(more)).collect()
}

#[test]
fn the_code_of_the_sign_in_page_reads_back_as_its_address() {
    let mut product = Product::new();
    product.start_daemon();
    let mut login = product.tegata(&["login", "corp", "--qr"]);
    let mut login = login.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut output = BufReader::new(login.stdout.take().unwrap());
    let url = decoded(&code_lines(&mut output), &product.path(""));
    // To the byte: the state and the challenge in it are checked at the end of the sign-in.
    assert!(url.starts_with(&format!("{}/authorize?", product.sandbox().url())), "{url}");
    assert!(browser::visit(&url).body.contains("Back to the terminal"));
    let mut stderr = String::new();
    login.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert!(login.wait().unwrap().success(), "{stderr}");
    assert!(stderr.split_whitespace().any(|word| word == url), "{url} is not the page of {stderr}");
    assert_eq!(product.credentials("dev").code, 0);
}

#[test]
fn the_code_of_a_device_sign_in_reads_back_as_the_page_that_is_named() {
    let mut product = Product::new();
    product.start_daemon();
    let ended = product.run(&["login", "corp", "--device-code", "--qr"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let url = decoded(&code_lines(&mut ended.stdout.as_bytes()), &product.path(""));
    assert!(url.starts_with("http") && ended.stderr.split_whitespace().any(|word| word == url), "{url}: {ended:?}");
    let code = product.sandbox().device_authorizations()[0].user_code.clone();
    assert!(!url.contains(&code), "the code is typed by a person: {url}");
}
