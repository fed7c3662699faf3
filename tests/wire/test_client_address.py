"""Who a request comes from: trusted and other proxies on raw sockets and HAProxy, as the audit log sees it."""

import ipaddress
import json
import ssl
import struct

import pytest

from support import s3, wire
from support.accounts import MAIN
from support.audit import AuditLog
from support.server import RUN_DIRECTORY
from support.tls_proxy import TlsProxy

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
TRUSTED = ["127.0.0.1", "10.0.0.0/8", "fd00::/8"]
# Of the loopback network, and not trusted.
STRANGER = "127.0.0.2"
SPOOFED = "198.51.100.1"
CLIENT = "192.0.2.7"
SSL = 0x20
# Bytes behind the fixed part of a header.
HEADER_BYTES_MAX = 4096

GET = b"GET /absent/k HTTP/1.1\r\nHost: h\r\n"


class Node:
    """A server and how it sees its clients."""

    def __init__(self, server):
        self.server = server
        self.address = server.address
        self.audit = AuditLog(server.directory / "audit.log")

    def sender(self, response) -> tuple[str, bool]:
        """Address and security of the client that got this response."""
        entry = self.audit.entry(response.get("x-amz-request-id"))
        return entry["client"], entry["secure"]


@pytest.fixture(scope="module")
def node_behind(start_server):
    def start(name, trusted):
        path = str(RUN_DIRECTORY / name / "audit.log")
        return Node(start_server(name, trusted_proxies=trusted, audit_log=path))

    return start


@pytest.fixture(scope="module")
def trusting(node_behind):
    return node_behind("trusting", TRUSTED)


@pytest.fixture(scope="module")
def untrusting(node_behind):
    return node_behind("untrusting", [])


def get(fields: bytes = b"") -> bytes:
    return GET + fields + b"\r\n"


def header(payload: bytes, command: int = 0x21, family: int = 0x11, length: int | None = None) -> bytes:
    return SIGNATURE + struct.pack("!BBH", command, family, len(payload) if length is None else length) + payload


def addresses(source: str, target: str = "10.0.0.1") -> bytes:
    packed = [ipaddress.ip_address(address).packed for address in (source, target)]
    return b"".join(packed) + struct.pack("!HH", 50_000, 443)


def extension(kind: int, value: bytes) -> bytes:
    return struct.pack("!BH", kind, len(value)) + value


def proxy_header(source: str = CLIENT, extensions: bytes = b"") -> bytes:
    family = 0x21 if ":" in source else 0x11
    return header(addresses(source, "fd00::1" if ":" in source else "10.0.0.1") + extensions, family=family)


def tls(flags: int = 1) -> bytes:
    return extension(SSL, bytes([flags]) + b"\0\0\0\0" + extension(SSL + 1, b"TLSv1.3"))


def ask(node, content: bytes, source: str | None = None) -> tuple[str, bool]:
    """Sends one request on a connection of its own and returns how its client was seen."""
    with wire.Connection(node.address, source=source) as connection:
        connection.send(content)
        response = connection.response()
        assert response.status == 404
        return node.sender(response)


# Headers


def test_without_proxies_nothing_is_believed(untrusting):
    fields = b"X-Forwarded-For: 198.51.100.1\r\nX-Forwarded-Proto: https\r\nForwarded: for=198.51.100.1\r\n"
    assert ask(untrusting, get(fields)) == ("127.0.0.1", False)
    assert ask(untrusting, get(fields), STRANGER) == (STRANGER, False)


def test_a_stranger_is_not_believed(trusting):
    fields = b"X-Forwarded-For: 198.51.100.1\r\nX-Real-IP: 198.51.100.1\r\nX-Forwarded-Proto: https\r\n"
    assert ask(trusting, get(fields), STRANGER) == (STRANGER, False)


@pytest.mark.parametrize("fields, expected", [
    ("", ("127.0.0.1", False)),
    (f"X-Forwarded-For: {SPOOFED}, {CLIENT}\r\n", (CLIENT, False)),
    (f"X-Forwarded-For: {SPOOFED}\r\nx-forwarded-for: {CLIENT}\r\nX-Forwarded-For: 10.0.0.3\r\n", (CLIENT, False)),
    (f"X-Forwarded-For: {CLIENT}:55555, [fd00::5]:80, 10.0.0.3:1\r\n", (CLIENT, False)),
    ("X-Forwarded-For: 2001:db8::9\r\nX-Forwarded-Proto: http, https\r\n", ("2001:db8::9", True)),
    (f"X-Forwarded-For: ::ffff:{CLIENT}\r\nX-Forwarded-Proto: https\r\n", (CLIENT, True)),
    (f"X-Forwarded-For: {CLIENT}\r\nX-Forwarded-Proto: https, http\r\n", (CLIENT, False)),
    # Only proxies: the leftmost of them.
    ("X-Forwarded-For: 10.0.0.4, 10.0.0.3\r\n", ("10.0.0.4", False)),
    # No address stops the walk.
    (f"X-Forwarded-For: {SPOOFED}, unknown, 10.0.0.3\r\n", ("10.0.0.3", False)),
    (f"X-Forwarded-For: {SPOOFED},\r\n", ("127.0.0.1", False)),
    (f"Forwarded: for={SPOOFED};proto=https\r\nX-Real-IP: {SPOOFED}\r\n", ("127.0.0.1", False)),
])
def test_a_trusted_proxy_names_the_client(trusting, fields, expected):
    assert ask(trusting, get(fields.encode())) == expected


def test_each_request_of_a_connection_has_its_own_client(trusting):
    clients = [f"192.0.2.{number}" for number in range(20)]
    with wire.Connection(trusting.address) as connection:
        connection.send(b"".join(get(f"X-Forwarded-For: {client}\r\n".encode()) for client in clients))
        seen = [trusting.sender(connection.response()) for _ in clients]
    assert seen == [(client, False) for client in clients]


def test_a_head_that_is_refused_has_a_client_too(trusting):
    for fields, expected in [(b"Host: again\r\n", CLIENT), (b"No colon\r\n", "127.0.0.1")]:
        with wire.Connection(trusting.address) as connection:
            connection.send(get(b"X-Forwarded-For: %s\r\n" % CLIENT.encode() + fields))
            response = connection.response()
        assert response.status == 400
        assert trusting.sender(response) == (expected, False)


def test_a_signed_request_may_be_forwarded(trusting):
    """Proxies add their fields behind the signature."""
    client = s3.make_client(trusting.server.endpoint, MAIN)
    bucket = s3.create_bucket(client, s3.new_bucket_name("forwarded"))
    prepared = wire.prepare(trusting.address, "GET", f"/{bucket}")
    prepared.headers["x-forwarded-for"] = CLIENT
    with wire.Connection(trusting.address) as connection:
        connection.send(proxy_header("10.0.0.9") + prepared.head())
        response = connection.response()
    assert response.status == 200
    assert trusting.sender(response) == (CLIENT, False)


def test_policies_see_the_client(trusting):
    client = s3.make_client(trusting.server.endpoint, MAIN)
    bucket = s3.create_bucket(client, s3.new_bucket_name("by-address"))
    condition = {"NotIpAddress": {"aws:SourceIp": f"{CLIENT}/32"}, "Bool": {"aws:SecureTransport": "true"}}
    statement = {"Effect": "Deny", "Principal": "*", "Action": "s3:ListBucket", "Condition": condition}
    policy = {"Version": "2012-10-17", "Statement": [{**statement, "Resource": f"arn:aws:s3:::{bucket}"}]}
    client.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
    prepared = wire.prepare(trusting.address, "GET", f"/{bucket}")

    def status(opening: bytes, fields: bytes) -> int:
        with wire.Connection(trusting.address) as connection:
            connection.send(opening + prepared.head().replace(b"\r\n", b"\r\n" + fields, 1))
            return connection.response().status

    spoofed, secure = f"X-Forwarded-For: {SPOOFED}\r\n".encode(), b"X-Forwarded-Proto: https\r\n"
    assert status(b"", secure) == 403
    assert status(b"", spoofed + secure) == 403
    assert status(b"", spoofed) == 200
    assert status(proxy_header(), spoofed + secure) == 200
    assert status(proxy_header(extensions=tls()), b"") == 200
    assert status(proxy_header(SPOOFED, tls()), b"") == 403


# The PROXY protocol


@pytest.mark.parametrize("opening, expected", [
    (proxy_header(), (CLIENT, False)),
    (proxy_header("2001:db8::9"), ("2001:db8::9", False)),
    (proxy_header(f"::ffff:{CLIENT}"), (CLIENT, False)),
    (proxy_header(extensions=tls()), (CLIENT, True)),
    (proxy_header(extensions=tls(0)), (CLIENT, False)),
    (proxy_header(extensions=extension(4, bytes(3000)) + tls() + extension(2, b"host")), (CLIENT, True)),
    (header(b"", command=0x20, family=0), ("127.0.0.1", False)),
    (header(addresses(CLIENT), command=0x20), ("127.0.0.1", False)),
    (header(b"", family=0), ("127.0.0.1", False)),
    (header(bytes(216), family=0x31), ("127.0.0.1", False)),
])
def test_a_proxy_header_names_the_client(trusting, opening, expected):
    assert ask(trusting, opening + get()) == expected


def test_a_proxy_header_may_come_byte_by_byte(trusting):
    with wire.Connection(trusting.address) as connection:
        for byte in proxy_header(extensions=tls()) + get():
            connection.send(bytes([byte]))
        assert trusting.sender(connection.response()) == (CLIENT, True)


def test_the_largest_proxy_header_and_pipelined_requests(trusting):
    padding = extension(4, bytes(HEADER_BYTES_MAX - 12 - 3))
    with wire.Connection(trusting.address) as connection:
        connection.send(proxy_header(extensions=padding) + 30 * get())
        assert {trusting.sender(connection.response()) for _ in range(30)} == {(CLIENT, False)}


@pytest.mark.parametrize("opening", [
    header(addresses(CLIENT), command=0x31),
    header(addresses(CLIENT), command=0x11),
    header(addresses(CLIENT), command=0x2F),
    header(addresses(CLIENT), family=0x41),
    header(addresses(CLIENT), family=0x12),
    header(addresses(CLIENT), family=0x21),
    header(b"", family=0x11),
    header(addresses(CLIENT) + b"\x01\xff\xff"),
    header(addresses(CLIENT) + extension(SSL, b"")),
    header(bytes(HEADER_BYTES_MAX + 1)),
    header(b"", length=0xFFFF),
])
def test_a_proxy_header_that_cannot_be_used_ends_the_connection(trusting, opening):
    with wire.Connection(trusting.address) as connection:
        connection.send(opening + get())
        assert connection.is_closed_by_server()


@pytest.mark.parametrize("source, node_name", [(None, "untrusting"), (STRANGER, "trusting")])
@pytest.mark.parametrize("in_pieces", [False, True])
def test_a_proxy_header_from_a_stranger_is_no_request(request, source, node_name, in_pieces):
    node = request.getfixturevalue(node_name)
    content = proxy_header() + get()
    with wire.Connection(node.address, source=source) as connection:
        for piece in [bytes([byte]) for byte in content[:13]] if in_pieces else [content]:
            connection.send(piece)
        response = connection.response()
        assert response.status == 400
        assert connection.is_closed_by_server()
    assert node.sender(response) == (source or "127.0.0.1", False)


@pytest.mark.parametrize("first", [proxy_header() + get(), get()])
def test_a_proxy_header_on_a_later_request_is_no_request(trusting, first):
    with wire.Connection(trusting.address) as connection:
        connection.send(first)
        assert connection.response().status == 404
        connection.send(proxy_header(SPOOFED) + get())
        assert connection.response().status == 400
        assert connection.is_closed_by_server()


@pytest.mark.parametrize("line", [b"PROXY TCP4 192.0.2.7 10.0.0.1 50000 443\r\n", b"PROXY UNKNOWN\r\n"])
def test_version_1_of_the_protocol_is_not_spoken(trusting, line):
    with wire.Connection(trusting.address) as connection:
        connection.send(line + get())
        assert connection.response().status in (400, 505)
        assert connection.is_closed_by_server()


def test_headers_go_on_from_a_proxy_header(trusting):
    fields = f"X-Forwarded-For: {SPOOFED}\r\nX-Forwarded-Proto: https\r\n".encode()
    # The client behind the first proxy wrote them itself.
    assert ask(trusting, proxy_header() + get(fields)) == (CLIENT, False)
    assert ask(trusting, header(b"", family=0) + get(fields)) == ("127.0.0.1", False)
    # There is another proxy behind it.
    assert ask(trusting, proxy_header("10.0.0.9") + get(fields)) == (SPOOFED, True)


# HAProxy


def ask_through(node, proxy: TlsProxy, source: str) -> tuple[str, bool]:
    """A signed request through a proxy, from that address."""
    address = ("127.0.0.1", proxy.port)
    context = ssl.create_default_context(cafile=str(proxy.certificate))
    with wire.Connection(address, source=source) as connection:
        connection.socket = context.wrap_socket(connection.socket, server_hostname="127.0.0.1")
        spoof = {"headers": {"x-forwarded-for": SPOOFED}, "unsigned": ("x-forwarded-for",)}
        connection.send(wire.prepare(address, "GET", "/", **spoof).head())
        response = connection.response()
    assert response.status == 200
    return node.sender(response)


@pytest.mark.parametrize("name, frontend, server", [
    ("forwardfor", "option forwardfor\n    http-request set-header X-Forwarded-Proto https", ""),
    ("send-proxy", "", "send-proxy-v2-ssl check inter 50ms"),
])
def test_haproxy_names_its_clients(trusting, name, frontend, server):
    proxy = TlsProxy(RUN_DIRECTORY / name, trusting.server.port, frontend, server)
    try:
        for source in (STRANGER, "127.0.0.3"):
            assert ask_through(trusting, proxy, source) == (source, True)
        client = s3.make_client(proxy.endpoint, MAIN, verify=str(proxy.certificate))
        bucket = s3.create_bucket(client, s3.new_bucket_name(name))
        client.put_object(Bucket=bucket, Key="k", Body=b"through the proxy")
        assert s3.body_of(client, bucket, "k") == b"through the proxy"
        assert trusting.server.is_running()
    finally:
        proxy.stop()
