use super::*;
use std::collections::BTreeMap;

/// The environment a user of an ordinary Linux desktop has, with `changes` made to it; an empty value unsets.
fn decide(changes: &[(&str, &str)]) -> Result<Environment, EnvironmentError> {
    let mut variables: BTreeMap<String, OsString> = BTreeMap::new();
    for (name, value) in [("HOME", "/home/kim"), ("XDG_RUNTIME_DIR", "/run/user/1000")].iter().chain(changes) {
        variables.insert((*name).to_owned(), OsString::from(value));
    }
    // As `dirs` does: relative and empty count as unset.
    let directory = |name: &str| variables.get(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let home = directory("HOME");
    let directories = Directories {
        config: directory("XDG_CONFIG_HOME").or_else(|| home.as_ref().map(|home| home.join(".config"))),
        state: directory("XDG_STATE_HOME").or_else(|| home.as_ref().map(|home| home.join(".local/state"))),
        runtime: directory("XDG_RUNTIME_DIR"),
        home,
    };
    let names: Vec<OsString> = variables.keys().map(OsString::from).collect();
    Environment::decide(&|name| variables.get(name).cloned(), &names, &directories, 77)
}

fn socket(changes: &[(&str, &str)]) -> Result<PathBuf, EnvironmentError> {
    decide(changes).map(|environment| environment.places.socket)
}

#[test]
fn an_ordinary_desktop_has_everything_in_its_place() {
    let places = decide(&[]).unwrap().places;
    assert_eq!(places.socket, Path::new("/run/user/1000/tegata/tegata.sock"));
    assert_eq!(places.state_dir, Path::new("/home/kim/.local/state/tegata"));
    assert_eq!(places.config_toml, Path::new("/home/kim/.config/tegata/config.toml"));
    assert_eq!(places.aws_config, Path::new("/home/kim/.aws/config"));
}

#[test]
fn overrides_are_followed() {
    let places = decide(&[
        ("TEGATA_SOCKET", "/x/s.sock"),
        ("TEGATA_CONFIG", "/x/c.toml"),
        ("XDG_STATE_HOME", "/x/state"),
        ("XDG_CONFIG_HOME", "/x/config"),
    ])
    .unwrap()
    .places;
    assert_eq!(places.socket, Path::new("/x/s.sock"));
    assert_eq!(places.config_toml, Path::new("/x/c.toml"));
    assert_eq!(places.state_dir, Path::new("/x/state/tegata"));
}

#[test]
fn a12_without_a_runtime_directory_the_socket_lies_in_the_state_directory() {
    assert_eq!(socket(&[("XDG_RUNTIME_DIR", "")]).unwrap(), Path::new("/home/kim/.local/state/tegata/run/tegata.sock"));
}

#[test]
fn a12_a_relative_path_is_an_error_that_names_the_variable() {
    for variable in ["XDG_RUNTIME_DIR", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "TEGATA_SOCKET", "TEGATA_CONFIG"] {
        let error = decide(&[(variable, "run/x")]).unwrap_err();
        assert!(matches!(error, EnvironmentError::Relative { .. }), "{variable}: {error:?}");
        assert!(error.to_string().contains(variable), "{error}");
    }
}

#[test]
fn a12_a_socket_path_the_kernel_has_no_room_for_is_an_error_that_tells_the_length() {
    let path = format!("/{}", "x".repeat(MAX_SOCKET_PATH));
    let error = socket(&[("TEGATA_SOCKET", &path)]).unwrap_err();
    assert!(error.to_string().contains("108 bytes"), "{error}");
    let deep = format!("/run/{}", "d".repeat(100));
    assert!(matches!(socket(&[("XDG_RUNTIME_DIR", &deep)]), Err(EnvironmentError::SocketPathTooLong { .. })));
}

#[test]
fn a12_twin_the_longest_path_that_fits_is_taken() {
    let path = format!("/{}", "x".repeat(MAX_SOCKET_PATH - 1));
    assert_eq!(socket(&[("TEGATA_SOCKET", &path)]).unwrap(), Path::new(&path));
}

#[test]
fn a12_a_socket_path_must_name_a_file() {
    for path in ["/", "/run/x/", "/run/.."] {
        assert!(socket(&[("TEGATA_SOCKET", path)]).is_err(), "{path}");
    }
}

#[test]
fn a12_without_a_home_the_error_names_what_to_set() {
    let error = decide(&[("HOME", "")]).unwrap_err();
    assert!(error.to_string().contains("set HOME"), "{error}");
}

#[test]
fn a13_no_value_makes_the_socket_abstract() {
    for path in ["@tegata", "\0tegata", "/run/x/\0tegata"] {
        assert!(socket(&[("TEGATA_SOCKET", path)]).is_err(), "{path:?}");
    }
}

#[test]
fn d13_what_would_bend_the_daemon_is_ignored_and_reported_by_name_only() {
    let names = [
        "AWS_ENDPOINT_URL",
        "AWS_ENDPOINT_URL_STS",
        "AWS_CA_BUNDLE",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_PROFILE",
        "AWS_CONFIG_FILE",
        "HTTPS_PROXY",
        "http_proxy",
        "ALL_PROXY",
        "no_proxy",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
        "TEGATA_STORE",
    ];
    let set: Vec<(&str, &str)> = names.iter().map(|name| (*name, "CANARY-value")).collect();
    let environment = decide(&set).unwrap();
    assert_eq!(environment.ignored.len(), names.len(), "{:?}", environment.ignored);
    assert_eq!(environment.places, decide(&[]).unwrap().places);
    let warnings = environment.warnings();
    assert_eq!(warnings.len(), 1);
    assert!(names.iter().all(|name| warnings[0].contains(name)), "{warnings:?}");
    assert!(!format!("{environment:?}{warnings:?}").contains("CANARY"));
}

#[test]
fn d13_a_hostile_name_stays_one_printable_line() {
    let warnings = decide(&[("AWS_\u{1b}[2J\n", "x")]).unwrap().warnings();
    assert!(!warnings[0].chars().any(char::is_control), "{warnings:?}");
}

#[test]
fn d13_twin_what_the_daemon_does_obey_is_not_reported() {
    let environment = decide(&[("TEGATA_SOCKET", "/x/s"), ("TEGATA_LOG", "debug"), ("PATH", "/bin")]).unwrap();
    assert!(environment.ignored.is_empty() && environment.warnings().is_empty());
}

#[test]
fn the_log_level_is_tegatas_own_or_the_usual_one() {
    assert_eq!(decide(&[("RUST_LOG", "warn")]).unwrap().log.as_deref(), Some("warn"));
    assert_eq!(decide(&[("RUST_LOG", "warn"), ("TEGATA_LOG", "debug")]).unwrap().log.as_deref(), Some("debug"));
    assert_eq!(decide(&[("RUST_LOG", "")]).unwrap().log, None);
}

#[test]
fn sockets_passed_to_another_process_are_not_ours() {
    let activated = |pid| decide(&[("LISTEN_FDS", "1"), ("LISTEN_PID", pid)]).unwrap().activated;
    assert!(activated("77"));
    assert!(!activated("78") && !activated(""));
}

#[test]
fn a_session_bus_is_noticed() {
    assert!(decide(&[("DBUS_SESSION_BUS_ADDRESS", "unix:path=/run/user/1000/bus")]).unwrap().session_bus);
    assert!(!decide(&[("DBUS_SESSION_BUS_ADDRESS", "")]).unwrap().session_bus);
}

#[test]
fn the_real_environment_can_be_read() {
    let places = Environment::read().unwrap().places;
    assert!(places.socket.is_absolute() && places.state_dir.is_absolute());
}

#[test]
fn a_command_finds_a_short_list_of_variables_whoever_started_the_daemon() {
    let variables = [
        ("PATH", "/tmp/evil"),
        ("LANG", "ja_JP.UTF-8"),
        ("USER", "kim"),
        ("DISPLAY", ":0"),
        ("SSH_AUTH_SOCK", "/tmp/agent"),
        ("LD_PRELOAD", "/tmp/evil.so"),
        ("HTTPS_PROXY", "http://evil"),
        ("AWS_PROFILE", "evil"),
        ("TEGATA_LOG", "debug"),
        ("PYTHONPATH", "/tmp/evil"),
    ];
    let mut found = decide(&variables).unwrap().for_commands;
    found.sort();
    let expected = [
        ("HOME", "/home/kim"),
        ("LANG", "ja_JP.UTF-8"),
        ("PATH", "/usr/local/bin:/usr/bin:/bin"),
        ("USER", "kim"),
        ("XDG_RUNTIME_DIR", "/run/user/1000"),
    ];
    assert_eq!(found, expected.map(|(name, value)| (name.into(), value.into())));
}

#[test]
fn a_task_is_told_a_path_and_nothing_else() {
    let task = |path: &str| decide(&[(TASK, path)]).unwrap().task;
    assert_eq!(task("/v2/credentials/6f1a-1b_0.e~"), TaskPath::At("/v2/credentials/6f1a-1b_0.e~".to_owned()));
    for wrong in [
        "v2/credentials",
        "//evil.example/x",
        "/v2//x",
        "/v2/../../x",
        "/./x",
        "/v2/credentials/",
        "/x?y=1",
        "/x#y",
        "/a b",
        "/a\nb",
        "http://169.254.170.2/x",
        "/x@evil.example",
        "/%2e%2e/x",
        "/é",
        &format!("/{}", "x".repeat(1024)),
    ] {
        assert_eq!(task(wrong), TaskPath::Wrong, "{wrong}");
    }
    assert_eq!(task(""), TaskPath::None);
    let full = [("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.23/v1/credentials")];
    assert_eq!(decide(&full).unwrap().task, TaskPath::FullUri);
    assert_eq!(decide(&full).unwrap().ignored, ["AWS_CONTAINER_CREDENTIALS_FULL_URI"]);
    assert!(decide(&[(TASK, "/v2/x")]).unwrap().ignored.is_empty(), "it is obeyed");
}
