"""What lifecycle rules do: objects, versions, delete markers and uploads go when they are due, and nothing else does.

The server's lifecycle days last two seconds. Nothing here measures how long something takes: a test waits until what is
due is gone, and for what must stay until something else is gone that was due a day later.
"""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from support import lifecycle, multipart, s3, sse_c
from support.accounts import MAIN
from support.lifecycle import EXPIRE, eventually, midnight, rule
from support.payload import MIB, payload

DAY_S = 2
SETTINGS = {"allow_test_clock": True, "lifecycle": {"test_day_s": DAY_S}}
NONCURRENT = {"NoncurrentVersionExpiration": {"NoncurrentDays": 1}}
MARKER = {"Expiration": {"ExpiredObjectDeleteMarker": True}}
TAG = {"Tag": {"Key": "t", "Value": "1"}}


@pytest.fixture(scope="module")
def node(start_server):
    """A server whose days are short; it takes the place of the shared one in this file."""
    return start_server("lifecycle", **SETTINGS)


@pytest.fixture(scope="module")
def client(node):
    return s3.make_client(node.endpoint, MAIN)


class DayClock:
    """Tells that days have passed, and that the node has done what was due in them: something due later is gone."""

    def __init__(self, client):
        self.client = client
        self.bucket = s3.create_bucket(client, s3.new_bucket_name("clock"))
        rules = [rule(f"{days}", f"{days}/", Expiration={"Days": days}) for days in range(1, 10)]
        lifecycle.put(client, self.bucket, *rules)
        self.put = 0

    def pass_days(self, days: int = 1) -> None:
        """Waits until all is gone that was put before this call and due so many days later."""
        self.put += 1
        key = f"{days + 1}/{self.put}"
        self.client.put_object(Bucket=self.bucket, Key=key, Body=b"")
        eventually(lambda: not s3.exists(self.client, self.bucket, key), f"{days + 1} days to pass")


@pytest.fixture(scope="module")
def clock(client):
    return DayClock(client)


def put(client, bucket: str, *keys: str, **parameters) -> None:
    for key in keys:
        client.put_object(Bucket=bucket, Key=key, **{"Body": b"x", **parameters})


def leave(client, bucket: str, *expected: str) -> None:
    """Waits until these keys alone are left."""
    eventually(lambda: s3.all_keys(client, bucket) == sorted(expected), f"{expected} alone are left")


def history(client, bucket: str) -> list[tuple[str, str, str]]:
    """Key, kind and id of every version and delete marker."""
    kind = lambda entry: "version" if "ETag" in entry else "marker"
    return sorted((entry["Key"], kind(entry), entry["VersionId"]) for entry in s3.versions(client, bucket))


def kinds(client, bucket: str) -> list[tuple[str, str]]:
    return [(key, kind) for key, kind, _ in history(client, bucket)]


# --- objects


def test_objects_under_a_prefix_go_and_others_stay(client, bucket, clock):
    lifecycle.put(client, bucket, rule("a", "old/", **EXPIRE), rule("b", Prefix="older/", **EXPIRE))
    put(client, bucket, "keep", "old", "old-keep", "old/1", "old/2/3", "older/1", "z/old/1")
    leave(client, bucket, "keep", "old", "old-keep", "z/old/1")
    clock.pass_days()
    leave(client, bucket, "keep", "old", "old-keep", "z/old/1")
    assert s3.versions(client, bucket, Prefix="old/") == []


def test_rules_hit_what_is_there_already(client, bucket, clock):
    put(client, bucket, "old/1", "old/2", "keep")
    clock.pass_days()
    lifecycle.put(client, bucket, rule("a", "old/", **EXPIRE))
    leave(client, bucket, "keep")


def test_a_date_that_has_passed_hits_old_and_new_objects(client, bucket):
    put(client, bucket, "past/old", "future/1", "keep")
    lifecycle.put(
        client,
        bucket,
        rule("past", "past/", Expiration={"Date": midnight(-1)}),
        rule("future", "future/", Expiration={"Date": midnight(3650)}),
    )
    leave(client, bucket, "future/1", "keep")
    put(client, bucket, "past/new")
    leave(client, bucket, "future/1", "keep")


def test_tags_choose(client, bucket, clock):
    and_ = {"And": {"Prefix": "and/", "Tags": [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]}}
    lifecycle.put(client, bucket, rule("tag", Filter=TAG, **EXPIRE), rule("and", Filter=and_, **EXPIRE))
    put(client, bucket, "1", "and/1", Tagging="t=1&u=2")
    put(client, bucket, "2", Tagging="t=2")
    put(client, bucket, "3")
    put(client, bucket, "and/2", "4", Tagging="a=1&b=2&c=3")
    put(client, bucket, "and/3", Tagging="a=1")
    leave(client, bucket, "2", "3", "4", "and/3")
    clock.pass_days()
    leave(client, bucket, "2", "3", "4", "and/3")


def test_a_tag_that_comes_later_makes_an_object_due(client, bucket, clock):
    lifecycle.put(client, bucket, rule("tag", Filter=TAG, **EXPIRE))
    put(client, bucket, "k", "keep")
    clock.pass_days()
    leave(client, bucket, "k", "keep")
    client.put_object_tagging(Bucket=bucket, Key="k", Tagging={"TagSet": [TAG["Tag"]]})
    leave(client, bucket, "keep")


def test_a_tag_that_is_taken_away_saves_an_object(client, bucket, clock):
    lifecycle.put(client, bucket, rule("tag", Filter=TAG, Expiration={"Days": 2}))
    put(client, bucket, "gone", "saved", Tagging="t=1")
    client.delete_object_tagging(Bucket=bucket, Key="saved")
    leave(client, bucket, "saved")
    clock.pass_days(2)
    leave(client, bucket, "saved")


def test_sizes_choose(client, bucket, clock):
    sizes = {"And": {"Prefix": "between/", "ObjectSizeGreaterThan": 2, "ObjectSizeLessThan": 5}}
    lifecycle.put(
        client,
        bucket,
        rule("large", Filter={"ObjectSizeGreaterThan": 1000}, **EXPIRE),
        rule("small", Filter={"ObjectSizeLessThan": 2}, **EXPIRE),
        rule("between", Filter=sizes, **EXPIRE),
    )
    for size in (0, 1, 2, 3, 4, 5, 1000, 1001, 100_000):
        put(client, bucket, f"{size:06}", f"between/{size:06}", Body=bytes(size))
    stay = ["000002", "000003", "000004", "000005", "001000"]
    stay += ["between/000002", "between/000005", "between/001000"]
    leave(client, bucket, *stay)
    clock.pass_days()
    leave(client, bucket, *stay)


def test_a_rule_that_is_disabled_does_nothing(client, bucket, clock):
    put(client, bucket, "off/1", "on/1")
    lifecycle.put(client, bucket, rule("off", "off/", enabled=False, **EXPIRE), rule("on", "on/", **EXPIRE))
    leave(client, bucket, "off/1")
    clock.pass_days()
    leave(client, bucket, "off/1")
    lifecycle.put(client, bucket, rule("off", "off/", **EXPIRE))
    leave(client, bucket)


def test_an_overwrite_begins_a_new_life(client, bucket):
    """Overwritten until an object of the same age has gone: the last overwrite has days to live."""
    lifecycle.put(client, bucket, rule("a", Expiration={"Days": 4}))
    put(client, bucket, "same age", "overwritten")
    bodies = []

    def overwrite_and_look() -> bool:
        bodies.append(f"{len(bodies)}".encode())
        put(client, bucket, "overwritten", Body=bodies[-1])
        return not s3.exists(client, bucket, "same age")

    eventually(overwrite_and_look, "an object of the same age goes")
    assert s3.body_of(client, bucket, "overwritten") == bodies[-1]
    leave(client, bucket)


def test_rules_that_are_removed_in_time_do_nothing(client, bucket, clock):
    lifecycle.put(client, bucket, rule("a", Expiration={"Days": 3}))
    put(client, bucket, "k")
    client.delete_bucket_lifecycle(Bucket=bucket)
    clock.pass_days(3)
    assert s3.all_keys(client, bucket) == ["k"]


def test_other_rules_take_the_place_of_those_before(client, bucket, clock):
    lifecycle.put(client, bucket, rule("a", "a/", Expiration={"Days": 3}), rule("b", "b/", Expiration={"Days": 1000}))
    put(client, bucket, "a/1", "b/1")
    lifecycle.put(client, bucket, rule("a", "a/", Expiration={"Days": 1000}), rule("b", "b/", **EXPIRE))
    leave(client, bucket, "a/1")
    clock.pass_days(3)
    leave(client, bucket, "a/1")


def test_of_several_rules_the_soonest_counts(client, bucket, clock):
    lifecycle.put(client, bucket, rule("a", "a", Expiration={"Days": 1000}), rule("b", "a/b", **EXPIRE))
    put(client, bucket, "a/1", "a/b/1")
    leave(client, bucket, "a/1")
    clock.pass_days()
    leave(client, bucket, "a/1")


def test_copies_and_uploads_in_parts_have_an_age_of_their_own(client, bucket, clock):
    put(client, bucket, "keep/source")
    upload = multipart.begin(client, bucket, "old/parts")
    clock.pass_days(2)
    lifecycle.put(client, bucket, rule("a", "old/", Expiration={"Days": 3}))
    client.copy_object(Bucket=bucket, Key="old/copy", CopySource=f"{bucket}/keep/source")
    part = multipart.put_part(client, bucket, "old/parts", upload, 1, b"x")
    multipart.complete(client, bucket, "old/parts", upload, [part])
    source = client.head_object(Bucket=bucket, Key="keep/source")["LastModified"]
    for key in ("old/copy", "old/parts"):
        headed = client.head_object(Bucket=bucket, Key=key)
        assert headed["LastModified"] > source
        assert headed["Expiration"] == lifecycle.expiration(lifecycle.due(headed["LastModified"], 3, DAY_S), "a")
    leave(client, bucket, "keep/source")


def test_an_object_that_was_renamed_goes_under_its_new_name(client, bucket, clock):
    lifecycle.put(client, bucket, rule("a", "old/", Expiration={"Days": 2}))
    put(client, bucket, "keep", "old/1")
    client.rename_object(Bucket=bucket, Key="old/2", RenameSource="keep")
    client.rename_object(Bucket=bucket, Key="kept", RenameSource="old/1")
    leave(client, bucket, "kept")
    clock.pass_days(2)
    leave(client, bucket, "kept")


def test_what_a_customer_s_key_locks_goes_without_it(client, bucket):
    lifecycle.put(client, bucket, rule("a", **EXPIRE))
    put(client, bucket, "k", **sse_c.CustomerKey.of("lifecycle").parameters)
    leave(client, bucket)


def test_many_objects_go_and_their_bytes_come_back(node, client, bucket):
    before = node.extent_bytes_in_use()
    with ThreadPoolExecutor(16) as writers:
        list(writers.map(lambda number: put(client, bucket, f"old/{number:04}"), range(1200)))
    put(client, bucket, "old/large", "keep", Body=payload(3 * MIB))
    assert node.extent_bytes_in_use() - before >= 6 * MIB
    lifecycle.put(client, bucket, rule("a", "old/", **EXPIRE))
    leave(client, bucket, "keep")
    eventually(lambda: 3 * MIB <= node.extent_bytes_in_use() - before < 4 * MIB, "the bytes of one object are in use")


def test_a_bucket_whose_objects_have_gone_can_be_deleted(client):
    name = s3.create_bucket(client, s3.new_bucket_name())
    lifecycle.put(client, name, rule("a", **EXPIRE))
    put(client, name, "1", "2")
    leave(client, name)
    client.delete_bucket(Bucket=name)


def test_a_bucket_made_again_keeps_its_objects(client, clock):
    name = s3.create_bucket(client, s3.new_bucket_name())
    lifecycle.put(client, name, rule("a", Expiration={"Days": 2}))
    put(client, name, "k")
    client.delete_object(Bucket=name, Key="k")
    client.delete_bucket(Bucket=name)
    s3.create_bucket(client, name)
    put(client, name, "k")
    clock.pass_days(2)
    assert s3.all_keys(client, name) == ["k"]
    s3.delete_bucket_with_objects(client, name)


def test_the_header_tells_what_happens(client, bucket):
    lifecycle.put(client, bucket, rule("a", Expiration={"Days": 2}))
    told = client.put_object(Bucket=bucket, Key="k", Body=b"x")["Expiration"]
    created = client.head_object(Bucket=bucket, Key="k")["LastModified"]
    assert told == lifecycle.expiration(lifecycle.due(created, 2, DAY_S), "a")
    leave(client, bucket)


# --- versions


def test_with_versions_a_delete_marker_appears_and_the_versions_stay(client, bucket, clock):
    s3.set_versioning(client, bucket, "Enabled")
    lifecycle.put(client, bucket, rule("a", "old/", **EXPIRE))
    put(client, bucket, "old/1", "old/1", "keep")
    before = history(client, bucket)
    leave(client, bucket, "keep")
    assert kinds(client, bucket) == [("keep", "version"), ("old/1", "marker")] + 2 * [("old/1", "version")]
    with s3.refused(404, "NoSuchKey") as caught:
        client.get_object(Bucket=bucket, Key="old/1")
    assert caught.value.response["ResponseMetadata"]["HTTPHeaders"]["x-amz-delete-marker"] == "true"
    # A marker is not expired again.
    after = history(client, bucket)
    clock.pass_days()
    assert history(client, bucket) == after and set(before) < set(after)
    # Without its marker the object is back; it is still old, and goes again.
    [marker] = [entry for entry in after if entry[1] == "marker"]
    client.delete_object(Bucket=bucket, Key="old/1", VersionId=marker[2])
    eventually(lambda: ("old/1", "marker") in kinds(client, bucket), "the object that is back goes again")


def test_with_suspended_versions_a_null_marker_takes_the_place_of_a_null_object(client, bucket):
    s3.set_versioning(client, bucket, "Enabled")
    put(client, bucket, "old/1", "old/2")
    s3.set_versioning(client, bucket, "Suspended")
    put(client, bucket, "old/2")
    lifecycle.put(client, bucket, rule("a", "old/", **EXPIRE))
    leave(client, bucket)
    ids = [(key, kind, version == "null") for key, kind, version in history(client, bucket)]
    assert ids == [
        ("old/1", "marker", True),
        ("old/1", "version", False),
        ("old/2", "marker", True),
        ("old/2", "version", False),
    ]


def test_noncurrent_versions_go_and_the_current_one_stays(node, client, bucket, clock):
    before = node.extent_bytes_in_use()
    s3.set_versioning(client, bucket, "Enabled")
    for seed in range(3):
        put(client, bucket, "old/1", Body=payload(MIB, seed))
    put(client, bucket, "keep", "keep")
    lifecycle.put(client, bucket, rule("a", "old/", **NONCURRENT))
    eventually(lambda: kinds(client, bucket).count(("old/1", "version")) == 1, "one version is left")
    assert s3.body_of(client, bucket, "old/1") == payload(MIB, 2)
    eventually(lambda: MIB <= node.extent_bytes_in_use() - before < 2 * MIB, "the bytes of one version are in use")
    clock.pass_days()
    assert kinds(client, bucket) == 2 * [("keep", "version")] + [("old/1", "version")]


def test_an_age_as_noncurrent_begins_when_a_version_is_superseded(client, bucket, clock):
    s3.set_versioning(client, bucket, "Enabled")
    lifecycle.put(client, bucket, rule("a", NoncurrentVersionExpiration={"NoncurrentDays": 5}))
    put(client, bucket, "late", "same age")
    put(client, bucket, "same age")
    clock.pass_days(2)
    put(client, bucket, "late")
    eventually(lambda: kinds(client, bucket).count(("same age", "version")) == 1, "what was superseded first goes first")
    assert kinds(client, bucket).count(("late", "version")) == 2
    eventually(lambda: kinds(client, bucket).count(("late", "version")) == 1, "then the other goes")


def test_versions_behind_a_delete_marker_go(client, bucket):
    s3.set_versioning(client, bucket, "Enabled")
    put(client, bucket, "k", "k")
    client.delete_object(Bucket=bucket, Key="k")
    lifecycle.put(client, bucket, rule("a", **NONCURRENT))
    eventually(lambda: kinds(client, bucket) == [("k", "marker")], "the marker alone is left")


def test_so_many_newer_noncurrent_versions_stay(client, bucket, clock):
    s3.set_versioning(client, bucket, "Enabled")
    kept = {"NoncurrentVersionExpiration": {"NoncurrentDays": 1, "NewerNoncurrentVersions": 3}}
    lifecycle.put(client, bucket, rule("a", "old/", **kept))
    put(client, bucket, *["old/1"] * 8, *["old/2"] * 4, *["keep"] * 6)
    newest = [entry["VersionId"] for entry in s3.versions(client, bucket, Prefix="old/1")][:4]
    expected = 6 * [("keep", "version")] + 4 * [("old/1", "version")] + 4 * [("old/2", "version")]
    eventually(lambda: kinds(client, bucket) == expected, "the current version and three others are left")
    clock.pass_days()
    assert kinds(client, bucket) == expected
    assert [entry["VersionId"] for entry in s3.versions(client, bucket, Prefix="old/1")] == newest
    # One more pushes the oldest out.
    put(client, bucket, "old/1")
    eventually(lambda: newest[-1] not in str(history(client, bucket)), "the oldest version goes")
    assert kinds(client, bucket) == expected


def test_noncurrent_versions_go_by_their_own_tags(client, bucket, clock):
    s3.set_versioning(client, bucket, "Enabled")
    put(client, bucket, "k", Tagging="t=1")
    kept = client.put_object(Bucket=bucket, Key="k", Body=b"x", Tagging="t=2")["VersionId"]
    current = client.put_object(Bucket=bucket, Key="k", Body=b"x", Tagging="t=1")["VersionId"]
    lifecycle.put(client, bucket, rule("a", Filter=TAG, **NONCURRENT))
    eventually(lambda: len(history(client, bucket)) == 2, "one version goes")
    clock.pass_days()
    assert {version for _, _, version in history(client, bucket)} == {kept, current}


def test_a_marker_goes_once_it_is_alone(client, bucket, clock):
    s3.set_versioning(client, bucket, "Enabled")
    lifecycle.put(client, bucket, rule("a", "old/", **MARKER))
    put(client, bucket, "old/1", "old/2", "keep")
    for key in ("old/1", "old/2", "keep"):
        client.delete_object(Bucket=bucket, Key=key)
    alone = {key: version for key, kind, version in history(client, bucket) if kind == "version"}
    for key in ("old/1", "keep"):
        client.delete_object(Bucket=bucket, Key=key, VersionId=alone[key])
    expected = [("keep", "marker"), ("old/2", "marker"), ("old/2", "version")]
    eventually(lambda: kinds(client, bucket) == expected, "the marker that is alone goes")
    clock.pass_days()
    assert kinds(client, bucket) == expected


def test_nothing_is_left_of_a_key_where_all_rules_work_together(client, bucket):
    s3.set_versioning(client, bucket, "Enabled")
    lifecycle.put(client, bucket, rule("a", "old/", **EXPIRE, **NONCURRENT), rule("b", "old/", **MARKER))
    put(client, bucket, "old/1", "old/1", "old/2", "keep")
    eventually(lambda: kinds(client, bucket) == [("keep", "version")], "nothing is left of old keys")


# --- uploads


def test_uploads_are_aborted_and_their_parts_come_back(node, client, bucket, clock):
    before = node.extent_bytes_in_use()
    lifecycle.put(client, bucket, rule("a", "old/", AbortIncompleteMultipartUpload={"DaysAfterInitiation": 1}))
    uploads = {key: multipart.begin(client, bucket, key) for key in ("old/1", "old/2", "keep")}
    for key, upload in uploads.items():
        multipart.put_part(client, bucket, key, upload, 1, payload(MIB))
    put(client, bucket, "old/object")
    open_keys = lambda: [entry["Key"] for entry in client.list_multipart_uploads(Bucket=bucket).get("Uploads", [])]
    eventually(lambda: open_keys() == ["keep"], "old uploads are aborted")
    eventually(lambda: MIB <= node.extent_bytes_in_use() - before < 2 * MIB, "the bytes of one part are in use")
    with s3.refused(404, "NoSuchUpload"):
        multipart.put_part(client, bucket, "old/1", uploads["old/1"], 2, b"x")
    clock.pass_days()
    assert open_keys() == ["keep"] and s3.all_keys(client, bucket) == ["old/object"]


def test_uploads_that_were_begun_before_the_rule_are_aborted(client, bucket):
    multipart.begin(client, bucket, "old/1")
    lifecycle.put(client, bucket, rule("a", AbortIncompleteMultipartUpload={"DaysAfterInitiation": 1}))
    eventually(lambda: "Uploads" not in client.list_multipart_uploads(Bucket=bucket), "the upload is aborted")


def test_an_upload_that_is_completed_in_time_stays(client, bucket, clock):
    lifecycle.put(client, bucket, rule("a", AbortIncompleteMultipartUpload={"DaysAfterInitiation": 2}))
    multipart.store(client, bucket, "k", [b"x"])
    clock.pass_days(2)
    assert s3.body_of(client, bucket, "k") == b"x"


# --- the node


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_what_is_due_goes_after_a_restart(start_server, end):
    server = start_server(f"lifecycle-{end}", **SETTINGS)
    client = s3.make_client(server.endpoint, MAIN)
    bucket = s3.create_bucket(client, s3.new_bucket_name())
    put(client, bucket, *[f"before/{number}" for number in range(50)], "keep/1")
    lifecycle.put(client, bucket, rule("a", "before/", **EXPIRE), rule("b", "after/", Expiration={"Days": 2}))
    put(client, bucket, *[f"after/{number}" for number in range(50)], "keep/2")
    getattr(server, end)()
    server.start()
    leave(client, bucket, "keep/1", "keep/2")


def test_a_policy_that_denies_everything_does_not_keep_objects(client, bucket):
    deny = {"Effect": "Deny", "Principal": "*", "Action": "s3:DeleteObject*", "Resource": f"arn:aws:s3:::{bucket}/*"}
    try:
        client.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [deny]}))
    except s3.ClientError as error:
        if error.response["Error"]["Code"] == "NotImplemented":
            pytest.skip("bucket policies are not served")
        raise
    lifecycle.put(client, bucket, rule("a", **EXPIRE))
    put(client, bucket, "k")
    with s3.refused(403, "AccessDenied"):
        client.delete_object(Bucket=bucket, Key="k")
    leave(client, bucket)
    client.delete_bucket_policy(Bucket=bucket)
