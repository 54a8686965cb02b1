//! What records say. Typed values only, none of which can hold a secret: names that were checked, codes, numbers, times.

use super::record::{name, names, shown, shown_if, text, texts, time};
use crate::arns::{IdentityArn, MfaSerial, UserArn};
use crate::credentials::Credentials;
use crate::grant::{GrantId, Holder};
use crate::names::{AccountId, ProfileName, RoleArn, RoleName, SessionName};
use crate::policy::terms::Tier;
use crate::profile::{Profile, Source, SourceKind};
use crate::store::{Kind, StoreError};
use serde::Serialize;
use std::time::SystemTime;
use tegata_protocol::ErrorCode;
use tegata_protocol::adoption::AdoptionProof;
use tegata_protocol::body::SignInFlow;
use tegata_protocol::gate::Purpose;

/// Something that is written down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event<'a> {
    /// Credentials leave the daemon.
    Released {
        /// The profile that was asked for.
        #[serde(serialize_with = "name")]
        profile: &'a ProfileName,
        /// The account they reach.
        #[serde(serialize_with = "names", skip_serializing_if = "Option::is_none")]
        account: Option<&'a AccountId>,
        /// The role they are of.
        role: Reached<'a>,
        /// Which credentials, for comparing with CloudTrail.
        access_key: KeyTail,
        /// When AWS stops accepting them.
        #[serde(serialize_with = "time")]
        expires_at: SystemTime,
        /// The grant they were released under; it is part of the role session name that CloudTrail has.
        #[serde(serialize_with = "shown_if", skip_serializing_if = "Option::is_none")]
        grant: Option<&'a GrantId>,
    },
    /// A link that signs in to the web console leaves the daemon.
    ConsoleReleased {
        /// The profile that was asked for.
        #[serde(serialize_with = "name")]
        profile: &'a ProfileName,
        /// The account it signs in to.
        #[serde(serialize_with = "names", skip_serializing_if = "Option::is_none")]
        account: Option<&'a AccountId>,
        /// The role it is of.
        role: Reached<'a>,
        /// The credentials it was had with, for comparing with CloudTrail.
        access_key: KeyTail,
        /// When AWS ends the console session, as far as it is known.
        #[serde(serialize_with = "time")]
        console_until: SystemTime,
        /// The grant it was released under.
        #[serde(serialize_with = "shown_if", skip_serializing_if = "Option::is_none")]
        grant: Option<&'a GrantId>,
    },
    /// A request for credentials, or for a link to the console, ends without any.
    Refused {
        /// The profile that was asked for; absent where what was asked for is no name.
        #[serde(serialize_with = "names", skip_serializing_if = "Option::is_none")]
        profile: Option<&'a ProfileName>,
        /// Why.
        code: ErrorCode,
    },
    /// A certificate and its key are kept in the store from now on.
    CertificateImported {
        /// The profile it was proven with.
        #[serde(serialize_with = "name")]
        profile: &'a ProfileName,
        /// Its serial number in hexadecimal: the name of its role sessions in CloudTrail.
        serial: &'a str,
    },
    /// A certificate was offered and is not kept.
    CertificateNotImported {
        /// The profile it was to be proven with.
        #[serde(serialize_with = "name")]
        profile: &'a ProfileName,
        /// Why.
        code: ErrorCode,
    },
    /// A person opened a PKCS#11 token with its PIN.
    TokenOpened {
        /// The profile it was for.
        #[serde(serialize_with = "name")]
        profile: &'a ProfileName,
    },
    /// A PKCS#11 token was not opened.
    TokenNotOpened {
        /// The profile it was for.
        #[serde(serialize_with = "name")]
        profile: &'a ProfileName,
        /// Why.
        code: ErrorCode,
    },
    /// What was kept of a certificate was forgotten.
    CertificateForgotten {
        /// The profile it was for.
        #[serde(serialize_with = "name")]
        profile: &'a ProfileName,
    },
    /// A person is asked to sign in.
    SignInBegan {
        /// The sign-in session.
        #[serde(serialize_with = "name")]
        session: &'a SessionName,
        /// How.
        flow: SignInFlow,
    },
    /// The person signed in.
    SignInFinished {
        /// The sign-in session.
        #[serde(serialize_with = "name")]
        session: &'a SessionName,
    },
    /// Signing in ended without tokens.
    SignInFailed {
        /// The sign-in session.
        #[serde(serialize_with = "name")]
        session: &'a SessionName,
        /// Why.
        code: ErrorCode,
    },
    /// A person is asked to sign in to the console.
    ConsoleLoginBegan {
        /// The profile it is for.
        #[serde(serialize_with = "name")]
        profile: &'a ProfileName,
        /// How.
        flow: SignInFlow,
    },
    /// The person signed in to the console.
    ConsoleLoginFinished {
        /// The profile it is for.
        #[serde(serialize_with = "name")]
        profile: &'a ProfileName,
        /// Who signed in.
        #[serde(serialize_with = "names", skip_serializing_if = "Option::is_none")]
        identity: Option<&'a IdentityArn>,
    },
    /// Signing in to the console ended without tokens, or with some of somebody that are not kept.
    ConsoleLoginFailed {
        /// The profile it is for.
        #[serde(serialize_with = "name")]
        profile: &'a ProfileName,
        /// Why.
        code: ErrorCode,
    },
    /// A console login was forgotten.
    ConsoleLoginForgotten {
        /// Whose.
        #[serde(serialize_with = "name")]
        identity: &'a IdentityArn,
    },
    /// Accounts and roles of a sign-in session are listed.
    InventoryBegan {
        /// The sign-in session.
        #[serde(serialize_with = "name")]
        session: &'a SessionName,
    },
    /// A sign-in of another tool was taken over.
    SignInAdopted {
        /// The sign-in session.
        #[serde(serialize_with = "name")]
        session: &'a SessionName,
        /// How it was proved to be alive.
        proof: AdoptionProof,
    },
    /// A sign-in session was renewed without a person.
    Renewed {
        /// The sign-in session.
        #[serde(serialize_with = "name")]
        session: &'a SessionName,
    },
    /// A sign-in session was not renewed.
    RenewalFailed {
        /// The sign-in session.
        #[serde(serialize_with = "name")]
        session: &'a SessionName,
        /// Why.
        code: ErrorCode,
    },
    /// A sign-in session was forgotten.
    SignedOut {
        /// The sign-in session.
        #[serde(serialize_with = "name")]
        session: &'a SessionName,
        /// Whether AWS confirmed that its tokens are dead.
        revoked_upstream: bool,
    },
    /// An access key of an IAM user was offered for the store, and proven.
    KeyImported {
        /// The user.
        #[serde(serialize_with = "name")]
        user: &'a UserArn,
        /// The key.
        access_key: KeyTail,
        /// Whether it is the one that is used from now on; otherwise another one of that user was there.
        kept: bool,
    },
    /// An access key was offered for the store and not taken.
    KeyNotImported {
        /// Why.
        code: ErrorCode,
    },
    /// Somebody had the access key of an IAM user turned over, or a rotation brought to its end.
    KeyRotationAsked {
        /// The profile that was named.
        #[serde(serialize_with = "name")]
        profile: &'a ProfileName,
        /// The user.
        #[serde(serialize_with = "name")]
        user: &'a UserArn,
        /// Whether no new key was to be made, and the old one deleted.
        finish: bool,
        /// The grant it was done under.
        #[serde(serialize_with = "shown_if", skip_serializing_if = "Option::is_none")]
        grant: Option<&'a GrantId>,
    },
    /// A rotation did not come to its end.
    KeyNotRotated {
        /// The profile that was named; absent where that is no name.
        #[serde(serialize_with = "names", skip_serializing_if = "Option::is_none")]
        profile: Option<&'a ProfileName>,
        /// Why.
        code: ErrorCode,
    },
    /// A step of a rotation was done.
    KeyRotated {
        /// The user.
        #[serde(serialize_with = "name")]
        user: &'a UserArn,
        /// Which step.
        step: KeyStep,
        /// The key it was done to.
        access_key: KeyTail,
    },
    /// A person, or a seed in the store, had AWS make a session of an IAM user.
    UserSessionMade {
        /// The profile that was signed in with.
        #[serde(serialize_with = "name")]
        profile: &'a ProfileName,
        /// The user.
        #[serde(serialize_with = "shown")]
        user: &'a UserArn,
        /// The MFA device whose code it took.
        #[serde(serialize_with = "shown_if", skip_serializing_if = "Option::is_none")]
        device: Option<&'a MfaSerial>,
        /// When AWS stops accepting it.
        #[serde(serialize_with = "time")]
        expires_at: SystemTime,
    },
    /// A session of an IAM user was asked for, and there is none.
    UserSessionFailed {
        /// The profile that was signed in with.
        #[serde(serialize_with = "name")]
        profile: &'a ProfileName,
        /// The user.
        #[serde(serialize_with = "shown")]
        user: &'a UserArn,
        /// The MFA device whose code it would have taken.
        #[serde(serialize_with = "shown_if", skip_serializing_if = "Option::is_none")]
        device: Option<&'a MfaSerial>,
        /// Why.
        code: ErrorCode,
    },
    /// A person's code was not taken; another one is waited for.
    CodeRefused {
        /// The profile that is signed in with.
        #[serde(serialize_with = "name")]
        profile: &'a ProfileName,
        /// The device.
        #[serde(serialize_with = "shown")]
        device: &'a MfaSerial,
    },
    /// The sessions of an IAM user were forgotten.
    UserSessionsForgotten {
        /// The user.
        #[serde(serialize_with = "shown")]
        user: &'a UserArn,
    },
    /// A job of GitHub Actions was handed over: its identity is what some profiles start from.
    JobHandedOver {
        /// The profile it was tried for.
        #[serde(serialize_with = "name")]
        profile: &'a ProfileName,
    },
    /// The seed of an MFA device came into the store.
    SeedAdded {
        /// The user.
        #[serde(serialize_with = "shown")]
        user: &'a UserArn,
        /// The device.
        #[serde(serialize_with = "shown")]
        device: &'a MfaSerial,
    },
    /// The seed of an MFA device was forgotten.
    SeedRemoved {
        /// The user.
        #[serde(serialize_with = "shown")]
        user: &'a UserArn,
        /// The device.
        #[serde(serialize_with = "shown")]
        device: &'a MfaSerial,
    },
    /// A hand is asked for.
    HandAsked {
        /// The request.
        request: &'a str,
        /// What for.
        purpose: Purpose,
        /// The profile, where it is about one.
        #[serde(serialize_with = "names", skip_serializing_if = "Option::is_none")]
        profile: Option<&'a ProfileName>,
    },
    /// A person said no.
    HandRefused {
        /// The request.
        request: &'a str,
        /// What for.
        purpose: Purpose,
    },
    /// A ceremony failed: the signature, the counter, the origin.
    HandFailed {
        /// The request.
        request: &'a str,
        /// Why.
        #[serde(serialize_with = "text")]
        why: &'a str,
    },
    /// A hand approved; where several are needed, one of them.
    HandGiven {
        /// The request.
        request: &'a str,
        /// What for.
        purpose: Purpose,
        /// Whose hand.
        #[serde(serialize_with = "text")]
        person: &'a str,
        /// The passkey.
        #[serde(serialize_with = "text")]
        passkey: &'a str,
    },
    /// A grant was made.
    Granted {
        /// The grant.
        #[serde(serialize_with = "shown")]
        grant: &'a GrantId,
        /// The request it came of.
        request: &'a str,
        /// The profile it was asked for with.
        #[serde(serialize_with = "name")]
        profile: &'a ProfileName,
        /// How long it lives, in seconds.
        seconds: u64,
        /// Who it is for.
        #[serde(serialize_with = "shown")]
        holder: &'a Holder,
        /// Why, in the person's own words.
        #[serde(serialize_with = "texts", skip_serializing_if = "Option::is_none")]
        reason: Option<&'a str>,
        /// Who approved.
        approved_by: &'a [String],
        /// What it does and does not stand against.
        tier: Tier,
    },
    /// A grant ended.
    GrantEnded {
        /// The grant.
        #[serde(serialize_with = "shown")]
        grant: &'a GrantId,
        /// Why.
        why: GrantEnd,
    },
    /// A passkey was enrolled.
    PasskeyAdded {
        /// The passkey.
        passkey: &'a str,
        /// Whose.
        #[serde(serialize_with = "text")]
        person: &'a str,
    },
    /// A passkey was removed.
    PasskeyRemoved {
        /// The passkey.
        passkey: &'a str,
    },
    /// Weaker rules or other endpoints were accepted by hand.
    PolicyAccepted {
        /// In how many points they are weaker.
        weaker: usize,
    },
    /// A review was closed.
    ReviewClosed {
        /// The grant that was reviewed.
        review: &'a str,
        /// What it found.
        #[serde(serialize_with = "text")]
        note: &'a str,
    },
    /// Everything was locked.
    Locked,
    /// It was unlocked.
    Unlocked,
    /// Programs of another user connected and got no byte.
    PeerRefused {
        /// That user, as the kernel told; absent for so many users that they are not told apart.
        #[serde(skip_serializing_if = "Option::is_none")]
        uid: Option<u32>,
        /// How often since the last record about that user.
        times: u64,
    },
    /// The daemon began to serve.
    DaemonStarted {
        /// Its version.
        version: &'static str,
        /// The store in use.
        #[serde(serialize_with = "shown")]
        store: Kind,
    },
    /// The daemon ended as it was told to.
    DaemonEnded,
    /// The store began to fail.
    StoreFailed {
        /// The store.
        #[serde(serialize_with = "shown")]
        store: Kind,
        /// How.
        problem: StoreProblem,
    },
    /// The store answers again.
    StoreRecovered {
        /// The store.
        #[serde(serialize_with = "shown")]
        store: Kind,
    },
    /// The last line of the log was not whole when the log was opened, and was taken off.
    LogTorn {
        /// How many bytes were there of it.
        bytes: u64,
    },
}

impl<'a> Event<'a> {
    /// Describes the release of a profile's credentials.
    #[must_use]
    pub fn released(profile: &'a Profile, credentials: &'a Credentials, grant: Option<&'a GrantId>) -> Self {
        Self::Released {
            profile: &profile.name,
            account: account(profile, credentials),
            role: Reached::by(profile),
            access_key: KeyTail::of(credentials),
            expires_at: credentials.expires_at(),
            grant,
        }
    }

    /// Describes the release of a link to the web console that was had with a profile's credentials.
    #[must_use]
    pub fn console_released(
        profile: &'a Profile,
        credentials: &'a Credentials,
        console_until: SystemTime,
        grant: Option<&'a GrantId>,
    ) -> Self {
        Self::ConsoleReleased {
            profile: &profile.name,
            account: account(profile, credentials),
            role: Reached::by(profile),
            access_key: KeyTail::of(credentials),
            console_until,
            grant,
        }
    }
}

/// Behind a role the account is part of its ARN.
fn account<'a>(profile: &'a Profile, credentials: &'a Credentials) -> Option<&'a AccountId> {
    let starts_with = match &profile.chain.source {
        Source::SignIn { account, .. } if profile.chain.roles.is_empty() => Some(account),
        _ => None,
    };
    credentials.account_id().or(starts_with)
}

/// A step of the rotation of an access key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyStep {
    /// Made at IAM, and in the store.
    Made,
    /// Known to AWS, and the one that signs from now on.
    InUse,
    /// Not accepted by AWS any more.
    Deactivated,
    /// Gone.
    Deleted,
    /// Gone: it was made, and the answer with its secret was lost.
    LostDeleted,
}

/// Why a grant ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantEnd {
    /// Its time was over.
    Expired,
    /// `tegata drop`.
    Dropped,
    /// Everything was locked.
    Locked,
    /// Every passkey was forgotten.
    PasskeysForgotten,
    /// The machine went to sleep.
    Suspended,
    /// The desktop was locked.
    DesktopLocked,
    /// Its sign-in session was signed out.
    SignedOut,
    /// The daemon ended.
    DaemonEnded,
}

/// Whose the credentials are: an ARN, or a permission set's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Reached<'a> {
    /// A permission set of IAM Identity Center.
    #[serde(serialize_with = "name")]
    PermissionSet(&'a RoleName),
    /// A role that STS or IAM Roles Anywhere gave.
    #[serde(serialize_with = "name")]
    Role(&'a RoleArn),
    /// Whoever signed in to the console.
    #[serde(serialize_with = "name")]
    Identity(&'a IdentityArn),
    /// An IAM user.
    #[serde(serialize_with = "name")]
    User(&'a UserArn),
    /// What only AWS can name.
    Kind(SourceKind),
}

impl<'a> Reached<'a> {
    fn by(profile: &'a Profile) -> Self {
        match (profile.chain.roles.last(), &profile.chain.source) {
            (Some(role), _) => Self::Role(&role.role_arn),
            (None, Source::SignIn { role, .. }) => Self::PermissionSet(role),
            (None, Source::Console { identity, .. }) => Self::Identity(identity),
            (None, Source::WebIdentity { role, .. }) => Self::Role(&role.role_arn),
            (None, Source::RolesAnywhere(asked)) => Self::Role(&asked.role.role_arn),
            (None, Source::IamUser(user)) => Self::User(&user.user),
            (None, source) => Self::Kind(source.kind()),
        }
    }
}

/// The last four characters of an access key id: enough to find it in CloudTrail among a person's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KeyTail(String);

impl KeyTail {
    /// Takes what was cut off already.
    #[must_use]
    pub fn last_four(tail: &str) -> Self {
        let fits = tail.len() <= 4 && tail.bytes().all(|byte| byte.is_ascii_alphanumeric());
        Self(if fits { tail.to_owned() } else { String::new() })
    }

    /// Takes them from credentials. An id that is shorter than any of AWS's (16 characters) leaves nothing.
    #[must_use]
    pub fn of(credentials: &Credentials) -> Self {
        let id = credentials.access_key_id();
        let tail =
            id.len().checked_sub(4).filter(|_| id.len() >= 16 && id.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        Self(tail.and_then(|at| id.get(at..)).unwrap_or_default().to_owned())
    }
}

/// What kept the store from answering, without the words it used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StoreProblem {
    /// Locked, and nobody unlocked it.
    Locked,
    /// Waits for a person.
    Waiting,
    /// Access was denied.
    Denied,
    /// Not there.
    Unavailable,
    /// No room.
    NoRoom,
    /// A record could not be read back.
    Damaged,
}

impl From<&StoreError> for StoreProblem {
    fn from(error: &StoreError) -> Self {
        match error {
            StoreError::Locked => Self::Locked,
            StoreError::Waiting => Self::Waiting,
            StoreError::Denied { .. } => Self::Denied,
            StoreError::Unavailable { .. } => Self::Unavailable,
            StoreError::NoRoom { .. } => Self::NoRoom,
            StoreError::Damaged { .. } => Self::Damaged,
        }
    }
}
