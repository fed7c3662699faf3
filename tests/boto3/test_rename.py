"""RenameObject: the move, its source header, preconditions on both sides, tokens, races."""

import threading
import time

import pytest

from support import multipart, race, s3, wire
from support.accounts import MAIN
from support.dates import HOUR, http_date
from support.multipart import MIN_PART
from support.payload import KIB, MIB, etag, payload
from support.s3 import refused
from support.sse_c import CustomerKey

OTHER = '"00000000000000000000000000000000"'
ROUNDS = 10
RACE_S = 2
GONE = (404, "NoSuchKey")
FAILED = (412, "PreconditionFailed")
REQUEST = (400, "InvalidRequest")


def put_rename(address, bucket, source, key, headers=None, query=(("renameObject", ""),), **options):
    """A rename by hand: no token unless `headers` has one."""
    headers = {"x-amz-rename-source": source, **(headers or {})}
    return wire.call(address, "PUT", wire.object_path(bucket, key), query=query, headers=headers, **options)


def with_token(token: str) -> dict[str, str]:
    return {"x-amz-client-token": token}


@pytest.fixture
def stored(client, bucket) -> str:
    """A bucket with one object, `a`."""
    client.put_object(Bucket=bucket, Key="a", Body=b"a")
    return bucket


@pytest.mark.parametrize("size", [0, 100, 20 * KIB, MIB + 1])
@pytest.mark.parametrize("query", [[("renameObject", "")], []], ids=["query", "header alone"])
def test_the_object_stands_under_the_new_key_alone(address, client, bucket, size, query):
    content = payload(size)
    client.put_object(Bucket=bucket, Key="dir/a", Body=content)
    response = put_rename(address, bucket, "dir/a", "other/b", query=query)
    assert (response.status, response.body) == (200, b"")
    assert s3.all_keys(client, bucket) == ["other/b"]
    assert s3.body_of(client, bucket, "other/b") == content
    with refused(*GONE):
        client.get_object(Bucket=bucket, Key="dir/a")


def test_everything_but_the_key_stays(node, client, bucket):
    described = {"ContentType": "text/x", "CacheControl": "private", "Metadata": {"m": "1"}}
    client.put_object(
        Bucket=bucket, Key="a", Body=payload(MIB), Tagging="t=1", ChecksumAlgorithm="SHA256", **described
    )
    before = client.head_object(Bucket=bucket, Key="a", ChecksumMode="ENABLED")
    moved = [node.extent_bytes_in_use(), node.metric("ringstone_disk_read_bytes_total")]
    time.sleep(1.1)  # Last-Modified counts in seconds
    client.rename_object(Bucket=bucket, Key="b", RenameSource="a")
    after = client.head_object(Bucket=bucket, Key="b", ChecksumMode="ENABLED")
    for name in (*described, "ETag", "LastModified", "ContentLength", "ChecksumSHA256", "ChecksumType"):
        assert before[name] == after[name], name
    assert client.get_object_tagging(Bucket=bucket, Key="b")["TagSet"] == [{"Key": "t", "Value": "1"}]
    assert [node.extent_bytes_in_use(), node.metric("ringstone_disk_read_bytes_total")] == moved
    assert s3.body_of(client, bucket, "b") == payload(MIB)


def test_an_existing_destination_is_overwritten_and_its_space_freed(node, client, bucket):
    client.put_object(Bucket=bucket, Key="a", Body=payload(MIB, 1))
    used = node.extent_bytes_in_use()
    client.put_object(Bucket=bucket, Key="b", Body=payload(MIB, 2))
    client.rename_object(Bucket=bucket, Key="b", RenameSource="a")
    assert s3.all_keys(client, bucket) == ["b"]
    assert s3.body_of(client, bucket, "b") == payload(MIB, 1)
    node.wait_for_extent_bytes(used)


def test_a_multipart_object_keeps_its_parts(client, bucket):
    contents = [payload(MIN_PART, 1), payload(9 * KIB, 2)]
    multipart.store(client, bucket, "a", contents, ChecksumAlgorithm="CRC32", ChecksumType="FULL_OBJECT")
    before = client.head_object(Bucket=bucket, Key="a", ChecksumMode="ENABLED")
    client.rename_object(Bucket=bucket, Key="b", RenameSource="a")
    after = client.head_object(Bucket=bucket, Key="b", ChecksumMode="ENABLED")
    assert after["ETag"] == before["ETag"] == multipart.etag(contents)
    assert after["ChecksumCRC32"] == before["ChecksumCRC32"]
    part = client.get_object(Bucket=bucket, Key="b", PartNumber=2)
    assert part["Body"].read() == contents[1] and part["PartsCount"] == 2
    assert s3.body_of(client, bucket, "b") == b"".join(contents)


@pytest.mark.parametrize("size", [100, 300 * KIB])
def test_an_encrypted_object_is_renamed_without_its_key(client, bucket, size):
    key = CustomerKey.of("rename")
    client.put_object(Bucket=bucket, Key="a", Body=payload(size), **key.parameters)
    client.rename_object(Bucket=bucket, Key="b", RenameSource="a")
    assert s3.body_of(client, bucket, "b", **key.parameters) == payload(size)
    with refused(400, "InvalidRequest"):
        client.get_object(Bucket=bucket, Key="b")
    with refused(403, "AccessDenied"):
        client.get_object(Bucket=bucket, Key="b", **CustomerKey.of("wrong").parameters)


def test_open_uploads_of_both_keys_stay(client, stored):
    uploads = {key: multipart.begin(client, stored, key) for key in ("a", "b")}
    client.rename_object(Bucket=stored, Key="b", RenameSource="a")
    for key, upload in uploads.items():
        part = multipart.put_part(client, stored, key, upload, 1, key.encode() * 3)
        multipart.complete(client, stored, key, upload, [part])
    assert [s3.body_of(client, stored, key) for key in ("a", "b")] == [b"aaa", b"bbb"]


@pytest.mark.parametrize(
    "source, key",
    [
        ("src dir/é.txt", "src dir/é.txt"),
        ("/src dir/é.txt", "src dir/é.txt"),
        ("src%20dir/%C3%A9.txt", "src dir/é.txt"),
        ("a%2Bb", "a+b"),
        ("a+b", "a+b"),
        ("%41", "A"),
        ("%2541", "%41"),
        ("100%", "100%"),
        ("%FF", "%FF"),
        ("//lead", "/lead"),
        ("%2Flead", "/lead"),
        ("{bucket}/k", "{bucket}/k"),
        ("dir%2Fk", "dir/k"),
        ("?versionId=1", "?versionId=1"),
    ],
)
def test_the_source_is_named_raw_or_encoded_with_or_without_a_slash(address, client, bucket, source, key):
    source, key = source.format(bucket=bucket), key.format(bucket=bucket)
    for decoy in {"a b", "a+b", "A", "%41", "lead", "k", "dir/k"} - {key}:
        client.put_object(Bucket=bucket, Key=decoy, Body=b"wrong")
    client.put_object(Bucket=bucket, Key=key, Body=b"right")
    assert put_rename(address, bucket, source, "renamed").status == 200
    assert s3.body_of(client, bucket, "renamed") == b"right" and not s3.exists(client, bucket, key)


def test_what_is_missing(client, bucket):
    with refused(*GONE):
        client.rename_object(Bucket=bucket, Key="b", RenameSource="absent")
    with refused(404, "NoSuchBucket"):
        client.rename_object(Bucket=s3.new_bucket_name("missing"), Key="b", RenameSource="a")


@pytest.mark.parametrize("headers", [{}, {"x-amz-rename-source": ""}, {"x-amz-rename-source": "/"}])
def test_a_rename_without_a_source_is_refused_and_stores_nothing(address, client, stored, headers):
    response = wire.call(address, "PUT", f"/{stored}/b", query=[("renameObject", "")], headers=headers)
    assert response.status == 400
    assert s3.all_keys(client, stored) == ["a"]


@pytest.mark.parametrize("source, key", [("a", "k" * 1025), ("k" * 1025, "b")])
def test_a_key_too_long_is_refused(address, client, stored, source, key):
    assert put_rename(address, stored, source, key).refusal() == (400, "KeyTooLongError")
    assert s3.all_keys(client, stored) == ["a"]


def test_onto_itself_nothing_is_lost(address, client, stored):
    plain = put_rename(address, stored, "a", "a")
    assert plain.status == 200 or plain.refusal() == REQUEST
    only_new = put_rename(address, stored, "a", "a", {"if-none-match": "*"})
    assert only_new.refusal() in (FAILED, REQUEST)
    assert s3.all_keys(client, stored) == ["a"] and s3.body_of(client, stored, "a") == b"a"


def test_another_organisation_is_denied(alt_client, client, stored):
    with refused(403, "AccessDenied"):
        alt_client.rename_object(Bucket=stored, Key="b", RenameSource="a")
    assert s3.all_keys(client, stored) == ["a"]


def test_a_bucket_that_was_ever_versioned_is_refused(client, stored):
    for status in ("Enabled", "Suspended"):
        s3.set_versioning(client, stored, status)
        with refused(*REQUEST):
            client.rename_object(Bucket=stored, Key="b", RenameSource="a")
        # The bucket is judged before the source is looked for.
        with refused(*REQUEST):
            client.rename_object(Bucket=stored, Key="b", RenameSource="absent")
    assert s3.all_keys(client, stored) == ["a"]


# Header, value, whether the destination exists, status. A date is `before` or `same` (as the object).
CONDITIONS = [
    ("x-amz-rename-source-if-match", etag(b"a"), True, 200),
    ("x-amz-rename-source-if-match", etag(b"a").strip('"'), True, 200),
    ("x-amz-rename-source-if-match", OTHER, True, 412),
    ("x-amz-rename-source-if-none-match", OTHER, True, 200),
    ("x-amz-rename-source-if-none-match", etag(b"a"), True, 412),
    ("x-amz-rename-source-if-none-match", "*", True, 412),
    ("x-amz-rename-source-if-modified-since", "before", True, 200),
    ("x-amz-rename-source-if-modified-since", "same", True, 412),
    ("x-amz-rename-source-if-unmodified-since", "same", True, 200),
    ("x-amz-rename-source-if-unmodified-since", "before", True, 412),
    ("if-match", etag(b"b"), True, 200),
    ("if-match", OTHER, True, 412),
    ("if-match", etag(b"b"), False, 412),
    ("if-none-match", "*", False, 200),
    ("if-none-match", "*", True, 412),
    ("if-modified-since", "before", True, 200),
    ("if-modified-since", "same", True, 412),
    ("if-modified-since", "before", False, 412),
    ("if-unmodified-since", "same", True, 200),
    ("if-unmodified-since", "before", True, 412),
]


@pytest.mark.parametrize("header, value, exists, status", CONDITIONS)
def test_preconditions(address, client, bucket, header, value, exists, status):
    client.put_object(Bucket=bucket, Key="a", Body=b"a")
    if exists:
        client.put_object(Bucket=bucket, Key="b", Body=b"b")
    side = "a" if "source" in header or not exists else "b"
    written = client.head_object(Bucket=bucket, Key=side)["LastModified"]
    value = {"same": http_date(written), "before": http_date(written - HOUR)}.get(value, value)
    response = put_rename(address, bucket, "a", "b", {header: value})
    assert response.status == status
    if status == 412:
        error = response.error()
        assert error["Code"] == "PreconditionFailed" and error["Condition"]
        assert s3.all_keys(client, bucket) == ["a", "b"][: 1 + exists]
        assert s3.body_of(client, bucket, "a") == b"a"
    else:
        assert s3.all_keys(client, bucket) == ["b"] and s3.body_of(client, bucket, "b") == b"a"


def test_the_sdk_sends_every_precondition(client, stored):
    client.put_object(Bucket=stored, Key="b", Body=b"b")
    future = time.time() + 3600
    client.rename_object(
        Bucket=stored,
        Key="b",
        RenameSource="a",
        SourceIfMatch=etag(b"a"),
        SourceIfUnmodifiedSince=future,
        DestinationIfMatch=etag(b"b"),
        DestinationIfUnmodifiedSince=future,
    )
    with refused(*FAILED):
        client.rename_object(Bucket=stored, Key="a", RenameSource="b", DestinationIfMatch=etag(b"a"))
    with refused(*FAILED):
        client.rename_object(Bucket=stored, Key="a", RenameSource="b", SourceIfNoneMatch=etag(b"a"))
    client.rename_object(Bucket=stored, Key="a", RenameSource="b", DestinationIfNoneMatch="*")


def test_a_missing_source_comes_before_its_conditions(address, stored):
    headers = {"x-amz-rename-source-if-match": OTHER, "if-none-match": "*"}
    assert put_rename(address, stored, "absent", "a", headers).refusal() == GONE


@pytest.mark.parametrize("since", ["recreated", "destination deleted", "untouched"])
def test_a_token_sent_again_answers_and_does_not_act(address, client, stored, since):
    token = with_token("token-1")
    assert put_rename(address, stored, "a", "b", token).status == 200
    match since:
        case "recreated":
            client.put_object(Bucket=stored, Key="a", Body=b"new")
        case "destination deleted":
            client.delete_object(Bucket=stored, Key="b")
    before = s3.all_keys(client, stored)
    for _ in range(2):
        assert put_rename(address, stored, "a", "b", token).status == 200
    assert s3.all_keys(client, stored) == before
    if since == "recreated":
        assert [s3.body_of(client, stored, key) for key in ("a", "b")] == [b"new", b"a"]


@pytest.mark.parametrize(
    "source, key, headers", [("a", "c", {}), ("c", "b", {}), ("a", "b", {"if-none-match": "*"})], ids=str
)
def test_a_token_with_other_parameters_is_refused(address, client, stored, source, key, headers):
    token = with_token("token-2")
    assert put_rename(address, stored, "a", "b", token).status == 200
    client.put_object(Bucket=stored, Key="c", Body=b"c")
    client.put_object(Bucket=stored, Key="a", Body=b"new")
    response = put_rename(address, stored, source, key, {**token, **headers})
    assert response.refusal() == (400, "IdempotencyParameterMismatch")
    assert s3.all_keys(client, stored) == ["a", "b", "c"]


def test_a_failed_rename_leaves_its_token_unused(address, client, bucket):
    token = with_token("token-3")
    assert put_rename(address, bucket, "a", "b", token).refusal() == GONE
    client.put_object(Bucket=bucket, Key="a", Body=b"a")
    condition = {"if-match": OTHER}
    assert put_rename(address, bucket, "a", "b", {**token, **condition}).refusal() == FAILED
    assert put_rename(address, bucket, "a", "b", token).status == 200
    assert s3.all_keys(client, bucket) == ["b"]


def test_a_token_belongs_to_its_bucket(address, client, stored):
    token = with_token("token-4")
    second = s3.create_bucket(client, s3.new_bucket_name())
    client.put_object(Bucket=second, Key="x", Body=b"x")
    assert put_rename(address, stored, "a", "b", token).status == 200
    assert put_rename(address, second, "x", "y", token).status == 200
    assert s3.all_keys(client, second) == ["y"]
    s3.delete_bucket_with_objects(client, second)


@pytest.mark.parametrize("token", ["", "t" * 65, "with space", "tökén"])
def test_a_token_of_wrong_form_is_refused(address, client, stored, token):
    response = put_rename(address, stored, "a", "b", with_token(token))
    assert response.status == 400 and response.error()["Code"] in ("InvalidArgument", "InvalidRequest")
    assert s3.all_keys(client, stored) == ["a"]


@pytest.mark.parametrize("token", ["t", "~!" * 32])
def test_a_token_of_any_printable_characters_is_taken(address, stored, token):
    assert put_rename(address, stored, "a", "b", with_token(token)).status == 200


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_tokens_outlive_the_process(start_server, end):
    server = start_server(f"rename_{end}")
    client = s3.make_client(server.endpoint, MAIN)
    bucket = s3.create_bucket(client, "renamed")
    client.put_object(Bucket=bucket, Key="a", Body=b"first")
    token = with_token("kept")
    assert put_rename(server.address, bucket, "a", "b", token).status == 200
    client.put_object(Bucket=bucket, Key="a", Body=b"second")
    getattr(server, end)()
    server.start()
    assert put_rename(server.address, bucket, "a", "b", token).status == 200
    assert put_rename(server.address, bucket, "a", "c", token).refusal() == (400, "IdempotencyParameterMismatch")
    assert [s3.body_of(client, bucket, key) for key in ("a", "b")] == [b"second", b"first"]


def test_one_token_many_times_at_once_renames_once(address, client, bucket):
    for number in range(ROUNDS):
        client.put_object(Bucket=bucket, Key="a", Body=b"a")
        token = with_token(f"at-once-{number}")
        answers = race.at_once([lambda: put_rename(address, bucket, "a", "b", token)] * 12)
        assert {answer.status for answer in answers} == {200}
        assert s3.all_keys(client, bucket) == ["b"]


def test_of_many_renames_of_one_source_exactly_one_wins(address, client, bucket):
    for number in range(ROUNDS):
        content = payload(20 * KIB, number)
        client.put_object(Bucket=bucket, Key="a", Body=content)
        jobs = [lambda key=f"to-{index}": put_rename(address, bucket, "a", key) for index in range(12)]
        answers = race.at_once(jobs)
        assert sorted(answer.status for answer in answers) == [200] + [404] * 11
        (key,) = s3.all_keys(client, bucket)
        assert s3.body_of(client, bucket, key) == content
        client.delete_object(Bucket=bucket, Key=key)


def test_readers_see_exactly_one_of_the_two_keys(node, client, bucket):
    """A listing is one look at the bucket: while the object goes to and fro it must show it once."""
    client.put_object(Bucket=bucket, Key="x", Body=payload(100 * KIB))
    stop, failures, looks = threading.Event(), [], []

    def rename():
        own = s3.make_client(node.endpoint, MAIN)
        source, target = "x", "y"
        while not stop.is_set():
            own.rename_object(Bucket=bucket, Key=target, RenameSource=source, DestinationIfNoneMatch="*")
            source, target = target, source

    def look():
        own = s3.make_client(node.endpoint, MAIN)
        while not stop.is_set():
            keys = s3.all_keys(own, bucket)
            assert len(keys) == 1, keys
            looks.append(keys[0])

    def watched(job):
        try:
            job()
        except Exception as failure:
            failures.append(failure)
            stop.set()

    threads = [threading.Thread(target=watched, args=[job]) for job in (rename, look, look)]
    for thread in threads:
        thread.start()
    stop.wait(RACE_S)
    stop.set()
    for thread in threads:
        thread.join()
    assert not failures, failures[0]
    assert set(looks) == {"x", "y"}


def test_once_the_source_is_gone_the_destination_is_there(node, client, bucket):
    reader = s3.make_client(node.endpoint, MAIN)
    for number in range(ROUNDS):
        source, target = f"a{number}", f"b{number}"
        client.put_object(Bucket=bucket, Key=source, Body=b"x")
        renaming = threading.Thread(
            target=client.rename_object, kwargs={"Bucket": bucket, "Key": target, "RenameSource": source}
        )
        renaming.start()
        while s3.exists(reader, bucket, source):
            pass
        assert s3.body_of(reader, bucket, target) == b"x"
        renaming.join()
