//! What a command finds in its environment about credentials: one way to them, and nothing that an SDK would take before it.
//!
//! Pure. Why each variable is here: docs/design/exec.md.

use crate::environment::Environment;
use std::ffi::{OsStr, OsString};
use std::process::Command;
use tegata_protocol::Secret;

/// Variables that name other credentials, or another way to some. With one of them a command would run as somebody else: SDKs
/// take the first that they find, each in an order of its own (AWS SDKs and Tools Reference Guide, "Standardized credential
/// providers").
pub(crate) const IN_THE_WAY: [&str; 20] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    // Older names of the same: boto 2 and botocore, Java SDK 1.
    "AWS_SECURITY_TOKEN",
    "AWS_ACCESS_KEY",
    "AWS_SECRET_KEY",
    "AWS_CREDENTIAL_EXPIRATION",
    "AWS_ACCOUNT_ID",
    "AWS_PROFILE",
    // Before AWS_PROFILE in botocore.
    "AWS_DEFAULT_PROFILE",
    // A file of keys that botocore reads before it asks an endpoint.
    "AWS_CREDENTIAL_FILE",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    // Before the full URI, and the file before the token.
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "TEGATA_PROFILE",
    "TEGATA_REGION",
];

/// Where the endpoint is: not to be reached through a proxy.
const LOOPBACK: &str = "127.0.0.1";

/// What is different in the environment of a command.
#[derive(Debug)]
pub(crate) struct Changes {
    set: Vec<(&'static str, OsString)>,
    unset: Vec<&'static str>,
}

impl Changes {
    fn new() -> Self {
        Self { set: Vec::new(), unset: IN_THE_WAY.to_vec() }
    }

    /// Sets a variable, whatever it was.
    pub(crate) fn set(&mut self, name: &'static str, value: impl Into<OsString>) {
        self.unset.retain(|other| *other != name);
        self.set.push((name, value.into()));
    }

    /// Names the profile for prompts, and for whoever asks whether this is a shell of Tegata's.
    pub(crate) fn name_profile(&mut self, profile: &str) {
        self.set("TEGATA_PROFILE", profile);
    }

    /// Returns what is set, in a stable order.
    pub(crate) fn variables(&self) -> impl Iterator<Item = (&'static str, &OsStr)> {
        self.set.iter().map(|(name, value)| (*name, value.as_os_str()))
    }

    /// Returns what is to be gone.
    pub(crate) fn gone(&self) -> &[&'static str] {
        &self.unset
    }

    pub(super) fn apply(&self, command: &mut Command) {
        for name in &self.unset {
            command.env_remove(name);
        }
        command.envs(self.variables());
    }

    fn set_region(&mut self, region: &Region) {
        for (name, value) in [("AWS_REGION", &region.region), ("AWS_DEFAULT_REGION", &region.default_region)] {
            if let Some(value) = value {
                self.set(name, value);
            }
        }
        if let Some(own) = &region.own {
            self.set("TEGATA_REGION", own);
        }
    }
}

/// The region of a command. boto3 and AWS CLI 1 read `AWS_DEFAULT_REGION` only, all others `AWS_REGION`: either both are there or none.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Region {
    region: Option<OsString>,
    default_region: Option<OsString>,
    /// What did not come from the person: within a command that has it, another profile brings its own.
    own: Option<OsString>,
}

impl Region {
    /// Decides: what is asked for, else what the person exported, else what the profile says.
    pub(crate) fn choose(asked: Option<&str>, environment: &Environment, of_profile: Option<&str>) -> Self {
        let both = |region: OsString| (Some(region.clone()), Some(region));
        if let Some(asked) = asked {
            let (region, default_region) = both(asked.into());
            return Self { region, default_region, own: None };
        }
        let ours = environment.get("TEGATA_REGION");
        let exported = |name| environment.get(name).filter(|value| Some(value) != ours.as_ref());
        match (exported("AWS_REGION"), exported("AWS_DEFAULT_REGION")) {
            (None, None) => {
                let own = of_profile.map(OsString::from);
                Self { region: own.clone(), default_region: own.clone(), own }
            }
            (region, default_region) => {
                let region_or_other = region.clone().or_else(|| default_region.clone());
                Self { region: region_or_other, default_region: default_region.or(region), own: None }
            }
        }
    }
}

/// A command whose tools are to use the profile by its name.
pub(super) fn named_profile(profile: &str) -> Changes {
    let mut changes = Changes::new();
    changes.set("AWS_PROFILE", profile);
    changes.name_profile(profile);
    changes
}

/// What a command needs to come to the endpoint.
pub(crate) struct EndpointPlace<'a> {
    pub(crate) url: &'a str,
    pub(crate) token: &'a Secret,
    /// A profile without credentials, since every SDK takes those of a profile first, and the file it is in.
    pub(crate) profile: &'a str,
    pub(crate) config: &'a OsStr,
}

/// A command that gets its credentials from an endpoint.
pub(crate) fn through_endpoint(place: &EndpointPlace<'_>, region: &Region, environment: &Environment) -> Changes {
    let mut changes = Changes::new();
    changes.set("AWS_CONTAINER_CREDENTIALS_FULL_URI", place.url);
    changes.set("AWS_CONTAINER_AUTHORIZATION_TOKEN", place.token.expose_secret());
    changes.set("AWS_PROFILE", place.profile);
    changes.set("AWS_CONFIG_FILE", place.config);
    // For Go SDK 1 and JS SDK 2, which look for a named profile in the config file only if told to.
    changes.set("AWS_SDK_LOAD_CONFIG", "1");
    // When the endpoint refuses, the next in the chain of every SDK is the role of the machine: somebody else.
    changes.set("AWS_EC2_METADATA_DISABLED", "true");
    changes.set_region(region);
    if has_proxy(environment) {
        for (name, other) in [("NO_PROXY", "no_proxy"), ("no_proxy", "NO_PROXY")] {
            let list = environment.get(name).or_else(|| environment.get(other)).unwrap_or_default();
            changes.set(name, without_proxy(&list));
        }
    }
    changes
}

/// Some SDKs (PHP, .NET, Node.js with NODE_USE_ENV_PROXY) would carry token and answer through a proxy.
fn has_proxy(environment: &Environment) -> bool {
    ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"].iter().any(|name| environment.get(name).is_some())
}

fn without_proxy(list: &OsStr) -> OsString {
    let known = list.to_string_lossy().split(',').any(|host| matches!(host.trim(), "*" | LOOPBACK));
    let mut list = list.to_owned();
    if !known {
        if !list.is_empty() {
            list.push(",");
        }
        list.push(LOOPBACK);
    }
    list
}

/// Credentials as variables.
pub(crate) struct StaticCredentials<'a> {
    pub(crate) access_key_id: &'a str,
    pub(crate) secret_access_key: &'a Secret,
    /// Absent for an IAM user's access keys.
    pub(crate) session_token: Option<&'a Secret>,
    pub(crate) expiration: &'a str,
    pub(crate) account_id: Option<&'a str>,
}

/// A command that has its credentials as variables, until they expire. `AWS_PROFILE` is gone: JS takes it before them.
pub(crate) fn static_credentials(credentials: &StaticCredentials<'_>, region: &Region) -> Changes {
    let mut changes = Changes::new();
    changes.set("AWS_ACCESS_KEY_ID", credentials.access_key_id);
    changes.set("AWS_SECRET_ACCESS_KEY", credentials.secret_access_key.expose_secret());
    if let Some(session_token) = credentials.session_token {
        changes.set("AWS_SESSION_TOKEN", session_token.expose_secret());
    }
    changes.set("AWS_CREDENTIAL_EXPIRATION", credentials.expiration);
    if let Some(account_id) = credentials.account_id {
        changes.set("AWS_ACCOUNT_ID", account_id);
    }
    changes.set_region(region);
    changes
}

#[cfg(test)]
#[path = "variables_tests.rs"]
mod tests;
