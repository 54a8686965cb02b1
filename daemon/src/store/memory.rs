//! Records in memory: gone when the daemon ends. Chosen by the settings, never fallen back to; also the twin of tests.

use super::{Bytes, Key, Kind, Records, StoreError};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// Records in memory. Clones share the same records, as two runs of the daemon share one keyring.
#[derive(Clone, Default)]
pub struct Memory(Arc<Mutex<HashMap<Key, Bytes>>>);

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Memory")
    }
}

impl Memory {
    fn with<T>(&self, work: impl FnOnce(&mut HashMap<Key, Bytes>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Records for Memory {
    fn kind(&self) -> Kind {
        Kind::Memory
    }

    fn read(&mut self, key: &Key) -> Result<Option<Bytes>, StoreError> {
        Ok(self.with(|records| records.get(key).cloned()))
    }

    fn write(&mut self, key: &Key, bytes: &[u8]) -> Result<(), StoreError> {
        self.with(|records| records.insert(key.clone(), Bytes::new(bytes.to_vec())));
        Ok(())
    }

    fn delete(&mut self, key: &Key) -> Result<(), StoreError> {
        self.with(|records| records.remove(key));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Bytes, Key, Memory, Records};

    #[test]
    fn reads_back_what_was_written_until_it_is_deleted() {
        let mut memory = Memory::default();
        let key = Key::new("sign-in", "corp");
        assert_eq!(memory.read(&key), Ok(None));
        memory.write(&key, b"one").unwrap();
        memory.write(&key, b"two").unwrap();
        assert_eq!(memory.clone().read(&key), Ok(Some(Bytes::new(b"two".to_vec()))));
        memory.delete(&key).unwrap();
        memory.delete(&key).unwrap();
        assert_eq!(memory.read(&key), Ok(None));
    }

    #[test]
    fn debug_shows_no_record() {
        let mut memory = Memory::default();
        memory.write(&Key::new("sign-in", "corp"), b"CANARY").unwrap();
        assert_eq!(format!("{memory:?}"), "Memory");
    }
}
