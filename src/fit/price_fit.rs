//! What tokens cost.

use super::observed::Answer;

/// Dollars for 1,000 tokens.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct PriceFit {
    /// Of a prompt.
    pub input: f64,
    /// Of an answer.
    pub output: f64,
}

impl PriceFit {
    /// The prices that explain the recorded costs: least squares without an intercept, where that
    /// leaves over at most 1 % of their squares. `None` where no cost is recorded, or tokens do not
    /// explain it.
    pub(super) fn of(answers: &[Answer]) -> Option<Self> {
        let row = |answer: &Answer| Some((answer.input?, answer.output?, answer.cost?));
        let rows: Vec<(f64, f64, f64)> = answers.iter().filter_map(row).collect();
        if rows.len() < LEAST_ROWS {
            return None;
        }
        let sum = |of: fn(&(f64, f64, f64)) -> f64| rows.iter().map(of).sum::<f64>();
        let (inputs, outputs) = (sum(|(i, ..)| i * i), sum(|(_, o, _)| o * o));
        let mixed = sum(|(i, o, _)| i * o);
        let (by_input, by_output) = (sum(|(i, _, c)| i * c), sum(|(_, o, c)| o * c));
        let determinant = inputs * outputs - mixed * mixed;
        if determinant <= 1e-9 * inputs * outputs {
            return None;
        }
        let input = (by_input * outputs - by_output * mixed) / determinant;
        let output = (by_output * inputs - by_input * mixed) / determinant;
        let left = rows.iter().map(|(i, o, c)| c - input * i - output * o);
        let left: f64 = left.map(|left| left * left).sum();
        let explains = left <= MOST_LEFT * sum(|(.., c)| c * c);
        let rounding = -1e-12;
        (explains && input >= rounding && output >= rounding)
            .then(|| Self { input: 1_000.0 * input.max(0.0), output: 1_000.0 * output.max(0.0) })
    }
}

/// Chosen: fewer tell no price.
const LEAST_ROWS: usize = 10;
/// Of the squares of the costs.
const MOST_LEFT: f64 = 0.01;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_found_again() {
        let answer = |n: u32| {
            let (input, output) = (f64::from(100 + n % 7 * 31), f64::from(20 + n % 11 * 17));
            let cost = Some(0.003 * input / 1_000.0 + 0.015 * output / 1_000.0);
            let (input, output) = (Some(input), Some(output));
            Answer { input, output, first_token: None, duration: None, cost }
        };
        let answers: Vec<Answer> = (0..100).map(answer).collect();
        let price = PriceFit::of(&answers).unwrap();
        assert!((price.input - 0.003).abs() < 1e-12 && (price.output - 0.015).abs() < 1e-12);
        let strange: Vec<Answer> =
            (0..100).map(|n| Answer { cost: Some(f64::from(n * n % 13)), ..answer(n) }).collect();
        assert_eq!(PriceFit::of(&strange), None);
    }
}
