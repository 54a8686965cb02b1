use super::*;
use crate::caller::{LoginSession, Process};
use crate::clock::from_unix_seconds;
use crate::clock::manual::ManualClock;
use crate::credentials::{Credentials, Parts};
use crate::names::{ProfileName, SessionName};
use crate::profile::Config;
use serde_json::{Value, json};
use std::fs;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use tegata_protocol::adoption::AdoptionProof;
use tegata_protocol::{ErrorCode, Secret};

/// 2026-11-22T09:07:58Z.
const NOW: i64 = 1_795_338_478;

struct Room {
    dir: tempfile::TempDir,
    clock: Arc<ManualClock>,
}

impl Room {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), clock: Arc::new(ManualClock::at(from_unix_seconds(NOW))) }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("audit")
    }

    fn file(&self, month: &str) -> PathBuf {
        self.path().join(format!("audit-{month}.jsonl"))
    }

    fn open(&self) -> Audit {
        Audit::open(&self.path(), self.clock.clone()).unwrap()
    }

    fn records(&self, month: &str) -> Vec<Value> {
        records(&self.file(month))
    }

    fn seqs(&self, month: &str) -> Vec<u64> {
        self.records(month).iter().map(|record| record["seq"].as_u64().unwrap()).collect()
    }
}

/// Reads a file of records; fails where a line is not one whole JSON object.
fn records(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.is_empty() || text.ends_with('\n'), "the last line is torn: {text:?}");
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line:?}"))).collect()
}

/// Waits for what another thread does.
fn until(mut condition: impl FnMut() -> bool) {
    for _ in 0..6_000 {
        if condition() {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("it did not happen within half a minute");
}

fn caller(name: &str) -> Caller {
    let process = |pid, name: &str| Process { pid, started: Duration::from_millis(1_500), name: name.to_owned() };
    Caller {
        uid: 1000,
        gid: 100,
        process: process(42, name),
        login_session: Some(LoginSession { leader: 7, leader_started: Duration::from_secs(1), terminal: Some(34816) }),
        ancestry: vec![process(41, "bash"), process(40, name)],
    }
}

fn credentials(id: &str) -> Credentials {
    Credentials::from(Parts {
        access_key_id: id.to_owned(),
        secret_access_key: Secret::new("CANARY-secret".to_owned()),
        session_token: Secret::new("CANARY-token".to_owned()),
        expires_at: from_unix_seconds(NOW + 3600),
        issued_at: from_unix_seconds(NOW),
        account_id: None,
    })
}

fn profile(name: &str) -> Arc<crate::profile::Profile> {
    let text = "[sso-session corp]\nsso_start_url = https://d-1.awsapps.com/start\nsso_region = eu-west-1\n\
                [profile dev]\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = Dev\n\
                [profile admin]\nrole_arn = arn:aws:iam::210987654321:role/admin\nsource_profile = dev\n";
    Config::parse("config", text.as_bytes()).unwrap().resolve(&ProfileName::new(name).unwrap()).unwrap()
}

#[test]
fn l14_twin_a_release_is_one_line_that_says_who_and_what() {
    let room = Room::new();
    let (profile, credentials) = (profile("dev"), credentials("ASIAABCDEFGHIJKLWXYZ"));
    room.open().record(Some(&caller("aws")), &Event::released(&profile, &credentials, None)).unwrap();
    let expected = json!({
        "v": 1, "seq": 1, "at": "2026-11-22T09:07:58Z", "boot_ms": 3_600_000, "event": "released",
        "profile": "dev", "account": "123456789012", "role": "Dev", "access_key": "WXYZ",
        "expires_at": "2026-11-22T10:07:58Z",
        "requester": {"uid": 1000, "gid": 100, "pid": 42, "started_ms": 1500, "name": "aws", "terminal": 34816,
            "session_leader": 7, "session_leader_started_ms": 1000, "ancestry": ["bash", "aws"]},
    });
    assert_eq!(room.records("2026-11"), [expected]);
}

#[test]
fn behind_a_role_the_record_names_the_role() {
    let room = Room::new();
    let (profile, credentials) = (profile("admin"), credentials("ASIAABCDEFGHIJKLWXYZ"));
    room.open().record(None, &Event::released(&profile, &credentials, None)).unwrap();
    let record = &room.records("2026-11")[0];
    assert_eq!(record["role"], "arn:aws:iam::210987654321:role/admin");
    assert!(record.get("account").is_none() && record.get("requester").is_none());
}

#[test]
fn a_grant_is_recorded_with_its_reason_on_one_line() {
    let room = Room::new();
    let (profile, grant) = (ProfileName::new("admin").unwrap(), crate::grant::GrantId::random());
    let granted = Event::Granted {
        grant: &grant,
        request: "k3f9x2",
        profile: &profile,
        seconds: 900,
        holder: &crate::grant::Holder::User,
        reason: Some("障害対応 INC-42\n{\"event\":\"locked\"}"),
        approved_by: &["alice".to_owned()],
        tier: crate::policy::terms::Tier::Prompt,
    };
    room.open().record_durably(None, &granted).unwrap();
    let lines = room.records("2026-11");
    let record = lines.last().unwrap();
    assert_eq!((&record["event"], &record["tier"]), (&"granted".into(), &"prompt".into()));
    assert!(record["reason"].as_str().unwrap().starts_with("障害対応 INC-42\\u{a}"), "{record}");
}

#[test]
fn every_event_is_a_record_of_its_own_name() {
    let room = Room::new();
    let session = &SessionName::new("corp").unwrap();
    let profile = &ProfileName::new("dev").unwrap();
    let identity = &crate::arns::IdentityArn::new("arn:aws:iam::123456789012:user/bob").unwrap();
    let (code, store) = (ErrorCode::UpstreamRefused, crate::store::Kind::SecretService);
    let locked = StoreProblem::from(&crate::store::StoreError::Locked);
    let (purpose, grant) = (tegata_protocol::gate::Purpose::Elevate, &crate::grant::GrantId::random());
    let events = [
        (Event::Refused { profile: None, code }, "refused"),
        (Event::SignInBegan { session, flow: tegata_protocol::body::SignInFlow::DeviceCode }, "sign_in_began"),
        (Event::SignInFinished { session }, "sign_in_finished"),
        (Event::InventoryBegan { session }, "inventory_began"),
        (Event::SignInAdopted { session, proof: AdoptionProof::Renewed }, "sign_in_adopted"),
        (Event::SignInFailed { session, code }, "sign_in_failed"),
        (Event::Renewed { session }, "renewed"),
        (Event::RenewalFailed { session, code }, "renewal_failed"),
        (Event::SignedOut { session, revoked_upstream: true }, "signed_out"),
        (Event::ConsoleLoginBegan { profile, flow: tegata_protocol::body::SignInFlow::Console }, "console_login_began"),
        (Event::ConsoleLoginFinished { profile, identity: Some(identity) }, "console_login_finished"),
        (Event::ConsoleLoginFailed { profile, code }, "console_login_failed"),
        (Event::ConsoleLoginForgotten { identity }, "console_login_forgotten"),
        (Event::HandAsked { request: "k3f9x2", purpose, profile: None }, "hand_asked"),
        (Event::HandRefused { request: "k3f9x2", purpose }, "hand_refused"),
        (Event::HandFailed { request: "k3f9x2", why: "counter" }, "hand_failed"),
        (Event::HandGiven { request: "k3f9x2", purpose, person: "alice", passkey: "p1" }, "hand_given"),
        (Event::GrantEnded { grant, why: GrantEnd::Suspended }, "grant_ended"),
        (Event::PasskeyAdded { passkey: "p1", person: "alice" }, "passkey_added"),
        (Event::PasskeyRemoved { passkey: "p1" }, "passkey_removed"),
        (Event::PolicyAccepted { weaker: 2 }, "policy_accepted"),
        (Event::ReviewClosed { review: "k3f9x2ab", note: "as planned" }, "review_closed"),
        (Event::Locked, "locked"),
        (Event::Unlocked, "unlocked"),
        (Event::PeerRefused { uid: Some(1001), times: 1 }, "peer_refused"),
        (Event::DaemonStarted { version: "0.1.0", store }, "daemon_started"),
        (Event::StoreFailed { store, problem: locked }, "store_failed"),
        (Event::StoreRecovered { store }, "store_recovered"),
        (Event::DaemonEnded, "daemon_ended"),
    ];
    let audit = room.open();
    for (event, _) in &events {
        audit.record(None, event).unwrap();
    }
    let records = room.records("2026-11");
    let names: Vec<_> = records.iter().map(|record| record["event"].as_str().unwrap()).collect();
    assert_eq!(names, events.map(|(_, name)| name));
    assert_eq!(
        (&records[0]["code"], &records[26]["store"], &records[26]["problem"]),
        (&json!("upstream_refused"), &json!("secret-service"), &json!("locked"))
    );
}

#[test]
fn a_record_is_in_the_file_before_the_call_returns() {
    let room = Room::new();
    let audit = room.open();
    for count in 1..=3 {
        audit.record(None, &Event::Locked).unwrap();
        assert_eq!(room.records("2026-11").len(), count);
    }
    audit.record_durably(None, &Event::Locked).unwrap();
    assert_eq!(room.records("2026-11").len(), 4);
}

#[test]
fn what_was_written_is_synced_without_being_asked_to() {
    let room = Room::new();
    let audit = room.open();
    audit.record(None, &Event::Locked).unwrap();
    assert!(audit.shared.lock().dirty);
    until(|| !audit.shared.lock().dirty);
}

#[test]
fn after_a_failed_sync_the_next_record_asks_the_disk_first() {
    let room = Room::new();
    let audit = room.open();
    audit.shared.lock().failed = true;
    audit.record(None, &Event::Locked).unwrap();
    assert!(!audit.shared.lock().failed);
}

#[test]
fn directory_and_file_are_the_user_s_alone() {
    let room = Room::new();
    fs::create_dir(room.path()).unwrap();
    fs::set_permissions(room.path(), fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(room.file("2026-11"), "").unwrap();
    fs::set_permissions(room.file("2026-11"), fs::Permissions::from_mode(0o644)).unwrap();
    let _audit = room.open();
    assert_eq!(fs::metadata(room.path()).unwrap().mode() & 0o777, 0o700);
    assert_eq!(fs::metadata(room.file("2026-11")).unwrap().mode() & 0o777, 0o600);
}

#[test]
fn what_is_no_log_is_not_written_to() {
    let outside = tempfile::NamedTempFile::new().unwrap();
    let link = Room::new();
    fs::create_dir(link.path()).unwrap();
    symlink(outside.path(), link.file("2026-11")).unwrap();
    assert!(matches!(Audit::open(&link.path(), link.clock.clone()), Err(AuditError::Io { what: "open", .. })));
    assert_eq!(fs::metadata(outside.path()).unwrap().len(), 0);
    let pipe = Room::new();
    fs::create_dir(pipe.path()).unwrap();
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    rustix::fs::mknodat(rustix::fs::CWD, pipe.file("2026-11"), rustix::fs::FileType::Fifo, mode, 0).unwrap();
    assert!(matches!(Audit::open(&pipe.path(), pipe.clock.clone()), Err(AuditError::Unfit { .. })));
    let linked = Room::new();
    symlink(link.path(), linked.path()).unwrap();
    assert!(Audit::open(&linked.path(), linked.clock.clone()).is_err());
}

#[test]
fn a_new_month_begins_a_new_file_and_the_numbers_go_on() {
    let room = Room::new();
    room.clock.jump_to(from_unix_seconds(1_796_083_199)); // 2026-11-30T23:59:59Z
    let audit = room.open();
    audit.record(None, &Event::Locked).unwrap();
    room.clock.advance(Duration::from_secs(1));
    audit.record(None, &Event::Unlocked).unwrap();
    assert_eq!((room.seqs("2026-11"), room.seqs("2026-12")), (vec![1], vec![2]));
    room.clock.jump_to(from_unix_seconds(1_796_083_199));
    audit.record(None, &Event::Locked).unwrap();
    drop(audit);
    room.open().record(None, &Event::Locked).unwrap();
    assert_eq!((room.seqs("2026-11"), room.seqs("2026-12")), (vec![1, 3, 4], vec![2]));
}

#[test]
fn records_are_deleted_when_they_have_been_kept_long_enough_and_nothing_else_is() {
    let room = Room::new();
    fs::create_dir(room.path()).unwrap();
    for name in ["audit-2026-07.jsonl", "audit-2026-08.jsonl", "audit-2026-07.jsonl.mine", "notes"] {
        fs::write(room.path().join(name), "").unwrap();
    }
    let audit = room.open();
    let left = || {
        let mut names: Vec<_> = fs::read_dir(room.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    assert_eq!(left(), ["audit-2026-07.jsonl.mine", "audit-2026-08.jsonl", "audit-2026-11.jsonl", "notes"]);
    room.clock.advance(Duration::from_secs(9 * 86_400));
    audit.record(None, &Event::Locked).unwrap();
    assert_eq!(left(), ["audit-2026-07.jsonl.mine", "audit-2026-11.jsonl", "audit-2026-12.jsonl", "notes"]);
    drop(audit);
    drop(Audit::open_keeping(&room.path(), room.clock.clone(), 1).unwrap());
    assert_eq!(left().len(), 4);
}

#[test]
fn l12_twin_one_writer_numbers_its_records_across_restarts() {
    let room = Room::new();
    for _ in 0..3 {
        room.open().record(None, &Event::Locked).unwrap();
    }
    assert_eq!(room.seqs("2026-11"), [1, 2, 3]);
}

#[test]
fn a_deleted_log_is_begun_again() {
    let room = Room::new();
    let audit = room.open();
    audit.record(None, &Event::Locked).unwrap();
    fs::remove_dir_all(room.path()).unwrap();
    until(|| {
        audit.record(None, &Event::Locked).unwrap();
        room.file("2026-11").exists()
    });
    assert!(room.seqs("2026-11")[0] > 1);
}

#[test]
fn l10_hostile_text_stays_inside_its_field() {
    let room = Room::new();
    let hostile = "a\n{\"seq\":9}\r\u{1b}]52;c;x\u{7}\u{9b}\u{202e}\"<script>";
    room.open().record(Some(&caller(hostile)), &Event::Locked).unwrap();
    let text = fs::read_to_string(room.file("2026-11")).unwrap();
    assert_eq!(text.lines().count(), 1);
    assert!(!text.trim_end().chars().any(tegata_protocol::text::is_hostile), "{text:?}");
    let shown = tegata_protocol::text::one_line(hostile);
    let requester = &room.records("2026-11")[0]["requester"];
    assert_eq!((&requester["name"], &requester["ancestry"][1]), (&json!(shown), &json!(shown)));
    room.open().record(Some(&caller(&"x".repeat(10_000_000))), &Event::Locked).unwrap();
    assert!(fs::metadata(room.file("2026-11")).unwrap().len() < 4096);
}

#[test]
fn l10_twin_text_in_any_script_is_written_as_it_is() {
    let room = Room::new();
    room.open().record(Some(&caller("障害対応")), &Event::Locked).unwrap();
    assert_eq!(room.records("2026-11")[0]["requester"]["name"], "障害対応");
}

#[test]
fn l12_lines_of_many_writers_never_mix_and_numbers_have_no_gaps() {
    let room = Room::new();
    let audit = room.open();
    let caller = caller("aws");
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| (0..1250).for_each(|_| audit.record(Some(&caller), &Event::Locked).unwrap()));
        }
    });
    assert_eq!(room.seqs("2026-11"), (1..=10_000).collect::<Vec<_>>());
}

#[test]
fn l13_a_record_torn_by_a_crash_is_taken_off_and_said() {
    let room = Room::new();
    room.open().record(None, &Event::Locked).unwrap();
    for torn in [&b"{\"v\":1,\"seq\":2,\"at\":\"20"[..], &[0; 4096]] {
        let mut file = fs::OpenOptions::new().append(true).open(room.file("2026-11")).unwrap();
        file.write_all(torn).unwrap();
        drop(room.open());
        let last = room.records("2026-11").pop().unwrap();
        assert_eq!((&last["event"], &last["bytes"]), (&json!("log_torn"), &json!(torn.len())));
    }
    assert_eq!(room.seqs("2026-11"), [1, 2, 3]);
}

#[test]
fn l13_a_line_that_is_no_record_does_not_restart_the_numbers() {
    let room = Room::new();
    room.open().record(None, &Event::Locked).unwrap();
    let mut file = fs::OpenOptions::new().append(true).open(room.file("2026-11")).unwrap();
    file.write_all(b"what\n").unwrap();
    room.open().record(None, &Event::Locked).unwrap();
    let text = fs::read_to_string(room.file("2026-11")).unwrap();
    assert!(text.lines().nth(2).unwrap().starts_with("{\"v\":1,\"seq\":2,"), "{text}");
}

#[test]
fn l13_twin_a_whole_log_is_opened_as_it_is() {
    let room = Room::new();
    room.open().record(None, &Event::Locked).unwrap();
    let before = fs::read(room.file("2026-11")).unwrap();
    drop(room.open());
    assert_eq!(fs::read(room.file("2026-11")).unwrap(), before);
}

#[test]
fn a_file_without_any_line_is_left_alone() {
    let room = Room::new();
    fs::create_dir(room.path()).unwrap();
    fs::write(room.file("2026-11"), vec![b'x'; 300 * 1024]).unwrap();
    assert!(matches!(Audit::open(&room.path(), room.clock.clone()), Err(AuditError::Unfit { .. })));
    assert_eq!(fs::metadata(room.file("2026-11")).unwrap().len(), 300 * 1024);
}

#[test]
fn l14_no_secret_and_no_whole_access_key_id_is_in_a_record() {
    let room = Room::new();
    let audit = room.open();
    for (id, tail) in [("ASIAABCDEFGHIJKLWXYZ", "WXYZ"), ("short", ""), ("ASIAABCDEFGHIJKLWX\u{1b}\u{7}", "")] {
        let (profile, credentials) = (profile("dev"), credentials(id));
        audit.record(Some(&caller("aws")), &Event::released(&profile, &credentials, None)).unwrap();
        assert_eq!(room.records("2026-11").last().unwrap()["access_key"], tail);
    }
    let text = fs::read_to_string(room.file("2026-11")).unwrap();
    assert!(!text.contains("CANARY") && !text.contains("ASIA") && !text.contains("short"));
}

/// Runs in a process of its own, under a limit of file size, for the test below; does nothing otherwise.
#[test]
#[ignore = "a part of the l11 tests"]
fn writes_until_there_is_no_room() {
    if !Path::new("limited").exists() {
        return;
    }
    let clock = Arc::new(ManualClock::at(from_unix_seconds(NOW)));
    let audit = Audit::open(Path::new("audit"), clock).unwrap();
    let written = (0..100).take_while(|_| audit.record(Some(&caller("aws")), &Event::Locked).is_ok()).count();
    let path = Path::new("audit/audit-2026-11.jsonl");
    assert!(written > 0 && written < 100, "{written}");
    assert_eq!(records(path).len(), written, "what was refused is not there");
    for _ in 0..3 {
        let refused = audit.record(Some(&caller("aws")), &Event::Locked).unwrap_err();
        assert!(matches!(refused, AuditError::NoRoom { .. } | AuditError::Io { what: "write", .. }), "{refused}");
        assert_eq!(records(path).len(), written);
    }
    fs::write("done", "").unwrap();
}

/// Fills the log up to a limit of file size, which has to hold for a whole process.
fn fill(room: &Room) {
    fs::write(room.dir.path().join("limited"), "").unwrap();
    let script = "trap '' XFSZ; ulimit -f 2; exec \"$0\" --ignored --exact audit::tests::writes_until_there_is_no_room";
    let mut run = std::process::Command::new("sh");
    run.args(["-c", script]).arg(std::env::current_exe().unwrap()).current_dir(room.dir.path());
    let output = run.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert!(room.dir.path().join("done").exists());
}

#[test]
fn l11_without_room_a_record_is_refused_and_no_line_is_torn() {
    fill(&Room::new());
}

#[test]
fn l11_twin_with_room_again_records_go_on() {
    let room = Room::new();
    fill(&room);
    let filled = room.seqs("2026-11");
    room.open().record(None, &Event::Locked).unwrap();
    let last = filled.last().unwrap() + 1;
    assert_eq!(room.seqs("2026-11"), [&filled[..], &[last]].concat());
}
