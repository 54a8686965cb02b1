//! A keyring of one's own: a private session bus and an unlocked gnome-keyring on it. Both end with the value.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::DirBuilderExt;
use std::process::{Child, Command, Stdio};
use tegata_tests::product::wait_until;
use tempfile::TempDir;

/// What the session bus of a desktop allows: everything.
const RULES: &str = "<auth>EXTERNAL</auth><policy context=\"default\"><allow send_destination=\"*\" eavesdrop=\"true\"/>\
                     <allow eavesdrop=\"true\"/><allow own=\"*\"/></policy>";

/// The bus and the keyring.
pub(crate) struct Keyring {
    home: TempDir,
    bus: Child,
    daemon: Option<Child>,
}

impl Keyring {
    /// Starts both and waits until the keyring is unlocked.
    pub(crate) fn start() -> Self {
        let home = tempfile::Builder::new().prefix("kr").tempdir().expect("a temporary home");
        for directory in ["run", "data"] {
            std::fs::DirBuilder::new().mode(0o700).create(home.path().join(directory)).expect("a directory");
        }
        let config = home.path().join("bus.conf");
        let listen = format!("<type>session</type><listen>unix:path={}/run/bus</listen>", home.path().display());
        std::fs::write(&config, format!("<busconfig>{listen}{RULES}</busconfig>")).expect("the bus is configured");
        let mut command = Command::new("dbus-daemon");
        command.arg("--nofork").arg("--print-address=1").arg(format!("--config-file={}", config.display()));
        let mut bus = command
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("dbus-daemon starts: tests/clients/install");
        let mut address = String::new();
        let stdout = bus.stdout.take().expect("stdout is piped");
        BufReader::new(stdout).read_line(&mut address).expect("the bus says where it is");
        let mut keyring = Self { home, bus, daemon: None };
        keyring.start_daemon();
        keyring
    }

    /// Returns the variables that lead a program to this bus.
    pub(crate) fn environment(&self) -> Vec<(String, String)> {
        let address = format!("unix:path={}/run/bus", self.home.path().display());
        vec![(String::from("DBUS_SESSION_BUS_ADDRESS"), address)]
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", self.home.path()).envs(self.environment());
        command.env("XDG_RUNTIME_DIR", self.home.path().join("run"));
        command.env("XDG_DATA_HOME", self.home.path().join("data"));
        command
    }

    fn start_daemon(&mut self) {
        let mut command = self.command("gnome-keyring-daemon");
        command.args(["--foreground", "--unlock", "--components=secrets"]);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut daemon = command.spawn().expect("gnome-keyring-daemon starts: tests/clients/install");
        daemon.stdin.take().expect("stdin is piped").write_all(b"a password").expect("it reads the password");
        self.daemon = Some(daemon);
        wait_until("the keyring is unlocked", || self.is_unlocked());
    }

    fn is_unlocked(&self) -> bool {
        let mut ask = self.command("dbus-send");
        ask.args(["--session", "--print-reply", "--dest=org.freedesktop.secrets"]);
        ask.args(["/org/freedesktop/secrets/collection/login", "org.freedesktop.DBus.Properties.Get"]);
        ask.args(["string:org.freedesktop.Secret.Collection", "string:Locked"]);
        let output = ask.output().expect("dbus-send runs");
        String::from_utf8_lossy(&output.stdout).contains("boolean false")
    }
}

impl Drop for Keyring {
    fn drop(&mut self) {
        for child in [self.daemon.as_mut(), Some(&mut self.bus)].into_iter().flatten() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
