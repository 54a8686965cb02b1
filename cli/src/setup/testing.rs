//! Config files for tests of this room.

use crate::aws_config::{Change, ConfigFile, Program};
use crate::failure::Failure;
use std::path::Path;

/// Returns a file of this text, as if read.
pub(super) fn file(text: &str) -> ConfigFile {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("config");
    std::fs::write(&path, text).unwrap();
    ConfigFile::read(&path).unwrap()
}

/// Returns the program of every test.
pub(super) fn program() -> Program {
    Program::at(Path::new("/usr/bin/tegata")).unwrap()
}

/// Returns what a change makes of the file.
pub(super) fn text(change: &Change) -> String {
    change.file().unwrap().text().to_owned()
}

/// Returns the line of a refusal about a profile, without where the file is.
#[track_caller]
pub(super) fn refusal<T>(result: Result<T, Failure>) -> String {
    let Err(failure) = result else { panic!("it was not refused") };
    assert_eq!(failure.exit_code(), 13, "{failure:?}");
    let line = failure.line().unwrap();
    let (head, tail) = line.split_once("/tmp/").unwrap_or((&line, ""));
    format!("{head}{}", tail.split_once("/config").map_or(tail, |(_, rest)| rest))
}

/// A file with most of what people have in theirs.
pub(super) const LIVED_IN: &str = "\
# kept by hand since 2019 -- Jos\u{e9}
[default]
region = eu-west-1
output=json

; the organisation
[sso-session corp]
sso_start_url = https://d-1234567890.awsapps.com/start#/
sso_region = us-east-1
sso_registration_scopes = sso:account:access

[profile dev]
# do not touch
sso_session = corp
sso_account_id = 123456789012   # the shared one
sso_role_name = ReadOnly
region = eu-west-1
s3 =
  max_concurrent_requests = 20
  addressing_style = path
cli_pager =

[ profile  legacy ]\t; from before sessions
  SSO_Start_URL=https://d-1234567890.awsapps.com/start
  sso_region = us-east-1
  sso_account_id : 123456789012
  sso_role_name = Admin

[profile deploy]
role_arn = arn:aws:iam::210987654321:role/deploy/Deploy
source_profile = dev
external_id = abc
role_session_name = deploy-bot
duration_seconds = 3600

[services local]
sts =
  endpoint_url = http://localhost:4566
";
