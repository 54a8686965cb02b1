//! What came in: counters, the log of requests, and what stands in a request's way (holds, limits, faults).

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::call::Call;
use crate::clock::EpochMs;
use crate::faults::Faults;
use crate::operation::Operation;
use crate::settings::TokenBucket;

/// Requests kept in the log; older ones are dropped.
const LOG_LENGTH: usize = 20_000;

const RECORDED_HEADERS: [&str; 14] = [
    "content-type",
    "x-amz-sso_bearer_token",
    "dpop",
    "x-aws-ec2-metadata-token",
    "x-aws-ec2-metadata-token-ttl-seconds",
    "authorization",
    "user-agent",
    "accept",
    "x-amz-date",
    "x-amz-security-token",
    "x-amz-x509",
    "x-amz-x509-chain",
    "origin",
    "cookie",
];

/// A request as it came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RecordedRequest {
    /// When, by the sandbox's clock, in milliseconds since the epoch.
    pub at_ms: EpochMs,
    /// What it was taken for.
    pub operation: Operation,
    /// The method.
    pub method: String,
    /// The `Host` header.
    pub host: String,
    /// Path and query, as sent.
    pub target: String,
    /// The headers worth asserting on, by lower-case name; repeated ones joined with a comma.
    pub headers: BTreeMap<String, String>,
    /// The body; bytes that are not UTF-8 are replaced.
    pub body: String,
    /// Whether it came over TLS.
    pub tls: bool,
    /// The status it was answered with, once it was.
    pub status: Option<u16>,
}

impl RecordedRequest {
    pub(crate) fn of(call: &Call) -> Self {
        let joined = |name: &&str| {
            let values: Vec<_> =
                call.headers.get_all(*name).iter().map(|v| String::from_utf8_lossy(v.as_bytes())).collect();
            (!values.is_empty()).then(|| ((*name).to_owned(), values.join(", ")))
        };
        let query = if call.query.is_empty() { String::new() } else { format!("?{}", call.query) };
        Self {
            at_ms: call.now,
            operation: call.operation,
            method: call.method.clone(),
            host: call.header("host").unwrap_or_default().to_owned(),
            target: format!("{}{query}", call.path),
            headers: RECORDED_HEADERS.iter().filter_map(joined).collect(),
            body: String::from_utf8_lossy(&call.body).into_owned(),
            tls: call.tls,
            status: None,
        }
    }
}

/// How long a hold keeps requests waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HoldUntil {
    /// Until this many requests of the operation wait; then all go on, and so do later ones.
    Waiting(usize),
    /// Until it is released.
    Released,
}

#[derive(Debug)]
struct Hold {
    number: u64,
    until: HoldUntil,
    waiting: usize,
    open: watch::Sender<bool>,
}

/// A place among the requests a hold keeps waiting.
#[derive(Debug)]
pub(crate) struct Held {
    /// Which hold, for [`Traffic::leave_hold`].
    pub(crate) number: u64,
    open: watch::Receiver<bool>,
}

impl Held {
    /// Returns when the hold opens or is gone.
    pub(crate) async fn wait(mut self) {
        let _ = self.open.wait_for(|open| *open).await;
    }
}

#[derive(Debug)]
struct Level {
    tokens: f64,
    at: EpochMs,
}

/// Everything that came in and what it meets first.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    counters: BTreeMap<Operation, u64>,
    log: VecDeque<RecordedRequest>,
    dropped: u64,
    holds: BTreeMap<Operation, Hold>,
    holds_made: u64,
    levels: BTreeMap<Operation, Level>,
    pub(crate) faults: Faults,
    pub(crate) connects: Vec<String>,
}

impl Traffic {
    /// Counts and logs a request; the number is for [`Traffic::answered`].
    pub(crate) fn record(&mut self, request: RecordedRequest) -> u64 {
        *self.counters.entry(request.operation).or_default() += 1;
        self.log.push_back(request);
        if self.log.len() > LOG_LENGTH {
            self.log.pop_front();
            self.dropped += 1;
        }
        self.dropped + self.log.len() as u64 - 1
    }

    pub(crate) fn answered(&mut self, number: u64, status: u16) {
        let index = number.checked_sub(self.dropped).and_then(|index| usize::try_from(index).ok());
        if let Some(request) = index.and_then(|index| self.log.get_mut(index)) {
            request.status = Some(status);
        }
    }

    pub(crate) fn requests(&self) -> Vec<RecordedRequest> {
        self.log.iter().cloned().collect()
    }

    pub(crate) fn counters(&self) -> BTreeMap<Operation, u64> {
        self.counters.clone()
    }

    pub(crate) fn calls(&self, operation: Operation) -> u64 {
        self.counters.get(&operation).copied().unwrap_or_default()
    }

    /// Forgets counters, log and proxy connections; holds, limits and faults stay.
    pub(crate) fn forget(&mut self) {
        self.dropped += self.log.len() as u64;
        self.log.clear();
        self.counters.clear();
        self.connects.clear();
    }

    pub(crate) fn hold(&mut self, operation: Operation, until: HoldUntil) {
        self.release(operation);
        self.holds_made += 1;
        let hold = Hold { number: self.holds_made, until, waiting: 0, open: watch::Sender::new(false) };
        self.holds.insert(operation, hold);
    }

    /// Lets everything waiting go; false when nothing was held.
    pub(crate) fn release(&mut self, operation: Operation) -> bool {
        self.holds.remove(&operation).map(|hold| hold.open.send_replace(true)).is_some()
    }

    pub(crate) fn waiting(&self, operation: Operation) -> usize {
        self.holds.get(&operation).map_or(0, |hold| hold.waiting)
    }

    /// Joins the requests waiting at the operation's hold, opening it when this was the last one it wanted.
    pub(crate) fn join_hold(&mut self, operation: Operation) -> Option<Held> {
        let hold = self.holds.get_mut(&operation)?;
        hold.waiting += 1;
        let held = Held { number: hold.number, open: hold.open.subscribe() };
        if matches!(hold.until, HoldUntil::Waiting(wanted) if hold.waiting >= wanted) {
            self.release(operation);
        }
        Some(held)
    }

    /// A request of that hold waits no longer; another hold on the operation is none of its business.
    pub(crate) fn leave_hold(&mut self, operation: Operation, number: u64) {
        if let Some(hold) = self.holds.get_mut(&operation).filter(|hold| hold.number == number) {
            hold.waiting = hold.waiting.saturating_sub(1);
        }
    }

    /// Takes one token, or says in how many whole seconds there will be one.
    pub(crate) fn take_token(&mut self, operation: Operation, bucket: TokenBucket, now: EpochMs) -> Result<(), u64> {
        let level = self.levels.entry(operation).or_insert(Level { tokens: bucket.capacity, at: now });
        #[expect(clippy::cast_precision_loss, reason = "milliseconds between two requests of one test")]
        let elapsed = (now - level.at).max(0) as f64 / 1000.0;
        level.tokens = (level.tokens + elapsed * bucket.refill_per_second).min(bucket.capacity);
        level.at = now;
        if level.tokens >= 1.0 {
            level.tokens -= 1.0;
            return Ok(());
        }
        let seconds = ((1.0 - level.tokens) / bucket.refill_per_second).ceil().clamp(1.0, 3600.0);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 1..=3600")]
        Err(seconds as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPERATION: Operation = Operation::GetRoleCredentials;

    #[test]
    fn a_bucket_empties_and_refills_with_the_clock() {
        let mut traffic = Traffic::default();
        let bucket = TokenBucket { capacity: 2.0, refill_per_second: 0.5 };
        let mut take = |now| traffic.take_token(OPERATION, bucket, now);
        assert_eq!([take(0), take(0), take(0)], [Ok(()), Ok(()), Err(2)]);
        assert_eq!([take(1000), take(2000), take(2000)], [Err(1), Ok(()), Err(2)]);
        assert_eq!([take(60_000), take(60_000), take(60_000)], [Ok(()), Ok(()), Err(2)], "never above its capacity");
    }

    #[test]
    fn a_bucket_that_never_refills_says_an_hour() {
        let mut traffic = Traffic::default();
        let bucket = TokenBucket { capacity: 0.0, refill_per_second: 0.0 };
        assert_eq!(traffic.take_token(OPERATION, bucket, 0), Err(3600));
    }

    #[tokio::test]
    async fn a_hold_opens_for_all_when_the_last_awaited_request_joins() {
        let mut traffic = Traffic::default();
        traffic.hold(OPERATION, HoldUntil::Waiting(3));
        let held: Vec<Held> = (0..3).filter_map(|_| traffic.join_hold(OPERATION)).collect();
        assert_eq!(held.len(), 3);
        for held in held {
            held.wait().await;
        }
        assert!(traffic.join_hold(OPERATION).is_none(), "later requests pass");
    }

    #[tokio::test]
    async fn a_client_that_left_is_not_counted_as_waiting() {
        let mut traffic = Traffic::default();
        traffic.hold(OPERATION, HoldUntil::Waiting(2));
        let gone = traffic.join_hold(OPERATION).unwrap();
        traffic.leave_hold(OPERATION, gone.number);
        let first = traffic.join_hold(OPERATION).unwrap();
        assert_eq!(traffic.waiting(OPERATION), 1);
        traffic.hold(OPERATION, HoldUntil::Waiting(2));
        traffic.join_hold(OPERATION).unwrap();
        traffic.leave_hold(OPERATION, first.number);
        assert_eq!(traffic.waiting(OPERATION), 1, "the place was in the hold before");
        assert!(traffic.release(OPERATION) && !traffic.release(OPERATION));
    }
}
