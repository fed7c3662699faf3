//! Operations on objects.

pub mod delete_object;
pub mod delete_objects;
pub mod get_object;
pub mod head_object;
pub mod put_object;
