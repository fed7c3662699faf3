//! Bytes of an object read, and written anew or summed: for copies whose key or checksum is another than that of their
//! source.

use std::ops::RangeInclusive;
use std::rc::Rc;
use std::time::Duration;

use ringstone_io::buffer::Buffer;
use ringstone_io::runtime;

use crate::checksum::{Algorithm, Digest, Hasher, Md5};
use crate::config::limits::BUFFER_WAIT_S;
use crate::seal::CustomerKey;
use crate::store::Store;
use crate::store::body_writer::{BodyWriter, BodyWritten, NewBody};
use crate::store::error::StoreError;
use crate::store::objects::{Body, OpenObject};

/// What some bytes add up to.
pub struct Sums {
    pub md5: [u8; 16],
    pub checksum: Option<Digest>,
}

impl Store {
    /// Writes the bytes of an open object in `range` into a new body, of which `new` must have their number. Nothing
    /// refers to it yet. A sealed object needs its `key`; the new body has the one in `new`.
    pub async fn rewrite(
        &self,
        object: OpenObject,
        range: Option<RangeInclusive<u64>>,
        key: Option<Rc<CustomerKey>>,
        new: &NewBody<'_>,
    ) -> Result<BodyWritten, StoreError> {
        let _turn = self.turn().await?;
        let mut writer = self.body_writer(new)?;
        let Some(range) = range else { return writer.finish().await };
        match self.read(object, range, key)? {
            Body::Inline(bytes) => write(&mut writer, &bytes).await?,
            Body::Extents(mut reader) => {
                while let Some((buffer, ranges)) = reader.next().await? {
                    for range in ranges {
                        write(&mut writer, &buffer[range]).await?;
                    }
                }
            }
        }
        writer.finish().await
    }

    /// Sums the bytes of an open object in `range`; it must not be sealed.
    pub async fn sums(
        &self,
        object: OpenObject,
        range: Option<RangeInclusive<u64>>,
        algorithm: Option<Algorithm>,
    ) -> Result<Sums, StoreError> {
        let (mut md5, mut hasher) = (Md5::new(), algorithm.map(Hasher::new));
        let mut add = |bytes: &[u8]| {
            md5.update(bytes);
            if let Some(hasher) = &mut hasher {
                hasher.update(bytes);
            }
        };
        match range.map(|range| self.read(object, range, None)).transpose()? {
            None => {}
            Some(Body::Inline(bytes)) => add(&bytes),
            Some(Body::Extents(mut reader)) => {
                while let Some((buffer, ranges)) = reader.next().await? {
                    for range in ranges {
                        add(&buffer[range]);
                    }
                }
            }
        }
        Ok(Sums { md5: md5.finish(), checksum: hasher.map(Hasher::finish) })
    }

    /// A turn to hold buffers on both sides. Whoever reads and writes at once holds some while it waits for others;
    /// with fewer of them than would take all, none waits for ever.
    async fn turn(&self) -> Result<Buffer, StoreError> {
        runtime::timeout(Duration::from_secs(BUFFER_WAIT_S), self.turns.acquire())
            .await
            .map_err(|_elapsed| StoreError::Overloaded)
    }
}

/// Passes bytes on to a writer, window by window.
async fn write(writer: &mut BodyWriter, mut bytes: &[u8]) -> Result<(), StoreError> {
    while !bytes.is_empty() {
        let window = writer.space().await?;
        let mut window = window.ok_or_else(|| StoreError::Corrupt("a body grew while it was read".into()))?;
        let count = window.len().min(bytes.len());
        let (now, later) = bytes.split_at(count);
        window[..count].copy_from_slice(now);
        writer.filled(window, count).await?;
        bytes = later;
    }
    Ok(())
}

#[cfg(test)]
#[path = "rewrite_tests.rs"]
mod tests;
