//! From a line's text to the tree of what it says, by one pass from left to right.

use super::cursor::{Cursor, is_word, name};
use super::error::{LONGEST, ParseError, Problem};
use super::expression::{Assertion, Comparison, Operation};
use super::reading::{EVENTS, OverRuns, Reading, Source};
use super::selecting::selector;
use super::syntax::{Claimed, Line, Node, Part};
use super::typing::Typing;
use crate::metric::Metric;

impl Assertion {
    /// The assertion that `text` states.
    ///
    /// # Errors
    /// Not of the grammar of this module; a metric, function, selector or operator that does not
    /// exist; figures and metrics of units that do not go together; no metric at all; `==` or `!=`
    /// on an estimate.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let length = text.chars().count();
        if length > LONGEST {
            return Err(ParseError::new(text, 0, Problem::TooLong { length }));
        }
        let mut parser = Parser { cursor: Cursor { text, at: 0 }, depth: 0 };
        let line = parser.line()?;
        Typing::new(text).assertion(&line)
    }
}

struct Parser<'a> {
    cursor: Cursor<'a>,
    /// How many parentheses are open.
    depth: usize,
}

impl<'a> Parser<'a> {
    fn line(&mut self) -> Result<Line<'a>, ParseError> {
        let left = self.sum()?;
        self.cursor.skip_blanks();
        let claim_at = self.cursor.at;
        let claim = if self.cursor.take("~") {
            let value = self.sum()?;
            self.tolerance_sign()?;
            Claimed::Near { value, tolerance: self.sum()? }
        } else if self.cursor.take_word("within") {
            let low = self.sum()?;
            if !self.cursor.take("..") {
                return Err(self.cursor.unexpected("\"..\" and the upper end"));
            }
            Claimed::Within { low, high: self.sum()? }
        } else {
            let operator = self.operator()?;
            Claimed::Compared { operator, right: self.sum()? }
        };
        self.end()?;
        Ok(Line { left, claim_at, claim })
    }

    /// What stands between a value and how near to it is near.
    fn tolerance_sign(&mut self) -> Result<(), ParseError> {
        self.cursor.skip_blanks();
        let at = self.cursor.at;
        if self.cursor.take("+-") {
            return Ok(());
        }
        let meant =
            ["±", "+/-", "-+"].into_iter().find(|sign| self.cursor.text[at..].starts_with(sign));
        let error = self.cursor.unexpected("\"+-\" and a tolerance");
        Err(match meant {
            Some(_) => error.suggest("+-", ["+-"]),
            None => error,
        })
    }

    /// Products, added and subtracted.
    fn sum(&mut self) -> Result<Node<'a>, ParseError> {
        let mut sum = self.product()?;
        loop {
            self.cursor.skip_blanks();
            let operation_at = self.cursor.at;
            let rest = self.cursor.rest();
            let operation = if rest.starts_with("+-") || rest.starts_with("+/-") {
                // A tolerance follows.
                return Ok(sum);
            } else if self.cursor.take("+") {
                Operation::Plus
            } else if self.cursor.take("-") {
                Operation::Minus
            } else {
                return Ok(sum);
            };
            let right = self.product()?;
            sum = computed(operation, operation_at, sum, right);
        }
    }

    /// Values, multiplied and divided.
    fn product(&mut self) -> Result<Node<'a>, ParseError> {
        let mut product = self.value_of_line()?;
        loop {
            self.cursor.skip_blanks();
            let operation_at = self.cursor.at;
            let operation = if self.cursor.take("*") {
                Operation::Times
            } else if self.cursor.take("/") {
                Operation::Over
            } else {
                return Ok(product);
            };
            let right = self.value_of_line()?;
            product = computed(operation, operation_at, product, right);
        }
    }

    fn value_of_line(&mut self) -> Result<Node<'a>, ParseError> {
        self.cursor.skip_blanks();
        let at = self.cursor.at;
        let part = match self.cursor.peek() {
            Some('(') => return self.parenthesis(),
            Some(c) if c.is_ascii_digit() || ".-+$".contains(c) => Part::Literal(self.literal()),
            Some(c) if c.is_alphabetic() || c == '_' => Part::Read(self.reading()?),
            _ => {
                return Err(self
                    .cursor
                    .unexpected("a metric such as error_rate, or a value such as 90s"));
            }
        };
        let end = at + self.cursor.text[at..self.cursor.at].trim_end().len();
        Ok(Node { at, end, part })
    }

    fn parenthesis(&mut self) -> Result<Node<'a>, ParseError> {
        let opening = self.cursor.at;
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.cursor.error(opening, Problem::TooDeep));
        }
        self.cursor.take("(");
        let mut inner = self.sum()?;
        self.cursor.skip_blanks();
        if !self.cursor.take(")") {
            return Err(self.cursor.unexpected("an operation or \")\""));
        }
        self.depth -= 1;
        (inner.at, inner.end) = (opening, self.cursor.at);
        Ok(inner)
    }

    /// A literal's text: up to the next sign that cannot be part of one.
    fn literal(&mut self) -> &'a str {
        let rest = self.cursor.rest();
        let mut previous = ' ';
        let end = rest
            .char_indices()
            .find(|&(at, c)| {
                let sign = matches!(c, '+' | '-');
                let after = &rest[at..];
                let part = c.is_alphanumeric()
                    || (c.is_whitespace() && !is_word(after.trim_start(), "within"))
                    || (c == '.' && !after.starts_with(".."))
                    || matches!(c, ',' | '%' | '$')
                    // As in `40/s`.
                    || (c == '/' && previous.is_ascii_digit() && is_rate(after))
                    || (sign && (at == 0 || is_exponent(&rest[..at])));
                previous = c;
                !part
            })
            .map_or(rest.len(), |(at, _)| at);
        // A sign alone is none of a literal, but it is what stands there.
        self.cursor.at += end.max(self.cursor.peek().map_or(0, char::len_utf8));
        rest[..end].trim()
    }

    /// A metric, one of a baseline, or a function of one over runs.
    fn reading(&mut self) -> Result<Reading, ParseError> {
        let at = self.cursor.at;
        if !self.cursor.take_word("baseline") {
            return self.own_reading();
        }
        self.cursor.skip_blanks();
        if !self.cursor.take("(") {
            return Err(self.cursor.unexpected("\"(\", a metric and \")\""));
        }
        self.cursor.skip_blanks();
        if is_word(self.cursor.rest(), "baseline") {
            return Err(self.cursor.error(at, Problem::BaselineOfBaseline));
        }
        let reading = self.own_reading()?;
        self.closing(
            "\")\": a baseline is of one metric, and what is worked out stands around it",
        )?;
        Ok(Reading { source: Source::Baseline, ..reading })
    }

    fn own_reading(&mut self) -> Result<Reading, ParseError> {
        let at = self.cursor.at;
        let name = self.cursor.take_name();
        let blanks = self.cursor.rest().trim_start().starts_with('(');
        if !blanks {
            let metric = self.metric(at, name)?;
            return self.selected(OverRuns::Itself, metric);
        }
        self.cursor.skip_blanks();
        let functions = OverRuns::FUNCTIONS.into_iter();
        let Some((_, over_runs)) = functions.clone().find(|(known, _)| *known == name) else {
            let error = self.cursor.error(at, Problem::UnknownFunction { name: name.to_owned() });
            let known = functions.map(|(known, _)| known).chain(["baseline"]);
            return Err(error.suggest(name, known));
        };
        self.cursor.take("(");
        self.cursor.skip_blanks();
        let (at, name) = (self.cursor.at, self.cursor.take_name());
        let metric = match over_runs {
            OverRuns::Probability => self.event(at, name)?,
            OverRuns::Itself | OverRuns::Quantile(_) => self.metric(at, name)?,
        };
        let reading = self.selected(over_runs, metric)?;
        self.closing("\")\"")?;
        Ok(reading)
    }

    fn closing(&mut self, expected: &'static str) -> Result<(), ParseError> {
        self.cursor.skip_blanks();
        match self.cursor.take(")") {
            true => Ok(()),
            false => Err(self.cursor.unexpected(expected)),
        }
    }

    fn selected(&mut self, over_runs: OverRuns, metric: Metric) -> Result<Reading, ParseError> {
        let selector = selector(&mut self.cursor, metric)?;
        Ok(Reading { source: Source::Judged, over_runs, metric, selector })
    }

    fn metric(&self, at: usize, name: &str) -> Result<Metric, ParseError> {
        if name.is_empty() {
            return Err(self.cursor.unexpected("a metric such as error_rate"));
        }
        Metric::by_name(name).ok_or_else(|| {
            let error = self.cursor.error(at, Problem::UnknownMetric { name: name.to_owned() });
            error.suggest(name, Metric::all().map(Metric::name))
        })
    }

    /// What `p(...)` asks for, by the metric that counts it.
    fn event(&self, at: usize, name: &str) -> Result<Metric, ParseError> {
        let found = EVENTS.into_iter().find(|(event, _)| *event == name);
        found.map(|(_, metric)| metric).ok_or_else(|| {
            let error = self.cursor.error(at, Problem::UnknownEvent { name: name.to_owned() });
            error.suggest(name, EVENTS.map(|(event, _)| event))
        })
    }

    fn operator(&mut self) -> Result<Comparison, ParseError> {
        self.cursor.skip_blanks();
        let at = self.cursor.at;
        let word = self.operator_word();
        if word.is_empty() {
            return Err(self.cursor.unexpected("an operator: < <= > >= == != within ~"));
        }
        let known = Comparison::ALL.into_iter().find(|operator| operator.symbol() == word);
        known.ok_or_else(|| self.unknown_operator(at, word))
    }

    /// What stands where an operator must: signs of comparison, one other sign, or a word.
    fn operator_word(&mut self) -> &'a str {
        let signs = self.cursor.take_while(|c| "<>=!~".contains(c));
        if !signs.is_empty() {
            return signs;
        }
        let word = self.cursor.take_name();
        if !word.is_empty() {
            return word;
        }
        let start = self.cursor.at;
        self.cursor.at += self.cursor.peek().map_or(0, char::len_utf8);
        &self.cursor.text[start..self.cursor.at]
    }

    fn unknown_operator(&self, at: usize, word: &str) -> ParseError {
        let error = self.cursor.error(at, Problem::UnknownOperator { operator: word.to_owned() });
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
        self.cursor.skip_blanks();
        let at = self.cursor.at;
        if self.cursor.peek().is_none() {
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
            self.cursor.error(at, Problem::Unexpected { found, expected: "the end of the line" })
        } else {
            self.unknown_operator(at, word)
        }
    }
}

/// Whether a unit of time follows the stroke that `rest` begins with.
fn is_rate(rest: &str) -> bool {
    let unit = name(&rest[1..]);
    matches!(unit, "s" | "sec" | "second" | "m" | "min" | "minute" | "h" | "hour" | "d" | "day")
}

/// Whether these digits end with the mark of an exponent, as in `1e`.
fn is_exponent(digits: &str) -> bool {
    let number = digits.strip_suffix(['e', 'E']).unwrap_or_default();
    let unsigned = number.trim_start_matches(['+', '-']);
    !unsigned.is_empty() && unsigned.bytes().all(|b| b.is_ascii_digit() || b == b'.')
}

fn computed<'a>(
    operation: Operation,
    operation_at: usize,
    left: Node<'a>,
    right: Node<'a>,
) -> Node<'a> {
    let (at, end) = (left.at, right.end);
    let (left, right) = (Box::new(left), Box::new(right));
    Node { at, end, part: Part::Computed { operation, operation_at, left, right } }
}

/// Chosen: more than any line needs, and no stack ends by it.
const DEEPEST: usize = 32;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::expression::{Claim, Expression};
    use super::super::fuzz_assertion;
    use super::super::selecting::SELECTORS;
    use super::*;
    use crate::units::Duration;

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
            "latency_p99{version=v2} <= latency_p99{version=v1} * 1.2",
            "error_rate - baseline(error_rate) < 0.5%",
            "split_p_value > 0.1%",
            "(latency_p99 - latency_p50) / latency_avg < 1.5",
            "requests / (1m + 30s) within 5/s..8/s",
            "latency_avg within latency_p50..latency_p99",
            "latency_avg ~ 892ms +- 2%",
            "error_rate ~ 1% +- 0.5%",
            "p(rollback{version=v2}) >= 95%",
            "p95(blast_radius.failed) < 200",
            "median(time_to_rollback) <= baseline(median(time_to_rollback)) + 15s",
        ];
        for line in lines {
            assert_eq!(Assertion::parse(line).unwrap().to_string(), line);
        }
    }

    #[test]
    fn literals_take_the_unit_of_the_metric_they_stand_against() {
        let value = |text: &str| match Assertion::parse(text).unwrap().claim {
            Claim::Compared { right: Expression::Stated(literal), .. } => literal.as_f64(),
            _ => panic!("{text}"),
        };
        assert_eq!(value("latency_avg < 90s"), 90.0);
        assert_eq!(value("error_rate<1%"), 0.01);
        assert_eq!(value("error_rate < 1e-3"), 0.001);
        assert_eq!(value("requests > 150"), 150.0);
        assert_eq!(value("cost_total < 0.008 USD"), 0.008);
        assert_eq!(value("tokens_per_second >= 40/s"), 40.0);
        assert_eq!(value("latency_avg < 1h 2m"), 3_720.0);
        assert_eq!(value("latency_avg / latency_p99 < 120%"), 1.2);
        assert_eq!(value("error_rate - baseline(error_rate) < -0.5%"), -0.005);
    }

    #[test]
    fn errors_point_at_their_column_and_say_what_is_allowed() {
        let cases = [
            ("", 1, "found the end of the line, expected a metric"),
            ("error_rate", 11, "expected an operator: < <= > >= == != within ~"),
            ("error_rate <", 13, "found the end of the line"),
            ("eror_rate < 1%", 1, "did you mean \"error_rate\"?"),
            ("error_rate ~ 1%", 16, "expected \"+-\" and a tolerance"),
            ("error_rate ~ 1% ± 0.1%", 17, "did you mean \"+-\"?"),
            ("error_rate ~ 1% +- latency_avg", 20, "\"latency_avg\" is no tolerance"),
            ("error_rate ~ 1% +- -1%", 20, "\"-1%\" is not a ratio"),
            ("latency_avg ~ 1s +- -1%", 21, "a tolerance cannot be below 0"),
            ("error_rate within 1%", 21, "expected \"..\" and the upper end"),
            ("error_rate within 2%..1%", 19, "write the lower end first"),
            ("error_rate + 90s < 2%", 14, "\"90s\" is not a ratio"),
            ("error_rate + latency_avg < 2%", 12, "they cannot be added"),
            ("latency_p99 < latency_avg * latency_p50", 27, "they cannot be multiplied"),
            ("1 / latency_p99 < 2", 3, "they cannot be divided"),
            ("latency_p99 < 2 * 100", 15, "2 * 100 is a number: they cannot be compared"),
            ("latency_p99 / latency_p50 < 2s", 29, "\"2s\" is not a number"),
            ("requests < (1 + 2", 18, "an operation or \")\""),
            ("requests < 2 * ", 16, "expected a metric such as"),
            ("error_rate = 1%", 12, "did you mean \"==\"?"),
            ("error_rate ≤ 1%", 12, "did you mean \"<=\"?"),
            ("p(rollbacks) < 1%", 3, "did you mean \"rollback\"?"),
            ("p99(rollback) < 1", 5, "did you mean \"rollbacks\"?"),
            ("mean(requests) < 1", 1, "unknown function mean(...)"),
            ("p(rollback) == 1%", 13, "p(rollback) is an estimate"),
            ("error_rate < baseline(error_rate * 2)", 34, "a baseline is of one metric"),
            ("error_rate < baseline(baseline(error_rate))", 14, "write baseline(...) once"),
            ("baseline(error_rate) < 1%", 1, "baseline(...) alone asserts nothing"),
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
            ("goodput > 5", 11, "goodput stands beside it, but"),
            ("error_rate < 1% < 2%", 17, "expected the end of the line"),
            ("(error_rate < 1%", 13, "an operation or \")\""),
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
             allowed are < <= > >= == != within ~, did you mean \"<=\"?"
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
