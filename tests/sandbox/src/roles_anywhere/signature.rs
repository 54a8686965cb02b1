//! The signature of a CreateSession (IAM Roles Anywhere User Guide, "Signing process"): SigV4's canonical request, signed with
//! the key of the certificate that came along. Nothing of it is taken from the client's word.

use sha2::{Digest, Sha256};

use super::certificate::{Key, Presented, decimal};
use super::refusals::denied;
use crate::call::Call;
use crate::clock::parse_amz_date;
use crate::reply::Refusal;
use crate::sigv4::{Authorization, canonical_request, check_skew, hex, parse};

const ALGORITHMS: [(&str, Key); 2] = [("AWS4-X509-RSA-SHA256", Key::Rsa), ("AWS4-X509-ECDSA-SHA256", Key::Ecdsa)];

/// What a signature that holds says.
pub(super) struct Signed {
    pub(super) algorithm: &'static str,
    pub(super) region: String,
}

/// Checks form, signed headers, scope, time and signature, in this order.
pub(super) fn verify(call: &Call, presented: &Presented) -> Result<Signed, Refusal> {
    let header = call.header("authorization").ok_or_else(|| denied("Missing Authentication Token"))?;
    let read = ALGORITHMS.iter().find_map(|(name, key)| Some((*name, *key, parse(header, name)?)));
    let (algorithm, key, authorization) = read.ok_or_else(|| denied("Authorization header is malformed"))?;
    let date = call.header("x-amz-date").ok_or_else(|| denied("Missing X-Amz-Date header"))?;
    let signed_at = parse_amz_date(date).ok_or_else(|| denied("X-Amz-Date is not a date"))?;
    check_signed_headers(call, &authorization)?;
    check_scope(call, &authorization, date, presented)?;
    check_signature(call, algorithm, key, &authorization, date, presented)?;
    check_skew(signed_at, call.now).map_err(|refusal| denied(refusal.message))?;
    Ok(Signed { algorithm, region: authorization.scope.region.to_owned() })
}

/// The list is sorted and in lower case; it names what the service asks for, and every `x-amz-*` header that came.
fn check_signed_headers(call: &Call, authorization: &Authorization<'_>) -> Result<(), Refusal> {
    let signed = &authorization.signed_headers;
    let in_order = signed.windows(2).all(|pair| pair[0] < pair[1]);
    let lower = signed.iter().all(|name| !name.bytes().any(|b| b.is_ascii_uppercase()));
    if !in_order || !lower {
        return Err(denied("SignedHeaders must be sorted and in lower case"));
    }
    let always = ["content-type", "host", "x-amz-date", "x-amz-x509"].into_iter();
    let came = call.headers.keys().map(http::HeaderName::as_str).filter(|name| name.starts_with("x-amz-"));
    match always.chain(came).find(|name| !signed.contains(name)) {
        Some(name) => Err(denied(format!("Header {name} must be signed"))),
        None => Ok(()),
    }
}

fn check_scope(
    call: &Call,
    authorization: &Authorization<'_>,
    date: &str,
    presented: &Presented,
) -> Result<(), Refusal> {
    if authorization.access_key_id != decimal(&presented.serial) {
        return Err(denied("Credential does not name the serial number of the certificate"));
    }
    let scope = &authorization.scope;
    if scope.service != "rolesanywhere" {
        return Err(denied("Credential should be scoped to correct service: 'rolesanywhere'."));
    }
    if call.endpoint.region().is_some_and(|region| region != scope.region) {
        return Err(denied("Credential should be scoped to a valid region."));
    }
    if scope.date != date.get(..8).unwrap_or_default() {
        return Err(denied("Date in Credential scope does not match X-Amz-Date"));
    }
    Ok(())
}

fn check_signature(
    call: &Call,
    algorithm: &str,
    key: Key,
    authorization: &Authorization<'_>,
    date: &str,
    presented: &Presented,
) -> Result<(), Refusal> {
    let request = canonical_request(call, &authorization.signed_headers)
        .ok_or_else(|| denied("A header named in SignedHeaders is not in the request"))?;
    let scope = &authorization.scope;
    let scope = format!("{}/{}/{}/aws4_request", scope.date, scope.region, scope.service);
    let text = format!("{algorithm}\n{date}\n{scope}\n{}", hex(&Sha256::digest(request.as_bytes())));
    let signature = unhex(authorization.signature);
    if signature.is_some_and(|signature| presented.signed(key, text.as_bytes(), &signature)) {
        return Ok(());
    }
    Err(denied("The request signature does not match the certificate"))
}

/// Lower-case hexadecimal digits.
fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| match pair {
            [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
            _ => None,
        })
        .collect()
}
