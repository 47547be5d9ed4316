//! A run over HTTP in words: how fast it was, and how late the harness made things.

use crate::run::{GatewayFacts, LiveFacts, Overhead};
use crate::units::{Duration, format_count, format_duration};

/// What is to be said of a run over HTTP.
pub(super) fn live_texts(facts: &LiveFacts) -> Vec<String> {
    let speed = match facts.speed {
        1.0 => "in real time".to_owned(),
        times => format!("at {times} times the speed of the wall's clock"),
    };
    let mut texts = vec![format!(
        "Over HTTP, {speed}. Dispatch lag: {}; bytes of the mock late by: {}",
        spread(facts, &facts.dispatch_lag),
        spread(facts, &facts.upstream_lateness)
    )];
    if facts.overhead.count > 0 {
        texts.push(format!(
            "All that harness and gateway added to {} successful answers: {}; without the \
             dispatch lag: {}",
            format_count(facts.overhead.count),
            spread(facts, &facts.overhead),
            spread(facts, &facts.service_overhead)
        ));
    }
    texts.extend(facts.gateway.as_ref().map(gateway_text));
    texts
}

/// What is another matter where the gateway was not the harness's own.
fn gateway_text(gateway: &GatewayFacts) -> String {
    let GatewayFacts { url, clock_within, own_answers, notes, left, keys_left, .. } = gateway;
    let mut text = format!(
        "The gateway ran elsewhere, at {url}, its clock within {} of the run's. It drew its split \
         and its waits for itself: which request met which version is not that of a simulation. \
         Its timeouts and what requests stick by are its own; what it tells in words alone, why \
         steps wait and what is odd about a split, is missing",
        format_duration(*clock_within)
    );
    if !own_answers.is_empty() {
        let told = own_answers.iter().map(|it| format!("{} with {}", it.count, it.ending));
        text.push_str(&format!(
            ". Requests that it ended by itself, and that reached no version: {}",
            told.collect::<Vec<_>>().join(", ")
        ));
    }
    notes.iter().for_each(|note| text.push_str(&format!(". Note: {note}")));
    if !left.is_empty() {
        text.push_str(&format!(". How it was left: {}", left.join("; ")));
    }
    for key in keys_left {
        text.push_str(&format!(
            ". It may still have the access key {key}, which was made for the run: `coalmine keys \
             revoke {key}`"
        ));
    }
    text
}

/// Median and P99 on the wall and, where that is another, in the run's own time.
fn spread(facts: &LiveFacts, overhead: &Overhead) -> String {
    let (Some(p50), Some(p99)) = (overhead.p50, overhead.p99) else {
        return "never measured".to_owned();
    };
    let own = |wall: Duration| format_duration(facts.in_its_time(wall));
    let on_the_wall = format!("P50 {}, P99 {}", format_duration(p50), format_duration(p99));
    match facts.speed {
        1.0 => on_the_wall,
        _ => format!("{on_the_wall} on the wall, {} and {} of its time", own(p50), own(p99)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::OwnAnswers;

    fn overhead(p50: u64, p99: u64) -> Overhead {
        let micros = |micros: u64| Some(Duration::from_micros(micros));
        Overhead {
            count: 9_000,
            mean: micros(p50),
            p50: micros(p50),
            p99: micros(p99),
            ..Overhead::default()
        }
    }

    fn facts(speed: f64) -> LiveFacts {
        LiveFacts {
            speed,
            dispatch_lag: overhead(100, 900),
            upstream_lateness: overhead(50, 200),
            overhead: overhead(1_200, 4_000),
            service_overhead: overhead(1_100, 3_000),
            lag_limit: Duration::from_millis(100),
            lost: 0,
            gateway: None,
        }
    }

    #[test]
    fn times_are_told_on_the_wall_and_in_the_runs_own_time() {
        let texts = live_texts(&facts(10.0));
        assert_eq!(
            texts[0],
            "Over HTTP, at 10 times the speed of the wall's clock. Dispatch lag: P50 100 µs, P99 \
             900 µs on the wall, 1 ms and 9 ms of its time; bytes of the mock late by: P50 50 µs, \
             P99 200 µs on the wall, 500 µs and 2 ms of its time"
        );
        assert!(texts[1].starts_with("All that harness and gateway added to 9,000 successful"));
        assert!(texts[1].contains("P50 1.2 ms, P99 4 ms on the wall, 12 ms and 40 ms of its time"));
    }

    #[test]
    fn in_real_time_both_are_one() {
        let texts = live_texts(&facts(1.0));
        assert!(texts[0].starts_with("Over HTTP, in real time. Dispatch lag: P50 100 µs, P99 900"));
        assert!(!texts[0].contains("of its time"));
    }

    #[test]
    fn what_was_never_measured_is_not_made_up() {
        let none = Overhead::default();
        let texts =
            live_texts(&LiveFacts { dispatch_lag: none.clone(), overhead: none, ..facts(10.0) });
        assert_eq!(texts.len(), 1);
        assert!(texts[0].contains("Dispatch lag: never measured"));
    }

    #[test]
    fn a_gateway_elsewhere_is_named_with_what_is_missing() {
        let gateway = GatewayFacts {
            url: "http://gateway:8080".to_owned(),
            clock_within: Duration::from_micros(400),
            strangers: 0,
            contradicted: 0,
            own_answers: vec![OwnAnswers { ending: "429".to_owned(), count: 3 }],
            doubts: Vec::new(),
            left: vec!["m gives 100 % to v1, as before the run".to_owned()],
            notes: vec!["its events were cut off once".to_owned()],
            keys_left: vec!["search".to_owned()],
        };
        let texts = live_texts(&LiveFacts { gateway: Some(gateway), ..facts(1.0) });
        let told = texts.last().unwrap();
        assert!(told.contains("reached no version: 3 with 429"), "{told}");
        assert!(told.contains("`coalmine keys revoke search`"), "{told}");
        assert!(told.contains(". How it was left: m gives 100 % to v1"), "{told}");
        assert!(told.contains(". Note: its events were cut off once"), "{told}");
        assert!(told.contains("at http://gateway:8080, its clock within 400 µs"), "{told}");
    }
}
