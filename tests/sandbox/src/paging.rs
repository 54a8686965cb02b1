//! Pages of a list, and tokens for the next one that a client can only give back.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

const TAG: usize = 16;

/// What next-page tokens are authenticated with; a new one for every sandbox.
#[derive(Debug)]
pub(crate) struct PageKey(String);

impl PageKey {
    pub(crate) fn new() -> Self {
        Self(crate::mint::hex(32))
    }

    /// `size` items from `start`, and the token of the next page when something is left.
    pub(crate) fn page<T>(
        &self,
        items: impl Iterator<Item = T>,
        start: usize,
        size: usize,
        list: &str,
    ) -> (Vec<T>, Option<String>) {
        let mut rest = items.skip(start);
        let page: Vec<T> = rest.by_ref().take(size).collect();
        let next = rest.next().map(|_| self.token(start + size, list));
        (page, next)
    }

    /// The offset in a token this key made for that very list.
    pub(crate) fn offset(&self, token: &str, list: &str) -> Option<usize> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let offset = u64::from_be_bytes(bytes.get(TAG..)?.try_into().ok()?);
        let offset = usize::try_from(offset).ok()?;
        (self.token(offset, list) == token).then_some(offset)
    }

    fn token(&self, offset: usize, list: &str) -> String {
        let offset = (offset as u64).to_be_bytes();
        let mut bytes = self.tag(&offset, list);
        bytes.extend(offset);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    fn tag(&self, offset: &[u8], list: &str) -> Vec<u8> {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.0.as_bytes()) else { return Vec::new() };
        mac.update(offset);
        mac.update(list.as_bytes());
        mac.finalize().into_bytes()[..TAG].to_vec()
    }
}

/// A `max_result` of 1 to 100.
pub(crate) fn size(text: &str) -> Option<usize> {
    text.parse().ok().filter(|size| (1..=100).contains(size) && text.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_cover_the_list_once_and_the_last_has_no_token() {
        let key = PageKey::new();
        let (mut seen, mut start, mut pages) = (Vec::new(), 0, 0);
        loop {
            let (page, next) = key.page(0..45, start, 20, "a");
            seen.extend(page);
            pages += 1;
            let Some(next) = next else { break };
            start = key.offset(&next, "a").unwrap();
        }
        assert_eq!((seen, pages), ((0..45).collect::<Vec<_>>(), 3));
        assert_eq!(key.page(0..20, 0, 20, "a").1, None, "a full last page is the last");
    }

    #[test]
    fn a_token_is_good_only_for_its_own_list_and_sandbox() {
        let key = PageKey::new();
        let token = key.page(0..9, 0, 1, "roles/1/111").1.unwrap();
        assert_eq!(key.offset(&token, "roles/1/111"), Some(1));
        assert_eq!(key.offset(&token, "roles/1/222"), None);
        assert_eq!(PageKey::new().offset(&token, "roles/1/111"), None);
        for text in ["", "AAAA", "%%%", "1"] {
            assert_eq!(key.offset(text, "roles/1/111"), None, "{text}");
        }
    }

    #[test]
    fn a_page_has_one_to_a_hundred_items() {
        assert_eq!((size("1"), size("100")), (Some(1), Some(100)));
        for text in ["0", "101", "-1", "+5", "", "ten", "1.0"] {
            assert_eq!(size(text), None, "{text}");
        }
    }
}
