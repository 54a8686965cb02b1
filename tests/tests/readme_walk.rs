//! From a clone to a served tool by README's own commands: `make walk` goes it, in a fresh home, and writes down what it saw. It builds
//! releases, so it is not in `make test`; that what was written down is what README says today, is.
#![cfg(feature = "system")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use tegata_sandbox::Sandbox;
use tegata_tests::keyring::{Around, PrivateKeyring};
use tegata_tests::typist::{Typist, plain};
use tegata_tests::{acme, client, picture};
use tempfile::TempDir;

const REPOSITORY: &str = "https://github.com/tegata/tegata";
/// For a release build on a small, busy machine.
const A_BUILD: Duration = Duration::from_secs(60 * 60);
/// What README offers and the walk leaves out, and why docs/walk.md says so.
const LEFT_OUT: [&str; 3] = ["make test", "make packages", "sudo apt install"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The commands of README's code blocks, one block after the other: all lines of `sh`, and behind `$` those of `console`.
fn commands() -> Vec<String> {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let mut commands = Vec::new();
    for heading in ["## Try it", "## Use it"] {
        let (_, chapter) = readme.split_once(&format!("\n{heading}\n")).unwrap();
        let chapter = chapter.split_once("\n## ").map_or(chapter, |(chapter, _)| chapter);
        for block in chapter.split("\n```").skip(1).step_by(2) {
            let (language, lines) = block.split_once('\n').unwrap();
            let typed = lines.lines().filter_map(|line| match language {
                "sh" => Some(line.split_once(" #").map_or(line, |(command, _)| command)),
                "console" => line.strip_prefix("$ "),
                _ => None,
            });
            commands.extend(
                typed.map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned),
            );
        }
    }
    commands.retain(|command| !LEFT_OUT.iter().any(|start| command.starts_with(start)));
    commands
}

fn recording() -> PathBuf {
    root().join("docs/recordings/readme-walk.txt")
}

#[test]
fn what_was_recorded_is_what_the_readme_says() {
    let text = fs::read_to_string(recording()).unwrap();
    let recorded: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("$ ")).collect();
    assert_eq!(recorded, commands(), "README says otherwise; run: make walk");
    assert!(text.contains("assumed-role/AWSReservedSSO_ReadOnly_"), "nobody was served");
}

#[test]
fn the_readme_leads_from_a_clone_to_a_served_tool() {
    let commands = commands();
    assert_eq!(commands[0], format!("git clone {REPOSITORY} && cd tegata"));
    assert!(commands.iter().any(|command| command.contains("aws sts get-caller-identity")), "{commands:?}");
    assert_eq!(commands.last().unwrap(), "tegata status");
}

/// The machine that a newcomer has: Rust, the AWS CLI, a keyring, and instead of AWS a sandbox.
struct Walk {
    home: TempDir,
    outside: TempDir,
    sandbox: Sandbox,
    keyring: PrivateKeyring,
}

impl Walk {
    fn begin() -> Self {
        let home = tempfile::Builder::new().prefix("tg").tempdir().unwrap();
        let outside = tempfile::Builder::new().prefix("walk").tempdir().unwrap();
        fs::write(outside.path().join("browser"), acme::BROWSER).unwrap();
        fs::set_permissions(outside.path().join("browser"), fs::Permissions::from_mode(0o755)).unwrap();
        fs::create_dir(outside.path().join("run")).unwrap();
        fs::set_permissions(outside.path().join("run"), fs::Permissions::from_mode(0o700)).unwrap();
        Self { home, outside, sandbox: acme::sandbox(), keyring: PrivateKeyring::start(Around::Nothing) }
    }

    /// A terminal with nothing in its environment but what a desktop, a toolchain and the sandbox put there.
    fn typist(&self) -> Typist {
        let own_home = PathBuf::from(std::env::var_os("HOME").unwrap());
        let place =
            |name: &str, usual: &str| std::env::var_os(name).map_or_else(|| own_home.join(usual), PathBuf::from);
        let (cargo, rustup) = (place("CARGO_HOME", ".cargo"), place("RUSTUP_HOME", ".rustup"));
        let aws = client("awscli-v2/dist/aws");
        let programs = [aws.parent().unwrap(), &cargo.join("bin"), Path::new("/usr/local/bin:/usr/bin:/bin")];
        let path: Vec<_> = programs.iter().map(|program| program.display().to_string()).collect();
        let mut tmux = Command::new("tmux");
        tmux.env_clear().current_dir(self.home.path()).stdin(Stdio::null());
        tmux.env("HOME", self.home.path()).env("PATH", path.join(":")).env("LANG", "C.UTF-8").env("SHELL", "/bin/bash");
        tmux.env("XDG_RUNTIME_DIR", self.outside.path().join("run"));
        tmux.env("DBUS_SESSION_BUS_ADDRESS", self.keyring.address());
        tmux.env("BROWSER", self.outside.path().join("browser"));
        tmux.env("CARGO_HOME", cargo).env("RUSTUP_HOME", rustup).env("CARGO_INCREMENTAL", "0");
        tmux.env("AWS_ENDPOINT_URL_STS", self.sandbox.url()).env("AWS_PAGER", "");
        // The repository's address leads to the one that is tested.
        tmux.env("GIT_CONFIG_COUNT", "2").env("GIT_CONFIG_KEY_1", "safe.directory").env("GIT_CONFIG_VALUE_1", "*");
        tmux.env("GIT_CONFIG_KEY_0", format!("url.{}.insteadOf", root().display()))
            .env("GIT_CONFIG_VALUE_0", REPOSITORY);
        let mut typist = Typist::sit_down(tmux, self.home.path(), self.outside.path());
        typist.also_same(r"/tmp/tg\w{6}\b", "/tmp/demo-home");
        typist.also_same(&self.outside.path().join("run").display().to_string(), "/run/user/1000");
        typist.also_same(r"target\(s\) in [\dhms. ]+", "target(s) in …");
        typist
    }

    /// AWS is elsewhere: the one thing that a newcomer does not write.
    fn lead_to_the_sandbox(&self) {
        let settings = self.home.path().join(".config/tegata/config.toml");
        fs::create_dir_all(settings.parent().unwrap()).unwrap();
        let url = self.sandbox.url();
        fs::write(&settings, format!("[endpoints]\nsso_oidc = \"{url}\"\nsso = \"{url}\"\nsts = \"{url}\"\n")).unwrap();
    }

    /// Builds go where earlier walks have built what is not Tegata's own. The clone is at another path each time, so Tegata is built anew.
    fn keep_what_is_built(&self) {
        let kept = client("").parent().unwrap().join("walk");
        fs::create_dir_all(&kept).unwrap();
        std::os::unix::fs::symlink(kept, self.home.path().join("tegata/target")).unwrap();
    }
}

impl Drop for Walk {
    /// The daemon was started by the command line, and belongs to nobody.
    fn drop(&mut self) {
        let mut stop = Command::new(self.home.path().join(".local/bin/tegata"));
        stop.args(["daemon", "stop"]).env_clear().env("HOME", self.home.path());
        let _ = stop.env("XDG_RUNTIME_DIR", self.outside.path().join("run")).output();
    }
}

/// Answers `tegata setup` as a person does: every role of the organisation.
fn set_up(typist: &Typist) {
    for (question, answer) in
        [("Start URL of your", "acme.awsapps.com"), ("Region of its", "us-east-1"), ("Name of this", "")]
    {
        typist.screen.shows(question);
        typist.screen.enters(answer);
    }
    typist.screen.shows("9/9, 0 ticked");
    typist.screen.presses(&["Right"]);
    typist.screen.shows("9/9, 9 ticked");
    typist.screen.presses(&["Enter"]);
    typist.screen.shows("Name template");
    typist.screen.enters("");
    typist.screen.shows("[y/N]");
    typist.screen.enters("y");
}

#[test]
#[ignore = "it builds a release; run: make walk"]
fn a_fresh_home_comes_from_a_clone_to_a_served_tool() {
    let walk = Walk::begin();
    assert_eq!(fs::read_dir(walk.home.path()).unwrap().count(), 0, "the home is empty");
    let typist = walk.typist();
    let mut text = String::new();
    for command in commands() {
        if command == "tegata setup" {
            walk.lead_to_the_sandbox();
        }
        typist.begins(&command);
        if command == "tegata setup" {
            set_up(&typist);
        }
        typist.at_prompt_within(A_BUILD);
        let drawn = typist.drawn("$ ");
        typist.runs("echo \"ended:$?\"");
        assert!(typist.screen.shown().contains("\nended:0\n"), "{}", typist.screen.shown());
        if command.starts_with("git clone") {
            walk.keep_what_is_built();
        }
        println!("{drawn}\n");
        text += &drawn.lines().map(|line| plain(line).trim_end().to_owned() + "\n").collect::<String>();
        text.push('\n');
        picture_of(&command, &drawn);
    }
    fs::create_dir_all(recording().parent().unwrap()).unwrap();
    fs::write(recording(), text.trim_end().to_owned() + "\n").unwrap();
}

/// Keeps what the documentation shows.
fn picture_of(command: &str, drawn: &str) {
    let (name, title, description) = match command.split_whitespace().next().unwrap_or_default() {
        "make" => {
            ("demo", "make demo", "The demo: sign-in, read-only work, a passkey, a refusal, a gesture, the records.")
        }
        "AWS_PROFILE=acme-dev-read-only" => (
            "served",
            "The AWS CLI, served by Tegata",
            "aws sts get-caller-identity with AWS_PROFILE=acme-dev-read-only answers with the assumed role of that profile.",
        ),
        _ => return,
    };
    let svg = picture::svg(&format!("{title}: recorded by make walk"), description, drawn);
    fs::write(picture::kept().join(format!("walk-{name}.svg")), svg).unwrap();
}
