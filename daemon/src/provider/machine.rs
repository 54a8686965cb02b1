//! The role of the EC2 instance or the ECS task that this is.

use super::Providers;
use crate::credentials::Credentials;
use crate::problem::Problem;

impl Providers {
    /// Asks the instance metadata service (IMDSv2).
    pub(super) async fn ec2_instance_credentials(&self) -> Result<Credentials, Problem> {
        Err(Problem::Internal("credentials of this source are not obtained yet"))
    }

    /// Asks the container credentials endpoint of ECS.
    pub(super) async fn ecs_container_credentials(&self) -> Result<Credentials, Problem> {
        Err(Problem::Internal("credentials of this source are not obtained yet"))
    }
}
