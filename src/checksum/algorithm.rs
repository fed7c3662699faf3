//! The five checksum algorithms of the API: their names on the wire and their ids on disk.

use crc_fast::CrcAlgorithm;

/// Ids are stored in object records: never renumber.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Algorithm {
    /// IEEE 802.3 (ISO-HDLC).
    Crc32 = 1,
    /// Castagnoli (iSCSI).
    Crc32c = 2,
    Crc64Nvme = 3,
    Sha1 = 4,
    Sha256 = 5,
}

/// What computes an algorithm.
#[derive(Clone, Copy, Debug)]
pub(super) enum Family {
    Crc(CrcAlgorithm),
    Sha1,
    Sha256,
}

impl Algorithm {
    pub const ALL: [Self; 5] = [Self::Crc32, Self::Crc32c, Self::Crc64Nvme, Self::Sha1, Self::Sha256];

    pub fn id(self) -> u8 {
        self as u8
    }

    pub fn from_id(id: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.id() == id)
    }

    /// As in XML and in `x-amz-checksum-algorithm`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Crc32 => "CRC32",
            Self::Crc32c => "CRC32C",
            Self::Crc64Nvme => "CRC64NVME",
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
        }
    }

    /// Any case: clients send `CRC32` and `crc32` alike.
    pub fn from_name(name: impl AsRef<[u8]>) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.name().as_bytes().eq_ignore_ascii_case(name.as_ref()))
    }

    /// The header or trailer field that carries the value.
    pub fn header(self) -> &'static str {
        match self {
            Self::Crc32 => "x-amz-checksum-crc32",
            Self::Crc32c => "x-amz-checksum-crc32c",
            Self::Crc64Nvme => "x-amz-checksum-crc64nvme",
            Self::Sha1 => "x-amz-checksum-sha1",
            Self::Sha256 => "x-amz-checksum-sha256",
        }
    }

    /// Any case: `x-amz-trailer` announces names as the client spells them.
    pub fn from_header(name: impl AsRef<[u8]>) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.header().as_bytes().eq_ignore_ascii_case(name.as_ref()))
    }

    pub(super) fn family(self) -> Family {
        match self {
            Self::Crc32 => Family::Crc(CrcAlgorithm::Crc32IsoHdlc),
            Self::Crc32c => Family::Crc(CrcAlgorithm::Crc32Iscsi),
            Self::Crc64Nvme => Family::Crc(CrcAlgorithm::Crc64Nvme),
            Self::Sha1 => Family::Sha1,
            Self::Sha256 => Family::Sha256,
        }
    }

    pub fn digest_bytes(self) -> usize {
        match self {
            Self::Crc32 | Self::Crc32c => 4,
            Self::Crc64Nvme => 8,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        }
    }
}
