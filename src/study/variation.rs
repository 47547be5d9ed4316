//! What is varied: a path of the scenario and the values that it takes.
//!
//! `PATH=a,b,c` lists them, `PATH=a..b:n` are n of them, equally far from each other. Path and
//! values are those of `--set`; whether the scenario has such a path is for its reader to say.

use serde::{Deserialize, Serialize};

use super::spread::spread;

/// A path of the scenario and the values that it takes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variation {
    /// The path, as `--set` takes it.
    pub path: String,
    /// The values, as `--set` takes them: at least one, no two the same.
    pub values: Vec<String>,
}

/// Why a text is no variation.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum VariationError {
    /// There is no path, or nothing behind it.
    #[error(
        "{text:?} is no variation: write PATH=VALUE,VALUE or PATH=FROM..TO:COUNT, such as \
         models.gpt-4.rules.conditions.0.threshold=0.01..0.1:10"
    )]
    NoValues {
        /// What was written.
        text: String,
    },
    /// Nothing stands before or behind a comma.
    #[error("value number {number} of {path} is empty: leave the comma out, or quote the text ''")]
    Empty {
        /// The path.
        path: String,
        /// Which, from 1.
        number: usize,
    },
    /// A range does not say of how many values it is.
    #[error(
        "{path}={range} does not say how many values it is: write {path}={range}:10, both ends \
         among them"
    )]
    NoCount {
        /// The path.
        path: String,
        /// The ends.
        range: String,
    },
    /// A value stands there twice.
    #[error("{path} takes {value} twice: cells of the same values would be the same runs")]
    Twice {
        /// The path.
        path: String,
        /// The value.
        value: String,
    },
    /// So many values cannot be spread over a range.
    #[error("{count} values of {path}: from one end of a range to the other go 2 to {most}")]
    Count {
        /// The path.
        path: String,
        /// How many are asked for.
        count: String,
        /// How many there may be.
        most: usize,
    },
    /// The ends of a range are no numbers of one unit, or the same.
    #[error(
        "{path} cannot go from {from:?} to {to:?}: write two different numbers, both with the same \
         unit, such as 1%..10%:10 or 30s..5m:10"
    )]
    Ends {
        /// The path.
        path: String,
        /// The first value.
        from: String,
        /// The last value.
        to: String,
    },
}

impl Variation {
    /// The variation that a text of the command line says.
    ///
    /// # Errors
    /// It is none.
    pub fn parse(text: &str) -> Result<Self, VariationError> {
        let (path, values) = text.split_once('=').unwrap_or((text, ""));
        let (path, values) = (path.trim().to_owned(), values.trim());
        if path.is_empty() || values.is_empty() {
            return Err(VariationError::NoValues { text: text.to_owned() });
        }
        if let Some((from, to)) = values.split_once("..")
            && spread(from.trim(), to.trim().trim_end_matches(':'), 2).is_some()
        {
            let range = values.trim_end_matches(':').to_owned();
            return Err(VariationError::NoCount { path, range });
        }
        let values = match Range::of(values) {
            Some(range) => range.values(&path)?,
            None => listed(values, &path)?,
        };
        let twice = values.iter().enumerate().find(|(at, value)| values[..*at].contains(value));
        match twice {
            Some((_, value)) => Err(VariationError::Twice { path, value: value.clone() }),
            None => Ok(Self { path, values }),
        }
    }

    /// The setting that makes it take its value of this index.
    ///
    /// # Panics
    /// There is no such value.
    pub fn setting(&self, value: usize) -> String {
        format!("{}={}", self.path, self.values[value])
    }
}

/// `a..b:n`.
struct Range<'a> {
    from: &'a str,
    to: &'a str,
    count: &'a str,
}

impl<'a> Range<'a> {
    fn of(text: &'a str) -> Option<Self> {
        let (ends, count) = text.rsplit_once(':')?;
        let (from, to) = ends.split_once("..")?;
        let plain = |end: &str| !end.is_empty() && !end.contains([',', '[', '{', '\'', '"']);
        let [from, to, count] = [from, to, count].map(str::trim);
        [from, to, count].into_iter().all(plain).then_some(Self { from, to, count })
    }

    fn values(&self, path: &str) -> Result<Vec<String>, VariationError> {
        let path = path.to_owned();
        let count = self.count.parse().ok().filter(|count| (2..=MOST_VALUES).contains(count));
        let Some(count) = count else {
            let (count, most) = (self.count.to_owned(), MOST_VALUES);
            return Err(VariationError::Count { path, count, most });
        };
        spread(self.from, self.to, count).ok_or_else(|| {
            let (from, to) = (self.from.to_owned(), self.to.to_owned());
            VariationError::Ends { path, from, to }
        })
    }
}

/// The values between commas; commas within brackets, braces and quotes belong to a value.
fn listed(text: &str, path: &str) -> Result<Vec<String>, VariationError> {
    let mut values = vec![String::new()];
    let (mut depth, mut quote) = (0_usize, None);
    for letter in text.chars() {
        match (letter, quote) {
            (letter, Some(open)) if letter == open => quote = None,
            ('\'' | '"', None) => quote = Some(letter),
            ('[' | '{', None) => depth += 1,
            (']' | '}', None) => depth = depth.saturating_sub(1),
            (',', None) if depth == 0 => {
                values.push(String::new());
                continue;
            }
            _ => {}
        }
        values.last_mut().expect("there is one from the beginning").push(letter);
    }
    let values: Vec<String> = values.iter().map(|value| value.trim().to_owned()).collect();
    match values.iter().position(String::is_empty) {
        Some(at) => Err(VariationError::Empty { path: path.to_owned(), number: at + 1 }),
        None => Ok(values),
    }
}

/// Chosen: more values of one path than a study has cells are a slip of the pen.
const MOST_VALUES: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn values(text: &str) -> Vec<String> {
        Variation::parse(text).unwrap_or_else(|error| panic!("{text}: {error}")).values
    }

    #[test]
    fn values_are_listed_between_commas_outside_of_brackets_and_quotes() {
        let found = Variation::parse(" rules.0.threshold = 1%, 0.05 ,10% ").unwrap();
        assert_eq!(found.path, "rules.0.threshold");
        assert_eq!(found.values, ["1%", "0.05", "10%"]);
        assert_eq!(found.setting(2), "rules.0.threshold=10%");
        let flows = "a={b: 1, c: [2, 3]},'x, y',\"it's, so\",[]";
        assert_eq!(values(flows), ["{b: 1, c: [2, 3]}", "'x, y'", "\"it's, so\"", "[]"]);
        // A value may hold what separates a path from its values.
        assert_eq!(values("vars.x=a=b,c"), ["a=b", "c"]);
    }

    #[test]
    fn a_range_is_spread_evenly_with_its_ends() {
        assert_eq!(values("x=1%..10%:4"), ["1%", "4%", "7%", "10%"]);
        assert_eq!(values("x=30s..5m:4"), ["30s", "2m", "3m30s", "5m"]);
        assert_eq!(values("x = 5..1 : 3"), ["5", "3", "1"]);
        // What looks like one within a list or a flow is a value.
        assert_eq!(values("x=a..b:2,c"), ["a..b:2", "c"]);
        assert_eq!(values("x={a: 1..2:3}"), ["{a: 1..2:3}"]);
    }

    #[test]
    fn what_is_no_variation_is_told_with_its_path_and_value() {
        let cases = [
            ("threshold", "\"threshold\" is no variation"),
            ("=5%", "\"=5%\" is no variation"),
            ("a=", "PATH=FROM..TO:COUNT"),
            ("a=1,,2", "value number 2 of a is empty"),
            ("a=1,2,1", "a takes 1 twice"),
            ("a=1..2:1", "1 values of a: from one end of a range to the other go 2 to 10000"),
            ("a=1..2:x", "x values of a"),
            ("a=1..2:99999", "99999 values"),
            ("a=1%..10:3", "a cannot go from \"1%\" to \"10\""),
            ("a=1s..2%:3", "the same unit"),
            ("a=low..high:3", "two different numbers"),
            ("a=3..3:2", "two different numbers"),
        ];
        for (text, part) in cases {
            let error = Variation::parse(text).unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
