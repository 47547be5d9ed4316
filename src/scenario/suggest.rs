//! "Did you mean": the known word nearest to one that is not known.

/// The word of `known` that `word` was probably meant to be.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let folded = fold(word);
    known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&folded, &fold(candidate)), candidate))
        // A third of the letters may be wrong; one may be in the shortest of words.
        .filter(|(distance, candidate)| *distance <= (candidate.chars().count() / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The words of `known` as a sentence part: `a, b, c`.
pub(crate) fn listing<'a>(known: impl IntoIterator<Item = &'a str>) -> String {
    known.into_iter().collect::<Vec<_>>().join(", ")
}

/// Case and the choice between `-`, `_` and space are no difference that a person sees. Cut, since
/// the comparison takes time with the square of the length.
fn fold(word: &str) -> String {
    word.chars()
        .take(60)
        .filter(|c| !matches!(c, '-' | '_' | ' '))
        .flat_map(char::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_recognised_and_strangers_are_not() {
        let known = ["latency", "failures", "for", "requests"];
        assert_eq!(nearest("latancy", known), Some("latency"));
        assert_eq!(nearest("Failure", known), Some("failures"));
        assert_eq!(nearest("fro", known), Some("for"));
        assert_eq!(nearest("banana", known), None);
        assert_eq!(nearest("error-rate", ["error_rate"]), Some("error_rate"));
    }
}
