//! The calls about access keys. What a key is, and whose, is for others to judge.

use super::{Call, Query, absolute, bad, checked, object, plain};
use std::sync::Arc;
use tegata_protocol::ErrorBody;
use tegata_protocol::keys::{ImportKey, MAX_GRACE_SECONDS, RotateKey};

/// An access key that was offered. Its secret is not compared: it is equal to itself.
#[derive(Clone, Debug)]
pub(in crate::serve) struct OfferedKey(pub(in crate::serve) Arc<ImportKey>);

impl PartialEq for OfferedKey {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for OfferedKey {}

/// Reads a key: what is wrong with the body is not quoted.
pub(super) fn import(query: &Query, body: &[u8]) -> Result<Call, ErrorBody> {
    query.empty()?;
    if !body.trim_ascii_start().starts_with(b"{") {
        return Err(bad("the body is not a JSON object"));
    }
    let key: ImportKey = serde_json::from_slice(body).map_err(|error| {
        bad(&format!("the body is not an access key (line {}, column {})", error.line(), error.column()))
    })?;
    if let Some(region) = &key.region {
        plain(region.clone())?;
    }
    Ok(Call::ImportKey(OfferedKey(Arc::new(key))))
}

/// Reads a rotation and how long the caller waits for a hand.
pub(super) fn rotate(mut query: Query, body: &[u8]) -> Result<Call, ErrorBody> {
    let wait = query.wait()?;
    query.nothing_more()?;
    let wanted: RotateKey = object(body, "rotation of an access key")?;
    checked(Some(&wanted.profile), wanted.config.as_deref())?;
    if let Some(config) = &wanted.config {
        absolute(config)?;
    }
    if wanted.grace_seconds.is_some_and(|seconds| seconds > MAX_GRACE_SECONDS) {
        return Err(bad(&format!("grace_seconds is more than {MAX_GRACE_SECONDS}, which is 90 days")));
    }
    Ok(Call::RotateKey { wanted, wait })
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    fn read(path: &str, body: &str) -> Result<Call, super::super::NoCall> {
        Call::read(&Request::builder().method("POST").uri(path).body(body.to_owned()).unwrap())
    }

    #[test]
    fn a_key_and_a_rotation_are_calls() {
        let key = r#"{"access_key_id":"AKIAIOSFODNN7EXAMPLE","secret_access_key":"CANARY"}"#;
        assert!(matches!(read("/v1/access-keys", key), Ok(Call::ImportKey(_))));
        let rotation =
            read("/v1/access-keys/rotations?wait=60", r#"{"profile":"dev","grace_seconds":0,"finish":true}"#);
        let Ok(Call::RotateKey { wanted, wait }) = rotation else { panic!("{rotation:?}") };
        assert_eq!((wanted.grace_seconds, wanted.finish, wait.map(|wait| wait.as_secs())), (Some(0), true, Some(60)));
    }

    #[test]
    fn h1_hostile_bodies_are_refused_and_not_quoted() {
        for body in [
            "",
            "[]",
            r#"{"access_key_id":"A","secret_access_key":7,"x":"CANARY"}"#,
            r#"{"access_key_id":"A","secret_access_key":"CANARY"} CANARY"#,
            r#"{"access_key_id":"A","secret_access_key":"CANARY","secret_access_key":"CANARY"}"#,
            r#"{"access_key_id":"A","secret_access_key":"CANARY","region":"us-east-1\n"}"#,
        ] {
            let refused = read("/v1/access-keys", body);
            assert!(refused.is_err() && !format!("{refused:?}").contains("CANARY"), "{refused:?}");
        }
        for body in [
            r#"{"profile":"a\nb"}"#,
            r#"{"profile":"dev","config":"relative"}"#,
            r#"{"profile":"dev","grace_seconds":-1}"#,
            r#"{"profile":"dev","grace_seconds":7776001}"#,
            r#"{"profile":"dev","user":"eve"}"#,
        ] {
            assert!(read("/v1/access-keys/rotations", body).is_err(), "{body}");
        }
    }
}
