//! The daemon: whether it runs, which version, its store, its clock, its passkeys, what waits for a person.

use super::facts::Facts;
use super::finding::{Finding, Severity, quoted};
use crate::moment;
use tegata_protocol::body::{ConsoleIdentity, Profile, Session, SessionState, Status, StoreState};

const CHECK: &str = "daemon";
/// AWS refuses signatures that are five minutes off (AWS General Reference, "Signing AWS API requests").
const SKEW_AWS_REFUSES: u64 = 300;
/// Below this nobody needs to know.
const SKEW_WORTH_A_WORD: u64 = 30;

/// What the daemon said.
#[derive(Clone, Debug)]
pub(super) enum Daemon {
    /// None runs.
    Absent,
    /// One is there and cannot be asked.
    Silent { why: String, mend: Option<String> },
    /// One answered.
    Running {
        status: Box<Status>,
        profiles: Vec<Profile>,
        /// What is odd about the AWS config file.
        warnings: Vec<String>,
        /// What the settings say and is not in force until it is accepted by hand.
        weaker: Vec<String>,
    },
}

pub(super) fn findings(facts: &Facts) -> Vec<Finding> {
    match &facts.daemon {
        Daemon::Absent => {
            let line = "no tegatad runs: store, gates, clock and profiles were not looked at";
            vec![Finding::new(CHECK, Severity::Note, line).mend("tegata daemon start && tegata doctor")]
        }
        Daemon::Silent { why, mend } => {
            let finding = Finding::new(CHECK, Severity::Error, why);
            vec![match mend {
                Some(mend) => finding.mend(mend),
                None => finding,
            }]
        }
        Daemon::Running { status, weaker, .. } => running(status, weaker, &facts.version),
    }
}

fn running(status: &Status, weaker: &[String], version: &str) -> Vec<Finding> {
    let sessions = status.sessions.iter().filter_map(session);
    let identities = status.identities.iter().filter_map(identity);
    let waiting = weaker.iter().map(|line| {
        let line = format!("weaker settings wait and are not in force: {line}");
        Finding::new("settings", Severity::Warning, line).mend("tegata policy accept")
    });
    let mut findings: Vec<_> = [
        other_version(status, version),
        locked(status),
        store(status),
        volatile(status),
        status.clock_skew_seconds.and_then(skew),
        single_passkey(status),
        reviews(status),
    ]
    .into_iter()
    .flatten()
    .chain(sessions)
    .chain(identities)
    .chain(waiting)
    .collect();
    findings.extend(others(status, !weaker.is_empty()));
    findings
}

fn other_version(status: &Status, version: &str) -> Option<Finding> {
    let line = || format!("tegatad {} runs and this is tegata {version}: it is not the one beside it", status.version);
    (status.version != version)
        .then(|| Finding::new(CHECK, Severity::Warning, line()).mend("tegata daemon stop && tegata daemon start"))
}

fn locked(status: &Status) -> Option<Finding> {
    let line = "everything is locked and nothing is served";
    status.locked.then(|| Finding::new(CHECK, Severity::Warning, line).mend("tegata unlock"))
}

fn store(status: &Status) -> Option<Finding> {
    let what = match status.store.state {
        StoreState::Ready => return None,
        StoreState::Locked => "locked",
        StoreState::Unavailable => "not available",
    };
    let detail = status.store.detail.as_deref().map(|detail| format!(" ({detail})")).unwrap_or_default();
    let line = format!("the store {} is {what}{detail}", status.store.kind);
    Some(Finding::new("store", Severity::Error, line).mend("tegata status"))
}

fn volatile(status: &Status) -> Option<Finding> {
    let line = "store = \"memory\": sign-ins and passkeys are forgotten when tegatad ends";
    (status.store.kind == "memory")
        .then(|| Finding::new("store", Severity::Warning, line).mend("\"${EDITOR:-vi}\" ~/.config/tegata/config.toml"))
}

fn skew(seconds: i64) -> Option<Finding> {
    let off = seconds.unsigned_abs();
    let side = if seconds > 0 { "ahead of" } else { "behind" };
    let (severity, effect) = match off {
        ..SKEW_WORTH_A_WORD => return None,
        SKEW_WORTH_A_WORD..SKEW_AWS_REFUSES => (Severity::Warning, ""),
        _ => (Severity::Error, ", which refuses what it signs"),
    };
    let line = format!("this machine's clock is {} {side} AWS{effect}", moment::duration(seconds));
    Some(Finding::new("clock", severity, line).mend("sudo timedatectl set-ntp true"))
}

fn single_passkey(status: &Status) -> Option<Finding> {
    let line = "only one passkey is enrolled: whoever loses it is locked out of what is gated";
    (status.passkeys == Some(1)).then(|| Finding::new("passkeys", Severity::Warning, line).mend("tegata passkey add"))
}

fn reviews(status: &Status) -> Option<Finding> {
    let count = status.reviews.len();
    let line = match count {
        0 => return None,
        1 => "1 emergency has not been reviewed".to_owned(),
        _ => format!("{count} emergencies have not been reviewed"),
    };
    Some(Finding::new("reviews", Severity::Warning, line).mend("tegata review list"))
}

fn session(session: &Session) -> Option<Finding> {
    let (name, login) = (&session.name, format!("tegata login {}", quoted(&session.name)));
    match (session.state, &session.last_error) {
        (SessionState::Ended, _) => {
            let line = format!("the sign-in to {name} has ended");
            Some(Finding::new("sign-in", Severity::Warning, line).mend(login))
        }
        (SessionState::SignedIn, Some(error)) => {
            let line = format!("the sign-in to {name} was not renewed: {error}");
            Some(Finding::new("sign-in", Severity::Warning, line).mend(login))
        }
        _ => None,
    }
}

fn identity(identity: &ConsoleIdentity) -> Option<Finding> {
    let (who, profile) = (&identity.arn, identity.profile.as_deref().unwrap_or("PROFILE"));
    let line = match (identity.state, &identity.last_error) {
        (SessionState::Ended, _) => format!("the console login of {who} has ended"),
        (SessionState::SignedIn, Some(error)) => format!("the console login of {who} was not renewed: {error}"),
        _ => return None,
    };
    Some(Finding::new("sign-in", Severity::Warning, line).mend(format!("tegata login --console {}", quoted(profile))))
}

/// The daemon's own words, but for what has a finding of its own.
fn others(status: &Status, settings_wait: bool) -> impl Iterator<Item = Finding> + use<'_> {
    let said = move |line: &&String| {
        let pending = settings_wait && line.starts_with("not in force until accepted");
        let passkey = status.passkeys == Some(1) && line.starts_with("only one passkey");
        !pending && !passkey
    };
    let finding = |line: &String| Finding::new(CHECK, Severity::Warning, line).mend("tegata status");
    status.warnings.iter().filter(said).map(finding)
}

#[cfg(test)]
impl Daemon {
    pub(super) fn status_mut(&mut self) -> &mut Status {
        let Self::Running { status, .. } = self else { panic!("it runs") };
        status
    }

    pub(super) fn profile_mut(&mut self) -> &mut Profile {
        let Self::Running { profiles, .. } = self else { panic!("it runs") };
        &mut profiles[0]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tegata_protocol::body::Store;
    use tegata_protocol::gate::Review;

    fn with(change: impl Fn(&mut Status)) -> Vec<Finding> {
        let mut facts = Facts::clean();
        change(facts.daemon.status_mut());
        findings(&facts)
    }

    fn one(change: impl Fn(&mut Status)) -> (Severity, String) {
        let found = with(change);
        assert_eq!(found.len(), 1, "{found:?}");
        (found[0].severity, found[0].mend.clone().expect("a command"))
    }

    #[test]
    fn twin_a_daemon_that_is_well_is_no_finding() {
        assert_eq!(with(|_| {}), []);
    }

    #[test]
    fn no_daemon_is_a_note_and_one_that_cannot_be_asked_an_error() {
        let absent = findings(&Facts { daemon: Daemon::Absent, ..Facts::clean() });
        assert!(!absent[0].counts() && absent[0].line.contains("were not looked at"));
        let daemon =
            Daemon::Silent { why: "speaks protocol 9".to_owned(), mend: Some("tegata daemon stop".to_owned()) };
        let silent = findings(&Facts { daemon, ..Facts::clean() });
        assert_eq!((silent[0].severity, silent[0].mend.as_deref()), (Severity::Error, Some("tegata daemon stop")));
    }

    #[test]
    fn another_version_a_lock_and_a_single_passkey_name_their_commands() {
        assert_eq!(one(|status| status.version = "0.0.1".to_owned()).1, "tegata daemon stop && tegata daemon start");
        assert_eq!(one(|status| status.locked = true), (Severity::Warning, "tegata unlock".to_owned()));
        assert_eq!(one(|status| status.passkeys = Some(1)), (Severity::Warning, "tegata passkey add".to_owned()));
    }

    #[test]
    fn a_store_that_does_not_answer_or_forgets_is_named() {
        let store = |kind: &str, state| Store { kind: kind.to_owned(), state, detail: None };
        let (severity, _) = one(|status| status.store = store("secret-service", StoreState::Locked));
        assert_eq!(severity, Severity::Error);
        let (severity, _) = one(|status| status.store = store("memory", StoreState::Ready));
        assert_eq!(severity, Severity::Warning);
    }

    #[test]
    fn a_clock_is_judged_by_what_aws_refuses() {
        for fine in [0, 29, -29] {
            assert_eq!(with(|status| status.clock_skew_seconds = Some(fine)), []);
        }
        assert_eq!(one(|status| status.clock_skew_seconds = Some(-60)).0, Severity::Warning);
        assert_eq!(one(|status| status.clock_skew_seconds = Some(301)).0, Severity::Error);
    }

    #[test]
    fn what_waits_for_a_person_is_named() {
        let review = |id: &str| Review {
            id: id.to_owned(),
            profile: "prod".to_owned(),
            reason: None,
            approved_by: vec![],
            granted_at: "2026-11-22T09:00:00Z".to_owned(),
        };
        assert_eq!(one(|status| status.reviews = vec![review("a"), review("b")]).1, "tegata review list");
        let ended = one(|status| status.sessions[0].state = SessionState::Ended);
        assert_eq!(ended, (Severity::Warning, "tegata login corp".to_owned()));
        let failing = one(|status| status.sessions[0].last_error = Some("refused".to_owned()));
        assert_eq!(failing.1, "tegata login corp");
        let console = |state, last_error: Option<&str>| {
            let identity = ConsoleIdentity {
                arn: "arn:aws:iam::123456789012:user/bob".to_owned(),
                profile: Some("my own".to_owned()),
                region: None,
                state,
                expires_at: None,
                last_error: last_error.map(str::to_owned),
            };
            with(move |status| status.identities = vec![identity.clone()])
        };
        for found in [console(SessionState::Ended, None), console(SessionState::SignedIn, Some("no route"))] {
            assert_eq!(found[0].mend.as_deref(), Some("tegata login --console 'my own'"), "{found:?}");
        }
        assert_eq!(console(SessionState::SignedOut, None), []);
        let mut facts = Facts::clean();
        let Daemon::Running { weaker, .. } = &mut facts.daemon else { panic!("it runs") };
        weaker.push("rule x".to_owned());
        assert_eq!(findings(&facts)[0].mend.as_deref(), Some("tegata policy accept"));
    }

    #[test]
    fn what_the_daemon_warns_of_is_said_once() {
        let once = one(|status| {
            status.passkeys = Some(1);
            status.warnings = vec!["only one passkey is enrolled; add a second: tegata passkey add".to_owned()];
        });
        assert_eq!(once.1, "tegata passkey add");
        assert_eq!(one(|status| status.warnings = vec!["AWS_X is ignored".to_owned()]).1, "tegata status");
    }
}
