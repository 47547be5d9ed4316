//! The selectors of a metric: from `{phase=canary, arm=stable}` to a [`Selector`].

use super::cursor::Cursor;
use super::error::{ParseError, Problem};
use super::reading::{Arm, Selector};
use crate::metric::Metric;
use crate::units::Duration;

/// The selectors of a metric, in braces; none where there are none.
pub(super) fn selector(cursor: &mut Cursor<'_>, metric: Metric) -> Result<Selector, ParseError> {
    let mut selector = Selector::default();
    cursor.skip_blanks();
    if !cursor.take("{") {
        return Ok(selector);
    }
    cursor.skip_blanks();
    if cursor.take("}") {
        return Ok(selector);
    }
    loop {
        cursor.skip_blanks();
        let at = cursor.at;
        selector_part(cursor, &mut selector, metric)?;
        let beside = selector.phase.is_some() || selector.version.is_some();
        if selector.column.is_some() && beside {
            return Err(cursor.error(at, Problem::ColumnWithOthers));
        }
        cursor.skip_blanks();
        if cursor.take("}") {
            return Ok(selector);
        }
        if !cursor.take(",") {
            return Err(cursor.unexpected("\",\" or \"}\""));
        }
    }
}

/// `name = value`.
fn selector_part(
    cursor: &mut Cursor<'_>,
    into: &mut Selector,
    metric: Metric,
) -> Result<(), ParseError> {
    let at = cursor.at;
    let word = cursor.take_name();
    if word.is_empty() {
        return Err(cursor.unexpected("a selector: phase, version, model, column, arm or within"));
    }
    let Some(name) = SELECTORS.into_iter().find(|name| *name == word) else {
        let error = cursor.error(at, Problem::UnknownSelector { name: word.to_owned() });
        return Err(error.suggest(word, SELECTORS));
    };
    cursor.skip_blanks();
    if !cursor.take("=") || cursor.peek() == Some('=') {
        return Err(cursor.unexpected("\"=\" and a value"));
    }
    cursor.skip_blanks();
    let value_at = cursor.at;
    let value = value(cursor)?;
    let repeated = match name {
        "phase" => into.phase.replace(value).is_some(),
        "version" => into.version.replace(value).is_some(),
        "model" => into.model.replace(value).is_some(),
        "column" => into.column.replace(value).is_some(),
        "within" => {
            if metric != Metric::Goodput {
                return Err(cursor.error(at, Problem::NoLimit { metric }));
            }
            let limit = Duration::parse(&value)
                .map_err(|source| cursor.error(value_at, Problem::Limit { source }))?;
            into.within.replace(limit).is_some()
        }
        _ => {
            if !metric.is_of_requests() {
                return Err(cursor.error(at, Problem::NoArms { metric }));
            }
            into.arm.replace(arm(cursor, &value, value_at)?).is_some()
        }
    };
    if repeated {
        return Err(cursor.error(at, Problem::RepeatedSelector { name }));
    }
    Ok(())
}

fn arm(cursor: &Cursor<'_>, name: &str, at: usize) -> Result<Arm, ParseError> {
    let arms = [Arm::Canary, Arm::Stable, Arm::Pinned];
    arms.into_iter().find(|arm| arm.name() == name).ok_or_else(|| {
        let error = cursor.error(at, Problem::UnknownArm { name: name.to_owned() });
        error.suggest(name, arms.map(Arm::name))
    })
}

/// A selector's value, without its quotes.
fn value(cursor: &mut Cursor<'_>) -> Result<String, ParseError> {
    let Some(quote) = cursor.peek().filter(|c| matches!(c, '\'' | '"')) else {
        let bare = |c: char| !c.is_whitespace() && !"{}(),='\"<>!".contains(c);
        let value = cursor.take_while(bare);
        if value.is_empty() {
            return Err(cursor.unexpected("a value, in quotes if it holds blanks"));
        }
        return Ok(value.to_owned());
    };
    let opening = cursor.at;
    cursor.at += quote.len_utf8();
    let value = cursor.take_while(|c| c != quote);
    if cursor.peek().is_none() {
        let found = "a quote that is not closed".to_owned();
        let expected = "the same quote at the value's end";
        return Err(cursor.error(opening, Problem::Unexpected { found, expected }));
    }
    if value.is_empty() {
        return Err(cursor.unexpected("a name between the quotes"));
    }
    cursor.at += quote.len_utf8();
    Ok(value.to_owned())
}

/// The names of selectors, as they are listed to the user.
pub(super) const SELECTORS: [&str; 6] = ["phase", "version", "model", "column", "arm", "within"];
