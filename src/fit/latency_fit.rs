//! How long a version takes to answer, and what of it its tokens explain.

use super::least_squares::LinearModel;
use super::observed::Answer;
use super::quantile_table::{QuantileTable, quantile};
use crate::units::Duration;

/// How long answers take, in seconds.
#[derive(Clone, PartialEq, Debug)]
pub enum LatencyFit {
    /// Nobody recorded it.
    Unknown,
    /// Nobody recorded it, and this was given in its place.
    Given(Duration),
    /// As a whole: tokens do not explain it.
    Total {
        /// Time to the complete answer.
        total: QuantileTable,
        /// The share of it until the first token, where that was recorded.
        first_token: Option<f64>,
        /// The share of the variance that tokens explain, where they are known.
        explained: Option<f64>,
    },
    /// By its parts.
    Parts(Box<LatencyPartsFit>),
}

/// The parts of a latency, in seconds.
#[derive(Clone, PartialEq, Debug)]
pub struct LatencyPartsFit {
    /// To the first token, of an empty prompt.
    pub first_token: QuantileTable,
    /// For each token of the prompt; 0 where it explains nothing.
    pub per_input_token: f64,
    /// For each token of the answer after the first.
    pub per_output_token: QuantileTable,
    /// The share of the variance of the whole latency that tokens explain.
    pub explained: f64,
    /// The longest that an answer took.
    pub at_most: f64,
    /// The share of answers of which the time to the first token was recorded: it is theirs. 0
    /// where there are none: it is what tokens leave over.
    pub first_tokens: f64,
}

impl LatencyFit {
    /// The latency of complete answers, of which the longest took so many seconds.
    pub(super) fn of(answers: &[Answer], longest: f64) -> Self {
        let timed = answers.iter().filter_map(|answer| answer.duration);
        let Some(total) = table(timed.collect()) else { return Self::Unknown };
        let rows: Vec<Row> = answers.iter().filter_map(Row::of).collect();
        let explained = explained(&rows);
        if explained.is_some_and(|of| of.p_value < SIGNIFICANT && of.share >= LEAST_EXPLAINED) {
            let share = explained.map_or(0.0, |of| of.share);
            let parts = parts_with_first_token(&rows, share).or_else(|| parts(&rows, share));
            if let Some(parts) = parts {
                return Self::Parts(Box::new(LatencyPartsFit { at_most: longest, ..parts }));
            }
        }
        let shares =
            answers.iter().filter_map(|answer| Some(answer.first_token? / answer.duration?));
        let first_token = table(shares.filter(|share| share.is_finite()).collect())
            .and_then(|shares| Some(shares.distribution().ok()?.quantile(0.5)));
        Self::Total { total, first_token, explained: explained.map(|of| of.share) }
    }
}

/// An answer of which everything is known that its latency could depend on.
#[derive(Clone, Copy)]
struct Row {
    input: f64,
    /// Tokens after the first.
    further: f64,
    first_token: Option<f64>,
    duration: f64,
}

impl Row {
    fn of(answer: &Answer) -> Option<Self> {
        let output = answer.output.filter(|output| *output >= 1.0)?;
        Some(Self {
            input: answer.input?,
            further: output - 1.0,
            first_token: answer.first_token,
            duration: answer.duration?,
        })
    }
}

/// What tokens explain of the whole latency.
#[derive(Clone, Copy)]
struct Explained {
    share: f64,
    p_value: f64,
}

fn explained(rows: &[Row]) -> Option<Explained> {
    let none = LinearModel::mean_of(rows.iter().map(|row| row.duration))?;
    let both = whole_model(rows)?;
    Some(Explained { share: both.explained, p_value: both.p_value_against(&none) })
}

/// By further tokens and tokens of the prompt, or by the former alone where the latter say nothing
/// more or less than nothing.
fn whole_model(rows: &[Row]) -> Option<LinearModel> {
    model(rows, |row| row.duration)
}

/// `value` by further tokens and tokens of the prompt; the latter are left out where a partial F
/// test at 1 % finds nothing in them, or where more of them would make for less time.
fn model(rows: &[Row], value: impl Fn(&Row) -> f64) -> Option<LinearModel> {
    let both: Vec<_> = rows.iter().map(|row| ([row.further, row.input], value(row))).collect();
    let one: Vec<_> = rows.iter().map(|row| ([row.further], value(row))).collect();
    let (both, one) = (LinearModel::fit(&both), LinearModel::fit(&one));
    match (both, one) {
        (Some(both), Some(one)) => {
            let counts = both.slopes[1] > 0.0 && both.p_value_against(&one) < SIGNIFICANT;
            Some(if counts { both } else { one })
        }
        (both, one) => one.or(both),
    }
}

/// Where the first token was recorded, if only of some: its time is theirs, as it was observed. The
/// time for each further token is that of all answers, less the first token: the own one, or the
/// mean that others had after as long a prompt.
fn parts_with_first_token(rows: &[Row], explained: f64) -> Option<LatencyPartsFit> {
    let timed: Vec<(Row, f64)> =
        rows.iter().filter_map(|row| Some((*row, row.first_token?))).collect();
    if timed.is_empty() {
        return None;
    }
    let per_input_token = first_by_input(&timed);
    let first = timed.iter().map(|(row, first)| first - per_input_token * row.input);
    let mut first = shifted_up(first.collect());
    let mean_first = first.iter().sum::<f64>() / first.len() as f64;
    if first.len() < FEW {
        first.sort_by(f64::total_cmp);
        first = vec![quantile(&first, 0.5)];
    }
    let first_token = table(first)?;
    let expected = |row: &Row| mean_first + per_input_token * row.input;
    // An answer counts for as much as it has tokens: then the mean time of all tokens is kept.
    let speeds = rows.iter().filter(|row| row.further > 0.0).map(|row| {
        let rest = row.duration - row.first_token.unwrap_or_else(|| expected(row));
        ((rest / row.further).max(0.0), row.further)
    });
    let per_output_token = QuantileTable::weighted(speeds.collect())?;
    Some(LatencyPartsFit {
        first_token,
        per_input_token,
        per_output_token,
        explained,
        at_most: f64::INFINITY,
        first_tokens: timed.len() as f64 / rows.len() as f64,
    })
}

/// What each token of the prompt adds to the first token's time; 0 where it explains nothing of it.
fn first_by_input(timed: &[(Row, f64)]) -> f64 {
    let by_input: Vec<_> = timed.iter().map(|(row, first)| ([row.input], *first)).collect();
    let mean = LinearModel::mean_of(timed.iter().map(|(_, first)| *first));
    let (Some(line), Some(mean)) = (LinearModel::fit(&by_input), mean) else { return 0.0 };
    let counts = timed.len() >= FEW
        && line.slopes[0] > 0.0
        && line.explained >= LEAST_EXPLAINED
        && line.p_value_against(&mean) < SIGNIFICANT;
    if counts { line.slopes[0] } else { 0.0 }
}

/// Where only the whole was recorded: by least squares, and what is left over as the time to the
/// first token. Where answers scatter the more the longer they are, each has a speed of its own.
fn parts(rows: &[Row], explained: f64) -> Option<LatencyPartsFit> {
    let model = whole_model(rows)?;
    let per_output = model.slopes[0].max(0.0);
    let per_input_token = model.slopes.get(1).map_or(0.0, |slope| slope.max(0.0));
    let left = |row: &Row| row.duration - per_output * row.further - per_input_token * row.input;
    let apart: Vec<_> =
        rows.iter().map(|row| ([row.further], (left(row) - model.intercept).abs())).collect();
    let widens = LinearModel::fit(&apart)
        .is_some_and(|line| line.slopes[0] > 0.0 && line.explained >= WIDENS);
    if widens {
        let first = model.intercept.max(0.0);
        let rest = rows.iter().filter(|row| row.further > 0.0).map(|row| {
            let spent = row.duration - first - per_input_token * row.input;
            ((spent / row.further).max(0.0), row.further)
        });
        return Some(LatencyPartsFit {
            first_token: table(vec![first])?,
            per_input_token,
            per_output_token: QuantileTable::weighted(rest.collect())?,
            explained,
            at_most: f64::INFINITY,
            first_tokens: 0.0,
        });
    }
    Some(LatencyPartsFit {
        first_token: table(shifted_up(rows.iter().map(left).collect()))?,
        per_input_token,
        per_output_token: table(vec![per_output])?,
        explained,
        at_most: f64::INFINITY,
        first_tokens: 0.0,
    })
}

/// No time is less than none: what is, is raised to it, and the others lowered by as much in all,
/// so that the mean stays.
fn shifted_up(mut values: Vec<f64>) -> Vec<f64> {
    let sum: f64 = values.iter().sum();
    values.iter_mut().for_each(|value| *value = value.max(0.0));
    let raised: f64 = values.iter().sum();
    if raised > 0.0 && sum > 0.0 {
        values.iter_mut().for_each(|value| *value *= sum / raised);
    }
    values
}

fn table(mut values: Vec<f64>) -> Option<QuantileTable> {
    values.sort_by(f64::total_cmp);
    QuantileTable::of(&values)
}

/// The level of the F tests.
const SIGNIFICANT: f64 = 0.01;
/// Chosen: what explains less is not worth a parameter.
const LEAST_EXPLAINED: f64 = 0.1;
/// Chosen: fewer first tokens tell a median and no distribution.
const FEW: usize = 20;
/// Chosen: how much of the scatter the length explains where each answer has its own speed; where
/// all share one it is 0.
const WIDENS: f64 = 0.02;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::{Chance, Purpose};
    use crate::units::RequestId;

    /// Answers of 50 to 450 tokens to prompts of 100 to 2,100; `time` has the two and three
    /// uniform draws, and says when the first token came and the last.
    fn answers(time: impl Fn(f64, f64, [f64; 3]) -> (Option<f64>, f64)) -> Vec<Answer> {
        let chance = Chance::new(8, 0);
        let answer = |id| {
            let draws = chance.request(RequestId(id), 0);
            let unit = |n| draws.draw(Purpose::Latency, n).unit();
            let (input, output) =
                ((100.0 + 2_000.0 * unit(0)).floor(), (50.0 + 400.0 * unit(1)).floor());
            let (first_token, duration) = time(input, output, [2, 3, 4].map(unit));
            let duration = Some(duration);
            Answer { input: Some(input), output: Some(output), first_token, duration, cost: None }
        };
        (0..5_000).map(answer).collect()
    }

    fn fit(answers: &[Answer]) -> LatencyFit {
        let longest = answers.iter().filter_map(|answer| answer.duration).fold(0.0, f64::max);
        LatencyFit::of(answers, longest)
    }

    fn parts_of(fit: LatencyFit) -> LatencyPartsFit {
        match fit {
            LatencyFit::Parts(parts) => *parts,
            other => panic!("not by parts: {other:?}"),
        }
    }

    fn close(found: f64, meant: f64, share: f64) {
        assert!((found / meant - 1.0).abs() <= share, "{found} for {meant}");
    }

    #[test]
    fn first_tokens_and_speeds_are_found_again() {
        let found = fit(&answers(|input, output, [a, b, _]| {
            let first = 0.2 + 0.2 * a + 1e-4 * input;
            (Some(first), first + (output - 1.0) * (0.01 + 0.02 * b))
        }));
        let parts = parts_of(found);
        close(parts.per_input_token, 1e-4, 0.05);
        close(parts.first_token.mean(), 0.3, 0.02);
        close(parts.per_output_token.mean(), 0.02, 0.01);
        let speed = parts.per_output_token.distribution().unwrap();
        close(speed.quantile(0.9), 0.028, 0.02);
    }

    /// Every fourth answer is streamed: its first token comes after 0.2 to 0.4 s and 0.1 ms for each
    /// token of the prompt, as nobody saw it come of the others. Of 1,250 the mean of 0.3 s has a
    /// standard error of 0.6 %, the quantile at 90 % of 0.38 s one of 0.4 %.
    #[test]
    fn first_tokens_of_some_answers_are_those_of_all() {
        let mut all = answers(|input, output, [a, b, _]| {
            let first = 0.2 + 0.2 * a + 1e-4 * input;
            (Some(first), first + (output - 1.0) * (0.01 + 0.02 * b))
        });
        for (number, answer) in all.iter_mut().enumerate() {
            answer.first_token = answer.first_token.filter(|_| number % 4 == 0);
        }
        let parts = parts_of(fit(&all));
        assert_eq!(parts.first_tokens, 0.25);
        close(parts.per_input_token, 1e-4, 0.1);
        close(parts.first_token.mean(), 0.3, 0.04);
        close(parts.first_token.distribution().unwrap().quantile(0.9), 0.38, 0.04);
        close(parts.per_output_token.mean(), 0.02, 0.01);
        close(parts.per_output_token.distribution().unwrap().quantile(0.9), 0.028, 0.03);
    }

    /// Three of 5,000, after 0.3, 0.5 and 0.4 s, where the others had 1 s: too few for a table. What
    /// is left of each answer are its 0.02 s a token and, of the others, 0.6 s more.
    #[test]
    fn of_few_first_tokens_the_median_is_taken() {
        let mut all = answers(|_, output, _| (None, 1.0 + (output - 1.0) * 0.02));
        for (answer, first) in all.iter_mut().zip([0.3, 0.5, 0.4]) {
            answer.first_token = Some(first);
            answer.duration = answer.duration.map(|duration| duration - 1.0 + first);
        }
        let parts = parts_of(fit(&all));
        assert_eq!((parts.first_token.only_value(), parts.per_input_token), (Some(0.4), 0.0));
        let further = |answer: &Answer| answer.output.unwrap() - 1.0;
        let tokens: f64 = all.iter().map(further).sum();
        let mean = 0.02 + 0.6 * (all.len() - 3) as f64 / tokens;
        close(parts.per_output_token.mean(), mean, 0.005);
    }

    /// The longest is that of all answers, and they are a sample.
    #[test]
    fn no_answer_takes_longer_than_the_longest() {
        let all = answers(|_, output, [a, ..]| (None, 0.3 + (0.01 + 0.02 * a) * (output - 1.0)));
        let LatencyFit::Parts(parts) = LatencyFit::of(&all, 17.5) else { panic!("not by parts") };
        assert_eq!(parts.at_most, 17.5);
    }

    /// The slopes' standard errors are below 1 % of them.
    #[test]
    fn of_the_whole_alone_slopes_and_rest_are_found_again() {
        let parts = parts_of(fit(&answers(|input, output, [a, ..]| {
            (None, 0.3 + 0.5 * a + 2e-4 * input + 0.01 * (output - 1.0))
        })));
        close(parts.per_input_token, 2e-4, 0.05);
        close(parts.per_output_token.mean(), 0.01, 0.01);
        close(parts.first_token.mean(), 0.55, 0.02);
        assert_eq!(parts.first_tokens, 0.0);
    }

    #[test]
    fn answers_of_different_speeds_keep_them() {
        let parts = parts_of(fit(&answers(|_, output, [a, ..]| {
            (None, 0.3 + (0.01 + 0.02 * a) * (output - 1.0))
        })));
        close(parts.per_output_token.mean(), 0.02, 0.02);
        let speed = parts.per_output_token.distribution().unwrap();
        close(speed.quantile(0.1), 0.012, 0.08);
        close(speed.quantile(0.9), 0.028, 0.05);
    }

    #[test]
    fn what_tokens_do_not_explain_stays_a_whole() {
        let found = fit(&answers(|_, _, [a, b, _]| {
            let total = 1.0 + a;
            (Some(total * (0.15 + 0.1 * b)), total)
        }));
        let LatencyFit::Total { total, first_token, explained } = found else {
            panic!("{found:?}")
        };
        close(total.mean(), 1.5, 0.02);
        close(first_token.unwrap(), 0.2, 0.02);
        assert!(explained.unwrap() < 0.01);
    }

    /// 3,000 equal answers to equal prompts: there is nothing to explain, nor to explain it by.
    #[test]
    fn answers_that_are_all_alike_are_one_value() {
        let answer = Answer {
            input: Some(317.0),
            output: Some(41.0),
            first_token: None,
            duration: Some(0.1),
            cost: None,
        };
        let answers: Vec<Answer> = std::iter::repeat_n(answer, 3_000).collect();
        let found = fit(&answers);
        let LatencyFit::Total { total, .. } = &found else { panic!("{found:?}") };
        assert_eq!(total.only_value(), Some(0.1));
    }

    #[test]
    fn nothing_recorded_is_nothing_known() {
        assert_eq!(fit(&[]), LatencyFit::Unknown);
    }
}
