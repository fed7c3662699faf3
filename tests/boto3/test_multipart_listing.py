"""ListParts and ListMultipartUploads: what an entry tells, pages, markers, prefixes."""

import datetime

import pytest

from support import multipart, s3, wire
from support.accounts import MAIN
from support.payload import etag
from support.s3 import refused

MANY = 1005
OWNER = {"ID": MAIN.user, "DisplayName": MAIN.display_name}
TREE = ["a/1", "a/2", "b", "c/d/1", "c/d/2", "c/e", "é"]


@pytest.fixture(scope="module")
def many_parts(address, client, module_bucket):
    """An upload of MANY parts, every second number; each part is as long as a tenth of its number."""
    upload = multipart.begin(client, module_bucket, "many")
    path = f"/{module_bucket}/many"
    with wire.Connection(address) as connection:
        for number in range(2, 2 * MANY + 1, 2):
            query = [("partNumber", str(number)), ("uploadId", upload)]
            body = b"x" * (number // 10)
            prepared = wire.prepare(address, "PUT", path, query=query, body_bytes=len(body))
            connection.send(prepared.head() + body)
            assert connection.response().status == 200
    return {"Bucket": module_bucket, "Key": "many", "UploadId": upload}


def test_a_part_tells_everything(client, bucket):
    created = client.create_multipart_upload(Bucket=bucket, Key="k")
    multipart.put_part(client, bucket, "k", created["UploadId"], 3, b"hello")
    answer = client.list_parts(Bucket=bucket, Key="k", UploadId=created["UploadId"])
    assert (answer["Bucket"], answer["Key"], answer["UploadId"]) == (bucket, "k", created["UploadId"])
    assert answer["Initiator"] == answer["Owner"] == OWNER
    assert answer["StorageClass"] == "STANDARD" and answer["IsTruncated"] is False
    assert (answer["PartNumberMarker"], answer["MaxParts"]) == (0, 1000)
    (part,) = answer["Parts"]
    assert (part["PartNumber"], part["Size"], part["ETag"]) == (3, 5, etag(b"hello"))
    age = datetime.datetime.now(datetime.timezone.utc) - part["LastModified"]
    assert abs(age) < datetime.timedelta(minutes=1)


def test_an_upload_without_parts(client, bucket):
    upload = multipart.begin(client, bucket, "k")
    answer = client.list_parts(Bucket=bucket, Key="k", UploadId=upload)
    assert "Parts" not in answer and answer["IsTruncated"] is False


def test_a_page_has_at_most_1000_parts(client, many_parts):
    first = client.list_parts(**many_parts)
    assert len(first["Parts"]) == 1000 and first["IsTruncated"] and first["NextPartNumberMarker"] == 2000
    rest = client.list_parts(**many_parts, PartNumberMarker=first["NextPartNumberMarker"])
    assert rest["PartNumberMarker"] == 2000 and not rest["IsTruncated"]
    numbers = [part["PartNumber"] for part in first["Parts"] + rest["Parts"]]
    assert numbers == list(range(2, 2 * MANY + 1, 2))
    assert all(part["Size"] == part["PartNumber"] // 10 for part in first["Parts"] + rest["Parts"])


@pytest.mark.parametrize("max_parts", [1, 7, 334, 1000])
def test_pages_of_parts_join_to_the_whole(client, many_parts, max_parts):
    numbers, marker = [], 0 if max_parts > 7 else 1990
    while True:
        page = client.list_parts(**many_parts, MaxParts=max_parts, PartNumberMarker=marker)
        assert page["MaxParts"] == max_parts and len(page["Parts"]) <= max_parts
        numbers += [part["PartNumber"] for part in page["Parts"]]
        if not page["IsTruncated"]:
            break
        assert page["NextPartNumberMarker"] == numbers[-1]
        marker = page["NextPartNumberMarker"]
    assert numbers == list(range(2 if max_parts > 7 else 1992, 2 * MANY + 1, 2))


@pytest.mark.parametrize("marker, first", [(0, 2), (1, 2), (2, 4), (3, 4), (2 * MANY, None), (10_000, None)])
def test_the_marker_need_not_be_a_part(client, many_parts, marker, first):
    parts = client.list_parts(**many_parts, PartNumberMarker=marker, MaxParts=1).get("Parts", [])
    assert [part["PartNumber"] for part in parts] == ([] if first is None else [first])


@pytest.mark.parametrize("name", ["max-parts", "part-number-marker"])
@pytest.mark.parametrize("value", ["-1", "one", "99999999999999999999"])
def test_a_page_parameter_that_is_no_number_is_refused(address, many_parts, name, value):
    query = [("uploadId", many_parts["UploadId"]), (name, value)]
    response = wire.call(address, "GET", f"/{many_parts['Bucket']}/many", query=query)
    assert response.refusal() == (400, "InvalidArgument")


@pytest.fixture(scope="module")
def tree(client, tenant_client):
    """A bucket of another user with one upload for each key of TREE and a second one for `b`; ids by key."""
    bucket = s3.create_bucket(tenant_client, s3.new_bucket_name("uploads"))
    ids = {key: [multipart.begin(tenant_client, bucket, key)] for key in reversed(TREE)}
    ids["b"].append(multipart.begin(tenant_client, bucket, "b"))
    yield bucket, ids
    s3.delete_bucket_with_objects(tenant_client, bucket)


def uploads_and_prefixes(page):
    found = [(entry["Key"], entry["UploadId"]) for entry in page.get("Uploads", [])]
    return found, [entry["Prefix"] for entry in page.get("CommonPrefixes", [])]


def expected_uploads(ids, keys=TREE):
    return [(key, upload) for key in keys for upload in ids[key]]


def test_an_upload_tells_everything(client, bucket):
    created = client.create_multipart_upload(Bucket=bucket, Key="k", ChecksumAlgorithm="SHA256")
    page = client.list_multipart_uploads(Bucket=bucket)
    assert page["Bucket"] == bucket and page["MaxUploads"] == 1000 and page["IsTruncated"] is False
    (upload,) = page["Uploads"]
    assert (upload["Key"], upload["UploadId"]) == ("k", created["UploadId"])
    assert upload["Initiator"] == upload["Owner"] == OWNER and upload["StorageClass"] == "STANDARD"
    assert (upload["ChecksumAlgorithm"], upload["ChecksumType"]) == ("SHA256", "COMPOSITE")
    age = datetime.datetime.now(datetime.timezone.utc) - upload["Initiated"]
    assert abs(age) < datetime.timedelta(minutes=1)


def test_uploads_stand_by_key_then_by_their_beginning(tenant_client, tree):
    bucket, ids = tree
    page = tenant_client.list_multipart_uploads(Bucket=bucket)
    assert uploads_and_prefixes(page) == (expected_uploads(ids), [])


def test_completed_and_aborted_uploads_are_not_listed(client, bucket):
    uploads = [multipart.begin(client, bucket, "k") for _ in range(3)]
    part = multipart.put_part(client, bucket, "k", uploads[0], 1, b"x")
    multipart.complete(client, bucket, "k", uploads[0], [part])
    client.abort_multipart_upload(Bucket=bucket, Key="k", UploadId=uploads[1])
    assert uploads_and_prefixes(client.list_multipart_uploads(Bucket=bucket))[0] == [("k", uploads[2])]


@pytest.mark.parametrize("max_uploads", [1, 2, 3, 100])
@pytest.mark.parametrize(
    "query, keys, prefixes",
    [
        ({}, TREE, []),
        ({"Prefix": "c/"}, ["c/d/1", "c/d/2", "c/e"], []),
        ({"Delimiter": "/"}, ["b", "é"], ["a/", "c/"]),
        ({"Delimiter": "/", "Prefix": "c/"}, ["c/e"], ["c/d/"]),
        ({"Prefix": "nowhere"}, [], []),
    ],
)
def test_pages_prefixes_and_delimiters(tenant_client, tree, max_uploads, query, keys, prefixes):
    bucket, ids = tree
    found, groups, markers = [], [], {}
    while True:
        page = tenant_client.list_multipart_uploads(Bucket=bucket, MaxUploads=max_uploads, **query, **markers)
        uploads, common = uploads_and_prefixes(page)
        assert len(uploads) + len(common) <= max_uploads
        found += uploads
        groups += common
        if not page["IsTruncated"]:
            break
        assert uploads or common
        markers = {"KeyMarker": page["NextKeyMarker"]}
        if page.get("NextUploadIdMarker"):
            markers["UploadIdMarker"] = page["NextUploadIdMarker"]
    assert (found, groups) == (expected_uploads(ids, keys), prefixes)


def test_a_key_marker_alone_skips_every_upload_of_that_key(tenant_client, tree):
    bucket, ids = tree
    page = tenant_client.list_multipart_uploads(Bucket=bucket, KeyMarker="b")
    assert uploads_and_prefixes(page)[0] == expected_uploads(ids, TREE[3:])
    page = tenant_client.list_multipart_uploads(Bucket=bucket, KeyMarker="b", UploadIdMarker=ids["b"][0])
    assert uploads_and_prefixes(page)[0] == [("b", ids["b"][1]), *expected_uploads(ids, TREE[3:])]


def test_an_upload_id_marker_without_a_key_marker_is_ignored(tenant_client, tree):
    bucket, ids = tree
    page = tenant_client.list_multipart_uploads(Bucket=bucket, UploadIdMarker=ids["é"][0])
    assert uploads_and_prefixes(page)[0] == expected_uploads(ids)


def test_a_malformed_upload_id_marker_is_refused(tenant_client, tree):
    with refused(400, "InvalidArgument"):
        tenant_client.list_multipart_uploads(Bucket=tree[0], KeyMarker="b", UploadIdMarker="not an id")


@pytest.mark.parametrize("name, value", [("max-uploads", "-1"), ("max-uploads", "x"), ("encoding-type", "base64")])
def test_a_wrong_parameter_is_refused(address, bucket, name, value):
    response = wire.call(address, "GET", f"/{bucket}", query=[("uploads", ""), (name, value)])
    assert response.refusal() == (400, "InvalidArgument")


def test_keys_are_encoded_when_asked(address, client, bucket):
    key = "a+b/c d\n&é"
    multipart.begin(client, bucket, key)
    query = [("uploads", ""), ("encoding-type", "url"), ("prefix", "a+")]
    root = wire.call(address, "GET", f"/{bucket}", query=query).xml()
    assert root.tag == f"{wire.NAMESPACE}ListMultipartUploadsResult"
    assert root.findtext(f"{wire.NAMESPACE}EncodingType") == "url"
    assert root.findtext(f"{wire.NAMESPACE}Prefix") == "a%2B"
    told = root.findtext(f"{wire.NAMESPACE}Upload/{wire.NAMESPACE}Key")
    assert told.replace("%20", "+") == "a%2Bb/c+d%0A%26%C3%A9"
    # The SDK asks for the encoding by itself and takes it off.
    assert client.list_multipart_uploads(Bucket=bucket)["Uploads"][0]["Key"] == key


def test_a_missing_bucket(client):
    with refused(404, "NoSuchBucket"):
        client.list_multipart_uploads(Bucket=s3.new_bucket_name("missing"))
