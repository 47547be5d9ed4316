//! Fast inverse transform: a table of the quantile function.

use super::distribution::Distribution;
use super::empirical::Limit;
use super::shape::Shape;
use crate::units::Draw;

/// Turns draws into variates of one distribution, one draw each, in a few nanoseconds.
///
/// The unit interval is cut into cells that halve in width towards both of its ends, as floating-point
/// numbers do: 32 to the octave, so that tails are met as well as the middle. Within a cell the
/// variate lies on a parabola through three points of the quantile function where that is within 1e-4
/// of it; in the other cells (the outermost, jumps) the quantile function itself is evaluated. The
/// result never falls as the draw grows, up to the tolerance of [`Distribution::quantile`].
#[derive(Clone, Debug)]
pub struct Sampler(Method);

#[derive(Clone, Debug)]
enum Method {
    Constant(f64),
    Table(Box<Table>),
}

#[derive(Clone, Debug)]
struct Table {
    /// From the lower end of the unit interval to its middle, then from its upper end.
    cells: Box<[Cell]>,
    shape: Shape,
}

/// A parabola over the cell, from 0 at its outer edge to 1 at its inner one: `start` there, then its
/// coefficients. In a cell where it does not serve, `start` is NaN and the others are the smallest
/// and the largest variate.
#[derive(Clone, Copy, Debug)]
struct Cell {
    start: f64,
    linear: f64,
    square: f64,
}

impl Sampler {
    /// Compiles a distribution: some 4,000 evaluations of its quantile function.
    pub fn new(distribution: &Distribution) -> Self {
        Self(match distribution.shape().only_value() {
            Some(value) => Method::Constant(value),
            None => Method::Table(Box::new(Table::new(distribution.shape().clone()))),
        })
    }

    /// The variate of this draw: the quantile at [`Draw::unit`], within 1e-4 relative.
    #[inline]
    pub fn sample(&self, draw: Draw) -> f64 {
        match &self.0 {
            Method::Constant(value) => *value,
            Method::Table(table) => table.sample(draw),
        }
    }
}

impl Table {
    fn new(shape: Shape) -> Self {
        let kinks = kinks(&shape);
        let edges: Vec<f64> = (0..=SIDE).map(edge).collect();
        let mut cells = Vec::with_capacity(2 * SIDE);
        for is_upper in [false, true] {
            let unit = |tail: f64| if is_upper { 1.0 - tail } else { tail };
            let mut outer = shape.quantile(unit(0.0));
            for pair in edges.windows(2) {
                let inner = shape.quantile(unit(pair[1]));
                let span = Span { outer: unit(pair[0]), inner: unit(pair[1]) };
                cells.push(Cell::new(&shape, &kinks, span, [outer, inner]));
                outer = inner;
            }
        }
        Self { cells: cells.into(), shape }
    }

    #[inline]
    fn sample(&self, draw: Draw) -> f64 {
        let (cell, within) = locate(draw);
        let cell = &self.cells[cell];
        if cell.start.is_nan() {
            return self.exact_sample(cell, draw.unit());
        }
        cell.start + within * (cell.linear + within * cell.square)
    }

    #[cold]
    fn exact_sample(&self, cell: &Cell, u: f64) -> f64 {
        self.shape.quantile_between(u, cell.linear, cell.square)
    }
}

/// The edges of a cell, the outer one nearer to an end of the unit interval.
#[derive(Clone, Copy)]
struct Span {
    outer: f64,
    inner: f64,
}

impl Span {
    fn at(self, within: f64) -> f64 {
        self.outer + (self.inner - self.outer) * within
    }
}

impl Cell {
    /// The cell of `span`, at whose edges the quantile function is `outer` and `inner`.
    fn new(shape: &Shape, kinks: &[f64], span: Span, [outer, inner]: [f64; 2]) -> Self {
        let (low, high) = (outer.min(inner), outer.max(inner));
        let middle = shape.quantile_between(span.at(0.5), low, high);
        let square = 2.0 * (outer - 2.0 * middle + inner);
        let parabola = Self { start: outer, linear: inner - outer - square, square };
        if parabola.serves(shape, kinks, span, [low, high]) {
            parabola
        } else {
            Self { start: f64::NAN, linear: low, square: high }
        }
    }

    fn at(&self, within: f64) -> f64 {
        self.start + within * (self.linear + within * self.square)
    }

    /// Whether the parabola goes one way only and is close enough. Between the probabilities at which
    /// the quantile function bends or jumps it is smooth, so that a few points of each piece tell
    /// the error.
    fn serves(&self, shape: &Shape, kinks: &[f64], span: Span, [low, high]: [f64; 2]) -> bool {
        let (first_slope, last_slope) = (self.linear, self.linear + 2.0 * self.square);
        if !high.is_finite() || first_slope * last_slope < 0.0 {
            return false;
        }
        let close = |within: f64| {
            let value = shape.quantile_between(span.at(within), low, high);
            (self.at(within) - value).abs() <= TOLERANCE * value
        };
        let (start, end) = (span.outer.min(span.inner), span.outer.max(span.inner));
        let from = kinks.partition_point(|u| *u <= start);
        let to = kinks.partition_point(|u| *u < end);
        if from == to {
            return close(0.25) && close(0.75);
        }
        let mut piece_start = start;
        kinks[from..to].iter().copied().chain([end]).all(|piece_end| {
            let length = piece_end - piece_start;
            let points = [0.25, 0.5, 0.75, 1.0].map(|share| piece_start + share * length);
            piece_start = piece_end;
            let within = |u: f64| (u - span.outer) / (span.inner - span.outer);
            points.into_iter().all(|u| close(within(u)))
        })
    }
}

/// The cell of a draw, and how far inside it the draw lies, counted from its outer edge.
#[inline]
fn locate(draw: Draw) -> (usize, f64) {
    let bits = draw.bits();
    let is_upper = bits >> 63;
    // The distance from the nearer end, below 2^63.
    let tail = bits ^ is_upper.wrapping_neg();
    let shift = 63 - CELL_BITS - (tail | 1 << LOWEST_OCTAVE).leading_zeros();
    let octave = shift + CELL_BITS - LOWEST_OCTAVE;
    let cell = (octave << CELL_BITS) as usize + (tail >> shift) as usize;
    (cell + is_upper as usize * SIDE, Draw::from_bits(tail << (64 - shift)).unit())
}

/// The distance of the outer edge of cell `cell` from its end of the unit interval.
fn edge(cell: usize) -> f64 {
    let octave = (cell >> CELL_BITS).saturating_sub(1);
    let leading = (cell - (octave << CELL_BITS)) as u64;
    (leading << (octave as u32 + LOWEST_OCTAVE - CELL_BITS)) as f64 / TWO_TO_64
}

/// The probabilities at which the quantile function bends or jumps, in rising order.
fn kinks(shape: &Shape) -> Vec<f64> {
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

/// A cell is an octave's 32nd part. Chosen: for an exponential the parabola is then 10 times closer
/// than it must be, and a cell with a jump, which is slow, stands for at most 0.8 % of all draws.
const CELL_BITS: u32 = 5;
/// The place of the leading bit in the outermost octave; from there the cells keep their width to the
/// end. Chosen: 1 draw in 4,000 lies there, some of which are slow.
const LOWEST_OCTAVE: u32 = 51;
/// The cells of one side: those of the octaves up to bit 62, and the outermost 32.
const SIDE: usize = (64 - LOWEST_OCTAVE as usize) << CELL_BITS;
/// Chosen a little under the promised 1e-4, as the largest error may lie between the points.
const TOLERANCE: f64 = 0.9e-4;
const TWO_TO_64: f64 = 18_446_744_073_709_551_616.0;

#[cfg(test)]
mod tests {
    use rand_distr::Distribution as _;

    use super::*;
    use crate::chance::{Chance, Purpose};
    use crate::math;
    use crate::units::RequestId;

    fn draws(count: u64) -> impl Iterator<Item = Draw> {
        let chance = Chance::new(2_024, 0);
        (0..count).map(move |id| chance.request(RequestId(id), 0).draw(Purpose::Latency, 0))
    }

    fn all() -> Vec<Distribution> {
        let bimodal = vec![
            (9.0, Distribution::lognormal_median_sigma(100.0, 0.5).unwrap()),
            (1.0, Distribution::constant(3_000.0).unwrap()),
        ];
        let gap = vec![
            (3.0, Distribution::uniform(1.0, 2.0).unwrap()),
            (1.01, Distribution::uniform(1_000.0, 2_000.0).unwrap()),
        ];
        let table = vec![(0.0, 5.0), (0.3001, 10.0), (0.3002, 100.0), (0.9, 101.0), (1.0, 9e5)];
        vec![
            Distribution::uniform(20.0, 30.0).unwrap(),
            Distribution::uniform(0.0, 1.0).unwrap(),
            Distribution::exponential(120.0).unwrap(),
            Distribution::lognormal_mean_p99(1_247.0, 2_156.0).unwrap(),
            Distribution::lognormal_median_sigma(10.0, 2.0).unwrap(),
            Distribution::empirical(table).unwrap(),
            Distribution::mixture(bimodal).unwrap(),
            Distribution::mixture(gap).unwrap(),
        ]
    }

    #[test]
    fn samples_lie_within_the_error_bound_of_the_quantile() {
        for distribution in all() {
            let sampler = Sampler::new(&distribution);
            for draw in draws(50_000) {
                let (sample, exact) = (sampler.sample(draw), distribution.quantile(draw.unit()));
                assert!(
                    (sample - exact).abs() <= 1e-4 * exact,
                    "{sample} {exact} {distribution:?}"
                );
            }
        }
    }

    #[test]
    fn samples_never_fall_as_the_draw_grows() {
        for distribution in all() {
            let sampler = Sampler::new(&distribution);
            let mut bits: Vec<u64> = draws(20_000).map(Draw::bits).collect();
            let edges = (46..58).flat_map(|shift| (0..64_u64).map(move |leading| leading << shift));
            bits.extend(
                edges.flat_map(|edge| [edge, edge.wrapping_sub(1), !edge, edge.wrapping_neg()]),
            );
            bits.sort_unstable();
            let samples: Vec<f64> =
                bits.iter().map(|bits| sampler.sample(Draw::from_bits(*bits))).collect();
            for pair in samples.windows(2) {
                assert!(pair[0] <= pair[1] * (1.0 + 1e-12), "{pair:?} {distribution:?}");
            }
        }
    }

    #[test]
    fn most_draws_of_common_distributions_are_interpolated() {
        for distribution in [
            Distribution::lognormal_mean_p99(1_247.0, 2_156.0).unwrap(),
            Distribution::exponential(120.0).unwrap(),
        ] {
            let Method::Table(table) = Sampler::new(&distribution).0 else { panic!("no constant") };
            let exact = draws(100_000).filter(|draw| table.cells[locate(*draw).0].start.is_nan());
            let exact = exact.count();
            assert!(exact <= 25, "{exact} of 100000");
        }
    }

    #[test]
    fn a_million_samples_have_the_analytic_mean_and_p99() {
        // Standard error of the mean: sd / 1000; of the p99: sqrt(0.01 * 0.99) / (1000 density).
        let z = math::normal_quantile(0.99);
        let (mean, p99, sigma) = (1_247.0, 2_156.0, 0.2486);
        let density = math::exp(-0.5 * z * z) / (2.506_628_274_631 * sigma * p99);
        let lognormal = Distribution::lognormal_mean_p99(mean, p99).unwrap();
        let sd = mean * math::exp_m1(sigma * sigma).sqrt();
        assert_mean_and_p99(&lognormal, (mean, sd), (p99, density));
        let p99 = 120.0 * math::ln(100.0);
        let exponential = Distribution::exponential(120.0).unwrap();
        assert_mean_and_p99(&exponential, (120.0, 120.0), (p99, 0.01 / 120.0));
    }

    fn assert_mean_and_p99(
        distribution: &Distribution,
        (mean, sd): (f64, f64),
        (p99, density): (f64, f64),
    ) {
        let sampler = Sampler::new(distribution);
        let mut samples: Vec<f64> = draws(1_000_000).map(|draw| sampler.sample(draw)).collect();
        let found = samples.iter().sum::<f64>() / 1e6;
        assert!((found - mean).abs() < 4.0 * sd / 1e3, "mean {found} against {mean}");
        let (_, found, _) = samples.select_nth_unstable_by(989_999, f64::total_cmp);
        let error = 0.0995 / (1e3 * density);
        assert!((*found - p99).abs() < 4.0 * error, "p99 {found} against {p99}");
    }

    #[test]
    fn samples_have_the_distribution_of_rand_distr() {
        let mut rng = Chance::new(1, 1).request(RequestId(0), 0).rng(Purpose::Gap);
        let lognormal = rand_distr::LogNormal::new(math::ln(80.0), 0.9).unwrap();
        let ours = Distribution::lognormal_median_sigma(80.0, 0.9).unwrap();
        assert_same(&ours, (0..200_000).map(|_| lognormal.sample(&mut rng)).collect());
        let exponential = rand_distr::Exp::new(1.0 / 7.0).unwrap();
        let ours = Distribution::exponential(7.0).unwrap();
        assert_same(&ours, (0..200_000).map(|_| exponential.sample(&mut rng)).collect());
        let uniform = rand_distr::Uniform::new(3.0, 11.0).unwrap();
        let ours = Distribution::uniform(3.0, 11.0).unwrap();
        assert_same(&ours, (0..200_000).map(|_| uniform.sample(&mut rng)).collect());
    }

    /// The two-sample Kolmogorov-Smirnov distance of 200,000 and 200,000 values stays under
    /// 1.95 sqrt(2 / n) with probability 0.999.
    fn assert_same(ours: &Distribution, mut theirs: Vec<f64>) {
        let sampler = Sampler::new(ours);
        let mut samples: Vec<f64> = draws(200_000).map(|draw| sampler.sample(draw)).collect();
        samples.sort_by(f64::total_cmp);
        theirs.sort_by(f64::total_cmp);
        let rank = |values: &[f64], x: f64| values.partition_point(|value| *value <= x) as f64;
        let distance = samples
            .iter()
            .map(|x| (rank(&samples, *x) - rank(&theirs, *x)).abs() / 2e5)
            .fold(0.0, f64::max);
        assert!(distance < 1.95 * (2.0_f64 / 2e5).sqrt(), "{distance}");
    }
}
