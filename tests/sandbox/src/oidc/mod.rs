//! SSO OIDC: registrations, both ways to consent, and tokens. Knows nothing of the portal but the sign-in sessions the
//! two share.

mod authorize;
mod device;
mod pages;
mod redirect;
mod register;
mod token;

use std::collections::HashMap;

pub(crate) use authorize::{authorize, decide_authorization};
pub use device::{Decision, DeviceAuthorization};
pub(crate) use device::{decide_device, device_page, start_device_authorization};
pub(crate) use register::register_client;
pub(crate) use token::create_token;

use crate::call::Call;
use crate::clock::EpochMs;
use crate::mint::Mint;
use crate::reply::Refusal;
use crate::settings::Settings;
use crate::sign_in::{Identity, SignIns};

/// The tables of SSO OIDC, keyed by client id, consent id, code and device code.
#[derive(Debug, Default)]
pub(crate) struct Oidc {
    pub(crate) registrations: HashMap<String, register::Registration>,
    consents: HashMap<String, authorize::Consent>,
    codes: HashMap<String, authorize::Code>,
    devices: HashMap<String, device::Device>,
}

/// What an SSO OIDC handler works on.
pub(crate) struct Desk<'a> {
    pub(crate) oidc: &'a mut Oidc,
    pub(crate) sign_ins: &'a mut SignIns,
    pub(crate) mint: &'a mut Mint,
    pub(crate) settings: &'a Settings,
    /// The plain HTTP listener, where the pages are.
    pub(crate) base_url: &'a str,
}

impl Desk<'_> {
    /// The identity of a user of the organisation with that start URL.
    fn identity(&self, start_url: &str, user: Option<&str>) -> Option<Identity> {
        let organization = self.settings.organization(start_url)?;
        let user = organization.user(user.unwrap_or(&organization.signed_in))?;
        Some(Identity {
            start_url: organization.start_url.clone(),
            region: organization.region.clone(),
            user: user.name.clone(),
        })
    }

    /// Whether a start URL names an organisation which lives in the region the request was sent to.
    fn knows(&self, start_url: &str, call: &Call) -> bool {
        let organization = self.settings.organization(start_url);
        organization.is_some_and(|found| call.endpoint.region().is_none_or(|region| region == found.region))
    }
}

/// The grant types a client can register.
const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";
const AUTHORIZATION_CODE: &str = "authorization_code";
const REFRESH_TOKEN: &str = "refresh_token";

fn refuse(code: &str, message: &str) -> Refusal {
    let status = if code == "InvalidClientException" { 401 } else { 400 };
    Refusal::new(status, code, message)
}

fn is_past(moment: EpochMs, now: EpochMs) -> bool {
    now >= moment
}
