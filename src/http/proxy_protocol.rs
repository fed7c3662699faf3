//! The PROXY protocol, version 2: the binary header in which a trusted proxy says, once at the start of a connection, whom
//! the connection is for. Version 1, a line of text, is not read.
//!
//! <https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt>

use std::net::IpAddr;

use ppp::v2::{Addresses, Header, PROTOCOL_PREFIX, ParseError, Protocol, Type, TypeLengthValue};

use crate::config::limits::PROXY_HEADER_BYTES_MAX;

/// Signature, version and command, family and protocol, length.
const FIXED_BYTES: usize = 16;

/// Version 2, command LOCAL.
const LOCAL: u8 = 0x20;

/// In the first byte of the extension on TLS: the client came over TLS.
const CLIENT_SSL: u8 = 0x01;

/// Bytes of that extension before its own extensions.
const SSL_FIXED_BYTES: usize = 5;

/// What the first bytes of a connection are.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Opening {
    /// Something else.
    Other,
    /// A header so far, not whole.
    Partial,
    Header {
        named: Named,
        /// Bytes of it.
        length: usize,
    },
}

/// Whom a header names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Named {
    /// The proxy opened the connection on its own account, to see whether we live.
    Itself,
    /// Somebody without an IP address.
    Unknown,
    Client {
        address: IpAddr,
        is_secure: bool,
    },
}

/// Why a header ends its connection.
#[derive(Debug, PartialEq, thiserror::Error)]
pub(super) enum ProxyHeaderError {
    #[error("it has {0} bytes, more than {PROXY_HEADER_BYTES_MAX}")]
    TooLarge(usize),
    #[error("it is not about a stream")]
    NotStream,
    #[error("its extension on TLS is too short")]
    Ssl,
    #[error(transparent)]
    Malformed(#[from] ParseError),
}

/// Looks for a header at the start of `bytes`.
pub(super) fn opening(bytes: &[u8]) -> Result<Opening, ProxyHeaderError> {
    let seen = bytes.len().min(PROTOCOL_PREFIX.len());
    if bytes.get(..seen) != PROTOCOL_PREFIX.get(..seen) {
        return Ok(Opening::Other);
    }
    let Some(fixed) = bytes.first_chunk::<FIXED_BYTES>() else { return Ok(Opening::Partial) };
    let payload = usize::from(u16::from_be_bytes([fixed[14], fixed[15]]));
    if payload > PROXY_HEADER_BYTES_MAX {
        return Err(ProxyHeaderError::TooLarge(payload));
    }
    let length = FIXED_BYTES + payload;
    // "the receiver must accept this connection as valid and must use the real connection endpoints and discard the
    // protocol block including the family which is ignored".
    if fixed[12] == LOCAL {
        let is_whole = bytes.len() >= length;
        return Ok(if is_whole {
            Opening::Header { named: Named::Itself, length }
        } else {
            Opening::Partial
        });
    }
    match Header::try_from(bytes) {
        Ok(header) => Ok(Opening::Header { named: named(&header)?, length }),
        Err(ParseError::Incomplete(_) | ParseError::Partial(..)) => Ok(Opening::Partial),
        Err(error) => Err(error.into()),
    }
}

fn named(header: &Header<'_>) -> Result<Named, ProxyHeaderError> {
    let mut is_secure = false;
    for extension in header.tlvs() {
        let TypeLengthValue { kind, value } = extension?;
        if kind == u8::from(Type::SSL) {
            let flags = value.first().filter(|_| value.len() >= SSL_FIXED_BYTES);
            is_secure = flags.ok_or(ProxyHeaderError::Ssl)? & CLIENT_SSL != 0;
        }
    }
    let address = match header.addresses {
        Addresses::IPv4(addresses) => addresses.source_address.into(),
        Addresses::IPv6(addresses) => addresses.source_address.into(),
        Addresses::Unspecified | Addresses::Unix(_) => return Ok(Named::Unknown),
    };
    if header.protocol != Protocol::Stream {
        return Err(ProxyHeaderError::NotStream);
    }
    Ok(Named::Client { address, is_secure })
}

#[cfg(test)]
#[path = "proxy_protocol_tests.rs"]
mod tests;
