//! From what a line says to an [`Assertion`]: every figure gets the unit of what it stands beside,
//! and what does not go together is an error.

use super::error::{ParseError, Problem};
use super::expression::{Assertion, Claim, Comparison, Expression, Operation, Tolerance};
use super::kind::Kind;
use super::literal::{Literal, NoLiteral};
use super::reading::{Reading, Source};
use super::syntax::{Claimed, Line, Node, Part};
use crate::metric::Unit;

/// Gives units to the figures of lines.
pub(super) struct Typing<'a> {
    text: &'a str,
}

/// The kind that a part has, and the part that it has it from.
#[derive(Clone, Copy)]
struct Hint<'a> {
    kind: Kind,
    of: &'a str,
    /// Whether it is worked out: then it can be below 0.
    computed: bool,
}

impl<'a> Typing<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self { text }
    }

    pub(super) fn assertion(&self, line: &Line<'a>) -> Result<Assertion, ParseError> {
        self.check_readings(line)?;
        let hint = line.nodes().find_map(|node| self.hint(node));
        let left = self.typed(&line.left, hint)?;
        let claim = match &line.claim {
            Claimed::Compared { operator, right } => {
                let right_typed = self.typed(right, hint)?;
                self.check_kinds((&line.left, &left), (right, &right_typed), "compared")?;
                Claim::Compared { operator: *operator, right: right_typed }
            }
            Claimed::Within { low, high } => {
                let (from, to) = (self.typed(low, hint)?, self.typed(high, hint)?);
                self.check_kinds((&line.left, &left), (low, &from), "compared")?;
                self.check_kinds((&line.left, &left), (high, &to), "compared")?;
                self.check_range(low, &from, &to)?;
                Claim::Within { low: from, high: to }
            }
            Claimed::Near { value, tolerance } => {
                let near = self.typed(value, hint)?;
                self.check_kinds((&line.left, &left), (value, &near), "compared")?;
                let kind = left.kind().with(near.kind()).unwrap_or_else(|| left.kind());
                let tolerance = self.tolerance(tolerance, kind, hint)?;
                Claim::Near { value: near, tolerance }
            }
        };
        let assertion = Assertion { left, claim };
        self.check_equality(&assertion, line.claim_at)?;
        Ok(assertion)
    }

    /// A line must be about the results that are judged.
    fn check_readings(&self, line: &Line<'a>) -> Result<(), ParseError> {
        let Some(first) = line.nodes().find_map(Node::first_reading) else {
            return Err(self.error(line.left.at, Problem::NoMetric));
        };
        let judged = |node: &Node<'a>| {
            let mut judged = false;
            each_reading(node, &mut |reading| judged |= reading.source == Source::Judged);
            judged
        };
        match line.nodes().any(judged) {
            true => Ok(()),
            false => Err(self.error(first.at, Problem::OnlyBaseline)),
        }
    }

    fn check_kinds(
        &self,
        (left, one): (&Node<'a>, &Expression),
        (right, other): (&Node<'a>, &Expression),
        what: &'static str,
    ) -> Result<(), ParseError> {
        let (left_kind, right_kind) = (one.kind(), other.kind());
        if left_kind.with(right_kind).is_some() {
            return Ok(());
        }
        Err(self.differ((left, left_kind), (right, right_kind), what, right.at))
    }

    fn differ(
        &self,
        (left, left_kind): (&Node<'a>, Kind),
        (right, right_kind): (&Node<'a>, Kind),
        what: &'static str,
        at: usize,
    ) -> ParseError {
        let short = |node: &Node<'a>| node.text(self.text).chars().take(60).collect();
        let (left, right) = (short(left), short(right));
        self.error(at, Problem::KindsDiffer { left, left_kind, right, right_kind, what })
    }

    /// A range of two figures must not be empty.
    fn check_range(
        &self,
        at: &Node<'a>,
        low: &Expression,
        high: &Expression,
    ) -> Result<(), ParseError> {
        match (low, high) {
            (Expression::Stated(from), Expression::Stated(to)) if from.as_f64() > to.as_f64() => {
                let (low, high) = (from.to_string(), to.to_string());
                Err(self.error(at.at, Problem::EmptyRange { low, high }))
            }
            _ => Ok(()),
        }
    }

    fn check_equality(&self, assertion: &Assertion, at: usize) -> Result<(), ParseError> {
        let Claim::Compared { operator: Comparison::Equal | Comparison::NotEqual, .. } =
            assertion.claim
        else {
            return Ok(());
        };
        match assertion.readings().find(|reading| reading.is_estimate()) {
            Some(reading) => {
                let estimate = reading.to_string();
                Err(self.error(at, Problem::EqualityOfEstimate { estimate }))
            }
            None => Ok(()),
        }
    }

    /// A percentage is a share of the value, unless the value is a share itself.
    fn tolerance(
        &self,
        node: &Node<'a>,
        kind: Kind,
        hint: Option<Hint<'a>>,
    ) -> Result<Tolerance, ParseError> {
        let Part::Literal(text) = node.part else {
            let found = node.text(self.text).to_owned();
            return Err(self.error(node.at, Problem::NoTolerance { found }));
        };
        let number = Literal::number(text);
        let tolerance = match number {
            Some(share) if text.ends_with('%') && kind.has_unit() => Tolerance::Relative(share),
            _ => match self.literal(text, node.at, hint)? {
                Expression::Stated(literal) => Tolerance::Absolute(literal),
                _ => return Err(self.error(node.at, Problem::NegativeTolerance)),
            },
        };
        let (Tolerance::Absolute(width) | Tolerance::Relative(width)) = tolerance;
        match width.as_f64() < 0.0 {
            true => Err(self.error(node.at, Problem::NegativeTolerance)),
            false => Ok(tolerance),
        }
    }

    /// What a part is without regard to what it stands beside; `None` where only that could tell.
    fn hint(&self, node: &Node<'a>) -> Option<Hint<'a>> {
        let text = node.text(self.text);
        match &node.part {
            Part::Read(reading) => Some(Hint { kind: reading.kind(), of: text, computed: false }),
            Part::Literal(literal) => {
                // A rate can be of requests or of tokens.
                let own = Literal::of_its_own(literal)?.kind();
                let told = own != Kind::Number && own != Kind::Of(Unit::RequestsPerSecond);
                told.then_some(Hint { kind: own, of: text, computed: false })
            }
            Part::Computed { operation, left, right, .. } => {
                let (one, other) = (self.hint(left), self.hint(right));
                let kind = match (operation, one, other) {
                    (Operation::Plus | Operation::Minus, Some(hint), _)
                    | (Operation::Plus | Operation::Minus, None, Some(hint))
                    | (_, Some(hint), None)
                    | (Operation::Times, None, Some(hint)) => hint.kind,
                    (_, Some(one), Some(other)) => operation.kind(one.kind, other.kind)?,
                    (_, None, _) => return None,
                };
                let of = node.first_reading().map_or(text, |reading| reading.text(self.text));
                Some(Hint { kind, of, computed: true })
            }
        }
    }

    /// A part with its figures in their units: those of `beside`, or those that they name.
    fn typed(&self, node: &Node<'a>, beside: Option<Hint<'a>>) -> Result<Expression, ParseError> {
        let (operation, operation_at, left, right) = match &node.part {
            Part::Read(reading) => return Ok(Expression::Read(reading.clone())),
            Part::Literal(text) => return self.literal(text, node.at, beside),
            Part::Computed { operation, operation_at, left, right } => {
                (*operation, *operation_at, left, right)
            }
        };
        let within = match operation {
            // What is added to is worked out, whatever it is.
            Operation::Plus | Operation::Minus => {
                let hint = self.hint(node).or(beside);
                hint.map(|hint| Hint { computed: true, ..hint })
            }
            Operation::Times | Operation::Over => None,
        };
        let (one, other) = (self.typed(left, within)?, self.typed(right, within)?);
        if operation.kind(one.kind(), other.kind()).is_none() {
            let what = match operation {
                Operation::Plus => "added",
                Operation::Minus => "subtracted",
                Operation::Times => "multiplied",
                Operation::Over => "divided",
            };
            return Err(self.differ((left, one.kind()), (right, other.kind()), what, operation_at));
        }
        Ok(Expression::Computed { operation, left: Box::new(one), right: Box::new(other) })
    }

    /// A figure as written: in the unit of what it stands beside, or the one that it names.
    fn literal(
        &self,
        text: &str,
        at: usize,
        beside: Option<Hint<'a>>,
    ) -> Result<Expression, ParseError> {
        let Some(Hint { kind, of, computed }) = beside else {
            let own = Literal::of_its_own(text).map(Expression::Stated);
            let found = || text.chars().take(60).collect();
            return own.ok_or_else(|| self.error(at, Problem::NoFigure { found: found() }));
        };
        let of = || of.chars().take(60).collect::<String>();
        let Kind::Of(unit) = kind else {
            let found = || text.chars().take(60).collect();
            let number = Literal::number(text).map(Expression::Stated);
            return number
                .ok_or_else(|| self.error(at, Problem::NoNumber { beside: of(), found: found() }));
        };
        let strict = Literal::of_unit(unit, text);
        let found = match (&strict, computed) {
            (Err(_), true) => signed(unit, text),
            _ => None,
        };
        match (strict, found) {
            (Ok(literal), _) => Ok(Expression::Stated(literal)),
            (Err(_), Some(signed)) => Ok(signed),
            (Err(NoLiteral::Unit(source)), None) => {
                Err(self.error(at, Problem::Literal { beside: of(), source }))
            }
            (Err(NoLiteral::Count), None) => {
                let found = text.chars().take(60).collect();
                Err(self.error(at, Problem::NoCount { beside: of(), found }))
            }
        }
    }

    fn error(&self, at: usize, problem: Problem) -> ParseError {
        ParseError::new(self.text, at, problem)
    }
}

/// A figure that has a meaning beside what was worked out only: a negative one, or a count with a
/// fraction.
fn signed(unit: Unit, text: &str) -> Option<Expression> {
    if matches!(unit, Unit::Ratio | Unit::PValue | Unit::Count | Unit::Tokens) {
        let number = Literal::number(text)?;
        let share = matches!(unit, Unit::Ratio | Unit::PValue);
        let possible = !share || (-1.0..=1.0).contains(&number.as_f64());
        return possible.then_some(Expression::Stated(number));
    }
    let positive = text.strip_prefix('-')?.trim_start();
    let figure = Literal::of_unit(unit, positive).ok()?;
    let zero = figure.nothing();
    Some(Expression::Computed {
        operation: Operation::Minus,
        left: Box::new(Expression::Stated(zero)),
        right: Box::new(Expression::Stated(figure)),
    })
}

fn each_reading(node: &Node<'_>, told: &mut dyn FnMut(&Reading)) {
    match &node.part {
        Part::Read(reading) => told(reading),
        Part::Literal(_) => {}
        Part::Computed { left, right, .. } => {
            each_reading(left, told);
            each_reading(right, told);
        }
    }
}
