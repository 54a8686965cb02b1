//! AWS's own host names: every partition, FIPS and dual-stack, reached through a proxy and trusted by a CA bundle from the
//! settings. No endpoint is overridden here.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use tegata_sandbox::{IamRole, Operation};
use tegata_tests::browser;
use tegata_tests::product::{Ended, Product};

/// One partition, as its users meet it.
struct Partition {
    region: &'static str,
    start_url: &'static str,
    arn: &'static str,
    domain: &'static str,
}

const AWS: Partition = Partition {
    region: "us-east-1",
    start_url: "https://d-1234567890.awsapps.com/start",
    arn: "aws",
    domain: "amazonaws.com",
};
const CHINA: Partition = Partition {
    region: "cn-north-1",
    start_url: "https://start.cn-north-1.home.awsapps.cn/directory/d-1234567890",
    arn: "aws-cn",
    domain: "amazonaws.com.cn",
};
const GOV_CLOUD: Partition = Partition {
    region: "us-gov-west-1",
    start_url: "https://start.us-gov-west-1.us-gov-home.awsapps.com/directory/d-1234567890",
    arn: "aws-us-gov",
    domain: "amazonaws.com",
};
const EUROPEAN_SOVEREIGN: Partition = Partition {
    region: "eusc-de-east-1",
    start_url: "https://d-1234567890.portal.amazonaws.eu/start",
    arn: "aws-eusc",
    domain: "amazonaws.eu",
};

impl Partition {
    /// A home in this partition, whose settings are `more` behind a proxy and a CA bundle.
    fn product(&self, more: &str) -> Product {
        let mut product = Product::new();
        product.sandbox().configure(|settings| {
            settings.organizations[0].region = self.region.to_owned();
            settings.organizations[0].start_url = self.start_url.to_owned();
            let trusted = format!("arn:{}:iam::123456789012:root", self.arn);
            settings.iam_roles = vec![IamRole::new(&self.role(), &[&trusted])];
        });
        product.write_aws_config(&self.aws_config());
        let (proxy, ca) = (product.sandbox().proxy_url(), product.sandbox().ca_pem_path().display().to_string());
        let settings = format!("store = \"memory\"\n[http]\nproxy = \"{proxy}\"\nca_bundle = \"{ca}\"\n{more}");
        std::fs::write(product.path(".config/tegata/config.toml"), settings).unwrap();
        product.start_daemon();
        product
    }

    fn role(&self) -> String {
        format!("arn:{}:iam::210987654321:role/Deploy", self.arn)
    }

    fn aws_config(&self) -> String {
        let Self { region, start_url, .. } = self;
        format!(
            "[sso-session corp]\nsso_start_url = {start_url}\nsso_region = {region}\n\n\
             [profile dev]\nregion = {region}\ntegata_sso_session = corp\ntegata_sso_account_id = 123456789012\n\
             tegata_sso_role_name = ReadOnly\n\n\
             [profile deploy]\nregion = {region}\ntegata_source_profile = dev\ntegata_role_arn = {}\n",
            self.role()
        )
    }

    /// Signs in, asks for a permission set and for a role behind it, and says which hosts were asked.
    fn hosts_asked(&self, more: &str) -> Vec<String> {
        let product = self.product(more);
        sign_in(&product);
        for (profile, role) in [("dev", "assumed-role/AWSReservedSSO_ReadOnly_"), ("deploy", "assumed-role/Deploy/")] {
            let arn = arn(&product, &product.credentials(profile));
            assert!(arn.starts_with(&format!("arn:{}:sts::", self.arn)) && arn.contains(role), "{arn}");
        }
        let requests = product.sandbox().requests();
        let asked: Vec<_> = requests.iter().filter(|request| request.operation != Operation::Authorize).collect();
        assert!(asked.len() >= 4 && asked.iter().all(|request| request.tls), "{asked:?}");
        let mut hosts = product.sandbox().proxy_connects();
        hosts.sort();
        hosts.dedup();
        hosts
    }
}

/// Opens the page as a person does whose browser finds AWS: here AWS's host is the sandbox's plain address.
fn sign_in(product: &Product) {
    let mut login = product.tegata(&["login", "corp", "--print"]);
    let mut login = login.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut page = String::new();
    BufReader::new(login.stdout.take().unwrap()).read_line(&mut page).unwrap();
    if let Some((_, target)) = page.trim().strip_prefix("https://").and_then(|page| page.split_once('/')) {
        assert_eq!(browser::visit(&format!("{}/{target}", product.sandbox().url())).status, 200);
    }
    let mut told = String::new();
    login.stderr.take().unwrap().read_to_string(&mut told).unwrap();
    assert!(login.wait().unwrap().success(), "{page}{told}{}", product.daemon_log());
}

fn arn(product: &Product, ended: &Ended) -> String {
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{ended:?}\n{}", product.daemon_log());
    let json: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    let key = json["AccessKeyId"].as_str().unwrap();
    let issued = product.sandbox().issued_credentials();
    issued.into_iter().find(|issued| issued.access_key_id == key).unwrap().principal.arn
}

fn asks_its_own_hosts(partition: &Partition) {
    let Partition { region, domain, .. } = partition;
    let hosts = ["oidc", "portal.sso", "sts"].map(|service| format!("{service}.{region}.{domain}:443"));
    assert_eq!(partition.hosts_asked(""), hosts);
}

#[test]
fn the_commercial_partition_asks_its_own_hosts() {
    asks_its_own_hosts(&AWS);
}

#[test]
fn china_asks_its_own_hosts() {
    asks_its_own_hosts(&CHINA);
}

#[test]
fn govcloud_asks_its_own_hosts() {
    asks_its_own_hosts(&GOV_CLOUD);
}

#[test]
fn the_european_sovereign_cloud_asks_its_own_hosts() {
    asks_its_own_hosts(&EUROPEAN_SOVEREIGN);
}

#[test]
fn fips_endpoints_are_asked_when_the_settings_say_so() {
    let hosts = AWS.hosts_asked("[endpoints]\nuse_fips = true\n");
    let fips = ["oidc-fips.us-east-1", "portal.sso-fips.us-east-1", "sts-fips.us-east-1"];
    assert_eq!(hosts, fips.map(|host| format!("{host}.amazonaws.com:443")));
}

#[test]
fn dual_stack_endpoints_are_asked_when_the_settings_say_so() {
    let hosts = AWS.hosts_asked("[endpoints]\nuse_dual_stack = true\n");
    let dual_stack = ["oidc.us-east-1", "portal.sso.us-east-1", "sts.us-east-1"];
    assert_eq!(hosts, dual_stack.map(|host| format!("{host}.api.aws:443")));
}

#[test]
fn a_proxy_that_wants_a_password_is_not_passed_without_it() {
    let product = AWS.product("");
    product.sandbox().configure(|settings| settings.proxy_authorization = Some("me:secret".to_owned()));
    let refused = product.run(&["login", "corp", "--print"]);
    assert_eq!((refused.code, refused.stdout.as_str()), (14, ""), "{refused:?}");
    assert_eq!(refused.stderr.lines().filter(|line| line.starts_with("tegata: ")).count(), 1, "{refused:?}");
    assert_eq!(product.sandbox().requests(), []);
}

#[test]
fn a_proxy_that_wants_a_password_gets_the_one_of_the_settings() {
    let mut product = AWS.product("");
    product.sandbox().configure(|settings| settings.proxy_authorization = Some("me:secret".to_owned()));
    product.kill_daemon();
    let settings = product.path(".config/tegata/config.toml");
    let text = std::fs::read_to_string(&settings).unwrap();
    std::fs::write(&settings, text.replace("proxy = \"http://", "proxy = \"http://me:secret@")).unwrap();
    product.start_daemon();
    sign_in(&product);
    assert!(product.sandbox().requests().len() >= 2);
}

#[test]
fn no_variable_of_the_environment_leads_to_a_proxy() {
    let mut product = Product::new();
    let elsewhere = "http://127.0.0.1:9".to_owned();
    for name in ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "https_proxy", "http_proxy", "all_proxy"] {
        product.environment.push((name.to_owned(), elsewhere.clone()));
    }
    product.start_daemon();
    product.sign_in();
    assert_eq!(product.credentials("dev").code, 0);
    assert_eq!(product.sandbox().proxy_connects(), [] as [&str; 0]);
}

#[test]
fn without_the_ca_bundle_the_same_host_is_not_believed() {
    let product = AWS.product("");
    let proxy = product.sandbox().proxy_url();
    let mut other = Product::new();
    other.write_aws_config(&AWS.aws_config());
    let settings = format!("store = \"memory\"\n[http]\nproxy = \"{proxy}\"\n");
    std::fs::write(other.path(".config/tegata/config.toml"), settings).unwrap();
    other.start_daemon();
    let mut login: Command = other.tegata(&["login", "corp", "--print"]);
    let refused = tegata_tests::product::run(&mut login);
    assert_eq!((refused.code, refused.stdout.as_str()), (14, ""), "{refused:?}");
    assert_eq!(product.sandbox().requests(), []);
}
