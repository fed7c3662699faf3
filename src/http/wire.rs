//! One socket with its read-ahead and its deadlines: the only place of this folder that waits for a peer.
//!
//! After a deadline has passed the direction is lost (the operation goes on in the kernel with our memory), so
//! every error here ends the connection sooner or later.

use std::time::Duration;

use ringstone_io::Window;
use ringstone_io::net::{Gather, Stream};
use ringstone_io::runtime::timeout;

use super::context::Deadlines;
use super::read_ahead::ReadAhead;
use crate::config::limits::BUFFER_BYTES;

/// Why nothing more comes or goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WireError {
    Closed,
    Timeout,
}

pub(super) struct Wire {
    stream: Stream,
    pub(super) ahead: ReadAhead,
    deadlines: Deadlines,
}

impl Wire {
    pub(super) fn new(stream: Stream, deadlines: Deadlines) -> Self {
        Self { stream, ahead: ReadAhead::new(), deadlines }
    }

    pub(super) fn deadlines(&self) -> Deadlines {
        self.deadlines
    }

    /// Appends what arrives to the read-ahead. `Ok(0)`: the peer sends no more.
    pub(super) async fn fill(&mut self, room: usize, deadline: Duration) -> Result<usize, WireError> {
        let bytes = self.ahead.take(room);
        let (result, bytes) =
            timeout(deadline, self.stream.read_append(bytes)).await.map_err(|_| WireError::Timeout)?;
        self.ahead.put_back(bytes);
        result.map_err(|_| WireError::Closed)
    }

    /// As [`Wire::fill`], with the deadline of bodies.
    pub(super) async fn fill_body(&mut self, room: usize) -> Result<usize, WireError> {
        self.fill(room, self.deadlines.body).await
    }

    /// Reads body bytes past the read-ahead, which must be empty, straight into `window`.
    pub(super) async fn read_body(&mut self, window: Window) -> Result<(usize, Window), WireError> {
        debug_assert!(self.ahead.is_empty(), "older bytes come first");
        let (result, window) =
            timeout(self.deadlines.body, self.stream.read(window)).await.map_err(|_| WireError::Timeout)?;
        Ok((result.map_err(|_| WireError::Closed)?, window))
    }

    /// Sends all of `bytes`, normally by one call; a large body in several, so that the deadline speaks of
    /// progress and not of the whole.
    pub(super) async fn send(&mut self, mut bytes: Vec<u8>) -> Result<(), WireError> {
        loop {
            let rest = bytes.split_off(bytes.len().min(BUFFER_BYTES));
            let (result, _) = timeout(self.deadlines.write, self.stream.write_all(bytes))
                .await
                .map_err(|_| WireError::Timeout)?;
            result.map_err(|_| WireError::Closed)?;
            if rest.is_empty() {
                return Ok(());
            }
            bytes = rest;
        }
    }

    pub(super) async fn send_gather(&mut self, gather: Gather) -> Result<(), WireError> {
        let (result, _) = timeout(self.deadlines.write, self.stream.write_gather(gather))
            .await
            .map_err(|_| WireError::Timeout)?;
        result.map_err(|_| WireError::Closed)
    }

    pub(super) async fn shutdown_write(&mut self) {
        self.stream.shutdown_write().await;
    }
}
