"""aws-chunked bodies: all streaming payload forms, their trailers, and every way to break them."""

import pytest

from support import s3, sigv4, wire
from support.checksums import ALGORITHMS, checksum, header
from support.payload import KIB, MIB, etag, payload
from support.sigv4 import STREAMING_SIGNED, STREAMING_SIGNED_TRAILER, STREAMING_UNSIGNED_TRAILER

FORMS = [STREAMING_SIGNED, STREAMING_SIGNED_TRAILER, STREAMING_UNSIGNED_TRAILER]
TRAILER_FORMS = FORMS[1:]
SIGNED_FORMS = FORMS[:2]


class Upload:
    """One streaming PUT, ready to be broken before it is sent."""

    def __init__(self, address, bucket, form, content, *, trailers=(), announced=None, decoded=None, headers=None):
        self.address = address
        self.form = form
        self.content = content
        self.trailers = list(trailers)
        names = ",".join(name for name, _ in self.trailers) if announced is None else announced
        fields = {"content-encoding": "aws-chunked", **(headers or {})}
        length = str(len(content)) if decoded is None else decoded
        if length:
            fields["x-amz-decoded-content-length"] = length
        if names:
            fields["x-amz-trailer"] = names
        self.prepared = wire.prepare(address, "PUT", f"/{bucket}/k", headers=fields, payload_hash=form)

    @property
    def seed(self):
        """What chunk signatures continue from; none in the unsigned form."""
        return self.prepared.signature if self.form in SIGNED_FORMS else None

    def frame(self, chunk_bytes=64 * KIB) -> bytes:
        return sigv4.frame(self.content, self.seed, self.trailers, chunk_bytes)

    def send(self, body: bytes | None = None, *, http_chunked=False, pieces=None, end=False) -> wire.Response:
        """Sends the body (as framed unless given) with Content-Length or in HTTP chunks."""
        body = self.frame() if body is None else body
        if http_chunked:
            self.prepared.headers["transfer-encoding"] = "chunked"
            body = http_chunks(body, pieces or 100_000)
        else:
            self.prepared.headers["content-length"] = str(len(body))
        with wire.Connection(self.address) as connection:
            connection.send(self.prepared.head() + body)
            if end:
                connection.end_of_requests()
            return connection.response()


def http_chunks(body: bytes, piece: int) -> bytes:
    parts = [body[at : at + piece] for at in range(0, len(body), piece)]
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def trailer_for(form, content, algorithm="CRC32"):
    return [(header(algorithm), checksum(algorithm, content))] if form in TRAILER_FORMS else []


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("http_chunked", [False, True])
@pytest.mark.parametrize("size", [0, 1, 8191, 8192, 64 * KIB, 64 * KIB + 1, MIB, 3 * MIB + 5])
def test_every_form_and_size(address, client, bucket, form, http_chunked, size):
    content = payload(size)
    upload = Upload(address, bucket, form, content, trailers=trailer_for(form, content))
    response = upload.send(http_chunked=http_chunked)
    assert (response.status, response.get("etag")) == (200, etag(content))
    got = client.get_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert got["Body"].read() == content
    assert "ContentEncoding" not in got
    kept = "ChecksumCRC32" if form in TRAILER_FORMS else "ChecksumCRC64NVME"
    assert kept in got


@pytest.mark.parametrize("form", FORMS)
def test_framing_split_at_every_byte(address, client, bucket, form):
    content = payload(8200)
    upload = Upload(address, bucket, form, content, trailers=trailer_for(form, content))
    assert upload.send(upload.frame(8192), http_chunked=True, pieces=1).status == 200
    assert s3.body_of(client, bucket, "k") == content


@pytest.mark.parametrize("form", TRAILER_FORMS)
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_algorithm_as_a_trailer(address, client, bucket, form, algorithm):
    content = payload(100 * KIB)
    upload = Upload(address, bucket, form, content, trailers=trailer_for(form, content, algorithm))
    response = upload.send()
    assert response.status == 200
    assert response.get(header(algorithm)) == checksum(algorithm, content)


@pytest.mark.parametrize("chunk_bytes", [8 * KIB, 100_001, 4 * MIB])
def test_any_chunk_size_of_at_least_8_kib(address, client, bucket, chunk_bytes):
    content = payload(MIB + 3)
    upload = Upload(address, bucket, STREAMING_SIGNED, content)
    assert upload.send(upload.frame(chunk_bytes)).status == 200
    assert s3.body_of(client, bucket, "k") == content


def test_other_content_encodings_stay(address, client, bucket):
    upload = Upload(address, bucket, STREAMING_SIGNED, b"x", headers={"content-encoding": "aws-chunked,gzip"})
    assert upload.send().status == 200
    assert client.head_object(Bucket=bucket, Key="k")["ContentEncoding"] == "gzip"


def test_a_checksum_header_beside_the_stream_is_verified(address, client, bucket):
    content = payload(20 * KIB)
    right = Upload(address, bucket, STREAMING_SIGNED, content, headers={header("SHA256"): checksum("SHA256", content)})
    assert right.send().status == 200
    wrong = Upload(address, bucket, STREAMING_SIGNED, content, headers={header("SHA256"): checksum("SHA256", b"no")})
    assert wrong.send().refusal() == (400, "BadDigest")


@pytest.fixture
def unchanged(client, bucket):
    """After a refusal the old object stands as it was."""
    client.put_object(Bucket=bucket, Key="k", Body=b"old object")
    yield
    assert s3.body_of(client, bucket, "k") == b"old object"


@pytest.mark.parametrize("form", SIGNED_FORMS)
@pytest.mark.parametrize("chunk", [0, 1, 2])
def test_a_changed_chunk_is_refused(address, bucket, unchanged, form, chunk):
    content = payload(3 * 64 * KIB)
    upload = Upload(address, bucket, form, content, trailers=trailer_for(form, content))
    body = bytearray(upload.frame())
    at = body.find(content[chunk * 64 * KIB : chunk * 64 * KIB + 100]) + 50
    body[at] ^= 1
    assert upload.send(bytes(body)).refusal() == (403, "SignatureDoesNotMatch")


@pytest.mark.parametrize("form", SIGNED_FORMS)
def test_a_changed_chunk_signature_is_refused(address, bucket, unchanged, form):
    content = payload(2 * 64 * KIB)
    upload = Upload(address, bucket, form, content, trailers=trailer_for(form, content))
    first, marker, rest = upload.frame().partition(b"chunk-signature=")
    flipped = b"1" if rest[:1] != b"1" else b"2"
    assert upload.send(first + marker + flipped + rest[1:]).refusal() == (403, "SignatureDoesNotMatch")


def test_swapped_chunks_are_refused(address, bucket, unchanged):
    content = payload(2 * 64 * KIB)
    upload = Upload(address, bucket, STREAMING_SIGNED, content)
    framer = sigv4.ChunkFramer(upload.seed)
    one, two, end = framer.chunk(content[: 64 * KIB]), framer.chunk(content[64 * KIB :]), framer.chunk(b"")
    assert upload.send(two + one + end + b"\r\n").refusal() == (403, "SignatureDoesNotMatch")


def test_a_changed_final_chunk_signature_is_refused(address, bucket, unchanged):
    upload = Upload(address, bucket, STREAMING_SIGNED, payload(10))
    body = upload.frame()
    at = body.rindex(b"chunk-signature=") + len(b"chunk-signature=")
    body = body[:at] + (b"1" if body[at : at + 1] != b"1" else b"2") + body[at + 1 :]
    assert upload.send(body).refusal() == (403, "SignatureDoesNotMatch")


def test_a_missing_chunk_signature_is_refused(address, bucket, unchanged):
    upload = Upload(address, bucket, STREAMING_SIGNED, payload(10))
    response = upload.send(sigv4.frame(upload.content, None))
    assert response.status in (400, 403)


def test_a_changed_trailer_signature_is_refused(address, bucket, unchanged):
    content = payload(10)
    upload = Upload(address, bucket, STREAMING_SIGNED_TRAILER, content, trailers=trailer_for(FORMS[1], content))
    first, marker, rest = upload.frame().partition(b"x-amz-trailer-signature:")
    flipped = b"1" if rest[:1] != b"1" else b"2"
    assert upload.send(first + marker + flipped + rest[1:]).refusal() == (403, "SignatureDoesNotMatch")


def test_a_missing_trailer_signature_is_refused(address, bucket, unchanged):
    content = payload(10)
    upload = Upload(address, bucket, STREAMING_SIGNED_TRAILER, content, trailers=trailer_for(FORMS[1], content))
    body = upload.frame()
    body = body[: body.index(b"x-amz-trailer-signature:")] + b"\r\n"
    assert upload.send(body).status in (400, 403)


@pytest.mark.parametrize("form", TRAILER_FORMS)
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_wrong_trailing_checksum_is_refused(address, bucket, unchanged, form, algorithm):
    wrong = [(header(algorithm), checksum(algorithm, b"other"))]
    upload = Upload(address, bucket, form, payload(70 * KIB), trailers=wrong)
    assert upload.send().refusal() == (400, "BadDigest")


@pytest.mark.parametrize("form", TRAILER_FORMS)
@pytest.mark.parametrize("value", ["", "not base64!", "YQ=="])
def test_a_malformed_trailing_checksum_is_refused(address, bucket, unchanged, form, value):
    upload = Upload(address, bucket, form, payload(10), trailers=[("x-amz-checksum-crc32", value)])
    response = upload.send()
    assert response.status == 400
    assert response.error()["Code"] in ("InvalidRequest", "MalformedTrailerError")


@pytest.mark.parametrize("form", TRAILER_FORMS)
def test_a_trailer_that_was_not_announced_is_refused(address, bucket, unchanged, form):
    content = payload(10)
    crc = [("x-amz-checksum-crc32", checksum("CRC32", content))]
    for announced in ("", "x-amz-checksum-sha256"):
        upload = Upload(address, bucket, form, content, trailers=crc, announced=announced)
        response = upload.send()
        assert response.status == 400
        assert response.error()["Code"] in ("MalformedTrailerError", "InvalidRequest")


@pytest.mark.parametrize("form", TRAILER_FORMS)
def test_an_announced_trailer_that_does_not_come_is_refused(address, bucket, unchanged, form):
    upload = Upload(address, bucket, form, payload(10), announced="x-amz-checksum-crc32")
    response = upload.send()
    assert response.status == 400
    assert response.error()["Code"] in ("MalformedTrailerError", "IncompleteBody")


@pytest.mark.parametrize("form", TRAILER_FORMS)
def test_a_trailer_that_is_no_checksum_is_refused(address, bucket, unchanged, form):
    upload = Upload(address, bucket, form, payload(10), trailers=[("x-amz-meta-late", "1")])
    assert upload.send().refusal() == (400, "InvalidRequest")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("difference", [-1, 1, 100_000])
def test_a_wrong_decoded_length_is_refused(address, bucket, unchanged, form, difference):
    content = payload(100 * KIB)
    decoded = str(len(content) + difference)
    upload = Upload(address, bucket, form, content, trailers=trailer_for(form, content), decoded=decoded)
    assert upload.send().refusal() == (400, "IncompleteBody")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("decoded", ["", "many", "-1", "+5"])
def test_a_missing_or_bad_decoded_length_is_refused(address, bucket, unchanged, form, decoded):
    content = payload(10)
    upload = Upload(address, bucket, form, content, trailers=trailer_for(form, content), decoded=decoded)
    assert upload.send().refusal() == (411, "MissingContentLength")


@pytest.mark.parametrize("form", FORMS)
def test_a_small_chunk_that_is_not_the_last_is_refused(address, bucket, unchanged, form):
    content = payload(20 * KIB)
    upload = Upload(address, bucket, form, content, trailers=trailer_for(form, content))
    response = upload.send(upload.frame(8191))
    assert response.refusal() == (400, "InvalidChunkSizeError")


@pytest.mark.parametrize(
    "broken",
    [
        b"zz\r\n0123456789\r\n0\r\n\r\n",
        b"\r\n0123456789\r\n0\r\n\r\n",
        b"-a\r\n0123456789\r\n0\r\n\r\n",
        b"a\n0123456789\n0\n\n",
        b"a\r\n0123456789XX0\r\n\r\n",
        b"ffffffffffffffffff\r\n0123456789\r\n0\r\n\r\n",
        b"a" * 3000,
        b"a\r\n01234",
        b"a\r\n0123456789\r\n",
    ],
)
def test_broken_framing_is_refused(address, bucket, unchanged, broken):
    upload = Upload(address, bucket, STREAMING_UNSIGNED_TRAILER, payload(10), announced="x-amz-checksum-crc32")
    assert upload.send(broken, end=True).refusal() == (400, "IncompleteBody")


def test_bytes_after_the_last_chunk_are_refused(address, bucket, unchanged):
    content = payload(10)
    upload = Upload(address, bucket, FORMS[2], content, trailers=trailer_for(FORMS[2], content))
    assert upload.send(upload.frame() + b"more").status == 400


@pytest.mark.parametrize("form", FORMS)
def test_streaming_is_for_uploads_alone(address, bucket, form):
    body = b"<CreateBucketConfiguration/>"
    for method, path in (("GET", f"/{bucket}"), ("PUT", "/" + s3.new_bucket_name()), ("DELETE", f"/{bucket}/k")):
        headers = {"x-amz-decoded-content-length": str(len(body))}
        response = wire.call(address, method, path, headers=headers, payload_hash=form)
        assert response.refusal() == (400, "InvalidRequest")


def test_sigv4a_streaming_is_refused(address, bucket):
    form = "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD"
    headers = {"x-amz-decoded-content-length": "0"}
    response = wire.call(address, "PUT", f"/{bucket}/k", headers=headers, payload_hash=form)
    assert response.status in (400, 501)
