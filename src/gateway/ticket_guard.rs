//! A ticket that is handed back whatever happens: if its request ends without a word, its client
//! has left.

use std::error::Error;
use std::sync::Arc;

use http::HeaderValue;

use super::desk::Desk;
use super::fault::Fault;
use super::room::Seat;
use super::send::causes;
use super::since_activation::Turn;
use super::taped::TapedRequest;
use super::unreadable::Unreadable;
use super::version_route::VersionRoute;
use crate::engine::{Completion, Ticket};
use crate::exchange::{Ending, Observed};
use crate::units::{Duration, RequestId, Timestamp};
use crate::wire::RequestNumber;

/// An attempt under way.
#[derive(Debug)]
pub(super) struct TicketGuard {
    desk: Arc<Desk>,
    /// `None`: handed back.
    ticket: Option<Ticket>,
    turn: Option<Turn>,
    route: Arc<VersionRoute>,
    number: RequestNumber,
    /// The request's.
    id: HeaderValue,
    start: Timestamp,
    first_token: Option<Duration>,
    /// Taken for as long as the attempt lasts.
    seats: Vec<Seat>,
    /// Where it is recorded, if it is.
    taped: Option<Arc<TapedRequest>>,
}

impl TicketGuard {
    /// Of a request, by its number and by the id that it is told by.
    pub(super) fn new(
        desk: Arc<Desk>,
        ticket: Ticket,
        route: Arc<VersionRoute>,
        (number, id): (RequestId, HeaderValue),
        taped: Option<Arc<TapedRequest>>,
    ) -> Self {
        let start = ticket.start();
        let turn = route.meters.began(ticket.life(), start);
        let number = RequestNumber { id: number, attempt: ticket.attempt() };
        let (ticket, first_token, seats) = (Some(ticket), None, Vec::new());
        Self { desk, ticket, turn, route, number, id, start, first_token, seats, taped }
    }

    /// Which request it is, and which attempt at it.
    pub(super) const fn number(&self) -> RequestNumber {
        self.number
    }

    /// The version that is attempted.
    pub(super) const fn route(&self) -> &Arc<VersionRoute> {
        &self.route
    }

    /// Takes a seat at the version and one at its upstream; whether both have one.
    pub(super) fn take_seats(&mut self) -> bool {
        let seats = [&self.route.room, self.route.endpoint.room()].map(super::room::Room::enter);
        let all = seats.iter().all(Option::is_some);
        if all {
            self.seats.extend(seats.into_iter().flatten());
        }
        all
    }

    /// How long the attempt has lasted.
    pub(super) fn latency(&self) -> Duration {
        self.desk.now().since(self.start)
    }

    /// The first content has come.
    pub(super) fn first_token_came(&mut self) {
        if self.first_token.is_none() {
            self.first_token = Some(self.latency());
        }
    }

    pub(super) const fn first_token(&self) -> Option<Duration> {
        self.first_token
    }

    /// The same of a stream: what of it cannot be read is an event.
    pub(super) fn tell_of_stream(&self, fault: Fault) {
        let why = (fault.ending == Ending::Malformed).then_some(&Unreadable::Event);
        self.tell(fault, why.map(|why| why as &(dyn Error + 'static)));
    }

    /// Says in the log why the attempt fails: of each version once in a second, and what is more
    /// for those who look for it.
    pub(super) fn tell(&self, fault: Fault, error: Option<&(dyn Error + 'static)>) {
        let VersionRoute { id: version, endpoint, meters, .. } = &*self.route;
        let is_first = meters.may_tell(self.desk.now());
        if !is_first && !tracing::enabled!(target: "coalmine::upstream", tracing::Level::DEBUG) {
            return;
        }
        let causes: Vec<String> =
            error.into_iter().flat_map(causes).map(ToString::to_string).collect();
        let id = self.id.to_str().unwrap_or_default();
        let (model, upstream) = (meters.model(), endpoint.name());
        let (ending, limit) = (fault.ending.name(), fault.limit_name());
        let error = causes.join(": ");
        let url = endpoint.address();
        if is_first {
            tracing::warn!(
                target: "coalmine::upstream", id, model, %version, upstream, url, %ending, limit,
                error,
                "attempt failed"
            );
        } else {
            tracing::debug!(
                target: "coalmine::upstream", id, model, %version, upstream, url, %ending, limit,
                error,
                "attempt failed"
            );
        }
    }

    /// Hands the ticket back with what was observed.
    pub(super) fn complete(mut self, observed: &Observed) -> Completion {
        self.end(observed).unwrap_or(Completion::Done)
    }

    /// Hands the ticket back as that of a request whose client is the one that is waited for; the
    /// seats are kept for as long as the upstream is at work.
    pub(super) fn leave(mut self) -> Vec<Seat> {
        std::mem::take(&mut self.seats)
    }

    /// Hands the ticket back unused: nothing was sent, and nothing is known of the version.
    pub(super) fn decline(mut self) {
        if let Some(ticket) = self.ticket.take() {
            self.desk.abandon(self.number.id, ticket, None);
            self.route.meters.declined(self.turn);
            if let Some(taped) = &self.taped {
                taped.refused(503);
            }
        }
    }

    /// The gateway ends: however long the client has waited, its version may have answered yet.
    fn cut_off(&mut self) {
        let observed = Observed::without_answer(Ending::ClientClosed, self.latency());
        if self.end(&observed).is_some()
            && let Some(taped) = &self.taped
        {
            taped.refused(503);
        }
    }

    fn tape(&self, observed: &Observed) {
        if let Some(taped) = &self.taped {
            taped.ended(&self.route, self.start, observed);
        }
    }

    fn end(&mut self, observed: &Observed) -> Option<Completion> {
        let ticket = self.ticket.take()?;
        let at = self.start + observed.latency;
        self.route.meters.ended(self.turn, at, observed);
        self.seats.clear();
        self.tape(observed);
        Some(self.desk.complete(self.number.id, ticket, observed))
    }
}

impl Drop for TicketGuard {
    fn drop(&mut self) {
        if self.desk.is_ending() {
            return self.cut_off();
        }
        let Some(ticket) = self.ticket.take() else { return };
        let latency = self.latency();
        let ending = self.desk.abandon(self.number.id, ticket, self.first_token);
        let first_token = self.first_token;
        let observed = Observed { first_token, ..Observed::without_answer(ending, latency) };
        self.route.meters.ended(self.turn, self.start + latency, &observed);
        self.tape(&observed);
    }
}
