//! What is done with a trace while it is replayed: times that were rounded are spread, a stretch or
//! a sample is taken, and time is sped up.
//!
//! In this order, so that window and sample are those of the recorded traffic whatever the speed.
//! Rows that are left out are accounted for.
//!
//! A trace can be repeated: what was replayed in its first turn comes again, by the same users, in
//! sessions of their own. A turn lasts as long as the window; without one until the last row and
//! the mean of the gaps between rows after it.

use std::io::{BufRead, Seek};

use crate::arrivals::Arrivals;
use crate::chance::{Chance, Draws, Purpose};
use crate::trace::{
    DropReason, Spreader, TraceError, TraceErrorKind, TracePlace, TraceReader, TraceRecord,
};
use crate::units::{Duration, Ratio};

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
    /// Whether it begins anew whenever it has come to its end.
    pub repeat: bool,
    /// How many requests are replayed at most, those of all turns.
    pub limit: Option<u64>,
}

impl Default for PlaybackOptions {
    fn default() -> Self {
        Self {
            dequantize: None,
            window: None,
            sample: Ratio::ONE,
            speed: 1.0,
            repeat: false,
            limit: None,
        }
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
pub struct Playback<R: BufRead> {
    reader: TraceReader<R>,
    options: PlaybackOptions,
    chance: Chance,
    place: usize,
    /// Where times were rounded.
    spreader: Option<Spreader>,
    turn: Turn,
    read_at: TracePlace,
    /// How many more records are handed on at most.
    left: u64,
    has_ended: bool,
    passed_window: bool,
}

/// What is known of the turn that is under way. Times are those of the trace.
#[derive(Clone, Copy, Debug, Default)]
struct Turn {
    /// How many rows were taken.
    taken: u64,
    /// The times of the first of them and of the last.
    first: Duration,
    last: Duration,
    /// Whether a row lay within the window.
    is_met: bool,
    /// Whether a record was handed on.
    is_used: bool,
    /// When it begins, as it is replayed.
    begins: Duration,
    /// What the numbers of its sessions are raised by, and one more than the highest of them.
    sessions: u64,
    next_session: u64,
}

impl<R: BufRead + Seek> Playback<R> {
    /// Replays what `reader` reads, as the process of arrivals at `place`.
    pub fn new(
        reader: TraceReader<R>,
        options: PlaybackOptions,
        chance: Chance,
        place: usize,
    ) -> Self {
        let spreader = options.dequantize.map(Spreader::new);
        let (turn, read_at) = (Turn::default(), TracePlace::Line(0));
        let left = options.limit.unwrap_or(u64::MAX);
        Self {
            reader,
            options,
            chance,
            place,
            spreader,
            turn,
            read_at,
            left,
            has_ended: false,
            passed_window: false,
        }
    }

    /// Whether a row behind the window has come: the trace was not over before the window was.
    pub const fn passed_window(&self) -> bool {
        self.passed_window
    }

    /// The trace that is read, with its accounting.
    pub const fn reader(&self) -> &TraceReader<R> {
        &self.reader
    }

    /// What is wrong with the record that was handed on last.
    pub const fn error(&self, kind: TraceErrorKind) -> TraceError {
        TraceError::new(self.read_at, kind)
    }

    /// The record that was handed on last is not sent.
    pub(super) fn replaced(&mut self) {
        self.reader.leave_out(DropReason::Replaced, self.read_at);
    }

    /// The next record, with the time at which it is replayed; `None` at the end and after an
    /// error.
    ///
    /// # Errors
    /// The trace is broken, its times are not rounded as they are said to be, or nothing says when
    /// it is to be repeated.
    pub fn next_record(&mut self) -> Result<Option<TraceRecord>, TraceError> {
        while !self.has_ended && self.left > 0 {
            let next = self.next_of_turn();
            self.has_ended = !matches!(next, Ok(Some(_)));
            if let Some(record) = next? {
                self.left -= 1;
                return Ok(Some(record));
            }
            // What brings nothing once never does.
            if self.options.repeat && self.turn.is_used {
                self.turn = self.next_turn()?;
                self.spreader = self.options.dequantize.map(Spreader::new);
                self.reader.rewind()?;
                self.has_ended = false;
            }
        }
        Ok(None)
    }

    /// The next record of the turn under way.
    fn next_of_turn(&mut self) -> Result<Option<TraceRecord>, TraceError> {
        if let (0, Some(window), None) =
            (self.turn.taken, self.options.window, self.options.dequantize)
        {
            let (skipped, last) = self.reader.skip_before(window.from)?;
            (self.turn.taken, self.turn.last) = (skipped, last);
        }
        while let Some((place, mut record)) = self.spread()? {
            let (before, sent) = (self.turn.last, record.at);
            let number = self.turn.take(sent);
            self.read_at = place;
            let from = self.options.window.map_or(Duration::ZERO, |window| window.from);
            let length = self.options.window.map_or(Duration::MAX, |window| window.length);
            if record.at < from {
                self.reader.leave_out(DropReason::OutsideWindow, place);
                continue;
            }
            record.at = record.at.saturating_sub(from);
            if record.at >= length {
                let before = (number > 0).then_some(before);
                self.check_met(before, Some(sent))?;
                // What comes later is outside too.
                self.passed_window = true;
                self.reader.leave_out(DropReason::OutsideWindow, place);
                self.leave_out_ahead();
                return Ok(None);
            }
            self.turn.is_met = true;
            if !self.is_sampled(&record, number) {
                self.reader.leave_out(DropReason::NotSampled, place);
                continue;
            }
            record.at = self.turn.begins.saturating_add(self.replayed(record.at));
            record.session = record.session.map(|session| self.turn.own_session(session));
            self.turn.is_used = true;
            return Ok(Some(record));
        }
        let last = (self.turn.taken > 0).then_some(self.turn.last);
        self.check_met(last, None)?;
        Ok(None)
    }

    /// An error where the window has ended and no row lay in it: the rows `before` and `after` it.
    fn check_met(
        &self,
        before: Option<Duration>,
        after: Option<Duration>,
    ) -> Result<(), TraceError> {
        let Some(Window { from, length }) = self.options.window else { return Ok(()) };
        if self.turn.is_met {
            return Ok(());
        }
        let to = from.saturating_add(length);
        let kind = TraceErrorKind::EmptyWindow { from, to, before, after };
        Err(TraceError::new(self.reader.place(), kind))
    }

    /// Reads what comes after that which is replayed, to the end of the trace.
    ///
    /// # Errors
    /// The trace is broken there.
    pub fn read_rest(&mut self) -> Result<(), TraceError> {
        while self.reader.next_record()?.is_some() {}
        Ok(())
    }

    /// Whether it can begin anew after what was handed on.
    ///
    /// # Errors
    /// Nothing says when.
    pub fn check_repeat(&self) -> Result<(), TraceError> {
        if self.turn.is_used { self.next_turn().map(drop) } else { Ok(()) }
    }

    /// The turn after the one that has come to its end.
    fn next_turn(&self) -> Result<Turn, TraceError> {
        let length = match self.options.window {
            Some(window) => Some(window.length),
            None => self.turn.length(),
        };
        let length = length.ok_or_else(|| self.error(TraceErrorKind::NoLength))?;
        let begins = self.turn.begins.saturating_add(self.replayed(length));
        let sessions = self.turn.next_session;
        Ok(Turn { begins, sessions, next_session: sessions, ..Turn::default() })
    }

    /// How long a time of the trace is as it is replayed.
    fn replayed(&self, time: Duration) -> Duration {
        if self.options.speed == 1.0 { time } else { time.mul_f64(1.0 / self.options.speed) }
    }

    /// What was read ahead is not handed on.
    fn leave_out_ahead(&mut self) {
        for (place, _) in self.spreader.iter_mut().flat_map(Spreader::drain) {
            self.reader.leave_out(DropReason::OutsideWindow, place);
        }
    }

    /// By the session, else by the row.
    fn is_sampled(&self, record: &TraceRecord, number: u64) -> bool {
        let sample = self.options.sample;
        let number = record.session.unwrap_or(number);
        sample == Ratio::ONE
            || draws(self.chance, self.place, number)
                .draw(Purpose::Sample, 0)
                .is_below(sample.threshold())
    }

    /// The next row, its time spread if it was rounded.
    fn spread(&mut self) -> Result<Option<(TracePlace, TraceRecord)>, TraceError> {
        let (reader, chance, place) = (&mut self.reader, self.chance, self.place);
        let mut read = || {
            let record = reader.next_record()?;
            Ok(record.map(|record| (reader.place(), record)))
        };
        match &mut self.spreader {
            None => read(),
            Some(spreader) => spreader
                .next_row(read, |number| draws(chance, place, number).draw(Purpose::Spread, 0)),
        }
    }
}

impl Turn {
    /// Takes in a row of time `at`: its number.
    fn take(&mut self, at: Duration) -> u64 {
        let number = self.taken;
        if number == 0 {
            self.first = at;
        }
        self.last = at;
        self.taken += 1;
        number
    }

    /// The number of a session that the trace calls `session`.
    fn own_session(&mut self, session: u64) -> u64 {
        let own = session.wrapping_add(self.sessions);
        self.next_session = self.next_session.max(own.saturating_add(1));
        own
    }

    /// Until its last row and a mean gap after it; `None` where there is no gap.
    fn length(&self) -> Option<Duration> {
        let between = self.last.saturating_sub(self.first);
        let gap = between.as_nanos().checked_div(self.taken.saturating_sub(1))?;
        (gap > 0).then(|| self.last.saturating_add(Duration::from_nanos(gap)))
    }
}

/// The draws of a row or session, of those of the process at `place`.
const fn draws(chance: Chance, place: usize, number: u64) -> Draws {
    chance.request(Arrivals::id_of(place, number), 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::{PackedWriter, Provenance};

    const HEAD: &str = "#coalmine-trace 1\nat_ns,session,input_tokens,output_tokens\n";

    /// A row at each of these seconds, in its session.
    fn playback(
        rows: &[(u64, u64)],
        options: PlaybackOptions,
    ) -> Playback<std::io::Cursor<String>> {
        let rows = rows.iter().map(|(at, session)| format!("{at}000000000,{session},5,5\n"));
        let text = HEAD.to_owned() + &rows.collect::<String>();
        let reader = TraceReader::new(std::io::Cursor::new(text)).unwrap();
        Playback::new(reader, options, Chance::new(3, 0), 0)
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
        assert!(playback.passed_window());
        let accounting = playback.reader().accounting();
        assert!(accounting.is_balanced());
        assert_eq!((accounting.read, accounting.emitted), (5, 3));
        assert_eq!(accounting.dropped[&DropReason::OutsideWindow].lines, [3, 7]);
    }

    #[test]
    fn a_trace_that_ends_within_the_window_has_not_passed_it() {
        let window = Window { from: Duration::from_secs(1), length: Duration::from_secs(9) };
        let options = PlaybackOptions { window: Some(window), ..PlaybackOptions::default() };
        for (last, passes) in [(9, false), (10, true)] {
            let mut playback = playback(&[(0, 1), (2, 1), (last, 1)], options);
            while playback.next_record().unwrap().is_some() {}
            assert_eq!(playback.passed_window(), passes, "{last}");
        }
    }

    #[test]
    fn a_window_without_rows_is_an_error_that_says_where_rows_are() {
        let told = |rows: &[(u64, u64)], from, length| {
            let [from, length] = [from, length].map(Duration::from_secs);
            let window = Some(Window { from, length });
            let options = PlaybackOptions { window, ..PlaybackOptions::default() };
            let mut playback = playback(rows, options);
            let error = playback.next_record().unwrap_err();
            assert_eq!(playback.next_record().unwrap(), None);
            error.to_string()
        };
        let rows = [(2, 1), (9, 1), (30, 1)];
        let past = told(&rows, 40, 5);
        assert!(past.starts_with("line 5: no request between 40 s and 45 s"), "{past}");
        assert!(past.contains("the last one is sent at 30 s"), "{past}");
        let between = told(&rows, 10, 5);
        assert!(between.contains("the ones beside it are sent at 9 s and 30 s"), "{between}");
        let before = told(&rows, 0, 1);
        assert!(before.contains("the first one is sent at 2 s"), "{before}");
    }

    #[test]
    fn a_limit_holds_for_all_turns_together() {
        let limited = |limit, repeat| {
            let options =
                PlaybackOptions { limit: Some(limit), repeat, ..PlaybackOptions::default() };
            seconds(&mut playback(&[(1, 7), (3, 2), (9, 7)], options))
        };
        assert_eq!(limited(2, false), [1.0, 3.0]);
        assert_eq!(limited(9, false), [1.0, 3.0, 9.0]);
        assert_eq!(limited(4, true), [1.0, 3.0, 9.0, 14.0]);
    }

    #[test]
    fn a_window_of_a_binary_trace_is_the_window_of_its_text() {
        let rows: Vec<_> = (0..30_000).map(|n| (n, n % 700)).collect();
        let window = Window { from: Duration::from_secs(20_000), length: Duration::from_secs(9) };
        let sample = Ratio::new(0.5).unwrap();
        let options =
            PlaybackOptions { window: Some(window), sample, ..PlaybackOptions::default() };
        let mut text = playback(&rows, options);
        let mut packed = PackedWriter::new(Vec::new(), None).unwrap();
        let all = PlaybackOptions::default();
        let mut whole = playback(&rows, all);
        while let Some(record) = whole.next_record().unwrap() {
            packed.write(&record).unwrap();
        }
        let bytes = packed.finish(&Provenance::made_up(30_000)).unwrap();
        let reader = TraceReader::new(std::io::Cursor::new(bytes)).unwrap();
        let mut binary = Playback::new(reader, options, Chance::new(3, 0), 0);
        loop {
            let next = text.next_record().unwrap();
            assert_eq!(binary.next_record().unwrap(), next);
            if next.is_none() {
                break;
            }
        }
        let [text, binary] = [text.reader().accounting(), binary.reader().accounting()];
        assert_eq!((text.read, text.emitted), (binary.read, binary.emitted));
    }

    #[test]
    fn a_trace_that_is_repeated_goes_on_a_mean_gap_after_its_last_row() {
        let options = PlaybackOptions { repeat: true, ..PlaybackOptions::default() };
        let mut playback = playback(&[(1, 7), (3, 2), (9, 7)], options);
        let records: Vec<_> =
            std::iter::from_fn(|| playback.next_record().unwrap()).take(7).collect();
        let seconds: Vec<_> = records.iter().map(|record| record.at.as_secs_f64()).collect();
        // Gaps of 2 and 6 s: a turn takes 9 + 4 s.
        assert_eq!(seconds, [1.0, 3.0, 9.0, 14.0, 16.0, 22.0, 27.0]);
        let sessions: Vec<_> = records.iter().map(|record| record.session.unwrap()).collect();
        assert_eq!(sessions, [7, 2, 7, 15, 10, 15, 23]);
        let reader = playback.reader();
        assert_eq!((reader.accounting().read, reader.turns()), (7, 3));
        assert!(reader.sha256().is_some());
    }

    #[test]
    fn a_window_that_is_repeated_lasts_as_long_as_it_says_at_any_speed_and_sample() {
        let window = Window { from: Duration::from_secs(2), length: Duration::from_secs(10) };
        let (window, repeat) = (Some(window), true);
        let rows = [(0, 1), (3, 2), (5, 3), (40, 4)];
        let options = PlaybackOptions { window, repeat, speed: 2.0, ..PlaybackOptions::default() };
        let mut playback = playback(&rows, options);
        let mut next = || playback.next_record().unwrap().unwrap().at.as_secs_f64();
        assert_eq!([next(), next(), next(), next(), next()], [0.5, 1.5, 5.5, 6.5, 10.5]);
        assert!(playback.reader().accounting().is_balanced());
    }

    #[test]
    fn every_turn_replays_the_same_sample_at_the_same_times() {
        let rows: Vec<_> = (0..400).map(|n| (n / 100 * 3, n)).collect();
        let (dequantize, sample) = (Some(Duration::from_secs(3)), Ratio::new(0.3).unwrap());
        let window = Some(Window { from: Duration::ZERO, length: Duration::from_secs(12) });
        let options = PlaybackOptions {
            dequantize,
            sample,
            window,
            repeat: true,
            ..PlaybackOptions::default()
        };
        let mut playback = playback(&rows, options);
        let mut turns = [Vec::new(), Vec::new()];
        loop {
            let record = playback.next_record().unwrap().unwrap();
            let nanos = record.at.as_nanos();
            let Some(turn) = turns.get_mut((nanos / 12_000_000_000) as usize) else { break };
            turn.push(nanos % 12_000_000_000);
        }
        assert_eq!(turns[0], turns[1]);
        assert!((60..200).contains(&turns[0].len()), "{}", turns[0].len());
    }

    #[test]
    fn what_has_no_length_or_brings_nothing_is_not_repeated() {
        let options = PlaybackOptions { repeat: true, ..PlaybackOptions::default() };
        let mut one = playback(&[(3, 1), (3, 2)], options);
        assert!(one.next_record().unwrap().is_some());
        assert!(one.next_record().unwrap().is_some());
        let error = one.next_record().unwrap_err().to_string();
        assert!(
            error.starts_with("line 4: the trace has no two rows of different times"),
            "{error}"
        );
        let window = Window { from: Duration::from_secs(60), length: Duration::from_secs(10) };
        let empty = PlaybackOptions { window: Some(window), ..options };
        let mut empty = playback(&[(3, 1)], empty);
        assert!(empty.next_record().is_err());
        assert_eq!(empty.next_record().unwrap(), None);
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
