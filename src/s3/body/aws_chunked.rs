//! The aws-chunked framing: `size[;chunk-signature=…]` lines around the data, a trailer behind it.
//!
//! Unlike the transfer coding of HTTP, which is taken off before, this framing carries signatures, declares
//! its decoded length ahead and names its trailer fields in the head. The decoder works in place and keeps
//! nothing but the current line, so a body may arrive in pieces of any size.
//!
//! A chunk's data is handed out before its signature is known, for a chunk may be larger than any buffer:
//! all of it stays provisional until `done`.

use sha2::{Digest as _, Sha256};

use crate::auth::{ChunkSigner, PayloadSeal};
use crate::config::limits::{AWS_CHUNK_BYTES_MIN, CHUNK_LINE_BYTES_MAX, TRAILER_BYTES_MAX};

const SIGNATURE_EXTENSION: &[u8] = b"chunk-signature=";
const SIGNATURE_HEX_BYTES: usize = 64;
const TRAILER_SIGNATURE: &str = "x-amz-trailer-signature";
/// Hexadecimal digits of the largest size that a u64 holds.
const SIZE_DIGITS_MAX: usize = 16;

/// Progress of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// Bytes of the buffer that were consumed: all of them, unless `done`.
    pub read: usize,
    /// Bytes of payload, now at the front of the buffer.
    pub written: usize,
    /// The body is whole and authentic. What is left of the buffer does not belong to it.
    pub done: bool,
}

/// Why a body was refused; the S3 code stands at each variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AwsChunkedError {
    /// 400 IncompleteBody.
    #[error("the aws-chunked framing is malformed")]
    Malformed,
    /// 400 IncompleteBody.
    #[error("the body ended before its final chunk and trailer")]
    EndedEarly,
    /// 400 IncompleteBody.
    #[error("the chunks hold more or less than x-amz-decoded-content-length says")]
    LengthMismatch,
    /// 400 InvalidChunkSizeError with `Chunk` (counted from 1) and `BadChunkSize`.
    #[error("only the last chunk is allowed to have a size less than {AWS_CHUNK_BYTES_MIN} bytes")]
    ChunkTooSmall { chunk: u64, bytes: u64 },
    /// 403 SignatureDoesNotMatch.
    #[error("the signature of a chunk or of the trailer does not match")]
    SignatureMismatch,
    /// 400 MalformedTrailerError.
    #[error("the trailer is malformed, lacks an announced field or holds another")]
    MalformedTrailer,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    SizeLine,
    Data { left_bytes: u64 },
    DataEnd,
    Trailer,
    Done,
    Failed(AwsChunkedError),
}

#[derive(Debug)]
struct Signatures {
    signer: ChunkSigner,
    data: Sha256,
    /// Of the current chunk, as its size line claims.
    claimed: [u8; SIGNATURE_HEX_BYTES],
    /// `name:value\n` of the trailer fields.
    trailer: Sha256,
    trailer_verified: bool,
}

/// Decodes one body.
#[derive(Debug)]
pub struct AwsChunkedDecoder {
    state: State,
    /// The line being collected, its end included.
    line: Vec<u8>,
    signatures: Option<Signatures>,
    /// Lower-case names that the head announced; `None`: a form without trailer.
    announced: Option<Vec<String>>,
    trailers: Vec<(String, String)>,
    trailer_bytes: usize,
    /// The last trailer field ended in a bare LF, which CRLF must follow.
    crlf_owed: bool,
    decoded_length: u64,
    received_bytes: u64,
    /// Number and size of the chunk read last, counted from 1.
    chunk: u64,
    chunk_bytes: u64,
}

impl AwsChunkedDecoder {
    /// `trailer`: the value of `x-amz-trailer`, which counts in the forms with a trailer alone.
    /// `decoded_length`: `x-amz-decoded-content-length`. A seal that is not of a streaming form is refused.
    pub fn new(
        seal: PayloadSeal,
        trailer: Option<&[u8]>,
        decoded_length: u64,
    ) -> Result<Self, AwsChunkedError> {
        let (signer, has_trailer) = match seal {
            PayloadSeal::UnsignedTrailer => (None, true),
            PayloadSeal::Signed(signer) => (Some(signer), false),
            PayloadSeal::SignedTrailer(signer) => (Some(signer), true),
            PayloadSeal::Unsigned | PayloadSeal::Sha256(_) => return Err(AwsChunkedError::Malformed),
        };
        let signatures = signer.map(|signer| Signatures {
            signer,
            data: Sha256::new(),
            claimed: [0; SIGNATURE_HEX_BYTES],
            trailer: Sha256::new(),
            trailer_verified: false,
        });
        let announced = if has_trailer { Some(announced_names(trailer.unwrap_or_default())?) } else { None };
        Ok(Self {
            state: State::SizeLine,
            line: Vec::new(),
            signatures,
            announced,
            trailers: Vec::new(),
            trailer_bytes: 0,
            crlf_owed: false,
            decoded_length,
            received_bytes: 0,
            chunk: 0,
            chunk_bytes: 0,
        })
    }

    /// Takes the framing off the bytes in `buffer`; their payload is moved to its front. After an error each
    /// call repeats it.
    pub fn decode(&mut self, buffer: &mut [u8]) -> Result<Decoded, AwsChunkedError> {
        if let State::Failed(error) = self.state {
            return Err(error);
        }
        self.advance(buffer).inspect_err(|error| self.state = State::Failed(*error))
    }

    /// To be asked when the bytes end.
    pub fn finish(&self) -> Result<(), AwsChunkedError> {
        match self.state {
            State::Done => Ok(()),
            State::Failed(error) => Err(error),
            _ => Err(AwsChunkedError::EndedEarly),
        }
    }

    /// Fields of the trailer, names in lower case, the signature left out. Complete once done.
    pub fn trailers(&self) -> &[(String, String)] {
        &self.trailers
    }

    fn advance(&mut self, buffer: &mut [u8]) -> Result<Decoded, AwsChunkedError> {
        let (mut read, mut written) = (0, 0);
        while read < buffer.len() && self.state != State::Done {
            match self.state {
                State::Data { left_bytes } => {
                    let here = buffer.len() - read;
                    let taken = usize::try_from(left_bytes).map_or(here, |left| left.min(here));
                    if let Some(signatures) = &mut self.signatures {
                        signatures.data.update(&buffer[read..read + taken]);
                    }
                    buffer.copy_within(read..read + taken, written);
                    read += taken;
                    written += taken;
                    self.consume_data(left_bytes - taken as u64)?;
                }
                _ => read += self.collect_line(&buffer[read..])?,
            }
        }
        Ok(Decoded { read, written, done: self.state == State::Done })
    }

    fn consume_data(&mut self, left_bytes: u64) -> Result<(), AwsChunkedError> {
        self.state = State::Data { left_bytes };
        if left_bytes == 0 {
            self.verify_chunk()?;
            self.state = State::DataEnd;
        }
        Ok(())
    }

    fn verify_chunk(&mut self) -> Result<(), AwsChunkedError> {
        let Some(signatures) = &mut self.signatures else { return Ok(()) };
        let sha256 = signatures.data.finalize_reset().into();
        if signatures.signer.verify_chunk(&sha256, &signatures.claimed) {
            Ok(())
        } else {
            Err(AwsChunkedError::SignatureMismatch)
        }
    }

    /// Takes bytes up to a line end and, if there is one, the line. Returns how many were taken.
    fn collect_line(&mut self, bytes: &[u8]) -> Result<usize, AwsChunkedError> {
        let end = memchr::memchr(b'\n', bytes).map(|at| at + 1);
        let taken = end.unwrap_or(bytes.len());
        if self.line.len() + taken > CHUNK_LINE_BYTES_MAX {
            return Err(AwsChunkedError::Malformed);
        }
        self.line.extend_from_slice(&bytes[..taken]);
        if end.is_some() {
            let line = core::mem::take(&mut self.line);
            self.take_line(&line)?;
            // Its memory serves the next line.
            self.line = line;
            self.line.clear();
        }
        Ok(taken)
    }

    /// `line` includes its end.
    fn take_line(&mut self, line: &[u8]) -> Result<(), AwsChunkedError> {
        let text = line.strip_suffix(b"\r\n");
        match (self.state, text) {
            (State::SizeLine, Some(text)) => self.take_size_line(text),
            (State::DataEnd, Some(b"")) => {
                self.state = State::SizeLine;
                Ok(())
            }
            (State::Trailer, _) => self.take_trailer_line(line),
            _ => Err(AwsChunkedError::Malformed),
        }
    }

    fn take_size_line(&mut self, text: &[u8]) -> Result<(), AwsChunkedError> {
        let (size, extension) = match memchr::memchr(b';', text) {
            Some(mark) => (&text[..mark], Some(&text[mark + 1..])),
            None => (text, None),
        };
        let size_bytes = parse_size(size).ok_or(AwsChunkedError::Malformed)?;
        match (&mut self.signatures, extension) {
            (None, None) => {}
            (Some(signatures), Some(extension)) => {
                signatures.claimed = extension
                    .strip_prefix(SIGNATURE_EXTENSION)
                    .and_then(|signature| signature.try_into().ok())
                    .ok_or(AwsChunkedError::Malformed)?;
            }
            _ => return Err(AwsChunkedError::Malformed),
        }
        self.start_chunk(size_bytes)
    }

    fn start_chunk(&mut self, size_bytes: u64) -> Result<(), AwsChunkedError> {
        if size_bytes == 0 {
            if self.received_bytes != self.decoded_length {
                return Err(AwsChunkedError::LengthMismatch);
            }
            self.verify_chunk()?;
            self.state = State::Trailer;
            return Ok(());
        }
        if self.chunk > 0 && self.chunk_bytes < AWS_CHUNK_BYTES_MIN {
            return Err(AwsChunkedError::ChunkTooSmall { chunk: self.chunk, bytes: self.chunk_bytes });
        }
        if size_bytes > self.decoded_length - self.received_bytes {
            return Err(AwsChunkedError::LengthMismatch);
        }
        self.received_bytes += size_bytes;
        self.chunk += 1;
        self.chunk_bytes = size_bytes;
        self.state = State::Data { left_bytes: size_bytes };
        Ok(())
    }

    /// Fields end in CRLF, or in LF CRLF as some widespread clients send them.
    fn take_trailer_line(&mut self, line: &[u8]) -> Result<(), AwsChunkedError> {
        self.trailer_bytes += line.len();
        if self.trailer_bytes > TRAILER_BYTES_MAX {
            return Err(AwsChunkedError::MalformedTrailer);
        }
        match (line, self.crlf_owed) {
            (b"\r\n", true) => {
                self.crlf_owed = false;
                Ok(())
            }
            (b"\r\n", false) => self.end_trailer(),
            (_, true) => Err(AwsChunkedError::MalformedTrailer),
            (_, false) => {
                let text = line.strip_suffix(b"\n").unwrap_or(line);
                self.crlf_owed = !text.ends_with(b"\r");
                self.take_trailer_field(text.strip_suffix(b"\r").unwrap_or(text))
            }
        }
    }

    fn take_trailer_field(&mut self, text: &[u8]) -> Result<(), AwsChunkedError> {
        const MALFORMED: AwsChunkedError = AwsChunkedError::MalformedTrailer;
        let text = core::str::from_utf8(text).map_err(|_| MALFORMED)?;
        let (name, value) = text.split_once(':').ok_or(MALFORMED)?;
        let (name, value) = (name.to_ascii_lowercase(), value.trim_matches([' ', '\t']));
        let announced = self.announced.as_ref().ok_or(MALFORMED)?;
        if value.contains(|character: char| character.is_control()) {
            return Err(MALFORMED);
        }
        if let Some(signatures) = &mut self.signatures {
            // The signature covers what stands before it: nothing may follow.
            if signatures.trailer_verified {
                return Err(MALFORMED);
            }
            if name == TRAILER_SIGNATURE {
                signatures.trailer_verified = true;
                let sha256 = signatures.trailer.finalize_reset().into();
                let equal = signatures.signer.verify_trailer(&sha256, value.as_bytes());
                return if equal { Ok(()) } else { Err(AwsChunkedError::SignatureMismatch) };
            }
            for part in [name.as_str(), ":", value, "\n"] {
                signatures.trailer.update(part);
            }
        }
        if !announced.contains(&name) || self.trailers.iter().any(|(have, _)| *have == name) {
            return Err(MALFORMED);
        }
        self.trailers.push((name, value.to_owned()));
        Ok(())
    }

    fn end_trailer(&mut self) -> Result<(), AwsChunkedError> {
        if let Some(announced) = &self.announced {
            let is_present = |name: &String| self.trailers.iter().any(|(have, _)| have == name);
            let is_signed = self.signatures.as_ref().is_none_or(|signatures| signatures.trailer_verified);
            if !is_signed || !announced.iter().all(is_present) {
                return Err(AwsChunkedError::MalformedTrailer);
            }
        }
        self.state = State::Done;
        Ok(())
    }
}

/// The comma-separated names of `x-amz-trailer`, in lower case.
fn announced_names(value: &[u8]) -> Result<Vec<String>, AwsChunkedError> {
    let text = core::str::from_utf8(value).map_err(|_| AwsChunkedError::MalformedTrailer)?;
    let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
    Ok(names.map(str::to_ascii_lowercase).collect())
}

fn parse_size(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || digits.len() > SIZE_DIGITS_MAX {
        return None;
    }
    digits
        .iter()
        .try_fold(0, |size, digit| char::from(*digit).to_digit(16).map(|value| size << 4 | u64::from(value)))
}

#[cfg(test)]
#[path = "aws_chunked_tests.rs"]
mod tests;
