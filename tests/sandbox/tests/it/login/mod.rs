//! AWS Sign-In: `/v1/authorize`, `/v1/token` and what becomes of a console login. Each refusal beside the request that is accepted.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use serde_json::{Value, json};
use tegata_sandbox::{IssuedCredentials, Sandbox};

use crate::client::{Answer, REDIRECT, VERIFIER, challenge, form, get, send, string};

mod course;
mod identities;
mod proofs;

const SAME_DEVICE: &str = "arn:aws:signin:::devtools/same-device";
const CROSS_DEVICE: &str = "arn:aws:signin:::devtools/cross-device";
const ALICE: &str = "arn:aws:sts::123456789012:assumed-role/Admin/alice";
const INVALID: (u16, &str) = (400, "ValidationException");
const OVER: (u16, &str) = (401, "AccessDeniedException");

/// A client with a key of its own.
struct Client {
    key: SigningKey,
}

fn client(seed: u8) -> Client {
    Client { key: SigningKey::from_slice(&[seed; 32]).unwrap() }
}

/// Proofs made by all clients of this run: each has a number of its own.
static PROOFS: AtomicU32 = AtomicU32::new(0);

#[expect(clippy::disallowed_methods, reason = "proofs carry the machine's time")]
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

impl Client {
    /// Header and payload of a correct proof for this sandbox's token endpoint.
    fn parts(&self, sandbox: &Sandbox) -> (Value, Value) {
        let point = self.key.verifying_key().to_sec1_point(false);
        let coordinate = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let jwk = json!({
            "kty": "EC", "crv": "P-256", "x": coordinate(point.x().unwrap()), "y": coordinate(point.y().unwrap()),
        });
        let jti = PROOFS.fetch_add(1, Ordering::Relaxed).to_string();
        let payload = json!({"htm": "POST", "htu": format!("{}/v1/token", sandbox.url()), "iat": now(), "jti": jti});
        (json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": jwk}), payload)
    }

    fn signed(&self, (header, payload): &(Value, Value)) -> String {
        let message = [header, payload].map(|part| URL_SAFE_NO_PAD.encode(part.to_string())).join(".");
        let signature: Signature = self.key.sign(message.as_bytes());
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
    }

    fn proof(&self, sandbox: &Sandbox) -> String {
        self.signed(&self.parts(sandbox))
    }

    fn redeem(&self, sandbox: &Sandbox, code: &str) -> Answer {
        token(sandbox, &self.proof(sandbox), &code_grant(code))
    }

    fn refresh(&self, sandbox: &Sandbox, refresh_token: &str) -> Answer {
        token(sandbox, &self.proof(sandbox), &refresh_grant(refresh_token))
    }

    /// Signs in and returns the refresh token.
    fn log_in(&self, sandbox: &Sandbox) -> String {
        refresh_token(&self.redeem(sandbox, &code(sandbox)))
    }
}

fn token(sandbox: &Sandbox, proof: &str, body: &Value) -> Answer {
    let headers = [("content-type", "application/json"), ("dpop", proof)];
    send(sandbox, "POST", "/v1/token", &headers, body.to_string().as_bytes())
}

fn code_grant(code: &str) -> Value {
    json!({
        "clientId": SAME_DEVICE, "grantType": "authorization_code", "code": code, "codeVerifier": VERIFIER,
        "redirectUri": REDIRECT,
    })
}

fn refresh_grant(refresh_token: &str) -> Value {
    json!({"clientId": SAME_DEVICE, "grantType": "refresh_token", "refreshToken": refresh_token})
}

fn refresh_token(answer: &Answer) -> String {
    assert_eq!(answer.status, 200, "{}", answer.text());
    string(&answer.json()["refreshToken"])
}

fn authorize_fields() -> Vec<(&'static str, String)> {
    vec![
        ("response_type", "code".to_owned()),
        ("client_id", SAME_DEVICE.to_owned()),
        ("state", "state-1".to_owned()),
        ("code_challenge_method", "SHA-256".to_owned()),
        ("scope", "openid".to_owned()),
        ("redirect_uri", REDIRECT.to_owned()),
        ("code_challenge", challenge(VERIFIER)),
    ]
}

fn authorize(sandbox: &Sandbox, fields: &[(&'static str, String)]) -> Answer {
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    get(sandbox, &format!("/v1/authorize?{}", form(&fields)))
}

fn code(sandbox: &Sandbox) -> String {
    authorize(sandbox, &authorize_fields()).redirected("code").unwrap()
}

/// The answer to an authorize request with one parameter changed, or removed.
fn authorized_with(name: &'static str, value: Option<&str>) -> Answer {
    let sandbox = Sandbox::start().unwrap();
    let mut fields = authorize_fields();
    fields.retain(|(known, _)| *known != name);
    fields.extend(value.map(|value| (name, value.to_owned())));
    authorize(&sandbox, &fields)
}

/// The answer to a code grant whose proof and body were changed.
fn redeemed_with(change: impl Fn(&mut Value, &mut Value, &mut Value)) -> Answer {
    let sandbox = Sandbox::start().unwrap();
    let client = client(1);
    let (mut header, mut payload) = client.parts(&sandbox);
    let mut body = code_grant(&code(&sandbox));
    change(&mut header, &mut payload, &mut body);
    token(&sandbox, &client.signed(&(header, payload)), &body)
}

fn issued(sandbox: &Sandbox) -> IssuedCredentials {
    sandbox.issued_credentials().pop().unwrap()
}

fn error(answer: &Answer) -> String {
    string(&answer.json()["error"])
}
