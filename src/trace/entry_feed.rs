//! The entries of a trace that is one JSON document, or several: the objects of the lists that
//! stand behind one key, wherever that is.
//!
//! Whatever the size of the source, one entry is held, and of it no text that is longer than a name
//! could be: prompts, answers and pictures are passed over as they are read. Entries are looked
//! into by who reads them; what stands around them is only as well-formed as it takes to find them.
//! Nothing stands between documents, nor between entries: it could be what is left of some.
//! Where a line begins a document within another, that other was cut off: one of its lines is lost,
//! not the rest of the source.

use std::io::{self, BufRead, Read, Seek};

use memchr::{memchr, memchr3};

use super::bytes::Bytes;
use super::description::{Entries, Line};
use super::error::{TraceErrorKind, beginning};

/// The entries of `R`.
pub(super) struct EntryFeed<R: BufRead> {
    bytes: Bytes<R>,
    /// What was read of the source: passed over up to `at`, there up to `filled`.
    buffer: Vec<u8>,
    at: usize,
    filled: usize,
    document: Entries,
    /// Lists and objects that are open around the next byte.
    depth: u64,
    /// How many of them were open when the list of entries was met, itself among them.
    list: Option<u64>,
    /// Whether what comes next stands behind the key.
    is_behind_key: bool,
    /// Lines that were begun, from 1, and that of the entry.
    line: u64,
    entry_line: u64,
    entries: u64,
    entry: Vec<u8>,
    is_whole: bool,
    has_ended: bool,
}

impl<R: BufRead> EntryFeed<R> {
    /// What is read, wherever that stands.
    pub(super) fn into_input(self) -> R {
        self.bytes.into_input()
    }

    /// Those of `document`s, in `begun` and what follows it in `bytes`.
    pub(super) fn new(bytes: Bytes<R>, begun: &[u8], document: Entries) -> Self {
        let mut buffer = begun.to_vec();
        buffer.resize(begun.len().max(CHUNK), 0);
        let filled = begun.len();
        let mut feed = Self {
            bytes,
            buffer,
            at: 0,
            filled,
            document,
            depth: 0,
            list: None,
            is_behind_key: false,
            line: 1,
            entry_line: 1,
            entries: 0,
            entry: Vec::new(),
            is_whole: true,
            has_ended: false,
        };
        if feed.buffer[..filled].starts_with(BYTE_ORDER_MARK) {
            feed.at = BYTE_ORDER_MARK.len();
        }
        feed
    }

    /// Goes to the next entry; `None` at the end of the source.
    pub(super) fn advance(&mut self) -> Result<Option<Line<'_>>, TraceErrorKind> {
        if !self.find_entry()? {
            let is_cut_off = self.depth > 0;
            self.close();
            return if is_cut_off { Err(TraceErrorKind::CutOff) } else { Ok(None) };
        }
        self.entries += 1;
        self.entry_line = self.line;
        self.entry.clear();
        self.is_whole = self.collect()?;
        if !self.is_whole {
            // It is told by who reads the entry, and told once.
            self.close();
        }
        if let Some(position) = memchr(0, &self.entry) {
            return Err(TraceErrorKind::NotText { byte: 0, position: position + 1 });
        }
        match std::str::from_utf8(&self.entry) {
            Ok(text) => Ok(Some(Line { text, is_terminated: self.is_whole })),
            Err(error) => {
                let at = error.valid_up_to();
                Err(TraceErrorKind::NotText { byte: self.entry[at], position: at + 1 })
            }
        }
    }

    /// Goes back to before the first entry.
    pub(super) fn rewind(&mut self) -> Result<(), TraceErrorKind>
    where
        R: Seek,
    {
        self.bytes.rewind().map_err(TraceErrorKind::Read)?;
        (self.at, self.filled, self.depth, self.list) = (0, 0, 0, None);
        (self.line, self.entry_line, self.entries) = (1, 1, 0);
        (self.is_behind_key, self.has_ended) = (false, false);
        if self.peek()? == Some(BYTE_ORDER_MARK[0]) {
            self.at = BYTE_ORDER_MARK.len().min(self.filled);
        }
        Ok(())
    }

    /// The number of the line that the current entry begins on, counted from 1.
    pub(super) const fn entry_line(&self) -> u64 {
        self.entry_line
    }

    /// The number of the current entry, counted from 1.
    pub(super) const fn entry(&self) -> u64 {
        self.entries
    }

    /// SHA-256 of the whole source in hexadecimal, once its end was reached.
    pub(super) fn sha256(&self) -> Option<String> {
        (self.has_ended && self.at == self.filled).then(|| self.bytes.sha256())
    }

    /// Goes behind the brace that opens the next entry; false at the end of the source.
    fn find_entry(&mut self) -> Result<bool, TraceErrorKind> {
        while let Some(byte) = self.next_byte()? {
            let is_behind_key = std::mem::take(&mut self.is_behind_key);
            self.check_place(byte)?;
            match byte {
                b'\n' => self.end_line(self.depth > 0)?,
                b'"' => {
                    let is_key = self.is_key()?;
                    self.is_behind_key = is_key && self.skip_colon()?;
                }
                b'{' if self.list == Some(self.depth) => return Ok(true),
                b'{' | b'[' => {
                    self.depth += 1;
                    if byte == b'[' && is_behind_key && self.list.is_none() {
                        self.list = Some(self.depth);
                    }
                }
                b'}' | b']' => {
                    let Some(depth) = self.depth.checked_sub(1) else {
                        self.entry_line = self.line;
                        self.pass_over(|byte| byte != b'\n')?;
                        return Err(TraceErrorKind::Unbalanced { bracket: char::from(byte) });
                    };
                    self.depth = depth;
                    self.list = self.list.filter(|list| *list <= depth);
                }
                0 => return Err(TraceErrorKind::NotText { byte, position: self.at }),
                _ => {}
            }
            // White space stands between a key's colon and its value.
            self.is_behind_key |= is_behind_key && byte.is_ascii_whitespace();
        }
        Ok(false)
    }

    /// An error where `byte`, which was passed, is neither part of a document nor the beginning of
    /// one, or stands in the list of entries and begins none. What it begins is passed over.
    fn check_place(&mut self, byte: u8) -> Result<(), TraceErrorKind> {
        let is_in_list = self.list == Some(self.depth);
        if byte.is_ascii_whitespace() || byte == 0 || self.depth > 0 && !is_in_list {
            return Ok(());
        }
        if matches!(byte, b'}' | b']') || is_in_list && matches!(byte, b'{' | b',') {
            return Ok(());
        }
        // Back to the byte, which the buffer still holds.
        self.at -= 1;
        if !is_in_list && self.begins_outermost()? {
            self.at += 1;
            return Ok(());
        }
        self.entry_line = self.line;
        let rest = &self.buffer[self.at..self.filled];
        let end = memchr(b'\n', rest).unwrap_or(rest.len()).min(LONGEST_SHOWN);
        let found = beginning(String::from_utf8_lossy(&rest[..end]).trim_end());
        if !is_in_list {
            self.pass_over(|byte| byte != b'\n')?;
            return Err(TraceErrorKind::Stray { found });
        }
        self.at += 1;
        match byte {
            b'"' => drop(self.is_key()?),
            // Up to where it is closed.
            b'[' => self.depth += 1,
            _ => self.pass_over(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))?,
        }
        Err(TraceErrorKind::Stray { found })
    }

    fn pass_over(&mut self, is_part: impl Fn(u8) -> bool) -> Result<(), TraceErrorKind> {
        while self.peek()?.is_some_and(&is_part) {
            self.at += 1;
        }
        Ok(())
    }

    /// Reads the rest of a text outside of entries: whether it is the key.
    fn is_key(&mut self) -> Result<bool, TraceErrorKind> {
        let key = self.document.key.as_bytes();
        let mut length = 0;
        let mut is_key = true;
        loop {
            match self.next_byte()? {
                None => {
                    self.close();
                    return Err(TraceErrorKind::CutOff);
                }
                Some(b'"') => return Ok(is_key && length == key.len()),
                Some(byte) => {
                    is_key &= key.get(length) == Some(&byte);
                    length += 1;
                    let last = if byte == b'\\' { self.next_byte()? } else { Some(byte) };
                    if last == Some(b'\n') {
                        self.end_line(true)?;
                    }
                }
            }
        }
    }

    /// Whether a colon comes next, which is passed over then.
    fn skip_colon(&mut self) -> Result<bool, TraceErrorKind> {
        while let Some(byte) = self.peek()? {
            if byte == b':' {
                self.at += 1;
                return Ok(true);
            }
            if !byte.is_ascii_whitespace() {
                break;
            }
            self.at += 1;
            if byte == b'\n' {
                self.end_line(self.depth > 0)?;
            }
        }
        Ok(false)
    }

    /// Gathers the entry whose brace was passed: whether it ends before the source does.
    fn collect(&mut self) -> Result<bool, TraceErrorKind> {
        self.entry.push(b'{');
        let mut open = 1_u64;
        while open > 0 {
            let Some(byte) = self.next_byte()? else { return Ok(false) };
            match byte {
                b'\n' => self.end_line(true)?,
                b'{' | b'[' => open += 1,
                b'}' | b']' => open -= 1,
                _ => {}
            }
            // A line end would end the row's place in a message as well.
            self.entry.push(if byte == b'\n' || byte == b'\r' { b' ' } else { byte });
            if byte == b'"' && !self.collect_text()? {
                return Ok(false);
            }
            if self.entry.len() > LONGEST_ENTRY {
                return Err(TraceErrorKind::LineTooLong { limit: LONGEST_ENTRY as u64 });
            }
        }
        Ok(true)
    }

    /// Gathers the rest of a text, or nothing of it where it is too long: whether it ends before
    /// the source does.
    fn collect_text(&mut self) -> Result<bool, TraceErrorKind> {
        let start = self.entry.len();
        loop {
            if self.peek()?.is_none() {
                return Ok(false);
            }
            let rest = &self.buffer[self.at..self.filled];
            let found = memchr3(b'"', b'\\', b'\n', rest);
            let end = found.unwrap_or(rest.len());
            if self.entry.len() - start + end <= LONGEST_TEXT {
                self.entry.extend_from_slice(&rest[..end]);
            } else {
                self.entry.truncate(start);
                // As many bytes as are too many, until the text has ended.
                self.entry.extend(std::iter::repeat_n(b' ', LONGEST_TEXT));
            }
            self.at += end;
            if found.is_none() {
                continue;
            }
            let is_too_long = self.entry.len() - start >= LONGEST_TEXT;
            let Some(mark) = self.next_byte()? else { return Ok(false) };
            if mark == b'"' {
                if is_too_long {
                    self.entry.truncate(start);
                }
                self.entry.push(b'"');
                return Ok(true);
            }
            if !is_too_long {
                self.entry.push(mark);
            }
            let mut last = mark;
            if mark == b'\\' {
                let Some(escaped) = self.next_byte()? else { return Ok(false) };
                if !is_too_long {
                    self.entry.push(escaped);
                }
                last = escaped;
            }
            if last == b'\n' {
                self.end_line(true)?;
            }
        }
    }

    /// Goes to the next line. Where a document begins there, what the line stands `within` was cut
    /// off: then that is passed over.
    fn end_line(&mut self, within: bool) -> Result<(), TraceErrorKind> {
        let line = self.line;
        self.line += 1;
        if !within || !self.begins_document()? {
            return Ok(());
        }
        self.entry_line = line;
        self.close();
        Err(TraceErrorKind::CutShort)
    }

    /// Whether the next byte begins a document outside of any, of which some have only one form.
    fn begins_outermost(&mut self) -> Result<bool, TraceErrorKind> {
        let is_bracket = matches!(self.peek()?, Some(b'{' | b'['));
        Ok(self.document.is_only_form && is_bracket || self.begins_document()?)
    }

    /// Whether the next byte begins a document.
    fn begins_document(&mut self) -> Result<bool, TraceErrorKind> {
        if self.peek()? != Some(b'{') {
            return Ok(false);
        }
        while self.filled - self.at < LONGEST_BEGINNING && !self.has_ended {
            self.fill()?;
        }
        Ok(self.document.are_in(&self.buffer[self.at..self.filled]))
    }

    /// Closes whatever is open: the source, or a document of it, has ended.
    fn close(&mut self) {
        (self.depth, self.list, self.is_behind_key) = (0, None, false);
    }

    fn next_byte(&mut self) -> Result<Option<u8>, TraceErrorKind> {
        let byte = self.peek()?;
        self.at += usize::from(byte.is_some());
        Ok(byte)
    }

    fn peek(&mut self) -> Result<Option<u8>, TraceErrorKind> {
        if self.at == self.filled && !self.has_ended {
            self.fill()?;
        }
        Ok((self.at < self.filled).then(|| self.buffer[self.at]))
    }

    /// Reads on behind what was not passed over yet, which is little or nothing.
    fn fill(&mut self) -> Result<(), TraceErrorKind> {
        self.buffer.copy_within(self.at..self.filled, 0);
        (self.at, self.filled) = (0, self.filled - self.at);
        loop {
            match self.bytes.read(&mut self.buffer[self.filled..]) {
                Ok(0) => self.has_ended = true,
                Ok(read) => self.filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(TraceErrorKind::Read(error)),
            }
            return Ok(());
        }
    }
}

/// Chosen: large enough that reading is not noticed.
const CHUNK: usize = 1 << 16;
/// Chosen: a document has begun with its first key, whatever the spaces around that.
const LONGEST_BEGINNING: usize = 1 << 12;
/// Chosen: as many bytes as the characters that a message shows may take.
const LONGEST_SHOWN: usize = 1 << 8;
/// Chosen: no name of a model, user or error is longer.
const LONGEST_TEXT: usize = 1 << 12;
/// Chosen: 1 MiB, without texts that are too long.
const LONGEST_ENTRY: usize = 1 << 20;
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();
