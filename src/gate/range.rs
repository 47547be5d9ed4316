//! Where one side of a line may lie, and what follows for a comparison of two.

use super::Verdict;
use crate::assertion::{Comparison, Operation};
use crate::summary::{Estimate, Limits};

/// Where the true value of one side may lie; a point for what is exact.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Range {
    /// From `low` to `high`, both included; infinite where a limit is not known.
    Known { low: f64, high: f64 },
    /// Exactly: later than any time.
    Never,
    /// There is no data, or too little for any limit.
    Unknown,
}

impl Range {
    pub(super) const fn point(value: f64) -> Self {
        Self::Known { low: value, high: value }
    }

    /// The value, of a point.
    pub(super) fn value(self) -> Option<f64> {
        match self {
            Self::Known { low, high } if low.to_bits() == high.to_bits() => Some(low),
            _ => None,
        }
    }

    /// The smallest range that holds both.
    pub(super) fn hull(self, other: Self) -> Self {
        match (self, other) {
            (Self::Known { low, high }, Self::Known { low: other_low, high: other_high }) => {
                Self::Known { low: low.min(other_low), high: high.max(other_high) }
            }
            (one, other) if one == other => one,
            // From a time to never there is no bound.
            (Self::Known { low, .. }, Self::Never) | (Self::Never, Self::Known { low, .. }) => {
                Self::Known { low, high: f64::INFINITY }
            }
            _ => Self::Unknown,
        }
    }

    pub(super) fn of(estimate: &Estimate) -> Self {
        let Some(value) = estimate.value else {
            return if estimate.infinite { Self::Never } else { Self::Unknown };
        };
        if estimate.exact {
            return Self::point(value);
        }
        match estimate.interval {
            Some(Limits { low, high }) => Self::Known {
                low: low.unwrap_or(f64::NEG_INFINITY),
                high: high.unwrap_or(f64::INFINITY),
            },
            None => Self::Unknown,
        }
    }
}

/// The range of what an operation makes of two values that lie in these ranges, whatever they have
/// to do with each other.
pub(super) fn operate(left: Range, operation: Operation, right: Range) -> Range {
    let (one, other) = match (left, right) {
        (Range::Known { low, high }, Range::Known { low: other_low, high: other_high }) => {
            ((low, high), (other_low, other_high))
        }
        // Later than any time it stays, whatever finite is done to it that keeps its sign.
        (Range::Never, Range::Known { low, .. }) => {
            let scales = matches!(operation, Operation::Times | Operation::Over);
            return if !scales || low > 0.0 { Range::Never } else { Range::Unknown };
        }
        (Range::Known { low, .. }, Range::Never) => {
            let stays = match operation {
                Operation::Plus => true,
                Operation::Times => low > 0.0,
                Operation::Minus | Operation::Over => false,
            };
            return if stays { Range::Never } else { Range::Unknown };
        }
        _ => return Range::Unknown,
    };
    let (low, high) = match operation {
        Operation::Plus => (one.0 + other.0, one.1 + other.1),
        Operation::Minus => (one.0 - other.1, one.1 - other.0),
        Operation::Times => corners(one, other, times),
        Operation::Over if other == (0.0, 0.0) => return Range::Unknown,
        // A positive divisor that may be as small as any bounds on one side only.
        Operation::Over if other.0 == 0.0 && one.0 >= 0.0 => (one.0 / other.1, f64::INFINITY),
        Operation::Over if other.0 <= 0.0 && other.1 >= 0.0 => (f64::NEG_INFINITY, f64::INFINITY),
        Operation::Over => corners(one, other, |a, b| times(a, 1.0 / b)),
    };
    // What has no bound on either side less itself, for example.
    if low.is_nan() || high.is_nan() { Range::Unknown } else { Range::Known { low, high } }
}

/// The least and the greatest of what is made of the ends of two ranges.
fn corners(one: (f64, f64), other: (f64, f64), make: impl Fn(f64, f64) -> f64) -> (f64, f64) {
    let all =
        [make(one.0, other.0), make(one.0, other.1), make(one.1, other.0), make(one.1, other.1)];
    let least = all.into_iter().fold(f64::INFINITY, f64::min);
    (least, all.into_iter().fold(f64::NEG_INFINITY, f64::max))
}

/// Nothing times whatever is not bounded is nothing: every value is finite.
fn times(one: f64, other: f64) -> f64 {
    if one == 0.0 || other == 0.0 { 0.0 } else { one * other }
}

/// What follows from two ranges for `left operator right`: it holds for every pair of values, for
/// none, or for some.
#[expect(clippy::float_cmp, reason = "equal ends make a point")]
pub(super) fn compare(left: Range, operator: Comparison, right: Range) -> Verdict {
    let ((low, high), (other_low, other_high)) = match (left, right) {
        // Where neither ever happened, nothing can be said of which comes first.
        (Range::Unknown, _) | (_, Range::Unknown) | (Range::Never, Range::Never) => {
            return Verdict::Inconclusive;
        }
        // Every value is finite, even where no upper limit of it is known.
        (Range::Never, Range::Known { .. }) => return decided(operator.holds(1.0, 0.0)),
        (Range::Known { .. }, Range::Never) => return decided(operator.holds(0.0, 1.0)),
        (Range::Known { low, high }, Range::Known { low: other_low, high: other_high }) => {
            ((low, high), (other_low, other_high))
        }
    };
    let (always, ever) = match operator {
        Comparison::Below | Comparison::AtMost => {
            (operator.holds(high, other_low), operator.holds(low, other_high))
        }
        Comparison::Above | Comparison::AtLeast => {
            (operator.holds(low, other_high), operator.holds(high, other_low))
        }
        Comparison::Equal => {
            let point = low == high && other_low == other_high && low == other_low;
            (point, low <= other_high && other_low <= high)
        }
        Comparison::NotEqual => {
            let point = low == high && other_low == other_high && low == other_low;
            (high < other_low || other_high < low, !point)
        }
    };
    match (always, ever) {
        (true, _) => Verdict::Pass,
        (false, true) => Verdict::Inconclusive,
        (false, false) => Verdict::Fail,
    }
}

fn decided(holds: bool) -> Verdict {
    if holds { Verdict::Pass } else { Verdict::Fail }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const fn known(low: f64, high: f64) -> Range {
        Range::Known { low, high }
    }

    #[test]
    fn a_limit_inside_the_interval_decides_nothing() {
        let limit = Range::point(0.01);
        let below = |low, high| compare(known(low, high), Comparison::Below, limit);
        assert_eq!(below(0.001, 0.009), Verdict::Pass);
        assert_eq!(below(0.001, 0.01), Verdict::Inconclusive);
        assert_eq!(below(0.01, 0.02), Verdict::Fail);
        let at_most = |low, high| compare(known(low, high), Comparison::AtMost, limit);
        assert_eq!(at_most(0.001, 0.01), Verdict::Pass);
        assert_eq!(at_most(0.01, 0.02), Verdict::Inconclusive);
        let above = |low, high| compare(known(low, high), Comparison::Above, limit);
        assert_eq!(above(0.011, 0.02), Verdict::Pass);
        assert_eq!(above(0.01, 0.02), Verdict::Inconclusive);
        assert_eq!(above(0.001, 0.01), Verdict::Fail);
    }

    #[test]
    fn exact_values_are_never_inconclusive() {
        let two = Range::point(2.0);
        for (operator, verdict) in [
            (Comparison::Equal, Verdict::Pass),
            (Comparison::NotEqual, Verdict::Fail),
            (Comparison::Below, Verdict::Fail),
            (Comparison::AtMost, Verdict::Pass),
            (Comparison::Above, Verdict::Fail),
            (Comparison::AtLeast, Verdict::Pass),
        ] {
            assert_eq!(compare(two, operator, two), verdict, "{operator:?}");
        }
    }

    #[test]
    fn equality_is_decided_by_points_and_by_ranges_that_are_apart() {
        let (equal, unequal) = (Comparison::Equal, Comparison::NotEqual);
        for (left, right, expected) in [
            (known(1.0, 1.0), known(1.0, 1.0), Verdict::Pass),
            (known(1.0, 2.0), known(3.0, 3.0), Verdict::Fail),
            (known(1.0, 2.0), known(2.0, 2.0), Verdict::Inconclusive),
            (known(1.0, 2.0), known(1.0, 2.0), Verdict::Inconclusive),
        ] {
            assert_eq!(compare(left, equal, right), expected, "{left:?} {right:?}");
            let turned = match expected {
                Verdict::Pass => Verdict::Fail,
                Verdict::Fail => Verdict::Pass,
                other => other,
            };
            assert_eq!(compare(left, unequal, right), turned, "{left:?} {right:?}");
        }
    }

    #[test]
    fn what_never_happened_fails_every_upper_limit() {
        let limit = Range::point(90.0);
        for operator in [Comparison::Below, Comparison::AtMost, Comparison::Equal] {
            assert_eq!(compare(Range::Never, operator, limit), Verdict::Fail);
        }
        assert_eq!(compare(limit, Comparison::AtLeast, Range::Never), Verdict::Fail);
        assert_eq!(compare(Range::Never, Comparison::Above, limit), Verdict::Pass);
        let both = compare(Range::Never, Comparison::AtMost, Range::Never);
        assert_eq!(both, Verdict::Inconclusive);
    }

    #[test]
    fn a_missing_upper_limit_can_still_fail_but_not_pass() {
        let from_two = known(2.0, f64::INFINITY);
        assert_eq!(compare(from_two, Comparison::Below, Range::point(1.0)), Verdict::Fail);
        assert_eq!(compare(from_two, Comparison::Below, Range::point(9.0)), Verdict::Inconclusive);
    }

    #[test]
    fn arithmetic_goes_by_the_ends() {
        let cases = [
            (known(1.0, 2.0), Operation::Plus, known(10.0, 20.0), known(11.0, 22.0)),
            (known(1.0, 2.0), Operation::Minus, known(10.0, 20.0), known(-19.0, -8.0)),
            (known(-1.0, 2.0), Operation::Times, known(3.0, 5.0), known(-5.0, 10.0)),
            (known(1.0, 2.0), Operation::Over, known(4.0, 8.0), known(0.125, 0.5)),
            (known(1.0, 2.0), Operation::Over, known(0.0, 8.0), known(0.125, f64::INFINITY)),
            (known(1.0, 2.0), Operation::Over, known(0.0, 0.0), Range::Unknown),
            (known(0.0, 0.0), Operation::Times, known(1.0, f64::INFINITY), known(0.0, 0.0)),
            (Range::Never, Operation::Minus, known(1.0, 1.0), Range::Never),
            (Range::Never, Operation::Over, known(0.0, 1.0), Range::Unknown),
            (known(1.0, 1.0), Operation::Minus, Range::Never, Range::Unknown),
        ];
        for (left, operation, right, expected) in cases {
            assert_eq!(operate(left, operation, right), expected, "{left:?} {operation:?}");
        }
    }

    #[test]
    fn a_hull_holds_both() {
        assert_eq!(known(1.0, 2.0).hull(known(4.0, 5.0)), known(1.0, 5.0));
        assert_eq!(known(1.0, 2.0).hull(Range::Never), known(1.0, f64::INFINITY));
        assert_eq!(Range::Never.hull(Range::Never), Range::Never);
        assert_eq!(known(1.0, 2.0).hull(Range::Unknown), Range::Unknown);
    }

    fn arb_operation() -> impl Strategy<Value = Operation> {
        prop::sample::select(vec![
            Operation::Plus,
            Operation::Minus,
            Operation::Times,
            Operation::Over,
        ])
    }

    fn arb_operator() -> impl Strategy<Value = Comparison> {
        prop::sample::select(vec![
            Comparison::Below,
            Comparison::AtMost,
            Comparison::Above,
            Comparison::AtLeast,
        ])
    }

    fn arb_range() -> impl Strategy<Value = Range> {
        prop_oneof![
            8 => (0_u32..50, 0_u32..50).prop_map(|(low, width)| {
                known(f64::from(low), f64::from(low + width))
            }),
            1 => Just(Range::Never),
            1 => Just(Range::Unknown),
        ]
    }

    proptest! {
        // The order of verdicts is that of precedence: pass, inconclusive, fail.
        #[test]
        fn tightening_a_limit_never_improves_a_verdict(
            range in arb_range(),
            operator in arb_operator(),
            limit in 0_u32..100,
            by in 0_u32..50,
        ) {
            let (limit, by) = (f64::from(limit), f64::from(by));
            let tighter = match operator {
                Comparison::Below | Comparison::AtMost => limit - by,
                _ => limit + by,
            };
            let loose = compare(range, operator, Range::point(limit));
            let tight = compare(range, operator, Range::point(tighter));
            prop_assert!(tight >= loose, "{loose} became {tight}");
        }

        #[test]
        fn no_data_never_passes_nor_fails(range in arb_range(), operator in arb_operator()) {
            prop_assert_eq!(compare(Range::Unknown, operator, range), Verdict::Inconclusive);
            prop_assert_eq!(compare(range, operator, Range::Unknown), Verdict::Inconclusive);
        }

        #[test]
        fn what_is_made_of_values_lies_in_what_is_made_of_their_ranges(
            (left, at) in ((-40_i32..40, 0_u32..30), 0.0..=1.0_f64),
            operation in arb_operation(),
            (right, other) in ((-40_i32..40, 0_u32..30), 0.0..=1.0_f64),
        ) {
            let ends = |(low, width): (i32, u32)| (f64::from(low), f64::from(low) + f64::from(width));
            let ((low, high), (from, to)) = (ends(left), ends(right));
            let (one, two) = (low + at * (high - low), from + other * (to - from));
            let made = match operation {
                Operation::Plus => one + two,
                Operation::Minus => one - two,
                Operation::Times => one * two,
                Operation::Over => one / two,
            };
            match operate(known(low, high), operation, known(from, to)) {
                Range::Known { low, high } => {
                    let slack = 1e-9 * made.abs();
                    let holds = low - slack <= made && made <= high + slack;
                    // Divided by nothing there is nothing.
                    prop_assert!(holds || !made.is_finite(), "{made}: {low} to {high}");
                }
                _ => prop_assert!(!made.is_finite() || (from, to) == (0.0, 0.0)),
            }
        }

        #[test]
        fn what_is_decided_is_so_for_every_pair_of_values(
            left in arb_range(),
            operator in arb_operator(),
            right in arb_range(),
            (at, other) in (0.0..=1.0_f64, 0.0..=1.0_f64),
        ) {
            let (Range::Known { low, high }, Range::Known { low: from, high: to }) = (left, right)
            else {
                return Ok(());
            };
            let holds = operator.holds(low + at * (high - low), from + other * (to - from));
            match compare(left, operator, right) {
                Verdict::Pass => prop_assert!(holds),
                Verdict::Fail => prop_assert!(!holds),
                _ => {}
            }
        }
    }
}
