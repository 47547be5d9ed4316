//! The floors of the crate and what each of them may not touch. `docs/architecture.md` explains
//! them; a test holds the page and this table together.

use std::ops::RangeInclusive;

/// Which modules exist and on which floor. A module names only modules on a lower floor; equal
/// floors never name each other. A new module gets its line here before its first file.
pub(crate) const FLOORS: &[(&str, u8)] = &[
    ("units", 0),
    ("math", 0),
    ("metric", 1),
    ("exchange", 1),
    ("chance", 1),
    ("stats", 1),
    ("chart", 1),
    ("json", 1),
    ("engine", 2),
    ("arrivals", 2),
    ("trace", 2),
    ("upstream", 3),
    ("workload", 3),
    ("middlebox", 3),
    ("wire", 3),
    ("assertion", 3),
    ("record", 3),
    ("profile", 3),
    ("scenario", 4),
    ("director", 5),
    ("clock", 5),
    ("store", 5),
    ("notify", 5),
    ("dashboard", 5),
    ("simulator", 6),
    ("mock", 6),
    ("load", 6),
    ("gateway", 6),
    ("run", 7),
    ("live", 8),
    ("rare", 8),
    ("testing", 8),
    ("summary", 8),
    ("gate", 9),
    ("fit", 9),
    ("result", 10),
    ("backtest", 11),
    ("compare", 11),
    ("study", 11),
    ("validation", 11),
    ("fidelity", 12),
    ("suite", 12),
    ("tune", 12),
    ("report", 13),
    ("page", 14),
    ("cli", 15),
];

/// The floor of `module`, if it is listed.
pub(crate) fn floor(module: &str) -> Option<u8> {
    FLOORS.iter().find(|(name, _)| *name == module).map(|(_, floor)| *floor)
}

/// For whom a ban holds.
#[derive(Clone, Debug)]
pub(crate) enum Scope {
    /// Every module on these floors.
    Floors(RangeInclusive<u8>),
    /// Every module on these floors but for these.
    FloorsBut(RangeInclusive<u8>, &'static [&'static str]),
    /// These modules.
    Modules(&'static [&'static str]),
}

impl Scope {
    /// Whether it holds for `module`.
    pub(crate) fn covers(&self, module: &str) -> bool {
        match self {
            Self::Floors(floors) => floor(module).is_some_and(|floor| floors.contains(&floor)),
            Self::FloorsBut(floors, names) => {
                !names.contains(&module) && Self::Floors(floors.clone()).covers(module)
            }
            Self::Modules(names) => names.contains(&module),
        }
    }
}

/// Something that some modules may not name.
#[derive(Clone, Debug)]
pub(crate) struct Ban {
    pub(crate) scope: Scope,
    /// Paths, each with everything below it; a last segment `name!` is a macro.
    pub(crate) paths: &'static [&'static str],
    /// Whether code under `#[cfg(test)]` may name it all the same.
    pub(crate) allowed_in_tests: bool,
    pub(crate) remedy: &'static str,
}

/// All bans.
pub(crate) const BANS: &[Ban] = &[
    Ban {
        scope: Scope::Modules(&["engine"]),
        paths: &["std::time", "std::fs", "std::net", "std::io", "rand", "tokio", "log", "tracing"],
        allowed_in_tests: false,
        remedy: "the engine is a pure state machine: take the time, the draw or the text as a parameter",
    },
    Ban {
        scope: Scope::Floors(0..=2),
        paths: &["std::fs", "std::net"],
        allowed_in_tests: false,
        remedy: "the lowest floors know neither files nor sockets: take bytes or a reader",
    },
    Ban {
        scope: Scope::FloorsBut(0..=13, &["clock"]),
        paths: &["std::time::Instant", "std::time::SystemTime"],
        allowed_in_tests: false,
        remedy: "time is a parameter, a units::Timestamp; only clock and cli read the system's",
    },
    Ban {
        scope: Scope::FloorsBut(0..=5, &["clock"]),
        paths: &["std::thread"],
        allowed_in_tests: false,
        remedy: "threads belong to those who run something; the clock has one that wakes",
    },
    Ban {
        scope: Scope::Floors(0..=5),
        paths: &["rand::rng", "rand::thread_rng", "rand::random", "rand::rngs::ThreadRng"],
        allowed_in_tests: false,
        remedy: "every draw derives from the seed: use chance",
    },
    Ban {
        scope: Scope::Floors(0..=14),
        paths: &["HashMap", "HashSet"],
        allowed_in_tests: true,
        remedy: "its order is random per process: use BTreeMap, BTreeSet, Vec or an index",
    },
    Ban {
        scope: Scope::Modules(&["assertion", "gate", "compare", "fidelity", "report"]),
        paths: &[
            "std::fs",
            "std::io::stdout",
            "std::io::stderr",
            "std::io::stdin",
            "std::io::IsTerminal",
            "terminal_size",
            "indicatif",
        ],
        allowed_in_tests: false,
        remedy: "it knows neither files nor the terminal: return text or bytes and let cli write them",
    },
    Ban {
        scope: Scope::Floors(0..=13),
        paths: &["std::env", "std::process"],
        allowed_in_tests: false,
        remedy: "only cli knows the environment and the process: take the value as a parameter",
    },
    Ban {
        scope: Scope::Floors(0..=13),
        paths: &["println!", "print!", "eprintln!", "eprint!"],
        allowed_in_tests: true,
        remedy: "only cli prints: return the text",
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_module_is_listed_once() {
        for (index, (name, _)) in FLOORS.iter().enumerate() {
            assert!(FLOORS[..index].iter().all(|(other, _)| other != name), "{name} twice");
        }
    }

    #[test]
    fn floors_are_listed_from_the_ground_up() {
        assert!(FLOORS.is_sorted_by_key(|(_, floor)| *floor));
    }

    #[test]
    fn a_scope_covers_its_floors_and_no_unknown_module() {
        assert!(Scope::Floors(0..=2).covers("engine"));
        assert!(!Scope::Floors(0..=2).covers("cli"));
        assert!(!Scope::Floors(0..=14).covers("cellar"));
        assert!(Scope::Modules(&["gate"]).covers("gate"));
        let but = Scope::FloorsBut(0..=5, &["clock"]);
        assert!(but.covers("engine") && !but.covers("clock") && !but.covers("cli"));
    }
}
