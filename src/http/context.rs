//! What the connections of one core share: their deadlines, whose word on a client's address counts, and how they end
//! when the server drains.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use ringstone_io::net::ReadStopper;

use super::client_address::TrustedProxies;
use crate::config::limits::{
    BODY_DEADLINE_S, DRAIN_DEADLINE_S, HEAD_DEADLINE_S, IDLE_DEADLINE_S, WRITE_DEADLINE_S,
};

/// How long a connection waits for its client; see the limits of the same names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadlines {
    /// Between requests.
    pub idle: Duration,
    /// From the first byte of a head to its last.
    pub head: Duration,
    /// For each read of a body.
    pub body: Duration,
    /// For each send.
    pub write: Duration,
    /// For draining what a client still sends after its request was answered.
    pub drain: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            idle: Duration::from_secs(IDLE_DEADLINE_S),
            head: Duration::from_secs(HEAD_DEADLINE_S),
            body: Duration::from_secs(BODY_DEADLINE_S),
            write: Duration::from_secs(WRITE_DEADLINE_S),
            drain: Duration::from_secs(DRAIN_DEADLINE_S),
        }
    }
}

/// Shared by all connections of one core; clones are the same context.
#[derive(Clone, Default)]
pub struct ConnectionContext {
    shared: Rc<Shared>,
}

#[derive(Default)]
struct Shared {
    deadlines: Deadlines,
    trusted_proxies: TrustedProxies,
    draining: Cell<bool>,
    connections: RefCell<Connections>,
}

/// Open connections. Slots of closed ones are used again.
#[derive(Default)]
struct Connections {
    slots: Vec<Option<OpenConnection>>,
    free: Vec<usize>,
}

struct OpenConnection {
    stopper: ReadStopper,
    /// Waits for a request, or for the client to close: ending it loses nothing.
    idle: bool,
}

impl ConnectionContext {
    /// Of a port that no proxy stands before.
    pub fn new(deadlines: Deadlines) -> Self {
        Self::behind(TrustedProxies::default(), deadlines)
    }

    pub fn behind(trusted_proxies: TrustedProxies, deadlines: Deadlines) -> Self {
        Self { shared: Rc::new(Shared { deadlines, trusted_proxies, ..Shared::default() }) }
    }

    pub(super) fn trusted_proxies(&self) -> &TrustedProxies {
        &self.shared.trusted_proxies
    }

    pub fn deadlines(&self) -> Deadlines {
        self.shared.deadlines
    }

    /// From now on every response closes its connection, and idle connections end at once. Requests in flight
    /// finish.
    pub fn start_draining(&self) {
        self.shared.draining.set(true);
        self.stop_idle();
    }

    pub fn is_draining(&self) -> bool {
        self.shared.draining.get()
    }

    /// Ends the connections that are idle now.
    pub fn stop_idle(&self) {
        for connection in self.shared.connections.borrow().slots.iter().flatten() {
            if connection.idle {
                connection.stopper.stop();
            }
        }
    }

    /// Connections that are open: 0 means that draining is complete.
    pub fn open_connections(&self) -> usize {
        let connections = self.shared.connections.borrow();
        connections.slots.len() - connections.free.len()
    }

    pub(super) fn register(&self, stopper: ReadStopper) -> Registration {
        let mut connections = self.shared.connections.borrow_mut();
        let connection = Some(OpenConnection { stopper, idle: false });
        let reused = connections.free.pop();
        let slot = reused.unwrap_or(connections.slots.len());
        match connections.slots.get_mut(slot) {
            Some(free) => *free = connection,
            None => connections.slots.push(connection),
        }
        Registration { context: self.clone(), slot }
    }
}

/// A connection's place in the context, given up when dropped.
pub(super) struct Registration {
    context: ConnectionContext,
    slot: usize,
}

impl Registration {
    pub(super) fn set_idle(&self, idle: bool) {
        let mut connections = self.context.shared.connections.borrow_mut();
        if let Some(Some(connection)) = connections.slots.get_mut(self.slot) {
            connection.idle = idle;
        }
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        let mut connections = self.context.shared.connections.borrow_mut();
        if let Some(slot) = connections.slots.get_mut(self.slot) {
            *slot = None;
            connections.free.push(self.slot);
        }
    }
}
