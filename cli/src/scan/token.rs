//! Tokens of AWS that end by themselves: known by what stands around them, and told because tools leave them in files.

use super::found::Kind;
use super::runs::Run;

/// How far from a token its host is looked for, in bytes.
const NEAR: usize = 300;
/// The shortest token of a service: each is an encrypted text of a thousand bytes and more.
const SHORTEST: usize = 100;
/// The largest file that may be a cache of sign-ins.
const LARGEST_CACHE: usize = 64 * 1024;

/// Returns what token a run is, or the beginning of.
pub(super) fn kind(text: &[u8], run: &Run<'_>) -> Option<Kind> {
    let bytes = run.plain.bytes();
    if bytes.starts_with(b"eyJ") && is_near(text, run, b".d.codeartifact.") {
        // "AWS CodeArtifact authentication and tokens" in its user guide: a password for npm, pip and others, for twelve hours at most.
        return Some(Kind::CodeartifactToken);
    }
    if run.length < SHORTEST {
        return is_sign_in_token(text, run).then_some(Kind::SignInToken);
    }
    if bytes.starts_with(b"QVdTO") && is_near(text, run, b".dkr.ecr.") {
        // "Private registry authentication" in the ECR user guide: base64 of `AWS:` and a token, for twelve hours.
        return Some(Kind::EcrToken);
    }
    if text.get(..run.start).is_some_and(|before| before.ends_with(b"bedrock-api-key-")) {
        // aws/aws-bedrock-token-generator: a signed URL in base64 behind this prefix.
        return Some(Kind::TemporaryBedrockApiKey);
    }
    is_sign_in_token(text, run).then_some(Kind::SignInToken)
}

/// A refresh token of `aws sso login` (`~/.aws/sso/cache`, beside a start URL) or `aws login` (`~/.aws/login/cache`, beside the key that proves it).
fn is_sign_in_token(text: &[u8], run: &Run<'_>) -> bool {
    let name = text.get(run.start.saturating_sub(20)..run.start).unwrap_or_default();
    let is_named = holds(name, b"\"refreshToken\"");
    is_named && text.len() < LARGEST_CACHE && (holds(text, b"\"startUrl\"") || holds(text, b"\"dpopKey\""))
}

fn is_near(text: &[u8], run: &Run<'_>, host: &[u8]) -> bool {
    holds(text.get(run.start.saturating_sub(NEAR)..(run.end + NEAR).min(text.len())).unwrap_or_default(), host)
}

fn holds(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// Returns where a token ends whose first run this is: the alphabet of base64url and points go on.
pub(super) fn end(text: &[u8], run: &Run<'_>) -> usize {
    let is_inside = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'+' | b'/' | b'=');
    let rest = text.get(run.end..).unwrap_or_default();
    run.end + rest.iter().position(|byte| !is_inside(byte)).unwrap_or(rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::runs::Runs;

    fn kinds(text: &str) -> Vec<Kind> {
        Runs::of(text.as_bytes()).filter_map(|run| kind(text.as_bytes(), &run)).collect()
    }

    #[test]
    fn tokens_are_known_by_what_stands_around_them() {
        let long = "kQ7wZ2mX9rB4".repeat(12);
        for (text, expected) in [
            (
                format!(
                    "//acme-609629065308.d.codeartifact.eu-west-1.amazonaws.com/npm/r/:_authToken=eyJ2ZXIiOjEsImlzdSI6.{long}"
                ),
                Kind::CodeartifactToken,
            ),
            (
                format!(
                    "index-url = https://aws:eyJ2ZXIiOjEsImlzdSI6.{long}@acme-609629065308.d.codeartifact.eu-west-1.amazonaws.com/pypi/r/simple/"
                ),
                Kind::CodeartifactToken,
            ),
            (
                format!("\"609629065308.dkr.ecr.eu-west-1.amazonaws.com\": {{\"auth\": \"QVdTOmV5{long}\"}}"),
                Kind::EcrToken,
            ),
            (format!("AWS_BEARER_TOKEN_BEDROCK=bedrock-api-key-{long}"), Kind::TemporaryBedrockApiKey),
            (format!("{{\"startUrl\": \"https://a\", \"refreshToken\": \"{long}\"}}"), Kind::SignInToken),
            (format!("{{\"refreshToken\": \"{long}\", \"dpopKey\": \"x\"}}"), Kind::SignInToken),
        ] {
            assert_eq!(kinds(&text), [expected], "{text}");
        }
    }

    #[test]
    fn twin_other_tokens_are_none() {
        let long = "kQ7wZ2mX9rB4".repeat(12);
        for text in [
            format!("//registry.npmjs.org/:_authToken=eyJ2ZXIiOjEsImlzdSI6.{long}"),
            format!("\"registry.example.com\": {{\"auth\": \"QVdTOmV5{long}\"}}"),
            format!("{{\"refreshToken\": \"{long}\"}}"),
            long,
        ] {
            assert_eq!(kinds(&text), [], "{text}");
        }
    }
}
