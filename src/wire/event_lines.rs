//! Server-sent events, cut out of bytes that come in pieces.
//!
//! Follows the HTML standard, 9.2.6, "Interpreting an event stream"
//! (<https://html.spec.whatwg.org/multipage/server-sent-events.html>):
//! lines end with LF, CR or both, an event ends with an empty line, its lines of data are joined.
//! Knows nothing of what the data is. An event that lies in one piece is not copied.

use std::mem;
use std::ops::ControlFlow;

use memchr::memchr2;

/// The state between two pieces.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(crate) struct EventLines {
    /// The begun line.
    line: Vec<u8>,
    /// The begun event's data, as far as it came in earlier pieces or has several lines.
    data: Vec<u8>,
    has_data: bool,
    /// The begun event's id.
    id: Vec<u8>,
    /// The begun event's name.
    name: Vec<u8>,
    /// Whether there are lines of an event whose end has not come.
    is_open: bool,
    /// Whether a LF that comes now belongs to the line's end before.
    is_after_cr: bool,
    /// Whether the first line, which may begin with a byte order mark, is over.
    is_begun: bool,
    has_other_lines: bool,
}

/// An event with data.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct ServerEvent<'a> {
    /// Never empty.
    pub(crate) data: &'a [u8],
    /// Its own id; empty if it has none.
    pub(crate) id: &'a [u8],
    /// Its name; empty if it has none.
    pub(crate) name: &'a [u8],
}

/// An event has more than [`LONGEST_EVENT`] bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct TooLong;

impl EventLines {
    /// Takes the next piece; `each` is called with every event that ends in it, and nothing more
    /// is read once it breaks. Tells how many of the bytes come before the event whose end has not
    /// come: all of them where nothing more is read.
    pub(crate) fn push(
        &mut self,
        mut bytes: &[u8],
        mut each: impl FnMut(ServerEvent<'_>) -> ControlFlow<()>,
    ) -> Result<usize, TooLong> {
        let length = bytes.len();
        let mut whole = 0;
        if mem::take(&mut self.is_after_cr)
            && let Some(rest) = bytes.strip_prefix(b"\n")
        {
            bytes = rest;
            whole = usize::from(!self.is_open);
        }
        let mut held = None;
        while let Some(end) = memchr2(b'\n', b'\r', bytes) {
            let (line, rest) = (&bytes[..end], &bytes[end + 1..]);
            let is_cr = bytes[end] == b'\r';
            self.is_after_cr = is_cr && rest.is_empty();
            bytes = if is_cr { rest.strip_prefix(b"\n").unwrap_or(rest) } else { rest };
            let flow = if self.line.is_empty() {
                self.take_line(line, &mut held, &mut each)?
            } else {
                self.take_begun_line(line, &mut each)?
            };
            if flow.is_break() {
                return Ok(length);
            }
            if !self.is_open {
                whole = length - bytes.len();
            }
        }
        if let Some(data) = held {
            self.add_data(data);
        }
        self.check_length(self.line.len() + bytes.len(), 0)?;
        self.line.extend_from_slice(bytes);
        Ok(whole)
    }

    /// Whether there were lines that are no part of any event, not even a comment.
    pub(super) fn has_other_lines(&self) -> bool {
        let is_begun =
            |field: &&[u8]| field.starts_with(&self.line) || self.line.starts_with(field);
        self.has_other_lines || !FIELDS.iter().any(is_begun)
    }

    /// The data of the event that has begun and not ended, with that of its begun line.
    pub(super) fn rest(&self) -> Vec<u8> {
        let mut rest = self.data.clone();
        if let Field::Data(data) = field(self.after_mark(&self.line)) {
            if self.has_data {
                rest.push(b'\n');
            }
            rest.extend_from_slice(data);
        }
        rest
    }

    /// A line that began in an earlier piece and ends with `end`. It is the first of its piece, so
    /// that no data is held.
    fn take_begun_line(
        &mut self,
        end: &[u8],
        each: &mut impl FnMut(ServerEvent<'_>) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, TooLong> {
        self.check_length(self.line.len() + end.len(), 0)?;
        let mut line = mem::take(&mut self.line);
        line.extend_from_slice(end);
        let mut held = None;
        let flow = self.take_line(&line, &mut held, each)?;
        if let Some(data) = held {
            self.add_data(data);
        }
        // The room is kept for the next line that is cut, unless it is that of a picture.
        line.clear();
        line.shrink_to(KEPT);
        self.line = line;
        Ok(flow)
    }

    /// A whole line. `held` is the begun event's data as long as it is one line of this piece.
    #[inline]
    fn take_line<'b>(
        &mut self,
        line: &'b [u8],
        held: &mut Option<&'b [u8]>,
        each: &mut impl FnMut(ServerEvent<'_>) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, TooLong> {
        self.check_length(line.len(), held.map_or(0, <[u8]>::len))?;
        let line = self.after_mark(line);
        self.is_begun = true;
        let field = field(line);
        self.is_open |= !matches!(field, Field::Comment);
        match field {
            Field::End => return Ok(self.end_event(held.take(), each)),
            Field::Data(data) if held.is_none() && !self.has_data => *held = Some(data),
            Field::Data(data) => {
                if let Some(first) = held.take() {
                    self.add_data(first);
                }
                self.add_data(data);
            }
            Field::Id(id) => {
                self.id.clear();
                self.id.extend_from_slice(id);
            }
            Field::Name(name) => {
                self.name.clear();
                self.name.extend_from_slice(name);
            }
            Field::Comment | Field::Retry => {}
            Field::Other => self.has_other_lines = true,
        }
        Ok(ControlFlow::Continue(()))
    }

    fn end_event(
        &mut self,
        held: Option<&[u8]>,
        each: &mut impl FnMut(ServerEvent<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let data = held.unwrap_or(&self.data);
        let flow = if data.is_empty() {
            ControlFlow::Continue(())
        } else {
            each(ServerEvent { data, id: &self.id, name: &self.name })
        };
        self.data.clear();
        self.data.shrink_to(KEPT);
        self.id.clear();
        self.name.clear();
        self.is_open = false;
        self.has_data = false;
        flow
    }

    fn add_data(&mut self, data: &[u8]) {
        if self.has_data {
            self.data.push(b'\n');
        }
        self.data.extend_from_slice(data);
        self.has_data = true;
    }

    /// `line` without the byte order mark that the first may begin with.
    fn after_mark<'b>(&self, line: &'b [u8]) -> &'b [u8] {
        match line.strip_prefix(BYTE_ORDER_MARK) {
            Some(rest) if !self.is_begun => rest,
            _ => line,
        }
    }

    const fn check_length(&self, line: usize, held: usize) -> Result<(), TooLong> {
        if self.data.len() + held + line > LONGEST_EVENT { Err(TooLong) } else { Ok(()) }
    }
}

/// What a line is.
enum Field<'a> {
    /// Empty: the event's end.
    End,
    Data(&'a [u8]),
    Id(&'a [u8]),
    /// The event's name.
    Name(&'a [u8]),
    /// The time to reconnect.
    Retry,
    Comment,
    /// Of no meaning.
    Other,
}

#[inline]
fn field(line: &[u8]) -> Field<'_> {
    if let Some(data) = line.strip_prefix(b"data:") {
        return Field::Data(after_space(data));
    }
    match line {
        b"" => Field::End,
        b"data" => Field::Data(b""),
        b"id" => Field::Id(b""),
        b"event" => Field::Name(b""),
        [b':', ..] => Field::Comment,
        b"retry" => Field::Retry,
        _ => named_field(line),
    }
}

fn named_field(line: &[u8]) -> Field<'_> {
    if let Some(id) = line.strip_prefix(b"id:") {
        Field::Id(after_space(id))
    } else if let Some(name) = line.strip_prefix(b"event:") {
        Field::Name(after_space(name))
    } else if line.starts_with(b"retry:") {
        Field::Retry
    } else {
        Field::Other
    }
}

fn after_space(value: &[u8]) -> &[u8] {
    value.strip_prefix(b" ").unwrap_or(value)
}

/// How a line begins that has a meaning.
const FIELDS: [&[u8]; 6] = [b"data:", b"event:", b"id:", b"retry:", b":", BYTE_ORDER_MARK];

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Chosen: room for a picture or a minute of sound as base64; larger, and streams that never end a
/// line would cost the gateway its memory.
const LONGEST_EVENT: usize = 16 << 20;

/// The room that is kept from one event for the next. Chosen: far above usual chunks, far below
/// what would matter with a stream that says nothing.
const KEPT: usize = 1 << 16;

#[cfg(test)]
mod tests {
    use super::*;

    fn events(pieces: &[&[u8]]) -> Result<Vec<(String, String)>, TooLong> {
        let mut lines = EventLines::default();
        let mut events = Vec::new();
        for piece in pieces {
            lines.push(piece, |ServerEvent { data, id, .. }| {
                let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
                events.push((text(data), text(id)));
                ControlFlow::Continue(())
            })?;
        }
        Ok(events)
    }

    fn data(stream: &str) -> Vec<String> {
        let whole = events(&[stream.as_bytes()]).unwrap();
        for cut in 0..=stream.len() {
            let (head, tail) = stream.as_bytes().split_at(cut);
            assert_eq!(events(&[head, tail]).unwrap(), whole, "cut at {cut} of {stream:?}");
        }
        let bytes: Vec<_> = stream.as_bytes().chunks(1).collect();
        assert_eq!(events(&bytes).unwrap(), whole, "byte by byte: {stream:?}");
        whole.into_iter().map(|(data, _)| data).collect()
    }

    #[test]
    fn lines_end_with_lf_or_cr_or_both() {
        assert_eq!(
            data("data: a\n\ndata: b\r\n\r\ndata: c\r\rdata: d\n\r\n"),
            ["a", "b", "c", "d"]
        );
    }

    #[test]
    fn a_line_end_of_two_characters_is_one_end_even_when_cut() {
        assert_eq!(data("data: a\r\ndata: b\r\n\r\n"), ["a\nb"]);
        assert_eq!(data("data: a\rdata: b\r\r\ndata: c\r\n\n"), ["a\nb", "c"]);
    }

    #[test]
    fn the_standards_examples_are_read_as_it_says() {
        assert_eq!(data("data: YHOO\ndata: +2\ndata: 10\n\n"), ["YHOO\n+2\n10"]);
        let comments = ": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\n";
        assert_eq!(
            data(&format!("{comments}data:  third event\n")),
            ["first event", "second event"]
        );
        assert_eq!(data("data\n\ndata\ndata\n\ndata:"), ["\n"]);
        assert_eq!(data("data:test\n\ndata: test\n\n"), ["test", "test"]);
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_first_line() {
        assert_eq!(data("\u{feff}data: ä\n\n\u{feff}data: b\n\n"), ["ä"]);
    }

    #[test]
    fn an_id_is_that_of_its_own_event() {
        let events = events(&[b"id: 7\ndata: a\n\ndata: b\n\n"]).unwrap();
        assert_eq!(events, [("a".into(), "7".into()), ("b".into(), String::new())]);
    }

    #[test]
    fn an_event_of_sixteen_mebibytes_is_the_longest_however_it_is_cut() {
        let event = |length: usize| [b"data:", &vec![b'x'; length][..], b"\n\n"].concat();
        let (fits, exceeds) = (event(LONGEST_EVENT - 5), event(LONGEST_EVENT - 4));
        for piece in [1 << 16, LONGEST_EVENT, fits.len()] {
            assert_eq!(events(&fits.chunks(piece).collect::<Vec<_>>()).unwrap().len(), 1);
            assert_eq!(events(&exceeds.chunks(piece).collect::<Vec<_>>()), Err(TooLong));
        }
        let lines = b"data: xxxxxxxxxxxxxxxxxxxx\n".repeat(1 << 20);
        assert_eq!(events(&[&lines]), Err(TooLong));
        let comments = b": ping\n".repeat(1 << 18);
        assert_eq!(events(&[&comments]), Ok(Vec::new()));
    }

    /// What has no begun event behind it may be passed on; what has waits for the event's end.
    #[test]
    fn what_comes_before_a_begun_event_is_told_however_it_is_cut() {
        let stream = b": a\r\ndata: b\ndata: c\r\r\nid: 1\n: d\n\n\nevent: x\n";
        // After each of these many bytes no event has begun.
        let ends = [4, 5, 22, 23, 34, 35];
        for cut in 0..=stream.len() {
            let mut lines = EventLines::default();
            let mut push = |piece: &[u8]| lines.push(piece, |_| ControlFlow::Continue(())).unwrap();
            let (head, tail) = stream.split_at(cut);
            let before = ends.into_iter().filter(|end| *end <= cut).max().unwrap_or(0);
            assert_eq!(push(head), before, "cut at {cut}");
            let after = ends.into_iter().filter(|end| *end > cut).max().map_or(0, |end| end - cut);
            assert_eq!(push(tail), after, "cut at {cut}");
        }
    }

    #[test]
    fn an_event_that_is_called_error_is_told() {
        let mut told = Vec::new();
        let stream = b"event: error\ndata: a\n\ndata: b\n\nevent:error\nevent: x\ndata: c\n\n";
        EventLines::default()
            .push(stream, |event| {
                told.push(event.name == b"error");
                ControlFlow::Continue(())
            })
            .unwrap();
        assert_eq!(told, [true, false, false]);
    }

    #[test]
    fn lines_of_no_meaning_are_noticed_and_a_cut_field_is_not_one() {
        let has_other_lines = |bytes: &[u8]| {
            let mut lines = EventLines::default();
            lines.push(bytes, |_| ControlFlow::Continue(())).unwrap();
            lines.has_other_lines()
        };
        assert!(has_other_lines(b"<html>"));
        assert!(has_other_lines(b"<html>\n"));
        assert!(!has_other_lines(b": hi\nevent: x\nid: 1\nretry: 5\ndata: x\n\nda"));
        assert!(!has_other_lines(b"data: {\"a\""));
    }
}
