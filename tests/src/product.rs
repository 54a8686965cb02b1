//! The product as a user has it: a private home, a sandbox for AWS, a daemon, the command line.

use crate::bounded::Bounded;
use crate::canaries::{self, Canaries, Found};
use crate::hand::Hand;
use crate::{browser, program};
use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};
use tegata_sandbox::{START_URL, Sandbox};
use tempfile::TempDir;

/// How long anything here may take before a test fails.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A home of its own, with an AWS sandbox to talk to.
#[derive(Debug)]
pub struct Product {
    home: TempDir,
    sandbox: Sandbox,
    daemons: Vec<Child>,
    /// What commands printed that nobody may keep a secret in, each under its command line.
    said: Mutex<Vec<(String, String)>>,
    /// Variables for the daemon and the command line, on top of the private home's.
    pub environment: Vec<(String, String)>,
    /// Which daemon is started.
    pub daemon_binary: PathBuf,
    /// Which command line is run.
    pub cli_binary: PathBuf,
}

/// How a command ended.
#[derive(Debug)]
#[must_use]
pub struct Ended {
    /// The exit code; 128 + n for a signal.
    pub code: i32,
    /// Everything it wrote to stdout.
    pub stdout: String,
    /// Everything it wrote to stderr.
    pub stderr: String,
}

impl Product {
    /// Makes a home with `[sso-session corp]`, the profiles `dev` (ReadOnly) and `admin` (Admin), and `store = "memory"`.
    ///
    /// # Panics
    /// When the machine does not let it.
    #[must_use]
    pub fn new() -> Self {
        Self::with(Sandbox::start().expect("the sandbox starts"))
    }

    /// As [`Product::new`], over a sandbox that was started by the test.
    ///
    /// # Panics
    /// When the machine does not let it.
    #[must_use]
    pub fn with(sandbox: Sandbox) -> Self {
        let home = tempfile::Builder::new().prefix("tg").tempdir().expect("a temporary home");
        fs::set_permissions(home.path(), fs::Permissions::from_mode(0o700)).expect("the home is private");
        let (said, daemons, environment) = (Mutex::default(), vec![], vec![]);
        let (daemon_binary, cli_binary) = (program("tegatad"), program("tegata"));
        let product = Self { home, sandbox, daemons, said, environment, daemon_binary, cli_binary };
        for dir in [".aws", ".config/tegata", ".local/state", "run"] {
            fs::create_dir_all(product.path(dir)).expect("a directory in the home");
        }
        fs::set_permissions(product.path("run"), fs::Permissions::from_mode(0o700))
            .expect("the runtime dir is private");
        product.write_aws_config(&product.default_aws_config());
        product.write_settings("store = \"memory\"\n");
        product
    }

    /// Returns the AWS double.
    #[must_use]
    pub fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }

    /// Returns a path in the home.
    #[must_use]
    pub fn path(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.home.path().join(relative)
    }

    /// Returns the daemon's socket.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.path("run/tegata/tegata.sock")
    }

    /// Returns where the daemon keeps its state.
    #[must_use]
    pub fn state_dir(&self) -> PathBuf {
        self.path(".local/state/tegata")
    }

    /// Returns the AWS config that [`Product::new`] writes.
    #[must_use]
    pub fn default_aws_config(&self) -> String {
        let tegata = program("tegata");
        let profile = |name: &str, role: &str| {
            format!(
                "[profile {name}]\nregion = us-east-1\ntegata_sso_session = corp\ntegata_sso_account_id = 123456789012\n\
                 tegata_sso_role_name = {role}\ncredential_process = {} credential-process --profile {name}\n\n",
                tegata.display()
            )
        };
        format!(
            "[sso-session corp]\nsso_start_url = {START_URL}\nsso_region = us-east-1\nsso_registration_scopes = sso:account:access\n\n{}{}",
            profile("dev", "ReadOnly"),
            profile("admin", "Admin")
        )
    }

    /// Writes `~/.aws/config`.
    ///
    /// # Panics
    /// When it cannot.
    pub fn write_aws_config(&self, text: &str) {
        fs::write(self.path(".aws/config"), text).expect("the AWS config is written");
    }

    /// Writes `config.toml`: `text`, then the sandbox's endpoints.
    ///
    /// # Panics
    /// When it cannot.
    pub fn write_settings(&self, text: &str) {
        let url = self.sandbox.url();
        let names = [
            "sso_oidc",
            "sso",
            "sts",
            "iam",
            "federation",
            "signin",
            "rolesanywhere",
            "ec2_metadata",
            "ecs_container",
            "github_actions",
        ];
        let endpoints: String = names.iter().map(|name| format!("{name} = \"{url}\"\n")).collect();
        let endpoints = format!("\n[endpoints]\n{endpoints}");
        fs::write(self.path(".config/tegata/config.toml"), format!("{text}{endpoints}"))
            .expect("the settings are written");
    }

    /// Sets `store = "file"`, sealed with a key of this home.
    ///
    /// # Panics
    /// When the key cannot be written.
    pub fn store_in_files(&mut self) {
        let key = self.path("credentials/key");
        fs::create_dir_all(self.path("credentials")).expect("a directory in the home");
        fs::write(&key, [7; 32]).expect("the key is written");
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).expect("the key is private");
        self.environment.push((String::from("CREDENTIALS_DIRECTORY"), self.path("credentials").display().to_string()));
        self.write_settings("store = \"file\"\n[file_store]\nsystemd_credential = \"key\"\n");
    }

    /// Takes a `tegata` with no daemon beside it, so that it cannot start one.
    ///
    /// # Panics
    /// When it can neither be linked nor copied.
    pub fn never_start_a_daemon(&mut self) {
        self.cli_binary = self.path("tegata");
        if fs::hard_link(program("tegata"), &self.cli_binary).is_ok() {
            return;
        }
        // Copied by another process: a program that this one had open for writing could be busy in a sibling's fork.
        let copied = run(Command::new("cp").arg(program("tegata")).arg(&self.cli_binary));
        assert_eq!(copied.code, 0, "{copied:?}");
    }

    /// Gives the home to another user, whose daemon and commands are run from now on. The test has to be root.
    ///
    /// # Panics
    /// When it is not.
    pub fn give_to(&mut self, uid: u32) {
        fs::create_dir(self.path("bin")).expect("a directory in the home");
        for name in ["tegata", "tegatad"] {
            // Copied by another process, as in `never_start_a_daemon`.
            assert_eq!(run(Command::new("cp").arg(program(name)).arg(self.path("bin"))).code, 0);
            let binary = self.path("bin").join(name);
            let script = format!(
                "#!/bin/sh\nexec setpriv --reuid={uid} --regid={uid} --clear-groups {} \"$@\"\n",
                binary.display()
            );
            fs::write(self.path(format!("bin/{name}.text")), script).expect("a file");
            let wrapper = self.path(format!("bin/{name}-as-{uid}"));
            assert_eq!(run(Command::new("cp").arg(self.path(format!("bin/{name}.text"))).arg(&wrapper)).code, 0);
            fs::set_permissions(&wrapper, fs::Permissions::from_mode(0o755)).expect("a program");
            *if name == "tegata" { &mut self.cli_binary } else { &mut self.daemon_binary } = wrapper;
        }
        let owner = format!("{uid}:{uid}");
        assert_eq!(run(Command::new("chown").args(["-R", &owner]).arg(self.home.path())).code, 0);
    }

    /// Returns a command in this home with nothing of the test's own environment.
    #[must_use]
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear().current_dir(self.home.path());
        command.env("HOME", self.home.path()).env("PATH", "/usr/local/bin:/usr/bin:/bin").env("LANG", "C.UTF-8");
        command.env("XDG_RUNTIME_DIR", self.path("run")).env("XDG_CONFIG_HOME", self.path(".config"));
        command.env("XDG_STATE_HOME", self.path(".local/state"));
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null());
        command
    }

    /// Returns `tegata` with arguments, ready to run.
    #[must_use]
    pub fn tegata(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(&self.cli_binary);
        command.args(arguments);
        command
    }

    /// Runs `tegata` to its end, which comes after [`crate::bounded::LONGEST`] at the latest.
    pub fn run(&self, arguments: &[&str]) -> Ended {
        let ended = Bounded::start(&mut self.tegata(arguments)).ends();
        self.heard(arguments, &ended);
        ended
    }

    /// Takes note of what a command printed, for [`Product::assert_no_canaries`]. Credentials on the stdout of a
    /// `credential-process` that ended well, and the link of a `console --print`, are where they belong.
    ///
    /// # Panics
    /// Never, unless another test thread did.
    pub fn heard(&self, arguments: &[&str], ended: &Ended) {
        let asked_for = arguments.first() == Some(&"credential-process") && ended.code == 0
            || arguments.first() == Some(&"console") && arguments.contains(&"--print");
        let stdout = if asked_for { "" } else { &ended.stdout };
        let command = format!("tegata {}", arguments.join(" "));
        self.said.lock().expect("nobody panicked").push((command, format!("{stdout}\n{}", ended.stderr)));
    }

    /// Looks for the sandbox's secrets, and others of this run, in everything that outlives a request: the files of the
    /// home (state, settings, the daemon's log), what commands printed, the processes that run.
    ///
    /// # Panics
    /// When the home cannot be read.
    #[must_use]
    pub fn find_canaries(&self) -> Vec<Found> {
        let canaries = self.canaries();
        let mut found = canaries.find_under(self.home.path());
        for (command, said) in self.said.lock().expect("nobody panicked").iter() {
            found.extend(canaries.find_in(&format!("the output of `{command}`"), said.as_bytes()));
        }
        found.extend(self.daemons.iter().flat_map(|daemon| canaries.find_in_process(daemon.id())));
        found
    }

    /// Fails when [`Product::find_canaries`] finds one.
    ///
    /// # Panics
    /// Then.
    pub fn assert_no_canaries(&self) {
        canaries::assert_none(&self.find_canaries());
    }

    /// Returns what to look for: what the sandbox handed out, and the PKCE verifiers it was sent.
    #[must_use]
    pub fn canaries(&self) -> Canaries {
        let bodies = self.sandbox.requests().into_iter().map(|request| request.body);
        let verifiers = bodies.filter_map(|body| {
            let json: serde_json::Value = serde_json::from_str(&body).ok()?;
            Some(json.get("codeVerifier")?.as_str()?.to_owned())
        });
        verifiers.fold(Canaries::default(), |canaries, verifier| canaries.and(&verifier))
    }

    /// Starts the daemon by hand and waits until it answers; its log goes to `daemon.log` in the home.
    ///
    /// # Panics
    /// When it does not come up.
    pub fn start_daemon(&mut self) -> u32 {
        let pid = self.spawn_daemon();
        let socket = self.socket();
        wait_until("the daemon answers", || {
            assert!(!self.daemon_is_gone(), "the daemon ended: {}", self.daemon_log());
            UnixStream::connect(&socket).is_ok()
        });
        pid
    }

    /// Starts the daemon by hand and waits for nothing.
    ///
    /// # Panics
    /// When there is no such program.
    pub fn spawn_daemon(&mut self) -> u32 {
        let log =
            fs::OpenOptions::new().create(true).append(true).open(self.path("daemon.log")).expect("the log opens");
        let mut command = self.command(&self.daemon_binary);
        command.stdout(Stdio::null()).stderr(log);
        let daemon = command.spawn().unwrap_or_else(|error| panic!("{}: {error}", self.daemon_binary.display()));
        let pid = daemon.id();
        self.daemons.push(daemon);
        pid
    }

    /// Returns what the daemons of this home have logged.
    #[must_use]
    pub fn daemon_log(&self) -> String {
        fs::read_to_string(self.path("daemon.log")).unwrap_or_default()
    }

    /// Returns whether the daemon that was started last has ended.
    pub fn daemon_is_gone(&mut self) -> bool {
        self.daemons.last_mut().is_none_or(|daemon| daemon.try_wait().is_ok_and(|status| status.is_some()))
    }

    /// Kills the daemon as a power cut would, and waits until it is gone.
    ///
    /// # Panics
    /// When none was started here.
    pub fn kill_daemon(&mut self) {
        let mut daemon = self.daemons.pop().expect("a daemon was started");
        daemon.kill().expect("the daemon is ours to end");
        daemon.wait().expect("the daemon ends");
    }

    /// Waits until the daemon has ended by itself and returns its exit code (128 + n for a signal).
    ///
    /// # Panics
    /// When none was started here, or it goes on.
    pub fn daemon_ends(&mut self) -> i32 {
        let mut daemon = self.daemons.pop().expect("a daemon was started");
        let mut code = None;
        wait_until("the daemon ends", || {
            code = daemon.try_wait().expect("the daemon is our child");
            code.is_some()
        });
        code_of(code.expect("it has ended"))
    }

    /// Signs in to `corp` as a person would: `tegata login`, the page, the callback.
    ///
    /// # Panics
    /// When it does not work out.
    pub fn sign_in(&self) {
        let ended = self.sign_in_with(&["login", "corp", "--print"]);
        assert_eq!(ended.code, 0, "{ended:?}\n{}", self.daemon_log());
    }

    /// Runs a `tegata login … --print`, opens the page that it prints, and returns how it ended.
    ///
    /// # Panics
    /// When it prints no page.
    pub fn sign_in_with(&self, arguments: &[&str]) -> Ended {
        self.run_with_page(arguments, |url| {
            browser::try_visit(url).map(drop).map_err(|error| format!("the page broke: {error}"))
        })
    }

    /// Runs a `tegata … --print`, has `open` go to the page that it prints, and returns how it ended. What `open` could not do
    /// ends the command.
    ///
    /// # Panics
    /// When its output is no text.
    pub fn run_with_page(&self, arguments: &[&str], open: impl FnOnce(&str) -> Result<(), String>) -> Ended {
        let mut running = Bounded::start(&mut self.tegata(arguments));
        let mut output = BufReader::new(running.process.stdout.take().expect("stdout is piped"));
        let mut stdout = String::new();
        while !stdout.contains("http") && output.read_line(&mut stdout).is_ok_and(|read| read > 0) {}
        if let Some(url) = stdout.split_whitespace().find(|word| word.starts_with("http"))
            && let Err(error) = open(url)
        {
            eprintln!("{error}");
            let _ = running.process.kill();
        }
        output.read_to_string(&mut stdout).expect("the output is text");
        let ended = Ended { stdout, ..running.ends() };
        self.heard(arguments, &ended);
        ended
    }

    /// Asks for a profile's credentials as a tool does.
    pub fn credentials(&self, profile: &str) -> Ended {
        self.run(&["credential-process", "--profile", profile])
    }

    /// Asks the daemon's local API.
    pub fn api(&self, method: &str, path: &str, body: Option<&serde_json::Value>) -> (u16, serde_json::Value) {
        crate::local_api::ask(&self.socket(), method, path, body)
    }

    /// Returns the URL of a page for a request that waits.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn page(&self, request: &str) -> String {
        let (status, page) = self.api("POST", &format!("/v1/requests/{request}/pages"), Some(&serde_json::json!({})));
        assert_eq!(status, 201, "{page}");
        page["url"].as_str().expect("a page has a URL").to_owned()
    }

    /// Enrols a passkey of `person` through the local API and the page. Behind the first one it is `before` that approves.
    ///
    /// # Panics
    /// When it does not work out.
    pub fn enrol(&self, person: &str, before: Option<&mut Hand>) -> Hand {
        let body = serde_json::json!({ "person": person, "name": format!("{person}'s key") });
        let (status, request) = self.api("POST", "/v1/passkeys", Some(&body));
        assert_eq!(status, 201, "{request}");
        let url = self.page(request["id"].as_str().expect("a request has an id"));
        let mut hand = Hand::new();
        let ended = match before {
            None => hand.approve(&url),
            Some(before) => before.vouch_for(&mut hand, &url),
        };
        assert_eq!(ended.expect("the page does it")["state"], "approved");
        hand
    }

    /// Asks for a grant and has it approved. Returns how its request ended.
    ///
    /// # Panics
    /// When it does not work out.
    pub fn elevate(&self, hand: &mut Hand, wanted: &serde_json::Value) -> serde_json::Value {
        let (status, request) = self.api("POST", "/v1/grants", Some(wanted));
        assert_eq!(status, 201, "{request}");
        let ended = hand.approve(&self.page(request["id"].as_str().expect("a request has an id")));
        let ended = ended.expect("the page does it");
        assert_eq!(ended["state"], "approved", "{ended}");
        ended
    }

    /// Returns the live grants.
    ///
    /// # Panics
    /// When the daemon does not list them.
    #[must_use]
    pub fn grants(&self) -> Vec<serde_json::Value> {
        let (status, body) = self.api("GET", "/v1/grants", None);
        assert_eq!(status, 200, "{body}");
        body["grants"].as_array().cloned().unwrap_or_default()
    }

    /// Returns why grants ended, oldest first, as the records say.
    ///
    /// # Panics
    /// As [`Product::audit`].
    #[must_use]
    pub fn ends_of_grants(&self) -> Vec<String> {
        let records = self.audit();
        let ended = records.iter().filter(|record| record["event"] == "grant_ended");
        ended.map(|record| record["why"].as_str().expect("a reason").to_owned()).collect()
    }

    /// Returns the requests that wait for a hand.
    #[must_use]
    pub fn waiting(&self) -> Vec<serde_json::Value> {
        let (_, body) = self.api("GET", "/v1/requests", None);
        body["requests"].as_array().cloned().unwrap_or_default()
    }

    /// Waits until a request waits for a hand, and returns it.
    ///
    /// # Panics
    /// When none comes.
    #[must_use]
    pub fn parked(&self) -> serde_json::Value {
        let mut found = None;
        wait_until("a request waits for a hand", || {
            found = self.waiting().into_iter().next();
            found.is_some()
        });
        found.expect("one was found")
    }

    /// Returns every record of the audit log.
    ///
    /// # Panics
    /// When a line is not one JSON object.
    #[must_use]
    pub fn audit(&self) -> Vec<serde_json::Value> {
        let mut files: Vec<_> =
            fs::read_dir(self.state_dir()).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
        files.retain(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("audit-")));
        files.sort();
        let text: String = files.iter().map(|path| fs::read_to_string(path).expect("the audit log is text")).collect();
        text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
    }
}

impl Default for Product {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Product {
    fn drop(&mut self) {
        for daemon in &mut self.daemons {
            let _ = daemon.kill();
            let _ = daemon.wait();
        }
    }
}

/// Runs a command to its end.
///
/// # Panics
/// When it cannot be started.
pub fn run(command: &mut Command) -> Ended {
    let Output { status, stdout, stderr } = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ended { code: code_of(status), stdout: text(stdout), stderr: text(stderr) }
}

pub(crate) fn code_of(status: std::process::ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt;
    status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(-1)
}

/// Waits until `holds`, and fails the test when it never does.
///
/// # Panics
/// After [`PATIENCE`].
pub fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        std::thread::yield_now();
        std::thread::park_timeout(Duration::from_millis(2));
    }
}
