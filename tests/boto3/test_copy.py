"""CopyObject: what is taken over, what is replaced, how the source is named, conditions on it."""

import hashlib
import threading
import time

import pytest
from botocore.exceptions import ClientError

from support import multipart, s3, wire
from support.checksums import checksum
from support.dates import HOUR, http_date
from support.multipart import MIN_PART
from support.payload import KIB, MIB, etag, payload
from support.s3 import refused

SIZES = [0, 100, 8 * KIB, 8 * KIB + 1, 300 * KIB, 3 * MIB + 1]
OTHER = '"00000000000000000000000000000000"'
RACE_S = 2
SYSTEM = {
    "CacheControl": "private",
    "ContentDisposition": "inline",
    "ContentEncoding": "gzip",
    "ContentLanguage": "de",
    "ContentType": "text/x",
}


def copy(client, bucket, source, key, **parameters):
    return client.copy_object(Bucket=bucket, Key=key, CopySource={"Bucket": bucket, "Key": source}, **parameters)


def put_copy(address, bucket, key, source: str, headers=None):
    """A copy whose source header is exactly `source`."""
    return wire.call(address, "PUT", f"/{bucket}/{key}", headers={"x-amz-copy-source": source, **(headers or {})})


def tags_of(client, bucket, key) -> dict[str, str]:
    tags = client.get_object_tagging(Bucket=bucket, Key=key)["TagSet"]
    return {tag["Key"]: tag["Value"] for tag in tags}


@pytest.mark.parametrize("size", SIZES)
def test_a_copy_has_the_bytes_and_the_etag(client, bucket, size):
    content = payload(size)
    client.put_object(Bucket=bucket, Key="a", Body=content)
    result = copy(client, bucket, "a", "b")["CopyObjectResult"]
    assert result["ETag"] == etag(content)
    got = client.get_object(Bucket=bucket, Key="b")
    assert got["Body"].read() == content and got["ETag"] == etag(content)
    assert got["LastModified"] == result["LastModified"].replace(microsecond=0)
    if size > 10:
        assert s3.body_of(client, bucket, "b", Range=f"bytes={size - 5}-") == content[-5:]


@pytest.mark.parametrize("size", [100, 300 * KIB])
@pytest.mark.parametrize("gone", ["source", "copy", "source overwritten"])
def test_source_and_copy_live_apart(node, client, bucket, size, gone):
    content, newer = payload(size, 1), payload(size, 2)
    client.put_object(Bucket=bucket, Key="a", Body=content)
    copy(client, bucket, "a", "b")
    match gone:
        case "source":
            client.delete_object(Bucket=bucket, Key="a")
        case "copy":
            client.delete_object(Bucket=bucket, Key="b")
        case _:
            client.put_object(Bucket=bucket, Key="a", Body=newer)
    # Space that was freed wrongly would now be written by others.
    for seed in range(3, 8):
        client.put_object(Bucket=bucket, Key=f"other{seed}", Body=payload(size, seed))
    left = "a" if gone == "copy" else "b"
    assert s3.body_of(client, bucket, left) == content


def test_copies_share_the_space_and_the_last_gives_it_back(node, client, bucket):
    client.put_object(Bucket=bucket, Key="warm", Body=payload(MIB))
    client.delete_object(Bucket=bucket, Key="warm")
    before = node.extent_bytes_in_use()
    client.put_object(Bucket=bucket, Key="k0", Body=payload(MIB))
    once = node.extent_bytes_in_use()
    moved = [node.metric(f"ringstone_disk_{name}_bytes_total") for name in ("read", "written")]
    for number in range(1, 6):
        copy(client, bucket, f"k{number - 1}", f"k{number}")
    assert node.extent_bytes_in_use() == once
    assert [node.metric(f"ringstone_disk_{name}_bytes_total") for name in ("read", "written")] == moved
    for number in (0, 5, 2, 1, 3):
        client.delete_object(Bucket=bucket, Key=f"k{number}")
    assert node.extent_bytes_in_use() == once
    assert s3.body_of(client, bucket, "k4") == payload(MIB)
    client.delete_object(Bucket=bucket, Key="k4")
    node.wait_for_extent_bytes(before)


def test_a_copy_into_another_bucket(client, bucket, module_bucket):
    client.put_object(Bucket=bucket, Key="a", Body=payload(20 * KIB), Metadata={"m": "1"})
    client.copy_object(Bucket=module_bucket, Key="b", CopySource={"Bucket": bucket, "Key": "a"})
    client.delete_object(Bucket=bucket, Key="a")
    client.delete_bucket(Bucket=bucket)
    assert s3.body_of(client, module_bucket, "b") == payload(20 * KIB)
    assert client.head_object(Bucket=module_bucket, Key="b")["Metadata"] == {"m": "1"}


@pytest.fixture
def described(client, bucket) -> str:
    """A bucket whose object `a` has system headers, metadata and tags."""
    client.put_object(Bucket=bucket, Key="a", Body=b"x", Metadata={"m": "1", "n": "2"}, Tagging="t=1&u=2", **SYSTEM)
    return bucket


def described_as(client, bucket, key):
    head = client.head_object(Bucket=bucket, Key=key)
    return head["Metadata"], {name: head[name] for name in SYSTEM if name in head}


@pytest.mark.parametrize("directive", [{}, {"MetadataDirective": "COPY"}])
def test_copy_takes_the_metadata_and_ignores_that_of_the_request(client, described, directive):
    copy(client, described, "a", "b", Metadata={"other": "9"}, ContentType="text/y", **directive)
    assert described_as(client, described, "b") == ({"m": "1", "n": "2"}, SYSTEM)


def test_replace_takes_the_metadata_of_the_request_alone(client, described):
    copy(client, described, "a", "b", MetadataDirective="REPLACE", Metadata={"m": "new"}, ContentLanguage="fr")
    expected = {"ContentLanguage": "fr", "ContentType": "binary/octet-stream"}
    assert described_as(client, described, "b") == ({"m": "new"}, expected)
    # The directives are independent.
    assert tags_of(client, described, "b") == {"t": "1", "u": "2"}
    assert described_as(client, described, "a") == ({"m": "1", "n": "2"}, SYSTEM)


@pytest.mark.parametrize(
    "parameters, tags",
    [
        ({}, {"t": "1", "u": "2"}),
        ({"TaggingDirective": "COPY"}, {"t": "1", "u": "2"}),
        ({"TaggingDirective": "REPLACE", "Tagging": "v=3"}, {"v": "3"}),
        ({"TaggingDirective": "REPLACE"}, {}),
    ],
)
def test_the_tagging_directive(client, described, parameters, tags):
    copy(client, described, "a", "b", **parameters)
    assert tags_of(client, described, "b") == tags
    assert described_as(client, described, "b") == ({"m": "1", "n": "2"}, SYSTEM)


@pytest.mark.parametrize("header", ["x-amz-metadata-directive", "x-amz-tagging-directive"])
@pytest.mark.parametrize("value", ["copy", "OTHER", ""])
def test_an_unknown_directive_is_refused(address, client, described, header, value):
    response = put_copy(address, described, "b", f"/{described}/a", {header: value})
    assert response.refusal() == (400, "InvalidArgument")
    assert not s3.exists(client, described, "b")


def test_a_copy_onto_itself_must_change_something(client, described):
    with refused(400, "InvalidRequest"):
        copy(client, described, "a", "a")
    with refused(400, "InvalidRequest"):
        copy(client, described, "a", "a", MetadataDirective="COPY", Metadata={"m": "new"})
    copy(client, described, "a", "a", MetadataDirective="REPLACE", Metadata={"m": "new"}, ContentType="text/z")
    assert described_as(client, described, "a") == ({"m": "new"}, {"ContentType": "text/z"})
    assert s3.body_of(client, described, "a") == b"x"


def test_a_large_object_copied_onto_itself_keeps_its_bytes(node, client, bucket):
    client.put_object(Bucket=bucket, Key="a", Body=payload(MIB))
    used = node.extent_bytes_in_use()
    for turn in range(3):
        copy(client, bucket, "a", "a", MetadataDirective="REPLACE", Metadata={"turn": str(turn)})
    node.wait_for_extent_bytes(used)
    assert s3.body_of(client, bucket, "a") == payload(MIB)


KEYS = ["a b", "a+b", "a%2Bb", "a%2525", "100%", "é/雪", "q?x=1&y", "?versionId", "k?versionId=1", "/lead", "a//b"]


@pytest.mark.parametrize("key", KEYS)
def test_a_source_key_of_any_characters(client, bucket, key):
    decoys = {"a b", "a+b", "a%b", "a%25", "a%2525", "a%2Bb", "k", "lead", "a/b"} - {key}
    for decoy in decoys:
        client.put_object(Bucket=bucket, Key=decoy, Body=b"wrong")
    client.put_object(Bucket=bucket, Key=key, Body=b"right")
    copy(client, bucket, key, "copied")
    assert s3.body_of(client, bucket, "copied") == b"right"


@pytest.mark.parametrize(
    "form, key",
    [
        ("/{bucket}/a+b", "a+b"),
        ("{bucket}/a+b", "a+b"),
        ("{bucket}/a%2Bb", "a+b"),
        ("/{bucket}%2Fa%20b", "a b"),
        ("{bucket}/dir%2Fa", "dir/a"),
        ("{bucket}/k%3FversionId=x", "k?versionId=x"),
        ("{bucket}/%252B", "%2B"),
        ("{bucket}/%C3%A9", "é"),
        ("{bucket}/é", "é"),
    ],
)
def test_the_source_is_decoded_once(address, client, bucket, form, key):
    for other in {"a b", "a+b", "dir/a", "k", "+", "%2B", "é"} - {key}:
        client.put_object(Bucket=bucket, Key=other, Body=b"wrong")
    client.put_object(Bucket=bucket, Key=key, Body=b"right")
    assert put_copy(address, bucket, "copied", form.format(bucket=bucket)).status == 200
    assert s3.body_of(client, bucket, "copied") == b"right"


@pytest.mark.parametrize(
    "source",
    ["", "/", "bucket-alone", "{bucket}/", "/{bucket}/", "{bucket}/%zz", "{bucket}/a%", "{bucket}/%FF", "B_D/k"],
)
def test_a_source_that_names_no_object_is_refused(address, client, bucket, source):
    client.put_object(Bucket=bucket, Key="kept", Body=b"kept")
    response = put_copy(address, bucket, "kept", source.format(bucket=bucket))
    assert response.refusal() == (400, "InvalidArgument")
    assert s3.body_of(client, bucket, "kept") == b"kept"


def test_a_missing_source_is_refused(client, bucket):
    with refused(404, "NoSuchKey"):
        copy(client, bucket, "absent", "b")
    with refused(404, "NoSuchBucket"):
        client.copy_object(Bucket=bucket, Key="b", CopySource=f"{s3.new_bucket_name('missing')}/k")
    with refused(404, "NoSuchBucket"):
        client.copy_object(Bucket=s3.new_bucket_name("missing"), Key="b", CopySource=f"{bucket}/k")


def test_both_sides_belong_to_the_sender(client, alt_client, bucket):
    theirs = s3.create_bucket(alt_client, s3.new_bucket_name("alt"))
    client.put_object(Bucket=bucket, Key="k", Body=b"mine")
    for source in (f"{bucket}/k", f"{bucket}/absent"):
        with refused(403, "AccessDenied"):
            alt_client.copy_object(Bucket=theirs, Key="k", CopySource=source)
    with refused(403, "AccessDenied"):
        client.copy_object(Bucket=theirs, Key="k", CopySource=f"{bucket}/k")
    assert s3.all_keys(alt_client, theirs) == []
    s3.delete_bucket_with_objects(alt_client, theirs)


# The four conditions: each holds (True), fails (False) or is absent (None).
CONDITIONS = [
    # match, unmodified-since, none-match, modified-since, status
    (True, None, None, None, 200),
    (False, None, None, None, 412),
    (None, True, None, None, 200),
    (None, False, None, None, 412),
    (None, None, True, None, 200),
    (None, None, False, None, 412),
    (None, None, None, True, 200),
    (None, None, None, False, 412),
    (True, False, None, None, 200),
    (False, True, None, None, 412),
    (None, None, False, True, 412),
    (True, None, False, None, 412),
    (True, True, True, True, 200),
]


@pytest.mark.parametrize("match, unmodified, none_match, modified, status", CONDITIONS)
def test_conditions_on_the_source(address, client, bucket, match, unmodified, none_match, modified, status):
    client.put_object(Bucket=bucket, Key="a", Body=b"x")
    written = client.head_object(Bucket=bucket, Key="a")["LastModified"]
    before, same = http_date(written - HOUR), http_date(written)
    choices = {
        "match": (match, {True: etag(b"x"), False: OTHER}),
        "unmodified-since": (unmodified, {True: same, False: before}),
        "none-match": (none_match, {True: OTHER, False: etag(b"x")}),
        "modified-since": (modified, {True: before, False: same}),
    }
    headers = {f"x-amz-copy-source-if-{name}": values[on] for name, (on, values) in choices.items() if on is not None}
    response = put_copy(address, bucket, "b", f"/{bucket}/a", headers)
    assert response.status == status
    if status == 412:
        assert response.error()["Code"] == "PreconditionFailed" and response.error()["Condition"]
    assert s3.exists(client, bucket, "b") == (status == 200)


def test_versions_of_the_source(client, bucket):
    s3.set_versioning(client, bucket, "Enabled")
    old = client.put_object(Bucket=bucket, Key="a", Body=b"old")["VersionId"]
    client.put_object(Bucket=bucket, Key="a", Body=b"new")
    source = {"Bucket": bucket, "Key": "a", "VersionId": old}
    answer = client.copy_object(Bucket=bucket, Key="b", CopySource=source)
    assert answer["CopySourceVersionId"] == old and answer["VersionId"] not in (old, None)
    assert s3.body_of(client, bucket, "b") == b"old"
    # An old version copied onto its key is the new one again; nothing else changes.
    again = client.copy_object(Bucket=bucket, Key="a", CopySource=source)
    got = client.get_object(Bucket=bucket, Key="a")
    assert got["Body"].read() == b"old" and got["VersionId"] == again["VersionId"] != old
    assert len(s3.versions(client, bucket, Prefix="a")) == 3


def test_a_source_version_that_is_no_object(client, bucket):
    s3.set_versioning(client, bucket, "Enabled")
    elsewhere = client.put_object(Bucket=bucket, Key="other", Body=b"x")["VersionId"]
    client.put_object(Bucket=bucket, Key="a", Body=b"x")
    marker = client.delete_object(Bucket=bucket, Key="a")["VersionId"]
    cases = {
        f"{bucket}/a": (404, "NoSuchKey"),
        f"{bucket}/a?versionId={marker}": (400, "InvalidRequest"),
        f"{bucket}/a?versionId={elsewhere}": (404, "NoSuchVersion"),
        f"{bucket}/a?versionId=not-a-version": (400, "InvalidArgument"),
    }
    for source, expected in cases.items():
        with refused(*expected):
            client.copy_object(Bucket=bucket, Key="b", CopySource=source)
    assert not s3.exists(client, bucket, "b")


def test_a_copy_of_a_multipart_object_keeps_its_parts(client, bucket):
    contents = [payload(MIN_PART, 1), payload(70 * KIB, 2)]
    source = multipart.store(client, bucket, "a", contents)
    assert copy(client, bucket, "a", "b")["CopyObjectResult"]["ETag"] == source["ETag"] == multipart.etag(contents)
    client.delete_object(Bucket=bucket, Key="a")
    got = client.get_object(Bucket=bucket, Key="b")
    assert got["Body"].read() == b"".join(contents) and got["ETag"] == source["ETag"]
    part = client.get_object(Bucket=bucket, Key="b", PartNumber=2)
    assert part["Body"].read() == contents[1] and part["PartsCount"] == 2


@pytest.mark.parametrize("wanted", [None, "SHA256", "CRC32C"])
def test_the_checksum_is_copied_or_computed_anew(client, bucket, wanted):
    content = payload(200 * KIB)
    client.put_object(Bucket=bucket, Key="a", Body=content, ChecksumAlgorithm="SHA1")
    result = copy(client, bucket, "a", "b", **({"ChecksumAlgorithm": wanted} if wanted else {}))["CopyObjectResult"]
    algorithm = wanted or "SHA1"
    head = client.head_object(Bucket=bucket, Key="b", ChecksumMode="ENABLED")
    for told in (result, head):
        assert told[f"Checksum{algorithm}"] == checksum(algorithm, content)
        assert told["ChecksumType"] == "FULL_OBJECT"
    assert (wanted is None) == ("ChecksumSHA1" in head)


def test_an_unknown_checksum_algorithm_is_refused(address, client, bucket):
    client.put_object(Bucket=bucket, Key="a", Body=b"x")
    response = put_copy(address, bucket, "b", f"/{bucket}/a", {"x-amz-checksum-algorithm": "SHA512"})
    assert response.refusal() == (400, "InvalidRequest")


def test_the_answer_is_a_copy_result(address, client, bucket):
    client.put_object(Bucket=bucket, Key="a", Body=b"x")
    response = put_copy(address, bucket, "b", f"/{bucket}/a")
    assert response.xml().tag == f"{wire.NAMESPACE}CopyObjectResult"
    assert response.get("content-type") == "application/xml"


def test_a_copy_is_a_new_object_of_its_own_age(client, bucket):
    client.put_object(Bucket=bucket, Key="a", Body=b"x")
    written = client.head_object(Bucket=bucket, Key="a")["LastModified"]
    time.sleep(1.1)  # Last-Modified counts in seconds
    copy(client, bucket, "a", "b")
    assert client.head_object(Bucket=bucket, Key="b")["LastModified"] > written


def test_copies_race_with_overwrites_and_deletes_of_the_source(node, client, bucket):
    """Every copy is one whole body that once stood under the source, whatever happens to it meanwhile."""
    contents = {hashlib.sha256(payload(300 * KIB, seed)).digest(): payload(300 * KIB, seed) for seed in range(4)}
    bodies = list(contents.values())
    used = node.extent_bytes_in_use()
    client.put_object(Bucket=bucket, Key="a", Body=bodies[0])
    stop, failures = threading.Event(), []

    def repeat(job):
        turn = 0
        try:
            while not stop.is_set():
                job(turn)
                turn += 1
        except Exception as failure:
            failures.append(failure)
            stop.set()

    def write(turn):
        client.put_object(Bucket=bucket, Key="a", Body=bodies[turn % 4])
        if turn % 3 == 0:
            client.delete_object(Bucket=bucket, Key="a")

    def copy_and_read(turn):
        try:
            copy(client, bucket, "a", f"b{turn % 5}")
        except ClientError as error:
            assert error.response["Error"]["Code"] == "NoSuchKey"
            return
        body = s3.body_of(client, bucket, f"b{turn % 5}")
        assert hashlib.sha256(body).digest() in contents

    threads = [threading.Thread(target=repeat, args=[job]) for job in (write, copy_and_read)]
    for thread in threads:
        thread.start()
    stop.wait(RACE_S)
    stop.set()
    for thread in threads:
        thread.join()
    assert not failures, failures[0]
    for key in s3.all_keys(client, bucket):
        assert hashlib.sha256(s3.body_of(client, bucket, key)).digest() in contents
        client.delete_object(Bucket=bucket, Key=key)
    node.wait_for_extent_bytes(used)
