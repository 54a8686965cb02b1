//! The arguments of `tegatad`. It has five; everything else is a setting (docs: `tegata daemon --help` is the front door).

use std::ffi::OsString;
use std::path::PathBuf;

/// What `tegatad --help` shows.
pub const HELP: &str = "\
tegatad: obtains, keeps and serves short-lived AWS credentials for the user it runs as.

Usage: tegatad [--detach]
       tegatad --check-settings [FILE]
       tegatad --read-qr < PICTURE

`tegata` starts it when it is needed; run it by hand to see its log.

Options:
      --detach                 Leave the terminal: a session of its own, working directory /
      --check-settings [FILE]  Read the settings, or FILE as settings, say what is wrong with them, and end
      --read-qr                Print what the QR code in a PNG on standard input says, and end
  -V, --version                Print the version and end
  -h, --help                   Print this and end
";

/// What was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arguments {
    /// Serve.
    Run {
        /// In a session of its own.
        detach: bool,
    },
    /// Say what is wrong with the settings.
    CheckSettings {
        /// Read this file instead of those in use.
        file: Option<PathBuf>,
    },
    /// Print what a QR code says.
    ReadQr,
    /// Do what the daemon that started this process asks for. Hidden: it is for `tegatad` alone.
    Helper,
    /// Print the version.
    Version,
    /// Print [`HELP`].
    Help,
}

/// An argument `tegatad` does not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("tegatad has no argument {found:?}; run: tegatad --help")]
pub struct ArgumentError {
    /// The argument, made printable.
    found: String,
}

impl Arguments {
    /// Reads the arguments, without the program's name.
    ///
    /// # Errors
    /// [`ArgumentError`] at the first argument that is none of these.
    pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, ArgumentError> {
        let mut asked = Self::Run { detach: false };
        for argument in arguments {
            match argument.to_str() {
                Some("--help" | "-h") => return Ok(Self::Help),
                Some("--version" | "-V") => asked = Self::Version,
                Some(crate::helper::ARGUMENT) if asked == (Self::Run { detach: false }) => asked = Self::Helper,
                Some("--check-settings") if asked != Self::Version => asked = Self::CheckSettings { file: None },
                Some("--read-qr") if asked == (Self::Run { detach: false }) => asked = Self::ReadQr,
                Some("--detach") if matches!(asked, Self::Run { .. }) => asked = Self::Run { detach: true },
                Some("--detach" | "--check-settings") => {}
                Some("") => return Err(ArgumentError { found: String::new() }),
                _ if asked == Self::CheckSettings { file: None } && !is_option(&argument) => {
                    asked = Self::CheckSettings { file: Some(argument.into()) };
                }
                _ => {
                    return Err(ArgumentError { found: tegata_protocol::text::one_line(&argument.to_string_lossy()) });
                }
            }
        }
        Ok(asked)
    }
}

fn is_option(argument: &std::ffi::OsStr) -> bool {
    argument.as_encoded_bytes().starts_with(b"-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Arguments, ArgumentError> {
        Arguments::parse(arguments.iter().map(OsString::from))
    }

    #[test]
    fn no_argument_serves_in_the_foreground() {
        assert_eq!(parse(&[]), Ok(Arguments::Run { detach: false }));
        assert_eq!(parse(&["--detach"]), Ok(Arguments::Run { detach: true }));
    }

    #[test]
    fn settings_are_checked_as_they_lie_or_in_a_named_file() {
        assert_eq!(parse(&["--check-settings"]), Ok(Arguments::CheckSettings { file: None }));
        let named = Arguments::CheckSettings { file: Some("a.toml".into()) };
        assert_eq!(parse(&["--check-settings", "a.toml"]), Ok(named));
        for wrong in
            [&["a.toml"][..], &["--check-settings", ""], &["--check-settings", "-x"], &["--check-settings", "a", "b"]]
        {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_qr_code_is_read_alone() {
        assert_eq!(parse(&["--read-qr"]), Ok(Arguments::ReadQr));
        assert!(parse(&["--read-qr", "picture.png"]).is_err() && parse(&["--detach", "--read-qr"]).is_err());
    }

    #[test]
    fn the_helper_is_not_shown_and_stands_alone() {
        assert_eq!(parse(&["--helper"]), Ok(Arguments::Helper));
        assert!(!HELP.contains("--helper"));
        assert!(parse(&["--detach", "--helper"]).is_err() && parse(&["--helper", "--helper"]).is_err());
    }

    #[test]
    fn help_and_version_win_over_serving() {
        assert_eq!(parse(&["--detach", "-V"]), Ok(Arguments::Version));
        assert_eq!(parse(&["--version", "--detach"]), Ok(Arguments::Version));
        assert_eq!(parse(&["--version", "--help"]), Ok(Arguments::Help));
    }

    #[test]
    fn anything_else_is_refused_by_name_on_one_line() {
        for wrong in ["", "serve", "--detach=1", "-d", "--Detach", "a\nb\u{1b}[2J"] {
            let error = parse(&[wrong]).unwrap_err().to_string();
            assert!(error.contains("tegatad --help") && !error.chars().any(char::is_control), "{error:?}");
        }
    }

    #[test]
    fn an_argument_that_is_no_text_is_refused() {
        let odd = std::os::unix::ffi::OsStringExt::from_vec(vec![b'-', 0xff]);
        assert!(Arguments::parse([odd]).is_err());
    }
}
