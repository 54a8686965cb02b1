//! Console logins: the codes that begin them, the refresh tokens that carry them on, and the proofs already seen.

use std::collections::{HashMap, HashSet};

use serde::Serialize;

use super::refuse;
use crate::clock::EpochMs;
use crate::reply::Refusal;

pub(super) type LoginId = usize;

/// One console login, from the code to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Login {
    /// When it began, in milliseconds since the epoch.
    pub at_ms: EpochMs,
    /// The ARN it speaks for.
    pub identity: String,
    /// The client it was granted to.
    pub client_id: String,
    /// The thumbprint (RFC 7638) of the key it is bound to.
    pub thumbprint: String,
    /// When it can no longer be renewed, in milliseconds since the epoch.
    pub ends_ms: EpochMs,
    /// How often it was renewed.
    pub renewals: u64,
    /// Whether it was ended before its time.
    pub ended: bool,
}

/// An authorization code and what it was granted for.
#[derive(Debug)]
pub(super) struct Code {
    pub(super) client_id: String,
    pub(super) redirect_uri: String,
    pub(super) challenge: String,
    pub(super) identity: String,
    pub(super) expires: EpochMs,
    /// The login it was spent on.
    pub(super) spent_on: Option<LoginId>,
}

#[derive(Debug)]
struct RefreshToken {
    login: LoginId,
    spent: bool,
}

/// Every console login of this run.
#[derive(Debug, Default)]
pub(crate) struct Logins {
    pub(crate) all: Vec<Login>,
    pub(super) codes: HashMap<String, Code>,
    refresh: HashMap<String, RefreshToken>,
    proofs: HashSet<String>,
    changed: bool,
}

impl Logins {
    pub(super) fn open(&mut self, login: Login) -> LoginId {
        self.all.push(login);
        self.all.len() - 1
    }

    /// Takes note of a refresh token of this login.
    pub(super) fn carry_on(&mut self, id: LoginId, refresh_token: &str) {
        self.refresh.insert(refresh_token.to_owned(), RefreshToken { login: id, spent: false });
    }

    pub(super) fn end(&mut self, id: LoginId) {
        self.all[id].ended = true;
    }

    /// Ends every login, as a changed password does.
    pub(crate) fn end_all(&mut self) {
        self.changed = true;
        self.all.iter_mut().for_each(|login| login.ended = true);
    }

    /// Whether this proof's id has not been seen before; it has been afterwards.
    pub(super) fn is_new_proof(&mut self, id: &str) -> bool {
        self.proofs.insert(id.to_owned())
    }

    /// Spends a refresh token of that client, which has to come with the key of its login. A reuse ends the login (RFC 9700 section 4.14.2).
    pub(super) fn spend(
        &mut self,
        token: &str,
        client_id: &str,
        thumbprint: &str,
        now: EpochMs,
    ) -> Result<LoginId, Refusal> {
        let expired = |message| refuse("TOKEN_EXPIRED", message);
        let found = self.refresh.get_mut(token).ok_or_else(|| expired("The refresh token is not known"))?;
        let login = &mut self.all[found.login];
        if login.client_id != client_id || login.thumbprint != thumbprint {
            return Err(expired("The refresh token is bound to another client or key"));
        }
        if found.spent {
            login.ended = true;
            return Err(expired("The refresh token was used before"));
        }
        if login.ended && self.changed {
            return Err(refuse("USER_CREDENTIALS_CHANGED", "The credentials of the user have changed"));
        }
        if login.ended || now >= login.ends_ms {
            return Err(expired("The session has expired"));
        }
        found.spent = true;
        login.renewals += 1;
        Ok(found.login)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begun() -> Logins {
        let mut logins = Logins::default();
        let id = logins.open(Login {
            at_ms: 0,
            identity: String::new(),
            client_id: "client".to_owned(),
            thumbprint: "key".to_owned(),
            ends_ms: 100,
            renewals: 0,
            ended: false,
        });
        logins.carry_on(id, "first");
        logins
    }

    fn refused(logins: &mut Logins, token: &str, client: &str, key: &str, now: EpochMs) -> String {
        logins.spend(token, client, key, now).unwrap_err().code
    }

    #[test]
    fn a_token_is_good_once_and_its_reuse_ends_the_login() {
        let mut logins = begun();
        assert_eq!(logins.spend("first", "client", "key", 1).unwrap(), 0);
        logins.carry_on(0, "second");
        assert_eq!(refused(&mut logins, "first", "client", "key", 2), "TOKEN_EXPIRED");
        assert_eq!(refused(&mut logins, "second", "client", "key", 3), "TOKEN_EXPIRED");
    }

    #[test]
    fn another_key_or_client_spends_nothing() {
        let mut logins = begun();
        assert_eq!(refused(&mut logins, "first", "client", "other", 1), "TOKEN_EXPIRED");
        assert_eq!(refused(&mut logins, "first", "other", "key", 1), "TOKEN_EXPIRED");
        assert!(logins.spend("first", "client", "key", 1).is_ok());
    }

    #[test]
    fn a_login_ends_with_its_time_or_with_a_changed_password() {
        assert_eq!(refused(&mut begun(), "first", "client", "key", 100), "TOKEN_EXPIRED");
        let mut logins = begun();
        logins.end_all();
        assert_eq!(refused(&mut logins, "first", "client", "key", 1), "USER_CREDENTIALS_CHANGED");
    }
}
