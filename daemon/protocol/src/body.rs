//! Request and response bodies. Times are RFC 3339 in UTC with whole seconds, durations are seconds.

use crate::{ErrorBody, Secret};
use serde::{Deserialize, Serialize, ser::SerializeStruct};

/// How a person is asked to sign in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignInFlow {
    /// Authorization code with PKCE: a page in a browser on this machine (RFC 7636, RFC 8252).
    #[default]
    Pkce,
    /// Device code: a page in any browser, the code compared by the person (RFC 8628).
    DeviceCode,
    /// A sign-in to the console (`aws login`), with a browser on this machine.
    Console,
    /// The same with a browser elsewhere, whose page shows a text that the person carries over.
    ConsoleRemote,
    /// A code of an MFA device, for a profile that starts from an IAM user. It is the daemon that says so, whatever was asked for.
    MfaCode,
}

impl SignInFlow {
    /// Whether it signs in to the console and not to IAM Identity Center.
    #[must_use]
    pub fn is_console(self) -> bool {
        matches!(self, Self::Console | Self::ConsoleRemote)
    }
}

/// `POST /v1/sign-ins`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BeginSignIn {
    /// A sign-in session, a profile that uses one, or a start URL. Absent: the only one there is. With a console flow: the profile to sign
    /// in for, which need not be there yet. A profile that starts from a console login is signed in for by that one's flow, whichever is
    /// asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// The AWS config file of the caller, absolute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<String>,
    /// The flow to use.
    #[serde(default)]
    pub flow: SignInFlow,
    /// With a console flow: the region to sign in to. Absent: the profile's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
}

/// `PUT /v1/sign-ins/{id}/code`: the text that AWS's page shows.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CarriedCode {
    /// The text, at most [`crate::MAX_CARRIED_CODE`] bytes.
    pub text: Secret,
}

/// Written by the command line alone.
impl Serialize for CarriedCode {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut json = serializer.serialize_struct("CarriedCode", 1)?;
        json.serialize_field("text", self.text.expose_secret())?;
        json.end()
    }
}

/// A sign-in as it stands: the answer to `POST /v1/sign-ins` and `GET /v1/sign-ins/{id}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignIn {
    /// Names this sign-in in later requests.
    pub id: String,
    /// The sign-in session it is for; with a console flow or a code of an MFA device the profile.
    pub session: String,
    /// The start URL of the organisation, to be shown to the person; with a console flow the address of AWS Sign-In. Absent where there
    /// is none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub start_url: String,
    /// The flow in use.
    pub flow: SignInFlow,
    /// The page to open. With a device code: the page without the code. Absent where there is none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub url: String,
    /// The MFA device a code of which is wanted now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// Why the last code was not taken, or none could be had without a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said: Option<String>,
    /// Device code only: the page with the code filled in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url_with_code: Option<String>,
    /// Device code only: the code the page must show.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_code: Option<String>,
    /// When it is given up.
    pub expires_at: String,
    /// How it stands.
    #[serde(flatten)]
    pub state: SignInState,
}

/// How a sign-in stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum SignInState {
    /// The person has not finished.
    Pending,
    /// Signed in; tokens are in the store.
    Done {
        /// With a console flow: the ARN of who signed in.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        identity: Option<String>,
    },
    /// It ended without tokens.
    Failed {
        /// Why.
        error: ErrorBody,
    },
}

/// One sign-in session in `GET /v1/sessions` and `GET /v1/status`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// The `[sso-session]` name, or the start URL's host for a profile that has no section.
    pub name: String,
    /// The organisation's start URL.
    pub start_url: String,
    /// The region of its IAM Identity Center.
    pub region: String,
    /// How it stands.
    pub state: SessionState,
    /// When the access token ends, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// Whether it is renewed without a person.
    pub renewable: bool,
    /// The last failure of a renewal, if it has not succeeded since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
}

/// Whoever signed in to the console, in `GET /v1/status`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsoleIdentity {
    /// Who.
    pub arn: String,
    /// A profile that starts as this identity, for which `tegata login --console` signs in; absent where the configuration has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// The region of the sign-in, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// How it stands.
    pub state: SessionState,
    /// When AWS asks for a new sign-in; until then it is renewed without a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// Why it ended, or the last failure of a renewal, if it has not succeeded since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
}

/// The session of an IAM user behind an MFA device, in `GET /v1/status`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceSession {
    /// The device: its serial number; of a virtual one its ARN.
    pub device: String,
    /// The ARN of the IAM user.
    pub user: String,
    /// A profile that names it.
    pub profile: String,
    /// When the session ends, if one is alive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// Whether a person has to give a code before there is one. Absent where the store cannot say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wants_code: Option<bool>,
}

/// How a sign-in session stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionState {
    /// Signed in.
    SignedIn,
    /// Was signed in; a person has to sign in again.
    Ended,
    /// Never signed in here, or signed out.
    SignedOut,
    /// The store cannot say.
    Unknown,
}

/// A page of `GET /v1/profiles`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profiles {
    /// The profiles, in the order of the file.
    pub profiles: Vec<Profile>,
    /// What to send as `page` for the rest, if there is any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_page: Option<String>,
    /// What is odd about the file, one line each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// One profile in `GET /v1/profiles`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// Its name.
    pub name: String,
    /// The sign-in session it starts from, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// What kind of source it starts from: `sign-in`, `console`, `web-identity`, `roles-anywhere`, `iam-user`, `ec2-instance` or
    /// `ecs-container`. Absent where it cannot be served.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The account it reaches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_id: Option<String>,
    /// The role it reaches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// When the credentials in memory end, if there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// Why it cannot be served, where it cannot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// What stands between malware running as the user and this profile. Absent where the profile has no gate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<String>,
    /// `open`, `gated`, `proposed` or `denied`, as in [`crate::gate::Explanation::gate`]. Absent where it cannot be served.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate: Option<String>,
    /// When the certificate it starts from ends. Absent where it starts from none, or that has not been read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate_ends_at: Option<String>,
    /// The profile that reads the same account and changes nothing: the one `tegata_read_only` names, else the one for the same
    /// sign-in session and account with a permission set for reading. Absent where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_only: Option<String>,
}

/// `GET /v1/profiles/{name}`: how a profile stands for the caller, as far as the daemon knows without asking AWS or the store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfileState {
    /// Its name.
    pub name: String,
    /// The region its section names, if it names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// When the credentials in memory end, if there are any. Credentials under a grant are not among them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// As [`Profile::gate`]. Absent also where the daemon has had no cause yet to read what decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate: Option<String>,
    /// When the caller's grant for it ends, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elevated_until: Option<String>,
    /// The PKCS#11 token that its key is in, if it is in one: `tegata login` asks for the token's PIN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pin_for: Option<String>,
    /// The sign-in session it starts from, or the ARN of who signs in to the console for it, if a person has to sign in again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sign_in_needed: Option<String>,
    /// The MFA device a code of which a person has to give before there are credentials again, as far as memory tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_for: Option<String>,
    /// Whether everything is locked.
    pub locked: bool,
}

/// `GET /v1/start-url`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartUrl {
    /// The start URL, at one of AWS's own access portals.
    pub start_url: String,
}

/// `GET /v1/status`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The daemon's version.
    pub version: String,
    /// The daemon's process id.
    pub pid: u32,
    /// When it started.
    pub started_at: String,
    /// Whether everything is locked.
    pub locked: bool,
    /// The store in use and how it stands.
    pub store: Store,
    /// The sign-in sessions.
    pub sessions: Vec<Session>,
    /// Whoever signed in to the console, or is to, as profiles name them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub identities: Vec<ConsoleIdentity>,
    /// The MFA devices that profiles name, and the sessions behind them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub devices: Vec<DeviceSession>,
    /// The certificates of profiles that start from one, without asking the store or a token.
    #[serde(default)]
    pub certificates: Vec<crate::certificates::Certificate>,
    /// Credentials in memory.
    pub cached_credentials: usize,
    /// The live grants.
    #[serde(default)]
    pub grants: Vec<crate::gate::Grant>,
    /// What waits for a hand.
    #[serde(default)]
    pub requests: Vec<crate::gate::HandRequest>,
    /// The review items that are open.
    #[serde(default)]
    pub reviews: Vec<crate::gate::Review>,
    /// How many passkeys are enrolled; absent where the store cannot say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passkeys: Option<usize>,
    /// Seconds this machine's clock is ahead of AWS (negative: behind), as the last answer's Date header told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_skew_seconds: Option<i64>,
    /// What a person should know, one line each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// Where secrets are kept, and how that stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Store {
    /// `secret-service`, `keyutils`, `file` or `memory`.
    pub kind: String,
    /// Whether it answers.
    pub state: StoreState,
    /// The last error, if it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// How the store stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StoreState {
    /// It answers.
    Ready,
    /// It is locked and waits for the person.
    Locked,
    /// It denies access or is not there.
    Unavailable,
}

/// `GET`, `PUT` and `DELETE /v1/lock`. Where a passkey is enrolled, `DELETE` answers 202 with a [`crate::gate::HandRequest`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lock {
    /// Whether everything is locked.
    pub locked: bool,
}

/// `DELETE /v1/sessions/{name}`: what signing out did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedOut {
    /// The sign-in session, or the ARN of who signed in to the console or of the IAM user.
    pub session: String,
    /// Whether AWS confirmed that the tokens are dead. Role credentials already handed out live on until they expire:
    /// AWS has no call that ends them (SSO portal API, `Logout`).
    pub revoked_upstream: bool,
    /// Why AWS did not confirm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// The `credential_process` JSON, version 1 (AWS SDKs and Tools Reference Guide, "Process credential provider").
#[derive(Debug)]
pub struct ProcessCredentials<'a> {
    /// `AccessKeyId`.
    pub access_key_id: &'a str,
    /// `SecretAccessKey`.
    pub secret_access_key: &'a Secret,
    /// `SessionToken`; absent for an IAM user's access keys.
    pub session_token: Option<&'a Secret>,
    /// `Expiration`, exactly `YYYY-MM-DDTHH:MM:SSZ`: the one form every SDK parses.
    pub expiration: &'a str,
    /// `AccountId`, read by botocore, JS, Rust, Java and C++.
    pub account_id: Option<&'a str>,
}

impl Serialize for ProcessCredentials<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut json = serializer.serialize_struct("ProcessCredentials", 6)?;
        json.serialize_field("Version", &1)?;
        json.serialize_field("AccessKeyId", self.access_key_id)?;
        json.serialize_field("SecretAccessKey", self.secret_access_key.expose_secret())?;
        if let Some(session_token) = self.session_token {
            json.serialize_field("SessionToken", session_token.expose_secret())?;
        }
        json.serialize_field("Expiration", self.expiration)?;
        if let Some(account_id) = self.account_id {
            json.serialize_field("AccountId", account_id)?;
        }
        json.end()
    }
}

/// The JSON of the container credentials endpoint (AWS SDKs and Tools Reference Guide, "Container credential provider"); all but
/// `AccountId` have to be there, so access keys without a session token are nothing that an SDK would take from it.
#[derive(Debug)]
pub struct ContainerCredentials<'a>(pub ProcessCredentials<'a>);

impl Serialize for ContainerCredentials<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(credentials) = self;
        let mut json = serializer.serialize_struct("ContainerCredentials", 5)?;
        json.serialize_field("AccessKeyId", credentials.access_key_id)?;
        json.serialize_field("SecretAccessKey", credentials.secret_access_key.expose_secret())?;
        if let Some(session_token) = credentials.session_token {
            json.serialize_field("Token", session_token.expose_secret())?;
        }
        json.serialize_field("Expiration", credentials.expiration)?;
        if let Some(account_id) = credentials.account_id {
            json.serialize_field("AccountId", account_id)?;
        }
        json.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorCode;

    #[test]
    fn process_credentials_have_the_names_every_sdk_reads() {
        let (secret, token) = (Secret::new("sk".into()), Secret::new("st".into()));
        let credentials = ProcessCredentials {
            access_key_id: "ASIAX",
            secret_access_key: &secret,
            session_token: Some(&token),
            expiration: "2026-11-22T09:07:58Z",
            account_id: Some("123456789012"),
        };
        assert_eq!(
            serde_json::to_string(&credentials).unwrap(),
            r#"{"Version":1,"AccessKeyId":"ASIAX","SecretAccessKey":"sk","SessionToken":"st","Expiration":"2026-11-22T09:07:58Z","AccountId":"123456789012"}"#
        );
        assert!(!format!("{credentials:?}").contains("sk\""));
        let key = ProcessCredentials { session_token: None, account_id: None, ..credentials };
        assert_eq!(
            serde_json::to_string(&key).unwrap(),
            r#"{"Version":1,"AccessKeyId":"ASIAX","SecretAccessKey":"sk","Expiration":"2026-11-22T09:07:58Z"}"#
        );
        assert_eq!(
            serde_json::to_string(&ContainerCredentials(credentials)).unwrap(),
            r#"{"AccessKeyId":"ASIAX","SecretAccessKey":"sk","Token":"st","Expiration":"2026-11-22T09:07:58Z","AccountId":"123456789012"}"#
        );
    }

    #[test]
    fn a_failed_sign_in_carries_its_error_beside_the_state() {
        let failed = SignInState::Failed { error: ErrorBody::new(ErrorCode::SignInFailed, "refused") };
        let json = serde_json::to_string(&failed).unwrap();
        assert_eq!(json, r#"{"state":"failed","error":{"code":"sign_in_failed","message":"refused"}}"#);
    }

    #[test]
    fn unknown_fields_of_a_request_are_refused() {
        assert!(serde_json::from_str::<BeginSignIn>(r#"{"sesion":"corp"}"#).is_err());
        assert!(serde_json::from_str::<BeginSignIn>(r#"{"session":"corp"}"#).is_ok());
    }
}
