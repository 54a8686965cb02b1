//! A keyring of one's own: a private session bus with a real gnome-keyring, in a temporary home.

use crate::product::{PATIENCE, wait_until};
use crate::program;
use crate::store_process::StoreProcess;
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;
use zbus::blocking::{Connection, connection};
use zbus::zvariant::{OwnedObjectPath, OwnedValue, Value};

/// The password of the keyring.
pub const PASSWORD: &str = "keyring password";

const NAME: &str = "org.freedesktop.secrets";
const SERVICE: &str = "org.freedesktop.Secret.Service";
const SERVICE_PATH: &str = "/org/freedesktop/secrets";
const LOGIN: &str = "/org/freedesktop/secrets/collection/login";

/// A private session bus, with or without a keyring daemon. Ends with the value.
#[derive(Debug)]
pub struct PrivateKeyring {
    home: TempDir,
    bus: Child,
    is_dead: bool,
    daemon: Option<Child>,
    display: Option<(Child, String)>,
}

/// What there is besides the bus and an unlocked keyring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Around {
    /// No display: the keyring can ask nobody.
    Nothing,
    /// A display with nobody in front of it.
    Display,
}

impl PrivateKeyring {
    /// Starts a bus and an unlocked keyring.
    ///
    /// # Panics
    /// When the machine lacks dbus-daemon or gnome-keyring.
    #[must_use]
    pub fn start(around: Around) -> Self {
        let mut keyring = Self::start_bus(around, true);
        keyring.start_daemon();
        keyring
    }

    /// Starts a bus alone. With `activation` it starts the machine's services, a locked keyring among them, when asked for.
    ///
    /// # Panics
    /// When the machine lacks dbus-daemon, or Xvfb where a display is wanted.
    #[must_use]
    pub fn start_bus(around: Around, activation: bool) -> Self {
        Self::start_bus_that(around, if activation { "<standard_session_servicedirs/>" } else { "" })
    }

    /// Starts a bus that lets nobody speak to a keyring.
    ///
    /// # Panics
    /// When the machine lacks dbus-daemon.
    #[must_use]
    pub fn start_denying() -> Self {
        let denial = format!("<policy context=\"mandatory\"><deny send_destination=\"{NAME}\"/></policy>");
        Self::start_bus_that(Around::Nothing, &format!("<standard_session_servicedirs/>{denial}"))
    }

    fn start_bus_that(around: Around, rules: &str) -> Self {
        let home = tempfile::Builder::new().prefix("kr").tempdir().expect("a temporary home");
        for directory in ["home", "run", "data", "config", "cache"] {
            std::fs::DirBuilder::new().mode(0o700).create(home.path().join(directory)).expect("a directory");
        }
        let display = (around == Around::Display).then(start_display);
        let config = home.path().join("bus.conf");
        std::fs::write(&config, bus_config(&home.path().join("run/bus"), rules)).expect("the bus is configured");
        let mut command = Command::new("dbus-daemon");
        command.arg("--nofork").arg("--print-address=1").arg(format!("--config-file={}", config.display()));
        let environment = environment(&home, display.as_ref().map(|(_, name)| name.as_str()));
        command.env_clear().env("PATH", "/usr/bin:/bin").envs(environment);
        let mut bus = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("dbus-daemon starts");
        let mut address = String::new();
        let mut stdout = BufReader::new(bus.stdout.take().expect("stdout is piped"));
        stdout.read_line(&mut address).expect("the bus says its address");
        assert!(address.starts_with("unix:"), "the bus did not start: {address:?}");
        Self { home, bus, is_dead: false, daemon: None, display }
    }

    /// Returns the address of the bus.
    #[must_use]
    pub fn address(&self) -> String {
        address(&self.home)
    }

    /// Returns the variables that lead a program to this bus and home, and to nothing else.
    #[must_use]
    pub fn environment(&self) -> Vec<(String, String)> {
        environment(&self.home, self.display.as_ref().map(|(_, name)| name.as_str()))
    }

    /// Returns a path in the home that all of this lives in.
    #[must_use]
    pub fn path(&self, relative: &str) -> PathBuf {
        self.home.path().join(relative)
    }

    /// Returns a command with nothing but [`PrivateKeyring::environment`].
    #[must_use]
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear().env("PATH", "/usr/bin:/bin").envs(self.environment());
        command
    }

    /// Starts the daemon's store over this keyring, in a process of its own.
    #[must_use]
    pub fn store(&self) -> StoreProcess {
        let mut command = self.command(program("store-driver"));
        command.arg("secret-service");
        StoreProcess::start(command)
    }

    /// Locks the keyring.
    ///
    /// # Panics
    /// When it stays unlocked.
    pub fn lock(&self) {
        let bus = self.connect();
        let login = OwnedObjectPath::try_from(LOGIN).expect("a path");
        bus.call_method(Some(NAME), SERVICE_PATH, Some(SERVICE), "Lock", &(vec![login],)).expect("it locks");
        wait_until("the keyring is locked", || is_locked(&bus) == Some(true));
    }

    /// Unlocks the keyring with its password, as logging in does, without asking anybody.
    ///
    /// # Panics
    /// When it stays locked.
    pub fn unlock(&self) {
        let bus = self.connect();
        let login = OwnedObjectPath::try_from(LOGIN).expect("a path");
        let secret = unencrypted(&bus, PASSWORD);
        let interface = "org.gnome.keyring.InternalUnsupportedGuiltRiddenInterface";
        bus.call_method(Some(NAME), SERVICE_PATH, Some(interface), "UnlockWithMasterPassword", &(login, secret))
            .expect("it unlocks");
        wait_until("the keyring is unlocked", || is_locked(&bus) == Some(false));
    }

    /// Kills the keyring daemon, ours or one that the bus started. The bus starts a locked one when it is asked for.
    pub fn kill(&mut self) {
        if let Some(mut daemon) = self.daemon.take() {
            let _ = daemon.kill();
            let _ = daemon.wait();
        }
        let bus = self.connect();
        wait_until("the keyring has left the bus", || {
            let owner = owner(&bus);
            if let Some(pid) = owner {
                let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
            }
            owner.is_none()
        });
    }

    /// Kills the keyring daemon and starts another, unlocked.
    pub fn restart(&mut self) {
        self.kill();
        self.start_daemon();
    }

    /// Kills the keyring daemon and the bus.
    pub fn kill_bus(&mut self) {
        self.kill();
        self.is_dead = true;
        let _ = self.bus.kill();
        let _ = self.bus.wait();
    }

    /// Deletes the items of a name, as another program would.
    pub fn delete_items(&self, name: &str) {
        let bus = self.connect();
        for item in items(&bus, name) {
            bus.call_method(Some(NAME), item.as_str(), Some("org.freedesktop.Secret.Item"), "Delete", &())
                .expect("the item is deleted");
        }
    }

    /// Returns label and attributes of each item of a name: what every program on the bus may see.
    #[must_use]
    pub fn visible(&self, name: &str) -> Vec<(String, HashMap<String, String>)> {
        let bus = self.connect();
        let property = |item: &OwnedObjectPath, which: &str| -> OwnedValue {
            let asked = ("org.freedesktop.Secret.Item", which);
            let reply =
                bus.call_method(Some(NAME), item.as_str(), Some("org.freedesktop.DBus.Properties"), "Get", &asked);
            reply.expect("the item has it").body().deserialize().expect("a property")
        };
        let label = |item| String::try_from(property(item, "Label")).expect("a label");
        let attributes = |item| HashMap::try_from(property(item, "Attributes")).expect("attributes");
        items(&bus, name).iter().map(|item| (label(item), attributes(item))).collect()
    }

    /// Stores an item under service `tegata` as a careless program would: its secret goes over the bus as it is.
    ///
    /// # Panics
    /// When it is not stored.
    pub fn store_unencrypted(&self, name: &str, secret: &str) {
        let bus = self.connect();
        let attributes = HashMap::from([("service", "tegata"), ("username", name)]);
        let properties = HashMap::from([
            ("org.freedesktop.Secret.Item.Label", Value::from("an item")),
            ("org.freedesktop.Secret.Item.Attributes", Value::from(attributes)),
        ]);
        let item = (properties, unencrypted(&bus, secret), true);
        let interface = "org.freedesktop.Secret.Collection";
        bus.call_method(Some(NAME), LOGIN, Some(interface), "CreateItem", &item).expect("the item is stored");
    }

    /// Gives the items of a name this label.
    ///
    /// # Panics
    /// When they keep theirs.
    pub fn label(&self, name: &str, label: &str) {
        let bus = self.connect();
        for item in items(&bus, name) {
            let change = ("org.freedesktop.Secret.Item", "Label", Value::from(label));
            bus.call_method(Some(NAME), item.as_str(), Some("org.freedesktop.DBus.Properties"), "Set", &change)
                .expect("the item is changed");
        }
    }

    /// Connects to the bus.
    ///
    /// # Panics
    /// When the bus is gone.
    pub fn connect(&self) -> Connection {
        connection::Builder::address(self.address().as_str())
            .and_then(|builder| builder.method_timeout(PATIENCE).build())
            .expect("the bus answers")
    }

    fn start_daemon(&mut self) {
        let mut command = self.command("gnome-keyring-daemon");
        command.args(["--foreground", "--unlock", "--components=secrets"]);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut daemon = command.spawn().expect("gnome-keyring-daemon starts");
        let mut stdin = daemon.stdin.take().expect("stdin is piped");
        stdin.write_all(PASSWORD.as_bytes()).expect("it reads the password");
        drop(stdin);
        self.daemon = Some(daemon);
        let bus = self.connect();
        // Asked before it is there, the bus would start another one, locked.
        wait_until("the keyring is on the bus", || owner(&bus).is_some());
        wait_until("the keyring is unlocked", || is_locked(&bus) == Some(false));
    }
}

impl Drop for PrivateKeyring {
    fn drop(&mut self) {
        if !self.is_dead && !std::thread::panicking() {
            self.kill();
        }
        let display = self.display.as_mut().map(|(child, _)| child);
        for child in [self.daemon.as_mut(), Some(&mut self.bus), display].into_iter().flatten() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn address(home: &TempDir) -> String {
    format!("unix:path={}", home.path().join("run/bus").display())
}

fn environment(home: &TempDir, display: Option<&str>) -> Vec<(String, String)> {
    let mut variables = vec![(String::from("DBUS_SESSION_BUS_ADDRESS"), address(home))];
    let directories = [
        ("HOME", "home"),
        ("XDG_RUNTIME_DIR", "run"),
        ("XDG_DATA_HOME", "data"),
        ("XDG_CONFIG_HOME", "config"),
        ("XDG_CACHE_HOME", "cache"),
    ];
    for (name, directory) in directories {
        variables.push((name.to_owned(), home.path().join(directory).display().to_string()));
    }
    variables.extend(display.map(|name| (String::from("DISPLAY"), name.to_owned())));
    variables
}

fn bus_config(socket: &std::path::Path, rules: &str) -> String {
    let open = "<policy context=\"default\"><allow send_destination=\"*\"/><allow eavesdrop=\"true\"/><allow own=\"*\"/></policy>";
    let listen = format!("<listen>unix:path={}</listen><auth>EXTERNAL</auth>", socket.display());
    format!("<busconfig><type>session</type>{listen}{open}{rules}</busconfig>")
}

fn start_display() -> (Child, String) {
    let mut command = Command::new("Xvfb");
    command.args(["-displayfd", "1", "-nolisten", "tcp", "-screen", "0", "640x480x24"]);
    let mut display = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("Xvfb starts");
    let mut number = String::new();
    BufReader::new(display.stdout.take().expect("stdout is piped")).read_line(&mut number).expect("it says its number");
    (display, format!(":{}", number.trim()))
}

/// Returns the process that has the keyring's name on the bus.
fn owner(bus: &Connection) -> Option<rustix::process::Pid> {
    let daemon = "org.freedesktop.DBus";
    let asked = "GetConnectionUnixProcessID";
    let reply = bus.call_method(Some(daemon), "/org/freedesktop/DBus", Some(daemon), asked, &(NAME,)).ok()?;
    rustix::process::Pid::from_raw(reply.body().deserialize::<u32>().ok()?.try_into().ok()?)
}

/// A secret as it goes over the bus in a session that does not encrypt.
fn unencrypted(bus: &Connection, secret: &str) -> (OwnedObjectPath, Vec<u8>, Vec<u8>, &'static str) {
    let opened = bus
        .call_method(Some(NAME), SERVICE_PATH, Some(SERVICE), "OpenSession", &("plain", Value::from("")))
        .expect("a session");
    let (_, session): (OwnedValue, OwnedObjectPath) = opened.body().deserialize().expect("a session");
    (session, Vec::new(), secret.as_bytes().to_vec(), "text/plain")
}

fn is_locked(bus: &Connection) -> Option<bool> {
    let asked = ("org.freedesktop.Secret.Collection", "Locked");
    let reply = bus.call_method(Some(NAME), LOGIN, Some("org.freedesktop.DBus.Properties"), "Get", &asked).ok()?;
    bool::try_from(reply.body().deserialize::<OwnedValue>().ok()?).ok()
}

fn items(bus: &Connection, name: &str) -> Vec<OwnedObjectPath> {
    let attributes = HashMap::from([("service", "tegata"), ("username", name)]);
    let found = bus.call_method(Some(NAME), SERVICE_PATH, Some(SERVICE), "SearchItems", &(attributes,));
    let (unlocked, locked): (Vec<OwnedObjectPath>, Vec<OwnedObjectPath>) =
        found.expect("the keyring answers").body().deserialize().expect("two lists of items");
    [unlocked, locked].concat()
}
