//! The description of the format as tables for people: every key with what it holds, its default
//! and its meaning.
//!
//! The pages in `docs/` show these tables between their own words; a test holds them together.

use super::shape::{Absent, Choice, Field, Literal, Open, Shape, Short, Table};
use super::shapes::SCENARIO;
use super::shapes_gateway::GATEWAY;

/// The keys of one part of the format.
#[derive(Clone, Debug)]
pub struct Section {
    /// What the part is called: `workload`, `fault`.
    pub name: &'static str,
    /// Its keys, a row each, as a Markdown table.
    pub table: String,
}

/// Every key of scenario files and of the configurations of gateways, by the parts that have a
/// section of their own. Keys of smaller parts stand in the section that holds them, behind a dot.
pub fn reference() -> Vec<Section> {
    let mut writer = Writer::default();
    for format in [SCENARIO, GATEWAY] {
        writer.shape("", format, &mut Vec::new());
    }
    writer.sections
}

/// The parts with a section of their own, and where the pages in `docs/` explain them.
const OWN: &[(&str, &str)] = &[
    ("scenario", "scenario.md#the-file"),
    ("workload", "workloads.md#the-workload"),
    ("arrivals", "workloads.md#arrivals"),
    ("model", "scenario.md#models-and-versions"),
    ("version", "scenario.md#models-and-versions"),
    ("upstream", "upstreams.md#the-upstream"),
    ("failures", "upstreams.md#failures"),
    ("distribution of times", "upstreams.md#distributions"),
    ("phase", "scenario.md#phases"),
    ("phase's workload", "scenario.md#a-phases-workload"),
    ("policies", "engine.md#retries-and-fallback"),
    ("rollout", "engine.md#rollout"),
    ("fault", "upstreams.md#faults"),
    ("command", "scenario.md#commands"),
    ("rules", "engine.md#rules"),
    ("condition", "engine.md#rules"),
    ("gateway", "gateway.md#the-file"),
    ("gateway's upstream", "gateway.md#upstreams"),
    ("gateway's model", "gateway.md#models-and-versions"),
    ("gateway's version", "gateway.md#models-and-versions"),
];

/// A family of parts that differ in a literal only, explained by the section of one of them.
const ALIKE: (&str, &str) = ("distribution of ", "distribution of times");

#[derive(Default)]
struct Writer {
    sections: Vec<Section>,
    /// The choices with a section, and those that are being written: a part that repeats their
    /// keys is not written out again.
    choices: Vec<&'static Choice>,
}

impl Writer {
    /// What `shape` is, in a cell; the rows of its own keys go to `rows`, each below `path`.
    fn shape(&mut self, path: &str, shape: Shape, rows: &mut Vec<String>) -> String {
        match shape {
            Shape::One(literal) => literal_words(literal),
            Shape::Either(literals) => {
                literals.iter().map(|kind| literal_words(*kind)).collect::<Vec<_>>().join(" or ")
            }
            Shape::List(item) => {
                format!("list of: {}", self.shape(&format!("{path}[]"), *item, rows))
            }
            Shape::Table(table) => self.table(path, table, rows),
            Shape::Open(open) => self.open(path, open, rows),
            Shape::Record(record) => self
                .of_own(record.name, |writer, rows| writer.fields("", record.fields, rows))
                .unwrap_or_else(|| {
                    self.fields(path, record.fields, rows);
                    "map".to_owned()
                }),
            Shape::Choice(choice) => self.choice(path, choice, rows),
            Shape::Short(short) => self.short(path, short, rows),
            Shape::OneOrMore(literal) => format!("{}, or list of such", literal_words(literal)),
            Shape::Free => "whatever JSON can say".to_owned(),
            Shape::FileOr(shape) => {
                format!("{}, or the path of a file with it", self.shape(path, *shape, rows))
            }
        }
    }

    fn table(&mut self, path: &str, table: &'static Table, rows: &mut Vec<String>) -> String {
        let key = key_words(table.key);
        let value = self.shape(&format!("{path}.<{key}>"), table.value, rows);
        format!("map of {key} to {value}")
    }

    fn open(&mut self, path: &str, open: &'static Open, rows: &mut Vec<String>) -> String {
        let own = self.of_own(open.name, |writer, rows| {
            let key = format!("<{}>", key_words(open.key));
            let mut below = Vec::new();
            let holds = writer.shape(&key, open.value, &mut below);
            rows.push(format!("| `{key}` | {holds} |  | by {} |", open.key.wanted()));
            rows.append(&mut below);
            writer.fields("", open.fields, rows);
        });
        own.unwrap_or_else(|| {
            self.fields(path, open.fields, rows);
            let key = key_words(open.key);
            let value = self.shape(&format!("{path}.<{key}>"), open.value, rows);
            format!("map of {key} to {value}")
        })
    }

    fn short(&mut self, path: &str, short: &'static Short, rows: &mut Vec<String>) -> String {
        let full = self.shape(path, short.full, rows);
        format!("{}, or {full}", literal_words(short.literal))
    }

    fn choice(&mut self, path: &str, choice: &'static Choice, rows: &mut Vec<String>) -> String {
        let own = self.of_own(choice.name, |writer, rows| {
            writer.choices.push(choice);
            writer.choices("", choice, rows);
        });
        if let Some(words) = own {
            return words;
        }
        let like = self.choices.iter().find(|known| repeats(choice, known)).copied();
        if let Some(like) = like {
            self.fields(path, choice.beside, rows);
            return likeness(choice, like);
        }
        // What stands beside it may have brought a part that it extends.
        self.fields(path, choice.beside, &mut Vec::new());
        let extended = self.choices.iter().find(|known| extends(choice, known)).copied();
        if let Some(extended) = extended {
            let more = choice.choices.iter().filter(|field| !has(extended, field));
            let mut names = Vec::new();
            for field in more {
                self.row(path, field, "one of these", rows);
                names.push(format!("`{}`", field.name));
            }
            self.fields(path, choice.beside, rows);
            return format!("{}, or map with {}", link(extended.name), names.join(", "));
        }
        self.choices.push(choice);
        self.choices(path, choice, rows);
        self.choices.retain(|known| !std::ptr::eq(*known, choice));
        "map with one of its keys".to_owned()
    }

    fn choices(&mut self, path: &str, choice: &'static Choice, rows: &mut Vec<String>) {
        for field in choice.choices {
            self.row(path, field, "one of these", rows);
        }
        self.fields(path, choice.beside, rows);
    }

    fn fields(&mut self, path: &str, fields: &'static [Field], rows: &mut Vec<String>) {
        for field in fields {
            self.row(path, field, "required", rows);
        }
    }

    fn row(&mut self, path: &str, field: &Field, must: &str, rows: &mut Vec<String>) {
        let key =
            if path.is_empty() { field.name.to_owned() } else { format!("{path}.{}", field.name) };
        let mut below = Vec::new();
        let holds = self.shape(&key, field.shape, &mut below);
        let (about, said) = parted(field.about);
        let default = match field.absent {
            Absent::Refused => must.to_owned(),
            Absent::Default(default) => format!("`{default}`"),
            Absent::Nothing => said.to_owned(),
        };
        let cells = [format!("`{key}`"), holds, plain(&default), plain(about)];
        rows.push(format!("| {} |", cells.map(|cell| cell.replace('|', "\\|")).join(" | ")));
        rows.append(&mut below);
    }

    /// If the part `name` has a section of its own: the link to it. The section is written the
    /// first time.
    fn of_own(
        &mut self,
        name: &'static str,
        write: impl FnOnce(&mut Self, &mut Vec<String>),
    ) -> Option<String> {
        if section_of(name) != name {
            return Some(link(name));
        }
        OWN.iter().find(|(part, _)| *part == name)?;
        if !self.sections.iter().any(|section| section.name == name) {
            let at = self.sections.len();
            self.sections.push(Section { name, table: String::new() });
            let mut rows = Vec::new();
            write(self, &mut rows);
            self.sections[at].table = format!("{HEAD}{}\n", rows.join("\n"));
        }
        Some(link(name))
    }
}

/// Whether every key of `choice` is one of `known`, and they mean the same: the places of two
/// secrets have the same keys.
fn repeats(choice: &Choice, known: &Choice) -> bool {
    let means_it = |field: &Field| known.choices.iter().any(|other| other.about == field.about);
    choice.choices.iter().all(|field| has(known, field)) && choice.choices.iter().any(means_it)
}

/// Whether `choice` has every key of `known`, and more.
fn extends(choice: &Choice, known: &Choice) -> bool {
    known.choices.iter().all(|field| has(choice, field))
}

/// Whether `field` is one of the choices.
fn has(choice: &Choice, field: &Field) -> bool {
    choice.choices.iter().any(|other| other.name == field.name)
}

/// What `choice` is, by one that has its keys: `[arrivals](...) but for trace`.
fn likeness(choice: &Choice, like: &Choice) -> String {
    let listed = |fields: &mut dyn Iterator<Item = &Field>| {
        fields.map(|field| format!("`{}`", field.name)).collect::<Vec<_>>().join(", ")
    };
    let missing = listed(&mut like.choices.iter().filter(|field| !has(choice, field)));
    let beside = listed(&mut choice.beside.iter());
    let mut words = link(like.name);
    for (word, keys) in [("but for", missing), ("with", beside)] {
        if !keys.is_empty() {
            words.push_str(&format!(" {word} {keys}"));
        }
    }
    words
}

const HEAD: &str = "| key | holds | default | meaning |\n| --- | --- | --- | --- |\n";

/// The part in whose section `name` is explained.
fn section_of(name: &str) -> &str {
    let (family, one) = ALIKE;
    if name.starts_with(family) { one } else { name }
}

/// `name`, with a link to where it is explained.
fn link(name: &str) -> String {
    let part = section_of(name);
    let own = OWN.iter().find(|(own, _)| *own == part);
    own.map_or_else(|| name.to_owned(), |(_, target)| format!("[{name}]({target})"))
}

/// `text` with what Markdown would take for a tag written out, but for what stands in code.
fn plain(text: &str) -> String {
    let parts = text.split('`').enumerate();
    let written =
        parts.map(
            |(index, part)| {
                if index % 2 == 0 { part.replace('<', "&lt;") } else { part.to_owned() }
            },
        );
    written.collect::<Vec<_>>().join("`")
}

/// A key's sentence without the default at its end, and that default.
fn parted(about: &str) -> (&str, &str) {
    let rest = about.strip_suffix(')').and_then(|rest| rest.split_once(" (default: "));
    rest.unwrap_or((about, ""))
}

fn key_words(literal: Literal) -> &'static str {
    match literal {
        Literal::Version => "version",
        Literal::Model => "model",
        Literal::Status => "status",
        Literal::Metric => "metric",
        Literal::Ratio => "ratio",
        Literal::Upstream => "upstream",
        Literal::Header => "header",
        Literal::Text => "name",
        _ => "key",
    }
}

fn literal_words(literal: Literal) -> String {
    let words = match literal {
        Literal::Duration => "duration",
        Literal::Ratio => "ratio",
        Literal::Rate => "rate",
        Literal::Quota => "quota",
        Literal::Money => "money",
        Literal::Tokens => "tokens",
        Literal::Requests => "requests",
        Literal::Timestamp => "timestamp",
        Literal::Figure => "figure",
        Literal::Bool => "`true` or `false`",
        Literal::Text => "text",
        Literal::Slug => "short name",
        Literal::Model => "model",
        Literal::Version => "version or tag",
        Literal::Tag => "tag",
        Literal::Key => "name of an access key",
        Literal::Metric => "metric",
        Literal::Status => "status",
        Literal::Path => "path of a file",
        Literal::Variable => "name of a var",
        Literal::Environment => "name of an environment variable",
        Literal::Address => "IP address with a port",
        Literal::Url | Literal::SecretUrl => "URL",
        Literal::Host => "name of a host",
        Literal::Header => "name of a header",
        Literal::Upstream => "upstream",
        Literal::Any => "value",
        Literal::Word(words) => {
            return words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
        }
        Literal::Integer(least, most) if least == most => return format!("`{least}`"),
        Literal::Integer(least, most) => {
            return format!("whole number, {} to {}", whole(least), whole(most));
        }
        Literal::Number(least, most) if least.is_finite() => {
            return format!("number, {} to {}", number(least), number(most));
        }
        Literal::Number(..) => "number",
    };
    words.to_owned()
}

fn number(bound: f64) -> String {
    if bound.abs() < 1e6 { bound.to_string() } else { format!("{bound:e}") }
}

/// A bound of a range as people read it.
fn whole(number: u64) -> String {
    let power = |base: u64, name: &str| {
        let exponent = (1..64).find(|exponent| base.checked_pow(*exponent) == Some(number));
        exponent.map(|exponent| format!("{name}^{exponent}"))
    };
    match number {
        u64::MAX => "2^64 - 1".to_owned(),
        4_294_967_295 => "2^32 - 1".to_owned(),
        0..1_000_000 => number.to_string(),
        _ => power(10, "10").unwrap_or_else(|| number.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(name: &str) -> String {
        let sections = reference();
        sections.iter().find(|section| section.name == name).unwrap().table.clone()
    }

    #[test]
    fn a_row_says_what_a_key_holds_its_default_and_its_meaning() {
        let workload = section("workload");
        for row in [
            "| `arrivals` | [arrivals](workloads.md#arrivals) | required | when requests arrive |",
            "| `tokens.input` | tokens, or [distribution of token counts]",
            "| `client_timeout` | duration | `30s` | how long a client waits",
        ] {
            assert!(workload.contains(row), "{row} in\n{workload}");
        }
        assert!(section("model").contains("| `rules` | [rules](engine.md#rules), or the path"));
    }

    #[test]
    fn what_looks_like_a_tag_is_written_out() {
        assert_eq!(plain("to:<version>, or `<any>`"), "to:&lt;version>, or `<any>`");
    }

    #[test]
    fn a_default_in_words_goes_to_its_own_column() {
        assert_eq!(parted("what it is (default: none)"), ("what it is", "none"));
        assert_eq!(parted("what it is (or was)"), ("what it is (or was)", ""));
        let condition = section("condition");
        assert!(condition.contains("| 10 | with fewer completions"), "{condition}");
    }

    #[test]
    fn parts_without_a_section_stand_below_the_key_that_holds_them() {
        let fault = section("fault");
        assert!(
            fault.contains("| `latency.times` | number, 0 to 1000 | one of these |"),
            "{fault}"
        );
        assert!(
            section("distribution of times")
                .contains("| `mixture[].weight` | number, 0 to 1e18 | required |")
        );
    }

    #[test]
    fn every_part_that_is_to_have_a_section_is_in_the_format() {
        let sections = reference();
        for (name, _) in OWN {
            let known = sections.iter().filter(|section| section.name == *name).count();
            assert_eq!(known, 1, "{name}");
        }
        for section in sections {
            assert!(section.table.lines().count() > 2, "{} has no keys", section.name);
        }
    }

    #[test]
    fn bounds_are_written_as_people_read_them() {
        assert_eq!(whole(1_000_000_000_000), "10^12");
        assert_eq!(whole(4_294_967_295), "2^32 - 1");
        assert_eq!(whole(65_535), "65535");
    }
}
