use super::*;

fn profile_of(text: &str) -> Section {
    let document = read(text.as_bytes()).unwrap();
    document.sections.into_iter().find(|section| section.kind == Kind::Profile).expect("a profile")
}

fn value_of(text: &str, key: &str) -> String {
    profile_of(text).get(key).expect("the key").value.clone()
}

#[test]
fn two_spaces_after_the_word_profile() {
    assert_eq!(profile_of("[profile  s]\nregion = r\n").name, "s");
}

#[test]
fn quoted_names_as_the_aws_cli_reads_them() {
    assert_eq!(profile_of("[profile \"a b\"]\n").name, "a b");
    assert_eq!(profile_of("[profile 'a b']\n").name, "a b");
    assert_eq!(profile_of("[profile \"a]b\"]\n").name, "a]b");
    assert_eq!(profile_of("[profile o'brien]\n").name, "o'brien");
}

#[test]
fn padded_brackets_as_rust_and_go_read_them() {
    assert_eq!(profile_of("[ profile p ]\n").name, "p");
    assert_eq!(profile_of("[\tsso-session\tq\t]\n[profile x]\n").name, "x");
}

#[test]
fn a_section_without_the_word_profile_is_no_profile() {
    let document = read(b"[n]\nregion = r\n").unwrap();
    assert_eq!((document.sections[0].kind, document.sections[0].keys().len()), (Kind::Other, 0));
}

#[test]
fn a_comment_after_the_header() {
    for text in ["[profile h] # c\n", "[profile h] ; c ]\n", "[profile h]# c\n"] {
        assert_eq!(profile_of(text).name, "h", "{text}");
    }
}

#[test]
fn a_comment_after_a_value_is_no_part_of_it() {
    assert_eq!(value_of("[profile p]\nregion = r # c\n", "region"), "r");
    assert_eq!(value_of("[profile p]\nregion = r ; c\n", "region"), "r");
    assert_eq!(value_of("[profile p]\nregion =\t# c\n", "region"), "");
}

#[test]
fn a_mark_inside_a_value_begins_no_comment() {
    let url = "https://d-1.awsapps.com/start#/";
    assert_eq!(value_of(&format!("[profile p]\nsso_start_url = {url}\n"), "sso_start_url"), url);
}

#[test]
fn upper_case_keys() {
    assert_eq!(value_of("[profile p]\nSSO_Region = r\n", "sso_region"), "r");
}

#[test]
fn profile_default_wins_over_default_wherever_it_stands() {
    for text in ["[default]\na = 1\n[profile default]\nb = 2\n", "[profile default]\nb = 2\n[default]\na = 1\n"] {
        let document = read(text.as_bytes()).unwrap();
        assert_eq!(document.sections.len(), 1, "{text}");
        assert!(document.sections[0].get("b").is_some() && document.sections[0].get("a").is_none(), "{text}");
        assert_eq!(document.warnings.len(), 1, "{text}");
    }
    assert_eq!(profile_of("[default]\na = 1\n").name, "default");
}

#[test]
fn a_section_written_twice_is_one_whose_last_values_count_and_is_warned_of() {
    let document = read(b"[profile p]\na = 1\nb = 1\n[profile q]\n[profile p]\na = 2\n").unwrap();
    assert_eq!(document.sections.len(), 2);
    assert_eq!(&*document.sections[0].get("a").unwrap().value, "2");
    assert_eq!(&*document.sections[0].get("b").unwrap().value, "1");
    assert!(
        document.warnings[0].starts_with("line 5: section \"p\" again (first on line 1)"),
        "{:?}",
        document.warnings
    );
}

#[test]
fn a_key_written_twice_keeps_its_last_value_and_is_warned_of() {
    let document = read(b"[profile p]\na = 1\nA = 2\n").unwrap();
    assert_eq!(document.sections[0].get("a").unwrap().value, "2");
    assert_eq!(document.warnings, ["line 3: key \"a\" again (first on line 2); the last one counts"]);
}

#[test]
fn windows_line_ends_and_a_byte_order_mark() {
    let text = "\u{feff}[profile p]\r\nregion = r\r\n";
    assert_eq!((profile_of(text).name, value_of(text, "region")), ("p".to_owned(), "r".to_owned()));
}

#[test]
fn a_colon_instead_of_the_equals_sign() {
    assert_eq!(value_of("[profile p]\nsso_start_url : https://d/start?a=b\n", "sso_start_url"), "https://d/start?a=b");
    assert_eq!(value_of("[profile p]\nsso_start_url = https://d\n", "sso_start_url"), "https://d");
}

#[test]
fn names_with_dots_slashes_and_at_signs() {
    assert_eq!(profile_of("[profile team/a.b@c]\n").name, "team/a.b@c");
}

#[test]
fn keys_of_a_nested_block_are_not_the_profile_s() {
    let text = "[profile p]\ns3 =\n  region = inner\n  role_arn = inner\nregion = outer\n";
    assert_eq!(value_of(text, "region"), "outer");
    assert!(profile_of(text).get("role_arn").is_none());
}

#[test]
fn a_section_indented_as_a_whole_is_read_as_python_reads_it() {
    let text = "[profile p]\n  s3 =\n    region = inner\n  region = outer\n  output = json\n";
    assert_eq!((value_of(text, "region"), value_of(text, "output")), ("outer".to_owned(), "json".to_owned()));
}

#[test]
fn a_value_goes_on_in_lines_indented_deeper() {
    let text = "[profile p]\nsso_registration_scopes = sso:account:access,\n  codewhisperer:completions\nregion = r\n";
    assert_eq!(value_of(text, "sso_registration_scopes"), "sso:account:access,\ncodewhisperer:completions");
    assert_eq!(value_of(text, "region"), "r");
}

#[test]
fn a_key_indented_by_mistake_is_a_key_as_in_js() {
    assert_eq!(value_of("[profile p]\nrole_arn = a\n  source_profile = b\n", "source_profile"), "b");
}

#[test]
fn comments_and_blank_lines_belong_to_nothing() {
    let text = "# a\n\n;b\n[profile p]\n  # c = d\n\nregion = r\n";
    assert_eq!(value_of(text, "region"), "r");
    assert_eq!(profile_of(text).keys().len(), 1);
    assert!(read(text.as_bytes()).unwrap().warnings.is_empty());
}

#[test]
fn lines_that_are_nothing_are_warned_of_and_cost_nothing_else() {
    let document = read(b"a = b\n[profile p\nregion = lost\n[profile ]\n[profile q]\nwhat\nregion = r\n").unwrap();
    assert_eq!(document.sections.len(), 1);
    assert_eq!(document.sections[0].get("region").unwrap().value, "r");
    assert_eq!(document.warnings.len(), 4, "{:?}", document.warnings);
}

#[test]
fn lines_are_numbered_from_one_for_messages() {
    let section = profile_of("\n\n[profile p]\n\nregion = r\n");
    assert_eq!((section.line, section.get("region").unwrap().line), (3, 5));
}

#[test]
fn a_comment_in_another_encoding_is_a_comment() {
    assert!(read(b"# Andr\xe9\n[profile p]\n").is_ok());
    assert_eq!(read(b"[profile p]\nx = Andr\xe9\n").unwrap_err().to_string(), "line 2: is not UTF-8");
}

#[test]
fn h6_text_that_is_no_config_file_is_one_error() {
    let utf16: Vec<u8> = "[profile p]\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let marked: Vec<u8> = [0xff, 0xfe].into_iter().chain(utf16.iter().copied()).collect();
    assert_eq!(read(&marked).unwrap_err().to_string(), "is UTF-16; save it as UTF-8");
    assert!(read(&utf16).unwrap_err().to_string().contains("UTF-16"));
    assert!(read(b"[profile p]\nregion = a\0b\n").unwrap_err().to_string().starts_with("line 2: holds a NUL"));
    assert!(read(&vec![b'\n'; MAX_BYTES + 1]).unwrap_err().to_string().starts_with("larger than"));
}

#[test]
fn h6_sections_keys_lines_and_warnings_are_bounded() {
    let sections: String = (0..=MAX_SECTIONS).map(|n| format!("[profile {n}]\n")).collect();
    assert!(read(sections.as_bytes()).unwrap_err().to_string().starts_with("line 100001: more than"));
    let keys: String = (0..=MAX_KEYS).map(|n| format!("k{n} = v\n")).collect();
    assert!(read(format!("[profile p]\n{keys}").as_bytes()).unwrap_err().detail.contains("128 keys"));
    let line = format!("[profile p]\nk = {}\n", "v".repeat(MAX_LINE));
    assert!(read(line.as_bytes()).unwrap_err().to_string().starts_with("line 2: longer than"));
    let goes_on = format!("[profile p]\nk = v\n{}", format!("  {}\n", "v".repeat(1000)).repeat(100));
    assert!(read(goes_on.as_bytes()).unwrap_err().detail.contains("beyond"));
    assert_eq!(read("odd\n".repeat(1000).as_bytes()).unwrap().warnings.len(), MAX_WARNINGS + 1);
}

#[test]
fn h6_twin_a_file_as_large_as_any_real_one_is_read() {
    let text: String = (0..10_000).map(|n| format!("[profile p{n}]\nsso_session = corp\nregion = r\n\n")).collect();
    assert_eq!(read(text.as_bytes()).unwrap().sections.len(), 10_000);
}

#[test]
fn h6_no_mutation_of_a_file_makes_the_reader_panic() {
    let seed = "[default]\r\nregion = a # c\n[profile \"a b\"]\n s3 =\n  x = 1\nsso_session: c\n[ sso-session c ]\nk=v\n more\n\
                [profile r]\nrole_arn = arn:aws:iam::123456789012:role/r\nsource_profile = r\nsso_session = c\n\
                tegata_region = eu-west-1\nduration_seconds = 900\n";
    let marks = b"[]\"'=:#; \t\n\r\\\xef\xbb\xbf\xff\0a";
    // xorshift64: the same mutations in every run.
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below as u64).unwrap()
    };
    for _ in 0..20_000 {
        let mut text = seed.as_bytes().to_vec();
        for _ in 0..=next(6) {
            let (at, mark) = (next(text.len()), marks[next(marks.len())]);
            match next(3) {
                0 => text[at] = mark,
                1 => text.insert(at, mark),
                _ => drop(text.drain(at..(at + next(8)).min(text.len()))),
            }
            text.push(b'\n');
        }
        if let Ok(document) = read(&text) {
            assert!(document.sections.len() <= seed.lines().count() + 16);
            assert!(document.warnings.iter().all(|warning| !warning.contains(['\n', '\r', '\0'])));
        }
        resolves_or_says_why(&text);
    }
}

fn resolves_or_says_why(text: &[u8]) {
    let Ok(config) = super::super::Config::parse("config", text) else { return };
    for name in config.profiles() {
        if let Err(error) = config.resolve(name) {
            assert!(!error.to_string().chars().any(char::is_control), "{error:?}");
        }
        let _ = config.find_sign_in(Some(name.as_str()));
    }
}
