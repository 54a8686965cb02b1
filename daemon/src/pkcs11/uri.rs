//! `pkcs11:token=laptop;object=key;id=%01` → which token, which object in it (RFC 7512).
//!
//! What names a module, a slot or a PIN is no business of AWS config: the module is in `config.toml`, slots change when something is
//! plugged in, and a PIN is a person's.

use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};
use std::fmt;
use tegata_protocol::text::is_hostile;

/// The longest URI (Linux, PATH_MAX).
const LONGEST: usize = 4096;
/// The longest value: PKCS#11 has 32 bytes for a token's label, and no limit for an object's.
const LONGEST_VALUE: usize = 255;

/// Why a text is no URI of an object.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UriError {
    /// Not of this form at all.
    #[error("is no URI such as pkcs11:token=NAME;object=NAME (RFC 7512)")]
    Form,
    /// An attribute that is not read.
    #[error("has {0}, which is not read here: token, serial, manufacturer, model, object, id and type are")]
    Attribute(String),
    /// An attribute there twice.
    #[error("has {0} twice")]
    Twice(&'static str),
    /// What names a module or a PIN.
    #[error("names a module or a PIN (?…); the module is in config.toml, and the PIN is asked for")]
    Query,
    /// It could mean any object.
    #[error("names neither object nor id")]
    NoObject,
}

/// Which object of which token. Everything that is there has to fit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ObjectUri {
    text: String,
    token: Option<String>,
    serial: Option<String>,
    manufacturer: Option<String>,
    model: Option<String>,
    object: Option<String>,
    id: Option<Vec<u8>>,
    kind: Option<String>,
}

impl ObjectUri {
    /// Reads a URI.
    ///
    /// # Errors
    /// [`UriError`].
    pub fn parse(text: &str) -> Result<Self, UriError> {
        let path = text.strip_prefix("pkcs11:").ok_or(UriError::Form)?;
        if text.len() > LONGEST || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(UriError::Form);
        }
        if path.contains('?') {
            return Err(UriError::Query);
        }
        let mut uri = Self { text: text.to_owned(), ..Self::default() };
        for attribute in path.split(';') {
            let (name, value) = attribute.split_once('=').ok_or(UriError::Form)?;
            uri.take(name, value)?;
        }
        if uri.object.is_none() && uri.id.is_none() { Err(UriError::NoObject) } else { Ok(uri) }
    }

    fn take(&mut self, name: &str, value: &str) -> Result<(), UriError> {
        let (slot, name) = match name {
            "token" => (&mut self.token, "token"),
            "serial" => (&mut self.serial, "serial"),
            "manufacturer" => (&mut self.manufacturer, "manufacturer"),
            "model" => (&mut self.model, "model"),
            "object" => (&mut self.object, "object"),
            "type" => (&mut self.kind, "type"),
            "id" => {
                let id: Vec<u8> = percent_decode_str(value).collect();
                if id.is_empty() || id.len() > LONGEST_VALUE {
                    return Err(UriError::Form);
                }
                return if self.id.replace(id).is_some() { Err(UriError::Twice("id")) } else { Ok(()) };
            }
            other => return Err(UriError::Attribute(other.to_owned())),
        };
        let value = percent_decode_str(value).decode_utf8().map_err(|_| UriError::Form)?;
        if value.is_empty() || value.len() > LONGEST_VALUE || value.contains(is_hostile) {
            return Err(UriError::Form);
        }
        if slot.replace(value.into_owned()).is_some() { Err(UriError::Twice(name)) } else { Ok(()) }
    }

    /// Returns the URI as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it can mean an object of this type (`cert`, `private`).
    #[must_use]
    pub fn can_be(&self, kind: &str) -> bool {
        self.kind.as_deref().is_none_or(|own| own == kind)
    }

    /// Returns the token as a person knows it, for showing.
    #[must_use]
    pub fn token_name(&self) -> &str {
        [&self.token, &self.serial, &self.model].into_iter().find_map(Option::as_deref).unwrap_or("the only one")
    }

    /// Returns the label of the object.
    #[must_use]
    pub fn object(&self) -> Option<&str> {
        self.object.as_deref()
    }

    /// Returns the id of the object (`CKA_ID`).
    #[must_use]
    pub fn id(&self) -> Option<&[u8]> {
        self.id.as_deref()
    }

    /// Whether a token with this label, serial number, manufacturer and model is meant.
    #[must_use]
    pub fn means_token(&self, label: &str, serial: &str, manufacturer: &str, model: &str) -> bool {
        let fits = |wanted: &Option<String>, found: &str| wanted.as_deref().is_none_or(|wanted| wanted == found);
        fits(&self.token, label)
            && fits(&self.serial, serial)
            && fits(&self.manufacturer, manufacturer)
            && fits(&self.model, model)
    }
}

impl fmt::Display for ObjectUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl TryFrom<String> for ObjectUri {
    type Error = UriError;

    fn try_from(text: String) -> Result<Self, UriError> {
        Self::parse(&text)
    }
}

impl From<ObjectUri> for String {
    fn from(uri: ObjectUri) -> Self {
        uri.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uri_says_which_object_of_which_token() {
        let uri = ObjectUri::parse("pkcs11:token=My%20laptop;serial=1a2b;object=key;id=%01%ff;type=private").unwrap();
        assert_eq!((uri.token_name(), uri.object(), uri.id()), ("My laptop", Some("key"), Some(&[1, 0xff][..])));
        assert!(uri.can_be("private") && !uri.can_be("cert"));
        assert!(uri.means_token("My laptop", "1a2b", "any", "any"));
        assert!(!uri.means_token("My laptop", "1a2c", "any", "any") && !uri.means_token("my laptop", "1a2b", "", ""));
        let bare = ObjectUri::parse("pkcs11:id=%01").unwrap();
        assert!(bare.means_token("any", "", "", "") && bare.can_be("cert"));
    }

    #[test]
    fn it_crosses_to_the_helper_as_it_was_written() {
        let uri = ObjectUri::parse("pkcs11:object=%e9%8d%b5;token=t").unwrap();
        assert_eq!(uri.object(), Some("鍵"));
        let json = serde_json::to_string(&uri).unwrap();
        assert_eq!(json, "\"pkcs11:object=%e9%8d%b5;token=t\"");
        assert_eq!(serde_json::from_str::<ObjectUri>(&json).unwrap(), uri);
        assert!(serde_json::from_str::<ObjectUri>("\"pkcs11:\"").is_err());
    }

    #[test]
    fn h_what_names_a_module_a_slot_or_a_pin_is_refused() {
        for (text, error) in [
            ("pkcs11:object=k?pin-value=1234", UriError::Query),
            ("pkcs11:object=k?module-path=/tmp/evil.so", UriError::Query),
            ("pkcs11:object=k;pin-value=1234", UriError::Attribute("pin-value".to_owned())),
            ("pkcs11:object=k;module-path=/tmp/evil.so", UriError::Attribute("module-path".to_owned())),
            ("pkcs11:object=k;slot-id=0", UriError::Attribute("slot-id".to_owned())),
            ("pkcs11:object=k;library-manufacturer=x", UriError::Attribute("library-manufacturer".to_owned())),
            ("pkcs11:object=k;object=l", UriError::Twice("object")),
            ("pkcs11:id=%01;id=%02", UriError::Twice("id")),
            ("pkcs11:token=t", UriError::NoObject),
        ] {
            assert_eq!(ObjectUri::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn what_is_no_uri_is_refused() {
        let long = format!("pkcs11:object={}", "x".repeat(256));
        let longer = format!("pkcs11:{}object=k", "token=t;".repeat(600));
        for text in [
            "",
            "pkcs11",
            "pkcs11:",
            "PKCS11:object=k",
            "pkcs11:object",
            "pkcs11:object=",
            "pkcs11:object=k;",
            "pkcs11:object=a b",
            "pkcs11:object=%0a",
            "pkcs11:object=%00",
            "pkcs11:object=%e2%80%ae",
            "pkcs11:object=%ff",
            "pkcs11:id=",
            "pkcs11:object=鍵",
            &long,
            &longer,
        ] {
            assert_eq!(ObjectUri::parse(text), Err(UriError::Form), "{text}");
        }
    }
}
