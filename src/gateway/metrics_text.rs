//! In which of its two forms Prometheus' text goes to whoever asks: OpenMetrics, or the older form
//! for those that do not say that they read the newer one.

use http::HeaderMap;
use http::header::ACCEPT;

/// A form of Prometheus' text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum MetricsText {
    /// <https://prometheus.io/docs/specs/om/open_metrics_spec/>
    OpenMetrics,
    /// <https://prometheus.io/docs/instrumenting/exposition_formats/>
    Prometheus,
}

impl MetricsText {
    /// The content types of both.
    pub(super) const TYPES: &'static [&'static str] =
        &[Self::OpenMetrics.content_type(), Self::Prometheus.content_type()];

    /// What a request with these headers wants.
    pub(super) fn wanted(headers: &HeaderMap) -> Self {
        let mut accepted = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
        if accepted.any(|value| value.contains("application/openmetrics-text")) {
            Self::OpenMetrics
        } else {
            Self::Prometheus
        }
    }

    pub(super) const fn content_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
        }
    }

    /// `open`, which is OpenMetrics, in this form.
    pub(super) fn of(self, open: String) -> String {
        match self {
            Self::OpenMetrics => open,
            Self::Prometheus => older(&open),
        }
    }
}

/// The older form knows neither units nor an end, and calls counters by the names of their samples.
fn older(open: &str) -> String {
    let lines: Vec<&str> = open.lines().collect();
    let mut text = String::with_capacity(open.len());
    for (at, line) in lines.iter().enumerate() {
        if line.starts_with("# UNIT ") || *line == "# EOF" {
            continue;
        }
        let described = line.strip_prefix("# HELP ").or_else(|| line.strip_prefix("# TYPE "));
        let Some(name) = described.and_then(|rest| rest.split(' ').next()) else {
            text.push_str(line);
            text.push('\n');
            continue;
        };
        // The type stands right behind the help.
        let kind = |line: &str| Some(line.strip_prefix("# TYPE ")?.strip_prefix(name)?.to_owned());
        let kind = lines[at..].iter().take(2).find_map(|line| kind(line)).unwrap_or_default();
        let (suffix, kind) = match kind.trim() {
            "counter" => ("_total", "counter"),
            "info" => ("_info", "gauge"),
            other => ("", other),
        };
        if line.starts_with("# TYPE ") {
            text.push_str(&format!("# TYPE {name}{suffix} {kind}\n"));
        } else {
            text.push_str(&line.replacen(name, &format!("{name}{suffix}"), 1));
            text.push('\n');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_does_not_ask_for_open_metrics_gets_the_older_form() {
        let of = |accept: &str| {
            MetricsText::wanted(&HeaderMap::from_iter([(ACCEPT, accept.parse().unwrap())]))
        };
        let scraper = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4";
        assert_eq!(of(scraper), MetricsText::OpenMetrics);
        assert_eq!([of("*/*"), of("text/plain")], [MetricsText::Prometheus; 2]);
        assert_eq!(MetricsText::wanted(&HeaderMap::new()), MetricsText::Prometheus);
    }

    #[test]
    fn the_older_form_calls_counters_by_the_names_of_their_samples() {
        let open = "# HELP coalmine_build Which.\n\
                    # TYPE coalmine_build info\n\
                    coalmine_build_info{version=\"1\"} 1\n\
                    # HELP tries Tries made.\n\
                    # TYPE tries counter\n\
                    tries_total{model=\"# EOF\"} 3\n\
                    # HELP time_seconds How long.\n\
                    # TYPE time_seconds histogram\n\
                    # UNIT time_seconds seconds\n\
                    time_seconds_sum 1.5\n\
                    # EOF\n";
        let older = "# HELP coalmine_build_info Which.\n\
                     # TYPE coalmine_build_info gauge\n\
                     coalmine_build_info{version=\"1\"} 1\n\
                     # HELP tries_total Tries made.\n\
                     # TYPE tries_total counter\n\
                     tries_total{model=\"# EOF\"} 3\n\
                     # HELP time_seconds How long.\n\
                     # TYPE time_seconds histogram\n\
                     time_seconds_sum 1.5\n";
        assert_eq!(MetricsText::Prometheus.of(open.to_owned()), older);
        assert_eq!(MetricsText::OpenMetrics.of(open.to_owned()), open);
    }
}
