//! What shells are told: the code of `tegata shell-init`, and statements that change a shell's variables. Pure.
//!
//! Whatever comes from outside (a profile's name, a region) is quoted here for the shell that will read it.

pub(crate) mod directory;
pub(crate) mod switch;

use clap::ValueEnum;
use std::fmt::Write;

/// A shell that Tegata has code for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shell {
    /// bash 3.2 and newer
    Bash,
    /// zsh 5 and newer
    Zsh,
    /// fish 3.4 and newer
    Fish,
    /// PowerShell 5.1 and newer
    Powershell,
}

/// One change to a shell's variables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Statement {
    /// Sets a variable that programs inherit.
    Export(&'static str, String),
    /// Removes a variable.
    Unset(&'static str),
    /// Keeps what the next change has to know, in a variable of the shell's own.
    Remember(String),
}

/// The variable that [`Statement::Remember`] sets.
const STATE: &str = "__tegata_state";

impl Shell {
    /// Returns the code that makes `tg`, the directory defaults, completion and, if wanted, the prompt.
    pub(crate) fn init(self, program: &str, prompt: bool) -> String {
        let script = match self {
            Self::Bash => include_str!("bash.sh"),
            Self::Zsh => include_str!("zsh.sh"),
            Self::Fish => include_str!("fish.fish"),
            Self::Powershell => include_str!("powershell.ps1"),
        };
        script.replace("@PROGRAM@", &self.quoted(program)).replace("@PROMPT@", if prompt { "yes" } else { "no" })
    }

    /// Returns the code of statements, one line each.
    pub(crate) fn code(self, statements: &[Statement]) -> String {
        statements.iter().fold(String::new(), |mut code, statement| {
            let _ = writeln!(code, "{}", self.line(statement));
            code
        })
    }

    fn line(self, statement: &Statement) -> String {
        match (statement, self) {
            (Statement::Export(name, value), Self::Bash | Self::Zsh) => format!("export {name}={}", self.quoted(value)),
            (Statement::Export(name, value), Self::Fish) => format!("set -gx {name} {}", self.quoted(value)),
            (Statement::Export(name, value), Self::Powershell) => format!("$env:{name} = {}", self.quoted(value)),
            // Without -v, bash would remove a function of that name.
            (Statement::Unset(name), Self::Bash | Self::Zsh) => format!("unset -v {name}"),
            (Statement::Unset(name), Self::Fish) => format!("set -e {name}"),
            (Statement::Unset(name), Self::Powershell) => {
                format!("Remove-Item -LiteralPath Env:{name} -ErrorAction Ignore")
            }
            (Statement::Remember(state), Self::Bash | Self::Zsh) => format!("{STATE}={}", self.quoted(state)),
            (Statement::Remember(state), Self::Fish) => format!("set -g {STATE} {}", self.quoted(state)),
            (Statement::Remember(state), Self::Powershell) => format!("$global:{STATE} = {}", self.quoted(state)),
        }
    }

    /// Returns a text as one word that the shell reads as just this text.
    pub(crate) fn quoted(self, text: &str) -> String {
        let inner = match self {
            // POSIX.1-2017, Shell Command Language, 2.2.2: nothing but the closing quote is special.
            Self::Bash | Self::Zsh => text.replace('\'', r"'\''"),
            // fish, "Quotes": a backslash escapes itself and the quote.
            Self::Fish => text.replace('\\', r"\\").replace('\'', r"\'"),
            // PowerShell, "about_Quoting_Rules": a quote is doubled; its parser takes the typographic ones for quotes, too.
            Self::Powershell => {
                let doubled = |c| if matches!(c, '\'' | '\u{2018}'..='\u{201b}') { vec![c, c] } else { vec![c] };
                text.chars().flat_map(doubled).collect()
            }
        };
        format!("'{inner}'")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    const HOSTILE: [&str; 8] =
        ["dev", "a b", "it's", "$(touch x)", "`touch x`", "a\"b\\", "; touch x #", "障害 %{x%} ~ * ? \u{2019}"];

    /// What a shell makes of a quoted text, where that shell is installed.
    fn read_by(program: &str, shell: Shell, text: &str) -> Option<String> {
        let line = format!("printf %s {}", shell.quoted(text));
        let output = Command::new(program).args(["-c", &line]).output().ok()?;
        Some(String::from_utf8(output.stdout).unwrap())
    }

    #[test]
    fn a_quoted_text_is_read_as_it_is_and_nothing_of_it_runs() {
        for text in HOSTILE {
            for (program, shell) in
                [("sh", Shell::Bash), ("bash", Shell::Bash), ("zsh", Shell::Zsh), ("fish", Shell::Fish)]
            {
                assert!(read_by(program, shell, text).is_none_or(|read| read == text), "{program} {text}");
            }
        }
        assert_eq!(read_by("sh", Shell::Bash, "it's").as_deref(), Some("it's"), "no shell was asked");
    }

    #[test]
    fn powershell_s_other_quotes_are_doubled_as_well() {
        assert_eq!(Shell::Powershell.quoted("a'b\u{2019}c$(x)`"), "'a''b\u{2019}\u{2019}c$(x)`'");
    }

    #[test]
    fn each_shell_has_its_own_words() {
        let statements = [
            Statement::Export("AWS_PROFILE", "it's".to_owned()),
            Statement::Unset("AWS_SESSION_TOKEN"),
            Statement::Remember("x".to_owned()),
        ];
        let code = |shell: Shell| shell.code(&statements);
        assert_eq!(
            code(Shell::Bash),
            "export AWS_PROFILE='it'\\''s'\nunset -v AWS_SESSION_TOKEN\n__tegata_state='x'\n"
        );
        assert_eq!(code(Shell::Zsh), code(Shell::Bash));
        assert_eq!(
            code(Shell::Fish),
            "set -gx AWS_PROFILE 'it\\'s'\nset -e AWS_SESSION_TOKEN\nset -g __tegata_state 'x'\n"
        );
        assert_eq!(
            code(Shell::Powershell),
            "$env:AWS_PROFILE = 'it''s'\nRemove-Item -LiteralPath Env:AWS_SESSION_TOKEN -ErrorAction Ignore\n$global:__tegata_state = 'x'\n"
        );
    }

    #[test]
    fn the_program_is_one_word_of_the_code() {
        for shell in Shell::value_variants() {
            let code = shell.init("/opt/it's here/tegata", true);
            assert!(code.contains(&shell.quoted("/opt/it's here/tegata")), "{shell:?}");
            assert!(
                !code.contains('@') || *shell == Shell::Powershell || code.contains("\"$@\"") || code.contains("[@]"),
                "{shell:?}"
            );
            assert!(!code.contains("@PROGRAM@") && !code.contains("@PROMPT@"), "{shell:?}");
        }
    }
}
