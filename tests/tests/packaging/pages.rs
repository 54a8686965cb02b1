//! The man pages and completions in `packaging/` against the program that is built.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;
use tegata_tests::packages::source;
use tegata_tests::product::run;
use tegata_tests::program;

const VERSION: &str = env!("CARGO_PKG_VERSION");

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

/// Above lists in a help.
const HEADINGS: [&str; 3] = ["Arguments:", "Options:", "Commands:"];
/// Less than this is before an argument, an option or a command, more before what is said of it.
const DEEP: &str = "          ";

/// What a command says of itself, once in its help and once in its man page.
#[derive(Debug, Default, PartialEq)]
struct Said {
    about: String,
    /// Arguments, options and commands, as they are written, and what each is for.
    items: BTreeMap<String, String>,
    /// Examples and what else comes after the options.
    end: String,
}

/// Letters and digits alone: a help wraps its lines, a man page has fonts and headings, and each has bullets of its own.
fn letters(text: &str) -> String {
    text.chars().filter(|character| character.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

impl Said {
    /// Adds an item. A man page has a default behind the name, the help at the end; only the page drops the dots of "and more of these".
    fn item(&mut self, head: &str, text: &str) {
        let (name, default) = head.split_at(head.find(" [default").unwrap_or(head.len()));
        self.items.insert(name.trim_end_matches("...").to_owned(), letters(&format!("{text}{default}")));
    }

    fn in_help(name: &str, help: &str) -> Self {
        let (about, rest) = help.split_once("Usage:").unwrap();
        let mut said = Self { about: letters(about), ..Self::default() };
        let mut heading = "";
        let mut lines = rest.lines().skip(1).filter(|line| !line.is_empty()).peekable();
        while let Some(line) = lines.next() {
            if !line.starts_with(' ') && HEADINGS.contains(&line) {
                heading = line;
            } else if !line.starts_with(' ') {
                said.end = letters(&[line].into_iter().chain(&mut lines).collect::<String>());
            } else {
                let (head, text) = line.trim_start().split_once("  ").unwrap_or((line.trim_start(), ""));
                let more = std::iter::from_fn(|| lines.next_if(|line| line.starts_with(DEEP)));
                let text = [text].into_iter().chain(more).collect::<String>();
                match (heading, head) {
                    ("Commands:", "help") => {}
                    ("Commands:", command) => said.item(&format!("{name}-{command}(1)"), &text),
                    _ => said.item(head, &text),
                }
            }
        }
        said
    }

    fn in_page(page: &str) -> Self {
        let mut said = Self::default();
        for section in plain(page).split(".SH ").skip(1) {
            let (heading, body) = section.split_once('\n').unwrap();
            match heading {
                "NAME" | "SYNOPSIS" | "\"SEE ALSO\"" => {}
                "DESCRIPTION" => said.about = letters(&without_macros(body)),
                "OPTIONS" | "SUBCOMMANDS" => {
                    let (items, rest) = body.split_once(".PP\n.nf").unwrap_or((body, ""));
                    for item in items.split(".TP\n").skip(1) {
                        let (head, text) = item.split_once('\n').unwrap();
                        said.item(head, &without_macros(text));
                    }
                    said.end += &letters(&without_macros(rest));
                }
                _ => said.end += &letters(&format!("{heading}{}", without_macros(body))),
            }
        }
        said
    }
}

/// A page without its fonts, and with dashes and quotes as they are read.
fn plain(page: &str) -> String {
    let marks = [("\\-", "-"), ("\\*(Aq", "'"), ("\\fB", ""), ("\\fR", ""), ("\\fI", "")];
    let page = marks.iter().fold(page.to_owned(), |page, (mark, read)| page.replace(mark, read));
    page.lines()
        .filter(|line| !line.starts_with(".ie ") && !line.starts_with(".el "))
        .fold(String::new(), |page, line| page + line + "\n")
}

fn without_macros(text: &str) -> String {
    text.lines().filter(|line| !line.starts_with('.')).collect()
}

/// Goes through the program's own help and returns the names of all commands, `tegata-passkey-add`.
fn compare(words: &[&str], seen: &mut BTreeSet<String>) {
    let name = ["tegata"].iter().chain(words).copied().collect::<Vec<_>>().join("-");
    let page = fs::read_to_string(source(&format!("man/{name}.1"))).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert!(page.contains(&format!(".TH {name} 1  \"tegata {VERSION}\"")), "{name} is of another version");
    let help = help(words);
    assert_eq!(Said::in_page(&page), Said::in_help(&name, &help), "the man page of {name} is stale; run: make pages");
    seen.insert(format!("{name}.1"));
    for command in commands_of(&help) {
        compare(&[words, &[command.as_str()]].concat(), seen);
    }
}

#[test]
fn every_command_of_the_program_has_a_man_page_that_says_what_its_help_says_and_no_page_is_left_over() {
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
