//! Access keys before a judge that is not ours: moto, with authentication enforced, checks every signature of STS and IAM and the
//! policies behind them. Its user's key is imported, turned over and reported.
#![cfg(feature = "system")]
#![allow(clippy::unwrap_used, reason = "this is a test")]

use serde_json::Value;
use std::fs;
use tegata_tests::client;
use tegata_tests::moto::Moto;
use tegata_tests::plaintext_key::{credentials_file, write_plaintext};
use tegata_tests::product::{Ended, Product, run};

const USER: &str = "arn:aws:iam::123456789012:user/alice";

fn product(moto: &Moto) -> Product {
    let mut product = Product::new();
    product.store_in_files();
    let endpoints = format!("[endpoints]\nsts = \"{0}\"\niam = \"{0}\"\n", moto.url);
    let store = "store = \"file\"\n[file_store]\nsystemd_credential = \"key\"\n";
    // moto does not take the sessions of its own GetSessionToken: see below.
    let extras = "[profile.dev]\nhand_out = \"keys\"\n";
    fs::write(product.path(".config/tegata/config.toml"), format!("{store}{endpoints}{extras}")).unwrap();
    write_plaintext(&product, &moto.user.access_key_id, &moto.user.secret_access_key);
    product.start_daemon();
    product
}

fn who(product: &Product, moto: &Moto) -> Ended {
    let mut aws = product.command(client("awscli-v2/dist/aws"));
    aws.env("AWS_ENDPOINT_URL", &moto.url).args(["--profile", "dev", "sts", "get-caller-identity"]);
    run(aws.args(["--query", "Arn", "--output", "text"]))
}

#[test]
fn a_key_made_by_moto_is_imported_turned_over_and_reported() {
    let moto = Moto::start();
    let product = product(&moto);
    let imported = product.run(&["keys", "import", "--yes", "dev"]);
    assert_eq!(imported.code, 0, "{imported:?}\n{}", product.daemon_log());
    assert_eq!(fs::read_to_string(credentials_file(&product)).unwrap(), "[dev]\n");
    let served = who(&product, &moto);
    assert_eq!(served.code, 0, "{served:?}");

    let rotated = product.run(&["keys", "rotate", "--json", "--grace", "1h", "dev"]);
    assert_eq!(rotated.code, 0, "{rotated:?}\n{}", product.daemon_log());
    let rotated: Value = serde_json::from_str(&rotated.stdout).unwrap();
    assert_eq!((&rotated["user"], &rotated["began"]), (&USER.into(), &true.into()), "{rotated}");
    assert_eq!(rotated["old"][0]["state"], "deactivated");
    let report: Value = serde_json::from_str(&product.run(&["keys", "report", "--json"]).stdout).unwrap();
    let keys = report["users"][0]["keys"].as_array().unwrap();
    let active: Vec<_> =
        keys.iter().map(|key| (key["kept"].as_str().unwrap(), key["active"].as_bool().unwrap())).collect();
    assert!(active.contains(&("in_use", true)) && active.contains(&("going_out", false)), "{report}");
    assert_eq!(product.run(&["keys", "rotate", "--finish", "dev"]).code, 0);
    let report: Value = serde_json::from_str(&product.run(&["keys", "report", "--json"]).stdout).unwrap();
    assert_eq!(report["users"][0]["keys"].as_array().unwrap().len(), 1, "{report}");
    assert_eq!(who(&product, &moto).code, 0);
    let canaries = product.canaries().and(&moto.user.secret_access_key);
    tegata_tests::canaries::assert_none(&canaries.find_under(&product.path("")));
}

#[test]
fn moto_refuses_a_wrong_secret_and_the_file_stays() {
    let moto = Moto::start();
    let product = product(&moto);
    write_plaintext(&product, &moto.user.access_key_id, "another-secret-that-is-not-hers-at-all-x");
    let refused = product.run(&["keys", "import", "--yes", "dev"]);
    assert!(refused.code == 14 || refused.code == 13, "{refused:?}");
    assert!(fs::read_to_string(credentials_file(&product)).unwrap().contains("another-secret"));
}

/// Runs AWS CLI with these variables on top, and no configuration of anybody's.
fn aws(product: &Product, moto: &Moto, variables: &[(&str, &str)], arguments: &[&str]) -> Ended {
    let mut aws = product.command(client("awscli-v2/dist/aws"));
    aws.env("AWS_ENDPOINT_URL", &moto.url).env("AWS_REGION", "us-east-1").envs(variables.iter().copied());
    run(aws.args(arguments))
}

/// What can be shown of sessions at moto. The request is signed with the user's key, and moto judges the signature and the policy. The session it
/// answers with is nobody's to it: `moto/iam/access_control.py` looks a key that is no `AKIA…` up among the assumed roles alone.
#[test]
fn moto_takes_the_request_for_a_session_and_refuses_a_wrong_secret_and_then_its_own_session() {
    let moto = Moto::start();
    let mut product = product(&moto);
    assert_eq!(product.run(&["keys", "import", "--yes", "dev"]).code, 0, "which asks for a session");
    let settings = product.path(".config/tegata/config.toml");
    let own = fs::read_to_string(&settings).unwrap();
    fs::write(&settings, own.replace("hand_out = \"keys\"", "")).unwrap();
    product.kill_daemon();
    product.start_daemon();
    let session = product.credentials("dev");
    assert_eq!(session.code, 0, "moto judged it: {session:?}\n{}", product.daemon_log());
    let session: Value = serde_json::from_str(&session.stdout).unwrap();
    let text = |name: &str| session[name].as_str().unwrap().to_owned();
    let names = ["AccessKeyId", "SecretAccessKey", "SessionToken"].map(text);
    let session =
        [("AWS_ACCESS_KEY_ID", &*names[0]), ("AWS_SECRET_ACCESS_KEY", &names[1]), ("AWS_SESSION_TOKEN", &names[2])];
    let refused = aws(&product, &moto, &session, &["sts", "get-caller-identity"]);
    assert!(refused.code != 0 && refused.stderr.contains("InvalidClientTokenId"), "mend this test: {refused:?}");

    let asks = ["sts", "get-session-token", "--query", "Credentials.AccessKeyId", "--output", "text"];
    let key = |secret| [("AWS_ACCESS_KEY_ID", &*moto.user.access_key_id), ("AWS_SECRET_ACCESS_KEY", secret)];
    let by_hand = aws(&product, &moto, &key(&*moto.user.secret_access_key), &asks);
    assert_eq!(by_hand.code, 0, "{by_hand:?}");
    let wrong = aws(&product, &moto, &key("another-secret-that-is-not-hers-at-all-x"), &asks);
    assert!(wrong.code != 0 && wrong.stderr.contains("SignatureDoesNotMatch"), "{wrong:?}");
}

/// AWS CLI assumes a role with the keys that it gets from Tegata, and moto judges both.
#[test]
fn a_key_that_is_handed_out_assumes_a_role_at_moto() {
    let moto = Moto::start();
    let product = product(&moto);
    assert_eq!(product.run(&["keys", "import", "--yes", "dev"]).code, 0);
    let config = product.path(".aws/config");
    let own = fs::read_to_string(&config).unwrap();
    let role = "[profile native]\nregion = us-east-1\nrole_arn = arn:aws:iam::123456789012:role/Deploy\nsource_profile = dev\n";
    fs::write(&config, format!("{own}\n{role}")).unwrap();
    let arguments = ["--profile", "native", "sts", "get-caller-identity", "--query", "Arn", "--output", "text"];
    let assumed = aws(&product, &moto, &[], &arguments);
    assert!(assumed.stdout.starts_with("arn:aws:sts::123456789012:assumed-role/Deploy/"), "{assumed:?}");
}
