//! What versions answered in the traces that are replayed: to be answered again.
//!
//! A request of a trace that goes to the version which had it in the recording gets the answer that
//! it had. Any other request gets one that its version gave to others: one of its last 64 before it
//! in the recording, or of its first 64 until it had given so many, by the request's own draw. How
//! many answers are of which kind is counted.

use std::io::{BufRead, Seek};

use crate::exchange::{ModelIndex, RecordedAnswer, VersionIndex};
use crate::trace::{TraceError, TraceReader, TraceRecord};
use crate::units::{Draw, Tokens, VersionId};

/// A version that answers as it is recorded to have.
#[derive(Clone, PartialEq, Debug)]
pub struct RecordedVersion {
    /// Its model.
    pub model: ModelIndex,
    /// Its name, by which traces know it.
    pub id: VersionId,
    /// Its place in the plan.
    pub version: VersionIndex,
}

/// How many requests a version answered as recorded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Answered {
    /// The version.
    pub version: VersionIndex,
    /// Requests that got the answer which they had in the recording.
    pub own: u64,
    /// Requests that got an answer which another request had.
    pub lent: u64,
}

/// The answers of versions.
#[derive(Debug, Default)]
pub(super) struct Answers {
    versions: Vec<Known>,
    /// That of the request which was taken last.
    latest: Option<RecordedAnswer>,
}

/// What is known of one version.
#[derive(Debug)]
struct Known {
    of: RecordedVersion,
    /// Its last answers, in no order.
    answers: Vec<RecordedAnswer>,
    /// Where the next one goes.
    next: usize,
    own: u64,
    lent: u64,
}

impl Answers {
    pub(super) fn new(versions: &[RecordedVersion]) -> Self {
        let known = |of: &RecordedVersion| Known {
            of: of.clone(),
            answers: Vec::new(),
            next: 0,
            own: 0,
            lent: 0,
        };
        Self { versions: versions.iter().map(known).collect(), latest: None }
    }

    /// Reads a trace until the first answers of all versions are known, or to its end.
    ///
    /// # Errors
    /// It is broken.
    pub(super) fn look_ahead<R: BufRead + Seek>(
        &mut self,
        reader: &mut TraceReader<R>,
        model_of: impl Fn(&TraceRecord) -> Option<ModelIndex>,
    ) -> Result<(), TraceError> {
        while self.versions.iter().any(|known| known.answers.len() < KEPT) {
            let Some(record) = reader.next_record()? else { break };
            let answer = model_of(&record).and_then(|model| self.answer(&record, model));
            if let Some(answer) = answer
                && let Some(known) = self.known(answer.version)
                && known.answers.len() < KEPT
            {
                known.answers.push(answer);
            }
        }
        Ok(())
    }

    /// The first version of which no trace has an answer.
    pub(super) fn unknown(&self) -> Option<&VersionId> {
        let unknown = self.versions.iter().find(|known| known.answers.is_empty());
        unknown.map(|known| &known.of.id)
    }

    /// A request is taken that asked for `model` and of which `record` tells; `None`: it was not
    /// recorded.
    pub(super) fn take(&mut self, record: Option<(&TraceRecord, ModelIndex)>) {
        self.latest = record.and_then(|(record, model)| self.answer(record, model));
        if let Some(answer) = self.latest
            && let Some(known) = self.known(answer.version)
        {
            let next = known.next;
            match known.answers.get_mut(next) {
                Some(place) => *place = answer,
                None => known.answers.push(answer),
            }
            known.next = (next + 1) % KEPT;
        }
    }

    /// What `version` answers to the request that was taken last: its own answer, or one that
    /// `draw` chooses. `None` where the version does not answer as recorded.
    pub(super) fn answer_latest(
        &mut self,
        version: VersionIndex,
        draw: Draw,
    ) -> Option<RecordedAnswer> {
        let own = self.latest.filter(|answer| answer.version == version);
        let known = self.known(version)?;
        match own {
            Some(_) => known.own += 1,
            None => known.lent += 1,
        }
        own.or_else(|| known.lend(draw))
    }

    /// What `version` answers to another request: one that `draw` chooses.
    pub(super) fn lend(&mut self, version: VersionIndex, draw: Draw) -> Option<RecordedAnswer> {
        let known = self.known(version)?;
        known.lent += 1;
        known.lend(draw)
    }

    /// What `version` would answer to a request that it never gets.
    pub(super) fn instead(&self, version: VersionIndex, draw: Draw) -> Option<RecordedAnswer> {
        self.versions.iter().find(|known| known.of.version == version)?.lend(draw)
    }

    /// How many requests each version answered.
    pub(super) fn answered(&self) -> impl Iterator<Item = Answered> {
        self.versions.iter().map(|known| {
            let (own, lent) = (known.own, known.lent);
            Answered { version: known.of.version, own, lent }
        })
    }

    fn known(&mut self, version: VersionIndex) -> Option<&mut Known> {
        self.versions.iter_mut().find(|known| known.of.version == version)
    }

    /// The answer that `record` tells of, if it is one of these versions'.
    fn answer(&self, record: &TraceRecord, model: ModelIndex) -> Option<RecordedAnswer> {
        let id = record.version.as_ref()?;
        let known = self.versions.iter().find(|k| k.of.model == model && k.of.id == *id)?;
        Some(RecordedAnswer {
            version: known.of.version,
            ending: record.ending()?,
            latency: record.duration?,
            first_token: record.first_token,
            output: record.output.unwrap_or(Tokens::ZERO),
        })
    }
}

impl Known {
    fn lend(&self, draw: Draw) -> Option<RecordedAnswer> {
        let place = (draw.unit() * self.answers.len() as f64) as usize;
        self.answers.get(place).or_else(|| self.answers.last()).copied()
    }
}

/// Chosen: as many as tell a failure of some percent apart, and no more than some seconds of a busy
/// version have.
const KEPT: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::Ending;
    use crate::units::Duration;

    const HEAD: &str = "#coalmine-trace 2\nat_ns,version,status,duration_ns\n";

    fn versions() -> Vec<RecordedVersion> {
        let named = |(place, id)| RecordedVersion {
            model: ModelIndex(0),
            id: VersionId::new(id).unwrap(),
            version: VersionIndex(place),
        };
        [(0, "old"), (1, "new")].map(named).to_vec()
    }

    fn record(version: &str, nanos: u64) -> TraceRecord {
        TraceRecord {
            version: Some(VersionId::new(version).unwrap()),
            status: Some(200),
            duration: Some(Duration::from_nanos(nanos)),
            ..TraceRecord::default()
        }
    }

    fn draw(unit: f64) -> Draw {
        Draw::from_bits((unit * 18_446_744_073_709_551_616.0) as u64)
    }

    #[test]
    fn a_request_gets_its_own_answer_from_its_own_version_and_a_lent_one_from_another() {
        let text = format!("{HEAD}0,old,200,1\n1,new,503,2\n2,old,200,3\n");
        let mut reader = TraceReader::new(std::io::Cursor::new(text)).unwrap();
        let mut answers = Answers::new(&versions());
        answers.look_ahead(&mut reader, |_| Some(ModelIndex(0))).unwrap();
        assert_eq!(answers.unknown(), None);
        answers.take(Some((&record("old", 77), ModelIndex(0))));
        let own = answers.answer_latest(VersionIndex(0), draw(0.0)).unwrap();
        assert_eq!(own.latency, Duration::from_nanos(77));
        let lent = answers.answer_latest(VersionIndex(1), draw(0.9)).unwrap();
        assert_eq!((lent.ending, lent.latency), (Ending::Status(503), Duration::from_nanos(2)));
        let told: Vec<_> = answers.answered().map(|one| (one.own, one.lent)).collect();
        assert_eq!(told, [(1, 0), (0, 1)]);
        assert_eq!(answers.answer_latest(VersionIndex(7), draw(0.5)), None);
    }

    #[test]
    fn the_last_64_answers_are_lent_each_as_often() {
        let mut answers = Answers::new(&versions());
        for nanos in 0..200 {
            answers.take(Some((&record("new", nanos), ModelIndex(0))));
        }
        let mut lent: Vec<_> = (0..640)
            .map(|n| answers.lend(VersionIndex(1), draw(f64::from(n) / 640.0)).unwrap())
            .map(|answer| answer.latency.as_nanos())
            .collect();
        lent.sort_unstable();
        let expected: Vec<_> = (136..200).flat_map(|nanos| [nanos; 10]).collect();
        assert_eq!(lent, expected);
    }

    #[test]
    fn a_version_of_which_nothing_was_observed_is_told() {
        let text = format!("{HEAD}0,old,200,1\n1,new,,2\n2,new,200,\n");
        let mut reader = TraceReader::new(std::io::Cursor::new(text)).unwrap();
        let mut answers = Answers::new(&versions());
        answers.look_ahead(&mut reader, |_| Some(ModelIndex(0))).unwrap();
        assert_eq!(answers.unknown().map(VersionId::as_str), Some("new"));
    }
}
