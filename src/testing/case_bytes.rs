//! A case as bytes: what a fuzzer mutates. Every byte string is one, and most changes of a byte
//! change one thing of it.

use super::{Case, End, LadderChoice, ModelSetting, Name, Operation, Order, RuleChoice};
use crate::engine::{Assignment, Safeguards};

impl Case {
    /// The case that bytes say; it has at most [`Case::MOST_OPERATIONS`].
    pub(super) fn from_bytes(bytes: &[u8]) -> Self {
        let mut bytes = Bytes { left: bytes };
        let count = 1 + bytes.below(2);
        let models = (0..count).map(|_| model(&mut bytes)).collect();
        let mut operations = Vec::new();
        while !bytes.left.is_empty() && operations.len() < Self::MOST_OPERATIONS {
            operations.push(operation(&mut bytes));
        }
        Self { models, operations }
    }

    /// How many operations a fuzzed case has at most. Chosen: a case is played in milliseconds.
    pub(super) const MOST_OPERATIONS: usize = 120;
}

/// The bytes that are left; zeros follow on them.
struct Bytes<'a> {
    left: &'a [u8],
}

impl Bytes<'_> {
    fn next(&mut self) -> u8 {
        let Some((first, rest)) = self.left.split_first() else { return 0 };
        self.left = rest;
        *first
    }

    fn below(&mut self, limit: u8) -> u8 {
        self.next() % limit
    }

    fn is_set(&mut self) -> bool {
        self.below(2) == 1
    }

    fn wide(&mut self) -> u16 {
        u16::from_be_bytes([self.next(), self.next()])
    }

    /// One of eight times none, else what is read.
    fn maybe<T>(&mut self, read: impl FnOnce(&mut Self) -> T) -> Option<T> {
        let byte = self.next();
        (!byte.is_multiple_of(8)).then(|| read(self))
    }
}

fn model(bytes: &mut Bytes<'_>) -> ModelSetting {
    let (max_versions, off) = (2 + bytes.below(4), bytes.next());
    let safeguards = Safeguards {
        keys_survive_rollback: off & 1 == 0,
        keep_tags: off & 2 == 0,
        refuse_long_interval: off & 4 == 0,
        ..Safeguards::default()
    };
    ModelSetting { max_versions, safeguards }
}

fn operation(bytes: &mut Bytes<'_>) -> Operation {
    match bytes.below(16) {
        0 => Operation::Wait(i32::from(bytes.wide() as i16)),
        1..=3 => Operation::Wait((1 + i32::from(bytes.below(40))) * 250),
        4 | 5 => Operation::Route {
            model: bytes.below(2),
            draw: u32::from(bytes.wide()) << 16,
            user: bytes.maybe(|bytes| bytes.below(8)),
            pin: (bytes.below(8) == 0).then(|| name(bytes)),
        },
        6 | 7 => Operation::Complete {
            request: bytes.next(),
            ending: end(bytes),
            latency: u16::from(bytes.next()) * 25,
            token: bytes.below(8) == 0,
            output: bytes.next(),
        },
        8 | 9 => Operation::Traffic {
            model: bytes.below(2),
            requests: bytes.below(16),
            failing: bytes.maybe(|bytes| bytes.below(4)),
            latency: u16::from(bytes.next()) * 16,
        },
        10 => match bytes.below(8) {
            0 => Operation::Restart,
            1 => Operation::GiveUp(bytes.next()),
            2 => Operation::Abandon(bytes.next()),
            3 => Operation::Authenticate { key: bytes.below(3), secret: bytes.below(6) },
            _ => Operation::Retry { request: bytes.next(), draw: u32::from(bytes.wide()) << 16 },
        },
        _ => Operation::Command { model: bytes.below(2), order: order(bytes) },
    }
}

fn name(bytes: &mut Bytes<'_>) -> Name {
    match bytes.below(8) {
        tag @ 0..=2 => Name::Tag(tag),
        version => Name::Version(version % 4),
    }
}

fn end(bytes: &mut Bytes<'_>) -> End {
    match bytes.below(16) {
        0..=5 => End::Success,
        6..=9 => End::Status(503),
        10 => End::Status(429),
        11 => End::Status(400),
        12 => End::Timeout,
        13 => End::Reset,
        14 => End::Truncated,
        _ => End::Status(400 + bytes.wide() % 200),
    }
}

fn order(bytes: &mut Bytes<'_>) -> Order {
    match bytes.below(24) {
        0..=4 => Order::Split {
            parts: [bytes.below(4), bytes.below(4), bytes.below(4), bytes.below(4)],
            redeploy: bytes.is_set(),
        },
        5..=8 => {
            let place = usize::from(bytes.next());
            Order::Rules(RuleChoice::ALL[place % RuleChoice::ALL.len()])
        }
        9 | 10 => Order::Start {
            version: name(bytes),
            ladder: match bytes.below(3) {
                0 => LadderChoice::One,
                1 => LadderChoice::Three,
                _ => LadderChoice::Paused,
            },
            redeploy: bytes.is_set(),
        },
        11 => Order::Promote { version: name(bytes), redeploy: bytes.is_set() },
        12 => Order::Pause,
        13 => Order::Resume,
        14 => Order::Abort,
        15 => Order::Rollback(bytes.maybe(name)),
        16 => Order::Register(bytes.below(4)),
        17 => Order::Evaluate(name(bytes)),
        18 => Order::Tag {
            tag: bytes.below(3),
            version: name(bytes),
            preserve_previous: bytes.is_set(),
        },
        19 => Order::Assignment(match bytes.below(3) {
            0 => Assignment::Random,
            1 => Assignment::Even,
            _ => Assignment::Sticky,
        }),
        20 => Order::Policies { attempts: bytes.below(4), fallback: bytes.is_set() },
        21 => Order::CreateKey {
            key: bytes.below(3),
            secret: bytes.below(6),
            admin: bytes.is_set(),
            own_model: bytes.is_set(),
            version: bytes.maybe(name),
        },
        22 => Order::RegenerateKey {
            key: bytes.below(3),
            secret: bytes.below(6),
            grace: bytes.below(32),
            version: bytes.maybe(name),
        },
        _ => Order::RevokeKey(bytes.below(3)),
    }
}
