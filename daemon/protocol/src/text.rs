//! Foreign text made fit for a terminal, a log line or a notification.

/// The most characters of foreign text that are shown.
pub const MAX_SHOWN: usize = 500;

/// Returns `text` as one printable line of at most [`MAX_SHOWN`] characters.
///
/// Control characters (C0, DEL, C1), line separators and the invisible characters that reorder or hide text become visible
/// escapes: a terminal interprets them (CVE-2023-28486 in sudo's logs, "Trojan Source" CVE-2021-42574 for the bidi ones).
#[must_use]
pub fn one_line(text: &str) -> String {
    let mut shown = String::with_capacity(text.len().min(MAX_SHOWN));
    for (count, c) in text.chars().enumerate() {
        if count == MAX_SHOWN {
            shown.push('…');
            break;
        }
        if is_hostile(c) { shown.extend(c.escape_unicode()) } else { shown.push(c) }
    }
    shown
}

/// Whether a terminal or a reader can be misled by this character.
#[must_use]
pub fn is_hostile(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{61c}' | '\u{ad}' | '\u{180e}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::{MAX_SHOWN, one_line};

    #[test]
    fn plain_text_in_any_script_is_unchanged() {
        assert_eq!(one_line("障害対応 INC-42: accès refusé"), "障害対応 INC-42: accès refusé");
    }

    #[test]
    fn escapes_controls_and_bidi() {
        for hostile in ["\u{1b}[2J", "\r", "\n", "\0", "\u{9b}", "\u{202e}", "\u{7f}", "\u{200b}"] {
            let shown = one_line(&format!("a{hostile}b"));
            assert!(shown.starts_with("a\\u{"), "{hostile:?} came through as {shown:?}");
            assert!(!shown.chars().any(super::is_hostile));
        }
    }

    #[test]
    fn cuts_long_text() {
        let shown = one_line(&"x".repeat(10_000_000));
        assert_eq!(shown.chars().count(), MAX_SHOWN + 1);
        assert!(shown.ends_with('…'));
    }
}
