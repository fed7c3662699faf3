"""Range reads: which forms are honoured, ignored or refused, and exact bytes across frames."""

import random

import pytest

from support import s3, wire
from support.payload import FRAME_PAYLOAD, KIB, MIB, payload

SIZES = {"inline": 1000, "stored": 20 * KIB, "framed": MIB}


@pytest.fixture(scope="module", params=SIZES)
def stored(request, client, module_bucket):
    """One object of each way of storing: its path and content."""
    content = payload(SIZES[request.param], seed=5)
    client.put_object(Bucket=module_bucket, Key=request.param, Body=content)
    return f"/{module_bucket}/{request.param}", content


def ranged(address, path, value, method="GET"):
    return wire.call(address, method, path, headers={"range": value})


@pytest.mark.parametrize(
    "value, first, last",
    [
        ("bytes=0-0", 0, 0),
        ("bytes=0-9", 0, 9),
        ("bytes=5-", 5, None),
        ("bytes=0-", 0, None),
        ("bytes=-1", -1, None),
        ("bytes=-500", -500, None),
        ("bytes=-99999999", 0, None),
        ("bytes=10-99999999", 10, None),
        ("bytes=10-18446744073709551615", 10, None),
    ],
)
def test_honoured_forms(address, stored, value, first, last):
    path, content = stored
    size = len(content)
    first = first % size if first < 0 else first
    last = size - 1 if last is None else last
    for method in ("GET", "HEAD"):
        response = ranged(address, path, value, method)
        assert response.status == 206
        assert response.get("content-range") == f"bytes {first}-{last}/{size}"
        assert response.get("content-length") == str(last - first + 1)
        if method == "GET":
            assert response.body == content[first : last + 1]


@pytest.mark.parametrize(
    "value",
    [
        "bytes=0-1,4-5",
        "bytes=10-5",
        "bytes=",
        "bytes=-",
        "bytes=a-b",
        "bytes=0 - 5",
        "bytes 0-5",
        "items=0-5",
        "0-5",
        "bytes=--5",
        "bytes=1-2-3",
    ],
)
def test_ignored_forms_give_the_whole_object(address, stored, value):
    path, content = stored
    response = ranged(address, path, value)
    assert (response.status, response.get("content-range")) == (200, None)
    assert response.body == content


def test_a_start_at_or_past_the_end_is_refused(address, stored):
    path, content = stored
    size = len(content)
    for value in (f"bytes={size}-", f"bytes={size}-{size + 5}", "bytes=99999999-", "bytes=-0"):
        response = ranged(address, path, value)
        assert response.refusal() == (416, "InvalidRange"), value
        assert response.get("content-range") == f"bytes */{size}"
        assert response.error()["ActualObjectSize"] == str(size)
        assert response.error()["RangeRequested"] == value
        headed = ranged(address, path, value, "HEAD")
        assert headed.status == 416


@pytest.mark.parametrize("value", ["bytes=0-0", "bytes=0-", "bytes=-1", "bytes=-0"])
def test_every_range_of_an_empty_object_is_refused(address, client, bucket, value):
    client.put_object(Bucket=bucket, Key="empty", Body=b"")
    assert ranged(address, f"/{bucket}/empty", value).refusal() == (416, "InvalidRange")


def test_the_last_byte_is_reachable(address, stored):
    path, content = stored
    size = len(content)
    assert ranged(address, path, f"bytes={size - 1}-{size - 1}").body == content[-1:]


def test_ranges_around_every_frame_boundary(client, module_bucket):
    content = payload(MIB, seed=6)
    client.put_object(Bucket=module_bucket, Key="boundaries", Body=content)
    edges = {n * step for step in (4096, FRAME_PAYLOAD, 64 * KIB, 256 * KIB, 4 * FRAME_PAYLOAD) for n in range(1, 17)}
    for edge in sorted(edge for edge in edges if 2 < edge < MIB - 2):
        for first, last in ((edge - 1, edge), (edge, edge), (edge - 1, edge - 1)):
            body = s3.body_of(client, module_bucket, "boundaries", Range=f"bytes={first}-{last}")
            assert body == content[first : last + 1], (first, last)


def test_random_ranges(client, module_bucket):
    seed = random.randrange(1 << 32)
    print("seed", seed)
    choose = random.Random(seed)
    content = payload(3 * MIB + 17, seed=7)
    client.put_object(Bucket=module_bucket, Key="random", Body=content)
    for _ in range(150):
        first = choose.randrange(len(content))
        last = min(len(content) - 1, first + choose.choice([0, 10, 5000, 70_000, 400_000, len(content)]))
        body = s3.body_of(client, module_bucket, "random", Range=f"bytes={first}-{last}")
        assert body == content[first : last + 1], (first, last)


def test_if_range_with_the_current_etag_honours_the_range(address, client, bucket):
    client.put_object(Bucket=bucket, Key="k", Body=b"0123456789")
    current = client.head_object(Bucket=bucket, Key="k")["ETag"]
    headers = {"range": "bytes=1-2", "if-range": current}
    assert wire.call(address, "GET", f"/{bucket}/k", headers=headers).body == b"12"


def test_if_range_with_another_etag_gives_the_whole_object(address, client, bucket):
    client.put_object(Bucket=bucket, Key="k", Body=b"0123456789")
    headers = {"range": "bytes=1-2", "if-range": '"00000000000000000000000000000000"'}
    response = wire.call(address, "GET", f"/{bucket}/k", headers=headers)
    assert (response.status, response.body) == (200, b"0123456789")


def test_part_number_one_of_a_simple_object_is_a_range_of_all(address, client, bucket):
    client.put_object(Bucket=bucket, Key="k", Body=b"0123456789")
    for method in ("GET", "HEAD"):
        response = wire.call(address, method, f"/{bucket}/k", query=[("partNumber", "1")])
        assert response.status == 206
        assert response.get("content-range") == "bytes 0-9/10"
        assert response.get("x-amz-mp-parts-count") is None


@pytest.mark.parametrize(
    "value, expected",
    [("2", (416, "InvalidPartNumber")), ("0", (400, "InvalidArgument")), ("10001", (400, "InvalidArgument"))],
)
def test_other_part_numbers_of_a_simple_object_are_refused(address, client, bucket, value, expected):
    client.put_object(Bucket=bucket, Key="k", Body=b"0123456789")
    assert wire.call(address, "GET", f"/{bucket}/k", query=[("partNumber", value)]).refusal() == expected


def test_part_number_and_range_together_are_refused(address, client, bucket):
    client.put_object(Bucket=bucket, Key="k", Body=b"0123456789")
    query, headers = [("partNumber", "1")], {"range": "bytes=0-1"}
    assert wire.call(address, "GET", f"/{bucket}/k", query=query, headers=headers).refusal() == (400, "InvalidRequest")
