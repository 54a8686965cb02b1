//! STS: signatures of AWS's own signer, verified from the received bytes.

use std::time::Duration;

use tegata_sandbox::{Effect, Fault, HoldUntil, IamRole, IssuedCredentials, Operation, Sandbox};

use crate::client::{ACCOUNT, Answer, Client, StsRequest, admin, role_credentials, send, send_sts};

const DEPLOY: &str = "arn:aws:iam::210987654321:role/Deploy";

fn code(answer: &Answer) -> (u16, String) {
    answer.sts_refusal()
}

fn is(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

/// A sandbox and credentials of its Admin role.
fn ready() -> (Sandbox, IssuedCredentials) {
    let sandbox = Sandbox::start().unwrap();
    let credentials = admin(&sandbox);
    (sandbox, credentials)
}

#[test]
fn the_caller_is_the_permission_sets_role_and_the_user() {
    let (sandbox, credentials) = ready();
    let answer = StsRequest::identity(&credentials).send(&sandbox);
    assert_eq!((answer.status, answer.header("content-type")), (200, "text/xml"));
    assert_eq!(answer.element("Account"), ACCOUNT);
    let arn = answer.element("Arn");
    let hash = arn.strip_prefix("arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_Admin_").unwrap();
    let hash = hash.strip_suffix("/alice").unwrap();
    assert!(hash.len() == 16 && hash.bytes().all(|b| b.is_ascii_hexdigit()), "{arn}");
    assert!(answer.element("UserId").starts_with("AROA") && answer.element("UserId").ends_with(":alice"));
}

#[test]
fn each_partition_has_its_own_arns() {
    for (region, partition) in
        [("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov"), ("eusc-de-east-1", "aws-eusc")]
    {
        let sandbox = Sandbox::start().unwrap();
        sandbox.configure(|settings| settings.organizations[0].region = region.to_owned());
        let credentials = admin(&sandbox);
        let answer = StsRequest { region, ..StsRequest::identity(&credentials) }.send(&sandbox);
        assert!(answer.element("Arn").starts_with(&format!("arn:{partition}:sts::")), "{region}: {}", answer.text());
        let foreign = StsRequest::identity(&credentials).send(&sandbox);
        assert_eq!(code(&foreign), is(403, "InvalidClientTokenId"), "{region} keys in us-east-1");
    }
}

#[test]
fn a_request_without_signature_is_refused() {
    let sandbox = Sandbox::start().unwrap();
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let answer = send(&sandbox, "POST", "/", &headers, b"Action=GetCallerIdentity&Version=2011-06-15");
    assert_eq!(code(&answer), is(403, "MissingAuthenticationToken"));
}

#[test]
fn an_unknown_key_a_wrong_secret_and_a_wrong_session_token_are_refused() {
    let (sandbox, credentials) = ready();
    let other = admin(&sandbox);
    let with = |change: &dyn Fn(&mut IssuedCredentials)| {
        let mut changed = credentials.clone();
        change(&mut changed);
        code(&StsRequest::identity(&changed).send(&sandbox))
    };
    assert_eq!(with(&|keys| keys.access_key_id = "ASIAAAAAAAAAAAAAAAAA".to_owned()), is(403, "InvalidClientTokenId"));
    assert_eq!(with(&|keys| keys.secret_access_key = "wrong".to_owned()), is(403, "SignatureDoesNotMatch"));
    assert_eq!(with(&|keys| keys.session_token.push('A')), is(403, "InvalidClientTokenId"));
    assert_eq!(with(&|keys| keys.session_token.clone_from(&other.session_token)), is(403, "InvalidClientTokenId"));
    assert_eq!(StsRequest::identity(&credentials).send(&sandbox).status, 200);
}

#[test]
fn a_body_changed_after_signing_is_refused() {
    let (sandbox, credentials) = ready();
    let request = StsRequest::assume(&credentials, DEPLOY);
    let headers = request.headers(&sandbox);
    assert_eq!(send_sts(&sandbox, &headers, &request.body()).status, 200);
    let changed = request.body().replace("alice-session", "mallory");
    assert_eq!(code(&send_sts(&sandbox, &headers, &changed)), is(403, "SignatureDoesNotMatch"));
}

#[test]
fn a_header_added_or_changed_after_signing_is_refused() {
    let (sandbox, credentials) = ready();
    let request = StsRequest::identity(&credentials);
    let mut added = request.headers(&sandbox);
    added.push(("x-amz-target".to_owned(), "other".to_owned()));
    assert_eq!(code(&send_sts(&sandbox, &added, &request.body())), is(403, "SignatureDoesNotMatch"));
    let mut changed = request.headers(&sandbox);
    changed.iter_mut().filter(|(name, _)| name == "host").for_each(|(_, host)| *host = "localhost".to_owned());
    assert_eq!(code(&send_sts(&sandbox, &changed, &request.body())), is(403, "SignatureDoesNotMatch"));
}

/// Sends a signed request with its `Authorization` header edited.
fn edited(sandbox: &Sandbox, credentials: &IssuedCredentials, edit: impl Fn(&str) -> String) -> Answer {
    let request = StsRequest::identity(credentials);
    let mut headers = request.headers(sandbox);
    headers.iter_mut().filter(|(name, _)| name == "authorization").for_each(|(_, value)| *value = edit(value));
    send_sts(sandbox, &headers, &request.body())
}

#[test]
fn signed_headers_are_sorted_and_name_the_host() {
    let (sandbox, credentials) = ready();
    assert_eq!(edited(&sandbox, &credentials, str::to_owned).status, 200);
    let unsorted = |value: &str| value.replace("SignedHeaders=content-type;host", "SignedHeaders=host;content-type");
    let hostless = |value: &str| value.replace("content-type;host", "content-type");
    let capital = |value: &str| value.replace("content-type;host", "Content-type;host");
    for edit in [unsorted, hostless, capital] {
        assert_eq!(code(&edited(&sandbox, &credentials, edit)), is(400, "IncompleteSignature"));
    }
    let absent = |value: &str| value.replace("content-type;host;", "content-type;host;x-absent;");
    assert_eq!(code(&edited(&sandbox, &credentials, absent)), is(400, "IncompleteSignature"));
}

#[test]
fn the_scope_has_the_date_of_the_request() {
    let (sandbox, credentials) = ready();
    let answer = edited(&sandbox, &credentials, |value| {
        let (before, after) = value.split_once("/20").unwrap();
        format!("{before}/19{after}")
    });
    assert_eq!(code(&answer), is(403, "SignatureDoesNotMatch"));
    assert!(answer.element("Message").starts_with("Date in Credential scope does not match"), "{}", answer.text());
}

#[test]
fn service_and_region_of_the_scope_are_checked() {
    let (sandbox, credentials) = ready();
    let identity = || StsRequest::identity(&credentials);
    let service = StsRequest { service: "iam", ..identity() }.send(&sandbox);
    assert_eq!(code(&service), is(403, "SignatureDoesNotMatch"));
    assert!(service.element("Message").contains("correct service"));
    let region = StsRequest { region: "mars-1", ..identity() }.send(&sandbox);
    assert!(region.element("Message").contains("valid region"), "{}", region.text());
    let any_region_by_loopback = StsRequest { region: "eu-central-1", ..identity() };
    assert_eq!(any_region_by_loopback.send(&sandbox).status, 200);
}

#[test]
fn a_real_host_demands_its_own_region() {
    let (sandbox, credentials) = ready();
    let at = |host: &str, region| {
        StsRequest { host: Some(host.to_owned()), region, ..StsRequest::identity(&credentials) }.send(&sandbox)
    };
    assert_eq!(at("sts.us-west-2.amazonaws.com", "us-west-2").status, 200);
    assert_eq!(code(&at("sts.us-west-2.amazonaws.com", "us-east-1")), is(403, "SignatureDoesNotMatch"));
    assert_eq!(at("sts.amazonaws.com", "us-east-1").status, 200);
    assert_eq!(code(&at("sts.amazonaws.com", "us-west-2")), is(403, "SignatureDoesNotMatch"));
    assert_eq!(at("sts-fips.us-east-1.amazonaws.com", "us-east-1").status, 200);
}

#[test]
fn signatures_older_or_newer_than_fifteen_minutes_are_refused() {
    let (sandbox, credentials) = ready();
    let aged = |age| StsRequest { age, ..StsRequest::identity(&credentials) }.send(&sandbox);
    assert_eq!((aged(800).status, aged(-800).status), (200, 200));
    let (old, early) = (aged(1000), aged(-1000));
    assert_eq!(code(&old), is(403, "SignatureDoesNotMatch"));
    assert!(old.element("Message").starts_with("Signature expired: "), "{}", old.text());
    assert!(early.element("Message").starts_with("Signature not yet current: "), "{}", early.text());
}

#[test]
fn expired_credentials_are_refused() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.configure(|settings| settings.lifetimes.role_credentials = Some(Duration::from_secs(60)));
    let credentials = admin(&sandbox);
    assert_eq!(StsRequest::identity(&credentials).send(&sandbox).status, 200);
    sandbox.advance(Duration::from_secs(60));
    assert_eq!(code(&StsRequest::identity(&credentials).send(&sandbox)), is(403, "ExpiredToken"));
}

#[test]
fn unknown_actions_and_versions_are_invalid_actions() {
    let (sandbox, credentials) = ready();
    let unknown = StsRequest::new(&credentials, "GetFederationToken").send(&sandbox);
    assert_eq!(code(&unknown), is(400, "InvalidAction"));
    let mut old = StsRequest::identity(&credentials);
    old.fields[1].1 = "2010-01-01".to_owned();
    assert_eq!(code(&old.send(&sandbox)), is(400, "InvalidAction"));
}

/// Credentials from a successful AssumeRole.
fn assumed(sandbox: &Sandbox, request: &StsRequest) -> IssuedCredentials {
    let answer = request.send(sandbox);
    assert_eq!(answer.status, 200, "{}", answer.text());
    sandbox.issued_credentials().pop().unwrap()
}

#[test]
fn an_assumed_role_can_call_with_its_own_name() {
    let (sandbox, credentials) = ready();
    let answer = StsRequest::assume(&credentials, DEPLOY).send(&sandbox);
    assert_eq!(answer.element("Arn"), "arn:aws:sts::210987654321:assumed-role/Deploy/alice-session");
    assert!(answer.element("AssumedRoleId").ends_with(":alice-session"));
    assert!(answer.element("Expiration").ends_with('Z') && answer.element("Expiration").len() == 20);
    let deployed = sandbox.issued_credentials().pop().unwrap();
    assert_eq!(deployed.access_key_id, answer.element("AccessKeyId"));
    let identity = StsRequest::identity(&deployed).send(&sandbox);
    assert_eq!(identity.element("Arn"), "arn:aws:sts::210987654321:assumed-role/Deploy/alice-session");
}

#[test]
fn a_role_must_exist_and_trust_the_caller() {
    let (sandbox, credentials) = ready();
    let missing = StsRequest::assume(&credentials, "arn:aws:iam::210987654321:role/Nonesuch").send(&sandbox);
    assert_eq!(code(&missing), is(403, "AccessDenied"));
    assert!(
        missing.element("Message").contains(
            "is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::210987654321:role/Nonesuch"
        )
    );
    sandbox.configure(|settings| settings.iam_roles = vec![IamRole::new(DEPLOY, &["arn:aws:iam::999999999999:root"])]);
    assert_eq!(code(&StsRequest::assume(&credentials, DEPLOY).send(&sandbox)), is(403, "AccessDenied"));
}

#[test]
fn a_role_whose_own_policy_denies_it_cannot_assume() {
    let (sandbox, credentials) = ready();
    assert_eq!(StsRequest::assume(&credentials, DEPLOY).send(&sandbox).status, 200);
    sandbox.configure(|settings| {
        settings.organizations[0].accounts[0].roles[0].denied = vec!["sts:AssumeRole".to_owned()];
    });
    assert_eq!(code(&StsRequest::assume(&admin(&sandbox), DEPLOY).send(&sandbox)), is(403, "AccessDenied"));
}

#[test]
fn an_external_id_must_match() {
    let (sandbox, credentials) = ready();
    sandbox.configure(|settings| settings.iam_roles[0].trust.external_id = Some("partner-7".to_owned()));
    let request = || StsRequest::assume(&credentials, DEPLOY);
    assert_eq!(code(&request().send(&sandbox)), is(403, "AccessDenied"));
    assert_eq!(code(&request().with("ExternalId", "partner-8").send(&sandbox)), is(403, "AccessDenied"));
    assert_eq!(request().with("ExternalId", "partner-7").send(&sandbox).status, 200);
}

#[test]
fn durations_meet_the_api_then_the_role_then_the_chain() {
    let (sandbox, credentials) = ready();
    let lasting = |seconds: u32| {
        StsRequest::assume(&credentials, DEPLOY).with("DurationSeconds", &seconds.to_string()).send(&sandbox)
    };
    assert!(lasting(899).element("Message").contains("durationSeconds"));
    assert!(lasting(43_201).element("Message").contains("durationSeconds"));
    assert!(lasting(14_401).element("Message").contains("MaxSessionDuration"), "four hours is this role's own maximum");
    assert!(lasting(3601).element("Message").contains("1 hour session limit for roles assumed by role chaining"));
    assert_eq!((lasting(900).status, lasting(3600).status), (200, 200));
    for seconds in [899, 43_201, 14_401, 3601] {
        assert_eq!(code(&lasting(seconds)), is(400, "ValidationError"), "{seconds}");
    }
}

#[test]
fn an_assumed_role_lives_as_long_as_was_asked_or_as_the_knob_says() {
    let (sandbox, credentials) = ready();
    let request = || StsRequest::assume(&credentials, DEPLOY).with("DurationSeconds", "900");
    let left = |issued: &IssuedCredentials| (issued.expires_ms - sandbox.now_ms()) / 1000;
    assert!((880..=900).contains(&left(&assumed(&sandbox, &request()))));
    sandbox.configure(|settings| settings.lifetimes.assumed_role = Some(Duration::from_secs(10)));
    let brief = assumed(&sandbox, &request());
    assert!(left(&brief) <= 10);
    sandbox.advance(Duration::from_secs(10));
    assert_eq!(code(&StsRequest::identity(&brief).send(&sandbox)), is(403, "ExpiredToken"));
}

/// `Deploy` trusts the organisation's roles; `Next` trusts `Deploy`.
fn chain(sandbox: &Sandbox) -> &'static str {
    const NEXT: &str = "arn:aws:iam::210987654321:role/Next";
    sandbox.configure(|settings| settings.iam_roles.push(IamRole::new(NEXT, &[DEPLOY])));
    NEXT
}

#[test]
fn a_source_identity_persists_through_the_chain_and_cannot_change() {
    let (sandbox, credentials) = ready();
    let next = chain(&sandbox);
    let first = assumed(&sandbox, &StsRequest::assume(&credentials, DEPLOY).with("SourceIdentity", "alice@corp"));
    let inherited = StsRequest::assume(&first, next).send(&sandbox);
    assert_eq!(inherited.element("SourceIdentity"), "alice@corp");
    assert_eq!(StsRequest::assume(&first, next).with("SourceIdentity", "alice@corp").send(&sandbox).status, 200);
    let changed = StsRequest::assume(&first, next).with("SourceIdentity", "mallory").send(&sandbox);
    assert_eq!(code(&changed), is(400, "ValidationError"));
    assert!(changed.element("Message").contains("already set"));
}

#[test]
fn a_source_identity_needs_the_right_on_both_sides() {
    let (sandbox, credentials) = ready();
    let request =
        |keys: &IssuedCredentials| StsRequest::assume(keys, DEPLOY).with("SourceIdentity", "alice").send(&sandbox);
    assert_eq!(request(&credentials).status, 200);
    sandbox.configure(|settings| settings.iam_roles[0].trust.allows_source_identity = false);
    assert_eq!(code(&request(&credentials)), is(403, "AccessDenied"));
    sandbox.configure(|settings| {
        settings.iam_roles[0].trust.allows_source_identity = true;
        settings.organizations[0].accounts[0].roles[0].denied = vec!["sts:SetSourceIdentity".to_owned()];
    });
    assert_eq!(code(&request(&admin(&sandbox))), is(403, "AccessDenied"));
}

#[test]
fn tags_need_the_right_on_both_sides_and_transitive_ones_travel() {
    let (sandbox, credentials) = ready();
    let next = chain(&sandbox);
    let tagged = |keys: &IssuedCredentials| {
        let request =
            StsRequest::assume(keys, DEPLOY).with("Tags.member.1.Key", "team").with("Tags.member.1.Value", "ops");
        request.with("TransitiveTagKeys.member.1", "team")
    };
    let first = assumed(&sandbox, &tagged(&credentials));
    let retagged = StsRequest::assume(&first, next).with("Tags.member.1.Key", "Team").with("Tags.member.1.Value", "x");
    assert_eq!(code(&retagged.send(&sandbox)), is(400, "InvalidParameterValue"));
    assert_eq!(StsRequest::assume(&first, next).send(&sandbox).status, 200);
    sandbox.configure(|settings| settings.iam_roles[0].trust.allows_tags = false);
    assert_eq!(code(&tagged(&credentials).send(&sandbox)), is(403, "AccessDenied"));
    sandbox.configure(|settings| {
        settings.iam_roles[0].trust.allows_tags = true;
        settings.organizations[0].accounts[0].roles[0].denied = vec!["sts:TagSession".to_owned()];
    });
    assert_eq!(code(&tagged(&admin(&sandbox)).send(&sandbox)), is(403, "AccessDenied"));
}

#[test]
fn an_inherited_identity_or_tag_needs_the_right_at_the_next_role_too() {
    let (sandbox, credentials) = ready();
    let next = chain(&sandbox);
    let identified = assumed(&sandbox, &StsRequest::assume(&credentials, DEPLOY).with("SourceIdentity", "alice"));
    let tagged =
        StsRequest::assume(&credentials, DEPLOY).with("Tags.member.1.Key", "team").with("Tags.member.1.Value", "a");
    let tagged = assumed(&sandbox, &tagged.with("TransitiveTagKeys.member.1", "team"));
    sandbox.configure(|settings| settings.iam_roles[1].trust.allows_source_identity = false);
    assert_eq!(code(&StsRequest::assume(&identified, next).send(&sandbox)), is(403, "AccessDenied"));
    assert_eq!(StsRequest::assume(&tagged, next).send(&sandbox).status, 200);
    sandbox.configure(|settings| {
        settings.iam_roles[1].trust.allows_source_identity = true;
        settings.iam_roles[1].trust.allows_tags = false;
    });
    assert_eq!(code(&StsRequest::assume(&tagged, next).send(&sandbox)), is(403, "AccessDenied"));
    assert_eq!(StsRequest::assume(&identified, next).send(&sandbox).status, 200);
}

#[test]
fn mfa_from_a_role_session_is_refused() {
    let (sandbox, credentials) = ready();
    let request = StsRequest::assume(&credentials, DEPLOY).with("SerialNumber", "arn:aws:iam::123456789012:mfa/alice");
    assert_eq!(code(&request.with("TokenCode", "123456").send(&sandbox)), is(403, "AccessDenied"));
}

#[test]
fn everything_an_assume_role_carried_is_recorded() {
    let (sandbox, credentials) = ready();
    let policy = r#"{"Version":"2012-10-17","Statement":[]}"#;
    let request = StsRequest::assume(&credentials, DEPLOY)
        .with("Policy", policy)
        .with("PolicyArns.member.1.arn", "arn:aws:iam::aws:policy/ReadOnlyAccess")
        .with("SourceIdentity", "alice")
        .with("Tags.member.1.Key", "reason")
        .with("Tags.member.1.Value", "INC-42");
    let answer = request.send(&sandbox);
    assert!(answer.element("PackedPolicySize").parse::<u32>().unwrap() > 0);
    let record = sandbox.assumed_roles().pop().unwrap();
    assert_eq!((record.policy.as_deref(), record.duration_seconds), (Some(policy), 3600));
    assert_eq!(record.policy_arns, ["arn:aws:iam::aws:policy/ReadOnlyAccess"]);
    assert_eq!(record.tags, [("reason".to_owned(), "INC-42".to_owned())]);
    assert_eq!((record.source_identity.as_deref(), record.caller), (Some("alice"), credentials.principal.arn.clone()));
    assert!(
        record.region == "us-east-1" && (0..60_000).contains(&(sandbox.now_ms() - record.at_ms)),
        "{}",
        record.at_ms
    );
}

#[test]
fn what_holds_at_a_later_role_is_recorded_there() {
    let (sandbox, credentials) = ready();
    let next = chain(&sandbox);
    let first = StsRequest::assume(&credentials, DEPLOY).with("SourceIdentity", "alice");
    let first = first.with("Tags.member.1.Key", "team").with("Tags.member.1.Value", "ops");
    let first = assumed(&sandbox, &first.with("TransitiveTagKeys.member.1", "team"));
    let second = StsRequest { region: "eu-central-1", ..StsRequest::assume(&first, next) };
    assert_eq!(second.send(&sandbox).status, 200);
    let record = sandbox.assumed_roles().pop().unwrap();
    assert_eq!(record.inherited_tags, [("team".to_owned(), "ops".to_owned())]);
    assert_eq!((record.source_identity.as_deref(), record.tags.len()), (Some("alice"), 0));
    assert_eq!((record.region.as_str(), record.caller), ("eu-central-1", first.principal.arn));
}

#[test]
fn a_refused_assume_role_is_not_recorded() {
    let (sandbox, credentials) = ready();
    sandbox.configure(|settings| settings.iam_roles[0].trust.allows_tags = false);
    let tagged =
        StsRequest::assume(&credentials, DEPLOY).with("Tags.member.1.Key", "a").with("Tags.member.1.Value", "b");
    assert_eq!(code(&tagged.send(&sandbox)), is(403, "AccessDenied"));
    assert!(sandbox.assumed_roles().is_empty());
}

#[test]
fn an_assume_role_is_held_and_spoiled_like_every_operation() {
    let (sandbox, credentials) = ready();
    let fault = Effect::Error { status: 500, code: "InternalFailure".into(), message: "no".into(), retry_after: None };
    sandbox.fault(Fault::on(Operation::AssumeRole, fault).times(1));
    assert_eq!(code(&StsRequest::assume(&credentials, DEPLOY).send(&sandbox)), is(500, "InternalFailure"));
    sandbox.hold(Operation::AssumeRole, HoldUntil::Released);
    std::thread::scope(|scope| {
        let answer = scope.spawn(|| StsRequest::assume(&credentials, DEPLOY).send(&sandbox).status);
        assert!(sandbox.wait_for_waiting(Operation::AssumeRole, 1, Duration::from_secs(30)));
        assert!(sandbox.assumed_roles().is_empty(), "nothing is done for a request that is held");
        sandbox.release(Operation::AssumeRole);
        assert_eq!(answer.join().unwrap(), 200);
    });
}

#[test]
fn the_input_limits_hold_on_the_wire() {
    let (sandbox, credentials) = ready();
    let mut nameless = StsRequest::assume(&credentials, DEPLOY);
    nameless.fields.retain(|(name, _)| name != "RoleSessionName");
    let refused = nameless.send(&sandbox);
    assert_eq!(code(&refused), is(400, "ValidationError"));
    assert!(refused.element("Message").contains("&#39;roleSessionName&#39;"), "{}", refused.text());
    let malformed = StsRequest::assume(&credentials, DEPLOY).with("Policy", "{}").send(&sandbox);
    assert_eq!(code(&malformed), is(400, "MalformedPolicyDocument"));
}

#[test]
fn roles_of_two_users_are_two_sessions_of_one_role() {
    let sandbox = Sandbox::start().unwrap();
    let client = Client::registered(&sandbox);
    let mut arns = Vec::new();
    for user in ["alice", "bob"] {
        sandbox.configure(|settings| settings.organizations[0].signed_in = user.to_owned());
        role_credentials(&sandbox, &client.sign_in(&sandbox).access, "Admin");
        arns.push(sandbox.issued_credentials().pop().unwrap().principal);
    }
    assert_eq!(arns[0].role_arn, arns[1].role_arn);
    assert!(arns[0].arn.ends_with("/alice") && arns[1].arn.ends_with("/bob"));
}
