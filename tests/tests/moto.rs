//! The daemon's AssumeRole before a judge that is not ours: moto, with authentication enforced, checks the signature, the session
//! token and the IAM policies. Sign-in and permission set come from the sandbox, which hands out keys that moto issued.
#![cfg(feature = "system")]

use tegata_sandbox::RoleKeys;
use tegata_tests::client;
use tegata_tests::federated::{Federated, NEXT, ROLE};
use tegata_tests::moto::Moto;
use tegata_tests::product::{Ended, Product, run};

/// Without spaces: moto 5.2.5 checks the signature of a body that it has encoded anew, with `+` where the SDK sent `%20`.
const EXTRAS: &str = "[profile.deploy]\nsource_identity = \"alice@example.com\"\n\
                      session_tags = { team = \"基盤SRE\", ticket = \"INC-42\" }\ntransitive_tags = [\"team\"]\n\
                      policy_arns = [\"arn:aws:iam::aws:policy/ReadOnlyAccess\"]\n\
                      session_policy = '{\"Version\": \"2012-10-17\", \"Statement\": [{\"Effect\": \"Allow\", \"Action\": \"s3:Get*\", \"Resource\": \"*\"}]}'\n";

/// Asks for the role behind `dev`, whose permission set has these keys; STS is moto.
fn deploy(moto: &Moto, keys: RoleKeys) -> (Product, Ended) {
    let mut product = Product::new();
    product.sandbox().configure(|settings| {
        let roles = &mut settings.organizations[0].accounts[0].roles;
        roles.iter_mut().for_each(|role| role.keys = Some(keys.clone()));
    });
    let role = "[profile deploy]\nregion = us-east-1\ntegata_source_profile = dev\n\
                tegata_role_arn = arn:aws:iam::123456789012:role/Deploy\ntegata_duration_seconds = 900\n\
                tegata_external_id = partner-7\n\
                [profile further]\nregion = us-east-1\ntegata_source_profile = deploy\n\
                tegata_role_arn = arn:aws:iam::123456789012:role/Source\n";
    product.write_aws_config(&format!("{}{role}", product.default_aws_config()));
    let (sandbox, sts) = (product.sandbox().url(), &moto.url);
    let endpoints = format!("[endpoints]\nsso_oidc = \"{sandbox}\"\nsso = \"{sandbox}\"\nsts = \"{sts}\"\n");
    std::fs::write(product.path(".config/tegata/config.toml"), format!("store = \"memory\"\n{endpoints}{EXTRAS}"))
        .unwrap();
    product.start_daemon();
    product.sign_in();
    let ended = product.credentials("deploy");
    (product, ended)
}

#[test]
fn moto_accepts_a_role_with_identity_tags_and_policies() {
    let moto = Moto::start();
    let (product, ended) = deploy(&moto, moto.source.clone());
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{ended:?}\n{}", product.daemon_log());
    let identity = who(&product, &moto, &ended);
    let assumed = "arn:aws:sts::123456789012:assumed-role/Deploy/";
    assert!(identity.starts_with(assumed) && identity.contains('@'), "named after user and host: {identity}");
}

/// Each role of a chain signs for the next one.
#[test]
fn moto_accepts_a_chain_of_roles() {
    let moto = Moto::start();
    let (product, _) = deploy(&moto, moto.source.clone());
    let ended = product.credentials("further");
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{ended:?}\n{}", product.daemon_log());
    let identity = who(&product, &moto, &ended);
    assert!(identity.starts_with("arn:aws:sts::123456789012:assumed-role/Source/"), "{identity}");
}

/// Who AWS CLI says it is with the credentials that were handed out.
fn who(product: &Product, moto: &Moto, ended: &Ended) -> String {
    let keys: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    let mut aws = product.command(client("awscli-v2/dist/aws"));
    for (variable, key) in [
        ("AWS_ACCESS_KEY_ID", "AccessKeyId"),
        ("AWS_SECRET_ACCESS_KEY", "SecretAccessKey"),
        ("AWS_SESSION_TOKEN", "SessionToken"),
    ] {
        aws.env(variable, keys[key].as_str().unwrap());
    }
    aws.env("AWS_ENDPOINT_URL", &moto.url).env("AWS_CONFIG_FILE", "/dev/null").env("AWS_REGION", "us-east-1");
    let identity = run(aws.args(["sts", "get-caller-identity", "--query", "Arn", "--output", "text"]));
    assert_eq!(identity.code, 0, "{identity:?}");
    identity.stdout
}

/// moto's error form is not that of AWS, so the daemon names the status alone; the same moto then takes the right keys.
fn is_refused(moto: &Moto, keys: RoleKeys) {
    let (_, ended) = deploy(moto, keys);
    assert_eq!((ended.code, ended.stdout.as_str()), (14, ""), "{ended:?}");
    assert!(ended.stderr.contains("AWS did not answer AssumeRole: HTTP 403"), "{ended:?}");
    let (_, twin) = deploy(moto, moto.source.clone());
    assert_eq!(twin.code, 0, "{twin:?}");
}

#[test]
fn moto_refuses_a_signature_with_another_secret() {
    let moto = Moto::start();
    is_refused(&moto, RoleKeys { secret_access_key: "another".to_owned(), ..moto.source.clone() });
}

#[test]
fn moto_refuses_another_session_token() {
    let moto = Moto::start();
    is_refused(&moto, RoleKeys { session_token: "another".to_owned(), ..moto.source.clone() });
}

#[test]
fn moto_refuses_an_unknown_key() {
    let moto = Moto::start();
    is_refused(&moto, RoleKeys { access_key_id: "ASIAAAAAAAAAAAAAAAAA".to_owned(), ..moto.source.clone() });
}

/// moto looks at no token; it takes the form of the call, which nobody signs, and checks the signature of what it gave.
#[test]
fn moto_gives_a_role_for_a_token_without_a_signature() {
    let moto = Moto::start();
    let mut federated = Federated::by_file();
    let role = "arn:aws:iam::123456789012:role/Deploy";
    let product = &mut federated.product;
    let config = std::fs::read_to_string(product.path(".aws/config")).unwrap();
    let next = "arn:aws:iam::123456789012:role/Source";
    product.write_aws_config(&config.replace(ROLE, role).replace(NEXT, next));
    let settings = format!("store = \"memory\"\n[endpoints]\nsts = \"{}\"\n", moto.url);
    std::fs::write(product.path(".config/tegata/config.toml"), settings).unwrap();
    product.start_daemon();
    moto.let_one_pass_unsigned();
    let ended = product.credentials("ci");
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{ended:?}\n{}", product.daemon_log());
    let identity = who(product, &moto, &ended);
    assert!(identity.starts_with("arn:aws:sts::123456789012:assumed-role/Deploy/"), "{identity}");

    // The role behind it is asked for with what came of the token, and that is signed.
    moto.let_one_pass_unsigned();
    let ended = product.credentials("next");
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{ended:?}\n{}", product.daemon_log());
    let identity = who(product, &moto, &ended);
    assert!(identity.starts_with("arn:aws:sts::123456789012:assumed-role/Source/"), "{identity}");
}
