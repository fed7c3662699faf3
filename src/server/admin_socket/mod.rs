//! The admin socket: a Unix socket in the data directory, through which the command line asks a running node for access
//! keys and policies of organisations.
//!
//! A thread of its own with blocking calls: nothing here is asked often, and no core waits for it. One question for each
//! connection, bounded in size and time, a few connections at once. Whoever may use the socket may do everything: its
//! mode admits the node's own user, and the kernel's word on who asks must agree.

mod client;
mod place;
pub(crate) mod protocol;

use std::collections::BTreeMap;
use std::io;
use std::net::Shutdown;
use std::os::fd::AsRawFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{JoinHandle, Scope};
use std::time::Duration;

use nix::sys::socket::getsockopt;
use nix::sys::socket::sockopt::PeerCredentials;
use rustix::event::{PollFd, PollFlags, poll};

use self::protocol::{Answer, LineError, Request};
use super::ServerError;
use super::administration::{Administration, Asker};
use crate::config::limits::{ADMIN_CONNECTIONS_MAX, ADMIN_DEADLINE_S, ADMIN_REQUEST_BYTES_MAX};

pub use client::AskError;
pub(crate) use client::ask;

/// How long the thread waits after it could not accept: out of file descriptors, most likely.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The running socket.
pub(super) struct AdminSocket {
    thread: JoinHandle<()>,
    /// Closed to end the thread.
    alive: UnixStream,
    data_dir: PathBuf,
}

/// The connections of the moment, by number, to be ended at a stop.
type Open = Mutex<BTreeMap<u64, UnixStream>>;

impl AdminSocket {
    /// Listens in a data directory whose lock is held.
    pub(super) fn start(data_dir: &Path, administration: Administration) -> Result<Self, ServerError> {
        let started = || -> io::Result<Self> {
            let listener = place::bind(data_dir)?;
            // A client that has gone before it was accepted must not hold the thread.
            listener.set_nonblocking(true)?;
            let (alive, ended) = UnixStream::pair()?;
            let thread = std::thread::Builder::new()
                .name("admin-socket".into())
                .spawn(move || serve(&listener, &ended, &administration))?;
            Ok(Self { thread, alive, data_dir: data_dir.to_owned() })
        };
        started().map_err(|source| ServerError::AdminSocket { data_dir: data_dir.to_owned(), source })
    }

    /// Answers what has been asked and ends.
    pub(super) fn stop(self) {
        if let Err(error) = place::remove(&self.data_dir) {
            tracing::warn!(%error, "the admin socket stays in the data directory");
        }
        drop(self.alive);
        if self.thread.join().is_err() {
            tracing::error!("the thread of the admin socket panicked");
        }
    }
}

fn serve(listener: &UnixListener, ended: &UnixStream, administration: &Administration) {
    let open = Open::default();
    std::thread::scope(|scope| {
        for number in 0_u64.. {
            match next(listener, ended) {
                Ok(Some(stream)) => admit(scope, number, stream, &open, administration),
                Ok(None) => break,
                Err(error) => {
                    tracing::warn!(%error, "the admin socket could not accept");
                    std::thread::sleep(ACCEPT_PAUSE);
                }
            }
        }
        // Who has not asked yet is not waited for; who has gets the answer.
        for stream in lock(&open).values() {
            // Gone already, if it fails.
            let _ = stream.shutdown(Shutdown::Read);
        }
    });
}

/// The next connection; `None` at the end.
fn next(listener: &UnixListener, ended: &UnixStream) -> io::Result<Option<UnixStream>> {
    loop {
        let mut ready = [PollFd::new(listener, PollFlags::IN), PollFd::new(ended, PollFlags::IN)];
        match poll(&mut ready, None) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
        if !ready[1].revents().is_empty() {
            return Ok(None);
        }
        match listener.accept() {
            Ok((stream, _)) => return Ok(Some(stream)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
}

fn admit<'scope, 'env>(
    scope: &'scope Scope<'scope, 'env>,
    number: u64,
    stream: UnixStream,
    open: &'env Open,
    administration: &'env Administration,
) {
    let asker = match asker(&stream) {
        Ok(asker) if may_ask(asker) => asker,
        Ok(Asker { uid, pid }) => return tracing::warn!(uid, pid, "the admin socket refused another user"),
        Err(error) => return tracing::warn!(%error, "the admin socket does not know who asks"),
    };
    {
        let mut open = lock(open);
        if open.len() >= ADMIN_CONNECTIONS_MAX {
            return tracing::warn!("the admin socket has as many connections as it may");
        }
        match stream.try_clone() {
            Ok(clone) => open.insert(number, clone),
            Err(error) => return tracing::warn!(%error, "the admin socket refused a connection"),
        };
    }
    let place = Place { open, number };
    let spawned = std::thread::Builder::new().spawn_scoped(scope, move || {
        let _place = place;
        if let Err(error) = converse(&stream, asker, administration) {
            tracing::debug!(%error, "a connection of the admin socket ended early");
        }
    });
    if let Err(error) = spawned {
        tracing::warn!(%error, "the admin socket refused a connection: it has no thread for it");
    }
}

/// The place of a connection among the open ones, given up also where its thread never ran, or panicked.
struct Place<'a> {
    open: &'a Open,
    number: u64,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        lock(self.open).remove(&self.number);
    }
}

/// One question and its answer.
fn converse(stream: &UnixStream, asker: Asker, administration: &Administration) -> io::Result<()> {
    let within = Duration::from_secs(ADMIN_DEADLINE_S);
    let answer = match protocol::receive::<Request>(stream, ADMIN_REQUEST_BYTES_MAX, within) {
        Ok(request) => administration.answer(request, asker),
        Err(LineError::Io(error)) => return Err(error),
        Err(LineError::Closed) => return Ok(()),
        Err(error) => Answer::Refused { message: format!("the question is {error}") },
    };
    protocol::send(stream, &answer, within)
}

/// The kernel's word. Not by rustix, to whom a process number is never zero: that of a peer in another namespace is.
fn asker(stream: &UnixStream) -> io::Result<Asker> {
    let peer = getsockopt(stream.as_raw_fd(), PeerCredentials)?;
    Ok(Asker { uid: peer.uid(), pid: peer.pid() })
}

/// The node's own user and root.
fn may_ask(asker: Asker) -> bool {
    asker.uid == 0 || asker.uid == rustix::process::geteuid().as_raw()
}

fn lock(open: &Open) -> MutexGuard<'_, BTreeMap<u64, UnixStream>> {
    // Whole after every step.
    open.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
#[path = "admin_socket_tests.rs"]
mod tests;
