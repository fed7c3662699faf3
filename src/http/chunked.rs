//! The chunked transfer coding (RFC 9112 §7.1), decoded in place.
//!
//! A state machine over bytes: it may be given the body in pieces of any size, and it moves the payload of each
//! piece to the front of that piece. It stops right behind the body, so that pipelined bytes stay untouched.
//! Every part that is not payload is bounded.

use crate::config::limits::{CHUNK_EXTENSIONS_BYTES_MAX, CHUNK_LINE_BYTES_MAX, TRAILER_BYTES_MAX};

/// Why a chunked body was refused. What follows on the connection cannot be framed any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChunkedError {
    #[error("the chunked framing is malformed")]
    Malformed,
    #[error("a chunk size exceeds 64 bits")]
    SizeOverflow,
    #[error("a chunk line exceeds {CHUNK_LINE_BYTES_MAX} bytes")]
    LineTooLong,
    #[error("chunk extensions exceed {CHUNK_EXTENSIONS_BYTES_MAX} bytes in all")]
    ExtensionsTooLong,
    #[error("the trailer section exceeds {TRAILER_BYTES_MAX} bytes")]
    TrailerTooLong,
}

/// What one call did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// Bytes of the buffer that belonged to the body. All of it, unless `done`.
    pub read: usize,
    /// Payload bytes, now at the front of the buffer.
    pub written: usize,
    /// The body has ended.
    pub done: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Before the first digit of a chunk size.
    SizeStart,
    Size,
    /// Blanks between the size and an extension.
    SizeBlank,
    Extension,
    SizeLineFeed,
    Payload,
    PayloadReturn,
    PayloadLineFeed,
    /// At the start of a trailer line, or of the empty line that ends the body.
    TrailerStart,
    TrailerName,
    TrailerValue,
    TrailerLineFeed,
    EndLineFeed,
    Done,
    Broken(ChunkedError),
}

/// Decoder of one chunked body.
#[derive(Debug)]
pub struct ChunkedDecoder {
    state: State,
    /// Size of the chunk while its line is read, then what is left of its payload.
    chunk_left: u64,
    line_bytes: usize,
    extension_bytes: usize,
    trailer_bytes: usize,
}

impl Default for ChunkedDecoder {
    fn default() -> Self {
        Self::new()
    }
}

impl ChunkedDecoder {
    pub fn new() -> Self {
        Self { state: State::SizeStart, chunk_left: 0, line_bytes: 0, extension_bytes: 0, trailer_bytes: 0 }
    }

    /// Decodes the next piece of the body where it stands. After an error every further call fails alike.
    pub fn decode(&mut self, buffer: &mut [u8]) -> Result<Decoded, ChunkedError> {
        let mut read = 0;
        let mut written = 0;
        while read < buffer.len() && self.state != State::Done {
            if self.state == State::Payload {
                let left_in_buffer = buffer.len() - read;
                let taken =
                    usize::try_from(self.chunk_left).map_or(left_in_buffer, |left| left.min(left_in_buffer));
                if written != read {
                    buffer.copy_within(read..read + taken, written);
                }
                read += taken;
                written += taken;
                self.chunk_left -= taken as u64;
                if self.chunk_left == 0 {
                    self.state = State::PayloadReturn;
                }
            } else {
                self.state = self.after_framing_byte(buffer[read]).inspect_err(|error| {
                    self.state = State::Broken(*error);
                })?;
                read += 1;
            }
        }
        Ok(Decoded { read, written, done: self.state == State::Done })
    }

    /// RFC 9112 §7.1:
    /// ```text
    /// chunked-body = *chunk last-chunk trailer-section CRLF
    /// chunk        = chunk-size [ chunk-ext ] CRLF chunk-data CRLF
    /// chunk-size   = 1*HEXDIG
    /// last-chunk   = 1*("0") [ chunk-ext ] CRLF
    /// chunk-ext    = *( BWS ";" BWS chunk-ext-name [ BWS "=" BWS chunk-ext-val ] )
    /// ```
    fn after_framing_byte(&mut self, byte: u8) -> Result<State, ChunkedError> {
        match (self.state, byte) {
            (State::SizeStart | State::Size, digit) if digit.is_ascii_hexdigit() => {
                self.count_line_byte()?;
                self.append_size_digit(digit)
            }
            (State::Size | State::SizeBlank, b' ' | b'\t') => {
                self.count_line_byte()?;
                Ok(State::SizeBlank)
            }
            // Unknown extensions are to be ignored (§7.1.1); we know none.
            (State::Size | State::SizeBlank, b';') => self.count_extension_byte(),
            (State::Size | State::Extension, b'\r') => Ok(State::SizeLineFeed),
            (State::Extension, byte) if is_text(byte) => self.count_extension_byte(),
            (State::SizeLineFeed, b'\n') => {
                self.line_bytes = 0;
                Ok(if self.chunk_left == 0 { State::TrailerStart } else { State::Payload })
            }
            (State::PayloadReturn, b'\r') => Ok(State::PayloadLineFeed),
            (State::PayloadLineFeed, b'\n') => Ok(State::SizeStart),
            (State::Broken(error), _) => Err(error),
            (_, byte) => self.after_trailer_byte(byte),
        }
    }

    /// RFC 9112 §7.1.2: trailer-section = *( field-line CRLF ). Trailer fields may be discarded (§7.1.2); their
    /// form is checked all the same, so that a request hidden there does not pass for a field.
    fn after_trailer_byte(&mut self, byte: u8) -> Result<State, ChunkedError> {
        let next = match (self.state, byte) {
            (State::TrailerStart, b'\r') => State::EndLineFeed,
            (State::EndLineFeed, b'\n') => State::Done,
            (State::TrailerStart | State::TrailerName, byte) if is_token(byte) => State::TrailerName,
            (State::TrailerName, b':') => State::TrailerValue,
            (State::TrailerValue, b'\r') => State::TrailerLineFeed,
            (State::TrailerValue, byte) if is_text(byte) => State::TrailerValue,
            (State::TrailerLineFeed, b'\n') => State::TrailerStart,
            _ => return Err(ChunkedError::Malformed),
        };
        self.trailer_bytes += 1;
        if self.trailer_bytes > TRAILER_BYTES_MAX {
            return Err(ChunkedError::TrailerTooLong);
        }
        Ok(next)
    }

    /// RFC 9112 §7.1: "recipients MUST anticipate potentially large hexadecimal numerals and prevent parsing
    /// errors due to integer conversion overflows".
    fn append_size_digit(&mut self, digit: u8) -> Result<State, ChunkedError> {
        let digit = match digit {
            b'0'..=b'9' => digit - b'0',
            _ => (digit | 0x20) - b'a' + 10,
        };
        let size = self.chunk_left.checked_mul(16).ok_or(ChunkedError::SizeOverflow)?;
        self.chunk_left = size | u64::from(digit);
        Ok(State::Size)
    }

    fn count_line_byte(&mut self) -> Result<(), ChunkedError> {
        self.line_bytes += 1;
        if self.line_bytes > CHUNK_LINE_BYTES_MAX { Err(ChunkedError::LineTooLong) } else { Ok(()) }
    }

    fn count_extension_byte(&mut self) -> Result<State, ChunkedError> {
        self.count_line_byte()?;
        // One bound for the whole body too: extensions cost us work and carry nothing.
        self.extension_bytes += 1;
        if self.extension_bytes > CHUNK_EXTENSIONS_BYTES_MAX {
            return Err(ChunkedError::ExtensionsTooLong);
        }
        Ok(State::Extension)
    }
}

/// Bytes of a field value or a quoted string: anything but control characters, HTAB allowed.
fn is_text(byte: u8) -> bool {
    byte == b'\t' || !byte.is_ascii_control()
}

/// RFC 9110 §5.6.2: tchar.
pub(super) fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
#[path = "chunked_tests.rs"]
mod tests;
