"""boto3 over https through HAProxy: there it frames bodies as aws-chunked with a trailing checksum."""

import io

import pytest
from boto3.s3.transfer import TransferConfig

from support import checksums, s3
from support.accounts import MAIN, Account
from support.payload import EDGE_SIZES, KIB, MIB, etag, payload
from support.s3 import refused
from support.server import RUN_DIRECTORY
from support.tls_proxy import TlsProxy


@pytest.fixture(scope="module")
def proxy(node):
    running = TlsProxy(RUN_DIRECTORY / "tls", node.port)
    yield running
    running.stop()


@pytest.fixture(scope="module")
def tls_client(proxy):
    return s3.make_client(proxy.endpoint, MAIN, verify=str(proxy.certificate))


@pytest.mark.parametrize("size", EDGE_SIZES)
def test_bytes_of_every_size(tls_client, bucket, size):
    content = payload(size)
    put = tls_client.put_object(Bucket=bucket, Key="k", Body=content)
    assert put["ETag"] == etag(content)
    got = tls_client.get_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert got["ChecksumCRC32"] == checksums.checksum("CRC32", content)
    assert "ContentEncoding" not in got
    assert got["Body"].read() == content


@pytest.mark.parametrize("size", [0, 1, 64 * KIB + 1, 8 * MIB])
def test_file_like_bodies(tls_client, bucket, size):
    content = payload(size, seed=1)
    tls_client.put_object(Bucket=bucket, Key="k", Body=io.BytesIO(content))
    assert s3.body_of(tls_client, bucket, "k") == content


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_upload_and_download_of_files(client, tls_client, bucket, scheme, tmp_path):
    chosen = tls_client if scheme == "https" else client
    content = payload(5 * MIB + 7, seed=2)
    one_part = TransferConfig(multipart_threshold=64 * MIB)
    (tmp_path / "up").write_bytes(content)
    chosen.upload_file(str(tmp_path / "up"), bucket, "k", Config=one_part, ExtraArgs={"Metadata": {"a": "1"}})
    chosen.download_file(bucket, "k", str(tmp_path / "down"), Config=one_part)
    assert (tmp_path / "down").read_bytes() == content
    chosen.upload_fileobj(io.BytesIO(content), bucket, "k2", Config=one_part)
    target = io.BytesIO()
    chosen.download_fileobj(bucket, "k2", target, Config=one_part)
    assert target.getvalue() == content


@pytest.mark.parametrize("algorithm", checksums.ALGORITHMS)
def test_every_trailing_checksum(tls_client, bucket, algorithm):
    content = payload(200 * KIB)
    put = tls_client.put_object(Bucket=bucket, Key="k", Body=content, ChecksumAlgorithm=algorithm)
    assert put[checksums.member(algorithm)] == checksums.checksum(algorithm, content)
    assert s3.body_of(tls_client, bucket, "k", ChecksumMode="ENABLED") == content


def test_metadata_and_encoding_survive_the_framing(tls_client, bucket):
    tls_client.put_object(
        Bucket=bucket, Key="k", Body=b"zipped", ContentEncoding="gzip", ContentType="text/x", Metadata={"a": "b"}
    )
    headed = tls_client.head_object(Bucket=bucket, Key="k")
    assert (headed["ContentEncoding"], headed["ContentType"], headed["Metadata"]) == ("gzip", "text/x", {"a": "b"})


def test_ranges_listing_and_deletion(tls_client, bucket):
    content = payload(MIB)
    for key in ("a+b c/é", "z"):
        tls_client.put_object(Bucket=bucket, Key=key, Body=content)
    assert s3.body_of(tls_client, bucket, "z", Range="bytes=65000-66000") == content[65000:66001]
    assert s3.all_keys(tls_client, bucket) == ["a+b c/é", "z"]
    answer = tls_client.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "a+b c/é"}, {"Key": "z"}]})
    assert len(answer["Deleted"]) == 2


def test_refusals_arrive_through_the_proxy(proxy, bucket):
    # The server ends a connection whose body it refused; the proxy may pass that on a moment after
    # the SDK took the connection from its pool again. Clients retry that, so these do.
    options = {"verify": str(proxy.certificate), "retries": {"total_max_attempts": 3}}
    tls_client = s3.make_client(proxy.endpoint, MAIN, **options)
    wrong = s3.make_client(proxy.endpoint, Account(MAIN.access_key, "no", "", ""), **options)
    with refused(403, "SignatureDoesNotMatch"):
        wrong.put_object(Bucket=bucket, Key="k", Body=payload(MIB))
    # A refusal before the body closes the connection behind the proxy, so each gets a client of its own.
    fresh = s3.make_client(proxy.endpoint, MAIN, verify=str(proxy.certificate))
    with refused(404, "NoSuchBucket"):
        fresh.put_object(Bucket=s3.new_bucket_name("missing"), Key="k", Body=payload(MIB))
    with refused(400, "BadDigest"):
        tls_client.put_object(Bucket=bucket, Key="k", Body=payload(MIB), ContentMD5=checksums.content_md5(b"other"))
    assert not s3.exists(tls_client, bucket, "k")
