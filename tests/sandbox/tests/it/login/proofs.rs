//! DPoP proofs.

use tegata_sandbox::Sandbox;

use super::{INVALID, client, code, code_grant, now, redeemed_with, refresh_grant, refresh_token, token};
use crate::client::send;

#[test]
fn the_proof_is_checked_part_by_part() {
    assert_eq!(redeemed_with(|_, _, _| {}).status, 200);
    for (part, wrong) in [("typ", "JWT"), ("alg", "ES384"), ("kid", "1")] {
        assert_eq!(redeemed_with(|header, _, _| header[part] = wrong.into()).refusal(), INVALID, "{part}={wrong}");
    }
    for (part, wrong) in [("kty", "RSA"), ("crv", "P-384"), ("d", "secret"), ("x", "AAAA"), ("y", "====")] {
        assert_eq!(
            redeemed_with(|header, _, _| header["jwk"][part] = wrong.into()).refusal(),
            INVALID,
            "{part}={wrong}"
        );
    }
    for (part, wrong) in [("htm", "GET"), ("jti", ""), ("ath", "x")] {
        assert_eq!(redeemed_with(|_, payload, _| payload[part] = wrong.into()).refusal(), INVALID, "{part}={wrong}");
    }
}

#[test]
fn a_proof_for_another_address_is_refused() {
    let wrong = |change: fn(&str) -> String| {
        redeemed_with(|_, payload, _| payload["htu"] = change(payload["htu"].as_str().unwrap()).into()).refusal().0
    };
    assert_eq!(wrong(str::to_owned), 200);
    assert_eq!(wrong(|htu| format!("{htu}?x=1")), 400);
    assert_eq!(wrong(|htu| format!("{htu}/")), 400);
    assert_eq!(wrong(|htu| htu.replace("http:", "https:")), 400);
    assert_eq!(wrong(|htu| htu.replace("127.0.0.1", "localhost")), 400);
    assert_eq!(wrong(|_| "https://us-east-1.signin.aws.amazon.com/v1/token".to_owned()), 400);
}

#[test]
fn a_proof_is_of_now_and_good_once() {
    assert_eq!(redeemed_with(|_, payload, _| payload["iat"] = (now() - 290).into()).status, 200);
    assert_eq!(redeemed_with(|_, payload, _| payload["iat"] = (now() - 310).into()).refusal(), INVALID);
    assert_eq!(redeemed_with(|_, payload, _| payload["iat"] = (now() + 310).into()).refusal(), INVALID);
    let (sandbox, client) = (Sandbox::start().unwrap(), client(1));
    let parts = client.parts(&sandbox);
    let first = token(&sandbox, &client.signed(&parts), &code_grant(&code(&sandbox)));
    let again = token(&sandbox, &client.signed(&parts), &refresh_grant(&refresh_token(&first)));
    assert_eq!(again.refusal(), INVALID);
    assert!(again.text().contains("jti"), "{}", again.text());
    assert_eq!(client.refresh(&sandbox, &refresh_token(&first)).status, 200);
}

#[test]
fn a_proof_signed_with_another_key_or_changed_or_missing_or_twice_is_refused() {
    let (sandbox, alice, mallory) = (Sandbox::start().unwrap(), client(1), client(2));
    let code = code(&sandbox);
    let forged = mallory.signed(&alice.parts(&sandbox));
    assert_eq!(token(&sandbox, &forged, &code_grant(&code)).refusal(), INVALID);
    for odd in ["", "a.b", "a.b.c", "....", &alice.proof(&sandbox)[1..]] {
        assert_eq!(token(&sandbox, odd, &code_grant(&code)).refusal(), INVALID, "{odd}");
    }
    let body = code_grant(&code).to_string();
    let json = ("content-type", "application/json");
    assert_eq!(send(&sandbox, "POST", "/v1/token", &[json], body.as_bytes()).refusal(), INVALID);
    let (one, two) = (alice.proof(&sandbox), alice.proof(&sandbox));
    let twice = [json, ("dpop", one.as_str()), ("dpop", two.as_str())];
    assert_eq!(send(&sandbox, "POST", "/v1/token", &twice, body.as_bytes()).refusal(), INVALID);
    assert_eq!(alice.redeem(&sandbox, &code).status, 200);
}

#[test]
fn over_tls_the_proof_names_https_and_awss_own_host() {
    let (sandbox, client) = (Sandbox::start().unwrap(), client(1));
    let host = "us-east-1.signin.aws.amazon.com";
    let (header, mut payload) = client.parts(&sandbox);
    payload["htu"] = format!("http://{host}/v1/token").into();
    let proof = client.signed(&(header, payload));
    let headers = [("host", host), ("content-type", "application/json"), ("dpop", proof.as_str())];
    let body = code_grant(&code(&sandbox)).to_string();
    assert_eq!(send(&sandbox, "POST", "/v1/token", &headers, body.as_bytes()).status, 200);
    assert_eq!(sandbox.requests().last().unwrap().headers["dpop"], proof);
}
