//! An assertion as understood.

use super::kind::Kind;
use super::literal::Literal;
use super::reading::{Reading, Source};

/// A claim that must hold of a run's results, or of those of several runs.
///
/// ```
/// use coalmine::assertion::Assertion;
/// let assertion = Assertion::parse("error_rate{phase='after rollback'} < 1%").unwrap();
/// let reading = assertion.readings().next().unwrap();
/// assert_eq!(reading.selector.phase(), Some("after rollback"));
/// ```
#[derive(Clone, PartialEq, Debug)]
pub struct Assertion {
    /// What is claimed something of.
    pub left: Expression,
    /// What is claimed of it.
    pub claim: Claim,
}

/// What is claimed of an expression.
#[derive(Clone, PartialEq, Debug)]
pub enum Claim {
    /// `< x`: how it compares with another.
    Compared {
        /// How.
        operator: Comparison,
        /// With what.
        right: Expression,
    },
    /// `within low..high`, both included.
    Within {
        /// The lower end.
        low: Expression,
        /// The upper end.
        high: Expression,
    },
    /// `~ value +- tolerance`, both ends included.
    Near {
        /// What it is to be near to.
        value: Expression,
        /// How near.
        tolerance: Tolerance,
    },
}

/// How far from a value is near to it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Tolerance {
    /// At most this, in the unit of the value.
    Absolute(Literal),
    /// At most this share of the value: 0.01 is 1 %.
    Relative(Literal),
}

/// A value to be worked out from results.
#[derive(Clone, PartialEq, Debug)]
pub enum Expression {
    /// A metric, read from results.
    Read(Reading),
    /// A figure as written.
    Stated(Literal),
    /// What is worked out of two others.
    Computed {
        /// How.
        operation: Operation,
        /// The first of the two.
        left: Box<Self>,
        /// The second.
        right: Box<Self>,
    },
}

/// An operation of arithmetic.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operation {
    /// `+`
    Plus,
    /// `-`
    Minus,
    /// `*`
    Times,
    /// `/`
    Over,
}

/// How the two sides of an assertion are compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Comparison {
    /// `<`
    Below,
    /// `<=`
    AtMost,
    /// `>`
    Above,
    /// `>=`
    AtLeast,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
}

impl Assertion {
    /// What is read of results, from left to right.
    pub fn readings(&self) -> impl Iterator<Item = &Reading> {
        let mut found = Vec::new();
        self.expressions().for_each(|expression| expression.collect(&mut found));
        found.into_iter()
    }

    /// Its expressions, from left to right.
    pub fn expressions(&self) -> impl Iterator<Item = &Expression> {
        let (second, third) = match &self.claim {
            Claim::Compared { right, .. } => (right, None),
            Claim::Within { low, high } => (low, Some(high)),
            Claim::Near { value, .. } => (value, None),
        };
        [&self.left, second].into_iter().chain(third)
    }

    /// Whether it holds results against a stored baseline.
    pub fn needs_baseline(&self) -> bool {
        self.readings().any(|reading| reading.source == Source::Baseline)
    }

    /// Whether anything that it reads is an estimate, known within an interval only.
    pub fn is_estimated(&self) -> bool {
        self.readings().any(Reading::is_estimate)
    }
}

impl Expression {
    /// What is read of results, from left to right.
    pub fn readings(&self) -> impl Iterator<Item = &Reading> {
        let mut found = Vec::new();
        self.collect(&mut found);
        found.into_iter()
    }

    fn collect<'a>(&'a self, found: &mut Vec<&'a Reading>) {
        match self {
            Self::Read(reading) => found.push(reading),
            Self::Stated(_) => {}
            Self::Computed { left, right, .. } => {
                left.collect(found);
                right.collect(found);
            }
        }
    }

    /// The kind of its value.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Read(reading) => reading.kind(),
            Self::Stated(literal) => literal.kind(),
            Self::Computed { operation, left, right } => {
                let kind = operation.kind(left.kind(), right.kind());
                kind.expect("the parser lets only kinds through that go together")
            }
        }
    }
}

impl Operation {
    /// The kind of what it makes of two values; `None` where that would mean nothing.
    pub(super) fn kind(self, left: Kind, right: Kind) -> Option<Kind> {
        match self {
            Self::Plus | Self::Minus => left.with(right),
            Self::Times => left.times(right),
            Self::Over => left.over(right),
        }
    }

    /// As it is written.
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Plus => "+",
            Self::Minus => "-",
            Self::Times => "*",
            Self::Over => "/",
        }
    }

    /// How closely it binds: the greater, the closer.
    pub(super) const fn rank(self) -> u8 {
        match self {
            Self::Plus | Self::Minus => 0,
            Self::Times | Self::Over => 1,
        }
    }
}

impl Comparison {
    /// All of them, in the order in which they are listed to the user.
    pub(super) const ALL: [Self; 6] =
        [Self::Below, Self::AtMost, Self::Above, Self::AtLeast, Self::Equal, Self::NotEqual];

    /// As it is written.
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Below => "<",
            Self::AtMost => "<=",
            Self::Above => ">",
            Self::AtLeast => ">=",
            Self::Equal => "==",
            Self::NotEqual => "!=",
        }
    }

    /// Whether it holds between two numbers.
    #[expect(clippy::float_cmp, reason = "== of the grammar is for exact counts and times only")]
    pub fn holds(self, left: f64, right: f64) -> bool {
        match self {
            Self::Below => left < right,
            Self::AtMost => left <= right,
            Self::Above => left > right,
            Self::AtLeast => left >= right,
            Self::Equal => left == right,
            Self::NotEqual => left != right,
        }
    }
}
