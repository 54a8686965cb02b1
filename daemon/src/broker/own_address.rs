//! An organisation's own address (`https://aws.acme.example`) → the start URL at AWS that it leads to.

use super::Broker;
use crate::aws::AwsError;
use crate::names::StartUrl;
use tegata_protocol::start_url::is_portal_of_aws;
use tegata_protocol::text::one_line;
use tegata_protocol::{ErrorBody, ErrorCode, body};

impl Broker {
    /// Follows an address to an access portal of AWS: one step, and to nowhere else (as AWS CLI does since 2.36). One that is at
    /// such a portal already is not asked.
    ///
    /// # Errors
    /// What is wrong with the address, or where it leads instead.
    pub async fn start_url(&self, address: &str) -> Result<body::StartUrl, ErrorBody> {
        self.unlocked()?;
        self.gated.leads_as_accepted().await?;
        let address = own_address(address)?;
        if is_portal_of_aws(address.host()) {
            return Ok(body::StartUrl { start_url: address.as_str().to_owned() });
        }
        let location = self.aws.redirect_of(&address).await.map_err(|error| unanswered(&address, error))?;
        let start_url = location.as_deref().and_then(portal).ok_or_else(|| leads_elsewhere(&address))?;
        Ok(body::StartUrl { start_url })
    }
}

/// An address that may be asked: https, at a host with a name and on the usual port. Others are services of this machine or network,
/// which nobody is to reach through the daemon.
fn own_address(text: &str) -> Result<StartUrl, ErrorBody> {
    let address = StartUrl::new(text).map_err(|error| ErrorBody::new(ErrorCode::BadRequest, error.to_string()))?;
    let named = address.host().contains('.') && !address.host().ends_with(|c: char| c.is_ascii_digit() || c == ']');
    let usual_port =
        !address.as_str().trim_start_matches("https://").split('/').next().unwrap_or_default().contains(':');
    if address.as_str().starts_with("https://") && named && usual_port {
        return Ok(address);
    }
    let message = format!("{} is no address such as https://aws.acme.example", one_line(text));
    Err(ErrorBody::new(ErrorCode::BadRequest, message))
}

/// Returns the start URL in a `Location`, if it is at one of AWS's own portals.
fn portal(location: &str) -> Option<String> {
    let start_url = StartUrl::new(location).ok().filter(|url| url.as_str().starts_with("https://"))?;
    is_portal_of_aws(start_url.host()).then(|| start_url.as_str().to_owned())
}

fn leads_elsewhere(address: &StartUrl) -> ErrorBody {
    let message =
        format!("{address} does not lead to an access portal of AWS; take the address that your browser ends up at");
    ErrorBody::new(ErrorCode::UpstreamRefused, message)
}

fn unanswered(address: &StartUrl, error: AwsError) -> ErrorBody {
    let detail = match error {
        AwsError::Unavailable { detail, .. } => detail,
        other => other.to_string(),
    };
    ErrorBody::new(ErrorCode::UpstreamUnavailable, format!("{address} did not answer: {detail}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d3_only_named_hosts_over_https_are_asked() {
        assert!(own_address("https://aws.acme.example/start").is_ok());
        for text in [
            "http://aws.acme.example",
            "http://127.0.0.1/start",
            "https://127.0.0.1",
            "https://[::1]/",
            "https://localhost/start",
            "https://metadata",
            "https://169.254.169.254/latest",
            "https://aws.acme.example:8443/start",
            "https://user@aws.acme.example",
            "file:///etc/passwd",
            "",
        ] {
            assert!(own_address(text).is_err(), "{text}");
        }
    }

    #[test]
    fn only_a_portal_of_aws_is_an_answer() {
        assert_eq!(portal("https://acme.awsapps.com/start/#/").as_deref(), Some("https://acme.awsapps.com/start"));
        for location in [
            "/start",
            "http://acme.awsapps.com/start",
            "https://acme.awsapps.com.evil.example/start",
            "https://evil.example/?https://acme.awsapps.com/start",
            "https://user@acme.awsapps.com/start",
        ] {
            assert_eq!(portal(location), None, "{location}");
        }
    }
}
