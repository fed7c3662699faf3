//! RenameObject: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_RenameObject.html>
//!
//! In buckets that never kept versions. Encrypted objects move without their key.

use crate::config::limits::CLIENT_TOKEN_BYTES_MAX;
use crate::http::head::Method;
use crate::http::response::Response;
use crate::policy::Action;
use crate::s3::error::{ErrorCode, S3Error};
use crate::s3::headers::rename_source;
use crate::s3::headers::source_condition::Subject;
use crate::s3::operation::{BodyKind, Call, Operation, Scope, Selector};
use crate::store::error::Refusal;
use crate::store::rename::{Rename, RenameRefusal};

const TOKEN: &str = "x-amz-client-token";

pub static OPERATION: Operation = Operation {
    name: "RenameObject",
    method: Method::Put,
    scope: Scope::Object,
    selector: Selector::Any(&[Selector::Query("renameObject"), Selector::Header("x-amz-rename-source")]),
    permissions: &[Action::PutObject],
    named: &[Action::DeleteObject],
    anonymous: true,
    body: BodyKind::None,
    run: |call| Box::pin(rename_object(call)),
};

async fn rename_object(call: Call<'_, '_>) -> Result<Response, S3Error> {
    let rename = Rename {
        source: rename_source::from_head(call.head)?,
        destination: call.key().to_owned(),
        of_source: Subject::RenameSource.conditions(call.head)?,
        of_destination: Subject::RenameDestination.conditions(call.head)?,
    };
    let source = rename.source.clone();
    call.require_of_key(Action::DeleteObject, &source, None)?;
    let token = token(&call)?;
    let renamed = call.context.store.rename_object(call.bucket()?, rename, token).await;
    renamed.map_err(|refusal| refused(&call, &source, refusal))?;
    Ok(Response::new(200))
}

/// The client's name for the request, by which it is known if it comes again.
fn token(call: &Call<'_, '_>) -> Result<Option<String>, S3Error> {
    let Some(sent) = call.head.header(TOKEN) else { return Ok(None) };
    let is_printable = sent.iter().all(u8::is_ascii_graphic);
    let text = String::from_utf8_lossy(sent);
    if sent.is_empty() || sent.len() > CLIENT_TOKEN_BYTES_MAX || !is_printable {
        let message = format!("A client token has 1 to {CLIENT_TOKEN_BYTES_MAX} printable characters.");
        return Err(S3Error::invalid_argument(TOKEN, &text, message));
    }
    Ok(Some(text.into_owned()))
}

fn refused(call: &Call<'_, '_>, source: &str, refusal: Refusal<RenameRefusal>) -> S3Error {
    let refusal = match refusal {
        Refusal::Refused(refusal) => refusal,
        Refusal::Failed(error) => return error.into(),
    };
    match refusal {
        RenameRefusal::NoSuchBucket => S3Error::no_such_bucket(call.bucket_name()),
        RenameRefusal::NoSuchKey => match call.bucket() {
            Ok(bucket) => call.asking.hide_absence(S3Error::no_such_key(source), bucket, source),
            Err(error) => error,
        },
        RenameRefusal::Versioned => S3Error::invalid_request(
            "Objects can be renamed only in buckets that have never had versioning enabled.",
        ),
        RenameRefusal::TokenMismatch => S3Error::new(ErrorCode::IdempotencyParameterMismatch),
        RenameRefusal::SourceCondition(unmet) => Subject::RenameSource.failed(unmet),
        RenameRefusal::DestinationCondition(unmet) => Subject::RenameDestination.failed(unmet),
        RenameRefusal::OntoItself => S3Error::invalid_request("An object cannot be renamed onto itself."),
    }
}
