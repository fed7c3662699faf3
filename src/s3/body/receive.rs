//! From payload to store: the loop that every upload runs.

use crate::s3::body::{Payload, Trailers};
use crate::s3::error::S3Error;
use crate::store::Store;
use crate::store::body_writer::{BodyWritten, NewBody};

/// Receives a whole payload into a new body of the store. Nothing refers to it yet.
pub async fn receive(
    payload: &mut Payload<'_, '_>,
    store: &Store,
    new: &NewBody<'_>,
) -> Result<(BodyWritten, Trailers), S3Error> {
    let mut writer = store.body_writer(new)?;
    while let Some(window) = writer.space().await? {
        let (count, window) = payload.read(window).await?;
        if count == 0 {
            return Err(S3Error::incomplete_body());
        }
        writer.filled(window, count).await?;
    }
    let trailers = payload.finish().await?;
    Ok((writer.finish().await?, trailers))
}
