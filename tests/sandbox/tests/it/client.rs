//! A client as small as can be: one request per connection, and the flows the tests need again and again.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tegata_sandbox::{IssuedCredentials, START_URL, Sandbox};

pub(crate) const REDIRECT: &str = "http://127.0.0.1:40123/oauth/callback";
pub(crate) const VERIFIER: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
pub(crate) const ACCOUNT: &str = "123456789012";
pub(crate) const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// Status and exception of a JSON service's refusal.
    pub(crate) fn refusal(&self) -> (u16, &str) {
        (self.status, self.header("x-amzn-errortype").split(':').next().unwrap_or_default())
    }

    /// Status and code of an STS refusal.
    pub(crate) fn sts_refusal(&self) -> (u16, String) {
        (self.status, self.element("Code"))
    }

    /// The text of the first XML element with that name.
    pub(crate) fn element(&self, name: &str) -> String {
        let text = self.text();
        let after = text.split_once(&format!("<{name}>")).map_or("", |(_, after)| after);
        after.split_once(&format!("</{name}>")).map_or("", |(inside, _)| inside).to_owned()
    }

    /// A query parameter of the `Location` header.
    pub(crate) fn redirected(&self, name: &str) -> Option<String> {
        let query = self.header("location").split_once('?')?.1;
        form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }

    fn parse(bytes: &[u8]) -> io::Result<Self> {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n");
        let end = end.ok_or_else(|| io::Error::new(io::ErrorKind::UnexpectedEof, "no head"))?;
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let mut lines = head.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|code| code.parse().ok());
        let headers: BTreeMap<String, String> = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        Ok(Self { status: status.unwrap_or_default(), headers, body: bytes[end + 4..].to_vec() })
    }
}

/// Opens a connection and sends a request; the answer is still to be read.
pub(crate) fn open(sandbox: &Sandbox, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> TcpStream {
    let address = sandbox.url().trim_start_matches("http://").to_owned();
    let mut stream = TcpStream::connect(&address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut head = format!("{method} {target} HTTP/1.1\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
    if !headers.iter().any(|(name, _)| *name == "host") {
        head.push_str(&format!("host: {address}\r\n"));
    }
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    stream.write_all(format!("{head}\r\n").as_bytes()).unwrap();
    stream.write_all(body).unwrap();
    stream
}

/// Reads an answer to the end of the connection.
pub(crate) fn read(mut stream: TcpStream) -> io::Result<Answer> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    Answer::parse(&bytes)
}

pub(crate) fn send(sandbox: &Sandbox, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    read(open(sandbox, method, target, headers, body)).unwrap()
}

pub(crate) fn get(sandbox: &Sandbox, target: &str) -> Answer {
    send(sandbox, "GET", target, &[], b"")
}

pub(crate) fn post(sandbox: &Sandbox, target: &str, body: &Value) -> Answer {
    let body = serde_json::to_vec(body).unwrap();
    send(sandbox, "POST", target, &[("content-type", "application/json")], &body)
}

pub(crate) fn post_form(sandbox: &Sandbox, target: &str, fields: &[(&str, &str)]) -> Answer {
    let body = form(fields);
    send(sandbox, "POST", target, &[("content-type", "application/x-www-form-urlencoded")], body.as_bytes())
}

pub(crate) fn form(fields: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// What a client that can do everything registers.
pub(crate) fn registration() -> Value {
    json!({
        "clientName": "test",
        "clientType": "public",
        "scopes": ["sso:account:access"],
        "grantTypes": ["authorization_code", DEVICE_CODE, "refresh_token"],
        "redirectUris": ["http://127.0.0.1/oauth/callback"],
        "issuerUrl": START_URL,
    })
}

/// A registered client.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    pub(crate) id: String,
    pub(crate) secret: String,
}

impl Client {
    pub(crate) fn registered(sandbox: &Sandbox) -> Self {
        Self::with(sandbox, &registration())
    }

    pub(crate) fn with(sandbox: &Sandbox, registration: &Value) -> Self {
        let answer = post(sandbox, "/client/register", registration);
        assert_eq!(answer.status, 200, "{}", answer.text());
        let answer = answer.json();
        Self { id: string(&answer["clientId"]), secret: string(&answer["clientSecret"]) }
    }

    /// A body for this client with more members.
    pub(crate) fn body(&self, more: &Value) -> Value {
        let mut body = json!({"clientId": self.id, "clientSecret": self.secret});
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        body
    }

    pub(crate) fn token(&self, sandbox: &Sandbox, more: &Value) -> Answer {
        post(sandbox, "/token", &self.body(more))
    }

    pub(crate) fn authorize_fields(&self) -> Vec<(&'static str, String)> {
        vec![
            ("response_type", "code".to_owned()),
            ("client_id", self.id.clone()),
            ("redirect_uri", REDIRECT.to_owned()),
            ("state", "state-1".to_owned()),
            ("code_challenge_method", "S256".to_owned()),
            ("scopes", "sso:account:access".to_owned()),
            ("code_challenge", challenge(VERIFIER)),
        ]
    }

    pub(crate) fn authorize(&self, sandbox: &Sandbox) -> Answer {
        authorize(sandbox, &self.authorize_fields())
    }

    pub(crate) fn code(&self, sandbox: &Sandbox) -> String {
        self.authorize(sandbox).redirected("code").unwrap()
    }

    pub(crate) fn redeem(&self, sandbox: &Sandbox, code: &str) -> Answer {
        let grant = json!({
            "grantType": "authorization_code", "code": code, "redirectUri": REDIRECT, "codeVerifier": VERIFIER,
        });
        self.token(sandbox, &grant)
    }

    pub(crate) fn refresh(&self, sandbox: &Sandbox, refresh_token: &str) -> Answer {
        self.token(sandbox, &json!({"grantType": "refresh_token", "refreshToken": refresh_token}))
    }

    pub(crate) fn start_device(&self, sandbox: &Sandbox) -> Value {
        let answer = post(sandbox, "/device_authorization", &self.body(&json!({"startUrl": START_URL})));
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }

    pub(crate) fn poll(&self, sandbox: &Sandbox, device: &Value) -> Answer {
        self.token(sandbox, &json!({"grantType": DEVICE_CODE, "deviceCode": device["deviceCode"]}))
    }

    /// Signs in through the browser flow.
    pub(crate) fn sign_in(&self, sandbox: &Sandbox) -> Tokens {
        let answer = self.redeem(sandbox, &self.code(sandbox));
        assert_eq!(answer.status, 200, "{}", answer.text());
        Tokens::of(&answer)
    }
}

pub(crate) fn authorize(sandbox: &Sandbox, fields: &[(&'static str, String)]) -> Answer {
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    get(sandbox, &format!("/authorize?{}", form(&fields)))
}

pub(crate) fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()))
}

#[derive(Debug, Clone)]
pub(crate) struct Tokens {
    pub(crate) access: String,
    pub(crate) refresh: String,
}

impl Tokens {
    pub(crate) fn of(answer: &Answer) -> Self {
        let answer = answer.json();
        Self {
            access: string(&answer["accessToken"]),
            refresh: answer["refreshToken"].as_str().unwrap_or_default().to_owned(),
        }
    }
}

/// Registers a client and signs in.
pub(crate) fn signed_in(sandbox: &Sandbox) -> Tokens {
    Client::registered(sandbox).sign_in(sandbox)
}

pub(crate) fn portal(sandbox: &Sandbox, access_token: &str, target: &str) -> Answer {
    send(sandbox, "GET", target, &[("x-amz-sso_bearer_token", access_token)], b"")
}

pub(crate) fn role_credentials(sandbox: &Sandbox, access_token: &str, role: &str) -> Answer {
    portal(sandbox, access_token, &format!("/federation/credentials?role_name={role}&account_id={ACCOUNT}"))
}

/// Signs in and gets credentials of a role in [`ACCOUNT`].
pub(crate) fn admin(sandbox: &Sandbox) -> IssuedCredentials {
    let answer = role_credentials(sandbox, &signed_in(sandbox).access, "Admin");
    assert_eq!(answer.status, 200, "{}", answer.text());
    sandbox.issued_credentials().pop().unwrap()
}

/// An STS request signed by AWS's own signer, open to tampering before it is sent.
#[derive(Debug, Clone)]
pub(crate) struct StsRequest {
    pub(crate) credentials: IssuedCredentials,
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) host: Option<String>,
    pub(crate) region: &'static str,
    pub(crate) service: &'static str,
    pub(crate) age: i64,
}

impl StsRequest {
    pub(crate) fn new(credentials: &IssuedCredentials, action: &str) -> Self {
        let fields = vec![("Action".to_owned(), action.to_owned()), ("Version".to_owned(), "2011-06-15".to_owned())];
        Self { credentials: credentials.clone(), fields, host: None, region: "us-east-1", service: "sts", age: 0 }
    }

    /// The same for IAM.
    pub(crate) fn iam(credentials: &IssuedCredentials, action: &str) -> Self {
        let fields = vec![("Action".to_owned(), action.to_owned()), ("Version".to_owned(), "2010-05-08".to_owned())];
        Self { fields, service: "iam", ..Self::new(credentials, action) }
    }

    pub(crate) fn identity(credentials: &IssuedCredentials) -> Self {
        Self::new(credentials, "GetCallerIdentity")
    }

    pub(crate) fn assume(credentials: &IssuedCredentials, role_arn: &str) -> Self {
        Self::new(credentials, "AssumeRole").with("RoleArn", role_arn).with("RoleSessionName", "alice-session")
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn body(&self) -> String {
        form(&self.fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect::<Vec<_>>())
    }

    /// The headers of the signed request, `host` included.
    #[expect(clippy::disallowed_methods, reason = "signatures carry the machine's time")]
    pub(crate) fn headers(&self, sandbox: &Sandbox) -> Vec<(String, String)> {
        let host = self.host.clone().unwrap_or_else(|| sandbox.url().trim_start_matches("http://").to_owned());
        let body = self.body();
        let content_type = "application/x-www-form-urlencoded";
        let now = SystemTime::now();
        let age = Duration::from_secs(self.age.unsigned_abs());
        let time = if self.age < 0 { now + age } else { now - age };
        let keys = &self.credentials;
        let identity = Credentials::new(
            &keys.access_key_id,
            &keys.secret_access_key,
            Some(keys.session_token.clone()).filter(|token| !token.is_empty()),
            None,
            "test",
        )
        .into();
        let parameters = SigningParams::builder()
            .identity(&identity)
            .region(self.region)
            .name(self.service)
            .time(time)
            .settings(SigningSettings::default())
            .build()
            .unwrap()
            .into();
        let headers = [("host", host.as_str()), ("content-type", content_type)];
        let uri = format!("http://{host}/");
        let request =
            SignableRequest::new("POST", uri, headers.into_iter(), SignableBody::Bytes(body.as_bytes())).unwrap();
        let (instructions, _) = sign(request, &parameters).unwrap().into_parts();
        let signed = instructions.headers().map(|(name, value)| (name.to_owned(), value.to_owned()));
        headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).chain(signed).collect()
    }

    pub(crate) fn send(&self, sandbox: &Sandbox) -> Answer {
        let headers = self.headers(sandbox);
        send_sts(sandbox, &headers, &self.body())
    }
}

pub(crate) fn send_sts(sandbox: &Sandbox, headers: &[(String, String)], body: &str) -> Answer {
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    send(sandbox, "POST", "/", &headers, body.as_bytes())
}

pub(crate) fn string(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("not a string: {value}")).to_owned()
}
