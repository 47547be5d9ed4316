//! How often the tests that judges are made of raise a false alarm when they are looked at all the
//! time: under steady errors, shocks common to both arms, steps of the weights, and bursts of one
//! arm; and how often tests made for one look do.
//!
//! `JUDGE_RUNS` says how many runs each has (400): 20,000 give the figures in the documentation
//! (`JUDGE_RUNS=20000 cargo test --release --test judges -- --nocapture`).

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]
#![expect(clippy::print_stdout, reason = "the figures of a long run are for people to read")]

use coalmine::chance::{Chance, Draws, Purpose};
use coalmine::math;
use coalmine::stats::{
    BurstBlock, Confidence, ErrorRatioTest, Interval, MannWhitney, ObjectiveTest,
};
use coalmine::units::{Duration, Ratio, Timestamp};

/// At which every judge here rejects.
const ALPHA: f64 = 0.01;

/// How many of the runs raised an alarm.
struct Alarms {
    raised: u64,
    runs: u64,
}

impl Alarms {
    fn of(name: &str, run: impl Fn(&mut Random) -> bool) -> Self {
        let runs = std::env::var_os("JUDGE_RUNS").map(|runs| runs.into_string().unwrap());
        let runs = runs.map_or(400, |runs| runs.parse().unwrap());
        let raised = (0..runs).filter(|number| run(&mut Random::of(name, *number))).count() as u64;
        let alarms = Self { raised, runs };
        let Interval { low, high } = alarms.limits();
        let share = raised as f64 / runs as f64;
        println!("{name}: {raised} of {runs}, {share:.4} [{low:.4}, {high:.4}]");
        alarms
    }

    /// Between which the probability of an alarm lies, at 95 %.
    fn limits(&self) -> Interval {
        Interval::clopper_pearson(self.raised, self.runs, Confidence::PERCENT_95)
    }

    /// A judge holds its alpha; with many runs the upper limit is at most 1.3 times that.
    fn hold(&self) {
        let limits = self.limits();
        assert!(limits.low <= ALPHA, "{limits:?}");
        assert!(self.runs < 20_000 || limits.high <= 1.3 * ALPHA, "{limits:?}");
    }
}

/// The draws of one run.
struct Random {
    draws: Draws,
    next: u32,
}

impl Random {
    fn of(name: &str, run: u64) -> Self {
        let seed = name.bytes().fold(0, |seed: u64, byte| seed.wrapping_mul(31) + u64::from(byte));
        Self { draws: Chance::new(seed, run).second(0, 0), next: 0 }
    }

    /// Uniform in (0, 1).
    fn unit(&mut self) -> f64 {
        self.next += 1;
        self.draws.draw(Purpose::Failure, self.next).unit()
    }

    fn hit(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    fn exponential(&mut self, mean: f64) -> f64 {
        -math::ln(self.unit()) * mean
    }

    fn normal(&mut self) -> f64 {
        math::normal_quantile(self.unit())
    }
}

/// Times at which something begins at random and for how long, in seconds.
struct Spells(Vec<(f64, f64)>);

impl Spells {
    /// One in `every` seconds on average over an hour, each of `least` to three times that.
    fn new(random: &mut Random, every: f64, least: f64) -> Self {
        let mut spells = Vec::new();
        let mut at = random.exponential(every);
        while at < HOUR {
            let length = least * (1.0 + 2.0 * random.unit());
            spells.push((at, at + length));
            at += length + random.exponential(every);
        }
        Self(spells)
    }

    fn none() -> Self {
        Self(Vec::new())
    }

    fn cover(&self, at: f64) -> bool {
        self.0.iter().any(|(from, to)| (*from..*to).contains(&at))
    }

    /// When one begins or ends next.
    fn next_edge(&self, at: f64) -> f64 {
        let edges = self.0.iter().flat_map(|(from, to)| [*from, *to]);
        edges.filter(|edge| *edge > at).fold(f64::INFINITY, f64::min)
    }
}

const HOUR: f64 = 3_600.0;
/// Of a ladder.
const STEP: f64 = 600.0;

/// An hour of a rollout at 20 requests a second, 1 % of which fail on either arm; ten minutes each
/// at the first shares of the ladder, the rest at its last.
struct Rollout {
    ladder: &'static [f64],
    /// What the canary's error rate is of the stable's.
    ratio: f64,
    /// 20 times the errors on both arms for 10 to 30 seconds, every five minutes.
    shocks: bool,
    /// Half of an arm's requests fail for 10 to 30 seconds, every five minutes, each arm by itself.
    bursts: bool,
    /// The length of the blocks that let one error through; 0 lets all through.
    block: Duration,
}

impl Rollout {
    const STEADY: Self =
        Self { ladder: &[0.5], ratio: 1.0, shocks: false, bursts: false, block: Duration::ZERO };

    /// Whether a test for this effect ever rejects.
    fn rejects(&self, effect: f64, random: &mut Random) -> bool {
        let mut test = ErrorRatioTest::new(effect);
        let mut block = BurstBlock::new(self.block);
        let spells = |given: bool, random: &mut Random, least: f64| match given {
            true => Spells::new(random, 300.0, least),
            false => Spells::none(),
        };
        let shocks = spells(self.shocks, random, 10.0);
        let bursts = [(); 2].map(|()| spells(self.bursts, random, 10.0));
        let mut at = 0.0;
        while at < HOUR {
            // Rates stay as they are up to the next change, from where the wait begins anew.
            let share = self.share(at);
            let arms = [1.0 - share, share];
            let [stable, canary] = [false, true].map(|canary| {
                20.0 * arms[usize::from(canary)] * self.failing(canary, at, &shocks, &bursts)
            });
            let change = [&shocks, &bursts[0], &bursts[1]].map(|spells| spells.next_edge(at));
            let change = change.into_iter().fold((at / STEP).floor() * STEP + STEP, f64::min);
            at += random.exponential(1.0 / (stable + canary));
            if at >= change {
                at = change;
                continue;
            }
            let canary = random.hit(canary / (stable + canary));
            if block.admits(Timestamp::EPOCH + Duration::from_secs_f64(at)) {
                test.record(canary, Ratio::new(share).unwrap());
                if test.ln_evidence() >= -math::ln(ALPHA) {
                    return true;
                }
            }
        }
        false
    }

    fn share(&self, at: f64) -> f64 {
        self.ladder[((at / STEP) as usize).min(self.ladder.len() - 1)]
    }

    /// The share of requests that fail on an arm at a time.
    fn failing(&self, canary: bool, at: f64, shocks: &Spells, bursts: &[Spells; 2]) -> f64 {
        if bursts[usize::from(canary)].cover(at) {
            return 0.5;
        }
        let common = if shocks.cover(at) { 0.2 } else { 0.01 };
        common * if canary { self.ratio } else { 1.0 }
    }
}

const LADDER: &[f64] = &[0.05, 0.25, 0.5];
const BLOCK: Duration = Duration::from_secs(10);

#[test]
fn two_arms_hold_their_alpha_under_steady_errors_shocks_and_ladders() {
    for (name, ladder, shocks) in [
        ("steady, 50 %", &[0.5][..], false),
        ("steady, 5 %", &[0.05], false),
        ("ladder", LADDER, false),
        ("ladder with shocks", LADDER, true),
    ] {
        // At the largest ratio that is allowed.
        for ratio in [1.0, 1.5] {
            let rollout = Rollout { ladder, ratio, shocks, ..Rollout::STEADY };
            let name = format!("{name}, effect {ratio}");
            Alarms::of(&name, |random| rollout.rejects(ratio, random)).hold();
        }
    }
}

#[test]
fn a_canary_equal_to_the_stable_hardly_ever_breaks_an_effect_of_half() {
    let rollout = Rollout { ladder: LADDER, shocks: true, ..Rollout::STEADY };
    let alarms = Alarms::of("equal arms, effect 1.5", |random| rollout.rejects(1.5, random));
    assert!(alarms.limits().low <= 0.1 * ALPHA, "{:?}", alarms.limits());
}

#[test]
fn blocks_hold_alpha_under_bursts_of_one_arm_at_equal_shares_only() {
    let rejects = |name: &str, ladder: &'static [f64], block: Duration, effect: f64| {
        let rollout = Rollout { ladder, bursts: true, block, ..Rollout::STEADY };
        let name = format!("bursts, {name}, effect {effect}");
        Alarms::of(&name, |random| rollout.rejects(effect, random))
    };
    // Without blocks such errors break the test.
    assert!(rejects("50 %, no blocks", &[0.5], Duration::ZERO, 1.0).limits().low > 0.2);
    assert!(rejects("50 %, no blocks", &[0.5], Duration::ZERO, 1.5).limits().low > 0.2);
    rejects("50 %, blocks", &[0.5], BLOCK, 1.5).hold();
    // Stays without control, as its documentation says.
    assert!(rejects("5 %, no blocks", &[0.05], Duration::ZERO, 1.5).limits().low > 0.2);
    assert!(rejects("5 %, blocks", &[0.05], BLOCK, 1.5).limits().low > ALPHA);
    rejects("ladder, blocks", LADDER, BLOCK, 1.5);
    rejects("50 %, blocks", &[0.5], BLOCK, 1.0);
}

#[test]
fn one_arm_holds_its_alpha_against_its_objective() {
    // 20,000 requests at the objective, and at a rate that swings below it.
    for (name, depth) in [("objective, steady", 0.0), ("objective, swinging", 0.5)] {
        let alarms = Alarms::of(name, |random| {
            let test = ObjectiveTest::new(Ratio::from_percent(1));
            let mut hits = 0;
            (0..20_000_u32).any(|request| {
                let swing = 0.5 + 0.5 * math::sin(f64::from(request) / 500.0);
                hits += u64::from(random.hit(0.01 * (1.0 - depth * swing)));
                test.ln_evidence(hits, u64::from(request) + 1) >= -math::ln(ALPHA)
            })
        });
        alarms.hold();
    }
}

#[test]
fn tests_for_one_look_raise_many_more_at_thirty() {
    // The z-test of one mean at 5 %, looked at after every 100 of 3,000: by P. Armitage, C. K.
    // McPherson and B. C. Rowe, JRSS A 132 (1969), 235-244, some 30 %.
    let alarms = Alarms::of("z-test at 5 %, 30 looks", |random| {
        let mut sum = 0.0;
        (1..=30).any(|look| {
            sum += random.normal();
            sum.abs() > 1.959_963_984_540_054 * f64::from(look).sqrt()
        })
    });
    let limits = alarms.limits();
    assert!(limits.low < 0.31 && limits.high > 0.27, "{limits:?}");
    // The rank test at 2 %, as of Kayenta, on 10 to 68 buckets of time of each arm.
    let alarms = Alarms::of("rank test at 2 %, 30 looks", |random| {
        let mut buckets = [(); 2].map(|()| (0..8).map(|_| random.normal()).collect::<Vec<f64>>());
        (0..30).any(|_| {
            for arm in &mut buckets {
                arm.extend([random.normal(), random.normal()]);
            }
            let [canary, stable] = &buckets;
            let confidence = Confidence::new(0.98).unwrap();
            MannWhitney::of(canary, stable, confidence).unwrap().p_value <= 0.02
        })
    });
    assert!(alarms.limits().low > 0.04, "{:?}", alarms.limits());
}
