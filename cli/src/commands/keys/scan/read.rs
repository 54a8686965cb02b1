//! Reading a file that may be anything: never a pipe or a device, never through a link, never more than a bound.

use rustix::fs::{Mode, OFlags};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use zeroize::{Zeroize, Zeroizing};

/// The largest file that is read.
pub(super) const LARGEST: u64 = 64 * 1024 * 1024;
/// How much of a file says whether it is text.
const HEAD: u64 = 8 * 1024;
/// A larger buffer is not kept for the next file.
const KEPT: usize = 1024 * 1024;

/// What a file turned out to be.
#[derive(Debug)]
pub(super) enum Content<'a> {
    /// Its text, in UTF-8 or an encoding that ASCII is a part of.
    Text(&'a [u8]),
    /// No text, or nothing at all.
    NoText,
    /// No file: a pipe, a device, a socket.
    NoFile,
    TooLarge,
}

/// Memory that files are read into. It is wiped after each.
#[derive(Default)]
pub(super) struct Buffer {
    bytes: Zeroizing<Vec<u8>>,
    decoded: Zeroizing<Vec<u8>>,
}

impl Buffer {
    /// Reads a file that is no link.
    pub(super) fn read(&mut self, path: &Path) -> io::Result<Content<'_>> {
        self.wipe();
        // A pipe that took the file's place meanwhile is opened without waiting for its writer, and then left.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let mut file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Ok(Content::NoFile);
        }
        let size = metadata.len();
        self.bytes.reserve_exact(usize::try_from(size.min(HEAD)).unwrap_or_default());
        file.by_ref().take(HEAD.min(size)).read_to_end(&mut self.bytes)?;
        if is_binary(&self.bytes) {
            return Ok(Content::NoText);
        }
        if size > LARGEST {
            return Ok(Content::TooLarge);
        }
        self.rest(&mut file, size)?;
        self.decoded = utf16(&self.bytes);
        Ok(Content::Text(if self.decoded.is_empty() { &self.bytes } else { &self.decoded }))
    }

    /// Reads what is behind the head, into memory that has room for all of it: memory that grows would leave a copy behind.
    fn rest(&mut self, file: &mut File, size: u64) -> io::Result<()> {
        let rest = size.saturating_sub(HEAD);
        if rest == 0 {
            return Ok(());
        }
        let mut whole = Zeroizing::new(Vec::with_capacity(usize::try_from(size).unwrap_or_default()));
        whole.extend_from_slice(&self.bytes);
        file.take(rest).read_to_end(&mut whole)?;
        self.bytes = whole;
        Ok(())
    }

    /// Forgets what was read.
    fn wipe(&mut self) {
        self.bytes.as_mut_slice().zeroize();
        self.bytes.clear();
        self.decoded = Zeroizing::default();
        if self.bytes.capacity() > KEPT {
            self.bytes = Zeroizing::default();
        }
    }
}

/// Whether these bytes begin a file that is no text. UTF-16 is, where it says so.
fn is_binary(head: &[u8]) -> bool {
    head.is_empty() || (head.contains(&0) && order(head).is_none())
}

/// Returns how two bytes make a unit of UTF-16, where a text says it is that.
fn order(text: &[u8]) -> Option<fn([u8; 2]) -> u16> {
    match text {
        [0xff, 0xfe, ..] => Some(u16::from_le_bytes),
        [0xfe, 0xff, ..] => Some(u16::from_be_bytes),
        _ => None,
    }
}

/// Returns UTF-16 as UTF-8, and nothing for other texts. Windows and PowerShell write it.
fn utf16(text: &[u8]) -> Zeroizing<Vec<u8>> {
    let Some(order) = order(text) else { return Zeroizing::default() };
    // Three bytes of UTF-8 at most for two.
    let mut decoded = Zeroizing::new(Vec::with_capacity(text.len() / 2 * 3));
    let (pairs, _) = text.as_chunks::<2>();
    let mut character = Zeroizing::new([0; 4]);
    for one in char::decode_utf16(pairs.iter().skip(1).map(|pair| order(*pair))) {
        let one = one.unwrap_or(char::REPLACEMENT_CHARACTER);
        decoded.extend_from_slice(one.encode_utf8(character.as_mut_slice()).as_bytes());
    }
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn file(bytes: &[u8]) -> (tempfile::TempDir, std::path::PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("f");
        fs::write(&path, bytes).unwrap();
        (directory, path)
    }

    fn text(bytes: &[u8]) -> Option<Vec<u8>> {
        let (_directory, path) = file(bytes);
        match Buffer::default().read(&path).unwrap() {
            Content::Text(text) => Some(text.to_vec()),
            _ => None,
        }
    }

    #[test]
    fn text_is_read_in_every_encoding_and_length() {
        assert_eq!(text("ключ=1\n".as_bytes()).unwrap(), "ключ=1\n".as_bytes());
        assert_eq!(text(b"caf\xe9=1").unwrap(), b"caf\xe9=1");
        let utf16 = |order: fn(u16) -> [u8; 2]| "\u{feff}key=é\n".encode_utf16().flat_map(order).collect::<Vec<u8>>();
        assert_eq!(text(&utf16(u16::to_le_bytes)).unwrap(), "key=é\n".as_bytes());
        assert_eq!(text(&utf16(u16::to_be_bytes)).unwrap(), "key=é\n".as_bytes());
        for length in [1, 8191, 8192, 8193, 3_000_000] {
            assert_eq!(text(&vec![b'a'; length]).unwrap().len(), length);
        }
    }

    #[test]
    fn what_is_no_text_is_not() {
        assert_eq!(text(b""), None);
        assert_eq!(text(b"\x7fELF\0\0"), None);
    }

    #[test]
    fn links_pipes_and_devices_are_not_read() {
        let (directory, path) = file(b"text");
        let link = directory.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert!(Buffer::default().read(&link).is_err());
        let pipe = directory.path().join("pipe");
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, Mode::RWXU, 0).unwrap();
        assert!(matches!(Buffer::default().read(&pipe).unwrap(), Content::NoFile));
        assert!(matches!(Buffer::default().read(Path::new("/dev/null")).unwrap(), Content::NoFile));
    }

    #[test]
    fn a_file_without_end_is_told_by_its_head() {
        let (_directory, path) = file(b"");
        let sparse = fs::OpenOptions::new().write(true).open(&path).unwrap();
        sparse.set_len(1 << 30).unwrap();
        assert!(matches!(Buffer::default().read(&path).unwrap(), Content::NoText));
        let head = vec![b'a'; 8192];
        fs::write(&path, &head).unwrap();
        fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(1 << 30).unwrap();
        assert!(matches!(Buffer::default().read(&path).unwrap(), Content::TooLarge));
    }

    #[test]
    fn nothing_of_a_file_is_left_for_the_next() {
        let (_directory, path) = file(&vec![b's'; 5000]);
        let mut buffer = Buffer::default();
        assert!(matches!(buffer.read(&path).unwrap(), Content::Text(_)));
        fs::write(&path, "x").unwrap();
        assert!(matches!(buffer.read(&path).unwrap(), Content::Text(b"x")));
        let unused = buffer.bytes.spare_capacity_mut();
        assert!(unused.len() >= 4999, "the memory is used again");
        buffer.wipe();
        let all = buffer.bytes.capacity();
        buffer.bytes.resize(all, 0);
        assert!(buffer.bytes.iter().all(|byte| *byte == 0));
    }
}
