//! From a line's text to an [`Assertion`], by one pass from left to right.

use super::error::{LONGEST, ParseError, Problem};
use super::expression::{Arm, Assertion, Comparison, Literal, Selector, Term};
use crate::metric::{Interval, Metric, Unit};
use crate::units::{Duration, Money, Rate, Ratio, Tokens};

impl Assertion {
    /// The assertion that `text` states.
    ///
    /// # Errors
    /// Not of the grammar of this module; a metric, selector or operator that does not exist; a
    /// literal or second metric of another unit; no metric at all; `==` or `!=` on an estimate.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let length = text.chars().count();
        if length > LONGEST {
            return Err(ParseError::new(text, 0, Problem::TooLong { length }));
        }
        let mut parser = Parser { text, at: 0 };
        let left = parser.side()?;
        let (operator, operator_at) = parser.operator()?;
        let right = parser.side()?;
        parser.end()?;
        let assertion = parser.assertion(&left, operator, &right)?;
        parser.check_equality(&assertion, operator_at)?;
        Ok(assertion)
    }
}

struct Parser<'a> {
    text: &'a str,
    /// The byte that is read next.
    at: usize,
}

/// One side, before the unit of the other is known.
struct Side<'a> {
    at: usize,
    kind: SideKind<'a>,
}

enum SideKind<'a> {
    Metric { metric: Metric, selector: Selector },
    Literal(&'a str),
}

impl<'a> Parser<'a> {
    fn side(&mut self) -> Result<Side<'a>, ParseError> {
        self.skip_blanks();
        let at = self.at;
        let kind = match self.peek() {
            Some(c) if c.is_ascii_digit() || ".-+$".contains(c) => {
                SideKind::Literal(self.literal())
            }
            Some(c) if c.is_alphabetic() || c == '_' => {
                let metric = self.metric()?;
                SideKind::Metric { metric, selector: self.selector(metric)? }
            }
            _ => return Err(self.unexpected("a metric such as error_rate, or a value such as 90s")),
        };
        Ok(Side { at, kind })
    }

    /// A literal's text: up to the next sign that cannot be part of one.
    fn literal(&mut self) -> &'a str {
        let rest = &self.text[self.at..];
        let mut previous = ' ';
        let end = rest
            .char_indices()
            .find(|&(at, c)| {
                let sign = matches!(c, '+' | '-');
                let part = c.is_alphanumeric()
                    || c.is_whitespace()
                    || matches!(c, '.' | ',' | '%' | '$')
                    // As in `40/s`.
                    || (c == '/' && previous.is_alphanumeric() && is_rate(rest, at))
                    || (sign && (at == 0 || matches!(previous, 'e' | 'E')));
                previous = c;
                !part
            })
            .map_or(rest.len(), |(at, _)| at);
        self.at += end;
        rest[..end].trim()
    }

    fn metric(&mut self) -> Result<Metric, ParseError> {
        let at = self.at;
        let name = self.take_while(is_name);
        if let Some(metric) = Metric::by_name(name) {
            return Ok(metric);
        }
        let owned = name.to_owned();
        if self.peek() == Some('(') {
            return Err(self.error(at, Problem::UnknownFunction { name: owned }));
        }
        let error = self.error(at, Problem::UnknownMetric { name: owned });
        Err(error.suggest(name, Metric::all().map(Metric::name)))
    }

    fn selector(&mut self, metric: Metric) -> Result<Selector, ParseError> {
        let mut selector = Selector::default();
        self.skip_blanks();
        if !self.take("{") {
            return Ok(selector);
        }
        self.skip_blanks();
        if self.take("}") {
            return Ok(selector);
        }
        loop {
            self.skip_blanks();
            let at = self.at;
            self.selector_part(&mut selector, metric)?;
            let beside = selector.phase.is_some() || selector.version.is_some();
            if selector.column.is_some() && beside {
                return Err(self.error(at, Problem::ColumnWithOthers));
            }
            self.skip_blanks();
            if self.take("}") {
                return Ok(selector);
            }
            if !self.take(",") {
                return Err(self.unexpected("\",\" or \"}\""));
            }
        }
    }

    /// `name = value`.
    fn selector_part(&mut self, into: &mut Selector, metric: Metric) -> Result<(), ParseError> {
        let at = self.at;
        let word = self.take_while(is_name);
        if word.is_empty() {
            return Err(self.unexpected("a selector: phase, version, model, column, arm or within"));
        }
        let Some(name) = SELECTORS.into_iter().find(|name| *name == word) else {
            let error = self.error(at, Problem::UnknownSelector { name: word.to_owned() });
            return Err(error.suggest(word, SELECTORS));
        };
        self.skip_blanks();
        if !self.take("=") || self.peek() == Some('=') {
            return Err(self.unexpected("\"=\" and a value"));
        }
        self.skip_blanks();
        let value_at = self.at;
        let value = self.value()?;
        let repeated = match name {
            "phase" => into.phase.replace(value).is_some(),
            "version" => into.version.replace(value).is_some(),
            "model" => into.model.replace(value).is_some(),
            "column" => into.column.replace(value).is_some(),
            "within" => {
                if metric != Metric::Goodput {
                    return Err(self.error(at, Problem::NoLimit { metric }));
                }
                let limit = Duration::parse(&value)
                    .map_err(|source| self.error(value_at, Problem::Limit { source }))?;
                into.within.replace(limit).is_some()
            }
            _ => {
                if !metric.is_of_requests() {
                    return Err(self.error(at, Problem::NoArms { metric }));
                }
                into.arm.replace(self.arm(&value, value_at)?).is_some()
            }
        };
        if repeated {
            return Err(self.error(at, Problem::RepeatedSelector { name }));
        }
        Ok(())
    }

    fn arm(&self, name: &str, at: usize) -> Result<Arm, ParseError> {
        let arms = [Arm::Canary, Arm::Stable, Arm::Pinned];
        arms.into_iter().find(|arm| arm.name() == name).ok_or_else(|| {
            let error = self.error(at, Problem::UnknownArm { name: name.to_owned() });
            error.suggest(name, arms.map(Arm::name))
        })
    }

    /// A selector's value, without its quotes.
    fn value(&mut self) -> Result<String, ParseError> {
        let Some(quote) = self.peek().filter(|c| matches!(c, '\'' | '"')) else {
            let bare = |c: char| !c.is_whitespace() && !"{}(),='\"<>!".contains(c);
            let value = self.take_while(bare);
            if value.is_empty() {
                return Err(self.unexpected("a value, in quotes if it holds blanks"));
            }
            return Ok(value.to_owned());
        };
        let opening = self.at;
        self.at += quote.len_utf8();
        let value = self.take_while(|c| c != quote);
        if self.peek().is_none() {
            let found = "a quote that is not closed".to_owned();
            let expected = "the same quote at the value's end";
            return Err(self.error(opening, Problem::Unexpected { found, expected }));
        }
        if value.is_empty() {
            return Err(self.unexpected("a name between the quotes"));
        }
        self.at += quote.len_utf8();
        Ok(value.to_owned())
    }

    fn operator(&mut self) -> Result<(Comparison, usize), ParseError> {
        self.skip_blanks();
        let at = self.at;
        let word = self.operator_word();
        if word.is_empty() {
            return Err(self.unexpected("an operator: < <= > >= == !="));
        }
        match Comparison::ALL.into_iter().find(|operator| operator.symbol() == word) {
            Some(operator) => Ok((operator, at)),
            None => Err(self.unknown_operator(at, word)),
        }
    }

    /// What stands where an operator must: signs of comparison, one other sign, or a word.
    fn operator_word(&mut self) -> &'a str {
        let signs = self.take_while(|c| "<>=!~".contains(c));
        if !signs.is_empty() {
            return signs;
        }
        let word = self.take_while(is_name);
        if !word.is_empty() {
            return word;
        }
        let start = self.at;
        self.at += self.peek().map_or(0, char::len_utf8);
        &self.text[start..self.at]
    }

    fn unknown_operator(&self, at: usize, word: &str) -> ParseError {
        let error = self.error(at, Problem::UnknownOperator { operator: word.to_owned() });
        let meant = match word {
            "=" => "==",
            "=<" | "≤" => "<=",
            "=>" | "≥" => ">=",
            "<>" | "≠" | "=!" => "!=",
            "===" => "==",
            _ => return error,
        };
        error.suggest(meant, [meant])
    }

    /// Nothing may follow.
    fn end(&mut self) -> Result<(), ParseError> {
        self.skip_blanks();
        let at = self.at;
        if self.peek().is_none() {
            return Ok(());
        }
        let word = self.operator_word();
        Err(self.unknown_operator_or_rest(at, word))
    }

    fn unknown_operator_or_rest(&self, at: usize, word: &str) -> ParseError {
        let second = Comparison::ALL.into_iter().any(|operator| operator.symbol() == word);
        let bracket = word.starts_with(['(', ')', '{', '}', '\'', '"']);
        if second || bracket {
            let found = format!("{word:?}");
            self.error(at, Problem::Unexpected { found, expected: "the end of the line" })
        } else {
            self.unknown_operator(at, word)
        }
    }

    fn assertion(
        &self,
        left: &Side<'_>,
        operator: Comparison,
        right: &Side<'_>,
    ) -> Result<Assertion, ParseError> {
        let (left, right) = match (&left.kind, &right.kind) {
            (SideKind::Literal(_), SideKind::Literal(_)) => {
                return Err(self.error(left.at, Problem::NoMetric));
            }
            (SideKind::Metric { metric, selector }, SideKind::Literal(text)) => {
                let value = self.literal_for(*metric, text, right.at)?;
                (term(*metric, selector), Term::Value(value))
            }
            (SideKind::Literal(text), SideKind::Metric { metric, selector }) => {
                let value = self.literal_for(*metric, text, left.at)?;
                (Term::Value(value), term(*metric, selector))
            }
            (
                SideKind::Metric { metric: first, selector: of_first },
                SideKind::Metric { metric: second, selector: of_second },
            ) => {
                if first.unit() != second.unit() {
                    let problem = Problem::UnitsDiffer {
                        left: *first,
                        left_unit: unit_name(first.unit()),
                        right: *second,
                        right_unit: unit_name(second.unit()),
                    };
                    return Err(self.error(right.at, problem));
                }
                (term(*first, of_first), term(*second, of_second))
            }
        };
        Ok(Assertion { left, operator, right })
    }

    /// `text` as a value in the unit of `metric`.
    fn literal_for(&self, metric: Metric, text: &str, at: usize) -> Result<Literal, ParseError> {
        let literal = match metric.unit() {
            Unit::Ratio | Unit::PValue => Ratio::parse(text).map(Literal::Ratio),
            Unit::Time => Duration::parse(text).map(Literal::Time),
            Unit::Tokens => Tokens::parse(text).map(Literal::Tokens),
            Unit::TokensPerSecond | Unit::RequestsPerSecond => {
                Rate::parse(text).map(Literal::Speed)
            }
            Unit::Money => Money::parse(text).map(Literal::Money),
            Unit::Count => {
                let count = text.parse::<u64>().ok().filter(|count| *count <= LARGEST_COUNT);
                return count.map(Literal::Count).ok_or_else(|| {
                    let found = text.chars().take(60).collect();
                    self.error(at, Problem::NoCount { metric, found })
                });
            }
        };
        literal.map_err(|source| self.error(at, Problem::Literal { metric, source }))
    }

    fn check_equality(&self, assertion: &Assertion, at: usize) -> Result<(), ParseError> {
        if !matches!(assertion.operator, Comparison::Equal | Comparison::NotEqual) {
            return Ok(());
        }
        for side in [&assertion.left, &assertion.right] {
            if let Term::Metric { metric, .. } = side
                && metric.interval() != Interval::Exact
            {
                return Err(self.error(at, Problem::EqualityOfEstimate { metric: *metric }));
            }
        }
        Ok(())
    }

    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn take(&mut self, token: &str) -> bool {
        let found = self.text[self.at..].starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    fn take_while(&mut self, belongs: impl Fn(char) -> bool) -> &'a str {
        let rest = &self.text[self.at..];
        let end = rest.find(|c| !belongs(c)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    fn skip_blanks(&mut self) {
        self.take_while(char::is_whitespace);
    }

    fn unexpected(&self, expected: &'static str) -> ParseError {
        let found = match self.peek() {
            None => "the end of the line".to_owned(),
            Some(c) => format!("{:?}", c.to_string()),
        };
        self.error(self.at, Problem::Unexpected { found, expected })
    }

    fn error(&self, at: usize, problem: Problem) -> ParseError {
        ParseError::new(self.text, at, problem)
    }
}

/// Whether a unit of time follows the stroke at `at`.
fn is_rate(rest: &str, at: usize) -> bool {
    rest[at + 1..].starts_with(['s', 'm', 'h', 'd'])
}

fn term(metric: Metric, selector: &Selector) -> Term {
    Term::Metric { metric, selector: selector.clone() }
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '.')
}

fn unit_name(unit: Unit) -> &'static str {
    match unit {
        Unit::Count => "a count",
        Unit::Ratio => "a ratio",
        Unit::PValue => "a probability",
        Unit::Time => "a time",
        Unit::Tokens => "a number of tokens",
        Unit::TokensPerSecond => "a number of tokens per second",
        Unit::RequestsPerSecond => "a number of requests per second",
        Unit::Money => "an amount of money",
    }
}

const SELECTORS: [&str; 6] = ["phase", "version", "model", "column", "arm", "within"];
/// 2^53: every smaller count is exact as a double.
const LARGEST_COUNT: u64 = 9_007_199_254_740_992;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::fuzz_assertion;
    use super::*;

    fn error(text: &str) -> ParseError {
        Assertion::parse(text).unwrap_err()
    }

    #[test]
    fn the_documents_gate_is_understood() {
        let lines = [
            "rollbacks == 1",
            "time_to_rollback <= 1m30s",
            "error_rate{phase='after rollback'} < 1%",
            "latency_p99{phase=canary, version=gpt-4-turbo-v2} < \
             latency_p99{phase=canary, version=gpt-4-v1}",
            "blast_radius.failed < 150",
            "cost_per_1k_tokens{column=\"Mom's\"} <= 0.008 USD",
            "0.5% >= error_rate{arm=canary}",
            "output_tokens_avg > 200 tokens",
            "goodput{phase=canary, within=2s} >= 4.5/s",
        ];
        for line in lines {
            assert_eq!(Assertion::parse(line).unwrap().to_string(), line);
        }
    }

    #[test]
    fn literals_take_the_unit_of_the_metric_they_stand_against() {
        let value = |text: &str| match Assertion::parse(text).unwrap().right {
            Term::Value(literal) => literal.as_f64(),
            Term::Metric { .. } => panic!("{text}"),
        };
        assert_eq!(value("latency_avg < 90s"), 90.0);
        assert_eq!(value("error_rate<1%"), 0.01);
        assert_eq!(value("error_rate < 1e-3"), 0.001);
        assert_eq!(value("requests > 150"), 150.0);
        assert_eq!(value("cost_total < 0.008 USD"), 0.008);
        assert_eq!(value("tokens_per_second >= 40/s"), 40.0);
        assert_eq!(value("latency_avg < 1h 2m"), 3_720.0);
    }

    #[test]
    fn errors_point_at_their_column_and_say_what_is_allowed() {
        let cases = [
            ("", 1, "found the end of the line, expected a metric"),
            ("error_rate", 11, "expected an operator: < <= > >= == !="),
            ("error_rate <", 13, "found the end of the line"),
            ("eror_rate < 1%", 1, "did you mean \"error_rate\"?"),
            ("error_rate ~ 1% +- 0.1%", 12, "unknown operator \"~\", allowed are < <= > >= == !="),
            ("error_rate within 0%..1%", 12, "unknown operator \"within\""),
            ("error_rate + 1% < 2%", 12, "unknown operator \"+\""),
            ("latency_p99 < 1.2 * latency_p99", 19, "unknown operator \"*\""),
            ("latency_p99 < 2s - 1s", 18, "unknown operator \"-\""),
            ("error_rate = 1%", 12, "did you mean \"==\"?"),
            ("error_rate ≤ 1%", 12, "did you mean \"<=\"?"),
            ("p(rollback) < 1%", 1, "unknown function p(...)"),
            ("error_rate < baseline(error_rate)", 14, "unknown function baseline(...)"),
            ("error_rate{fase=x} < 1%", 12, "did you mean \"phase\"?"),
            ("error_rate{arm=canry} < 1%", 16, "did you mean \"canary\"?"),
            ("error_rate{phase=a, phase=b} < 1%", 21, "selector phase stands here twice"),
            ("error_rate{column=a, phase=b} < 1%", 22, "a column states phase and version"),
            ("error_rate{phase='a} < 1%", 18, "a quote that is not closed"),
            ("error_rate{phase=''} < 1%", 19, "a name between the quotes"),
            ("error_rate{phase=after rollback} < 1%", 24, "expected \",\" or \"}\""),
            ("error_rate{phase==a} < 1%", 18, "\"=\" and a value"),
            ("error_rate < 90s", 14, "\"90s\" is not a ratio"),
            ("error_rate < 5", 14, "did you mean \"5%\"?"),
            ("latency_avg < 90", 15, "did you mean \"90s\"?"),
            ("requests < 1.5", 12, "is not a count"),
            ("requests < 10,000", 12, "is not a count"),
            ("error_rate < latency_avg", 14, "error_rate is a ratio and latency_avg is a time"),
            ("1% < 2%", 1, "neither side names a metric"),
            ("error_rate == 1%", 12, "error_rate is an estimate"),
            ("requests == latency_p50", 13, "they cannot be compared"),
            ("rollbacks{arm=canary} < 1", 11, "rollbacks is not counted by arm"),
            ("requests{within=2s} < 1", 10, "`within` belongs to goodput"),
            ("goodput{within=fast} > 1/s", 16, "within: \"fast\" is not a duration"),
            ("goodput > 5", 11, "goodput is compared with it, but"),
            ("error_rate < 1% < 2%", 17, "expected the end of the line"),
            ("(error_rate) < 1%", 1, "found \"(\""),
            ("näherung < 1%", 1, "unknown metric \"näherung\""),
        ];
        for (text, column, message) in cases {
            let error = error(text);
            assert!(error.to_string().contains(message), "{text}: {error}");
            assert_eq!(error.column(), column, "{text}: {error}");
        }
    }

    #[test]
    fn a_rendered_error_has_its_caret_under_the_column() {
        let rendered = error("error_rate{phase=ü} =< 1%").render();
        assert_eq!(
            rendered,
            "error_rate{phase=ü} =< 1%\n                    ^ unknown operator \"=<\", \
             allowed are < <= > >= == !=, did you mean \"<=\"?"
        );
    }

    #[test]
    fn a_line_of_any_length_is_answered() {
        let error = error(&"(".repeat(100_000));
        assert_eq!(error.to_string(), "the line has 100000 characters, allowed are 1000");
        assert!(error.render().len() < 1_200);
    }

    fn arb_name() -> impl Strategy<Value = String> {
        prop_oneof!["[a-z][a-z0-9.-]{0,9}", "[a-z ,={}'<]{1,12}", "[A-Zäß %\"]{1,6}"]
    }

    fn arb_side() -> impl Strategy<Value = String> {
        let metrics: Vec<&str> = Metric::all().map(Metric::name).collect();
        let selector =
            (prop::sample::select(SELECTORS.to_vec()), arb_name()).prop_map(|(selector, name)| {
                let quote = if name.contains('\'') { '"' } else { '\'' };
                format!("{selector}={quote}{name}{quote}")
            });
        let metric = (prop::sample::select(metrics), prop::collection::vec(selector, 0..3))
            .prop_map(|(metric, selectors)| format!("{metric}{{{}}}", selectors.join(",")));
        let literal = prop_oneof![
            (0_u64..100_000).prop_map(|count| count.to_string()),
            (0.0..1.0_f64).prop_map(|ratio| ratio.to_string()),
            (0.0..100.0_f64).prop_map(|percent| format!("{percent}%")),
            (0_u64..3_153_600_000_000_000_000)
                .prop_map(|nanos| Duration::from_nanos(nanos).to_literal()),
            (0_u64..100_000_000, 0_u32..12)
                .prop_map(|(whole, fraction)| format!("{}.{fraction} USD", whole % 1_000_000)),
            (0.0..1e9_f64).prop_map(|speed| format!("{speed}/s")),
        ];
        prop_oneof![3 => metric, 2 => literal]
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in any::<String>()) {
            fuzz_assertion(text.as_bytes());
        }

        #[test]
        fn no_bytes_make_the_parser_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            fuzz_assertion(&bytes);
        }

        #[test]
        fn what_is_printed_is_read_back_as_the_same(
            left in arb_side(),
            operator in prop::sample::select(vec!["<", "<=", ">", ">=", "==", "!=", "~"]),
            right in arb_side(),
        ) {
            fuzz_assertion(format!("{left} {operator} {right}").as_bytes());
        }

        #[test]
        fn an_unknown_metric_is_never_an_assertion(name in "[a-z_.]{1,20}") {
            let text = format!("{name} < 1");
            let known = Metric::by_name(&name).is_some();
            prop_assert!(known || Assertion::parse(&text).is_err());
        }
    }
}
