//! `coalmine admin evaluate`: what a rehearsal said of a version.

use serde_json::json;

use crate::commands::world;
use crate::upstream::Upstream;

#[test]
fn what_a_rehearsal_said_of_a_version_is_attached_and_shown() {
    let upstream = Upstream::plain();
    let world = world(&upstream);
    let evaluate = ["evaluate", "org/name", "beta", "--scenario", "peak", "--seed", "7"];
    let metrics = ["--metric", "error_rate=0.0012", "--metric", "latency_p99=1.84"];
    let told = world.admin(&[&evaluate[..], &["--verdict", "pass"], &metrics].concat());
    assert_eq!(told.printed(), "org/name: version v2 evaluated: pass in peak, seed 7\n");
    let shown = world.admin(&["versions", "org/name", "v2", "--format", "json"]).json();
    let expected = json!([{"scenario": "peak", "seed": 7, "verdict": "pass",
                           "metrics": {"error_rate": 0.0012, "latency_p99": 1.84}}]);
    assert_eq!(shown["evaluations"], expected);
    assert!(
        world.admin(&["versions", "org/name", "v2"]).printed().contains("pass in peak, seed 7")
    );
    let refused = world.admin(&[&evaluate[..], &["--verdict", "good"]].concat()).refused(2);
    assert!(refused.contains("verdict") && refused.contains("400"), "{refused}");
    let unstated = world.admin(&evaluate).refused(2);
    assert!(unstated.contains("--verdict"), "{unstated}");
    let missing = world.admin(&["evaluate", "gpt-4", "g1", "--result", "not-here"]).refused(3);
    assert!(missing.contains("cannot read result not-here"), "{missing}");
}
