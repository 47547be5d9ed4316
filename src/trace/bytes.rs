//! The bytes of a trace: digested as they lie there, and unpacked where they are packed with gzip
//! or zstd.
//!
//! Knows nothing of lines or rows. What is packed is told by its first bytes, not by its name.

use std::error::Error;
use std::fmt::Write as _;
use std::io::{self, BufRead, Read, Seek};

use flate2::bufread::GzDecoder;
use ruzstd::decoding::errors::FrameDecoderError;
use ruzstd::decoding::{FrameDecoder, StreamingDecoder};
use sha2::{Digest, Sha256};

/// The bytes of `R`, as text or rows are to be read from them.
pub(super) struct Bytes<R: BufRead> {
    unpacking: Unpacking<R>,
}

enum Unpacking<R: BufRead> {
    Plain(Digested<R>),
    Gzip(Box<GzDecoder<Digested<R>>>),
    Zstd(Box<StreamingDecoder<Digested<R>, FrameDecoder>>),
    /// Only while one of the others takes the place of another.
    Between,
}

impl<R: BufRead> Bytes<R> {
    /// From the first byte of `input` on.
    pub(super) fn new(input: R) -> io::Result<Self> {
        Self::begin(Digested::new(input))
    }

    fn begin(mut input: Digested<R>) -> io::Result<Self> {
        let head = input.head()?;
        let unpacking = if head.starts_with(GZIP) {
            Unpacking::Gzip(Box::new(GzDecoder::new(input)))
        } else if head.starts_with(ZSTD) {
            Unpacking::Zstd(Box::new(zstd(input)?))
        } else {
            Unpacking::Plain(input)
        };
        Ok(Self { unpacking })
    }

    /// From the first byte on again.
    pub(super) fn rewind(&mut self) -> io::Result<()>
    where
        R: Seek,
    {
        let mut input = self.take_out().input;
        input.rewind()?;
        *self = Self::new(input)?;
        Ok(())
    }

    /// SHA-256 of all bytes as they lie there, in hexadecimal; to be asked at the end.
    pub(super) fn sha256(&self) -> String {
        let input = match &self.unpacking {
            Unpacking::Plain(input) => input,
            Unpacking::Gzip(decoder) => decoder.get_ref(),
            Unpacking::Zstd(decoder) => decoder.get_ref(),
            Unpacking::Between => unreachable!("{BETWEEN}"),
        };
        hexadecimal(&input.digest.clone().finalize())
    }

    /// What is read, wherever that stands.
    pub(super) fn into_input(mut self) -> R {
        self.take_out().input
    }

    fn take_out(&mut self) -> Digested<R> {
        match std::mem::replace(&mut self.unpacking, Unpacking::Between) {
            Unpacking::Plain(input) => input,
            Unpacking::Gzip(decoder) => decoder.into_inner(),
            Unpacking::Zstd(decoder) => decoder.into_inner(),
            Unpacking::Between => unreachable!("{BETWEEN}"),
        }
    }

    /// What follows what was packed: more of it, or nothing.
    fn next_member(&mut self) -> io::Result<bool> {
        let mut input = self.take_out();
        let has_more = !input.fill_buf()?.is_empty();
        if has_more {
            // One byte is there for sure, and a frame of zstd that is passed over has another mark.
            self.unpacking = match input.fill_buf()?.first() {
                Some(byte) if *byte == GZIP[0] => Unpacking::Gzip(Box::new(GzDecoder::new(input))),
                Some(byte) if *byte == ZSTD[0] || SKIPPED.contains(byte) => {
                    Unpacking::Zstd(Box::new(zstd(input)?))
                }
                _ => return Err(io::Error::new(io::ErrorKind::InvalidData, STRAY)),
            };
        } else {
            self.unpacking = Unpacking::Plain(input);
        }
        Ok(has_more)
    }
}

impl<R: BufRead> Read for Bytes<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = match &mut self.unpacking {
                Unpacking::Plain(input) => return input.read(buffer),
                Unpacking::Gzip(decoder) => match decoder.read(buffer) {
                    Ok(read) => read,
                    Err(error) => return Err(not_unpacked("gzip", error)),
                },
                Unpacking::Zstd(decoder) => match decoder.read(buffer) {
                    Ok(0) => {
                        check_sum(&decoder.decoder)?;
                        0
                    }
                    Ok(read) => read,
                    Err(error) => return Err(not_unpacked("zstd", error)),
                },
                Unpacking::Between => unreachable!("{BETWEEN}"),
            };
            if read > 0 || buffer.is_empty() || !self.next_member()? {
                return Ok(read);
            }
        }
    }
}

fn zstd<R: BufRead>(input: Digested<R>) -> io::Result<StreamingDecoder<Digested<R>, FrameDecoder>> {
    StreamingDecoder::new(input).map_err(|error| match error {
        FrameDecoderError::WindowSizeTooBig { requested, max } => io::Error::other(format!(
            "what is packed with zstd needs {requested} bytes of memory, more than {max}: \
                 unpack it by `zstd --long=31 -dc FILE | coalmine trace import -`"
        )),
        error => not_unpacked("zstd", io::Error::other(error)),
    })
}

fn check_sum(frame: &FrameDecoder) -> io::Result<()> {
    match (frame.get_checksum_from_data(), frame.get_calculated_checksum()) {
        (Some(stated), Some(found)) if stated != found => Err(damaged("zstd")),
        _ => Ok(()),
    }
}

/// Not every block that was cut off can be told from one that is damaged.
fn damaged(packer: &str) -> io::Error {
    let message = format!(
        "what is packed with {packer} is damaged or was cut off: copy the whole file again, or \
         save the rows before by `{packer} -dc FILE | coalmine trace import - --skip-bad 1 \
         -o TRACE`"
    );
    io::Error::new(io::ErrorKind::InvalidData, message)
}

/// What it means that what is packed with `packer` cannot be unpacked. Where it cannot be read, the
/// reason lies within what the library makes of it.
fn not_unpacked(packer: &str, error: io::Error) -> io::Error {
    let kind = match error.get_ref() {
        Some(told) => {
            let told: &(dyn Error + 'static) = told;
            std::iter::successors(Some(told), |error| (*error).source())
                .find_map(|error| error.downcast_ref::<io::Error>().map(io::Error::kind))
        }
        None => None,
    };
    match kind.unwrap_or_else(|| error.kind()) {
        io::ErrorKind::UnexpectedEof => cut_off(packer),
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => damaged(packer),
        io::ErrorKind::Other if error.get_ref().is_some_and(|e| e.is::<FrameDecoderError>()) => {
            damaged(packer)
        }
        _ => error,
    }
}

fn cut_off(packer: &str) -> io::Error {
    let message = format!(
        "what is packed with {packer} was cut off: copy the whole file again, or save the rows \
         before by `{packer} -dc FILE | coalmine trace import - --skip-bad 1 -o TRACE`"
    );
    io::Error::new(io::ErrorKind::UnexpectedEof, message)
}

/// What is read, digested on the way; its first bytes can be looked at before.
struct Digested<R> {
    input: R,
    digest: Sha256,
    /// The first bytes, of which `taken` were handed on.
    head: Vec<u8>,
    taken: usize,
}

impl<R: BufRead> Digested<R> {
    fn new(input: R) -> Self {
        Self { input, digest: Sha256::new(), head: Vec::new(), taken: 0 }
    }

    /// The first bytes, fewer than asked for only where there are no more.
    fn head(&mut self) -> io::Result<&[u8]> {
        while self.head.len() < HEAD {
            let mut byte = [0];
            match self.input.read(&mut byte) {
                Ok(0) => break,
                Ok(_) => self.head.push(byte[0]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.digest.update(&self.head);
        Ok(&self.head)
    }
}

impl<R: BufRead> Read for Digested<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.taken < self.head.len() {
            let read = (&self.head[self.taken..]).read(buffer)?;
            self.taken += read;
            return Ok(read);
        }
        let read = self.input.read(buffer)?;
        self.digest.update(&buffer[..read]);
        Ok(read)
    }
}

impl<R: BufRead> BufRead for Digested<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.taken < self.head.len() {
            return Ok(&self.head[self.taken..]);
        }
        self.input.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        if self.taken < self.head.len() {
            self.taken += count;
            return;
        }
        if let Ok(buffered) = self.input.fill_buf() {
            self.digest.update(&buffered[..count]);
        }
        self.input.consume(count);
    }
}

/// `bytes` in hexadecimal.
pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a String takes all that is written to it");
        text
    })
}

/// As many first bytes as the longest mark has.
const HEAD: usize = 4;
/// RFC 1952, 2.3.1.
const GZIP: &[u8] = &[0x1f, 0x8b];
/// RFC 8878, 3.1.1.
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
/// What a frame of zstd begins with that holds nothing. RFC 8878, 3.1.2.
const SKIPPED: std::ops::RangeInclusive<u8> = 0x50..=0x5f;
const STRAY: &str = "what follows the packed part is not packed: unpack the parts by themselves";
const BETWEEN: &str = "nothing is read while one way of unpacking takes the place of another";

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn read(bytes: &[u8]) -> io::Result<(Vec<u8>, String)> {
        let mut reader = Bytes::new(bytes)?;
        let mut unpacked = Vec::new();
        reader.read_to_end(&mut unpacked)?;
        Ok((unpacked, reader.sha256()))
    }

    fn gzip(text: &str) -> Vec<u8> {
        let mut packer = flate2::read::GzEncoder::new(text.as_bytes(), flate2::Compression::fast());
        let mut packed = Vec::new();
        packer.read_to_end(&mut packed).unwrap();
        packed
    }

    fn zstd(text: &str) -> Vec<u8> {
        let level = ruzstd::encoding::CompressionLevel::Fastest;
        ruzstd::encoding::compress_to_vec(text.as_bytes(), level)
    }

    /// FIPS 180-2, appendix B.1.
    const SHA_256_OF_ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn the_digest_is_of_the_bytes_as_they_lie_there() {
        assert_eq!(read(b"abc").unwrap(), (b"abc".to_vec(), SHA_256_OF_ABC.to_owned()));
        for packed in [gzip("abc"), zstd("abc")] {
            let (unpacked, digest) = read(&packed).unwrap();
            assert_eq!(unpacked, b"abc");
            assert_eq!(digest, hexadecimal(&Sha256::digest(&packed)));
        }
        assert_eq!(read(b"").unwrap().0, b"");
    }

    #[test]
    fn what_is_packed_in_several_parts_is_one() {
        let text = "0123456789".repeat(40_000);
        for pack in [gzip, zstd] {
            let parts = [pack(&text[..7]), pack(""), pack(&text[7..])].concat();
            let (unpacked, digest) = read(&parts).unwrap();
            assert!(unpacked == text.as_bytes());
            assert_eq!(digest, hexadecimal(&Sha256::digest(&parts)));
            let mut reader = Bytes::new(Cursor::new(parts)).unwrap();
            let mut twice = Vec::new();
            reader.read_to_end(&mut twice).unwrap();
            reader.rewind().unwrap();
            reader.read_to_end(&mut twice).unwrap();
            assert_eq!(twice.len(), 2 * text.len());
        }
    }

    #[test]
    fn what_cannot_be_unpacked_is_told_in_words() {
        for (pack, packer) in [(gzip as fn(&str) -> Vec<u8>, "gzip"), (zstd, "zstd")] {
            let whole = pack(&"0123456789".repeat(1_000));
            for length in 5..whole.len() {
                let told = read(&whole[..length]).unwrap_err().to_string();
                assert!(told.starts_with(&format!("what is packed with {packer} ")), "{told}");
                let remedy = "was cut off: copy the whole file again, or save the rows";
                assert!(told.contains(remedy), "{length} bytes: {told}");
            }
            let mut damaged = whole.clone();
            let last = damaged.len() - 1;
            damaged[last] ^= 1;
            let told = read(&damaged).unwrap_err().to_string();
            assert!(told.contains("is damaged or was cut off"), "{told}");
            let told = read(&[whole, b"and more".to_vec()].concat()).unwrap_err().to_string();
            assert_eq!(told, STRAY);
        }
        let gone = io::Error::new(io::ErrorKind::PermissionDenied, "gone");
        assert_eq!(not_unpacked("gzip", gone).to_string(), "gone");
    }

    #[test]
    fn what_is_cut_off_damaged_or_followed_by_something_else_is_an_error() {
        for pack in [gzip, zstd] {
            let whole = pack(&"0123456789".repeat(1_000));
            for length in 5..whole.len() {
                assert!(read(&whole[..length]).is_err(), "{length} of {} bytes", whole.len());
            }
            let mut damaged = whole.clone();
            let last = damaged.len() - 1;
            damaged[last] ^= 1;
            assert!(read(&damaged).is_err());
            assert!(read(&[whole, b"and more".to_vec()].concat()).is_err());
        }
    }
}
