//! Whether a program is what its user put there: looked at each time before it is run.

use crate::problem::quoted;
use crate::regular_file::ReadError;
use rustix::fs::{FileType, Stat};
use std::collections::BTreeSet;
use std::path::Path;
use tegata_protocol::text::one_line;

/// Why a program is not run.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Distrust {
    pub(super) why: String,
    pub(super) mend: Option<String>,
}

/// Checks a program and the directories it lies in, those of a link and those of what it leads to: each belongs to this user or
/// to root, and nobody else can write it. A directory in which each owner keeps his own (the sticky bit, as in `/tmp`) will do.
pub(super) fn check(program: &Path) -> Result<(), Distrust> {
    let file = stat(program)?;
    if FileType::from_raw_mode(file.st_mode) != FileType::RegularFile {
        return Err(distrust(program, "is no file", None));
    }
    owned_and_closed(program, &file, false)?;
    let real = program.canonicalize().map_err(|error| distrust(program, &error.to_string(), None))?;
    let directories: BTreeSet<&Path> = program.ancestors().skip(1).chain(real.ancestors().skip(1)).collect();
    directories.into_iter().try_for_each(|directory| owned_and_closed(directory, &stat(directory)?, true))
}

fn owned_and_closed(path: &Path, stat: &Stat, may_be_shared: bool) -> Result<(), Distrust> {
    let owner = stat.st_uid;
    if owner != rustix::process::geteuid().as_raw() && owner != 0 {
        return Err(distrust(path, &format!("belongs to another user (uid {owner})"), None));
    }
    let shared = may_be_shared && stat.st_mode & 0o1000 != 0;
    if stat.st_mode & 0o022 != 0 && !shared {
        let mend = format!("chmod go-w {}", quoted(&one_line(&path.to_string_lossy())));
        return Err(distrust(path, "can be written by others", Some(mend)));
    }
    Ok(())
}

fn stat(path: &Path) -> Result<Stat, Distrust> {
    crate::regular_file::stat(path).map_err(|error| match error {
        ReadError::Missing => distrust(path, "is not there", None),
        error => distrust(path, &error.to_string(), None),
    })
}

fn distrust(path: &Path, why: &str, mend: Option<String>) -> Distrust {
    Distrust { why: one_line(&format!("{} {why}", path.display())), mend }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{Permissions, create_dir, set_permissions, write};
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::path::PathBuf;

    fn program() -> (tempfile::TempDir, PathBuf) {
        let home = tempfile::tempdir().unwrap();
        let directory = home.path().join("bin");
        create_dir(&directory).unwrap();
        let program = directory.join("token");
        write(&program, "#!/bin/sh\n").unwrap();
        (home, program)
    }

    fn open_to_others(path: &Path, mode: u32) {
        set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_program_of_ones_own_and_one_of_the_system_are_trusted() {
        let (_home, own) = program();
        assert_eq!(check(&own), Ok(()));
        assert_eq!(check(Path::new("/bin/sh")), Ok(()), "/bin is a link on most systems");
    }

    #[test]
    fn a_program_that_others_can_write_is_not_run() {
        let (_home, program) = program();
        for mode in [0o720, 0o702, 0o777] {
            open_to_others(&program, mode);
            let distrust = check(&program).unwrap_err();
            assert_eq!(distrust.why, format!("{} can be written by others", program.display()));
            assert_eq!(distrust.mend.unwrap(), format!("chmod go-w {}", program.display()));
        }
    }

    #[test]
    fn a_program_in_a_directory_that_others_can_write_is_not_run() {
        let (home, program) = program();
        let link = home.path().join("link");
        symlink(&program, &link).unwrap();
        let directory = program.parent().unwrap();
        open_to_others(directory, 0o777);
        for reached in [&program, &link] {
            let distrust = check(reached).unwrap_err();
            assert_eq!(distrust.why, format!("{} can be written by others", directory.display()));
        }
        open_to_others(directory, 0o1777);
        assert_eq!(check(&program), Ok(()), "everybody keeps his own there");
        open_to_others(directory, 0o755);
        open_to_others(home.path(), 0o777);
        assert!(check(&link).is_err(), "the link could be turned");
    }

    #[test]
    fn what_is_no_program_is_not_run() {
        let (home, program) = program();
        assert!(check(&home.path().join("none")).unwrap_err().why.ends_with("is not there"));
        assert!(check(home.path()).unwrap_err().why.ends_with("is no file"));
        let loops = home.path().join("loop");
        symlink("loop", &loops).unwrap();
        assert!(check(&loops).is_err());
        assert_eq!(check(&program), Ok(()));
    }
}
