//! The kernel's own clocks, moved by time namespaces (time_namespaces(7)): CLOCK_BOOTTIME alone steps on as it does over a
//! suspend, which no test can ask a machine for. The wall clock is in no namespace.
#![cfg(feature = "root")]
#![allow(clippy::unwrap_used, reason = "this is a test")]

use serde_json::json;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use tegata_tests::product::{Ended, Product, run, wait_until};
use tegata_tests::program;

/// A time namespace, for as long as a process is in it.
struct TimeNamespace(Child);

impl TimeNamespace {
    /// Makes one whose boot clocks are ahead of the machine's by so many seconds: suspend included, and awake alone.
    fn ahead(boot: i64, awake: i64) -> Self {
        let mut keeper = within(boot, awake, "sh");
        keeper.args(["-c", "echo there; exec cat"]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut keeper = keeper.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(keeper.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "there\n", "this machine has no time namespaces");
        Self(keeper)
    }

    fn path(&self) -> PathBuf {
        PathBuf::from(format!("/proc/{}/ns/time", self.0.id()))
    }
}

impl Drop for TimeNamespace {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn within(boot: i64, awake: i64, program: &str) -> Command {
    let mut command = Command::new("unshare");
    command.args(["--time", &format!("--boottime={boot}"), &format!("--monotonic={awake}"), program]);
    command
}

/// A grant of fifteen minutes that lives while the machine's clocks step on to those of a namespace.
fn grant_over(boot: i64, awake: i64) -> Ended {
    let namespace = TimeNamespace::ahead(boot, awake);
    run(Command::new(program("time-driver")).arg(namespace.path()))
}

fn is(ended: &Ended, live: u32, by_sleep: u32, by_time: u32) {
    let said = format!("live 1\nlive {live}\nended by sleep {by_sleep}\nended by time {by_time}\n");
    assert_eq!((ended.code, ended.stdout.as_str()), (0, said.as_str()), "{ended:?}");
}

#[test]
fn j2_a_grant_ends_when_the_kernels_boot_clock_steps_on_without_the_other() {
    for slept in [5, 60, 600] {
        is(&grant_over(slept, 0), 0, 1, 0);
    }
    is(&grant_over(28_800, 0), 0, 0, 1);
}

#[test]
fn j2_twin_a_grant_lives_while_both_boot_clocks_step_on_alike() {
    is(&grant_over(600, 600), 1, 0, 0);
    is(&grant_over(1000, 1000), 0, 0, 1);
}

/// A program that runs another in a time namespace of its own.
fn wrapper(product: &Product, name: &str, wrapped: &str, boot: i64) -> PathBuf {
    let (text, path) = (product.path(format!("{name}.text")), product.path(name));
    let command = format!("unshare --time --boottime={boot} --monotonic=0 {wrapped}");
    fs::write(&text, format!("#!/bin/sh\nexec {command} \"$@\"\n")).unwrap();
    // Copied by another process: a program that this one had open for writing could be busy in a sibling's fork.
    assert_eq!(run(Command::new("cp").arg(text).arg(&path)).code, 0);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

/// Runs a tool in a time namespace of its own, as a container may.
fn tool_ahead(product: &Product, boot: i64) -> Ended {
    let cli = product.cli_binary.display().to_string();
    let tool = wrapper(product, &format!("tool{boot}"), &cli, boot);
    run(product.command(tool).args(["credential-process", "--profile", "admin", "--wait", "0"]))
}

/// Whole seconds since the machine booted.
fn uptime() -> i64 {
    let uptime = fs::read_to_string("/proc/uptime").unwrap();
    uptime.split('.').next().unwrap().parse().unwrap()
}

#[test]
fn j1_a_tools_own_clock_neither_prolongs_nor_revives_a_grant() {
    let mut product = Product::new();
    product.start_daemon();
    product.sign_in();
    let mut hand = product.enrol("alice", None);
    product.elevate(&mut hand, &json!({ "profile": "admin", "seconds": 2 }));
    wait_until("its time is over", || product.ends_of_grants() == ["expired"]);
    for ahead in [1 - uptime(), 86_400] {
        let refused = tool_ahead(&product, ahead);
        assert_eq!((refused.code, refused.stdout.as_str()), (11, ""), "{ahead}: {refused:?}");
    }
}

#[test]
fn j1_twin_a_live_grant_serves_tools_whatever_their_clocks_say() {
    let mut product = Product::new();
    product.start_daemon();
    product.sign_in();
    let mut hand = product.enrol("alice", None);
    product.elevate(&mut hand, &json!({ "profile": "admin" }));
    assert_eq!(product.credentials("admin").code, 0);
    for ahead in [1 - uptime(), 86_400] {
        assert_eq!(tool_ahead(&product, ahead).code, 0, "{ahead}");
    }
}

#[test]
fn j5_a_daemon_on_an_earlier_boot_clock_revives_no_grant() {
    let mut product = Product::new();
    product.store_in_files();
    let daemon = product.daemon_binary.display().to_string();
    product.daemon_binary = wrapper(&product, "later", &daemon, 86_400);
    product.start_daemon();
    product.sign_in();
    let mut hand = product.enrol("alice", None);
    product.elevate(&mut hand, &json!({ "profile": "admin" }));
    assert_eq!(product.credentials("admin").code, 0, "a daemon in a container is served by its own clock");
    product.kill_daemon();
    product.daemon_binary = wrapper(&product, "earlier", &daemon, 1 - uptime());
    product.start_daemon();
    assert!(product.grants().is_empty());
    assert_eq!(product.run(&["credential-process", "--profile", "admin", "--wait", "2"]).code, 11);
    product.elevate(&mut hand, &json!({ "profile": "admin" }));
    assert_eq!(product.credentials("admin").code, 0);
}
