//! `tegata keys report`: how old access keys are and when they were last used, and what else does not end by itself, with what to do
//! about each.

use super::rotate::last_four;
use crate::client::{Client, Target};
use crate::environment::{self, Environment};
use crate::failure::Failure;
use crate::moment;
use crate::output::{self, Progress};
use clap::Args;
use std::time::Duration;
use tegata_protocol::keys::{KeptState, KeysReport, ReportedKey, ReportedServiceCredential, ReportedUser};
use tegata_protocol::{paths, text::one_line};

/// How long asking IAM about fifty users may take.
const ASKING: Duration = Duration::from_secs(240);

/// After how many seconds without a use a key counts as unused: 90 days, as IAM Access Analyzer's default.
const UNUSED: i64 = 90 * 86_400;

/// Show the access keys of the IAM users that profiles start from: age and last use from IAM, the unused first, with commands.
///
/// Also what such a user has for one service alone: passwords for CodeCommit and Keyspaces, long-term API keys for Bedrock. For all users of
/// an account IAM makes a report of its own, which an administrator asks for.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tegata keys report
  tegata keys report --json | jq -r '.users[].keys[] | select(.last_used_at == null).access_key_id'
  tegata exec admin -- aws iam generate-credential-report     every user of the account; then: aws iam get-credential-report")]
pub(crate) struct Report {
    /// Print what the daemon says, as JSON
    #[arg(long)]
    json: bool,
}

impl Report {
    pub(crate) fn run(&self, environment: &Environment) -> Result<(), Failure> {
        let client = Client::new(environment)?;
        let target = Target::new(paths::ACCESS_KEYS).with_config(environment);
        let progress = Progress::begin("asking IAM");
        if self.json {
            let report: serde_json::Value = client.get(target.as_str(), ASKING)?;
            drop(progress);
            return output::say(&output::pretty(&report));
        }
        let report: KeysReport = client.get(target.as_str(), ASKING)?;
        drop(progress);
        output::say(&page(&report, environment::now()))
    }
}

fn page(report: &KeysReport, now: i64) -> String {
    if report.users.is_empty() {
        return "No profile starts from the access keys of an IAM user. Keys that lie about: tegata keys scan"
            .to_owned();
    }
    let mut keys: Vec<(&ReportedUser, &ReportedKey)> =
        report.users.iter().flat_map(|user| user.keys.iter().map(move |key| (user, key))).collect();
    keys.sort_by_key(|(_, key)| key.last_used_at.as_deref().and_then(moment::parse));
    let rows = keys.iter().map(|(user, key)| {
        [
            format!("…{}", last_four(&key.access_key_id)),
            one_line(&user.user),
            state(key).to_owned(),
            key.created_at.as_deref().map_or_else(|| "unknown".to_owned(), |at| age(at, now)),
            last_use(key, now),
        ]
    });
    let mut lines = vec![output::table(["KEY", "USER", "STATE", "AGE", "LAST USED"], rows)];
    lines.extend(keys.iter().filter_map(|(user, key)| advice(user, key, now)));
    lines.extend(for_services(report, now));
    lines.extend(report.users.iter().filter_map(|user| {
        user.problem.as_ref().map(|problem| format!("{}: {}", one_line(&user.user), one_line(problem)))
    }));
    if report.more > 0 {
        lines.push(format!("{} users more are not asked about.", report.more));
    }
    lines.join("\n")
}

/// What is for one service alone: the oldest first, each with the command that removes it. Whether it is used, IAM does not tell.
fn for_services(report: &KeysReport, now: i64) -> Vec<String> {
    let mut all: Vec<(&ReportedUser, &ReportedServiceCredential)> =
        report.users.iter().flat_map(|user| user.for_services.iter().map(move |one| (user, one))).collect();
    all.sort_by_key(|(_, one)| one.created_at.as_deref().and_then(moment::parse));
    let rows = all.iter().map(|(user, one)| {
        let ends = one.expires_at.as_deref().map(|at| one_line(&moment::shown(at, now)));
        [
            kind(&one.service),
            one_line(&user.user),
            if one.active { "active" } else { "deactivated" }.to_owned(),
            one.created_at.as_deref().map_or_else(|| "unknown".to_owned(), |at| age(at, now)),
            ends.unwrap_or_else(|| "never".to_owned()),
        ]
    });
    let table = (!all.is_empty()).then(|| output::table(["FOR ONE SERVICE", "USER", "STATE", "AGE", "ENDS"], rows));
    let commands = all.iter().map(|(user, one)| {
        let (name, id) = (one_line(user_name(user)), one_line(&one.id));
        format!(
            "{} …{}, to remove it: aws iam delete-service-specific-credential --user-name {name} --service-specific-credential-id {id}",
            kind(&one.service),
            last_four(&id)
        )
    });
    let untold = report.users.iter().filter_map(|user| {
        let problem = user.for_services_problem.as_ref()?;
        Some(format!("{}, passwords and API keys for one service: {}", one_line(&user.user), one_line(problem)))
    });
    table.into_iter().chain(commands).chain(untold).collect()
}

/// What a credential for a service is called there (IAM User Guide, "Service-specific credentials for IAM users").
fn kind(service: &str) -> String {
    match service {
        "codecommit.amazonaws.com" => "CodeCommit password".to_owned(),
        "cassandra.amazonaws.com" => "Keyspaces password".to_owned(),
        "bedrock.amazonaws.com" => "Bedrock API key".to_owned(),
        "logs.amazonaws.com" => "CloudWatch Logs API key".to_owned(),
        other => one_line(other),
    }
}

fn user_name(user: &ReportedUser) -> &str {
    user.user.rsplit('/').next().unwrap_or_default()
}

fn state(key: &ReportedKey) -> &'static str {
    match (key.kept, key.active) {
        (KeptState::InUse, true) => "in the keyring",
        (KeptState::InUse, false) => "in the keyring, deactivated",
        (KeptState::ComingIn, _) => "being brought in",
        (KeptState::GoingOut, true) => "replaced, active",
        (KeptState::GoingOut, false) => "replaced, deactivated",
        (KeptState::Elsewhere, true) => "elsewhere, active",
        (KeptState::Elsewhere, false) => "elsewhere, deactivated",
    }
}

fn age(at: &str, now: i64) -> String {
    moment::parse(at).map_or_else(|| "unknown".to_owned(), |at| moment::duration((now - at).max(0)))
}

fn last_use(key: &ReportedKey, now: i64) -> String {
    let Some(at) = key.last_used_at.as_deref() else { return "never".to_owned() };
    let text = |text: &Option<String>| text.as_deref().map(one_line).unwrap_or_default();
    format!("{} ago, {} in {}", age(at, now), text(&key.last_used_service), text(&key.last_used_region))
}

/// The command for a key that should not stay as it is.
fn advice(user: &ReportedUser, key: &ReportedKey, now: i64) -> Option<String> {
    let (id, name) = (one_line(&key.access_key_id), one_line(user_name(user)));
    let profile = user.profiles.first().map(|profile| one_line(profile)).unwrap_or_default();
    let profile = shlex::try_quote(&profile).map_or_else(|_| profile.clone(), std::borrow::Cow::into_owned);
    let since = |at: &Option<String>| at.as_deref().and_then(moment::parse).map(|at| now - at);
    let is_unused = since(&key.last_used_at).is_none_or(|seconds| seconds > UNUSED);
    let too_old =
        |days: u64| since(&key.created_at).is_some_and(|age| age / 86_400 > i64::try_from(days).unwrap_or(i64::MAX));
    let of = format!("--user-name {name} --access-key-id {id}");
    let (why, command) = match (key.kept, key.active) {
        (KeptState::InUse, true) if user.max_age_days.is_some_and(too_old) => {
            ("is older than the settings allow", format!("tegata keys rotate {profile}"))
        }
        (KeptState::ComingIn, _) => ("is half brought in", format!("tegata keys rotate {profile}")),
        (KeptState::GoingOut, _) => ("was replaced", format!("tegata keys rotate --finish {profile}")),
        (KeptState::Elsewhere, true) if is_unused => {
            ("is not used", format!("aws iam update-access-key {of} --status Inactive"))
        }
        (KeptState::Elsewhere, false) => ("is deactivated", format!("aws iam delete-access-key {of}")),
        _ => return None,
    };
    Some(format!("…{} {why}: {command}", last_four(&id)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2026-11-22T09:00:00Z";

    fn key(id: &str, kept: KeptState, active: bool, used: Option<&str>) -> ReportedKey {
        ReportedKey {
            access_key_id: id.to_owned(),
            kept,
            active,
            created_at: Some("2026-01-01T00:00:00Z".to_owned()),
            last_used_at: used.map(str::to_owned),
            last_used_service: used.map(|_| "s3\u{1b}".to_owned()),
            last_used_region: used.map(|_| "eu-west-1".to_owned()),
        }
    }

    fn report(keys: Vec<ReportedKey>, max_age_days: Option<u64>) -> KeysReport {
        let user = "arn:aws:iam::123456789012:user/alice".to_owned();
        let profiles = vec!["dev".to_owned()];
        let user = ReportedUser {
            user,
            profiles,
            keys,
            for_services: vec![],
            for_services_problem: None,
            max_age_days,
            problem: None,
        };
        KeysReport { users: vec![user], more: 0 }
    }

    #[test]
    fn the_unused_come_first_and_each_has_its_command() {
        let used = key("AKIAUSEDUSEDUSEDUSE1", KeptState::InUse, true, Some("2026-11-22T08:00:00Z"));
        let unused = key("AKIAUNUSEDUNUSEDUNU2", KeptState::Elsewhere, true, None);
        let text = page(&report(vec![used, unused], Some(90)), moment::parse(NOW).unwrap());
        let lines: Vec<_> = text.lines().collect();
        assert!(lines[1].starts_with("…UNU2") && lines[1].contains("never"), "{text}");
        assert!(lines[2].contains("1 h ago, s3") && lines[2].contains("eu-west-1"), "{text}");
        let deactivate =
            "aws iam update-access-key --user-name alice --access-key-id AKIAUNUSEDUNUSEDUNU2 --status Inactive";
        assert!(text.contains(deactivate) && text.contains("tegata keys rotate dev"), "{text}");
        assert!(!text.chars().any(|c| c != '\n' && tegata_protocol::text::is_hostile(c)), "{text:?}");
    }

    #[test]
    fn a_key_that_is_as_it_should_be_needs_no_command() {
        let fine = key("AKIAUSEDUSEDUSEDUSE1", KeptState::InUse, true, Some(NOW));
        let text = page(&report(vec![fine], None), moment::parse(NOW).unwrap());
        assert_eq!(text.lines().count(), 2, "{text}");
        assert!(page(&KeysReport { users: vec![], more: 0 }, 0).contains("tegata keys scan"));
    }

    #[test]
    fn what_is_for_one_service_alone_is_shown_oldest_first_with_the_command_that_removes_it() {
        let one = |id: &str, service: &str, created: &str, ends: Option<&str>| ReportedServiceCredential {
            id: id.to_owned(),
            service: service.to_owned(),
            active: true,
            created_at: Some(created.to_owned()),
            expires_at: ends.map(str::to_owned),
        };
        let mut report = report(vec![], None);
        report.users[0].for_services = vec![
            one("ACCABEDROCKBEDROCK22", "bedrock.amazonaws.com", "2026-10-01T00:00:00Z", Some("2026-12-01T00:00:00Z")),
            one("ACCAGITGITGITGITGIT1", "codecommit.amazonaws.com", "2021-01-01T00:00:00Z", None),
            one("ACCAOTHEROTHEROTHER3", "evil\u{1b}[2J", "2026-11-01T00:00:00Z", None),
        ];
        let text = page(&report, moment::parse(NOW).unwrap());
        let at = |what: &str| text.find(what).unwrap_or_else(|| panic!("{what}: {text}"));
        assert!(
            at("CodeCommit password  arn:aws:iam::123456789012:user/alice  active  ") < at("Bedrock API key "),
            "{text}"
        );
        assert!(text.contains("never") && text.contains("2026-12-01 00:00 UTC"), "{text}");
        let command = "CodeCommit password …GIT1, to remove it: aws iam delete-service-specific-credential --user-name alice \
                       --service-specific-credential-id ACCAGITGITGITGITGIT1";
        assert!(text.contains(command) && !text.contains('\u{1b}'), "{text}");
        report.users[0].for_services_problem = Some("AWS refused it".to_owned());
        assert!(page(&report, 0).contains("passwords and API keys for one service: AWS refused it"));
    }
}
