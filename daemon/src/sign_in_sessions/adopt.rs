//! Taking over a sign-in that another tool made and keeps in a file: what was offered is checked, kept, and proved.
//!
//! The file and this store must not both go on with one refresh token: it is good once, and spent twice may cost the whole
//! sign-in. So it is written here first, as what is about to be spent, and spent at once; from then on the file's copy is
//! dead. A crash anywhere leaves one of the two working, and whoever comes again with the same file is told that it is done.

use super::SignInSessions;
use super::record::SignInRecord;
use crate::aws::{AwsError, Grant, Registration, Tokens};
use crate::clock::from_rfc3339;
use crate::names::{NameError, Region, StartUrl};
use crate::problem::Problem;
use crate::profile::SignInSession;
use sha2::{Digest, Sha256};
use std::time::{Duration, SystemTime};
use subtle::ConstantTimeEq;
use tegata_protocol::Secret;
use tegata_protocol::adoption::{AdoptRenewal, AdoptSession, AdoptionProof};
use tegata_protocol::text::one_line;

/// The longest sign-in session an administrator can set is 90 days, and so long is a client registered.
const LONGEST: Duration = Duration::from_secs(91 * 24 * 3600);

/// Why a sign-in of another tool is not taken over.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoAdoption {
    /// It was made for another organisation or region.
    #[error("its {what} is {theirs}, that of the sign-in session here {ours}")]
    Elsewhere {
        /// What differs.
        what: &'static str,
        /// The file's.
        theirs: String,
        /// The session's.
        ours: String,
    },
    /// A name in it is none.
    #[error(transparent)]
    Name(#[from] NameError),
    /// Something in it cannot be what it says.
    #[error("its {what} is not usable")]
    Unusable {
        /// What.
        what: &'static str,
    },
    /// There is nothing in it that still works.
    #[error("its {what} has ended")]
    Ended {
        /// What.
        what: &'static str,
    },
    /// AWS does not take it.
    #[error("AWS says it is over: {message}")]
    Over {
        /// AWS's own words.
        message: String,
    },
    /// There is a sign-in here that works.
    #[error("there is another sign-in here already")]
    SignedInHere,
}

/// A sign-in of another tool whose form is right.
#[derive(Debug)]
pub struct Offered {
    start_url: StartUrl,
    region: Region,
    tokens: Tokens,
    client: Option<Registration>,
}

impl Offered {
    /// Checks what was sent.
    ///
    /// # Errors
    /// [`NoAdoption`] says what is wrong with it, and repeats no secret.
    pub fn read(sent: &AdoptSession, now: SystemTime) -> Result<Self, NoAdoption> {
        let expires_at = time("expiry", &sent.expires_at, now)?;
        let client = sent.renewal.as_ref().map(|renewal| client(renewal, now)).transpose()?;
        if client.is_none() && expires_at <= now {
            return Err(NoAdoption::Ended { what: "access token" });
        }
        let refresh_token = sent.renewal.as_ref().map(|renewal| token("refresh token", &renewal.refresh_token));
        let access_token = token("access token", &sent.access_token)?;
        let tokens = Tokens { access_token, expires_at, issued_at: now, refresh_token: refresh_token.transpose()? };
        Ok(Self { start_url: StartUrl::new(&sent.start_url)?, region: Region::new(&sent.region)?, tokens, client })
    }

    fn fits(&self, session: &SignInSession) -> Result<(), NoAdoption> {
        let differs = |what, theirs: String, ours: String| Err(NoAdoption::Elsewhere { what, theirs, ours });
        if self.start_url.as_str() != session.start_url.as_str() {
            return differs("start URL", one_line(self.start_url.as_str()), session.start_url.to_string());
        }
        if self.region != session.region {
            return differs("region", self.region.to_string(), session.region.to_string());
        }
        Ok(())
    }

    /// Tells this sign-in from others, without being of any use to whoever reads it.
    fn mark(&self) -> String {
        let token = self.tokens.refresh_token.as_ref().unwrap_or(&self.tokens.access_token);
        Sha256::digest(token.expose_secret()).iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

fn time(what: &'static str, text: &str, now: SystemTime) -> Result<SystemTime, NoAdoption> {
    from_rfc3339(text).filter(|at| *at <= now + LONGEST).ok_or(NoAdoption::Unusable { what })
}

fn token(what: &'static str, token: &Secret) -> Result<Secret, NoAdoption> {
    let text = token.expose_secret();
    let fits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
    if fits { Ok(token.clone()) } else { Err(NoAdoption::Unusable { what }) }
}

fn client(renewal: &AdoptRenewal, now: SystemTime) -> Result<Registration, NoAdoption> {
    let expires_at = time("registration's expiry", &renewal.registration_expires_at, now)?;
    if expires_at <= now {
        return Err(NoAdoption::Ended { what: "client registration" });
    }
    let client_id = token("client id", &Secret::new(renewal.client_id.clone()))?.expose_secret().to_owned();
    Ok(Registration { client_id, client_secret: token("client secret", &renewal.client_secret)?, expires_at })
}

/// What was taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TakenOver {
    /// How it was proved.
    pub proof: AdoptionProof,
    /// When its access token ends.
    pub expires_at: SystemTime,
}

impl SignInSessions {
    /// Takes over a sign-in of another tool.
    ///
    /// # Errors
    /// [`Problem::NotAdopted`], [`Problem::SignInChanged`], or what the store or AWS said: then what was offered is as it
    /// was, unless AWS has spent its refresh token and the answer was lost.
    pub async fn adopt(&self, session: &SignInSession, offered: Offered) -> Result<TakenOver, Problem> {
        let refused = |why| Problem::NotAdopted { session: session.name.clone(), why };
        // Whoever comes twice with one file must not spend it twice.
        let _one_at_a_time = self.adopting.lock().await;
        offered.fits(session).map_err(refused)?;
        self.read(session).await?;
        let before = self.lock().get(&session.name).map(|held| held.record.clone());
        let before = before.ok_or(Problem::Internal("the sign-in session is gone"))?;
        let mark = offered.mark();
        if let Some(done) = self.is_adopted(&before, &mark) {
            return Ok(done);
        }
        if before.tokens.as_ref().is_some_and(|tokens| self.works(tokens)) {
            return Err(refused(NoAdoption::SignedInHere));
        }
        let record = SignInRecord {
            registration: offered.client.clone().map(|client| (client, session.scopes.clone())),
            tokens: Some(offered.tokens),
            spending_since: None,
            ended: None,
            adopted: Some(mark),
            ..before.clone()
        };
        match offered.client {
            Some(client) => self.adopt_by_renewal(session, &client, record, &before).await,
            None => self.adopt_as_it_is(session, record).await,
        }
    }

    /// Returns what was taken over of this very sign-in before.
    fn is_adopted(&self, record: &SignInRecord, mark: &str) -> Option<TakenOver> {
        let same = record.adopted.as_ref().is_some_and(|adopted| adopted.as_bytes().ct_eq(mark.as_bytes()).into());
        let tokens = record.tokens.as_ref().filter(|tokens| same && self.works(tokens))?;
        let proof = if record.registration.is_some() { AdoptionProof::Renewed } else { AdoptionProof::Portal };
        Some(TakenOver { proof, expires_at: tokens.expires_at })
    }

    fn works(&self, tokens: &Tokens) -> bool {
        tokens.refresh_token.is_some() || tokens.expires_at > self.clock.now()
    }

    /// Keep, spend, keep: the order that a crash at any point leaves something working.
    async fn adopt_by_renewal(
        &self,
        session: &SignInSession,
        client: &Registration,
        mut record: SignInRecord,
        before: &SignInRecord,
    ) -> Result<TakenOver, Problem> {
        let spent = record.tokens.as_ref().and_then(|tokens| tokens.refresh_token.clone());
        let refresh_token = spent.ok_or(Problem::Internal("a client without a refresh token"))?;
        self.write(&SignInRecord { spending_since: Some(self.clock.now()), ..record.clone() }).await?;
        crate::failpoint!("adopt.probed");
        let answer = self.aws.create_token(&session.region, client, Grant::RefreshToken(&refresh_token)).await;
        crate::failpoint!("adopt.received");
        match answer {
            Ok(mut tokens) => {
                tokens.refresh_token = tokens.refresh_token.or(Some(refresh_token));
                let expires_at = tokens.expires_at;
                record.tokens = Some(tokens);
                self.take_up(session, record).await;
                crate::failpoint!("adopt.stored");
                Ok(TakenOver { proof: AdoptionProof::Renewed, expires_at })
            }
            Err(error) => {
                if let Err(problem) = self.write(before).await {
                    tracing::warn!(
                        "sign-in session {}: what was not taken over is still kept: {problem}",
                        session.name
                    );
                }
                Err(not_taken(session, error))
            }
        }
    }

    /// Nothing renews it: the portal says whether it lives.
    async fn adopt_as_it_is(&self, session: &SignInSession, record: SignInRecord) -> Result<TakenOver, Problem> {
        let tokens = record.tokens.as_ref().ok_or(Problem::Internal("nothing was offered"))?;
        let (token, expires_at) = (tokens.access_token.clone(), tokens.expires_at);
        let answer = self.aws.list_accounts(&session.region, &token, None).await;
        answer.map_err(|error| not_taken(session, error))?;
        // The file is given up for this: it has to be kept first.
        self.write(&record).await?;
        crate::failpoint!("adopt.portal-stored");
        self.take_up(session, record).await;
        Ok(TakenOver { proof: AdoptionProof::Portal, expires_at })
    }

    /// Takes what was proved for the session's own, as after a sign-in. Where a lock has emptied memory meanwhile, the store
    /// alone has it.
    async fn take_up(&self, session: &SignInSession, record: SignInRecord) {
        let in_memory = {
            let mut table = self.lock();
            let held = table.get_mut(&session.name);
            held.map(|held| {
                held.session = session.clone();
                held.record = record.clone();
                held.forget_failure();
            })
            .is_some()
        };
        if in_memory {
            self.save(&session.name).await;
        } else if let Err(problem) = self.write(&record).await {
            tracing::warn!("sign-in session {}: what was taken over is not kept: {problem}", session.name);
        }
        self.announce();
    }
}

fn not_taken(session: &SignInSession, error: AwsError) -> Problem {
    match error {
        AwsError::SignInOver { message } | AwsError::ClientUnknown { message } => {
            Problem::NotAdopted { session: session.name.clone(), why: NoAdoption::Over { message } }
        }
        error => Problem::Aws(error),
    }
}
