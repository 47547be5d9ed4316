//! Texts with places that each request fills in.
//!
//! A place is a lowercase name in braces, such as `{prompt}`; other braces are text.

use super::message_error::MessageError;

/// A text with places.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Template(Vec<Piece>);

#[derive(Clone, PartialEq, Eq, Debug)]
enum Piece {
    Text(Box<[u8]>),
    Place(Place),
}

/// What a request fills in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Place {
    Prompt,
    Model,
    InputTokens,
    MaxTokens,
    Stream,
    User,
    Session,
    Client,
    Number,
    Request,
}

impl Place {
    const ALL: [Self; 10] = [
        Self::Prompt,
        Self::Model,
        Self::InputTokens,
        Self::MaxTokens,
        Self::Stream,
        Self::User,
        Self::Session,
        Self::Client,
        Self::Number,
        Self::Request,
    ];

    /// Its name.
    const fn name(self) -> &'static str {
        match self {
            Self::Prompt => "prompt",
            Self::Model => "model",
            Self::InputTokens => "input_tokens",
            Self::MaxTokens => "max_tokens",
            Self::Stream => "stream",
            Self::User => "user",
            Self::Session => "session",
            Self::Client => "client",
            Self::Number => "number",
            Self::Request => "request",
        }
    }

    /// The names of all, for an error.
    fn names() -> String {
        Self::ALL.map(|place| format!("{{{}}}", place.name())).join(", ")
    }
}

impl Template {
    /// `text` with its places.
    ///
    /// # Errors
    /// A name in braces that is none of a place.
    pub(super) fn new(text: &str) -> Result<Self, MessageError> {
        let mut pieces = Vec::new();
        let (mut from, mut rest) = (0, 0);
        while let Some(open) = text[rest..].find('{').map(|at| rest + at) {
            let inner = &text[open + 1..];
            let length = inner.find(|c: char| !c.is_ascii_lowercase() && c != '_');
            rest = open + 1;
            let Some(length) = length.filter(|length| *length > 0) else { continue };
            if !inner[length..].starts_with('}') {
                continue;
            }
            let name = &inner[..length];
            let place = Place::ALL.into_iter().find(|place| place.name() == name);
            let place = place.ok_or_else(|| MessageError::Place {
                found: name.to_owned(),
                known: Place::names(),
            })?;
            if open > from {
                pieces.push(Piece::Text(text.as_bytes()[from..open].into()));
            }
            pieces.push(Piece::Place(place));
            rest = open + 1 + length + 1;
            from = rest;
        }
        if from < text.len() {
            pieces.push(Piece::Text(text.as_bytes()[from..].into()));
        }
        Ok(Self(pieces))
    }

    /// Whether it has this place.
    pub(super) fn has(&self, place: Place) -> bool {
        self.0.contains(&Piece::Place(place))
    }

    /// Whether it has any place.
    pub(super) fn has_places(&self) -> bool {
        self.0.iter().any(|piece| matches!(piece, Piece::Place(_)))
    }

    /// Appends the text to `into`, its places filled in by `fill`.
    pub(super) fn write(&self, into: &mut Vec<u8>, mut fill: impl FnMut(Place, &mut Vec<u8>)) {
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => into.extend_from_slice(text),
                Piece::Place(place) => fill(*place, into),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(text: &str) -> String {
        let mut into = Vec::new();
        Template::new(text).unwrap().write(&mut into, |place, into| {
            into.extend_from_slice(format!("<{}>", place.name()).as_bytes());
        });
        String::from_utf8(into).unwrap()
    }

    #[test]
    fn places_are_filled_in_and_other_braces_are_text() {
        assert_eq!(filled("{user}"), "<user>");
        assert_eq!(
            filled(r#"{"a":{"b":"{prompt} {model}"},"n":{max_tokens}}"#),
            r#"{"a":{"b":"<prompt> <model>"},"n":<max_tokens>}"#
        );
        for text in ["", "{}", "{ user }", "{user", "user}", "{User}", "{{}", "no place", "{1}"] {
            assert_eq!(filled(text), text);
        }
        assert_eq!(filled("{{user}}"), "{<user>}");
        assert_eq!(filled("ü{number}ü"), "ü<number>ü");
        for place in Place::ALL {
            let text = format!("a {{{}}}", place.name());
            assert!(Template::new(&text).unwrap().has(place));
        }
    }

    #[test]
    fn an_unknown_place_is_an_error() {
        let error = Template::new(r#"{"content":"{promt}"}"#).unwrap_err();
        assert!(error.to_string().starts_with("{promt} is no place"), "{error}");
        assert!(error.to_string().contains("{prompt}, {model}"), "{error}");
    }
}
