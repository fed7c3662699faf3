//! Groups of headers and the types they become.

pub mod checksum;
pub mod customer_key;
pub mod metadata;
pub mod object;
pub mod write_condition;
