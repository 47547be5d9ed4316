//! The door: hands the process's arguments to the library and its answer to the system.

use std::process::ExitCode;

fn main() -> ExitCode {
    coalmine::cli::main()
}
