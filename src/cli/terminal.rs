//! What is said to whom: results on stdout, all else on stderr.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::ops::ControlFlow;
use std::path::Path;

use terminal_size::terminal_size_of;

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

    /// A file could not be written.
    pub(super) fn unwritten(path: &Path, error: &io::Error) -> Self {
        Self::internal(format!("error: cannot write {}: {error}", path.display()))
    }

    /// The command line asks for what cannot be.
    pub(super) fn usage(message: impl Display) -> Self {
        Self { exit: Exit::Usage, message: message.to_string() }
    }

    /// The machine failed us.
    pub(super) fn internal(message: impl Display) -> Self {
        Self { exit: Exit::Internal, message: message.to_string() }
    }
}

/// Writes results to stdout. A reader that has gone away is no error: it has seen enough.
pub(super) fn print(text: &str) -> Result<(), Failure> {
    print_while_read(text).map(|_| ())
}

/// Writes results to stdout, for what goes on until nobody reads it: `Break` where the reader has
/// gone away.
pub(super) fn print_while_read(text: &str) -> Result<ControlFlow<()>, Failure> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Ok(()) => Ok(ControlFlow::Continue(())),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(ControlFlow::Break(())),
        Err(error) => Err(Failure::internal(format!("error: cannot write to stdout: {error}"))),
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

/// Whether stdout shows letters beyond those of ASCII: it does unless it is a terminal of another
/// encoding. Where no locale is set, as in many containers, terminals are of UTF-8 all the same.
pub(super) fn shows_unicode() -> bool {
    !io::stdout().is_terminal() || is_utf8(|name| std::env::var_os(name)?.into_string().ok())
}

/// Whether the locale is one of UTF-8, or none is set: the first of these variables that is set
/// decides, as POSIX has it.
fn is_utf8(variable: impl Fn(&str) -> Option<String>) -> bool {
    let set = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().filter_map(variable);
    let locale = { set }.find(|value| !value.is_empty());
    locale.is_none_or(|locale| {
        let locale = locale.to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    })
}

/// The width of the terminal that stdout is, or what `COLUMNS` says where it does not tell its own,
/// or that of a common one.
pub(super) fn width() -> usize {
    let terminal = terminal_size_of(io::stdout()).map(|(width, _)| usize::from(width.0));
    let told = || columns_told(&std::env::var_os("COLUMNS")?.into_string().ok()?);
    terminal.or_else(told).unwrap_or(FALLBACK_WIDTH)
}

/// The columns that a text says, as shells set them; `None` where it is no number above 0.
fn columns_told(text: &str) -> Option<usize> {
    text.trim().parse().ok().filter(|columns| *columns > 0)
}

/// Chosen: what CI logs and e-mails show without wrapping.
const FALLBACK_WIDTH: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_a_number_above_0() {
        let told = ["60", " 132 ", "0", "-1", "", "wide"].map(columns_told);
        assert_eq!(told, [Some(60), Some(132), None, None, None, None]);
    }

    #[test]
    fn the_first_variable_that_is_set_says_the_encoding() {
        let of = |set: &[(&str, &str)]| {
            is_utf8(|name| {
                let value = set.iter().find(|(variable, _)| *variable == name);
                value.map(|(_, value)| (*value).to_owned())
            })
        };
        assert!(of(&[]));
        assert!(of(&[("LANG", "de_DE.UTF-8")]) && of(&[("LC_ALL", "C.utf8")]));
        assert!(!of(&[("LANG", "de_DE.ISO-8859-1")]) && !of(&[("LANG", "C")]));
        assert!(!of(&[("LC_ALL", "POSIX"), ("LANG", "en_US.UTF-8")]));
        assert!(of(&[("LC_ALL", ""), ("LC_CTYPE", "en_US.UTF-8"), ("LANG", "C")]));
    }
}
