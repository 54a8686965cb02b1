use super::*;

const ALICE: &str = "arn:aws:iam::123456789012:user/team/alice";
const PHONE: &str = "arn:aws:iam::123456789012:mfa/alice";
const NOON: EpochMs = 1_764_504_000_000;

fn alice() -> (Users, Mint) {
    let (mut users, mint) = (Users::default(), Mint::default());
    users.add(ALICE, NOON).unwrap();
    (users, mint)
}

#[test]
fn an_arn_is_taken_apart_and_anything_else_refused() {
    let (mut users, _) = alice();
    let user = users.by_arn(ALICE).unwrap();
    assert_eq!((user.account(), user.partition(), user.name()), ("123456789012", "aws", "alice"));
    assert!(user.user_id.starts_with("AIDA") && !user.is_root());
    let root = users.add("arn:aws:iam::123456789012:root", NOON).unwrap();
    assert!(root.is_root() && root.user_id == "123456789012");
    assert_eq!(users.add(ALICE, NOON).unwrap_err(), UserError::Exists(ALICE.to_owned()));
    for arn in [
        "",
        "alice",
        "arn:aws:iam::123456789012:role/alice",
        "arn:aws:iam::1:user/a",
        "arn:aws:iam::123456789012:user/",
    ] {
        assert_eq!(users.add(arn, NOON).unwrap_err(), UserError::NotAnArn(arn.to_owned()));
    }
}

#[test]
fn a_user_has_two_keys_at_most_until_one_is_deleted() {
    let (mut users, mut mint) = alice();
    let first = users.create_key(ALICE, &mut mint, NOON).unwrap();
    users.create_key(ALICE, &mut mint, NOON).unwrap();
    assert!(matches!(users.create_key(ALICE, &mut mint, NOON), Err(UserError::Quota(_))));
    users.set_active(ALICE, &first.id, false).unwrap();
    assert!(!users.by_key(&first.id).unwrap().1.active);
    assert!(matches!(users.create_key(ALICE, &mut mint, NOON), Err(UserError::Quota(_))), "an inactive one counts");
    users.delete_key(ALICE, &first.id).unwrap();
    assert!(users.by_key(&first.id).is_none());
    users.create_key(ALICE, &mut mint, NOON).unwrap();
    assert!(matches!(users.delete_key(ALICE, &first.id), Err(UserError::Unknown(_))));
    assert!(matches!(users.create_key("arn:aws:iam::123456789012:user/bob", &mut mint, 0), Err(UserError::Unknown(_))));
}

#[test]
fn the_last_use_is_noted() {
    let (mut users, mut mint) = alice();
    let key = users.create_key(ALICE, &mut mint, NOON).unwrap();
    assert_eq!(key.last_used, None);
    users.used(&key.id, "iam", "us-east-1", NOON + 5);
    let last = users.by_key(&key.id).unwrap().1.last_used.clone().unwrap();
    assert_eq!((last.at_ms, last.service.as_str(), last.region.as_str()), (NOON + 5, "iam", "us-east-1"));
}

#[test]
fn a_code_is_good_once_and_within_one_step() {
    let (mut users, mut mint) = alice();
    users.enable_device(ALICE, PHONE, &mut mint).unwrap();
    let code = |users: &Users, at| users.code(PHONE, at).unwrap();
    let (early, now, late) = (code(&users, NOON - 30_000), code(&users, NOON), code(&users, NOON + 60_000));
    assert!(!users.spend_code(ALICE, PHONE, &late, NOON), "two steps ahead");
    assert!(users.spend_code(ALICE, PHONE, &now, NOON));
    assert!(!users.spend_code(ALICE, PHONE, &now, NOON), "a second time");
    assert!(!users.spend_code(ALICE, PHONE, &early, NOON), "an older one afterwards");
    assert!(users.spend_code(ALICE, PHONE, &code(&users, NOON + 30_000), NOON + 30_000));
}

#[test]
fn a_code_is_its_own_users_and_its_own_devices() {
    let (mut users, mut mint) = alice();
    users.enable_device(ALICE, PHONE, &mut mint).unwrap();
    assert!(matches!(users.enable_device(ALICE, PHONE, &mut mint), Err(UserError::Exists(_))));
    let bob = "arn:aws:iam::123456789012:user/bob";
    users.add(bob, NOON).unwrap();
    let code = users.code(PHONE, NOON).unwrap();
    assert!(!users.spend_code(bob, PHONE, &code, NOON));
    assert!(!users.spend_code(ALICE, "arn:aws:iam::123456789012:mfa/other", &code, NOON));
    assert!(users.spend_code(ALICE, PHONE, &code, NOON));
}
