"""ListObjectsV2: order, pages, prefixes, delimiters, tokens, encoding."""

import datetime

import pytest

from support import s3, wire
from support.accounts import MAIN
from support.payload import etag
from support.s3 import refused

TREE = ["a", "a/1", "a/2", "a/b/1", "b", "b-1", "b/1", "c/1", "c/2", "d"]


def fill(client, bucket, keys):
    for key in keys:
        client.put_object(Bucket=bucket, Key=key, Body=key.encode())


@pytest.fixture(scope="module")
def tree(client, module_bucket):
    """A bucket with the keys of TREE."""
    fill(client, module_bucket, TREE)
    return module_bucket


def keys_and_prefixes(page) -> tuple[list[str], list[str]]:
    keys = [entry["Key"] for entry in page.get("Contents", [])]
    return keys, [entry["Prefix"] for entry in page.get("CommonPrefixes", [])]


def walk(client, bucket, max_keys, **query):
    """All pages by continuation token; checks what every page must hold."""
    pages, token = [], {}
    while True:
        page = client.list_objects_v2(Bucket=bucket, MaxKeys=max_keys, **query, **token)
        keys, prefixes = keys_and_prefixes(page)
        assert page["KeyCount"] == len(keys) + len(prefixes) <= max_keys
        assert page["MaxKeys"] == max_keys
        assert page["IsTruncated"] == ("NextContinuationToken" in page)
        if token:
            assert page["ContinuationToken"] == token["ContinuationToken"]
        pages.append((keys, prefixes))
        if not page["IsTruncated"]:
            return pages
        assert keys or prefixes, "a truncated page must give something"
        token = {"ContinuationToken": page["NextContinuationToken"]}


def test_entries_tell_everything(client, bucket):
    client.put_object(Bucket=bucket, Key="k", Body=b"hello")
    page = client.list_objects_v2(Bucket=bucket)
    assert page["Name"] == bucket and page["Prefix"] == "" and page["KeyCount"] == 1 and page["MaxKeys"] == 1000
    (entry,) = page["Contents"]
    assert entry["Key"] == "k" and entry["Size"] == 5 and entry["ETag"] == etag(b"hello")
    assert entry["StorageClass"] == "STANDARD" and "Owner" not in entry
    age = datetime.datetime.now(datetime.timezone.utc) - entry["LastModified"]
    assert abs(age) < datetime.timedelta(minutes=1)
    assert entry["LastModified"].replace(microsecond=0) == client.head_object(Bucket=bucket, Key="k")["LastModified"]


def test_an_empty_bucket(client, bucket):
    page = client.list_objects_v2(Bucket=bucket)
    assert page["KeyCount"] == 0 and page["IsTruncated"] is False and "Contents" not in page


def test_fetch_owner(client, bucket):
    client.put_object(Bucket=bucket, Key="k", Body=b"x")
    (entry,) = client.list_objects_v2(Bucket=bucket, FetchOwner=True)["Contents"]
    assert entry["Owner"] == {"ID": MAIN.user, "DisplayName": MAIN.display_name}


def test_order_is_by_utf8_bytes(client, bucket):
    keys = ["z", "Z", "a", "~", "!", "é", "e\u0301", "\uffee", "😀", "a/b", "a!", "a\x01", "雪"]
    fill(client, bucket, keys)
    expected = sorted(keys, key=str.encode)
    assert s3.all_keys(client, bucket) == expected
    assert [key for page, _ in walk(client, bucket, 2) for key in page] == expected


@pytest.mark.parametrize("max_keys", [1, 2, 3, 9, 10, 11])
def test_pages_join_to_the_whole(client, tree, max_keys):
    pages = walk(client, tree, max_keys)
    assert [key for keys, _ in pages for key in keys] == TREE
    assert len(pages) == -(-len(TREE) // max_keys)


@pytest.mark.parametrize("max_keys", [1, 2, 3, 100])
@pytest.mark.parametrize(
    "query, keys, prefixes",
    [
        ({"Delimiter": "/"}, ["a", "b", "b-1", "d"], ["a/", "b/", "c/"]),
        ({"Delimiter": "/", "Prefix": "a/"}, ["a/1", "a/2"], ["a/b/"]),
        ({"Delimiter": "/", "Prefix": "a"}, ["a"], ["a/"]),
        ({"Delimiter": "/", "Prefix": "c/"}, ["c/1", "c/2"], []),
        ({"Delimiter": "-"}, [key for key in TREE if key != "b-1"], ["b-"]),
        ({"Delimiter": "/1"}, ["a", "a/2", "b", "b-1", "c/2", "d"], ["a/1", "a/b/1", "b/1", "c/1"]),
        ({"Delimiter": "nowhere"}, TREE, []),
        ({"Prefix": "b"}, ["b", "b-1", "b/1"], []),
        ({"Prefix": "e"}, [], []),
        ({"Prefix": "a/b/1/2"}, [], []),
        ({"StartAfter": "a/2"}, TREE[3:], []),
        ({"StartAfter": "a/20"}, TREE[3:], []),
        ({"StartAfter": "zzz"}, [], []),
        ({"StartAfter": "a", "Prefix": "c/"}, ["c/1", "c/2"], []),
        # A group sorts after `start-after` unless that lies past the whole group.
        ({"StartAfter": "b", "Delimiter": "/"}, ["b-1", "d"], ["b/", "c/"]),
        ({"StartAfter": "a/1", "Delimiter": "/"}, ["b", "b-1", "d"], ["a/", "b/", "c/"]),
    ],
)
def test_prefix_delimiter_and_start(client, tree, max_keys, query, keys, prefixes):
    pages = walk(client, tree, max_keys, **query)
    assert [key for page, _ in pages for key in page] == keys
    # Each group comes once, whatever the page size.
    assert [prefix for _, page in pages for prefix in page] == prefixes


@pytest.mark.parametrize("delimiter", ["%", "+", " ", "雪", "ab", "\n"])
def test_any_delimiter(client, bucket, delimiter):
    fill(client, bucket, [f"x{delimiter}1", f"x{delimiter}2", f"y{delimiter}{delimiter}", "plain"])
    pages = walk(client, bucket, 1, Delimiter=delimiter)
    assert [key for page, _ in pages for key in page] == ["plain"]
    assert [prefix for _, page in pages for prefix in page] == [f"x{delimiter}", f"y{delimiter}"]


def test_a_key_equal_to_the_prefix_stays_in_contents(client, bucket):
    fill(client, bucket, ["dir/", "dir/a", "dir/sub/"])
    page = client.list_objects_v2(Bucket=bucket, Prefix="dir/", Delimiter="/")
    assert keys_and_prefixes(page) == (["dir/", "dir/a"], ["dir/sub/"])


def test_repeated_folder_names_and_leading_slashes(client, bucket):
    fill(client, bucket, ["a/a/a/x", "/a/b", "//c", "a//b"])
    page = client.list_objects_v2(Bucket=bucket, Delimiter="/")
    assert keys_and_prefixes(page) == ([], ["/", "a/"])
    page = client.list_objects_v2(Bucket=bucket, Delimiter="/", Prefix="a/")
    assert keys_and_prefixes(page) == ([], ["a//", "a/a/"])


def test_a_common_prefix_with_many_keys_takes_one_place_of_a_page(client, bucket):
    fill(client, bucket, [f"{letter}/{number:02}" for letter in "abc" for number in range(40)] + ["d"])
    assert walk(client, bucket, 1, Delimiter="/") == [([], ["a/"]), ([], ["b/"]), ([], ["c/"]), (["d"], [])]
    assert walk(client, bucket, 2, Delimiter="/") == [([], ["a/", "b/"]), (["d"], ["c/"])]


def test_a_token_wins_over_start_after_which_is_still_echoed(client, tree):
    first = client.list_objects_v2(Bucket=tree, MaxKeys=3)
    page = client.list_objects_v2(Bucket=tree, ContinuationToken=first["NextContinuationToken"], StartAfter="c/2")
    assert keys_and_prefixes(page)[0] == TREE[3:]
    assert page["StartAfter"] == "c/2"


def test_a_token_stays_good_when_its_key_is_deleted(client, bucket):
    fill(client, bucket, ["1", "2", "3", "4"])
    first = client.list_objects_v2(Bucket=bucket, MaxKeys=2)
    client.delete_object(Bucket=bucket, Key="2")
    client.delete_object(Bucket=bucket, Key="3")
    page = client.list_objects_v2(Bucket=bucket, ContinuationToken=first["NextContinuationToken"])
    assert keys_and_prefixes(page)[0] == ["4"]


@pytest.mark.parametrize("token", ["nonsense", "%%%", "AAAA", ""])
def test_a_bad_token_is_refused(address, tree, token):
    query = [("list-type", "2"), ("continuation-token", token)]
    assert wire.call(address, "GET", f"/{tree}", query=query).refusal() == (400, "InvalidArgument")


def test_max_keys_zero_is_an_empty_page_without_a_token(client, tree):
    page = client.list_objects_v2(Bucket=tree, MaxKeys=0)
    assert page["KeyCount"] == 0 and page["MaxKeys"] == 0 and page["IsTruncated"] is False
    assert "NextContinuationToken" not in page and "Contents" not in page


def test_max_keys_above_1000_is_clamped(client, tree):
    assert client.list_objects_v2(Bucket=tree, MaxKeys=5000)["MaxKeys"] == 1000


def test_a_page_holds_1000_keys(client, bucket):
    keys = [f"{number:04}" for number in range(1003)]
    fill(client, bucket, keys)
    first = client.list_objects_v2(Bucket=bucket)
    assert first["KeyCount"] == 1000 and first["IsTruncated"] is True
    rest = client.list_objects_v2(Bucket=bucket, ContinuationToken=first["NextContinuationToken"])
    assert keys_and_prefixes(first)[0] + keys_and_prefixes(rest)[0] == keys


@pytest.mark.parametrize("list_type", [[("list-type", "2")], []])
@pytest.mark.parametrize("value", ["-1", "many", "1.5", "99999999999999999999999"])
def test_a_bad_max_keys_is_refused(address, tree, list_type, value):
    query = [*list_type, ("max-keys", value)]
    assert wire.call(address, "GET", f"/{tree}", query=query).refusal() == (400, "InvalidArgument")


@pytest.mark.parametrize("list_type", [[("list-type", "2")], []])
def test_another_encoding_type_is_refused(address, tree, list_type):
    query = [*list_type, ("encoding-type", "base64")]
    assert wire.call(address, "GET", f"/{tree}", query=query).refusal() == (400, "InvalidArgument")


def listed(address, bucket, *query):
    root = wire.call(address, "GET", f"/{bucket}", query=[("list-type", "2"), *query]).xml()
    assert root.tag == f"{wire.NAMESPACE}ListBucketResult"
    return root


def texts(root, path):
    steps = "/".join(f"{wire.NAMESPACE}{step}" for step in path.split("/"))
    return [element.text for element in root.findall(steps)]


def test_url_encoding_on_the_wire(address, client, bucket):
    keys = ["a b/1", "a+b", "a%b", "é/x", "new\nline", "q?&=", "tilde~-_."]
    fill(client, bucket, keys)
    root = listed(address, bucket, ("encoding-type", "url"), ("delimiter", "/"), ("prefix", ""), ("start-after", "! é"))
    assert texts(root, "EncodingType") == ["url"]
    written = texts(root, "Contents/Key")
    assert "a%2Bb" in written and "a%25b" in written and "new%0Aline" in written and "q%3F%26%3D" in written
    prefixes = texts(root, "CommonPrefixes/Prefix")
    assert prefixes in (["a+b/", "%C3%A9/"], ["a%20b/", "%C3%A9/"])
    assert texts(root, "Delimiter") == ["/"]
    assert texts(root, "StartAfter") in (["%21+%C3%A9"], ["%21%20%C3%A9"], ["!+%C3%A9"], ["!%20%C3%A9"])


def test_without_encoding_the_document_is_still_well_formed(address, client, bucket):
    keys = ["<&>'\"", "new\nline", "tab\t", "a b", "a+b", "a%20b", "雪"]
    fill(client, bucket, keys)
    root = listed(address, bucket)
    assert texts(root, "EncodingType") == []
    assert sorted(texts(root, "Contents/Key")) == sorted(keys)


def test_without_encoding_forbidden_characters_become_references(address, client, bucket):
    fill(client, bucket, ["bell\x07"])
    body = wire.call(address, "GET", f"/{bucket}", query=[("list-type", "2")]).body
    assert b"\x07" not in body
    assert b"bell&#x7;" in body or b"bell&#7;" in body or b"bell&#x07;" in body


def test_element_order_and_types(address, client, bucket):
    fill(client, bucket, ["a/1", "b"])
    root = listed(address, bucket, ("delimiter", "/"))
    order = [child.tag.removeprefix(wire.NAMESPACE) for child in root]
    wanted = ["Name", "Prefix", "KeyCount", "MaxKeys", "Delimiter", "IsTruncated", "Contents", "CommonPrefixes"]
    assert [name for name in order if name in wanted] == wanted
    assert texts(root, "Contents/ETag") == [etag(b"b")]
    (stamp,) = texts(root, "Contents/LastModified")
    assert len(stamp) == 24 and stamp.endswith("Z") and stamp[-5] == "."


def test_list_of_a_missing_bucket_is_refused(client):
    with refused(404, "NoSuchBucket"):
        client.list_objects_v2(Bucket=s3.new_bucket_name("missing"))


def test_a_listing_sees_every_write_at_once(client, bucket):
    for number in range(30):
        client.put_object(Bucket=bucket, Key=f"{number:02}", Body=b"x")
        assert len(s3.all_keys(client, bucket)) == number + 1
    for number in range(30):
        client.delete_object(Bucket=bucket, Key=f"{number:02}")
        assert len(s3.all_keys(client, bucket)) == 29 - number
