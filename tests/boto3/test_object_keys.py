"""Object keys are bytes: nothing is normalised, joined or trimmed."""

import pytest

from support import s3, wire
from support.s3 import refused

ODD_KEYS = [
    "/leading",
    "//two-leading",
    "a//b",
    "a/",
    "/",
    "trailing/dots/..",
    "../up",
    "./here",
    "a/./b",
    "a/../b",
    ".",
    "..",
    "plus+plus",
    "per%cent",
    "%2F",
    "%41",
    "sp ace",
    " leading and trailing ",
    "tab\tnew\nline",
    "bell\x07escape\x1b",
    "quote'\"<&>",
    "star*?[x]",
    "question?mark=1&b=2",
    "hash#fragment",
    "semi;colon,comma:at@",
    "tilde~_-.!()$",
    "back\\slash",
    "grüße",
    "雪/山",
    "emoji-😀",
    "combining-e\u0301",
    "composed-\u00e9",
    "last-\U0010ffff",
]


def test_odd_keys_are_distinct_objects(client, bucket):
    for key in ODD_KEYS:
        client.put_object(Bucket=bucket, Key=key, Body=key.encode(), Metadata={"key": key.encode().hex()})
    for key in ODD_KEYS:
        got = client.get_object(Bucket=bucket, Key=key)
        assert got["Body"].read() == key.encode()
        assert got["Metadata"] == {"key": key.encode().hex()}
    assert s3.all_keys(client, bucket) == sorted(ODD_KEYS, key=str.encode)
    for key in ODD_KEYS:
        client.delete_object(Bucket=bucket, Key=key)
    assert s3.all_keys(client, bucket) == []


def test_a_key_its_folder_and_its_child_coexist(client, bucket):
    for key in ("a", "a/", "a/b"):
        client.put_object(Bucket=bucket, Key=key, Body=key.encode())
    client.delete_object(Bucket=bucket, Key="a/")
    assert s3.all_keys(client, bucket) == ["a", "a/b"]
    assert s3.body_of(client, bucket, "a/b") == b"a/b"


@pytest.mark.parametrize("key", ["k" * 1024, "é" * 512, "/" * 1024, "😀" * 256])
def test_a_key_of_1024_bytes_is_accepted(client, bucket, key):
    client.put_object(Bucket=bucket, Key=key, Body=b"long")
    assert s3.body_of(client, bucket, key) == b"long"
    assert s3.all_keys(client, bucket) == [key]


@pytest.mark.parametrize("key", ["k" * 1025, "é" * 512 + "x"])
def test_a_key_of_1025_bytes_is_refused(client, bucket, key):
    with refused(400, "KeyTooLongError"):
        client.put_object(Bucket=bucket, Key=key, Body=b"x")


@pytest.mark.parametrize("target", ["%FF", "a%C3%28", "%C0%AF", "%ED%A0%80"])
def test_a_key_that_is_not_utf8_is_refused(address, bucket, target):
    path = f"/{bucket}/{target}"
    response = wire.call(address, "PUT", path, body=b"x")
    assert response.status == 400


@pytest.mark.parametrize("target", ["stray%", "stray%2", "stray%zz"])
def test_a_broken_percent_sign_is_refused(address, bucket, target):
    assert wire.call(address, "PUT", f"/{bucket}/{target}", body=b"x").status == 400


def test_a_literal_plus_in_the_path_is_a_plus(address, client, bucket):
    # Some clients send the plus bare; the signature covers its encoded form.
    prepared = wire.prepare(address, "PUT", f"/{bucket}/a%2Bb", body_bytes=1)
    prepared.target = f"/{bucket}/a+b"
    with wire.Connection(address) as connection:
        connection.send(prepared.head() + b"x")
        assert connection.response().status == 200
    assert s3.all_keys(client, bucket) == ["a+b"]


def test_other_encodings_of_a_path_name_the_same_key(address, client, bucket):
    client.put_object(Bucket=bucket, Key="a~b@c/d", Body=b"same")
    for target in ("a~b@c/d", "a%7Eb%40c/d", "a%7eb@c%2Fd", "%61~b%40c/d"):
        prepared = wire.prepare(address, "GET", wire.object_path(bucket, "a~b@c/d"))
        prepared.target = f"/{bucket}/{target}"
        with wire.Connection(address) as connection:
            connection.send(prepared.head())
            assert connection.response().body == b"same", target
