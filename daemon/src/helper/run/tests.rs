//! Real programs, and what they can do wrong.

use super::*;
use std::fs::{Permissions, read_to_string, set_permissions, write};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

const LONG: Duration = Duration::from_secs(60);

struct Script {
    directory: tempfile::TempDir,
    program: PathBuf,
}

fn script(text: &str) -> Script {
    let directory = tempfile::tempdir().unwrap();
    let (source, program) = (directory.path().join("text"), directory.path().join("token"));
    write(&source, format!("#!/bin/sh\n{text}\n")).unwrap();
    // Copied by another process: a program that this one had open for writing could be busy in a sibling's fork.
    assert!(Command::new("cp").arg(&source).arg(&program).status().unwrap().success());
    set_permissions(&program, Permissions::from_mode(0o700)).unwrap();
    Script { directory, program }
}

impl Script {
    fn command(&self, arguments: &[&str]) -> CommandLine {
        let program = self.program.to_str().unwrap();
        let words: Vec<String> = [program].iter().chain(arguments).map(|word| (*word).to_owned()).collect();
        words.try_into().unwrap()
    }

    fn run(&self) -> Result<Zeroizing<Vec<u8>>, Fault> {
        Runner::default().run(&self.command(&[]), LONG)
    }

    fn fault(&self) -> String {
        let fault = self.run().unwrap_err().to_string();
        fault.replace(self.program.to_str().unwrap(), "token")
    }

    fn at(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Waits until a program has written its pid there.
    fn pid(&self, name: &str) -> Pid {
        let file = self.at(name);
        wait_for(|| read_to_string(&file).ok()?.trim().parse().ok().and_then(Pid::from_raw))
    }
}

fn wait_for<T>(what: impl Fn() -> Option<T>) -> T {
    loop {
        if let Some(found) = what() {
            return found;
        }
        std::thread::yield_now();
    }
}

/// Waits until a process is gone, or is dead and waited for by nobody (its parent may be a container's first process).
fn wait_until_dead(pid: Pid) {
    let stat = PathBuf::from(format!("/proc/{}/stat", pid.as_raw_pid()));
    wait_for(|| read_to_string(&stat).map_or(Some(()), |stat| stat.contains(") Z ").then_some(())));
}

#[test]
fn what_a_program_prints_is_its_output_without_the_last_end_of_line() {
    for (printed, output) in
        [("a", "a"), ("a\\n", "a"), ("a\\r\\n", "a"), ("a\\n\\n", "a\n"), ("a\\nb\\n", "a\nb"), ("", "")]
    {
        assert_eq!(script(&format!("printf '{printed}'")).run().unwrap().as_slice(), output.as_bytes());
    }
}

#[test]
fn arguments_arrive_as_they_are_written() {
    let script = script("printf '%s|' \"$@\"; printf '%s' \"$#\"");
    let words = ["", "a b", "$(id)", "'\"\\", "a\nb", "é", "*"];
    let output = Runner::default().run(&script.command(&words), LONG).unwrap();
    assert_eq!(String::from_utf8_lossy(&output), format!("{}|7", words.join("|")));
}

#[test]
fn a_program_has_nothing_to_read() {
    assert_eq!(script("cat; echo end").run().unwrap().as_slice(), b"end");
}

#[test]
fn how_a_program_ended_is_said_with_its_last_line() {
    assert_eq!(
        script("echo first >&2; echo 'no such audience' >&2; echo >&2; exit 3").fault(),
        "token ended with exit status 3: no such audience"
    );
    assert_eq!(script("exit 1").fault(), "token ended with exit status 1");
    assert_eq!(script("kill -9 $$").fault(), "token ended with signal 9");
}

#[test]
fn what_a_program_says_can_neither_command_a_terminal_nor_show_a_token() {
    let said = script("printf 'bad \\033[2J\\033]0;x\\007 %s\\n' eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiIsIng1dCI6IkNBTkFSWSJ9.e30.CANARY >&2; exit 1").fault();
    assert_eq!(said, "token ended with exit status 1: bad \\u{1b}[2J\\u{1b}]0;x\\u{7} …");
    assert!(script("head -c 500000 /dev/zero | tr '\\0' '/' >&2; exit 1").fault().chars().count() < 400);
}

#[test]
fn a_program_that_hangs_is_killed_with_all_it_started() {
    let script = script("echo waiting for a person >&2; sleep 1000 & echo $! >\"$0.child\"; echo $$ >\"$0.pid\"; wait");
    let fault = Runner::default().run(&script.command(&[]), Duration::from_secs(1)).unwrap_err();
    assert!(
        fault.to_string().ends_with("token did not end within 1 s and was killed: waiting for a person"),
        "{fault}"
    );
    wait_until_dead(script.pid("token.pid"));
    wait_until_dead(script.pid("token.child"));
}

#[test]
fn a_program_that_floods_is_killed() {
    assert!(script("yes").fault().starts_with("token was killed: it writes more than 64 KiB"));
    assert!(script("yes >&2").fault().starts_with("token was killed: it writes more than 64 KiB"));
    assert!(script("head -c 65537 /dev/zero").fault().starts_with("token was killed"));
    assert_eq!(script("head -c 65536 /dev/zero").run().unwrap().len(), 65536);
}

#[test]
fn a_child_that_is_left_behind_keeps_nobody_waiting_and_is_killed() {
    let script = script("sleep 1000 & echo $! >\"$0.child\"; echo token");
    assert_eq!(script.run().unwrap().as_slice(), b"token");
    wait_until_dead(script.pid("token.child"));
}

#[test]
fn an_agent_that_left_for_good_is_left_alone() {
    let script = script(
        "setsid -f sh -c 'echo $$ >\"$1.pid\"; exec sleep 1000' agent \"$0\" >/dev/null 2>&1\n\
         while ! test -s \"$0.pid\"; do :; done; echo token",
    );
    assert_eq!(script.run().unwrap().as_slice(), b"token");
    let agent = script.pid("token.pid");
    assert!(rustix::process::test_kill_process(agent).is_ok());
    rustix::process::kill_process(agent, Signal::KILL).unwrap();
}

#[test]
fn nothing_under_way_outlives_the_end_and_nothing_is_started_after_it() {
    let script = Arc::new(script("echo $$ >\"$0.pid\"; sleep 1000"));
    let runner = Arc::new(Runner::default());
    let (other, theirs) = (Arc::clone(&runner), script.command(&[]));
    let running = std::thread::spawn(move || other.run(&theirs, LONG));
    let pid = script.pid("token.pid");
    runner.end();
    wait_until_dead(pid);
    assert!(matches!(running.join().unwrap(), Err(Fault::Failed { status, .. }) if status == "signal 9"));
    assert_eq!(runner.run(&script.command(&[]), LONG), Err(Fault::Ending));
}

#[test]
fn what_cannot_be_run_is_said() {
    let script = script("exit 0");
    set_permissions(&script.program, Permissions::from_mode(0o600)).unwrap();
    assert!(matches!(script.run(), Err(Fault::NotStarted { why, .. }) if why.contains("Permission denied")));
    set_permissions(&script.program, Permissions::from_mode(0o702)).unwrap();
    let Err(Fault::NotTrusted { why, mend, .. }) = script.run() else { panic!("it was run") };
    assert!(why.ends_with("can be written by others") && mend.unwrap().starts_with("chmod go-w "));
}
