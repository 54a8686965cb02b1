//! The helper process of a real daemon: there only where the settings name a command, gone with the daemon, and not missed where nothing
//! needs it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "this is a test")]

use std::fs;
use std::path::{Path, PathBuf};
use tegata_tests::federated::Federated;
use tegata_tests::helper::helper_of;
use tegata_tests::product::{Product, run, wait_until};

fn started(mut federated: Federated) -> (Federated, u32) {
    let pid = federated.product.start_daemon();
    (federated, pid)
}

fn is_gone(pid: u32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).map_or(true, |stat| stat.contains(") Z "))
}

fn written_pid(path: &Path) -> u32 {
    let mut pid = None;
    wait_until("the program has begun", || {
        pid = fs::read_to_string(path).ok().and_then(|text| text.trim().parse().ok());
        pid.is_some()
    });
    pid.unwrap()
}

const HANGS: &str = "sleep 1000 & echo $! >\"$0.child\"; echo $$ >\"$0.pid\"; wait";

#[test]
fn a_daemon_whose_settings_name_no_command_has_no_helper() {
    let (federated, daemon) = started(Federated::by_file());
    assert_eq!(federated.product.credentials("ci").code, 0);
    assert_eq!(helper_of(daemon), None);
}

#[test]
fn a_daemon_that_is_killed_leaves_no_helper_and_nothing_it_ran() {
    let (mut federated, daemon) = started(Federated::by_command(HANGS));
    let helper = helper_of(daemon).unwrap();
    let asking = federated.product.tegata(&["credential-process", "--profile", "ci"]).spawn();
    let pids = [helper, written_pid(&federated.at("token.pid")), written_pid(&federated.at("token.child"))];
    federated.product.kill_daemon();
    for pid in pids {
        wait_until("it is gone", || is_gone(pid));
    }
    let _ = asking.unwrap().wait();
}

#[test]
fn a_daemon_that_ends_takes_its_helper_with_it() {
    let (federated, daemon) = started(Federated::by_command("echo x"));
    let helper = helper_of(daemon).unwrap();
    assert_eq!(federated.product.run(&["daemon", "stop"]).code, 0);
    wait_until("the helper is gone", || is_gone(helper));
}

#[test]
fn a_helper_that_died_is_said_and_the_rest_goes_on() {
    let (federated, daemon) = started(Federated::by_command("cat \"${0%token}token.jwt\""));
    let product = &federated.product;
    let helper = helper_of(daemon).unwrap();
    assert_eq!(run(product.command("kill").args(["-9", &helper.to_string()])).code, 0);
    wait_until("it is noticed", || product.run(&["status"]).stdout.contains("the helper process"));
    let ended = product.credentials("ci");
    assert_eq!(ended.code, 14, "{ended:?}");
    let said = "the helper process, which runs what the settings name, has ended (signal: 9 (SIGKILL)); run: tegata daemon stop";
    assert_eq!(ended.stderr.trim_end(), format!("tegata: {said}"));
    product.sign_in();
    assert_eq!(product.credentials("dev").code, 0, "what needs no helper");
    assert_eq!(product.run(&["daemon", "stop"]).code, 0);
    assert_eq!(product.credentials("ci").code, 0, "the next daemon has its own");
    assert_eq!(product.run(&["daemon", "stop"]).code, 0);
}

fn refused(product: &Product, code: i32) -> String {
    let ended = product.credentials("ci");
    assert_eq!((ended.code, ended.stdout.as_str()), (code, ""), "{ended:?}");
    let line = ended.stderr.trim_end().to_owned();
    assert!(line.lines().count() == 1 && !line.contains(char::is_control), "{line:?}");
    line
}

fn with_a_second(text: &str) -> Federated {
    let settings = |federated: &Federated| {
        let program = federated.script("token", text);
        format!(
            "[limits]\ncommand_seconds = 1\n[profile.ci]\nweb_identity = {{ command = [\"{}\"] }}\n",
            program.display()
        )
    };
    started(Federated::new(|_| String::new(), settings)).0
}

#[test]
fn a_command_that_hangs_is_ended_in_its_time() {
    let federated = with_a_second(HANGS);
    let line = refused(&federated.product, 14);
    assert!(line.ends_with("/token did not end within 1 s and was killed"), "{line}");
    for name in ["token.pid", "token.child"] {
        let pid = written_pid(&federated.at(name));
        wait_until("it is gone", || is_gone(pid));
    }
}

#[test]
fn a_command_that_floods_is_ended() {
    let line = refused(&with_a_second("yes").product, 14);
    assert!(line.contains("/token was killed: it writes more than 64 KiB to stdout"), "{line}");
}

#[test]
fn what_a_command_says_can_not_command_a_terminal_and_shows_no_token() {
    let federated =
        with_a_second("printf '\\033]0;x\\007\\033[2J token=' >&2; cat \"${0%token}token.jwt\" >&2; exit 1");
    let line = refused(&federated.product, 14);
    assert!(line.contains("\\u{1b}]0;x\\u{7}\\u{1b}[2J …"), "{line}");
    federated.product.assert_no_canaries();
}

#[test]
fn a_command_that_others_can_change_is_not_run() {
    let federated = with_a_second("touch \"$0.ran\"; echo x");
    let program: PathBuf = federated.at("token");
    assert_eq!(run(federated.product.command("chmod").arg("o+w").arg(&program)).code, 0);
    let line = refused(&federated.product, 13);
    let expected = format!("{} can be written by others; run: chmod go-w {}", program.display(), program.display());
    assert!(line.ends_with(&expected), "{line}");
    assert!(!federated.at("token.ran").exists());
}

#[test]
fn a_command_finds_nothing_of_the_daemon() {
    let mut federated = Federated::by_command(
        "env >\"$0.env\"; ls /proc/self/fd | tr '\\n' ' ' >\"$0.fds\"; cat \"${0%token}token.jwt\"",
    );
    for (name, value) in
        [("AWS_PROFILE", "evil"), ("HTTPS_PROXY", "http://evil"), ("LD_LIBRARY_PATH", "/x"), ("SSH_AUTH_SOCK", "/x")]
    {
        federated.product.environment.push((name.to_owned(), value.to_owned()));
    }
    let (federated, _) = started(federated);
    assert_eq!(federated.product.credentials("ci").code, 0);
    let environment = fs::read_to_string(federated.at("token.env")).unwrap();
    let mut names: Vec<&str> = environment.lines().filter_map(|line| line.split('=').next()).collect();
    names.retain(|name| !["PWD", "OLDPWD", "SHLVL", "_"].contains(name));
    names.sort_unstable();
    assert_eq!(names, ["HOME", "LANG", "PATH", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR", "XDG_STATE_HOME"]);
    assert!(environment.contains("PATH=/usr/local/bin:/usr/bin:/bin\n"), "{environment}");
    assert_eq!(fs::read_to_string(federated.at("token.fds")).unwrap(), "0 1 2 3 ", "3 is the listing itself");
}
