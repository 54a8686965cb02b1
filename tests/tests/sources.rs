//! Every way in which credentials start × AWS clients which nobody here wrote: who they are by a signed call, when they are told that
//! their credentials end, and what their user reads when the source has ended or is refused. The sandbox verifies every signature.
//!
//! The table in `docs/clients.md` is made of what is seen here, and compared with it.
#![cfg(feature = "system")]

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;
use tegata_daemon::clock::{from_rfc3339, rfc3339};
use tegata_sandbox::{Operation, Sandbox};
use tegata_tests::iam_user::ALICE;
use tegata_tests::product::Product;
use tegata_tests::sdk::{Called, Client, Held, Kind, key_of, outlive_the_last_key};
use tegata_tests::sources::{Machine, Way};

/// When set, what differs in the documents is written instead of refused.
const WRITE: &str = "TEGATA_TABLES";
const BEGIN: &str = "<!-- made by tests/tests/sources.rs: TEGATA_TABLES=1 writes it anew -->";
const END: &str = "<!-- up to here -->";

const CLIENTS: [(Kind, &str); 3] =
    [(Kind::AwsCliV2, "AWS CLI v2"), (Kind::Boto3, "boto3"), (Kind::JsFromProcess, "JavaScript")];

/// A life that ends within a story; a third of it is left whenever credentials are handed out.
const LIFE: Duration = Duration::from_secs(9);

/// What was seen of one way.
#[derive(Debug)]
struct Row {
    identity: String,
    life: String,
    line: String,
    clients: Vec<Seen>,
}

/// What was seen of one client.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    identity: bool,
    expiry: bool,
    error: bool,
}

/// Who AWS says it is, without what is another in every run.
fn identity_of(way: Way) -> &'static str {
    match way {
        Way::SignIn => "arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_ReadOnly_…/alice",
        Way::Console => "arn:aws:sts::123456789012:assumed-role/Admin/alice",
        Way::TokenFile | Way::TokenCommand | Way::GithubJob => {
            "arn:aws:sts::210987654321:assumed-role/Deploy/USER@HOST"
        }
        Way::CertificateFiles | Way::CertificateKeyring | Way::CertificateToken => {
            "arn:aws:sts::123456789012:assumed-role/Runner/5a11c307"
        }
        Way::UserSession | Way::UserCode | Way::UserKeys => ALICE,
        Way::Instance | Way::Task => "arn:aws:sts::210987654321:assumed-role/Release/USER@HOST",
    }
}

/// What a client's user reads when the source has ended or is refused.
fn line_of(way: Way) -> &'static str {
    match way {
        Way::SignIn => "tegata: sign-in session corp has ended; run: tegata login corp",
        Way::Console => "tegata login --console me",
        Way::TokenFile => "tegata: AWS refused AssumeRoleWithWebIdentity (InvalidIdentityToken): ",
        Way::TokenCommand => "ended with exit status 3",
        Way::GithubJob => "and no job was handed over; run: tegata login ci",
        Way::CertificateFiles => "tegata: AWS refused CreateSession (AccessDeniedException): ",
        Way::CertificateKeyring => {
            "tegata: no certificate is kept for it in the keyring; run: tegata certificate import dev"
        }
        Way::CertificateToken => "tegata: token laptop wants its PIN; run: tegata login dev",
        Way::UserSession => "it was deactivated or deleted",
        Way::UserCode => "wants a code; run: tegata login mfa",
        Way::UserKeys => "tegata: Tegata is locked; run: tegata unlock",
        Way::Instance => "the instance has no role, or this is no EC2 instance",
        Way::Task => "tegata: AWS refused AssumeRole (AccessDenied): ",
    }
}

/// Takes out of an ARN what is another in every run.
fn generalised(arn: &str) -> String {
    let (head, session) = arn.rsplit_once('/').unwrap_or((arn, ""));
    let head = head.split_once("_ReadOnly_").map_or(head.to_owned(), |(front, _)| format!("{front}_ReadOnly_…"));
    if session.contains('@') { format!("{head}/USER@HOST") } else { format!("{head}/{session}") }
}

fn clients_of(machine: &Machine, way: Way) -> Vec<Client> {
    CLIENTS.map(|(kind, _)| Client::as_profile(kind, way.profile(), machine.product())).into()
}

/// Who the clients are: the same, by one request to AWS.
fn identities(way: Way, machine: &Machine, clients: &mut [Client]) -> Vec<bool> {
    let told = |client: &mut Client| match client.call() {
        Called::Arn(arn) => generalised(&arn) == identity_of(way),
        Called::Error(error) => panic!("{way:?}: {error}\n{}", machine.product().daemon_log()),
    };
    clients.iter_mut().map(told).collect()
}

/// When what was signed with ends, as AWS said it.
fn end_of(product: &Product, key: &str) -> Option<String> {
    let issued = product.sandbox().issued_credentials().into_iter().find(|issued| issued.access_key_id == key)?;
    let millis = u64::try_from(issued.expires_ms).expect("a time after 1970");
    Some(rfc3339(std::time::UNIX_EPOCH + Duration::from_secs(millis / 1_000)))
}

/// Whether a client was told of the end that AWS said; of keys, which have none, that they end within the hour.
fn was_told(product: &Product, held: &Held) -> bool {
    let told = from_rfc3339(&held.ends).unwrap_or_else(|| panic!("{held:?}"));
    match end_of(product, &held.access_key_id) {
        Some(end) => rfc3339(told) == end,
        None => {
            let now = std::time::SystemTime::now();
            told > now && told <= now + Duration::from_secs(3_600)
        }
    }
}

/// How long AWS gave the credentials for.
fn life(product: &Product) -> String {
    let calls = product.sandbox().requests_of(Operation::GetCallerIdentity);
    let Some(call) = calls.last() else { return String::new() };
    let Some(issued) = product.sandbox().issued_credentials().into_iter().find(|one| one.access_key_id == key_of(call))
    else {
        return "none; said to end within the hour".to_owned();
    };
    let minutes = (issued.expires_ms - product.sandbox().now_ms() + 240_000) / 60_000;
    if minutes < 60 { format!("{} min", minutes / 5 * 5) } else { format!("{} h", minutes / 60) }
}

/// What the clients' users read, and our line of it.
fn errors(way: Way, machine: &Machine) -> (String, Vec<bool>) {
    let mut line = String::new();
    let reads = |mut client: Client| match client.call() {
        Called::Arn(arn) => panic!("{way:?} is served as {arn}"),
        Called::Error(error) => {
            let ours = error.split_once("tegata: ").map(|(_, ours)| format!("tegata: {ours}")).unwrap_or_default();
            if line.is_empty() {
                line.clone_from(&ours);
            }
            ours.contains(line_of(way))
        }
    };
    let read = clients_of(machine, way).into_iter().map(reads).collect();
    (shown(&machine.without_places(&line)), read)
}

/// A line without the last four of a key.
fn shown(line: &str) -> String {
    let line = line.lines().next().unwrap_or_default().trim().replace('|', "\\|");
    match line.split_once("access key …") {
        Some((head, rest)) => format!("{head}access key …ABCD{}", &rest[4..]),
        None => line,
    }
}

fn look_at(way: Way) -> Row {
    let machine = way.machine();
    // A code is good for half a day, also over a lock: who gave none reads so first.
    let before = (way == Way::UserCode).then(|| errors(way, &machine));
    machine.person_does_their_part();
    let asked = || way.asks_by().map_or(0, |operation| machine.product().sandbox().calls(operation));
    let asked_before = asked();
    let mut clients = clients_of(&machine, way);
    let identity = identities(way, &machine, &mut clients);
    let expiry: Vec<bool> = clients.iter_mut().map(|client| was_told(machine.product(), &client.holds())).collect();
    assert!(asked() <= asked_before + 1, "{way:?}: AWS was asked {} times for all", asked() - asked_before);
    drop(clients);
    let life = life(machine.product());
    let (line, error) = before.unwrap_or_else(|| {
        machine.source_ends();
        errors(way, &machine)
    });
    machine.product().assert_no_canaries();
    let clients = (0..CLIENTS.len()).map(|at| Seen { identity: identity[at], expiry: expiry[at], error: error[at] });
    Row { identity: identity_of(way).to_owned(), life, line, clients: clients.collect() }
}

fn seen(way: Way) -> &'static Row {
    static SEEN: [OnceLock<Row>; Way::ALL.len()] = [const { OnceLock::new() }; Way::ALL.len()];
    let at = Way::ALL.iter().position(|other| *other == way).expect("every way is there");
    SEEN[at].get_or_init(|| look_at(way))
}

fn conforms(way: Way) {
    for ((_, name), seen) in CLIENTS.iter().zip(&seen(way).clients) {
        assert_eq!(*seen, Seen { identity: true, expiry: true, error: true }, "{way:?} {name}");
    }
}

tegata_tests::test_every_way!(conforms);

/// The keys whose credentials have ended.
fn over(sandbox: &Sandbox) -> Vec<String> {
    let now = sandbox.now_ms();
    let issued = sandbox.issued_credentials().into_iter();
    issued.filter(|issued| issued.expires_ms <= now).map(|issued| issued.access_key_id).collect()
}

/// Clients that are at work when their credentials end go on with the next ones.
fn lives_on(way: Way) {
    let machine = way.machine();
    let sandbox = machine.product().sandbox();
    sandbox.configure(|settings| {
        let lives = &mut settings.lifetimes;
        (lives.role_credentials, lives.assumed_role) = (Some(LIFE), Some(LIFE));
        (lives.certificate_session, lives.user_session) = (Some(LIFE), Some(LIFE));
    });
    machine.person_does_their_part();
    let mut clients = clients_of(&machine, way);
    assert_eq!(identities(way, &machine, &mut clients), [true; 3], "{way:?}");
    outlive_the_last_key(machine.product());
    let (over, calls) = (over(sandbox), sandbox.requests_of(Operation::GetCallerIdentity).len());
    assert_eq!(identities(way, &machine, &mut clients), [true; 3], "{way:?}");
    let calls = sandbox.requests_of(Operation::GetCallerIdentity).split_off(calls);
    let next: Vec<String> = calls.iter().map(key_of).collect();
    assert!(next.len() == 3 && next.iter().all(|key| !over.contains(key)), "{way:?}: {next:?}");
    machine.product().assert_no_canaries();
}

/// The ways that go on without a person, whose credentials end before a story does. Sign-in sessions: `matrix.rs`; console logins,
/// which last a quarter of an hour, by a clock of their own.
mod after_an_end {
    use super::lives_on;

    tegata_tests::test_every_way_of_machines!(lives_on);
    tegata_tests::test_ways! { lives_on;
        iam_user_by_a_session: UserSession;
    }
}

fn table() -> String {
    let mut text = String::from("| source | signed in as | life |");
    for (_, client) in CLIENTS {
        let _ = write!(text, " {client}: identity | expiry | error |");
    }
    text += "\n|---|---|---|";
    text += &"---|".repeat(3 * CLIENTS.len());
    let word = |seen: bool| if seen { "yes" } else { "**no**" };
    for way in Way::ALL {
        let row = seen(way);
        let _ = write!(text, "\n| {} | `{}` | {} |", way.name(), row.identity, row.life);
        for client in &row.clients {
            let _ = write!(text, " {} | {} | {} |", word(client.identity), word(client.expiry), word(client.error));
        }
    }
    text += "\n\n| source | the line when it has ended or is refused |\n|---|---|\n";
    for way in Way::ALL {
        let _ = writeln!(text, "| {} | `{}` |", way.name(), seen(way).line);
    }
    text
}

fn document() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the repository").join("docs/clients.md")
}

#[test]
fn the_documents_have_the_table_that_was_seen() {
    let document = document();
    let text = fs::read_to_string(&document).expect("the page is there");
    let (head, rest) = text.split_once(BEGIN).expect("the table begins");
    let (there, tail) = rest.split_once(END).expect("the table ends");
    let table = format!("\n\n{}\n", table());
    if std::env::var_os(WRITE).is_some() {
        fs::write(&document, format!("{head}{BEGIN}{table}{END}{tail}")).expect("the page is written");
        return;
    }
    assert_eq!(there, table, "write it anew: {WRITE}=1");
}

/// Keys are what they are: no session stands behind them, and AWS is asked for none.
#[test]
fn who_has_the_keys_themselves_signs_without_a_session_token() {
    let machine = Way::UserKeys.machine();
    let mut clients = clients_of(&machine, Way::UserKeys);
    assert_eq!(identities(Way::UserKeys, &machine, &mut clients), [true; 3]);
    let sandbox = machine.product().sandbox();
    let signed = sandbox.requests_of(Operation::GetCallerIdentity);
    assert!(signed.iter().all(|request| !request.headers.contains_key("x-amz-security-token")), "{signed:?}");
    assert_eq!(sandbox.calls(Operation::GetSessionToken), 0);
}
