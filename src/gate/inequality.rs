//! What a line claims, as inequalities that must all hold.

use crate::assertion::{
    Assertion, Claim, Comparison, Expression, Literal, Operation, OverRuns, Source, Tolerance,
};
use crate::metric::Metric;
use crate::units::Ratio;

/// `left operator right`.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Inequality {
    pub(super) left: Expression,
    pub(super) operator: Comparison,
    pub(super) right: Expression,
}

/// The inequalities of a line. A bare baseline on either side is widened by the smallest effect
/// that matters: what is worse by less still holds.
pub(super) fn inequalities(assertion: &Assertion, smallest_effect: Ratio) -> Vec<Inequality> {
    let left = &assertion.left;
    let with = |operator, right| Inequality { left: left.clone(), operator, right };
    match &assertion.claim {
        Claim::Compared { operator, right } => {
            let one = with(*operator, right.clone());
            vec![widened(one, smallest_effect)]
        }
        Claim::Within { low, high } => {
            vec![with(Comparison::AtLeast, low.clone()), with(Comparison::AtMost, high.clone())]
        }
        Claim::Near { value, tolerance } => {
            let end = |operation| {
                let (value, width) =
                    (Box::new(value.clone()), |literal| Box::new(Expression::Stated(literal)));
                let width = match tolerance {
                    Tolerance::Absolute(literal) => width(*literal),
                    Tolerance::Relative(share) => Box::new(Expression::Computed {
                        operation: Operation::Times,
                        left: value.clone(),
                        right: width(*share),
                    }),
                };
                Expression::Computed { operation, left: value, right: width }
            };
            vec![
                with(Comparison::AtLeast, end(Operation::Minus)),
                with(Comparison::AtMost, end(Operation::Plus)),
            ]
        }
    }
}

fn widened(inequality: Inequality, by: Ratio) -> Inequality {
    let Inequality { left, operator, right } = inequality;
    // On the left a limit is a lower one where on the right it is an upper one.
    let (raises_right, raises_left) = match operator {
        Comparison::Below | Comparison::AtMost => (true, false),
        Comparison::Above | Comparison::AtLeast => (false, true),
        Comparison::Equal | Comparison::NotEqual => return Inequality { left, operator, right },
    };
    Inequality {
        left: moved(left, raises_left, by),
        operator,
        right: moved(right, raises_right, by),
    }
}

/// A bare baseline, raised or lowered by the smallest effect; anything else as it is.
fn moved(side: Expression, raised: bool, by: Ratio) -> Expression {
    let Expression::Read(reading) = &side else { return side };
    if reading.source != Source::Baseline || by == Ratio::ZERO {
        return side;
    }
    let number = |number| Box::new(Expression::Stated(Literal::Number(number)));
    let computed = |operation, left, right| Expression::Computed { operation, left, right };
    let operation = if raised { Operation::Plus } else { Operation::Minus };
    let share = reading.over_runs == OverRuns::Itself && reading.metric == Metric::SuccessRate;
    let value = Box::new(side.clone());
    // Of successes a share of the failures that they leave: 99 % less a tenth would be 89 %.
    let base = match share {
        true => Box::new(computed(Operation::Minus, number(1.0), value.clone())),
        false => value.clone(),
    };
    let effect = computed(Operation::Times, base, number(by.get()));
    computed(operation, value, Box::new(effect))
}
