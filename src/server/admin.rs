//! The admin port: health for load balancers, metrics for Prometheus. Never on the S3 port, and without authentication,
//! so it belongs on a private address.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ringstone_io::net::Listener;
use ringstone_io::runtime;

use super::{RuntimeThread, ServerError, SharedHealth, join};
use crate::http::body::Body;
use crate::http::client_address::Client;
use crate::http::connection::{self, HeadRefusal, Service};
use crate::http::context::{ConnectionContext, Deadlines};
use crate::http::head::{Method, RequestHead};
use crate::http::response::{Response, ResponseBody};
use crate::http::target;
use crate::metrics::{CONTENT_TYPE, Registry};
use crate::store::start::Monitor;

/// Connections of the admin port at one moment; scrapers and probes need few.
const CONNECTIONS_MAX: usize = 64;

/// Whether the node wants traffic.
pub(crate) struct Health {
    ready: AtomicBool,
    monitor: Monitor,
}

impl Health {
    pub(super) fn new(monitor: Monitor) -> SharedHealth {
        Arc::new(Self { ready: AtomicBool::new(false), monitor })
    }

    pub(super) fn set_ready(&self, ready: bool) {
        self.ready.store(ready, Ordering::Release);
    }

    /// `Err` says why the node should get no traffic. A full disk is no reason: reads and deletes go on.
    fn readiness(&self) -> Result<&'static str, String> {
        if let Some(reason) = self.monitor.poison().reason() {
            return Err(format!("writes stopped: {reason}\n"));
        }
        match (self.ready.load(Ordering::Acquire), self.monitor.is_accepting()) {
            (false, _) => Err("starting or draining\n".into()),
            (true, true) => Ok("ready\n"),
            (true, false) => Ok("ready, but the disk is full: writes answer 507\n"),
        }
    }
}

/// The running admin port.
pub(super) struct Admin {
    address: SocketAddr,
    thread: RuntimeThread,
    stop: oneshot::Sender<()>,
}

impl Admin {
    /// Starts the port on a thread of its own, not pinned to a core.
    pub(super) fn start(
        address: SocketAddr,
        registry: Registry,
        health: SharedHealth,
    ) -> Result<Self, ServerError> {
        let (stop, stopped) = oneshot::async_channel();
        let (started, listening) = oneshot::channel();
        let failed = |reason: String| ServerError::Listen { address, source: std::io::Error::other(reason) };
        let thread = std::thread::Builder::new()
            .name("admin".into())
            .spawn(move || {
                let service = AdminService { registry, health };
                let serving = serve(address, service, started, stopped);
                runtime::run_on_core(None, serving).map_err(|error| error.to_string())?
            })
            .map_err(|error| failed(error.to_string()))?;
        match listening.recv() {
            Ok(address) => Ok(Self { address, thread, stop }),
            Err(_gone) => Err(failed(match thread.join() {
                Ok(Err(reason)) => reason,
                _ => "the admin thread ended while starting".into(),
            })),
        }
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn stop(self) {
        // A thread that has ended needs no telling.
        let _ = self.stop.send(());
        join("admin", self.thread);
    }
}

async fn serve(
    address: SocketAddr,
    service: AdminService,
    started: oneshot::Sender<SocketAddr>,
    stopped: oneshot::AsyncReceiver<()>,
) -> Result<(), String> {
    let listener = Listener::bind(address, false).map_err(|error| error.to_string())?;
    // Whoever started this waits for the word, or has given up.
    let _ = started.send(listener.local_addr());
    let connections = ConnectionContext::new(Deadlines::default());
    let stopper = listener.stopper();
    let service = std::rc::Rc::new(service);
    let accepting = runtime::spawn({
        let connections = connections.clone();
        async move {
            while let Ok((stream, peer)) = listener.accept().await {
                if connections.open_connections() < CONNECTIONS_MAX {
                    let (service, connections) = (service.clone(), connections.clone());
                    runtime::spawn(
                        async move { connection::serve(stream, peer, &*service, &connections).await },
                    );
                }
            }
        }
    });
    let _ = stopped.await;
    connections.start_draining();
    stopper.stop();
    accepting.await;
    Ok(())
}

struct AdminService {
    registry: Registry,
    health: SharedHealth,
}

impl Service for AdminService {
    async fn call(&self, head: RequestHead, _body: &mut Body<'_>, _client: Client) -> Response {
        if !matches!(head.method(), Method::Get | Method::Head) {
            return text(405, "only GET and HEAD\n");
        }
        match target::split(head.target()) {
            Ok((b"/health/live", ..)) => text(200, "live\n"),
            Ok((b"/health/ready", ..)) => match self.health.readiness() {
                Ok(word) => text(200, word),
                Err(reason) => text(503, reason),
            },
            Ok((b"/metrics", ..)) => Response::new(200)
                .header("Content-Type", CONTENT_TYPE)
                .body(ResponseBody::Bytes(self.registry.render().into_bytes())),
            _ => text(404, "there are /health/live, /health/ready and /metrics\n"),
        }
    }

    fn refuse(&self, refusal: HeadRefusal, _head: Option<&RequestHead>, _client: Client) -> Response {
        text(refusal.status(), format!("{refusal}\n")).closing()
    }
}

fn text(status: u16, text: impl Into<String>) -> Response {
    Response::new(status)
        .header("Content-Type", "text/plain; charset=utf-8")
        .body(ResponseBody::Bytes(text.into().into_bytes()))
}
