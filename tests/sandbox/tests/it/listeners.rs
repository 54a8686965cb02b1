//! The three listeners: plain HTTP, TLS by AWS's own host names, and the CONNECT proxy.

use std::io;
use std::net::TcpStream as BlockingStream;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tegata_sandbox::{Operation, Sandbox};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::client::{Client, get, post, registration, send, signed_in};

fn connector(sandbox: &Sandbox) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(sandbox.ca_pem_path()).unwrap()).unwrap();
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    TlsConnector::from(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
}

fn address(url: &str) -> &str {
    url.split_once("://").unwrap().1
}

/// Sends CONNECT and gives the stream with the proxy's status line.
async fn connect(sandbox: &Sandbox, host: &str, headers: &str) -> (TcpStream, String) {
    let mut stream = TcpStream::connect(address(&sandbox.proxy_url())).await.unwrap();
    let request = format!("CONNECT {host}:443 HTTP/1.1\r\nHost: {host}:443\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    let status = String::from_utf8(head).unwrap().lines().next().unwrap().to_owned();
    (stream, status)
}

async fn register(sandbox: &Sandbox, host: &str, stream: TcpStream) -> io::Result<String> {
    let name = ServerName::try_from(host.to_owned()).unwrap();
    let mut stream = connector(sandbox).connect(name, stream).await?;
    let body = json!({"clientName": "n", "clientType": "public"}).to_string();
    let request = format!(
        "POST /client/register HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    match stream.read_to_string(&mut answer).await {
        Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => Err(error),
        _ => Ok(answer),
    }
}

#[tokio::test]
async fn the_proxy_leads_aws_hosts_of_every_partition_to_the_sandbox() {
    let sandbox = Sandbox::start().unwrap();
    let hosts = [
        "oidc.us-east-1.amazonaws.com",
        "oidc.cn-north-1.amazonaws.com.cn",
        "oidc.us-gov-west-1.amazonaws.com",
        "oidc.eusc-de-east-1.amazonaws.eu",
        "oidc-fips.us-east-1.amazonaws.com",
        "oidc.us-east-1.api.aws",
    ];
    for host in hosts {
        let (stream, status) = connect(&sandbox, host, "").await;
        assert!(status.contains("200"), "{host}: {status}");
        let answer = register(&sandbox, host, stream).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{host}: {answer}");
    }
    let connects: Vec<String> = hosts.iter().map(|host| format!("{host}:443")).collect();
    assert_eq!(sandbox.proxy_connects(), connects);
    assert!(sandbox.requests().iter().all(|request| request.tls));
}

#[tokio::test]
async fn a_host_the_certificate_does_not_name_fails_in_the_handshake() {
    let sandbox = Sandbox::start().unwrap();
    for host in ["evil.example", "a.portal.sso.us-east-1.amazonaws.com"] {
        let (stream, status) = connect(&sandbox, host, "").await;
        assert!(status.contains("200"));
        let error = register(&sandbox, host, stream).await.unwrap_err();
        assert!(error.to_string().contains("certificate"), "{error}");
    }
    assert!(sandbox.requests().is_empty());
}

#[tokio::test]
async fn the_tls_listener_answers_directly_as_localhost() {
    let sandbox = Sandbox::start().unwrap();
    assert!(sandbox.ca_pem().starts_with("-----BEGIN CERTIFICATE-----"));
    let stream = TcpStream::connect(address(&sandbox.tls_url()).replace("localhost", "127.0.0.1")).await.unwrap();
    assert!(register(&sandbox, "localhost", stream).await.unwrap().starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_proxy_with_a_password_asks_for_it() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.configure(|settings| settings.proxy_authorization = Some("user:secret".to_owned()));
    let host = "oidc.us-east-1.amazonaws.com";
    assert!(connect(&sandbox, host, "").await.1.contains("407"));
    assert!(connect(&sandbox, host, "Proxy-Authorization: Basic dXNlcjp3cm9uZw==\r\n").await.1.contains("407"));
    assert!(sandbox.proxy_connects().is_empty());
    let (stream, status) = connect(&sandbox, host, "Proxy-Authorization: Basic dXNlcjpzZWNyZXQ=\r\n").await;
    assert!(status.contains("200"), "{status}");
    assert!(register(&sandbox, host, stream).await.unwrap().starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_sandbox_starts_and_stops_inside_an_asynchronous_test() {
    let sandbox = Sandbox::start().unwrap();
    let url = sandbox.url();
    drop(sandbox);
    assert!(TcpStream::connect(address(&url)).await.is_err());
}

#[test]
fn a_dropped_sandbox_closes_its_listeners_and_removes_its_files() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.hold(Operation::ListAccounts, tegata_sandbox::HoldUntil::Released);
    let held = crate::client::open(&sandbox, "GET", "/assignment/accounts", &[], b"");
    assert!(sandbox.wait_for_waiting(Operation::ListAccounts, 1, Duration::from_secs(20)));
    let (urls, ca) = ([sandbox.url(), sandbox.proxy_url()], sandbox.ca_pem_path().to_owned());
    drop(sandbox);
    assert!(crate::client::read(held).is_err());
    assert!(urls.iter().all(|url| BlockingStream::connect(address(url)).is_err()));
    assert!(!ca.exists());
}

#[test]
fn only_loopback_is_listened_on() {
    let sandbox = Sandbox::start().unwrap();
    for url in [sandbox.url(), sandbox.proxy_url()] {
        assert!(url.starts_with("http://127.0.0.1:"), "{url}");
    }
}

#[test]
fn hosts_route_to_their_own_service_only() {
    let sandbox = Sandbox::start().unwrap();
    let access = signed_in(&sandbox).access;
    let accounts = |host: &str| {
        let headers = [("host", host), ("x-amz-sso_bearer_token", access.as_str())];
        send(&sandbox, "GET", "/assignment/accounts", &headers, b"").status
    };
    assert_eq!(accounts("portal.sso.us-east-1.amazonaws.com"), 200);
    assert_eq!(accounts("portal.sso-fips.us-east-1.amazonaws.com"), 200);
    assert_eq!(accounts("portal.sso.us-east-1.api.aws"), 200);
    assert_eq!(accounts("portal.sso.us-west-2.amazonaws.com"), 401, "the token is of another region");
    assert_eq!(accounts("oidc.us-east-1.amazonaws.com"), 404);
    assert_eq!(accounts("evil.example"), 404);
}

#[test]
fn unknown_paths_and_methods_are_not_found() {
    let sandbox = Sandbox::start().unwrap();
    for (method, target) in
        [("GET", "/token"), ("POST", "/assignment/accounts"), ("GET", "/"), ("GET", "/x"), ("PUT", "/logout")]
    {
        let answer = send(&sandbox, method, target, &[], b"");
        assert_eq!(answer.refusal(), (404, "UnknownOperationException"), "{method} {target}");
    }
}

#[test]
fn a_body_beyond_the_limit_is_refused() {
    let sandbox = Sandbox::start().unwrap();
    let mut body = serde_json::to_vec(&registration()).unwrap();
    body.resize(256 * 1024, b' ');
    let headers = [("content-type", "application/json")];
    assert_eq!(send(&sandbox, "POST", "/client/register", &headers, &body).status, 200);
    body.push(b' ');
    assert_eq!(send(&sandbox, "POST", "/client/register", &headers, &body).status, 413);
}

#[test]
fn the_date_header_follows_clock_and_offset() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.move_clock(-sandbox.now_ms());
    assert!(get(&sandbox, "/x").header("date").starts_with("Thu, 01 Jan 1970 00:0"));
    sandbox.configure(|settings| settings.date_header_offset_ms = 24 * 3_600_000);
    assert!(get(&sandbox, "/x").header("date").starts_with("Fri, 02 Jan 1970 00:0"));
    assert!(sandbox.now_ms() < 60_000, "only the header is off");
}

#[test]
fn requests_are_recorded_as_they_came() {
    let sandbox = Sandbox::start().unwrap();
    let body = registration();
    post(&sandbox, "/client/register", &body);
    let headers =
        [("user-agent", "me/1"), ("accept", "application/json"), ("x-amz-sso_bearer_token", "t"), ("dpop", "d")];
    send(&sandbox, "GET", "/assignment/accounts?max_result=1", &headers, b"");
    let requests = sandbox.requests();
    assert_eq!((requests[0].operation, requests[0].status), (Operation::RegisterClient, Some(200)));
    assert_eq!(requests[0].body, body.to_string());
    let list = &requests[1];
    assert_eq!((list.method.as_str(), list.target.as_str()), ("GET", "/assignment/accounts?max_result=1"));
    assert_eq!((list.status, list.host.as_str()), (Some(401), address(&sandbox.url())));
    for (name, value) in headers {
        assert_eq!(list.headers[name], value);
    }
    sandbox.forget_traffic();
    assert!(sandbox.requests().is_empty() && sandbox.counters().is_empty());
}

#[test]
fn every_secret_on_the_wire_is_among_the_minted() {
    let sandbox = Sandbox::start().unwrap();
    let client = Client::registered(&sandbox);
    let tokens = client.sign_in(&sandbox);
    let device = client.start_device(&sandbox);
    let credentials = crate::client::admin(&sandbox);
    let minted: Vec<String> = sandbox.minted_secrets().into_iter().map(|secret| secret.value).collect();
    let device_code = device["deviceCode"].as_str().unwrap().to_owned();
    let seen = [
        client.secret,
        tokens.access,
        tokens.refresh,
        device_code,
        credentials.secret_access_key,
        credentials.session_token,
    ];
    for secret in seen {
        assert!(secret.contains(tegata_sandbox::CANARY) && minted.contains(&secret), "{secret}");
    }
}
