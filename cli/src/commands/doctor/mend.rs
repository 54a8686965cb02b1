//! Writes this tegata's path where AWS config names one that is gone. How the file is written, and how that is taken back, is
//! [`aws_config`]'s: `tegata setup --undo` undoes this, too.

use super::credential_process::{is_stale, tegata_of};
use crate::aws_config::{self, Backups, Change, ConfigFile, Program};
use crate::environment::Environment;
use crate::failure::Failure;
use tegata_protocol::text::one_line;

/// Mends what is stale. Returns what was done, or nothing where nothing was.
pub(super) fn stale_paths(environment: &Environment) -> Result<Option<String>, Failure> {
    let config = ConfigFile::read(&aws_config::path(environment)?)?;
    let there = |program: &str| super::facts::is_there(program, environment);
    let (change, count) = repaired(&config, &Program::of_this_process(environment)?, there)?;
    if change.is_empty() {
        return Ok(None);
    }
    let file = one_line(&change.path().to_string_lossy());
    change.write(&Backups::hold(environment)?)?;
    let lines = if count == 1 { "1 line".to_owned() } else { format!("{count} lines") };
    Ok(Some(format!("Mended {lines} of {file}; back with: tegata setup --undo")))
}

/// Puts `own` in place of the programs that are stale, and returns how many these were. Pure but for `is_there`.
fn repaired(config: &ConfigFile, own: &Program, is_there: impl Fn(&str) -> bool) -> Result<(Change, usize), Failure> {
    let mut edits = Vec::new();
    for (at, section) in config.sections().iter().enumerate() {
        let Some(mut of_section) = config.edits_of(at) else { continue };
        for (key, (name, value)) in
            section.keys.iter().enumerate().filter(|(_, (name, _))| name == "credential_process")
        {
            let Some(program) = tegata_of(value).filter(|program| is_stale(program, is_there(program))) else {
                continue;
            };
            if let Some(rest) = behind(value, &program) {
                of_section.replace_key(key, &[(name.clone(), format!("{}{rest}", own.as_str()))]);
            }
        }
        edits.extend(of_section.done());
    }
    let count = edits.len();
    Ok((config.edited(edits)?, count))
}

/// What follows the first word, which may stand in quotes.
fn behind<'a>(value: &'a str, program: &str) -> Option<&'a str> {
    let words = [program.to_owned(), format!("\"{program}\""), format!("'{program}'")];
    words.iter().find_map(|word| value.strip_prefix(word.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    const TEXT: &str = "# mine\r\n[profile dev]\r\ncredential_process = /old/tegata credential-process --profile dev\r\n\
                        [profile two]\r\n  credential_process=\"/old/tegata\"   credential-process --profile two\r\n\
                        [profile here]\r\ncredential_process = /usr/bin/tegata credential-process --profile here\r\n\
                        [profile other]\r\ncredential_process = /old/granted x";

    fn mended(text: &str) -> (String, usize) {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("config");
        std::fs::write(&file, text).unwrap();
        let own = Program::at(Path::new("/usr/bin/tegata")).unwrap();
        let config = ConfigFile::read(&file).unwrap();
        let (change, count) = repaired(&config, &own, |program| program == "/usr/bin/tegata").unwrap();
        change.write(&Backups::below(directory.path())).unwrap();
        (std::fs::read_to_string(file).unwrap(), count)
    }

    #[test]
    fn only_the_program_of_stale_lines_changes() {
        let expected = TEXT
            .replace("/old/tegata credential-process --profile dev", "/usr/bin/tegata credential-process --profile dev")
            .replace("credential_process=\"/old/tegata\"", "credential_process = /usr/bin/tegata");
        assert_eq!(mended(TEXT), (expected, 2));
    }

    #[test]
    fn twin_a_file_without_a_stale_line_is_left_alone() {
        let text = "[profile here]\ncredential_process = /usr/bin/tegata credential-process --profile here\n";
        assert_eq!(mended(text), (text.to_owned(), 0));
    }
}
