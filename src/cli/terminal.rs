//! What is said to whom: results on stdout, all else on stderr.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

use super::exit::Exit;

/// A command that could not do its work: what to say, and how the process ends.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Failure {
    pub(super) exit: Exit,
    pub(super) message: String,
}

impl Failure {
    /// An input file is invalid.
    pub(super) fn input(message: impl Display) -> Self {
        Self { exit: Exit::InvalidInput, message: message.to_string() }
    }

    /// The machine failed us.
    pub(super) fn internal(message: impl Display) -> Self {
        Self { exit: Exit::Internal, message: message.to_string() }
    }
}

/// Writes results to stdout. A reader that has gone away is no error: it has seen enough.
pub(super) fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::internal(format!("error: cannot write to stdout: {error}")))
        }
        _ => Ok(()),
    }
}

/// Writes a message to stderr; where that is gone there is nobody left to tell.
pub(super) fn complain(message: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", message.trim_end());
}

/// Whether stdout may be coloured: it is a terminal, and nobody has asked for none.
pub(super) fn wants_colour() -> bool {
    io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// The width of the terminal that stdout is, or of a common one.
pub(super) fn width() -> usize {
    let terminal = terminal_size::terminal_size();
    terminal.map_or(FALLBACK_WIDTH, |(width, _)| usize::from(width.0))
}

/// Chosen: what CI logs and e-mails show without wrapping.
const FALLBACK_WIDTH: usize = 100;
