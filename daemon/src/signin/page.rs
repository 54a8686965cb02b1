//! What the browser shows after the sign-in. Static: nothing that came in is on it, and it leads nowhere.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{self, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use http_body_util::Full;
use sha2::{Digest as _, Sha256};

const STYLE: &str = ":root{color-scheme:light dark;font:1.125rem/1.5 system-ui,sans-serif}\
body{margin:0;min-height:100vh;display:grid;place-items:center}main{max-width:32rem;padding:2rem}h1{font-size:1.5rem}";

/// Takes the code out of the address bar and the history.
const SCRIPT: &str = "history.replaceState(null,\"\",location.pathname)";

/// What is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Page {
    /// The code is here.
    Received,
    /// The person said no.
    Declined,
    /// AWS said no.
    Ended,
    /// It was used before.
    Gone,
    /// Not an answer to this sign-in; the status says how so.
    Refused(StatusCode),
}

impl Page {
    pub(super) fn status(self) -> StatusCode {
        match self {
            Self::Received | Self::Declined | Self::Ended => StatusCode::OK,
            Self::Gone => StatusCode::GONE,
            Self::Refused(status) => status,
        }
    }

    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Received => ("Back to the terminal", "Tegata finishes the sign-in there. You can close this page."),
            Self::Declined => ("Sign-in declined", "Nothing was kept. To try again, run tegata login."),
            Self::Ended => ("AWS ended the sign-in", "The terminal says why. To try again, run tegata login."),
            Self::Gone => ("Already done", "This sign-in has had its answer. You can close this page."),
            Self::Refused(_) => {
                ("Not for this page", "It only takes the answer to a sign-in started on this computer.")
            }
        }
    }

    /// Returns the whole response.
    pub(super) fn response(self) -> Response<Full<Bytes>> {
        let (title, text) = self.words();
        let html = format!(
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title} - Tegata</title>\
             <meta name=\"viewport\" content=\"width=device-width\"><style>{STYLE}</style></head>\
             <body><main><h1>{title}</h1><p>{text}</p></main><script>{SCRIPT}</script></body></html>\n"
        );
        let mut response = Response::new(Full::from(html));
        *response.status_mut() = self.status();
        response.headers_mut().extend(headers());
        response
    }
}

fn headers() -> [(HeaderName, HeaderValue); 9] {
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; frame-ancestors 'none'; base-uri 'none'; \
         form-action 'none'",
        sha256(STYLE),
        sha256(SCRIPT)
    );
    // Base64 and the words above are all visible ASCII; were they not, the strictest policy takes their place.
    let policy = HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'"));
    [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
        (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
        (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
        (header::CONNECTION, HeaderValue::from_static("close")),
    ]
}

fn sha256(text: &str) -> String {
    STANDARD.encode(Sha256::digest(text.as_bytes()))
}
