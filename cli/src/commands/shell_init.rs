//! `tegata shell-init`: prints the code that a shell's start file runs.

use crate::failure::Failure;
use crate::output;
use crate::shell_init::Shell;
use clap::Args;

/// Print what your shell's start file runs: tg, directory defaults, completion, the prompt.
///
/// tg PROFILE switches this shell: AWS_PROFILE, TEGATA_PROFILE and, where the profile names one, the region are set; variables
/// that SDKs prefer to a profile, such as AWS_ACCESS_KEY_ID, are unset. No credentials enter the shell.
///
/// A file `.tegata` with a profile's name switches the shell while it is in that directory or below, once you have said that you
/// trust that file with that profile.
#[derive(Args)]
#[command(after_help = "\
Examples:
  eval \"$(tegata shell-init bash)\"                                in ~/.bashrc
  eval \"$(tegata shell-init zsh)\"                                 in ~/.zshrc, behind compinit
  tegata shell-init fish | source                                 in ~/.config/fish/config.fish
  tegata shell-init powershell | Out-String | Invoke-Expression   in $PROFILE
  eval \"$(tegata shell-init bash --prompt)\"                       with the prompt's segment

What it gives:
  tg                choose a profile from a list
  tg dev            switch this shell to dev
  tg -              go back to the profile before
  tg --clear        no profile
  tg --trust        use the profile that this directory's .tegata names")]
pub(crate) struct ShellInit {
    /// The shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
    /// Show the profile, its gate and the time left in front of the prompt
    #[arg(long)]
    prompt: bool,
}

impl ShellInit {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        output::write_stdout(self.shell.init(&program(), self.prompt).as_bytes())
    }
}

/// Returns how the shell is to find this program: as it was found now. A path is made absolute, since shells move about; a bare
/// name stays one, so that an update in another place is found, too.
fn program() -> String {
    let called = std::env::args_os().next().unwrap_or_default();
    match called.to_str() {
        Some(path) if path.contains('/') => {
            std::path::absolute(path).ok().and_then(|path| path.into_os_string().into_string().ok())
        }
        _ => None,
    }
    .unwrap_or_else(|| "tegata".to_owned())
}
