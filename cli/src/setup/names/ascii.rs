//! Text in any script → characters that every SDK takes in a profile name. Pure.
//!
//! What cannot be read the same by everybody is left out rather than guessed at: a Han character has one reading in Beijing
//! and several in Tokyo, and a name in the wrong one helps nobody find the account.

use deunicode::deunicode_char;

/// What JS, Rust and Go read in a profile's section header without quotes, beside ASCII letters and digits; `/` is left to
/// templates (measured with AWS SDKs, November 2026).
const MARKS: &str = "_.@+-";

/// Returns whether a profile name may hold this character.
pub(super) fn is_safe(c: char) -> bool {
    c.is_ascii_alphanumeric() || MARKS.contains(c)
}

/// Returns text as letters, digits and [`MARKS`], with one `-` for every run of anything else and none at the ends.
pub(super) fn safe(text: &str) -> String {
    let mut spelled = Spelling::default();
    text.chars().for_each(|c| spelled.add(c));
    squeezed(&spelled.text)
}

/// Returns safe text as lower-case words with `-` between them: `AWSReadOnlyAccess` is `aws-read-only-access`.
pub(super) fn kebab(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let mut words = String::with_capacity(text.len() + 8);
    for (at, c) in characters.iter().copied().enumerate() {
        let before = at.checked_sub(1).and_then(|before| characters.get(before)).copied();
        let lower_follows = characters.get(at + 1).is_some_and(char::is_ascii_lowercase);
        let begins =
            c.is_ascii_uppercase() && before.is_some_and(|before| !before.is_ascii_uppercase() || lower_follows);
        if begins || !c.is_ascii_alphanumeric() {
            words.push('-');
        }
        if c.is_ascii_alphanumeric() {
            words.push(c.to_ascii_lowercase());
        }
    }
    squeezed(&words)
}

/// One `-` for each run of characters that are not safe, or of `-`; none at the ends.
fn squeezed(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let c = if is_safe(c) { c } else { '-' };
        if c != '-' || !out.ends_with('-') {
            out.push(c);
        }
    }
    out.trim_matches('-').to_owned()
}

/// Text being spelled in ASCII, character by character.
#[derive(Default)]
struct Spelling {
    text: String,
    /// Whether the last character was kana, which the next one may change.
    after_kana: bool,
    /// Whether the next consonant is doubled (a small tsu).
    doubled: bool,
}

impl Spelling {
    fn add(&mut self, c: char) {
        let kana = is_kana(c);
        match c {
            'ー' | 'ｰ' if self.after_kana => {}
            'っ' | 'ッ' | 'ｯ' => self.doubled = true,
            _ if c.is_ascii() => self.push(&c.to_string()),
            _ if is_han(c) => self.push("-"),
            _ => {
                let spelled = deunicode_char(c).unwrap_or("-");
                let spelled = if kana { hepburn(spelled) } else { spelled };
                if kana && self.after_kana && is_small(c) { self.join(spelled) } else { self.push(spelled) }
            }
        }
        self.after_kana = kana;
    }

    fn push(&mut self, spelled: &str) {
        let first = spelled.chars().next();
        if std::mem::take(&mut self.doubled)
            && let Some(first) = first.filter(|c| c.is_ascii_lowercase() && !"aiueo".contains(*c))
        {
            self.text.push(if first == 'c' { 't' } else { first });
        }
        self.text.push_str(spelled);
    }

    /// A small ya, yu, yo or vowel changes the kana before it: `shi` and `ya` are `sha`, `fu` and `e` are `fe`.
    fn join(&mut self, small: &str) {
        let vowel = small.trim_start_matches('y');
        if small != vowel && !self.text.ends_with('i') {
            return self.push(small);
        }
        let popped = self.text.pop();
        let stem = ["sh", "ch", "j"].iter().any(|stem| self.text.ends_with(stem));
        let consonant = self.text.ends_with(|c: char| c.is_ascii_lowercase() && !"aiueo".contains(c));
        match popped {
            Some('u') if !consonant => self.text.push('w'),
            Some(other) if !"aiueo".contains(other) => self.text.push(other),
            _ => {}
        }
        self.text.push_str(if stem { vowel } else { small });
    }
}

/// The spelling of most passports, signs and account names (Hepburn), where the transliteration has another.
fn hepburn(spelled: &'static str) -> &'static str {
    match spelled {
        "si" => "shi",
        "ti" => "chi",
        "tu" => "tsu",
        "hu" => "fu",
        "zi" | "di" => "ji",
        "du" => "zu",
        other => other,
    }
}

fn is_kana(c: char) -> bool {
    matches!(c, '\u{3041}'..='\u{30ff}' | '\u{31f0}'..='\u{31ff}' | '\u{ff66}'..='\u{ff9f}')
}

fn is_small(c: char) -> bool {
    "ぁぃぅぇぉゃゅょァィゥェォャュョｧｨｩｪｫｬｭｮ".contains(c)
}

fn is_han(c: char) -> bool {
    matches!(c,
        '\u{2e80}'..='\u{2fdf}' | '\u{3005}'..='\u{3007}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_names_keep_their_letters() {
        for (text, name) in [
            ("Acme Production", "Acme-Production"),
            ("  R&D / sandbox (eu) ", "R-D-sandbox-eu"),
            ("ops+dr@acme.com", "ops+dr@acme.com"),
            ("a--b__c", "a-b__c"),
            ("", ""),
            ("***", ""),
        ] {
            assert_eq!(safe(text), name, "{text:?}");
        }
    }

    #[test]
    fn letters_of_other_scripts_are_spelled() {
        for (text, name) in [
            ("Größe Zürich", "Grosse-Zurich"),
            ("Æther façade", "AEther-facade"),
            ("Разработка", "Razrabotka"),
            ("ＡＢＣ１２３", "ABC123"),
        ] {
            assert_eq!(safe(text), name, "{text:?}");
        }
    }

    #[test]
    fn kana_are_spelled_as_people_in_japan_spell_them() {
        for (text, name) in [
            ("ステージング", "sutejingu"),
            ("サーバー", "saba"),
            ("ロック", "rokku"),
            ("マッチ", "matchi"),
            ("シャード", "shado"),
            ("きょうと", "kyouto"),
            ("チェック", "chekku"),
            ("ファイル", "fairu"),
            ("パーティ", "pati"),
            ("ウィキ", "wiki"),
        ] {
            assert_eq!(safe(text), name, "{text:?}");
        }
    }

    #[test]
    fn han_is_left_out_and_what_stands_beside_it_stays() {
        for (text, name) in [("開発", ""), ("開発-stg", "stg"), ("本番チーム", "chimu"), ("Prod環境2", "Prod-2")]
        {
            assert_eq!(safe(text), name, "{text:?}");
        }
    }

    #[test]
    fn kebab_finds_the_words() {
        for (text, name) in [
            ("AWSReadOnlyAccess", "aws-read-only-access"),
            ("AdministratorAccess", "administrator-access"),
            ("Acme-Production", "acme-production"),
            ("dev_ops.EU1", "dev-ops-eu1"),
            ("IAM", "iam"),
            ("", ""),
        ] {
            assert_eq!(kebab(text), name, "{text:?}");
        }
    }

    #[test]
    fn whatever_comes_in_only_safe_characters_come_out() {
        let every = (0..=0x3_ffff_u32).step_by(7).filter_map(char::from_u32);
        for c in every {
            let name = safe(&format!("ア{c}ゃ{c}"));
            assert!(name.chars().all(is_safe), "{c:?} became {name:?}");
        }
    }
}
