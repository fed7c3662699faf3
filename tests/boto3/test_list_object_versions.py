"""ListObjectVersions: order, entries, pages with both markers, prefixes and delimiters."""

import datetime
from urllib.parse import unquote

import pytest

from support import history, s3, wire
from support.accounts import MAIN
from support.payload import etag
from support.s3 import refused

OWNER = {"ID": MAIN.user, "DisplayName": MAIN.display_name}
# Key and what was done to it, oldest first: p(ut), d(elete).
WRITES = {"a": "pp", "a/1": "pdp", "a/2": "d", "b": "pppd", "b-1": "p", "c/d/1": "dp", "c/e": "pp", "é": "p"}


@pytest.fixture(scope="module")
def tree(client, module_bucket):
    """A versioned bucket with the history of WRITES, one step of every key in turn."""
    client.put_object(Bucket=module_bucket, Key="b", Body=b"null")
    s3.set_versioning(client, module_bucket, "Enabled")
    expected = {key: [] for key in WRITES}
    expected["b"].append(("null", False))
    for step in range(max(map(len, WRITES.values()))):
        for key in reversed(WRITES):
            match WRITES[key][step : step + 1]:
                case "p":
                    answer = client.put_object(Bucket=module_bucket, Key=key, Body=bytes([step]))
                    expected[key].append((answer["VersionId"], False))
                case "d":
                    answer = client.delete_object(Bucket=module_bucket, Key=key)
                    expected[key].append((answer["VersionId"], True))
    entries = [
        history.Entry(key, version, position == 0, is_marker)
        for key, versions in expected.items()
        for position, (version, is_marker) in enumerate(reversed(versions))
    ]
    return module_bucket, entries


def of_keys(entries, *keys):
    return [entry for entry in entries if entry.key in keys]


def joined(pages):
    entries = [entry for page in pages for entry in page.entries]
    return entries, [prefix for page in pages for prefix in page.prefixes]


def test_order_is_by_key_then_newest_first(address, tree):
    bucket, entries = tree
    page = history.page(address, bucket)
    assert page.entries == entries
    assert not page.is_truncated and page.next_key is None and page.next_version is None


@pytest.mark.parametrize("max_keys", [1, 2, 3, 5, 17, 18])
@pytest.mark.parametrize(
    "query, keys, prefixes",
    [
        ({}, list(WRITES), []),
        ({"prefix": "b"}, ["b", "b-1"], []),
        ({"prefix": "c/d"}, ["c/d/1"], []),
        ({"prefix": "nowhere"}, [], []),
        ({"delimiter": "/"}, ["a", "b", "b-1", "é"], ["a/", "c/"]),
        ({"delimiter": "/", "prefix": "c/"}, ["c/e"], ["c/d/"]),
        ({"delimiter": "/", "prefix": "a"}, ["a"], ["a/"]),
        ({"delimiter": "-"}, [key for key in WRITES if key != "b-1"], ["b-"]),
    ],
)
def test_pages_join_to_the_whole(address, tree, max_keys, query, keys, prefixes):
    bucket, entries = tree
    pages = history.walk(address, bucket, max_keys, **query)
    assert joined(pages) == (of_keys(entries, *keys), prefixes)
    full = -(-(len(of_keys(entries, *keys)) + len(prefixes)) // max_keys)
    assert len(pages) == max(full, 1)


def test_a_key_marker_alone_resumes_after_every_version_of_that_key(address, tree):
    bucket, entries = tree
    later = [entry for entry in entries if entry.key.encode() > b"b"]
    assert history.page(address, bucket, key_marker="b").entries == later
    assert history.page(address, bucket, key_marker="az").entries == of_keys(entries, "b") + later
    assert history.page(address, bucket, key_marker="zzz").entries == of_keys(entries, "é")


def test_both_markers_resume_strictly_after_that_version(address, tree):
    bucket, entries = tree
    for position, entry in enumerate(entries):
        page = history.page(address, bucket, key_marker=entry.key, version_id_marker=entry.version)
        # The null version is a marker like any other.
        assert page.entries == entries[position + 1 :]


def test_a_version_marker_needs_a_key_marker(address, tree):
    bucket, entries = tree
    query = [("versions", ""), ("version-id-marker", entries[0].version)]
    assert wire.call(address, "GET", f"/{bucket}", query=query).refusal() == (400, "InvalidArgument")


@pytest.mark.parametrize(
    "name, value",
    [("max-keys", "-1"), ("max-keys", "x"), ("encoding-type", "base64"), ("version-id-marker", "not a version")],
)
def test_a_wrong_parameter_is_refused(address, tree, name, value):
    query = [("versions", ""), ("key-marker", "a"), (name, value)]
    assert wire.call(address, "GET", f"/{tree[0]}", query=query).refusal() == (400, "InvalidArgument")


def test_max_keys_of_zero_and_of_more_than_1000(address, client, tree):
    page = history.page(address, tree[0], max_keys="0")
    assert page.entries == [] and not page.is_truncated
    assert client.list_object_versions(Bucket=tree[0], MaxKeys=5000)["MaxKeys"] == 1000


def test_entries_tell_everything(client, bucket):
    s3.set_versioning(client, bucket, "Enabled")
    version = client.put_object(Bucket=bucket, Key="k", Body=b"hello", ChecksumAlgorithm="SHA1")["VersionId"]
    marker = client.delete_object(Bucket=bucket, Key="k")["VersionId"]
    page = client.list_object_versions(Bucket=bucket)
    assert (page["Name"], page["Prefix"], page["MaxKeys"], page["KeyMarker"]) == (bucket, "", 1000, "")
    (entry,), (marked,) = page["Versions"], page["DeleteMarkers"]
    assert (entry["Key"], entry["VersionId"], entry["IsLatest"]) == ("k", version, False)
    assert (entry["Size"], entry["ETag"], entry["StorageClass"]) == (5, etag(b"hello"), "STANDARD")
    assert (entry["ChecksumAlgorithm"], entry["ChecksumType"]) == (["SHA1"], "FULL_OBJECT")
    assert (marked["Key"], marked["VersionId"], marked["IsLatest"]) == ("k", marker, True)
    assert "Size" not in marked and "ETag" not in marked
    for told in (entry, marked):
        assert told["Owner"] == OWNER
        age = datetime.datetime.now(datetime.timezone.utc) - told["LastModified"]
        assert abs(age) < datetime.timedelta(minutes=1)


def test_an_unversioned_bucket_lists_null_versions(address, client, bucket):
    assert history.page(address, bucket).entries == []
    for key in ("b", "a"):
        client.put_object(Bucket=bucket, Key=key, Body=b"x")
    expected = [history.Entry(key, "null", is_latest=True, is_marker=False) for key in ("a", "b")]
    assert history.page(address, bucket).entries == expected
    assert joined(history.walk(address, bucket, 1)) == (expected, [])


def test_neighbouring_keys_do_not_mix(address, client, bucket):
    """Keys that begin with each other: the end of a key must not be taken for a version, nor the other way."""
    s3.set_versioning(client, bucket, "Enabled")
    keys = ["k", "k\x01", "k\x01\x01", "k0", "k0000000000000000", "kk", "k\u00ff", "k\U0010ffff"]
    for _ in range(3):
        for key in keys:
            client.put_object(Bucket=bucket, Key=key, Body=key.encode())
    # XML has no way to write some of these keys.
    found = history.page(address, bucket, encoding_type="url").entries
    assert [unquote(entry.key) for entry in found] == [key for key in sorted(keys, key=str.encode) for _ in range(3)]
    assert [entry.is_latest for entry in found] == [True, False, False] * len(keys)
    for entry in found:
        assert s3.body_of(client, bucket, unquote(entry.key), VersionId=entry.version) == unquote(entry.key).encode()


def test_a_long_history_of_one_key_goes_over_pages(address, client, bucket):
    s3.set_versioning(client, bucket, "Enabled")
    path = f"/{bucket}/k"
    written = []
    with wire.Connection(address) as connection:
        for _ in range(1100):
            connection.send(wire.prepare(address, "PUT", path, body_bytes=1).head() + b"x")
            written.append(connection.response().get("x-amz-version-id"))
    first, second = history.walk(address, bucket, 1000)
    assert len(first.entries) == 1000 and (first.next_key, first.next_version) == ("k", written[100])
    assert [entry.version for entry in first.entries + second.entries] == written[::-1]
    assert s3.all_keys(client, bucket) == ["k"]


def test_keys_are_encoded_when_asked(address, client, bucket):
    key = "a+b/c d\n&é"
    client.put_object(Bucket=bucket, Key=key, Body=b"x")
    client.put_object(Bucket=bucket, Key=key + "2", Body=b"x")
    page = history.page(address, bucket, encoding_type="url", max_keys="1")
    encoded = "a%2Bb/c+d%0A%26%C3%A9"
    assert page.entries[0].key.replace("%20", "+") == page.next_key.replace("%20", "+") == encoded
    # The SDK asks for the encoding by itself and takes it off.
    assert [entry["Key"] for entry in s3.versions(client, bucket)] == [key, key + "2"]


def test_refusals(client, alt_client, bucket):
    with refused(404, "NoSuchBucket"):
        client.list_object_versions(Bucket=s3.new_bucket_name("missing"))
    with refused(403, "AccessDenied"):
        alt_client.list_object_versions(Bucket=bucket)
