//! From start to end: harden, read what there is to read, become the one daemon, serve until told to end.

use crate::accepted_policy::Wanted;
use crate::arguments::{Arguments, HELP};
use crate::audit::{Audit, Event, GrantEnd};
use crate::aws::{self, SdkAws};
use crate::broker::{Broker, Rooms};
use crate::caller::PeerError;
use crate::clock::{Clock, SystemClock};
use crate::environment::Environment;
use crate::helper::{self, Helper, HelperProcess, NoHelper};
use crate::iam_keys::Marks;
use crate::instance::{Instance, Start, passed_listener};
use crate::local_user::LocalUser;
use crate::lock::LockState;
use crate::notify::Desktop;
use crate::profile::ConfigFiles;
use crate::reviews::Reviews;
use crate::serve::api::Api;
use crate::serve::door::{Door, Limits};
use crate::settings::{FileStore, Settings, StoreChoice};
use crate::store::file::FileKey;
use crate::store::{Choice, Store};
use crate::{harden, inventory, qr, renewal, settings, upgrade, watch};
use std::fmt::Display;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tegata_protocol::{Exit, Secret};
use tokio::signal::unix::{SignalKind, signal};
use zeroize::Zeroizing;

/// The most bytes of a CA bundle or passphrase file that are read.
const MAX_FILE: usize = 1024 * 1024;

/// Why the daemon did not start: one line for the terminal or the journal, and how it ends.
#[derive(Debug)]
struct Failure {
    line: String,
    exit: Exit,
}

fn fails<E: Display>(exit: Exit) -> impl FnOnce(E) -> Failure {
    move |error| Failure { line: error.to_string(), exit }
}

/// Runs `tegatad`.
#[must_use]
pub fn main(arguments: impl IntoIterator<Item = std::ffi::OsString>) -> ExitCode {
    // Before anything is read that could be worth reading from outside.
    let hardened = harden::process().map_err(fails(Exit::Failed));
    let ended = hardened.and_then(|()| match Arguments::parse(arguments).map_err(fails(Exit::Usage))? {
        Arguments::Run { detach } => run(detach),
        Arguments::CheckSettings { file } => check_settings(file.as_deref()),
        Arguments::ReadQr => read_qr(),
        Arguments::Helper => helper::process::main().map_err(fails(Exit::Failed)),
        Arguments::Help => say(HELP),
        Arguments::Version => say(concat!("tegatad ", env!("CARGO_PKG_VERSION"), "\n")),
    });
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure { line, exit }) => {
            complain(&line);
            exit.into()
        }
    }
}

/// Nobody may be reading; the exit code says it all the same.
fn complain(line: &str) {
    let _ = writeln!(std::io::stderr(), "tegatad: {}", tegata_protocol::text::one_line(line));
}

/// Prints what the QR code in a picture on standard input says. Nothing of a daemon is started for it.
fn read_qr() -> Result<(), Failure> {
    let text = qr::read_from(std::io::stdin().lock()).map_err(fails(Exit::Failed))?;
    say(text.expose_secret())
}

/// Reads the settings as a daemon that starts would, and says what is wrong with them, a line for each file.
fn check_settings(file: Option<&Path>) -> Result<(), Failure> {
    let mut faults = match file {
        Some(file) => vec![readable(file).and_then(|()| check_file(file))],
        None => {
            let organisation = settings::load_organisation(Path::new(settings::POLICY_FILE)).map(drop);
            let places = Environment::read().map_err(fails(Exit::Failed))?.places;
            vec![check_file(&places.config_toml), organisation.map_err(fails(Exit::ProfileWrong))]
        }
    };
    let last = faults.iter().rposition(Result::is_err).map_or(Ok(()), |last| faults.remove(last));
    faults.into_iter().filter_map(Result::err).for_each(|fault| complain(&fault.line));
    last.and_then(|()| say("The settings can be used.\n"))
}

fn check_file(config_toml: &Path) -> Result<(), Failure> {
    let settings = settings::load(config_toml).map_err(fails(Exit::ProfileWrong))?;
    aws_config(&settings).map(drop)
}

/// A settings file that is not there is no fault where it lies, but it is where somebody named it.
fn readable(file: &Path) -> Result<(), Failure> {
    let line = |error| Failure { line: format!("{}: {error}", file.display()), exit: Exit::ProfileWrong };
    file.metadata().map(drop).map_err(line)
}

fn say(text: &str) -> Result<(), Failure> {
    std::io::stdout().write_all(text.as_bytes()).map_err(fails(Exit::Failed))
}

/// Everything up to the runtime happens on one thread: the steps change the process for good.
fn run(detach: bool) -> Result<(), Failure> {
    let environment = Environment::read().map_err(fails(Exit::Failed))?;
    // A service manager passes one socket, as descriptor 3 (sd_listen_fds(3)).
    harden::close_inherited(if environment.activated { 4 } else { 3 }).map_err(fails(Exit::Failed))?;
    #[cfg(feature = "failpoints")]
    crate::failpoint::arm(environment.failpoint.clone());
    harden::forget_variables(&environment.ignored).map_err(fails(Exit::Failed))?;
    if detach {
        harden::detach().map_err(fails(Exit::Failed))?;
    }
    begin_log(environment.log.as_deref());
    let settings = settings::load(&environment.places.config_toml).map_err(fails(Exit::ProfileWrong))?;
    let passed = if environment.activated { Some(passed_listener().map_err(fails(Exit::Failed))?) } else { None };
    let uid = rustix::process::getuid().as_raw();
    let mut instance = match Instance::start(&environment.places, passed, uid).map_err(fails(Exit::Failed))? {
        Start::First(instance) => instance,
        Start::AlreadyRunning => return say("tegatad: another one serves this user already\n"),
    };
    harden::raise_descriptor_limit().map_err(fails(Exit::Failed))?;
    let helper = settings.needs_helper().then(|| helper::start(&environment.for_commands));
    let helper = helper.transpose().map_err(fails(Exit::Failed))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(fails(Exit::Failed))?;
    let served = runtime.block_on(async {
        let outside = Outside { environment, settings, helper: attach(helper)?, uid };
        serve(outside, &mut instance).await
    });
    // A keyring that waits for a person must not keep the daemon from ending.
    runtime.shutdown_background();
    served
}

/// What the daemon begins with.
struct Outside {
    environment: Environment,
    settings: Settings,
    helper: Arc<dyn Helper>,
    uid: u32,
}

fn attach(started: Option<helper::Started>) -> Result<Arc<dyn Helper>, Failure> {
    let Some(started) = started else { return Ok(Arc::new(NoHelper)) };
    Ok(Arc::new(HelperProcess::attach(started).map_err(fails(Exit::Failed))?))
}

/// Listens once whatever may end the start is behind it: who waits for a daemon is served by it, or told that it did not start.
async fn serve(outside: Outside, instance: &mut Instance) -> Result<(), Failure> {
    let Outside { settings, uid, .. } = &outside;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let limits = Limits {
        connections: u32::try_from(settings.limits.connections.get()).unwrap_or(u32::MAX),
        ..Limits::default()
    };
    let (store, passphrase) = store(&outside.environment, settings)?;
    let broker = Arc::new(Broker::new(rooms(&outside, &clock, store.clone())?));
    let started = Event::DaemonStarted { version: env!("CARGO_PKG_VERSION"), store: broker.store_kind() };
    broker.record(&started).map_err(fails(Exit::Failed))?;
    let Some(listener) = instance.listen().map_err(fails(Exit::Failed))? else { return Ok(()) };
    let listener = tokio::net::UnixListener::from_std(listener).map_err(fails(Exit::Failed))?;
    if let Some(passphrase) = passphrase {
        // Making the key takes its time, in which callers queue; a request that was answered before would be told to wait for a person.
        // A wrong passphrase is in the store's state: `status` shows it, and every request that needs the store says it.
        let _ = store.unlock(Some(passphrase)).await;
    }
    let refusals = Arc::clone(&broker);
    let api = Api::new(Arc::clone(&broker), move |error: &PeerError| match error {
        PeerError::Foreign { uid, .. } | PeerError::Invisible { uid } => refusals.peer_refused(*uid),
        error => tracing::warn!("a connection was refused: {error}"),
    });
    let locking = Arc::clone(&broker);
    tokio::spawn(async move { locking.finish_locking().await });
    let background =
        [tokio::spawn(renewal::run(Arc::clone(&broker))), tokio::spawn(watch::run(Arc::clone(&broker), *uid))];
    Door::for_user(*uid, api, limits).run(listener, told_to_end(&broker, instance)).await;
    background.iter().for_each(tokio::task::JoinHandle::abort);
    broker.note_all_refused();
    broker.end_grants(GrantEnd::DaemonEnded, &|_| true);
    broker.record(&Event::DaemonEnded).map_err(fails(Exit::Failed))
}

/// Builds the outside (clock, AWS, human, store) and what is read from files.
fn rooms(outside: &Outside, clock: &Arc<dyn Clock>, store: Store) -> Result<Rooms, Failure> {
    let Outside { environment, settings, helper, .. } = outside;
    let places = &environment.places;
    let aws = SdkAws::new(aws_config(settings)?, Arc::clone(clock)).map_err(fails(Exit::ProfileWrong))?;
    let audit = Audit::open_keeping(&places.state_dir, Arc::clone(clock), settings.limits.audit_days.get());
    Ok(Rooms {
        clock: Arc::clone(clock),
        aws: Arc::new(aws),
        helper: Arc::clone(helper),
        pkcs11_module: settings.pkcs11.module.as_ref().map(|module| module.as_path().to_owned()),
        command_seconds: settings.limits.command_seconds.get(),
        github_actions: endpoint_overrides(&settings.endpoints)?.github_actions,
        task: environment.task.clone(),
        human: Arc::new(Desktop::new(settings.notifications.enabled)),
        store,
        files: Arc::new(
            ConfigFiles::new(places.aws_config.clone(), Arc::clone(clock))
                .with_extras(settings.extras_by_profile().clone()),
        ),
        audit: Arc::new(audit.map_err(fails(Exit::Failed))?),
        lock: LockState::at(places.state_dir.join("locked")),
        longest_wait: Duration::from_secs(settings.limits.wait_seconds.get()),
        hand_wait: Duration::from_secs(settings.limits.hand_seconds.get()),
        user: LocalUser::read(rustix::process::getuid().as_raw()),
        warnings: environment.warnings(),
        wanted: Wanted::of(settings),
        organisation: settings::load_organisation(Path::new(settings::POLICY_FILE))
            .map_err(fails(Exit::ProfileWrong))?,
        reviews: Reviews::at(places.state_dir.join("reviews.json")),
        key_rotations: Arc::new(Marks::at(places.state_dir.join("key-rotations.json"))),
        inventories: inventories(environment, settings),
    })
}

fn inventories(environment: &Environment, settings: &Settings) -> inventory::Options {
    // Both are bounded where they are read.
    let small = |number| u32::try_from(number).unwrap_or(u32::MAX);
    let rate = inventory::Rate {
        per_second: small(settings.limits.inventory_rate.get()),
        burst: small(settings.limits.inventory_burst.get()),
    };
    inventory::Options { directory: environment.places.state_dir.join("inventories"), rate }
}

fn aws_config(settings: &Settings) -> Result<aws::Config, Failure> {
    let Settings { http, endpoints, .. } = settings;
    let url = |text: &str| url::Url::parse(text).map_err(fails(Exit::ProfileWrong));
    let ca_bundle = http.ca_bundle.as_ref().map(|path| read("[http] ca_bundle", path.as_path())).transpose()?;
    Ok(aws::Config {
        proxy: http.proxy.as_ref().map(|proxy| url(proxy.expose_secret())).transpose()?,
        no_proxy: http.no_proxy.iter().map(|pattern| pattern.as_str().to_owned()).collect(),
        ca_bundle_pem: ca_bundle.map(|pem| pem.to_vec()),
        endpoints: endpoint_overrides(endpoints)?,
        use_fips: endpoints.use_fips,
        use_dual_stack: endpoints.use_dual_stack,
    })
}

fn endpoint_overrides(endpoints: &settings::Endpoints) -> Result<aws::EndpointOverrides, Failure> {
    let url = |endpoint: &Option<settings::EndpointUrl>| {
        let url =
            endpoint.as_ref().map(|endpoint| url::Url::parse(endpoint.as_str()).map_err(fails(Exit::ProfileWrong)));
        url.transpose()
    };
    Ok(aws::EndpointOverrides {
        sso_oidc: url(&endpoints.sso_oidc)?,
        sso: url(&endpoints.sso)?,
        sts: url(&endpoints.sts)?,
        federation: url(&endpoints.federation)?,
        signin: url(&endpoints.signin)?,
        iam: url(&endpoints.iam)?,
        rolesanywhere: url(&endpoints.rolesanywhere)?,
        ec2_metadata: url(&endpoints.ec2_metadata)?,
        ecs_container: url(&endpoints.ecs_container)?,
        github_actions: url(&endpoints.github_actions)?,
    })
}

/// The store, and the passphrase that opens it where a file holds one.
fn store(environment: &Environment, settings: &Settings) -> Result<(Store, Option<Secret>), Failure> {
    let places = &environment.places;
    let default_bus = places.runtime_dir.as_ref().is_some_and(|runtime| runtime.join("bus").exists());
    let (choice, passphrase) = match (settings.store, &settings.file_store) {
        (StoreChoice::Auto, _) => (Choice::Auto, None),
        (StoreChoice::SecretService, _) => (Choice::SecretService, None),
        (StoreChoice::Keyutils, _) => (Choice::Keyutils, None),
        (StoreChoice::Memory, _) => (Choice::Memory, None),
        (StoreChoice::File, key) => {
            let (key, passphrase) = file_key(environment, key.as_ref())?;
            (Choice::File { directory: places.state_dir.join("secrets"), key }, passphrase)
        }
    };
    let store = Store::open(choice, environment.session_bus || default_bus).map_err(fails(Exit::KeyringUnavailable))?;
    Ok((store, passphrase))
}

fn file_key(environment: &Environment, key: Option<&FileStore>) -> Result<(FileKey, Option<Secret>), Failure> {
    match key {
        Some(FileStore::PassphraseFile(path)) => {
            let bytes = read("[file_store] passphrase_file", path.as_path())?;
            let text = std::str::from_utf8(&bytes).map_err(|_| Failure {
                line: String::from("[file_store] passphrase_file: the passphrase is not UTF-8"),
                exit: Exit::ProfileWrong,
            })?;
            let passphrase = text.lines().next().unwrap_or_default();
            Ok((FileKey::Passphrase, Some(Secret::new(passphrase.to_owned()))))
        }
        Some(FileStore::SystemdCredential(name)) => match &environment.credentials_directory {
            Some(directory) => Ok((FileKey::KeyFile(directory.join(name.as_str())), None)),
            None => Err(Failure {
                line: format!("[file_store] systemd_credential {:?}: systemd passed no credentials", name.as_str()),
                exit: Exit::ProfileWrong,
            }),
        },
        None => Err(Failure {
            line: String::from("store = \"file\" needs [file_store] with passphrase_file or systemd_credential"),
            exit: Exit::ProfileWrong,
        }),
    }
}

fn read(what: &str, path: &std::path::Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let bytes = crate::regular_file::read(path, MAX_FILE);
    bytes
        .map(|found| Zeroizing::new(found.bytes))
        .map_err(|error| Failure { line: format!("{what}: {}: {error}", path.display()), exit: Exit::ProfileWrong })
}

/// Returns when the daemon is to end: a signal, `DELETE /v1/daemon`, or its socket is gone.
async fn told_to_end(broker: &Broker, instance: &Instance) {
    let terminate = async {
        match signal(SignalKind::terminate()) {
            Ok(mut signals) => drop(signals.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        () = terminate => {}
        // An error means that the signal cannot be waited for, and nothing else.
        Ok(()) = tokio::signal::ctrl_c() => {}
        () = broker.ended() => {}
        () = upgrade::replaced(broker) => tracing::info!("the program was replaced; the next request starts the new one"),
        () = instance.socket().lost() => tracing::warn!("the socket is gone; the next request starts a new daemon"),
    }
}

/// Logs to stderr. Crates that are not ours never log below WARN, whatever is asked for: the AWS SDK's debug output holds
/// device codes and authorization codes (aws-sdk-ssooidc, `CreateTokenInput`).
fn begin_log(directives: Option<&str>) {
    use tracing_subscriber::filter::{EnvFilter, FilterFn};
    use tracing_subscriber::prelude::*;
    let chosen = EnvFilter::try_new(directives.unwrap_or("warn")).unwrap_or_else(|_| EnvFilter::new("warn"));
    let ours = FilterFn::new(|meta| meta.target().starts_with("tegata") || *meta.level() <= tracing::Level::WARN);
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_filter(ours);
    // A second subscriber in one process is a test's doing.
    let _ = tracing_subscriber::registry().with(chosen).with(layer).try_init();
}
