//! The body of a request, decoded from its framing into the reader's memory.
//!
//! Bytes that came with the head are used first, then the socket is read straight into the given window. A
//! client that waits for `100 Continue` gets it at the first read and not before, so that a request can be
//! refused without its body being sent.

use ringstone_io::Window;

use super::chunked::ChunkedDecoder;
use super::framing::Framing;
use super::wire::{Wire, WireError};
use crate::config::limits::{COLLECT_STEP_BYTES, DRAIN_BYTES_MAX, READ_AHEAD_BYTES};

/// Why a body could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    #[error("the client closed the connection before the end of the body")]
    Disconnected,
    #[error("the framing of the body is malformed")]
    Malformed,
    #[error("the client sent nothing of the body for too long")]
    Timeout,
    #[error("the body is larger than allowed")]
    TooLarge,
}

impl From<WireError> for BodyError {
    fn from(error: WireError) -> Self {
        match error {
            WireError::Closed => Self::Disconnected,
            WireError::Timeout => Self::Timeout,
        }
    }
}

/// What is still to come of a body; outlives the [`Body`] that the service saw.
#[derive(Debug)]
pub(super) struct BodyState {
    left: Left,
    length: Option<u64>,
    /// The client waits for `100 Continue`, and none was sent.
    continue_due: bool,
    failure: Option<BodyError>,
}

#[derive(Debug)]
enum Left {
    Plain(u64),
    Chunked(ChunkedDecoder),
    Nothing,
}

/// What the connection has to do about the rest of a body once the request is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rest {
    /// All was read: the next request follows.
    Nothing,
    /// Little enough, as far as is known, to be read and dropped.
    Drainable,
    /// The connection cannot be used again.
    Abandoned,
}

impl BodyState {
    pub(super) fn new(framing: Framing, expects_continue: bool) -> Self {
        let (left, length) = match framing {
            Framing::None | Framing::Length(0) => (Left::Nothing, Some(0)),
            Framing::Length(length) => (Left::Plain(length), Some(length)),
            Framing::Chunked => (Left::Chunked(ChunkedDecoder::new()), None),
        };
        // Also where the framing says that no content follows: a server MAY leave the 100 out then (RFC 9110
        // §10.1.1), but botocore takes a final answer without one for a refusal and spoils its connection.
        Self { left, length, continue_due: expects_continue, failure: None }
    }

    fn has_ended(&self) -> bool {
        matches!(self.left, Left::Nothing)
    }

    pub(super) fn rest(&self) -> Rest {
        // A client that was never told to go on may send the body all the same, or the next request: nobody can tell
        // which (RFC 9110 §10.1.1).
        if self.failure.is_some() || self.continue_due {
            return Rest::Abandoned;
        }
        match &self.left {
            Left::Nothing => Rest::Nothing,
            Left::Plain(left) if *left > DRAIN_BYTES_MAX => Rest::Abandoned,
            Left::Plain(_) | Left::Chunked(_) => Rest::Drainable,
        }
    }

    /// Drops a plain body's `count` bytes from what is left.
    fn advance(&mut self, count: usize) {
        if let Left::Plain(left) = &mut self.left {
            *left = left.saturating_sub(count as u64);
            if *left == 0 {
                self.left = Left::Nothing;
            }
        }
    }
}

/// The body of the request at hand.
pub struct Body<'a> {
    wire: &'a mut Wire,
    state: &'a mut BodyState,
}

impl<'a> Body<'a> {
    pub(super) fn new(wire: &'a mut Wire, state: &'a mut BodyState) -> Self {
        Self { wire, state }
    }

    /// Bytes of the whole body: `Some(0)` when there is none, `None` when it is chunked.
    pub fn length(&self) -> Option<u64> {
        self.state.length
    }

    /// Fills `window` with the next bytes of the body; fewer, and then 0, only at its end. After an error every
    /// further call fails alike.
    pub async fn read(&mut self, window: Window) -> Result<(usize, Window), BodyError> {
        let range = window.range();
        let mut buffer = window.into_buffer();
        let mut filled = 0;
        self.before_reading().await?;
        while filled < range.len() && !self.state.has_ended() {
            let piece = buffer.window(range.start + filled..range.end);
            let (count, piece) = match self.read_piece(piece).await {
                Ok(read) => read,
                Err(error) => return Err(self.fail(error)),
            };
            filled += count;
            buffer = piece.into_buffer();
        }
        Ok((filled, buffer.window(range)))
    }

    /// The rest of the body in ordinary memory, if it has at most `bytes_max` bytes. A larger one that announces
    /// its length is refused before a byte of it is read.
    pub async fn collect(&mut self, bytes_max: usize) -> Result<Vec<u8>, BodyError> {
        if matches!(self.state.left, Left::Plain(left) if left > bytes_max as u64) {
            return Err(BodyError::TooLarge);
        }
        let mut collected = Vec::new();
        self.before_reading().await?;
        while !self.state.has_ended() {
            self.step(|payload| collected.extend_from_slice(payload)).await?;
            if collected.len() > bytes_max {
                return Err(BodyError::TooLarge);
            }
        }
        Ok(collected)
    }

    /// Reads and drops the rest of the body, at most about `bytes_max` bytes of the wire. Whether it has ended.
    pub(super) async fn discard(&mut self, bytes_max: u64) -> Result<bool, BodyError> {
        let mut discarded = 0;
        while !self.state.has_ended() && discarded < bytes_max {
            discarded += self.step(|_| ()).await? as u64;
        }
        Ok(self.state.has_ended())
    }

    async fn before_reading(&mut self) -> Result<(), BodyError> {
        if let Some(failure) = self.state.failure {
            return Err(failure);
        }
        if core::mem::take(&mut self.state.continue_due) && self.wire.ahead.is_empty() {
            // RFC 9110 §10.1.1: "MAY omit sending a 100 … if it has already received some or all of the content".
            let sent = self.wire.send(b"HTTP/1.1 100 Continue\r\n\r\n".to_vec()).await;
            return sent.map_err(|error| self.fail(error.into()));
        }
        Ok(())
    }

    fn fail(&mut self, error: BodyError) -> BodyError {
        self.state.failure = Some(error);
        error
    }

    async fn read_piece(&mut self, piece: Window) -> Result<(usize, Window), BodyError> {
        match self.state.left {
            Left::Plain(left) => {
                let (count, piece) = read_plain(self.wire, left, piece).await?;
                self.state.advance(count);
                Ok((count, piece))
            }
            Left::Chunked(ref mut decoder) => {
                let (count, done, piece) = read_chunked(self.wire, decoder, piece).await?;
                if done {
                    self.state.left = Left::Nothing;
                }
                Ok((count, piece))
            }
            Left::Nothing => Ok((0, piece)),
        }
    }

    /// One step through the read-ahead: waits for bytes if there are none, and shows `take` the payload among
    /// them. Returns how many bytes of the wire that took.
    async fn step(&mut self, take: impl FnOnce(&[u8])) -> Result<usize, BodyError> {
        if self.wire.ahead.is_empty() {
            let filled = self.wire.fill_body(COLLECT_STEP_BYTES).await;
            match filled {
                Ok(0) => return Err(self.fail(BodyError::Disconnected)),
                Ok(_) => {}
                Err(error) => return Err(self.fail(error.into())),
            }
        }
        let unread = self.wire.ahead.unread_mut();
        let count = match &mut self.state.left {
            Left::Plain(left) => {
                let count = shorter(*left, unread.len());
                take(&unread[..count]);
                self.state.advance(count);
                count
            }
            Left::Chunked(decoder) => {
                let Ok(decoded) = decoder.decode(unread) else { return Err(self.fail(BodyError::Malformed)) };
                take(&unread[..decoded.written]);
                if decoded.done {
                    self.state.left = Left::Nothing;
                }
                decoded.read
            }
            Left::Nothing => 0,
        };
        self.wire.ahead.consume(count);
        Ok(count)
    }
}

async fn read_plain(wire: &mut Wire, left: u64, mut piece: Window) -> Result<(usize, Window), BodyError> {
    let room = shorter(left, piece.len());
    let unread = wire.ahead.unread();
    if !unread.is_empty() {
        let count = room.min(unread.len());
        piece[..count].copy_from_slice(&unread[..count]);
        wire.ahead.consume(count);
        return Ok((count, piece));
    }
    // Never past the end of the body: what follows belongs to the next request.
    let start = piece.range().start;
    let piece = piece.into_buffer().window(start..start + room);
    match wire.read_body(piece).await? {
        (0, _) => Err(BodyError::Disconnected),
        read => Ok(read),
    }
}

/// Payload bytes, whether the body has ended, and the window. The payload may be 0 although more is to come.
async fn read_chunked(
    wire: &mut Wire,
    decoder: &mut ChunkedDecoder,
    mut piece: Window,
) -> Result<(usize, bool, Window), BodyError> {
    // Little room, as at the end of a buffer, would mean a call for each few bytes.
    let reads_ahead = wire.ahead.is_empty() && piece.len() < READ_AHEAD_BYTES;
    if reads_ahead && wire.fill_body(READ_AHEAD_BYTES).await? == 0 {
        return Err(BodyError::Disconnected);
    }
    if wire.ahead.is_empty() {
        let (count, mut piece) = wire.read_body(piece).await?;
        if count == 0 {
            return Err(BodyError::Disconnected);
        }
        let decoded = decoder.decode(&mut piece[..count]).map_err(|_| BodyError::Malformed)?;
        wire.ahead.push(&piece[decoded.read..count]);
        return Ok((decoded.written, decoded.done, piece));
    }
    let unread = wire.ahead.unread();
    let count = unread.len().min(piece.len());
    piece[..count].copy_from_slice(&unread[..count]);
    let decoded = decoder.decode(&mut piece[..count]).map_err(|_| BodyError::Malformed)?;
    wire.ahead.consume(decoded.read);
    Ok((decoded.written, decoded.done, piece))
}

fn shorter(left: u64, room: usize) -> usize {
    usize::try_from(left).map_or(room, |left| left.min(room))
}

#[cfg(test)]
#[path = "body_tests.rs"]
mod tests;
