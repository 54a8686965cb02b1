//! Bodies about the certificates with which this machine gets roles from IAM Roles Anywhere.

use crate::Secret;
use serde::{Deserialize, Serialize, Serializer};

/// `POST /v1/certificates`: a certificate and its key, to be kept in the store. It holds secrets and is wiped when dropped.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImportCertificate {
    /// The profile it is proven with.
    pub profile: String,
    /// The AWS config file of the caller, absolute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<String>,
    /// The certificate and then its intermediates, PEM.
    pub certificate: String,
    /// The private key, PEM: PKCS #8, PKCS #1 or SEC 1.
    #[serde(serialize_with = "exposed")]
    pub private_key: Secret,
    /// What opens the key, where it is encrypted.
    #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "exposed_if")]
    pub passphrase: Option<Secret>,
}

/// `GET /v1/certificates`: the certificate of every profile that starts from one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificates {
    /// In the order of the file; the first two hundred.
    pub certificates: Vec<Certificate>,
    /// How many more there are.
    pub left_out: usize,
}

/// The certificate of a profile, as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// The profile.
    pub profile: String,
    /// Where the certificate is: a path, `keyring`, or the URI of a PKCS#11 object.
    pub place: String,
    /// Where its key is, likewise.
    pub key_place: String,
    /// How it stands.
    pub state: CertificateState,
    /// The subject's common name, which CloudTrail has as the source identity. Absent where it has not been read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub common_name: Option<String>,
    /// The serial number in hexadecimal, which CloudTrail has as the name of the role session. Absent where it has not been read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// When it ends. Absent where it has not been read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<String>,
    /// Why it cannot be used, where it cannot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// The command that mends it, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mend: Option<String>,
}

/// How a certificate stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CertificateState {
    /// It can be used.
    Valid,
    /// It can be used, and has less than fourteen days left, or than a quarter of its life where that is shorter.
    EndsSoon,
    /// It has ended.
    Ended,
    /// It or its key cannot be used.
    Unusable,
    /// It has not been read: it is in a store or a token that was not asked.
    Unknown,
}

/// `PUT /v1/certificates/{profile}/pin`: opens the PKCS#11 token that the profile's key is in, until everything is locked.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnterPin {
    /// The AWS config file of the caller, absolute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<String>,
    /// The PIN of the token's user.
    #[serde(serialize_with = "exposed")]
    pub pin: Secret,
}

/// `DELETE /v1/certificates/{profile}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForgottenCertificate {
    /// The profile.
    pub profile: String,
    /// Whether anything was kept.
    pub was_kept: bool,
}

fn exposed<S: Serializer>(secret: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose_secret())
}

#[expect(clippy::ref_option, reason = "the signature serde's `serialize_with` calls")]
fn exposed_if<S: Serializer>(secret: &Option<Secret>, serializer: S) -> Result<S::Ok, S::Error> {
    match secret {
        Some(secret) => exposed(secret, serializer),
        None => serializer.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn import() -> ImportCertificate {
        ImportCertificate {
            profile: "ci".into(),
            config: None,
            certificate: "-----BEGIN CERTIFICATE-----".into(),
            private_key: Secret::new("CANARY-key".into()),
            passphrase: Some(Secret::new("CANARY-passphrase".into())),
        }
    }

    #[test]
    fn e3_a_key_and_what_opens_it_are_never_printed() {
        let pin = EnterPin { config: None, pin: Secret::new("CANARY-pin".into()) };
        assert!(!format!("{:?} {:#?} {pin:?}", import(), import()).contains("CANARY"));
    }

    #[test]
    fn e3_twin_they_cross_the_socket_whole() {
        let back: ImportCertificate = serde_json::from_str(&serde_json::to_string(&import()).unwrap()).unwrap();
        assert_eq!(back.private_key.expose_secret(), "CANARY-key");
        assert_eq!(back.passphrase.unwrap().expose_secret(), "CANARY-passphrase");
        let without = ImportCertificate { passphrase: None, ..import() };
        assert!(!serde_json::to_string(&without).unwrap().contains("passphrase"));
    }
}
