use super::super::testing::{LIVED_IN, file, program, refusal, text};
use super::*;

const ALICE: &str = "arn:aws:sts::123456789012:assumed-role/Admin/alice";

fn profile(name: &str, config: &str) -> ConsoleProfile {
    let files = Files { config: file(config), credentials: file(""), program: program() };
    ConsoleProfile { name: name.to_owned(), files }
}

fn planned(name: &str, config: &str) -> String {
    text(&profile(name, config).plan(ALICE, "eu-west-1").unwrap())
}

#[test]
fn a_new_profile_stands_between_the_markers() {
    assert_eq!(
        planned("prod", "[default]\nregion = eu-west-1\n"),
        format!(
            "[default]\nregion = eu-west-1\n\n# BEGIN tegata: written by `tegata setup`, edit outside\n[profile prod]\nregion = eu-west-1\n\
             tegata_login_session = {ALICE}\ncredential_process = /usr/bin/tegata credential-process --profile prod\n# END tegata\n"
        )
    );
    let twice = planned("second", &planned("first", LIVED_IN));
    assert!(twice.starts_with(LIVED_IN) && twice.matches("# BEGIN tegata").count() == 1, "{twice}");
    assert!(twice.contains("[profile first]\n") && twice.contains("[profile second]\n"));
    assert!(planned("default", "").contains("[default]\nregion = eu-west-1\ntegata_login_session = "));
}

#[test]
fn a_profile_that_is_there_keeps_everything_it_has() {
    let before = "[profile prod]\n# mine\noutput = json\nregion = us-west-2\n\n[profile other]\nregion = x\n";
    let after = planned("prod", before);
    let added = format!(
        "tegata_login_session = {ALICE}\ncredential_process = /usr/bin/tegata credential-process --profile prod\n"
    );
    assert_eq!(after, before.replace("region = us-west-2\n", &format!("region = us-west-2\n{added}")));
    assert!(planned("prod", "[profile prod]\noutput = json\n").contains("region = eu-west-1\n"));
}

#[test]
fn a_profile_of_aws_login_is_recast() {
    let before = format!("[profile prod]\nlogin_session = {ALICE}\nregion = us-east-1\n");
    let expected = format!(
        "[profile prod]\ntegata_login_session = {ALICE}\ncredential_process = /usr/bin/tegata credential-process --profile prod\n\
         region = us-east-1\n"
    );
    assert_eq!(planned("prod", &before), expected);
}

#[test]
fn a_profile_that_has_it_all_is_left_as_it_is() {
    let first = planned("prod", "");
    let again = profile("prod", &first);
    assert!(again.is_complete() && again.plan(ALICE, "us-east-1").unwrap().is_empty());
    assert_eq!(again.region(), Some("eu-west-1"));
    let role = "[profile deploy]\nrole_arn = arn:aws:iam::210987654321:role/Deploy\nsource_profile = prod\n";
    assert!(profile("deploy", &format!("{first}{role}")).is_complete());
    assert!(!profile("new", &first).is_complete());
}

#[test]
fn what_aws_clients_would_read_otherwise_is_refused_before_anything_is_begun() {
    for name in ["a;b", "a b", "$(x)", "a\nb", "a]b", "../x\0", "-x", "", "ｐrod"] {
        assert!(profile(name, "").plan(ALICE, "eu-west-1").is_err(), "{name:?}");
    }
    let twice = "[profile prod]\nregion = x\n[profile prod]\nregion = y\n";
    assert!(refusal(profile("prod", twice).plan(ALICE, "eu-west-1")).contains("stands twice"));
    let files = Files { config: file(""), credentials: file("[prod]\naws_access_key_id = AKIA\n"), program: program() };
    let shadowed = ConsoleProfile { name: "prod".to_owned(), files };
    assert!(refusal(shadowed.plan(ALICE, "eu-west-1")).contains("which AWS clients prefer"));
    let root = "[profile prod]\nregion = us-east-1\nlogin_session = arn:aws:iam::123456789012:root\n";
    assert!(refusal(profile("prod", root).plan(ALICE, "eu-west-1")).contains("root"));
}
