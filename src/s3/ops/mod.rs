//! The table of operations. Adding one is a file that exports its row as `OPERATION`, and a line here.

use crate::http::response::{Response, ResponseBody};
use crate::s3::operation::Operation;
use crate::s3::xml::Writer;

/// Declares a module for each name, and the table of their rows.
macro_rules! operations {
    ($($name:ident,)+) => {
        $(pub mod $name;)+

        /// Every operation of this node. The router, the metrics' labels and the compatibility table are made from it.
        pub static OPERATIONS: &[&Operation] = &[$(&$name::OPERATION,)+];
    };
}

operations! {
    abort_multipart_upload,
    complete_multipart_upload,
    copy_object,
    create_bucket,
    create_multipart_upload,
    delete_bucket,
    delete_bucket_lifecycle,
    delete_bucket_policy,
    delete_bucket_tagging,
    delete_object,
    delete_object_tagging,
    delete_objects,
    get_bucket_acl,
    get_bucket_lifecycle_configuration,
    get_bucket_location,
    get_bucket_policy,
    get_bucket_tagging,
    get_bucket_versioning,
    get_object,
    get_object_acl,
    get_object_attributes,
    get_object_tagging,
    head_bucket,
    head_object,
    list_buckets,
    list_multipart_uploads,
    list_object_versions,
    list_objects,
    list_objects_v2,
    list_parts,
    put_bucket_lifecycle_configuration,
    put_bucket_policy,
    put_bucket_tagging,
    put_bucket_versioning,
    put_object,
    put_object_tagging,
    rename_object,
    upload_part,
    upload_part_copy,
}

/// Names of all operations, in table order.
pub fn names() -> Vec<&'static str> {
    OPERATIONS.iter().map(|row| row.name).collect()
}

/// Place of an operation in [`names`].
pub fn index_of(operation: &'static Operation) -> Option<usize> {
    OPERATIONS.iter().position(|row| row.name == operation.name)
}

/// A response whose body is a document.
pub fn xml_response(status: u16, xml: Writer) -> Response {
    Response::new(status).header("Content-Type", "application/xml").body(ResponseBody::Bytes(xml.finish()))
}
