//! The credentials endpoint of an ECS task (ECS Developer Guide, "Task IAM role").

use super::Machine;
use crate::call::{Answer, Call};
use crate::reply::{Refusal, Reply};

/// `GET` the path that the task was told.
pub(crate) fn container_credentials(machine: &mut Machine<'_>, call: &Call) -> Answer {
    let container = &machine.settings.container;
    if call.path != container.path || !call.query.is_empty() {
        return Err(Refusal::new(400, "InvalidIdInRequest", "CredentialsV2Request: Credentials not found"));
    }
    if call.header("authorization") != container.authorization.as_deref() {
        return Err(Refusal::new(403, "AccessDenied", "Invalid authorization token"));
    }
    let mut answer = machine.issue(&container.role_arn, "0123456789abcdef0123456789abcdef", container.life, call.now);
    answer["RoleArn"] = container.role_arn.as_str().into();
    Ok(Reply::json(200, &answer))
}
