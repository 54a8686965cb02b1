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
    // moto 5.2.5 does not take the session of its own GetSessionToken.
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
