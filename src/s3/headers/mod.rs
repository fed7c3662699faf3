//! Groups of headers and the types they become.

pub mod checksum;
pub mod copy_source;
pub mod customer_key;
pub mod metadata;
pub mod object;
pub mod rename_source;
pub mod source_condition;
pub mod upload_checksum;
pub mod write_condition;
