//! Whatever is wrong with a file, a name or an answer: one line, the right exit code, and everything else is served.
#![allow(clippy::unwrap_used, reason = "this is a test")]

use std::fs;
use std::path::Path;
use tegata_sandbox::{Effect, Fault, Operation};
use tegata_tests::product::{Ended, Product, run};

fn signed_in() -> Product {
    let mut product = Product::new();
    product.start_daemon();
    product.sign_in();
    product
}

/// Asserts a failure of one printable line on stderr, nothing on stdout, and returns the line.
fn one_line(ended: &Ended, code: i32) -> String {
    assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.lines().count()), (code, "", 1), "{ended:?}");
    let line = ended.stderr.trim_end_matches('\n');
    assert!(line.starts_with("tegata: ") && !line.chars().any(char::is_control), "{line:?}");
    assert!(!line.contains(['\u{202e}', '\u{9b}']) && line.chars().count() < 1500, "{line:?}");
    line.to_owned()
}

fn assert_served(product: &Product, profile: &str) {
    let ended = product.credentials(profile);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{ended:?}");
}

/// Asks with a config file of the caller's own.
fn with_config(product: &Product, file: &Path, profile: &str) -> Ended {
    let mut command = product.tegata(&["credential-process", "--profile", profile]);
    run(command.env("AWS_CONFIG_FILE", file))
}

#[test]
fn an_unknown_profile_gets_the_nearest_names() {
    let product = signed_in();
    let line = one_line(&product.credentials("dve"), 13);
    assert!(line.contains("dev"), "{line}");
    assert_served(&product, "dev");
}

#[test]
fn a_profile_that_cannot_be_served_leaves_the_others_served() {
    let product = signed_in();
    let own = "tegata_sso_session = corp\ntegata_sso_account_id = 123456789012\n";
    for (what, broken) in [
        ("no such sign-in session", "[profile bad]\ntegata_sso_session = nowhere\ntegata_sso_account_id = 123456789012\ntegata_sso_role_name = X\n".to_owned()),
        ("nothing to serve", "[profile bad]\nregion = us-east-1\n".to_owned()),
        ("a role is missing", format!("[profile bad]\n{own}")),
        ("an account that is none", "[profile bad]\ntegata_sso_session = corp\ntegata_sso_account_id = 12\ntegata_sso_role_name = X\n".to_owned()),
        ("h5 a circle", "[profile bad]\ntegata_role_arn = arn:aws:iam::123456789012:role/A\ntegata_source_profile = worse\n[profile worse]\ntegata_role_arn = arn:aws:iam::123456789012:role/B\ntegata_source_profile = bad\n".to_owned()),
        ("contradictory keys", format!("[profile bad]\n{own}tegata_sso_role_name = X\ntegata_role_arn = arn:aws:iam::123456789012:role/A\n")),
        ("h13 a duration", "[profile bad]\ntegata_role_arn = arn:aws:iam::123456789012:role/A\ntegata_source_profile = dev\ntegata_duration_seconds = -1\n".to_owned()),
    ] {
        product.write_aws_config(&format!("{}{broken}", product.default_aws_config()));
        let ended = product.credentials("bad");
        assert_eq!(ended.code, 13, "{what}: {ended:?}");
        one_line(&ended, 13);
        assert_served(&product, "dev");
    }
}

#[test]
fn h5_twin_a_chain_without_a_circle_is_resolved_and_asked_for() {
    let product = signed_in();
    let chain = "[profile good]\ntegata_role_arn = arn:aws:iam::123456789012:role/A\ntegata_source_profile = dev\n";
    product.write_aws_config(&format!("{}{chain}", product.default_aws_config()));
    let _ = product.credentials("good");
    assert_eq!(product.sandbox().calls(Operation::AssumeRole), 1);
}

#[test]
fn h6_what_is_no_config_file_is_one_line_and_the_user_s_own_is_served_on() {
    let product = signed_in();
    let huge = fs::File::create(product.path("huge")).unwrap();
    huge.set_len(50_000_000).unwrap();
    let mut mkfifo = product.command("mkfifo");
    assert_eq!(run(mkfifo.arg(product.path("fifo"))).code, 0);
    fs::create_dir(product.path("directory")).unwrap();
    fs::write(product.path("nul"), "[profile dev]\nregion = a\0b\n").unwrap();
    fs::write(
        product.path("utf16"),
        "\u{feff}[profile dev]".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>(),
    )
    .unwrap();
    for name in ["huge", "fifo", "directory", "missing", "utf16", "nul"] {
        one_line(&with_config(&product, &product.path(name), "dev"), 13);
    }
    one_line(&with_config(&product, Path::new("/dev/zero"), "dev"), 13);
    assert_served(&product, "dev");
}

#[test]
fn h6_twin_another_file_of_the_caller_is_served_also_with_a_section_there_twice() {
    let product = signed_in();
    let twice = format!("{}[profile dev]\nregion = eu-west-1\n", product.default_aws_config());
    fs::write(product.path("other"), format!("\u{feff}{twice}")).unwrap();
    let ended = with_config(&product, &product.path("other"), "dev");
    assert_eq!(ended.code, 0, "{ended:?}");
    fs::write(product.path("other"), format!("\u{feff}{}", product.default_aws_config())).unwrap();
    assert_eq!(with_config(&product, &product.path("other"), "dev").code, 0);
}

#[test]
fn h1_names_with_line_ends_are_refused_in_one_line() {
    let product = signed_in();
    for name in ["dev\nadmin", "dev\r", "\u{1b}[2J", "a\u{202e}b", "dev\r\nX-Header: 1"] {
        let ended = product.credentials(name);
        assert!([2, 13].contains(&ended.code), "{ended:?}");
        one_line(&ended, ended.code);
    }
    assert_served(&product, "dev");
}

#[test]
fn h1_twin_a_name_in_any_script_is_served() {
    let product = signed_in();
    let config = product.default_aws_config().replace("[profile dev]", "[profile 開発 環境]");
    product.write_aws_config(&config);
    assert_served(&product, "開発 環境");
}

#[test]
fn h2_a_blank_profile_is_no_profile() {
    let product = signed_in();
    one_line(&product.credentials(""), 2);
    let ended = product.credentials(" ");
    one_line(&ended, 13);
}

#[test]
fn h3_a_name_that_is_a_path_reaches_no_file() {
    let product = signed_in();
    for name in ["../../etc/passwd", "/etc/passwd", "%2e%2e/x", &"x".repeat(300)] {
        one_line(&product.credentials(name), 13);
    }
    assert!(!product.path("etc").exists());
}

#[test]
fn h4_a_process_of_the_config_is_never_run() {
    let product = signed_in();
    let trace = product.path("ran");
    let run_me = format!("touch {}", trace.display());
    let profile = format!("[profile evil]\ncredential_process = {run_me}\nmfa_process = {run_me}\n");
    product.write_aws_config(&format!("{}{profile}", product.default_aws_config()));
    one_line(&product.credentials("evil"), 13);
    assert_eq!(product.run(&["list"]).code, 0);
    assert!(!trace.exists());
}

/// The keys of each kind of source with sound values. None of them is signed in to, imported or there.
const SOURCES: [&str; 7] = [
    "sso_session = corp\nsso_account_id = 123456789012\nsso_role_name = Admin",
    "login_session = arn:aws:sts::123456789012:assumed-role/Admin/alice\nregion = us-east-1",
    "role_arn = arn:aws:iam::123456789012:role/Deploy\nweb_identity_token_file = /nowhere/token\nrole_session_name = bot\n\
     duration_seconds = 900",
    "trust_anchor_arn = arn:aws:rolesanywhere:us-east-1:123456789012:trust-anchor/1\n\
     roles_anywhere_profile_arn = arn:aws:rolesanywhere:us-east-1:123456789012:profile/2\n\
     role_arn = arn:aws:iam::123456789012:role/Runner\ncertificate = /nowhere/certificate\nprivate_key = /nowhere/key",
    "iam_user = arn:aws:iam::123456789012:user/alice\nmfa_serial = arn:aws:iam::123456789012:mfa/alice\nduration_seconds = 900",
    "role_arn = arn:aws:iam::123456789012:role/Deploy\ncredential_source = Ec2InstanceMetadata\nregion = us-east-1",
    "role_arn = arn:aws:iam::123456789012:role/Deploy\ncredential_source = EcsContainer\nexternal_id = partner",
];

/// A handful in the place of each key; the daemon's `profile/hostile_tests.rs` has all.
fn hostile(good: &str, witness: &Path) -> Vec<String> {
    let witness = witness.display();
    vec![
        format!("$(touch {witness})`touch {witness}`;touch {witness}|touch {witness}&"),
        format!("{good}\n touch {witness}"),
        format!("{good}\u{202e}\u{1b}]52;c;x\u{7}"),
        "/proc/../etc/shadow".to_owned(),
        format!("{}\u{200b}", good.replace("arn:aws:", "arn:aws-evil:").replacen('a', "\u{430}", 1)),
        format!("{good}\u{0}"),
        "x".repeat(1 << 20),
    ]
}

#[test]
fn h4_no_value_of_a_key_of_any_source_is_a_program_a_second_line_or_another_place() {
    let product = signed_in();
    product.sandbox().forget_traffic();
    let witness = product.path("witness");
    for source in SOURCES {
        let lines: Vec<_> = source.lines().filter_map(|line| line.split_once(" = ")).collect();
        for (key, good) in &lines {
            for value in hostile(good, &witness) {
                let put = |(name, good): &(&str, &str)| {
                    let value = if name == key { &value } else { *good };
                    format!("tegata_{name} = {value}\n")
                };
                let keys: String = lines.iter().map(put).collect();
                product.write_aws_config(&format!("{}[profile bad]\n{keys}", product.default_aws_config()));
                let ended = product.credentials("bad");
                assert_eq!(ended.code, 13, "{key} = {value:.80}: {ended:?}");
                one_line(&ended, 13);
            }
        }
    }
    assert!(!witness.exists(), "nothing of a value is run");
    let asked = product.sandbox().requests();
    assert!(asked.is_empty(), "{asked:?}");
    product.write_aws_config(&product.default_aws_config());
    assert_served(&product, "dev");
}

/// Each of them gets as far as its own source: `tests/tests/sources.rs` shows them served.
#[test]
fn h4_twin_with_sound_values_each_source_is_gone_to() {
    let product = signed_in();
    for (source, code, says) in [
        (SOURCES[0], 0, ""),
        (SOURCES[1], 10, "tegata login --console bad"),
        (SOURCES[2], 13, "the token file /nowhere/token"),
        (SOURCES[3], 13, "/nowhere/"),
        (SOURCES[4], 10, "tegata keys import bad"),
        (SOURCES[5], 14, "AssumeRole"),
        (SOURCES[6], 13, "this is no ECS task"),
    ] {
        let keys: String = source.lines().map(|line| format!("tegata_{line}\n")).collect();
        product.write_aws_config(&format!("{}[profile bad]\n{keys}", product.default_aws_config()));
        let ended = product.credentials("bad");
        assert!(ended.code == code && ended.stderr.contains(says), "{source}: {ended:?}");
    }
}

#[test]
fn h7_a_config_others_can_write_is_warned_of() {
    use std::os::unix::fs::PermissionsExt;
    let product = signed_in();
    assert!(!product.run(&["status"]).stdout.contains("warning"));
    fs::set_permissions(product.path(".aws/config"), fs::Permissions::from_mode(0o666)).unwrap();
    let said = format!("{:?}{:?}", product.run(&["status"]), product.run(&["list"]));
    assert!(said.contains("chmod") || said.contains("other"), "{said}");
}

#[test]
fn h8_a_start_url_that_changed_is_refused_and_nothing_is_sent() {
    let product = signed_in();
    let before = product.sandbox().calls(Operation::GetRoleCredentials);
    let changed = product.default_aws_config().replace(tegata_sandbox::START_URL, "https://evil.awsapps.com/start");
    product.write_aws_config(&changed);
    let line = one_line(&product.credentials("dev"), 13);
    assert!(line.contains("; run: tegata logout corp && tegata login corp"), "{line}");
    assert_eq!(product.sandbox().calls(Operation::GetRoleCredentials), before);
}

#[test]
fn h8_twin_with_its_own_start_url_again_it_is_served_without_a_new_sign_in() {
    let product = signed_in();
    let own = product.default_aws_config();
    product.write_aws_config(&own.replace(tegata_sandbox::START_URL, "https://evil.awsapps.com/start"));
    one_line(&product.credentials("dev"), 13);
    product.write_aws_config(&own);
    assert_served(&product, "dev");
}

#[test]
fn h8_what_was_signed_in_to_is_known_after_a_restart() {
    let mut product = Product::new();
    fs::write(product.path("key"), [7; 32]).unwrap();
    fs::set_permissions(product.path("key"), std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    product.environment.push(("CREDENTIALS_DIRECTORY".to_owned(), product.path("").display().to_string()));
    product.write_settings("store = \"file\"\n[file_store]\nsystemd_credential = \"key\"\n");
    product.start_daemon();
    product.sign_in();
    product.kill_daemon();
    let own = product.default_aws_config();
    product.write_aws_config(&own.replace(tegata_sandbox::START_URL, "https://evil.awsapps.com/start"));
    product.start_daemon();
    let line = one_line(&product.credentials("dev"), 13);
    assert!(line.contains("tegata logout corp"), "{line}");
    assert_eq!(product.sandbox().calls(Operation::GetRoleCredentials), 0);
    product.write_aws_config(&own);
    assert_served(&product, "dev");
}

#[test]
fn h9_names_that_look_alike_are_not_one() {
    let product = signed_in();
    for name in ["Dev", "DEV", "dev ", "de\u{301}v"] {
        assert_eq!(product.credentials(name).code, 13, "{name:?}");
    }
    assert_served(&product, "dev");
}

#[test]
fn e10_hostile_answers_of_aws_are_one_line_and_others_are_served_on() {
    let product = signed_in();
    assert_served(&product, "admin");
    let message = format!("\u{1b}]52;c;x\u{7}\u{1b}[2J\r\n\u{202e}\u{9b}{}", "x".repeat(100_000));
    let effect = Effect::Error { status: 403, code: "ForbiddenException".to_owned(), message, retry_after: None };
    product.sandbox().fault(Fault::on(Operation::GetRoleCredentials, effect));
    one_line(&product.credentials("dev"), 14);
    assert_served(&product, "admin");
}

#[test]
fn every_exit_code_is_reached() {
    let mut product = Product::new();
    let code = |product: &Product, words: &str| product.run(&words.split(' ').collect::<Vec<_>>()).code;
    const DEV: &str = "credential-process --profile dev";
    assert_eq!(code(&product, "daemon status"), 16);
    product.start_daemon();
    assert_eq!((code(&product, "status"), code(&product, "wat"), code(&product, DEV)), (0, 2, 10));
    product.sign_in();
    assert_eq!((code(&product, "lock"), code(&product, DEV), code(&product, "unlock")), (0, 12, 0));
    assert_eq!(code(&product, "credential-process --profile nobody"), 13);
    product.sandbox().fault(Fault::on(Operation::GetRoleCredentials, Effect::Garbage));
    assert_eq!(code(&product, DEV), 14);
    product.kill_daemon();
    // A key file that is not there: the store stays locked.
    product.environment.push(("CREDENTIALS_DIRECTORY".to_owned(), product.path("nowhere").display().to_string()));
    product.write_settings("store = \"file\"\n[file_store]\nsystemd_credential = \"key\"\n");
    product.start_daemon();
    assert_eq!(code(&product, DEV), 15);
}
