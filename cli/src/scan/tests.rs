//! Texts as people leave them, and what is found in each.

use super::*;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};

/// Made up; the account in it is 609629065308.
const ID: &str = "AKIAY34FZKBOKMUTVV7A";
const TEMPORARY: &str = "ASIAY34FZKBOKMUTVV7A";
/// Made up.
const SECRET: &str = "Zk+v4GQpWy/LtN8dRjXs0hFbMcU6aE2oVnKiTq7r";
const PASSWORD: &str = "hT4vZx9QmLr2NcYwB7sKdEjGf0PaUi3oVnXq/y8RbMk=";

fn filled(shape: &str) -> String {
    shape
        .replace("{id}", ID)
        .replace("{temporary}", TEMPORARY)
        .replace("{secret}", SECRET)
        .replace("{password}", PASSWORD)
}

fn found(shape: &str) -> Vec<Found> {
    let text = filled(shape);
    let found = examine(text.as_bytes()).found;
    for secret in [ID, TEMPORARY, SECRET, PASSWORD] {
        assert!(!format!("{found:?}").contains(&secret[4..]), "a whole secret in {found:?}");
    }
    found
}

#[track_caller]
fn is(shape: &str, kind: Kind) {
    let found = found(shape);
    let kinds: Vec<_> = found.iter().map(|found| found.kind).collect();
    assert_eq!(kinds, [kind], "{shape}");
}

#[test]
fn an_access_key_is_one_finding_in_every_kind_of_file() {
    for shape in [
        "[default]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n",
        "AWS_ACCESS_KEY_ID={id}\r\nAWS_SECRET_ACCESS_KEY={secret}\r\n",
        "export AWS_ACCESS_KEY_ID='{id}' AWS_SECRET_ACCESS_KEY='{secret}'",
        ": 1764500000:0;AWS_ACCESS_KEY_ID={id} AWS_SECRET_ACCESS_KEY={secret} aws s3 ls\n",
        "#1764500000\naws configure set aws_access_key_id {id}\n#1764500009\naws configure set aws_secret_access_key {secret}\n",
        "- cmd: set -x AWS_ACCESS_KEY_ID {id}\n  when: 1764500000\n- cmd: set -x AWS_SECRET_ACCESS_KEY {secret}\n  when: 1764500009\n",
        "$env:AWS_ACCESS_KEY_ID=\"{id}\"\n$env:AWS_SECRET_ACCESS_KEY=\"{secret}\"\n",
        "SETUVAR --export AWS_ACCESS_KEY_ID:{id}\nSETUVAR --export AWS_SECRET_ACCESS_KEY:{secret}\n",
        "provider \"aws\" {\n  region     = \"eu-west-1\"\n  access_key = \"{id}\"\n  secret_key = \"{secret}\"\n}\n",
        "      \"attributes\": {\"id\": \"{id}\", \"secret\": \"{secret}\", \"status\": \"Active\"}",
        "services:\n  app:\n    environment:\n      - AWS_ACCESS_KEY_ID={id}\n      - AWS_SECRET_ACCESS_KEY={secret}\n",
        "ENV AWS_ACCESS_KEY_ID {id}\nENV AWS_SECRET_ACCESS_KEY {secret}\n",
        "User name,Access key ID,Secret access key\r\nalice,{id},{secret}\r\n",
        "{\"AccessKey\": {\"UserName\": \"alice\", \"AccessKeyId\": \"{id}\", \"Status\": \"Active\", \"SecretAccessKey\": \"{secret}\"}}",
        "bucket:{id}:{secret}\n",
        "https://s3.example.com/?AWSAccessKeyId={id}&SecretKey={secret}&x=1",
        "const s3 = new S3({accessKeyId:\"{id}\",secretAccessKey:\"{secret}\",region:\"us-east-1\"})",
        "s3.client('{id}', '{secret}')",
        "{\"log\":\"AWS_ACCESS_KEY_ID={id}\\nAWS_SECRET_ACCESS_KEY={secret}\\n\"}",
        "<key>{id}</key><string>{secret}</string>",
        "aws_access_key_id: {id}\naws_secret_access_key: >-\n  {secret}\n",
        "\u{feff}[default]\naws_access_key_id={id}\naws_secret_access_key={secret}",
    ] {
        let found = found(shape);
        assert_eq!(found.len(), 1, "{shape}: {found:?}");
        assert_eq!(found[0].kind, Kind::AccessKey, "{shape}");
        assert_eq!(found[0].key_id.as_deref(), Some("AKIA…VV7A"), "{shape}");
        assert_eq!(found[0].secret.as_deref(), Some("Tq7r"), "{shape}");
        assert_eq!(found[0].account.as_deref(), Some("609629065308"), "{shape}");
    }
}

#[test]
fn escaped_secrets_are_read() {
    let slash = SECRET.replace('/', "\\/");
    let percent = SECRET.replace('/', "%2F").replace('+', "%2B");
    for escaped in [slash, percent] {
        let found = found(&format!("{{id}}:{escaped}@"));
        assert_eq!((found[0].kind, found[0].secret.as_deref()), (Kind::AccessKey, Some("Tq7r")), "{escaped}");
    }
}

#[test]
fn secrets_of_kubernetes_are_read() {
    let (id, secret) = (STANDARD.encode(ID), STANDARD.encode(SECRET));
    let text = format!("kind: Secret\ndata:\n  AWS_ACCESS_KEY_ID: {id}\n  AWS_SECRET_ACCESS_KEY: {secret}\n");
    let found = examine(text.as_bytes()).found;
    assert_eq!((found.len(), found[0].kind, found[0].key_id.as_deref()), (1, Kind::AccessKey, Some("AKIA…VV7A")));
}

#[test]
fn a_secret_alone_is_found_where_it_is_called_one() {
    for shape in [
        "aws_secret_access_key = {secret}",
        "export AWS_SECRET_ACCESS_KEY={secret}",
        "aws_key = \"{secret}\"",
        "awsToken: '{secret}'",
        "AMAZON_S3_SECRET={secret}",
        "provider \"aws\" {\n  access_key = var.id\n  secret_key = \"{secret}\"\n}",
    ] {
        is(shape, Kind::SecretAccessKey);
    }
    for shape in [
        "{secret}",
        "token = {secret}",
        "SECRET_KEY = '{secret}'",
        "aws_sha1_hash = \"{secret}\"",
        "aws_region = \"{secret}\"",
    ] {
        assert_eq!(found(shape), [], "{shape}");
    }
}

#[test]
fn an_id_alone_is_a_lesser_finding() {
    is("accessKeyId: {id}", Kind::AccessKeyId);
    is("X-Amz-Credential={id}%2F20261130%2Feu-west-1%2Fs3%2Faws4_request", Kind::AccessKeyId);
    assert_eq!(Kind::AccessKeyId.severity(), Severity::Warning);
}

#[test]
fn temporary_credentials_are_a_lesser_finding() {
    is(
        "aws_access_key_id = {temporary}\naws_secret_access_key = {secret}\naws_session_token = IQoJb3Jp",
        Kind::TemporaryCredentials,
    );
    is("\"accessKeyId\": \"{temporary}\"", Kind::OtherId);
    assert_eq!((Kind::TemporaryCredentials.severity(), Kind::OtherId.severity()), (Severity::Warning, Severity::Note));
}

#[test]
fn passwords_for_codecommit_are_found_with_their_user() {
    for shape in [
        "https://alice-at-609629065308:{password}@git-codecommit.eu-west-1.amazonaws.com/v1/repos/x",
        "machine git-codecommit.eu-west-1.amazonaws.com login alice-at-609629065308 password {password}\n",
        "User Name,Password\r\nalice-at-609629065308,{password}\r\n",
        "{\"ServiceUserName\": \"alice-at-609629065308\", \"ServicePassword\": \"{password}\", \"ServiceSpecificCredentialId\": \"ACCAY34FZKBOKMUTVV7A\"}",
    ] {
        let found = found(shape);
        assert_eq!(found.len(), 1, "{shape}: {found:?}");
        assert_eq!((found[0].kind, found[0].user.as_deref()), (Kind::ServicePassword, Some("alice")), "{shape}");
        assert_eq!(
            (found[0].account.as_deref(), found[0].secret.as_deref()),
            (Some("609629065308"), Some("bMk=")),
            "{shape}"
        );
    }
    let escaped = PASSWORD.replace('/', "%2F").replace('=', "%3D");
    is(
        &format!("https://alice-at-609629065308:{escaped}@git-codecommit.eu-west-1.amazonaws.com"),
        Kind::ServicePassword,
    );
    assert_eq!(found("password = {password}"), [], "nobody says whose it is");
    assert_eq!(found("url = https://alice-at-609629065308@git-codecommit.eu-west-1.amazonaws.com/v1/repos/x"), []);
}

#[test]
fn keys_for_bedrock_are_found_with_their_user() {
    let key = format!("ABSK{}", STANDARD.encode(format!("BedrockAPIKey-q7x2-at-609629065308:{PASSWORD}")));
    let found = examine(format!("export AWS_BEARER_TOKEN_BEDROCK={key}\n").as_bytes()).found;
    assert_eq!((found.len(), found[0].kind), (1, Kind::BedrockApiKey));
    assert_eq!(
        (found[0].account.as_deref(), found[0].user.as_deref()),
        (Some("609629065308"), Some("BedrockAPIKey-q7x2"))
    );
}

#[test]
fn passwords_for_ses_are_found_by_their_version_near_an_id_or_by_name() {
    let body: Vec<u8> = Sha1::digest(b"a").into_iter().chain(Sha1::digest(b"b")).collect();
    for version in [2, 4] {
        let password = STANDARD.encode([&[version], &body[..32]].concat());
        is(&format!("EMAIL_HOST_USER={{id}}\nEMAIL_HOST_PASSWORD={password}\n"), Kind::SmtpPassword);
        is(&format!("smtp_password = \"{password}\""), Kind::SmtpPassword);
        assert_eq!(found(&format!("blob = \"{password}\"")), []);
        let both = found(&format!("id = \"{{id}}\"\nsecret = \"{{secret}}\"\nses_smtp_password_v4 = \"{password}\""));
        assert_eq!(both.iter().map(|found| found.kind).collect::<Vec<_>>(), [Kind::AccessKey, Kind::SmtpPassword]);
    }
    let other = STANDARD.encode([&[9], &body[..32]].concat());
    is(&format!("EMAIL_HOST_USER={{id}}\nEMAIL_HOST_PASSWORD={other}\n"), Kind::AccessKeyId);
}

#[test]
fn what_only_looks_like_a_credential_is_none() {
    let digest = Sha1::digest(b"x");
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    for text in [
        "aws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n".to_owned(),
        "AWS_ACCESS_KEY_ID=AKIAXXXXXXXXXXXXXXXX\nAWS_SECRET_ACCESS_KEY=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n".to_owned(),
        "AWS_SECRET_ACCESS_KEY=${AWS_SECRET_ACCESS_KEY}\nAWS_ACCESS_KEY_ID={{ secrets.AWS_ACCESS_KEY_ID }}\n".to_owned(),
        format!("aws_secret_access_key_sha1 = {hex}\ncommit {hex}\naws_key = \"{}\"", hex.to_uppercase()),
        "aws_request_id: 6ba7b810-9dad-11d1-80b4-00c04fd430c8".to_owned(),
        "\"integrity\": \"sha512-qT8vLx0PbNfR3yWcZ5sKjHdG7mUeA2oI9tBkXwQnqT8vLx0PbNfR3yWcZ5sKjHdG7mUeA2oI9tBkXwQnabcdefg==\"".to_owned(),
        "s3_key = 'uploads/2026/reports/QuarterlySummaryAll'".to_owned(),
        "arn:aws:iam::609629065308:user/alice AIDAY34FZKBOKMUTVV7A AROAY34FZKBOKMUTVV7A".to_owned(),
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U".to_owned(),
        format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----", "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7\n".repeat(20)),
        format!("AKIA{}", "Y34FZKBOKMUTVV7A".repeat(50)),
    ] {
        assert_eq!(found(&text), [], "{text}");
    }
}

#[test]
fn the_same_key_in_a_file_is_one_finding_with_its_places() {
    let found = found(&format!("{}id={{id}}\n", "AWS_ACCESS_KEY_ID={id} AWS_SECRET_ACCESS_KEY={secret}\n".repeat(30)));
    assert_eq!((found.len(), found[0].places.len(), found[0].more), (1, 20, 41));
    assert_eq!((found[0].places[0].line, found[0].places[0].column), (1, 19));
    assert_eq!(found[0].places[2].line, 2);
}

#[test]
fn a_profile_is_the_header_before() {
    let text = b"[default]\nx = 1\n[profile  dev ]\nkey = 1\n";
    assert_eq!(profile(text, 12).as_deref(), Some("default"));
    assert_eq!(profile(text, 38).as_deref(), Some("dev"));
    assert_eq!(profile(text, 0), None);
}

/// Hostile texts end in time and in nothing.
#[test]
fn hostile_texts_are_bounded() {
    let mega = 30_000;
    for text in [
        "A".repeat(10 * mega),
        "AKIA".repeat(2 * mega),
        "%2F".repeat(2 * mega),
        "\\".repeat(4 * mega),
        "-at-123456789012".repeat(mega / 2),
        "[".repeat(4 * mega),
        "\n".repeat(4 * mega),
        "\u{0}\u{1b}".repeat(mega),
    ] {
        assert_eq!(examine(text.as_bytes()), Examined::default(), "{}", &text[..4]);
    }
    let many = filled("AWS_ACCESS_KEY_ID={id} AWS_SECRET_ACCESS_KEY={secret} ").repeat(2_000);
    assert_eq!(examine(many.as_bytes()).found.len(), 1);
}

#[test]
fn a_text_with_too_much_is_said_to_be_cut_short() {
    let many = format!("{ID} ").repeat(101);
    let examined = examine_within(many.as_bytes(), 100);
    assert_eq!((examined.found.len(), examined.is_cut_short), (1, true));
    assert!(!examine_within(many.as_bytes(), 102).is_cut_short);
}

#[test]
fn any_bytes_at_all_are_read_without_a_panic() {
    let mut state = 7_u64;
    let alphabet = b"AKIASIA3T/+=%\\u2Fx0nbZz9-_. \n\"':[]at@";
    for _ in 0..2_000 {
        let text: Vec<u8> = (0..200)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let at = usize::try_from(state >> 33).unwrap();
                if at % 17 == 0 { u8::try_from(at % 256).unwrap() } else { alphabet[at % alphabet.len()] }
            })
            .collect();
        let _ = examine(&text);
    }
}
