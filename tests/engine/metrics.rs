//! Every metric in a rule, and comparisons with the stable.

use coalmine::engine::{CommandKind, RawTrigger, Reading, Version};
use coalmine::exchange::{Ending, Finish, Observed, Usage};
use coalmine::metric::{Metric, Unit};
use coalmine::units::{Duration, Money, Price, Tokens};

use crate::world::{MODEL, NEVER, World, error_rate, rule, version};

const FAILURE: Ending = Ending::Status(503);

/// A success of so many output tokens after so many milliseconds.
fn answer(tokens: u32, millis: u64) -> Observed {
    Observed {
        ending: Ending::Success,
        latency: Duration::from_millis(millis),
        first_token: Some(Duration::from_millis(millis / 5)),
        usage: Usage { input: Tokens::new(300), output: Tokens::new(tokens) },
        finish: Some(Finish::Stop),
        is_estimated: false,
        repeats: false,
        retry_after: None,
    }
}

fn failure() -> Observed {
    let usage = Usage::default();
    Observed { ending: FAILURE, usage, finish: None, first_token: None, ..answer(0, 10) }
}

fn below(metric: &str, threshold: f64) -> RawTrigger {
    RawTrigger { operator: Some("<".to_owned()), ..rule(metric, threshold) }
}

/// Against the stable, as `form` says.
fn relative(metric: &str, form: &str, threshold: f64) -> RawTrigger {
    let in_millis = form == "difference" && Metric::by_name(metric).unwrap().unit() == Unit::Time;
    RawTrigger {
        compare_to: Some("stable".to_owned()),
        form: Some(form.to_owned()),
        threshold: (!in_millis).then_some(threshold),
        threshold_ms: in_millis.then_some(threshold),
        ..rule(metric, threshold)
    }
}

/// Whether a rule fires on a canary and a stable that answered so, each within one second.
fn fires(rule: RawTrigger, canary: &[(usize, Observed)], stable: &[(usize, Observed)]) -> bool {
    let mut world = World::half([rule]);
    world.at(1.0);
    for (draw, answers) in [(0.1, stable), (0.9, canary)] {
        for (count, observed) in answers {
            world.answers(*count, draw, observed);
        }
    }
    world.at(60.0);
    for (_, evidence) in world.firings() {
        assert!(evidence.holds(), "{evidence:?}");
    }
    !world.fired_at().is_empty()
}

#[test]
fn an_empty_answer_is_a_success_without_a_token() {
    let answers = [(17, answer(100, 900)), (1, failure()), (2, answer(0, 200))];
    assert!(fires(rule("empty_rate", 0.09), &answers, &[]));
    assert!(!fires(rule("empty_rate", 0.1), &answers, &[]), "2 of 20, the failure among them");
}

#[test]
fn a_cut_off_answer_finished_by_its_length() {
    let cut = Observed { finish: Some(Finish::Length), ..answer(100, 900) };
    let other = Observed { finish: Some(Finish::Other), ..cut };
    let answers = [(15, answer(100, 900)), (3, cut), (2, other)];
    assert!(fires(rule("length_finish_rate", 0.149), &answers, &[]));
    assert!(!fires(rule("length_finish_rate", 0.15), &answers, &[]));
}

#[test]
fn tokens_are_those_of_successes() {
    let answers = [(10, answer(99, 900)), (10, answer(100, 900)), (20, failure())];
    assert!(fires(below("output_tokens_avg", 99.6), &answers, &[]));
    assert!(!fires(below("output_tokens_avg", 99.5), &answers, &[]));
}

#[test]
fn speed_is_all_tokens_by_all_seconds() {
    // 10 x 200 tokens in 10 x 4 s and 10 x 100 in 10 x 1 s: 3,000 tokens in 50 s, while the mean
    // of the single speeds would be 75.
    let answers = [(10, answer(200, 4_000)), (10, answer(100, 1_000))];
    assert!(fires(below("tokens_per_second", 60.1), &answers, &[]));
    assert!(!fires(below("tokens_per_second", 60.0), &answers, &[]));
}

#[test]
fn a_cost_is_by_the_price_of_its_version() {
    let usd = |pico| Money::from_pico_usd(pico);
    let prices = [
        (None, false),
        // 300 input tokens at 2 and 100 output tokens at 10 thousandths: 0.004 per 1,000.
        (
            Some(Price { input_per_1k: usd(2_000_000_000), output_per_1k: usd(10_000_000_000) }),
            true,
        ),
        (Some(Price::blended(usd(3_900_000_000))), false),
    ];
    for (price, expected) in prices {
        let mut world = World::new();
        let mut spare = version("spare");
        spare.price = price;
        world.apply(CommandKind::Register(Box::new(spare))).unwrap();
        world.rules([rule("cost_per_1k_tokens", 0.003_95)]);
        world.split(&[("old", 0.5), ("spare", 0.5)]);
        world.at(1.0).answers(10, 0.9, &answer(100, 900));
        world.at(60.0);
        assert_eq!(!world.fired_at().is_empty(), expected, "{price:?}");
        let (_, _, health) = world.engine.health(MODEL)[0];
        let unpriced = price.is_none();
        assert_eq!(health.no_data == health.checks, unpriced, "without a price there is no data");
        for (_, evidence) in world.firings() {
            let Reading::Amount { value, .. } = evidence.reading else { panic!("{evidence:?}") };
            assert!((value - 0.004).abs() < 1e-15, "{value}");
        }
    }
}

/// Their input is not known: priced as they stand they would make a version look cheap.
#[test]
fn answers_that_did_not_tell_their_tokens_have_no_cost() {
    for (is_estimated, fired) in [(false, true), (true, false)] {
        let mut world = World::new();
        let price = Some(Price::blended(Money::from_pico_usd(8_000_000_000)));
        let spare = Version { price, ..version("spare") };
        world.apply(CommandKind::Register(Box::new(spare))).unwrap();
        world.rules([rule("cost_per_1k_tokens", 0.001)]);
        world.split(&[("old", 0.5), ("spare", 0.5)]);
        world.at(1.0).answers(10, 0.9, &Observed { is_estimated, ..answer(100, 900) });
        world.at(60.0);
        assert_eq!(!world.fired_at().is_empty(), fired);
    }
}

#[test]
fn every_metric_of_a_window_can_fire_a_rule_and_its_evidence_holds() {
    let odd = Observed { finish: Some(Finish::Length), ..answer(0, 900) };
    let ended = |ending| Observed { ending, ..failure() };
    let all = [
        (10, answer(100, 900)),
        (2, odd),
        (2, ended(Ending::Timeout)),
        (2, ended(Ending::Status(429))),
        (2, ended(Ending::Status(400))),
    ];
    for metric in Metric::all().filter(|metric| metric.is_windowed()) {
        let name = metric.name();
        let (low, high) = match metric.unit() {
            Unit::Time => {
                let millis = |limit| RawTrigger {
                    threshold: None,
                    threshold_ms: Some(limit),
                    ..rule(name, 0.0)
                };
                (millis(1.0), millis(50_000.0))
            }
            Unit::Ratio => (rule(name, 0.01), rule(name, 0.999)),
            _ => (rule(name, 1.0), rule(name, 1e6)),
        };
        // A version without a price has no cost; another test has one.
        let has_data = metric != Metric::CostPer1kTokens;
        let high = if has_data { high } else { rule(name, 100.0) };
        assert_eq!(fires(low, &all, &[]), has_data, "{name}");
        assert!(!fires(high, &all, &[]), "{name}");
        let against = relative(name, "ratio", 0.5);
        assert_eq!(fires(against, &all, &all), has_data, "{name} against itself");
        let against = relative(name, "ratio", 1.5);
        assert!(!fires(against, &all, &all), "{name} against itself");
    }
}

#[test]
fn a_ratio_to_the_stable_is_compared_exactly() {
    let canary = [(94, answer(100, 900)), (6, failure())];
    let stable = [(196, answer(100, 900)), (4, failure())];
    // 6 % against 2 %.
    assert!(fires(relative("error_rate", "ratio", 2.99), &canary, &stable));
    assert!(!fires(relative("error_rate", "ratio", 3.0), &canary, &stable));
    assert!(fires(relative("error_rate", "difference", 0.039), &canary, &stable));
    assert!(!fires(relative("error_rate", "difference", 0.041), &canary, &stable));
}

#[test]
fn a_stable_at_zero_or_with_few_requests_gives_no_ratio() {
    let canary = [(10, failure())];
    let fine = [(10, answer(100, 900))];
    assert!(!fires(relative("error_rate", "ratio", 1e-6), &canary, &fine), "zero has no multiples");
    assert!(fires(relative("error_rate", "difference", 0.5), &canary, &fine), "but differences");
    let few = [(9, answer(100, 900))];
    assert!(!fires(relative("error_rate", "difference", 0.5), &canary, &few));
    let told = RawTrigger {
        no_data: Some("breach".to_owned()),
        ..relative("error_rate", "difference", 0.5)
    };
    assert!(fires(told, &canary, &few), "no data can be a breach, and its evidence holds");
}

#[test]
fn a_quantile_is_compared_with_the_stables_quantile() {
    // P95 of twenty values is the nineteenth: 800 ms against 400 ms.
    let canary = [(18, answer(100, 300)), (2, answer(100, 800))];
    let stable = [(18, answer(100, 300)), (1, answer(100, 400)), (1, answer(100, 9_000))];
    assert!(fires(relative("latency_p95", "ratio", 1.9), &canary, &stable));
    assert!(!fires(relative("latency_p95", "ratio", 2.1), &canary, &stable));
    assert!(fires(relative("latency_p95", "difference", 380.0), &canary, &stable));
    assert!(!fires(relative("latency_p95", "difference", 420.0), &canary, &stable));
    let faster = RawTrigger {
        operator: Some("<".to_owned()),
        ..relative("latency_p95", "difference", -100.0)
    };
    assert!(fires(faster.clone(), &stable[..1], &canary), "300 ms are less than 800 less 100");
    assert!(!fires(faster, &canary, &stable));
}

#[test]
fn a_canary_that_hangs_is_seen_against_the_stable() {
    let mut world = World::half([relative("latency_p99", "ratio", 3.0)]);
    world.at(1.0).answers(50, 0.1, &answer(100, 1_000));
    let hanging: Vec<_> = (0..10).map(|_| world.route(None, 0.9)).collect();
    world.at(5.0);
    assert_eq!(world.fired_at(), NEVER, "in flight for 3 to 4 s: not certainly longer than 3");
    world.at(6.0).answers(50, 0.1, &answer(100, 1_000));
    world.at(10.0);
    assert_eq!(world.fired_at(), [10]);
    let (_, evidence) = world.firings().remove(0);
    assert!(evidence.holds());
    let Reading::Compared(seen) = evidence.reading else { panic!("{evidence:?}") };
    assert_eq!((seen.in_flight, seen.above, seen.value), (10, Some(10), None));
    assert_eq!(seen.stable.requests, 50);
    for ticket in hanging {
        world.complete(ticket, Ending::Timeout, Duration::from_secs(60));
    }
}

#[test]
fn a_comparison_begins_anew_when_another_version_becomes_the_stable() {
    let mut world = World::new();
    world.apply(CommandKind::Register(Box::new(version("third")))).unwrap();
    world.rules([RawTrigger {
        window_seconds: Some(300.0),
        check_interval_seconds: Some(20.0),
        ..relative("error_rate", "difference", 0.5)
    }]);
    world.split(&[("old", 0.4), ("new", 0.2), ("third", 0.4)]);
    world.at(1.0).answers(20, 0.1, &answer(100, 900));
    world.at(2.0).tag("stable", "third");
    world.answers(20, 0.5, &failure());
    world.at(100.0);
    assert_eq!(world.fired_at(), NEVER, "of the new stable nothing is known yet");
    world.answers(20, 0.9, &answer(100, 900));
    world.answers(20, 0.5, &failure());
    world.at(130.0);
    assert_eq!(world.fired_at(), [120]);
}

#[test]
fn what_the_evidence_says_is_what_is_evaluated_again() {
    let mut world = World::half([error_rate(0.0)]);
    world.at(1.0).canary(10, FAILURE);
    world.at(5.0);
    let (_, mut evidence) = world.firings().remove(0);
    assert!(evidence.holds());
    let mut healthy = evidence.clone();
    if let Reading::Share { hits, .. } = &mut healthy.reading {
        *hits = 0;
    }
    assert!(!healthy.holds());
    evidence.duration = Duration::from_secs(1);
    assert!(!evidence.holds(), "it has not held for a second");
}
