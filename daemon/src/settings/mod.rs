//! `config.toml` → [`Settings`]. Pure; `file.rs` alone reads the file, and nobody else is known here.
//!
//! A setting is never passed over: an unknown word, a wrong type and a value out of range are errors, so that a slip of the
//! pen cannot leave somebody less safe than he believes.

mod extras;
mod fault;
mod file;
mod organisation;
mod rules;
mod session_policy;
mod sources;
mod values;

pub use extras::{Extras, ExtrasByProfile, REASON_TAG, is_tag_character};
pub use fault::SettingsError;
pub use file::load;
pub use organisation::{POLICY_FILE, load_organisation};
pub use session_policy::SessionPolicy;
pub use sources::{Audience, Command, GithubActions, HandOut, Pkcs11, WebIdentity};
pub use values::{AbsolutePath, CredentialName, EndpointUrl, HostPattern, ProxyUrl, Within};

use crate::names::ProfileName;
use crate::policy::Rule;
use rules::RuleKeys;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;
use toml::Spanned;

/// Everything `config.toml` can say. An empty file says the same as none.
// `docs/settings-reference.md` and `docs/api/settings.schema.json` are made of these types: of what is written about each key
// here, of its type, and of its default (`make pages`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Settings {
    /// Where secrets are kept.
    pub store: StoreChoice,
    /// What the records in files are encrypted with.
    pub file_store: Option<FileStore>,
    /// How the network is reached.
    pub http: Http,
    /// Where AWS is, and which kinds of endpoints are used.
    pub endpoints: Endpoints,
    /// Certificates and keys on tokens.
    pub pkcs11: Pkcs11,
    /// How much and how long.
    pub limits: Limits,
    /// What is shown on the desktop.
    pub notifications: Notifications,
    /// What profiles are told beside AWS's own keys.
    #[serde(rename = "profile", deserialize_with = "extras::by_profile")]
    #[cfg_attr(test, schemars(with = "BTreeMap<String, Extras>"))]
    profiles: ExtrasByProfile,
    /// Which targets are had only by passkey, and on which terms.
    // None is left once the settings are read.
    #[serde(rename = "rule")]
    #[cfg_attr(test, schemars(with = "Vec<RuleKeys>", length(min = 1)))]
    written_rules: Vec<Spanned<RuleKeys>>,
    #[serde(skip)]
    rules: Vec<Rule>,
}

/// Where secrets are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(schemars::JsonSchema, serde::Serialize))]
pub enum StoreChoice {
    /// The Secret Service, and an error where there is none: never another store than the person thinks.
    #[default]
    Auto,
    /// The Secret Service on D-Bus: gnome-keyring, KWallet, KeePassXC.
    SecretService,
    /// The kernel's keyring: empty after a reboot.
    Keyutils,
    /// Encrypted files; `[file_store]` says with what.
    File,
    /// Memory: everything is forgotten when the daemon ends.
    Memory,
}

/// What the records in files are encrypted with: exactly one of these. Needed for `store = "file"`, and an error with any other.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "FileStoreKeys")]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(extend("minProperties" = 1, "maxProperties" = 1)))]
pub enum FileStore {
    /// `passphrase_file`: a file whose first line is the passphrase.
    PassphraseFile(AbsolutePath),
    /// `systemd_credential`: a credential that systemd hands to the service (systemd.exec(5), `LoadCredentialEncrypted=`).
    SystemdCredential(CredentialName),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct FileStoreKeys {
    /// A file whose first line is the passphrase, 8 to 1,024 bytes.
    passphrase_file: Option<AbsolutePath>,
    /// A credential that systemd hands to the service, in place of a passphrase (systemd.exec(5), `LoadCredentialEncrypted=`).
    systemd_credential: Option<CredentialName>,
}

impl TryFrom<FileStoreKeys> for FileStore {
    type Error = &'static str;

    fn try_from(keys: FileStoreKeys) -> Result<Self, Self::Error> {
        match (keys.passphrase_file, keys.systemd_credential) {
            (Some(path), None) => Ok(Self::PassphraseFile(path)),
            (None, Some(name)) => Ok(Self::SystemdCredential(name)),
            _ => Err("[file_store] needs passphrase_file or systemd_credential, one of the two"),
        }
    }
}

/// How the network is reached. No environment variable has a part in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Http {
    /// The proxy for every request to AWS, such as `http://proxy.example:3128`. It may carry a user and a password, which are never
    /// shown. None where nothing is said.
    pub proxy: Option<ProxyUrl>,
    /// Hosts that are reached without the proxy: a name, `.example` for all names below it, an address or a network of addresses.
    pub no_proxy: Vec<HostPattern>,
    /// A file of certificates in PEM that are trusted **in place of** the system's, as AWS CLI's `ca_bundle` does. The system's
    /// where nothing is said.
    pub ca_bundle: Option<AbsolutePath>,
}

/// Where AWS is, and which kinds of endpoints are used. AWS's own where nothing is said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Endpoints {
    /// In place of the SSO OIDC endpoint of every region.
    pub sso_oidc: Option<EndpointUrl>,
    /// In place of the SSO portal endpoint of every region.
    pub sso: Option<EndpointUrl>,
    /// In place of the STS endpoint of every region.
    pub sts: Option<EndpointUrl>,
    /// In place of the federation endpoint of every partition, where `tegata console` signs in.
    pub federation: Option<EndpointUrl>,
    /// In place of the endpoint of every region that sign-ins to the console go to.
    pub signin: Option<EndpointUrl>,
    /// In place of the IAM endpoint of every partition.
    pub iam: Option<EndpointUrl>,
    /// In place of the IAM Roles Anywhere endpoint of every region.
    pub rolesanywhere: Option<EndpointUrl>,
    /// In place of the EC2 instance metadata service, `http://169.254.169.254`.
    pub ec2_metadata: Option<EndpointUrl>,
    /// In place of the ECS container credentials endpoint, `http://169.254.170.2`.
    pub ecs_container: Option<EndpointUrl>,
    /// In place of GitHub's hosts, for the token service of a GitHub Actions job.
    pub github_actions: Option<EndpointUrl>,
    /// Whether FIPS endpoints are used; a region without one is an error.
    pub use_fips: bool,
    /// Whether endpoints that are reached over IPv6, too, are used.
    pub use_dual_stack: bool,
}

/// How much and how long.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Limits {
    /// Connections that are served at the same time; more have to wait for one of them to end.
    pub connections: Within<16, 4_096, 1_024>,
    /// Seconds that a request may wait for work under way, whatever it asks for.
    pub wait_seconds: Within<1, { tegata_protocol::MAX_WAIT_SECONDS }, { tegata_protocol::MAX_WAIT_SECONDS }>,
    /// Seconds that a request waits for a person's hand.
    pub hand_seconds: Within<5, 300, 300>,
    /// Seconds that a command of these settings may take.
    pub command_seconds: Within<1, 300, 30>,
    /// Days that records of what was released are kept.
    pub audit_days: Within<1, 3_650, 90>,
    /// Calls a second that inventories of accounts and roles may make, all of them together. IAM Identity Center takes twenty a
    /// second from everybody in the organisation together (its user guide, "Throttle limits").
    pub inventory_rate: Within<1, 1_000, 10>,
    /// Calls they may make at once after a quiet time.
    pub inventory_burst: Within<1, 1_000, 10>,
}

/// What is shown on the desktop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Notifications {
    /// Whether a notification is shown when a tool needs a person.
    pub enabled: bool,
}

impl Default for Notifications {
    fn default() -> Self {
        Self { enabled: true }
    }
}

impl Settings {
    /// Reads the text of `config.toml`, which names no other files.
    ///
    /// # Errors
    /// [`SettingsError::Wrong`] names the line and what is wrong there.
    pub fn parse(text: &str) -> Result<Self, SettingsError> {
        Self::parse_with(text, &|_| Err("no file can be named here".to_owned()))
    }

    /// Reads the text of `config.toml`, and with `read` the files it names.
    ///
    /// # Errors
    /// [`SettingsError::Wrong`] names the line and what is wrong there.
    pub fn parse_with(text: &str, read: &dyn Fn(&Path) -> Result<String, String>) -> Result<Self, SettingsError> {
        let mut settings: Self = toml::from_str(text).map_err(|error| fault::of(text, &error))?;
        refuse_lists(text)?;
        for (name, extras) in &mut settings.profiles {
            let at = |error: String| SettingsError::whole(&format!("[profile.{name}]: {error}"));
            extras.read_files(read).map_err(at)?;
        }
        settings.rules = rules_of(text, std::mem::take(&mut settings.written_rules), read)?;
        match (settings.store, &settings.file_store) {
            (StoreChoice::File, None) => Err(SettingsError::whole(
                "store = \"file\" needs [file_store] with passphrase_file or systemd_credential",
            )),
            (StoreChoice::File, Some(_)) | (_, None) => Ok(settings),
            (_, Some(_)) => Err(SettingsError::whole("[file_store] is read with store = \"file\" only")),
        }
    }

    /// Returns what all profiles are told beside AWS's own keys.
    #[must_use]
    pub fn extras_by_profile(&self) -> &ExtrasByProfile {
        &self.profiles
    }

    /// Whether something is named that a helper process has to do.
    #[must_use]
    pub fn needs_helper(&self) -> bool {
        self.pkcs11.module.is_some() || self.profiles.values().any(Extras::needs_helper)
    }

    /// Returns the rules, `[[rule]]`.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Returns what a profile is told beside AWS's own keys.
    #[must_use]
    pub fn extras(&self, profile: &ProfileName) -> Option<&Extras> {
        self.profiles.get(profile)
    }
}

/// Refuses a list where a table is to be: serde takes its values, in order, for those of the table's keys.
fn refuse_lists(text: &str) -> Result<(), SettingsError> {
    let keys: BTreeMap<String, Spanned<toml::Value>> = toml::from_str(text).map_err(|error| fault::of(text, &error))?;
    for (key, value) in keys {
        let no_tables = |list: &Vec<toml::Value>| list.is_empty() || !list.iter().all(toml::Value::is_table);
        let list = value.get_ref().as_array().is_some_and(no_tables);
        let below = value.get_ref().as_table().filter(|_| key == "profile");
        let name = below.and_then(|tables| tables.iter().find(|(_, table)| !table.is_table())).map(|(name, _)| name);
        if list || name.is_some() {
            let name = name.map(|name| format!(".{name}")).unwrap_or_default();
            let detail = format!("{key}{name}: invalid type: a list, expected a table");
            return Err(fault::at(text, value.span().start, &detail));
        }
    }
    Ok(())
}

/// Makes rules of what is written in `text`.
fn rules_of(
    text: &str,
    written: Vec<Spanned<RuleKeys>>,
    read: &dyn Fn(&Path) -> Result<String, String>,
) -> Result<Vec<Rule>, SettingsError> {
    if written.len() > rules::MAX_RULES {
        return Err(SettingsError::whole(&format!("there are more than {} rules", rules::MAX_RULES)));
    }
    let mut made: Vec<Rule> = Vec::with_capacity(written.len());
    for (keys, number) in written.into_iter().zip(1..) {
        let start = keys.span().start;
        let wrong = |detail: String| fault::at(text, start, &detail);
        let rule = keys.into_inner().rule(number, read).map_err(wrong)?;
        if made.iter().any(|other| other.name == rule.name) {
            return Err(wrong(format!("there are two rules {:?}", rule.name)));
        }
        made.push(rule);
    }
    Ok(made)
}

#[cfg(test)]
mod reference;
#[cfg(test)]
mod schema;
#[cfg(test)]
mod tests;
