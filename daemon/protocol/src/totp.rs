//! Codes of MFA devices: giving one, and the seeds that make them.

use crate::Secret;
use serde::{Deserialize, Serialize, Serializer};

/// `POST /v1/sign-ins/{id}/code`. Neither equal nor cloned nor shown.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GiveCode {
    /// What the device shows: six digits.
    #[serde(serialize_with = "exposed")]
    pub code: Secret,
}

/// `POST /v1/totp-seeds`. Neither equal nor cloned nor shown.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddSeed {
    /// A profile that starts from an IAM user and names the device.
    pub profile: String,
    /// The AWS config file of the caller, absolute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<String>,
    /// An `otpauth://` URI, or the bare secret key in base 32.
    #[serde(serialize_with = "exposed")]
    pub uri: Secret,
}

/// `GET /v1/totp-seeds`: the MFA devices that profiles name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seeds {
    /// The devices, in the order of the file.
    pub devices: Vec<MfaDevice>,
}

/// An MFA device of an IAM user: the answer to `POST` and `DELETE /v1/totp-seeds`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MfaDevice {
    /// Its serial number; of a virtual device its ARN.
    pub serial: String,
    /// The ARN of the IAM user.
    pub user: String,
    /// A profile that names it.
    pub profile: String,
    /// Whether its seed is in the store; absent where the store cannot say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<bool>,
    /// `totp_command` of the profile's settings, its program alone, where codes come from one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
}

fn exposed<S: Serializer>(secret: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose_secret())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_seeds_never_show_themselves() {
        let code = GiveCode { code: Secret::new("123456".to_owned()) };
        let uri = Secret::new("otpauth://totp/x?secret=CANARY".to_owned());
        let seed = AddSeed { profile: "dev".to_owned(), config: None, uri };
        let shown = format!("{code:?} {seed:?}");
        assert!(!shown.contains("123456") && !shown.contains("CANARY"), "{shown}");
        assert_eq!(serde_json::to_string(&code).unwrap(), r#"{"code":"123456"}"#);
    }

    #[test]
    fn unknown_fields_of_a_request_are_refused() {
        assert!(serde_json::from_str::<GiveCode>(r#"{"code":"1","x":1}"#).is_err());
        assert!(serde_json::from_str::<AddSeed>(r#"{"profile":"p","url":"x"}"#).is_err());
    }
}
