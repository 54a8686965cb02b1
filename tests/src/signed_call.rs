//! STS GetCallerIdentity, signed with credentials as an AWS tool signs it.

use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use serde_json::Value;
use std::error::Error;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::SystemTime;

type Outcome<T> = Result<T, Box<dyn Error>>;

const BODY: &str = "Action=GetCallerIdentity&Version=2011-06-15";

/// Asks `endpoint` whose credentials these are: those that `credential_process` prints, with or without a session token. Returns the ARN.
///
/// # Errors
/// What did not come about, or the answer of AWS.
pub fn caller_identity(endpoint: &str, credentials: &Value) -> Outcome<String> {
    let authority = endpoint.trim_start_matches("http://").trim_end_matches('/');
    let headers = [("host", authority), ("content-type", "application/x-www-form-urlencoded")];
    let mut message = format!("POST / HTTP/1.1\r\nconnection: close\r\ncontent-length: {}\r\n", BODY.len());
    for (name, value) in headers.iter().map(|(name, value)| (*name, (*value).to_owned())) {
        message.push_str(&format!("{name}: {value}\r\n"));
    }
    for (name, value) in signature(&format!("http://{authority}/"), headers, credentials)? {
        message.push_str(&format!("{name}: {value}\r\n"));
    }
    let mut stream = TcpStream::connect(authority)?;
    stream.write_all(format!("{message}\r\n{BODY}").as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, xml) = answer.split_once("\r\n\r\n").ok_or("the answer was cut")?;
    let arn = xml.split_once("<Arn>").and_then(|(_, rest)| rest.split_once("</Arn>")).map(|(arn, _)| arn.to_owned());
    arn.filter(|_| head.starts_with("HTTP/1.1 200")).ok_or_else(|| answer.into())
}

/// The headers that carry the signature.
fn signature(address: &str, headers: [(&str, &str); 2], credentials: &Value) -> Outcome<Vec<(String, String)>> {
    let text = |key: &str| credentials[key].as_str().ok_or_else(|| format!("no {key} in the answer"));
    let identity = aws_credential_types::Credentials::new(
        text("AccessKeyId")?,
        text("SecretAccessKey")?,
        credentials["SessionToken"].as_str().map(str::to_owned),
        None,
        "demo",
    )
    .into();
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region("us-east-1")
        .name("sts")
        .time(SystemTime::now())
        .settings(SigningSettings::default())
        .build()?
        .into();
    let request = SignableRequest::new("POST", address, headers.into_iter(), SignableBody::Bytes(BODY.as_bytes()))?;
    let (instructions, _signature) = sign(request, &parameters)?.into_parts();
    Ok(instructions.headers().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}
