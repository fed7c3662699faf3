//! The life of one connection: heads in, responses out, one request after the other.
//!
//! Invariants: the next head is looked for only behind the end of the body before it; a connection whose framing
//! is in doubt answers once and closes; nothing waits for a client without a deadline.

use std::future::Future;
use std::net::SocketAddr;

use ringstone_io::net::Stream;
use ringstone_io::runtime::timeout;

use super::body::{Body, BodyState, Rest};
use super::client_address::{Client, Origin};
use super::context::{ConnectionContext, Registration};
use super::framing::{
    Framing, FramingError, Persistence, expects_continue, framing, host_is_valid, persistence,
};
use super::head::{HeadError, Method, RequestHead};
use super::proxy_protocol::{self, Opening, ProxyHeaderError};
use super::response::{ByteStream, ConnectionField, Response, StreamFailed};
use super::wire::{Wire, WireError};
use crate::config::limits::{COLLECT_STEP_BYTES, DRAIN_BYTES_MAX, HEAD_BYTES_MAX, READ_AHEAD_BYTES};

/// What answers requests.
pub trait Service {
    /// Answers one request. The body need not be read; the connection then drops it or closes.
    fn call(&self, head: RequestHead, body: &mut Body<'_>, client: Client) -> impl Future<Output = Response>;

    /// The answer to something that is no request, with its head where one could be read. The connection closes after
    /// it.
    fn refuse(&self, refusal: HeadRefusal, head: Option<&RequestHead>, client: Client) -> Response;
}

/// Why a head never became a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeadRefusal {
    #[error(transparent)]
    Head(#[from] HeadError),
    #[error("a request needs exactly one Host field")]
    Host,
    #[error(transparent)]
    Framing(#[from] FramingError),
    #[error("the client stopped sending in the middle of the head")]
    Incomplete,
    #[error("the head did not arrive in time")]
    Deadline,
}

impl HeadRefusal {
    /// The status by RFC 9110 §15; a service may know better.
    pub fn status(self) -> u16 {
        match self {
            Self::Head(HeadError::HeadTooLarge | HeadError::HeaderSectionTooLarge) => 431,
            Self::Head(HeadError::Version) => 505,
            // RFC 9112 §6.1.
            Self::Framing(FramingError::UnknownCoding) => 501,
            Self::Deadline => 408,
            Self::Head(HeadError::Malformed) | Self::Host | Self::Framing(_) | Self::Incomplete => 400,
        }
    }
}

/// Serves one connection until it ends.
pub async fn serve<S: Service>(stream: Stream, peer: SocketAddr, service: &S, context: &ConnectionContext) {
    let registration = context.register(stream.read_stopper());
    let mut wire = Wire::new(stream, context.deadlines());
    let mut origin = context.trusted_proxies().origin(peer);
    if origin.is_proxy() {
        match Box::pin(read_proxy_header(&mut wire, &registration, context, origin)).await {
            Ok(named) => origin = named,
            Err(error) => return report(peer, error),
        }
    }
    loop {
        // What only runs while there is something to do stands on the heap, so that an idle connection does not
        // hold the memory of the largest operation.
        let next = match next_head(&mut wire, &registration, context).await {
            Arrival::Head(head) => Box::pin(exchange(&mut wire, head, origin, service, context)).await,
            Arrival::Refused(refusal) => {
                let response = service.refuse(refusal, None, origin.client());
                Box::pin(refuse(&mut wire, response, false)).await
            }
            Arrival::End => Next::Close,
        };
        match next {
            Next::Request => {}
            Next::Linger => return Box::pin(linger(&mut wire, &registration)).await,
            Next::Close => return,
        }
    }
}

enum Arrival {
    Head(RequestHead),
    Refused(HeadRefusal),
    /// The client is gone or never came back.
    End,
}

enum Next {
    Request,
    /// Close, but read on for a while: see [`linger`].
    Linger,
    Close,
}

/// Why a proxy's connection ended before its first request.
enum NoOpening {
    /// The proxy is gone, or sent nothing in time.
    Silence,
    Header(ProxyHeaderError),
}

fn report(peer: SocketAddr, error: NoOpening) {
    if let NoOpening::Header(error) = error {
        tracing::warn!(%peer, %error, "a connection was closed: its PROXY header cannot be used");
    }
}

/// Whom a trusted proxy's connection is for: the header that may stand at its start says so.
async fn read_proxy_header(
    wire: &mut Wire,
    registration: &Registration,
    context: &ConnectionContext,
    proxy: Origin,
) -> Result<Origin, NoOpening> {
    if !await_request(wire, registration, context).await {
        return Err(NoOpening::Silence);
    }
    let deadline = wire.deadlines().head;
    let read = async {
        loop {
            match proxy_protocol::opening(wire.ahead.unread()).map_err(NoOpening::Header)? {
                Opening::Other => return Ok(proxy),
                Opening::Header { named, length } => {
                    wire.ahead.consume(length);
                    return Ok(context.trusted_proxies().named(proxy, named));
                }
                Opening::Partial => {}
            }
            match wire.fill(READ_AHEAD_BYTES, deadline).await {
                Ok(1..) => {}
                Ok(0) | Err(_) => return Err(NoOpening::Silence),
            }
        }
    };
    timeout(deadline, read).await.unwrap_or(Err(NoOpening::Silence))
}

/// Waits for the next request and reads its head.
async fn next_head(wire: &mut Wire, registration: &Registration, context: &ConnectionContext) -> Arrival {
    if !await_request(wire, registration, context).await {
        return Arrival::End;
    }
    // RFC 9112 §2.2: "SHOULD ignore at least one empty line (CRLF) received prior to the request-line": old
    // clients send one after a body, where it must not count as the start of a head that then never comes.
    if wire.ahead.unread() == b"\r\n" {
        wire.ahead.consume(2);
        if !await_request(wire, registration, context).await {
            return Arrival::End;
        }
    }
    // Most heads are here already and need no timer.
    if let Some(arrival) = parse_head(wire) {
        return arrival;
    }
    let deadline = wire.deadlines().head;
    Box::pin(timeout(deadline, read_head(wire))).await.unwrap_or(Arrival::Refused(HeadRefusal::Deadline))
}

/// Waits until bytes of a request are here; `false` if none will come.
async fn await_request(wire: &mut Wire, registration: &Registration, context: &ConnectionContext) -> bool {
    if !wire.ahead.is_empty() {
        return true;
    }
    if context.is_draining() {
        return false;
    }
    wire.ahead.shrink();
    registration.set_idle(true);
    let filled = wire.fill(READ_AHEAD_BYTES, wire.deadlines().idle).await;
    registration.set_idle(false);
    matches!(filled, Ok(1..))
}

/// Reads on until the head is complete or refused.
async fn read_head(wire: &mut Wire) -> Arrival {
    loop {
        let before = wire.ahead.unread().len();
        match wire.fill(READ_AHEAD_BYTES, wire.deadlines().head).await {
            Ok(0) => return Arrival::Refused(HeadRefusal::Incomplete),
            Ok(_) => {}
            Err(WireError::Timeout) => return Arrival::Refused(HeadRefusal::Deadline),
            Err(WireError::Closed) => return Arrival::End,
        }
        let unread = wire.ahead.unread();
        // A head ends with a line, so parsing before the next line end would only repeat work: a head that comes
        // byte by byte must not cost us its square.
        let line_ended = unread.get(before..).is_some_and(|new| memchr::memchr(b'\n', new).is_some());
        let parses = line_ended || unread.len() >= HEAD_BYTES_MAX;
        if parses && let Some(arrival) = parse_head(wire) {
            return arrival;
        }
    }
}

fn parse_head(wire: &mut Wire) -> Option<Arrival> {
    match RequestHead::parse(wire.ahead.unread()) {
        Ok(Some((head, length))) => {
            wire.ahead.erase(length);
            Some(Arrival::Head(head))
        }
        Ok(None) => None,
        Err(error) => Some(Arrival::Refused(error.into())),
    }
}

/// One request and its response.
async fn exchange<S: Service>(
    wire: &mut Wire,
    head: RequestHead,
    origin: Origin,
    service: &S,
    context: &ConnectionContext,
) -> Next {
    let to_head_request = head.method() == Method::Head;
    let client = context.trusted_proxies().client(origin, &head);
    let wish = persistence(&head);
    let framing = match judge(&head) {
        Ok(framing) => framing,
        Err(refusal) => {
            let response = service.refuse(refusal, Some(&head), client);
            return refuse(wire, response, to_head_request).await;
        }
    };
    let mut state = BodyState::new(framing, expects_continue(&head));
    let response = service.call(head, &mut Body::new(wire, &mut state), client).await;
    let rest = state.rest();
    let closes =
        wish == Persistence::Close || response.close || rest == Rest::Abandoned || context.is_draining();
    let field = match wish {
        _ if closes => ConnectionField::Close,
        Persistence::KeepIfSaid => ConnectionField::KeepAlive,
        Persistence::Keep | Persistence::Close => ConnectionField::Absent,
    };
    if send(wire, response, to_head_request, field).await.is_err() {
        return Next::Close;
    }
    match rest {
        Rest::Nothing if closes => Next::Close,
        Rest::Nothing => Next::Request,
        Rest::Drainable if !closes => drain(wire, &mut state).await,
        Rest::Drainable | Rest::Abandoned => Next::Linger,
    }
}

fn judge(head: &RequestHead) -> Result<Framing, HeadRefusal> {
    if !host_is_valid(head) {
        return Err(HeadRefusal::Host);
    }
    Ok(framing(head)?)
}

async fn refuse(wire: &mut Wire, response: Response, to_head_request: bool) -> Next {
    match send(wire, response, to_head_request, ConnectionField::Close).await {
        Ok(()) => Next::Linger,
        Err(_) => Next::Close,
    }
}

/// Drops the rest of a body after its request was answered, so that the connection can be used again. The answer
/// comes first: a client that waits for it before it sends on would wait for ever.
async fn drain(wire: &mut Wire, state: &mut BodyState) -> Next {
    let deadline = wire.deadlines().drain;
    match timeout(deadline, Body::new(wire, state).discard(DRAIN_BYTES_MAX)).await {
        Ok(Ok(true)) => Next::Request,
        Ok(Ok(false)) => Next::Linger,
        Ok(Err(_)) | Err(_) => Next::Close,
    }
}

/// Ends a connection on which the client may still be sending. RFC 9112 §9.6: closed at once, its bytes would be
/// answered by a reset, which can destroy our last response before the client has read it.
async fn linger(wire: &mut Wire, registration: &Registration) {
    wire.shutdown_write().await;
    registration.set_idle(true);
    let deadline = wire.deadlines().drain;
    let read_on = async {
        let mut dropped = 0;
        while dropped < DRAIN_BYTES_MAX {
            wire.ahead.clear();
            match wire.fill(COLLECT_STEP_BYTES, deadline).await {
                Ok(count @ 1..) => dropped += count as u64,
                Ok(0) | Err(_) => return,
            }
        }
    };
    // Too slow or too much: the client has had its chance.
    let _ = timeout(deadline, read_on).await;
}

/// Why a response did not go out whole.
enum Cut {
    Wire,
    Source,
}

impl From<WireError> for Cut {
    fn from(_: WireError) -> Self {
        Self::Wire
    }
}

impl From<StreamFailed> for Cut {
    fn from(_: StreamFailed) -> Self {
        Self::Source
    }
}

async fn send(
    wire: &mut Wire,
    response: Response,
    to_head_request: bool,
    field: ConnectionField,
) -> Result<(), Cut> {
    let outgoing = response.into_outgoing(to_head_request, field);
    match outgoing.stream {
        Some((length @ 1.., source)) => send_stream(wire, outgoing.first, length, source).await,
        _ => Ok(wire.send(outgoing.first).await?),
    }
}

/// Sends a head with the first piece of its body, then the other pieces.
async fn send_stream(
    wire: &mut Wire,
    head: Vec<u8>,
    length: u64,
    mut source: Box<dyn ByteStream>,
) -> Result<(), Cut> {
    let mut head = Some(head);
    let mut left = length;
    while left > 0 {
        let mut piece = source.next().await?.ok_or(Cut::Source)?;
        if piece.is_empty() {
            return Err(Cut::Source);
        }
        // More than was announced would be read as the next response.
        left = left.checked_sub(piece.len() as u64).ok_or(Cut::Source)?;
        if let Some(head) = head.take() {
            piece = piece.with_head(head);
        }
        wire.send_gather(piece).await?;
    }
    Ok(())
}

#[cfg(test)]
#[path = "connection_tests.rs"]
mod tests;
