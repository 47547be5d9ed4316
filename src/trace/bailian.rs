//! The traces of Qwen on Aliyun Bailian (USENIX ATC '25):
//! <https://github.com/alibaba-edu/qwen-bailian-usagetraces-anon>.
//!
//! One JSON object a line. It looks like Mooncake's, but times are seconds, blocks have 16 tokens,
//! and every request has a number and that of the one it follows. A conversation has the number of
//! its first request.

use std::collections::{BTreeMap, VecDeque};

use serde::Deserialize;
use serde_json::value::RawValue;

use super::decimal::unscaled;
use super::description::{
    Description, FirstLine, Line, Order, Origin, ReadRows, Recognised, WriteRows, Written,
};
use super::error::TraceErrorKind;
use super::json_members::Members;
use super::json_scalar::{Scalar, duration, object};
use super::number::whole;
use super::options::TimeUnit;
use super::record::{BLOCKS_ALLOWED, Prefix, TraceRecord};
use crate::units::Timestamp;

const NAME: &str = "bailian";

/// The format.
pub(super) static FORMAT: Description = Description {
    name: NAME,
    begins: "{\"chat_id\":0,\"parent_chat_id\":-1,\"timestamp\":0.5,\"input_length\":20,\
             \"output_length\":7,\"type\":\"text\",\"turn\":1,\"hash_ids\":[0,1]}",
    time_unit: "seconds since the trace began",
    origin: Origin::Beginning,
    first_line: FirstLine::Row,
    order: Order::ByStart,
    entries: None,
    recognise,
    read: |options| {
        Ok(Box::new(Bailian {
            unit: options.unit.unwrap_or(TimeUnit::Seconds),
            block: options.block.unwrap_or(BLOCK),
            conversations: Conversations::default(),
        }))
    },
    write: Some(WriteRows::lines(write)),
};

fn recognise(first_line: &str) -> Recognised {
    let is_own = serde_json::from_str(first_line).is_ok_and(|members: Members<'_>| {
        let has = |key| members.has_any(&[key]);
        has("chat_id") && has("timestamp") && has("input_length") && has("output_length")
    });
    Recognised::when(is_own)
}

struct Bailian {
    unit: TimeUnit,
    block: u32,
    conversations: Conversations,
}

#[derive(Deserialize)]
struct Request<'a> {
    #[serde(borrow, default)]
    timestamp: Scalar<'a>,
    #[serde(borrow, default)]
    input_length: Scalar<'a>,
    #[serde(borrow, default)]
    output_length: Scalar<'a>,
    #[serde(borrow, default)]
    chat_id: Scalar<'a>,
    #[serde(borrow, default)]
    parent_chat_id: Scalar<'a>,
    #[serde(borrow)]
    hash_ids: Option<&'a RawValue>,
}

impl ReadRows for Bailian {
    fn read(
        &mut self,
        line: Line<'_>,
        record: &mut TraceRecord,
    ) -> Result<Option<Timestamp>, TraceErrorKind> {
        let request: Request<'_> = object(line)?;
        let missing = |name| TraceErrorKind::MissingColumn { name };
        let at = request
            .timestamp
            .read("timestamp", TIME_ALLOWED, |text| duration(text, self.unit.digits()))?;
        let at = at.ok_or_else(|| missing("timestamp"))?;
        let input = request.input_length.tokens("input_length")?;
        let input = input.ok_or_else(|| missing("input_length"))?;
        let output = request.output_length.tokens("output_length")?;
        (record.input, record.output) =
            (Some(input), Some(output.ok_or_else(|| missing("output_length"))?));
        let hashes = hashes(request.hash_ids.ok_or_else(|| missing("hash_ids"))?)?;
        record.prefix = Some(Prefix::of(self.block, hashes, input)?);
        let chat = request.chat_id.read("chat_id", ID_ALLOWED, whole)?;
        let chat = chat.ok_or_else(|| missing("chat_id"))?;
        record.parent = if request.parent_chat_id.is("-1") {
            None
        } else {
            request.parent_chat_id.read("parent_chat_id", ID_ALLOWED, whole)?
        };
        record.session = Some(self.conversations.of(chat, record.parent));
        Ok(Some(Timestamp::EPOCH + at))
    }
}

fn hashes(list: &RawValue) -> Result<Vec<u64>, TraceErrorKind> {
    serde_json::from_str(list.get())
        .map_err(|_| TraceErrorKind::value("hash_ids", list.get(), BLOCKS_ALLOWED))
}

/// Which conversation each of the latest requests is part of.
#[derive(Default)]
struct Conversations {
    of: BTreeMap<u64, u64>,
    /// In the order in which they came.
    requests: VecDeque<u64>,
}

impl Conversations {
    /// The conversation of request `chat`, which follows `parent`. Where that came too long ago to
    /// be remembered, or never, the conversation begins with it.
    fn of(&mut self, chat: u64, parent: Option<u64>) -> u64 {
        if let Some(known) = self.of.get(&chat) {
            return *known;
        }
        let root = parent.map_or(chat, |parent| self.of.get(&parent).copied().unwrap_or(parent));
        if self.requests.len() == REMEMBERED {
            let oldest = self.requests.pop_front();
            oldest.and_then(|oldest| self.of.remove(&oldest));
        }
        self.requests.push_back(chat);
        self.of.insert(chat, root);
        root
    }
}

/// Requests of one conversation all have its number: which of them came first was told by whom they
/// follow. Nothing is said of types and turns, which a record does not have.
fn write(text: &mut String, written: &Written<'_>) -> Result<(), TraceErrorKind> {
    let record = written.record;
    let lacks = |needs| TraceErrorKind::Lacks { format: NAME, needs };
    let input = record.input.ok_or_else(|| lacks("the tokens of every prompt"))?.get();
    let output = record.output.ok_or_else(|| lacks("the tokens of every answer"))?.get();
    let prefix = record.prefix.as_ref().filter(|prefix| prefix.block == BLOCK);
    let prefix = prefix.ok_or_else(|| lacks("blocks of 16 tokens of every prompt"))?;
    let chat = record.session.unwrap_or(written.number);
    let parent = record.parent.map_or_else(|| "-1".to_owned(), |parent| parent.to_string());
    let at = unscaled(record.at.as_nanos(), 9);
    let hashes = prefix.hashes.iter().map(u64::to_string).collect::<Vec<_>>().join(",");
    text.push_str(&format!(
        "{{\"chat_id\":{chat},\"parent_chat_id\":{parent},\"timestamp\":{at},\
         \"input_length\":{input},\"output_length\":{output},\"hash_ids\":[{hashes}]}}\n"
    ));
    Ok(())
}

const BLOCK: u32 = 16;
/// Chosen: some 60 MB at most; a conversation whose latest turn lies further back is hardly one.
const REMEMBERED: usize = 1 << 19;
const TIME_ALLOWED: &str =
    "a number of seconds from 0 to 9223372036; another unit is told by `--unit`";
const ID_ALLOWED: &str = "a whole number from 0 to 18446744073709551615, or -1 for no parent";
