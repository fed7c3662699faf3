//! One TCP connection.

use std::cell::Cell;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::rc::Rc;

use monoio::io::{AsyncReadRent, AsyncWriteRent};
use monoio::net::TcpStream;
use rustix::net::Shutdown;

use super::gather::{Gather, Unsent};
use crate::buffer::{Rented, Window};
use crate::error::IoError;

/// A connection of this core.
pub struct Stream {
    socket: TcpStream,
    /// The socket's number while it is open, for stoppers.
    descriptor: Rc<Cell<Option<RawFd>>>,
    reading: Direction,
    writing: Direction,
}

/// Whether an operation of a direction is under way. Still so when the next one starts: the future of
/// the one before was dropped half way.
#[derive(Default)]
struct Direction {
    busy: bool,
}

impl Direction {
    fn begin(&mut self) -> io::Result<()> {
        if self.busy {
            return Err(io::Error::new(
                io::ErrorKind::BrokenPipe,
                "an earlier operation of this direction was given up half way",
            ));
        }
        self.busy = true;
        Ok(())
    }

    fn end(&mut self) {
        self.busy = false;
    }
}

impl Stream {
    pub(super) fn new(socket: TcpStream) -> Self {
        let descriptor = Rc::new(Cell::new(Some(socket.as_raw_fd())));
        Self { socket, descriptor, reading: Direction::default(), writing: Direction::default() }
    }

    /// Opens a connection, with TCP_NODELAY set.
    pub async fn connect(addr: SocketAddr) -> Result<Self, IoError> {
        let failed = |source| IoError::new("connect to", addr.to_string(), source);
        let socket = TcpStream::connect_addr(addr).await.map_err(failed)?;
        socket.set_nodelay(true).map_err(failed)?;
        Ok(Self::new(socket))
    }

    /// Reads what has arrived, at most the window; 0 means that the peer sends no more.
    pub async fn read(&mut self, window: Window) -> (io::Result<usize>, Window) {
        if window.is_empty() {
            return (Err(no_room()), window);
        }
        if let Err(error) = self.reading.begin() {
            return (Err(error), window);
        }
        let (result, rented) = self.socket.read(Rented::new(window, 0)).await;
        self.reading.end();
        (result, rented.into_inner())
    }

    /// As [`Stream::read`], appending to `bytes` within its spare capacity, which the caller reserves.
    pub async fn read_append(&mut self, bytes: Vec<u8>) -> (io::Result<usize>, Vec<u8>) {
        if bytes.len() == bytes.capacity() {
            return (Err(no_room()), bytes);
        }
        if let Err(error) = self.reading.begin() {
            return (Err(error), bytes);
        }
        let filled = bytes.len();
        let (result, rented) = self.socket.read(Rented::new(bytes, filled)).await;
        self.reading.end();
        (result, rented.into_inner())
    }

    /// Sends all of `bytes`, or fails; then some of them may have gone out.
    pub async fn write_all(&mut self, mut bytes: Vec<u8>) -> (io::Result<()>, Vec<u8>) {
        if let Err(error) = self.writing.begin() {
            return (Err(error), bytes);
        }
        let mut sent = 0;
        let mut outcome = Ok(());
        while sent < bytes.len() {
            let (result, rented) = self.socket.write(Rented::new(bytes, sent)).await;
            bytes = rented.into_inner();
            match progress(result) {
                Ok(count) => sent += count,
                Err(error) => {
                    outcome = Err(error);
                    break;
                }
            }
        }
        self.writing.end();
        (outcome, bytes)
    }

    /// Sends all pieces in order, or fails; then some bytes may have gone out.
    pub async fn write_gather(&mut self, gather: Gather) -> (io::Result<()>, Gather) {
        if let Err(error) = self.writing.begin() {
            return (Err(error), gather);
        }
        let mut unsent = Unsent::new(gather);
        let mut outcome = Ok(());
        while !unsent.is_empty() {
            let (result, rented) = self.socket.writev(Rented::new(unsent, 0)).await;
            unsent = rented.into_inner();
            match progress(result) {
                Ok(count) => unsent.advance(count),
                Err(error) => {
                    outcome = Err(error);
                    break;
                }
            }
        }
        self.writing.end();
        (outcome, unsent.into_gather())
    }

    /// A handle that ends a pending read of this stream from another task of the same core.
    pub fn read_stopper(&self) -> ReadStopper {
        ReadStopper { descriptor: Rc::clone(&self.descriptor) }
    }

    /// Says that nothing more will be sent. Bytes sent before still arrive.
    pub async fn shutdown_write(&mut self) {
        // It fails only where the peer is gone already, which is as good.
        let _ = self.socket.shutdown().await;
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        if self.reading.busy || self.writing.busy {
            // An operation that was given up holds the socket open and keeps its memory; this ends it.
            shut_down(&self.descriptor, Shutdown::Both);
        }
        self.descriptor.set(None);
    }
}

/// Ends a pending read of a [`Stream`]; used to let idle connections go when the server drains.
#[derive(Clone)]
pub struct ReadStopper {
    descriptor: Rc<Cell<Option<RawFd>>>,
}

impl ReadStopper {
    /// A pending read ends with 0, and so does every later one once the bytes that had arrived are
    /// read. Writing goes on. Without effect after the stream is closed.
    pub fn stop(&self) {
        shut_down(&self.descriptor, Shutdown::Read);
    }
}

/// Shuts an open socket down; an unconnected or closed one is left alone.
pub(super) fn shut_down(descriptor: &Cell<Option<RawFd>>, how: Shutdown) {
    if let Some(descriptor) = descriptor.get() {
        // SAFETY: rule 6 of io/README.md. The owner of the socket empties the cell before it closes the
        // descriptor, on this same thread, so the number still names that socket.
        let socket = unsafe { BorrowedFd::borrow_raw(descriptor) };
        // ENOTCONN: the peer is gone already.
        let _ = rustix::net::shutdown(socket, how);
    }
}

/// Bytes that a write moved; an interrupted one moved none, a write of nothing is an error.
fn progress(result: io::Result<usize>) -> io::Result<usize> {
    match result {
        Ok(0) => Err(io::ErrorKind::WriteZero.into()),
        Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(0),
        other => other,
    }
}

fn no_room() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "a read into no room would look like the end of the stream")
}

#[cfg(test)]
#[path = "stream_tests.rs"]
mod tests;
