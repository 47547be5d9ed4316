//! Fast inverse transform: a table of the quantile function.

use std::sync::Arc;

use super::distribution::Distribution;
use super::table::Table;
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
    Table(Arc<Table>),
}

impl Sampler {
    /// Compiles a distribution, or takes what was compiled of it before: runs of one scenario share
    /// their tables.
    pub fn new(distribution: &Distribution) -> Self {
        Self(match distribution.shape().only_value() {
            Some(value) => Method::Constant(value),
            None => Method::Table(distribution.table()),
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

#[cfg(test)]
mod tests {
    use rand_distr::Distribution as _;

    use super::super::table::locate;
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
