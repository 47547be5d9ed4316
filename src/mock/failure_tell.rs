//! Which failure a request meets, where the plan of its response does not say.
//!
//! A plan tells what comes of a failure and when: a page instead of JSON and bad JSON are one to
//! it, and so are a stall and a slow answer. On the wire they differ. A second responder with the
//! same draws and bursts, whose failures are marks, tells which one it was.

use crate::chance::{Distribution, Draws};
use crate::exchange::{Ending, Request};
use crate::units::{Ratio, Timestamp};
use crate::upstream::{
    Behaviour, Bursts, Correlation, Failure, FailureKind, Latency, RateLimit, Responder, Setting,
};

/// Tells the failures of one behaviour apart.
#[derive(Clone, Debug)]
pub(super) struct FailureTell {
    /// `None`: plans say it all.
    marked: Option<Responder>,
    /// The failures by the number of their mark.
    kinds: Vec<FailureKind>,
}

impl FailureTell {
    /// For an upstream of this behaviour and setting.
    pub(super) fn new(behaviour: &Behaviour, setting: Setting) -> Self {
        let mut kinds = Vec::new();
        let failures = marks(&behaviour.failures, &mut kinds);
        let correlation = match &behaviour.correlation {
            Correlation::Burst(bursts) => Correlation::Burst(Bursts {
                failures: marks(&bursts.failures, &mut kinds),
                ..bursts.clone()
            }),
            other => other.clone(),
        };
        let needed = kinds.iter().any(|kind| !matches!(kind, FailureKind::Status(_)));
        let marked = needed.then(|| {
            let marked = Behaviour {
                latency: Latency::Total { total: nothing(), first_token: Ratio::ZERO },
                failures,
                correlation,
                capacity: None,
                slowdown_at_full: 1.0,
                rate_limit: RateLimit::default(),
            };
            Responder::new(&marked, setting)
        });
        Self { marked, kinds }
    }

    /// The failure of `request` if it is answered from `now` on. Nothing of a refusal for want of
    /// room: that is no failure of the behaviour, and its plan says it.
    pub(super) fn kind(
        &self,
        request: &Request,
        now: Timestamp,
        draws: Draws,
    ) -> Option<FailureKind> {
        let plan = self.marked.as_ref()?.answer(request, now, draws);
        match plan.ending {
            Ending::Status(mark) => self.kinds.get(usize::from(mark)).copied(),
            _ => None,
        }
    }
}

/// The failures as marks of the same probabilities, in the same order.
fn marks(failures: &[Failure], kinds: &mut Vec<FailureKind>) -> Vec<Failure> {
    let mark = |failure: &Failure| {
        // There are some 400 at most: one of each kind, normally and in bursts.
        let mark = u16::try_from(kinds.len()).unwrap_or(u16::MAX);
        kinds.push(failure.kind);
        let kind = FailureKind::Status(mark);
        Failure { kind, probability: failure.probability, latency: Some(nothing()) }
    };
    failures.iter().map(mark).collect()
}

fn nothing() -> Distribution {
    Distribution::constant(0.0).expect("0 is in the range of every distribution")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::Chance;
    use crate::exchange::{ModelIndex, VersionIndex};
    use crate::mock::DescribedBehaviour;
    use crate::units::{Duration, RequestId, Tokens};

    fn request(id: u64) -> Request {
        Request {
            id: RequestId(id),
            model: ModelIndex(0),
            user: (id % 50) as u32,
            session: 0,
            client: 0,
            prompt: None,
            input: Tokens::new(10),
            output: Tokens::new(20),
            stream: true,
        }
    }

    /// What a plan of a failure of this kind looks like to a streaming client.
    fn ending(kind: Option<FailureKind>) -> Ending {
        match kind {
            None | Some(FailureKind::Stall { .. } | FailureKind::Empty) => Ending::Success,
            Some(FailureKind::Status(status)) => Ending::Status(status),
            Some(FailureKind::Malformed | FailureKind::WrongContentType) => Ending::Malformed,
            Some(FailureKind::Timeout) => Ending::Timeout,
            Some(FailureKind::Refused) => Ending::Refused,
            Some(FailureKind::Reset { .. }) => Ending::Reset,
            Some(other) => panic!("{other}"),
        }
    }

    #[test]
    fn the_kind_is_that_of_the_plan_for_every_correlation() {
        let failures = serde_json::json!({
            "503": "5%", "500": "5%", "timeout": "5%", "reset": "5%", "refused": "5%",
            "malformed": "5%", "wrong_content_type": "5%", "empty": "5%", "stall": "5%",
        });
        let burst = serde_json::json!({"enter": "20%", "leave": "30%", "failures": {
            "malformed": "20%", "reset": {"probability": "10%", "at": "50%"}, "502": "10%",
        }});
        for (correlate, bursts) in [("request", false), ("user", false), ("burst", true)] {
            let mut upstream = serde_json::json!({
                "latency": "1s", "failures": failures, "correlate": correlate,
            });
            if bursts {
                upstream["burst"] = burst.clone();
            }
            let behaviour = DescribedBehaviour::read(&upstream).unwrap();
            let setting = Setting {
                chance: Chance::new(5, 0),
                version: VersionIndex(1),
                start: Timestamp::EPOCH,
                may_be_limited: false,
            };
            let tell = FailureTell::new(behaviour.behaviour(), setting);
            let responder = Responder::new(behaviour.behaviour(), setting);
            let mut failed = 0;
            for id in 0..5_000 {
                let (request, now) =
                    (request(id), Timestamp::EPOCH + Duration::from_millis(id * 7));
                let draws = setting.chance.request(request.id, 0);
                let plan = responder.answer(&request, now, draws);
                let kind = tell.kind(&request, now, draws);
                assert_eq!(ending(kind), plan.ending, "{correlate} {id}");
                let stalls = matches!(kind, Some(FailureKind::Stall { .. }));
                assert_eq!(stalls, plan.latency == Duration::from_secs(31), "{correlate} {id}");
                failed += u32::from(kind.is_some());
            }
            assert!(failed > 1_000, "{correlate}: {failed}");
        }
    }
}
