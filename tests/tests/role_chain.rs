//! Roles one behind the other, as a real AWS CLI meets them: the identity, the endpoint, what CloudTrail would show, and the
//! messages of a chain that AWS would refuse.
#![cfg(feature = "system")]

use std::fs;
use tegata_sandbox::{IamRole, Operation};
use tegata_tests::client;
use tegata_tests::product::{Product, run};

const DEPLOY: &str = "arn:aws:iam::210987654321:role/team/Deploy";
const NEXT: &str = "arn:aws:iam::345678901234:role/Next";

/// `next` assumes Next with the credentials of `deploy`, which assumes Deploy with those of the permission set behind `dev`.
fn product(more: &str, settings: &str) -> Product {
    let mut product = Product::new();
    product.sandbox().configure(|settings| {
        settings.iam_roles =
            vec![IamRole::new(DEPLOY, &["arn:aws:iam::123456789012:root"]), IamRole::new(NEXT, &[DEPLOY])];
    });
    let roles = format!(
        "[profile deploy]\nregion = eu-central-1\ntegata_source_profile = dev\ntegata_role_arn = {DEPLOY}\n\
         [profile next]\nregion = eu-central-1\ntegata_source_profile = deploy\ntegata_role_arn = {NEXT}\n\
         credential_process = {} credential-process --profile next\n{more}",
        product.cli_binary.display()
    );
    product.write_aws_config(&format!("{}{roles}", product.default_aws_config()));
    product.write_settings(&format!("store = \"memory\"\n{settings}"));
    // The names of role sessions are the machine's to say.
    for variable in ["USER", "LOGNAME", "HOSTNAME"] {
        product.environment.push((variable.to_owned(), "mallory".to_owned()));
    }
    product
}

/// Who this user and this machine are, as other programs say.
fn user_and_host(product: &Product) -> String {
    let user = run(product.command("id").arg("-un")).stdout;
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    format!("{}@{}", user.trim(), host.trim().split('.').next().unwrap())
}

#[test]
fn the_aws_cli_reads_the_identity_behind_two_roles() {
    let mut product = product("", "");
    product.start_daemon();
    product.sign_in();
    let mut aws = product.command(client("awscli-v2/dist/aws"));
    aws.env("AWS_ENDPOINT_URL", product.sandbox().url());
    let identity =
        run(aws.args(["--profile", "next", "sts", "get-caller-identity", "--query", "Arn", "--output", "text"]));
    let name = user_and_host(&product);
    let expected = format!("arn:aws:sts::345678901234:assumed-role/Next/{name}\n");
    assert_eq!((identity.code, identity.stdout), (0, expected), "{}\n{}", identity.stderr, product.daemon_log());
    let assumed = product.sandbox().assumed_roles();
    let seen: Vec<_> = assumed.iter().map(|role| (role.role_arn.as_str(), role.session_name.as_str())).collect();
    assert_eq!(seen, [(DEPLOY, name.as_str()), (NEXT, name.as_str())]);
    assert!(assumed[1].caller.ends_with(&format!("assumed-role/Deploy/{name}")), "{assumed:?}");
}

#[test]
fn the_second_answer_costs_no_call_and_a_profile_on_the_way_its_own() {
    let mut product = product("", "");
    product.start_daemon();
    product.sign_in();
    for _ in 0..2 {
        assert_eq!(product.credentials("next").code, 0);
    }
    assert_eq!(product.sandbox().calls(Operation::AssumeRole), 2);
}

#[test]
fn what_the_settings_say_arrives_at_the_profile_s_own_role() {
    let extras = "[profile.next]\nsession_policy = '{\"Statement\": []}'\n\
                  [profile.deploy]\nsource_identity = \"alice\"\nsession_tags = { team = \"基盤\", area = \"x\" }\n\
                  transitive_tags = [\"team\"]\n";
    let mut product = product("", extras);
    product.start_daemon();
    product.sign_in();
    let ended = product.credentials("next");
    assert_eq!(ended.code, 0, "{ended:?}");
    let assumed = product.sandbox().assumed_roles();
    let tag = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    assert_eq!(assumed[0].tags, [tag("area", "x"), tag("team", "基盤")]);
    assert_eq!((assumed[1].tags.len(), assumed[1].inherited_tags.clone()), (0, vec![tag("team", "基盤")]));
    assert!(assumed.iter().all(|role| role.source_identity.as_deref() == Some("alice")), "{assumed:?}");
    assert_eq!((assumed[0].policy.as_deref(), assumed[1].policy.as_deref()), (None, Some("{\"Statement\":[]}")));
}

#[test]
fn a_tag_that_the_trust_policy_does_not_allow_names_what_to_allow() {
    let mut product = product("", "[profile.deploy]\nsession_tags = { team = \"ops\" }\n");
    product.sandbox().configure(|settings| settings.iam_roles[0].trust.allows_tags = false);
    product.start_daemon();
    product.sign_in();
    let ended = product.credentials("next");
    assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.lines().count()), (14, "", 1), "{ended:?}");
    assert!(ended.stderr.contains("have to allow sts:TagSession"), "{ended:?}");
}

#[test]
fn sts_is_asked_in_the_region_of_the_profile() {
    let mut product = product("", "");
    let (url, proxy) = (product.sandbox().url(), product.sandbox().proxy_url());
    let settings = format!(
        "store = \"memory\"\n[endpoints]\nsso_oidc = \"{url}\"\nsso = \"{url}\"\n\
         [http]\nproxy = \"{proxy}\"\nno_proxy = [\"127.0.0.1\"]\nca_bundle = \"{}\"\n",
        product.sandbox().ca_pem_path().display()
    );
    fs::write(product.path(".config/tegata/config.toml"), settings).unwrap();
    product.start_daemon();
    product.sign_in();
    let ended = product.credentials("next");
    assert_eq!(ended.code, 0, "{ended:?}\n{}", product.daemon_log());
    let mut hosts = product.sandbox().proxy_connects();
    hosts.dedup();
    assert_eq!(hosts, ["sts.eu-central-1.amazonaws.com:443"]);
    assert!(product.sandbox().assumed_roles().iter().all(|role| role.region == "eu-central-1"));
}

#[test]
fn h13_more_than_the_hour_of_a_chain_is_refused_before_aws_is_asked() {
    let mut product = product("tegata_duration_seconds = 7200\n", "");
    product.start_daemon();
    product.sign_in();
    let ended = product.credentials("next");
    assert_eq!((ended.code, ended.stdout.as_str()), (13, ""), "{ended:?}");
    let expected = "tegata_duration_seconds = 7200 is longer than the 3600 that AWS allows a role behind another role";
    assert!(ended.stderr.contains(expected) && ended.stderr.lines().count() == 1, "{ended:?}");
    assert_eq!(
        product.sandbox().calls(Operation::AssumeRole) + product.sandbox().calls(Operation::GetRoleCredentials),
        0
    );
}

#[test]
fn h13_twin_the_hour_itself_is_asked_for() {
    let mut product = product("tegata_duration_seconds = 3600\n", "");
    product.start_daemon();
    product.sign_in();
    assert_eq!(product.credentials("next").code, 0);
    assert_eq!(product.sandbox().assumed_roles()[1].duration_seconds, 3600);
}

#[test]
fn h5_a_circle_of_profiles_is_an_error_that_shows_it() {
    let mut product = product(
        "[profile a]\nrole_arn = arn:aws:iam::123456789012:role/A\nsource_profile = b\n\
                               [profile b]\nrole_arn = arn:aws:iam::123456789012:role/B\nsource_profile = a\n",
        "",
    );
    product.start_daemon();
    let ended = product.credentials("a");
    assert_eq!((ended.code, ended.stdout.as_str()), (13, ""), "{ended:?}");
    assert!(ended.stderr.contains("source_profile goes in a circle: a → b → a"), "{ended:?}");
}

#[test]
fn h5_twin_two_roles_without_a_circle_are_served() {
    let mut product = product("", "");
    product.start_daemon();
    product.sign_in();
    assert_eq!(product.credentials("next").code, 0);
}

#[test]
fn a_session_policy_on_a_bare_permission_set_is_an_error_that_names_the_way_out() {
    let mut product = product("", "[profile.dev]\nsession_policy = '{\"Statement\": []}'\n");
    product.start_daemon();
    product.sign_in();
    let ended = product.credentials("dev");
    assert_eq!((ended.code, ended.stdout.as_str()), (13, ""), "{ended:?}");
    assert!(ended.stderr.contains("[profile.dev] of config.toml sets session_policy"), "{ended:?}");
    assert!(ended.stderr.contains("role_arn with source_profile"), "{ended:?}");
}
