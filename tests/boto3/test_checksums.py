"""The five object checksums: verified on PUT, stored, told on request."""

import pytest

from support import checksums, s3, wire
from support.checksums import ALGORITHMS, checksum, header, member
from support.payload import KIB, payload
from support.s3 import refused

OTHER_HEADERS = ["x-amz-checksum-sha512", "x-amz-checksum-md5", "x-amz-checksum-xxhash64"]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("size", [0, 9, 70 * KIB, 600 * KIB])
def test_a_right_checksum_is_echoed_and_kept(client, bucket, algorithm, size):
    content = payload(size)
    value = checksum(algorithm, content)
    put = client.put_object(Bucket=bucket, Key="k", Body=content, **{member(algorithm): value})
    assert put[member(algorithm)] == value and put["ChecksumType"] == "FULL_OBJECT"
    for read in (client.get_object, client.head_object):
        answer = read(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
        assert answer[member(algorithm)] == value and answer["ChecksumType"] == "FULL_OBJECT"
        others = [member(other) for other in ALGORITHMS if other != algorithm]
        assert not any(other in answer for other in others)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("size", [9, 600 * KIB])
def test_a_wrong_checksum_is_refused_and_nothing_is_stored(client, bucket, algorithm, size):
    with refused(400, "BadDigest"):
        client.put_object(
            Bucket=bucket, Key="k", Body=payload(size), **{member(algorithm): checksum(algorithm, b"other")}
        )
    assert not s3.exists(client, bucket, "k")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_sdk_computes_and_the_server_agrees(client, bucket, algorithm):
    content = payload(100 * KIB)
    put = client.put_object(Bucket=bucket, Key="k", Body=content, ChecksumAlgorithm=algorithm)
    assert put[member(algorithm)] == checksum(algorithm, content)
    assert s3.body_of(client, bucket, "k", ChecksumMode="ENABLED") == content


@pytest.mark.parametrize("size", [0, 5, 300 * KIB])
def test_without_a_checksum_crc64nvme_is_computed(address, bucket, size):
    content = payload(size)
    put = wire.call(address, "PUT", f"/{bucket}/k", body=content)
    assert put.get("x-amz-checksum-crc64nvme") == checksum("CRC64NVME", content)
    got = wire.call(address, "GET", f"/{bucket}/k", headers={"x-amz-checksum-mode": "ENABLED"})
    assert got.get("x-amz-checksum-crc64nvme") == checksum("CRC64NVME", content)
    assert got.get("x-amz-checksum-type") == "FULL_OBJECT"


def test_checksums_are_told_only_when_asked_and_never_for_a_range(address, client, bucket):
    client.put_object(Bucket=bucket, Key="k", Body=b"hello", ChecksumAlgorithm="CRC32")
    path = f"/{bucket}/k"
    assert wire.call(address, "GET", path).get("x-amz-checksum-crc32") is None
    asked = {"x-amz-checksum-mode": "ENABLED"}
    assert wire.call(address, "GET", path, headers=asked).get("x-amz-checksum-crc32") == "NhCmhg=="
    part = wire.call(address, "GET", path, headers={**asked, "range": "bytes=0-1"})
    assert part.status == 206 and part.get("x-amz-checksum-crc32") is None


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("value", ["", "not base64!", "YQ=="])
def test_a_malformed_checksum_is_refused(address, bucket, algorithm, value):
    response = wire.call(address, "PUT", f"/{bucket}/k", body=b"x", headers={header(algorithm): value})
    assert response.refusal() == (400, "InvalidRequest")
    assert wire.call(address, "HEAD", f"/{bucket}/k").status == 404


def test_two_checksums_are_refused(address, bucket):
    headers = {header(name): checksum(name, b"x") for name in ("CRC32", "SHA256")}
    response = wire.call(address, "PUT", f"/{bucket}/k", body=b"x", headers=headers)
    assert response.refusal() == (400, "InvalidRequest")


@pytest.mark.parametrize("name", OTHER_HEADERS)
def test_an_unsupported_algorithm_is_refused_not_ignored(address, bucket, name):
    response = wire.call(address, "PUT", f"/{bucket}/k", body=b"x", headers={name: "AAAA"})
    assert response.refusal() == (400, "InvalidRequest")


def test_a_named_algorithm_without_its_checksum_is_refused(address, bucket):
    headers = {"x-amz-sdk-checksum-algorithm": "CRC32"}
    response = wire.call(address, "PUT", f"/{bucket}/k", body=b"x", headers=headers)
    assert response.refusal() == (400, "InvalidRequest")


def test_a_named_algorithm_with_another_checksum_is_refused(address, bucket):
    headers = {"x-amz-sdk-checksum-algorithm": "CRC32", header("SHA1"): checksum("SHA1", b"x")}
    response = wire.call(address, "PUT", f"/{bucket}/k", body=b"x", headers=headers)
    assert response.refusal() == (400, "InvalidRequest")


def test_md5_and_checksum_are_judged_apart(address, bucket):
    right = {"content-md5": checksums.content_md5(b"x"), header("CRC32C"): checksum("CRC32C", b"x")}
    assert wire.call(address, "PUT", f"/{bucket}/k", body=b"x", headers=right).status == 200
    for name, value in (("content-md5", checksums.content_md5(b"y")), (header("CRC32C"), checksum("CRC32C", b"y"))):
        response = wire.call(address, "PUT", f"/{bucket}/k", body=b"x", headers={**right, name: value})
        assert response.refusal() == (400, "BadDigest")


def test_listings_tell_algorithm_and_type(client, bucket):
    for algorithm in ALGORITHMS:
        client.put_object(Bucket=bucket, Key=algorithm, Body=b"x", ChecksumAlgorithm=algorithm)
    entries = client.list_objects_v2(Bucket=bucket)["Contents"]
    told = {entry["Key"]: (entry["ChecksumAlgorithm"], entry["ChecksumType"]) for entry in entries}
    assert told == {algorithm: ([algorithm], "FULL_OBJECT") for algorithm in ALGORITHMS}
