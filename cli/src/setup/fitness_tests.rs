use super::super::testing::file;
use super::*;

fn serve(text: &str, name: &str) -> Result<(), String> {
    Files { config: &file(text), credentials: &file("") }.serve(name)
}

fn role(name: &str, source: &str) -> String {
    format!(
        "[profile {name}]\ntegata_role_arn = arn:aws:iam::210987654321:role/{name}\ntegata_source_profile = {source}\n"
    )
}

const BASE: &str = "[profile base]\ntegata_sso_start_url = https://d-1.awsapps.com/start\ntegata_sso_region = us-east-1\n\
                    tegata_sso_account_id = 123456789012\ntegata_sso_role_name = A\n";

#[test]
fn a_chain_as_long_as_the_daemon_takes_is_served_and_no_longer_one() {
    let chain = |length: usize| {
        let mut text = BASE.to_owned();
        for at in 1..=length {
            text += &role(&format!("r{at}"), &if at == 1 { "base".to_owned() } else { format!("r{}", at - 1) });
        }
        text
    };
    assert_eq!(serve(&chain(8), "r8"), Ok(()));
    assert!(serve(&chain(9), "r9").unwrap_err().contains("more than 8 roles"));
}

#[test]
fn prefixed_keys_make_bare_ones_another_program_s() {
    assert_eq!(serve(&format!("{BASE}role_arn = x\n"), "base"), Ok(()));
    let why = serve(&BASE.replace("tegata_sso_account_id", "sso_account_id"), "base").unwrap_err();
    assert!(why.starts_with("sso_account_id is missing"), "{why}");
}

#[test]
fn a_start_url_is_the_same_however_it_was_copied() {
    for end in ["", "/", "#", "#/", "/#/"] {
        assert_eq!(same_address(&format!("https://d-1.awsapps.com/start{end}")), "https://d-1.awsapps.com/start");
    }
}
