//! Writes the members of a JSON object, one after the other.
//!
//! Takes names of models and versions, numbers and words of formats: nothing that would have to be
//! escaped.

/// An object that is written at the end of a text.
pub(super) struct JsonLine<'a> {
    text: &'a mut String,
    before: &'static str,
}

impl<'a> JsonLine<'a> {
    /// Opens the object.
    pub(super) const fn open(text: &'a mut String) -> Self {
        Self { text, before: "{\"" }
    }

    /// A number or another value that is written as it is; nothing where there is none.
    pub(super) fn raw(&mut self, key: &str, value: Option<&str>) -> &mut Self {
        if let Some(value) = value {
            self.text.extend([self.before, key, "\":", value]);
            self.before = ",\"";
        }
        self
    }

    /// A number.
    pub(super) fn number(&mut self, key: &str, value: Option<u64>) -> &mut Self {
        self.raw(key, value.map(|value| value.to_string()).as_deref())
    }

    /// `true` or `false`.
    pub(super) fn flag(&mut self, key: &str, value: Option<bool>) -> &mut Self {
        self.raw(key, value.map(flag))
    }

    /// A text.
    pub(super) fn text(&mut self, key: &str, value: Option<&str>) -> &mut Self {
        if let Some(value) = value {
            debug_assert!(value.bytes().all(|byte| byte >= b' ' && !b"\"\\".contains(&byte)));
            self.text.extend([self.before, key, "\":\"", value, "\""]);
            self.before = ",\"";
        }
        self
    }

    /// Closes the object.
    pub(super) fn close(&mut self) {
        debug_assert_eq!(self.before, ",\"", "an object without members");
        self.text.push('}');
    }
}

/// How JSON spells `flag`.
pub(super) const fn flag(flag: bool) -> &'static str {
    if flag { "true" } else { "false" }
}
