//! The difference between two texts, for a person at a terminal.

use similar::TextDiff;
use std::path::Path;
use std::time::Duration;
use tegata_protocol::text::{is_hostile, one_line};

/// After how long a shorter difference is no longer looked for.
const PATIENCE: Duration = Duration::from_secs(2);
/// How many lines around a difference are shown.
const CONTEXT: usize = 3;

/// Returns a unified diff of two texts, printable, in which values of secret keys are hidden; nothing where they are the same.
pub(super) fn unified(path: &Path, before: &[u8], after: &[u8]) -> String {
    let (before, after) = (shown(before), shown(after));
    let name = one_line(&path.to_string_lossy());
    TextDiff::configure()
        .timeout(PATIENCE)
        .diff_lines(before.as_str(), after.as_str())
        .unified_diff()
        .context_radius(CONTEXT)
        .missing_newline_hint(false)
        .header(&name, &name)
        .to_string()
}

/// A text as it may be shown, line by line.
fn shown(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.lines().map(|line| printable(&hidden(line)) + "\n").collect()
}

/// A line near a change may be a key that somebody left in the file: it is not carried into terminals and their logs.
fn hidden(line: &str) -> String {
    match line.split_once(['=', ':']) {
        Some((key, value)) if is_secret(key) && !value.trim().is_empty() => {
            let mark = &line[key.len()..=key.len()];
            format!("{key}{mark} (hidden)")
        }
        _ => line.to_owned(),
    }
}

fn is_secret(key: &str) -> bool {
    let key = key.trim().to_ascii_lowercase();
    key.contains("secret") || key.contains("password") || key.ends_with("token")
}

fn printable(line: &str) -> String {
    let mut shown = String::with_capacity(line.len());
    for c in line.chars() {
        if c == '\t' || !is_hostile(c) { shown.push(c) } else { shown.extend(c.escape_unicode()) }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn diff(before: &str, after: &str) -> String {
        unified(Path::new("/home/a/.aws/config"), before.as_bytes(), after.as_bytes())
    }

    #[test]
    fn what_changes_is_shown_with_what_is_around_it() {
        insta::assert_snapshot!(diff("a = 1\nb = 2\nc = 3\nd = 4\ne = 5\n", "a = 1\nb = 2\nc = 3\nd = 4\nx = 6\n"), @"
        --- /home/a/.aws/config
        +++ /home/a/.aws/config
        @@ -2,4 +2,4 @@
         b = 2
         c = 3
         d = 4
        -e = 5
        +x = 6
        ");
    }

    #[test]
    fn nothing_changed_is_nothing_shown() {
        assert_eq!(diff("a = 1\r\n", "a = 1\r\n"), "");
    }

    #[test]
    fn no_secret_near_a_change_is_shown() {
        let text = "[default]\naws_access_key_id = AKIA\naws_secret_access_key = canary\nAWS_SESSION_TOKEN: canary\n";
        let shown = diff(text, &format!("{text}region = x\n"));
        assert!(!shown.contains("canary") && shown.contains("aws_secret_access_key = (hidden)"), "{shown}");
        assert!(shown.contains("AWS_SESSION_TOKEN: (hidden)"), "{shown}");
    }

    #[test]
    fn what_would_drive_the_terminal_is_escaped() {
        let shown = diff("# \u{1b}[2J\u{202e}\r\n", "# \u{1b}[2J\u{202e}\r\nb\n");
        assert!(!shown.chars().any(|c| c != '\n' && is_hostile(c)), "{shown:?}");
        assert!(unified(Path::new("x"), b"# \xff\n", b"# \xff\na\n").contains('\u{fffd}'));
    }
}
