//! IAM's XML answers → our types. Pure. What cannot be right is refused; no text of an answer is quoted but AWS's own words.

use super::{LastUse, ListedKey, MadeKey, ServiceCredential};
use crate::aws::AwsError;
use crate::aws::refusals::{Operation, Refusal};
use crate::clock::from_rfc3339;
use crate::iam_users::record::AccessKeyId;
use aws_smithy_xml::decode::{Document, ScopedDecoder, try_data};
use std::fmt;
use std::time::SystemTime;
use tegata_protocol::Secret;
use tegata_protocol::text::one_line;
use zeroize::Zeroizing;

/// The elements that hold text. Every other one is gone into.
const LEAVES: [&str; 15] = [
    "UserName",
    "AccessKeyId",
    "Status",
    "SecretAccessKey",
    "CreateDate",
    "IsTruncated",
    "Marker",
    "LastUsedDate",
    "ServiceSpecificCredentialId",
    "ExpirationDate",
    "ServiceName",
    "Region",
    "Code",
    "Message",
    "RequestId",
];

/// AWS's own answers have a few dozen; more are not read.
const MOST_LEAVES: usize = 16 * 1024;
/// AWS's own answers are six deep.
const DEEPEST: usize = 16;
/// How long the id of a service-specific credential is (IAM API reference, `ServiceSpecificCredentialMetadata`).
const SERVICE_ID: std::ops::RangeInclusive<usize> = 20..=128;
/// The longest text of an element that is kept.
const LONGEST: usize = 4096;

/// What an answer says, in its order. It may hold a secret.
pub(super) struct Elements(Vec<(&'static str, Zeroizing<String>)>);

/// The name of what begins another entry of a list.
const MEMBER: &str = "member";

impl fmt::Debug for Elements {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

impl Elements {
    /// Reads an answer; nothing where it is no XML that AWS could have sent.
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        let mut document = Document::new(std::str::from_utf8(body).ok()?);
        let mut root = document.root_element().ok()?;
        let mut found = Self(Vec::new());
        found.walk(&mut root, 0)?;
        Some(found)
    }

    fn walk(&mut self, scope: &mut ScopedDecoder<'_, '_>, depth: usize) -> Option<()> {
        while let Some(mut tag) = scope.next_tag() {
            if depth == DEEPEST || self.0.len() == MOST_LEAVES {
                return None;
            }
            let name = tag.start_el().local().to_owned();
            if let Some(leaf) = LEAVES.into_iter().find(|leaf| *leaf == name) {
                let text = try_data(&mut tag).ok().filter(|text| text.len() <= LONGEST)?;
                self.0.push((leaf, Zeroizing::new(text.trim().to_owned())));
            } else {
                if name == MEMBER {
                    self.0.push((MEMBER, Zeroizing::default()));
                }
                self.walk(&mut tag, depth + 1)?;
            }
        }
        Some(())
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(found, _)| *found == name).map(|(_, text)| text.as_str())
    }

    fn moment(&self, name: &str) -> Option<SystemTime> {
        from_rfc3339(self.get(name)?)
    }

    /// The entries of a list, each without what comes before the first.
    fn members(self) -> Vec<Self> {
        let mut members: Vec<Self> = Vec::new();
        for (name, text) in self.0 {
            if name == MEMBER {
                members.push(Self(Vec::new()));
            } else if let Some(last) = members.last_mut() {
                last.0.push((name, text));
            }
        }
        members
    }
}

/// What an error answer says.
pub(super) fn refusal(status: u16, body: &[u8]) -> Refusal {
    let found = Elements::read(body);
    let text = |name| found.as_ref().and_then(|found| found.get(name)).map(str::to_owned);
    Refusal { status, code: text("Code"), message: text("Message"), retry_after: None }
}

fn unreadable(operation: Operation, what: &str) -> AwsError {
    operation.unavailable(format!("an answer without {what}"))
}

fn elements(operation: Operation, body: &[u8]) -> Result<Elements, AwsError> {
    Elements::read(body).ok_or_else(|| operation.unavailable("an answer that is not XML of AWS"))
}

fn id(operation: Operation, found: &Elements) -> Result<String, AwsError> {
    let id = found.get("AccessKeyId").filter(|id| AccessKeyId::new(id).is_ok());
    id.map(str::to_owned).ok_or_else(|| unreadable(operation, "a usable access key id"))
}

/// Reads `CreateAccessKey`'s answer.
pub(super) fn made_key(body: &[u8]) -> Result<MadeKey, AwsError> {
    let operation = Operation::CreateAccessKey;
    let found = elements(operation, body)?;
    let secret = found.get("SecretAccessKey").filter(|secret| !secret.is_empty());
    let secret = Secret::new(secret.ok_or_else(|| unreadable(operation, "a secret access key"))?.to_owned());
    Ok(MadeKey { id: id(operation, &found)?, secret, created_at: found.moment("CreateDate") })
}

/// What the next page of a listing is asked for with.
fn next_page(operation: Operation, found: &Elements) -> Result<Option<String>, AwsError> {
    let more = found.get("IsTruncated") == Some("true");
    match found.get("Marker").filter(|_| more) {
        None if more => Err(unreadable(operation, "the marker of the next page")),
        marker => Ok(marker.map(str::to_owned)),
    }
}

fn is_active(operation: Operation, found: &Elements) -> Result<bool, AwsError> {
    match found.get("Status") {
        Some("Active") => Ok(true),
        Some("Inactive" | "Expired") => Ok(false),
        _ => Err(unreadable(operation, "a status that is known")),
    }
}

/// A page of `ListAccessKeys`, and what the next one is asked for with.
pub(super) fn listed_keys(body: &[u8]) -> Result<(Vec<ListedKey>, Option<String>), AwsError> {
    let operation = Operation::ListAccessKeys;
    let found = elements(operation, body)?;
    let marker = next_page(operation, &found)?;
    let listed = |found: &Elements| {
        let is_active = is_active(operation, found)?;
        Ok(ListedKey { id: id(operation, found)?, is_active, created_at: found.moment("CreateDate") })
    };
    Ok((found.members().iter().map(listed).collect::<Result<_, _>>()?, marker))
}

/// A page of `ListServiceSpecificCredentials`, and what the next one is asked for with.
pub(super) fn service_credentials(body: &[u8]) -> Result<(Vec<ServiceCredential>, Option<String>), AwsError> {
    let operation = Operation::ListServiceSpecificCredentials;
    let found = elements(operation, body)?;
    let marker = next_page(operation, &found)?;
    let listed = |found: &Elements| {
        let is_id = |id: &&str| {
            SERVICE_ID.contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        };
        let id = found.get("ServiceSpecificCredentialId").filter(is_id);
        let id = id.ok_or_else(|| unreadable(operation, "a usable id"))?.to_owned();
        let service = found.get("ServiceName").filter(|service| !service.is_empty());
        let service = one_line(service.ok_or_else(|| unreadable(operation, "a service"))?);
        let (created_at, expires_at) = (found.moment("CreateDate"), found.moment("ExpirationDate"));
        Ok(ServiceCredential { id, service, is_active: is_active(operation, found)?, created_at, expires_at })
    };
    Ok((found.members().iter().map(listed).collect::<Result<_, _>>()?, marker))
}

/// Reads `GetAccessKeyLastUsed`'s answer; nothing for a key that was never used.
pub(super) fn last_use(body: &[u8]) -> Result<Option<LastUse>, AwsError> {
    let found = elements(Operation::GetAccessKeyLastUsed, body)?;
    let Some(at) = found.moment("LastUsedDate") else { return Ok(None) };
    let text = |name| one_line(found.get(name).unwrap_or_default());
    Ok(Some(LastUse { at, service: text("ServiceName"), region: text("Region") }))
}

/// Whether an answer that says nothing is one of the operation's.
pub(super) fn done(operation: Operation, body: &[u8]) -> Result<(), AwsError> {
    let said = std::str::from_utf8(body).ok().map(Document::new);
    let expected = format!("{}Response", operation.name());
    let fits = said.and_then(|mut said| Some(said.root_element().ok()?.start_el().local() == expected));
    if fits == Some(true) { Ok(()) } else { Err(operation.unavailable("an answer that is not XML of AWS")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LISTED: &str = "<?xml version=\"1.0\"?><ListAccessKeysResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\">\
        <ListAccessKeysResult><UserName>alice</UserName><AccessKeyMetadata>\
        <member><UserName>alice</UserName><AccessKeyId>AKIAAAAAAAAAAAAAAAA1</AccessKeyId><Status>Active</Status>\
        <CreateDate>2026-01-02T03:04:05Z</CreateDate></member>\
        <member><UserName>alice</UserName><AccessKeyId>AKIAAAAAAAAAAAAAAAA2</AccessKeyId><Status>Inactive</Status></member>\
        </AccessKeyMetadata><IsTruncated>false</IsTruncated></ListAccessKeysResult></ListAccessKeysResponse>";

    fn made(inner: &str) -> Result<MadeKey, AwsError> {
        made_key(
            format!("<CreateAccessKeyResponse><R><AccessKey>{inner}</AccessKey></R></CreateAccessKeyResponse>")
                .as_bytes(),
        )
    }

    #[test]
    fn a_listing_is_read_key_by_key() {
        let (keys, next) = listed_keys(LISTED.as_bytes()).unwrap();
        let seen: Vec<_> = keys.iter().map(|key| (key.id.as_str(), key.is_active, key.created_at.is_some())).collect();
        assert_eq!(seen, [("AKIAAAAAAAAAAAAAAAA1", true, true), ("AKIAAAAAAAAAAAAAAAA2", false, false)]);
        assert_eq!(next, None);
        let more = LISTED
            .replace("<IsTruncated>false</IsTruncated>", "<IsTruncated>true</IsTruncated><Marker>m&amp;1</Marker>");
        assert_eq!(listed_keys(more.as_bytes()).unwrap().1.as_deref(), Some("m&1"));
        assert!(
            listed_keys(LISTED.replace("false", "true").as_bytes()).is_err(),
            "a next page that cannot be asked for"
        );
        assert!(listed_keys(LISTED.replace("Inactive", "Perhaps").as_bytes()).is_err());
    }

    #[test]
    fn a_key_that_was_made_has_an_id_and_a_secret() {
        let whole = "<AccessKeyId>AKIAAAAAAAAAAAAAAAA1</AccessKeyId><SecretAccessKey>CANARY/+secret</SecretAccessKey>\
                     <CreateDate>2026-01-02T03:04:05Z</CreateDate>";
        let key = made(whole).unwrap();
        assert_eq!((key.secret.expose_secret(), key.created_at.is_some()), ("CANARY/+secret", true));
        for cut in [
            "",
            "<AccessKeyId>AKIAAAAAAAAAAAAAAAA1</AccessKeyId>",
            "<SecretAccessKey>CANARY</SecretAccessKey>",
            "<AccessKeyId>ASIAAAAAAAAAAAAAAAA1</AccessKeyId><SecretAccessKey>CANARY</SecretAccessKey>",
        ] {
            assert!(!made(cut).unwrap_err().to_string().contains("CANARY"), "{cut}");
        }
    }

    #[test]
    fn what_is_for_one_service_alone_is_read_entry_by_entry() {
        let entry = |id: &str, service: &str, more: &str| {
            format!(
                "<member><UserName>alice</UserName><Status>Active</Status>{more}<CreateDate>2026-01-02T03:04:05Z</CreateDate>\
                 <ServiceSpecificCredentialId>{id}</ServiceSpecificCredentialId><ServiceName>{service}</ServiceName></member>"
            )
        };
        let page = |entries: &str, end: &str| {
            service_credentials(
                format!("<L><R><ServiceSpecificCredentials>{entries}</ServiceSpecificCredentials>{end}</R></L>")
                    .as_bytes(),
            )
        };
        let git =
            entry("ACCA1111111111111111", "codecommit.amazonaws.com", "<ServiceUserName>alice-at-1</ServiceUserName>");
        let bedrock = entry(
            "ACCA2222222222222222",
            "bedrock.amazonaws.com",
            "<ServiceCredentialAlias>a-at-1</ServiceCredentialAlias><ExpirationDate>2027-01-02T03:04:05Z</ExpirationDate>",
        );
        let (all, next) =
            page(&format!("{git}{bedrock}"), "<IsTruncated>true</IsTruncated><Marker>m</Marker>").unwrap();
        let seen: Vec<_> =
            all.iter().map(|one| (one.service.as_str(), one.is_active, one.expires_at.is_some())).collect();
        assert_eq!(seen, [("codecommit.amazonaws.com", true, false), ("bedrock.amazonaws.com", true, true)]);
        assert_eq!(next.as_deref(), Some("m"));
        assert_eq!(page("", "").unwrap(), (Vec::new(), None));
        for hostile in
            [entry("ACCA1;rm -rf ~ #11111", "x", ""), entry("short", "x", ""), entry("ACCA1111111111111111", "", "")]
        {
            assert!(page(&hostile, "").is_err(), "{hostile}");
        }
        let shown = page(&entry("ACCA1111111111111111", "evil&#x1b;[2J", ""), "");
        assert!(shown.is_err() || !shown.unwrap().0[0].service.contains('\u{1b}'));
    }

    #[test]
    fn e3_what_an_answer_holds_is_not_printed() {
        let read = Elements::read(b"<A><SecretAccessKey>CANARY</SecretAccessKey></A>").unwrap();
        assert_eq!(format!("{read:?}"), "[\"SecretAccessKey\"]");
    }

    #[test]
    fn d7_what_is_no_answer_of_iam_is_refused() {
        let deep = format!("{}{}", "<a>".repeat(40), "</a>".repeat(40));
        let bomb = "<!DOCTYPE a [<!ENTITY b \"x\">]><a><UserName>&b;</UserName></a>";
        for body in ["", "{}", "<html", "\u{0}", &deep, bomb, "<a><UserName><b/></UserName></a>"] {
            assert!(
                made_key(body.as_bytes()).is_err() && done(Operation::DeleteAccessKey, body.as_bytes()).is_err(),
                "{body}"
            );
        }
        assert!(listed_keys(&[0xff, 0xfe]).is_err());
        assert!(done(Operation::DeleteAccessKey, b"<DeleteAccessKeyResponse/>").is_ok());
    }

    #[test]
    fn a_key_that_was_never_used_has_no_last_use() {
        let with = |date: &str| {
            let used = format!(
                "<G><AccessKeyLastUsed>{date}<ServiceName>s3</ServiceName><Region>eu-west-1</Region></AccessKeyLastUsed></G>"
            );
            last_use(used.as_bytes()).unwrap()
        };
        assert_eq!(with(""), None);
        let used = with("<LastUsedDate>2026-01-02T03:04:05Z</LastUsedDate>").unwrap();
        assert_eq!((used.service.as_str(), used.region.as_str()), ("s3", "eu-west-1"));
    }
}
