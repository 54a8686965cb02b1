//! What there is: asked of the daemon, read from files and variables. Nothing is judged here, nothing is changed, no daemon is started.

use super::config_text::{self, Entry};
use super::credential_process::{self, Call};
use super::daemon::Daemon;
use super::disk::{self, OnDisk};
use super::overrides::Override;
use super::permissions::{Place, Wanted};
use crate::aws_config;
use crate::client::{self, BRIEFLY, Client, Target};
use crate::commands::list;
use crate::environment::Environment;
use crate::failure::{Failure, Kind};
use crate::places;
use serde_json::Value;
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use tegata_protocol::body::{Profiles, Status, StoreState};
use tegata_protocol::certificates::Certificates;
use tegata_protocol::gate::PolicyState;
use tegata_protocol::paths;
use zeroize::Zeroizing;

/// The longest file that is read, and the most files of a directory.
const LONGEST_FILE: u64 = 16 * 1024 * 1024;
const MOST_FILES: usize = 1_000;

/// Everything the checks look at.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    /// This program's version.
    pub(super) version: String,
    /// This user.
    pub(super) uid: u32,
    pub(super) daemon: Daemon,
    /// The names of the variables that are set and begin with `AWS_`.
    pub(super) variables: Vec<String>,
    /// The AWS config file, for reading by people.
    pub(super) config_file: String,
    pub(super) calls: Vec<Call>,
    pub(super) overrides: Vec<Override>,
    pub(super) on_disk: Vec<OnDisk>,
    pub(super) places: Vec<Place>,
    pub(super) shell: Shell,
    /// Access keys whose plaintext was put aside, one line each.
    pub(super) trials: Vec<String>,
}

/// The person's shell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shell {
    /// `bash`, `zsh` or `fish`; empty for another one.
    pub(super) name: String,
    /// Its start-up file.
    pub(super) file: String,
    pub(super) integrated: bool,
}

impl Facts {
    pub(super) fn gather(environment: &Environment) -> Result<Self, Failure> {
        let home = environment.get("HOME").map(PathBuf::from).unwrap_or_default();
        let config = aws_config::path(environment)?;
        let text = read(&config).unwrap_or_default();
        let entries = config_text::entries(&text);
        Ok(Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            uid: rustix::process::geteuid().as_raw(),
            daemon: ask(environment)?,
            variables: environment.names_beginning_with("AWS_"),
            config_file: config.display().to_string(),
            calls: entries.iter().filter_map(|entry| call(entry, environment)).collect(),
            overrides: entries.iter().filter(|entry| entry.key == "endpoint_url").map(to_override).collect(),
            on_disk: on_disk(environment, &home, &config, &entries)?,
            places: looked_at(environment, &home, &config)?,
            shell: shell(environment, &home),
            trials: crate::commands::status::on_trial(environment),
        })
    }
}

/// Reads a regular file, bounded. Wiped when dropped: it may hold what is being looked for.
fn read(path: &Path) -> Option<Zeroizing<String>> {
    if !fs::metadata(path).ok()?.is_file() {
        return None;
    }
    let mut text = Zeroizing::new(String::new());
    File::open(path).ok()?.take(LONGEST_FILE).read_to_string(&mut text).ok()?;
    Some(text)
}

/// Asks a daemon that runs, and starts none.
fn ask(environment: &Environment) -> Result<Daemon, Failure> {
    let client = Client::new(environment)?.without_starting();
    let silent = |failure: &Failure| Daemon::Silent {
        why: failure.message().to_owned(),
        mend: failure.mending().map(str::to_owned),
    };
    match client.is_listened_to() {
        Ok(true) => {}
        Ok(false) => return Ok(Daemon::Absent),
        Err(failure) => return Ok(silent(&failure)),
    }
    Ok(match answers(&client, environment) {
        Ok(daemon) => daemon,
        Err(failure) if matches!(failure.kind, Kind::Signalled(_)) => return Err(failure),
        Err(failure) => silent(&failure),
    })
}

fn answers(client: &Client<'_>, environment: &Environment) -> Result<Daemon, Failure> {
    let mut status: Status = client.get(Target::new(paths::STATUS).with_config(environment).as_str(), BRIEFLY)?;
    // Status asks neither the store nor a token; a store that is ready has nobody to ask for leave.
    if !status.locked && status.store.state == StoreState::Ready {
        let target = Target::new(paths::CERTIFICATES).with_config(environment);
        let listed = client.get::<Certificates>(target.as_str(), BRIEFLY);
        status.certificates = listed.map(|listed| listed.certificates).unwrap_or(status.certificates);
    }
    // A config file that cannot be read is one of the status's warnings; a locked daemon says nothing of its rules.
    let listed = list::all_pages(client, environment).and_then(client::understood::<Profiles>);
    let Profiles { profiles, warnings, .. } =
        listed.unwrap_or(Profiles { profiles: Vec::new(), next_page: None, warnings: Vec::new() });
    let policy = if status.locked { None } else { client.get::<PolicyState>(paths::POLICY, BRIEFLY).ok() };
    let weaker = policy.map(|policy| policy.weaker).unwrap_or_default();
    Ok(Daemon::Running { status: Box::new(status), profiles, warnings, weaker })
}

fn call(entry: &Entry, environment: &Environment) -> Option<Call> {
    let program = credential_process::program(entry)?;
    let is_there = is_there(&program, environment);
    Some(Call { profile: entry.profile().to_owned(), line: entry.line, program, is_there })
}

/// Whether a program can be run, by its path or found by PATH.
pub(super) fn is_there(program: &str, environment: &Environment) -> bool {
    crate::browser::find(program, environment).is_some()
}

fn to_override(entry: &Entry) -> Override {
    Override { section: entry.section.clone(), line: entry.line }
}

fn on_disk(environment: &Environment, home: &Path, config: &Path, entries: &[Entry]) -> Result<Vec<OnDisk>, Failure> {
    let credentials = aws_config::credentials_path(environment)?;
    let mut found = keys(&credentials, &config_text::entries(&read(&credentials).unwrap_or_default()));
    found.extend(keys(config, entries));
    let login = environment.get("AWS_LOGIN_CACHE_DIRECTORY").map(PathBuf::from);
    let caches: [(PathBuf, Reader); 3] = [
        (home.join(".aws/sso/cache"), sign_in_token),
        (home.join(".aws/cli/cache"), role_credentials),
        (login.unwrap_or_else(|| home.join(".aws/login/cache")), console_login),
    ];
    for (directory, reader) in caches {
        for file in json_files(&directory) {
            let json = read(&file).and_then(|text| serde_json::from_str::<Value>(&text).ok());
            found.extend(json.and_then(|json| reader(&json, file.display().to_string())));
        }
    }
    Ok(found)
}

type Reader = fn(&Value, String) -> Option<OnDisk>;

/// Returns the access keys that a file holds, section by section.
fn keys(file: &Path, entries: &[Entry]) -> Vec<OnDisk> {
    let of = |section: &str, key: &str| {
        let found =
            entries.iter().find(|entry| entry.section == section && entry.key == key && !entry.value.is_empty());
        found.map(|entry| entry.value.as_str())
    };
    let secrets = entries.iter().filter(|entry| entry.key == "aws_secret_access_key" && !entry.value.is_empty());
    secrets
        .map(|entry| {
            let temporary = of(&entry.section, "aws_session_token").is_some();
            OnDisk {
                kind: if temporary { disk::Kind::SessionKey } else { disk::Kind::LongLivedKey },
                file: file.display().to_string(),
                of: entry.profile().to_owned(),
                tail: disk::tail(of(&entry.section, "aws_access_key_id").unwrap_or_default()),
            }
        })
        .collect()
}

fn text<'a>(json: &'a Value, pointer: &str) -> Option<&'a str> {
    json.pointer(pointer)?.as_str().filter(|text| !text.is_empty())
}

fn sign_in_token(json: &Value, file: String) -> Option<OnDisk> {
    let token = text(json, "/refreshToken").or_else(|| text(json, "/accessToken"))?;
    let of = text(json, "/startUrl").unwrap_or("an organisation").to_owned();
    Some(OnDisk { kind: disk::Kind::SignInToken, file, of, tail: disk::tail(token) })
}

fn role_credentials(json: &Value, file: String) -> Option<OnDisk> {
    text(json, "/Credentials/SecretAccessKey")?;
    let tail = disk::tail(text(json, "/Credentials/AccessKeyId").unwrap_or_default());
    Some(OnDisk { kind: disk::Kind::RoleCredentials, file, of: String::new(), tail })
}

fn console_login(json: &Value, file: String) -> Option<OnDisk> {
    let token = text(json, "/refreshToken").or_else(|| text(json, "/accessToken/secretAccessKey"))?;
    Some(OnDisk { kind: disk::Kind::ConsoleLogin, file, of: String::new(), tail: disk::tail(token) })
}

fn json_files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path());
    let is_json = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "json");
    let mut files: Vec<_> = entries.filter(is_json).take(MOST_FILES).collect();
    files.sort();
    files
}

/// Looks at what has to be this user's own, as far as it is there.
fn looked_at(environment: &Environment, home: &Path, config: &Path) -> Result<Vec<Place>, Failure> {
    let place = places::place(environment)?;
    let xdg = |name: &str, below: &str| environment.get(name).map_or_else(|| home.join(below), PathBuf::from);
    let state = xdg("XDG_STATE_HOME", ".local/state").join("tegata");
    let settings = xdg("XDG_CONFIG_HOME", ".config").join("tegata/config.toml");
    let looked = [
        (place.directory, Wanted::Private),
        (place.socket, Wanted::Private),
        (state, Wanted::Private),
        (settings, Wanted::OwnWriting),
        (home.join(".aws"), Wanted::OwnWriting),
        (config.to_owned(), Wanted::OwnWriting),
        (home.join(".aws/credentials"), Wanted::Private),
        (home.join(".aws/sso/cache"), Wanted::OwnWriting),
    ];
    Ok(looked.into_iter().filter_map(|(path, wanted)| permissions(&path, wanted)).collect())
}

fn permissions(path: &Path, wanted: Wanted) -> Option<Place> {
    let found = fs::metadata(path).ok()?;
    Some(Place { path: path.display().to_string(), wanted, owner: found.uid(), mode: found.mode() & 0o777 })
}

fn shell(environment: &Environment, home: &Path) -> Shell {
    let program = environment.get("SHELL").map(PathBuf::from).unwrap_or_default();
    let name = program.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let file = match name {
        "bash" => home.join(".bashrc"),
        "zsh" => environment.get("ZDOTDIR").map_or_else(|| home.to_owned(), PathBuf::from).join(".zshrc"),
        "fish" => environment
            .get("XDG_CONFIG_HOME")
            .map_or_else(|| home.join(".config"), PathBuf::from)
            .join("fish/config.fish"),
        _ => return Shell { name: String::new(), file: String::new(), integrated: false },
    };
    let integrated = read(&file).is_some_and(|text| text.contains("tegata shell-init"));
    Shell { name: name.to_owned(), file: file.display().to_string(), integrated }
}

#[cfg(test)]
impl Facts {
    /// A machine on which everything is as it should be.
    pub(super) fn clean() -> Self {
        use tegata_protocol::body::{Profile, Session, SessionState, Store, StoreState};
        let session = Session {
            name: "corp".to_owned(),
            start_url: "https://acme.awsapps.com/start".to_owned(),
            region: "eu-west-1".to_owned(),
            state: SessionState::SignedIn,
            expires_at: None,
            renewable: true,
            last_error: None,
        };
        let profile = Profile {
            name: "dev".to_owned(),
            session: Some("corp".to_owned()),
            source: None,
            account_id: Some("123456789012".to_owned()),
            role: Some("ReadOnly".to_owned()),
            expires_at: None,
            problem: None,
            tier: None,
            gate: Some("open".to_owned()),
            certificate_ends_at: None,
            read_only: None,
        };
        let status = Status {
            version: "1.2.3".to_owned(),
            pid: 42,
            started_at: "2026-11-22T09:00:00Z".to_owned(),
            locked: false,
            store: Store { kind: "secret-service".to_owned(), state: StoreState::Ready, detail: None },
            sessions: vec![session],
            certificates: vec![],
            identities: vec![],
            devices: vec![],
            cached_credentials: 0,
            grants: vec![],
            requests: vec![],
            reviews: vec![],
            passkeys: Some(2),
            clock_skew_seconds: Some(0),
            warnings: vec![],
        };
        Self {
            version: "1.2.3".to_owned(),
            uid: 1000,
            daemon: Daemon::Running {
                status: Box::new(status),
                profiles: vec![profile],
                warnings: vec![],
                weaker: vec![],
            },
            variables: vec![],
            config_file: "/home/a/.aws/config".to_owned(),
            trials: vec![],
            calls: vec![],
            overrides: vec![],
            on_disk: vec![],
            places: vec![],
            shell: Shell { name: "bash".to_owned(), file: "/home/a/.bashrc".to_owned(), integrated: true },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_long_lived_unless_a_session_token_is_beside_it() {
        let text = "[default]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = CANARY\n[x]\nregion = y\n\
                    [tmp]\naws_access_key_id=ASIAIOSFODNN7EXAMPLF\naws_secret_access_key=CANARY\naws_session_token=CANARY\n";
        let found = keys(Path::new("/c"), &config_text::entries(text));
        let shown: Vec<_> = found.iter().map(|key| (key.kind, key.of.as_str(), key.tail.as_str())).collect();
        assert_eq!(shown, [(disk::Kind::LongLivedKey, "default", "MPLE"), (disk::Kind::SessionKey, "tmp", "MPLF")]);
        assert!(!format!("{found:?}").contains("CANARY"));
    }

    #[test]
    fn each_cache_is_told_by_what_is_in_it_and_a_registration_is_none() {
        let json = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        let file = || "/f".to_owned();
        let token =
            json(r#"{"startUrl":"https://a","accessToken":"0123456789abcdef","expiresAt":"2026-11-22T15:53:58Z"}"#);
        assert_eq!(sign_in_token(&token, file()).unwrap().tail, "cdef");
        assert_eq!(sign_in_token(&json(r#"{"clientId":"a","clientSecret":"b"}"#), file()), None);
        let role = json(r#"{"Credentials":{"AccessKeyId":"ASIAIOSFODNN7EXAMPLE","SecretAccessKey":"s"}}"#);
        assert_eq!(role_credentials(&role, file()).unwrap().tail, "MPLE");
        assert_eq!(role_credentials(&json("{}"), file()), None);
        assert!(console_login(&json(r#"{"refreshToken":"0123456789abcdef","dpopKey":"k"}"#), file()).is_some());
        assert_eq!(console_login(&json("[]"), file()), None);
    }
}
