//! The documents against the repository: what they link to is there, what they name exists.
#![allow(clippy::unwrap_used, reason = "this is a test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tegata_tests::program;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The files of the repository below a directory that end so.
fn files(directory: &Path, end: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && !name.starts_with('.') && !["target", "node_modules"].contains(&name.as_str()) {
            found.extend(files(&path, end));
        } else if name.ends_with(end) {
            found.push(path);
        }
    }
    found
}

/// What stands between each `open` and the next `close`.
fn between<'a>(text: &'a str, open: &str, close: &str) -> Vec<&'a str> {
    let (mut found, mut rest) = (Vec::new(), text);
    while let Some((inside, behind)) = rest.split_once(open).and_then(|(_, after)| after.split_once(close)) {
        found.push(inside);
        rest = behind;
    }
    found
}

/// The headings of a document, as its anchors.
fn anchors(document: &str) -> BTreeSet<String> {
    let headings =
        document.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    let anchor = |heading: &str| {
        let kept = heading.to_lowercase();
        kept.chars()
            .filter(|one| one.is_alphanumeric() || [' ', '-', '_'].contains(one))
            .collect::<String>()
            .replace(' ', "-")
    };
    headings.map(anchor).collect()
}

/// Whether a link of a document leads somewhere: web addresses are believed.
fn leads_somewhere(document: &Path, link: &str) -> bool {
    if link.starts_with("https://") || link.starts_with("http://") {
        return true;
    }
    let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
    let file = if file.is_empty() { document.to_owned() } else { document.parent().unwrap().join(file) };
    file.exists() && (anchor.is_empty() || anchors(&fs::read_to_string(file).unwrap()).contains(anchor))
}

#[test]
fn every_link_leads_somewhere() {
    let mut astray = Vec::new();
    for document in files(&root(), ".md") {
        let text = fs::read_to_string(&document).unwrap();
        let pictures = between(&text, "src=\"", "\"");
        for link in between(&text, "](", ")").into_iter().chain(pictures) {
            if !leads_somewhere(&document, link) {
                astray.push(format!("{}: {link}", document.display()));
            }
        }
    }
    assert!(astray.is_empty(), "{astray:#?}");
}

#[test]
fn a_link_of_the_book_does_not_lead_out_of_it() {
    let docs = root().join("docs");
    let mut outside = Vec::new();
    for document in files(&docs, ".md") {
        let below = document.strip_prefix(&docs).unwrap().components().count() - 1;
        let text = fs::read_to_string(&document).unwrap();
        let out = |link: &&str| link.matches("../").count() > below;
        outside.extend(
            between(&text, "](", ")").into_iter().filter(out).map(|link| format!("{}: {link}", document.display())),
        );
    }
    assert!(outside.is_empty(), "name the whole address: {outside:#?}");
}

#[test]
fn a_link_that_leads_nowhere_is_found() {
    let readme = root().join("README.md");
    for link in ["docs/nothing.md", "#no-such-heading", "docs/settings.md#no-such-heading"] {
        assert!(!leads_somewhere(&readme, link), "{link}");
    }
    assert!(leads_somewhere(&readme, "docs/settings.md#rules-rule"));
}

#[test]
fn every_picture_of_a_terminal_is_shown_and_says_what_it_is() {
    let pictures = files(&root().join("docs/pictures"), ".svg");
    assert!(pictures.len() >= 10, "{pictures:?}");
    let text: String = files(&root(), ".md").iter().map(|file| fs::read_to_string(file).unwrap()).collect();
    for picture in pictures {
        let name = picture.file_name().unwrap().to_string_lossy().into_owned();
        assert!(text.contains(&format!("pictures/{name}")), "{name} is shown nowhere");
        let svg = fs::read_to_string(&picture).unwrap();
        assert!(svg.contains("<title id=\"title\">") && svg.contains("<desc id=\"description\">"), "{name}");
    }
}

#[test]
fn every_document_is_a_page_of_the_book() {
    let docs = root().join("docs");
    let summary = fs::read_to_string(docs.join("SUMMARY.md")).unwrap();
    let named: Vec<_> = between(&summary, "](", ")").into_iter().filter(|page| !page.is_empty()).collect();
    let pages: BTreeSet<_> = named.iter().map(|page| docs.join(page)).collect();
    assert_eq!(pages.len(), named.len(), "mdbook takes no page twice");
    let documents = files(&docs, ".md").into_iter().filter(|document| !document.ends_with("SUMMARY.md"));
    // Pictures are listed beside themselves.
    let left_out: Vec<_> =
        documents.filter(|document| !pages.contains(document) && !document.ends_with("pictures/README.md")).collect();
    assert!(left_out.is_empty(), "{left_out:#?}");
}

#[test]
fn every_test_that_the_practices_name_exists() {
    let sources: String = files(&root(), ".rs").iter().map(|file| fs::read_to_string(file).unwrap()).collect();
    let practices = fs::read_to_string(root().join("docs/practices.md")).unwrap();
    let shown_by = practices.lines().filter_map(|line| line.trim_end_matches('|').rsplit_once('|'));
    let named: Vec<_> =
        shown_by.flat_map(|(_, tests)| between(tests, "`", "`")).filter(|name| name.contains('_')).collect();
    assert!(named.len() > 30, "{named:?}");
    let missing: Vec<_> = named.iter().filter(|name| !sources.contains(&format!("fn {name}("))).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// The commands that documents show: `tegata` and the words behind it that are names of commands.
fn commands(text: &str) -> BTreeSet<Vec<String>> {
    let words = |rest: &str| {
        let words =
            rest.split_whitespace().take_while(|word| word.chars().all(|one| one.is_ascii_lowercase() || one == '-'));
        words.take_while(|word| !word.starts_with('-')).map(str::to_owned).collect::<Vec<_>>()
    };
    between(text, "`tegata ", "`").into_iter().map(words).filter(|words| !words.is_empty()).collect()
}

#[test]
fn every_command_that_the_documents_show_exists() {
    let mut all = BTreeSet::new();
    for document in files(&root(), ".md") {
        all.extend(commands(&fs::read_to_string(document).unwrap()));
    }
    let heads: BTreeSet<_> = all.iter().map(|words| words[0].clone()).collect();
    assert!(heads.len() > 10, "{heads:?}");
    let known = |head: &&String| {
        let help = Command::new(program("tegata")).args(["help", head]).output().unwrap();
        !help.status.success()
    };
    let unknown: Vec<_> = heads.iter().filter(known).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}
