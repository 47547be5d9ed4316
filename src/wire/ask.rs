//! The part of a chat completion's request that decides where it goes.
//!
//! Knows nothing of messages, tools or any other member: they are checked to be JSON, their place
//! is noted, and they are left as they are.

use std::borrow::Cow;
use std::ops::Range;

use super::AskError;
use super::api_error::shortened;
use super::scan::Scan;

/// What a request's body asks for: read in one pass, and nothing is copied unless an escape in a
/// name forces it.
///
/// ```
/// use coalmine::wire::ChatAsk;
/// let body = br#"{"model": "org/gpt-4@canary", "stream": true, "messages": []}"#;
/// let ask = ChatAsk::read(body)?;
/// assert_eq!(ask.named(), ("org/gpt-4", Some("canary")));
/// assert!(ask.is_stream());
/// # Ok::<(), coalmine::wire::AskError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ChatAsk<'a> {
    /// In the body's order, at most [`MOST_MEMBERS`], all names different.
    members: Vec<Member<'a>>,
    /// How many bytes the body has.
    length: usize,
    model: Cow<'a, str>,
    user: Option<Cow<'a, str>>,
    is_stream: bool,
}

/// A member of the body.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Member<'a> {
    pub(super) name: Cow<'a, str>,
    /// Where its value stands, in bytes from the start of the body.
    pub(super) value: Range<usize>,
}

impl<'a> ChatAsk<'a> {
    /// Reads `body`: one JSON object with a member `model`, at most 256 members, all of different
    /// names, and nested at most 128 deep.
    ///
    /// Members of no concern here may be anything that is JSON; even half of a surrogate pair in a
    /// string, which is grammatical and for the upstream to judge.
    ///
    /// # Errors
    /// The body is something else, or `model`, `user`, `stream` or `stream_options` have a value
    /// of a wrong type.
    pub fn read(body: &'a [u8]) -> Result<Self, AskError> {
        let text = std::str::from_utf8(body)
            .map_err(|error| AskError::NotUtf8 { offset: error.valid_up_to() })?;
        let mut scan = Scan::new(text);
        match scan.first() {
            Some(b'{') => {}
            None => return Err(AskError::Empty),
            Some(_) => return Err(not_an_object(scan)),
        }
        let mut model = None;
        let mut ask = Self {
            members: Vec::with_capacity(USUAL_MEMBERS),
            length: body.len(),
            model: Cow::Borrowed(""),
            user: None,
            is_stream: false,
        };
        scan.object(|scan, name| {
            let start = scan.offset();
            let name = name.decoded().ok_or_else(|| scan.expected(WHOLE_CHARACTERS))?;
            match &*name {
                "model" => model = Some(read_model(scan)?),
                "user" => ask.user = read_user(scan)?,
                "stream" => ask.is_stream = read_flag(scan, "stream")?,
                "stream_options" => check_stream_options(scan)?,
                _ => scan.skip()?,
            }
            ask.add(Member { name, value: start..scan.offset() })
        })?;
        scan.end()?;
        ask.model = model.ok_or(AskError::ModelMissing)?;
        Ok(ask)
    }

    /// The member `model` as sent, never empty: may be `model@version-or-tag` and may contain `/`.
    pub fn model(&self) -> &str {
        &self.model
    }

    /// The model, and what stands after the last `@`: the version or tag it is pinned to. Either
    /// may be empty or unknown: names are checked where they are looked up.
    pub fn named(&self) -> (&str, Option<&str>) {
        match self.model.rsplit_once('@') {
            Some((model, pin)) => (model, Some(pin)),
            None => (&self.model, None),
        }
    }

    /// Whether the answer is to be streamed.
    pub const fn is_stream(&self) -> bool {
        self.is_stream
    }

    /// The member `user`: a name that the client chose for whom it asks.
    pub fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// The body's members, in its order.
    pub(super) fn members(&self) -> &[Member<'a>] {
        &self.members
    }

    /// Whether the body has a member of this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.members.iter().any(|member| member.name == name)
    }

    /// How many bytes the body has.
    pub(super) const fn length(&self) -> usize {
        self.length
    }

    fn add(&mut self, member: Member<'a>) -> Result<(), AskError> {
        if self.has(&member.name) {
            return Err(AskError::DuplicateMember { name: shortened(&member.name).into_owned() });
        }
        if self.members.len() == MOST_MEMBERS {
            return Err(AskError::TooManyMembers { limit: MOST_MEMBERS });
        }
        self.members.push(member);
        Ok(())
    }
}

/// What is told of a body that begins with something else: that it is no JSON, where it is none.
fn not_an_object(mut scan: Scan<'_>) -> AskError {
    let found = scan.raw().and_then(|found| scan.end().map(|()| found));
    found.map_or_else(AskError::from, |found| AskError::NotObject {
        found: shortened(found).into_owned(),
    })
}

fn read_model<'a>(scan: &mut Scan<'a>) -> Result<Cow<'a, str>, AskError> {
    const ALLOWED: &str = "the name of a model, or `model@version-or-tag`";
    if scan.first() != Some(b'"') {
        return Err(not_allowed(scan, "model", ALLOWED));
    }
    let text = scan.text()?;
    if text.is_empty() {
        let found = "\"\"".to_owned();
        return Err(AskError::NotAllowed { field: "model", found, allowed: ALLOWED });
    }
    text.decoded().ok_or_else(|| scan.expected(WHOLE_CHARACTERS).into())
}

fn read_user<'a>(scan: &mut Scan<'a>) -> Result<Option<Cow<'a, str>>, AskError> {
    match scan.first() {
        Some(b'"') => {
            let user = scan.text()?.decoded();
            user.map(Some).ok_or_else(|| scan.expected(WHOLE_CHARACTERS).into())
        }
        _ => read_null(scan, "user", "a string or null").map(|()| None),
    }
}

/// `true` or `false`; `null` is `false`.
fn read_flag(scan: &mut Scan<'_>, field: &'static str) -> Result<bool, AskError> {
    match scan.first() {
        Some(b't') => scan.skip().map(|()| true).map_err(AskError::from),
        Some(b'f') => scan.skip().map(|()| false).map_err(AskError::from),
        _ => read_null(scan, field, "true, false or null").map(|()| false),
    }
}

/// What asks for the usage is the upstream's to follow; a value of a wrong type is refused here, as
/// that of any member that is known.
fn check_stream_options(scan: &mut Scan<'_>) -> Result<(), AskError> {
    const INCLUDE_USAGE: &str = "stream_options.include_usage";
    if scan.first() != Some(b'{') {
        return read_null(scan, "stream_options", "an object or null");
    }
    let mut is_given = false;
    scan.object(|scan, name| {
        if !name.is("include_usage") {
            return scan.skip().map_err(AskError::from);
        }
        read_flag(scan, INCLUDE_USAGE)?;
        if std::mem::replace(&mut is_given, true) {
            return Err(AskError::DuplicateMember { name: INCLUDE_USAGE.to_owned() });
        }
        Ok(())
    })
}

fn read_null(
    scan: &mut Scan<'_>,
    field: &'static str,
    allowed: &'static str,
) -> Result<(), AskError> {
    match scan.first() {
        Some(b'n') => Ok(scan.skip()?),
        _ => Err(not_allowed(scan, field, allowed)),
    }
}

/// The value at the place is not allowed; or it is no JSON, which goes before.
fn not_allowed(scan: &mut Scan<'_>, field: &'static str, allowed: &'static str) -> AskError {
    scan.raw().map_or_else(AskError::from, |found| {
        let found = shortened(found).into_owned();
        AskError::NotAllowed { field, found, allowed }
    })
}

/// What a name has that can be told and compared.
const WHOLE_CHARACTERS: &str = "no half of a surrogate pair in a name";

/// Chosen: several times the interface's 40, yet so few that looking each up among the others
/// costs a hostile client's body no more than 0.1 ms.
const MOST_MEMBERS: usize = 256;

/// Chosen: more than most clients send, so that the list is allocated once.
const USUAL_MEMBERS: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<ChatAsk<'_>, AskError> {
        ChatAsk::read(body.as_bytes())
    }

    fn not_allowed(body: &str) -> (&'static str, String) {
        match read(body) {
            Err(AskError::NotAllowed { field, found, .. }) => (field, found),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_decides_the_way_is_read_and_the_rest_is_passed_over() {
        let body = r#" {"messages":[{"role":"user","content":"{\"model\":1}"}],"model":"a/b@x@y",
            "user":"u-1","stream":true,"stream_options":{"include_usage":true,"x":[]},"n":1e0} "#;
        let ask = read(body).unwrap();
        assert_eq!(ask.model(), "a/b@x@y");
        assert_eq!(ask.named(), ("a/b@x", Some("y")));
        assert!(ask.is_stream());
        assert_eq!(ask.user(), Some("u-1"));
        assert!(matches!(ask.model, Cow::Borrowed(_)));
    }

    #[test]
    fn what_is_absent_or_null_is_off() {
        for body in [
            r#"{"model":"m"}"#,
            r#"{"model":"m","stream":null,"stream_options":null,"user":null}"#,
            r#"{"model":"m","stream":false,"stream_options":{"include_usage":null}}"#,
        ] {
            let ask = read(body).unwrap();
            assert_eq!(ask.named(), ("m", None));
            assert_eq!((ask.is_stream(), ask.user()), (false, None));
        }
    }

    #[test]
    fn an_escaped_name_is_the_name_it_says() {
        let ask = read(r#"{"mod\u0065l":"gpt\u002d4","str\u0065am":true}"#).unwrap();
        assert_eq!((ask.model(), ask.is_stream()), ("gpt-4", true));
    }

    #[test]
    fn a_member_of_a_wrong_type_is_named_with_its_value() {
        assert_eq!(not_allowed(r#"{"model": 4 }"#), ("model", "4".to_owned()));
        assert_eq!(not_allowed(r#"{"model":""}"#), ("model", "\"\"".to_owned()));
        assert_eq!(not_allowed(r#"{"model":"m","stream":"yes"}"#), ("stream", "\"yes\"".into()));
        assert_eq!(not_allowed(r#"{"model":"m","user":[1, 2]}"#), ("user", "[1, 2]".to_owned()));
        let options = not_allowed(r#"{"model":"m","stream_options":true}"#);
        assert_eq!(options, ("stream_options", "true".to_owned()));
        let usage = not_allowed(r#"{"model":"m","stream_options":{"include_usage":1}}"#);
        assert_eq!(usage, ("stream_options.include_usage", "1".to_owned()));
    }

    #[test]
    fn a_long_value_is_shortened_in_the_error() {
        let body = format!(r#"{{"model":"m","user":["{}"]}}"#, "é".repeat(1_000));
        let (_, found) = not_allowed(&body);
        assert_eq!(found.chars().count(), 64 + "...".len());
    }

    #[test]
    fn a_body_that_is_no_object_is_refused() {
        assert_eq!(read(""), Err(AskError::Empty));
        assert_eq!(read(" \r\n\t"), Err(AskError::Empty));
        assert_eq!(read("[1]"), Err(AskError::NotObject { found: "[1]".to_owned() }));
        let expected = "a value";
        assert_eq!(read("model=m"), Err(AskError::NotJson { offset: 0, expected }));
        let expected = "nothing after the value";
        assert_eq!(read(r#"{"model":"m"}}"#), Err(AskError::NotJson { offset: 13, expected }));
        assert_eq!(ChatAsk::read(b"{\"a\":\"\xff\"}"), Err(AskError::NotUtf8 { offset: 6 }));
        assert_eq!(read("{}"), Err(AskError::ModelMissing));
    }

    #[test]
    fn a_member_that_is_there_twice_is_refused_however_it_is_written() {
        let duplicate = |name: &str| Err(AskError::DuplicateMember { name: name.to_owned() });
        assert_eq!(read(r#"{"model":"m","model":"m"}"#), duplicate("model"));
        assert_eq!(read(r#"{"model":"m","x":1,"\u0078":2}"#), duplicate("x"));
        let usage = r#"{"model":"m","stream_options":{"include_usage":true,"include_usage":true}}"#;
        assert_eq!(read(usage), duplicate("stream_options.include_usage"));
        assert!(read(r#"{"model":"m","metadata":{"a":1,"a":2}}"#).is_ok());
    }

    #[test]
    fn the_128th_level_and_the_256th_member_are_the_last() {
        let nested = |levels| format!(r#"{{"model":"m","x":{}}}"#, brackets(levels));
        assert!(read(&nested(127)).is_ok());
        assert_eq!(read(&nested(128)), Err(AskError::TooDeep { offset: 17 + 127 }));
        let wide = |members: usize| {
            let members: String = (1..members).map(|name| format!(r#","{name}":0"#)).collect();
            format!(r#"{{"model":"m"{members}}}"#)
        };
        assert!(read(&wide(256)).is_ok());
        assert_eq!(read(&wide(257)), Err(AskError::TooManyMembers { limit: 256 }));
    }

    #[test]
    fn half_a_surrogate_pair_is_refused_in_a_name_and_left_alone_in_a_message() {
        assert!(matches!(read(r#"{"model":"\ud83d"}"#), Err(AskError::NotJson { .. })));
        assert!(read(r#"{"model":"m","messages":["\ud83d"]}"#).is_ok());
    }

    fn brackets(levels: usize) -> String {
        "[".repeat(levels) + &"]".repeat(levels)
    }
}
