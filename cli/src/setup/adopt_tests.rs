use super::super::testing::{LIVED_IN, file, program, refusal, text};
use super::*;
use crate::aws_config::SectionKind;
use crate::aws_config::odd::Dice;

fn plan_with(config: &str, credentials: &str, names: &[&str]) -> Result<Adoption, Failure> {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    plan(&file(config), &file(credentials), &names, &program())
}

fn adopted(config: &str, names: &[&str]) -> String {
    text(&plan_with(config, "", names).unwrap_or_else(|failure| panic!("{failure:?}")).change)
}

fn why_not(config: &str, name: &str) -> String {
    let refused = refusal(plan_with(config, "", &[name]));
    let head = format!("tegata: profile {name} in  is not adopted: ");
    refused.strip_prefix(&head).unwrap_or_else(|| panic!("{refused}")).to_owned()
}

const CORP: &str = "[sso-session corp]\nsso_start_url = https://d-1.awsapps.com/start\nsso_region = us-east-1\n";
const DEV: &str = "[profile dev]\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = ReadOnly\n";

#[test]
fn a_file_people_live_in_keeps_everything_but_what_is_adopted() {
    let adoption = plan_with(LIVED_IN, "", &["deploy", "legacy"]).unwrap();
    assert_eq!(
        (adoption.profiles, adoption.sources),
        (vec!["deploy".into(), "legacy".into(), "dev".into()], vec!["dev".to_owned()])
    );
    insta::assert_snapshot!("lived-in-adopted", text(&adoption.change));
    insta::assert_snapshot!("lived-in-diff", adoption.change.diff().split_once("@@").unwrap().1);
}

#[test]
fn only_the_lines_of_the_adopted_profile_change() {
    let after = adopted(LIVED_IN, &["dev"]);
    let (before, after): (Vec<_>, Vec<_>) = (LIVED_IN.lines().collect(), after.lines().collect());
    let untouched = after.iter().filter(|line| before.contains(line)).count();
    assert_eq!((untouched, after.len()), (before.len() - 3, before.len() + 1), "three keys renamed, one line added");
}

#[test]
fn adopting_again_changes_nothing() {
    let once = adopted(LIVED_IN, &["deploy", "legacy"]);
    let again = plan_with(&once, "", &["dev", "deploy", "legacy"]).unwrap();
    assert!(again.change.is_empty() && again.profiles.is_empty(), "{}", again.change.diff());
}

#[test]
fn an_adopted_profile_of_an_older_place_keeps_its_command() {
    let once = adopted(&format!("{CORP}{DEV}"), &["dev"]).replace("/usr/bin/tegata", "/opt/old/tegata");
    assert!(plan_with(&once, "", &["dev"]).unwrap().change.is_empty());
}

#[test]
fn the_last_line_of_a_file_may_lack_its_end() {
    let after = adopted(&format!("{CORP}{}", DEV.trim_end()), &["dev"]);
    assert!(after.ends_with(
        "tegata_sso_role_name = ReadOnly\ncredential_process = /usr/bin/tegata credential-process --profile dev"
    ));
}

#[test]
fn crlf_and_a_byte_order_mark_are_kept() {
    let after = adopted(&format!("\u{feff}{CORP}{DEV}").replace('\n', "\r\n"), &["dev"]);
    assert!(after.starts_with('\u{feff}'));
    assert_eq!(after.matches('\n').count(), after.matches("\r\n").count());
}

#[test]
fn the_new_line_is_indented_so_that_python_reads_a_key() {
    let config =
        format!("{CORP}[profile dev]\n  sso_session = corp\n    sso_account_id = 123456789012\n  sso_role_name = A\n");
    assert!(
        adopted(&config, &["dev"])
            .ends_with("\n  credential_process = /usr/bin/tegata credential-process --profile dev\n")
    );
}

#[test]
fn default_is_adopted_under_either_of_its_headers() {
    for header in ["[default]", "[profile default]", "[default]\nregion = x\n[profile default]"] {
        let after = adopted(&format!("{CORP}{}", DEV.replace("[profile dev]", header)), &["default"]);
        assert!(
            after.ends_with("credential_process = /usr/bin/tegata credential-process --profile default\n"),
            "{after}"
        );
    }
}

#[test]
fn a_chain_is_adopted_as_a_whole_and_once() {
    let config = format!(
        "{CORP}{DEV}[profile a]\nrole_arn = arn:aws:iam::210987654321:role/A\nsource_profile = dev\n[profile b]\nrole_arn = arn:aws:iam::210987654321:role/B\nsource_profile = a\n"
    );
    let adoption = plan_with(&config, "", &["b", "a", "b"]).unwrap();
    assert_eq!(adoption.profiles, ["b", "a", "dev"]);
    assert_eq!(text(&adoption.change).matches("credential_process").count(), 3);
    assert_eq!(text(&adoption.change).matches("\nsource_profile").count(), 0);
}

#[test]
fn a_profile_that_is_its_own_source_is_adopted() {
    let config = format!("{CORP}{DEV}role_arn = arn:aws:iam::210987654321:role/A\nsource_profile = dev\n");
    assert!(adopted(&config, &["dev"]).contains("tegata_source_profile = dev\n"));
}

#[test]
fn what_is_not_served_is_left_with_the_reason() {
    let profile = |keys: &str| why_not(&format!("{CORP}[profile p]\n{keys}\n"), "p");
    let role = "role_arn = arn:aws:iam::210987654321:role/A";
    for (keys, says) in [
        (format!("{role}\ncredential_source = Environment"), "credential_source = Environment: Tegata serves"),
        (
            format!("{role}\nsource_profile = x\ncredential_source = EcsContainer"),
            "source_profile and credential_source are two",
        ),
        ("credential_source = EcsContainer".to_owned(), "credential_source needs role_arn"),
        (
            format!("{role}\nweb_identity_token_file = token"),
            "web_identity_token_file = token: it has to be an absolute path",
        ),
        ("web_identity_token_file = /t".to_owned(), "web_identity_token_file needs role_arn"),
        (
            format!("{role}\nmfa_serial = arn:aws:iam::1:mfa/me\ncredential_source = EcsContainer"),
            "mfa_serial: AWS takes codes",
        ),
        (
            "tegata_iam_user = u\ntegata_sso_session = corp".to_owned(),
            "tegata_iam_user and sso_session are two sources",
        ),
        ("tegata_certificate = /c".to_owned(), "tegata_trust_anchor_arn is missing"),
        (
            "aws_access_key_id = AKIA\naws_secret_access_key = x".to_owned(),
            "aws_access_key_id: its access key lies in a file; this moves it into the keyring: tegata keys import p",
        ),
        ("region = x".to_owned(), "it names nothing to get credentials from"),
        (role.to_owned(), "role_arn needs source_profile"),
        (format!("{role}\nsource_profile = gone"), "source_profile = gone: there is no such profile"),
        (format!("{role}\nsource_profile = p"), "it names nothing to get credentials from"),
        ("sso_session = corp".to_owned(), "sso_account_id is missing"),
        (
            "sso_session = corp\nsso_account_id = 12345\nsso_role_name = A".to_owned(),
            "sso_account_id = 12345 is not twelve digits",
        ),
        ("sso_session = corp\nsso_account_id = 123456789012".to_owned(), "sso_role_name is missing"),
        (
            "sso_session = other\nsso_account_id = 123456789012\nsso_role_name = A".to_owned(),
            "there is no [sso-session other]",
        ),
        (
            "sso_start_url = https://x\nsso_account_id = 123456789012\nsso_role_name = A".to_owned(),
            "sso_region is missing",
        ),
        (
            "sso_session = corp\nsso_session = corp\nsso_account_id = 123456789012".to_owned(),
            "sso_session is there twice; keep one",
        ),
        ("sso_session = corp\ntegata_sso_session = corp".to_owned(), "sso_session is there twice; keep one"),
        (
            "sso_session = corp\nsso_region = eu-west-1\nsso_account_id = 123456789012".to_owned(),
            "sso_region is not the one of [sso-session corp]",
        ),
        (
            format!("{role}\nsource_profile = x\n[profile x]\n{role}\nsource_profile = p"),
            "source_profile goes in a circle: p → x → p",
        ),
        (
            "credential_process = /usr/local/bin/granted credential-process --profile p".to_owned(),
            "credential_process runs granted; tegata setup --from granted",
        ),
        (
            "credential_process = sh -c 'cat keys'".to_owned(),
            "credential_process runs sh, and Tegata runs no programs from AWS config",
        ),
    ] {
        let why = profile(&keys);
        assert!(why.starts_with(says), "{keys}: {why}");
    }
}

#[test]
fn a_fault_of_a_source_names_the_source() {
    let config = "[profile base]\naws_access_key_id = AKIA\n[profile p]\nrole_arn = arn:aws:iam::210987654321:role/A\nsource_profile = base\n";
    assert!(why_not(config, "p").starts_with("its source base: aws_access_key_id: its access key lies"));
    let elsewhere = config.replace("[profile base]\naws_access_key_id = AKIA\n", "");
    let refused = refusal(plan_with(&elsewhere, "[base]\naws_access_key_id = AKIA\n", &["p"]));
    assert!(refused.ends_with("source_profile = base: aws_access_key_id: its access key lies in a file; this moves it into the keyring: tegata keys import base"), "{refused}");
}

#[test]
fn what_needs_no_person_is_adopted_with_its_own_keys() {
    let role = "role_arn = arn:aws:iam::210987654321:role/A\nduration_seconds = 43200";
    for key in ["web_identity_token_file = /run/token", "credential_source = EcsContainer"] {
        let seconds = if key.starts_with("web") { "43200" } else { "3600" };
        let after = adopted(&format!("[profile p]\n{}\n{key}\n", role.replace("43200", seconds)), &["p"]);
        assert!(after.contains(&format!("\ntegata_{key}\ncredential_process = ")), "{after}");
        assert!(after.contains(&format!("tegata_duration_seconds = {seconds}")), "{after}");
    }
}

#[test]
fn a_role_behind_a_user_whose_key_was_imported_is_adopted_with_its_device_and_its_hours() {
    let user = "[profile me]\ntegata_iam_user = arn:aws:iam::123456789012:user/me\n\
                credential_process = /usr/bin/tegata credential-process --profile me\n";
    let role = "[profile p]\nrole_arn = arn:aws:iam::210987654321:role/A\nsource_profile = me\n\
                mfa_serial = arn:aws:iam::123456789012:mfa/me\nduration_seconds = 43200\n";
    let after = adopted(&format!("{user}{role}"), &["p"]);
    assert!(
        after.contains("\ntegata_mfa_serial = arn:aws:iam::123456789012:mfa/me\ntegata_duration_seconds = 43200\n"),
        "{after}"
    );
    let behind =
        "[profile q]\nrole_arn = arn:aws:iam::210987654321:role/B\nsource_profile = p\nduration_seconds = 43200\n";
    assert!(
        why_not(&format!("{user}{role}{behind}"), "q").contains("AWS allows 900 to 3600 for a role behind another")
    );
}

#[test]
fn a_role_behind_a_role_may_not_last_longer_than_aws_allows() {
    let config = |seconds: &str| {
        format!(
            "{CORP}{DEV}[profile p]\nrole_arn = arn:aws:iam::210987654321:role/A\nsource_profile = dev\nduration_seconds = {seconds}\n"
        )
    };
    for seconds in ["43200", "899", "1h"] {
        assert!(why_not(&config(seconds), "p").contains("AWS allows 900 to 3600"), "{seconds}");
    }
    assert!(adopted(&config("900"), &["p"]).contains("tegata_duration_seconds = 900"));
}

#[test]
fn one_that_cannot_be_adopted_keeps_all_from_being() {
    let config = format!("{CORP}{DEV}[profile other]\nregion = x\n");
    assert!(refusal(plan_with(&config, "", &["dev", "other"])).contains("profile other in  is not adopted"));
    assert!(
        refusal(plan_with(&config, "", &["dev", "gone"]))
            .contains("profile gone in  is not adopted: there is no such profile")
    );
}

#[test]
fn a_section_that_is_there_twice_is_refused_with_both_lines() {
    assert!(
        why_not(&format!("{CORP}{DEV}{DEV}"), "dev")
            .starts_with("stands twice (lines 4 and 8); the AWS CLI refuses the file")
    );
}

#[test]
fn keys_in_the_credentials_file_would_win_so_they_are_named() {
    let credentials = "[dev]\naws_access_key_id = AKIA\naws_secret_access_key = x\n";
    let refused = refusal(plan_with(&format!("{CORP}{DEV}"), credentials, &["dev"]));
    assert!(refused.contains("has aws_access_key_id for it, which AWS clients prefer"), "{refused}");
    assert!(
        plan_with(&format!("{CORP}{DEV}"), "[dev]\nregion = x\n[prod]\naws_access_key_id = AKIA\n", &["dev"]).is_ok()
    );
}

#[test]
fn h1_a_name_that_a_shell_reads_is_not_adopted() {
    let config = format!("{CORP}{}", DEV.replace("dev", "a;rm -rf x"));
    assert!(refusal(plan_with(&config, "", &["a;rm -rf x"])).contains("no AWS client is safe with such a name"));
    let config = format!("{CORP}{}", DEV.replace("[profile dev]", "[profile \"a b\"]"));
    assert!(adopted(&config, &["a b"]).contains("--profile \"a b\"\n"));
}

#[test]
fn profiles_between_our_markers_are_adopted_already() {
    let config = file(CORP);
    let section = crate::aws_config::Section::new(SectionKind::Profile, "dev")
        .with("tegata_sso_session", "corp")
        .with("tegata_sso_account_id", "123456789012")
        .with("tegata_sso_role_name", "A")
        .with("credential_process", "/usr/bin/tegata credential-process --profile dev");
    let generated = text(&config.with_generated(&[section]).unwrap());
    assert!(plan_with(&generated, "", &["dev"]).unwrap().change.is_empty());
}

#[test]
fn whatever_the_file_only_lines_of_adopted_profiles_change() {
    let name = "the-adopted-one";
    for seed in 0..200 {
        let mut dice = Dice(seed);
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).replace('\u{feff}', "");
        let (head, tail) = (text(dice.odd_file()), text(dice.odd_file()));
        let own = ["", "  "][dice.roll(2)];
        let session =
            "[sso-session the-session]\nsso_start_url = https://d-1.awsapps.com/start\nsso_region = us-east-1\n";
        let profile = format!(
            "[profile {name}]\n{own}sso_session = the-session\n# c\n{own}s3 =\n{own}  sso_role_name = nested\n\n\
             {own}sso_account_id: 123456789012 ; c\n{own}sso_role_name=A\n"
        );
        let before = format!("{}\n{session}{profile}[profile behind]\n{tail}", head.trim_end());
        let after = adopted(&before, &[name]);
        let (after_head, rest) = after.split_once(&format!("[profile {name}]\n")).unwrap();
        let (after_profile, after_tail) = rest.split_once("[profile behind]\n").unwrap();
        assert_eq!(format!("{after_head}[profile behind]\n{after_tail}"), before.replace(&profile, ""), "seed {seed}");
        let expected = format!(
            "{own}tegata_sso_session = the-session\n# c\n{own}s3 =\n{own}  sso_role_name = nested\n\n\
             {own}tegata_sso_account_id: 123456789012 ; c\n{own}tegata_sso_role_name=A\n\
             {own}credential_process = /usr/bin/tegata credential-process --profile {name}\n"
        );
        assert_eq!(after_profile.replace("\r\n", "\n"), expected, "seed {seed}");
        assert!(plan_with(&after, "", &[name]).unwrap().change.is_empty(), "seed {seed}");
    }
}
