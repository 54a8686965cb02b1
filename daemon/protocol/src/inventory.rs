//! Bodies of an inventory: which accounts and roles a sign-in session reaches. Nothing in here is secret, and every name in
//! here was chosen by somebody else: it may be long, in any script, or written to deceive a terminal.

use crate::ErrorBody;
use crate::text::one_line;
use serde::{Deserialize, Serialize};

/// The most characters of an account's name or mail address that are passed on. AWS Organizations allows 50 and 64
/// (`CreateAccount`); what is longer is cut.
pub const MAX_NAME_CHARS: usize = 128;

/// Returns a name somebody chose as one printable line of at most [`MAX_NAME_CHARS`] characters.
#[must_use]
pub fn shown_name(text: &str) -> String {
    one_line(text).chars().take(MAX_NAME_CHARS).collect()
}

/// `POST /v1/inventories`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BeginInventory {
    /// A sign-in session, a profile that uses one, or a start URL. Absent: the only one there is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// The AWS config file of the caller, absolute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<String>,
}

/// An inventory as it stands: the answer to `POST /v1/inventories` and `GET /v1/inventories/{id}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inventory {
    /// Names this inventory in later requests.
    pub id: String,
    /// The sign-in session it is of.
    pub session: String,
    /// How it stands.
    pub state: InventoryState,
    /// The accounts listed so far. Final once the first account is done.
    pub accounts_found: u32,
    /// The accounts whose roles are known.
    pub accounts_done: u32,
    /// How many of [`Inventory::accounts_done`] an earlier inventory had left behind.
    pub resumed_from: u32,
    /// Why it failed; there when, and only when, it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorBody>,
    /// Once it is done: a page of the accounts, by account id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accounts: Vec<InventoryAccount>,
    /// What to send as `page` for the rest, if there is any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_page: Option<String>,
}

/// How an inventory stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InventoryState {
    /// AWS is being asked.
    Running,
    /// Everything is known.
    Done,
    /// It ended before. What was fetched is kept for the next.
    Failed,
}

/// An account, and what the person may be in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InventoryAccount {
    /// The account id: twelve digits.
    pub id: String,
    /// The name: one printable line of at most [`MAX_NAME_CHARS`] characters, in any script. May be empty.
    pub name: String,
    /// The mail address of its root user: one printable line of at most [`MAX_NAME_CHARS`] characters. May be empty.
    pub email: String,
    /// The roles (permission sets) assigned to the person, sorted. May be empty.
    pub roles: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_inventory_under_way_says_how_far_it_is_and_no_more() {
        let inventory = Inventory {
            id: "i".into(),
            session: "corp".into(),
            state: InventoryState::Running,
            accounts_found: 2_000,
            accounts_done: 7,
            resumed_from: 3,
            error: None,
            accounts: vec![],
            next_page: None,
        };
        let json = serde_json::to_string(&inventory).unwrap();
        assert_eq!(
            json,
            r#"{"id":"i","session":"corp","state":"running","accounts_found":2000,"accounts_done":7,"resumed_from":3}"#
        );
        assert_eq!(serde_json::from_str::<Inventory>(&json).unwrap(), inventory);
    }

    #[test]
    fn unknown_fields_of_a_request_are_refused() {
        assert!(serde_json::from_str::<BeginInventory>(r#"{"sesion":"corp"}"#).is_err());
        assert!(serde_json::from_str::<BeginInventory>(r#"{"session":"corp","config":"/c"}"#).is_ok());
    }
}
