//! Which triggers watch which versions: as weights, rules and the stable change, watches begin, go
//! on and end.

use super::deployment::{Deployment, Live};
use super::in_flight::InFlight;
use super::judgement::Judgement;
use super::look::Look;
use super::watch::{Breach, Health, Watch};
use super::watched::{Prices, Watched};
use super::{Assignment, RuleSet, Slot};
use crate::units::{Ratio, Timestamp};

impl Deployment {
    /// Keeps the windows and timers of triggers that go on in the new rules, and how they fared;
    /// the others are forgotten, and so is how they fared.
    pub(super) fn keep_same_triggers(&mut self, old: &RuleSet) {
        let rules = &self.state.rules;
        let go_on = |trigger: &mut usize| match rules.position_of(old, *trigger) {
            Some(position) => {
                *trigger = position;
                true
            }
            None => false,
        };
        for live in &mut self.live {
            live.watches.retain_mut(|watch| go_on(&mut watch.trigger));
        }
        self.past_health.retain_mut(|(trigger, ..)| go_on(trigger));
    }

    /// How each trigger of the present rules fared on each version that it watched: the sum over
    /// its watches.
    pub(super) fn health(&self) -> Vec<(usize, Slot, Health)> {
        let present = self.live.iter().enumerate().flat_map(|(index, live)| {
            let of = move |watch: &Watch| (watch.trigger, Slot(index as u16), watch.health());
            live.watches.iter().map(of)
        });
        Health::sums(self.past_health.iter().copied().chain(present))
    }

    /// The timers that run.
    pub(super) fn breaches(&self) -> Vec<Breach> {
        let all = self.live.iter().enumerate().flat_map(|(index, live)| {
            let of = move |watch: &Watch| {
                let (since, held) = watch.held()?;
                let (trigger, duration) = (watch.trigger, watch.duration());
                Some(Breach { trigger, version: Slot(index as u16), since, held, duration })
            };
            live.watches.iter().filter_map(of)
        });
        all.collect()
    }

    /// How far the judges have come, version by version.
    pub(super) fn judgements(&self) -> Vec<Judgement> {
        let all = self.live.iter().enumerate().flat_map(|(index, live)| {
            let of = move |watch: &Watch| {
                let (trigger, version) = (watch.trigger, Slot(index as u16));
                let (reading, progress) = watch.judged()?;
                Some(Judgement { trigger, version, reading, progress })
            };
            live.watches.iter().filter_map(of)
        });
        all.collect()
    }

    /// The checks that were carried out at `at`.
    pub(super) fn looks(&mut self, at: Timestamp) -> Vec<Look> {
        let all = self.live.iter_mut().enumerate().flat_map(|(index, live)| {
            let in_flight = live.in_flight.as_ref();
            let watches =
                live.watches.iter_mut().filter(move |watch| watch.last_check() == Some(at));
            watches.map(move |watch| Look {
                trigger: watch.trigger,
                version: Slot(index as u16),
                at,
                next: watch.next_check,
                duration: watch.duration(),
                nearness: watch.nearness(at, in_flight),
            })
        });
        all.collect()
    }

    /// Gives every version the watches that the rules want and that it does not have, and takes
    /// away those that they do not want.
    pub(super) fn renew_watches(&mut self, now: Timestamp) {
        let stable = self.state.stable();
        self.forget_comparisons_unless(stable);
        for index in 0..self.live.len() {
            let version = Slot(index as u16);
            let wanted: Vec<_> = (0..self.state.rules.triggers.len())
                .filter(|trigger| self.is_wanted(*trigger, version))
                .collect();
            let live = &mut self.live[index];
            let (kept, ended) = std::mem::take(&mut live.watches)
                .into_iter()
                .partition(|watch: &Watch| wanted.contains(&watch.trigger));
            live.watches = kept;
            for watch in ended {
                self.past_health.push((watch.trigger, version, watch.health()));
            }
            let prices = Prices {
                own: self.state.catalog.version(version).price,
                stable: stable.and_then(|stable| self.state.catalog.version(stable).price),
            };
            for trigger in wanted {
                if !live.watches.iter().any(|watch| watch.trigger == trigger) {
                    let rule = &self.state.rules.triggers[trigger];
                    let watched = Watched { prices, begun: live.begun, at: now };
                    live.watches.push(Watch::new(trigger, rule, watched, live.activated_at));
                }
            }
            live.watches.sort_by_key(|watch| watch.trigger);
            let wants_in_flight = live.watches.iter().any(Watch::sees_in_flight);
            if wants_in_flight && live.in_flight.is_none() {
                // Requests that are in flight already would be counted out without having been
                // counted in: they belong to an activation of their own.
                live.activation += 1;
                live.in_flight = Some(InFlight::default());
            } else if !wants_in_flight {
                live.in_flight = None;
            }
        }
        let watches = || self.live.iter().flat_map(|live| &live.watches);
        let compares = watches().any(Watch::compares);
        let sticky = self.state.assignment == Assignment::Sticky;
        self.judges_see_all_ends =
            watches().any(|watch| watch.sees_all_ends() || sticky && watch.is_judge());
        let is_judged = |(_, live): &(usize, &Live)| live.watches.iter().any(Watch::is_judge);
        let judged = self.live.iter().enumerate().filter(is_judged);
        self.judged = judged.map(|(index, _)| Slot(index as u16)).collect();
        self.compared_with = stable.filter(|_| compares);
    }

    /// What was compared with another stable is no evidence against this one: comparisons and
    /// judges begin anew.
    fn forget_comparisons_unless(&mut self, stable: Option<Slot>) {
        if self.reference == stable {
            return;
        }
        self.reference = stable;
        for (index, live) in self.live.iter_mut().enumerate() {
            for mut watch in std::mem::take(&mut live.watches) {
                if watch.compares() || watch.judge().is_some_and(|judge| judge.is_relative()) {
                    let version = Slot(index as u16);
                    self.past_health.push((watch.trigger, version, watch.health()));
                } else {
                    live.watches.push(watch);
                }
            }
        }
    }

    /// Whether a trigger watches a version: one that gets traffic and that it names, or, if it
    /// names none, a canary or one that was just promoted. What compares with the stable has
    /// nothing to compare the stable itself with.
    fn is_wanted(&self, trigger: usize, version: Slot) -> bool {
        let rule = &self.state.rules.triggers[trigger];
        let gets = self.split.as_ref().is_some_and(|split| split.weight(version).get() > 0.0);
        let is_stable = self.state.stable() == Some(version);
        let is_baking = self.state.rollout.baking() == Some(version);
        let named = match &rule.version {
            None => !is_stable || is_baking,
            Some(target) => self.resolve(target) == Some(version),
        };
        let comparable = !is_stable || !rule.is_relative();
        self.state.rules.enable && gets && named && comparable
    }

    pub(super) fn renew_judges(&mut self) {
        let stable = self.state.stable();
        let Some(split) = &self.split else { return };
        let stable_weight = stable.map_or(Ratio::ZERO, |stable| split.weight(stable));
        for (index, live) in self.live.iter_mut().enumerate() {
            let weight = split.weight(Slot(index as u16));
            let judges = live.watches.iter_mut().filter_map(Watch::judge);
            judges.for_each(|judge| judge.set_weights(weight, stable_weight));
        }
        self.share_alpha();
    }

    /// Divides the deployment's probability of a false alarm evenly among its judges on canaries,
    /// and a judge's own among the canaries that it watches.
    fn share_alpha(&mut self) {
        let alpha = self.state.rules.alpha.get();
        let watches = self.live.iter_mut().flat_map(|live| &mut live.watches);
        let judges: Vec<_> = watches
            .filter_map(|watch| {
                let trigger = watch.trigger;
                let judge = watch.judge().filter(|judge| judge.has_alpha())?;
                Some((judge.own_alpha().map(|own| (trigger, own)), judge))
            })
            .collect();
        let owners: Vec<_> = judges.iter().map(|(own, _)| *own).collect();
        for (own, judge) in judges {
            let among = owners.iter().filter(|other| **other == own).count() as f64;
            let alpha = own.map_or(alpha, |(_, own)| own.get());
            judge.share_alpha(Ratio::new(alpha / among).unwrap_or_default());
        }
    }
}
