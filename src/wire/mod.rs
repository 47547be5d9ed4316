//! OpenAI-shaped bodies, errors and server-sent events, as types, parsers and writers.
//!
//! Shared by the gateway, the mock and the load generator. Bytes in, facts or bytes out: knows
//! nothing of sockets, HTTP libraries, clocks or the engine. What comes from outside is read by one
//! scanner that allocates nothing, so a request's body is looked at once and copied once, and a
//! stream's chunks are looked at as they pass.
//!
//! Shapes: <https://platform.openai.com/docs/api-reference/chat>, events:
//! <https://html.spec.whatwg.org/multipage/server-sent-events.html>.

mod answer;
mod answer_writer;
mod api_error;
mod ask;
mod ask_error;
mod chunk;
mod event_lines;
mod fuzz;
mod integrity;
mod model_list;
mod parameters;
mod parameters_error;
mod request_number;
mod scan;
mod stream_reader;
mod text;

pub use answer::{AnswerError, AnswerFacts, read_answer};
pub use answer_writer::{AnswerWriter, FinishReason, Said, ToolCall};
pub use api_error::{ApiError, ErrorKind};
pub use ask::ChatAsk;
pub use ask_error::AskError;
pub(crate) use event_lines::{EventLines, ServerEvent};
#[doc(hidden)]
pub use fuzz::fuzz_wire;
pub use integrity::integrity;
pub use model_list::{ModelEntry, model_list, model_object};
pub use parameters::Parameters;
pub use parameters_error::ParametersError;
pub use request_number::RequestNumber;
pub use stream_reader::{Passed, StreamEnding, StreamFacts, StreamReader};
