//! One call of a command, from start to end, by everybody in turns.

use crate::aws_cli::AwsCli;
use crate::mairu::Mairu;
use crate::report::{Bound, Report, ratio};
use crate::samples::Samples;
use std::process::{Command, Stdio};
use std::time::Instant;
use tegata_sandbox::Operation;
use tegata_tests::product::Product;
use tegata_tests::program;

/// How often the floor and our two are called.
const ROUNDS: usize = 10_000;
/// Rounds before those that count.
const WARM_UP: usize = 200;
/// In how many rounds mairu and AWS CLI, which need much longer, come once, and a shell's prompt.
const OTHERS_EVERY: [(usize, usize); 3] = [(3, 11), (4, 251), (5, 5)];
/// Every order of the floor and our two.
const ORDERS: [[usize; 3]; 6] = [[0, 1, 2], [1, 2, 0], [2, 0, 1], [0, 2, 1], [2, 1, 0], [1, 0, 2]];
/// How many profiles a large AWS config has.
const MANY_PROFILES: usize = 10_000;

/// A command that is called again and again.
struct Contestant {
    command: Command,
    samples: Samples,
}

impl Contestant {
    fn new(mut command: Command) -> Self {
        command.stdout(Stdio::null());
        Self { command, samples: Samples::default() }
    }

    fn call(&mut self, counts: bool) {
        let begun = Instant::now();
        let status = self.command.status();
        let took = begun.elapsed();
        assert!(status.as_ref().is_ok_and(|status| status.success()), "{:?}: {status:?}", self.command);
        if counts {
            self.samples.add(took);
        }
    }
}

/// Measures a warm call against the floor, other tools, and itself with many profiles.
pub(crate) fn measure(report: &mut Report) {
    let few = serving(10);
    let many = serving(MANY_PROFILES);
    let (mairu, aws_cli) = (Mairu::start(), AwsCli::signed_in());
    let mut floor = few.command(program("bench-floor"));
    floor.arg(few.socket()).arg("dev");
    let last = format!("p{}", MANY_PROFILES - 1);
    same_answer(floor.get_program(), &few);
    let mut contestants = [
        floor,
        few.tegata(&["credential-process", "--profile", "dev"]),
        many.tegata(&["credential-process", "--profile", &last]),
        mairu.credential_process(),
        aws_cli.export_credentials(),
        prompt(&few),
    ]
    .map(Contestant::new);
    take_turns(&mut contestants);
    for product in [&few, &many] {
        assert_eq!(product.sandbox().calls(Operation::GetRoleCredentials), 1, "a warm call asked AWS");
    }
    assert_eq!(mairu.assumed(), 1, "mairu's cache was not warm");
    assert_eq!(aws_cli.asked(), 1, "AWS CLI's cache was not warm");
    tell(report, &contestants.map(|contestant| contestant.samples));
}

/// What a shell runs before a prompt.
fn prompt(product: &Product) -> Command {
    let prompt = || {
        let mut command = product.tegata(&["prompt", "--segment", "bash"]);
        command.env("AWS_PROFILE", "dev");
        command
    };
    let printed = tegata_tests::product::run(&mut prompt());
    assert!(printed.stdout.starts_with("(dev ") && printed.stdout.ends_with("m) "), "{printed:?}");
    prompt()
}

/// A product with so many profiles that is signed in and has served the last one of them, and `dev`.
fn serving(profiles: usize) -> Product {
    let mut product = Product::new();
    let mut config = product.default_aws_config();
    for number in 2..profiles {
        config += &format!(
            "[profile p{number}]\nregion = us-east-1\ntegata_sso_session = corp\n\
             tegata_sso_account_id = 123456789012\ntegata_sso_role_name = ReadOnly\n\n"
        );
    }
    product.write_aws_config(&config);
    product.start_daemon();
    product.sign_in();
    assert_eq!(product.credentials("dev").code, 0);
    product
}

/// The floor must print what the command line prints.
fn same_answer(floor: &std::ffi::OsStr, product: &Product) {
    let mut command = product.command(floor);
    let printed = tegata_tests::product::run(command.arg(product.socket()).arg("dev"));
    assert_eq!(printed.stdout.trim_end(), product.credentials("dev").stdout.trim_end());
}

/// Calls everybody in turns.
fn take_turns(contestants: &mut [Contestant]) {
    for round in 0..WARM_UP + ROUNDS {
        for at in turns(round) {
            if let Some(contestant) = contestants.get_mut(at) {
                contestant.call(round >= WARM_UP);
            }
        }
    }
}

/// Returns who is called in a round, in order: now and then the others, then the three that are compared with each other.
/// Whoever comes after a large program finds the processor's caches full of it, so the three take every order in
/// turn, and the numbers that say how often the others come share no factor with how many orders there are.
fn turns(round: usize) -> impl Iterator<Item = usize> {
    let others = OTHERS_EVERY.into_iter().filter(move |(_, every)| round.is_multiple_of(*every)).map(|(at, _)| at);
    others.chain(ORDERS[round % ORDERS.len()])
}

fn tell(report: &mut Report, [floor, tegata, many, mairu, aws_cli, prompt]: &[Samples; 6]) {
    report.time("floor: one round trip, bytes printed", floor);
    report.time("`tegata credential-process`, 10 profiles", tegata);
    report.time("`tegata credential-process`, 10,000 profiles", many);
    report.time("mairu 0.12 `credential-process`", mairu);
    report.time("AWS CLI 2.38.5 `configure export-credentials`", aws_cli);
    report.time("`tegata prompt`, from memory", prompt);
    let [median, p99] = [Samples::median, Samples::p99];
    report.promise(
        "warm call, median, to the floor's",
        Bound::AtMost(1.15),
        ratio(median(tegata), median(floor)),
        " ×",
    );
    report.promise("warm call, p99, to the floor's", Bound::AtMost(1.15), ratio(p99(tegata), p99(floor)), " ×");
    report.promise("faster than mairu", Bound::AtLeast(4.0), ratio(median(mairu), median(tegata)), " ×");
    report.promise("faster than AWS CLI", Bound::AtLeast(400.0), ratio(median(aws_cli), median(tegata)), " ×");
    report.promise("prompt, median, to the floor's", Bound::AtMost(1.3), ratio(median(prompt), median(floor)), " ×");
    report.promise("10,000 profiles to 10", Bound::AtMost(1.1), ratio(median(many), median(tegata)), " ×");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_of_the_three_comes_in_each_place_after_another_one_equally_often() {
        let mut places = [[[0; 3]; 3]; 3];
        for round in 0..11 * 251 * 5 * ORDERS.len() {
            let order: Vec<_> = turns(round).collect();
            let (others, three) = order.split_at(order.len() - 3);
            for other in others {
                three.iter().enumerate().for_each(|(place, who)| places[other - 3][place][*who] += 1);
            }
        }
        assert_eq!(places, [[[2 * 251 * 5; 3]; 3], [[2 * 11 * 5; 3]; 3], [[2 * 11 * 251; 3]; 3]]);
    }

    #[test]
    fn each_of_the_three_is_called_once_a_round() {
        for order in ORDERS {
            assert!((0..3).all(|who| order.contains(&who)), "{order:?}");
        }
    }
}
