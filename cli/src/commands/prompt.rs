//! `tegata prompt`: the profile of this shell in a few characters, for its prompt.
//!
//! A shell runs it before every prompt. So it is read before the parser, the daemon answers from memory alone, and where there is
//! no answer within the blink of an eye the name alone has to do. It starts no daemon and says nothing about what fails.

use crate::client::Client;
use crate::environment::{self, Environment};
use crate::failure::Failure;
use crate::moment;
use crate::output;
use crate::profiles;
use crate::shell_init::Shell;
use clap::Args;
use std::ffi::OsString;
use std::time::Duration;
use tegata_protocol::body::ProfileState;
use tegata_protocol::text::one_line;

/// How long a prompt may be kept waiting.
const PATIENCE: Duration = Duration::from_millis(250);

/// Print the profile of this shell, its gate and the time left, for a prompt.
///
/// It is answered from memory: neither AWS nor the keyring is asked, and the daemon is not started for it. Nothing is printed
/// where no profile is set.
#[derive(Args, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[command(after_help = "\
Examples:
  tegata prompt                                prints dev 42m, or prod-admin elevated 12m
  eval \"$(tegata shell-init bash --prompt)\"    in ~/.bashrc: in front of every prompt")]
pub(crate) struct Prompt {
    /// Print it in parentheses, and so that this shell's prompt shows it as it is
    #[arg(long, value_name = "SHELL")]
    segment: Option<Shell>,
}

/// Reads this command by hand. Nothing if the command line is another one, or one for the parser.
pub(crate) fn read(arguments: &[OsString]) -> Option<Prompt> {
    let words: Vec<_> = arguments.get(1..)?.iter().map(|word| word.to_str()).collect();
    let segment = match words.as_slice() {
        [Some("prompt")] => None,
        [Some("prompt"), Some("--segment"), Some("bash")] => Some(Shell::Bash),
        [Some("prompt"), Some("--segment"), Some("zsh")] => Some(Shell::Zsh),
        [Some("prompt"), Some("--segment"), Some("fish")] => Some(Shell::Fish),
        [Some("prompt"), Some("--segment"), Some("powershell")] => Some(Shell::Powershell),
        _ => return None,
    };
    Some(Prompt { segment })
}

impl Prompt {
    pub(crate) fn run(self, environment: &Environment) -> Result<(), Failure> {
        let Some(name) = profile(environment) else { return Ok(()) };
        let state = Client::new(environment)
            .and_then(|client| profiles::state_at_once(&client.without_starting(), environment, &name, PATIENCE));
        let text = match state {
            Ok(state) => text(&name, &state, environment::now()),
            Err(_) => one_line(&name),
        };
        output::write_stdout(self.shown(text).as_bytes())
    }

    fn shown(self, text: String) -> String {
        match self.segment {
            None => text + "\n",
            // zsh, "Expansion of Prompt Sequences": a percent sign begins one.
            Some(Shell::Zsh) => format!("({}) ", text.replace('%', "%%")),
            Some(_) => format!("({text}) "),
        }
    }
}

/// Returns the profile of this shell. Where a parent serves the credentials itself, `AWS_PROFILE` is not what counts.
fn profile(environment: &Environment) -> Option<String> {
    let served = environment.get("AWS_CONTAINER_CREDENTIALS_FULL_URI").is_some();
    let names = if served { ["TEGATA_PROFILE", "AWS_PROFILE"] } else { ["AWS_PROFILE", "TEGATA_PROFILE"] };
    names.into_iter().find_map(|name| environment.get(name)).and_then(|name| name.into_string().ok())
}

fn text(name: &str, state: &ProfileState, now: i64) -> String {
    let name = one_line(name);
    let left = |at: &Option<String>| at.as_deref().and_then(moment::parse).and_then(|at| left(at - now));
    if state.locked {
        return format!("{name} locked");
    }
    if let Some(left) = left(&state.elevated_until) {
        return format!("{name} elevated {left}");
    }
    match state.gate.as_deref() {
        Some(gate @ ("gated" | "denied")) => return format!("{name} {gate}"),
        _ if state.sign_in_needed.is_some() => return format!("{name} signed out"),
        _ if state.code_for.is_some() => return format!("{name} wants a code"),
        _ => {}
    }
    left(&state.expires_at).map_or_else(|| name.clone(), |left| format!("{name} {left}"))
}

/// Says how much time is left in as few characters as possible.
fn left(seconds: i64) -> Option<String> {
    match seconds {
        ..=0 => None,
        1..60 => Some(format!("{seconds}s")),
        60..3_600 => Some(format!("{}m", seconds / 60)),
        _ => Some(format!("{}h{:02}m", seconds / 3_600, seconds / 60 % 60)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct ByParser {
        #[command(flatten)]
        command: Prompt,
    }

    fn state() -> ProfileState {
        ProfileState {
            name: "dev".to_owned(),
            region: None,
            expires_at: Some("2026-11-22T09:42:10Z".to_owned()),
            gate: Some("open".to_owned()),
            elevated_until: None,
            pin_for: None,
            sign_in_needed: None,
            code_for: None,
            locked: false,
        }
    }

    fn shown(state: &ProfileState) -> String {
        text("dev", state, moment::parse("2026-11-22T09:00:00Z").unwrap())
    }

    #[test]
    fn what_matters_most_is_shown() {
        let open = state();
        let gated = ProfileState { gate: Some("gated".to_owned()), ..state() };
        let elevated = ProfileState { elevated_until: Some("2026-11-22T09:12:30Z".to_owned()), ..gated.clone() };
        let over = ProfileState { elevated_until: Some("2026-11-22T08:59:59Z".to_owned()), ..gated.clone() };
        let nothing = ProfileState { expires_at: None, gate: None, ..state() };
        let signed_out = ProfileState { sign_in_needed: Some("corp".to_owned()), ..state() };
        let wants_code =
            ProfileState { code_for: Some("arn:aws:iam::123456789012:mfa/alice".to_owned()), ..nothing.clone() };
        let locked = ProfileState { locked: true, ..elevated.clone() };
        let all = [open, gated, elevated, over, nothing, signed_out, wants_code, locked].map(|state| shown(&state));
        let expected = [
            "dev 42m",
            "dev gated",
            "dev elevated 12m",
            "dev gated",
            "dev",
            "dev signed out",
            "dev wants a code",
            "dev locked",
        ];
        assert_eq!(all, expected);
    }

    #[test]
    fn time_left_is_short() {
        let shown = [-1, 0, 59, 60, 3_599, 3_600, 7_260].map(left);
        let expected = [None, None, Some("59s"), Some("1m"), Some("59m"), Some("1h00m"), Some("2h01m")];
        assert_eq!(shown, expected.map(|text| text.map(str::to_owned)));
    }

    #[test]
    fn the_shell_s_profile_is_the_one_that_tools_use() {
        let of = |variables: &[(&str, &str)]| profile(&Environment::of(variables));
        let both = [("AWS_PROFILE", "a"), ("TEGATA_PROFILE", "t")];
        assert_eq!(of(&both).as_deref(), Some("a"));
        assert_eq!(of(&both[1..]).as_deref(), Some("t"));
        let served = [both[0], both[1], ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:1/x")];
        assert_eq!(of(&served).as_deref(), Some("t"));
        assert_eq!(of(&[("AWS_PROFILE", "")]), None);
    }

    #[test]
    fn a_hostile_name_is_one_printable_text_and_no_prompt_sequence() {
        let text = text("%F{red}\u{1b}[2J\n", &state(), 0);
        assert!(!text.chars().any(tegata_protocol::text::is_hostile), "{text:?}");
        let zsh = Prompt { segment: Some(Shell::Zsh) }.shown(text);
        assert!(!zsh.replace("%%", "").contains('%'), "{zsh}");
    }

    #[test]
    fn reading_by_hand_and_by_the_parser_agree() {
        for line in ["", "--segment bash", "--segment zsh", "--segment fish", "--segment powershell"] {
            let words = |first: &[&str]| -> Vec<OsString> {
                first.iter().copied().chain(line.split_whitespace()).map(OsString::from).collect()
            };
            let parsed = ByParser::try_parse_from(words(&["prompt"])).unwrap().command;
            assert_eq!(read(&words(&["tegata", "prompt"])), Some(parsed), "{line}");
        }
    }

    #[test]
    fn everything_else_is_left_to_the_parser() {
        for line in ["", "status", "prompt --help", "prompt --segment", "prompt --segment tcsh", "prompt x"] {
            let words: Vec<_> = ["tegata"].into_iter().chain(line.split_whitespace()).map(OsString::from).collect();
            assert_eq!(read(&words), None, "{line}");
        }
    }
}
