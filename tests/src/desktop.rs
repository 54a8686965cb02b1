//! A desktop of the test's own: a private D-Bus with a notification service that writes down what it is shown.

use crate::client;
use crate::product::{Product, wait_until};
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// A session bus with `org.freedesktop.Notifications` on it. Both end when it is dropped.
#[derive(Debug)]
pub struct Desktop {
    address: String,
    log: PathBuf,
    processes: Vec<Child>,
}

impl Desktop {
    /// Starts one for this home. Daemons and commands that are started later in the home see it.
    ///
    /// # Panics
    /// When `tests/clients/install` was not run.
    #[must_use]
    pub fn of(product: &mut Product) -> Self {
        let (bus, address) = private_bus(product);
        product.environment.push(("DBUS_SESSION_BUS_ADDRESS".to_owned(), address.clone()));
        Self::start(product, address, vec![bus])
    }

    /// Starts the notification service of this home on a bus that is there.
    ///
    /// # Panics
    /// As [`Desktop::of`].
    #[must_use]
    pub fn on(product: &Product, address: String) -> Self {
        Self::start(product, address, vec![])
    }

    fn start(product: &Product, address: String, processes: Vec<Child>) -> Self {
        let mut desktop = Self { address, log: product.path("notifications.log"), processes };
        desktop.start_notifications(product);
        desktop
    }

    fn start_notifications(&mut self, product: &Product) {
        let mut service = product.command(client("python/bin/python"));
        service.args(["-m", "dbusmock", "--session", "--template", "notification_daemon", "--logfile"]).arg(&self.log);
        service.stdout(Stdio::null()).stderr(File::create(product.path("desktop.stderr")).expect("a file"));
        self.processes.push(service.spawn().expect("python-dbusmock starts"));
        let address = &self.address;
        wait_until("the notification service is there", || {
            let mut ask = Command::new("dbus-send");
            ask.args(["--print-reply", "--dest=org.freedesktop.Notifications", "/org/freedesktop/Notifications"]);
            ask.arg("org.freedesktop.Notifications.GetServerInformation").env("DBUS_SESSION_BUS_ADDRESS", address);
            ask.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
        });
    }

    /// Returns everything that was shown, one line each.
    #[must_use]
    pub fn shown(&self) -> Vec<String> {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        log.lines().filter(|line| line.contains(" Notify ")).map(str::to_owned).collect()
    }

    /// Waits until `count` notifications were shown.
    pub fn shows(&self, count: usize) {
        wait_until("the notification is shown", || self.shown().len() >= count);
    }
}

impl Drop for Desktop {
    fn drop(&mut self) {
        for process in &mut self.processes {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// Starts a bus of the test's own. Returns it with its address.
///
/// # Panics
/// When it does not start.
pub(crate) fn private_bus(product: &Product) -> (Child, String) {
    let mut bus = Command::new("dbus-daemon");
    bus.args(["--session", "--nofork", "--nopidfile", "--print-address=1"]).env("HOME", product.path(""));
    let mut bus =
        bus.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("dbus-daemon starts");
    let mut address = String::new();
    let output = bus.stdout.take().expect("stdout is piped");
    BufReader::new(output).read_line(&mut address).expect("the bus names its address");
    (bus, address.trim().to_owned())
}
