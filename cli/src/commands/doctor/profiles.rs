//! The profiles as the daemon reads them: which cannot be served, which look like administration and are open, and whether a tier that
//! is claimed is one that was measured.

use super::daemon::Daemon;
use super::facts::Facts;
use super::finding::quoted;
use super::finding::{Finding, Severity};
use tegata_protocol::body::{Profile, Status};

const CHECK: &str = "profiles";

pub(super) fn findings(facts: &Facts) -> Vec<Finding> {
    let Daemon::Running { status, profiles, warnings, .. } = &facts.daemon else { return Vec::new() };
    let of_file = warnings.iter().map(|warning| {
        let line = format!("{}: {warning}", facts.config_file);
        Finding::new(CHECK, Severity::Warning, line).mend("tegata list")
    });
    of_file.chain(profiles.iter().filter_map(|profile| judge(profile, status))).chain(proposed(profiles)).collect()
}

fn judge(profile: &Profile, status: &Status) -> Option<Finding> {
    let name = &profile.name;
    let explain = format!("tegata policy explain {}", quoted(name));
    if let Some(problem) = &profile.problem {
        return Some(
            Finding::new(CHECK, Severity::Warning, format!("{name} cannot be served: {problem}")).mend("tegata list"),
        );
    }
    let gated = profile.gate.as_deref() == Some("gated");
    match (gated, profile.tier.as_deref(), status.passkeys) {
        (true, _, Some(0)) => {
            let line = format!("{name} is gated, and no passkey is enrolled that opens it");
            Some(Finding::new(CHECK, Severity::Error, line).mend("tegata passkey add"))
        }
        // What a tier above this one takes (a sealed source, a key that AWS asks for) is in no store of this build: it was not measured.
        (_, Some(tier), _) if tier != "prompt" => {
            let line = format!("{name} claims tier {tier}, and nothing here measures more than prompt");
            Some(Finding::new("tiers", Severity::Error, line).mend(explain))
        }
        _ => None,
    }
}

/// Administration that is open until a passkey is enrolled: one line for all of it.
fn proposed(profiles: &[Profile]) -> Option<Finding> {
    let open: Vec<&str> = profiles
        .iter()
        .filter(|profile| profile.gate.as_deref() == Some("proposed"))
        .map(|p| p.name.as_str())
        .collect();
    let (first, rest) = open.split_first()?;
    let more = if rest.is_empty() { String::new() } else { format!(" and {} more", rest.len()) };
    let verb = if rest.is_empty() { "looks" } else { "look" };
    let line = format!("{first}{more} {verb} like administration, and any program of yours may use it");
    Some(Finding::new(CHECK, Severity::Warning, line).mend("tegata passkey add"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(change: impl Fn(&mut Profile), passkeys: Option<usize>) -> Vec<Finding> {
        let mut facts = Facts::clean();
        facts.daemon.status_mut().passkeys = passkeys;
        change(facts.daemon.profile_mut());
        findings(&facts)
    }

    #[test]
    fn a_profile_that_cannot_be_served_is_named_with_why() {
        let found = with(|profile| profile.problem = Some("no such role".to_owned()), Some(2));
        assert!(found[0].line == "dev cannot be served: no such role" && found[0].counts(), "{found:?}");
    }

    #[test]
    fn a_gate_that_nothing_opens_is_an_error() {
        let gated = |profile: &mut Profile| profile.gate = Some("gated".to_owned());
        assert_eq!(with(gated, Some(0))[0].severity, Severity::Error);
        assert_eq!(with(gated, Some(2)), []);
    }

    #[test]
    fn administration_that_is_open_is_one_warning() {
        let found = with(|profile| profile.gate = Some("proposed".to_owned()), Some(0));
        assert_eq!((found.len(), found[0].mend.as_deref()), (1, Some("tegata passkey add")));
    }

    #[test]
    fn m6_a_tier_that_was_not_measured_is_an_error() {
        for tier in ["sealed", "enforced", "anything"] {
            let found = with(|profile| profile.tier = Some(tier.to_owned()), Some(2));
            assert_eq!((found[0].check, found[0].severity), ("tiers", Severity::Error), "{tier}");
        }
    }

    #[test]
    fn m6_twin_tier_prompt_and_no_tier_are_what_was_measured() {
        assert_eq!(with(|profile| profile.tier = Some("prompt".to_owned()), Some(2)), []);
        assert_eq!(with(|_| {}, Some(2)), []);
    }

    #[test]
    fn what_is_odd_about_the_file_is_passed_on() {
        let mut facts = Facts::clean();
        let Daemon::Running { warnings, .. } = &mut facts.daemon else { panic!("it runs") };
        warnings.push("line 3: twice".to_owned());
        assert!(findings(&facts)[0].line.ends_with("line 3: twice"));
    }
}
