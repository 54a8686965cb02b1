//! A product with a gate: signed in, with one person's passkey, and with a hand that has it.

use crate::hand::Hand;
use crate::product::Product;
use serde_json::Value;

/// What keeps the store of a home in files across a restart, as [`Product::store_in_files`] says it.
pub const IN_FILES: &str = "store = \"file\"\n[file_store]\nsystemd_credential = \"key\"\n";

/// Starts, signs in, enrols a passkey of alice. The built-in rule gates `admin` from then on.
#[must_use]
pub fn gated(mut product: Product) -> (Product, Hand) {
    product.start_daemon();
    product.sign_in();
    let hand = product.enrol("alice", None);
    (product, hand)
}

/// Returns the id of a request or a grant.
///
/// # Panics
/// When it has none.
#[must_use]
pub fn id(of: &Value) -> &str {
    of["id"].as_str().unwrap_or_else(|| panic!("no id: {of}"))
}

/// Returns the records of one kind.
#[must_use]
pub fn records(product: &Product, event: &str) -> Vec<Value> {
    product.audit().into_iter().filter(|record| record["event"] == event).collect()
}
