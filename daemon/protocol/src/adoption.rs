//! Bodies of taking over a sign-in that another tool made and left in a file. They hold secrets and are wiped when dropped.

use crate::Secret;
use serde::{Deserialize, Serialize, Serializer};

/// `POST /v1/sessions/{name}/adopt`: what AWS CLI keeps of a sign-in in `~/.aws/sso/cache` (botocore `SSOTokenProvider`).
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdoptSession {
    /// The AWS config file of the caller, absolute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<String>,
    /// The organisation's start URL.
    pub start_url: String,
    /// The region of its IAM Identity Center.
    pub region: String,
    /// The bearer token of the portal.
    #[serde(serialize_with = "exposed")]
    pub access_token: Secret,
    /// When the access token ends, RFC 3339 in UTC.
    pub expires_at: String,
    /// What renews it, with the client it was issued to. Absent: a sign-in that ends with its access token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renewal: Option<AdoptRenewal>,
}

/// What renews a sign-in: a refresh token is good with the client it was issued to and no other (RFC 6749 section 6).
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdoptRenewal {
    /// The refresh token, good once.
    #[serde(serialize_with = "exposed")]
    pub refresh_token: Secret,
    /// The client's id.
    pub client_id: String,
    /// The client's secret.
    #[serde(serialize_with = "exposed")]
    pub client_secret: Secret,
    /// When the client has to be registered again, RFC 3339 in UTC.
    pub registration_expires_at: String,
}

/// A sign-in that was taken over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adopted {
    /// The sign-in session.
    pub session: String,
    /// How it was proved.
    pub proof: AdoptionProof,
    /// When the access token ends.
    pub expires_at: String,
}

/// How a sign-in that was taken over was proved to be alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdoptionProof {
    /// It was renewed: the refresh token that other tools have is spent.
    Renewed,
    /// The portal took the access token. There is nothing that renews it.
    Portal,
}

fn exposed<S: Serializer>(secret: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose_secret())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn adopt() -> AdoptSession {
        AdoptSession {
            config: None,
            start_url: "https://d-1.awsapps.com/start".into(),
            region: "us-east-1".into(),
            access_token: Secret::new("CANARY-access".into()),
            expires_at: "2026-11-22T15:53:58Z".into(),
            renewal: Some(AdoptRenewal {
                refresh_token: Secret::new("CANARY-refresh".into()),
                client_id: "client".into(),
                client_secret: Secret::new("CANARY-client".into()),
                registration_expires_at: "2027-02-20T07:53:57Z".into(),
            }),
        }
    }

    #[test]
    fn e3_what_is_taken_over_is_never_printed() {
        assert!(!format!("{:?} {:#?}", adopt(), adopt()).contains("CANARY"));
    }

    #[test]
    fn e3_twin_it_crosses_the_socket_whole() {
        let back: AdoptSession = serde_json::from_str(&serde_json::to_string(&adopt()).unwrap()).unwrap();
        let renewal = back.renewal.unwrap();
        assert_eq!(back.access_token.expose_secret(), "CANARY-access");
        assert_eq!(renewal.refresh_token.expose_secret(), "CANARY-refresh");
        assert_eq!((renewal.client_id.as_str(), renewal.client_secret.expose_secret()), ("client", "CANARY-client"));
    }
}
