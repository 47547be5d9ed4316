//! A table of a quantile function: parabolas through points of it, and where they do not serve the
//! function itself.

use super::empirical::Limit;
use super::shape::Shape;
use crate::units::Draw;

#[derive(Clone, Debug)]
pub(super) struct Table {
    /// From the outermost to the middle, the two sides of the unit interval in turn.
    pub(super) cells: Box<[Cell]>,
    shape: Shape,
}

/// The coefficients of a parabola in the distance from the nearer end of the unit interval. In a
/// cell where it does not serve, `constant` is NaN and the others are the smallest and the largest
/// variate.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cell {
    pub(super) constant: f64,
    linear: f64,
    square: f64,
}

impl Table {
    /// Some 3,000 evaluations of the quantile function.
    pub(super) fn new(shape: Shape) -> Self {
        let kinks = kinks(&shape);
        let mut cells = Vec::with_capacity(CELLS);
        let mut outer = [OUTERMOST, 1.0 - OUTERMOST].map(|u| shape.quantile(u));
        for pair in (0..=CELLS / 2).map(edge).collect::<Vec<_>>().windows(2) {
            let spans = [[pair[0], pair[1]], [1.0 - pair[0], 1.0 - pair[1]]];
            for (side, [from, to]) in spans.into_iter().enumerate() {
                let inner = shape.quantile(to);
                let span = Span { from, to, values: [outer[side], inner] };
                cells.push(Cell::new(&shape, &kinks, span));
                outer[side] = inner;
            }
        }
        Self { cells: cells.into(), shape }
    }

    #[inline(always)]
    pub(super) fn sample(&self, draw: Draw) -> f64 {
        let (cell, tail) = locate(draw);
        match self.cells.get(cell) {
            Some(cell) if !cell.constant.is_nan() => cell.at(tail),
            cell => self.exact_sample(cell, draw.unit()),
        }
    }

    #[cold]
    fn exact_sample(&self, cell: Option<&Cell>, u: f64) -> f64 {
        match cell {
            Some(cell) => self.shape.quantile_between(u, cell.linear, cell.square),
            None => self.shape.quantile(u),
        }
    }
}

/// The probabilities at the edges of a cell, the outer one first, and the quantiles there.
#[derive(Clone, Copy)]
struct Span {
    from: f64,
    to: f64,
    values: [f64; 2],
}

impl Span {
    fn at(self, share: f64) -> f64 {
        self.from + (self.to - self.from) * share
    }
}

impl Cell {
    fn new(shape: &Shape, kinks: &[f64], span: Span) -> Self {
        let [outer, inner] = span.values;
        let (low, high) = (outer.min(inner), outer.max(inner));
        let value = |u: f64| shape.quantile_between(u, low, high);
        let parabola = Self::through(span, value(span.at(0.5)));
        if high.is_finite() && parabola.is_monotonic(span) && parabola.serves(kinks, span, value) {
            parabola
        } else {
            Self { constant: f64::NAN, linear: low, square: high }
        }
    }

    /// The parabola through the ends of `span` and `middle`.
    fn through(span: Span, middle: f64) -> Self {
        let [outer, inner] = span.values;
        let (start, width) = (tail(span.from), tail(span.to) - tail(span.from));
        let square = 2.0 * (outer - 2.0 * middle + inner) / (width * width);
        let slope = (inner - outer) / width - square * width;
        let linear = slope - 2.0 * square * start;
        Self { constant: outer - start * (slope - square * start), linear, square }
    }

    #[inline]
    fn at(&self, tail: f64) -> f64 {
        self.constant + tail * (self.linear + tail * self.square)
    }

    fn is_monotonic(&self, span: Span) -> bool {
        let [first, last] = [span.from, span.to].map(|u| self.linear + 2.0 * self.square * tail(u));
        let rounding = 1e-9 * (self.linear.abs() + self.square.abs());
        first.min(last) >= -rounding || first.max(last) <= rounding
    }

    /// Whether the parabola is close enough to `value`. Between the probabilities at which the
    /// quantile function bends or jumps it is smooth, so that a few points of each piece tell.
    fn serves(&self, kinks: &[f64], span: Span, value: impl Fn(f64) -> f64) -> bool {
        let close = |u: f64| {
            let value = value(u);
            (self.at(tail(u)) - value).abs() <= TOLERANCE * value
        };
        let (start, end) = (span.from.min(span.to), span.from.max(span.to));
        let from = kinks.partition_point(|u| *u <= start);
        let to = kinks.partition_point(|u| *u < end);
        if from == to {
            return close(span.at(0.25)) && close(span.at(0.75));
        }
        let mut piece = start;
        kinks[from..to].iter().copied().chain([end]).all(|piece_end| {
            let length = piece_end - piece;
            let points = [0.25, 0.5, 0.75, 1.0].map(|share| piece + share * length);
            piece = piece_end;
            points.into_iter().all(close)
        })
    }
}

/// The cell of a draw, beyond all cells for the outermost draws, and its distance from the nearer
/// end of the unit interval. A floating-point number begins with its octave and its place therein.
#[inline]
pub(super) fn locate(draw: Draw) -> (usize, f64) {
    let tail = tail(draw.unit());
    let place = (tail.to_bits() >> PLACE_SHIFT).wrapping_sub(OUTERMOST.to_bits() >> PLACE_SHIFT);
    ((place << 1 | draw.bits() >> 63) as usize, tail)
}

/// The distance of `u` from the nearer end of the unit interval. Not `f64::min`, which takes care
/// of NaN and several instructions.
#[inline]
pub(super) fn tail(u: f64) -> f64 {
    let other = 1.0 - u;
    if u < other { u } else { other }
}

/// The distance of the outer edge of the cells at place `place` from their end of the unit
/// interval.
pub(super) fn edge(place: usize) -> f64 {
    f64::from_bits(((OUTERMOST.to_bits() >> PLACE_SHIFT) + place as u64) << PLACE_SHIFT)
}

/// The probabilities at which the quantile function bends or jumps, in rising order.
pub(super) fn kinks(shape: &Shape) -> Vec<f64> {
    let mut corners = Vec::new();
    shape.add_corners(&mut corners);
    let mut kinks: Vec<f64> = corners
        .into_iter()
        .flat_map(|x| [shape.cdf(x, Limit::Below), shape.cdf(x, Limit::UpTo)])
        .collect();
    kinks.sort_by(f64::total_cmp);
    kinks.dedup();
    kinks
}

/// How far the cells reach: a power of 2. Chosen: 1 draw in 4,000 lies further out and is slow.
pub(super) const OUTERMOST: f64 = 1.0 / 8_192.0;
/// Leaves of a floating-point number its octave and 5 bits: 32 cells to the octave. Chosen: a cell
/// with a jump, which is slow, then stands for at most 0.8 % of all draws. Smooth shapes could do
/// with fewer: the parabola is within 4e-7 of an exponential, within 6e-6 of a log-normal with
/// sigma 3.
pub(super) const PLACE_SHIFT: u32 = 52 - 5;
/// 12 octaves on either side: 18 KB, of which half of all draws touch 1.5 KB.
pub(super) const CELLS: usize = 2 * 12 * 32;
/// Chosen a little under the promised 1e-4, as the largest error may lie between the points.
pub(super) const TOLERANCE: f64 = 0.9e-4;
