//! How many requests are answered in a time, against servers that do nothing but answer.

use crate::load::{self, CLIENTS, Work};
use crate::report::{Bound, Report};
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::Duration;
use tegata_tests::product::{Product, wait_until};
use tegata_tests::program;

/// How long each server is asked, each time it has its turn.
const TURN: Duration = Duration::from_millis(1500);
/// Turns that count, after one that does not.
const TURNS: usize = 9;

/// A bare server; ends with the value.
struct Bare(Child);

impl Drop for Bare {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Measures requests per second at many clients, everybody in turns.
pub(crate) fn measure(report: &mut Report) {
    let mut product = Product::new();
    product.start_daemon();
    product.sign_in();
    assert_eq!(product.credentials("dev").code, 0);
    let (_threads, by_threads) = bare(&product, "threads");
    let (_tokio, by_tokio) = bare(&product, "tokio");
    let sockets = [product.socket(), by_threads, by_tokio];
    let mut rates = [const { Vec::new() }; 3];
    for turn in 0..=TURNS {
        for place in 0..sockets.len() {
            let at = (turn + place) % sockets.len();
            let answers = load::ask(&sockets[at], Work::For(TURN));
            if turn > 0 {
                rates[at].push(answers);
            }
        }
    }
    let [tegata, threads, tokio] = rates.map(per_second);
    let faster = threads.max(tokio);
    report.promise("throughput at 64 clients, to the faster bare server's", Bound::AtLeast(0.5), tegata / faster, " ×");
    report.note(format!(
        "Requests per second at {CLIENTS} clients, a connection for each: tegatad {tegata:.0}, bare server of blocking \
         threads {threads:.0}, bare server on tokio {tokio:.0}."
    ));
}

/// The median of the turns.
fn per_second(mut turns: Vec<u64>) -> f64 {
    turns.sort_unstable();
    turns.get(turns.len() / 2).map_or(f64::NAN, |answers| *answers as f64 / TURN.as_secs_f64())
}

/// Starts a bare server which appends lines as long as the daemon's records and answers what the daemon answers.
fn bare(product: &Product, way: &str) -> (Bare, PathBuf) {
    let answer = product.path("answer");
    std::fs::write(&answer, load::one_answer(&product.socket())).expect("the answer is kept");
    let record = product.audit().pop().expect("there are records").to_string();
    let socket = product.path(format!("bare-{way}.sock"));
    let mut command = product.command(program("bench-bare-server"));
    command.arg(way).arg(&socket).arg(product.path(format!("bare-{way}.log"))).arg((record.len() + 1).to_string());
    command.arg(&answer).stdout(Stdio::null());
    let server = Bare(command.spawn().expect("the bare server starts"));
    wait_until("the bare server listens", || socket.exists());
    (server, socket)
}
