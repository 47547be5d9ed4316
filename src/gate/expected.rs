//! A verdict where its scenario expects another than a pass.

use crate::engine::Verdict;

/// The verdict that was `found` where the scenario expects `expected`: a pass if that was found, a
/// failure if not. A run that cannot be trusted stays so, whatever was expected of it.
pub(super) fn against(found: Verdict, expected: Verdict) -> Verdict {
    match found {
        Verdict::Invalid => Verdict::Invalid,
        found if found == expected => Verdict::Pass,
        _ => Verdict::Fail,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expected_failure_is_a_pass_and_a_missing_one_a_failure() {
        assert_eq!(against(Verdict::Fail, Verdict::Fail), Verdict::Pass);
        assert_eq!(against(Verdict::Pass, Verdict::Fail), Verdict::Fail);
        assert_eq!(against(Verdict::Inconclusive, Verdict::Fail), Verdict::Fail);
        assert_eq!(against(Verdict::Inconclusive, Verdict::Inconclusive), Verdict::Pass);
        assert_eq!(against(Verdict::Invalid, Verdict::Fail), Verdict::Invalid);
    }
}
