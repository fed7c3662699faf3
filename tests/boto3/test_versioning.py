"""Versioning: its configuration, versions, null versions, delete markers, what deletes bring back."""

import pytest

from support import history, multipart, race, s3, wire
from support.accounts import MAIN
from support.checksums import content_md5
from support.payload import KIB, MIB, etag, payload
from support.s3 import refused

WRITERS = 16
MARKERS = 1200
GONE = (404, "NoSuchKey")


@pytest.fixture
def versioned(client, bucket) -> str:
    """A bucket that keeps versions."""
    s3.set_versioning(client, bucket, "Enabled")
    return bucket


def put(client, bucket, content: bytes, key="k") -> str:
    """Returns the version id."""
    return client.put_object(Bucket=bucket, Key=key, Body=content)["VersionId"]


def body(client, bucket, version, key="k") -> bytes:
    return s3.body_of(client, bucket, key, VersionId=version)


def ids(address, bucket, key="k") -> list[str]:
    return [entry.version for entry in history.of(address, bucket, key)]


# --- configuration


def test_a_bucket_that_was_never_versioned_has_no_status(address, client, bucket):
    assert "Status" not in client.get_bucket_versioning(Bucket=bucket)
    root = wire.call(address, "GET", f"/{bucket}", query=[("versioning", "")]).xml()
    assert root.tag == f"{wire.NAMESPACE}VersioningConfiguration" and len(root) == 0


def test_the_status_is_kept(client, bucket):
    for status in ("Enabled", "Suspended", "Suspended", "Enabled"):
        s3.set_versioning(client, bucket, status)
        assert client.get_bucket_versioning(Bucket=bucket)["Status"] == status


@pytest.mark.parametrize(
    "body",
    [
        "<VersioningConfiguration><Status>Disabled</Status></VersioningConfiguration>",
        "<VersioningConfiguration><Status>enabled</Status></VersioningConfiguration>",
        "<VersioningConfiguration><Status></Status></VersioningConfiguration>",
        "<VersioningConfiguration/>",
        "<Other><Status>Enabled</Status></Other>",
        "<VersioningConfiguration><Status>Enabled</Status>",
        "",
    ],
)
def test_a_malformed_configuration_changes_nothing(address, client, versioned, body):
    headers = {"content-md5": content_md5(body.encode())}
    query = [("versioning", "")]
    response = wire.call(address, "PUT", f"/{versioned}", query=query, body=body.encode(), headers=headers)
    assert response.status == 400
    assert response.error()["Code"] in ("MalformedXML", *(["MissingRequestBodyError"] if not body else []))
    assert client.get_bucket_versioning(Bucket=versioned)["Status"] == "Enabled"


def test_another_organisation_may_not_configure(client, alt_client, bucket):
    with refused(403, "AccessDenied"):
        s3.set_versioning(alt_client, bucket, "Enabled")
    with refused(403, "AccessDenied"):
        alt_client.get_bucket_versioning(Bucket=bucket)


# --- enabled


def test_an_unversioned_bucket_tells_no_version(client, bucket):
    assert "VersionId" not in client.put_object(Bucket=bucket, Key="k", Body=b"x")
    assert "VersionId" not in client.head_object(Bucket=bucket, Key="k")
    # Its one version is the null version all the same.
    assert body(client, bucket, "null") == b"x"


@pytest.mark.parametrize("sizes", [(10, 20, 30), (300 * KIB, 9 * KIB, 2 * MIB)], ids=str)
def test_every_write_is_kept(address, client, versioned, sizes):
    written = {}
    for number, size in enumerate(sizes):
        answer = client.put_object(
            Bucket=versioned, Key="k", Body=payload(size), Metadata={"n": str(number)}, Tagging=f"n={number}"
        )
        written[answer["VersionId"]] = (number, size)
    assert len(written) == len(sizes) and "null" not in written
    assert ids(address, versioned) == list(written)[::-1]
    for version, (number, size) in written.items():
        got = client.get_object(Bucket=versioned, Key="k", VersionId=version)
        assert got["Body"].read() == payload(size) and got["ETag"] == etag(payload(size))
        assert got["VersionId"] == version and got["Metadata"] == {"n": str(number)}
        head = client.head_object(Bucket=versioned, Key="k", VersionId=version)
        assert (head["ContentLength"], head["VersionId"]) == (size, version)
        tags = client.get_object_tagging(Bucket=versioned, Key="k", VersionId=version)
        assert tags["TagSet"] == [{"Key": "n", "Value": str(number)}] and tags["VersionId"] == version
    current = client.get_object(Bucket=versioned, Key="k")
    assert current["VersionId"] == list(written)[-1] and current["Body"].read() == payload(sizes[-1])
    assert len(client.list_objects_v2(Bucket=versioned)["Contents"]) == 1


def test_enabling_keeps_the_object_as_the_null_version(address, client, bucket):
    client.put_object(Bucket=bucket, Key="k", Body=b"before")
    s3.set_versioning(client, bucket, "Enabled")
    assert client.head_object(Bucket=bucket, Key="k")["VersionId"] == "null"
    new = put(client, bucket, b"after")
    assert ids(address, bucket) == [new, "null"]
    assert body(client, bucket, "null") == b"before" and s3.body_of(client, bucket, "k") == b"after"
    client.delete_object(Bucket=bucket, Key="k", VersionId="null")
    assert ids(address, bucket) == [new]


def test_a_delete_leaves_a_marker(address, client, versioned):
    version = put(client, versioned, b"x")
    answer = client.delete_object(Bucket=versioned, Key="k")
    assert answer["DeleteMarker"] is True and answer["VersionId"] not in (version, "null")
    assert ids(address, versioned) == [answer["VersionId"], version]
    assert body(client, versioned, version) == b"x"
    assert s3.all_keys(client, versioned) == []
    second = client.delete_object(Bucket=versioned, Key="k")["VersionId"]
    assert ids(address, versioned) == [second, answer["VersionId"], version]


def test_a_delete_of_a_key_that_never_was_leaves_a_marker(address, client, versioned):
    answer = client.delete_object(Bucket=versioned, Key="never")
    assert answer["DeleteMarker"] is True
    assert ids(address, versioned, "never") == [answer["VersionId"]]
    with refused(409, "BucketNotEmpty"):
        client.delete_bucket(Bucket=versioned)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_current_marker_is_not_found_and_named(address, client, versioned, method):
    put(client, versioned, b"x")
    marker = client.delete_object(Bucket=versioned, Key="k")["VersionId"]
    current = wire.call(address, method, f"/{versioned}/k")
    assert current.status == 404
    assert (current.get("x-amz-delete-marker"), current.get("x-amz-version-id")) == ("true", marker)
    named = wire.call(address, method, f"/{versioned}/k", query=[("versionId", marker)])
    assert named.status == 405 and named.get("allow") == "DELETE"
    assert named.get("x-amz-delete-marker") == "true" and named.get("last-modified")
    if method == "GET":
        assert current.error()["Code"] == "NoSuchKey" and named.error()["Code"] == "MethodNotAllowed"
    else:
        assert not current.body and not named.body


def test_deleting_the_marker_brings_the_object_back(address, client, versioned):
    version = put(client, versioned, payload(20 * KIB))
    marker = client.delete_object(Bucket=versioned, Key="k")["VersionId"]
    answer = client.delete_object(Bucket=versioned, Key="k", VersionId=marker)
    assert (answer["DeleteMarker"], answer["VersionId"]) == (True, marker)
    got = client.get_object(Bucket=versioned, Key="k")
    assert got["VersionId"] == version and got["Body"].read() == payload(20 * KIB)
    assert s3.all_keys(client, versioned) == ["k"] and ids(address, versioned) == [version]


def test_deleting_the_newest_version_brings_the_one_before(address, client, versioned):
    """Whatever that is: an object, a marker, an object again, nothing."""
    first = put(client, versioned, b"first")
    second = put(client, versioned, payload(20 * KIB))
    marker = client.delete_object(Bucket=versioned, Key="k")["VersionId"]
    third = put(client, versioned, b"third")
    answer = client.delete_object(Bucket=versioned, Key="k", VersionId=third)
    assert answer["VersionId"] == third and "DeleteMarker" not in answer
    with refused(*GONE):
        client.get_object(Bucket=versioned, Key="k")
    assert [entry.is_latest for entry in history.of(address, versioned, "k")] == [True, False, False]
    client.delete_object(Bucket=versioned, Key="k", VersionId=marker)
    assert s3.body_of(client, versioned, "k") == payload(20 * KIB)
    client.delete_object(Bucket=versioned, Key="k", VersionId=second)
    assert s3.body_of(client, versioned, "k") == b"first"
    (entry,) = history.of(address, versioned, "k")
    assert (entry.version, entry.is_latest) == (first, True)
    client.delete_object(Bucket=versioned, Key="k", VersionId=first)
    response = wire.call(address, "GET", f"/{versioned}/k")
    assert response.refusal() == GONE and response.get("x-amz-delete-marker") is None
    client.delete_bucket(Bucket=versioned)


def test_deleting_an_older_version_leaves_the_current(node, address, client, versioned):
    old = put(client, versioned, payload(MIB, 1))
    middle = client.delete_object(Bucket=versioned, Key="k")["VersionId"]
    new = put(client, versioned, payload(MIB, 2))
    used = node.extent_bytes_in_use()
    for version in (old, middle):
        client.delete_object(Bucket=versioned, Key="k", VersionId=version)
    assert ids(address, versioned) == [new] and s3.body_of(client, versioned, "k") == payload(MIB, 2)
    assert used - node.extent_bytes_in_use() >= MIB
    with refused(404, "NoSuchVersion"):
        body(client, versioned, old)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_version_ids_that_name_nothing(address, client, versioned, method):
    elsewhere = put(client, versioned, b"x", "other")
    put(client, versioned, b"x")
    cases = {elsewhere: (404, "NoSuchVersion"), "null": (404, "NoSuchVersion")}
    cases |= {text: (400, "InvalidArgument") for text in ("", "not a version", "NULL", "x" * 1100, elsewhere + "0")}
    for version, expected in cases.items():
        response = wire.call(address, method, f"/{versioned}/k", query=[("versionId", version)])
        assert response.status == expected[0], version
        if method == "GET":
            assert response.error()["Code"] == expected[1]


def test_a_delete_of_an_unknown_version_changes_nothing(address, client, versioned):
    version, elsewhere = put(client, versioned, b"x"), put(client, versioned, b"x", "other")
    answer = client.delete_object(Bucket=versioned, Key="k", VersionId=elsewhere)
    assert answer["VersionId"] == elsewhere and answer["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert ids(address, versioned) == [version] and ids(address, versioned, "other") == [elsewhere]
    with refused(400, "InvalidArgument"):
        client.delete_object(Bucket=versioned, Key="k", VersionId="not a version")


def test_conditional_reads_and_ranges_of_a_version(client, versioned):
    old = put(client, versioned, b"0123456789")
    put(client, versioned, b"new")
    got = client.get_object(Bucket=versioned, Key="k", VersionId=old, Range="bytes=2-4", IfMatch=etag(b"0123456789"))
    assert got["Body"].read() == b"234" and got["VersionId"] == old
    with refused(412, "PreconditionFailed"):
        client.get_object(Bucket=versioned, Key="k", VersionId=old, IfMatch=etag(b"new"))


# --- suspended


def test_a_suspended_bucket_replaces_the_null_version_alone(node, address, client, bucket):
    client.put_object(Bucket=bucket, Key="k", Body=b"unversioned")
    s3.set_versioning(client, bucket, "Enabled")
    kept = put(client, bucket, b"kept")
    s3.set_versioning(client, bucket, "Suspended")
    used = node.extent_bytes_in_use()
    for seed in range(3):
        assert put(client, bucket, payload(MIB, seed)) == "null"
    assert ids(address, bucket) == ["null", kept]
    head = client.head_object(Bucket=bucket, Key="k")
    assert (head["VersionId"], head["ContentLength"]) == ("null", MIB)
    assert body(client, bucket, kept) == b"kept" and body(client, bucket, "null") == payload(MIB, 2)
    assert MIB <= node.extent_bytes_in_use() - used < 2 * MIB
    # Enabled again: the null version stays where it stands.
    s3.set_versioning(client, bucket, "Enabled")
    newest = put(client, bucket, b"newest")
    assert ids(address, bucket) == [newest, "null", kept]


def test_a_null_version_below_others_is_replaced_and_comes_to_the_top(address, client, bucket):
    client.put_object(Bucket=bucket, Key="k", Body=b"old null")
    s3.set_versioning(client, bucket, "Enabled")
    kept = put(client, bucket, b"kept")
    s3.set_versioning(client, bucket, "Suspended")
    assert ids(address, bucket) == [kept, "null"]
    put(client, bucket, b"new null")
    assert ids(address, bucket) == ["null", kept]
    client.delete_object(Bucket=bucket, Key="k", VersionId="null")
    assert ids(address, bucket) == [kept] and s3.body_of(client, bucket, "k") == b"kept"


def test_deletes_in_a_suspended_bucket_leave_one_null_marker(address, client, versioned):
    kept = put(client, versioned, b"kept")
    s3.set_versioning(client, versioned, "Suspended")
    put(client, versioned, b"null")
    for _ in range(3):
        answer = client.delete_object(Bucket=versioned, Key="k")
        assert (answer["DeleteMarker"], answer["VersionId"]) == (True, "null")
        markers = [entry.is_marker for entry in history.of(address, versioned, "k")]
        assert ids(address, versioned) == ["null", kept] and markers == [True, False]
    with refused(405, "MethodNotAllowed"):
        body(client, versioned, "null")
    # A write replaces the null marker as well.
    assert put(client, versioned, b"again") == "null"
    assert [entry.is_marker for entry in history.of(address, versioned, "k")] == [False, False]
    client.delete_object(Bucket=versioned, Key="k")
    client.delete_object(Bucket=versioned, Key="k", VersionId="null")
    assert s3.body_of(client, versioned, "k") == b"kept"


def test_copies_and_uploads_in_a_suspended_bucket_are_null_versions(address, client, versioned):
    kept = put(client, versioned, b"kept")
    s3.set_versioning(client, versioned, "Suspended")
    copied = client.copy_object(Bucket=versioned, Key="k", CopySource=f"{versioned}/k?versionId={kept}")
    assert (copied["VersionId"], copied["CopySourceVersionId"]) == ("null", kept)
    assert multipart.store(client, versioned, "k", [b"upload"])["VersionId"] == "null"
    assert ids(address, versioned) == ["null", kept] and s3.body_of(client, versioned, "k") == b"upload"


# --- other calls


def test_an_upload_takes_its_place_when_completed(address, client, versioned):
    upload = multipart.begin(client, versioned, "k")
    part = multipart.put_part(client, versioned, "k", upload, 1, b"upload")
    between = put(client, versioned, b"between")
    completed = multipart.complete(client, versioned, "k", upload, [part])["VersionId"]
    assert ids(address, versioned) == [completed, between]
    assert s3.body_of(client, versioned, "k") == b"upload"


def test_delete_objects_with_and_without_versions(address, client, versioned):
    old, new = put(client, versioned, b"old"), put(client, versioned, b"new")
    single, plain = put(client, versioned, b"x", "single"), put(client, versioned, b"x", "plain")
    marker = client.delete_object(Bucket=versioned, Key="marked")["VersionId"]
    objects = [
        {"Key": "k", "VersionId": old},
        {"Key": "single", "VersionId": single},
        {"Key": "marked", "VersionId": marker},
        {"Key": "plain"},
        {"Key": "never"},
        {"Key": "k", "VersionId": "not a version"},
    ]
    answer = client.delete_objects(Bucket=versioned, Delete={"Objects": objects})
    told = {(entry["Key"], entry.get("VersionId")): entry for entry in answer["Deleted"]}
    assert set(told) == {("k", old), ("single", single), ("marked", marker), ("plain", None), ("never", None)}
    for key in ("plain", "never"):
        entry = told[key, None]
        assert entry["DeleteMarker"] is True
        assert ids(address, versioned, key)[0] == entry["DeleteMarkerVersionId"]
    assert told["marked", marker]["DeleteMarker"] is True
    assert told["marked", marker]["DeleteMarkerVersionId"] == marker
    assert "DeleteMarker" not in told["k", old]
    (error,) = answer["Errors"]
    assert error["Key"] == "k" and error["Code"] in ("InvalidArgument", "NoSuchVersion")
    assert ids(address, versioned) == [new] and ids(address, versioned, "single") == []
    assert ids(address, versioned, "marked") == [] and ids(address, versioned, "plain")[1:] == [plain]


def test_markers_do_not_cut_a_listing_short(client, versioned):
    """More keys that only have markers than a page has room for, and one object behind them."""
    keys = [f"deleted/{number:04}" for number in range(MARKERS)]
    for start in range(0, MARKERS, 1000):
        batch = [{"Key": key} for key in keys[start : start + 1000]]
        client.delete_objects(Bucket=versioned, Delete={"Objects": batch, "Quiet": True})
    put(client, versioned, b"x", "first")
    put(client, versioned, b"x", "zlast")
    assert s3.all_keys(client, versioned) == ["first", "zlast"]
    page = client.list_objects_v2(Bucket=versioned, MaxKeys=2, Delimiter="/")
    assert [entry["Key"] for entry in page.get("Contents", [])] == ["first", "zlast"]
    assert "CommonPrefixes" not in page
    assert len(s3.versions(client, versioned)) == MARKERS + 2


def test_writers_at_once_make_a_version_each(address, client, versioned):
    contents = [payload(9 * KIB, seed) for seed in range(WRITERS)]
    written = race.at_once([lambda content=content: put(client, versioned, content) for content in contents])
    assert len(set(written)) == WRITERS and sorted(ids(address, versioned)) == sorted(written)
    for version, content in zip(written, contents):
        assert body(client, versioned, version) == content
    newest = ids(address, versioned)[0]
    assert client.head_object(Bucket=versioned, Key="k")["VersionId"] == newest


def test_the_history_lives_through_a_kill(start_server):
    server = start_server("versions_kill")
    client = s3.make_client(server.endpoint, MAIN)
    bucket = s3.create_bucket(client, "history")
    s3.set_versioning(client, bucket, "Enabled")
    before = [put(client, bucket, payload(size)) for size in (10, 20 * KIB)]
    before.append(client.delete_object(Bucket=bucket, Key="k")["VersionId"])
    server.kill()
    server.start()
    assert ids(server.address, bucket) == before[::-1]
    after = put(client, bucket, b"after")
    assert ids(server.address, bucket) == [after, *before[::-1]]
    assert body(client, bucket, before[1]) == payload(20 * KIB)
    assert client.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
