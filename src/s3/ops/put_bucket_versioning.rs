//! PutBucketVersioning: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketVersioning.html>

use crate::http::head::Method;
use crate::http::response::Response;
use crate::index::record::Versioning;
use crate::policy::Action;
use crate::s3::body::document::document;
use crate::s3::error::S3Error;
use crate::s3::operation::{BodyKind, Call, Operation, Scope, Selector};
use crate::s3::xml;

pub static OPERATION: Operation = Operation {
    name: "PutBucketVersioning",
    method: Method::Put,
    scope: Scope::Bucket,
    selector: Selector::Query("versioning"),
    permissions: &[Action::PutBucketVersioning],
    named: &[],
    anonymous: false,
    body: BodyKind::Document,
    run: |call| Box::pin(put_bucket_versioning(call)),
};

async fn put_bucket_versioning(mut call: Call<'_, '_>) -> Result<Response, S3Error> {
    let versioning = parse(&document(&mut call.payload, call.head).await?)?;
    let changed = call.context.store.set_versioning(call.bucket()?, versioning).await;
    changed.map_err(|refusal| S3Error::from_bucket_change(refusal, call.bucket_name()))?;
    Ok(Response::new(200))
}

/// The state asked for. There is no way back to a bucket that never kept versions.
fn parse(body: &[u8]) -> Result<Versioning, S3Error> {
    let root = xml::parse(body)?;
    if root.name != "VersioningConfiguration" {
        return Err(S3Error::malformed_xml());
    }
    match root.child_text("MfaDelete").map(str::trim) {
        None | Some("Disabled") => {}
        Some("Enabled") => return Err(S3Error::not_implemented("MfaDelete")),
        Some(_) => return Err(S3Error::malformed_xml()),
    }
    match root.child_text("Status").map(str::trim) {
        Some("Enabled") => Ok(Versioning::Enabled),
        Some("Suspended") => Ok(Versioning::Suspended),
        _ => Err(S3Error::malformed_xml()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::s3::error::ErrorCode;

    #[test]
    fn one_of_two_states_is_asked_for() {
        let parsed = |children: &str| {
            let body = format!("<VersioningConfiguration>{children}</VersioningConfiguration>");
            parse(body.as_bytes()).map_err(|error| error.code)
        };
        assert_eq!(parsed("<Status>Enabled</Status>"), Ok(Versioning::Enabled));
        assert_eq!(
            parsed("<MfaDelete>Disabled</MfaDelete><Status> Suspended </Status>"),
            Ok(Versioning::Suspended)
        );
        for children in
            ["", "<Status/>", "<Status>Unset</Status>", "<Status>enabled</Status>", "<MfaDelete>Enabled"]
        {
            assert_eq!(parsed(children), Err(ErrorCode::MalformedXML), "{children}");
        }
        let both = "<Status>Enabled</Status><MfaDelete>Enabled</MfaDelete>";
        assert_eq!(parsed(both), Err(ErrorCode::NotImplemented));
    }
}
