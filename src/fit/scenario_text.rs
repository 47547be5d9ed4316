//! What was fitted, as a scenario file with the reasons in its comments.

use super::failure_fit::{FailureFit, FailureKindFit, FailurePattern};
use super::fitted::{Fitted, ModelFit, TokenFit, UNNAMED, VersionFit};
use super::latency_fit::{LatencyFit, LatencyPartsFit};
use super::literal::{duration, money, number, quoted, ratio};
use super::quantile_table::{QuantileTable, significant};
use super::rate_process::WINDOWS;
use super::scenario_lines::Text;
use super::source::RecordingSource;
use crate::units::{
    Duration, format_count, format_counted, format_elapsed, format_percent, format_significant,
};

impl Fitted {
    /// A complete scenario file called `name`: a twin of the recording `source`.
    pub fn to_yaml(&self, name: &str, source: &RecordingSource) -> String {
        let mut text = Text::default();
        self.head(name, source, &mut text);
        self.workload(&mut text);
        text.line(0, "models:");
        for model in &self.models {
            self.model(model, &mut text);
        }
        self.phases(&mut text);
        text.0
    }

    /// How arrivals and failures were chosen, and what has another name: a sentence each.
    pub fn choices(&self) -> Vec<String> {
        let mut words = self.arrivals.in_words();
        for model in &self.models {
            words.extend(model.versions.iter().filter_map(|version| version.renamed(model)));
        }
        for version in self.models.iter().flat_map(|model| &model.versions) {
            if let Some(failures) = version.failures.as_ref().filter(|fit| fit.failed > 0) {
                words.push(format!("{}: {}", version.id, failures.in_words()));
            }
        }
        words
    }

    fn head(&self, name: &str, source: &RecordingSource, text: &mut Text) {
        let (requests, span) = (format_count(self.requests), format_elapsed(self.span));
        text.comment(0, &format!("A twin of {}, as `coalmine trace fit` made it.", source.name));
        text.line(0, "#");
        text.comment(0, &format!("{requests} requests in {span} were fitted; {}.", source.rows()));
        if let Some(sha256) = &source.sha256 {
            text.comment(0, &format!("The SHA-256 of {}, as it was read:", source.name));
            text.line(0, &format!("# {sha256}"));
        }
        for word in &source.words {
            text.comment(0, word);
        }
        text.comment(
            0,
            "The comments say how each part was chosen. Change what you want to rehearse: a split, \
             rules, a fault.",
        );
        text.line(0, "schema: 1");
        text.line(0, &format!("name: {}", quoted(name)));
        text.line(0, &format!("title: {}", quoted(&format!("Twin of {}", source.name))));
        text.line(0, "");
    }

    fn workload(&self, text: &mut Text) {
        text.line(0, "workload:");
        for words in self.arrivals.in_words() {
            text.comment(1, &words);
        }
        let arrivals = &self.arrivals.candidate().model;
        text.line(1, &format!("arrivals: {}", arrivals.to_yaml(2)));
        self.sizes(text);
        self.shares(text);
        self.people(text);
        if let Some(stream) = self.stream {
            text.line(1, &format!("stream: {}", ratio(significant(stream, 4))));
        }
        if let Some(timeout) = self.timeout {
            text.comment(
                1,
                "No answer of the recording took so long: what times out are the failures that the \
                 versions have as `timeout`. Clients are more patient than the gateway, so that \
                 none leaves early.",
            );
            text.line(1, &format!("upstream_timeout: {}", timeout.to_literal()));
            text.line(1, &format!("client_timeout: {}", (timeout * 2).to_literal()));
        }
        text.line(0, "");
    }

    fn sizes(&self, text: &mut Text) {
        match (&self.tokens.input, &self.tokens.output) {
            (None, None) if self.given_tokens.is_none() => {
                text.comment(
                    1,
                    "Not recorded: say how large requests are, e.g. tokens: {input: 620, output: \
                     210}, or fit again with --tokens.",
                );
                return;
            }
            (None, None) => {}
            (Some(_), Some(_)) => text.comment(
                1,
                "As recorded: quantiles, linear between them, and how far long prompts get long \
                 answers (Spearman's rho).",
            ),
            _ => text.comment(1, "As recorded: quantiles, linear between them."),
        }
        text.line(1, "tokens:");
        tokens_lines(&self.tokens, self.given_tokens, 2, text);
    }

    fn shares(&self, text: &mut Text) {
        if self.models.len() < 2 {
            return;
        }
        text.line(1, "models:");
        let shares = whole(self.models.iter().map(|model| model.share));
        for (model, share) in self.models.iter().zip(shares) {
            let name = quoted(&model.name);
            match &model.tokens {
                None => text.line(2, &format!("{name}: {share}")),
                Some(tokens) => {
                    text.line(2, &format!("{name}:"));
                    text.line(3, &format!("share: {share}"));
                    text.line(3, "tokens:");
                    tokens_lines(tokens, self.given_tokens, 4, text);
                }
            }
        }
    }

    fn people(&self, text: &mut Text) {
        if let Some(users) = &self.users {
            let seen = format_counted(users.seen, "user", "users");
            text.comment(
                1,
                &format!(
                    "{seen} sent requests. Of `count` users by Zipf's law as many would be seen \
                     on average, and two requests would come from one user as often as recorded."
                ),
            );
            let zipf = number(users.zipf);
            text.line(1, &format!("users: {{count: {}, zipf: {zipf}}}", users.count));
        }
        if let Some(sessions) = &self.sessions {
            // Where each has one request there is no pause to tell.
            let is_single = sessions.requests.only_value() == Some(1.0);
            text.comment(1, if is_single {
                "Every session has one request."
            } else {
                "The recorded lengths; `gap` is the longest pause that any session had, in whole \
                 seconds."
            });
            text.line(1, "sessions:");
            distribution(&sessions.requests, "requests", number, 2, text);
            if !is_single {
                text.line(2, &format!("gap: {}", sessions.gap.to_literal()));
            }
        }
    }

    fn model(&self, model: &ModelFit, text: &mut Text) {
        text.line(1, &format!("{}:", quoted(&model.name)));
        text.line(2, "versions:");
        for version in &model.versions {
            text.line(3, &format!("{}:", quoted(&version.id)));
            if version.is_stable && model.versions.len() > 1 {
                text.line(4, "tags: [stable]");
            }
            if let Some(price) = version.price {
                let (input, output) = (money(price.input), money(price.output));
                text.comment(4, "Least squares on the recorded costs, for 1,000 tokens.");
                text.line(4, &format!("price: {{input: {input}, output: {output}}}"));
            }
            upstream(version, text);
        }
    }

    fn phases(&self, text: &mut Text) {
        text.line(0, "");
        text.line(0, "phases:");
        text.line(1, "- name: recorded");
        // Up to the next millisecond: the last request is part of it.
        let end = Duration::from_millis(self.span.as_micros() / 1_000 + 1);
        text.line(2, &format!("for: {}", end.to_literal()));
        let splits = self.models.iter().flat_map(|model| {
            let shares = whole(model.versions.iter().map(|version| version.share));
            let versions = model.versions.iter().zip(shares);
            versions.map(|(version, share)| format!("{}: {share}", quoted(&version.id)))
        });
        let splits: Vec<String> = splits.collect();
        text.comment(2, "As recorded, over the whole time.");
        text.line(2, "split:");
        splits.iter().for_each(|split| text.line(3, split));
        let versions = || self.models.iter().flat_map(|model| &model.versions);
        let faulty: Vec<_> = versions().filter_map(VersionFit::fault).collect();
        if faulty.is_empty() {
            return;
        }
        text.comment(2, "What went wrong while it was recorded: without it the rehearsal is of a");
        text.comment(2, "quiet time.");
        text.line(2, "faults:");
        for (id, lines) in faulty {
            text.line(3, &format!("{}:", quoted(id)));
            for (place, line) in lines.iter().enumerate() {
                text.line(4, &format!("{}{line}", if place == 0 { "- " } else { "  " }));
            }
        }
    }
}

impl VersionFit {
    /// That it has another name than in the recording, if it has.
    fn renamed(&self, model: &ModelFit) -> Option<String> {
        let (id, of) = (&self.id, &model.name);
        match &self.recorded_id {
            Some(recorded) if recorded.as_str() != id => {
                Some(format!("The version {recorded} of {of} is called {id}: the name is taken."))
            }
            None if id != UNNAMED => Some(format!(
                "The version of {of} that the recording does not name is called {id}."
            )),
            _ => None,
        }
    }

    /// The lines of the fault that an incident was, if there was one, with the id of the version.
    pub fn fault(&self) -> Option<(&str, Vec<String>)> {
        let pattern = &self.failures.as_ref()?.pattern;
        let FailurePattern::Episode { from, to, failures, .. } = pattern else { return None };
        let mut lines = vec![format!("at: {}", duration(*from as f64))];
        lines.extend(to.map(|to| format!("for: {}", duration((to - from) as f64))));
        let mut kinds = Text::default();
        kind_lines("failures", failures, 0, &mut kinds);
        lines.extend(kinds.0.lines().map(str::to_owned));
        Some((&self.id, lines))
    }
}

impl super::ArrivalFit {
    /// Which models were tried, and what became of each: a sentence each.
    pub fn in_words(&self) -> Vec<String> {
        let figure = |value: Option<f64>| {
            value.map_or_else(|| "-".to_owned(), |value| format_significant(value, 3))
        };
        let recorded = self.recorded.map(figure).join(" / ");
        let windows = WINDOWS.map(|window| window.to_string()).join(", ");
        let mut words = vec![format!(
            "Dispersion of the counts in windows of {windows} s: {recorded}. The simplest model \
             within 25 % of each, by the median of {} twins:",
            self.twins
        )];
        for (place, candidate) in self.tried.iter().enumerate() {
            let medians = candidate.dispersion.map(|spread| figure(spread.map(|s| s.median)));
            let found = medians.join(" / ");
            let verdict = match (place == self.chosen, candidate.fits) {
                (true, true) => "chosen",
                (true, false) => "chosen as the nearest: none fits",
                _ => "refused",
            };
            words.push(format!("{}: {found}, {verdict}.", candidate.model.title()));
        }
        words
    }
}

impl super::ArrivalModel {
    /// Its name, with the step of its rates.
    fn title(&self) -> String {
        match self {
            Self::Piecewise { every, .. } => format!("piecewise, a rate every {every} s"),
            other => other.name().to_owned(),
        }
    }
}

/// How a version answers.
fn upstream(version: &VersionFit, text: &mut Text) {
    let mut lines = Text::default();
    latency_lines(&version.latency, &mut lines);
    if let Some(failures) = &version.failures {
        failure_lines(failures, &mut lines);
    }
    if lines.has_keys() {
        text.line(4, "upstream:");
        text.0.push_str(&lines.0);
        return;
    }
    if let Some(failures) = &version.failures {
        text.comment(4, &failures.counted());
    }
    // There must be a map, though there is nothing to say.
    text.comment(
        4,
        "Not recorded: say how long answers take, e.g. upstream: {latency: 892ms}, or fit again \
         with --latency.",
    );
    text.line(4, "upstream: {}");
}

/// `given` holds for the sides that are not recorded.
fn tokens_lines(tokens: &TokenFit, given: Option<[u32; 2]>, depth: usize, text: &mut Text) {
    let whole = |value: f64| number(value.round());
    let sides =
        [("input", &tokens.input, "prompts", 620), ("output", &tokens.output, "answers", 210)];
    for (place, (key, table, of, example)) in sides.into_iter().enumerate() {
        match (table, given) {
            (Some(table), _) => distribution(table, key, whole, depth, text),
            (None, Some(given)) => {
                text.comment(depth, "Not recorded: given by --tokens.");
                text.line(depth, &format!("{key}: {}", given[place]));
            }
            (None, None) => text.comment(
                depth,
                &format!(
                    "Not recorded: say how many tokens {of} have, e.g. {key}: {example}, or fit \
                     again with --tokens."
                ),
            ),
        }
    }
    if tokens.input.is_some() && tokens.output.is_some() {
        text.line(depth, &format!("rank_correlation: {}", number(tokens.rank_correlation)));
    }
}

fn latency_lines(latency: &LatencyFit, text: &mut Text) {
    let share = |explained: f64| format_percent(significant(explained, 3));
    match latency {
        LatencyFit::Unknown => {
            text.comment(
                5,
                "Not recorded: say how long answers take, e.g. latency: 892ms, or fit again with \
                 --latency.",
            );
        }
        LatencyFit::Given(latency) => {
            text.comment(5, "Not recorded: given by --latency.");
            text.line(5, &format!("latency: {}", latency.to_literal()));
        }
        LatencyFit::Total { total, first_token, explained } => {
            text.comment(5, &match explained {
                Some(explained) => format!(
                    "As recorded, as a whole: tokens explain {} of its variance, too little to go \
                     by.",
                    share(*explained)
                ),
                None => "As recorded, as a whole: no tokens that vary to explain it by.".to_owned(),
            });
            distribution(total, "latency", duration, 5, text);
            if let Some(first_token) = first_token {
                text.line(5, &format!("first_token: {}", ratio(significant(*first_token, 4))));
            }
        }
        LatencyFit::Parts(parts) => {
            let LatencyPartsFit {
                first_token,
                per_input_token,
                per_output_token,
                explained,
                at_most,
                first_tokens,
            } = &**parts;
            let rest = if *first_tokens == 0.0 {
                "least squares; the first token is what tokens leave over".to_owned()
            } else {
                let of = match *first_tokens {
                    1.0 => String::new(),
                    some => format!(" of {} of the answers, and hold for all", share(some)),
                };
                format!(
                    "first tokens are as recorded{of}; each further token takes its share of the \
                     rest"
                )
            };
            text.comment(
                5,
                &format!(
                    "Tokens explain {} of the variance of latency: {rest}. No answer took longer \
                     than `at_most`.",
                    share(*explained)
                ),
            );
            text.line(5, "latency:");
            distribution(first_token, "first_token", duration, 6, text);
            if *per_input_token > 0.0 {
                let each = duration(significant(*per_input_token, 4));
                text.line(6, &format!("per_input_token: {each}"));
            }
            distribution(per_output_token, "per_output_token", duration, 6, text);
            text.line(6, &format!("at_most: {}", duration(*at_most)));
        }
    }
}

fn failure_lines(failures: &FailureFit, text: &mut Text) {
    text.comment(5, &failures.counted());
    kind_lines("failures", &failures.normal, 5, text);
    if let FailurePattern::Bursts { enter, leave, failures } = &failures.pattern {
        text.line(5, "burst:");
        text.line(6, &format!("enter: {}", ratio(*enter)));
        text.line(6, &format!("leave: {}", ratio(*leave)));
        kind_lines("failures", failures, 6, text);
    }
}

fn kind_lines(key: &str, kinds: &[FailureKindFit], depth: usize, text: &mut Text) {
    if kinds.is_empty() {
        return;
    }
    text.line(depth, &format!("{key}:"));
    for kind in kinds {
        let name = quoted(&kind.key);
        let probability = ratio(kind.probability);
        match &kind.latency {
            None => text.line(depth + 1, &format!("{name}: {probability}")),
            Some(latency) => {
                text.line(depth + 1, &format!("{name}:"));
                text.line(depth + 2, &format!("probability: {probability}"));
                distribution(latency, "latency", duration, depth + 2, text);
            }
        }
    }
}

/// A distribution behind its key.
fn distribution(
    table: &QuantileTable,
    key: &str,
    literal: impl Fn(f64) -> String,
    depth: usize,
    text: &mut Text,
) {
    if let Some(value) = table.only_value() {
        text.line(depth, &format!("{key}: {}", literal(value)));
        return;
    }
    text.line(depth, &format!("{key}:"));
    text.line(depth + 1, "empirical:");
    text.line(depth + 2, "quantiles: {");
    let points =
        table.points().iter().map(|(p, value)| format!("{}: {}", ratio(*p), literal(*value)));
    text.flow(depth + 3, points);
    text.end();
}

/// Shares that sum to exactly 100 %, to a millionth; what rounding leaves over goes to the largest.
fn whole(shares: impl Iterator<Item = f64>) -> Vec<String> {
    let mut millionths: Vec<i64> = shares.map(|share| (share * 1e6).round() as i64).collect();
    let over = 1_000_000 - millionths.iter().sum::<i64>();
    if let Some(largest) = millionths.iter_mut().max() {
        *largest += over;
    }
    millionths.into_iter().map(|share| ratio(share as f64 / 1e6)).collect()
}
