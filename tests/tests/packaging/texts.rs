//! Units, manifests and the changelog, as whoever reads them would.

use std::fs;
use std::process::Command;
use tegata_tests::packages::source;
use tegata_tests::product::{Ended, run};

const VERSION: &str = env!("CARGO_PKG_VERSION");

fn fill(template: &str, sums: &str) -> Ended {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("SHA256SUMS");
    fs::write(&file, sums).unwrap();
    run(Command::new(source("fill")).arg(source(template)).arg(file))
}

fn filled(template: &str) -> String {
    let windows = format!("{}  tegata-{VERSION}-x86_64-windows.zip\n", "b".repeat(64));
    let sums = format!("{}  tegata-{VERSION}-x86_64-linux.tar.gz\n{windows}", "a".repeat(64));
    let ended = fill(template, &sums);
    assert_eq!(ended.code, 0, "{ended:?}");
    ended.stdout
}

const TEMPLATES: [&str; 6] = [
    "homebrew/tegata.rb",
    "install.sh",
    "scoop/tegata.json",
    "winget/Tegata.Tegata.installer.yaml",
    "winget/Tegata.Tegata.locale.en-US.yaml",
    "winget/Tegata.Tegata.yaml",
];

#[test]
fn every_template_takes_its_version_from_cargo() {
    for template in TEMPLATES {
        let text = fs::read_to_string(source(template)).unwrap();
        assert!(text.contains("@VERSION@") && !text.contains(VERSION), "{template} has a version of its own");
        let filled = filled(template);
        assert!(filled.contains(VERSION), "{template}: {filled}");
        for mark in ["@VERSION@", "@SHA256", "@CHECKSUMS@"] {
            assert!(!filled.contains(mark), "{template}: {mark} is left");
        }
    }
}

#[test]
fn the_debian_changelog_begins_with_the_version_in_cargo() {
    let changelog = fs::read_to_string(source("debian/changelog")).unwrap();
    assert!(changelog.starts_with(&format!("tegata ({VERSION}-1) ")), "{changelog}");
}

#[test]
fn a_manifest_whose_artefact_is_missing_is_not_written() {
    let ended = fill("scoop/tegata.json", &format!("{}  tegata-{VERSION}-x86_64-linux.tar.gz\n", "a".repeat(64)));
    assert_eq!((ended.code, ended.stdout.as_str()), (1, ""), "{ended:?}");
    assert!(ended.stderr.contains("x86_64-windows.zip"), "{ended:?}");
}

#[test]
fn the_scoop_manifest_is_json_with_the_archive_s_checksum() {
    let manifest: serde_json::Value = serde_json::from_str(&filled("scoop/tegata.json")).unwrap();
    assert_eq!(manifest["version"], VERSION);
    assert_eq!(manifest["architecture"]["64bit"]["hash"], "b".repeat(64));
    // Of the next version, scoop takes the checksum from the file that lists all of them.
    let update = &manifest["autoupdate"]["architecture"]["64bit"];
    let next = update["url"].as_str().unwrap().replace("$version", VERSION);
    assert_eq!(manifest["architecture"]["64bit"]["url"], next.as_str());
    let folder = update["extract_dir"].as_str().unwrap().replace("$version", VERSION);
    assert_eq!(manifest["architecture"]["64bit"]["extract_dir"], folder.as_str());
}

#[test]
fn only_the_formula_s_own_checksum_is_filled_in() {
    assert!(filled("homebrew/tegata.rb").contains(&format!("sha256 \"{}\"", "a".repeat(64))));
}

#[cfg(feature = "system")]
mod system {
    use super::*;
    use std::io::Write;
    use std::process::Stdio;
    use tegata_tests::{client, program};

    fn python(script: &str, input: &str) -> String {
        let mut python = Command::new(client("python/bin/python"));
        let mut running = python.args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        running.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = running.wait_with_output().unwrap();
        assert!(output.status.success(), "{script}: {input}");
        String::from_utf8(output.stdout).unwrap()
    }

    #[test]
    fn systemd_has_nothing_to_say_about_the_units() {
        let directory = tempfile::tempdir().unwrap();
        let service = fs::read_to_string(source("systemd/tegatad.service")).unwrap();
        let installed = "ExecStart=/usr/lib/tegata/tegatad\n";
        assert!(service.contains(installed), "where packages put it: {service}");
        let here = format!("ExecStart={}\n", program("tegatad").display());
        fs::write(directory.path().join("tegatad.service"), service.replace(installed, &here)).unwrap();
        fs::copy(source("systemd/tegatad.socket"), directory.path().join("tegatad.socket")).unwrap();
        let mut verify = Command::new("systemd-analyze");
        verify.args(["--user", "verify", "tegatad.service", "tegatad.socket"]).current_dir(directory.path());
        let ended = run(verify.env("XDG_RUNTIME_DIR", directory.path()));
        // An unknown key is a warning: it ends well all the same.
        assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{ended:?}");
    }

    #[test]
    fn the_launch_agent_is_a_property_list() {
        let script = "import plistlib, sys; agent = plistlib.loads(sys.stdin.buffer.read()); \
                      print(agent['Label'], agent['ProgramArguments'][0], agent['KeepAlive']['SuccessfulExit'], agent['Umask'])";
        let agent = fs::read_to_string(source("launchd/io.github.tegata.tegatad.plist")).unwrap();
        assert_eq!(python(script, &agent), "io.github.tegata.tegatad /usr/local/bin/tegatad False 63\n");
    }

    /// The fields are those of the schema of 1.9.0 (microsoft/winget-cli, schemas/JSON/manifests): the first to know that both
    /// programs have to stay where they were unpacked.
    #[test]
    fn the_winget_manifests_are_yaml_about_the_same_package_with_the_fields_of_their_schema() {
        let script = "import sys, yaml; parts = yaml.safe_load(sys.stdin); \
                      print(parts.pop('PackageIdentifier'), parts.pop('PackageVersion'), parts.pop('ManifestType'), \
                      parts.pop('ManifestVersion'), *sorted(parts))";
        for (template, kind, fields) in [
            ("winget/Tegata.Tegata.yaml", "version", "DefaultLocale"),
            (
                "winget/Tegata.Tegata.installer.yaml",
                "installer",
                "ArchiveBinariesDependOnPath InstallerType Installers NestedInstallerFiles NestedInstallerType",
            ),
            (
                "winget/Tegata.Tegata.locale.en-US.yaml",
                "defaultLocale",
                "License PackageLocale PackageName PackageUrl Publisher ShortDescription",
            ),
        ] {
            assert_eq!(python(script, &filled(template)), format!("Tegata.Tegata {VERSION} {kind} 1.9.0 {fields}\n"));
        }
        let script = "import sys, yaml; parts = yaml.safe_load(sys.stdin); print(*sorted(parts['Installers'][0]), \
                      *[nested['RelativeFilePath'] for nested in parts['NestedInstallerFiles']])";
        let folder = format!("tegata-{VERSION}-x86_64-windows\\bin\\tegata");
        assert_eq!(
            python(script, &filled("winget/Tegata.Tegata.installer.yaml")),
            format!("Architecture InstallerSha256 InstallerUrl {folder}.exe {folder}d.exe\n")
        );
    }
}
