//! Ids of access keys, and the account that is written in them.

use super::placeholder;

/// What a prefix says. Source: "IAM identifiers", "Understanding unique ID prefixes", in the IAM user guide. Prefixes of what is no
/// credential (users, groups, roles, policies) are left out; `A3T` is not on that page, awslabs/git-secrets looks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyKind {
    /// `AKIA`: an access key of an IAM user or of root. It does not end.
    LongLived,
    /// `ASIA`: an access key of STS, good for 36 hours at most.
    Temporary,
    /// `ABIA`: a bearer token of STS.
    Bearer,
    /// `ACCA`: the id of a service-specific credential, such as a password for CodeCommit.
    ServiceSpecific,
}

/// How long an id is.
pub(super) const LENGTH: usize = 20;

/// Returns the first id in a run of characters of base64, and where it ends.
///
/// Capitals and digits alone make an id, so it ends a word on both sides; a small letter may stand before it (`\\n` in JSON that
/// holds JSON). AWS says only that an id has 16 to 128 word characters ("AccessKey" in the IAM API reference). All that is issued
/// today has 20, of the alphabet of base32; other digits are taken all the same.
pub(super) fn find(run: &[u8], from: usize) -> Option<(KeyKind, usize)> {
    let mut at = from;
    while let Some(offset) = run.get(at..)?.iter().position(|byte| *byte == b'A') {
        at += offset;
        if let Some(kind) = at_place(run, at) {
            return Some((kind, at));
        }
        at += 1;
    }
    None
}

fn at_place(run: &[u8], at: usize) -> Option<KeyKind> {
    let id = run.get(at..at + LENGTH)?;
    let kind = kind(id)?;
    let is_of_id = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    let before = at.checked_sub(1).and_then(|before| run.get(before)).copied().unwrap_or_default();
    let after = run.get(at + LENGTH).copied().unwrap_or_default();
    let whole = id.iter().all(|byte| is_of_id(*byte)) && !is_of_id(before) && !after.is_ascii_alphanumeric();
    (whole && !placeholder::is_id(id)).then_some(kind)
}

fn kind(id: &[u8]) -> Option<KeyKind> {
    match id {
        [b'A', b'K', b'I', b'A', ..] | [b'A', b'3', b'T', ..] => Some(KeyKind::LongLived),
        [b'A', b'S', b'I', b'A', ..] => Some(KeyKind::Temporary),
        [b'A', b'B', b'I', b'A', ..] => Some(KeyKind::Bearer),
        [b'A', b'C', b'C', b'A', ..] => Some(KeyKind::ServiceSpecific),
        _ => None,
    }
}

/// Returns the account of an id that was made since about March 2019: 12 digits.
///
/// The sixteen characters behind the prefix are base32 (RFC 4648, section 6). Of their 80 bits the first is set, the next 40 are
/// the account; in older ids the first is not, and nobody knows what they hold. Sources: A. Steele, "AWS Access Key ID formats"
/// (2020); T. Be'ery, "A short note on AWS KEY ID" (2023). AWS tells the same by `sts:GetAccessKeyInfo`.
pub(super) fn account(id: &[u8]) -> Option<String> {
    let mut bits: u64 = 0;
    for character in id.get(4..13)? {
        bits = bits << 5 | u64::from(base32(*character)?);
    }
    // 45 bits: the mark, 40 of the account, 4 that are not.
    let (mark, account) = (bits >> 44, bits >> 4 & 0xff_ffff_ffff);
    (mark == 1 && account < 1_000_000_000_000).then(|| format!("{account:012}"))
}

fn base32(character: u8) -> Option<u8> {
    match character {
        b'A'..=b'Z' => Some(character - b'A'),
        b'2'..=b'7' => Some(character - b'2' + 26),
        _ => None,
    }
}

/// Returns what of an id is shown: its prefix and its last four characters.
pub(super) fn shown(id: &[u8]) -> String {
    let part = |bytes: Option<&[u8]>| String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned();
    format!("{}…{}", part(id.get(..4)), part(id.len().checked_sub(4).and_then(|from| id.get(from..))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_account_is_that_of_published_ids() {
        // The first is of A. Steele's note, with what `sts:GetAccessKeyInfo` said to two changes of it; the second of T. Be'ery's; the
        // last two are LocalStack's and A. Steele's bounds.
        for (id, expected) in [
            ("ASIAY34FZKBOKMUTVV7A", "609629065308"),
            ("ASIAY34FZKBNKMUTVV7A", "609629065306"),
            ("ASIAY34FZKAOKMUTVV7A", "609629065244"),
            ("ASIAQNZGKIQY56JQ7WML", "029608264753"),
            ("AKIARZPUZDIKGB2VALC4", "123456789012"),
            ("AKIAQAAAAAAAAAAAAAAA", "000000000000"),
            ("AKIA6RVFFB77AAAAAAAA", "999999999998"),
            ("AKIA6RVFFB77QAAAAAAA", "999999999999"),
        ] {
            assert_eq!(account(id.as_bytes()).as_deref(), Some(expected), "{id}");
        }
    }

    #[test]
    fn older_ids_and_what_is_no_base32_name_no_account() {
        for id in
            ["AKIAJSIE27KKMHXI3BJQ", "AKIAI44QH8DHBEXAMPLE", "AKIA1111111111111111", "AKIA7777777777777777", "AKIA"]
        {
            assert_eq!(account(id.as_bytes()), None, "{id}");
        }
    }

    #[test]
    fn ids_are_found_where_they_are_whole_words() {
        let id = "AKIAY34FZKBOKMUTVV7A";
        for run in [id.to_owned(), format!("n{id}"), format!("/{id}/20261130/us"), format!("bucket/{id}+x")] {
            assert!(matches!(find(run.as_bytes(), 0), Some((KeyKind::LongLived, _))), "{run}");
        }
        for run in [
            format!("X{id}"),
            format!("{id}X"),
            format!("{id}x"),
            format!("9{id}"),
            id[..19].to_owned(),
            id.to_lowercase(),
        ] {
            assert_eq!(find(run.as_bytes(), 0), None, "{run}");
        }
    }

    #[test]
    fn prefixes_of_what_is_no_credential_are_none() {
        for prefix in ["AGPA", "AIDA", "AIPA", "ANPA", "ANVA", "APKA", "AROA", "ASCA"] {
            assert_eq!(find(format!("{prefix}Y34FZKBOKMUTVV7A").as_bytes(), 0), None, "{prefix}");
        }
        for (prefix, kind) in [
            ("ASIA", KeyKind::Temporary),
            ("ABIA", KeyKind::Bearer),
            ("ACCA", KeyKind::ServiceSpecific),
            ("A3TX", KeyKind::LongLived),
        ] {
            assert_eq!(find(format!("{prefix}Y34FZKBOKMUTVV7A").as_bytes(), 0), Some((kind, 0)));
        }
    }

    #[test]
    fn of_an_id_the_prefix_and_four_characters_are_shown() {
        assert_eq!(shown(b"AKIAY34FZKBOKMUTVV7A"), "AKIA…VV7A");
    }
}
