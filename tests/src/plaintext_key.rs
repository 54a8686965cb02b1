//! A product whose profile `dev` has the access key of an IAM user in the credentials file, as keys lie about.

use crate::product::{Ended, Product, run};
use crate::{client, program};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use tegata_sandbox::{AccessKey, IamUser};

/// The user.
pub const ALICE: &str = "arn:aws:iam::123456789012:user/team/alice";

/// Makes Alice with a key, and writes it where AWS CLI would.
///
/// # Panics
/// When the machine does not let it.
#[must_use]
pub fn with_plaintext_key(product: &Product) -> AccessKey {
    product.sandbox().add_iam_user(ALICE).expect("there is no Alice yet");
    let key = product.sandbox().create_access_key(ALICE).expect("she has none");
    write_plaintext(product, &key.id, &key.secret);
    key
}

/// Writes a key into `~/.aws/credentials` as `[dev]`, and `[profile dev]` into `~/.aws/config`.
///
/// # Panics
/// When the machine does not let it.
pub fn write_plaintext(product: &Product, id: &str, secret: &str) {
    let file = credentials_file(product);
    let text = format!("[dev]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n");
    fs::write(&file, text).expect("the credentials file is written");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("it is private");
    product.write_aws_config("[profile dev]\nregion = eu-west-1\noutput = json\n");
}

/// Returns the credentials file.
#[must_use]
pub fn credentials_file(product: &Product) -> PathBuf {
    product.path(".aws/credentials")
}

/// Returns Alice, as IAM knows her.
///
/// # Panics
/// When there is none.
#[must_use]
pub fn alice(product: &Product) -> IamUser {
    product.sandbox().iam_users().into_iter().find(|user| user.arn == ALICE).expect("there is Alice")
}

/// Runs AWS CLI v2 as `dev`, two minutes at most.
pub fn aws(product: &Product, arguments: &[&str]) -> Ended {
    let mut command = product.command("timeout");
    command.args(["-k", "5", "120"]).arg(client("awscli-v2/dist/aws")).args(["--profile", "dev"]).args(arguments);
    command.env("AWS_ENDPOINT_URL", product.sandbox().url()).env("AWS_EC2_METADATA_DISABLED", "true");
    // What AWS config runs is the program of this build.
    command.env("PATH", format!("{}:/usr/bin:/bin", program("tegata").parent().unwrap_or(&PathBuf::new()).display()));
    run(&mut command)
}

/// Whether AWS CLI is Alice.
pub fn is_alice(product: &Product) -> bool {
    let ended = aws(product, &["sts", "get-caller-identity", "--query", "Arn", "--output", "text"]);
    ended.code == 0 && ended.stdout.trim() == ALICE
}
