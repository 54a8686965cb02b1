//! A sign-in in the cache of AWS CLI that belongs to another user is not taken over.
#![cfg(feature = "root")]

use std::fs;
use std::os::unix::fs::chown;
use tegata_tests::product::Product;

/// SHA-1 of `corp`.
const FILE: &str = ".aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json";

#[test]
fn h4_a_file_of_another_user_is_refused_and_left() {
    let mut product = Product::new();
    product.start_daemon();
    let text = "{\"startUrl\":\"https://d-1234567890.awsapps.com/start\",\"region\":\"us-east-1\",\
                \"accessToken\":\"planted\",\"expiresAt\":\"2099-01-01T00:00:00Z\"}";
    fs::create_dir_all(product.path(".aws/sso/cache")).unwrap();
    fs::write(product.path(FILE), text).unwrap();
    chown(product.path(FILE), Some(12_345), None).unwrap();
    let ended = product.run(&["adopt-session", "corp"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (1, ""), "{ended:?}");
    assert!(ended.stderr.contains("belongs to user 12345, not to you; it is left as it is"), "{ended:?}");
    assert_eq!(fs::read_to_string(product.path(FILE)).unwrap(), text);
    assert!(product.sandbox().requests().is_empty());
}
