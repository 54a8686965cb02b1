//! The calls about codes of MFA devices.

use super::{Call, Query, Sent, bad, checked, plain, secret_object};
use tegata_protocol::totp::{AddSeed, GiveCode};
use tegata_protocol::{ErrorBody, paths};

/// The most bytes of a code: six digits, and whatever a person types around them.
const MAX_CODE: usize = 64;
/// The most bytes of a URI with a seed.
const MAX_URI: usize = 4096;

/// Reads a code.
pub(super) fn give(id: String, query: Query, body: &[u8]) -> Result<Call, ErrorBody> {
    query.nothing_more()?;
    let given: Sent<GiveCode> = secret_object(body, "request with a code")?;
    if given.code.expose_secret().len() > MAX_CODE {
        return Err(bad("the code is longer than any"));
    }
    Ok(Call::GiveCode { id, given })
}

/// Reads a seed.
pub(super) fn add(query: Query, body: &[u8]) -> Result<Call, ErrorBody> {
    query.nothing_more()?;
    let sent: Sent<AddSeed> = secret_object(body, "request with a seed")?;
    plain(sent.profile.clone())?;
    checked(None, sent.config.as_deref())?;
    if sent.uri.expose_secret().len() > MAX_URI {
        return Err(bad("the seed is longer than any"));
    }
    Ok(Call::AddSeed(sent))
}

/// Reads which seed is to go.
pub(super) fn remove(mut query: Query) -> Result<Call, ErrorBody> {
    let profile = query.take(paths::QUERY_PROFILE).ok_or_else(|| bad("the parameter profile is missing"))?;
    Ok(Call::RemoveSeed { profile, config: query.only_config()? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serve::call::NoCall;
    use http::Request;

    fn read(method: &str, path: &str, body: &str) -> Result<Call, NoCall> {
        Call::read(&Request::builder().method(method).uri(path).body(body.to_owned()).unwrap())
    }

    #[test]
    fn a_code_goes_to_its_sign_in() {
        let Ok(Call::GiveCode { id, given }) = read("POST", "/v1/sign-ins/a1/code", r#"{"code":"123456"}"#) else {
            panic!("no call")
        };
        assert_eq!((id.as_str(), given.code.expose_secret()), ("a1", "123456"));
        for body in ["", "{}", r#"{"code":1}"#, r#"{"code":"1","x":1}"#, &format!(r#"{{"code":"{}"}}"#, "1".repeat(65))]
        {
            assert!(matches!(read("POST", "/v1/sign-ins/a1/code", body), Err(NoCall::Refused(_))), "{body:.40}");
        }
        assert!(matches!(read("GET", "/v1/sign-ins/a1/code", ""), Err(NoCall::Method { allowed: "POST" })));
        assert!(read("POST", "/v1/sign-ins/a1/codes", r#"{"code":"123456"}"#).is_err());
    }

    #[test]
    fn e7_what_is_wrong_with_a_code_or_a_seed_is_not_quoted() {
        for (path, body) in [
            ("/v1/sign-ins/a1/code", r#"{"code":"CANARY","CANARY":1}"#),
            ("/v1/sign-ins/a1/code", r#"{"code":["CANARY"]}"#),
            ("/v1/totp-seeds", r#"{"profile":"p","uri":"CANARY","CANARY":""}"#),
            ("/v1/totp-seeds", r#"["p",null,"CANARY"]"#),
        ] {
            let Err(NoCall::Refused(error)) = read("POST", path, body) else { panic!("{body}") };
            assert!(!error.message.contains("CANARY"), "{error:?}");
        }
    }

    #[test]
    fn a_seed_is_sent_in_the_body_alone() {
        let body = r#"{"profile":"dev","uri":"otpauth://totp/x?secret=A"}"#;
        assert!(matches!(read("POST", "/v1/totp-seeds", body), Ok(Call::AddSeed(_))));
        assert!(read("POST", "/v1/totp-seeds?uri=otpauth://totp/x", body).is_err());
        for hostile in [r"a\nb", r"a\u0000b", r"a\u202eb"] {
            assert!(read("POST", "/v1/totp-seeds", &format!(r#"{{"profile":"{hostile}","uri":"A"}}"#)).is_err());
        }
        let relative = r#"{"profile":"dev","config":"../x","uri":"A"}"#;
        assert!(read("POST", "/v1/totp-seeds", relative).is_err());
        let long = format!(r#"{{"profile":"dev","uri":"{}"}}"#, "A".repeat(4097));
        assert!(read("POST", "/v1/totp-seeds", &long).is_err());
    }

    #[test]
    fn seeds_are_listed_and_removed_by_profile() {
        assert_eq!(read("GET", "/v1/totp-seeds", "").unwrap(), Call::Seeds { config: None });
        let removed = read("DELETE", "/v1/totp-seeds?profile=dev", "").unwrap();
        assert_eq!(removed, Call::RemoveSeed { profile: "dev".to_owned(), config: None });
        assert!(read("DELETE", "/v1/totp-seeds", "").is_err());
        assert!(matches!(read("PUT", "/v1/totp-seeds", ""), Err(NoCall::Method { allowed: "GET, POST, DELETE" })));
    }
}
