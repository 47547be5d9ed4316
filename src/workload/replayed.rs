//! Requests that are read from a trace.

use std::io::{BufRead, Seek};

use super::identity::Identities;
use super::playback::Playback;
use crate::chance::Chance;
use crate::exchange::{Arrival, ModelIndex, Request};
use crate::trace::{TraceError, TraceErrorKind, TraceReader, TraceRecord};
use crate::units::{Duration, ModelId, RequestId};

/// A trace that can be read, and read again.
pub type TraceInput = Box<dyn Recording>;

/// What a [`TraceInput`] must be able to do.
pub trait Recording: BufRead + Seek + Send {}

impl<R: BufRead + Seek + Send> Recording for R {}

/// The requests of a trace; what it does not say is drawn.
pub(super) struct Replayed {
    playback: Playback<TraceInput>,
    models: Vec<ModelId>,
    needs_sessions: bool,
    /// The record that comes next, with its model where it names one.
    next: Option<(TraceRecord, Option<ModelIndex>)>,
    /// How many records came before it.
    taken: u64,
}

impl Replayed {
    /// All that `playback` brings, for plans with these models.
    pub(super) const fn new(
        playback: Playback<TraceInput>,
        models: Vec<ModelId>,
        needs_sessions: bool,
    ) -> Self {
        Self { playback, models, needs_sessions, next: None, taken: 0 }
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
            let model = check_record(&record, &self.models, self.needs_sessions)
                .map_err(|kind| self.playback.error(kind))?;
            self.next = Some((record, model));
        }
        Ok(self.next.as_ref().map(|(record, _)| record.at))
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

    /// The request whose time [`next_at`](Self::next_at) has told.
    pub(super) fn take(&mut self, chance: Chance, identities: &mut Identities) -> Option<Arrival> {
        let (record, model) = self.next.take()?;
        let id = RequestId(self.taken);
        self.taken += 1;
        Some(recorded(&record, id, model, chance, identities))
    }
}

/// The model that a row asks for, where it says so.
///
/// # Errors
/// The row does not fit the plan: it asks for a model that is none of `models`, or names no session
/// although `needs_sessions`.
pub fn check_record(
    record: &TraceRecord,
    models: &[ModelId],
    needs_sessions: bool,
) -> Result<Option<ModelIndex>, TraceErrorKind> {
    if needs_sessions && record.session.is_none() {
        return Err(TraceErrorKind::NoSession);
    }
    record.model.as_ref().map(|name| place_of(name, models)).transpose()
}

fn recorded(
    record: &TraceRecord,
    id: RequestId,
    model: Option<ModelIndex>,
    chance: Chance,
    identities: &mut Identities,
) -> Arrival {
    let draws = chance.request(id, 0);
    let user = record.user.unwrap_or_else(|| identities.user(draws));
    let request = Request {
        id,
        model: model.unwrap_or_else(|| identities.model(draws)),
        user,
        session: match record.session {
            // Sessions are numbered: what is beyond 32 bits tells none apart.
            Some(session) => session as u32,
            None => identities.session(user, record.at, id.0, draws),
        },
        client: identities.client(draws),
        // The trace has the sizes: equal prompts may have different ones.
        prompt: identities.prompt(draws),
        input: record.input,
        output: record.output,
        stream: record.stream.unwrap_or_else(|| identities.stream(draws)),
    };
    Arrival { at: record.at, request }
}

fn place_of(name: &ModelId, models: &[ModelId]) -> Result<ModelIndex, TraceErrorKind> {
    let place = models.iter().position(|model| model == name);
    place.and_then(|place| u16::try_from(place).ok()).map(ModelIndex).ok_or_else(|| {
        let known = models.iter().map(ModelId::as_str).collect::<Vec<_>>().join(", ");
        TraceErrorKind::UnknownModel { model: name.to_string(), known }
    })
}
