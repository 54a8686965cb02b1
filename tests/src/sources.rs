//! Every way in which credentials start, as a product with one profile: for the stories that are about all of them.

use crate::certified::Certified;
use crate::federated::Federated;
use crate::gated::IN_FILES;
use crate::machine_in_aws::InAws;
use crate::product::{Ended, Product, code_of};
use crate::{iam_user, token};
use serde_json::json;
use std::fs;
use std::io::Write;
use std::process::Stdio;
use tegata_sandbox::{Operation, SignedBy, Subject, TokenOrder};

/// A way in which credentials start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "`Way::name` says it")]
pub enum Way {
    SignIn,
    Console,
    TokenFile,
    TokenCommand,
    GithubJob,
    CertificateFiles,
    CertificateKeyring,
    CertificateToken,
    UserSession,
    UserCode,
    UserKeys,
    Instance,
    Task,
}

/// Makes a test of `$story` for each way that reaches a role and goes on without a person.
#[macro_export]
macro_rules! test_every_way_of_machines {
    ($story:path) => {
        $crate::test_ways! { $story;
            web_identity_by_a_file: TokenFile;
            web_identity_by_a_command: TokenCommand;
            web_identity_by_a_job_of_github: GithubJob;
            roles_anywhere_by_files: CertificateFiles;
            roles_anywhere_by_the_keyring: CertificateKeyring;
            roles_anywhere_by_a_token: CertificateToken;
            ec2_instance: Instance;
            ecs_container: Task;
        }
    };
}

/// Makes a test of `$story` for each way that reaches a role.
#[macro_export]
macro_rules! test_every_way_to_a_role {
    ($story:path) => {
        $crate::test_every_way_of_machines!($story);
        $crate::test_ways! { $story;
            sign_in_session: SignIn;
            console_login: Console;
        }
    };
}

/// Makes a test of `$story` for each way.
#[macro_export]
macro_rules! test_every_way {
    ($story:path) => {
        $crate::test_every_way_to_a_role!($story);
        $crate::test_ways! { $story;
            iam_user_by_a_session: UserSession;
            iam_user_by_a_session_with_a_code: UserCode;
            iam_user_by_the_keys_themselves: UserKeys;
        }
    };
}

/// Makes a test of `$story` for each of these ways.
#[macro_export]
macro_rules! test_ways {
    ($story:path; $($name:ident: $way:ident;)*) => {$(
        #[test]
        fn $name() {
            $story($crate::sources::Way::$way);
        }
    )*};
}

/// How `ci` has its token from a command: until a file says that the provider is down.
const COMMAND: &str =
    "test ! -e \"$0.down\" || { echo 'the provider is down' >&2; exit 3; }; cat \"${0%token}token.jwt\"";
const URI: &str = "pkcs11:token=laptop;object=tegata;id=%01";

/// A product whose profile [`Way::profile`] starts so.
#[derive(Debug)]
pub struct Machine {
    way: Way,
    held: Held,
}

#[derive(Debug)]
enum Held {
    Product(Product),
    Federated(Federated),
    Certified(Box<Certified>),
}

impl Way {
    /// Every way, in the order of the documents.
    pub const ALL: [Self; 13] = [
        Self::SignIn,
        Self::Console,
        Self::TokenFile,
        Self::TokenCommand,
        Self::GithubJob,
        Self::CertificateFiles,
        Self::CertificateKeyring,
        Self::CertificateToken,
        Self::UserSession,
        Self::UserCode,
        Self::UserKeys,
        Self::Instance,
        Self::Task,
    ];

    /// What the documents call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::SignIn => "sign-in session",
            Self::Console => "console login",
            Self::TokenFile => "web identity, a token in a file",
            Self::TokenCommand => "web identity, a command",
            Self::GithubJob => "web identity, a job of GitHub Actions",
            Self::CertificateFiles => "Roles Anywhere, files",
            Self::CertificateKeyring => "Roles Anywhere, keyring",
            Self::CertificateToken => "Roles Anywhere, PKCS#11",
            Self::UserSession => "IAM user, a session",
            Self::UserCode => "IAM user, a session with MFA",
            Self::UserKeys => "IAM user, the keys themselves",
            Self::Instance => "EC2 instance",
            Self::Task => "ECS container",
        }
    }

    /// The word that rules have for it (`source = "…"`).
    #[must_use]
    pub fn kind(self) -> &'static str {
        match self {
            Self::SignIn => "sign-in",
            Self::Console => "console",
            Self::TokenFile | Self::TokenCommand | Self::GithubJob => "web-identity",
            Self::CertificateFiles | Self::CertificateKeyring | Self::CertificateToken => "roles-anywhere",
            Self::UserSession | Self::UserCode | Self::UserKeys => "iam-user",
            Self::Instance => "ec2-instance",
            Self::Task => "ecs-container",
        }
    }

    /// The profile that starts so.
    #[must_use]
    pub fn profile(self) -> &'static str {
        match self {
            Self::SignIn | Self::CertificateFiles | Self::CertificateKeyring | Self::CertificateToken => "dev",
            Self::Console => "me",
            Self::UserSession | Self::UserKeys => "keys",
            Self::UserCode => "mfa",
            Self::TokenFile | Self::TokenCommand | Self::GithubJob | Self::Instance | Self::Task => "ci",
        }
    }

    /// The call by which AWS gives its credentials; none where they are there already.
    #[must_use]
    pub fn asks_by(self) -> Option<Operation> {
        match self {
            Self::SignIn => Some(Operation::GetRoleCredentials),
            Self::Console => Some(Operation::CreateOAuth2Token),
            Self::TokenFile | Self::TokenCommand | Self::GithubJob => Some(Operation::AssumeRoleWithWebIdentity),
            Self::CertificateFiles | Self::CertificateKeyring | Self::CertificateToken => {
                Some(Operation::CreateSession)
            }
            Self::UserSession | Self::UserCode => Some(Operation::GetSessionToken),
            Self::UserKeys => None,
            Self::Instance | Self::Task => Some(Operation::AssumeRole),
        }
    }

    /// A machine on which the profile is written and nobody has done anything yet; its daemon runs, over a store in files.
    ///
    /// # Panics
    /// When the machine does not let it.
    #[must_use]
    pub fn machine(self) -> Machine {
        let held = match self {
            Self::SignIn | Self::Console => Held::Product(Product::new()),
            Self::TokenFile => Held::Federated(Federated::by_file()),
            Self::TokenCommand => Held::Federated(Federated::by_command(COMMAND)),
            Self::GithubJob => Held::Federated(Federated::by_github()),
            Self::CertificateFiles | Self::CertificateKeyring | Self::CertificateToken => {
                Held::Certified(Box::new(certified(self)))
            }
            Self::UserSession | Self::UserCode => Held::Product(iam_user::product("")),
            Self::UserKeys => Held::Product(iam_user::product("[profile.keys]\nhand_out = \"keys\"\n")),
            Self::Instance => Held::Product(InAws::instance().product),
            Self::Task => Held::Product(InAws::task().product),
        };
        let mut machine = Machine { way: self, held };
        machine.knows_the_organisation();
        if machine.way.kind() != "iam-user" {
            machine.is_kept_in_files();
            machine.product_mut().start_daemon();
        }
        machine
    }
}

fn certified(way: Way) -> Certified {
    let certified = Certified::new();
    if way == Way::CertificateKeyring {
        certified.write_config("keyring", "keyring");
    }
    if way == Way::CertificateToken {
        token::make(&certified.product, "laptop");
        let issued = certified.issue(&Subject::new("runner-7"));
        token::fill(&certified.product, "laptop", "tegata", "01", &issued);
        certified.write_config(URI, URI);
        let module = token::MODULE;
        certified.product.write_settings(&format!("store = \"memory\"\n[pkcs11]\nmodule = \"{module}\"\n"));
    }
    certified
}

impl Machine {
    /// The product.
    #[must_use]
    pub fn product(&self) -> &Product {
        match &self.held {
            Held::Product(product) => product,
            Held::Federated(federated) => &federated.product,
            Held::Certified(certified) => &certified.product,
        }
    }

    fn product_mut(&mut self) -> &mut Product {
        match &mut self.held {
            Held::Product(product) => product,
            Held::Federated(federated) => &mut federated.product,
            Held::Certified(certified) => &mut certified.product,
        }
    }

    /// A sign-in session is in every config file: the first passkey goes by a fresh sign-in.
    fn knows_the_organisation(&self) {
        let product = self.product();
        let config = fs::read_to_string(product.path(".aws/config")).expect("there is a config file");
        if !config.contains("[sso-session ") {
            let all = product.default_aws_config();
            product.write_aws_config(&format!("{}{config}", all.split("[profile ").next().unwrap_or_default()));
        }
    }

    fn settings(&self) -> String {
        let all = fs::read_to_string(self.product().path(".config/tegata/config.toml")).expect("there are settings");
        all.split("\n[endpoints]").next().unwrap_or_default().to_owned()
    }

    fn is_kept_in_files(&mut self) {
        let own = self.settings().replace("store = \"memory\"\n", "");
        self.product_mut().store_in_files();
        self.product().write_settings(&format!("{IN_FILES}{own}\n"));
    }

    /// Has the profile reach a role of administration by its name, which the built-in rule gates from the first passkey on.
    ///
    /// # Panics
    /// When the config file cannot be written.
    pub fn reaches_administration(&self) {
        let product = self.product();
        let path = product.path(".aws/config");
        let mut config = fs::read_to_string(&path).expect("there is a config file");
        config = config.replace("sso_role_name = ReadOnly", "sso_role_name = Admin");
        product.sandbox().configure(|settings| {
            for role in settings.iam_roles.iter_mut().filter(|role| !role.arn.ends_with("Admin")) {
                let arn = format!("{}Admin", role.arn);
                config = config.replace(&format!("{}\n", role.arn), &format!("{arn}\n"));
                let profiles = settings.roles_anywhere.profiles.iter_mut();
                profiles.for_each(|profile| profile.roles.push(arn.clone()));
                role.arn = arn;
            }
        });
        fs::write(path, config).expect("the config file is written");
    }

    /// Starts the daemon anew, with more in its settings.
    ///
    /// # Panics
    /// When it does not come up.
    pub fn restarts_with(&mut self, settings: &str) {
        self.product_mut().kill_daemon();
        let own = self.settings();
        self.product().write_settings(&format!("{own}\n{settings}"));
        self.product_mut().start_daemon();
    }

    /// Does what a person does before such a profile is served, if anything.
    ///
    /// # Panics
    /// When it does not work out.
    pub fn person_does_their_part(&self) {
        let product = self.product();
        let done = match self.way {
            Way::SignIn => return product.sign_in(),
            Way::Console => {
                product.sign_in_with(&["login", "--console", "me", "--region", "us-east-1", "--print", "--yes"])
            }
            Way::GithubJob => {
                let job = product.sandbox().begin_github_job();
                let body =
                    json!({ "profile": "ci", "request_url": job.request_url, "request_token": job.request_token });
                assert_eq!(product.api("POST", "/v1/github-job", Some(&body)).0, 200);
                return;
            }
            Way::CertificateKeyring => self.imports_the_certificate(),
            Way::CertificateToken => say(product, &["login", "dev"], token::PIN),
            Way::UserCode => {
                let code = product.sandbox().mfa_code(iam_user::PHONE).expect("alice has a device");
                say(product, &["login", "mfa"], &code)
            }
            _ => return,
        };
        assert_eq!(done.code, 0, "{:?}: {done:?}\n{}", self.way, product.daemon_log());
    }

    fn imports_the_certificate(&self) -> Ended {
        let Held::Certified(certified) = &self.held else { panic!("{:?} has no certificate", self.way) };
        let (certificate, key) = (certified.certificate().display().to_string(), certified.key().display().to_string());
        self.product().run(&["certificate", "import", "dev", "--certificate", &certificate, "--key", &key])
    }

    /// Ends the source, or has AWS refuse it, and has everything forgotten that was had from it.
    ///
    /// # Panics
    /// When it does not work out.
    pub fn source_ends(&self) {
        let product = self.product();
        let sandbox = product.sandbox();
        for command in ["lock", "unlock"] {
            let ended = product.run(&[command]);
            assert_eq!(ended.code, 0, "{ended:?}");
        }
        match (&self.held, self.way) {
            (_, Way::SignIn) => sandbox.end_sign_in_sessions(),
            (_, Way::Console) => sandbox.end_logins(),
            (Held::Federated(federated), Way::TokenFile) => {
                federated.write_token(&TokenOrder { signed_by: SignedBy::Forger, ..TokenOrder::default() });
            }
            (Held::Federated(federated), Way::TokenCommand) => {
                fs::write(federated.at("token.down"), "").expect("a file is written");
            }
            (_, Way::CertificateFiles) => {
                sandbox.configure(|settings| settings.roles_anywhere.profiles[0].roles.clear());
            }
            (_, Way::CertificateKeyring) => {
                let removed = product.run(&["certificate", "remove", "dev"]);
                assert_eq!(removed.code, 0, "{removed:?}");
            }
            (_, Way::UserSession) => {
                let id = sandbox.iam_users()[0].keys[0].id.clone();
                sandbox.set_access_key_active(iam_user::ALICE, &id, false).expect("the key is there");
            }
            (_, Way::UserKeys) => {
                let locked = product.run(&["lock"]);
                assert_eq!(locked.code, 0, "{locked:?}");
            }
            (_, Way::Instance) => sandbox.configure(|settings| settings.instance.role_arn = None),
            (_, Way::Task) => sandbox.configure(|settings| settings.iam_roles.clear()),
            // A lock forgets the job and closes the token.
            _ => {}
        }
    }

    /// Returns a text without what is another in every run: the home and the directory beside it.
    #[must_use]
    pub fn without_places(&self, text: &str) -> String {
        let outside = match &self.held {
            Held::Federated(federated) => federated.at("").display().to_string(),
            _ => self.product().path("").display().to_string(),
        };
        text.replace(&self.product().path("").display().to_string(), "~/").replace(&outside, "/opt/idp/")
    }
}

/// Runs `tegata` with a line on its standard input, as a script does.
fn say(product: &Product, arguments: &[&str], line: &str) -> Ended {
    let mut command = product.tegata(arguments);
    let mut running =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("tegata runs");
    // Who ends before reading says so by its exit code.
    let _ = running.stdin.take().expect("stdin is piped").write_all(format!("{line}\n").as_bytes());
    let output = running.wait_with_output().expect("tegata ends");
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    let ended = Ended { code: code_of(output.status), stdout: text(output.stdout), stderr: text(output.stderr) };
    product.heard(arguments, &ended);
    ended
}
