//! The looks that tell things apart in a chart: colours, dashes and symbols, never colour alone.

/// A colour.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Ink {
    pub(crate) rgb: (u8, u8, u8),
    /// In [0, 1].
    pub(crate) opacity: f64,
}

impl Ink {
    pub(crate) const BLACK: Self = Self::opaque(0x1A, 0x1A, 0x1A);
    pub(crate) const WHITE: Self = Self::opaque(0xFF, 0xFF, 0xFF);
    /// Labels beside what is drawn.
    pub(crate) const GREY: Self = Self::opaque(0x55, 0x55, 0x55);
    /// Faults: purple, which no version has.
    pub(crate) const FAULT: Self = Self::opaque(0x6A, 0x3D, 0x9A);
    /// Grid lines.
    pub(crate) const PALE: Self = Self::opaque(0xD9, 0xD9, 0xD9);

    const fn opaque(red: u8, green: u8, blue: u8) -> Self {
        Self { rgb: (red, green, blue), opacity: 1.0 }
    }

    pub(crate) const fn with_opacity(self, opacity: f64) -> Self {
        Self { rgb: self.rgb, opacity }
    }
}

/// Which parts of a line are drawn.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Dash {
    #[default]
    Solid,
    Dashed,
    Dotted,
}

impl Dash {
    /// Drawn and blank lengths in turn, in pixels; empty for a line without gaps.
    pub(crate) const fn pattern(self) -> &'static [f64] {
        match self {
            Self::Solid => &[],
            Self::Dashed => &[9.0, 6.0],
            Self::Dotted => &[3.0, 5.0],
        }
    }
}

/// A filled shape around a place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Symbol {
    Disc,
    TriangleUp,
    TriangleDown,
    Square,
    Diamond,
    Cross,
}

impl Symbol {
    /// Its corners for radius 1; `None` for a disc.
    pub(crate) const fn outline(self) -> Option<&'static [(f64, f64)]> {
        match self {
            Self::Disc => None,
            Self::TriangleUp => Some(&[(0.0, -1.15), (1.1, 0.85), (-1.1, 0.85)]),
            Self::TriangleDown => Some(&[(0.0, 1.15), (1.1, -0.85), (-1.1, -0.85)]),
            Self::Square => Some(&[(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)]),
            Self::Diamond => Some(&[(0.0, -1.25), (1.25, 0.0), (0.0, 1.25), (-1.25, 0.0)]),
            Self::Cross => Some(CROSS),
        }
    }
}

/// How one version looks in every chart.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Look {
    pub(crate) ink: Ink,
    pub(crate) symbol: Symbol,
}

/// The look of the stable (`None`), or of the `n`-th of the other versions, counted from 0. Colours
/// recur after seven, with other symbols.
///
/// The colours are those of M. Okabe and K. Ito, Color Universal Design (2008), which people with
/// any kind of colour vision tell apart. Yellow is left out, and the three that are next in
/// lightness are darkened: on white and on the shade of a phase they have a contrast of 3.
pub(crate) fn version_look(other: Option<usize>) -> Look {
    let Some(index) = other else {
        return Look { ink: BLUE, symbol: Symbol::Disc };
    };
    let symbol = OTHER_SYMBOLS[index % OTHER_SYMBOLS.len()];
    Look { ink: OTHER_INKS[index % OTHER_INKS.len()], symbol }
}

/// The colour of the `n`-th kind of parts of a whole, counted from 0. They recur after seven.
///
/// Of the same source as those of versions, but those of stable and canary come last.
pub(crate) fn kind_ink(index: usize) -> Ink {
    KIND_INKS[index % KIND_INKS.len()]
}

const KIND_INKS: [Ink; 7] = [ORANGE, SKY_BLUE, GREEN, PURPLE, VERMILION, Ink::GREY, BLUE];
const OTHER_INKS: [Ink; 6] = [VERMILION, GREEN, PURPLE, ORANGE, SKY_BLUE, Ink::BLACK];

const BLUE: Ink = Ink::opaque(0x00, 0x72, 0xB2);
const VERMILION: Ink = Ink::opaque(0xD5, 0x5E, 0x00);
const GREEN: Ink = Ink::opaque(0x00, 0x9E, 0x73);
/// Published as E69F00.
const ORANGE: Ink = Ink::opaque(0xB8, 0x7D, 0x00);
/// Published as 56B4E9.
const SKY_BLUE: Ink = Ink::opaque(0x2F, 0x93, 0xCF);
/// Published as CC79A7.
const PURPLE: Ink = Ink::opaque(0xC2, 0x65, 0x9A);
/// Five beside six colours: the pairs recur after thirty.
const OTHER_SYMBOLS: [Symbol; 5] =
    [Symbol::TriangleUp, Symbol::Square, Symbol::Diamond, Symbol::TriangleDown, Symbol::Cross];

const CROSS: &[(f64, f64)] = &[
    (-1.1, -0.7),
    (-0.7, -1.1),
    (0.0, -0.4),
    (0.7, -1.1),
    (1.1, -0.7),
    (0.4, 0.0),
    (1.1, 0.7),
    (0.7, 1.1),
    (0.0, 0.4),
    (-0.7, 1.1),
    (-1.1, 0.7),
    (-0.4, 0.0),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thirty_versions_beside_the_stable_differ_in_colour_or_symbol() {
        let looks: Vec<Look> = (0..30).map(|index| version_look(Some(index))).collect();
        for (index, look) in looks.iter().enumerate() {
            assert!(!looks[..index].contains(look), "{index}");
            assert_ne!(*look, version_look(None));
        }
    }
}
