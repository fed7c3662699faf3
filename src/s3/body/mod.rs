//! Request bodies as S3 sees them: what the framing of HTTP holds, without aws-chunked, checked against the signature.
//!
//! Nothing that is read here counts before [`Payload::finish`] has said that all of it was what the client signed.

pub mod aws_chunked;
pub mod document;
pub mod payload_hash;
pub mod receive;

use ringstone_io::buffer::Window;

use crate::auth::PayloadSeal;
use crate::config::limits::{CHUNK_LINE_BYTES_MAX, TRAILER_BYTES_MAX};
use crate::http::body::{Body, BodyError};
use crate::http::head::RequestHead;
use crate::s3::body::aws_chunked::AwsChunkedDecoder;
use crate::s3::body::payload_hash::PayloadHash;
use crate::s3::error::S3Error;

const DECODED_LENGTH: &str = "x-amz-decoded-content-length";
/// What may follow the last byte of the payload: the end of its chunk, the last size line, the trailer.
const FRAMING_REST_BYTES_MAX: usize = CHUNK_LINE_BYTES_MAX + 2 * TRAILER_BYTES_MAX;

/// Trailing header fields: lower-case name and value.
pub type Trailers = Vec<(String, String)>;

/// The payload of one request.
pub struct Payload<'a, 'b> {
    body: &'a mut Body<'b>,
    decoder: Option<AwsChunkedDecoder>,
    hash: Option<PayloadHash>,
    length: Option<u64>,
    /// All of the payload has been handed out.
    ended: bool,
}

impl<'a, 'b> Payload<'a, 'b> {
    /// Joins a body and its seal. Fails where the headers contradict each other.
    pub fn new(body: &'a mut Body<'b>, head: &RequestHead, seal: PayloadSeal) -> Result<Self, S3Error> {
        let length = framed_length(body, head)?;
        let mut payload = Self { body, decoder: None, hash: None, length, ended: false };
        match seal {
            PayloadSeal::Unsigned => {}
            PayloadSeal::Sha256(claimed) => payload.hash = Some(PayloadHash::new(claimed)),
            chunked => {
                let decoded_length = decoded_length(head)?;
                let decoder = AwsChunkedDecoder::new(chunked, head.header("x-amz-trailer"), decoded_length)?;
                payload.length = Some(decoded_length);
                payload.decoder = Some(decoder);
            }
        }
        Ok(payload)
    }

    /// Bytes of the payload, where the request says so.
    pub fn length(&self) -> Option<u64> {
        self.length
    }

    /// Fills the window with payload from its start; 0 at the end.
    pub async fn read(&mut self, mut window: Window) -> Result<(usize, Window), S3Error> {
        while !self.ended {
            let (count, filled) = self.body.read(window).await?;
            window = filled;
            let Some(decoder) = &mut self.decoder else {
                self.ended = count == 0;
                if let Some(hash) = &mut self.hash {
                    hash.update(&window[..count]);
                }
                return Ok((count, window));
            };
            if count == 0 {
                return Err(S3Error::incomplete_body());
            }
            let decoded = decoder.decode(&mut window[..count])?;
            self.ended = decoded.done;
            if decoded.done && decoded.read < count {
                // Bytes after the end of the framing belong to nothing.
                return Err(S3Error::incomplete_body());
            }
            if decoded.written > 0 {
                return Ok((decoded.written, window));
            }
        }
        Ok((0, window))
    }

    /// Reads what is left of the framing and checks the whole: the payload must have ended here.
    ///
    /// Needs no buffer of the pool: whoever calls this may hold one, and a pool of which everybody holds one and
    /// waits for another never moves again.
    pub async fn finish(&mut self) -> Result<Trailers, S3Error> {
        if let Some(decoder) = &mut self.decoder
            && !self.ended
        {
            let mut rest = self.body.collect(FRAMING_REST_BYTES_MAX).await.map_err(rest_failed)?;
            let decoded = decoder.decode(&mut rest)?;
            if !decoded.done || decoded.written > 0 || decoded.read < rest.len() {
                return Err(S3Error::incomplete_body());
            }
            self.ended = true;
        }
        // The outer chunked coding may still have its end to come.
        self.body.collect(0).await.map_err(rest_failed)?;
        if let Some(hash) = self.hash.take() {
            hash.finish()?;
        }
        Ok(self.decoder.as_ref().map(|decoder| decoder.trailers().to_vec()).unwrap_or_default())
    }

    /// The whole payload in memory, checked. For documents, which never come in chunks of their own.
    pub async fn collect(&mut self, bytes_max: usize) -> Result<Vec<u8>, S3Error> {
        if self.decoder.is_some() {
            return Err(S3Error::invalid_request("The value of x-amz-content-sha256 header is invalid."));
        }
        let bytes = self.body.collect(bytes_max).await?;
        self.ended = true;
        if let Some(mut hash) = self.hash.take() {
            hash.update(&bytes);
            hash.finish()?;
        }
        Ok(bytes)
    }
}

/// The length that the framing gives. A chunked body may say it in a header of its own.
fn framed_length(body: &Body<'_>, head: &RequestHead) -> Result<Option<u64>, S3Error> {
    match body.length() {
        None if head.header(DECODED_LENGTH).is_some() => decoded_length(head).map(Some),
        length => Ok(length),
    }
}

/// More than the end of the framing is more than was announced.
fn rest_failed(error: BodyError) -> S3Error {
    match error {
        BodyError::TooLarge => S3Error::incomplete_body(),
        error => error.into(),
    }
}

fn decoded_length(head: &RequestHead) -> Result<u64, S3Error> {
    let value = head.header(DECODED_LENGTH).ok_or_else(S3Error::missing_content_length)?;
    let digits =
        std::str::from_utf8(value).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    digits.and_then(|text| text.parse().ok()).ok_or_else(S3Error::missing_content_length)
}

#[cfg(test)]
#[path = "payload_tests.rs"]
mod tests;
