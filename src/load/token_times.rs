//! When the pieces of a stream came. Knows no clock and no bytes.

use crate::units::{Duration, Timestamp};

/// When the pieces with content of one stream came.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(super) struct TokenTimes {
    pub(super) first: Option<Timestamp>,
    pub(super) last: Option<Timestamp>,
    /// Between each two successive pieces.
    pub(super) gaps: Vec<Duration>,
}

impl TokenTimes {
    /// So many pieces came `now`. Those that were read at once have no time between them: when they
    /// came is not known any better.
    pub(super) fn note(&mut self, now: Timestamp, pieces: u32) {
        for _ in 0..pieces {
            match self.last {
                Some(last) => self.gaps.push(now.since(last)),
                None => self.first = Some(now),
            }
            self.last = Some(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_between_pieces_and_0_where_several_came_at_once() {
        let at = |millis| Timestamp::EPOCH + Duration::from_millis(millis);
        let mut times = TokenTimes::default();
        times.note(at(5), 0);
        assert_eq!(times, TokenTimes::default(), "a piece without content is none");
        times.note(at(10), 1);
        times.note(at(25), 3);
        times.note(at(30), 0);
        times.note(at(40), 1);
        assert_eq!((times.first, times.last), (Some(at(10)), Some(at(40))));
        assert_eq!(times.gaps, [15, 0, 0, 15].map(Duration::from_millis));
    }
}
