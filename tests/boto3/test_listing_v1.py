"""ListObjects, the old call that aws-cli and s3cmd still make."""

import pytest

from support import s3, wire
from support.accounts import MAIN

TREE = ["a", "a/1", "a/2", "b", "b/1", "c/1", "d"]


@pytest.fixture(scope="module")
def tree(client, module_bucket):
    """A bucket with the keys of TREE."""
    for key in TREE:
        client.put_object(Bucket=module_bucket, Key=key, Body=b"x")
    return module_bucket


def names(page) -> tuple[list[str], list[str]]:
    keys = [entry["Key"] for entry in page.get("Contents", [])]
    return keys, [entry["Prefix"] for entry in page.get("CommonPrefixes", [])]


def test_entries_always_have_an_owner(client, tree):
    page = client.list_objects(Bucket=tree)
    assert [entry["Key"] for entry in page["Contents"]] == TREE
    assert all(entry["Owner"] == {"ID": MAIN.user, "DisplayName": MAIN.display_name} for entry in page["Contents"])
    assert page["IsTruncated"] is False and page["MaxKeys"] == 1000 and page["Marker"] == ""


def test_marker_is_exclusive_and_echoed(client, tree):
    page = client.list_objects(Bucket=tree, Marker="a/1")
    assert page["Marker"] == "a/1" and names(page)[0] == TREE[2:]
    assert names(client.list_objects(Bucket=tree, Marker="a/15"))[0] == TREE[2:]
    assert names(client.list_objects(Bucket=tree, Marker="zzz"))[0] == []


@pytest.mark.parametrize("max_keys", [1, 2, 3, 7])
def test_pages_continue_at_the_last_key(client, tree, max_keys):
    seen, marker = [], ""
    while True:
        page = client.list_objects(Bucket=tree, MaxKeys=max_keys, Marker=marker)
        seen += names(page)[0]
        assert "NextMarker" not in page
        if not page["IsTruncated"]:
            break
        marker = page["Contents"][-1]["Key"]
    assert seen == TREE


@pytest.mark.parametrize("max_keys", [1, 2, 3, 7])
def test_pages_with_a_delimiter_continue_at_next_marker(client, tree, max_keys):
    keys, prefixes, marker = [], [], ""
    while True:
        page = client.list_objects(Bucket=tree, MaxKeys=max_keys, Marker=marker, Delimiter="/")
        page_keys, page_prefixes = names(page)
        keys += page_keys
        prefixes += page_prefixes
        assert len(page_keys) + len(page_prefixes) <= max_keys
        assert page["IsTruncated"] == ("NextMarker" in page)
        if not page["IsTruncated"]:
            break
        marker = page["NextMarker"]
    assert (keys, prefixes) == (["a", "b", "d"], ["a/", "b/", "c/"])


def test_a_marker_equal_to_a_prefix_skips_its_group(client, tree):
    page = client.list_objects(Bucket=tree, Marker="a/", Delimiter="/")
    assert names(page) == (["b", "d"], ["b/", "c/"])


def test_max_keys_zero(client, tree):
    page = client.list_objects(Bucket=tree, MaxKeys=0)
    assert page["IsTruncated"] is False and names(page) == ([], [])


def test_markers_are_url_encoded(address, client, bucket):
    for key in ("a b/1", "é/1"):
        client.put_object(Bucket=bucket, Key=key, Body=b"x")
    query = [("encoding-type", "url"), ("delimiter", "/"), ("max-keys", "1"), ("marker", "! ")]
    root = wire.call(address, "GET", f"/{bucket}", query=query).xml()
    assert root.find(f"{wire.NAMESPACE}NextMarker").text in ("a+b/", "a%20b/")
    assert root.find(f"{wire.NAMESPACE}Marker").text in ("%21+", "%21%20", "!+", "!%20")


def test_boto3_decodes_markers_and_goes_on(client, bucket):
    expected = [f"dir {number}+é/" for number in range(5)]
    for prefix in expected:
        client.put_object(Bucket=bucket, Key=prefix + "x", Body=b"x")
    pages = client.get_paginator("list_objects").paginate(
        Bucket=bucket, Delimiter="/", PaginationConfig={"PageSize": 2}
    )
    assert [entry["Prefix"] for page in pages for entry in page["CommonPrefixes"]] == expected


def test_v1_has_no_v2_elements(address, tree):
    root = wire.call(address, "GET", f"/{tree}").xml()
    tags = {child.tag.removeprefix(wire.NAMESPACE) for child in root}
    assert not tags & {"KeyCount", "ContinuationToken", "NextContinuationToken", "StartAfter"}
    assert root.tag == f"{wire.NAMESPACE}ListBucketResult"


def test_list_type_other_than_2_is_refused_or_v1(address, tree):
    response = wire.call(address, "GET", f"/{tree}", query=[("list-type", "1")])
    assert response.status in (200, 400)


def test_list_of_a_missing_bucket_is_refused(client):
    with s3.refused(404, "NoSuchBucket"):
        client.list_objects(Bucket=s3.new_bucket_name("missing"))
