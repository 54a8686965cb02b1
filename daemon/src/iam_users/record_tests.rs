use super::*;

const ALICE: &str = "arn:aws:iam::123456789012:user/alice";

fn at(seconds: i64) -> SystemTime {
    from_unix_seconds(seconds)
}

fn key(id: &str, state: KeyState) -> AccessKey {
    AccessKey::new(id, Secret::new(format!("CANARY-secret-of-{id}")), at(1_000), state).unwrap()
}

fn full() -> IamUserRecord {
    let old = key("AKIAOLDOLDOLDOLDOLD1", KeyState::GoingOut { delete_after: at(9_000) });
    let new = key("AKIANEWNEWNEWNEWNEW2", KeyState::InUse);
    let next = key("AKIANEXTNEXTNEXTNEX3", KeyState::ComingIn);
    let new = AccessKey { created_at: Some(at(900)), ..new };
    IamUserRecord {
        user: ALICE.to_owned(),
        proven_at: at(1_100),
        keys: vec![old, new, next],
        making_since: Some(at(1_200)),
        grace: Some(Duration::from_secs(86_400)),
    }
}

#[test]
fn a_record_comes_back_whole() {
    let back = IamUserRecord::from_bytes(ALICE, &full().to_bytes()).unwrap();
    assert_eq!((back.user.as_str(), back.proven_at, back.making_since), (ALICE, at(1_100), Some(at(1_200))));
    assert_eq!(back.grace, Some(Duration::from_secs(86_400)));
    let states: Vec<_> = back.keys.iter().map(|key| key.state).collect();
    assert_eq!(states, [KeyState::GoingOut { delete_after: at(9_000) }, KeyState::InUse, KeyState::ComingIn]);
    let used = back.in_use().unwrap();
    assert_eq!(
        (used.id.as_str(), used.created_at, used.kept_since),
        ("AKIANEWNEWNEWNEWNEW2", Some(at(900)), at(1_000))
    );
    assert_eq!(used.secret.expose_secret(), "CANARY-secret-of-AKIANEWNEWNEWNEWNEW2");
}

#[test]
fn a_full_record_does_not_outgrow_its_buffer() {
    let longest = |n: usize| {
        let id = format!("AKIA{}{n}", "A".repeat(*KEY_ID.end() - 5));
        AccessKey::new(&id, Secret::new("s".repeat(*SECRET.end())), at(i64::MAX / 2), KeyState::ComingIn).unwrap()
    };
    let user = format!("arn:aws:iam::123456789012:user/{}", "a".repeat(2017));
    let record = IamUserRecord {
        user,
        proven_at: at(1),
        keys: (0..MOST_KEYS).map(longest).collect(),
        making_since: Some(at(i64::MAX / 2)),
        grace: Some(Duration::from_secs(u64::MAX)),
    };
    assert!(record.check().is_ok() && record.to_bytes().len() < ROOM);
}

#[test]
fn e3_a_record_shows_the_last_four_of_an_id_and_no_secret() {
    let shown = format!("{:?} {:#?}", full(), full());
    assert!(!shown.contains("CANARY") && !shown.contains("AKIA"), "{shown}");
}

#[test]
fn e3_twin_a_record_shows_what_helps() {
    let shown = format!("{:?}", full());
    assert!(shown.contains("…NEW2") && shown.contains(ALICE) && shown.contains("InUse"), "{shown}");
}

#[test]
fn i6_what_is_no_record_is_refused_without_quoting_it() {
    for damaged in [&b"CANARY"[..], b"", b"{}", b"{\"version\":1}", b"{\"version\":1,\"user\":\"CANARY"] {
        let error = IamUserRecord::from_bytes(ALICE, damaged).unwrap_err();
        assert!(!error.to_string().contains("CANARY"), "{error}");
    }
    let bytes = full().to_bytes();
    assert!(IamUserRecord::from_bytes(ALICE, &bytes[..bytes.len() / 2]).is_err());
    let newer = IamUserRecord::from_bytes(ALICE, b"{\"version\":2}").unwrap_err();
    assert_eq!(newer, RecordError::Version { found: 2 });
}

#[test]
fn a_record_of_another_user_is_foreign() {
    let other = "arn:aws:iam::123456789012:user/Alice";
    assert_eq!(IamUserRecord::from_bytes(other, &full().to_bytes()).unwrap_err(), RecordError::Foreign);
    assert_ne!(IamUserRecord::key(other), IamUserRecord::key(ALICE));
}

#[test]
fn keys_that_do_not_go_together_are_refused() {
    let with = |keys: Vec<AccessKey>| {
        let record = IamUserRecord { keys, ..full() };
        let read = IamUserRecord::from_bytes(ALICE, &record.to_bytes()).map(|_| ());
        assert_eq!(read, record.check().map_err(contradictory));
        record.check()
    };
    let (one, other) = ("AKIAAAAAAAAAAAAAAAA1", "AKIAAAAAAAAAAAAAAAA2");
    assert_eq!(with(vec![key(one, KeyState::InUse), key(other, KeyState::InUse)]), Err(KeyFault::TwoInUse));
    assert_eq!(with(vec![key(one, KeyState::InUse), key(one, KeyState::ComingIn)]), Err(KeyFault::Twice));
    let many = (0..=MOST_KEYS).map(|n| key(&format!("AKIAAAAAAAAAAAAAAA{n:02}"), KeyState::ComingIn)).collect();
    assert_eq!(with(many), Err(KeyFault::TooMany));
    assert_eq!(with(Vec::new()), Ok(()));
}

#[test]
fn only_long_term_keys_are_keys() {
    let new = |id: &str, secret: &str| AccessKey::new(id, Secret::new(secret.to_owned()), at(0), KeyState::InUse);
    let (id, secret) = ("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
    assert!(new(id, secret).is_ok());
    assert_eq!(new("ASIAIOSFODNN7EXAMPLE", secret).unwrap_err(), KeyFault::Temporary);
    for hostile in [
        "",
        "AKIA",
        "akiaiosfodnn7example",
        "AKIAIOSFODNN7EXAMPL\n",
        "AKIAIOSFODNN7EXAMPL\0",
        "AKIA../../etc/passwd",
        "AKIAIOSFODNN7EXAMPL\u{415}",
        "AIDAIOSFODNN7EXAMPLE",
        &format!("AKIA{}", "A".repeat(1 << 20)),
    ] {
        assert_eq!(new(hostile, secret).unwrap_err(), KeyFault::Id, "{hostile:.40?}");
    }
    for hostile in ["", "short", "has a space in its middle", "a-line\nbreak-in-its-middle", &"s".repeat(1 << 20)] {
        assert_eq!(new(id, hostile).unwrap_err(), KeyFault::Secret, "{hostile:.40?}");
    }
}
