"""The conditions of a bucket policy: every operator and every key, each by real requests."""

import base64
import datetime

import pytest

from support import multipart, policy, s3, sigv4, wire
from support.accounts import ALT, MAIN, TENANT
from support.s3 import refused
from support.sse_c import CustomerKey

LIST = [("list-type", "2")]
PAST, FUTURE = "2020-01-01T00:00:00Z", "2120-01-01T00:00:00Z"
PAST_S, FUTURE_S = "1577836800", "4733510400"
BY = {"user-agent": "tester/1.0 (x)"}


def get(address, guarded, key="k", account=ALT, **request) -> wire.Response:
    return wire.call(address, "GET", wire.object_path(guarded.name, key), account=account, **request)


def put(address, guarded, key="k", account=ALT, body=b"x", **request) -> wire.Response:
    return wire.call(address, "PUT", wire.object_path(guarded.name, key), account=account, body=body, **request)


def assert_judged(response: wire.Response, holds: bool) -> None:
    assert response.status in (200, 204) if holds else response.refusal() == (403, "AccessDenied"), response


def holds(address, guarded, when: dict, **request) -> bool:
    """Whether a condition holds for a read by `alt`, asked of an Allow and of a Deny."""
    guarded.set(guarded.allow("s3:GetObject", "*", when=when))
    allowed = get(address, guarded, **request).status
    guarded.set(guarded.allow("s3:GetObject", "*"), guarded.deny("s3:GetObject", "*", when=when))
    denied = get(address, guarded, **request).status
    assert (allowed, denied) in ((200, 403), (403, 200)), (allowed, denied)
    return allowed == 200


# ------------------------------------------------------------------------------------- operators and plain keys

ALT_ARN = policy.user_arn(ALT)
SENT = {"referer": "https://example.org/page?x=1"}

# Operator, key, values, headers of the request, whether it holds.
OPERATORS = [
    ("StringEquals", "aws:username", "alt", {}, True),
    ("StringEquals", "aws:username", ["main", "alt"], {}, True),
    ("StringEquals", "aws:username", "ALT", {}, False),
    ("StringEquals", "aws:username", "al*", {}, False),
    ("StringEquals", "AWS:USERNAME", "alt", {}, True),
    ("StringEquals", "aws:Referer", "x", {}, False),
    ("StringNotEquals", "aws:username", "alt", {}, False),
    ("StringNotEquals", "aws:username", "main", {}, True),
    ("StringNotEquals", "aws:username", ["main", "alt"], {}, False),
    ("StringNotEquals", "aws:username", ["main", "tenant"], {}, True),
    ("StringNotEquals", "aws:Referer", "x", {}, True),
    ("StringEqualsIgnoreCase", "aws:username", "AlT", {}, True),
    ("StringEqualsIgnoreCase", "aws:username", "main", {}, False),
    ("StringNotEqualsIgnoreCase", "aws:username", "ALT", {}, False),
    ("StringNotEqualsIgnoreCase", "aws:username", "MAIN", {}, True),
    ("StringLike", "aws:UserAgent", "tester/*", BY, True),
    ("StringLike", "aws:UserAgent", "tester/?.? (x)", BY, True),
    ("StringLike", "aws:UserAgent", "TESTER/*", BY, False),
    ("StringLike", "aws:UserAgent", ["curl/*", "*(x)"], BY, True),
    ("StringLike", "aws:UserAgent", "*", {}, False),
    ("StringNotLike", "aws:UserAgent", "tester/*", BY, False),
    ("StringNotLike", "aws:UserAgent", ["curl/*", "wget*"], BY, True),
    ("StringNotLike", "aws:UserAgent", "*", {}, True),
    ("StringLike", "aws:Referer", ["https://example.org/*", "http://example.org/*"], SENT, True),
    ("StringLike", "aws:Referer", "https://example.com/*", SENT, False),
    ("NumericEquals", "aws:EpochTime", PAST_S, {}, False),
    ("NumericNotEquals", "aws:EpochTime", PAST_S, {}, True),
    ("NumericGreaterThan", "aws:EpochTime", PAST_S, {}, True),
    ("NumericGreaterThan", "aws:EpochTime", FUTURE_S, {}, False),
    ("NumericGreaterThanEquals", "aws:EpochTime", PAST_S, {}, True),
    ("NumericLessThan", "aws:EpochTime", FUTURE_S, {}, True),
    ("NumericLessThan", "aws:EpochTime", PAST_S, {}, False),
    ("NumericLessThanEquals", "aws:EpochTime", FUTURE_S, {}, True),
    ("NumericLessThanEquals", "aws:EpochTime", 1577836800, {}, False),
    ("DateGreaterThan", "aws:CurrentTime", PAST, {}, True),
    ("DateGreaterThan", "aws:CurrentTime", FUTURE, {}, False),
    ("DateGreaterThan", "aws:CurrentTime", "2020-01-01T05:30:00+05:30", {}, True),
    ("DateGreaterThan", "aws:CurrentTime", "2020-01-01", {}, True),
    ("DateGreaterThan", "aws:CurrentTime", PAST_S, {}, True),
    ("DateGreaterThan", "aws:EpochTime", PAST, {}, True),
    ("DateGreaterThanEquals", "aws:CurrentTime", PAST, {}, True),
    ("DateLessThan", "aws:CurrentTime", FUTURE, {}, True),
    ("DateLessThan", "aws:CurrentTime", PAST, {}, False),
    ("DateLessThanEquals", "aws:CurrentTime", FUTURE, {}, True),
    ("DateEquals", "aws:CurrentTime", PAST, {}, False),
    ("DateNotEquals", "aws:CurrentTime", PAST, {}, True),
    ("Bool", "aws:SecureTransport", "false", {}, True),
    ("Bool", "aws:SecureTransport", "true", {}, False),
    ("Bool", "aws:SecureTransport", False, {}, True),
    ("Bool", "aws:SecureTransport", ["true", "false"], {}, True),
    ("BinaryEquals", "aws:username", base64.b64encode(b"alt").decode(), {}, True),
    ("BinaryEquals", "aws:username", base64.b64encode(b"main").decode(), {}, False),
    ("IpAddress", "aws:SourceIp", "127.0.0.1", {}, True),
    ("IpAddress", "aws:SourceIp", "127.0.0.0/8", {}, True),
    ("IpAddress", "aws:SourceIp", "127.0.0.1/32", {}, True),
    ("IpAddress", "aws:SourceIp", "0.0.0.0/0", {}, True),
    ("IpAddress", "aws:SourceIp", ["10.0.0.0/8", "127.0.0.0/24"], {}, True),
    ("IpAddress", "aws:SourceIp", ["10.0.0.0/8", "::1", "127.0.0.2"], {}, False),
    ("IpAddress", "aws:SourceIp", "::ffff:127.0.0.1", {}, True),
    # The client's word on its address counts only where a proxy is trusted.
    ("IpAddress", "aws:SourceIp", "10.0.0.0/8", {"x-forwarded-for": "10.1.2.3"}, False),
    ("NotIpAddress", "aws:SourceIp", "127.0.0.0/8", {}, False),
    ("NotIpAddress", "aws:SourceIp", ["10.0.0.0/8", "127.0.0.0/8"], {}, False),
    ("NotIpAddress", "aws:SourceIp", ["10.0.0.0/8", "::/0"], {}, True),
    ("ArnEquals", "aws:PrincipalArn", ALT_ARN, {}, True),
    ("ArnEquals", "aws:PrincipalArn", "arn:aws:iam::org-alt:coreweave/*", {}, True),
    ("ArnEquals", "aws:PrincipalArn", "arn:aws:iam::org-tenant:*", {}, False),
    ("ArnLike", "aws:PrincipalArn", "arn:aws:iam::org-*:*/alt", {}, True),
    ("ArnLike", "aws:PrincipalArn", "arn:*:iam::*:coreweave/?lt", {}, True),
    ("ArnLike", "aws:PrincipalArn", "arn:aws:*:coreweave/alt::", {}, False),
    ("ArnNotEquals", "aws:PrincipalArn", ALT_ARN, {}, False),
    ("ArnNotEquals", "aws:PrincipalArn", policy.user_arn(MAIN), {}, True),
    ("ArnNotLike", "aws:PrincipalArn", "arn:aws:iam::org-alt:*", {}, False),
    ("ArnNotLike", "aws:PrincipalArn", "arn:aws:iam::org-main:*", {}, True),
    ("Null", "aws:Referer", "true", {}, True),
    ("Null", "aws:Referer", "false", {}, False),
    ("Null", "aws:Referer", "true", SENT, False),
    ("Null", "aws:Referer", "false", SENT, True),
    ("Null", "aws:username", False, {}, True),
    ("StringEqualsIfExists", "aws:Referer", "x", {}, True),
    ("StringEqualsIfExists", "aws:Referer", "x", SENT, False),
    ("StringEqualsIfExists", "aws:Referer", SENT["referer"], SENT, True),
    ("StringLikeIfExists", "aws:Referer", "https://example.org/*", SENT, True),
    ("NumericLessThanIfExists", "s3:max-keys", "10", {}, True),
    ("IpAddressIfExists", "aws:SourceIp", "10.0.0.0/8", {}, False),
    ("ForAnyValue:StringEquals", "aws:username", ["alt", "x"], {}, True),
    ("ForAnyValue:StringEquals", "aws:Referer", "x", {}, False),
    ("ForAllValues:StringEquals", "aws:username", ["alt", "x"], {}, True),
    ("ForAllValues:StringEquals", "aws:username", "x", {}, False),
    ("ForAllValues:StringEquals", "aws:Referer", "x", {}, True),
    # Who the sender is.
    ("StringEquals", "cw:PrincipalOrgID", "org-alt", {}, True),
    ("StringEquals", "cw:PrincipalOrgID", "org-tenant", {}, False),
    ("StringEquals", "aws:PrincipalOrgID", "org-alt", {}, True),
    ("StringEquals", "aws:PrincipalAccount", "org-alt", {}, True),
    ("StringEquals", "aws:PrincipalType", "User", {}, True),
    ("StringEquals", "aws:userid", "alt", {}, True),
    ("StringEquals", "aws:ResourceAccount", "org-main", {}, True),
    ("StringEquals", "s3:ResourceAccount", "org-alt", {}, False),
    # How the request was signed.
    ("StringEquals", "s3:authType", "REST-HEADER", {}, True),
    ("StringEquals", "s3:authType", "REST-QUERY-STRING", {}, False),
    ("StringEquals", "s3:signatureversion", "AWS4-HMAC-SHA256", {}, True),
    ("NumericLessThan", "s3:signatureAge", "600000", {}, True),
    ("NumericGreaterThan", "s3:signatureAge", "600000", {}, False),
    ("StringEquals", "s3:x-amz-content-sha256", "UNSIGNED-PAYLOAD", {}, True),
    ("StringNotEquals", "s3:x-amz-content-sha256", "UNSIGNED-PAYLOAD", {}, False),
    ("StringEquals", "aws:RequestedRegion", "local-1", {}, True),
    # Keys of AWS that no request here has.
    ("StringEquals", "aws:SourceVpce", "vpce-1", {}, False),
    ("StringNotEquals", "aws:SourceVpce", "vpce-1", {}, True),
    ("Null", "aws:SourceVpce", "true", {}, True),
    ("StringEquals", "aws:PrincipalTag/team", "x", {}, False),
    # Variables, and a text that only looks like one.
    ("StringEquals", "aws:username", "${aws:username}", {}, True),
    ("StringEquals", "aws:Referer", "${aws:username}", {"referer": "alt"}, True),
    ("StringLike", "aws:Referer", "*/${aws:username}/*", {"referer": "/home/alt/x"}, True),
    ("StringLike", "aws:Referer", "*/${aws:username}/*", {"referer": "/home/main/x"}, False),
    ("StringEquals", "aws:username", "${aws:Referer}", {}, False),
    ("StringNotEquals", "aws:username", "${aws:Referer}", {}, True),
    ("StringEquals", "aws:username", "${aws:Referer, 'alt'}", {}, True),
    # A wildcard that a variable brings is a sign like others.
    ("StringLike", "aws:username", "${aws:Referer}", {"referer": "*"}, False),
    ("StringEquals", "aws:Referer", "${$}{aws:username}", {"referer": "${aws:username}"}, True),
]


@pytest.fixture(scope="module")
def readable(client):
    """A bucket with one object, whose policy the tests of this table change."""
    bucket = policy.Guarded(client, s3.create_bucket(client, s3.new_bucket_name("conditions")))
    bucket.fill("k")
    yield bucket
    bucket.remove()


@pytest.mark.parametrize("operator, key, values, headers, expected", OPERATORS, ids=range(len(OPERATORS)))
def test_operators_and_keys(address, readable, operator, key, values, headers, expected):
    assert holds(address, readable, {operator: {key: values}}, headers=headers) == expected


def test_keys_and_operators_must_all_hold_and_values_one(address, readable):
    yes, no = {"aws:username": "alt"}, {"aws:PrincipalType": "Anonymous"}
    like_yes, like_no = {"aws:UserAgent": ["curl/*", "tester/*"]}, {"aws:UserAgent": "curl/*"}
    for when, expected in (
        ({"StringEquals": yes | no}, False),
        ({"StringEquals": yes, "StringLike": like_yes}, True),
        ({"StringEquals": yes, "StringLike": like_no}, False),
        ({"StringEquals": no, "StringLike": like_yes}, False),
        ({"StringEquals": yes, "StringNotEquals": no, "StringLike": like_yes, "Null": {"aws:Referer": "true"}}, True),
    ):
        assert holds(address, readable, when, headers=BY) == expected, when


def test_who_did_not_sign(address, readable):
    """Anonymous requests have no name, organisation or signature; a Deny by its absence must be asked for."""
    path = f"/{readable.name}/k"
    for when, expected in (
        ({"StringEquals": {"cw:PrincipalOrgID": "org-alt"}}, 403),
        ({"StringNotEquals": {"cw:PrincipalOrgID": "org-main"}}, 200),
        ({"StringEquals": {"aws:PrincipalType": "Anonymous"}}, 200),
        ({"StringLike": {"aws:username": "*"}}, 403),
        ({"Null": {"aws:username": "true"}}, 200),
        ({"Null": {"s3:authType": "true"}}, 200),
        ({"Null": {"s3:signatureAge": "false"}}, 403),
        ({"StringLike": {"aws:PrincipalArn": "*"}}, 403),
        ({"IpAddress": {"aws:SourceIp": "127.0.0.1"}}, 200),
    ):
        readable.set(readable.allow("s3:GetObject", "*", when=when))
        assert wire.send_plain(address, "GET", path).status == expected, when


def test_an_organisation_by_condition(address, readable):
    readable.set(readable.allow("s3:GetObject", "*", when={"StringEquals": {"cw:PrincipalOrgID": "org-alt"}}))
    assert get(address, readable, account=ALT).status == 200
    assert get(address, readable, account=TENANT).status == 403
    assert wire.send_plain(address, "GET", f"/{readable.name}/k").status == 403
    readable.set(readable.deny("s3:*", "*", when={"StringNotEquals": {"cw:PrincipalOrgID": "org-main"}}))
    assert get(address, readable, account=MAIN).status == 200


def test_a_home_for_everybody(address, guarded):
    keys = ["home/alt/k", "home/tenant/k", "home/${aws:username}/k", "home/k"]
    guarded.fill(*keys)
    home = guarded.allow(["s3:GetObject", "s3:PutObject"], (ALT, TENANT), on="home/${aws:username}/*")
    guarded.set(home)
    for account in (ALT, TENANT):
        assert [key for key in keys if get(address, guarded, key, account).status == 200] == [f"home/{account.user}/k"]
        assert put(address, guarded, f"home/{account.user}/new", account).status == 200
        assert put(address, guarded, "home/main/new", account).status == 403
    guarded.set(home | {"Principal": "*"})
    for key in [*keys, "home//k"]:
        assert wire.send_plain(address, "GET", wire.object_path(guarded.name, key)).status == 403


# -------------------------------------------------------------------------------------------------- listings


@pytest.mark.parametrize(
    "when, queries",
    [
        # An absent parameter is no key: versity/versitygw#2367.
        ({"StringEquals": {"s3:prefix": "a/"}}, {(): 403, ("prefix", "a/"): 200, ("prefix", "a"): 403}),
        ({"StringEquals": {"s3:prefix": ["", "a/"]}}, {(): 403, ("prefix", ""): 200, ("prefix", "a/"): 200}),
        ({"StringEqualsIfExists": {"s3:prefix": "a/"}}, {(): 200, ("prefix", "b/"): 403}),
        ({"StringNotEquals": {"s3:prefix": "a/"}}, {(): 200, ("prefix", "a/"): 403, ("prefix", "b/"): 200}),
        ({"StringLike": {"s3:prefix": "a/*"}}, {(): 403, ("prefix", "a/b c"): 200, ("prefix", "b/a/"): 403}),
        ({"Null": {"s3:prefix": "false"}}, {(): 403, ("prefix", "x"): 200}),
        ({"StringEquals": {"s3:prefix": "é +"}}, {("prefix", "é +"): 200, ("prefix", "é"): 403}),
        ({"StringEquals": {"s3:delimiter": "/"}}, {(): 403, ("delimiter", "/"): 200, ("delimiter", "-"): 403}),
        ({"NumericLessThanEquals": {"s3:max-keys": "10"}}, {(): 403, ("max-keys", "10"): 200, ("max-keys", "11"): 403}),
        ({"NumericEquals": {"s3:max-keys": "10"}}, {("max-keys", "10"): 200, ("max-keys", "010"): 200, ("max-keys", "9"): 403}),
    ],
)
def test_keys_of_listings(address, guarded, when, queries):
    guarded.fill("a/1")
    guarded.set(guarded.allow("s3:ListBucket", when=when))
    for parameter, expected in queries.items():
        for form in (LIST, [], [("versions", "")]):
            query = [*form, *([parameter] if parameter else [])]
            answer = wire.call(address, "GET", f"/{guarded.name}", query=query, account=ALT)
            assert answer.status == expected, query


def test_a_number_that_is_none_satisfies_nothing(address, guarded):
    guarded.set(guarded.allow("s3:ListBucket", when={"NumericLessThan": {"s3:max-keys": "10"}}))
    for value in ("", "ten", "inf", "NaN", "1e400"):
        query = [*LIST, ("max-keys", value)]
        assert wire.call(address, "GET", f"/{guarded.name}", query=query, account=ALT).status == 403, value


# --------------------------------------------------------------------------------------------- how it was signed


def test_presigned_requests(address, guarded):
    guarded.fill("k")
    host = f"{address[0]}:{address[1]}"

    def presigned(minutes_ago: int) -> int:
        moment = sigv4.now_utc() - datetime.timedelta(minutes=minutes_ago)
        target = sigv4.presign("GET", f"/{guarded.name}/k", host, MAIN, expires_s=3600, moment=moment)
        return wire.send_plain(address, "GET", target).status

    guarded.set(guarded.deny(who="*", when={"StringNotEquals": {"s3:authType": "REST-HEADER"}}))
    assert presigned(0) == 403 and get(address, guarded, account=MAIN).status == 200
    guarded.set(guarded.deny(who="*", when={"StringEquals": {"s3:authType": "REST-HEADER"}}))
    assert presigned(0) == 200 and get(address, guarded, account=MAIN).status == 403
    # AWS's example: no presigned URL older than ten minutes, whatever it was made for.
    guarded.set(guarded.deny(who="*", when={"NumericGreaterThan": {"s3:signatureAge": "600000"}}))
    assert presigned(0) == 200 and presigned(9) == 200 and presigned(11) == 403
    assert get(address, guarded, account=MAIN).status == 200


# --------------------------------------------------------------------------------------------- headers of writes


def test_every_upload_must_bring_a_key(address, client, guarded):
    """CoreWeave's way to enforce SSE-C."""
    key = CustomerKey.of("policy")
    header = "s3:x-amz-server-side-encryption-customer-algorithm"
    guarded.set(guarded.deny("s3:PutObject", "*", when={"Null": {header: "true"}}))
    with refused(403, "AccessDenied"):
        client.put_object(Bucket=guarded.name, Key="k", Body=b"x")
    with refused(403, "AccessDenied"):
        client.create_multipart_upload(Bucket=guarded.name, Key="k")
    client.put_object(Bucket=guarded.name, Key="k", Body=b"x", **key.parameters)
    upload = multipart.begin(client, guarded.name, "parts", **key.parameters)
    with refused(403, "AccessDenied"):
        multipart.put_part(client, guarded.name, "parts", upload, 1, b"x")
    part = multipart.put_part(client, guarded.name, "parts", upload, 1, b"x", **key.parameters)
    multipart.complete(client, guarded.name, "parts", upload, [part], **key.parameters)
    with refused(403, "AccessDenied"):
        client.copy_object(Bucket=guarded.name, Key="copy", CopySource=f"{guarded.name}/k", **key.source_parameters)
    client.copy_object(
        Bucket=guarded.name, Key="copy", CopySource=f"{guarded.name}/k", **key.source_parameters, **key.parameters
    )
    guarded.set(guarded.deny("s3:PutObject", "*", when={"StringNotEquals": {header: "AES256"}}))
    with refused(403, "AccessDenied"):
        client.put_object(Bucket=guarded.name, Key="k", Body=b"x")
    client.put_object(Bucket=guarded.name, Key="k", Body=b"x", **key.parameters)


def test_every_write_must_be_conditional(client, guarded):
    guarded.fill("old")
    guarded.set(
        guarded.deny("s3:PutObject", "*", when={"Null": {"s3:if-none-match": "true", "s3:if-match": "true"}})
    )
    for condition in ({}, {"Metadata": {"if-none-match": "*"}}):
        with refused(403, "AccessDenied"):
            client.put_object(Bucket=guarded.name, Key="new", Body=b"x", **condition)
    client.put_object(Bucket=guarded.name, Key="new", Body=b"x", IfNoneMatch="*")
    with refused(412, "PreconditionFailed"):
        client.put_object(Bucket=guarded.name, Key="old", Body=b"x", IfNoneMatch="*")
    etag = client.head_object(Bucket=guarded.name, Key="old")["ETag"]
    client.put_object(Bucket=guarded.name, Key="old", Body=b"x", IfMatch=etag)
    with refused(403, "AccessDenied"):
        client.copy_object(Bucket=guarded.name, Key="copy", CopySource=f"{guarded.name}/old")


def test_conditional_writes_in_parts(client, guarded):
    """AWS's example: only what makes the object can be conditional, so the other calls of an upload are left out."""
    when = {"Null": {"s3:if-none-match": "true"}, "Bool": {"s3:ObjectCreationOperation": "true"}}
    guarded.set(guarded.deny("s3:PutObject", "*", when=when))
    upload = multipart.begin(client, guarded.name, "k")
    part = multipart.put_part(client, guarded.name, "k", upload, 1, b"x")
    with refused(403, "AccessDenied"):
        multipart.complete(client, guarded.name, "k", upload, [part])
    multipart.complete(client, guarded.name, "k", upload, [part], IfNoneMatch="*")
    with refused(403, "AccessDenied"):
        client.put_object(Bucket=guarded.name, Key="new", Body=b"x")
    with refused(403, "AccessDenied"):
        client.copy_object(Bucket=guarded.name, Key="new", CopySource=f"{guarded.name}/k")
    client.put_object(Bucket=guarded.name, Key="new", Body=b"x", IfNoneMatch="*")


def test_the_same_by_allow(alt_client, guarded):
    creation = "s3:ObjectCreationOperation"
    guarded.set(
        guarded.allow("s3:PutObject", when={"Null": {"s3:if-none-match": "false"}}),
        guarded.allow("s3:PutObject", when={"Bool": {creation: "false"}}),
    )
    with refused(403, "AccessDenied"):
        alt_client.put_object(Bucket=guarded.name, Key="k", Body=b"x")
    upload = multipart.begin(alt_client, guarded.name, "k")
    part = multipart.put_part(alt_client, guarded.name, "k", upload, 1, b"x")
    with refused(403, "AccessDenied"):
        multipart.complete(alt_client, guarded.name, "k", upload, [part])
    multipart.complete(alt_client, guarded.name, "k", upload, [part], IfNoneMatch="*")


@pytest.mark.parametrize(
    "when, headers, expected",
    [
        ({"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control"}}, {"x-amz-acl": "bucket-owner-full-control"}, True),
        ({"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control"}}, {"x-amz-acl": "private"}, False),
        ({"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control"}}, {}, False),
        ({"StringEquals": {"s3:x-amz-storage-class": "STANDARD"}}, {"x-amz-storage-class": "STANDARD"}, True),
        ({"StringEquals": {"s3:x-amz-storage-class": "STANDARD"}}, {}, False),
        ({"Null": {"s3:x-amz-server-side-encryption": "true"}}, {}, True),
        ({"StringEquals": {"s3:RequestObjectTag/colour": "green"}}, {"x-amz-tagging": "colour=green&a=b"}, True),
        ({"StringEquals": {"s3:RequestObjectTag/colour": "green"}}, {"x-amz-tagging": "Colour=green"}, False),
        ({"StringEquals": {"s3:requestobjecttag/colour": "green"}}, {"x-amz-tagging": "colour=green"}, True),
        ({"StringEquals": {"s3:RequestObjectTag/colour": "green"}}, {}, False),
        ({"StringEquals": {"s3:RequestObjectTag/a b/é": "+ é"}}, {"x-amz-tagging": "a+b%2F%C3%A9=%2B%20%C3%A9"}, True),
        ({"Null": {"s3:RequestObjectTag/colour": "false"}}, {"x-amz-tagging": "colour="}, True),
        ({"ForAllValues:StringEquals": {"s3:RequestObjectTagKeys": ["a", "b"]}}, {"x-amz-tagging": "a=1&b=2"}, True),
        ({"ForAllValues:StringEquals": {"s3:RequestObjectTagKeys": ["a", "b"]}}, {"x-amz-tagging": "a=1&c=2"}, False),
        ({"ForAllValues:StringEquals": {"s3:RequestObjectTagKeys": ["a", "b"]}}, {}, True),
        ({"ForAnyValue:StringEquals": {"s3:RequestObjectTagKeys": ["a", "b"]}}, {"x-amz-tagging": "c=1&b=2"}, True),
        ({"ForAnyValue:StringEquals": {"s3:RequestObjectTagKeys": ["a", "b"]}}, {"x-amz-tagging": "c=1"}, False),
        ({"ForAnyValue:StringEquals": {"s3:RequestObjectTagKeys": ["a", "b"]}}, {}, False),
        ({"ForAllValues:StringNotLike": {"s3:RequestObjectTagKeys": "secret*"}}, {"x-amz-tagging": "a=1&secret1="}, False),
    ],
    ids=range(19),
)
def test_headers_of_a_put(address, guarded, when, headers, expected):
    guarded.set(guarded.allow("s3:PutObject", when=when))
    assert_judged(put(address, guarded, headers=headers), expected)


# ------------------------------------------------------------------------------------------------------- copies


def copy(address, guarded, source: str, account=ALT, **headers) -> wire.Response:
    fields = {"x-amz-copy-source": source, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return wire.call(address, "PUT", f"/{guarded.name}/copy", account=account, headers=fields)


def test_the_source_of_a_copy(address, guarded):
    """However the client writes it: otherwise a Deny would be no more than a request."""
    guarded.fill("open/a b", "secret/k")
    name = guarded.name
    open_forms = ["{}/open/a%20b", "/{}/open/a%20b", "{}/%6fpen/a%20b", "{}%2Fopen%2Fa%20b"]
    secret_forms = ["{}/secret/k", "/{}/secret/k", "{}/%73ecret/k", "{}%2Fsecret%2Fk", "{}/secret/k?versionId=null"]
    statements = [guarded.allow(["s3:GetObject", "s3:PutObject"])]
    for allow, deny in (
        ({"StringLike": {"s3:x-amz-copy-source": f"{name}/open/*"}}, {"StringLike": {"s3:x-amz-copy-source": f"{name}/secret/*"}}),
        ({"StringEquals": {"s3:x-amz-copy-source": f"{name}/open/a b"}}, {"StringEquals": {"s3:x-amz-copy-source": f"{name}/secret/k"}}),
    ):
        for policies in (
            [guarded.allow("s3:GetObject"), guarded.allow("s3:PutObject", when=allow)],
            [*statements, guarded.deny("s3:PutObject", when=deny)],
        ):
            guarded.set(*policies)
            for form in open_forms:
                assert copy(address, guarded, form.format(name)).status == 200, form
            for form in secret_forms:
                assert copy(address, guarded, form.format(name)).refusal() == (403, "AccessDenied"), form


def test_the_directive_of_a_copy(address, guarded):
    guarded.fill("k")
    guarded.set(
        guarded.allow("s3:GetObject"),
        guarded.allow("s3:PutObject", when={"StringEquals": {"s3:x-amz-metadata-directive": "REPLACE"}}),
    )
    source = f"{guarded.name}/k"
    assert copy(address, guarded, source).refusal() == (403, "AccessDenied")
    assert copy(address, guarded, source, x_amz_metadata_directive="COPY").refusal() == (403, "AccessDenied")
    assert copy(address, guarded, source, x_amz_metadata_directive="REPLACE").status == 200


def test_tags_that_a_copy_does_not_take(address, client, guarded):
    """A copy brings the tags of its header only where it replaces those of the source."""
    guarded.fill("k", Tagging="colour=red")
    guarded.set(
        guarded.allow("s3:GetObject"),
        guarded.allow("s3:PutObject", when={"StringEquals": {"s3:RequestObjectTag/colour": "green"}}),
    )
    source, sent = f"{guarded.name}/k", {"x_amz_tagging": "colour=green"}
    assert copy(address, guarded, source, **sent).refusal() == (403, "AccessDenied")
    assert copy(address, guarded, source, **sent, x_amz_tagging_directive="COPY").refusal() == (403, "AccessDenied")
    assert copy(address, guarded, source, **sent, x_amz_tagging_directive="REPLACE").status == 200
    tags = client.get_object_tagging(Bucket=guarded.name, Key="copy")["TagSet"]
    assert tags == [{"Key": "colour", "Value": "green"}]


def test_the_tags_of_a_source(address, guarded):
    guarded.fill("green", Tagging="colour=green")
    guarded.fill("red", Tagging="colour=red")
    guarded.set(
        guarded.allow("s3:GetObject", when={"StringEquals": {"s3:ExistingObjectTag/colour": "green"}}),
        guarded.allow("s3:PutObject"),
    )
    assert copy(address, guarded, f"{guarded.name}/green").status == 200
    assert copy(address, guarded, f"{guarded.name}/red").refusal() == (403, "AccessDenied")


# --------------------------------------------------------------------------------------------------- tags it has


def test_tags_that_an_object_has(address, client, guarded):
    guarded.fill("green", Tagging="colour=green&level=3")
    guarded.fill("red", Tagging="colour=red")
    guarded.fill("plain")
    calls = {
        "s3:GetObject": lambda key: get(address, guarded, key),
        "s3:GetObjectTagging": lambda key: get(address, guarded, key, query=[("tagging", "")]),
        "s3:GetObjectAcl": lambda key: get(address, guarded, key, query=[("acl", "")]),
        "s3:GetObjectAttributes": lambda key: get(
            address, guarded, key, query=[("attributes", "")], headers={"x-amz-object-attributes": "ETag"}
        ),
        "s3:PutObjectTagging": lambda key: put(address, guarded, key, query=[("tagging", "")], body=same_tags(client, guarded, key)),
    }
    for action, call in calls.items():
        for when, expected in (
            ({"StringEquals": {"s3:ExistingObjectTag/colour": "green"}}, {"green"}),
            ({"StringEquals": {"s3:ExistingObjectTag/Colour": "green"}}, set()),
            ({"StringEquals": {"S3:EXISTINGOBJECTTAG/colour": "green"}}, {"green"}),
            ({"StringNotEquals": {"s3:ExistingObjectTag/colour": "green"}}, {"red", "plain"}),
            ({"Null": {"s3:ExistingObjectTag/colour": "true"}}, {"plain"}),
            ({"StringEqualsIfExists": {"s3:ExistingObjectTag/colour": "green"}}, {"green", "plain"}),
            ({"NumericGreaterThan": {"s3:ExistingObjectTag/level": "2"}}, {"green"}),
        ):
            guarded.set(guarded.allow(action, when=when))
            assert {key for key in ("green", "red", "plain") if call(key).status == 200} == expected, (action, when)


def same_tags(client, guarded, key: str) -> bytes:
    """A tagging document of the tags that the object has."""
    tags = client.get_object_tagging(Bucket=guarded.name, Key=key)["TagSet"]
    entries = "".join(f"<Tag><Key>{tag['Key']}</Key><Value>{tag['Value']}</Value></Tag>" for tag in tags)
    return f"<Tagging><TagSet>{entries}</TagSet></Tagging>".encode()


def test_tags_of_the_version_that_is_named(address, client, guarded):
    s3.set_versioning(client, guarded.name, "Enabled")
    old = client.put_object(Bucket=guarded.name, Key="k", Body=b"1", Tagging="colour=green")["VersionId"]
    new = client.put_object(Bucket=guarded.name, Key="k", Body=b"2", Tagging="colour=red")["VersionId"]
    guarded.set(guarded.allow("s3:GetObject", when={"StringEquals": {"s3:ExistingObjectTag/colour": "green"}}))
    assert get(address, guarded, query=[("versionId", old)]).body == b"1"
    assert get(address, guarded, query=[("versionId", new)]).refusal() == (403, "AccessDenied")
    assert get(address, guarded).refusal() == (403, "AccessDenied")
    guarded.set(guarded.allow("s3:GetObject", when={"StringEquals": {"s3:VersionId": old}}))
    assert get(address, guarded, query=[("versionId", old)]).body == b"1"
    assert get(address, guarded, query=[("versionId", new)]).refusal() == (403, "AccessDenied")
    assert get(address, guarded).refusal() == (403, "AccessDenied")
    guarded.set(guarded.allow("s3:GetObject"), guarded.deny("s3:GetObject", when={"Null": {"s3:VersionId": "false"}}))
    assert get(address, guarded, query=[("versionId", old)]).refusal() == (403, "AccessDenied")
    assert get(address, guarded).body == b"2"


def test_tags_that_a_tagging_brings(address, client, guarded):
    guarded.fill("k", Tagging="colour=red")

    def tagging(colour: str) -> wire.Response:
        body = f"<Tagging><TagSet><Tag><Key>colour</Key><Value>{colour}</Value></Tag></TagSet></Tagging>".encode()
        return put(address, guarded, query=[("tagging", "")], body=body)

    def colour() -> str:
        return client.get_object_tagging(Bucket=guarded.name, Key="k")["TagSet"][0]["Value"]

    guarded.set(guarded.allow("s3:PutObjectTagging", when={"StringEquals": {"s3:RequestObjectTag/colour": "green"}}))
    assert tagging("blue").refusal() == (403, "AccessDenied")
    assert colour() == "red"
    assert tagging("green").status == 200
    assert colour() == "green"
    # Tags of a header are no tags of this request.
    headers = {"x-amz-tagging": "colour=green"}
    body = b"<Tagging><TagSet/></Tagging>"
    assert put(address, guarded, query=[("tagging", "")], body=body, headers=headers).refusal() == (403, "AccessDenied")
    guarded.set(
        guarded.allow("s3:PutObjectTagging"),
        guarded.deny("s3:PutObjectTagging", when={"StringNotEquals": {"s3:RequestObjectTag/colour": "green"}}),
    )
    assert tagging("blue").refusal() == (403, "AccessDenied")
    assert tagging("green").status == 200
    guarded.set(
        guarded.allow(
            "s3:PutObjectTagging", when={"ForAllValues:StringEquals": {"s3:RequestObjectTagKeys": ["size", "colour"]}}
        )
    )
    assert tagging("blue").status == 200
    body = body.replace(b"<TagSet/>", b"<TagSet><Tag><Key>other</Key><Value/></Tag></TagSet>")
    assert put(address, guarded, query=[("tagging", "")], body=body).refusal() == (403, "AccessDenied")
    assert colour() == "blue"


def test_a_tagging_that_is_denied_anyway_is_not_read(address, guarded):
    guarded.fill("k")
    guarded.set(guarded.allow("s3:GetObject"))
    assert put(address, guarded, query=[("tagging", "")], body=b"no document").refusal() == (403, "AccessDenied")


def test_tags_of_an_upload_in_parts(client, guarded):
    guarded.set(guarded.deny("s3:PutObject", "*", when={"StringEquals": {"s3:RequestObjectTag/colour": "red"}}))
    with refused(403, "AccessDenied"):
        client.create_multipart_upload(Bucket=guarded.name, Key="k", Tagging="colour=red")
    client.create_multipart_upload(Bucket=guarded.name, Key="k", Tagging="colour=green")


# ------------------------------------------------------------------------------ what is judged is what is done


@pytest.mark.parametrize("query", ["prefix=a/&prefix=b/", "prefix=b/&prefix=a/", "%70refix=b/", "prefix=a/&Prefix=b/"])
@pytest.mark.parametrize("form", ["", "list-type=2&", "versions&"])
def test_a_parameter_that_stands_twice(address, guarded, form, query):
    guarded.fill("a/k", "b/k")
    guarded.set(guarded.allow("s3:ListBucket", "*", when={"StringEquals": {"s3:prefix": "a/"}}))
    answer = wire.send_plain(address, "GET", f"/{guarded.name}?{form}{query}")
    assert answer.status in (200, 400, 403)
    assert b"b/k" not in answer.body


@pytest.mark.parametrize("values", [("colour=green", "colour=red"), ("colour=red", "colour=green")])
def test_a_header_that_stands_twice(address, client, guarded, values):
    guarded.set(guarded.allow("s3:PutObject", "*", when={"StringEquals": {"s3:RequestObjectTag/colour": "green"}}))
    lines = [f"PUT /{guarded.name}/k HTTP/1.1", "Host: 127.0.0.1", "Content-Length: 1"]
    lines += [f"x-amz-tagging: {value}" for value in values]
    with wire.Connection(address) as connection:
        connection.send(("\r\n".join(lines) + "\r\n\r\nx").encode())
        stored = connection.response().status == 200
    if stored:
        tags = client.get_object_tagging(Bucket=guarded.name, Key="k")["TagSet"]
        assert tags == [{"Key": "colour", "Value": "green"}]
    assert s3.exists(client, guarded.name, "k") == stored


def test_names_in_the_host(address, guarded):
    """A bucket is the same, however it is addressed."""
    guarded.fill("open", "closed")
    guarded.set(guarded.allow("s3:GetObject", "*", on="open"), guarded.allow("s3:ListBucket", "*"))
    host = {"Host": f"{guarded.name}.localhost:{address[1]}"}
    assert wire.send_plain(address, "GET", "/open", host).body == b"open"
    assert wire.send_plain(address, "GET", "/closed", host).refusal() == (403, "AccessDenied")
    assert wire.send_plain(address, "GET", "/?list-type=2", host).status == 200
    assert wire.send_plain(address, "GET", f"/{guarded.name}/").status == 200
    assert wire.send_plain(address, "GET", "/?policy", host).refusal() == (403, "AccessDenied")
