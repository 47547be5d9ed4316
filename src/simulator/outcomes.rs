//! What becomes of the requests in flight, as far as is known: by their places in the queue.

use crate::record::Outcome;

/// The outcomes of the requests in the queue, as they will be unless their clients leave.
///
/// They are large: what the queue moves about is small, and they stay where they were written until
/// another request takes the place.
#[derive(Debug, Default)]
pub(super) struct Outcomes(Vec<Option<Outcome>>);

impl Outcomes {
    /// Writes that of the request that now stands at `place`.
    #[inline(always)]
    pub(super) fn put(&mut self, place: u32, outcome: Outcome) {
        let place = place as usize;
        if place >= self.0.len() {
            self.grow(place);
        }
        // Once, on every path: so it is made in its place and not moved there.
        self.0[place] = Some(outcome);
    }

    /// That of the request that stands at `place`, or stood there last.
    ///
    /// # Panics
    /// None ever did.
    #[inline]
    pub(super) fn at(&mut self, place: u32) -> &mut Outcome {
        self.0[place as usize].as_mut().expect("an outcome at each place of the queue")
    }

    #[cold]
    fn grow(&mut self, place: usize) {
        self.0.resize(place + 1, None);
    }
}
