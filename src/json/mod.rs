//! How documents for programs are written: JSON in outline, and the words of the JSON Schemas that
//! say what stands in them.
//!
//! Knows no document.

mod outline;
mod schema_words;

pub(crate) use outline::outline;
pub(crate) use schema_words::{
    Part, digest, flag, instant, list, number, object, one_of, reference, span, text, verdict,
    version_index, whole,
};
#[cfg(test)]
pub(crate) use schema_words::{invalid_places, undescribed_fields};
