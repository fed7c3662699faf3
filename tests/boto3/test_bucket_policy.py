"""The policy of a bucket as a document: put, read back, deleted; what is refused, and how long it counts."""

import json

import pytest

from support import policy, s3, wire
from support.accounts import ALT, MAIN, TENANT
from support.checksums import content_md5
from support.policy import Guarded
from support.s3 import refused

BYTES_MAX = 20 * 1024
# More connections than it takes to reach each of two cores.
CONNECTIONS = 16


def put(address, bucket: str, document: bytes, **request) -> wire.Response:
    return wire.call(address, "PUT", f"/{bucket}", query=[("policy", "")], body=document, **request)


def get(address, bucket: str, **request) -> wire.Response:
    return wire.call(address, "GET", f"/{bucket}", query=[("policy", "")], **request)


def delete(address, bucket: str, **request) -> wire.Response:
    return wire.call(address, "DELETE", f"/{bucket}", query=[("policy", "")], **request)


def of_size(guarded: Guarded, size: int) -> bytes:
    """A policy of exactly this many bytes."""
    short = policy.document({**guarded.allow("s3:GetObject"), "Sid": "a"}).encode()
    return short.replace(b'"a"', b'"a' + b"x" * (size - len(short)) + b'"')


# ------------------------------------------------------------------------------------------- put, get, delete


def test_put_get_and_delete(address, guarded):
    document = policy.document(guarded.allow("s3:GetObject")).encode()
    assert get(address, guarded.name).refusal() == (404, "NoSuchBucketPolicy")
    answer = put(address, guarded.name, document)
    assert (answer.status, answer.body) == (204, b"")
    answer = get(address, guarded.name)
    assert (answer.status, answer.get("content-type"), answer.body) == (200, "application/json", document)
    assert delete(address, guarded.name).status == 204
    assert get(address, guarded.name).refusal() == (404, "NoSuchBucketPolicy")
    # Nothing to delete is no fault.
    assert delete(address, guarded.name).status == 204


def test_boto3(client, guarded):
    with refused(404, "NoSuchBucketPolicy") as caught:
        client.get_bucket_policy(Bucket=guarded.name)
    assert caught.value.response["Error"]["BucketName"] == guarded.name
    document = policy.document(guarded.allow("s3:GetObject"))
    client.put_bucket_policy(Bucket=guarded.name, Policy=document, ConfirmRemoveSelfBucketAccess=True)
    assert client.get_bucket_policy(Bucket=guarded.name)["Policy"] == document
    client.delete_bucket_policy(Bucket=guarded.name)


def test_a_policy_replaces_the_one_before(client, alt_client, guarded):
    guarded.fill("a", "b")
    guarded.set(guarded.allow("s3:GetObject", on="a"))
    guarded.set(guarded.allow("s3:GetObject", on="b"))
    assert s3.body_of(alt_client, guarded.name, "b") == b"b"
    with refused(403, "AccessDenied"):
        alt_client.get_object(Bucket=guarded.name, Key="a")


@pytest.mark.parametrize(
    "spacing",
    [
        '{{"Version":"2012-10-17","Statement":{0}}}',
        '{{ "Version" :\t"2012-10-17" ,\r\n "Statement":\r\n\r\n [ {0} ]\r\n}}\r\n',
        '{{"Statement":[{0}],\n\n\n"Version":"2008-10-17"}}   \n',
        '{{"Id":"ключ 雪 \\u00e9 \\"quoted\\"","Statement":[{0}],"Version":"2012-10-17"}}',
        '{{"\\u0053tatement":[{0}]}}',
    ],
)
def test_a_policy_is_read_back_byte_for_byte(address, guarded, spacing):
    document = spacing.format(json.dumps(guarded.allow("s3:GetObject"))).encode()
    assert put(address, guarded.name, document).status == 204
    assert get(address, guarded.name).body == document


def test_unicode_in_resources_and_values(client, alt_client, guarded):
    guarded.fill("ключ/雪 é", "other")
    when = {"StringEquals": {"aws:UserAgent": "é"}}
    document = json.dumps(
        {"Statement": [guarded.allow("s3:GetObject", on="ключ/雪 *"), guarded.deny(when=when)]}, ensure_ascii=False
    )
    client.put_bucket_policy(Bucket=guarded.name, Policy=document)
    assert client.get_bucket_policy(Bucket=guarded.name)["Policy"] == document
    assert s3.body_of(alt_client, guarded.name, "ключ/雪 é") == "ключ/雪 é".encode()
    with refused(403, "AccessDenied"):
        alt_client.get_object(Bucket=guarded.name, Key="other")


def test_a_missing_bucket(client):
    name = s3.new_bucket_name("missing")
    for call in (client.get_bucket_policy, client.delete_bucket_policy):
        with refused(404, "NoSuchBucket"):
            call(Bucket=name)
    with refused(404, "NoSuchBucket"):
        client.put_bucket_policy(Bucket=name, Policy=policy.document(Guarded(client, name).allow()))


# --------------------------------------------------------------------------------------------------- its size


@pytest.mark.parametrize("size", [BYTES_MAX - 1, BYTES_MAX])
def test_the_largest_policy(address, guarded, size):
    document = of_size(guarded, size)
    assert len(document) == size
    assert put(address, guarded.name, document).status == 204
    assert get(address, guarded.name).body == document


@pytest.mark.parametrize("size", [BYTES_MAX + 1, 2 * BYTES_MAX, 10 * BYTES_MAX])
def test_a_policy_that_is_too_large(address, guarded, size):
    guarded.set(guarded.allow("s3:GetObject"))
    before = get(address, guarded.name).body
    assert put(address, guarded.name, of_size(guarded, size)).refusal() == (400, "PolicyTooLarge")
    assert get(address, guarded.name).body == before


@pytest.mark.parametrize("size, expected", [(BYTES_MAX, 204), (BYTES_MAX + 1, 400)])
def test_the_size_of_a_policy_without_a_length(address, guarded, size, expected):
    prepared = wire.prepare(address, "PUT", f"/{guarded.name}", query=[("policy", "")])
    prepared.headers["transfer-encoding"] = "chunked"
    document = of_size(guarded, size)
    pieces = [document[at : at + 1000] for at in range(0, len(document), 1000)]
    body = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
    with wire.Connection(address) as connection:
        connection.send(prepared.head() + body)
        answer = connection.response()
    assert answer.status == expected
    if expected == 400:
        assert answer.refusal() == (400, "PolicyTooLarge")
        assert get(address, guarded.name).status == 404
    else:
        assert get(address, guarded.name).body == document


def test_what_the_client_promised_of_the_document(address, guarded):
    document = policy.document(guarded.allow("s3:GetObject")).encode()
    wrong = {"content-md5": content_md5(b"another")}
    assert put(address, guarded.name, document, headers=wrong).refusal() == (400, "BadDigest")
    assert get(address, guarded.name).status == 404
    right = {"content-md5": content_md5(document)}
    assert put(address, guarded.name, document, headers=right).status == 204


# ------------------------------------------------------------------------------------------ malformed documents

DROP = object()


def good(**changes) -> dict:
    """A statement about the bucket `{bucket}` with some elements changed or dropped."""
    elements = {
        "Sid": "one",
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::{bucket}/*",
    }
    elements |= changes
    return {name: value for name, value in elements.items() if value is not DROP}


def whole(*statements, **changes) -> str:
    elements = {"Version": policy.CURRENT, "Statement": list(statements) or [good()]} | changes
    return json.dumps({name: value for name, value in elements.items() if value is not DROP})


def second(**changes) -> str:
    """A policy whose second statement is at fault."""
    return whole(good(), good(**{"Sid": "two", **changes}))


def condition(value) -> str:
    return second(Condition=value)


# Each with a part of the message that tells what is wrong or where.
MALFORMED = [
    # No JSON.
    ("", "first byte"),
    ("   {}", "first byte"),
    ("\ufeff{}", "first byte"),
    ("[]", "first byte"),
    ('"text"', "first byte"),
    ("<Policy/>", "first byte"),
    ("{", "Json"),
    (whole() + "x", "Json"),
    (whole() + whole(), "Json"),
    (whole().replace('"Allow"', "Allow"), "Json"),
    (whole().replace('"*"', "'*'"), "Json"),
    (whole()[:-1] + ",}", "Json"),
    ('{"Statement": [' + "[" * 5000 + "]" * 5000 + "]}", "Json"),
    # A name twice, at each level.
    (whole().replace('{"Version"', '{"Version":"2012-10-17","Version"', 1), "duplicate"),
    (whole().replace('"Effect"', '"Effect":"Deny","Effect"', 1), "duplicate"),
    (condition({"Bool": {"aws:SecureTransport": "true"}}).replace('"Bool"', '"Bool":{},"Bool"'), "duplicate"),
    # The document.
    ("{}", "Statement"),
    (whole(Version="2012-10-18"), "Version"),
    (whole(Version=20121017), "Version"),
    (whole(Version=""), "Version"),
    (whole(Id=7), "Id"),
    (whole(Comment="none"), "Comment"),
    (whole(version="2012-10-17"), "version"),
    (whole(Statement=DROP), "Statement"),
    (whole(Statement=[]), "Statement"),
    (whole(Statement="Allow"), "Statement"),
    (whole(Statement=[[]]), "Statement[0]"),
    (whole(Statement=[good(), None]), "Statement[1]"),
    # The elements of a statement.
    (second(Comment="none"), "Statement[1].Comment"),
    (second(effect="Allow"), "Statement[1].effect"),
    (second(Effect=DROP), "Statement[1]"),
    (second(Effect="allow"), "Statement[1].Effect"),
    (second(Effect=["Allow"]), "Statement[1].Effect"),
    (second(Sid="one"), "Statement[1].Sid"),
    (second(Sid="two\nlines"), "Statement[1].Sid"),
    (second(Sid="ключ"), "Statement[1].Sid"),
    (second(Sid=2), "Statement[1].Sid"),
    (second(Principal=DROP), "Statement[1]"),
    (second(NotPrincipal="*"), "Statement[1].NotPrincipal"),
    (second(Principal=DROP, NotPrincipal="*"), "Statement[1].NotPrincipal"),
    (second(Principal="somebody"), "Statement[1].Principal"),
    (second(Principal=[]), "Statement[1].Principal"),
    (second(Principal={}), "Statement[1].Principal"),
    (second(Principal={"AWS": []}), "Statement[1].Principal"),
    (second(Principal={"AWS": ""}), "Statement[1].Principal.AWS"),
    (second(Principal={"AWS": 1}), "Statement[1].Principal.AWS"),
    (second(Principal={"AWS": ["*", "arn:aws:iam::org"]}), "Statement[1].Principal.AWS[1]"),
    (second(Principal={"AWS": "arn:aws:iam::org-alt:coreweave/al*"}), "Statement[1].Principal.AWS"),
    (second(Principal={"AWS": "arn:aws:iam::*:coreweave/alt"}), "Statement[1].Principal.AWS"),
    (second(Principal={"AWS": "arn:aws:s3:::{bucket}"}), "Statement[1].Principal.AWS"),
    (second(Principal={"Azure": "*"}), "Statement[1].Principal.Azure"),
    (second(Action=DROP), "Statement[1]"),
    (second(NotAction="s3:GetObject"), "Statement[1].NotAction"),
    (second(Action=[]), "Statement[1].Action"),
    (second(Action=""), "Statement[1].Action"),
    (second(Action={"s3": "GetObject"}), "Statement[1].Action"),
    (second(Action="GetObject"), "Statement[1].Action"),
    (second(Action="ec2:RunInstances"), "Statement[1].Action"),
    (second(Action=["s3:GetObject", "s3:GetObjet"]), "Statement[1].Action[1]"),
    (second(Action="s3:Fly*"), "Statement[1].Action"),
    (second(Action=DROP, NotAction="s3:GetObjet"), "Statement[1].NotAction"),
    (second(Resource=DROP), "Statement[1]"),
    (second(NotResource="arn:aws:s3:::{bucket}"), "Statement[1].NotResource"),
    (second(Resource=[]), "Statement[1].Resource"),
    (second(Resource=""), "Statement[1].Resource"),
    (second(Resource=7), "Statement[1].Resource"),
    (second(Resource="{bucket}/*"), "Statement[1].Resource"),
    (second(Resource="arn:aws:s3:::"), "Statement[1].Resource"),
    (second(Resource="arn:aws:s3:::another-bucket/*"), "Statement[1].Resource"),
    (second(Resource="arn:aws:s3:::{bucket}x/*"), "Statement[1].Resource"),
    (second(Resource=["arn:aws:s3:::{bucket}/*", "arn:aws:s3:::another-*"]), "Statement[1].Resource[1]"),
    (second(Resource="arn:aws:s3:::{bucket}"), "Statement[1].Action"),
    (second(Action="s3:ListBucket"), "Statement[1].Action"),
    # Conditions.
    (condition([]), "Statement[1].Condition"),
    (condition("none"), "Statement[1].Condition"),
    (condition({"StringEquals": []}), "Statement[1].Condition.StringEquals"),
    (condition({"StringIs": {"aws:Referer": "x"}}), "Statement[1].Condition.StringIs"),
    (condition({"stringequals": {"aws:Referer": "x"}}), "Statement[1].Condition.stringequals"),
    (condition({"ForSomeValues:StringEquals": {"aws:Referer": "x"}}), "Statement[1].Condition.ForSomeValues"),
    (condition({"NullIfExists": {"aws:Referer": "true"}}), "Statement[1].Condition.NullIfExists"),
    (condition({"StringEquals": {"aws:Weather": "x"}}), "Statement[1].Condition.StringEquals.aws:Weather"),
    (condition({"StringEquals": {"s3:ExistingObjectTag": "x"}}), "Condition.StringEquals.s3:ExistingObjectTag"),
    (condition({"StringEquals": {"aws:Referer": []}}), "Statement[1].Condition.StringEquals.aws:Referer"),
    (condition({"StringEquals": {"aws:Referer": {"is": "x"}}}), "Statement[1].Condition.StringEquals.aws:Referer"),
    (condition({"StringEquals": {"aws:Referer": ["x", None]}}), "Condition.StringEquals.aws:Referer[1]"),
    (condition({"NumericEquals": {"s3:max-keys": "ten"}}), "Statement[1].Condition.NumericEquals.s3:max-keys"),
    (condition({"DateLessThan": {"aws:CurrentTime": "soon"}}), "Condition.DateLessThan.aws:CurrentTime"),
    (condition({"Bool": {"aws:SecureTransport": "yes"}}), "Condition.Bool.aws:SecureTransport"),
    (condition({"Null": {"aws:Referer": "maybe"}}), "Condition.Null.aws:Referer"),
    (condition({"BinaryEquals": {"aws:username": "%%"}}), "Condition.BinaryEquals.aws:username"),
    (condition({"IpAddress": {"aws:SourceIp": "10.0.0.0/33"}}), "Condition.IpAddress.aws:SourceIp"),
    (condition({"IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "home"]}}), "Condition.IpAddress.aws:SourceIp[1]"),
    (condition({"ArnEquals": {"aws:PrincipalArn": "alt"}}), "Condition.ArnEquals.aws:PrincipalArn"),
    (condition({"StringEquals": {"aws:Referer": "${aws:Weather}"}}), "Condition.StringEquals.aws:Referer"),
    (second(Resource="arn:aws:s3:::{bucket}/${aws:username"), "Statement[1].Resource"),
]


@pytest.mark.parametrize("text, place", MALFORMED, ids=range(len(MALFORMED)))
def test_malformed_policies(address, module_bucket, text, place):
    document = text.replace("{bucket}", module_bucket).encode()
    answer = put(address, module_bucket, document)
    assert answer.refusal() == (400, "MalformedPolicy"), text
    assert place in answer.error()["Message"], text
    assert get(address, module_bucket).status == 404


def test_bytes_that_are_no_text(address, module_bucket):
    for wrong in (b'{"Id":"\xff"}', b'{"Id":"\xc3"}', b'{"\x00":1}', b"{\x00}", b'{"Id":"\xed\xa0\x80"}'):
        assert put(address, module_bucket, wrong).refusal() == (400, "MalformedPolicy")


def test_messages_are_fit_for_xml(address, module_bucket):
    """Whatever the document says of itself, the answer is a document too."""
    for text in ("<&>]]>", "\u0001\u0000", "\ufffe", "\U0001f600" * 1000, "\r\n\t"):
        answer = put(address, module_bucket, whole(**{text: "x"}).encode())
        assert answer.refusal() == (400, "MalformedPolicy")
        assert len(answer.error()["Message"]) < 1000


def test_a_malformed_policy_leaves_the_one_before(client, alt_client, guarded):
    guarded.fill("k")
    guarded.set(guarded.allow("s3:GetObject"))
    with refused(400, "MalformedPolicy"):
        client.put_bucket_policy(Bucket=guarded.name, Policy=policy.document(guarded.allow("s3:Nothing")))
    assert s3.body_of(alt_client, guarded.name, "k") == b"k"


# What looks odd and is right.
WELL_FORMED = [
    whole(Version=DROP),
    whole(Version="2008-10-17"),
    whole(Id=""),
    whole(Statement=good()),
    whole(good(Sid=DROP), good(Sid=DROP)),
    whole(good(Sid="Allow get requests originating from www.example.com")),
    whole(good(Sid=""), good(Sid="")),
    whole(good(Sid="allow-all_1")),
    second(Principal={"AWS": "*"}),
    second(Principal={"CW": ["*"]}),
    second(Principal={"AWS": "*", "CW": "arn:aws:iam::org-alt:coreweave/alt"}),
    second(Effect="Deny", Principal=DROP, NotPrincipal={"AWS": "arn:aws:iam::org-alt:coreweave/alt"}),
    second(Action="*"),
    second(Action="S3:getOBJECT"),
    second(Action="s3:Get*"),
    second(Action="s3:?etObject"),
    second(Action=["s3:GetObject", "s3:GetObject"]),
    second(Action=["s3:ListBucket", "s3:GetObject"], Resource=["arn:aws:s3:::{bucket}", "arn:aws:s3:::{bucket}/*"]),
    # Actions of S3 that this node has no call for.
    second(Action=["s3:PutObjectAcl", "s3:RestoreObject", "s3:GetObjectTorrent", "s3:GetObjectVersionForReplication"]),
    second(Action=["s3:PutBucketCORS", "s3:PutBucketPublicAccessBlock"], Resource="arn:aws:s3:::{bucket}"),
    second(Action=DROP, NotAction="s3:GetObject"),
    second(Resource="*"),
    second(Resource="arn:aws:s3:::*"),
    second(Resource="arn:aws:s3:::{bucket}*"),
    second(Resource="arn:aws:s3:::*/logs/*"),
    second(Resource="arn:aws:s3:::{bucket}/?"),
    second(Resource="arn:aws:s3:::{bucket}/${aws:username}/*"),
    second(Resource=DROP, NotResource="arn:aws:s3:::{bucket}/secret/*"),
    condition({}),
    condition({"StringEquals": {}}),
    condition({"Bool": {"aws:SecureTransport": False}}),
    condition({"NumericLessThan": {"s3:max-keys": 10}}),
    condition({"IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "::1", "2001:db8::/32", "10.1.2.3"]}}),
    condition({"StringEquals": {"aws:PrincipalTag/team": "x", "aws:SourceVpce": "vpce-1"}}),
    condition({"ForAllValues:StringLike": {"s3:RequestObjectTagKeys": ["a", "b*"]}}),
    condition({"StringEqualsIfExists": {"aws:Referer": "x"}}),
    condition({"DateGreaterThan": {"aws:CurrentTime": ["2026-01-01T00:00:00Z", "2026-01-01"]}}),
    condition({"StringLike": {"aws:userid": ["AROA*:*", "${aws:username}"]}}),
]


@pytest.mark.parametrize("text", WELL_FORMED, ids=range(len(WELL_FORMED)))
def test_well_formed_policies(address, guarded, text):
    document = text.replace("{bucket}", guarded.name).encode()
    answer = put(address, guarded.name, document)
    assert answer.status == 204, answer.body
    assert get(address, guarded.name).body == document


# ------------------------------------------------------------------------------------------ how long it counts


def test_a_policy_survives_restarts(start_server):
    server = start_server("policy_restart")
    client, alt = (s3.make_client(server.endpoint, account) for account in (MAIN, ALT))
    guarded = Guarded(client, s3.create_bucket(client, "restarted"))
    guarded.fill("open/k", "k")
    guarded.set(guarded.allow("s3:GetObject", on="open/*"), guarded.deny("s3:PutObject", "*"))
    document = client.get_bucket_policy(Bucket=guarded.name)["Policy"]
    for end in (server.stop, server.kill):
        end()
        server.start()
        assert client.get_bucket_policy(Bucket=guarded.name)["Policy"] == document
        assert s3.body_of(alt, guarded.name, "open/k") == b"open/k"
        with refused(403, "AccessDenied"):
            alt.get_object(Bucket=guarded.name, Key="k")
        with refused(403, "AccessDenied"):
            client.put_object(Bucket=guarded.name, Key="k", Body=b"x")
    client.delete_bucket_policy(Bucket=guarded.name)
    server.kill()
    server.start()
    with refused(404, "NoSuchBucketPolicy"):
        client.get_bucket_policy(Bucket=guarded.name)
    client.put_object(Bucket=guarded.name, Key="k", Body=b"x")


def test_a_policy_goes_with_its_bucket(client, alt_client, guarded):
    guarded.set(guarded.allow("s3:*", "*"))
    alt_client.head_bucket(Bucket=guarded.name)
    client.delete_bucket(Bucket=guarded.name)
    s3.create_bucket(client, guarded.name)
    with refused(404, "NoSuchBucketPolicy"):
        client.get_bucket_policy(Bucket=guarded.name)
    with refused(403, "403"):
        alt_client.head_bucket(Bucket=guarded.name)


def test_a_bucket_of_another_owner_does_not_inherit(client, alt_client, guarded):
    guarded.set(guarded.deny("s3:PutObject", "*"), guarded.allow("s3:ListBucket", MAIN))
    client.delete_bucket(Bucket=guarded.name)
    s3.create_bucket(alt_client, guarded.name)
    try:
        alt_client.put_object(Bucket=guarded.name, Key="k", Body=b"x")
        with refused(403, "403"):
            client.head_bucket(Bucket=guarded.name)
    finally:
        s3.delete_bucket_with_objects(alt_client, guarded.name)
        s3.create_bucket(client, guarded.name)


def test_a_changed_policy_counts_for_the_very_next_request(address, guarded):
    """On kept-alive connections, so many that every core has some."""
    guarded.fill("k")
    connections = [wire.Connection(address) for _ in range(CONNECTIONS)]

    def statuses() -> set[int]:
        found = set()
        for connection in connections:
            connection.send(wire.prepare(address, "GET", f"/{guarded.name}/k", account=ALT).head())
            found.add(connection.response().status)
        return found

    try:
        for _ in range(10):
            assert statuses() == {403}
            guarded.set(guarded.allow("s3:GetObject"))
            assert statuses() == {200}
            guarded.set(guarded.allow("s3:PutObject"))
            assert statuses() == {403}
            guarded.set(guarded.allow("s3:GetObject"), guarded.deny("s3:GetObject", TENANT))
            assert statuses() == {200}
            guarded.client.delete_bucket_policy(Bucket=guarded.name)
    finally:
        for connection in connections:
            connection.socket.close()
