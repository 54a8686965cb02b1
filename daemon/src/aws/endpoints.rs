//! Which address each service has in a region. The SDKs' own resolvers know the partitions (China, GovCloud, the
//! European Sovereign Cloud), FIPS and dual-stack; an address from the settings wins over them.

use super::config::Config;
use super::{Authorize, AwsError, Endpoints};
use crate::names::Region;
use crate::partition::Partition;
use aws_smithy_runtime_api::client::endpoint::EndpointFuture;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use url::Url;

/// Everything but RFC 3986's unreserved characters; `url` would write a space as `+`.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Returns where tokens go.
pub(super) fn endpoints(config: &Config, region: &Region) -> Result<Endpoints, AwsError> {
    Ok(Endpoints { sso_oidc: sso_oidc(config, region)?, sso: sso(config, region)? })
}

fn sso_oidc(config: &Config, region: &Region) -> Result<String, AwsError> {
    use aws_sdk_ssooidc::config::endpoint::{DefaultResolver, Params, ResolveEndpoint};
    if let Some(url) = &config.endpoints.sso_oidc {
        return Ok(base(url));
    }
    let params = Params::builder()
        .region(region.as_str().to_owned())
        .use_fips(config.use_fips)
        .use_dual_stack(config.use_dual_stack)
        .build()
        .map_err(|error| no_endpoint(&error))?;
    resolved(ResolveEndpoint::resolve_endpoint(&DefaultResolver::new(), &params))
}

fn sso(config: &Config, region: &Region) -> Result<String, AwsError> {
    use aws_sdk_sso::config::endpoint::{DefaultResolver, Params, ResolveEndpoint};
    if let Some(url) = &config.endpoints.sso {
        return Ok(base(url));
    }
    let params = Params::builder()
        .region(region.as_str().to_owned())
        .use_fips(config.use_fips)
        .use_dual_stack(config.use_dual_stack)
        .build()
        .map_err(|error| no_endpoint(&error))?;
    resolved(ResolveEndpoint::resolve_endpoint(&DefaultResolver::new(), &params))
}

/// Returns where console logins begin and where their tokens go.
pub(super) fn signin(config: &Config, region: &Region) -> Result<String, AwsError> {
    use aws_sdk_signin::config::endpoint::{DefaultResolver, Params, ResolveEndpoint};
    if let Some(url) = &config.endpoints.signin {
        return Ok(base(url));
    }
    let params = Params::builder()
        .region(region.as_str().to_owned())
        .use_fips(config.use_fips)
        .use_dual_stack(config.use_dual_stack)
        .is_control_plane(false)
        .build()
        .map_err(|error| no_endpoint(&error))?;
    resolved(ResolveEndpoint::resolve_endpoint(&DefaultResolver::new(), &params))
}

/// Returns where console links come from and lead to, without a path. The SDKs have no table for it. A FIPS 140 endpoint is known
/// for GovCloud alone; elsewhere none is used in its place.
pub(super) fn federation(config: &Config, partition: Partition, region: &Region) -> Result<String, AwsError> {
    match (&config.endpoints.federation, config.use_fips, partition) {
        (Some(url), _, _) => Ok(base(url)),
        (None, false, _) => Ok(format!("https://{}", partition.federation_host(region))),
        (None, true, Partition::GovCloud) => Ok("https://signin-fips.amazonaws-us-gov.com".to_owned()),
        (None, true, _) => {
            Err(no_endpoint(&format!("no FIPS endpoint is known for the console of {}", partition.name())))
        }
    }
}

/// Returns the endpoint of IAM Roles Anywhere. The SDK has a table for it, and nothing else that is used here: what the table says
/// is the usual pattern (`partitions.json`), and FIPS endpoints in these regions alone.
pub(super) fn roles_anywhere(config: &Config, region: &Region) -> Result<String, AwsError> {
    const FIPS: [&str; 6] = ["us-east-1", "us-east-2", "us-west-1", "us-west-2", "us-gov-east-1", "us-gov-west-1"];
    if let Some(url) = &config.endpoints.rolesanywhere {
        return Ok(base(url));
    }
    let partition = Partition::of_region(region);
    let partition = partition.ok_or_else(|| no_endpoint(&format!("IAM Roles Anywhere is not known in {region}")))?;
    if config.use_fips && !FIPS.contains(&region.as_str()) {
        return Err(no_endpoint(&format!("IAM Roles Anywhere has no FIPS endpoint in {region}")));
    }
    let suffix = if config.use_dual_stack { partition.dual_stack_suffix() } else { partition.dns_suffix() };
    let variant = if config.use_fips { "-fips" } else { "" };
    Ok(format!("https://rolesanywhere{variant}.{region}.{suffix}"))
}

/// The resolvers are rule tables: they answer at once, although their type could wait.
fn resolved(future: EndpointFuture<'_>) -> Result<String, AwsError> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Ok(endpoint)) => Ok(endpoint.url().trim_end_matches('/').to_owned()),
        Poll::Ready(Err(error)) => Err(no_endpoint(error.as_ref())),
        Poll::Pending => Err(no_endpoint(&"the endpoint is not known at once")),
    }
}

pub(super) fn no_endpoint<E: ToString + ?Sized>(error: &E) -> AwsError {
    let message = tegata_protocol::text::one_line(&error.to_string());
    AwsError::Refused { operation: "the choice of an endpoint", code: String::from("NoEndpoint"), message }
}

/// An address as the SDK takes it: without the slash at the end.
pub(super) fn base(url: &Url) -> String {
    url.as_str().trim_end_matches('/').to_owned()
}

/// Returns the page on which the person authorizes: the parameters and their order are those of `aws sso login`, with
/// `scopes` in the plural.
pub(super) fn authorize_url(endpoint: &str, request: &Authorize<'_>) -> Result<Url, AwsError> {
    let Authorize { client_id, redirect_uri, state, challenge, scopes } = request;
    let scopes = scopes.join(" ");
    let parameters = [
        ("response_type", "code"),
        ("client_id", client_id),
        ("redirect_uri", redirect_uri),
        ("state", state),
        ("code_challenge_method", "S256"),
        ("scopes", &scopes),
        ("code_challenge", challenge),
    ];
    page(&format!("{endpoint}/authorize"), &parameters)
}

/// Returns the address of a page with these parameters.
pub(super) fn page(address: &str, parameters: &[(&str, &str)]) -> Result<Url, AwsError> {
    let query: Vec<String> =
        parameters.iter().map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, QUERY))).collect();
    Url::parse(&format!("{address}?{}", query.join("&"))).map_err(|error| no_endpoint(&error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::config::EndpointOverrides;

    fn at(region: &str, use_fips: bool, use_dual_stack: bool) -> Result<Endpoints, AwsError> {
        endpoints(&Config { use_fips, use_dual_stack, ..Config::default() }, &Region::new(region).unwrap())
    }

    #[test]
    fn each_partition_has_its_own_hosts_for_console_logins() {
        let found = |config: &Config, region: &str| signin(config, &Region::new(region).unwrap());
        let plain = Config::default();
        for (region, host) in [
            ("us-east-1", "https://us-east-1.signin.aws.amazon.com"),
            ("ap-northeast-1", "https://ap-northeast-1.signin.aws.amazon.com"),
            ("cn-north-1", "https://cn-north-1.signin.amazonaws.cn"),
            ("us-gov-west-1", "https://us-gov-west-1.signin.amazonaws-us-gov.com"),
            ("eusc-de-east-1", "https://eusc-de-east-1.signin.amazonaws-eusc.eu"),
        ] {
            assert_eq!(found(&plain, region).unwrap(), host);
        }
        let here = Some(Url::parse("http://127.0.0.1:7000/").unwrap());
        let endpoints = EndpointOverrides { signin: here, ..EndpointOverrides::default() };
        assert_eq!(found(&Config { endpoints, ..plain }, "us-east-1").unwrap(), "http://127.0.0.1:7000");
    }

    #[test]
    fn each_partition_has_its_own_domain() {
        for (region, oidc, portal) in [
            ("us-east-1", "https://oidc.us-east-1.amazonaws.com", "https://portal.sso.us-east-1.amazonaws.com"),
            (
                "cn-north-1",
                "https://oidc.cn-north-1.amazonaws.com.cn",
                "https://portal.sso.cn-north-1.amazonaws.com.cn",
            ),
            (
                "us-gov-west-1",
                "https://oidc.us-gov-west-1.amazonaws.com",
                "https://portal.sso.us-gov-west-1.amazonaws.com",
            ),
            (
                "eusc-de-east-1",
                "https://oidc.eusc-de-east-1.amazonaws.eu",
                "https://portal.sso.eusc-de-east-1.amazonaws.eu",
            ),
        ] {
            let found = at(region, false, false).unwrap();
            assert_eq!((found.sso_oidc.as_str(), found.sso.as_str()), (oidc, portal));
        }
    }

    #[test]
    fn fips_and_dual_stack_change_the_host() {
        assert_eq!(at("us-east-1", true, false).unwrap().sso_oidc, "https://oidc-fips.us-east-1.amazonaws.com");
        assert_eq!(at("us-east-1", true, false).unwrap().sso, "https://portal.sso-fips.us-east-1.amazonaws.com");
        assert_eq!(at("us-east-1", false, true).unwrap().sso_oidc, "https://oidc.us-east-1.api.aws");
        assert_eq!(at("us-east-1", false, true).unwrap().sso, "https://portal.sso.us-east-1.api.aws");
        assert_eq!(at("us-east-1", true, true).unwrap().sso_oidc, "https://oidc-fips.us-east-1.api.aws");
    }

    #[test]
    fn an_address_from_the_settings_wins_over_every_switch() {
        let sso_oidc = Some(Url::parse("http://127.0.0.1:7000/").unwrap());
        let overrides = EndpointOverrides { sso_oidc, ..EndpointOverrides::default() };
        let config = Config { endpoints: overrides, use_fips: true, use_dual_stack: true, ..Config::default() };
        let found = endpoints(&config, &Region::new("us-east-1").unwrap()).unwrap();
        assert_eq!(found.sso_oidc, "http://127.0.0.1:7000");
        assert_eq!(found.sso, "https://portal.sso-fips.us-east-1.api.aws");
    }

    #[test]
    fn the_federation_endpoint_follows_partition_and_settings() {
        let (gov, usual) = (Region::new("us-gov-west-1").unwrap(), Region::new("us-east-1").unwrap());
        let found = |config: &Config, partition, region| federation(config, partition, region);
        let plain = Config::default();
        assert_eq!(found(&plain, Partition::Aws, &usual).unwrap(), "https://signin.aws.amazon.com");
        assert_eq!(found(&plain, Partition::GovCloud, &gov).unwrap(), "https://signin.amazonaws-us-gov.com");
        let fips = Config { use_fips: true, ..Config::default() };
        assert_eq!(found(&fips, Partition::GovCloud, &gov).unwrap(), "https://signin-fips.amazonaws-us-gov.com");
        assert!(found(&fips, Partition::Aws, &usual).is_err(), "what is not FIPS does not stand in for it");
        let here = Some(Url::parse("http://127.0.0.1:7000/").unwrap());
        let endpoints = EndpointOverrides { federation: here, ..EndpointOverrides::default() };
        let config = Config { endpoints, use_fips: true, ..Config::default() };
        assert_eq!(found(&config, Partition::Aws, &usual).unwrap(), "http://127.0.0.1:7000");
    }

    /// What botocore 1.44.5 resolves for `rolesanywhere`.
    #[test]
    fn the_roles_anywhere_endpoint_follows_partition_variant_and_settings() {
        let found = |region: &str, use_fips, use_dual_stack| {
            let config = Config { use_fips, use_dual_stack, ..Config::default() };
            roles_anywhere(&config, &Region::new(region).unwrap())
        };
        for (region, use_fips, use_dual_stack, expected) in [
            ("us-east-1", false, false, "https://rolesanywhere.us-east-1.amazonaws.com"),
            ("us-east-1", true, false, "https://rolesanywhere-fips.us-east-1.amazonaws.com"),
            ("us-gov-west-1", true, true, "https://rolesanywhere-fips.us-gov-west-1.api.aws"),
            ("cn-north-1", false, false, "https://rolesanywhere.cn-north-1.amazonaws.com.cn"),
            ("cn-north-1", false, true, "https://rolesanywhere.cn-north-1.api.amazonwebservices.com.cn"),
            ("eusc-de-east-1", false, false, "https://rolesanywhere.eusc-de-east-1.amazonaws.eu"),
        ] {
            assert_eq!(found(region, use_fips, use_dual_stack).unwrap(), expected);
        }
        assert!(found("eu-west-1", true, false).is_err(), "what is not FIPS does not stand in for it");
        assert!(found("us-iso-east-1", false, false).is_err());
        let here = Some(Url::parse("http://127.0.0.1:7000/").unwrap());
        let endpoints = EndpointOverrides { rolesanywhere: here, ..EndpointOverrides::default() };
        let config = Config { endpoints, use_fips: true, ..Config::default() };
        assert_eq!(roles_anywhere(&config, &Region::new("eu-west-1").unwrap()).unwrap(), "http://127.0.0.1:7000");
    }

    #[test]
    fn the_authorize_page_is_asked_for_as_aws_expects_it() {
        let scopes = [String::from("sso:account:access"), String::from("codewhisperer:completions")];
        let request = Authorize {
            client_id: "abc-_",
            redirect_uri: "http://127.0.0.1:35001/oauth/callback",
            state: "st&te=1",
            challenge: "chal",
            scopes: &scopes,
        };
        let url = authorize_url("https://oidc.us-east-1.amazonaws.com", &request).unwrap();
        assert_eq!(
            url.as_str(),
            "https://oidc.us-east-1.amazonaws.com/authorize?response_type=code&client_id=abc-_\
             &redirect_uri=http%3A%2F%2F127.0.0.1%3A35001%2Foauth%2Fcallback&state=st%26te%3D1\
             &code_challenge_method=S256&scopes=sso%3Aaccount%3Aaccess%20codewhisperer%3Acompletions&code_challenge=chal"
        );
    }
}
