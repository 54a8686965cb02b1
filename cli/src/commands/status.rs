//! `tegata status`: what is signed in, until when, where it is kept, what is elevated, what waits, and what is wrong.

mod gate;

use super::certificate;
use crate::aws_config::{self, ConfigFile};
use crate::client::{BRIEFLY, Client, Target};
use crate::environment::{self, Environment};
use crate::failure::Failure;
use crate::hand::text;
use crate::key_files;
use crate::moment;
use crate::output::{self, Progress, Style};
use clap::Args;
use tegata_protocol::body::{self, ConsoleIdentity, DeviceSession, Session, SessionState, StoreState};
use tegata_protocol::{paths, text::one_line};

/// AWS refuses signatures that are five minutes off (AWS General Reference, "Signing AWS API requests").
const SKEW_AWS_REFUSES: u64 = 300;
/// Below this nobody needs to know.
const SKEW_WORTH_A_WORD: u64 = 30;

/// Show the sign-in sessions, the store and the daemon, the grants and what waits for a hand.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tegata status
  tegata status --json | jq -r '.sessions[] | select(.state != \"signed_in\").name'")]
pub(crate) struct Status {
    /// Print what the daemon says, as JSON
    #[arg(long)]
    json: bool,
}

impl Status {
    pub(crate) fn run(&self, environment: &Environment) -> Result<(), Failure> {
        let client = Client::new(environment)?;
        let target = Target::new(paths::STATUS).with_config(environment);
        let progress = Progress::begin("asking tegatad");
        if self.json {
            let status: serde_json::Value = client.get(target.as_str(), BRIEFLY)?;
            drop(progress);
            return output::say(&output::pretty(&status));
        }
        let mut status: body::Status = client.get(target.as_str(), BRIEFLY)?;
        status.warnings.extend(on_trial(environment));
        drop(progress);
        output::say(&page(&status, &client.socket(), environment::now(), Style::for_stdout(environment)))
    }
}

/// The reminders of access keys on trial. The files are the person's, and the daemon does not look into all of them.
pub(crate) fn on_trial(environment: &Environment) -> Vec<String> {
    let read = |path: Result<std::path::PathBuf, Failure>| ConfigFile::read(&path.ok()?).ok();
    let files = (read(aws_config::path(environment)), read(aws_config::credentials_path(environment)));
    let (Some(config), Some(credentials)) = files else { return Vec::new() };
    let files = key_files::Files { config: &config, credentials: &credentials };
    key_files::trials(files, environment::now()).iter().map(key_files::Trial::reminder).collect()
}

fn page(status: &body::Status, socket: &str, now: i64, style: Style) -> String {
    let started = one_line(&moment::from_now(&status.started_at, now));
    let mut page = format!(
        "daemon       tegatad {} (pid {}), started {started}\nsocket       {}\nstore        {}\ncredentials  {}\n",
        one_line(&status.version),
        status.pid,
        one_line(socket),
        store(&status.store),
        if status.locked { "locked, none are handed out".to_owned() } else { in_memory(status.cached_credentials) },
    );
    page.push_str(&gate::passkeys(status));
    for warning in warnings(status) {
        page.push_str(&format!("{} {warning}\n", style.warning("warning:")));
    }
    page.push('\n');
    page.push_str(&sessions(status, now, style));
    if !status.certificates.is_empty() {
        page.push_str(&format!("\n\n{}", certificate::table(&status.certificates, now)));
    }
    page.push_str(&gate::page(status, now, style));
    page
}

fn store(store: &body::Store) -> String {
    let state = match store.state {
        StoreState::Ready => "ready",
        StoreState::Locked => "locked",
        StoreState::Unavailable => "unavailable",
    };
    let detail = store.detail.as_deref().map(|detail| format!(": {}", one_line(detail))).unwrap_or_default();
    format!("{}, {state}{detail}", one_line(&store.kind))
}

fn in_memory(count: usize) -> String {
    match count {
        0 => "none in memory".to_owned(),
        count => format!("{count} in memory"),
    }
}

fn warnings(status: &body::Status) -> Vec<String> {
    let locked = status.locked.then(|| "everything is locked; run: tegata unlock".to_owned());
    let skew = status.clock_skew_seconds.and_then(skew);
    let others = status.warnings.iter().map(|warning| one_line(warning));
    locked.into_iter().chain(skew).chain(others).collect()
}

fn skew(seconds: i64) -> Option<String> {
    let direction = if seconds > 0 { "ahead of" } else { "behind" };
    let off = moment::duration(seconds);
    match seconds.unsigned_abs() {
        ..SKEW_WORTH_A_WORD => None,
        SKEW_WORTH_A_WORD..SKEW_AWS_REFUSES => Some(format!("this machine's clock is {off} {direction} AWS")),
        _ => Some(format!("this machine's clock is {off} {direction} AWS, which refuses what it signs; set the clock")),
    }
}

fn sessions(status: &body::Status, now: i64, style: Style) -> String {
    let mut tables = Vec::new();
    if !status.sessions.is_empty() {
        tables.push(organisations(&status.sessions, now, style));
    }
    if !status.identities.is_empty() {
        tables.push(consoles(&status.identities, now, style));
    }
    if !status.devices.is_empty() {
        tables.push(devices(&status.devices, now, style));
    }
    if tables.is_empty() {
        return "No sign-in session is known. Sign in with: tegata login".to_owned();
    }
    tables.join("\n\n")
}

fn consoles(identities: &[ConsoleIdentity], now: i64, style: Style) -> String {
    let rows = identities.iter().map(|identity| {
        let until = identity.expires_at.as_deref().map(|at| one_line(&moment::shown(at, now)));
        let region = identity.region.as_deref().map(one_line);
        let dash = || "-".to_owned();
        let state = state(identity.state).to_owned();
        [one_line(&identity.arn), state, until.unwrap_or_else(dash), region.unwrap_or_else(dash)]
    });
    let table = style.table(["CONSOLE LOGIN", "STATE", "UNTIL", "REGION"], rows);
    std::iter::once(table).chain(identities.iter().filter_map(console_trouble)).collect::<Vec<_>>().join("\n")
}

/// Says what is wrong with a console login, and what mends it.
fn console_trouble(identity: &ConsoleIdentity) -> Option<String> {
    let who = one_line(&identity.arn);
    let error = identity.last_error.as_deref().map(one_line);
    let login = text::command("tegata login --console", identity.profile.as_deref().unwrap_or("PROFILE"));
    match (identity.state, error) {
        (SessionState::Ended, None) => Some(format!("{who} has to sign in again; run: {login}")),
        (SessionState::Ended, Some(error)) => Some(format!("{who} has to sign in again ({error}); run: {login}")),
        // The login lives, and the store has no room for it.
        (_, Some(error)) if error.starts_with("not kept") => Some(format!("{who} is {error}")),
        (_, Some(error)) => Some(format!("{who} could not be renewed: {error}")),
        (_, None) => None,
    }
}

fn devices(devices: &[DeviceSession], now: i64, style: Style) -> String {
    let rows = devices.iter().map(|device| {
        let until = device.expires_at.as_deref().map(|at| one_line(&moment::shown(at, now)));
        let code = match (device.wants_code, &device.expires_at) {
            (Some(true), _) => "wanted",
            (Some(false), Some(_)) => "given",
            (Some(false), None) => "by itself",
            (None, _) => "unknown",
        };
        [one_line(&device.device), code.to_owned(), until.unwrap_or_else(|| "-".to_owned()), one_line(&device.profile)]
    });
    let table = style.table(["MFA DEVICE", "CODE", "UNTIL", "PROFILE"], rows);
    let wanted = devices.iter().filter(|device| device.wants_code == Some(true)).map(|device| {
        let command = text::command("tegata login", &one_line(&device.profile));
        format!("{} wants a code; run: {command}", one_line(&device.device))
    });
    std::iter::once(table).chain(wanted).collect::<Vec<_>>().join("\n")
}

fn organisations(sessions: &[Session], now: i64, style: Style) -> String {
    let rows = sessions.iter().map(|session| {
        let until = session.expires_at.as_deref().map(|at| one_line(&moment::shown(at, now)));
        [
            one_line(&session.name),
            state(session.state).to_owned(),
            until.unwrap_or_else(|| "-".to_owned()),
            renewed(session).to_owned(),
            format!("{} ({})", one_line(&session.start_url), one_line(&session.region)),
        ]
    });
    let table = style.table(["SIGN-IN SESSION", "STATE", "UNTIL", "RENEWED", "ORGANISATION"], rows);
    std::iter::once(table).chain(sessions.iter().filter_map(trouble)).collect::<Vec<_>>().join("\n")
}

fn renewed(session: &Session) -> &'static str {
    match (session.state, session.renewable) {
        (SessionState::Ended | SessionState::SignedOut, _) => "-",
        (_, true) => "by itself",
        (_, false) => "by a person",
    }
}

/// Says what is wrong with a sign-in session, and what mends it.
fn trouble(session: &Session) -> Option<String> {
    let name = one_line(&session.name);
    let error = session.last_error.as_deref().map(one_line);
    match (session.state, error) {
        (SessionState::Ended, None) => Some(format!("{name} has ended; run: tegata login {name}")),
        (SessionState::Ended, Some(error)) => Some(format!("{name} has ended ({error}); run: tegata login {name}")),
        // The sign-in lives, and the store has no room for it.
        (_, Some(error)) if error.starts_with("not kept") => Some(format!("{name} is {error}")),
        (_, Some(error)) => Some(format!("{name} could not be renewed: {error}")),
        (_, None) => None,
    }
}

fn state(state: SessionState) -> &'static str {
    match state {
        SessionState::SignedIn => "signed in",
        SessionState::Ended => "ended",
        SessionState::SignedOut => "signed out",
        SessionState::Unknown => "unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status() -> body::Status {
        let session = |name: &str, state, expires_at: Option<&str>| Session {
            name: name.to_owned(),
            start_url: "https://acme.awsapps.com/start".to_owned(),
            region: "eu-west-1".to_owned(),
            state,
            expires_at: expires_at.map(str::to_owned),
            renewable: expires_at.is_some(),
            last_error: None,
        };
        let mut ended = session("corp", SessionState::Ended, Some("2026-11-22T08:00:00Z"));
        ended.last_error = Some("AWS refused the refresh token".to_owned());
        body::Status {
            version: "9.8.7".to_owned(),
            pid: 42,
            started_at: "2026-11-22T06:00:00Z".to_owned(),
            locked: false,
            store: body::Store { kind: "keyutils".to_owned(), state: StoreState::Ready, detail: None },
            identities: vec![],
            devices: vec![],
            certificates: vec![],
            sessions: vec![
                ended,
                session("開発", SessionState::SignedIn, Some("2026-11-22T17:00:00Z")),
                session("old", SessionState::SignedOut, None),
            ],
            cached_credentials: 3,
            grants: vec![],
            requests: vec![],
            reviews: vec![],
            passkeys: None,
            clock_skew_seconds: Some(-400),
            warnings: vec!["AWS_ENDPOINT_URL is ignored".to_owned()],
        }
    }

    #[test]
    fn the_page_shows_what_is_signed_in_and_what_is_wrong() {
        let now = moment::parse("2026-11-22T09:18:00Z").unwrap();
        insta::assert_snapshot!(page(&status(), "/run/user/7/tegata/tegata.sock", now, Style::PLAIN), @"
        daemon       tegatad 9.8.7 (pid 42), started 3 h 18 min ago
        socket       /run/user/7/tegata/tegata.sock
        store        keyutils, ready
        credentials  3 in memory
        warning: this machine's clock is 6 min behind AWS, which refuses what it signs; set the clock
        warning: AWS_ENDPOINT_URL is ignored

        SIGN-IN SESSION  STATE       UNTIL                                  RENEWED    ORGANISATION
        corp             ended       2026-11-22 08:00 UTC (1 h 18 min ago)  -          https://acme.awsapps.com/start (eu-west-1)
        開発             signed in   2026-11-22 17:00 UTC (in 7 h 42 min)   by itself  https://acme.awsapps.com/start (eu-west-1)
        old              signed out  -                                      -          https://acme.awsapps.com/start (eu-west-1)
        corp has ended (AWS refused the refresh token); run: tegata login corp
        ");
    }

    #[test]
    fn a_device_shows_whether_it_wants_a_code() {
        let now = moment::parse("2026-11-22T09:18:00Z").unwrap();
        let device = |wants_code, expires_at: Option<&str>| DeviceSession {
            device: "arn:aws:iam::123456789012:mfa/alice".to_owned(),
            user: "arn:aws:iam::123456789012:user/alice".to_owned(),
            profile: "my deploy".to_owned(),
            expires_at: expires_at.map(str::to_owned),
            wants_code,
        };
        let shown = devices(
            &[device(Some(true), None), device(Some(false), Some("2026-11-22T21:18:00Z")), device(Some(false), None)],
            now,
            Style::PLAIN,
        );
        insta::assert_snapshot!(shown, @"
        MFA DEVICE                           CODE       UNTIL                           PROFILE
        arn:aws:iam::123456789012:mfa/alice  wanted     -                               my deploy
        arn:aws:iam::123456789012:mfa/alice  given      2026-11-22 21:18 UTC (in 12 h)  my deploy
        arn:aws:iam::123456789012:mfa/alice  by itself  -                               my deploy
        arn:aws:iam::123456789012:mfa/alice wants a code; run: tegata login 'my deploy'
        ");
    }

    #[test]
    fn a_clock_a_few_seconds_off_is_not_worth_a_word() {
        assert_eq!(skew(29), None);
        assert_eq!(skew(-29), None);
    }

    #[test]
    fn a_clock_that_aws_refuses_is_named_so() {
        assert_eq!(skew(-120).unwrap(), "this machine's clock is 2 min behind AWS");
        assert!(skew(301).unwrap().contains("5 min ahead of AWS, which refuses"));
    }
}
