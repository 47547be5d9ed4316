//! What a trace must say, since nothing else of the workload does.

/// What every row of a trace must say, since nothing else does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Needs {
    /// Its session.
    pub sessions: bool,
    /// How many tokens the request has.
    pub tokens: bool,
}
