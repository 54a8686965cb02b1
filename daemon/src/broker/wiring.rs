//! The rooms, and how they are put together. Built once, in `main`; tests build it over other rooms.

use super::Broker;
use crate::accepted_policy::{AcceptedPolicy, Wanted};
use crate::afterwards::Consequences;
use crate::attempts::Attempts;
use crate::audit::Audit;
use crate::aws::Aws;
use crate::cache::Cache;
use crate::certificates::{MachineCertificates, Tokens};
use crate::clock::Clock;
use crate::console_logins::ConsoleLogins;
use crate::environment::TaskPath;
use crate::gate::Gate;
use crate::gated::{self, Gated};
use crate::github_job::GithubJob;
use crate::grant::Grants;
use crate::helper::{Commands, Helper};
use crate::human::Human;
use crate::iam_keys::{KeyKeeper, Marks, Switched};
use crate::iam_users::{IamUsers, Logins};
use crate::inventory::{self, Inventories};
use crate::local_user::LocalUser;
use crate::lock::LockState;
use crate::obtain::Obtainer;
use crate::policy::Rule;
use crate::profile::ConfigFiles;
use crate::provider::Providers;
use crate::refused_peers::RefusedPeers;
use crate::requests::{self, Desk};
use crate::reviews::Reviews;
use crate::serve::page::PageDoor;
use crate::sign_in_sessions::SignInSessions;
use crate::sign_in_sessions::roles::StoredRoles;
use crate::store::Store;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;
use tokio::sync::Notify;

/// The rooms, wired.
#[derive(Debug)]
pub struct Rooms {
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// AWS.
    pub aws: Arc<dyn Aws>,
    /// Who runs what the settings name.
    pub helper: Arc<dyn Helper>,
    /// `[pkcs11] module`.
    pub pkcs11_module: Option<PathBuf>,
    /// How many seconds a command of the settings may take.
    pub command_seconds: u64,
    /// Where jobs of GitHub Actions ask for tokens, in place of GitHub's hosts.
    pub github_actions: Option<url::Url>,
    /// Where an ECS task finds its credentials.
    pub task: TaskPath,
    /// The human.
    pub human: Arc<dyn Human>,
    /// The lasting secrets.
    pub store: Store,
    /// The AWS config files.
    pub files: Arc<ConfigFiles>,
    /// The records.
    pub audit: Arc<Audit>,
    /// Whether everything is locked.
    pub lock: LockState,
    /// The longest any request may wait.
    pub longest_wait: Duration,
    /// How long a request waits for a person's hand.
    pub hand_wait: Duration,
    /// Whom role sessions are named after.
    pub user: LocalUser,
    /// What a person should know since the start, one line each.
    pub warnings: Vec<String>,
    /// What the settings say of what is accepted by hand.
    pub wanted: Wanted,
    /// The organisation's rules.
    pub organisation: Vec<Rule>,
    /// The review items.
    pub reviews: Reviews,
    /// Where rotations of access keys that are under way are noted.
    pub key_rotations: Arc<Marks>,
    /// Where inventories are kept and how fast they are made.
    pub inventories: inventory::Options,
}

/// Where credentials come from and stay.
struct Obtaining {
    cache: Arc<Cache>,
    sign_in_sessions: Arc<SignInSessions>,
    console_logins: Arc<ConsoleLogins>,
    iam_users: Arc<IamUsers>,
    stored_roles: Arc<StoredRoles>,
    providers: Providers,
    obtainer: Arc<Obtainer>,
}

/// What hands open.
struct Hands {
    gate: Arc<Gate>,
    grants: Arc<Grants>,
    desk: Arc<Desk>,
    gated: Arc<Gated>,
    consequences: Arc<Consequences>,
    lock: Arc<LockState>,
    reviews: Arc<Reviews>,
}

impl Broker {
    /// Wires the rooms.
    #[must_use]
    pub fn new(rooms: Rooms) -> Self {
        let (clock, aws) = (Arc::clone(&rooms.clock), Arc::clone(&rooms.aws));
        let (store, audit, human) = (rooms.store.clone(), Arc::clone(&rooms.audit), Arc::clone(&rooms.human));
        let obtaining = obtaining(&rooms);
        let sessions = Arc::clone(&obtaining.sign_in_sessions);
        let inventories = Inventories::new(Arc::clone(&aws), Arc::clone(&clock), sessions, rooms.inventories.clone());
        let helper = Arc::clone(&rooms.helper);
        let (files, longest_wait, warnings) = (Arc::clone(&rooms.files), rooms.longest_wait, rooms.warnings.clone());
        let marks = rooms.key_rotations.clone();
        let hands = hands(rooms, &obtaining);
        let Obtaining { cache, sign_in_sessions, console_logins, iam_users, stored_roles, providers, obtainer } =
            obtaining;
        let Hands { gate, grants, desk, gated, consequences, lock, reviews } = hands;
        let attempts = attempts(&aws, &clock, &sign_in_sessions, &console_logins, &audit);
        let of_obtainer = Arc::clone(&obtainer);
        let switched = Switched(Box::new(move |user| of_obtainer.forget_user(user)));
        let keys = Arc::new(KeyKeeper::new(
            Arc::clone(&aws),
            Arc::clone(&clock),
            Arc::clone(&iam_users),
            store.clone(),
            Arc::clone(&audit),
            marks,
            switched,
        ));
        let logins =
            Logins::new(Arc::clone(&iam_users), Arc::clone(&clock), Arc::clone(&sign_in_sessions), Arc::clone(&audit));
        let page_door = PageDoor::new(Arc::<Desk>::clone(&desk));
        let (started_at, refused_peers) = (clock.now(), RefusedPeers::new(Arc::clone(&clock)));
        let (told, end) = (Mutex::default(), Notify::new());
        Self {
            clock,
            aws,
            helper,
            human,
            store,
            files,
            audit,
            lock,
            longest_wait,
            warnings,
            cache,
            sign_in_sessions,
            console_logins,
            iam_users,
            logins,
            providers,
            stored_roles,
            obtainer,
            keys,
            attempts,
            inventories,
            gate,
            grants,
            desk,
            gated,
            page_door,
            reviews,
            consequences,
            refused_peers,
            told,
            started_at,
            end,
        }
    }
}

fn attempts(
    aws: &Arc<dyn Aws>,
    clock: &Arc<dyn Clock>,
    sessions: &Arc<SignInSessions>,
    logins: &Arc<ConsoleLogins>,
    audit: &Arc<Audit>,
) -> Attempts {
    let (aws, clock, audit) = (Arc::clone(aws), Arc::clone(clock), Arc::clone(audit));
    Attempts::new(aws, clock, Arc::clone(sessions), Arc::clone(logins), audit)
}

fn obtaining(rooms: &Rooms) -> Obtaining {
    let Rooms { clock, aws, store, user, helper, command_seconds, .. } = rooms;
    let cache = Arc::new(Cache::default());
    let sign_in_sessions = Arc::new(SignInSessions::new(Arc::clone(aws), Arc::clone(clock), store.clone()));
    let stored_roles = Arc::new(StoredRoles::new(store.clone(), Arc::clone(clock), Arc::clone(&cache)));
    let console_logins =
        Arc::new(ConsoleLogins::new(Arc::clone(aws), Arc::clone(clock), store.clone(), Arc::clone(&sign_in_sessions)));
    let tokens = Tokens::new(Arc::clone(helper), rooms.pkcs11_module.clone());
    let certificates = MachineCertificates::new(store.clone(), Arc::clone(clock)).with_tokens(tokens);
    let certificates = Arc::new(certificates);
    let commands = Arc::new(Commands::new(Arc::clone(helper), *command_seconds));
    let users = IamUsers::new(Arc::clone(aws), Arc::clone(clock), store.clone(), Arc::clone(&commands));
    let iam_users = Arc::new(users);
    let (sessions, users) = (Arc::clone(&sign_in_sessions), Arc::clone(&iam_users));
    let (aws, user) = (Arc::clone(aws), Arc::new(user.clone()));
    let github_job = Arc::new(GithubJob::at(rooms.github_actions.clone()));
    let task = Arc::new(rooms.task.clone());
    let providers = Providers {
        aws,
        sign_in_sessions: sessions,
        console_logins: Arc::clone(&console_logins),
        iam_users: users,
        certificates,
        commands,
        github_job,
        task,
        user,
    };
    let stored = Arc::clone(&stored_roles);
    let obtainer = Arc::new(Obtainer::new(Arc::clone(clock), Arc::clone(&cache), providers.clone(), stored));
    Obtaining { cache, sign_in_sessions, console_logins, iam_users, stored_roles, providers, obtainer }
}

fn hands(rooms: Rooms, obtaining: &Obtaining) -> Hands {
    let Rooms { clock, human, store, files, audit, wanted, organisation, hand_wait: waits_for, .. } = rooms;
    let (lock, reviews) = (Arc::new(rooms.lock), Arc::new(rooms.reviews));
    let gate = Arc::new(Gate::new(store.clone(), Arc::clone(&clock)));
    let grants = Arc::new(Grants::new(Arc::clone(&clock)));
    let accepted = AcceptedPolicy::new(store);
    let consequences = Arc::new(Consequences {
        clock: Arc::clone(&clock),
        gate: Arc::clone(&gate),
        lock: Arc::clone(&lock),
        reviews: Arc::clone(&reviews),
        audit: Arc::clone(&audit),
        human: Arc::clone(&human),
        accepted: accepted.clone(),
        wanted: wanted.clone(),
        gated: OnceLock::new(),
        obtainer: Arc::clone(&obtaining.obtainer),
        console_logins: Arc::clone(&obtaining.console_logins),
        stored_roles: Arc::clone(&obtaining.stored_roles),
        sign_in_sessions: Arc::clone(&obtaining.sign_in_sessions),
        iam_users: Arc::clone(&obtaining.iam_users),
        files,
    });
    let desk = Arc::new(Desk::new(requests::desk::Rooms {
        clock: Arc::clone(&clock),
        gate: Arc::clone(&gate),
        grants: Arc::clone(&grants),
        audit,
        human,
        afterwards: Arc::<Consequences>::clone(&consequences),
        waits_for,
    }));
    let (of_gate, of_grants, of_desk) = (Arc::clone(&gate), Arc::clone(&grants), Arc::clone(&desk));
    let rooms = gated::Rooms { clock, gate: of_gate, grants: of_grants, desk: of_desk, accepted, wanted, organisation };
    let gated = Arc::new(Gated::new(rooms, obtaining.providers.clone(), Arc::clone(&obtaining.obtainer)));
    // Set once: the consequences have just been made.
    let _ = consequences.gated.set(Arc::downgrade(&gated));
    Hands { gate, grants, desk, gated, consequences, lock, reviews }
}
