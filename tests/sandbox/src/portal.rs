//! The SSO portal: accounts, roles, role credentials, logout.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::call::{Answer, Call, Parameters, invalid_request};
use crate::clock::{EpochMs, iso8601, millis};
use crate::issued::{IssuedCredentials, Ledger, Principal};
use crate::mint::Mint;
use crate::organization::{Organization, Role};
use crate::paging::{self, PageKey};
use crate::partition::Partition;
use crate::reply::{Refusal, Reply};
use crate::settings::{ExpirationForm, Settings};
use crate::sign_in::{SignIn, SignInId, SignIns};

/// What a portal handler works on.
pub(crate) struct Counter<'a> {
    pub(crate) sign_ins: &'a mut SignIns,
    pub(crate) ledger: &'a mut Ledger,
    pub(crate) mint: &'a mut Mint,
    pub(crate) page_key: &'a PageKey,
    pub(crate) settings: &'a Settings,
}

const HOUR_MS: i64 = 3_600_000;
/// 9999-12-31T23:59:59.999Z
const YEAR_9999_MS: i64 = 253_402_300_799_999;

/// GetRoleCredentials.
pub(crate) fn get_role_credentials(counter: &mut Counter<'_>, call: &Call) -> Answer {
    let (_, sign_in) = counter.bearer(call)?;
    let query = call.query_of(&["account_id", "role_name"])?;
    let (account, role_name) = (account_id(&query)?, query.required("role_name")?);
    let organization = counter.organization(&sign_in)?;
    let role = organization.assigned_role(&sign_in.user, account, role_name).ok_or_else(forbidden)?;
    let principal = principal(&sign_in, account, role);
    let lifetime = counter.settings.lifetimes.role_credentials.unwrap_or(role.session);
    let expires = call.now + millis(lifetime);
    let issued = match role.keys.clone() {
        Some(keys) => counter.ledger.hand_out(keys, expires, principal),
        None => counter.ledger.issue(counter.mint, counter.settings.session_token_length, expires, principal),
    };
    Ok(role_credentials(&issued, counter.settings.expiration, call.now))
}

fn role_credentials(issued: &IssuedCredentials, form: ExpirationForm, now: EpochMs) -> Reply {
    let mut credentials = json!({
        "accessKeyId": issued.access_key_id,
        "secretAccessKey": issued.secret_access_key,
        "sessionToken": issued.session_token,
    });
    let expiration: Option<Value> = match form {
        ExpirationForm::Honest => Some(issued.expires_ms.into()),
        ExpirationForm::Past => Some((now - HOUR_MS).into()),
        ExpirationForm::Seconds => Some((issued.expires_ms / 1000).into()),
        ExpirationForm::Text => Some(iso8601(issued.expires_ms).into()),
        ExpirationForm::FarFuture => Some(YEAR_9999_MS.into()),
        ExpirationForm::Zero => Some(0.into()),
        ExpirationForm::Missing => None,
    };
    if let Some(expiration) = expiration {
        credentials["expiration"] = expiration;
    }
    Reply::json(200, &json!({"roleCredentials": credentials}))
}

fn principal(sign_in: &SignIn, account: &str, role: &Role) -> Principal {
    let partition = Partition::of_region(&sign_in.region).unwrap_or(Partition::Aws).arn_name();
    let digest = Sha256::digest(format!("{account}/{}", role.name).as_bytes());
    let suffix: String = digest.iter().take(8).map(|b| format!("{b:02x}")).collect();
    let name = format!("AWSReservedSSO_{}_{suffix}", role.name);
    let mut principal = Principal::of_role(partition, account, "aws-reserved/sso.amazonaws.com/", &name, &sign_in.user);
    principal.denied.clone_from(&role.denied);
    principal
}

/// ListAccounts: those in which the user has at least one role.
pub(crate) fn list_accounts(counter: &mut Counter<'_>, call: &Call) -> Answer {
    let (id, sign_in) = counter.bearer(call)?;
    let query = call.query_of(&["next_token", "max_result"])?;
    let organization = counter.organization(&sign_in)?;
    let mine = organization.accounts.iter().filter(|account| account.roles_of(&sign_in.user).next().is_some());
    let (page, next) = counter.page(mine, &query, &format!("accounts/{id}"))?;
    let list: Vec<Value> = page
        .iter()
        .map(|account| json!({"accountId": account.id, "accountName": account.name, "emailAddress": account.email}))
        .collect();
    Ok(Reply::json(200, &json!({"accountList": list, "nextToken": next})))
}

/// ListAccountRoles.
pub(crate) fn list_account_roles(counter: &mut Counter<'_>, call: &Call) -> Answer {
    let (id, sign_in) = counter.bearer(call)?;
    let query = call.query_of(&["account_id", "next_token", "max_result"])?;
    let wanted = account_id(&query)?;
    let organization = counter.organization(&sign_in)?;
    let account = organization.accounts.iter().find(|account| account.id == wanted).ok_or_else(forbidden)?;
    let (page, next) = counter.page(account.roles_of(&sign_in.user), &query, &format!("roles/{id}/{wanted}"))?;
    let list: Vec<Value> = page.iter().map(|role| json!({"roleName": role.name, "accountId": wanted})).collect();
    Ok(Reply::json(200, &json!({"roleList": list, "nextToken": next})))
}

/// Logout: 200 without a body, and everything of the sign-in session is dead.
pub(crate) fn logout(counter: &mut Counter<'_>, call: &Call) -> Answer {
    let (id, _) = counter.bearer(call)?;
    counter.sign_ins.end(id);
    Ok(Reply::new(200, "application/json", ""))
}

impl<'a> Counter<'a> {
    /// The sign-in session whose access token the request bears, in the region it was made for.
    fn bearer(&self, call: &Call) -> Result<(SignInId, SignIn), Refusal> {
        let token = call.header("x-amz-sso_bearer_token").unwrap_or_default();
        let (id, sign_in) = self.sign_ins.bearer(token, call.now).ok_or_else(unauthorized)?;
        if call.endpoint.region().is_some_and(|region| region != sign_in.region) {
            return Err(unauthorized());
        }
        Ok((id, sign_in.clone()))
    }

    fn organization(&self, sign_in: &SignIn) -> Result<&'a Organization, Refusal> {
        self.settings.organization(&sign_in.start_url).ok_or_else(unauthorized)
    }

    fn page<T>(
        &self,
        items: impl Iterator<Item = T>,
        query: &Parameters,
        list: &str,
    ) -> Result<(Vec<T>, Option<String>), Refusal> {
        let size = match query.get("max_result") {
            None => self.settings.page_size,
            Some(text) => paging::size(text).ok_or_else(|| invalid_request("max_result must be 1 to 100"))?,
        };
        let start = match query.get("next_token") {
            None => 0,
            Some(token) => self.page_key.offset(token, list).ok_or_else(|| invalid_request("Invalid next_token"))?,
        };
        Ok(self.page_key.page(items, start, size, list))
    }
}

fn account_id(query: &Parameters) -> Result<&str, Refusal> {
    let id = query.required("account_id")?;
    if id.len() == 12 && id.bytes().all(|b| b.is_ascii_digit()) {
        return Ok(id);
    }
    Err(invalid_request("account_id must have 12 digits"))
}

fn unauthorized() -> Refusal {
    Refusal::new(401, "UnauthorizedException", "Session token not found or invalid")
}

fn forbidden() -> Refusal {
    Refusal::new(403, "ForbiddenException", "No access")
}
