//! Answers, and the error form of each service.

use serde::Serialize;
use serde_json::json;

use crate::federation;
use crate::mint;
use crate::operation::Service;
use crate::signin;

/// A whole answer, ready to be sent or to be spoiled by a fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) content_type: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { status, content_type: content_type.to_owned(), headers: Vec::new(), body: body.into() }
    }

    pub(crate) fn json(status: u16, body: &impl Serialize) -> Self {
        Self::new(status, "application/json", serde_json::to_vec(body).unwrap_or_default())
    }

    pub(crate) fn html(status: u16, page: String) -> Self {
        let policy = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self' http://127.0.0.1:*; \
                      frame-ancestors 'none'; base-uri 'none'";
        Self::new(status, "text/html; charset=utf-8", page)
            .with("content-security-policy", policy)
            .with("cache-control", "no-store")
            .with("referrer-policy", "no-referrer")
    }

    pub(crate) fn redirect(status: u16, location: String) -> Self {
        Self::new(status, "text/plain", "").with("location", location).with("cache-control", "no-store")
    }

    pub(crate) fn with(mut self, header: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((header, value.into()));
        self
    }
}

/// Why a request is refused, before it takes the form of its service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    /// The exception or error code, as the service's model names it; Sign-In's are the values of `error`.
    pub(crate) code: String,
    /// The OAuth `error` of SSO OIDC; unused elsewhere.
    pub(crate) oauth_error: String,
    pub(crate) message: String,
    /// Seconds for a `Retry-After` header.
    pub(crate) retry_after: Option<u64>,
}

impl Refusal {
    pub(crate) fn new(status: u16, code: impl Into<String>, message: impl Into<String>) -> Self {
        let code = code.into();
        let oauth_error = oauth_error(&code);
        Self { status, code, oauth_error, message: message.into(), retry_after: None }
    }

    /// The refusal as the service sends it. `tail` adds the coral name space to `x-amzn-ErrorType`.
    pub(crate) fn into_reply(self, service: Service, tail: bool) -> Reply {
        let retry_after = self.retry_after;
        let reply = match service {
            Service::Oidc => self.json_reply(
                "com.amazonaws.sso.oidc",
                tail,
                |refusal| json!({"error": refusal.oauth_error, "error_description": refusal.message}),
            ),
            Service::Portal => {
                self.json_reply("com.amazon.switchboard.portal", tail, |refusal| json!({"message": refusal.message}))
            }
            Service::Signin => {
                let (exception, error) = signin::error_names(&self.code);
                let named = Self { code: exception.to_owned(), oauth_error: error.to_owned(), ..self };
                named.json_reply(
                    "com.amazonaws.signin",
                    tail,
                    |refusal| json!({"error": refusal.oauth_error, "message": refusal.message}),
                )
            }
            Service::RolesAnywhere => {
                self.json_reply("com.amazonaws.rolesanywhere", tail, |refusal| json!({"message": refusal.message}))
            }
            Service::Sts => self.xml_reply("https://sts.amazonaws.com/doc/2011-06-15/"),
            Service::Iam => self.xml_reply("https://iam.amazonaws.com/doc/2010-05-08/"),
            Service::Federation | Service::Instance => self.page_reply(),
            Service::Container => Reply::json(self.status, &json!({"code": self.code, "message": self.message})),
            Service::Github | Service::IdentityProvider => {
                Reply::json(self.status, &json!({"typeKey": self.code, "message": self.message}))
            }
        };
        match retry_after {
            Some(seconds) => reply.with("retry-after", seconds.to_string()),
            None => reply,
        }
    }

    fn json_reply(self, name_space: &str, tail: bool, body: impl Fn(&Self) -> serde_json::Value) -> Reply {
        let tail = if tail { format!(":http://internal.amazon.com/coral/{name_space}/") } else { String::new() };
        let error_type = format!("{}{tail}", self.code);
        Reply::json(self.status, &body(&self))
            .with("x-amzn-errortype", error_type)
            .with("x-amzn-requestid", mint::uuid())
    }

    fn page_reply(self) -> Reply {
        Reply::html(self.status, federation::html(&self.code, &format!("<p>{}</p>", escape(&self.message))))
    }

    fn xml_reply(self, name_space: &str) -> Reply {
        let fault = if self.status < 500 { "Sender" } else { "Receiver" };
        let (code, message, request_id) = (escape(&self.code), escape(&self.message), mint::uuid());
        let body = format!(
            "<ErrorResponse xmlns=\"{name_space}\">\n  <Error>\n    <Type>{fault}</Type>\n    \
             <Code>{code}</Code>\n    <Message>{message}</Message>\n  </Error>\n  \
             <RequestId>{request_id}</RequestId>\n</ErrorResponse>\n"
        );
        Reply::new(self.status, "text/xml", body).with("x-amzn-requestid", request_id)
    }
}

/// `InvalidGrantException` to `invalid_grant`, the pairing of the SSO OIDC model.
fn oauth_error(code: &str) -> String {
    let stem = code.strip_suffix("Exception").unwrap_or(code);
    let stem = if stem == "InternalServer" { "ServerError" } else { stem };
    let mut snake = String::new();
    for c in stem.chars() {
        if c.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(c.to_ascii_lowercase());
    }
    snake
}

/// Text as HTML or XML character data, safe inside quoted attributes too.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(reply: &Reply) -> &str {
        std::str::from_utf8(&reply.body).unwrap()
    }

    #[test]
    fn an_oidc_refusal_names_the_exception_and_the_oauth_error() {
        let refusal = Refusal::new(400, "InvalidGrantException", "Invalid refresh token provided");
        let reply = refusal.clone().into_reply(Service::Oidc, true);
        assert_eq!(
            reply.headers[0],
            (
                "x-amzn-errortype",
                "InvalidGrantException:http://internal.amazon.com/coral/com.amazonaws.sso.oidc/".to_owned()
            )
        );
        assert_eq!(text(&reply), r#"{"error":"invalid_grant","error_description":"Invalid refresh token provided"}"#);
        let bare = refusal.into_reply(Service::Oidc, false);
        assert_eq!(bare.headers[0].1, "InvalidGrantException");
    }

    #[test]
    fn a_portal_refusal_carries_only_a_message() {
        let reply = Refusal::new(401, "UnauthorizedException", "Session token not found or invalid")
            .into_reply(Service::Portal, true);
        assert_eq!((reply.status, text(&reply)), (401, r#"{"message":"Session token not found or invalid"}"#));
    }

    #[test]
    fn a_sign_in_refusal_names_the_exception_of_its_error() {
        let reply = Refusal::new(401, "TOKEN_EXPIRED", "over").into_reply(Service::Signin, false);
        assert_eq!(reply.headers[0].1, "AccessDeniedException");
        assert_eq!((reply.status, text(&reply)), (401, r#"{"error":"TOKEN_EXPIRED","message":"over"}"#));
        let reply = Refusal::new(429, "TooManyRequestsError", "slow").into_reply(Service::Signin, false);
        assert_eq!(reply.headers[0].1, "TooManyRequestsError");
        assert_eq!(text(&reply), r#"{"error":"INVALID_REQUEST","message":"slow"}"#);
    }

    #[test]
    fn an_sts_refusal_is_escaped_xml_in_the_real_form() {
        let reply = Refusal::new(403, "AccessDenied", "a <b> & c").into_reply(Service::Sts, true);
        assert_eq!(reply.content_type, "text/xml");
        assert!(text(&reply).contains(
            "<Type>Sender</Type>\n    <Code>AccessDenied</Code>\n    <Message>a &lt;b&gt; &amp; c</Message>"
        ));
    }

    #[test]
    fn every_exception_has_its_oauth_name() {
        for (code, name) in [
            ("AuthorizationPendingException", "authorization_pending"),
            ("SlowDownException", "slow_down"),
            ("ExpiredTokenException", "expired_token"),
            ("InvalidClientException", "invalid_client"),
            ("UnsupportedGrantTypeException", "unsupported_grant_type"),
            ("InternalServerException", "server_error"),
        ] {
            assert_eq!(oauth_error(code), name);
        }
    }
}
