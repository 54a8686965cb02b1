//! Auto-start: `tegata` copied to a place of its own, with a program in place of `tegatad` beside it.

use crate::support::{Home, Run, eventually, serve_until_ended, words, write_program};
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::Command;

const CREDENTIALS: &str = r#"{"Version":1,"SecretAccessKey":"s"}"#;
const DEV: &str = "credential-process --profile dev";

/// A directory with `tegata` and perhaps `tegatad`, and a home to run in.
struct Installed {
    home: Home,
    programs: tempfile::TempDir,
}

impl Installed {
    /// Installs `tegata` alone.
    fn alone() -> Self {
        // Beside the build, so that a link does; the socket stays in the home, whose path is short.
        let programs = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let program = programs.path().join("tegata");
        if std::fs::hard_link(env!("CARGO_BIN_EXE_tegata"), &program).is_err() {
            std::fs::copy(env!("CARGO_BIN_EXE_tegata"), &program).unwrap();
        }
        Self { home: Home::new(), programs }
    }

    /// Installs `tegata`, and a `tegatad` that notes how it was started and then does as `script` says.
    fn with_daemon(script: &str) -> Self {
        let installed = Self::alone();
        let notes = installed.home.path().display().to_string();
        let text = format!(
            "echo \"$*\" >> {notes}/starts\n\
             cat /proc/$$/environ > {notes}/environ\n\
             readlink /proc/$$/cwd > {notes}/cwd\n\
             {script}"
        );
        write_program(&installed.programs.path().join("tegatad"), &text);
        installed
    }

    /// Installs `tegata` and a `tegatad` that serves credentials: this test program, in its second role.
    fn with_serving_daemon() -> Self {
        Self::with_daemon(&format!(
            "STAND_IN=1 exec {} --exact --ignored start::stand_in_for_tegatad",
            std::env::current_exe().unwrap().display()
        ))
    }

    fn tegata(&self, line: &str) -> Command {
        let model = self.home.tegata(words(line));
        let mut command = Command::new(self.programs.path().join("tegata"));
        command.args(model.get_args()).env_clear();
        command
            .envs(model.get_envs().filter_map(|(name, value)| Some((name, value?))))
            .stdin(std::process::Stdio::null());
        command.current_dir(self.home.path());
        command
    }

    fn run(&self, line: &str) -> Run {
        Run::of(&mut self.tegata(line))
    }

    fn note(&self, name: &str) -> String {
        std::fs::read_to_string(self.home.path().join(name)).unwrap_or_default()
    }

    fn starts(&self) -> usize {
        self.note("starts").lines().count()
    }
}

impl Drop for Installed {
    fn drop(&mut self) {
        if UnixStream::connect(self.home.socket()).is_ok() {
            self.run("daemon stop");
        }
    }
}

/// Not a test: the program the tests below start in place of `tegatad`.
#[test]
#[ignore = "run by the tests of auto-start, in place of tegatad"]
#[allow(clippy::disallowed_methods, reason = "reads what the test that starts it has set")]
fn stand_in_for_tegatad() {
    if std::env::var_os("STAND_IN").is_none() {
        return;
    }
    std::thread::spawn(|| {
        std::thread::sleep(std::time::Duration::from_secs(300));
        std::process::exit(1);
    });
    let socket = PathBuf::from(std::env::var_os("TEGATA_SOCKET").unwrap());
    let notes = PathBuf::from(std::env::var_os("HOME").unwrap());
    std::fs::write(notes.join("descriptors"), open_files().join("\n")).unwrap();
    let _ = std::fs::remove_file(&socket);
    serve_until_ended(&socket, CREDENTIALS);
    std::fs::remove_file(&socket).unwrap();
}

fn expected() -> String {
    format!("{CREDENTIALS}\n")
}

#[test]
fn the_first_command_starts_the_daemon_and_the_second_finds_it() {
    let installed = Installed::with_serving_daemon();
    assert_eq!(installed.run(DEV).is_quiet_success(), expected());
    assert_eq!(installed.run(DEV).is_quiet_success(), expected());
    assert_eq!(installed.note("starts"), "--detach\n");
}

#[test]
fn racing_commands_end_with_one_daemon() {
    let installed = Installed::with_serving_daemon();
    let racing: Vec<_> = (0..20)
        .map(|_| {
            let mut command = installed.tegata(DEV);
            command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap()
        })
        .collect();
    for process in racing {
        assert_eq!(Run::from(process.wait_with_output().unwrap()).is_quiet_success(), expected());
    }
    assert_eq!(installed.starts(), 1);
}

#[test]
fn a9_a_stale_socket_is_a_reason_to_start() {
    let installed = Installed::with_serving_daemon();
    drop(UnixListener::bind(installed.home.socket()).unwrap());
    assert_eq!(installed.run(DEV).is_quiet_success(), expected());
    assert_eq!(installed.starts(), 1);
}

#[test]
fn d13_the_daemon_gets_the_short_list_of_variables_and_no_other() {
    let installed = Installed::with_serving_daemon();
    let mut command = installed.tegata(DEV);
    for name in [
        "AWS_PROFILE",
        "AWS_CONFIG_FILE",
        "AWS_ENDPOINT_URL",
        "AWS_ENDPOINT_URL_SSO",
        "AWS_ACCESS_KEY_ID",
        "AWS_CA_BUNDLE",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "https_proxy",
        "NO_PROXY",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
        "TEGATA_CONFIG",
        "TEGATA_LIBEXEC",
        "RUST_LOG",
        "RUST_BACKTRACE",
        "PATH",
        "LD_LIBRARY_PATH",
        "TMPDIR",
        "BROWSER",
        "SSH_AUTH_SOCK",
    ] {
        command.env(name, "/CANARY");
    }
    command.env("LC_MESSAGES", "C").env("DISPLAY", ":9").env("XDG_RUNTIME_DIR", installed.home.path());
    Run::of(&mut command).is_quiet_success();

    let environ = installed.note("environ");
    let mut names: Vec<_> = environ.split('\0').filter_map(|variable| variable.split('=').next()).collect();
    names.retain(|name| !name.is_empty());
    names.sort_unstable();
    assert_eq!(names, ["DISPLAY", "HOME", "LC_MESSAGES", "TEGATA_SOCKET", "XDG_RUNTIME_DIR"]);
    assert!(!environ.contains("CANARY"));
}

#[test]
fn e6_the_daemon_gets_nothing_else_of_its_starter() {
    let installed = Installed::with_serving_daemon();
    let input = installed.home.path().join("input");
    std::fs::write(&input, "").unwrap();
    let mut command = installed.tegata(DEV);
    Run::of(command.stdin(std::fs::File::open(&input).unwrap())).is_quiet_success();
    assert_eq!(installed.note("cwd"), "/\n");
    let descriptors = installed.note("descriptors");
    for standard in ["0 /dev/null", "1 /dev/null", "2 /dev/null"] {
        assert!(descriptors.lines().any(|line| line == standard), "{descriptors}");
    }
    // Whoever runs the tests may have left descriptors open to all: those are not of `tegata`.
    let from_outside = open_files().join("\n");
    let own: Vec<_> = descriptors.lines().skip(3).filter(|line| !from_outside.contains(line)).collect();
    assert_eq!(own, [""; 0], "{descriptors}");
}

/// Returns number and target of every descriptor of this process, but for the one that reads them.
fn open_files() -> Vec<String> {
    let numbers = std::fs::read_dir("/proc/self/fd").unwrap().map(|entry| entry.unwrap().path());
    let mut numbers: Vec<_> = numbers.collect();
    numbers.sort_by_key(|path| path.file_name().unwrap().to_str().unwrap().parse::<u32>().unwrap());
    let line = |path: PathBuf| {
        let target = path.read_link().ok()?;
        Some(format!("{} {}", path.file_name()?.display(), target.display()))
    };
    numbers.into_iter().filter_map(line).collect()
}

#[test]
fn the_start_lock_is_for_the_user_alone() {
    let installed = Installed::with_serving_daemon();
    installed.run(DEV).is_quiet_success();
    let lock = installed.home.path().join("start.lock").metadata().unwrap();
    assert_eq!(lock.mode() & 0o777, 0o600);
}

#[test]
fn a_symbolic_link_in_place_of_the_start_lock_is_not_followed() {
    let installed = Installed::with_serving_daemon();
    let target = installed.home.path().join("target");
    std::os::unix::fs::symlink(&target, installed.home.path().join("start.lock")).unwrap();
    assert!(installed.run(DEV).is_one_line(16).contains("cannot open"));
    assert!(!target.exists());
}

#[test]
fn a_daemon_that_fails_at_once_is_named_with_the_way_to_see_why() {
    let installed = Installed::with_daemon("exit 13");
    let run = installed.run(DEV);
    let program = installed.programs.path().canonicalize().unwrap().join("tegatad");
    let expected = format!("tegata: tegatad ended while starting (exit status: 13); run: {}", program.display());
    assert_eq!(run.is_one_line(16), expected);
    assert_eq!(installed.starts(), 1);
}

#[test]
fn a11_a_socket_deleted_under_a_running_daemon_is_a_clear_error() {
    // What a second daemon does when the first holds the lock: it gives way.
    let installed = Installed::with_daemon("exit 0");
    let run = installed.run(DEV);
    let expected = format!(
        "tegata: a tegatad runs, but nothing listens at {}; run: pkill -x tegatad",
        installed.home.socket().display()
    );
    assert_eq!(run.is_one_line(16), expected);
}

#[test]
fn a11_twin_a_daemon_that_makes_its_socket_again_is_found() {
    let installed = Installed::with_daemon("exit 0");
    let socket = installed.home.socket();
    let mut command = installed.tegata(DEV);
    let waiting = command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    eventually("a start", || (installed.starts() == 1).then_some(()));
    let serving = std::thread::spawn(move || serve_until_ended(&socket, CREDENTIALS));
    assert_eq!(Run::from(waiting.wait_with_output().unwrap()).is_quiet_success(), expected());
    installed.run("daemon stop");
    serving.join().unwrap();
}

#[test]
fn a_daemon_in_the_path_is_never_run() {
    let installed = Installed::alone();
    let elsewhere = tempfile::tempdir().unwrap();
    let trace = elsewhere.path().join("ran");
    write_program(&elsewhere.path().join("tegatad"), &format!("touch {}", trace.display()));
    let mut command = installed.tegata(DEV);
    command.env("PATH", elsewhere.path()).current_dir(elsewhere.path());
    let run = Run::of(&mut command);
    assert!(!trace.exists());
    if !Path::new("/usr/lib/tegata/tegatad").exists() {
        assert!(run.is_one_line(16).contains("the daemon is not installed"));
    }
}

#[test]
fn a7_what_is_not_a_socket_is_left_alone_and_nothing_is_started() {
    let installed = Installed::with_serving_daemon();
    std::fs::write(installed.home.socket(), "precious").unwrap();
    assert!(installed.run(DEV).is_one_line(16).contains("is not a socket"));
    assert_eq!(std::fs::read_to_string(installed.home.socket()).unwrap(), "precious");
    assert_eq!(installed.starts(), 0);
    std::fs::remove_file(installed.home.socket()).unwrap();
}

#[test]
fn a6_nothing_is_started_in_a_directory_others_write_to() {
    use std::os::unix::fs::PermissionsExt;
    let installed = Installed::with_serving_daemon();
    let open = installed.home.path().join("open");
    std::fs::create_dir(&open).unwrap();
    std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o777)).unwrap();
    let mut command = installed.tegata(DEV);
    command.env("TEGATA_SOCKET", open.join("t.sock"));
    let run = Run::of(&mut command);
    assert_eq!(
        run.is_one_line(16),
        format!("tegata: {0} can be written to by other users; run: chmod go-w {0}", open.display())
    );
    assert_eq!((installed.starts(), std::fs::read_dir(&open).unwrap().count()), (0, 0));
}

#[test]
fn a6_twin_the_directory_is_made_for_the_user_alone() {
    let installed = Installed::with_serving_daemon();
    let directory = installed.home.path().join("new/run");
    let mut command = installed.tegata(DEV);
    command.env("TEGATA_SOCKET", directory.join("t.sock"));
    assert_eq!(Run::of(&mut command).is_quiet_success(), expected());
    assert_eq!(directory.metadata().unwrap().mode() & 0o777, 0o700);
    let mut stop = installed.tegata("daemon stop");
    stop.env("TEGATA_SOCKET", directory.join("t.sock"));
    Run::of(&mut stop);
}

#[test]
fn policy_check_has_the_daemons_own_reader_read_the_files() {
    let installed = Installed::with_daemon("exit 0");
    let server = crate::support::Server::always_json(
        &installed.home,
        200,
        &serde_json::json!({"rules": 1, "weaker": ["rule prod: 1 h instead of 15 min"]}),
    );
    let run = Run::of(&mut installed.tegata("policy check"));
    let said = run.is_quiet_success();
    assert!(said.starts_with("The settings can be used. 1 rule is in force.\nWeaker"), "{said}");
    assert!(said.ends_with("Accept it with: tegata policy accept\n"), "{said}");
    assert_eq!(server.lines(), ["GET /v1/policy"]);
    let run = Run::of(&mut installed.tegata("policy check ./a.toml"));
    assert_eq!(run.is_quiet_success(), "./a.toml can be used.\n");
    assert_eq!(server.lines().len(), 1, "a file that is not in use says nothing about what is in force");
    let starts = std::fs::read_to_string(installed.home.path().join("starts")).unwrap();
    assert_eq!(starts, "--check-settings\n--check-settings ./a.toml\n");
}

#[test]
fn policy_check_ends_with_13_and_the_first_fault() {
    let installed = Installed::with_daemon("echo 'tegatad: a.toml: line 3: x' >&2; echo 'tegatad: y' >&2; exit 13");
    let run = Run::of(&mut installed.tegata("policy check"));
    assert_eq!(run.is_one_line(13), "tegata: a.toml: line 3: x (and 1 more)");
}
