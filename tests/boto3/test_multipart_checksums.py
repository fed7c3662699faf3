"""Checksums of multipart uploads: of parts, composite, of the whole object; each computed here as well."""

import pytest

from support import checksums, multipart, s3, sigv4, wire
from support.checksums import ALGORITHMS, checksum, digest, header, member
from support.multipart import MIN_PART
from support.payload import KIB, payload
from support.s3 import refused

COMPOSITE, FULL_OBJECT = "COMPOSITE", "FULL_OBJECT"
# Algorithm, the type asked for, the type that results.
KINDS = [
    ("CRC32", None, COMPOSITE),
    ("CRC32", COMPOSITE, COMPOSITE),
    ("CRC32", FULL_OBJECT, FULL_OBJECT),
    ("CRC32C", None, COMPOSITE),
    ("CRC32C", COMPOSITE, COMPOSITE),
    ("CRC32C", FULL_OBJECT, FULL_OBJECT),
    ("CRC64NVME", None, FULL_OBJECT),
    ("CRC64NVME", FULL_OBJECT, FULL_OBJECT),
    ("SHA1", None, COMPOSITE),
    ("SHA1", COMPOSITE, COMPOSITE),
    ("SHA256", None, COMPOSITE),
    ("SHA256", COMPOSITE, COMPOSITE),
]
COMPOSITE_KINDS = ["CRC32", "CRC32C", "SHA1", "SHA256"]
CONTENTS = [payload(MIN_PART, 1), payload(70 * KIB + 1, 2)]


def composite(algorithm: str, contents: list[bytes]) -> str:
    """Without the number of parts."""
    return checksum(algorithm, b"".join(digest(algorithm, content) for content in contents))


def of_object(algorithm: str, kind: str, contents: list[bytes]) -> str:
    if kind == FULL_OBJECT:
        return checksum(algorithm, b"".join(contents))
    return f"{composite(algorithm, contents)}-{len(contents)}"


def creation(algorithm: str, kind: str | None) -> dict:
    return {"ChecksumAlgorithm": algorithm, **({"ChecksumType": kind} if kind else {})}


def put_parts(client, bucket, upload, algorithm, contents) -> list[dict]:
    """Uploads the parts with their checksums, which must come back."""
    parts = []
    for number, content in enumerate(contents, 1):
        value = {member(algorithm): checksum(algorithm, content)}
        answer = client.upload_part(
            Bucket=bucket, Key="k", UploadId=upload, PartNumber=number, Body=content, **value
        )
        assert answer[member(algorithm)] == value[member(algorithm)]
        parts.append({"PartNumber": number, "ETag": answer["ETag"], **value})
    return parts


def refuse_complete(address, bucket, upload, parts, headers=None):
    body = multipart.document(parts)
    response = wire.call(address, "POST", f"/{bucket}/k", query=[("uploadId", upload)], body=body, headers=headers)
    assert response.status == 400
    return response.error()["Code"]


@pytest.mark.parametrize("algorithm, asked, kind", KINDS)
def test_checksums_from_creation_to_reading(client, bucket, algorithm, asked, kind):
    created = client.create_multipart_upload(Bucket=bucket, Key="k", **creation(algorithm, asked))
    assert (created["ChecksumAlgorithm"], created["ChecksumType"]) == (algorithm, kind)
    upload = created["UploadId"]
    parts = put_parts(client, bucket, upload, algorithm, CONTENTS)
    listed = client.list_parts(Bucket=bucket, Key="k", UploadId=upload)
    assert (listed["ChecksumAlgorithm"], listed["ChecksumType"]) == (algorithm, kind)
    assert [part[member(algorithm)] for part in listed["Parts"]] == [checksum(algorithm, part) for part in CONTENTS]
    expected = of_object(algorithm, kind, CONTENTS)
    answer = multipart.complete(client, bucket, "k", upload, parts)
    assert (answer[member(algorithm)], answer["ChecksumType"]) == (expected, kind)
    for read in (client.head_object, client.get_object):
        told = read(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
        assert (told[member(algorithm)], told["ChecksumType"]) == (expected, kind)
        assert not any(member(other) in told for other in ALGORITHMS if other != algorithm)
    (entry,) = client.list_objects_v2(Bucket=bucket)["Contents"]
    assert (entry["ChecksumAlgorithm"], entry["ChecksumType"]) == ([algorithm], kind)
    wanted = ["Checksum", "ObjectParts"]
    told = client.get_object_attributes(Bucket=bucket, Key="k", ObjectAttributes=wanted)
    # The number of parts does not stand behind the value here.
    assert told["Checksum"] == {member(algorithm): expected.removesuffix("-2"), "ChecksumType": kind}
    assert told["ObjectParts"]["TotalPartsCount"] == 2
    if kind == COMPOSITE:
        values = [part[member(algorithm)] for part in told["ObjectParts"]["Parts"]]
        assert values == [checksum(algorithm, part) for part in CONTENTS]


@pytest.mark.parametrize(
    "tail", [b"", b"x", payload(65_503), payload(65_504), payload(MIN_PART + 7, 9)], ids=lambda tail: str(len(tail))
)
@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "CRC64NVME"])
def test_the_whole_is_computed_from_parts_of_any_length(client, bucket, algorithm, tail):
    contents = [CONTENTS[0], tail]
    upload = multipart.begin(client, bucket, "k", **creation(algorithm, FULL_OBJECT))
    parts = put_parts(client, bucket, upload, algorithm, contents)
    answer = multipart.complete(client, bucket, "k", upload, parts)
    assert answer[member(algorithm)] == checksum(algorithm, b"".join(contents))


def test_without_an_algorithm_the_whole_gets_a_crc64nvme(client, bucket):
    """The SDK then sends a CRC32 with each part of an upload that declared none."""
    answer = multipart.store(client, bucket, "k", CONTENTS)
    expected = checksum("CRC64NVME", b"".join(CONTENTS))
    assert (answer["ChecksumCRC64NVME"], answer["ChecksumType"]) == (expected, FULL_OBJECT)
    head = client.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert (head["ChecksumCRC64NVME"], head["ChecksumType"]) == (expected, FULL_OBJECT)
    assert "ChecksumCRC32" not in head


def test_parts_without_any_checksum_get_one_all_the_same(address, client, bucket):
    upload = multipart.begin(client, bucket, "k")
    query = [("partNumber", "1"), ("uploadId", upload)]
    part = wire.call(address, "PUT", f"/{bucket}/k", query=query, body=b"hello")
    answer = multipart.complete(client, bucket, "k", upload, [{"PartNumber": 1, "ETag": part.get("etag")}])
    assert answer["ChecksumCRC64NVME"] == "M3eFcAZSQlc="


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "CRC64NVME"])
def test_a_part_may_come_without_its_checksum_where_the_whole_has_one(address, client, bucket, algorithm):
    upload = multipart.begin(client, bucket, "k", **creation(algorithm, FULL_OBJECT))
    part = wire.call(
        address, "PUT", f"/{bucket}/k", query=[("partNumber", "1"), ("uploadId", upload)], body=b"hello"
    )
    assert part.status == 200
    answer = multipart.complete(client, bucket, "k", upload, [{"PartNumber": 1, "ETag": part.get("etag")}])
    assert answer[member(algorithm)] == checksum(algorithm, b"hello")


@pytest.mark.parametrize(
    "headers",
    [
        {"x-amz-checksum-algorithm": "SHA1", "x-amz-checksum-type": "FULL_OBJECT"},
        {"x-amz-checksum-algorithm": "SHA256", "x-amz-checksum-type": "FULL_OBJECT"},
        {"x-amz-checksum-algorithm": "CRC64NVME", "x-amz-checksum-type": "COMPOSITE"},
        {"x-amz-checksum-type": "COMPOSITE"},
        {"x-amz-checksum-type": "FULL_OBJECT"},
        {"x-amz-checksum-algorithm": "CRC32", "x-amz-checksum-type": "OTHER"},
        {"x-amz-checksum-algorithm": "MD5"},
        {"x-amz-checksum-algorithm": "SHA512"},
        {"x-amz-checksum-algorithm": "XXHASH64"},
    ],
)
def test_an_upload_of_an_impossible_checksum_is_refused(address, client, bucket, headers):
    response = wire.call(address, "POST", f"/{bucket}/k", query=[("uploads", "")], headers=headers)
    assert response.refusal() == (400, "InvalidRequest")
    assert "Uploads" not in client.list_multipart_uploads(Bucket=bucket)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_part_with_a_wrong_checksum_is_not_kept(client, bucket, algorithm):
    upload = multipart.begin(client, bucket, "k", ChecksumAlgorithm=algorithm)
    wrong = {member(algorithm): checksum(algorithm, b"other")}
    for content in (b"small", payload(200 * KIB)):
        with refused(400, "BadDigest"):
            multipart.put_part(client, bucket, "k", upload, 1, content, **wrong)
    assert multipart.listed(client, bucket, "k", upload) == []


@pytest.mark.parametrize("algorithm, other", [("SHA256", "CRC32"), ("CRC32", "CRC32C"), ("CRC64NVME", "SHA1")])
def test_a_part_of_another_algorithm_is_refused(client, bucket, algorithm, other):
    upload = multipart.begin(client, bucket, "k", ChecksumAlgorithm=algorithm)
    with refused(400, "InvalidRequest"):
        multipart.put_part(client, bucket, "k", upload, 1, b"x", **{member(other): checksum(other, b"x")})
    assert multipart.listed(client, bucket, "k", upload) == []


@pytest.mark.parametrize("algorithm", COMPOSITE_KINDS)
def test_a_composite_upload_wants_a_checksum_with_each_part(address, client, bucket, algorithm):
    upload = multipart.begin(client, bucket, "k", ChecksumAlgorithm=algorithm)
    query = [("partNumber", "1"), ("uploadId", upload)]
    response = wire.call(address, "PUT", f"/{bucket}/k", query=query, body=b"x")
    assert response.refusal() == (400, "InvalidRequest")


def test_a_part_may_bring_its_checksum_in_a_trailer(address, client, bucket):
    upload = multipart.begin(client, bucket, "k", ChecksumAlgorithm="SHA256")
    content = payload(100 * KIB)
    form = sigv4.STREAMING_UNSIGNED_TRAILER
    headers = {"x-amz-decoded-content-length": str(len(content)), "x-amz-trailer": "x-amz-checksum-sha256"}
    headers["content-encoding"] = "aws-chunked"
    body = sigv4.frame(content, None, [("x-amz-checksum-sha256", checksum("SHA256", content))])
    query = [("partNumber", "1"), ("uploadId", upload)]
    part = wire.call(address, "PUT", f"/{bucket}/k", query=query, headers=headers, body=body, payload_hash=form)
    assert part.get("x-amz-checksum-sha256") == checksum("SHA256", content)
    named = {"PartNumber": 1, "ETag": part.get("etag"), "ChecksumSHA256": checksum("SHA256", content)}
    answer = multipart.complete(client, bucket, "k", upload, [named])
    assert answer["ChecksumSHA256"] == composite("SHA256", [content]) + "-1"
    assert s3.body_of(client, bucket, "k") == content


@pytest.fixture(params=COMPOSITE_KINDS)
def uploaded(request, client, bucket):
    """Algorithm, upload and parts of a composite upload before its completion."""
    upload = multipart.begin(client, bucket, "k", ChecksumAlgorithm=request.param)
    return request.param, upload, put_parts(client, bucket, upload, request.param, [b"hello"])


def test_complete_of_a_composite_upload_names_the_checksums(address, client, bucket, uploaded):
    algorithm, upload, (part,) = uploaded
    other = "SHA256" if algorithm != "SHA256" else "CRC32"
    bare = {"PartNumber": 1, "ETag": part["ETag"]}
    assert refuse_complete(address, bucket, upload, [bare]) == "InvalidRequest"
    named = {**bare, member(other): checksum(other, b"hello")}
    assert refuse_complete(address, bucket, upload, [named]) in ("BadDigest", "InvalidRequest")
    named = {**bare, member(algorithm): checksum(algorithm, b"other")}
    assert refuse_complete(address, bucket, upload, [named]) == "InvalidPart"
    named = {**bare, member(algorithm): "not base64!"}
    assert refuse_complete(address, bucket, upload, [named]) == "InvalidArgument"
    assert not s3.exists(client, bucket, "k")
    multipart.complete(client, bucket, "k", upload, [part])


def test_complete_refuses_another_type_and_a_wrong_whole(address, client, bucket, uploaded):
    algorithm, upload, parts = uploaded
    other_type = {"x-amz-checksum-type": FULL_OBJECT}
    assert refuse_complete(address, bucket, upload, parts, other_type) in ("InvalidRequest", "BadDigest")
    wrong = {header(algorithm): composite(algorithm, [b"other"]), "x-amz-checksum-type": COMPOSITE}
    assert refuse_complete(address, bucket, upload, parts, wrong) == "BadDigest"
    assert not s3.exists(client, bucket, "k")
    assert multipart.listed(client, bucket, "k", upload) == [(1, 5)]


@pytest.mark.parametrize("suffix", ["", "-1"])
def test_complete_takes_a_composite_value_with_and_without_the_number(client, bucket, uploaded, suffix):
    algorithm, upload, parts = uploaded
    value = composite(algorithm, [b"hello"])
    whole = {member(algorithm): value + suffix, "ChecksumType": COMPOSITE}
    assert multipart.complete(client, bucket, "k", upload, parts, **whole)[member(algorithm)] == f"{value}-1"


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "CRC64NVME"])
def test_complete_verifies_the_checksum_of_the_whole(address, client, bucket, algorithm):
    upload = multipart.begin(client, bucket, "k", **creation(algorithm, FULL_OBJECT))
    parts = put_parts(client, bucket, upload, algorithm, CONTENTS)
    wrong = {header(algorithm): checksum(algorithm, CONTENTS[0]), "x-amz-checksum-type": FULL_OBJECT}
    assert refuse_complete(address, bucket, upload, parts, wrong) == "BadDigest"
    right = checksum(algorithm, b"".join(CONTENTS))
    whole = {member(algorithm): right, "ChecksumType": FULL_OBJECT}
    assert multipart.complete(client, bucket, "k", upload, parts, **whole)[member(algorithm)] == right


@pytest.mark.parametrize("algorithm, asked, kind", [("CRC32", None, COMPOSITE), ("CRC32", FULL_OBJECT, FULL_OBJECT)])
def test_a_read_of_one_part_tells_its_own_checksum_or_none(address, client, bucket, algorithm, asked, kind):
    upload = multipart.begin(client, bucket, "k", **creation(algorithm, asked))
    multipart.complete(client, bucket, "k", upload, put_parts(client, bucket, upload, algorithm, CONTENTS))
    headers = {"x-amz-checksum-mode": "ENABLED"}
    for number, content in enumerate(CONTENTS, 1):
        query = [("partNumber", str(number))]
        response = wire.call(address, "HEAD", f"/{bucket}/k", query=query, headers=headers)
        expected = checksum(algorithm, content) if kind == COMPOSITE else None
        assert response.get(header(algorithm)) == expected
    ranged = wire.call(address, "GET", f"/{bucket}/k", headers={**headers, "range": "bytes=0-9"})
    assert ranged.get(header(algorithm)) is None


def test_the_digests_here_are_those_of_the_published_vectors():
    vectors = {"CRC32": "y/Q5Jg==", "CRC32C": "4waSgw==", "CRC64NVME": "rosUhgp5mIg="}
    for algorithm, value in vectors.items():
        assert checksums.checksum(algorithm, b"123456789") == value
