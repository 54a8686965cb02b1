//! A process → its ancestors and its login session.
//!
//! A tool calls again and again from under the same parent, so a parent's line of ancestors is remembered, with a hold on
//! each of them. A process changes its parent only when that parent ends: while all of the line live, the line is as it was,
//! and a warm request reads `/proc` for the caller and for nothing else.

use super::recent::Recent;
use super::stat::Stat;
use super::{LoginSession, Process};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// The most ancestors that are told.
const MAX_ANCESTORS: usize = 16;
/// The most lines that are remembered, each with a descriptor per ancestor.
const MAX_REMEMBERED: usize = 32;
/// For how long: an ancestor that becomes another program (exec) keeps its old name until then.
const REMEMBERED_FOR: Duration = Duration::from_secs(10);

/// What is asked of the kernel about processes.
pub(super) trait Processes {
    /// A hold on a process that tells whether it still lives and never means another one.
    type Hold;
    /// Reads about a process.
    fn stat(&self, pid: u32) -> Option<Stat>;
    /// Takes hold of a process.
    fn hold(&self, pid: u32) -> Option<Self::Hold>;
    /// Whether none of these has ended.
    fn all_live(&self, held: &[Self::Hold]) -> bool;
    /// Returns the session a process is in.
    fn session(&self, pid: u32) -> Option<u32>;
}

/// A parent and those above it.
#[derive(Debug)]
struct Line<H> {
    /// The parent first.
    ancestors: Vec<Process>,
    /// One for each of them, or fewer where the kernel gave none.
    held: Vec<H>,
    /// The session the parent is in.
    session: u32,
    /// When the leader of that session started; `None` if it has ended or cannot be read.
    leader_started: Option<Duration>,
}

/// The lines that are remembered, by the parent's pid.
#[derive(Debug)]
pub(super) struct Lineages<P: Processes> {
    processes: P,
    remembered: Recent<Line<P::Hold>>,
}

impl<P: Processes> Lineages<P> {
    pub(super) fn told_by(processes: P) -> Self {
        Self { processes, remembered: Recent::new(MAX_REMEMBERED, REMEMBERED_FOR) }
    }

    /// Returns the ancestors of `own`, nearest first, and its login session.
    pub(super) fn of(&self, own: &Stat, now: Instant) -> (Vec<Process>, Option<LoginSession>) {
        let Some(line) = self.line_above(own, now) else {
            return (Vec::new(), self.login_session(own, None));
        };
        let leader_started = line.leader_started.filter(|_| own.session == line.session);
        (line.ancestors.clone(), self.login_session(own, leader_started))
    }

    fn line_above(&self, own: &Stat, now: Instant) -> Option<Arc<Line<P::Hold>>> {
        if own.parent <= 1 {
            return None;
        }
        let remembered = self.remembered.get(own.parent, now);
        if let Some(line) = remembered.filter(|line| self.still_stands(own.parent, line)) {
            return Some(line);
        }
        let line = Arc::new(self.climb(own)?);
        // Looked at after everything was read: so everything was read about those that are held.
        if line.leader_started.is_some() && self.still_stands(own.parent, &line) {
            self.remembered.put(own.parent, line.clone(), now);
        }
        Some(line)
    }

    /// Whether a line is as it was when it was read. A parent that has left its session can never come back to it (setsid(2)), so if
    /// it is in it now, it always was, and the leader's pid has been given to nobody else.
    fn still_stands(&self, parent: u32, line: &Line<P::Hold>) -> bool {
        line.held.len() == line.ancestors.len()
            && self.processes.all_live(&line.held)
            && self.processes.session(parent) == Some(line.session)
    }

    /// Reads the ancestors of `own`. Nobody is told to descend from pid 1, and a parent that started after its child is another
    /// process with the pid of one that has ended.
    fn climb(&self, own: &Stat) -> Option<Line<P::Hold>> {
        let mut line = Line { ancestors: Vec::new(), held: Vec::new(), session: 0, leader_started: None };
        let (mut next, mut child_started) = (own.parent, own.started);
        while next > 1 && line.ancestors.len() < MAX_ANCESTORS {
            let held = self.processes.hold(next);
            let Some(ancestor) = self.processes.stat(next).filter(|ancestor| ancestor.started <= child_started) else {
                break;
            };
            if line.ancestors.is_empty() {
                line.session = ancestor.session;
            }
            if ancestor.pid == line.session {
                line.leader_started = Some(ancestor.started);
            }
            (next, child_started) = (ancestor.parent, ancestor.started);
            line.held.extend(held);
            line.ancestors.push(ancestor.into_process());
        }
        line.leader_started = line.leader_started.or_else(|| self.started(line.session));
        if line.ancestors.is_empty() { None } else { Some(line) }
    }

    fn started(&self, pid: u32) -> Option<Duration> {
        self.processes.stat(pid).map(|stat| stat.started)
    }

    fn login_session(&self, own: &Stat, leader_started: Option<Duration>) -> Option<LoginSession> {
        let leader_started = match own.session {
            0 => None,
            leader if leader == own.pid => Some(own.started),
            leader => leader_started.or_else(|| self.started(leader)),
        }?;
        Some(LoginSession { leader: own.session, leader_started, terminal: own.terminal })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::cell::{Cell, RefCell};
    use std::collections::HashMap;

    /// Processes as the kernel would tell of them, counting how often `/proc` is read.
    #[derive(Default)]
    struct Machine {
        processes: RefCell<HashMap<u32, Stat>>,
        reads: Cell<usize>,
        cannot_hold: bool,
    }

    impl Processes for &Machine {
        /// A pid and its start time: this kernel's notion of one process.
        type Hold = (u32, Duration);

        fn stat(&self, pid: u32) -> Option<Stat> {
            self.reads.set(self.reads.get() + 1);
            self.processes.borrow().get(&pid).cloned()
        }

        fn hold(&self, pid: u32) -> Option<Self::Hold> {
            let started = self.processes.borrow().get(&pid)?.started;
            (!self.cannot_hold).then_some((pid, started))
        }

        fn all_live(&self, held: &[Self::Hold]) -> bool {
            let processes = self.processes.borrow();
            held.iter().all(|(pid, started)| processes.get(pid).is_some_and(|process| process.started == *started))
        }

        fn session(&self, pid: u32) -> Option<u32> {
            self.processes.borrow().get(&pid).map(|process| process.session)
        }
    }

    impl Machine {
        /// init 1 → terminal 10 → shell 20 (leads session 20) → make 30 → tegata 40
        fn desktop() -> Self {
            let machine = Self::default();
            for (pid, parent, session, started) in [(1, 0, 1, 0), (10, 1, 10, 5), (20, 10, 20, 10), (30, 20, 20, 20)] {
                machine.begins(pid, parent, session, started);
            }
            machine.begins(40, 30, 20, 30);
            machine
        }

        /// A process begins, or one that is there becomes this, at `started` seconds.
        fn begins(&self, pid: u32, parent: u32, session: u32, started: u64) {
            let (started, name) = (Duration::from_secs(started), format!("p{pid}"));
            let stat = Stat { pid, name, parent, session, terminal: Some(34816), started };
            self.processes.borrow_mut().insert(pid, stat);
        }

        fn ends(&self, pid: u32) {
            self.processes.borrow_mut().remove(&pid);
        }

        fn reads(&self) -> usize {
            self.reads.replace(0)
        }
    }

    fn ask(lineages: &Lineages<&Machine>, pid: u32) -> (Vec<u32>, Option<LoginSession>) {
        ask_at(lineages, pid, Instant::now())
    }

    fn ask_at(lineages: &Lineages<&Machine>, pid: u32, now: Instant) -> (Vec<u32>, Option<LoginSession>) {
        let own = lineages.processes.processes.borrow()[&pid].clone();
        let (ancestry, session) = lineages.of(&own, now);
        (ancestry.iter().map(|process| process.pid).collect(), session)
    }

    fn session(leader: u32, started: u64) -> Option<LoginSession> {
        Some(LoginSession { leader, leader_started: Duration::from_secs(started), terminal: Some(34816) })
    }

    #[test]
    fn ancestors_are_told_nearest_first_without_pid_1() {
        let machine = Machine::desktop();
        let (ancestry, login_session) = ask(&Lineages::told_by(&machine), 40);
        assert_eq!(ancestry, [30, 20, 10]);
        assert_eq!(login_session, session(20, 10));
    }

    #[test]
    fn a_second_caller_under_the_same_parent_costs_no_read() {
        let machine = Machine::desktop();
        machine.begins(41, 30, 20, 31);
        let lineages = Lineages::told_by(&machine);
        let first = ask(&lineages, 40);
        assert_eq!(machine.reads(), 3);
        assert_eq!(ask(&lineages, 41), first);
        assert_eq!(machine.reads(), 0);
    }

    #[test]
    fn another_process_with_the_parents_pid_is_another_parent() {
        let machine = Machine::desktop();
        let lineages = Lineages::told_by(&machine);
        ask(&lineages, 40);
        machine.begins(50, 1, 50, 8);
        machine.begins(30, 50, 50, 25);
        machine.begins(40, 30, 50, 30);
        assert_eq!(ask(&lineages, 40), (vec![30, 50], session(50, 8)));
    }

    #[test]
    fn a_line_in_which_anybody_has_ended_is_looked_at_again() {
        let machine = Machine::desktop();
        let lineages = Lineages::told_by(&machine);
        ask(&lineages, 40);
        machine.ends(10);
        machine.begins(20, 1, 20, 10);
        assert_eq!(ask(&lineages, 40).0, [30, 20]);
        machine.ends(20);
        machine.begins(30, 1, 20, 20);
        assert_eq!(ask(&lineages, 40), (vec![30], None));
    }

    #[test]
    fn a_parent_that_has_left_its_session_is_looked_at_again() {
        let machine = Machine::desktop();
        let lineages = Lineages::told_by(&machine);
        ask(&lineages, 40);
        machine.begins(30, 20, 30, 20);
        machine.begins(41, 30, 30, 40);
        assert_eq!(ask(&lineages, 41).1, session(30, 20));
        assert_eq!(ask(&lineages, 40).1, session(20, 10));
    }

    #[test]
    fn a_parent_that_started_after_its_child_is_not_its_parent() {
        let machine = Machine::desktop();
        machine.begins(30, 20, 20, 31);
        assert_eq!(ask(&Lineages::told_by(&machine), 40).0, Vec::<u32>::new());
        let machine = Machine::desktop();
        machine.begins(20, 10, 20, 21);
        assert_eq!(ask(&Lineages::told_by(&machine), 40).0, [30]);
    }

    #[test]
    fn a_caller_that_left_its_parents_session_is_in_its_own() {
        let machine = Machine::desktop();
        machine.begins(41, 30, 41, 31);
        machine.begins(42, 30, 10, 32);
        let lineages = Lineages::told_by(&machine);
        assert_eq!(ask(&lineages, 40).1, session(20, 10));
        assert_eq!(ask(&lineages, 41).1, session(41, 31));
        assert_eq!(ask(&lineages, 42).1, session(10, 5));
    }

    #[test]
    fn an_orphan_has_no_ancestors_but_a_session() {
        let machine = Machine::desktop();
        machine.begins(60, 1, 20, 40);
        assert_eq!(ask(&Lineages::told_by(&machine), 60), (vec![], session(20, 10)));
    }

    #[test]
    fn a_process_whose_parent_is_out_of_sight_has_no_ancestors() {
        let machine = Machine::default();
        machine.begins(40, 0, 0, 30);
        machine.begins(41, 7, 41, 30);
        let lineages = Lineages::told_by(&machine);
        assert_eq!(ask(&lineages, 40), (vec![], None));
        assert_eq!(ask(&lineages, 41).0, Vec::<u32>::new());
    }

    #[test]
    fn who_cannot_be_held_is_told_and_not_remembered() {
        let machine = Machine { cannot_hold: true, ..Machine::desktop() };
        let lineages = Lineages::told_by(&machine);
        for _ in 0..2 {
            assert_eq!(ask(&lineages, 40).0, [30, 20, 10]);
            assert_eq!(machine.reads(), 3);
        }
    }

    #[test]
    fn a_thousand_generations_are_cut_at_sixteen() {
        let machine = Machine::default();
        (2..1000).for_each(|pid| machine.begins(pid, pid - 1, 2, u64::from(pid)));
        let (ancestry, login_session) = ask(&Lineages::told_by(&machine), 999);
        assert_eq!((ancestry.len(), ancestry[0], ancestry[15]), (16, 998, 983));
        assert_eq!(login_session, session(2, 2));
        assert!(machine.reads() < 20);
    }

    #[test]
    fn a_circle_of_parents_ends() {
        let machine = Machine::default();
        machine.begins(40, 41, 40, 5);
        machine.begins(41, 40, 40, 5);
        assert_eq!(ask(&Lineages::told_by(&machine), 40).0.len(), 16);
    }

    #[test]
    fn a_line_is_read_again_after_a_while() {
        let (machine, now) = (Machine::desktop(), Instant::now());
        let lineages = Lineages::told_by(&machine);
        ask_at(&lineages, 40, now);
        machine.reads();
        ask_at(&lineages, 40, now + REMEMBERED_FOR);
        assert_eq!(machine.reads(), 3);
    }
}
