//! Fast inverse transform: a table of the quantile function.

use super::distribution::Distribution;
use super::empirical::Limit;
use super::shape::Shape;
use crate::units::Draw;

/// Turns draws into variates of one distribution, one draw each, in a few nanoseconds.
///
/// The unit interval is cut into cells that halve in width towards both of its ends, as
/// floating-point numbers do: 32 to the octave, so that tails are met as well as the middle. Within
/// a cell the variate lies on a parabola through three points of the quantile function where that
/// is within 1e-4 of it; in the other cells (jumps) and beyond the outermost the quantile function
/// itself is evaluated. The result never falls as the draw grows, up to the tolerance of
/// [`Distribution::quantile`].
#[derive(Clone, Debug)]
pub struct Sampler(Method);

#[derive(Clone, Debug)]
enum Method {
    Constant(f64),
    Table(Box<Table>),
}

#[derive(Clone, Debug)]
struct Table {
    /// From the outermost to the middle, the two sides of the unit interval in turn.
    cells: Box<[Cell]>,
    shape: Shape,
}

/// The coefficients of a parabola in the distance from the nearer end of the unit interval. In a
/// cell where it does not serve, `constant` is NaN and the others are the smallest and the largest
/// variate.
#[derive(Clone, Copy, Debug)]
struct Cell {
    constant: f64,
    linear: f64,
    square: f64,
}

impl Sampler {
    /// Compiles a distribution: some 3,000 evaluations of its quantile function.
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
    fn sample(&self, draw: Draw) -> f64 {
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
fn locate(draw: Draw) -> (usize, f64) {
    let tail = tail(draw.unit());
    let place = (tail.to_bits() >> PLACE_SHIFT).wrapping_sub(OUTERMOST.to_bits() >> PLACE_SHIFT);
    ((place << 1 | draw.bits() >> 63) as usize, tail)
}

/// The distance of `u` from the nearer end of the unit interval. Not `f64::min`, which takes care
/// of NaN and several instructions.
#[inline]
fn tail(u: f64) -> f64 {
    let other = 1.0 - u;
    if u < other { u } else { other }
}

/// The distance of the outer edge of the cells at place `place` from their end of the unit
/// interval.
fn edge(place: usize) -> f64 {
    f64::from_bits(((OUTERMOST.to_bits() >> PLACE_SHIFT) + place as u64) << PLACE_SHIFT)
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

/// How far the cells reach: a power of 2. Chosen: 1 draw in 4,000 lies further out and is slow.
const OUTERMOST: f64 = 1.0 / 8_192.0;
/// Leaves of a floating-point number its octave and 5 bits: 32 cells to the octave. Chosen: a cell
/// with a jump, which is slow, then stands for at most 0.8 % of all draws. Smooth shapes could do
/// with fewer: the parabola is within 4e-7 of an exponential, within 6e-6 of a log-normal with
/// sigma 3.
const PLACE_SHIFT: u32 = 52 - 5;
/// 12 octaves on either side: 18 KB, of which half of all draws touch 1.5 KB.
const CELLS: usize = 2 * 12 * 32;
/// Chosen a little under the promised 1e-4, as the largest error may lie between the points.
const TOLERANCE: f64 = 0.9e-4;

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
            Distribution::mixture(gap.clone()).unwrap(),
            Distribution::normal_mean_sd(100.0, 40.0).unwrap(),
            Distribution::gamma_mean_cv(80.0, 0.4).unwrap(),
            Distribution::gamma_mean_cv(80.0, 2.0).unwrap(),
            Distribution::weibull_mean_shape(80.0, 0.6).unwrap(),
            Distribution::pareto_mean_shape(80.0, 1.4).unwrap(),
            Distribution::exponential(120.0).unwrap().shifted(30.0).unwrap(),
            Distribution::exponential(120.0).unwrap().clamped(20.0, Some(400.0)).unwrap(),
            Distribution::mixture(gap).unwrap().shifted(5.0).unwrap().clamped(7.0, None).unwrap(),
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
            let cell = |draw| table.cells.get(locate(draw).0);
            let slow = |draw: &Draw| cell(*draw).is_none_or(|cell| cell.constant.is_nan());
            let slow = draws(100_000).filter(slow).count();
            assert!(slow <= 60, "{slow} of 100000");
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
        let gamma = rand_distr::Gamma::new(0.25, 400.0).unwrap();
        let ours = Distribution::gamma_mean_cv(100.0, 2.0).unwrap();
        assert_same(&ours, (0..200_000).map(|_| gamma.sample(&mut rng)).collect());
        let weibull = rand_distr::Weibull::new(100.0, 0.7).unwrap();
        let ours = Distribution::weibull_scale_shape(100.0, 0.7).unwrap();
        assert_same(&ours, (0..200_000).map(|_| weibull.sample(&mut rng)).collect());
        let pareto = rand_distr::Pareto::new(100.0, 1.5).unwrap();
        let ours = Distribution::pareto_min_shape(100.0, 1.5).unwrap();
        assert_same(&ours, (0..200_000).map(|_| pareto.sample(&mut rng)).collect());
        let normal = rand_distr::Normal::new(100.0, 80.0).unwrap();
        let cut = std::iter::repeat_with(|| normal.sample(&mut rng)).filter(|x| *x >= 0.0);
        let ours = Distribution::normal_mean_sd(100.0, 80.0).unwrap();
        assert_same(&ours, cut.take(200_000).collect());
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
