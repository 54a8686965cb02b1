//! PKCS#11 tokens, in the helper: a module is loaded here and nowhere else, when something of it is asked for first.
//!
//! No PIN is kept: it opens a session with its token, and that session is held until everything is locked or the token is taken out.
//! One thing is done at a time; modules are of any quality, and cards can do no more.

use super::trusted::{self, Distrust};
use super::{Bytes, Fault};
use crate::pkcs11::ObjectUri;
use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, AttributeType, CertificateType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::{Slot, TokenInfo};
use cryptoki::types::AuthPin;
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tegata_protocol::text::one_line;
use zeroize::Zeroizing;

/// The head of a DigestInfo of SHA-256 (RFC 8017 section 9.2, note 1): tokens pad what they are given (CKM_RSA_PKCS).
const SHA256_INFO: [u8; 19] =
    [0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20];
/// The most certificates of a token that are looked at for a chain, and the longest of them.
const MOST_CERTIFICATES: usize = 32;
const LONGEST_CERTIFICATE: usize = 16 * 1024;

/// The modules that were loaded, and the tokens that were opened.
#[derive(Default)]
pub(super) struct Tokens(Mutex<Held>);

#[derive(Default)]
struct Held {
    modules: HashMap<PathBuf, Pkcs11>,
    open: HashMap<TokenName, Session>,
}

/// Which token of which module, whichever slot it is in.
#[derive(Clone, PartialEq, Eq, Hash)]
struct TokenName {
    module: PathBuf,
    label: String,
    serial: String,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tokens")
    }
}

/// A token that is plugged in.
struct Token {
    name: TokenName,
    context: Pkcs11,
    slot: Slot,
    info: TokenInfo,
}

impl Tokens {
    /// Returns the certificate in DER, and behind it others of the token that may lead from it to a trust anchor.
    pub(super) fn certificates(&self, module: &Path, uri: &ObjectUri) -> Result<Bytes, Fault> {
        let mut held = self.lock();
        let token = held.find(module, uri)?;
        let session = held.session(&token, uri)?;
        let failed = |error: Error| of_token(uri, &error);
        let of_class = [Attribute::Class(ObjectClass::CERTIFICATE), Attribute::CertificateType(CertificateType::X_509)];
        let leaf = only(&session, uri, &of_class, "certificate")?;
        let mut bytes = value(&session, leaf).map_err(failed)?.ok_or_else(|| fault(uri, "has no certificate in it"))?;
        let others = session.find_objects(&of_class).map_err(failed)?;
        for other in others.into_iter().filter(|other| *other != leaf).take(MOST_CERTIFICATES) {
            if let Some(der) = value(&session, other).map_err(failed)? {
                bytes.extend(der);
            }
        }
        Ok(Zeroizing::new(bytes))
    }

    /// Signs a message under SHA-256 with a private key: RSASSA-PKCS1-v1_5, or ECDSA in DER.
    pub(super) fn sign(&self, module: &Path, uri: &ObjectUri, message: &[u8]) -> Result<Bytes, Fault> {
        let mut held = self.lock();
        let token = held.find(module, uri)?;
        let signed = held.sign(&token, uri, message);
        // Taken out, or closed by another program: a person has to open it again.
        if matches!(signed, Err(Fault::PinNeeded { .. })) {
            held.open.remove(&token.name);
        }
        signed.map(Zeroizing::new)
    }

    /// Opens a token. The PIN is tried once, whatever becomes of it.
    pub(super) fn open(&self, module: &Path, uri: &ObjectUri, pin: &[u8]) -> Result<Bytes, Fault> {
        let mut held = self.lock();
        let token = held.find(module, uri)?;
        let name = one_line(&token.name.label);
        let refused = |why: &str| Fault::PinRefused { token: name.clone(), why: why.to_owned() };
        let pin = std::str::from_utf8(pin).map_err(|_| refused("it is no text"))?;
        if token.info.user_pin_locked() {
            return Err(refused("it is locked after too many wrong ones"));
        }
        // What was open before is closed, so that it is this PIN that counts.
        if let Some(before) = held.open.remove(&token.name) {
            let _ = before.logout();
        }
        let session = token.context.open_ro_session(token.slot).map_err(|error| of_token(uri, &error))?;
        match session.login(UserType::User, Some(&AuthPin::from(pin.to_owned()))) {
            Ok(()) => {
                held.open.insert(token.name, session);
                Ok(Zeroizing::default())
            }
            Err(Error::Pkcs11(RvError::PinIncorrect, _)) if token.info.user_pin_count_low() => {
                Err(refused("it is wrong, and so was one before; few tries are left"))
            }
            Err(Error::Pkcs11(RvError::PinIncorrect | RvError::PinInvalid | RvError::PinLenRange, _)) => {
                Err(refused("it is wrong"))
            }
            Err(Error::Pkcs11(RvError::PinLocked, _)) => Err(refused("it is locked after too many wrong ones")),
            Err(Error::Pkcs11(RvError::PinExpired, _)) => Err(refused("it has expired and has to be changed")),
            Err(error) => Err(of_token(uri, &error)),
        }
    }

    /// Closes every token: the next signature needs a PIN again.
    pub(super) fn close(&self) -> Bytes {
        for (_, session) in self.lock().open.drain() {
            let _ = session.logout();
        }
        Zeroizing::default()
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    /// Finds the one token that a URI means. What was plugged in, or made, after a module was loaded may take another loading.
    fn find(&mut self, module: &Path, uri: &ObjectUri) -> Result<Token, Fault> {
        let mut found = Self::tokens(self.module(module)?, module, uri)?;
        if found.is_empty() && self.open.keys().all(|open| open.module != module) {
            if let Some(context) = self.modules.remove(module) {
                let _ = context.finalize();
            }
            found = Self::tokens(self.module(module)?, module, uri)?;
        }
        match (found.pop(), found.len()) {
            (Some(token), 0) => Ok(token),
            (None, _) => Err(fault(uri, "no such token is plugged in")),
            (Some(_), more) => Err(fault(uri, &format!("{} tokens fit; name one by token= or serial=", more + 1))),
        }
    }

    fn tokens(context: &Pkcs11, module: &Path, uri: &ObjectUri) -> Result<Vec<Token>, Fault> {
        let slots = context.get_slots_with_token().map_err(|error| of_token(uri, &error))?;
        let token = |slot: Slot| {
            let info = context.get_token_info(slot).ok().filter(TokenInfo::token_initialized)?;
            let [label, serial, manufacturer, model] =
                [info.label(), info.serial_number(), info.manufacturer_id(), info.model()].map(str::trim_end);
            let name = TokenName { module: module.to_owned(), label: label.to_owned(), serial: serial.to_owned() };
            uri.means_token(label, serial, manufacturer, model).then(|| Token {
                name,
                context: context.clone(),
                slot,
                info: info.clone(),
            })
        };
        Ok(slots.into_iter().filter_map(token).collect())
    }

    fn module(&mut self, path: &Path) -> Result<&Pkcs11, Fault> {
        if !self.modules.contains_key(path) {
            self.modules.insert(path.to_owned(), loaded(path)?);
        }
        self.modules.get(path).ok_or(Fault::Busy)
    }

    /// A session of its own. Where the token is open, it is open to this one as well (PKCS#11 v3.1 section 5.6.8).
    fn session(&self, token: &Token, uri: &ObjectUri) -> Result<Session, Fault> {
        token.context.open_ro_session(token.slot).map_err(|error| of_token(uri, &error))
    }

    fn sign(&self, token: &Token, uri: &ObjectUri, message: &[u8]) -> Result<Vec<u8>, Fault> {
        let session = self.session(token, uri)?;
        let needed = || Fault::PinNeeded { token: one_line(&token.name.label) };
        let key = match only(&session, uri, &[Attribute::Class(ObjectClass::PRIVATE_KEY)], "private key") {
            // A key that is private is not seen before the token is open.
            Err(_) if token.info.login_required() && !self.is_open(token) => return Err(needed()),
            found => found?,
        };
        let made = signature(&session, key, message);
        made.map_err(|error| match error {
            Failure::Of(Error::Pkcs11(RvError::UserNotLoggedIn, _)) => needed(),
            Failure::Of(error) => of_token(uri, &error),
            Failure::Key(why) => fault(uri, why),
        })
    }

    /// Whether a token is open, as its own session has it.
    fn is_open(&self, token: &Token) -> bool {
        use cryptoki::session::SessionState;
        let state = self.open.get(&token.name).and_then(|session| session.get_session_info().ok());
        state.is_some_and(|info| matches!(info.session_state(), SessionState::RoUser | SessionState::RwUser))
    }
}

fn loaded(path: &Path) -> Result<Pkcs11, Fault> {
    let module = one_line(&path.to_string_lossy());
    trusted::check(path).map_err(|Distrust { why, mend }| Fault::NotLoaded { module: module.clone(), why, mend })?;
    let not_loaded = |error: Error| {
        let why = one_line(&error.to_string()).chars().take(300).collect();
        Fault::NotLoaded { module: module.clone(), why, mend: None }
    };
    let context = Pkcs11::new(path).map_err(not_loaded)?;
    match context.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
        Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => Ok(context),
        Err(error) => Err(not_loaded(error)),
    }
}

/// Finds the one object of a class that a URI means.
fn only(session: &Session, uri: &ObjectUri, class: &[Attribute], what: &str) -> Result<ObjectHandle, Fault> {
    let mut template = class.to_vec();
    template.extend(uri.object().map(|label| Attribute::Label(label.as_bytes().to_vec())));
    template.extend(uri.id().map(|id| Attribute::Id(id.to_vec())));
    let mut found = session.find_objects(&template).map_err(|error| of_token(uri, &error))?;
    match (found.pop(), found.len()) {
        (Some(object), 0) => Ok(object),
        (None, _) => Err(fault(uri, &format!("the token has no such {what}"))),
        (Some(_), more) => Err(fault(uri, &format!("the token has {} such {what}s; name one by id=", more + 1))),
    }
}

/// Returns the value of a certificate, if it has one that could be one.
fn value(session: &Session, object: ObjectHandle) -> Result<Option<Vec<u8>>, Error> {
    let found = session.get_attributes(object, &[AttributeType::Value])?;
    Ok(found.into_iter().find_map(|attribute| match attribute {
        Attribute::Value(value) if !value.is_empty() && value.len() <= LONGEST_CERTIFICATE => Some(value),
        _ => None,
    }))
}

/// Why there is no signature.
enum Failure {
    Of(Error),
    Key(&'static str),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Of(error)
    }
}

fn signature(session: &Session, key: ObjectHandle, message: &[u8]) -> Result<Vec<u8>, Failure> {
    let asked = [AttributeType::KeyType, AttributeType::AlwaysAuthenticate];
    let attributes = session.get_attributes(key, &asked)?;
    if attributes.contains(&Attribute::AlwaysAuthenticate(true)) {
        return Err(Failure::Key(
            "the key wants its PIN for each signature, which is not done here (PIV: use slot 9a)",
        ));
    }
    let kind = attributes.iter().find_map(|attribute| match attribute {
        Attribute::KeyType(kind) => Some(*kind),
        _ => None,
    });
    let digest = Sha256::digest(message);
    match kind {
        Some(KeyType::RSA) => {
            let info = [SHA256_INFO.as_slice(), &digest].concat();
            Ok(session.sign(&Mechanism::RsaPkcs, key, &info)?)
        }
        Some(KeyType::EC) => {
            let raw = session.sign(&Mechanism::Ecdsa, key, &digest)?;
            in_der(&raw).ok_or(Failure::Key("the token made no ECDSA signature over P-256 or P-384"))
        }
        _ => Err(Failure::Key("the key is neither RSA nor ECDSA")),
    }
}

/// Both halves of a signature, each of the curve's length, as DER (PKCS#11 v3.1 section 6.3.1; RFC 3279 section 2.2.3).
fn in_der(raw: &[u8]) -> Option<Vec<u8>> {
    match raw.len() {
        64 => Some(p256::ecdsa::Signature::from_slice(raw).ok()?.to_der().as_bytes().to_vec()),
        96 => Some(p384::ecdsa::Signature::from_slice(raw).ok()?.to_der().as_bytes().to_vec()),
        _ => None,
    }
}

fn fault(uri: &ObjectUri, why: &str) -> Fault {
    Fault::Token { object: one_line(uri.as_str()), why: one_line(why) }
}

/// What a module said: which function, and its code by its name in the standard.
fn of_token(uri: &ObjectUri, error: &Error) -> Fault {
    match error {
        Error::Pkcs11(RvError::TokenNotPresent | RvError::DeviceRemoved | RvError::SlotIdInvalid, _) => {
            fault(uri, "the token is not plugged in any more")
        }
        Error::Pkcs11(code, function) => fault(uri, &format!("the token did not do it ({function:?}: {code:?})")),
        other => fault(uri, &other.to_string()),
    }
}
