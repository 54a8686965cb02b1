//! An AWS double for tests: SSO OIDC, the SSO portal, STS, IAM, the federation endpoint of the web console, AWS Sign-In, IAM Roles Anywhere, and what
//! a machine without a person has (instance and task metadata, tokens of identity providers), at least as strict as AWS, on 127.0.0.1 only.
//!
//! It runs on a thread of its own, so synchronous and asynchronous tests use it alike, and it stops when dropped:
//!
//! ```
//! use std::time::Duration;
//! use tegata_sandbox::{Effect, Fault, HoldUntil, Operation, Sandbox};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let sandbox = Sandbox::start()?;
//! // Point a client at `sandbox.url()`: it is the endpoint of SSO OIDC, SSO, Sign-In, STS and IAM at once.
//! assert!(sandbox.url().starts_with("http://127.0.0.1:"));
//!
//! // Knobs: everything in `Settings`, in force from the next request on.
//! sandbox.configure(|settings| {
//!     settings.lifetimes.access_token = Duration::from_secs(5);
//!     settings.organizations[0].signed_in = "bob".to_owned();
//! });
//! // The third GetRoleCredentials from now on answers 500.
//! let oops = Effect::Error {
//!     status: 500,
//!     code: "InternalServerException".to_owned(),
//!     message: "oops".to_owned(),
//!     retry_after: None,
//! };
//! sandbox.fault(Fault::on(Operation::GetRoleCredentials, oops).skip(2).times(1));
//! // Keep answers back until the test says go, or until 500 requests wait.
//! sandbox.hold(Operation::ListAccounts, HoldUntil::Released);
//! sandbox.hold(Operation::ListAccountRoles, HoldUntil::Waiting(500));
//! sandbox.release(Operation::ListAccounts);
//! // What came in, and every secret that went out.
//! assert_eq!(sandbox.calls(Operation::GetRoleCredentials), 0);
//! assert!(sandbox.requests().is_empty() && sandbox.minted_secrets().is_empty());
//! // Hours pass.
//! sandbox.advance(Duration::from_secs(3 * 3600));
//! # Ok(())
//! # }
//! ```
//!
//! The start organisation is [`Organization::default`]: start URL [`START_URL`], region us-east-1, user alice signed in,
//! account 123456789012 with roles `Admin` and `ReadOnly`. Real host names are reached through
//! [`Sandbox::proxy_url`] with [`Sandbox::ca_pem_path`] as CA bundle. The binary `tegata-sandbox` offers the same over
//! HTTP under `/_control/`.
//!
//! It knows nothing of Tegata.

mod body;
mod call;
mod clock;
mod control;
mod faults;
mod federation;
mod github;
mod http_control;
mod iam;
mod identity_provider;
mod issued;
mod metadata;
mod mint;
mod oidc;
mod operation;
mod organization;
mod paging;
mod partition;
mod portal;
mod proxy;
mod reply;
mod roles_anywhere;
mod sandbox;
mod server;
mod settings;
mod sign_in;
mod signin;
mod sigv4;
mod state;
mod sts;
mod tls;
mod totp;
mod traffic;
mod users;

pub use clock::EpochMs;
pub use control::Control;
pub use faults::{Effect, Fault};
pub use federation::ConsoleSignIn;
pub use github::GithubJob;
pub use identity_provider::{Algorithm, IdentityProvider, SignedBy, TokenOrder};
pub use issued::{IssuedCredentials, Principal, PrincipalKind};
pub use metadata::{Container, Instance};
pub use mint::{CANARY, MintedSecret, SecretKind};
pub use oidc::{Decision, DeviceAuthorization};
pub use operation::{OWN_ADDRESS, Operation};
pub use organization::{Account, Organization, Role, RoleKeys, START_URL, User};
pub use roles_anywhere::{
    CertificateAuthority, CertificateSession, IssuedCertificate, KeyKind, RolesAnywhere, RolesAnywhereProfile, Subject,
    TrustAnchor,
};
pub use sandbox::{Options, Sandbox, StartError};
pub use settings::{
    Consent, DeviceApproval, DeviceFlow, ExpirationForm, Lifetimes, RefreshReuse, Settings, TokenBucket,
};
pub use signin::{ConsoleLogin, Login};
pub use sts::{AssumedRole, IamRole, RoleForToken, Trust, TrustedTokens, UserSession};
pub use traffic::{HoldUntil, RecordedRequest};
pub use users::{AccessKey, IamUser, KeyUse, MfaDevice, ServiceCredential, UserError};
