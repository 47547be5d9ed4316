//! A drawing: shapes in pixels, in layers.
//!
//! A chart puts shapes on a [`Canvas`]; it knows nothing of what it shows. A layer says what a page
//! can do with its shapes: hide those of one series, or stretch them along the time axis.

use std::ops::Range;

use super::palette::{Dash, Ink, Symbol};
use super::reading::Readings;

/// A finished chart.
#[derive(Clone, Debug)]
pub struct Canvas {
    pub(super) width: u32,
    pub(super) height: u32,
    alternative: String,
    readings: Option<Readings>,
    series: Vec<String>,
    layer: Layer,
    shapes: Vec<(Layer, Shape)>,
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

/// What shapes belong to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Layer {
    /// Whether they follow the horizontal axis when a viewer stretches it.
    pub(super) stretched: bool,
    /// Whether they keep their form when they do: symbols.
    pub(super) whole: bool,
    /// Which parts of their lines are drawn.
    pub(super) dash: Dash,
    /// The series that they show (an index).
    series: Option<usize>,
}

#[derive(Clone, Debug)]
pub(super) enum Shape {
    Line { points: Vec<Point>, ink: Ink, width: u32 },
    Polygon { points: Vec<Point>, ink: Ink },
    Disc { centre: Point, radius: f64, ink: Ink },
    Text { at: Point, text: String, lettering: Lettering },
}

impl Canvas {
    /// An empty canvas of `width` times `height` pixels; `alternative` tells in words what it
    /// shows.
    pub(crate) fn new(width: u32, height: u32, alternative: String) -> Self {
        Self {
            width,
            height,
            alternative,
            readings: None,
            series: Vec::new(),
            layer: Layer::default(),
            shapes: Vec::new(),
        }
    }

    /// What the chart shows, for those who do not see it.
    pub fn alternative(&self) -> &str {
        &self.alternative
    }

    /// What can be read off at each of its columns; `None` where there is nothing to be read.
    pub const fn readings(&self) -> Option<&Readings> {
        self.readings.as_ref()
    }

    /// The names of the series that it shows, in the order in which they were first drawn.
    pub fn series(&self) -> &[String] {
        &self.series
    }

    /// Says what can be read off.
    pub(crate) fn set_readings(&mut self, readings: Readings) {
        self.readings = Some(readings);
    }

    /// Draws shapes that follow the horizontal axis when a viewer stretches it.
    pub(crate) fn stretched(&mut self, draw: impl FnOnce(&mut Self)) {
        let layer = Layer { stretched: true, ..self.layer };
        self.in_layer(layer, draw);
    }

    /// Draws shapes of the series `name`.
    pub(crate) fn of_series(&mut self, name: &str, draw: impl FnOnce(&mut Self)) {
        let known = self.series.iter().position(|series| series == name);
        let series = known.unwrap_or_else(|| {
            self.series.push(name.to_owned());
            self.series.len() - 1
        });
        let layer = Layer { series: Some(series), ..self.layer };
        self.in_layer(layer, draw);
    }

    fn in_layer(&mut self, layer: Layer, draw: impl FnOnce(&mut Self)) {
        let outer = std::mem::replace(&mut self.layer, layer);
        draw(self);
        self.layer = outer;
    }

    pub(crate) fn line(&mut self, points: &[Point], stroke: Stroke) {
        let Stroke { ink, width, dash } = stroke;
        if points.len() > 1 {
            let line = Shape::Line { points: points.to_vec(), ink, width };
            let layer = Layer { dash, ..self.layer };
            self.in_layer(layer, |canvas| canvas.push(line));
        }
    }

    pub(crate) fn polygon(&mut self, points: Vec<Point>, ink: Ink) {
        self.push(Shape::Polygon { points, ink });
    }

    pub(crate) fn rectangle(&mut self, (left, top): Point, (right, bottom): Point, ink: Ink) {
        self.polygon(vec![(left, top), (right, top), (right, bottom), (left, bottom)], ink);
    }

    pub(crate) fn text(&mut self, at: Point, text: impl Into<String>, lettering: Lettering) {
        self.push(Shape::Text { at, text: text.into(), lettering });
    }

    /// A symbol with a radius in pixels, with a white rim that sets it off from what lies beneath.
    pub(crate) fn symbol(&mut self, at: Point, symbol: Symbol, radius: f64, ink: Ink) {
        let layer = Layer { whole: self.layer.stretched, ..self.layer };
        self.in_layer(layer, |canvas| match symbol.outline() {
            None => {
                canvas.push(Shape::Disc { centre: at, radius: radius + RIM, ink: Ink::WHITE });
                canvas.push(Shape::Disc { centre: at, radius, ink });
            }
            Some(outline) => {
                let scaled = |size: f64| {
                    outline.iter().map(|(x, y)| (at.0 + x * size, at.1 + y * size)).collect()
                };
                canvas.polygon(scaled(radius + RIM * 1.5), Ink::WHITE);
                canvas.polygon(scaled(radius), ink);
            }
        });
    }

    fn push(&mut self, shape: Shape) {
        self.shapes.push((self.layer, shape));
    }

    pub(super) fn shapes(&self, range: Range<usize>) -> &[(Layer, Shape)] {
        &self.shapes[range]
    }

    /// The shapes from the lowest to the highest, in spans of one layer.
    pub(super) fn spans(&self) -> Vec<(Layer, Range<usize>)> {
        let mut spans: Vec<(Layer, Range<usize>)> = Vec::new();
        for (index, (layer, _)) in self.shapes.iter().enumerate() {
            match spans.last_mut() {
                Some((open, span)) if open == layer => span.end = index + 1,
                _ => spans.push((*layer, index..index + 1)),
            }
        }
        spans
    }

    pub(super) fn series_of(&self, layer: Layer) -> Option<&str> {
        layer.series.map(|index| self.series[index].as_str())
    }
}

/// The width of a symbol's white rim in pixels.
const RIM: f64 = 2.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_of_one_layer_make_one_span() {
        let mut canvas = Canvas::new(10, 10, String::new());
        let dot = |canvas: &mut Canvas| canvas.rectangle((0.0, 0.0), (1.0, 1.0), Ink::BLACK);
        dot(&mut canvas);
        canvas.stretched(|canvas| {
            canvas.of_series("a", |canvas| {
                dot(canvas);
                dot(canvas);
            });
            dot(canvas);
        });
        dot(&mut canvas);
        let spans = canvas.spans();
        let told: Vec<_> = spans
            .iter()
            .map(|(layer, span)| (layer.stretched, canvas.series_of(*layer), span.clone()))
            .collect();
        assert_eq!(
            told,
            [(false, None, 0..1), (true, Some("a"), 1..3), (true, None, 3..4), (false, None, 4..5)]
        );
    }
}
