//! Times that were rounded, spread: rows of one time over what they were rounded to, in their
//! order, and up to the next time where that comes a little early.
//!
//! Knows no generator: each row has a draw of its own, by its number.

use std::collections::VecDeque;

use super::error::{TraceError, TraceErrorKind, TracePlace};
use super::record::TraceRecord;
use crate::units::{Draw, Duration};

/// A row and where it stands.
type Placed = (TracePlace, TraceRecord);

/// Spreads the rows of a trace.
#[derive(Debug)]
pub struct Spreader {
    quantum: Duration,
    /// Rows of one recorded time, as they are handed on.
    batch: VecDeque<Placed>,
    /// The row after the batch.
    ahead: Option<Placed>,
    /// How many rows were in the batches before.
    before: u64,
}

impl Spreader {
    /// Spreads rows whose times are rounded to `quantum`, more than 0.
    pub const fn new(quantum: Duration) -> Self {
        Self { quantum, batch: VecDeque::new(), ahead: None, before: 0 }
    }

    /// The next row of those that `read` yields, at its new time; `draw` gives the draw of a row by
    /// its number, from 0.
    ///
    /// # Errors
    /// A row cannot be read, times are not rounded as they are said to be, or too many rows have
    /// one time.
    pub fn next_row(
        &mut self,
        mut read: impl FnMut() -> Result<Option<Placed>, TraceError>,
        draw: impl Fn(u64) -> Draw,
    ) -> Result<Option<Placed>, TraceError> {
        if self.batch.is_empty() {
            let first = match self.ahead.take() {
                Some(first) => Some(first),
                None => read()?,
            };
            let Some(first) = first else { return Ok(None) };
            let at = first.1.at;
            self.batch.push_back(first);
            while let Some((place, record)) = read()? {
                if record.at != at {
                    self.ahead = Some((place, record));
                    break;
                }
                if self.batch.len() == MOST_AT_ONCE {
                    let kind = TraceErrorKind::TooManyAtOnce { limit: MOST_AT_ONCE };
                    return Err(TraceError::new(place, kind));
                }
                self.batch.push_back((place, record));
            }
            self.spread(at, draw)?;
        }
        Ok(self.batch.pop_front())
    }

    /// Takes out what was read and not handed on.
    pub fn drain(&mut self) -> impl Iterator<Item = Placed> {
        self.batch.drain(..).chain(self.ahead.take())
    }

    /// Spreads the batch of time `at`.
    fn spread(&mut self, at: Duration, draw: impl Fn(u64) -> Draw) -> Result<(), TraceError> {
        let mut room = self.quantum;
        if let Some((place, next)) = &self.ahead {
            let apart = next.at.saturating_sub(at);
            if apart < self.quantum.mul_f64(LEAST_APART) {
                let kind = TraceErrorKind::NotQuantised { apart, quantum: self.quantum };
                return Err(TraceError::new(*place, kind));
            }
            room = room.min(apart);
        }
        let numbers = self.before..self.before + self.batch.len() as u64;
        self.before = numbers.end;
        let mut offsets: Vec<Duration> =
            numbers.map(|number| room.mul_f64(draw(number).unit())).collect();
        offsets.sort_unstable();
        for ((_, record), offset) in self.batch.iter_mut().zip(offsets) {
            record.at = record.at.saturating_add(offset);
        }
        Ok(())
    }
}

/// Chosen: what is rounded is rounded to more than 99 % of what it is said to be; the Mooncake
/// traces stray by 0.1 %.
const LEAST_APART: f64 = 0.99;
/// Chosen: 100 MB of rows; real batches have some ten.
const MOST_AT_ONCE: usize = 1_000_000;
