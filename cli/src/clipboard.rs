//! Putting a secret on the clipboard: through a tool's standard input, or through the terminal. Never in an argument.

use crate::browser::find;
use crate::environment::{Deadline, Distance, Environment};
use crate::failure::{Failure, Kind};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fs::OpenOptions;
use std::io::Write;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tegata_protocol::Secret;

/// How long a tool may take. `wl-copy` and `xclip` leave a process of their own behind that keeps the text.
const PATIENCE: Duration = Duration::from_secs(5);
const BETWEEN_LOOKS: Duration = Duration::from_millis(10);

/// How the text gets there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// A program reads it.
    Tool(&'static [&'static str]),
    /// The terminal is told, also one at the other end of an SSH connection (xterm's control sequence OSC 52).
    Terminal,
}

const WAYLAND: Way = Way::Tool(&["wl-copy", "--trim-newline"]);
const XCLIP: Way = Way::Tool(&["xclip", "-selection", "clipboard"]);
const XSEL: Way = Way::Tool(&["xsel", "--clipboard", "--input"]);
const MACOS: Way = Way::Tool(&["pbcopy"]);
const WINDOWS: Way = Way::Tool(&["clip.exe"]);

/// Copies a text for the person. Returns what it was copied with, for them to read.
pub(crate) fn copy(text: &Secret, environment: &Environment) -> Result<&'static str, Failure> {
    let mut tried = Vec::new();
    for way in ways(environment) {
        match way {
            Way::Tool(words) => {
                let Some((name, arguments)) = words.split_first() else { continue };
                let Some(program) = find(name, environment) else { continue };
                match feed(Command::new(program).args(arguments), text) {
                    Ok(()) => return Ok(name),
                    Err(why) => tried.push(format!("{name}: {why}")),
                }
            }
            Way::Terminal => match tell_terminal(text) {
                Ok(()) => return Ok("the terminal"),
                Err(error) => tried.push(format!("the terminal: {error}")),
            },
        }
    }
    let tried = if tried.is_empty() { String::new() } else { format!(" ({})", tried.join("; ")) };
    let message = format!("there is no clipboard{tried}: install wl-clipboard, xclip or xsel, or use --print");
    Err(Failure::new(Kind::Failed, message))
}

/// At the other end of an SSH connection the clipboard of this machine is nobody's.
fn ways(environment: &Environment) -> Vec<Way> {
    if environment.distance() == Some(Distance::Ssh) {
        return vec![Way::Terminal];
    }
    let has = |name: &str| environment.get(name).is_some();
    let mut ways = Vec::new();
    if has("WSL_DISTRO_NAME") {
        ways.push(WINDOWS);
    }
    if has("WAYLAND_DISPLAY") {
        ways.push(WAYLAND);
    }
    if has("DISPLAY") {
        ways.extend([XCLIP, XSEL]);
    }
    if cfg!(target_os = "macos") {
        ways.push(MACOS);
    }
    ways.push(Way::Terminal);
    ways
}

fn feed(command: &mut Command, text: &Secret) -> Result<(), String> {
    let mut tool = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let tool = tool.as_mut().map_err(|error| error.to_string())?;
    let written = tool.stdin.take().map(|mut stdin| stdin.write_all(text.expose_secret().as_bytes()));
    written.unwrap_or(Ok(())).map_err(|error| error.to_string())?;
    ended(tool)
}

fn ended(tool: &mut Child) -> Result<(), String> {
    let deadline = Deadline::after(PATIENCE);
    loop {
        match tool.try_wait().map_err(|error| error.to_string())? {
            Some(status) if status.success() => return Ok(()),
            Some(status) => return Err(format!("ended with {status}")),
            None if deadline.left().is_none() => {
                let _ = tool.kill();
                let _ = tool.wait();
                return Err(format!("took longer than {} s", PATIENCE.as_secs()));
            }
            None => std::thread::sleep(BETWEEN_LOOKS),
        }
    }
}

fn tell_terminal(text: &Secret) -> std::io::Result<()> {
    OpenOptions::new().write(true).open("/dev/tty")?.write_all(sequence(text).expose_secret().as_bytes())
}

fn sequence(text: &Secret) -> Secret {
    Secret::new(format!("\u{1b}]52;c;{}\u{7}", STANDARD.encode(text.expose_secret())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_way_is_that_of_where_the_person_sits() {
        let ways = |variables: &[(&str, &str)]| ways(&Environment::of(variables));
        assert_eq!(ways(&[("SSH_CONNECTION", "::1 1 ::1 22"), ("DISPLAY", "localhost:10")]), [Way::Terminal]);
        assert_eq!(ways(&[("WAYLAND_DISPLAY", "w"), ("DISPLAY", ":0")]), [WAYLAND, XCLIP, XSEL, Way::Terminal]);
        assert_eq!(ways(&[("WSL_DISTRO_NAME", "Debian")]), [WINDOWS, Way::Terminal]);
    }

    #[test]
    fn the_terminal_gets_the_text_in_base64() {
        assert_eq!(sequence(&Secret::new("https://x".to_owned())).expose_secret(), "\u{1b}]52;c;aHR0cHM6Ly94\u{7}");
    }

    #[test]
    fn e4_a_tool_gets_the_text_on_its_standard_input() {
        let directory = tempfile::tempdir().unwrap();
        let (program, said) = (directory.path().join("xclip"), directory.path().join("said"));
        let script = format!("#!/bin/sh\n{{ echo \"$@\"; /bin/cat; }} > {}\n", said.display());
        std::fs::write(directory.path().join("text"), script).unwrap();
        std::fs::set_permissions(directory.path().join("text"), PermissionsExt::from_mode(0o755)).unwrap();
        // Copied by another process: a program that this one had open for writing could be busy in a sibling's fork.
        let copied = Command::new("cp").arg("-p").arg(directory.path().join("text")).arg(&program).status();
        assert!(copied.unwrap().success());
        let path = directory.path().display().to_string();
        let environment = Environment::of(&[("PATH", &path), ("DISPLAY", ":0")]);
        if environment.distance().is_some_and(|distance| distance == Distance::Ssh) {
            return;
        }
        assert_eq!(copy(&Secret::new("CANARY".to_owned()), &environment).unwrap(), "xclip");
        assert_eq!(std::fs::read_to_string(said).unwrap(), "-selection clipboard\nCANARY");
    }

    #[test]
    fn a_tool_that_fails_is_named() {
        let why = feed(Command::new("/bin/sh").args(["-c", "cat > /dev/null; exit 3"]), &Secret::new("x".to_owned()));
        assert!(why.unwrap_err().contains("exit status: 3"));
    }
}
