//! What is done with a trace while it is replayed: times that were rounded are spread, a stretch or
//! a sample is taken, and time is sped up.
//!
//! In this order, so that window and sample are those of the recorded traffic whatever the speed.
//! Rows that are left out are accounted for.

use std::collections::VecDeque;
use std::io::BufRead;

use crate::chance::{Chance, Purpose};
use crate::trace::{DropReason, TraceError, TraceErrorKind, TraceReader, TraceRecord};
use crate::units::{Duration, Ratio, RequestId};

/// How a trace is replayed.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct PlaybackOptions {
    /// What the recorded times are rounded to: rows of one time are spread at random over so long,
    /// in their order; `None`: times are as they are.
    pub dequantize: Option<Duration>,
    /// The stretch that is replayed; `None`: all.
    pub window: Option<Window>,
    /// The share that is replayed, of whole sessions where the trace has them.
    pub sample: Ratio,
    /// How much faster than recorded, more than 0.
    pub speed: f64,
}

impl Default for PlaybackOptions {
    fn default() -> Self {
        Self { dequantize: None, window: None, sample: Ratio::ONE, speed: 1.0 }
    }
}

/// A stretch of a trace.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Window {
    /// Where it begins, from the beginning of the trace.
    pub from: Duration,
    /// How long it is.
    pub length: Duration,
}

/// Reads a trace as it is replayed.
pub struct Playback<R> {
    reader: TraceReader<R>,
    options: PlaybackOptions,
    chance: Chance,
    /// Rows of one recorded time, with their lines, as they are handed on.
    batch: VecDeque<(u64, TraceRecord)>,
    /// The row after the batch.
    ahead: Option<(u64, TraceRecord)>,
    /// How many rows were taken.
    taken: u64,
    line: u64,
    has_ended: bool,
}

impl<R: BufRead> Playback<R> {
    /// Replays what `reader` reads.
    pub fn new(reader: TraceReader<R>, options: PlaybackOptions, chance: Chance) -> Self {
        let (batch, ahead) = (VecDeque::new(), None);
        Self { reader, options, chance, batch, ahead, taken: 0, line: 0, has_ended: false }
    }

    /// The trace that is read, with its accounting.
    pub const fn reader(&self) -> &TraceReader<R> {
        &self.reader
    }

    /// What is wrong with the record that was handed on last.
    pub(super) const fn error(&self, kind: TraceErrorKind) -> TraceError {
        TraceError::new(self.line, kind)
    }

    /// The next record, with the time at which it is replayed; `None` at the end and after an
    /// error.
    ///
    /// # Errors
    /// The trace is broken, or its times are not rounded as they are said to be.
    pub fn next_record(&mut self) -> Result<Option<TraceRecord>, TraceError> {
        while !self.has_ended {
            let next = self.spread();
            self.has_ended = !matches!(next, Ok(Some(_)));
            let Some((line, mut record)) = next? else { break };
            let number = self.taken;
            self.taken += 1;
            self.line = line;
            let from = self.options.window.map_or(Duration::ZERO, |window| window.from);
            let length = self.options.window.map_or(Duration::MAX, |window| window.length);
            if record.at < from {
                self.reader.leave_out(DropReason::OutsideWindow, line);
                continue;
            }
            record.at = record.at.saturating_sub(from);
            if record.at >= length {
                // What comes later is outside too.
                self.reader.leave_out(DropReason::OutsideWindow, line);
                self.leave_out_ahead();
                self.has_ended = true;
                break;
            }
            if !self.is_sampled(&record, number) {
                self.reader.leave_out(DropReason::NotSampled, line);
                continue;
            }
            if self.options.speed != 1.0 {
                record.at = record.at.mul_f64(1.0 / self.options.speed);
            }
            return Ok(Some(record));
        }
        Ok(None)
    }

    /// What was read ahead is not handed on.
    fn leave_out_ahead(&mut self) {
        for (line, _) in self.batch.drain(..).chain(self.ahead.take()) {
            self.reader.leave_out(DropReason::OutsideWindow, line);
        }
    }

    /// By the session, else by the row.
    fn is_sampled(&self, record: &TraceRecord, number: u64) -> bool {
        let sample = self.options.sample;
        let id = RequestId(record.session.unwrap_or(number));
        sample == Ratio::ONE
            || self.chance.request(id, 0).draw(Purpose::Sample, 0).is_below(sample.threshold())
    }

    /// The next row, its time spread if it was rounded.
    fn spread(&mut self) -> Result<Option<(u64, TraceRecord)>, TraceError> {
        let Some(quantum) = self.options.dequantize else { return self.read() };
        if self.batch.is_empty() {
            let first = match self.ahead.take() {
                Some(first) => Some(first),
                None => self.read()?,
            };
            let Some(first) = first else { return Ok(None) };
            let at = first.1.at;
            self.batch.push_back(first);
            while let Some((line, record)) = self.read()? {
                if record.at != at {
                    self.ahead = Some((line, record));
                    break;
                }
                if self.batch.len() == MOST_AT_ONCE {
                    let kind = TraceErrorKind::TooManyAtOnce { limit: MOST_AT_ONCE };
                    return Err(TraceError::new(line, kind));
                }
                self.batch.push_back((line, record));
            }
            self.spread_batch(at, quantum)?;
        }
        Ok(self.batch.pop_front())
    }

    /// Spreads the batch of time `at`: up to the next time, where that comes a little early.
    fn spread_batch(&mut self, at: Duration, quantum: Duration) -> Result<(), TraceError> {
        let mut room = quantum;
        if let Some((line, next)) = &self.ahead {
            let apart = next.at.saturating_sub(at);
            if apart < quantum.mul_f64(LEAST_APART) {
                let kind = TraceErrorKind::NotQuantised { apart, quantum };
                return Err(TraceError::new(*line, kind));
            }
            room = room.min(apart);
        }
        let (chance, first) = (self.chance, self.taken);
        let numbers = first..first + self.batch.len() as u64;
        let draw = |number| chance.request(RequestId(number), 0).draw(Purpose::Spread, 0);
        let mut offsets: Vec<Duration> =
            numbers.map(|number| room.mul_f64(draw(number).unit())).collect();
        offsets.sort_unstable();
        for ((_, record), offset) in self.batch.iter_mut().zip(offsets) {
            record.at = record.at.saturating_add(offset);
        }
        Ok(())
    }

    fn read(&mut self) -> Result<Option<(u64, TraceRecord)>, TraceError> {
        let record = self.reader.next_record()?;
        Ok(record.map(|record| (self.reader.line(), record)))
    }
}

/// Chosen: what is rounded is rounded to more than 99 % of what it is said to be; the Mooncake
/// traces stray by 0.1 %.
const LEAST_APART: f64 = 0.99;
/// Chosen: 100 MB of rows; real batches have some ten.
const MOST_AT_ONCE: usize = 1_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "#coalmine-trace 1\nat_ns,session,input_tokens,output_tokens\n";

    /// A row at each of these seconds, in its session.
    fn playback(
        rows: &[(u64, u64)],
        options: PlaybackOptions,
    ) -> Playback<std::io::Cursor<String>> {
        let rows = rows.iter().map(|(at, session)| format!("{at}000000000,{session},5,5\n"));
        let text = HEAD.to_owned() + &rows.collect::<String>();
        let reader = TraceReader::new(std::io::Cursor::new(text)).unwrap();
        Playback::new(reader, options, Chance::new(3, 0))
    }

    fn seconds(playback: &mut Playback<std::io::Cursor<String>>) -> Vec<f64> {
        std::iter::from_fn(|| playback.next_record().unwrap())
            .map(|record| record.at.as_secs_f64())
            .collect()
    }

    #[test]
    fn a_window_begins_at_0_and_a_speed_of_2_halves_times() {
        let rows = [(0, 1), (3, 1), (5, 1), (9, 1), (10, 1), (30, 1)];
        let window = Window { from: Duration::from_secs(3), length: Duration::from_secs(7) };
        let options =
            PlaybackOptions { window: Some(window), speed: 2.0, ..PlaybackOptions::default() };
        let mut playback = playback(&rows, options);
        assert_eq!(seconds(&mut playback), [0.0, 1.0, 3.0]);
        assert_eq!(playback.next_record().unwrap(), None);
        let accounting = playback.reader().accounting();
        assert!(accounting.is_balanced());
        assert_eq!((accounting.read, accounting.emitted), (5, 3));
        assert_eq!(accounting.dropped[&DropReason::OutsideWindow].lines, [3, 7]);
    }

    #[test]
    fn a_sample_keeps_whole_sessions() {
        let rows: Vec<_> = (0..4_000).map(|n| (n, n % 1_000)).collect();
        let options =
            PlaybackOptions { sample: Ratio::new(0.3).unwrap(), ..PlaybackOptions::default() };
        let mut playback = playback(&rows, options);
        let mut kept = [0; 1_000];
        while let Some(record) = playback.next_record().unwrap() {
            kept[record.session.unwrap() as usize] += 1;
        }
        assert!(kept.iter().all(|count| [0, 4].contains(count)));
        let sessions = kept.iter().filter(|count| **count == 4).count() as f64;
        // Binomial: 300 with a standard deviation of 14.5.
        assert!((sessions - 300.0).abs() < 4.0 * 14.5, "{sessions}");
        let accounting = playback.reader().accounting();
        assert!(accounting.is_balanced());
        assert_eq!(accounting.emitted as f64, 4.0 * sessions);
    }

    #[test]
    fn rounded_times_are_spread_in_their_order_up_to_the_next_time() {
        let rows: Vec<_> = (0..300).map(|n| (n / 100 * 3, n)).collect();
        let dequantize = Some(Duration::from_secs(3));
        let options = PlaybackOptions { dequantize, ..PlaybackOptions::default() };
        let mut playback = playback(&rows, options);
        let mut sums = [0.0; 3];
        let mut latest = Duration::ZERO;
        for number in 0..300_u64 {
            let record = playback.next_record().unwrap().unwrap();
            assert_eq!(record.session, Some(number));
            assert!(record.at >= latest);
            latest = record.at;
            let within = record.at.as_secs_f64() - 3.0 * (number / 100) as f64;
            assert!((0.0..3.0).contains(&within), "{within}");
            sums[(number / 100) as usize] += within;
        }
        // A hundred uniform offsets of 0 to 3 s: 150 s with a standard deviation of 8.7 s.
        assert!(sums.iter().all(|sum| (sum - 150.0).abs() < 35.0), "{sums:?}");
    }

    #[test]
    fn times_that_are_not_rounded_are_not_spread() {
        let dequantize = Some(Duration::from_secs(3));
        let options = PlaybackOptions { dequantize, ..PlaybackOptions::default() };
        let mut playback = playback(&[(0, 1), (3, 1), (5, 1), (9, 1)], options);
        assert!(playback.next_record().unwrap().is_some());
        let error = playback.next_record().unwrap_err().to_string();
        assert_eq!(
            error,
            "line 5: the row is 2 s after the rows before it: times are not rounded to 3 s, so \
             they cannot be spread over it"
        );
        assert_eq!(playback.next_record().unwrap(), None);
    }
}
