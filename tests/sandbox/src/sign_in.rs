//! Sign-in sessions and their tokens: what CreateToken mints, the portal checks and a logout ends.

use std::collections::HashMap;

use crate::clock::{EpochMs, millis};
use crate::mint::{Mint, SecretKind};
use crate::settings::{Lifetimes, RefreshReuse, Settings};

pub(crate) type SignInId = usize;

/// One person's sign-in through one client; every token refers to it.
#[derive(Debug, Clone)]
pub(crate) struct SignIn {
    pub(crate) start_url: String,
    pub(crate) region: String,
    pub(crate) user: String,
    pub(crate) client_id: String,
    ends: EpochMs,
    ended: bool,
}

impl SignIn {
    fn is_live(&self, now: EpochMs) -> bool {
        !self.ended && now < self.ends
    }
}

#[derive(Debug)]
struct AccessToken {
    sign_in: SignInId,
    expires: EpochMs,
}

#[derive(Debug)]
struct RefreshToken {
    sign_in: SignInId,
    expires: EpochMs,
    /// The token this one was exchanged for.
    parent: Option<String>,
    spent: Option<EpochMs>,
    /// Whether a token it was exchanged for has been used.
    child_used: bool,
}

/// What CreateToken answers.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Tokens {
    pub(crate) access_token: String,
    pub(crate) expires_in: i64,
    pub(crate) refresh_token: Option<String>,
}

/// Every sign-in session of this run.
#[derive(Debug, Default)]
pub(crate) struct SignIns {
    sessions: Vec<SignIn>,
    access: HashMap<String, AccessToken>,
    refresh: HashMap<String, RefreshToken>,
}

/// Who is signing in, for [`SignIns::open`].
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    pub(crate) start_url: String,
    pub(crate) region: String,
    pub(crate) user: String,
}

impl SignIns {
    pub(crate) fn open(&mut self, who: &Identity, client_id: &str, lifetimes: &Lifetimes, now: EpochMs) -> SignInId {
        self.sessions.push(SignIn {
            start_url: who.start_url.clone(),
            region: who.region.clone(),
            user: who.user.clone(),
            client_id: client_id.to_owned(),
            ends: now + millis(lifetimes.sign_in_session),
            ended: false,
        });
        self.sessions.len() - 1
    }

    /// New tokens for a sign-in session. `parent` is the refresh token that paid for them.
    pub(crate) fn mint(
        &mut self,
        id: SignInId,
        refreshable: bool,
        parent: Option<&str>,
        (mint, settings, now): (&mut Mint, &Settings, EpochMs),
    ) -> Tokens {
        let ends = self.sessions[id].ends;
        let access_token = mint.secret(SecretKind::AccessToken, 0);
        let expires = ends.min(now + millis(settings.lifetimes.access_token));
        self.access.insert(access_token.clone(), AccessToken { sign_in: id, expires });
        let refresh_token = refreshable.then(|| mint.secret(SecretKind::RefreshToken, 0));
        if let Some(token) = &refresh_token {
            let expires = ends.min(now + millis(settings.lifetimes.refresh_token));
            let parent = parent.map(str::to_owned);
            let minted = RefreshToken { sign_in: id, expires, parent, spent: None, child_used: false };
            self.refresh.insert(token.clone(), minted);
        }
        Tokens { access_token, expires_in: (expires - now).max(0) / 1000, refresh_token }
    }

    /// The live sign-in session behind an access token.
    pub(crate) fn bearer(&self, access_token: &str, now: EpochMs) -> Option<(SignInId, &SignIn)> {
        let token = self.access.get(access_token).filter(|token| now < token.expires)?;
        let sign_in = &self.sessions[token.sign_in];
        sign_in.is_live(now).then_some((token.sign_in, sign_in))
    }

    /// Spends a refresh token of that client. `None` when it is not good; a reuse beyond the tolerance also ends the
    /// sign-in session (RFC 9700 section 4.14.2).
    pub(crate) fn spend(
        &mut self,
        token: &str,
        client_id: &str,
        settings: &Settings,
        now: EpochMs,
    ) -> Option<SignInId> {
        let found = self.refresh.get_mut(token)?;
        let (id, parent) = (found.sign_in, found.parent.clone());
        let sign_in = &mut self.sessions[id];
        if sign_in.client_id != client_id || !sign_in.is_live(now) || now >= found.expires {
            return None;
        }
        if !is_good(found, settings.refresh_reuse, now) {
            sign_in.ended = true;
            return None;
        }
        if settings.refresh_rotation {
            found.spent.get_or_insert(now);
        }
        if let Some(parent) = parent.and_then(|parent| self.refresh.get_mut(&parent)) {
            parent.child_used = true;
        }
        Some(id)
    }

    pub(crate) fn end(&mut self, id: SignInId) {
        self.sessions[id].ended = true;
    }

    pub(crate) fn end_all(&mut self) {
        self.sessions.iter_mut().for_each(|sign_in| sign_in.ended = true);
    }

    pub(crate) fn forget_access_tokens(&mut self) {
        self.access.clear();
    }
}

fn is_good(token: &RefreshToken, reuse: RefreshReuse, now: EpochMs) -> bool {
    match (token.spent, reuse) {
        (None, _) => true,
        (Some(_), RefreshReuse::Strict) => false,
        (Some(spent), RefreshReuse::TolerantFor(tolerance)) => now < spent + millis(tolerance),
        (Some(_), RefreshReuse::TolerantUntilNewIsUsed) => !token.child_used,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const CLIENT: &str = "client";

    struct Case {
        sign_ins: SignIns,
        mint: Mint,
        settings: Settings,
        id: SignInId,
    }

    impl Case {
        fn new(reuse: RefreshReuse) -> Self {
            let settings = Settings { refresh_reuse: reuse, ..Settings::default() };
            let mut sign_ins = SignIns::default();
            let who = Identity { start_url: String::new(), region: String::new(), user: "alice".to_owned() };
            let id = sign_ins.open(&who, CLIENT, &settings.lifetimes, 0);
            Self { sign_ins, mint: Mint::default(), settings, id }
        }

        fn first(&mut self) -> Tokens {
            self.sign_ins.mint(self.id, true, None, (&mut self.mint, &self.settings, 0))
        }

        fn refresh(&mut self, token: &str, now: EpochMs) -> Option<Tokens> {
            let id = self.sign_ins.spend(token, CLIENT, &self.settings, now)?;
            Some(self.sign_ins.mint(id, true, Some(token), (&mut self.mint, &self.settings, now)))
        }
    }

    fn refresh_of(tokens: &Tokens) -> String {
        tokens.refresh_token.clone().unwrap()
    }

    #[test]
    fn strict_reuse_is_refused_and_ends_the_family() {
        let mut case = Case::new(RefreshReuse::Strict);
        let first = refresh_of(&case.first());
        let second = case.refresh(&first, 1).unwrap();
        assert!(case.sign_ins.bearer(&second.access_token, 2).is_some());
        assert_eq!(case.refresh(&first, 2), None);
        assert_eq!(case.refresh(&refresh_of(&second), 3), None);
        assert!(case.sign_ins.bearer(&second.access_token, 3).is_none());
    }

    #[test]
    fn strict_rotation_goes_on_as_long_as_each_token_is_used_once() {
        let mut case = Case::new(RefreshReuse::Strict);
        let mut token = refresh_of(&case.first());
        for now in 1..10 {
            token = refresh_of(&case.refresh(&token, now).unwrap());
        }
    }

    #[test]
    fn tolerance_by_time_ends_with_the_time() {
        let mut case = Case::new(RefreshReuse::TolerantFor(Duration::from_secs(10)));
        let first = refresh_of(&case.first());
        assert!(case.refresh(&first, 0).is_some());
        assert!(case.refresh(&first, 9_999).is_some());
        assert_eq!(case.refresh(&first, 10_000), None);
    }

    #[test]
    fn tolerance_until_use_ends_when_the_new_token_is_used() {
        let mut case = Case::new(RefreshReuse::TolerantUntilNewIsUsed);
        let first = refresh_of(&case.first());
        case.refresh(&first, 1).unwrap();
        let second = refresh_of(&case.refresh(&first, 2).unwrap());
        let third = refresh_of(&case.refresh(&second, 3).unwrap());
        assert_eq!(case.refresh(&first, 4), None);
        assert_eq!(case.refresh(&third, 5), None, "the family ended with the reuse");
    }

    #[test]
    fn another_client_cannot_spend_a_refresh_token() {
        let mut case = Case::new(RefreshReuse::Strict);
        let first = refresh_of(&case.first());
        assert_eq!(case.sign_ins.spend(&first, "other", &case.settings, 1), None);
        assert!(case.refresh(&first, 1).is_some());
    }

    #[test]
    fn tokens_never_outlive_the_sign_in_session() {
        let mut case = Case::new(RefreshReuse::Strict);
        let tokens = case.first();
        let hours = 3_600_000;
        let late = case.refresh(&refresh_of(&tokens), 7 * hours + hours / 2).unwrap();
        assert_eq!(late.expires_in, 1800);
        assert!(case.sign_ins.bearer(&late.access_token, 8 * hours - 1).is_some());
        assert!(case.sign_ins.bearer(&late.access_token, 8 * hours).is_none());
        assert_eq!(case.refresh(&refresh_of(&late), 8 * hours), None);
    }
}
