//! From a request's host, method and path to the operation it calls.

use serde::{Deserialize, Serialize};

use crate::partition::Partition;

/// What a request asks for. CreateToken is told apart by grant, so that faults and counters can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Operation {
    /// SSO OIDC `POST /client/register`.
    RegisterClient,
    /// SSO OIDC `GET /authorize`, the browser's request.
    Authorize,
    /// The consent page's form, `POST /authorize`.
    AuthorizeDecision,
    /// SSO OIDC `POST /device_authorization`.
    StartDeviceAuthorization,
    /// The device page, `GET /device`.
    DevicePage,
    /// The device page's form, `POST /device`.
    DeviceDecision,
    /// SSO OIDC `POST /token` with grant type `authorization_code`.
    CreateTokenAuthorizationCode,
    /// SSO OIDC `POST /token` with the device code grant.
    CreateTokenDeviceCode,
    /// SSO OIDC `POST /token` with grant type `refresh_token`.
    CreateTokenRefreshToken,
    /// SSO OIDC `POST /token` with any other grant type, or none.
    CreateToken,
    /// Portal `GET /federation/credentials`.
    GetRoleCredentials,
    /// Portal `GET /assignment/accounts`.
    ListAccounts,
    /// Portal `GET /assignment/roles`.
    ListAccountRoles,
    /// Portal `POST /logout`.
    Logout,
    /// Sign-In `GET /v1/authorize`, the browser's request of a console login.
    LoginAuthorize,
    /// Sign-In `GET /v1/sessions/confirmation`, the page a code is carried over from.
    LoginConfirmation,
    /// Sign-In `POST /v1/token` with grant type `authorization_code`.
    CreateOAuth2TokenAuthorizationCode,
    /// Sign-In `POST /v1/token` with grant type `refresh_token`.
    CreateOAuth2TokenRefreshToken,
    /// Sign-In `POST /v1/token` with any other grant type, or none.
    CreateOAuth2Token,
    /// STS GetCallerIdentity.
    GetCallerIdentity,
    /// STS AssumeRole.
    AssumeRole,
    /// IAM Roles Anywhere `POST /sessions`.
    CreateSession,
    /// STS GetSessionToken.
    GetSessionToken,
    /// IAM CreateAccessKey.
    CreateAccessKey,
    /// IAM ListAccessKeys.
    ListAccessKeys,
    /// IAM UpdateAccessKey.
    UpdateAccessKey,
    /// IAM DeleteAccessKey.
    DeleteAccessKey,
    /// IAM GetAccessKeyLastUsed.
    GetAccessKeyLastUsed,
    /// IAM ListServiceSpecificCredentials.
    ListServiceSpecificCredentials,
    /// IAM GetUser.
    GetUser,
    /// An action of IAM that this double does not have.
    UnknownIamAction,
    /// STS AssumeRoleWithWebIdentity.
    AssumeRoleWithWebIdentity,
    /// Federation `Action=getSigninToken`, by GET or POST.
    GetSigninToken,
    /// Federation `Action=login`: a browser follows the link.
    ConsoleLogin,
    /// `GET /oauth?Action=logout`: the browser signs out of the console.
    ConsoleLogout,
    /// A page of the web console, on loopback alone.
    ConsolePage,
    /// EC2 instance metadata, `PUT /latest/api/token`.
    MetadataToken,
    /// EC2 instance metadata, the name of the instance's role.
    MetadataRoleName,
    /// EC2 instance metadata, the role's credentials.
    MetadataCredentials,
    /// EC2 instance metadata, everything else: the region, and what is not found.
    MetadataPlace,
    /// The credentials of an ECS task.
    ContainerCredentials,
    /// GitHub Actions, `GET …/idtoken`.
    GithubIdToken,
    /// An identity provider's `GET /.well-known/openid-configuration`.
    OpenidConfiguration,
    /// An identity provider's public keys.
    JsonWebKeys,
    /// STS with an action this double does not have.
    UnknownStsAction,
    /// Any path at [`OWN_ADDRESS`]: a redirect to where the settings say.
    OwnAddress,
    /// No operation: a wrong path, method or host.
    Unknown,
}

impl std::fmt::Display for Operation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self:?}")
    }
}

/// The host of an address of an organisation's own, which sends browsers to its access portal.
pub const OWN_ADDRESS: &str = "aws.acme.example";

/// The AWS services of this double.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    Oidc,
    Portal,
    Signin,
    Sts,
    Iam,
    Federation,
    RolesAnywhere,
    Instance,
    Container,
    Github,
    IdentityProvider,
}

impl Operation {
    /// The service whose error form an answer to this operation has.
    pub(crate) fn service(self) -> Service {
        match self {
            Self::GetRoleCredentials | Self::ListAccounts | Self::ListAccountRoles | Self::Logout => Service::Portal,
            Self::LoginAuthorize
            | Self::LoginConfirmation
            | Self::CreateOAuth2TokenAuthorizationCode
            | Self::CreateOAuth2TokenRefreshToken
            | Self::CreateOAuth2Token => Service::Signin,
            Self::CreateSession => Service::RolesAnywhere,
            Self::GetCallerIdentity
            | Self::AssumeRole
            | Self::AssumeRoleWithWebIdentity
            | Self::GetSessionToken
            | Self::UnknownStsAction => Service::Sts,
            Self::CreateAccessKey
            | Self::ListAccessKeys
            | Self::UpdateAccessKey
            | Self::DeleteAccessKey
            | Self::GetAccessKeyLastUsed
            | Self::ListServiceSpecificCredentials
            | Self::GetUser
            | Self::UnknownIamAction => Service::Iam,
            Self::MetadataToken | Self::MetadataRoleName | Self::MetadataCredentials | Self::MetadataPlace => {
                Service::Instance
            }
            Self::ContainerCredentials => Service::Container,
            Self::GithubIdToken => Service::Github,
            Self::OpenidConfiguration | Self::JsonWebKeys => Service::IdentityProvider,
            Self::GetSigninToken | Self::ConsoleLogin | Self::ConsoleLogout | Self::ConsolePage => Service::Federation,
            _ => Service::Oidc,
        }
    }
}

/// Where a request was addressed to, by its `Host`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Endpoint {
    /// A loopback address: every service, told apart by path; the organisation decides the region.
    Loopback,
    /// One of AWS's own hosts.
    Aws { service: Service, region: String },
    /// A fixed address of no region: of a machine in AWS, or of GitHub.
    Fixed(Service),
    /// The organisation's own address.
    OwnAddress,
    /// A host nobody here answers for.
    Foreign,
}

impl Endpoint {
    /// Reads a `Host` header, port or not.
    pub(crate) fn of_host(host: &str) -> Self {
        let name = host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()));
        let name = name.map_or(host, |(name, _)| name).to_ascii_lowercase();
        if matches!(name.as_str(), "127.0.0.1" | "localhost" | "[::1]") {
            return Self::Loopback;
        }
        if name == OWN_ADDRESS {
            return Self::OwnAddress;
        }
        if name == "sts.amazonaws.com" {
            return Self::Aws { service: Service::Sts, region: "us-east-1".to_owned() };
        }
        if let Some(partition) = iam_partition(&name) {
            return Self::Aws { service: Service::Iam, region: partition.iam_region().to_owned() };
        }
        if let Some(service) = fixed(&name) {
            return Self::Fixed(service);
        }
        aws_endpoint(&name).or_else(|| sign_in_endpoint(&name)).unwrap_or(Self::Foreign)
    }

    /// The region in the host name, when there is one.
    pub(crate) fn region(&self) -> Option<&str> {
        match self {
            Self::Aws { region, .. } => Some(region),
            Self::Loopback | Self::Fixed(_) | Self::OwnAddress | Self::Foreign => None,
        }
    }

    fn serves(&self, wanted: Service) -> bool {
        match self {
            Self::Loopback => true,
            // The hosts that sign in to one region's console also federate into it.
            Self::Aws { service: Service::Signin, .. } => matches!(wanted, Service::Signin | Service::Federation),
            Self::Aws { service, .. } | Self::Fixed(service) => *service == wanted,
            Self::OwnAddress | Self::Foreign => false,
        }
    }
}

fn fixed(name: &str) -> Option<Service> {
    match name {
        "169.254.169.254" => Some(Service::Instance),
        "169.254.170.2" => Some(Service::Container),
        _ => name.ends_with(".actions.githubusercontent.com").then_some(Service::Github),
    }
}

fn aws_endpoint(name: &str) -> Option<Endpoint> {
    const PREFIXES: [(&str, Service); 8] = [
        ("oidc.", Service::Oidc),
        ("oidc-fips.", Service::Oidc),
        ("portal.sso.", Service::Portal),
        ("portal.sso-fips.", Service::Portal),
        ("sts.", Service::Sts),
        ("sts-fips.", Service::Sts),
        ("rolesanywhere.", Service::RolesAnywhere),
        ("rolesanywhere-fips.", Service::RolesAnywhere),
    ];
    let (rest, service) = PREFIXES.iter().find_map(|(prefix, service)| Some((name.strip_prefix(prefix)?, *service)))?;
    let (region, suffix) = rest.split_once('.')?;
    let partition = Partition::of_region(region)?;
    let known = suffix == partition.dns_suffix() || suffix == partition.dual_stack_suffix();
    known.then(|| Endpoint::Aws { service, region: region.to_owned() })
}

/// The hosts of IAM, one for each partition (botocore 1.44, `iam` endpoint rule set), plain, FIPS and dual-stack.
fn iam_partition(name: &str) -> Option<Partition> {
    match name {
        "iam.amazonaws.com" | "iam-fips.amazonaws.com" | "iam.global.api.aws" => Some(Partition::Aws),
        "iam.cn-north-1.amazonaws.com.cn" | "iam.global.api.amazonwebservices.com.cn" => Some(Partition::China),
        "iam.us-gov.amazonaws.com" | "iam.us-gov.api.aws" => Some(Partition::GovCloud),
        "iam.eusc-de-east-1.amazonaws.eu" | "iam.global.api.amazonwebservices.eu" => Some(Partition::EuropeanSovereign),
        _ => None,
    }
}

/// The hosts at which consoles are signed in to: one for each region and, except in the European Sovereign Cloud, one for the whole
/// partition, which only federates.
fn sign_in_endpoint(name: &str) -> Option<Endpoint> {
    let region = match name {
        "signin.aws.amazon.com" => "us-east-1",
        "signin.amazonaws.cn" => "cn-north-1",
        "signin.amazonaws-us-gov.com" | "signin-fips.amazonaws-us-gov.com" => "us-gov-west-1",
        _ => {
            let (region, domain) = name.split_once('.')?;
            let partition = match domain {
                "signin.aws.amazon.com" => Partition::Aws,
                "signin.amazonaws.cn" => Partition::China,
                "signin.amazonaws-us-gov.com" => Partition::GovCloud,
                "signin.amazonaws-eusc.eu" => Partition::EuropeanSovereign,
                _ => return None,
            };
            let known = Partition::of_region(region) == Some(partition);
            return known.then(|| Endpoint::Aws { service: Service::Signin, region: region.to_owned() });
        }
    };
    Some(Endpoint::Aws { service: Service::Federation, region: region.to_owned() })
}

/// The operation of a request. `body` is looked at only for the grant type and the STS action.
pub(crate) fn operation(endpoint: &Endpoint, method: &str, path: &str, query: &str, body: &[u8]) -> Operation {
    if *endpoint == Endpoint::OwnAddress {
        return Operation::OwnAddress;
    }
    let found = match (method, path) {
        ("POST", "/client/register") => Operation::RegisterClient,
        ("GET", "/authorize") => Operation::Authorize,
        ("POST", "/authorize") => Operation::AuthorizeDecision,
        ("POST", "/device_authorization") => Operation::StartDeviceAuthorization,
        ("GET", "/device") => Operation::DevicePage,
        ("POST", "/device") => Operation::DeviceDecision,
        ("POST", "/token") => create_token(body),
        ("GET", "/v1/authorize") => Operation::LoginAuthorize,
        ("GET", "/v1/sessions/confirmation") => Operation::LoginConfirmation,
        ("POST", "/v1/token") => create_oauth2_token(body),
        ("GET", "/federation/credentials") => Operation::GetRoleCredentials,
        ("GET", "/assignment/accounts") => Operation::ListAccounts,
        ("GET", "/assignment/roles") => Operation::ListAccountRoles,
        ("POST", "/logout") => Operation::Logout,
        ("GET", "/federation") => federation_action(query.as_bytes()),
        ("POST", "/federation") => federation_action(body),
        ("POST", "/sessions") => Operation::CreateSession,
        ("GET", "/oauth") => Operation::ConsoleLogout,
        ("GET", "/console") if *endpoint == Endpoint::Loopback => Operation::ConsolePage,
        (_, "/latest/api/token") => Operation::MetadataToken,
        ("GET", "/.well-known/openid-configuration") => Operation::OpenidConfiguration,
        ("GET", "/.well-known/jwks.json") => Operation::JsonWebKeys,
        ("GET", path) if path.starts_with("/latest/") => metadata(path),
        ("GET", path) if path.starts_with("/v2/credentials/") => Operation::ContainerCredentials,
        ("GET", path) if path.ends_with("/idtoken") => Operation::GithubIdToken,
        ("POST", "/") => query_action(endpoint, body),
        ("GET", "/") if !query.is_empty() => query_action(endpoint, query.as_bytes()),
        _ => return Operation::Unknown,
    };
    if endpoint.serves(found.service()) { found } else { Operation::Unknown }
}

fn metadata(path: &str) -> Operation {
    match path.strip_prefix("/latest/meta-data/iam/security-credentials") {
        Some("" | "/") => Operation::MetadataRoleName,
        Some(rest) if rest.starts_with('/') => Operation::MetadataCredentials,
        _ => Operation::MetadataPlace,
    }
}

fn grant_type(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Grant {
        grant_type: String,
    }
    Some(serde_json::from_slice::<Grant>(body).ok()?.grant_type)
}

fn create_token(body: &[u8]) -> Operation {
    match grant_type(body).as_deref() {
        Some("authorization_code") => Operation::CreateTokenAuthorizationCode,
        Some("urn:ietf:params:oauth:grant-type:device_code") => Operation::CreateTokenDeviceCode,
        Some("refresh_token") => Operation::CreateTokenRefreshToken,
        _ => Operation::CreateToken,
    }
}

fn create_oauth2_token(body: &[u8]) -> Operation {
    match grant_type(body).as_deref() {
        Some("authorization_code") => Operation::CreateOAuth2TokenAuthorizationCode,
        Some("refresh_token") => Operation::CreateOAuth2TokenRefreshToken,
        _ => Operation::CreateOAuth2Token,
    }
}

fn federation_action(parameters: &[u8]) -> Operation {
    let action = form_urlencoded::parse(parameters).find(|(name, _)| name == "Action").map(|(_, action)| action);
    match action.as_deref() {
        Some("getSigninToken") => Operation::GetSigninToken,
        Some("login") => Operation::ConsoleLogin,
        _ => Operation::Unknown,
    }
}

/// The operation of STS or IAM. Where the host tells nothing, the version of an unknown action tells whose it is.
fn query_action(endpoint: &Endpoint, parameters: &[u8]) -> Operation {
    let value =
        |wanted: &str| form_urlencoded::parse(parameters).find(|(name, _)| name == wanted).map(|(_, value)| value);
    let is_iam = match endpoint {
        Endpoint::Aws { service, .. } => *service == Service::Iam,
        _ => value("Version").as_deref() == Some(crate::iam::VERSION),
    };
    match value("Action").as_deref() {
        Some("CreateAccessKey") if is_iam => Operation::CreateAccessKey,
        Some("ListAccessKeys") if is_iam => Operation::ListAccessKeys,
        Some("UpdateAccessKey") if is_iam => Operation::UpdateAccessKey,
        Some("DeleteAccessKey") if is_iam => Operation::DeleteAccessKey,
        Some("GetAccessKeyLastUsed") if is_iam => Operation::GetAccessKeyLastUsed,
        Some("ListServiceSpecificCredentials") if is_iam => Operation::ListServiceSpecificCredentials,
        Some("GetUser") if is_iam => Operation::GetUser,
        _ if is_iam => Operation::UnknownIamAction,
        Some("GetCallerIdentity") => Operation::GetCallerIdentity,
        Some("AssumeRole") => Operation::AssumeRole,
        Some("GetSessionToken") => Operation::GetSessionToken,
        Some("AssumeRoleWithWebIdentity") => Operation::AssumeRoleWithWebIdentity,
        _ => Operation::UnknownStsAction,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aws(service: Service, region: &str) -> Endpoint {
        Endpoint::Aws { service, region: region.to_owned() }
    }

    /// The hosts botocore 1.44.5 resolves for the four services, plain, dual-stack, FIPS, and both.
    #[test]
    fn hosts_of_every_partition_and_variant_find_their_service() {
        for (region, plain, dual) in [
            ("us-east-1", "amazonaws.com", "api.aws"),
            ("us-gov-west-1", "amazonaws.com", "api.aws"),
            ("cn-north-1", "amazonaws.com.cn", "api.amazonwebservices.com.cn"),
            ("eusc-de-east-1", "amazonaws.eu", "api.amazonwebservices.eu"),
        ] {
            for (head, service) in [
                ("oidc", Service::Oidc),
                ("oidc-fips", Service::Oidc),
                ("portal.sso", Service::Portal),
                ("portal.sso-fips", Service::Portal),
                ("sts", Service::Sts),
                ("sts-fips", Service::Sts),
                ("rolesanywhere", Service::RolesAnywhere),
                ("rolesanywhere-fips", Service::RolesAnywhere),
            ] {
                for suffix in [plain, dual] {
                    let host = format!("{head}.{region}.{suffix}");
                    assert_eq!(Endpoint::of_host(&host), aws(service, region), "{host}");
                }
            }
        }
    }

    #[test]
    fn each_partition_signs_in_to_its_console_at_a_host_of_its_own() {
        for (host, region) in [
            ("signin.aws.amazon.com", "us-east-1"),
            ("signin.amazonaws.cn", "cn-north-1"),
            ("signin.amazonaws-us-gov.com", "us-gov-west-1"),
        ] {
            assert_eq!(Endpoint::of_host(host), aws(Service::Federation, region), "{host}");
        }
        for host in
            ["signin.amazonaws-eusc.eu", "cn-north-1.signin.aws.amazon.com", "signin.aws.amazon.com.evil.example"]
        {
            assert_eq!(Endpoint::of_host(host), Endpoint::Foreign, "{host}");
        }
        let portal = Endpoint::of_host("portal.sso.us-east-1.amazonaws.com");
        assert_eq!(operation(&portal, "POST", "/federation", "", b"Action=getSigninToken"), Operation::Unknown);
        let federation = Endpoint::of_host("signin.aws.amazon.com");
        assert_eq!(operation(&federation, "GET", "/federation", "Action=login", b""), Operation::ConsoleLogin);
        assert_eq!(operation(&federation, "GET", "/console", "", b""), Operation::Unknown);
    }

    #[test]
    fn a_regions_host_signs_in_by_login_and_by_federation_and_a_partitions_only_federates() {
        for (host, region) in [
            ("eu-west-1.signin.aws.amazon.com", "eu-west-1"),
            ("cn-north-1.signin.amazonaws.cn", "cn-north-1"),
            ("us-gov-west-1.signin.amazonaws-us-gov.com", "us-gov-west-1"),
            ("eusc-de-east-1.signin.amazonaws-eusc.eu", "eusc-de-east-1"),
        ] {
            let endpoint = Endpoint::of_host(host);
            assert_eq!(endpoint, aws(Service::Signin, region), "{host}");
            assert_eq!(operation(&endpoint, "GET", "/v1/authorize", "", b""), Operation::LoginAuthorize);
            assert_eq!(operation(&endpoint, "GET", "/federation", "Action=login", b""), Operation::ConsoleLogin);
            assert_eq!(operation(&endpoint, "POST", "/token", "", b""), Operation::Unknown);
        }
        let partition = Endpoint::of_host("signin.aws.amazon.com");
        assert_eq!(operation(&partition, "POST", "/v1/token", "", b""), Operation::Unknown);
    }

    #[test]
    fn a_port_capitals_and_the_global_endpoint_are_understood() {
        for host in ["sts.us-east-1.amazonaws.com:443", "STS.us-east-1.AmazonAWS.com", "sts.amazonaws.com"] {
            assert_eq!(Endpoint::of_host(host), aws(Service::Sts, "us-east-1"), "{host}");
        }
    }

    #[test]
    fn a_host_outside_aws_or_with_the_wrong_suffix_is_foreign() {
        for host in [
            "evil.example",
            "oidc.us-east-1.amazonaws.com.cn",
            "sts.cn-north-1.amazonaws.com",
            "oidc.mars-1.amazonaws.com",
            "sts.us-east-1.amazonaws.com.evil.example",
            "",
        ] {
            assert_eq!(Endpoint::of_host(host), Endpoint::Foreign, "{host}");
        }
    }

    #[test]
    fn loopback_serves_every_service_by_path() {
        for host in ["127.0.0.1:7000", "localhost", "[::1]:80"] {
            let endpoint = Endpoint::of_host(host);
            assert_eq!(operation(&endpoint, "GET", "/assignment/roles", "", b""), Operation::ListAccountRoles);
            assert_eq!(operation(&endpoint, "POST", "/", "", b"Version=1&Action=AssumeRole"), Operation::AssumeRole);
            assert_eq!(operation(&endpoint, "POST", "/client/register", "", b""), Operation::RegisterClient);
        }
    }

    #[test]
    fn one_services_path_on_anothers_host_is_unknown() {
        let oidc = Endpoint::of_host("oidc.us-east-1.amazonaws.com");
        assert_eq!(operation(&oidc, "POST", "/client/register", "", b""), Operation::RegisterClient);
        assert_eq!(operation(&oidc, "POST", "/logout", "", b""), Operation::Unknown);
        assert_eq!(operation(&oidc, "GET", "/client/register", "", b""), Operation::Unknown);
        assert_eq!(operation(&Endpoint::Foreign, "POST", "/client/register", "", b""), Operation::Unknown);
    }

    #[test]
    fn create_token_is_told_apart_by_grant() {
        let token = |body: &str| operation(&Endpoint::Loopback, "POST", "/token", "", body.as_bytes());
        assert_eq!(token(r#"{"grantType":"refresh_token"}"#), Operation::CreateTokenRefreshToken);
        assert_eq!(token(r#"{"grantType":"authorization_code"}"#), Operation::CreateTokenAuthorizationCode);
        assert_eq!(token(r#"{"grantType":"password"}"#), Operation::CreateToken);
        assert_eq!(token("not json"), Operation::CreateToken);
    }
}
