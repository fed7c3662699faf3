//! TCP over the core's ring. Buffers go in by value and come back with the result.
//!
//! A read or write whose future is dropped before it ends (a timeout) goes on in the kernel: its memory
//! comes back later, and bytes that it read are lost. A stream remembers this: the same direction refuses
//! further operations, and dropping the stream shuts the socket down, which ends what is still in flight.

mod gather;
mod listener;
mod stream;

pub use gather::Gather;
pub use listener::{ListenStopper, Listener};
pub use stream::{ReadStopper, Stream};
