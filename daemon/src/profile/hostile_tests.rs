//! Hostile values in the place of every key of every source: each costs its own profile, in one line, and nothing else.
//!
//! The cases are made from one list of sources with all their keys and one list of values. A key that the reader knows and no source has
//! here fails a test, and so does a kind of source.

mod settings;
mod values;

use super::keys::{GENERAL, OWN};
use super::{Config, ProfileError, SourceKind};
use crate::names::ProfileName;
use crate::settings::Settings;
use std::collections::BTreeSet;
use std::sync::Arc;
use tegata_protocol::aws_config::{MAX_LINE, OWN_KEYS, PREFIX, SERVED_KEYS};
use tegata_protocol::text::is_hostile;
use values::{VALUES, look_alikes, one_line};

/// What stands beside the profile that is attacked, and is served on.
const BESIDE: &str = "\
[sso-session acme]
sso_start_url = https://d-2.awsapps.com/start
sso_region = eu-west-1
[profile beside]
login_session = arn:aws:iam::123456789012:user/bob
region = eu-west-1
";

/// A profile `p` with every key that its kind of source takes, and sound values. `keys` of the source are AWS's names.
struct Sound {
    kind: SourceKind,
    text: &'static str,
}

const SOUND: [Sound; 11] = [
    Sound {
        kind: SourceKind::SignIn,
        text: "\
[profile p]
sso_session = corp
sso_account_id = 123456789012
sso_role_name = Dev
sso_start_url = https://d-1.awsapps.com/start
sso_region = eu-west-1
sso_registration_scopes = sso:account:access
read_only = beside
[sso-session corp]
sso_start_url = https://d-1.awsapps.com/start
sso_region = eu-west-1
sso_registration_scopes = sso:account:access
",
    },
    Sound {
        kind: SourceKind::SignIn,
        text: "\
[profile p]
sso_start_url = https://d-1.awsapps.com/start
sso_region = eu-west-1
sso_registration_scopes = sso:account:access
sso_account_id = 123456789012
sso_role_name = Dev
",
    },
    Sound {
        kind: SourceKind::Console,
        text: "[profile p]\nlogin_session = arn:aws:sts::123456789012:assumed-role/Admin/alice\nregion = eu-west-1\n",
    },
    Sound {
        kind: SourceKind::Console,
        text: "\
[profile p]
role_arn = arn:aws:iam::210987654321:role/team/Deploy
source_profile = beside
external_id = partner-7
role_session_name = deploy-bot
duration_seconds = 900
region = eu-west-1
",
    },
    Sound {
        kind: SourceKind::WebIdentity,
        text: "\
[profile p]
role_arn = arn:aws:iam::210987654321:role/Deploy
web_identity_token_file = /run/secrets/token
role_session_name = deploy-bot
duration_seconds = 43200
region = eu-west-1
",
    },
    Sound {
        kind: SourceKind::RolesAnywhere,
        text: "\
[profile p]
trust_anchor_arn = arn:aws:rolesanywhere:eu-west-1:123456789012:trust-anchor/0a-1b
roles_anywhere_profile_arn = arn:aws:rolesanywhere:eu-west-1:123456789012:profile/2c-3d
role_arn = arn:aws:iam::123456789012:role/Runner
certificate = /etc/tls/runner.pem
private_key = /etc/tls/runner.key
role_session_name = runner-7
duration_seconds = 43200
",
    },
    Sound {
        kind: SourceKind::RolesAnywhere,
        text: "\
[profile p]
trust_anchor_arn = arn:aws:rolesanywhere:eu-west-1:123456789012:trust-anchor/0a-1b
roles_anywhere_profile_arn = arn:aws:rolesanywhere:eu-west-1:123456789012:profile/2c-3d
role_arn = arn:aws:iam::123456789012:role/Runner
certificate = pkcs11:token=Runner;object=runner-7
private_key = pkcs11:token=Runner;object=runner-7
",
    },
    Sound {
        kind: SourceKind::IamUser,
        text: "\
[profile p]
iam_user = arn:aws:iam::123456789012:user/team/alice
mfa_serial = arn:aws:iam::123456789012:mfa/alice
duration_seconds = 129600
region = eu-west-1
",
    },
    Sound {
        kind: SourceKind::IamUser,
        text: "\
[profile p]
role_arn = arn:aws:iam::210987654321:role/Deploy
source_profile = keys
mfa_serial = arn:aws:iam::123456789012:mfa/alice
duration_seconds = 43200
[profile keys]
iam_user = arn:aws:iam::123456789012:user/alice
",
    },
    Sound {
        kind: SourceKind::Ec2Instance,
        text: "\
[profile p]
role_arn = arn:aws:iam::210987654321:role/Deploy
credential_source = Ec2InstanceMetadata
region = eu-west-1
",
    },
    Sound {
        kind: SourceKind::EcsContainer,
        text: "\
[profile p]
role_arn = arn:aws:iam::210987654321:role/Deploy
credential_source = EcsContainer
external_id = partner-7
",
    },
];

/// Whether a value is a sound one of this key after all: what AWS takes there, or what is looked at only when it is used.
fn is_sound(key: &str, value: &str) -> bool {
    // What looks like a key on a line of its own is one, whoever wrote it; no client reads it as more of this value.
    let value = value.split("\n credential_process").next().unwrap_or_default();
    let of = |marks: &str, value: &str| value.chars().all(|c| c.is_ascii_alphanumeric() || marks.contains(c));
    let name = "_+=,.@-";
    match key {
        "sso_role_name" => of(name, value) && value.len() <= 64,
        "role_session_name" => of(name, value) && value.len() <= 64,
        "external_id" => of("_+=,.@:/\\-", value) && value.len() <= 1_224,
        "mfa_serial" => {
            of(name, value) || value.starts_with("arn:aws:iam::123456789012:mfa/") && of("_+=/:,.@-", value)
        }
        "sso_registration_scopes" => {
            value.len() <= 8_448 && value.chars().all(|c| c.is_ascii_graphic() || " \r\n".contains(c))
        }
        "sso_start_url" => value.starts_with("https://") && value.bytes().all(|byte| byte.is_ascii_graphic()),
        "certificate" | "private_key" | "web_identity_token_file" => {
            (value.starts_with('/') || value.starts_with("pkcs11:token=Runner;object=runner-7"))
                && !value.contains(is_hostile)
                && value.len() <= 4_096
        }
        // Another name of the same form.
        "login_session" | "iam_user" | "role_arn" => {
            value.starts_with("arn:aws:") && of("_+=,.@-/:", value) && value.len() <= 2_048
        }
        "read_only" => true,
        _ => false,
    }
}

/// One value in the place of one key.
struct Case {
    key: String,
    value: String,
    text: String,
}

/// Spells AWS's keys with or without the prefix; Tegata's own have it always.
fn spelled(line: &str, prefix: &str, in_profile: bool) -> String {
    let Some((key, _)) = line.split_once(" = ") else { return line.to_owned() };
    let own = OWN_KEYS.contains(&key) || OWN.contains(&key);
    let prefix = if own { PREFIX } else { prefix };
    if in_profile { format!("{prefix}{line}") } else { line.to_owned() }
}

/// The profile of a source, and for each of its keys the text around the value.
fn written(sound: &Sound, prefix: &str) -> Vec<(String, String)> {
    // Beside a prefixed key of a source the bare ones are not read.
    let prefix = if OWN_KEYS.iter().any(|key| sound.text.contains(&format!("\n{key} = "))) { PREFIX } else { prefix };
    let mut in_profile = false;
    let line = |line: &str| {
        if let Some(header) = line.strip_prefix('[') {
            in_profile = header.starts_with("profile ");
        }
        let key = line.split_once(" = ").map_or(String::new(), |(key, _)| key.to_owned());
        (key, spelled(line, prefix, in_profile))
    };
    sound.text.lines().map(line).collect()
}

fn cases(sound: &Sound, prefix: &str, values: impl Fn(&str) -> Vec<String>) -> Vec<Case> {
    let lines = written(sound, prefix);
    let keys = lines.iter().enumerate().filter(|(_, (key, _))| !key.is_empty());
    keys.flat_map(|(at, (key, line))| {
        let (spelling, good) = line.split_once(" = ").unwrap();
        let of = |value: String| {
            let put = |(here, (_, line)): (usize, &(String, String))| {
                if here == at { format!("{spelling} = {value}\n") } else { format!("{line}\n") }
            };
            let text = BESIDE.to_owned() + &lines.iter().enumerate().map(put).collect::<String>();
            Case { key: key.clone(), value: value.clone(), text }
        };
        values(good).into_iter().map(of).collect::<Vec<_>>()
    })
    .collect()
}

type Outcome = Result<SourceKind, ProfileError>;

/// What comes of `p` and of the profile beside it.
fn resolve(text: &str) -> [Outcome; 2] {
    let config = match Config::parse("/home/u/.aws/config", text.as_bytes()) {
        Ok(config) => config,
        Err(error) => return [Err(error.clone()), Err(error)],
    };
    ["p", "beside"]
        .map(|name| config.resolve(&ProfileName::new(name).unwrap()).map(|profile| profile.chain.source.kind()))
}

/// Returns what is wrong with how a case ended.
fn costs_more_than_its_profile(case: &Case) -> Option<String> {
    let shown: String = case.value.chars().take(80).flat_map(char::escape_debug).collect();
    let what = format!("{} = {shown}", case.key);
    let [attacked, beside] = resolve(&case.text);
    match attacked {
        Ok(_) if !is_sound(&case.key, &case.value) => return Some(format!("{what} was taken")),
        Ok(_) => {}
        Err(error) => one_line(&error.to_string(), &what),
    }
    // A file with such a line is no config file to any client.
    let is_no_text = case.value.contains('\0') || case.value.len() > MAX_LINE;
    match beside {
        Ok(SourceKind::Console) if !is_no_text => None,
        Err(ProfileError::File { .. }) if is_no_text => None,
        other => Some(format!("{what}: beside it {other:?}")),
    }
}

#[test]
fn h4_no_value_of_any_key_of_any_source_costs_more_than_its_profile() {
    let (mut count, mut wrong) = (0, Vec::new());
    for sound in &SOUND {
        for prefix in ["", PREFIX] {
            let values = |good: &str| VALUES.map(str::to_owned).into_iter().chain(look_alikes(good)).collect();
            let cases = cases(sound, prefix, values);
            count += cases.len();
            wrong.extend(cases.iter().filter_map(costs_more_than_its_profile));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(count > 5_000, "{count}");
}

#[test]
fn h4_a_megabyte_in_any_key_is_refused_with_its_line() {
    for sound in &SOUND {
        for case in cases(sound, PREFIX, |good| vec![format!("{good}{}", "a".repeat(1 << 20))]) {
            let line = 1 + case.text.lines().position(|line| line.len() > MAX_LINE).unwrap();
            let error = resolve(&case.text)[0].clone().unwrap_err().to_string();
            assert_eq!(error, format!("/home/u/.aws/config: line {line}: longer than the 64 KiB that are read"));
        }
    }
}

#[test]
fn h4_twin_every_source_is_read_with_sound_values_in_both_spellings() {
    let mut kinds = BTreeSet::new();
    for sound in &SOUND {
        for prefix in ["", PREFIX] {
            let text: String = written(sound, prefix).iter().map(|(_, line)| format!("{line}\n")).collect();
            let [kind, _] = resolve(&format!("{BESIDE}{text}"));
            assert_eq!(kind, Ok(sound.kind), "{text}");
            kinds.insert(sound.kind);
        }
    }
    // Who adds a kind of source adds it here.
    let all = |kind| match kind {
        SourceKind::SignIn
        | SourceKind::Console
        | SourceKind::WebIdentity
        | SourceKind::RolesAnywhere
        | SourceKind::IamUser
        | SourceKind::Ec2Instance
        | SourceKind::EcsContainer => 7,
    };
    assert_eq!(kinds.len(), all(SourceKind::SignIn), "{kinds:?}");
}

#[test]
fn h4_every_key_that_the_reader_knows_is_attacked() {
    let attacked: BTreeSet<String> =
        SOUND.iter().flat_map(|sound| written(sound, "")).map(|(key, _)| key).filter(|key| !key.is_empty()).collect();
    let known: BTreeSet<String> =
        SERVED_KEYS.iter().chain(&OWN_KEYS).chain(&GENERAL).chain(&OWN).map(|key| (*key).to_owned()).collect();
    assert_eq!(attacked, known);
}

/// The same text beside settings of the profile: what the settings say of a source does not make a hostile key a sound one.
#[test]
fn h4_a_setting_does_not_make_a_hostile_key_a_sound_one() {
    let settings = Settings::parse("[profile.p]\nweb_identity = { command = ['/usr/bin/token'] }\n").unwrap();
    for value in VALUES {
        let text = format!("[profile p]\nregion = eu-west-1\nrole_arn = {value}\n");
        let Ok(config) = Config::parse("config", text.as_bytes()) else { continue };
        let config = config.with_extras(Arc::new(settings.extras_by_profile().clone()));
        assert!(config.resolve(&ProfileName::new("p").unwrap()).is_err(), "{value:?}");
    }
}
