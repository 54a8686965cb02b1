//! Faults: which call of an operation goes wrong, and how.

use serde::{Deserialize, Serialize};

use crate::operation::Operation;
use crate::reply::{Refusal, Reply};

/// A fault put on an operation. The first fault that matches a call wins.
///
/// ```
/// use tegata_sandbox::{Effect, Fault, Operation};
/// let third = Fault::on(Operation::GetRoleCredentials, Effect::Hang).skip(2).times(1);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// Where.
    pub operation: Operation,
    /// How many calls, counted from when the fault was put, pass unharmed first.
    #[serde(default)]
    pub skip: u64,
    /// How many calls it spoils; absent means all further ones.
    #[serde(default)]
    pub times: Option<u64>,
    /// What happens.
    pub effect: Effect,
}

impl Fault {
    /// Spoils every call of the operation.
    #[must_use]
    pub fn on(operation: Operation, effect: Effect) -> Self {
        Self { operation, skip: 0, times: None, effect }
    }

    /// Lets the first `calls` pass.
    #[must_use]
    pub fn skip(mut self, calls: u64) -> Self {
        self.skip = calls;
        self
    }

    /// Spoils only this many calls.
    #[must_use]
    pub fn times(mut self, calls: u64) -> Self {
        self.times = Some(calls);
        self
    }
}

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Effect {
    /// The service's own error form with this status, code and text; nothing is done. The text may hold escape sequences.
    Error {
        /// HTTP status.
        status: u16,
        /// Exception name or error code.
        code: String,
        /// Error text.
        message: String,
        /// Seconds for a `Retry-After` header.
        #[serde(default)]
        retry_after: Option<u64>,
    },
    /// Any answer at all; nothing is done.
    Answer {
        /// HTTP status.
        status: u16,
        /// `Content-Type`.
        content_type: String,
        /// The body, as it is.
        body: String,
    },
    /// Accepts the request and never answers; nothing is done.
    Hang,
    /// 200 with bytes that are not JSON, XML or UTF-8; nothing is done.
    Garbage,
    /// 200 with this many bytes, an endless string inside JSON; nothing is done.
    Huge {
        /// Length of the body.
        bytes: usize,
    },
    /// 302 to this address; nothing is done.
    Redirect {
        /// `Location`.
        location: String,
    },
    /// The work is done, half of the answer's body is sent, and the connection is closed.
    CutBody,
    /// The work is done, and the connection is closed without an answer.
    LoseAnswer,
    /// The work is done, and the answer never comes.
    HangAfterwards,
    /// The work is done; the answer has another `Content-Type`.
    ContentType(String),
    /// The work is done; the answer trickles.
    Trickle {
        /// Bytes at a time.
        bytes: usize,
        /// Milliseconds between them.
        every_ms: u64,
    },
    /// The work is done at once; the answer comes late.
    Delay {
        /// Milliseconds.
        ms: u64,
    },
}

/// How an answer leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Delivery {
    Whole(Reply),
    Cut(Reply),
    Trickle { reply: Reply, bytes: usize, every_ms: u64 },
    Late { reply: Reply, ms: u64 },
    Never,
    Closed,
}

impl Delivery {
    /// The status the client is to see; none when it sees no answer.
    pub(crate) fn status(&self) -> Option<u16> {
        match self {
            Self::Whole(reply) | Self::Cut(reply) | Self::Trickle { reply, .. } | Self::Late { reply, .. } => {
                Some(reply.status)
            }
            Self::Never | Self::Closed => None,
        }
    }
}

impl Effect {
    /// The answer in place of the real one, for the effects that keep the work from being done.
    pub(crate) fn instead(&self, operation: Operation, tail: bool) -> Option<Delivery> {
        let reply = match self {
            Self::Error { status, code, message, retry_after } => {
                let mut refusal = Refusal::new(*status, code, message);
                refusal.retry_after = *retry_after;
                refusal.into_reply(operation.service(), tail)
            }
            Self::Answer { status, content_type, body } => Reply::new(*status, content_type, body.as_bytes()),
            Self::Garbage => {
                Reply::new(200, "application/json", [0xff, 0xfe, 0x00, 0x1b, b'{', 0x80, b'<', b'\n'].repeat(64))
            }
            Self::Huge { bytes } => Reply::new(200, "application/json", huge(*bytes)),
            Self::Redirect { location } => Reply::redirect(302, location.clone()),
            Self::Hang => return Some(Delivery::Never),
            _ => return None,
        };
        Some(Delivery::Whole(reply))
    }

    /// The real answer, spoiled.
    pub(crate) fn spoil(self, mut reply: Reply) -> Delivery {
        match self {
            Self::CutBody => Delivery::Cut(reply),
            Self::LoseAnswer => Delivery::Closed,
            Self::HangAfterwards => Delivery::Never,
            Self::Trickle { bytes, every_ms } => Delivery::Trickle { reply, bytes: bytes.max(1), every_ms },
            Self::Delay { ms } => Delivery::Late { reply, ms },
            Self::ContentType(content_type) => {
                reply.content_type = content_type;
                Delivery::Whole(reply)
            }
            _ => Delivery::Whole(reply),
        }
    }
}

fn huge(bytes: usize) -> Vec<u8> {
    let (head, tail) = (br#"{"accessToken":""#, br#""}"#);
    let mut body = head.to_vec();
    body.resize(bytes.saturating_sub(tail.len()).max(head.len()), b'A');
    body.extend(tail);
    body
}

/// The faults put on, with how many calls each has seen.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<(Fault, u64)>);

impl Faults {
    pub(crate) fn put(&mut self, fault: Fault) {
        self.0.push((fault, 0));
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    pub(crate) fn list(&self) -> Vec<Fault> {
        self.0.iter().map(|(fault, _)| fault.clone()).collect()
    }

    /// Counts a call and says what goes wrong with it.
    pub(crate) fn next(&mut self, operation: Operation) -> Option<Effect> {
        let mut struck = None;
        for (fault, seen) in self.0.iter_mut().filter(|(fault, _)| fault.operation == operation) {
            let due = *seen >= fault.skip && fault.times.is_none_or(|times| *seen - fault.skip < times);
            *seen += 1;
            if due && struck.is_none() {
                struck = Some(fault.effect.clone());
            }
        }
        struck
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPERATION: Operation = Operation::ListAccounts;

    #[test]
    fn a_fault_strikes_exactly_its_calls() {
        let mut faults = Faults::default();
        faults.put(Fault::on(OPERATION, Effect::Hang).skip(2).times(2));
        let struck: Vec<bool> = (0..6).map(|_| faults.next(OPERATION).is_some()).collect();
        assert_eq!(struck, [false, false, true, true, false, false]);
    }

    #[test]
    fn other_operations_neither_suffer_nor_count() {
        let mut faults = Faults::default();
        faults.put(Fault::on(OPERATION, Effect::Hang).skip(1).times(1));
        assert_eq!(faults.next(Operation::Logout), None);
        assert_eq!(faults.next(OPERATION), None);
        assert_eq!(faults.next(OPERATION), Some(Effect::Hang));
    }

    #[test]
    fn the_first_of_two_faults_wins() {
        let mut faults = Faults::default();
        faults.put(Fault::on(OPERATION, Effect::Hang).times(1));
        faults.put(Fault::on(OPERATION, Effect::Garbage));
        assert_eq!([faults.next(OPERATION), faults.next(OPERATION)], [Some(Effect::Hang), Some(Effect::Garbage)]);
    }

    #[test]
    fn a_huge_body_has_the_length_asked_for() {
        assert_eq!(huge(10 << 20).len(), 10 << 20);
    }
}
