//! The calls about hands: grants, requests, passkeys, policy, reviews.

use super::{NoCall, Query, absolute, bad, object, plain, segment};
use crate::policy::check_words;
use http::Method;
use std::path::PathBuf;
use std::time::Duration;
use tegata_protocol::gate::{AddPasskey, BeginElevation, CloseReview, OpenPage, RenamePasskey};
use tegata_protocol::{ErrorBody, paths};

/// The most characters of what a review found.
const MAX_NOTE: usize = 1_024;

/// What is asked of the broker about hands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::serve) enum HandCall {
    /// `GET /v1/grants`
    Grants,
    /// `POST /v1/grants`
    Elevate(BeginElevation),
    /// `DELETE /v1/grants`
    DropGrants { profile: Option<String> },
    /// `DELETE /v1/grants/{id}`
    DropGrant { id: String },
    /// `GET /v1/requests`
    Requests,
    /// `GET /v1/requests/{id}`
    Request { id: String, wait: Duration },
    /// `DELETE /v1/requests/{id}`
    Refuse { id: String },
    /// `POST /v1/requests/{id}/pages`
    OpenPage { id: String, page: OpenPage },
    /// `GET /v1/passkeys`
    Passkeys,
    /// `POST /v1/passkeys`
    AddPasskey(AddPasskey),
    /// `DELETE /v1/passkeys`
    ForgetPasskeys,
    /// `PUT /v1/passkeys/{id}`
    RenamePasskey { id: String, to: RenamePasskey },
    /// `DELETE /v1/passkeys/{id}`
    RemovePasskey { id: String },
    /// `POST /v1/passkeys/test`, `POST /v1/passkeys/{id}/test`
    TestPasskey { id: Option<String> },
    /// `GET /v1/policy`
    Policy,
    /// `GET /v1/policy?profile=P`
    Explain { profile: String, config: Option<PathBuf> },
    /// `POST /v1/policy`
    AcceptPolicy,
    /// `GET /v1/reviews`
    Reviews,
    /// `POST /v1/reviews/{id}`
    CloseReview { id: String, close: CloseReview },
}

/// A resource about hands, by its path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum HandResource {
    Grants,
    Grant(String),
    Requests,
    Request(String),
    Pages(String),
    Passkeys,
    Passkey(String),
    Test(Option<String>),
    Policy,
    Reviews,
    Review(String),
}

impl HandResource {
    /// Finds the resource of a path; nothing where the path is about something else.
    pub(super) fn find(path: &str) -> Option<Result<Self, ErrorBody>> {
        let exact = match path {
            paths::GRANTS => Some(Self::Grants),
            paths::REQUESTS => Some(Self::Requests),
            paths::PASSKEYS => Some(Self::Passkeys),
            paths::POLICY => Some(Self::Policy),
            paths::REVIEWS => Some(Self::Reviews),
            _ => None,
        };
        exact.map(Ok).or_else(|| Self::find_named(path))
    }

    fn find_named(path: &str) -> Option<Result<Self, ErrorBody>> {
        let under = |collection: &str| path.strip_prefix(collection).and_then(|rest| rest.strip_prefix('/'));
        if let Some(rest) = under(paths::REQUESTS) {
            let pages = rest.strip_suffix(paths::PAGES).and_then(|id| id.strip_suffix('/'));
            return Some(pages.map_or_else(|| segment(rest).map(Self::Request), |id| segment(id).map(Self::Pages)));
        }
        if let Some(rest) = under(paths::PASSKEYS) {
            let test = rest
                .strip_suffix(paths::TEST)
                .and_then(|id| if id.is_empty() { Some(id) } else { id.strip_suffix('/') });
            return Some(match test {
                None => segment(rest).map(Self::Passkey),
                Some("") => Ok(Self::Test(None)),
                Some(id) => segment(id).map(|id| Self::Test(Some(id))),
            });
        }
        if let Some(id) = under(paths::GRANTS) {
            return Some(segment(id).map(Self::Grant));
        }
        under(paths::REVIEWS).map(|id| segment(id).map(Self::Review))
    }

    pub(super) fn methods(&self) -> &'static str {
        match self {
            Self::Grants | Self::Passkeys => "GET, POST, DELETE",
            Self::Grant(_) => "DELETE",
            Self::Requests | Self::Reviews => "GET",
            Self::Request(_) => "GET, DELETE",
            Self::Pages(_) | Self::Test(_) | Self::Review(_) => "POST",
            Self::Passkey(_) => "PUT, DELETE",
            Self::Policy => "GET, POST",
        }
    }

    /// Reads the call: its method, its parameters, its body.
    pub(super) fn call(self, method: &Method, mut query: Query, body: &[u8]) -> Result<HandCall, NoCall> {
        let call = match (method, self) {
            (&Method::GET, Self::Grants) => HandCall::Grants,
            (&Method::POST, Self::Grants) => return Ok(HandCall::Elevate(elevation(query.empty()?, body)?)),
            (&Method::DELETE, Self::Grants) => HandCall::DropGrants { profile: query.take(paths::QUERY_PROFILE) },
            (&Method::DELETE, Self::Grant(id)) => HandCall::DropGrant { id },
            (&Method::GET, Self::Requests) => HandCall::Requests,
            (&Method::GET, Self::Request(id)) => HandCall::Request { id, wait: query.wait()?.unwrap_or_default() },
            (&Method::DELETE, Self::Request(id)) => HandCall::Refuse { id },
            (&Method::POST, Self::Pages(id)) => {
                query.empty()?;
                return Ok(HandCall::OpenPage { id, page: open_page(body)? });
            }
            (&Method::GET, Self::Passkeys) => HandCall::Passkeys,
            (&Method::POST, Self::Passkeys) => {
                query.empty()?;
                return Ok(HandCall::AddPasskey(object(body, "passkey")?));
            }
            (&Method::DELETE, Self::Passkeys) => HandCall::ForgetPasskeys,
            (&Method::PUT, Self::Passkey(id)) => {
                query.empty()?;
                return Ok(HandCall::RenamePasskey { id, to: object(body, "name")? });
            }
            (&Method::DELETE, Self::Passkey(id)) => HandCall::RemovePasskey { id },
            (&Method::POST, Self::Test(id)) => HandCall::TestPasskey { id },
            (&Method::GET, Self::Policy) => match query.take(paths::QUERY_PROFILE) {
                Some(profile) => HandCall::Explain { profile, config: query.config()? },
                // Where there is no profile to look for it says nothing.
                None => query.config().map(|_| HandCall::Policy)?,
            },
            (&Method::POST, Self::Policy) => HandCall::AcceptPolicy,
            (&Method::GET, Self::Reviews) => HandCall::Reviews,
            (&Method::POST, Self::Review(id)) => {
                query.empty()?;
                return Ok(HandCall::CloseReview { id, close: close_review(body)? });
            }
            (_, resource) => return Err(NoCall::Method { allowed: resource.methods() }),
        };
        query.empty()?;
        if body.is_empty() { Ok(call) } else { Err(bad("this request has no body").into()) }
    }
}

fn elevation(_nothing_more: (), body: &[u8]) -> Result<BeginElevation, ErrorBody> {
    let elevation: BeginElevation = object(body, "request for a grant")?;
    if let Some(config) = &elevation.config {
        absolute(&plain(config.clone())?)?;
    }
    if elevation.seconds == Some(0) {
        return Err(bad("seconds is 0, and a grant lives at least one"));
    }
    elevation.reason.as_deref().map_or(Ok(()), reason)?;
    Ok(elevation)
}

fn open_page(body: &[u8]) -> Result<OpenPage, ErrorBody> {
    let page: OpenPage = object(body, "request for a page")?;
    page.reason.as_deref().map_or(Ok(()), reason)?;
    Ok(page)
}

fn close_review(body: &[u8]) -> Result<CloseReview, ErrorBody> {
    let close: CloseReview = object(body, "review")?;
    if close.note.chars().count() > MAX_NOTE {
        return Err(bad(&format!("the note is longer than {MAX_NOTE} characters")));
    }
    plain(close.note.clone())?;
    Ok(close)
}

fn reason(text: &str) -> Result<(), ErrorBody> {
    check_words(text).map_err(|fault| bad(&fault.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serve::call::Call;
    use http::Request;

    fn read(method: &str, path: &str, body: &str) -> Result<HandCall, NoCall> {
        let request = Request::builder().method(method).uri(path).body(body.to_owned()).unwrap();
        match Call::read(&request)? {
            Call::Hand(call) => Ok(call),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn paths_and_methods_lead_to_their_calls() {
        let id = || "k3f9x2".to_owned();
        let minute = Duration::from_secs(60);
        let calls = [
            ("GET", "/v1/grants", HandCall::Grants),
            ("DELETE", "/v1/grants", HandCall::DropGrants { profile: None }),
            ("DELETE", "/v1/grants?profile=a%20b", HandCall::DropGrants { profile: Some("a b".to_owned()) }),
            ("DELETE", "/v1/grants/k3f9x2", HandCall::DropGrant { id: id() }),
            ("GET", "/v1/requests", HandCall::Requests),
            ("GET", "/v1/requests/k3f9x2?wait=60", HandCall::Request { id: id(), wait: minute }),
            ("DELETE", "/v1/requests/k3f9x2", HandCall::Refuse { id: id() }),
            ("GET", "/v1/passkeys", HandCall::Passkeys),
            ("DELETE", "/v1/passkeys", HandCall::ForgetPasskeys),
            ("DELETE", "/v1/passkeys/k3f9x2", HandCall::RemovePasskey { id: id() }),
            ("POST", "/v1/passkeys/test", HandCall::TestPasskey { id: None }),
            ("POST", "/v1/passkeys/k3f9x2/test", HandCall::TestPasskey { id: Some(id()) }),
            ("GET", "/v1/policy", HandCall::Policy),
            ("GET", "/v1/policy?profile=p", HandCall::Explain { profile: "p".to_owned(), config: None }),
            ("POST", "/v1/policy", HandCall::AcceptPolicy),
            ("GET", "/v1/reviews", HandCall::Reviews),
        ];
        for (method, path, call) in calls {
            assert_eq!(read(method, path, ""), Ok(call), "{method} {path}");
            assert!(read(method, path, "{}").is_err(), "{method} {path} has no body");
            assert!(read("PATCH", path, "").is_err());
        }
    }

    #[test]
    fn bodies_are_objects_of_known_fields() {
        let elevation = read("POST", "/v1/grants", r#"{"profile":"p","seconds":60,"reason":"障害対応 INC-42"}"#);
        assert!(matches!(elevation, Ok(HandCall::Elevate(BeginElevation { seconds: Some(60), .. }))), "{elevation:?}");
        assert!(read("POST", "/v1/requests/k3f9x2/pages", "{}").is_ok());
        assert!(read("POST", "/v1/passkeys", r#"{"person":"alice","name":"key"}"#).is_ok());
        assert!(read("PUT", "/v1/passkeys/k3f9x2", r#"{"name":"key"}"#).is_ok());
        assert!(read("POST", "/v1/reviews/k3f9x2", r#"{"note":"as planned"}"#).is_ok());
        for body in [
            "",
            "[]",
            r#"{"profile":"p","seconds":0}"#,
            r#"{"profile":"p","reason":" "}"#,
            r#"{"profile":"p","reason":"a\u202eb"}"#,
            "{",
            r#"{"profile":"p","until":"never"}"#,
            r#"{"profile":"p","seconds":-1}"#,
            r#"{"profile":"p","config":"relative"}"#,
        ] {
            assert!(read("POST", "/v1/grants", body).is_err(), "{body}");
        }
    }

    #[test]
    fn words_that_could_mislead_a_reader_are_refused_whatever_they_are_for() {
        let long = |field: &str, length: usize| format!(r#"{{"{field}":"{}"}}"#, "障".repeat(length));
        for reason in [r#"{"reason":"\n"}"#.to_owned(), r#"{"reason":""}"#.to_owned(), long("reason", 257)] {
            assert!(read("POST", "/v1/requests/k3f9x2/pages", &reason).is_err(), "{reason}");
        }
        for note in [r#"{"note":"a\u0007"}"#.to_owned(), long("note", 1_025)] {
            assert!(read("POST", "/v1/reviews/k3f9x2", &note).is_err(), "{note}");
        }
        assert!(read("POST", "/v1/requests/k3f9x2/pages", &long("reason", 256)).is_ok());
        assert!(read("POST", "/v1/reviews/k3f9x2", &long("note", 1_024)).is_ok());
    }

    #[test]
    fn the_policy_is_told_with_and_without_a_profile() {
        let explain =
            |config: Option<&str>| HandCall::Explain { profile: "p".to_owned(), config: config.map(PathBuf::from) };
        assert_eq!(read("GET", "/v1/policy?profile=p&config=/c", ""), Ok(explain(Some("/c"))));
        assert_eq!(read("GET", "/v1/policy?config=/c", ""), Ok(HandCall::Policy));
        assert!(read("GET", "/v1/policy?config=relative", "").is_err());
    }
}
