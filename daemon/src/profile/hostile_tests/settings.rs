//! The same values in the place of everything that `config.toml` says of sources and of the roles behind them.

use super::values::{VALUES, look_alikes, one_line};
use crate::settings::{Extras, Settings};
use std::collections::BTreeSet;
use tegata_protocol::text::is_hostile;

/// The keys of `[profile.NAME]` that belong to sources and to roles, each with a sound value for `@`, which stands in quotes.
const SETTINGS: [(&str, &str); 15] = [
    ("source_identity = @", "alice@example.com"),
    ("session_tags = { team = @ }", "sre"),
    ("session_tags = { @ = 'x' }", "team"),
    ("session_tags = { team = 'sre' }\ntransitive_tags = [@]", "team"),
    ("session_policy = @", "{\"Statement\":[]}"),
    ("policy_arns = [@]", "arn:aws:iam::aws:policy/ReadOnlyAccess"),
    ("reason_tag = @", "Why"),
    ("web_identity = { command = [@] }", "/usr/bin/token"),
    ("web_identity = { command = ['/usr/bin/token', @] }", "--audience"),
    ("web_identity = { github_actions = { audience = @ } }", "sts.amazonaws.com"),
    ("totp_command = [@]", "/usr/bin/code"),
    ("totp_command = ['/usr/bin/code', @]", "AWS"),
    ("hand_out = @", "keys"),
    ("key_max_age_days = @", "90"),
    ("[pkcs11]\nmodule = @", "/usr/lib/opensc-pkcs11.so"),
];

fn with_setting(template: &str, value: &str) -> Result<Settings, String> {
    let quoted = toml::Value::String(value.to_owned()).to_string();
    let numbers = template.starts_with("key_max_age_days") && value.parse::<u32>().is_ok();
    let keys = template.replace('@', if numbers { value } else { &quoted });
    Settings::parse(&format!("[profile.p]\n{keys}\n")).map_err(|error| error.to_string())
}

/// As [`is_sound`]: what no shell reads may be any printable line.
fn is_sound_setting(template: &str, value: &str) -> bool {
    let line = !value.contains(is_hostile) && value.len() <= 4_096;
    let of = |marks: &str| value.chars().all(|c| c.is_ascii_alphanumeric() || marks.contains(c));
    match template.split([' ', '=']).next().unwrap() {
        "source_identity" => of("_+=,.@-") && value.len() <= 64,
        "session_tags" | "reason_tag" => line && value.chars().all(|c| c.is_alphanumeric() || " _.:/=+-@".contains(c)),
        "policy_arns" => value.starts_with("arn:aws:iam::") && value.bytes().all(|byte| byte.is_ascii_graphic()),
        "web_identity" if template.contains("audience") => value.bytes().all(|byte| byte.is_ascii_graphic()),
        "web_identity" | "totp_command" => line && (value.starts_with('/') || template.contains("', @")),
        "[pkcs11]\nmodule" => line && value.starts_with('/'),
        _ => false,
    }
}

#[test]
fn h4_no_value_of_any_setting_of_a_source_is_taken_that_aws_or_a_terminal_would_read_otherwise() {
    for (template, good) in SETTINGS {
        let long = format!("{good}{}", "a".repeat(1 << 20));
        for value in VALUES.map(str::to_owned).into_iter().chain(look_alikes(good)).chain([long]) {
            let shown: String = value.chars().take(80).flat_map(char::escape_debug).collect();
            let what = format!("{template}: {shown}");
            match with_setting(template, &value) {
                Ok(_) => assert!(is_sound_setting(template, &value), "{what} was taken"),
                Err(message) => one_line(&message, &what),
            }
        }
    }
}

#[test]
fn h4_twin_every_setting_of_a_source_is_read_with_a_sound_value() {
    for (template, good) in SETTINGS {
        assert!(with_setting(template, good).is_ok(), "{template} {:?}", with_setting(template, good));
    }
}

#[test]
fn h4_every_setting_of_a_profile_is_attacked() {
    let schema = schemars::schema_for!(Extras).to_value();
    let known: BTreeSet<&str> = schema["properties"].as_object().unwrap().keys().map(String::as_str).collect();
    let attacked: BTreeSet<&str> = SETTINGS
        .iter()
        .flat_map(|(template, _)| template.split('\n'))
        .filter_map(|line| line.split_once(" = "))
        .map(|(key, _)| key)
        .filter(|key| *key != "module")
        .collect();
    assert_eq!(attacked, known);
}
