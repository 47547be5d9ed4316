//! Contrast as WCAG 2.1 reckons it, of every pair of colours that the page's styles and its charts
//! put on each other, in light, in dark and on paper.

use std::collections::BTreeMap;

use crate::chart::{Ink, kind_ink, version_look};
use crate::math::pow;

const STYLE: &str = include_str!("style.css");

/// Success criterion 1.4.3: text.
const TEXT: f64 = 4.5;
/// Success criterion 1.4.11: graphical objects, and what shows the focus.
const GRAPHIC: f64 = 3.0;

type Rgb = [f64; 3];

/// <https://www.w3.org/TR/WCAG21/#dfn-relative-luminance>, of a colour in [0, 255].
fn luminance(colour: Rgb) -> f64 {
    let linear = |channel: f64| {
        let share = channel / 255.0;
        if share <= 0.03928 { share / 12.92 } else { pow((share + 0.055) / 1.055, 2.4) }
    };
    let [red, green, blue] = colour.map(linear);
    0.2126 * red + 0.7152 * green + 0.0722 * blue
}

/// <https://www.w3.org/TR/WCAG21/#dfn-contrast-ratio>
fn contrast(one: Rgb, other: Rgb) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

/// `share` of `colour` on `ground`.
fn mixed(colour: Rgb, share: f64, ground: Rgb) -> Rgb {
    std::array::from_fn(|channel| colour[channel] * share + ground[channel] * (1.0 - share))
}

fn colour(text: &str) -> Option<Rgb> {
    let digits = text.trim().strip_prefix('#').filter(|digits| digits.len() == 6)?;
    let number = u32::from_str_radix(digits, 16).ok()?;
    Some([16, 8, 0].map(|shift| f64::from(number >> shift & 0xFF)))
}

fn rgb(ink: Ink) -> Rgb {
    let (red, green, blue) = ink.rgb;
    [red, green, blue].map(f64::from)
}

/// What stands between the braces after each `head`.
fn blocks<'a>(style: &'a str, head: &str) -> Vec<&'a str> {
    let inside = |rest: &'a str| {
        let mut depth = 1;
        let end = rest.find(|letter| {
            depth += i32::from(letter == '{') - i32::from(letter == '}');
            depth == 0
        });
        &rest[..end.expect("a block is closed")]
    };
    style.match_indices(head).map(|(at, head)| inside(&style[at + head.len()..])).collect()
}

/// The variables that a block sets.
fn variables(block: &str) -> BTreeMap<&str, &str> {
    let declarations = block.split([';', '{', '}']).filter_map(|part| part.trim().split_once(':'));
    let set = declarations.filter_map(|(name, value)| Some((name.strip_prefix("--")?, value)));
    set.map(|(name, value)| (name, value.trim())).collect()
}

/// The look of the page on one medium.
struct Look {
    name: &'static str,
    variables: BTreeMap<&'static str, &'static str>,
    /// What becomes of an ink of the charts.
    inks: Vec<(Rgb, Rgb)>,
}

const DARK: &str = "@media (prefers-color-scheme: dark) {";
const DARK_CHARTS: &str = "@media screen and (prefers-color-scheme: dark) {";
const PRINT: &str = "@media print {";

impl Look {
    fn all() -> [Self; 3] {
        let first = |style: &'static str, head| blocks(style, head)[0];
        let root = |block: &'static str| variables(first(block, ":root {"));
        let (light, dark, print) =
            (root(STYLE), root(first(STYLE, DARK)), root(first(STYLE, PRINT)));
        let over = |own: BTreeMap<&'static str, &'static str>| {
            let mut whole = light.clone();
            whole.extend(own);
            whole
        };
        let inks = replaced_inks(first(STYLE, DARK_CHARTS));
        [
            Self { name: "light", variables: light.clone(), inks: Vec::new() },
            Self { name: "dark", variables: over(dark), inks },
            Self { name: "print", variables: over(print), inks: Vec::new() },
        ]
    }

    fn variable(&self, name: &str) -> Rgb {
        let value = self.variables.get(name).unwrap_or_else(|| panic!("--{name} is not set"));
        colour(value).unwrap_or_else(|| panic!("--{name}: {value} is no colour"))
    }

    /// The share of a verdict's tone in the ground of its box.
    fn tint(&self) -> f64 {
        let percent: f64 = self.variables["tint"].trim_end_matches('%').parse().unwrap();
        percent / 100.0
    }

    fn ink(&self, ink: Ink) -> Rgb {
        let drawn = rgb(ink);
        let replaced = self.inks.iter().find(|(light, _)| *light == drawn);
        replaced.map_or(drawn, |(_, dark)| *dark)
    }

    /// What charts are drawn on: the ground, and the shade of every second phase.
    fn chart_grounds(&self) -> [Rgb; 2] {
        let ground = self.ink(Ink::WHITE);
        [ground, mixed(self.ink(Ink::BLACK), PHASE_SHADE, ground)]
    }

    fn check(&self, what: &str, (one, other): (Rgb, Rgb), least: f64, found: &mut Vec<String>) {
        let ratio = contrast(one, other);
        if ratio < least {
            found.push(format!("{}: {what} has {ratio:.2}, least is {least}", self.name));
        }
    }
}

/// The opacity of the shade behind every second phase in `chart::frame`.
const PHASE_SHADE: f64 = 0.06;

/// The inks that the styles of dark charts replace; fills and strokes alike.
fn replaced_inks(block: &str) -> Vec<(Rgb, Rgb)> {
    let rules = |kind: &str| -> Vec<(Rgb, Rgb)> {
        let rules = block.split('}').filter_map(|rule| {
            let (_, rest) = rule.split_once(&format!(".chart svg [{kind}=\""))?;
            let (from, rest) = rest.split_once('"')?;
            let (_, to) = rest.split_once(&format!("{{ {kind}:"))?;
            Some((colour(from)?, colour(to.trim().trim_end_matches(';'))?))
        });
        rules.collect()
    };
    let (fills, strokes) = (rules("fill"), rules("stroke"));
    assert!(strokes.iter().all(|rule| fills.contains(rule)), "{fills:?} {strokes:?}");
    fills
}

/// Names of the variables that the styles set `property` to, but for the edges of boxes.
fn used(property: &str) -> Vec<&'static str> {
    let declarations = STYLE.split([';', '{', '}']).filter_map(|part| part.trim().split_once(':'));
    let values = declarations.filter(|(name, _)| name.trim() == property);
    let mut used: Vec<&str> = values.map(|(_, value)| value.trim()).collect();
    used.sort_unstable();
    used.dedup();
    used.retain(|value| !["inherit", "none"].contains(value));
    used
}

const TONES: [&str; 5] = ["pass", "inconclusive", "fail", "invalid", "unjudged"];

#[test]
fn contrasts_are_those_of_the_standard() {
    let of = |one, other| contrast(colour(one).unwrap(), colour(other).unwrap());
    assert!((of("#000000", "#ffffff") - 21.0).abs() < 1e-9);
    // The greys beside the limit of 4.5, https://webaim.org/articles/contrast/.
    assert!(of("#767676", "#ffffff") > 4.5 && of("#777777", "#ffffff") < 4.5);
    assert!((of("#0000ff", "#ffffff") - 8.59).abs() < 0.005);
}

#[test]
fn the_audit_knows_every_colour_of_the_styles() {
    let texts = ["fail", "ground", "ink", "link", "pass", "quiet", "tone"];
    assert_eq!(used("color"), texts.map(|name| format!("var(--{name})")));
    let mix = "color-mix(in srgb, var(--tone) var(--tint), var(--ground))";
    assert_eq!(used("background"), [mix, "var(--ground)", "var(--raised)", "var(--tone)"]);
    assert_eq!(used("opacity"), [""; 0], "what is paler than its colour has less contrast");
}

#[test]
fn text_stands_out_from_every_ground() {
    let mut found = Vec::new();
    for look in Look::all() {
        let plain = ["ground", "raised"].map(|name| (name.to_owned(), look.variable(name)));
        let tinted = TONES.map(|tone| {
            let mix = mixed(look.variable(tone), look.tint(), look.variable("ground"));
            (format!("the box of {tone}"), mix)
        });
        let texts = ["ink", "quiet", "link"].into_iter().chain(TONES);
        for text in texts {
            for (ground, behind) in plain.iter().chain(&tinted) {
                let pair = (look.variable(text), *behind);
                look.check(&format!("{text} on {ground}"), pair, TEXT, &mut found);
            }
        }
        for tone in TONES {
            let pair = (look.variable("ground"), look.variable(tone));
            look.check(&format!("the symbol of {tone}"), pair, TEXT, &mut found);
        }
    }
    assert_eq!(found, [""; 0]);
}

#[test]
fn what_charts_draw_stands_out_from_their_grounds() {
    let mut found = Vec::new();
    for look in Look::all() {
        for ground in look.chart_grounds() {
            for (name, ink) in [("black", Ink::BLACK), ("grey", Ink::GREY)] {
                look.check(name, (look.ink(ink), ground), TEXT, &mut found);
            }
            // Seven colours recur; grid lines are pale on purpose and carry nothing.
            let versions = [None].into_iter().chain((0..6).map(Some));
            let inks = versions.map(|version| version_look(version).ink);
            for ink in inks.chain((0..7).map(kind_ink)).chain([Ink::FAULT]) {
                let what = format!("{:02X?}", ink.rgb);
                look.check(&what, (look.ink(ink), ground), GRAPHIC, &mut found);
            }
        }
        let ground = look.variable("ground");
        assert_eq!(
            look.ink(Ink::WHITE),
            ground,
            "{}: charts stand on the page's ground",
            look.name
        );
        look.check("the focus", (look.variable("link"), ground), GRAPHIC, &mut found);
    }
    assert_eq!(found, [""; 0]);
}
