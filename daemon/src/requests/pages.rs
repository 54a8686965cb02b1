//! The pages that are open: one-time secrets of URLs, and the tokens they were swapped for. Pure; boot time is given.

use crate::gate::CeremonyId;
use sha2::{Digest, Sha256};
use std::time::Duration;
use subtle::ConstantTimeEq;
use tegata_protocol::Secret;

/// How long a URL waits to be opened, and a page for its person.
const LIVES_FOR: Duration = Duration::from_secs(6 * 60);

/// The most pages at the same time; the oldest goes first.
const MOST: usize = 32;

/// The open pages of one daemon. Kept are digests, so that nothing here could open a page.
#[derive(Debug, Default)]
pub(super) struct Pages(Vec<Page>);

#[derive(Debug)]
struct Page {
    request: String,
    key: Key,
    ceremony: Option<CeremonyId>,
    ends: Duration,
}

/// What opens a page.
#[derive(Debug)]
enum Key {
    /// The URL's secret: good once.
    Secret([u8; 32]),
    /// The token that the secret was swapped for.
    Token([u8; 32]),
}

fn digest(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

impl Pages {
    /// Makes a page for a request and returns the secret of its URL.
    pub(super) fn make(&mut self, request: &str, now: Duration) -> Secret {
        self.sweep(now);
        if self.0.len() >= MOST {
            self.0.remove(0);
        }
        let secret = crate::random::secret();
        let key = Key::Secret(digest(secret.expose_secret()));
        self.0.push(Page { request: request.to_owned(), key, ceremony: None, ends: now + LIVES_FOR });
        secret
    }

    /// Swaps a secret for a token. Returns the token and the request.
    pub(super) fn open(&mut self, secret: &str, now: Duration) -> Option<(Secret, String)> {
        self.sweep(now);
        let offered = digest(secret);
        let page =
            self.0.iter_mut().find(|page| matches!(&page.key, Key::Secret(of) if bool::from(of.ct_eq(&offered))))?;
        let token = crate::random::secret();
        page.key = Key::Token(digest(token.expose_secret()));
        Some((token, page.request.clone()))
    }

    /// Returns the request of a token.
    pub(super) fn request(&mut self, token: &str, now: Duration) -> Option<String> {
        self.of_token(token, now).map(|page| page.request.clone())
    }

    /// Takes note of the ceremony that a page has begun; an older one of the page is over.
    pub(super) fn begun(&mut self, token: &str, ceremony: CeremonyId, now: Duration) {
        if let Some(page) = self.of_token(token, now) {
            page.ceremony = Some(ceremony);
        }
    }

    /// Takes the ceremony that a page has begun: it is good once.
    pub(super) fn take_ceremony(&mut self, token: &str, now: Duration) -> Option<CeremonyId> {
        self.of_token(token, now)?.ceremony.take()
    }

    /// Closes the URLs of a request that nobody opened; open pages go on to show how it ended.
    pub(super) fn ended(&mut self, request: &str) {
        self.0.retain(|page| page.request != request || matches!(page.key, Key::Token(_)));
    }

    /// Closes every page.
    pub(super) fn close_all(&mut self) {
        self.0.clear();
    }

    /// Whether any page is alive.
    pub(super) fn any(&mut self, now: Duration) -> bool {
        self.sweep(now);
        !self.0.is_empty()
    }

    /// Closes a page that has shown its end.
    pub(super) fn close(&mut self, token: &str) {
        let offered = digest(token);
        self.0.retain(|page| !matches!(&page.key, Key::Token(of) if bool::from(of.ct_eq(&offered))));
    }

    fn of_token(&mut self, token: &str, now: Duration) -> Option<&mut Page> {
        self.sweep(now);
        let offered = digest(token);
        self.0.iter_mut().find(|page| matches!(&page.key, Key::Token(of) if bool::from(of.ct_eq(&offered))))
    }

    fn sweep(&mut self, now: Duration) {
        self.0.retain(|page| now < page.ends);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(1000);

    #[test]
    fn b27_a_page_is_opened_by_its_secret_alone_and_once() {
        let mut pages = Pages::default();
        let secret = pages.make("r1", NOW);
        assert!(pages.open("", NOW).is_none() && pages.open("guess", NOW).is_none());
        assert!(pages.open(secret.expose_secret(), NOW).is_some());
        assert!(pages.open(secret.expose_secret(), NOW).is_none(), "a second time");
        let late = pages.make("r1", NOW);
        assert!(pages.open(late.expose_secret(), NOW + LIVES_FOR).is_none());
    }

    #[test]
    fn b27_twin_the_secret_is_swapped_for_a_token_of_its_request() {
        let mut pages = Pages::default();
        let secret = pages.make("r1", NOW);
        let (token, request) = pages.open(secret.expose_secret(), NOW).unwrap();
        assert_eq!(request, "r1");
        assert_eq!(pages.request(token.expose_secret(), NOW).as_deref(), Some("r1"));
        assert!(pages.request(secret.expose_secret(), NOW).is_none(), "the secret is no token");
    }

    #[test]
    fn b20_a_ceremony_belongs_to_the_page_that_began_it_and_is_good_once() {
        let mut pages = Pages::default();
        let mut token = |request| {
            let secret = pages.make(request, NOW);
            pages.open(secret.expose_secret(), NOW).unwrap().0
        };
        let (mine, other) = (token("r1"), token("r1"));
        pages.begun(mine.expose_secret(), CeremonyId::random(), NOW);
        assert!(pages.take_ceremony(other.expose_secret(), NOW).is_none());
        assert!(pages.take_ceremony(mine.expose_secret(), NOW).is_some());
        assert!(pages.take_ceremony(mine.expose_secret(), NOW).is_none());
    }

    #[test]
    fn c11_a_token_of_one_request_is_no_token_of_another() {
        let mut pages = Pages::default();
        let (one, two) = (pages.make("r1", NOW), pages.make("r2", NOW));
        let one = pages.open(one.expose_secret(), NOW).unwrap().0;
        let two = pages.open(two.expose_secret(), NOW).unwrap().0;
        assert_ne!(pages.request(one.expose_secret(), NOW), pages.request(two.expose_secret(), NOW));
        assert!(one.expose_secret().len() * 6 >= 128, "at least 128 bits");
    }

    #[test]
    fn c1_no_page_is_alive_once_each_is_closed_or_over() {
        let mut pages = Pages::default();
        let secret = pages.make("r1", NOW);
        assert!(pages.any(NOW) && !pages.any(NOW + LIVES_FOR));
        assert!(pages.open(secret.expose_secret(), NOW).is_none());
        let token = {
            let secret = pages.make("r1", NOW);
            pages.open(secret.expose_secret(), NOW).unwrap().0
        };
        pages.close(token.expose_secret());
        assert!(!pages.any(NOW));
    }

    #[test]
    fn pages_are_bounded() {
        let mut pages = Pages::default();
        let first = pages.make("r0", NOW);
        (0..MOST).for_each(|_| drop(pages.make("r1", NOW)));
        assert!(pages.open(first.expose_secret(), NOW).is_none() && pages.0.len() == MOST);
    }
}
