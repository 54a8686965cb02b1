//! `tegata console` as a person meets it: every partition, deep links, gates, failures, and no secret where none belongs.

use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;
use std::time::Duration;
use tegata_sandbox::{Effect, Fault, IamRole, Operation};
use tegata_tests::browser;
use tegata_tests::gated::{gated, records};
use tegata_tests::product::{Ended, Product, wait_until};

const DEPLOY: &str = "arn:aws:iam::210987654321:role/Deploy";

fn signed_in() -> Product {
    let mut product = Product::new();
    let deploy =
        format!("[profile deploy]\nregion = eu-west-1\ntegata_source_profile = dev\ntegata_role_arn = {DEPLOY}\n");
    product.write_aws_config(&format!("{}{deploy}", product.default_aws_config()));
    product.start_daemon();
    product.sign_in();
    product
}

/// Prints a link and follows it as a browser would; returns the page it ends on.
fn arrive(product: &Product, arguments: &[&str]) -> browser::Page {
    let ended = product.run(&[&["console"], arguments, &["--print"]].concat());
    assert_eq!(ended.code, 0, "{ended:?}\n{}", product.daemon_log());
    assert_eq!(ended.stdout.lines().count(), 1, "{ended:?}");
    browser::visit(ended.stdout.trim())
}

fn last_destination(product: &Product) -> String {
    product.sandbox().console_sign_ins().pop().expect("somebody signed in").destination
}

/// Writes a program that a person may have as browser: it keeps what it was told.
fn write_browser(product: &Product, name: &str) -> String {
    let told = product.path(format!("{name}.told"));
    let script = format!("#!/bin/sh\nprintf '%s\\n' \"$@\" > '{0}.new' && mv '{0}.new' '{0}'\n", told.display());
    let program = product.path(name);
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    program.display().to_string()
}

fn told(product: &Product, name: &str) -> String {
    let file = product.path(format!("{name}.told"));
    wait_until("the browser was started", || file.exists());
    fs::read_to_string(file).unwrap()
}

#[test]
fn the_persons_own_browser_arrives_signed_in_and_its_arguments_hold_no_link() {
    let mut product = signed_in();
    let browser = write_browser(&product, "browser");
    product.environment.push(("BROWSER".to_owned(), browser));
    let arguments = ["console", "dev", "--service", "s3"];
    let ended = std::thread::scope(|scope| {
        let running = scope.spawn(|| product.run(&arguments));
        assert_eq!(browser::visit(told(&product, "browser").trim()).status, 200);
        running.join().unwrap()
    });
    assert_eq!((ended.code, ended.stdout.as_str()), (0, ""), "{ended:?}\n{}", product.daemon_log());
    assert!(ended.stderr.contains("The console is open as dev (ReadOnly in 123456789012)."), "{ended:?}");
    let told = told(&product, "browser");
    let secret = told.trim().strip_prefix("http://127.0.0.1:").and_then(|rest| rest.split_once('/')).unwrap().1;
    assert!(secret.len() == 64 && secret.bytes().all(|byte| byte.is_ascii_hexdigit()), "{told}");
    let sign_in = product.sandbox().console_sign_ins().pop().unwrap();
    assert!(sign_in.principal.arn.contains(":assumed-role/AWSReservedSSO_ReadOnly_"), "{sign_in:?}");
    assert_eq!(sign_in.destination, "https://us-east-1.console.aws.amazon.com/s3/home?region=us-east-1");
    assert_eq!(sign_in.issuer, "tegata");
    product.assert_no_canaries();
}

#[test]
fn credentials_go_to_the_federation_endpoint_in_a_body_and_the_release_is_recorded_before() {
    let product = signed_in();
    assert_eq!(arrive(&product, &["dev"]).status, 200);
    let asked = product.sandbox().requests_of(Operation::GetSigninToken).pop().unwrap();
    assert_eq!((asked.method.as_str(), asked.target.as_str()), ("POST", "/federation"), "{asked:?}");
    assert!(asked.body.contains("Session=") && !asked.body.contains("SessionDuration"), "{asked:?}");
    let released = records(&product, "console_released");
    assert_eq!(released.len(), 1);
    assert_eq!((&released[0]["profile"], &released[0]["role"]), (&json!("dev"), &json!("ReadOnly")), "{released:?}");
    let credentials = &product.sandbox().issued_credentials()[0].access_key_id;
    assert_eq!(released[0]["access_key"], credentials[credentials.len() - 4..], "as CloudTrail has it");
    assert_eq!(records(&product, "released"), [] as [Value; 0], "no credentials left the daemon");
    product.assert_no_canaries();
}

#[test]
fn a_link_leads_to_a_service_a_path_or_an_address_of_the_console() {
    let product = signed_in();
    let console = "console.aws.amazon.com";
    for (arguments, destination) in [
        (&["dev"][..], format!("https://us-east-1.{console}/console/home?region=us-east-1")),
        (&["deploy"], format!("https://eu-west-1.{console}/console/home?region=eu-west-1")),
        (&["dev", "-s", "dynamodb", "-r", "ap-northeast-1"], {
            format!("https://ap-northeast-1.{console}/dynamodbv2/home?region=ap-northeast-1")
        }),
        (&["dev", "--path", "/ec2/home#Instances:"], {
            format!("https://us-east-1.{console}/ec2/home?region=us-east-1#Instances:")
        }),
        (
            &["dev", "--path", "https://console.aws.amazon.com/iam/home#/users"],
            format!("https://{console}/iam/home#/users"),
        ),
    ] {
        assert_eq!(arrive(&product, arguments).status, 200, "{arguments:?}");
        assert_eq!(last_destination(&product), destination);
    }
}

#[test]
fn h1_a_destination_that_leads_elsewhere_is_refused_before_aws_is_asked() {
    let product = signed_in();
    for hostile in [
        &["--path", "https://evil.example/"][..],
        &["--path", "//evil.example/"],
        &["--path", "/a\nb"],
        &["--path", "javascript:alert(1)"],
        &["--path", "https://console.aws.amazon.com@evil.example/"],
        &["--path", "https://console.amazonaws.cn/"],
        &["--service", "../evil"],
        &["--region", "cn-north-1"],
        &["--region", "us-east-1.evil.example/#"],
        &["--for", "5m"],
    ] {
        let ended = product.run(&[&["console", "dev", "--print"], hostile].concat());
        let expected = if hostile[1].contains("evil.example/#") { 13 } else { 2 };
        assert_eq!((ended.code, ended.stdout.as_str()), (expected, ""), "{hostile:?} {ended:?}");
        assert_eq!(ended.stderr.lines().count(), 1, "{ended:?}");
    }
    assert_eq!(product.sandbox().calls(Operation::GetSigninToken), 0);
    assert_eq!(product.sandbox().calls(Operation::GetRoleCredentials), 0);
}

#[test]
fn a_link_is_good_once_and_a_second_account_needs_the_first_signed_out() {
    let product = signed_in();
    let link = product.run(&["console", "dev", "--print"]).stdout;
    assert_eq!(browser::visit(link.trim()).status, 200);
    assert_eq!(browser::visit(link.trim()).status, 400);
    let out = product.run(&["console", "dev", "--print", "--logout-first"]).stdout;
    assert!(out.contains("/oauth?Action=logout&redirect_uri=http%3A%2F%2F127.0.0.1"), "{out}");
    assert_eq!(browser::visit(out.trim()).status, 200, "signing out first leads on");
}

#[test]
fn a_duration_is_passed_on_and_not_behind_an_assumed_role() {
    let product = signed_in();
    assert_eq!(arrive(&product, &["dev", "--for", "30m"]).status, 200);
    let body = || product.sandbox().requests_of(Operation::GetSigninToken).pop().unwrap().body;
    assert!(body().contains("SessionDuration=1800"), "{}", body());
    let refused = product.run(&["console", "deploy", "--for", "30m", "--print"]);
    assert!(refused.code == 2 && refused.stderr.contains("role chaining"), "{refused:?}");
    assert_eq!(arrive(&product, &["deploy"]).status, 200);
    assert!(!body().contains("SessionDuration"), "{}", body());
}

#[test]
fn a_gated_profile_waits_for_a_hand_and_its_console_ends_with_the_grant() {
    let (product, mut hand) = gated(Product::new());
    let refused = product.run(&["console", "admin", "--print", "--wait", "0"]);
    assert_eq!((refused.code, refused.stdout.as_str()), (11, ""), "{refused:?}");
    assert!(refused.stderr.contains("run: tegata approve "), "{refused:?}");
    assert_eq!(product.sandbox().calls(Operation::GetSigninToken), 0);
    assert_eq!(records(&product, "console_released"), [] as [Value; 0]);

    let mut waiting = product.tegata(&["console", "admin", "--print", "--wait", "60"]);
    let mut waiting = waiting.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    hand.approve(&product.page(product.parked()["id"].as_str().unwrap())).unwrap();
    let mut link = String::new();
    BufReader::new(waiting.stdout.take().unwrap()).read_line(&mut link).unwrap();
    assert!(waiting.wait().unwrap().success());
    assert_eq!(browser::visit(link.trim()).status, 200);
    let released = records(&product, "console_released").pop().unwrap();
    let grant = &product.grants()[0];
    assert_eq!(released["grant"], grant["id"], "{released}");
    let asked = product.sandbox().requests_of(Operation::GetSigninToken).pop().unwrap().body;
    let (_, rest) = asked.split_once("SessionDuration=").expect("as long as the grant, and not as the credentials");
    let seconds: u64 = rest.split('&').next().unwrap().parse().unwrap();
    assert_eq!(seconds, 900, "the rest of 15 minutes, as short as AWS makes it");
    product.assert_no_canaries();
}

#[test]
fn a_grant_that_ends_while_aws_is_asked_releases_no_link() {
    let (product, mut hand) = gated(Product::new());
    let ended = product.elevate(&mut hand, &json!({"profile": "admin", "holder": "caller"}));
    assert_eq!(ended["state"], "approved");
    product.sandbox().hold(Operation::GetSigninToken, tegata_sandbox::HoldUntil::Released);
    let socket = product.socket();
    let asking = std::thread::spawn(move || {
        tegata_tests::local_api::ask(&socket, "POST", "/v1/console-links?wait=20", Some(&json!({"profile": "admin"})))
    });
    assert!(product.sandbox().wait_for_waiting(Operation::GetSigninToken, 1, Duration::from_secs(20)));
    assert_eq!(product.api("DELETE", "/v1/grants", None).0, 200);
    product.sandbox().release(Operation::GetSigninToken);
    let (status, body) = asking.join().unwrap();
    assert_eq!((status, &body["code"]), (403, &json!("elevation_required")), "{body}");
    assert_eq!(records(&product, "console_released"), [] as [Value; 0]);
}

#[test]
fn an_ended_sign_in_names_the_one_command() {
    let mut product = Product::new();
    product.start_daemon();
    let ended = product.run(&["console", "dev", "--print"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (10, ""), "{ended:?}");
    assert!(ended.stderr.ends_with("run: tegata login corp\n"), "{ended:?}");
    assert_eq!(records(&product, "refused").pop().unwrap()["code"], "sign_in_required");
}

#[test]
fn everything_locked_gives_no_link() {
    let product = signed_in();
    assert_eq!(product.run(&["lock"]).code, 0);
    let ended = product.run(&["console", "dev", "--print"]);
    assert!(ended.code == 12 && ended.stderr.contains("run: tegata unlock"), "{ended:?}");
    assert_eq!(product.sandbox().calls(Operation::GetSigninToken), 0);
}

fn refused_by(product: &Product, effect: Effect) -> Ended {
    product.sandbox().clear_faults();
    product.sandbox().fault(Fault::on(Operation::GetSigninToken, effect));
    let ended = product.run(&["console", "dev", "--print"]);
    assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.lines().count()), (14, "", 1), "{ended:?}");
    assert!(!ended.stderr.chars().any(|c| c != '\n' && c.is_control()), "{ended:?}");
    ended
}

#[test]
fn a_federation_endpoint_that_fails_is_one_line_and_no_link() {
    let product = signed_in();
    let answer =
        |status, body: &str| Effect::Answer { status, content_type: "text/html".to_owned(), body: body.to_owned() };
    let hostile = r#"{"message":"no \u001b]52;c;AAAA\u0007\r\n\u202e"}"#;
    assert!(refused_by(&product, answer(400, hostile)).stderr.contains("AWS refused getSigninToken (HTTP 400): no "));
    assert!(refused_by(&product, answer(400, "<html>bad</html>")).stderr.contains("no reason given"));
    assert!(
        refused_by(&product, answer(200, "<html>sign in to the wifi</html>")).stderr.contains("not a sign-in token")
    );
    let elsewhere = format!("{}/federation", product.sandbox().url());
    assert!(refused_by(&product, Effect::Redirect { location: elsewhere }).stderr.contains("not followed"));
    let _ = refused_by(&product, Effect::Garbage);
    let _ = refused_by(&product, Effect::Huge { bytes: 4 << 20 });
    let _ = refused_by(&product, answer(503, "busy"));
    product.sandbox().clear_faults();
    assert_eq!(arrive(&product, &["dev"]).status, 200, "and the next one is served");
    product.assert_no_canaries();
}

#[test]
fn who_copies_the_link_gets_it_on_a_tools_standard_input() {
    let mut product = signed_in();
    let copied = product.path("copied");
    fs::create_dir(product.path("tools")).unwrap();
    let tool = product.path("tools/xclip");
    fs::write(&tool, format!("#!/bin/sh\nprintf '%s ' \"$@\" > {0}.arguments\ncat > {0}\n", copied.display())).unwrap();
    fs::set_permissions(&tool, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:/usr/bin:/bin", product.path("tools").display());
    product.environment.extend([("PATH".to_owned(), path), ("DISPLAY".to_owned(), ":0".to_owned())]);
    let ended = product.run(&["console", "dev", "--copy"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (0, ""), "{ended:?}");
    assert!(ended.stderr.contains("Copied with xclip. Whoever has this link signs in as dev"), "{ended:?}");
    assert_eq!(fs::read_to_string(product.path("copied.arguments")).unwrap(), "-selection clipboard ");
    let link = fs::read_to_string(&copied).unwrap();
    assert_eq!(browser::visit(&link).status, 200);
    fs::remove_file(copied).unwrap();
    product.assert_no_canaries();
}

#[test]
fn a_container_and_a_browser_profile_reach_the_browser() {
    let mut product = signed_in();
    fs::create_dir(product.path("tools")).unwrap();
    let firefox = write_browser(&product, "tools/firefox");
    let path = format!("{}:/usr/bin:/bin", product.path("tools").display());
    product.environment.extend([("PATH".to_owned(), path), ("BROWSER".to_owned(), firefox)]);
    let mut command = product.tegata(&["console", "dev", "--container=Work", "--browser-profile", "aws"]);
    let mut running = command.stderr(Stdio::null()).spawn().unwrap();
    let told = told(&product, "tools/firefox");
    let arguments: Vec<&str> = told.lines().collect();
    assert_eq!(arguments[..2], ["-P", "aws"]);
    let (_, address) = arguments[2].split_once("&url=").unwrap();
    assert!(arguments[2].starts_with("ext+container:name=Work&color="), "{told}");
    let address = address.replace("%3A", ":").replace("%2F", "/");
    assert_eq!(browser::visit(&address).status, 200);
    assert!(running.wait().unwrap().success());
    assert_eq!(browser::try_visit(&address).map_or(410, |page| page.status), 410, "it was good once");
}

#[test]
fn whoever_goes_away_leaves_no_address_behind() {
    let mut product = signed_in();
    let browser = write_browser(&product, "browser");
    product.environment.push(("BROWSER".to_owned(), browser));
    let mut running = product.tegata(&["console", "dev"]).stderr(Stdio::null()).spawn().unwrap();
    let address = told(&product, "browser");
    let pid = rustix::process::Pid::from_child(&running);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    assert_eq!(running.wait().unwrap().code(), Some(130));
    assert!(browser::try_visit(address.trim()).is_err());
    assert_eq!(product.sandbox().console_sign_ins(), []);
}

#[test]
fn the_read_only_sibling_is_signed_in_as_and_one_that_is_not_there_is_one_line() {
    let product = signed_in();
    assert_eq!(arrive(&product, &["admin", "--read-only"]).status, 200);
    assert!(product.sandbox().console_sign_ins()[0].principal.arn.contains("AWSReservedSSO_ReadOnly_"));
    let ended = product.run(&["console", "deploy", "--read-only", "--print"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (13, ""), "{ended:?}");
    assert!(ended.stderr.contains("no read-only sibling"), "{ended:?}");
}

/// Region, start URL, ARN partition, federation host, console host.
const PARTITIONS: [[&str; 5]; 4] = [
    ["us-east-1", "https://d-1234567890.awsapps.com/start", "aws", "signin.aws.amazon.com", "console.aws.amazon.com"],
    [
        "cn-north-1",
        "https://start.cn-north-1.home.awsapps.cn/directory/d-1234567890",
        "aws-cn",
        "signin.amazonaws.cn",
        "console.amazonaws.cn",
    ],
    [
        "us-gov-west-1",
        "https://start.us-gov-west-1.us-gov-home.awsapps.com/directory/d-1234567890",
        "aws-us-gov",
        "signin.amazonaws-us-gov.com",
        "console.amazonaws-us-gov.com",
    ],
    [
        "eusc-de-east-1",
        "https://d-1234567890.portal.amazonaws.eu/start",
        "aws-eusc",
        "eusc-de-east-1.signin.amazonaws-eusc.eu",
        "console.amazonaws-eusc.eu",
    ],
];

#[test]
fn every_partition_is_signed_in_to_at_its_own_host_over_tls() {
    for [region, start_url, arn, host, console] in PARTITIONS {
        let mut product = Product::new();
        let role = format!("arn:{arn}:iam::210987654321:role/Deploy");
        product.sandbox().configure(|settings| {
            settings.organizations[0].region = region.to_owned();
            settings.organizations[0].start_url = start_url.to_owned();
            let trusted = format!("arn:{arn}:iam::123456789012:root");
            settings.iam_roles = vec![IamRole::new(&role, &[&trusted])];
        });
        product.write_aws_config(&format!(
            "[sso-session corp]\nsso_start_url = {start_url}\nsso_region = {region}\n\n[profile dev]\nregion = {region}\n\
             tegata_sso_session = corp\ntegata_sso_account_id = 123456789012\ntegata_sso_role_name = ReadOnly\n\n\
             [profile deploy]\nregion = {region}\ntegata_source_profile = dev\ntegata_role_arn = {role}\n"
        ));
        let (url, proxy) = (product.sandbox().url(), product.sandbox().proxy_url());
        let settings = format!(
            "store = \"memory\"\n[endpoints]\nsso_oidc = \"{url}\"\nsso = \"{url}\"\nsts = \"{url}\"\n\
             [http]\nproxy = \"{proxy}\"\nno_proxy = [\"127.0.0.1\"]\nca_bundle = \"{}\"\n",
            product.sandbox().ca_pem_path().display()
        );
        fs::write(product.path(".config/tegata/config.toml"), settings).unwrap();
        product.start_daemon();
        product.sign_in();
        for profile in ["dev", "deploy"] {
            let ended = product.run(&["console", profile, "--service", "s3", "--print"]);
            assert_eq!(ended.code, 0, "{ended:?}\n{}", product.daemon_log());
            let (start, query) = ended.stdout.trim().split_once('?').unwrap();
            assert_eq!(start, format!("https://{host}/federation"));
            let destination = format!("Destination=https%3A%2F%2F{region}.{console}%2Fs3%2Fhome%3Fregion%3D{region}&");
            assert!(query.starts_with("Action=login&Issuer=tegata&") && query.contains(&destination), "{query}");
        }
        let asked = product.sandbox().requests_of(Operation::GetSigninToken);
        assert!(
            asked.len() == 2 && asked.iter().all(|request| request.tls && request.status == Some(200)),
            "{asked:?}"
        );
        assert!(product.sandbox().proxy_connects().iter().all(|connect| *connect == format!("{host}:443")));
    }
}
