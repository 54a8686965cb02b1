//! The scalars of a YAML text by their paths: block mappings, plain and quoted scalars, comments. What else YAML has (anchors,
//! flow collections, block scalars, lists) is passed over; it is an error only where the text is no mapping at all.
//!
//! A narrow reader because of what it is read for: a few keys of a settings file that a person, or one known program, wrote.

use std::collections::BTreeMap;

/// The most values that are read.
const MAX_VALUES: usize = 100_000;
/// How deep mappings are followed.
const MAX_DEPTH: usize = 16;

/// Reads every scalar that stands in block mappings.
pub(super) fn scalars(text: &str) -> Result<BTreeMap<Vec<String>, String>, String> {
    let mut values = BTreeMap::new();
    // The mappings the line stands in: how far each is indented, and the key it is the value of.
    let mut path: Vec<(usize, String)> = Vec::new();
    let mut passed_over: Option<usize> = None;
    for (number, line) in (1..).zip(text.lines()) {
        let trimmed = line.trim();
        let indent = line.len() - line.trim_start_matches(' ').len();
        let nothing = trimmed.is_empty() || trimmed.starts_with('#') || trimmed == "---" || trimmed == "...";
        if nothing || passed_over.is_some_and(|key| indent > key) {
            continue;
        }
        passed_over = None;
        if line[indent..].starts_with('\t') {
            return Err(format!("line {number}: is indented with tabs, which YAML does not allow"));
        }
        path.retain(|(outer, _)| *outer < indent);
        if trimmed.starts_with("- ") || trimmed == "-" {
            passed_over = Some(indent);
            continue;
        }
        let Some((key, value)) = entry(trimmed) else {
            return Err(format!("line {number}: is no `key: value`"));
        };
        if path.len() == MAX_DEPTH || values.len() == MAX_VALUES {
            return Err(format!("line {number}: is more than is read"));
        }
        match value {
            Value::None => path.push((indent, key)),
            Value::Other => passed_over = Some(indent),
            Value::Scalar(value) => {
                let path = path.iter().map(|(_, key)| key.clone()).chain([key]).collect();
                values.insert(path, value);
                // A plain scalar may go on in lines below; what is wanted here never does.
                passed_over = Some(indent);
            }
        }
    }
    Ok(values)
}

enum Value {
    /// Nothing on this line: a mapping may follow.
    None,
    Scalar(String),
    /// Something that is passed over, with the lines that belong to it.
    Other,
}

/// Reads `key: value`.
fn entry(line: &str) -> Option<(String, Value)> {
    let (key, rest) = match line.chars().next()? {
        quote @ ('"' | '\'') => {
            let (key, rest) = quoted(line, quote)?;
            (key, rest.trim_start().strip_prefix(':')?)
        }
        _ => {
            let at = line.find(": ").or_else(|| line.strip_suffix(':').map(str::len))?;
            (line.get(..at)?.trim_end().to_owned(), line.get(at + 1..)?)
        }
    };
    Some((key, value(rest.trim())))
}

fn value(text: &str) -> Value {
    match text.chars().next() {
        None | Some('#') => Value::None,
        Some('|' | '>' | '&' | '*' | '!' | '[' | '{' | '%' | '@' | '`') => Value::Other,
        Some(quote @ ('"' | '\'')) => match quoted(text, quote) {
            Some((value, rest)) if rest.trim().is_empty() || rest.trim_start().starts_with('#') => Value::Scalar(value),
            _ => Value::Other,
        },
        Some(_) => Value::Scalar(text.split(" #").next().unwrap_or_default().trim_end().to_owned()),
    }
}

/// Reads a quoted scalar and returns what follows it. Escapes other than those of a quote or a backslash are not understood.
fn quoted(text: &str, quote: char) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        match (c, chars.peek().map(|(_, next)| *next)) {
            ('\'', Some('\'')) if quote == '\'' => {
                chars.next();
                value.push('\'');
            }
            ('\\', Some(next @ ('"' | '\\' | '/'))) if quote == '"' => {
                chars.next();
                value.push(next);
            }
            ('\\', _) if quote == '"' => return None,
            (c, _) if c == quote => return Some((value, text.get(at + 1..)?)),
            (c, _) => value.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(text: &str, path: &[&str]) -> Option<String> {
        scalars(text).unwrap().get(&path.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>()).cloned()
    }

    const SETTINGS: &str = r#"
# mine
SSOConfig:
    Default:
        SSORegion: us-east-1   # where it is
        StartUrl: "https://d-1234567890.awsapps.com/start#/"
        Accounts:
            123456789012:
                Tags:
                    Color: 'it''s red'
                Roles:
                    "Deploy": {Via: arn, Other: x}
                    Admin:
                        Via: arn:aws:iam::210987654321:role/Entry
    Second: &anchor
        StartUrl: passed over
UrlExecCommand:
    - open
    - -a: x
    - "%s"
Text: |
    key: not one
Motto: a long text
  that goes on
ProfileFormat: '{{ .AccountId }}:{{ .RoleName }}'
DefaultSSO: Default
"#;

    #[test]
    fn scalars_are_found_by_their_path() {
        let found = |path: &[&str]| get(SETTINGS, path);
        assert_eq!(found(&["SSOConfig", "Default", "SSORegion"]).as_deref(), Some("us-east-1"));
        let url = found(&["SSOConfig", "Default", "StartUrl"]);
        assert_eq!(url.as_deref(), Some("https://d-1234567890.awsapps.com/start#/"));
        let account = ["SSOConfig", "Default", "Accounts", "123456789012"];
        assert_eq!(found(&[&account[..], &["Tags", "Color"]].concat()).as_deref(), Some("it's red"));
        let via = found(&[&account[..], &["Roles", "Admin", "Via"]].concat());
        assert_eq!(via.as_deref(), Some("arn:aws:iam::210987654321:role/Entry"));
        assert_eq!(found(&["ProfileFormat"]).as_deref(), Some("{{ .AccountId }}:{{ .RoleName }}"));
        assert_eq!(found(&["DefaultSSO"]).as_deref(), Some("Default"));
    }

    #[test]
    fn what_is_not_understood_is_passed_over_with_what_belongs_to_it() {
        assert_eq!(get(SETTINGS, &["SSOConfig", "Second", "StartUrl"]), None);
        assert_eq!(get(SETTINGS, &["Text", "key"]), None);
        assert_eq!(get(SETTINGS, &["UrlExecCommand", "x"]), None);
    }

    #[test]
    fn what_is_no_mapping_is_named_by_its_line() {
        for (text, says) in [("a: b\nnonsense\n", "line 2: is no"), ("a:\n\tb: c\n", "line 2: is indented with tabs")] {
            assert!(scalars(text).unwrap_err().starts_with(says), "{text}");
        }
        let deep: String = (0..20).map(|depth| format!("{}k:\n", " ".repeat(depth))).collect();
        assert!(scalars(&deep).unwrap_err().contains("more than is read"));
        for hostile in ["\"", "'", "\"a", ": ", "\"\\u0041\": x", "é: \"é\\", "a: \"\\"] {
            let _ = scalars(hostile);
        }
    }

    #[test]
    fn h14_no_text_is_more_than_the_reader_takes() {
        for seed in 0..20_000 {
            let noise = crate::aws_config::odd::Dice(seed).noise();
            let _ = scalars(&String::from_utf8_lossy(&noise));
        }
    }
}
