//! AWS's web console: where a link leads, how long the session behind it lasts, what the link looks like. Pure.
//!
//! Knows no HTTP and no credentials; asking AWS for the sign-in token is the AWS room's, deciding and recording the broker's.

mod destination;
mod duration;
mod services;

pub use destination::{Destination, DestinationFault};
pub use duration::{Bounds, DurationFault, possible, session_duration};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tegata_protocol::Secret;
use zeroize::Zeroizing;

/// How long AWS accepts a link (IAM User Guide, "Enable custom identity broker access to the AWS console").
pub const LINK_LIFE: std::time::Duration = std::time::Duration::from_secs(15 * 60);

/// Everything but RFC 3986's unreserved characters.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Who sends people to the console, in AWS's own records.
const ISSUER: &str = "tegata";

/// Why there is no link.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConsoleFault {
    /// The place is none of the console's.
    #[error(transparent)]
    Destination(#[from] DestinationFault),
    /// The session cannot last as long as that.
    #[error(transparent)]
    Duration(#[from] DurationFault),
    /// The account is in a partition whose console cannot be looked up.
    #[error("no console is known for {0}")]
    Nowhere(String),
    /// AWS takes credentials of roles and federated users there (IAM User Guide, "Enable custom identity broker access to the AWS console").
    #[error(
        "AWS's console takes no session of an IAM user's own access keys, which {0} starts from; name a role that the user may assume: \
         tegata_role_arn, with tegata_source_profile = {0}"
    )]
    UserSession(String),
}

/// Returns the link that signs in: `endpoint` is the federation endpoint without a path.
///
/// Signing out first is a redirect of AWS's own; it is not in AWS's documentation, and every comparable tool does it so.
#[must_use]
pub fn link(endpoint: &str, destination: &Destination, token: &Secret, sign_out_first: bool) -> Secret {
    let login = Zeroizing::new(format!(
        "{endpoint}/federation?Action=login&Issuer={ISSUER}&Destination={}&SigninToken={}",
        utf8_percent_encode(destination.as_str(), QUERY),
        utf8_percent_encode(token.expose_secret(), QUERY)
    ));
    if !sign_out_first {
        return Secret::new((*login).clone());
    }
    Secret::new(format!("{endpoint}/oauth?Action=logout&redirect_uri={}", utf8_percent_encode(&login, QUERY)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::Region;
    use crate::partition::Partition;

    fn destination() -> Destination {
        let region = Region::new("eu-west-1").unwrap();
        Destination::new(Partition::Aws, &region, Some("s3"), None).unwrap()
    }

    #[test]
    fn a_link_carries_its_destination_and_its_token_escaped() {
        let token = Secret::new("a+b/c=&d".to_owned());
        assert_eq!(
            link("https://signin.aws.amazon.com", &destination(), &token, false).expose_secret(),
            "https://signin.aws.amazon.com/federation?Action=login&Issuer=tegata&Destination=https%3A%2F%2Feu-west-1.console.\
             aws.amazon.com%2Fs3%2Fhome%3Fregion%3Deu-west-1&SigninToken=a%2Bb%2Fc%3D%26d"
        );
    }

    #[test]
    fn signing_out_first_leads_to_the_same_link() {
        let token = Secret::new("t".to_owned());
        let plain = link("https://signin.aws.amazon.com", &destination(), &token, false);
        let out = link("https://signin.aws.amazon.com", &destination(), &token, true);
        let (start, rest) = out.expose_secret().split_once("&redirect_uri=").unwrap();
        assert_eq!(start, "https://signin.aws.amazon.com/oauth?Action=logout");
        assert_eq!(percent_encoding::percent_decode_str(rest).decode_utf8().unwrap(), plain.expose_secret());
    }
}
