//! Checksums of the S3 API (CRC32, CRC32C, CRC64NVME, SHA-1, SHA-256), the MD5 of ETags and the CRC32C of
//! frames on disk.
//!
//! A leaf: knows neither headers of a request nor records, only bytes in and digests out. Every layer may
//! call it. Invariant: a [`Digest`] always has exactly the length of its algorithm, so comparing two
//! digests compares algorithm and value.

mod algorithm;
mod crc32c;
mod digest;
mod hasher;
mod md5;
mod parts;

pub use algorithm::Algorithm;
pub use crc32c::crc32c_of;
pub use digest::Digest;
pub use hasher::Hasher;
pub use md5::Md5;
pub use parts::composite;
