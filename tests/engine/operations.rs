//! Random commands, traffic, faults and clock jumps: what must always hold, holds.
//!
//! A failing case is shrunk and printed as lines of JSON; kept in a file, `read_operations` and
//! `play` run it again.

use coalmine::testing::{Ladder, Operation, Rules, play, read_operations, write_operations};
use proptest::prelude::*;

fn arb_operation() -> impl Strategy<Value = Operation> {
    let version = 0_u8..4;
    let status = prop_oneof![4 => Just(200_u16), 3 => Just(503), 1 => Just(429), 1 => Just(400),
        1 => Just(0)];
    let rules = prop_oneof![
        Just(Rules::None),
        Just(Rules::Hasty),
        Just(Rules::Document),
        Just(Rules::Strict)
    ];
    let ladder = prop_oneof![Just(Ladder::One), Just(Ladder::Three), Just(Ladder::Paused)];
    let parts = prop_oneof![
        prop::array::uniform4(0_u8..4),
        (1_u8..4, 1_u8..4).prop_map(|(old, new)| [old, new, 0, 0]),
    ];
    prop_oneof![
        6 => prop_oneof![4 => 0_i32..3_000, 1 => 0..40_000, 1 => -5_000..0]
            .prop_map(Operation::Wait),
        12 => (any::<u32>(), prop::option::weighted(0.1, version.clone()))
            .prop_map(|(draw, pin)| Operation::Route { draw, pin }),
        12 => (any::<u8>(), status, 0_u16..6_000).prop_map(|(request, status, latency)| {
            Operation::Complete { request, status, latency }
        }),
        1 => any::<u8>().prop_map(Operation::Abandon),
        1 => version.clone().prop_map(Operation::Register),
        1 => (0_u8..3, version.clone(), any::<bool>()).prop_map(|(tag, version, preserve_previous)| {
            Operation::Tag { tag, version, preserve_previous }
        }),
        2 => (parts, any::<bool>())
            .prop_map(|(parts, redeploy)| Operation::Split { parts, redeploy }),
        1 => rules.prop_map(Operation::Rules),
        1 => prop::option::of(version.clone()).prop_map(Operation::Rollback),
        2 => (version.clone(), ladder, any::<bool>()).prop_map(|(version, ladder, redeploy)| {
            Operation::Start { version, ladder, redeploy }
        }),
        1 => (version, any::<bool>())
            .prop_map(|(version, redeploy)| Operation::Promote { version, redeploy }),
        1 => Just(Operation::Pause),
        1 => Just(Operation::Resume),
        1 => Just(Operation::Abort),
        1 => Just(Operation::Restart),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(3_000)
    })]

    #[test]
    fn what_must_always_hold_holds_under_random_operations(
        operations in prop::collection::vec(arb_operation(), 1..80),
    ) {
        if let Err(refuted) = play(&operations) {
            return Err(TestCaseError::fail(format!("{refuted}\n{}", write_operations(&operations))));
        }
    }
}

#[test]
fn random_operations_reach_rollbacks_and_promotions() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let cases = prop::collection::vec(arb_operation(), 100..120);
    let (mut rollbacks, mut promotions) = (0, 0);
    for _ in 0..200 {
        let played = play(&cases.new_tree(&mut runner).unwrap().current()).unwrap();
        rollbacks += played.rollbacks;
        promotions += played.promotions;
    }
    assert!(rollbacks >= 5 && promotions > 30, "{rollbacks} rollbacks, {promotions} promotions");
}

#[test]
fn a_case_is_kept_as_lines_of_json_and_read_again() {
    let operations = vec![
        Operation::Wait(-250),
        Operation::Split { parts: [1, 1, 0, 0], redeploy: false },
        Operation::Route { draw: 7, pin: Some(1) },
        Operation::Abort,
    ];
    let text = write_operations(&operations);
    assert_eq!(text.lines().next(), Some("{\"wait\":-250}"));
    assert_eq!(read_operations(&text).unwrap(), operations);
    assert_eq!(read_operations("\"abort\"\n\"fly\"\n").unwrap_err().0, 2);
}
