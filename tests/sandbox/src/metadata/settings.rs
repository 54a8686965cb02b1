//! Which machine it is that asks.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::settings::seconds;

/// The EC2 instance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Instance {
    /// The role of its instance profile; absent: it has none.
    pub role_arn: Option<String>,
    /// Its id: the role session name of its credentials.
    pub id: String,
    /// Where it is, with the letter at the end.
    pub availability_zone: String,
    /// How long credentials live from when they are asked for (AWS: about six hours, renewed ahead).
    #[serde(with = "seconds")]
    pub life: Duration,
}

impl Default for Instance {
    /// An instance in eu-west-1 with role `Build` of account 123456789012.
    fn default() -> Self {
        Self {
            role_arn: Some("arn:aws:iam::123456789012:role/Build".to_owned()),
            id: "i-0123456789abcdef0".to_owned(),
            availability_zone: "eu-west-1a".to_owned(),
            life: Duration::from_secs(6 * 3600),
        }
    }
}

impl Instance {
    pub(super) fn region(&self) -> &str {
        self.availability_zone.trim_end_matches(|c: char| c.is_ascii_lowercase())
    }

    pub(super) fn role_name(&self) -> Option<&str> {
        self.role_arn.as_deref()?.rsplit('/').next()
    }
}

/// The ECS task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Container {
    /// The path of its credentials: what `AWS_CONTAINER_CREDENTIALS_RELATIVE_URI` says in it.
    pub path: String,
    /// Its task role.
    pub role_arn: String,
    /// The `Authorization` it has to send (`AWS_CONTAINER_AUTHORIZATION_TOKEN`); absent: it must send none. ECS sets none.
    pub authorization: Option<String>,
    /// How long credentials live from when they are asked for.
    #[serde(with = "seconds")]
    pub life: Duration,
}

impl Default for Container {
    /// A task with role `Task` of account 123456789012.
    fn default() -> Self {
        Self {
            path: "/v2/credentials/6f1a1b0e-7d7e-4b0a-9a55-3d4f4c1d2e00".to_owned(),
            role_arn: "arn:aws:iam::123456789012:role/Task".to_owned(),
            authorization: None,
            life: Duration::from_secs(6 * 3600),
        }
    }
}
