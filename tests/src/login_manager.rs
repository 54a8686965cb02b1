//! A login manager of the test's own: logind's interface on a private bus that stands for the system bus.

use crate::client;
use crate::desktop::private_bus;
use crate::product::{Product, wait_until};
use std::fs::File;
use std::process::{Child, Stdio};
use zbus::blocking::{Connection, connection, fdo::DBusProxy};
use zbus::zvariant::Value;

const NAME: &str = "org.freedesktop.login1";
const PATH: &str = "/org/freedesktop/login1";
const MANAGER: &str = "org.freedesktop.login1.Manager";
const SESSION: &str = "org.freedesktop.login1.Session";
const MOCK: &str = "org.freedesktop.DBus.Mock";

/// `org.freedesktop.login1` on a bus. Both end when it is dropped.
#[derive(Debug)]
pub struct LoginManager {
    connection: Connection,
    processes: [Child; 2],
}

impl LoginManager {
    /// Starts one. Daemons that are started later in this home see it.
    ///
    /// # Panics
    /// When `tests/clients/install` was not run.
    #[must_use]
    pub fn of(product: &mut Product) -> Self {
        let (bus, address) = private_bus(product);
        product.environment.push(("DBUS_SYSTEM_BUS_ADDRESS".to_owned(), address.clone()));
        let mut service = product.command(client("python/bin/python"));
        service.args(["-m", "dbusmock", "--system", "--template", "logind"]);
        service.stdout(Stdio::null()).stderr(File::create(product.path("logind.stderr")).expect("a file"));
        let service = service.spawn().expect("python-dbusmock starts");
        let manager = Self { connection: connect(&address), processes: [bus, service] };
        let bus = DBusProxy::new(&manager.connection).expect("the bus answers");
        wait_until("the login manager is there", || {
            bus.name_has_owner(NAME.try_into().expect("a name")).is_ok_and(|there| there)
        });
        manager
    }

    /// Adds a login session of a user.
    pub fn add_login_session(&self, id: &str, uid: u32) {
        self.call(PATH, MOCK, "AddSession", &(id, "seat0", uid, format!("user{uid}"), true));
    }

    /// Says that the machine goes to sleep, or that it woke up.
    pub fn prepare_for_sleep(&self, begins: bool) {
        self.call(PATH, MOCK, "EmitSignal", &(MANAGER, "PrepareForSleep", "b", vec![Value::from(begins)]));
    }

    /// Locks a login session, as `loginctl lock-session` does.
    pub fn lock(&self, id: &str) {
        self.call(&format!("{PATH}/session/{id}"), SESSION, "Lock", &());
    }

    /// Unlocks a login session.
    pub fn unlock(&self, id: &str) {
        self.call(&format!("{PATH}/session/{id}"), SESSION, "Unlock", &());
    }

    /// Says of a login session whether its desktop has locked the screen.
    pub fn set_locked_hint(&self, id: &str, locked: bool) {
        self.call(&format!("{PATH}/session/{id}"), SESSION, "SetLockedHint", &(locked,));
    }

    /// Sends everybody on the bus, one by one, a `PrepareForSleep` that is not the login manager's.
    ///
    /// # Panics
    /// When the bus does not take it.
    pub fn is_impersonated(&self) {
        let bus = DBusProxy::new(&self.connection).expect("the bus answers");
        let names = bus.list_names().expect("the bus knows its clients");
        for name in names.iter().filter(|name| name.starts_with(':')) {
            let sent = self.connection.emit_signal(Some(name.as_str()), PATH, MANAGER, "PrepareForSleep", &(true,));
            sent.expect("the bus takes it");
        }
    }

    fn call<B: serde::Serialize + zbus::zvariant::DynamicType>(&self, path: &str, of: &str, method: &str, body: &B) {
        let answer = self.connection.call_method(Some(NAME), path, Some(of), method, body);
        answer.unwrap_or_else(|error| panic!("{method}: {error}"));
    }
}

fn connect(address: &str) -> Connection {
    let connection = connection::Builder::address(address).and_then(connection::Builder::build);
    connection.expect("the bus takes a client")
}

impl Drop for LoginManager {
    fn drop(&mut self) {
        for process in &mut self.processes {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}
