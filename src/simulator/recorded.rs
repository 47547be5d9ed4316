//! Versions that answer as a trace has recorded them.

use super::upstreams::Whose;
use super::virtual_run::VirtualRun;
use crate::chance::{Draws, Purpose};
use crate::exchange::{RecordedAnswer, VersionIndex};
use crate::record::Observer;
use crate::units::Duration;
use crate::upstream::ResponsePlan;

impl<O: Observer> VirtualRun<'_, O> {
    /// The answer of `version`, if it answers as recorded.
    #[inline(always)]
    pub(super) fn recorded(
        &mut self,
        version: VersionIndex,
        draws: Draws,
        whose: Whose,
    ) -> Option<ResponsePlan> {
        if self.plays_recorded { self.find_recorded(version, draws, whose) } else { None }
    }

    #[cold]
    fn find_recorded(
        &mut self,
        version: VersionIndex,
        draws: Draws,
        whose: Whose,
    ) -> Option<ResponsePlan> {
        let draw = draws.draw(Purpose::Latency, 0);
        let answer = match whose {
            Whose::Latest => self.source.answer_latest(version, draw),
            Whose::Other => self.source.answer_another(version, draw),
        };
        answer.map(plan)
    }

    /// What `version` would have answered to a request that it does not get, if it answers as
    /// recorded.
    pub(super) fn recorded_instead(
        &self,
        version: VersionIndex,
        draws: Draws,
    ) -> Option<ResponsePlan> {
        let draw = draws.draw(Purpose::Latency, 0);
        self.source.answer_instead(version, draw).map(plan)
    }
}

/// Repeats and waits that the recording has are those of its clients, not of the upstream.
const fn plan(answer: RecordedAnswer) -> ResponsePlan {
    let RecordedAnswer { ending, latency, first_token, output, .. } = answer;
    let (repeats, tail, retry_after, failure) = (false, Duration::ZERO, None, None);
    ResponsePlan { ending, latency, tail, first_token, output, repeats, retry_after, failure }
}
