//! The access keys of a user: made, listed, switched, deleted, and when they were last used.

use super::{Allowed, Clerk, allowed, answer, moment, no_such_entity, refusal, user, validation};
use crate::call::{Answer, Call};
use crate::clock::millis;
use crate::reply::{Refusal, escape};
use crate::users::AccessKey;

/// The range of `MaxItems` and its default (IAM API reference, ListAccessKeys).
const MAX_ITEMS: std::ops::RangeInclusive<usize> = 1..=1000;

/// CreateAccessKey. STS knows the key only after a while: IAM is eventually consistent.
pub(crate) fn create_access_key(clerk: &mut Clerk<'_>, call: &Call) -> Answer {
    let asked = allowed(clerk, call, &["UserName"])?;
    let arn = asked.user(clerk.users)?;
    let works_from = call.now.saturating_add(millis(clerk.settings.new_key_delay));
    let key = clerk.users.create_key(&arn, clerk.mint, call.now).map_err(|error| refusal(&error))?;
    clerk.users.works_from(&key.id, works_from);
    let name = user(clerk.users, &arn)?.name();
    let described = format!(
        "<AccessKey>{}<SecretAccessKey>{}</SecretAccessKey></AccessKey>",
        description(name, &key),
        escape(&key.secret)
    );
    Ok(answer("CreateAccessKey", Some(&described)))
}

/// ListAccessKeys.
pub(crate) fn list_access_keys(clerk: &mut Clerk<'_>, call: &Call) -> Answer {
    let asked = allowed(clerk, call, &["UserName", "Marker", "MaxItems"])?;
    let arn = asked.user(clerk.users)?;
    let user = user(clerk.users, &arn)?;
    let most = match asked.parameters.get("MaxItems") {
        None => 100,
        Some(text) => text.parse().ok().filter(|n| MAX_ITEMS.contains(n)).ok_or_else(|| validation("MaxItems"))?,
    };
    let from = match asked.parameters.get("Marker") {
        None => 0,
        Some(marker) => user.keys.iter().position(|key| key.id == marker).ok_or_else(|| validation("Marker"))?,
    };
    let most = most.min(clerk.settings.page_size);
    let rest = &user.keys[from..];
    let page = &rest[..most.min(rest.len())];
    let members: String =
        page.iter().map(|key| format!("<member>{}</member>", description(user.name(), key))).collect();
    let next = rest.get(page.len()).map(|key| format!("<Marker>{}</Marker>", key.id)).unwrap_or_default();
    let cut = !next.is_empty();
    let result = format!("<AccessKeyMetadata>{members}</AccessKeyMetadata><IsTruncated>{cut}</IsTruncated>{next}");
    Ok(answer("ListAccessKeys", Some(&result)))
}

/// UpdateAccessKey.
pub(crate) fn update_access_key(clerk: &mut Clerk<'_>, call: &Call) -> Answer {
    let asked = allowed(clerk, call, &["UserName", "AccessKeyId", "Status"])?;
    let arn = asked.user(clerk.users)?;
    let active = match asked.required("Status")? {
        "Active" => true,
        "Inactive" => false,
        _ => return Err(validation("Status must satisfy enum value set: [Active, Inactive]")),
    };
    let id = asked.required("AccessKeyId")?;
    clerk.users.set_active(&arn, id, active).map_err(|error| refusal(&error))?;
    Ok(answer("UpdateAccessKey", None))
}

/// DeleteAccessKey.
pub(crate) fn delete_access_key(clerk: &mut Clerk<'_>, call: &Call) -> Answer {
    let asked = allowed(clerk, call, &["UserName", "AccessKeyId"])?;
    let arn = asked.user(clerk.users)?;
    clerk.users.delete_key(&arn, asked.required("AccessKeyId")?).map_err(|error| refusal(&error))?;
    Ok(answer("DeleteAccessKey", None))
}

/// GetAccessKeyLastUsed.
pub(crate) fn get_access_key_last_used(clerk: &mut Clerk<'_>, call: &Call) -> Answer {
    let asked = allowed(clerk, call, &["AccessKeyId"])?;
    let (owner, key) = in_account(clerk, &asked)?;
    let (date, service, region) = match &key.last_used {
        None => (String::new(), "N/A", "N/A"),
        Some(used) => {
            let date = format!("<LastUsedDate>{}</LastUsedDate>", moment(used.at_ms));
            (date, used.service.as_str(), used.region.as_str())
        }
    };
    let result = format!(
        "<UserName>{}</UserName><AccessKeyLastUsed>{date}<ServiceName>{}</ServiceName><Region>{}</Region></AccessKeyLastUsed>",
        escape(&owner),
        escape(service),
        escape(region)
    );
    Ok(answer("GetAccessKeyLastUsed", Some(&result)))
}

/// The key of a request and its user's name, if it is of the caller's account.
fn in_account(clerk: &Clerk<'_>, asked: &Allowed) -> Result<(String, AccessKey), Refusal> {
    let id = asked.required("AccessKeyId")?;
    let unknown = || no_such_entity(format!("The Access Key with id {id} cannot be found."));
    let (owner, key) = clerk.users.by_key(id).ok_or_else(unknown)?;
    let is_theirs = owner.account() == asked.caller.principal.account;
    if is_theirs { Ok((owner.name().to_owned(), key.clone())) } else { Err(unknown()) }
}

fn description(user: &str, key: &AccessKey) -> String {
    let status = if key.active { "Active" } else { "Inactive" };
    format!(
        "<UserName>{}</UserName><AccessKeyId>{}</AccessKeyId><Status>{status}</Status><CreateDate>{}</CreateDate>",
        escape(user),
        key.id,
        moment(key.created_ms)
    )
}
