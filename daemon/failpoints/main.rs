//! The daemon with fail points: beside the one that is released, so that a test has both.

use std::process::ExitCode;

fn main() -> ExitCode {
    tegata_daemon::app::main(std::env::args_os().skip(1))
}
