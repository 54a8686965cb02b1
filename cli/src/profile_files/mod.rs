//! The AWS files of the person, as far as a command run by `tegata` needs them: what a profile says besides its credentials, and a
//! config file of the command's own.
//!
//! Whose credentials they lead to is the daemon's to say; nothing here decides about that.

mod private;
mod text;

pub(crate) use private::PrivateConfig;

use crate::environment::Environment;
use crate::failure::{Failure, Kind};
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use tegata_protocol::ErrorCode;
use text::Text;
use zeroize::Zeroizing;

/// The most bytes of a file that are read; the daemon reads as many.
const MAX_BYTES: u64 = 16 * 1024 * 1024;

/// The files as they are now.
pub(crate) struct ProfileFiles {
    config: Zeroizing<String>,
    credentials: Zeroizing<String>,
}

impl ProfileFiles {
    /// Reads the config file and the credentials file that SDKs would read. One that is not there is empty.
    pub(crate) fn read(environment: &Environment) -> Result<Self, Failure> {
        let config = environment.aws_config_file().or_else(|| in_home(environment, ".aws/config"));
        let credentials = environment.aws_credentials_file().or_else(|| in_home(environment, ".aws/credentials"));
        Ok(Self { config: read(config.as_deref())?, credentials: read(credentials.as_deref())? })
    }

    /// Returns the region that a profile names.
    pub(crate) fn region(&self, profile: &str) -> Option<String> {
        Text(&self.config).region(profile)
    }

    /// Returns the text of a config file for a command: the person's own without keys, and one profile more, which has all that
    /// `profile` says but for credentials; and that profile's name.
    pub(crate) fn for_command(&self, profile: &str) -> (String, String) {
        let name = self.free_name(profile);
        (Text(&self.config).with_bare_profile(profile, &name), name)
    }

    /// A name that no file has, so that no file has credentials for it. Most clients take only these characters.
    fn free_name(&self, profile: &str) -> String {
        let plain = |c: char| c.is_ascii_alphanumeric() || "_.@/+-".contains(c);
        let profile = if profile.chars().all(plain) { profile } else { "exec" };
        let taken = |name: &String| Text(&self.config).has(name) || Text(&self.credentials).has(name);
        let first = format!("{profile}@tegata");
        let others = (2_u32..).map(|number| format!("{profile}@tegata-{number}"));
        std::iter::once(first.clone()).chain(others).find(|name| !taken(name)).unwrap_or(first)
    }
}

fn in_home(environment: &Environment, file: &str) -> Option<PathBuf> {
    environment.get("HOME").map(|home| Path::new(&home).join(file))
}

fn read(file: Option<&Path>) -> Result<Zeroizing<String>, Failure> {
    let Some(path) = file else { return Ok(Zeroizing::default()) };
    let wrong =
        |what: &str| Failure::new(Kind::Reported(ErrorCode::ProfileInvalid), format!("{}: {what}", path.display()));
    let mut bytes = Zeroizing::new(Vec::new());
    match File::open(path).and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes)) {
        Ok(length) if length as u64 > MAX_BYTES => Err(wrong("larger than the 16 MiB that are read")),
        Ok(_) => Ok(Zeroizing::new(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Zeroizing::default()),
        Err(error) => Err(wrong(&error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(config: &str, credentials: &str) -> ProfileFiles {
        ProfileFiles { config: Zeroizing::new(config.to_owned()), credentials: Zeroizing::new(credentials.to_owned()) }
    }

    #[test]
    fn the_name_of_the_bare_profile_is_one_that_no_file_has() {
        assert_eq!(files("", "").free_name("dev"), "dev@tegata");
        assert_eq!(files("[profile dev@tegata]\n", "").free_name("dev"), "dev@tegata-2");
        let both = files("[profile dev@tegata]\n", "[dev@tegata-2]\naws_access_key_id = x\n");
        assert_eq!(both.free_name("dev"), "dev@tegata-3");
        assert_eq!(files("", "").free_name("開発 x"), "exec@tegata");
    }

    #[test]
    fn files_are_those_an_sdk_would_read_and_may_be_missing() {
        let home = tempfile::tempdir().unwrap();
        let path = |name: &str| home.path().join(name).to_str().unwrap().to_owned();
        std::fs::create_dir(path(".aws")).unwrap();
        let read = |more: &[(&str, &str)]| {
            ProfileFiles::read(&Environment::of(&[&[("HOME", home.path().to_str().unwrap())][..], more].concat()))
        };
        assert_eq!(*read(&[]).unwrap().config, "");
        std::fs::write(path(".aws/config"), "[default]\nregion = a\n").unwrap();
        std::fs::write(path("other"), "[default]\nregion = b\n").unwrap();
        assert_eq!(read(&[]).unwrap().region("default").as_deref(), Some("a"));
        assert_eq!(read(&[("AWS_CONFIG_FILE", "~/other")]).unwrap().region("default").as_deref(), Some("b"));
        let directory = read(&[("AWS_SHARED_CREDENTIALS_FILE", &path(""))]).err().unwrap();
        assert_eq!(directory.exit_code(), 13);
    }
}
