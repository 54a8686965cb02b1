//! Where a text holds runs of the characters that AWS writes credentials with: the alphabet of base64, as it is or escaped.
//!
//! Everything that is looked for holds such a run of twenty or more, so the rest of a text costs next to nothing: one byte in
//! twenty is looked at where there is none.

use zeroize::Zeroizing;

/// The shortest run that is looked at: an access key id has 20 characters.
const SHORTEST: usize = 20;
/// The most of a run that is kept when it has to be unescaped. Nothing that is looked for is longer.
const LONGEST: usize = 512;

/// What a byte may be part of: 0 nothing, 1 a run, 2 an escape.
const CLASS: [u8; 256] = {
    let mut class = [0; 256];
    let mut byte = 0;
    while byte < 128 {
        let c = byte as u8;
        if c.is_ascii_alphanumeric() || c == b'+' || c == b'/' {
            class[byte] = 1;
        } else if c == b'%' || c == b'\\' {
            class[byte] = 2;
        }
        byte += 1;
    }
    class
};

/// A run in a text.
pub(super) struct Run<'a> {
    /// Where it begins in the text.
    pub(super) start: usize,
    /// Where it ends.
    pub(super) end: usize,
    /// How long it is without escapes.
    pub(super) length: usize,
    /// The run without escapes, at most [`LONGEST`] bytes of it when it had some.
    pub(super) plain: Plain<'a>,
}

/// Part of a text, or what had to be unescaped. That copy is wiped.
pub(super) enum Plain<'a> {
    There(&'a [u8]),
    Copied(Zeroizing<Vec<u8>>),
}

impl Plain<'_> {
    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            Self::There(bytes) => bytes,
            Self::Copied(bytes) => bytes,
        }
    }
}

/// The runs of a text, in order.
pub(super) struct Runs<'a> {
    text: &'a [u8],
    at: usize,
    /// Where the stretch ends that is being taken apart.
    stretch_end: usize,
}

impl<'a> Runs<'a> {
    pub(super) fn of(text: &'a [u8]) -> Self {
        Self { text, at: 0, stretch_end: 0 }
    }

    /// Goes to the next stretch of bytes that may all be part of runs and escapes.
    fn next_stretch(&mut self) -> Option<()> {
        let mut start = self.at;
        loop {
            let window = self.text.get(start..start + SHORTEST)?;
            // The last byte that ends a run decides how far to go on.
            if let Some(last) = window.iter().rposition(|byte| class(*byte) == 0) {
                start += last + 1;
                continue;
            }
            let rest = self.text.get(start..)?;
            let length = rest.iter().position(|byte| class(*byte) == 0).unwrap_or(rest.len());
            (self.at, self.stretch_end) = (start, start + length);
            return Some(());
        }
    }

    /// Takes the next run from the stretch, however short.
    fn next_piece(&mut self) -> Run<'a> {
        let start = self.at;
        let mut copy: Option<Zeroizing<Vec<u8>>> = None;
        let (mut length, mut end) = (0, start);
        while self.at < self.stretch_end {
            let (stands_for, taken) = unit(self.text, self.at);
            if taken > 1 && stands_for.is_some() && copy.is_none() {
                copy = Some(copied(self.text.get(start..self.at).unwrap_or_default()));
            }
            self.at += taken;
            let Some(byte) = stands_for else { break };
            if let Some(copy) = copy.as_mut().filter(|copy| copy.len() < LONGEST) {
                copy.push(byte);
            }
            (length, end) = (length + 1, self.at);
        }
        let plain = copy.map_or_else(|| Plain::There(self.text.get(start..end).unwrap_or_default()), Plain::Copied);
        Run { start, end, length, plain }
    }
}

impl<'a> Iterator for Runs<'a> {
    type Item = Run<'a>;

    fn next(&mut self) -> Option<Run<'a>> {
        loop {
            if self.at >= self.stretch_end {
                self.next_stretch()?;
            }
            let run = self.next_piece();
            if run.length >= SHORTEST {
                return Some(run);
            }
        }
    }
}

fn class(byte: u8) -> u8 {
    CLASS.get(usize::from(byte)).copied().unwrap_or_default()
}

fn copied(bytes: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut copy = Zeroizing::new(Vec::with_capacity(LONGEST));
    copy.extend_from_slice(bytes.get(..LONGEST).unwrap_or(bytes));
    copy
}

/// Returns the byte of a run that stands at a place, or none where a run ends there, and how many bytes of the text that takes.
///
/// Read are the escapes of URLs (RFC 3986, section 2.1), of JSON (RFC 8259, section 7) and of shells and languages that write
/// `\x2f`. `\n` and the like end a run and take their letter with them: in `"a\nAKIA…"` the id begins behind it.
fn unit(text: &[u8], at: usize) -> (Option<u8>, usize) {
    let byte = |offset: usize| text.get(at + offset).copied().unwrap_or_default();
    let hex = |from: usize, digits: usize| number(text.get(at + from..at + from + digits)?);
    let (value, taken) = match (byte(0), byte(1)) {
        (b'%', _) => (hex(1, 2), 3),
        (b'\\', b'x') => (hex(2, 2), 4),
        (b'\\', b'u') => (hex(2, 4), 6),
        (b'\\', c @ (b'/' | b'\\' | b'n' | b't' | b'r' | b'b' | b'f' | b'"' | b'\'')) => (Some(c.into()), 2),
        (b'\\', _) => (None, 1),
        (c, _) => return (Some(c), 1),
    };
    match value {
        Some(value) if value == u32::from(b'/') || value == u32::from(b'+') => (u8::try_from(value).ok(), taken),
        Some(_) => (None, taken),
        None => (None, 1),
    }
}

fn number(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |value, digit| Some(value * 16 + char::from(*digit).to_digit(16)?))
}

/// Returns how many `=` stand at a place, escaped or not, two at most, and where they end.
pub(super) fn padding(text: &[u8], at: usize) -> (usize, usize) {
    let (mut count, mut end) = (0, at);
    while count < 2 {
        let Some(rest) = text.get(end..) else { break };
        let taken = match rest {
            [b'=', ..] => 1,
            [b'%', b'3', b'd' | b'D', ..] => 3,
            [b'\\', b'u', b'0', b'0', b'3', b'd' | b'D', ..] => 6,
            _ => break,
        };
        (count, end) = (count + 1, end + taken);
    }
    (count, end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(text: &str) -> Vec<String> {
        Runs::of(text.as_bytes()).map(|run| String::from_utf8(run.plain.bytes().to_vec()).unwrap()).collect()
    }

    #[test]
    fn runs_of_twenty_and_more_are_found_wherever_they_stand() {
        let run = "ABCDEFGHIJ0123456789";
        for (before, after) in
            [("", ""), (" ", " "), ("short words = \"", "\"\n"), ("\u{e9}", "\u{0}"), ("0123456789 ", "-")]
        {
            assert_eq!(runs(&format!("{before}{run}{after}")), [run], "{before:?} {after:?}");
        }
        assert_eq!(runs(&format!("{run} x {run}a\n{run}")), [run, &format!("{run}a"), run]);
        assert_eq!(runs(&run[1..]), Vec::<String>::new());
        assert_eq!(runs(""), Vec::<String>::new());
    }

    #[test]
    fn escapes_of_the_alphabet_are_part_of_a_run() {
        let plain = "abcdefghijkl/mnop+qrstuv";
        for escaped in [
            "abcdefghijkl%2Fmnop%2bqrstuv",
            "abcdefghijkl\\/mnop+qrstuv",
            "abcdefghijkl\\u002fmnop\\u002Bqrstuv",
            "abcdefghijkl\\x2fmnop\\x2Bqrstuv",
        ] {
            assert_eq!(runs(&format!("k={escaped}&")), [plain], "{escaped}");
        }
    }

    #[test]
    fn other_escapes_end_a_run_and_take_their_letters_with_them() {
        let run = "ABCDEFGHIJ0123456789";
        for escape in ["\\n", "\\t", "%3D", "%0A", "\\u003d", "\\x3d", "\\\"", "\\\\"] {
            assert_eq!(runs(&format!("key{escape}{run}{escape}x")), [run], "{escape}");
        }
        assert_eq!(runs(&format!("C:\\{run}")), [run], "a folder of Windows");
        assert_eq!(runs(&format!("%zz{run}")), [format!("zz{run}")], "no escape");
    }

    #[test]
    fn a_run_knows_where_it_stands() {
        let text = b"key = \\\"abcdefghijkl%2Fmnopqrst\\\"";
        let run = Runs::of(text).next().unwrap();
        assert_eq!((run.start, run.length), (8, 21));
        assert_eq!(&text[run.start..run.end], b"abcdefghijkl%2Fmnopqrst");
    }

    #[test]
    fn a_run_as_long_as_a_file_is_kept_once() {
        let text = format!("{}%2F{}", "a".repeat(500_000), "b".repeat(500_000));
        let run = Runs::of(text.as_bytes()).next().unwrap();
        assert_eq!((run.length, run.plain.bytes().len()), (1_000_001, LONGEST));
    }

    #[test]
    fn padding_is_counted_escaped_or_not() {
        for (text, expected) in
            [("==", (2, 2)), ("===", (2, 2)), ("%3d%3D", (2, 6)), ("\\u003d ", (1, 6)), ("a=", (0, 0)), ("", (0, 0))]
        {
            assert_eq!(padding(text.as_bytes(), 0), expected, "{text}");
        }
    }
}
