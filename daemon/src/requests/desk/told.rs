//! What is told of a request: to the person, and in the records.

use super::Entry;
use crate::audit::Event;
use crate::caller::Caller;
use crate::gate::Approver;
use crate::grant::{Approved, Grant};
use crate::human::Notice;
use crate::policy::terms::Tier;
use crate::requests::table::Task;

/// The most programs that are shown of who asks.
const SHOWN_PROGRAMS: usize = 6;

/// Returns who asks: the programs above `tegata`, nearest first.
pub(super) fn requester(caller: &Caller) -> Vec<String> {
    let programs = caller.ancestry.iter().take(SHOWN_PROGRAMS);
    programs.map(|process| format!("{} (pid {})", process.name, process.pid)).collect()
}

pub(super) fn notice(entry: &Entry) -> Notice {
    let Task::Elevate(elevation) = &entry.task else {
        return Notice {
            summary: "Tegata waits for your hand".to_owned(),
            body: format!("Run: tegata approve {}", entry.id),
        };
    };
    let (account, role) = elevation.chain.reached();
    let by = entry.requester.first().map(|program| format!("{program} asks. ")).unwrap_or_default();
    Notice {
        summary: format!("Approve {}? ({account} {role})", elevation.profile),
        body: format!("{by}Code: {}. Run: tegata approve {}", entry.code, entry.id),
    }
}

pub(super) fn asked(entry: &Entry) -> Event<'_> {
    let profile = match &entry.task {
        Task::Elevate(elevation) => Some(&elevation.profile),
        _ => None,
    };
    Event::HandAsked { request: &entry.id, purpose: entry.task.purpose(), profile }
}

pub(super) fn given<'a>(entry: &'a Entry, approver: &'a Approver) -> Event<'a> {
    let (person, passkey) = (approver.person.as_str(), approver.passkey.as_str());
    Event::HandGiven { request: &entry.id, purpose: entry.task.purpose(), person, passkey }
}

pub(super) fn granted<'a>(entry: &'a Entry, grant: &'a Grant) -> Event<'a> {
    let Approved { profile, holder, reason, approved_by, .. } = &grant.approved;
    Event::Granted {
        grant: &grant.id,
        request: &entry.id,
        profile,
        seconds: grant.until.saturating_sub(grant.since.boot()).as_secs(),
        holder,
        reason: reason.as_deref(),
        approved_by,
        tier: Tier::Prompt,
    }
}
