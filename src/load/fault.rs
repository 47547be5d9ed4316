//! Why a request brought no complete answer, from what the HTTP library says of it.

use std::error::Error;
use std::io;

use crate::exchange::Ending;

/// Why a request brought no complete answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Fault {
    pub(super) ending: Ending,
    /// What the connection says.
    pub(super) cause: Option<String>,
    /// Whether this machine had no room for it.
    pub(super) is_local: bool,
}

/// How far an answer had come when its connection failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stage {
    /// There was no connection yet.
    Connect,
    /// Its head had not come.
    Head,
    /// Its body was not whole.
    Body,
}

impl Fault {
    /// An ending by itself.
    pub(super) const fn of(ending: Ending) -> Self {
        Self { ending, cause: None, is_local: false }
    }

    /// An ending, and why.
    pub(super) fn told(ending: Ending, cause: impl Into<String>) -> Self {
        Self { ending, cause: Some(cause.into()), is_local: false }
    }

    /// A connection failed at this stage.
    pub(super) fn new(stage: Stage, error: &(dyn Error + 'static)) -> Self {
        let io = causes(error).filter_map(|cause| cause.downcast_ref::<io::Error>()).last();
        let is_garbage = causes(error)
            .filter_map(|cause| cause.downcast_ref::<hyper::Error>())
            .any(hyper::Error::is_parse);
        let kind = io.map(io::Error::kind);
        let ending = match (stage, kind) {
            (Stage::Connect, Some(io::ErrorKind::TimedOut)) => Ending::Timeout,
            (Stage::Connect, _) => Ending::Refused,
            _ if is_garbage => Ending::Malformed,
            // Its framing is none.
            (Stage::Body, Some(io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput)) => {
                Ending::Malformed
            }
            // The other side closed the connection in an orderly way, before all had come.
            (Stage::Body, Some(io::ErrorKind::UnexpectedEof)) => Ending::Truncated,
            _ => Ending::Reset,
        };
        let is_local = io.is_some_and(is_local);
        Self { ending, cause: Some(words(error)), is_local }
    }
}

/// Whether this machine had no descriptor or no port left.
fn is_local(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::AddrNotAvailable
        || matches!(error.raw_os_error(), Some(NO_FILES_OF_SYSTEM | NO_FILES_OF_PROCESS))
}

fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| (*error).source())
}

/// What an error and those that it comes from say, each once, on one line.
fn words(error: &(dyn Error + 'static)) -> String {
    let mut told: Vec<String> = Vec::new();
    for cause in causes(error) {
        let words = cause.to_string();
        if !told.iter().any(|known| known.contains(&words)) {
            told.push(words);
        }
    }
    let line = told.join(": ").replace(char::is_control, " ");
    line.chars().take(LONGEST_CAUSE).collect()
}

/// ENFILE and EMFILE, which have these numbers on Linux, macOS and the BSDs.
const NO_FILES_OF_SYSTEM: i32 = 23;
const NO_FILES_OF_PROCESS: i32 = 24;
/// Chosen: as much of a cause as a line can show.
const LONGEST_CAUSE: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(stage: Stage, error: &io::Error) -> Fault {
        Fault::new(stage, error)
    }

    #[test]
    fn what_a_failed_connection_means_depends_on_how_far_the_answer_was() {
        use io::ErrorKind::{
            BrokenPipe, ConnectionRefused, ConnectionReset, InvalidData, TimedOut, UnexpectedEof,
        };
        for (stage, kind, ending) in [
            (Stage::Connect, ConnectionRefused, Ending::Refused),
            (Stage::Connect, ConnectionReset, Ending::Refused),
            (Stage::Connect, TimedOut, Ending::Timeout),
            (Stage::Head, ConnectionReset, Ending::Reset),
            (Stage::Head, BrokenPipe, Ending::Reset),
            (Stage::Head, UnexpectedEof, Ending::Reset),
            (Stage::Body, ConnectionReset, Ending::Reset),
            (Stage::Body, UnexpectedEof, Ending::Truncated),
            (Stage::Body, InvalidData, Ending::Malformed),
        ] {
            assert_eq!(fault(stage, &kind.into()).ending, ending, "{stage:?} {kind:?}");
        }
    }

    #[test]
    fn what_this_machine_lacks_is_told_from_what_the_server_does() {
        for (number, is_local) in [(23, true), (24, true), (32, false)] {
            let error = io::Error::from_raw_os_error(number);
            assert_eq!(fault(Stage::Connect, &error).is_local, is_local, "{number}");
        }
        assert!(fault(Stage::Connect, &io::ErrorKind::AddrNotAvailable.into()).is_local);
        assert!(!fault(Stage::Connect, &io::ErrorKind::ConnectionRefused.into()).is_local);
    }

    #[test]
    fn a_cause_is_one_line_and_says_nothing_twice() {
        let error = io::Error::other(io::Error::other("broke\noff"));
        assert_eq!(words(&error), "broke off");
        assert_eq!(words(&io::Error::other("x".repeat(999))).len(), LONGEST_CAUSE);
    }
}
