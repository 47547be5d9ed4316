//! Exit codes: the one place that knows them.

use std::process::ExitCode;

use crate::gate::{Judgement, Verdict};

/// How the process ends. The numbers are a promise to CI jobs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    /// The gate holds, or there was none and all went well.
    Pass = 0,
    /// A bug in coalmine, or the machine failed it (a full disk), or the gateway that it asks.
    Internal = 1,
    /// The command line makes no sense, or a gateway refuses what it asks for. clap ends the
    /// process with the same number.
    Usage = 2,
    /// A file is invalid.
    InvalidInput = 3,
    /// A verdict was wanted and there is nothing to judge: a folder without scenarios. `run` wants
    /// none where a scenario has no gate.
    NothingToEvaluate = 4,
    /// The gate cannot be decided with the data there is.
    Inconclusive = 5,
    /// The run cannot be trusted.
    InvalidRun = 6,
    /// The gate does not hold, or a comparison found what it was to fail on.
    GateFailed = 99,
    /// A signal asked to end: 128 and the number of SIGINT, as shells have it.
    Interrupted = 130,
}

impl Exit {
    /// The code for a judgement. `inconclusive_passes`: whether a gate that cannot be decided is
    /// let through. Without a gate there is nothing to fail.
    pub(super) fn of(judgement: &Judgement, inconclusive_passes: bool) -> Self {
        let Judgement::Judged(judged) = judgement else {
            return Self::Pass;
        };
        match judged.verdict {
            Verdict::Pass => Self::Pass,
            Verdict::Inconclusive if inconclusive_passes => Self::Pass,
            Verdict::Inconclusive => Self::Inconclusive,
            Verdict::Fail => Self::GateFailed,
            Verdict::Invalid => Self::InvalidRun,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// For `--help`.
pub(super) const EXIT_CODES: &str = "\
Exit codes:
  0 pass   1 internal error   2 usage   3 invalid input file   4 nothing to evaluate
  5 inconclusive   6 invalid run   99 gate failed   130 interrupted";
