//! IAM, the query protocol with XML answers: a user's access keys, every call signed. A global service: at its own hosts signatures are
//! for the one region of the partition (botocore's endpoint rule set). At an address of the client's own botocore signs for the
//! client's region, so there any region of the partition is taken.

mod access_keys;
mod service_credentials;
mod users;

pub(crate) use access_keys::{
    create_access_key, delete_access_key, get_access_key_last_used, list_access_keys, update_access_key,
};
pub(crate) use service_credentials::list_service_specific_credentials;
pub(crate) use users::get_user;

use crate::call::{Answer, Call, Parameters};
use crate::clock::{EpochMs, iso8601};
use crate::issued::{IssuedCredentials, Ledger, PrincipalKind};
use crate::mint::{Mint, uuid};
use crate::reply::{Refusal, Reply};
use crate::settings::Settings;
use crate::sigv4::{self, Keys};
use crate::users::{IamUser, UserError, Users};

/// The version of the API, which every request names.
pub(crate) const VERSION: &str = "2010-05-08";

/// What an IAM handler works on.
pub(crate) struct Clerk<'a> {
    pub(crate) ledger: &'a Ledger,
    pub(crate) mint: &'a mut Mint,
    pub(crate) users: &'a mut Users,
    pub(crate) settings: &'a Settings,
}

/// A request whose signature holds, by somebody whose policy allows it.
struct Allowed {
    parameters: Parameters,
    caller: IssuedCredentials,
}

impl Allowed {
    /// The ARN of the user a request is about: the one it names, in the caller's account, or else whose key signed it.
    fn user(&self, users: &Users) -> Result<String, Refusal> {
        let principal = &self.caller.principal;
        match self.parameters.get("UserName") {
            Some(name) => {
                let named = users.all().iter().find(|user| user.account() == principal.account && user.name() == name);
                let unknown = || no_such_entity(format!("The user with name {name} cannot be found."));
                named.map(|user| user.arn.clone()).ok_or_else(unknown)
            }
            None if principal.kind == PrincipalKind::Role => {
                Err(validation("Must specify userName when calling with non-User credentials"))
            }
            None => Ok(principal.arn.clone()),
        }
    }

    fn required(&self, name: &str) -> Result<&str, Refusal> {
        let missing = || validation(format!("1 validation error detected: {name} must not be null"));
        self.parameters.get(name).filter(|value| !value.is_empty()).ok_or_else(missing)
    }
}

fn allowed(clerk: &mut Clerk<'_>, call: &Call, known: &[&str]) -> Result<Allowed, Refusal> {
    let mut keys = Keys { ledger: clerk.ledger, users: clerk.users };
    let caller = sigv4::verify(call, &mut keys, "iam")?;
    let parameters = if call.method == "GET" { Parameters::parse(call.query.as_bytes()) } else { call.form() };
    let parameters = parameters.map_err(|refusal| Refusal::new(400, "MalformedQueryString", refusal.message))?;
    if !caller.may_call_iam() {
        return Err(invalid_token());
    }
    let action = parameters.get("Action").unwrap_or_default();
    if caller.principal.denied.contains(&format!("iam:{action}")) {
        let who = &caller.principal.arn;
        let reason = "because no identity-based policy allows the";
        return Err(denied(format!(
            "User: {who} is not authorized to perform: iam:{action} {reason} iam:{action} action"
        )));
    }
    let is_known = |name: &str| ["Action", "Version"].contains(&name) || known.contains(&name);
    match parameters.0.keys().find(|name| !is_known(name)) {
        Some(stranger) => Err(validation(format!("Unknown parameter: {stranger}"))),
        None => Ok(Allowed { parameters, caller }),
    }
}

/// An action this double does not have.
pub(crate) fn unknown_action(clerk: &mut Clerk<'_>, call: &Call) -> Answer {
    let mut keys = Keys { ledger: clerk.ledger, users: clerk.users };
    sigv4::verify(call, &mut keys, "iam")?;
    Err(Refusal::new(400, "InvalidAction", format!("Could not find operation for version {VERSION}")))
}

fn user<'a>(users: &'a Users, arn: &str) -> Result<&'a IamUser, Refusal> {
    let unknown = || no_such_entity(format!("The user with ARN {arn} cannot be found."));
    users.all().iter().find(|user| user.arn == arn).ok_or_else(unknown)
}

/// A user's trouble as IAM says it (IAM API reference, the errors of each action).
fn refusal(error: &UserError) -> Refusal {
    match error {
        UserError::NotAnArn(_) => validation(error.to_string()),
        UserError::Exists(_) => Refusal::new(409, "EntityAlreadyExists", error.to_string()),
        UserError::Unknown(_) => no_such_entity(error.to_string()),
        UserError::Quota(_) => Refusal::new(409, "LimitExceeded", error.to_string()),
    }
}

fn no_such_entity(message: String) -> Refusal {
    Refusal::new(404, "NoSuchEntity", message)
}

fn validation(message: impl Into<String>) -> Refusal {
    Refusal::new(400, "ValidationError", message)
}

fn denied(message: String) -> Refusal {
    Refusal::new(403, "AccessDenied", message)
}

/// What IAM says to a session of GetSessionToken without MFA.
fn invalid_token() -> Refusal {
    Refusal::new(403, "InvalidClientTokenId", "The security token included in the request is invalid")
}

/// A moment as IAM writes it: whole seconds.
fn moment(at: EpochMs) -> String {
    iso8601(at / 1000 * 1000)
}

fn answer(action: &str, result: Option<&str>) -> Reply {
    let request_id = uuid();
    let result = result.map(|result| format!("<{action}Result>{result}</{action}Result>")).unwrap_or_default();
    let body = format!(
        "<{action}Response xmlns=\"https://iam.amazonaws.com/doc/{VERSION}/\">{result}\
         <ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{action}Response>\n"
    );
    Reply::new(200, "text/xml", body).with("x-amzn-requestid", request_id)
}
