//! From the process's arguments to its exit code.

use std::process::ExitCode;

use clap::Parser;

use super::arguments::{Arguments, Subcommands};
use super::terminal::complain;
use super::{compare, explain, init, report, run, schema, validate};

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let ended = match &arguments.command {
        Subcommands::Run(arguments) => run::run(arguments),
        Subcommands::Validate(arguments) => validate::validate(arguments),
        Subcommands::Init(arguments) => init::init(arguments),
        Subcommands::Explain(arguments) => explain::explain(arguments),
        Subcommands::Report(arguments) => report::report(arguments),
        Subcommands::Compare(arguments) => compare::compare(arguments),
        Subcommands::Schema { format } => schema::schema(*format),
    };
    match ended {
        Ok(exit) => exit.into(),
        Err(failure) => {
            complain(&failure.message);
            failure.exit.into()
        }
    }
}
