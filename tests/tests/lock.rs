//! `tegata lock`: memory and stored role credentials go, nothing is served until `unlock`, also across a crash.

use std::fs;
use tegata_sandbox::Operation;
use tegata_tests::product::{Product, wait_until};

/// Signed in and served, over a store that lasts, with the role credentials in it.
fn served() -> Product {
    let mut product = Product::new();
    product.store_in_files();
    product.start_daemon();
    product.sign_in();
    assert_eq!(product.credentials("dev").code, 0);
    wait_until("the role credentials are stored", || stored_roles(&product) == 1);
    product
}

fn stored_roles(product: &Product) -> usize {
    let records = fs::read_dir(product.state_dir().join("secrets")).into_iter().flatten().flatten();
    records.filter(|record| record.file_name().to_string_lossy().starts_with("roles-")).count()
}

#[test]
fn nothing_is_served_while_locked_and_a_restart_does_not_unlock() {
    let mut product = served();
    assert_eq!(product.run(&["lock"]).code, 0);
    assert_eq!(stored_roles(&product), 0);
    for _ in 0..2 {
        let ended = product.credentials("dev");
        assert_eq!((ended.code, ended.stdout.as_str()), (12, ""));
        assert_eq!(ended.stderr, "tegata: Tegata is locked; run: tegata unlock\n");
        product.kill_daemon();
        product.start_daemon();
    }
    assert_eq!(product.run(&["unlock"]).code, 0);
    assert_eq!(product.credentials("dev").code, 0, "the sign-in was kept");
    assert_eq!(product.sandbox().calls(Operation::GetRoleCredentials), 2, "the role credentials were not");
}

#[test]
fn a_lock_that_a_crash_cut_short_is_finished_at_the_next_start() {
    let mut product = served();
    product.kill_daemon();
    // What `lock` leaves when it ends between the mark and the deleting.
    fs::write(product.state_dir().join("locked"), "").unwrap();
    product.start_daemon();
    wait_until("the stored role credentials are deleted", || stored_roles(&product) == 0);
    assert_eq!(product.credentials("dev").code, 12);
    assert_eq!(product.run(&["unlock"]).code, 0);
    assert_eq!(product.credentials("dev").code, 0);
    assert_eq!(product.sandbox().calls(Operation::GetRoleCredentials), 2);
}
