//! Counter-based draws: keyed mixing of an address into 64 uniform bits.
//!
//! A request's key is made by two rounds of a finaliser of the kind that ends SplitMix64 (Steele,
//! Lea and Flood, OOPSLA 2014, doi:10.1145/2660193.2660195, with D. Stafford's constants "Mix13"),
//! with the run's key between them. From the key a draw is one step of wyrand (Wang Yi, wyhash,
//! 2019): the two halves of a product of 128 bits, folded. It is fast and passes the tests below;
//! it is no cipher.

use std::convert::Infallible;

use rand::TryRng;

use crate::units::Draw;
use crate::units::RequestId;

/// The randomness of one run: a key made from the seed and the run's number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Chance(u64);

impl Chance {
    /// The randomness of run number `run` under `seed`.
    pub const fn new(seed: u64, run: u64) -> Self {
        // For a given seed different runs have different keys: every step is a bijection of `run`.
        Self(mix(mix(seed.wrapping_add(STEP)) ^ mix(run.wrapping_mul(STEP))))
    }

    /// The draws of attempt number `attempt` (0 is the first) at a request.
    #[inline]
    pub const fn request(self, id: RequestId, attempt: u8) -> Draws {
        self.draws(id.0, attempt as u64)
    }

    /// The draws that belong to a user and not to one of the requests.
    #[inline]
    pub const fn user(self, user: u32) -> Draws {
        self.realm(USERS).draws(user as u64, 0)
    }

    /// The draws of second `second` since the epoch at place `place`, such as the number of a
    /// version: for states that change with time and not with requests.
    pub const fn second(self, place: u16, second: i64) -> Draws {
        self.realm(SECONDS).draws(second as u64, place as u64)
    }

    /// A randomness of its own, as that of another run.
    const fn realm(self, realm: u64) -> Self {
        Self(mix(self.0 ^ realm))
    }

    #[inline]
    const fn draws(self, number: u64, subnumber: u64) -> Draws {
        // The key enters between two rounds, not as a start of the count: otherwise the counts
        // of two runs could overlap in a long stretch.
        let address = number.wrapping_mul(STEP).wrapping_add(subnumber.wrapping_mul(STRIDE));
        Draws(mix(mix(address) ^ self.0))
    }
}

/// The draws of one attempt at one request, of a user, or of a second.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Draws(u64);

impl Draws {
    /// Draw number `number` for `purpose`.
    #[inline]
    pub const fn draw(self, purpose: Purpose, number: u32) -> Draw {
        self.at(purpose, number as u64)
    }

    /// All draws for `purpose` in their order, as a generator.
    pub const fn rng(self, purpose: Purpose) -> DrawRng {
        DrawRng { draws: self, purpose, next: 0 }
    }

    /// Draw `number`, below 2^56, so that purpose and number share a word without overlap.
    #[inline]
    const fn at(self, purpose: Purpose, number: u64) -> Draw {
        // The purpose stands lowest, so that the product spreads it over the whole word.
        let address = (number << 8 | purpose as u64).wrapping_mul(STEP);
        let place = self.0.wrapping_add(address);
        Draw::from_bits(fold(place, place ^ FOLD))
    }
}

/// What a draw decides. The numbers are frozen constants: they enter every draw, so changing one
/// changes every result under every seed. A new purpose takes a new number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u64)]
pub enum Purpose {
    /// Which version is assigned.
    Split = 1,
    /// The time to the next arrival.
    Gap = 2,
    /// Tokens of the prompt.
    InputTokens = 3,
    /// Tokens of the answer.
    OutputTokens = 4,
    /// Whether the answer is streamed.
    Stream = 5,
    /// Who sends it.
    User = 6,
    /// Which model is asked for.
    Model = 7,
    /// How long the answer takes.
    Latency = 8,
    /// How long the first token takes.
    FirstToken = 9,
    /// Whether and how it fails.
    Failure = 10,
    /// How long a failure takes.
    FailureLatency = 11,
    /// How long the connection to an upstream takes.
    Connect = 32,
    /// How long a token of the prompt takes.
    PerInputToken = 33,
    /// How long a token of the answer takes.
    PerOutputToken = 34,
    /// How long an answer takes to end after its last token.
    Tail = 35,
    /// Whether a burst of failures begins or ends in a second.
    Burst = 36,
    /// Whether a user is among those that a fault hits.
    FaultShare = 37,
    /// How far into its first period an arrival process begins.
    Start = 64,
    /// How long a burst of arrivals lasts.
    BurstOn = 65,
    /// How long no burst comes.
    BurstOff = 66,
    /// How dense a burst is.
    BurstRate = 67,
    /// How long a user waits between an answer and the next request.
    Think = 68,
    /// By whose access key a request is sent.
    Client = 69,
    /// What a request says.
    Prompt = 70,
    /// Tokens of a prompt that is sent more than once.
    PromptTokens = 71,
    /// How many requests a session has.
    SessionLength = 72,
    /// When a request was sent whose recorded time was rounded.
    Spread = 73,
    /// Whether a session is in the sample of a trace.
    Sample = 74,
    /// How long the gateway waits before another attempt.
    Backoff = 96,
    /// Where draws of other purposes are led when a rare event is looked for.
    Tilt = 97,
}

/// The draws for one purpose, numbers 0, 1, 2 and so on, as a generator of the `rand` crate.
/// Draw number n is [`Draws::draw`]`(purpose, n)`; 2^56 of them are distinct addresses.
#[derive(Clone, Debug)]
pub struct DrawRng {
    draws: Draws,
    purpose: Purpose,
    next: u64,
}

impl TryRng for DrawRng {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok((self.try_next_u64()? >> 32) as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let draw = self.draws.at(self.purpose, self.next);
        self.next += 1;
        Ok(draw.bits())
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.try_next_u64()?.to_le_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}

/// The finaliser Mix13: a bijection of 64 bits in which every input bit flips about half of the
/// output.
#[inline]
pub(crate) const fn mix(bits: u64) -> u64 {
    let bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// The high half of the product, on the low one.
#[inline]
const fn fold(a: u64, b: u64) -> u64 {
    let product = a as u128 * b as u128;
    (product >> 64) as u64 ^ product as u64
}

/// Tells the factors of a draw apart: the second constant of wyhash.
const FOLD: u64 = 0xe703_7ed1_a0b4_28db;
/// Spreads consecutive numbers over 64 bits: 2^64 over the golden ratio, made odd (SplitMix64).
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
/// Keep the randomness of users and of seconds apart from that of requests: the first bytes of
/// SHA-256 of "users" and of "seconds".
const USERS: u64 = 0x7dfb_4cf6_7742_cb06;
const SECONDS: u64 = 0x59f0_06d6_3bd0_09b7;
/// Keeps attempts apart from request ids: 2^64 times the fraction of sqrt(2), made odd.
const STRIDE: u64 = 0x6a09_e667_f3bc_c909;

#[cfg(test)]
mod tests {
    use rand::Rng;

    use super::*;

    /// Chi-square of counts against equal shares, as standard deviations from its mean.
    fn chi_square_z(counts: &[u64]) -> f64 {
        let total: u64 = counts.iter().sum();
        let expected = total as f64 / counts.len() as f64;
        let chi: f64 = counts
            .iter()
            .map(|count| (*count as f64 - expected) * (*count as f64 - expected))
            .sum();
        let freedom = counts.len() as f64 - 1.0;
        (chi / expected - freedom) / (2.0 * freedom).sqrt()
    }

    /// Chi-square over a 32 by 32 table of the leading bits of pairs: sees dependence of two
    /// neighbouring addresses and of each part on its own.
    fn pair_z(pairs: impl Iterator<Item = (Draw, Draw)>) -> f64 {
        let mut counts = vec![0; 1024];
        for (a, b) in pairs {
            counts[((a.bits() >> 59) << 5 | b.bits() >> 59) as usize] += 1;
        }
        chi_square_z(&counts)
    }

    fn at(seed: u64, run: u64, id: u64, attempt: u8, purpose: Purpose, number: u32) -> Draw {
        Chance::new(seed, run).request(RequestId(id), attempt).draw(purpose, number)
    }

    #[test]
    fn draws_are_uniform_in_their_high_and_low_bits() {
        let (mut high, mut low) = (vec![0; 1024], vec![0; 1024]);
        for id in 0..400_000 {
            let bits = at(1, 0, id, 0, Purpose::Latency, 0).bits();
            high[(bits >> 54) as usize] += 1;
            low[(bits & 1023) as usize] += 1;
        }
        assert!(chi_square_z(&high).abs() < 4.0, "{}", chi_square_z(&high));
        assert!(chi_square_z(&low).abs() < 4.0, "{}", chi_square_z(&low));
    }

    #[test]
    fn neighbouring_addresses_are_independent() {
        let here = |id| at(7, 3, id, 0, Purpose::Latency, 0);
        type Neighbour = fn(u64) -> Draw;
        let neighbours: [(&str, Neighbour); 6] = [
            ("id", |id| at(7, 3, id + 1, 0, Purpose::Latency, 0)),
            ("attempt", |id| at(7, 3, id, 1, Purpose::Latency, 0)),
            ("purpose", |id| at(7, 3, id, 0, Purpose::FirstToken, 0)),
            ("number", |id| at(7, 3, id, 0, Purpose::Latency, 1)),
            ("seed", |id| at(8, 3, id, 0, Purpose::Latency, 0)),
            ("run", |id| at(7, 4, id, 0, Purpose::Latency, 0)),
        ];
        for (name, neighbour) in neighbours {
            let z = pair_z((0..200_000).map(|id| (here(id), neighbour(id))));
            assert!(z.abs() < 4.0, "{name}: {z}");
        }
    }

    #[test]
    fn seeds_and_runs_are_independent_at_one_request() {
        let by_seed = (0..200_000).map(|seed| {
            (at(seed, 0, 5, 0, Purpose::Split, 0), at(seed + 1, 0, 5, 0, Purpose::Split, 0))
        });
        assert!(pair_z(by_seed).abs() < 4.0);
        let swapped = (0..200_000).map(|n| {
            (at(n, n + 1, 5, 0, Purpose::Split, 0), at(n + 1, n, 5, 0, Purpose::Split, 0))
        });
        assert!(pair_z(swapped).abs() < 4.0);
    }

    #[test]
    fn one_flipped_bit_of_an_address_flips_half_of_the_draw() {
        type Address = (u64, u64, u64, u32);
        type Flip = fn(Address, u64) -> Address;
        let draw =
            |(seed, run, id, number): Address| at(seed, run, id, 0, Purpose::Gap, number).bits();
        let flips: [(&str, u32, Flip); 4] = [
            ("seed", 64, |a, bit| (a.0 ^ bit, a.1, a.2, a.3)),
            ("run", 64, |a, bit| (a.0, a.1 ^ bit, a.2, a.3)),
            ("id", 64, |a, bit| (a.0, a.1, a.2 ^ bit, a.3)),
            ("number", 32, |a, bit| (a.0, a.1, a.2, a.3 ^ bit as u32)),
        ];
        for (name, width, flip) in flips {
            for bit in 0..width {
                let mut flipped = [0_u32; 64];
                for n in 0..2_000_u64 {
                    let address = (n, n * n, n + 99, n as u32);
                    let change = draw(address) ^ draw(flip(address, 1 << bit));
                    for (place, count) in flipped.iter_mut().enumerate() {
                        *count += (change >> place & 1) as u32;
                    }
                }
                // 2,000 coin flips: mean 1,000, standard deviation 22.4; 12,000 such counts in
                // all stay within 5.4 standard deviations but once in a thousand times.
                let worst = flipped.iter().map(|count| count.abs_diff(1_000)).max().unwrap();
                assert!(worst < 121, "bit {bit} of {name}: {worst}");
            }
        }
    }

    #[test]
    fn addresses_of_one_request_do_not_collide() {
        let draws = Chance::new(3, 0).request(RequestId(11), 0);
        let mut seen: Vec<u64> = (0..50_000)
            .flat_map(|n| [draws.draw(Purpose::Gap, n), draws.draw(Purpose::User, n)])
            .map(Draw::bits)
            .collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 100_000);
    }

    #[test]
    fn the_generator_yields_the_numbered_draws() {
        let draws = Chance::new(3, 0).request(RequestId(11), 2);
        let mut rng = draws.rng(Purpose::Model);
        for number in 0..5 {
            assert_eq!(rng.next_u64(), draws.draw(Purpose::Model, number).bits());
        }
        let mut bytes = [0; 11];
        rng.fill_bytes(&mut bytes);
        let fifth = draws.draw(Purpose::Model, 5).bits().to_le_bytes();
        let sixth = draws.draw(Purpose::Model, 6).bits().to_le_bytes();
        assert_eq!(bytes[..8], fifth);
        assert_eq!(bytes[8..], sixth[..3]);
    }

    /// Frozen constants: a change here is a change of every result under every seed. Computed by
    /// an independent implementation of the formulas above in Python's integers.
    #[test]
    fn draws_are_frozen() {
        let expected = [
            (at(0, 0, 0, 0, Purpose::Split, 0), 0x0ea7_568e_59f7_2724),
            (at(42, 0, 7, 0, Purpose::Latency, 0), 0x1ac4_6bbe_42ab_af0b),
            (at(42, 1, 7, 1, Purpose::FailureLatency, 3), 0x2d90_432d_1fab_8044),
            (at(u64::MAX, u64::MAX, u64::MAX, 255, Purpose::Gap, u32::MAX), 0x9690_50fa_bc0b_91a6),
        ];
        for (draw, bits) in expected {
            assert_eq!(draw.bits(), bits);
        }
        let user = Chance::new(42, 1).user(77).draw(Purpose::FaultShare, 0);
        assert_eq!(user.bits(), 0xe313_22ac_233b_9eb4);
        let second = Chance::new(42, 1).second(3, 1_710_500_000).draw(Purpose::Burst, 0);
        assert_eq!(second.bits(), 0x091c_18c2_91ac_da60);
    }

    #[test]
    fn users_and_seconds_are_independent_of_requests_and_of_their_neighbours() {
        let chance = Chance::new(7, 3);
        let first = |draws: Draws| draws.draw(Purpose::Failure, 0);
        let by_request = |n: u64| first(chance.request(RequestId(n), 0));
        let by_user = |n: u64| first(chance.user(n as u32));
        let by_second = |n: u64| first(chance.second(0, n as i64));
        let users = (0..200_000).map(|n| (by_user(n), by_user(n + 1)));
        assert!(pair_z(users).abs() < 4.0);
        let users_and_requests = (0..200_000).map(|n| (by_user(n), by_request(n)));
        assert!(pair_z(users_and_requests).abs() < 4.0);
        let seconds = (0..200_000).map(|n| (by_second(n), by_second(n + 1)));
        assert!(pair_z(seconds).abs() < 4.0);
        let places = (0..200_000).map(|n| (by_second(n), first(chance.second(1, n as i64))));
        assert!(pair_z(places).abs() < 4.0);
        let seconds_and_users = (0..200_000).map(|n| (by_second(n), by_user(n)));
        assert!(pair_z(seconds_and_users).abs() < 4.0);
    }
}
