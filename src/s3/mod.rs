//! The S3 API.

pub mod body;
pub mod bucket_name;
pub mod error;
pub mod object_key;
pub mod xml;
