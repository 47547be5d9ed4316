//! YAML 1.2 (of which JSON is a subset) to a tree with places, within bounds.
//!
//! Whatever the bytes are, the answer is a tree or problems with their place: never a panic, never
//! more memory than the bounds allow. Anchors and aliases work; tags, several documents, duplicate
//! keys and keys that are no plain text are refused.

use std::collections::BTreeMap;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span};

use super::diagnostic::{Diagnostic, Diagnostics};
use super::place::{Place, SourceIndex, Sources};
use super::problem::ProblemKind;
use super::tree::{Entry, Node, Scalar, Value};

/// The tree of a file's bytes, kept under `name` in `sources`; `None` if it could not be built.
/// Duplicate keys are reported and the first of them kept.
pub(crate) fn parse_file(
    name: &str,
    bytes: &[u8],
    sources: &mut Sources,
    diagnostics: &mut Diagnostics,
) -> Option<Node> {
    diagnostics.told_as(ProblemKind::BrokenYaml, |diagnostics| match check_bytes(bytes) {
        Ok(text) => {
            let source = sources.add_file(name, text.to_owned());
            parse_text(source, text, diagnostics)
        }
        Err(flaw) => {
            // The bytes are not shown: they are no text.
            let source = sources.add_file(name, String::new());
            let place = Place { line: flaw.line, column: flaw.column, ..Place::start_of(source) };
            diagnostics.report(Diagnostic::new(place, flaw.message).help(flaw.help));
            None
        }
    })
}

/// The tree of a setting's value.
pub(crate) fn parse_setting(
    path: &str,
    value: &str,
    sources: &mut Sources,
    diagnostics: &mut Diagnostics,
) -> Option<Node> {
    let source = sources.add_setting(path, value);
    if value.contains(['\n', '\r', '\0']) || value.len() > LONGEST_SETTING {
        let message = format!("the value must be one line of at most {LONGEST_SETTING} bytes");
        diagnostics.report(Diagnostic::new(Place::start_of(source), message));
        return None;
    }
    parse_text(source, value, diagnostics)
}

fn parse_text(source: SourceIndex, text: &str, diagnostics: &mut Diagnostics) -> Option<Node> {
    let mut builder = Builder::new(source);
    let mut parser = Parser::new_from_str(text);
    let built = loop {
        match parser.next_event() {
            None => break Ok(()),
            Some(Err(error)) => break Err(explain(&error, source, text)),
            Some(Ok((event, span))) => {
                if let Err(diagnostic) = builder.accept(event, span) {
                    break Err(diagnostic);
                }
            }
        }
    };
    for (duplicate, whole) in builder.duplicates {
        diagnostics.report(duplicate);
        diagnostics.lacks_parts(whole);
    }
    if let Err(diagnostic) = built {
        diagnostics.report(diagnostic);
        return None;
    }
    if builder.root.is_none() {
        let empty = Diagnostic::new(Place::start_of(source), "the file is empty")
            .help("`coalmine schema scenario` prints what a scenario holds");
        diagnostics.report(empty);
    }
    builder.root
}

/// Why bytes are no text of a document, and where.
struct Flaw {
    line: u32,
    column: u32,
    message: String,
    help: &'static str,
}

/// The bytes as text without its byte order mark.
fn check_bytes(bytes: &[u8]) -> Result<&str, Flaw> {
    if bytes.len() > MOST_BYTES {
        let message = format!("the file has {} bytes: at most {MOST_BYTES} are read", bytes.len());
        let help = "long recordings belong in a trace file, named by `workload.arrivals.trace`";
        return Err(Flaw { line: 1, column: 1, message, help });
    }
    let wrong = |at: usize, message: String| {
        let before = &bytes[..at];
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |index| index + 1);
        let column = String::from_utf8_lossy(&before[start..]).chars().count() + 1;
        let [line, column] = [line, column].map(|count| u32::try_from(count).unwrap_or(u32::MAX));
        Flaw { line, column, message, help: "a scenario is YAML text in UTF-8" }
    };
    if let Some(at) = bytes.iter().position(|byte| *byte == 0) {
        return Err(wrong(at, "the file is binary: it holds a NUL byte".to_owned()));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let at = error.valid_up_to();
        let byte = bytes.get(at).copied().unwrap_or(0);
        wrong(at, format!("the file is not UTF-8 text: byte 0x{byte:02x} is out of place"))
    })?;
    let control = |c: char| c.is_control() && !matches!(c, '\t' | '\n' | '\r');
    if let Some((at, c)) = text.char_indices().find(|(_, c)| control(*c)) {
        let message = format!("the control character U+{:04X} is out of place", u32::from(c));
        return Err(wrong(at, message));
    }
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// A scanner's complaint in the words of a person who writes scenarios.
fn explain(error: &ScanError, source: SourceIndex, text: &str) -> Diagnostic {
    let [line, column] = [error.marker().line(), error.marker().col() + 1]
        .map(|number| u32::try_from(number).unwrap_or(u32::MAX));
    let mut place = Place { source, line, column, length: 1 };
    let lines: Vec<&str> = text.lines().collect();
    // At the end of the text the scanner points behind it.
    if line as usize > lines.len() {
        place.line = u32::try_from(lines.len().max(1)).unwrap_or(u32::MAX);
        place.column = lines.last().map_or(1, |last| count(last) + 1);
    }
    let written = lines.get(place.line.saturating_sub(1) as usize).copied().unwrap_or("");
    let indent = &written[..written.len() - written.trim_start().len()];
    let info = error.info();
    if let Some(at) = indent.find('\t').filter(|_| !info.contains("quoted")) {
        place.column = count(&indent[..at]) + 1;
        return Diagnostic::new(place, "a tab indents this line")
            .help("YAML indents with spaces only: put two spaces for each tab");
    }
    let (message, help) = if info.contains("mapping values are not allowed") {
        ("a `:` out of place", "put text that contains `: ` in quotes, and align the keys of a map")
    } else if info.contains("recursion limit") {
        return too_deep(place);
    } else if info.contains("quoted scalar") && info.contains("unexpected end") {
        ("a quote is opened and never closed", "close it, or put the text between other quotes")
    } else if info.contains("']'") || info.contains("'}'") || info.contains("flow") {
        ("a bracket is not closed, or a comma is missing", "check `[` `]` `{` `}` `,` before here")
    } else if info.contains("indentation") || info.contains("did not find expected") {
        ("the structure is broken here", "align the keys of a map and the dashes of a list")
    } else {
        let message = format!("this is no valid YAML: {info}");
        return Diagnostic::new(place, message);
    };
    Diagnostic::new(place, message).help(help)
}

fn too_deep(place: Place) -> Diagnostic {
    Diagnostic::new(place, format!("nested more than {DEEPEST} levels deep"))
        .help("no part of a scenario needs more than a dozen")
}

fn count(text: &str) -> u32 {
    u32::try_from(text.chars().count()).unwrap_or(u32::MAX)
}

/// A tree under construction.
struct Builder {
    source: SourceIndex,
    stack: Vec<Frame>,
    anchors: BTreeMap<usize, Anchored>,
    nodes: usize,
    documents: usize,
    root: Option<Node>,
    /// Each with the place of the map in which it stands.
    duplicates: Vec<(Diagnostic, Place)>,
}

/// A list or map whose end has not come.
struct Frame {
    place: Place,
    anchor: usize,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Map { entries: Vec<Entry>, key: Option<(Place, String)>, seen: BTreeMap<String, Place> },
}

struct Anchored {
    node: Node,
    nodes: usize,
    depth: usize,
}

impl Builder {
    fn new(source: SourceIndex) -> Self {
        Self {
            source,
            stack: Vec::new(),
            anchors: BTreeMap::new(),
            nodes: 0,
            documents: 0,
            root: None,
            duplicates: Vec::new(),
        }
    }

    fn accept(&mut self, event: Event<'_>, span: Span) -> Result<(), Diagnostic> {
        let place = self.place(span);
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
            Event::DocumentStart(_) => {
                self.documents += 1;
                let several = "a second document begins here: a file holds one";
                if self.documents > 1 { Err(Diagnostic::new(place, several)) } else { Ok(()) }
            }
            Event::Alias(anchor) => self.expand(anchor, place),
            Event::Scalar(text, style, anchor, tag) => {
                refuse_tag(place, tag.is_some())?;
                // A document of nothing but comments yields one empty scalar.
                let nothing = text.is_empty() && style == ScalarStyle::Plain;
                if nothing && self.stack.is_empty() {
                    return Ok(());
                }
                let scalar =
                    Scalar { text: text.into_owned(), quoted: style != ScalarStyle::Plain };
                self.count(1, place)?;
                self.put(Node { place, value: Value::Scalar(scalar) }, anchor)
            }
            Event::SequenceStart(anchor, tag) => {
                refuse_tag(place, tag.is_some())?;
                self.open(Frame { place, anchor, content: Content::List(Vec::new()) })
            }
            Event::MappingStart(anchor, tag) => {
                refuse_tag(place, tag.is_some())?;
                let (entries, seen) = (Vec::new(), BTreeMap::new());
                self.open(Frame {
                    place,
                    anchor,
                    content: Content::Map { entries, key: None, seen },
                })
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(),
        }
    }

    fn open(&mut self, frame: Frame) -> Result<(), Diagnostic> {
        if let Some(Frame { content: Content::Map { key: None, .. }, .. }) = self.stack.last() {
            return Err(Diagnostic::new(frame.place, "a key must be a plain text"));
        }
        self.count(1, frame.place)?;
        if self.stack.len() >= DEEPEST {
            return Err(too_deep(frame.place));
        }
        self.stack.push(frame);
        Ok(())
    }

    fn close(&mut self) -> Result<(), Diagnostic> {
        let frame = self.stack.pop().expect("the parser ends only what it began");
        let value = match frame.content {
            Content::List(items) => Value::List(items),
            Content::Map { entries, .. } => Value::Map(entries),
        };
        self.put(Node { place: frame.place, value }, frame.anchor)
    }

    /// Puts a finished node where it belongs: as a key, as a value, as an item, or as the root.
    fn put(&mut self, node: Node, anchor: usize) -> Result<(), Diagnostic> {
        if anchor > 0 {
            let (nodes, depth) = extent(&node);
            self.anchors.insert(anchor, Anchored { node: node.clone(), nodes, depth });
            self.count(nodes, node.place)?;
        }
        let above = self.stack.last_mut().map(|frame| (frame.place, &mut frame.content));
        match above {
            None => self.root = Some(node),
            Some((_, Content::List(items))) => items.push(node),
            Some((whole, Content::Map { entries, key, seen })) => match key.take() {
                None => {
                    let Value::Scalar(scalar) = node.value else {
                        return Err(Diagnostic::new(node.place, "a key must be a plain text"));
                    };
                    *key = Some((node.place, scalar.text));
                }
                Some((place, key)) => match seen.get(&key) {
                    None => {
                        seen.insert(key.clone(), place);
                        entries.push(Entry { place, key, node });
                    }
                    Some(first) => {
                        let twice = Diagnostic::new(place, format!("the key {key:?} stands twice"))
                            .note(*first, "it stands here first")
                            .help("remove one of the two");
                        self.duplicates.push((twice, whole));
                    }
                },
            },
        }
        Ok(())
    }

    fn expand(&mut self, anchor: usize, place: Place) -> Result<(), Diagnostic> {
        let Some(anchored) = self.anchors.get(&anchor) else {
            return Err(Diagnostic::new(place, "an alias stands inside what it repeats"));
        };
        let (node, nodes) = (anchored.node.clone(), anchored.nodes);
        if self.stack.len() + anchored.depth > DEEPEST {
            return Err(too_deep(place));
        }
        self.count(nodes, place)?;
        self.put(node, 0)
    }

    fn count(&mut self, nodes: usize, place: Place) -> Result<(), Diagnostic> {
        self.nodes += nodes;
        if self.nodes > MOST_NODES {
            let message = format!("more than {MOST_NODES} values, aliases counted wherever used");
            return Err(Diagnostic::new(place, message));
        }
        Ok(())
    }

    fn place(&self, span: Span) -> Place {
        let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let one_line = span.start.line() == span.end.line();
        let length = if one_line { span.end.col().saturating_sub(span.start.col()) } else { 1 };
        Place {
            source: self.source,
            line: number(span.start.line()),
            column: number(span.start.col() + 1),
            length: number(length.max(1)),
        }
    }
}

fn refuse_tag(place: Place, tagged: bool) -> Result<(), Diagnostic> {
    if tagged {
        return Err(Diagnostic::new(place, "tags (`!...`) have no meaning here").help("remove it"));
    }
    Ok(())
}

/// How many nodes a tree has and how many levels of lists and maps.
fn extent(node: &Node) -> (usize, usize) {
    let inner = |nodes: &mut dyn Iterator<Item = &Node>| {
        nodes
            .map(extent)
            .fold((1, 1), |(nodes, depth), (inner, deep)| (nodes + inner, depth.max(deep + 1)))
    };
    match &node.value {
        Value::Scalar(_) => (1, 0),
        Value::List(items) => inner(&mut items.iter()),
        Value::Map(entries) => inner(&mut entries.iter().map(|entry| &entry.node)),
    }
}

/// Chosen: a scenario written by hand has a few kilobytes, one with a table of a day's rates a few
/// hundred.
const MOST_BYTES: usize = 4 << 20;
/// Chosen: bounds the memory of a document that repeats itself by aliases to some 50 MB.
const MOST_NODES: usize = 400_000;
/// Chosen: the format itself has twelve levels; recursion over a tree needs a bound.
const DEEPEST: usize = 64;
/// Chosen: what fits a command line.
const LONGEST_SETTING: usize = 4_096;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::scenario::error::conclude;

    fn parse(bytes: &[u8]) -> Result<Node, String> {
        let (mut sources, mut diagnostics) = (Sources::default(), Diagnostics::default());
        let node = parse_file("a.yaml", bytes, &mut sources, &mut diagnostics);
        match conclude(diagnostics, sources) {
            Ok(_) => Ok(node.expect("without a problem there is a tree")),
            Err(error) => Err(error.to_string()),
        }
    }

    fn complaint(text: &str) -> String {
        parse(text.as_bytes()).unwrap_err().lines().next().unwrap().to_owned()
    }

    #[test]
    fn json_is_understood_as_it_stands() {
        let node = parse(b"{\"a\": [1, \"two\", true],\n\t\"b\": {\"c\": null}}\n").unwrap();
        let items = node.get("a").unwrap().items();
        assert_eq!(items[1].scalar().map(|scalar| scalar.quoted), Some(true));
        assert_eq!(items[2].scalar().and_then(Scalar::as_bool), Some(true));
        assert!(node.get("b").unwrap().get("c").unwrap().scalar().unwrap().is_null());
    }

    #[test]
    fn scalars_stay_text_and_know_their_place() {
        let node = parse(b"# head\nphases:\n  - for: 7m\n    note: no\n").unwrap();
        let phase = &node.get("phases").unwrap().items()[0];
        let place = phase.get("for").unwrap().place;
        assert_eq!((place.line, place.column, place.length), (3, 10, 2));
        assert_eq!(phase.get("note").unwrap().text(), Some("no"));
        assert_eq!(phase.get("note").unwrap().scalar().unwrap().as_bool(), None);
    }

    #[test]
    fn aliases_repeat_what_they_name() {
        let node = parse(b"a: &x {b: 1}\nc: *x\n").unwrap();
        assert_eq!(node.get("c").unwrap().get("b").unwrap().text(), Some("1"));
    }

    #[test]
    fn aliases_that_repeat_aliases_are_bounded() {
        let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..9 {
            let inner = vec![format!("*a{}", level - 1); 10].join(", ");
            text.push_str(&format!("a{level}: &a{level} [{inner}]\n"));
        }
        assert!(complaint(&text).contains("more than 400000 values"), "{}", complaint(&text));
        assert!(complaint("a: &a [*a]\n").contains("inside what it repeats"));
    }

    #[test]
    fn deep_nesting_is_refused_before_it_is_built() {
        for text in ["[".repeat(100_000), "{a: ".repeat(70), "- ".repeat(100_000)] {
            assert!(complaint(&text).contains("64 levels deep"), "{}", complaint(&text));
        }
        let mut text = "a0: &a0 [x]\n".to_owned();
        for level in 1..80 {
            text.push_str(&format!("a{level}: &a{level} [*a{}]\n", level - 1));
        }
        assert!(complaint(&text).contains("64 levels deep"));
    }

    #[test]
    fn bytes_that_are_no_text_are_named() {
        let cases: [(&[u8], &str); 6] = [
            (b"", "a.yaml:1:1: the file is empty"),
            (b"# only a comment\n", "a.yaml:1:1: the file is empty"),
            (b"a: 1\nb: \0", "a.yaml:2:4: the file is binary"),
            (b"a: \xff\n", "a.yaml:1:4: the file is not UTF-8 text: byte 0xff"),
            (b"a: \x1b[31m\n", "a.yaml:1:4: the control character U+001B"),
            (b"a: 1\n---\nb: 2\n", "a.yaml:2:1: a second document begins here"),
        ];
        for (bytes, expected) in cases {
            let error = parse(bytes).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
        let error = parse(&vec![b'#'; MOST_BYTES + 1]).unwrap_err();
        assert!(error.contains("at most 4194304 are read"), "{error}");
    }

    #[test]
    fn every_duplicate_key_is_told_with_both_places() {
        let error = parse(b"a: 1\nb: 2\na: 3\nb: 4\n").unwrap_err();
        assert_eq!(error.matches("stands twice").count(), 2, "{error}");
        assert!(error.contains("note: a.yaml:1:1: it stands here first"), "{error}");
    }

    #[test]
    fn broken_structure_is_told_in_plain_words() {
        assert!(complaint("a:\n\tb: 1\n").contains("a.yaml:2:1: a tab indents this line"));
        assert!(complaint("a: b: c\n").contains("a `:` out of place"));
        assert!(complaint("a: [1, 2\n").contains("a bracket is not closed"));
        assert!(complaint("a: \"x\n").contains("a quote is opened"));
        assert!(complaint("a: !!str 1\n").contains("tags"));
        assert!(complaint("? [a]\n: 1\n").contains("a key must be a plain text"));
        assert!(complaint("a: *x\n").contains("a.yaml:1:4: "));
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = parse(&bytes);
        }

        #[test]
        fn arbitrary_yaml_like_text_never_panics(
            text in "([a-c*&!|>?%@`'\"{}\\[\\],:#\\-\n\t 01]){0,200}"
        ) {
            let _ = parse(text.as_bytes());
        }
    }
}
