//! Writes this tegata's path where AWS config names one that is gone. The file is copied first, written whole beside itself and renamed,
//! with its mode, behind a link if it is one.

use super::config_text;
use super::credential_process::program;
use super::facts::{self, Facts};
use crate::environment::{self, Environment};
use crate::failure::{Failure, Kind};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Mends what is stale. Returns what was done, or nothing where nothing was.
pub(super) fn stale_paths(found: &Facts, environment: &Environment) -> Result<Option<String>, Failure> {
    let stale: Vec<usize> = found
        .calls
        .iter()
        .filter(|call| !call.is_there || !Path::new(&call.program).is_absolute())
        .map(|call| call.line)
        .collect();
    if stale.is_empty() {
        return Ok(None);
    }
    let own = own_path()?;
    let named = facts::config_file(environment);
    let file = named.canonicalize().map_err(|error| cannot(&named, &error.to_string()))?;
    let before = facts::read(&file).ok_or_else(|| cannot(&file, "it cannot be read as text"))?;
    let after = repaired(&before, &stale, &own);
    let backup = keep(&before, environment)?;
    write(&file, &before, &after)?;
    let count = stale.len();
    let lines = if count == 1 { "1 line".to_owned() } else { format!("{count} lines") };
    Ok(Some(format!("Mended {lines} of {}; the file as it was: {}", file.display(), backup.display())))
}

/// Only what every client reads the same is written into the file (no quotes, no blanks).
fn own_path() -> Result<String, Failure> {
    let own = std::env::current_exe().ok().and_then(|path| path.into_os_string().into_string().ok());
    let plain = |path: &String| path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_./-".contains(&byte));
    own.filter(plain).ok_or_else(|| {
        Failure::new(
            Kind::Failed,
            "this tegata is at a path that not every AWS tool reads the same: move it to one of letters, digits and _./- only",
        )
    })
}

/// Puts `own` in place of the program on these lines; every other byte stays. Pure.
fn repaired(text: &str, lines: &[usize], own: &str) -> String {
    let mend = |(at, line): (usize, &str)| {
        let entries = if lines.contains(&(at + 1)) { config_text::entries(line) } else { Vec::new() };
        let call = entries.first().and_then(|entry| Some((entry.value.as_str(), program(entry)?)));
        let Some((value, program)) = call else { return line.to_owned() };
        // The word may stand in quotes; what follows it stays as it is.
        let quotes = [program.clone(), format!("\"{program}\""), format!("'{program}'")];
        let rest = quotes.iter().find_map(|word| value.strip_prefix(word.as_str()));
        rest.map_or_else(|| line.to_owned(), |rest| line.replacen(value, &format!("{own}{rest}"), 1))
    };
    text.split_inclusive('\n').enumerate().map(mend).collect()
}

/// Keeps a copy in the state directory.
fn keep(text: &str, environment: &Environment) -> Result<PathBuf, Failure> {
    let home = environment.get("HOME").map(PathBuf::from).unwrap_or_default();
    let state = environment.get("XDG_STATE_HOME").map_or_else(|| home.join(".local/state"), PathBuf::from);
    let directory = state.join("tegata/backups");
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&directory);
    made.map_err(|error| cannot(&directory, &error.to_string()))?;
    let path = directory.join(format!("aws-config-before-doctor-{}", environment::now()));
    new_file(&path, text, 0o600)?;
    Ok(path)
}

fn write(file: &Path, before: &str, after: &str) -> Result<(), Failure> {
    let failed = |error: std::io::Error| cannot(file, &error.to_string());
    let mode = fs::metadata(file).map_err(failed)?.permissions().mode() & 0o7777;
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let beside = file.with_file_name(format!(".{name}.tegata-{}", std::process::id()));
    new_file(&beside, after, mode)?;
    let written = match facts::read(file) {
        Some(now) if *now == *before => fs::rename(&beside, file).map_err(failed),
        _ => Err(cannot(file, "it changed meanwhile").mend("tegata doctor --fix")),
    };
    if written.is_err() {
        let _ = fs::remove_file(&beside);
    }
    written
}

fn new_file(path: &Path, text: &str, mode: u32) -> Result<(), Failure> {
    let write = || {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
        file.set_permissions(fs::Permissions::from_mode(mode))?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    };
    write().map_err(|error| cannot(path, &error.to_string()))
}

fn cannot(path: &Path, why: &str) -> Failure {
    Failure::new(Kind::Failed, format!("{} was not mended: {why}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# mine\n[profile dev]\ncredential_process = /old/tegata credential-process --profile dev\r\n\
                        [profile two]\n  credential_process=\"/old/tegata\"   credential-process --profile two # c\n\
                        [profile other]\ncredential_process = /old/granted x";

    #[test]
    fn only_the_program_of_the_named_lines_changes() {
        let mended = repaired(TEXT, &[3, 5, 7], "/usr/bin/tegata");
        let expected = TEXT
            .replace("/old/tegata credential-process --profile dev", "/usr/bin/tegata credential-process --profile dev")
            .replace("\"/old/tegata\"", "/usr/bin/tegata");
        assert_eq!(mended, expected);
        assert_eq!(repaired(TEXT, &[], "/usr/bin/tegata"), TEXT);
    }

    #[test]
    fn a_file_that_changed_meanwhile_is_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("config");
        fs::write(&file, "theirs").unwrap();
        let refused = write(&file, "ours", "mended").unwrap_err();
        assert!(refused.line().unwrap().contains("changed meanwhile"));
        assert_eq!(fs::read_to_string(&file).unwrap(), "theirs");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "nothing is left behind");
    }

    #[test]
    fn a_file_keeps_its_mode() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("config");
        fs::write(&file, "old").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        write(&file, "old", "new").unwrap();
        let mode = fs::metadata(&file).unwrap().permissions().mode() & 0o777;
        assert_eq!((fs::read_to_string(&file).unwrap().as_str(), mode), ("new", 0o640));
    }
}
