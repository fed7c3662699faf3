//! The node put together: cores, listeners, the admin port, the admin socket, and the end of it all.
//!
//! Start: probe io_uring, lock the data directory, open the store, read access keys and policies, start one pinned
//! runtime for each core, then say ready. Stop (SIGTERM, SIGINT): readiness goes red, the admin socket and the listeners
//! close, idle connections end, requests in flight finish or run into the drain timeout, the store closes last.

mod access_keys;
mod admin;
mod admin_socket;
mod administration;
mod figures;
mod lifecycle;
pub(crate) mod new_key;
mod node_key_file;
pub(crate) mod private_file;
mod purge_keys;
mod shutdown;
mod stored_policies;
#[cfg(test)]
mod test_accounts;
mod worker;

use std::error::Error;
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use ringstone_io::disk::DirectoryLock;
use ringstone_io::runtime::{self, Clock, IoUringUnavailable};
use ringstone_io::{IoError, raise_open_files_limit};

use crate::audit::{AuditError, AuditLog, AuditThread};
use crate::config::Config;
use crate::http::client_address::TrustedProxies;
use crate::metrics::Registry;
use crate::s3::address::Addressing;
use crate::s3::error::ErrorCode;
use crate::s3::lifecycle::RulePrefix;
use crate::s3::ops;
use crate::server::access_keys::KeyError;
use crate::server::admin::{Admin, Health};
use crate::server::admin_socket::AdminSocket;
use crate::server::administration::Administration;
use crate::server::lifecycle::Lifecycle;
use crate::server::shutdown::{End, Shutdown};
use crate::server::stored_policies::OrgPolicyError;
use crate::server::worker::{CoreStart, Worker};
use crate::store::error::StoreError;
use crate::store::extent::space::SpaceOptions;
use crate::store::start::SharedStore;

pub use admin_socket::AskError;
pub(crate) use admin_socket::ask;
pub(crate) use admin_socket::protocol::{
    Answer, KeyMade, KeyShown, KeySource, KeyState, Request, WireSecret,
};
pub use private_file::FileError;
pub(crate) use purge_keys::purge_keys;

/// How long a start waits for its addresses. The kernel ends the io_uring of a killed process a moment after the
/// process, and with it the accept that holds the port.
const LISTEN_PATIENCE: Duration = Duration::from_secs(2);

const LISTEN_STEP: Duration = Duration::from_millis(10);

/// How long requests in flight may take after a failed sync: nothing can be acknowledged any more, only read.
const POISONED_DRAIN: Duration = Duration::from_secs(1);

/// Why the node did not start, or stopped with a failure.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    #[error(transparent)]
    IoUring(#[from] IoUringUnavailable),
    #[error("cannot use the data directory: {0}")]
    DataDirectory(IoError),
    #[error(transparent)]
    Audit(#[from] AuditError),
    #[error("cannot open the store: {0}")]
    Store(#[from] StoreError),
    #[error("cannot listen on {address}: {source}")]
    Listen { address: SocketAddr, source: std::io::Error },
    #[error("core {core} could not start: {reason}")]
    Core { core: usize, reason: String },
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    AccessKeys(#[from] KeyError),
    #[error(transparent)]
    OrgPolicies(#[from] OrgPolicyError),
    #[error("cannot open the admin socket in {}: {source}", data_dir.display())]
    AdminSocket { data_dir: PathBuf, source: std::io::Error },
    #[error("cannot handle signals: {0}")]
    Signals(std::io::Error),
    #[error("a sync failed, the node stopped: {0}")]
    Poisoned(String),
    #[error("a core ended on its own")]
    CoreEnded,
}

/// Whether this machine can run the node at all. To be asked before anything is made or printed.
pub fn probe() -> Result<(), ServerError> {
    Ok(runtime::probe_io_uring()?)
}

/// Serves until told to stop.
pub fn run(config: &Config) -> Result<(), ServerError> {
    probe()?;
    let shutdown = Shutdown::listen().map_err(ServerError::Signals)?;
    raise_limit();
    // Makes the directory too, durably.
    let _lock = DirectoryLock::acquire(&config.data_dir).map_err(ServerError::DataDirectory)?;
    let (audit, audit_thread) = start_audit(config)?.unzip();
    let cores = config.cores.unwrap_or_else(runtime::core_count);
    let clock = Clock::system();
    let options = SpaceOptions {
        extent_bytes: config.extent_size.bytes(),
        reserve_bytes: config.free_space_reserve.bytes(),
    };
    let store =
        SharedStore::open_directory(&config.data_dir, options, cores, clock.clone(), config.calendar)?;
    if !store.is_direct() {
        tracing::warn!("the data directory does not take O_DIRECT; extents go through the page cache");
    }
    let administration = Administration::open(config, &store.accounts())?;
    let registry = Registry::with_error_names(cores, &ops::names(), ErrorCode::NAMES);
    figures::of_store(&registry, &store.monitor());
    if let Some(log) = &audit {
        figures::of_audit_log(&registry, log);
    }

    let address = free_address(config.listen)?;
    let admin_address = free_address(config.admin_listen)?;
    let health = Health::new(store.monitor());
    let admin = Admin::start(admin_address, registry.clone(), health.clone())?;
    let workers = Cores {
        config,
        count: cores,
        address,
        store: &store,
        administration: &administration,
        registry: &registry,
        clock: &clock,
        audit: audit.as_ref(),
    }
    .start()?;
    let admin_socket = AdminSocket::start(&config.data_dir, administration)?;
    if !config.calendar.is_true() {
        tracing::warn!(day_ms = config.calendar.day_ms(), "lifecycle days are short: this node is for tests");
    }
    let lifecycle = Lifecycle::start(store.lifecycle())?;
    health.set_ready(true);
    tracing::info!(%address, admin = %admin.address(), cores, data_dir = %config.data_dir.display(), "ready");

    let end = shutdown.wait(store.monitor().poison(), || workers.iter().any(Worker::has_ended));
    health.set_ready(false);
    let drain = if matches!(end, End::Asked) { config.drain_timeout } else { POISONED_DRAIN };
    tracing::info!(?end, ?drain, "draining");
    admin_socket.stop();
    for worker in &workers {
        worker.drain(drain);
    }
    for worker in workers {
        worker.join();
    }
    lifecycle.stop();
    if let Some(thread) = audit_thread {
        thread.stop();
    }
    store.close();
    admin.stop();
    match end {
        End::Asked => Ok(()),
        End::Poisoned(reason) => Err(ServerError::Poisoned(reason)),
        End::CoreEnded => Err(ServerError::CoreEnded),
    }
}

fn raise_limit() {
    match raise_open_files_limit() {
        Ok(limit) => tracing::debug!(limit, "open files"),
        Err(error) => tracing::warn!(%error, "the limit of open files stays as it is"),
    }
}

/// Makes sure that nobody listens there: with SO_REUSEPORT, which several cores need, a second server would share the
/// port in silence. Also settles port 0, which must be the same for all cores.
fn free_address(address: SocketAddr) -> Result<SocketAddr, ServerError> {
    let failed = |source| ServerError::Listen { address, source };
    let started = Instant::now();
    let probe = loop {
        match TcpListener::bind(address) {
            Err(error) if error.kind() == ErrorKind::AddrInUse && started.elapsed() < LISTEN_PATIENCE => {
                std::thread::sleep(LISTEN_STEP);
            }
            bound => break bound.map_err(failed)?,
        }
    };
    probe.local_addr().map_err(failed)
}

fn start_audit(config: &Config) -> Result<Option<(AuditLog, AuditThread)>, AuditError> {
    let start = |path| AuditThread::start(path, config.audit_log_size.bytes(), config.audit_log_files);
    config.audit_log.as_deref().map(start).transpose()
}

/// What the cores have in common.
struct Cores<'a> {
    config: &'a Config,
    count: usize,
    address: SocketAddr,
    store: &'a SharedStore,
    administration: &'a Administration,
    registry: &'a Registry,
    clock: &'a Clock,
    audit: Option<&'a AuditLog>,
}

impl Cores<'_> {
    fn start(&self) -> Result<Vec<Worker>, ServerError> {
        (0..self.count).map(|core| Worker::start(self.core(core))).collect()
    }

    fn core(&self, core: usize) -> CoreStart {
        let config = self.config;
        CoreStart {
            core,
            shares_port: self.count > 1,
            address: self.address,
            store: self.store.core(core),
            pool_bytes: config.buffer_pool.bytes(),
            keys: self.administration.ring(),
            org_policies: self.administration.org_policies(),
            addressing: Addressing { domain: config.domain.clone(), path_style: config.path_style },
            region: config.region.clone(),
            require_location_constraint: config.require_location_constraint,
            lifecycle_rule_prefix: RulePrefix::taken_if(config.lifecycle_rule_prefix),
            trusted_proxies: TrustedProxies::new(&config.trusted_proxies),
            audit: self.audit.cloned(),
            metrics: self.registry.core(core),
            clock: self.clock.clone(),
        }
    }
}

/// The message of an error with those of its causes that it does not already quote.
pub(crate) fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let message = error.to_string();
        if !text.contains(&message) {
            text = format!("{text}: {message}");
        }
        cause = error.source();
    }
    text
}

/// A thread with a runtime of its own, joined at the end.
type RuntimeThread = JoinHandle<Result<(), String>>;

/// Joins such a thread and reports what it has to say.
fn join(name: &str, thread: RuntimeThread) {
    match thread.join() {
        Ok(Ok(())) => {}
        Ok(Err(reason)) => tracing::error!(name, reason, "a thread failed"),
        Err(_panic) => tracing::error!(name, "a thread panicked"),
    }
}

/// Health as the admin port and the start of the node share it.
pub(crate) type SharedHealth = Arc<Health>;
