"""Presigned URLs: made by boto3, made by hand, expired, tampered with."""

import datetime
from urllib.parse import urlsplit

import pytest

from support import s3, sigv4, wire
from support.accounts import MAIN, Account
from support.payload import KIB, payload

KEY = "dir/presigned key+é"


def target_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}"


def presign(address, method, path, **options) -> str:
    account = options.pop("account", MAIN)
    return sigv4.presign(method, path, f"{address[0]}:{address[1]}", account, **options)


@pytest.fixture
def path(client, bucket) -> str:
    """The path of one stored object."""
    client.put_object(Bucket=bucket, Key=KEY, Body=b"presigned")
    return wire.object_path(bucket, KEY)


def test_boto3_get_url(address, client, bucket, path):
    url = client.generate_presigned_url("get_object", {"Bucket": bucket, "Key": KEY}, ExpiresIn=60)
    assert wire.send_plain(address, "GET", target_of(url)).body == b"presigned"


def test_boto3_get_url_with_overrides(address, client, bucket, path):
    parameters = {"Bucket": bucket, "Key": KEY, "ResponseContentType": "text/x", "ResponseCacheControl": "no-cache"}
    url = client.generate_presigned_url("get_object", parameters)
    response = wire.send_plain(address, "GET", target_of(url), {"Range": "bytes=0-2"})
    assert (response.status, response.body) == (206, b"pre")
    assert response.get("content-type") == "text/x" and response.get("cache-control") == "no-cache"


@pytest.mark.parametrize("size", [0, 100, 300 * KIB])
def test_boto3_put_url(address, client, bucket, size):
    url = client.generate_presigned_url("put_object", {"Bucket": bucket, "Key": "up"})
    content = payload(size)
    assert wire.send_plain(address, "PUT", target_of(url), body=content).status == 200
    assert s3.body_of(client, bucket, "up") == content


def test_boto3_put_url_with_a_signed_content_type(address, client, bucket):
    parameters = {"Bucket": bucket, "Key": "up", "ContentType": "text/plain"}
    target = target_of(client.generate_presigned_url("put_object", parameters))
    refused = wire.send_plain(address, "PUT", target, {"Content-Type": "text/html"}, b"x")
    assert refused.refusal() == (403, "SignatureDoesNotMatch")
    assert wire.send_plain(address, "PUT", target, {"Content-Type": "text/plain"}, b"x").status == 200
    assert client.head_object(Bucket=bucket, Key="up")["ContentType"] == "text/plain"


def test_put_url_may_add_an_unsigned_content_type(address, client, bucket):
    target = presign(address, "PUT", f"/{bucket}/up")
    assert wire.send_plain(address, "PUT", target, {"Content-Type": "text/html"}, b"x").status == 200
    assert client.head_object(Bucket=bucket, Key="up")["ContentType"] == "text/html"


def test_head_and_delete_urls(address, client, bucket, path):
    url = client.generate_presigned_url("head_object", {"Bucket": bucket, "Key": KEY})
    assert wire.send_plain(address, "HEAD", target_of(url)).get("content-length") == "9"
    url = client.generate_presigned_url("delete_object", {"Bucket": bucket, "Key": KEY})
    assert wire.send_plain(address, "DELETE", target_of(url)).status == 204
    assert not s3.exists(client, bucket, KEY)


def test_a_url_is_good_for_its_method_alone(address, path):
    target = presign(address, "GET", path)
    assert wire.send_plain(address, "HEAD", target).status == 403
    assert wire.send_plain(address, "DELETE", target).refusal() == (403, "SignatureDoesNotMatch")
    assert wire.send_plain(address, "GET", target).status == 200


def test_a_listing_url(address, client, bucket, path):
    url = client.generate_presigned_url("list_objects_v2", {"Bucket": bucket, "Prefix": "dir/"})
    root = wire.send_plain(address, "GET", target_of(url)).xml()
    assert root.find(f"{wire.NAMESPACE}KeyCount").text == "1"


def ago(**delta) -> datetime.datetime:
    return sigv4.now_utc() - datetime.timedelta(**delta)


def test_an_expired_url_is_refused(address, path):
    response = wire.send_plain(address, "GET", presign(address, "GET", path, expires_s=60, moment=ago(seconds=70)))
    assert response.refusal() == (403, "AccessDenied")
    assert response.error()["Message"] == "Request has expired"
    assert response.error()["X-Amz-Expires"] == "60"
    assert {"Expires", "ServerTime"} <= response.error().keys()


def test_an_old_url_that_has_not_expired_is_good(address, path):
    target = presign(address, "GET", path, expires_s=7 * 24 * 3600, moment=ago(days=6))
    assert wire.send_plain(address, "GET", target).status == 200


def test_a_url_from_the_future_is_refused(address, path):
    response = wire.send_plain(address, "GET", presign(address, "GET", path, moment=ago(minutes=-20)))
    assert response.refusal() == (403, "AccessDenied")


def test_a_url_slightly_from_the_future_is_good(address, path):
    assert wire.send_plain(address, "GET", presign(address, "GET", path, moment=ago(minutes=-5))).status == 200


@pytest.mark.parametrize("expires", ["604801", "-1", "soon", "", "1.5", "99999999999999999999"])
def test_a_bad_lifetime_is_refused(address, path, expires):
    response = wire.send_plain(address, "GET", presign(address, "GET", path, expires_s=expires))
    assert response.refusal() == (400, "AuthorizationQueryParametersError")


def test_a_lifetime_of_seven_days_is_good(address, path):
    assert wire.send_plain(address, "GET", presign(address, "GET", path, expires_s=604800)).status == 200


def test_a_lifetime_of_zero_is_expired(address, path):
    response = wire.send_plain(address, "GET", presign(address, "GET", path, expires_s=0, moment=ago(seconds=2)))
    assert response.refusal() == (403, "AccessDenied")


@pytest.mark.parametrize(
    "name",
    ["X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders", "X-Amz-Signature"],
)
def test_every_parameter_is_needed(address, path, name):
    plain, query = presign(address, "GET", path).split("?")
    rest = "&".join(pair for pair in query.split("&") if not pair.startswith(name + "="))
    response = wire.send_plain(address, "GET", f"{plain}?{rest}")
    # Without the algorithm it may also pass for an anonymous request.
    assert response.refusal() in ((400, "AuthorizationQueryParametersError"), (403, "AccessDenied"))
    if name != "X-Amz-Algorithm":
        assert response.status == 400


@pytest.mark.parametrize("addition", ["&x-id=GetObject", "&response-content-type=text/html", "&x"])
def test_a_parameter_added_after_signing_breaks_it(address, path, addition):
    response = wire.send_plain(address, "GET", presign(address, "GET", path) + addition)
    assert response.refusal() == (403, "SignatureDoesNotMatch")


def test_another_key_breaks_it(address, client, bucket, path):
    client.put_object(Bucket=bucket, Key="other", Body=b"other")
    target = presign(address, "GET", path).replace(path, f"/{bucket}/other")
    assert wire.send_plain(address, "GET", target).refusal() == (403, "SignatureDoesNotMatch")


def test_a_changed_signature_is_refused(address, path):
    target = presign(address, "GET", path)
    changed = target[:-1] + ("0" if target[-1] != "0" else "1")
    for broken in (changed, target[:-1], target + "0"):
        assert wire.send_plain(address, "GET", broken).status in (400, 403)
    assert wire.send_plain(address, "GET", changed).refusal() == (403, "SignatureDoesNotMatch")


def test_a_wrong_secret_and_an_unknown_key_are_refused(address, path):
    wrong = Account(MAIN.access_key, "wrong", "main", "org-main")
    assert wire.send_plain(address, "GET", presign(address, "GET", path, account=wrong)).refusal() == (
        403,
        "SignatureDoesNotMatch",
    )
    unknown = Account("NOSUCHKEY", "secret", "x", "x")
    assert wire.send_plain(address, "GET", presign(address, "GET", path, account=unknown)).refusal() == (
        403,
        "InvalidAccessKeyId",
    )


def test_header_and_query_authentication_together_are_refused(address, path):
    target = presign(address, "GET", path)
    prepared = wire.prepare(address, "GET", path)
    response = wire.send_plain(address, "GET", target, {"Authorization": prepared.headers["authorization"]})
    assert response.refusal() == (400, "InvalidArgument")


def test_a_signed_header_must_be_sent(address, bucket):
    target = presign(address, "PUT", f"/{bucket}/k", headers={"x-amz-meta-a": "1"})
    assert wire.send_plain(address, "PUT", target, body=b"x").status in (400, 403)
    assert wire.send_plain(address, "PUT", target, {"x-amz-meta-a": "2"}, b"x").refusal() == (
        403,
        "SignatureDoesNotMatch",
    )
    assert wire.send_plain(address, "PUT", target, {"x-amz-meta-a": "1"}, b"x").status == 200


def test_an_unsigned_amz_header_is_refused(address, bucket):
    target = presign(address, "PUT", f"/{bucket}/k")
    response = wire.send_plain(address, "PUT", target, {"x-amz-meta-a": "1"}, b"x")
    assert response.refusal() == (403, "AccessDenied")


def test_a_payload_hash_header_is_verified(address, bucket):
    digest = sigv4.sha256_hex(b"promised")
    query = (("X-Amz-Content-Sha256", digest),)
    target = presign(address, "PUT", f"/{bucket}/k", query=query)
    # Signed as UNSIGNED-PAYLOAD by this helper, so only the refusal matters: the value is never ignored.
    assert wire.send_plain(address, "PUT", target, body=b"something else").status in (400, 403)
