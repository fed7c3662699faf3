//! Operations on a bucket.

pub mod create_bucket;
pub mod delete_bucket;
pub mod get_bucket_location;
pub mod head_bucket;
pub mod list_objects;
pub mod list_objects_v2;
pub mod listing;
