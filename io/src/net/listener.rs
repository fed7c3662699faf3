//! Listening sockets. With `reuse_port` each core has its own, and the kernel spreads connections.

use std::cell::Cell;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, RawFd};
use std::rc::Rc;

use monoio::net::{ListenerOpts, TcpListener};
use rustix::net::Shutdown;

use super::stream::{Stream, shut_down};
use crate::error::IoError;

/// Connections that may wait to be accepted: a burst of clients that connect at once.
const BACKLOG: i32 = 4096;

/// A listening socket of this core.
pub struct Listener {
    socket: TcpListener,
    local_addr: SocketAddr,
    descriptor: Rc<Cell<Option<RawFd>>>,
}

impl Listener {
    /// Binds and listens. Without `reuse_port` a second server on the same port fails instead of
    /// silently taking half of the connections.
    pub fn bind(addr: SocketAddr, reuse_port: bool) -> Result<Self, IoError> {
        let failed = |source| IoError::new("listen on", addr.to_string(), source);
        let options = ListenerOpts::new().reuse_port(reuse_port).reuse_addr(true).backlog(BACKLOG);
        let socket = TcpListener::bind_with_config(addr, &options).map_err(failed)?;
        let local_addr = socket.local_addr().map_err(failed)?;
        let descriptor = Rc::new(Cell::new(Some(socket.as_raw_fd())));
        Ok(Self { socket, local_addr, descriptor })
    }

    /// The address that was really bound: the port, where port 0 was asked for.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// The next connection, with TCP_NODELAY set.
    ///
    /// Never put this into a select or timeout: a dropped accept that had completed leaks its
    /// connection. One long-lived task per listener accepts; [`Listener::stopper`] ends it.
    pub async fn accept(&self) -> Result<(Stream, SocketAddr), IoError> {
        let failed = |source| IoError::new("accept on", self.local_addr.to_string(), source);
        let (socket, peer) = self.socket.accept().await.map_err(failed)?;
        socket.set_nodelay(true).map_err(failed)?;
        Ok((Stream::new(socket), peer))
    }

    /// A handle that ends the pending and every later [`Listener::accept`] with an error.
    pub fn stopper(&self) -> ListenStopper {
        ListenStopper { descriptor: Rc::clone(&self.descriptor) }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.descriptor.set(None);
    }
}

/// Ends the accepting of a [`Listener`], from another task of the same core.
#[derive(Clone)]
pub struct ListenStopper {
    descriptor: Rc<Cell<Option<RawFd>>>,
}

impl ListenStopper {
    /// Stops listening: new connections are refused, a pending accept returns an error.
    pub fn stop(&self) {
        shut_down(&self.descriptor, Shutdown::Both);
    }
}
