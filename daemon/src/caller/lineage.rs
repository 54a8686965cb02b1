//! A process → its ancestors and its login session. Reads what it must through a function it is given, and remembers.
//!
//! A tool calls again and again from under the same parent, so everything above the parent is remembered: a warm request
//! reads the caller and its parent and nothing else.

use super::stat::Stat;
use super::{LoginSession, Process};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The most ancestors that are told.
const MAX_ANCESTORS: usize = 16;
/// The most parents that are remembered; past it the one unused for longest is forgotten.
const MAX_REMEMBERED: usize = 64;

/// A parent at a moment of its life. Start time guards against a pid that was given away; the grandparent changes when that
/// one ends, the session when the parent leaves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Parent {
    pid: u32,
    started: Duration,
    grandparent: u32,
    session: u32,
}

/// What holds for everybody under one parent.
#[derive(Clone, Debug)]
struct Lineage {
    /// Ancestors above the parent.
    above: Vec<Process>,
    /// When the leader of the parent's session started; `None` once it has ended.
    leader_started: Option<Duration>,
    /// When it was last asked for, counted in questions.
    asked: u64,
}

/// What is remembered.
#[derive(Debug, Default)]
pub(super) struct Lineages(Mutex<(HashMap<Parent, Lineage>, u64)>);

impl Lineages {
    /// Returns the ancestors of `own`, nearest first, and its login session.
    pub(super) fn of(&self, own: &Stat, read: &impl Fn(u32) -> Option<Stat>) -> (Vec<Process>, Option<LoginSession>) {
        let Some(parent) = parent_of(own, read) else {
            return (Vec::new(), login_session(own, None, read));
        };
        let lineage = self.under(&parent, read);
        let session = login_session(own, lineage.leader_started.filter(|_| own.session == parent.session), read);
        let mut ancestry = lineage.above;
        ancestry.insert(0, parent.into_process());
        (ancestry, session)
    }

    fn under(&self, parent: &Stat, read: &impl Fn(u32) -> Option<Stat>) -> Lineage {
        let key =
            Parent { pid: parent.pid, started: parent.started, grandparent: parent.parent, session: parent.session };
        if let Some(remembered) = self.recall(key) {
            return remembered;
        }
        let lineage = climb(parent, read);
        // A leader that has ended stays so, but one that could not be read just now may be readable the next time.
        if lineage.leader_started.is_some() {
            self.remember(key, lineage.clone());
        }
        lineage
    }

    fn recall(&self, key: Parent) -> Option<Lineage> {
        let mut guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (remembered, questions) = &mut *guard;
        *questions += 1;
        let lineage = remembered.get_mut(&key)?;
        lineage.asked = *questions;
        Some(lineage.clone())
    }

    fn remember(&self, key: Parent, lineage: Lineage) {
        let mut guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (remembered, questions) = &mut *guard;
        remembered.insert(key, Lineage { asked: *questions, ..lineage });
        if remembered.len() > MAX_REMEMBERED {
            let oldest = remembered.iter().min_by_key(|(_, lineage)| lineage.asked).map(|(key, _)| *key);
            oldest.map(|key| remembered.remove(&key));
        }
    }
}

/// Reads the parent of `child`. Nobody is told to descend from pid 1, and a parent that started after its child is another
/// process with the pid of one that has ended.
fn parent_of(child: &Stat, read: &impl Fn(u32) -> Option<Stat>) -> Option<Stat> {
    let parent = if child.parent > 1 { read(child.parent)? } else { return None };
    (parent.started <= child.started).then_some(parent)
}

fn climb(parent: &Stat, read: &impl Fn(u32) -> Option<Stat>) -> Lineage {
    let mut above = Vec::new();
    let mut leader_started = (parent.pid == parent.session).then_some(parent.started);
    let mut next = parent_of(parent, read);
    while let Some(ancestor) = next.filter(|_| above.len() + 1 < MAX_ANCESTORS) {
        if ancestor.pid == parent.session {
            leader_started = Some(ancestor.started);
        }
        next = parent_of(&ancestor, read);
        above.push(ancestor.into_process());
    }
    let leader_started = leader_started.or_else(|| leader_start(parent, read));
    Lineage { above, leader_started, asked: 0 }
}

fn leader_start(member: &Stat, read: &impl Fn(u32) -> Option<Stat>) -> Option<Duration> {
    read(member.session).map(|leader| leader.started)
}

fn login_session(
    own: &Stat,
    leader_started: Option<Duration>,
    read: &impl Fn(u32) -> Option<Stat>,
) -> Option<LoginSession> {
    let leader_started = match own.session {
        0 => None,
        leader if leader == own.pid => Some(own.started),
        _ => leader_started.or_else(|| leader_start(own, read)),
    }?;
    Some(LoginSession { leader: own.session, leader_started, terminal: own.terminal })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    /// Processes as /proc would tell, counting how often it is asked.
    #[derive(Default)]
    struct Machine {
        processes: HashMap<u32, Stat>,
        reads: Cell<usize>,
    }

    impl Machine {
        /// A process that started at `started` seconds.
        fn with(mut self, pid: u32, parent: u32, session: u32, started: u64) -> Self {
            let started = Duration::from_secs(started);
            let name = format!("p{pid}");
            self.processes.insert(pid, Stat { pid, name, parent, session, terminal: Some(34816), started });
            self
        }

        /// init 1 → terminal 10 → shell 20 (leads session 20) → make 30 → tegata 40
        fn desktop() -> Self {
            Self::default()
                .with(1, 0, 1, 0)
                .with(10, 1, 10, 5)
                .with(20, 10, 20, 10)
                .with(30, 20, 20, 20)
                .with(40, 30, 20, 30)
        }

        fn ask(&self, lineages: &Lineages, pid: u32) -> (Vec<u32>, Option<LoginSession>) {
            let read = |pid| {
                self.reads.set(self.reads.get() + 1);
                self.processes.get(&pid).cloned()
            };
            let (ancestry, session) = lineages.of(&self.processes[&pid], &read);
            (ancestry.iter().map(|process| process.pid).collect(), session)
        }

        fn reads(&self) -> usize {
            self.reads.replace(0)
        }
    }

    fn session(leader: u32, started: u64) -> Option<LoginSession> {
        Some(LoginSession { leader, leader_started: Duration::from_secs(started), terminal: Some(34816) })
    }

    #[test]
    fn ancestors_are_told_nearest_first_without_pid_1() {
        let (ancestry, login_session) = Machine::desktop().ask(&Lineages::default(), 40);
        assert_eq!(ancestry, [30, 20, 10]);
        assert_eq!(login_session, session(20, 10));
    }

    #[test]
    fn a_second_caller_under_the_same_parent_costs_one_read() {
        let (machine, lineages) = (Machine::desktop().with(41, 30, 20, 31), Lineages::default());
        let first = machine.ask(&lineages, 40);
        assert_eq!(machine.reads(), 3);
        assert_eq!(machine.ask(&lineages, 41), first);
        assert_eq!(machine.reads(), 1);
    }

    #[test]
    fn another_process_with_the_parents_pid_is_another_parent() {
        let lineages = Lineages::default();
        Machine::desktop().ask(&lineages, 40);
        let later = Machine::desktop().with(50, 1, 50, 8).with(30, 50, 50, 25).with(40, 30, 50, 30);
        assert_eq!(later.ask(&lineages, 40), (vec![30, 50], session(50, 8)));
    }

    #[test]
    fn a_parent_whose_own_parent_has_ended_is_looked_at_again() {
        let lineages = Lineages::default();
        Machine::desktop().ask(&lineages, 40);
        let (ancestry, _) = Machine::desktop().with(30, 1, 20, 20).ask(&lineages, 40);
        assert_eq!(ancestry, [30]);
    }

    #[test]
    fn a_parent_that_started_after_its_child_is_not_its_parent() {
        let machine = Machine::desktop().with(30, 20, 20, 31);
        assert_eq!(machine.ask(&Lineages::default(), 40).0, Vec::<u32>::new());
        let machine = Machine::desktop().with(20, 10, 20, 21);
        assert_eq!(machine.ask(&Lineages::default(), 40).0, [30]);
    }

    #[test]
    fn a_caller_that_left_its_parents_session_is_in_its_own() {
        let lineages = Lineages::default();
        let machine = Machine::desktop().with(41, 30, 41, 31).with(42, 30, 10, 32);
        assert_eq!(machine.ask(&lineages, 40).1, session(20, 10));
        assert_eq!(machine.ask(&lineages, 41).1, session(41, 31));
        assert_eq!(machine.ask(&lineages, 42).1, session(10, 5));
    }

    #[test]
    fn an_orphan_has_no_ancestors_but_a_session() {
        let machine = Machine::desktop().with(60, 1, 20, 40);
        assert_eq!(machine.ask(&Lineages::default(), 60), (vec![], session(20, 10)));
    }

    #[test]
    fn a_session_whose_leader_has_ended_is_none() {
        let mut machine = Machine::desktop().with(30, 1, 20, 20);
        machine.processes.remove(&20);
        assert_eq!(machine.ask(&Lineages::default(), 40), (vec![30], None));
    }

    #[test]
    fn a_process_whose_parent_is_out_of_sight_has_no_ancestors() {
        let machine = Machine::default().with(40, 0, 0, 30).with(41, 7, 41, 30);
        assert_eq!(machine.ask(&Lineages::default(), 40), (vec![], None));
        assert_eq!(machine.ask(&Lineages::default(), 41).0, Vec::<u32>::new());
    }

    #[test]
    fn a_thousand_generations_are_cut_at_sixteen() {
        let machine = (2..1000).fold(Machine::default(), |machine, pid| machine.with(pid, pid - 1, 2, u64::from(pid)));
        let (ancestry, login_session) = machine.ask(&Lineages::default(), 999);
        assert_eq!((ancestry.len(), ancestry[0], ancestry[15]), (16, 998, 983));
        assert_eq!(login_session, session(2, 2));
        assert!(machine.reads() < 20);
    }

    #[test]
    fn a_circle_of_parents_ends() {
        let machine = Machine::default().with(40, 41, 40, 5).with(41, 40, 40, 5);
        assert_eq!(machine.ask(&Lineages::default(), 40).0.len(), 16);
    }

    #[test]
    fn memory_is_bounded_and_keeps_what_is_in_use() {
        let (lineages, rounds) = (Lineages::default(), 1000);
        let mut machine = Machine::desktop();
        for pid in 100..100 + rounds {
            machine = machine.with(pid, 20, 20, 50).with(pid + 10_000, pid, 20, 60);
            machine.ask(&lineages, pid + 10_000);
            machine.ask(&lineages, 40);
        }
        assert_eq!(lineages.0.lock().unwrap().0.len(), MAX_REMEMBERED);
        machine.reads();
        machine.ask(&lineages, 40);
        assert_eq!(machine.reads(), 1);
    }
}
