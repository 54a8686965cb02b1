//! What was accepted: loosening the rules, or sending tokens elsewhere, costs a gesture once a passkey is enrolled.
//!
//! `config.toml` can be edited by every program of the user; the record kept here is what a person agreed to. Whatever is
//! weaker than it is shown and not in force. This room knows the store and the settings; it asks nobody.

use crate::policy::{self, Gate, Rule};
use crate::record;
use crate::settings::{AbsolutePath, EndpointUrl, Endpoints, HostPattern, Http, ProxyUrl, Settings};
use crate::store::{Bytes, Key, Store, StoreError};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use tegata_protocol::Secret;
use zeroize::Zeroizing;

/// Enough that serialising seldom moves the record; a proxy's password may be in it.
const ROOM: usize = 64 * 1024;

/// What the settings say of all that is accepted by hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The user's own rules. Those of the organisation only tighten, so nobody accepts them.
    pub rules: Vec<Rule>,
    /// Proxy and certificates.
    pub http: Http,
    /// Where AWS is.
    pub endpoints: Endpoints,
}

impl Wanted {
    /// Takes it from the settings.
    #[must_use]
    pub fn of(settings: &Settings) -> Self {
        Self { rules: settings.rules().to_vec(), http: settings.http.clone(), endpoints: settings.endpoints.clone() }
    }
}

/// What is in force: what was accepted, and what is tighter than that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InForce {
    /// The user's rules to decide by.
    pub rules: Vec<Rule>,
    /// The proxy and certificates to use.
    pub http: Http,
    /// The endpoints to use.
    pub endpoints: Endpoints,
    /// What the settings say and is not in force until it is accepted by hand, one line each.
    pub pending: Vec<String>,
}

/// The record of what was accepted.
#[derive(Clone, Debug)]
pub struct AcceptedPolicy {
    store: Store,
}

impl AcceptedPolicy {
    /// Looks for it in this store.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    /// Decides what is in force, and keeps what needs no acceptance: everything while no passkey is enrolled, and what is at
    /// least as strict as before. To be asked again after an error, once the store answers.
    ///
    /// # Errors
    /// [`StoreError`] where the record cannot be read; then [`InForce::unaccepted`] is to hold. A write that fails is no
    /// error: the older record is no weaker.
    pub async fn settle(&self, wanted: &Wanted, any_passkey: bool) -> Result<InForce, StoreError> {
        let found = match self.store.read(&key()).await {
            Ok(found) => found.and_then(|bytes| read(&bytes)),
            Err(StoreError::Damaged { .. }) => None,
            Err(error) => return Err(error),
        };
        let (accepted, in_force) = match (found, any_passkey) {
            (found, false) => (Some(wanted.clone()).filter(|wanted| found.as_ref() != Some(wanted)), whole(wanted)),
            (None, true) => return Ok(InForce::unaccepted(wanted)),
            (Some(accepted), true) => compare(accepted, wanted),
        };
        if let Some(accepted) = accepted
            && let Err(error) = self.keep(&accepted).await
        {
            tracing::warn!("what was accepted could not be written down: {error}");
        }
        Ok(in_force)
    }

    /// Accepts everything as the settings have it: a person was shown [`InForce::pending`] and agreed.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing has changed.
    pub async fn accept(&self, wanted: &Wanted) -> Result<InForce, StoreError> {
        self.keep(wanted).await?;
        Ok(whole(wanted))
    }

    async fn keep(&self, accepted: &Wanted) -> Result<(), StoreError> {
        self.store.write(&key(), written(accepted)?).await
    }
}

impl InForce {
    /// What holds while it is not known what was accepted: the rules, each at least as strict as the built-in one.
    #[must_use]
    pub fn unaccepted(wanted: &Wanted) -> Self {
        let pending =
            "what was accepted before is not known: the rules hold, and nothing is taken out of the built-in rule";
        Self { rules: joined(&[], &wanted.rules), pending: vec![pending.to_owned()], ..whole(wanted) }
    }
}

fn whole(wanted: &Wanted) -> InForce {
    let Wanted { rules, http, endpoints } = wanted.clone();
    InForce { rules, http, endpoints, pending: Vec::new() }
}

fn gating(rules: &[Rule]) -> Vec<Rule> {
    rules.iter().filter(|rule| rule.gate != Gate::None).cloned().collect()
}

/// Returns what is accepted from now on, where that changes, and what is in force.
fn compare(accepted: Wanted, wanted: &Wanted) -> (Option<Wanted>, InForce) {
    let weaker = policy::is_weaker(&accepted.rules, &wanted.rules);
    let elsewhere = differences(&accepted, wanted);
    let rules = if weaker.is_empty() { wanted.rules.clone() } else { joined(&accepted.rules, &wanted.rules) };
    let network = if elsewhere.is_empty() { wanted } else { &accepted };
    let in_force = InForce {
        rules,
        http: network.http.clone(),
        endpoints: network.endpoints.clone(),
        pending: weaker.iter().chain(&elsewhere).cloned().collect(),
    };
    let next = Wanted {
        rules: if weaker.is_empty() { wanted.rules.clone() } else { accepted.rules.clone() },
        http: network.http.clone(),
        endpoints: network.endpoints.clone(),
    };
    (Some(next).filter(|next| *next != accepted), in_force)
}

/// The accepted rules, and of the new ones what only tightens. What is not as the settings have it is marked.
fn joined(accepted: &[Rule], wanted: &[Rule]) -> Vec<Rule> {
    let kept = gating(accepted).into_iter().filter(|rule| !wanted.contains(rule));
    let kept = kept.map(|rule| Rule { name: format!("{} (as accepted)", rule.name), ..rule });
    let tightening = wanted.iter().filter_map(|rule| match policy::takes_out(accepted, rule) {
        true => policy::until_accepted(rule),
        false => Some(rule.clone()),
    });
    kept.chain(tightening).collect()
}

/// Says what would be sent elsewhere, or trusted otherwise. A proxy's password is neither compared nor shown.
fn differences(accepted: &Wanted, wanted: &Wanted) -> Vec<String> {
    let named = |of: &Wanted| {
        let url = |url: &Option<EndpointUrl>| url.as_ref().map(|url| url.as_str().to_owned());
        let switch = |on: bool| Some(if on { "on" } else { "off" }.to_owned());
        let hosts: BTreeSet<&str> = of.http.no_proxy.iter().map(HostPattern::as_str).collect();
        [
            ("the sign-in endpoint", url(&of.endpoints.sso_oidc)),
            ("the portal endpoint", url(&of.endpoints.sso)),
            ("the STS endpoint", url(&of.endpoints.sts)),
            ("the federation endpoint", url(&of.endpoints.federation)),
            ("the endpoint of sign-ins to the console", url(&of.endpoints.signin)),
            ("the IAM endpoint", url(&of.endpoints.iam)),
            ("the Roles Anywhere endpoint", url(&of.endpoints.rolesanywhere)),
            ("the EC2 metadata endpoint", url(&of.endpoints.ec2_metadata)),
            ("the ECS container endpoint", url(&of.endpoints.ecs_container)),
            ("the endpoint of GitHub Actions", url(&of.endpoints.github_actions)),
            ("use_fips", switch(of.endpoints.use_fips)),
            ("use_dual_stack", switch(of.endpoints.use_dual_stack)),
            ("the proxy", of.http.proxy.as_ref().map(ProxyUrl::to_string)),
            ("no_proxy", Some(hosts.into_iter().collect::<Vec<_>>().join(", ")).filter(|hosts| !hosts.is_empty())),
            ("the CA bundle", of.http.ca_bundle.as_ref().map(|path| path.as_path().to_string_lossy().into_owned())),
        ]
    };
    let shown = |value: Option<String>| value.unwrap_or_else(|| "the usual one".to_owned());
    let both = named(accepted).into_iter().zip(named(wanted));
    both.filter(|((_, old), (_, new))| old != new)
        .map(|((what, old), (_, new))| format!("{what} was {} and is now {}", shown(old), shown(new)))
        .collect()
}

fn key() -> Key {
    Key::new("accepted-policy", "")
}

/// The record.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Json {
    version: u32,
    rules: Vec<Rule>,
    #[serde(serialize_with = "record::exposed_if_any")]
    proxy: Option<Secret>,
    no_proxy: Vec<String>,
    ca_bundle: Option<String>,
    sso_oidc: Option<String>,
    sso: Option<String>,
    sts: Option<String>,
    /// This and the next are left out where they are the usual ones, so that an older daemon still reads the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    federation: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    signin: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    iam: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rolesanywhere: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ec2_metadata: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ecs_container: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    github_actions: Option<String>,
    use_fips: bool,
    use_dual_stack: bool,
}

fn written(accepted: &Wanted) -> Result<Bytes, StoreError> {
    let Wanted { rules, http, endpoints } = accepted;
    let url = |url: &Option<EndpointUrl>| url.as_ref().map(|url| url.as_str().to_owned());
    let record = Json {
        version: record::VERSION,
        rules: rules.clone(),
        proxy: http.proxy.as_ref().map(|proxy| Secret::new(proxy.expose_secret().to_owned())),
        no_proxy: http.no_proxy.iter().map(|host| host.as_str().to_owned()).collect(),
        ca_bundle: http.ca_bundle.as_ref().map(|path| path.as_path().to_string_lossy().into_owned()),
        sso_oidc: url(&endpoints.sso_oidc),
        sso: url(&endpoints.sso),
        sts: url(&endpoints.sts),
        federation: url(&endpoints.federation),
        signin: url(&endpoints.signin),
        iam: url(&endpoints.iam),
        rolesanywhere: url(&endpoints.rolesanywhere),
        ec2_metadata: url(&endpoints.ec2_metadata),
        ecs_container: url(&endpoints.ecs_container),
        github_actions: url(&endpoints.github_actions),
        use_fips: endpoints.use_fips,
        use_dual_stack: endpoints.use_dual_stack,
    };
    let mut bytes = Zeroizing::new(Vec::with_capacity(ROOM));
    let refused = |error: serde_json::Error| StoreError::Unavailable { detail: format!("no record was made: {error}") };
    serde_json::to_writer(&mut *bytes, &record).map_err(refused)?;
    Ok(bytes)
}

/// Reads a record; `None` where it is damaged, of another version, or says what no settings could.
fn read(bytes: &[u8]) -> Option<Wanted> {
    let record: Json = record::from_bytes(bytes).ok()?;
    if !record.rules.iter().all(Rule::is_sound) {
        return None;
    }
    let proxy = record.proxy.map(|proxy| ProxyUrl::try_from(proxy.expose_secret().to_owned()));
    let hosts: Result<Vec<HostPattern>, _> = record.no_proxy.into_iter().map(HostPattern::try_from).collect();
    let url = |text: Option<String>| text.map(EndpointUrl::try_from).transpose().ok();
    Some(Wanted {
        rules: record.rules,
        http: Http {
            proxy: proxy.transpose().ok()?,
            no_proxy: hosts.ok()?,
            ca_bundle: record.ca_bundle.map(AbsolutePath::try_from).transpose().ok()?,
        },
        endpoints: Endpoints {
            sso_oidc: url(record.sso_oidc)?,
            sso: url(record.sso)?,
            sts: url(record.sts)?,
            federation: url(record.federation)?,
            signin: url(record.signin)?,
            iam: url(record.iam)?,
            rolesanywhere: url(record.rolesanywhere)?,
            ec2_metadata: url(record.ec2_metadata)?,
            ecs_container: url(record.ecs_container)?,
            github_actions: url(record.github_actions)?,
            use_fips: record.use_fips,
            use_dual_stack: record.use_dual_stack,
        },
    })
}

#[cfg(test)]
mod tests;
