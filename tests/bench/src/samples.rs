//! Durations of one thing done many times.

use std::time::Duration;

/// How long one thing took, each time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Samples(Vec<Duration>);

impl Samples {
    /// Adds one.
    pub(crate) fn add(&mut self, duration: Duration) {
        self.0.push(duration);
    }

    /// Returns how many there are.
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// Returns the duration that half of them do not exceed.
    pub(crate) fn median(&self) -> Duration {
        self.quantile(50)
    }

    /// Returns the duration that 99 of 100 do not exceed.
    pub(crate) fn p99(&self) -> Duration {
        self.quantile(99)
    }

    /// The smallest duration that so many per cent do not exceed (nearest rank); zero of nothing.
    fn quantile(&self, percent: usize) -> Duration {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let rank = (sorted.len() * percent).div_ceil(100);
        sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(milliseconds: impl IntoIterator<Item = u64>) -> Samples {
        Samples(milliseconds.into_iter().map(Duration::from_millis).collect())
    }

    #[test]
    fn quantiles_are_by_nearest_rank() {
        let samples = of((1..=200).rev());
        assert_eq!((samples.median(), samples.p99()), (Duration::from_millis(100), Duration::from_millis(198)));
        assert_eq!(of([7]).p99(), Duration::from_millis(7));
        assert_eq!(of([]).median(), Duration::ZERO);
    }
}
