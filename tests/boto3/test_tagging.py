"""Tags of objects and buckets, as documents, as a header and at the creation of a bucket."""

import pytest

from support import multipart, s3, wire
from support.accounts import REGION
from support.checksums import content_md5
from support.payload import etag
from support.s3 import refused

TOO_MANY = ("BadRequest", "InvalidTag")
TEN = {f"key-{number}": f"value {number}" for number in range(10)}

VALID = [
    {},
    {"k": ""},
    {"k": "v", "K": "V"},
    TEN,
    {"k" * 128: "v" * 256},
    {"é" * 128: "ü" * 256},
    {"a b+c-d=e.f_g:h/i@j": "a b+c-d=e.f_g:h/i@j"},
    {"雪": "١٢"},
]
# Code of each: those of wrong characters and lengths are InvalidTag.
INVALID = [
    ([("k", "1"), ("k", "2")], ["InvalidTag"]),
    ([("k" * 129, "v")], ["InvalidTag"]),
    ([("k", "v" * 257)], ["InvalidTag"]),
    ([("aws:k", "v")], ["InvalidTag"]),
    ([("k", "v!")], ["InvalidTag"]),
    ([("k*", "v")], ["InvalidTag"]),
    ([(f"k{number}", "v") for number in range(11)], TOO_MANY),
]


def tag_set(tags) -> dict:
    pairs = tags.items() if isinstance(tags, dict) else tags
    return {"TagSet": [{"Key": key, "Value": value} for key, value in pairs]}


def read(answer) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in answer["TagSet"]}


class ObjectTags:
    """The tags of one object."""

    def __init__(self, client, bucket):
        client.put_object(Bucket=bucket, Key="k", Body=b"x")
        self.client, self.place, self.path = client, {"Bucket": bucket, "Key": "k"}, f"/{bucket}/k"

    def put(self, tags):
        return self.client.put_object_tagging(**self.place, Tagging=tag_set(tags))

    def get(self):
        return read(self.client.get_object_tagging(**self.place))

    def delete(self):
        return self.client.delete_object_tagging(**self.place)


class BucketTags:
    """The tags of one bucket."""

    def __init__(self, client, bucket):
        self.client, self.place, self.path = client, {"Bucket": bucket}, f"/{bucket}"

    def put(self, tags):
        return self.client.put_bucket_tagging(**self.place, Tagging=tag_set(tags))

    def get(self):
        try:
            return read(self.client.get_bucket_tagging(**self.place))
        except s3.ClientError as error:
            assert error.response["Error"]["Code"] == "NoSuchTagSet"
            return {}

    def delete(self):
        return self.client.delete_bucket_tagging(**self.place)


@pytest.fixture(params=[ObjectTags, BucketTags])
def tags(request, client, bucket):
    return request.param(client, bucket)


@pytest.mark.parametrize("wanted", VALID, ids=range(len(VALID)))
def test_tags_come_back(tags, wanted):
    tags.put(wanted)
    assert tags.get() == wanted


def test_a_put_replaces_and_a_delete_removes_all(tags):
    tags.put({"a": "1", "b": "2"})
    tags.put({"b": "3"})
    assert tags.get() == {"b": "3"}
    for _ in range(2):
        assert tags.delete()["ResponseMetadata"]["HTTPStatusCode"] == 204
        assert tags.get() == {}


@pytest.mark.parametrize("wanted, codes", INVALID, ids=range(len(INVALID)))
def test_invalid_tags_are_refused_and_change_nothing(tags, wanted, codes):
    tags.put({"kept": "1"})
    with pytest.raises(s3.ClientError) as caught:
        tags.put(wanted)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert caught.value.response["Error"]["Code"] in codes
    assert tags.get() == {"kept": "1"}


def test_an_empty_key_is_refused(address, tags):
    body = b"<Tagging><TagSet><Tag><Key></Key><Value>v</Value></Tag></TagSet></Tagging>"
    headers = {"content-md5": content_md5(body)}
    response = wire.call(address, "PUT", tags.path, query=[("tagging", "")], body=body, headers=headers)
    assert response.refusal() == (400, "InvalidTag")
    assert tags.get() == {}


ONE = "<TagSet><Tag><Key>k</Key><Value>v</Value></Tag></TagSet>"
# The SDK refuses to send it.
EMPTY_KEY = "<Tagging><TagSet><Tag><Key></Key><Value>v</Value></Tag></TagSet></Tagging>"


@pytest.mark.parametrize(
    "body",
    [
        "",
        "not xml",
        "<Tagging/>",
        f"<Tagging>{ONE}",
        f"<Other>{ONE}</Other>",
        EMPTY_KEY,
        "<Tagging><TagSet><Tag><Key>k</Key></Tag></TagSet></Tagging>",
        "<Tagging><TagSet><Tag><Value>v</Value></Tag></TagSet></Tagging>",
        '<!DOCTYPE t [<!ENTITY e "k">]><Tagging><TagSet><Tag><Key>&e;</Key><Value/></Tag></TagSet></Tagging>',
    ],
)
def test_a_malformed_document_is_refused(address, tags, body):
    tags.put({"kept": "1"})
    headers = {"content-md5": content_md5(body.encode())}
    response = wire.call(address, "PUT", tags.path, query=[("tagging", "")], body=body.encode(), headers=headers)
    assert response.status == 400
    allowed = {"": ["MissingRequestBodyError"], EMPTY_KEY: ["InvalidTag"]}
    assert response.error()["Code"] in ("MalformedXML", *allowed.get(body, []))
    assert tags.get() == {"kept": "1"}


@pytest.mark.parametrize("namespace", ["", ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'])
def test_the_document_is_taken_with_and_without_namespace(address, tags, namespace):
    body = f"<Tagging{namespace}>{ONE}</Tagging>".encode()
    headers = {"content-md5": content_md5(body)}
    response = wire.call(address, "PUT", tags.path, query=[("tagging", "")], body=body, headers=headers)
    assert response.status in (200, 204)
    assert tags.get() == {"k": "v"}


def test_a_wrong_digest_changes_nothing(address, tags):
    body = f"<Tagging>{ONE}</Tagging>".encode()
    for name, value in (("content-md5", content_md5(b"other")), ("x-amz-checksum-crc32", "AAAAAA==")):
        query = [("tagging", "")]
        response = wire.call(address, "PUT", tags.path, query=query, body=body, headers={name: value})
        assert response.refusal() == (400, "BadDigest")
    assert tags.get() == {}


def test_the_answer_is_a_tagging_document(address, tags):
    tags.put({"k": "v"})
    root = wire.call(address, "GET", tags.path, query=[("tagging", "")]).xml()
    assert root.tag == f"{wire.NAMESPACE}Tagging"
    key = root.find(f"{wire.NAMESPACE}TagSet/{wire.NAMESPACE}Tag/{wire.NAMESPACE}Key")
    assert key.text == "k"


def test_another_organisation_is_denied(tags, alt_client):
    tags.put({"k": "v"})
    theirs = type(tags).__new__(type(tags))
    theirs.client, theirs.place = alt_client, tags.place
    for call in (lambda: theirs.put({}), theirs.delete):
        with refused(403, "AccessDenied"):
            call()
    get = alt_client.get_object_tagging if "Key" in tags.place else alt_client.get_bucket_tagging
    with refused(403, "AccessDenied"):
        get(**tags.place)
    assert tags.get() == {"k": "v"}


# --- objects


def test_tags_leave_the_object_alone_and_are_counted(client, bucket):
    client.put_object(Bucket=bucket, Key="k", Body=b"x", Metadata={"m": "1"})
    before = client.head_object(Bucket=bucket, Key="k")
    assert "TagCount" not in before
    client.put_object_tagging(Bucket=bucket, Key="k", Tagging=tag_set({"a": "1", "b": "2"}))
    got = client.get_object(Bucket=bucket, Key="k")
    for name in ("ETag", "LastModified", "Metadata", "ContentLength"):
        assert before[name] == got[name]
    assert got["TagCount"] == 2 and got["Body"].read() == b"x"
    assert client.head_object(Bucket=bucket, Key="k")["ResponseMetadata"]["HTTPHeaders"]["x-amz-tagging-count"] == "2"
    client.delete_object_tagging(Bucket=bucket, Key="k")
    assert "TagCount" not in client.get_object(Bucket=bucket, Key="k")


def test_an_overwrite_drops_the_tags(client, bucket):
    client.put_object(Bucket=bucket, Key="k", Body=b"x", Tagging="a=1")
    client.put_object(Bucket=bucket, Key="k", Body=b"y")
    assert read(client.get_object_tagging(Bucket=bucket, Key="k")) == {}


@pytest.mark.parametrize(
    "header, expected",
    [
        ("a=1&b=2", {"a": "1", "b": "2"}),
        ("a=", {"a": ""}),
        ("a%20b=c%2Bd%3D", {"a b": "c+d="}),
        ("a+b=c+d", {"a b": "c d"}),
        ("%C3%A9=%E9%9B%AA", {"é": "雪"}),
        ("&".join(f"k{number}=v" for number in range(10)), {f"k{number}": "v" for number in range(10)}),
    ],
)
def test_tags_of_the_header(address, client, bucket, header, expected):
    headers = {"x-amz-tagging": header}
    assert wire.call(address, "PUT", f"/{bucket}/k", body=b"x", headers=headers).status == 200
    assert read(client.get_object_tagging(Bucket=bucket, Key="k")) == expected


@pytest.mark.parametrize(
    "header",
    [
        "a=1&a=2",
        "aws:a=1",
        "a=!",
        "=v",
        "a=%zz",
        "a=%FF",
        f"{'k' * 129}=v",
        f"k={'v' * 257}",
        "&".join(f"k{number}=v" for number in range(11)),
    ],
)
def test_a_faulty_header_is_refused_and_stores_nothing(address, client, bucket, header):
    for method, query in (("PUT", []), ("POST", [("uploads", "")])):
        headers = {"x-amz-tagging": header}
        response = wire.call(address, method, f"/{bucket}/k", query=query, body=b"", headers=headers)
        assert response.status == 400
        assert response.error()["Code"] in ("InvalidArgument", "InvalidTag", "BadRequest")
    assert not s3.exists(client, bucket, "k")
    assert "Uploads" not in client.list_multipart_uploads(Bucket=bucket)


def test_what_has_no_tags(client, bucket):
    with refused(404, "NoSuchKey"):
        client.get_object_tagging(Bucket=bucket, Key="absent")
    with refused(404, "NoSuchKey"):
        client.put_object_tagging(Bucket=bucket, Key="absent", Tagging=tag_set({"a": "1"}))
    missing = s3.new_bucket_name("missing")
    with refused(404, "NoSuchBucket"):
        client.get_object_tagging(Bucket=missing, Key="k")
    with refused(404, "NoSuchBucket"):
        client.put_bucket_tagging(Bucket=missing, Tagging=tag_set({"a": "1"}))


def test_versions_have_their_own_tags(client, bucket):
    s3.set_versioning(client, bucket, "Enabled")
    old = client.put_object(Bucket=bucket, Key="k", Body=b"1")["VersionId"]
    new = client.put_object(Bucket=bucket, Key="k", Body=b"2", Tagging="n=2")["VersionId"]
    put = client.put_object_tagging(Bucket=bucket, Key="k", VersionId=old, Tagging=tag_set({"n": "1"}))
    assert put["VersionId"] == old
    current = client.get_object_tagging(Bucket=bucket, Key="k")
    assert (read(current), current["VersionId"]) == ({"n": "2"}, new)
    assert read(client.get_object_tagging(Bucket=bucket, Key="k", VersionId=old)) == {"n": "1"}
    assert client.get_object(Bucket=bucket, Key="k", VersionId=old)["TagCount"] == 1
    assert client.delete_object_tagging(Bucket=bucket, Key="k", VersionId=old)["VersionId"] == old
    assert read(client.get_object_tagging(Bucket=bucket, Key="k", VersionId=old)) == {}
    assert read(client.get_object_tagging(Bucket=bucket, Key="k")) == {"n": "2"}
    with refused(404, "NoSuchVersion"):
        elsewhere = client.put_object(Bucket=bucket, Key="other", Body=b"x")["VersionId"]
        client.get_object_tagging(Bucket=bucket, Key="k", VersionId=elsewhere)


def test_a_delete_marker_has_no_tags(client, bucket):
    s3.set_versioning(client, bucket, "Enabled")
    client.put_object(Bucket=bucket, Key="k", Body=b"1", Tagging="n=1")
    marker = client.delete_object(Bucket=bucket, Key="k")["VersionId"]
    with refused(405, "MethodNotAllowed"):
        client.get_object_tagging(Bucket=bucket, Key="k", VersionId=marker)
    with refused(405, "MethodNotAllowed"):
        client.put_object_tagging(Bucket=bucket, Key="k", VersionId=marker, Tagging=tag_set({"a": "1"}))
    for call in (client.get_object_tagging, client.delete_object_tagging):
        with pytest.raises(s3.ClientError) as caught:
            call(Bucket=bucket, Key="k")
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] in (404, 405)


def test_tags_of_a_multipart_object_can_change(client, bucket):
    multipart.store(client, bucket, "k", [b"x"], Tagging="a=1")
    client.put_object_tagging(Bucket=bucket, Key="k", Tagging=tag_set({"b": "2"}))
    got = client.get_object(Bucket=bucket, Key="k", PartNumber=1)
    assert (got["TagCount"], got["ETag"]) == (1, multipart.etag([b"x"])) and got["ETag"] != etag(b"x")


# --- buckets


def test_a_bucket_without_tags_says_so(client, bucket):
    with refused(404, "NoSuchTagSet"):
        client.get_bucket_tagging(Bucket=bucket)


def test_a_bucket_made_again_has_no_tags(client):
    name = s3.create_bucket(client, s3.new_bucket_name())
    client.put_bucket_tagging(Bucket=name, Tagging=tag_set({"k": "v"}))
    client.delete_bucket(Bucket=name)
    s3.create_bucket(client, name)
    with refused(404, "NoSuchTagSet"):
        client.get_bucket_tagging(Bucket=name)
    client.delete_bucket(Bucket=name)


def create_tagged(client, name, tags):
    configuration = {"LocationConstraint": REGION, "Tags": tag_set(tags)["TagSet"]}
    client.create_bucket(Bucket=name, CreateBucketConfiguration=configuration)


def test_a_bucket_can_be_created_with_tags(client):
    name = s3.new_bucket_name()
    create_tagged(client, name, TEN)
    assert read(client.get_bucket_tagging(Bucket=name)) == TEN
    client.delete_bucket(Bucket=name)


@pytest.mark.parametrize("wanted, codes", INVALID, ids=range(len(INVALID)))
def test_a_bucket_with_invalid_tags_is_not_created(client, wanted, codes):
    name = s3.new_bucket_name()
    with pytest.raises(s3.ClientError) as caught:
        create_tagged(client, name, wanted)
    assert caught.value.response["Error"]["Code"] in codes
    with refused(404, "404"):
        client.head_bucket(Bucket=name)
