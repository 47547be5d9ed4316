//! Quantities with their units: time, ratios, rates, tokens, money, names.
//!
//! Every number that crosses a module's border is one of these types, so a millisecond cannot be
//! taken for a second nor a percentage for a ratio. The literals of scenario files (`250ms`, `5%`,
//! `30000/h`) are parsed here and every figure shown to a person is printed here, by one set of
//! formatters. Knows nothing of clocks, sockets, files or random numbers.

mod amount;
mod draw;
mod format;
mod identity;
mod literal;
mod name;
mod rate;
mod ratio;
mod time;

pub use amount::{Money, Price, Tokens};
pub use draw::Draw;
pub use format::{
    format_change, format_count, format_counted, format_duration, format_elapsed, format_millis,
    format_money, format_p_value, format_percent, format_rate, format_set_share,
    format_significant,
};
pub use identity::RequestId;
pub use literal::{LiteralError, parse_requests};
pub use name::{KeyId, ModelId, NameError, TagName, VersionId};
pub use rate::{Quota, Rate};
pub use ratio::{Ratio, RatioError};
pub use time::{Duration, Timestamp};
