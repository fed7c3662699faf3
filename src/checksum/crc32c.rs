//! CRC32C in one call, for frames on disk.

/// Castagnoli CRC of `bytes`.
pub fn crc32c(bytes: &[u8]) -> u32 {
    crc_fast::crc32_iscsi(bytes)
}
