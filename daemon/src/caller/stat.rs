//! `/proc/PID/stat` (proc_pid_stat(5)): what the kernel tells everybody about a process.

use super::Process;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use std::time::Duration;

/// Room for the longest line the kernel writes: 52 numbers of at most twenty digits, and a name.
const LONGEST: usize = 2048;

/// Kernel ticks per second in /proc: USER_HZ, which is 100 wherever Rust's Linux targets run (it is part of the kernel's ABI).
const TICKS_PER_SECOND: u64 = 100;

/// The fields that are used, by the names of proc_pid_stat(5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stat {
    pub(super) pid: u32,
    /// `comm`, printable.
    pub(super) name: String,
    /// `ppid`; 0 where the parent is out of sight.
    pub(super) parent: u32,
    /// `session`: its leader's pid.
    pub(super) session: u32,
    /// `tty_nr`.
    pub(super) terminal: Option<u32>,
    /// `starttime`.
    pub(super) started: Duration,
}

impl Stat {
    pub(super) fn into_process(self) -> Process {
        Process { pid: self.pid, started: self.started, name: self.name }
    }
}

/// Reads about a process; `None` if there is none with this pid.
pub(super) fn read(pid: u32) -> Result<Option<Stat>, Errno> {
    let mut line = [0; LONGEST];
    let length = match read_line(pid, &mut line) {
        Ok(length) => length,
        // ESRCH: it ended between open and read.
        Err(Errno::NOENT | Errno::SRCH) => return Ok(None),
        Err(errno) => return Err(errno),
    };
    parse(pid, line.get(..length).unwrap_or_default()).map(Some).ok_or(Errno::INVAL)
}

fn read_line(pid: u32, line: &mut [u8; LONGEST]) -> Result<usize, Errno> {
    let file = rustix::fs::open(format!("/proc/{pid}/stat"), OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    rustix::io::retry_on_intr(|| rustix::io::read(&file, &mut line[..]))
}

/// Reads a line. The name is in parentheses and may hold anything, parentheses and line ends too, so what follows is counted from
/// the last closing one.
fn parse(pid: u32, line: &[u8]) -> Option<Stat> {
    let opening = line.iter().position(|byte| *byte == b'(')?;
    let closing = line.iter().rposition(|byte| *byte == b')')?;
    let name = line.get(opening + 1..closing)?;
    let fields = std::str::from_utf8(line.get(closing + 1..)?).ok()?;
    // The first of these is field 3, `state`.
    let mut fields = fields.split_ascii_whitespace();
    let parent = fields.nth(4 - 3)?.parse().ok()?;
    let session = fields.nth(6 - 5)?.parse().ok()?;
    let terminal: i32 = fields.next()?.parse().ok()?;
    let ticks: u64 = fields.nth(22 - 8)?.parse().ok()?;
    Some(Stat {
        pid,
        name: printable(name),
        parent,
        session,
        terminal: (terminal != 0).then_some(terminal.cast_unsigned()),
        started: Duration::from_millis(ticks.checked_mul(1000 / TICKS_PER_SECOND)?),
    })
}

fn printable(name: &[u8]) -> String {
    let name = String::from_utf8_lossy(name);
    name.chars().map(|c| if tegata_protocol::text::is_hostile(c) { '?' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = "812 (bash) S 811 812 700 34817 900 4194304 1 2 3 4 5 6 7 8 20 0 1 0 123456 9 10 11 12 13";

    #[test]
    fn the_fields_are_those_of_the_manual() {
        let stat = parse(812, LINE.as_bytes()).unwrap();
        assert_eq!((stat.pid, stat.parent, stat.session, stat.terminal), (812, 811, 700, Some(34817)));
        assert_eq!((stat.name.as_str(), stat.started), ("bash", Duration::from_millis(1_234_560)));
    }

    #[test]
    fn a_name_cannot_pretend_to_be_other_fields() {
        let forged = LINE.replace("(bash)", "(x) R 1 1 1 0 (\n) S 1 9)");
        let stat = parse(812, forged.as_bytes()).unwrap();
        assert_eq!((stat.parent, stat.session), (811, 700));
        assert_eq!(stat.name, "x) R 1 1 1 0 (?) S 1 9");
    }

    #[test]
    fn a_name_of_any_bytes_is_printable() {
        let mut line = b"812 (\x1b[2J\xff".to_vec();
        line.extend_from_slice(LINE.trim_start_matches("812 (bash").as_bytes());
        assert_eq!(parse(812, &line).unwrap().name, "?[2J\u{fffd}");
    }

    #[test]
    fn a_process_without_a_terminal_has_none() {
        assert_eq!(parse(812, LINE.replace("34817", "0").as_bytes()).unwrap().terminal, None);
    }

    #[test]
    fn a_line_cut_anywhere_is_no_process_or_the_same() {
        let whole = parse(812, LINE.as_bytes());
        for length in 0..LINE.len() {
            let cut = parse(812, &LINE.as_bytes()[..length]);
            assert!(cut.is_none() || length > LINE.find("12345").unwrap(), "{length}: {cut:?} of {whole:?}");
        }
    }

    #[test]
    fn this_process_is_found_and_one_that_cannot_be_is_not() {
        let own = read(std::process::id()).unwrap().unwrap();
        assert_eq!(own.parent, std::os::unix::process::parent_id());
        assert!(own.started > Duration::ZERO);
        assert_eq!(read(u32::MAX), Ok(None));
    }
}
