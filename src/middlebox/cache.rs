//! A cache with a bounded number of answers, each kept for the same time.

use std::collections::{BTreeMap, VecDeque};
use std::num::NonZeroU32;

use super::key::{CacheKey, KeyParts};
use crate::exchange::{Request, VersionIndex};
use crate::units::{Duration, Timestamp};

/// How a cache behaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CacheSettings {
    /// Whether it keeps no answer that says `Cache-Control: no-store`, as it should.
    pub honours_no_store: bool,
    /// For how long it keeps an answer.
    pub ttl: Duration,
    /// By what it tells requests apart.
    pub key: KeyParts,
    /// How many answers it keeps; the oldest makes room for the newest.
    pub entries: NonZeroU32,
    /// How long it takes to give an answer that it has kept.
    pub latency: Duration,
}

/// What a cache remembers of an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Answer {
    /// The version that gave it, as its `X-Served-Version` says.
    pub version: VersionIndex,
    /// Whether it forbids to be kept.
    pub no_store: bool,
}

/// A cache before a gateway.
///
/// ```
/// use coalmine::exchange::{ModelIndex, Request, VersionIndex};
/// use coalmine::middlebox::{Answer, Cache, CacheSettings, KeyPart, KeyParts};
/// use coalmine::units::{Duration, RequestId, Timestamp, Tokens};
///
/// let mut cache = Cache::new(CacheSettings {
///     honours_no_store: false,
///     ttl: Duration::from_secs(60),
///     key: KeyParts::new([KeyPart::Model]),
///     entries: 100.try_into().unwrap(),
///     latency: Duration::from_millis(2),
/// });
/// let (model, tokens) = (ModelIndex(0), Tokens::new(9));
/// let request = Request {
///     id: RequestId(1), model, user: 5, session: 7, client: 0, prompt: None,
///     input: tokens, output: tokens, stream: false,
/// };
/// let answer = Answer { version: VersionIndex(1), no_store: true };
/// let now = Timestamp::EPOCH;
/// assert_eq!(cache.look_up(now, &request), None);
/// cache.offer(now, &request, answer);
/// assert_eq!(cache.look_up(now + Duration::from_secs(59), &request), Some(VersionIndex(1)));
/// assert_eq!(cache.look_up(now + Duration::from_secs(60), &request), None);
/// ```
#[derive(Clone, Debug)]
pub struct Cache {
    settings: CacheSettings,
    kept: BTreeMap<CacheKey, VersionIndex>,
    /// The keys of all that is kept, in the order in which they expire.
    expiries: VecDeque<(Timestamp, CacheKey)>,
}

impl Cache {
    /// A cache that has kept nothing yet.
    pub const fn new(settings: CacheSettings) -> Self {
        Self { settings, kept: BTreeMap::new(), expiries: VecDeque::new() }
    }

    /// How it behaves.
    pub const fn settings(&self) -> CacheSettings {
        self.settings
    }

    /// The version whose answer `request` gets at `now`; `None`: it goes on to the gateway.
    pub fn look_up(&mut self, now: Timestamp, request: &Request) -> Option<VersionIndex> {
        self.expire(now);
        self.kept.get(&self.settings.key.key(request)?).copied()
    }

    /// A successful answer to `request` passes at `now`. What is kept already stays until it
    /// expires: requests that were under way together do not extend it.
    pub fn offer(&mut self, now: Timestamp, request: &Request, answer: Answer) {
        if answer.no_store && self.settings.honours_no_store {
            return;
        }
        let Some(key) = self.settings.key.key(request) else { return };
        self.expire(now);
        if self.kept.contains_key(&key) {
            return;
        }
        if self.kept.len() >= self.settings.entries.get() as usize
            && let Some((_, oldest)) = self.expiries.pop_front()
        {
            self.kept.remove(&oldest);
        }
        self.kept.insert(key, answer.version);
        self.expiries.push_back((now + self.settings.ttl, key));
    }

    /// Forgets what is not to be given any more. All is kept for the same time, so that what was
    /// kept first expires first.
    fn expire(&mut self, now: Timestamp) {
        while let Some((until, key)) = self.expiries.front().copied() {
            if until > now {
                break;
            }
            self.expiries.pop_front();
            self.kept.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::exchange::ModelIndex;
    use crate::middlebox::KeyPart;
    use crate::units::{RequestId, Tokens};

    fn request(model: u16, prompt: u32, user: u32) -> Request {
        Request {
            id: RequestId(0),
            model: ModelIndex(model),
            user,
            session: user,
            client: (user % 3) as u16,
            prompt: NonZeroU32::new(prompt),
            input: Tokens::new(1),
            output: Tokens::new(1),
            stream: false,
        }
    }

    fn cache(parts: &[KeyPart], entries: u32, honours_no_store: bool) -> Cache {
        Cache::new(CacheSettings {
            honours_no_store,
            ttl: Duration::from_secs(10),
            key: KeyParts::new(parts.iter().copied()),
            entries: NonZeroU32::new(entries).unwrap(),
            latency: Duration::from_millis(1),
        })
    }

    fn at(second: u64) -> Timestamp {
        Timestamp::EPOCH + Duration::from_secs(second)
    }

    fn answer(version: u16, no_store: bool) -> Answer {
        Answer { version: VersionIndex(version), no_store }
    }

    #[test]
    fn the_first_answer_is_everybodys_until_it_expires() {
        let mut cache = cache(&[KeyPart::Model], 10, true);
        cache.offer(at(0), &request(0, 1, 1), answer(1, false));
        cache.offer(at(5), &request(0, 2, 2), answer(0, false));
        assert_eq!(cache.look_up(at(9), &request(0, 3, 3)), Some(VersionIndex(1)));
        assert_eq!(cache.look_up(at(9), &request(1, 1, 1)), None);
        assert_eq!(cache.look_up(at(10), &request(0, 1, 1)), None);
        assert!(cache.kept.is_empty());
    }

    #[test]
    fn what_must_not_be_kept_is_not_by_a_cache_that_honours_it() {
        for (no_store, honours, kept) in
            [(true, true, false), (true, false, true), (false, true, true), (false, false, true)]
        {
            let mut cache = cache(&[KeyPart::Model], 10, honours);
            cache.offer(at(0), &request(0, 1, 1), answer(1, no_store));
            let found = cache.look_up(at(1), &request(0, 1, 1)).is_some();
            assert_eq!(found, kept, "{no_store} {honours}");
        }
    }

    #[test]
    fn requests_are_told_apart_by_the_parts_of_the_key_alone() {
        let mut by_prompt = cache(&[KeyPart::Model, KeyPart::Prompt], 10, false);
        by_prompt.offer(at(0), &request(0, 1, 1), answer(1, true));
        assert_eq!(by_prompt.look_up(at(1), &request(0, 1, 2)), Some(VersionIndex(1)));
        assert_eq!(by_prompt.look_up(at(1), &request(0, 2, 1)), None);
        // A prompt without a number is like no other, not like all others without one.
        by_prompt.offer(at(0), &request(0, 0, 1), answer(1, true));
        assert_eq!(by_prompt.look_up(at(1), &request(0, 0, 1)), None);
        let mut by_client = cache(&[KeyPart::Client], 10, false);
        by_client.offer(at(0), &request(0, 1, 1), answer(1, true));
        assert_eq!(by_client.look_up(at(1), &request(1, 2, 4)), Some(VersionIndex(1)));
        assert_eq!(by_client.look_up(at(1), &request(0, 1, 2)), None);
    }

    #[test]
    fn parts_have_the_names_that_they_are_found_by() {
        for part in KeyPart::ALL {
            assert_eq!(KeyPart::by_name(part.name()), Some(part));
            assert!(KeyParts::new([part]).contains(part));
        }
        assert_eq!(KeyPart::by_name("colour"), None);
    }

    proptest! {
        /// Against a plain list of everything that was ever kept.
        #[test]
        fn it_keeps_what_a_list_with_the_same_rules_keeps(
            steps in prop::collection::vec((0..4_u64, 0..5_u32, any::<bool>()), 1..200),
            entries in 1..4_u32,
        ) {
            let mut cache = cache(&[KeyPart::User], entries, false);
            let mut list: Vec<(u64, u32, u16)> = Vec::new();
            let mut second = 0;
            for (number, (passes, user, offers)) in steps.into_iter().enumerate() {
                second += passes;
                list.retain(|(until, ..)| *until > second);
                let version = (number % 7) as u16;
                let known = list.iter().find(|(_, of, _)| *of == user).map(|(.., version)| *version);
                let found = cache.look_up(at(second), &request(0, 0, user));
                prop_assert_eq!(found.map(|version| version.0), known);
                if offers {
                    cache.offer(at(second), &request(0, 0, user), answer(version, false));
                    if known.is_none() {
                        if list.len() == entries as usize {
                            list.remove(0);
                        }
                        list.push((second + 10, user, version));
                    }
                }
                prop_assert_eq!(cache.kept.len(), list.len());
                prop_assert_eq!(cache.expiries.len(), list.len());
            }
        }
    }
}
