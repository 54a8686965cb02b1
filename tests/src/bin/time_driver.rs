//! A live grant on the machine's own clocks, in a process of one thread, which alone may change its time namespace (setns(2)).
//! `time-driver NAMESPACE` says how the grant stands before it enters the namespace and after.
#![allow(clippy::print_stdout, clippy::expect_used, reason = "a tool of the tests")]

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use std::fs::File;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::Duration;
use tegata_daemon::clock::SystemClock;
use tegata_daemon::grant::{Approved, Grants, Holder};
use tegata_daemon::names::{AccountId, ProfileName, Region, RoleName, SessionName, StartUrl};
use tegata_daemon::policy::terms::{Approvals, Scope, Terms};
use tegata_daemon::profile::{Chain, SignInSession, Source};

const WINDOW: Duration = Duration::from_secs(900);

fn main() {
    let namespace = std::env::args().nth(1).expect("a namespace is named");
    let namespace = File::open(namespace).expect("there is such a namespace");
    let grants = Grants::new(Arc::new(SystemClock));
    grants.add(grants.prepare(approved()));
    println!("live {}", grants.live().len());
    move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Time)).expect("one thread, and root");
    println!("live {}", grants.live().len());
    println!("ended by sleep {}", grants.end_slept_through().len());
    println!("ended by time {}", grants.sweep().len());
}

fn approved() -> Approved {
    Approved {
        profile: ProfileName::new("admin").expect("a name"),
        chain: Arc::new(chain()),
        holder: Holder::User,
        terms: terms(),
        window: WINDOW,
        reason: None,
        approved_by: vec!["alice".to_owned()],
    }
}

fn chain() -> Chain {
    let region = Region::new("us-east-1").expect("a region");
    let session = SignInSession {
        name: SessionName::new("corp").expect("a name"),
        start_url: StartUrl::new("https://d-1.awsapps.com/start").expect("a URL"),
        region: region.clone(),
        scopes: vec![],
    };
    let account = AccountId::new("123456789012").expect("an account");
    let role = RoleName::new("Admin").expect("a role");
    Chain { source: Source::SignIn { session, account, role }, roles: vec![], region }
}

fn terms() -> Terms {
    Terms {
        window: WINDOW,
        uses: None,
        scope: Scope::User,
        reason: None,
        approvals: Approvals::One,
        device_bound: false,
        session_policy: None,
        alert: false,
        review: false,
        rules: vec![],
    }
}
