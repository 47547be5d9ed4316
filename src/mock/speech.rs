//! What one choice of an answer says, in as many pieces as it has tokens.

use std::borrow::Cow;

use serde_json::json;

use super::answer_text::AnswerText;
use super::form::Form;
use super::schema_instance::Instance;
use crate::chance::Draws;

/// The pieces of one choice, one after the other.
#[derive(Clone, Debug)]
pub(super) enum Speech {
    /// Words, without an end.
    Words(AnswerText),
    /// A JSON text.
    Json(Cut),
}

impl Speech {
    /// What choice number `choice` of an answer of `tokens` tokens says.
    pub(super) fn new(form: &Form, draws: Draws, choice: u32, tokens: u32) -> Self {
        let mut words = AnswerText::new(draws, choice);
        let json = match form {
            Form::Text => return Self::Words(words),
            Form::Json(None) => json!({"answer": words.text(tokens)}),
            Form::Json(Some(schema)) => Instance::of(schema, &mut words),
            Form::Call { parameters, .. } => match Instance::of(parameters, &mut words) {
                // Of no schema at all: a function without parameters.
                arguments if arguments.is_object() => arguments,
                _ => json!({}),
            },
        };
        Self::Json(Cut::new(json.to_string(), tokens))
    }

    /// The first `count` pieces together.
    pub(super) fn text(self, count: u32) -> String {
        match self {
            Self::Words(words) => words.text(count),
            Self::Json(cut) => cut.take(count as usize).collect(),
        }
    }
}

impl Iterator for Speech {
    type Item = Cow<'static, str>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Words(words) => words.next().map(Cow::Borrowed),
            Self::Json(cut) => cut.next().map(Cow::Owned),
        }
    }
}

/// A text that is cut into pieces of about the same length, none of them empty.
#[derive(Clone, Debug)]
pub(super) struct Cut {
    text: String,
    /// Bytes of it that are said.
    at: usize,
    characters: u64,
    count: u32,
    said: u32,
}

impl Cut {
    /// `json` in `count` pieces; where it has fewer characters, with spaces after it.
    fn new(mut json: String, count: u32) -> Self {
        let mut characters = json.chars().count() as u64;
        while characters < u64::from(count) {
            json.push(' ');
            characters += 1;
        }
        Self { text: json, at: 0, characters, count, said: 0 }
    }
}

impl Iterator for Cut {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        if self.said >= self.count {
            return None;
        }
        let up_to = |said: u32| self.characters * u64::from(said) / u64::from(self.count);
        let length = up_to(self.said + 1) - up_to(self.said);
        let piece: String = self.text[self.at..].chars().take(length as usize).collect();
        self.at += piece.len();
        self.said += 1;
        Some(piece)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::chance::Chance;
    use crate::units::RequestId;

    fn speech(form: &Form, choice: u32, tokens: u32) -> Speech {
        Speech::new(form, Chance::new(7, 0).request(RequestId(3), 0), choice, tokens)
    }

    #[test]
    fn every_form_has_as_many_pieces_as_tokens_and_they_are_the_text() {
        let parameters = json!({"type": "object", "properties": {"é\u{1f426}": {"enum": ["ü"]}}});
        let call = Form::Call { name: "f".to_owned(), parameters };
        for form in [Form::Text, Form::Json(None), call] {
            for tokens in [1, 2, 7, 400] {
                let pieces: Vec<_> = speech(&form, 0, tokens).take(tokens as usize).collect();
                assert_eq!(pieces.len(), tokens as usize, "{form:?}");
                assert!(pieces.iter().all(|piece| !piece.is_empty()), "{form:?} {tokens}");
                let text = speech(&form, 0, tokens).text(tokens);
                assert_eq!(pieces.concat().trim_end(), text.trim_end(), "{form:?} {tokens}");
                if form != Form::Text {
                    assert!(serde_json::from_str::<Value>(&text).is_ok(), "{text}");
                    assert!(speech(&form, 0, tokens).nth(tokens as usize).is_none());
                }
            }
            assert_eq!(speech(&form, 0, 0).text(0), "");
        }
    }

    #[test]
    fn choices_of_one_answer_differ() {
        for form in [Form::Text, Form::Json(None)] {
            assert_ne!(speech(&form, 0, 50).text(50), speech(&form, 1, 50).text(50));
        }
    }

    #[test]
    fn the_arguments_of_a_call_are_an_object_whatever_the_schema() {
        for parameters in [Value::Null, json!({"type": "string"}), json!({"type": "object"})] {
            let call = Form::Call { name: "f".to_owned(), parameters };
            assert_eq!(speech(&call, 0, 2).text(2), "{}");
        }
    }
}
