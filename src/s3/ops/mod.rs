//! The table of operations. Adding one is a file that exports `OPERATIONS`, its `mod` line and its name here.

pub mod bucket;
pub mod compatibility;
pub mod not_implemented;
pub mod object;
pub mod service;

use crate::http::response::{Response, ResponseBody};
use crate::s3::operation::Operation;
use crate::s3::xml::Writer;

/// Every operation of this node. The router, the metrics' labels and the compatibility table are made from it.
pub const OPERATIONS: &[&[Operation]] = &[
    service::list_buckets::OPERATIONS,
    bucket::create_bucket::OPERATIONS,
    bucket::delete_bucket::OPERATIONS,
    bucket::get_bucket_location::OPERATIONS,
    bucket::head_bucket::OPERATIONS,
    bucket::list_objects::OPERATIONS,
    bucket::list_objects_v2::OPERATIONS,
    object::delete_object::OPERATIONS,
    object::delete_objects::OPERATIONS,
    object::get_object::OPERATIONS,
    object::head_object::OPERATIONS,
    object::put_object::OPERATIONS,
];

/// Names of all operations, in table order.
pub fn names() -> Vec<&'static str> {
    OPERATIONS.iter().copied().flatten().map(|row| row.name).collect()
}

/// Place of an operation in [`names`].
pub fn index_of(operation: &'static Operation) -> Option<usize> {
    OPERATIONS.iter().copied().flatten().position(|row| row.name == operation.name)
}

/// A response whose body is a document.
pub fn xml_response(status: u16, xml: Writer) -> Response {
    Response::new(status).header("Content-Type", "application/xml").body(ResponseBody::Bytes(xml.finish()))
}
