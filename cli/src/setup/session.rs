//! Which sign-in session a setup is about: what was said on the command line, held against what the AWS config file has. Pure.

use super::start_url::{self, StartUrl};
use crate::aws_config::{Section, SectionKind};
use tegata_protocol::text::one_line;

/// What a client asks for that wants accounts and roles (AWS SDKs and Tools Reference Guide, `sso_registration_scopes`).
const SCOPE: &str = "sso:account:access";

/// What the person has said so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) start_url: Option<String>,
    pub(crate) region: Option<String>,
    pub(crate) session: Option<String>,
}

/// The sign-in session, settled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Session {
    pub(crate) name: String,
    pub(crate) start_url: String,
    pub(crate) region: String,
    /// Its section as it is in the file, or as it will be.
    pub(crate) section: Section,
    /// Whether a section of the person's own describes it, which is left as it is.
    pub(crate) own: bool,
    /// Whether the file had it before.
    pub(crate) known: bool,
}

/// Why it is not settled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unsettled {
    /// The start URL has to be said.
    StartUrl,
    /// The region has to be said.
    Region,
    /// Something that was said cannot be; one line that says why.
    Wrong(String),
}

/// An `[sso-session]` section that setup can use.
struct Known<'a> {
    section: &'a Section,
    start_url: StartUrl,
    region: &'a str,
    own: bool,
}

/// Returns the address that has to be followed before anything can be settled: one of the organisation's own that no section of the
/// file has as its start URL.
pub(crate) fn own_address(wanted: &Wanted, sections: &[Section]) -> Option<StartUrl> {
    let url = StartUrl::parse(wanted.start_url.as_deref()?).ok().filter(|url| !url.is_portal_of_aws())?;
    let is_known = sections.iter().filter_map(|section| Known::of(section, &[])).any(|known| known.start_url == url);
    (!is_known).then_some(url)
}

/// Settles which sign-in session is meant. `generated` are the sections between the markers, `sections` all of the file.
///
/// # Errors
/// [`Unsettled`] says what is missing or wrong.
pub(crate) fn settle(wanted: &Wanted, sections: &[Section], generated: &[Section]) -> Result<Session, Unsettled> {
    let known: Vec<Known<'_>> = sections.iter().filter_map(|section| Known::of(section, generated)).collect();
    let name = wanted.session.as_deref().map(start_url::session_name).transpose().map_err(Unsettled::Wrong)?;
    let url = wanted.start_url.as_deref().map(StartUrl::parse).transpose().map_err(Unsettled::Wrong)?;
    let region = wanted.region.as_deref().map(start_url::region).transpose().map_err(Unsettled::Wrong)?;
    let named = name.as_ref().and_then(|name| known.iter().find(|known| known.section.name == *name));
    let same_url = |known: &&Known<'_>| url.as_ref().is_none_or(|url| *url == known.start_url);
    let found = match (named, &name, &url) {
        (Some(named), ..) if !same_url(&named) => return Err(Unsettled::Wrong(named.is_another())),
        (Some(named), ..) => Some(named),
        (None, Some(name), _) if sections.iter().any(|section| section.is(SectionKind::SsoSession, name)) => {
            return Err(Unsettled::Wrong(format!(
                "[sso-session {name}] of the AWS config file lacks a start URL or a region"
            )));
        }
        (None, Some(_), _) => None,
        (None, None, Some(_)) => known.iter().find(same_url),
        (None, None, None) => only(&known),
    };
    match found {
        Some(known) => known.settled(region.as_deref()),
        None => new(name, &url.ok_or(Unsettled::StartUrl)?, region, sections),
    }
}

fn new(
    name: Option<String>,
    url: &StartUrl,
    region: Option<String>,
    sections: &[Section],
) -> Result<Session, Unsettled> {
    let region = region.or_else(|| url.region().map(str::to_owned)).ok_or(Unsettled::Region)?;
    let name = name.unwrap_or_else(|| free(&url.session_name(), sections));
    let section = Section::new(SectionKind::SsoSession, name.clone())
        .with("sso_start_url", url.as_str())
        .with("sso_region", region.clone())
        .with("sso_registration_scopes", SCOPE);
    Ok(Session { name, start_url: url.as_str().to_owned(), region, section, own: false, known: false })
}

/// The proposed name, or with the first number that no section has.
fn free(proposed: &str, sections: &[Section]) -> String {
    let is_free = |name: &String| !sections.iter().any(|section| section.is(SectionKind::SsoSession, name));
    let numbered = (2_u32..).map(|n| format!("{proposed}-{n}"));
    std::iter::once(proposed.to_owned()).chain(numbered).find(is_free).unwrap_or_else(|| proposed.to_owned())
}

fn only<'a, 'b>(known: &'b [Known<'a>]) -> Option<&'b Known<'a>> {
    match known {
        [only] => Some(only),
        _ => None,
    }
}

impl<'a> Known<'a> {
    fn of(section: &'a Section, generated: &[Section]) -> Option<Self> {
        if section.kind != SectionKind::SsoSession {
            return None;
        }
        let start_url = StartUrl::parse(section.get("sso_start_url")?).ok()?;
        let own = !generated.iter().any(|ours| ours.is(SectionKind::SsoSession, &section.name));
        Some(Self { section, start_url, region: section.get("sso_region")?, own })
    }

    fn settled(&self, region: Option<&str>) -> Result<Session, Unsettled> {
        if region.is_some_and(|region| region != self.region) {
            let (name, region) = (one_line(&self.section.name), one_line(self.region));
            return Err(Unsettled::Wrong(format!("sign-in session {name} is in {region}; choose another --session")));
        }
        Ok(Session {
            name: self.section.name.clone(),
            start_url: self.start_url.as_str().to_owned(),
            region: self.region.to_owned(),
            section: self.section.clone(),
            own: self.own,
            known: true,
        })
    }

    fn is_another(&self) -> String {
        let (name, url) = (one_line(&self.section.name), one_line(self.start_url.as_str()));
        format!("sign-in session {name} is of {url} already; choose another --session")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACME: &str = "https://acme.awsapps.com/start";

    fn section(name: &str, url: &str, region: &str) -> Section {
        let section = Section::new(SectionKind::SsoSession, name);
        section.with("sso_start_url", url).with("sso_region", region).with("sso_registration_scopes", "a:b")
    }

    fn wanted(start_url: &str, region: &str, session: &str) -> Wanted {
        let said = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Wanted { start_url: said(start_url), region: said(region), session: said(session) }
    }

    fn settled(wanted: &Wanted, sections: &[Section]) -> Session {
        settle(wanted, sections, &[]).unwrap()
    }

    #[test]
    fn what_is_missing_is_asked_for_one_thing_at_a_time() {
        assert_eq!(settle(&wanted("", "", ""), &[], &[]), Err(Unsettled::StartUrl));
        assert_eq!(settle(&wanted("", "us-east-1", "corp"), &[], &[]), Err(Unsettled::StartUrl));
        assert_eq!(settle(&wanted(ACME, "", ""), &[], &[]), Err(Unsettled::Region));
        let found = settled(&wanted("https://ssoins-1.portal.eu-west-1.app.aws", "", ""), &[]);
        assert_eq!((found.name.as_str(), found.region.as_str()), ("ssoins-1", "eu-west-1"));
    }

    #[test]
    fn a_new_session_is_called_after_its_organisation() {
        let found = settled(&wanted(ACME, "us-east-1", ""), &[]);
        assert_eq!((found.name.as_str(), found.own, found.known), ("acme", false, false));
        assert_eq!(found.section.get("sso_registration_scopes"), Some(SCOPE));
        assert_eq!(settled(&wanted(ACME, "us-east-1", "corp"), &[]).name, "corp");
    }

    #[test]
    fn a_name_that_another_organisation_has_is_numbered_or_refused() {
        let taken = [
            section("acme", "https://other.example", "us-east-1"),
            section("acme-2", "https://x.example", "us-east-1"),
        ];
        assert_eq!(settled(&wanted(ACME, "us-east-1", ""), &taken).name, "acme-3");
        let Err(Unsettled::Wrong(why)) = settle(&wanted(ACME, "us-east-1", "acme"), &taken, &[]) else { panic!() };
        assert_eq!(why, "sign-in session acme is of https://other.example already; choose another --session");
    }

    #[test]
    fn a_session_the_file_has_is_used_as_it_is() {
        let mine = [section("work", "https://acme.awsapps.com/start/#/", "eu-west-1")];
        for wanted in
            [wanted(ACME, "", ""), wanted("", "", "work"), wanted("", "", ""), wanted(ACME, "eu-west-1", "work")]
        {
            let found = settled(&wanted, &mine);
            assert_eq!((found.name.as_str(), found.region.as_str()), ("work", "eu-west-1"), "{wanted:?}");
            assert_eq!(found.section.get("sso_registration_scopes"), Some("a:b"));
            assert!(found.own && found.known);
        }
        assert!(!settle(&wanted(ACME, "", ""), &mine, &mine).unwrap().own);
        assert!(matches!(settle(&wanted(ACME, "us-east-1", ""), &mine, &[]), Err(Unsettled::Wrong(_))));
    }

    #[test]
    fn an_address_of_the_organisation_s_own_is_followed_unless_the_file_has_it() {
        let own = "https://aws.acme.example";
        let followed = |url: &str, sections: &[Section]| own_address(&wanted(url, "", ""), sections).is_some();
        assert!(followed(own, &[]) && !followed(own, &[section("acme", own, "us-east-1")]));
        assert!(!followed(ACME, &[]) && !followed("", &[]) && !followed("no url", &[]));
    }

    #[test]
    fn one_organisation_may_be_signed_in_to_twice() {
        let mine = [section("work", ACME, "eu-west-1")];
        let second = settled(&wanted(ACME, "eu-west-1", "admin-me"), &mine);
        assert_eq!((second.name.as_str(), second.known), ("admin-me", false));
    }

    #[test]
    fn with_several_sessions_somebody_has_to_say_which() {
        let two = [section("a", ACME, "eu-west-1"), section("b", "https://b.awsapps.com/start", "eu-west-1")];
        assert_eq!(settle(&wanted("", "", ""), &two, &[]), Err(Unsettled::StartUrl));
    }

    #[test]
    fn a_section_that_is_unfinished_is_neither_used_nor_written_twice() {
        let half = [Section::new(SectionKind::SsoSession, "acme").with("sso_region", "us-east-1")];
        assert!(matches!(settle(&wanted(ACME, "us-east-1", "acme"), &half, &[]), Err(Unsettled::Wrong(_))));
        assert_eq!(settled(&wanted(ACME, "us-east-1", ""), &half).name, "acme-2");
    }
}
