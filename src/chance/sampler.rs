//! Fast inverse transform: a table of the quantile function.

use super::distribution::Distribution;
use super::empirical::Limit;
use super::shape::Shape;
use crate::units::Draw;

/// Turns draws into variates of one distribution, one draw each, in a few nanoseconds.
///
/// The quantile function stands at 1025 equally spaced probabilities. Within a cell the variate is
/// interpolated where that is within 1e-4 of the true quantile; in the other cells (tails, jumps)
/// the quantile function itself is evaluated. The result never falls as the draw grows, up to the
/// tolerance of [`Distribution::quantile`].
#[derive(Clone, Debug)]
pub struct Sampler(Method);

#[derive(Clone, Debug)]
enum Method {
    Constant(f64),
    Table(Box<Table>),
}

#[derive(Clone, Debug)]
struct Table {
    /// Quantile i / 1024 at place i.
    quantiles: [f64; CELLS + 1],
    /// A bit for each cell, set where interpolation is not good enough.
    exact: [u64; CELLS / 64],
    shape: Shape,
}

impl Sampler {
    /// Compiles a distribution: about 4,000 evaluations of its quantile function.
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
        let quantiles = std::array::from_fn(|place| shape.quantile(place as f64 / WIDTH));
        let mut table = Self { quantiles, exact: [0; CELLS / 64], shape };
        let kinks = kinks(&table.shape);
        for cell in 0..CELLS {
            let (start, end) = (cell as f64 / WIDTH, (cell + 1) as f64 / WIDTH);
            let from = kinks.partition_point(|u| *u <= start);
            let to = kinks.partition_point(|u| *u < end);
            if !table.interpolates(cell, &kinks[from..to]) {
                table.exact[cell / 64] |= 1 << (cell % 64);
            }
        }
        table
    }

    #[inline]
    fn sample(&self, draw: Draw) -> f64 {
        let cell = (draw.bits() >> (64 - CELL_BITS)) as usize;
        if self.exact[cell / 64] >> (cell % 64) & 1 != 0 {
            return self.exact_sample(cell, draw.unit());
        }
        let within = Draw::from_bits(draw.bits() << CELL_BITS).unit();
        let (low, high) = (self.quantiles[cell], self.quantiles[cell + 1]);
        low + (high - low) * within
    }

    #[cold]
    fn exact_sample(&self, cell: usize, u: f64) -> f64 {
        self.shape.quantile_between(u, self.quantiles[cell], self.quantiles[cell + 1])
    }

    /// Whether linear interpolation serves in a cell. `kinks` are the probabilities inside it at
    /// which the quantile function bends or jumps; between them it is smooth, so that three
    /// points of each piece tell its error.
    fn interpolates(&self, cell: usize, kinks: &[f64]) -> bool {
        let (low, high) = (self.quantiles[cell], self.quantiles[cell + 1]);
        if !high.is_finite() {
            return false;
        }
        let start = cell as f64 / WIDTH;
        let serves = |u: f64| {
            let estimate = low + (high - low) * ((u - start) * WIDTH);
            let value = self.exact_sample(cell, u);
            (estimate - value).abs() <= TOLERANCE * value
        };
        let mut piece_start = start;
        let ends = kinks.iter().copied().chain([(cell + 1) as f64 / WIDTH]);
        for piece_end in ends {
            let length = piece_end - piece_start;
            let inner = [0.5, 0.25, 0.75].map(|share| piece_start + share * length);
            if !inner.into_iter().all(serves) || !serves(piece_end) {
                return false;
            }
            piece_start = piece_end;
        }
        true
    }
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

/// Leading bits of a draw that choose the cell. Chosen: 8 KB stay in the first-level cache beside
/// the rest; half as many cells double the share of slow tails.
const CELL_BITS: u32 = 10;
const CELLS: usize = 1 << CELL_BITS;
const WIDTH: f64 = CELLS as f64;
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
            bits.extend((0..1024_u64).flat_map(|cell| [cell << 54, (cell << 54).wrapping_sub(1)]));
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
            let exact: u32 = table.exact.iter().map(|word| word.count_ones()).sum();
            assert!(exact <= 60, "{exact} of {CELLS}");
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
