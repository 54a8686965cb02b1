//! Who a grant is for, by what the kernel tells of the caller. Pure, but for one look at how a shell was started.

use crate::caller::{Caller, Process};
use crate::policy::terms::Scope;
use std::fmt;
use std::time::Duration;

/// Who a grant is for. Pids come with start times, so that nobody inherits a grant with a pid.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Holder {
    /// Every program of the user.
    User,
    /// The programs of one terminal: a kernel session with a controlling terminal.
    Terminal {
        /// The session leader's pid.
        leader: u32,
        /// When it started, since boot.
        started: Duration,
    },
    /// One program and what it starts.
    Program(Process),
}

impl Holder {
    /// Returns who a grant of this scope would be for, if `caller` asked. Without a terminal it is the program.
    ///
    /// The program is the first ancestor that is neither `tegata` nor a shell that runs one command line: SDKs start
    /// `credential_process` through `sh -c` (Go, JS), and that shell has ended by the next call.
    #[must_use]
    pub fn of(caller: &Caller, scope: Scope, is_one_liner: impl Fn(&Process) -> bool) -> Self {
        let terminal = caller.login_session.as_ref().filter(|session| session.terminal.is_some());
        match (scope, terminal) {
            (Scope::User, _) => Self::User,
            (Scope::Terminal, Some(session)) => {
                Self::Terminal { leader: session.leader, started: session.leader_started }
            }
            (Scope::Terminal | Scope::Request, _) => {
                let passed_over = |process: &&Process| process.name == "tegata" || is_one_liner(process);
                let program = caller.ancestry.iter().find(|process| !passed_over(process));
                Self::Program(program.unwrap_or(&caller.process).clone())
            }
        }
    }

    /// Whether the grant is for this caller.
    #[must_use]
    pub fn covers(&self, caller: &Caller) -> bool {
        match self {
            Self::User => true,
            Self::Terminal { leader, started } => caller.login_session.as_ref().is_some_and(|session| {
                session.terminal.is_some() && session.leader == *leader && session.leader_started == *started
            }),
            Self::Program(program) => {
                let same = |process: &Process| process.pid == program.pid && process.started == program.started;
                same(&caller.process) || caller.ancestry.iter().any(same)
            }
        }
    }

    /// Whether this is at most as wide as a scope allows.
    #[must_use]
    pub fn is_within(&self, scope: Scope) -> bool {
        match self {
            Self::User => scope == Scope::User,
            Self::Terminal { .. } => scope <= Scope::Terminal,
            Self::Program(_) => true,
        }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User => f.write_str("every program of this user"),
            Self::Terminal { leader, .. } => write!(f, "the terminal of pid {leader}"),
            Self::Program(program) => write!(f, "{} (pid {}) and what it starts", program.name, program.pid),
        }
    }
}

/// Whether a process is a shell that runs one command line (`sh -c …`), as far as `/proc` tells.
#[must_use]
pub fn is_one_liner(process: &Process) -> bool {
    let path = format!("/proc/{}/cmdline", process.pid);
    is_shell(&process.name) && std::fs::read(path).is_ok_and(|line| has_command_flag(&line))
}

fn is_shell(name: &str) -> bool {
    matches!(name, "sh" | "bash" | "dash" | "ash" | "zsh" | "ksh" | "fish" | "busybox")
}

/// Whether the first words of a command line, each ended by NUL, say `-c` (also within `-ec`) before any script.
fn has_command_flag(line: &[u8]) -> bool {
    let flags = line.split(|byte| *byte == 0).skip(1).take_while(|word| word.starts_with(b"-"));
    flags.filter(|word| !word.starts_with(b"--")).any(|word| word.contains(&b'c'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::caller::LoginSession;
    use std::io::{Read, Write};
    use std::process::{Child, Command, Stdio};

    fn process(pid: u32, name: &str) -> Process {
        Process { pid, started: Duration::from_secs(u64::from(pid)), name: name.to_owned() }
    }

    fn caller(terminal: Option<u32>, ancestry: &[(u32, &str)]) -> Caller {
        let login_session = Some(LoginSession { leader: 20, leader_started: Duration::from_secs(20), terminal });
        let ancestry = ancestry.iter().map(|(pid, name)| process(*pid, name)).collect();
        Caller { uid: 1, gid: 1, process: process(99, "tegata"), login_session, ancestry }
    }

    fn holder(caller: &Caller, scope: Scope) -> Holder {
        Holder::of(caller, scope, |process| process.name == "sh")
    }

    #[test]
    fn a_terminal_is_the_kernel_session_with_its_leaders_start() {
        let caller = caller(Some(34816), &[(30, "aws"), (20, "bash")]);
        assert_eq!(holder(&caller, Scope::Terminal), Holder::Terminal { leader: 20, started: Duration::from_secs(20) });
    }

    #[test]
    fn without_a_terminal_it_is_the_program_past_the_shell_that_ran_one_line() {
        let caller = caller(None, &[(40, "sh"), (30, "terraform"), (20, "code")]);
        for scope in [Scope::Terminal, Scope::Request] {
            assert_eq!(holder(&caller, scope), Holder::Program(process(30, "terraform")));
        }
    }

    #[test]
    fn a_request_is_narrower_than_its_terminal() {
        let caller = caller(Some(34816), &[(30, "aws"), (20, "bash")]);
        assert_eq!(holder(&caller, Scope::Request), Holder::Program(process(30, "aws")));
    }

    #[test]
    fn an_orphan_holds_for_itself_alone() {
        let orphan = caller(None, &[]);
        let held = holder(&orphan, Scope::Request);
        assert!(held.covers(&orphan));
        assert!(!held.covers(&Caller { process: process(100, "tegata"), ..orphan }));
    }

    #[test]
    fn k5_another_terminal_and_a_reused_pid_are_not_covered() {
        let mine = caller(Some(34816), &[(30, "aws")]);
        let held = holder(&mine, Scope::Terminal);
        let moved = |change: fn(&mut LoginSession)| {
            let mut other = mine.clone();
            other.login_session.as_mut().map(change);
            other
        };
        assert!(!held.covers(&moved(|session| session.leader = 21)));
        assert!(!held.covers(&moved(|session| session.leader_started += Duration::from_secs(1))));
        assert!(!held.covers(&moved(|session| session.terminal = None)));
        let program = holder(&mine, Scope::Request);
        let mut reused = mine.clone();
        reused.ancestry[0].started += Duration::from_secs(1);
        assert!(!program.covers(&reused));
    }

    #[test]
    fn k5_twin_the_same_terminal_and_what_the_program_starts_are_covered() {
        let mine = caller(Some(34816), &[(30, "aws"), (20, "bash")]);
        assert!(holder(&mine, Scope::Terminal).covers(&caller(Some(34816), &[(77, "terraform"), (20, "bash")])));
        assert!(holder(&mine, Scope::Request).covers(&caller(None, &[(55, "plugin"), (30, "aws")])));
        assert!(Holder::User.covers(&mine));
    }

    #[test]
    fn only_a_shell_with_a_command_line_is_passed_over() {
        for line in ["sh\0-c\0aws s3 ls\0", "bash\0-ec\0x\0", "bash\0--norc\0-c\0x\0"] {
            assert!(has_command_flag(line.as_bytes()), "{line:?}");
        }
        for line in ["bash\0", "bash\0deploy.sh\0-c\0", "bash\0--rcfile\0", "", "zsh\0-l\0"] {
            assert!(!has_command_flag(line.as_bytes()), "{line:?}");
        }
        assert!(is_shell("bash") && !is_shell("python3"));
    }

    /// Starts a shell that says it is there, and then waits for its input to end.
    fn shell(arguments: &[&str], script: &str) -> (Child, Process) {
        let mut shell = Command::new("sh");
        let mut shell = shell.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        shell.stdin.as_mut().unwrap().write_all(script.as_bytes()).unwrap();
        shell.stdout.as_mut().unwrap().read_exact(&mut [0; 6]).unwrap();
        let pid = shell.id();
        (shell, process(pid, "sh"))
    }

    #[test]
    fn a_one_liner_is_a_shell_whose_command_line_says_so() {
        let (mut one_line, mut script) = (shell(&["-c", "echo there; read line"], ""), shell(&[], "echo there\n"));
        let seen = [
            is_one_liner(&one_line.1),
            is_one_liner(&script.1),
            is_one_liner(&process(one_line.1.pid, "terraform")),
            is_one_liner(&process(0, "sh")),
        ];
        for (shell, _) in [&mut one_line, &mut script] {
            drop(shell.stdin.take());
            shell.wait().unwrap();
        }
        assert_eq!(seen, [true, false, false, false]);
    }

    #[test]
    fn a_holder_is_shown_to_the_person() {
        let mine = caller(Some(34816), &[(30, "aws")]);
        for (holder, shown) in [
            (Holder::User, "every program of this user"),
            (holder(&mine, Scope::Terminal), "the terminal of pid 20"),
            (holder(&mine, Scope::Request), "aws (pid 30) and what it starts"),
        ] {
            assert_eq!(holder.to_string(), shown);
        }
    }

    #[test]
    fn a_holder_is_within_scopes_as_wide_as_itself() {
        let mine = caller(Some(34816), &[(30, "aws")]);
        assert!(Holder::User.is_within(Scope::User) && !Holder::User.is_within(Scope::Terminal));
        let terminal = holder(&mine, Scope::Terminal);
        assert!(terminal.is_within(Scope::User) && terminal.is_within(Scope::Terminal));
        assert!(!terminal.is_within(Scope::Request));
        assert!(holder(&mine, Scope::Request).is_within(Scope::Request));
    }
}
