//! Verifies AWS Signature Version 4 from the received bytes (AWS General Reference, "Create a signed AWS API request"):
//! the canonical request is rebuilt here, nothing of it is taken from the client's word.

use std::fmt::Write;

use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::call::Call;
use crate::clock::{EpochMs, amz_date, parse_amz_date};
use crate::issued::{IssuedCredentials, Ledger};
use crate::partition::Partition;
use crate::reply::Refusal;
use crate::users::Users;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const SKEW_MS: i64 = 15 * 60 * 1000;
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
const PATH: &AsciiSet = &UNRESERVED.remove(b'/');

/// The `Authorization` header, taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Authorization<'a> {
    pub(crate) access_key_id: &'a str,
    pub(crate) scope: Scope<'a>,
    pub(crate) signed_headers: Vec<&'a str>,
    pub(crate) signature: &'a str,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Scope<'a> {
    pub(crate) date: &'a str,
    pub(crate) region: &'a str,
    pub(crate) service: &'a str,
}

/// Whose keys there are.
pub(crate) struct Keys<'a> {
    pub(crate) ledger: &'a Ledger,
    pub(crate) users: &'a mut Users,
}

/// The credentials a request to this service (its name in signatures) was signed with, after every check of protocol and
/// time. The use of a long-term key is noted.
pub(crate) fn verify(call: &Call, keys: &mut Keys<'_>, service: &str) -> Result<IssuedCredentials, Refusal> {
    let header = call.header("authorization").ok_or_else(missing_token)?;
    let authorization = parse(header, ALGORITHM).ok_or_else(|| incomplete("Authorization header is malformed"))?;
    let date = call.header("x-amz-date").ok_or_else(|| incomplete("Authorization header requires x-amz-date"))?;
    let signed_at = parse_amz_date(date).ok_or_else(|| incomplete("x-amz-date is not a date"))?;
    check_signed_headers(call, &authorization)?;
    let issued = keys.of(authorization.access_key_id, call.now).ok_or_else(invalid_token)?;
    check_scope(call, &authorization.scope, service, date, &issued)?;
    check_session_token(call, &issued)?;
    check_signature(call, &authorization, date, &issued)?;
    check_skew(signed_at, call.now)?;
    if call.now >= issued.expires_ms {
        return Err(Refusal::new(403, "ExpiredToken", "The security token included in the request is expired"));
    }
    keys.users.used(&issued.access_key_id, service, authorization.scope.region, call.now);
    Ok(issued)
}

impl Keys<'_> {
    /// An active key of a user that AWS knows by now; or a session.
    fn of(&self, access_key_id: &str, now: EpochMs) -> Option<IssuedCredentials> {
        if let Some((user, key)) = self.users.by_key(access_key_id) {
            return (key.active && now >= key.works_from_ms).then(|| IssuedCredentials::of_key(user, key));
        }
        self.ledger.get(access_key_id).cloned()
    }
}

/// The region a request says it was signed for.
pub(crate) fn region(call: &Call) -> Option<&str> {
    Some(parse(call.header("authorization")?, ALGORITHM)?.scope.region)
}

/// An `Authorization` header of this algorithm.
pub(crate) fn parse<'a>(header: &'a str, algorithm: &str) -> Option<Authorization<'a>> {
    let mut credential = None;
    let mut signed_headers = None;
    let mut signature = None;
    for part in header.strip_prefix(algorithm)?.strip_prefix(' ')?.split(',') {
        let (name, value) = part.trim().split_once('=')?;
        let slot = match name {
            "Credential" => &mut credential,
            "SignedHeaders" => &mut signed_headers,
            "Signature" => &mut signature,
            _ => return None,
        };
        if slot.replace(value).is_some() {
            return None;
        }
    }
    let fields: Vec<&str> = credential?.split('/').collect();
    let [access_key_id, date, region, service, "aws4_request"] = fields[..] else { return None };
    let scope = Scope { date, region, service };
    Some(Authorization {
        access_key_id,
        scope,
        signed_headers: signed_headers?.split(';').collect(),
        signature: signature?,
    })
}

/// `host` and every `x-amz-*` header that came must be signed; the list is sorted, lower case, without repetition.
fn check_signed_headers(call: &Call, authorization: &Authorization<'_>) -> Result<(), Refusal> {
    let signed = &authorization.signed_headers;
    let in_order = signed.windows(2).all(|pair| pair[0] < pair[1]);
    let lower = signed.iter().all(|name| !name.bytes().any(|b| b.is_ascii_uppercase()));
    if !in_order || !lower || !signed.contains(&"host") {
        return Err(incomplete("SignedHeaders must be sorted, lower case, and name host"));
    }
    let unsigned = call.headers.keys().find(|name| {
        let name = name.as_str();
        name.starts_with("x-amz-") && !signed.contains(&name)
    });
    match unsigned {
        Some(name) => Err(mismatch(format!("There were headers present in the request which were not signed: {name}"))),
        None => Ok(()),
    }
}

fn check_scope(
    call: &Call,
    scope: &Scope<'_>,
    service: &str,
    date: &str,
    issued: &IssuedCredentials,
) -> Result<(), Refusal> {
    if scope.service != service {
        return Err(mismatch(format!("Credential should be scoped to correct service: '{service}'.")));
    }
    let partition = Partition::of_region(scope.region);
    let right_region = call.endpoint.region().is_none_or(|region| region == scope.region);
    let Some(partition) = partition.filter(|_| right_region) else {
        return Err(mismatch("Credential should be scoped to a valid region."));
    };
    if partition.arn_name() != issued.principal.partition {
        return Err(invalid_token());
    }
    if scope.date != date.get(..8).unwrap_or_default() {
        return Err(mismatch(format!(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date: {date}"
        )));
    }
    Ok(())
}

fn check_session_token(call: &Call, issued: &IssuedCredentials) -> Result<(), Refusal> {
    let token = call.header("x-amz-security-token").unwrap_or_default();
    if bool::from(token.as_bytes().ct_eq(issued.session_token.as_bytes())) { Ok(()) } else { Err(invalid_token()) }
}

fn check_signature(
    call: &Call,
    authorization: &Authorization<'_>,
    date: &str,
    issued: &IssuedCredentials,
) -> Result<(), Refusal> {
    let request = canonical_request(call, &authorization.signed_headers)
        .ok_or_else(|| incomplete("A header named in SignedHeaders is not in the request"))?;
    let Scope { date: day, region, service } = authorization.scope;
    let scope = format!("{day}/{region}/{service}/aws4_request");
    let text = format!("{ALGORITHM}\n{date}\n{scope}\n{}", hex(&Sha256::digest(request.as_bytes())));
    let mut key = mac(format!("AWS4{}", issued.secret_access_key).as_bytes(), day);
    for part in [region, service, "aws4_request", text.as_str()] {
        key = mac(&key, part);
    }
    if bool::from(hex(&key).as_bytes().ct_eq(authorization.signature.as_bytes())) {
        return Ok(());
    }
    Err(mismatch(
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access \
         Key and signing method. Consult the service documentation for details.",
    ))
}

pub(crate) fn canonical_request(call: &Call, signed_headers: &[&str]) -> Option<String> {
    let mut headers = String::new();
    for name in signed_headers {
        writeln!(headers, "{name}:{}", canonical_header(call, name)?).ok()?;
    }
    Some(format!(
        "{}\n{}\n{}\n{headers}\n{}\n{}",
        call.method,
        utf8_percent_encode(&call.path, PATH),
        canonical_query(&call.query),
        signed_headers.join(";"),
        hex(&Sha256::digest(&call.body)),
    ))
}

/// Values joined by commas, trimmed, runs of spaces collapsed.
fn canonical_header(call: &Call, name: &str) -> Option<String> {
    let values: Option<Vec<String>> = call
        .headers
        .get_all(name)
        .iter()
        .map(|value| Some(std::str::from_utf8(value.as_bytes()).ok()?.split_whitespace().collect::<Vec<_>>().join(" ")))
        .collect();
    values.filter(|values| !values.is_empty()).map(|values| values.join(","))
}

fn canonical_query(query: &str) -> String {
    let encode =
        |text: &str| utf8_percent_encode(&percent_decode_str(text).decode_utf8_lossy(), UNRESERVED).to_string();
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let mut pairs: Vec<(String, String)> = pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (encode(name), encode(value)))
        .collect();
    pairs.sort();
    pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

pub(crate) fn check_skew(signed_at: EpochMs, now: EpochMs) -> Result<(), Refusal> {
    let (signed, server) = (amz_date(signed_at), amz_date(now));
    if signed_at < now - SKEW_MS {
        let earliest = amz_date(now - SKEW_MS);
        return Err(mismatch(format!(
            "Signature expired: {signed} is now earlier than {earliest} ({server} - 15 min.)"
        )));
    }
    if signed_at > now + SKEW_MS {
        let latest = amz_date(now + SKEW_MS);
        return Err(mismatch(format!(
            "Signature not yet current: {signed} is still later than {latest} ({server} + 15 min.)"
        )));
    }
    Ok(())
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return Vec::new() };
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn missing_token() -> Refusal {
    Refusal::new(403, "MissingAuthenticationToken", "Request is missing Authentication Token")
}

fn incomplete(message: &str) -> Refusal {
    Refusal::new(400, "IncompleteSignature", message)
}

fn invalid_token() -> Refusal {
    Refusal::new(403, "InvalidClientTokenId", "The security token included in the request is invalid.")
}

fn mismatch(message: impl Into<String>) -> Refusal {
    Refusal::new(403, "SignatureDoesNotMatch", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authorization_header_is_taken_apart() {
        let header = "AWS4-HMAC-SHA256 Credential=ASIA/20261122/us-east-1/sts/aws4_request, SignedHeaders=host;x-amz-date, Signature=ab";
        let parsed = parse(header, ALGORITHM).unwrap();
        assert_eq!(parsed.access_key_id, "ASIA");
        assert_eq!(parsed.scope, Scope { date: "20261122", region: "us-east-1", service: "sts" });
        assert_eq!((parsed.signed_headers, parsed.signature), (vec!["host", "x-amz-date"], "ab"));
    }

    #[test]
    fn malformed_authorization_headers_are_not_read() {
        for header in [
            "",
            "Bearer x",
            "AWS4-HMAC-SHA256",
            "AWS4-HMAC-SHA256 Credential=A/d/r/sts, SignedHeaders=host, Signature=ab",
            "AWS4-HMAC-SHA256 Credential=A/d/r/sts/aws4_request, SignedHeaders=host",
            "AWS4-HMAC-SHA256 Credential=A/d/r/sts/aws4_request, SignedHeaders=host, Signature=a, Signature=b",
        ] {
            assert_eq!(parse(header, ALGORITHM), None, "{header}");
        }
    }

    #[test]
    fn queries_are_sorted_and_encoded_once() {
        assert_eq!(canonical_query("b=2&a=%2F&a=1&c"), "a=%2F&a=1&b=2&c=");
        assert_eq!(canonical_query(""), "");
    }
}
