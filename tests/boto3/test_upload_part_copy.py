"""UploadPartCopy: whole objects and ranges as parts, sources of every kind, refusals."""

import pytest

from support import multipart, s3, wire
from support.checksums import checksum, member
from support.dates import HOUR, http_date
from support.multipart import MIN_PART
from support.payload import FRAME_PAYLOAD, KIB, MIB, etag, payload
from support.s3 import refused

SOURCE = payload(MIN_PART + 300 * KIB + 1, 1)
OTHER = '"00000000000000000000000000000000"'
MANY_PARTS = 1001


@pytest.fixture(scope="module")
def source(client, module_bucket) -> str:
    """The object that parts are copied from, as a copy source."""
    client.put_object(Bucket=module_bucket, Key="source", Body=SOURCE)
    return f"{module_bucket}/source"


@pytest.fixture
def upload(client, bucket) -> dict:
    """The place of an open upload on the key `k`."""
    return {"Bucket": bucket, "Key": "k", "UploadId": multipart.begin(client, bucket, "k")}


def copy_part(client, upload, number, source, span=None, **parameters) -> dict:
    """Copies one part; returns what Complete names it by. `span` is first and last byte."""
    if span is not None:
        parameters["CopySourceRange"] = f"bytes={span[0]}-{span[1]}"
    answer = client.upload_part_copy(**upload, PartNumber=number, CopySource=source, **parameters)
    return {"PartNumber": number, "ETag": answer["CopyPartResult"]["ETag"]}


def finish(client, upload, parts) -> dict:
    return client.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})


def put_part_copy(address, upload, source, headers=None):
    """A copy of part 1 by hand."""
    query = [("partNumber", "1"), ("uploadId", upload["UploadId"])]
    headers = {"x-amz-copy-source": source, **(headers or {})}
    return wire.call(address, "PUT", f"/{upload['Bucket']}/{upload['Key']}", query=query, headers=headers)


def test_a_whole_object_as_a_part(client, bucket, upload, source):
    part = copy_part(client, upload, 1, source)
    assert part["ETag"] == etag(SOURCE)
    assert multipart.listed(client, bucket, "k", upload["UploadId"]) == [(1, len(SOURCE))]
    assert finish(client, upload, [part])["ETag"] == multipart.etag([SOURCE])
    assert s3.body_of(client, bucket, "k") == SOURCE


SPANS = [
    (0, 0),
    (0, len(SOURCE) - 1),
    (len(SOURCE) - 1, len(SOURCE) - 1),
    (1, 4096),
    (FRAME_PAYLOAD - 1, FRAME_PAYLOAD),
    (FRAME_PAYLOAD, 2 * FRAME_PAYLOAD - 1),
    (12_345, 1_234_567),
]


@pytest.mark.parametrize("first, last", SPANS)
def test_a_range_as_a_part(client, bucket, upload, source, first, last):
    part = copy_part(client, upload, 1, source, (first, last))
    content = SOURCE[first : last + 1]
    assert part["ETag"] == etag(content)
    finish(client, upload, [part])
    assert s3.body_of(client, bucket, "k") == content
    if len(content) > 2:
        assert s3.body_of(client, bucket, "k", Range="bytes=1-2") == content[1:3]


def test_copied_and_sent_parts_mix(client, bucket, upload, source):
    contents = [SOURCE[7 : 7 + MIN_PART], payload(MIN_PART, 2), SOURCE[:MIN_PART], SOURCE[-100:]]
    parts = [
        copy_part(client, upload, 1, source, (7, 7 + MIN_PART - 1)),
        multipart.put_part(client, bucket, "k", upload["UploadId"], 2, contents[1]),
        copy_part(client, upload, 3, source, (0, MIN_PART - 1)),
        copy_part(client, upload, 4, source, (len(SOURCE) - 100, len(SOURCE) - 1)),
    ]
    answer = finish(client, upload, parts)
    whole = b"".join(contents)
    assert answer["ETag"] == multipart.etag(contents)
    assert answer["ChecksumCRC64NVME"] == checksum("CRC64NVME", whole)
    assert s3.body_of(client, bucket, "k") == whole
    border = 3 * MIN_PART
    assert s3.body_of(client, bucket, "k", Range=f"bytes={border - 50}-{border + 49}") == whole[-150:-50]


def test_a_source_that_was_itself_put_together(client, bucket, upload):
    contents = [payload(MIN_PART, 3), payload(MIN_PART, 4), b"tail"]
    multipart.store(client, bucket, "source", contents)
    span = (MIN_PART - 100, 2 * MIN_PART + 1)
    part = copy_part(client, upload, 1, f"{bucket}/source", span)
    expected = b"".join(contents)[span[0] : span[1] + 1]
    assert part["ETag"] == etag(expected)
    finish(client, upload, [part])
    client.delete_object(Bucket=bucket, Key="source")
    assert s3.body_of(client, bucket, "k") == expected


def test_the_source_may_go_before_the_upload_is_completed(node, client, bucket, upload):
    content = payload(MIB, 5)
    used = node.extent_bytes_in_use()
    client.put_object(Bucket=bucket, Key="source", Body=content)
    part = copy_part(client, upload, 1, f"{bucket}/source", (10, MIB - 11))
    client.delete_object(Bucket=bucket, Key="source")
    for seed in range(6, 9):
        client.put_object(Bucket=bucket, Key="other", Body=payload(MIB, seed))
    finish(client, upload, [part])
    assert s3.body_of(client, bucket, "k") == content[10:-10]
    for key in ("k", "other"):
        client.delete_object(Bucket=bucket, Key=key)
    node.wait_for_extent_bytes(used)


def test_a_copied_part_replaces_and_is_replaced(node, client, bucket, upload, source):
    used = node.extent_bytes_in_use()
    multipart.put_part(client, bucket, "k", upload["UploadId"], 1, payload(MIB, 6))
    first = copy_part(client, upload, 1, source, (0, MIB - 1))
    second = copy_part(client, upload, 1, source, (1, MIB))
    with refused(400, "InvalidPart"):
        finish(client, upload, [first])
    finish(client, upload, [second])
    assert s3.body_of(client, bucket, "k") == SOURCE[1 : MIB + 1]
    client.delete_object(Bucket=bucket, Key="k")
    node.wait_for_extent_bytes(used)


@pytest.mark.parametrize(
    "span",
    [
        "bytes=0-",
        "bytes=-5",
        "bytes=5",
        "bytes=5-4",
        "bytes=0-1,3-4",
        "bytes=a-b",
        "bytes 0-1",
        "0-1",
        "",
        "items=0-1",
        "bytes=0-99999999999999999999",
    ],
)
def test_a_range_without_both_ends_is_refused(address, client, upload, source, span):
    response = put_part_copy(address, upload, source, {"x-amz-copy-source-range": span})
    assert response.refusal() == (400, "InvalidArgument")
    assert "Parts" not in client.list_parts(**upload)


@pytest.mark.parametrize("first, last", [(0, len(SOURCE)), (len(SOURCE), len(SOURCE)), (len(SOURCE) + 5, 10**9)])
def test_a_range_past_the_end_is_refused(address, client, upload, source, first, last):
    response = put_part_copy(address, upload, source, {"x-amz-copy-source-range": f"bytes={first}-{last}"})
    assert response.refusal() == (400, "InvalidArgument")
    assert "Parts" not in client.list_parts(**upload)


@pytest.mark.parametrize("key", [" ", "_", "__", "?versionId", "a%", "a%25", "a+b", "é", "a/../b", "/lead"])
def test_sources_of_special_names(client, bucket, upload, key):
    for decoy in {"a%", "a%25", "a b", "a+b", "b", "lead"} - {key}:
        client.put_object(Bucket=bucket, Key=decoy, Body=b"wrong")
    client.put_object(Bucket=bucket, Key=key, Body=b"0123456789")
    part = copy_part(client, upload, 1, {"Bucket": bucket, "Key": key}, (2, 8))
    finish(client, upload, [part])
    assert s3.body_of(client, bucket, "k") == b"2345678"


@pytest.mark.parametrize(
    "name, holds, fails",
    [
        ("match", etag(SOURCE), OTHER),
        ("none-match", OTHER, etag(SOURCE)),
        ("unmodified-since", "same", "before"),
        ("modified-since", "before", "same"),
    ],
)
def test_conditions_on_the_source(address, client, module_bucket, upload, source, name, holds, fails):
    written = client.head_object(Bucket=module_bucket, Key="source")["LastModified"]
    dates = {"same": http_date(written), "before": http_date(written - HOUR)}
    header = f"x-amz-copy-source-if-{name}"
    failed = put_part_copy(address, upload, source, {header: dates.get(fails, fails)})
    assert failed.refusal() == (412, "PreconditionFailed") and failed.error()["Condition"]
    assert "Parts" not in client.list_parts(**upload)
    assert put_part_copy(address, upload, source, {header: dates.get(holds, holds)}).status == 200


def test_versions_of_the_source(client, bucket, upload):
    s3.set_versioning(client, bucket, "Enabled")
    old = client.put_object(Bucket=bucket, Key="source", Body=b"old")["VersionId"]
    marker = client.delete_object(Bucket=bucket, Key="source")["VersionId"]
    answer = client.upload_part_copy(
        **upload, PartNumber=1, CopySource={"Bucket": bucket, "Key": "source", "VersionId": old}
    )
    assert answer["CopySourceVersionId"] == old and answer["CopyPartResult"]["ETag"] == etag(b"old")
    with refused(404, "NoSuchKey"):
        copy_part(client, upload, 2, f"{bucket}/source")
    with refused(400, "InvalidRequest"):
        copy_part(client, upload, 2, f"{bucket}/source?versionId={marker}")
    client.delete_object(Bucket=bucket, Key="source", VersionId=marker)


def test_a_source_that_is_missing_or_anothers_is_refused(client, alt_client, bucket, upload):
    with refused(404, "NoSuchKey"):
        copy_part(client, upload, 1, f"{bucket}/absent")
    with refused(404, "NoSuchBucket"):
        copy_part(client, upload, 1, f"{s3.new_bucket_name('missing')}/k")
    theirs = s3.create_bucket(alt_client, s3.new_bucket_name("alt"))
    alt_client.put_object(Bucket=theirs, Key="k", Body=b"theirs")
    with refused(403, "AccessDenied"):
        copy_part(client, upload, 1, f"{theirs}/k")
    s3.delete_bucket_with_objects(alt_client, theirs)


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC64NVME", "SHA256"])
def test_a_copied_part_gets_the_checksum_of_the_upload(client, bucket, source, algorithm):
    upload = {"Bucket": bucket, "Key": "k"}
    upload["UploadId"] = multipart.begin(client, bucket, "k", ChecksumAlgorithm=algorithm)
    answer = client.upload_part_copy(**upload, PartNumber=1, CopySource=source, CopySourceRange="bytes=5-70000")
    result = answer["CopyPartResult"]
    value = checksum(algorithm, SOURCE[5:70001])
    assert result[member(algorithm)] == value
    (part,) = client.list_parts(**upload)["Parts"]
    assert part[member(algorithm)] == value
    finish(client, upload, [{"PartNumber": 1, "ETag": result["ETag"], member(algorithm): value}])


def test_the_answer_is_a_copy_part_result(address, client, upload, source):
    response = put_part_copy(address, upload, source)
    assert response.xml().tag == f"{wire.NAMESPACE}CopyPartResult"
    assert response.xml().findtext(f"{wire.NAMESPACE}LastModified")


def test_an_object_of_very_many_parts(address, client, bucket, upload):
    """A record of a thousand parts and segments, ~5 GiB that are 5 MiB on the disk."""
    content = SOURCE[:MIN_PART]
    client.put_object(Bucket=bucket, Key="piece", Body=content)
    tag = etag(content)
    with wire.Connection(address) as connection:
        for number in range(1, MANY_PARTS + 1):
            query = [("partNumber", str(number)), ("uploadId", upload["UploadId"])]
            headers = {"x-amz-copy-source": f"{bucket}/piece"}
            path = f"/{bucket}/k"
            connection.send(wire.prepare(address, "PUT", path, query=query, headers=headers, body_bytes=0).head())
            assert connection.response().status == 200
    parts = [{"PartNumber": number, "ETag": tag} for number in range(1, MANY_PARTS + 1)]
    assert finish(client, upload, parts)["ETag"] == multipart.etag([content] * MANY_PARTS)
    client.delete_object(Bucket=bucket, Key="piece")
    size = MANY_PARTS * MIN_PART
    assert client.head_object(Bucket=bucket, Key="k")["ContentLength"] == size
    for number in (1, 500, MANY_PARTS):
        border = number * MIN_PART
        first, last = border - 10, min(border + 9, size - 1)
        expected = (content[-10:] + content[:10])[: last - first + 1]
        assert s3.body_of(client, bucket, "k", Range=f"bytes={first}-{last}") == expected
    part = client.get_object(Bucket=bucket, Key="k", PartNumber=MANY_PARTS)
    assert part["Body"].read() == content and part["PartsCount"] == MANY_PARTS


def test_parts_that_end_with_a_few_bytes(node, client, bucket, upload):
    """Such bytes stand in the source's record; a thousand copies of them must not add up in another one."""
    contents = [payload(MIN_PART, 3), payload(KIB, 4)]
    multipart.store(client, bucket, "short end", contents)
    whole = b"".join(contents)
    before = node.extent_bytes_in_use()
    parts = [copy_part(client, upload, number, f"{bucket}/short end") for number in (1, 2)]
    assert node.extent_bytes_in_use() >= before + 2 * len(whole)
    assert {part["ETag"] for part in parts} == {etag(whole)}
    parts.append(copy_part(client, upload, 3, f"{bucket}/short end", (MIN_PART, len(whole) - 1)))
    finish(client, upload, parts)
    assert s3.body_of(client, bucket, "k") == 2 * whole + contents[1]
