//! What was refused is not asked again at once: against wearing a person down (MFA fatigue). Pure; time is given.

use crate::grant::Holder;
use crate::profile::Chain;
use std::sync::Arc;
use std::time::Duration;

/// How long a refusal answers for the same target and holder.
pub(super) const REMEMBERED_FOR: Duration = Duration::from_secs(10 * 60);

/// How long a target is not asked for at all by tools, once it was refused so often.
pub(super) const COOL_DOWN: Duration = Duration::from_secs(15 * 60);

/// How many refusals within [`COOL_DOWN`] start it.
pub(super) const COOLS_DOWN_AFTER: usize = 2;

/// The refusals of the last minutes. Times are boot times.
#[derive(Debug, Default)]
pub(super) struct Refusals(Vec<Refusal>);

#[derive(Debug)]
struct Refusal {
    chain: Arc<Chain>,
    holder: Holder,
    at: Duration,
}

impl Refusals {
    /// Takes note that a person refused.
    pub(super) fn note(&mut self, chain: &Arc<Chain>, holder: &Holder, now: Duration) {
        self.0.retain(|refusal| now < refusal.at + COOL_DOWN);
        self.0.push(Refusal { chain: Arc::clone(chain), holder: holder.clone(), at: now });
    }

    /// Whether a tool's request for this target is answered by what was refused before.
    pub(super) fn answers(&self, chain: &Chain, holder: &Holder, now: Duration) -> bool {
        let of_target = self.0.iter().filter(|refusal| *refusal.chain == *chain);
        let recent: Vec<_> = of_target.filter(|refusal| now < refusal.at + COOL_DOWN).collect();
        let same = |refusal: &&Refusal| refusal.holder == *holder && now < refusal.at + REMEMBERED_FOR;
        recent.len() >= COOLS_DOWN_AFTER || recent.into_iter().any(|refusal| same(&refusal))
    }

    /// Forgets what was refused for a target: a person has just approved it.
    pub(super) fn forget(&mut self, chain: &Chain) {
        self.0.retain(|refusal| *refusal.chain != *chain);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::requests::testing::{chain, program};

    const AT: Duration = Duration::from_secs(1000);
    const SECOND: Duration = Duration::from_secs(1);
    const TEN_MINUTES: Duration = Duration::from_secs(600);
    const A_QUARTER: Duration = Duration::from_secs(900);

    #[test]
    fn k10_a_refusal_answers_its_target_and_holder_for_ten_minutes() {
        let mut refusals = Refusals::default();
        refusals.note(&chain("Admin"), &program(1), AT);
        assert!(refusals.answers(&chain("Admin"), &program(1), AT + TEN_MINUTES - SECOND));
        assert!(!refusals.answers(&chain("Admin"), &program(1), AT + TEN_MINUTES));
    }

    #[test]
    fn k10_after_two_refusals_nobody_asks_for_a_quarter_of_an_hour() {
        let mut refusals = Refusals::default();
        refusals.note(&chain("Admin"), &program(1), AT);
        refusals.note(&chain("Admin"), &program(2), AT);
        assert!(refusals.answers(&chain("Admin"), &program(3), AT + A_QUARTER - SECOND));
        assert!(!refusals.answers(&chain("Admin"), &program(3), AT + A_QUARTER));
    }

    #[test]
    fn k10_twin_others_may_ask_and_an_approval_clears_the_way() {
        let mut refusals = Refusals::default();
        refusals.note(&chain("Admin"), &program(1), AT);
        assert!(!refusals.answers(&chain("Admin"), &program(2), AT));
        assert!(!refusals.answers(&chain("Other"), &program(1), AT));
        refusals.forget(&chain("Admin"));
        assert!(!refusals.answers(&chain("Admin"), &program(1), AT));
    }
}
