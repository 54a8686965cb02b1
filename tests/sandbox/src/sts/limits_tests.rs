use super::*;

const BASE: &str = "RoleArn=arn:aws:iam::210987654321:role/Deploy&RoleSessionName=alice";

fn read(more: &str) -> Result<Request, Refusal> {
    let text = if more.is_empty() { BASE.to_owned() } else { format!("{BASE}&{more}") };
    check(&Parameters::parse(text.as_bytes()).unwrap())
}

fn code_of(more: &str) -> String {
    read(more).expect_err(more).code
}

fn with_members(count: usize, member: impl Fn(usize) -> String) -> String {
    (1..=count).map(member).collect::<Vec<_>>().join("&")
}

#[test]
fn the_two_required_parameters_suffice() {
    let request = read("").unwrap();
    assert_eq!((request.duration, request.session_name.as_str()), (3600, "alice"));
}

#[test]
fn each_length_limit_holds_at_its_edges() {
    for (name, least, most) in [("ExternalId", 2, 1224), ("SourceIdentity", 2, 64), ("SerialNumber", 9, 256)] {
        for (length, accepted) in [(least - 1, false), (least, true), (most, true), (most + 1, false)] {
            let outcome = read(&format!("{name}={}", "a".repeat(length)));
            assert_eq!(outcome.is_ok(), accepted, "{name} of {length}");
        }
    }
    for (length, accepted) in [(1, false), (2, true), (64, true), (65, false)] {
        let text = format!("RoleArn=arn:aws:iam::210987654321:role/Deploy&RoleSessionName={}", "a".repeat(length));
        assert_eq!(
            check(&Parameters::parse(text.as_bytes()).unwrap()).is_ok(),
            accepted,
            "RoleSessionName of {length}"
        );
    }
}

#[test]
fn missing_required_parameters_are_named() {
    let refusal = check(&Parameters::parse(b"RoleSessionName=alice").unwrap()).unwrap_err();
    assert_eq!(refusal.code, "ValidationError");
    assert!(refusal.message.contains("'roleArn'"), "{}", refusal.message);
}

#[test]
fn session_names_and_ids_keep_to_their_characters() {
    for more in [
        "ExternalId=a b",
        "ExternalId=a%3Bb",
        "SourceIdentity=a/b",
        "SourceIdentity=%E5%A4%AA%E9%83%8E",
        "SourceIdentity=aws:root",
    ] {
        assert_eq!(code_of(more), "ValidationError", "{more}");
    }
    assert!(read("ExternalId=a:b/c&SourceIdentity=alice@example.com").is_ok());
}

#[test]
fn durations_keep_to_the_api_range() {
    for (seconds, accepted) in
        [("899", false), ("900", true), ("43200", true), ("43201", false), ("-1", false), ("ten", false)]
    {
        assert_eq!(read(&format!("DurationSeconds={seconds}")).is_ok(), accepted, "{seconds}");
    }
}

#[test]
fn a_token_code_has_six_digits_and_a_token_size_ends_at_4096() {
    assert!(read("SerialNumber=arn:aws:iam::1:mfa/a&TokenCode=123456&MinimumSessionTokenSize=4096").is_ok());
    for more in [
        "TokenCode=12345",
        "TokenCode=1234567",
        "TokenCode=12345a",
        "MinimumSessionTokenSize=4097",
        "MinimumSessionTokenSize=-1",
    ] {
        assert_eq!(code_of(more), "ValidationError", "{more}");
    }
}

#[test]
fn policies_must_parse_and_fit() {
    let policy = |size: usize| {
        let mut text = r#"{"Version":"2012-10-17","Statement":[]}"#.to_owned();
        text.push_str(&" ".repeat(size - text.len()));
        format!("Policy={}", form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>())
    };
    assert!(read(&policy(2048)).is_ok());
    assert_eq!(code_of(&policy(2049)), "ValidationError");
    assert_eq!(code_of("Policy=%7B%7D"), "MalformedPolicyDocument");
    assert_eq!(code_of("Policy=not+json"), "MalformedPolicyDocument");
    assert!(read("Policy=%7B%22Statement%22%3A%5B%5D%7D").is_ok(), "a version is not needed");
    assert_eq!(code_of("Policy=%7B%22Version%22%3A1%2C%22Statement%22%3A%5B%5D%7D"), "MalformedPolicyDocument");
    assert_eq!(code_of("Policy=%7B%22Statement%22%3A%5B%5D%2C%22Id%22%3A%22%E9%9A%9C%22%7D"), "ValidationError");
    assert_eq!(
        code_of(&format!("{}&PolicyArns.member.1.arn=arn:aws:iam::aws:policy/ReadOnlyAccess", policy(2048))),
        "ValidationError"
    );
}

#[test]
fn lists_keep_to_their_counts() {
    let arns = |n| with_members(n, |i| format!("PolicyArns.member.{i}.arn=arn:aws:iam::aws:policy/P{i}"));
    assert_eq!(read(&arns(10)).unwrap().policy_arns.len(), 10);
    assert_eq!(code_of(&arns(11)), "ValidationError");
    let tags = |n| with_members(n, |i| format!("Tags.member.{i}.Key=k{i}&Tags.member.{i}.Value=v"));
    assert_eq!(read(&tags(50)).unwrap().tags.len(), 50);
    assert_eq!(code_of(&tags(51)), "ValidationError");
    let contexts = |n| {
        with_members(n, |i| {
            format!("ProvidedContexts.member.{i}.ProviderArn=a&ProvidedContexts.member.{i}.ContextAssertion=b")
        })
    };
    assert!(read(&contexts(5)).is_ok());
    assert_eq!(code_of(&contexts(6)), "ValidationError");
}

#[test]
fn tags_are_complete_unique_and_small() {
    assert_eq!(code_of("Tags.member.1.Key=k"), "ValidationError");
    assert_eq!(code_of("Tags.member.2.Key=k&Tags.member.2.Value=v"), "ValidationError");
    assert_eq!(
        code_of("Tags.member.1.Key=k&Tags.member.1.Value=v&Tags.member.2.Key=K&Tags.member.2.Value=v"),
        "InvalidParameterValue"
    );
    assert_eq!(code_of(&format!("Tags.member.1.Key={}&Tags.member.1.Value=v", "k".repeat(129))), "ValidationError");
    assert_eq!(code_of(&format!("Tags.member.1.Key=k&Tags.member.1.Value={}", "v".repeat(257))), "ValidationError");
    assert!(read("Tags.member.1.Key=部署&Tags.member.1.Value=開発&TransitiveTagKeys.member.1=部署").is_ok());
    assert_eq!(code_of("TransitiveTagKeys.member.1=k"), "InvalidParameterValue");
    for value in ["a!", "a%09b", "a%0Ab", "%F0%9F%94%A5", "%E3%81%8B%E3%82%99"] {
        assert_eq!(code_of(&format!("Tags.member.1.Key=k&Tags.member.1.Value={value}")), "ValidationError", "{value}");
    }
    assert!(read("Tags.member.1.Key=k&Tags.member.1.Value=a b_.:/=%2B-@%E3%80%80%C2%BD").is_ok());
}

#[test]
fn too_many_tags_together_are_too_large_packed() {
    let value = "v".repeat(256);
    let tags = |n| with_members(n, |i| format!("Tags.member.{i}.Key=k{i}&Tags.member.{i}.Value={value}"));
    assert!(read(&tags(10)).unwrap().packed_size().unwrap() > 50);
    assert_eq!(code_of(&tags(20)), "PackedPolicyTooLarge");
}
