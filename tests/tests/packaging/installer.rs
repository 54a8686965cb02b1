//! `install.sh`, filled for an archive of two small scripts, in a home of its own.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;
use tegata_tests::packages::source;
use tegata_tests::product::{Ended, run};
use tempfile::TempDir;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A release in a directory and a home to install it in.
struct Release {
    directory: TempDir,
}

fn shell(directory: &std::path::Path, script: &str) -> String {
    let ended = run(Command::new("sh").args(["-euc", script]).current_dir(directory));
    assert_eq!(ended.code, 0, "{script}: {ended:?}");
    ended.stdout.trim().to_owned()
}

impl Release {
    fn new() -> Self {
        let release = Self { directory: tempfile::tempdir().unwrap() };
        release.publish("one", "share/doc/tegata/old.txt");
        release
    }

    fn path(&self, relative: &str) -> PathBuf {
        self.directory.path().join(relative)
    }

    /// Makes an archive whose `tegata` says `word`, and the installer that belongs to it.
    fn publish(&self, word: &str, document: &str) {
        let name = shell(self.directory.path(), &format!("echo tegata-{VERSION}-$(uname -m)-linux"));
        let script = format!(
            "rm -rf tree; mkdir -p tree/{name}/bin tree/{name}/share/systemd/user tree/{name}/share/tegata tree/{name}/share/doc/tegata site home
             printf '#!/bin/sh\\necho {word} \"$@\"\\n' >tree/{name}/bin/tegata
             cp tree/{name}/bin/tegata tree/{name}/bin/tegatad
             chmod 755 tree/{name}/bin/*
             printf '[Service]\\nExecStart=/usr/lib/tegata/tegatad\\n' >tree/{name}/share/systemd/user/tegatad.service
             echo text >tree/{name}/{document}
             tar -czf site/{name}.tar.gz -C tree {name}
             cd site && sha256sum {name}.tar.gz >SHA256SUMS"
        );
        shell(self.directory.path(), &script);
        let filled = run(Command::new(source("fill")).arg(source("install.sh")).arg(self.path("site/SHA256SUMS")));
        assert_eq!(filled.code, 0, "{filled:?}");
        fs::write(self.path("install.sh"), filled.stdout).unwrap();
    }

    fn archive(&self) -> PathBuf {
        let mut files = fs::read_dir(self.path("site")).unwrap().map(|file| file.unwrap().path());
        files.find(|file| file.extension().is_some_and(|end| end == "gz")).unwrap()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("sh");
        command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", self.path("home"));
        command.env("TEGATA_URL", format!("file://{}", self.path("site").display()));
        command.arg(self.path("install.sh")).args(arguments);
        command
    }

    fn install(&self) -> Ended {
        run(&mut self.command(&[]))
    }

    fn installed(&self) -> String {
        shell(&self.path("home"), "find . -not -type d | sort")
    }

    /// Serves the directory to as many requests as are asked, and returns its URL.
    fn served(&self, requests: usize) -> (String, std::thread::JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let site = self.path("site");
        let serve = move || {
            for mut stream in listener.incoming().take(requests).map(Result::unwrap) {
                let mut head = BufReader::new(stream.try_clone().unwrap()).lines().map(Result::unwrap);
                let line = head.next().unwrap();
                let _ = head.find(String::is_empty);
                let file = fs::read(site.join(line.split(' ').nth(1).unwrap().trim_start_matches('/'))).unwrap();
                let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", file.len());
                stream.write_all(&[answer.as_bytes(), &file].concat()).unwrap();
            }
        };
        (url, std::thread::spawn(serve))
    }
}

#[test]
fn a_downloaded_release_is_installed_with_its_unit_pointing_at_it() {
    let release = Release::new();
    let (url, server) = release.served(1);
    let ended = run(release.command(&[]).env("TEGATA_URL", url));
    server.join().unwrap();
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{ended:?}");
    assert_eq!(shell(&release.path("home"), ".local/bin/tegata works"), "one works");
    let unit = fs::read_to_string(release.path("home/.local/share/systemd/user/tegatad.service")).unwrap();
    assert!(unit.contains(&format!("ExecStart={}\n", release.path("home/.local/bin/tegatad").display())), "{unit}");
}

#[test]
fn an_archive_that_was_changed_is_refused_and_nothing_is_installed() {
    let release = Release::new();
    let mut bytes = fs::read(release.archive()).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(release.archive(), bytes).unwrap();
    let ended = release.install();
    assert_eq!((ended.code, ended.stderr.lines().count()), (1, 1), "{ended:?}");
    assert!(ended.stderr.contains("is not what it should be"), "{ended:?}");
    assert_eq!(release.installed(), "");
}

#[test]
fn the_checksum_is_the_installer_s_own_and_not_what_the_mirror_says() {
    let release = Release::new();
    let installer = fs::read(release.path("install.sh")).unwrap();
    release.publish("evil", "share/doc/tegata/old.txt");
    fs::write(release.path("install.sh"), installer).unwrap();
    assert_eq!(release.install().code, 1);
    assert_eq!(release.installed(), "");
}

#[test]
fn a_part_of_the_installer_does_nothing() {
    let release = Release::new();
    let whole = fs::read_to_string(release.path("install.sh")).unwrap();
    for part in [whole.len() / 4, whole.len() / 2, whole.len() - "main \"$@\"\n".len()] {
        fs::write(release.path("install.sh"), &whole[..part]).unwrap();
        let _ = release.install();
        assert_eq!(release.installed(), "", "{part} bytes of it");
    }
}

#[test]
fn a_release_for_no_such_machine_says_so() {
    let release = Release::new();
    let whole = fs::read_to_string(release.path("install.sh")).unwrap();
    fs::write(release.path("install.sh"), whole.replace("-linux.tar.gz", "-plan9.tar.gz")).unwrap();
    let ended = release.install();
    assert_eq!(ended.code, 1);
    assert!(ended.stderr.contains("this release has no tegata-"), "{ended:?}");
}

#[test]
fn plain_http_from_elsewhere_and_strange_prefixes_are_refused() {
    let release = Release::new();
    let ended = run(release.command(&[]).env("TEGATA_URL", "http://mirror.example"));
    assert_eq!(ended.code, 1);
    assert!(ended.stderr.contains("neither https:// nor file://"), "{ended:?}");
    for prefix in ["relative", "/tmp/with space", "/tmp/a%b", "/tmp/$(id)"] {
        let ended = run(release.command(&[]).env("PREFIX", prefix));
        assert_eq!((ended.code, ended.stderr.lines().count()), (1, 1), "{prefix}: {ended:?}");
    }
    assert_eq!(release.installed(), "");
}

#[test]
fn the_next_release_takes_the_place_of_the_last_one() {
    let release = Release::new();
    assert_eq!(release.install().code, 0);
    release.publish("two", "share/doc/tegata/new.txt");
    assert_eq!(release.install().code, 0);
    assert_eq!(shell(&release.path("home"), ".local/bin/tegata"), "two");
    let installed = release.installed();
    assert!(
        installed.contains("new.txt") && !installed.contains("old.txt") && !installed.contains(".new"),
        "{installed}"
    );
}

#[test]
fn what_was_installed_is_removed_and_nothing_else() {
    let release = Release::new();
    assert_eq!(release.install().code, 0);
    fs::write(release.path("home/.local/bin/other"), "").unwrap();
    fs::set_permissions(release.path("home/.local/bin/other"), fs::Permissions::from_mode(0o755)).unwrap();
    let ended = run(&mut release.command(&["--uninstall"]));
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{ended:?}");
    assert!(ended.stdout.contains("tegata setup --undo"), "{ended:?}");
    assert_eq!(release.installed(), "./.local/bin/other");
    let again = run(&mut release.command(&["--uninstall"]));
    assert_eq!((again.code, again.stderr.lines().count()), (1, 1), "{again:?}");
}
