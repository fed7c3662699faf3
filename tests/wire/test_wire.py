"""HTTP/1.1 on a raw socket: framing, pipelining, smuggling, slow and rude clients."""

import re
import time

import pytest

from support import s3, sigv4, wire
from support.accounts import MAIN, Account
from support.payload import KIB, MIB, payload

WRONG_SECRET = Account(MAIN.access_key, "wrong", "main", "org-main")
# Longer than every deadline of the server for a head that does not come.
SLOW_HEAD_TIMEOUT_S = 90


@pytest.fixture(scope="module")
def path(client, module_bucket) -> str:
    client.put_object(Bucket=module_bucket, Key="k", Body=b"on the wire")
    return f"/{module_bucket}/k"


def get_head(address, path, **options) -> bytes:
    return wire.prepare(address, "GET", path, **options).head()


# Keep-alive and pipelining


def test_one_connection_serves_many_requests(address, path):
    with wire.Connection(address) as connection:
        for _ in range(50):
            connection.send(get_head(address, path))
            assert connection.response().body == b"on the wire"


def test_pipelined_requests_are_answered_in_order(address, client, module_bucket):
    for number in range(20):
        client.put_object(Bucket=module_bucket, Key=f"p{number}", Body=b"%d" % number)
    requests = b"".join(get_head(address, f"/{module_bucket}/p{number}") for number in range(20))
    with wire.Connection(address) as connection:
        connection.send(requests)
        assert [connection.response().body for _ in range(20)] == [b"%d" % number for number in range(20)]


def test_pipelined_puts_with_bodies(address, client, bucket):
    bodies = [payload(size, seed=size) for size in (0, 1, 5000, 70 * KIB, 10, 300 * KIB)]
    stream = b""
    for number, body in enumerate(bodies):
        stream += wire.prepare(address, "PUT", f"/{bucket}/{number}", body_bytes=len(body)).head() + body
    with wire.Connection(address) as connection:
        connection.send(stream)
        assert [connection.response().status for _ in bodies] == [200] * len(bodies)
    for number, body in enumerate(bodies):
        assert s3.body_of(client, bucket, str(number)) == body


def test_a_head_may_come_byte_by_byte(address, path):
    with wire.Connection(address) as connection:
        for byte in get_head(address, path):
            connection.send(bytes([byte]))
        assert connection.response().body == b"on the wire"


def test_a_body_may_come_byte_by_byte(address, client, bucket):
    body = payload(600)
    prepared = wire.prepare(address, "PUT", f"/{bucket}/k", body_bytes=len(body))
    with wire.Connection(address) as connection:
        connection.send(prepared.head())
        for byte in body:
            connection.send(bytes([byte]))
        assert connection.response().status == 200
    assert s3.body_of(client, bucket, "k") == body


@pytest.mark.parametrize("piece", [1, 7, 100_000])
@pytest.mark.parametrize("extension", [b"", b";name=value", b';quoted="a b"'])
def test_a_chunked_body(address, client, bucket, piece, extension):
    # Extensions are bounded over the whole body, so many small chunks cannot have long ones.
    body = payload(500 if piece < 100 else MIB)
    headers = {"transfer-encoding": "chunked", "x-amz-decoded-content-length": str(len(body))}
    prepared = wire.prepare(address, "PUT", f"/{bucket}/k", headers=headers)
    chunks = [body[at : at + piece] for at in range(0, len(body), piece)]
    framed = b"".join(b"%X%s\r\n%s\r\n" % (len(chunk), extension, chunk) for chunk in chunks)
    with wire.Connection(address) as connection:
        connection.send(prepared.head() + framed + b"0\r\nx-trailer: dropped\r\n\r\n")
        assert connection.response().status == 200
        connection.send(get_head(address, f"/{bucket}/k"))
        assert connection.response().body == body


def test_connection_close_is_honoured(address, path):
    with wire.Connection(address) as connection:
        connection.send(get_head(address, path, headers={"connection": "close"}))
        response = connection.response()
        assert response.status == 200 and response.get("connection").lower() == "close"
        assert connection.is_closed_by_server()


def test_http_1_0_is_answered_and_closed(address, path):
    head = get_head(address, path).replace(b" HTTP/1.1\r\n", b" HTTP/1.0\r\n")
    with wire.Connection(address) as connection:
        connection.send(head)
        assert connection.response().body == b"on the wire"
        assert connection.is_closed_by_server()


def test_empty_lines_before_a_request_are_skipped(address, path):
    with wire.Connection(address) as connection:
        connection.send(b"\r\n" + get_head(address, path))
        assert connection.response().status == 200


def test_an_absolute_target_names_the_host(address, path):
    prepared = wire.prepare(address, "GET", path)
    prepared.target = f"http://{address[0]}:{address[1]}{path}"
    with wire.Connection(address) as connection:
        connection.send(prepared.head())
        assert connection.response().status == 200


@pytest.mark.parametrize("status, key, options", [
    (404, "absent", {}),
    (403, "k", {"account": WRONG_SECRET}),
    (416, "k", {"headers": {"range": "bytes=999-"}}),
    (412, "k", {"headers": {"if-match": "x"}}),
    (304, "k", {"headers": {"if-none-match": "*"}}),
])
def test_the_connection_survives_an_error(address, module_bucket, path, status, key, options):
    with wire.Connection(address) as connection:
        for _ in range(3):
            connection.send(get_head(address, f"/{module_bucket}/{key}", **options))
            assert connection.response().status == status
        connection.send(get_head(address, path))
        assert connection.response().body == b"on the wire"


def test_the_connection_survives_a_refused_body(address, module_bucket, path):
    """A short body of a refused request is drained, so the next request is found."""
    prepared = wire.prepare(address, "PUT", "/" + s3.new_bucket_name("missing") + "/k", body_bytes=20 * KIB)
    with wire.Connection(address) as connection:
        connection.send(prepared.head() + payload(20 * KIB))
        assert connection.response().refusal() == (404, "NoSuchBucket")
        connection.send(get_head(address, path))
        assert connection.response().body == b"on the wire"


def test_a_large_refused_body_still_lets_the_client_read_the_error(address):
    size = 2 * MIB
    missing = "/" + s3.new_bucket_name("missing") + "/k"
    prepared = wire.prepare(address, "PUT", missing, body_bytes=size, account=WRONG_SECRET)
    with wire.Connection(address) as connection:
        connection.send(prepared.head() + payload(200 * KIB))
        assert connection.response().refusal() == (403, "SignatureDoesNotMatch")


# Request smuggling: where two readers could differ, there is no answer but 400 and the end.


def smuggle(address, fields: list[str], body: bytes, version="HTTP/1.1") -> bytes:
    lines = [f"PUT /smuggled-bucket/k {version}", f"Host: {address[0]}:{address[1]}", *fields]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


SMUGGLING = {
    "both lengths": ["Content-Length: 5", "Transfer-Encoding: chunked"],
    "both lengths, other order": ["Transfer-Encoding: chunked", "Content-Length: 5"],
    "two different lengths": ["Content-Length: 5", "Content-Length: 6"],
    "list of different lengths": ["Content-Length: 5, 6"],
    "signed length": ["Content-Length: +5"],
    "negative length": ["Content-Length: -5"],
    "hexadecimal length": ["Content-Length: 0x5"],
    "length with a letter": ["Content-Length: 5a"],
    "length with a space": ["Content-Length: 5 5"],
    "empty length": ["Content-Length:"],
    "length past 64 bits": ["Content-Length: 18446744073709551621"],
    "space before the colon": ["Content-Length : 5"],
    "tab before the colon": ["Transfer-Encoding\t: chunked"],
    "unknown coding": ["Transfer-Encoding: gzip"],
    "chunked not last": ["Transfer-Encoding: chunked, gzip"],
    "chunked twice": ["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"],
    "chunked and identity": ["Transfer-Encoding: chunked", "Transfer-Encoding: identity"],
    "misspelled chunked": ["Transfer-Encoding: xchunked"],
    "quoted chunked": ['Transfer-Encoding: "chunked"'],
    "vertical tab": ["Transfer-Encoding: \x0bchunked"],
    "folded header": ["Transfer-Encoding:", " chunked"],
    "folded value": ["X-Folded: a", " b", "Content-Length: 5"],
    "bare carriage return": ["X-A: b\rContent-Length: 5"],
    "bare line feed in a name": ["X-A: b\nTransfer-Encoding: chunked", "Content-Length: 5"],
    "NUL in a value": ["X-A: b\x00c", "Content-Length: 5"],
    "no colon": ["Content-Length 5"],
    "empty name": [": 5"],
}


@pytest.mark.parametrize("name", SMUGGLING)
def test_ambiguous_framing_is_refused_and_the_connection_ends(address, path, name):
    hidden = get_head(address, path)
    with wire.Connection(address) as connection:
        connection.send(smuggle(address, SMUGGLING[name], b"0\r\n\r\n" + hidden))
        try:
            response = connection.response()
        except wire.Closed:
            pytest.fail("closed without an answer")
        # Some of these fields are lawful on their own; then the request fails by itself, unsigned.
        assert response.status in (400, 501), response
        assert connection.is_closed_by_server()


def test_transfer_encoding_in_http_1_0_is_refused(address):
    with wire.Connection(address) as connection:
        connection.send(smuggle(address, ["Transfer-Encoding: chunked"], b"0\r\n\r\n", "HTTP/1.0"))
        assert connection.response().status == 400
        assert connection.is_closed_by_server()


@pytest.mark.parametrize(
    "body",
    [
        b"5\nhello\n0\n\n",
        b"0x5\r\nhello\r\n0\r\n\r\n",
        b"+5\r\nhello\r\n0\r\n\r\n",
        b" 5\r\nhello\r\n0\r\n\r\n",
        b"5\r\nhelloXX0\r\n\r\n",
        b"fffffffffffffffff\r\nhello\r\n0\r\n\r\n",
        b"5;" + b"x" * 5000 + b"\r\nhello\r\n0\r\n\r\n",
        b"5;a\nb\r\nhello\r\n0\r\n\r\n",
        b"0\r\n" + b"x-long: y\r\n" * 2000 + b"\r\n",
    ],
)
def test_broken_chunks_are_refused_and_the_connection_ends(address, client, bucket, body):
    headers = {"transfer-encoding": "chunked", "x-amz-decoded-content-length": "5"}
    payload_hash = sigv4.STREAMING_UNSIGNED_TRAILER
    prepared = wire.prepare(address, "PUT", f"/{bucket}/k", headers=headers, payload_hash=payload_hash)
    with wire.Connection(address) as connection:
        connection.send(prepared.head() + body + get_head(address, f"/{bucket}"))
        assert connection.response().status == 400
        assert connection.is_closed_by_server()
    assert not s3.exists(client, bucket, "k")


@pytest.mark.parametrize(
    "start",
    [
        b"GET\r\n\r\n",
        b"GET /\r\n\r\n",
        b"GET / HTTP/1.1 more\r\n\r\n",
        b"GET  / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 40 + b"\r\n\r\n",
        b"G\x00T / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /\x01 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    ],
)
def test_a_bad_head_is_refused_and_the_connection_ends(address, start):
    with wire.Connection(address) as connection:
        connection.send(start)
        connection.end_of_requests()
        response = connection.response()
        assert response.status in (400, 405, 505), response
        assert re.fullmatch("[0-9A-F]{16}", response.get("x-amz-request-id"))
        assert connection.is_closed_by_server()


# Limits and deadlines


def test_a_header_section_up_to_8_kib_is_accepted(address, path):
    assert wire.call(address, "GET", path, headers={"x-filler": "f" * 7000}).status == 200


@pytest.mark.parametrize("fields", [{"x-filler": "f" * 9000}, {f"x-filler-{n}": "f" * 200 for n in range(60)}])
def test_a_larger_header_section_is_refused(address, path, fields):
    response = wire.call(address, "GET", path, headers=fields)
    assert response.refusal() == (400, "RequestHeaderSectionTooLarge")


def test_an_endless_head_is_refused(address):
    with wire.Connection(address) as connection:
        connection.send(b"GET /" + b"a" * 100_000)
        response = connection.response()
        assert 400 <= response.status < 500
        try:
            assert connection.is_closed_by_server()
        except BrokenPipeError:
            pass


def test_too_many_headers_are_refused(address, path):
    response = wire.call(address, "GET", path, headers={f"a{n}": "" for n in range(300)})
    assert 400 <= response.status < 500


@pytest.mark.slow
@pytest.mark.timeout(SLOW_HEAD_TIMEOUT_S + 30)
def test_a_head_that_never_ends_is_cut_off(address):
    with wire.Connection(address, timeout_s=1) as connection:
        connection.send(b"GET / HTTP/1.1\r\nHost: x\r\n")
        started = time.monotonic()
        while time.monotonic() - started < SLOW_HEAD_TIMEOUT_S:
            # A byte now and then must not keep the connection open for ever.
            try:
                connection.send(b"a")
                received = connection.socket.recv(4096)
            except TimeoutError:
                continue
            except OSError:
                return
            if not received:
                return
        pytest.fail(f"still open after {SLOW_HEAD_TIMEOUT_S} s")


def test_many_idle_connections_do_not_stop_the_others(address, path):
    idle = [wire.Connection(address) for _ in range(300)]
    for connection in idle[::2]:
        connection.send(b"GET / HT")
    assert wire.call(address, "GET", path).body == b"on the wire"
    for connection in idle:
        connection.socket.close()


# Expect: 100-continue


def test_continue_comes_after_authentication(address, client, bucket):
    prepared = wire.prepare(address, "PUT", f"/{bucket}/k", body_bytes=5, headers={"expect": "100-continue"})
    with wire.Connection(address, timeout_s=5) as connection:
        connection.send(prepared.head())
        assert connection.socket.recv(100).startswith(b"HTTP/1.1 100 ")
        connection.send(b"hello")
        assert connection.response().status == 200
    assert s3.body_of(client, bucket, "k") == b"hello"


@pytest.mark.parametrize(
    "expected, options",
    [
        ((403, "SignatureDoesNotMatch"), {"account": WRONG_SECRET}),
        ((404, "NoSuchBucket"), {"path": "/no-such-bucket-here/k"}),
        ((400, "InvalidDigest"), {"headers": {"content-md5": "x"}}),
        ((400, "EntityTooLarge"), {"body_bytes": 5 * 1024**3 + 1}),
        ((501, "NotImplemented"), {"query": [("legal-hold", "")]}),
    ],
)
def test_a_refusal_comes_without_continue(address, bucket, expected, options):
    options = {"path": f"/{bucket}/k", "body_bytes": 100, **options}
    path, headers = options.pop("path"), {"expect": "100-continue", **options.pop("headers", {})}
    prepared = wire.prepare(address, "PUT", path, headers=headers, **options)
    with wire.Connection(address) as connection:
        connection.send(prepared.head())
        response = connection.response()
        assert response.refusal() == expected
        assert response.interim == []


def test_an_empty_body_gets_its_continue_too(address, client, bucket):
    """botocore keeps the status line of a final response that came in place of the 100 and takes it for
    that of the next response on the same connection, whose body it then awaits for ever: aws-cli hangs
    after it uploaded an empty file. So the 100 must come, or the connection must end."""
    prepared = wire.prepare(address, "PUT", f"/{bucket}/k", body_bytes=0, headers={"expect": "100-continue"})
    with wire.Connection(address, timeout_s=5) as connection:
        connection.send(prepared.head())
        response = connection.response()
        assert response.status == 200
        assert response.interim == [100] or connection.is_closed_by_server()


@pytest.mark.parametrize("body_bytes", [0, 100])
def test_a_refusal_without_continue_ends_the_connection(address, body_bytes):
    missing = "/" + s3.new_bucket_name("missing") + "/k"
    prepared = wire.prepare(address, "PUT", missing, body_bytes=body_bytes, headers={"expect": "100-continue"})
    with wire.Connection(address, timeout_s=5) as connection:
        connection.send(prepared.head())
        response = connection.response()
        assert response.status == 404
        assert response.interim == [100] or connection.is_closed_by_server()


def test_a_client_that_does_not_wait_needs_no_continue(address, client, bucket):
    prepared = wire.prepare(address, "PUT", f"/{bucket}/k", body_bytes=5, headers={"expect": "100-continue"})
    with wire.Connection(address) as connection:
        connection.send(prepared.head() + b"hello")
        assert connection.response().status == 200
        connection.send(get_head(address, f"/{bucket}/k"))
        assert connection.response().body == b"hello"


def test_another_expectation_is_never_417(address, path):
    response = wire.call(address, "GET", path, headers={"expect": "something-else"})
    assert response.status != 417


# Responses


@pytest.mark.parametrize(
    "options", [{"account": WRONG_SECRET}, {"path": "/no-such-bucket-here/k"}, {"headers": {"range": "bytes=99-"}}]
)
def test_errors_of_head_have_no_body(address, path, options):
    options = {"path": path, **options}
    target = options.pop("path")
    with wire.Connection(address) as connection:
        connection.send(wire.prepare(address, "HEAD", target, **options).head())
        response = connection.response("HEAD")
        assert response.status in (403, 404, 416)
        assert response.get("content-length") in (None, "0")
        connection.send(get_head(address, path))
        assert connection.response().body == b"on the wire"


def test_every_response_has_its_own_request_id(address, module_bucket, path):
    seen = []
    for method, target, options in (
        ("GET", path, {}),
        ("HEAD", path, {}),
        ("GET", path, {"headers": {"if-none-match": "*"}}),
        ("GET", f"/{module_bucket}/absent", {}),
        ("DELETE", f"/{module_bucket}/absent", {}),
        ("GET", path, {"account": WRONG_SECRET}),
        ("PATCH", path, {}),
    ):
        response = wire.call(address, method, target, **options)
        seen.append(response.get("x-amz-request-id"))
        assert re.fullmatch("[0-9A-F]{16}", seen[-1]), response
        assert response.get("date").endswith(" GMT") and response.get("server")
        assert response.get("x-amz-id-2")
    assert len(set(seen)) == len(seen)


def test_an_error_document(address, module_bucket):
    response = wire.call(address, "GET", wire.object_path(module_bucket, "absent <&>"))
    assert response.get("content-type") == "application/xml"
    assert response.body.startswith(b'<?xml version="1.0" encoding="UTF-8"?>')
    fields = response.error()
    assert list(fields)[:2] == ["Code", "Message"]
    assert {"Code", "Message", "Key", "Resource", "RequestId", "HostId"} <= fields.keys()
    assert fields["RequestId"] == response.get("x-amz-request-id")
    assert fields["Key"] == "absent <&>"


def test_a_no_content_response_has_no_body_and_no_length(address, module_bucket):
    with wire.Connection(address) as connection:
        for _ in range(2):
            connection.send(wire.prepare(address, "DELETE", f"/{module_bucket}/absent").head())
            response = connection.response()
            assert response.status == 204
            assert response.get("transfer-encoding") is None
            assert response.get("content-length") in (None, "0")


def test_the_admin_port_does_not_serve_objects_nor_the_s3_port_health(node, address):
    assert node.admin_get("/health/live")[0] == 200
    assert node.admin_get("/health/ready")[0] == 200
    status, metrics = node.admin_get("/metrics")
    assert status == 200 and "# TYPE" in metrics
    assert node.admin_get("/some-bucket/key")[0] == 404
    assert wire.send_plain(address, "GET", "/health/ready").status in (403, 404)
