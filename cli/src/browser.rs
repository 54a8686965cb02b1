//! Opening a page in the person's own browser, from the person's own terminal. No shell takes part.

use crate::environment::Environment;
use crate::failure::{Failure, Kind};
use rustix::fs::{Access, access};
use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A browser that was found, and how it is told the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Browser {
    /// A command line: the page takes the place of `%s`, else it is the last argument.
    Given(Vec<OsString>),
    /// Whatever the desktop opens pages with.
    Desktop,
}

impl Browser {
    /// Returns the browser of a command line given by the person.
    pub(crate) fn given(command: &str, environment: &Environment) -> Result<Self, Failure> {
        let usage = |why: &str| Failure::new(Kind::Usage, format!("--browser {command:?}: {why}"));
        let words = shlex::split(command).ok_or_else(|| usage("a quote is not closed"))?;
        let (program, arguments) = words.split_first().ok_or_else(|| usage("it names no program"))?;
        let program = find(program, environment).ok_or_else(|| usage("there is no such program"))?;
        Ok(Self::Given(std::iter::once(program.into()).chain(arguments.iter().map(Into::into)).collect()))
    }

    /// Returns the browser to use when none was given: the first of `BROWSER` that is there, else the desktop's. Nothing
    /// where no page could appear.
    pub(crate) fn usual(environment: &Environment) -> Option<Self> {
        let named = environment.get("BROWSER").and_then(|list| list.into_string().ok()).unwrap_or_default();
        let named = named.split(':').find_map(|command| Self::given(command, environment).ok());
        named.or_else(|| environment.has_display().then_some(Self::Desktop))
    }

    /// Returns the first of these programs that is there.
    pub(crate) fn first_of(programs: &[&str], environment: &Environment) -> Option<Self> {
        programs.iter().find_map(|name| find(name, environment)).map(|program| Self::Given(vec![program.into()]))
    }

    /// Returns the file name of the program, where one was named.
    pub(crate) fn program(&self) -> Option<&str> {
        let Self::Given(words) = self else { return None };
        Path::new(words.first()?).file_name()?.to_str()
    }

    /// Adds arguments, right behind the program.
    pub(crate) fn with(self, arguments: impl IntoIterator<Item = OsString>) -> Self {
        match self {
            Self::Given(mut words) => {
                let rest = words.split_off(words.len().min(1));
                Self::Given(words.into_iter().chain(arguments).chain(rest).collect())
            }
            Self::Desktop => Self::Desktop,
        }
    }

    /// Opens a page and returns the program that does it, or nothing where none could be started.
    pub(crate) fn open(&self, page: &str, environment: &Environment) -> Option<Child> {
        let commands = match self {
            Self::Given(words) => vec![with_page(words, page)],
            Self::Desktop => open::commands(page),
        };
        commands.iter().find_map(|command| spawn(command, environment))
    }
}

/// Returns once, when the program that was to open a page has ended badly, that it has.
pub(crate) fn has_failed(browser: &mut Option<Child>) -> bool {
    let Some(Ok(Some(status))) = browser.as_mut().map(Child::try_wait) else { return false };
    *browser = None;
    !status.success()
}

/// Starts a program that neither hears this terminal nor writes to it; Ctrl-C here does not close the browser.
fn spawn(command: &Command, environment: &Environment) -> Option<Child> {
    let program = find(command.get_program(), environment)?;
    let mut detached = Command::new(program);
    detached.args(command.get_args()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
    detached.spawn().ok()
}

fn with_page(words: &[OsString], page: &str) -> Command {
    let mut words = words.iter();
    let mut command = Command::new(words.next().cloned().unwrap_or_default());
    let mut placed = false;
    for word in words {
        match word.to_str().filter(|word| word.contains("%s")) {
            Some(word) => {
                placed = true;
                command.arg(word.replace("%s", page));
            }
            None => {
                command.arg(word);
            }
        }
    }
    if !placed {
        command.arg(page);
    }
    command
}

/// Finds a program as a shell would, but never in a directory that depends on where the person happens to stand.
pub(crate) fn find(program: impl AsRef<OsStr>, environment: &Environment) -> Option<PathBuf> {
    let program = Path::new(program.as_ref());
    if program.components().count() > 1 || program.is_absolute() {
        return is_executable(program).then(|| program.to_owned());
    }
    let path = environment.get("PATH")?;
    std::env::split_paths(&path)
        .filter(|directory| directory.is_absolute())
        .map(|directory| directory.join(program))
        .find(|candidate| is_executable(candidate))
}

fn is_executable(path: &Path) -> bool {
    path.is_file() && access(path, Access::EXEC_OK).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    const PAGE: &str = "https://example.org/?a=1&b=$(id);c";

    fn with_program() -> (tempfile::TempDir, Environment) {
        let directory = tempfile::tempdir().unwrap();
        let program = directory.path().join("surf");
        std::fs::write(&program, "#!/bin/sh\n").unwrap();
        std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
        let path = format!(".::relative:{}", directory.path().display());
        let environment = Environment::of(&[("PATH", &path), ("BROWSER", "missing %s:surf --new"), ("DISPLAY", ":0")]);
        (directory, environment)
    }

    fn arguments(browser: &Browser) -> Vec<String> {
        match browser {
            Browser::Given(words) => {
                with_page(words, PAGE).get_args().map(|word| word.to_str().unwrap().to_owned()).collect()
            }
            Browser::Desktop => panic!("not a given browser"),
        }
    }

    #[test]
    fn the_page_takes_the_place_of_the_mark_or_comes_last() {
        let (_directory, environment) = with_program();
        let given = |command| arguments(&Browser::given(command, &environment).unwrap());
        assert_eq!(given("surf"), [PAGE]);
        assert_eq!(given("surf --app=%s -x"), [&format!("--app={PAGE}"), "-x"]);
        assert_eq!(given("surf 'a b' \"c\""), ["a b", "c", PAGE]);
    }

    #[test]
    fn h4_no_shell_reads_the_command_or_the_page() {
        let (_directory, environment) = with_program();
        let browser = Browser::given("surf ; rm -rf $HOME `id`", &environment).unwrap();
        assert_eq!(arguments(&browser), [";", "rm", "-rf", "$HOME", "`id`", PAGE]);
    }

    #[test]
    fn a_browser_that_cannot_be_used_is_named_before_anything_begins() {
        let (_directory, environment) = with_program();
        for command in ["", "surf 'x", "missing", "/no/such/browser"] {
            assert_eq!(Browser::given(command, &environment).unwrap_err().exit_code(), 2, "{command:?}");
        }
    }

    #[test]
    fn the_first_browser_that_is_there_is_used() {
        let (directory, environment) = with_program();
        let expected = vec![directory.path().join("surf").into(), "--new".into()];
        assert_eq!(Browser::usual(&environment), Some(Browser::Given(expected)));
        assert_eq!(Browser::usual(&Environment::of(&[("WAYLAND_DISPLAY", "w")])), Some(Browser::Desktop));
        assert_eq!(Browser::usual(&Environment::of(&[])), None);
    }

    #[test]
    fn the_working_directory_is_not_searched() {
        let (directory, _) = with_program();
        std::env::split_paths(".::bin").for_each(|entry| assert!(!entry.is_absolute()));
        let environment = Environment::of(&[("PATH", ".::bin")]);
        assert_eq!(find("surf", &environment), None);
        assert_eq!(find(directory.path().join("surf"), &environment), Some(directory.path().join("surf")));
    }
}
