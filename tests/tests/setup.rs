//! `tegata setup` from outside: from a start URL to profiles that serve, again and again, for one organisation and for two, and
//! through every interruption.

use std::fs;
use std::process::Stdio;
use tegata_sandbox::{
    Account, HoldUntil, OWN_ADDRESS, Operation, Options, Organization, START_URL, Sandbox, Settings, TokenBucket,
};
use tegata_tests::browser;
use tegata_tests::product::{Ended, PATIENCE, Product, wait_until};
use tegata_tests::terminal::Terminal;

const ACME: &str = "https://acme.awsapps.com/start";
const FIRST: &[&str] = &["setup", "--start-url", START_URL, "--region", "us-east-1", "--session", "corp", "--print"];

/// A home in which nobody ever configured AWS, with a daemon.
fn fresh(organizations: Vec<Organization>) -> Product {
    let settings = Settings { organizations, ..Settings::default() };
    let sandbox = Sandbox::start_with(Options { settings, ..Options::default() }).expect("the sandbox starts");
    let mut product = Product::with(sandbox);
    fs::remove_dir_all(product.path(".aws")).unwrap();
    product.start_daemon();
    product
}

fn organization(start_url: &str, accounts: Vec<Account>) -> Organization {
    Organization { start_url: start_url.to_owned(), accounts, ..Organization::default() }
}

/// Runs a setup, signing in where it shows a page.
fn set_up(product: &Product, arguments: &[&str]) -> Ended {
    product.sign_in_with(arguments)
}

fn first(product: &Product, more: &[&str]) -> Ended {
    set_up(product, &[FIRST, more].concat())
}

fn config(product: &Product) -> String {
    fs::read_to_string(product.path(".aws/config")).unwrap_or_default()
}

fn headers(product: &Product) -> Vec<String> {
    config(product).lines().filter(|line| line.starts_with('[')).map(str::to_owned).collect()
}

/// What setup leaves behind while it runs, and must not when it has ended.
fn private_files(product: &Product) -> usize {
    fs::read_dir(product.state_dir().join("setup")).map_or(0, Iterator::count)
}

#[test]
fn a_fresh_home_is_served_after_one_command() {
    let product = fresh(vec![Organization::default()]);
    let ended = first(&product, &["--all", "--yes"]);
    assert_eq!(ended.code, 0, "{ended:?}\n{}", product.daemon_log());
    assert_eq!(
        headers(&product),
        ["[sso-session corp]", "[profile prod-admin]", "[profile prod-read-only]", "[profile 210987654321-read-only]"]
    );
    assert!(ended.stderr.contains("corp: 2 accounts with 3 roles."), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("1 administration profile will be had by a passkey gesture only"),
        "{}",
        ended.stderr
    );
    for profile in ["prod-admin", "prod-read-only", "210987654321-read-only"] {
        let served = product.credentials(profile);
        assert_eq!(served.code, 0, "{profile}: {served:?}");
    }
    assert!(config(&product).contains("tegata_read_only = prod-read-only\n"), "{}", config(&product));
    assert_eq!(private_files(&product), 0);
    product.assert_no_canaries();
}

#[test]
fn a_dry_run_shows_everything_and_writes_nothing() {
    let product = fresh(vec![Organization::default()]);
    let ended = first(&product, &["--all", "--dry-run"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.stdout.contains("+[profile prod-admin]\n"), "{}", ended.stdout);
    assert!(!product.path(".aws").exists() && private_files(&product) == 0);
    assert_eq!(product.credentials("prod-admin").code, 13, "no profile was written");
}

#[test]
fn without_a_terminal_what_is_missing_is_said_at_once() {
    let product = fresh(vec![Organization::default()]);
    let ended = product.run(&["setup"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{ended:?}");
    for flag in ["--start-url", "--region", "--all (or --accounts, --roles)", "--yes (or --dry-run)"] {
        assert!(ended.stderr.contains(flag), "{}", ended.stderr);
    }
    let ended =
        product.run(&["setup", "--start-url", START_URL, "--region", "us-east-1", "--all", "--yes", "--no-sign-in"]);
    assert_eq!(ended.code, 10, "{ended:?}");
    assert_eq!(product.sandbox().calls(Operation::RegisterClient), 0, "nothing was begun");
    assert!(!product.path(".aws").exists());
}

#[test]
fn a_second_run_adds_what_is_new_and_prunes_what_is_gone() {
    let account = |id: &str, name: &str| Account::new(id, name, &["Admin", "ReadOnly"]);
    let (dev, old) = (account("111111111111", "Dev"), account("222222222222", "Old"));
    let product = fresh(vec![organization(START_URL, vec![dev.clone(), old])]);
    assert_eq!(first(&product, &["--roles", "read*", "--yes"]).code, 0);
    let before = config(&product);
    assert_eq!(headers(&product)[1..], ["[profile dev-read-only]", "[profile old-read-only]"]);

    let again = ["setup", "--session", "corp", "--roles", "readonly", "--yes"];
    let ended = product.run(&again);
    assert!(ended.code == 0 && ended.stderr.contains("Nothing to change"), "{ended:?}");
    assert_eq!(config(&product), before);

    // A second account of the same name comes, one goes, one is renamed.
    let mut renamed = dev;
    renamed.name = "Development".to_owned();
    let accounts = vec![renamed, account("333333333333", "dev")];
    product.sandbox().configure(|settings| settings.organizations = vec![organization(START_URL, accounts)]);
    let ended = product.run(&again);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.stderr.contains("AWS no longer lists the roles of old-read-only; --prune removes them"), "{ended:?}");
    assert!(config(&product).contains("[profile old-read-only]"));
    assert!(config(&product).contains("[profile dev-read-only-333333333333]"), "{}", config(&product));

    let ended = product.run(&[&again[..], &["--prune"]].concat());
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(headers(&product)[1..], ["[profile dev-read-only]", "[profile dev-read-only-333333333333]"]);
    assert!(config(&product).contains("tegata_sso_account_id = 111111111111"));
    product.assert_no_canaries();
}

#[test]
fn two_organisations_stand_side_by_side_and_beside_what_was_there() {
    let dev = || Account::new("111111111111", "Dev", &["ReadOnly"]);
    let other = Account::new("999999999999", "Dev", &["ReadOnly"]);
    let product = fresh(vec![organization(START_URL, vec![dev()]), organization(ACME, vec![other])]);
    fs::create_dir(product.path(".aws")).unwrap();
    let mine = "# mine\n[default]\nregion=eu-west-1\n\n[profile dev-read-only]\naws_access_key_id = AKIAEXAMPLE\n";
    product.write_aws_config(mine);
    let ended = first(&product, &["--all", "--yes"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.stderr.contains("dev-read-only has another owner: dev-read-only-111111111111"), "{}", ended.stderr);
    let after_first = config(&product);
    assert!(after_first.starts_with(mine), "{after_first}");

    let second = ["setup", "--start-url", ACME, "--region", "us-east-1", "--all", "--yes", "--print"];
    let ended = set_up(&product, &second);
    assert_eq!(ended.code, 0, "{ended:?}");
    let both = config(&product);
    assert!(both.contains("[sso-session acme]") && both.contains("[profile dev-read-only-999999999999]"), "{both}");
    for line in after_first.lines() {
        assert!(both.contains(line), "{line}");
    }
    for profile in ["dev-read-only-111111111111", "dev-read-only-999999999999"] {
        assert_eq!(product.credentials(profile).code, 0, "{profile}");
    }
    let ended = product.run(&["setup", "--session", "acme", "--start-url", START_URL, "--all", "--yes"]);
    assert!(ended.code == 2 && ended.stderr.contains(&format!("acme is of {ACME} already")), "{ended:?}");
    assert_eq!(config(&product), both);
}

#[test]
fn a_sign_in_session_of_one_s_own_is_used_and_left_alone() {
    let product = fresh(vec![Organization::default()]);
    fs::create_dir(product.path(".aws")).unwrap();
    let mine = format!("[sso-session work]\nsso_start_url = {START_URL}/#/\nsso_region = us-east-1\n");
    product.write_aws_config(&mine);
    let ended = set_up(&product, &["setup", "--all", "--yes", "--print"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(config(&product).matches("[sso-session").count(), 1);
    assert!(config(&product).starts_with(&mine));
    assert_eq!(product.credentials("prod-read-only").code, 0);
}

#[test]
fn names_of_every_script_become_names_every_sdk_reads() {
    let account = |id: &str, name: &str| Account::new(id, name, &["ReadOnly"]);
    let accounts = vec![
        account("111111111111", "開発"),
        account("222222222222", "本番-stg"),
        account("333333333333", "検証-stg"),
        account("444444444444", "ステージング"),
        account("555555555555", "Größe ]\u{202e}; x"),
        account("666666666666", "../../etc/passwd"),
    ];
    let product = fresh(vec![organization(START_URL, accounts)]);
    let ended = first(&product, &["--all", "--yes", "--name-template", "{account|kebab}"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(
        headers(&product)[1..],
        [
            "[profile 111111111111]",
            "[profile stg-222222222222]",
            "[profile stg-333333333333]",
            "[profile sutejingu]",
            "[profile grosse-u-202e-x]",
            "[profile etc-passwd]",
        ]
    );
    assert!(!ended.stderr.chars().any(|c| c != '\n' && c.is_control()), "{:?}", ended.stderr);
    assert_eq!(product.credentials("stg-333333333333").code, 0);
}

#[test]
fn a_profile_of_a_gated_role_is_shown_as_gated() {
    let product = fresh(vec![Organization::default()]);
    assert_eq!(first(&product, &["--all", "--dry-run"]).code, 0);
    let _hand = product.enrol("ann", None);
    let ended = product.run(&[FIRST, &["--all", "--yes"]].concat());
    assert_eq!(ended.code, 0, "{ended:?}");
    let row = ended.stderr.lines().find(|line| line.contains("prod-admin ")).expect("a row");
    assert!(row.contains(" gated "), "{row}");
    assert!(ended.stderr.contains("tegata elevate prod-admin"), "{}", ended.stderr);
    assert_eq!(product.run(&["credential-process", "--profile", "prod-admin", "--wait", "0"]).code, 11);
}

/// 2,000 accounts take 2,020 calls (20 pages of a hundred accounts, the roles of each account). The sandbox refuses whoever asks
/// faster than the settings say.
#[test]
fn two_thousand_accounts_are_fetched_once_through_every_interruption() {
    const RATE: u32 = 400;
    let organization = Organization::generated(2_000, 5);
    let mut settings = Settings { organizations: vec![organization], ..Settings::default() };
    let bucket = TokenBucket { capacity: f64::from(RATE), refill_per_second: f64::from(RATE) };
    settings.throttle.insert(Operation::ListAccountRoles, bucket);
    let sandbox = Sandbox::start_with(Options { settings, ..Options::default() }).unwrap();
    let mut product = Product::with(sandbox);
    fs::remove_dir_all(product.path(".aws")).unwrap();
    product.store_in_files();
    product.write_settings(&format!(
        "store = \"file\"\n[file_store]\nsystemd_credential = \"key\"\n\
         [limits]\ninventory_rate = {RATE}\ninventory_burst = 40\n"
    ));
    product.start_daemon();

    // The command line and the daemon are killed half way, as a power cut would.
    let mut command = product.tegata(&[FIRST, &["--all", "--yes"]].concat());
    let mut running = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let _ = browser::visit(&page_of(&mut running));
    assert!(product.sandbox().wait_for_calls(Operation::ListAccountRoles, 1_000, PATIENCE));
    running.kill().unwrap();
    running.wait().unwrap();
    product.kill_daemon();
    let before = product.sandbox().calls(Operation::ListAccountRoles);
    assert!(!product.path(".aws").exists());

    product.start_daemon();
    let ended = product.run(&[FIRST, &["--all", "--yes"]].concat());
    assert_eq!(ended.code, 0, "{}\n{}", ended.stderr, product.daemon_log());
    assert!(ended.stderr.contains("corp: 2,000 accounts with 10,000 roles; "), "{}", ended.stderr);
    let after = product.sandbox().calls(Operation::ListAccountRoles) - before;
    println!("{before} calls before the interruption, {after} after it");
    assert!((900..=1_200).contains(&after), "{before} calls before the interruption and {after} after it");
    assert_eq!(refused(&product), 0, "no request was faster than the bucket");
    assert_eq!(config(&product).matches("[profile ").count(), 10_000);
    assert_eq!(product.credentials("workload-0003-read-only").code, 0, "{}", &config(&product)[..2000]);
}

/// How many requests the sandbox refused because they came too fast.
fn refused(product: &Product) -> usize {
    let requests = product.sandbox().requests_of(Operation::ListAccountRoles);
    requests.iter().filter(|request| request.status == Some(429)).count()
}

/// Reads the page that a command prints first.
fn page_of(running: &mut std::process::Child) -> String {
    use std::io::{BufRead, BufReader};
    let stdout = running.stdout.take().expect("stdout is piped");
    BufReader::new(stdout).lines().map(Result::unwrap).find(|line| line.starts_with("http")).expect("a page")
}

#[test]
fn ctrl_c_while_fetching_writes_nothing_and_keeps_what_was_fetched() {
    let product = fresh(vec![Organization::generated(30, 1)]);
    product.sandbox().hold(Operation::ListAccountRoles, HoldUntil::Released);
    let mut terminal = Terminal::tegata(&product, &FIRST.join(" "));
    terminal.shows("http://");
    open_page(&product, &terminal);
    assert!(product.sandbox().wait_for_waiting(Operation::ListAccountRoles, 1, PATIENCE));
    terminal.types("\x03");
    let (code, text) = terminal.ends(&product);
    assert_eq!(code, 130, "{text}");
    assert!(text.contains("What was fetched is kept"), "{text}");
    assert!(!product.path(".aws").exists() && private_files(&product) == 0);
    product.sandbox().release(Operation::ListAccountRoles);
    let ended = product.run(&[
        "setup",
        "--start-url",
        START_URL,
        "--region",
        "us-east-1",
        "--session",
        "corp",
        "--all",
        "--yes",
    ]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(product.sandbox().calls(Operation::ListAccounts), 1, "the accounts were known");
}

#[test]
fn an_address_of_the_organisation_s_own_is_followed_to_aws_and_nowhere_else() {
    let mut product = Product::with(Sandbox::start().expect("the sandbox starts"));
    let (proxy, ca) = (product.sandbox().proxy_url(), product.sandbox().ca_pem_path().display().to_string());
    product.write_settings(&format!("store = \"memory\"\n[http]\nproxy = \"{proxy}\"\nca_bundle = \"{ca}\"\n"));
    fs::remove_dir_all(product.path(".aws")).unwrap();
    product.start_daemon();
    let own = format!("https://{OWN_ADDRESS}/go");
    let set_up = ["setup", "--start-url", &own, "--region", "us-east-1", "--all", "--yes", "--print"];

    for elsewhere in ["https://evil.example/start", "http://d-1234567890.awsapps.com/start", "/start"] {
        product.sandbox().configure(|settings| settings.own_address_leads_to = elsewhere.to_owned());
        let ended = product.run(&set_up);
        assert!(ended.code == 14 && ended.stderr.contains("does not lead to an access portal of AWS"), "{ended:?}");
    }
    product.sandbox().configure(|settings| {
        settings.own_address_leads_to = format!("{START_URL}/#/");
        settings.own_address_knows_head = false;
    });
    // The address that is printed first is followed by the person, not by the page.
    let mut command = product.tegata(&set_up);
    let mut running = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let _ = browser::visit(&page_of(&mut running));
    let output = running.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}\n{}", product.daemon_log());
    assert!(stderr.contains(&format!("{own} leads to {START_URL}.")), "{stderr}");
    assert!(config(&product).contains(&format!("[sso-session d-1234567890]\nsso_start_url = {START_URL}\n")));
    let sent = product.sandbox().requests_of(Operation::OwnAddress);
    assert!(sent.iter().all(|request| request.tls && request.body.is_empty()), "{sent:?}");
    let methods: Vec<_> = sent.iter().map(|request| request.method.as_str()).collect();
    assert_eq!(methods, ["HEAD", "HEAD", "HEAD", "HEAD", "GET"]);
}

/// Opens the sign-in page that a terminal shows.
fn open_page(product: &Product, terminal: &Terminal) {
    let mut page = None;
    wait_until("the whole address is drawn", || {
        let text = terminal.text();
        let from = text.find(&product.sandbox().url()).map(|at| text[at..].to_owned());
        page = from.and_then(|rest| rest.split_once(char::is_whitespace).map(|(url, _)| url.to_owned()));
        page.is_some()
    });
    let _ = browser::visit(&page.expect("a page"));
}

#[test]
fn a_person_at_a_terminal_is_led_through() {
    let product = fresh(vec![Organization::default()]);
    let mut terminal = Terminal::tegata(&product, "setup --print");
    terminal.shows("Start URL of your organisation");
    terminal.types("not a url\r");
    terminal.shows("a start URL is like https://acme.awsapps.com/start");
    terminal.shows("Start URL of your organisation");
    terminal.types("d-1234567890.awsapps.com\r");
    terminal.shows("Region of its IAM Identity Center");
    terminal.types("us-east-1\r");
    terminal.shows("Name of this sign-in session [d-1234567890]");
    terminal.types("corp\r");
    terminal.shows("Waiting for you to finish the page");
    open_page(&product, &terminal);
    terminal.shows("corp: 2 accounts with 3 roles.");
    terminal.shows("Choose the roles that become profiles:");
    terminal.shows("3/3, 0 ticked");
    terminal.types("readonly");
    terminal.shows("2/3, 0 ticked");
    terminal.types("\x1b[C");
    terminal.shows("2/3, 2 ticked");
    terminal.types("\r");
    terminal.shows("2 roles chosen.");
    terminal.shows("2 new profiles:");
    terminal.shows("Name template");
    terminal.types("{account}\r");
    terminal.shows("  prod          prod (123456789012) · ReadOnly");
    terminal.shows("Name template");
    terminal.types("\r");
    terminal.shows("+[profile prod]");
    terminal.shows("READ-ONLY SIBLING");
    terminal.shows("[y/N]");
    terminal.types("n\r");
    let (code, text) = terminal.ends(&product);
    assert_eq!(code, 12, "{text}");
    assert!(text.contains("nothing was written") && !product.path(".aws").exists(), "{text}");

    // Signed in now; all of it again, with a yes.
    let known = "setup --start-url d-1234567890.awsapps.com --region us-east-1 --session corp --all";
    let mut terminal = Terminal::tegata(&product, known);
    terminal.shows("Name template");
    terminal.types("\r");
    terminal.shows("[y/N]");
    terminal.types("y\r");
    let (code, text) = terminal.ends(&product);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("aws sts get-caller-identity --profile prod-read-only"), "{text}");

    // What is there is ticked; a tick that is taken away takes the profile away.
    let mut terminal = Terminal::tegata(&product, "setup --session corp");
    terminal.shows("3/3, 3 ticked");
    terminal.types("admin");
    terminal.shows("1/3, 3 ticked");
    terminal.types("\t\r");
    terminal.shows("Goes: prod-admin");
    terminal.shows("[y/N]");
    terminal.types("y\r");
    let (code, text) = terminal.ends(&product);
    assert_eq!(code, 0, "{text}");
    assert_eq!(headers(&product)[1..], ["[profile prod-read-only]", "[profile 210987654321-read-only]"]);
    product.assert_no_canaries();
}

#[test]
fn ctrl_c_at_the_list_and_at_the_question_writes_nothing() {
    let product = fresh(vec![Organization::default()]);
    assert_eq!(first(&product, &["--all", "--dry-run"]).code, 0);
    let known = format!("setup --start-url {START_URL} --region us-east-1 --session corp");
    let mut terminal = Terminal::tegata(&product, &known);
    terminal.shows("3/3, 0 ticked");
    terminal.types("\x03");
    let (code, text) = terminal.ends(&product);
    assert_eq!(code, 130, "{text}");
    let mut terminal = Terminal::tegata(&product, &format!("{known} --all --name-template {{role}}"));
    terminal.shows("[y/N]");
    terminal.types("\x03");
    let (code, text) = terminal.ends(&product);
    assert_eq!(code, 130, "{text}");
    let mut terminal = Terminal::tegata(&product, &known);
    terminal.shows("3/3, 0 ticked");
    terminal.types("\r");
    let (code, text) = terminal.ends(&product);
    assert!(code == 12 && text.contains("nothing was chosen"), "{text}");
    assert!(!product.path(".aws").exists() && private_files(&product) == 0);
}

/// A generated profile as a client reads it that nobody here wrote.
#[cfg(feature = "system")]
#[test]
fn aws_cli_v2_is_served_by_a_generated_profile() {
    let product = fresh(vec![Organization::default()]);
    assert_eq!(first(&product, &["--all", "--yes"]).code, 0);
    let mut aws = product.command(tegata_tests::client("awscli-v2/dist/aws"));
    aws.args(["sts", "get-caller-identity", "--profile", "prod-read-only", "--output", "json"]);
    aws.env("AWS_ENDPOINT_URL_STS", product.sandbox().url()).env("AWS_EC2_METADATA_DISABLED", "true");
    let ended = tegata_tests::product::run(&mut aws);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.stdout.contains(":assumed-role/AWSReservedSSO_ReadOnly_"), "{ended:?}");
    product.assert_no_canaries();
}
