//! A drawing: shapes in pixels, rendered by one path as SVG and as PNG.
//!
//! A chart puts shapes on a [`Canvas`]; plotters draws them with either of its backends, with the
//! font that is compiled in, so that a chart looks the same on every machine and every run. The
//! canvas knows nothing of what it shows.

use std::sync::Once;

use plotters::coord::Shift;
use plotters::element::{Circle, PathElement, Polygon, Text};
use plotters::prelude::{
    BitMapBackend, DrawingArea, DrawingAreaErrorKind, DrawingBackend, IntoDrawingArea, SVGBackend,
};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontDesc, FontFamily, FontStyle, RGBAColor, register_font};

use super::palette::{Dash, Ink, Symbol};

/// A finished chart.
#[derive(Clone, Debug)]
pub struct Canvas {
    width: u32,
    height: u32,
    alternative: String,
    shapes: Vec<Shape>,
}

/// A place in pixels from the upper left corner.
pub(crate) type Point = (f64, f64);

/// How a line is drawn.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stroke {
    pub(crate) ink: Ink,
    /// In pixels.
    pub(crate) width: u32,
    pub(crate) dash: Dash,
}

/// How a text is set. Its place is at half the height of its capital letters.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lettering {
    pub(crate) ink: Ink,
    /// The size of an em in pixels.
    pub(crate) size: u32,
    pub(crate) bold: bool,
    pub(crate) align: Align,
}

/// Which end of a text stands at its place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Align {
    Start,
    Middle,
    End,
}

#[derive(Clone, Debug)]
enum Shape {
    Line { points: Vec<Point>, ink: Ink, width: u32 },
    Polygon { points: Vec<Point>, ink: Ink },
    Disc { centre: Point, radius: f64, ink: Ink },
    Text { at: Point, text: String, lettering: Lettering },
}

impl Canvas {
    /// An empty canvas of `width` times `height` pixels; `alternative` tells in words what it
    /// shows.
    pub(crate) fn new(width: u32, height: u32, alternative: String) -> Self {
        Self { width, height, alternative, shapes: Vec::new() }
    }

    /// What the chart shows, for those who do not see it.
    pub fn alternative(&self) -> &str {
        &self.alternative
    }

    /// The chart as an SVG document. It uses presentation attributes only: a content-security
    /// policy that forbids styles does not blank it.
    pub fn svg(&self) -> String {
        let mut document = String::new();
        {
            let root = SVGBackend::with_string(&mut document, (self.width, self.height));
            self.render(&root.into_drawing_area(), &Medium::SVG).expect(MEMORY);
        }
        let label = escape(&self.alternative);
        document.replacen("<svg ", &format!("<svg role=\"img\" aria-label=\"{label}\" "), 1)
    }

    /// The chart as a PNG image.
    pub fn png(&self) -> Vec<u8> {
        let (width, height) = (self.width * OVERSAMPLING, self.height * OVERSAMPLING);
        let mut pixels = vec![0; width as usize * height as usize * CHANNELS];
        {
            let root = BitMapBackend::with_buffer(&mut pixels, (width, height));
            self.render(&root.into_drawing_area(), &Medium::BITMAP).expect(MEMORY);
        }
        encode(&shrink(&pixels, width as usize), self.width, self.height)
    }

    pub(crate) fn line(&mut self, points: &[Point], stroke: Stroke) {
        let Stroke { ink, width, dash } = stroke;
        let pieces = match dash.pattern() {
            [] => vec![points.to_vec()],
            pattern => dashes(points, pattern),
        };
        let lines = pieces.into_iter().filter(|points| points.len() > 1);
        self.shapes.extend(lines.map(|points| Shape::Line { points, ink, width }));
    }

    pub(crate) fn polygon(&mut self, points: Vec<Point>, ink: Ink) {
        self.shapes.push(Shape::Polygon { points, ink });
    }

    pub(crate) fn rectangle(&mut self, (left, top): Point, (right, bottom): Point, ink: Ink) {
        self.polygon(vec![(left, top), (right, top), (right, bottom), (left, bottom)], ink);
    }

    pub(crate) fn text(&mut self, at: Point, text: impl Into<String>, lettering: Lettering) {
        self.shapes.push(Shape::Text { at, text: text.into(), lettering });
    }

    /// A symbol with a radius in pixels, with a white rim that sets it off from what lies beneath.
    pub(crate) fn symbol(&mut self, at: Point, symbol: Symbol, radius: f64, ink: Ink) {
        match symbol.outline() {
            None => {
                self.shapes.push(Shape::Disc { centre: at, radius: radius + RIM, ink: Ink::WHITE });
                self.shapes.push(Shape::Disc { centre: at, radius, ink });
            }
            Some(outline) => {
                let scaled = |size: f64| {
                    outline.iter().map(|(x, y)| (at.0 + x * size, at.1 + y * size)).collect()
                };
                self.polygon(scaled(radius + RIM * 1.5), Ink::WHITE);
                self.polygon(scaled(radius), ink);
            }
        }
    }

    fn render<B: DrawingBackend>(
        &self,
        area: &DrawingArea<B, Shift>,
        medium: &Medium,
    ) -> Result<(), DrawingAreaErrorKind<B::ErrorType>> {
        register_fonts();
        area.fill(&plotters::style::WHITE)?;
        for shape in &self.shapes {
            match shape {
                Shape::Line { points, ink, width } => {
                    let style = colour(*ink).stroke_width(width * medium.scale);
                    area.draw(&PathElement::new(medium.points(points), style))?;
                }
                Shape::Polygon { points, ink } => {
                    area.draw(&Polygon::new(medium.points(points), colour(*ink).filled()))?;
                }
                Shape::Disc { centre, radius, ink } => {
                    let radius = (radius * f64::from(medium.scale)).round() as u32;
                    area.draw(&Circle::new(medium.point(*centre), radius, colour(*ink).filled()))?;
                }
                Shape::Text { at, text, lettering } => {
                    let lift = medium.baseline_shift * f64::from(lettering.size);
                    let at = medium.point((at.0, at.1 + lift));
                    let style = font(lettering, medium.scale).color(&colour(lettering.ink));
                    let style = style.pos(Pos::new(lettering.align.position(), VPos::Center));
                    area.draw(&Text::new(text.as_str(), at, style))?;
                }
            }
        }
        area.present()
    }
}

impl Align {
    const fn position(self) -> HPos {
        match self {
            Self::Start => HPos::Left,
            Self::Middle => HPos::Center,
            Self::End => HPos::Right,
        }
    }
}

/// What differs between the two backends.
struct Medium {
    /// Device pixels per pixel of the canvas.
    scale: u32,
    /// How far, in em, a text must be moved down so that its capitals are centred on its place: the
    /// backends centre different boxes.
    baseline_shift: f64,
}

impl Medium {
    /// The baseline comes half an x-height (0.27 em) below the place; capitals are 0.73 em high.
    const SVG: Self = Self { scale: 1, baseline_shift: 0.09 };
    /// The baseline comes 0.12 em below the place.
    const BITMAP: Self = Self { scale: OVERSAMPLING, baseline_shift: 0.24 };

    fn point(&self, (x, y): Point) -> (i32, i32) {
        let scale = f64::from(self.scale);
        ((x * scale).round() as i32, (y * scale).round() as i32)
    }

    fn points(&self, points: &[Point]) -> Vec<(i32, i32)> {
        points.iter().map(|point| self.point(*point)).collect()
    }
}

/// The width of `text` in pixels.
pub(crate) fn text_width(text: &str, size: u32, bold: bool) -> f64 {
    register_fonts();
    let lettering = Lettering { ink: Ink::BLACK, size, bold, align: Align::Start };
    let ((left, _), (right, _)) =
        font(&lettering, 1).layout_box(text).expect("the bundled font is registered");
    f64::from(right - left)
}

/// `text`, cut short with an ellipsis where it is wider than `width` pixels; `None` where not even
/// two letters fit.
pub(crate) fn fit_text(text: &str, size: u32, bold: bool, width: f64) -> Option<String> {
    if text_width(text, size, bold) <= width {
        return Some(text.to_owned());
    }
    let count = text.chars().count();
    (2..count).rev().find_map(|kept| {
        let short: String = text.chars().take(kept).chain(['…']).collect();
        (text_width(&short, size, bold) <= width).then_some(short)
    })
}

fn font(lettering: &Lettering, scale: u32) -> FontDesc<'static> {
    let style = if lettering.bold { FontStyle::Bold } else { FontStyle::Normal };
    let size = f64::from(lettering.size * scale) * SIZE_PER_EM;
    FontDesc::new(FontFamily::Name(FONT), size, style)
}

fn register_fonts() {
    static REGISTERED: Once = Once::new();
    REGISTERED.call_once(|| {
        let regular = register_font(FONT, FontStyle::Normal, INTER_REGULAR);
        let bold = register_font(FONT, FontStyle::Bold, INTER_BOLD);
        assert!(regular.is_ok() && bold.is_ok(), "the bundled fonts can be read");
    });
}

fn colour(ink: Ink) -> RGBAColor {
    let (red, green, blue) = ink.rgb;
    RGBAColor(red, green, blue, ink.opacity)
}

/// Cuts a line into the pieces that a pattern of drawn and blank lengths leaves of it.
fn dashes(points: &[Point], pattern: &[f64]) -> Vec<Vec<Point>> {
    let mut pieces = Vec::new();
    let mut piece: Vec<Point> = points.first().copied().into_iter().collect();
    let (mut index, mut left) = (0, pattern[0]);
    for pair in points.windows(2) {
        let (mut from, to) = (pair[0], pair[1]);
        let mut length = distance(from, to);
        while length > left {
            let part = left / length;
            from = (from.0 + (to.0 - from.0) * part, from.1 + (to.1 - from.1) * part);
            length -= left;
            if index % 2 == 0 {
                piece.push(from);
                pieces.push(std::mem::take(&mut piece));
            } else {
                piece.push(from);
            }
            index = (index + 1) % pattern.len();
            left = pattern[index];
        }
        left -= length;
        if index % 2 == 0 {
            piece.push(to);
        }
    }
    pieces.push(piece);
    pieces
}

fn distance(from: Point, to: Point) -> f64 {
    let (x, y) = (to.0 - from.0, to.1 - from.1);
    (x * x + y * y).sqrt()
}

/// The mean of each square of pixels: smooth edges, which the backend does not draw by itself.
fn shrink(pixels: &[u8], width: usize) -> Vec<u8> {
    let factor = OVERSAMPLING as usize;
    let row_bytes = width * CHANNELS;
    let mut small = Vec::with_capacity(pixels.len() / (factor * factor));
    let mut sums = vec![0_u16; row_bytes / factor];
    for rows in pixels.chunks_exact(row_bytes * factor) {
        sums.fill(0);
        for row in rows.chunks_exact(row_bytes) {
            for (block, sum) in
                row.chunks_exact(CHANNELS * factor).zip(sums.chunks_exact_mut(CHANNELS))
            {
                for pixel in block.chunks_exact(CHANNELS) {
                    sum.iter_mut().zip(pixel).for_each(|(sum, value)| *sum += u16::from(*value));
                }
            }
        }
        small.extend(sums.iter().map(|sum| (sum / (OVERSAMPLING * OVERSAMPLING) as u16) as u8));
    }
    small
}

fn encode(pixels: &[u8], width: u32, height: u32) -> Vec<u8> {
    let mut image = Vec::new();
    let mut encoder = png::Encoder::new(&mut image, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder
        .write_header()
        .and_then(|mut writer| writer.write_image_data(pixels))
        .expect("an image of the stated size is written into memory");
    image
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

const INTER_REGULAR: &[u8] = include_bytes!("../../assets/Inter-Regular.ttf");
const INTER_BOLD: &[u8] = include_bytes!("../../assets/Inter-Bold.ttf");

/// The name of the bundled font in plotters. An SVG names the same families, so that where it is
/// shown without Inter, what stands in is a similar font.
const FONT: &str = "Inter, Helvetica, Arial, sans-serif";

/// Plotters' font size of one em: its SVG backend divides by this.
const SIZE_PER_EM: f64 = 1.24;

/// Chosen: with 1 edges are ragged, 3 looks no better than 2 and takes twice the time.
const OVERSAMPLING: u32 = 2;

/// Red, green, blue.
const CHANNELS: usize = 3;

/// The width of a symbol's white rim in pixels.
const RIM: f64 = 2.0;

const MEMORY: &str = "drawing into memory with a registered font cannot fail";

#[cfg(test)]
mod tests {
    use super::*;

    const STROKE: Stroke = Stroke { ink: Ink::BLACK, width: 2, dash: Dash::Solid };

    fn drawing() -> Canvas {
        let mut canvas = Canvas::new(100, 50, "a \"line\" & a word".to_owned());
        canvas.line(&[(10.0, 40.0), (90.0, 40.0)], STROKE);
        let lettering = Lettering { ink: Ink::BLACK, size: 16, bold: false, align: Align::Start };
        canvas.text((10.0, 20.0), "Word <b>", lettering);
        canvas
    }

    #[test]
    fn an_svg_says_in_words_what_it_shows() {
        let svg = drawing().svg();
        assert!(
            svg.starts_with("<svg role=\"img\" aria-label=\"a &quot;line&quot; &amp; a word\"")
        );
        assert!(svg.contains("Word &lt;b&gt;"), "{svg}");
        assert!(svg.trim_end().ends_with("</svg>"));
        assert!(!svg.contains("style="), "{svg}");
    }

    #[test]
    fn a_png_holds_ink_where_text_and_line_are() {
        let image = drawing().png();
        let mut reader = png::Decoder::new(std::io::Cursor::new(image)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        assert_eq!((info.width, info.height), (100, 50));
        let dark = |top: usize, bottom: usize| {
            let rows = &pixels[top * 300..bottom * 300];
            rows.chunks_exact(3).filter(|pixel| pixel[0] < 128).count()
        };
        assert_eq!(dark(39, 41), 160);
        assert!(dark(12, 28) > 100, "a word of 16 pixels has been drawn: {}", dark(12, 28));
        assert_eq!(dark(0, 12), 0);
    }

    #[test]
    fn dashes_go_on_around_corners() {
        let corner = [(0.0, 0.0), (6.0, 0.0), (6.0, 10.0)];
        let pieces = dashes(&corner, &[4.0, 4.0]);
        assert_eq!(pieces[0], [(0.0, 0.0), (4.0, 0.0)]);
        assert_eq!(pieces[1], [(6.0, 2.0), (6.0, 6.0)]);
    }

    #[test]
    fn a_text_too_wide_is_cut_short() {
        let width = text_width("observation", 20, false);
        assert_eq!(fit_text("observation", 20, false, width).as_deref(), Some("observation"));
        let short = fit_text("observation", 20, false, width / 2.0).unwrap();
        assert!(short.ends_with('…') && text_width(&short, 20, false) <= width / 2.0, "{short}");
        assert_eq!(fit_text("observation", 20, false, 5.0), None);
    }
}
