"""Multipart uploads: create, parts, complete, abort, and what each refuses."""

import pytest

from support import multipart, race, s3, wire
from support.accounts import MAIN
from support.checksums import content_md5
from support.multipart import MIN_PART
from support.payload import KIB, MIB, payload
from support.s3 import refused

ROUNDS = 10
MALFORMED = (400, "MalformedXML")
ARGUMENT = (400, "InvalidArgument")
ORDER = (400, "InvalidPartOrder")
PART = (400, "InvalidPart")
SMALL = (400, "EntityTooSmall")
REQUEST = (400, "InvalidRequest")
GONE = (404, "NoSuchUpload")
WRONG = {"PartNumber": 2, "ETag": '"00000000000000000000000000000000"'}


@pytest.fixture
def upload(client, bucket) -> str:
    """An open upload on the key `k`."""
    return multipart.begin(client, bucket, "k")


def post_complete(address, bucket, upload, body, headers=None):
    return wire.call(address, "POST", f"/{bucket}/k", query=[("uploadId", upload)], body=body, headers=headers)


def test_parts_join_by_number_whatever_their_gaps_and_order_of_arrival(client, bucket, upload):
    contents = {1: payload(MIN_PART, 1), 7: payload(MIN_PART + 1, 2), 10_000: payload(3, 3)}
    parts = {n: multipart.put_part(client, bucket, "k", upload, n, contents[n]) for n in (10_000, 1, 7)}
    answer = multipart.complete(client, bucket, "k", upload, [parts[n] for n in sorted(parts)])
    ordered = [contents[n] for n in sorted(contents)]
    assert answer["ETag"] == multipart.etag(ordered)
    assert (answer["Bucket"], answer["Key"]) == (bucket, "k") and answer["Location"].endswith(f"{bucket}/k")
    whole = b"".join(ordered)
    got = client.get_object(Bucket=bucket, Key="k")
    assert got["Body"].read() == whole and got["ETag"] == answer["ETag"]
    (entry,) = client.list_objects_v2(Bucket=bucket)["Contents"]
    assert (entry["Size"], entry["ETag"]) == (len(whole), answer["ETag"])


def test_the_answers_name_bucket_key_and_part_etag(client, bucket):
    created = client.create_multipart_upload(Bucket=bucket, Key="a b/é")
    assert (created["Bucket"], created["Key"]) == (bucket, "a b/é") and created["UploadId"]
    part = multipart.put_part(client, bucket, "a b/é", created["UploadId"], 1, b"hello")
    assert part["ETag"] == '"5d41402abc4b2a76b9719d911017c592"'


def test_an_upload_is_no_object_until_completed(client, bucket, upload):
    client.put_object(Bucket=bucket, Key="k", Body=b"old")
    part = multipart.put_part(client, bucket, "k", upload, 1, b"new")
    assert s3.body_of(client, bucket, "k") == b"old"
    multipart.begin(client, bucket, "other")
    assert s3.all_keys(client, bucket) == ["k"]
    multipart.complete(client, bucket, "k", upload, [part])
    assert s3.body_of(client, bucket, "k") == b"new"


def test_uploads_of_one_key_do_not_mix(client, bucket):
    uploads = [multipart.begin(client, bucket, "k") for _ in range(3)]
    assert len(set(uploads)) == 3
    parts = [
        multipart.put_part(client, bucket, "k", upload, 1, upload.encode() + bytes([n]))
        for n, upload in enumerate(uploads)
    ]
    with refused(*PART):
        multipart.complete(client, bucket, "k", uploads[0], [parts[1]])
    multipart.complete(client, bucket, "k", uploads[2], [parts[2]])
    multipart.complete(client, bucket, "k", uploads[0], [parts[0]])
    # The last to complete, not the last to begin, is the object.
    assert s3.body_of(client, bucket, "k") == uploads[0].encode() + b"\0"
    assert multipart.listed(client, bucket, "k", uploads[1])


@pytest.mark.parametrize("where", ["other key", "other bucket", "unknown id", "completed", "aborted"])
def test_calls_that_name_no_open_upload_are_refused(client, bucket, module_bucket, upload, where):
    part = multipart.put_part(client, bucket, "k", upload, 1, b"x")
    place = {"Bucket": bucket, "Key": "k", "UploadId": upload}
    match where:
        case "other key":
            place["Key"] = "k2"
        case "other bucket":
            place["Bucket"] = module_bucket
        case "unknown id":
            place["UploadId"] = "nonsense/id+ünknown"
        case "completed":
            multipart.complete(client, bucket, "k", upload, [part])
        case "aborted":
            client.abort_multipart_upload(**place)
    calls = [
        lambda: client.upload_part(**place, PartNumber=1, Body=b"y"),
        lambda: client.upload_part_copy(**place, PartNumber=1, CopySource=f"{bucket}/source"),
        lambda: client.list_parts(**place),
        lambda: client.abort_multipart_upload(**place),
    ]
    if where != "completed":
        calls.append(lambda: client.complete_multipart_upload(**place, MultipartUpload={"Parts": [part]}))
    client.put_object(Bucket=bucket, Key="source", Body=b"source")
    for call in calls:
        with refused(*GONE):
            call()


@pytest.mark.parametrize("number", ["0", "10001", "-1", "one", "", "1.5", "4294967297"])
def test_a_part_number_outside_1_to_10000_is_refused(address, client, bucket, upload, number):
    query = [("partNumber", number), ("uploadId", upload)]
    assert wire.call(address, "PUT", f"/{bucket}/k", query=query, body=b"x").refusal() == ARGUMENT
    assert multipart.listed(client, bucket, "k", upload) == []


def test_a_part_sent_again_replaces_the_first(client, bucket, upload):
    first = multipart.put_part(client, bucket, "k", upload, 1, payload(300 * KIB, 1))
    second = multipart.put_part(client, bucket, "k", upload, 1, payload(200 * KIB, 2))
    assert multipart.listed(client, bucket, "k", upload) == [(1, 200 * KIB)]
    with refused(*PART):
        multipart.complete(client, bucket, "k", upload, [first])
    multipart.complete(client, bucket, "k", upload, [second])
    assert s3.body_of(client, bucket, "k") == payload(200 * KIB, 2)


def test_of_two_sends_of_a_part_the_last_to_finish_stays(address, client, bucket, upload):
    slow, fast = payload(100 * KIB, 1), payload(100 * KIB, 2)
    query = [("partNumber", "1"), ("uploadId", upload)]
    prepared = wire.prepare(address, "PUT", f"/{bucket}/k", query=query, body_bytes=len(slow))
    with wire.Connection(address) as connection:
        connection.send(prepared.head() + slow[:1000])
        multipart.put_part(client, bucket, "k", upload, 1, fast)
        connection.send(slow[1000:])
        tag = connection.response().get("etag")
    multipart.complete(client, bucket, "k", upload, [{"PartNumber": 1, "ETag": tag}])
    assert s3.body_of(client, bucket, "k") == slow


def test_a_part_with_a_wrong_md5_is_refused_and_the_earlier_stays(client, bucket, upload):
    part = multipart.put_part(client, bucket, "k", upload, 1, b"good", ContentMD5=content_md5(b"good"))
    with refused(400, "BadDigest"):
        multipart.put_part(client, bucket, "k", upload, 1, payload(200 * KIB), ContentMD5=content_md5(b"other"))
    multipart.complete(client, bucket, "k", upload, [part])
    assert s3.body_of(client, bucket, "k") == b"good"


def test_parts_that_complete_does_not_name_are_dropped_with_their_space(node, client, bucket, upload):
    before = node.extent_bytes_in_use()
    contents = [payload(MIB, seed) for seed in range(1, 4)]
    parts = [multipart.put_part(client, bucket, "k", upload, n, content) for n, content in enumerate(contents, 1)]
    assert node.extent_bytes_in_use() - before >= 3 * MIB
    multipart.complete(client, bucket, "k", upload, [parts[1]])
    assert s3.body_of(client, bucket, "k") == contents[1]
    assert MIB <= node.extent_bytes_in_use() - before < 2 * MIB
    with refused(*GONE):
        client.list_parts(Bucket=bucket, Key="k", UploadId=upload)


@pytest.fixture(scope="module")
def refusing(client, module_bucket):
    """An upload of two small parts on an existing key `k`, for the order of the refusals."""
    client.put_object(Bucket=module_bucket, Key="k", Body=b"standing")
    upload = multipart.begin(client, module_bucket, "k")
    parts = [multipart.put_part(client, module_bucket, "k", upload, n, bytes([n])) for n in (1, 2)]
    return upload, parts


NAMED = "<Part><PartNumber>1</PartNumber><ETag>x</ETag></Part>"


@pytest.mark.parametrize(
    "body",
    [
        "",
        "not xml",
        "<CompleteMultipartUpload/>",
        "<CompleteMultipartUpload></CompleteMultipartUpload>",
        "<CompleteMultipartUpload>" + NAMED,
        f"<Other>{NAMED}</Other>",
        "<CompleteMultipartUpload><Part><ETag>x</ETag></Part></CompleteMultipartUpload>",
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber></Part></CompleteMultipartUpload>",
    ],
)
def test_a_malformed_complete_is_refused_even_for_an_unknown_upload(address, module_bucket, refusing, body):
    for upload in (refusing[0], "unknown"):
        response = post_complete(address, module_bucket, upload, body.encode())
        assert response.status == 400
        assert response.error()["Code"] in ("MalformedXML", *(["MissingRequestBodyError"] if not body else []))


# Each row also breaks a rule that is judged later, so that it shows the order.
@pytest.mark.parametrize(
    "numbers, headers, expected",
    [
        ("unknown 1", {}, GONE),
        ("0 2 1", {}, ARGUMENT),
        ("2w 1", {}, ORDER),
        ("1 1", {}, ORDER),
        ("1 3", {}, PART),
        ("1 2w", {}, PART),
        ("1 2", {"x-amz-mp-object-size": "9"}, SMALL),
        ("2", {"x-amz-checksum-crc64nvme": "AAAAAAAAAAA=", "x-amz-mp-object-size": "9"}, (400, "BadDigest")),
        ("2", {"x-amz-mp-object-size": "9", "if-none-match": "*"}, REQUEST),
        ("2", {"x-amz-mp-object-size": "1", "if-none-match": "*"}, (412, "PreconditionFailed")),
    ],
)
def test_the_order_of_refusals(address, client, module_bucket, refusing, numbers, headers, expected):
    upload, (first, second) = refusing
    named = {
        "0": {**first, "PartNumber": 0},
        "1": first,
        "2": second,
        "2w": WRONG,
        "3": {**second, "PartNumber": 3},
    }
    words = numbers.split()
    target = "unknown" if words[0] == "unknown" else upload
    body = multipart.document([named[word] for word in words if word in named])
    response = post_complete(address, module_bucket, target, body, headers)
    assert response.refusal() == expected
    if expected == SMALL:
        error = response.error()
        assert (error["MinSizeAllowed"], error["ProposedSize"]) == (str(MIN_PART), "1")
    if expected == PART:
        assert response.error()["PartNumber"] == words[1][0]
    # The upload stays, and so does the object.
    assert multipart.listed(client, module_bucket, "k", upload) == [(1, 1), (2, 1)]
    assert s3.body_of(client, module_bucket, "k") == b"standing"


def test_a_refused_complete_can_be_repeated_rightly(client, bucket, upload):
    parts = [multipart.put_part(client, bucket, "k", upload, n, bytes([n])) for n in (1, 2)]
    for wrong in ([parts[1], parts[0]], parts, [WRONG]):
        with pytest.raises(s3.ClientError):
            multipart.complete(client, bucket, "k", upload, wrong)
    multipart.complete(client, bucket, "k", upload, parts[1:])
    assert s3.body_of(client, bucket, "k") == b"\x02"


@pytest.mark.parametrize("quote", ['"', "&quot;", ""])
@pytest.mark.parametrize("namespace", ["", ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'])
def test_etags_and_the_namespace_are_taken_in_every_form(address, client, bucket, upload, quote, namespace):
    part = multipart.put_part(client, bucket, "k", upload, 1, b"x")
    tag = part["ETag"].strip('"')
    body = (
        f"<CompleteMultipartUpload{namespace}><Part><PartNumber>1</PartNumber><ETag>{quote}{tag}{quote}</ETag></Part>"
        "</CompleteMultipartUpload>"
    )
    response = post_complete(address, bucket, upload, body.encode())
    assert response.status == 200 and response.xml().tag == f"{wire.NAMESPACE}CompleteMultipartUploadResult"


@pytest.mark.parametrize("missing, accepted", [(1, False), (0, True)])
def test_every_part_but_the_last_has_five_mib(client, bucket, upload, missing, accepted):
    contents = [payload(MIN_PART - missing), b"tail"]
    parts = [multipart.put_part(client, bucket, "k", upload, n, content) for n, content in enumerate(contents, 1)]
    if accepted:
        answer = multipart.complete(client, bucket, "k", upload, parts, MpuObjectSize=MIN_PART + 4)
        assert answer["ETag"] == multipart.etag(contents)
        return
    with refused(*SMALL):
        multipart.complete(client, bucket, "k", upload, parts)


@pytest.mark.parametrize("contents", [[b""], [payload(MIN_PART), b""]], ids=["alone", "last"])
def test_a_part_may_be_empty(client, bucket, contents):
    assert multipart.store(client, bucket, "k", contents)["ETag"] == multipart.etag(contents)
    assert s3.body_of(client, bucket, "k") == b"".join(contents)


def test_a_complete_sent_again_answers_the_same_and_acts_once(client, bucket, upload):
    parts = [multipart.put_part(client, bucket, "k", upload, n, bytes([n])) for n in (1, 2)]
    first = multipart.complete(client, bucket, "k", upload, parts[:1])
    again = multipart.complete(client, bucket, "k", upload, parts[:1])
    for name in ("ETag", "Bucket", "Key", "Location", "ChecksumType"):
        assert first.get(name) == again.get(name)
    # Another list is no repetition.
    with refused(*GONE):
        multipart.complete(client, bucket, "k", upload, parts[1:])
    client.put_object(Bucket=bucket, Key="k", Body=b"newer")
    assert multipart.complete(client, bucket, "k", upload, parts[:1])["ETag"] == first["ETag"]
    assert s3.body_of(client, bucket, "k") == b"newer"
    client.delete_object(Bucket=bucket, Key="k")
    assert multipart.complete(client, bucket, "k", upload, parts[:1])["ETag"] == first["ETag"]
    assert not s3.exists(client, bucket, "k")


def test_the_same_complete_many_times_at_once_makes_one_version(client, bucket):
    s3.set_versioning(client, bucket, "Enabled")
    for number in range(ROUNDS):
        key = f"k{number}"
        upload = multipart.begin(client, bucket, key)
        part = multipart.put_part(client, bucket, key, upload, 1, payload(20 * KIB, number))
        outcomes = race.at_once([lambda: multipart.complete(client, bucket, key, upload, [part])] * 16)
        assert not any(map(race.is_refusal, outcomes)), outcomes
        assert len({(outcome["ETag"], outcome["VersionId"]) for outcome in outcomes}) == 1
        assert len(s3.versions(client, bucket, Prefix=key)) == 1
        client.delete_object(Bucket=bucket, Key=key, VersionId=outcomes[0]["VersionId"])


def test_of_complete_and_abort_at_once_exactly_one_wins(client, bucket):
    for number in range(ROUNDS):
        key = f"k{number}"
        upload = multipart.begin(client, bucket, key)
        part = multipart.put_part(client, bucket, key, upload, 1, payload(100 * KIB, number))
        completed, aborted = race.at_once(
            [
                lambda: multipart.complete(client, bucket, key, upload, [part]),
                lambda: client.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=upload),
            ]
        )
        assert race.is_refusal(completed) != race.is_refusal(aborted)
        assert race.refusal(completed if race.is_refusal(completed) else aborted) == GONE
        assert s3.exists(client, bucket, key) == race.is_refusal(aborted)


def test_abort_gives_the_space_back(node, client, bucket, upload):
    before = node.extent_bytes_in_use()
    for number in (1, 2):
        multipart.put_part(client, bucket, "k", upload, number, payload(MIB, number))
    answer = client.abort_multipart_upload(Bucket=bucket, Key="k", UploadId=upload)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
    node.wait_for_extent_bytes(before)


def test_metadata_and_tags_are_those_of_the_creation(address, client, bucket):
    upload = multipart.begin(
        client,
        bucket,
        "k",
        Metadata={"a": "1"},
        ContentType="text/x",
        CacheControl="private",
        ContentDisposition="inline",
        ContentLanguage="de",
        Tagging="colour=blue&n=1",
    )
    part = multipart.put_part(client, bucket, "k", upload, 1, b"x")
    ignored = {"x-amz-meta-b": "2", "content-type": "text/y", "cache-control": "public"}
    assert post_complete(address, bucket, upload, multipart.document([part]), ignored).status == 200
    head = client.head_object(Bucket=bucket, Key="k")
    assert head["Metadata"] == {"a": "1"}
    assert [head[name] for name in ("ContentType", "CacheControl", "ContentDisposition", "ContentLanguage")] == [
        "text/x",
        "private",
        "inline",
        "de",
    ]
    tags = client.get_object_tagging(Bucket=bucket, Key="k")["TagSet"]
    assert sorted((tag["Key"], tag["Value"]) for tag in tags) == [("colour", "blue"), ("n", "1")]


def test_a_bucket_with_an_open_upload_is_not_empty(client, bucket, upload):
    with refused(409, "BucketNotEmpty"):
        client.delete_bucket(Bucket=bucket)
    client.abort_multipart_upload(Bucket=bucket, Key="k", UploadId=upload)
    client.delete_bucket(Bucket=bucket)


def test_another_organisation_is_denied_every_call(client, alt_client, bucket, upload):
    part = multipart.put_part(client, bucket, "k", upload, 1, b"x")
    place = {"Bucket": bucket, "Key": "k", "UploadId": upload}
    calls = [
        lambda: alt_client.create_multipart_upload(Bucket=bucket, Key="k"),
        lambda: alt_client.upload_part(**place, PartNumber=1, Body=b"y"),
        lambda: alt_client.complete_multipart_upload(**place, MultipartUpload={"Parts": [part]}),
        lambda: alt_client.list_parts(**place),
        lambda: alt_client.list_multipart_uploads(Bucket=bucket),
        lambda: alt_client.abort_multipart_upload(**place),
    ]
    for call in calls:
        with refused(403, "AccessDenied"):
            call()
    multipart.complete(client, bucket, "k", upload, [part])


def test_an_upload_lives_through_restarts(start_server):
    server = start_server("multipart_restart")
    client = s3.make_client(server.endpoint, MAIN)
    bucket = s3.create_bucket(client, "restarted")
    contents = [payload(MIN_PART, 1), payload(100, 2)]
    upload = multipart.begin(client, bucket, "k", Metadata={"a": "1"})
    parts = []
    for number, content in enumerate(contents, 1):
        parts.append(multipart.put_part(client, bucket, "k", upload, number, content))
        server.stop()
        server.start()
    assert multipart.listed(client, bucket, "k", upload) == [(1, MIN_PART), (2, 100)]
    first = multipart.complete(client, bucket, "k", upload, parts)
    server.kill()
    server.start()
    got = client.get_object(Bucket=bucket, Key="k")
    assert got["Body"].read() == b"".join(contents) and got["Metadata"] == {"a": "1"}
    assert multipart.complete(client, bucket, "k", upload, parts)["ETag"] == first["ETag"]


def test_keys_of_every_sort_can_be_uploaded_in_parts(client, bucket):
    keys = ["a/b//c", "sp ace", "plus+%41", "é/雪", "new\nline", "k" * 1024]
    for index, key in enumerate(keys):
        multipart.store(client, bucket, key, [bytes([index])])
    assert [s3.body_of(client, bucket, key) for key in keys] == [bytes([index]) for index in range(len(keys))]
