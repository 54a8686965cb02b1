//! The role of the EC2 instance or the ECS task that this is.

use super::Providers;
use crate::aws::AwsError;
use crate::credentials::Credentials;
use crate::environment::TaskPath;
use crate::problem::Problem;

impl Providers {
    /// Asks the instance metadata service (IMDSv2).
    pub(super) async fn ec2_instance_credentials(&self) -> Result<Credentials, Problem> {
        Ok(self.aws.instance_credentials().await.map_err(of_instance)?)
    }

    /// Asks the container credentials endpoint of ECS, at the path that the daemon found in its environment.
    pub(super) async fn ecs_container_credentials(&self) -> Result<Credentials, Problem> {
        match &*self.task {
            TaskPath::At(path) => Ok(self.aws.container_credentials(path).await?),
            TaskPath::None => Err(Problem::NoTask { why: "is not set" }),
            TaskPath::Wrong => Err(Problem::NoTask { why: "is no path" }),
            TaskPath::FullUri => Err(Problem::NoTask {
                why: "is not set, and AWS_CONTAINER_CREDENTIALS_FULL_URI, which names any host, is not taken",
            }),
        }
    }
}

/// Says what nobody answering means.
fn of_instance(error: AwsError) -> AwsError {
    match error {
        AwsError::Unavailable { operation, detail }
            if detail.starts_with("no ") || detail.starts_with("not reached") =>
        {
            let detail = format!("{detail}; this is no EC2 instance, or a container behind its hop limit of one");
            AwsError::Unavailable { operation, detail }
        }
        other => other,
    }
}
