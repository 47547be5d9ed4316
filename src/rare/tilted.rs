//! One weighted run: a component is taken by chance, the draws of its cells are tilted, and
//! whatever was drawn weighs how much less probable it would have been without that.
//!
//! With p the probability of what was drawn as it is and q that under component m, the product of
//! all q / p is the likelihood ratio `L_m`; a run weighs `1 / sum_m share_m L_m` (the balance
//! heuristic: E. Veach and L. J. Guibas, SIGGRAPH 1995, doi:10.1145/218380.218498), so that no
//! weight exceeds one over the share of runs in which nothing is tilted. What is tilted, and how
//! much, depends at each draw on what came before: the product is a martingale, and right whenever
//! a run ends by what has been seen. Draws of requests whose answers are still to come count.

use super::counted::Counted;
use super::profile::Tilt;
use super::tilting::{Component, Tilting, Track, UNTILTED};
use crate::chance::{Chance, Draws, Purpose};
use crate::engine::{Slot, Split};
use crate::exchange::{ModelIndex, VersionIndex};
use crate::math;
use crate::simulator::Steering;
use crate::units::{Draw, Ratio, RequestId, Timestamp};
use crate::upstream::Aim;

/// Tilts the draws of one run, and counts what it drew.
pub(super) struct Tilted<'a> {
    tilting: &'a Tilting,
    /// What this run is tilted by; `None`: by nothing.
    component: Option<Component>,
    start: Timestamp,
    /// When arrivals were over.
    over: Option<Timestamp>,
    tallies: Vec<Tallies>,
    coins: Coins,
}

/// Decides what is tilted, apart from all draws of the run itself.
struct Coins {
    chance: Chance,
    thrown: u64,
}

/// What was drawn in each cell of a track.
#[derive(Clone, Debug, Default)]
struct Tallies {
    /// The cell of the first.
    first: i64,
    cells: Vec<Tally>,
}

/// What was drawn in one cell.
#[derive(Clone, Debug, Default)]
struct Tally {
    /// Requests that were sent.
    arrivals: u64,
    /// Assignments under each weight of the version, where requests are assigned by chance.
    assigned: Vec<(f64, u64)>,
    /// Those of them that were the version's.
    own: u64,
    /// Draws of the version's answers in the region, and out of it.
    inside: u64,
    outside: u64,
}

impl<'a> Tilted<'a> {
    /// The run of `seed`, which begins at `start`.
    pub(super) fn new(tilting: &'a Tilting, seed: u64, start: Timestamp) -> Self {
        let mut coins = Coins { chance: Chance::new(seed, COINS), thrown: 0 };
        let mut place = coins.throw() - UNTILTED;
        let taken = tilting.components.iter().find(|component| {
            let here = (0.0..component.share).contains(&place);
            place -= component.share;
            here
        });
        Self {
            tilting,
            component: taken.copied(),
            start,
            over: None,
            tallies: vec![Tallies::default(); tilting.tracks.len()],
            coins,
        }
    }

    /// The logarithm of its weight, where it ended at `end`.
    pub(super) fn ln_weight(&self, end: Timestamp) -> f64 {
        let until = self.over.unwrap_or(end).min(end);
        let of = |component: &Component| {
            math::ln(component.share) + self.ln_likelihood(component, until)
        };
        let untilted = match self.tilting.components.is_empty() {
            true => 0.0,
            false => math::ln(UNTILTED),
        };
        let all: Vec<f64> = self.tilting.components.iter().map(of).chain([untilted]).collect();
        let most = all.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        -(most + math::ln(all.iter().map(|one| math::exp(one - most)).sum()))
    }

    /// The logarithm of how much more probable the run was under a component.
    fn ln_likelihood(&self, component: &Component, until: Timestamp) -> f64 {
        let track = &self.tilting.tracks[component.track];
        let tallies = &self.tallies[component.track];
        let cells = self.tilting.courses[component.course].iter().zip(1..);
        let hit = track.counted.region.probability();
        let none = Tilt::none(hit);
        let cells = cells.filter(|(tilt, _)| **tilt != none).map(|(tilt, back)| {
            let cell = component.place - back;
            let drawn = tallies.at(cell).map_or(0.0, |tally| tally.ln_likelihood(tilt, hit));
            match self.tilting.rate.filter(|_| tilt.keep < 1.0) {
                None => drawn,
                // Of a Poisson process of which a part is left out.
                Some(rate) => {
                    let (from, to) = (track.begin(cell), track.begin(cell + 1));
                    let (from, to) = (from.max(self.start), to.min(until));
                    let seconds = to.since(from.min(to)).as_secs_f64();
                    drawn + (1.0 - tilt.keep) * rate * seconds
                }
            }
        });
        cells.sum()
    }

    /// How the draws of `at` are tilted, and by the track of which the component is.
    fn tilt(&self, at: Timestamp) -> Option<(&'a Track, Tilt)> {
        let component = self.component?;
        let track = &self.tilting.tracks[component.track];
        let back = usize::try_from(component.place - track.cell(at)).ok()?;
        let tilt = self.tilting.courses[component.course].get(back.checked_sub(1)?)?;
        Some((track, *tilt))
    }

    /// The tallies of `at` of all tracks.
    fn tallies_at(&mut self, at: Timestamp) -> impl Iterator<Item = (&'a Track, &mut Tally)> {
        let tallies = self.tilting.tracks.iter().zip(&mut self.tallies);
        tallies.map(move |(track, tallies)| (track, tallies.grow_to(track.cell(at))))
    }

    /// The draw by which a request is assigned the version, or another, by chance.
    fn assign(&mut self, split: &Split, draws: Draws, tilt: Tilt, version: Slot) -> Draw {
        let weight = split.weight(version).get();
        let own = weight * tilt.odds / (weight * tilt.odds + 1.0 - weight);
        if self.coins.throw() < own
            && let Some(draw) = split.draw_of(version)
        {
            return draw;
        }
        // Of those of others the first: each as probable as it was among them.
        let others = (0..).map(|number| draws.draw(Purpose::Split, number));
        let mut others = others.take(MOST_TRIES).filter(|draw| split.assign(*draw) != version);
        others.next().unwrap_or_else(|| draws.draw(Purpose::Split, 0))
    }
}

impl Steering for Tilted<'_> {
    fn sends(&mut self, at: Timestamp) -> bool {
        let keep = self.tilt(at).map_or(1.0, |(_, tilt)| tilt.keep);
        if keep < 1.0 && self.coins.throw() >= keep {
            return false;
        }
        self.tallies_at(at).for_each(|(_, tally)| tally.arrivals += 1);
        true
    }

    fn nothing_comes(&mut self, at: Timestamp) {
        self.over.get_or_insert(at);
    }

    fn splits(&mut self, at: Timestamp, model: ModelIndex, split: &Split, draws: Draws) -> Draw {
        let tilt = self.tilt(at).filter(|(track, tilt)| track.model == model && tilt.odds != 1.0);
        let draw = match tilt {
            None => draws.draw(Purpose::Split, 0),
            Some((track, tilt)) => self.assign(split, draws, tilt, Slot(track.slot)),
        };
        let assigned = split.assign(draw);
        for (track, tally) in self.tallies_at(at) {
            if track.model == model && track.is_random {
                let version = Slot(track.slot);
                tally.assign(split.weight(version), assigned == version);
            }
        }
        draw
    }

    fn aims(&mut self, at: Timestamp, version: VersionIndex, draws: Draws) -> Option<Aim> {
        let tilt = self.tilt(at).filter(|(track, _)| track.version == version);
        let aim = tilt.and_then(|(track, tilt)| {
            let Counted { purpose, region, .. } = &track.counted;
            let inside = self.coins.throw() < tilt.hit;
            let draw = region.lead(draws.draw(*purpose, 0), inside)?;
            Some(Aim { purpose: *purpose, draw })
        });
        for (track, tally) in self.tallies_at(at).filter(|(track, _)| track.version == version) {
            let Counted { purpose, region, .. } = &track.counted;
            let aimed = aim.filter(|aim| aim.purpose == *purpose);
            let draw = aimed.map_or_else(|| draws.draw(*purpose, 0), |aim| aim.draw);
            let inside = region.contains(draw);
            tally.inside += u64::from(inside);
            tally.outside += u64::from(!inside);
        }
        aim
    }
}

impl Coins {
    /// A number that is uniform in (0, 1).
    fn throw(&mut self) -> f64 {
        let draws = self.chance.request(RequestId(self.thrown), 0);
        self.thrown += 1;
        draws.draw(Purpose::Tilt, 0).unit()
    }
}

impl Tallies {
    fn at(&self, cell: i64) -> Option<&Tally> {
        let place = usize::try_from(cell.checked_sub(self.first)?).ok()?;
        self.cells.get(place)
    }

    /// That of `cell`, none of which is before the last one that was asked for.
    fn grow_to(&mut self, cell: i64) -> &mut Tally {
        if self.cells.is_empty() {
            self.first = cell;
        }
        let place = usize::try_from(cell - self.first).unwrap_or(0);
        if self.cells.len() <= place {
            self.cells.resize_with(place + 1, Tally::default);
        }
        &mut self.cells[place]
    }
}

impl Tally {
    fn assign(&mut self, weight: Ratio, is_own: bool) {
        let weight = weight.get();
        self.own += u64::from(is_own);
        match self.assigned.last_mut().filter(|(last, _)| *last == weight) {
            Some((_, count)) => *count += 1,
            None => self.assigned.push((weight, 1)),
        }
    }

    /// The logarithm of how much more probable it is under a tilt, but for the time in which
    /// nothing arrived.
    fn ln_likelihood(&self, tilt: &Tilt, hit: f64) -> f64 {
        let Tilt { hit: tilted, keep, odds } = *tilt;
        let mut sum = times(self.inside, math::ln(tilted / hit))
            + times(self.outside, math::ln((1.0 - tilted) / (1.0 - hit)));
        if keep < 1.0 {
            sum += times(self.arrivals, math::ln(keep));
        }
        if odds != 1.0 {
            sum += times(self.own, math::ln(odds));
            for (weight, count) in &self.assigned {
                sum -= times(*count, math::ln(weight * odds + 1.0 - weight));
            }
        }
        sum
    }
}

/// `count` times `value`; nothing of something infinite is nothing.
fn times(count: u64, value: f64) -> f64 {
    if count == 0 { 0.0 } else { count as f64 * value }
}

/// A run number that no study reaches, for what is no draw of the run itself: the first bytes of
/// SHA-256 of "coins".
const COINS: u64 = 0x62f0_14cb_3162_58f8;
/// Chosen: with the greatest weight under which anything is assigned to others, none of so many
/// draws is another's once in e^20 times; then the request is the version's own.
const MOST_TRIES: usize = 20_000;
