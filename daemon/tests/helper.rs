//! The helper process as it is: `tegatad --helper`, started by whoever holds the other end of its stdin.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "this is a test")]

use std::ffi::OsString;
use std::fs::{Permissions, read_link, read_to_string, set_permissions, write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tegata_daemon::helper::{Bytes, Helper, HelperError, HelperProcess, Operation, start_program};

/// A helper, and a directory for what it runs.
struct Helped {
    helper: HelperProcess,
    pid: u32,
    directory: tempfile::TempDir,
}

fn helped() -> Helped {
    let variables = [("HOME", "/home/kim"), ("PATH", "/usr/bin:/bin")];
    let variables = variables.map(|(name, value)| (OsString::from(name), OsString::from(value)));
    let started = start_program(Path::new(env!("CARGO_BIN_EXE_tegatad")), &variables).unwrap();
    let pid = started.pid();
    Helped { helper: HelperProcess::attach(started).unwrap(), pid, directory: tempfile::tempdir().unwrap() }
}

impl Helped {
    fn script(&self, text: &str) -> Operation {
        let (source, program) = (self.directory.path().join("text"), self.directory.path().join("token"));
        write(&source, format!("#!/bin/sh\n{text}\n")).unwrap();
        // Copied by another process: a program that this one had open for writing could be busy in a sibling's fork.
        assert!(Command::new("cp").arg(&source).arg(&program).status().unwrap().success());
        set_permissions(&program, Permissions::from_mode(0o700)).unwrap();
        run(&[program.to_str().unwrap()])
    }

    async fn output(&self, operation: Operation) -> Result<String, HelperError> {
        let output = self.helper.ask(operation, Bytes::default()).await?;
        Ok(String::from_utf8(output.to_vec()).unwrap())
    }

    fn proc(&self, file: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/{file}", self.pid))
    }

    fn at(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }
}

fn run(words: &[&str]) -> Operation {
    let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    Operation::Run { command: words.try_into().unwrap(), seconds: 60 }
}

async fn wait_for<T>(what: impl Fn() -> Option<T>) -> T {
    loop {
        if let Some(found) = what() {
            return found;
        }
        tokio::task::yield_now().await;
    }
}

fn is_dead(stat: &Path) -> Option<()> {
    read_to_string(stat).map_or(Some(()), |stat| stat.contains(") Z ").then_some(()))
}

#[tokio::test]
async fn a_command_has_the_environment_that_was_made_for_it_and_nothing_else() {
    let helped = helped();
    let found = helped.output(run(&["/usr/bin/env"])).await.unwrap();
    assert_eq!(found, "HOME=/home/kim\nPATH=/usr/bin:/bin");
    let found =
        helped.output(helped.script("pwd; ls /proc/self/fd | tr '\\n' ' '; grep NoNewPrivs /proc/self/status")).await;
    assert_eq!(found.unwrap(), "/\n0 1 2 3 NoNewPrivs:\t1", "3 is the listing's own");
}

#[tokio::test]
async fn f1_the_helper_is_hardened_as_the_daemon_is() {
    let helped = helped();
    helped.output(run(&["/bin/true"])).await.unwrap();
    assert_eq!(read_to_string(helped.proc("comm")).unwrap().trim(), "tegatad-helper");
    assert!(read_to_string(helped.proc("status")).unwrap().contains("NoNewPrivs:\t1"));
    let limits = read_to_string(helped.proc("limits")).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().skip(4).take(2).collect::<Vec<_>>(), ["0", "0"]);
    let session = rustix::process::getsid(rustix::process::Pid::from_raw(helped.pid.cast_signed())).unwrap();
    assert_eq!(session.as_raw_pid().cast_unsigned(), helped.pid, "it has no terminal");
    // The kernel gives the files of what is not dumpable to root (proc(5)).
    let owner = std::os::unix::fs::MetadataExt::uid(&helped.proc("mem").metadata().unwrap());
    assert_eq!(owner, 0);
    // Its stderr is the one of this test.
    let stderr = read_link("/proc/self/fd/2").unwrap().to_string_lossy().into_owned();
    let open = std::fs::read_dir(helped.proc("fd")).unwrap().map(|entry| read_link(entry.unwrap().path()).unwrap());
    let odd: Vec<_> = open
        .map(|target| target.to_string_lossy().into_owned())
        .filter(|target| !target.starts_with("socket:") && target != "/dev/null" && *target != stderr)
        .collect();
    assert!(odd.is_empty(), "only its socket and what stderr is here: {odd:?}");
}

#[tokio::test]
async fn when_the_daemon_is_gone_the_helper_and_all_it_runs_are_gone() {
    let helped = helped();
    let script = helped.script("sleep 1000 & echo $! >\"$0.child\"; echo $$ >\"$0.pid\"; wait");
    {
        let mut asking = helped.helper.ask(script, Bytes::default());
        let (pid, started) = (helped.at("token.pid"), std::cell::OnceCell::new());
        std::future::poll_fn(|context| {
            assert!(asking.as_mut().poll(context).is_pending());
            if read_to_string(&pid).is_ok_and(|pid| !pid.is_empty()) {
                let _ = started.set(());
            }
            context.waker().wake_by_ref();
            started.get().map_or(std::task::Poll::Pending, |()| std::task::Poll::Ready(()))
        })
        .await;
    }
    let pids: Vec<PathBuf> = ["token.pid", "token.child"]
        .iter()
        .map(|name| PathBuf::from(format!("/proc/{}/stat", read_to_string(helped.at(name)).unwrap().trim())))
        .chain([helped.proc("stat")])
        .collect();
    let Helped { helper, directory: _directory, .. } = helped;
    drop(helper);
    for pid in pids {
        wait_for(|| is_dead(&pid)).await;
    }
}

#[tokio::test]
async fn a_helper_that_was_killed_is_noticed_and_everybody_is_told() {
    let helped = helped();
    let script = helped.script("echo $$ >\"$0.pid\"; sleep 1000");
    let asking = async { helped.helper.ask(script, Bytes::default()).await };
    let killing = async {
        wait_for(|| read_to_string(helped.at("token.pid")).ok().filter(|pid| !pid.is_empty())).await;
        let pid = rustix::process::Pid::from_raw(helped.pid.cast_signed()).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    };
    let (asked, ()) = tokio::join!(asking, killing);
    let ended = HelperError::Ended { how: "signal: 9 (SIGKILL)".to_owned() };
    assert_eq!(asked, Err(ended.clone()));
    assert_eq!(helped.output(run(&["/bin/true"])).await, Err(ended));
    assert_eq!(helped.helper.ended().as_deref(), Some("signal: 9 (SIGKILL)"));
    let orphan = read_to_string(helped.at("token.pid")).unwrap();
    let orphan = rustix::process::Pid::from_raw(orphan.trim().parse().unwrap()).unwrap();
    let _ = rustix::process::kill_process_group(orphan, rustix::process::Signal::KILL);
}

#[tokio::test]
async fn many_commands_run_at_the_same_time() {
    let helped = helped();
    let asked = (0..16).map(|n| helped.output(run(&["/bin/echo", &n.to_string()])));
    let asked: Vec<_> = asked.collect();
    for (n, asked) in asked.into_iter().enumerate() {
        assert_eq!(asked.await.unwrap(), n.to_string());
    }
}

#[test]
fn nobody_but_a_daemon_starts_a_helper() {
    let ended = Command::new(env!("CARGO_BIN_EXE_tegatad")).arg("--helper").stdin(Stdio::null()).output().unwrap();
    assert_eq!(ended.status.code(), Some(1));
    let said = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(said, "tegatad: --helper is for tegatad itself: it talks to the daemon that started it\n");
}
