//! Targets and rules for tests, made from the text that people write.

use super::Rule;
use crate::names::ProfileName;
use crate::profile::{Chain, Config};
use crate::settings::Settings;
use std::fmt::Write;
use std::time::SystemTime;

pub(super) const HERE: &str = "111111111111";

/// Friday noon in Tokyo.
pub(super) fn noon() -> SystemTime {
    at("2026-11-20T03:00:00Z")
}

pub(super) fn at(utc: &str) -> SystemTime {
    utc.parse::<jiff::Timestamp>().unwrap().into()
}

pub(super) fn profile(name: &str) -> ProfileName {
    ProfileName::new(name).unwrap()
}

/// The chain from a permission set in [`HERE`] over these roles.
pub(super) fn chain(permission_set: &str, roles: &[&str]) -> Chain {
    let mut text = format!(
        "[sso-session corp]\nsso_start_url = https://d-1.awsapps.com/start\nsso_region = eu-west-1\n\
         [profile p0]\nsso_session = corp\nsso_account_id = {HERE}\nsso_role_name = {permission_set}\n"
    );
    for (number, role) in roles.iter().enumerate() {
        let _ = write!(text, "[profile p{}]\nrole_arn = {role}\nsource_profile = p{number}\n", number + 1);
    }
    let config = Config::parse("/home/u/.aws/config", text.as_bytes()).unwrap();
    let resolved = config.resolve(&profile(&format!("p{}", roles.len()))).unwrap();
    (*resolved.chain).clone()
}

/// The rules of a `config.toml`.
pub(super) fn rules(text: &str) -> Vec<Rule> {
    Settings::parse(text).unwrap().rules().to_vec()
}
