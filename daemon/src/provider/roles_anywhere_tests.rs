use super::*;
use crate::arns::{RolesAnywhereProfileArn, TrustAnchorArn};
use crate::aws::scripted::ScriptedAws;
use crate::aws::{Aws, AwsError, Config, EndpointOverrides, RoleToAssume, SdkAws};
use crate::certificates::MachineCertificates;
use crate::clock::{Clock, SystemClock};
use crate::console_logins::ConsoleLogins;
use crate::local_user::LocalUser;
use crate::names::{Region, RoleArn};
use crate::profile::KeyPlace;
use crate::sign_in_sessions::SignInSessions;
use crate::store::Store;
use crate::store::memory::Memory;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tegata_sandbox::{
    CertificateAuthority, IamRole, IssuedCertificate, KeyKind, Operation, RolesAnywhereProfile, Sandbox, Subject,
};
use tempfile::TempDir;

const ROLE: &str = "arn:aws:iam::123456789012:role/Runner";
const PROFILE: &str = "arn:aws:rolesanywhere:us-east-1:123456789012:profile/66666666-7777-8888-9999-000000000000";
const ANCHOR: &str = "arn:aws:rolesanywhere:us-east-1:123456789012:trust-anchor/11111111-2222-3333-4444-555555555555";

struct World {
    sandbox: Sandbox,
    authority: CertificateAuthority,
    files: TempDir,
    providers: Providers,
}

impl World {
    fn new() -> Self {
        let (authority, sandbox) = (CertificateAuthority::root("Acme root").unwrap(), Sandbox::start().unwrap());
        sandbox.configure(|settings| {
            settings.roles_anywhere.trust_anchors.push(authority.trust_anchor(ANCHOR));
            settings.roles_anywhere.profiles.push(RolesAnywhereProfile::new(PROFILE, &[ROLE]));
            settings.iam_roles.push(IamRole::new(ROLE, &["rolesanywhere.amazonaws.com"]));
        });
        let here = sandbox.url().parse().ok();
        let endpoints = EndpointOverrides { rolesanywhere: here, ..EndpointOverrides::default() };
        let aws = SdkAws::new(Config { endpoints, ..Config::default() }, Arc::new(SystemClock)).unwrap();
        let providers = providers(Arc::new(aws));
        Self { sandbox, authority, files: tempfile::tempdir().unwrap(), providers }
    }

    fn file(&self, name: &str, text: &str) -> KeyPlace {
        let path = self.files.path().join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        KeyPlace::File(path)
    }

    /// What is asked for with this certificate, in files of these names.
    fn asked(&self, issued: &IssuedCertificate) -> RolesAnywhere {
        let certificate = self.file("certificate.pem", &format!("{}{}", issued.certificate, issued.chain));
        asked(certificate, self.file("key.pem", &issued.private_key))
    }

    fn issued(&self, kind: KeyKind) -> IssuedCertificate {
        self.authority.issue(&Subject::new("runner-7").with_key(kind)).unwrap()
    }
}

fn providers(aws: Arc<dyn Aws>) -> Providers {
    let (clock, store) = (Arc::new(SystemClock), Store::spawn(Box::new(Memory::default())).unwrap());
    let commands = crate::helper::Commands::none();
    let users = crate::iam_users::IamUsers::new(Arc::clone(&aws), clock.clone(), store.clone(), commands.clone());
    let sign_in_sessions = Arc::new(SignInSessions::new(Arc::clone(&aws), clock.clone(), store.clone()));
    let console_logins =
        ConsoleLogins::new(Arc::clone(&aws), clock.clone(), store.clone(), Arc::clone(&sign_in_sessions));
    Providers {
        sign_in_sessions,
        console_logins: Arc::new(console_logins),
        iam_users: Arc::new(users),
        certificates: Arc::new(MachineCertificates::new(store, clock)),
        commands,
        github_job: Arc::default(),
        task: Arc::default(),
        user: Arc::new(LocalUser { name: "alice".to_owned(), host: "laptop".to_owned() }),
        aws,
    }
}

fn asked(certificate: KeyPlace, private_key: KeyPlace) -> RolesAnywhere {
    RolesAnywhere {
        trust_anchor: TrustAnchorArn::new(ANCHOR).unwrap(),
        profile: RolesAnywhereProfileArn::new(PROFILE).unwrap(),
        role: RoleToAssume::new(RoleArn::new(ROLE).unwrap()),
        certificate,
        private_key,
        region: Region::new("us-east-1").unwrap(),
    }
}

#[tokio::test]
async fn every_kind_of_key_gets_the_role() {
    let world = World::new();
    for kind in [KeyKind::P256, KeyKind::P384, KeyKind::Rsa] {
        let credentials =
            world.providers.roles_anywhere_credentials(&world.asked(&world.issued(kind)), None).await.unwrap();
        let issued = world.sandbox.issued_credentials().pop().unwrap();
        assert_eq!(credentials.access_key_id(), issued.access_key_id, "{kind:?}");
        let left = credentials.remaining(SystemClock.now());
        assert!(left > Duration::from_secs(3590) && left <= Duration::from_secs(3600), "{left:?}");
    }
}

#[tokio::test]
async fn under_a_grant_it_lives_no_longer_than_the_grant() {
    let world = World::new();
    let mut asked = world.asked(&world.issued(KeyKind::P256));
    for (configured, longest, sent) in
        [(None, 1800, 1800), (None, 60, 900), (None, 7200, 3600), (Some(1200), 1800, 1200)]
    {
        asked.role.duration = configured.map(Duration::from_secs);
        let longest = Duration::from_secs(longest);
        let elevation = Elevation { grant_id: "k3f9x2ab", reason: Some("INC-42"), session_policy: None, longest };
        world.providers.roles_anywhere_credentials(&asked, Some(&elevation)).await.unwrap();
        let session = world.sandbox.certificate_sessions().pop().unwrap();
        assert_eq!(session.duration_seconds, Some(sent), "{configured:?} {longest:?}");
    }
}

#[tokio::test]
async fn intermediates_duration_and_session_name_go_along() {
    let world = World::new();
    world.sandbox.configure(|settings| settings.roles_anywhere.profiles[0].accepts_role_session_name = true);
    let devices = world.authority.intermediate("Acme devices").unwrap();
    let mut asked = world.asked(&devices.issue(&Subject::new("runner-7")).unwrap());
    asked.role.duration = Some(Duration::from_secs(900));
    asked.role.role_session_name = Some("laptop".to_owned());
    world.providers.roles_anywhere_credentials(&asked, None).await.unwrap();
    let session = world.sandbox.certificate_sessions().pop().unwrap();
    assert_eq!((session.session_name.as_str(), session.duration_seconds), ("laptop", Some(900)));
    assert_eq!(session.intermediates, 1);
    let request = world.sandbox.requests_of(Operation::CreateSession).pop().unwrap();
    assert_eq!(request.headers["content-type"], "application/json");
    assert!(request.headers["user-agent"].starts_with("tegata/"));
}

#[tokio::test]
async fn a_renewed_certificate_is_the_one_that_signs() {
    let world = World::new();
    let asked = world.asked(&world.issued(KeyKind::P256));
    world.providers.roles_anywhere_credentials(&asked, None).await.unwrap();
    let mut renewed = Subject::new("runner-7").with_key(KeyKind::P384);
    renewed.serial = vec![0x77];
    let renewed = world.authority.issue(&renewed).unwrap();
    assert_eq!(world.asked(&renewed), asked, "the same files");
    world.providers.roles_anywhere_credentials(&asked, None).await.unwrap();
    assert_eq!(world.sandbox.certificate_sessions().pop().unwrap().session_name, "77");
}

#[tokio::test]
async fn what_aws_says_of_a_foreign_certificate_is_passed_on_with_what_to_look_at() {
    let world = World::new();
    let foreign = CertificateAuthority::root("Acme root").unwrap().issue(&Subject::new("runner-7")).unwrap();
    let problem = world.providers.roles_anywhere_credentials(&world.asked(&foreign), None).await.unwrap_err();
    let said = problem.to_string();
    let words = "AWS refused CreateSession (AccessDeniedException): Untrusted signing certificate; no chain leads";
    assert!(said.starts_with(words), "{said}");
    assert_eq!(world.sandbox.calls(Operation::CreateSession), 1, "what is refused is not asked again");
}

/// What comes before AWS is asked at all.
#[tokio::test]
async fn what_cannot_be_used_costs_no_request() {
    let world = World::new();
    let issued = world.issued(KeyKind::P256);
    let refusal = async |asked: &RolesAnywhere| {
        world.providers.roles_anywhere_credentials(asked, None).await.unwrap_err().to_string()
    };
    let other = IssuedCertificate { private_key: world.issued(KeyKind::P256).private_key, ..issued.clone() };
    assert!(refusal(&world.asked(&other)).await.ends_with("is not the key of this certificate"));

    let over = world.authority.issue(&Subject::new("runner-7").for_only(Duration::from_secs(60))).unwrap();
    assert!(refusal(&world.asked(&over)).await.contains("the certificate of runner-7 ended on 20"));

    let mut early = Subject::new("runner-7");
    early.from_ms += 2 * 3_600_000;
    let early = world.authority.issue(&early).unwrap();
    assert!(refusal(&world.asked(&early)).await.contains("is this machine's clock right?"));

    let good = world.asked(&issued);
    let KeyPlace::File(key) = &good.private_key else { unreachable!() };
    std::fs::set_permissions(key, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert!(refusal(&good).await.contains("can be read by others"));
    let gone = asked(good.certificate.clone(), KeyPlace::File(PathBuf::from("/proc/none/key.pem")));
    assert_eq!(refusal(&gone).await, "/proc/none/key.pem: no such file");
    let kept = asked(KeyPlace::Keyring, KeyPlace::Keyring);
    assert_eq!(refusal(&kept).await, "no certificate is kept for it in the keyring");
    assert_eq!(world.sandbox.calls(Operation::CreateSession), 0);
}

#[tokio::test]
async fn the_endpoint_of_the_trust_anchors_region_is_signed_for() {
    let aws = ScriptedAws::new(Arc::new(SystemClock));
    aws.next_role(Err(AwsError::Unavailable { operation: "CreateSession", detail: "down".to_owned() }));
    let world = World::new();
    let mut asked = world.asked(&world.issued(KeyKind::P256));
    asked.region = Region::new("eu-west-1").unwrap();
    let problem = providers(aws.clone()).roles_anywhere_credentials(&asked, None).await.unwrap_err();
    assert!(problem.is_passing());
    let call = aws.calls().pop().unwrap();
    assert!(
        call.starts_with(&format!("session of {ROLE} at https://rolesanywhere.eu-west-1.amazonaws.com: ")),
        "{call}"
    );
    assert_eq!(host("https://rolesanywhere.eu-west-1.amazonaws.com"), "rolesanywhere.eu-west-1.amazonaws.com");
}
