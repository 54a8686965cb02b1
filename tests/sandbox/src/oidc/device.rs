//! The device authorization flow (RFC 8628): codes, the page a person opens, polling.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{DEVICE_CODE, Desk, is_past, pages, refuse};
use crate::call::{Answer, Call, invalid_request};
use crate::clock::{EpochMs, millis};
use crate::mint::{SecretKind, letters};
use crate::reply::{Refusal, Reply};
use crate::settings::{DeviceApproval, Settings};
use crate::sign_in::Identity;

/// What became of a device code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Allowed, as this user; `null` is the organisation's signed-in user.
    Allow(Option<String>),
    /// Denied.
    Deny,
}

/// A device code as the control API shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeviceAuthorization {
    /// The code the person compares and enters.
    pub user_code: String,
    /// How often it was polled.
    pub polls: u32,
    /// What was decided, if anything yet.
    pub decision: Option<Decision>,
}

#[derive(Debug)]
pub(super) struct Device {
    user_code: String,
    client_id: String,
    start_url: String,
    expires: EpochMs,
    interval_ms: i64,
    last_poll: Option<EpochMs>,
    polls: u32,
    decision: Option<Decision>,
    spent: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Request {
    client_id: String,
    client_secret: String,
    start_url: String,
}

/// StartDeviceAuthorization.
pub(crate) fn start_device_authorization(desk: &mut Desk<'_>, call: &Call) -> Answer {
    let request: Request = call.json()?;
    let client = desk.authenticated(&request.client_id, &request.client_secret, call)?;
    if !client.may_use(DEVICE_CODE) {
        return Err(refuse("UnauthorizedClientException", "The client did not register the device code grant"));
    }
    if !desk.knows(&request.start_url, call) {
        return Err(invalid_request("Unknown startUrl"));
    }
    let device_code = desk.mint.secret(SecretKind::DeviceCode, 0);
    let device = Device::new(desk.settings, request, call.now);
    let answer = answer(desk, &device_code, &device.user_code);
    desk.oidc.devices.insert(device_code, device);
    Ok(answer)
}

fn answer(desk: &Desk<'_>, device_code: &str, user_code: &str) -> Reply {
    let flow = &desk.settings.device;
    let page = flow.verification_uri.clone().unwrap_or_else(|| format!("{}/device", desk.base_url));
    let mut answer = json!({
        "deviceCode": device_code,
        "userCode": user_code,
        "verificationUri": page,
        "verificationUriComplete": format!("{page}?user_code={user_code}"),
        "expiresIn": desk.settings.lifetimes.device_code.as_secs(),
    });
    if flow.states_interval {
        answer["interval"] = flow.interval.into();
    }
    Reply::json(200, &answer)
}

impl Device {
    fn new(settings: &Settings, request: Request, now: EpochMs) -> Self {
        let interval = if settings.device.states_interval { settings.device.interval } else { 5 };
        Self {
            user_code: user_code(),
            client_id: request.client_id,
            start_url: request.start_url,
            expires: now + millis(settings.lifetimes.device_code),
            interval_ms: i64::try_from(interval).unwrap_or(i64::MAX).saturating_mul(1000),
            last_poll: None,
            polls: 0,
            decision: None,
            spent: false,
        }
    }

    /// Counts a poll, and lengthens the interval by five seconds when it came too soon (RFC 8628 section 3.5).
    fn poll(&mut self, now: EpochMs) -> Result<(), Refusal> {
        self.polls += 1;
        let too_soon = self.last_poll.replace(now).is_some_and(|last| now - last < self.interval_ms);
        if too_soon {
            self.interval_ms += 5000;
            return Err(refuse("SlowDownException", "Polled more often than the interval allows"));
        }
        Ok(())
    }

    fn verdict(&self, approval: DeviceApproval) -> Option<Decision> {
        match (&self.decision, approval) {
            (Some(decision), _) => Some(decision.clone()),
            (None, DeviceApproval::Denied) => Some(Decision::Deny),
            (None, DeviceApproval::AfterPolls(pending)) if self.polls > pending => Some(Decision::Allow(None)),
            (None, _) => None,
        }
    }
}

/// Eight letters in two groups, without vowels or look-alikes (RFC 8628 section 6.1).
fn user_code() -> String {
    let letters = letters(b"BCDFGHJKLMNPQRSTVWXZ", 8);
    format!("{}-{}", &letters[..4], &letters[4..])
}

/// One poll of CreateToken: who signed in, or why not yet.
pub(super) fn poll(desk: &mut Desk<'_>, device_code: &str, client_id: &str, now: EpochMs) -> Result<Identity, Refusal> {
    let unknown = || refuse("InvalidGrantException", "Invalid device code provided");
    let device = desk.oidc.devices.get_mut(device_code).ok_or_else(unknown)?;
    if device.client_id != client_id || device.spent {
        return Err(unknown());
    }
    if is_past(device.expires, now) {
        return Err(refuse("ExpiredTokenException", "The device code has expired"));
    }
    device.poll(now)?;
    let pending = || refuse("AuthorizationPendingException", "The user has not decided yet");
    let verdict = device.verdict(desk.settings.device.approval).ok_or_else(pending)?;
    device.spent = true;
    let start_url = device.start_url.clone();
    match verdict {
        Decision::Deny => Err(refuse("AccessDeniedException", "The user denied the request")),
        Decision::Allow(user) => desk.identity(&start_url, user.as_deref()).ok_or_else(unknown),
    }
}

/// `GET /device`, with or without `user_code`.
pub(crate) fn device_page(desk: &mut Desk<'_>, call: &Call) -> Answer {
    let query = call.query_of(&["user_code"])?;
    let user_code = query.get("user_code").unwrap_or_default();
    let organization = desk
        .oidc
        .devices
        .values()
        .find(|device| device.user_code == user_code)
        .and_then(|device| desk.settings.organization(&device.start_url))
        .or_else(|| desk.settings.organizations.first());
    Ok(Reply::html(200, organization.map(|found| pages::device(user_code, found)).unwrap_or_default()))
}

/// `POST /device`, the form of the device page.
pub(crate) fn decide_device(desk: &mut Desk<'_>, call: &Call) -> Answer {
    let form = call.form()?;
    let decision = match form.required("decision")? {
        "allow" => Decision::Allow(form.get("user").map(str::to_owned)),
        "deny" => Decision::Deny,
        _ => return Err(invalid_request("decision must be allow or deny")),
    };
    if !desk.oidc.decide(form.required("user_code")?, &decision, call.now) {
        return Ok(Reply::html(
            404,
            pages::note("Code not found", "No open request has this code. Check it and try again."),
        ));
    }
    let heading = if decision == Decision::Deny { "Request denied" } else { "Request approved" };
    Ok(Reply::html(200, pages::note(heading, "You can close this window and go back to your terminal.")))
}

impl super::Oidc {
    /// Decides an open device code by its user code; false when there is none.
    pub(crate) fn decide(&mut self, user_code: &str, decision: &Decision, now: EpochMs) -> bool {
        let typed = user_code.trim().to_ascii_uppercase();
        let open = |device: &&mut Device| {
            device.user_code == typed && device.decision.is_none() && !device.spent && !is_past(device.expires, now)
        };
        let found = self.devices.values_mut().find(open);
        found.map(|device| device.decision = Some(decision.clone())).is_some()
    }

    pub(crate) fn device_authorizations(&self) -> Vec<DeviceAuthorization> {
        let shown = |device: &Device| DeviceAuthorization {
            user_code: device.user_code.clone(),
            polls: device.polls,
            decision: device.decision.clone(),
        };
        self.devices.values().map(shown).collect()
    }
}
