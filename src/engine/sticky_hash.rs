//! `xxh64-v1`: the place in [0, 1) of a key that sticks to its version. Frozen: every later version
//! of this crate, and whoever works through the logs in another language, must find the same place.
//!
//! The place is `XXH64(key, seed = salt) / 2^64`, the key as its UTF-8 bytes, a number as its
//! decimal digits. The salt of a model's rollout number n is `XXH64(model id, seed = n)`. With the
//! `xxhash` package of Python: `xxhash.xxh64("alice", seed=salt).intdigest() / 2**64`.
//!
//! Source: Y. Collet, xxHash fast digest algorithm, version 0.2.0,
//! <https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md>. It passes the usual tests of
//! avalanche and independence of seeds; it is no cipher, and need not be one: whoever chooses their
//! own key may choose their version.

use crate::units::{Draw, ModelId};

/// Whom a request belongs to, where requests of one owner go to one version.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StickyKey<'a> {
    /// A number: the same key as the text of its decimal digits.
    Number(u64),
    /// A text.
    Text(&'a str),
}

impl StickyKey<'_> {
    /// The key's place under `salt`.
    #[inline]
    pub(super) fn place(self, salt: u64) -> Draw {
        Draw::from_bits(match self {
            Self::Text(text) => xxh64(text.as_bytes(), salt),
            Self::Number(number) => {
                let mut digits = [0; DIGITS_MAX];
                xxh64(write_digits(number, &mut digits), salt)
            }
        })
    }
}

/// The salt of a model's rollout number `rollout`.
pub(super) fn salt(model: &ModelId, rollout: u32) -> u64 {
    xxh64(model.as_str().as_bytes(), u64::from(rollout))
}

/// The decimal digits of `number`, at the end of `digits`.
#[inline]
fn write_digits(mut number: u64, digits: &mut [u8; DIGITS_MAX]) -> &[u8] {
    let mut first = DIGITS_MAX;
    loop {
        first -= 1;
        digits[first] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            return &digits[first..];
        }
    }
}

/// XXH64 of `bytes` under `seed`.
#[inline]
fn xxh64(bytes: &[u8], seed: u64) -> u64 {
    let (stripes, mut rest) = bytes.as_chunks::<32>();
    let mut hash = match stripes {
        [] => seed.wrapping_add(PRIME_5),
        _ => long(stripes, seed),
    };
    hash = hash.wrapping_add(bytes.len() as u64);
    while let Some((word, after)) = rest.split_first_chunk::<8>() {
        hash ^= round(0, u64::from_le_bytes(*word));
        hash = hash.rotate_left(27).wrapping_mul(PRIME_1).wrapping_add(PRIME_4);
        rest = after;
    }
    if let Some((half, after)) = rest.split_first_chunk::<4>() {
        hash ^= u64::from(u32::from_le_bytes(*half)).wrapping_mul(PRIME_1);
        hash = hash.rotate_left(23).wrapping_mul(PRIME_2).wrapping_add(PRIME_3);
        rest = after;
    }
    for byte in rest {
        hash ^= u64::from(*byte).wrapping_mul(PRIME_5);
        hash = hash.rotate_left(11).wrapping_mul(PRIME_1);
    }
    hash = (hash ^ (hash >> 33)).wrapping_mul(PRIME_2);
    hash = (hash ^ (hash >> 29)).wrapping_mul(PRIME_3);
    hash ^ (hash >> 32)
}

/// What 32 bytes at a time leave in the hash.
fn long(stripes: &[[u8; 32]], seed: u64) -> u64 {
    let mut lanes = [
        seed.wrapping_add(PRIME_1).wrapping_add(PRIME_2),
        seed.wrapping_add(PRIME_2),
        seed,
        seed.wrapping_sub(PRIME_1),
    ];
    for stripe in stripes {
        for (lane, word) in lanes.iter_mut().zip(stripe.as_chunks::<8>().0) {
            *lane = round(*lane, u64::from_le_bytes(*word));
        }
    }
    let [a, b, c, d] = lanes;
    let sum = a
        .rotate_left(1)
        .wrapping_add(b.rotate_left(7))
        .wrapping_add(c.rotate_left(12))
        .wrapping_add(d.rotate_left(18));
    lanes
        .into_iter()
        .fold(sum, |hash, lane| (hash ^ round(0, lane)).wrapping_mul(PRIME_1).wrapping_add(PRIME_4))
}

const fn round(lane: u64, word: u64) -> u64 {
    lane.wrapping_add(word.wrapping_mul(PRIME_2)).rotate_left(31).wrapping_mul(PRIME_1)
}

/// The digits of 2^64 - 1.
const DIGITS_MAX: usize = 20;
// The constants of the specification.
const PRIME_1: u64 = 0x9e37_79b1_85eb_ca87;
const PRIME_2: u64 = 0xc2b2_ae3d_27d4_eb4f;
const PRIME_3: u64 = 0x1656_67b1_9e37_79f9;
const PRIME_4: u64 = 0x85eb_ca77_c2b2_ae63;
const PRIME_5: u64 = 0x27d4_eb2f_1656_67c5;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_those_of_the_reference_implementation() {
        // Python: xxhash.xxh64(key, seed=salt).intdigest(), package xxhash, bound to the C library.
        let table = [
            ("", 0, 0xef46_db37_51d8_e999),
            ("", 1, 0xd5af_ba13_36a3_be4b),
            ("0", 0, 0x6334_5708_1244_afec),
            ("42", 0xdead_beef_cafe_f00d, 0x003a_9c9e_6e2a_0b84),
            ("alice", 0, 0x73a3_ea48_5f2e_6049),
            ("alice", 1, 0xca46_76d4_3d24_e8de),
            ("12345678", 1, 0x339c_66ff_5360_00b7),
            ("18446744073709551615", 1, 0xfdf9_41f6_c10d_f479),
            ("header-value-of-exactly-thirty-2", 0, 0xb4d3_d28f_c79e_d473),
            (
                "a session key that is longer than one stripe of 32 bytes, odd",
                0xdead_beef_cafe_f00d,
                0xe33f_b5d3_83e7_0bc9,
            ),
        ];
        for (key, salt, expected) in table {
            assert_eq!(StickyKey::Text(key).place(salt).bits(), expected, "{key:?} under {salt}");
        }
    }

    #[test]
    fn a_number_is_the_text_of_its_digits() {
        for number in [0, 9, 10, 42, 12_345_678, u64::MAX] {
            let text = number.to_string();
            assert_eq!(StickyKey::Number(number).place(3), StickyKey::Text(&text).place(3));
        }
    }

    #[test]
    fn salts_differ_by_model_and_rollout() {
        // Python, as above, with seeds 1 and 2.
        let model = ModelId::new("gpt-4").unwrap();
        assert_eq!(salt(&model, 1), 0x8ce7_c8c4_a0fe_fdaa);
        assert_eq!(salt(&model, 2), 0x51cd_9265_19ab_97e8);
    }

    #[test]
    fn places_of_consecutive_users_are_uniform_and_independent_of_the_last_rollouts() {
        // Chi-square over 16 by 16 cells of the leading bits under two salts: 255 degrees of
        // freedom, so below 255 + 4 * sqrt(510) = 345 but once in 10,000.
        let mut counts = vec![0_u32; 256];
        for user in 0..100_000 {
            let [first, second] = [1, 2].map(|salt| StickyKey::Number(user).place(salt).bits());
            counts[(first >> 60 << 4 | second >> 60) as usize] += 1;
        }
        let expected = 100_000.0 / 256.0;
        let excess = counts.iter().map(|count| f64::from(*count) - expected);
        let chi_square = excess.map(|excess| excess * excess).sum::<f64>() / expected;
        assert!(chi_square < 345.0, "{chi_square}");
    }
}
