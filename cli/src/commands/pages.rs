//! The man pages and shell completions that packages carry: made from the parser's own description, kept in `packaging/`, and
//! compared with it here. The program itself knows nothing of them.

use super::Cli;
use clap::{Command, CommandFactory};
use clap_complete::Shell;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};
use std::collections::BTreeMap;
use std::path::Path;
use std::{fs, io};

/// `make pages` sets it: what differs is written instead of refused.
const WRITE: &str = "TEGATA_PAGES";

type Files = BTreeMap<String, String>;

/// Returns the whole command line with names that say where a command belongs, `tegata-passkey-add`.
fn built() -> Command {
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    command
}

fn man_pages() -> Files {
    let mut pages = Files::new();
    add_page(&mut pages, &built());
    pages
}

fn add_page(pages: &mut Files, command: &Command) {
    let name = command.get_display_name().unwrap_or("tegata").to_owned();
    pages.insert(format!("{name}.1"), String::from_utf8(page(command).unwrap()).unwrap());
    command.get_subcommands().filter(|command| !command.is_hide_set()).for_each(|command| add_page(pages, command));
}

fn page(command: &Command) -> io::Result<Vec<u8>> {
    let man = Man::new(command.clone()).source(concat!("tegata ", env!("CARGO_PKG_VERSION"))).manual("Tegata");
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut page)?;
    }
    let mut end = Roff::new();
    let after = command.get_after_long_help().or_else(|| command.get_after_help());
    after_help(&mut end, &after.map(ToString::to_string).unwrap_or_default());
    if command.get_name() != "tegata" {
        end.control("SH", ["SEE ALSO"]);
        end.text([roman("tegata(1)")]);
    }
    end.to_writer(&mut page)?;
    Ok(page)
}

/// A paragraph that begins with a few words and a colon, as `Examples:` and `Exit codes: …`, is a section of its own.
fn after_help(roff: &mut Roff, text: &str) {
    for paragraph in text.split("\n\n").filter(|paragraph| !paragraph.is_empty()) {
        let heading = paragraph.split_once(':').filter(|(heading, _)| heading.len() < 20);
        match heading {
            Some((heading, _)) => roff.control("SH", [heading.to_uppercase().as_str()]),
            None => roff.control("PP", []),
        };
        roff.control("nf", []);
        for line in heading.map_or(paragraph, |(_, body)| body.trim_start_matches('\n')).lines() {
            roff.text([roman(line.strip_prefix("  ").unwrap_or(line.trim_start()))]);
        }
        roff.control("fi", []);
    }
}

/// Returns the command line without the commands that only shells call: a hidden one would be offered all the same.
fn without_hidden() -> Command {
    let whole = Cli::command();
    let shown = whole.get_subcommands().filter(|command| !command.is_hide_set()).cloned();
    Command::new("tegata").version(super::version()).args(whole.get_arguments().cloned()).subcommands(shown)
}

fn completions() -> Files {
    let mut files = Files::new();
    for (shell, file) in [
        (Shell::Bash, "tegata.bash"),
        (Shell::Zsh, "_tegata"),
        (Shell::Fish, "tegata.fish"),
        (Shell::PowerShell, "_tegata.ps1"),
    ] {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut without_hidden(), "tegata", &mut script);
        files.insert(file.to_owned(), String::from_utf8(script).unwrap());
    }
    files
}

/// Compares a directory of `packaging/` with what it should hold; nothing more may be there either.
#[allow(clippy::disallowed_methods, reason = "`make pages` tells a test so")]
fn compare(directory: &str, wanted: &Files) {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../packaging").join(directory);
    #[allow(clippy::disallowed_methods, reason = "how a person asks this test to write them anew")]
    let write = std::env::var_os(WRITE).is_some();
    if write {
        fs::create_dir_all(&directory).unwrap();
        fs::read_dir(&directory).unwrap().for_each(|file| fs::remove_file(file.unwrap().path()).unwrap());
        wanted.iter().for_each(|(name, text)| fs::write(directory.join(name), text).unwrap());
    }
    let read = |file: fs::DirEntry| (file.file_name().into_string().unwrap(), fs::read_to_string(file.path()).unwrap());
    let found: Files = fs::read_dir(&directory).unwrap().map(|file| read(file.unwrap())).collect();
    let names = |files: &Files| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&found), names(wanted), "{} is stale; run: make pages", directory.display());
    for (name, text) in wanted {
        assert!(found[name] == *text, "{}/{name} is stale; run: make pages", directory.display());
    }
}

#[test]
fn the_packaged_man_pages_are_those_of_this_command_line() {
    compare("man", &man_pages());
}

#[test]
fn the_packaged_completions_are_those_of_this_command_line() {
    compare("completions", &completions());
}

#[test]
fn examples_keep_their_lines_and_are_a_section() {
    let pages = man_pages();
    let page = &pages["tegata-elevate.1"];
    let examples = page.split(".SH EXAMPLES").nth(1).expect("a section");
    assert!(examples.contains("\n.nf\ntegata elevate prod"), "{page}");
    assert!(examples.contains(".fi\n.SH \"SEE ALSO\"\ntegata(1)"), "{page}");
    assert!(pages["tegata.1"].contains(".SH \"EXIT CODES\"\n.nf\n0 done"), "{}", pages["tegata.1"]);
}
