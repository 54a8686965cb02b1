//! `exec` and `shell`: what the command gets and does not get, how it is told of signals, how it ends.

use crate::support::{Home, Request, Run, Server, eventually, json, write_program};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json as value};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};

/// Answers every request for credentials, in the form it asks for.
fn credentials(request: &Request) -> crate::support::Reply {
    let token = if request.line().contains("form=container") { "Token" } else { "SessionToken" };
    json(
        200,
        &value!({"AccessKeyId": "ASIAX", "SecretAccessKey": "CANARYsk", token: "CANARYst",
            "Expiration": "2026-11-22T09:07:58Z", "AccountId": "123456789012"}),
    )
}

fn home(config: &str) -> Home {
    let home = Home::new();
    std::fs::create_dir(home.path().join(".aws")).unwrap();
    std::fs::write(home.path().join(".aws/config"), config).unwrap();
    home
}

const CONFIG: &str = "[profile dev]\nregion = eu-west-1\noutput = json\ncredential_process = /bin/false\n";

fn exec(home: &Home, options: &str, command: &[&str]) -> Command {
    let mut tegata = home.tegata(std::iter::once("exec").chain(options.split_whitespace()).chain(["--"]));
    tegata.args(command).env("PATH", "/usr/bin:/bin");
    tegata
}

#[test]
fn e5_the_command_has_an_endpoint_a_profile_without_credentials_and_no_key() {
    let (home, config) = (home(CONFIG), "config.seen");
    let server = Server::start(&home, credentials);
    let mut command = exec(&home, "dev", &["sh", "-c", &format!("env; cat \"$AWS_CONFIG_FILE\" >{config}")]);
    let run = Run::of(command.env("AWS_ACCESS_KEY_ID", "AKIAOTHER").env("AWS_PROFILE", "other").env("EDITOR", "ed"));
    let seen = run.is_quiet_success();
    for expected in [
        "AWS_PROFILE=dev@tegata\n",
        "AWS_REGION=eu-west-1\n",
        "AWS_DEFAULT_REGION=eu-west-1\n",
        "TEGATA_PROFILE=dev\n",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI=http://127.0.0.1:",
        "EDITOR=ed\n",
    ] {
        assert!(seen.contains(expected), "{expected} is not in {seen}");
    }
    assert!(!seen.contains("OTHER") && !seen.contains("CANARY") && !seen.contains("AWS_ACCESS_KEY_ID"), "{seen}");
    let config = std::fs::read_to_string(home.path().join(config)).unwrap();
    assert!(
        config.starts_with(CONFIG) && config.ends_with("[profile dev@tegata]\noutput = json\nregion = eu-west-1\n"),
        "{config}"
    );
    assert_eq!(server.lines(), ["GET /v1/credentials?profile=dev&form=container"]);
    let left: Vec<_> = std::fs::read_dir(home.path()).unwrap().flatten().map(|entry| entry.file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().contains("exec-")), "{left:?}");
}

#[test]
fn e5_with_env_the_command_has_variables_in_place_of_tegata_itself() {
    let home = home(CONFIG);
    let _server = Server::start(&home, credentials);
    let child = exec(&home, "dev --env", &["sh", "-c", "echo $$; env; exit 3"]).stdout(Stdio::piped()).spawn().unwrap();
    let pid = child.id();
    let run = Run::from(child.wait_with_output().unwrap());
    assert_eq!(run.code, Some(3));
    assert!(run.stdout.starts_with(&format!("{pid}\n")), "the command is the process that was started: {run:?}");
    for expected in [
        "AWS_ACCESS_KEY_ID=ASIAX\n",
        "AWS_SECRET_ACCESS_KEY=CANARYsk\n",
        "AWS_SESSION_TOKEN=CANARYst\n",
        "AWS_CREDENTIAL_EXPIRATION=2026-11-22T09:07:58Z\n",
        "AWS_REGION=eu-west-1\n",
        "TEGATA_PROFILE=dev\n",
    ] {
        assert!(run.stdout.contains(expected), "{expected} is not in {run:?}");
    }
    assert!(!run.stdout.contains("AWS_CONTAINER") && !run.stdout.contains("AWS_PROFILE="), "{run:?}");
}

#[test]
fn nothing_is_run_before_there_are_credentials() {
    for (status, code, exit) in [
        (401, "sign_in_required", 10),
        (403, "elevation_required", 11),
        (403, "denied", 12),
        (404, "profile_unknown", 13),
    ] {
        let home = home(CONFIG);
        let _server =
            Server::always_json(&home, status, &value!({"code": code, "message": "it is so", "mend": "tegata mend"}));
        for options in ["dev --wait 0", "dev", "dev --env"] {
            let run = Run::of(&mut exec(&home, options, &["touch", "started"]));
            assert_eq!(run.is_one_line(exit), "tegata: it is so; run: tegata mend", "{options}");
            assert!(!home.path().join("started").exists(), "{options}");
        }
    }
}

#[test]
fn a_hand_is_waited_for_as_long_as_the_person_says() {
    let home = home(CONFIG);
    let server = Server::start(&home, |request| match request.line().contains("form=container") {
        true => json(403, &value!({"code": "elevation_required", "message": "dev is gated and waits for a hand"})),
        false => credentials(request),
    });
    for options in ["dev --wait 40", "dev"] {
        Run::of(&mut exec(&home, options, &["true"])).is_quiet_success();
    }
    let expected = ["form=container", "wait=40", "form=container", ""].map(|more| match more {
        "" => "GET /v1/credentials?profile=dev".to_owned(),
        more => format!("GET /v1/credentials?profile=dev&{more}"),
    });
    assert_eq!(server.lines(), expected);
}

fn listing(read_only: Value) -> Value {
    value!({"profiles": [{"name": "dev", "read_only": read_only}]})
}

#[test]
fn read_only_takes_the_sibling_that_the_daemon_names() {
    let home = home("[profile reader]\nregion = us-west-2\n");
    let server = Server::start(&home, |request| match request.line() {
        "GET /v1/profiles" => json(200, &value!({"profiles": [{"name": "a"}], "next_page": "1"})),
        "GET /v1/profiles?page=1" => json(200, &listing("reader".into())),
        _ => credentials(request),
    });
    let run = Run::of(&mut exec(&home, "dev --read-only", &["sh", "-c", "echo $TEGATA_PROFILE $AWS_REGION"]));
    assert_eq!(run.is_quiet_success(), "reader us-west-2\n");
    assert!(server.lines().iter().all(|line| !line.contains("profile=dev")), "{:?}", server.lines());
}

#[test]
fn where_there_is_no_read_only_sibling_nothing_is_run() {
    let home = home(CONFIG);
    let _server = Server::always_json(&home, 200, &listing(Value::Null));
    let run = Run::of(&mut exec(&home, "dev --read-only", &["touch", "started"]));
    assert!(run.is_one_line(13).contains("dev has no read-only sibling"), "{run:?}");
    let run = Run::of(&mut exec(&home, "nobody --read-only", &["touch", "started"]));
    assert!(run.is_one_line(13).contains("no profile \"nobody\""), "{run:?}");
    assert!(!home.path().join("started").exists());
}

#[test]
fn the_end_of_the_command_is_the_end_of_tegata() {
    let home = home(CONFIG);
    let _server = Server::start(&home, credentials);
    for code in [0, 1, 7, 255] {
        let run = Run::of(&mut exec(&home, "dev", &["sh", "-c", &format!("exit {code}")]));
        assert_eq!((run.code, run.stderr.as_str()), (Some(code), ""));
    }
    for signal in [1, 2, 3, 9, 11, 15] {
        let output = exec(&home, "dev", &["sh", "-c", &format!("kill -{signal} $$")]).output().unwrap();
        assert_eq!((output.status.signal(), output.stderr.len()), (Some(signal), 0), "{output:?}");
        assert!(!output.status.core_dumped(), "{output:?}");
    }
    let run = Run::of(&mut exec(&home, "dev", &["./missing"]));
    assert!(run.is_one_line(127).starts_with("tegata: cannot run ./missing: "));
    assert_eq!(Run::of(&mut exec(&home, "dev --env", &["/"])).code, Some(126));
}

#[test]
fn what_tegata_alone_is_told_reaches_the_command() {
    for (signal, name) in [(Signal::TERM, "TERM"), (Signal::HUP, "HUP"), (Signal::INT, "INT"), (Signal::USR1, "USR1")] {
        let home = home(CONFIG);
        let _server = Server::start(&home, credentials);
        let ready = home.path().join("ready");
        let wait = format!("trap 'exit 43' {name}; touch {}; while :; do sleep 0.05; done", ready.display());
        // A session of its own has no terminal, so none has told the command already.
        let mut setsid = Command::new("setsid");
        let tegata = exec(&home, "dev", &["sh", "-c", &wait]);
        setsid.arg("--wait").arg(tegata.get_program()).args(tegata.get_args()).env_clear();
        setsid.envs(tegata.get_envs().filter_map(|(name, value)| Some((name, value?)))).stdin(Stdio::null());
        let mut child = setsid.spawn().unwrap();
        eventually("the command", || ready.exists().then_some(()));
        kill_process(child_of(child.id()).unwrap_or(Pid::from_child(&child)), signal).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(43), "{name}");
    }
}

/// setsid(1) forks when it leads a group.
fn child_of(parent: u32) -> Option<Pid> {
    let children = std::fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).ok()?;
    let pid: i32 = children.split_whitespace().next()?.parse().ok()?;
    let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
    if name.trim() == "tegata" { Pid::from_raw(pid) } else { None }
}

#[test]
fn a_signal_that_is_ignored_stays_ignored_for_the_command() {
    let home = home(CONFIG);
    let _server = Server::start(&home, credentials);
    let tegata = exec(&home, "dev", &["grep", "SigIgn", "/proc/self/status"]);
    let words = std::iter::once(tegata.get_program()).chain(tegata.get_args()).map(|word| word.to_str().unwrap());
    let line = format!("trap '' HUP INT; {}", shlex::try_join(words).unwrap());
    let mut shell = Command::new("sh");
    shell.args(["-c", &line]).env_clear().envs(tegata.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let run = Run::of(shell.current_dir(home.path()));
    let mask = run.is_quiet_success().trim().rsplit('\t').next().unwrap().to_owned();
    let ignored = u64::from_str_radix(&mask, 16).unwrap();
    assert_eq!(ignored & 0b11, 0b11, "SIGHUP and SIGINT: {mask}");
}

#[test]
fn e6_the_command_has_the_descriptors_of_the_caller_and_none_of_tegatas() {
    let home = home(CONFIG);
    let _server = Server::start(&home, credentials);
    let tegata = exec(&home, "dev", &["ls", "/proc/self/fd"]);
    let words = std::iter::once(tegata.get_program()).chain(tegata.get_args()).map(|word| word.to_str().unwrap());
    let line = format!("exec 7</dev/null; ls /proc/self/fd; echo --; {}", shlex::try_join(words).unwrap());
    let mut shell = Command::new("sh");
    shell.args(["-c", &line]).env_clear().envs(tegata.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let run = Run::of(shell.current_dir(home.path()));
    // 7 was left open on purpose, as make and <(…) do.
    let (before, behind) = run.is_quiet_success().split_once("--\n").unwrap();
    assert!(before == behind && before.contains("7\n"), "{before:?} {behind:?}");
}

#[test]
fn standard_input_and_the_terminal_are_the_commands_own() {
    let home = home(CONFIG);
    let _server = Server::start(&home, credentials);
    std::fs::write(home.path().join("typed"), "typed\n").unwrap();
    let mut command = exec(&home, "dev", &["cat"]);
    let run = Run::of(command.stdin(std::fs::File::open(home.path().join("typed")).unwrap()));
    assert_eq!(run.is_quiet_success(), "typed\n");
    let run = home.run_on_terminal("exec dev -- /usr/bin/tty", "");
    assert!(run.code == Some(0) && run.stdout.starts_with("/dev/pts/"), "{run:?}");
}

#[test]
fn f4_no_program_of_the_user_reads_the_memory_of_exec() {
    let home = home(CONFIG);
    let _server = Server::start(&home, credentials);
    let look = "grep -c . /proc/$PPID/status; stat -c %U /proc/$PPID/mem; stat -c %U /proc/$$/mem";
    let mut command = exec(&home, "dev", &["sh", "-c", look]);
    let run = Run::of(&mut command);
    // The kernel gives what belongs to a process that is not dumpable to root (proc(5)).
    let seen: Vec<_> = run.is_quiet_success().lines().skip(1).map(str::to_owned).collect();
    assert_eq!(seen[0], "root", "{run:?}");
}

#[test]
fn a_shell_is_the_persons_own_and_not_within_another() {
    let home = home(CONFIG);
    let server = Server::start(&home, credentials);
    write_program(&home.path().join("mysh"), "echo $TEGATA_PROFILE in mysh; exit 5");
    let shell = home.path().join("mysh");
    let run = Run::of(home.tegata(["shell", "dev"]).env("SHELL", &shell));
    assert_eq!((run.code, run.stdout.as_str()), (Some(5), "dev in mysh\n"));
    let asked = server.lines().len();
    let nested = Run::of(home.tegata(["shell", "dev"]).env("SHELL", &shell).env("TEGATA_PROFILE", "outer"));
    assert!(nested.is_one_line(2).contains("this is a shell of outer already"));
    assert_eq!(server.lines().len(), asked, "nothing was asked for");
    let wanted = Run::of(home.tegata(["shell", "dev", "--nested"]).env("SHELL", &shell).env("TEGATA_PROFILE", "outer"));
    assert_eq!((wanted.code, wanted.stdout.as_str()), (Some(5), "dev in mysh\n"));
}

#[test]
fn e4_no_secret_is_in_the_arguments_of_anybody() {
    let home = home(CONFIG);
    let _server = Server::start(&home, credentials);
    let look = "tr '\\0' ' ' </proc/$PPID/cmdline; tr '\\0' ' ' </proc/$$/cmdline; echo; echo $AWS_CONTAINER_AUTHORIZATION_TOKEN";
    let run = Run::of(&mut exec(&home, "dev", &["sh", "-c", look]));
    let (arguments, token) = run.is_quiet_success().trim_end().rsplit_once('\n').unwrap();
    assert!(token.len() == 64 && !arguments.contains(token) && !arguments.contains("CANARY"), "{run:?}");
}
