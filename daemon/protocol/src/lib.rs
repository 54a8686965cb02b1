//! What `tegata` and `tegatad` say to each other: paths, bodies, headers, error codes, exit codes.
//!
//! Nothing here does I/O and nothing is declared a second time elsewhere. The transport is HTTP/1.1 with
//! Content-Length on a Unix socket; `docs/api/openapi.json` describes the same for other programs.
#![warn(missing_docs)]

pub mod adoption;
pub mod aws_config;
pub mod body;
pub mod certificates;
pub mod console;
mod error;
mod exit;
pub mod gate;
pub mod inventory;
pub mod jobs;
pub mod keys;
pub mod paths;
mod secret;
pub mod start_url;
pub mod text;
pub mod totp;

pub use error::{ErrorBody, ErrorCode};
pub use exit::Exit;
pub use secret::Secret;

/// The number of the local protocol this build speaks. The daemon serves this one and the one before.
pub const PROTOCOL_VERSION: u32 = 1;

/// The oldest number the daemon still serves: N−1, and never less than the first.
pub const OLDEST_PROTOCOL_VERSION: u32 = 1;

/// Header that carries [`PROTOCOL_VERSION`] in every request and every response.
pub const PROTOCOL_HEADER: &str = "tegata-protocol";

/// Value of [`paths::QUERY_FORM`]: the `credential_process` JSON.
pub const FORM_PROCESS: &str = "process";

/// Value of [`paths::QUERY_FORM`]: the JSON of the container credentials endpoint. It is for an HTTP door, whose clients give up
/// after seconds: no person is waited for, and work under way for [`CONTAINER_WAIT`] unless `wait` says otherwise.
pub const FORM_CONTAINER: &str = "container";

/// How long an HTTP door waits for work that is under way: botocore gives a try up after 2 s.
pub const CONTAINER_WAIT: std::time::Duration = std::time::Duration::from_millis(1_500);

/// The most bytes of a request head the daemon reads.
pub const MAX_HEAD_BYTES: usize = 16 * 1024;

/// The most bytes of a request body the daemon reads.
pub const MAX_BODY_BYTES: usize = 64 * 1024;

/// The most bytes of a response the command line reads. SDKs accept 64,000 bytes of `credential_process` output at most
/// (Java SDK v2 `processOutputLimit`); listings are paged well below this.
pub const MAX_RESPONSE_BYTES: usize = 1024 * 1024;

/// Seconds `credential-process` waits by default for work that is under way: Rust SDKs since 1.13 give up after 21.6 s.
pub const DEFAULT_WAIT_SECONDS: u64 = 15;

/// The one value of the parameter `from`: what the daemon knows without asking AWS or the store. A keyring may ask its person to
/// unlock it, which completion and a prompt must never cause.
pub const FROM_MEMORY: &str = "memory";

/// The most bytes of the text that a person carries over from AWS's page: base64 of a code of at most 512 characters and a state.
pub const MAX_CARRIED_CODE: usize = 8 * 1024;

/// The longest `wait` the daemon accepts in one request, in seconds.
pub const MAX_WAIT_SECONDS: u64 = 600;
