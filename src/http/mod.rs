//! HTTP/1.1 (RFC 9110, RFC 9112) of our own over `httparse`. Knows nothing of S3.
//!
//! [`connection`] serves one socket: head, body, response, again. It, [`body`] and the two that they stand on
//! (`wire`, `context`) are all that waits for anything; the other parts are functions and state machines over
//! bytes, without a socket or a clock, so that each is tested, fuzzed and measured alone.

pub mod body;
pub mod chunked;
pub mod client_address;
pub mod conditional;
pub mod connection;
pub mod context;
pub mod date;
pub mod framing;
pub mod head;
#[cfg(test)]
pub(crate) mod loopback;
mod proxy_protocol;
pub mod range;
mod read_ahead;
pub mod response;
pub mod target;
mod wire;
