//! Who sends a request: the peer of its connection, or, where that is a proxy that the configuration trusts, whom the
//! proxy names.
//!
//! Forwarding headers are read from right to left, and no further than trust reaches: whatever stands to the left of
//! the first address that is not a trusted proxy's was written by whoever has that address, and is never believed.

use std::net::{IpAddr, SocketAddr};

use ipnet::{IpNet, Ipv4Net};
use smallvec::SmallVec;

use super::head::RequestHead;
use super::proxy_protocol::Named;
use crate::config::limits::FORWARDED_HOPS_MAX;

/// The sender of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Client {
    /// Never an IPv4 address in the clothes of IPv6.
    pub address: IpAddr,
    /// Whether the client's own connection was TLS, as far as a trusted proxy says.
    pub is_secure: bool,
}

/// The networks of proxies whose word on a client's address counts.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies {
    networks: Vec<IpNet>,
}

/// Whom a connection speaks for, before any header of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Origin {
    client: Client,
    /// Whether the bytes of its requests are a trusted proxy's, so that forwarding headers count.
    is_proxy: bool,
}

impl Origin {
    pub(super) fn client(self) -> Client {
        self.client
    }

    pub(super) fn is_proxy(self) -> bool {
        self.is_proxy
    }
}

impl TrustedProxies {
    pub fn new(networks: &[IpNet]) -> Self {
        Self { networks: networks.iter().copied().map(canonical).collect() }
    }

    fn contain(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(&address))
    }

    /// The origin of a connection from this peer.
    pub(super) fn origin(&self, peer: SocketAddr) -> Origin {
        self.origin_at(peer.ip().to_canonical(), false)
    }

    /// The origin of a trusted peer's connection after the PROXY header that it began with.
    pub(super) fn named(&self, peer: Origin, named: Named) -> Origin {
        match named {
            Named::Itself => peer,
            // Somebody on the other side wrote these requests, so their headers prove nothing.
            Named::Unknown => Origin { is_proxy: false, ..peer },
            Named::Client { address, is_secure } => self.origin_at(address.to_canonical(), is_secure),
        }
    }

    fn origin_at(&self, address: IpAddr, is_secure: bool) -> Origin {
        Origin { client: Client { address, is_secure }, is_proxy: self.contain(address) }
    }

    /// The sender of one request of a connection.
    pub(super) fn client(&self, origin: Origin, head: &RequestHead) -> Client {
        if !origin.is_proxy {
            return origin.client;
        }
        let is_secure = is_forwarded_secure(head).unwrap_or(origin.client.is_secure);
        Client { address: self.forwarded_for(origin.client.address, head), is_secure }
    }

    /// Walks `X-Forwarded-For` from the right: each address was written by the one behind it. Ends at the first that is
    /// not a trusted proxy's, or before what is no address.
    fn forwarded_for(&self, sender: IpAddr, head: &RequestHead) -> IpAddr {
        let fields: SmallVec<[&[u8]; 4]> = head.headers_named("x-forwarded-for").collect();
        let entries = fields.iter().rev().flat_map(|field| field.rsplit(|byte| *byte == b','));
        let mut client = sender;
        for entry in entries.take(FORWARDED_HOPS_MAX) {
            let Some(address) = forwarded_address(entry) else { break };
            client = address;
            if !self.contain(client) {
                break;
            }
        }
        client
    }
}

/// A network of IPv4 addresses mapped into IPv6 is the IPv4 network.
fn canonical(network: IpNet) -> IpNet {
    let mapped = match network {
        IpNet::V6(network) => network
            .prefix_len()
            .checked_sub(96)
            .zip(network.addr().to_ipv4_mapped())
            .and_then(|(prefix, address)| Ipv4Net::new(address, prefix).ok()),
        IpNet::V4(_) => None,
    };
    mapped.map_or(network, IpNet::V4)
}

/// One entry of `X-Forwarded-For`: an address, with or without brackets and a port.
fn forwarded_address(entry: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(entry).ok()?.trim_matches([' ', '\t']);
    let bare =
        text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).filter(|text| text.contains(':'));
    let address: Result<IpAddr, _> = bare.unwrap_or(text).parse();
    let address = address.or_else(|_no_bare_address| text.parse::<SocketAddr>().map(|socket| socket.ip()));
    Some(address.ok()?.to_canonical())
}

/// Whether the nearest proxy's client came over TLS: the last element of `X-Forwarded-Proto`, where there is one.
fn is_forwarded_secure(head: &RequestHead) -> Option<bool> {
    let last = head.headers_named("x-forwarded-proto").last()?;
    let element = last.rsplit(|byte| *byte == b',').next().unwrap_or_default();
    Some(element.trim_ascii().eq_ignore_ascii_case(b"https"))
}

#[cfg(test)]
#[path = "client_address_tests.rs"]
mod tests;
