//! The man pages and completions in `packaging/` against the program that is built.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;
use tegata_tests::packages::source;
use tegata_tests::product::run;
use tegata_tests::program;

fn help(words: &[&str]) -> String {
    let ended = run(Command::new(program("tegata")).args(words).arg("--help"));
    assert_eq!(ended.code, 0, "{ended:?}");
    ended.stdout
}

/// The commands that a help lists.
fn commands_of(help: &str) -> Vec<String> {
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let names = listed.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    names.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help").map(str::to_owned).collect()
}

/// The words that begin with two dashes, of lines where options are described.
fn options_in(text: &str, is_description: impl Fn(&str) -> bool) -> BTreeSet<String> {
    let lines = text.lines().filter(|line| is_description(line));
    let words = lines.flat_map(|line| line.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-')));
    words.filter(|word| word.starts_with("--") && word.len() > 2).map(str::to_owned).collect()
}

/// Goes through the program's own help and returns the names of all commands, `tegata-passkey-add`.
fn compare(words: &[&str], seen: &mut BTreeSet<String>) {
    let name = ["tegata"].iter().chain(words).copied().collect::<Vec<_>>().join("-");
    let page = fs::read_to_string(source(&format!("man/{name}.1"))).unwrap_or_else(|error| panic!("{name}: {error}"));
    let help = help(words);
    let said = options_in(&help, |line| line.trim_start().starts_with('-'));
    let page = page.replace("\\-", "-").replace("\\fB", "").replace("\\fR", "").replace("\\fI", "");
    let written = options_in(page.split(".SH OPTIONS").nth(1).unwrap_or_default(), |line| line.starts_with('-'));
    assert_eq!(written, said, "the man page of {name} is stale; run: make pages");
    seen.insert(format!("{name}.1"));
    for command in commands_of(&help) {
        compare(&[words, &[command.as_str()]].concat(), seen);
    }
}

#[test]
fn every_command_of_the_program_has_a_man_page_with_its_options_and_no_page_is_left_over() {
    let mut seen = BTreeSet::new();
    compare(&[], &mut seen);
    let pages = fs::read_dir(source("man")).unwrap().map(|page| page.unwrap().file_name().into_string().unwrap());
    assert_eq!(pages.collect::<BTreeSet<_>>(), seen);
    assert!(seen.contains("tegata-passkey-add.1"), "{seen:?}");
}

#[test]
fn bash_completes_the_program_s_commands() {
    let script = format!(
        "source {}; COMP_WORDS=(tegata \"\"); COMP_CWORD=1; _tegata tegata \"\" tegata; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        source("completions/tegata.bash").display()
    );
    let ended = run(Command::new("bash").args(["--norc", "-c", &script]));
    assert_eq!(ended.code, 0, "{ended:?}");
    let offered: BTreeSet<_> = ended.stdout.lines().filter(|word| !word.starts_with('-')).map(str::to_owned).collect();
    let listed: BTreeSet<_> = commands_of(&help(&[])).into_iter().collect();
    assert_eq!(offered.difference(&listed).filter(|word| *word != "help").count(), 0, "{offered:?}");
    assert_eq!(listed.difference(&offered).count(), 0, "{offered:?}");
}
