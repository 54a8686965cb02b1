//! The local API's resources: each call goes to the broker, each outcome becomes an answer.
//!
//! `docs/api/openapi.json` describes the same for other programs.

use super::answer::{self, Answer};
use super::call::{Call, CertificateCall, HandCall, NoCall};
use crate::broker::{Broker, Unlocking};
use crate::caller::{Caller, PeerError};
use crate::requests::view::View;
use bytes::Bytes;
use http::header::LOCATION;
use http::{HeaderValue, Request, Response, StatusCode};
use serde::Serialize;
use std::fmt;
use std::sync::Arc;
use tegata_protocol::{ErrorBody, ErrorCode, gate, paths};

/// The local API.
pub struct Api<R> {
    broker: Arc<Broker>,
    refused: R,
}

impl<R> fmt::Debug for Api<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Api").finish_non_exhaustive()
    }
}

impl<R: Fn(&PeerError) + Send + Sync + 'static> Api<R> {
    /// Makes the API of a broker; `refused` writes the record of a peer that was sent away.
    pub fn new(broker: Arc<Broker>, refused: R) -> Self {
        Self { broker, refused }
    }

    async fn perform(&self, caller: &Caller, call: Call) -> Result<Response<Bytes>, ErrorBody> {
        let broker = &self.broker;
        match call {
            Call::Credentials(ask) => {
                let credentials = broker.credentials(caller, &ask).await?;
                // Wiped when hyper has sent the last byte and drops it.
                Ok(answer::json(StatusCode::OK, Bytes::from_owner(credentials)))
            }
            Call::OpenConsole { wanted, wait } => {
                let link = broker.console_link(caller, &wanted, wait).await?;
                // Whoever has the link can sign in: wiped like credentials.
                Ok(answer::json(StatusCode::CREATED, Bytes::from_owner(link)))
            }
            Call::BeginSignIn(request) => begun(&broker.begin_sign_in(caller, request).await?),
            Call::SignIn { id, wait } => Ok(ok(&broker.sign_in(&id, wait).await?)),
            Call::CarryCode { id, code } => broker.carry_code(&id, &code.0.text).map(|()| done()),
            Call::CancelSignIn { id } => broker.cancel_sign_in(&id).await.map(|()| done()),
            Call::KeysReport { config } => Ok(ok(&broker.keys_report(config.as_deref()).await?)),
            Call::ImportKey(key) => Ok(ok(&broker.import_key(caller, &key.0).await?)),
            Call::RotateKey { wanted, wait } => Ok(ok(&broker.rotate_key(caller, &wanted, wait).await?)),
            Call::Sessions { config } => Ok(ok(&broker.sessions(config.as_deref()).await?)),
            Call::SignOut { name, config } => Ok(ok(&broker.sign_out(caller, &name, config.as_deref()).await?)),
            Call::Adopt { name, offer } => Ok(ok(&broker.adopt(caller, &name, &offer).await?)),
            Call::GiveCode { id, given } => Ok(ok(&broker.give_code(&id, &given).await?)),
            Call::HandOverJob(sent) => Ok(ok(&broker.hand_over_job(caller, &sent).await?)),
            Call::Seeds { config } => Ok(ok(&broker.seeds(config.as_deref()).await?)),
            Call::AddSeed(sent) => Ok(answer::written(StatusCode::CREATED, &broker.add_seed(caller, &sent).await?)),
            Call::RemoveSeed { profile, config } => {
                Ok(ok(&broker.remove_seed(caller, &profile, config.as_deref()).await?))
            }
            Call::BeginInventory(request) => {
                let begun = broker.begin_inventory(caller, request).await?;
                created(&begun, paths::INVENTORIES, &begun.id)
            }
            Call::Inventory { id, wait, page } => Ok(ok(&broker.inventory(&id, wait, page.as_deref()).await?)),
            Call::StopInventory { id } => broker.stop_inventory(&id).await.map(|()| done()),
            Call::Profiles { config, page, from_memory } => {
                Ok(ok(&broker.profiles(config.as_deref(), page.as_deref(), from_memory).await?))
            }
            Call::ProfileState { name, config } => {
                Ok(ok(&broker.profile_state(caller, &name, config.as_deref()).await?))
            }
            Call::StartUrl { address } => Ok(ok(&broker.start_url(&address).await?)),
            Call::Status { config } => Ok(ok(&broker.status(caller, config.as_deref()).await)),
            Call::Locked => Ok(ok(&broker.locked())),
            Call::Lock => Ok(ok(&broker.lock(caller).await?)),
            Call::Unlock => match broker.unlock(caller).await? {
                Unlocking::Done(lock) => Ok(ok(&lock)),
                Unlocking::AwaitsHand(request) => Ok(answer::written(StatusCode::ACCEPTED, &request)),
            },
            Call::Certificate(call) => self.perform_on_certificates(caller, call).await,
            Call::Hand(call) => self.perform_by_hand(caller, call).await,
            Call::End => {
                broker.end();
                Ok(done())
            }
        }
    }

    async fn perform_on_certificates(
        &self,
        caller: &Caller,
        call: CertificateCall,
    ) -> Result<Response<Bytes>, ErrorBody> {
        let broker = &self.broker;
        match call {
            CertificateCall::List { config, from_memory } => {
                Ok(ok(&broker.certificates(config.as_deref(), from_memory).await?))
            }
            CertificateCall::Import(sent) => {
                let kept = broker.import_certificate(caller, &sent).await?;
                Ok(answer::written(StatusCode::CREATED, &kept))
            }
            CertificateCall::Forget { profile, config } => {
                Ok(ok(&broker.forget_certificate(caller, &profile, config.as_deref()).await?))
            }
            CertificateCall::EnterPin { profile, sent } => {
                broker.enter_pin(caller, &profile, &sent).await.map(|()| done())
            }
        }
    }

    async fn perform_by_hand(&self, caller: &Caller, call: HandCall) -> Result<Response<Bytes>, ErrorBody> {
        let broker = &self.broker;
        match call {
            HandCall::Grants => Ok(ok(&gate::Grants { grants: broker.grants(caller) })),
            HandCall::Elevate(wanted) => asked(&broker.begin_elevation(caller, wanted).await?),
            HandCall::DropGrants { profile } => Ok(ok(&broker.drop_grants(profile.as_deref())?)),
            HandCall::DropGrant { id } => Ok(ok(&broker.drop_grant(&id)?)),
            HandCall::Requests => Ok(ok(&Requests { requests: broker.requests() })),
            HandCall::Request { id, wait } => Ok(ok(&broker.request(&id, wait).await?)),
            HandCall::Refuse { id } => broker.refuse_request(&id).map(|()| done()),
            HandCall::OpenPage { id, page } => {
                Ok(answer::written(StatusCode::CREATED, &broker.open_page(&id, page).await?))
            }
            HandCall::Passkeys => Ok(ok(&broker.passkeys().await?)),
            HandCall::AddPasskey(wanted) => asked(&broker.add_passkey(caller, &wanted).await?),
            HandCall::ForgetPasskeys => broker.forget_passkeys(caller).await.map(|()| done()),
            HandCall::RenamePasskey { id, to } => Ok(ok(&broker.rename_passkey(&id, &to).await?)),
            HandCall::RemovePasskey { id } => asked(&broker.remove_passkey(caller, &id).await?),
            HandCall::TestPasskey { id } => asked(&broker.test_passkey(caller, id.as_deref()).await?),
            HandCall::Policy => Ok(ok(&broker.policy_state().await?)),
            HandCall::Explain { profile, config } => Ok(ok(&broker.explain(&profile, config.as_deref()).await?)),
            HandCall::AcceptPolicy => asked(&broker.accept_policy(caller).await?),
            HandCall::Reviews => Ok(ok(&broker.reviews()?)),
            HandCall::CloseReview { id, close } => broker.close_review(caller, &id, &close).map(|()| done()),
        }
    }
}

impl<R: Fn(&PeerError) + Send + Sync + 'static> Answer for Api<R> {
    async fn answer(&self, caller: &Caller, request: Request<Bytes>) -> Response<Bytes> {
        match Call::read(&request) {
            Ok(call) => self.perform(caller, call).await.unwrap_or_else(|error| answer::error(&error)),
            Err(NoCall::Refused(error)) => answer::error(&error),
            Err(NoCall::Method { allowed }) => {
                let message = format!("this resource has {allowed} and not {}", request.method());
                answer::method_refused(&ErrorBody::new(ErrorCode::BadRequest, message), allowed)
            }
        }
    }

    fn refused(&self, refusal: &PeerError) {
        (self.refused)(refusal);
    }
}

fn ok(body: &impl Serialize) -> Response<Bytes> {
    answer::written(StatusCode::OK, body)
}

/// An answer that says no more than that it was done: an empty object, so that every answer has a Content-Length.
fn done() -> Response<Bytes> {
    answer::json(StatusCode::OK, Bytes::from_static(b"{}"))
}

fn begun(sign_in: &tegata_protocol::body::SignIn) -> Result<Response<Bytes>, ErrorBody> {
    created(sign_in, paths::SIGN_INS, &sign_in.id)
}

fn asked(request: &View) -> Result<Response<Bytes>, ErrorBody> {
    created(request, paths::REQUESTS, &request.id)
}

fn created(body: &impl Serialize, collection: &str, id: &str) -> Result<Response<Bytes>, ErrorBody> {
    let mut response = answer::written(StatusCode::CREATED, body);
    let location = HeaderValue::try_from(format!("{collection}/{id}"))
        .map_err(|_| ErrorBody::new(ErrorCode::Internal, "the id cannot be part of a path"))?;
    response.headers_mut().insert(LOCATION, location);
    Ok(response)
}

/// What waits for a hand; the same as [`gate::HandRequests`] from the other side.
#[derive(Serialize)]
struct Requests {
    requests: Vec<View>,
}
