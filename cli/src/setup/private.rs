//! A config file of setup's own below the state directory: the daemon reads sign-in session and profiles from it before
//! anything of the person's is touched. It goes with the value.

use crate::aws_config::Section;
use crate::environment::Environment;
use crate::failure::{Failure, Kind};
use crate::places;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The file, as long as setup runs.
pub(crate) struct PrivateConfig(PathBuf);

impl PrivateConfig {
    /// Writes a file with these sections that nobody else can read.
    ///
    /// # Errors
    /// One line when the state directory cannot be written to, or its path is no text.
    pub(crate) fn write(environment: &Environment, sections: &[Section]) -> Result<Self, Failure> {
        let directory = places::state_home(environment)?.join("tegata/setup");
        let failed = |error: &std::io::Error| cannot_write(&directory, error);
        DirBuilder::new().recursive(true).mode(0o700).create(&directory).map_err(|error| failed(&error))?;
        let path = directory.join(format!("config-{}", std::process::id()));
        // Left behind by another process of this number that was killed.
        match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(&error)),
            _ => {}
        }
        let mut file =
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).map_err(|error| failed(&error))?;
        let config = Self(path);
        file.write_all(text(sections).as_bytes()).map_err(|error| failed(&error))?;
        Ok(config)
    }

    /// Returns the path as text, for requests.
    pub(crate) fn as_text(&self) -> Result<&str, Failure> {
        self.0.to_str().ok_or_else(|| Failure::new(Kind::Usage, format!("{:?} is not UTF-8", self.0)))
    }
}

impl Drop for PrivateConfig {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn cannot_write(directory: &Path, error: &std::io::Error) -> Failure {
    Failure::new(Kind::Failed, format!("cannot write to {}: {error}", directory.display()))
}

fn text(sections: &[Section]) -> String {
    let mut text = String::new();
    for section in sections {
        text.push_str(&section.header());
        text.push('\n');
        for (key, value) in &section.keys {
            text.push_str(&format!("{key} = {value}\n"));
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws_config::SectionKind;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_file_is_private_and_goes_with_the_value() {
        let home = tempfile::tempdir().unwrap();
        let environment = Environment::of(&[("XDG_STATE_HOME", home.path().to_str().unwrap())]);
        let section = Section::new(SectionKind::SsoSession, "corp").with("sso_region", "us-east-1");
        let config = PrivateConfig::write(&environment, &[section]).unwrap();
        let path = PathBuf::from(config.as_text().unwrap());
        assert_eq!(fs::read_to_string(&path).unwrap(), "[sso-session corp]\nsso_region = us-east-1\n\n");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
        drop(config);
        assert!(!path.exists());
    }
}
