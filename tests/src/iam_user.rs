//! The product with an IAM user: her access key is in the store before the daemon starts.

use crate::product::Product;
use crate::program;
use std::time::SystemTime;
use tegata_daemon::iam_users::record::{AccessKey, IamUserRecord, KeyState};
use tegata_daemon::store::Records;
use tegata_daemon::store::file::{FileKey, Files};
use tegata_protocol::Secret;
use tegata_sandbox::IamRole;

/// An IAM user.
pub const ALICE: &str = "arn:aws:iam::123456789012:user/alice";
/// Her MFA device.
pub const PHONE: &str = "arn:aws:iam::123456789012:mfa/alice";
const DEPLOY: &str = "arn:aws:iam::210987654321:role/Deploy";
const AUDIT: &str = "arn:aws:iam::210987654321:role/Audit";

/// Returns the section of a profile that Tegata serves.
#[must_use]
pub fn section(name: &str, keys: &str) -> String {
    let tegata = program("tegata");
    let command = format!("credential_process = {} credential-process --profile {name}", tegata.display());
    format!("[profile {name}]\nregion = us-east-1\n{keys}\n{command}\n\n")
}

/// Alice's key is in the store and nowhere else; the profile `keys` is she, `mfa` with her phone, `deploy` and `audit` want the phone.
///
/// # Panics
/// When the machine does not let it.
#[must_use]
pub fn product(settings: &str) -> Product {
    let mut product = prepared(settings);
    product.start_daemon();
    product
}

/// The same without a daemon.
///
/// # Panics
/// As [`product`].
#[must_use]
pub fn prepared(settings: &str) -> Product {
    let mut product = Product::new();
    let sandbox = product.sandbox();
    sandbox.add_iam_user(ALICE).expect("the sandbox has room, and so has the store");
    sandbox.enable_mfa(ALICE, PHONE).expect("the sandbox has room, and so has the store");
    let key = sandbox.create_access_key(ALICE).expect("the sandbox has room, and so has the store");
    sandbox.configure(|settings| {
        settings.iam_roles = [DEPLOY, AUDIT].map(|arn| IamRole::new(arn, &[ALICE])).to_vec();
        settings.iam_roles.iter_mut().for_each(|role| role.trust.requires_mfa = true);
    });
    let user = format!("tegata_iam_user = {ALICE}");
    let role =
        |arn: &str| format!("tegata_role_arn = {arn}\ntegata_source_profile = keys\ntegata_mfa_serial = {PHONE}");
    product.write_aws_config(&format!(
        "{}{}{}{}",
        section("keys", &user),
        section("mfa", &format!("{user}\ntegata_mfa_serial = {PHONE}")),
        section("deploy", &format!("{}\ntegata_duration_seconds = 14400", role(DEPLOY))),
        section("audit", &role(AUDIT)),
    ));
    product.store_in_files();
    product.write_settings(&format!("store = \"file\"\n[file_store]\nsystemd_credential = \"key\"\n{settings}"));
    keep(&product, &key, SystemTime::now());
    product
}

/// Puts a key of Alice's into the store, as it was made at IAM then. No daemon may run.
///
/// # Panics
/// When the store does not take it.
pub fn keep(product: &Product, key: &tegata_sandbox::AccessKey, made: SystemTime) {
    let now = SystemTime::now();
    let kept = AccessKey::new(&key.id, Secret::new(key.secret.clone()), now, KeyState::InUse)
        .expect("the sandbox has room, and so has the store");
    let kept = AccessKey { created_at: Some(made), ..kept };
    let mut store = Files::new(product.state_dir().join("secrets"), FileKey::KeyFile(product.path("credentials/key")));
    store
        .write(&IamUserRecord::key(ALICE), &IamUserRecord::new(ALICE, now, kept).to_bytes())
        .expect("the sandbox has room, and so has the store");
}
