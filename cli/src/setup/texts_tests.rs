//! What is said of a plan.

use super::super::choose::Target;
use super::*;
use crate::aws_config::{Section, SectionKind};
use std::path::PathBuf;

fn session() -> Session {
    let section = Section::new(SectionKind::SsoSession, "corp");
    let start_url = "https://acme.awsapps.com/start".to_owned();
    Session { name: "corp".into(), start_url, region: "us-east-1".into(), section, own: false, known: false }
}

fn plan() -> Plan {
    use super::super::names::{DEFAULT, Template};
    use super::super::plan::{Wish, plan};
    let target = |role: &str| Target {
        account_id: "111111111111".into(),
        account: "Dev\u{1b}[2J".into(),
        email: String::new(),
        role: role.into(),
    };
    let all = [target("AdministratorAccess"), target("ReadOnlyAccess")];
    let (session, template) = (session(), Template::parse(DEFAULT).unwrap());
    plan(&Wish {
        session: &session,
        generated: &[],
        outside: &[],
        offered: &all,
        chosen: &all,
        template: &template,
        region: "us-east-1",
        only_chosen: false,
        prune: false,
    })
}

fn gates(admin: &str) -> Gates {
    let mut gates = Gates::default();
    for (name, gate) in [("dev-2-j-administrator-access", admin), ("dev-2-j-read-only-access", "open")] {
        gates.0.insert(name.into(), (Some(gate.into()), None));
    }
    gates
}

#[test]
fn numbers_are_grouped_and_plural() {
    assert_eq!([count(1, "role"), count(0, "role"), count(2000, "role")], ["1 role", "0 roles", "2,000 roles"]);
    assert_eq!(count(1_234_567, "x"), "1,234,567 xs");
}

#[test]
fn the_preview_shows_gate_and_sibling_of_each_profile() {
    let shown = preview(&plan(), &gates("proposed"));
    let admin = shown.lines().find(|line| line.contains("AdministratorAccess")).unwrap();
    assert!(admin.contains("proposed") && admin.ends_with("dev-2-j-read-only-access"), "{shown}");
    assert!(!shown.chars().any(|c| c != '\n' && tegata_protocol::text::is_hostile(c)), "{shown:?}");
}

#[test]
fn what_comes_next_depends_on_the_gates() {
    let done = |admin: &str| {
        let written_to = Written { path: PathBuf::from("/h/.aws/config"), backup: Some(PathBuf::from("/s/backup")) };
        written(&session(), &plan(), &gates(admin), &written_to)
    };
    let open = done("open");
    assert!(
        open.contains("\n  aws sts get-caller-identity --profile dev-2-j-read-only-access\n"),
        "the narrower one: {open}"
    );
    let proposed = done("proposed");
    assert!(proposed.starts_with("Wrote /h/.aws/config: 2 profiles of corp, 2 new.\nTo take this back: tegata setup --undo (what was there is in /s/backup)\n"));
    assert!(proposed.contains("\n  aws sts get-caller-identity --profile dev-2-j-read-only-access\n"), "{proposed}");
    assert!(proposed.contains("tegata passkey add") && !proposed.contains("tegata elevate"), "{proposed}");
    let gated = done("gated");
    assert!(gated.contains("tegata elevate dev-2-j-administrator-access") && !gated.contains("passkey add"), "{gated}");
}

#[test]
fn a_long_difference_is_cut_before_a_question() {
    assert_eq!(start_of("a\nb"), "a\nb");
    let cut = start_of(&"+x\n".repeat(1_000));
    assert!(cut.ends_with("… and 800 lines more; --dry-run shows all of them"), "{cut}");
}
