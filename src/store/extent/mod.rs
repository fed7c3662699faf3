//! Extents: the large files that hold the bytes of bodies. `FORMAT.md` is the layout on disk.
//!
//! The allocator's truth is the space map in the index, which changes in the same transaction as the records
//! that refer to the blocks. What is kept in memory here is that map plus the reservations of uploads in flight.

pub mod bitmap;
pub mod frame;
pub mod header;
pub mod preparer;
pub mod reservation;
pub mod space;
