//! Credentials in memory, keyed by what they reach, until they end. The cache forgets; the store lasts.
//!
//! Age has three states: fresh, usable but to be renewed, ended. The middle one never makes a caller fail: a renewal
//! that does not work out leaves the live credentials where they are.

use crate::credentials::Credentials;
use crate::profile::Chain;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

/// The most credentials held: 2,000 accounts with five roles fit.
const MOST: usize = 10_000;

/// botocore asks again before *every* API call once less than this is left (its advisory refresh window).
const HAND_OUT_AT_LEAST: Duration = Duration::from_secs(15 * 60);

/// How early credentials in use are renewed in the background, so that nobody meets [`HAND_OUT_AT_LEAST`].
const RENEW_AHEAD: Duration = Duration::from_secs(20 * 60);

/// What the cache has for a caller.
#[derive(Debug, Clone)]
#[must_use]
pub enum Found {
    /// Good for longer than any SDK's refresh window.
    Fresh(Arc<Credentials>),
    /// Still accepted by AWS; newer ones are better.
    Usable(Arc<Credentials>),
    /// Nothing that AWS would accept.
    Nothing,
}

/// Credentials in memory.
#[derive(Debug, Default)]
pub struct Cache(Mutex<HashMap<Arc<Chain>, Entry>>);

#[derive(Debug)]
struct Entry {
    credentials: Arc<Credentials>,
    /// When a tool last got them.
    used_at: Option<SystemTime>,
}

impl Entry {
    /// Whether a tool got them since they were issued: what nobody uses is not renewed ahead.
    fn is_wanted(&self) -> bool {
        self.used_at.is_some()
    }
}

impl Cache {
    /// Looks up what reaches `chain` and remembers that it is in use.
    pub fn find(&self, chain: &Chain, now: SystemTime) -> Found {
        let mut entries = self.lock();
        let Some(entry) = entries.get_mut(chain) else { return Found::Nothing };
        entry.used_at = Some(now);
        judge(&entry.credentials, now)
    }

    /// Remembers that a tool got what is held for a chain.
    pub fn mark_used(&self, chain: &Chain, now: SystemTime) {
        if let Some(entry) = self.lock().get_mut(chain) {
            entry.used_at = Some(now);
        }
    }

    /// Looks up without counting it as use.
    pub fn peek(&self, chain: &Chain, now: SystemTime) -> Found {
        self.lock().get(chain).map_or(Found::Nothing, |entry| judge(&entry.credentials, now))
    }

    /// Returns when what is held for a chain ends, for showing.
    #[must_use]
    pub fn expiry(&self, chain: &Chain, now: SystemTime) -> Option<SystemTime> {
        self.lock().get(chain).map(|entry| entry.credentials.expires_at()).filter(|expiry| *expiry > now)
    }

    /// Puts new credentials in the place of older ones. Older than those held never replace newer ones.
    pub fn insert(&self, chain: Arc<Chain>, credentials: Arc<Credentials>, now: SystemTime) {
        let mut entries = self.lock();
        if entries.get(&chain).is_some_and(|held| held.credentials.expires_at() > credentials.expires_at()) {
            return;
        }
        if entries.len() >= MOST && !entries.contains_key(&chain) {
            make_room(&mut entries, now);
        }
        entries.insert(chain, Entry { credentials, used_at: None });
    }

    /// Returns what is in use and has to be renewed by `now`.
    #[must_use]
    pub fn due(&self, now: SystemTime) -> Vec<Arc<Chain>> {
        let due = |entry: &Entry| entry.is_wanted() && renew_at(&entry.credentials) <= now;
        self.lock().iter().filter(|(_, entry)| due(entry)).map(|(chain, _)| Arc::clone(chain)).collect()
    }

    /// Returns when the next of the credentials in use has to be renewed.
    #[must_use]
    pub fn next_due(&self) -> Option<SystemTime> {
        self.lock().values().filter(|entry| entry.is_wanted()).map(|entry| renew_at(&entry.credentials)).min()
    }

    /// Drops what has ended.
    pub fn sweep(&self, now: SystemTime) {
        self.lock().retain(|_, entry| !matches!(judge(&entry.credentials, now), Found::Nothing));
    }

    /// Drops what `goes` says.
    pub fn forget(&self, goes: impl Fn(&Chain) -> bool) {
        self.lock().retain(|chain, _| !goes(chain));
    }

    /// Returns how many credentials are held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lock().len()
    }

    /// Whether none are held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns what is held for chains that `of` picks, most recently used first.
    #[must_use]
    pub fn held(&self, of: impl Fn(&Chain) -> bool) -> Vec<(Arc<Chain>, Arc<Credentials>)> {
        let entries = self.lock();
        let mut held: Vec<_> = entries.iter().filter(|(chain, _)| of(chain)).collect();
        held.sort_by_key(|(_, entry)| std::cmp::Reverse((entry.used_at, entry.credentials.issued_at())));
        held.into_iter().map(|(chain, entry)| (Arc::clone(chain), Arc::clone(&entry.credentials))).collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Arc<Chain>, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Says what credentials are good for at `now`.
pub fn judge(credentials: &Arc<Credentials>, now: SystemTime) -> Found {
    let left = credentials.remaining(now);
    if left.is_zero() {
        Found::Nothing
    } else if left > HAND_OUT_AT_LEAST.min(credentials.lifetime() / 3) {
        Found::Fresh(Arc::clone(credentials))
    } else {
        Found::Usable(Arc::clone(credentials))
    }
}

/// Returns when credentials in use are renewed: twenty minutes before they end, or at half their life if that is later.
#[must_use]
pub fn renew_at(credentials: &Credentials) -> SystemTime {
    credentials.expires_at() - RENEW_AHEAD.min(credentials.lifetime() / 2)
}

fn make_room(entries: &mut HashMap<Arc<Chain>, Entry>, now: SystemTime) {
    entries.retain(|_, entry| !matches!(judge(&entry.credentials, now), Found::Nothing));
    let oldest = entries.iter().min_by_key(|(_, entry)| entry.used_at).map(|(chain, _)| Arc::clone(chain));
    if let Some(oldest) = oldest.filter(|_| entries.len() >= MOST) {
        entries.remove(&oldest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credentials::Parts;
    use crate::names::{AccountId, Region, RoleName, SessionName, StartUrl};
    use crate::profile::{SignInSession, Source};
    use tegata_protocol::Secret;

    const START: SystemTime = SystemTime::UNIX_EPOCH;

    fn at(minutes: u64) -> SystemTime {
        START + Duration::from_secs(minutes * 60)
    }

    fn chain(role: &str) -> Arc<Chain> {
        let session = SignInSession {
            name: SessionName::new("corp").unwrap(),
            start_url: StartUrl::new("https://d-1.awsapps.com/start").unwrap(),
            region: Region::new("us-east-1").unwrap(),
            scopes: vec![],
        };
        let account = AccountId::new("123456789012").unwrap();
        let source = Source::SignIn { session, account, role: RoleName::new(role).unwrap() };
        Arc::new(Chain { source, roles: vec![], region: Region::new("us-east-1").unwrap() })
    }

    fn credentials(issued: u64, minutes: u64) -> Arc<Credentials> {
        Arc::new(Credentials::from(Parts {
            access_key_id: "ASIATEST".into(),
            secret_access_key: Secret::new("s".into()),
            session_token: Secret::new("t".into()),
            expires_at: at(issued + minutes),
            issued_at: at(issued),
            account_id: None,
        }))
    }

    #[test]
    fn an_hour_is_fresh_until_fifteen_minutes_are_left() {
        let hour = credentials(0, 60);
        assert!(matches!(judge(&hour, at(44)), Found::Fresh(_)));
        assert!(matches!(judge(&hour, at(45)), Found::Usable(_)));
        assert!(matches!(judge(&hour, at(59)), Found::Usable(_)));
        assert!(matches!(judge(&hour, at(60)), Found::Nothing));
    }

    #[test]
    fn fifteen_minute_credentials_are_fresh_for_two_thirds_of_their_life() {
        let short = credentials(0, 15);
        assert!(matches!(judge(&short, at(9)), Found::Fresh(_)));
        assert!(matches!(judge(&short, at(10)), Found::Usable(_)));
    }

    #[test]
    fn credentials_in_use_are_due_before_they_stop_being_fresh() {
        for minutes in [1, 15, 30, 60, 720] {
            let issued = credentials(0, minutes);
            assert!(matches!(judge(&issued, renew_at(&issued)), Found::Fresh(_)), "{minutes} minutes");
        }
    }

    #[test]
    fn only_what_is_used_is_renewed_ahead() {
        let cache = Cache::default();
        cache.insert(chain("Used"), credentials(0, 60), at(0));
        cache.insert(chain("Unused"), credentials(0, 60), at(0));
        assert!(matches!(cache.find(&chain("Used"), at(1)), Found::Fresh(_)));
        assert_eq!(cache.next_due(), Some(at(40)));
        assert!(cache.due(at(39)).is_empty());
        assert_eq!(cache.due(at(40)), [chain("Used")]);
    }

    #[test]
    fn older_credentials_never_replace_newer_ones() {
        let cache = Cache::default();
        cache.insert(chain("R"), credentials(10, 60), at(10));
        cache.insert(chain("R"), credentials(0, 60), at(10));
        assert_eq!(cache.expiry(&chain("R"), at(10)), Some(at(70)));
    }

    #[test]
    fn h9_names_that_look_alike_reach_different_entries() {
        let cache = Cache::default();
        cache.insert(chain("Admin"), credentials(0, 60), at(0));
        assert!(matches!(cache.find(&chain("admin"), at(1)), Found::Nothing));
    }

    #[test]
    fn h9_twin_the_same_name_reaches_the_same_entry() {
        let cache = Cache::default();
        cache.insert(chain("Admin"), credentials(0, 60), at(0));
        assert!(matches!(cache.find(&chain("Admin"), at(1)), Found::Fresh(_)));
    }

    #[test]
    fn forgetting_is_by_what_is_reached() {
        let cache = Cache::default();
        cache.insert(chain("A"), credentials(0, 60), at(0));
        cache.insert(chain("B"), credentials(0, 60), at(0));
        cache.forget(|held| *held == *chain("A"));
        assert_eq!(cache.len(), 1);
        cache.sweep(at(60));
        assert!(cache.is_empty());
    }
}
