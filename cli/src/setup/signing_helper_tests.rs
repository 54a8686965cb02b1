use super::super::adopt;
use super::super::testing::{file, program, refusal, text};

const ANCHOR: &str = "arn:aws:rolesanywhere:eu-west-1:123456789012:trust-anchor/0a-1b";
const PROFILE: &str = "arn:aws:rolesanywhere:eu-west-1:123456789012:profile/2c-3d";
const ROLE: &str = "arn:aws:iam::123456789012:role/Runner";

fn process(certificate: &str, more: &str) -> String {
    format!(
        "/usr/local/bin/aws_signing_helper credential-process {certificate} --trust-anchor-arn {ANCHOR} \
         --profile-arn={PROFILE} --role-arn {ROLE}{more}"
    )
}

const FILES: &str = "--certificate /etc/tls/runner.pem --private-key \"/etc/tls/private/runner.key\"";

fn plan(process: &str) -> Result<adopt::Adoption, crate::failure::Failure> {
    let config = format!("[profile ci]\n# of ops\nregion = eu-west-1\ncredential_process = {process}\noutput = json\n");
    adopt::plan(&file(&config), &file(""), &["ci".to_owned()], &program())
}

fn adopted(process: &str) -> String {
    text(&plan(process).unwrap_or_else(|failure| panic!("{failure:?}")).change)
}

fn why_not(process: &str) -> String {
    let refused = refusal(plan(process));
    let why = refused.strip_prefix("tegata: profile ci in  is not adopted: ");
    why.unwrap_or_else(|| panic!("{refused}")).to_owned()
}

#[test]
fn a_profile_of_awss_helper_keeps_its_place_and_has_keys_in_place_of_options() {
    let expected = format!(
        "[profile ci]\n# of ops\nregion = eu-west-1\n\
         tegata_trust_anchor_arn = {ANCHOR}\ntegata_roles_anywhere_profile_arn = {PROFILE}\ntegata_role_arn = {ROLE}\n\
         tegata_certificate = /etc/tls/runner.pem\ntegata_private_key = /etc/tls/private/runner.key\n\
         tegata_duration_seconds = 3600\n\
         credential_process = /usr/bin/tegata credential-process --profile ci\noutput = json\n"
    );
    let process = process(FILES, " --region eu-west-1 --session-duration 3600 --debug");
    assert_eq!(adopted(&process), expected);
    let again = adopt::plan(&file(&expected), &file(""), &["ci".to_owned()], &program()).unwrap();
    assert!(again.change.is_empty());
}

#[test]
fn on_a_token_the_key_is_beside_the_certificate() {
    let after = adopted(&process("--certificate \"pkcs11:token=Runner;object=r7;type=cert\"", ""));
    assert!(after.contains("tegata_certificate = pkcs11:token=Runner;object=r7;type=cert\n"), "{after}");
    assert!(after.contains("tegata_private_key = pkcs11:token=Runner;object=r7\n"), "{after}");
}

#[test]
fn what_tegata_has_no_key_for_is_named() {
    let pin = "--certificate \"pkcs11:token=Runner;object=r7?pin-value=CANARY\"";
    for (process, says) in [
        (process(FILES, " --intermediates /etc/tls/ca.pem"), "is given --intermediates; put the intermediates behind"),
        (process(FILES, " --endpoint https://x"), "is given --endpoint; [endpoints] rolesanywhere"),
        (process(FILES, " --pkcs11-lib /usr/lib/p11.so"), "is given --pkcs11-lib; [pkcs11] module of config.toml"),
        (process(FILES, " --pkcs8-password CANARY"), "is given --pkcs8-password, which Tegata has nothing for"),
        (process(FILES, " --no-verify-ssl"), "is given --no-verify-ssl; [http]"),
        (process(FILES, " --region us-east-1"), "--region us-east-1 is not the trust anchor's"),
        (process("--cert-selector file://s.json", ""), "is given --cert-selector, which Tegata has nothing for"),
        (process("--certificate /etc/tls/runner.pem", ""), "has no --private-key"),
        (process("--private-key /etc/tls/runner.key", ""), "has no --certificate"),
        (process("--certificate runner.pem --private-key /k", ""), "--certificate runner.pem is no absolute path"),
        (process(FILES, " --session-duration 1h"), "--session-duration 1h: AWS allows 900 to 43200"),
        (process(pin, ""), "--certificate has a URI with pin-…: Tegata asks for PINs"),
        (
            "aws_signing_helper serve".to_owned(),
            "credential_process runs aws_signing_helper without credential-process",
        ),
        ("aws_signing_helper".to_owned(), "credential_process runs aws_signing_helper without credential-process"),
    ] {
        let why = why_not(&process);
        assert!(why.contains(says) && !why.contains("CANARY"), "{process}: {why}");
    }
}

#[test]
fn h4_no_value_of_an_option_becomes_another_line_or_a_comment() {
    for value in ["/etc/a#b", "/etc/a;b", "\"/etc/a \""] {
        let why = why_not(&process(&format!("--certificate /etc/c --private-key {value}"), ""));
        assert!(why.contains("cannot be a value in AWS config"), "{value}: {why}");
    }
    for value in ["\"\"", "~/key.pem", "$HOME/key.pem", "file:///etc/key.pem", "`id`"] {
        let why = why_not(&process(&format!("--certificate /etc/c --private-key {value}"), ""));
        assert!(why.contains("is no absolute path"), "{value}: {why}");
    }
}
