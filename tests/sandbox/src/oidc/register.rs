//! RegisterClient, and the check every later request of the client passes.

use serde::Deserialize;
use serde_json::json;
use subtle::ConstantTimeEq;

use super::{AUTHORIZATION_CODE, DEVICE_CODE, Desk, REFRESH_TOKEN, is_past, redirect, refuse};
use crate::call::{Answer, Call, invalid_request};
use crate::clock::{EpochMs, millis};
use crate::mint::{SecretKind, letters};
use crate::reply::{Refusal, Reply};

/// A registered public client.
#[derive(Debug, Clone)]
pub(crate) struct Registration {
    secret: String,
    pub(super) scopes: Vec<String>,
    pub(super) redirect_uris: Vec<String>,
    grant_types: Vec<String>,
    pub(super) issuer_url: Option<String>,
    region: Option<String>,
    expires: EpochMs,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Request {
    client_name: String,
    client_type: String,
    #[serde(default)]
    scopes: Vec<String>,
    #[serde(default)]
    redirect_uris: Vec<String>,
    grant_types: Option<Vec<String>>,
    issuer_url: Option<String>,
    entitled_application_arn: Option<String>,
}

/// RegisterClient.
pub(crate) fn register_client(desk: &mut Desk<'_>, call: &Call) -> Answer {
    let request: Request = call.json()?;
    check(desk, &request, call)?;
    let issued = call.now / 1000;
    let expires = issued * 1000 + millis(desk.settings.lifetimes.registration);
    let client_id = letters(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", 32);
    let secret = desk.mint.secret(SecretKind::ClientSecret, 0);
    let answer = json!({
        "clientId": client_id,
        "clientSecret": secret,
        "clientIdIssuedAt": issued,
        "clientSecretExpiresAt": expires / 1000,
    });
    desk.oidc.registrations.insert(
        client_id,
        Registration {
            secret,
            scopes: request.scopes,
            redirect_uris: request.redirect_uris,
            grant_types: request.grant_types.unwrap_or_else(|| vec![DEVICE_CODE.to_owned(), REFRESH_TOKEN.to_owned()]),
            issuer_url: request.issuer_url,
            region: call.endpoint.region().map(str::to_owned),
            expires,
        },
    );
    Ok(Reply::json(200, &answer))
}

fn check(desk: &Desk<'_>, request: &Request, call: &Call) -> Result<(), Refusal> {
    if request.client_name.is_empty() || request.client_name.len() > 256 {
        return Err(invalid_request("clientName must have 1 to 256 characters"));
    }
    if request.client_type != "public" {
        return Err(refuse("InvalidClientMetadataException", "clientType must be public"));
    }
    if !request.scopes.iter().all(|scope| is_scope(scope)) {
        return Err(refuse("InvalidScopeException", "Invalid scope"));
    }
    if !request.redirect_uris.iter().all(|uri| redirect::may_be_registered(uri)) {
        return Err(refuse("InvalidRedirectUriException", "Invalid redirect URI"));
    }
    if request.entitled_application_arn.as_deref().is_some_and(|arn| !arn.starts_with("arn:")) {
        return Err(invalid_request("entitledApplicationArn is not an ARN"));
    }
    if request.issuer_url.as_deref().is_some_and(|issuer| !desk.knows(issuer, call)) {
        return Err(invalid_request("Unknown issuerUrl"));
    }
    check_grant_types(request)
}

fn check_grant_types(request: &Request) -> Result<(), Refusal> {
    let grant_types = request.grant_types.as_deref().unwrap_or_default();
    if request.grant_types.is_some() && grant_types.is_empty() {
        return Err(invalid_request("grantTypes must not be empty"));
    }
    let known = [DEVICE_CODE, AUTHORIZATION_CODE, REFRESH_TOKEN];
    if !grant_types.iter().all(|grant| known.contains(&grant.as_str())) {
        return Err(refuse("UnsupportedGrantTypeException", "Unsupported grant type"));
    }
    let by_browser = grant_types.iter().any(|grant| grant == AUTHORIZATION_CODE);
    if by_browser && (request.redirect_uris.is_empty() || request.issuer_url.is_none()) {
        return Err(invalid_request("authorization_code needs redirectUris and issuerUrl"));
    }
    Ok(())
}

fn is_scope(scope: &str) -> bool {
    let legal = |b: u8| b.is_ascii_alphanumeric() || b"_:./-".contains(&b);
    !scope.is_empty() && scope.len() <= 256 && scope.bytes().all(legal)
}

impl Registration {
    pub(super) fn may_use(&self, grant_type: &str) -> bool {
        self.grant_types.iter().any(|registered| registered == grant_type)
    }

    /// Whether its sign-ins may be renewed: scopes were registered, and so was the grant.
    pub(super) fn is_refreshable(&self) -> bool {
        !self.scopes.is_empty() && self.may_use(REFRESH_TOKEN)
    }

    fn is_known_at(&self, call: &Call) -> bool {
        let same_region = match (&self.region, call.endpoint.region()) {
            (Some(registered), Some(called)) => registered == called,
            _ => true,
        };
        same_region && !is_past(self.expires, call.now)
    }
}

impl Desk<'_> {
    /// The live registration with this id; its secret is not asked for.
    pub(super) fn client(&self, client_id: &str, call: &Call) -> Result<Registration, Refusal> {
        let found = self.oidc.registrations.get(client_id).filter(|found| found.is_known_at(call));
        found.cloned().ok_or_else(|| refuse("InvalidClientException", "Client is unknown or its registration expired"))
    }

    /// The live registration with this id and this secret.
    pub(super) fn authenticated(&self, client_id: &str, secret: &str, call: &Call) -> Result<Registration, Refusal> {
        let found = self.client(client_id, call)?;
        if bool::from(found.secret.as_bytes().ct_eq(secret.as_bytes())) {
            return Ok(found);
        }
        Err(refuse("InvalidClientException", "Client secret does not match"))
    }
}
