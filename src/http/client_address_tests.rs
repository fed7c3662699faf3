use proptest::prelude::*;

use super::*;

fn head(fields: &str) -> RequestHead {
    RequestHead::parse(format!("GET / HTTP/1.1\r\nHost: h\r\n{fields}\r\n").as_bytes()).unwrap().unwrap().0
}

fn trusting(networks: &[&str]) -> TrustedProxies {
    let networks: Vec<IpNet> = networks.iter().map(|network| network.parse().unwrap()).collect();
    TrustedProxies::new(&networks)
}

fn peer(address: &str) -> SocketAddr {
    SocketAddr::new(address.parse().unwrap(), 4711)
}

/// The sender of a request that came from `from` with these fields.
fn sender(proxies: &TrustedProxies, from: &str, fields: &str) -> (String, bool) {
    let client = proxies.client(proxies.origin(peer(from)), &head(fields));
    (client.address.to_string(), client.is_secure)
}

fn forwarded(value: &str) -> String {
    sender(&trusting(&["10.0.0.0/8", "fd00::/8"]), "10.0.0.1", &format!("X-Forwarded-For: {value}\r\n")).0
}

#[test]
fn a_stranger_is_never_believed() {
    let fields =
        "X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Proto: https\r\nForwarded: for=1.2.3.4;proto=https\r\n";
    for proxies in [TrustedProxies::default(), trusting(&["10.0.0.0/8", "::1/128"])] {
        for from in ["192.0.2.7", "2001:db8::7", "11.0.0.1", "9.255.255.255"] {
            assert_eq!(sender(&proxies, from, fields), (from.to_owned(), false));
        }
    }
}

#[test]
fn the_last_address_that_is_no_proxy_counts() {
    for (value, expected) in [
        ("1.2.3.4", "1.2.3.4"),
        ("9.9.9.9, 1.2.3.4", "1.2.3.4"),
        ("9.9.9.9,1.2.3.4,10.0.0.9", "1.2.3.4"),
        ("9.9.9.9 ,\t1.2.3.4 , 10.0.0.9 ,10.1.2.3\t", "1.2.3.4"),
        // All are proxies: the leftmost.
        ("10.0.0.7, 10.0.0.8, 10.0.0.9", "10.0.0.7"),
        ("2001:db8::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]:80", "2001:db8::1"),
        ("1.2.3.4:555", "1.2.3.4"),
        ("1.2.3.4, 10.0.0.9:1, [fd00::1]:2", "1.2.3.4"),
        // IPv4 in the clothes of IPv6, as an answer and on the way.
        ("::ffff:1.2.3.4", "1.2.3.4"),
        ("[::ffff:1.2.3.4]:80", "1.2.3.4"),
        ("1.2.3.4, ::ffff:10.0.0.9", "1.2.3.4"),
    ] {
        assert_eq!(forwarded(value), expected, "{value}");
    }
}

#[test]
fn what_is_no_address_ends_the_walk_before_it() {
    let malformed = [
        "",
        " ",
        "unknown",
        "_hidden",
        "localhost",
        "1.2.3",
        "1.2.3.4.5",
        "01.2.3.4",
        "256.1.1.1",
        "1.2.3.4:",
        "1.2.3.4:x",
        "1.2.3.4:65536",
        "1.2.3.4:-1",
        ":80",
        "[1.2.3.4]",
        "[1.2.3.4]:80",
        "[::1",
        "::1]",
        "[::1]:",
        "[::1]80",
        "[]",
        "[]:80",
        "::1:::2",
        "fe80::1%eth0",
        "1.2.3.4/8",
        "1.2.3.4;5.6.7.8",
        "1.2.3.4 5.6.7.8",
        "\"1.2.3.4\"",
        "for=1.2.3.4",
        "1.2.3.4\u{e9}",
        "\u{661}.2.3.4",
        "0x1.2.3.4",
        "16909060",
    ];
    for entry in malformed {
        assert_eq!(forwarded(entry), "10.0.0.1", "{entry:?} alone");
        assert_eq!(forwarded(&format!("1.2.3.4, {entry}")), "10.0.0.1", "{entry:?} last");
        assert_eq!(forwarded(&format!("1.2.3.4, {entry}, 10.0.0.9")), "10.0.0.9", "{entry:?} behind a proxy");
        assert_eq!(forwarded(&format!("{entry}, 1.2.3.4")), "1.2.3.4", "{entry:?} before the client");
    }
    let bytes = b"GET / HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: \xff\xfe, 10.0.0.9\r\n\r\n";
    let (head, _) = RequestHead::parse(bytes).unwrap().unwrap();
    let proxies = trusting(&["10.0.0.0/8"]);
    let client = proxies.client(proxies.origin(peer("10.0.0.1")), &head);
    assert_eq!(client.address.to_string(), "10.0.0.9");
}

#[test]
fn several_fields_are_one_list() {
    let proxies = trusting(&["10.0.0.0/8"]);
    let fields = "X-Forwarded-For: 9.9.9.9\r\nA: b\r\nx-forwarded-for: 1.2.3.4, 10.0.0.8\r\nX-FORWARDED-FOR: 10.0.0.9\r\n";
    assert_eq!(sender(&proxies, "10.0.0.1", fields).0, "1.2.3.4");
    let fields = "X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-For:\r\n";
    assert_eq!(sender(&proxies, "10.0.0.1", fields).0, "10.0.0.1");
    assert_eq!(sender(&proxies, "10.0.0.1", "").0, "10.0.0.1");
}

#[test]
fn a_walk_has_an_end() {
    let many = vec!["10.0.0.9"; FORWARDED_HOPS_MAX].join(",");
    assert_eq!(forwarded(&format!("1.2.3.4,{many}")), "10.0.0.9");
    let one_less = vec!["10.0.0.9"; FORWARDED_HOPS_MAX - 1].join(",");
    assert_eq!(forwarded(&format!("1.2.3.4,{one_less}")), "1.2.3.4");
}

#[test]
fn the_last_word_on_the_scheme_counts() {
    let proxies = trusting(&["10.0.0.0/8"]);
    for (fields, expected) in [
        ("", false),
        ("X-Forwarded-Proto: https\r\n", true),
        ("X-Forwarded-Proto: HTTPS\r\n", true),
        ("X-Forwarded-Proto: http\r\n", false),
        ("X-Forwarded-Proto: https, http\r\n", false),
        ("X-Forwarded-Proto: http , https\r\n", true),
        ("X-Forwarded-Proto: https\r\nX-Forwarded-Proto: http\r\n", false),
        ("X-Forwarded-Proto: http\r\nX-Forwarded-Proto: https\r\n", true),
        ("X-Forwarded-Proto: https,\r\n", false),
        ("X-Forwarded-Proto:\r\n", false),
        ("X-Forwarded-Proto: httpss\r\n", false),
        ("Forwarded: proto=https\r\n", false),
    ] {
        assert_eq!(sender(&proxies, "10.0.0.1", fields).1, expected, "{fields}");
    }
}

#[test]
fn ipv4_peers_of_an_ipv6_socket_are_ipv4() {
    assert_eq!(sender(&TrustedProxies::default(), "::ffff:192.0.2.7", "").0, "192.0.2.7");
    let fields = "X-Forwarded-For: 1.2.3.4\r\n";
    for networks in ["10.0.0.0/8", "::ffff:10.0.0.0/104", "::ffff:10.0.0.1/128"] {
        let proxies = trusting(&[networks]);
        assert_eq!(sender(&proxies, "::ffff:10.0.0.1", fields).0, "1.2.3.4", "{networks}");
        assert_eq!(sender(&proxies, "10.0.0.1", fields).0, "1.2.3.4", "{networks}");
        assert_eq!(sender(&proxies, "11.0.0.1", fields).0, "11.0.0.1", "{networks}");
    }
    assert_eq!(sender(&trusting(&["fd00::/8"]), "fd00::1", fields).0, "1.2.3.4");
}

/// What a PROXY header and then a request make of a sender.
fn proxied(named: Named, fields: &str) -> (String, bool) {
    let proxies = trusting(&["10.0.0.0/8"]);
    let origin = proxies.named(proxies.origin(peer("10.0.0.1")), named);
    let client = proxies.client(origin, &head(fields));
    (client.address.to_string(), client.is_secure)
}

#[test]
fn headers_go_on_from_the_proxy_header() {
    let named = |address: &str, is_secure| Named::Client { address: address.parse().unwrap(), is_secure };
    let fields = "X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Proto: https\r\n";
    let plain = "X-Forwarded-Proto: http\r\n";
    for (named, fields, expected) in [
        // Whoever is behind a PROXY header wrote the request: only a proxy is believed.
        (named("192.0.2.7", false), fields, ("192.0.2.7", false)),
        (named("192.0.2.7", true), plain, ("192.0.2.7", true)),
        (named("::ffff:192.0.2.7", false), "", ("192.0.2.7", false)),
        (named("10.0.0.2", false), fields, ("1.2.3.4", true)),
        (named("::ffff:10.0.0.2", false), fields, ("1.2.3.4", true)),
        (named("10.0.0.2", true), "", ("10.0.0.2", true)),
        (named("10.0.0.2", true), plain, ("10.0.0.2", false)),
        (Named::Itself, fields, ("1.2.3.4", true)),
        (Named::Itself, "", ("10.0.0.1", false)),
        (Named::Unknown, fields, ("10.0.0.1", false)),
    ] {
        assert_eq!(proxied(named, fields), (expected.0.to_owned(), expected.1), "{named:?} {fields}");
    }
}

proptest! {
    #[test]
    fn any_bytes_may_be_forwarded(entry in proptest::collection::vec(any::<u8>(), 0..64)) {
        if let Some(address) = forwarded_address(&entry) {
            prop_assert_eq!(address, address.to_canonical());
        }
    }

    #[test]
    fn addresses_in_every_form_are_read(address: IpAddr, port: u16) {
        let expected = Some(address.to_canonical());
        prop_assert_eq!(forwarded_address(address.to_string().as_bytes()), expected);
        prop_assert_eq!(forwarded_address(SocketAddr::new(address, port).to_string().as_bytes()), expected);
        if address.is_ipv6() {
            prop_assert_eq!(forwarded_address(format!("[{address}]").as_bytes()), expected);
        }
    }
}
