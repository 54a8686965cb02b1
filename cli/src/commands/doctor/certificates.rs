//! Certificates of profiles that start from one: which cannot be used, which have ended, which end soon.

use super::daemon::Daemon;
use super::facts::Facts;
use super::finding::{Finding, Severity};
use crate::commands::certificate;
use tegata_protocol::certificates::CertificateState;

const CHECK: &str = "certificates";

pub(super) fn findings(facts: &Facts) -> Vec<Finding> {
    let Daemon::Running { status, .. } = &facts.daemon else { return Vec::new() };
    let findings = status.certificates.iter().filter_map(|of_profile| {
        let severity = match of_profile.state {
            CertificateState::Valid | CertificateState::Unknown => return None,
            CertificateState::EndsSoon => Severity::Warning,
            CertificateState::Ended | CertificateState::Unusable => Severity::Error,
        };
        let profile = &of_profile.profile;
        let line = match (of_profile.state, &of_profile.problem, &of_profile.ends_at) {
            (CertificateState::Unusable, Some(problem), _) => format!("{profile}: {problem}"),
            (CertificateState::Ended, _, Some(at)) => format!("the certificate of {profile} ended on {at}"),
            (_, _, Some(at)) => format!("the certificate of {profile} ends on {at}"),
            _ => format!("the certificate of {profile} cannot be used"),
        };
        let mend = certificate::renewal(of_profile).unwrap_or_else(|| "tegata certificate list".to_owned());
        Some(Finding::new(CHECK, severity, line).mend(mend))
    });
    findings.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tegata_protocol::certificates::Certificate;

    fn with(state: CertificateState, problem: Option<&str>) -> Vec<Finding> {
        let mut facts = Facts::clean();
        facts.daemon.status_mut().certificates = vec![Certificate {
            profile: "ci".into(),
            place: "keyring".into(),
            key_place: "keyring".into(),
            state,
            common_name: None,
            serial: None,
            ends_at: Some("2026-11-29T09:07:58Z".into()),
            problem: problem.map(str::to_owned),
            mend: None,
        }];
        findings(&facts)
    }

    #[test]
    fn a_certificate_that_ends_is_warned_about_and_one_that_has_ended_is_an_error() {
        assert_eq!(with(CertificateState::Valid, None), []);
        let found = with(CertificateState::EndsSoon, None);
        assert_eq!(found[0].severity, Severity::Warning);
        assert_eq!(found[0].line, "the certificate of ci ends on 2026-11-29T09:07:58Z");
        let import = "tegata certificate import ci --certificate FILE --key FILE";
        assert_eq!(found[0].mend.as_deref(), Some(import));
        assert_eq!(with(CertificateState::Ended, None)[0].severity, Severity::Error);
    }

    #[test]
    fn one_that_cannot_be_used_says_why() {
        let found = with(CertificateState::Unusable, Some("/k: no such file"));
        assert_eq!(
            (found[0].line.as_str(), found[0].mend.as_deref()),
            ("ci: /k: no such file", Some("tegata certificate list"))
        );
    }
}
