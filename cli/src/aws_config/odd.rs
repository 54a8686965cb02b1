//! Odd config files for tests: whatever a file can be, found by rolling dice.

/// A generator of odd files: the same number makes the same file.
#[derive(Debug)]
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    /// Returns a number below `sides`.
    pub(crate) fn roll(&mut self, sides: usize) -> usize {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % u64::try_from(sides).unwrap()).unwrap()
    }

    /// Returns a file of lines of every kind.
    pub(crate) fn odd_file(&mut self) -> Vec<u8> {
        const LINES: [&[u8]; 24] = [
            b"[profile p%]",
            b"[default]",
            b"  [profile  'q %' ] # c",
            b"[sso-session s%]",
            b"[services x]",
            b"[plain%]",
            b"[profile",
            b"[]",
            b"region = us-east-1",
            b"Region=x # c",
            b"sso_session : s1",
            b"s3 =",
            b"  max = 5",
            b"\tendpoint_url = http://x",
            b"    deeper still",
            b"# comment % \xe9\xff",
            b"; other",
            b"",
            b"   ",
            b"nonsense",
            b"aws_secret_access_key = % ",
            b"x = 1  # END tegata",
            b"#BEGIN tegata",
            b"role_arn = arn:aws:iam::1:role/%",
        ];
        let mut file = if self.roll(8) == 0 { b"\xef\xbb\xbf".to_vec() } else { Vec::new() };
        let crlf = self.roll(3) == 0;
        let count = self.roll(30);
        for at in 0..count {
            let line = LINES[self.roll(LINES.len())].to_vec();
            let number = self.roll(1000).to_string();
            for byte in line {
                if byte == b'%' { file.extend_from_slice(number.as_bytes()) } else { file.push(byte) }
            }
            if at + 1 < count || self.roll(2) == 0 {
                file.extend_from_slice(if crlf || self.roll(20) == 0 { b"\r\n" } else { b"\n" });
            }
        }
        file
    }

    /// Returns bytes that mean something to a reader of such files, in any order.
    pub(crate) fn noise(&mut self) -> Vec<u8> {
        const BYTES: &[u8] = b"[[]]==::\n\n\n\r\t  ##;;\"'\\abp-|&{}\0\xef\xbb\xbf\xe9\xff";
        (0..self.roll(80)).map(|_| BYTES[self.roll(BYTES.len())]).collect()
    }
}
