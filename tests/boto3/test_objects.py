"""PutObject, GetObject and HeadObject: bytes, metadata, system headers, Content-MD5, overrides."""

import pytest

from support import checksums, s3, wire
from support.payload import EDGE_SIZES, KIB, MIB, etag, payload
from support.s3 import refused


@pytest.mark.parametrize("size", EDGE_SIZES)
def test_every_size_comes_back_byte_for_byte(client, bucket, size):
    content = payload(size)
    put = client.put_object(Bucket=bucket, Key="k", Body=content)
    assert put["ETag"] == etag(content)
    got = client.get_object(Bucket=bucket, Key="k")
    assert got["ContentLength"] == size and got["ETag"] == etag(content)
    assert got["Body"].read() == content
    headed = client.head_object(Bucket=bucket, Key="k")
    assert headed["ContentLength"] == size and headed["ETag"] == etag(content)


def test_the_answers_carry_the_standing_headers(client, address, bucket):
    client.put_object(Bucket=bucket, Key="k", Body=b"body")
    for method in ("GET", "HEAD"):
        response = wire.call(address, method, f"/{bucket}/k")
        assert response.get("content-type") == "binary/octet-stream"
        assert response.get("accept-ranges") == "bytes"
        assert response.get("content-length") == "4"
        assert response.get("etag") == etag(b"body")
        assert response.get("last-modified").endswith(" GMT")
        assert response.get("x-amz-storage-class") is None
        assert response.get("x-amz-version-id") is None
        assert len(response.get("x-amz-request-id")) == 16
        assert response.get("date") and response.get("server")


def test_put_answers_with_an_empty_body(address, bucket):
    response = wire.call(address, "PUT", f"/{bucket}/k", body=b"x")
    assert (response.status, response.body) == (200, b"")
    assert response.get("etag") == etag(b"x")


def test_an_upload_after_an_empty_one_on_the_same_connection(client, bucket):
    for _ in range(5):
        client.put_object(Bucket=bucket, Key="empty", Body=b"")
        client.put_object(Bucket=bucket, Key="full", Body=payload(100 * KIB))
        assert s3.body_of(client, bucket, "empty") == b""


def test_overwrite_replaces_bytes_and_metadata(client, bucket):
    client.put_object(Bucket=bucket, Key="k", Body=payload(300 * KIB), Metadata={"old": "1"}, ContentType="text/old")
    client.put_object(Bucket=bucket, Key="k", Body=b"new", Metadata={"new": "2"})
    got = client.get_object(Bucket=bucket, Key="k")
    assert got["Body"].read() == b"new"
    assert got["Metadata"] == {"new": "2"} and got["ContentType"] == "binary/octet-stream"


@pytest.mark.parametrize("big, small", [(MIB, 10), (10, MIB), (20 * KIB, 20 * KIB)])
def test_overwrite_across_the_inline_limit(client, bucket, big, small):
    for seed, size in enumerate((big, small, big)):
        content = payload(size, seed)
        client.put_object(Bucket=bucket, Key="k", Body=content)
        assert s3.body_of(client, bucket, "k") == content


def test_user_metadata_comes_back_in_lower_case(client, bucket):
    client.put_object(Bucket=bucket, Key="k", Body=b"x", Metadata={"Mixed-Case": "Value With Case", "n": "1"})
    assert client.head_object(Bucket=bucket, Key="k")["Metadata"] == {"mixed-case": "Value With Case", "n": "1"}


def test_repeated_metadata_is_joined_by_a_comma(address, bucket):
    prepared = wire.prepare(address, "PUT", f"/{bucket}/k", body_bytes=0, headers={"x-amz-meta-k": "one,two"})
    del prepared.headers["x-amz-meta-k"]
    head = prepared.head().replace(b"\r\n\r\n", b"\r\nx-amz-meta-k: one\r\nx-amz-meta-k: two\r\n\r\n")
    with wire.Connection(address) as connection:
        connection.send(head)
        assert connection.response().status == 200
    assert wire.call(address, "HEAD", f"/{bucket}/k").get("x-amz-meta-k") == "one,two"


def test_unicode_metadata_survives(address, bucket):
    value = "größe ☃"
    headers = {"x-amz-meta-name": value}
    assert wire.call(address, "PUT", f"/{bucket}/k", body=b"x", headers=headers).status == 200
    raw = wire.call(address, "HEAD", f"/{bucket}/k").get("x-amz-meta-name")
    if raw.startswith("=?UTF-8?"):
        from email.header import decode_header, make_header

        assert str(make_header(decode_header(raw))) == value
    else:
        assert raw.encode("latin-1").decode() == value


def test_metadata_up_to_2048_bytes_is_kept_and_more_is_refused(client, bucket):
    client.put_object(Bucket=bucket, Key="k", Body=b"x", Metadata={"name": "v" * 2044})
    assert client.head_object(Bucket=bucket, Key="k")["Metadata"] == {"name": "v" * 2044}
    with refused(400, "MetadataTooLarge"):
        client.put_object(Bucket=bucket, Key="k", Body=b"y", Metadata={"name": "v" * 2045})
    assert s3.body_of(client, bucket, "k") == b"x"


def test_system_headers_come_back_verbatim(address, bucket):
    headers = {
        "cache-control": "max-age=3600, must-revalidate",
        "content-disposition": 'attachment; filename="a b.txt"',
        "content-encoding": "gzip",
        "content-language": "de-AT, en",
        "content-type": "text/plain; charset=utf-8",
        "expires": "Wed, 21 Oct 2015 07:28:00 GMT",
    }
    assert wire.call(address, "PUT", f"/{bucket}/k", body=b"x", headers=headers).status == 200
    for method in ("GET", "HEAD"):
        response = wire.call(address, method, f"/{bucket}/k")
        assert {name: response.get(name) for name in headers} == headers


@pytest.mark.parametrize("value", ["0", "tomorrow", "2026-01-01"])
def test_an_invalid_expires_comes_back_as_sent(address, bucket, value):
    assert wire.call(address, "PUT", f"/{bucket}/k", body=b"x", headers={"expires": value}).status == 200
    assert wire.call(address, "GET", f"/{bucket}/k").get("expires") == value


@pytest.mark.parametrize(
    "sent, stored", [("aws-chunked", None), ("aws-chunked,gzip", "gzip"), ("gzip", "gzip"), ("identity", "identity")]
)
def test_aws_chunked_is_never_stored_as_content_encoding(address, bucket, sent, stored):
    # Without a STREAMING payload hash this is a plain body.
    headers = {"content-encoding": sent}
    assert wire.call(address, "PUT", f"/{bucket}/k", body=b"plain", headers=headers).status == 200
    response = wire.call(address, "GET", f"/{bucket}/k")
    assert (response.get("content-encoding"), response.body) == (stored, b"plain")


def test_accept_encoding_never_compresses(address, client, bucket):
    client.put_object(Bucket=bucket, Key="k", Body=b"a" * 5000)
    response = wire.call(address, "GET", f"/{bucket}/k", headers={"accept-encoding": "gzip, deflate"})
    assert response.body == b"a" * 5000 and response.get("content-encoding") is None


def test_storage_class_standard_is_accepted(client, bucket):
    client.put_object(Bucket=bucket, Key="k", Body=b"x", StorageClass="STANDARD")
    assert "StorageClass" not in client.head_object(Bucket=bucket, Key="k")


def test_a_right_content_md5_is_accepted(client, bucket):
    client.put_object(Bucket=bucket, Key="k", Body=b"x", ContentMD5=checksums.content_md5(b"x"))
    assert s3.body_of(client, bucket, "k") == b"x"


@pytest.mark.parametrize("size", [5, 300 * KIB])
def test_a_wrong_content_md5_is_refused_and_nothing_changes(client, bucket, size):
    client.put_object(Bucket=bucket, Key="k", Body=b"before")
    with refused(400, "BadDigest"):
        client.put_object(Bucket=bucket, Key="k", Body=payload(size), ContentMD5=checksums.content_md5(b"other"))
    assert s3.body_of(client, bucket, "k") == b"before"


@pytest.mark.parametrize("value", ["", "not base64!", "YWJj", "1B2M2Y8AsgTpgAmY7PhCfg"])
def test_a_malformed_content_md5_is_refused(address, client, bucket, value):
    response = wire.call(address, "PUT", f"/{bucket}/k", body=b"x", headers={"content-md5": value})
    assert response.refusal() == (400, "InvalidDigest")
    assert not s3.exists(client, bucket, "k")


def test_a_put_without_a_length_is_refused(address, bucket):
    prepared = wire.prepare(address, "PUT", f"/{bucket}/k")
    with wire.Connection(address) as connection:
        connection.send(prepared.head())
        assert connection.response().refusal() == (411, "MissingContentLength")


def test_a_put_larger_than_five_gib_is_refused_before_the_body(address, bucket):
    prepared = wire.prepare(address, "PUT", f"/{bucket}/k", body_bytes=5 * 1024**3 + 1)
    with wire.Connection(address) as connection:
        connection.send(prepared.head())
        assert connection.response().refusal() == (400, "EntityTooLarge")


def test_put_into_a_missing_bucket_is_refused(client):
    with refused(404, "NoSuchBucket"):
        client.put_object(Bucket=s3.new_bucket_name("missing"), Key="k", Body=b"x")


def test_get_of_a_missing_key_names_it(client, bucket):
    with refused(404, "NoSuchKey") as caught:
        client.get_object(Bucket=bucket, Key="not here")
    assert caught.value.response["Error"]["Key"] == "not here"
    with refused(404, "404"):
        client.head_object(Bucket=bucket, Key="not here")


OVERRIDES = {
    "response-cache-control": ("cache-control", "no-cache"),
    "response-content-disposition": ("content-disposition", 'attachment; filename="x.bin"'),
    "response-content-encoding": ("content-encoding", "br"),
    "response-content-language": ("content-language", "fr"),
    "response-content-type": ("content-type", "text/html; charset=utf-8"),
    "response-expires": ("expires", "Thu, 01 Dec 2033 16:00:00 GMT"),
}


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_response_overrides_replace_the_stored_headers(address, client, bucket, method):
    client.put_object(Bucket=bucket, Key="k", Body=b"0123456789", ContentType="text/plain", CacheControl="private")
    query = [(parameter, value) for parameter, (_, value) in OVERRIDES.items()]
    whole = wire.call(address, method, f"/{bucket}/k", query=query)
    part = wire.call(address, method, f"/{bucket}/k", query=query, headers={"range": "bytes=2-3"})
    assert (whole.status, part.status) == (200, 206)
    for response in (whole, part):
        for header, value in OVERRIDES.values():
            assert response.get(header) == value


def test_response_overrides_do_not_apply_to_errors(address, bucket):
    query = [("response-content-type", "text/html")]
    assert wire.call(address, "GET", f"/{bucket}/absent", query=query).get("content-type") == "application/xml"


def test_an_override_cannot_inject_a_header(address, client, bucket):
    client.put_object(Bucket=bucket, Key="k", Body=b"x")
    query = [("response-content-type", "text/html\r\nx-injected: yes")]
    response = wire.call(address, "GET", f"/{bucket}/k", query=query)
    assert response.get("x-injected") is None


def test_unknown_query_parameters_are_ignored(address, bucket):
    path = f"/{bucket}/k"
    assert wire.call(address, "PUT", path, body=b"x", query=[("x-id", "PutObject")]).status == 200
    assert wire.call(address, "GET", path, query=[("x-id", "GetObject")]).body == b"x"


@pytest.mark.parametrize("value", ["no-cache", "no-store"])
def test_cache_directives_of_a_get_are_ignored(address, client, bucket, value):
    client.put_object(Bucket=bucket, Key="k", Body=b"x")
    assert wire.call(address, "GET", f"/{bucket}/k", headers={"cache-control": value}).body == b"x"
