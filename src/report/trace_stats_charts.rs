//! Every chart of a trace.

use super::run_charts::RunChart;
use super::run_looks::nth_look;
use super::trace_stats_lines::{frame, legend, line, panel, reference, time_frame};
use super::trace_stats_outcomes_chart::outcomes_chart;
use super::trace_stats_text::rates;
use crate::chart::{
    Axis, Band, Canvas, Course as Way, Dash, Line, Panel, Sheet, Slot, version_look,
};
use crate::math;
use crate::profile::{Profile, TimeFigures, TokenFigures, TraceStats, WindowFigures};
use crate::units::{Duration, Rate, format_counted, format_duration, format_significant};

/// The charts of a trace, the rate over time first; those that would show nothing are left out.
pub fn trace_stats_charts(stats: &TraceStats) -> Vec<RunChart> {
    let profile = &stats.profile;
    let from = stats.source.window.map(|[from, _]| from);
    let charts = [
        ("rate", "Requests over time", rate_chart(profile, from)),
        ("gaps", "Times between requests", gaps_chart(profile)),
        ("dispersion", "Burstiness by window", dispersion_chart(profile)),
        ("tokens", "Tokens", tokens_chart(profile)),
        ("outcomes", "Errors and latency over time", outcomes_chart(profile, from)),
    ];
    let drawn = |(name, title, canvas): (&'static str, &'static str, Option<Canvas>)| {
        Some(RunChart { name, title, canvas: canvas? })
    };
    charts.into_iter().filter_map(drawn).collect()
}

fn rate_chart(profile: &Profile, from: Option<Duration>) -> Option<Canvas> {
    let course = &profile.total.course;
    let enough = |factor: &usize| {
        let slots = course.slots.len().div_ceil(*factor);
        slots <= MOST_SLOTS && profile.requests >= slots as u64 * FEWEST_IN_SLOT
    };
    let factors = (0..10).map(|power| 1_usize << power);
    let factor = { factors }.find(enough).unwrap_or(1 << 9);
    let course = course.coarser(factor);
    let rates: Vec<f64> = rates(course.width, &course.slots, profile.span).collect();
    if rates.len() < 2 {
        return None;
    }
    let span = profile.span.as_secs_f64();
    let width = course.width.as_secs_f64();
    let slots = rates.iter().enumerate().map(|(index, rate)| Slot {
        from: index as f64 * width,
        to: ((index + 1) as f64 * width).min(span),
        value: Some(*rate),
    });
    let highest = rates.iter().copied().fold(0.0, f64::max);
    let line = line("requests", slots.collect(), version_look(None), (Dash::Solid, Way::Filled));
    let mean = profile.rate.map_or(0.0, Rate::per_second);
    let means = vec![Slot::at(0.0, mean), Slot::at(span, mean)];
    let mean_line = reference("mean", means);
    let told = |rate: f64| {
        Rate::per(rate, Duration::from_secs(1)).map_or_else(String::new, |rate| rate.to_string())
    };
    let sheet = Sheet {
        title: "Requests over time",
        alternative: format!(
            "Requests over time: {} in {}, {} on average, at most {} over {}.",
            format_counted(profile.requests, "request", "requests"),
            profile.span,
            told(mean),
            told(highest),
            format_duration(course.width)
        ),
        series: legend(&[&line, &mean_line]),
        note: Some(format!("each step: the mean over {}", format_duration(course.width))),
    };
    let panel = panel("Requests per second", Axis::rates(highest), vec![line, mean_line]);
    Some(sheet.panels(&time_frame(profile.span, from), &[panel], ONLY_PANEL))
}

/// The share of gaps that are longer than each length, with that of a Poisson process of the same
/// rate: a straight fall on the way down where requests come independently of each other.
fn gaps_chart(profile: &Profile) -> Option<Canvas> {
    let gaps = profile.gaps.as_ref().filter(|gaps| gaps.max > Duration::ZERO)?;
    let mean = gaps.mean.as_secs_f64();
    let longest = gaps.max.as_secs_f64();
    let positive = gaps.quantiles.iter().map(|(_, gap)| gap.as_secs_f64()).find(|gap| *gap > 0.0);
    let shortest = positive.unwrap_or(longest).max(longest / MOST_FACTOR).min(mean / 10.0);
    let least = (1.0 / gaps.count as f64).clamp(LEAST_SHARE, 0.1);
    let recorded = gaps.quantiles.iter().filter(|(share, _)| 1.0 - share >= least * 0.999);
    let recorded: Vec<Slot> = recorded
        .map(|(share, gap)| Slot::at(gap.as_secs_f64().max(shortest), 1.0 - share))
        .collect();
    let axis = Axis::logarithmic_latencies(shortest, longest.max(mean * 10.0));
    let exponential = (0..=EXPONENTIAL_POINTS).map(|point| {
        let gap = axis.value_at(f64::from(point) / f64::from(EXPONENTIAL_POINTS));
        Slot::at(gap, math::exp(-gap / mean))
    });
    let exponential = exponential.take_while(|slot| slot.value.is_some_and(|share| share >= least));
    let own = line("recorded", recorded, version_look(None), (Dash::Solid, Way::Joined));
    let poisson = reference("Poisson process of the same rate", exponential.collect());
    let sheet = Sheet {
        title: "Times between requests",
        alternative: gaps_in_words(gaps),
        series: legend(&[&own, &poisson]),
        note: None,
    };
    let panel =
        panel("Share of gaps that are longer", Axis::logarithmic_shares(least), vec![own, poisson]);
    Some(sheet.panels(&frame(axis, "time between requests, logarithmic"), &[panel], ONLY_PANEL))
}

fn gaps_in_words(gaps: &TimeFigures) -> String {
    let cv = gaps.cv.map_or_else(String::new, |cv| {
        format!(", coefficient of variation {}", format_significant(cv, 3))
    });
    format!(
        "Times between requests: mean {}{cv}, median {}, 99th percentile {}, longest {}.",
        gaps.mean, gaps.p50, gaps.p99, gaps.max
    )
}

/// Dispersion against the width of the window, with what a Poisson process would show.
fn dispersion_chart(profile: &Profile) -> Option<Canvas> {
    let told = profile.windows.iter().filter(|windows| windows.windows >= FEWEST_WINDOWS);
    let told: Vec<(&WindowFigures, f64)> =
        told.filter_map(|windows| Some((windows, windows.dispersion?))).collect();
    if told.len() < 2 {
        return None;
    }
    let width = |windows: &WindowFigures| windows.width.as_secs_f64();
    let own = told.iter().map(|(windows, dispersion)| Slot::at(width(windows), *dispersion));
    let own = line("recorded", own.collect(), version_look(None), (Dash::Solid, Way::Joined));
    let ones = told.iter().map(|(windows, _)| Slot::at(width(windows), 1.0)).collect();
    let poisson = reference("Poisson process, and where 95 % of samples lie", ones);
    let limit = |probability: f64| {
        let limits = told.iter().map(|(windows, _)| {
            Slot::at(width(windows), poisson_limit(windows.windows, probability))
        });
        limits.collect::<Vec<Slot>>()
    };
    let band = Band {
        series: poisson.series.clone(),
        lows: limit(0.025),
        highs: limit(0.975),
        ink: poisson.look.ink,
    };
    let values = || told.iter().map(|(_, dispersion)| *dispersion);
    let bounds = |slots: &[Slot]| slots.iter().filter_map(|slot| slot.value).collect::<Vec<_>>();
    let least = values().chain(bounds(&band.lows)).fold(1.0, f64::min).max(LEAST_DISPERSION);
    let greatest = values().chain(bounds(&band.highs)).fold(1.0, f64::max);
    let ends = (width(told[0].0), width(told[told.len() - 1].0));
    let axis = Axis::logarithmic_latencies(ends.0, ends.1);
    let words = told.iter().map(|(windows, dispersion)| {
        format!(" {} at {}.", format_significant(*dispersion, 3), windows.width)
    });
    let sheet = Sheet {
        title: "Burstiness by window",
        alternative: format!("Index of dispersion by window:{}", words.collect::<String>()),
        series: legend(&[&own, &poisson]),
        note: None,
    };
    let panel = Panel {
        bands: vec![band],
        ..panel(
            "Variance over mean of the requests in a window",
            Axis::logarithmic_numbers(least, greatest),
            vec![own, poisson],
        )
    };
    Some(sheet.panels(&frame(axis, "window, logarithmic"), &[panel], ONLY_PANEL))
}

/// The quantile of the index of dispersion of `windows` counts of a Poisson process: (k - 1) times
/// the index is about chi-squared with k - 1 degrees of freedom (R. A. Fisher, Statistical Methods
/// for Research Workers, 1925, section 17).
fn poisson_limit(windows: u64, probability: f64) -> f64 {
    let freedom = windows.saturating_sub(1).max(1) as f64;
    2.0 * math::gamma_quantile(probability, freedom / 2.0) / freedom
}

fn tokens_chart(profile: &Profile) -> Option<Canvas> {
    let shown = [("input", &profile.input), ("output", &profile.output)];
    let shown: Vec<(&str, &TokenFigures)> =
        shown.into_iter().filter_map(|(name, tokens)| Some((name, tokens.as_ref()?))).collect();
    let greatest = shown.iter().map(|(_, tokens)| tokens.max.get()).max()?;
    let least = shown.iter().map(|(_, tokens)| tokens.min.get()).min()?;
    let axis = Axis::logarithmic_numbers(f64::from(least.max(1)), f64::from(greatest.max(1)));
    let lines = shown.iter().enumerate().map(|(index, (name, tokens))| {
        let slots = tokens.quantiles.iter().map(|(share, count)| Slot::at(count.max(1.0), *share));
        let (look, dash) = nth_look(index);
        Line { rank: Some(index), ..line(name, slots.collect(), look, (dash, Way::Joined)) }
    });
    let lines: Vec<Line> = lines.collect();
    let words = shown.iter().map(|(name, tokens)| {
        let TokenFigures { mean, p50, p99, max, .. } = tokens;
        let [mean, p50, p99] = [mean, p50, p99].map(|count| format_significant(*count, 4));
        format!(" {name}: mean {mean}, median {p50}, 99th percentile {p99}, at most {max}.")
    });
    let sheet = Sheet {
        title: "Tokens",
        alternative: format!("Distribution of tokens.{}", words.collect::<String>()),
        series: legend(&lines.iter().collect::<Vec<_>>()),
        note: None,
    };
    let panel = panel("Share of requests with at most so many", Axis::shares(1.0), lines);
    Some(sheet.panels(&frame(axis, "tokens of a request, logarithmic"), &[panel], ONLY_PANEL))
}

/// The height of a panel that stands alone.
const ONLY_PANEL: f64 = 460.0;
/// Chosen: steps of four pixels can be told apart.
const MOST_SLOTS: usize = 256;
/// Chosen: a mean of fewer requests is noise.
const FEWEST_IN_SLOT: u64 = 4;
/// Chosen: shorter gaps beside the longest are drawn at the edge.
const MOST_FACTOR: f64 = 1e7;
/// Chosen: rarer gaps are not drawn: the quantiles end there.
const LEAST_SHARE: f64 = 1e-5;
const EXPONENTIAL_POINTS: u32 = 240;
/// Chosen: the dispersion of fewer windows says nothing.
const FEWEST_WINDOWS: u64 = 5;
/// Traffic at equal distances has none.
const LEAST_DISPERSION: f64 = 0.01;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::example::{bare_stats, observed_stats, plain_stats};

    fn names(stats: &TraceStats) -> Vec<&'static str> {
        trace_stats_charts(stats).iter().map(|chart| chart.name).collect()
    }

    #[test]
    fn charts_that_would_show_nothing_are_left_out() {
        let all = ["rate", "gaps", "dispersion", "tokens", "outcomes"];
        assert_eq!(names(&observed_stats()), all);
        assert_eq!(names(&plain_stats()), all[..4]);
        assert_eq!(names(&bare_stats(1)), [""; 0]);
        assert_eq!(names(&bare_stats(5)), [""; 0]);
    }

    #[test]
    fn the_times_of_a_stretch_are_said_to_be_its_own() {
        let caption = |from| time_frame(Duration::from_secs(1_200), from).caption;
        assert_eq!(caption(None), "minutes since the beginning of the trace");
        let from = Duration::from_secs(1_800);
        assert_eq!(caption(Some(from)), "minutes since 30m into the trace");
        let mut stats = observed_stats();
        let drawn = |stats: &TraceStats| {
            trace_stats_charts(stats).into_iter().map(|chart| chart.canvas.svg())
        };
        let whole: Vec<String> = drawn(&stats).collect();
        stats.source.window = Some([from, stats.profile.span]);
        let differ = drawn(&stats).zip(&whole).map(|(part, whole)| part != *whole);
        // Those over time: rate and outcomes.
        assert_eq!(differ.collect::<Vec<_>>(), [true, false, false, false, true]);
    }

    #[test]
    fn every_chart_says_in_words_what_it_shows() {
        for chart in trace_stats_charts(&observed_stats()) {
            let svg = chart.canvas.svg();
            assert!(chart.canvas.alternative().len() > 40, "{}", chart.name);
            assert_eq!(svg, chart.canvas.svg());
            assert!(!svg.contains("NaN") && !svg.contains("inf,"), "{}", chart.name);
        }
    }

    #[test]
    fn the_range_of_a_poisson_process_is_that_of_chi_squared() {
        // scipy.stats.chi2.ppf([0.025, 0.975], 59) / 59.
        for (probability, expected) in [(0.025, 0.672_234_90), (0.975, 1.391_820_44)] {
            let found = poisson_limit(60, probability);
            assert!((found - expected).abs() < 1e-8, "{found}");
        }
    }
}
