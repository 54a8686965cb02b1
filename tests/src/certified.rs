//! A product whose profile `dev` gets its role from IAM Roles Anywhere, with a certificate and a key in files outside the home: what is
//! searched for secrets is the home.

use crate::product::Product;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;
use tegata_sandbox::{CertificateAuthority, IamRole, IssuedCertificate, RolesAnywhereProfile, Sandbox, Subject};
use tempfile::TempDir;

/// The trust anchor.
pub const ANCHOR: &str =
    "arn:aws:rolesanywhere:us-east-1:123456789012:trust-anchor/11111111-2222-3333-4444-555555555555";
/// The profile of IAM Roles Anywhere.
pub const PROFILE: &str = "arn:aws:rolesanywhere:us-east-1:123456789012:profile/66666666-7777-8888-9999-000000000000";
/// The role of `dev`.
pub const ROLE: &str = "arn:aws:iam::123456789012:role/ci/Runner";
/// A role that the built-in rule takes for administration; the profile `admin` has it.
pub const ADMIN: &str = "arn:aws:iam::123456789012:role/Admin";

/// How long its first certificate is good for, from an hour ago: thirty days and some hours are left.
pub const LIFE: Duration = Duration::from_secs((30 * 24 + 13) * 3600);

/// A product, the authority that AWS trusts, and the files.
#[derive(Debug)]
pub struct Certified {
    /// The product; its daemon is not started.
    pub product: Product,
    /// The authority.
    pub authority: CertificateAuthority,
    files: TempDir,
}

impl Certified {
    /// `dev` and `admin` by a certificate of `runner-7` with a key over P-256.
    ///
    /// # Panics
    /// When the machine does not let it.
    #[must_use]
    pub fn new() -> Self {
        let authority = CertificateAuthority::root("Acme root").expect("a certificate can be made");
        let sandbox = Sandbox::start().expect("the sandbox starts");
        sandbox.configure(|settings| {
            settings.roles_anywhere.trust_anchors.push(authority.trust_anchor(ANCHOR));
            settings.roles_anywhere.profiles.push(RolesAnywhereProfile::new(PROFILE, &[ROLE, ADMIN]));
            let trusting = |role: &str| IamRole::new(role, &["rolesanywhere.amazonaws.com"]);
            settings.iam_roles.extend([trusting(ROLE), trusting(ADMIN)]);
        });
        let files = tempfile::Builder::new().prefix("ra").tempdir().expect("a temporary directory");
        let certified = Self { product: Product::with(sandbox), authority, files };
        certified.put(&certified.issue(&Subject::new("runner-7").for_only(LIFE)));
        certified.write_config(&certified.certificate().display().to_string(), &certified.key().display().to_string());
        certified
    }

    /// Issues a certificate of the trusted authority.
    ///
    /// # Panics
    /// When it cannot be made.
    #[must_use]
    pub fn issue(&self, subject: &Subject) -> IssuedCertificate {
        self.authority.issue(subject).expect("a certificate can be issued")
    }

    /// Puts a certificate with its intermediates, and its key, into the files.
    ///
    /// # Panics
    /// When it cannot.
    pub fn put(&self, issued: &IssuedCertificate) {
        fs::write(self.certificate(), format!("{}{}", issued.certificate, issued.chain)).expect("a file");
        fs::write(self.key(), &issued.private_key).expect("a file");
        fs::set_permissions(self.key(), fs::Permissions::from_mode(0o600)).expect("the key is private");
    }

    /// The certificate's file.
    #[must_use]
    pub fn certificate(&self) -> PathBuf {
        self.files.path().join("laptop.pem")
    }

    /// The key's file.
    #[must_use]
    pub fn key(&self) -> PathBuf {
        self.files.path().join("laptop.key")
    }

    /// Writes `dev` and `admin` with the certificate and the key at these places.
    pub fn write_config(&self, certificate: &str, key: &str) {
        let product = &self.product;
        let profile = |name: &str, role: &str| {
            format!(
                "[profile {name}]\nregion = us-east-1\n{}credential_process = {} credential-process --profile {name}\n\n",
                keys(role, certificate, key),
                product.cli_binary.display()
            )
        };
        let sign_in = product.default_aws_config();
        let sign_in = sign_in.split("[profile ").next().unwrap_or_default();
        product.write_aws_config(&format!("{sign_in}{}{}", profile("dev", ROLE), profile("admin", ADMIN)));
    }
}

impl Default for Certified {
    fn default() -> Self {
        Self::new()
    }
}

/// The keys of a profile that starts from a certificate.
#[must_use]
pub fn keys(role: &str, certificate: &str, key: &str) -> String {
    format!(
        "tegata_trust_anchor_arn = {ANCHOR}\ntegata_roles_anywhere_profile_arn = {PROFILE}\ntegata_role_arn = {role}\n\
         tegata_certificate = {certificate}\ntegata_private_key = {key}\n"
    )
}

/// Lines of a PEM text that stand for it where it is looked for: each is a secret where the text is a key.
#[must_use]
pub fn lines_of(pem: &str) -> Vec<String> {
    pem.lines().filter(|line| line.len() >= 32 && !line.starts_with('-')).map(str::to_owned).collect()
}
