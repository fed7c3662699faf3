"""PutBucketLifecycleConfiguration, GetBucketLifecycleConfiguration and DeleteBucketLifecycle: what is kept, what is refused."""

import datetime

import pytest

from support import lifecycle, s3, wire
from support.accounts import MAIN
from support.checksums import content_md5
from support.lifecycle import EXPIRE, rule
from support.s3 import refused

NONE = (404, "NoSuchLifecycleConfiguration")
MALFORMED = (400, "MalformedXML")
ARGUMENT = (400, "InvalidArgument")
REQUEST = (400, "InvalidRequest")
TAG = (400, "InvalidTag")

ABORT = {"AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 3}}
MARKER = {"Expiration": {"ExpiredObjectDeleteMarker": True}}
TAGGED = {"Filter": {"Tag": {"Key": "a", "Value": "1"}}}
SMALL = {"Filter": {"ObjectSizeLessThan": 10}}
STANDING = rule("standing", "kept/", **EXPIRE)

# Every form that a rule can have.
FORMS = [
    rule("all", **EXPIRE),
    rule("empty prefix", "", **EXPIRE),
    rule("prefix", "logs/2026 é&<>", **EXPIRE),
    rule("old", Prefix="old/", **EXPIRE),
    rule("old and empty", Prefix="", **EXPIRE),
    rule("tag", **TAGGED, **EXPIRE),
    rule("tag without value", Filter={"Tag": {"Key": "a", "Value": ""}}, **EXPIRE),
    rule("greater", Filter={"ObjectSizeGreaterThan": 0}, **EXPIRE),
    rule("less", **SMALL, **EXPIRE),
    rule(
        "and",
        Filter={
            "And": {
                "Prefix": "a/",
                "Tags": [{"Key": "z", "Value": "1"}, {"Key": "a", "Value": "2"}],
                "ObjectSizeGreaterThan": 5 << 40,
                "ObjectSizeLessThan": (5 << 40) + 1,
            }
        },
        **EXPIRE,
    ),
    rule("two tags", Filter={"And": {"Tags": [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "1"}]}}, **EXPIRE),
    rule("disabled", enabled=False, **EXPIRE),
    rule("date", Expiration={"Date": datetime.datetime(2026, 11, 23, tzinfo=datetime.timezone.utc)}),
    rule("far", Expiration={"Days": 2**31 - 1}),
    rule("marker", **MARKER),
    rule("marker stays", Expiration={"ExpiredObjectDeleteMarker": False}),
    rule("noncurrent", NoncurrentVersionExpiration={"NoncurrentDays": 30}),
    rule("newer", NoncurrentVersionExpiration={"NoncurrentDays": 1, "NewerNoncurrentVersions": 100}),
    rule("newer alone", NoncurrentVersionExpiration={"NewerNoncurrentVersions": 1}),
    rule("abort", **ABORT),
    rule("everything", "x/", NoncurrentVersionExpiration={"NoncurrentDays": 30}, **EXPIRE, **ABORT),
    rule("i" * 255, **EXPIRE),
    rule("é雪 &<>\"'", **EXPIRE),
]

FAULTS = {
    "an ID that is too long": ([rule("i" * 256, **EXPIRE)], ARGUMENT),
    "an ID that stands twice": ([rule("a", "1", **EXPIRE), rule("b", "2", **EXPIRE), rule("a", "3", **EXPIRE)], ARGUMENT),
    "no rule": ([], MALFORMED),
    "too many rules": ([rule(f"{number}", **EXPIRE) for number in range(1001)], MALFORMED),
    "status in lower case": ([{**rule("a", **EXPIRE), "Status": "enabled"}], MALFORMED),
    "status of another kind": ([{**rule("a", **EXPIRE), "Status": "On"}], MALFORMED),
    "neither filter nor prefix": ([{"ID": "a", "Status": "Enabled", **EXPIRE}], MALFORMED),
    "filter and prefix": ([{**rule("a", "p", **EXPIRE), "Prefix": "p"}], MALFORMED),
    "two predicates without And": ([rule("a", Filter={"Prefix": "p", "ObjectSizeLessThan": 9}, **EXPIRE)], MALFORMED),
    "a predicate beside And": (
        [rule("a", Filter={"Prefix": "p", "And": {"Prefix": "q", "ObjectSizeLessThan": 9}}, **EXPIRE)],
        MALFORMED,
    ),
    "And of nothing": ([rule("a", Filter={"And": {}}, **EXPIRE)], MALFORMED),
    "And of a prefix": ([rule("a", Filter={"And": {"Prefix": "p"}}, **EXPIRE)], MALFORMED),
    "And of a tag": ([rule("a", Filter={"And": {"Tags": [{"Key": "a", "Value": "1"}]}}, **EXPIRE)], MALFORMED),
    "a tag's key twice": (
        [rule("a", Filter={"And": {"Tags": [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]}}, **EXPIRE)],
        MALFORMED,
    ),
    "a tag that no object can have": ([rule("a", Filter={"Tag": {"Key": "a!", "Value": ""}}, **EXPIRE)], TAG),
    "a tag of the service": ([rule("a", Filter={"Tag": {"Key": "aws:a", "Value": ""}}, **EXPIRE)], TAG),
    "more tags than an object has": (
        [rule("a", Filter={"And": {"Tags": [{"Key": f"{n}", "Value": ""} for n in range(11)]}}, **EXPIRE)],
        TAG,
    ),
    "a prefix that no key has": ([rule("a", "p" * 1025, **EXPIRE)], REQUEST),
    "sizes that exclude each other": (
        [rule("a", Filter={"And": {"ObjectSizeGreaterThan": 9, "ObjectSizeLessThan": 9}}, **EXPIRE)],
        REQUEST,
    ),
    "a negative size": ([rule("a", Filter={"ObjectSizeLessThan": -1}, **EXPIRE)], ARGUMENT),
    "no day": ([rule("a", Expiration={"Days": 0})], ARGUMENT),
    "negative days": ([rule("a", Expiration={"Days": -1})], ARGUMENT),
    "too many days": ([rule("a", Expiration={"Days": 2**31})], ARGUMENT),
    "a date in the middle of a day": (
        [rule("a", Expiration={"Date": datetime.datetime(2026, 11, 23, 12, tzinfo=datetime.timezone.utc)})],
        ARGUMENT,
    ),
    "an expiration of nothing": ([rule("a", Expiration={})], MALFORMED),
    "days and a date": ([rule("a", Expiration={"Days": 1, "Date": lifecycle.midnight()})], MALFORMED),
    "days and a marker": ([rule("a", Expiration={"Days": 1, "ExpiredObjectDeleteMarker": True})], MALFORMED),
    "a date and a marker": (
        [rule("a", Expiration={"Date": lifecycle.midnight(), "ExpiredObjectDeleteMarker": True})],
        MALFORMED,
    ),
    "a marker by tag": ([rule("a", **TAGGED, **MARKER)], REQUEST),
    "a marker by size": ([rule("a", **SMALL, **MARKER)], REQUEST),
    "no day for noncurrent versions": ([rule("a", NoncurrentVersionExpiration={"NoncurrentDays": 0})], ARGUMENT),
    "no newer version": ([rule("a", NoncurrentVersionExpiration={"NewerNoncurrentVersions": 0})], ARGUMENT),
    "too many newer versions": ([rule("a", NoncurrentVersionExpiration={"NewerNoncurrentVersions": 101})], ARGUMENT),
    "newer versions without a filter": (
        [rule("a", Prefix="p", NoncurrentVersionExpiration={"NewerNoncurrentVersions": 1})],
        REQUEST,
    ),
    "noncurrent versions of nothing": ([rule("a", NoncurrentVersionExpiration={})], MALFORMED),
    "no day for an upload": ([rule("a", AbortIncompleteMultipartUpload={"DaysAfterInitiation": 0})], ARGUMENT),
    "no day at all for an upload": ([rule("a", AbortIncompleteMultipartUpload={})], MALFORMED),
    "an upload by tag": ([rule("a", **TAGGED, **ABORT)], REQUEST),
    "an upload by size": ([rule("a", **SMALL, **ABORT)], REQUEST),
    "no action": ([rule("a")], REQUEST),
    "a transition": ([rule("a", Transitions=[{"Days": 1, "StorageClass": "GLACIER"}], **EXPIRE)], (501, "NotImplemented")),
    "a noncurrent transition": (
        [rule("a", NoncurrentVersionTransitions=[{"NoncurrentDays": 1, "StorageClass": "GLACIER"}], **EXPIRE)],
        (501, "NotImplemented"),
    ),
    "one of two is at fault": ([rule("a", "1", **EXPIRE), rule("b", "2", Expiration={"Days": 0})], ARGUMENT),
}

WHOLE = "<Rule><Filter/><Status>Enabled</Status><Expiration><Days>1</Days></Expiration></Rule>"
# What no SDK would send.
MALFORMED_DOCUMENTS = [
    "",
    "not xml",
    "<LifecycleConfiguration/>",
    WHOLE,
    f"<LifecycleConfiguration>{WHOLE}",
    f"<Other>{WHOLE}</Other>",
    f"<LifecycleConfiguration>{WHOLE}<Note/></LifecycleConfiguration>",
    f"<LifecycleConfiguration>{WHOLE.replace('<Filter/>', '<Filter><Note/></Filter>')}</LifecycleConfiguration>",
    f"<LifecycleConfiguration>{WHOLE.replace('<Filter/>', '<Filter/><Note/>')}</LifecycleConfiguration>",
    f"<LifecycleConfiguration>{WHOLE.replace('<Filter/>', '<Filter/><Filter/>')}</LifecycleConfiguration>",
    f"<LifecycleConfiguration>{WHOLE.replace('<Days>1', '<Days>one')}</LifecycleConfiguration>",
    f"<LifecycleConfiguration>{WHOLE.replace('<Days>1', '<Days>1.5')}</LifecycleConfiguration>",
    f"<LifecycleConfiguration>{WHOLE.replace('<Status>Enabled</Status>', '')}</LifecycleConfiguration>",
    f'<!DOCTYPE l [<!ENTITY e "1">]><LifecycleConfiguration>{WHOLE.replace("1", "&e;")}</LifecycleConfiguration>',
]


def put_document(address, bucket, body: str, **request) -> wire.Response:
    headers = {"content-md5": content_md5(body.encode()), **request.pop("headers", {})}
    return wire.call(
        address, "PUT", f"/{bucket}", query=[("lifecycle", "")], body=body.encode(), headers=headers, **request
    )


@pytest.fixture
def standing(client, bucket):
    """A bucket whose one rule must outlive the test."""
    lifecycle.put(client, bucket, STANDING)
    yield bucket
    assert lifecycle.get(client, bucket) == [STANDING]


def test_rules_come_back_as_they_came(client, bucket):
    assert lifecycle.put(client, bucket, *FORMS)["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert lifecycle.get(client, bucket) == FORMS


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_are_refused_and_change_nothing(client, standing, fault):
    rules, (status, code) = FAULTS[fault]
    with refused(status, code):
        lifecycle.put(client, standing, *rules)


@pytest.mark.parametrize("body", MALFORMED_DOCUMENTS)
def test_a_malformed_document_is_refused(address, standing, body):
    assert put_document(address, standing, body).refusal() == MALFORMED


def test_refusals_say_what_is_wrong(client, standing):
    for fault, words in [
        ("a date in the middle of a day", "'Date' must be at midnight GMT"),
        ("no action", "At least one action needs to be specified in a rule"),
        ("no day", "'Days' for Expiration action must be a positive integer"),
        ("a transition", " Transition "),
        ("a noncurrent transition", " NoncurrentVersionTransition "),
    ]:
        with pytest.raises(s3.ClientError) as caught:
            lifecycle.put(client, standing, *FAULTS[fault][0])
        assert words in caught.value.response["Error"]["Message"]


def test_a_thousand_rules(client, bucket):
    rules = [rule(f"{number:04}", f"{number:04}/", **EXPIRE) for number in range(1000)]
    lifecycle.put(client, bucket, *rules)
    assert lifecycle.get(client, bucket) == rules


def test_a_put_replaces_all_rules(client, bucket):
    lifecycle.put(client, bucket, rule("a", "1", **EXPIRE), rule("b", "2", **EXPIRE))
    lifecycle.put(client, bucket, rule("b", "3", **ABORT))
    assert lifecycle.get(client, bucket) == [rule("b", "3", **ABORT)]


def test_rules_without_an_id_are_given_one_that_stays(client, bucket):
    lifecycle.put(client, bucket, rule(None, "1", **EXPIRE), rule("mine", "2", **EXPIRE), rule(None, "3", **EXPIRE))
    rules = lifecycle.get(client, bucket)
    first, second, third = [entry.pop("ID") for entry in rules]
    assert rules == [rule(None, f"{number}", **EXPIRE) for number in (1, 2, 3)]
    assert second == "mine" and len(first) == len(third) == 48 and first != third
    assert [entry["ID"] for entry in lifecycle.get(client, bucket)] == [first, "mine", third]


def test_a_bucket_without_rules_says_so(client, bucket):
    with refused(*NONE):
        lifecycle.get(client, bucket)


def test_a_delete_removes_the_rules_and_is_always_204(client, bucket):
    lifecycle.put(client, bucket, STANDING)
    for _ in range(2):
        assert client.delete_bucket_lifecycle(Bucket=bucket)["ResponseMetadata"]["HTTPStatusCode"] == 204
        with refused(*NONE):
            lifecycle.get(client, bucket)


def test_a_bucket_made_again_has_no_rules(client):
    name = s3.create_bucket(client, s3.new_bucket_name())
    lifecycle.put(client, name, STANDING)
    client.delete_bucket(Bucket=name)
    s3.create_bucket(client, name)
    with refused(*NONE):
        lifecycle.get(client, name)
    client.delete_bucket(Bucket=name)


def test_a_bucket_that_is_missing(client):
    missing = s3.new_bucket_name("missing")
    for call in (
        lambda: lifecycle.put(client, missing, STANDING),
        lambda: lifecycle.get(client, missing),
        lambda: client.delete_bucket_lifecycle(Bucket=missing),
    ):
        with refused(404, "NoSuchBucket"):
            call()


def test_another_organisation_is_denied(standing, alt_client):
    for call in (
        lambda: lifecycle.put(alt_client, standing, rule("theirs", **EXPIRE)),
        lambda: lifecycle.get(alt_client, standing),
        lambda: alt_client.delete_bucket_lifecycle(Bucket=standing),
    ):
        with refused(403, "AccessDenied"):
            call()


def test_the_older_call_does_the_same(client, bucket):
    old = {"ID": "old", "Prefix": "logs/", "Status": "Enabled", **EXPIRE}
    client.put_bucket_lifecycle(Bucket=bucket, LifecycleConfiguration={"Rules": [old]})
    assert lifecycle.get(client, bucket) == [old]
    assert client.get_bucket_lifecycle(Bucket=bucket)["Rules"] == [old]


def test_a_default_for_transitions_says_nothing_here(client, bucket):
    put = lifecycle.put(client, bucket, STANDING, TransitionDefaultMinimumObjectSize="varies_by_storage_class")
    assert "TransitionDefaultMinimumObjectSize" not in put
    assert lifecycle.get(client, bucket) == [STANDING]


@pytest.mark.parametrize("namespace", ["", ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'])
def test_the_document_is_taken_with_and_without_namespace(address, client, bucket, namespace):
    body = f"<LifecycleConfiguration{namespace}>\n {WHOLE}\n</LifecycleConfiguration>"
    assert put_document(address, bucket, body).status == 200
    assert lifecycle.get(client, bucket)[0]["Expiration"] == {"Days": 1}


def test_a_digest_is_verified_and_not_demanded(address, client, bucket):
    body = f"<LifecycleConfiguration>{WHOLE}</LifecycleConfiguration>".encode()
    place = {"path": f"/{bucket}", "query": [("lifecycle", "")], "body": body}
    for name, value in (("content-md5", content_md5(b"other")), ("x-amz-checksum-crc32", "AAAAAA==")):
        assert wire.call(address, "PUT", **place, headers={name: value}).refusal() == (400, "BadDigest")
    with refused(*NONE):
        lifecycle.get(client, bucket)
    assert wire.call(address, "PUT", **place).status == 200
    assert len(lifecycle.get(client, bucket)) == 1


@pytest.mark.parametrize(
    "date",
    ["2026-11-23", "2026-11-23T00:00:00Z", "2026-11-23T00:00:00.000Z", "2026-11-23T02:00:00+02:00", " 2026-11-23 "],
)
def test_dates_in_every_form_of_iso_8601(address, client, bucket, date):
    body = f"<LifecycleConfiguration>{WHOLE.replace('<Days>1</Days>', f'<Date>{date}</Date>')}</LifecycleConfiguration>"
    assert put_document(address, bucket, body).status == 200
    shown = wire.call(address, "GET", f"/{bucket}", query=[("lifecycle", "")]).body
    assert b"<Date>2026-11-23T00:00:00.000Z</Date>" in shown


def test_the_answer_is_a_lifecycle_document(address, standing):
    response = wire.call(address, "GET", f"/{standing}", query=[("lifecycle", "")])
    root = response.xml()
    assert (response.get("content-type"), root.tag) == ("application/xml", f"{wire.NAMESPACE}LifecycleConfiguration")
    assert [child.tag for child in root.find(f"{wire.NAMESPACE}Rule")] == [
        f"{wire.NAMESPACE}{name}" for name in ("Expiration", "ID", "Filter", "Status")
    ]


def test_a_node_may_refuse_prefixes_outside_of_filters(start_server):
    server = start_server("rule-prefix", lifecycle={"rule_prefix": False})
    client = s3.make_client(server.endpoint, MAIN)
    name = s3.create_bucket(client, s3.new_bucket_name())
    with refused(*REQUEST) as caught:
        lifecycle.put(client, name, rule("a", Prefix="p", **EXPIRE))
    assert "Filter.Prefix" in caught.value.response["Error"]["Message"]
    lifecycle.put(client, name, rule("a", "p", **EXPIRE))
    assert lifecycle.get(client, name) == [rule("a", "p", **EXPIRE)]


def test_rules_survive_a_crash(start_server):
    server = start_server("lifecycle-crash")
    client = s3.make_client(server.endpoint, MAIN)
    name = s3.create_bucket(client, s3.new_bucket_name())
    lifecycle.put(client, name, *FORMS)
    server.kill()
    server.start()
    assert lifecycle.get(client, name) == FORMS
