//! GetObject: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html>

use std::rc::Rc;

use ringstone_io::net::Gather;

use crate::http::head::Method;
use crate::http::response::{ByteStream, NextPiece, Response, ResponseBody, StreamFailed};
use crate::policy::Action;
use crate::s3::error::S3Error;
use crate::s3::operation::{BodyKind, Call, Operation, Scope, Selector};
use crate::s3::reading::{self, Portion, Readable};
use crate::store::body_reader::{BodyReader, Piece};
use crate::store::objects::Body;

pub static OPERATION: Operation = Operation {
    name: "GetObject",
    method: Method::Get,
    scope: Scope::Object,
    selector: Selector::Plain,
    permissions: &[Action::GetObject],
    named: &[],
    anonymous: true,
    body: BodyKind::None,
    run: |call| Box::pin(get_object(call)),
};

async fn get_object(call: Call<'_, '_>) -> Result<Response, S3Error> {
    let Readable { object, key } = reading::open(&call)?;
    if let Some(response) = reading::not_modified(&call, &object.record)? {
        return Ok(response);
    }
    let portion = Portion::of(&call, &object.record)?;
    let response = portion.response(&call, &object.record, key.as_ref())?;
    let Some(wanted) = portion.wanted else { return Ok(response) };
    let key = key.map(|sent| Rc::new(sent.key));
    let body = match call.context.store.read(object, wanted, key)? {
        Body::Inline(bytes) => ResponseBody::Bytes(bytes),
        Body::Extents(mut reader) => {
            // The first piece is read before the status is sent: an object that cannot be read is a 500.
            let first = reader.next().await?;
            ResponseBody::Stream { length: portion.length, source: Box::new(ObjectStream { first, reader }) }
        }
    };
    Ok(response.body(body))
}

/// A body from the extents as the wire wants it.
struct ObjectStream {
    first: Option<Piece>,
    reader: Box<BodyReader>,
}

impl ByteStream for ObjectStream {
    fn next(&mut self) -> NextPiece<'_> {
        Box::pin(async move {
            let piece = match self.first.take() {
                Some(piece) => Some(piece),
                None => self.reader.next().await.map_err(|error| {
                    tracing::error!(%error, "a body cannot be read further; the connection is cut");
                    StreamFailed
                })?,
            };
            Ok(piece.map(|(buffer, ranges)| Gather::new(Vec::new(), buffer, ranges)))
        })
    }
}
