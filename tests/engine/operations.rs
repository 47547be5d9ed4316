//! What must always hold, under random commands, traffic, faults and clock jumps. A case that
//! refutes it is shrunk, kept in a file as lines of JSON, and named with the command that plays it
//! again.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use coalmine::engine::{Assignment, Safeguards};
use coalmine::testing::{
    Case, Claim, End, Happening, LadderChoice, ModelSetting, Name, Operation, Order, RuleChoice,
    play,
};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};

fn arb_name() -> impl Strategy<Value = Name> {
    prop_oneof![3 => (0_u8..4).prop_map(Name::Version), 1 => (0_u8..3).prop_map(Name::Tag)]
}

fn arb_end() -> impl Strategy<Value = End> {
    prop_oneof![
        8 => Just(End::Success),
        6 => Just(End::Status(503)),
        2 => Just(End::Status(429)),
        1 => Just(End::Status(400)),
        1 => Just(End::Status(404)),
        1 => Just(End::Timeout),
        1 => Just(End::Reset),
        1 => Just(End::Truncated),
    ]
}

fn arb_split() -> impl Strategy<Value = Order> {
    let parts = prop_oneof![
        1 => prop::array::uniform4(0_u8..4),
        3 => (1_u8..4, 1_u8..4).prop_map(|(old, new)| [old, new, 0, 0]),
        1 => (1_u8..4, 1_u8..4).prop_map(|(new, other)| [1, new, other, 0]),
    ];
    (parts, any::<bool>()).prop_map(|(parts, redeploy)| Order::Split { parts, redeploy })
}

fn arb_start(version: impl Strategy<Value = Name>) -> impl Strategy<Value = Order> {
    let ladder =
        prop_oneof![Just(LadderChoice::One), Just(LadderChoice::Three), Just(LadderChoice::Paused)];
    (version, ladder, any::<bool>()).prop_map(|(version, ladder, redeploy)| Order::Start {
        version,
        ladder,
        redeploy,
    })
}

fn arb_rollout() -> impl Strategy<Value = Order> {
    prop_oneof![
        3 => arb_start(arb_name()),
        1 => (arb_name(), any::<bool>())
            .prop_map(|(version, redeploy)| Order::Promote { version, redeploy }),
        1 => Just(Order::Pause),
        2 => Just(Order::Resume),
        1 => Just(Order::Abort),
        1 => prop::option::of(arb_name()).prop_map(Order::Rollback),
    ]
}

fn arb_key_order() -> impl Strategy<Value = Order> {
    let version =
        || prop_oneof![2 => Just(Some(Name::Version(1))), 1 => prop::option::of(arb_name())];
    prop_oneof![
        3 => (0_u8..3, 0_u8..6, any::<(bool, bool)>(), version()).prop_map(
            |(key, secret, (admin, own_model), version)| {
                Order::CreateKey { key, secret, admin, own_model, version }
            },
        ),
        2 => (0_u8..3, 0_u8..6, 0_u8..20, version()).prop_map(|(key, secret, grace, version)| {
            Order::RegenerateKey { key, secret, grace, version }
        }),
        1 => (0_u8..3).prop_map(Order::RevokeKey),
    ]
}

fn arb_assignment() -> impl Strategy<Value = Order> {
    prop::sample::select(vec![Assignment::Random, Assignment::Even, Assignment::Sticky])
        .prop_map(Order::Assignment)
}

fn arb_policies() -> impl Strategy<Value = Order> {
    (0_u8..4, any::<bool>()).prop_map(|(attempts, fallback)| Order::Policies { attempts, fallback })
}

fn arb_tag() -> impl Strategy<Value = Order> {
    (0_u8..3, arb_name(), prop::bool::weighted(0.8)).prop_map(
        |(tag, version, preserve_previous)| Order::Tag { tag, version, preserve_previous },
    )
}

fn arb_order() -> impl Strategy<Value = Order> {
    prop_oneof![
        6 => arb_split(),
        6 => arb_rollout(),
        4 => prop::sample::select(RuleChoice::ALL.to_vec()).prop_map(Order::Rules),
        3 => arb_key_order(),
        3 => arb_tag(),
        2 => (0_u8..4).prop_map(Order::Register),
        2 => arb_assignment(),
        2 => arb_policies(),
        1 => arb_name().prop_map(Order::Evaluate),
    ]
}

fn arb_traffic(model: impl Strategy<Value = u8>) -> impl Strategy<Value = Operation> {
    (model, 1_u8..16, prop::option::weighted(0.75, 0_u8..3), 0_u16..4_000).prop_map(
        |(model, requests, failing, latency)| Operation::Traffic {
            model,
            requests,
            failing,
            latency,
        },
    )
}

fn arb_operation() -> impl Strategy<Value = Operation> {
    let model = || prop_oneof![4 => Just(0_u8), 1 => Just(1)];
    let millis = prop_oneof![
        12 => 0_i32..3_000,
        6 => (1_i32..12).prop_map(|seconds| seconds * 1_000),
        2 => 0..40_000,
        1 => 0..900_000,
        1 => -60_000..0,
    ];
    let pin = prop::option::weighted(0.1, arb_name());
    prop_oneof![
        8 => millis.prop_map(Operation::Wait),
        6 => (model(), any::<u32>(), prop::option::of(0_u8..8), pin)
            .prop_map(|(model, draw, user, pin)| Operation::Route { model, draw, user, pin }),
        6 => (any::<u8>(), arb_end(), 0_u16..6_000, prop::bool::weighted(0.1), 0_u8..).prop_map(
            |(request, ending, latency, token, output)| {
                Operation::Complete { request, ending, latency, token, output }
            },
        ),
        6 => arb_traffic(model()),
        3 => any::<(u8, u32)>().prop_map(|(request, draw)| Operation::Retry { request, draw }),
        1 => any::<u8>().prop_map(Operation::GiveUp),
        1 => any::<u8>().prop_map(Operation::Abandon),
        1 => (0_u8..3, 0_u8..6)
            .prop_map(|(key, secret)| Operation::Authenticate { key, secret }),
        10 => (model(), arb_order())
            .prop_map(|(model, order)| Operation::Command { model, order }),
        1 => prop::option::weighted(0.4, Just(Operation::Restart))
            .prop_map(|restart| restart.unwrap_or(Operation::Wait(1_000))),
    ]
}

fn arb_model() -> impl Strategy<Value = ModelSetting> {
    let on = || prop::bool::weighted(0.75);
    (2_u8..6, on(), on(), on()).prop_map(
        |(max_versions, keys_survive_rollback, keep_tags, refuse_long_interval)| {
            let safeguards = Safeguards {
                keys_survive_rollback,
                keep_tags,
                refuse_long_interval,
                ..Safeguards::default()
            };
            ModelSetting { max_versions, safeguards }
        },
    )
}

/// A canary under rules that fails for some seconds, or does not: what rules are there for, and
/// what operations of their own chance seldom come to.
fn arb_incident() -> impl Strategy<Value = Vec<Operation>> {
    let model = prop_oneof![4 => Just(0_u8), 1 => Just(1)];
    let rules = prop::sample::select(RuleChoice::ALL.to_vec()).prop_map(Order::Rules);
    let before =
        prop::collection::vec(prop_oneof![arb_policies(), arb_key_order(), arb_tag()], 0..4);
    let canary = prop_oneof![3 => arb_split(), 2 => arb_start(Just(Name::Version(1)))];
    let amid = prop::option::weighted(0.15, prop_oneof![2 => arb_rollout(), 1 => arb_order()]);
    let second = (arb_traffic(Just(0)), 0..3_usize, 300_i32..6_000, amid);
    let orders = (before, rules, canary, prop::option::weighted(0.3, arb_assignment()));
    (model, orders, prop::collection::vec(second, 1..12)).prop_map(|(model, orders, seconds)| {
        let (before, rules, canary, assignment) = orders;
        let orders = before.into_iter().chain(assignment).chain([rules, canary]);
        let command = |order| Operation::Command { model, order };
        let mut operations: Vec<_> = orders.map(command).collect();
        for (traffic, retries, millis, amid) in seconds {
            let Operation::Traffic { requests, failing, latency, .. } = traffic else { continue };
            operations.push(Operation::Traffic { model, requests, failing, latency });
            operations.extend((0..retries).map(|_| Operation::Retry { request: 0, draw: 1 << 31 }));
            operations.push(Operation::Wait(millis));
            operations.extend(amid.map(command));
        }
        operations
    })
}

fn arb_case() -> impl Strategy<Value = Case> {
    let models = prop::collection::vec(arb_model(), 1..=2);
    let stretch = prop_oneof![
        3 => prop::collection::vec(arb_operation(), 1..20),
        2 => arb_incident(),
    ];
    let stretches = prop::collection::vec(stretch, 1..8);
    (models, stretches)
        .prop_map(|(models, stretches)| Case { models, operations: stretches.concat() })
}

/// In how many cases each thing must have happened at least, of those below; all others in one.
const OFTEN: &[(Happening, u32)] = &[
    (Happening::RolledBackByRule, 500),
    (Happening::RolledBackByCommand, 400),
    (Happening::Promoted, 500),
    (Happening::Redeployed, 1_000),
    (Happening::Retried, 1_000),
    (Happening::RoutedEven, 500),
    (Happening::RoutedSticky, 500),
    (Happening::FellBack, 100),
    (Happening::TagDropped, 100),
    (Happening::InGrace, 50),
    (Happening::KeysInvalidated, 15),
    (Happening::Restarted, 500),
    (Happening::ClockBack, 500),
];
const CASES: u32 = 5_000;

/// The same cases each time, so that a change is judged by what it does; `PROPTEST_CASES=N` plays
/// others, and so does `fuzz/run operations`.
#[test]
#[expect(clippy::disallowed_methods, reason = "how many cases is asked as proptest itself does")]
fn what_must_always_hold_holds_under_random_operations() {
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok());
    let cases = asked.unwrap_or(CASES);
    let config =
        Config { failure_persistence: None, max_shrink_iters: 20_000, ..Config::with_cases(cases) };
    let reached: RefCell<BTreeMap<Happening, u32>> = RefCell::default();
    let played = Cell::new(0);
    let mut runner = match asked {
        Some(_) => TestRunner::new(config),
        None => TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha)),
    };
    let found = runner.run(&arb_case(), |case| {
        played.set(played.get() + 1);
        let done = play(&case).map_err(|refuted| TestCaseError::fail(refuted.to_string()))?;
        let mut reached = reached.borrow_mut();
        for (happening, _) in done.happenings() {
            *reached.entry(happening).or_default() += 1;
        }
        Ok(())
    });
    if let Err(TestError::Fail(reason, case)) = found {
        let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("refuted.jsonl");
        fs::write(&file, case.to_lines()).unwrap();
        let scenario = case.to_scenario().map_or_else(String::new, |text| {
            let file = file.with_extension("yaml");
            fs::write(&file, text).unwrap();
            format!("its like as a scenario:\n  coalmine run {}\n", file.display())
        });
        panic!(
            "{reason}\n\n{}\nfound and shrunk by {} cases; play it again:\n  COALMINE_CASE={} \
             cargo test --test engine replay\n{scenario}",
            case.to_lines(),
            played.get(),
            file.display(),
        );
    }
    let reached = reached.into_inner();
    println!("{cases} cases hold {} claims; cases in which it happened:", Claim::ALL.len());
    for (happening, cases) in &reached {
        println!("{cases:6} {happening:?}");
    }
    for happening in Happening::ALL {
        let least = OFTEN.iter().find(|(often, _)| *often == happening).map_or(1, |(_, n)| *n);
        let least = (least * cases).div_ceil(CASES);
        let found = reached.get(&happening).copied().unwrap_or_default();
        assert!(found >= least || cases < 500, "{happening:?} in {found} cases, not {least}");
    }
}

/// `COALMINE_CASE=FILE cargo test --test engine replay`: plays a case that was kept.
#[test]
#[expect(clippy::disallowed_methods, reason = "a test has no arguments")]
fn replay() {
    let Ok(file) = std::env::var("COALMINE_CASE") else { return };
    let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{file}: {error}"));
    let case = Case::read(&text).unwrap_or_else(|error| panic!("{file}: {error}"));
    if let Err(refuted) = play(&case) {
        panic!("{file}: {refuted}");
    }
}

/// Cases that showed a fault once, of the engine or of what holds it to its word.
#[test]
fn what_was_refuted_once_holds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/engine/refuted");
    let mut files: Vec<_> =
        fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    for file in files {
        let case = Case::read(&fs::read_to_string(&file).unwrap()).unwrap();
        play(&case).unwrap_or_else(|refuted| panic!("{}: {refuted}", file.display()));
    }
}

#[test]
fn the_page_lists_every_claim() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/engine.md");
    let page = fs::read_to_string(file).unwrap();
    let (_, section) = page.split_once("## What always holds").unwrap();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
    let listed: Vec<_> = rows.map(|row| row.split_once('`').unwrap().0).collect();
    assert_eq!(listed, Claim::ALL.map(|claim| format!("{claim:?}")));
}
