//! The body of the fuzz target for operations on an engine.

use super::{Case, Operation, play};

/// Plays `bytes` as a case: as lines of JSON if they begin with a brace, else byte by byte.
///
/// # Panics
/// Something does not hold that must: with the case as lines of JSON, which this plays again.
pub fn fuzz_operations(bytes: &[u8]) {
    let Some(case) = case(bytes) else { return };
    if let Err(refuted) = play(&case) {
        panic!("{refuted}\n{}", case.to_lines());
    }
    let read = Case::read(&case.to_lines());
    assert_eq!(read.ok().as_ref(), Some(&case), "a case is not read as it was written");
}

/// `None`: the bytes are no case, or one that would take too long.
fn case(bytes: &[u8]) -> Option<Case> {
    if bytes.first() != Some(&b'{') {
        return Some(Case::from_bytes(bytes));
    }
    let case = Case::read(std::str::from_utf8(bytes).ok()?).ok()?;
    let wait = |operation: &Operation| match operation {
        Operation::Wait(millis) => i64::from(*millis).max(0),
        _ => 0,
    };
    let millis: i64 = case.operations.iter().map(wait).sum();
    let short = case.operations.len() <= Case::MOST_OPERATIONS && millis <= LONGEST_MILLIS;
    short.then_some(case)
}

/// An hour. Chosen: thousands of checks.
const LONGEST_MILLIS: i64 = 3_600_000;
