//! What was measured, beside what was promised.

use crate::samples::Samples;
use std::fmt::{self, Display, Formatter};
use std::time::Duration;

/// Everything that was measured.
#[derive(Debug, Default)]
pub(crate) struct Report {
    times: Vec<(String, Samples)>,
    promises: Vec<Promise>,
    notes: Vec<String>,
}

/// A bound, and where the product stands.
#[derive(Debug)]
struct Promise {
    what: String,
    bound: Bound,
    measured: f64,
    unit: &'static str,
}

/// What a number must not pass.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Bound {
    /// This much or less.
    AtMost(f64),
    /// This much or more.
    AtLeast(f64),
}

impl Bound {
    fn holds(self, measured: f64) -> bool {
        match self {
            Self::AtMost(most) => measured <= most,
            Self::AtLeast(least) => measured >= least,
        }
    }
}

impl Report {
    /// Adds how long something takes.
    pub(crate) fn time(&mut self, what: &str, samples: &Samples) {
        self.times.push((what.to_owned(), samples.clone()));
    }

    /// Adds a promise and what was measured of it.
    pub(crate) fn promise(&mut self, what: &str, bound: Bound, measured: f64, unit: &'static str) {
        self.promises.push(Promise { what: what.to_owned(), bound, measured, unit });
    }

    /// Adds a line for the reader.
    pub(crate) fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    /// Returns whether every promise was kept.
    pub(crate) fn is_kept(&self) -> bool {
        self.promises.iter().all(|promise| promise.bound.holds(promise.measured))
    }
}

/// Returns how often `part` goes into `whole`.
pub(crate) fn ratio(whole: Duration, part: Duration) -> f64 {
    whole.as_secs_f64() / part.as_secs_f64()
}

fn milliseconds(duration: Duration) -> String {
    format!("{:.3} ms", duration.as_secs_f64() * 1000.0)
}

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if !self.times.is_empty() {
            writeln!(f, "\n| call | n | median | p99 |\n|---|---:|---:|---:|")?;
        }
        for (what, samples) in &self.times {
            let (median, p99) = (milliseconds(samples.median()), milliseconds(samples.p99()));
            writeln!(f, "| {what} | {} | {median} | {p99} |", samples.count())?;
        }
        writeln!(f, "\n| promise | bound | measured | |\n|---|---:|---:|---|")?;
        for Promise { what, bound, measured, unit } in &self.promises {
            let (sign, limit) = match bound {
                Bound::AtMost(most) => ("≤", most),
                Bound::AtLeast(least) => ("≥", least),
            };
            let verdict = if bound.holds(*measured) { "kept" } else { "**missed**" };
            writeln!(f, "| {what} | {sign} {limit}{unit} | {measured:.2}{unit} | {verdict} |")?;
        }
        self.notes.iter().try_for_each(|note| writeln!(f, "\n{note}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_missed_promise_is_enough_to_fail() {
        let mut report = Report::default();
        report.promise("kept", Bound::AtMost(1.15), 1.15, " ×");
        assert!(report.is_kept());
        report.promise("missed", Bound::AtLeast(4.0), 3.99, " ×");
        assert!(!report.is_kept());
        assert!(report.to_string().contains("| missed | ≥ 4 × | 3.99 × | **missed** |"), "{report}");
    }

    #[test]
    fn a_number_that_is_none_keeps_nothing() {
        assert!(!Bound::AtMost(1.0).holds(f64::NAN) && !Bound::AtLeast(1.0).holds(f64::NAN));
    }
}
