//! How many tokens prompts and answers have, and how the two go together.

use std::fmt;

use crate::chance::{Distribution, Sampler};
use crate::math;
use crate::units::{Draw, Tokens, format_significant};

/// The token counts of requests.
#[derive(Clone, PartialEq, Debug)]
pub struct TokenSizes {
    /// Of a prompt; rounded, at least 1.
    pub input: Distribution,
    /// Of a complete answer; rounded, at least 1.
    pub output: Distribution,
    /// How much longer the answers to long prompts are.
    pub rank_correlation: RankCorrelation,
}

impl TokenSizes {
    /// Answers of this length, whatever the prompt's.
    pub const fn independent(input: Distribution, output: Distribution) -> Self {
        Self { input, output, rank_correlation: RankCorrelation::NONE }
    }
}

/// Their means.
impl fmt::Display for TokenSizes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [input, output] =
            [&self.input, &self.output].map(|size| format_significant(size.mean(), 4));
        write!(f, "{input} input and {output} output tokens")
    }
}

/// Spearman's rank correlation, -1 to 1.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct RankCorrelation(f64);

impl RankCorrelation {
    /// None at all.
    pub const NONE: Self = Self(0.0);

    /// `rho`, from -1 (the longest of one kind goes with the shortest of the other) to 1; `None`
    /// outside of it.
    pub fn new(rho: f64) -> Option<Self> {
        (-1.0..=1.0).contains(&rho).then_some(Self(rho))
    }

    /// The number, -1 to 1.
    pub const fn get(self) -> f64 {
        self.0
    }
}

/// Draws the token counts of requests.
pub(super) struct SizeSamplers {
    input: TokenSampler,
    output: TokenSampler,
    copula: Option<Copula>,
}

impl SizeSamplers {
    pub(super) fn new(sizes: &TokenSizes) -> Self {
        let (input, output) = (TokenSampler::new(&sizes.input), TokenSampler::new(&sizes.output));
        let both_vary =
            matches!((&input, &output), (TokenSampler::Drawn(_), TokenSampler::Drawn(_)));
        let copula = Copula::new(sizes.rank_correlation).filter(|_| both_vary);
        Self { input, output, copula }
    }

    /// The tokens of a prompt and of the answer to it, each by the draw that is its own.
    #[inline]
    pub(super) fn sample(
        &self,
        input: impl FnOnce() -> Draw,
        output: impl FnOnce() -> Draw,
    ) -> (Tokens, Tokens) {
        match &self.copula {
            None => (self.input.sample(input), self.output.sample(output)),
            Some(copula) => {
                let input = input();
                let output = copula.joined(input, output());
                (self.input.sample(|| input), self.output.sample(|| output))
            }
        }
    }
}

/// A Gaussian copula: what joins two draws so that either stays uniform, and the normal scores of
/// the two have a correlation r. It gives the ranks Spearman's correlation rho where
/// r = 2 sin(pi rho / 6) (K. Pearson, Drapers' Company Research Memoirs IV, 1907; W. H. Kruskal,
/// J. Am. Stat. Assoc. 53, 1958, 814-861, doi:10.1080/01621459.1958.10501481).
#[derive(Clone, Copy)]
struct Copula {
    common: f64,
    own: f64,
}

impl Copula {
    /// `None` where nothing is to be joined.
    fn new(correlation: RankCorrelation) -> Option<Self> {
        let rho = correlation.get();
        if rho == 0.0 {
            return None;
        }
        // At the ends exact, where the sine is by rounding a little off.
        let r =
            if rho.abs() == 1.0 { rho } else { 2.0 * math::sin(std::f64::consts::PI * rho / 6.0) };
        Some(Self { common: r, own: (1.0 - r * r).max(0.0).sqrt() })
    }

    /// The second draw, as it goes with the first.
    fn joined(self, first: Draw, second: Draw) -> Draw {
        let [first, second] = [first, second].map(|draw| math::normal_quantile(draw.unit()));
        let unit = math::normal_cdf(self.common * first + self.own * second);
        // 2^64 as a double; a product beyond the largest word becomes that.
        Draw::from_bits((unit * 18_446_744_073_709_551_616.0) as u64)
    }
}

/// Token counts of one kind; without a draw where there is but one.
enum TokenSampler {
    Constant(Tokens),
    Drawn(Sampler),
}

impl TokenSampler {
    fn new(distribution: &Distribution) -> Self {
        let smallest = distribution.quantile(0.0);
        if smallest == distribution.quantile(1.0) {
            Self::Constant(whole(smallest))
        } else {
            Self::Drawn(Sampler::new(distribution))
        }
    }

    #[inline]
    fn sample(&self, draw: impl FnOnce() -> Draw) -> Tokens {
        match self {
            Self::Constant(count) => *count,
            Self::Drawn(sampler) => whole(sampler.sample(draw())),
        }
    }
}

/// Rounded, at least 1, at most what a count holds.
#[inline]
fn whole(count: f64) -> Tokens {
    Tokens::new(((count + 0.5) as u32).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::{Chance, Purpose};
    use crate::units::RequestId;

    const COUNT: u64 = 40_000;

    /// Tables so fine that hardly two counts are equal, which would weaken the dependence.
    fn sizes(rho: f64) -> TokenSizes {
        let table = |points: &[(f64, f64)]| Distribution::empirical(points.to_vec()).unwrap();
        TokenSizes {
            input: table(&[(0.0, 1e3), (0.5, 2e5), (0.9, 1e6), (0.99, 9e6), (1.0, 2e7)]),
            output: table(&[(0.0, 5e2), (0.3, 1e5), (0.8, 3e5), (1.0, 8e6)]),
            rank_correlation: RankCorrelation::new(rho).unwrap(),
        }
    }

    fn sampled(sizes: &TokenSizes) -> Vec<(f64, f64)> {
        let samplers = SizeSamplers::new(sizes);
        let chance = Chance::new(31, 0);
        let of = |id| {
            let draws = chance.request(RequestId(id), 0);
            let draw = |purpose| move || draws.draw(purpose, 0);
            let (input, output) =
                samplers.sample(draw(Purpose::InputTokens), draw(Purpose::OutputTokens));
            (f64::from(input.get()), f64::from(output.get()))
        };
        (0..COUNT).map(of).collect()
    }

    fn ranks(values: &[f64]) -> Vec<f64> {
        let mut order: Vec<usize> = (0..values.len()).collect();
        order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
        let mut ranks = vec![0.0; values.len()];
        for (rank, place) in order.into_iter().enumerate() {
            ranks[place] = rank as f64;
        }
        ranks
    }

    /// 1 - 6 sum(d^2) / (n^3 - n), the definition without ties.
    fn spearman(pairs: &[(f64, f64)]) -> f64 {
        let (input, output): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
        let squares: f64 =
            ranks(&input).iter().zip(ranks(&output)).map(|(a, b)| (a - b) * (a - b)).sum();
        let n = pairs.len() as f64;
        1.0 - 6.0 * squares / (n * n * n - n)
    }

    /// The standard error of Spearman's rho is at most 1 / sqrt(n - 1).
    #[test]
    fn sampled_counts_have_the_rank_correlation_that_is_asked_for() {
        let error = 4.0 / (COUNT as f64 - 1.0).sqrt();
        for rho in [-1.0, -0.8, -0.2, 0.0, 0.35, 0.6, 0.95, 1.0] {
            let found = spearman(&sampled(&sizes(rho)));
            assert!((found - rho).abs() < error, "{found} for {rho}");
        }
    }

    /// Kolmogorov-Smirnov: the distance to the table stays under 1.95 / sqrt(n) with probability
    /// 0.999.
    #[test]
    fn a_dependence_changes_neither_of_the_two_distributions() {
        for rho in [-1.0, 0.35, 0.95] {
            let sizes = sizes(rho);
            let (input, output): (Vec<f64>, Vec<f64>) = sampled(&sizes).into_iter().unzip();
            for (mut found, table) in [(input, &sizes.input), (output, &sizes.output)] {
                found.sort_by(f64::total_cmp);
                let n = COUNT as f64;
                // Where the value of each rank lies among the quantiles of a fine grid.
                let distance = (0..=1_000).map(|step| {
                    let u = f64::from(step) / 1_000.0;
                    let below = found.partition_point(|value| *value <= table.quantile(u) + 0.5);
                    (below as f64 / n - u).abs()
                });
                let distance = distance.fold(0.0, f64::max);
                assert!(distance < 1.95 / n.sqrt(), "{distance} with {rho}");
            }
        }
    }

    #[test]
    fn prompts_keep_their_draws_whatever_the_answers_depend_on() {
        let inputs = |rho| sampled(&sizes(rho)).into_iter().map(|(input, _)| input);
        assert!(inputs(0.0).eq(inputs(0.7)));
    }

    #[test]
    fn a_correlation_outside_its_range_is_none() {
        for rho in [-1.01, 1.01, f64::NAN] {
            assert_eq!(RankCorrelation::new(rho), None);
        }
    }
}
