//! Records over an OS keyring's raw items: wraps them in the [`envelope`], recognises what cannot be read back and sets it
//! aside, so that the next sign-in finds a clean place.

use super::envelope::{self, Flaw};
use super::{Bytes, Key, Kind, MAX_RECORD_BYTES, Records, StoreError};
use std::fmt;
use tegata_protocol::Secret;

/// The items of one OS keyring, as they are. Calls block.
pub(crate) trait Items: Send + fmt::Debug {
    /// Which store this is.
    fn kind(&self) -> Kind;
    /// The most bytes one item may have.
    fn limit(&self) -> usize;
    /// Reads all items of this name: none only if the keyring is unlocked and has none; several where a keyring allows it.
    fn get(&mut self, name: &str) -> Result<Vec<Bytes>, StoreError>;
    /// Writes the one item of this name in place of all others of that name.
    fn put(&mut self, name: &str, label: &str, text: &[u8]) -> Result<(), StoreError>;
    /// Deletes all items of this name.
    fn remove(&mut self, name: &str) -> Result<(), StoreError>;
    /// See [`Records::probe`].
    fn probe(&mut self) -> Result<(), StoreError>;
    /// See [`Records::unlock`].
    fn unlock(&mut self) -> Result<(), StoreError>;
    /// See [`Records::keep_alive`].
    fn keep_alive(&mut self) -> Result<(), StoreError>;
}

/// Records that lie as items in an OS keyring.
#[derive(Debug)]
pub(crate) struct Enveloped<I>(pub(crate) I);

impl<I: Items> Enveloped<I> {
    /// Moves what cannot be read to the name `….damaged`, where it stays until the record is deleted or the next damage.
    /// If that does not work it stays where it is, and the next write replaces it.
    fn set_aside(&mut self, key: &Key, items: &[Bytes], flaw: Flaw) -> StoreError {
        let quarantine = format!("{}.damaged", key.as_str());
        let kept = match items {
            [item] if item.len() <= self.0.limit() => self.0.put(&quarantine, &key.label(), item),
            _ => Ok(()),
        };
        crate::failpoint!("store.item.set-aside");
        if let Err(error) = kept.and_then(|()| self.0.remove(key.as_str())) {
            tracing::warn!(key = key.as_str(), %error, "a damaged record could not be set aside");
        }
        StoreError::Damaged { key: key.as_str().to_owned(), detail: flaw.to_string() }
    }
}

/// Returns the one record that all readable items hold. Unreadable ones do not matter while there is a readable one.
fn agreed(key: &Key, items: &[Bytes], limit: usize) -> Result<Bytes, Flaw> {
    let mut readable: Option<Bytes> = None;
    let mut flaw = Flaw::Foreign;
    for item in items {
        let opened = if item.len() > limit { Err(Flaw::Oversized) } else { envelope::unwrap(key, item) };
        match (opened, &readable) {
            (Ok(bytes), Some(other)) if bytes != *other => return Err(Flaw::Several),
            (Ok(bytes), _) => readable = Some(bytes),
            (Err(found), _) => flaw = found,
        }
    }
    readable.ok_or(flaw)
}

impl<I: Items> Records for Enveloped<I> {
    fn kind(&self) -> Kind {
        self.0.kind()
    }

    fn max_record_size(&self) -> usize {
        envelope::largest_record(self.0.limit()).min(MAX_RECORD_BYTES)
    }

    fn read(&mut self, key: &Key) -> Result<Option<Bytes>, StoreError> {
        let items = self.0.get(key.as_str())?;
        if items.is_empty() {
            return Ok(None);
        }
        let limit = envelope::wrapped_size(self.max_record_size());
        agreed(key, &items, limit).map(Some).map_err(|flaw| self.set_aside(key, &items, flaw))
    }

    fn write(&mut self, key: &Key, bytes: &[u8]) -> Result<(), StoreError> {
        if bytes.len() > self.max_record_size() {
            let detail = format!("a record may have {} bytes", self.max_record_size());
            return Err(StoreError::NoRoom { size: bytes.len(), detail });
        }
        self.0.put(key.as_str(), &key.label(), envelope::wrap(key, bytes).as_bytes())
    }

    fn delete(&mut self, key: &Key) -> Result<(), StoreError> {
        self.0.remove(&format!("{}.damaged", key.as_str()))?;
        self.0.remove(key.as_str())
    }

    fn probe(&mut self) -> Result<(), StoreError> {
        self.0.probe()
    }

    fn unlock(&mut self, _passphrase: Option<&Secret>) -> Result<(), StoreError> {
        self.0.unlock()
    }

    fn keep_alive(&mut self) -> Result<(), StoreError> {
        self.0.keep_alive()
    }
}

#[cfg(test)]
mod tests {
    use super::{Bytes, Enveloped, Items, Key, Kind, Records, StoreError, envelope};
    use std::collections::HashMap;

    /// A keyring that allows several items of one name and small ones only.
    #[derive(Debug, Default)]
    struct Ring {
        items: HashMap<String, Vec<Bytes>>,
        full: bool,
    }

    impl Items for Ring {
        fn kind(&self) -> Kind {
            Kind::SecretService
        }
        fn limit(&self) -> usize {
            1000
        }
        fn get(&mut self, name: &str) -> Result<Vec<Bytes>, StoreError> {
            Ok(self.items.get(name).cloned().unwrap_or_default())
        }
        fn put(&mut self, name: &str, _label: &str, text: &[u8]) -> Result<(), StoreError> {
            if self.full {
                return Err(StoreError::NoRoom { size: text.len(), detail: String::from("full") });
            }
            self.items.insert(name.to_owned(), vec![Bytes::new(text.to_vec())]);
            Ok(())
        }
        fn remove(&mut self, name: &str) -> Result<(), StoreError> {
            self.items.remove(name);
            Ok(())
        }
        fn probe(&mut self) -> Result<(), StoreError> {
            Ok(())
        }
        fn unlock(&mut self) -> Result<(), StoreError> {
            Ok(())
        }
        fn keep_alive(&mut self) -> Result<(), StoreError> {
            Ok(())
        }
    }

    fn key() -> Key {
        Key::new("sign-in", "corp")
    }

    fn wrapped(bytes: &[u8]) -> Bytes {
        Bytes::new(envelope::wrap(&key(), bytes).as_bytes().to_vec())
    }

    fn holding(items: Vec<Bytes>) -> Enveloped<Ring> {
        Enveloped(Ring { items: HashMap::from([(key().as_str().to_owned(), items)]), full: false })
    }

    fn damaged_name() -> String {
        format!("{}.damaged", key().as_str())
    }

    #[test]
    fn i6_a_corrupt_item_is_set_aside_and_a_new_one_can_be_written() {
        let corrupt = Bytes::new(b"tegata:1:6:00:AAAAAAAA".to_vec());
        let mut records = holding(vec![corrupt.clone()]);
        assert!(matches!(records.read(&key()), Err(StoreError::Damaged { .. })));
        assert_eq!(records.0.items[&damaged_name()], [corrupt]);
        assert_eq!(records.read(&key()), Ok(None));
        records.write(&key(), b"fresh").unwrap();
        assert_eq!(records.read(&key()), Ok(Some(Bytes::new(b"fresh".to_vec()))));
    }

    #[test]
    fn i6_an_oversized_item_is_not_copied_and_gone() {
        let mut records = holding(vec![Bytes::new(vec![b'x'; 2000])]);
        let error = records.read(&key()).unwrap_err();
        assert!(error.to_string().ends_with("it is too large"), "{error}");
        assert!(records.0.items.is_empty());
    }

    #[test]
    fn i6_an_item_of_another_version_is_set_aside_as_it_is() {
        let newer = Bytes::new(b"tegata:2:whatever comes".to_vec());
        let mut records = holding(vec![newer.clone()]);
        let error = records.read(&key()).unwrap_err();
        assert!(error.to_string().contains("another version"), "{error}");
        assert_eq!(records.0.items[&damaged_name()], [newer]);
    }

    #[test]
    fn i6_twin_a_sound_item_is_left_alone() {
        let mut records = holding(vec![wrapped(b"tokens")]);
        assert_eq!(records.read(&key()), Ok(Some(Bytes::new(b"tokens".to_vec()))));
        assert_eq!(records.0.items.len(), 1);
    }

    #[test]
    fn a_damaged_item_that_cannot_be_set_aside_stays() {
        let mut records = holding(vec![Bytes::new(b"garbage".to_vec())]);
        records.0.full = true;
        assert!(matches!(records.read(&key()), Err(StoreError::Damaged { .. })));
        assert_eq!(records.0.items.len(), 1);
    }

    #[test]
    fn copies_of_one_record_are_one_record() {
        let mut records = holding(vec![wrapped(b"tokens"), Bytes::new(b"garbage".to_vec()), wrapped(b"tokens")]);
        assert_eq!(records.read(&key()), Ok(Some(Bytes::new(b"tokens".to_vec()))));
    }

    #[test]
    fn two_different_records_of_one_name_are_damage() {
        let mut records = holding(vec![wrapped(b"one"), wrapped(b"two")]);
        assert!(records.read(&key()).unwrap_err().to_string().contains("several"));
        assert_eq!(records.read(&key()), Ok(None));
    }

    #[test]
    fn deleting_takes_what_was_set_aside_with_it() {
        let mut records = holding(vec![Bytes::new(b"garbage".to_vec())]);
        assert!(records.read(&key()).is_err());
        records.delete(&key()).unwrap();
        assert!(records.0.items.is_empty());
    }

    #[test]
    fn a_record_that_does_not_fit_an_item_is_refused() {
        let mut records = holding(vec![]);
        let largest = records.max_record_size();
        records.write(&key(), &vec![1; largest]).unwrap();
        assert!(matches!(records.write(&key(), &vec![1; largest + 1]), Err(StoreError::NoRoom { .. })));
        assert_eq!(records.read(&key()).unwrap().unwrap().len(), largest);
    }
}
