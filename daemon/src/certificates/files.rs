//! A certificate and a private key in PEM files: regular ones, bounded, and the key nobody else's to read.

use super::fault::{Fault, Mend};
use crate::problem::quoted;
use crate::regular_file::{self, Content};
use crate::roles_anywhere::{Certificates, PrivateKey};
use rustix::fs::Stat;
use std::path::Path;
use tegata_protocol::Secret;
use tegata_protocol::text::one_line;
use zeroize::Zeroizing;

/// A certificate with five intermediates has some 12 KiB, an RSA key of 4,096 bits three.
const LONGEST: usize = 64 * 1024;

/// Reads a certificate and its intermediates.
pub(super) fn certificates(path: &Path) -> Result<Certificates, Fault> {
    let place = shown(path);
    let Content { bytes, .. } = regular_file::read(path, LONGEST).map_err(|error| Fault::of(&place, &error))?;
    let text = std::str::from_utf8(&bytes).map_err(|_| Fault::of(&place, &"is no text"))?;
    Certificates::from_pem(text).map_err(|error| Fault::of(&place, &error))
}

/// Reads a private key. `certificate` is where its certificate is, for the command that imports both.
pub(super) fn private_key(path: &Path, certificate: &str) -> Result<PrivateKey, Fault> {
    let place = shown(path);
    let Content { bytes, stat } = regular_file::read(path, LONGEST).map_err(|error| Fault::of(&place, &error))?;
    let bytes = Zeroizing::new(bytes);
    private(&stat, &place)?;
    let text = String::from_utf8(bytes.to_vec()).map_err(|_| Fault::of(&place, &"is no text"))?;
    let text = Secret::new(text);
    PrivateKey::from_pem(text.expose_secret(), None).map_err(|error| Fault::of_key(&place, certificate, error))
}

/// A key belongs to this user, and is read by nobody else; or to root, who may let a group read it (`root:ssl-cert`, mode 0640).
fn private(stat: &Stat, place: &str) -> Result<(), Fault> {
    let own = rustix::process::geteuid().as_raw();
    let mode = stat.st_mode & 0o777;
    let mended = |why: &str| {
        let mend = Mend::Command(format!("chmod 600 {}", quoted(place)));
        Fault::new(format!("{place}: the private key {why} (mode {mode:04o})"), mend)
    };
    match stat.st_uid {
        uid if uid == own && mode & 0o077 != 0 => Err(mended("can be read by others")),
        uid if uid == own => Ok(()),
        0 if mode & 0o037 != 0 => Err(mended("can be read by others")),
        0 => Ok(()),
        uid => Err(Fault::new(format!("{place}: the private key belongs to another user ({uid})"), Mend::Nothing)),
    }
}

fn shown(path: &Path) -> String {
    one_line(&path.to_string_lossy())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{Permissions, set_permissions, write};
    use std::os::unix::fs::PermissionsExt;
    use tempfile::TempDir;

    const KEY: &str = include_str!("../roles_anywhere/vectors/p256.pkcs8.pem");
    const CERTIFICATE: &str = include_str!("../roles_anywhere/vectors/p256.certificate.pem");

    fn file(text: &[u8], mode: u32) -> (TempDir, std::path::PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("my key.pem");
        write(&path, text).unwrap();
        set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        (directory, path)
    }

    fn refused(text: &[u8], mode: u32) -> (String, Option<String>) {
        let (directory, path) = file(text, mode);
        let fault = private_key(&path, "/etc/tls/c.pem").unwrap_err();
        let here = directory.path().display().to_string();
        (fault.to_string().replace(&here, ""), fault.mend(None).map(|mend| mend.replace(&here, "")))
    }

    #[test]
    fn a_key_that_others_can_read_is_refused_with_the_command_that_mends_it() {
        for mode in [0o644, 0o640, 0o604, 0o620, 0o601] {
            let (message, mend) = refused(KEY.as_bytes(), mode);
            assert_eq!(message, format!("/my key.pem: the private key can be read by others (mode {mode:04o})"));
            assert_eq!(mend.as_deref(), Some("chmod 600 '/my key.pem'"));
        }
    }

    #[test]
    fn a_key_of_this_user_alone_is_read() {
        for mode in [0o600, 0o400] {
            let (_directory, path) = file(KEY.as_bytes(), mode);
            assert!(private_key(&path, "").is_ok(), "{mode:o}");
        }
    }

    #[test]
    fn an_encrypted_key_says_how_it_is_imported() {
        let encrypted = include_str!("../roles_anywhere/vectors/p256.encrypted.pem");
        let (message, mend) = refused(encrypted.as_bytes(), 0o600);
        assert_eq!(message, "/my key.pem: the private key is encrypted");
        let import = "tegata certificate import PROFILE --certificate /etc/tls/c.pem --key '/my key.pem'";
        assert_eq!(mend.as_deref(), Some(import));
        let old = include_str!("../roles_anywhere/vectors/p256.old-encryption.pem");
        let mend = refused(old.as_bytes(), 0o600).1.unwrap();
        assert_eq!(mend, "openssl pkcs8 -topk8 -in '/my key.pem' -out '/my key.pem'.new");
    }

    #[test]
    fn what_is_no_key_or_too_much_is_refused() {
        assert!(refused(CERTIFICATE.as_bytes(), 0o600).0.contains("the private key is none"));
        assert!(refused(b"\xff\xfe", 0o600).0.contains("is no text"));
        assert!(refused(&vec![b'A'; 1 << 20], 0o600).0.contains("larger than the 64 KiB"));
        assert!(private_key(Path::new("/dev/zero"), "").unwrap_err().to_string().contains("device"));
        let nowhere = tempfile::tempdir().unwrap().path().join("none");
        assert!(certificates(&nowhere).unwrap_err().to_string().contains("no such file"));
    }

    #[test]
    fn a_certificate_may_be_read_by_everybody() {
        let (_directory, path) = file(CERTIFICATE.as_bytes(), 0o644);
        assert_eq!(certificates(&path).unwrap().common_name(), "runner-7");
    }
}
