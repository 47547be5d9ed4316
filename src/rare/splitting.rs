//! Multilevel splitting: of many runs those that come nearest to a false rollback are multiplied
//! and drawn anew in parts, level by level, until some have one.
//!
//! The levels are found by a pilot with draws of its own. With these held fixed, every replicate is
//! a run of the particle method of P. Del Moral, A. Doucet and A. Jasra (Journal of the Royal
//! Statistical Society B 68, 2006, 411-436): the product of the shares of particles that reach each
//! level is unbiased for the probability, whatever the levels are and however badly moves mix. A
//! move draws some blocks of time anew and is taken back if that leads below the level (Z. I. Botev
//! and D. P. Kroese, Statistics and Computing 22, 2012, 1-16).

use super::OpenTraces;
use super::particle::{Blocks, HIT, Particle, Stream};
use crate::math;
use crate::scenario::Scenario;
use crate::simulator::SimulationError;

/// The levels of a scenario.
#[derive(Clone, Debug)]
pub(super) struct Ladder {
    blocks: Blocks,
    /// Rising scores; the last is that of a false rollback.
    levels: Vec<f64>,
}

/// What one replicate comes to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Replicate {
    /// The logarithm of its estimate; `None`: no particle reached a rollback, which estimates 0.
    pub(super) ln_probability: Option<f64>,
    /// Requests of all its runs.
    pub(super) requests: u64,
}

/// Particles on their way up.
struct Swarm<'a, E> {
    plan: (&'a Scenario, Blocks),
    open: OpenTraces<'a, E>,
    stream: Stream,
    particles: Vec<Particle>,
    requests: u64,
}

impl Ladder {
    /// Finds levels, each of which about a fifth of the particles at the one before reach.
    pub(super) fn find<E: From<SimulationError>>(
        scenario: &Scenario,
        blocks: Blocks,
        seed: u64,
        open: OpenTraces<'_, E>,
    ) -> Result<Self, E> {
        let stream = Stream::new(seed, PILOT);
        let mut swarm = Swarm::begin((scenario, blocks), stream, PILOT_PARTICLES, open)?;
        let mut levels: Vec<f64> = Vec::new();
        while levels.len() < MOST_LEVELS {
            let last = levels.last().copied().unwrap_or(f64::NEG_INFINITY);
            let Some(level) = swarm.next_level(last) else { break };
            if level >= HIT {
                break;
            }
            levels.push(level);
            swarm.climb(level)?;
        }
        levels.push(HIT);
        Ok(Self { blocks, levels })
    }

    /// One replicate.
    pub(super) fn replicate<E: From<SimulationError>>(
        &self,
        scenario: &Scenario,
        seed: u64,
        open: OpenTraces<'_, E>,
    ) -> Result<Replicate, E> {
        let stream = Stream::new(seed, REPLICATE);
        let mut swarm = Swarm::begin((scenario, self.blocks), stream, PARTICLES, open)?;
        let mut ln_probability = 0.0;
        for level in &self.levels {
            let share = swarm.share_at(*level);
            if share == 0.0 {
                return Ok(Replicate { ln_probability: None, requests: swarm.requests });
            }
            ln_probability += math::ln(share);
            if *level < HIT {
                swarm.climb(*level)?;
            }
        }
        let requests = swarm.requests;
        Ok(Replicate { ln_probability: Some(ln_probability), requests })
    }
}

impl<'a, E: From<SimulationError>> Swarm<'a, E> {
    fn begin(
        plan: (&'a Scenario, Blocks),
        mut stream: Stream,
        count: usize,
        open: OpenTraces<'a, E>,
    ) -> Result<Self, E> {
        let particles = (0..count).map(|_| Particle::draw(plan, &mut stream, open));
        let particles = particles.collect::<Result<Vec<_>, E>>()?;
        let requests = particles.iter().map(|particle| particle.requests).sum();
        Ok(Self { plan, open, stream, particles, requests })
    }

    /// The score that the best fifth have, or the next greater than `last` where that is none.
    fn next_level(&self, last: f64) -> Option<f64> {
        let mut scores: Vec<f64> = self.particles.iter().map(|particle| particle.score).collect();
        scores.sort_by(|one, other| other.total_cmp(one));
        let wanted = scores[(scores.len() - 1) / KEPT];
        if wanted > last {
            return Some(wanted);
        }
        scores.into_iter().rev().find(|score| *score > last)
    }

    fn share_at(&self, level: f64) -> f64 {
        let reached = self.particles.iter().filter(|particle| particle.score >= level).count();
        reached as f64 / self.particles.len() as f64
    }

    /// Lets those that have reached a level take the places of all, and moves each without leaving
    /// it.
    fn climb(&mut self, level: f64) -> Result<(), E> {
        let reached: Vec<&Particle> =
            self.particles.iter().filter(|particle| particle.score >= level).collect();
        // Evenly, from a place by chance: each has as many heirs as another, but for one.
        let (all, from) = (self.particles.len(), self.stream.unit());
        let heir = |place: usize| {
            let at = (place as f64 + from) / all as f64 * reached.len() as f64;
            (*reached[(at as usize).min(reached.len() - 1)]).clone()
        };
        self.particles = (0..all).map(heir).collect();
        for particle in &mut self.particles {
            for _ in 0..MOVES {
                let moved = particle.moved(self.plan, &mut self.stream, self.open)?;
                self.requests += moved.requests;
                if moved.score >= level {
                    *particle = moved;
                }
            }
        }
        Ok(())
    }
}

/// Numbers of runs that no study reaches: the first bytes of SHA-256 of "pilot" and "replicate".
const PILOT: u64 = 0x07ae_38b9_3d80_54d8;
const REPLICATE: u64 = 0xb23b_068c_8142_639b;
/// Chosen: levels that are a little off cost a little precision.
const PILOT_PARTICLES: usize = 100;
/// Chosen: the bias of nothing depends on it; with fewer more replicates end below the top.
const PARTICLES: usize = 100;
/// One in so many reaches the next level. From the design of the statistics: 0.1 to 0.2.
const KEPT: usize = 5;
/// How often a particle is moved at each level. Chosen: a few are accepted of so many.
const MOVES: usize = 4;
/// Chosen: a fifth to this power is 1e-28.
const MOST_LEVELS: usize = 40;
