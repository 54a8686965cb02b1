//! Trying again, bounded: in number, in time and in what AWS asks for. Knows no operation and no HTTP.

use super::AwsError;
use std::future::Future;
use std::time::Duration;

/// What may be tried again after a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Again {
    /// The same request would fail again, or must not be sent twice.
    Never,
    /// After a pause of our own choice.
    Soon,
    /// Not before this has passed (`Retry-After`, RFC 9110 section 10.2.3).
    After(Duration),
}

/// A failed attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) error: AwsError,
    pub(super) again: Again,
}

/// How often and for how long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Attempts in all.
    pub(crate) tries: u32,
    /// The first pause; each further one is twice as long. Between half and all of it is waited.
    pub(crate) first_pause: Duration,
    /// The longest `Retry-After` that is waited for. A longer one is handed to whoever asked.
    pub(crate) longest_pause: Duration,
    /// All attempts and pauses together.
    pub(crate) total: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            tries: 3,
            first_pause: Duration::from_millis(400),
            longest_pause: Duration::from_secs(5),
            total: Duration::from_secs(12),
        }
    }
}

impl Bounds {
    /// Returns those for who is on this machine or one hop away.
    pub(super) fn of_a_neighbour(self) -> Self {
        Self { tries: self.tries.min(2), total: self.total.min(Duration::from_secs(7)), ..self }
    }

    /// Returns the same bounds for one attempt alone.
    pub(super) fn once(self) -> Self {
        Self { tries: 1, ..self }
    }
}

/// Runs `attempt` until it succeeds, cannot succeed, or the bounds are used up. The last failure is the answer.
pub(super) async fn bounded<T, F>(
    bounds: Bounds,
    operation: &'static str,
    attempt: impl Fn() -> F,
) -> Result<T, AwsError>
where
    F: Future<Output = Result<T, Failure>>,
{
    let out_of_time = |_| {
        let detail = format!("nothing usable within {} s", bounds.total.as_secs_f32());
        Err(AwsError::Unavailable { operation, detail })
    };
    tokio::time::timeout(bounds.total, attempts(bounds, attempt)).await.unwrap_or_else(out_of_time)
}

async fn attempts<T, F>(bounds: Bounds, attempt: impl Fn() -> F) -> Result<T, AwsError>
where
    F: Future<Output = Result<T, Failure>>,
{
    let mut pause = bounds.first_pause;
    for _ in 1..bounds.tries {
        let Failure { error, again } = match attempt().await {
            Ok(answer) => return Ok(answer),
            Err(failure) => failure,
        };
        let wait = match again {
            Again::Never => return Err(error),
            Again::After(asked) if asked > bounds.longest_pause => return Err(error),
            Again::After(asked) => asked + jittered(pause),
            Again::Soon => jittered(pause),
        };
        tracing::debug!(%error, wait_ms = wait.as_millis(), "trying AWS again");
        tokio::time::sleep(wait).await;
        pause *= 2;
    }
    attempt().await.map_err(|failure| failure.error)
}

/// Returns between half and all of `pause`, so that machines that failed together do not come back together.
fn jittered(pause: Duration) -> Duration {
    // Without randomness it only loses the jitter.
    let fraction = getrandom::u32().map_or(1.0, |random| f64::from(random) / f64::from(u32::MAX));
    pause.mul_f64(0.5 + fraction / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;
    use tokio::time::Instant;

    fn failure(again: Again) -> Failure {
        Failure { error: AwsError::Unavailable { operation: "Test", detail: String::from("down") }, again }
    }

    /// Plays the outcomes and returns the last answer and the seconds at which each attempt was made.
    async fn play(outcomes: Vec<Result<u8, Again>>) -> (Result<u8, AwsError>, Vec<f32>) {
        let start = Instant::now();
        let (outcomes, made) = (RefCell::new(outcomes.into_iter()), RefCell::new(Vec::new()));
        let answer = bounded(Bounds::default(), "Test", || async {
            made.borrow_mut().push(start.elapsed().as_secs_f32());
            outcomes.borrow_mut().next().expect("more attempts than outcomes").map_err(failure)
        })
        .await;
        (answer, made.into_inner())
    }

    #[tokio::test(start_paused = true)]
    async fn d4_passing_faults_are_tried_three_times_with_growing_pauses() {
        let (answer, made) = play(vec![Err(Again::Soon), Err(Again::Soon), Err(Again::Soon)]).await;
        assert_eq!(answer, Err(failure(Again::Soon).error));
        assert_eq!(made.len(), 3);
        assert!((0.19..=0.41).contains(&made[1]) && (0.39..=0.81).contains(&(made[2] - made[1])), "{made:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn d4_twin_the_first_success_ends_it() {
        let (answer, made) = play(vec![Err(Again::Soon), Ok(7)]).await;
        assert_eq!((answer, made.len()), (Ok(7), 2));
    }

    #[tokio::test(start_paused = true)]
    async fn what_must_not_be_repeated_is_not() {
        let (answer, made) = play(vec![Err(Again::Never)]).await;
        assert!(answer.is_err() && made.len() == 1);
    }

    #[tokio::test(start_paused = true)]
    async fn d3_retry_after_is_obeyed_up_to_a_bound() {
        let (answer, made) = play(vec![Err(Again::After(Duration::from_secs(3))), Ok(7)]).await;
        assert_eq!(answer, Ok(7));
        assert!(made[1] >= 3.0, "{made:?}");
        let (answer, made) = play(vec![Err(Again::After(Duration::from_secs(60)))]).await;
        assert!(answer.is_err() && made.len() == 1, "a long wait belongs to whoever asked");
    }

    #[tokio::test(start_paused = true)]
    async fn d5_attempts_that_never_end_are_bounded_in_time() {
        let start = Instant::now();
        let answer: Result<u8, _> = bounded(Bounds::default(), "Test", std::future::pending).await;
        assert!(matches!(answer, Err(AwsError::Unavailable { operation: "Test", .. })));
        assert_eq!(start.elapsed(), Duration::from_secs(12));
    }

    #[test]
    fn jitter_stays_between_half_and_all() {
        for _ in 0..1000 {
            let waited = jittered(Duration::from_secs(2));
            assert!((Duration::from_secs(1)..=Duration::from_secs(2)).contains(&waited), "{waited:?}");
        }
    }
}
