//! Every body of this crate, filled in.

use super::object;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use tegata_protocol::adoption::*;
use tegata_protocol::body::*;
use tegata_protocol::certificates::*;
use tegata_protocol::console::*;
use tegata_protocol::gate::*;
use tegata_protocol::inventory::*;
use tegata_protocol::jobs::*;
use tegata_protocol::keys::*;
use tegata_protocol::totp::{AddSeed, GiveCode, MfaDevice, Seeds};
use tegata_protocol::{ErrorBody, ErrorCode, Secret};

/// Every body.
pub(super) fn samples() -> BTreeMap<&'static str, [Value; 2]> {
    [
        answers(),
        answers_about_hands(),
        answers_about_inventories(),
        answers_about_certificates(),
        answers_about_keys(),
        requests(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Bodies that are written, with all of their fields and with only those that are always there.
fn answers() -> BTreeMap<&'static str, [Value; 2]> {
    let text = || Some(String::from("x"));
    let error = ErrorBody::new(ErrorCode::Internal, "x");
    let session = Session {
        name: String::new(),
        start_url: String::new(),
        region: String::new(),
        state: SessionState::Unknown,
        expires_at: None,
        renewable: false,
        last_error: None,
    };
    let profile = Profile {
        name: String::new(),
        session: None,
        source: None,
        account_id: None,
        role: None,
        expires_at: None,
        problem: None,
        tier: None,
        gate: None,
        certificate_ends_at: None,
        read_only: None,
    };
    let profile_state = ProfileState {
        name: String::new(),
        region: None,
        expires_at: None,
        gate: None,
        elevated_until: None,
        pin_for: None,
        sign_in_needed: None,
        code_for: None,
        locked: false,
    };
    let identity = ConsoleIdentity {
        arn: String::new(),
        profile: None,
        region: None,
        state: SessionState::Unknown,
        expires_at: None,
        last_error: None,
    };
    let behind_device = DeviceSession {
        device: String::new(),
        user: String::new(),
        profile: String::new(),
        expires_at: None,
        wants_code: None,
    };
    let store = Store { kind: String::new(), state: StoreState::Ready, detail: None };
    let profiles = Profiles { profiles: vec![], next_page: None, warnings: vec![] };
    let signed_out = SignedOut { session: String::new(), revoked_upstream: true, detail: None };
    let sign_in = SignIn {
        id: String::new(),
        session: String::new(),
        start_url: String::new(),
        flow: SignInFlow::Pkce,
        url: String::new(),
        url_with_code: None,
        user_code: None,
        device: None,
        said: None,
        expires_at: String::new(),
        state: SignInState::Pending,
    };
    let (serial, user, profile_of) = (String::new(), String::new(), String::new());
    let device = MfaDevice { serial, user, profile: profile_of, seed: None, command: None };
    let seeds = Seeds { devices: vec![] };
    let status = Status {
        version: String::new(),
        pid: 1,
        started_at: String::new(),
        locked: false,
        store: store.clone(),
        sessions: vec![],
        identities: vec![],
        devices: vec![],
        certificates: vec![],
        cached_credentials: 0,
        grants: vec![],
        requests: vec![],
        reviews: vec![],
        passkeys: None,
        clock_skew_seconds: None,
        warnings: vec![],
    };
    let secret = Secret::new(String::from("x"));
    let key = || ProcessCredentials {
        access_key_id: "x",
        secret_access_key: &secret,
        session_token: None,
        expiration: "x",
        account_id: None,
    };
    let credentials = || ProcessCredentials { session_token: Some(&secret), account_id: Some("x"), ..key() };
    let link = ConsoleLink {
        url: secret.clone(),
        expires_at: String::new(),
        destination: String::new(),
        account: String::new(),
        role: String::new(),
        console_until: String::new(),
        grant: None,
    };
    BTreeMap::from([
        pair(
            "StartUrl",
            StartUrl { start_url: "https://acme.awsapps.com/start".into() },
            StartUrl { start_url: "https://acme.awsapps.com/start".into() },
        ),
        pair("ErrorBody", error.clone().mend("x"), error.clone()),
        pair(
            "SignIn",
            SignIn {
                start_url: String::from("x"),
                url: String::from("x"),
                url_with_code: text(),
                user_code: text(),
                device: text(),
                said: text(),
                state: SignInState::Failed { error },
                ..sign_in.clone()
            },
            sign_in,
        ),
        pair("Seeds", seeds.clone(), seeds),
        pair("MfaDevice", MfaDevice { seed: Some(true), command: text(), ..device.clone() }, device),
        pair("Session", Session { expires_at: text(), last_error: text(), ..session.clone() }, session),
        pair(
            "DeviceSession",
            DeviceSession { expires_at: text(), wants_code: Some(true), ..behind_device.clone() },
            behind_device.clone(),
        ),
        pair(
            "ConsoleIdentity",
            ConsoleIdentity {
                profile: text(),
                region: text(),
                expires_at: text(),
                last_error: text(),
                ..identity.clone()
            },
            identity.clone(),
        ),
        pair("Profiles", Profiles { next_page: text(), warnings: vec![String::new()], ..profiles.clone() }, profiles),
        pair(
            "Profile",
            Profile {
                session: text(),
                source: Some("sign-in".to_owned()),
                account_id: text(),
                role: text(),
                expires_at: text(),
                problem: text(),
                tier: text(),
                gate: text(),
                certificate_ends_at: text(),
                read_only: text(),
                ..profile.clone()
            },
            profile,
        ),
        pair(
            "ProfileState",
            ProfileState {
                region: text(),
                expires_at: text(),
                gate: text(),
                elevated_until: text(),
                pin_for: text(),
                sign_in_needed: text(),
                code_for: text(),
                ..profile_state.clone()
            },
            profile_state,
        ),
        pair(
            "Status",
            Status {
                identities: vec![identity],
                devices: vec![behind_device],
                passkeys: Some(1),
                clock_skew_seconds: Some(-1),
                warnings: vec![String::new()],
                ..status.clone()
            },
            status,
        ),
        pair("Store", Store { detail: text(), ..store.clone() }, store),
        pair("Lock", Lock { locked: true }, Lock { locked: true }),
        pair("SignedOut", SignedOut { detail: text(), ..signed_out.clone() }, signed_out),
        pair("ProcessCredentials", credentials(), key()),
        pair("ConsoleLink", ConsoleLink { grant: text(), ..link.clone() }, link),
        pair("ContainerCredentials", ContainerCredentials(credentials()), ContainerCredentials(key())),
    ])
}

/// The same for what waits for a hand.
fn answers_about_hands() -> BTreeMap<&'static str, [Value; 2]> {
    let text = || Some(String::from("x"));
    let request = HandRequest {
        id: String::new(),
        code: String::new(),
        purpose: Purpose::Elevate,
        state: RequestState::Approved,
        profile: None,
        account: None,
        role: None,
        tier: None,
        reason: None,
        window_seconds: None,
        requester: vec![],
        changes: vec![],
        person: None,
        approvals_needed: 1,
        approvals_given: vec![],
        grant: None,
        expires_in_seconds: 1,
    };
    let full_request = HandRequest {
        profile: text(),
        account: text(),
        role: text(),
        tier: text(),
        reason: text(),
        window_seconds: Some(1),
        person: text(),
        grant: text(),
        ..request.clone()
    };
    let grant = Grant {
        id: String::new(),
        profile: String::new(),
        account: String::new(),
        role: String::new(),
        tier: String::new(),
        holder: String::new(),
        yours: true,
        until: String::new(),
        seconds_left: 1,
        uses_left: None,
        reason: None,
        approved_by: vec![],
        aws_accepts_until: None,
    };
    let full_grant = Grant { uses_left: Some(1), reason: text(), aws_accepts_until: text(), ..grant.clone() };
    let passkey = Passkey {
        id: String::new(),
        person: String::new(),
        name: String::new(),
        created_at: String::new(),
        last_used_at: None,
        device_bound: true,
        suspended: false,
    };
    let explanation = Explanation {
        profile: String::new(),
        target: vec![],
        gate: String::new(),
        tier: None,
        rules: vec![],
        terms: vec![],
    };
    let review = Review {
        id: String::new(),
        profile: String::new(),
        reason: None,
        approved_by: vec![],
        granted_at: String::new(),
    };
    let always = |name, body: Value| (name, [body.clone(), body]);
    BTreeMap::from([
        pair("HandRequest", full_request, request),
        pair("Grant", full_grant, grant),
        pair("Passkey", Passkey { last_used_at: text(), ..passkey.clone() }, passkey),
        pair("Explanation", Explanation { tier: text(), ..explanation.clone() }, explanation),
        pair("Review", Review { reason: text(), ..review.clone() }, review),
        always("HandRequests", json!(HandRequests { requests: vec![] })),
        always("Page", json!(Page { url: String::new() })),
        always("Grants", json!(Grants { grants: vec![] })),
        always("Dropped", json!(Dropped { dropped: 1 })),
        always("Passkeys", json!(Passkeys { passkeys: vec![] })),
        always("PolicyState", json!(PolicyState { rules: 1, weaker: vec![] })),
        always("Reviews", json!(Reviews { reviews: vec![] })),
    ])
}

/// The same for inventories, and for what is taken over.
fn answers_about_inventories() -> BTreeMap<&'static str, [Value; 2]> {
    let account =
        InventoryAccount { id: String::new(), name: String::new(), email: String::new(), roles: vec![String::new()] };
    let inventory = Inventory {
        id: String::new(),
        session: String::new(),
        state: InventoryState::Running,
        accounts_found: 1,
        accounts_done: 1,
        resumed_from: 1,
        error: None,
        accounts: vec![],
        next_page: None,
    };
    let full = Inventory {
        error: Some(ErrorBody::new(ErrorCode::Internal, "x")),
        accounts: vec![account.clone()],
        next_page: Some(String::new()),
        ..inventory.clone()
    };
    let adopted = Adopted { session: String::new(), proof: AdoptionProof::Renewed, expires_at: String::new() };
    BTreeMap::from([
        pair("Inventory", full, inventory),
        pair("InventoryAccount", account.clone(), account),
        pair("Adopted", adopted.clone(), adopted),
    ])
}

/// The same for certificates.
fn answers_about_certificates() -> BTreeMap<&'static str, [Value; 2]> {
    let text = || Some(String::from("x"));
    let certificate = Certificate {
        profile: String::new(),
        place: String::new(),
        key_place: String::new(),
        state: CertificateState::Unknown,
        common_name: None,
        serial: None,
        ends_at: None,
        problem: None,
        mend: None,
    };
    let full = Certificate {
        common_name: text(),
        serial: text(),
        ends_at: text(),
        problem: text(),
        mend: text(),
        ..certificate.clone()
    };
    let listed = Certificates { certificates: vec![], left_out: 0 };
    let handed_over = JobHandedOver { profile: String::new(), audience: String::new() };
    let forgotten = ForgottenCertificate { profile: String::new(), was_kept: true };
    BTreeMap::from([
        pair("Certificate", full, certificate),
        pair("Certificates", listed.clone(), listed),
        pair("ForgottenCertificate", forgotten.clone(), forgotten),
        pair("JobHandedOver", handed_over.clone(), handed_over),
    ])
}

/// Bodies that are read, with all of their fields and with only those that may not be left out.
pub(super) fn requests() -> BTreeMap<&'static str, [Value; 2]> {
    let text = || Some(String::from("x"));
    let (person, name, note) = (String::from("x"), String::from("x"), String::from("x"));
    let elevation = BeginElevation {
        profile: String::from("x"),
        config: text(),
        seconds: Some(1),
        reason: text(),
        holder: HolderWanted::User,
    };
    let console = OpenConsole {
        profile: String::from("x"),
        config: text(),
        region: text(),
        service: text(),
        path: text(),
        seconds: Some(1),
        sign_out_first: true,
    };
    let secret = || Secret::new(String::from("x"));
    let renewal = || AdoptRenewal {
        refresh_token: secret(),
        client_id: String::from("x"),
        client_secret: secret(),
        registration_expires_at: String::from("x"),
    };
    let adopt = AdoptSession {
        config: text(),
        start_url: String::from("x"),
        region: String::from("x"),
        access_token: secret(),
        expires_at: String::from("x"),
        renewal: Some(renewal()),
    };
    let import = ImportCertificate {
        profile: String::from("x"),
        config: text(),
        certificate: String::from("x"),
        private_key: secret(),
        passphrase: Some(secret()),
    };
    let job = HandOverJob {
        profile: String::from("x"),
        config: text(),
        request_url: String::from("x"),
        request_token: secret(),
    };
    BTreeMap::from([
        read("ImportKey", import_key()),
        read(
            "RotateKey",
            RotateKey { profile: String::from("x"), config: text(), grace_seconds: Some(1), finish: true },
        ),
        read("HandOverJob", job),
        read("ImportCertificate", import),
        read("EnterPin", EnterPin { config: text(), pin: secret() }),
        read("AdoptSession", adopt),
        read("AdoptRenewal", renewal()),
        read("BeginInventory", BeginInventory { session: text(), config: text() }),
        read("BeginSignIn", BeginSignIn { session: text(), config: text(), flow: SignInFlow::Pkce, region: text() }),
        read("CarriedCode", CarriedCode { text: secret() }),
        read("GiveCode", GiveCode { code: Secret::new(String::from("x")) }),
        read("AddSeed", AddSeed { profile: name.clone(), config: text(), uri: Secret::new(String::from("x")) }),
        read("BeginElevation", elevation),
        read("OpenConsole", console),
        read("OpenPage", OpenPage { reason: text() }),
        read("AddPasskey", AddPasskey { person, name: name.clone() }),
        read("RenamePasskey", RenamePasskey { name }),
        read("CloseReview", CloseReview { note }),
    ])
}

fn import_key() -> ImportKey {
    ImportKey {
        access_key_id: String::from("x"),
        secret_access_key: Secret::new(String::from("x")),
        region: Some(String::from("x")),
    }
}

fn answers_about_keys() -> BTreeMap<&'static str, [Value; 2]> {
    let text = || Some(String::from("x"));
    let imported =
        ImportedKey { user: String::new(), account_id: String::new(), last_four: String::new(), in_use: None };
    let replaced =
        ReplacedKey { access_key_id: String::new(), state: ReplacedState::Deleted, delete_after: None, detail: None };
    let rotated = RotatedKey { user: String::new(), began: true, in_use: String::new(), created_at: None, old: vec![] };
    let key = ReportedKey {
        access_key_id: String::new(),
        kept: KeptState::Elsewhere,
        active: true,
        created_at: None,
        last_used_at: None,
        last_used_service: None,
        last_used_region: None,
    };
    let service = ReportedServiceCredential {
        id: String::new(),
        service: String::new(),
        active: true,
        created_at: None,
        expires_at: None,
    };
    let user = ReportedUser {
        user: String::new(),
        profiles: vec![],
        keys: vec![],
        for_services: vec![],
        for_services_problem: None,
        max_age_days: None,
        problem: None,
    };
    let report = KeysReport { users: vec![], more: 0 };
    BTreeMap::from([
        pair("ImportedKey", ImportedKey { in_use: text(), ..imported.clone() }, imported),
        pair("ReplacedKey", ReplacedKey { delete_after: text(), detail: text(), ..replaced.clone() }, replaced),
        pair("RotatedKey", RotatedKey { created_at: text(), ..rotated.clone() }, rotated),
        pair(
            "ReportedKey",
            ReportedKey {
                created_at: text(),
                last_used_at: text(),
                last_used_service: text(),
                last_used_region: text(),
                ..key.clone()
            },
            key,
        ),
        pair(
            "ReportedServiceCredential",
            ReportedServiceCredential { created_at: text(), expires_at: text(), ..service.clone() },
            service.clone(),
        ),
        pair(
            "ReportedUser",
            ReportedUser {
                for_services: vec![service],
                for_services_problem: text(),
                max_age_days: Some(1),
                problem: text(),
                ..user.clone()
            },
            user,
        ),
        pair("KeysReport", report.clone(), report),
    ])
}

/// Finds out what a body that is read needs, by leaving out one field at a time; one field more is never let through.
fn read<T: Serialize + DeserializeOwned>(name: &'static str, full: T) -> (&'static str, [Value; 2]) {
    let full = object(&json!(full)).clone();
    let is_read = |body: &Map<String, Value>| serde_json::from_value::<T>(Value::Object(body.clone())).is_ok();
    let without = |field: &String| full.iter().filter(|(other, _)| *other != field).map(owned).collect();
    let least: Map<_, _> = full.iter().filter(|(field, _)| !is_read(&without(field))).map(owned).collect();
    let more = full.iter().map(owned).chain([(String::from("more"), json!(1))]).collect();
    assert!(is_read(&full) && is_read(&least) && !is_read(&more), "{name}");
    (name, [Value::Object(full), Value::Object(least)])
}

pub(super) fn owned((field, value): (&String, &Value)) -> (String, Value) {
    (field.clone(), value.clone())
}

fn pair(name: &'static str, full: impl Serialize, least: impl Serialize) -> (&'static str, [Value; 2]) {
    (name, [serde_json::to_value(full).unwrap(), serde_json::to_value(least).unwrap()])
}
