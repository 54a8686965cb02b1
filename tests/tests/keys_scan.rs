//! `tegata keys scan` in a home where keys lie about, in one where none does, and before files that are meant to harm it.

use serde_json::Value;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use tegata_protocol::text::is_hostile;
use tegata_tests::product::{Ended, PATIENCE, Product, run};
use tegata_tests::terminal::Terminal;

/// Made up. The account in the first is 609629065308.
const ID: &str = "AKIAY34FZKBOKMUTVV7A";
const OTHER_ID: &str = "AKIAQNZGKIQY56JQ7WML";
const TEMPORARY: &str = "ASIAY34FZKBOKMUTVV7A";
const SECRET: &str = "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";
const PASSWORD: &str = "hT4vZx9QmLr2NcYwB7sKdEjGf0PaUi3oVnXqty8RbMk=";

/// Puts a file into the home, and its directories.
fn put(product: &Product, path: &str, text: impl AsRef<[u8]>) -> PathBuf {
    let path = product.path(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, text).unwrap();
    path
}

fn env_file() -> String {
    format!("AWS_ACCESS_KEY_ID={ID}\nAWS_SECRET_ACCESS_KEY={SECRET}\n")
}

/// Runs the command with `--json` and checks that nothing secret is said.
fn scan(product: &Product, arguments: &[&str]) -> (i32, Value) {
    let ended = product.run(&[&["keys", "scan", "--json"], arguments].concat());
    shows_no_secret(&ended);
    let json: Value = serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error}: {ended:?}"));
    assert_eq!(json["clean"], ended.code == 0, "{ended:?}");
    (ended.code, json)
}

fn shows_no_secret(ended: &Ended) {
    for secret in [ID, OTHER_ID, TEMPORARY, SECRET, PASSWORD] {
        for said in [&ended.stdout, &ended.stderr] {
            assert!(!said.contains(&secret[8..]) && !said.contains(&secret[..12]), "{secret}: {said}");
        }
    }
}

/// The findings of a file, by its path in the home.
fn of<'a>(json: &'a Value, path: &Path) -> Vec<&'a Value> {
    let path = path.canonicalize().unwrap();
    json["findings"].as_array().unwrap().iter().filter(|finding| finding["file"] == path.to_str().unwrap()).collect()
}

fn files(json: &Value) -> Vec<&str> {
    json["findings"].as_array().unwrap().iter().filter_map(|finding| finding["file"].as_str()).collect()
}

#[test]
fn a_home_without_keys_is_clean() {
    let product = Product::new();
    put(&product, ".bash_history", "ls\naws sts get-caller-identity --profile dev\n");
    let ended = product.run(&["keys", "scan"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{ended:?}");
    assert!(ended.stdout.starts_with("Nothing was found in "), "{ended:?}");
    let (code, json) = scan(&product, &[]);
    assert_eq!((code, &json["findings"], &json["not_looked_at"]), (0, &Value::Array(vec![]), &Value::Array(vec![])));
    assert!(!product.socket().exists(), "no daemon was started");
}

#[test]
fn a_home_where_keys_lie_about_names_each_with_its_command() {
    let mut product = Product::new();
    let credentials = put(
        &product,
        ".aws/credentials",
        format!("[default]\nregion = x\n[my work]\naws_access_key_id = {ID}\naws_secret_access_key = {SECRET}\n"),
    );
    fs::set_permissions(&credentials, fs::Permissions::from_mode(0o600)).unwrap();
    let cache = put(
        &product,
        ".aws/cli/cache/1f.json",
        format!("{{\"Credentials\":{{\"AccessKeyId\":\"{TEMPORARY}\",\"SecretAccessKey\":\"{SECRET}x\"}}}}")
            .replace("7rx", "7x"),
    );
    let sign_in = put(
        &product,
        ".aws/sso/cache/ee.json",
        format!("{{\"startUrl\":\"https://a\",\"refreshToken\":\"{}\"}}", "kQ7wZ2mX9rB4".repeat(9)),
    );
    let history = put(
        &product,
        ".zsh_history",
        format!(
            ": 1:0;git clone https://alice-at-609629065308:{PASSWORD}@git-codecommit.eu-west-1.amazonaws.com/v1/repos/x\n"
        ),
    );
    let env = put(&product, "work/.env", env_file());
    let state = put(&product, "work/infra/terraform.tfstate", format!("{{\"id\": \"{OTHER_ID}\"}}"));
    let code = put(&product, "work/main.py", env_file());
    product.environment.push(("AWS_SECRET_ACCESS_KEY".to_owned(), SECRET.to_owned()));
    let (exit, json) = scan(&product, &[]);
    assert_eq!(exit, 1);

    let quoted = |path: &Path| path.canonicalize().unwrap().display().to_string();
    let edit = |path: &Path, line: usize| format!("\"${{EDITOR:-vi}}\" +{line} {}", quoted(path));
    for (path, kind, severity, mend) in [
        (&credentials, "access_key", "error", "tegata keys import 'my work'".to_owned()),
        (&cache, "temporary_credentials", "warning", format!("rm {}", quoted(&cache))),
        (&sign_in, "sign_in_token", "warning", "tegata adopt-session".to_owned()),
        (&history, "service_password", "error", edit(&history, 1)),
        (&env, "access_key", "error", edit(&env, 1)),
        (&state, "access_key_id", "warning", edit(&state, 1)),
    ] {
        let found = of(&json, path);
        assert_eq!(found.len(), 1, "{}: {json:#}", path.display());
        assert_eq!(
            (found[0]["kind"].as_str(), found[0]["severity"].as_str(), found[0]["mend"].as_str()),
            (Some(kind), Some(severity), Some(mend.as_str()))
        );
    }
    assert_eq!(of(&json, &code).len(), 0, "a program is no file of a name that is looked for");
    let key = of(&json, &credentials)[0];
    assert_eq!(
        (&key["profile"], &key["account"], &key["key_id"], &key["secret"]),
        (&"my work".into(), &"609629065308".into(), &"AKIA…VV7A".into(), &"Tq7r".into())
    );
    assert_eq!((&key["line"], &key["column"], &key["readable_by"]), (&4.into(), &21.into(), &"owner".into()));
    assert_eq!(of(&json, &history)[0]["user"], "alice");
    let of_variables: Vec<_> =
        json["findings"].as_array().unwrap().iter().filter(|finding| finding["variables"].is_array()).collect();
    assert_eq!((of_variables.len(), &of_variables[0]["mend"]), (1, &"unset AWS_SECRET_ACCESS_KEY".into()));
    let severities: Vec<_> =
        json["findings"].as_array().unwrap().iter().map(|finding| finding["severity"].as_str().unwrap()).collect();
    assert!(severities.is_sorted(), "the worst first: {severities:?}");
}

#[test]
fn files_that_variables_name_are_looked_at() {
    let mut product = Product::new();
    let elsewhere =
        put(&product, "elsewhere/keys", format!("[ci]\naws_access_key_id={ID}\naws_secret_access_key={SECRET}\n"));
    let history = put(&product, "elsewhere/history", format!("echo {OTHER_ID}\n"));
    product.environment.push(("AWS_SHARED_CREDENTIALS_FILE".to_owned(), elsewhere.display().to_string()));
    product.environment.push(("HISTFILE".to_owned(), history.display().to_string()));
    let (_, json) = scan(&product, &[]);
    assert_eq!(of(&json, &elsewhere)[0]["mend"], "tegata keys import ci");
    assert_eq!(of(&json, &history).len(), 1, "{json:#}");
}

#[test]
fn a_named_tree_is_looked_at_whole_but_for_what_is_left_out() {
    let product = Product::new();
    for path in [
        "src/a.py",
        "src/node_modules/x/b.js",
        "src/target/c.rs",
        "src/fixtures/d.txt",
        "src/e.lock",
        "src/.git/objects/f",
        "src/.git/config",
    ] {
        put(&product, path, env_file());
    }
    let root = product.path("src").display().to_string();
    let found = |arguments: &[&str]| {
        let (_, json) = scan(&product, &[&[root.as_str()], arguments].concat());
        let name = |file: &str| file.rsplit('/').next().unwrap().to_owned();
        files(&json).into_iter().map(name).collect::<Vec<_>>()
    };
    assert_eq!(found(&[]), ["a.py", "e.lock", "config", "d.txt"]);
    assert_eq!(found(&["--exclude", "*.lock", "--exclude", "*/fixtures"]), ["a.py", "config"]);
    assert_eq!(found(&["--all", "--exclude", "src"]).len(), 7, "what is named is looked at");
    let one = product.path("src/target/c.rs").display().to_string();
    assert_eq!(files(&scan(&product, &[&one]).1).len(), 1, "and so is a file");
    let ended = product.run(&["keys", "scan", "/nowhere/at/all"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{ended:?}");
    assert!(ended.stderr.starts_with("tegata: cannot look at /nowhere/at/all: "), "{ended:?}");
}

#[test]
fn what_git_tracks_is_told_from_what_it_does_not() {
    let product = Product::new();
    let (tracked, untracked) = (put(&product, "repo/sub/a.tf", env_file()), put(&product, "repo/b.env", env_file()));
    let repo = product.path("repo");
    let git = |version: &str, arguments: &[&str]| {
        let mut git = Command::new("git");
        git.arg("-C").arg(&repo).args(["-c", &format!("index.version={version}")]).args(arguments);
        let ended = run(git.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null"));
        assert_eq!(ended.code, 0, "{ended:?}");
    };
    git("2", &["init", "--quiet"]);
    let states = || {
        let (_, json) = scan(&product, &[repo.to_str().unwrap()]);
        [&tracked, &untracked].map(|file| of(&json, file)[0]["git"].as_str().unwrap().to_owned())
    };
    assert_eq!(states(), ["untracked", "untracked"]);
    for version in ["2", "4"] {
        git(version, &["add", "sub/a.tf"]);
        git(version, &["update-index", "--index-version", version]);
        assert_eq!(states(), ["tracked", "untracked"], "version {version}");
    }
    let ended = product.run(&["keys", "scan", repo.to_str().unwrap()]);
    assert!(ended.stdout.contains("git tracks it") && ended.stdout.contains("stays in its history"), "{ended:?}");
}

#[test]
fn who_can_read_a_file_depends_on_the_way_to_it() {
    let product = Product::new();
    let open = put(&product, "d/open", env_file());
    fs::set_permissions(&open, fs::Permissions::from_mode(0o644)).unwrap();
    let reach =
        || scan(&product, &[open.to_str().unwrap()]).1["findings"][0]["readable_by"].as_str().unwrap().to_owned();
    assert_eq!(reach(), "owner", "the home is private");
    fs::set_permissions(product.path(""), fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(reach(), "everybody");
    fs::set_permissions(product.path("d"), fs::Permissions::from_mode(0o700)).unwrap();
    assert_eq!(reach(), "owner");
}

#[test]
fn what_is_no_file_is_not_opened_and_links_are_not_followed() {
    let product = Product::new();
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("keys"), env_file()).unwrap();
    let root = product.path("tree");
    fs::create_dir(&root).unwrap();
    symlink(outside.path(), root.join("out")).unwrap();
    symlink(outside.path().join("keys"), root.join("out.env")).unwrap();
    symlink(&root, root.join("loop")).unwrap();
    symlink("/dev/zero", root.join("zero.env")).unwrap();
    symlink("nowhere", root.join("dangling.env")).unwrap();
    let made = Command::new("mkfifo").arg(root.join("pipe.env")).status().unwrap();
    assert!(made.success());
    let _socket = UnixListener::bind(root.join("s.env")).unwrap();
    fs::write(root.join("binary.env"), [b"\0\x01".as_slice(), env_file().as_bytes()].concat()).unwrap();
    let (code, json) = scan(&product, &[root.to_str().unwrap()]);
    assert_eq!(
        (code, &json["looked_at"]["passed_by"], &json["looked_at"]["files"]),
        (0, &8.into(), &0.into()),
        "{json:#}"
    );
    // The usual places: a link within the home is followed, one out of it is named.
    symlink(put(&product, "dotfiles/bashrc", env_file()), product.path(".bashrc")).unwrap();
    symlink(outside.path().join("keys"), product.path(".profile")).unwrap();
    symlink("/dev/zero", product.path(".zshrc")).unwrap();
    let (code, json) = scan(&product, &[]);
    assert_eq!((code, of(&json, &product.path("dotfiles/bashrc")).len()), (1, 1), "{json:#}");
    let not_looked_at: Vec<_> = json["not_looked_at"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["path"].as_str().unwrap().rsplit('/').next().unwrap())
        .collect();
    assert_eq!(not_looked_at, [".profile", ".zshrc"], "{json:#}");
    let without = ["--exclude", ".profile", "--exclude", "*/.zshrc", "--exclude", "bashrc"];
    assert_eq!(scan(&product, &without).0, 0, "whoever has them so leaves them out");
    // Whoever names a link means what it leads to.
    assert_eq!(files(&scan(&product, &[root.join("out.env").to_str().unwrap()]).1).len(), 1);
}

#[test]
fn what_could_not_be_looked_at_is_said_and_counts() {
    let product = Product::new();
    let large = put(&product, "tree/large.log", vec![b'a'; 10_000]);
    fs::OpenOptions::new().write(true).open(&large).unwrap().set_len(1 << 30).unwrap();
    let deep = (0..110).fold(product.path("tree"), |path, _| path.join("d"));
    fs::create_dir_all(&deep).unwrap();
    fs::write(deep.join(".env"), env_file()).unwrap();
    let root = product.path("tree");
    let ended = product.run(&["keys", "scan", root.to_str().unwrap()]);
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(
        ended.stdout.contains("large.log is larger than 64 MiB\n")
            && ended.stdout.contains("is more than 100 directories deep"),
        "{ended:?}"
    );
    let (code, _) = scan(&product, &[root.to_str().unwrap(), "--exclude", "*.log", "--exclude", "d"]);
    assert_eq!(code, 0, "what is left out by hand is nobody's fault");
}

#[test]
fn hostile_names_and_lines_are_shown_escaped_and_in_time() {
    let product = Product::new();
    put(&product, "tree/a\n\u{1b}[31mred\u{202e}.env", env_file());
    let mut odd = b"caf\xe9 = 1\n".to_vec();
    odd.extend_from_slice(env_file().as_bytes());
    put(&product, "tree/latin1.txt", odd);
    let windows: Vec<u8> = format!("\u{feff}{}", env_file()).encode_utf16().flat_map(u16::to_le_bytes).collect();
    put(&product, "tree/windows.ps1", windows);
    let minified = format!(
        "{}{{accessKeyId:\"{ID}\",secretAccessKey:\"{SECRET}\"}}{}",
        "var a=\"/x+\";".repeat(400_000),
        "b".repeat(5_000_000)
    );
    put(&product, "tree/bundle.js", minified);
    put(&product, "tree/percent.txt", "%2F".repeat(1_000_000));
    let root = product.path("tree");
    let begin = std::time::Instant::now();
    let ended = product.run(&["keys", "scan", root.to_str().unwrap()]);
    assert!(begin.elapsed() < PATIENCE, "{:?}", begin.elapsed());
    shows_no_secret(&ended);
    assert!(!ended.stdout.chars().any(|c| c != '\n' && is_hostile(c)), "{ended:?}");
    assert!(ended.stdout.contains("a\\u{a}\\u{1b}[31mred\\u{202e}.env:1:19, 2\n"), "{ended:?}");
    let mend = ended
        .stdout
        .lines()
        .find_map(|line| line.trim().strip_prefix("mend").filter(|rest| rest.contains("red")))
        .unwrap()
        .trim();
    let editor = put(&product, "editor", "#!/bin/sh\ncat -- \"$2\"\n");
    fs::set_permissions(&editor, fs::Permissions::from_mode(0o755)).unwrap();
    let shown = run(Command::new("bash").args(["-c", mend]).env("EDITOR", &editor));
    assert_eq!(shown.stdout, env_file(), "the command opens that file: {mend} {shown:?}");
    assert_eq!(ended.stdout.matches("access key AKIA…VV7A, secret …Tq7r").count(), 4, "{ended:?}");
    assert!(ended.stdout.contains("bundle.js:1:4800"), "{ended:?}");
}

/// One file under many names takes a while.
#[test]
fn what_takes_longer_says_so_and_can_be_ended() {
    let product = Product::new();
    let first = put(&product, "tree/0.txt", "some words\n".repeat(5_000_000));
    for more in 1..20 {
        fs::hard_link(&first, product.path(format!("tree/{more}.txt"))).unwrap();
    }
    let mut terminal = Terminal::tegata(&product, "keys scan tree");
    terminal.shows("looking");
    terminal.types("\x03");
    let (code, text) = terminal.ends(&product);
    assert_eq!(code, 130, "{text}");
    assert!(text.trim_end().ends_with("tegata: cancelled"), "{text}");
    let piped = product.run(&["keys", "scan", "tree/0.txt"]);
    assert_eq!((piped.code, piped.stderr.as_str()), (0, ""), "no progress without a terminal");
}

#[test]
fn on_a_terminal_it_is_coloured_and_elsewhere_not() {
    let product = Product::new();
    let file = put(&product, "x.env", env_file());
    let plain = product.run(&["keys", "scan", file.to_str().unwrap()]);
    assert!(plain.stdout.starts_with("error    access key ") && !plain.stdout.contains('\u{1b}'), "{plain:?}");
    let (code, text) = Terminal::tegata(&product, &format!("keys scan {}", file.display())).ends(&product);
    assert_eq!(code, 1, "{text}");
    assert_eq!(text.replace('\r', ""), plain.stdout, "the same without its colours");
}
