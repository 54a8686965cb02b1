//! What a terminal sends → keys. Pure.
//!
//! Sequences: ECMA-48 (CSI), xterm "Control Sequences" (SS3 for arrows in application mode).

/// A key that means something here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    /// A character to be added to what is typed.
    Char(char),
    /// Removes the last character.
    Backspace,
    /// Removes the last word.
    DeleteWord,
    /// Removes everything.
    Clear,
    /// One row up.
    Up,
    /// One row down.
    Down,
    /// One page up.
    PageUp,
    /// One page down.
    PageDown,
    /// To the first row.
    Home,
    /// To the last row.
    End,
    /// Ticks the row where many may be chosen; one row down elsewhere.
    Tab,
    /// Ticks all that match, where many may be chosen.
    Right,
    /// Takes the ticks off all that match.
    Left,
    /// Takes the row.
    Enter,
    /// Leaves without one.
    Leave,
    /// Nothing that means anything here.
    Other,
}

/// What the first bytes come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decoded {
    /// A key, and how many bytes it has.
    Key(Key, usize),
    /// The beginning of a key, or Escape alone: only time will tell.
    Unfinished,
}

const ESCAPE: u8 = 0x1b;
/// No sequence of any terminal is longer.
const LONGEST_SEQUENCE: usize = 32;

/// Reads the first key of what has come. `bytes` is not empty.
pub(crate) fn decode(bytes: &[u8]) -> Decoded {
    match bytes {
        [] | [ESCAPE] => Decoded::Unfinished,
        [ESCAPE, b'[' | b'O', rest @ ..] => sequence(rest),
        // Escape and another key, typed fast: leaving is what counts.
        [ESCAPE, ..] => Decoded::Key(Key::Leave, 1),
        [byte, ..] if *byte < 0x20 || *byte == 0x7f => Decoded::Key(control(*byte), 1),
        _ => character(bytes),
    }
}

fn control(byte: u8) -> Key {
    match byte {
        b'\r' | b'\n' => Key::Enter,
        0x7f | 0x08 => Key::Backspace,
        // Ctrl-C, Ctrl-D, Ctrl-G
        0x03 | 0x04 | 0x07 => Key::Leave,
        // Ctrl-P, Ctrl-K
        0x10 | 0x0b => Key::Up,
        b'\t' => Key::Tab,
        // Ctrl-N
        0x0e => Key::Down,
        // Ctrl-U, Ctrl-W
        0x15 => Key::Clear,
        0x17 => Key::DeleteWord,
        _ => Key::Other,
    }
}

/// Reads what follows `ESC [` or `ESC O`: parameters, then one final byte (ECMA-48, 5.4).
fn sequence(rest: &[u8]) -> Decoded {
    let Some(end) = rest.iter().position(|byte| (0x40..=0x7e).contains(byte)) else {
        let broken = rest.len() > LONGEST_SEQUENCE || rest.iter().any(|byte| !(0x20..0x40).contains(byte));
        return if broken { Decoded::Key(Key::Other, 2) } else { Decoded::Unfinished };
    };
    let key = match (&rest[..end], rest[end]) {
        ([], b'A') => Key::Up,
        ([], b'B') => Key::Down,
        ([], b'C') => Key::Right,
        ([], b'D') => Key::Left,
        ([], b'Z') => Key::Up,
        ([], b'H') | (b"1" | b"7", b'~') => Key::Home,
        ([], b'F') | (b"4" | b"8", b'~') => Key::End,
        (b"5", b'~') => Key::PageUp,
        (b"6", b'~') => Key::PageDown,
        _ => Key::Other,
    };
    Decoded::Key(key, end + 3)
}

fn character(bytes: &[u8]) -> Decoded {
    let longest = &bytes[..bytes.len().min(4)];
    let valid = match std::str::from_utf8(longest) {
        Ok(text) => text,
        Err(error) if error.valid_up_to() > 0 => {
            std::str::from_utf8(&longest[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(error) if error.error_len().is_none() => return Decoded::Unfinished,
        Err(_) => return Decoded::Key(Key::Other, 1),
    };
    valid.chars().next().map_or(Decoded::Key(Key::Other, 1), |c| Decoded::Key(Key::Char(c), c.len_utf8()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(mut bytes: &[u8]) -> (Vec<Key>, usize) {
        let mut keys = Vec::new();
        while !bytes.is_empty() {
            match decode(bytes) {
                Decoded::Key(key, length) => {
                    keys.push(key);
                    bytes = &bytes[length..];
                }
                Decoded::Unfinished => break,
            }
        }
        (keys, bytes.len())
    }

    #[test]
    fn what_is_typed_is_read_character_by_character() {
        use Key::{Backspace, Char, Clear, DeleteWord, Enter};
        let expected = vec![Char('a'), Char('開'), Char('é'), Backspace, DeleteWord, Clear, Enter];
        assert_eq!(all("a開é\u{7f}\u{17}\u{15}\r".as_bytes()), (expected, 0));
    }

    #[test]
    fn arrows_and_their_kin_are_read_in_both_modes() {
        use Key::{Down, End, Home, Left, Other, PageDown, PageUp, Right, Tab, Up};
        let bytes = b"\x1b[A\x1bOA\x1b[B\x1bOB\x1b[5~\x1b[6~\x1b[H\x1b[1~\x1b[F\x1b[1;5C\x0e\x10\t\x1b[Z\x1b[C\x1bOD";
        let expected =
            vec![Up, Up, Down, Down, PageUp, PageDown, Home, Home, End, Other, Down, Up, Tab, Up, Right, Left];
        assert_eq!(all(bytes), (expected, 0));
    }

    #[test]
    fn the_beginning_of_something_waits_for_the_rest() {
        for bytes in [&b"\x1b"[..], b"\x1b[", b"\x1b[1;", b"\xe9\x96", b"\xf0"] {
            assert_eq!(decode(bytes), Decoded::Unfinished, "{bytes:?}");
        }
    }

    #[test]
    fn no_bytes_at_all_make_it_panic_or_stand_still() {
        for first in 0..=255_u8 {
            for second in [0, 0x1b, b'[', b'a', 0x80, 0xff] {
                let bytes = [first, second, b'x', b'y', b'z', b'~'];
                let (_, left) = all(&bytes);
                assert!(left < bytes.len(), "{bytes:?}");
            }
        }
        assert_eq!(decode(&[0x1b, b'[', 0xff, 0xff]), Decoded::Key(Key::Other, 2));
        assert_eq!(decode(&[&b"\x1b["[..], &[b'1'; 99]].concat()), Decoded::Key(Key::Other, 2));
    }

    #[test]
    fn escape_before_a_letter_leaves() {
        assert_eq!(decode(b"\x1bx"), Decoded::Key(Key::Leave, 1));
        assert_eq!(decode(b"\x03"), Decoded::Key(Key::Leave, 1));
    }
}
