//! What has to hold for every set of rules, tried on many: joining says the same in any order, and nothing loosens by it.

use super::demands::Demands;
use super::terms::{Decision, Terms};
use super::testing::{at, chain, profile, rules};
use super::*;

/// Terms, each in some strictnesses. Hours that are open now and hours that are not.
const TERMS: [&[&str]; 10] = [
    &["", "window = '5m'", "window = '15m'", "window = '12h'"],
    &["", "uses = 1", "uses = 7"],
    &["", "scope = 'user'", "scope = 'terminal'", "scope = 'request'"],
    &["", "reason = 'required'", "reason = { pattern = 'INC' }", "reason = { pattern = ['INC', 'x'] }"],
    &["", "approvals = 1", "approvals = 2"],
    &[
        "",
        "days = 'Mon-Fri'\ntime_zone = 'UTC'",
        "hours = '03:00-03:07'\ntime_zone = 'UTC'",
        "days = 'Sun'\ntime_zone = 'UTC'",
    ],
    &["", "device_bound = true"],
    &["", "session_policy = '{\"Statement\":[]}'", "session_policy = '{\"Statement\":{}}'"],
    &["", "alert = true"],
    &["", "review = true"],
];

/// Many sets of terms: every term alone in each strictness, and mixtures of them.
fn generated() -> Vec<Demands> {
    let alone = TERMS.iter().flat_map(|choices| choices.iter().map(|term| (*term).to_owned()));
    let mut state = 1_u32;
    let mut pick = |choices: &[&'static str]| {
        // Numerical Recipes' linear congruential generator: the same mixtures in every run.
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        choices[usize::try_from(state >> 16).unwrap() % choices.len()]
    };
    let mixed: Vec<String> = (0..25).map(|_| TERMS.map(&mut pick).join("\n")).collect();
    let texts = alone.chain(mixed).map(|terms| format!("[[rule]]\nrole = 'x'\ngate = 'passkey'\n{terms}\n"));
    texts
        .flat_map(|text| rules(&text))
        .map(|rule| match rule.gate {
            Gate::Passkey(demands) => demands,
            Gate::None => panic!("gate none"),
        })
        .collect()
}

fn join(one: &Demands, two: &Demands) -> Demands {
    one.clone().join(two.clone())
}

#[test]
fn joining_is_commutative_and_idempotent() {
    let all = generated();
    assert_eq!(all.len(), 56);
    for one in &all {
        assert_eq!(join(one, one), *one);
        for two in &all {
            assert_eq!(join(one, two), join(two, one));
        }
    }
}

#[test]
fn joining_is_associative() {
    let all = generated();
    for one in &all {
        for (two, three) in all.iter().zip(all.iter().skip(1)) {
            assert_eq!(join(&join(one, two), three), join(one, &join(two, three)));
        }
    }
}

#[test]
fn joining_is_monotone_and_as_strict_as_each() {
    let all = generated();
    for one in &all {
        for two in &all {
            let both = join(one, two);
            assert_eq!(both.weaker_than(one), Vec::<String>::new(), "{both:?} {one:?}");
            assert_eq!(
                one.weaker_than(&both).is_empty(),
                both == *one || hours_differ_only(one, &both),
                "{one:?} {both:?}"
            );
        }
    }
    for (one, two) in all.iter().zip(all.iter().skip(1)) {
        for three in all.iter().step_by(7) {
            assert!(join(&join(one, two), three).weaker_than(&join(one, three)).is_empty());
        }
    }
}

/// Wider hours beside narrower ones say nothing more.
fn hours_differ_only(one: &Demands, both: &Demands) -> bool {
    let hours_of_both = Demands { hours: both.hours.clone(), ..one.clone() };
    hours_of_both == *both && both.hours.iter().all(|hours| one.hours.iter().any(|own| own.are_within(hours)))
}

/// Whether a decision gives no more than another.
fn is_as_strict(this: &Decision, other: &Decision) -> bool {
    match (this, other) {
        (Decision::Denied(_), _) | (_, Decision::Open) => true,
        (Decision::Gated(this), Decision::Gated(other)) => terms_are_as_strict(this, other),
        (Decision::Open, _) | (Decision::Gated(_), Decision::Denied(_)) => false,
    }
}

fn terms_are_as_strict(this: &Terms, other: &Terms) -> bool {
    let patterns = |terms: &Terms| terms.reason.clone().map(|reason| reason.patterns);
    this.window <= other.window
        && other.uses.is_none_or(|most| this.uses.is_some_and(|uses| uses <= most))
        && this.scope >= other.scope
        && this.approvals >= other.approvals
        && patterns(other)
            .is_none_or(|wanted| patterns(this).is_some_and(|own| wanted.iter().all(|one| own.contains(one))))
        && this.device_bound >= other.device_bound
        && (other.session_policy.is_none() || this.session_policy == other.session_policy)
        && this.alert >= other.alert
        && this.review >= other.review
}

#[test]
fn another_passkey_rule_weakens_no_decision_without_being_called_weaker() {
    let all = generated();
    let matchers = ["role = 'Admin'", "role = 'Deploy'", "account = '*'", "profile = 'p'", "role = 'Other'"];
    let targets = [
        chain("Admin", &[]),
        chain("Dev", &["arn:aws:iam::222222222222:role/Admin"]),
        chain("Deploy", &["arn:aws:iam::222222222222:role/Dev"]),
    ];
    let matching = matchers.map(|matcher| rules(&format!("[[rule]]\n{matcher}\ngate = 'passkey'\n")).remove(0));
    let rule = |number: usize, demands: &Demands| {
        let rule = matching[number % matching.len()].clone();
        Rule { gate: Gate::Passkey(demands.clone()), ..rule }
    };
    let none = rules("[[rule]]\nname = 'none'\nrole = 'Admin'\ngate = 'none'\n");
    let now = at("2026-11-20T03:00:30Z");
    let mut loosened = 0;
    for (number, demands) in all.iter().enumerate() {
        let base = rule(number, demands);
        for (step, more) in all.iter().enumerate() {
            let added = rule(number + step, more);
            let taken_out = if step % 2 == 0 { none.clone() } else { Vec::new() };
            let before: Vec<Rule> = taken_out.into_iter().chain([base.clone()]).collect();
            let after: Vec<Rule> = [added.clone()].into_iter().chain(before.clone()).collect();
            let target = &targets[step % targets.len()];
            let decide = |own: &[Rule], organisation: &[Rule]| {
                Policy::new(own.to_vec(), organisation.to_vec()).decide(&profile("p"), target, step % 3 == 0, now)
            };
            let (was, is) = (decide(&before, &[]), decide(&after, &[]));
            let weaker = is_weaker(&before, &after);
            assert!(!weaker.is_empty() || is_as_strict(&is, &was), "{was:?} became {is:?} by {added:?}");
            let is_milder = !more.weaker_than(&Demands::default()).is_empty();
            assert!(weaker.is_empty() || is_milder, "{added:?} takes the place of nothing: {weaker:?}");
            let waiting: Vec<Rule> = before.iter().cloned().chain(until_accepted(&added)).collect();
            assert!(is_as_strict(&decide(&waiting, &[]), &was), "{added:?} loosens before it is accepted");
            if is_milder && !weaker.is_empty() {
                loosened += usize::from(!is_as_strict(&is, &was));
            }
            let reversed: Vec<Rule> = after.iter().rev().cloned().collect();
            assert_eq!(without_names(&decide(&reversed, &[])), without_names(&is), "the order of rules says nothing");
            assert_eq!(without_names(&decide(&before, &[added])), without_names(&is), "nor does who wrote them");
        }
    }
    assert!(loosened > 10, "{loosened}: what is called weaker is so, sometimes");
}

/// Of several rules that deny, any may be named.
fn without_names(decision: &Decision) -> Option<Terms> {
    match decision {
        Decision::Open => None,
        Decision::Gated(terms) => Some(terms.clone()),
        Decision::Denied(_) => Some(Demands::default().into_terms(vec!["denied".to_owned()])),
    }
}

#[test]
fn rules_that_are_not_weaker_decide_as_strictly() {
    let all = generated();
    let now = at("2026-11-20T03:00:30Z");
    let target = chain("Dev", &["arn:aws:iam::222222222222:role/Admin"]);
    let matchers =
        ["role = 'Admin'", "role = ['Admin', 'Dev']", "account = '222222222222'\nrole = 'Admin'", "account = '*'"];
    let matching = matchers.map(|matcher| rules(&format!("[[rule]]\n{matcher}\ngate = 'passkey'\n")).remove(0));
    let mut compared = 0;
    for (number, demands) in all.iter().enumerate() {
        for (step, more) in all.iter().enumerate() {
            let make = |matcher: usize, demands: &Demands| {
                [Rule { gate: Gate::Passkey(demands.clone()), ..matching[matcher % matching.len()].clone() }]
            };
            let (accepted, new) = (make(number, demands), make(number + step % 2 * 3, more));
            if is_weaker(&accepted, &new).is_empty() {
                let decide =
                    |rules: &[Rule]| Policy::new(rules.to_vec(), Vec::new()).decide(&profile("p"), &target, true, now);
                assert!(is_as_strict(&decide(&new), &decide(&accepted)), "{accepted:?} {new:?}");
                compared += 1;
            }
        }
    }
    assert!(compared > 100, "{compared}");
}
