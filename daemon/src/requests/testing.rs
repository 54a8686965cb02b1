//! What tests of this room ask for.

use super::table::Elevation;
use crate::caller::Process;
use crate::gate::{Approver, PasskeyId};
use crate::grant::Holder;
use crate::names::{AccountId, Person, ProfileName, Region, RoleName, SessionName, StartUrl};
use crate::policy::terms::{Approvals, Scope, Terms};
use crate::profile::{Chain, SignInSession, Source};
use std::sync::Arc;
use std::time::Duration;

pub(crate) fn chain(role: &str) -> Arc<Chain> {
    let region = Region::new("us-east-1").unwrap();
    let session = SignInSession {
        name: SessionName::new("corp").unwrap(),
        start_url: StartUrl::new("https://d-1.awsapps.com/start").unwrap(),
        region: region.clone(),
        scopes: vec![],
    };
    let account = AccountId::new("123456789012").unwrap();
    let source = Source::SignIn { session, account, role: RoleName::new(role).unwrap() };
    Arc::new(Chain { source, roles: vec![], region })
}

pub(crate) fn program(pid: u32) -> Holder {
    Holder::Program(Process { pid, started: Duration::from_secs(1), name: "aws".to_owned() })
}

pub(crate) fn terms() -> Terms {
    Terms {
        window: Duration::from_secs(900),
        uses: None,
        scope: Scope::Terminal,
        reason: None,
        approvals: Approvals::One,
        device_bound: false,
        session_policy: None,
        alert: false,
        review: false,
        rules: vec![],
    }
}

pub(crate) fn elevation(role: &str, holder: Holder) -> Elevation {
    let (terms, window) = (terms(), Duration::from_secs(900));
    Elevation { profile: ProfileName::new("admin").unwrap(), chain: chain(role), holder, terms, window, reason: None }
}

/// The hand of a person with one of their passkeys, each of a name of its own.
pub(crate) fn hand(person: &str, passkey: &str) -> Approver {
    let id = PasskeyId::parse(&format!("{passkey:a>8}")).unwrap();
    Approver { passkey: id, person: Person::new(person).unwrap() }
}
