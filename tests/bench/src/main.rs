//! What the product promises about speed and memory, measured on this machine; ends with a failure when a promise is broken.
//!
//! Times are compared within one run only, where all take turns, so a slow or busy machine slows all alike. It needs
//! release builds, and the programs it compares with: `tests/bench/run` makes all of that and starts this.

#![allow(clippy::panic, clippy::expect_used, reason = "a measurement that cannot go on ends there, saying why")]

mod aws_cli;
mod calls;
mod first_call;
mod load;
mod mairu;
mod memory;
mod report;
mod samples;
mod throughput;

use report::Report;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["client", socket] => load::be_client(socket.as_ref()),
        [] => end(&run(&["calls", "throughput", "memory", "first-call"])),
        ref parts => end(&run(parts)),
    }
}

fn end(report: &Report) -> ExitCode {
    print!("{report}");
    if report.is_kept() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn run(parts: &[&str]) -> Report {
    let mut report = Report::default();
    for part in parts {
        eprintln!("bench: {part} …");
        match *part {
            "calls" => calls::measure(&mut report),
            "throughput" => throughput::measure(&mut report),
            "memory" => memory::measure(&mut report),
            "first-call" => first_call::measure(&mut report),
            other => panic!("{other}: not one of calls, throughput, memory, first-call"),
        }
    }
    report
}
