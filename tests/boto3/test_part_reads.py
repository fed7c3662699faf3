"""Reads of a multipart object: by part number, by range across the borders of parts."""

import pytest

from support import multipart, s3, wire
from support.multipart import MIN_PART
from support.payload import FRAME_PAYLOAD, KIB, payload

CONTENTS = [payload(MIN_PART, 1), payload(MIN_PART + 4097, 2), payload(70 * KIB + 3, 3)]
WHOLE = b"".join(CONTENTS)
BORDER = len(CONTENTS[0])
LAST = BORDER + len(CONTENTS[1])


@pytest.fixture(scope="module")
def stored(client, module_bucket) -> str:
    """The path of an object of three parts."""
    multipart.store(client, module_bucket, "k", CONTENTS)
    return f"/{module_bucket}/k"


def first_byte(number: int) -> int:
    return sum(map(len, CONTENTS[: number - 1]))


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_part_is_read_as_a_range_of_the_whole(address, stored, method, number):
    response = wire.call(address, method, stored, query=[("partNumber", str(number))])
    content, start = CONTENTS[number - 1], first_byte(number)
    assert response.status == 206
    assert response.get("content-range") == f"bytes {start}-{start + len(content) - 1}/{len(WHOLE)}"
    assert response.get("content-length") == str(len(content))
    assert response.get("x-amz-mp-parts-count") == "3"
    assert response.get("etag") == multipart.etag(CONTENTS)
    if method == "GET":
        assert response.body == content


def test_the_sdk_tells_the_number_of_parts(client, module_bucket, stored):
    head = client.head_object(Bucket=module_bucket, Key="k", PartNumber=2)
    assert head["PartsCount"] == 3 and head["ContentLength"] == len(CONTENTS[1])


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_part_beyond_the_last_is_refused(address, stored, method):
    response = wire.call(address, method, stored, query=[("partNumber", "4")])
    assert response.status == 416
    if method == "GET":
        error = response.error()
        assert error["Code"] == "InvalidPartNumber"
        assert (error["ActualPartCount"], error["PartNumberRequested"]) == ("3", "4")


@pytest.mark.parametrize("number", ["0", "10001", "-1", "x", ""])
def test_a_part_number_outside_1_to_10000_is_refused(address, stored, number):
    response = wire.call(address, "GET", stored, query=[("partNumber", number)])
    assert response.refusal() == (400, "InvalidArgument")


def test_a_part_number_with_a_range_is_refused(address, stored):
    response = wire.call(address, "GET", stored, query=[("partNumber", "1")], headers={"range": "bytes=0-1"})
    assert response.refusal() == (400, "InvalidRequest")


@pytest.mark.parametrize("size", [1, 300 * KIB])
def test_an_object_of_one_put_has_one_part_and_no_count(address, client, bucket, size):
    content = payload(size)
    client.put_object(Bucket=bucket, Key="k", Body=content)
    response = wire.call(address, "GET", f"/{bucket}/k", query=[("partNumber", "1")])
    assert (response.status, response.body) == (206, content)
    assert response.get("content-range") == f"bytes 0-{size - 1}/{size}"
    assert response.get("x-amz-mp-parts-count") is None
    beyond = wire.call(address, "GET", f"/{bucket}/k", query=[("partNumber", "2")])
    assert beyond.refusal() == (416, "InvalidPartNumber")


def test_an_upload_of_one_part_counts_it(address, client, bucket):
    multipart.store(client, bucket, "k", [b"alone"])
    response = wire.call(address, "GET", f"/{bucket}/k", query=[("partNumber", "1")])
    assert (response.status, response.body, response.get("x-amz-mp-parts-count")) == (206, b"alone", "1")


def test_conditions_hold_for_parts(address, stored):
    query = [("partNumber", "2")]
    unmodified = wire.call(address, "GET", stored, query=query, headers={"if-none-match": multipart.etag(CONTENTS)})
    assert unmodified.status == 304
    other = wire.call(address, "GET", stored, query=query, headers={"if-match": '"0"'})
    assert other.refusal() == (412, "PreconditionFailed")


RANGES = [
    (0, 1),
    (BORDER - 1, BORDER + 1),
    (BORDER, BORDER + 1),
    (BORDER - 1, BORDER),
    (BORDER - FRAME_PAYLOAD, BORDER + FRAME_PAYLOAD),
    (BORDER - 300 * KIB - 1, BORDER + 300 * KIB + 1),
    (BORDER + FRAME_PAYLOAD - 1, BORDER + FRAME_PAYLOAD + 1),
    (LAST - 1, LAST + 1),
    (LAST, len(WHOLE)),
    (BORDER - 1, LAST + 1),
    (1, len(WHOLE) - 1),
    (len(WHOLE) - 1, len(WHOLE)),
]


@pytest.mark.parametrize("start, end", RANGES)
def test_a_range_crosses_the_borders_of_parts(address, stored, start, end):
    response = wire.call(address, "GET", stored, headers={"range": f"bytes={start}-{end - 1}"})
    assert response.status == 206
    assert response.get("content-range") == f"bytes {start}-{end - 1}/{len(WHOLE)}"
    assert response.body == WHOLE[start:end]


@pytest.mark.parametrize("length", [1, len(CONTENTS[2]), len(CONTENTS[2]) + 1, len(WHOLE) + 1])
def test_a_suffix_range_counts_from_the_end_of_the_whole(address, stored, length):
    response = wire.call(address, "GET", stored, headers={"range": f"bytes=-{length}"})
    assert response.status == 206 and response.body == WHOLE[-length:]


def test_a_range_past_the_last_part_is_refused(address, stored):
    response = wire.call(address, "GET", stored, headers={"range": f"bytes={len(WHOLE)}-"})
    assert response.refusal() == (416, "InvalidRange")


def test_small_and_large_parts_mix(client, bucket):
    """The last part lies in the record, those before it in extents; an empty one ends it."""
    for tail in (b"", b"t", payload(8 * KIB), payload(8 * KIB + 1)):
        multipart.store(client, bucket, "k", [CONTENTS[0], tail])
        assert s3.body_of(client, bucket, "k") == CONTENTS[0] + tail
        if tail:
            span = f"bytes={MIN_PART - 10}-{MIN_PART}"
            assert s3.body_of(client, bucket, "k", Range=span) == CONTENTS[0][-10:] + tail[:1]
