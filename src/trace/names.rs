//! Names of users and conversations, turned into numbers: a trace names nobody.
//!
//! The number is a keyed hash: who has the key can tell which number a known name has, nobody can
//! tell a name from its number. Equal names have equal numbers wherever the key is the same.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use hmac::{Hmac, Mac};
use sha2::Sha256;

/// Turns names into numbers, by a key: the first 64 bits of HMAC-SHA-256 (RFC 2104) of the kind
/// of name and the name.
///
/// ```
/// use coalmine::trace::Names;
/// let mut names = Names::with_key(b"a secret");
/// assert_eq!(names.user("bob"), names.user("bob"));
/// assert_ne!(names.user("bob"), names.session("bob"));
/// assert_ne!(names.user("bob"), Names::with_key(b"another").user("bob"));
/// ```
#[derive(Clone)]
pub struct Names {
    keyed: Hmac<Sha256>,
    /// Those that came last, in two generations: most rows name somebody who was named lately.
    young: BTreeMap<(u8, Box<str>), u64>,
    old: BTreeMap<(u8, Box<str>), u64>,
    /// The names of users by their numbers, where somebody wants to know them.
    known: Option<Arc<Mutex<BTreeMap<u64, String>>>>,
}

impl Names {
    /// By this key, of any length.
    pub fn with_key(key: &[u8]) -> Self {
        let keyed = Hmac::new_from_slice(key).expect("HMAC takes keys of any length");
        Self { keyed, young: BTreeMap::new(), old: BTreeMap::new(), known: None }
    }

    /// These, and the names of the users that they turn into numbers. Memory then grows with the
    /// number of users.
    pub fn keeping_users(self) -> (Self, UserNames) {
        let known = Arc::default();
        (Self { known: Some(Arc::clone(&known)), ..self }, UserNames(known))
    }

    /// The number of a user.
    pub fn user(&mut self, name: &str) -> u64 {
        let number = self.number(USER, name);
        if let Some(mut known) = self.known.as_ref().and_then(|known| known.lock().ok()) {
            known.entry(number).or_insert_with(|| name.to_owned());
        }
        number
    }

    /// The number of a conversation.
    pub fn session(&mut self, name: &str) -> u64 {
        self.number(SESSION, name)
    }

    /// The number of a turn of a conversation.
    pub fn turn(&mut self, name: &str) -> u64 {
        self.number(TURN, name)
    }

    fn number(&mut self, kind: u8, name: &str) -> u64 {
        if let Some(number) = written_number(name) {
            return number;
        }
        let key = (kind, Box::from(name));
        if let Some(number) = self.young.get(&key) {
            return *number;
        }
        let number = self.old.get(&key).copied().unwrap_or_else(|| {
            let mut keyed = self.keyed.clone();
            keyed.update(&[kind]);
            keyed.update(name.as_bytes());
            let hash = keyed.finalize().into_bytes();
            let (first, _) = hash.split_first_chunk().expect("a hash has 32 bytes");
            u64::from_be_bytes(*first)
        });
        // What is longer than a name is likely none, and would fill the memory.
        if name.len() <= LONGEST_KEPT {
            if self.young.len() == KEPT {
                self.old = std::mem::take(&mut self.young);
            }
            self.young.insert(key, number);
        }
        number
    }
}

/// The names of users, by their numbers.
#[derive(Clone, Debug)]
pub struct UserNames(Arc<Mutex<BTreeMap<u64, String>>>);

impl UserNames {
    /// Those that were met so far, in the order of their numbers.
    pub fn met(&self) -> Vec<(u64, String)> {
        let known = self.0.lock().map(|known| known.clone()).unwrap_or_default();
        known.into_iter().collect()
    }
}

/// `number` as foreign formats have it, where names stand: it is not hashed again when it is read.
pub(super) fn written_name(number: u64) -> String {
    format!("{WRITTEN}{number:016x}")
}

fn written_number(name: &str) -> Option<u64> {
    let digits = name.strip_prefix(WRITTEN)?;
    let is_plain = digits.len() == 16 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    u64::from_str_radix(digits, 16).ok().filter(|_| is_plain)
}

impl Default for Names {
    /// By an empty key, which everybody has: for traces that are read and not kept.
    fn default() -> Self {
        Self::with_key(b"")
    }
}

impl fmt::Debug for Names {
    /// Neither key nor names.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Names").finish_non_exhaustive()
    }
}

/// What a number begins with that stands for a name.
const WRITTEN: &str = "anon-";
const USER: u8 = b'u';
const SESSION: u8 = b's';
const TURN: u8 = b't';
/// Chosen: some 2 MB of names; beyond it they are hashed again.
const KEPT: usize = 4_096;
const LONGEST_KEPT: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed with Python: `hmac.new(key, b"u" + name, "sha256").digest()[:8]`.
    #[test]
    fn numbers_are_the_beginning_of_hmac_sha_256() {
        let mut names = Names::with_key(b"key");
        assert_eq!(names.user("alice"), PYTHON_ALICE);
        for number in 0..3 * KEPT {
            names.user(&number.to_string());
        }
        assert_eq!(names.user("alice"), PYTHON_ALICE, "once it was forgotten");
        assert!(!format!("{names:?}").contains("alice"));
    }

    #[test]
    fn a_number_that_was_written_for_a_name_is_read_as_that_number() {
        let mut names = Names::with_key(b"key");
        for number in [0, 0xab, u64::MAX] {
            assert_eq!(names.user(&written_name(number)), number);
            assert_eq!(names.session(&written_name(number)), number);
        }
        assert_ne!(names.user("anon-7"), 7);
        assert_ne!(names.user("anon-+000000000000007"), 7);
    }

    const PYTHON_ALICE: u64 = 0x61d9_c017_2c88_d4c3;
}
