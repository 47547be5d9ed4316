//! Rows of the binary form: a record in few bytes, after another.
//!
//! A row says which fields it has (a bit each), then gives them in the order of the bits: how long
//! after the row before it was sent, names by their place in the list of its block, hashes of the
//! prompt's blocks by their difference from the one before.

use super::record::{Failure, Prefix, TraceRecord};
use super::varint::{put, put_signed, take, take_signed};
use crate::units::{Duration, ModelId, Money, Tokens, VersionId};

/// The names that the rows of a block have.
#[derive(Debug, Default)]
pub(super) struct BlockNames {
    pub(super) models: Vec<ModelId>,
    pub(super) versions: Vec<VersionId>,
}

impl BlockNames {
    /// Whether there is room for those of one more row.
    pub(super) fn have_room(&self) -> bool {
        self.models.len().max(self.versions.len()) < MOST_NAMES
    }

    pub(super) fn clear(&mut self) {
        self.models.clear();
        self.versions.clear();
    }

    /// Appends them.
    pub(super) fn put(&self, bytes: &mut Vec<u8>) {
        let mut put_all = |names: &mut dyn ExactSizeIterator<Item = &str>| {
            bytes.push(names.len() as u8);
            for name in names {
                bytes.push(name.len() as u8);
                bytes.extend_from_slice(name.as_bytes());
            }
        };
        put_all(&mut self.models.iter().map(ModelId::as_str));
        put_all(&mut self.versions.iter().map(VersionId::as_str));
    }

    /// Takes them off the front of `bytes`.
    pub(super) fn take(bytes: &mut &[u8]) -> Option<Self> {
        let mut names = Self::default();
        for _ in 0..take_byte(bytes)? {
            names.models.push(ModelId::new(take_name(bytes)?).ok()?);
        }
        for _ in 0..take_byte(bytes)? {
            names.versions.push(VersionId::new(take_name(bytes)?).ok()?);
        }
        Some(names)
    }
}

fn take_byte(bytes: &mut &[u8]) -> Option<u8> {
    let (first, rest) = bytes.split_first()?;
    *bytes = rest;
    Some(*first)
}

fn take_name<'a>(bytes: &mut &'a [u8]) -> Option<&'a str> {
    let length = usize::from(take_byte(bytes)?);
    let (name, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    std::str::from_utf8(name).ok()
}

/// Appends `record`, which was sent so long after the one before it. There is room for its names.
pub(super) fn put_row(
    bytes: &mut Vec<u8>,
    record: &TraceRecord,
    after: Duration,
    names: &mut BlockNames,
) {
    let has = |bit: u64, has: bool| if has { bit } else { 0 };
    put(
        bytes,
        has(MODEL, record.model.is_some())
            | has(VERSION, record.version.is_some())
            | has(USER, record.user.is_some())
            | has(SESSION, record.session.is_some())
            | has(PARENT, record.parent.is_some())
            | has(INPUT, record.input.is_some())
            | has(OUTPUT, record.output.is_some())
            | has(STREAM_KNOWN, record.stream.is_some())
            | has(STREAMED, record.stream == Some(true))
            | has(PREFIX, record.prefix.is_some())
            | has(STATUS, record.status.is_some())
            | has(FAILURE, record.failure.is_some())
            | has(FIRST_TOKEN, record.first_token.is_some())
            | has(DURATION, record.duration.is_some())
            | has(COST, record.cost.is_some()),
    );
    put(bytes, after.as_nanos());
    if let Some(model) = &record.model {
        bytes.push(place(&mut names.models, model));
    }
    if let Some(version) = &record.version {
        bytes.push(place(&mut names.versions, version));
    }
    let numbers = [
        record.user,
        record.session,
        record.parent,
        record.input.map(|tokens| u64::from(tokens.get())),
        record.output.map(|tokens| u64::from(tokens.get())),
    ];
    for number in numbers.into_iter().flatten() {
        put(bytes, number);
    }
    if let Some(prefix) = &record.prefix {
        put(bytes, u64::from(prefix.block));
        put(bytes, prefix.hashes.len() as u64);
        let mut before = 0_u64;
        for hash in &prefix.hashes {
            put_signed(bytes, hash.wrapping_sub(before) as i64);
            before = *hash;
        }
    }
    if let Some(status) = record.status {
        put(bytes, u64::from(status));
    }
    if let Some(failure) = record.failure {
        bytes.push(failure as u8);
    }
    let times = [record.first_token, record.duration].into_iter().flatten();
    let cost = record.cost.map(|cost| u64::try_from(cost.as_pico_usd()).unwrap_or(u64::MAX));
    for number in times.map(Duration::as_nanos).chain(cost) {
        put(bytes, number);
    }
}

/// Its place in the list, which it is put into where it is not there.
fn place<T: Clone + PartialEq>(names: &mut Vec<T>, name: &T) -> u8 {
    let found = names.iter().position(|other| other == name);
    found.unwrap_or_else(|| {
        names.push(name.clone());
        names.len() - 1
    }) as u8
}

/// Takes a row off the front of `bytes` into `record`, whose time becomes that after the row
/// `before` it; `None` where the bytes are none.
pub(super) fn take_row(
    bytes: &mut &[u8],
    record: &mut TraceRecord,
    before: Duration,
    names: &BlockNames,
) -> Option<()> {
    let bits = take(bytes)?;
    if bits > ALL {
        return None;
    }
    let nanos = before.as_nanos().checked_add(take(bytes)?)?;
    record.at = Duration::from_nanos(nanos);
    let has = |bit: u64| bits & bit != 0;
    record.model = match has(MODEL) {
        true => Some(names.models.get(usize::from(take_byte(bytes)?))?.clone()),
        false => None,
    };
    record.version = match has(VERSION) {
        true => Some(names.versions.get(usize::from(take_byte(bytes)?))?.clone()),
        false => None,
    };
    record.user = taken(bytes, has(USER))?;
    record.session = taken(bytes, has(SESSION))?;
    record.parent = taken(bytes, has(PARENT))?;
    record.input = tokens(taken(bytes, has(INPUT))?)?;
    record.output = tokens(taken(bytes, has(OUTPUT))?)?;
    record.stream = has(STREAM_KNOWN).then_some(has(STREAMED));
    record.prefix = if has(PREFIX) { Some(take_prefix(bytes)?) } else { None };
    record.status = match taken(bytes, has(STATUS))? {
        Some(status) => Some(u16::try_from(status).ok().filter(|s| (100..600).contains(s))?),
        None => None,
    };
    record.failure = match has(FAILURE) {
        true => Some(*Failure::ALL.get(usize::from(take_byte(bytes)?))?),
        false => None,
    };
    record.first_token = taken(bytes, has(FIRST_TOKEN))?.map(Duration::from_nanos);
    record.duration = taken(bytes, has(DURATION))?.map(Duration::from_nanos);
    record.cost = taken(bytes, has(COST))?.map(|pico| Money::from_pico_usd(u128::from(pico)));
    Some(())
}

/// The next number, if there `is_one`; the outer `None` where there should be.
#[expect(clippy::option_option, reason = "what is damaged is told from what is not there")]
fn taken(bytes: &mut &[u8], is_one: bool) -> Option<Option<u64>> {
    if is_one { take(bytes).map(Some) } else { Some(None) }
}

#[expect(clippy::option_option, reason = "what is damaged is told from what is not there")]
fn tokens(number: Option<u64>) -> Option<Option<Tokens>> {
    match number {
        Some(number) => u32::try_from(number).ok().map(|count| Some(Tokens::new(count))),
        None => Some(None),
    }
}

fn take_prefix(bytes: &mut &[u8]) -> Option<Prefix> {
    let block = u32::try_from(take(bytes)?).ok().filter(|block| *block > 0)?;
    let count = usize::try_from(take(bytes)?).ok()?;
    // Each takes a byte at least: no more room is made than there can be.
    let mut hashes = Vec::with_capacity(count.min(bytes.len()));
    let mut hash = 0_u64;
    for _ in 0..count {
        hash = hash.wrapping_add(take_signed(bytes)? as u64);
        hashes.push(hash);
    }
    Some(Prefix { block, hashes })
}

/// What a row has, a bit each. Stored: never to be changed.
const MODEL: u64 = 1;
const VERSION: u64 = 1 << 1;
const USER: u64 = 1 << 2;
const SESSION: u64 = 1 << 3;
const PARENT: u64 = 1 << 4;
const INPUT: u64 = 1 << 5;
const OUTPUT: u64 = 1 << 6;
const STREAM_KNOWN: u64 = 1 << 7;
const STREAMED: u64 = 1 << 8;
const PREFIX: u64 = 1 << 9;
const STATUS: u64 = 1 << 10;
const FAILURE: u64 = 1 << 11;
const FIRST_TOKEN: u64 = 1 << 12;
const DURATION: u64 = 1 << 13;
const COST: u64 = 1 << 14;
const ALL: u64 = (1 << 15) - 1;

/// Chosen: a place fits a byte, and looking for a name stays cheap.
const MOST_NAMES: usize = 64;
