//! What is told of a request that has ended.

use crate::exchange::{Ending, Finish, Observed, Request, RetryAfter, Usage};
use crate::units::{Duration, Timestamp, Tokens};

/// A request that has ended. Times are those of the generator's clock.
#[derive(Clone, Copy, Debug)]
pub struct Finished<'a> {
    /// Its number among all that were sent, from 0, in the order of their times.
    pub number: u64,
    /// What was asked.
    pub request: Request,
    /// When it was to be sent; in a closed loop when it was.
    pub intended: Timestamp,
    /// When it was handed to a connection, or one was begun for it.
    pub sent: Timestamp,
    /// When the first piece of a streamed answer that has content came.
    pub first_content: Option<Timestamp>,
    /// When the last such piece came.
    pub last_content: Option<Timestamp>,
    /// The time between each two successive pieces with content.
    pub gaps: &'a [Duration],
    /// When it ended: with the last byte of a plain answer, with the event that ends a stream, or
    /// when it failed.
    pub ended: Timestamp,
    /// How it ended.
    pub ending: Ending,
    /// The status of the answer, where one came.
    pub status: Option<u16>,
    /// Why a complete answer ended where it did, where it says so.
    pub finish: Option<Finish>,
    /// The tokens that the answer says were counted.
    pub usage: Option<Usage>,
    /// Tokens of the answer: those that were counted, else the pieces of a stream with content, or
    /// one for four bytes of a plain answer.
    pub output: Tokens,
    /// Whether a piece of its stream certainly came twice.
    pub repeats: bool,
    /// When a server that refused it asks to be asked again.
    pub retry_after: Option<RetryAfter>,
    /// The version that answered, as a gateway says.
    pub served: Option<&'a str>,
    /// The version that it was assigned to, as a gateway says.
    pub assigned: Option<&'a str>,
    /// How long it took to connect, where it needed a new connection.
    pub connect: Option<Duration>,
    /// Bytes of its body.
    pub bytes_sent: u64,
    /// Bytes of the answer's body.
    pub bytes_received: u64,
    /// What the connection says of a failure.
    pub cause: Option<&'a str>,
    /// Whether it failed for want of something on this machine, such as a port: no statement about
    /// the server.
    pub is_local: bool,
}

/// Is told of the requests of one thread as they end.
pub trait Observer: Send + 'static {
    /// A request has ended. Called between two requests: what takes long here delays the next.
    fn ended(&mut self, finished: &Finished<'_>);
}

impl Finished<'_> {
    /// How much later than intended it was sent.
    pub const fn lag(&self) -> Duration {
        self.sent.since(self.intended)
    }

    /// From the intended time to the end.
    pub const fn latency(&self) -> Duration {
        self.ended.since(self.intended)
    }

    /// From when it was sent to the end.
    pub const fn service_time(&self) -> Duration {
        self.ended.since(self.sent)
    }

    /// From the intended time to the first content (TTFT).
    pub fn first_token(&self) -> Option<Duration> {
        self.first_content.map(|at| at.since(self.intended))
    }

    /// From when it was sent to the first content.
    pub fn first_token_from_send(&self) -> Option<Duration> {
        self.first_content.map(|at| at.since(self.sent))
    }

    /// The mean time of a token after the first (TPOT): from the first content to the last, by the
    /// output tokens but one. `None` where fewer than two tokens or pieces came.
    pub fn per_output_token(&self) -> Option<Duration> {
        let (first, last) = self.first_content.zip(self.last_content)?;
        let after_first = u64::from(self.output.get()).checked_sub(1).filter(|count| *count > 0)?;
        let span = last.since(first);
        (!self.gaps.is_empty()).then(|| Duration::from_nanos(span.as_nanos() / after_first))
    }

    /// The longest time between two pieces with content.
    pub fn longest_gap(&self) -> Option<Duration> {
        self.gaps.iter().copied().max()
    }

    /// As who follows versions sees it: latencies count from the intended time, and tokens for
    /// nothing but successes.
    pub fn observed(&self) -> Observed {
        let nothing = Observed::without_answer(self.ending, self.latency());
        let observed =
            Observed { first_token: self.first_token(), retry_after: self.retry_after, ..nothing };
        if self.ending != Ending::Success {
            return observed;
        }
        let (finish, repeats) = (self.finish, self.repeats);
        Observed { finish, repeats, ..observed }.counted(self.usage, self.output)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::exchange::ModelIndex;
    use crate::units::RequestId;

    const fn at(millis: u64) -> Timestamp {
        Timestamp::from_nanos(Duration::from_millis(millis).as_nanos() as i64)
    }

    /// Intended at 0, sent at 2 ms, contents at these, ended at 100 ms; `output` tokens.
    pub(in crate::load) fn stream(
        contents: [u64; 2],
        gaps: &[Duration],
        output: u32,
    ) -> Finished<'_> {
        let request = Request {
            id: RequestId(7),
            model: ModelIndex(0),
            user: 3,
            session: 4,
            client: 0,
            prompt: None,
            input: Tokens::new(10),
            output: Tokens::new(output),
            stream: true,
        };
        Finished {
            number: 0,
            request,
            intended: at(0),
            sent: at(2),
            first_content: Some(at(contents[0])),
            last_content: Some(at(contents[1])),
            gaps,
            ended: at(100),
            ending: Ending::Success,
            status: Some(200),
            finish: Some(Finish::Stop),
            usage: None,
            output: Tokens::new(output),
            repeats: false,
            retry_after: None,
            served: None,
            assigned: None,
            connect: None,
            bytes_sent: 50,
            bytes_received: 500,
            cause: None,
            is_local: false,
        }
    }

    #[test]
    fn latencies_count_from_the_intended_time_and_apart_from_the_send() {
        let gaps = [Duration::from_millis(30), Duration::from_millis(10)];
        let finished = stream([42, 82], &gaps, 3);
        assert_eq!(finished.lag(), Duration::from_millis(2));
        assert_eq!(finished.latency(), Duration::from_millis(100));
        assert_eq!(finished.service_time(), Duration::from_millis(98));
        assert_eq!(finished.first_token(), Some(Duration::from_millis(42)));
        assert_eq!(finished.first_token_from_send(), Some(Duration::from_millis(40)));
        assert_eq!(finished.longest_gap(), Some(Duration::from_millis(30)));
    }

    #[test]
    fn the_time_of_a_token_is_that_of_those_after_the_first() {
        let gaps = [Duration::from_millis(20); 2];
        let per_token = |output| stream([42, 82], &gaps, output).per_output_token();
        assert_eq!(per_token(3), Some(Duration::from_millis(20)));
        // Pieces of several tokens: the count of tokens decides.
        assert_eq!(per_token(5), Some(Duration::from_millis(10)));
        assert_eq!(per_token(1), None);
        assert_eq!(per_token(0), None);
        assert_eq!(stream([42, 42], &[], 2).per_output_token(), None, "all came at once");
    }

    #[test]
    fn what_failed_has_no_tokens_for_who_follows_versions() {
        let failed = Finished { ending: Ending::Truncated, ..stream([42, 82], &[], 3) };
        assert_eq!(failed.observed().usage, Usage::default());
        assert_eq!(failed.observed().finish, None);
        assert_eq!(failed.observed().first_token, Some(Duration::from_millis(42)));
        assert_eq!(stream([42, 82], &[], 3).observed().usage.output, Tokens::new(3));
    }
}
