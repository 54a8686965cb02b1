//! The daemon. Everything is in the library, so that tests can hold each part.

use std::process::ExitCode;

fn main() -> ExitCode {
    tegata_daemon::app::main(std::env::args_os().skip(1))
}
