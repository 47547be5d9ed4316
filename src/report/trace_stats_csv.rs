//! What describes a trace as CSV for other programs: one figure to a row, in base units.

use super::table_csv::{MEMORY, number};
use super::trace_stats_parts::group_name;
use crate::profile::{Group, Identities, Profile, TimeFigures, TokenFigures, TraceStats};
use crate::units::Duration;

/// Every figure but those over time and the finer quantiles as CSV with a header. The name says of
/// which window (in seconds), model or version a figure is; of a version its model stands before
/// it. What the trace does not have has no row.
pub fn trace_stats_csv(stats: &TraceStats) -> String {
    let mut rows = Rows { section: "trace", name: String::new(), rows: Vec::new() };
    rows.profile(&stats.profile);
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(HEADER).expect(MEMORY);
    for row in rows.rows {
        writer.write_record(row).expect(MEMORY);
    }
    let bytes = writer.into_inner().expect(MEMORY);
    String::from_utf8(bytes).expect("what was written was text")
}

/// Rows, and what those to come are about.
struct Rows {
    section: &'static str,
    name: String,
    rows: Vec<[String; 5]>,
}

impl Rows {
    fn begin(&mut self, section: &'static str, name: String) {
        self.section = section;
        self.name = name;
    }

    fn push(&mut self, figure: &str, value: impl Into<Option<f64>>, unit: &str) {
        let value = value.into();
        if value.is_some() {
            let [section, figure, unit] = [self.section, figure, unit].map(str::to_owned);
            self.rows.push([section, self.name.clone(), figure, number(value), unit]);
        }
    }

    fn count(&mut self, figure: &str, count: u64) {
        self.push(figure, count as f64, "count");
    }

    fn time(&mut self, figure: &str, time: Duration) {
        self.push(figure, time.as_secs_f64(), "seconds");
    }

    fn profile(&mut self, profile: &Profile) {
        self.count("requests", profile.requests);
        self.time("span", profile.span);
        self.push("rate", profile.rate.map(|rate| rate.per_second()), "requests per second");
        if let Some(part) = profile.streamed {
            self.count("streamed", part.count);
            self.count("streamed_known", part.of);
        }
        if let Some(correlation) = &profile.correlation {
            self.count("token_correlation_requests", correlation.requests);
            self.push("token_correlation", correlation.value, "");
            self.push("token_correlation_error", correlation.error, "");
        }
        for windows in &profile.windows {
            self.begin("windows", windows.width.as_secs().to_string());
            self.count("windows", windows.windows);
            self.push("dispersion", windows.dispersion, "");
            self.count("most", windows.most);
            self.push("peak_over_mean", windows.peak_over_mean, "");
            self.count("empty", windows.empty);
        }
        self.times("gaps", String::new(), profile.gaps.as_ref());
        self.tokens("input_tokens", profile.input.as_ref());
        self.tokens("output_tokens", profile.output.as_ref());
        self.identities("users", profile.users.as_ref());
        self.identities("sessions", profile.sessions.as_ref());
        if let Some(prefixes) = &profile.prefixes {
            self.begin("prefixes", String::new());
            self.count("requests", prefixes.requests);
            self.push("block", prefixes.block_tokens as f64, "tokens");
            self.count("blocks", prefixes.blocks);
            self.count("distinct", prefixes.distinct.count);
            self.push("relative_deviation", prefixes.distinct.relative_deviation, "ratio");
            self.push("reused", prefixes.reused, "ratio");
        }
        self.group("total", "", &profile.total);
        for group in &profile.models {
            self.group("model", &group_name(group, true).unwrap_or_default(), group);
        }
        for group in &profile.versions {
            self.group("version", &group_name(group, true).unwrap_or_default(), group);
        }
    }

    fn times(&mut self, section: &'static str, name: String, times: Option<&TimeFigures>) {
        let Some(times) = times else { return };
        self.begin(section, name);
        self.count("count", times.count);
        self.time("mean", times.mean);
        self.push("cv", times.cv, "");
        for (figure, time) in [
            ("min", times.min),
            ("p50", times.p50),
            ("p90", times.p90),
            ("p95", times.p95),
            ("p99", times.p99),
            ("max", times.max),
        ] {
            self.time(figure, time);
        }
        self.push("relative_error", times.relative_error, "ratio");
    }

    fn tokens(&mut self, section: &'static str, tokens: Option<&TokenFigures>) {
        let Some(tokens) = tokens else { return };
        self.begin(section, String::new());
        self.count("requests", tokens.requests);
        self.push("cv", tokens.cv, "");
        for (figure, count) in [
            ("mean", tokens.mean),
            ("min", f64::from(tokens.min.get())),
            ("p50", tokens.p50),
            ("p90", tokens.p90),
            ("p95", tokens.p95),
            ("p99", tokens.p99),
            ("max", f64::from(tokens.max.get())),
        ] {
            self.push(figure, count, "tokens");
        }
        self.push("relative_error", tokens.relative_error, "ratio");
    }

    fn identities(&mut self, section: &'static str, identities: Option<&Identities>) {
        let Some(identities) = identities else { return };
        self.begin(section, String::new());
        self.count("requests", identities.requests);
        self.count("distinct", identities.distinct.count);
        self.push("relative_deviation", identities.distinct.relative_deviation, "ratio");
        self.push("requests_each", identities.requests_each, "");
    }

    fn group(&mut self, section: &'static str, name: &str, group: &Group) {
        self.begin(section, name.to_owned());
        self.count("requests", group.requests);
        if let Some(outcomes) = &group.outcomes {
            self.count("observed", outcomes.observed);
            self.count("succeeded", outcomes.succeeded);
            self.count("failed", outcomes.failed);
            if let Some(rate) = outcomes.error_rate {
                self.push("error_rate", rate.value, "ratio");
                self.push("error_rate_low", rate.low, "ratio");
                self.push("error_rate_high", rate.high, "ratio");
            }
            for counted in &outcomes.endings {
                self.count(&format!("ended_{}", counted.ending.name()), counted.requests);
            }
            if let Some(clustering) = outcomes.clustering {
                self.count("clustering_windows", clustering.windows);
                self.push("clustering", clustering.value, "");
            }
        }
        self.push("tokens_per_second", group.tokens_per_second, "tokens per second");
        if let Some(cost) = group.cost {
            self.count("cost_requests", cost.requests);
            self.push("cost", cost.total.as_usd(), "usd");
            self.push("cost_each", cost.usd_each, "usd");
        }
        let parts = match section {
            "total" => ["total_latency", "total_first_token", "total_failure_latency"],
            "model" => ["model_latency", "model_first_token", "model_failure_latency"],
            _ => ["version_latency", "version_first_token", "version_failure_latency"],
        };
        let times = [&group.latency, &group.first_token, &group.failure_latency];
        for (part, times) in parts.into_iter().zip(times) {
            self.times(part, name.to_owned(), times.as_ref());
        }
    }
}

const HEADER: [&str; 5] = ["section", "name", "figure", "value", "unit"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::example::{observed_stats, plain_stats};

    #[test]
    fn every_figure_stands_in_its_base_unit() {
        let stats = observed_stats();
        let text = trace_stats_csv(&stats);
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        assert_eq!(reader.headers().unwrap(), HEADER.as_slice());
        let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        let find = |section: &str, name: &str, figure: &str| {
            let of =
                |row: &&csv::StringRecord| [&row[0], &row[1], &row[2]] == [section, name, figure];
            let row = rows.iter().find(of).unwrap_or_else(|| panic!("{section} {name} {figure}"));
            (row[3].to_owned(), row[4].to_owned())
        };
        assert_eq!(find("trace", "", "requests"), ("2400".to_owned(), "count".to_owned()));
        let dispersion = stats.profile.windows[3].dispersion.unwrap();
        assert_eq!(find("windows", "10", "dispersion").0, dispersion.to_string());
        assert_eq!(find("version", "gpt-4 v2", "requests").0, "480");
        let p99 = stats.profile.versions[1].latency.as_ref().unwrap().p99;
        let expected = (p99.as_secs_f64().to_string(), "seconds".to_owned());
        assert_eq!(find("version_latency", "gpt-4 v1", "p99"), expected);
        assert_eq!(find("version", "gpt-4 v2", "ended_503").1, "count");
        assert_eq!(find("trace", "", "token_correlation_requests").0, "2400");
        let outcomes = stats.profile.total.outcomes.as_ref().unwrap();
        let windows = outcomes.clustering.unwrap().windows;
        assert_eq!(find("total", "", "clustering_windows").0, windows.to_string());
        assert_eq!(find("version", "gpt-4 v1", "cost_requests").0, "1920");
    }

    #[test]
    fn what_a_trace_does_not_have_has_no_row() {
        let text = trace_stats_csv(&plain_stats());
        for absent in ["users", "total_latency", "error_rate", "version"] {
            assert!(!text.contains(absent), "{absent} in {text}");
        }
    }
}
