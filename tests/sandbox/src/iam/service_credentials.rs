//! What a user has for one service alone: passwords for CodeCommit and Keyspaces, API keys for Bedrock. Listed, a page at a time.

use super::{Clerk, allowed, answer, moment, user, validation};
use crate::call::{Answer, Call};
use crate::reply::escape;
use crate::users::ServiceCredential;

/// ListServiceSpecificCredentials (IAM API reference).
pub(crate) fn list_service_specific_credentials(clerk: &mut Clerk<'_>, call: &Call) -> Answer {
    let asked = allowed(clerk, call, &["UserName", "ServiceName", "Marker", "MaxItems"])?;
    let arn = asked.user(clerk.users)?;
    let most = clerk.settings.page_size;
    let user = user(clerk.users, &arn)?;
    let wanted = asked.parameters.get("ServiceName");
    let of_service = |one: &&ServiceCredential| wanted.is_none_or(|service| one.service == service);
    let all: Vec<_> = user.service_credentials.iter().filter(of_service).collect();
    let from = match asked.parameters.get("Marker") {
        None => 0,
        Some(marker) => all.iter().position(|one| one.id == marker).ok_or_else(|| validation("Marker"))?,
    };
    let rest = &all[from..];
    let page = &rest[..most.min(rest.len())];
    let members: String =
        page.iter().map(|one| format!("<member>{}</member>", description(user.name(), one))).collect();
    let next = rest.get(page.len()).map(|one| format!("<Marker>{}</Marker>", one.id)).unwrap_or_default();
    let cut = !next.is_empty();
    let result = format!(
        "<ServiceSpecificCredentials>{members}</ServiceSpecificCredentials><IsTruncated>{cut}</IsTruncated>{next}"
    );
    Ok(answer("ListServiceSpecificCredentials", Some(&result)))
}

fn description(user: &str, one: &ServiceCredential) -> String {
    let status = if one.active { "Active" } else { "Inactive" };
    let ends = one.expires_ms.map(|at| format!("<ExpirationDate>{}</ExpirationDate>", moment(at))).unwrap_or_default();
    format!(
        "<UserName>{}</UserName><Status>{status}</Status><CreateDate>{}</CreateDate>{ends}\
         <ServiceSpecificCredentialId>{}</ServiceSpecificCredentialId><ServiceName>{}</ServiceName>",
        escape(user),
        moment(one.created_ms),
        one.id,
        escape(&one.service)
    )
}
