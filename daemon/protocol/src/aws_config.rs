//! How both programs read AWS config: what its lines mean to any client, and the keys that say where credentials come from.
//!
//! No two clients read the format alike, so whatever any of them accepts is accepted here (measured with CLI 2.38, boto3, JS v3,
//! Rust, Go).

/// What is put before AWS's key names in a profile that Tegata serves: every SDK skips such keys.
pub const PREFIX: &str = "tegata_";

/// AWS's keys that say where credentials come from, as far as Tegata serves them.
pub const SERVED_KEYS: [&str; 15] = [
    "sso_session",
    "sso_account_id",
    "sso_role_name",
    "sso_start_url",
    "sso_region",
    "sso_registration_scopes",
    "role_arn",
    "source_profile",
    "external_id",
    "role_session_name",
    "duration_seconds",
    "mfa_serial",
    "web_identity_token_file",
    "credential_source",
    "login_session",
];

/// The keys of sources that AWS has no keys for: they are read behind [`PREFIX`] only.
pub const OWN_KEYS: [&str; 5] =
    ["iam_user", "trust_anchor_arn", "roles_anywhere_profile_arn", "certificate", "private_key"];

/// The most bytes of a config file. Ten thousand generated profiles are about 3 MB.
pub const MAX_BYTES: usize = 16 * 1024 * 1024;

/// The most bytes of a line.
pub const MAX_LINE: usize = 64 * 1024;

/// Says why a file cannot be AWS config, whatever its lines say.
///
/// # Errors
/// One line.
pub fn check_file(bytes: &[u8]) -> Result<(), String> {
    if bytes.len() > MAX_BYTES {
        return Err(format!("larger than the {} MiB that are read", MAX_BYTES / 1024 / 1024));
    }
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err("is UTF-16; save it as UTF-8".to_owned());
    }
    Ok(())
}

/// Returns a line as text. A comment may hold anything, and is nothing but `#` where it is no UTF-8: people's names in Latin-1 never
/// stopped a file from working.
///
/// # Errors
/// One line that says what the line is or holds.
pub fn line_text(line: &[u8]) -> Result<&str, String> {
    if line.len() > MAX_LINE {
        return Err(format!("longer than the {} KiB that are read", MAX_LINE / 1024));
    }
    if line.contains(&0) {
        return Err("holds a NUL byte; is the file UTF-16? Save it as UTF-8".to_owned());
    }
    match std::str::from_utf8(line) {
        Ok(text) => Ok(text),
        Err(_) if matches!(line.trim_ascii_start().first(), Some(b'#' | b';')) => Ok("#"),
        Err(_) => Err("is not UTF-8".to_owned()),
    }
}

/// Finds the bracket that ends a section's header, of which `rest` is what follows the first bracket. A bracket inside quotes
/// belongs to the name, `[profile "a]b"]`, unless there is no other.
#[must_use]
pub fn end_of_header(rest: &str) -> Option<usize> {
    let mut quote = None;
    for (at, c) in rest.char_indices() {
        match (quote, c) {
            (None, ']') => return Some(at),
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            _ => {}
        }
    }
    rest.find(']')
}

/// Takes the quotes off a section's name.
#[must_use]
pub fn unquoted(name: &str) -> &str {
    ['"', '\''].into_iter().find_map(|quote| name.strip_prefix(quote)?.strip_suffix(quote)).unwrap_or(name)
}

/// Takes the comment off a value. It begins with white space and `#` or `;` (as Rust, Go and JS have it), so that the `#/` which
/// portals put at the end of a start URL stays.
#[must_use]
pub fn without_comment(value: &str) -> &str {
    let mut blank = false;
    for (at, c) in value.char_indices() {
        if blank && (c == '#' || c == ';') {
            return &value[..at];
        }
        blank = is_blank(c);
    }
    value
}

/// Whether a key is one that clients read.
#[must_use]
pub fn is_plain_key(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
}

/// Whether this is white space to the format's readers; theirs is ASCII.
#[must_use]
pub fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n' | '\u{b}' | '\u{c}')
}

/// Takes the white space off both ends.
#[must_use]
pub fn trim(text: &str) -> &str {
    text.trim_matches(is_blank)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_begins_behind_white_space_and_a_portals_end_is_none() {
        assert_eq!(without_comment("a ; b"), "a ");
        assert_eq!(without_comment("https://x.awsapps.com/start#/"), "https://x.awsapps.com/start#/");
    }

    #[test]
    fn a_comment_in_latin_1_is_a_comment_and_other_bytes_are_refused() {
        assert_eq!(line_text(b"  # J\xfcrgen"), Ok("#"));
        assert_eq!(line_text(b"name = J\xfcrgen"), Err("is not UTF-8".to_owned()));
        assert!(line_text(b"a\0").is_err_and(|why| why.contains("NUL")));
        assert!(line_text(&[b'a'; MAX_LINE]).is_ok() && line_text(&[b'a'; MAX_LINE + 1]).is_err());
        assert!(check_file(b"\xff\xfe[").is_err_and(|why| why.contains("UTF-16")) && check_file(b"[").is_ok());
    }

    #[test]
    fn a_bracket_in_quotes_does_not_end_a_header_unless_there_is_no_other() {
        assert_eq!(end_of_header("profile \"a]b\"] # x"), Some(13));
        assert_eq!(end_of_header("profile \"a]"), Some(10));
        assert_eq!(end_of_header("profile a"), None);
    }

    #[test]
    fn only_white_space_of_the_format_is_taken_off() {
        assert_eq!(trim("\u{b} a\u{3000}\r\n"), "a\u{3000}");
    }
}
