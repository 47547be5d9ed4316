//! The one path from a canvas to SVG and PNG: plotters draws it with either of its backends, with
//! the font that is compiled in, so that a chart looks the same on every machine and every run.

use std::ops::Range;

use plotters::coord::Shift;
use plotters::element::{Circle, PathElement, Polygon, Text};
use plotters::prelude::{
    BitMapBackend, DrawingArea, DrawingAreaErrorKind, DrawingBackend, IntoDrawingArea, SVGBackend,
};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, RGBAColor};

use super::canvas::{Align, Canvas, Layer, Point, Shape};
use super::dashes::dashes;
use super::joined::joined;
use super::lettering::font;
use super::palette::{Dash, Ink};

impl Canvas {
    /// The chart as an SVG document. It uses presentation attributes only: a content-security
    /// policy that forbids styles does not blank it.
    ///
    /// Shapes of a series stand in groups with its name as `data-series`; those that follow the
    /// horizontal axis in groups with `data-stretch`, which says `move` where they keep their form.
    /// A dashed line is one element, its dashes an attribute of its group.
    pub fn svg(&self) -> String {
        let ground = self.elements(0..0, true);
        let spans = self.spans();
        let groups = spans.into_iter().map(|(layer, span)| {
            let elements = self.elements(span, false);
            // Symbols are moved one by one.
            let elements = if layer.whole { elements } else { joined(&elements) };
            self.grouped(layer, &elements)
        });
        let document: String = std::iter::once(ground).chain(groups).collect();
        let (width, height) = (self.width, self.height);
        format!(
            "<svg role=\"img\" aria-label=\"{}\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\" xmlns=\"http://www.w3.org/2000/svg\">\n\
             {document}</svg>\n",
            escape(self.alternative())
        )
    }

    /// The chart as a PNG image.
    pub fn png(&self) -> Vec<u8> {
        let (width, height) = (self.width * OVERSAMPLING, self.height * OVERSAMPLING);
        let mut pixels = vec![0; width as usize * height as usize * CHANNELS];
        {
            let root = BitMapBackend::with_buffer(&mut pixels, (width, height));
            let area = root.into_drawing_area();
            let all = self.spans().last().map_or(0, |(_, span)| span.end);
            self.render(&area, &Medium::BITMAP, 0..all, true).expect(MEMORY);
        }
        encode(&shrink(&pixels, width as usize), self.width, self.height)
    }

    /// Some shapes as SVG elements, on the ground if so told.
    fn elements(&self, shapes: Range<usize>, ground: bool) -> String {
        let mut document = String::new();
        {
            let root = SVGBackend::with_string(&mut document, (self.width, self.height));
            let area = root.into_drawing_area();
            self.render(&area, &Medium::SVG, shapes, ground).expect(MEMORY);
        }
        let (_, inside) = document.split_once(">\n").expect("an SVG document begins with its tag");
        let inside = inside.trim_end();
        inside.strip_suffix("</svg>").unwrap_or(inside).to_owned()
    }

    fn grouped(&self, layer: Layer, elements: &str) -> String {
        let mut attributes = String::new();
        if layer.stretched {
            let how = if layer.whole { "move" } else { "" };
            attributes.push_str(&format!(" data-stretch=\"{how}\""));
        }
        if let Some(name) = self.series_of(layer) {
            attributes.push_str(&format!(" data-series=\"{}\"", escape(name)));
        }
        if let [drawn, blank] = layer.dash.pattern() {
            attributes.push_str(&format!(" stroke-dasharray=\"{drawn} {blank}\""));
        }
        match attributes.as_str() {
            "" => elements.to_owned(),
            attributes => format!("<g{attributes}>\n{elements}</g>\n"),
        }
    }

    fn render<B: DrawingBackend>(
        &self,
        area: &DrawingArea<B, Shift>,
        medium: &Medium,
        shapes: Range<usize>,
        ground: bool,
    ) -> Result<(), DrawingAreaErrorKind<B::ErrorType>> {
        if ground {
            area.fill(&plotters::style::WHITE)?;
        }
        for (layer, shape) in self.shapes(shapes) {
            match shape {
                Shape::Line { points, ink, width } => {
                    let style = colour(*ink).stroke_width(width * medium.scale);
                    for piece in medium.pieces(points, layer.dash) {
                        area.draw(&PathElement::new(medium.points(&piece), style))?;
                    }
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
                    let font = font(lettering.size * medium.scale, lettering.bold);
                    let style = font.color(&colour(lettering.ink));
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
    /// Whether a line's dashes are drawn one by one: an SVG has an attribute for them instead.
    cuts_dashes: bool,
}

impl Medium {
    /// The baseline comes half an x-height (0.27 em) below the place; capitals are 0.73 em high.
    const SVG: Self = Self { scale: 1, baseline_shift: 0.09, cuts_dashes: false };
    /// The baseline comes 0.12 em below the place.
    const BITMAP: Self = Self { scale: OVERSAMPLING, baseline_shift: 0.24, cuts_dashes: true };

    fn point(&self, (x, y): Point) -> (i32, i32) {
        let scale = f64::from(self.scale);
        ((x * scale).round() as i32, (y * scale).round() as i32)
    }

    /// The lines that must be drawn for one.
    fn pieces(&self, points: &[Point], dash: Dash) -> Vec<Vec<Point>> {
        dashes(points, if self.cuts_dashes { dash } else { Dash::Solid })
    }

    fn points(&self, points: &[Point]) -> Vec<(i32, i32)> {
        points.iter().map(|point| self.point(*point)).collect()
    }
}

fn colour(ink: Ink) -> RGBAColor {
    let (red, green, blue) = ink.rgb;
    RGBAColor(red, green, blue, ink.opacity)
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

/// `text` as the value of an attribute.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

/// Chosen: with 1 edges are ragged, 3 looks no better than 2 and takes twice the time.
const OVERSAMPLING: u32 = 2;

/// Red, green, blue.
const CHANNELS: usize = 3;

const MEMORY: &str = "drawing into memory with a registered font cannot fail";

#[cfg(test)]
mod tests {
    use super::super::canvas::{Lettering, Stroke};
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
}
