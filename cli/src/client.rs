//! Asking the daemon: connect, one request, one answer, and what every answer must be before it is believed.

use crate::connection::Connection;
use crate::environment::Environment;
use crate::failure::{Failure, Kind};
use crate::http::{self, Broken, Method, Request, Response};
use crate::places::{self, Place};
use crate::signals::Signals;
use crate::start;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use serde::{Serialize, de::DeserializeOwned};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;
use tegata_protocol::gate::HandRequest;
use tegata_protocol::{ErrorCode, MAX_BODY_BYTES, MAX_HEAD_BYTES, PROTOCOL_VERSION, paths};
use zeroize::Zeroizing;

/// What a daemon may take on top of the time it was given: scheduling, the keyring, a machine that swaps.
const MARGIN: Duration = Duration::from_secs(5);
/// How long an answer may take that waits for nothing but the keyring and AWS.
pub(crate) const BRIEFLY: Duration = Duration::from_secs(30);
/// After how long a request is made again, and again, when the daemon ended before it answered: it may be on its way to a
/// new version.
const REPEATED_AFTER: [Duration; 3] =
    [Duration::from_millis(10), Duration::from_millis(100), Duration::from_millis(500)];

/// What a removal that is done answers; whatever else is a success asks for a hand first.
const OK: u16 = 200;

/// The characters a query value or path segment needs no escape for (RFC 3986, "unreserved").
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Whether a daemon is started when none runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum WhenAbsent {
    Start,
    Fail,
}

/// Asks the daemon of this user.
pub(crate) struct Client<'a> {
    place: Place,
    when_absent: WhenAbsent,
    signals: Option<&'a Signals>,
}

impl<'a> Client<'a> {
    /// Makes a client that starts the daemon when none runs.
    pub(crate) fn new(environment: &Environment) -> Result<Self, Failure> {
        Ok(Self { place: places::place(environment)?, when_absent: WhenAbsent::Start, signals: None })
    }

    /// Does not start a daemon from here on.
    pub(crate) fn without_starting(self) -> Self {
        Self { when_absent: WhenAbsent::Fail, ..self }
    }

    /// Ends requests early when one of these signals comes.
    pub(crate) fn ended_by<'b>(self, signals: &'b Signals) -> Client<'b> {
        Client { place: self.place, when_absent: self.when_absent, signals: Some(signals) }
    }

    /// Returns the socket's path, for a person.
    pub(crate) fn socket(&self) -> String {
        self.place.socket.display().to_string()
    }

    /// Returns the directory of the socket, which is this user's own.
    pub(crate) fn directory(&self) -> &Path {
        &self.place.directory
    }

    /// Asks for a resource. `wait` is what the daemon was told it may take.
    pub(crate) fn get<T: DeserializeOwned>(&self, target: &str, wait: Duration) -> Result<T, Failure> {
        decode(&self.send(&Request::new(Method::Get, target, None), wait)?)
    }

    /// Asks for a resource once, and for no longer than this: for what is worth nothing when it comes late.
    pub(crate) fn get_at_once<T: DeserializeOwned>(&self, target: &str, patience: Duration) -> Result<T, Failure> {
        let request = Request::new(Method::Get, target, None);
        if request.head_len() > MAX_HEAD_BYTES {
            return Err(too_long());
        }
        decode(&self.attempt(&request, patience).map_err(Attempt::into_failure)?)
    }

    /// Makes a resource.
    pub(crate) fn post<T: DeserializeOwned>(&self, target: &str, body: &impl Serialize) -> Result<T, Failure> {
        decode(&self.send(&Request::new(Method::Post, target, Some(&written(body)?)), BRIEFLY)?)
    }

    /// Makes a resource that the daemon may take its time for: `wait` is what it was told it may take.
    pub(crate) fn post_within<T: DeserializeOwned>(
        &self,
        target: &str,
        body: &impl Serialize,
        wait: Duration,
    ) -> Result<T, Failure> {
        decode(&self.send(&Request::new(Method::Post, target, Some(&written(body)?)), wait)?)
    }

    /// Makes a resource that needs nothing said about it.
    pub(crate) fn post_nothing<T: DeserializeOwned>(&self, target: &str) -> Result<T, Failure> {
        decode(&self.send(&Request::new(Method::Post, target, None), BRIEFLY)?)
    }

    /// Changes a resource; what the daemon says about it then does not matter.
    pub(crate) fn change(&self, method: Method, target: &str, body: &impl Serialize) -> Result<(), Failure> {
        self.send(&Request::new(method, target, Some(&written(body)?)), BRIEFLY).map(|_| ())
    }

    /// Sets a resource that has no content of its own.
    pub(crate) fn put<T: DeserializeOwned>(&self, target: &str) -> Result<T, Failure> {
        decode(&self.send(&Request::new(Method::Put, target, None), BRIEFLY)?)
    }

    /// Removes a resource and returns what became of it.
    pub(crate) fn delete<T: DeserializeOwned>(&self, target: &str) -> Result<T, Failure> {
        decode(&self.send(&Request::new(Method::Delete, target, None), BRIEFLY)?)
    }

    /// Removes a resource, or learns that a hand has to be asked first.
    pub(crate) fn delete_by_hand<T: DeserializeOwned>(&self, target: &str) -> Result<Removal<T>, Failure> {
        let answer = self.send(&Request::new(Method::Delete, target, None), BRIEFLY)?;
        if answer.status == OK {
            return decode(&answer).map(Removal::Done);
        }
        decode(&answer).map(|request| Removal::AwaitsHand(Box::new(request)))
    }

    /// Sends a request and returns the answer if it is a success. `wait` is what the daemon was told it may take.
    pub(crate) fn send(&self, request: &Request, wait: Duration) -> Result<Response, Failure> {
        if request.head_len() > MAX_HEAD_BYTES {
            return Err(too_long());
        }
        let patience = wait + MARGIN;
        for pause in REPEATED_AFTER {
            match self.attempt(request, patience) {
                Err(Attempt::Unanswered(_)) if request.repeatable => std::thread::sleep(pause),
                other => return other.map_err(Attempt::into_failure),
            }
        }
        self.attempt(request, patience).map_err(Attempt::into_failure)
    }

    /// Removes a resource, whatever the daemon says about it.
    pub(crate) fn forget(&self, target: &str) -> Result<(), Failure> {
        self.send(&Request::new(Method::Delete, target, None), BRIEFLY).map(|_| ())
    }

    /// Asks the daemon to end, whatever protocol it speaks: this is what mends a mismatch.
    pub(crate) fn end_daemon(&self) -> Result<(), Failure> {
        let request = Request::new(Method::Delete, paths::DAEMON, None);
        match self.exchange(&request, BRIEFLY + MARGIN).map_err(Attempt::into_failure)? {
            response if is_success(response.status) => Ok(()),
            response => Err(Failure::from_answer(response.status, response.body())),
        }
    }

    /// Returns whether a daemon of this user listens.
    pub(crate) fn is_listened_to(&self) -> Result<bool, Failure> {
        Ok(start::connect(&self.place, BRIEFLY, self.signals)?.is_some())
    }

    fn attempt(&self, request: &Request, patience: Duration) -> Result<Response, Attempt> {
        let response = self.exchange(request, patience)?;
        self.check_protocol(&response).map_err(Attempt::Failed)?;
        if is_success(response.status) {
            return Ok(response);
        }
        let failure = Failure::from_answer(response.status, response.body());
        match failure.kind {
            Kind::Reported(ErrorCode::ShuttingDown) => Err(Attempt::Unanswered(failure)),
            _ => Err(Attempt::Failed(failure)),
        }
    }

    fn exchange(&self, request: &Request, patience: Duration) -> Result<Response, Attempt> {
        let mut connection = self.connect(patience).map_err(Attempt::Failed)?;
        http::exchange(&mut connection, request).map_err(|broken| self.no_answer(broken, patience))
    }

    fn connect(&self, patience: Duration) -> Result<Connection<'_>, Failure> {
        match self.when_absent {
            WhenAbsent::Start => start::connect_or_start(&self.place, patience, self.signals),
            WhenAbsent::Fail => {
                start::connect(&self.place, patience, self.signals)?.ok_or_else(|| not_running(&self.socket()))
            }
        }
    }

    fn no_answer(&self, broken: Broken, patience: Duration) -> Attempt {
        let socket = self.socket();
        let unreachable = |message: String| Failure::new(Kind::Unreachable, message);
        match broken {
            Broken::Closed { answered: false } => Attempt::Unanswered(
                unreachable(format!("tegatad at {socket} ended before it answered")).mend("tegata daemon start"),
            ),
            Broken::Closed { answered: true } => Attempt::Failed(
                unreachable(format!("tegatad at {socket} ended in the middle of its answer"))
                    .mend("tegata daemon start"),
            ),
            Broken::TimedOut => Attempt::Failed(
                unreachable(format!("tegatad at {socket} did not answer within {} s", patience.as_secs()))
                    .mend("pkill -x tegatad"),
            ),
            Broken::Interrupted => Attempt::Failed(
                self.signals.and_then(Signals::failure).unwrap_or_else(|| unreachable("interrupted".to_owned())),
            ),
            Broken::Malformed(why) => Attempt::Failed(
                unreachable(format!("the answer from {socket} is not one of tegatad: {why}"))
                    .mend("tegata daemon stop"),
            ),
            Broken::Failed(error) => {
                Attempt::Failed(unreachable(format!("cannot talk to tegatad at {socket}: {error}")))
            }
        }
    }

    /// A daemon of another version may mean something else by the same words: nothing of its answer is used.
    fn check_protocol(&self, response: &Response) -> Result<(), Failure> {
        let message = match response.protocol {
            Some(PROTOCOL_VERSION) => return Ok(()),
            Some(other) => {
                format!("tegata speaks protocol {PROTOCOL_VERSION}, the tegatad that runs speaks protocol {other}")
            }
            None => format!("the answer from {} is not one of tegatad: it names no protocol", self.socket()),
        };
        Err(Failure::new(Kind::Unreachable, message).mend("tegata daemon stop"))
    }
}

/// How one attempt failed.
enum Attempt {
    /// The daemon ended before it did anything: asking again is safe and may help.
    Unanswered(Failure),
    /// Asking again would not help.
    Failed(Failure),
}

impl Attempt {
    fn into_failure(self) -> Failure {
        match self {
            Self::Unanswered(failure) | Self::Failed(failure) => failure,
        }
    }
}

/// Returns the failure of a daemon that does not run and is not to be started.
pub(crate) fn not_running(socket: &str) -> Failure {
    Failure::new(Kind::Unreachable, format!("no tegatad runs at {socket}")).mend("tegata daemon start")
}

/// What became of a removal.
pub(crate) enum Removal<T> {
    /// It is done.
    Done(T),
    /// It waits for a hand.
    AwaitsHand(Box<HandRequest>),
}

/// Wiped when dropped: it may hold tokens. With room for all that is sent, so that writing never moves it.
fn written(body: &impl Serialize) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let mut written = Zeroizing::new(Vec::with_capacity(MAX_BODY_BYTES));
    serde_json::to_writer(&mut *written, body)
        .map_err(|error| Failure::new(Kind::Failed, format!("cannot write the request: {error}")))?;
    if written.len() > MAX_BODY_BYTES { Err(too_long()) } else { Ok(written) }
}

fn is_success(status: u16) -> bool {
    (200..300).contains(&status)
}

fn too_long() -> Failure {
    Failure::new(Kind::Usage, "a name or path on the command line or in the environment is too long")
}

fn decode<T: DeserializeOwned>(response: &Response) -> Result<T, Failure> {
    serde_json::from_slice(response.body()).map_err(|error| misunderstood(&error))
}

/// Reads a value out of JSON that has been received already.
pub(crate) fn understood<T: DeserializeOwned>(value: serde_json::Value) -> Result<T, Failure> {
    serde_json::from_value(value).map_err(|error| misunderstood(&error))
}

/// The cause may quote the answer, so only its place is shown.
fn misunderstood(error: &serde_json::Error) -> Failure {
    let (line, column) = (error.line(), error.column());
    let message = format!("tegatad sent JSON this tegata does not understand (line {line}, column {column})");
    Failure::new(Kind::Unreachable, message).mend("tegata daemon stop")
}

/// Returns a path with a segment added, escaped.
pub(crate) fn below(path: &str, segment: &str) -> String {
    format!("{path}/{}", percent_encode(segment.as_bytes(), ESCAPED))
}

/// A path with a query, built parameter by parameter.
pub(crate) struct Target(String);

impl Target {
    /// Begins with a path that needs no escape.
    pub(crate) fn new(path: impl Into<String>) -> Self {
        Self(path.into())
    }

    /// Adds a parameter if it has a value.
    pub(crate) fn with(mut self, name: &str, value: Option<impl AsRef<OsStr>>) -> Self {
        if let Some(value) = value {
            self.0.push(if self.0.contains('?') { '&' } else { '?' });
            self.0.push_str(name);
            self.0.push('=');
            self.0.extend(percent_encode(value.as_ref().as_bytes(), ESCAPED));
        }
        self
    }

    /// Adds the AWS config file of the caller, when it is not the usual one.
    pub(crate) fn with_config(self, environment: &Environment) -> Self {
        self.with(paths::QUERY_CONFIG, environment.aws_config_file())
    }

    /// Returns the whole.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn h1_no_name_can_add_a_line_to_the_request() {
        let target = Target::new("/v1/credentials")
            .with("profile", Some("a\r\nHost: evil\0&wait=0 HTTP/1.1"))
            .with("config", None::<&str>)
            .with("wait", Some("15"));
        assert_eq!(target.as_str(), "/v1/credentials?profile=a%0D%0AHost%3A%20evil%00%26wait%3D0%20HTTP%2F1.1&wait=15");
        assert_eq!(below("/v1/sessions", "../lock?"), "/v1/sessions/..%2Flock%3F");
    }

    #[test]
    fn h1_twin_ordinary_names_stay_readable() {
        let target = Target::new("/v1/credentials").with("profile", Some("prod-admin_2.eu~x"));
        assert_eq!(target.as_str(), "/v1/credentials?profile=prod-admin_2.eu~x");
    }

    #[test]
    fn bytes_that_are_no_text_are_sent_as_they_are() {
        let name = OsStr::from_bytes(b"\xff\xfe");
        assert_eq!(Target::new("/p").with("q", Some(name)).as_str(), "/p?q=%FF%FE");
    }
}
