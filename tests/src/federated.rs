//! A product with a profile `ci` that starts from a token of an identity provider. The tokens lie outside of its home: in there, nothing
//! secret may be found.

use crate::product::Product;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use tegata_sandbox::{IamRole, TokenOrder};
use tempfile::TempDir;

/// The role for tokens of GitHub's issuer for octo-org.
pub const ROLE: &str = "arn:aws:iam::210987654321:role/ci/Deploy";
/// A role that trusts that one.
pub const NEXT: &str = "arn:aws:iam::345678901234:role/Next";
/// Whose tokens they are.
pub const ISSUER: &str = "https://token.actions.githubusercontent.com";

/// Such a product.
#[derive(Debug)]
pub struct Federated {
    /// The product.
    pub product: Product,
    outside: TempDir,
}

impl Federated {
    /// `ci` has this line for its source in AWS config, and `config.toml` these lines; `next` is a role behind it. A token lies at
    /// [`Federated::token_file`].
    ///
    /// # Panics
    /// When the machine does not let it.
    #[must_use]
    pub fn new(source: impl FnOnce(&Self) -> String, settings: impl FnOnce(&Self) -> String) -> Self {
        let product = Product::new();
        product.sandbox().configure(|settings| {
            let for_tokens = IamRole::for_tokens(ROLE, ISSUER, "repo:octo-org/*");
            settings.iam_roles = vec![for_tokens, IamRole::new(NEXT, &[ROLE])];
        });
        let outside = tempfile::tempdir().expect("a directory");
        let federated = Self { product, outside };
        federated.write_token(&TokenOrder::default());
        federated.write_profiles(&source(&federated));
        let settings = settings(&federated);
        federated.product.write_settings(&format!("store = \"memory\"\n{settings}"));
        federated
    }

    /// `ci` reads its token from a file.
    ///
    /// # Panics
    /// As [`Federated::new`].
    #[must_use]
    pub fn by_file() -> Self {
        let source =
            |federated: &Self| format!("tegata_web_identity_token_file = {}", federated.token_file().display());
        Self::new(source, |_| String::new())
    }

    /// `ci` has its token from a command with this text.
    ///
    /// # Panics
    /// As [`Federated::new`].
    #[must_use]
    pub fn by_command(text: &str) -> Self {
        let settings = |federated: &Self| {
            let program = federated.script("token", text);
            format!("[profile.ci]\nweb_identity = {{ command = [\"{}\", \"a b\"] }}\n", program.display())
        };
        Self::new(|_| String::new(), settings)
    }

    /// `ci` has its token from a job of GitHub Actions.
    ///
    /// # Panics
    /// As [`Federated::new`].
    #[must_use]
    pub fn by_github() -> Self {
        Self::new(|_| String::new(), |_| "[profile.ci]\nweb_identity = { github_actions = {} }\n".to_owned())
    }

    /// Writes `~/.aws/config`, where `ci` has these lines.
    pub fn write_profiles(&self, source: &str) {
        let served = |name: &str, keys: &str| {
            let tegata = self.product.cli_binary.display();
            format!(
                "[profile {name}]\nregion = us-east-1\n{keys}\ncredential_process = {tegata} credential-process --profile {name}\n\n"
            )
        };
        let ci = served("ci", &format!("tegata_role_arn = {ROLE}\n{source}"));
        let next = served("next", &format!("tegata_source_profile = ci\ntegata_role_arn = {NEXT}"));
        self.product.write_aws_config(&format!("{}{ci}{next}", self.product.default_aws_config()));
    }

    /// Returns where the token is.
    #[must_use]
    pub fn token_file(&self) -> PathBuf {
        self.at("token.jwt")
    }

    /// Returns a place outside of the home.
    #[must_use]
    pub fn at(&self, name: &str) -> PathBuf {
        self.outside.path().join(name)
    }

    /// Writes another token there, as those do who make them: another file in its place.
    ///
    /// # Panics
    /// When it cannot.
    pub fn write_token(&self, order: &TokenOrder) {
        let new = self.at("new");
        fs::write(&new, format!("{}\n", self.product.sandbox().web_identity_token(order))).expect("a token is written");
        fs::rename(new, self.token_file()).expect("it takes the other one's place");
    }

    /// Writes a program outside of the home. `$0.NAME` is a file beside it.
    ///
    /// # Panics
    /// When it cannot.
    pub fn script(&self, name: &str, text: &str) -> PathBuf {
        // Written by another process: a program that this one had open for writing could be busy in a sibling's fork.
        let (source, program) = (self.at(&format!("{name}.text")), self.at(name));
        fs::write(&source, format!("#!/bin/sh\n{text}\n")).expect("a program");
        let copied = crate::product::run(std::process::Command::new("cp").arg(&source).arg(&program));
        assert_eq!(copied.code, 0, "{copied:?}");
        fs::set_permissions(&program, fs::Permissions::from_mode(0o700)).expect("it is a program");
        program
    }
}
