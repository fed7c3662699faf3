"""What responses tell of the rules: x-amz-expiration, x-amz-abort-date, x-amz-abort-rule-id."""

import pytest

from support import lifecycle, multipart, s3
from support.lifecycle import due, expiration, midnight, rule

WEEK = {"Expiration": {"Days": 7}}


def created(client, bucket: str, key: str):
    return client.head_object(Bucket=bucket, Key=key)["LastModified"]


def told(client, bucket: str, key: str, **parameters) -> str | None:
    return client.head_object(Bucket=bucket, Key=key, **parameters).get("Expiration")


def rule_named(client, bucket: str, key: str, **parameters) -> str | None:
    header = told(client, bucket, key, **parameters)
    return None if header is None else lifecycle.rule_of(header)


def test_every_response_of_an_object_tells(client, bucket):
    lifecycle.put(client, bucket, rule("week", "logs/", **WEEK))
    answers = {
        "logs/put": client.put_object(Bucket=bucket, Key="logs/put", Body=b"12345"),
        "logs/copy": client.copy_object(Bucket=bucket, Key="logs/copy", CopySource=f"{bucket}/logs/put"),
        "logs/parts": multipart.store(client, bucket, "logs/parts", [b"x"]),
    }
    for key, answer in answers.items():
        expected = expiration(due(created(client, bucket, key), 7), "week")
        assert answer["Expiration"] == expected, key
        assert client.head_object(Bucket=bucket, Key=key)["Expiration"] == expected
        got = client.get_object(Bucket=bucket, Key=key)
        assert got["Expiration"] == expected and got["Body"].read()
        assert client.get_object(Bucket=bucket, Key=key, Range="bytes=0-0")["Expiration"] == expected


def test_what_no_rule_is_about_tells_nothing(client, bucket):
    lifecycle.put(
        client,
        bucket,
        rule("week", "logs/", **WEEK),
        rule("off", enabled=False, **WEEK),
        rule("noncurrent", NoncurrentVersionExpiration={"NoncurrentDays": 1}),
        rule("marker", "m/", Expiration={"ExpiredObjectDeleteMarker": True}),
        rule("abort", AbortIncompleteMultipartUpload={"DaysAfterInitiation": 1}),
    )
    for key in ("log", "logs", "other/logs/", "m/x"):
        answers = [
            client.put_object(Bucket=bucket, Key=key, Body=b"x"),
            client.copy_object(Bucket=bucket, Key=f"{key}-copy", CopySource=f"{bucket}/{key}"),
            multipart.store(client, bucket, f"{key}-parts", [b"x"]),
            client.head_object(Bucket=bucket, Key=key),
            client.get_object(Bucket=bucket, Key=key),
        ]
        assert not [answer for answer in answers if "Expiration" in answer]


def test_a_bucket_without_rules_tells_nothing(client, bucket):
    lifecycle.put(client, bucket, rule("week", **WEEK))
    assert "Expiration" in client.put_object(Bucket=bucket, Key="k", Body=b"x")
    client.delete_bucket_lifecycle(Bucket=bucket)
    assert "Expiration" not in client.put_object(Bucket=bucket, Key="k", Body=b"x")
    assert told(client, bucket, "k") is None
    upload = client.create_multipart_upload(Bucket=bucket, Key="k")
    listed = client.list_parts(Bucket=bucket, Key="k", UploadId=upload["UploadId"])
    assert "AbortDate" not in upload and "AbortDate" not in listed


def test_new_rules_hold_at_once_for_what_is_there(client, bucket):
    client.put_object(Bucket=bucket, Key="k", Body=b"x")
    for days in (7, 5):
        lifecycle.put(client, bucket, rule(f"{days}", Expiration={"Days": days}))
        assert told(client, bucket, "k") == expiration(due(created(client, bucket, "k"), days), f"{days}")


def test_the_rule_that_deletes_sooner_is_named(client, bucket):
    lifecycle.put(
        client,
        bucket,
        rule("8 days", **{"Expiration": {"Days": 8}}),
        rule("5 days", "a/", **{"Expiration": {"Days": 5}}),
        rule("tomorrow", "a/b/", **{"Expiration": {"Date": midnight(2)}}),
        rule("6 days", "a/b/c", **{"Expiration": {"Days": 6}}),
    )
    for key, expected in [("k", "8%20days"), ("a/k", "5%20days"), ("a/b/c", "tomorrow")]:
        answer = client.put_object(Bucket=bucket, Key=key, Body=b"x")
        assert lifecycle.rule_of(answer["Expiration"]) == rule_named(client, bucket, key) == expected


def test_a_date_is_told_as_it_is(client, bucket):
    lifecycle.put(client, bucket, rule("date", Expiration={"Date": midnight(400)}))
    answer = client.put_object(Bucket=bucket, Key="k", Body=b"x")
    assert answer["Expiration"] == expiration(midnight(400), "date")


def test_tags_and_sizes_are_part_of_it(client, bucket):
    both = {"Prefix": "both/", "Tags": [{"Key": "a", "Value": "1"}], "ObjectSizeGreaterThan": 2}
    lifecycle.put(
        client,
        bucket,
        rule("tag", Filter={"Tag": {"Key": "t", "Value": "1"}}, **WEEK),
        rule("large", Filter={"ObjectSizeGreaterThan": 5}, **WEEK),
        rule("and", Filter={"And": both}, **WEEK),
    )
    for key, body, tags, expected in [
        ("k", b"x", "", None),
        ("k", b"x", "t=1", "tag"),
        ("k", b"x", "t=2", None),
        ("k", b"x", "t=1&u=1", "tag"),
        ("k", b"12345", "", None),
        ("k", b"123456", "", "large"),
        ("both/k", b"123", "a=1", "and"),
        ("both/k", b"12", "a=1", None),
        ("both/k", b"123", "a=2", None),
        ("other/k", b"123", "a=1", None),
    ]:
        answer = client.put_object(Bucket=bucket, Key=key, Body=body, Tagging=tags)
        named = answer.get("Expiration") and lifecycle.rule_of(answer["Expiration"])
        assert named == rule_named(client, bucket, key) == expected, (key, body, tags)
        parts = multipart.store(client, bucket, f"{key}-parts", [body], Tagging=tags)
        assert (parts.get("Expiration") and lifecycle.rule_of(parts["Expiration"])) == expected, (key, body, tags)


def test_tags_of_a_copy_count(client, bucket):
    lifecycle.put(client, bucket, rule("tag", Filter={"Tag": {"Key": "t", "Value": "1"}}, **WEEK))
    client.put_object(Bucket=bucket, Key="tagged", Body=b"x", Tagging="t=1")
    source = {"Bucket": bucket, "CopySource": f"{bucket}/tagged"}
    assert "Expiration" in client.copy_object(**source, Key="same")
    other = client.copy_object(**source, Key="other", TaggingDirective="REPLACE", Tagging="t=2")
    assert "Expiration" not in other
    client.put_object(Bucket=bucket, Key="plain", Body=b"x")
    source["CopySource"] = f"{bucket}/plain"
    assert "Expiration" not in client.copy_object(**source, Key="same")
    assert "Expiration" in client.copy_object(**source, Key="other", TaggingDirective="REPLACE", Tagging="t=1")


def test_tags_that_come_later_count(client, bucket):
    lifecycle.put(client, bucket, rule("tag", Filter={"Tag": {"Key": "t", "Value": "1"}}, **WEEK))
    client.put_object(Bucket=bucket, Key="k", Body=b"x")
    client.put_object_tagging(Bucket=bucket, Key="k", Tagging={"TagSet": [{"Key": "t", "Value": "1"}]})
    assert rule_named(client, bucket, "k") == "tag"
    client.delete_object_tagging(Bucket=bucket, Key="k")
    assert rule_named(client, bucket, "k") is None


def test_a_completion_sent_again_tells_the_same(client, bucket):
    lifecycle.put(client, bucket, rule("tag", Filter={"Tag": {"Key": "t", "Value": "1"}}, **WEEK))
    upload = multipart.begin(client, bucket, "k", Tagging="t=1")
    parts = [multipart.put_part(client, bucket, "k", upload, 1, b"x")]
    first = multipart.complete(client, bucket, "k", upload, parts)
    again = multipart.complete(client, bucket, "k", upload, parts)
    assert first["Expiration"] == again["Expiration"] and first["ETag"] == again["ETag"]


@pytest.mark.parametrize("status", ["Enabled", "Suspended"])
def test_only_the_current_version_tells(client, bucket, status):
    s3.set_versioning(client, bucket, "Enabled")
    lifecycle.put(client, bucket, rule("week", **WEEK), rule("old", NoncurrentVersionExpiration={"NoncurrentDays": 1}))
    old = client.put_object(Bucket=bucket, Key="k", Body=b"1")
    s3.set_versioning(client, bucket, status)
    new = client.put_object(Bucket=bucket, Key="k", Body=b"2")
    assert "Expiration" in old and "Expiration" in new
    assert rule_named(client, bucket, "k") == rule_named(client, bucket, "k", VersionId=new["VersionId"]) == "week"
    assert rule_named(client, bucket, "k", VersionId=old["VersionId"]) is None
    assert "Expiration" not in client.get_object(Bucket=bucket, Key="k", VersionId=old["VersionId"])
    # Behind a delete marker nothing is current.
    client.delete_object(Bucket=bucket, Key="k")
    assert rule_named(client, bucket, "k", VersionId=old["VersionId"]) is None
    # What comes to the front again is current again.
    client.delete_object(Bucket=bucket, Key="k", VersionId=s3.versions(client, bucket)[-1]["VersionId"])
    assert rule_named(client, bucket, "k") == "week"


@pytest.mark.parametrize("identifier, encoded", [("a b/ü", "a%20b%2F%C3%BC"), ('"x", y=%', "%22x%22%2C%20y%3D%25")])
def test_ids_are_encoded(client, bucket, identifier, encoded):
    lifecycle.put(client, bucket, rule(identifier, **WEEK))
    client.put_object(Bucket=bucket, Key="k", Body=b"x")
    assert rule_named(client, bucket, "k") == encoded


def test_an_id_that_was_given_is_told(client, bucket):
    lifecycle.put(client, bucket, rule(None, **WEEK))
    client.put_object(Bucket=bucket, Key="k", Body=b"x")
    assert rule_named(client, bucket, "k") == lifecycle.get(client, bucket)[0]["ID"]


def test_uploads_tell_when_they_are_aborted(client, bucket):
    abort = lambda days: {"AbortIncompleteMultipartUpload": {"DaysAfterInitiation": days}}
    lifecycle.put(client, bucket, rule("nine: 9/x", **abort(9)), rule("two", "up/", **abort(2)), rule("week", **WEEK))
    for key, days, identifier in [("k", 9, "nine: 9/x"), ("up/k", 2, "two")]:
        upload = client.create_multipart_upload(Bucket=bucket, Key=key)
        begun = client.list_multipart_uploads(Bucket=bucket, Prefix=key)["Uploads"][0]["Initiated"]
        listed = client.list_parts(Bucket=bucket, Key=key, UploadId=upload["UploadId"])
        for answer in (upload, listed):
            assert (answer["AbortDate"], answer["AbortRuleId"]) == (due(begun, days), identifier)
    lifecycle.put(client, bucket, rule("two", "up/", enabled=False, **abort(2)))
    listed = client.list_parts(Bucket=bucket, Key=key, UploadId=upload["UploadId"])
    assert "AbortDate" not in listed and "AbortRuleId" not in listed
    assert "AbortDate" not in client.create_multipart_upload(Bucket=bucket, Key="up/k")
