//! Which request of a workload a request is.

use std::fmt;

use super::ApiError;
use crate::units::RequestId;

/// A request's number and, among the attempts at it, its own: they address its draws. A harness
/// tells it by a header, so that whoever draws for the request draws what a simulation draws; only
/// who was started by that harness goes by it.
///
/// ```
/// use coalmine::units::RequestId;
/// use coalmine::wire::RequestNumber;
/// let number = RequestNumber { id: RequestId(17), attempt: 1 };
/// assert_eq!(number.to_string(), "17/1");
/// assert_eq!(RequestNumber::read(b"17/1"), Ok(number));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RequestNumber {
    /// Which request.
    pub id: RequestId,
    /// Which attempt at it, from 0.
    pub attempt: u8,
}

impl RequestNumber {
    /// The header by which a harness tells it.
    pub const HEADER: &'static str = "x-coalmine-request";

    /// The number that a header tells: `17`, or `17/1` for the second attempt.
    ///
    /// # Errors
    /// Anything else, as 400.
    pub fn read(header: &[u8]) -> Result<Self, ApiError> {
        let text = str::from_utf8(header).ok();
        let parts = text.map(|text| text.split_once('/').unwrap_or((text, "0")));
        let number =
            parts.and_then(|(id, attempt)| Some((id.parse().ok()?, attempt.parse().ok()?)));
        let Some((id, attempt)) = number else {
            let found = String::from_utf8_lossy(&header[..header.len().min(40)]).into_owned();
            let header = Self::HEADER;
            let message =
                format!("{header} is {found:?}: allowed are <number> or <number>/<0-255>");
            return Err(ApiError::invalid(header, message));
        };
        Ok(Self { id: RequestId(id), attempt })
    }
}

impl fmt::Display for RequestNumber {
    /// As the header has it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.id.0, self.attempt)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_stands_alone_or_with_its_attempt() {
        let read =
            |header: &str| RequestNumber::read(header.as_bytes()).map(|n| (n.id.0, n.attempt));
        assert_eq!(read("17"), Ok((17, 0)));
        assert_eq!(read("18446744073709551615/255"), Ok((u64::MAX, 255)));
        for wrong in ["", "/", "a", "1/", "1/256", "1/2/3", "-1", " 1"] {
            assert_eq!(read(wrong).unwrap_err().status, 400, "{wrong}");
        }
        assert!(RequestNumber::read(&[0xff, b'1']).is_err());
    }
}
