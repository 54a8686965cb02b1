//! Suspend and screen locks, as the machine tells of them over D-Bus: each ends every grant.
//!
//! Whoever forges a signal can end grants and nothing else, so doubt ends them as well. Where there is no bus nothing is lost but the
//! locked screen: that the machine slept is seen by its boot clock too ([`crate::clock::Uptime`]).

use crate::audit::GrantEnd;
use crate::broker::Broker;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tegata_protocol::text::one_line;
use zbus::address::Transport;
use zbus::export::ordered_stream::OrderedStreamExt;
use zbus::fdo::{self, DBusProxy};
use zbus::names::BusName;
use zbus::zvariant::{OwnedObjectPath, OwnedValue, Value};
use zbus::{Address, Connection, MatchRule, Message, MessageStream, connection};

const LOGIND: &str = "org.freedesktop.login1";
const LOGIN_MANAGER: &str = "org.freedesktop.login1.Manager";
const LOGIN_SESSION: &str = "org.freedesktop.login1.Session";
const PROPERTIES: &str = "org.freedesktop.DBus.Properties";

/// How long a bus may take to answer one question.
const PATIENCE: Duration = Duration::from_secs(5);

/// The pause before a bus is looked for again, at first and at most; it doubles.
const PAUSES: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(300));

/// What is listened to on the system bus: org.freedesktop.login1(5). Desktops that lock by themselves set `LockedHint`;
/// `loginctl lock-session` and the idle timer send `Lock`.
const OF_LOGIND: [&str; 3] = [
    "type='signal',sender='org.freedesktop.login1',interface='org.freedesktop.login1.Manager',member='PrepareForSleep'",
    "type='signal',sender='org.freedesktop.login1',interface='org.freedesktop.login1.Session',member='Lock'",
    "type='signal',sender='org.freedesktop.login1',interface='org.freedesktop.DBus.Properties',member='PropertiesChanged',arg0='org.freedesktop.login1.Session'",
];

/// What is listened to on the session bus: the freedesktop.org idle inhibition service and GNOME's own.
const OF_SCREEN_SAVERS: [&str; 2] = [
    "type='signal',sender='org.freedesktop.ScreenSaver',interface='org.freedesktop.ScreenSaver',member='ActiveChanged'",
    "type='signal',sender='org.gnome.ScreenSaver',interface='org.gnome.ScreenSaver',member='ActiveChanged'",
];

/// Ends grants whenever the machine goes to sleep or a screen of `uid` is locked, for as long as the daemon lives.
pub async fn run(broker: Arc<Broker>, uid: u32) {
    let ends = |why| {
        broker.end_grants(why, &|_| true);
    };
    tokio::join!(follow(Bus::System, uid, &ends), follow(Bus::Session, uid, &ends));
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bus {
    System,
    Session,
}

impl fmt::Display for Bus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::System => "system",
            Self::Session => "session",
        })
    }
}

/// Listens to a bus, and looks for it again when there is none.
async fn follow(bus: Bus, uid: u32, ends: &(impl Fn(GrantEnd) + Sync)) {
    let (mut pause, mut said) = (PAUSES.0, false);
    loop {
        match connect(bus).await {
            Ok(connection) => {
                tracing::info!("the {bus} bus tells when grants end");
                (pause, said) = (PAUSES.0, false);
                listen(&connection, uid, ends).await;
            }
            Err(error) if !said => {
                tracing::info!("no signals from the {bus} bus: {}", one_line(&error.to_string()));
                said = true;
            }
            Err(_) => {}
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(PAUSES.1);
    }
}

async fn connect(bus: Bus) -> zbus::Result<Connection> {
    let (address, rules) = match bus {
        Bus::System => (Address::system()?, &OF_LOGIND[..]),
        Bus::Session => (Address::session()?, &OF_SCREEN_SAVERS[..]),
    };
    if !is_socket(&address) {
        return Err(zbus::Error::Address(String::from("its address is not that of a socket on this machine")));
    }
    let connected = async {
        let connection = connection::Builder::address(address)?.method_timeout(PATIENCE).build().await?;
        let proxy = DBusProxy::new(&connection).await?;
        for rule in rules {
            proxy.add_match_rule(MatchRule::try_from(*rule)?).await?;
        }
        Ok(connection)
    };
    let in_time = tokio::time::timeout(PATIENCE, connected).await;
    in_time.unwrap_or_else(|_| Err(zbus::Error::InputOutput(Arc::new(std::io::ErrorKind::TimedOut.into()))))
}

/// Whether an address names a socket. Others name a host, or a program to start: whoever set the variable would have it started
/// by the daemon (D-Bus specification, "Transports").
fn is_socket(address: &Address) -> bool {
    matches!(address.transport(), Transport::Unix(_))
}

/// Follows the signals until the bus is gone.
async fn listen(connection: &Connection, uid: u32, ends: &(impl Fn(GrantEnd) + Sync)) {
    let mut messages = MessageStream::from(connection);
    while let Some(Ok(message)) = messages.next().await {
        let Some(signal) = Signal::read(&message) else { continue };
        if is_from(connection, &message, signal.sender).await && concerns(connection, &signal, uid).await {
            tracing::info!("{}: every grant ends", signal.says);
            ends(signal.why);
        }
    }
}

/// A signal that ends grants, if it comes from who may send it and is about a session of the user.
#[derive(Debug, PartialEq, Eq)]
struct Signal {
    why: GrantEnd,
    says: &'static str,
    sender: &'static str,
    session: Option<OwnedObjectPath>,
}

impl Signal {
    fn read(message: &Message) -> Option<Self> {
        let header = message.header();
        let body = message.body();
        let session = || header.path().map(|path| path.to_owned().into());
        let asleep =
            Self { why: GrantEnd::Suspended, says: "the machine goes to sleep", sender: LOGIND, session: None };
        let locked =
            |sender, session| Self { why: GrantEnd::DesktopLocked, says: "the screen is locked", sender, session };
        let is_true = || body.deserialize::<bool>().unwrap_or(false);
        match (header.interface()?.as_str(), header.member()?.as_str()) {
            (LOGIN_MANAGER, "PrepareForSleep") => is_true().then_some(asleep),
            (LOGIN_SESSION, "Lock") => Some(locked(LOGIND, session())),
            (PROPERTIES, "PropertiesChanged") => has_locked_hint(message).then(|| locked(LOGIND, session())),
            ("org.freedesktop.ScreenSaver", "ActiveChanged") => {
                is_true().then(|| locked("org.freedesktop.ScreenSaver", None))
            }
            ("org.gnome.ScreenSaver", "ActiveChanged") => is_true().then(|| locked("org.gnome.ScreenSaver", None)),
            _ => None,
        }
    }
}

/// Whether `PropertiesChanged` says that a login session is locked now.
fn has_locked_hint(message: &Message) -> bool {
    type Changed<'a> = (&'a str, std::collections::HashMap<&'a str, Value<'a>>, Vec<&'a str>);
    let body = message.body();
    let changed = body.deserialize::<Changed<'_>>();
    changed.is_ok_and(|(of, values, _)| of == LOGIN_SESSION && values.get("LockedHint") == Some(&Value::Bool(true)))
}

/// Whether the program that owns `name` sent this. Any user can send a signal to anybody on the system bus, past all match
/// rules, as long as it is addressed.
async fn is_from(connection: &Connection, message: &Message, name: &'static str) -> bool {
    let owner = async {
        let name = BusName::try_from(name).map_err(|error| fdo::Error::Failed(error.to_string()))?;
        DBusProxy::new(connection).await?.get_name_owner(name).await
    };
    match owner.await {
        Ok(owner) => message.header().sender().is_some_and(|sender| sender.as_str() == owner.as_str()),
        Err(fdo::Error::NameHasNoOwner(_)) => false,
        Err(_) => true,
    }
}

/// Whether a signal is about everybody or a login session of this user.
async fn concerns(connection: &Connection, signal: &Signal, uid: u32) -> bool {
    let Some(session) = &signal.session else { return true };
    let asked = (LOGIN_SESSION, "User");
    let answer = connection.call_method(Some(LOGIND), session, Some(PROPERTIES), "Get", &asked).await;
    let user = answer.and_then(|answer| {
        let value: OwnedValue = answer.body().deserialize()?;
        <(u32, OwnedObjectPath)>::try_from(value).map_err(zbus::Error::from)
    });
    user.map_or(true, |(of, _)| of == uid)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    const SESSION: &str = "/org/freedesktop/login1/session/_32";

    fn signal<B: serde::Serialize + zbus::zvariant::DynamicType>(interface: &str, member: &str, body: &B) -> Message {
        Message::signal(SESSION, interface, member).unwrap().build(body).unwrap()
    }

    fn why(message: &Message) -> Option<GrantEnd> {
        Signal::read(message).map(|signal| signal.why)
    }

    fn changed(of: &str, name: &str, value: bool) -> Message {
        let values = HashMap::from([("IdleHint", Value::Bool(true)), (name, Value::Bool(value))]);
        signal(PROPERTIES, "PropertiesChanged", &(of, values, Vec::<&str>::new()))
    }

    #[test]
    fn j2_sleep_and_locks_end_grants() {
        assert_eq!(why(&signal(LOGIN_MANAGER, "PrepareForSleep", &true)), Some(GrantEnd::Suspended));
        assert_eq!(why(&signal(LOGIN_SESSION, "Lock", &())), Some(GrantEnd::DesktopLocked));
        assert_eq!(why(&changed(LOGIN_SESSION, "LockedHint", true)), Some(GrantEnd::DesktopLocked));
        for saver in ["org.freedesktop.ScreenSaver", "org.gnome.ScreenSaver"] {
            let signal = Signal::read(&signal(saver, "ActiveChanged", &true)).unwrap();
            assert_eq!((signal.why, signal.sender, signal.session), (GrantEnd::DesktopLocked, saver, None));
        }
    }

    #[test]
    fn j2_twin_waking_and_unlocking_end_nothing() {
        for harmless in [
            signal(LOGIN_MANAGER, "PrepareForSleep", &false),
            signal(LOGIN_MANAGER, "PrepareForShutdown", &true),
            signal(LOGIN_MANAGER, "PrepareForSleep", &"true"),
            signal(LOGIN_SESSION, "Unlock", &()),
            signal("org.gnome.ScreenSaver", "ActiveChanged", &false),
            signal("org.gnome.ScreenSaver", "ActiveChanged", &7_u32),
            signal("org.example.ScreenSaver", "ActiveChanged", &true),
            signal(PROPERTIES, "PropertiesChanged", &"LockedHint"),
            changed(LOGIN_SESSION, "LockedHint", false),
            changed("org.freedesktop.login1.Seat", "LockedHint", true),
            changed(LOGIN_SESSION, "Active", true),
        ] {
            assert_eq!(why(&harmless), None, "{harmless:?}");
        }
    }

    #[test]
    fn a_lock_names_its_login_session_and_who_may_tell() {
        let locked = Signal::read(&changed(LOGIN_SESSION, "LockedHint", true)).unwrap();
        assert_eq!((locked.sender, locked.session.unwrap().as_str()), (LOGIND, SESSION));
    }

    #[test]
    fn k7_no_bus_address_has_a_program_started_or_leads_away() {
        for bad in ["unixexec:path=/bin/sh,argv1=-c,argv2=id", "tcp:host=192.0.2.1,port=4711", "autolaunch:"] {
            let elsewhere = bad.parse::<Address>();
            assert!(elsewhere.is_err() || elsewhere.is_ok_and(|address| !is_socket(&address)), "{bad}");
        }
    }

    #[test]
    fn k7_twin_a_bus_on_a_socket_is_listened_to() {
        for good in ["unix:path=/run/user/1000/bus", "unix:abstract=/tmp/dbus-1,guid=00000000000000000000000000000000"]
        {
            assert!(is_socket(&good.parse().unwrap()), "{good}");
        }
    }

    #[test]
    fn every_match_rule_is_one() {
        for rule in OF_LOGIND.into_iter().chain(OF_SCREEN_SAVERS) {
            assert!(MatchRule::try_from(rule).is_ok(), "{rule}");
        }
    }
}
