//! The call that hands over a job of GitHub Actions.

use super::{Call, Query, Sent, checked, plain, secret_object};
use tegata_protocol::ErrorBody;
use tegata_protocol::jobs::HandOverJob;

/// Reads a job.
pub(super) fn hand_over(query: Query, body: &[u8]) -> Result<Call, ErrorBody> {
    query.nothing_more()?;
    let sent: Sent<HandOverJob> = secret_object(body, "job")?;
    plain(sent.profile.clone())?;
    checked(None, sent.config.as_deref())?;
    Ok(Call::HandOverJob(sent))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serve::call::NoCall;
    use http::Request;

    fn read(method: &str, path: &str, body: &str) -> Result<Call, NoCall> {
        Call::read(&Request::builder().method(method).uri(path).body(body.to_owned()).unwrap())
    }

    const JOB: &str = r#"{"profile":"ci","request_url":"https://x/y?z=1","request_token":"CANARY"}"#;

    #[test]
    fn a_job_is_sent_in_the_body_alone() {
        let Ok(Call::HandOverJob(sent)) = read("POST", "/v1/github-job", JOB) else { panic!("no call") };
        assert_eq!((sent.profile.as_str(), sent.request_token.expose_secret()), ("ci", "CANARY"));
        assert!(read("POST", "/v1/github-job?request_token=CANARY", JOB).is_err());
        assert!(matches!(read("PUT", "/v1/github-job", JOB), Err(NoCall::Method { allowed: "POST" })));
        assert!(read("POST", "/v1/github-job/x", JOB).is_err());
    }

    #[test]
    fn e7_what_is_wrong_with_a_job_is_not_quoted() {
        for body in [
            "",
            "[]",
            "{}",
            r#"{"profile":"ci","request_url":"https://x","request_token":["CANARY"]}"#,
            r#"{"profile":"ci","request_url":"https://x","request_token":"x","CANARY":1}"#,
            r#"{"profile":"a\nb","request_url":"https://x","request_token":"CANARY"}"#,
            r#"{"profile":"ci","config":"../x","request_url":"https://x","request_token":"CANARY"}"#,
        ] {
            let Err(NoCall::Refused(error)) = read("POST", "/v1/github-job", body) else { panic!("{body}") };
            assert!(!error.message.contains("CANARY"), "{error:?}");
        }
    }
}
