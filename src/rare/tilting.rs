//! Which stretches of a scenario's time are tilted, and how: one component for each check that a
//! rule makes, of which every weighted run takes one by chance.

use std::collections::BTreeMap;

use super::counted::{Counted, hindrance, is_random, rolls_back};
use super::profile::{Course, Reach, Window};
use super::pursuit::Pursuit;
use super::survey::{Check, Survey};
use crate::exchange::{ModelIndex, VersionIndex};
use crate::math;
use crate::scenario::{Scenario, Traffic};
use crate::units::{Duration, Timestamp};

/// All components.
#[derive(Clone, Debug)]
pub(super) struct Tilting {
    pub(super) tracks: Vec<Track>,
    pub(super) components: Vec<Component>,
    /// What has to come together before a check.
    pub(super) courses: Vec<Pursuit>,
    /// How many requests come in a second, where arrivals can be left out one by one.
    pub(super) rate: Option<f64>,
}

/// The checks that one trigger makes of one version, one after the other.
#[derive(Clone, Debug)]
pub(super) struct Track {
    pub(super) model: ModelIndex,
    pub(super) version: VersionIndex,
    /// The version's place in its model.
    pub(super) slot: u16,
    pub(super) counted: Counted,
    /// Whether requests are assigned each for itself.
    pub(super) is_random: bool,
    /// When requests begin that a hit just before the first check is of.
    pub(super) origin: Timestamp,
    /// How long a cell is.
    pub(super) width: Duration,
    /// The place of the first of its components, which follow each other.
    pub(super) first: usize,
    /// How many it has.
    pub(super) count: usize,
    /// How many cells before a check bear on it.
    pub(super) cells: usize,
}

/// What one run in so many is tilted by: the cells before a check.
#[derive(Clone, Copy, Debug)]
pub(super) struct Component {
    pub(super) track: usize,
    /// The cell that begins with the check.
    pub(super) place: i64,
    pub(super) course: usize,
    /// The probability that a run takes it.
    pub(super) share: f64,
}

impl Track {
    /// The cell in which `at` lies.
    pub(super) fn cell(&self, at: Timestamp) -> i64 {
        let (at, origin) = (at.as_nanos(), self.origin.as_nanos());
        at.saturating_sub(origin).div_euclid(self.width.as_nanos() as i64)
    }

    /// When a cell begins.
    pub(super) fn begin(&self, cell: i64) -> Timestamp {
        let nanos = cell.saturating_mul(self.width.as_nanos() as i64);
        Timestamp::from_nanos(self.origin.as_nanos().saturating_add(nanos))
    }
}

impl Tilting {
    /// The components of a scenario.
    ///
    /// # Errors
    /// Something of it is not decided by draws that a rule counts one by one: what, in a sentence.
    pub(super) fn of(scenario: &Scenario, survey: &Survey) -> Result<Self, String> {
        let rate = independent_rate(scenario);
        let mut tilting =
            Self { tracks: Vec::new(), components: Vec::new(), courses: Vec::new(), rate };
        let mut entropies = Vec::new();
        for (checks, counted) in runs_of_checks(scenario, survey)? {
            entropies.extend(tilting.add(scenario, survey, &checks, counted));
        }
        tilting.divide(&entropies);
        Ok(tilting)
    }

    /// Adds the components of checks that follow each other. The entropy of each.
    fn add(
        &mut self,
        scenario: &Scenario,
        survey: &Survey,
        checks: &[Check],
        counted: Counted,
    ) -> Vec<f64> {
        let Some(first) = checks.first() else { return Vec::new() };
        let reach = (counted.window + counted.held()).as_nanos();
        // A cell for each check, or one for several.
        let interval = counted.interval.as_nanos();
        let checks_in_reach = reach.div_ceil(interval);
        let step = checks_in_reach.div_ceil(MOST_CELLS).max(1);
        let model = &scenario.models[usize::from(first.model.0)];
        let track = Track {
            model: first.model,
            version: first.version,
            slot: first.version.0 - scenario.first_version(first.model).0,
            is_random: is_random(model),
            origin: first.at - counted.delay,
            width: counted.interval * step,
            counted,
            first: self.components.len(),
            count: checks.len().div_ceil(step as usize),
            cells: reach.div_ceil(step * interval) as usize,
        };
        let cells = track.cells;
        // The cell that begins with the last check is in no window.
        let last = (checks.len() as i64 - 1) / step as i64;
        let expected = Expected::of(&track, survey, cells as i64, last);
        let mut known = BTreeMap::new();
        let places =
            (0..checks.len() as u64).step_by(step as usize).map(|check| (check / step) as i64);
        let mut entropies = Vec::new();
        for place in places {
            let reach = self.reach(&track, survey.weight(track.version, track.begin(place)));
            let key = (expected.before(place, cells), reach.weight_bits());
            let (course, entropy) = *known.entry(key).or_insert_with_key(|(expected, _)| {
                let course = course(&track, expected, reach);
                let (tilts, entropy) = course.tilts();
                self.courses.push(Pursuit::of(&course, tilts));
                (self.courses.len() - 1, entropy)
            });
            let track = self.tracks.len();
            self.components.push(Component { track, place, course, share: 0.0 });
            entropies.push(entropy);
        }
        self.tracks.push(track);
        entropies
    }

    /// How the number of requests of a track can be changed that has this weight.
    fn reach(&self, track: &Track, weight: Option<f64>) -> Reach {
        let weight = weight.filter(|weight| *weight > 0.0 && *weight < MOST_WEIGHT);
        match (self.rate, weight.filter(|_| track.is_random)) {
            (None, None) => Reach::Fixed,
            (Some(_), None) => Reach::Arrivals,
            (None, Some(weight)) => Reach::Assignment { weight },
            (Some(_), Some(weight)) => Reach::Both { weight },
        }
    }

    /// Says how probable each component is: about as probable as a breach is at its check, and
    /// none of them hardly ever.
    fn divide(&mut self, entropies: &[f64]) {
        let least = entropies.iter().copied().fold(f64::INFINITY, f64::min);
        let weights: Vec<f64> = entropies.iter().map(|one| math::exp(least - one)).collect();
        let sum: f64 = weights.iter().sum();
        let even = EVEN / entropies.len() as f64;
        for (component, weight) in self.components.iter_mut().zip(weights) {
            component.share = even + (1.0 - UNTILTED - EVEN) * weight / sum;
        }
    }
}

/// How many requests of a version come in each cell of its track on average, in steps of a
/// hundredth: cells that hardly differ are tilted alike.
struct Expected {
    first: i64,
    steps: Vec<Option<i32>>,
}

impl Expected {
    fn of(track: &Track, survey: &Survey, before: i64, after: i64) -> Self {
        // Nothing that was sent before the activation counts.
        let activated = track.begin(0) + track.counted.delay - track.counted.interval;
        let ends = |cell: i64| (track.begin(cell).max(activated), track.begin(cell + 1));
        let lasts = |cell: i64| {
            let (from, until) = ends(cell);
            until.since(from.min(until)).as_secs_f64()
        };
        let comes = |cell: i64| {
            let (from, until) = ends(cell);
            survey.requests(track.version, from, until)
        };
        let cells: Vec<(f64, f64)> =
            (-before..after).map(|cell| (comes(cell), lasts(cell))).collect();
        let step = |place: usize| {
            let near = &cells[place.saturating_sub(NEAR)..(place + NEAR + 1).min(cells.len())];
            let (requests, seconds) =
                near.iter().fold((0.0, 0.0), |sum, cell| (sum.0 + cell.0, sum.1 + cell.1));
            let requests = cells[place].1 * requests / seconds;
            (requests > 0.0).then(|| (math::ln(requests) / STEP).round() as i32)
        };
        Self { first: -before, steps: (0..cells.len()).map(step).collect() }
    }

    /// Those of so many cells before `place`, the nearest first.
    fn before(&self, place: i64, cells: usize) -> Vec<Option<i32>> {
        let of = |back: usize| {
            let index = usize::try_from(place - self.first - back as i64).ok()?;
            self.steps.get(index).copied().flatten()
        };
        (1..=cells).map(of).collect()
    }
}

/// What has to come together before a check.
fn course(track: &Track, expected: &[Option<i32>], reach: Reach) -> Course {
    let counted = &track.counted;
    let requests: Vec<f64> = expected
        .iter()
        .map(|step| step.map_or(0.0, |step| math::exp(f64::from(step) * STEP)))
        .collect();
    let width = track.width.as_secs_f64();
    let window = counted.window.as_secs_f64() / width;
    let lasts = counted.held().as_secs_f64() / width;
    let hit = counted.region.probability();
    let in_window = |from: f64| {
        let (first, cells) = (from.floor() as usize, window.ceil() as usize);
        requests.iter().skip(first).take(cells).sum::<f64>()
    };
    let broken = |from: f64| {
        let usual = in_window(from);
        let limit = Breach::usually(counted, usual, hit, reach).share;
        // One without data keeps no timer from running on.
        let may_have_data = usual >= 0.5 * counted.least as f64;
        may_have_data.then_some(Window { from, until: from + window, limit })
    };
    let mut backs: Vec<f64> =
        (0..MOST_CELLS as u32).map(f64::from).take_while(|back| *back < lasts).collect();
    backs.push(lasts);
    let windows = backs.into_iter().filter_map(broken).collect();
    let usual = in_window(0.0).max(1.0);
    let part = Breach::usually(counted, usual, hit, reach).requests / usual;
    let least = counted.least as f64;
    let least_part = (least + 0.5 * least.sqrt()) / usual;
    Course { requests, windows, hit, part, least_part, reach }
}

/// A window that is broken, on average.
struct Breach {
    /// How many requests it has.
    requests: f64,
    /// The share of them that are hits.
    share: f64,
}

impl Breach {
    /// Of a window that has so many requests usually, by chance (Poisson) where that can be
    /// changed: more hits of fewer requests may be more probable than fewer of as many as usual.
    fn usually(counted: &Counted, usual: f64, hit: f64, reach: Reach) -> Self {
        let usual = usual.max(1.0);
        let (least, most) = match reach {
            Reach::Fixed => (usual.round(), usual.round()),
            _ => ((0.3 * usual).floor().max(counted.least as f64), 1.5 * usual + 10.0),
        };
        let ln_ratio = math::ln(hit / (1.0 - hit));
        let ln_probability = |requests: f64, hits: f64| {
            let ways = math::ln_gamma(requests + 1.0)
                - math::ln_gamma(hits + 1.0)
                - math::ln_gamma(requests - hits + 1.0);
            let number = requests * math::ln(usual) - math::ln_gamma(requests + 1.0);
            ways + hits * ln_ratio + requests * math::ln(1.0 - hit) + number
        };
        let mut counts: Vec<(f64, f64, f64)> = Vec::new();
        let mut requests = least.max(1.0);
        while requests <= most.max(least) {
            let hits = counted.breaching(requests).min(requests);
            counts.push((ln_probability(requests, hits), requests, hits));
            requests += 1.0;
        }
        let top = counts.iter().map(|one| one.0).fold(f64::NEG_INFINITY, f64::max);
        let mut sums = (0.0, 0.0, 0.0);
        for (ln, requests, hits) in counts {
            let weight = math::exp(ln - top);
            sums = (sums.0 + weight, sums.1 + weight * requests, sums.2 + weight * hits);
        }
        let share = (sums.2 / sums.1).min(MOST_SHARE).max(hit);
        Self { requests: sums.1 / sums.0, share }
    }
}

/// The checks of every trigger that rolls back, those that follow each other together, with what
/// the trigger counts. Those that can never fire are left out.
fn runs_of_checks(
    scenario: &Scenario,
    survey: &Survey,
) -> Result<Vec<(Vec<Check>, Counted)>, String> {
    let mut runs: Vec<(Vec<Check>, Counted)> = Vec::new();
    for check in &survey.checks {
        let model = &scenario.models[usize::from(check.model.0)];
        let trigger = model.rules.triggers.get(check.trigger);
        if trigger.is_some_and(|trigger| !rolls_back(trigger)) {
            continue;
        }
        if let Some((run, counted)) = runs.last_mut()
            && let Some(last) = run.last()
            && (last.model, last.trigger, last.version)
                == (check.model, check.trigger, check.version)
            && last.at + counted.interval == check.at
        {
            run.push(*check);
            continue;
        }
        let named = |why: String| match trigger {
            Some(trigger) => format!("{}: {why}", trigger.id),
            None => why,
        };
        if let Some(why) = hindrance(scenario, check.model) {
            return Err(format!("{}: {why}", model.id));
        }
        let counted = Counted::of(scenario, survey, check).map_err(named)?;
        runs.push((vec![*check], counted));
    }
    runs.retain(|(_, counted)| {
        let probability = counted.region.probability();
        probability > 0.0 && probability < 1.0
    });
    Ok(runs)
}

/// How many requests come in a second, where they come independently of each other all the time.
fn independent_rate(scenario: &Scenario) -> Option<f64> {
    let Traffic::Generated(workload) = &scenario.traffic else { return None };
    let changes = scenario.phases.iter().any(|phase| phase.workload.is_some());
    let alone = scenario.models.len() == 1 && workload.population.tenants.is_empty();
    let rate = workload.arrivals.poisson_rate().filter(|_| alone && !changes);
    rate.map(|rate| rate.per_second())
}

/// The share of runs in which nothing is tilted, so that no weight exceeds its inverse. Chosen: it
/// costs one run in twenty, and what is not rare at all is estimated as well.
pub(super) const UNTILTED: f64 = 0.05;
/// No run weighs more: one over that share.
pub const HEAVIEST: f64 = 1.0 / UNTILTED;
/// The share of runs that is divided evenly among the components. Chosen: where the entropies
/// mislead, which a slip of a twentieth in the number of requests is enough for, a third of the
/// runs does not follow them.
const EVEN: f64 = 0.35;
/// Chosen: finer cells tell hardly more.
const MOST_CELLS: u64 = 60;
/// A weight above which requests cannot be assigned to others. Chosen: a thousandth is left.
const MOST_WEIGHT: f64 = 0.999;
/// How many cells to either side a mean number of requests is taken over. Chosen: less than most
/// stages of a rollout last, and enough to even out chance.
const NEAR: usize = 5;
/// The logarithm of the steps of numbers of requests. Chosen: 40 and 39 of them may need another
/// number of hits, and must not be taken for each other.
const STEP: f64 = 0.01;
/// Chosen: keeps logarithms finite where all of a few requests must be hits.
const MOST_SHARE: f64 = 0.999;
