//! STS, the query protocol with XML answers: GetCallerIdentity, AssumeRole and GetSessionToken, every call signed, and
//! AssumeRoleWithWebIdentity, which is not.

mod assume_role;
mod limits;
mod mfa;
mod role;
mod session_token;
mod web_identity;

pub use assume_role::AssumedRole;
pub(crate) use assume_role::assume_role;
pub use role::{IamRole, Trust};
pub use session_token::UserSession;
pub(crate) use session_token::get_session_token;
pub(crate) use web_identity::assume_role_with_web_identity;
pub use web_identity::{RoleForToken, TrustedTokens};

use crate::call::{Answer, Call, Parameters};
use crate::clock::iso8601;
use crate::identity_provider::SigningKeys;
use crate::issued::{IssuedCredentials, Ledger, PrincipalKind};
use crate::mint::{Mint, uuid};
use crate::reply::{Refusal, Reply, escape};
use crate::settings::Settings;
use crate::sigv4::{self, Keys};
use crate::users::Users;

const VERSION: &str = "2011-06-15";

/// What an STS handler works on.
pub(crate) struct Bench<'a> {
    pub(crate) ledger: &'a mut Ledger,
    pub(crate) mint: &'a mut Mint,
    pub(crate) users: &'a mut Users,
    pub(crate) assumed: &'a mut Vec<AssumedRole>,
    pub(crate) user_sessions: &'a mut Vec<UserSession>,
    pub(crate) for_tokens: &'a mut Vec<RoleForToken>,
    pub(crate) keys: &'a SigningKeys,
    pub(crate) settings: &'a Settings,
}

/// A request whose signature holds.
struct Signed {
    parameters: Parameters,
    caller: IssuedCredentials,
    region: String,
}

fn signed(bench: &mut Bench<'_>, call: &Call) -> Result<Signed, Refusal> {
    let mut keys = Keys { ledger: bench.ledger, users: bench.users };
    let caller = sigv4::verify(call, &mut keys, "sts")?;
    let parameters = parameters(call)?;
    Ok(Signed { parameters, caller, region: sigv4::region(call).unwrap_or_default().to_owned() })
}

fn parameters(call: &Call) -> Result<Parameters, Refusal> {
    let read = if call.method == "GET" { Parameters::parse(call.query.as_bytes()) } else { call.form() };
    let parameters = read.map_err(|refusal| Refusal::new(400, "MalformedQueryString", refusal.message))?;
    if parameters.get("Version") == Some(VERSION) {
        return Ok(parameters);
    }
    let action = parameters.get("Action").unwrap_or_default();
    let version = parameters.get("Version").unwrap_or_default();
    Err(Refusal::new(400, "InvalidAction", format!("Could not find operation {action} for version {version}")))
}

/// GetCallerIdentity.
pub(crate) fn get_caller_identity(bench: &mut Bench<'_>, call: &Call) -> Answer {
    let Signed { caller, .. } = signed(bench, call)?;
    let principal = &caller.principal;
    let result = format!(
        "<Arn>{}</Arn><UserId>{}</UserId><Account>{}</Account>",
        escape(&principal.arn),
        escape(&principal.user_id),
        principal.account
    );
    Ok(answer("GetCallerIdentity", &result))
}

/// An action this double does not have. A session of a user is refused before: it may call what this double has, and no more.
pub(crate) fn unknown_action(bench: &mut Bench<'_>, call: &Call) -> Answer {
    let Signed { parameters, caller, .. } = signed(bench, call)?;
    let action = parameters.get("Action").unwrap_or_default();
    if caller.principal.kind != PrincipalKind::Role && !caller.is_long_term() {
        return Err(Refusal::new(403, "AccessDenied", format!("Cannot call {action} with session credentials")));
    }
    Err(Refusal::new(400, "InvalidAction", format!("Could not find operation {action} for version {VERSION}")))
}

fn credentials(issued: &IssuedCredentials) -> String {
    format!(
        "<Credentials><AccessKeyId>{}</AccessKeyId><SecretAccessKey>{}</SecretAccessKey>\
         <SessionToken>{}</SessionToken><Expiration>{}</Expiration></Credentials>",
        issued.access_key_id,
        issued.secret_access_key,
        issued.session_token,
        iso8601(issued.expires_ms),
    )
}

fn answer(action: &str, result: &str) -> Reply {
    let request_id = uuid();
    let body = format!(
        "<{action}Response xmlns=\"https://sts.amazonaws.com/doc/{VERSION}/\"><{action}Result>{result}</{action}Result>\
         <ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{action}Response>\n"
    );
    Reply::new(200, "text/xml", body).with("x-amzn-requestid", request_id)
}
