//! The calls about certificates of this machine.

use super::{NoCall, Query, Sent, absolute, bad, plain, secret_object, segment};
use http::Method;
use std::path::PathBuf;
use tegata_protocol::certificates::{EnterPin, ImportCertificate};
use tegata_protocol::{ErrorBody, ErrorCode, paths};

/// The longest PIN of a token: PKCS#11 sets no limit, cards take some eight to sixty-four.
const LONGEST_PIN: usize = 256;

/// What is asked of the broker about certificates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::serve) enum CertificateCall {
    /// `GET /v1/certificates`
    List { config: Option<PathBuf>, from_memory: bool },
    /// `POST /v1/certificates`
    Import(Sent<ImportCertificate>),
    /// `DELETE /v1/certificates/{profile}`
    Forget { profile: String, config: Option<PathBuf> },
    /// `PUT /v1/certificates/{profile}/pin`
    EnterPin { profile: String, sent: Sent<EnterPin> },
}

/// A resource about certificates, by its path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum CertificateResource {
    Certificates,
    Certificate(String),
    Pin(String),
}

impl CertificateResource {
    /// Finds the resource of a path; nothing where the path is about something else.
    pub(super) fn find(path: &str) -> Option<Result<Self, ErrorBody>> {
        let rest = path.strip_prefix(paths::CERTIFICATES)?;
        if rest.is_empty() {
            return Some(Ok(Self::Certificates));
        }
        let named = rest.strip_prefix('/')?;
        Some(match named.split_once('/') {
            None => segment(named).map(Self::Certificate),
            Some((name, paths::PIN)) => segment(name).map(Self::Pin),
            Some(_) => Err(ErrorBody::new(ErrorCode::NotFound, "there is no such resource")),
        })
    }

    pub(super) fn methods(&self) -> &'static str {
        match self {
            Self::Certificates => "GET, POST",
            Self::Certificate(_) => "DELETE",
            Self::Pin(_) => "PUT",
        }
    }

    /// Reads a request for the resource.
    pub(super) fn call(self, method: &Method, mut query: Query, body: &[u8]) -> Result<CertificateCall, NoCall> {
        let allowed = self.methods();
        let call = match (method, self) {
            (&Method::POST, Self::Certificates) => {
                query.nothing_more()?;
                return Ok(CertificateCall::Import(import(body)?));
            }
            (&Method::PUT, Self::Pin(profile)) => {
                query.nothing_more()?;
                return Ok(CertificateCall::EnterPin { profile, sent: pin(body)? });
            }
            (&Method::GET, Self::Certificates) => {
                let (config, from_memory) = (query.config()?, query.memory_alone()?);
                query.nothing_more().map(|()| CertificateCall::List { config, from_memory })?
            }
            (&Method::DELETE, Self::Certificate(profile)) => {
                CertificateCall::Forget { profile, config: query.only_config()? }
            }
            _ => return Err(NoCall::Method { allowed }),
        };
        if body.is_empty() { Ok(call) } else { Err(bad("this request has no body").into()) }
    }
}

fn import(body: &[u8]) -> Result<Sent<ImportCertificate>, ErrorBody> {
    let import: Sent<ImportCertificate> = secret_object(body, "certificate to keep")?;
    plain(import.profile.clone())?;
    config(import.config.as_deref())?;
    Ok(import)
}

fn pin(body: &[u8]) -> Result<Sent<EnterPin>, ErrorBody> {
    let pin: Sent<EnterPin> = secret_object(body, "PIN")?;
    config(pin.config.as_deref())?;
    let text = pin.pin.expose_secret();
    if text.is_empty() || text.len() > LONGEST_PIN || text.contains('\0') {
        return Err(bad("a PIN has 1 to 256 bytes, and no NUL"));
    }
    Ok(pin)
}

fn config(path: Option<&str>) -> Result<(), ErrorBody> {
    path.map_or(Ok(()), |path| absolute(&plain(path.to_owned())?).map(drop))
}

#[cfg(test)]
mod tests {
    use super::super::Call;
    use super::*;
    use http::Request;

    fn read(method: &str, path: &str, body: &str) -> Result<CertificateCall, NoCall> {
        let request = Request::builder().method(method).uri(path).body(body.to_owned()).unwrap();
        match Call::read(&request)? {
            Call::Certificate(call) => Ok(call),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn each_resource_has_its_methods() {
        let list = read("GET", "/v1/certificates?from=memory&config=/a", "").unwrap();
        assert_eq!(list, CertificateCall::List { config: Some(PathBuf::from("/a")), from_memory: true });
        let forget = read("DELETE", "/v1/certificates/my%20ci", "").unwrap();
        assert_eq!(forget, CertificateCall::Forget { profile: "my ci".to_owned(), config: None });
        let sent = read("PUT", "/v1/certificates/ci/pin", r#"{"pin":"1234"}"#).unwrap();
        assert!(matches!(sent, CertificateCall::EnterPin { profile, .. } if profile == "ci"));
        let body = r#"{"profile":"ci","certificate":"c","private_key":"k"}"#;
        assert!(matches!(read("POST", "/v1/certificates", body), Ok(CertificateCall::Import(_))));
        for (method, path) in
            [("PUT", "/v1/certificates"), ("GET", "/v1/certificates/ci"), ("GET", "/v1/certificates/ci/pin")]
        {
            assert!(matches!(read(method, path, ""), Err(NoCall::Method { .. })), "{method} {path}");
        }
        for path in ["/v1/certificates/", "/v1/certificates/a/b", "/v1/certificatesx"] {
            assert!(matches!(read("GET", path, ""), Err(NoCall::Refused(_))), "{path}");
        }
    }

    #[test]
    fn h1_what_could_be_two_lines_is_refused_and_no_secret_is_quoted() {
        for (method, path, body) in [
            ("POST", "/v1/certificates", r#"{"profile":"a\nb","certificate":"c","private_key":"CANARY"}"#),
            ("POST", "/v1/certificates", r#"{"profile":"a","config":"b","certificate":"c","private_key":"CANARY"}"#),
            ("POST", "/v1/certificates", r#"{"profile":"a","certificate":"c","private_key":"CANARY","more":1}"#),
            ("POST", "/v1/certificates", r#"{"profile":"a","certificate":"c","private_key":["CANARY"]}"#),
            ("POST", "/v1/certificates", r#"["CANARY"]"#),
            ("PUT", "/v1/certificates/ci/pin", r#"{"pin":"CANARY\u0000"}"#),
            ("PUT", "/v1/certificates/ci/pin", r#"{"pin":""}"#),
            ("PUT", "/v1/certificates/ci/pin", r#"{"pin":"1","config":"CANARY"}"#),
            ("PUT", "/v1/certificates/ci/pin", r#"{"pin":1234}"#),
        ] {
            let Err(NoCall::Refused(error)) = read(method, path, body) else { panic!("{body}") };
            assert!(error.code == ErrorCode::BadRequest && !error.message.contains("CANARY"), "{error:?}");
        }
        assert!(read("PUT", "/v1/certificates/ci/pin", &format!(r#"{{"pin":"{}"}}"#, "1".repeat(257))).is_err());
    }
}
