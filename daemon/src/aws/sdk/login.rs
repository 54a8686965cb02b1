//! AWS Sign-In's one operation here, `CreateOAuth2Token`: unsigned, with a proof of the login's key in its header.

use super::SdkAws;
use crate::aws::login::{LoginCall, LoginGrant, LoginTokens};
use crate::aws::refusals::Operation;
use crate::aws::{AwsError, answers, time_at_aws};
use aws_sdk_signin::types::CreateOAuth2TokenRequestBody;
use std::time::SystemTime;
use tegata_protocol::Secret;

const OPERATION: Operation = Operation::CreateOAuth2Token;

/// The system gave no random bytes for it.
#[derive(Debug, thiserror::Error)]
#[error("the proof could not be made")]
struct NoProof;

impl SdkAws {
    /// One request, whatever happens to it: the grant may be spent although no answer came.
    pub(super) async fn exchange_for_login(
        &self,
        call: &LoginCall<'_>,
        grant: LoginGrant<'_>,
    ) -> Result<LoginTokens, AwsError> {
        let (body, sent) = written(call, &grant)?;
        let (key, now) = (call.key.clone(), self.aws_time());
        let request = self.signin(call.region).create_o_auth2_token().token_input(body).customize();
        // The address is the one that is called, whatever it was made of (RFC 9449 section 4.2).
        let request = request.map_request(move |mut request| {
            let proof = key.proof(request.uri(), now).map_err(|_| NoProof)?;
            request.headers_mut().try_insert("dpop", proof).map_err(|_| NoProof)?;
            Ok::<_, NoProof>(request)
        });
        let answer = request.send().await;
        let answer = answer.map_err(|error| self.with_clock_hint(self.failed(OPERATION, &error, &sent).error))?;
        answers::login_tokens(answer, self.aws_time())
    }

    /// The wall time by AWS's clock, as far as it is known: a proof is of now, and what is said in seconds from now ends by that clock.
    fn aws_time(&self) -> SystemTime {
        time_at_aws(self.now(), self.http.clock_skew_seconds())
    }
}

/// The body, and which secrets are in it.
fn written<'a>(
    call: &LoginCall<'_>,
    grant: &LoginGrant<'a>,
) -> Result<(CreateOAuth2TokenRequestBody, Vec<&'a Secret>), AwsError> {
    let body = CreateOAuth2TokenRequestBody::builder().client_id(call.client.id());
    let (body, sent) = match grant {
        LoginGrant::Code { code, verifier, redirect_uri } => {
            let body = body.grant_type("authorization_code").redirect_uri(*redirect_uri);
            (body.code(code.expose_secret()).code_verifier(verifier.expose_secret()), vec![*code, *verifier])
        }
        LoginGrant::RefreshToken(token) => {
            (body.grant_type("refresh_token").refresh_token(token.expose_secret()), vec![*token])
        }
    };
    let body = body.build().map_err(|_| OPERATION.unavailable("the request could not be made"))?;
    Ok((body, sent))
}
