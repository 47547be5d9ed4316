//! What of a stream may be passed on: whole events. A client that had the beginning of an event
//! would take what it is told after a break for the rest of it.

use bytes::{Bytes, BytesMut};

use crate::wire::{StreamFacts, StreamReader};

/// Reads a stream, and lets whole events and comments through.
#[derive(Debug, Default)]
pub(super) struct Sieve {
    reader: StreamReader,
    /// The event whose end has not come.
    begun: BytesMut,
    /// Whether its beginning was passed on, as it is too long to be held back.
    is_torn: bool,
}

/// What of a piece may be passed on.
#[derive(Debug)]
pub(super) struct Sifted {
    /// It; may be empty.
    pub(super) bytes: Bytes,
    /// Whether the stream's first content ended in it.
    pub(super) first_content: bool,
    /// Whether any event ended in it; otherwise it is comments alone.
    pub(super) has_events: bool,
}

impl Sieve {
    /// Takes the next piece of the stream. A piece of whole events, as most are, is not copied.
    pub(super) fn pass(&mut self, mut piece: Bytes) -> Sifted {
        let passed = self.reader.push(&piece);
        let whole = passed.whole;
        if whole > 0 {
            self.is_torn = false;
        }
        let bytes = if self.is_torn || self.begun.is_empty() && whole == piece.len() {
            piece
        } else if self.begun.is_empty() {
            let bytes = piece.split_to(whole);
            self.begun.extend_from_slice(&piece);
            bytes
        } else if whole == 0 {
            self.begun.extend_from_slice(&piece);
            Bytes::new()
        } else {
            self.begun.extend_from_slice(&piece[..whole]);
            let bytes = self.begun.split().freeze();
            self.begun.extend_from_slice(&piece[whole..]);
            bytes
        };
        let bytes = if self.begun.len() > LONGEST_HELD { self.tear(&bytes) } else { bytes };
        let (first_content, has_events) = (passed.first_content, passed.has_events);
        Sifted { bytes, first_content, has_events }
    }

    /// Passes on the beginning of an event behind `before`.
    fn tear(&mut self, before: &[u8]) -> Bytes {
        self.is_torn = true;
        let mut bytes = BytesMut::with_capacity(before.len() + self.begun.len());
        bytes.extend_from_slice(before);
        bytes.extend_from_slice(&self.begun.split());
        bytes.freeze()
    }

    /// Whether it is decided how the stream ended.
    pub(super) const fn is_over(&self) -> bool {
        self.reader.is_over()
    }

    /// Whether its client knows that it is over once it has [`Self::rest`].
    pub(super) fn has_told_end(&self) -> bool {
        self.reader.has_told_end()
    }

    /// Whether something that is passed on now would be taken for the rest of an event.
    pub(super) const fn is_within(&self) -> bool {
        self.is_torn || self.reader.is_lost()
    }

    /// What has been held back.
    pub(super) fn rest(&mut self) -> Bytes {
        self.begun.split().freeze()
    }

    /// What the stream was, if it has ended or broken off now.
    pub(super) fn facts(&self) -> StreamFacts {
        self.reader.facts()
    }
}

/// Chosen: far above the events of a text; what is longer is passed on in pieces, so that many
/// pictures at once do not cost the gateway its memory.
const LONGEST_HELD: usize = 1 << 18;

#[cfg(test)]
mod tests {
    use super::*;

    fn event(text: &str) -> Vec<u8> {
        format!("data: {{\"choices\":[{{\"delta\":{{\"content\":\"{text}\"}}}}]}}\n\n").into_bytes()
    }

    #[test]
    fn whatever_the_cut_only_whole_events_come_through_and_nothing_is_lost() {
        let stream =
            [b": ping\n".to_vec(), event("one"), event("two"), b"data: [DONE]\n\n".to_vec()];
        let ends: Vec<usize> = stream
            .iter()
            .scan(0, |sum, piece| {
                *sum += piece.len();
                Some(*sum)
            })
            .collect();
        let stream = stream.concat();
        for cut in 0..=stream.len() {
            let mut sieve = Sieve::default();
            let head = sieve.pass(Bytes::copy_from_slice(&stream[..cut])).bytes;
            let end = ends.iter().copied().filter(|end| *end <= cut).max().unwrap_or(0);
            assert_eq!(head, stream[..end], "cut at {cut}");
            let tail = sieve.pass(Bytes::copy_from_slice(&stream[cut..])).bytes;
            assert_eq!([head, tail, sieve.rest()].concat(), stream, "cut at {cut}");
            assert!(sieve.has_told_end() && !sieve.is_within());
        }
    }

    #[test]
    fn an_event_that_is_too_long_to_be_held_passes_in_pieces() {
        let stream = [event("one"), event(&"x".repeat(2 * LONGEST_HELD)), event("two")].concat();
        let (mut sieve, mut out, mut was_within) = (Sieve::default(), Vec::new(), false);
        for piece in stream.chunks(1_000) {
            out.extend_from_slice(&sieve.pass(Bytes::copy_from_slice(piece)).bytes);
            was_within |= sieve.is_within();
            assert!(sieve.begun.len() <= LONGEST_HELD);
        }
        assert_eq!(out, stream);
        assert!(was_within && !sieve.is_within());
    }
}
