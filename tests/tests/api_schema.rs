//! The local API is what `docs/api/openapi.json` says: schemathesis makes requests out of the file, good ones and bad ones,
//! and holds the daemon to the answers the file promises.
#![cfg(feature = "system")]

use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::thread;
use tegata_tests::client;
use tegata_tests::product::{Ended, Product, run};

const LOCK: &str = "/v1/lock";

/// What is not asked of the daemon, and why. Everything else is.
const CONFIGURATION: &str = r#"
# Ends the daemon, and with it the run; `daemon stop` of the command line is its test.
[[operations]]
include-operation-id = "endDaemon"
enabled = false

# Asks a host that the caller names: chance would choose one of somebody's. `setup.rs` has the sandbox behind it.
[[operations]]
include-operation-id = "getStartUrl"
enabled = false

# A cancelled sign-in or a refused request is over, and how it ended can still be read.
[checks.use_after_free]
enabled = false

# A good request may find nobody signed in, a gate that no passkey opens, a profile that is not there or cannot be used,
# everything locked.
[checks.positive_data_acceptance]
expected-statuses = ["2xx", 401, 403, 404, 422, 423, 502, 504]

# Who does not wait for what is under way is told so; who asks while AWS does not answer, too.
[checks.not_a_server_error]
expected-statuses = ["2xx", "3xx", "4xx", 502, 504]

# Whatever is wrong with a request is the caller's fault and never the daemon's.
[checks.negative_data_rejection]
expected-statuses = ["4xx"]

# TRACE is refused at the door, before there is a resource that has methods.
[phases.coverage]
unexpected-methods = ["get", "put", "post", "delete", "options", "patch"]

# Enough for begin, follow, cancel, follow; each of them may wait a second.
[phases.stateful]
max-steps = 4
generation.max-examples = 40
"#;

/// What the operations answer that do not succeed here: no passkey is enrolled, so there is no grant, nothing to review, the
/// settings were accepted as they are, a sign-in that was made up is none, and no profile starts from a key, a certificate or a job.
/// [`CONFIGURATION`] leaves two out.
const UNSUCCESSFUL: [(&str, &str, Option<u64>); 21] = [
    ("POST", "/v1/sessions/{name}/adopt", Some(401)),
    ("DELETE", "/v1/daemon", None),
    ("GET", "/v1/start-url", None),
    ("POST", "/v1/grants", Some(403)),
    ("DELETE", "/v1/grants/{id}", Some(404)),
    ("PUT", "/v1/passkeys/{id}", Some(404)),
    ("DELETE", "/v1/passkeys/{id}", Some(404)),
    ("POST", "/v1/passkeys/{id}/test", Some(403)),
    ("POST", "/v1/passkeys/test", Some(403)),
    ("POST", "/v1/policy", Some(404)),
    ("POST", "/v1/reviews/{id}", Some(404)),
    ("POST", "/v1/access-keys", Some(422)),
    ("POST", "/v1/access-keys/rotations", Some(404)),
    ("POST", "/v1/certificates", Some(404)),
    ("DELETE", "/v1/certificates/{profile}", Some(404)),
    ("PUT", "/v1/certificates/{profile}/pin", Some(404)),
    ("POST", "/v1/github-job", Some(404)),
    ("POST", "/v1/sign-ins/{id}/code", Some(404)),
    ("PUT", "/v1/sign-ins/{id}/text", Some(404)),
    ("DELETE", "/v1/totp-seeds", Some(404)),
    ("POST", "/v1/totp-seeds", Some(404)),
];

fn schema_file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/api/openapi.json")
}

fn json(file: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap()
}

/// Carries the bytes of TCP connections to the daemon's socket and back: schemathesis speaks no Unix sockets.
fn bridge(socket: PathBuf) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for outside in listener.incoming() {
            let (Ok(outside), Ok(inside)) = (outside, UnixStream::connect(&socket)) else { return };
            carry(outside, inside);
        }
    });
    address
}

/// Whoever goes away ends both directions; there is nobody to tell.
fn carry(outside: TcpStream, inside: UnixStream) {
    let (mut requests, mut answers) = (outside.try_clone().unwrap(), inside.try_clone().unwrap());
    let (mut to_client, mut to_daemon) = (outside, inside);
    thread::spawn(move || {
        let _ = io::copy(&mut requests, &mut to_daemon);
        let _ = to_daemon.shutdown(Shutdown::Both);
    });
    thread::spawn(move || {
        let _ = io::copy(&mut answers, &mut to_client);
        let _ = to_client.shutdown(Shutdown::Both);
    });
}

/// Runs it over some of the operations; its answers go to a file of that name.
fn schemathesis(product: &Product, operations: &[&str], report: &str) -> Ended {
    let configuration = product.path("schemathesis.toml");
    fs::write(&configuration, CONFIGURATION).unwrap();
    let address = bridge(product.socket());
    let mut command = product.command(client("python/bin/schemathesis"));
    command.arg("--config-file").arg(configuration).arg("run").arg(schema_file());
    command.args(["--url", &format!("http://{address}"), "--request-timeout", "20", "--no-color", "--warnings", "off"]);
    command.args(["--max-examples", "10", "--seed", "1", "--no-shrink", "--generation-database", "none"]);
    command.args(["--report", "har", "--report-har-path"]).arg(product.path(report)).args(operations);
    run(&mut command)
}

/// The statuses of all answers of this run to an operation.
fn statuses(answers: &Value, method: &str, template: &str) -> BTreeSet<u64> {
    let is_of = |url: &str| {
        let path = url.split('?').next().and_then(|url| url.splitn(4, '/').nth(3)).unwrap_or_default();
        let (found, wanted): (Vec<_>, Vec<_>) = (path.split('/').collect(), template[1..].split('/').collect());
        found.len() == wanted.len() && found.iter().zip(&wanted).all(|(f, w)| w.starts_with('{') || f == w)
    };
    let entries = answers["log"]["entries"].as_array().unwrap().iter();
    let entries = entries.filter(|entry| entry["request"]["method"] == method);
    let entries = entries.filter(|entry| is_of(entry["request"]["url"].as_str().unwrap()));
    entries.filter_map(|entry| entry["response"]["status"].as_u64()).collect()
}

/// The operations of the file, each as its method and path.
fn operations() -> Vec<(String, String)> {
    let file = json(&schema_file());
    let of_path = |(path, item): (&String, &Value)| {
        let methods = item.as_object().unwrap().keys().filter(|key| *key != "parameters");
        methods.map(|method| (method.to_uppercase(), path.clone())).collect::<Vec<_>>()
    };
    file["paths"].as_object().unwrap().iter().flat_map(of_path).collect()
}

/// What all answers to an operation are, if they are not what is expected: a success, or what [`UNSUCCESSFUL`] says.
fn surprise(answers: &[Value], (method, path): (String, String)) -> Option<String> {
    let statuses: BTreeSet<_> = answers.iter().flat_map(|answers| statuses(answers, &method, &path)).collect();
    let succeeded = statuses.iter().any(|status| (200..300).contains(status));
    let expected = match UNSUCCESSFUL.iter().find(|(of, at, _)| (*of, *at) == (&method, &path)) {
        Some((.., status)) => !succeeded && status.is_none_or(|status| statuses.contains(&status)),
        None => succeeded,
    };
    (!expected).then(|| format!("{method} {path} {statuses:?}"))
}

#[test]
fn the_daemon_answers_as_the_file_says_and_goes_on_serving() {
    let mut product = Product::new();
    // Requests may be made for a person whom nobody called.
    product.write_settings(
        "store = \"memory\"\n[limits]\nwait_seconds = 1\n[[rule]]\nrole = \"Admin\"\ngate = \"passkey\"\n",
    );
    product.start_daemon();
    product.sign_in();
    // Behind the lock hardly anything succeeds, and chance says when it is opened again: it has a run of its own.
    let ended = schemathesis(&product, &["--exclude-path", LOCK], "report.har");
    assert_eq!(ended.code, 0, "{}\n{}\n{}", ended.stdout, ended.stderr, product.daemon_log());
    let of_lock = schemathesis(&product, &["--include-path", LOCK, "--phases", "coverage,fuzzing"], "lock.har");
    assert_eq!(of_lock.code, 0, "{}\n{}\n{}", of_lock.stdout, of_lock.stderr, product.daemon_log());
    assert!(!product.daemon_is_gone(), "{}", product.daemon_log());
    let answers = ["report.har", "lock.har"].map(|report| json(&product.path(report)));
    let surprises: Vec<_> = operations().into_iter().filter_map(|of| surprise(&answers, of)).collect();
    assert!(surprises.is_empty(), "{surprises:#?}\n{}", ended.stdout);
    assert_eq!(product.run(&["unlock"]).code, 0);
    product.sign_in();
    let served = product.credentials("dev");
    assert_eq!((served.code, served.stderr.as_str()), (0, ""), "{}", product.daemon_log());
}
