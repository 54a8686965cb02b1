//! `make demo`: the main job from beginning to end, on this machine alone.
//!
//! A sandbox stands for AWS, a private home for the user's. With `STAY=1` everything keeps running for a person to try.

use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use serde_json::Value;
use std::error::Error;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::SystemTime;
use tegata_sandbox::Consent;
use tegata_tests::product::Product;

const STEPS: usize = 6;

fn main() -> Result<(), Box<dyn Error>> {
    let mut product = Product::new();
    step(1, "an AWS sandbox", &format!("{} (a double on this machine; nothing leaves it)", product.sandbox().url()));
    let pid = product.start_daemon();
    step(2, "tegatad", &format!("pid {pid}, private home {}", product.path("").display()));
    println!("     store: memory, set in its config.toml: everything is forgotten when the daemon ends");
    step(3, "tegata login corp", "the page is answered by this program, as a person would");
    product.sign_in();
    println!("{}", indented(&product.run(&["status"]).stdout));
    step(4, "tegata credential-process --profile dev", "what every AWS tool runs; secrets masked here");
    let credentials: Value = serde_json::from_str(&product.credentials("dev").stdout)?;
    println!("{}", indented(&serde_json::to_string_pretty(&masked(&credentials))?));
    step(5, "sts get-caller-identity", "signed with them by aws-sigv4, the signature checked by the sandbox");
    println!("{}", indented(&caller_identity(&product.sandbox().url(), &credentials)?));
    step(6, "the records", "one line before each release");
    for record in product.audit() {
        println!("     {record}");
    }
    if std::env::var_os("STAY").is_some_and(|stay| !stay.is_empty() && stay != "0") { stay(&product) } else { Ok(()) }
}

fn step(number: usize, what: &str, how: &str) {
    println!("\n[{number}/{STEPS}] {what}: {how}");
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("     {line}")).collect::<Vec<_>>().join("\n")
}

/// Shows what is no secret, and of secrets their first four characters.
fn masked(credentials: &Value) -> Value {
    let mut shown = credentials.clone();
    for key in ["SecretAccessKey", "SessionToken"] {
        let secret = credentials[key].as_str().unwrap_or_default();
        let head: String = secret.chars().take(4).collect();
        shown[key] = format!("{head}… ({} characters)", secret.len()).into();
    }
    shown
}

/// Calls STS GetCallerIdentity, signed with the credentials.
fn caller_identity(endpoint: &str, credentials: &Value) -> Result<String, Box<dyn Error>> {
    let text = |key: &str| credentials[key].as_str().ok_or_else(|| format!("no {key} in the answer"));
    let identity = aws_credential_types::Credentials::new(
        text("AccessKeyId")?,
        text("SecretAccessKey")?,
        Some(text("SessionToken")?.to_owned()),
        None,
        "demo",
    )
    .into();
    let authority = endpoint.trim_start_matches("http://").trim_end_matches('/');
    let body = "Action=GetCallerIdentity&Version=2011-06-15";
    let headers = [("host", authority), ("content-type", "application/x-www-form-urlencoded")];
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region("us-east-1")
        .name("sts")
        .time(SystemTime::now())
        .settings(SigningSettings::default())
        .build()?
        .into();
    let address = format!("http://{authority}/");
    let request = SignableRequest::new("POST", &address, headers.into_iter(), SignableBody::Bytes(body.as_bytes()))?;
    let (instructions, _signature) = sign(request, &parameters)?.into_parts();
    let mut message = format!("POST / HTTP/1.1\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
    for (name, value) in headers.into_iter().chain(instructions.headers()) {
        message.push_str(&format!("{name}: {value}\r\n"));
    }
    let mut stream = TcpStream::connect(authority)?;
    stream.write_all(format!("{message}\r\n{body}").as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, xml) = answer.split_once("\r\n\r\n").ok_or("the answer was cut")?;
    if head.starts_with("HTTP/1.1 200") { Ok(xml.to_owned()) } else { Err(answer.into()) }
}

fn stay(product: &Product) -> Result<(), Box<dyn Error>> {
    product.sandbox().configure(|settings| settings.authorize = Consent::Page);
    let tegata = tegata_tests::program("tegata");
    println!("\nEverything keeps running. In another terminal:");
    println!(
        "  export HOME={home} XDG_RUNTIME_DIR={home}/run XDG_CONFIG_HOME={home}/.config XDG_STATE_HOME={home}/.local/state",
        home = product.path("").display().to_string().trim_end_matches('/')
    );
    println!(
        "  export AWS_ENDPOINT_URL_STS={} PATH={}:$PATH",
        product.sandbox().url(),
        tegata.parent().unwrap_or(&tegata).display()
    );
    println!(
        "  tegata status; tegata logout corp; tegata login corp --print; aws sts get-caller-identity --profile dev"
    );
    println!("The sandbox's sign-in page now asks a person to allow or deny. Press Enter here to end.");
    std::io::stdin().read_line(&mut String::new())?;
    Ok(())
}
