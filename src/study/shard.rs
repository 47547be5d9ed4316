//! A shard: the part of a study's runs that one machine makes.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// One of several parts of a study, which together are all of it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shard {
    /// Which, from 0.
    pub index: u64,
    /// How many there are, at least 1.
    pub of: u64,
}

/// Why a text is no shard.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ShardError {
    /// Not two numbers with a stroke between them.
    #[error("{text:?} is no shard: write INDEX/COUNT, from 0/5 to 4/5 where there are five")]
    Form {
        /// What was written.
        text: String,
    },
    /// The index is too great.
    #[error("{shard} is no shard: of {} they are counted from 0 to {}", shard.of, shard.of - 1)]
    Beyond {
        /// What was written.
        shard: Shard,
    },
}

impl Shard {
    /// The only part of a study that is not divided.
    pub const WHOLE: Self = Self { index: 0, of: 1 };

    /// The shard of this index.
    ///
    /// # Errors
    /// There are not so many, or none at all.
    pub fn new(index: u64, of: u64) -> Result<Self, ShardError> {
        let shard = Self { index, of };
        match index < of {
            true => Ok(shard),
            false if of == 0 => Err(ShardError::Form { text: shard.to_string() }),
            false => Err(ShardError::Beyond { shard }),
        }
    }

    /// Which of `count` things in a row are its own: those of all shards together are all of them,
    /// and no shard has more than one more than another.
    pub fn part_of(self, count: u64) -> Range<u64> {
        let border = |index: u64| {
            let place = u128::from(count) * u128::from(index) / u128::from(self.of);
            // It is at most the count.
            u64::try_from(place).unwrap_or(count)
        };
        border(self.index)..border(self.index + 1)
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.of)
    }
}

impl FromStr for Shard {
    type Err = ShardError;
    fn from_str(text: &str) -> Result<Self, ShardError> {
        let form = || ShardError::Form { text: text.to_owned() };
        let (index, of) = text.split_once('/').ok_or_else(form)?;
        let number = |text: &str| text.trim().parse::<u64>().map_err(|_| form());
        let (index, of) = (number(index)?, number(of)?);
        if of == 0 { Err(form()) } else { Self::new(index, of) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_share_all_there_is_evenly() {
        for (count, of) in [(0, 3), (1, 5), (7, 7), (100, 7), (u64::MAX, 3)] {
            let parts: Vec<_> = (0..of).map(|index| Shard { index, of }.part_of(count)).collect();
            assert_eq!((parts[0].start, parts[parts.len() - 1].end), (0, count));
            assert!(parts.windows(2).all(|pair| pair[0].end == pair[1].start));
            let lengths = || parts.iter().map(|part| part.end - part.start);
            assert!(lengths().max().unwrap() - lengths().min().unwrap() <= 1, "{parts:?}");
        }
    }

    #[test]
    fn what_is_no_shard_is_told_with_what_is() {
        assert_eq!("3/5".parse(), Ok(Shard { index: 3, of: 5 }));
        let cases = [
            ("5/5", "counted from 0 to 4"),
            ("0/0", "INDEX/COUNT"),
            ("1", "INDEX/COUNT"),
            ("-1/5", "INDEX/COUNT"),
            ("a/b", "INDEX/COUNT"),
        ];
        for (text, part) in cases {
            let error = text.parse::<Shard>().unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
