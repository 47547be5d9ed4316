//! What is wrong with a result that was read, and where. Knows not what is checked.

/// What is wrong with a result.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{place}: {problem}")]
pub struct Unsound {
    /// Where in the file.
    place: String,
    /// What is wrong there.
    problem: String,
}

/// Says what is wrong at a place.
///
/// # Errors
/// Always: with that.
pub(super) fn refuse<T>(place: &str, problem: String) -> Result<T, Unsound> {
    Err(Unsound { place: place.to_owned(), problem })
}
