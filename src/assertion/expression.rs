//! An assertion as understood, and how it is written.

use std::fmt;

use crate::metric::Metric;
use crate::units::{Duration, Money, Rate, Ratio, Tokens};

/// A comparison that must hold of a run's results.
///
/// ```
/// use coalmine::assertion::{Assertion, Comparison};
/// let assertion = Assertion::parse("error_rate{phase='after rollback'} < 1%").unwrap();
/// assert_eq!(assertion.operator, Comparison::Below);
/// assert_eq!(assertion.selectors().next().unwrap().phase(), Some("after rollback"));
/// ```
#[derive(Clone, PartialEq, Debug)]
pub struct Assertion {
    /// What stands left of the operator.
    pub left: Term,
    /// How the two are compared.
    pub operator: Comparison,
    /// What stands right of the operator.
    pub right: Term,
}

/// One side of an assertion.
#[derive(Clone, PartialEq, Debug)]
pub enum Term {
    /// A metric over a selection of requests.
    Metric {
        /// Which.
        metric: Metric,
        /// Over what.
        selector: Selector,
    },
    /// A figure in the unit of the metric on the other side.
    Value(Literal),
}

/// A figure with its unit.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Literal {
    /// A number of things, at most 2^53: every one of them is exact as a double.
    Count(u64),
    /// A share.
    Ratio(Ratio),
    /// A length of time.
    Time(Duration),
    /// Tokens.
    Tokens(Tokens),
    /// Tokens per second.
    Speed(Rate),
    /// Dollars.
    Money(Money),
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

/// Which requests a metric is taken over: those that all its parts select. Empty: all of them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Selector {
    pub(super) phase: Option<String>,
    pub(super) version: Option<String>,
    pub(super) model: Option<String>,
    pub(super) column: Option<String>,
    pub(super) arm: Option<Arm>,
    pub(super) within: Option<Duration>,
}

/// A side of the split.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Arm {
    /// The version that the tag `stable` named when the request was assigned.
    Stable,
    /// Any other.
    Canary,
    /// Neither: the request asked for its version itself.
    Pinned,
}

impl Assertion {
    /// The selectors of its metrics, from left to right.
    pub fn selectors(&self) -> impl Iterator<Item = &Selector> {
        [&self.left, &self.right].into_iter().filter_map(|term| match term {
            Term::Metric { selector, .. } => Some(selector),
            Term::Value(_) => None,
        })
    }
}

impl Literal {
    /// Its number in the base unit: seconds, a ratio, dollars, a count.
    pub fn as_f64(self) -> f64 {
        match self {
            Self::Count(count) => count as f64,
            Self::Ratio(ratio) => ratio.get(),
            Self::Time(duration) => duration.as_secs_f64(),
            Self::Tokens(tokens) => f64::from(tokens.get()),
            Self::Speed(speed) => speed.per_second(),
            Self::Money(money) => money.as_usd(),
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

impl Selector {
    /// The name of a phase.
    pub fn phase(&self) -> Option<&str> {
        self.phase.as_deref()
    }

    /// The name of a version, or of a tag that names one.
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// The name of a model.
    pub fn model(&self) -> Option<&str> {
        self.model.as_deref()
    }

    /// The title of a column of the comparison table; never together with a phase or version,
    /// which the column states itself.
    pub fn column(&self) -> Option<&str> {
        self.column.as_deref()
    }

    /// How long an answer may take to count: of goodput only.
    pub fn within(&self) -> Option<Duration> {
        self.within
    }

    /// A side of the split.
    pub fn arm(&self) -> Option<Arm> {
        self.arm
    }
}

impl Arm {
    /// As it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stable => "stable",
            Self::Canary => "canary",
            Self::Pinned => "pinned",
        }
    }
}

impl fmt::Display for Assertion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.left, self.operator.symbol(), self.right)
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Metric { metric, selector } => write!(f, "{metric}{selector}"),
            Self::Value(literal) => literal.fmt(f),
        }
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let within = self.within.map(Duration::to_literal);
        let parts = [
            ("phase", self.phase()),
            ("version", self.version()),
            ("model", self.model()),
            ("column", self.column()),
            ("arm", self.arm.map(Arm::name)),
            ("within", within.as_deref()),
        ];
        let mut separator = "{";
        for (name, value) in parts {
            if let Some(value) = value {
                write!(f, "{separator}{name}={}", quoted(value))?;
                separator = ", ";
            }
        }
        if separator == "{" { Ok(()) } else { f.write_str("}") }
    }
}

/// The literal that is read back as the same value.
impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => write!(f, "{count}"),
            Self::Ratio(ratio) => {
                // A percentage reads better; where it is not the same number, the ratio itself.
                let percent = format!("{}%", ratio.get() * 100.0);
                match Ratio::parse(&percent) {
                    Ok(same) if same == *ratio => f.write_str(&percent),
                    _ => write!(f, "{}", ratio.get()),
                }
            }
            Self::Time(duration) => f.write_str(&duration.to_literal()),
            Self::Tokens(tokens) => write!(f, "{} tokens", tokens.get()),
            Self::Speed(speed) => write!(f, "{}/s", speed.per_second()),
            Self::Money(money) => {
                let pico = money.as_pico_usd();
                let fraction = format!("{:012}", pico % PICO_PER_USD);
                let fraction = fraction.trim_end_matches('0');
                let point = if fraction.is_empty() { "" } else { "." };
                write!(f, "{}{point}{fraction} USD", pico / PICO_PER_USD)
            }
        }
    }
}

/// `value` as a selector's value is written: bare if it can be, else in quotes. A value never holds
/// both kinds of quotes: none could be written.
fn quoted(value: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || "._:/-".contains(c);
    if value.chars().all(bare) {
        value.to_owned()
    } else if value.contains('\'') {
        format!("\"{value}\"")
    } else {
        format!("'{value}'")
    }
}

const PICO_PER_USD: u128 = 1_000_000_000_000;
