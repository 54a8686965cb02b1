//! The call about the web console. What its fields mean, and which places there are, is the broker's to judge.

use super::{Call, Query, absolute, bad, object, plain};
use tegata_protocol::ErrorBody;
use tegata_protocol::console::OpenConsole;

/// The most seconds a number of seconds may have; AWS takes 12 hours.
const MOST_SECONDS: u64 = 7 * 24 * 3_600;

/// Reads the body and how long the caller waits.
pub(super) fn open(mut query: Query, body: &[u8]) -> Result<Call, ErrorBody> {
    let wait = query.wait()?;
    query.nothing_more()?;
    let wanted: OpenConsole = object(body, "request for a console link")?;
    let OpenConsole { profile, config, region, service, path, seconds, .. } = &wanted;
    for text in [Some(profile), config.as_ref(), region.as_ref(), service.as_ref(), path.as_ref()].into_iter().flatten()
    {
        plain(text.clone())?;
    }
    if let Some(config) = config {
        absolute(config)?;
    }
    if seconds.is_some_and(|seconds| seconds > MOST_SECONDS) {
        return Err(bad("seconds is more than a week, and a console session lasts 12 hours at most"));
    }
    Ok(Call::OpenConsole { wanted, wait })
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;
    use std::time::Duration;

    fn read(path: &str, body: &str) -> Result<Call, super::super::NoCall> {
        Call::read(&Request::builder().method("POST").uri(path).body(body.to_owned()).unwrap())
    }

    #[test]
    fn a_body_of_known_fields_and_a_wait_are_a_call() {
        let call = read("/v1/console-links?wait=60", r#"{"profile":"dev","service":"s3","seconds":900}"#);
        let Ok(Call::OpenConsole { wanted, wait }) = call else { panic!("{call:?}") };
        assert_eq!((wanted.service.as_deref(), wait), (Some("s3"), Some(Duration::from_secs(60))));
    }

    #[test]
    fn h1_what_could_be_two_lines_is_refused_before_anybody_is_asked() {
        for body in [
            "",
            "[]",
            "{}",
            r#"{"profile":"a\nb"}"#,
            r#"{"profile":"dev","path":"/a\r\nLocation: x"}"#,
            r#"{"profile":"dev","region":"us-east-1\u0000"}"#,
            r#"{"profile":"dev","service":"s3\u202e"}"#,
            r#"{"profile":"dev","config":"relative"}"#,
            r#"{"profile":"dev","seconds":-1}"#,
            r#"{"profile":"dev","seconds":1e9}"#,
            r#"{"profile":"dev","seconds":604801}"#,
            r#"{"profile":"dev","destination":"https://evil.example"}"#,
        ] {
            assert!(read("/v1/console-links", body).is_err(), "{body}");
        }
        assert!(read("/v1/console-links?profile=dev", "{}").is_err());
    }
}
