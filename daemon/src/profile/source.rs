//! What a profile's credentials start from. Says what is reached, and holds no secret.

use super::SignInSession;
use crate::arns::{IdentityArn, MfaSerial, RolesAnywhereProfileArn, TrustAnchorArn, UserArn};
use crate::aws::RoleToAssume;
use crate::names::{AccountId, Region, RoleName};
use crate::pkcs11::ObjectUri;
use crate::settings::HandOut;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::time::Duration;

/// What a profile's credentials start from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// A role assigned to the person in IAM Identity Center.
    SignIn {
        /// The sign-in session.
        session: SignInSession,
        /// The account.
        account: AccountId,
        /// The permission set.
        role: RoleName,
    },
    /// Whoever signed in to the console, by `aws login`'s flow.
    Console {
        /// Who that is.
        identity: IdentityArn,
        /// The region of the sign-in.
        region: Region,
    },
    /// A role that STS gives for a token of an identity provider.
    WebIdentity {
        /// Where the token comes from.
        token: WebIdentityToken,
        /// The role. A session policy and managed policies narrow it; STS takes neither tags nor an external id here.
        role: Box<RoleToAssume>,
        /// The region of the STS endpoint.
        region: Region,
    },
    /// A role that IAM Roles Anywhere gives for a certificate.
    RolesAnywhere(Box<RolesAnywhere>),
    /// An IAM user, by access keys in the store.
    IamUser(Box<IamUser>),
    /// The role of the EC2 instance that this machine is.
    Ec2Instance {
        /// The region of the STS endpoint for what comes after it.
        region: Region,
    },
    /// The role of the ECS task that this machine runs in.
    EcsContainer {
        /// The region of the STS endpoint for what comes after it.
        region: Region,
    },
}

/// Where a web identity token comes from. It is read or asked for each time.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum WebIdentityToken {
    /// `web_identity_token_file`: an absolute path.
    File(PathBuf),
    /// `web_identity = { command = […] }` of `config.toml`: what the command prints.
    Command(Vec<String>),
    /// `web_identity = { github_actions = { audience = "…" } }` of `config.toml`: the token service of a GitHub Actions job.
    GithubActions {
        /// Whom the token is for.
        audience: String,
    },
}

/// What IAM Roles Anywhere is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RolesAnywhere {
    /// Who vouches for the certificate.
    pub trust_anchor: TrustAnchorArn,
    /// Which roles it may have.
    pub profile: RolesAnywhereProfileArn,
    /// The role, with its duration and role session name; CreateSession takes nothing else.
    pub role: RoleToAssume,
    /// Where the certificate is, with the chain to the trust anchor.
    pub certificate: KeyPlace,
    /// Where its private key is.
    pub private_key: KeyPlace,
    /// The trust anchor's region, which is the profile's, too.
    pub region: Region,
}

/// Where a certificate or a private key is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum KeyPlace {
    /// A file in PEM: an absolute path.
    File(PathBuf),
    /// The store.
    Keyring,
    /// A PKCS#11 token, by URI (RFC 7512). The module is named in `config.toml`.
    Pkcs11(ObjectUri),
}

/// An IAM user whose access keys are in the store.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct IamUser {
    /// The user.
    pub user: UserArn,
    /// The device whose codes AWS wants.
    pub mfa: Option<MfaSerial>,
    /// `duration_seconds` of the profile with the keys: how long a session lasts; absent: twelve hours.
    pub duration: Option<Duration>,
    /// What is handed out where no role comes after it.
    pub hand_out: HandOut,
    /// `totp_command` of `config.toml`: what prints a code of the device; absent: the seed in the store, else a person.
    pub totp_command: Option<Vec<String>>,
    /// The region of the STS endpoint.
    pub region: Region,
}

/// What kind of source a chain starts with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum SourceKind {
    /// A role assigned in IAM Identity Center.
    SignIn,
    /// A sign-in to the console.
    Console,
    /// A token of an identity provider.
    WebIdentity,
    /// A certificate.
    RolesAnywhere,
    /// An IAM user's access keys.
    IamUser,
    /// The role of an EC2 instance.
    Ec2Instance,
    /// The role of an ECS task.
    EcsContainer,
}

impl SourceKind {
    /// Returns the word that settings and listings have for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::SignIn => "sign-in",
            Self::Console => "console",
            Self::WebIdentity => "web-identity",
            Self::RolesAnywhere => "roles-anywhere",
            Self::IamUser => "iam-user",
            Self::Ec2Instance => "ec2-instance",
            Self::EcsContainer => "ecs-container",
        }
    }
}

impl Source {
    /// Returns what kind of source it is.
    #[must_use]
    pub fn kind(&self) -> SourceKind {
        match self {
            Self::SignIn { .. } => SourceKind::SignIn,
            Self::Console { .. } => SourceKind::Console,
            Self::WebIdentity { .. } => SourceKind::WebIdentity,
            Self::RolesAnywhere(_) => SourceKind::RolesAnywhere,
            Self::IamUser(_) => SourceKind::IamUser,
            Self::Ec2Instance { .. } => SourceKind::Ec2Instance,
            Self::EcsContainer { .. } => SourceKind::EcsContainer,
        }
    }

    /// Returns the source as it is where a role comes after it: access keys are for whoever wants them, and a role is assumed with a session.
    #[must_use]
    pub fn before_a_role(self) -> Self {
        match self {
            Self::IamUser(user) => Self::IamUser(Box::new(IamUser { hand_out: HandOut::Session, ..*user })),
            other => other,
        }
    }

    /// Returns the region in which it is asked for.
    #[must_use]
    pub fn region(&self) -> &Region {
        match self {
            Self::SignIn { session, .. } => &session.region,
            Self::RolesAnywhere(asked) => &asked.region,
            Self::IamUser(user) => &user.region,
            Self::Console { region, .. }
            | Self::WebIdentity { region, .. }
            | Self::Ec2Instance { region }
            | Self::EcsContainer { region } => region,
        }
    }

    /// Whether its credentials are of a role, so that a role assumed with them is chained (an hour at most).
    #[must_use]
    pub fn is_role(&self) -> bool {
        match self {
            Self::IamUser(_) => false,
            Self::Console { identity, .. } => identity.is_role(),
            _ => true,
        }
    }

    /// Returns the account and the name that are reached without a further role, for showing; nothing where only AWS knows.
    #[must_use]
    pub fn reached(&self) -> Option<(&str, &str)> {
        match self {
            Self::SignIn { account, role, .. } => Some((account.as_str(), role.as_str())),
            Self::Console { identity, .. } => Some((identity.account(), identity.name())),
            Self::WebIdentity { role, .. } => Some(role.role_arn.account_and_role()),
            Self::RolesAnywhere(asked) => Some(asked.role.role_arn.account_and_role()),
            Self::IamUser(user) => Some((user.user.account(), user.user.name())),
            Self::Ec2Instance { .. } | Self::EcsContainer { .. } => None,
        }
    }

    /// Returns the ARN of what is reached without a further role, where it has one that is known.
    #[must_use]
    pub fn arn(&self) -> Option<&str> {
        match self {
            Self::Console { identity, .. } => Some(identity.as_str()),
            Self::WebIdentity { role, .. } => Some(role.role_arn.as_str()),
            Self::RolesAnywhere(asked) => Some(asked.role.role_arn.as_str()),
            Self::IamUser(user) => Some(user.user.as_str()),
            Self::SignIn { .. } | Self::Ec2Instance { .. } | Self::EcsContainer { .. } => None,
        }
    }

    /// Returns the name under which a person is waited for, where this source may need one: of the sign-in session, or an ARN.
    #[must_use]
    pub fn sign_in_name(&self) -> Option<&str> {
        match self {
            Self::SignIn { session, .. } => Some(session.name.as_str()),
            _ => self.arn(),
        }
    }
}
