//! Why an access key is not taken into the store, or not turned over. No text quotes a secret.

use crate::arns::UserArn;
use crate::iam_users::record::KeyFault;
use tegata_protocol::ErrorCode;

/// Why an access key is not taken in, or not turned over.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyProblem {
    /// It is none.
    #[error("the access key is not taken into the keyring: {0}")]
    Form(#[from] KeyFault),
    /// It is root's.
    #[error(
        "this is an access key of the root user of account {account}, which nothing limits, so it is not kept; sign in with IAM Identity \
         Center or make an IAM user, then delete the key in the console (as root, under Security credentials)"
    )]
    Root {
        /// The account.
        account: String,
    },
    /// It is somebody's who is no IAM user.
    #[error("the access key is not taken into the keyring: it is not an IAM user's but that of {arn}")]
    NotAUser {
        /// Whose.
        arn: String,
    },
    /// AWS does not take it.
    #[error("the access key …{last_four} is not taken into the keyring: AWS does not accept it ({why})")]
    Refused {
        /// The end of its id.
        last_four: String,
        /// AWS's own words.
        why: String,
    },
    /// What was written is not what is read.
    #[error("the access key …{last_four} could not be read back from the keyring, so it is left where it was")]
    NotReadBack {
        /// The end of its id.
        last_four: String,
    },
    /// There is a second key that Tegata has not made.
    #[error(
        "{user} has another access key, {other} ({state}), and AWS gives two at most; if nothing uses it (tegata keys report), delete it: aws iam \
         delete-access-key --user-name {name} --access-key-id {other}", name = user.name(), state = if *.is_active { "active" } else { "inactive" }
    )]
    Second {
        /// The user.
        user: UserArn,
        /// The other key's id.
        other: String,
        /// Whether AWS accepts it.
        is_active: bool,
    },
    /// AWS has not heard of a key that IAM has just made.
    #[error(
        "AWS does not know the new access key …{last_four} of {user} yet; the old one stays in use, and nothing is lost"
    )]
    Unknown {
        /// The user.
        user: UserArn,
        /// The end of its id.
        last_four: String,
    },
    /// A new key that is not the user's, or was switched off by somebody.
    #[error("the new access key …{last_four} of {user} {why}; the old one stays in use")]
    Wrong {
        /// The user.
        user: UserArn,
        /// The end of its id.
        last_four: String,
        /// What is wrong, to follow its name.
        why: String,
    },
    /// The profile's credentials do not start from access keys.
    #[error("{profile} does not start from the access keys of an IAM user in the keyring")]
    OtherSource {
        /// The profile.
        profile: String,
    },
}

impl KeyProblem {
    /// Returns the code programs get.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Form(_) | Self::Root { .. } | Self::NotAUser { .. } | Self::OtherSource { .. } => {
                ErrorCode::ProfileInvalid
            }
            Self::NotReadBack { .. } => ErrorCode::KeyringUnavailable,
            Self::Refused { .. } | Self::Second { .. } | Self::Wrong { .. } => ErrorCode::UpstreamRefused,
            Self::Unknown { .. } => ErrorCode::UpstreamUnavailable,
        }
    }
}
