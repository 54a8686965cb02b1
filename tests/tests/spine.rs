//! The spine from outside: sign in once, every tool is served, a restart forgets nothing it need not.

use tegata_sandbox::Operation;
use tegata_tests::product::Product;

#[test]
fn signing_in_once_serves_every_profile() {
    let mut product = Product::new();
    product.start_daemon();
    product.sign_in();
    for (profile, role) in [("dev", "ReadOnly"), ("admin", "Admin")] {
        let ended = product.credentials(profile);
        assert_eq!(ended.code, 0, "{ended:?}");
        assert_eq!(ended.stderr, "");
        let json: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
        assert_eq!((json["Version"].as_u64(), json["AccountId"].as_str()), (Some(1), Some("123456789012")));
        let asked = product.sandbox().requests_of(Operation::GetRoleCredentials);
        assert!(asked.last().unwrap().target.contains(&format!("role_name={role}")), "{asked:?}");
    }
}

#[test]
fn without_a_sign_in_there_is_one_line_and_exit_code_10() {
    let mut product = Product::new();
    product.start_daemon();
    let ended = product.credentials("dev");
    assert_eq!((ended.code, ended.stdout.as_str()), (10, ""));
    assert_eq!(ended.stderr, "tegata: sign-in session corp has not been signed in to; run: tegata login corp\n");
}
