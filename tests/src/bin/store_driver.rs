//! The daemon's store in a process of its own, told what to do line by line, for stories that give it an environment or kill
//! it. `ID VERB [OWNER [TEXT]]` on stdin, `ID OUTCOME` on stdout, in the order of the answers.
#![allow(clippy::print_stdout, clippy::panic, clippy::expect_used, reason = "a tool of the tests")]

use std::io::BufRead;
use std::path::PathBuf;
use tegata_daemon::store::file::FileKey;
use tegata_daemon::store::{Bytes, Choice, Key, SERVICE, Store, StoreError};
use tegata_protocol::Secret;
use zeroize::Zeroizing;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let choice = arguments.next().map_or_else(|| panic!("which store?"), |name| choice(&name, arguments.next()));
    tegata_daemon::failpoint::arm(std::env::var("STORE_DRIVER_FAILPOINT").ok());
    let store = Store::open(choice, std::env::var_os("DBUS_SESSION_BUS_ADDRESS").is_some()).expect("a thread");
    let (lines, mut queue) = tokio::sync::mpsc::unbounded_channel::<String>();
    std::thread::spawn(move || {
        std::io::stdin().lock().lines().map_while(Result::ok).try_for_each(|line| lines.send(line))
    });
    while let Some(line) = queue.recv().await {
        let store = store.clone();
        tokio::spawn(async move {
            let mut words = line.splitn(4, ' ').map(str::to_owned);
            let mut next = || words.next().unwrap_or_default();
            let (id, verb, owner, text) = (next(), next(), next(), next());
            println!("{id} {}", outcome(&store, &verb, &owner, text).await);
        });
    }
}

fn choice(name: &str, directory: Option<String>) -> Choice {
    let directory = PathBuf::from(directory.unwrap_or_default());
    match name {
        "auto" => Choice::Auto,
        "secret-service" => Choice::SecretService,
        "keyutils" => Choice::Keyutils,
        "file" => Choice::File { key: FileKey::Passphrase, directory },
        "key-file" => {
            Choice::File { key: FileKey::KeyFile(directory.join("key")), directory: directory.join("records") }
        }
        _ => Choice::Memory,
    }
}

async fn outcome(store: &Store, verb: &str, owner: &str, text: String) -> String {
    let key = Key::new("sign-in", owner);
    let done = |result: Result<(), StoreError>| result.map(|()| None);
    let result = match verb {
        "read" => store.read(&key).await,
        "write" => done(store.write(&key, Zeroizing::new(content(&text))).await),
        "delete" => done(store.delete(&key).await),
        "probe" => done(store.probe().await),
        "unlock" => done(store.unlock((!owner.is_empty()).then(|| Secret::new(owner.to_owned()))).await),
        "keep-alive" => done(store.keep_alive().await),
        "settled" => {
            store.settled().await;
            Ok(None)
        }
        "describe" => return format!("{:?}", store.describe().await),
        "name" => return key.as_str().to_owned(),
        // What the crate `keyring` sees and does under the same names, in this process's environment.
        "foreign-read" => return foreign(&key).get_password().unwrap_or_else(|error| format!("error {error}")),
        "foreign-write" => {
            let written = foreign(&key).set_secret(&content(&text));
            return written.map_or_else(|error| format!("error {error}"), |()| String::from("ok"));
        }
        other => panic!("{other}?"),
    };
    match result {
        Ok(None) => String::from("ok"),
        Ok(Some(bytes)) => shown(&bytes),
        Err(error) => format!("{} {error}", variant(&error)),
    }
}

/// `SIZE*` stands for that many bytes.
fn content(text: &str) -> Vec<u8> {
    match text.strip_suffix('*').and_then(|size| size.parse().ok()) {
        Some(size) => vec![b'*'; size],
        None => text.as_bytes().to_vec(),
    }
}

fn shown(bytes: &Bytes) -> String {
    let all_stars = bytes.len() > 100 && bytes.iter().all(|byte| *byte == b'*');
    let text = if all_stars { format!("{}*", bytes.len()) } else { String::from_utf8_lossy(bytes).into_owned() };
    format!("some {text}")
}

fn foreign(key: &Key) -> keyring::v1::Entry {
    keyring::v1::Entry::new(SERVICE, key.as_str()).expect("the crate keyring reaches its store")
}

fn variant(error: &StoreError) -> &'static str {
    match error {
        StoreError::Locked => "Locked",
        StoreError::Waiting => "Waiting",
        StoreError::Denied { .. } => "Denied",
        StoreError::Unavailable { .. } => "Unavailable",
        StoreError::NoRoom { .. } => "NoRoom",
        StoreError::Damaged { .. } => "Damaged",
    }
}
