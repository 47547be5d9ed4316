//! The font that is compiled in: how wide a text is, and how much of it fits.

use std::sync::Once;

use plotters::style::{FontDesc, FontFamily, FontStyle, register_font};

/// The width of `text` in pixels.
pub(crate) fn text_width(text: &str, size: u32, bold: bool) -> f64 {
    let font = font(size, bold);
    let ((left, _), (right, _)) = font.layout_box(text).expect("the bundled font is registered");
    f64::from(right - left)
}

/// `text`, cut short with an ellipsis where it is wider than `width` pixels; `None` where not even
/// two letters fit.
pub(crate) fn fit_text(text: &str, size: u32, bold: bool, width: f64) -> Option<String> {
    if text_width(text, size, bold) <= width {
        return Some(text.to_owned());
    }
    let short = |kept: usize| text.chars().take(kept).chain(['…']).collect::<String>();
    let fits = |kept: usize| text_width(&short(kept), size, bold) <= width;
    if text.chars().count() <= LEAST_LETTERS || !fits(LEAST_LETTERS) {
        return None;
    }
    // The more letters, the wider: the most that fit lie between some that do and some that do not.
    let (mut kept, mut too_many) = (LEAST_LETTERS, text.chars().count());
    while too_many > kept + 1 {
        let middle = usize::midpoint(kept, too_many);
        if fits(middle) {
            kept = middle;
        } else {
            too_many = middle;
        }
    }
    Some(short(kept))
}

/// The bundled font with an em of `size` pixels.
pub(super) fn font(size: u32, bold: bool) -> FontDesc<'static> {
    register_fonts();
    let style = if bold { FontStyle::Bold } else { FontStyle::Normal };
    FontDesc::new(FontFamily::Name(FONT), f64::from(size) * SIZE_PER_EM, style)
}

fn register_fonts() {
    static REGISTERED: Once = Once::new();
    REGISTERED.call_once(|| {
        let regular = register_font(FONT, FontStyle::Normal, INTER_REGULAR);
        let bold = register_font(FONT, FontStyle::Bold, INTER_BOLD);
        assert!(regular.is_ok() && bold.is_ok(), "the bundled fonts can be read");
    });
}

const INTER_REGULAR: &[u8] = include_bytes!("../../assets/Inter-Regular.ttf");
const INTER_BOLD: &[u8] = include_bytes!("../../assets/Inter-Bold.ttf");

/// The name of the bundled font in plotters. An SVG names the same families, so that where it is
/// shown without Inter, what stands in is a similar font.
const FONT: &str = "Inter, Helvetica, Arial, sans-serif";

/// A text cut shorter than this says nothing.
const LEAST_LETTERS: usize = 2;

/// Plotters' font size of one em: its SVG backend divides by this.
const SIZE_PER_EM: f64 = 1.24;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_too_wide_is_cut_short() {
        let width = text_width("observation", 20, false);
        assert_eq!(fit_text("observation", 20, false, width).as_deref(), Some("observation"));
        let short = fit_text("observation", 20, false, width / 2.0).unwrap();
        assert!(short.ends_with('…') && text_width(&short, 20, false) <= width / 2.0, "{short}");
        assert_eq!(fit_text("observation", 20, false, 5.0), None);
    }
}
