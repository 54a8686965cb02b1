//! Hostile values, and what may become of them.

use tegata_protocol::text::is_hostile;

/// Values that mean something to somebody: a shell, a terminal, a path, a protocol of lines.
pub(super) const VALUES: [&str; 36] = [
    "",
    " ",
    "x",
    "a\n b",
    "a\n credential_process = touch witness",
    "a\rb",
    "a\r\n X-Evil: 1",
    "a\u{0}b",
    "a\u{b}b",
    "\u{1b}]52;c;x\u{7}",
    "\u{9b}2J",
    "a\u{2028}b",
    "\u{202e}gpj.exe",
    "\u{2066}x\u{2069}",
    "a\u{200b}b",
    "\u{feff}x",
    "\u{e0041}x",
    "../../../../etc/passwd",
    "~/.aws/credentials",
    "$HOME/key.pem",
    "%2e%2e%2f",
    "C:\\Windows\\win.ini",
    "$(touch witness)",
    "`touch witness`",
    "a;touch witness",
    "|touch witness",
    "&& touch witness &",
    "> /tmp/witness",
    "'\"",
    "{{7*7}}",
    "file:///etc/shadow",
    "http://evil.example/start",
    "https://alice:secret@evil.example/start",
    "pkcs11:module-path=/tmp/evil.so;object=k",
    "pkcs11:object=k;pin-source=|id",
    "arn:aws:iam::123456789012:root",
];

/// What looks like a sound value and is another one.
pub(super) fn look_alikes(sound: &str) -> Vec<String> {
    let made = [
        sound.replace("arn:aws:", "arn:aws-evil:"),
        sound.replace("arn:aws:", "arn:aws.evil:"),
        sound.replace("arn:aws:", "arn:AWS:"),
        sound.replacen('a', "\u{430}", 1),
        sound.replacen('e', "\u{435}", 1),
        sound.replacen('1', "\u{ff11}", 1),
        sound.replacen('/', "\u{2215}", 1),
        sound.replacen(':', "\u{ff1a}", 1),
        sound.replace("123456789012", "12345678901"),
        sound.replace("210987654321", "2109876543210"),
        sound.replace(":iam::", ":iam:us-east-1:"),
        sound.replace("eu-west-1", "eu-west-1.evil.example"),
        format!("{sound}\u{200b}"),
        format!("\u{202e}{sound}"),
        format!("{sound}\u{0}"),
        format!("{sound}\n evil"),
        format!("{sound}/../x;y"),
        format!("{sound}$(id)"),
        format!("{sound}`id`"),
        format!("{sound}@evil.example"),
        format!("{sound},{sound}"),
        format!("{sound}{}", "a".repeat(60_000)),
    ];
    made.into_iter().filter(|value| value != sound).collect()
}

/// Asserts one printable line of a length that can be read.
pub(super) fn one_line(message: &str, what: &str) {
    assert!(!message.contains(is_hostile) && message.chars().count() < 1_500, "{what}: {message}");
}
