//! The way to AWS: its real host names behind a proxy, with a CA bundle.

use crate::world::{World, region, session};
use tegata_daemon::aws::{Aws as _, AwsError, Config};
use tegata_sandbox::{Operation, Organization, Sandbox};
use url::Url;

/// A world that reaches its sandbox as AWS: through the proxy, by AWS's names, trusting the bundle.
fn behind_a_proxy(change: impl FnOnce(Config) -> Config) -> World {
    World::reaching(Sandbox::start().unwrap(), |sandbox| {
        change(Config {
            proxy: Some(Url::parse(&sandbox.proxy_url()).unwrap()),
            ca_bundle_pem: Some(sandbox.ca_pem().as_bytes().to_vec()),
            ..Config::default()
        })
    })
}

#[tokio::test]
async fn aws_is_reached_by_name_through_the_proxy() {
    let world = behind_a_proxy(|config| config);
    world.register().await;
    let asked = &world.sandbox.requests_of(Operation::RegisterClient)[0];
    assert_eq!((asked.host.as_str(), asked.tls), ("oidc.us-east-1.amazonaws.com", true));
    assert_eq!(world.sandbox.proxy_connects(), ["oidc.us-east-1.amazonaws.com:443"]);
}

#[tokio::test]
async fn the_password_of_the_settings_opens_the_proxy() {
    let with = |user: &'static str| {
        let world = behind_a_proxy(|config| {
            let mut proxy = config.proxy.clone().unwrap();
            let (name, password) = user.split_once(':').unwrap();
            proxy.set_username(name).unwrap();
            proxy.set_password(Some(password)).unwrap();
            Config { proxy: Some(proxy), ..config }
        });
        world.sandbox.configure(|settings| settings.proxy_authorization = Some(String::from("alice:s3cret@+")));
        world
    };
    with("alice:s3cret@+").register().await;
    let refused = with("alice:CANARY").try_register(&region("us-east-1")).await.unwrap_err();
    assert!(matches!(refused, AwsError::Unavailable { .. }) && !refused.to_string().contains("CANARY"), "{refused}");
}

#[tokio::test]
async fn d14_without_the_bundle_the_sandbox_cannot_pass_for_aws() {
    let world = behind_a_proxy(|config| Config { ca_bundle_pem: None, ..config });
    let refused = world.try_register(&region("us-east-1")).await.unwrap_err();
    assert!(refused.to_string().contains("certificate"), "{refused}");
    assert!(world.sandbox.requests().is_empty() && world.sandbox.proxy_connects().len() == 1);
}

#[tokio::test]
async fn each_partition_is_reached_under_its_own_names() {
    for (name, oidc, sts) in [
        ("us-east-1", "oidc.us-east-1.amazonaws.com", "sts.us-east-1.amazonaws.com"),
        ("ap-northeast-1", "oidc.ap-northeast-1.amazonaws.com", "sts.ap-northeast-1.amazonaws.com"),
        ("cn-north-1", "oidc.cn-north-1.amazonaws.com.cn", "sts.cn-north-1.amazonaws.com.cn"),
        ("us-gov-west-1", "oidc.us-gov-west-1.amazonaws.com", "sts.us-gov-west-1.amazonaws.com"),
        ("eusc-de-east-1", "oidc.eusc-de-east-1.amazonaws.eu", "sts.eusc-de-east-1.amazonaws.eu"),
    ] {
        assert_eq!(hosts(name, |config| config).await, (oidc.to_owned(), sts.to_owned()));
    }
}

#[tokio::test]
async fn fips_and_dual_stack_names_are_used_when_asked_for() {
    let fips = |config| Config { use_fips: true, ..config };
    let dual_stack = |config| Config { use_dual_stack: true, ..config };
    assert_eq!(hosts("us-east-1", fips).await.0, "oidc-fips.us-east-1.amazonaws.com");
    assert_eq!(hosts("us-east-1", fips).await.1, "sts-fips.us-east-1.amazonaws.com");
    assert_eq!(hosts("us-east-1", dual_stack).await.0, "oidc.us-east-1.api.aws");
    assert_eq!(hosts("us-gov-west-1", |config| dual_stack(fips(config))).await.0, "oidc-fips.us-gov-west-1.api.aws");
}

/// The hosts that a registration and an AssumeRole in this region go to.
async fn hosts(name: &str, change: impl FnOnce(Config) -> Config) -> (String, String) {
    let world = behind_a_proxy(change);
    world.sandbox.configure(|settings| {
        settings.organizations = vec![Organization { region: name.to_owned(), ..Organization::default() }];
    });
    let region = region(name);
    world.aws.register(&region, &session().start_url, &session().scopes).await.unwrap();
    let unknown = tegata_daemon::credentials::Credentials::from(tegata_daemon::credentials::Parts {
        access_key_id: String::from("ASIAUNKNOWN"),
        secret_access_key: tegata_protocol::Secret::new(String::from("not-the-secret-key")),
        session_token: tegata_protocol::Secret::new(String::from("not-the-session-token")),
        expires_at: std::time::SystemTime::UNIX_EPOCH,
        issued_at: std::time::SystemTime::UNIX_EPOCH,
        account_id: None,
    });
    let refused = world.aws.assume_role(&region, &unknown, &crate::roles::deploy()).await.unwrap_err();
    assert!(matches!(&refused, AwsError::Refused { code, .. } if code == "InvalidClientTokenId"), "{refused}");
    let host = |operation| world.sandbox.requests_of(operation)[0].host.clone();
    (host(Operation::RegisterClient), host(Operation::AssumeRole))
}
