//! One core: its runtime, listener, store and connections.

use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use ringstone_io::net::{ListenStopper, Listener};
use ringstone_io::runtime::{self, Clock};

use super::{RuntimeThread, ServerError, join};
use crate::audit::AuditLog;
use crate::auth::{Authenticator, KeyRing};
use crate::config::limits::CONNECTIONS_PER_CORE_MAX;
use crate::http::client_address::TrustedProxies;
use crate::http::connection;
use crate::http::context::{ConnectionContext, Deadlines};
use crate::metrics::CoreMetrics;
use crate::policy::OrgPolicies;
use crate::s3::address::Addressing;
use crate::s3::lifecycle::RulePrefix;
use crate::s3::operation::Context;
use crate::s3::pipeline::S3Service;
use crate::s3::policies::Policies;
use crate::s3::request_id::RequestIds;
use crate::store::start::CoreParts;

/// How often a draining core looks whether its connections have ended.
const DRAIN_STEP: Duration = Duration::from_millis(10);

/// What a core is made from; goes to its thread.
pub(super) struct CoreStart {
    pub core: usize,
    /// Whether other cores listen on the same port.
    pub shares_port: bool,
    pub address: SocketAddr,
    pub store: CoreParts,
    pub pool_bytes: u64,
    pub keys: KeyRing,
    pub org_policies: OrgPolicies,
    pub addressing: Addressing,
    pub region: String,
    pub require_location_constraint: bool,
    pub lifecycle_rule_prefix: RulePrefix,
    pub trusted_proxies: TrustedProxies,
    pub audit: Option<AuditLog>,
    pub metrics: Arc<CoreMetrics>,
    pub clock: Clock,
}

/// A running core.
pub(super) struct Worker {
    name: String,
    thread: RuntimeThread,
    drain: crossbeam::atomic::AtomicCell<Option<oneshot::Sender<Duration>>>,
}

impl Worker {
    /// Starts the core and waits until it listens.
    pub(super) fn start(start: CoreStart) -> Result<Self, ServerError> {
        let core = start.core;
        let name = format!("core-{core}");
        let (drain, drained) = oneshot::async_channel();
        let (started, listening) = oneshot::channel();
        let failed = |reason: String| ServerError::Core { core, reason };
        let thread = std::thread::Builder::new()
            .name(name.clone())
            .spawn(move || {
                runtime::run_on_core(Some(core), run(start, started, drained))
                    .map_err(|error| error.to_string())?
            })
            .map_err(|error| failed(error.to_string()))?;
        match listening.recv() {
            Ok(()) => Ok(Self { name, thread, drain: crossbeam::atomic::AtomicCell::new(Some(drain)) }),
            // The core has gone before it listened; its thread says why.
            Err(_gone) => Err(failed(match thread.join() {
                Ok(Err(reason)) => reason,
                _ => "it ended while starting".into(),
            })),
        }
    }

    pub(super) fn has_ended(&self) -> bool {
        self.thread.is_finished()
    }

    /// Tells the core to finish its requests, within the time given.
    pub(super) fn drain(&self, within: Duration) {
        if let Some(drain) = self.drain.take() {
            // A core that has ended needs no telling.
            let _ = drain.send(within);
        }
    }

    pub(super) fn join(self) {
        join(&self.name, self.thread);
    }
}

/// The life of a core.
async fn run(
    start: CoreStart,
    started: oneshot::Sender<()>,
    drained: oneshot::AsyncReceiver<Duration>,
) -> Result<(), String> {
    let CoreStart { core, shares_port, address, store, pool_bytes, metrics, clock, .. } = start;
    let store = store.into_store(pool_bytes).map_err(|error| error.to_string())?;
    let listener = Listener::bind(address, shares_port).map_err(|error| error.to_string())?;
    let context = Rc::new(Context {
        store,
        clock,
        authenticator: Authenticator::new(start.keys),
        org_policies: start.org_policies,
        policies: Policies::default(),
        addressing: start.addressing,
        region: start.region,
        require_location_constraint: start.require_location_constraint,
        lifecycle_rule_prefix: start.lifecycle_rule_prefix,
        metrics: metrics.clone(),
    });
    let ids = RequestIds::new().map_err(|error| format!("no randomness: {error}"))?;
    let service = Rc::new(S3Service::new(context, ids, start.audit));
    let connections = ConnectionContext::behind(start.trusted_proxies, Deadlines::default());
    let stopper = listener.stopper();
    let accepting = runtime::spawn(accept(listener, service, connections.clone(), metrics));
    // Whoever started this core waits for the word, or has given up.
    let _ = started.send(());

    let within = drained.await.unwrap_or_default();
    drain(&stopper, &connections, within, core).await;
    accepting.await;
    Ok(())
}

/// Accepts until the listener is stopped.
async fn accept(
    listener: Listener,
    service: Rc<S3Service>,
    connections: ConnectionContext,
    metrics: Arc<CoreMetrics>,
) {
    loop {
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(_stopped) if connections.is_draining() => return,
            Err(error) => {
                tracing::warn!(%error, "accept failed");
                // Out of file descriptors, most likely: give connections time to end.
                runtime::sleep(DRAIN_STEP).await;
                continue;
            }
        };
        if connections.open_connections() >= CONNECTIONS_PER_CORE_MAX {
            tracing::warn!(%peer, "connection refused: the core has as many as it may");
            continue;
        }
        let (service, connections, metrics) = (service.clone(), connections.clone(), metrics.clone());
        metrics.connection_accepted();
        runtime::spawn(async move {
            connection::serve(stream, peer, &*service, &connections).await;
            metrics.connection_closed();
        });
    }
}

async fn drain(stopper: &ListenStopper, connections: &ConnectionContext, within: Duration, core: usize) {
    connections.start_draining();
    stopper.stop();
    let steps = within.as_millis() / DRAIN_STEP.as_millis();
    for _ in 0..=steps {
        if connections.open_connections() == 0 {
            return;
        }
        connections.stop_idle();
        runtime::sleep(DRAIN_STEP).await;
    }
    tracing::warn!(core, open = connections.open_connections(), "requests cut off by the drain timeout");
}
