//! The federation endpoint and the web console behind it: credentials become a sign-in token, the token a console session.
//!
//! What AWS documents is enforced; beyond that it is strict: a token is good once, and a browser that is signed in as somebody else
//! has to sign out first. The status of AWS's refusals is not documented; here it is 400 with a page.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use crate::call::{Answer, Call, Parameters};
use crate::clock::EpochMs;
use crate::issued::{IssuedCredentials, Ledger, Principal, PrincipalKind};
use crate::mint::{Mint, SecretKind};
use crate::operation::Endpoint;
use crate::partition::Partition;
use crate::reply::{Refusal, Reply, escape};
use crate::sts::AssumedRole;

/// How long a sign-in token is good for (IAM User Guide, "Enable custom identity broker access to the AWS console").
const TOKEN_LIFE_MS: i64 = 15 * 60 * 1000;
const DURATION: std::ops::RangeInclusive<i64> = 900..=43_200;
const COOKIE: &str = "console-session";

/// A person's browser signed in to the console.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConsoleSignIn {
    /// When, in milliseconds since the epoch.
    pub at_ms: EpochMs,
    /// As whom.
    pub principal: Principal,
    /// Which page was asked for.
    pub destination: String,
    /// The `Issuer` of the link.
    pub issuer: String,
    /// When the console session ends, in milliseconds since the epoch.
    pub until_ms: EpochMs,
}

#[derive(Debug)]
struct Token {
    principal: Principal,
    good_until: EpochMs,
    session_until: EpochMs,
    spent: bool,
}

/// Tokens handed out, and consoles signed in to.
#[derive(Debug, Default)]
pub(crate) struct Federation {
    tokens: BTreeMap<String, Token>,
    sessions: BTreeMap<String, ConsoleSignIn>,
    pub(crate) sign_ins: Vec<ConsoleSignIn>,
}

/// What a handler works on.
pub(crate) struct Gatehouse<'a> {
    pub(crate) federation: &'a mut Federation,
    pub(crate) ledger: &'a Ledger,
    pub(crate) assumed: &'a [AssumedRole],
    pub(crate) mint: &'a mut Mint,
    pub(crate) base_url: &'a str,
}

/// The credentials a token is asked for with; nothing else may be said.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Session {
    #[serde(rename = "sessionId")]
    id: String,
    #[serde(rename = "sessionKey")]
    key: String,
    #[serde(rename = "sessionToken")]
    token: String,
}

/// `Action=getSigninToken`.
pub(crate) fn get_signin_token(house: &mut Gatehouse<'_>, call: &Call) -> Answer {
    let parameters = parameters(call, &["Action", "Session", "SessionDuration", "SessionType"])?;
    let session: Session =
        serde_json::from_str(parameters.required("Session")?).map_err(|_| refused("Session is not valid"))?;
    let issued =
        known(house.ledger, &session, call.now).ok_or_else(|| refused("The credentials are not valid"))?.clone();
    if let Some(partition) = partition_of(&call.endpoint)
        && partition.arn_name() != issued.principal.partition
    {
        return Err(refused("The credentials are of another partition"));
    }
    // A role that an IAM user has assumed is not chained.
    let by_a_role = |caller: &str| !caller.contains(":user/");
    let chained =
        house.assumed.iter().any(|role| role.access_key_id == issued.access_key_id && by_a_role(&role.caller));
    let session_until = match parameters.get("SessionDuration").map(str::parse::<i64>) {
        None => issued.expires_ms,
        Some(_) if chained => return Err(refused("SessionDuration is not for credentials of role chaining")),
        Some(Ok(seconds)) if DURATION.contains(&seconds) => call.now + seconds * 1000,
        Some(_) => return Err(refused("SessionDuration is out of range")),
    };
    let value = house.mint.secret(SecretKind::SigninToken, 0);
    let good_until = call.now + TOKEN_LIFE_MS;
    let token = Token { principal: issued.principal, good_until, session_until, spent: false };
    house.federation.tokens.insert(value.clone(), token);
    Ok(Reply::json(200, &serde_json::json!({ "SigninToken": value })))
}

fn known<'a>(ledger: &'a Ledger, session: &Session, now: EpochMs) -> Option<&'a IssuedCredentials> {
    // A session of a user is not for the console (IAM User Guide, "Compare AWS STS credentials").
    let is_role = |issued: &&IssuedCredentials| issued.principal.kind == PrincipalKind::Role;
    let issued = ledger.get(&session.id).filter(|issued| now < issued.expires_ms).filter(is_role)?;
    let equal = |given: &str, kept: &str| bool::from(given.as_bytes().ct_eq(kept.as_bytes()));
    let fits = equal(&session.key, &issued.secret_access_key) & equal(&session.token, &issued.session_token);
    fits.then_some(issued)
}

/// `Action=login`: a browser follows the link.
pub(crate) fn login(house: &mut Gatehouse<'_>, call: &Call) -> Answer {
    let parameters = parameters(call, &["Action", "Issuer", "Destination", "SigninToken"])?;
    let destination = parameters.required("Destination")?.to_owned();
    if house.session_of(call).is_some() {
        return Err(refused("You must first log out before logging into a different AWS account."));
    }
    let token = house.federation.tokens.get_mut(parameters.required("SigninToken")?);
    let token = token.filter(|token| !token.spent && call.now < token.good_until);
    let token = token.ok_or_else(|| refused("The sign-in token is not valid"))?;
    if !is_console(&destination, &token.principal.partition) {
        return Err(refused("The destination is not valid"));
    }
    token.spent = true;
    let sign_in = ConsoleSignIn {
        at_ms: call.now,
        principal: token.principal.clone(),
        destination: destination.clone(),
        issuer: parameters.get("Issuer").unwrap_or_default().to_owned(),
        until_ms: token.session_until,
    };
    house.federation.sign_ins.push(sign_in.clone());
    let cookie = house.mint.secret(SecretKind::ConsoleSession, 0);
    house.federation.sessions.insert(cookie.clone(), sign_in);
    let cookie = format!("{COOKIE}={cookie}; Path=/; HttpOnly; SameSite=Lax");
    Ok(Reply::redirect(302, house.place(call, &destination)).with("set-cookie", cookie))
}

/// `/oauth?Action=logout`: signs out and goes on to the link that follows.
pub(crate) fn logout(house: &mut Gatehouse<'_>, call: &Call) -> Answer {
    let parameters = parameters(call, &["Action", "redirect_uri"])?;
    let next = parameters.required("redirect_uri")?;
    let own = format!("{}/federation?", house.base_url);
    let host = call.header("host").unwrap_or_default();
    if !next.starts_with(&own) && !next.starts_with(&format!("https://{host}/federation?")) {
        return Err(refused("The redirect_uri is not valid"));
    }
    if let Some(cookie) = cookie(call) {
        house.federation.sessions.remove(&cookie);
    }
    let gone = format!("{COOKIE}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax");
    Ok(Reply::redirect(302, next.to_owned()).with("set-cookie", gone))
}

/// Any page of the console.
pub(crate) fn page(house: &Gatehouse<'_>, call: &Call) -> Answer {
    let parameters = parameters(call, &["to"])?;
    let Some(session) = house.session_of(call) else {
        return Ok(Reply::html(200, html("Sign in", "<p>You are not signed in.</p>")));
    };
    let body = format!(
        "<p id=\"identity\">{}</p>\n<p id=\"place\">{}</p>",
        escape(&session.principal.arn),
        escape(parameters.get("to").unwrap_or_default())
    );
    Ok(Reply::html(200, html("Console Home", &body)))
}

impl Gatehouse<'_> {
    fn session_of(&self, call: &Call) -> Option<&ConsoleSignIn> {
        self.federation.sessions.get(&cookie(call)?).filter(|session| call.now < session.until_ms)
    }

    /// Every console is here when the federation endpoint is: nothing leaves this machine.
    fn place(&self, call: &Call, destination: &str) -> String {
        if call.endpoint != Endpoint::Loopback {
            return destination.to_owned();
        }
        let query = form_urlencoded::Serializer::new(String::new()).append_pair("to", destination).finish();
        format!("{}/console?{query}", self.base_url)
    }
}

/// The parameters of the query or of the form, of which only these may occur.
fn parameters(call: &Call, known: &[&str]) -> Result<Parameters, Refusal> {
    let read = if call.method == "GET" { Parameters::parse(call.query.as_bytes())? } else { call.form()? };
    if call.method == "POST" && !call.query.is_empty() {
        return Err(refused("The parameters are in the body or in the query, not in both"));
    }
    match read.0.keys().find(|name| !known.contains(&name.as_str())) {
        Some(stranger) => Err(refused(&format!("Unknown parameter: {stranger}"))),
        None => Ok(read),
    }
}

fn cookie(call: &Call) -> Option<String> {
    let cookies = call.header("cookie")?.split(';');
    let mut found = cookies.filter_map(|cookie| cookie.trim().split_once('=')).filter(|(name, _)| *name == COOKIE);
    found.next().map(|(_, value)| value.to_owned())
}

fn partition_of(endpoint: &Endpoint) -> Option<Partition> {
    endpoint.region().and_then(Partition::of_region)
}

/// Whether an address is one of this partition's console: https, its host or one below, nothing around the host.
fn is_console(address: &str, partition: &str) -> bool {
    let console = match partition {
        "aws" => "console.aws.amazon.com",
        "aws-cn" => "console.amazonaws.cn",
        "aws-us-gov" => "console.amazonaws-us-gov.com",
        "aws-eusc" => "console.amazonaws-eusc.eu",
        _ => return false,
    };
    let Some(rest) = address.strip_prefix("https://") else { return false };
    let host = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    let below = host.strip_suffix(console).and_then(|rest| rest.strip_suffix('.'));
    let label = |label: &str| !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    host == console || below.is_some_and(|below| below.split('.').all(label))
}

fn refused(message: &str) -> Refusal {
    Refusal::new(400, "BadRequest", message)
}

/// A page of AWS's, as far as a test needs one.
pub(crate) fn html(title: &str, body: &str) -> String {
    let title = escape(title);
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>{title} - AWS sandbox</title></head>\n<body>\n\
         <h1>{title}</h1>\n{body}\n</body>\n</html>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_console_is_its_partitions_own_host_or_one_below() {
        for (address, partition, is) in [
            ("https://console.aws.amazon.com/", "aws", true),
            ("https://eu-west-1.console.aws.amazon.com/s3/home?region=eu-west-1", "aws", true),
            ("https://console.amazonaws.cn/", "aws-cn", true),
            ("https://console.aws.amazon.com/", "aws-cn", false),
            ("https://console.aws.amazon.com.evil.example/", "aws", false),
            ("https://evil.example/.console.aws.amazon.com", "aws", false),
            ("https://a@console.aws.amazon.com/", "aws", false),
            ("https://evil.example\\.console.aws.amazon.com/", "aws", false),
            ("http://console.aws.amazon.com/", "aws", false),
            ("https://console.aws.amazon.com:1/", "aws", false),
            ("javascript:alert(1)", "aws", false),
        ] {
            assert_eq!(is_console(address, partition), is, "{address} {partition}");
        }
    }
}
