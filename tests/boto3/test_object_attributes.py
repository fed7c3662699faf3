"""GetObjectAttributes: what is asked for is told, parts in pages, versions, refusals."""

import pytest

from support import multipart, s3, wire
from support.checksums import ALGORITHMS, checksum, member
from support.multipart import MIN_PART
from support.payload import KIB, etag, payload
from support.s3 import refused

ALL = ["ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"]
MANY = 12
PIECE = payload(MIN_PART, 1)


def attributes(client, bucket, names=ALL, key="k", **parameters):
    return client.get_object_attributes(Bucket=bucket, Key=key, ObjectAttributes=names, **parameters)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_attributes_of_a_plain_object(client, bucket, algorithm):
    content = payload(20 * KIB)
    client.put_object(Bucket=bucket, Key="k", Body=content, ChecksumAlgorithm=algorithm)
    answer = attributes(client, bucket)
    assert answer["ETag"] == etag(content).strip('"')
    assert answer["Checksum"] == {member(algorithm): checksum(algorithm, content), "ChecksumType": "FULL_OBJECT"}
    assert (answer["StorageClass"], answer["ObjectSize"]) == ("STANDARD", len(content))
    assert "ObjectParts" not in answer and "VersionId" not in answer
    assert answer["LastModified"] == client.head_object(Bucket=bucket, Key="k")["LastModified"]


@pytest.mark.parametrize("name", ALL)
def test_only_what_is_asked_for_is_told(client, bucket, name):
    multipart.store(client, bucket, "k", [b"x"])
    answer = attributes(client, bucket, [name])
    assert [told for told in ALL if told in answer] == [name]


def test_names_may_come_in_several_headers_and_with_spaces(address, client, bucket):
    client.put_object(Bucket=bucket, Key="k", Body=b"hello")
    headers = {"x-amz-object-attributes": "ETag,ObjectSize"}
    prepared = wire.prepare(address, "GET", f"/{bucket}/k", query=[("attributes", "")], headers=headers)
    lines = []
    for name, value in prepared.headers.items():
        values = value.split(",") if name == "x-amz-object-attributes" else [value]
        lines += [f"{name}: {single}" for single in values]
    request = "\r\n".join([f"GET {prepared.target} HTTP/1.1", *lines]) + "\r\n\r\n"
    with wire.Connection(address) as connection:
        connection.send(request.encode())
        root = connection.response().xml()
    assert root.tag == f"{wire.NAMESPACE}GetObjectAttributesResponse"
    assert root.findtext(f"{wire.NAMESPACE}ETag") == etag(b"hello").strip('"')
    assert root.findtext(f"{wire.NAMESPACE}ObjectSize") == "5"
    headers = {"x-amz-object-attributes": "ETag, StorageClass"}
    root = wire.call(address, "GET", f"/{bucket}/k", query=[("attributes", "")], headers=headers).xml()
    assert root.findtext(f"{wire.NAMESPACE}StorageClass") == "STANDARD"


@pytest.mark.parametrize(
    "headers, expected",
    [
        ({}, (400, "InvalidRequest")),
        ({"x-amz-object-attributes": ""}, (400, "InvalidRequest")),
        ({"x-amz-object-attributes": "Owner"}, (400, "InvalidArgument")),
        ({"x-amz-object-attributes": "ETag,Owner"}, (400, "InvalidArgument")),
        ({"x-amz-object-attributes": "etag"}, (400, "InvalidArgument")),
        ({"x-amz-object-attributes": "ObjectParts", "x-amz-max-parts": "-1"}, (400, "InvalidArgument")),
        ({"x-amz-object-attributes": "ObjectParts", "x-amz-part-number-marker": "x"}, (400, "InvalidArgument")),
    ],
)
def test_wrong_headers_are_refused(address, client, bucket, headers, expected):
    client.put_object(Bucket=bucket, Key="k", Body=b"x")
    response = wire.call(address, "GET", f"/{bucket}/k", query=[("attributes", "")], headers=headers)
    assert response.refusal() == expected


@pytest.fixture(scope="module")
def many_parts(client, module_bucket):
    """An object of MANY parts, all but the last copied from one piece, with SHA-256 of each."""
    client.put_object(Bucket=module_bucket, Key="piece", Body=PIECE)
    upload = multipart.begin(client, module_bucket, "many", ChecksumAlgorithm="SHA256")
    place = {"Bucket": module_bucket, "Key": "many", "UploadId": upload}
    parts = []
    for number in range(1, MANY):
        copied = client.upload_part_copy(**place, PartNumber=number, CopySource=f"{module_bucket}/piece")
        result = copied["CopyPartResult"]
        parts.append({"PartNumber": number, "ETag": result["ETag"], "ChecksumSHA256": result["ChecksumSHA256"]})
    last = client.upload_part(**place, PartNumber=MANY, Body=b"tail", ChecksumAlgorithm="SHA256")
    parts.append({"PartNumber": MANY, "ETag": last["ETag"], "ChecksumSHA256": last["ChecksumSHA256"]})
    multipart.complete(client, module_bucket, "many", upload, parts)
    return module_bucket, parts


def test_parts_are_told_with_size_and_checksum(client, many_parts):
    bucket, parts = many_parts
    answer = attributes(client, bucket, key="many")
    assert answer["ObjectSize"] == (MANY - 1) * MIN_PART + 4
    assert answer["ETag"].endswith(f"-{MANY}") and '"' not in answer["ETag"]
    assert answer["Checksum"]["ChecksumType"] == "COMPOSITE" and "-" not in answer["Checksum"]["ChecksumSHA256"]
    told = answer["ObjectParts"]
    assert (told["TotalPartsCount"], told["IsTruncated"]) == (MANY, False)
    for part, expected in zip(told["Parts"], parts, strict=True):
        assert part["PartNumber"] == expected["PartNumber"]
        assert part["Size"] == (MIN_PART if part["PartNumber"] < MANY else 4)
        assert part["ChecksumSHA256"] == expected["ChecksumSHA256"]


@pytest.mark.parametrize("max_parts", [1, 5, 6, 11, 12, 13])
def test_parts_come_in_pages(client, many_parts, max_parts):
    bucket, _ = many_parts
    numbers, marker = [], 0
    while True:
        told = attributes(client, bucket, ["ObjectParts"], "many", MaxParts=max_parts, PartNumberMarker=marker)
        told = told["ObjectParts"]
        assert (told["TotalPartsCount"], told["MaxParts"], told["PartNumberMarker"]) == (MANY, max_parts, marker)
        assert len(told["Parts"]) <= max_parts
        numbers += [part["PartNumber"] for part in told["Parts"]]
        if not told["IsTruncated"]:
            break
        marker = told["NextPartNumberMarker"]
        assert marker == numbers[-1]
    assert numbers == list(range(1, MANY + 1))


def test_the_number_of_parts_stands_under_its_name_on_the_wire(address, many_parts):
    headers = {"x-amz-object-attributes": "ObjectParts"}
    response = wire.call(address, "GET", f"/{many_parts[0]}/many", query=[("attributes", "")], headers=headers)
    assert response.xml().findtext(f"{wire.NAMESPACE}ObjectParts/{wire.NAMESPACE}PartsCount") == str(MANY)


def test_versions_and_markers(client, bucket):
    s3.set_versioning(client, bucket, "Enabled")
    old = client.put_object(Bucket=bucket, Key="k", Body=b"old!")["VersionId"]
    new = client.put_object(Bucket=bucket, Key="k", Body=b"new")["VersionId"]
    for version, size, parameters in ((new, 3, {}), (old, 4, {"VersionId": old})):
        answer = attributes(client, bucket, **parameters)
        assert (answer["ObjectSize"], answer["VersionId"]) == (size, version)
    marker = client.delete_object(Bucket=bucket, Key="k")["VersionId"]
    with refused(404, "NoSuchKey") as caught:
        attributes(client, bucket)
    assert caught.value.response["ResponseMetadata"]["HTTPHeaders"]["x-amz-delete-marker"] == "true"
    with refused(405, "MethodNotAllowed"):
        attributes(client, bucket, VersionId=marker)


def test_what_is_missing_or_anothers(client, alt_client, bucket):
    client.put_object(Bucket=bucket, Key="k", Body=b"x")
    with refused(404, "NoSuchKey"):
        attributes(client, bucket, key="absent")
    with refused(404, "NoSuchBucket"):
        attributes(client, s3.new_bucket_name("missing"))
    with refused(403, "AccessDenied"):
        attributes(alt_client, bucket)
