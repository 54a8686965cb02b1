//! The requests of one daemon and how each of them stands. Pure: boot time is given, nobody is told here.

use super::refusals::Refusals;
use super::words;
use crate::gate::{Approver, PasskeyId};
use crate::grant::{GrantId, Holder};
use crate::names::{PasskeyName, Person, ProfileName};
use crate::policy::terms::{Approvals, Terms};
use crate::profile::Chain;
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::time::Duration;
use tegata_protocol::gate::{Purpose, RequestState};

/// How long an ended request can still be asked about.
const KEPT_FOR: Duration = Duration::from_secs(10 * 60);

/// The most requests that wait at the same time.
pub(super) const MOST: usize = 64;

/// What a hand is asked for.
#[derive(Clone, Debug)]
pub enum Task {
    /// To let a gated target be used.
    Elevate(Box<Elevation>),
    /// To enrol a passkey. Behind the first one it takes a gesture of an enrolled one before.
    AddPasskey {
        /// Whose it is.
        person: Person,
        /// What it is called.
        name: PasskeyName,
        /// Whether an enrolled passkey has to approve first.
        gesture_first: bool,
    },
    /// To remove a passkey.
    RemovePasskey {
        /// Which.
        id: PasskeyId,
        /// Whose it is.
        person: Person,
        /// What it is called.
        name: PasskeyName,
    },
    /// To try a passkey.
    TestPasskey {
        /// Which; absent: any.
        id: Option<PasskeyId>,
    },
    /// To accept what is weaker than what is in force.
    AcceptPolicy {
        /// What is weaker, one line each.
        weaker: Vec<String>,
    },
    /// To unlock.
    Unlock,
}

/// A gated target that is asked for.
#[derive(Clone, Debug)]
pub struct Elevation {
    /// The profile it is asked for with.
    pub profile: ProfileName,
    /// What it reaches.
    pub chain: Arc<Chain>,
    /// Who it would be for.
    pub holder: Holder,
    /// On which terms it can be had.
    pub terms: Terms,
    /// How long the grant would live.
    pub window: Duration,
    /// Why, in the person's own words.
    pub reason: Option<String>,
}

impl Task {
    /// What it is for.
    #[must_use]
    pub fn purpose(&self) -> Purpose {
        match self {
            Self::Elevate(_) => Purpose::Elevate,
            Self::AddPasskey { .. } => Purpose::AddPasskey,
            Self::RemovePasskey { .. } => Purpose::RemovePasskey,
            Self::TestPasskey { .. } => Purpose::TestPasskey,
            Self::AcceptPolicy { .. } => Purpose::AcceptPolicy,
            Self::Unlock => Purpose::Unlock,
        }
    }

    /// How many different people have to approve.
    #[must_use]
    pub fn approvals_needed(&self) -> u8 {
        match self {
            Self::Elevate(elevation) if elevation.terms.approvals == Approvals::Two => 2,
            Self::AddPasskey { gesture_first: false, .. } => 0,
            _ => 1,
        }
    }

    fn begins(&self) -> RequestState {
        if self.approvals_needed() == 0 { RequestState::AwaitsEnrolment } else { RequestState::AwaitsGesture }
    }
}

/// One request.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Names it in commands.
    pub id: String,
    /// Two words for comparing.
    pub code: String,
    /// What it is for.
    pub task: Task,
    /// Who asks, nearest program first.
    pub requester: Vec<String>,
    /// Whether a tool asks; otherwise a person does, who may think better of it.
    pub is_parked: bool,
    /// How it stands.
    pub state: RequestState,
    /// Who approved so far.
    pub hands: Vec<Approver>,
    /// The grant that came of it.
    pub grant: Option<GrantId>,
    /// Boot time until which a hand is waited for.
    pub expires: Duration,
}

impl Entry {
    /// Returns a digest of everything that a hand approves: what is signed for one state of a request is no answer for another.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        let Self { id, code, task, requester, state, hands, .. } = self;
        // Debug texts quote every string, so no two states have the same text; nothing secret is in any of them.
        let what = format!("{id:?} {code:?} {task:?} {requester:?} {state:?} {hands:?}");
        Sha256::digest(what.as_bytes()).into()
    }

    /// Whether it was approved and its grant is not there yet: the record of that has to be on disk first.
    fn is_being_granted(&self) -> bool {
        self.state == RequestState::Approved && self.grant.is_none() && matches!(self.task, Task::Elevate(_))
    }

    /// Whether nothing more comes of it: what was approved is there.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        !self.state.is_pending() && !self.is_being_granted()
    }

    /// What a gesture made of it.
    fn approve(&mut self, hand: Approver) {
        self.hands.push(hand);
        if self.hands.len() >= usize::from(self.task.approvals_needed()) {
            let enrols = matches!(self.task, Task::AddPasskey { .. });
            self.state = if enrols { RequestState::AwaitsEnrolment } else { RequestState::Approved };
        }
    }
}

/// What became of a tool's request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Parked {
    /// Names it.
    pub(super) id: String,
    /// Whether it waits from now on; otherwise it was waiting.
    pub(super) is_new: bool,
    /// Whether nothing else waits for the same target: then the person is told. A hundred programs raise one notification.
    pub(super) is_first: bool,
}

/// Why there is no request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoRequest {
    /// A person said no a moment ago.
    #[error("it was refused a moment ago")]
    Refused,
    /// Too many wait already.
    #[error("too many requests wait for a hand already")]
    TooMany,
}

/// The requests.
#[derive(Debug)]
pub(super) struct Table {
    waits_for: Duration,
    entries: Vec<Entry>,
    refusals: Refusals,
}

impl Table {
    /// Makes a table of requests that wait so long for a hand.
    pub(super) fn new(waits_for: Duration) -> Self {
        Self { waits_for, entries: Vec::new(), refusals: Refusals::default() }
    }

    /// Asks for a hand on behalf of a tool: joins a request for the same target and holder, and is answered by a fresh refusal.
    pub(super) fn park(
        &mut self,
        elevation: Elevation,
        requester: Vec<String>,
        now: Duration,
    ) -> Result<Parked, NoRequest> {
        if let Some(entry) = self.waiting_for(&elevation, now) {
            return Ok(Parked { id: entry.id.clone(), is_new: false, is_first: false });
        }
        if self.refusals.answers(&elevation.chain, &elevation.holder, now) {
            return Err(NoRequest::Refused);
        }
        let same = |entry: &Entry| matches!(&entry.task, Task::Elevate(other) if other.chain == elevation.chain);
        let is_first = !self.waiting(now).any(same);
        let id = self.add(Task::Elevate(Box::new(elevation)), requester, now)?;
        self.entries.iter_mut().filter(|entry| entry.id == id).for_each(|entry| entry.is_parked = true);
        Ok(Parked { id, is_new: true, is_first })
    }

    /// Asks for a hand on behalf of a person: a request for the same target and holder becomes what the person says now.
    pub(super) fn ask(&mut self, task: Task, requester: Vec<String>, now: Duration) -> Result<String, NoRequest> {
        let expires = now + self.waits_for;
        if let Task::Elevate(elevation) = &task
            && let Some(entry) = self.waiting_for(elevation, now)
            && entry.hands.is_empty()
        {
            entry.task = task;
            entry.expires = expires;
            return Ok(entry.id.clone());
        }
        self.add(task, requester, now)
    }

    /// Gives the reason that a parked request lacks. A reason that is there stays.
    pub(super) fn give_reason(&mut self, id: &str, reason: &str, now: Duration) {
        if let Some(Entry { task: Task::Elevate(elevation), hands, .. }) = self.pending(id, now)
            && hands.is_empty()
        {
            elevation.reason.get_or_insert_with(|| reason.to_owned());
        }
    }

    /// Finds a request, also one that has ended.
    pub(super) fn find(&self, id: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.id == id)
    }

    /// Finds a request that waits for a hand.
    pub(super) fn pending(&mut self, id: &str, now: Duration) -> Option<&mut Entry> {
        self.entries.iter_mut().find(|entry| entry.id == id && entry.state.is_pending() && now < entry.expires)
    }

    /// Returns those that wait, oldest first.
    pub(super) fn waiting(&self, now: Duration) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(move |entry| entry.state.is_pending() && now < entry.expires)
    }

    /// Takes note of a gesture for the request as it was shown. Returns the request as it stands then; nothing if it no longer waits
    /// for one, has changed meanwhile, or waits for another person.
    pub(super) fn approve(&mut self, shown: &Entry, hand: Approver, now: Duration) -> Option<Entry> {
        let entry = self.pending(&shown.id, now).filter(|entry| entry.state == RequestState::AwaitsGesture)?;
        if entry.digest() != shown.digest() {
            return None;
        }
        if entry.hands.iter().any(|before| before.person == hand.person || before.passkey == hand.passkey) {
            return None;
        }
        entry.approve(hand);
        let entry = entry.clone();
        if let (Task::Elevate(elevation), RequestState::Approved) = (&entry.task, entry.state) {
            self.refusals.forget(&elevation.chain);
        }
        Some(entry)
    }

    /// Takes note that the passkey was made.
    pub(super) fn enrolled(&mut self, id: &str, now: Duration) -> bool {
        let entry = self.pending(id, now).filter(|entry| entry.state == RequestState::AwaitsEnrolment);
        entry.map(|entry| entry.state = RequestState::Approved).is_some()
    }

    /// Ends a request that was approved and could not be done.
    pub(super) fn failed(&mut self, id: &str) {
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.id == id) {
            entry.state = RequestState::Expired;
        }
    }

    /// Takes note of the grant that came of a request. Returns whether there may be one: everything may have been ended since the
    /// hand approved.
    pub(super) fn granted(&mut self, id: &str, grant: GrantId) -> bool {
        let entry = self.entries.iter_mut().find(|entry| entry.id == id && entry.is_being_granted());
        entry.map(|entry| entry.grant = Some(grant)).is_some()
    }

    /// Ends a request because a person said no. Returns it, if it was waiting.
    pub(super) fn refuse(&mut self, id: &str, now: Duration) -> Option<Entry> {
        let entry = self.pending(id, now)?;
        entry.state = RequestState::Refused;
        let entry = entry.clone();
        if let Task::Elevate(elevation) = &entry.task {
            self.refusals.note(&elevation.chain, &elevation.holder, now);
        }
        Some(entry)
    }

    /// Ends a request because who made it thought better of it. What a tool waits for is refused instead: a person decided.
    pub(super) fn withdraw(&mut self, id: &str, now: Duration) -> Option<Entry> {
        let entry = self.pending(id, now)?;
        if entry.is_parked {
            return self.refuse(id, now);
        }
        entry.state = RequestState::Expired;
        Some(entry.clone())
    }

    /// Ends every request of which something may still come.
    pub(super) fn end_all(&mut self) {
        let waiting = self.entries.iter_mut().filter(|entry| !entry.has_ended());
        waiting.for_each(|entry| entry.state = RequestState::Expired);
    }

    /// Ends what nobody came for and forgets what ended long ago. Returns whether something ended.
    pub(super) fn sweep(&mut self, now: Duration) -> bool {
        let mut ended = false;
        for entry in self.entries.iter_mut().filter(|entry| entry.state.is_pending() && entry.expires <= now) {
            entry.state = RequestState::Expired;
            ended = true;
        }
        self.entries.retain(|entry| !entry.has_ended() || now < entry.expires + KEPT_FOR);
        ended
    }

    fn waiting_for(&mut self, wanted: &Elevation, now: Duration) -> Option<&mut Entry> {
        self.entries.iter_mut().find(|entry| {
            let same = matches!(&entry.task, Task::Elevate(elevation)
                if elevation.chain == wanted.chain && elevation.holder == wanted.holder);
            let waits = entry.state.is_pending() && now < entry.expires;
            // Who asks while the grant is made gets that one: another request would have nobody to approve it.
            same && (waits || entry.is_being_granted())
        })
    }

    fn add(&mut self, task: Task, requester: Vec<String>, now: Duration) -> Result<String, NoRequest> {
        self.sweep(now);
        if self.waiting(now).count() >= MOST {
            return Err(NoRequest::TooMany);
        }
        let ended = self.entries.iter().position(Entry::has_ended);
        if let Some(oldest) = ended.filter(|_| self.entries.len() >= 2 * MOST) {
            self.entries.remove(oldest);
        }
        let (id, code, state) = (crate::random::word(6), words::two(), task.begins());
        let (hands, expires) = (Vec::new(), now + self.waits_for);
        let (is_parked, grant) = (false, None);
        self.entries.push(Entry { id: id.clone(), code, task, requester, is_parked, state, hands, grant, expires });
        Ok(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::requests::testing::{elevation, hand, program};

    const NOW: Duration = Duration::from_secs(1000);
    const WAITS_FOR: Duration = Duration::from_secs(300);

    fn parked(table: &mut Table, role: &str, pid: u32) -> String {
        table.park(elevation(role, program(pid)), vec![], NOW).unwrap().id
    }

    #[test]
    fn k10_one_request_per_target_and_holder_waits() {
        let mut table = Table::new(WAITS_FOR);
        let first = parked(&mut table, "Admin", 1);
        let joined = table.park(elevation("Admin", program(1)), vec![], NOW).unwrap();
        assert_eq!(joined, Parked { id: first.clone(), is_new: false, is_first: false });
        assert_ne!(parked(&mut table, "Admin", 2), first);
        assert_ne!(parked(&mut table, "Other", 1), first);
        assert_eq!(table.waiting(NOW).count(), 3);
    }

    #[test]
    fn k10_a_person_is_told_once_of_a_target_whoever_asks() {
        let mut table = Table::new(WAITS_FOR);
        let mut told = |role, pid| table.park(elevation(role, program(pid)), vec![], NOW).unwrap().is_first;
        assert!(told("Admin", 1) && !told("Admin", 2) && !told("Admin", 3));
        assert!(told("Other", 1), "another target is another question");
    }

    #[test]
    fn k10_a_refused_tool_is_not_parked_again() {
        let mut table = Table::new(WAITS_FOR);
        let id = parked(&mut table, "Admin", 1);
        assert!(table.refuse(&id, NOW).is_some());
        assert_eq!(table.park(elevation("Admin", program(1)), vec![], NOW), Err(NoRequest::Refused));
    }

    #[test]
    fn who_asked_and_thinks_better_of_it_has_refused_nothing() {
        let mut table = Table::new(WAITS_FOR);
        let id = table.ask(Task::Elevate(Box::new(elevation("Admin", program(1)))), vec![], NOW).unwrap();
        assert_eq!(table.withdraw(&id, NOW).unwrap().state, RequestState::Expired);
        assert!(table.withdraw(&id, NOW).is_none());
        let parked = parked(&mut table, "Admin", 1);
        assert_eq!(table.withdraw(&parked, NOW).unwrap().state, RequestState::Refused);
    }

    #[test]
    fn k10_twin_a_person_may_ask_after_a_refusal() {
        let mut table = Table::new(WAITS_FOR);
        let id = parked(&mut table, "Admin", 1);
        table.refuse(&id, NOW);
        assert!(table.ask(Task::Elevate(Box::new(elevation("Admin", program(1)))), vec![], NOW).is_ok());
    }

    #[test]
    fn what_a_person_says_replaces_what_a_tool_asked() {
        let mut table = Table::new(WAITS_FOR);
        let id = parked(&mut table, "Admin", 1);
        let said = Elevation { reason: Some("INC-42".into()), ..elevation("Admin", program(1)) };
        assert_eq!(table.ask(Task::Elevate(Box::new(said)), vec![], NOW), Ok(id.clone()));
        assert!(matches!(&table.find(&id).unwrap().task, Task::Elevate(it) if it.reason.as_deref() == Some("INC-42")));
    }

    #[test]
    fn b19_a_request_that_changed_has_another_digest() {
        let mut table = Table::new(WAITS_FOR);
        let (one, two) = (parked(&mut table, "Admin", 1), parked(&mut table, "Admin", 2));
        let digest = |table: &Table, id: &str| table.find(id).unwrap().digest();
        assert_ne!(digest(&table, &one), digest(&table, &two));
        let before = digest(&table, &one);
        table.give_reason(&one, "INC-42", NOW);
        assert_ne!(digest(&table, &one), before);
    }

    #[test]
    fn b19_twin_a_request_that_did_not_change_has_the_same_digest() {
        let mut table = Table::new(WAITS_FOR);
        let id = parked(&mut table, "Admin", 1);
        assert_eq!(table.find(&id).unwrap().digest(), table.find(&id).unwrap().digest());
    }

    /// A gesture for the request as it stands.
    fn approve(table: &mut Table, id: &str, hand: Approver, now: Duration) -> Option<Entry> {
        let shown = table.find(id).unwrap().clone();
        table.approve(&shown, hand, now)
    }

    #[test]
    fn b19_a_gesture_for_what_has_changed_since_is_none() {
        let mut table = Table::new(WAITS_FOR);
        let id = parked(&mut table, "Admin", 1);
        let shown = table.find(&id).unwrap().clone();
        table.give_reason(&id, "INC-42", NOW);
        assert!(table.approve(&shown, hand("alice", "ax"), NOW).is_none());
        assert!(approve(&mut table, &id, hand("alice", "ax"), NOW).is_some());
    }

    #[test]
    fn two_approvals_are_of_two_people_with_two_passkeys() {
        let mut table = Table::new(WAITS_FOR);
        let mut wanted = elevation("Admin", program(1));
        wanted.terms.approvals = Approvals::Two;
        let id = table.park(wanted, vec![], NOW).unwrap().id;
        assert_eq!(approve(&mut table, &id, hand("alice", "ax"), NOW).unwrap().state, RequestState::AwaitsGesture);
        assert!(approve(&mut table, &id, hand("alice", "ay"), NOW).is_none(), "the same person twice");
        assert!(approve(&mut table, &id, hand("bob", "ax"), NOW).is_none(), "the same passkey twice");
        assert_eq!(approve(&mut table, &id, hand("bob", "bx"), NOW).unwrap().state, RequestState::Approved);
        assert!(approve(&mut table, &id, hand("carol", "cx"), NOW).is_none(), "it waits no more");
    }

    #[test]
    fn another_passkey_takes_a_gesture_and_then_is_made() {
        let mut table = Table::new(WAITS_FOR);
        let (person, name) = (Person::new("bob").unwrap(), PasskeyName::new("key").unwrap());
        let task = |gesture_first| Task::AddPasskey { person: person.clone(), name: name.clone(), gesture_first };
        let id = table.ask(task(true), vec![], NOW).unwrap();
        assert!(!table.enrolled(&id, NOW), "not before the gesture");
        assert_eq!(approve(&mut table, &id, hand("alice", "ax"), NOW).unwrap().state, RequestState::AwaitsEnrolment);
        assert!(table.enrolled(&id, NOW) && table.find(&id).unwrap().state == RequestState::Approved);
        let first = table.ask(task(false), vec![], NOW).unwrap();
        assert!(approve(&mut table, &first, hand("alice", "ax"), NOW).is_none() && table.enrolled(&first, NOW));
    }

    #[test]
    fn nobody_is_waited_for_longer_than_said() {
        let mut table = Table::new(WAITS_FOR);
        let id = parked(&mut table, "Admin", 1);
        assert!(approve(&mut table, &id, hand("alice", "ax"), NOW + WAITS_FOR).is_none());
        assert!(!table.sweep(NOW + WAITS_FOR - Duration::from_secs(1)) && table.sweep(NOW + WAITS_FOR));
        assert_eq!(table.find(&id).unwrap().state, RequestState::Expired);
        table.sweep(NOW + WAITS_FOR + KEPT_FOR);
        assert!(table.find(&id).is_none());
    }

    #[test]
    fn what_nobody_came_for_in_time_is_no_longer_waiting() {
        let mut table = Table::new(WAITS_FOR);
        let late = NOW + Duration::from_secs(5 * 60);
        let id = parked(&mut table, "Admin", 1);
        assert_eq!(table.waiting(late - Duration::from_secs(1)).count(), 1);
        assert_eq!(table.waiting(late).count(), 0);
        let next = table.park(elevation("Admin", program(1)), vec![], late).unwrap();
        assert!(next.is_new && next.is_first && next.id != id, "who asks then waits anew");
    }

    #[test]
    fn what_ended_can_be_asked_about_for_ten_minutes() {
        let mut table = Table::new(WAITS_FOR);
        let id = parked(&mut table, "Admin", 1);
        let forgotten = NOW + Duration::from_secs((5 + 10) * 60);
        table.sweep(forgotten - Duration::from_secs(1));
        assert!(table.find(&id).is_some());
        table.sweep(forgotten);
        assert!(table.find(&id).is_none());
    }

    #[test]
    fn of_too_many_that_ended_the_oldest_is_forgotten() {
        let mut table = Table::new(WAITS_FOR);
        let waits = table.ask(Task::Unlock, vec![], NOW).unwrap();
        let ended: Vec<_> = (1..2 * MOST).map(|_| ended(&mut table)).collect();
        assert!(table.find(&ended[0]).is_some());
        table.ask(Task::Unlock, vec![], NOW).unwrap();
        assert!(table.find(&ended[0]).is_none() && table.find(&ended[1]).is_some());
        assert!(table.pending(&waits, NOW).is_some(), "what waits is older and stays");
    }

    fn ended(table: &mut Table) -> String {
        let id = table.ask(Task::Unlock, vec![], NOW).unwrap();
        table.withdraw(&id, NOW).unwrap().id
    }

    /// A request of which the hand has approved, and the record is being written.
    fn being_granted(table: &mut Table) -> String {
        let id = parked(table, "Admin", 1);
        let shown = table.find(&id).unwrap().clone();
        assert_eq!(table.approve(&shown, hand("alice", "a"), NOW).unwrap().state, RequestState::Approved);
        id
    }

    #[test]
    fn who_asks_while_the_grant_is_made_gets_that_one() {
        let mut table = Table::new(WAITS_FOR);
        let id = being_granted(&mut table);
        assert_eq!((parked(&mut table, "Admin", 1), table.find(&id).unwrap().has_ended()), (id.clone(), false));
        assert!(table.granted(&id, GrantId::random()) && table.find(&id).unwrap().has_ended());
        assert_ne!(parked(&mut table, "Admin", 1), id);
    }

    #[test]
    fn nothing_is_granted_that_was_locked_since_the_hand_approved() {
        let mut table = Table::new(WAITS_FOR);
        let id = being_granted(&mut table);
        table.end_all();
        assert!(!table.granted(&id, GrantId::random()));
        assert_eq!(table.find(&id).unwrap().state, RequestState::Expired);
    }

    #[test]
    fn the_table_is_bounded() {
        let mut table = Table::new(WAITS_FOR);
        (0..MOST).for_each(|pid| drop(parked(&mut table, "Admin", u32::try_from(pid).unwrap())));
        assert_eq!(table.park(elevation("Admin", program(9999)), vec![], NOW), Err(NoRequest::TooMany));
        table.end_all();
        assert!(table.park(elevation("Admin", program(9999)), vec![], NOW).is_ok());
    }
}
