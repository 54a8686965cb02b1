//! Values made by chance that is the same in every run.

/// A source of chance: splitmix64.
#[derive(Clone, Debug)]
pub(super) struct Chance(u64);

const BASE64: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const BASE32: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const HEX: &[u8] = b"0123456789abcdef";
const WORDS: &str = "billing invoice report archive upload customer export nightly gateway cluster session metric storage worker \
    pipeline deploy staging release catalog tenant region bucket stream ledger vault mirror";

impl Chance {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below another.
    pub(super) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).expect("it is smaller")
    }

    fn of(&mut self, alphabet: &[u8], count: usize) -> String {
        (0..count).map(|_| char::from(alphabet[self.below(alphabet.len())])).collect()
    }

    pub(super) fn base64(&mut self, count: usize) -> String {
        self.of(BASE64, count)
    }

    pub(super) fn base64url(&mut self, count: usize) -> String {
        self.base64(count).replace('+', "-").replace('/', "_")
    }

    pub(super) fn alphanumeric(&mut self, count: usize) -> String {
        self.of(&BASE64[..62], count)
    }

    pub(super) fn base32(&mut self, count: usize) -> String {
        self.of(BASE32, count)
    }

    pub(super) fn hex(&mut self, count: usize) -> String {
        self.of(HEX, count)
    }

    pub(super) fn digits(&mut self, count: usize) -> String {
        self.of(&HEX[..10], count)
    }

    pub(super) fn word(&mut self) -> String {
        let words: Vec<_> = WORDS.split_whitespace().collect();
        words[self.below(words.len())].to_owned()
    }

    pub(super) fn capitalised(&mut self) -> String {
        let word = self.word();
        word[..1].to_uppercase() + &word[1..]
    }

    /// An id as AWS makes them, with an account in it.
    pub(super) fn key_id(&mut self, prefix: &str) -> String {
        let first = char::from(BASE32[16 + self.below(16)]);
        format!("{prefix}{first}{}", self.base32(15))
    }

    /// A secret access key.
    pub(super) fn secret(&mut self) -> String {
        self.base64(40)
    }

    /// Thirty-two bytes in base64, as passwords of services are.
    pub(super) fn password(&mut self) -> String {
        // Of the last character two bits are not used.
        format!("{}{}=", self.base64(42), char::from(BASE64[self.below(16) * 4]))
    }

    pub(super) fn account(&mut self) -> String {
        format!("{}{}", 1 + self.below(9), self.digits(11))
    }

    pub(super) fn uuid(&mut self) -> String {
        [8, 4, 4, 4, 12].map(|count| self.hex(count)).join("-")
    }
}
