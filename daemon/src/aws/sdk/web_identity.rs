//! A role for a token of an identity provider: the one operation that is not signed.

use super::{CLIENT_NAME, SdkAws, present, whole_seconds};
use crate::aws::refusals::Operation;
use crate::aws::retry::bounded;
use crate::aws::{AwsError, RoleToAssume, answers, hints};
use crate::credentials::Credentials;
use crate::names::Region;
use aws_sdk_sts::types::PolicyDescriptorType;
use tegata_protocol::Secret;

impl SdkAws {
    pub(super) async fn assume_with_token(
        &self,
        region: &Region,
        token: &Secret,
        role: &RoleToAssume,
    ) -> Result<Credentials, AwsError> {
        let operation = Operation::AssumeRoleWithWebIdentity;
        let sts = self.sts_for_nobody(region);
        let policy_arns: Vec<_> =
            role.policy_arns.iter().map(|arn| PolicyDescriptorType::builder().arn(arn).build()).collect();
        let request = || {
            sts.assume_role_with_web_identity()
                .role_arn(role.role_arn.as_str())
                .role_session_name(role.role_session_name.as_deref().unwrap_or(CLIENT_NAME))
                .web_identity_token(token.expose_secret())
                .set_duration_seconds(role.duration.map(whole_seconds))
                .set_policy(role.session_policy.clone())
                .set_policy_arns(present(policy_arns.clone()))
        };
        let answer = bounded(self.bounds, operation.name(), || async {
            request().send().await.map_err(|error| self.failed(operation, &error, &[token]))
        });
        let answer = answer.await.map_err(hints::of_token)?;
        answers::role_for_token(answer, role, self.now())
    }
}
