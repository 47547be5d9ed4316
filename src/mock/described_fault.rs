//! Faults beside the words that describe them, as scenario files have them in a phase.

use serde_json::{Value, json};

use super::BehaviourError;
use super::described_behaviour::{around, loaded};
use crate::upstream::Fault;

/// A fault and its description.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct DescribedFault {
    pub(super) fault: Fault,
    pub(super) description: Value,
}

impl DescribedFault {
    /// The faults of a list, which are to come over the upstream that `upstream` describes; null
    /// where it is not known.
    ///
    /// # Errors
    /// All that is wrong with them: also failures that come to more than all requests with those
    /// of the upstream.
    pub(super) fn read_all(faults: &Value, upstream: &Value) -> Result<Vec<Self>, BehaviourError> {
        match faults {
            Value::Array(none) if none.is_empty() => return Ok(Vec::new()),
            Value::Array(_) => {}
            other => {
                let found: String = other.to_string().chars().take(40).collect();
                let problem = format!("the faults are {found}: allowed is a list of them");
                return Err(BehaviourError::Invalid { problems: vec![problem] });
            }
        }
        let any = json!({"latency": "1s"});
        let mut scenario = around(if upstream.is_null() { &any } else { upstream });
        scenario["phases"][0]["faults"] = json!({"mock": faults});
        let mut loaded = loaded(&scenario)?;
        let described = loaded.resolved.pointer_mut(FAULTS).map(Value::take);
        let described = match described {
            Some(Value::Array(list)) => list,
            _ => Vec::new(),
        };
        let phase = loaded.scenario.phases.into_iter().next();
        let faults = phase.map(|phase| phase.faults).unwrap_or_default();
        let mut described = described.into_iter();
        let both = faults
            .into_iter()
            .map(|(_, fault)| Self { fault, description: described.next().unwrap_or_default() });
        Ok(both.collect())
    }
}

/// Where the resolved form of that scenario has them.
const FAULTS: &str = "/phases/0/faults/mock";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Duration;
    use crate::upstream::{FaultShape, LatencyChange};

    fn read(faults: &Value) -> Result<Vec<DescribedFault>, String> {
        let upstream = json!({"latency": "1s", "failures": {"500": "60%"}});
        DescribedFault::read_all(faults, &upstream).map_err(|error| error.to_string())
    }

    #[test]
    fn faults_read_as_they_do_in_a_scenario() {
        let read = read(&json!([
            {"at": "40m", "for": "10m", "ramp": "2m", "failures": {"503": "30%"}},
            {"latency": {"times": 3}, "shape": "sine", "period": "1m"},
        ]));
        let read = read.unwrap();
        let [first, second] = &read[..] else { panic!("{read:?}") };
        assert_eq!(first.fault.at, Duration::from_secs(2_400));
        assert_eq!(first.fault.lasts, Some(Duration::from_secs(600)));
        assert_eq!(first.fault.failures[0].probability.get(), 0.3);
        assert_eq!(second.fault.latency, Some(LatencyChange::Times(3.0)));
        assert_eq!(second.fault.shape, FaultShape::Sine { period: Duration::from_secs(60) });
        let shown = json!([first.description, second.description]);
        assert_eq!(self::read(&shown).unwrap(), read, "what is shown can be read again");
    }

    #[test]
    fn wrong_faults_are_refused_with_a_remedy() {
        let told = read(&json!([{"failures": {"503": "50%"}}])).unwrap_err();
        assert!(told.contains("110%"), "{told}");
        let told = read(&json!([{"latncy": {"times": 3}}])).unwrap_err();
        assert!(told.contains("`latency`"), "{told}");
        for wrong in [json!(null), json!({}), json!("x"), json!([1]), json!([{"for": "0s"}])] {
            assert!(read(&wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn no_faults_are_none_and_any_can_come_over_an_unknown_upstream() {
        assert_eq!(read(&json!([])), Ok(Vec::new()));
        let all = json!([{"failures": {"503": "100%"}}]);
        assert_eq!(DescribedFault::read_all(&all, &Value::Null).unwrap().len(), 1);
    }
}
