//! What `tegata setup` writes into AWS config, read by AWS clients which nobody here wrote: each lists every profile, finds the
//! `credential_process` of one of them word for word, and is served with it by AWS's double.

#![cfg(feature = "system")]

use aws_types::os_shim_internal::{Env, Fs};
use std::fs;
use std::path::Path;
use std::process::Command;
use tegata_sandbox::{IamRole, START_URL};
use tegata_tests::product::{Ended, Product, run};
use tegata_tests::sdk::{self, Called, Kind};
use tegata_tests::{client, program};

/// A client that reads AWS config by itself.
#[derive(Clone, Copy, Debug)]
enum Client {
    AwsCliV2,
    AwsCliV1,
    Botocore,
    Js,
    Rust,
}

const CLIENTS: [Client; 5] = [Client::AwsCliV2, Client::AwsCliV1, Client::Botocore, Client::Js, Client::Rust];

/// Clients that make calls; Go has nothing that lists profiles, and Java is slow to start, so these two only do this.
const CALLERS: [Kind; 7] =
    [Kind::AwsCliV2, Kind::AwsCliV1, Kind::Boto3, Kind::JsDefaultChain, Kind::RustSdk, Kind::GoSdk, Kind::JavaSdk];

/// What a client finds in a file.
#[derive(Debug, PartialEq, Eq)]
struct Loaded {
    /// The names of all profiles, sorted.
    names: Vec<String>,
    /// The `credential_process` of one.
    process: Option<String>,
}

impl Client {
    /// Has the client read the home's AWS config file.
    fn load(self, product: &Product, profile: &str) -> Loaded {
        let mut loaded = match self {
            Self::AwsCliV2 => cli(product, &client("awscli-v2/dist/aws"), profile, &mut || {
                let list = aws(product, &client("awscli-v2/dist/aws"), &["configure", "list-profiles"]);
                assert_eq!(list.code, 0, "{list:?}");
                list.stdout.lines().map(str::to_owned).collect()
            }),
            // It has no command that lists profiles, so its botocore does.
            Self::AwsCliV1 => cli(product, &client("python/bin/aws"), profile, &mut || {
                script(product, &client("python/bin/python"), "config_botocore.py", profile).names
            }),
            Self::Botocore => script(product, &client("python/bin/python"), "config_botocore.py", profile),
            Self::Js => script(product, Path::new("node"), "config_js.cjs", profile),
            Self::Rust => rust(product, profile),
        };
        loaded.names.sort();
        loaded
    }
}

fn aws(product: &Product, program: &Path, arguments: &[&str]) -> Ended {
    run(product.command(program).args(arguments))
}

fn cli(product: &Product, program: &Path, profile: &str, names: &mut dyn FnMut() -> Vec<String>) -> Loaded {
    let get = aws(product, program, &["configure", "get", "credential_process", "--profile", profile]);
    let process = (get.code == 0).then(|| get.stdout.trim_end_matches('\n').to_owned());
    assert!(get.code == 0 || (get.code == 1 && get.stderr.is_empty()), "{get:?}");
    Loaded { names: names(), process }
}

fn script(product: &Product, interpreter: &Path, name: &str, profile: &str) -> Loaded {
    let ended = run(&mut written_here(product, interpreter, &[name, profile]));
    assert_eq!(ended.code, 0, "{ended:?}");
    let found: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    let names = found["names"].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect();
    Loaded { names, process: found["process"].as_str().map(str::to_owned) }
}

fn rust(product: &Product, profile: &str) -> Loaded {
    let file = product.path(".aws/config");
    let environment = Env::from_slice(&[("AWS_CONFIG_FILE", file.to_str().unwrap()), ("HOME", "/nowhere")]);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let load = async { aws_config::profile::load(&Fs::real(), &environment, &Default::default(), None).await };
    let profiles = runtime.block_on(load).unwrap();
    let process = profiles.get_profile(profile).unwrap().get("credential_process").map(str::to_owned);
    Loaded { names: profiles.profiles().map(str::to_owned).collect(), process }
}

/// A client of `tests/clients`: what it is called, and its arguments.
fn written_here(product: &Product, interpreter: &Path, arguments: &[&str]) -> Command {
    let mut command = product.command(interpreter);
    command.arg(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/clients")).join(arguments[0])).args(&arguments[1..]);
    command.env("NODE_PATH", client("node/node_modules"));
    command
}

/// Returns who AWS says a profile is, as a signed call of a client learns it.
fn identity(kind: Kind, product: &Product, profile: &str) -> String {
    match sdk::Client::as_profile(kind, profile, product).call() {
        Called::Arn(arn) => arn,
        Called::Error(error) => panic!("{kind:?} {profile}: {error}\n{}", product.daemon_log()),
    }
}

/// A file that was written, and what its profiles are.
struct Case {
    product: Product,
    /// What was there before.
    before: String,
    /// Every profile, sorted.
    names: &'static [&'static str],
}

impl Case {
    /// Writes a file, runs a `tegata setup`, starts the daemon, and signs in to these sign-in sessions.
    fn after(before: String, setup: &[&str], names: &'static [&'static str], sessions: &[&str]) -> Self {
        Self::of(Product::new(), before, setup, names, sessions)
    }

    fn of(
        mut product: Product,
        before: String,
        setup: &[&str],
        names: &'static [&'static str],
        sessions: &[&str],
    ) -> Self {
        product.sandbox().configure(|settings| {
            settings.iam_roles = vec![IamRole::new(DEPLOY, &["arn:aws:iam::123456789012:root"])];
        });
        product.write_aws_config(&before);
        let ended = product.run(&[&["setup", "--yes"], setup].concat());
        assert_eq!(ended.code, 0, "{ended:?}");
        product.start_daemon();
        for session in sessions {
            let ended = product.sign_in_with(&["login", session, "--print"]);
            assert_eq!(ended.code, 0, "{ended:?}\n{}", product.daemon_log());
        }
        Self { product, before, names }
    }

    /// Has every client read the file.
    fn is_read(&self, profile: &str) {
        let process = format!("{} credential-process --profile {profile}", program("tegata").display());
        for client in CLIENTS {
            let expected = Loaded { names: self.sorted_names(), process: Some(process.clone()) };
            assert_eq!(client.load(&self.product, profile), expected, "{client:?}");
        }
    }

    /// Has every client read the file and make a call as this profile.
    fn is_served(&self, profile: &str, role: &str) {
        self.is_read(profile);
        for kind in CALLERS {
            let arn = identity(kind, &self.product, profile);
            assert!(arn.contains(role), "{kind:?} {profile}: {arn}");
        }
    }

    /// Undoes it, and has these clients read what was there before.
    fn is_undone(&self, profile: &str, process: Option<&str>, clients: &[Client]) {
        let ended = self.product.run(&["setup", "--undo", "--yes"]);
        assert_eq!(ended.code, 0, "{ended:?}");
        assert_eq!(fs::read(self.product.path(".aws/config")).unwrap(), self.before.as_bytes());
        for client in clients {
            let expected = Loaded { names: self.sorted_names(), process: process.map(str::to_owned) };
            assert_eq!(client.load(&self.product, profile), expected, "{client:?}");
        }
    }

    fn sorted_names(&self) -> Vec<String> {
        let mut names: Vec<_> = self.names.iter().map(|name| (*name).to_owned()).collect();
        names.sort();
        names
    }
}

const DEPLOY: &str = "arn:aws:iam::210987654321:role/team/Deploy";

/// Profiles as AWS documents them, in a file somebody has lived in.
fn native() -> String {
    format!(
        "# of long ago -- Jos\u{e9}\n[default]\nregion = us-east-1\noutput = json\n\n\
         [sso-session corp]\nsso_start_url = {START_URL}/#/\nsso_region = us-east-1\n\
         sso_registration_scopes = sso:account:access\n\n\
         [profile team/a.b@c+d]\n# do not touch\nsso_session = corp\nsso_account_id = 123456789012\n\
         sso_role_name = ReadOnly\nregion = us-east-1\ns3 =\n  max_concurrent_requests = 20\n  addressing_style = path\n\n\
         ; from before sign-in sessions\n[profile legacy]\nsso_start_url = {START_URL}\nsso_region = us-east-1\n\
         sso_account_id = 123456789012\nsso_role_name = Admin\nregion = us-east-1\n\n\
         [profile deploy]\nregion = us-east-1\nrole_arn = {DEPLOY}\nrole_session_name = bot\nsource_profile = team/a.b@c+d"
    )
}

const NATIVE: &[&str] = &["default", "team/a.b@c+d", "legacy", "deploy"];

#[test]
fn adopted_profiles_are_read_and_served_and_given_back() {
    let case = Case::after(native(), &["--adopt", "deploy", "legacy"], NATIVE, &["corp", "legacy"]);
    case.is_served("deploy", ":assumed-role/Deploy/bot");
    for (profile, role) in [("team/a.b@c+d", "/AWSReservedSSO_ReadOnly_"), ("legacy", "/AWSReservedSSO_Admin_")] {
        let arn = identity(Kind::RustSdk, &case.product, profile);
        assert!(arn.contains(role), "{arn}");
    }
    case.is_undone("team/a.b@c+d", None, &CLIENTS);
}

#[test]
fn a_file_of_crlf_lines_is_read_and_served() {
    let case = Case::after(native().replace('\n', "\r\n"), &["--adopt", "team/a.b@c+d"], NATIVE, &["corp"]);
    case.is_read("team/a.b@c+d");
    let arn = identity(Kind::RustSdk, &case.product, "team/a.b@c+d");
    assert!(arn.contains("/AWSReservedSSO_ReadOnly_"), "{arn}");
    case.is_undone("team/a.b@c+d", None, &[]);
}

/// Written as only some clients read it: the daemon reads what the command line has adopted.
#[test]
fn an_oddly_written_profile_is_served_by_the_daemon() {
    let before = format!(
        "\u{feff}; Latin-1 follows\r\n[ profile  'a b' ]\t; c\r\n  SSO_Start_URL={START_URL}/#/ # c\r\n\t sso_region : us-east-1\r\n\
         \x20 s3 =\r\n   sso_role_name = nested\r\n  sso_account_id = 123456789012 ; c\r\n  Sso_Role_Name: ReadOnly"
    );
    let case = Case::after(before, &["--adopt", "a b"], &[], &["a b"]);
    let ended = case.product.credentials("a b");
    assert_eq!(ended.code, 0, "{ended:?}\n{}", case.product.daemon_log());
    case.is_undone("a b", None, &[]);
}

#[test]
fn what_granted_served_is_read_and_served() {
    let before = format!(
        "[default]\nregion = us-east-1\n\n[profile prod/ReadOnly]\ngranted_sso_start_url      = {START_URL}/\n\
         granted_sso_region         = us-east-1\ngranted_sso_account_id     = 123456789012\n\
         granted_sso_role_name      = ReadOnly\ncommon_fate_generated_from = aws-sso\n\
         credential_process         = granted credential-process --profile prod/ReadOnly\n"
    );
    let case = Case::after(before, &["--from", "granted"], &["default", "prod/ReadOnly"], &["prod/ReadOnly"]);
    case.is_served("prod/ReadOnly", "/AWSReservedSSO_ReadOnly_");
    case.is_undone(
        "prod/ReadOnly",
        Some("granted credential-process --profile prod/ReadOnly"),
        &[Client::Botocore, Client::Rust],
    );
}

#[test]
fn what_aws_sso_served_is_read_and_served() {
    let process = "/usr/local/bin/aws-sso -u open -S \"Default\" process --arn arn:aws:iam::123456789012:role/ReadOnly";
    let before = format!(
        "[default]\nregion = us-east-1\n\n# BEGIN_AWS_SSO_CLI\n\n[profile 123456789012:ReadOnly]\n\
         credential_process = {process}\noutput=json\n\n# END_AWS_SSO_CLI\n"
    );
    let product = Product::new();
    let settings = format!("SSOConfig:\n    Default:\n        SSORegion: us-east-1\n        StartUrl: {START_URL}\n");
    let names = &["default", "123456789012:ReadOnly"];
    fs::create_dir(product.path(".aws-sso")).unwrap();
    fs::write(product.path(".aws-sso/config.yaml"), settings).unwrap();
    let case = Case::of(product, before, &["--from", "aws-sso-cli"], names, &["Default"]);
    case.is_served("123456789012:ReadOnly", "/AWSReservedSSO_ReadOnly_");
    case.is_undone("123456789012:ReadOnly", Some(process), &[Client::Botocore, Client::Rust]);
}

#[test]
fn what_aws_vault_served_is_read_and_served() {
    let before = format!(
        "[default]\nregion = us-east-1\n\n[profile common]\nregion = us-east-1\nsource_profile = entry\n\n\
         [profile entry]\nsso_start_url = {START_URL}\nsso_region = us-east-1\nsso_account_id = 123456789012\n\
         sso_role_name = ReadOnly\nregion = us-east-1\n\n\
         [profile order]\ninclude_profile = common\nrole_arn = {DEPLOY}\nrole_session_name = bot\n\n\
         [profile for-sdks]\ncredential_process = aws-vault exec --json order\n"
    );
    let names = &["default", "common", "entry", "order", "for-sdks"];
    let case = Case::after(before, &["--from", "aws-vault"], names, &["entry"]);
    case.is_served("for-sdks", ":assumed-role/Deploy/bot");
    case.is_undone("for-sdks", Some("aws-vault exec --json order"), &[Client::Botocore, Client::Rust]);
}

/// The file that `tegata setup` generates, as the command line's own tests keep it.
#[test]
fn generated_profiles_are_read_and_served() {
    let golden = include_str!("../../cli/src/aws_config/snapshots/tegata__aws_config__file__tests__generated.snap");
    let (_, generated) = golden.trim_start_matches("---").split_once("---\n").unwrap();
    let mut product = Product::new();
    product.write_aws_config(&generated.replace("/usr/bin/tegata", program("tegata").to_str().unwrap()));
    product.start_daemon();
    product.sign_in();
    let case = Case { product, before: String::new(), names: &["default", "dev", "team/a.b@c+d"] };
    case.is_read("dev");
    case.is_served("team/a.b@c+d", "/AWSReservedSSO_ReadOnly_");
}
