use super::*;
use crate::names::{Region, SessionName, StartUrl};

const NOW: i64 = 1_795_338_478;

fn session(name: &str) -> SignInSession {
    SignInSession {
        name: SessionName::new(name).unwrap(),
        start_url: StartUrl::new("https://d-1.awsapps.com/start").unwrap(),
        region: Region::new("us-east-1").unwrap(),
        scopes: vec![],
    }
}

fn id(number: u64) -> AccountId {
    AccountId::new(&format!("{:012}", 100_000_000_000 + number)).unwrap()
}

fn roles(names: &[&str]) -> Vec<RoleName> {
    names.iter().map(|name| RoleName::new(name).unwrap()).collect()
}

fn found(accounts: u64) -> Found {
    let listed = |number| ListedAccount { id: id(number), name: format!("本番-{number}"), email: "a@b".into() };
    Found::listed((0..accounts).map(listed).collect(), from_unix_seconds(NOW))
}

struct Place {
    home: tempfile::TempDir,
    shelf: Shelf,
}

impl Place {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let shelf = Shelf::of(&home.path().join("inventories"), &session("corp"));
        Self { home, shelf }
    }

    fn half_done(&self) {
        let mut kept = self.shelf.begin(found(3));
        kept.learn(&id(1), roles(&["Admin", "Audit+Log"]));
    }

    fn load(&self) -> Option<Found> {
        self.shelf.load(from_unix_seconds(NOW + 60)).map(|kept| kept.found)
    }
}

#[test]
fn what_was_learned_is_there_after_a_restart_and_more_is_added() {
    let place = Place::new();
    assert!(place.load().is_none());
    place.half_done();
    let mut kept = place.shelf.load(from_unix_seconds(NOW + 60)).unwrap();
    assert_eq!((kept.found.found(), kept.found.done()), (3, 1));
    kept.learn(&id(0), roles(&[]));
    drop(kept);
    let accounts = place.load().unwrap().into_accounts();
    assert_eq!((accounts[1].name.as_str(), accounts[1].roles.join(",").as_str()), ("本番-1", "Admin,Audit+Log"));
    assert_eq!(place.load().unwrap().missing().cloned().collect::<Vec<_>>(), [id(2)]);
    place.shelf.forget();
    assert!(place.load().is_none());
}

#[test]
fn a_last_line_that_is_not_whole_is_taken_off() {
    let place = Place::new();
    place.half_done();
    let whole = fs::read(&place.shelf.path).unwrap();
    fs::write(&place.shelf.path, [&whole[..], b"{\"account\":\"1000000"].concat()).unwrap();
    let mut kept = place.shelf.load(from_unix_seconds(NOW)).unwrap();
    assert_eq!(kept.found.done(), 1);
    kept.learn(&id(2), roles(&["Dev"]));
    assert_eq!(place.load().unwrap().done(), 2);
}

#[test]
fn i6_a_damaged_file_is_ignored() {
    let place = Place::new();
    place.half_done();
    let whole = String::from_utf8(fs::read(&place.shelf.path).unwrap()).unwrap();
    let cases = [
        String::new(),
        String::from("\n"),
        String::from("garbage\n"),
        whole.replacen("\"version\":1", "\"version\":2", 1),
        whole.replacen("corp", "evil", 1),
        whole.replacen("100000000000", "../../../etc", 1),
        whole.replacen("Admin", "\\u001b[2J", 1),
        format!("{whole}garbage\n"),
        format!("{whole}{}", whole.lines().nth(1).unwrap().to_owned() + "\n"),
        whole.replacen("\"account\":\"100000000001\"", "\"account\":\"100000000009\"", 1),
    ];
    for damaged in cases {
        fs::write(&place.shelf.path, &damaged).unwrap();
        assert!(place.load().is_none(), "{damaged}");
    }
    fs::remove_file(&place.shelf.path).unwrap();
    fs::create_dir(&place.shelf.path).unwrap();
    assert!(place.load().is_none());
    assert_eq!(place.shelf.begin(found(1)).found.found(), 1, "what cannot be written is not kept, and that is all");
}

#[test]
fn i6_twin_a_hostile_name_in_a_file_that_can_be_read_is_made_printable() {
    let place = Place::new();
    place.half_done();
    let whole = String::from_utf8(fs::read(&place.shelf.path).unwrap()).unwrap();
    fs::write(&place.shelf.path, whole.replacen("本番-0", "\\u001b[2J", 1)).unwrap();
    let accounts = place.load().unwrap().into_accounts();
    assert!(!accounts[0].name.contains('\u{1b}'), "{:?}", accounts[0].name);
}

#[test]
fn it_is_used_for_a_day_and_not_before_its_time() {
    let place = Place::new();
    place.half_done();
    let at = |offset: i64| place.shelf.load(from_unix_seconds(NOW + offset)).is_some();
    assert_eq!([at(-1), at(0), at(86_399), at(86_400)], [false, true, true, false]);
}

#[test]
fn each_identity_has_a_place_of_its_own() {
    let place = Place::new();
    place.half_done();
    let other = Shelf::of(&place.home.path().join("inventories"), &session("corp-admin"));
    assert!(other.load(from_unix_seconds(NOW)).is_none() && place.load().is_some());
}

#[test]
fn what_nobody_goes_on_from_is_deleted() {
    let place = Place::new();
    place.half_done();
    let other = Shelf::of(&place.home.path().join("inventories"), &session("other"));
    let later = fs::metadata(&place.shelf.path).unwrap().modified().unwrap() + KEPT_FOR;
    assert!(other.load(later - Duration::from_secs(1)).is_none() && place.shelf.path.exists());
    assert!(other.load(later).is_none() && !place.shelf.path.exists());
}

#[test]
fn others_can_read_nothing_of_it() {
    use std::os::unix::fs::MetadataExt;
    let place = Place::new();
    place.half_done();
    let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
    assert_eq!(mode(&place.shelf.path), 0o600);
    assert_eq!(mode(place.shelf.path.parent().unwrap()), 0o700);
}
