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

/// How often everybody whose turn is every round is called.
const ROUNDS: usize = 10_000;
/// Rounds before those that count.
const WARM_UP: usize = 200;
/// How many profiles a large AWS config has.
const MANY_PROFILES: usize = 10_000;

/// A command that is called again and again.
struct Contestant {
    command: Command,
    /// Called every so many rounds.
    every: usize,
    samples: Samples,
}

impl Contestant {
    fn new(command: Command, every: usize) -> Self {
        Self { command, every, samples: Samples::default() }
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
    let commands = [
        (floor, 1),
        (few.tegata(&["credential-process", "--profile", "dev"]), 1),
        (many.tegata(&["credential-process", "--profile", &last]), 1),
        (mairu.credential_process(), 10),
        (aws_cli.export_credentials(), 250),
    ];
    same_answer(commands[0].0.get_program(), &few);
    let mut contestants = commands.map(|(command, every)| Contestant::new(command, every));
    for contestant in &mut contestants {
        contestant.command.stdout(Stdio::null());
    }
    take_turns(&mut contestants);
    for product in [&few, &many] {
        assert_eq!(product.sandbox().calls(Operation::GetRoleCredentials), 1, "a warm call asked AWS");
    }
    assert_eq!(mairu.assumed(), 1, "mairu's cache was not warm");
    assert_eq!(aws_cli.asked(), 1, "AWS CLI's cache was not warm");
    tell(report, &contestants.map(|contestant| contestant.samples));
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

/// Calls everybody in turns. Who begins changes from round to round, so that nobody always comes after the same one.
fn take_turns(contestants: &mut [Contestant]) {
    for round in 0..WARM_UP + ROUNDS {
        for turn in 0..contestants.len() {
            let at = (round + turn) % contestants.len();
            if let Some(contestant) = contestants.get_mut(at).filter(|one| round % one.every == 0) {
                contestant.call(round >= WARM_UP);
            }
        }
    }
}

fn tell(report: &mut Report, [floor, tegata, many, mairu, aws_cli]: &[Samples; 5]) {
    report.time("floor: one round trip, bytes printed", floor);
    report.time("`tegata credential-process`, 10 profiles", tegata);
    report.time("`tegata credential-process`, 10,000 profiles", many);
    report.time("mairu 0.12 `credential-process`", mairu);
    report.time("AWS CLI 2.38.5 `configure export-credentials`", aws_cli);
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
    report.promise("10,000 profiles to 10", Bound::AtMost(1.1), ratio(median(many), median(tegata)), " ×");
}
