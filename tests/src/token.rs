//! A PKCS#11 token: SoftHSM, in the home, filled by its own tool and by OpenSC's.

use crate::product::{Ended, Product, run};
use std::fs;
use std::path::{Path, PathBuf};
use tegata_sandbox::IssuedCertificate;

/// SoftHSM's module, as Debian has it.
pub const MODULE: &str = "/usr/lib/softhsm/libsofthsm2.so";
/// The PIN of the tokens here: long, so that nothing holds it by chance.
pub const PIN: &str = "PIN-48151623";

/// Makes a token with this label.
///
/// # Panics
/// When SoftHSM is not installed.
pub fn make(product: &Product, label: &str) {
    let (config, tokens) = (product.path(".config/softhsm2"), product.path("tokens"));
    fs::create_dir_all(&config).expect("a directory");
    fs::create_dir_all(&tokens).expect("a directory");
    let text = format!("directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\n", tokens.display());
    fs::write(config.join("softhsm2.conf"), text).expect("a file");
    let options = ["--init-token", "--free", "--label", label, "--pin", PIN, "--so-pin", "so-PIN-2342"];
    done(run(product.command("softhsm2-util").args(options)));
}

/// Puts a certificate and its key into a token, under this label and id.
///
/// # Panics
/// When the tools do not do it.
pub fn fill(product: &Product, token: &str, label: &str, id: &str, issued: &IssuedCertificate) {
    let files = tempfile::tempdir().expect("a temporary directory");
    let key = files.path().join("key.pem");
    fs::write(&key, &issued.private_key).expect("a file");
    let import = ["--token", token, "--label", label, "--id", id, "--pin", PIN, "--import"];
    done(run(product.command("softhsm2-util").args(import).arg(&key)));
    put_certificate(product, token, label, id, &issued.certificate);
}

/// Puts a certificate into a token.
///
/// # Panics
/// When the tools do not do it.
pub fn put_certificate(product: &Product, token: &str, label: &str, id: &str, pem: &str) {
    let files = tempfile::tempdir().expect("a temporary directory");
    let (text, der) = (files.path().join("certificate.pem"), files.path().join("certificate.der"));
    fs::write(&text, pem).expect("a file");
    let convert = ["x509", "-outform", "DER", "-in"];
    done(run(product.command("openssl").args(convert).arg(&text).arg("-out").arg(&der)));
    let options = ["--module", MODULE, "--token-label", token, "--login", "--pin", PIN, "--type", "cert"];
    let object = ["--label", label, "--id", id, "--write-object"];
    done(run(product.command("pkcs11-tool").args(options).args(object).arg(&der)));
}

/// The libraries that a process has loaded.
///
/// # Panics
/// When there is no such process.
#[must_use]
pub fn libraries_of(pid: u32) -> Vec<PathBuf> {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).expect("the process is there");
    let files = maps.lines().filter_map(|line| line.split_whitespace().nth(5)).filter(|path| path.starts_with('/'));
    let mut libraries: Vec<PathBuf> = files.map(|path| Path::new(path).to_owned()).collect();
    libraries.dedup();
    libraries
}

fn done(ended: Ended) {
    assert_eq!(ended.code, 0, "{ended:?}");
}
