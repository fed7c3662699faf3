use std::thread;

use proptest::prelude::*;

use super::*;
use crate::http::client_address::TrustedProxies;
use crate::http::context::Deadlines;
use crate::http::loopback::{Client, SHORT, get, patient, serve_behind};

const STREAM4: u8 = 0x11;
const STREAM6: u8 = 0x21;
const CLIENT4: [u8; 12] = [192, 0, 2, 7, 10, 0, 0, 1, 0x11, 0x11, 0, 80];

fn header(command: u8, family: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len()).unwrap().to_be_bytes();
    [PROTOCOL_PREFIX, &[command, family], &length, payload].concat()
}

fn extension(kind: u8, value: &[u8]) -> Vec<u8> {
    let length = u16::try_from(value.len()).unwrap().to_be_bytes();
    [&[kind], &length[..], value].concat()
}

fn client(address: &str, is_secure: bool) -> Named {
    Named::Client { address: address.parse().unwrap(), is_secure }
}

fn with_extensions(extensions: &[u8]) -> Vec<u8> {
    header(0x21, STREAM4, &[&CLIENT4, extensions].concat())
}

#[test]
fn headers_name_a_client() {
    let mut client6 = [0; 36];
    client6[..2].copy_from_slice(&[0x20, 0x01]);
    client6[15] = 9;
    let ssl = |flags: u8| extension(0x20, &[flags, 0, 0, 0, 0]);
    let version = extension(0x21, b"TLSv1.3");
    let with_version = extension(0x20, &[&[7, 0, 0, 0, 0], &version[..]].concat());
    for (bytes, expected) in [
        (header(0x21, STREAM4, &CLIENT4), client("192.0.2.7", false)),
        (header(0x21, STREAM6, &client6), client("2001::9", false)),
        (with_extensions(&extension(0x04, &[0; 4000])), client("192.0.2.7", false)),
        (
            with_extensions(&[extension(1, b"h2"), ssl(1), extension(5, b"id")].concat()),
            client("192.0.2.7", true),
        ),
        (with_extensions(&ssl(0)), client("192.0.2.7", false)),
        // A certificate without TLS is none.
        (with_extensions(&ssl(6)), client("192.0.2.7", false)),
        (with_extensions(&with_version), client("192.0.2.7", true)),
        (header(0x21, 0x00, &[]), Named::Unknown),
        (header(0x21, 0x00, b"whatever else stands here"), Named::Unknown),
        (header(0x21, 0x31, &[7; 216]), Named::Unknown),
        // What a LOCAL header says of addresses does not matter.
        (header(0x20, 0x00, &[]), Named::Itself),
        (header(0x20, STREAM4, &CLIENT4), Named::Itself),
        (header(0x20, 0xff, &[1, 2, 3]), Named::Itself),
    ] {
        let length = bytes.len();
        assert_eq!(opening(&bytes), Ok(Opening::Header { named: expected, length }));
        let followed = [&bytes[..], b"GET / HTTP/1.1\r\n"].concat();
        assert_eq!(opening(&followed), Ok(Opening::Header { named: expected, length }));
        for cut in 0..length {
            assert_eq!(opening(&bytes[..cut]), Ok(Opening::Partial), "{cut} of {length}");
        }
    }
}

#[test]
fn other_bytes_are_no_header() {
    let mut almost = header(0x21, STREAM4, &CLIENT4);
    for at in 0..PROTOCOL_PREFIX.len() {
        almost[at] ^= 0x20;
        assert_eq!(opening(&almost), Ok(Opening::Other));
        assert_eq!(opening(&almost[..=at]), Ok(Opening::Other));
        almost[at] ^= 0x20;
    }
    assert_eq!(opening(b"GET / HTTP/1.1\r\n"), Ok(Opening::Other));
    assert_eq!(opening(b"PROXY TCP4 192.0.2.7 10.0.0.1 4369 80\r\n"), Ok(Opening::Other));
    assert_eq!(opening(b"\r\nGET"), Ok(Opening::Other));
}

#[test]
fn malformed_headers_are_refused_at_once() {
    let refused = |bytes: &[u8]| opening(bytes).expect_err("malformed");
    for (command, family) in [
        // Versions 0, 1, 3 and 15; commands beyond PROXY.
        (0x01, STREAM4),
        (0x11, STREAM4),
        (0x31, STREAM4),
        (0xf1, STREAM4),
        (0x22, STREAM4),
        (0x2f, STREAM4),
        // Families and protocols that there are not.
        (0x21, 0x41),
        (0x21, 0xf1),
        (0x21, 0x13),
        (0x21, 0x1f),
    ] {
        let bytes = header(command, family, &CLIENT4);
        assert!(matches!(refused(&bytes), ProxyHeaderError::Malformed(_)), "{command:x} {family:x}");
        // The rest need not come.
        assert!(matches!(refused(&bytes[..FIXED_BYTES]), ProxyHeaderError::Malformed(_)));
    }
    for (family, bytes) in [(STREAM4, 0), (STREAM4, 11), (STREAM6, 12), (STREAM6, 35), (0x31, 215)] {
        assert!(matches!(refused(&header(0x21, family, &vec![0; bytes])), ProxyHeaderError::Malformed(_)));
    }
    assert_eq!(refused(&header(0x21, 0x12, &CLIENT4)), ProxyHeaderError::NotStream);
    assert_eq!(refused(&header(0x21, 0x10, &CLIENT4)), ProxyHeaderError::NotStream);
}

#[test]
fn malformed_extensions_are_refused() {
    let refused = |extensions: &[u8]| opening(&with_extensions(extensions)).expect_err("malformed");
    for extensions in
        [&[0x01][..], &[0x01, 0], &[0x01, 0, 2, b'h'], &[0x04, 0, 0, 0x20], &[0x01, 0xff, 0xff, 0]]
    {
        assert!(matches!(refused(extensions), ProxyHeaderError::Malformed(_)), "{extensions:?}");
    }
    assert_eq!(refused(&extension(0x20, &[])), ProxyHeaderError::Ssl);
    assert_eq!(refused(&extension(0x20, &[1, 0, 0, 0])), ProxyHeaderError::Ssl);
}

#[test]
fn a_header_has_a_largest_size() {
    let largest = header(0x20, 0, &vec![0; PROXY_HEADER_BYTES_MAX]);
    let length = FIXED_BYTES + PROXY_HEADER_BYTES_MAX;
    assert_eq!(opening(&largest), Ok(Opening::Header { named: Named::Itself, length }));
    for command in [0x20, 0x21] {
        let too_large = header(command, 0, &vec![0; PROXY_HEADER_BYTES_MAX + 1]);
        let expected = Err(ProxyHeaderError::TooLarge(PROXY_HEADER_BYTES_MAX + 1));
        assert_eq!(opening(&too_large[..FIXED_BYTES]), expected);
    }
}

/// Talks to a server that trusts the loopback address.
fn behind(deadlines: Deadlines, talk: impl FnOnce(&mut Client)) {
    let proxies = TrustedProxies::new(&["127.0.0.1/32".parse().unwrap(), "10.0.0.0/8".parse().unwrap()]);
    serve_behind(proxies, deadlines, 1, |address| talk(&mut Client::connect(address)));
}

#[test]
fn a_header_speaks_for_all_requests_of_its_connection() {
    behind(patient(), |client| {
        let requests = [get("/sender"), get("/other"), get("/sender")].concat();
        client.send([&with_extensions(&extension(0x20, &[1, 0, 0, 0, 0])), requests.as_bytes()].concat());
        assert_eq!(client.answer().text(), "192.0.2.7 true");
        assert_eq!(client.answer().text(), "/other");
        assert_eq!(client.answer().text(), "192.0.2.7 true");
        assert_eq!(client.ask(get("/sender")).text(), "192.0.2.7 true");
    });
}

#[test]
fn a_header_may_come_byte_by_byte() {
    behind(patient(), |client| {
        for byte in with_extensions(&extension(4, &[0; 40])).into_iter().chain(get("/sender").into_bytes()) {
            client.send([byte]);
        }
        assert_eq!(client.answer().text(), "192.0.2.7 false");
    });
}

#[test]
fn the_largest_header_fits() {
    behind(patient(), |client| {
        let padding = extension(4, &vec![0; PROXY_HEADER_BYTES_MAX - CLIENT4.len() - 3]);
        client.send([with_extensions(&padding), get("/sender").into_bytes()].concat());
        assert_eq!(client.answer().text(), "192.0.2.7 false");
    });
}

#[test]
fn a_proxy_may_leave_the_header_out() {
    behind(patient(), |client| {
        assert_eq!(client.ask(get("/sender")).text(), "127.0.0.1 false");
        let fields = "X-Forwarded-For: 9.9.9.9, 1.2.3.4, 10.0.0.3\r\nX-Forwarded-Proto: https\r\n";
        assert_eq!(
            client.ask(format!("GET /sender HTTP/1.1\r\nHost: h\r\n{fields}\r\n")).text(),
            "1.2.3.4 true"
        );
        // Each request has its own sender.
        assert_eq!(client.ask(get("/sender")).text(), "127.0.0.1 false");
    });
    behind(patient(), |client| {
        client.send(["\r\n", &get("/sender")].concat());
        assert_eq!(client.answer().text(), "127.0.0.1 false");
    });
}

#[test]
fn a_header_that_cannot_be_used_closes_the_connection() {
    let too_large = header(0x21, STREAM4, &[0; PROXY_HEADER_BYTES_MAX + 1]);
    for bytes in [header(0x31, STREAM4, &CLIENT4), header(0x21, STREAM4, &[]), too_large] {
        behind(patient(), |client| {
            client.send_while_taken(&[&bytes[..], get("/").as_bytes()].concat());
            client.assert_ended();
        });
    }
}

#[test]
fn a_header_runs_into_the_deadline_of_heads() {
    behind(Deadlines { head: SHORT, ..patient() }, |client| {
        client.send(&header(0x21, STREAM4, &CLIENT4)[..20]);
        thread::sleep(SHORT / 2);
        client.send([0]);
        client.assert_ended();
    });
    // The first request has its own.
    behind(Deadlines { head: SHORT, ..patient() }, |client| {
        client.send(header(0x21, STREAM4, &CLIENT4));
        thread::sleep(2 * SHORT);
        assert_eq!(client.ask(get("/sender")).text(), "192.0.2.7 false");
    });
}

#[test]
fn a_second_header_is_no_request() {
    let again = header(0x21, STREAM4, &CLIENT4);
    behind(patient(), |client| {
        client.send([&again[..], &again].concat());
        assert_eq!(client.answer().status, 400);
        client.assert_ended();
    });
    behind(patient(), |client| {
        assert_eq!(client.ask(get("/sender")).text(), "127.0.0.1 false");
        client.send(&again);
        assert_eq!(client.answer().status, 400);
        client.assert_ended();
    });
}

#[test]
fn a_header_from_a_stranger_is_no_request() {
    serve_behind(TrustedProxies::new(&["10.0.0.0/8".parse().unwrap()]), patient(), 1, |address| {
        let mut client = Client::connect(address);
        client.send([header(0x21, STREAM4, &CLIENT4), get("/sender").into_bytes()].concat());
        assert_eq!(client.answer().status, 400);
        client.assert_ended();
    });
}

proptest! {
    #[test]
    fn any_bytes_may_open_a_connection(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let _ = opening(&bytes);
        let _ = opening(&[PROTOCOL_PREFIX, &bytes].concat());
        if let Ok(Opening::Header { length, .. }) = opening(&header(0x21, STREAM4, &bytes)) {
            prop_assert_eq!(length, FIXED_BYTES + bytes.len());
        }
    }

    #[test]
    fn any_header_may_open_a_connection(
        command in 0x20u8..0x22,
        family in proptest::sample::select(vec![0x00u8, 0x11, 0x12, 0x21, 0x31, 0x41]),
        payload in proptest::collection::vec(any::<u8>(), 0..300),
        cut in 0usize..320,
    ) {
        let whole = header(command, family, &payload);
        let part = &whole[..cut.min(whole.len())];
        // More bytes may end the waiting, never change a verdict.
        match opening(part) {
            Ok(Opening::Partial) => {}
            verdict => prop_assert_eq!(verdict, opening(&whole)),
        }
    }
}
