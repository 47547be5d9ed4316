//! Texts of the input as messages cite them.

/// A text of the input as it is cited in messages: in quotes, and not longer than fits.
pub(crate) fn quote(text: &str) -> String {
    let mut short: String = text.chars().take(60).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    format!("{short:?}")
}
