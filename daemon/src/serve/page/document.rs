//! The page's one document: the same bytes for everybody, and the policy under which a browser runs them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use sha2::{Digest as _, Sha256};
use std::sync::LazyLock;

const MARKUP: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// The document and its policy, made once.
#[derive(Debug)]
pub(super) struct Document {
    html: String,
    policy: HeaderValue,
}

static DOCUMENT: LazyLock<Document> = LazyLock::new(Document::new);

impl Document {
    pub(super) fn get() -> &'static Self {
        &DOCUMENT
    }

    pub(super) fn bytes(&'static self) -> &'static [u8] {
        self.html.as_bytes()
    }

    pub(super) fn policy(&self) -> HeaderValue {
        self.policy.clone()
    }

    fn new() -> Self {
        let html = MARKUP.replace("{style}", STYLE).replace("{script}", SCRIPT);
        // Hashes of exactly what stands between the tags: nothing else is run or applied, whatever gets into the page.
        // Trusted Types go one further: no text can become markup at all.
        let policy = format!(
            "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; connect-src 'self'; \
             frame-ancestors 'none'; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
            sha256(SCRIPT),
            sha256(STYLE)
        );
        // Base64 and the words above are all visible ASCII; were they not, the strictest policy takes their place.
        let policy = HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'"));
        Self { html, policy }
    }
}

fn sha256(text: &str) -> String {
    STANDARD.encode(Sha256::digest(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c17_the_policy_allows_exactly_what_stands_in_the_document() {
        let policy = DOCUMENT.policy().to_str().unwrap().to_owned();
        for (tag, directive) in [("script", "script-src"), ("style", "style-src")] {
            let (_, rest) = DOCUMENT.html.split_once(&format!("<{tag}>")).unwrap();
            let (inside, _) = rest.split_once(&format!("</{tag}>")).unwrap();
            assert!(policy.contains(&format!("{directive} 'sha256-{}';", sha256(inside))), "{tag}: {policy}");
        }
        assert!(!policy.contains("unsafe") && policy.starts_with("default-src 'none';"), "{policy}");
    }

    #[test]
    fn the_document_fetches_nothing() {
        for text in ["src=", "href=", "@import", "url(", "style=", " onclick", "http://", "https://"] {
            let html = DOCUMENT.html.replace("href=\"#hand\"", "");
            assert!(!html.contains(text), "{text}");
        }
    }

    #[test]
    fn e11_text_never_becomes_markup() {
        for sink in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"] {
            assert!(!SCRIPT.contains(sink), "{sink}");
        }
    }

    #[test]
    fn b30_no_passkey_is_offered_unasked() {
        assert!(SCRIPT.contains("navigator.credentials.get") && !SCRIPT.contains("conditional"));
        assert!(!MARKUP.contains("autocomplete"));
    }
}
