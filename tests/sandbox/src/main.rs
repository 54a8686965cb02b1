//! The sandbox as a program, for demonstrations and shell tests.

use std::process::ExitCode;

mod command_line;

fn main() -> ExitCode {
    command_line::run(std::env::args().skip(1))
}
