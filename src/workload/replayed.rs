//! Requests that are read from a trace.

use std::io::{BufRead, Seek};

use super::answers::Answers;
use super::identity::Identities;
use super::needs::Needs;
use super::playback::{Playback, PlaybackOptions};
use super::replay::Replay;
use super::tokens::SizeSamplers;
use crate::arrivals::Arrivals;
use crate::chance::{Chance, Purpose};
use crate::exchange::{Arrival, ModelIndex, Request};
use crate::trace::{TraceError, TraceErrorKind, TraceReader, TraceRecord};
use crate::units::{Duration, ModelId, Tokens};

/// A trace that can be read, and read again.
pub type TraceInput = Box<dyn Recording>;

/// What a [`TraceInput`] must be able to do.
pub trait Recording: BufRead + Seek + Send {}

impl<R: BufRead + Seek + Send> Recording for R {}

/// The requests of a trace; what it does not say is drawn.
pub(super) struct Replayed {
    playback: Playback<TraceInput>,
    models: Vec<ModelId>,
    needs: Needs,
    /// The place of its process.
    place: usize,
    numbers: Numbers,
    /// The record that comes next, with its model where it names one.
    next: Option<(TraceRecord, Option<ModelIndex>)>,
    /// How many records came before it.
    taken: u64,
}

impl Replayed {
    /// The trace behind `reader` as the process of `replay` at `place`, whose users and sessions
    /// have these numbers.
    pub(super) fn new(
        reader: TraceReader<TraceInput>,
        options: PlaybackOptions,
        replay: &Replay,
        chance: Chance,
        Seat { place, numbers }: Seat,
    ) -> Self {
        Self {
            playback: Playback::new(reader, options, chance, place),
            models: replay.models.clone(),
            needs: replay.needs(),
            place,
            numbers,
            next: None,
            taken: 0,
        }
    }

    /// The trace that is read, with its accounting.
    pub(super) const fn reader(&self) -> &TraceReader<TraceInput> {
        self.playback.reader()
    }

    /// When the next request is sent; `None` at the end.
    ///
    /// # Errors
    /// The trace is broken, or a row of it does not fit the plan.
    pub(super) fn next_at(&mut self) -> Result<Option<Duration>, TraceError> {
        if self.next.is_none()
            && let Some(record) = self.playback.next_record()?
        {
            let model = check_record(&record, &self.models, self.needs)
                .map_err(|kind| self.playback.error(kind))?;
            self.next = Some((record, model));
        }
        Ok(self.peek())
    }

    /// The time of the next request, as far as it was read.
    pub(super) fn peek(&self) -> Option<Duration> {
        self.next.as_ref().map(|(record, _)| record.at)
    }

    /// What would be sent before `until` is not: how many requests.
    ///
    /// # Errors
    /// As for [`next_at`](Self::next_at).
    pub(super) fn skip_until(&mut self, until: Duration) -> Result<u64, TraceError> {
        let first = self.taken;
        while self.next_at()?.is_some_and(|at| at < until) {
            self.next = None;
            self.taken += 1;
            self.playback.replaced();
        }
        Ok(self.taken - first)
    }

    /// The request whose time [`next_at`](Self::next_at) has told, number `number` of the
    /// workload; `sizes` are by model, or one for all, or none where the trace has them.
    pub(super) fn take(
        &mut self,
        number: u64,
        chance: Chance,
        identities: &mut Identities,
        sizes: &[SizeSamplers],
        answers: &mut Answers,
    ) -> Option<Arrival> {
        let (record, model) = self.next.take()?;
        let id = Arrivals::id_of(self.place, self.taken);
        self.taken += 1;
        let draws = chance.request(id, 0);
        let user = record.user.map(|user| self.numbers.of(short(user)));
        let user = user.unwrap_or_else(|| identities.user_of(id, draws));
        let client = identities.client_of(id, draws);
        let model = model.unwrap_or_else(|| identities.model(client, draws));
        answers.take(Some((&record, model)));
        let size = if let [all] = sizes { Some(all) } else { sizes.get(usize::from(model.0)) };
        let prompt = identities.prompt(draws);
        let (input, output) = match size.filter(|_| record.input.and(record.output).is_none()) {
            Some(size) => size.sample(
                || identities.prompt_size(prompt, draws),
                || draws.draw(Purpose::OutputTokens, 0),
            ),
            None => (Tokens::ZERO, Tokens::ZERO),
        };
        let request = Request {
            id,
            model,
            user,
            session: match record.session {
                Some(session) => self.numbers.of(short(session)),
                None => identities.session(user, record.at, number, draws),
            },
            client,
            // Where the trace has the sizes, equal prompts may have different ones.
            prompt,
            input: record.input.unwrap_or(input),
            output: record.output.unwrap_or(output),
            stream: record.stream.unwrap_or_else(|| identities.stream(draws)),
        };
        Some(Arrival { at: record.at, request })
    }
}

/// Where a trace stands among others.
#[derive(Clone, Copy)]
pub(super) struct Seat {
    /// The place of its process.
    pub(super) place: usize,
    pub(super) numbers: Numbers,
}

/// How the users and sessions that a trace numbers are numbered in the run.
#[derive(Clone, Copy)]
pub(super) enum Numbers {
    /// As they are: the trace is all that is sent.
    Own,
    /// In turns with those of the other traces, after those that are drawn: number 7 of one trace
    /// is not number 7 of another.
    InTurns {
        /// Which trace it is.
        trace: u32,
        /// Of how many.
        traces: u32,
    },
}

impl Numbers {
    /// The number of what the trace calls `number`.
    const fn of(self, number: u32) -> u32 {
        match self {
            Self::Own => number,
            Self::InTurns { trace, traces } => {
                AFTER_DRAWN.wrapping_add(number.wrapping_mul(traces)).wrapping_add(trace)
            }
        }
    }
}

/// Chosen: half of all numbers are left to what is drawn, which counts from 0, or, in phases with
/// arrivals of their own, down from the end.
const AFTER_DRAWN: u32 = 1 << 31;

/// The number of a user or session in 32 bits. Those of a trace are counted, or hashes, of which a
/// part tells apart as well.
const fn short(number: u64) -> u32 {
    number as u32
}

/// The model that a row asks for, where it says so.
///
/// # Errors
/// The row does not fit the plan: it asks for a model that is none of `models`, or does not say
/// what it `needs` to.
pub fn check_record(
    record: &TraceRecord,
    models: &[ModelId],
    needs: Needs,
) -> Result<Option<ModelIndex>, TraceErrorKind> {
    if needs.sessions && record.session.is_none() {
        return Err(TraceErrorKind::NoSession);
    }
    if needs.tokens && (record.input.is_none() || record.output.is_none()) {
        return Err(TraceErrorKind::NoTokens);
    }
    record.model.as_ref().map(|name| place_of(name, models)).transpose()
}

pub(super) fn place_of(name: &ModelId, models: &[ModelId]) -> Result<ModelIndex, TraceErrorKind> {
    let place = models.iter().position(|model| model == name);
    place.and_then(|place| u16::try_from(place).ok()).map(ModelIndex).ok_or_else(|| {
        let known = models.iter().map(ModelId::as_str).collect::<Vec<_>>().join(", ");
        TraceErrorKind::UnknownModel { model: name.to_string(), known }
    })
}
