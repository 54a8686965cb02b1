//! Everything one sandbox knows, and the story of one request.

use crate::call::{Answer, Call};
use crate::clock::Clock;
use crate::faults::Delivery;
use crate::federation::{self, Federation, Gatehouse};
use crate::github::{self, Jobs};
use crate::iam::{self, Clerk};
use crate::identity_provider::{self, SigningKeys};
use crate::issued::Ledger;
use crate::metadata::{self, Machine, Sessions};
use crate::mint::Mint;
use crate::oidc::{self, Desk, Oidc};
use crate::operation::{Operation, Service};
use crate::paging::PageKey;
use crate::portal::{self, Counter};
use crate::reply::{Refusal, Reply};
use crate::roles_anywhere::{self, CertificateSession, Registry};
use crate::settings::Settings;
use crate::sign_in::SignIns;
use crate::signin::{self, Logins, Reception};
use crate::sts::{self, AssumedRole, Bench, RoleForToken, UserSession};
use crate::traffic::Traffic;
use crate::users::Users;

/// The state behind the one mutex.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) settings: Settings,
    pub(crate) clock: Clock,
    pub(crate) mint: Mint,
    pub(crate) oidc: Oidc,
    pub(crate) sign_ins: SignIns,
    pub(crate) logins: Logins,
    pub(crate) ledger: Ledger,
    pub(crate) users: Users,
    pub(crate) assumed: Vec<AssumedRole>,
    pub(crate) certificate_sessions: Vec<CertificateSession>,
    pub(crate) user_sessions: Vec<UserSession>,
    pub(crate) for_tokens: Vec<RoleForToken>,
    pub(crate) keys: SigningKeys,
    pub(crate) jobs: Jobs,
    metadata: Sessions,
    pub(crate) federation: Federation,
    pub(crate) traffic: Traffic,
    page_key: PageKey,
    pub(crate) base_url: String,
}

impl State {
    pub(crate) fn new(settings: Settings, base_url: String) -> Result<Self, ring::error::KeyRejected> {
        Ok(Self {
            settings,
            base_url,
            clock: Clock::default(),
            mint: Mint::default(),
            oidc: Oidc::default(),
            sign_ins: SignIns::default(),
            logins: Logins::default(),
            ledger: Ledger::default(),
            users: Users::default(),
            assumed: Vec::new(),
            certificate_sessions: Vec::new(),
            user_sessions: Vec::new(),
            for_tokens: Vec::new(),
            keys: SigningKeys::new()?,
            jobs: Jobs::default(),
            metadata: Sessions::default(),
            federation: Federation::default(),
            traffic: Traffic::default(),
            page_key: PageKey::new(),
        })
    }

    /// Limits first, then faults, then the work.
    pub(crate) fn handle(&mut self, call: &mut Call) -> Delivery {
        call.now = self.clock.now();
        let (operation, tail) = (call.operation, self.settings.error_type_tail);
        if let Err(refusal) = self.admit(call) {
            return Delivery::Whole(refusal.into_reply(operation.service(), tail));
        }
        let effect = self.traffic.faults.next(operation);
        if let Some(delivery) = effect.as_ref().and_then(|effect| effect.instead(operation, tail)) {
            return delivery;
        }
        let answer = self.answer(call);
        let reply = answer.unwrap_or_else(|refusal| refusal.into_reply(operation.service(), tail));
        match effect {
            Some(effect) => effect.spoil(reply),
            None => Delivery::Whole(reply),
        }
    }

    fn admit(&mut self, call: &Call) -> Result<(), Refusal> {
        let Some(bucket) = self.settings.throttle.get(&call.operation) else { return Ok(()) };
        self.traffic.take_token(call.operation, *bucket, call.now).map_err(|seconds| {
            let mut refusal = match call.operation.service() {
                Service::Sts | Service::Iam => Refusal::new(400, "Throttling", "Rate exceeded"),
                Service::Signin => Refusal::new(429, "TooManyRequestsError", "Rate exceeded"),
                _ => Refusal::new(429, "TooManyRequestsException", "HTTP 429 Too Many Requests"),
            };
            refusal.retry_after = Some(seconds);
            refusal
        })
    }

    fn answer(&mut self, call: &Call) -> Answer {
        match call.operation.service() {
            Service::Oidc => self.oidc(call),
            Service::Portal => self.portal(call),
            Service::Signin => self.signin(call),
            Service::Sts => self.sts(call),
            Service::Iam => self.iam(call),
            Service::Federation => self.federation(call),
            Service::RolesAnywhere => self.roles_anywhere(call),
            Service::Instance | Service::Container => self.machine(call),
            Service::Github => {
                let Self { jobs, keys, mint, settings, .. } = self;
                github::id_token(jobs, keys, mint, &settings.github_token, call)
            }
            Service::IdentityProvider => identity_provider::document(&self.keys, &self.base_url, call.operation),
        }
    }

    fn oidc(&mut self, call: &Call) -> Answer {
        let Self { oidc, sign_ins, mint, settings, base_url, .. } = self;
        let mut desk = Desk { oidc, sign_ins, mint, settings, base_url };
        match call.operation {
            Operation::RegisterClient => oidc::register_client(&mut desk, call),
            Operation::Authorize => oidc::authorize(&mut desk, call),
            Operation::AuthorizeDecision => oidc::decide_authorization(&mut desk, call),
            Operation::StartDeviceAuthorization => oidc::start_device_authorization(&mut desk, call),
            Operation::DevicePage => oidc::device_page(&mut desk, call),
            Operation::DeviceDecision => oidc::decide_device(&mut desk, call),
            Operation::OwnAddress if call.method == "HEAD" && !settings.own_address_knows_head => {
                Ok(Reply::html(405, String::new()))
            }
            Operation::OwnAddress => Ok(Reply::redirect(302, settings.own_address_leads_to.clone())),
            Operation::CreateTokenAuthorizationCode
            | Operation::CreateTokenDeviceCode
            | Operation::CreateTokenRefreshToken
            | Operation::CreateToken => oidc::create_token(&mut desk, call),
            _ => Err(unknown_operation()),
        }
    }

    fn portal(&mut self, call: &Call) -> Answer {
        let Self { sign_ins, ledger, mint, page_key, settings, .. } = self;
        let mut counter = Counter { sign_ins, ledger, mint, page_key, settings };
        match call.operation {
            Operation::GetRoleCredentials => portal::get_role_credentials(&mut counter, call),
            Operation::ListAccounts => portal::list_accounts(&mut counter, call),
            Operation::ListAccountRoles => portal::list_account_roles(&mut counter, call),
            Operation::Logout => portal::logout(&mut counter, call),
            _ => Err(unknown_operation()),
        }
    }

    fn signin(&mut self, call: &Call) -> Answer {
        let Self { logins, ledger, mint, settings, .. } = self;
        let mut reception = Reception { logins, ledger, mint, settings };
        match call.operation {
            Operation::LoginAuthorize => signin::authorize(&mut reception, call),
            Operation::LoginConfirmation => signin::confirmation(&reception, call),
            _ => signin::create_oauth2_token(&mut reception, call),
        }
    }

    fn sts(&mut self, call: &Call) -> Answer {
        let Self { ledger, mint, users, assumed, user_sessions, for_tokens, keys, settings, .. } = self;
        let mut bench = Bench { ledger, mint, users, assumed, user_sessions, for_tokens, keys, settings };
        match call.operation {
            Operation::GetCallerIdentity => sts::get_caller_identity(&mut bench, call),
            Operation::AssumeRole => sts::assume_role(&mut bench, call),
            Operation::GetSessionToken => sts::get_session_token(&mut bench, call),
            Operation::AssumeRoleWithWebIdentity => sts::assume_role_with_web_identity(&mut bench, call),
            _ => sts::unknown_action(&mut bench, call),
        }
    }

    fn iam(&mut self, call: &Call) -> Answer {
        let Self { ledger, mint, users, settings, .. } = self;
        let mut clerk = Clerk { ledger, mint, users, settings };
        match call.operation {
            Operation::CreateAccessKey => iam::create_access_key(&mut clerk, call),
            Operation::ListAccessKeys => iam::list_access_keys(&mut clerk, call),
            Operation::UpdateAccessKey => iam::update_access_key(&mut clerk, call),
            Operation::DeleteAccessKey => iam::delete_access_key(&mut clerk, call),
            Operation::GetAccessKeyLastUsed => iam::get_access_key_last_used(&mut clerk, call),
            Operation::ListServiceSpecificCredentials => iam::list_service_specific_credentials(&mut clerk, call),
            Operation::GetUser => iam::get_user(&mut clerk, call),
            _ => iam::unknown_action(&mut clerk, call),
        }
    }

    fn machine(&mut self, call: &Call) -> Answer {
        let Self { metadata: sessions, ledger, mint, settings, .. } = self;
        let mut machine = Machine { sessions, ledger, mint, settings };
        match call.operation {
            Operation::MetadataToken if call.method != "PUT" => Err(Refusal::new(405, "Not Allowed", "Not Allowed")),
            Operation::MetadataToken => metadata::token(&mut machine, call),
            Operation::MetadataRoleName => metadata::role_name(&machine, call),
            Operation::MetadataCredentials => metadata::credentials(&mut machine, call),
            Operation::MetadataPlace => metadata::place(&machine, call),
            _ => metadata::container_credentials(&mut machine, call),
        }
    }

    fn federation(&mut self, call: &Call) -> Answer {
        let Self { federation, ledger, assumed, mint, base_url, .. } = self;
        let mut house = Gatehouse { federation, ledger, assumed, mint, base_url };
        match call.operation {
            Operation::GetSigninToken => federation::get_signin_token(&mut house, call),
            Operation::ConsoleLogin => federation::login(&mut house, call),
            Operation::ConsoleLogout => federation::logout(&mut house, call),
            Operation::ConsolePage => federation::page(&house, call),
            _ => Err(unknown_operation()),
        }
    }

    fn roles_anywhere(&mut self, call: &Call) -> Answer {
        let Self { ledger, mint, certificate_sessions: sessions, settings, .. } = self;
        roles_anywhere::create_session(&mut Registry { ledger, mint, sessions, settings }, call)
    }

    /// The `Date` header of an answer sent now.
    pub(crate) fn date(&self) -> String {
        crate::clock::http_date(self.clock.now().saturating_add(self.settings.date_header_offset_ms))
    }

    pub(crate) fn too_large(&self, service: Service) -> Reply {
        Refusal::new(413, "RequestEntityTooLargeException", "The body is too large")
            .into_reply(service, self.settings.error_type_tail)
    }
}

fn unknown_operation() -> Refusal {
    Refusal::new(404, "UnknownOperationException", "No such operation")
}
