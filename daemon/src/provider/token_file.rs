//! A file with a token, which whoever puts it there replaces at any time: read anew each time, through links (a projected volume of
//! Kubernetes is nothing but links).

use super::web_identity::{CHARACTERS, TokenError};
use crate::regular_file::{self, ReadError};
use std::path::Path;
use std::time::Duration;
use tegata_protocol::Secret;
use tegata_protocol::text::one_line;
use zeroize::Zeroizing;

/// The end of the last line, which may be there.
const LINE_END: usize = 2;
/// How long the file system may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Reads the file, without the end of its last line.
pub(super) async fn read(path: &Path) -> Result<Secret, TokenError> {
    let shown = one_line(&path.to_string_lossy());
    let refused = |why: String| TokenError::File { path: shown.clone(), why };
    let file = path.to_owned();
    let reading = tokio::task::spawn_blocking(move || regular_file::read(&file, CHARACTERS.end() + LINE_END));
    let read = match tokio::time::timeout(PATIENCE, reading).await {
        Ok(Ok(read)) => read,
        Ok(Err(_)) => return Err(refused("it was not read".to_owned())),
        Err(_) => return Err(refused(format!("the file system did not answer within {} s", PATIENCE.as_secs()))),
    };
    let mut bytes = match read {
        Ok(content) => Zeroizing::new(content.bytes),
        Err(ReadError::TooLarge(_)) => return Err(refused("larger than any token".to_owned())),
        Err(error) => return Err(refused(error.to_string())),
    };
    for end in [b'\n', b'\r'] {
        if bytes.last() == Some(&end) {
            bytes.pop();
        }
    }
    match String::from_utf8(std::mem::take(&mut *bytes)) {
        Ok(text) => Ok(Secret::new(text)),
        Err(error) => {
            drop(Zeroizing::new(error.into_bytes()));
            Err(refused("is no text".to_owned()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::{CWD, FileType, Mode, mknodat};
    use std::fs::{create_dir, rename, write};
    use std::os::unix::fs::symlink;

    async fn said(path: &Path) -> String {
        read(path).await.unwrap_err().to_string()
    }

    #[tokio::test]
    async fn a_token_is_read_through_the_links_of_a_projected_volume_and_anew_each_time() {
        let volume = tempfile::tempdir().unwrap();
        let at = |name: &str| volume.path().join(name);
        create_dir(at("..2026_11_22")).unwrap();
        write(at("..2026_11_22/token"), "first\n").unwrap();
        symlink("..2026_11_22", at("..data")).unwrap();
        symlink("..data/token", at("token")).unwrap();
        assert_eq!(read(&at("token")).await.unwrap().expose_secret(), "first");
        create_dir(at("..2026_11_23")).unwrap();
        write(at("..2026_11_23/token"), "second").unwrap();
        symlink("..2026_11_23", at("..data_tmp")).unwrap();
        rename(at("..data_tmp"), at("..data")).unwrap();
        assert_eq!(read(&at("token")).await.unwrap().expose_secret(), "second");
    }

    #[tokio::test]
    async fn what_is_no_token_file_is_said_and_blocks_nobody() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        mknodat(CWD, at("fifo"), FileType::Fifo, Mode::RWXU, 0).unwrap();
        write(at("large"), vec![b'a'; 1024 * 1024]).unwrap();
        write(at("bytes"), b"CANARY\xff").unwrap();
        symlink("loop", at("loop")).unwrap();
        for (path, why) in [
            (at("none"), "no such file"),
            (at("fifo"), "is a pipe, not a file"),
            (directory.path().to_owned(), "is a directory, not a file"),
            ("/dev/zero".into(), "is a device, not a file"),
            (at("large"), "larger than any token"),
            (at("bytes"), "is no text"),
        ] {
            assert_eq!(said(&path).await, format!("the token file {}: {why}", path.display()));
        }
        assert!(said(&at("loop")).await.contains("cannot look at it"));
    }

    #[tokio::test]
    async fn the_longest_token_may_have_an_end_of_line() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("token");
        for (end, fits) in [("", true), ("\r\n", true), ("a\r\n", false)] {
            write(&file, format!("{}{end}", "a".repeat(20_000))).unwrap();
            assert_eq!(read(&file).await.is_ok(), fits, "{end:?}");
        }
    }
}
