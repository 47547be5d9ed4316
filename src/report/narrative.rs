//! The timeline of a run in sentences, for every output that a person reads.

use super::command_text::{order_text, part_text, refusal_text};
use super::lockout_text::lockout;
use crate::engine::{NoTarget, RolloutState, Waiting};
use crate::exchange::{ModelIndex, VersionIndex};
use crate::record::{
    ArmCount, Blast, Happening, Order, Record, TimelineEvent, evidence_text, p_value_text,
};
use crate::units::{
    Duration, KeyId, Ratio, Timestamp, format_count, format_duration, format_percent,
    format_set_share,
};

/// An event of the timeline.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Sentence {
    /// How long after the start.
    pub(crate) after: Duration,
    /// When, to the millisecond: in a simulation all digits have a value that nobody reads.
    pub(crate) at: Timestamp,
    pub(crate) text: String,
}

/// The sentences of a timeline, shortened to a number of them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Narrative {
    /// What is told, in the order of time.
    pub(crate) lines: Vec<Line>,
}

/// A line of a shortened timeline.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Line {
    /// An event.
    Sentence(Sentence),
    /// How many events are left out here.
    Omitted(u64),
}

impl Narrative {
    /// The timeline of `record` in at most `most` sentences: two thirds of them from its beginning,
    /// the others from its end. Commands and faults that came to nothing are told wherever they
    /// stand: who reads that a command was given must not miss that it was refused.
    pub(crate) fn of(record: &Record, most: usize) -> Self {
        let events = &record.timeline.events;
        let from_end = if events.len() > most { most / 3 } else { 0 };
        let (head, tail) = (most - from_end, events.len().saturating_sub(from_end));
        let (mut lines, mut omitted) = (Vec::new(), 0);
        for (index, event) in events.iter().enumerate() {
            if (head..tail).contains(&index) && !came_to_nothing(&event.happening) {
                omitted += 1;
                continue;
            }
            if index == tail {
                // Those for which the record had no room are among what is left out.
                omitted += record.timeline.omitted;
            }
            lines.extend((omitted > 0).then_some(Line::Omitted(omitted)));
            omitted = 0;
            lines.push(Line::Sentence(sentence(record, event)));
        }
        if from_end == 0 {
            omitted += record.timeline.omitted;
        }
        lines.extend((omitted > 0).then_some(Line::Omitted(omitted)));
        Self { lines }
    }

    /// The events that are told.
    pub(super) fn sentences(&self) -> impl Iterator<Item = &Sentence> {
        self.lines.iter().filter_map(|line| match line {
            Line::Sentence(sentence) => Some(sentence),
            Line::Omitted(_) => None,
        })
    }
}

/// What stands where so many events are left out.
pub(crate) fn ellipsis(omitted: u64) -> String {
    format!("… {} more {}", format_count(omitted), if omitted == 1 { "event" } else { "events" })
}

/// What the windows of a model's rules hold: attempts, where some request took several.
fn counted_in_windows(record: &Record, version: VersionIndex) -> &'static str {
    let model = record.model_of(version);
    let mut own = record.cells.iter().filter(|cell| record.model_of(cell.version) == model);
    let several = own.any(|cell| cell.attempts.is_some() || cell.finals.is_some());
    if several { "attempts" } else { "requests" }
}

fn came_to_nothing(happening: &Happening) -> bool {
    matches!(
        happening,
        Happening::CommandRefused { .. }
            | Happening::CommandMissed { .. }
            | Happening::FaultMissed { .. }
            | Happening::CommandIdle { .. }
    )
}

fn sentence(record: &Record, event: &TimelineEvent) -> Sentence {
    let after = event.at.since(record.start);
    let nanos = event.at.as_nanos();
    let at = Timestamp::from_nanos(nanos - nanos.rem_euclid(NANOS_PER_MILLISECOND));
    Sentence { after, at, text: text_of(record, event) }
}

fn text_of(record: &Record, event: &TimelineEvent) -> String {
    let name = |version: VersionIndex| version_name(record, version);
    match &event.happening {
        Happening::PhaseBegan { phase } => {
            format!("phase \"{}\" begins", phase_name(record, *phase))
        }
        Happening::WaitEnded { phase, what } => wait_text(phase_name(record, *phase), what),
        Happening::SplitChanged { model, weights } => split_text(record, *model, weights),
        Happening::FaultBegan { version, what } => fault_text(record, "begins", *version, what),
        Happening::FaultEnded { version, what } => fault_text(record, "ends", *version, what),
        Happening::FaultMissed { version, what } => {
            fault_text(record, "never begins", *version, what) + TRAFFIC_OVER
        }
        Happening::WorkloadChanged { what } => format!("the workload changes: {what}"),
        Happening::Commanded { model, order } => {
            format!("command{}: {}", of_model(record, *model), order_text(order))
        }
        Happening::CommandIdle { model, order } => {
            format!("{} changes nothing: all stands so already", given(record, *model, order))
        }
        Happening::CommandRefused { model, order, why } => {
            format!("{} refused: {}", given(record, *model, order), refusal_text(why))
        }
        Happening::CommandMissed { model, order } => given(record, *model, order) + NEVER_GIVEN,
        Happening::BreachBegan { trigger, version } => {
            breach_text(record, "begins", *version, *trigger)
        }
        Happening::BreachEnded { trigger, version } => {
            breach_text(record, "ends", *version, *trigger)
        }
        Happening::Fired { version, evidence, .. } => {
            let counted = counted_in_windows(record, *version);
            format!("rule fires on {}: {}", name(*version), evidence_text(evidence, counted))
        }
        Happening::Notified { trigger, version, recipients } => {
            let rule = record.trigger(*version, *trigger);
            format!("notification for {recipients}: {rule} on {}", name(*version))
        }
        Happening::RolledBack { version, target } => {
            rollback_text(record, event.at, (*version, *target))
        }
        Happening::RollbackRefused { version, why } => {
            let why = why.map_or_else(String::new, |why| format!(": {}", nowhere(why)));
            format!("rollback of {} refused: there is nowhere to go{why}", name(*version))
        }
        Happening::RolloutMoved { version, from, to } => rollout_text(name(*version), *from, *to),
        Happening::StepWaits { version, stage, waiting } => {
            let step = stage.0 + 1;
            let why = waiting_text(record, *version, waiting);
            format!("step {step} of the rollout of {} waits: {why}", name(*version))
        }
        Happening::TagLost { tag, version } => {
            format!("tag {tag} of {} is lost", name(*version))
        }
        Happening::KeysInvalidated { version, keys } => keys_text(name(*version), keys),
        Happening::LockedOut { client, reason, requests, until } => {
            let until = until.map(|until| until.since(record.start));
            lockout(record, *client, *reason, (*requests, until))
        }
        Happening::SplitSkew { arms, p_value } => skew_text(record, arms, *p_value),
        Happening::PinShare { pinned, requests, limit, .. } => {
            pins_text(*pinned, *requests, *limit)
        }
        Happening::Drained { version } => {
            format!("last request of {} has ended", name(*version))
        }
    }
}

fn fault_text(record: &Record, verb: &str, version: VersionIndex, what: &str) -> String {
    format!("fault {verb} on {}: {what}", version_name(record, version))
}

fn rollback_text(
    record: &Record,
    at: Timestamp,
    (fault, target): (Option<VersionIndex>, VersionIndex),
) -> String {
    let of = fault.map_or_else(
        || " by command".to_owned(),
        |version| format!(" of {}", version_name(record, version)),
    );
    let since = since_onset(record, at, (fault, target));
    let is_false = fault.is_some() && since.is_empty();
    let rollback = if is_false { "false rollback" } else { "rollback" };
    format!("{rollback}{of} to {}{since}", version_name(record, target))
}

fn wait_text(phase: &str, what: &str) -> String {
    format!("phase \"{phase}\" ends at its latest: there was no {what}")
}

fn breach_text(record: &Record, verb: &str, version: VersionIndex, trigger: usize) -> String {
    let rule = record.trigger(version, trigger);
    format!("breach {verb} on {}: {rule}", version_name(record, version))
}

/// Why a rollback had nowhere to go.
const fn nowhere(why: NoTarget) -> &'static str {
    match why {
        // Whoever reads a report may not know that rollbacks by command count too.
        NoTarget::RolledBack => {
            "what it would go to was rolled back too, by a rule or by a command that took its \
             traffic, and gets none again before it is deployed with redeploy"
        }
        other => other.words(),
    }
}

fn phase_name(record: &Record, phase: u16) -> &str {
    record.phases.get(usize::from(phase)).map_or("", |phase| phase.name.as_str())
}

/// The weights of a model, in a sentence.
fn split_text(record: &Record, model: ModelIndex, weights: &[Ratio]) -> String {
    let weights = record.versions_of(model).map(VersionIndex).zip(weights);
    let share = |(version, weight): (VersionIndex, &Ratio)| {
        let share =
            || format!("{} to {}", format_set_share(weight.get()), version_name(record, version));
        (*weight != Ratio::ZERO).then(share)
    };
    let shares = weights.filter_map(share).collect::<Vec<_>>().join(", ");
    match &record.models[..] {
        [_, _, ..] => format!("traffic split of {}: {shares}", model_name(record, model)),
        _ => format!("traffic split: {shares}"),
    }
}

/// ` for gpt-4`, where there are several models.
fn of_model(record: &Record, model: Option<ModelIndex>) -> String {
    match (&record.models[..], model) {
        ([_, _, ..], Some(model)) => format!(" for {}", model_name(record, model)),
        _ => String::new(),
    }
}

/// `command for gpt-4 to roll back`.
fn given(record: &Record, model: Option<ModelIndex>, order: &Order) -> String {
    let asked = match order {
        Order::Begin { phase, with } => {
            format!("begin phase \"{}\" with {}", phase_name(record, *phase), part_text(with))
        }
        order => order_text(order),
    };
    format!("command{} to {asked}", of_model(record, model))
}

/// Keys that a rollback invalidated, in a sentence.
fn keys_text(version: &str, keys: &[KeyId]) -> String {
    let keys: Vec<_> = keys.iter().map(KeyId::as_str).collect();
    format!("the rollback of {version} invalidates its access keys: {}", keys.join(", "))
}

/// Too many pins, in a sentence.
fn pins_text(pinned: u64, requests: u64, limit: Ratio) -> String {
    let (pinned, requests, limit) =
        (format_count(pinned), format_count(requests), format_set_share(limit.get()));
    format!("{pinned} of {requests} requests are pinned, more than {limit}")
}

/// Shares that are not those of the split, in a sentence.
fn skew_text(record: &Record, arms: &[ArmCount], p_value: f64) -> String {
    let all = arms.iter().map(|arm| arm.count).sum();
    let shares = arms.iter().map(|arm| {
        let share = Ratio::of(arm.count, all).map_or(0.0, Ratio::get);
        let (found, expected) = (format_percent(share), format_set_share(arm.weight.get()));
        format!("{} has {found} instead of {expected}", version_name(record, arm.version))
    });
    let shares = shares.collect::<Vec<_>>().join(", ");
    format!("requests do not follow the split ({}): {shares}", p_value_text(p_value))
}

fn rollout_text(version: &str, from: RolloutState, to: RolloutState) -> String {
    match (from, to) {
        (RolloutState::Paused(_), RolloutState::Stepping(stage)) => {
            format!("rollout of {version} goes on with step {}", stage.0 + 1)
        }
        (_, RolloutState::Stepping(stage)) => {
            format!("rollout of {version}: step {} begins", stage.0 + 1)
        }
        (_, RolloutState::Paused(stage)) => {
            format!("rollout of {version} pauses at step {}", stage.0 + 1)
        }
        (_, RolloutState::Promoted) => format!("{version} is promoted: it is the stable now"),
        (_, RolloutState::RolledBack) => format!("rollout of {version} ends by the rollback"),
        (_, RolloutState::Aborted) => format!("rollout of {version} is aborted"),
        (RolloutState::Promoted, RolloutState::Idle) => {
            format!("{version} is no longer watched after its promotion")
        }
        (_, RolloutState::Idle) => format!("rollout of {version} is over"),
    }
}

fn waiting_text(record: &Record, version: VersionIndex, waiting: &Waiting) -> String {
    let names = |triggers: &[usize]| {
        let names = triggers.iter().map(|trigger| record.trigger(version, *trigger));
        names.collect::<Vec<_>>().join(", ")
    };
    match waiting {
        Waiting::InBreach { triggers } => format!("in breach: {}", names(triggers)),
        Waiting::InsufficientData { requests, required, without_data } => {
            let (found, wanted) = (format_count(*requests), format_count(*required));
            let mut text = format!("{found} of {wanted} requests");
            if !without_data.is_empty() {
                text.push_str(&format!("; without data: {}", names(without_data)));
            }
            text
        }
    }
}

/// `, 75 s after the onset` of a rollback at `at`, of a version at fault or, by command, of all to
/// a target; nothing for one without an onset.
pub(super) fn since_onset(
    record: &Record,
    at: Timestamp,
    (fault, target): (Option<VersionIndex>, VersionIndex),
) -> String {
    let onset = match fault {
        Some(_) => {
            let mut rollbacks = record.rollbacks.iter();
            let found = rollbacks.find(|rollback| rollback.at == at && rollback.target == target);
            found.and_then(|rollback| rollback.onset)
        }
        None => ended_harm(record, at, target).map(|blast| blast.onset).min(),
    };
    onset.map_or_else(String::new, |onset| {
        format!(", {} after the onset", format_duration(at.since(onset)))
    })
}

/// The harm that a rollback by command to `target` brought to an end.
pub(super) fn ended_harm(
    record: &Record,
    at: Timestamp,
    target: VersionIndex,
) -> impl Iterator<Item = &Blast> {
    record.blasts.iter().filter(move |blast| {
        let goes_on = blast.onset <= at && blast.drained.is_none_or(|drained| drained >= at);
        let same_model = record.model_of(blast.version) == record.model_of(target);
        goes_on && same_model && blast.version != target
    })
}

/// The name of a model of the record.
pub(super) fn model_name(record: &Record, model: ModelIndex) -> &str {
    record.models.get(usize::from(model.0)).map_or("", |info| info.id.as_str())
}

/// The name of a version of the record.
pub(crate) fn version_name(record: &Record, version: VersionIndex) -> &str {
    record.version(version).map_or("", |info| info.id.as_str())
}

const NEVER_GIVEN: &str = " was never given: its phase was over before its time";

const TRAFFIC_OVER: &str = ": all traffic was over before its time";

const NANOS_PER_MILLISECOND: i64 = 1_000_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Refusal;
    use crate::result::example::{crowded, eventful, rolled_back};

    #[test]
    fn a_rollback_is_told_with_its_reason() {
        let narrative = Narrative::of(&rolled_back(1.0), 40);
        let texts: Vec<&str> = narrative.sentences().map(|told| told.text.as_str()).collect();
        assert_eq!(
            texts,
            [
                "phase \"warm up\" begins",
                "phase \"canary at 10 %\" begins",
                "phase \"degraded\" begins",
                "fault begins on gpt-4-turbo-v2: 8 % of requests answered 503",
                "breach begins on gpt-4-turbo-v2: error_rate > 5 % for 60 s",
                "rule fires on gpt-4-turbo-v2: error_rate > 5 % for 60 s: error_rate 8.20 % (5 of 61 \
                 requests) > 5 % in 60 s, held for 60 s",
                "rollback of gpt-4-turbo-v2 to gpt-4-v1, 75 s after the onset",
                "last request of gpt-4-turbo-v2 has ended",
                "fault ends on gpt-4-turbo-v2: 8 % of requests answered 503",
            ]
        );
        let rollback = narrative.sentences().nth(6).unwrap();
        assert_eq!(rollback.after, Duration::from_secs(1_275));
        assert_eq!(narrative.lines.len(), texts.len(), "nothing is left out");
    }

    #[test]
    fn rollouts_lost_tags_vain_waits_and_commands_are_told() {
        let narrative = Narrative::of(&eventful(), 40);
        let texts: Vec<&str> = narrative.sentences().map(|told| told.text.as_str()).collect();
        assert_eq!(
            texts[9..],
            [
                "rollout of gpt-4-turbo-v2: step 1 begins",
                "rollout of gpt-4-turbo-v2 pauses at step 1",
                "gpt-4-turbo-v2 is promoted: it is the stable now",
                "gpt-4-turbo-v2 is no longer watched after its promotion",
                "step 1 of the rollout of gpt-4-turbo-v2 waits: 7 of 10 requests; without data: \
                 error_rate > 5 % for 60 s",
                "step 1 of the rollout of gpt-4-turbo-v2 waits: in breach: error_rate > 5 % for \
                 60 s",
                "tag beta of gpt-4-turbo-v2 is lost",
                "phase \"degraded\" ends at its latest: there was no rollback",
                "fault never begins on gpt-4-turbo-v2: latency x 4: all traffic was over before its \
                 time",
                "the workload changes: 2 times as fast",
                "command: roll back",
                "command to roll back refused: no version holds the tag stable",
                "command to roll back was never given: its phase was over before its time",
                "command to pause the rollout changes nothing: all stands so already",
                "notification for Slack (hooks.slack.example) and ops@example.com: \
                 error_rate > 5 % for 60 s on gpt-4-turbo-v2",
                "client web is locked out because the secret that it presents was replaced: 3 \
                 requests refused until +11m 30s",
                "client batch is locked out because its key was revoked: 1 request refused to the end \
                 of the run",
            ]
        );
    }

    #[test]
    fn a_rollback_by_command_is_told_as_such_with_the_harm_that_it_ended() {
        let record = rolled_back(1.0);
        let told = |second, target| {
            let target = VersionIndex(target);
            let happening = Happening::RolledBack { version: None, target };
            let at = record.start + Duration::from_secs(second);
            sentence(&record, &TimelineEvent { at, happening }).text
        };
        // The canary is bad from 1,200 s on, and drained at 1,277 s.
        assert_eq!(told(1_199, 0), "rollback by command to gpt-4-v1");
        assert_eq!(told(1_230, 0), "rollback by command to gpt-4-v1, 30 s after the onset");
        assert_eq!(told(1_230, 1), "rollback by command to gpt-4-turbo-v2");
        assert_eq!(told(1_278, 0), "rollback by command to gpt-4-v1");
    }

    #[test]
    fn a_rollback_with_nowhere_to_go_says_why() {
        let record = rolled_back(1.0);
        let told = |why| {
            let happening = Happening::RollbackRefused { version: VersionIndex(1), why };
            sentence(&record, &TimelineEvent { at: record.start, happening }).text
        };
        for (why, end) in [
            (None, "there is nowhere to go"),
            (Some(NoTarget::Missing), "there is no other version to go to"),
            (Some(NoTarget::AtFault), "what the rule names is the version itself"),
            (Some(NoTarget::RolledBack), "before it is deployed with redeploy"),
        ] {
            assert!(told(why).ends_with(end), "{}", told(why));
        }
    }

    #[test]
    fn a_long_timeline_keeps_its_beginning_and_its_end() {
        let record = crowded();
        let narrative = Narrative::of(&record, 30);
        let all = record.timeline.events.len() as u64;
        assert_eq!((narrative.lines.len(), narrative.sentences().count()), (31, 30));
        assert_eq!(narrative.lines[20], Line::Omitted(all - 30));
        assert_eq!(ellipsis(all - 30), format!("… {} more events", all - 30));
        assert_eq!(ellipsis(1), "… 1 more event");
        let last = record.timeline.events.last().unwrap();
        assert_eq!(narrative.sentences().last().unwrap().at, last.at);
    }

    #[test]
    fn commands_that_came_to_nothing_are_never_left_out() {
        let mut record = crowded();
        let told = || "roll back".to_owned();
        let (model, order, why) = (None, Order::Told(told()), Refusal::Told("no".to_owned()));
        let undone = [
            (30, Happening::CommandRefused { model, order: order.clone(), why }),
            (35, Happening::CommandMissed { model, order }),
        ];
        for (index, happening) in undone {
            let at = record.timeline.events[index].at;
            record.timeline.events.insert(index, TimelineEvent { at, happening });
        }
        let all = record.timeline.events.len() as u64;
        let lines = Narrative::of(&record, 30).lines;
        let text = |line: usize| match &lines[line] {
            Line::Sentence(sentence) => sentence.text.as_str(),
            Line::Omitted(_) => "",
        };
        // Of the events from 20 on those at 30 and 35 are told.
        assert_eq!((&lines[20], &lines[22]), (&Line::Omitted(10), &Line::Omitted(4)));
        assert_eq!(text(21), "command to roll back refused: no");
        assert_eq!(
            text(23),
            "command to roll back was never given: its phase was over before its time"
        );
        assert_eq!((&lines[24], lines.len()), (&Line::Omitted(all - 36 - 10), 35));
    }
}
