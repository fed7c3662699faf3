"""Requests without a signature: what a policy can open to everybody, and what it cannot."""

import socket

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config

from support import multipart, policy, s3, sigv4, wire
from support.accounts import ALT, MAIN, REGION
from support.checksums import checksum, content_md5, header
from support.payload import MIB, etag, payload
from support.s3 import refused

DENIED = (403, "AccessDenied")
MUST_SIGN = "Anonymous users cannot invoke this API. Please authenticate."
TAGGING = b"<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>"
DELETE = b"<Delete><Object><Key>k</Key></Object></Delete>"
CREATE = f"<CreateBucketConfiguration><LocationConstraint>{REGION}</LocationConstraint></CreateBucketConfiguration>"
VERSIONING = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
LIFECYCLE = (
    b"<LifecycleConfiguration><Rule><ID>r</ID><Status>Enabled</Status><Filter><Prefix>x</Prefix></Filter>"
    b"<Expiration><Days>1</Days></Expiration></Rule></LifecycleConfiguration>"
)


@pytest.fixture
def send(address):
    """One request without a signature."""

    def send(method: str, path: str, body: bytes = b"", **headers: str) -> wire.Response:
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        return wire.send_plain(address, method, path, fields, body)

    return send


@pytest.fixture
def nobody(node):
    """boto3 without credentials."""
    config = Config(signature_version=UNSIGNED, s3={"addressing_style": "path"}, retries={"total_max_attempts": 1})
    return boto3.client("s3", endpoint_url=node.endpoint, region_name=REGION, config=config)


@pytest.fixture
def public(guarded):
    """A bucket where everybody may do everything, with an object `k`."""
    guarded.fill("k", Tagging="x=y")
    guarded.set(guarded.allow("s3:*", "*"))
    return guarded


# ------------------------------------------------------------------------------------------- where a policy opens


@pytest.mark.parametrize("everybody", ["*", {"AWS": "*"}, {"CW": "*"}, {"AWS": ["*"]}])
def test_everybody_includes_who_did_not_sign(send, guarded, everybody):
    guarded.fill("k")
    path = f"/{guarded.name}/k"
    assert send("GET", path).refusal() == DENIED
    guarded.set(guarded.allow("s3:GetObject", Principal=everybody))
    assert send("GET", path).body == b"k"
    guarded.set(guarded.allow("s3:GetObject", Principal=everybody), guarded.deny("s3:GetObject", ALT))
    assert send("GET", path).body == b"k"
    guarded.set(guarded.allow("s3:GetObject", Principal=everybody), guarded.deny("s3:GetObject", Principal=everybody))
    assert send("GET", path).refusal() == DENIED


@pytest.mark.parametrize("somebody", [ALT, MAIN, "org-alt", "org-main", "arn:aws:iam::org-alt:coreweave/*"])
def test_no_account_is_who_did_not_sign(send, guarded, somebody):
    guarded.fill("k")
    guarded.set(guarded.allow("s3:*", somebody))
    for method, path in (("GET", "/k"), ("PUT", "/k"), ("DELETE", "/k"), ("GET", ""), ("GET", "?policy")):
        assert send(method, f"/{guarded.name}{path}").refusal() == DENIED


def test_a_deny_of_all_but_some_meets_who_did_not_sign(send, guarded):
    guarded.fill("k")
    guarded.set(guarded.allow("s3:GetObject", "*"), guarded.deny("s3:GetObject", NotPrincipal=policy.principal(ALT)))
    assert send("GET", f"/{guarded.name}/k").refusal() == DENIED


def test_each_action_is_opened_by_itself(send, guarded):
    guarded.fill("k")
    calls = {
        "s3:GetObject": ("GET", "/k"),
        "s3:GetObjectTagging": ("GET", "/k?tagging"),
        "s3:ListBucket": ("GET", "?list-type=2"),
        "s3:PutObject": ("PUT", "/new"),
        "s3:DeleteObject": ("DELETE", "/absent"),
        "s3:GetBucketLocation": ("GET", "?location"),
        "s3:GetBucketPolicy": ("GET", "?policy"),
        "s3:GetBucketVersioning": ("GET", "?versioning"),
    }
    for action in calls:
        guarded.set(guarded.allow(action, "*"))
        for name, (method, path) in calls.items():
            answer = send(method, f"/{guarded.name}{path}")
            if name == action:
                assert answer.status in (200, 204), (action, name)
            else:
                assert answer.refusal() == DENIED, (action, name)


def test_only_keys_that_are_opened(send, guarded):
    guarded.fill("public/k", "secret/k")
    guarded.set(guarded.allow(["s3:GetObject", "s3:PutObject"], "*", on="public/*"))
    assert send("GET", f"/{guarded.name}/public/k").status == 200
    assert send("PUT", f"/{guarded.name}/public/new", b"x").status == 200
    for path in ("secret/k", "public", "secret/../public/k", "secret%2Fk"):
        assert send("GET", f"/{guarded.name}/{path}").refusal() == DENIED
        assert send("PUT", f"/{guarded.name}/{path}", b"x").refusal() == DENIED


# ---------------------------------------------------------------------------------------------------------- reads


def test_ranges(send, public):
    public.client.put_object(Bucket=public.name, Key="k", Body=b"0123456789")
    path = f"/{public.name}/k"
    for value, expected in (("bytes=2-4", b"234"), ("bytes=7-", b"789"), ("bytes=-2", b"89")):
        answer = send("GET", path, range=value)
        assert (answer.status, answer.body) == (206, expected)
        assert answer.get("content-range").endswith("/10")
    assert send("GET", path, range="bytes=10-").refusal() == (416, "InvalidRange")


def test_matching_of_etags(send, public):
    path, tag = f"/{public.name}/k", etag(b"k")
    for method in ("GET", "HEAD"):
        assert send(method, path, if_match=tag).status == 200
        assert send(method, path, if_match='"other"').status == 412
        assert send(method, path, if_none_match='"other"').status == 200
        answer = send(method, path, if_none_match=tag)
        assert (answer.status, answer.body, answer.get("etag")) == (304, b"", tag)


def test_heads(send, public):
    answer = send("HEAD", f"/{public.name}/k")
    assert (answer.status, answer.get("content-length"), answer.get("etag")) == (200, "1", etag(b"k"))
    assert send("HEAD", f"/{public.name}").status == 200
    assert send("HEAD", f"/{public.name}/absent").status == 404
    public.set(public.allow("s3:GetObject", "*"))
    for path in (f"/{public.name}", f"/{public.name}/absent"):
        answer = send("HEAD", path)
        assert (answer.status, answer.get("content-length") in (None, "0")) == (403, True)


@pytest.mark.parametrize("query", ["", "?list-type=2", "?list-type=2&prefix=k", "?versions"])
def test_listings(send, public, query):
    answer = send("GET", f"/{public.name}{query}")
    assert answer.status == 200
    keys = [element.text for element in answer.xml().iter(f"{wire.NAMESPACE}Key")]
    assert keys == ["k"]


def test_absence_is_told_to_those_who_may_list(send, public):
    path = f"/{public.name}/absent"
    assert send("GET", path).refusal() == (404, "NoSuchKey")
    public.set(public.allow("s3:GetObject", "*"))
    assert send("GET", path).refusal() == DENIED
    assert send("GET", path + "?versionId=null").refusal() == DENIED


@pytest.mark.parametrize(
    "name", ["content-type", "cache-control", "content-disposition", "content-encoding", "content-language", "expires"]
)
def test_response_headers_are_the_choice_of_who_signs(send, public, name):
    for method in ("GET", "HEAD"):
        answer = send(method, f"/{public.name}/k?response-{name}=x")
        assert answer.status == 400
    assert answer.body == b""
    assert send("GET", f"/{public.name}/k?response-{name}=x").refusal() == (400, "InvalidRequest")
    public.set(public.allow("s3:ListBucket", "*"))
    assert send("GET", f"/{public.name}/k?response-{name}=x").status in (400, 403)


# --------------------------------------------------------------------------------------------------------- writes


@pytest.mark.parametrize("size", [0, 1, 100_000, 3 * MIB])
def test_plain_uploads(send, client, public, size):
    content = payload(size)
    answer = send("PUT", f"/{public.name}/new", content, content_type="text/x", x_amz_meta_a="1")
    assert (answer.status, answer.get("etag")) == (200, etag(content))
    got = client.get_object(Bucket=public.name, Key="new")
    assert got["Body"].read() == content
    assert got["ContentType"] == "text/x" and got["Metadata"] == {"a": "1"}


@pytest.mark.parametrize("size", [0, 1, 65_536, MIB + 1])
@pytest.mark.parametrize("algorithm", ["CRC32", "CRC64NVME", "SHA256"])
def test_streaming_uploads(send, client, public, size, algorithm):
    content = payload(size)
    trailers = [(header(algorithm), checksum(algorithm, content))]
    fields = {
        "content-encoding": "aws-chunked",
        "x-amz-content-sha256": sigv4.STREAMING_UNSIGNED_TRAILER,
        "x-amz-decoded-content-length": str(size),
        "x-amz-trailer": header(algorithm),
    }
    answer = send("PUT", f"/{public.name}/new", sigv4.frame(content, None, trailers), **fields)
    assert (answer.status, answer.get("etag")) == (200, etag(content))
    assert s3.body_of(client, public.name, "new") == content
    wrong = [(header(algorithm), checksum(algorithm, content + b"!"))]
    answer = send("PUT", f"/{public.name}/bad", sigv4.frame(content, None, wrong), **fields)
    assert answer.refusal() == (400, "BadDigest")
    assert not s3.exists(client, public.name, "bad")


@pytest.mark.parametrize("form", [sigv4.STREAMING_SIGNED, sigv4.STREAMING_SIGNED_TRAILER])
def test_chunks_cannot_be_signed_by_nobody(address, send, client, public, form):
    fields = {"content-encoding": "aws-chunked", "x-amz-decoded-content-length": "5", "x-amz-content-sha256": form}
    signed = wire.prepare(address, "PUT", f"/{public.name}/new", payload_hash=form).signature
    answer = send("PUT", f"/{public.name}/new", sigv4.frame(b"12345", signed), **fields)
    assert answer.status == 400
    assert not s3.exists(client, public.name, "new")


def test_promises_are_kept_without_a_signature(send, client, public):
    path = f"/{public.name}/new"
    digest = sigv4.sha256_hex(b"promised")
    assert send("PUT", path, b"other", x_amz_content_sha256=digest).refusal() == (400, "XAmzContentSHA256Mismatch")
    assert send("PUT", path, b"other", content_md5=content_md5(b"promised")).refusal() == (400, "BadDigest")
    assert send("PUT", path, b"other", x_amz_checksum_crc32=checksum("CRC32", b"x")).refusal() == (400, "BadDigest")
    assert send("PUT", path, b"x", x_amz_content_sha256="no digest").refusal() == (400, "InvalidArgument")
    assert not s3.exists(client, public.name, "new")
    assert send("PUT", path, b"promised", x_amz_content_sha256=digest).status == 200


def test_conditional_writes(send, client, public):
    assert send("PUT", f"/{public.name}/k", b"x", if_none_match="*").refusal() == (412, "PreconditionFailed")
    assert send("PUT", f"/{public.name}/new", b"x", if_none_match="*").status == 200
    assert send("PUT", f"/{public.name}/k", b"x", if_match=etag(b"k")).status == 200


def test_deletes(send, client, public):
    public.client.put_object(Bucket=public.name, Key="k2", Body=b"x")
    assert send("DELETE", f"/{public.name}/k").status == 204
    assert s3.all_keys(client, public.name) == ["k2"]
    body = DELETE.replace(b">k<", b">k2<")
    assert send("POST", f"/{public.name}?delete", body, content_md5=content_md5(body)).status == 200
    assert s3.all_keys(client, public.name) == []


def test_a_delete_of_many_is_judged_one_by_one(send, client, guarded):
    guarded.fill("open/k", "k")
    guarded.set(guarded.allow("s3:DeleteObject", "*", on="open/*"))
    body = b"<Delete><Object><Key>k</Key></Object><Object><Key>open/k</Key></Object></Delete>"
    answer = send("POST", f"/{guarded.name}?delete", body, content_md5=content_md5(body))
    assert answer.status == 200
    assert [element.text for element in answer.xml().iter(f"{wire.NAMESPACE}Code")] == ["AccessDenied"]
    assert s3.all_keys(client, guarded.name) == ["k"]


def test_tagging(send, client, public):
    path = f"/{public.name}/k?tagging"
    assert b"<Value>y</Value>" in send("GET", path).body
    assert send("PUT", path, TAGGING).status == 200
    assert client.get_object_tagging(Bucket=public.name, Key="k")["TagSet"] == [{"Key": "a", "Value": "b"}]
    assert send("DELETE", path).status == 204
    assert client.get_object_tagging(Bucket=public.name, Key="k")["TagSet"] == []
    assert send("PUT", f"/{public.name}/new", b"x", x_amz_tagging="c=d").status == 200
    assert client.get_object_tagging(Bucket=public.name, Key="new")["TagSet"] == [{"Key": "c", "Value": "d"}]


def test_parts_of_an_upload_that_somebody_began(send, client, public):
    upload = multipart.begin(client, public.name, "up")
    place = f"/{public.name}/up?uploadId={upload}"
    tag = send("PUT", f"{place}&partNumber=1", b"part").get("etag")
    assert b"<PartNumber>1</PartNumber>" in send("GET", place).body
    assert send("POST", place, multipart.document([{"PartNumber": 1, "ETag": tag}])).status == 200
    assert s3.body_of(client, public.name, "up") == b"part"


def test_what_nobody_makes_belongs_to_the_owner_of_the_bucket(send, client, public):
    owner = {"ID": MAIN.user, "DisplayName": MAIN.display_name}
    s3.set_versioning(client, public.name, "Enabled")
    assert send("PUT", f"/{public.name}/new", b"x").status == 200
    assert send("DELETE", f"/{public.name}/gone").status == 204
    assert client.get_object_acl(Bucket=public.name, Key="new")["Owner"] == owner
    assert {entry["Owner"]["ID"] for entry in s3.versions(client, public.name)} == {MAIN.user}
    # And stays when the bucket is closed.
    public.set()
    assert send("GET", f"/{public.name}/new").refusal() == DENIED
    assert s3.body_of(client, public.name, "new") == b"x"


# ---------------------------------------------------------------------------------------- what no policy can open

NEVER = [
    ("GET", "/", b"", {}),
    ("PUT", "/new-bucket-of-nobody", CREATE.encode(), {}),
    ("PUT", "/{bucket}/copy", b"", {"x-amz-copy-source": "{bucket}/k"}),
    ("PUT", "/{bucket}/up?partNumber=1&uploadId={upload}", b"", {"x-amz-copy-source": "{bucket}/k"}),
    ("POST", "/{bucket}/new?uploads", b"", {}),
    ("PUT", "/{bucket}?policy", b'{"Statement":[]}', {}),
    ("DELETE", "/{bucket}?policy", b"", {}),
    ("PUT", "/{bucket}?versioning", VERSIONING, {}),
    ("PUT", "/{bucket}?lifecycle", LIFECYCLE, {}),
    ("DELETE", "/{bucket}?lifecycle", b"", {}),
]


@pytest.mark.parametrize("method, path, body, headers", NEVER)
def test_what_no_policy_can_open(send, client, public, method, path, body, headers):
    upload = multipart.begin(client, public.name, "up")
    before = client.get_bucket_policy(Bucket=public.name)["Policy"]

    def filled(text: str) -> str:
        return text.format(bucket=public.name, upload=upload)

    answer = send(method, filled(path), body, **{name: filled(value) for name, value in headers.items()})
    assert answer.refusal() == DENIED
    assert answer.error()["Message"] == MUST_SIGN
    assert s3.all_keys(client, public.name) == ["k"]
    assert client.get_bucket_policy(Bucket=public.name)["Policy"] == before
    assert "Status" not in client.get_bucket_versioning(Bucket=public.name)
    assert multipart.listed(client, public.name, "up", upload) == []


@pytest.mark.parametrize("query", ["cors", "website", "acl", "logging", "object-lock", "publicAccessBlock"])
def test_what_is_not_served_is_not_told_to_nobody(send, public, query):
    for method in ("PUT", "DELETE"):
        assert send(method, f"/{public.name}?{query}").refusal() == DENIED


def test_a_bad_signature_is_not_no_signature(address, public):
    path = f"/{public.name}/k"
    for authorization, status in (("AWS4-HMAC-SHA256 x", 400), ("Basic dXNlcjpwYXNz", 400), ("AWS a:b", 400)):
        assert wire.send_plain(address, "GET", path, {"Authorization": authorization}).status == status
    for query in ("X-Amz-Signature=0", "X-Amz-Algorithm=AWS4-HMAC-SHA256", "X-Amz-Credential=x"):
        assert wire.send_plain(address, "GET", f"{path}?{query}").status in (400, 403), query
    prepared = wire.prepare(address, "GET", path)
    prepared.target = f"/{public.name}/other"
    with wire.Connection(address) as connection:
        connection.send(prepared.head())
        assert connection.response().refusal() == (403, "SignatureDoesNotMatch")


# ------------------------------------------------------------------------------------------------------ refusals


def test_without_a_policy_nothing_is_open(send, guarded):
    guarded.fill("k")
    requests = [(method, path) for method in ("GET", "HEAD", "PUT", "DELETE") for path in ("/k", "/absent", "")]
    requests += [("GET", f"?{query}") for query in ("acl", "policy", "location", "tagging", "versions", "uploads")]
    requests += [("POST", "?delete"), ("GET", "/k?tagging"), ("PUT", "/k?tagging"), ("GET", "/k?attributes")]
    for method, path in requests:
        answer = send(method, f"/{guarded.name}{path}", b"x" if method in ("PUT", "POST") else b"")
        assert answer.status == 403, (method, path)
        assert method == "HEAD" or answer.refusal() == DENIED
    assert s3.all_keys(guarded.client, guarded.name) == ["k"]


def test_a_denied_upload_is_not_asked_for_its_body(address, guarded):
    def interim(path: str, body: bytes) -> wire.Response:
        fields = {"Host": "127.0.0.1", "Content-Length": str(len(body)), "Expect": "100-continue"}
        with wire.Connection(address) as connection:
            connection.send(wire.head("PUT", path, fields))
            if connection.socket.recv(100, socket.MSG_PEEK).startswith(b"HTTP/1.1 100"):
                connection.send(body)
            return connection.response()

    path = f"/{guarded.name}/k"
    answer = interim(path, b"12345")
    assert (answer.interim, answer.refusal()) == ([], DENIED)
    guarded.set(guarded.allow("s3:PutObject", "*"))
    answer = interim(path, b"12345")
    assert (answer.interim, answer.status) == ([100], 200)


def test_a_denied_upload_stores_nothing(node, address, client, guarded):
    before = node.extent_bytes_in_use()
    body = b"x" * 2 * MIB
    with wire.Connection(address) as connection:
        fields = {"Host": "127.0.0.1", "Content-Length": str(len(body))}
        connection.send(wire.head("PUT", f"/{guarded.name}/k", fields))
        # It may close while it is still sent to.
        try:
            connection.send(body)
        except OSError:
            pass
        assert connection.response().refusal() == DENIED
    assert s3.all_keys(client, guarded.name) == []
    node.wait_for_extent_bytes(before)


def test_signed_and_unsigned_requests_on_one_connection(address, guarded):
    guarded.fill("open", "closed")
    guarded.set(guarded.allow("s3:GetObject", "*", on="open"))
    with wire.Connection(address) as connection:
        for _ in range(3):
            for key, status in (("open", 200), ("closed", 403)):
                path = f"/{guarded.name}/{key}"
                connection.send(wire.prepare(address, "GET", path).head())
                assert connection.response().status == 200
                connection.send(wire.head("GET", path, {"Host": "127.0.0.1"}))
                assert connection.response().status == status


# ---------------------------------------------------------------------------------------------------- real clients


def test_boto3_without_credentials(nobody, client, guarded):
    with refused(403, "AccessDenied"):
        nobody.list_objects_v2(Bucket=guarded.name)
    guarded.set(guarded.allow("s3:*", "*"))
    content = payload(300_000)
    nobody.put_object(Bucket=guarded.name, Key="k", Body=content, Metadata={"a": "1"})
    assert s3.body_of(nobody, guarded.name, "k") == content
    assert s3.all_keys(nobody, guarded.name) == ["k"]
    assert nobody.head_object(Bucket=guarded.name, Key="k")["Metadata"] == {"a": "1"}
    nobody.put_object_tagging(Bucket=guarded.name, Key="k", Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    for call in (
        lambda: nobody.copy_object(Bucket=guarded.name, Key="copy", CopySource=f"{guarded.name}/k"),
        lambda: nobody.create_multipart_upload(Bucket=guarded.name, Key="k"),
        lambda: nobody.delete_bucket_policy(Bucket=guarded.name),
        lambda: nobody.list_buckets(),
    ):
        with refused(403, "AccessDenied"):
            call()
    nobody.delete_objects(Bucket=guarded.name, Delete={"Objects": [{"Key": "k"}]})
    assert s3.all_keys(client, guarded.name) == []
