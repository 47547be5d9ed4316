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
use super::pursuit::{Counts, Standing};
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
    /// Whether it makes hits more or less probable as they lack.
    pursues: bool,
    /// By component, how much more probable the answers were under it.
    answers: Vec<Answers>,
    coins: Coins,
}

/// The logarithms of how much more probable answers were.
#[derive(Clone, Copy, Debug, Default)]
struct Answers {
    /// With hits as probable as planned.
    planned: f64,
    /// With hits more or less probable as they lack.
    pursued: f64,
}

/// The probabilities of a hit either way.
struct Hits {
    planned: f64,
    pursued: f64,
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
    /// The answers of all cells before it.
    before: Counts<u64>,
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
            pursues: coins.throw() < PURSUING,
            answers: vec![Answers::default(); tilting.components.len()],
            coins,
        }
    }

    /// The logarithm of its weight, where it ended at `end`.
    pub(super) fn ln_weight(&self, end: Timestamp) -> f64 {
        let until = self.over.unwrap_or(end).min(end);
        let of = |(component, answers): (&Component, &Answers)| {
            math::ln(component.share) + answers.ln() + self.ln_likelihood(component, until)
        };
        let untilted = match self.tilting.components.is_empty() {
            true => 0.0,
            false => math::ln(UNTILTED),
        };
        let all = self.tilting.components.iter().zip(&self.answers).map(of);
        let all: Vec<f64> = all.chain([untilted]).collect();
        let most = all.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        -(most + math::ln(all.iter().map(|one| math::exp(one - most)).sum()))
    }

    /// The logarithm of how much more probable under a component were the numbers of requests.
    fn ln_likelihood(&self, component: &Component, until: Timestamp) -> f64 {
        let track = &self.tilting.tracks[component.track];
        let tallies = &self.tallies[component.track];
        let cells = self.tilting.courses[component.course].tilts.iter().zip(1..);
        let cells = cells.filter(|(tilt, _)| tilt.changes_numbers()).map(|(tilt, back)| {
            let cell = component.place - back;
            let drawn = tallies.at(cell).map_or(0.0, |tally| tally.ln_likelihood(tilt));
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
        let tilts = &self.tilting.courses[component.course].tilts;
        let tilt = tilts.get(back.checked_sub(1)?)?;
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
        let aim = self.aim(at, version, draws);
        let tracks = self.tilting.tracks.iter().enumerate();
        for (index, track) in tracks.filter(|(_, track)| track.version == version) {
            let Counted { purpose, region, .. } = &track.counted;
            let aimed = aim.filter(|aim| aim.purpose == *purpose);
            let draw = aimed.map_or_else(|| draws.draw(*purpose, 0), |aim| aim.draw);
            self.count(index, at, region.contains(draw));
        }
        aim
    }
}

impl Tilted<'_> {
    /// What takes the place of a draw of the answer by the component that this run is tilted by.
    fn aim(&mut self, at: Timestamp, version: VersionIndex, draws: Draws) -> Option<Aim> {
        let component = self.component?;
        let track = &self.tilting.tracks[component.track];
        if track.version != version {
            return None;
        }
        self.tallies[component.track].grow_to(track.cell(at));
        let hits = self.hits(&component, at)?;
        let hit = if self.pursues { hits.pursued } else { hits.planned };
        let Counted { purpose, region, .. } = &track.counted;
        let inside = self.coins.throw() < hit;
        let draw = region.lead(draws.draw(*purpose, 0), inside)?;
        Some(Aim { purpose: *purpose, draw })
    }

    /// Counts an answer of a track, and how much more probable it was under each component.
    fn count(&mut self, index: usize, at: Timestamp, inside: bool) {
        let track = &self.tilting.tracks[index];
        let cell = track.cell(at);
        self.tallies[index].grow_to(cell);
        let usual = track.counted.region.probability();
        let places = (cell + 1).max(0)..(cell + 1 + track.cells as i64).min(track.count as i64);
        for place in places {
            let place = track.first + place as usize;
            let Some(hits) = self.hits(&self.tilting.components[place], at) else { continue };
            let of = |hit: f64| match inside {
                _ if hit == usual => 0.0,
                true => math::ln(hit / usual),
                false => math::ln((1.0 - hit) / (1.0 - usual)),
            };
            let answers = &mut self.answers[place];
            answers.planned += of(hits.planned);
            answers.pursued += of(hits.pursued);
        }
        let tally = self.tallies[index].grow_to(cell);
        tally.inside += u64::from(inside);
        tally.outside += u64::from(!inside);
    }

    /// The probability of a hit under a component, either way; `None` where it does not reach. The
    /// tallies of `at` are there.
    fn hits(&self, component: &Component, at: Timestamp) -> Option<Hits> {
        let track = &self.tilting.tracks[component.track];
        let tallies = &self.tallies[component.track];
        let cell = track.cell(at);
        let back = usize::try_from(component.place - cell).ok()?;
        let pursuit = &self.tilting.courses[component.course];
        if back == 0 || back > pursuit.tilts.len() {
            return None;
        }
        let until = track.begin(cell + 1).since(at).as_nanos();
        let rest = until as f64 / track.width.as_nanos() as f64;
        let since = |back: usize| tallies.since(component.place - back as i64);
        let usual = track.counted.region.probability();
        let pursued = pursuit.hit(&track.counted, usual, &Standing { back, rest, since });
        Some(Hits { planned: pursuit.tilts[back - 1].hit, pursued })
    }
}

impl Answers {
    /// The logarithm of how much more probable they were where runs go either way by chance.
    fn ln(self) -> f64 {
        let Self { planned, pursued } = self;
        let most = planned.max(pursued);
        let sum =
            (1.0 - PURSUING) * math::exp(planned - most) + PURSUING * math::exp(pursued - most);
        most + math::ln(sum)
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
        while self.cells.len() <= place {
            let before = self.all();
            self.cells.push(Tally { before, ..Tally::default() });
        }
        &mut self.cells[place]
    }

    /// All answers so far.
    fn all(&self) -> Counts<u64> {
        self.cells.last().map_or_else(Counts::default, Tally::with_before)
    }

    /// The answers since the beginning of `cell`.
    fn since(&self, cell: i64) -> Counts<u64> {
        let (all, before) = (self.all(), self.at(cell.max(self.first)).map(|tally| tally.before));
        let before = before.unwrap_or(all);
        Counts { hits: all.hits - before.hits, requests: all.requests - before.requests }
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

    /// The answers of this cell and of those before it.
    const fn with_before(&self) -> Counts<u64> {
        let Counts { hits, requests } = self.before;
        Counts { hits: hits + self.inside, requests: requests + self.inside + self.outside }
    }

    /// The logarithm of how much more probable the numbers of requests are under a tilt, but for
    /// the time in which nothing arrived.
    fn ln_likelihood(&self, tilt: &Tilt) -> f64 {
        let Tilt { keep, odds, .. } = *tilt;
        let mut sum = 0.0;
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

/// The share of runs in which hits are pursued. Chosen: in the others they are as probable as
/// planned, so that no run weighs more than twice as much as if none were pursued. Where all were,
/// some runs in which requests came otherwise than expected weighed eighty times as much as others.
const PURSUING: f64 = 0.5;
/// A run number that no study reaches, for what is no draw of the run itself: the first bytes of
/// SHA-256 of "coins".
const COINS: u64 = 0x62f0_14cb_3162_58f8;
/// Chosen: with the greatest weight under which anything is assigned to others, none of so many
/// draws is another's once in e^20 times; then the request is the version's own.
const MOST_TRIES: usize = 20_000;
