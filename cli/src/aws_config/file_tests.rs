use super::super::change::Change;
use super::*;
use crate::aws_config::diff;
use crate::aws_config::odd::Dice;

fn file(text: impl AsRef<[u8]>) -> ConfigFile {
    let bytes = text.as_ref().to_vec();
    ConfigFile::of(Arc::new(Origin { path: PathBuf::from("/home/a/.aws/config"), bytes: Some(bytes.clone()) }), bytes)
        .unwrap_or_else(|failure| panic!("{failure:?}"))
}

fn refusal<T>(result: Result<T, Failure>) -> String {
    let Err(failure) = result else { panic!("it was not refused") };
    assert_eq!(failure.exit_code(), 13, "{failure:?}");
    failure.line().unwrap()
}

fn bytes(change: &Change) -> Vec<u8> {
    change.file().unwrap().bytes
}

fn text(change: &Change) -> String {
    String::from_utf8(bytes(change)).unwrap()
}

fn profile(name: &str) -> Section {
    Section::new(SectionKind::Profile, name)
        .with("region", "us-east-1")
        .with("tegata_sso_session", "corp")
        .with("tegata_sso_account_id", "123456789012")
        .with("tegata_sso_role_name", "ReadOnly")
        .with("credential_process", format!("/usr/bin/tegata credential-process --profile {name}"))
}

fn corp() -> Section {
    Section::new(SectionKind::SsoSession, "corp")
        .with("sso_start_url", "https://d-1234567890.awsapps.com/start")
        .with("sso_region", "us-east-1")
        .with("sso_registration_scopes", "sso:account:access")
}

#[test]
fn sections_are_written_at_the_end_between_markers() {
    let sections = [corp(), profile("dev"), profile("team/a.b@c+d")];
    let change = file("# mine\n[default]\nregion = eu-west-1\ns3 =\n  max_bandwidth = 5MB/s").with_generated(&sections);
    // The clients' story has real AWS clients read this file.
    insta::assert_snapshot!("generated", text(&change.unwrap()));
}

#[test]
fn a_second_run_replaces_what_is_between_the_markers_where_it_stands() {
    let first = file("[profile a]\nregion = x\n").with_generated(&[corp(), profile("dev")]).unwrap().file().unwrap();
    let moved = text(&first.with_generated(&[profile("dev")]).unwrap()) + "[profile mine]\n  region = y\n";
    let second = text(&file(&moved).with_generated(&[profile("new")]).unwrap());
    assert!(second.starts_with("[profile a]\nregion = x\n\n# BEGIN tegata"), "{second}");
    assert!(second.ends_with("# END tegata\n[profile mine]\n  region = y\n"), "{second}");
    assert!(second.contains("[profile new]") && !second.contains("[profile dev]"), "{second}");
}

#[test]
fn what_is_generated_and_what_is_not_are_told_apart() {
    let file = file("[profile a]\n# BEGIN tegata\n[profile b]\nregion = x\n# END tegata\n[sso-session c]\n");
    assert_eq!(file.generated().iter().map(|section| &*section.name).collect::<Vec<_>>(), ["b"]);
    assert_eq!(file.sections().len(), 3);
    assert!(file.outside(SectionKind::Profile, "a").is_some() && file.outside(SectionKind::Profile, "b").is_none());
    assert!(file.outside(SectionKind::SsoSession, "c").is_some() && file.outside(SectionKind::Profile, "c").is_none());
}

#[test]
fn default_is_one_profile_under_two_headers() {
    let both = file("[default]\nregion = a\n[profile default]\nregion = b\n");
    assert_eq!(both.outside(SectionKind::Default, "default").unwrap().get("region"), Some("b"));
    assert!(refusal(file("[default]\n").with_generated(&[profile("default")])).contains("is there already"));
}

#[test]
fn a_name_that_is_taken_is_refused_and_never_made_a_second_section() {
    for taken in
        ["[profile dev]\n", "[ profile  'dev' ] # x\n", "  [profile dev]\r\n", "[profile \"dev\"]\n[profile dev]\n"]
    {
        let refused = refusal(file(taken).with_generated(&[profile("dev")]));
        assert_eq!(
            refused,
            "tegata: /home/a/.aws/config: [profile dev] is there already, outside of what Tegata has written; rename it, or adopt it"
        );
    }
    assert!(file("[dev]\n[services dev]\n[sso-session dev]\n").with_generated(&[profile("dev")]).is_ok());
    assert!(refusal(file("").with_generated(&[profile("dev"), profile("dev")])).contains("would be written twice"));
}

#[test]
fn a_section_moved_out_of_the_markers_by_hand_stays_the_person_s() {
    let first = text(&file("").with_generated(&[profile("dev")]).unwrap());
    let by_hand = first.replace("# END tegata\n", "").replace("[profile dev]", "# END tegata\n[profile dev]");
    assert!(refusal(file(&by_hand).with_generated(&[profile("dev")])).contains("is there already"));
    assert!(text(&file(&by_hand).with_generated(&[profile("new")]).unwrap()).contains("# END tegata\n[profile dev]\n"));
}

#[test]
fn names_and_values_that_some_client_reads_otherwise_are_refused() {
    for name in ["a b", "a]b", "a\nb", "", "障害", "a\"b", "a#b", "a;b", "a=b", "a:b", &"x".repeat(256)] {
        assert!(refusal(file("").with_generated(&[profile(name)])).contains("is not written"), "{name:?}");
    }
    for value in ["", " x", "x ", "a # b", "a ;b", "a\nb", "a\u{1b}b", "#a", ";a", &"x".repeat(4097)] {
        let section = Section::new(SectionKind::Profile, "dev").with("region", value);
        assert!(refusal(file("").with_generated(&[section])).contains("its region"), "{value:?}");
    }
    for key in ["Region", "a b", "", "a=b", "[x]"] {
        assert!(
            file("").with_generated(&[Section::new(SectionKind::Profile, "dev").with(key, "x")]).is_err(),
            "{key:?}"
        );
    }
    assert!(file("").with_generated(&[Section::new(SectionKind::Other, "services x")]).is_err());
    assert!(file("").with_generated(&[profile("team/a.b@c+d")]).is_ok());
}

#[test]
fn markers_that_nothing_may_be_replaced_between_are_named() {
    for (text, says) in [
        (
            "# BEGIN tegata\n[profile a]\n",
            "line 1: `# BEGIN tegata` without its end; write `# END tegata` where it ends",
        ),
        ("[profile a]\n# END tegata\n", "line 2: `# END tegata` without a line that begins; remove it"),
        ("# BEGIN tegata\n# END tegata\n# BEGIN tegata\n# END tegata\n", "line 3: `# BEGIN tegata` again"),
        ("# BEGIN tegata\n# BEGIN tegata: x\n# END tegata\n", "line 2: `# BEGIN tegata: x` again"),
        (
            "# BEGIN tegata\n[profile a]\n# END tegata\n# c\n\nregion = x\n",
            "line 6, below `# END tegata`, belongs to no section",
        ),
    ] {
        assert!(refusal(file(text).with_generated(&[profile("dev")])).contains(says), "{text}");
    }
    let alike = "# BEGIN tegatax\n[profile a]\n# END tegata of something\n";
    assert!(file(alike).with_generated(&[profile("dev")]).is_ok(), "only our own lines are markers");
}

#[test]
fn without_sections_the_markers_go_and_nothing_else() {
    let written = text(&file("[profile a]\n").with_generated(&[profile("dev")]).unwrap());
    assert_eq!(text(&file(&written).with_generated(&[]).unwrap()), "[profile a]\n\n");
    assert!(file("[profile a]\n").with_generated(&[]).unwrap().is_empty());
    assert!(file("").with_generated(&[]).unwrap().is_empty());
}

#[test]
fn a_file_of_crlf_lines_stays_one() {
    let written = text(&file("[profile a]\r\nregion = x").with_generated(&[profile("dev")]).unwrap());
    assert_eq!(written.matches('\n').count(), written.matches("\r\n").count(), "{written:?}");
}

#[test]
fn what_is_odd_is_warned_of_and_kept() {
    let text = "\u{feff}x = 1\n[profile a]\nwhat\n";
    let file = file(text);
    assert_eq!(file.warnings().len(), 3, "{:?}", file.warnings());
    assert!(file.warnings()[0].contains("byte order mark"));
    let written = file.with_generated(&[profile("dev")]).unwrap();
    assert!(bytes(&written).starts_with(text.as_bytes()));
}

#[test]
fn a_comment_may_hold_anything_and_other_lines_only_text() {
    let latin = b"# Jos\xe9\n[profile a]\n";
    let written = file(latin).with_generated(&[profile("dev")]).unwrap();
    assert!(bytes(&written).starts_with(latin));
    let of = |bytes: &[u8]| {
        ConfigFile::of(Arc::new(Origin { path: PathBuf::from("/c"), bytes: None }), bytes.to_vec()).map(drop)
    };
    assert!(refusal(of(b"[profile a]\nx = Jos\xe9\n")).contains("line 2: is not UTF-8"));
    assert!(refusal(of(b"\xff\xfe[\0d\0")).contains("is UTF-16; save it as UTF-8"));
    assert!(refusal(of(b"[profile a]\nx = \0\n")).contains("line 2: holds a NUL byte"));
    assert!(refusal(of(&vec![b'\n'; 17 * 1024 * 1024])).contains("larger than the 16 MiB"));
    assert!(
        refusal(of(&[b"[a]\nx = ".as_slice(), &vec![b'y'; 65 * 1024]].concat())).contains("longer than the 64 KiB")
    );
}

/// The sections outside our markers, as an AWS client sees them.
fn view(file: &ConfigFile) -> Vec<Section> {
    let generated = file.generated_range();
    let sections = file.sections().iter().enumerate().filter(|(at, _)| !generated.contains(at));
    sections.map(|(_, section)| section.clone()).collect()
}

fn sections(dice: &mut Dice) -> Vec<Section> {
    (0..dice.roll(5)).map(|at| profile(&format!("gen-{}-{at}", dice.roll(9)))).collect()
}

/// What stands before and after our markers.
fn around(bytes: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let find = |what: &str| bytes.windows(what.len()).position(|window| window == what.as_bytes());
    match (find(BEGIN), find("\n# END tegata")) {
        (Some(begin), Some(end)) => {
            let rest = &bytes[end + 1..];
            let behind = rest.iter().position(|byte| *byte == b'\n').unwrap() + 1;
            (bytes[..begin].to_vec(), rest[behind..].to_vec())
        }
        _ => (bytes.to_vec(), Vec::new()),
    }
}

#[test]
fn whatever_the_file_nothing_outside_the_markers_ever_changes() {
    for seed in 0..800 {
        let mut dice = Dice(seed);
        let (before, after) = (dice.odd_file(), dice.odd_file());
        let after = after.strip_prefix(b"\xef\xbb\xbf".as_slice()).unwrap_or(&after).to_vec();
        let (one, two) = (sections(&mut dice), sections(&mut dice));
        let first = file(&before).with_generated(&one).unwrap();
        let written = bytes(&first);
        assert!(written.starts_with(&before), "seed {seed}");
        assert!(before.is_empty() || one.is_empty() || around(&written).0.ends_with(b"\n"), "seed {seed}");
        assert_eq!(view(&file(&before)), view(&first.file().unwrap()), "seed {seed}: other sections read otherwise");
        // Something is added behind the block by hand.
        let by_hand = [written.as_slice(), b"[profile by-hand]\n", &after].concat();
        let second = file(&by_hand).with_generated(&two).unwrap();
        if one.is_empty() {
            assert!(bytes(&second).starts_with(&by_hand), "seed {seed}");
        } else if two.is_empty() {
            let (head, tail) = around(&by_hand);
            assert_eq!(bytes(&second), [head, tail].concat(), "seed {seed}");
        } else {
            assert_eq!(around(&bytes(&second)), around(&by_hand), "seed {seed}");
        }
        assert_eq!(second.file().unwrap().generated(), two.as_slice(), "seed {seed}");
        assert!(
            second.file().unwrap().with_generated(&two).unwrap().file().unwrap().bytes == bytes(&second),
            "seed {seed}"
        );
    }
}

#[test]
fn h14_whatever_the_bytes_they_are_refused_or_all_accounted_for() {
    let (mut read, mut refused) = (0, 0);
    for seed in 0..20_000 {
        let noise = Dice(seed).noise();
        let Ok(layout) = text::read(&noise) else {
            refused += 1;
            continue;
        };
        read += 1;
        let lines: Vec<u8> = layout.lines.iter().flat_map(|line| noise[line.clone()].to_vec()).collect();
        assert_eq!(lines, noise, "seed {seed}");
        assert_eq!(layout.kinds.len(), layout.lines.len(), "seed {seed}");
        for (section, span) in layout.sections.iter().zip(&layout.spans) {
            assert!(span.header < span.end && span.keys.len() == section.keys.len(), "seed {seed}");
            assert!(
                span.keys.iter().all(|key| key.first <= key.last && layout.lines[key.first].contains(&key.at)),
                "seed {seed}"
            );
        }
    }
    assert!(read > 1_000 && refused > 1_000, "{read} {refused}");
}

#[test]
fn a_file_of_five_thousand_profiles_is_changed_and_compared_in_no_time_worth_telling() {
    let many: Vec<_> = (0..5_000).map(|number| profile(&format!("p{number}"))).collect();
    let first = file("[default]\n").with_generated(&many).unwrap().file().unwrap();
    let moved: Vec<_> = (0..5_000).map(|number| profile(&format!("p{number}")).with("output", "json")).collect();
    let second = first.with_generated(&moved).unwrap().file().unwrap();
    assert_eq!(second.generated().len(), 5_000);
    assert!(diff::unified(Path::new("c"), &first.bytes, &second.bytes).lines().count() > 5_000);
}
