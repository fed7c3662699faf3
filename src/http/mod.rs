//! HTTP/1.1 (RFC 9110, RFC 9112) of our own over `httparse`. Knows nothing of S3.
//!
//! Everything but `connection` and `body` is a function or a state machine over bytes: no socket and no
//! clock inside, so that each part is tested, fuzzed and measured alone.

pub mod chunked;
pub mod conditional;
pub mod date;
pub mod framing;
pub mod head;
pub mod range;
pub mod target;
