//! What an S3 client wraps around the bytes of an object, and how it is taken off again: the aws-chunked
//! framing. State machines over bytes: no socket, no clock.
//!
//! Invariant: bytes handed out here are provisional until the state machine says that the body is whole;
//! only then may they be committed. Called by the operations that take a body.

pub mod aws_chunked;
