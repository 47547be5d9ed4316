//! From the process's arguments to its exit code.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use clap::Parser;

use super::arguments::{Arguments, Subcommands};
use super::exit::Exit;
use super::terminal::{Failure, complain};
use super::{
    admin, admin_keys, backtest, compare, explain, fidelity, gate, init, journal, load, mock,
    report, run, schema, serve, sweep, trace, tune, validate,
};

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // A panic has told already what was wrong, and where.
    let ended = catch_unwind(AssertUnwindSafe(|| carry_out(&arguments.command)));
    let ended = ended.unwrap_or_else(|_| {
        Err(Failure::internal("error: this is a bug in coalmine: please report what it said above"))
    });
    match ended {
        Ok(exit) => exit.into(),
        Err(failure) => {
            complain(&failure.message);
            failure.exit.into()
        }
    }
}

fn carry_out(command: &Subcommands) -> Result<Exit, Failure> {
    match command {
        Subcommands::Run(arguments) => run::run(arguments),
        Subcommands::Gate(arguments) => gate::gate(arguments),
        Subcommands::Sweep(arguments) => sweep::sweep(arguments),
        Subcommands::Tune(arguments) => tune::tune(arguments),
        Subcommands::Validate(arguments) => validate::validate(arguments),
        Subcommands::Init(arguments) => init::init(arguments),
        Subcommands::Explain(arguments) => explain::explain(arguments),
        Subcommands::Report(arguments) => report::report(arguments),
        Subcommands::Compare(arguments) => compare::compare(arguments),
        Subcommands::Fidelity(arguments) => fidelity::fidelity(arguments),
        Subcommands::Trace(command) => trace::trace(command),
        Subcommands::Backtest(arguments) => backtest::backtest(arguments),
        Subcommands::Serve(arguments) => serve::serve(arguments),
        Subcommands::Mock(arguments) => mock::mock(arguments),
        Subcommands::Load(arguments) => load::load(arguments),
        Subcommands::Journal(command) => journal::journal(command),
        Subcommands::Admin(arguments) => admin::admin(arguments),
        Subcommands::Keys(arguments) => admin_keys::keys(arguments),
        Subcommands::Schema { format } => schema::schema(*format),
    }
}
