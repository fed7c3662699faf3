"""SSE-C: keys of the customer on every call that knows them, what is verified, what is refused."""

import re

import pytest

from support import multipart, s3, wire
from support.checksums import ALGORITHMS, checksum, content_md5, member
from support.multipart import MIN_PART
from support.payload import KIB, MIB, etag, payload
from support.s3 import refused
from support.sse_c import HEADER, CustomerKey

# A frame of an encrypted body holds 16 bytes less: its tag.
FRAME = 64 * KIB - 32 - 16
SIZES = [0, 1, 8 * KIB, 8 * KIB + 1, FRAME - 1, FRAME, FRAME + 1, 4 * FRAME, MIB + 3]
RANGED = 10 * FRAME + 77

KEY, SECOND, WRONG = CustomerKey.of("first"), CustomerKey.of("second"), CustomerKey.of("wrong")
REQUEST = (400, "InvalidRequest")
ARGUMENT = (400, "InvalidArgument")
DENIED = (403, "AccessDenied")


def assert_names_key(answer, key=KEY):
    assert (answer["SSECustomerAlgorithm"], answer["SSECustomerKeyMD5"]) == ("AES256", key.md5)


@pytest.fixture
def stored(client, bucket) -> str:
    """A bucket with the encrypted object `k` and the plain object `plain`."""
    client.put_object(Bucket=bucket, Key="k", Body=b"secret", **KEY.parameters)
    client.put_object(Bucket=bucket, Key="plain", Body=b"plain")
    return bucket


@pytest.mark.parametrize("size", SIZES)
def test_what_was_put_with_a_key_is_read_with_it(client, bucket, size):
    content = payload(size)
    put = client.put_object(Bucket=bucket, Key="k", Body=content, **KEY.parameters)
    assert_names_key(put)
    assert re.fullmatch(r'"[0-9a-f]{32}"', put["ETag"]) and put["ETag"] != etag(content)
    for read in (client.get_object, client.head_object):
        answer = read(Bucket=bucket, Key="k", **KEY.parameters)
        assert_names_key(answer)
        assert (answer["ContentLength"], answer["ETag"]) == (size, put["ETag"])
    assert s3.body_of(client, bucket, "k", **KEY.parameters) == content
    (entry,) = client.list_objects_v2(Bucket=bucket)["Contents"]
    assert (entry["Size"], entry["ETag"]) == (size, put["ETag"])


def without(name: str) -> dict[str, str]:
    return {header: value for header, value in KEY.headers().items() if header != HEADER + name}


SHORT = CustomerKey(b"k" * 31)
FAULTS = [
    (without("algorithm"), [ARGUMENT]),
    ({**KEY.headers(), HEADER + "algorithm": "AES128"}, [ARGUMENT, (400, "InvalidEncryptionAlgorithmError")]),
    ({**KEY.headers(), HEADER + "algorithm": ""}, [ARGUMENT]),
    (without("key"), [ARGUMENT]),
    (without("key-md5"), [ARGUMENT]),
    ({**KEY.headers(), HEADER + "key": "not base64!"}, [ARGUMENT]),
    (SHORT.headers(), [ARGUMENT]),
    (CustomerKey(b"k" * 33).headers(), [ARGUMENT]),
    ({**KEY.headers(), HEADER + "key-md5": WRONG.md5}, [REQUEST]),
    ({**KEY.headers(), HEADER + "key-md5": "nonsense"}, [REQUEST, ARGUMENT]),
    ({**KEY.headers(), "x-amz-server-side-encryption": "AES256"}, [ARGUMENT]),
    ({**KEY.headers(), "x-amz-server-side-encryption": "aws:kms"}, [ARGUMENT]),
]


@pytest.mark.parametrize("headers, refusals", FAULTS, ids=range(len(FAULTS)))
@pytest.mark.parametrize("call", ["PUT", "POST uploads", "GET", "HEAD", "GET attributes", "COPY"])
def test_faulty_headers_are_refused(address, client, stored, call, headers, refusals):
    method, _, subresource = call.partition(" ")
    headers = dict(headers)
    if "x-amz-server-side-encryption" in headers and method in ("GET", "HEAD"):
        pytest.skip("a header of writes")
    if call == "COPY":
        method, headers["x-amz-copy-source"] = "PUT", f"{stored}/plain"
    if subresource == "attributes":
        headers["x-amz-object-attributes"] = "ETag"
    body = b"x" if call == "PUT" else b""
    query = [(subresource, "")] if subresource else []
    response = wire.call(address, method, f"/{stored}/k", query=query, headers=headers, body=body)
    assert response.status in [status for status, _ in refusals]
    if method != "HEAD":
        assert response.refusal() in refusals
        sent = headers.get("x-amz-server-side-encryption-customer-key")
        assert not sent or sent.encode() not in response.body
    assert s3.body_of(client, stored, "k", **KEY.parameters) == b"secret"
    assert "Uploads" not in client.list_multipart_uploads(Bucket=stored)


@pytest.mark.parametrize("size", [10, 300 * KIB])
@pytest.mark.parametrize("key, refusal", [(None, REQUEST), (WRONG, DENIED)], ids=["no key", "wrong key"])
def test_without_the_right_key_nothing_is_revealed(address, client, bucket, size, key, refusal):
    content = payload(size)
    client.put_object(Bucket=bucket, Key="k", Body=content, ChecksumAlgorithm="SHA256", **KEY.parameters)
    headers = {"x-amz-checksum-mode": "ENABLED", **(key.headers() if key else {})}
    path = f"/{bucket}/k"
    requests = [{}, {"range": "bytes=0-4"}, {"range": "bytes=-1"}]
    responses = [wire.call(address, "GET", path, headers={**headers, **more}) for more in requests]
    responses.append(wire.call(address, "GET", path, query=[("partNumber", "1")], headers=headers))
    attributes = {"x-amz-object-attributes": "ETag,Checksum,ObjectSize", **headers}
    responses.append(wire.call(address, "GET", path, query=[("attributes", "")], headers=attributes))
    for response in responses:
        assert response.refusal() == refusal
        assert content[:5] not in response.body
        assert response.get("x-amz-checksum-sha256") is None
    head = wire.call(address, "HEAD", path, headers=headers)
    assert (head.status, head.body) == (refusal[0], b"") and head.get("x-amz-checksum-sha256") is None


def test_a_key_for_a_plain_object_is_refused(client, stored):
    with refused(*REQUEST):
        client.get_object(Bucket=stored, Key="plain", **KEY.parameters)
    with refused(400, "400"):
        client.head_object(Bucket=stored, Key="plain", **KEY.parameters)
    with refused(*REQUEST):
        client.get_object_attributes(Bucket=stored, Key="plain", ObjectAttributes=["ETag"], **KEY.encoded_parameters)
    with refused(404, "NoSuchKey"):
        client.get_object(Bucket=stored, Key="absent", **KEY.parameters)


@pytest.fixture(scope="module")
def ranged(client, module_bucket):
    content = payload(RANGED)
    client.put_object(Bucket=module_bucket, Key="ranged", Body=content, **KEY.parameters)
    return module_bucket, content


@pytest.mark.parametrize("frame", [1, 2, 4, 8, 10])
@pytest.mark.parametrize("before, after", [(1, 0), (0, 1), (1, 1), (FRAME, 1), (1, FRAME), (FRAME + 1, FRAME + 1)])
def test_ranges_around_the_borders_of_frames(client, ranged, frame, before, after):
    bucket, content = ranged
    start, end = max(frame * FRAME - before, 0), min(frame * FRAME + after, RANGED)
    got = client.get_object(Bucket=bucket, Key="ranged", Range=f"bytes={start}-{end - 1}", **KEY.parameters)
    assert got["Body"].read() == content[start:end]
    assert got["ContentRange"] == f"bytes {start}-{end - 1}/{RANGED}"
    assert_names_key(got)


@pytest.mark.parametrize("length", [1, 77, 78, FRAME, RANGED + 1])
def test_suffix_ranges(client, ranged, length):
    bucket, content = ranged
    assert s3.body_of(client, bucket, "ranged", Range=f"bytes=-{length}", **KEY.parameters) == content[-length:]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("size", [10, 200 * KIB])
def test_checksums_are_those_of_the_plaintext(client, bucket, algorithm, size):
    content = payload(size)
    value = {member(algorithm): checksum(algorithm, content)}
    put = client.put_object(Bucket=bucket, Key="k", Body=content, **value, **KEY.parameters)
    head = client.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED", **KEY.parameters)
    assert put[member(algorithm)] == head[member(algorithm)] == value[member(algorithm)]
    wrong = {member(algorithm): checksum(algorithm, b"other")}
    with refused(400, "BadDigest"):
        client.put_object(Bucket=bucket, Key="k", Body=payload(size, 2), **wrong, **KEY.parameters)
    assert s3.body_of(client, bucket, "k", **KEY.parameters) == content


def test_content_md5_is_that_of_the_plaintext(client, stored):
    client.put_object(Bucket=stored, Key="k", Body=b"new", ContentMD5=content_md5(b"new"), **KEY.parameters)
    with refused(400, "BadDigest"):
        client.put_object(Bucket=stored, Key="k", Body=b"x", ContentMD5=content_md5(b"y"), **KEY.parameters)
    assert s3.body_of(client, stored, "k", **KEY.parameters) == b"new"


def test_conditions_by_the_etag(client, stored):
    tag = client.head_object(Bucket=stored, Key="k", **KEY.parameters)["ETag"]
    assert s3.body_of(client, stored, "k", IfMatch=tag, **KEY.parameters) == b"secret"
    with refused(304, "304"):
        client.get_object(Bucket=stored, Key="k", IfNoneMatch=tag, **KEY.parameters)
    with refused(412, "PreconditionFailed"):
        client.get_object(Bucket=stored, Key="k", IfMatch=etag(b"secret"), **KEY.parameters)


def test_an_overwrite_has_its_own_key_or_none(client, stored):
    client.put_object(Bucket=stored, Key="k", Body=b"second", **SECOND.parameters)
    with refused(*DENIED):
        client.get_object(Bucket=stored, Key="k", **KEY.parameters)
    assert s3.body_of(client, stored, "k", **SECOND.parameters) == b"second"
    client.put_object(Bucket=stored, Key="k", Body=b"open")
    got = client.get_object(Bucket=stored, Key="k")
    assert got["Body"].read() == b"open" and "SSECustomerAlgorithm" not in got


def test_each_version_has_its_own_key(client, bucket):
    s3.set_versioning(client, bucket, "Enabled")
    versions = {}
    for key in (KEY, SECOND):
        answer = client.put_object(Bucket=bucket, Key="k", Body=payload(20 * KIB), **key.parameters)
        versions[answer["VersionId"]] = key
    for version, key in versions.items():
        other = SECOND if key is KEY else KEY
        assert s3.body_of(client, bucket, "k", VersionId=version, **key.parameters) == payload(20 * KIB)
        with refused(*DENIED):
            client.get_object(Bucket=bucket, Key="k", VersionId=version, **other.parameters)


def test_calls_that_need_no_key(client, stored):
    client.put_object_tagging(Bucket=stored, Key="k", Tagging={"TagSet": [{"Key": "t", "Value": "1"}]})
    assert client.get_object_tagging(Bucket=stored, Key="k")["TagSet"] == [{"Key": "t", "Value": "1"}]
    assert client.get_object_acl(Bucket=stored, Key="k")["Grants"]
    assert s3.all_keys(client, stored) == ["k", "plain"]
    assert s3.body_of(client, stored, "k", **KEY.parameters) == b"secret"
    client.delete_object(Bucket=stored, Key="k")
    assert s3.all_keys(client, stored) == ["plain"]


def test_attributes_with_the_key(client, stored):
    wanted = ["ETag", "ObjectSize", "Checksum"]
    answer = client.get_object_attributes(Bucket=stored, Key="k", ObjectAttributes=wanted, **KEY.encoded_parameters)
    assert answer["ObjectSize"] == 6 and answer["Checksum"]["ChecksumCRC32"] == checksum("CRC32", b"secret")


# --- multipart

CONTENTS = [payload(MIN_PART, 1), payload(MIN_PART + FRAME + 1, 2), payload(70 * KIB, 3)]
WHOLE = b"".join(CONTENTS)


@pytest.fixture(scope="module")
def in_parts(client, module_bucket):
    """An encrypted object of three parts, completed without its key."""
    created = client.create_multipart_upload(Bucket=module_bucket, Key="parts", **KEY.parameters)
    assert_names_key(created)
    place = {"Bucket": module_bucket, "Key": "parts", "UploadId": created["UploadId"]}
    parts = []
    for number, content in enumerate(CONTENTS, 1):
        answer = client.upload_part(**place, PartNumber=number, Body=content, **KEY.parameters)
        assert_names_key(answer)
        assert answer["ETag"] != etag(content)
        parts.append({"PartNumber": number, "ETag": answer["ETag"]})
    assert [part["Size"] for part in client.list_parts(**place)["Parts"]] == [len(content) for content in CONTENTS]
    answer = client.complete_multipart_upload(**place, MultipartUpload={"Parts": parts})
    assert re.fullmatch(r'"[0-9a-f]{32}-3"', answer["ETag"]) and answer["ETag"] != multipart.etag(CONTENTS)
    return module_bucket


def test_an_upload_in_parts_is_read_with_its_key(client, in_parts):
    assert s3.body_of(client, in_parts, "parts", **KEY.parameters) == WHOLE
    with refused(*REQUEST):
        client.get_object(Bucket=in_parts, Key="parts")
    with refused(*DENIED):
        client.get_object(Bucket=in_parts, Key="parts", **WRONG.parameters)
    part = client.get_object(Bucket=in_parts, Key="parts", PartNumber=2, **KEY.parameters)
    assert part["Body"].read() == CONTENTS[1] and part["PartsCount"] == 3


@pytest.mark.parametrize("around", [MIN_PART, MIN_PART + FRAME, 2 * MIN_PART + FRAME + 1])
@pytest.mark.parametrize("reach", [1, FRAME, 300 * KIB])
def test_ranges_across_the_borders_of_encrypted_parts(client, in_parts, around, reach):
    start, end = around - reach, min(around + reach, len(WHOLE))
    span = f"bytes={start}-{end - 1}"
    assert s3.body_of(client, in_parts, "parts", Range=span, **KEY.parameters) == WHOLE[start:end]


def test_parts_must_come_with_the_key_of_the_upload(client, bucket):
    place = {"Bucket": bucket, "Key": "k", "UploadId": multipart.begin(client, bucket, "k", **KEY.parameters)}
    with refused(*REQUEST):
        client.upload_part(**place, PartNumber=1, Body=b"x")
    with pytest.raises(s3.ClientError) as caught:
        client.upload_part(**place, PartNumber=1, Body=b"x", **WRONG.parameters)
    assert caught.value.response["Error"]["Code"] in ("InvalidRequest", "InvalidArgument", "AccessDenied")
    plain = multipart.begin(client, bucket, "k")
    with refused(*REQUEST):
        client.upload_part(**{**place, "UploadId": plain}, PartNumber=1, Body=b"x", **KEY.parameters)
    assert "Parts" not in client.list_parts(**place)


def test_complete_with_a_key_wants_the_right_one(client, bucket):
    upload = multipart.begin(client, bucket, "k", **KEY.parameters)
    part = multipart.put_part(client, bucket, "k", upload, 1, b"secret", **KEY.parameters)
    with pytest.raises(s3.ClientError) as caught:
        multipart.complete(client, bucket, "k", upload, [part], **WRONG.parameters)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] in (400, 403)
    multipart.complete(client, bucket, "k", upload, [part], **KEY.parameters)
    assert s3.body_of(client, bucket, "k", **KEY.parameters) == b"secret"


def test_checksums_of_parts_are_those_of_the_plaintext(client, bucket):
    whole = {"ChecksumAlgorithm": "CRC32", "ChecksumType": "FULL_OBJECT"}
    upload = multipart.begin(client, bucket, "k", **whole, **KEY.parameters)
    contents = [CONTENTS[0], b"tail"]
    parts = [
        multipart.put_part(client, bucket, "k", upload, number, content, **KEY.parameters)
        for number, content in enumerate(contents, 1)
    ]
    answer = multipart.complete(client, bucket, "k", upload, parts)
    assert answer["ChecksumCRC32"] == checksum("CRC32", b"".join(contents))


# --- copies

KEYS = {"plain": None, "same key": KEY, "second key": SECOND}


@pytest.mark.parametrize("size", [10, 300 * KIB])
@pytest.mark.parametrize("source", ["plain", "same key"])
@pytest.mark.parametrize("target", KEYS)
def test_copies_change_the_key(client, bucket, size, source, target):
    old, new, content = KEYS[source], KEYS[target], payload(size)
    client.put_object(Bucket=bucket, Key="a", Body=content, Metadata={"m": "1"}, **(old.parameters if old else {}))
    keys = {**(old.source_parameters if old else {}), **(new.parameters if new else {})}
    answer = client.copy_object(Bucket=bucket, Key="b", CopySource=f"{bucket}/a", **keys)
    if new:
        assert_names_key(answer, new)
    client.delete_object(Bucket=bucket, Key="a")
    got = client.get_object(Bucket=bucket, Key="b", **(new.parameters if new else {}))
    assert got["Body"].read() == content and got["Metadata"] == {"m": "1"}
    assert got["ETag"] == answer["CopyObjectResult"]["ETag"]
    assert (got["ETag"] == etag(content)) == (new is None)
    assert s3.body_of(client, bucket, "b", Range="bytes=3-5", **(new.parameters if new else {})) == content[3:6]
    if new:
        with refused(*REQUEST):
            client.get_object(Bucket=bucket, Key="b")


def test_a_copy_onto_itself_changes_the_key(client, stored):
    place = {"Bucket": stored, "Key": "k", "CopySource": f"{stored}/k"}
    client.copy_object(**place, **KEY.source_parameters, **SECOND.parameters)
    assert s3.body_of(client, stored, "k", **SECOND.parameters) == b"secret"
    with refused(*DENIED):
        client.get_object(Bucket=stored, Key="k", **KEY.parameters)


def test_a_copy_of_encrypted_parts_under_another_key(client, bucket, in_parts):
    keys = {**KEY.source_parameters, **SECOND.parameters}
    client.copy_object(Bucket=bucket, Key="b", CopySource=f"{in_parts}/parts", **keys)
    assert s3.body_of(client, bucket, "b", **SECOND.parameters) == WHOLE
    span = f"bytes={MIN_PART - 9}-{MIN_PART + 8}"
    assert s3.body_of(client, bucket, "b", Range=span, **SECOND.parameters) == WHOLE[MIN_PART - 9 : MIN_PART + 9]


def test_the_source_of_a_copy_wants_its_key(client, stored):
    place = {"Bucket": stored, "Key": "b", "CopySource": f"{stored}/k"}
    with refused(*REQUEST):
        client.copy_object(**place)
    with refused(*REQUEST):
        client.copy_object(**place, **KEY.parameters)
    with refused(*DENIED):
        client.copy_object(**place, **WRONG.source_parameters)
    with refused(*REQUEST):
        client.copy_object(Bucket=stored, Key="b", CopySource=f"{stored}/plain", **KEY.source_parameters)
    assert not s3.exists(client, stored, "b")


@pytest.mark.parametrize("span", [(0, 0), (FRAME - 5, FRAME + 5), (1, RANGED - 2)])
def test_parts_copied_from_an_encrypted_object(client, bucket, ranged, span):
    source, content = ranged
    place = {"Bucket": bucket, "Key": "k", "UploadId": multipart.begin(client, bucket, "k", **SECOND.parameters)}
    copied = {"PartNumber": 1, "CopySource": f"{source}/ranged", "CopySourceRange": f"bytes={span[0]}-{span[1]}"}
    with refused(*REQUEST):
        client.upload_part_copy(**place, **copied, **SECOND.parameters)
    with refused(*REQUEST):
        client.upload_part_copy(**place, **copied, **KEY.source_parameters)
    with refused(*DENIED):
        client.upload_part_copy(**place, **copied, **WRONG.source_parameters, **SECOND.parameters)
    answer = client.upload_part_copy(**place, **copied, **KEY.source_parameters, **SECOND.parameters)
    assert_names_key(answer, SECOND)
    part = {"PartNumber": 1, "ETag": answer["CopyPartResult"]["ETag"]}
    client.complete_multipart_upload(**place, MultipartUpload={"Parts": [part]})
    assert s3.body_of(client, bucket, "k", **SECOND.parameters) == content[span[0] : span[1] + 1]
