//! What a test may do to a running sandbox. The library and the HTTP control API both go through here.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;

use crate::clock::{EpochMs, millis};
use crate::faults::Fault;
use crate::federation::ConsoleSignIn;
use crate::github::GithubJob;
use crate::identity_provider::{self, TokenOrder};
use crate::issued::IssuedCredentials;
use crate::mint::MintedSecret;
use crate::oidc::{Decision, DeviceAuthorization};
use crate::operation::Operation;
use crate::roles_anywhere::CertificateSession;
use crate::settings::Settings;
use crate::signin::Login;
use crate::state::State;
use crate::sts::{AssumedRole, RoleForToken, UserSession};
use crate::traffic::{HoldUntil, RecordedRequest};
use crate::users::{AccessKey, IamUser, MfaDevice, ServiceCredential, UserError};

/// A handle on a sandbox's behaviour and memory; clones share it, and it may be used from any thread.
#[derive(Debug, Clone)]
pub struct Control {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

impl Control {
    pub(crate) fn new(state: State) -> Self {
        Self { shared: Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new() }) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Works on the state and wakes whoever waits for a change of it.
    pub(crate) fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        let result = work(&mut self.lock());
        self.shared.changed.notify_all();
        result
    }

    /// The settings in force.
    #[must_use]
    pub fn settings(&self) -> Settings {
        self.lock().settings.clone()
    }

    /// Changes settings, from the next request on.
    pub fn configure(&self, change: impl FnOnce(&mut Settings)) {
        self.with(|state| change(&mut state.settings));
    }

    /// Changes settings by a JSON merge patch (RFC 7396).
    ///
    /// # Errors
    /// An unknown knob, or a value of the wrong type; the settings stay as they were.
    pub fn patch(&self, patch: &Value) -> Result<(), serde_json::Error> {
        let mut settings = serde_json::to_value(self.settings())?;
        merge(&mut settings, patch);
        let settings = serde_json::from_value(settings)?;
        self.configure(|current| *current = settings);
        Ok(())
    }

    /// The sandbox's time in milliseconds since the epoch.
    #[must_use]
    pub fn now_ms(&self) -> EpochMs {
        self.lock().clock.now()
    }

    /// Moves the clock forward.
    pub fn advance(&self, by: Duration) {
        self.move_clock(millis(by));
    }

    /// Moves the clock by milliseconds, backward when negative.
    pub fn move_clock(&self, ms: i64) {
        self.with(|state| state.clock.move_by(ms));
    }

    /// Puts a fault on an operation.
    pub fn fault(&self, fault: Fault) {
        self.with(|state| state.traffic.faults.put(fault));
    }

    /// The faults put on, in order, spent ones included.
    #[must_use]
    pub fn faults(&self) -> Vec<Fault> {
        self.lock().traffic.faults.list()
    }

    /// Takes all faults off.
    pub fn clear_faults(&self) {
        self.with(|state| state.traffic.faults.clear());
    }

    /// Makes further requests of the operation wait before anything is done for them. A second hold on an operation
    /// releases the first.
    pub fn hold(&self, operation: Operation, until: HoldUntil) {
        self.with(|state| state.traffic.hold(operation, until));
    }

    /// Lets held requests go on; false when the operation was not held.
    pub fn release(&self, operation: Operation) -> bool {
        self.with(|state| state.traffic.release(operation))
    }

    /// How many requests a hold keeps waiting now.
    #[must_use]
    pub fn waiting(&self, operation: Operation) -> usize {
        self.lock().traffic.waiting(operation)
    }

    /// Blocks until a hold keeps at least `count` requests waiting; false when that took longer than the deadline.
    #[must_use]
    pub fn wait_for_waiting(&self, operation: Operation, count: usize, deadline: Duration) -> bool {
        self.wait_until(deadline, |state| state.traffic.waiting(operation) >= count)
    }

    /// Blocks until a hold keeps no request waiting, because they went on or their clients left; false when that took
    /// longer than the deadline.
    #[must_use]
    pub fn wait_until_nobody_waits(&self, operation: Operation, deadline: Duration) -> bool {
        self.wait_until(deadline, |state| state.traffic.waiting(operation) == 0)
    }

    /// Blocks until the operation was called at least `count` times; false when that took longer than the deadline.
    #[must_use]
    pub fn wait_for_calls(&self, operation: Operation, count: u64, deadline: Duration) -> bool {
        self.wait_until(deadline, |state| state.traffic.calls(operation) >= count)
    }

    fn wait_until(&self, deadline: Duration, condition: impl Fn(&State) -> bool) -> bool {
        let waited = self.shared.changed.wait_timeout_while(self.lock(), deadline, |state| !condition(state));
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    /// How often the operation was called, refused and spoiled calls included.
    #[must_use]
    pub fn calls(&self, operation: Operation) -> u64 {
        self.lock().traffic.calls(operation)
    }

    /// The same for every operation called at all.
    #[must_use]
    pub fn counters(&self) -> BTreeMap<Operation, u64> {
        self.lock().traffic.counters()
    }

    /// Every request, oldest first (the newest 20,000).
    #[must_use]
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.lock().traffic.requests()
    }

    /// The requests of one operation, oldest first.
    #[must_use]
    pub fn requests_of(&self, operation: Operation) -> Vec<RecordedRequest> {
        self.requests().into_iter().filter(|request| request.operation == operation).collect()
    }

    /// `host:port` of every CONNECT the proxy accepted.
    #[must_use]
    pub fn proxy_connects(&self) -> Vec<String> {
        self.lock().traffic.connects.clone()
    }

    /// Forgets counters, recorded requests and proxy connects.
    pub fn forget_traffic(&self) {
        self.with(|state| state.traffic.forget());
    }

    /// Every secret handed out so far.
    #[must_use]
    pub fn minted_secrets(&self) -> Vec<MintedSecret> {
        self.lock().mint.minted().to_vec()
    }

    /// Every set of role credentials handed out so far.
    #[must_use]
    pub fn issued_credentials(&self) -> Vec<IssuedCredentials> {
        self.lock().ledger.all()
    }

    /// Every AssumeRole that succeeded.
    #[must_use]
    pub fn assumed_roles(&self) -> Vec<AssumedRole> {
        self.lock().assumed.clone()
    }

    /// Every console login (`aws login`), oldest first.
    #[must_use]
    pub fn logins(&self) -> Vec<Login> {
        self.lock().logins.all.clone()
    }

    /// Ends every console login, as a changed password does; what it handed out stays good.
    pub fn end_logins(&self) {
        self.with(|state| state.logins.end_all());
    }

    /// Every CreateSession that succeeded.
    #[must_use]
    pub fn certificate_sessions(&self) -> Vec<CertificateSession> {
        self.lock().certificate_sessions.clone()
    }

    /// Every GetSessionToken that succeeded.
    #[must_use]
    pub fn user_sessions(&self) -> Vec<UserSession> {
        self.lock().user_sessions.clone()
    }

    /// Every AssumeRoleWithWebIdentity that succeeded.
    #[must_use]
    pub fn roles_for_tokens(&self) -> Vec<RoleForToken> {
        self.lock().for_tokens.clone()
    }

    /// Makes a token of an identity provider.
    #[must_use]
    pub fn web_identity_token(&self, order: &TokenOrder) -> String {
        self.with(|state| {
            let now = state.clock.now();
            identity_provider::sign(order, &state.keys, &mut state.mint, now)
        })
    }

    /// Begins a job of GitHub Actions that may ask for identity tokens, at this sandbox.
    #[must_use]
    pub fn begin_github_job(&self) -> GithubJob {
        self.with(|state| state.jobs.begin(&mut state.mint, &state.base_url))
    }

    /// Ends all jobs of GitHub Actions: their tokens are dead.
    pub fn end_github_jobs(&self) {
        self.with(|state| state.jobs.end_all());
    }

    /// Every browser that signed in to the console.
    #[must_use]
    pub fn console_sign_ins(&self) -> Vec<ConsoleSignIn> {
        self.lock().federation.sign_ins.clone()
    }

    /// A new IAM user, or an account's root user, without keys. Its partition is in the ARN.
    ///
    /// # Errors
    /// No ARN of a user, or one that is taken.
    pub fn add_iam_user(&self, arn: &str) -> Result<(), UserError> {
        self.with(|state| state.users.add(arn, state.clock.now()).map(|_| ()))
    }

    /// Every IAM user with keys and devices.
    #[must_use]
    pub fn iam_users(&self) -> Vec<IamUser> {
        self.lock().users.all().to_vec()
    }

    /// Makes a user an access key, as an administrator in the console would.
    ///
    /// # Errors
    /// No such user, or two keys already.
    pub fn create_access_key(&self, arn: &str) -> Result<AccessKey, UserError> {
        self.with(|state| state.users.create_key(arn, &mut state.mint, state.clock.now()))
    }

    /// Switches an access key on or off.
    ///
    /// # Errors
    /// No such user or key.
    pub fn set_access_key_active(&self, arn: &str, id: &str, active: bool) -> Result<(), UserError> {
        self.with(|state| state.users.set_active(arn, id, active))
    }

    /// Deletes an access key.
    ///
    /// # Errors
    /// No such user or key.
    pub fn delete_access_key(&self, arn: &str, id: &str) -> Result<(), UserError> {
        self.with(|state| state.users.delete_key(arn, id))
    }

    /// Gives a user a password or an API key for one service, as an administrator in the console would.
    ///
    /// # Errors
    /// No such user.
    pub fn create_service_credential(
        &self,
        arn: &str,
        service: &str,
        expires_ms: Option<EpochMs>,
    ) -> Result<ServiceCredential, UserError> {
        self.with(|state| state.users.create_service_credential(arn, service, state.clock.now(), expires_ms))
    }

    /// What a user's policy does not allow, in place of what it did not before.
    ///
    /// # Errors
    /// No such user.
    pub fn deny_iam_user(&self, arn: &str, actions: &[&str]) -> Result<(), UserError> {
        self.with(|state| {
            let user = state.users.by_arn(arn).ok_or_else(|| UserError::Unknown(arn.to_owned()))?;
            user.denied = actions.iter().map(|&action| action.to_owned()).collect();
            Ok(())
        })
    }

    /// Gives a user a virtual MFA device.
    ///
    /// # Errors
    /// No such user, a serial that is taken, or eight devices already.
    pub fn enable_mfa(&self, arn: &str, serial: &str) -> Result<MfaDevice, UserError> {
        self.with(|state| state.users.enable_device(arn, serial, &mut state.mint))
    }

    /// The six digits the device shows now; none when nobody has such a device.
    #[must_use]
    pub fn mfa_code(&self, serial: &str) -> Option<String> {
        let state = self.lock();
        state.users.code(serial, state.clock.now())
    }

    /// The device codes handed out.
    #[must_use]
    pub fn device_authorizations(&self) -> Vec<DeviceAuthorization> {
        self.lock().oidc.device_authorizations()
    }

    /// Decides a device code as a person on the device page would; false when no open one has this user code.
    pub fn decide_device(&self, user_code: &str, decision: &Decision) -> bool {
        self.with(|state| {
            let now = state.clock.now();
            state.oidc.decide(user_code, decision, now)
        })
    }

    /// Ends every sign-in session, as an administrator would: access and refresh tokens are dead.
    pub fn end_sign_in_sessions(&self) {
        self.with(|state| state.sign_ins.end_all());
    }

    /// Makes every access token unknown; refresh tokens stay good.
    pub fn forget_access_tokens(&self) {
        self.with(|state| state.sign_ins.forget_access_tokens());
    }

    /// Makes every client registration unknown.
    pub fn forget_registrations(&self) {
        self.with(|state| state.oidc.registrations.clear());
    }
}

fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(serde_json::Map::new());
    }
    let Value::Object(target) = target else { return };
    for (name, value) in patch {
        if value.is_null() {
            target.remove(name);
        } else {
            merge(target.entry(name).or_insert(Value::Null), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_merge_patch_changes_removes_and_replaces() {
        let mut target = json!({"a": {"b": 1, "c": 2}, "list": [1, 2]});
        merge(&mut target, &json!({"a": {"b": 3, "c": null}, "list": [9], "new": {"x": 1}}));
        assert_eq!(target, json!({"a": {"b": 3}, "list": [9], "new": {"x": 1}}));
    }

    fn control() -> Control {
        Control::new(State::new(Settings::default(), String::new()).unwrap())
    }

    #[test]
    fn a_patch_reaches_the_settings_and_a_wrong_one_leaves_them() {
        let control = control();
        control.patch(&json!({"lifetimes": {"access_token": 2.5}, "authorize": "page"})).unwrap();
        assert_eq!(control.settings().lifetimes.access_token, Duration::from_millis(2500));
        let before = control.settings();
        assert!(control.patch(&json!({"authorise": "page"})).is_err());
        assert_eq!(control.settings(), before);
    }

    #[test]
    fn a_removed_knob_falls_back_to_its_default() {
        let control = control();
        control.patch(&json!({"page_size": 3})).unwrap();
        control.patch(&json!({"page_size": null})).unwrap();
        assert_eq!(control.settings().page_size, Settings::default().page_size);
    }

    #[test]
    fn waiting_for_what_does_not_come_ends_with_the_deadline() {
        assert!(!control().wait_for_calls(Operation::Logout, 1, Duration::from_millis(1)));
        assert!(control().wait_for_calls(Operation::Logout, 0, Duration::from_millis(1)));
    }
}
