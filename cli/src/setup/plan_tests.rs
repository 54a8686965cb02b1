//! What a plan keeps, adds and takes away.

use super::super::names::DEFAULT;
use super::*;

const A: &str = "111111111111";
const B: &str = "222222222222";

fn session(name: &str) -> Session {
    let section = Section::new(SectionKind::SsoSession, name).with("sso_region", "us-east-1");
    let start_url = "https://acme.awsapps.com/start".to_owned();
    Session { name: name.into(), start_url, region: "us-east-1".into(), section, own: false, known: false }
}

fn target(account: &str, id: &str, role: &str) -> Target {
    Target { account_id: id.into(), account: account.into(), email: String::new(), role: role.into() }
}

fn offered() -> Vec<Target> {
    vec![
        target("Dev", A, "AdministratorAccess"),
        target("Dev", A, "AWSReadOnlyAccess"),
        target("Prod", B, "AdministratorAccess"),
    ]
}

/// A setup of `session` with everything that is offered, over what is there.
struct Setup {
    session: Session,
    generated: Vec<Section>,
    outside: Vec<String>,
    offered: Vec<Target>,
    chosen: Vec<Target>,
    only_chosen: bool,
    prune: bool,
}

impl Setup {
    fn new() -> Self {
        let (offered, chosen) = (offered(), offered());
        Self {
            session: session("corp"),
            generated: vec![],
            outside: vec![],
            offered,
            chosen,
            only_chosen: false,
            prune: false,
        }
    }

    fn plan(&self) -> Plan {
        plan(&Wish {
            session: &self.session,
            generated: &self.generated,
            outside: &self.outside,
            offered: &self.offered,
            chosen: &self.chosen,
            template: &Template::parse(DEFAULT).unwrap(),
            region: "eu-west-1",
            only_chosen: self.only_chosen,
            prune: self.prune,
        })
    }

    fn sections(&self) -> Vec<Section> {
        let process = |name: &str| Ok(format!("/t credential-process --profile {name}"));
        self.plan().sections(&self.session, &self.generated, process).unwrap()
    }

    /// The next run, over what this one wrote.
    fn again(self) -> Self {
        Self { generated: self.sections(), ..self }
    }
}

fn names(plan: &Plan) -> Vec<&str> {
    plan.profiles.iter().map(|planned| planned.name.as_str()).collect()
}

fn headers(sections: &[Section]) -> Vec<String> {
    sections.iter().map(Section::header).collect()
}

#[test]
fn a_first_run_writes_the_session_and_every_profile() {
    let setup = Setup::new();
    assert_eq!(
        names(&setup.plan()),
        ["dev-aws-read-only-access", "dev-administrator-access", "prod-administrator-access"]
    );
    let sections = setup.sections();
    assert_eq!(sections[0].header(), "[sso-session corp]");
    let keys: Vec<_> = sections[2].keys.iter().map(|(key, value)| format!("{key}={value}")).collect();
    assert_eq!(
        keys,
        [
            "region=eu-west-1",
            "tegata_sso_session=corp",
            "tegata_sso_account_id=111111111111",
            "tegata_sso_role_name=AdministratorAccess",
            "tegata_read_only=dev-aws-read-only-access",
            "credential_process=/t credential-process --profile dev-administrator-access",
        ]
    );
    assert_eq!(sections[3].get("tegata_read_only"), None, "Prod has no role that only reads");
    assert_eq!(sections[1].get("tegata_read_only"), None, "what only reads needs no narrower sibling");
}

#[test]
fn a_second_run_changes_nothing() {
    let setup = Setup::new().again();
    assert_eq!(setup.sections(), setup.generated);
    assert_eq!(setup.plan().count_new(), 0);
}

#[test]
fn a_session_of_the_person_s_own_is_not_written_a_second_time() {
    let mut setup = Setup::new();
    setup.session.own = true;
    assert!(setup.sections().iter().all(|section| section.kind == SectionKind::Profile));
}

#[test]
fn what_aws_no_longer_has_stays_until_it_is_pruned() {
    let mut setup = Setup::new().again();
    setup.offered.retain(|target| target.account_id == A);
    setup.chosen = setup.offered.clone();
    assert_eq!(setup.plan().gone, ["prod-administrator-access"]);
    assert_eq!(setup.sections(), setup.generated);
    setup.prune = true;
    assert_eq!(names(&setup.plan()), ["dev-aws-read-only-access", "dev-administrator-access"]);
}

#[test]
fn what_is_not_chosen_again_stays_unless_its_tick_was_taken_away() {
    let mut setup = Setup::new().again();
    setup.chosen.truncate(1);
    assert_eq!(setup.plan().profiles.len(), 3);
    setup.only_chosen = true;
    let plan = setup.plan();
    assert_eq!((plan.unticked.len(), plan.gone.len()), (2, 0));
    assert_eq!(names(&plan), ["dev-administrator-access"]);
    assert_eq!(plan.profiles[0].read_only, None, "its sibling goes, too");
}

#[test]
fn a_name_once_given_stays_when_a_second_account_of_that_name_comes() {
    let mut setup = Setup::new().again();
    let twin = target("dev", "333333333333", "AdministratorAccess");
    setup.offered.push(twin.clone());
    setup.chosen = vec![twin];
    let plan = setup.plan();
    assert_eq!(plan.profiles[3].name, "dev-administrator-access-333333333333");
    assert!(names(&plan).contains(&"dev-administrator-access"));
    assert!(plan.clashes[0].taken);
}

#[test]
fn an_account_that_was_renamed_keeps_its_profiles_names() {
    let mut setup = Setup::new().again();
    setup.offered.iter_mut().for_each(|target| target.account = format!("New {}", target.account));
    setup.chosen = setup.offered.clone();
    assert_eq!(setup.sections(), setup.generated);
}

#[test]
fn names_outside_the_markers_are_left_to_their_owners() {
    let mut setup = Setup::new();
    setup.outside = vec!["prod-administrator-access".into()];
    assert_eq!(names(&setup.plan())[2], "prod-administrator-access-222222222222");
}

#[test]
fn other_sign_in_sessions_stay_where_and_as_they_are() {
    let mut first = Setup::new();
    first.session = session("first");
    let mut second = Setup { generated: first.sections(), ..Setup::new() };
    second.session = session("second");
    let both = second.sections();
    assert_eq!(both[..4], first.sections()[..]);
    assert_eq!(both.len(), 8);
    assert!(
        both[5].name.ends_with("-111111111111-aws-read-only-access") || both[5].name.contains("111111111111"),
        "{both:?}"
    );
    let mut first = Setup { generated: both.clone(), ..first };
    first.offered.truncate(1);
    (first.chosen, first.prune) = (first.offered.clone(), true);
    let left = first.sections();
    assert_eq!(headers(&left)[..2], ["[sso-session first]", "[profile dev-administrator-access]"]);
    assert_eq!(left[2..], both[4..]);
}

#[test]
fn keys_that_somebody_added_between_the_markers_stay() {
    let mut setup = Setup::new().again();
    setup.generated[1] = setup.generated[1].clone().with("output", "json");
    assert_eq!(setup.sections(), setup.generated);
}

#[test]
fn the_broader_of_two_roles_that_read_is_the_sibling() {
    let mut setup = Setup::new();
    setup.offered.push(target("Dev", A, "ViewOnlyAccess"));
    setup.chosen = setup.offered.clone();
    let plan = setup.plan();
    let admin = plan.profiles.iter().find(|planned| planned.name == "dev-administrator-access").unwrap();
    assert_eq!(admin.read_only.as_deref(), Some("dev-aws-read-only-access"));
}
